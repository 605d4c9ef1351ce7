//! Attempts of cadences at the exchange: nobody is called before that is durable, each attempt says what came of it, and
//! a node without room makes none.

use std::sync::Arc;

use crate::plant::Plant;
use runtime_contract::channel::Channel;
use runtime_contract::leg::{GoneCause, LegEvent, LegId};
use runtime_contract::request::{Dial, Request};
use runtime_contract::value::{Phone, Value};
use runtime_contract::{FlowProgram, Type};
use runtime_exchange::{Act, Input, MediaEvent};
use runtime_session::testkit::{Kit, Op, Source, Variable, prompts};

/// dial(p), or message(p); where that makes a line, something is said on it.
fn attempt(by: Channel) -> Arc<dyn FlowProgram> {
    let mut kit = Kit::new(&[]);
    let hello = kit.prompt("你好", "hello", &[]);
    let dial = Request::Dial(Dial { by, from: false, ring_ms: 25_000 });
    let ways = if by.is_written() { vec![1, 2] } else { vec![1, 1, 2, 2, 2, 2] };
    let to = (Type::Phone, Source::Variable(Variable::Word(0)));
    kit.request("", dial, &[to], vec![None; ways.len()], ways, None);
    kit.request("", Request::Play(prompts(&[hello], true)), &[], vec![None], vec![2], None);
    kit.push(Op::Return);
    let flow = kit.flow_of("kit.call/dial", &[Type::Phone], 0);
    kit.attempt(flow);
    kit.build()
}

fn act(plant: &mut Plant, number: u64) {
    let person = Phone::parse("+12125550101", true);
    let arguments = person.into_iter().map(Value::Phone).collect();
    plant.give(Input::Act(Act { number, flow: 0, arguments, person }));
}

/// An attempt whose leg is placed.
fn placed(by: Channel) -> (Plant, LegId) {
    let mut plant = Plant::new(Some(&attempt(by)), 1);
    act(&mut plant, 1);
    let leg = plant.placed[0];
    plant.said();
    (plant, leg)
}

fn acted(plant: &mut Plant) -> Vec<String> {
    plant.said().into_iter().filter(|said| said.starts_with("acted")).collect()
}

#[test]
fn nobody_is_called_before_that_is_durable() {
    for (by, called) in [(Channel::Voice, "dial 25000"), (Channel::Sms, "write to +12125550101")] {
        let mut plant = Plant::new(Some(&attempt(by)), 1);
        plant.commits = false;
        act(&mut plant, 1);
        assert!(plant.placed.is_empty(), "{:?}", plant.said);
        plant.commit();
        assert!(plant.said().contains(&called.to_owned()));
        assert_eq!(plant.placed.len(), 1);
    }
}

#[test]
fn who_answers_is_told_from_a_machine_and_hears_what_is_said() {
    for (machine, outcome) in [(false, "Person"), (true, "Machine")] {
        let (mut plant, leg) = placed(Channel::Voice);
        plant.answers(leg, false);
        assert!(!plant.said().contains(&"play 1".to_owned()), "nobody knows yet who answered");
        plant.give(Input::Media(MediaEvent::Greeted { leg, machine }));
        assert!(plant.said().contains(&"play 1".to_owned()));
        plant.heard(leg);
        assert_eq!(acted(&mut plant), [format!("acted 1: Some({outcome}) Ok(None)")]);
        assert_eq!((plant.exchange.calls_live(), plant.legs.len()), (0, 0), "the line ends with its attempt");
    }
}

#[test]
fn who_does_not_answer_says_why() {
    let causes = [
        (GoneCause::Refused(486), "Busy"),
        (GoneCause::NoAnswer, "Unanswered"),
        (GoneCause::Refused(603), "Declined"),
        (GoneCause::Unreachable, "Unreachable"),
    ];
    for (cause, outcome) in causes {
        let (mut plant, leg) = placed(Channel::Voice);
        plant.gone(leg, cause);
        assert_eq!(acted(&mut plant), [format!("acted 1: Some({outcome}) Ok(None)")]);
        assert_eq!(plant.records.len(), 1, "each attempt is a call of the records");
    }
}

#[test]
fn a_message_arrives_or_it_does_not() {
    let (mut plant, leg) = placed(Channel::Sms);
    assert!(plant.opened.is_empty(), "nothing is heard of it");
    plant.give(Input::Leg(LegEvent::Up { leg }));
    plant.heard(leg);
    assert_eq!(acted(&mut plant), ["acted 1: Some(Delivered) Ok(None)"]);
    let (mut plant, leg) = placed(Channel::Chat);
    plant.gone(leg, GoneCause::Unreachable);
    assert_eq!(acted(&mut plant), ["acted 1: Some(Undelivered) Ok(None)"]);
}

#[test]
fn who_hangs_up_was_reached() {
    let (mut plant, leg) = placed(Channel::Voice);
    plant.answers(leg, false);
    plant.give(Input::Media(MediaEvent::Greeted { leg, machine: false }));
    plant.bye(leg);
    assert_eq!(acted(&mut plant), ["acted 1: Some(Person) Ok(None)"]);
}

#[test]
fn without_room_no_flow_begins() {
    let mut plant = Plant::new(None, 1);
    act(&mut plant, 1);
    assert_eq!(acted(&mut plant), ["acted 1: None Err(NoVersion)"]);
    let (mut plant, leg) = placed(Channel::Voice);
    act(&mut plant, 2);
    assert_eq!(acted(&mut plant), ["acted 2: None Err(CallsMax)"]);
    plant.gone(leg, GoneCause::NoAnswer);
    act(&mut plant, 3);
    assert_eq!(acted(&mut plant), ["acted 1: Some(Unanswered) Ok(None)"]);
    assert_eq!(plant.placed.len(), 1, "there is room again");
}

#[test]
fn a_cadence_begins_once_that_is_durable() {
    let mut kit = Kit::new(&[]);
    kit.request("", Request::Answer, &[], vec![None], vec![1], None);
    kit.request("", Request::Start { cadence: 0 }, &[], vec![None], vec![2], None);
    kit.request("", Request::HangUp, &[], vec![], vec![], None);
    kit.flow("kit.main", 0, None, None);
    kit.inbound("1001", 0);
    let mut plant = Plant::new(Some(&kit.build()), 1);
    plant.commits = false;
    plant.call("1001");
    plant.commit();
    assert!(!plant.said().contains(&"start 0".to_owned()));
    plant.commit();
    assert!(plant.said().contains(&"start 0".to_owned()));
}
