//! How often: at most so many attempts in a calendar day or in any stretch of time.

use super::{Cap, Per};

impl Cap {
    /// The first instant at `at` or behind it at which one more attempt fits under this cap. `made` are the instants of those
    /// before, rising, none behind `at`; `days` are the calendar days in which `at` lies, each with its first instant and
    /// that of the next. An answer behind `at` may lie under another cap, or in other days: ask again. `None`: never.
    pub fn next(&self, made: &[i64], at: i64, days: impl IntoIterator<Item = (i64, i64)>) -> Option<i64> {
        let count = usize::try_from(self.count).ok().filter(|count| *count > 0)?;
        // The attempt that must be out of the way: the last but `count - 1`.
        let Some(last) = made.len().checked_sub(count).and_then(|last| made.get(last)) else { return Some(at) };
        match self.per {
            Per::Rolling { ms } => Some(last.saturating_add_unsigned(ms).max(at)),
            Per::Day => {
                Some(days.into_iter().filter(|(first, _)| last >= first).map(|(_, next)| next).fold(at, i64::max))
            }
        }
    }
}
