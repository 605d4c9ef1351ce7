//! A caller in a queue: comfort above his wait, the offer of a callback, the conversation, and what ends each.

use std::sync::Arc;

use runtime_contract::queue::Comfort;
use runtime_contract::request::{PromptUse, Prompts, Request};
use runtime_contract::value::Value;
use runtime_contract::{FaultKind, FlowProgram, Type};

use super::Bench;
use crate::journal::Record;
use crate::testkit::{Kit, Op, Source, Variable, prompts};
use crate::{Input, QueueEvent, RequestId, Session, Start, StopReason};

/// Outcomes of `queue`, as in the table of requests.
const SERVED: u32 = 0;
const CALLBACK: u32 = 1;
const TIMEOUT: u32 = 2;

/// answer, queue(20), then a note of how that went; `finally` notes too. The comfort says how many are ahead, and then
/// offers a callback on 1. `reports`: the agent says how it went.
fn hotline(reports: bool) -> Arc<dyn FlowProgram> {
    hotline_with(reports, None)
}

fn hotline_with(reports: bool, fault: Option<FaultKind>) -> Arc<dyn FlowProgram> {
    let mut kit = Kit::new(&["served", "callback", "timeout", "ended"]);
    let ahead = kit.prompt("前面", "ahead ", &[Type::Int]);
    let result = kit.variants("Sold", &["sold", "lost"]);
    let queue = Request::Queue { queue: 0 };
    let mut payloads = vec![None; 6];
    payloads[0] = reports.then(|| result.clone());
    let arguments = [(Type::Int, Source::Word(20))];
    kit.request("", Request::Answer, &[], vec![None], vec![1], None);
    kit.request("wait", queue, &arguments, payloads, vec![2, 3, 4, 4, 4, 4], Some(Variable::Word(0)));
    for outcome in ["served", "callback", "timeout"] {
        let text = (Type::Text, kit.constant(outcome));
        kit.request("", note(), &[text], vec![None], vec![5], None);
    }
    kit.push(Op::Return);
    let text = (Type::Text, kit.constant("ended"));
    let finally = kit.request("", note(), &[text], vec![None], vec![7], None);
    kit.push(Op::End);
    kit.flow("kit.hotline", 0, None, Some(finally));
    let prompt = PromptUse::Prompt { prompt: ahead, arguments_at: 0 };
    let say = Request::Play(Prompts { items: vec![prompt], barge_in: true });
    let how_many = (Type::Int, Source::Variable(Variable::Word(1)));
    let body = kit.request("", say, &[how_many], vec![None], vec![9], None);
    match fault {
        Some(kind) => kit.push(Op::Fault { kind, place: 0 }),
        None => kit.request("", Request::OfferCallback { key: '1' }, &[], vec![None], vec![10], None),
    };
    kit.push(Op::Return);
    let flow = kit.flow_of("kit.support every", &[Type::Int, Type::Int, Type::Duration], body);
    kit.queue("kit.support", &[Type::Int], |queue| {
        queue.comfort = Some(Comfort { every_ms: 45_000, flow });
        queue.wrap_up_as = reports.then_some(0);
        queue.offers_callback = true;
    });
    kit.build()
}

