//! The one table of requests: everything a flow may ask of the world, what it carries, and what may come
//! back. The type checker, the graph, the session and the documents all read this file.

use serde::{Deserialize, Serialize};

use crate::cadence;
use crate::channel;
use crate::currency;
use crate::leg::RejectCause;
use crate::types::Type;

/// What a request needs: the caller on the line, or only the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    Line,
    World,
}

/// When the request's trace must be safe against a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Durability {
    /// Nothing to keep beyond the journal's own pace.
    None,
    /// Durable before the effect leaves or the result is given.
    Before,
    /// Durable after, within one commit.
    After,
}

/// Kinds of requests: one row each of [`TABLE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    Answer,
    Reject,
    Play,
    Menu,
    Ask,
    Record,
    Recording,
    Wait,
    Service,
    Note,
    HangUp,
    Connect,
    Transfer,
    Send,
    Notify,
    OpenCase,
    Consent,
    Queue,
    OfferCallback,
    Dial,
    /// `message` of a cadence.
    Reach,
    Start,
    Survey,
    SurveyAnswer,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub kind: Kind,
    /// The verb, as it stands in site keys, traces and documents.
    pub name: &'static str,
    pub effect: Effect,
    pub durability: Durability,
    /// Fixed outcomes in index order. A menu's choices come before these, at index 0 and up.
    pub outcomes: &'static [&'static str],
}

pub const TABLE: &[Row] = &[
    Row {
        kind: Kind::Answer,
        name: "answer",
        effect: Effect::Line,
        durability: Durability::Before,
        outcomes: &["done"],
    },
    Row { kind: Kind::Reject, name: "reject", effect: Effect::Line, durability: Durability::After, outcomes: &[] },
    Row { kind: Kind::Play, name: "say", effect: Effect::Line, durability: Durability::None, outcomes: &["done"] },
    Row {
        kind: Kind::Menu,
        name: "menu",
        effect: Effect::Line,
        durability: Durability::None,
        outcomes: &["other", "silence"],
    },
    Row {
        kind: Kind::Ask,
        name: "ask",
        effect: Effect::Line,
        durability: Durability::None,
        outcomes: &["value", "silence", "invalid"],
    },
    Row {
        kind: Kind::Record,
        name: "record",
        effect: Effect::Line,
        durability: Durability::Before,
        outcomes: &["recording", "silence"],
    },
    Row {
        kind: Kind::Recording,
        name: "recording",
        effect: Effect::Line,
        durability: Durability::None,
        outcomes: &["done"],
    },
    Row { kind: Kind::Wait, name: "wait", effect: Effect::World, durability: Durability::None, outcomes: &["done"] },
    Row {
        kind: Kind::Service,
        name: "service",
        effect: Effect::World,
        durability: Durability::None,
        outcomes: &["ok", "failed"],
    },
    Row { kind: Kind::Note, name: "note", effect: Effect::World, durability: Durability::After, outcomes: &["done"] },
    Row { kind: Kind::HangUp, name: "hang up", effect: Effect::Line, durability: Durability::After, outcomes: &[] },
    Row {
        kind: Kind::Connect,
        name: "connect",
        effect: Effect::Line,
        durability: Durability::Before,
        outcomes: &["ended", "busy", "unanswered", "declined", "unreachable"],
    },
    // One that is accepted takes the line away.
    Row {
        kind: Kind::Transfer,
        name: "transfer",
        effect: Effect::Line,
        durability: Durability::Before,
        outcomes: &["failed"],
    },
    // In the store at once; what delivers it says later how that went.
    Row { kind: Kind::Send, name: "send", effect: Effect::World, durability: Durability::Before, outcomes: &["done"] },
    Row {
        kind: Kind::Notify,
        name: "notify",
        effect: Effect::World,
        durability: Durability::Before,
        outcomes: &["done"],
    },
    Row {
        kind: Kind::OpenCase,
        name: "open case",
        effect: Effect::World,
        durability: Durability::Before,
        outcomes: &["done"],
    },
    // Behind the `ask consent` to which the caller said yes.
    Row {
        kind: Kind::Consent,
        name: "consent",
        effect: Effect::World,
        durability: Durability::After,
        outcomes: &["value"],
    },
    // Which of these can happen depends on the clauses of the queue.
    Row {
        kind: Kind::Queue,
        name: "queue",
        effect: Effect::Line,
        durability: Durability::Before,
        outcomes: &["served", "callback", "timeout", "full", "closed", "unstaffed"],
    },
    // Only in the comfort of a queue.
    Row {
        kind: Kind::OfferCallback,
        name: "offer callback",
        effect: Effect::Line,
        durability: Durability::None,
        outcomes: &["done"],
    },
    // Only in an attempt of a cadence. The first two make the line.
    Row {
        kind: Kind::Dial,
        name: "dial",
        effect: Effect::World,
        durability: Durability::Before,
        outcomes: &["person", "machine", "busy", "unanswered", "declined", "unreachable"],
    },
    // The same in writing. The first makes the line.
    Row {
        kind: Kind::Reach,
        name: "message",
        effect: Effect::World,
        durability: Durability::Before,
        outcomes: &["delivered", "undelivered"],
    },
    Row {
        kind: Kind::Start,
        name: "start",
        effect: Effect::World,
        durability: Durability::Before,
        outcomes: &["done"],
    },
    // Behind `served` of a queue with a survey: whether it is held here and now.
    Row {
        kind: Kind::Survey,
        name: "survey",
        effect: Effect::Line,
        durability: Durability::None,
        outcomes: &["held", "left out"],
    },
    Row {
        kind: Kind::SurveyAnswer,
        name: "survey answer",
        effect: Effect::World,
        durability: Durability::Before,
        outcomes: &["done"],
    },
];

