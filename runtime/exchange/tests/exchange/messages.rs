//! What a call writes to somebody and the cases that it opens: rows with keys, once each.

use std::sync::Arc;

use crate::plant::Plant;
use runtime_contract::limits::MESSAGES_MAX;
use runtime_contract::request::{Case, CasePriority, Channel, Message, Prompts, Request};
use runtime_contract::{FlowProgram, Type};
use runtime_session::testkit::{Kit, Op, Source, menu, payloads, prompts};

/// answer, then these; a menu keeps the call until a key comes.
fn program(constants: &[&str], write: impl Fn(&mut Kit, Prompts)) -> Arc<dyn FlowProgram> {
    let mut kit = Kit::new(constants);
    let text = kit.prompt("你好", "Hello ", &[Type::Int]);
    let choose = kit.prompt("请选择", "choose", &[]);
    kit.request("", Request::Answer, &[], vec![None], vec![1], None);
    write(&mut kit, prompts(&[text], false));
    let choices = menu(choose, &["1"]);
    let end = kit.here() + 1;
    kit.request("main", choices.clone(), &[], payloads(&choices, None), vec![end, end, end], None);
    kit.request("", Request::HangUp, &[], vec![], vec![], None);
    kit.flow("kit.main", 0, None, None);
    kit.inbound("1xxx", 0);
    kit.build()
}

fn send(kit: &mut Kit, channel: Channel, to: Option<(Type, Source)>, text: Prompts) {
    let message = Message { channel, to: to.is_some(), text };
    let arguments: Vec<(Type, Source)> = [(Type::Int, Source::Word(12))].into_iter().chain(to).collect();
    let next = kit.here() + 1;
    kit.request("", Request::Send(message), &arguments, vec![None], vec![next], None);
}

#[test]
fn a_message_has_its_row_with_a_key_of_its_own() {
    let program = program(&["ann@acme.example", "ann@acme@example"], |kit, text| {
        send(kit, Channel::Sms, None, text.clone());
        send(kit, Channel::Sms, Some((Type::Phone, Source::Word(12_125_550_100))), text.clone());
        let (good, bad) = (kit.constant("ann@acme.example"), kit.constant("ann@acme@example"));
        send(kit, Channel::Email, Some((Type::Text, good)), text.clone());
        send(kit, Channel::Email, Some((Type::Text, bad)), text.clone());
        send(kit, Channel::Notify("ops".into()), None, text);
    });
    let mut plant = Plant::new(Some(&program), 10);
    let leg = plant.call("1001");
    let sent: Vec<(&str, &str, &str)> = plant
        .messages
        .iter()
        .map(|message| (message.channel, message.to.reveal().as_str(), message.text.reveal().as_str()))
        .collect();
    let (sms, text) = ("sms", "你好12");
    assert_eq!(
        sent,
        [
            (sms, "+8613800000000", text),
            (sms, "+12125550100", text),
            ("email", "ann@acme.example", text),
            ("notify", "ops", text)
        ]
    );
    let keys: std::collections::BTreeSet<&String> = plant.messages.iter().map(|message| &message.key).collect();
    assert_eq!(keys.len(), 4);
    let shown = format!("{:?}{}", plant.messages, plant.left);
    assert!(!["13800", "121255", "ann@", "你好"].iter().any(|personal| shown.contains(personal)), "{shown}");
    plant.key(leg, '1');
    assert_eq!(plant.records.len(), 1);
}

#[test]
fn a_withheld_number_gets_no_message_and_the_call_goes_on() {
    let program = program(&[], |kit, text| send(kit, Channel::Sms, None, text));
    let mut plant = Plant::new(Some(&program), 10);
    plant.call_from(None, "1001");
    assert!(plant.messages.is_empty());
    assert!(plant.said().contains(&"play 1".to_owned()), "the flow went on");
}

#[test]
fn a_case_has_its_row() {
    let case = Case { kind: "complaint".into(), priority: CasePriority::High };
    let program = program(&[], |kit, _| {
        let next = kit.here() + 1;
        kit.request("", Request::OpenCase(case.clone()), &[], vec![None], vec![next], None);
    });
    let mut plant = Plant::new(Some(&program), 10);
    plant.call("1001");
    let [opened] = plant.cases.as_slice() else { panic!("{:?}", plant.cases) };
    assert_eq!((opened.kind.as_str(), opened.priority), ("complaint", CasePriority::High));
    assert_eq!(opened.key, format!("{}-2", opened.call.unwrap().hex()));
}

#[test]
fn one_message_too_many_is_a_fault() {
    let times = |count: u32| {
        program(&[], move |kit, text| {
            (0..count).for_each(|_| send(kit, Channel::Notify("ops".into()), None, text.clone()))
        })
    };
    let mut plant = Plant::new(Some(&times(MESSAGES_MAX)), 10);
    plant.call("1001");
    assert_eq!(plant.messages.len(), MESSAGES_MAX as usize);
    assert!(plant.said().contains(&"play 1".to_owned()));
    let mut plant = Plant::new(Some(&times(MESSAGES_MAX + 1)), 10);
    plant.call("1001");
    assert_eq!(plant.messages.len(), MESSAGES_MAX as usize);
    assert_eq!(plant.records[0].end, "fault: too many messages");
}

#[test]
fn after_a_crash_nothing_is_written_again_and_the_count_goes_on() {
    let program = program(&[], |kit, text| {
        (0..MESSAGES_MAX).for_each(|_| send(kit, Channel::Sms, None, text.clone()));
        let choose = menu(1, &["1"]);
        let next = kit.here() + 1;
        kit.request("", choose.clone(), &[], payloads(&choose, None), vec![next, next, next], None);
        send(kit, Channel::Sms, None, text);
        kit.push(Op::Return);
    });
    let mut plant = Plant::new(Some(&program), 10);
    plant.call("1001");
    assert_eq!(plant.messages.len(), MESSAGES_MAX as usize);
    let mut plant = plant.crash(&program);
    assert!(plant.messages.is_empty());
    let leg = plant.revived[0];
    plant.answers(leg, false);
    plant.heard(leg);
    plant.key(leg, '1');
    assert!(plant.messages.is_empty());
    assert_eq!(plant.records[0].end, "fault: too many messages");
}
