//! kill -9 under load: no finished call is missing afterwards, and open ones are ended with their `finally`, or go on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop at the first surprise"
)]

#[path = "../harness/mod.rs"]
mod harness;
mod rounds;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use harness::served::Served;
use runtime_contract::leg::GoneCause;
use runtime_server::{Phone, PhoneCall, PhoneEvent, Responder};
use runtime_store::{Options, Store};

const CALLERS: u64 = 12;
/// A call takes about half a second.
const STAGGER: Duration = Duration::from_millis(40);
/// A finished call is durable within one group commit (5 ms); this is what a busy disk may add.
const COMMIT: Duration = Duration::from_millis(1_000);

#[test]
fn no_finished_call_is_missing_after_a_kill() {
    let project = harness::project("cli/tests/projects/brief");
    let data = tempfile::tempdir().unwrap();
    let mut served = Served::start(&project, data.path(), &["--no-watch"]);
    let phone = Phone::start(served.sip).unwrap();
    let target = format!("sip:+864008100002@{}", served.sip);
    let (stop, placed) = (AtomicBool::new(false), AtomicU64::new(0));
    let finished: Mutex<Vec<(String, Instant)>> = Mutex::default();
    let mut killed = Instant::now();
    std::thread::scope(|scope| {
        for caller in 0..CALLERS {
            let (phone, target, stop, placed, finished) = (&phone, &target, &stop, &placed, &finished);
            scope.spawn(move || {
                // Not all at once, so that at each instant some are in the middle of a call.
                std::thread::park_timeout(STAGGER * caller as u32);
                while !stop.load(Ordering::Relaxed) {
                    let number = format!("+861380{:07}", placed.fetch_add(1, Ordering::Relaxed));
                    let call = phone.call(target, Some(&number)).unwrap();
                    while !stop.load(Ordering::Relaxed) {
                        if let Some(PhoneEvent::Gone(cause)) = call.next_event(Duration::from_millis(20)) {
                            if cause == GoneCause::RemoteHungUp {
                                finished.lock().unwrap().push((number, Instant::now()));
                            }
                            break;
                        }
                    }
                }
            });
        }
        while finished.lock().unwrap().len() < 60 {
            std::thread::park_timeout(Duration::from_millis(20));
        }
        served.signal("KILL");
        killed = Instant::now();
        served.child.wait().unwrap();
        stop.store(true, Ordering::Relaxed);
    });
    drop(phone);
    let open = {
        let store = Store::open(data.path(), Options::default(), |_| ()).unwrap();
        store.open_calls().unwrap().len()
    };
    assert!(open > 0, "the kill met calls that were open");

    let served = Served::start(&project, data.path(), &["--no-watch"]);
    served.settles("strowger_calls_live", 0.0);
    assert_eq!(served.stop(), 0);
    let store = Store::open(data.path(), Options::default(), |_| ()).unwrap();
    assert!(store.open_calls().unwrap().is_empty(), "every call is ended");
    let calls = store.calls(1_000_000).unwrap();
    let by_caller: BTreeMap<_, _> =
        calls.iter().map(|call| (call.record.caller.as_ref().unwrap().reveal().clone(), &call.record)).collect();
    assert_eq!(by_caller.len(), calls.len(), "no call is there twice");
    let finished = finished.into_inner().unwrap();
    for (number, at) in finished.iter().filter(|(_, at)| *at + COMMIT < killed) {
        let record = by_caller.get(number).unwrap_or_else(|| panic!("{number} finished at {at:?} and is missing"));
        assert!(record.notes.iter().any(|(key, _)| key == "left"), "{record:?}");
    }
    let crashed: Vec<_> = calls.iter().filter(|call| call.record.end.contains("crash")).collect();
    assert_eq!(crashed.len(), open, "the open calls were ended as crashed");
    for call in crashed {
        assert!(call.record.notes.iter().any(|(key, _)| key == "left"), "`finally` ran: {:?}", call.record);
    }
}

