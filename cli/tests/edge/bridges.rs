//! A recorded call that comes over a bad network and is bridged to a desk phone: what is heard, what is kept, and what
//! the record says of it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use runtime_contract::leg::GoneCause;
use runtime_media::Prompt;
use runtime_server::{Phone, PhoneEvent};
use runtime_store::{Options, Store, recording_file};
use tempfile::tempdir;

use super::desk_phones::{DESK, loudness_at, samples_of, tone};
use crate::harness;
use crate::harness::gateway::Gateway;
use crate::harness::pjsua2::Pjsua2;
use crate::harness::relay::Way;
use crate::harness::served::Served;
use crate::{LONG, gone};

const SECOND: usize = 8_000;
const CALLER: f64 = 440.0;
const DESK_PHONE: f64 = 620.0;
/// Tones of the keys 1, 5, 9 and of the D (ITU-T Q.23).
const KEYS: [(f64, f64); 4] = [(697.0, 1_209.0), (770.0, 1_336.0), (852.0, 1_477.0), (941.0, 1_633.0)];

/// Two tones at once, 200 ms of them, and as much silence.
fn keyed(key: (f64, f64)) -> Vec<i16> {
    let of_key = |n| if n < SECOND / 5 { tone(n, key.0) / 2 + tone(n, key.1) / 2 } else { 0 };
    (0..SECOND * 2 / 5).map(of_key).collect()
}

#[test]
fn a_recorded_bridge_over_a_bad_network() {
    let (data, folder) = (tempdir().unwrap(), tempdir().unwrap());
    let served = Served::start(&harness::project("cli/tests/projects/recorded"), data.path(), &["--no-watch"]);
    let heard = folder.path().join("heard.wav");
    let (desk, status) = Pjsua2::start(served.sip, DESK, "udp", "stay", &heard);
    assert_eq!(status, 200, "{}", served.log());
    // Lost by 1 in 20; those that are up to 45 ms late are overtaken by one or two others.
    let gateway = Gateway::start(served.sip, Way { seed: 7, lost_percent: 5, delay_ms_max: 45 });
    let phone = Phone::start(gateway.address).unwrap();
    let call = phone.call(&format!("sip:+864008100008@{}", gateway.address), Some("+8613800000001")).unwrap();
    while call.next_event(LONG).expect("the call is up") != PhoneEvent::Up {}
    // The prompts are over when nothing was heard for half a second: then the code is keyed, by tones.
    let silent = |samples: &[i16]| samples.iter().all(|sample| sample.unsigned_abs() < 100);
    let waits = |holds: &dyn Fn(&[i16]) -> bool| {
        while !holds(&call.heard()) {
            let samples = call.heard().len();
            assert!(call.wait_heard(samples, LONG) > samples, "the call goes on");
        }
    };
    waits(&|heard| heard.len() > SECOND && silent(&heard[heard.len() - SECOND / 2..]) && !silent(heard));
    let code: Vec<i16> = KEYS[..3].iter().chain([&KEYS[0]]).flat_map(|key| keyed(*key)).collect();
    call.speak(Arc::new(Prompt::from_pcm(&code)));
    desk.wait_for(|event| event["state"] == "CONFIRMED");
    let voice: Vec<i16> = (0..SECOND * 60).map(|n| tone(n, CALLER)).collect();
    gateway.voice.rough.store(true, Ordering::Relaxed);
    call.speak(Arc::new(Prompt::from_pcm(&voice)));
    waits(&|heard| loudness_at(heard, DESK_PHONE) > 4 * SECOND);
    call.hang_up();
    assert_eq!(gone(&call), GoneCause::LocalHungUp);
    desk.wait_for(|event| event["state"] == "DISCONNECTED");
    harness::until("the call is over", || served.metric("strowger_calls_live") == 0.0);
    drop(desk);
    assert_eq!(served.stop(), 0);
    let at_desk = loudness_at(&samples_of(&heard), CALLER);
    assert!(at_desk > 3 * SECOND, "the desk phone heard the caller for {at_desk} samples");

    let store = Store::open(data.path(), Options::default(), |_| ()).unwrap();
    let record = store.calls(1).unwrap().remove(0).record;
    assert_eq!(record.notes[0].1.reveal(), "4", "{record:?}");
    // What the record says of the caller's voice is what the relay did to it, but for what was on its way at the end.
    let quality = record.quality.expect("there was voice");
    let (lost, passed) = (&gateway.voice.lost_in, &gateway.voice.passed_in);
    let (lost, passed) = (lost.load(Ordering::Relaxed), passed.load(Ordering::Relaxed));
    assert!(lost > 0 && quality.lost.abs_diff(lost) <= 5, "{lost} lost: {quality:?}");
    assert!(quality.received.abs_diff(passed) <= 5, "{passed} passed: {quality:?}");
    assert!(quality.jitter_max_ms >= 5, "{quality:?}");
    let concealed = u64::from(quality.concealed_ms) / 20;
    assert!((lost / 2..=lost * 2 + 10).contains(&concealed), "{lost} lost: {quality:?}");

    let [recording] = record.recordings[..] else { panic!("one recording: {record:?}") };
    let [left, right] = channels(&std::fs::read(data.path().join(recording_file(recording))).unwrap());
    for (what, channel, own, other) in [("left", &left, CALLER, DESK_PHONE), ("right", &right, DESK_PHONE, CALLER)] {
        let (own, other) = (loudness_at(channel, own), loudness_at(channel, other));
        // The prompts are tones too.
        assert!(own > 3 * SECOND && other < SECOND / 2, "{what}: {own} samples of its own, {other} of the other");
    }
    let windows = left.chunks_exact(160).take_while(|window| loudness_at(window, CALLER) == 0);
    let before: Vec<i16> = windows.flatten().copied().collect();
    assert!(before.len() > SECOND && before.len() < left.len(), "the caller's voice begins at {}", before.len());
    // The concealment of what was lost may begin in the last window.
    assert!(silent(&before[..before.len() - SECOND / 10]), "a key that was keyed in private is to be heard");
}

/// Left and right of a 16-bit WAV file.
fn channels(wav: &[u8]) -> [Vec<i16>; 2] {
    assert_eq!(wav[22..24], [2, 0], "two channels");
    let data = wav.windows(4).position(|window| window == b"data").unwrap() + 8;
    let samples: Vec<i16> = wav[data..].chunks_exact(2).map(|bytes| i16::from_le_bytes([bytes[0], bytes[1]])).collect();
    [0, 1].map(|channel| samples.iter().skip(channel).step_by(2).copied().collect())
}
