//! Surveys: what is durable before what is said, who is asked on the line, who is written to, and who is left alone.

use std::sync::Arc;

use runtime_contract::channel::Channel;
use runtime_contract::leg::LegId;
use runtime_contract::request::Request;
use runtime_contract::{FlowProgram, Type};
use runtime_exchange::{AgentState, Input, LeftOut};
use runtime_session::testkit::{Kit, Op, Source, prompts};

use crate::plant::Plant;

/// answer, queue, the survey, and the end. The survey answers its one question by 4 and says thanks.
fn hotline(channels: &[Channel]) -> Arc<dyn FlowProgram> {
    let mut kit = Kit::new(&[]);
    let thanks = kit.prompt("谢谢", "thanks", &[]);
    kit.queue("kit.support", &[], |_| ());
    let body = kit.here();
    let four = [(Type::Int, Source::Word(4))];
    let answer = Request::SurveyAnswer { survey: 0, question: 0 };
    kit.request("", answer, &four, vec![None], vec![body + 1], None);
    kit.request("", Request::Play(prompts(&[thanks], true)), &[], vec![None], vec![body + 2], None);
    kit.push(Op::Return);
    let asked = kit.flow_of("kit.csat", &[], body);
    kit.survey("kit.csat", asked, channels, &[("score", Type::Int)]);
    let first = kit.here();
    kit.request("", Request::Answer, &[], vec![None], vec![first + 1], None);
    let mut next = vec![first + 4; 6];
    next[0] = first + 2;
    kit.request("wait", Request::Queue { queue: 0 }, &[], vec![None; 6], next, None);
    kit.request("", Request::Survey { survey: 0 }, &[], vec![None; 2], vec![first + 3, first + 4], None);
    kit.run("", asked, first + 4);
    kit.push(Op::Return);
    let flow = kit.flow("kit.hotline", first, None, None);
    kit.inbound("1xxx", flow);
    kit.build()
}

const BOTH: [Channel; 2] = [Channel::Voice, Channel::Sms];

/// A caller in conversation: his leg, and the agent's.
fn talking(plant: &mut Plant, caller: Option<&str>) -> (LegId, LegId) {
    plant.agent("wang", AgentState::Idle);
    let caller = plant.call_from(caller, "1001");
    let agent = *plant.placed.last().expect("wang is rung");
    plant.answers(agent, false);
    assert_eq!(plant.bridges.get(&caller), Some(&agent));
    plant.said();
    (caller, agent)
}

const CALLER: Option<&str> = Some("+8613800000000");

#[test]
fn an_answer_is_durable_before_the_thanks_are_said() {
    let mut plant = Plant::new(Some(&hotline(&BOTH)), 10);
    let (_, agent) = talking(&mut plant, CALLER);
    plant.commits = false;
    plant.bye(agent);
    assert!(!plant.said().contains(&"play 1".to_owned()), "it is not kept yet");
    plant.commit();
    assert!(plant.said().contains(&"play 1".to_owned()));
    let [answer] = plant.answers.as_slice() else { panic!("{:?}", plant.answers) };
    assert_eq!((answer.survey.as_str(), answer.question.as_str()), ("kit.csat", "score"));
    assert_eq!((answer.queue.as_str(), answer.value.reveal().as_str()), ("kit.support", "4"));
    assert!(!answer.personal && answer.recording.is_none());
}

#[test]
fn an_answer_that_the_store_does_not_keep_is_a_fault() {
    let mut plant = Plant::new(Some(&hotline(&BOTH)), 10);
    let (_, agent) = talking(&mut plant, CALLER);
    plant.commits = false;
    plant.bye(agent);
    plant.give(Input::StoreFailed);
    plant.commit();
    assert_eq!(plant.records[0].end, "fault: store");
    assert!(!plant.said().contains(&"play 1".to_owned()));
}

