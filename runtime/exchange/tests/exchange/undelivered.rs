//! Texts of cadences that do not arrive: each is told to the rule once, whoever wrote it and however often its failure is
//! told.

use std::sync::Arc;

use runtime_contract::channel::Channel;
use runtime_contract::leg::{GoneCause, LegEvent};
use runtime_contract::request::{Case, CasePriority, Channel as By, Dial, Message, Request};
use runtime_contract::rule::{UNDELIVERED_FIELDS, When};
use runtime_contract::types::Field;
use runtime_contract::value::{Phone, Value};
use runtime_contract::write;
use runtime_contract::{FlowProgram, Redacted, Type};
use runtime_exchange::{Act, Input};
use runtime_session::testkit::{Kit, Op, Source, Variable};

use crate::plant::Plant;

/// A cadence that writes, and sends a text and an e-mail once it was read; a rule about it that opens a case.
fn program() -> Arc<dyn FlowProgram> {
    let mut kit = Kit::new(&[]);
    let hello = kit.prompt("你好", "hello", &[]);
    let number = (Type::Phone, Source::Variable(Variable::Word(0)));
    let dial = Request::Dial(Dial { by: Channel::Sms, from: false, ring_ms: 0 });
    kit.request("", dial, &[number], vec![None; 2], vec![1, 3], None);
    let text = runtime_session::testkit::prompts(&[hello], true);
    let sms = Message { channel: By::Sms, to: false, text: text.clone() };
    kit.request("", Request::Send(sms), &[], vec![None], vec![2], None);
    let notice = Message { channel: By::Notify("desk".to_owned()), to: false, text };
    kit.request("", Request::Send(notice), &[], vec![None], vec![3], None);
    kit.push(Op::Return);
    let flow = kit.flow_of("kit.remind/message", &[Type::Phone], 0);
    kit.attempt(flow);
    kit.cadence("kit.remind", flow);
    let body = kit.here();
    let case = Case { kind: "lost".to_owned(), priority: CasePriority::default() };
    kit.request("", Request::OpenCase(case), &[], vec![None], vec![body + 1], None);
    kit.push(Op::Return);
    let field = |(name, r#type): &(&str, Type)| Field { name: (*name).to_owned(), r#type: r#type.clone() };
    let record = kit.record_type("std.agreement.Undelivered", UNDELIVERED_FIELDS.iter().map(field).collect());
    let action = kit.flow_of("kit.when/1", &[Type::Record(record)], body);
    kit.rule("when undelivered in remind", When::Undelivered { cadence: 0 }, action);
    kit.build()
}

/// An attempt is made; its leg.
fn attempt(plant: &mut Plant) {
    let person = Phone::parse("+12125550101", true);
    let arguments = person.into_iter().map(Value::Phone).collect();
    plant.give(Input::Act(Act { number: 1, flow: 0, arguments, person }));
}

/// What was handed over by the attempt that was read.
fn handed_over(plant: &mut Plant) -> Vec<write::Message> {
    attempt(plant);
    let leg = plant.placed[0];
    plant.give(Input::Leg(LegEvent::Up { leg }));
    plant.messages.clone()
}

#[test]
fn an_attempt_that_does_not_arrive_fires_the_rule() {
    let mut plant = Plant::new(Some(&program()), 1);
    attempt(&mut plant);
    let leg = plant.placed[0];
    plant.gone(leg, GoneCause::Unreachable);
    assert_eq!(plant.cases.len(), 1);
    assert!(plant.said().contains(&"acted 1: Some(Undelivered) Ok(None)".to_owned()), "its arm goes on");
}

#[test]
fn what_is_handed_over_says_whose_it_is() {
    let mut plant = Plant::new(Some(&program()), 1);
    let messages = handed_over(&mut plant);
    let whose: Vec<_> = messages.iter().map(|sent| (sent.channel, sent.cadence.as_deref())).collect();
    assert_eq!(whose, [("sms", Some("kit.remind")), ("notify", None)]);
    assert_eq!((messages[0].to.reveal().as_str(), messages[0].language.as_str()), ("+12125550101", "zh"));
    assert_eq!(plant.cases.len(), 0, "nobody has said that it does not arrive");
}

#[test]
fn the_same_failure_told_twice_fires_once() {
    let mut plant = Plant::new(Some(&program()), 1);
    let sms = handed_over(&mut plant).remove(0);
    for _ in 0..3 {
        plant.give(Input::Undelivered(Box::new(sms.clone())));
    }
    assert_eq!(plant.cases.len(), 1);
    let other = write::Message { key: "another".to_owned(), ..sms };
    plant.give(Input::Undelivered(Box::new(other)));
    assert_eq!(plant.cases.len(), 2);
}

#[test]
fn texts_of_others_fire_nothing() {
    let mut plant = Plant::new(Some(&program()), 1);
    let messages = handed_over(&mut plant);
    let sms = messages[0].clone();
    let others = [
        messages[1].clone(),
        write::Message { cadence: Some("kit.other".to_owned()), ..sms.clone() },
        write::Message { cadence: None, ..sms.clone() },
        // Whose person was erased meanwhile.
        write::Message { key: "erased".to_owned(), to: Redacted::new(String::new()), ..sms },
    ];
    for other in others {
        plant.give(Input::Undelivered(Box::new(other)));
    }
    assert_eq!(plant.cases.len(), 0);
}

#[test]
fn nothing_begins_while_the_node_closes_down() {
    let mut plant = Plant::new(Some(&program()), 1);
    let sms = handed_over(&mut plant).remove(0);
    plant.give(Input::Drain { until: runtime_contract::Tick(3_600_000_000_000) });
    plant.said();
    plant.give(Input::Undelivered(Box::new(sms)));
    assert_eq!(plant.cases.len(), 0);
    assert!(plant.said().iter().any(|said| said.contains("RuleDropped")), "operators hear of it");
}
