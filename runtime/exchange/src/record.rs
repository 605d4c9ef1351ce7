//! The call record: what remains of a call for people.

use runtime_contract::value::Value;
use runtime_contract::{FaultKind, GraphId, Redacted, Time, Type};
use runtime_session::{CallId, EndCause};

#[derive(Clone, Debug, PartialEq)]
pub struct CallRecord {
    pub call: CallId,
    /// Call-ID of the dialog, to find the call in a trace of the network.
    pub sip_call_id: String,
    pub graph: GraphId,
    pub epoch: u64,
    /// `module.flow`.
    pub flow: String,
    /// As the network said it; `None` when withheld.
    pub caller: Option<Redacted<String>>,
    pub called: Redacted<String>,
    pub started: Time,
    pub answered: Option<Time>,
    pub ended: Time,
    pub end: EndCause,
    /// In the order in which they were noted; a later one of the same key replaces the earlier.
    pub notes: Vec<Note>,
    /// `flow/step` in which the call was last.
    pub last_step: String,
    pub faults: Vec<FaultNote>,
    pub recordings: Vec<RecordingNote>,
    /// Requests that the flow made.
    pub requests: u32,
}

#[derive(Clone, PartialEq)]
pub struct Note {
    pub key: String,
    pub r#type: Type,
    pub value: Value,
    /// The value as figures and names, in no language: `12.50 CNY`, `gold`.
    pub text: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct FaultNote {
    pub kind: FaultKind,
    /// `hotline.flow:42`.
    pub place: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordingNote {
    pub recording: u64,
    pub length_ms: u32,
    /// The caller hung up while it ran.
    pub partial: bool,
}

impl std::fmt::Debug for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} = •", self.key)
    }
}
