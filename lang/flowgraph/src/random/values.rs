//! The tables of every random program, and random values of every type.

use std::sync::Arc;

use runtime_contract::calendar::{HoursTable, Span, WeeklySpan};
use runtime_contract::program::{Operation, Parameter, Place, ProgramMeta, Prompt, PromptText, Service};
use runtime_contract::queue::{AgentChoice, OrderKey, Queue, Stage};
use runtime_contract::types::{EnumType, Field, RecordType, Type, TypeTable, Variant};
use runtime_contract::value::{Money, Phone, Private, Value};

use super::{Random, cadence, survey};

/// One of each kind of type.
pub fn every_type() -> Vec<Type> {
    vec![
        Type::Bool,
        Type::Int,
        Type::Decimal,
        Type::Money,
        Type::Percent,
        Type::Duration,
        Type::Time,
        Type::Date,
        Type::Clock,
        Type::Text,
        Type::Digits,
        Type::Phone,
        Type::TimeZone,
        Type::Language,
        Type::Recording,
        Type::Enum(0),
        Type::Enum(1),
        Type::List(Box::new(Type::Int)),
        Type::List(Box::new(Type::Text)),
        Type::Record(0),
        Type::Optional(Box::new(Type::Record(0))),
        Type::Private(Box::new(Type::Digits)),
    ]
}

/// Tables with an operation and a prompt for each type; the operation `all` takes one of each.
pub fn tables() -> ProgramMeta {
    let parameter = |r#type: &Type| Parameter { name: "value".into(), r#type: r#type.clone() };
    let operation = |name: String, parameters: Vec<Parameter>, result: Option<Type>| Operation {
        name,
        parameters,
        result,
        within_ms: 1_000,
        writes: false,
    };
    let types = every_type();
    let each = types.iter().enumerate();
    let mut operations: Vec<Operation> =
        each.map(|(at, t)| operation(format!("echo{at}"), vec![parameter(t)], Some(t.clone()))).collect();
    operations.push(operation("all".into(), types.iter().map(parameter).collect(), None));
    let prompt = |arguments: Vec<Type>| Prompt {
        name: None,
        arguments,
        texts: vec![PromptText { tag: None, audio: None, parts: Vec::new() }],
    };
    let field = |name: &str, r#type: Type| Field { name: name.into(), r#type };
    let fields = vec![
        field("name", Type::Text),
        field("balance", Type::Optional(Box::new(Type::Money))),
        field("vip", Type::Bool),
    ];
    let carried =
        vec![field("at", Type::Time), field("why", Type::Text), field("of", Type::List(Box::new(Type::Text)))];
    let carrying = Variant { fields: carried, ..Variant::plain("b") };
    let weekly = vec![WeeklySpan { days: 0b111, span: Span { from_minute: 540, to_minute: 1080 } }];
    let mut meta = ProgramMeta {
        languages: vec!["zh".into(), "en".into()],
        types: Arc::new(TypeTable {
            enums: vec![
                EnumType { name: "m.E".into(), variants: ["a", "b", "c"].map(Variant::plain).into() },
                EnumType { name: "m.F".into(), variants: vec![Variant::plain("a"), carrying] },
            ],
            records: vec![RecordType { name: "m.R".into(), fields }],
        }),
        prompts: [prompt(Vec::new())].into_iter().chain(types.iter().map(|t| prompt(vec![t.clone()]))).collect(),
        services: vec![Service { name: "world".into(), operations }],
        hours: vec![HoursTable { name: "office".into(), zone: "Asia/Shanghai".into(), weekly, ..Default::default() }],
        files: vec!["random".into()],
        queues: vec![
            queue(Vec::new(), None),
            queue(types.iter().filter(|t| !is_private(t)).map(parameter).collect(), Some(0)),
        ],
        ..ProgramMeta::default()
    };
    cadence::tables(&mut meta, types.iter().filter(|t| !is_private(t)).map(parameter).collect());
    survey::table(&mut meta, types.iter().filter(|t| !is_private(t)).cloned());
    meta
}

/// One without clauses.
fn queue(parameters: Vec<Parameter>, wrap_up_as: Option<u32>) -> Queue {
    Queue {
        name: "m.Q".into(),
        place: place(0),
        parameters,
        stages: vec![Stage { after_ms: 0, conjunction: Vec::new(), needs: None }],
        prefers: Vec::new(),
        priority: None,
        order: vec![OrderKey::Waiting],
        choice: AgentChoice::LongestIdle,
        ring_ms: 20_000,
        wrap_up_ms: 0,
        wrap_up_as,
        target: None,
        limit: None,
        timeout_ms: None,
        open: None,
        music: None,
        whisper: None,
        overflow: None,
        comfort: None,
        offers_callback: false,
    }
}

fn is_private(r#type: &Type) -> bool {
    matches!(r#type, Type::Private(_))
}

pub fn place(line: u32) -> Place {
    Place { file: 0, line, column: 1 }
}

pub const TEXTS: [&str; 6] = ["", "gold", "vip", "订单", "0123456789", "4111111111111111"];

pub fn value(random: &mut Random, meta: &ProgramMeta, r#type: &Type) -> Value {
    match r#type {
        Type::Bool => Value::Bool(random.chance(50)),
        Type::Int => Value::Int(random.integer()),
        Type::Decimal | Type::Percent => Value::Decimal(random.integer()),
        Type::Money => {
            let currency = if random.chance(80) { 156 } else { 840 };
            Value::Money(Money { amount: random.integer(), currency })
        }
        Type::Duration | Type::Time | Type::Date | Type::Clock => Value::Moment(random.integer()),
        Type::Text | Type::Digits | Type::TimeZone => Value::Text(text(random)),
        Type::Phone => Value::Phone(Phone::from_word(random.below(1_000_000_000) as u64 + 100)),
        Type::Language => Value::Language(random.below(2) as u32),
        Type::Recording => Value::Recording(random.word()),
        Type::Enum(id) => {
            let variants = meta.types.variants(*id);
            let variant = random.below(variants.len());
            let fields = variants.get(variant).map_or(&[][..], |variant| &variant.fields);
            let values = fields.iter().map(|field| value(random, meta, &field.r#type)).collect();
            Value::Enum(variant as u32, values)
        }
        Type::List(row) => Value::List((0..random.below(4)).map(|_| value(random, meta, row)).collect()),
        Type::Record(id) => {
            let fields = meta.types.records.get(*id as usize).map_or(&[][..], |record| &record.fields);
            Value::Record(fields.iter().map(|field| value(random, meta, &field.r#type)).collect())
        }
        Type::Optional(_) if random.chance(30) => Value::None,
        Type::Optional(inner) => Value::Some(Box::new(value(random, meta, inner))),
        Type::Private(_) => Value::Private(Private(text(random).into())),
    }
}

fn text(random: &mut Random) -> String {
    match random.below(3) {
        0 => random.word().to_string(),
        1 => "€".repeat(random.below(400)),
        _ => random.pick(&TEXTS).copied().unwrap_or_default().to_owned(),
    }
}
