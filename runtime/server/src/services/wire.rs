//! Values of a flow as JSON, and back, by the declared types (the language reference, "Services on the wire").
//! What does not fit its type is refused here, so that nothing wrong gets into a call. No HTTP.
//!
//! Beside what the reference fixes: Decimal and Percent (as a share of 1) are exact texts like `"12.5"`, and may
//! come as numbers; Date is `2026-03-02`, Clock `09:00`, Phone E.164 with `+`, Language its tag.

use runtime_contract::limits::{LIST_LEN_MAX, TEXT_BYTES_MAX};
use runtime_contract::program::{Operation, ProgramMeta};
use runtime_contract::spoken::decimal_figures;
use runtime_contract::time::Time;
use runtime_contract::types::{Field, Type, Variant};
use runtime_contract::value::{Money, Phone, Private, Value};
use runtime_contract::{calendar, currency, moment};
use serde_json::{Map, Number, Value as Json};
use zeroize::Zeroizing;

const DECIMAL_SCALE: u64 = 1_000_000;
const MONEY_SCALE: u64 = 10_000;
const DAY_MS: i64 = 86_400_000;
/// Optionals and records inside each other; the checker allows no recursive record, this bounds a damaged graph.
const DEPTH_MAX: u32 = 64;

/// A value that has no form on the wire, or an answer that does not fit its type: where, for the log. It never
/// holds the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit(pub String);

fn unfit<T>(what: &str) -> Result<T, Unfit> {
    Err(Unfit(what.to_owned()))
}

