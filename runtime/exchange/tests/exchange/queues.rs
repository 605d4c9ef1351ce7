//! Callers who queue, and the agents who are rung for them: what waits for what, and how each side may leave.

use std::sync::Arc;

use runtime_contract::leg::{GoneCause, LegEvent, LegId};
use runtime_contract::queue::{Comfort, Queue};
use runtime_contract::request::{PromptUse, Prompts, Request};
use runtime_contract::{FlowProgram, Redacted, Type};
use runtime_exchange::{AgentState, Input};
use runtime_session::testkit::{Kit, Op, Source, Variable, prompts};

use crate::plant::Plant;

/// answer, queue, and a note of the outcome. Agents hear a whisper of one prompt.
fn hotline(change: impl FnOnce(&mut Queue)) -> Arc<dyn FlowProgram> {
    let outcomes = ["served", "callback", "timeout", "full", "closed", "unstaffed"];
    let mut kit = Kit::new(&outcomes);
    let ahead = kit.prompt("前面", "ahead ", &[Type::Int]);
    let vip = kit.prompt("贵宾", "a VIP", &[]);
    let result = kit.variants("Sold", &["lost", "sold"]);
    let note = || Request::Note { key: "outcome".into(), r#type: Type::Text };
    let (mut reports, mut queue) = (false, None);
    let mut change = Some(change);
    // Its flows come first, for the request's payload depends on it.
    let body = kit.here();
    let say = Prompts { items: vec![PromptUse::Prompt { prompt: ahead, arguments_at: 0 }], barge_in: true };
    let how_many = (Type::Int, Source::Variable(Variable::Word(1)));
    kit.request("", Request::Play(say), &[how_many], vec![None], vec![body + 1], None);
    kit.request("", Request::OfferCallback { key: '1' }, &[], vec![None], vec![body + 2], None);
    kit.push(Op::Return);
    let every = kit.flow_of("kit.every", &[Type::Int, Type::Int, Type::Duration], body);
    let body = kit.here();
    kit.request("", Request::Play(prompts(&[vip], true)), &[], vec![None], vec![body + 1], None);
    kit.push(Op::Return);
    let whisper = kit.flow_of("kit.whisper", &[Type::Int], body);
    kit.queue("kit.support", &[Type::Int], |info| {
        info.comfort = Some(Comfort { every_ms: 45_000, flow: every });
        info.whisper = Some(whisper);
        info.music = Some(("hold.wav".into(), [0; 32]));
        info.offers_callback = true;
        if let Some(change) = change.take() {
            change(info);
        }
        reports = info.wrap_up_as.is_some();
        queue = Some(0);
    });
    let first = kit.here();
    let mut payloads = vec![None; 6];
    payloads[0] = reports.then_some(result);
    let next = (0..6).map(|outcome| first + 2 + outcome).collect();
    kit.request("", Request::Answer, &[], vec![None], vec![first + 1], None);
    let arguments = [(Type::Int, Source::Word(20))];
    kit.request("wait", Request::Queue { queue: 0 }, &arguments, payloads, next, None);
    for outcome in outcomes {
        let text = (Type::Text, kit.constant(outcome));
        kit.request("", note(), &[text], vec![None], vec![first + 8], None);
    }
    kit.push(Op::Return);
    let flow = kit.flow("kit.hotline", first, None, None);
    kit.inbound("1xxx", flow);
    kit.build()
}

fn outcome(plant: &Plant) -> String {
    let record = plant.records.last().expect("a call is over");
    record.notes.first().map_or("none", |(_, text)| text.reveal()).to_owned()
}

/// A caller who waits, with this agent there and free.
fn offered(plant: &mut Plant) -> (LegId, LegId) {
    plant.agent("wang", AgentState::Idle);
    let caller = plant.call("1001");
    let agent = *plant.placed.last().expect("wang is rung");
    (caller, agent)
}

/// The same, in conversation.
fn talking(plant: &mut Plant) -> (LegId, LegId) {
    let (caller, agent) = offered(plant);
    plant.answers(agent, false);
    plant.heard(agent);
    assert_eq!(plant.bridges.get(&caller), Some(&agent));
    (caller, agent)
}

#[test]
fn a_caller_hears_music_until_an_agent_who_knows_him_has_him() {
    let mut plant = Plant::new(Some(&hotline(|_| ())), 10);
    let (caller, agent) = offered(&mut plant);
    assert!(plant.said().contains(&"dial 15000".to_owned()));
    assert!(plant.music.contains(&caller));
    plant.answers(agent, false);
    assert_eq!(plant.said(), ["play 1"], "a whisper, to the agent");
    assert!(plant.playing.contains_key(&agent) && plant.bridges.is_empty() && plant.music.contains(&caller));
    plant.heard(agent);
    assert_eq!(plant.said(), ["bridge"]);
    assert!(plant.music.is_empty());
    plant.bye(agent);
    assert!(plant.said().contains(&"hang up".to_owned()), "the flow goes on to its end");
    assert_eq!(outcome(&plant), "served");
    plant.pass(60_000);
    assert_eq!((plant.exchange.calls_live(), plant.exchange.next_deadline()), (0, None));
}

#[test]
fn nobody_is_rung_before_the_wait_is_durable() {
    let mut plant = Plant::new(Some(&hotline(|_| ())), 10);
    plant.agent("wang", AgentState::Idle);
    plant.commits = false;
    plant.call("1001");
    plant.commit();
    assert!(plant.said().contains(&"answer".to_owned()));
    assert!(plant.placed.is_empty() && plant.music.is_empty());
    plant.commit();
    assert_eq!((plant.placed.len(), plant.music.len()), (1, 1));
}

#[test]
fn what_the_store_does_not_keep_is_a_fault() {
    let mut plant = Plant::new(Some(&hotline(|_| ())), 10);
    plant.agent("wang", AgentState::Idle);
    plant.commits = false;
    plant.call("1001");
    plant.commit();
    plant.give(Input::StoreFailed);
    plant.commit();
    assert_eq!(plant.records[0].end, "fault: store");
    assert!(plant.placed.is_empty());
}

#[test]
fn the_next_agent_is_rung_when_one_does_not_answer() {
    let mut plant = Plant::new(Some(&hotline(|_| ())), 10);
    let (_, wang) = offered(&mut plant);
    plant.agent("zhao", AgentState::Idle);
    plant.gone(wang, GoneCause::Refused(486));
    let zhao = *plant.placed.last().unwrap();
    assert_ne!(wang, zhao);
    plant.agent_state("wang", AgentState::Away);
    plant.pass(15_000);
    assert_eq!(plant.placed, [], "his phone rings no longer than it may");
    assert_eq!(plant.exchange.calls_live(), 1, "the caller waits on");
}

#[test]
fn a_caller_who_leaves_stops_the_ringing() {
    let mut plant = Plant::new(Some(&hotline(|_| ())), 10);
    let (caller, _) = offered(&mut plant);
    plant.bye(caller);
    assert!(plant.placed.is_empty());
    assert_eq!((outcome(&plant).as_str(), plant.records[0].end.as_str()), ("none", "caller hung up"));
    let next = plant.call("1001");
    assert_eq!(plant.placed.len(), 1, "the agent is free for the next");
    plant.bye(next);
}

#[test]
fn a_caller_who_leaves_ends_the_conversation() {
    let mut plant = Plant::new(Some(&hotline(|_| ())), 10);
    let (caller, _) = talking(&mut plant);
    plant.bye(caller);
    assert!(plant.placed.is_empty(), "the agent's phone is hung up");
    assert_eq!(plant.records[0].end, "caller hung up");
    plant.call("1001");
    assert!(plant.placed.is_empty(), "he writes up");
    plant.pass(20_000);
    assert_eq!(plant.placed.len(), 1);
}

#[test]
fn an_agent_who_hangs_up_on_the_whisper_costs_nobody_his_place() {
    let mut plant = Plant::new(Some(&hotline(|queue| queue.wrap_up_ms = 1_000)), 10);
    let (caller, agent) = offered(&mut plant);
    plant.answers(agent, false);
    plant.bye(agent);
    assert_eq!((plant.exchange.calls_live(), plant.music.contains(&caller)), (1, true));
    plant.pass(1_000);
    let again = *plant.placed.last().expect("he is rung again");
    plant.answers(again, false);
    plant.heard(again);
    assert_eq!(plant.bridges.get(&caller), Some(&again));
}

#[test]
fn comfort_stops_when_an_agent_has_the_caller() {
    let mut plant = Plant::new(Some(&hotline(|_| ())), 10);
    plant.agent("wang", AgentState::Away);
    let caller = plant.call("1001");
    plant.said();
    plant.pass(45_000);
    assert_eq!(plant.said(), ["play 1"]);
    plant.agent_state("wang", AgentState::Idle);
    let agent = *plant.placed.last().unwrap();
    plant.answers(agent, false);
    assert!(plant.playing.contains_key(&caller), "the agent hears the whisper meanwhile");
    plant.heard(agent);
    assert!(!plant.playing.contains_key(&caller));
    plant.key(caller, '1');
    assert_eq!(plant.exchange.calls_live(), 1, "a key is the agent's now");
}

#[test]
fn keys_by_signalling_go_to_the_other_side() {
    let mut plant = Plant::new(Some(&hotline(|_| ())), 10);
    let (caller, agent) = talking(&mut plant);
    plant.said();
    for leg in [caller, agent] {
        plant.give(Input::Leg(LegEvent::Key { leg, key: Redacted::new('5') }));
    }
    assert_eq!(plant.said(), ["press 5", "press 5"]);
}

#[test]
fn time_room_and_staff_run_out() {
    let mut plant = Plant::new(Some(&hotline(|queue| queue.timeout_ms = Some(60_000))), 10);
    plant.agent("wang", AgentState::Away);
    plant.call("1001");
    plant.pass(60_000);
    assert_eq!(outcome(&plant), "timeout");

    let mut plant = Plant::new(Some(&hotline(|queue| queue.limit = Some(1))), 10);
    plant.agent("wang", AgentState::Away);
    plant.call("1001");
    plant.call("1002");
    assert_eq!(outcome(&plant), "full");

    let mut plant = Plant::new(Some(&hotline(|_| ())), 10);
    plant.call("1001");
    plant.pass(30_000);
    assert_eq!(outcome(&plant), "unstaffed");
}

#[test]
fn the_agents_word_comes_after_the_conversation() {
    let mut plant = Plant::new(Some(&hotline(|queue| queue.wrap_up_as = Some(0))), 10);
    let (caller, agent) = talking(&mut plant);
    plant.bye(agent);
    assert!(!plant.legs.contains(&caller), "the caller is not kept on the line for it");
    assert_eq!(plant.exchange.calls_live(), 1);
    plant.give(Input::WrapUpDone { agent: "wang".into(), result: Some(1) });
    assert_eq!(outcome(&plant), "served");

    let (caller, _) = talking(&mut plant);
    plant.bye(caller);
    assert_eq!(plant.exchange.calls_live(), 1, "though the caller is gone");
    plant.pass(20_000);
    assert_eq!((plant.records.len(), outcome(&plant).as_str()), (2, "served"), "he said nothing in his time");
}

/// A caller who waits and presses the key that the comfort offers him.
fn promised(plant: &mut Plant) {
    plant.agent("wang", AgentState::Away);
    let caller = plant.call("1001");
    plant.pass(45_000);
    plant.key(caller, '1');
    assert_eq!(outcome(plant), "callback");
    assert!(plant.music.is_empty());
    plant.said();
}

#[test]
fn a_promise_outlives_its_call() {
    let mut plant = Plant::new(Some(&hotline(|_| ())), 10);
    promised(&mut plant);
    plant.pass(600_000);
    plant.agent_state("wang", AgentState::Idle);
    let agent = *plant.placed.last().expect("the agent first");
    plant.answers(agent, false);
    plant.heard(agent);
    let caller = *plant.placed.last().expect("then who was promised a call");
    assert!(plant.said().contains(&"dial 25000".to_owned()));
    plant.answers(caller, false);
    assert_eq!(plant.bridges.get(&caller), Some(&agent));
    plant.bye(caller);
    assert!(plant.placed.is_empty() && plant.opened.is_empty());
    plant.pass(20_000);
    assert_eq!(plant.exchange.next_deadline(), None);
}

#[test]
fn each_way_in_which_a_call_back_may_fail() {
    for way in 0..4 {
        let mut plant = Plant::new(Some(&hotline(|_| ())), 10);
        promised(&mut plant);
        plant.agent_state("wang", AgentState::Idle);
        let agent = *plant.placed.last().unwrap();
        plant.answers(agent, false);
        match way {
            0 => plant.bye(agent),
            1 => {
                plant.heard(agent);
                plant.bye(agent);
            }
            2 => {
                plant.heard(agent);
                let caller = *plant.placed.last().unwrap();
                plant.gone(caller, GoneCause::NoAnswer);
            }
            _ => {
                let until = plant.now().tick;
                plant.give(Input::Drain { until });
                plant.pass(1);
                assert!(plant.said().contains(&"drained".to_owned()));
            }
        }
        assert!(plant.placed.is_empty() && plant.opened.is_empty(), "way {way}: {:?}", plant.opened);
    }
}

#[test]
fn a_promise_keeps_its_version() {
    let first = hotline(|_| ());
    let mut plant = Plant::new(Some(&first), 10);
    promised(&mut plant);
    plant.version(&hotline(|queue| queue.ring_ms = 10_000));
    assert!(!plant.said().iter().any(|said| said.starts_with("VersionFreed")));
    plant.agent_state("wang", AgentState::Idle);
    let agent = *plant.placed.last().unwrap();
    plant.answers(agent, false);
    plant.bye(agent);
    assert!(plant.said().iter().any(|said| said.starts_with("VersionFreed")));
}

#[test]
fn a_drain_ends_waits_and_conversations() {
    let mut plant = Plant::new(Some(&hotline(|_| ())), 10);
    talking(&mut plant);
    plant.call("1001");
    let until = plant.now().tick;
    plant.give(Input::Drain { until });
    plant.pass(1);
    assert!(plant.said().contains(&"drained".to_owned()));
    assert!(plant.placed.is_empty() && plant.opened.is_empty());
}

#[test]
fn a_conversation_survives_the_process() {
    let program = hotline(|_| ());
    let mut plant = Plant::new(Some(&program), 10);
    plant.agent("wang", AgentState::Idle);
    let caller = plant.call("1001");
    let agent = *plant.placed.last().unwrap();
    plant.dialog(agent);
    plant.answers(agent, false);
    plant.heard(agent);
    assert!(plant.bridges.contains_key(&caller));
    let mut plant = plant.crash(&program);
    let legs = plant.revived.clone();
    assert_eq!(legs.len(), 2, "both sides are looked for");
    for leg in &legs {
        plant.answers(*leg, false);
    }
    assert!(plant.placed.is_empty(), "nobody is rung for who talks");
    plant.bye(legs[1]);
    assert_eq!(outcome(&plant), "served");
}

#[test]
fn who_waited_when_the_process_died_waits_again() {
    let program = hotline(|_| ());
    let mut plant = Plant::new(Some(&program), 10);
    let (_, agent) = offered(&mut plant);
    plant.dialog(agent);
    let mut plant = plant.crash(&program);
    plant.agent("zhao", AgentState::Idle);
    let legs = plant.revived.clone();
    assert_eq!(legs.len(), 1, "an agent who was rung is nobody's");
    plant.answers(legs[0], false);
    assert_eq!(plant.placed.len(), 1);
}
