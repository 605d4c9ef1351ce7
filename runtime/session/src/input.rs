//! What happens to a call, as the session hears it. Nothing here knows SIP, RTP or HTTP.

use std::fmt;

use runtime_contract::channel::Channel;
use runtime_contract::leg::GoneCause;
use runtime_contract::record::CallId;
use runtime_contract::value::{Phone, Value};
use runtime_contract::{Called, FaultKind, Redacted, Time};

/// Counts the requests of one call from 1; a reply names the one it answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub u32);

#[derive(Clone, Debug)]
pub enum Input {
    /// The first input, and only that.
    Start(Start),
    Line(LineEvent),
    /// The world's answer to a `World` output. One that names another request than the outstanding one is
    /// journalled as late and dropped.
    Reply {
        request: RequestId,
        /// Index as in the table of requests: of a service 0 `ok`, 1 `failed`.
        outcome: u32,
        payload: Option<Value>,
    },
    /// What a request needs could not be had, and it has no outcome that says so (the store failed).
    Fault {
        request: RequestId,
        kind: FaultKind,
    },
    /// Something happens to a caller who waits in a queue. One that names another request than the outstanding one is
    /// dropped.
    Queue {
        request: RequestId,
        event: QueueEvent,
    },
    /// The tick of `next_deadline` has come.
    Tick,
    /// The line of a session that was rebuilt from its journal is up again: the outstanding request is made once more,
    /// with its number. One that changes something in the world has failed instead: nobody knows how far it came.
    Revived {
        /// When the call began.
        began: Time,
    },
    /// Journalled and otherwise untouched, like [`Start::leg`]: something of that has changed.
    Leg(Redacted<Vec<u8>>),
    /// End this call now: its line is taken as gone, what it waits for as failed, and `finally` runs.
    Stop(StopReason),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueEvent {
    /// It is time for the comfort of the queue. Passed over while the one before runs.
    Comfort { ahead: u32, expected_wait_ms: u64 },
    /// An agent has answered: the line is his and the caller's until the reply.
    Talking,
}

/// A call begins.
#[derive(Clone, Debug)]
pub struct Start {
    pub call: CallId,
    /// Hash of the site's snapshot, for the journal.
    pub epoch: u64,
    /// Entry flow: index in `ProgramMeta::flows`.
    pub flow: u32,
    /// In the order of its parameters; nothing private is among them.
    pub arguments: Vec<Value>,
    /// `None`: withheld, or not E.164.
    pub caller: Option<Phone>,
    pub called: Option<Called>,
    pub channel: Channel,
    /// Index in `ProgramMeta::languages`.
    pub language: u32,
    pub line: Line,
    /// Journalled behind the start and otherwise untouched: what the line's owner needs after a crash.
    pub leg: Redacted<Vec<u8>>,
}

/// What the session may do with its line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Line {
    /// There never was one (a cadence between its calls).
    #[default]
    None,
    Ringing,
    Up,
    Gone,
}

#[derive(Clone, PartialEq)]
pub enum LineEvent {
    /// The line that [`crate::LineCommand::Answer`] asked for is up.
    Answered,
    /// A key went down: `0`–`9`, `*`, `#`, `A`–`D`. Others are ignored.
    Key(char),
    /// Words that the caller said or wrote. A menu with phrases takes them at once and, of those who write, any menu or
    /// `ask`; nobody else does.
    Words(Redacted<String>),
    /// All of the [`crate::LineCommand::Play`] with this token was heard.
    PlayDone { token: u32 },
    /// The recording of this request is over. When `spoken`, it is already durable under the number
    /// `recording`.
    RecordDone { request: RequestId, recording: u64, length_ms: u32, spoken: bool },
    /// The caller is gone. Nothing of the line follows.
    Gone(GoneCause),
}

/// Why a call is ended from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StopReason {
    /// The process shuts down, and the time to drain is over.
    Drain,
    /// The call reached `call_hours_max`.
    TooLong,
    /// The process that held the call died; the call was rebuilt from its journal.
    Crash,
}

impl fmt::Debug for LineEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LineEvent::Answered => f.write_str("Answered"),
            LineEvent::Key(_) => f.write_str("Key(•)"),
            LineEvent::Words(_) => f.write_str("Words(•)"),
            LineEvent::PlayDone { token } => write!(f, "PlayDone({token})"),
            LineEvent::RecordDone { recording, length_ms, spoken, .. } => {
                write!(f, "RecordDone({recording}, {length_ms} ms, spoken: {spoken})")
            }
            LineEvent::Gone(cause) => write!(f, "Gone({cause:?})"),
        }
    }
}
