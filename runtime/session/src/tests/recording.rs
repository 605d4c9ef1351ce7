//! `record` and its ends.

use std::sync::Arc;

use runtime_contract::FlowProgram;
use runtime_contract::request::{PromptUse, Prompts, Request};
use runtime_contract::{FaultKind, Type};

use super::Bench;
use crate::testkit::{Kit, Op, Source, Variable, payloads, prompts, record};
use crate::{Input, RequestId};

/// answer; record; play it back; return. Silence hangs up.
fn voicemail() -> Arc<dyn FlowProgram> {
    let mut kit = Kit::new(&[]);
    let speak = kit.prompt("请留言", "speak", &[]);
    kit.request("", Request::Answer, &[], vec![None], vec![1], None);
    let take = record(speak, 60_000);
    kit.request("take", take.clone(), &[], payloads(&take, None), vec![2, 4], Some(Variable::Word(0)));
    let back = Prompts { items: vec![PromptUse::Recording { at: 0 }], barge_in: true };
    let arguments = [(Type::Recording, Source::Variable(Variable::Word(0)))];
    kit.request("take", Request::Play(back), &arguments, vec![None], vec![3], None);
    kit.push(Op::Return);
    kit.request("", Request::HangUp, &[], vec![], vec![], None);
    kit.flow("kit.voicemail", 0, None, None);
    kit.build()
}

#[test]
fn a_recording_follows_the_beep_and_ends_by_its_key() {
    let mut bench = Bench::up(voicemail());
    bench.heard();
    assert_eq!(bench.said(), ["play 请留言 + beep", "record 60000"]);
    bench.key('5');
    assert_eq!(bench.said().len(), 0, "another key is part of the message");
    bench.key('#');
    assert_eq!(bench.said(), ["stop record"]);
    bench.record_done(true);
    assert_eq!(bench.said(), ["play recording 77"]);
    assert_eq!(bench.replays().recordings, [77]);
}

#[test]
fn a_key_passes_over_the_prompt_but_not_the_beep() {
    let mut bench = Bench::up(voicemail());
    bench.key('1');
    assert_eq!(bench.said(), ["play 请留言 + beep", "stop play", "play beep"]);
    bench.key('#');
    assert_eq!(bench.said().len(), 0);
    bench.heard();
    assert_eq!(bench.said(), ["record 60000"]);
}

#[test]
fn nothing_said_is_silence() {
    let mut bench = Bench::up(voicemail());
    bench.heard();
    bench.said();
    bench.record_done(false);
    assert_eq!(bench.said(), ["hang up", "done HungUp"]);
}

#[test]
fn a_hang_up_leaves_the_recording_to_its_owner() {
    let mut bench = Bench::up(voicemail());
    bench.heard();
    bench.said();
    bench.gone();
    assert_eq!(bench.said(), ["done Gone(RemoteHungUp)"], "media keeps what it has");
    bench.record_done(true);
    assert_eq!(bench.said().len(), 0);
}

#[test]
fn a_recording_that_media_does_not_end_is_ended_and_then_given_up() {
    let mut bench = Bench::up(voicemail());
    bench.heard();
    bench.said();
    bench.pass(61_999);
    assert_eq!(bench.said().len(), 0);
    bench.pass(1);
    assert_eq!(bench.said(), ["stop record"]);
    bench.pass(10_000);
    assert_eq!(bench.said(), ["hang up", "done Fault(Store)"]);
}

#[test]
fn a_row_that_cannot_be_kept_is_a_fault() {
    let mut bench = Bench::up(voicemail());
    bench.heard();
    bench.key('#');
    bench.said();
    bench.give(Input::Fault { request: RequestId(2), kind: FaultKind::Store });
    assert_eq!(bench.said(), ["hang up", "done Fault(Store)"]);
    bench.replays();
}

/// answer; `recording on` twice; a prompt; `recording off` twice; the prompt again; return.
fn recorded() -> Arc<dyn FlowProgram> {
    let mut kit = Kit::new(&[]);
    let speak = kit.prompt("请讲", "speak", &[]);
    kit.request("", Request::Answer, &[], vec![None], vec![1], None);
    for (at, on) in [(1, true), (2, true), (4, false), (5, false)] {
        if at == 4 {
            kit.request("", Request::Play(prompts(&[speak], false)), &[], vec![None], vec![4], None);
        }
        kit.request("", Request::Recording { on }, &[], vec![None], vec![at + 1], None);
    }
    kit.request("", Request::Play(prompts(&[speak], false)), &[], vec![None], vec![7], None);
    kit.push(Op::Return);
    kit.flow("kit.recorded", 0, None, None);
    kit.build()
}

#[test]
fn a_conversation_is_recorded_from_on_to_off_and_nothing_waits_for_it() {
    let mut bench = Bench::up(recorded());
    assert_eq!(bench.said(), ["record call true", "play 请讲"], "on while on changes nothing");
    bench.heard();
    assert_eq!(bench.said(), ["record call false", "play 请讲"]);
    bench.heard();
    assert_eq!(bench.said(), ["hang up", "done Returned"]);
    bench.replays();
}

#[test]
fn a_call_that_is_taken_up_again_is_recorded_again_if_it_was() {
    let mut bench = Bench::up(recorded());
    bench.said();
    bench.revive();
    assert_eq!(bench.said(), ["record call true", "play 请讲"]);
    bench.heard();
    bench.said();
    bench.revive();
    assert_eq!(bench.said(), ["play 请讲"], "it was off");
}
