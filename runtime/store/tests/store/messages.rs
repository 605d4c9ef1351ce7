//! Messages, cases and answers of surveys: kept once, and for their time.

use runtime_contract::request::CasePriority;
use runtime_contract::write::{Answer, Case, Message};
use runtime_contract::{Redacted, Time, Write};
use runtime_store::Options;

use super::{committed, id, open};

pub fn message(call: u8, to: &str, text: &str) -> Write {
    Write::Message(Box::new(Message {
        key: format!("{call}-{text}"),
        call: Some(id(call)),
        cadence: Some("m.remind".into()),
        channel: "sms",
        to: Redacted::new(to.into()),
        text: Redacted::new(text.into()),
        language: "en".into(),
        created: Time(call.into()),
    }))
}

fn case(call: u8, priority: CasePriority) -> Write {
    let (key, kind, opened) = (format!("{call}-7"), "complaint".into(), Time(call.into()));
    Write::Case(Box::new(Case { key, call: Some(id(call)), kind, priority, opened }))
}

#[test]
fn messages_and_cases_are_kept_once_and_for_their_time() {
    let folder = tempfile::tempdir().unwrap();
    let (store, events) = open(folder.path(), Options::default());
    let all = || [1, 2, 3].into_iter().flat_map(|n| [message(n, "+4420", "Hello."), case(n, CasePriority::Urgent)]);
    store.submit(1, all().collect()).unwrap();
    store.submit(2, all().chain([case(4, CasePriority::Low)]).collect()).unwrap();
    committed(&events, 2);
    let messages = store.messages(9).unwrap();
    assert_eq!(messages.len(), 3);
    let newest = &messages[0];
    assert_eq!((newest.call, newest.channel.as_str(), newest.created), (Some(id(3)), "sms", Time(3)));
    assert_eq!((newest.cadence.as_deref(), newest.language.as_str()), (Some("m.remind"), "en"));
    assert_eq!((newest.to.reveal().as_str(), newest.text.reveal().as_str()), ("+4420", "Hello."));
    let cases: Vec<_> = store.cases(2).unwrap().into_iter().map(|case| (case.call, case.kind, case.priority)).collect();
    let complaint = |call, priority: &str| (Some(id(call)), "complaint".to_owned(), priority.to_owned());
    assert_eq!(cases, [complaint(4, "low"), complaint(3, "urgent")]);
    let bites: Vec<usize> = (0..3).map(|_| store.forget_messages(Time(4), 2).unwrap()).collect();
    assert_eq!(bites, [2, 1, 0]);
    assert_eq!((store.messages(9).unwrap().len(), store.cases(9).unwrap().len()), (0, 1));
}

fn answer(call: u8, question: &str, value: &str) -> Write {
    Write::Answer(Box::new(Answer {
        key: format!("{call}-{question}"),
        call: id(call),
        survey: "m.csat".into(),
        question: question.into(),
        queue: "m.support".into(),
        value: Redacted::new(value.into()),
        personal: question == "words",
        recording: (question == "reason").then_some(7),
        given: Time(call.into()),
    }))
}

#[test]
fn answers_are_kept_once_counted_and_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let (store, events) = open(folder.path(), Options::default());
    let all = || {
        let scores = [(1, "5"), (2, "5"), (3, "2")].map(|(call, score)| answer(call, "score", score));
        scores.into_iter().chain([answer(3, "reason", "recording 7"), answer(3, "words", "Call +4420794609 99.")])
    };
    store.submit(1, all().collect()).unwrap();
    store.submit(2, all().collect()).unwrap();
    committed(&events, 2);
    let newest = store.answers(2).unwrap();
    let shown = |answer: &runtime_store::StoredAnswer| (answer.question.clone(), answer.value.reveal().clone());
    assert_eq!(
        newest.iter().map(shown).collect::<Vec<_>>(),
        [("words".to_owned(), "Call +4420794609 99.".to_owned()), ("reason".to_owned(), "recording 7".to_owned()),]
    );
    assert_eq!((newest[1].recording, newest[1].call, newest[1].given), (Some(7), id(3), Time(3)));
    let counts = store.answer_counts().unwrap();
    let counts: Vec<_> = counts.iter().map(|own| (own.question.as_str(), own.value.as_deref(), own.count)).collect();
    assert_eq!(counts, [("reason", None, 1), ("score", Some("2"), 1), ("score", Some("5"), 2), ("words", None, 1)]);
    let blank = |journal: &[u8]| Some(journal.to_vec());
    store.erase("+442079460999", Time(9), &blank).unwrap();
    assert_eq!(store.answers(1).unwrap()[0].value.reveal(), "", "it speaks of the number");
    assert_eq!(store.forget_messages(Time(3), 9).unwrap(), 2);
    assert_eq!(store.answers(9).unwrap().len(), 3);
}
