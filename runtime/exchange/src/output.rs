//! What the exchange tells the plant to do (seam 3).

use std::collections::VecDeque;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use runtime_acd::AgentName;
use runtime_contract::cadence::Outcome;
use runtime_contract::leg::{LegCommand, LegId, MediaSpec};
use runtime_contract::record::CallId;
use runtime_contract::request::{Case, Channel};
use runtime_contract::value::Value;
use runtime_contract::{FaultKind, FlowProgram, GraphId, Now, Redacted, Type, Write};
use runtime_session::{NotSent, PlayItem, RequestId, Trace};

use crate::input::WriteNumber;
use crate::surveys::{FollowUp, LeftOut};

#[derive(Clone, Debug)]
pub enum Output {
    /// For the signalling room, unchanged.
    Leg(LegCommand),
    Media(MediaCommand),
    /// For the store, in this order, several in one commit as it likes. What must wait for it is held back
    /// here until [`crate::Input::Committed`] says so: the plant never waits.
    Write {
        number: WriteNumber,
        write: Write,
    },
    Service(ServiceCall),
    /// Nobody waits for this service any more: drop the connection if that is cheap.
    CancelService {
        call: CallId,
        request: RequestId,
    },
    /// A recovered call's dialog is still up at the far side: say BYE (`Incoming::dialog` of that leg).
    EndDialog {
        dialog: Redacted<Vec<u8>>,
    },
    /// A flow that [`crate::Input::Act`] asked for is over. `Ok`: what it came back with; `None` when it was cut off.
    Acted {
        number: u64,
        /// What came of reaching the person; `None` where it tried nobody, or nobody knows.
        outcome: Option<Outcome>,
        result: Result<Option<Value>, Refusal>,
    },
    /// A flow begins a cadence; that is durable. The same call and request begin it once, whatever crashes.
    StartCadence {
        call: CallId,
        request: RequestId,
        cadence: u32,
        /// In the order of the cadence's parameters.
        arguments: Vec<Value>,
    },
    /// Somebody is to be written to after a conversation: [`crate::Input::FollowUp`] says when, or that he is not.
    FollowUp(FollowUp),
    /// For logs and counters.
    Event(Event),
    /// For a transcript; only when [`crate::Config::trace`] is on.
    Trace(TraceEvent),
    /// After [`crate::Input::Drain`]: the last call is over, and all its writes are durable.
    Drained,
}

#[derive(Clone)]
pub enum MediaCommand {
    /// Bind a port for the leg, which is about to be answered or placed; `peer` is where its signalling comes from,
    /// if that is known. `beside`: a leg that it will be bridged with. Answered by `Opened`.
    Open {
        leg: LegId,
        peer: Option<IpAddr>,
        beside: Option<LegId>,
    },
    /// Offer and answer are done (again).
    Connect {
        leg: LegId,
        media: MediaSpec,
        /// Whose packets are taken besides those of the host in the description.
        peer: IpAddr,
    },
    /// Render by the program's tables (`contract::spoken`, audio files) and play one after the other, in
    /// place of whatever plays. Answered by `PlayDone`.
    Play {
        leg: LegId,
        token: u32,
        program: Arc<dyn FlowProgram>,
        items: Vec<PlayItem>,
    },
    StopPlay {
        leg: LegId,
    },
    /// The leg hears that somebody else is rung, in place of silence.
    Ringback {
        leg: LegId,
        on: bool,
    },
    /// While nothing is played to it, the leg hears this file below `prompts/` (with the BLAKE3 of its bytes), over and
    /// over; or nothing any more.
    Music {
        leg: LegId,
        music: Option<(String, [u8; 32])>,
    },
    /// What each of the two sends is heard by the other, until one of them is closed.
    Bridge {
        leg: LegId,
        with: LegId,
    },
    /// The far side of the leg is sent this key.
    Press {
        leg: LegId,
        key: char,
    },
    Mask {
        leg: LegId,
        on: bool,
    },
    /// Answered by `Recorded`.
    Record {
        leg: LegId,
        call: CallId,
        recording: u64,
        length_ms_max: u32,
        silence_ms: u32,
    },
    StopRecord {
        leg: LegId,
    },
    /// Record the conversation, until [`MediaCommand::StopRecordCall`] or the end of the leg: what it sends on the left
    /// channel, what it hears on the right; both silent while it is masked. Answered by `Recorded`.
    RecordCall {
        leg: LegId,
        call: CallId,
        recording: u64,
    },
    StopRecordCall {
        leg: LegId,
    },
    /// Delete its file; there is no row for it.
    DiscardRecording {
        recording: u64,
    },
    /// The leg is over, opened or not. A running recording is kept and still said.
    Close {
        leg: LegId,
    },
}

