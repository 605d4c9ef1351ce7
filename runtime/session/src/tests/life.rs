//! Answering, refusing, ending, and what a waiting call weighs.

use std::sync::Arc;

use runtime_contract::limits::{JOURNAL_BYTES_MAX, REQUESTS_MAX};
use runtime_contract::request::{RejectReason, Request};
use runtime_contract::{FaultKind, FlowProgram, Type};

use super::Bench;
use crate::journal::Record;
use crate::testkit::{Kit, Op, Source, menu, payloads, prompts};
use crate::{EndCause, Input, LineEvent, ReplayError, Session};

fn flow(build: impl FnOnce(&mut Kit)) -> Arc<dyn FlowProgram> {
    let mut kit = Kit::new(&["once"]);
    build(&mut kit);
    kit.flow("kit.life", 0, None, None);
    kit.build()
}

#[test]
fn answering_twice_asks_the_line_once() {
    let mut bench = Bench::up(flow(|kit| {
        kit.request("", Request::Answer, &[], vec![None], vec![1], None);
        kit.request("", Request::Answer, &[], vec![None], vec![2], None);
        kit.push(Op::Return);
    }));
    assert_eq!(bench.said(), ["hang up", "done Returned"]);
    bench.replays();
}

#[test]
fn a_refused_call_is_refused_with_its_reason() {
    let mut bench = Bench::new(flow(|kit| {
        kit.request("", Request::Reject(RejectReason::Busy), &[], vec![], vec![], None);
    }));
    bench.start();
    assert_eq!(bench.said(), ["reject Busy", "done Rejected"]);
    assert_eq!(bench.replays().end, Some(EndCause::Rejected));
}

#[test]
fn a_call_that_never_answers_is_refused() {
    let mut bench = Bench::new(flow(|kit| {
        kit.push(Op::Return);
    }));
    bench.start();
    assert_eq!(bench.said(), ["reject Unavailable", "done Returned"]);
}

#[test]
fn a_caller_who_gives_up_while_we_answer() {
    let mut bench = Bench::new(flow(|kit| {
        kit.request("", Request::Answer, &[], vec![None], vec![1], None);
        kit.push(Op::Return);
    }));
    bench.start();
    bench.give(Input::Line(LineEvent::Gone(runtime_contract::leg::GoneCause::Cancelled)));
    assert_eq!(bench.said(), ["answer", "done Gone(Cancelled)"]);
    bench.give(Input::Line(LineEvent::Answered));
    assert_eq!(bench.said().len(), 0);
}

#[test]
fn the_language_set_by_the_flow_is_what_is_played() {
    let mut bench = Bench::up(flow(|kit| {
        let hello = kit.prompt("您好", "hello", &[]);
        let say = Request::Play(prompts(&[hello], true));
        kit.request("", Request::Answer, &[], vec![None], vec![1], None);
        kit.request("", say.clone(), &[], vec![None], vec![2], None);
        kit.push(Op::SetLanguage { language: 1, next: 3 });
        kit.request("", say, &[], vec![None], vec![4], None);
        kit.push(Op::Return);
    }));
    bench.heard();
    bench.heard();
    assert_eq!(bench.said(), ["play 您好", "play hello", "hang up", "done Returned"]);
}

#[test]
fn a_fault_without_a_handler_ends_the_call() {
    let mut bench = Bench::up(flow(|kit| {
        kit.request("", Request::Answer, &[], vec![None], vec![1], None);
        kit.push(Op::Fault { kind: FaultKind::Overflow, place: 0 });
    }));
    assert_eq!(bench.said(), ["hang up", "done Fault(Overflow)"]);
    assert!(bench.records().iter().any(|r| matches!(r, Record::Fault { kind: FaultKind::Overflow, .. })));
    assert_eq!(bench.replays().faults.len(), 1);
}

