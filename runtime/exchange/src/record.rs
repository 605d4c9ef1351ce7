//! Words of the call record: how a call ended, and noted values as people read them.

use runtime_contract::currency;
use runtime_contract::host::DECIMAL_ONE;
use runtime_contract::leg::GoneCause;
use runtime_contract::record::{CallId, CallRecord};
use runtime_contract::spoken::decimal_figures;
use runtime_contract::types::Field;
use runtime_contract::value::Value;
use runtime_contract::{FaultKind, ProgramMeta, SiteId, Type};
use runtime_session::{EndCause, StopReason};

pub(crate) fn end_text(cause: EndCause) -> String {
    match cause {
        EndCause::Returned => "returned".to_owned(),
        EndCause::HungUp => "hung up".to_owned(),
        EndCause::Rejected => "rejected".to_owned(),
        EndCause::Gone(cause) => gone_text(cause).to_owned(),
        EndCause::Fault(kind) => format!("fault: {}", FaultKind::name(kind)),
        EndCause::Stopped(StopReason::Drain) => "stopped".to_owned(),
        EndCause::Stopped(StopReason::TooLong) => "too long".to_owned(),
        EndCause::Stopped(StopReason::Crash) => "crash".to_owned(),
    }
}

fn gone_text(cause: GoneCause) -> &'static str {
    match cause {
        GoneCause::RemoteHungUp => "caller hung up",
        GoneCause::Cancelled => "caller gave up",
        GoneCause::NoAck => "answer not acknowledged",
        GoneCause::LocalHungUp => "hung up",
        GoneCause::Refused(_) => "refused",
        GoneCause::NoAnswer => "no answer",
        GoneCause::Unreachable => "unreachable",
        GoneCause::NoCommonMedia => "no common codec",
        GoneCause::Failed => "line failed",
        GoneCause::Transferred => "transferred",
    }
}

/// `hotline.hotline/main`, or the flow alone in its top part.
pub(crate) fn step_text(meta: &ProgramMeta, site: SiteId) -> String {
    let Some(site) = meta.site(site) else { return String::new() };
    let flow = meta.flow(site.flow).map_or("", |flow| flow.name.as_str());
    if site.step.is_empty() { flow.to_owned() } else { format!("{flow}/{}", site.step) }
}

/// Figures and names, in no language: `12.50 CNY`, `gold`, `+8613800000000`.
pub fn note_text(meta: &ProgramMeta, r#type: &Type, value: &Value) -> String {
    match (value, r#type) {
        (Value::Bool(true), _) => "yes".to_owned(),
        (Value::Bool(false), _) => "no".to_owned(),
        (Value::Int(number), _) => number.to_string(),
        (Value::Decimal(number), Type::Percent) => {
            format!("{}%", decimal_figures(number.saturating_mul(100), DECIMAL_ONE as u64))
        }
        (Value::Decimal(number), _) => decimal_figures(*number, DECIMAL_ONE as u64),
        (Value::Money(money), _) => {
            let letters = currency::letters(money.currency).unwrap_or("?");
            format!("{} {letters}", amount_text(money.amount))
        }
        (Value::Moment(moment), r#type) => moment_text(*moment, r#type),
        (Value::Text(text), _) => text.clone(),
        (Value::Phone(phone), _) => phone.e164().into_inner(),
        (Value::Language(index), _) => meta.languages.get(*index as usize).cloned().unwrap_or_default(),
        (Value::Recording(id), _) => format!("recording {id}"),
        (Value::Enum(index, values), Type::Enum(id)) => match meta.types.variants(*id).get(*index as usize) {
            Some(variant) if variant.fields.is_empty() => variant.name.clone(),
            Some(variant) => format!("{}({})", variant.name, fields_text(meta, &variant.fields, values)),
            None => index.to_string(),
        },
        (Value::Enum(index, _), _) => index.to_string(),
        (Value::Record(values), Type::Record(id)) => {
            let fields = meta.types.records.get(*id as usize).map_or(&[][..], |record| &record.fields);
            fields_text(meta, fields, values)
        }
        (Value::List(values), Type::List(row)) => {
            let rows: Vec<String> = values.iter().map(|value| note_text(meta, row, value)).collect();
            format!("[{}]", rows.join(", "))
        }
        (Value::Record(_) | Value::List(_), _) => String::new(),
        (Value::None, _) => "none".to_owned(),
        (Value::Some(value), Type::Optional(inner)) => note_text(meta, inner, value),
        (Value::Some(value), r#type) => note_text(meta, r#type, value),
        (Value::Private(_), _) => "•".to_owned(),
    }
}

/// At least two places: `12.50`.
fn amount_text(amount: i64) -> String {
    let figures = decimal_figures(amount, 10_000);
    match figures.split_once('.') {
        None => format!("{figures}.00"),
        Some((_, places)) if places.len() == 1 => format!("{figures}0"),
        Some(_) => figures,
    }
}

fn fields_text(meta: &ProgramMeta, fields: &[Field], values: &[Value]) -> String {
    let fields = fields.iter().zip(values);
    let fields = fields.map(|(field, value)| format!("{}: {}", field.name, note_text(meta, &field.r#type, value)));
    fields.collect::<Vec<_>>().join(", ")
}

/// Times in UTC: a call record is read in more than one place.
fn moment_text(moment: i64, r#type: &Type) -> String {
    let time = |ms: i64| runtime_contract::calendar::local_text(runtime_contract::Time(ms), "UTC");
    match r#type {
        Type::Time => format!("{} UTC", time(moment)),
        Type::Date => time(moment.saturating_mul(86_400_000)).split(' ').next().unwrap_or_default().to_owned(),
        Type::Clock => format!("{:02}:{:02}", moment / 3_600_000, moment / 60_000 % 60),
        _ => format!("{} s", decimal_figures(moment, 1_000)),
    }
}

/// Of a call of which nothing else is known yet.
pub(crate) fn empty_record(call: CallId) -> CallRecord {
    CallRecord {
        call,
        leg_call_id: String::new(),
        graph: runtime_contract::GraphId::default(),
        flow: String::new(),
        caller: None,
        called: String::new(),
        started: runtime_contract::Time(0),
        answered: None,
        ended: runtime_contract::Time(0),
        end: String::new(),
        last_step: String::new(),
        notes: Vec::new(),
        faults: 0,
        recordings: Vec::new(),
        quality: None,
    }
}

#[cfg(test)]
mod tests {
    use runtime_contract::value::Money;

    use super::*;

    #[test]
    fn notes_read_as_figures_and_names() {
        let meta = ProgramMeta::default();
        let text = |r#type: &Type, value: &Value| note_text(&meta, r#type, value);
        assert_eq!(text(&Type::Money, &Value::Money(Money { amount: 125_000, currency: 156 })), "12.50 CNY");
        assert_eq!(text(&Type::Duration, &Value::Moment(90_500)), "90.5 s");
        assert_eq!(text(&Type::Date, &Value::Moment(20_514)), "2026-03-02");
        assert_eq!(text(&Type::Clock, &Value::Moment(9 * 3_600_000 + 300_000)), "09:05");
        assert_eq!(text(&Type::Optional(Box::new(Type::Int)), &Value::Some(Box::new(Value::Int(3)))), "3");
    }
}
