//! A timer wheel of two rings. It does not know what it wakes: an alarm whose thing is gone or past it is
//! ignored by whoever receives it, so nothing is ever taken out.

use runtime_contract::time::Tick;

/// One place of the near ring: 2^22 ns, 4.2 ms. An alarm rings at the end of its place, so that much late at
/// most and never early.
const SLOT_NS_LOG2: u32 = 22;
const RING: u64 = 256;
const RING_LOG2: u32 = 8;

struct Ring<T> {
    slots: Vec<Vec<(Tick, T)>>,
    /// Bit set: the slot holds something.
    used: [u64; 4],
}

impl<T> Ring<T> {
    fn new() -> Self {
        Self { slots: (0..RING).map(|_| Vec::new()).collect(), used: [0; 4] }
    }

    fn put(&mut self, position: u64, deadline: Tick, alarm: T) {
        let at = (position % RING) as usize;
        if let (Some(slot), Some(word)) = (self.slots.get_mut(at), self.used.get_mut(at / 64)) {
            slot.push((deadline, alarm));
            *word |= 1 << (at % 64);
        }
    }

    fn take(&mut self, position: u64) -> Vec<(Tick, T)> {
        let at = (position % RING) as usize;
        match (self.slots.get_mut(at), self.used.get_mut(at / 64)) {
            (Some(slot), Some(word)) => {
                *word &= !(1 << (at % 64));
                std::mem::take(slot)
            }
            _ => Vec::new(),
        }
    }

    /// First used position after `position`, less than one turn away.
    fn next_used(&self, position: u64) -> Option<u64> {
        let mut at = position + 1;
        let end = position + RING;
        while at < end {
            let place = at % RING;
            let word = self.used.get((place / 64) as usize).copied().unwrap_or(0) >> (place % 64);
            if word != 0 {
                return Some(at + u64::from(word.trailing_zeros())).filter(|found| *found < end);
            }
            at += 64 - place % 64;
        }
        None
    }
}

/// Alarms of type `T`.
pub struct Alarms<T> {
    near: Ring<T>,
    /// One place holds what the near ring holds in one turn.
    far: Ring<T>,
    /// Slots up to this one have rung.
    current: u64,
    len: usize,
}

impl<T> Alarms<T> {
    pub fn new() -> Self {
        Self { near: Ring::new(), far: Ring::new(), current: 0, len: 0 }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn set(&mut self, now: Tick, deadline: Tick, alarm: T) {
        if self.len == 0 {
            self.current = self.current.max(now.0 >> SLOT_NS_LOG2);
        }
        self.len += 1;
        self.place(self.current + 1, deadline, alarm);
    }

    fn place(&mut self, earliest: u64, deadline: Tick, alarm: T) {
        let slot = deadline.0.div_ceil(1 << SLOT_NS_LOG2).max(earliest);
        if slot - self.current < RING {
            return self.near.put(slot, deadline, alarm);
        }
        // What lies beyond the far ring waits in its last place and is placed again from there.
        let turn = (slot >> RING_LOG2).min((self.current >> RING_LOG2) + RING - 1);
        self.far.put(turn, deadline, alarm);
    }

    /// Moves to `now` and hands over, in order of their slots, the alarms due.
    pub fn advance(&mut self, now: Tick, due: &mut Vec<T>) {
        let target = now.0 >> SLOT_NS_LOG2;
        while self.current < target {
            if self.len == 0 {
                self.current = target;
                return;
            }
            let turn_end = ((self.current >> RING_LOG2) + 1) << RING_LOG2;
            let next = self.near.next_used(self.current).map_or(turn_end, |slot| slot.min(turn_end));
            if next > target {
                self.current = target;
                return;
            }
            self.current = next;
            if next == turn_end {
                for (deadline, alarm) in self.far.take(next >> RING_LOG2) {
                    self.place(next, deadline, alarm);
                }
            }
            let ringing = self.near.take(next);
            self.len -= ringing.len();
            due.extend(ringing.into_iter().map(|(_, alarm)| alarm));
        }
    }

    /// When [`Alarms::advance`] has something to do.
    pub fn next_deadline(&self) -> Option<Tick> {
        if self.len == 0 {
            return None;
        }
        let near = self.near.next_used(self.current);
        let far = self.far.next_used(self.current >> RING_LOG2).map(|turn| turn << RING_LOG2);
        let slot = near.into_iter().chain(far).min()?;
        Some(Tick(slot.saturating_mul(1 << SLOT_NS_LOG2)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Walks from deadline to deadline and says when each alarm rang.
    fn walk(starts_ms: u64, delays_ms: &[u64]) -> Vec<(u64, u64)> {
        let mut alarms = Alarms::new();
        let start = Tick(0).plus_ms(starts_ms);
        for delay in delays_ms {
            alarms.set(start, start.plus_ms(*delay), *delay);
        }
        let mut rang = Vec::new();
        while let Some(deadline) = alarms.next_deadline() {
            let mut due = Vec::new();
            alarms.advance(deadline, &mut due);
            rang.extend(due.into_iter().map(|delay| (delay, (deadline - start).as_millis() as u64)));
        }
        assert_eq!(alarms.len(), 0);
        rang
    }

    #[test]
    fn every_alarm_rings_in_time_and_none_early() {
        let delays: Vec<u64> =
            (0..400).map(|step| step * step * 7).chain([1, 1_069, 1_070, 1_074, 274_000, 300_000]).collect();
        for start in [0, 1, 1_070, 123_456_789] {
            let rang = walk(start, &delays);
            assert_eq!(rang.len(), delays.len());
            for (delay, at) in rang {
                assert!(delay <= at && at <= delay + 9, "{delay} ms rang at {at} ms, start {start}");
            }
        }
    }

    #[test]
    fn a_late_walk_rings_all() {
        let mut alarms = Alarms::new();
        for delay in [1, 500, 32_000, 600_000] {
            alarms.set(Tick(0), Tick(0).plus_ms(delay), delay);
        }
        let mut due = Vec::new();
        alarms.advance(Tick(u64::MAX / 2), &mut due);
        assert_eq!(due, [1, 500, 32_000, 600_000]);
        assert_eq!(alarms.next_deadline(), None);
    }
}