/// The request's body: an object of the arguments by name.
pub fn arguments_to_json(meta: &ProgramMeta, operation: &Operation, values: &[Value]) -> Result<Json, Unfit> {
    let mut object = Map::new();
    for (parameter, value) in operation.parameters.iter().zip(values) {
        object.insert(parameter.name.clone(), value_to_json(meta, &parameter.r#type, value, 0)?);
    }
    Ok(Json::Object(object))
}

fn value_to_json(meta: &ProgramMeta, r#type: &Type, value: &Value, depth: u32) -> Result<Json, Unfit> {
    if depth > DEPTH_MAX {
        return unfit("a value too deep");
    }
    let decimal = |scaled: i64| Json::String(decimal_figures(scaled, DECIMAL_SCALE));
    Ok(match (r#type, value) {
        (_, Value::Bool(b)) => Json::Bool(*b),
        (_, Value::Int(n)) => Json::from(*n),
        (_, Value::Decimal(scaled)) => decimal(*scaled),
        (_, Value::Money(money)) => money_to_json(*money)?,
        (Type::Duration, Value::Moment(ms)) => duration_to_json(*ms),
        (Type::Time, Value::Moment(ms)) => match moment::time_to_rfc3339(Time(*ms)) {
            Some(text) => Json::String(text),
            None => return unfit("a time outside the calendar"),
        },
        (Type::Date, Value::Moment(days)) => match moment::date_to_iso(*days) {
            Some(text) => Json::String(text),
            None => return unfit("a date outside the calendar"),
        },
        (Type::Clock, Value::Moment(ms)) => Json::String(clock_to_text(*ms)),
        (_, Value::Text(text)) => Json::String(text.clone()),
        (_, Value::Phone(phone)) => Json::String(phone.e164().into_inner()),
        (_, Value::Language(index)) => match meta.languages.get(*index as usize) {
            Some(tag) => Json::String(tag.clone()),
            None => return unfit("an unknown language"),
        },
        (_, Value::Recording(id)) => Json::from(*id),
        (Type::Enum(id), Value::Enum(index, values)) => {
            let Some(variant) = meta.types.variants(*id).get(*index as usize) else {
                return unfit("an unknown variant");
            };
            if variant.fields.is_empty() {
                return Ok(Json::String(variant.name.clone()));
            }
            let carried = fields_to_json(meta, &variant.fields, values, depth)?;
            Json::Object([(variant.name.clone(), carried)].into_iter().collect())
        }
        (Type::List(row), Value::List(values)) => {
            let rows = values.iter().map(|value| value_to_json(meta, row, value, depth + 1));
            Json::Array(rows.collect::<Result<_, _>>()?)
        }
        (Type::Record(id), Value::Record(values)) => {
            let fields = meta.types.records.get(*id as usize).map_or(&[][..], |record| &record.fields);
            fields_to_json(meta, fields, values, depth)?
        }
        (Type::Optional(_), Value::None) => Json::Null,
        (Type::Optional(inner), Value::Some(value)) => value_to_json(meta, inner, value, depth + 1)?,
        (Type::Private(_), Value::Private(value)) => Json::String(value.0.to_string()),
        // A plain value may stand where a private one is declared.
        (Type::Private(inner), value) => value_to_json(meta, inner, value, depth + 1)?,
        _ => return unfit("a value of another type"),
    })
}

fn fields_to_json(meta: &ProgramMeta, fields: &[Field], values: &[Value], depth: u32) -> Result<Json, Unfit> {
    let mut object = Map::new();
    for (field, value) in fields.iter().zip(values) {
        object.insert(field.name.clone(), value_to_json(meta, &field.r#type, value, depth + 1)?);
    }
    Ok(Json::Object(object))
}

/// The answer's body as a value of the declared type.
pub fn json_to_result(meta: &ProgramMeta, r#type: &Type, body: &[u8]) -> Result<Value, Unfit> {
    match serde_json::from_slice(body) {
        Ok(json) => json_to_value(meta, r#type, &json, 0),
        Err(_) => unfit("the answer is not JSON"),
    }
}

fn json_to_value(meta: &ProgramMeta, r#type: &Type, json: &Json, depth: u32) -> Result<Value, Unfit> {
    if depth > DEPTH_MAX {
        return unfit("a value too deep");
    }
    let value = match (r#type, json) {
        (Type::Optional(_), Json::Null) => Some(Value::None),
        (Type::Optional(inner), json) => Some(Value::Some(Box::new(json_to_value(meta, inner, json, depth + 1)?))),
        (Type::Bool, Json::Bool(b)) => Some(Value::Bool(*b)),
        (Type::Int, Json::Number(n)) => n.as_i64().map(Value::Int),
        (Type::Decimal | Type::Percent, json) => figures(json, DECIMAL_SCALE).map(Value::Decimal),
        (Type::Money, Json::Object(object)) => json_to_money(object).map(Value::Money),
        (Type::Duration, Json::Number(n)) => scaled(&n.to_string(), 1_000).map(Value::Moment),
        (Type::Time, Json::String(text)) => moment::rfc3339_to_time(text).map(|time| Value::Moment(time.0)),
        (Type::Date, Json::String(text)) => moment::iso_to_date(text).map(Value::Moment),
        (Type::Clock, Json::String(text)) => text_to_clock(text).map(Value::Moment),
        (Type::Text, Json::String(text)) => (text.len() <= TEXT_BYTES_MAX).then(|| Value::Text(text.clone())),
        (Type::Digits, Json::String(text)) => digits(text).map(Value::Text),
        (Type::TimeZone, Json::String(text)) => calendar::is_zone(text).then(|| Value::Text(text.clone())),
        (Type::Phone, Json::String(text)) => Phone::parse(text, true).map(Value::Phone),
        // An unknown language becomes the first, as the contract says.
        (Type::Language, Json::String(tag)) => {
            let index = meta.languages.iter().position(|known| known.eq_ignore_ascii_case(tag));
            Some(Value::Language(index.unwrap_or(0) as u32))
        }
        (Type::Recording, Json::Number(n)) => n.as_u64().map(Value::Recording),
        (Type::Enum(id), Json::String(name)) => {
            let plain = |variant: &Variant| variant.name == *name && variant.fields.is_empty();
            meta.types.variants(*id).iter().position(plain).map(|index| Value::Enum(index as u32, Vec::new()))
        }
        (Type::Enum(id), Json::Object(object)) => json_to_variant(meta, *id, object, depth)?,
        (Type::List(row), Json::Array(rows)) if rows.len() <= LIST_LEN_MAX => {
            let rows = rows.iter().zip(1..).map(|(json, at)| {
                let row = json_to_value(meta, row, json, depth + 1);
                row.map_err(|Unfit(what)| Unfit(format!("row {at}: {what}")))
            });
            Some(Value::List(rows.collect::<Result<_, _>>()?))
        }
        (Type::Record(id), Json::Object(object)) => return json_to_record(meta, *id, object, depth),
        (Type::Private(inner), json) => private(meta, inner, json, depth)?,
        _ => None,
    };
    value.ok_or_else(|| Unfit(format!("the answer is no {}", type_name(meta, r#type))))
}

fn json_to_record(meta: &ProgramMeta, id: u32, object: &Map<String, Json>, depth: u32) -> Result<Value, Unfit> {
    let Some(record) = meta.types.records.get(id as usize) else { return unfit("an unknown record") };
    json_to_fields(meta, &record.fields, object, depth).map(Value::Record)
}

/// `{"later": {"at": …}}`
fn json_to_variant(
    meta: &ProgramMeta,
    id: u32,
    object: &Map<String, Json>,
    depth: u32,
) -> Result<Option<Value>, Unfit> {
    let Some((name, Json::Object(carried))) = object.iter().next().filter(|_| object.len() == 1) else {
        return Ok(None);
    };
    let found = meta.types.variants(id).iter().zip(0..).find(|(variant, _)| variant.name == *name);
    let Some((variant, index)) = found.filter(|(variant, _)| !variant.fields.is_empty()) else { return Ok(None) };
    Ok(Some(Value::Enum(index, json_to_fields(meta, &variant.fields, carried, depth)?)))
}

fn json_to_fields(
    meta: &ProgramMeta,
    fields: &[Field],
    object: &Map<String, Json>,
    depth: u32,
) -> Result<Vec<Value>, Unfit> {
    let read = |field: &Field| {
        let json = object.get(&field.name).unwrap_or(&Json::Null);
        json_to_value(meta, &field.r#type, json, depth + 1)
            .map_err(|Unfit(what)| Unfit(format!("`{}`: {what}", field.name)))
    };
    fields.iter().map(read).collect()
}

/// Only what is a text in a slot can be private.
fn private(meta: &ProgramMeta, inner: &Type, json: &Json, depth: u32) -> Result<Option<Value>, Unfit> {
    Ok(match json_to_value(meta, inner, json, depth + 1)? {
        Value::Text(text) => Some(Value::Private(Private(Zeroizing::new(text)))),
        _ => None,
    })
}

fn money_to_json(money: Money) -> Result<Json, Unfit> {
    let Some(letters) = currency::letters(money.currency) else { return unfit("an unknown currency") };
    let hundredths = money.amount / 100;
    // Two places at least, as prices are written: 12.50, not 12.5.
    let amount = if money.amount % 100 == 0 {
        let sign = if money.amount < 0 { "-" } else { "" };
        format!("{sign}{}.{:02}", hundredths.unsigned_abs() / 100, hundredths.unsigned_abs() % 100)
    } else {
        decimal_figures(money.amount, MONEY_SCALE)
    };
    let mut object = Map::new();
    object.insert("amount".to_owned(), Json::String(amount));
    object.insert("currency".to_owned(), Json::String(letters.to_owned()));
    Ok(Json::Object(object))
}

fn json_to_money(object: &Map<String, Json>) -> Option<Money> {
    let amount = figures(object.get("amount")?, MONEY_SCALE)?;
    let currency = currency::number(object.get("currency")?.as_str()?)?;
    Some(Money { amount, currency })
}

fn duration_to_json(ms: i64) -> Json {
    if ms % 1_000 == 0 {
        return Json::from(ms / 1_000);
    }
    Number::from_f64(ms as f64 / 1_000.0).map_or(Json::Null, Json::Number)
}

/// A decimal as a text or a number.
fn figures(json: &Json, scale: u64) -> Option<i64> {
    match json {
        Json::String(text) => scaled(text, scale),
        Json::Number(number) => scaled(&number.to_string(), scale),
        _ => None,
    }
}

/// `-12.50` × scale (a power of ten); `None` when it has more places than that, or is too large.
fn scaled(text: &str, scale: u64) -> Option<i64> {
    let (negative, figures) = match text.strip_prefix('-') {
        Some(figures) => (true, figures),
        None => (false, text),
    };
    let (whole, places) = figures.split_once('.').unwrap_or((figures, "0"));
    let is_figures = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let places_max = scale.ilog10() as usize;
    let places = places.trim_end_matches('0');
    if !is_figures(whole) || places.len() > places_max || !places.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let places: i64 = format!("{places:0<places_max$}").parse().ok()?;
    let magnitude = whole.parse::<i64>().ok()?.checked_mul(i64::try_from(scale).ok()?)?.checked_add(places)?;
    Some(if negative { -magnitude } else { magnitude })
}

fn digits(text: &str) -> Option<String> {
    let fits = text.len() <= TEXT_BYTES_MAX && text.bytes().all(|b| b.is_ascii_digit() || b == b'*' || b == b'#');
    fits.then(|| text.to_owned())
}

fn clock_to_text(ms: i64) -> String {
    let minutes = ms.rem_euclid(DAY_MS) / 60_000;
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

fn text_to_clock(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    let part = |text: &str, max: i64| {
        let fits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| text.parse::<i64>().ok())?.filter(|number| *number <= max)
    };
    Some((part(hours, 23)? * 60 + part(minutes, 59)?) * 60_000)
}

fn type_name(meta: &ProgramMeta, r#type: &Type) -> String {
    match r#type {
        Type::Enum(id) => meta.types.enums.get(*id as usize).map_or("enum".into(), |e| e.name.clone()),
        Type::Record(id) => meta.types.records.get(*id as usize).map_or("record".into(), |r| r.name.clone()),
        Type::Private(inner) => type_name(meta, inner),
        Type::List(row) => format!("list of at most {LIST_LEN_MAX} {}", type_name(meta, row)),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests;
