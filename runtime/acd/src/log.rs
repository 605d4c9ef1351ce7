//! What happened in the queues, as far back as figures are asked for: each stay of a caller in a queue, and what agents
//! did with their time. It works out nothing.

use std::collections::VecDeque;

use runtime_contract::Time;
use runtime_contract::queue::WINDOW_MS_MAX;

use crate::agents::Activity;
use crate::input::AgentName;
use crate::queues::{QueueId, Queues};

/// Stays of all queues that are kept; of more the oldest go.
pub(crate) const STAYS_MAX: usize = 1_000_000;
/// Stretches of agents' time, likewise.
pub(crate) const SPANS_MAX: usize = 500_000;

/// Counted in each queue, and above all that were given before its first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StayId(u64);

/// How a stay in a queue ended (measures.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ending {
    Answered,
    Abandoned,
    /// Another queue in which he waited too has had him.
    Overflowed,
    CalledBack,
    /// By a key, or because time or staff ran out: the flow goes on with him.
    Left,
}

/// One caller in one queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stay {
    pub entered: Time,
    pub ended: Option<(Time, Ending)>,
    /// The agent's part of it, once that is over.
    pub handled: Option<Handled>,
    /// When it was written here: later than he entered where he came from a process that died.
    noted: Time,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Handled {
    pub agent: AgentName,
    /// Time on hold is part of it.
    pub talk_ms: u64,
    pub wrap_up_ms: u64,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct QueueLog {
    stays: VecDeque<Stay>,
    /// Number of the first that is kept.
    first: u64,
    /// How often something was written here.
    pub changes: u64,
}

impl QueueLog {
    /// Stays that began in the window, the latest first.
    pub fn since(&self, from: Time) -> impl Iterator<Item = &Stay> {
        self.stays.iter().rev().take_while(move |stay| stay.noted >= from)
    }

    /// When the oldest of those was noted.
    pub fn oldest_since(&self, from: Time) -> Option<Time> {
        self.stays.get(self.stays.partition_point(|stay| stay.noted < from)).map(|stay| stay.noted)
    }

    /// To write something of it.
    fn find(&mut self, id: StayId) -> Option<&mut Stay> {
        self.changes += 1;
        self.stays.get_mut(usize::try_from(id.0.checked_sub(self.first)?).ok()?)
    }
}

/// A stretch of an agent's time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub agent: AgentName,
    pub activity: Activity,
    pub from: Time,
    pub to: Time,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    next: u64,
    /// Of which queue each stay is, the oldest first.
    stays: VecDeque<(QueueId, StayId, Time)>,
    spans: VecDeque<Span>,
}

impl Log {
    pub fn enter(&mut self, queues: &mut Queues, queue: QueueId, entered: Time, now: Time) -> StayId {
        self.next += 1;
        let mut id = StayId(self.next);
        if let Some(QueueLog { stays, first, changes }) = queues.get_mut(queue).map(|line| &mut line.log) {
            *changes += 1;
            if *first == 0 {
                *first = self.next;
            }
            id = StayId(*first + stays.len() as u64);
            stays.push_back(Stay { entered, ended: None, handled: None, noted: now });
        }
        self.stays.push_back((queue, id, now));
        let is_old = |noted: &Time| now.0.saturating_sub(noted.0) > WINDOW_MS_MAX as i64;
        while self.stays.front().is_some_and(|(_, _, noted)| self.stays.len() > STAYS_MAX || is_old(noted)) {
            let Some((queue, id, _)) = self.stays.pop_front() else { break };
            if let Some(log) = queues.get_mut(queue).map(|line| &mut line.log).filter(|log| log.first == id.0) {
                log.first += u64::from(log.stays.pop_front().is_some());
            }
        }
        id
    }

    pub fn end(&mut self, queues: &mut Queues, queue: QueueId, stay: StayId, now: Time, how: Ending) {
        if let Some(stay) = queues.get_mut(queue).and_then(|line| line.log.find(stay)) {
            stay.ended = Some((now, how));
        }
    }

    /// His talk is over.
    pub fn handled(&mut self, queues: &mut Queues, queue: QueueId, stay: StayId, handled: Handled) {
        if let Some(stay) = queues.get_mut(queue).and_then(|line| line.log.find(stay)) {
            stay.handled = Some(handled);
        }
    }

    pub fn wrapped_up(&mut self, queues: &mut Queues, queue: QueueId, stay: StayId, wrap_up_ms: u64) {
        let stay = queues.get_mut(queue).and_then(|line| line.log.find(stay));
        if let Some(handled) = stay.and_then(|stay| stay.handled.as_mut()) {
            handled.wrap_up_ms = wrap_up_ms;
        }
    }

    pub fn span(&mut self, span: Span) {
        if span.activity == Activity::Other || span.to <= span.from {
            return;
        }
        let now = span.to;
        self.spans.push_back(span);
        let is_old = |first: &Span| now.0.saturating_sub(first.to.0) > WINDOW_MS_MAX as i64;
        while self.spans.front().is_some_and(|first| self.spans.len() > SPANS_MAX || is_old(first)) {
            self.spans.pop_front();
        }
    }

    /// Those that ended in the window, the latest first.
    pub fn spans_since(&self, from: Time) -> impl Iterator<Item = &Span> {
        self.spans.iter().rev().take_while(move |span| span.to > from)
    }
}
