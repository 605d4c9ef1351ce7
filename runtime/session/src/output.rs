//! What the session wants done. Outputs lend themselves from the session, so that no input fits in between.

use std::collections::VecDeque;
use std::fmt;

use runtime_contract::leg::{GoneCause, RejectCause};
use runtime_contract::program::Place;
use runtime_contract::request::{Case, Channel};
use runtime_contract::value::{Phone, Value};
use runtime_contract::{FaultKind, Redacted, SiteId, Type};

use crate::input::{RequestId, StopReason};

#[derive(Clone, PartialEq)]
pub enum Output {
    /// Only while the session owns the line.
    Line(LineCommand),
    /// To be answered by [`crate::Input::Reply`] unless it is only to be kept.
    World { request: RequestId, ask: WorldRequest },
    /// Nobody waits for this `World` request, or this [`LineCommand::Answer`], any more.
    Cancel { request: RequestId },
    /// One record, encoded, to be appended to the call's journal. Comes before what depends on it.
    Journal(Vec<u8>),
    /// A fault happened; the flow's handler, if it has one, has run already.
    Fault { kind: FaultKind, place: Option<Place> },
    /// What a person may like to read; only when asked for by [`crate::Session::set_trace`].
    Trace(Trace),
    /// The last output of the call.
    Done(EndCause),
}

#[derive(Clone, Debug, PartialEq)]
pub enum LineCommand {
    /// Take the call. Its `Start` must be durable before. Answered by [`crate::LineEvent::Answered`].
    Answer {
        request: RequestId,
    },
    /// Refuse it; the line is gone with that.
    Reject(RejectCause),
    /// Play these one after the other, in place of whatever plays. Answered by `PlayDone` with the token.
    Play {
        token: u32,
        items: Vec<PlayItem>,
    },
    /// Stop what plays; no `PlayDone` comes of it.
    StopPlay,
    /// While on, recordings are silent and nobody else hears the keys.
    Mask {
        on: bool,
    },
    /// Record the caller. Answered by `RecordDone`, once the recording is durable.
    Record {
        request: RequestId,
        length_ms_max: u32,
        /// No sound for so long at the start, or after speech, ends it.
        silence_ms: u32,
    },
    /// End the recording of this request. What was recorded so far is kept.
    StopRecord {
        request: RequestId,
    },
    /// Record the conversation from here on, or no more. Of what comes of it the session hears nothing; the end of the
    /// line ends it too.
    RecordCall {
        on: bool,
    },
    HangUp,
}

/// One thing that the caller hears.
#[derive(Clone, Debug, PartialEq)]
pub enum PlayItem {
    /// To be rendered by the program's tables.
    Prompt {
        prompt: u32,
        language: u32,
        values: Vec<Value>,
    },
    Recording(u64),
    /// The signal before a recording.
    Beep,
}

#[derive(Clone, Debug, PartialEq)]
pub enum WorldRequest {
    Service(ServiceAsk),
    /// The line is somebody else's until it is answered.
    Onward(Onward),
    /// To be kept, and delivered from there; has no reply.
    Send(Sending),
    /// To be kept; has no reply.
    OpenCase(Case),
    /// The line is the queue's to play music to, and ours for its comfort, until an agent has it.
    Queue(QueueAsk),
    /// The caller who waits for this request wants to be called back instead. Has no reply of its own: if that can be,
    /// the queue's is `callback`.
    Callback,
    /// Answered by an outcome of `dial`. With those of [`runtime_contract::request::Dial::makes_line`] the line is up, and
    /// ours.
    Dial(DialAsk),
    /// Answered once it is durable.
    Start {
        cadence: u32,
        /// In the order of the cadence's parameters.
        arguments: Vec<Value>,
    },
    /// Answered by an outcome of `survey`: whether it is held in this conversation.
    Survey {
        /// Index in `ProgramMeta::surveys`.
        survey: u32,
        /// Of the caller: index in `ProgramMeta::languages`.
        language: u32,
    },
    /// Answered once it is durable.
    SurveyAnswer {
        survey: u32,
        question: u32,
        value: Value,
    },
    /// For the call record; has no reply.
    Note {
        key: String,
        r#type: Type,
        value: Value,
    },
}

/// `send` and `notify`: one text to one recipient.
#[derive(Clone, Debug, PartialEq)]
pub struct Sending {
    pub channel: Channel,
    /// A number (E.164, with its `+`), an address, or the name of a group. `None`: whoever writes in this chat.
    pub to: Result<Option<Redacted<String>>, NotSent>,
    /// To be rendered by the program's tables as somebody reads it.
    pub text: PlayItem,
}

