//! Two real sides over loopback.

use std::net::UdpSocket;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use runtime_contract::leg::{Codec, MediaSpec};

use super::*;
use crate::dtmf::Key;
use crate::prompt::Prompt;
use crate::recording::RecordEnd;

/// A test that waits longer than this has failed; nothing is measured by it.
const PATIENCE: Duration = Duration::from_secs(20);

fn start(config: MediaConfig) -> (Media, Receiver<(LegId, MediaEvent)>) {
    let (to, from) = channel();
    let media = Media::start(config, move |leg, event| {
        let _ = to.send((leg, event));
    });
    (media.unwrap(), from)
}

fn spec(remote: SocketAddr) -> MediaSpec {
    let codec = Codec::Pcma;
    MediaSpec { remote, codec, dtmf_payload_type: Some(101), ptime_ms: 20, rtcp: None, send: true, receive: true }
}

/// The next event that `wanted` turns into something.
fn wait<T>(from: &Receiver<(LegId, MediaEvent)>, mut wanted: impl FnMut(LegId, MediaEvent) -> Option<T>) -> T {
    loop {
        let (leg, event) = from.recv_timeout(PATIENCE).expect("the event never came");
        if let Some(found) = wanted(leg, event) {
            return found;
        }
    }
}

#[test]
fn a_phone_presses_hears_and_is_recorded() {
    let (media, events) = start(MediaConfig::default());
    let (server, phone) = (LegId(1), LegId(2));
    let server_at = media.open(server, None, None).unwrap();
    let phone_at = media.open(phone, None, None).unwrap();
    media.tell(server, Command::Connect(spec(phone_at)));
    media.tell(phone, Command::Connect(spec(server_at)));
    let file = std::env::temp_dir().join(format!("strowger-driver-{}.wav", std::process::id()));
    let record = RecordSpec { length_ms_max: 600, first_sound_ms: None, trailing_silence_ms: None };
    wait(&events, |leg, event| (leg == server && event == MediaEvent::FirstPacket).then_some(()));

    media.tell(phone, Command::Listen(true));
    media.tell(server, Command::Play { prompts: vec![Arc::new(Prompt::beep())], token: 9 });
    let mut heard = Vec::new();
    let mut done = false;
    wait(&events, |_, event| {
        match event {
            MediaEvent::PlayDone { token } => done = token == 9,
            MediaEvent::Heard(samples) => heard.extend(samples),
            _ => {}
        }
        (done && heard.iter().filter(|s| s.unsigned_abs() > 4_000).count() > 500).then_some(())
    });

    media.tell(phone, Command::SendKeys("42#".chars().filter_map(Key::from_char).collect()));
    let mut keys = String::new();
    wait(&events, |leg, event| {
        if let MediaEvent::Key(key) = event {
            assert_eq!(leg, server);
            keys.push(key.to_char());
        }
        (keys.len() == 3).then_some(())
    });
    assert_eq!(keys, "42#");

    media.record(server, record, file.clone());
    media.tell(
        phone,
        Command::Play { prompts: std::iter::repeat_with(|| Arc::new(Prompt::beep())).take(10).collect(), token: 1 },
    );
    let summary = wait(&events, |_, event| match event {
        MediaEvent::Recorded { file: written, result } => Some((written, result.unwrap())),
        _ => None,
    });
    assert_eq!(summary.0, file);
    assert_eq!((summary.1.length_ms, summary.1.spoken, summary.1.end), (600, true, RecordEnd::Full));
    assert_eq!(std::fs::metadata(&file).unwrap().len(), 44 + 9_600);
    std::fs::remove_file(file).unwrap();

    media.close(server);
    let quality = wait(&events, |leg, event| match event {
        MediaEvent::Quality(quality) if leg == server => Some(quality),
        _ => None,
    });
    assert!(quality.received > 50, "{quality:?}");
}

#[test]
fn closing_ends_a_recording_and_gives_the_port_back() {
    let config = MediaConfig { ports: Some(27_730..=27_731), ..MediaConfig::default() };
    let (media, events) = start(config);
    let leg = LegId(5);
    let address = media.open(leg, None, None).unwrap();
    assert!(matches!(media.open(leg, None, None), Err(MediaError::LegOpen(_))));
    assert!(matches!(media.open(LegId(6), None, None), Err(MediaError::NoPort)));
    let file = std::env::temp_dir().join(format!("strowger-closing-{}.wav", std::process::id()));
    let record = RecordSpec { length_ms_max: 60_000, first_sound_ms: None, trailing_silence_ms: None };
    media.tell(leg, Command::Connect(spec(address)));
    media.record(leg, record, file.clone());
    media.close(leg);
    let end = wait(&events, |_, event| match event {
        MediaEvent::Recorded { result, .. } => Some(result.unwrap().end),
        _ => None,
    });
    assert_eq!(end, RecordEnd::Stopped);
    std::fs::remove_file(file).unwrap();
    while media.statistics().legs > 0 {
        std::thread::yield_now();
    }
    assert_eq!(media.open(leg, None, None).unwrap(), address);
}

