//! The one table of requests: everything a flow may ask of the world, what it carries, and what may come
//! back. The type checker, the graph, the session and the documents all read this file.

mod dialogue;
mod outward;

use serde::{Deserialize, Serialize};

use crate::leg::RejectCause;
use crate::types::Type;

pub use dialogue::{Ask, AskKind, DECIMALS_MAX, Menu, PromptUse, Prompts, Record, WHOLE_DIGITS_MAX};
pub use outward::{Case, CasePriority, Channel, Connect, Destination, Dial, Message, is_mail_address};

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

/// What somebody agreed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    pub purpose: String,
    /// Index of the record `Permission` in `TypeTable::records`.
    pub permission: u32,
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