/// Why a message goes to nobody. The flow goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotSent {
    /// It is for the caller, whose number is not known.
    NumberWithheld,
    NoAddress,
    /// It is for the caller's chat, and he does not write in one.
    NoChat,
}

impl NotSent {
    pub fn name(self) -> &'static str {
        match self {
            NotSent::NumberWithheld => "the caller's number is withheld",
            NotSent::NoAddress => "this is no e-mail address",
            NotSent::NoChat => "the caller is in no chat",
        }
    }
}

/// `dial` of a cadence.
#[derive(Clone, Debug, PartialEq)]
pub struct DialAsk {
    /// By voice it is a call; else somebody is written to.
    pub by: runtime_contract::channel::Channel,
    pub to: Phone,
    pub from: Option<Phone>,
    pub ring_ms: u32,
}

/// `connect to` and `transfer to`: the caller goes on to somebody else.
#[derive(Clone, Debug, PartialEq)]
pub struct Onward {
    /// A number (E.164, with its `+`) or an extension.
    pub to: Redacted<String>,
    pub how: OnwardKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum OnwardKind {
    /// Bridged, and back when the other side leaves. Answered by an outcome of `connect`.
    Connect { from: Option<Phone>, ring_ms: u32 },
    /// Given away. Answered by `failed`, or by the end of the line with [`GoneCause::Transferred`].
    Transfer,
}

/// `queue`: somebody wants an agent.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueAsk {
    /// Index in `ProgramMeta::queues`.
    pub queue: u32,
    /// In the order of the queue's parameters.
    pub arguments: Vec<Value>,
    /// Of the caller: index in `ProgramMeta::languages`.
    pub language: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ServiceAsk {
    /// Index in `ProgramMeta::services`.
    pub service: u32,
    pub operation: u32,
    /// In the order of the operation's parameters. Private ones are in the clear: for the body alone.
    pub arguments: Vec<Value>,
    /// The session gives up after this time by itself.
    pub within_ms: u32,
    /// Changes something: its journal must be durable before it is sent.
    pub writes: bool,
}

/// Of a journal the length alone: it holds what people keyed, and who called.
impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Output::Line(command) => write!(f, "Line({command:?})"),
            Output::World { request, ask } => write!(f, "World({}, {ask:?})", request.0),
            Output::Cancel { request } => write!(f, "Cancel({})", request.0),
            Output::Journal(bytes) => write!(f, "Journal({} bytes)", bytes.len()),
            Output::Fault { kind, place } => write!(f, "Fault({}, {place:?})", kind.name()),
            Output::Trace(trace) => write!(f, "Trace({trace:?})"),
            Output::Done(cause) => write!(f, "Done({cause:?})"),
        }
    }
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndCause {
    /// The flow came to its end, and the line was hung up (or refused, if it was never answered).
    Returned,
    /// The flow hung up.
    HungUp,
    /// The flow refused the call.
    Rejected,
    /// The line went away.
    Gone(GoneCause),
    Fault(FaultKind),
    Stopped(StopReason),
}

/// One thing worth telling to a person. Holds nothing private but what the flow plays or notes anyway.
#[derive(Clone, Debug, PartialEq)]
pub enum Trace {
    /// The call is at this site now.
    At(SiteId),
    /// The prompt is over, and the caller is to press something.
    Listening,
    /// So many keys were taken by the site's request; `None` where they are private.
    Keys {
        count: u32,
        keys: Option<String>,
    },
    /// Words were taken by the site's request.
    Words,
    /// The outcome of the outstanding request.
    Outcome {
        site: SiteId,
        outcome: u32,
    },
    /// The request was left because the line is gone.
    Left(SiteId),
    Fault {
        kind: FaultKind,
        place: Option<Place>,
    },
}

/// What one input led to, in order. Drain it, then give the next input.
#[must_use = "outputs must be drained before the next input"]
pub struct Outputs<'a> {
    pub(crate) queue: &'a mut VecDeque<Output>,
}

/// Outputs that a waiting session keeps room for: more is given back, because most calls wait.
const OUTPUTS_KEPT: usize = 4;

impl Iterator for Outputs<'_> {
    type Item = Output;

    fn next(&mut self) -> Option<Output> {
        self.queue.pop_front()
    }
}

impl Drop for Outputs<'_> {
    /// Outputs that nobody took stay first in line for the next time.
    fn drop(&mut self) {
        if self.queue.capacity() > OUTPUTS_KEPT {
            self.queue.shrink_to(OUTPUTS_KEPT);
        }
    }
}

impl fmt::Debug for Outputs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.queue.fmt(f)
    }
}