#[test]
fn a_recording_that_cannot_be_written_says_why() {
    let (media, events) = start(MediaConfig::default());
    let leg = LegId(1);
    let address = media.open(leg, None, None).unwrap();
    let record = RecordSpec { length_ms_max: 60_000, first_sound_ms: None, trailing_silence_ms: None };
    media.tell(leg, Command::Connect(spec(address)));
    media.record(leg, record, "/nowhere/at/all.wav".into());
    media.tell(leg, Command::StopRecord);
    let error = wait(&events, |_, event| match event {
        MediaEvent::Recorded { result, .. } => result.err(),
        _ => None,
    });
    assert!(error.to_string().contains("/nowhere/at/all.wav"), "{error}");
}

#[test]
fn the_address_in_the_sdp_need_not_be_ours() {
    let advertised = "203.0.113.9".parse().unwrap();
    for bind in ["127.0.0.1", "0.0.0.0"] {
        let config = MediaConfig { bind: bind.parse().unwrap(), advertise: Some(advertised), ..MediaConfig::default() };
        let (media, events) = start(config);
        let (server, phone) = (LegId(1), UdpSocket::bind("127.0.0.1:0").unwrap());
        phone.set_read_timeout(Some(PATIENCE)).unwrap();
        let said = media.open(server, None, None).unwrap();
        assert_eq!(said.ip(), advertised);
        media.tell(server, Command::Connect(spec(phone.local_addr().unwrap())));
        let mut packet = [0; 2_048];
        let (length, from) = phone.recv_from(&mut packet).unwrap();
        // What a NAT that keeps ports would do with it.
        assert_eq!(from, SocketAddr::new(Ipv4Addr::LOCALHOST.into(), said.port()));
        phone.send_to(&packet[..length], from).unwrap();
        wait(&events, |_, event| (event == MediaEvent::FirstPacket).then_some(()));
    }
}

#[test]
fn no_more_legs_than_the_bound() {
    let (media, _events) = start(MediaConfig { legs_max: 2, threads: 2, ..MediaConfig::default() });
    media.open(LegId(1), None, None).unwrap();
    media.open(LegId(2), None, None).unwrap();
    assert!(matches!(media.open(LegId(3), None, None), Err(MediaError::Full(2))));
    media.close(LegId(1));
    media.open(LegId(3), None, None).unwrap();
}

/// Legs on one thread and on two, in either order.
#[test]
fn bridged_phones_hear_each_other_until_one_is_gone() {
    for (ids, beside) in [([1, 2], true), ([2, 1], false), ([5, 8], false)] {
        let (media, events) = start(MediaConfig { threads: 2, ..MediaConfig::default() });
        let legs = ids.map(LegId);
        let phones = [LegId(11), LegId(12)];
        for (leg, phone) in legs.into_iter().zip(phones) {
            let beside = legs.first().copied().filter(|first| beside && *first != leg);
            let at = media.open(leg, None, beside).unwrap();
            let phone_at = media.open(phone, None, None).unwrap();
            media.tell(leg, Command::Connect(spec(phone_at)));
            media.tell(phone, Command::Connect(spec(at)));
        }
        let [caller, callee] = legs;
        media.bridge(caller, callee);
        // As often as it takes until the bridge stands.
        for (phone, key, [near, far]) in [(phones[0], '7', [caller, phones[1]]), (phones[1], '8', [callee, phones[0]])]
        {
            let key = Key::from_char(key).unwrap();
            media.tell(phone, Command::SendKeys(vec![key; 50]));
            let mut heard = [false; 2];
            wait(&events, |leg, event| {
                if event == MediaEvent::Key(key) {
                    assert!([near, far].contains(&leg));
                    heard[usize::from(leg == far)] = true;
                }
                (heard == [true; 2]).then_some(())
            });
        }
        media.close(callee);
        wait(&events, |leg, event| (leg == callee && event == MediaEvent::Closed).then_some(()));
        media.tell(caller, Command::Play { prompts: vec![Arc::new(Prompt::beep())], token: 6 });
        wait(&events, |_, event| (event == MediaEvent::PlayDone { token: 6 }).then_some(()));
    }
}

