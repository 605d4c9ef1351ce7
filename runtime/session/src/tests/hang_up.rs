//! What a hang-up, a stop, and the time for `finally` do to each kind of request.

use std::sync::Arc;

use runtime_contract::leg::GoneCause;
use runtime_contract::request::{Request, ServiceCall};
use runtime_contract::{FaultKind, FlowProgram, Type};

use super::Bench;
use crate::journal::Record;
use crate::testkit::{Kit, Op, Source, connect, payloads, prompts};
use crate::{Input, LineEvent, RequestId, StopReason};

fn note(kit: &mut Kit, text: &str, next: u32) -> u32 {
    let note = Request::Note { key: "n".into(), r#type: Type::Text };
    let text = kit.constant(text);
    kit.request("", note, &[(Type::Text, text)], vec![None], vec![next], None)
}

fn service(kit: &mut Kit, next: Vec<u32>) -> u32 {
    let call = Request::Service(ServiceCall { service: 0, operation: 0 });
    kit.request("", call.clone(), &[], payloads(&call, None), next, None)
}

/// outer: answer, run inner, say; inner: service, note, say, service, return. Both note in `finally`; the inner
/// one calls a service there first.
fn nested() -> Arc<dyn FlowProgram> {
    let mut kit = Kit::new(&["inner", "outer", "after service"]);
    kit.service("crm", &[], None, false);
    let say = kit.prompt("您好", "hello", &[]);
    // The entry flow is flow 0, so inner is built second; its labels are known: it begins at 6.
    let outer = kit.request("", Request::Answer, &[], vec![None], vec![1], None);
    kit.run("", 1, 2);
    kit.request("", Request::Play(prompts(&[say], true)), &[], vec![None], vec![3], None);
    kit.push(Op::Return);
    let outer_finally = note(&mut kit, "outer", 5);
    kit.push(Op::End);
    kit.flow("kit.outer", outer, None, Some(outer_finally));
    let inner = service(&mut kit, vec![7, 7]);
    note(&mut kit, "after service", 8);
    kit.request("talk", Request::Play(prompts(&[say], true)), &[], vec![None], vec![9], None);
    service(&mut kit, vec![10, 10]);
    kit.push(Op::Return);
    let inner_finally = service(&mut kit, vec![12, 12]);
    note(&mut kit, "inner", 13);
    kit.push(Op::End);
    assert_eq!((inner, inner_finally), (6, 11));
    kit.flow("kit.inner", inner, None, Some(inner_finally));
    kit.build()
}

#[test]
fn a_service_runs_on_after_the_hang_up_until_the_line_is_wanted() {
    let mut bench = Bench::up(nested());
    bench.gone();
    assert_eq!(bench.said(), ["service 0 []"], "still waiting for it");
    bench.reply(0, None);
    assert_eq!(bench.said(), ["note n = Text(\"after service\")", "service 0 []"], "the say is left, finally runs");
    bench.reply(0, None);
    let end = ["note n = Text(\"inner\")", "note n = Text(\"outer\")", "done Gone(RemoteHungUp)"];
    assert_eq!(bench.said(), end, "inner first");
    bench.replays();
}

#[test]
fn a_prompt_is_left_at_once() {
    let mut bench = Bench::up(nested());
    bench.reply(0, None);
    bench.said();
    bench.gone();
    assert_eq!(bench.said(), ["service 0 []"], "finally; nothing is told to a line that is gone");
    assert!(bench.records().contains(&Record::Gone(runtime_contract::leg::GoneCause::RemoteHungUp)));
}

#[test]
fn finally_ends_at_its_limit() {
    let mut bench = Bench::up(nested());
    bench.reply(0, None);
    bench.gone();
    bench.said();
    bench.pass(799);
    assert_eq!(bench.said().len(), 0);
    bench.pass(1);
    assert_eq!(bench.said()[0], "cancel", "the service's own limit comes first");
    assert!(bench.done);
}

/// answer, then wait 10 min in the body; `finally` waits 10 min too, then notes.
fn waits() -> Arc<dyn FlowProgram> {
    let mut kit = Kit::new(&["late"]);
    kit.request("", Request::Answer, &[], vec![None], vec![1], None);
    let long = (Type::Duration, Source::Word(600_000));
    kit.request("", Request::Wait, std::slice::from_ref(&long), vec![None], vec![2], None);
    kit.push(Op::Return);
    let finally = kit.request("", Request::Wait, &[long], vec![None], vec![4], None);
    note(&mut kit, "late", 5);
    kit.push(Op::End);
    kit.flow("kit.waits", 0, None, Some(finally));
    kit.build()
}

#[test]
fn a_wait_belongs_to_the_line_and_finally_has_thirty_seconds() {
    let mut bench = Bench::up(waits());
    bench.gone();
    assert_eq!(bench.said().len(), 0);
    bench.pass(29_999);
    assert!(!bench.done);
    bench.pass(1);
    assert_eq!(bench.said(), ["done Gone(RemoteHungUp)"]);
    bench.replays();
}

#[test]
fn a_stop_gives_finally_five_seconds() {
    let mut bench = Bench::up(waits());
    bench.stop(StopReason::Drain);
    assert_eq!(bench.said(), ["hang up"]);
    bench.pass(4_999);
    assert!(!bench.done);
    bench.pass(1);
    assert_eq!(bench.said(), ["done Stopped(Drain)"]);
}

#[test]
fn a_call_ends_at_its_longest() {
    let mut kit = Kit::new(&[]);
    kit.request("", Request::Answer, &[], vec![None], vec![1], None);
    let long = (Type::Duration, Source::Word(600_000));
    kit.request("", Request::Wait, &[long], vec![None], vec![1], None);
    kit.flow("kit.for ever", 0, None, None);
    let mut bench = Bench::up(kit.build());
    bench.pass(12 * 3_600_000 - 1);
    assert_eq!(bench.said().len(), 0);
    bench.pass(1);
    assert_eq!(bench.said(), ["hang up", "done Stopped(TooLong)"]);
}

#[test]
fn a_late_reply_is_journalled_and_dropped() {
    let mut bench = Bench::up(nested());
    bench.pass(800);
    assert_eq!(bench.said(), ["service 0 []", "cancel", "note n = Text(\"after service\")", "play 您好"]);
    bench.give(Input::Reply { request: RequestId(2), outcome: 0, payload: None });
    assert_eq!(bench.said().len(), 0);
    assert!(bench.records().contains(&Record::Late(RequestId(2))));
    bench.replays();
}

#[test]
fn a_stale_end_of_a_prompt_means_nothing() {
    let mut bench = Bench::up(nested());
    bench.reply(0, None);
    let stale = bench.token;
    bench.key('1');
    assert_eq!(bench.said().last().unwrap(), "service 0 []");
    bench.give(Input::Line(LineEvent::PlayDone { token: stale }));
    assert_eq!(bench.said().len(), 0);
}

#[test]
fn a_call_rebuilt_after_a_crash_runs_its_finally() {
    let mut bench = Bench::up(nested());
    bench.reply(0, None);
    bench.pass(5_000);
    let rebuilt = bench.replays();
    assert_eq!((rebuilt.notes.len(), rebuilt.end), (1, None));
    let mut after = Bench::new(bench.session.program().clone());
    after.session = rebuilt.session;
    after.now_ms = 60_000;
    let now = after.now();
    let outputs: Vec<_> = after.session.handle(now, Input::Stop(StopReason::Crash)).collect();
    assert!(outputs.iter().any(|o| matches!(o, crate::Output::World { .. })), "the service of inner's finally");
    let request = RequestId(after.session.requests());
    let reply = Input::Reply { request, outcome: 0, payload: None };
    let last = after.session.handle(now, reply).last();
    assert_eq!(last, Some(crate::Output::Done(crate::EndCause::Stopped(StopReason::Crash))));
}

#[test]
fn a_store_that_fails_is_a_fault_where_no_outcome_says_so() {
    let mut kit = Kit::new(&["fault", "finally"]);
    kit.request("", Request::Answer, &[], vec![None], vec![1], None);
    kit.push(Op::Return);
    let fault = note(&mut kit, "fault", 3);
    kit.push(Op::Return);
    let finally = note(&mut kit, "finally", 5);
    kit.push(Op::End);
    kit.flow("kit.fault", 0, Some(fault), Some(finally));
    let mut bench = Bench::new(kit.build());
    bench.start();
    bench.give(Input::Fault { request: RequestId(1), kind: FaultKind::Store });
    let said = bench.said();
    assert_eq!(said[1..3], ["note n = Text(\"fault\")", "note n = Text(\"finally\")"]);
    assert_eq!(said[3..], ["reject Unavailable", "done Returned"]);
    bench.replays();
}

/// answer; connect: back with `ended` a note, any other outcome hangs up; then transfer, which hangs up when it failed.
fn onward_flow() -> Arc<dyn FlowProgram> {
    use runtime_contract::request::Destination;
    let mut kit = Kit::new(&["back"]);
    kit.request("", Request::Answer, &[], vec![None], vec![1], None);
    let number = [(Type::Phone, Source::Word(8_613_800_000_000))];
    kit.request("", connect(25_000), &number, vec![None; 5], vec![2, 4, 4, 4, 4], None);
    let note = Request::Note { key: "n".into(), r#type: Type::Text };
    let back = kit.constant("back");
    kit.request("", note.clone(), &[(Type::Text, back)], payloads(&note, None), vec![3], None);
    kit.request("", Request::Transfer { to: Destination::Number }, &number, vec![None], vec![4], None);
    kit.request("", Request::HangUp, &[], vec![], vec![], None);
    kit.flow("kit.onward", 0, None, None);
    kit.build()
}

const CONNECTS: &str = "onward +8613800000000 Connect { from: None, ring_ms: 25000 }";

#[test]
fn who_was_connected_comes_back_and_may_be_given_away() {
    let mut bench = Bench::up(onward_flow());
    bench.key('5');
    assert_eq!(bench.said(), [CONNECTS], "keys go to the other side");
    assert!(bench.session.held.is_empty());
    bench.reply(0, None);
    assert_eq!(bench.said(), ["note n = Text(\"back\")", "onward +8613800000000 Transfer"]);
    bench.give(Input::Line(LineEvent::Gone(GoneCause::Transferred)));
    assert_eq!(bench.said(), ["done Gone(Transferred)"]);
    assert_eq!(bench.replays().end, Some(crate::EndCause::Gone(GoneCause::Transferred)));

    let mut bench = Bench::up(onward_flow());
    bench.reply(0, None);
    bench.reply(0, None);
    assert_eq!(bench.said()[3..], ["hang up", "done HungUp"], "nobody took the call");
}

#[test]
fn a_hang_up_while_connected_ends_the_call_and_a_stop_withdraws_it() {
    let mut bench = Bench::up(onward_flow());
    bench.gone();
    assert_eq!(bench.said(), [CONNECTS, "done Gone(RemoteHungUp)"]);
    bench.replays();

    let mut bench = Bench::up(onward_flow());
    bench.said();
    bench.stop(crate::StopReason::Drain);
    assert_eq!(bench.said(), ["cancel", "hang up", "done Stopped(Drain)"]);
}