impl Kind {
    pub fn row(self) -> &'static Row {
        const FIRST: &Row = match TABLE.first() {
            Some(row) => row,
            None => unreachable!(),
        };
        TABLE.iter().find(|row| row.kind == self).unwrap_or(FIRST)
    }
}

/// What a site asks for: the static table of one request. Dynamic arguments lie in the frame's mailbox, in
/// the order of the `arguments` types where there are some.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    Answer,
    Reject(RejectReason),
    /// `say` and `play`: one prompt after the other.
    Play(Prompts),
    Menu(Menu),
    Ask(Ask),
    Record(Record),
    /// From here on the conversation is recorded, or is not. Harmless where that is so already.
    Recording {
        on: bool,
    },
    /// Argument: a Duration.
    Wait,
    Service(ServiceCall),
    /// Argument: the value.
    Note {
        key: String,
        r#type: Type,
    },
    HangUp,
    Connect(Connect),
    /// Argument: whom the call is given to.
    Transfer {
        to: Destination,
    },
    /// `send` and `notify`.
    Send(Message),
    OpenCase(Case),
    /// The caller has agreed. Outcome: `value` (payload: the permission).
    Consent(Consent),
    /// Arguments: those of the queue, whose index in `ProgramMeta::queues` this is. Payload of `served`: what the agent
    /// says of the conversation, where the queue asks him.
    Queue {
        queue: u32,
    },
    /// From here on and as long as the caller waits, this key has him called back.
    OfferCallback {
        key: char,
    },
    /// Arguments: the Phone that is called or written to, and the number that it is shown when there is one.
    Dial(Dial),
    /// Arguments: those of the cadence, whose index in `ProgramMeta::cadences` this is.
    Start {
        cadence: u32,
    },
    /// The conversation of a queue is over, and the caller may be asked how it was. Index in `ProgramMeta::surveys`.
    Survey {
        survey: u32,
    },
    /// Argument: the answer to this question of the survey. Outcome once it is durable.
    SurveyAnswer {
        survey: u32,
        question: u32,
    },
}

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

/// What somebody agreed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    pub purpose: String,
    /// Index of the record `Permission` in `TypeTable::records`.
    pub permission: u32,
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

/// `reject busy | declined | unavailable`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RejectReason {
    Busy,
    Declined,
    Unavailable,
}

impl From<RejectReason> for RejectCause {
    fn from(reason: RejectReason) -> RejectCause {
        match reason {
            RejectReason::Busy => RejectCause::Busy,
            RejectReason::Declined => RejectCause::Declined,
            RejectReason::Unavailable => RejectCause::Unavailable,
        }
    }
}

/// Prompts that one request plays, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompts {
    pub items: Vec<PromptUse>,
    /// A key stops the prompt.
    pub barge_in: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PromptUse {
    /// Index in `ProgramMeta::prompts`; its arguments start at this slot of the mailbox.
    Prompt { prompt: u32, arguments_at: u32 },
    /// A `Recording` in this slot of the mailbox.
    Recording { at: u32 },
}

/// Outcomes: choice 0, 1, …; then `other`; then `silence`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Menu {
    pub prompts: Prompts,
    /// Keys of each choice, as written (`1`, `0`, `*`, `12`). A span (`1000..1019`) takes each number of that length from
    /// the first to the last; its payload is the Digits that were keyed.
    /// Empty where phrases alone lead to it.
    pub choices: Vec<String>,
    /// By choice and by language of the program; no entry at all where no choice of the menu has any.
    pub phrases: Vec<Vec<Vec<String>>>,
    /// Time after the prompt in which the first key must come.
    pub listen_ms: u32,
    /// Time to wait for a further key when one choice begins another.
    pub between_keys_ms: u32,
}

