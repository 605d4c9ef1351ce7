//! A journal without its person: what was keyed, answered and looked at goes, what happened when stays. It can be
//! read; the call cannot be rebuilt from it.

use runtime_contract::Time;
use runtime_contract::host::{Answer, Observation};

use super::{Claimed, JournalError, Record, Reply, Started, decode, encode};

/// The same records at the same times, with nothing in them that a person brought.
pub fn blank(bytes: &[u8]) -> Result<Vec<u8>, JournalError> {
    let mut blanked = Vec::with_capacity(bytes.len());
    let mut before: Option<Time> = None;
    for (time, record) in decode(bytes)? {
        let dt_ms = before.map_or(0, |before| time.0.saturating_sub(before.0).max(0) as u64);
        before = Some(time);
        encode(&without_person(record), dt_ms, &mut blanked);
    }
    Ok(blanked)
}

fn without_person(record: Record) -> Record {
    match record {
        Record::Start(started) => Record::Start(Started { caller: None, ..started }),
        Record::Given(_) => Record::Given(Vec::new()),
        Record::Leg(_) => Record::Leg(Vec::new()),
        // Of a value that was short the hash of arguments would tell which it was.
        Record::Request { site, request, .. } => Record::Request { site, request, hash: 0 },
        Record::Reply { request, reply: Reply::Result { outcome, .. } } => {
            Record::Reply { request, reply: Reply::Result { outcome, payload: None } }
        }
        Record::Claim { request, keys: Claimed::Keys(keys) } => {
            Record::Claim { request, keys: Claimed::Private(u32::try_from(keys.len()).unwrap_or(u32::MAX)) }
        }
        Record::Claim { request, keys: Claimed::Words(_) } => Record::Claim { request, keys: Claimed::Words(None) },
        Record::Observation(Observation { call, .. }) => {
            Record::Observation(Observation { call, answer: Answer::Text(String::new()) })
        }
        other => other,
    }
}
