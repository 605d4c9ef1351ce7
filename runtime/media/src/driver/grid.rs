//! Who is visited when: single legs each 20 ms, the legs of a bridge each 5 ms. It reads and sends nothing.

use runtime_contract::leg::LegId;

use super::ports::Bound;
use super::readiness::Watched;
use crate::stream::Stream;

/// Slots of 1 ms on the grid; one packet time.
pub const SLOTS: u64 = 20;
/// What is relayed waits for the next visit: a quarter of a packet time is not heard, and four visits cost little.
const BRIDGE_SLOTS: u64 = 5;
/// Legs that are visited together before another slot is used, for each slot costs a waking: half a millisecond of work.
const TOGETHER: usize = 50;
/// The like for bridges, of two legs and with four visits in a packet time.
const BRIDGES_TOGETHER: usize = 10;

#[derive(Debug)]
pub struct Leg {
    pub leg: LegId,
    pub bound: Bound,
    pub watched: Watched,
    pub stream: Box<Stream>,
}

/// Legs by slot.
#[derive(Default)]
pub struct Grid {
    slots: [Vec<Leg>; SLOTS as usize],
    bridges: [Vec<[Leg; 2]>; BRIDGE_SLOTS as usize],
}

impl Grid {
    pub fn insert(&mut self, leg: Leg) {
        fill(&mut self.slots, leg, TOGETHER);
    }

    pub fn insert_bridge(&mut self, legs: [Leg; 2]) {
        fill(&mut self.bridges, legs, BRIDGES_TOGETHER);
    }

    pub fn find(&mut self, leg: LegId) -> Option<&mut Leg> {
        let bridged = self.bridges.iter_mut().flatten().flatten();
        self.slots.iter_mut().flatten().chain(bridged).find(|open| open.leg == leg)
    }

    /// Takes out a leg that is in no bridge.
    pub fn remove(&mut self, leg: LegId) -> Option<Leg> {
        for slot in &mut self.slots {
            if let Some(at) = slot.iter().position(|open| open.leg == leg) {
                return Some(slot.swap_remove(at));
            }
        }
        None
    }

    /// Takes out both legs of a bridge that the leg is in.
    pub fn remove_bridge(&mut self, leg: LegId) -> Option<[Leg; 2]> {
        for slot in &mut self.bridges {
            if let Some(at) = slot.iter().position(|[a, b]| a.leg == leg || b.leg == leg) {
                return Some(slot.swap_remove(at));
            }
        }
        None
    }

    /// The first slot with legs, not before `slot`.
    pub fn next_used(&self, slot: u64) -> Option<u64> {
        let is_used = |slot: &u64| {
            self.slots.get((slot % SLOTS) as usize).is_some_and(|legs| !legs.is_empty())
                || self.bridges.get((slot % BRIDGE_SLOTS) as usize).is_some_and(|legs| !legs.is_empty())
        };
        (slot..slot + SLOTS).find(is_used)
    }

    /// Single legs of a slot.
    pub fn legs_mut(&mut self, slot: u64) -> impl Iterator<Item = &mut Leg> {
        self.slots.get_mut((slot % SLOTS) as usize).into_iter().flatten()
    }

    pub fn bridges_mut(&mut self, slot: u64) -> impl Iterator<Item = &mut [Leg; 2]> {
        self.bridges.get_mut((slot % BRIDGE_SLOTS) as usize).into_iter().flatten()
    }

    pub fn into_legs(self) -> impl Iterator<Item = Leg> {
        self.slots.into_iter().flatten().chain(self.bridges.into_iter().flatten().flatten())
    }
}

/// Into the fullest slot that has room for `together`; into the emptiest when none has.
fn fill<T>(slots: &mut [Vec<T>], what: T, together: usize) {
    let order = |slot: &&mut Vec<T>| if slot.len() < together { (0, together - slot.len()) } else { (1, slot.len()) };
    if let Some(slot) = slots.iter_mut().min_by_key(order) {
        slot.push(what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_are_visited_together_and_many_are_spread() {
        let mut slots = [const { Vec::new() }; 4];
        let lengths = |slots: &[Vec<u32>; 4]| slots.each_ref().map(Vec::len);
        (0..3).for_each(|leg| fill(&mut slots, leg, 3));
        assert_eq!(lengths(&slots), [3, 0, 0, 0]);
        (0..2).for_each(|leg| fill(&mut slots, leg, 3));
        assert_eq!(lengths(&slots), [3, 2, 0, 0]);
        // One that got room is not filled before the fuller one.
        slots[0].truncate(1);
        fill(&mut slots, 9, 3);
        assert_eq!(lengths(&slots), [1, 3, 0, 0]);
        (0..14).for_each(|leg| fill(&mut slots, leg, 3));
        assert_eq!(lengths(&slots), [5, 5, 4, 4]);
    }
}