/// A request to a service, to be sent now.
#[derive(Clone)]
pub struct ServiceCall {
    pub call: CallId,
    pub request: RequestId,
    pub program: Arc<dyn FlowProgram>,
    /// Index in `ProgramMeta::services`.
    pub service: u32,
    pub operation: u32,
    /// In the order of the operation's parameters; private ones are in the clear, for the body alone.
    pub arguments: Vec<Value>,
    /// Nobody listens any more after this time from now.
    pub within_ms: u32,
    /// `Idempotency-Key` of a writing operation, the same after a crash.
    pub idempotency_key: Option<String>,
}

/// What operators count and logs tell. Holds no personal data.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    CallStarted {
        call: CallId,
        graph: GraphId,
    },
    CallEnded {
        call: CallId,
    },
    Refused {
        leg: LegId,
        why: Refusal,
    },
    Fault {
        call: CallId,
        graph: GraphId,
        kind: FaultKind,
        place: String,
    },
    /// The store holds up calls, or no longer does.
    StoreStalled(bool),
    /// A version that may not take calls: not stored, or `versions_live_max` have live calls.
    VersionRefused(GraphId),
    /// No call uses this replaced version any more; its `Arc` here is dropped.
    VersionFreed(GraphId),
    /// A call's journal does not lead where it says: it was closed without `finally`.
    NotRecovered {
        call: CallId,
        why: String,
    },
    /// A call of a process that died goes on.
    Revived {
        call: CallId,
    },
    /// A stretch of a conversation was to be recorded and is not, or not to its end.
    RecordingFailed {
        call: CallId,
    },
    /// A service answered too late or twice.
    LateReply {
        call: CallId,
    },
    /// A clause of a queue faulted: it counts as saying no, or nothing. Said once an hour for each.
    ClauseFault {
        graph: GraphId,
        /// Index in `ProgramMeta::flows`.
        flow: u32,
    },
    /// A rule was to fire, and the node had no room for its action.
    RuleDropped {
        graph: GraphId,
        /// Index in `ProgramMeta::rules`.
        rule: u32,
    },
}

/// Why something happened that a rule waits for, and it did not fire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotFired {
    /// Nobody knows whom to call back.
    NumberWithheld,
    /// Not he called us: a cadence called him.
    CalledByUs,
    Refused(Refusal),
}

/// Why a new leg was turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    NoSuchNumber,
    NoVersion,
    CallsMax,
    Draining,
    StoreStalled,
    NoMediaPort,
}

#[derive(Clone)]
pub struct TraceEvent {
    pub now: Now,
    pub call: CallId,
    pub program: Arc<dyn FlowProgram>,
    pub what: TraceWhat,
}