impl Menu {
    /// First and last of a choice that is a span of keys.
    pub fn span(choice: &str) -> Option<(&str, &str)> {
        choice.split_once("..")
    }

    /// Whether these keys are this choice.
    pub fn takes(choice: &str, keys: &str) -> bool {
        match Menu::span(choice) {
            Some((first, last)) => keys.len() == first.len() && is_digits(keys) && (first..=last).contains(&keys),
            None => choice == keys,
        }
    }

    /// Whether these keys begin this choice and are not all of it.
    pub fn begins(choice: &str, keys: &str) -> bool {
        match Menu::span(choice) {
            Some((first, last)) => match (first.get(..keys.len()), last.get(..keys.len())) {
                (Some(low), Some(high)) => keys.len() < first.len() && is_digits(keys) && (low..=high).contains(&keys),
                _ => false,
            },
            None => choice.len() > keys.len() && choice.starts_with(keys),
        }
    }
}

fn is_digits(keys: &str) -> bool {
    keys.bytes().all(|key| key.is_ascii_digit())
}

/// Outcomes: 0 `value` (payload: the value), 1 `silence`, 2 `invalid`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    pub prompts: Prompts,
    pub kind: AskKind,
    /// The value goes to the vault; keys are masked from the prompt's start until the reply.
    pub private: bool,
    /// Key that ends the input; `#` unless the flow says otherwise. Never part of the value.
    pub end_key: char,
    pub listen_ms: u32,
    pub between_keys_ms: u32,
}

/// What is keyed. Only digits can be private.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AskKind {
    /// `digits A..B`: Digits. Numbers of keys.
    Digits { min: u32, max: u32 },
    /// `A..B`: Int, both bounds included and not negative.
    Range { low: i64, high: i64 },
    /// `number`: Decimal; `*` is the decimal point.
    Number,
    /// `amount in CNY`: Money of this currency (ISO 4217 number); `*` is the decimal point.
    Amount { currency: u16 },
    /// `date`: Date. Month and day, the next such day; or year, month and day.
    Date,
    /// `time`: Clock. Hour (0 to 23) and minute.
    Time,
    /// `phone`: Phone. As it is dialled in the country of the called number, or with an international prefix.
    Phone,
    /// `yes or no`: Bool. 1 is yes, 2 is no.
    YesOrNo,
    /// `text up to N`: Text of at most so many characters, which only somebody who writes can give.
    Text { max: u32 },
}

/// Digits before the decimal point of a `number` or `amount`.
pub const WHOLE_DIGITS_MAX: usize = 12;
/// Digits behind it, as a Decimal keeps no more.
pub const DECIMALS_MAX: usize = 6;
/// An international prefix and the longest number (ITU-T E.164).
const PHONE_KEYS_MAX: usize = 3 + 15;

impl AskKind {
    /// Type of the value.
    pub fn value(self) -> Type {
        match self {
            AskKind::Digits { .. } => Type::Digits,
            AskKind::Range { .. } => Type::Int,
            AskKind::Number => Type::Decimal,
            AskKind::Amount { .. } => Type::Money,
            AskKind::Date => Type::Date,
            AskKind::Time => Type::Clock,
            AskKind::Phone => Type::Phone,
            AskKind::YesOrNo => Type::Bool,
            AskKind::Text { .. } => Type::Text,
        }
    }

    /// Keys of the longest input, its end key apart; none where words alone are taken.
    pub fn keys_max(self) -> usize {
        match self {
            AskKind::Digits { max, .. } => max as usize,
            AskKind::Range { high, .. } => high.max(1).ilog10() as usize + 1,
            AskKind::Number => WHOLE_DIGITS_MAX + 1 + DECIMALS_MAX,
            AskKind::Amount { currency } => match currency::decimals(currency) {
                0 => WHOLE_DIGITS_MAX,
                decimals => WHOLE_DIGITS_MAX + 1 + decimals,
            },
            AskKind::Date => 8,
            AskKind::Time => 4,
            AskKind::Phone => PHONE_KEYS_MAX,
            AskKind::YesOrNo => 1,
            AskKind::Text { .. } => 0,
        }
    }
}

/// Outcomes: 0 `recording` (payload: Recording), 1 `silence`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub prompts: Prompts,
    pub max_ms: u32,
    /// Key that ends the recording; any key when `None`.
    pub end_key: Option<char>,
    /// No sound for so long after the beep is `silence`; the same pause after speech ends the recording.
    pub silence_ms: u32,
}

/// Outcomes: 0 `ok` (payload: the result), 1 `failed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceCall {
    /// Index in `ProgramMeta::services`.
    pub service: u32,
    /// Index in that service's operations.
    pub operation: u32,
}