/// A leg that is told to move again before it has arrived ends where it was last wanted.
#[test]
fn a_leg_that_moves_twice_loses_nothing_that_it_is_told() {
    let (media, events) = start(MediaConfig { threads: 3, ..MediaConfig::default() });
    let at = [3, 4, 5].map(|leg| media.open(LegId(leg), None, None).unwrap());
    media.tell(LegId(3), Command::Connect(spec(at[1])));
    for token in 0..30 {
        media.tell(LegId(3), Command::Play { prompts: Vec::new(), token });
        media.bridge(LegId(if token % 2 == 0 { 4 } else { 5 }), LegId(3));
    }
    media.unbridge(LegId(3));
    media.tell(LegId(3), Command::Play { prompts: Vec::new(), token: 99 });
    wait(&events, |_, event| (event == MediaEvent::PlayDone { token: 99 }).then_some(()));
    media.bridge(LegId(4), LegId(3));
    media.close(LegId(3));
    wait(&events, |leg, event| (leg == LegId(3) && event == MediaEvent::Closed).then_some(()));
}

#[test]
fn calls_are_recorded_again_and_again_and_encrypted_with_a_key() {
    let key = crate::RecordingKey::parse(&"5a".repeat(32)).unwrap();
    let config = MediaConfig { recording_key: Some(key.clone()), ..MediaConfig::default() };
    let (media, events) = start(config);
    let leg = LegId(1);
    let address = media.open(leg, None, None).unwrap();
    media.tell(leg, Command::Connect(spec(address)));
    wait(&events, |_, event| (event == MediaEvent::FirstPacket).then_some(()));
    for number in 0..2 {
        let name = format!("strowger-call-{}-{number}.wav", std::process::id());
        let file = std::env::temp_dir().join(name);
        media.record_call(leg, file.clone());
        media.tell(leg, Command::Play { prompts: vec![Arc::new(Prompt::beep())], token: 1 });
        wait(&events, |_, event| (event == MediaEvent::PlayDone { token: 1 }).then_some(()));
        media.stop_record_call(leg);
        let length_ms = wait(&events, |_, event| match event {
            MediaEvent::CallRecorded { file: written, result } if written == file => Some(result.unwrap()),
            _ => None,
        });
        let sealed = crate::sealed_path(&file);
        let opened = crate::open_sealed(&std::fs::read(&sealed).unwrap(), &key).unwrap();
        assert!(opened.complete && opened.channels == 2);
        assert_eq!(opened.samples.len(), length_ms as usize * 16);
        let loud = |channel: usize| opened.samples.iter().skip(channel).step_by(2).any(|s| s.unsigned_abs() > 4_000);
        assert!(loud(1), "what was played is on the right");
        assert!(!file.exists());
        std::fs::remove_file(sealed).unwrap();
    }
}

/// Strangers have another address than the SDP and the signalling: their packets neither get in nor crowd others out.
#[test]
fn a_flood_of_strangers_does_not_drown_the_far_side() {
    let (media, events) = start(MediaConfig::default());
    let bind = |address: &str| UdpSocket::bind((address, 0)).unwrap();
    let (phone, stranger) = (bind("127.0.0.1"), bind("127.0.0.2"));
    let leg = LegId(1);
    let at = media.open(leg, Some(Ipv4Addr::LOCALHOST.into()), None).unwrap();
    media.tell(leg, Command::Connect(spec(phone.local_addr().unwrap())));
    let packet = |sequence| {
        let header = crate::rtp::Header {
            marker: false,
            payload_type: 8,
            sequence,
            timestamp: u32::from(sequence) * 160,
            ssrc: 1,
        };
        [&header.to_bytes()[..], &[0xd5; 160]].concat()
    };
    for sequence in 0..10 {
        (0..10).for_each(|_| assert!(stranger.send_to(&packet(sequence), at).is_ok()));
        phone.send_to(&packet(sequence), at).unwrap();
    }
    wait(&events, |_, event| (event == MediaEvent::FirstPacket).then_some(()));
    while media.statistics().packets_received < 110 {
        std::thread::yield_now();
    }
    assert_eq!(media.statistics().packets_refused, 100);
    media.close(leg);
    let quality = wait(&events, |_, event| if let MediaEvent::Quality(quality) = event { Some(quality) } else { None });
    assert_eq!((quality.received, quality.lost), (10, 0));
}
