//! What a program says of its calls out, as tables: whom it may call, when, how often, and what follows an attempt.
//! The states of the people who are called are `outbound`'s; nothing here calls anybody.

mod caps;
mod law;
mod legal;
#[cfg(test)]
mod tests;
mod worst;

use serde::{Deserialize, Serialize};

use crate::channel::Channel;
use crate::program::{Parameter, Place};
use crate::time::Time;
use crate::types::{EnumType, Field, Type, Variant};
use crate::value::{Phone, Value};

pub use law::Law;
pub use legal::Legal;
pub use worst::{Again, Clock, Counted, Violation, worst};

/// One `cadence` of a program. Flows are indices in `ProgramMeta::flows`; those of clauses are hidden flows
/// (`outbound.follow_up/dial`) whose parameters are the cadence's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cadence {
    /// `module.cadence`
    pub name: String,
    pub parameters: Vec<Parameter>,
    /// `consent … for P`
    pub purpose: String,
    /// A pure flow: the [`Permission`].
    pub permission: u32,
    /// A pure flow: the Phone of `dial`, or of `message`.
    pub number: Option<u32>,
    pub laws: Vec<Law>,
    /// Never empty in a program that was checked.
    pub window: Vec<WindowTimes>,
    /// A pure flow: the window's TimeZone. `None`: where the number may lie.
    pub zone: Option<u32>,
    /// Days since 1970 that are left out, rising.
    pub except: Vec<i32>,
    /// A pure flow: Time?. Before it nobody is called.
    pub begin: Option<u32>,
    pub attempts_max: u32,
    pub caps: Vec<Cap>,
    pub pace: Option<Pace>,
    pub dial: Option<Dial>,
    pub message: Option<Message>,
    /// Delays in ms of each `retry in 4h, 1d, 3d`, in order of the text; [`AttemptEnd::Retry`] names one.
    pub retries: Vec<Vec<u64>>,
    /// Names behind `stop`, each once, in order of the text; [`AttemptEnd::Stop`] names one.
    pub dispositions: Vec<String>,
    pub after: Vec<AfterAttempt>,
    /// A flow that comes back with the disposition's index as Int.
    pub exhausted: Option<u32>,
    pub place: Place,
}

impl Cadence {
    /// Those that run with a line or without one; not those that only work out a value.
    pub fn flows(&self) -> impl Iterator<Item = u32> + '_ {
        let dial = self.dial.as_ref().map(|dial| dial.flow);
        let message = self.message.as_ref().map(|message| message.flow);
        dial.into_iter().chain(message).chain(self.after.iter().map(|after| after.flow)).chain(self.exhausted)
    }
}

/// Dispositions that are final for the person, in every cadence.
pub const DECLINED: &str = "declined";
pub const OPTED_OUT: &str = "opted_out";
/// How a run ends without a word of its cadence: the person is final, has not agreed, may be nowhere or at no time.
pub const STOPS: [&str; 5] = [DECLINED, OPTED_OUT, NO_CONSENT, NO_PLACE, NEVER_LEGAL];
pub const NO_CONSENT: &str = "no_consent";
pub const NO_PLACE: &str = "no_place";
pub const NEVER_LEGAL: &str = "never_legal";
/// All attempts are used, and no clause says what that means.
pub const EXHAUSTED: &str = "exhausted";

/// `mon..sat 09:00..20:00`. What runs over midnight is two of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowTimes {
    /// Monday first.
    pub days: [bool; 7],
    /// Minutes since midnight.
    pub from_minute: u16,
    /// Not included; may be 1440.
    pub until_minute: u16,
}

