//! What a caller agrees to becomes a value that says to what, for which number, and by what evidence.

use std::sync::Arc;

use runtime_contract::record::CallId;
use runtime_contract::request::{Consent, Request};
use runtime_contract::types::{Field, Type};
use runtime_contract::value::{Phone, Value};
use runtime_contract::{FaultKind, FlowProgram};

use super::{Bench, START_MS};
use crate::journal::{Record, Reply, decode};
use crate::testkit::Kit;
use crate::{Input, Session, Start};

fn optional(r#type: Type) -> Type {
    Type::Optional(Box::new(r#type))
}

/// answer; consent for sales; hang up. `number`: what the record holds of it.
fn agrees(number: Type) -> Arc<dyn FlowProgram> {
    let mut kit = Kit::new(&[]);
    let fields = [
        ("purpose", Type::Text),
        ("number", number),
        ("from", Type::Time),
        ("until", optional(Type::Time)),
        ("evidence", Type::Text),
    ];
    let fields = fields.map(|(name, r#type)| Field { name: name.to_owned(), r#type });
    let record = kit.record_type("std.agreement.Permission", fields.into());
    kit.request("", Request::Answer, &[], vec![None], vec![1], None);
    let consent = Request::Consent(Consent { purpose: "sales".to_owned(), permission: record });
    kit.request("main", consent, &[], vec![Some(Type::Record(record))], vec![2], None);
    kit.request("", Request::HangUp, &[], vec![], vec![], None);
    kit.flow("kit.main", 0, None, None);
    kit.build()
}

/// What its journal says that the consent came to.
fn reply(bench: &Bench) -> Reply {
    let records = decode(&bench.journal).unwrap();
    let replies = records.into_iter().filter_map(|(_, record)| match record {
        Record::Reply { reply, .. } => Some(reply),
        _ => None,
    });
    replies.into_iter().nth(1).unwrap()
}

#[test]
fn an_agreement_says_what_for_which_number_since_when_and_how_it_is_known() {
    let bench = Bench::up(agrees(optional(Type::Phone)));
    let Reply::Result { outcome: 0, payload: Some(Value::Record(fields)) } = reply(&bench) else {
        panic!("{:?}", reply(&bench));
    };
    let [purpose, number, from, until, evidence] = fields.as_slice() else { panic!("{fields:?}") };
    assert_eq!(*purpose, Value::Text("sales".into()));
    assert_eq!(*number, Value::Some(Box::new(Value::Phone(Phone::parse("+8613800000000", true).unwrap()))));
    assert_eq!((from, until), (&Value::Moment(START_MS), &Value::None));
    let call = CallId([1; 16]).hex();
    assert!(matches!(evidence, Value::Text(text) if text.contains(&call)), "{evidence:?}");
    assert!(bench.done && !bench.left.contains("13800000000"), "it is in no log");
    let rebuilt = Session::from_journal(bench.session.program().clone(), &bench.journal).unwrap();
    assert_eq!(rebuilt.session.requests(), bench.session.requests());
}

#[test]
fn who_withholds_his_number_agrees_for_none() {
    let mut bench = Bench::new(agrees(optional(Type::Phone)));
    bench.give(Input::Start(Start::ringing(CallId([1; 16]), 0)));
    bench.give(Input::Line(crate::LineEvent::Answered));
    let Reply::Result { payload: Some(Value::Record(fields)), .. } = reply(&bench) else { panic!() };
    assert_eq!(fields[1], Value::None);
}

#[test]
fn another_record_than_the_librarys_is_a_fault() {
    let bench = Bench::up(agrees(Type::Int));
    assert_eq!(reply(&bench), Reply::Fault(FaultKind::Host));
}
