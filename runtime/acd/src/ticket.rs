//! One caller's ticket: the queues he waits in, and who talks with him. It does not know who is free.

use runtime_contract::pure::Facts;
use runtime_contract::{Now, Tick, Time};
use smallvec::SmallVec;

use crate::agents::AgentId;
use crate::input::{AgentName, OfferNumber};
use crate::log::StayId;
use crate::programs::ProgramId;
use crate::questions::QuestionId;
use crate::queues::{QueueId, Rank};

#[derive(Clone, Debug)]
pub(crate) struct Ticket {
    pub program: ProgramId,
    pub entered: Time,
    pub last_agent: Option<(AgentName, Time)>,
    /// When he was promised a call.
    pub callback: Option<Time>,
    /// The queue that he entered, then those that it overflowed to.
    pub places: SmallVec<[Place; 1]>,
    pub state: State,
    /// Offers so far.
    pub offers: OfferNumber,
    /// Since when no further queue is to come.
    pub settled: Tick,
}

#[derive(Clone, Debug)]
pub(crate) enum State {
    Waiting,
    /// Index of the place for which these agents are rung.
    Offered(usize, SmallVec<[AgentId; 1]>),
    Talking {
        place: usize,
        agent: AgentId,
        since: Time,
    },
}

/// A ticket in one queue.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Index in the program's queues.
    pub index: u32,
    pub queue: QueueId,
    pub facts: Facts,
    pub since: Time,
    pub priority: i64,
    pub rank: Rank,
    /// Index of the stage that holds, and whom it means.
    pub stage: usize,
    pub needs: QuestionId,
    /// Whom the last stage means.
    pub at_last: QuestionId,
    pub prefers: SmallVec<[QuestionId; 2]>,
    pub stay: StayId,
}

/// The tick at which `after_ms` have passed since a time; now, if they have.
pub(crate) fn tick_after(now: Now, since: Time, after_ms: u64) -> Tick {
    let age_ms = now.time.0.saturating_sub(since.0).max(0) as u64;
    now.tick.plus_ms(after_ms.saturating_sub(age_ms))
}

/// Milliseconds from one time to another; 0 if that went back.
pub(crate) fn ms_between(from: Time, to: Time) -> u64 {
    to.0.saturating_sub(from.0).max(0) as u64
}