/// At most so many in so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cap {
    pub count: u32,
    pub per: Per,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Per {
    /// A calendar day: of the window's zone where the cadence says it, of each place where the person may be where a law
    /// does.
    Day,
    /// Any stretch of this length, its end not included.
    Rolling { ms: u64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pace {
    Preview,
    Progressive,
    /// Calls at once for each agent who is free or soon will be, × 10⁻⁶.
    Predictive {
        lines_max: i64,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dial {
    pub from: Option<Phone>,
    pub ring_ms: u64,
    /// The attempt: it dials, and its result is a value of [`AttemptEnd`].
    pub flow: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// In writing.
    pub channel: Channel,
    pub from: Option<Phone>,
    /// As [`Dial::flow`].
    pub flow: u32,
}

/// `after attempt 3 => …`: once, when that attempt is over and did not end the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AfterAttempt {
    pub attempt: u32,
    pub flow: u32,
}

/// What a person agreed to: a value of the record `std.agreement.Permission`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permission {
    pub purpose: String,
    /// `None`: whichever number we have.
    pub number: Option<Phone>,
    pub from: Time,
    /// Not included; `None`: until it is taken back.
    pub until: Option<Time>,
    /// What shows that it was given.
    pub evidence: String,
}

impl Permission {
    /// Fields of the record, in order.
    pub const FIELDS: [&str; 5] = ["purpose", "number", "from", "until", "evidence"];

    pub const TYPE: &str = "std.agreement.Permission";

    /// Of whichever number, from the beginning and for ever, as `given_for(sales)` in a test.
    pub fn given_for(purpose: &str) -> Value {
        let evidence = Value::Text("test".to_owned());
        Value::Record(vec![Value::Text(purpose.to_owned()), Value::None, Value::Moment(0), Value::None, evidence])
    }

    /// `None`: a value of another type.
    pub fn from_value(value: &Value) -> Option<Permission> {
        let Value::Record(fields) = value else { return None };
        let [Value::Text(purpose), number, Value::Moment(from), until, Value::Text(evidence)] = fields.as_slice()
        else {
            return None;
        };
        let number = law::optional(number, |value| match value {
            Value::Phone(number) => Some(*number),
            _ => None,
        })?;
        let until = law::optional(until, |value| match value {
            Value::Moment(ms) => Some(Time(*ms)),
            _ => None,
        })?;
        let (purpose, evidence) = (purpose.clone(), evidence.clone());
        Some(Permission { purpose, number, from: Time(*from), until, evidence })
    }

    /// Whether this number may be called for this purpose at this instant.
    pub fn allows(&self, purpose: &str, number: Phone, at: Time) -> bool {
        let is_meant = self.purpose == purpose && self.number.is_none_or(|own| own == number);
        is_meant && self.from <= at && self.until.is_none_or(|until| at < until)
    }
}

/// What came of an attempt to reach the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Outcome {
    Person,
    Machine,
    Busy,
    Unanswered,
    Declined,
    Unreachable,
    Delivered,
    Undelivered,
    /// Nobody knows: the process ended, or the flow had a fault. It counts.
    Interrupted,
}

/// How an attempt ended: a value of the built-in enum `Attempt`, its variants in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttemptEnd {
    /// Index of [`Cadence::dispositions`].
    Stop {
        disposition: u32,
    },
    /// Index of [`Cadence::retries`].
    Retry {
        ladder: u32,
    },
    RetryAt {
        time: Time,
    },
}

impl AttemptEnd {
    /// The enum `Attempt` as a program's table of types has it.
    pub fn r#type() -> EnumType {
        let variant = |name: &str, field: &str, ty: Type| Variant {
            fields: vec![Field { name: field.to_owned(), r#type: ty }],
            ..Variant::plain(name)
        };
        let variants = vec![
            variant("stop", "disposition", Type::Int),
            variant("retry", "ladder", Type::Int),
            variant("retry_at", "time", Type::Time),
        ];
        EnumType { name: "Attempt".to_owned(), variants }
    }

    /// `None`: a value of another type.
    pub fn from_value(value: &Value) -> Option<AttemptEnd> {
        let Value::Enum(variant, fields) = value else { return None };
        match (variant, fields.as_slice()) {
            (0, [Value::Int(index)]) => Some(AttemptEnd::Stop { disposition: u32::try_from(*index).ok()? }),
            (1, [Value::Int(index)]) => Some(AttemptEnd::Retry { ladder: u32::try_from(*index).ok()? }),
            (2, [Value::Moment(ms)]) => Some(AttemptEnd::RetryAt { time: Time(*ms) }),
            _ => None,
        }
    }
}
