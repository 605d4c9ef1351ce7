//! What the plant tells the exchange (seam 3).

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;
use std::sync::Arc;

use runtime_acd::{Agent, AgentName, AgentState};
use runtime_contract::leg::{LegEvent, LegId};
use runtime_contract::record::{CallId, Quality};
use runtime_contract::time::Tick;
use runtime_contract::value::Value;
use runtime_contract::write::Message;
use runtime_contract::{FlowProgram, Redacted};
use runtime_session::RequestId;

use crate::outgoing::Act;
use crate::surveys::LeftOut;

#[derive(Clone, Debug)]
pub enum Input {
    /// From the signalling room, unchanged.
    Leg(LegEvent),
    Media(MediaEvent),
    /// All writes up to and including this number are durable.
    Committed(WriteNumber),
    /// The store cannot write. Until something is committed again, new calls are refused and whatever must
    /// be durable first fails. A store that merely says nothing for `STORE_STALL_MS_MAX` counts the same.
    StoreFailed,
    /// A service answered, or could not. Answers to requests that are no longer open are dropped.
    Service {
        call: CallId,
        request: RequestId,
        result: Result<Option<Value>, ServiceFailure>,
    },
    /// The tick of `next_deadline` has come.
    Timeout,
    /// From now on new calls run this version. Calls going on keep theirs.
    Version(Version),
    /// From now on a share of new calls runs this version beside the stable one; or none any more. The next
    /// [`Input::Version`] ends it.
    Canary(Option<Canary>),
    /// Take no new calls (503). Those that are still there at this tick are ended, `finally` included.
    /// When the last is over, [`crate::Output::Drained`] comes.
    Drain {
        until: Tick,
    },
    /// An agent of the site is new, or other than he was; and the extension of his phone.
    Agent {
        agent: Agent,
        extension: Redacted<String>,
    },
    /// The site has him no more.
    AgentRemoved(AgentName),
    /// What an agent, or his phone, says of himself.
    AgentState {
        agent: AgentName,
        state: AgentState,
    },
    /// He is done with writing a conversation up; `result`: the variant that he says it was.
    WrapUpDone {
        agent: AgentName,
        result: Option<u32>,
    },
    /// From now on the queue of this name (`module.queue`) takes nobody else: what a test says of it.
    QueueFull(String),
    /// An open call of a process that died, from the store: its `finally` runs, and it ends. To be given before
    /// the first leg.
    Recovered(Recovered),
    /// A flow of a cadence is to run.
    Act(Act),
    /// Somebody of whom [`crate::Output::FollowUp`] spoke is written to now, or never, and why.
    FollowUp {
        number: u64,
        refused: Option<LeftOut>,
    },
    /// A text could not be delivered, and nobody tries it any more: as it was handed over by its [`runtime_contract::Write`].
    /// The same key told again does nothing.
    Undelivered(Box<Message>),
}

/// Counts the writes of this process from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WriteNumber(pub u64);

/// A program that may take calls.
#[derive(Clone)]
pub struct Version {
    pub program: Arc<dyn FlowProgram>,
    /// Hash of the site's snapshot.
    pub epoch: u64,
    /// Its serialised graph and prompts are durable. One that is not takes no calls: the version before it
    /// goes on (or none: 503) and [`crate::Event::VersionRefused`] says so.
    pub stored: bool,
}

/// A version on trial: it takes the calls of a share of callers, always the same ones.
#[derive(Clone)]
pub struct Canary {
    pub version: Version,
    /// Of [`SHARE_ALL`].
    pub share: u32,
}

/// A share of all calls: hundredths of a percent.
pub const SHARE_ALL: u32 = 10_000;

impl Canary {
    /// Whether the calls of this caller are its. Each version draws its callers anew, or the same people would try
    /// everything first.
    pub fn takes(&self, who: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        (self.version.program.meta().graph_id, who).hash(&mut hasher);
        hasher.finish() % u64::from(SHARE_ALL) < u64::from(self.share)
    }
}

