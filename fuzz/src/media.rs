//! What must hold for whatever a peer sends to a voice port.

use std::net::{Ipv4Addr, SocketAddr};

use runtime_contract::leg::{Codec, MediaSpec};
use runtime_contract::time::Tick;
use runtime_media::stream::{Command, Event, Input, Output, Stream, StreamSeed};
use runtime_media::tone_detector::ToneDetector;
use runtime_media::{RecordSpec, rtcp};

/// Longest packet: a header and 60 ms.
const PACKET_BYTES_MAX: usize = 12 + 480;
/// Samples that a recording can be ahead of our clock: a far clock that jumped (2 s), and what stays open.
const AHEAD_SAMPLES_MAX: u64 = 21_600;
/// Samples between two presses at least: the blocks that make one.
const PRESS_SAMPLES_MIN: usize = 204;

/// Two bridged legs that record, listen, and are fed packets. The input: a byte for how they are set up, then for each
/// packet the milliseconds before it, whose it is and its length (3 bytes), and its bytes.
pub fn rtp(bytes: &[u8]) {
    let Some((setup, mut rest)) = bytes.split_first() else { return };
    let seed = |ssrc| StreamSeed { ssrc, sequence: 0xfff0, timestamp: 0xffff_ff00 };
    let mut legs = [Stream::new(seed(1), None), Stream::new(seed(2), None)];
    let (mut now_ms, mut samples) = (0, [0; 2]);
    for side in 0..2 {
        let dtmf_payload_type = (setup & (1 << side) != 0).then_some(101);
        let ptime_ms = u16::from(setup >> 2 & 7) * 10;
        let codec = if side == 0 { Codec::Pcma } else { Codec::Pcmu };
        let remote = address(side);
        let media =
            MediaSpec { remote, codec, dtmf_payload_type, ptime_ms, rtcp: Some(remote), send: true, receive: true };
        let record = RecordSpec { length_ms_max: 3_600_000, first_sound_ms: None, trailing_silence_ms: None };
        for command in [Command::Connect(media), Command::Record(record), Command::RecordCall, Command::Listen(true)] {
            give(&mut legs, side, now_ms, Input::Command(command), &mut samples);
        }
        give(&mut legs, side, now_ms, Input::Bridged(true), &mut samples);
    }
    while let [ms, head, length, behind @ ..] = rest {
        let (packet, behind) = behind.split_at(usize::from(*length).min(behind.len()));
        rest = behind;
        let side = usize::from(head & 1);
        give(&mut legs, side, now_ms, Input::Packet { from: address(side), bytes: packet }, &mut samples);
        if head & 2 != 0 {
            give(&mut legs, side, now_ms, Input::Command(Command::Mask(head & 4 != 0)), &mut samples);
        }
        now_ms += u64::from(*ms);
        for side in 0..2 {
            give(&mut legs, side, now_ms, Input::Tick, &mut samples);
        }
    }
    for side in 0..2 {
        give(&mut legs, side, now_ms, Input::End, &mut samples);
    }
    for samples in samples {
        assert!(samples <= now_ms * 8 + AHEAD_SAMPLES_MAX, "{samples} samples in {now_ms} ms");
    }
}

fn address(side: usize) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 4_000 + side as u16 * 2))
}

fn give(legs: &mut [Stream; 2], side: usize, now_ms: u64, input: Input<'_>, recorded: &mut [u64; 2]) {
    let now = Tick(0).plus_ms(now_ms);
    let [first, second] = legs;
    let (leg, other) = if side == 0 { (first, second) } else { (second, first) };
    let mut outputs = leg.handle(now, input);
    while let Some(output) = outputs.poll() {
        match output {
            Output::Relay(relayed) => {
                let mut outputs = other.handle(now, Input::Relayed(relayed));
                while let Some(output) = outputs.poll() {
                    check(&output, &mut recorded[1 - side]);
                }
            }
            output => check(&output, &mut recorded[side]),
        }
    }
}

fn check(output: &Output<'_>, recorded: &mut u64) {
    match output {
        Output::Send { packet, .. } => assert!((12..=PACKET_BYTES_MAX).contains(&packet.len()), "{}", packet.len()),
        Output::SendReport { packet, .. } => assert!(rtcp::parse(packet).is_some(), "a report that nobody reads"),
        Output::Event(Event::Recorded(samples)) => *recorded += samples.len() as u64,
        _ => {}
    }
}

/// What parses has at most 31 blocks a report, and a report that is written again says the same.
pub fn rtcp(bytes: &[u8]) {
    let _ = rtcp::is_rtcp(bytes);
    for packet in rtcp::parse(bytes).into_iter().flatten() {
        let rtcp::Packet::Report { ssrc, sender, blocks } = packet else { continue };
        assert!(blocks.count() <= 31, "too many blocks");
        let block = { blocks }.next();
        let mut written = Vec::new();
        rtcp::write(&mut written, ssrc, sender, block, "fuzz", true);
        let again = rtcp::parse(&written).and_then(|mut packets| packets.next());
        let Some(rtcp::Packet::Report { ssrc: ssrc_again, sender: sender_again, blocks }) = again else {
            panic!("a report was written that nobody reads")
        };
        assert_eq!((ssrc_again, sender_again, { blocks }.next()), (ssrc, sender, block));
    }
}

/// No samples press keys faster than keys can be pressed.
pub fn tones(bytes: &[u8]) {
    let samples: Vec<i16> =
        bytes.chunks_exact(2).filter_map(|pair| pair.first_chunk().map(|pair| i16::from_le_bytes(*pair))).collect();
    let mut detector = ToneDetector::default();
    let presses = samples.chunks(160).filter(|packet| detector.hear(packet.iter().copied()).press.is_some()).count();
    assert!(presses <= samples.len() / PRESS_SAMPLES_MIN, "{presses} presses in {} samples", samples.len());
}
