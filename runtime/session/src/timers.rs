//! The timers of one call: a closed list, each at most once.

use runtime_contract::Tick;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// The first key of a menu or ask must come.
    FirstKey,
    /// A further key may come.
    InterKey,
    /// `wait`.
    Wait,
    /// A recording must have ended by itself, and then at our demand.
    RecordMax,
    /// A service must have answered.
    Request,
    /// All `finally` blocks together.
    FinallyMax,
    CallMax,
}

impl Timer {
    const ALL: [Timer; 7] = [
        Timer::FirstKey,
        Timer::InterKey,
        Timer::Wait,
        Timer::RecordMax,
        Timer::Request,
        Timer::FinallyMax,
        Timer::CallMax,
    ];
}

#[derive(Clone, Debug)]
pub(crate) struct Timers {
    /// By [`Timer`]; `Tick::MAX` is off.
    at: [Tick; Timer::ALL.len()],
}

impl Default for Timers {
    fn default() -> Timers {
        Timers { at: [Tick::MAX; Timer::ALL.len()] }
    }
}

impl Timers {
    pub fn set(&mut self, timer: Timer, at: Tick) {
        if let Some(place) = self.at.get_mut(timer as usize) {
            *place = at;
        }
    }

    pub fn cancel(&mut self, timer: Timer) {
        self.set(timer, Tick::MAX);
    }

    /// Cancels what belongs to the outstanding request; the call's own timers go on.
    pub fn cancel_request(&mut self) {
        for timer in [Timer::FirstKey, Timer::InterKey, Timer::Wait, Timer::RecordMax, Timer::Request] {
            self.cancel(timer);
        }
    }

    pub fn at(&self, timer: Timer) -> Option<Tick> {
        self.at.get(timer as usize).copied().filter(|at| *at != Tick::MAX)
    }

    pub fn next(&self) -> Option<Tick> {
        self.at.iter().copied().min().filter(|at| *at != Tick::MAX)
    }

    /// Takes the earliest timer that is due.
    pub fn take_due(&mut self, now: Tick) -> Option<Timer> {
        let due = Timer::ALL.into_iter().filter_map(|timer| Some((self.at(timer)?, timer)));
        let (at, timer) = due.min_by_key(|(at, _)| *at)?;
        if at > now {
            return None;
        }
        self.cancel(timer);
        Some(timer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_fire_in_order_and_once() {
        let mut timers = Timers::default();
        assert_eq!(timers.next(), None);
        timers.set(Timer::CallMax, Tick(30));
        timers.set(Timer::FirstKey, Tick(10));
        assert_eq!((timers.next(), timers.take_due(Tick(9))), (Some(Tick(10)), None));
        assert_eq!(timers.take_due(Tick(30)), Some(Timer::FirstKey));
        assert_eq!(timers.take_due(Tick(30)), Some(Timer::CallMax));
        assert_eq!((timers.next(), timers.take_due(Tick(30))), (None, None));
    }
}
