//! `recording on` and `off` at the exchange: what the call record says of each stretch, and what a disk that fails does
//! not do.

use std::sync::Arc;

use crate::plant::Plant;
use runtime_contract::FlowProgram;
use runtime_contract::leg::LegId;
use runtime_contract::request::Request;
use runtime_exchange::{CutRecording, Input, MediaEvent, RECORDINGS_UNSAVED_MAX, Recorded, RecordingFailed};
use runtime_session::testkit::{Kit, menu, payloads};

/// answer; menu: 1 is `recording on`, 2 `recording off`, others hang up.
fn recorded() -> Arc<dyn FlowProgram> {
    let mut kit = Kit::new(&[]);
    let choose = kit.prompt("请选择", "choose", &[]);
    kit.request("", Request::Answer, &[], vec![None], vec![1], None);
    let choices = menu(choose, &["1", "2"]);
    kit.request("main", choices.clone(), &[], payloads(&choices, None), vec![2, 3, 4, 4], None);
    kit.request("", Request::Recording { on: true }, &[], vec![None], vec![1], None);
    kit.request("", Request::Recording { on: false }, &[], vec![None], vec![1], None);
    kit.request("", Request::HangUp, &[], vec![], vec![], None);
    kit.flow("kit.recorded", 0, None, None);
    kit.inbound("1001", 0);
    kit.build()
}

fn keys(plant: &mut Plant, leg: LegId, keys: &str) -> Vec<String> {
    plant.said();
    keys.chars().for_each(|key| plant.key(leg, key));
    plant.said().into_iter().filter(|said| !said.starts_with("play") && !said.starts_with("Call")).collect()
}

#[test]
fn each_stretch_is_a_recording_of_its_own() {
    let mut plant = Plant::new(Some(&recorded()), 10);
    let leg = plant.call("1001");
    assert_eq!(keys(&mut plant, leg, "112"), ["record call 100", "stop record call"]);
    assert_eq!(plant.conversations, [100]);
    assert_eq!(keys(&mut plant, leg, "21"), ["record call 101"]);
    assert_eq!(keys(&mut plant, leg, "9"), ["stop record call", "hang up"], "the end of the call ends it");
    assert_eq!(plant.records[0].recordings, [100, 101]);
    assert_eq!((plant.conversations.as_slice(), plant.partials), (&[100, 101][..], 0));
    assert_eq!(plant.exchange.calls_live(), 0);
}

#[test]
fn a_caller_who_hangs_up_ends_it_too() {
    let mut plant = Plant::new(Some(&recorded()), 10);
    let leg = plant.call("1001");
    keys(&mut plant, leg, "1");
    plant.bye(leg);
    assert_eq!(plant.records[0].recordings, [100]);
    assert_eq!((plant.partials, plant.exchange.calls_live()), (0, 0));
}

#[test]
fn a_disk_that_fails_is_told_of_and_the_call_goes_on() {
    let mut plant = Plant::new(Some(&recorded()), 10);
    let leg = plant.call("1001");
    keys(&mut plant, leg, "1");
    plant.conversation.clear();
    let failed = |recording, kept_ms| {
        Input::Media(MediaEvent::Recorded { leg, recording, result: Err(RecordingFailed { kept_ms }) })
    };
    plant.give(failed(100, 0));
    let said = plant.said();
    assert!(said[0] == "discard" && said[1].starts_with("RecordingFailed"), "{said:?}");
    assert_eq!(keys(&mut plant, leg, "21"), ["record call 101"], "and may record again");
    plant.conversation.clear();
    plant.give(failed(101, 59_000));
    let said = plant.said();
    assert!(said.len() == 1 && said[0].starts_with("RecordingFailed"), "{said:?}");
    assert_eq!(plant.conversations, [101], "what there is of it stays");
    assert_eq!(keys(&mut plant, leg, "21"), ["record call 102"]);
    keys(&mut plant, leg, "9");
    assert_eq!(plant.records[0].recordings, [101, 102]);
}

