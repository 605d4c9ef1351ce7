//! All timers of the queues: a closed list, each at most once for its ticket or agent.

use std::collections::BTreeSet;

use crate::FxHashMap;
use runtime_contract::Tick;

use crate::agents::AgentId;
use crate::input::TicketId;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// The agent who is rung must have answered.
    Ring(AgentId),
    /// He did not answer, and is asked again from then on.
    Rest(AgentId),
    WrapUp(AgentId),
    /// The next `relax` of one of the queues that he waits in.
    Relax(TicketId),
    Overflow(TicketId),
    Timeout(TicketId),
    Comfort(TicketId),
    Unstaffed(TicketId),
    CallbackAge(TicketId),
    /// A clause looks at the time, and a minute is over.
    Clock,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Timers {
    due: BTreeSet<(Tick, Timer)>,
    at: FxHashMap<Timer, Tick>,
}

impl Timers {
    pub fn set(&mut self, timer: Timer, at: Tick) {
        self.cancel(timer);
        self.due.insert((at, timer));
        self.at.insert(timer, at);
    }

    pub fn cancel(&mut self, timer: Timer) {
        if let Some(at) = self.at.remove(&timer) {
            self.due.remove(&(at, timer));
        }
    }

    /// All timers of a ticket that waits.
    pub fn cancel_ticket(&mut self, ticket: TicketId) {
        self.cancel_promises(ticket);
        self.cancel(Timer::Relax(ticket));
        self.cancel(Timer::Overflow(ticket));
        self.cancel(Timer::CallbackAge(ticket));
    }

    /// Those that are for a caller on the line.
    pub fn cancel_promises(&mut self, ticket: TicketId) {
        self.cancel(Timer::Timeout(ticket));
        self.cancel(Timer::Comfort(ticket));
        self.cancel(Timer::Unstaffed(ticket));
    }

    pub fn is_set(&self, timer: Timer) -> bool {
        self.at.contains_key(&timer)
    }

    pub fn next(&self) -> Option<Tick> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Takes the earliest timer that is due.
    pub fn take_due(&mut self, now: Tick) -> Option<Timer> {
        let (_, timer) = self.due.first().copied().filter(|(at, _)| *at <= now)?;
        self.cancel(timer);
        Some(timer)
    }

    /// For checkers.
    pub fn all(&self) -> impl Iterator<Item = (Tick, Timer)> {
        self.due.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_fire_in_order_and_once() {
        let (first, second) = (Timer::Timeout(TicketId(1)), Timer::Ring(AgentId(0)));
        let mut timers = Timers::default();
        timers.set(first, Tick(30));
        timers.set(second, Tick(10));
        timers.set(first, Tick(20));
        assert_eq!((timers.next(), timers.take_due(Tick(9))), (Some(Tick(10)), None));
        assert_eq!(timers.take_due(Tick(30)), Some(second));
        assert_eq!(timers.take_due(Tick(30)), Some(first));
        assert_eq!((timers.next(), timers.take_due(Tick(30))), (None, None));
    }
}
