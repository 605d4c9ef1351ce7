//! Random values of a type, as the world might send them: often small, sometimes at an edge.

use runtime_contract::program::ProgramMeta;
use runtime_contract::types::Type;
use runtime_contract::value::{Money, Phone, Private, Value};

use super::chance::Chance;

const TEXTS: &[&str] = &["", "a", "li", "上海", "a longer text that no flow holds"];

pub fn any(chance: &mut Chance, meta: &ProgramMeta, r#type: &Type) -> Value {
    match r#type {
        Type::Bool => Value::Bool(chance.one_in(2)),
        Type::Int => Value::Int(*chance.of(&[0, 1, 2, 3, 7, 10, -1, 1 << 40, i64::MAX, i64::MIN])),
        Type::Decimal | Type::Percent => Value::Decimal(*chance.of(&[0, 1, 500_000, 1_000_000, -3_333_333, i64::MAX])),
        Type::Money => {
            let amount = *chance.of(&[0, 1, 125_000, -10_000, 1 << 50]);
            Value::Money(Money { amount, currency: *chance.of(&[156, 156, 156, 840]) })
        }
        Type::Duration | Type::Time | Type::Date | Type::Clock => Value::Moment(*chance.of(&[0, 1_500, 90_000, -1])),
        Type::Text | Type::TimeZone => Value::Text((*chance.of(TEXTS)).to_owned()),
        Type::Digits => Value::Text((*chance.of(&["1234", "0000", "987654"])).to_owned()),
        Type::Phone => Value::Phone(Phone::parse("+12125550100", true).unwrap()),
        Type::Language => Value::Language(chance.below(meta.languages.len() as u64) as u32),
        Type::Recording => Value::Recording(chance.below(9)),
        Type::Enum(id) => {
            let variants = meta.types.variants(*id);
            let variant = chance.below(variants.len() as u64) as usize;
            let fields = &variants[variant].fields;
            Value::Enum(variant as u32, fields.iter().map(|field| any(chance, meta, &field.r#type)).collect())
        }
        Type::List(row) => Value::List((0..chance.below(4)).map(|_| any(chance, meta, row)).collect()),
        Type::Private(_) => Value::Private(Private(
            (*chance.of(&["4111111111111111", "4111111111111112", "123456789012"])).to_owned().into(),
        )),
        Type::Optional(_) if chance.one_in(3) => Value::None,
        Type::Optional(inner) => Value::Some(Box::new(any(chance, meta, inner))),
        Type::Record(id) => {
            let fields = &meta.types.records[*id as usize].fields;
            Value::Record(fields.iter().map(|field| any(chance, meta, &field.r#type)).collect())
        }
    }
}