/// A service that charges is asked once: its call is in the journal before it leaves, and nothing sends it again.
#[test]
fn a_writing_service_is_not_asked_again_after_a_kill() {
    let (asked, seen) = channel();
    let over = Arc::new((Mutex::new(false), Condvar::new()));
    let held = Arc::clone(&over);
    let bank = Responder::start(move |ask| {
        asked.send((ask.operation.to_owned(), ask.idempotency_key.map(str::to_owned), ask.arguments)).unwrap();
        // No answer while the test runs.
        let (over, changed) = &*held;
        drop(changed.wait_while(over.lock().unwrap(), |over| !*over).unwrap());
        (200, "late".into())
    })
    .unwrap();
    let project = harness::project("cli/tests/projects/charge");
    let data = tempfile::tempdir().unwrap();
    let service = format!("bank=http://{}", bank.address);
    let options = ["--no-watch", "--service", &service];
    let mut served = Served::start(&project, data.path(), &options);
    let phone = Phone::start(served.sip).unwrap();
    let call = phone.call(&format!("sip:+864008100003@{}", served.sip), Some("+8613800000000")).unwrap();
    let (operation, key, arguments) = seen.recv_timeout(Duration::from_secs(60)).unwrap();
    assert_eq!(operation, "charge");
    assert_eq!(arguments["amount"], serde_json::json!({"amount": "12.50", "currency": "CNY"}));
    served.signal("KILL");
    served.child.wait().unwrap();
    drop(call);
    drop(phone);
    let open = {
        let store = Store::open(data.path(), Options::default(), |_| ()).unwrap();
        store.open_calls().unwrap()
    };
    assert_eq!(open.len(), 1, "its journal was kept before the service was asked");
    assert!(key.unwrap().starts_with(&open[0].call.hex()), "the key names the call");

    let served = Served::start(&project, data.path(), &options);
    served.settles("strowger_calls_live", 0.0);
    assert_eq!(served.stop(), 0);
    assert!(seen.try_recv().is_err(), "the service was asked again");
    let store = Store::open(data.path(), Options::default(), |_| ()).unwrap();
    let calls = store.calls(10).unwrap();
    let [call] = calls.as_slice() else { panic!("{} calls", calls.len()) };
    // Nobody knows whether the card was charged: to the flow the call of the service has failed.
    let notes: Vec<_> = call.record.notes.iter().map(|(key, text)| (key.as_str(), text.reveal().as_str())).collect();
    assert_eq!(notes, [("asked", "yes"), ("receipt", "none"), ("left", "yes")]);
    assert!(call.record.end.contains("crash"), "{:?}", call.record);
    *over.0.lock().unwrap() = true;
    over.1.notify_all();
}

/// Who waits in a menu when the server dies waits on, hears it again, and his key counts.
#[test]
fn calls_that_were_up_go_on_with_voice_after_a_kill() {
    const CALLS: usize = 200;
    const LONG: Duration = Duration::from_secs(60);
    let project = harness::project("cli/tests/projects/kept");
    let data = tempfile::tempdir().unwrap();
    let mut served = Served::start(&project, data.path(), &["--no-watch"]);
    let phone = Phone::start(served.sip).unwrap();
    let target = format!("sip:+864008100005@{}", served.sip);
    let number = |caller: usize| format!("+861380{caller:07}");
    let calls: Vec<_> = (0..CALLS).map(|caller| phone.call(&target, Some(&number(caller))).unwrap()).collect();
    for call in &calls {
        assert!(call.wait_heard(0, LONG) > 0, "hears the menu");
    }
    let sip = served.sip.to_string();
    served.signal("KILL");
    served.child.wait().unwrap();
    let heard: Vec<usize> = calls.iter().map(|call| call.heard().len()).collect();
    let served = Served::start_at(&project, data.path(), &sip, &["--no-watch"]);
    for (call, before) in calls.iter().zip(heard) {
        // More than what was still on its way: a second of voice.
        assert!(call.wait_heard(before + 8_000, LONG) > before + 8_000, "hears the menu again");
    }
    served.settles("strowger_calls_revived_total", CALLS as f64);
    served.settles("strowger_calls_live", CALLS as f64);
    for call in &calls {
        assert!(call.press("1"));
    }
    for call in &calls {
        let gone = std::iter::from_fn(|| call.next_event(LONG)).find(|event| matches!(event, PhoneEvent::Gone(_)));
        assert_eq!(gone, Some(PhoneEvent::Gone(GoneCause::RemoteHungUp)));
    }
    assert_eq!(served.stop(), 0);
    let store = Store::open(data.path(), Options::default(), |_| ()).unwrap();
    let records: Vec<_> = store.calls(1_000).unwrap().into_iter().map(|call| call.record).collect();
    assert_eq!(records.len(), CALLS);
    for record in records {
        assert_eq!(record.end, "hung up", "{record:?}");
        assert!(record.notes.iter().any(|(key, _)| key == "left"), "{record:?}");
    }
}