impl fmt::Debug for Canary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Canary({:?}, {} of {SHARE_ALL})", self.version, self.share)
    }
}

/// Said by the media room about a leg.
#[derive(Clone, PartialEq)]
pub enum MediaEvent {
    /// Answers [`crate::MediaCommand::Open`]: a bound port; the address goes into the SDP.
    Opened { leg: LegId, address: SocketAddr },
    /// No port could be had: the call is refused with 503.
    OpenFailed { leg: LegId },
    /// A key went down, once for each press.
    Key { leg: LegId, key: char },
    /// Who answered a call out is known: a person, or a machine. Said once, behind its [`LegEvent::Up`].
    Greeted { leg: LegId, machine: bool },
    /// The last sample of [`crate::MediaCommand::Play`] with this token was sent. Also said when nothing of
    /// it could be rendered: a call never waits for a prompt that cannot come.
    PlayDone { leg: LegId, token: u32 },
    /// The recording is over and its file synced (or it failed). Said once for each `Record` and `RecordCall`, also
    /// after the leg is gone.
    Recorded { leg: LegId, recording: u64, result: Result<Recorded, RecordingFailed> },
    /// The leg's media is over; said once for each [`crate::MediaCommand::Close`] of an opened leg.
    Closed { leg: LegId, quality: Quality },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    pub length_ms: u32,
    /// There was sound above the noise floor. Without it the outcome is `silence` and the file is discarded.
    pub spoken: bool,
}

/// The file could not be written, or not to its end; the media room has logged why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordingFailed {
    /// What there is of it, in milliseconds.
    pub kept_ms: u32,
}

/// Why a service has no answer. All are the outcome `failed`; they differ in logs and transcripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ServiceFailure {
    /// The service could not be reached.
    Unreachable,
    /// It refused (a status that is not 2xx, nor 404 where the result is optional).
    Refused,
    /// What it sent does not fit the declared type.
    BadReply,
    /// We have too many requests in flight.
    Overload,
    /// `strowger.yaml` says nothing about it.
    NotConfigured,
}

/// What the store knows of a call without an end.
#[derive(Clone)]
pub struct Recovered {
    pub call: CallId,
    /// Of the graph that the call's writes name.
    pub program: Arc<dyn FlowProgram>,
    /// All its journal bytes.
    pub journal: Vec<u8>,
    /// Its recordings that the process left unfinished.
    pub cut: Vec<CutRecording>,
    /// Recordings that it has begun and that have their row; its journal may not have come to say so.
    pub kept: Vec<u64>,
}

/// A recording that ended with the process that made it: what there is of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CutRecording {
    pub recording: u64,
    /// Of all that both sides said.
    pub conversation: bool,
    pub length_ms: u32,
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Version({}, stored: {})", self.program.meta().graph_id.short(), self.stored)
    }
}

impl fmt::Debug for Recovered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recovered({}, {} bytes)", self.call.hex(), self.journal.len())
    }
}

impl fmt::Debug for MediaEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MediaEvent::Opened { leg, address } => write!(f, "Opened({}, {address})", leg.0),
            MediaEvent::OpenFailed { leg } => write!(f, "OpenFailed({})", leg.0),
            MediaEvent::Key { leg, .. } => write!(f, "Key({}, •)", leg.0),
            MediaEvent::Greeted { leg, machine } => write!(f, "Greeted({}, machine: {machine})", leg.0),
            MediaEvent::PlayDone { leg, token } => write!(f, "PlayDone({}, {token})", leg.0),
            MediaEvent::Closed { leg, quality } => write!(f, "Closed({}, {quality:?})", leg.0),
            MediaEvent::Recorded { leg, recording, result } => {
                write!(f, "Recorded({}, {recording}, {result:?})", leg.0)
            }
        }
    }
}