#[test]
fn who_hangs_up_on_the_agent_is_written_to() {
    let mut plant = Plant::new(Some(&hotline(&BOTH)), 10);
    let (caller, _) = talking(&mut plant, CALLER);
    plant.bye(caller);
    assert!(plant.answers.is_empty());
    let number = plant.follow_ups[0].number;
    plant.said();
    plant.give(Input::FollowUp { number, refused: None });
    let said = plant.said();
    assert!(said.contains(&"write to +8613800000000".to_owned()), "{said:?}");
    assert!(said.contains(&"play 1".to_owned()), "the same questions");
    assert_eq!(plant.answers.len(), 1);
    assert_ne!(plant.answers[0].call, plant.records[0].call, "a conversation of its own");
    plant.give(Input::FollowUp { number, refused: None });
    assert_eq!(plant.answers.len(), 1, "once");
}

#[test]
fn at_night_nobody_is_written_to() {
    let mut plant = Plant::new(Some(&hotline(&BOTH)), 10);
    let (caller, _) = talking(&mut plant, CALLER);
    plant.bye(caller);
    let number = plant.follow_ups[0].number;
    plant.give(Input::FollowUp { number, refused: Some(LeftOut::NotAtThisHour) });
    plant.give(Input::FollowUp { number, refused: None });
    assert!(plant.answers.is_empty());
    assert_eq!(plant.exchange.calls_live(), 0);
}

#[test]
fn by_voice_alone_nobody_is_written_to_and_by_sms_alone_nobody_is_asked_on_the_line() {
    let mut plant = Plant::new(Some(&hotline(&[Channel::Voice])), 10);
    let (caller, _) = talking(&mut plant, CALLER);
    plant.bye(caller);
    assert!(plant.follow_ups.is_empty());
    let mut plant = Plant::new(Some(&hotline(&[Channel::Sms])), 10);
    let (_, agent) = talking(&mut plant, CALLER);
    plant.bye(agent);
    assert!(plant.answers.is_empty() && plant.follow_ups.len() == 1);
    assert_eq!(plant.records.len(), 1, "the call goes on without it");
}

#[test]
fn a_withheld_number_is_not_asked() {
    let mut plant = Plant::new(Some(&hotline(&BOTH)), 10);
    let (_, agent) = talking(&mut plant, None);
    plant.bye(agent);
    assert!(plant.answers.is_empty() && plant.follow_ups.is_empty());
    assert_eq!(plant.records[0].end, "returned");
}

#[test]
fn who_has_refused_meanwhile_is_not_written_to() {
    let mut plant = Plant::new(Some(&hotline(&BOTH)), 10);
    let (caller, _) = talking(&mut plant, CALLER);
    plant.bye(caller);
    let number = plant.follow_ups[0].number;
    plant.give(Input::FollowUp { number, refused: Some(LeftOut::OptedOut) });
    assert!(plant.answers.is_empty());
    plant.pass(60_000);
    let (_, agent) = talking(&mut plant, CALLER);
    plant.bye(agent);
    assert_eq!(plant.answers.len(), 1, "that was no survey, so he may be asked on the line");
}

#[test]
fn nobody_is_asked_twice_within_thirty_days() {
    const DAY_MS: u64 = 86_400_000;
    let mut plant = Plant::new(Some(&hotline(&BOTH)), 10);
    let asked = |plant: &mut Plant, caller: &str| {
        let before = plant.answers.len();
        let (caller, agent) = talking(plant, Some(caller));
        plant.bye(agent);
        if plant.playing.contains_key(&caller) {
            plant.heard(caller);
        }
        plant.pass(60_000);
        plant.answers.len() > before
    };
    assert!(asked(&mut plant, "+8613800000000"));
    assert!(!asked(&mut plant, "+8613800000000"));
    assert!(asked(&mut plant, "+8613800000001"), "another person");
    plant.pass(29 * DAY_MS);
    assert!(!asked(&mut plant, "+8613800000000"));
    plant.pass(DAY_MS);
    assert!(asked(&mut plant, "+8613800000000"));
}
