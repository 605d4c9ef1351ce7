//! Random programs and random callers, from a seed: for tests that hold two engines against each other. The
//! programs are valid but mean nothing.

mod cadence;
mod play;
mod program;
mod survey;
mod values;

pub use play::{Tally, play};
pub use program::program;
pub use values::every_type;

/// SplitMix64 (Steele, Lea, Flood 2014): small, and the same everywhere.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }

    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// Below `end`; 0 when that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        self.word().checked_rem(end as u64).unwrap_or(0) as usize
    }

    /// True in so many of a hundred cases.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn pick<'t, T>(&mut self, list: &'t [T]) -> Option<&'t T> {
        list.get(self.below(list.len()))
    }

    /// A number of the kind on which arithmetic breaks, or an everyday one.
    pub fn integer(&mut self) -> i64 {
        const EDGES: [i64; 10] = [0, 1, -1, 2, 10, 1_000_000, i64::MAX, i64::MIN, i64::MAX / 2, -3_037_000_500];
        match self.below(4) {
            0 => self.pick(&EDGES).copied().unwrap_or(0),
            1 => self.word() as i64,
            _ => self.below(200) as i64 - 50,
        }
    }
}