#[test]
fn a_file_that_never_comes_holds_the_record_for_ten_seconds() {
    let mut plant = Plant::new(Some(&recorded()), 10);
    plant.files_stuck = true;
    let leg = plant.call("1001");
    keys(&mut plant, leg, "121");
    assert_eq!(keys(&mut plant, leg, "9"), ["stop record call", "hang up"]);
    plant.give(recorded_event(leg, 101, 900));
    assert_eq!((plant.exchange.calls_live(), plant.records.len()), (1, 0), "the other one is still to come");
    plant.pass(10_000);
    assert!(plant.said().iter().any(|said| said.starts_with("RecordingFailed")));
    assert_eq!((plant.exchange.calls_live(), plant.exchange.next_deadline()), (0, None));
    assert_eq!(plant.records[0].recordings, [101]);
    plant.give(recorded_event(leg, 100, 900));
    assert_eq!(plant.conversations, [101, 100], "later than that it is in no record, and has its row all the same");
}

#[test]
fn of_more_files_than_a_call_may_wait_for_nothing_is_recorded() {
    let mut plant = Plant::new(Some(&recorded()), 10);
    plant.files_stuck = true;
    let leg = plant.call("1001");
    let said = keys(&mut plant, leg, &"12".repeat(RECORDINGS_UNSAVED_MAX));
    assert_eq!(said.len(), 2 * RECORDINGS_UNSAVED_MAX);
    let said = keys(&mut plant, leg, "12");
    assert_eq!((said.len(), said[0].starts_with("RecordingFailed")), (1, true), "{said:?}");
    plant.give(recorded_event(leg, 100, 900));
    assert_eq!(keys(&mut plant, leg, "1").len(), 1, "one is saved: there is room for one");
}

#[test]
fn nothing_recorded_is_nothing_kept() {
    let mut plant = Plant::new(Some(&recorded()), 10);
    plant.files_stuck = true;
    let leg = plant.call("1001");
    keys(&mut plant, leg, "12");
    plant.give(recorded_event(leg, 100, 0));
    assert_eq!(plant.said(), ["discard"]);
    plant.bye(leg);
    assert_eq!(plant.records[0].recordings.len(), 0);
}

fn recorded_event(leg: LegId, recording: u64, length_ms: u32) -> Input {
    Input::Media(MediaEvent::Recorded { leg, recording, result: Ok(Recorded { length_ms, spoken: false }) })
}

#[test]
fn a_call_that_is_taken_up_again_is_recorded_again_and_its_record_knows_both() {
    let program = recorded();
    let mut plant = Plant::new(Some(&program), 10);
    let leg = plant.call("1001");
    keys(&mut plant, leg, "121");
    let mut after = plant.crash(&program);
    let leg = after.revived[0];
    after.answers(leg, false);
    assert!(after.said().contains(&"record call 100".to_owned()), "the numbers of this plant begin there");
    keys(&mut after, leg, "9");
    assert_eq!(after.records[0].recordings, [100, 100], "the one from before, and the one of now");
}

#[test]
fn recordings_of_which_the_journal_does_not_tell_are_in_the_record_after_two_crashes() {
    let program = recorded();
    let mut plant = Plant::new(Some(&program), 10);
    let leg = plant.call("1001");
    keys(&mut plant, leg, "1");
    let cut = CutRecording { recording: 77, conversation: true, length_ms: 900 };
    let once = plant.crash_recording(&program, &[cut], &[78]);
    assert_eq!(once.conversations, [77], "the other has its row");
    let mut twice = once.crash_recording(&program, &[], &[77, 78]);
    let leg = twice.revived[0];
    twice.answers(leg, false);
    keys(&mut twice, leg, "9");
    let recordings = twice.records[0].recordings.iter().copied();
    assert_eq!(recordings.filter(|recording| *recording < 100).collect::<Vec<_>>(), [77, 78]);
}
