//! When something is due: a closed list of timers, at most one for each item.

use std::collections::BTreeSet;

use runtime_contract::Time;

use crate::item::ItemId;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// The next attempt.
    Due,
    /// An attempt or an `exhausted` flow whose end nobody told.
    Lost,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Timers {
    due: BTreeSet<(Time, ItemId)>,
    lost: BTreeSet<(Time, ItemId)>,
}

impl Timers {
    pub fn set(&mut self, timer: Timer, at: Time, item: ItemId) {
        self.of(timer).insert((at, item));
    }

    pub fn cancel(&mut self, timer: Timer, at: Time, item: ItemId) {
        self.of(timer).remove(&(at, item));
    }

    pub fn next(&self, timer: Timer) -> Option<Time> {
        let of = match timer {
            Timer::Due => &self.due,
            Timer::Lost => &self.lost,
        };
        of.first().map(|(at, _)| *at)
    }

    pub fn take(&mut self, timer: Timer, now: Time) -> Option<ItemId> {
        let of = self.of(timer);
        of.first().filter(|(at, _)| *at <= now)?;
        of.pop_first().map(|(_, item)| item)
    }

    pub fn count(&self) -> usize {
        self.due.len() + self.lost.len()
    }

    fn of(&mut self, timer: Timer) -> &mut BTreeSet<(Time, ItemId)> {
        match timer {
            Timer::Due => &mut self.due,
            Timer::Lost => &mut self.lost,
        }
    }
}
