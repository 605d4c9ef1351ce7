//! Profiles of the law: what a constant of `std.law.Law` says, as data. What they mean for one instant is `legal`'s, and
//! for attempts `caps`'.

use serde::{Deserialize, Serialize};

use super::{Cap, Per, WindowTimes};
use crate::calendar::DAY_MS;
use crate::value::Value;

/// A profile of the law, as a constant of the type `std.law.Law` says it. Not legal advice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Law {
    /// `us_tsr`
    pub name: String,
    /// Where it stands: `16 CFR 310.4(b)`.
    pub source: String,
    /// Since when it has said so, in days since 1970.
    pub as_of: i32,
    /// Hours of each day in which a person may be called, where he is: minutes since midnight, the last not included.
    pub from_minute: u16,
    pub until_minute: u16,
    /// It rings at least so long before it is given up.
    pub ring_ms_min: Option<u32>,
    /// Attempts of one person.
    pub caps: Vec<Cap>,
    /// Of these only attempts that somebody answered count.
    pub conversation_caps: Vec<Cap>,
    /// After a conversation nobody calls for so long.
    pub quiet_after_conversation_ms: Option<u64>,
    pub predictive_allowed: bool,
    /// A call is abandoned when no agent is joined so soon after the person's greeting.
    pub join_ms_max: Option<u32>,
    /// Share of the calls that a person answered, × 10⁻⁶, over so long a time.
    pub abandoned_max: Option<i64>,
    pub abandoned_over_ms: Option<u64>,
    /// Who does not take the call (`declined`) is not called again. We call nobody again who declined, whatever it says.
    pub refusal_is_final: bool,
    /// Business days in which a revocation takes effect. Ours does at once.
    pub revocation_days_max: Option<u32>,
    /// Calls, consents and recordings are kept at least so long.
    pub records_ms_min: u64,
}

const MINUTE_MS: i64 = 60_000;

impl Law {
    /// Fields of `std.law.Law`, in order.
    pub const FIELDS: [&str; 15] = [
        "source",
        "as_of",
        "from",
        "until",
        "ring_min",
        "calls",
        "conversations",
        "quiet_after_conversation",
        "predictive",
        "join_max",
        "abandoned_max",
        "abandoned_over",
        "refusal_is_final",
        "revocation_days_max",
        "records_min",
    ];

    /// Of a record with these fields. `None`: a value of another type, or one that cannot be meant: hours that end before
    /// they begin, a length below nothing.
    pub fn from_value(name: &str, value: &Value) -> Option<Law> {
        let Value::Record(fields) = value else { return None };
        let [
            Value::Text(source),
            Value::Moment(as_of),
            Value::Moment(from),
            Value::Moment(until),
            ring_min,
            Value::List(calls),
            Value::List(conversations),
            quiet,
            Value::Bool(predictive),
            join_max,
            abandoned_max,
            abandoned_over,
            Value::Bool(refusal_is_final),
            revocation,
            records_min,
        ] = fields.as_slice()
        else {
            return None;
        };
        let caps = |rows: &[Value]| rows.iter().map(Cap::from_value).collect::<Option<Vec<_>>>();
        let minute = |ms: &i64| u16::try_from(ms / MINUTE_MS).ok();
        let law = Law {
            name: name.to_owned(),
            source: source.clone(),
            as_of: i32::try_from(*as_of).ok()?,
            from_minute: minute(from)?,
            until_minute: minute(until)?,
            ring_ms_min: optional(ring_min, length)?.map(u32::try_from).transpose().ok()?,
            caps: caps(calls)?,
            conversation_caps: caps(conversations)?,
            quiet_after_conversation_ms: optional(quiet, length)?,
            predictive_allowed: *predictive,
            join_ms_max: optional(join_max, length)?.map(u32::try_from).transpose().ok()?,
            abandoned_max: optional(abandoned_max, |value| match value {
                Value::Decimal(share) => Some(*share),
                _ => None,
            })?,
            abandoned_over_ms: optional(abandoned_over, length)?,
            refusal_is_final: *refusal_is_final,
            revocation_days_max: optional(revocation, count)?,
            records_ms_min: length(records_min)?,
        };
        Some(law)
    }

    /// Its hours, as a window says them.
    pub fn window(&self) -> WindowTimes {
        WindowTimes { days: [true; 7], from_minute: self.from_minute, until_minute: self.until_minute }
    }

    pub(super) fn is_open_all_day(&self) -> bool {
        self.from_minute == 0 && i64::from(self.until_minute) * MINUTE_MS >= DAY_MS
    }

    /// The first line of a window that is open when this law is not.
    pub fn outside<'w>(&self, window: &'w [WindowTimes]) -> Option<&'w WindowTimes> {
        window.iter().find(|line| line.from_minute < self.from_minute || line.until_minute > self.until_minute)
    }
}

impl Cap {
    /// Fields of `std.law.Cap`, in order.
    pub const FIELDS: [&str; 2] = ["count", "within"];

    fn from_value(value: &Value) -> Option<Cap> {
        let Value::Record(fields) = value else { return None };
        let [number, within] = fields.as_slice() else { return None };
        let per = optional(within, length)?.map_or(Per::Day, |ms| Per::Rolling { ms });
        Some(Cap { count: count(number)?, per })
    }
}

/// `None`: what is there is of another type.
pub(super) fn optional<T>(value: &Value, read: impl Fn(&Value) -> Option<T>) -> Option<Option<T>> {
    match value {
        Value::None => Some(None),
        Value::Some(value) => Some(Some(read(value)?)),
        _ => None,
    }
}

fn length(value: &Value) -> Option<u64> {
    match value {
        Value::Moment(ms) => u64::try_from(*ms).ok(),
        _ => None,
    }
}

fn count(value: &Value) -> Option<u32> {
    match value {
        Value::Int(count) => u32::try_from(*count).ok(),
        _ => None,
    }
}
