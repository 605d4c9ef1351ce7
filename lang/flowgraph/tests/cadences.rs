//! What is relied on of a cadence in a graph, broken once each: the verifier names it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may stop at the first surprise")]

use std::sync::Arc;

use lang_flowgraph::builder::GraphBuilder;
use lang_flowgraph::graph::{Graph, Word};
use lang_flowgraph::verify;
use runtime_contract::cadence::{AfterAttempt, AttemptEnd, Cadence, Dial, Message, Permission, WindowTimes};
use runtime_contract::channel::Channel;
use runtime_contract::program::{Parameter, Place, ProgramMeta};
use runtime_contract::rule::{Rule, UNDELIVERED_FIELDS, When};
use runtime_contract::types::{Class, Field, RecordType, Type, TypeTable};

const PERMISSION: u32 = 0;
const NUMBER: u32 = 1;
const DIAL: u32 = 2;
const AFTER: u32 = 3;
const EXHAUSTED: u32 = 4;

fn sound() -> Graph {
    let given = |name: &str| match name {
        "number" => Type::Optional(Box::new(Type::Phone)),
        "from" => Type::Time,
        "until" => Type::Optional(Box::new(Type::Time)),
        _ => Type::Text,
    };
    let fields = Permission::FIELDS.map(|name| Field { name: name.to_owned(), r#type: given(name) });
    let records = vec![RecordType { name: "m.Permission".into(), fields: fields.into() }];
    let types = TypeTable { enums: vec![AttemptEnd::r#type()], records };
    let parameters = vec![Parameter { name: "n".into(), r#type: Type::Int }];
    let cadence = Cadence {
        name: "m.C".into(),
        parameters: parameters.clone(),
        purpose: "p".into(),
        permission: PERMISSION,
        number: Some(NUMBER),
        laws: Vec::new(),
        window: vec![WindowTimes { days: [true; 7], from_minute: 540, until_minute: 1_200 }],
        zone: None,
        except: vec![1, 5],
        begin: None,
        attempts_max: 3,
        caps: Vec::new(),
        pace: None,
        dial: Some(Dial { from: None, ring_ms: 20_000, flow: DIAL }),
        message: None,
        retries: vec![vec![1]],
        dispositions: vec!["done".into()],
        after: vec![AfterAttempt { attempt: 1, flow: AFTER }],
        exhausted: Some(EXHAUSTED),
        place: Place::default(),
    };
    let meta = ProgramMeta {
        languages: vec!["en".into()],
        types: Arc::new(types),
        cadences: vec![cadence],
        ..ProgramMeta::default()
    };
    let mut graph = GraphBuilder::new(meta);
    let results = [Some(Type::Record(0)), Some(Type::Phone), Some(Type::Enum(0)), None, Some(Type::Int)];
    for (number, result) in results.into_iter().enumerate() {
        let classes = result.as_ref().map_or_else(Vec::new, |result| graph.meta.types.slots(result));
        let flow = graph.flow(&format!("m.C/{number}"), parameters.clone(), result);
        graph.meta.flows[number].is_attempt = number as u32 == DIAL;
        let entry = graph.segment(flow);
        graph.set_entry(flow, entry);
        graph.go_to(graph.entry(entry));
        let words: Vec<Word> = classes
            .into_iter()
            .map(|class| if class == Class::Text { graph.text("") } else { graph.integer(0) })
            .collect();
        let tag = graph.integer(0);
        graph.return_with(tag, &words);
    }
    graph.finish().unwrap().into_graph()
}

fn refused(change: impl FnOnce(&mut Cadence), wanted: &str) {
    let mut graph = sound();
    change(&mut graph.meta.cadences[0]);
    let problems = verify(&graph);
    assert!(problems.iter().any(|problem| problem.contains(wanted)), "wanted {wanted:?} in {problems:?}");
}

#[test]
fn a_sound_cadence_is_taken() {
    assert_eq!(verify(&sound()), [""; 0]);
    let mut written = sound();
    let cadence = &mut written.meta.cadences[0];
    cadence.dial = None;
    cadence.message = Some(Message { channel: Channel::Sms, from: None, flow: DIAL });
    assert_eq!(verify(&written), [""; 0]);
}

#[test]
fn every_flow_of_a_cadence_gives_what_is_asked_of_it() {
    refused(|own| own.permission = NUMBER, "a permission with another flow");
    refused(|own| own.permission = 9, "a permission with another flow");
    refused(|own| own.number = Some(DIAL), "a number with another flow");
    refused(|own| own.zone = Some(NUMBER), "a zone with another flow");
    refused(|own| own.begin = Some(NUMBER), "a begin with another flow");
    refused(|own| own.exhausted = Some(AFTER), "`exhausted` with another flow");
    refused(|own| own.after[0].flow = EXHAUSTED, "a later action with another flow");
    refused(|own| own.dial.as_mut().unwrap().flow = EXHAUSTED, "an attempt with another flow");
    refused(|own| own.parameters[0].r#type = Type::Bool, "a number with another flow");
    refused(|own| own.parameters[0].r#type = Type::Private(Box::new(Type::Text)), "a private parameter");
}

#[test]
fn its_tables_can_be_followed() {
    refused(|own| own.window.clear(), "no window");
    refused(|own| own.window[0].until_minute = 540, "a window that ends first");
    refused(|own| own.except = vec![5, 1], "excepted days out of order");
    refused(|own| own.attempts_max = 0, "no attempt");
    refused(|own| own.retries[0].clear(), "a retry without a delay");
    refused(|own| own.dial = None, "another number of attempts than one");
    let message = Message { channel: Channel::Sms, from: None, flow: DIAL };
    refused(|own| own.message = Some(message), "another number of attempts than one");
}

#[test]
fn an_attempt_outlives_its_line_and_says_so() {
    let mut graph = sound();
    graph.meta.flows[DIAL as usize].is_attempt = false;
    assert!(verify(&graph).iter().any(|problem| problem.contains("an attempt with another flow")));
}

#[test]
fn a_rule_is_told_of_a_text_of_some_cadence() {
    let rule = |cadence: u32, fields: &[(&str, Type)]| {
        let mut graph = sound();
        let field = |(name, r#type): &(&str, Type)| Field { name: (*name).to_owned(), r#type: r#type.clone() };
        let mut types = (*graph.meta.types).clone();
        types.records.push(RecordType { name: "m.Text".into(), fields: fields.iter().map(field).collect() });
        graph.meta.types = Arc::new(types);
        let mut action = graph.meta.flows[AFTER as usize].clone();
        action.parameters[0].r#type = Type::Record(1);
        graph.meta.flows.push(action);
        let (head, place) = ("when undelivered in C".to_owned(), Place::default());
        graph.meta.rules.push(Rule { head, place, when: When::Undelivered { cadence }, flow: EXHAUSTED + 1 });
        let problems = verify(&graph);
        problems.into_iter().filter(|problem| problem.starts_with("rule")).collect::<Vec<_>>()
    };
    assert_eq!(rule(0, &UNDELIVERED_FIELDS), [""; 0]);
    assert_eq!(rule(9, &UNDELIVERED_FIELDS), ["rule when undelivered in C: no such cadence"]);
    assert_eq!(rule(0, &UNDELIVERED_FIELDS[..4]), ["rule when undelivered in C: an action that is told of no text"]);
}
