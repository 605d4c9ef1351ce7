//! What requests carry that go beyond the caller: calls out and onward, messages, cases.

use serde::{Deserialize, Serialize};

use super::{Kind, Prompts};
use crate::cadence;
use crate::channel;
use crate::types::Type;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dial {
    /// By voice it is `dial`, in writing `message`.
    pub by: channel::Channel,
    /// `from N`: a Phone.
    pub from: bool,
    /// Of a call.
    pub ring_ms: u32,
}

impl Dial {
    /// Outcomes with which somebody, or his machine, is on the line.
    pub const PERSON: u32 = 0;
    pub const MACHINE: u32 = 1;
    /// In writing.
    pub const DELIVERED: u32 = 0;
    pub const UNDELIVERED: u32 = 1;

    pub fn makes_line(by: channel::Channel, outcome: u32) -> bool {
        outcome <= if by.is_written() { Dial::DELIVERED } else { Dial::MACHINE }
    }

    /// What its outcome says of the attempt.
    pub fn reached(by: channel::Channel, outcome: u32) -> cadence::Outcome {
        use cadence::Outcome;
        let all = match by.is_written() {
            true => &[Outcome::Delivered, Outcome::Undelivered][..],
            false => &[
                Outcome::Person,
                Outcome::Machine,
                Outcome::Busy,
                Outcome::Unanswered,
                Outcome::Declined,
                Outcome::Unreachable,
            ],
        };
        all.get(outcome as usize).copied().unwrap_or(Outcome::Interrupted)
    }

    pub fn kind(by: channel::Channel) -> Kind {
        if by.is_written() { Kind::Reach } else { Kind::Dial }
    }
}

/// Whom a call is connected or given to: the type of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Destination {
    /// Phone.
    Number,
    /// Digits.
    Extension,
}

impl Destination {
    pub fn value(self) -> Type {
        match self {
            Destination::Number => Type::Phone,
            Destination::Extension => Type::Digits,
        }
    }
}

/// Arguments: whom the caller is connected to, and the number that he is shown when there is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connect {
    pub to: Destination,
    /// `from N`: a Phone.
    pub from: bool,
    pub ring_ms: u32,
}

/// Arguments: the values of the text's holes, and behind them to whom it goes where the flow says so: a Phone of an SMS,
/// a Text of an e-mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub channel: Channel,
    /// `to E`. An SMS without it goes to the caller.
    pub to: bool,
    /// One text.
    pub text: Prompts,
}

/// How a message goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Channel {
    Sms,
    Email,
    /// To the caller's own, where he writes in one.
    Chat,
    /// To people of the site, by the name of their group.
    Notify(String),
}

impl Channel {
    /// As the flow writes it; `notify` alone for its groups.
    pub fn name(&self) -> &'static str {
        match self {
            Channel::Sms => "sms",
            Channel::Email => "email",
            Channel::Chat => "chat",
            Channel::Notify(_) => "notify",
        }
    }

    /// Type of `to E`.
    pub fn address(&self) -> Type {
        match self {
            Channel::Sms => Type::Phone,
            Channel::Email | Channel::Chat | Channel::Notify(_) => Type::Text,
        }
    }
}

/// Bytes of an e-mail address (RFC 5321 §4.5.3.1.3, without its brackets).
const MAIL_ADDRESS_BYTES_MAX: usize = 254;

/// One part before and one behind a single `@`, without blanks. More is for the mail server to judge.
pub fn is_mail_address(text: &str) -> bool {
    let parts = text.split_once('@').filter(|_| text.len() <= MAIL_ADDRESS_BYTES_MAX);
    parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'))
        && !text.chars().any(|sign| sign.is_whitespace() || sign.is_control())
}

/// `open case KIND priority P`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    pub kind: String,
    pub priority: CasePriority,
}

/// How soon somebody should look at a case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CasePriority {
    Low,
    #[default]
    Normal,
    High,
    Urgent,
}

impl CasePriority {
    pub const ALL: [CasePriority; 4] =
        [CasePriority::Low, CasePriority::Normal, CasePriority::High, CasePriority::Urgent];

    pub fn name(self) -> &'static str {
        match self {
            CasePriority::Low => "low",
            CasePriority::Normal => "normal",
            CasePriority::High => "high",
            CasePriority::Urgent => "urgent",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_address_has_one_at() {
        assert!(is_mail_address("ann@acme.example"));
        for wrong in ["", "ann", "@acme.example", "ann@", "a@b@c", "ann @acme.example", "a@b\r\nBcc: c"] {
            assert!(!is_mail_address(wrong), "{wrong:?}");
        }
        let long = |bytes: usize| format!("{}@b", "a".repeat(bytes - 2));
        assert!(is_mail_address(&long(254)) && !is_mail_address(&long(255)));
    }
}
