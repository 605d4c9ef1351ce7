//! An attempt of a cadence: it makes its line, and outlives it.

use std::sync::Arc;

use runtime_contract::channel::Channel;
use runtime_contract::leg::GoneCause;
use runtime_contract::record::CallId;
use runtime_contract::request::{Dial, Request};
use runtime_contract::value::{Phone, Value};
use runtime_contract::{FlowProgram, Type};

use super::Bench;
use crate::testkit::{Kit, Op, Source, Variable, menu, payloads, prompts};
use crate::{Input, Line, LineEvent, RequestId, Session, Start};

const BUSY: u32 = 2;

/// dial(p); a person hears a prompt, then a flow with a menu is run, and a note says how that went; whoever is busy is noted
/// too.
fn attempt() -> Arc<dyn FlowProgram> {
    let mut kit = Kit::new(&["talked", "hung up", "busy"]);
    let hello = kit.prompt("你好", "hello", &[]);
    let asked = menu(hello, &["1"]);
    let outcomes = payloads(&asked, None);
    let ways = vec![1; outcomes.len()];
    let body = kit.request("", asked, &[], outcomes, ways, None);
    kit.push(Op::Return);
    let talk = kit.flow("kit.talk", body, None, None);
    let first = kit.here();
    let dial = Request::Dial(Dial { by: Channel::Voice, from: false, ring_ms: 25_000 });
    let to = (Type::Phone, Source::Variable(Variable::Word(0)));
    let (person, busy) = (first + 1, first + 5);
    kit.request("", dial, &[to], vec![None; 6], vec![person, person, busy, busy, busy, busy], None);
    let say = Request::Play(prompts(&[hello], true));
    kit.request("", say, &[], vec![None], vec![first + 2], None);
    kit.run_or_hangup(talk, [first + 3, first + 4]);
    for text in ["talked", "hung up", "busy"] {
        let text = (Type::Text, kit.constant(text));
        let note = Request::Note { key: "went".to_owned(), r#type: Type::Text };
        kit.request("", note, &[text], vec![None], vec![first + 6], None);
    }
    kit.push(Op::Return);
    let flow = kit.flow_of("kit.call/dial", &[Type::Phone], first);
    kit.attempt(flow);
    kit.build()
}

fn begun() -> Bench {
    let mut bench = Bench::new(attempt());
    let number = Phone::parse("+12125550101", true).unwrap();
    let arguments = vec![Value::Phone(number)];
    let start = Start { line: Line::None, arguments, ..Start::ringing(CallId([1; 16]), 1) };
    bench.give(Input::Start(start));
    assert_eq!(std::mem::take(&mut bench.said), ["dial +12125550101 for 25000 ms"]);
    bench
}

fn gives(bench: &mut Bench, outcome: u32) {
    bench.give(Input::Reply { request: RequestId(1), outcome, payload: None });
}

fn hang_up(bench: &mut Bench) {
    bench.give(Input::Line(LineEvent::Gone(GoneCause::RemoteHungUp)));
}

/// What its journal leads to is what it led to.
fn rebuilds(bench: &Bench) {
    let rebuilt = Session::from_journal(bench.session.program().clone(), &bench.journal).unwrap();
    assert_eq!(rebuilt.session.requests(), bench.session.requests());
    assert_eq!((rebuilt.session.line(), rebuilt.given.len()), (bench.session.line(), 1));
}

/// message(p); what is delivered is a text that is read, and a note says what came of it.
fn written() -> Arc<dyn FlowProgram> {
    let mut kit = Kit::new(&["delivered", "undelivered"]);
    let hello = kit.prompt("你好", "hello", &[]);
    let reach = Request::Dial(Dial { by: Channel::Sms, from: false, ring_ms: 0 });
    let first = kit.here();
    let to = (Type::Phone, Source::Variable(Variable::Word(0)));
    kit.request("", reach, &[to], vec![None; 2], vec![first + 1, first + 3], None);
    kit.request("", Request::Play(prompts(&[hello], true)), &[], vec![None], vec![first + 2], None);
    for text in ["delivered", "undelivered"] {
        let text = (Type::Text, kit.constant(text));
        let note = Request::Note { key: "went".to_owned(), r#type: Type::Text };
        kit.request("", note, &[text], vec![None], vec![first + 4], None);
    }
    kit.push(Op::Return);
    let flow = kit.flow_of("kit.call/message", &[Type::Phone], first);
    kit.attempt(flow);
    kit.build()
}

#[test]
fn what_is_delivered_makes_a_line_in_writing() {
    for (outcome, noted) in [(Dial::DELIVERED, "delivered"), (Dial::UNDELIVERED, "undelivered")] {
        let mut bench = Bench::new(written());
        let arguments = vec![Value::Phone(Phone::parse("+12125550101", true).unwrap())];
        bench.give(Input::Start(Start { line: Line::None, arguments, ..Start::ringing(CallId([1; 16]), 0) }));
        assert_eq!(std::mem::take(&mut bench.said), ["write by sms to +12125550101"]);
        gives(&mut bench, outcome);
        rebuilds(&bench);
        if outcome == Dial::DELIVERED {
            assert_eq!((bench.session.line(), bench.session.channel()), (Line::Up, Channel::Sms));
            assert_eq!(std::mem::take(&mut bench.said), ["play 你好"]);
            bench.give(Input::Line(LineEvent::PlayDone { token: bench.token }));
        } else {
            assert_eq!((bench.session.line(), bench.session.channel()), (Line::None, Channel::Voice));
        }
        assert!(bench.done && bench.said.iter().any(|said| said.contains(noted)), "{:?}", bench.said);
    }
}

#[test]
fn a_person_makes_the_line() {
    let mut bench = begun();
    gives(&mut bench, Dial::PERSON);
    assert_eq!((bench.session.line(), bench.said.as_slice()), (Line::Up, &["play 你好".to_owned()][..]));
    rebuilds(&bench);
    bench.give(Input::Line(LineEvent::PlayDone { token: bench.token }));
    bench.give(Input::Line(LineEvent::Key('1')));
    assert!(bench.said.iter().any(|said| said.contains("talked")), "{:?}", bench.said);
    assert!(
        bench.done && bench.said.contains(&"hang up".to_owned()),
        "the call ends with its attempt: {:?}",
        bench.said
    );
    rebuilds(&bench);
}

#[test]
fn without_a_person_there_is_no_line() {
    let mut bench = begun();
    gives(&mut bench, BUSY);
    assert!(bench.done && bench.said.iter().any(|said| said.contains("busy")), "{:?}", bench.said);
    assert_eq!(bench.session.line(), Line::None);
    rebuilds(&bench);
}

#[test]
fn who_hangs_up_in_what_is_said_leaves_the_attempt_to_go_on() {
    let mut bench = begun();
    gives(&mut bench, Dial::MACHINE);
    hang_up(&mut bench);
    assert!(bench.done && bench.said.iter().any(|said| said.contains("hung up")), "{:?}", bench.said);
    rebuilds(&bench);
}

#[test]
fn who_hangs_up_in_a_flow_that_is_run_is_its_outcome() {
    let mut bench = begun();
    gives(&mut bench, Dial::PERSON);
    bench.give(Input::Line(LineEvent::PlayDone { token: bench.token }));
    hang_up(&mut bench);
    assert!(bench.done && bench.said.iter().any(|said| said.contains("hung up")), "{:?}", bench.said);
    assert!(!bench.said.iter().any(|said| said.contains("talked")), "{:?}", bench.said);
    rebuilds(&bench);
}