fn note() -> Request {
    Request::Note { key: "n".into(), r#type: Type::Text }
}

/// A call that has entered the queue.
fn queued(program: Arc<dyn FlowProgram>) -> Bench {
    let mut bench = Bench::up(program);
    assert_eq!(bench.said(), ["queue 0 [Int(20)]"]);
    bench
}

impl Bench {
    fn event(&mut self, event: QueueEvent) {
        self.give(Input::Queue { request: RequestId(self.session.requests()), event });
    }

    fn comfort(&mut self, ahead: u32) {
        self.event(QueueEvent::Comfort { ahead, expected_wait_ms: 120_000 });
    }
}

#[test]
fn comfort_is_heard_above_the_wait_and_one_at_a_time() {
    let mut bench = queued(hotline(false));
    bench.comfort(3);
    assert_eq!(bench.said(), ["play 前面三"]);
    bench.comfort(2);
    assert_eq!(bench.said().len(), 0, "one still runs");
    bench.heard();
    bench.comfort(1);
    assert_eq!(bench.said(), ["play 前面一"]);
    bench.reply(TIMEOUT, None);
    assert_eq!(bench.said()[..2], ["stop play", "note n = Text(\"timeout\")"]);
    assert_eq!(bench.session.requests(), bench.replays().session.requests());
}

#[test]
fn an_answer_ends_the_comfort_and_lends_the_line() {
    let mut bench = queued(hotline(false));
    bench.comfort(3);
    bench.said();
    bench.event(QueueEvent::Talking);
    assert_eq!(bench.said(), ["stop play"]);
    bench.comfort(2);
    bench.keys("12");
    bench.heard();
    assert_eq!(bench.said().len(), 0, "the line is the agent's and the caller's");
    bench.reply(SERVED, None);
    assert_eq!(bench.said()[0], "note n = Text(\"served\")");
    assert!(bench.done);
}

#[test]
fn the_offered_key_is_a_callback_as_long_as_the_caller_waits() {
    let mut bench = queued(hotline(false));
    bench.key('1');
    assert_eq!(bench.said().len(), 0, "nothing was offered yet");
    bench.comfort(3);
    bench.heard();
    bench.pass(60_000);
    bench.said();
    bench.key('2');
    assert_eq!(bench.said().len(), 0);
    bench.key('1');
    assert_eq!(bench.said(), ["callback"]);
    bench.key('1');
    assert_eq!(bench.said().len(), 0, "asked for once");
    bench.reply(CALLBACK, None);
    assert_eq!(bench.said()[0], "note n = Text(\"callback\")");
}

#[test]
fn the_key_counts_while_the_prompt_still_speaks_of_it() {
    let mut bench = queued(hotline(false));
    bench.comfort(3);
    bench.said();
    bench.key('1');
    assert_eq!(bench.said(), ["stop play", "callback"]);
}

#[test]
fn a_second_comfort_is_cut_when_the_callback_is_taken() {
    let mut bench = queued(hotline(false));
    bench.comfort(3);
    bench.heard();
    bench.comfort(2);
    bench.said();
    bench.key('1');
    assert_eq!(bench.said(), ["stop play", "callback"]);
}

#[test]
fn who_withholds_his_number_is_offered_no_callback() {
    let mut bench = Bench::new(hotline(false));
    bench.give(Input::Start(Start::ringing(runtime_contract::record::CallId([1; 16]), 0)));
    bench.give(Input::Line(crate::LineEvent::Answered));
    bench.said();
    bench.comfort(3);
    bench.key('1');
    bench.key('1');
    assert_eq!(bench.said(), ["play 前面三", "stop play"]);
}

#[test]
fn a_fault_in_the_comfort_ends_only_that() {
    let mut bench = queued(hotline_with(false, Some(FaultKind::Divide)));
    bench.comfort(3);
    bench.heard();
    assert!(bench.left.contains("Fault(division by zero"), "{}", bench.left);
    bench.comfort(2);
    assert_eq!(bench.said(), ["play 前面三", "play 前面二"]);
    assert!(!bench.records().iter().any(|record| matches!(record, Record::Fault { .. })), "nor is it journalled");
    bench.replays();
}

#[test]
fn a_hang_up_leaves_the_queue_and_the_conversation() {
    for talking in [false, true] {
        let mut bench = queued(hotline(false));
        bench.comfort(3);
        if talking {
            bench.event(QueueEvent::Talking);
        }
        bench.said();
        bench.gone();
        assert_eq!(bench.said(), ["note n = Text(\"ended\")", "done Gone(RemoteHungUp)"]);
    }
}

#[test]
fn the_agents_word_is_awaited_though_the_caller_is_gone() {
    let mut bench = queued(hotline(true));
    bench.event(QueueEvent::Talking);
    bench.gone();
    assert!(!bench.done, "the agent writes it up");
    bench.reply(SERVED, Some(Value::Enum(1, Vec::new())));
    let end = ["note n = Text(\"served\")", "note n = Text(\"ended\")", "done Gone(RemoteHungUp)"];
    assert_eq!(bench.said(), end);
    assert_eq!(bench.session.requests(), bench.replays().session.requests());
    let mut bench = queued(hotline(true));
    bench.gone();
    assert!(bench.done, "nobody has answered");
}

#[test]
fn a_stop_withdraws_who_waits_and_who_talks() {
    for talking in [false, true] {
        let mut bench = queued(hotline(true));
        bench.comfort(1);
        if talking {
            bench.event(QueueEvent::Talking);
        }
        bench.said();
        bench.stop(StopReason::Drain);
        let said = bench.said();
        assert!(said.contains(&"cancel".to_owned()) && bench.done, "{said:?}");
        assert_eq!(said.contains(&"stop play".to_owned()), !talking);
    }
}

#[test]
fn what_cannot_be_kept_is_a_fault() {
    let mut bench = queued(hotline(false));
    let request = RequestId(bench.session.requests());
    bench.give(Input::Fault { request, kind: FaultKind::Store });
    assert_eq!(bench.said(), ["note n = Text(\"ended\")", "hang up", "done Fault(Store)"]);
}

#[test]
fn a_rebuilt_call_enters_its_queue_again() {
    let mut bench = queued(hotline(false));
    bench.comfort(3);
    bench.said();
    bench.revive();
    assert_eq!(bench.said(), ["queue 0 [Int(20)]"]);
    bench.comfort(2);
    assert_eq!(bench.said(), ["play 前面二"]);
}

#[test]
fn an_offer_of_a_callback_outside_of_a_queue_is_a_fault() {
    let mut kit = Kit::new(&[]);
    kit.request("", Request::Answer, &[], vec![None], vec![1], None);
    kit.request("", Request::OfferCallback { key: '1' }, &[], vec![None], vec![2], None);
    kit.push(Op::Return);
    kit.flow("kit", 0, None, None);
    let mut bench = Bench::up(kit.build());
    assert_eq!(bench.said(), ["hang up", "done Fault(Host)"]);
}

#[test]
fn a_queue_without_comfort_is_silent() {
    let mut kit = Kit::new(&[]);
    let hello = kit.prompt("您好", "hello", &[]);
    kit.request("", Request::Answer, &[], vec![None], vec![1], None);
    kit.request("", Request::Queue { queue: 0 }, &[], vec![None; 6], vec![2; 6], None);
    kit.request("", Request::Play(prompts(&[hello], true)), &[], vec![None], vec![3], None);
    kit.push(Op::Return);
    kit.flow("kit", 0, None, None);
    kit.queue("kit.q", &[], |_| ());
    let program = kit.build();
    let mut bench = Bench::up(program.clone());
    bench.said();
    bench.comfort(1);
    assert_eq!(bench.said().len(), 0);
    bench.key('7');
    bench.reply(3, None);
    assert_eq!(bench.said(), ["play 您好"], "the key from before is nobody's");
    Session::from_journal(program, &bench.journal).unwrap();
}