/// A call whose server is killed when a second of it is recorded: who called, the call, and where the server was.
fn killed_while_it_is_recorded(project: &Path, data: &Path) -> (Phone, PhoneCall, String) {
    let mut served = Served::start(project, data, &["--no-watch"]);
    let phone = Phone::start(served.sip).unwrap();
    let target = format!("sip:+864008100006@{}", served.sip);
    let call = phone.call(&target, Some("+8613800000001")).unwrap();
    let file = data.join("recordings/1.wav");
    // The writer is given a second at a time.
    harness::until("it is recorded", || std::fs::metadata(&file).map_or(0, |facts| facts.len()) >= 32_000);
    let sip = served.sip.to_string();
    served.signal("KILL");
    served.child.wait().unwrap();
    (phone, call, sip)
}

/// The next process takes the call up; it ends by a key.
fn taken_up_and_ended(project: &Path, data: &Path, sip: &str, call: &PhoneCall) {
    const LONG: Duration = Duration::from_secs(60);
    let heard = call.heard().len();
    let served = Served::start_at(project, data, sip, &["--no-watch"]);
    assert!(call.wait_heard(heard + 8_000, LONG) > heard + 8_000, "it goes on");
    assert!(call.press("1"));
    let gone = std::iter::from_fn(|| call.next_event(LONG)).find(|event| matches!(event, PhoneEvent::Gone(_)));
    assert_eq!(gone, Some(PhoneEvent::Gone(GoneCause::RemoteHungUp)));
    assert_eq!(served.stop(), 0);
}

/// Its journal claims the file that is gone; after another kill it would take another call's voice.
#[test]
fn the_number_of_a_recording_that_is_gone_is_not_given_while_a_call_claims_it() {
    let project = harness::project("cli/tests/projects/kept");
    let data = tempfile::tempdir().unwrap();
    let (_phone, call, sip) = killed_while_it_is_recorded(&project, data.path());
    std::fs::remove_file(data.path().join("recordings/1.wav")).unwrap();
    taken_up_and_ended(&project, data.path(), &sip, &call);
    let store = Store::open(data.path(), Options::default(), |_| ()).unwrap();
    let listed: Vec<u64> = store.recordings().unwrap().into_iter().collect();
    assert!(listed.first() == Some(&2), "{listed:?}");
}

/// What was recorded until the kill has its row, and is found when its person is taken out; nothing else is left.
#[test]
fn recordings_that_a_kill_cut_off_are_kept_and_erased_with_their_call() {
    let project = harness::project("cli/tests/projects/kept");
    let data = tempfile::tempdir().unwrap();
    let (_phone, call, sip) = killed_while_it_is_recorded(&project, data.path());
    let recordings = data.path().join("recordings");
    // Of another life of the folder, encrypted or not; and what is no recording.
    for name in ["70.wav", "71.wav.enc", "notes.txt"] {
        std::fs::write(recordings.join(name), "nobody's").unwrap();
    }
    taken_up_and_ended(&project, data.path(), &sip, &call);
    let names = || {
        let files =
            std::fs::read_dir(&recordings).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        files.collect::<std::collections::BTreeSet<_>>()
    };
    let store = Store::open(data.path(), Options::default(), |_| ()).unwrap();
    let record = store.calls(10).unwrap().remove(0).record;
    assert_eq!(record.recordings.first(), Some(&1), "{record:?}");
    assert!(record.recordings.len() >= 2, "and what came after: {record:?}");
    let listed = store.recordings().unwrap();
    assert!(listed.contains(&1) && !listed.contains(&70), "{listed:?}");
    let beside = ["lost", "notes.txt"];
    assert_eq!(names().len(), listed.len() + beside.len(), "no file without a row but {beside:?}: {:?}", names());
    for (stray, name) in [("lost/70.wav", "70.wav"), ("lost/71.wav.enc", "71.wav.enc")] {
        assert!(recordings.join(stray).exists() && !recordings.join(name).exists(), "{name} is put aside");
    }
    drop(store);
    let erase = ["erase", "--data", data.path().to_str().unwrap(), "+8613800000001"];
    let erased = std::process::Command::new(env!("CARGO_BIN_EXE_strowger")).args(erase).output().unwrap();
    assert!(erased.status.success(), "{erased:?}");
    assert_eq!(names().into_iter().collect::<Vec<_>>(), beside, "all that was recorded is gone");
}
