//! The journal of one call: what it is made of, and its bytes. Each record is `kind u8 · dt_ms varint · body`,
//! the time counted from the record before. Nothing private and no key that nobody asked for ever enters;
//! nothing here knows where the bytes are kept.

mod bytes;
mod code;

use runtime_contract::host::Observation;
use runtime_contract::leg::GoneCause;
use runtime_contract::record::CallId;
use runtime_contract::value::Value;
use runtime_contract::{FaultKind, GraphId, SiteId, Time};

use crate::input::{Line, RequestId, StopReason};
use crate::output::EndCause;

pub(crate) use code::encode;
pub use code::{JournalError, decode};

/// Number of the format, first in `Start`.
pub const FORMAT: u8 = 1;

#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    Start(Started),
    /// Opaque bytes of the line's owner.
    Leg(Vec<u8>),
    /// A request was made. The hash is of its arguments by content, where private values count as one.
    Request {
        site: SiteId,
        request: RequestId,
        hash: u32,
    },
    /// What became of it.
    Reply {
        request: RequestId,
        reply: Reply,
    },
    /// Keys that a request took.
    Claim {
        request: RequestId,
        keys: Claimed,
    },
    Answered,
    Gone(GoneCause),
    /// An answer that a segment got by looking at the world or at a private value.
    Observation(Observation),
    Fault {
        kind: FaultKind,
        site: SiteId,
        place: Option<u32>,
    },
    Stop(StopReason),
    /// An answer to a request that was no longer open. Dropped.
    Late(RequestId),
    /// There was no room for the record that would stand here, nor for any behind it but the ends of line and
    /// call.
    Full,
    End(EndCause),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Started {
    pub call: CallId,
    pub graph: GraphId,
    pub epoch: u64,
    pub flow: u32,
    pub language: u32,
    pub line: Line,
    /// E.164 digits.
    pub caller: Option<u64>,
    pub called: Option<u64>,
    pub time: Time,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    Gone,
    Fault(FaultKind),
    /// Private values in it are empty.
    Result {
        outcome: u32,
        payload: Option<Value>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// Each key, and the milliseconds since the request began.
    Keys(Vec<(char, u32)>),
    /// How many.
    Private(u32),
}
