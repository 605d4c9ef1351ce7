//! What is kept of a call when it is over: the call record (CDR).

use serde::{Deserialize, Serialize};

use crate::program::GraphId;
use crate::redacted::Redacted;
use crate::time::Time;

/// Names a call for ever: random, drawn by the driver when the call comes in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CallId(pub [u8; 16]);

impl CallId {
    pub fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub fn parse(hex: &str) -> Option<CallId> {
        let mut id = [0; 16];
        if hex.len() != 32 || !hex.is_ascii() {
            return None;
        }
        for (at, byte) in id.iter_mut().enumerate() {
            *byte = u8::from_str_radix(hex.get(at * 2..at * 2 + 2)?, 16).ok()?;
        }
        Some(CallId(id))
    }
}

/// One finished call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRecord {
    pub call: CallId,
    /// Call-ID of the leg's dialog.
    pub leg_call_id: String,
    pub graph: GraphId,
    /// The flow that answered, `hotline.hotline`.
    pub flow: String,
    pub caller: Option<Redacted<String>>,
    pub called: String,
    pub started: Time,
    pub answered: Option<Time>,
    pub ended: Time,
    /// `returned`, `hung up`, `caller hung up`, `rejected`, `fault: …`, `crash`, `stopped`, …
    pub end: String,
    /// Step in which it ended.
    pub last_step: String,
    /// `note key = value`, values as people read them. They may speak of a person.
    pub notes: Vec<(String, Redacted<String>)>,
    pub faults: u32,
    /// Ids of recordings made in this call.
    pub recordings: Vec<u64>,
    /// How the caller's voice went over; `None` without media, and until the media room has said it.
    pub quality: Option<Quality>,
}

/// How the voice of one leg went over (RFC 3550 §6.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quality {
    /// Packets that came.
    pub received: u64,
    /// Packets that did not come.
    pub lost: u64,
    /// Mean and greatest variation of their arrival (RFC 3550 §A.8).
    pub jitter_ms: u32,
    pub jitter_max_ms: u32,
    /// There and back, by the last report of the far side; `None` when it sends none.
    pub round_trip_ms: Option<u32>,
    /// What the far side says of our packets.
    pub remote_lost: Option<u32>,
    pub remote_jitter_ms: Option<u32>,
    /// Audio that was lost and made up, in what was recorded or listened to.
    pub concealed_ms: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn call_ids_read_back() {
        let id = CallId(std::array::from_fn(|at| at as u8 * 16 + 1));
        assert_eq!(CallId::parse(&id.hex()), Some(id));
        assert_eq!(CallId::parse("xx"), None);
    }
}
