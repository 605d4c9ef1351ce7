//! Two legs that report to each other under virtual time, on two ports and on one.

use runtime_contract::leg::Codec;

use super::*;

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn spec(remote: SocketAddr, rtcp: Option<SocketAddr>) -> MediaSpec {
    MediaSpec {
        remote,
        codec: Codec::Pcma,
        dtmf_payload_type: Some(101),
        ptime_ms: 20,
        rtcp,
        send: true,
        receive: true,
    }
}

enum Sent {
    Voice(Vec<u8>),
    Report(Vec<u8>, SocketAddr, bool),
}

fn give(stream: &mut Stream, now: Tick, input: Input<'_>, quality: &mut Option<Quality>) -> Vec<Sent> {
    let mut sent = Vec::new();
    let mut outputs = stream.handle(now, input);
    while let Some(output) = outputs.poll() {
        match output {
            Output::Send { packet, .. } => sent.push(Sent::Voice(packet.to_vec())),
            Output::SendReport { to, packet, on_rtp_port } => {
                sent.push(Sent::Report(packet.to_vec(), to, on_rtp_port));
            }
            Output::Event(Event::Quality(said)) => *quality = Some(said),
            _ => {}
        }
    }
    sent
}

/// Half a minute; every tenth voice packet to the first side is lost. What both say at the end, the second's last report
/// being its BYE.
fn talk(one_port: bool) -> [Quality; 2] {
    let at = [address("192.0.2.1:4000"), address("192.0.2.2:5000")];
    let mut streams = [(); 2].map(|()| Stream::new(StreamSeed { ssrc: 5, sequence: 1, timestamp: 1 }, None));
    streams[1] = Stream::new(StreamSeed { ssrc: 6, sequence: 1, timestamp: 1 }, None);
    let mut qualities = [None, None];
    for side in 0..2 {
        let remote = at[1 - side];
        let media = spec(remote, one_port.then_some(remote));
        give(&mut streams[side], Tick(0), Input::Command(Command::Connect(media)), &mut qualities[side]);
    }
    let mut voices = 0;
    for ms in (0..30_000).step_by(20) {
        let now = Tick(0).plus_ms(ms);
        for side in 0..2 {
            let input = if side == 1 && ms == 29_980 { Input::End } else { Input::Tick };
            for sent in give(&mut streams[side], now, input, &mut qualities[side]) {
                let other = &mut streams[1 - side];
                let said = &mut qualities[1 - side];
                match sent {
                    Sent::Voice(bytes) => {
                        voices += side;
                        if side == 0 || voices % 10 != 0 {
                            give(other, now, Input::Packet { from: at[side], bytes: &bytes }, said);
                        }
                    }
                    Sent::Report(bytes, to, on_rtp_port) => {
                        assert_eq!(on_rtp_port, one_port);
                        let far = at[1 - side];
                        assert_eq!(to, if one_port { far } else { SocketAddr::new(far.ip(), far.port() + 1) });
                        if one_port {
                            give(other, now, Input::Packet { from: at[side], bytes: &bytes }, said);
                        } else {
                            let from = SocketAddr::new(at[side].ip(), at[side].port() + 1);
                            give(other, now, Input::Report { from, bytes: &bytes }, said);
                        }
                    }
                }
            }
        }
    }
    let now = Tick(0).plus_ms(30_000);
    give(&mut streams[0], now, Input::End, &mut qualities[0]);
    assert_eq!(streams.map(|stream| stream.packets_refused()), [0, 0]);
    qualities.map(Option::unwrap)
}

#[test]
fn both_sides_know_how_it_went() {
    for one_port in [false, true] {
        let [first, second] = talk(one_port);
        assert!(first.lost.abs_diff(150) < 5 && first.received.abs_diff(1_350) < 5, "{first:?}");
        assert_eq!((second.lost, first.jitter_ms, second.jitter_ms), (0, 0, 0));
        assert!(second.remote_lost.is_some_and(|lost| lost > 50), "{second:?}");
        assert!([first, second].iter().all(|quality| quality.round_trip_ms == Some(0)), "{first:?} {second:?}");
    }
}

#[test]
fn reports_of_strangers_are_refused() {
    let mut stream = Stream::new(StreamSeed { ssrc: 5, sequence: 1, timestamp: 1 }, None);
    let mut quality = None;
    let media = spec(address("192.0.2.2:5000"), None);
    give(&mut stream, Tick(0), Input::Command(Command::Connect(media)), &mut quality);
    let mut bytes = Vec::new();
    let block = rtcp::ReportBlock {
        ssrc: 5,
        fraction_lost: 9,
        lost: 99,
        highest_sequence: 1,
        jitter: 0,
        last_report: 0,
        delay: 0,
    };
    rtcp::write(&mut bytes, 7, None, Some(block), "x", false);
    for (from, refused) in [("198.51.100.9:5001", 1), ("192.0.2.2:5001", 1), ("192.0.2.2:7000", 2)] {
        give(&mut stream, Tick(0), Input::Report { from: address(from), bytes: &bytes }, &mut quality);
        assert_eq!(stream.packets_refused(), refused, "{from}");
    }
    give(&mut stream, Tick(0), Input::Packet { from: address("198.51.100.9:5000"), bytes: &bytes }, &mut quality);
    assert_eq!(stream.packets_refused(), 3);
    give(&mut stream, Tick(0), Input::End, &mut quality);
    assert_eq!(quality.and_then(|quality| quality.remote_lost), Some(99));
}
