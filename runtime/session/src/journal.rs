//! The journal of one call: what it is made of, and its bytes. Each record is `kind u8 · dt_ms varint · body`,
//! the time counted from the record before. Nothing private and no key that nobody asked for ever enters;
//! nothing here knows where the bytes are kept.

mod blank;
mod bytes;
mod code;

use std::fmt;

use runtime_contract::channel::Channel;
use runtime_contract::host::Observation;
use runtime_contract::leg::GoneCause;
use runtime_contract::phrase::Said;
use runtime_contract::record::CallId;
use runtime_contract::value::Value;
use runtime_contract::{FaultKind, GraphId, SiteId, Time};

use crate::input::{Line, RequestId, StopReason};
use crate::output::EndCause;

pub use blank::blank;
pub(crate) use code::encode;
pub use code::{JournalError, decode};

/// Number of the format, first in `Start`.
pub const FORMAT: u8 = 1;

#[derive(Clone, PartialEq)]
pub enum Record {
    Start(Started),
    /// Right behind the start: the arguments of its flow, where it has some.
    Given(Vec<Value>),
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
    /// Keys or words that a request took.
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
    /// The process that held the call died; another took its line up, and made the outstanding request once more.
    Revived,
    /// There was no room for the record that would stand here, nor for any behind it but the ends of line and
    /// call.
    Full,
    End(EndCause),
}

#[derive(Clone, PartialEq)]
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
    pub channel: Channel,
    pub time: Time,
}

#[derive(Clone, PartialEq)]
pub enum Reply {
    Gone,
    Fault(FaultKind),
    /// Private values in it are empty.
    Result {
        outcome: u32,
        payload: Option<Value>,
    },
}

#[derive(Clone, PartialEq, Eq)]
pub enum Claimed {
    /// Each key, and the milliseconds since the request began.
    Keys(Vec<(char, u32)>),
    /// How many.
    Private(u32),
    /// Words of a caller: a phrase of the menu, or whatever they were.
    Words(Option<Said>),
}

/// Errors and logs show records: what belongs to a person stays out.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Record::Start(started) => started.fmt(f),
            Record::Given(values) => write!(f, "Given({} values)", values.len()),
            Record::Leg(bytes) => write!(f, "Leg({} bytes)", bytes.len()),
            Record::Request { site, request, hash } => write!(f, "Request({}, site {}, {hash:08x})", request.0, site.0),
            Record::Reply { request, reply } => write!(f, "Reply({}, {reply:?})", request.0),
            Record::Claim { request, keys } => write!(f, "Claim({}, {keys:?})", request.0),
            Record::Answered => f.write_str("Answered"),
            Record::Gone(cause) => write!(f, "Gone({cause:?})"),
            Record::Observation(_) => f.write_str("Observation(•)"),
            Record::Fault { kind, site, .. } => write!(f, "Fault({}, site {})", kind.name(), site.0),
            Record::Stop(reason) => write!(f, "Stop({reason:?})"),
            Record::Late(request) => write!(f, "Late({})", request.0),
            Record::Revived => f.write_str("Revived"),
            Record::Full => f.write_str("Full"),
            Record::End(cause) => write!(f, "End({cause:?})"),
        }
    }
}

impl fmt::Debug for Started {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Start({}, flow {}, line {:?})", self.call.hex(), self.flow, self.line)
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reply::Gone => f.write_str("Gone"),
            Reply::Fault(kind) => write!(f, "Fault({})", kind.name()),
            Reply::Result { outcome, payload } => {
                write!(f, "Result({outcome}{})", if payload.is_some() { ", •" } else { "" })
            }
        }
    }
}

impl fmt::Debug for Claimed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Claimed::Keys(keys) => write!(f, "{} keys", keys.len()),
            Claimed::Private(count) => write!(f, "{count} private keys"),
            Claimed::Words(_) => f.write_str("words"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_show_nothing_of_a_person() {
        let number = 8_613_800_000_000_u64;
        let started = Started {
            call: CallId::default(),
            graph: GraphId::default(),
            epoch: 0,
            flow: 3,
            language: 0,
            line: Line::Ringing,
            caller: Some(number),
            called: Some(number),
            channel: Channel::Voice,
            time: Time(0),
        };
        let request = RequestId(2);
        let text = number.to_string();
        let keys = text.chars().map(|key| (key, 0)).collect();
        let payload = Some(Value::Text(text.clone()));
        for (record, shown) in [
            (Record::Start(started), "Start(00000000000000000000000000000000, flow 3, line Ringing)"),
            (Record::Leg(text.clone().into_bytes()), "Leg(13 bytes)"),
            (Record::Reply { request, reply: Reply::Result { outcome: 1, payload } }, "Reply(2, Result(1, •))"),
            (Record::Claim { request, keys: Claimed::Keys(keys) }, "Claim(2, 13 keys)"),
        ] {
            assert_eq!(format!("{record:?}"), shown);
        }
    }
}