impl Request {
    pub fn kind(&self) -> Kind {
        match self {
            Request::Answer => Kind::Answer,
            Request::Reject(_) => Kind::Reject,
            Request::Play(_) => Kind::Play,
            Request::Menu(_) => Kind::Menu,
            Request::Ask(_) => Kind::Ask,
            Request::Record(_) => Kind::Record,
            Request::Recording { .. } => Kind::Recording,
            Request::Wait => Kind::Wait,
            Request::Service(_) => Kind::Service,
            Request::Note { .. } => Kind::Note,
            Request::HangUp => Kind::HangUp,
            Request::Connect(_) => Kind::Connect,
            Request::Transfer { .. } => Kind::Transfer,
            Request::Send(Message { channel: Channel::Notify(_), .. }) => Kind::Notify,
            Request::Send(_) => Kind::Send,
            Request::OpenCase(_) => Kind::OpenCase,
            Request::Consent(_) => Kind::Consent,
            Request::Queue { .. } => Kind::Queue,
            Request::OfferCallback { .. } => Kind::OfferCallback,
            Request::Dial(dial) => Dial::kind(dial.by),
            Request::Start { .. } => Kind::Start,
            Request::Survey { .. } => Kind::Survey,
            Request::SurveyAnswer { .. } => Kind::SurveyAnswer,
        }
    }

    /// All that it may play, or writes to somebody.
    pub fn prompts(&self) -> &[PromptUse] {
        match self {
            Request::Play(prompts) => &prompts.items,
            Request::Menu(menu) => &menu.prompts.items,
            Request::Ask(ask) => &ask.prompts.items,
            Request::Record(record) => &record.prompts.items,
            Request::Send(message) => &message.text.items,
            _ => &[],
        }
    }

    pub fn prompts_mut(&mut self) -> &mut [PromptUse] {
        match self {
            Request::Play(prompts) => &mut prompts.items,
            Request::Menu(menu) => &mut menu.prompts.items,
            Request::Ask(ask) => &mut ask.prompts.items,
            Request::Record(record) => &mut record.prompts.items,
            Request::Send(message) => &mut message.text.items,
            _ => &mut [],
        }
    }

    /// Number of outcomes by which a program may be resumed here. `reject` and `hang up` have none: what
    /// follows them is only `Gone`.
    pub fn outcomes(&self) -> u32 {
        let fixed = self.kind().row().outcomes.len() as u32;
        match self {
            Request::Menu(menu) => fixed + menu.choices.len() as u32,
            _ => fixed,
        }
    }

    /// The name of an outcome, for transcripts and journals: a choice by its keys or its first phrase.
    pub fn outcome_name(&self, outcome: u32) -> &str {
        let fixed = self.kind().row().outcomes;
        let index = outcome as usize;
        let choices = match self {
            Request::Menu(menu) if index < menu.choices.len() => return menu.choice_name(index),
            Request::Menu(menu) => menu.choices.len(),
            _ => 0,
        };
        fixed.get(index.saturating_sub(choices)).copied().unwrap_or("?")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_takes_numbers_of_its_length() {
        let span = "1000..1019";
        assert!(Menu::takes(span, "1000") && Menu::takes(span, "1019"));
        assert!(["0999", "1020", "100", "10000", "", "10*0"].iter().all(|keys| !Menu::takes(span, keys)));
        assert!(["", "1", "10", "101"].iter().all(|keys| Menu::begins(span, keys)));
        assert!(["0", "11", "102", "1000", "10000"].iter().all(|keys| !Menu::begins(span, keys)));
        assert!(Menu::takes("1", "1") && !Menu::begins("1", "1") && Menu::begins("12", "1"));
    }

    #[test]
    fn a_mail_address_has_one_at() {
        assert!(is_mail_address("ann@acme.example"));
        for wrong in ["", "ann", "@acme.example", "ann@", "a@b@c", "ann @acme.example", "a@b\r\nBcc: c"] {
            assert!(!is_mail_address(wrong), "{wrong:?}");
        }
        let long = |bytes: usize| format!("{}@b", "a".repeat(bytes - 2));
        assert!(is_mail_address(&long(254)) && !is_mail_address(&long(255)));
    }

    #[test]
    fn the_longest_input_of_each_kind() {
        let keys = |kind: AskKind| kind.keys_max();
        assert_eq!(keys(AskKind::Range { low: 1, high: 9 }), 1);
        assert_eq!(keys(AskKind::Range { low: 0, high: 10 }), 2);
        assert_eq!(keys(AskKind::Range { low: 0, high: 0 }), 1);
        assert_eq!(keys(AskKind::Amount { currency: 156 }), 15);
        assert_eq!(keys(AskKind::Amount { currency: 392 }), 12, "yen have no decimals");
    }
}
