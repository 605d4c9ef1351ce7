//! A cadence for random programs to begin: its tables, and the two flows without which the verifier has none.

use runtime_contract::cadence::{AttemptEnd, Cadence, Dial, Permission, WindowTimes};
use runtime_contract::program::{Parameter, ProgramMeta};
use runtime_contract::types::{Class, Field, RecordType, Type};

use super::values::place;
use crate::builder::GraphBuilder;
use crate::graph::{FlowId, Word};

/// Adds the types that its flows give, and the cadence without them.
pub fn tables(meta: &mut ProgramMeta, parameters: Vec<Parameter>) {
    let types = std::sync::Arc::make_mut(&mut meta.types);
    types.enums.push(AttemptEnd::r#type());
    let given = |name: &str| match name {
        "number" => Type::Optional(Box::new(Type::Phone)),
        "from" => Type::Time,
        "until" => Type::Optional(Box::new(Type::Time)),
        _ => Type::Text,
    };
    let fields = Permission::FIELDS.map(|name| Field { name: name.to_owned(), r#type: given(name) });
    types.records.push(RecordType { name: "m.Permission".into(), fields: fields.into() });
    meta.cadences.push(Cadence {
        name: "m.C".into(),
        parameters,
        purpose: "p".into(),
        permission: 0,
        number: None,
        laws: Vec::new(),
        window: vec![WindowTimes { days: [true; 7], from_minute: 0, until_minute: 1_440 }],
        zone: None,
        except: Vec::new(),
        begin: None,
        attempts_max: 3,
        caps: Vec::new(),
        pace: None,
        dial: Some(Dial { from: None, ring_ms: 20_000, flow: 0 }),
        message: None,
        retries: Vec::new(),
        dispositions: vec!["done".into()],
        after: Vec::new(),
        exhausted: None,
        place: place(0),
    });
}

/// Declares and writes its flows, which give what their types hold when it is empty.
pub fn flows(builder: &mut GraphBuilder) {
    let (enums, records) = (builder.meta.types.enums.len() as u32, builder.meta.types.records.len() as u32);
    let permission = flow(builder, "m.C/permission", Type::Record(records.saturating_sub(1)), false);
    let dial = flow(builder, "m.C/dial", Type::Enum(enums.saturating_sub(1)), true);
    for cadence in &mut builder.meta.cadences {
        cadence.permission = permission.0;
        cadence.dial.iter_mut().for_each(|own| own.flow = dial.0);
    }
}

fn flow(builder: &mut GraphBuilder, name: &str, result: Type, is_attempt: bool) -> FlowId {
    let parameters = builder.meta.cadences.first().map_or_else(Vec::new, |cadence| cadence.parameters.clone());
    let classes = builder.meta.types.slots(&result);
    let id = builder.flow(name, parameters, Some(result));
    if let Some(meta) = builder.meta.flows.get_mut(id.0 as usize) {
        meta.is_attempt = is_attempt;
    }
    let entry = builder.segment(id);
    builder.set_entry(id, entry);
    builder.go_to(builder.entry(entry));
    let words: Vec<Word> = classes
        .into_iter()
        .map(|class| match class {
            Class::Text => builder.text(""),
            _ => builder.integer(0),
        })
        .collect();
    let tag = builder.integer(0);
    builder.return_with(tag, &words);
    id
}
