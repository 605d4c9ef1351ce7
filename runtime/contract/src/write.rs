//! What must outlive the process (part of seam 3): the exchange says it, the store keeps it. Nothing here knows when
//! it is durable, nor what a journal says.

use std::fmt;

use crate::program::GraphId;
use crate::record::{CallId, CallRecord, Quality};
use crate::redacted::Redacted;
use crate::request::CasePriority;
use crate::time::Time;

/// One thing to keep. Writes are kept in the order in which they are handed over.
#[derive(Clone, PartialEq, Eq)]
pub enum Write {
    /// More of a call's journal, which runs in this graph; the first opens the call.
    Journal { call: CallId, graph: GraphId, journal: Vec<u8> },
    /// A recording whose file is synced already. `partial`: the caller was gone before its end. `conversation`: of all
    /// that both sides said, on two channels.
    Recording { call: CallId, recording: u64, length_ms: u32, created: Time, partial: bool, conversation: bool },
    /// The call is over: its record, and the last of its journal. Nothing but its quality follows for this call.
    End { record: Box<CallRecord>, journal: Vec<u8> },
    /// Something to deliver. Kept once for each key.
    Message(Box<Message>),
    /// Something for a person to look into. Kept once for each key.
    Case(Box<Case>),
    /// An answer to a question of a survey. Kept once for each key.
    Answer(Box<Answer>),
    /// How the voice of a call went over whose record is written already.
    Quality { call: CallId, quality: Quality },
}

/// One text to one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What led to it: no two messages have the same.
    pub key: String,
    pub call: Option<CallId>,
    /// `module.cadence`, where it is one of those of which a rule may hear that it was not delivered.
    pub cadence: Option<String>,
    /// `sms`, `chat`, `email` or `notify`.
    pub channel: &'static str,
    /// A number (E.164, with its `+`), an address, or the name of a group.
    pub to: Redacted<String>,
    pub text: Redacted<String>,
    /// BCP 47 tag of the text.
    pub language: String,
    pub created: Time,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// What led to it: no two cases have the same.
    pub key: String,
    pub call: Option<CallId>,
    pub kind: String,
    pub priority: CasePriority,
    pub opened: Time,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What led to it: no two answers have the same.
    pub key: String,
    pub call: CallId,
    /// `module.survey`
    pub survey: String,
    pub question: String,
    /// `module.queue`
    pub queue: String,
    /// As people read it, in no language. It may hold words of the caller.
    pub value: Redacted<String>,
    /// The value is in words of the caller, or a number of his.
    pub personal: bool,
    /// What was spoken instead of keyed.
    pub recording: Option<u64>,
    pub given: Time,
}

/// Journals hold numbers of people: their length is shown.
impl fmt::Debug for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Write::Journal { call, journal, .. } => write!(f, "Journal({}, {} bytes)", call.hex(), journal.len()),
            Write::Recording { call, recording, .. } => write!(f, "Recording({}, {recording})", call.hex()),
            Write::Message(message) => write!(f, "Message({}, {})", message.channel, message.key),
            Write::Case(case) => write!(f, "Case({}, {})", case.kind, case.key),
            Write::Answer(answer) => write!(f, "Answer({}, {}, {})", answer.survey, answer.question, answer.key),
            Write::Quality { call, .. } => write!(f, "Quality({})", call.hex()),
            Write::End { record, journal } => write!(f, "End({}, {} bytes)", record.call.hex(), journal.len()),
        }
    }
}
