//! Desk phones that are not ours register, and callers are connected to them: both hear each other, and the flow learns
//! what became of it.

use std::path::Path;
use std::sync::Arc;

use runtime_contract::leg::GoneCause;
use runtime_media::Prompt;
use runtime_server::Phone;
use runtime_store::{Options, Store};
use tempfile::tempdir;

use crate::harness::pjsua2::Pjsua2;
use crate::harness::served::Served;
use crate::{LONG, gone, harness};

pub const DESK: (&str, &str) = ("2001", "a good secret");
/// 3 s of voice, as the desk phone talks.
const TALK: usize = 3 * 8_000;

#[test]
fn a_caller_talks_with_a_desk_phone_over_udp_and_tcp() {
    let (data, folder) = (tempdir().unwrap(), tempdir().unwrap());
    let served = Served::start(&harness::project("cli/tests/projects/desk"), data.path(), &["--no-watch"]);
    let phone = Phone::start(served.sip).unwrap();
    let voice: Vec<i16> = (0..TALK * 10).map(|n| tone(n, 440.0)).collect();
    let voice = Arc::new(Prompt::from_pcm(&voice));
    for transport in ["udp", "tcp"] {
        let heard = folder.path().join(format!("{transport}.wav"));
        let (desk, status) = Pjsua2::start(served.sip, DESK, transport, "answer", &heard);
        assert_eq!(status, 200, "{}", served.log());
        served.settles("strowger_phones_registered", 1.0);
        let call = phone.call(&format!("sip:+864008100006@{}", served.sip), Some("+8613800000001")).unwrap();
        assert!(call.wait_heard(0, LONG) > 0);
        call.speak(Arc::clone(&voice));
        desk.wait_for(|event| event["state"] == "CONFIRMED");
        desk.wait_for(|event| event["state"] == "DISCONNECTED");
        assert_eq!(gone(&call), GoneCause::RemoteHungUp);
        let loud = loudness_at(&call.heard(), 620.0);
        assert!(loud > TALK / 2, "the caller heard the desk phone's tone for {loud} samples over {transport}");
        drop(desk);
        let loud = loudness_at(&samples_of(&heard), 440.0);
        assert!(loud > TALK / 2, "the desk phone heard the caller's tone for {loud} samples over {transport}");
        served.settles("strowger_phones_registered", 0.0);
    }
    assert_eq!(results(served, data.path()), ["ended", "ended"]);
}

#[test]
fn a_flow_learns_what_became_of_whom_it_called() {
    let (data, folder) = (tempdir().unwrap(), tempdir().unwrap());
    let served = Served::start(&harness::project("cli/tests/projects/desk"), data.path(), &["--no-watch"]);
    let phone = Phone::start(served.sip).unwrap();
    let heard = folder.path().join("heard.wav");
    let calls_in = || {
        let call = phone.call(&format!("sip:+864008100006@{}", served.sip), Some("+8613800000001")).unwrap();
        assert_eq!(gone(&call), GoneCause::RemoteHungUp, "the flow goes on to its end");
    };
    for mode in ["busy", "decline", "ring"] {
        let (desk, status) = Pjsua2::start(served.sip, DESK, "udp", mode, &heard);
        assert_eq!(status, 200, "{}", served.log());
        calls_in();
        drop(desk);
        served.settles("strowger_phones_registered", 0.0);
    }
    calls_in();
    let (stranger, status) = Pjsua2::start(served.sip, ("2001", "a wrong secret"), "udp", "answer", &heard);
    assert!(matches!(status, 401 | 403), "{status}");
    drop(stranger);
    assert_eq!(results(served, data.path()), ["busy", "declined", "unanswered", "unreachable"]);
}

/// What the flows noted, in the order of the calls.
pub fn results(served: Served, data: &Path) -> Vec<String> {
    served.settles("strowger_calls_live", 0.0);
    assert_eq!(served.stop(), 0);
    let store = Store::open(data, Options::default(), |_| ()).unwrap();
    let records = store.calls(100).unwrap().into_iter().rev().map(|call| call.record);
    let result = |notes: Vec<(String, _)>| notes.into_iter().find(|(key, _)| key == "result");
    let text = |(_, text): (String, runtime_contract::Redacted<String>)| text.into_inner();
    records.map(|record| result(record.notes).map(text).unwrap_or_default()).collect()
}

pub fn tone(sample: usize, hertz: f64) -> i16 {
    ((sample as f64 * hertz * std::f64::consts::TAU / 8_000.0).sin() * 8_000.0) as i16
}

/// Samples in windows of 20 ms in which this tone is the most of what is heard (Goertzel).
pub fn loudness_at(samples: &[i16], hertz: f64) -> usize {
    let window = 160;
    let of_tone = |chunk: &&[i16]| {
        let coefficient = 2.0 * (hertz * std::f64::consts::TAU / 8_000.0).cos();
        let (mut before, mut last) = (0.0, 0.0);
        for sample in chunk.iter() {
            (before, last) = (last, f64::from(*sample) + coefficient * last - before);
        }
        let power = before * before + last * last - coefficient * before * last;
        let whole: f64 = chunk.iter().map(|sample| f64::from(*sample).powi(2)).sum();
        whole > window as f64 * 200.0 * 200.0 && power > whole * window as f64 * 0.3
    };
    samples.chunks_exact(window).filter(of_tone).count() * window
}

/// Of a WAV file, at 8 kHz.
pub fn samples_of(file: &Path) -> Vec<i16> {
    let prompt = Prompt::from_file(file, &runtime_media::VoiceLimits::default()).unwrap();
    prompt.pcm()
}
