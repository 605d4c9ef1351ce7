//! The exchange through its door: who is taken, what waits for what, how calls end.

use std::sync::Arc;

use crate::plant::Plant;
use runtime_contract::leg::{GoneCause, LegEvent, LegId};
use runtime_contract::limits::VERSIONS_LIVE_MAX;
use runtime_contract::request::{Destination, Request, ServiceCall};
use runtime_contract::value::Value;
use runtime_contract::{FlowProgram, Redacted, Type};
use runtime_exchange::{Canary, Input, REVIVE_MS_MAX, SHARE_ALL, STORE_STALL_MS_MAX, Version};
use runtime_session::testkit::{Kit, Op, Source, connect, menu, payloads, record};

/// answer; menu: 1 calls the service, 2 records, others hang up; `finally` notes.
fn hotline(writes: bool) -> Arc<dyn FlowProgram> {
    hotline_named("kit.hotline", writes)
}

fn hotline_named(name: &str, writes: bool) -> Arc<dyn FlowProgram> {
    let mut kit = Kit::new(&["ended"]);
    let choose = kit.prompt("请选择", "choose", &[]);
    let speak = kit.prompt("请留言", "speak", &[]);
    kit.service("crm", &[], Some(Type::Text), writes);
    kit.request("", Request::Answer, &[], vec![None], vec![1], None);
    let choices = menu(choose, &["1", "2"]);
    kit.request("main", choices.clone(), &[], payloads(&choices, None), vec![2, 3, 4, 4], None);
    let find = Request::Service(ServiceCall { service: 0, operation: 0 });
    kit.request("find", find.clone(), &[], payloads(&find, Some(Type::Text)), vec![1, 4], None);
    let take = record(speak, 10_000);
    kit.request("take", take.clone(), &[], payloads(&take, None), vec![1, 1], None);
    kit.request("", Request::HangUp, &[], vec![], vec![], None);
    let note = Request::Note { key: "outcome".into(), r#type: Type::Text };
    let ended = kit.constant("ended");
    let finally = kit.request("", note, &[(Type::Text, ended)], vec![None], vec![6], None);
    kit.push(Op::End);
    kit.flow(name, 0, None, Some(finally));
    kit.inbound("1xxx", 0);
    kit.inbound_extension("1xx", 0);
    kit.inbound_extension("*9", 0);
    kit.build()
}

#[test]
fn a_call_from_invite_to_record() {
    let mut plant = Plant::new(Some(&hotline(false)), 10);
    let leg = plant.call("1001");
    let said = plant.said();
    assert!(said[0].starts_with("CallStarted"));
    assert_eq!(said[1..], ["answer", "play 1"]);
    plant.heard(leg);
    plant.key(leg, '9');
    assert_eq!(plant.said()[0], "hang up");
    let record = plant.records.pop().unwrap();
    assert_eq!((record.flow.as_str(), record.end.as_str()), ("kit.hotline", "hung up"));
    assert_eq!(record.notes.len(), 1);
    assert_eq!(record.notes[0].1.reveal(), "ended");
    assert!(record.answered.is_some());
    assert_eq!(record.quality.map(|quality| quality.received), Some(50), "said after the record was written");
    assert_eq!(record.caller.as_ref().unwrap().reveal(), "+8613800000000");
    assert!(!format!("{record:?}").contains("13800"), "personal data shows as a mark");
    assert_eq!((plant.exchange.calls_live(), plant.exchange.next_deadline()), (0, None));
}

#[test]
fn an_answer_waits_for_its_start() {
    let mut plant = Plant::new(Some(&hotline(false)), 10);
    plant.commits = false;
    plant.call("1001");
    assert!(!plant.said().contains(&"answer".to_owned()));
    plant.commit();
    assert_eq!(plant.said(), ["answer", "play 1"]);
}

#[test]
fn a_caller_who_gives_up_before_the_commit_is_not_answered() {
    let mut plant = Plant::new(Some(&hotline(false)), 10);
    plant.commits = false;
    let leg = plant.call("1001");
    plant.bye(leg);
    plant.said();
    plant.commit();
    assert_eq!(plant.said().len(), 0);
    assert_eq!(plant.records[0].end, "caller hung up");
}

#[test]
fn who_is_turned_away_and_why() {
    let program = hotline(false);
    let mut plant = Plant::new(None, 1);
    plant.call("1001");
    assert_eq!(plant.said()[..2], ["reject Overloaded", "Refused { leg: LegId(1), why: NoVersion }"]);
    plant.version(&program);
    plant.call("2001");
    assert_eq!(plant.said()[0], "reject NoSuchNumber");
    plant.call("1001");
    assert!(plant.said().contains(&"answer".to_owned()));
    plant.call("1002");
    assert_eq!(plant.said()[..2], ["reject Overloaded", "Refused { leg: LegId(4), why: CallsMax }"]);
}

#[test]
fn the_first_call_on_a_full_disk_may_try_elsewhere() {
    let mut plant = Plant::new(Some(&hotline(false)), 10);
    plant.commits = false;
    let leg = plant.call("1001");
    plant.said();
    plant.give(Input::StoreFailed);
    let said = plant.said();
    let words: Vec<_> = said.iter().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(words, ["StoreStalled(true)", "reject Overloaded", "Fault {", "CallEnded {"], "{said:?}");
    assert!(!plant.legs.contains(&leg));
    assert_eq!(plant.exchange.calls_live(), 0);
    plant.commit();
    assert_eq!((plant.records.len(), plant.records[0].end.as_str()), (1, "fault: store"));
}

/// Its 200 was refused, so nothing will ever say that the line is up.
#[test]
fn a_call_that_was_refused_does_not_wait_for_an_answer_in_its_fault_handler() {
    let mut kit = Kit::new(&[]);
    kit.request("", Request::Answer, &[], vec![None], vec![1], None);
    kit.request("", Request::HangUp, &[], vec![], vec![], None);
    let handler = kit.request("", Request::Answer, &[], vec![None], vec![3], None);
    kit.push(Op::End);
    kit.flow("kit.stubborn", 0, Some(handler), None);
    kit.inbound("1xxx", 0);
    let mut plant = Plant::new(Some(&kit.build()), 10);
    plant.commits = false;
    plant.call("1001");
    plant.give(Input::StoreFailed);
    assert_eq!(plant.exchange.calls_live(), 0, "{:?}", plant.said());
    plant.commit();
    assert_eq!((plant.records.len(), plant.records[0].faults), (1, 1));
}

#[test]
fn a_number_may_be_written_for_the_eye() {
    let mut plant = Plant::new(Some(&hotline(false)), 10);
    let leg = plant.call("+1-0(0).1");
    assert!(plant.said().contains(&"answer".to_owned()));
    plant.bye(leg);
    assert_eq!(plant.records[0].called, "+1001");
    plant.said();
    plant.call("1-x01");
    assert_eq!(plant.said()[0], "reject NoSuchNumber");
}

#[test]
fn an_extension_is_dialled_as_it_is() {
    let mut plant = Plant::new(Some(&hotline(false)), 10);
    for (dialled, answers) in
        [("107", true), ("*9", true), ("+107", false), ("1*7", false), ("1070", true), ("9", false)]
    {
        let leg = plant.call(dialled);
        let said = plant.said();
        assert_eq!(said.contains(&"answer".to_owned()), answers, "{dialled}: {said:?}");
        if answers {
            plant.bye(leg);
            assert_eq!(plant.records.pop().unwrap().called, dialled);
            plant.said();
        }
    }
}

#[test]
fn a_writing_service_waits_for_its_journal_and_a_reading_one_does_not() {
    for writes in [false, true] {
        let mut plant = Plant::new(Some(&hotline(writes)), 10);
        let leg = plant.call("1001");
        plant.commits = false;
        plant.said();
        plant.key(leg, '1');
        assert_eq!(plant.services.len(), usize::from(!writes));
        plant.commit();
        let call = plant.services.pop_front().unwrap();
        assert_eq!(call.idempotency_key.is_some(), writes);
        let result = Ok(Some(Value::Text("gold".into())));
        plant.give(Input::Service { call: call.call, request: call.request, result });
        assert_eq!(plant.said().last().unwrap(), "play 1", "back in the menu");
    }
}

#[test]
fn a_late_answer_of_a_service_goes_nowhere() {
    let mut plant = Plant::new(Some(&hotline(false)), 10);
    let leg = plant.call("1001");
    plant.key(leg, '1');
    let call = plant.services.pop_front().unwrap();
    plant.said();
    plant.pass(800);
    assert_eq!(plant.said()[..2], ["cancel service", "hang up"]);
    plant.give(Input::Service { call: call.call, request: call.request, result: Ok(None) });
    assert!(plant.said().last().unwrap().starts_with("LateReply"));
}

#[test]
fn a_recording_is_heard_of_only_when_its_row_is_durable() {
    let mut plant = Plant::new(Some(&hotline(false)), 10);
    let leg = plant.call("1001");
    plant.key(leg, '2');
    plant.heard(leg);
    plant.commits = false;
    plant.said();
    plant.record_done(leg, true);
    assert_eq!(plant.said().len(), 0);
    plant.commit();
    assert_eq!(plant.said(), ["play 1"]);
    plant.commits = true;
    plant.bye(leg);
    assert_eq!(plant.records[0].recordings, [100]);
}

#[test]
fn silence_leaves_no_recording() {
    let mut plant = Plant::new(Some(&hotline(false)), 10);
    let leg = plant.call("1001");
    plant.key(leg, '2');
    plant.heard(leg);
    plant.record_done(leg, false);
    assert!(plant.said().contains(&"discard".to_owned()));
    plant.bye(leg);
    assert_eq!(plant.records[0].recordings.len(), 0);
}

#[test]
fn a_partial_recording_is_kept_and_marked() {
    let mut plant = Plant::new(Some(&hotline(false)), 10);
    let leg = plant.call("1001");
    plant.key(leg, '2');
    plant.heard(leg);
    plant.bye(leg);
    assert_eq!(plant.partials, 1);
    assert_eq!(plant.records[0].recordings, [100]);
    assert_eq!(plant.exchange.calls_live(), 0);
}

#[test]
fn a_recording_that_never_comes_does_not_keep_its_call() {
    let mut plant = Plant::new(Some(&hotline(false)), 10);
    let leg = plant.call("1001");
    plant.key(leg, '2');
    plant.heard(leg);
    plant.recording.clear();
    plant.bye(leg);
    assert_eq!(plant.exchange.calls_live(), 1);
    plant.pass(10_000);
    assert_eq!((plant.exchange.calls_live(), plant.records.len()), (0, 1));
}

#[test]
fn a_stalled_store_turns_new_calls_away_and_lets_others_go_on() {
    let mut plant = Plant::new(Some(&hotline(true)), 10);
    let going_on = plant.call("1001");
    plant.commits = false;
    plant.said();
    let waiting = plant.call("1001");
    plant.pass(STORE_STALL_MS_MAX);
    let said = plant.said();
    assert!(said.contains(&"StoreStalled(true)".to_owned()), "{said:?}");
    assert!(said.contains(&"reject Overloaded".to_owned()), "its start was not kept: {said:?}");
    assert!(!plant.legs.contains(&waiting));
    plant.call("1001");
    assert_eq!(plant.said()[0], "reject Overloaded");

    plant.heard(going_on);
    plant.key(going_on, '1');
    assert!(plant.services.is_empty(), "a writing service fails at once");
    assert_eq!(plant.said()[0], "hang up");

    plant.commit();
    assert!(plant.said().contains(&"StoreStalled(false)".to_owned()));
    plant.commits = true;
    plant.call("1001");
    assert!(plant.said().contains(&"answer".to_owned()));
}

#[test]
fn calls_keep_the_version_on_which_they_began() {
    let (old, new) = (hotline_named("kit.old", false), hotline_named("kit.new", false));
    let mut plant = Plant::new(Some(&old), 10);
    let first = plant.call("1001");
    plant.version(&new);
    let second = plant.call("1001");
    assert_eq!(plant.exchange.versions().len(), 2);
    plant.said();
    plant.bye(first);
    assert!(plant.said().iter().any(|line| line.starts_with("VersionFreed")));
    plant.bye(second);
    let flows: Vec<_> = plant.records.iter().map(|record| record.flow.as_str()).collect();
    assert_eq!(flows, ["kit.old", "kit.new"]);
    assert_eq!(Arc::strong_count(&old), 1, "nothing holds the old version");
}

/// Which of the two versions takes the calls of these callers.
fn taken(plant: &mut Plant, callers: std::ops::Range<u32>) -> Vec<String> {
    let flows = callers.map(|n| {
        let leg = plant.call_from(Some(&format!("+861380000{n:04}")), "1001");
        plant.bye(leg);
        plant.records.pop().unwrap().flow
    });
    flows.collect()
}

#[test]
fn a_canary_takes_its_share_of_callers_and_always_the_same() {
    let (old, new) = (hotline_named("kit.old", false), hotline_named("kit.new", false));
    let mut plant = Plant::new(Some(&old), 10);
    let version = Version { program: new.clone(), epoch: 1, stored: true };
    let canary = |share| Input::Canary(Some(Canary { version: version.clone(), share }));
    plant.give(canary(0));
    assert!(taken(&mut plant, 0..50).iter().all(|flow| flow == "kit.old"));
    plant.give(canary(SHARE_ALL));
    assert!(taken(&mut plant, 0..50).iter().all(|flow| flow == "kit.new"));
    plant.give(canary(SHARE_ALL / 4));
    let first = taken(&mut plant, 0..1_000);
    let share = first.iter().filter(|flow| *flow == "kit.new").count();
    assert!((200..=300).contains(&share), "{share} of 1000 callers");
    assert_eq!(taken(&mut plant, 0..1_000), first);
    // Who withholds the number is drawn call by call.
    let mut withheld = Vec::new();
    for _ in 0..200 {
        let leg = plant.call_from(None, "1001");
        plant.bye(leg);
        withheld.push(plant.records.pop().unwrap().flow);
    }
    assert!(withheld.iter().any(|flow| flow == "kit.new") && withheld.iter().any(|flow| flow == "kit.old"));
    drop(version);
    // Promoted, it takes all; a canary is over with that.
    plant.version(&new);
    assert!(taken(&mut plant, 0..50).iter().all(|flow| flow == "kit.new"));
    assert_eq!((Arc::strong_count(&old), plant.exchange.versions().len()), (1, 1));
}

#[test]
fn a_canary_that_is_withdrawn_keeps_its_calls_and_takes_no_more() {
    let (old, new) = (hotline_named("kit.old", false), hotline_named("kit.new", false));
    let mut plant = Plant::new(Some(&old), 10);
    let version = Version { program: new.clone(), epoch: 1, stored: true };
    plant.give(Input::Canary(Some(Canary { version, share: SHARE_ALL })));
    let first = plant.call("1001");
    plant.give(Input::Canary(None));
    let live: Vec<_> = plant.exchange.live().map(|call| (call.record.flow.clone(), call.step)).collect();
    assert_eq!(live, [("kit.new".to_owned(), "kit.new/main".to_owned())]);
    let second = plant.call("1001");
    plant.bye(second);
    plant.bye(first);
    let flows: Vec<_> = plant.records.iter().map(|record| record.flow.as_str()).collect();
    assert_eq!(flows, ["kit.old", "kit.new"]);
    assert_eq!(Arc::strong_count(&new), 1, "nothing holds it");
}

#[test]
fn a_version_that_is_not_stored_takes_no_call() {
    let (old, new) = (hotline_named("kit.old", false), hotline_named("kit.new", false));
    let mut plant = Plant::new(Some(&old), 10);
    plant.give(Input::Version(Version { program: new, epoch: 2, stored: false }));
    assert!(plant.said()[0].starts_with("VersionRefused"));
    let leg = plant.call("1001");
    plant.bye(leg);
    assert_eq!(plant.records[0].flow, "kit.old");
}

#[test]
fn versions_with_calls_end_at_their_bound() {
    let mut plant = Plant::new(None, 1_000);
    for n in 0..VERSIONS_LIVE_MAX {
        plant.version(&hotline_named(&format!("kit.v{n}"), false));
        plant.call("1001");
    }
    plant.said();
    plant.version(&hotline_named("kit.one more", false));
    assert!(plant.said()[0].starts_with("VersionRefused"));
    assert_eq!(plant.exchange.versions().len(), VERSIONS_LIVE_MAX);
}

#[test]
fn a_drain_lets_calls_end_and_then_ends_them() {
    let mut plant = Plant::new(Some(&hotline(false)), 10);
    plant.call("1001");
    let until = runtime_contract::Tick(plant.now().tick.0 + 5_000_000_000);
    plant.give(Input::Drain { until });
    plant.said();
    plant.call("1001");
    assert_eq!(plant.said()[0], "reject Overloaded");
    plant.pass(4_999);
    assert!(!plant.said().contains(&"drained".to_owned()));
    plant.pass(1);
    let said = plant.said();
    assert_eq!((said[0].as_str(), said.last().unwrap().as_str()), ("hang up", "drained"));
    assert_eq!(plant.records[0].end, "stopped");
}

#[test]
fn what_a_crash_left_open_ends_with_its_finally() {
    let program = hotline(false);
    let mut plant = Plant::new(Some(&program), 10);
    let leg = plant.call("1001");
    plant.key(leg, '1');
    let call = plant.services.pop_front().unwrap();
    let result = Ok(Some(Value::Text("gold".into())));
    plant.give(Input::Service { call: call.call, request: call.request, result });
    let mut after = plant.crash(&program);
    assert_eq!(after.said().last().unwrap(), "revive [1]");
    after.pass(REVIVE_MS_MAX - 1);
    assert!(after.said().is_empty());
    after.pass(1);
    assert_eq!(after.said()[0], "hang up");
    let record = after.records.pop().unwrap();
    assert_eq!((record.end.as_str(), record.last_step.as_str()), ("crash", "kit.hotline/main"));
    assert_eq!(record.notes[0].1.reveal(), "ended");
    assert_eq!(record.caller.unwrap().reveal(), "+8613800000000");
    assert_eq!(record.started, plant.now().time);
    assert!(after.open.is_empty() && after.opened.is_empty());
}

#[test]
fn a_call_whose_far_side_is_found_again_goes_on_where_it_was() {
    let program = hotline(false);
    let mut plant = Plant::new(Some(&program), 10);
    let leg = plant.call("1001");
    plant.key(leg, '1');
    plant.said();
    let mut after = plant.crash(&program);
    let leg = after.revived[0];
    after.answers(leg, false);
    assert_eq!(after.said().last().unwrap(), "service 0", "asked again, for it only reads");
    let call = after.services.pop_front().unwrap();
    let result = Ok(Some(Value::Text("gold".into())));
    after.give(Input::Service { call: call.call, request: call.request, result });
    assert_eq!(after.said().last().unwrap(), "play 1");
    after.bye(leg);
    assert_eq!(after.records[0].end, "caller hung up");
    assert!(after.opened.is_empty());
}

#[test]
fn two_who_talked_talk_again_and_one_who_is_lost_has_left() {
    for found in [true, false] {
        let (mut plant, _, second) = going_on();
        plant.dialog(second);
        plant.answers(second, false);
        plant.said();
        let mut after = plant.crash(&connecting());
        let said = after.said();
        assert!(said.contains(&format!("revive {:?}", format!("dialog of {}", second.0).as_bytes())), "{said:?}");
        let [first, second] = after.revived[..] else { panic!("{:?}", after.revived) };
        after.answers(first, false);
        assert!(after.said().is_empty(), "the other may still come");
        if found {
            after.answers(second, false);
            assert_eq!(after.said()[0], "bridge");
            after.bye(second);
        } else {
            after.gone(second, GoneCause::Failed);
        }
        assert_eq!(after.said().iter().filter(|said| *said == "hang up").count(), 1, "`ended`, and the flow's end");
        assert!(after.opened.is_empty());
    }
}

#[test]
fn a_caller_who_was_on_the_way_is_sent_again() {
    let (plant, ..) = going_on();
    let mut after = plant.crash(&connecting());
    let first = after.revived[0];
    after.answers(first, false);
    assert_eq!(after.said().last().unwrap(), "dial 25000");
}

#[test]
fn a_journal_that_is_not_its_program_s_is_closed_and_said() {
    let (program, other) = (hotline(false), hotline_named("kit.other", false));
    let mut plant = Plant::new(Some(&program), 10);
    plant.call("1001");
    let mut after = plant.crash(&other);
    assert!(after.said()[0].starts_with("NotRecovered"));
    assert_eq!(after.records[0].end, "crash");
    assert!(after.open.is_empty());
}

/// answer; connect, whatever comes of it; hang up.
fn connecting() -> Arc<dyn FlowProgram> {
    let mut kit = Kit::new(&[]);
    kit.request("", Request::Answer, &[], vec![None], vec![1], None);
    let number = [(Type::Phone, Source::Word(8_613_800_000_000))];
    kit.request("", connect(25_000), &number, vec![None; 5], vec![2; 5], None);
    kit.request("", Request::HangUp, &[], vec![], vec![], None);
    kit.flow("kit.connect", 0, None, None);
    kit.inbound("1001", 0);
    kit.build()
}

#[test]
fn somebody_is_called_once_it_is_durable_and_left_when_the_caller_leaves() {
    let mut plant = Plant::new(Some(&connecting()), 10);
    plant.commits = false;
    let leg = plant.call("1001");
    plant.commit();
    assert!(plant.placed.is_empty(), "answered, and its journal is not durable");
    plant.commit();
    let second = plant.placed[0];
    plant.said();
    plant.bye(leg);
    assert_eq!(plant.said()[0], "hang up");
    plant.give(Input::Leg(LegEvent::Up { leg: second }));
    assert_eq!(plant.exchange.calls_live(), 0, "a late word about it changes nothing");
    assert!(plant.opened.is_empty());
}

/// The second leg of a caller who goes on, and what he heard so far.
fn going_on() -> (Plant, LegId, LegId) {
    let mut plant = Plant::new(Some(&connecting()), 10);
    let leg = plant.call("1001");
    let second = plant.placed[0];
    assert_eq!(plant.said().last().unwrap(), "dial 25000");
    (plant, leg, second)
}

#[test]
fn the_caller_hears_that_it_rings_and_then_whoever_answers() {
    let (mut plant, leg, second) = going_on();
    for _ in 0..2 {
        plant.give(Input::Leg(LegEvent::Ringing { leg: second }));
    }
    plant.answers(second, false);
    assert_eq!(plant.said(), ["ringback true", "ringback false", "bridge"]);
    assert_eq!(plant.bridges[&leg], second);
    plant.bye(second);
    assert_eq!(plant.said()[0], "hang up", "`ended`, and the flow goes on to its end");
    assert!(plant.opened.is_empty());
}

#[test]
fn what_is_heard_before_the_answer_takes_the_place_of_our_tone() {
    let (mut plant, _, second) = going_on();
    plant.answers(second, true);
    plant.give(Input::Leg(LegEvent::Ringing { leg: second }));
    plant.answers(second, false);
    assert_eq!(plant.said(), ["bridge"]);
}

#[test]
fn keys_that_come_by_signalling_go_to_the_other_end() {
    let (mut plant, leg, second) = going_on();
    let key = |leg| Input::Leg(LegEvent::Key { leg, key: Redacted::new('7') });
    plant.give(key(leg));
    assert!(plant.said().is_empty(), "nobody is there yet");
    plant.answers(second, false);
    plant.said();
    plant.give(key(leg));
    plant.give(key(second));
    assert_eq!(plant.said(), ["press 7", "press 7"]);
}

#[test]
fn what_became_of_it_leads_on() {
    let (mut plant, _, second) = going_on();
    plant.give(Input::Leg(LegEvent::Ringing { leg: second }));
    plant.said();
    plant.gone(second, GoneCause::Refused(486));
    assert_eq!(plant.said()[..2], ["ringback false", "hang up"], "busy, and the flow goes on");
}

#[test]
fn nobody_is_called_when_the_store_cannot_keep_it() {
    let mut plant = Plant::new(Some(&connecting()), 10);
    plant.commits = false;
    plant.call("1001");
    plant.commit();
    plant.give(Input::StoreFailed);
    assert!(plant.placed.is_empty());
    assert!(plant.said().iter().any(|said| said.starts_with("Fault")));
}

#[test]
fn a_call_that_is_given_away_is_over_and_one_that_comes_back_goes_on() {
    let mut kit = Kit::new(&[]);
    kit.request("", Request::Answer, &[], vec![None], vec![1], None);
    let number = [(Type::Phone, Source::Word(8_613_800_000_000))];
    kit.request("", Request::Transfer { to: Destination::Number }, &number, vec![None], vec![2], None);
    kit.request("", Request::HangUp, &[], vec![], vec![], None);
    kit.flow("kit.transfer", 0, None, None);
    kit.inbound("1001", 0);
    let program = kit.build();
    let mut plant = Plant::new(Some(&program), 10);
    let leg = plant.call("1001");
    assert_eq!(plant.said().last().unwrap(), "transfer");
    plant.gone(leg, GoneCause::Transferred);
    assert_eq!(plant.records[0].end, "transferred");
    let leg = plant.call("1001");
    plant.said();
    plant.give(Input::Leg(LegEvent::TransferFailed { leg, status: 486 }));
    assert_eq!(plant.said()[0], "hang up");
}

#[test]
fn a_key_that_comes_by_voice_and_by_signalling_is_one() {
    let (mut plant, leg, second) = going_on();
    plant.answers(second, false);
    plant.said();
    let by_signalling = |key| Input::Leg(LegEvent::Key { leg, key: Redacted::new(key) });
    // The media room has sent it on already.
    plant.key(leg, '7');
    plant.give(by_signalling('7'));
    assert!(plant.said().is_empty());
    plant.give(by_signalling('7'));
    assert_eq!(plant.said(), ["press 7"], "pressed twice");
    plant.key(leg, '8');
    plant.pass(300);
    plant.give(by_signalling('8'));
    assert_eq!(plant.said(), ["press 8"], "so much later it is another press");
}
