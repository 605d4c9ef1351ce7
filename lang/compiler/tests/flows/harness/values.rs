//! Values as a script writes them and a transcript shows them.

use runtime_contract::currency;
use runtime_contract::program::ProgramMeta;
use runtime_contract::types::Type;
use runtime_contract::value::{Money, Phone, Private, Value};

/// `(a; b)` is a record or a list, `later(a; b)` a variant; `none`, or the value itself, is an optional.
pub fn parse(meta: &ProgramMeta, r#type: &Type, text: &str) -> Value {
    let figure = |scale: i64| {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let part: i64 = format!("{part:0<6}").parse().unwrap();
        whole.parse::<i64>().unwrap() * scale + part * scale / 1_000_000
    };
    match r#type {
        Type::Bool => Value::Bool(text == "true"),
        Type::Int => Value::Int(text.parse().unwrap()),
        Type::Decimal | Type::Percent => Value::Decimal(figure(1_000_000)),
        Type::Money => {
            let (amount, currency) = text.split_once(' ').unwrap();
            let Value::Decimal(amount) = parse(meta, &Type::Decimal, amount) else { unreachable!() };
            Value::Money(Money { amount: amount / 100, currency: currency::number(currency).unwrap() })
        }
        Type::Duration | Type::Time | Type::Date | Type::Clock => Value::Moment(text.parse().unwrap()),
        Type::Text | Type::Digits | Type::TimeZone => Value::Text(text.to_owned()),
        Type::Phone => Value::Phone(Phone::parse(text, true).unwrap()),
        Type::Language => Value::Language(meta.languages.iter().position(|tag| tag == text).unwrap() as u32),
        Type::Recording => Value::Recording(text.parse().unwrap()),
        Type::Enum(id) => {
            let (name, carried) = text.split_at(text.find('(').unwrap_or(text.len()));
            let variants = meta.types.variants(*id);
            let index = variants.iter().position(|variant| variant.name == name).unwrap();
            let parts = if carried.is_empty() { Vec::new() } else { fields_of(carried) };
            let fields = variants[index].fields.iter().zip(parts);
            Value::Enum(index as u32, fields.map(|(field, part)| parse(meta, &field.r#type, part)).collect())
        }
        Type::List(_) if text == "()" => Value::List(Vec::new()),
        Type::List(row) => Value::List(fields_of(text).into_iter().map(|part| parse(meta, row, part)).collect()),
        Type::Private(_) => Value::Private(Private(text.to_owned().into())),
        Type::Optional(_) if text == "none" => Value::None,
        Type::Optional(inner) => Value::Some(Box::new(parse(meta, inner, text))),
        Type::Record(id) => {
            let fields = &meta.types.records[*id as usize].fields;
            let parts = fields_of(text);
            assert_eq!(parts.len(), fields.len(), "{text}");
            Value::Record(fields.iter().zip(parts).map(|(field, part)| parse(meta, &field.r#type, part)).collect())
        }
    }
}

/// What stands between the `;` of a record, brackets within passed over.
fn fields_of(text: &str) -> Vec<&str> {
    let inside = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')).unwrap();
    let mut depth = 0;
    let parts = inside.split(move |c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ';' && depth == 0
    });
    parts.map(str::trim).collect()
}

pub fn show(meta: &ProgramMeta, value: &Value) -> String {
    match value {
        Value::Bool(b) => b.to_string(),
        Value::Int(n) => n.to_string(),
        Value::Decimal(n) => (*n as f64 / 1e6).to_string(),
        Value::Money(money) => {
            let code = currency::letters(money.currency).unwrap_or("?");
            format!("{} {code}", money.amount as f64 / 1e4)
        }
        Value::Moment(ms) => format!("{ms}ms"),
        Value::Text(text) => text.clone(),
        Value::Phone(phone) => format!("+{}", phone.word()),
        Value::Language(at) => meta.languages[*at as usize].clone(),
        Value::Recording(id) => format!("#{id}"),
        Value::Enum(variant, fields) if fields.is_empty() => format!("variant {variant}"),
        Value::Enum(variant, fields) => {
            let fields: Vec<String> = fields.iter().map(|field| show(meta, field)).collect();
            format!("variant {variant}({})", fields.join("; "))
        }
        Value::List(rows) => format!("[{}]", rows.iter().map(|row| show(meta, row)).collect::<Vec<_>>().join(", ")),
        Value::Record(fields) => fields.iter().map(|field| show(meta, field)).collect::<Vec<_>>().join("; "),
        Value::None => "none".to_owned(),
        Value::Some(inside) => show(meta, inside),
        Value::Private(_) => "•".to_owned(),
    }
}