#[test]
fn a_flow_that_notes_for_ever_meets_a_bound() {
    let mut bench = Bench::up(flow(|kit| {
        kit.request("", Request::Answer, &[], vec![None], vec![1], None);
        let note = Request::Note { key: "n".into(), r#type: Type::Text };
        let text = kit.constant("once");
        kit.request("", note, &[(Type::Text, text)], vec![None], vec![1], None);
    }));
    assert!(bench.done);
    assert!(bench.journal.len() <= JOURNAL_BYTES_MAX, "{}", bench.journal.len());
    assert!(bench.journal.len() > JOURNAL_BYTES_MAX - 256, "{}", bench.journal.len());
    assert!(bench.session.requests() <= REQUESTS_MAX);
    let end = bench.said().last().unwrap().clone();
    assert_eq!(end, "done Fault(Journal)");
    assert_eq!(bench.replays().end, Some(EndCause::Fault(FaultKind::Journal)));
}

#[test]
fn prompts_read_their_arguments() {
    let mut bench = Bench::up(flow(|kit| {
        let ahead = kit.prompt("还有", "ahead ", &[Type::Int, Type::Digits]);
        let text = kit.constant("once");
        let say = Request::Play(prompts(&[ahead], true));
        kit.request("", Request::Answer, &[], vec![None], vec![1], None);
        let arguments = [(Type::Int, Source::Word(7)), (Type::Digits, text)];
        kit.request("", say, &arguments, vec![None], vec![2], None);
        kit.push(Op::Return);
    }));
    assert!(bench.said()[0].starts_with("play 还有七"));
}

#[test]
fn a_call_waiting_in_a_menu_stays_below_two_kibibytes() {
    let program = flow(|kit| {
        let ask = kit.prompt("请选择", "choose", &[]);
        kit.request("", Request::Answer, &[], vec![None], vec![1], None);
        let menu = menu(ask, &["1", "2"]);
        kit.request("", menu.clone(), &[], payloads(&menu, None), vec![2, 2, 1, 2], None);
        kit.push(Op::Return);
    });
    let mut bench = Bench::up(program);
    bench.heard();
    bench.keys("9");
    bench.heard();
    let bytes = bench.session.memory_bytes();
    let fixed = size_of::<crate::Session>();
    println!("a call waiting in a menu holds {bytes} bytes, {fixed} of them the session itself");
    assert!(bytes < 2_048, "{bytes}");
}

fn menu_call() -> Bench {
    let program = flow(|kit| {
        let ask = kit.prompt("请选择", "choose", &[]);
        kit.request("", Request::Answer, &[], vec![None], vec![1], None);
        let menu = menu(ask, &["1", "2"]);
        kit.request("", menu.clone(), &[], payloads(&menu, None), vec![2, 3, 3, 3], None);
        let note = Request::Note { key: "n".into(), r#type: Type::Text };
        let text = kit.constant("once");
        kit.request("", note, &[(Type::Text, text)], vec![None], vec![3], None);
        kit.push(Op::Return);
    });
    let mut bench = Bench::up(program);
    bench.key('1');
    bench
}

#[test]
fn a_replay_finds_every_request_that_differs() {
    let bench = menu_call();
    let program = bench.session.program().clone();
    let records = bench.records();
    let mut found = 0;
    for (at, record) in records.iter().enumerate() {
        let other = match record {
            Record::Request { site, request, hash } => {
                Record::Request { site: *site, request: *request, hash: hash ^ 1 }
            }
            Record::Reply { request, reply: crate::journal::Reply::Result { outcome: 0, payload: None } }
                if request.0 == 2 =>
            {
                let reply = crate::journal::Reply::Result { outcome: 1, payload: None };
                Record::Reply { request: *request, reply }
            }
            _ => continue,
        };
        let mut journal = Vec::new();
        for (n, record) in records.iter().enumerate() {
            crate::journal::encode(if n == at { &other } else { record }, 0, &mut journal);
        }
        let error = Session::from_journal(program.clone(), &journal).unwrap_err();
        assert!(matches!(error, ReplayError::Differs { .. }), "{error}");
        found += 1;
    }
    assert_eq!(found, 4, "three requests, and a choice that leads elsewhere");
}

#[test]
fn a_journal_of_another_graph_is_refused() {
    let bench = menu_call();
    let other = flow(|kit| {
        kit.push(Op::Return);
    });
    assert_eq!(Session::from_journal(other, &bench.journal).unwrap_err(), ReplayError::OtherGraph);
    let program = bench.session.program().clone();
    assert_eq!(Session::from_journal(program.clone(), &[]).unwrap_err(), ReplayError::NoStart);
    assert!(matches!(Session::from_journal(program, &[200]).unwrap_err(), ReplayError::Unreadable(_)));
}

#[test]
fn the_journal_of_a_short_call_is_small() {
    let bench = menu_call();
    assert!(bench.done);
    assert!(bench.journal.len() < 250, "{} bytes", bench.journal.len());
}

#[test]
fn a_call_that_is_taken_up_again_is_asked_again() {
    let program = flow(|kit| {
        let ask = kit.prompt("请选择", "choose", &[]);
        kit.request("", Request::Answer, &[], vec![None], vec![1], None);
        let menu = menu(ask, &["1", "2"]);
        kit.request("", menu.clone(), &[], payloads(&menu, None), vec![2, 2, 2, 2], None);
        kit.push(Op::Return);
    });
    let mut bench = Bench::up(program);
    assert_eq!(bench.said(), ["play 请选择"]);
    bench.revive();
    assert_eq!(bench.said(), ["play 请选择"]);
    bench.key('2');
    assert_eq!(bench.said(), ["stop play", "hang up", "done Returned"]);
    bench.replays();
}