#[derive(Clone, Debug, PartialEq)]
pub enum TraceWhat {
    Session(Trace),
    /// The caller hears this from now on.
    Played(Vec<PlayItem>),
    Stopped,
    Answered,
    /// The caller goes on to this number or extension.
    Onward {
        to: Redacted<String>,
        transfer: bool,
    },
    /// He talks with whoever was called.
    Connected,
    /// The conversation is recorded from here on, or no more.
    Recording {
        on: bool,
    },
    /// A message was handed over, or goes to nobody. `text`: as it is read.
    Sent {
        channel: Channel,
        to: Result<Redacted<String>, NotSent>,
        text: String,
        item: PlayItem,
    },
    CaseOpened(Case),
    /// A rule (index in `ProgramMeta::rules`) fires: this is the call of its action.
    Fired {
        rule: u32,
    },
    /// A rule does not, though what it waits for happened to the caller of this call.
    NotFired {
        rule: u32,
        why: NotFired,
    },
    /// The caller answered this question of the survey. `text`: as in the store.
    SurveyAnswered {
        survey: u32,
        question: u32,
        text: String,
    },
    /// Nobody is asked.
    SurveyLeftOut {
        survey: u32,
        why: LeftOut,
    },
    /// Its questions follow, by this channel.
    SurveyHeld {
        survey: u32,
        by: runtime_contract::channel::Channel,
    },
    /// He is written to afterwards, if his day allows it.
    SurveyFollows {
        survey: u32,
    },
    /// He waits in this queue (index in `ProgramMeta::queues`), and so many stand before him.
    Queued {
        queue: u32,
        priority: i64,
        ahead: u32,
    },
    /// He hears the music of the queue, but where something is played; or no more.
    Music {
        on: bool,
    },
    /// This agent is rung for him.
    Offered {
        agent: AgentName,
    },
    /// He did not take the call, or somebody else was faster.
    Unanswered {
        agent: AgentName,
    },
    AgentAnswers {
        agent: AgentName,
        /// Since the caller entered the queue.
        waited_ms: u64,
    },
    /// The agent alone hears this.
    Whispered(Vec<PlayItem>),
    /// The caller will be called back.
    Promised,
    /// Nobody had time for that in all that time.
    PromiseOver,
    /// The conversation is over, and the agent is to say how it was.
    WritesUp {
        agent: AgentName,
    },
    /// What the agent said of the conversation: a variant, if he said something.
    WrappedUp {
        agent: AgentName,
        result: Option<u32>,
    },
    /// `text`: as in the call record.
    Noted {
        key: String,
        r#type: Type,
        value: Value,
        text: String,
    },
    Ended,
}

/// What one input led to, in order. Drain it, then give the next input.
#[must_use = "outputs must be drained before the next input"]
#[derive(Debug)]
pub struct Outputs<'a> {
    pub(crate) queue: &'a mut VecDeque<Output>,
}

impl Iterator for Outputs<'_> {
    type Item = Output;

    fn next(&mut self) -> Option<Output> {
        self.queue.pop_front()
    }
}

impl fmt::Debug for MediaCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MediaCommand::Open { leg, .. } => write!(f, "Open({})", leg.0),
            MediaCommand::Connect { leg, .. } => write!(f, "Connect({})", leg.0),
            MediaCommand::Play { leg, token, items, .. } => {
                write!(f, "Play({}, {token}, {} items)", leg.0, items.len())
            }
            MediaCommand::StopPlay { leg } => write!(f, "StopPlay({})", leg.0),
            MediaCommand::Ringback { leg, on } => write!(f, "Ringback({}, {on})", leg.0),
            MediaCommand::Music { leg, music } => write!(f, "Music({}, {})", leg.0, music.is_some()),
            MediaCommand::Bridge { leg, with } => write!(f, "Bridge({}, {})", leg.0, with.0),
            MediaCommand::Press { leg, .. } => write!(f, "Press({}, •)", leg.0),
            MediaCommand::Mask { leg, on } => write!(f, "Mask({}, {on})", leg.0),
            MediaCommand::Record { leg, recording, .. } => write!(f, "Record({}, {recording})", leg.0),
            MediaCommand::StopRecord { leg } => write!(f, "StopRecord({})", leg.0),
            MediaCommand::RecordCall { leg, recording, .. } => write!(f, "RecordCall({}, {recording})", leg.0),
            MediaCommand::StopRecordCall { leg } => write!(f, "StopRecordCall({})", leg.0),
            MediaCommand::DiscardRecording { recording } => write!(f, "DiscardRecording({recording})"),
            MediaCommand::Close { leg } => write!(f, "Close({})", leg.0),
        }
    }
}

impl fmt::Debug for ServiceCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServiceCall({}, {}, {}.{})", self.call.hex(), self.request.0, self.service, self.operation)
    }
}

impl fmt::Debug for TraceEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceEvent({}, {:?})", self.call.hex(), self.what)
    }
}
