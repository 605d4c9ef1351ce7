//! One person on the list of one cadence: domain state, not a frame. It outlives processes and versions, so it is names,
//! values and what was done.

use std::fmt;

use runtime_contract::Time;
use runtime_contract::cadence::{AttemptEnd, Cadence, Outcome, Permission};
use runtime_contract::calendar::DAY_MS;
use runtime_contract::value::{Phone, Value};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ItemId(pub u64);

/// What a cadence's pure flows say of an item's record, worked out when it starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    pub number: Phone,
    pub permission: Permission,
    /// IANA name of the window's zone, where the cadence names one: the record says where the person is.
    pub zone: Option<String>,
    /// Nobody is called before.
    pub begin: Option<Time>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// `module.cadence`
    pub cadence: String,
    /// Arguments of the cadence's flows.
    pub record: Vec<Value>,
    pub facts: Facts,
    /// The first is number 1.
    pub attempts: Vec<Attempt>,
    /// Numbers of the attempts behind which `after attempt` has run.
    pub sent: Vec<u32>,
    pub state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    pub started: Time,
    /// It writes to the person, and does not call.
    pub is_written: bool,
    /// Both are `None` while it goes on.
    pub ended: Option<Time>,
    pub outcome: Option<Outcome>,
    /// What its flow said; `None`: it was cut off, or it goes on.
    pub end: Option<AttemptEnd>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    Waiting {
        next_at: Time,
    },
    /// Its time has come, and the person is on the line for another item.
    Held,
    /// No version that serves has its cadence.
    Orphaned,
    Calling,
    /// Its `exhausted` flow runs.
    Exhausting {
        since: Time,
    },
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Item({}, {} attempts, {:?})", self.cadence, self.attempts.len(), self.state)
    }
}

impl Item {
    /// When it may be tried again, as far as its last attempt and the cadence's ladders say; `None` before the first.
    /// Only attempts are kept, so a ladder that a new version changes goes on where the old one stood.
    pub fn again_at(&self, cadence: &Cadence) -> Option<Time> {
        let last = self.attempts.last()?;
        let from = last.ended.unwrap_or(last.started);
        Some(match last.end {
            Some(AttemptEnd::RetryAt { time }) => time.max(from),
            Some(AttemptEnd::Retry { ladder }) => {
                let taken = self.attempts.iter().filter(|attempt| attempt.end == last.end).count();
                plus(from, rung(cadence, ladder, taken).unwrap_or(DAY))
            }
            // Nobody knows which arm it would have been, so it waits as long as the slowest would have.
            None | Some(AttemptEnd::Stop { .. }) => {
                let ladders = 0..u32::try_from(cadence.retries.len()).unwrap_or(u32::MAX);
                let delays = ladders.filter_map(|ladder| {
                    let end = Some(AttemptEnd::Retry { ladder });
                    let taken = self.attempts.iter().filter(|attempt| attempt.end == end).count();
                    rung(cadence, ladder, taken + 1)
                });
                plus(from, delays.max().unwrap_or(DAY))
            }
        })
    }

    pub(crate) fn is_over(&self, cadence: &Cadence) -> bool {
        self.attempts.len() >= cadence.attempts_max as usize
    }
}

const DAY: u64 = DAY_MS as u64;

/// The delay of a ladder that is taken for this time (from 1); the last one serves for all later.
fn rung(cadence: &Cadence, ladder: u32, time: usize) -> Option<u64> {
    let delays = cadence.retries.get(ladder as usize)?;
    delays.get(time.saturating_sub(1)).or(delays.last()).copied()
}

fn plus(time: Time, ms: u64) -> Time {
    Time(time.0.saturating_add_unsigned(ms))
}
