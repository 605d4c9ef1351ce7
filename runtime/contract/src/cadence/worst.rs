//! The worst schedule: the most attempts that a cadence could make in the shortest time, against what a law allows. It
//! counts in an ordinary week of one place; holidays, other places and changes of the clock only make a schedule looser,
//! but for the one night a year that is an hour shorter.

use std::collections::BTreeSet;

use super::legal::Week;
use super::{Cadence, Cap, Per};
use crate::calendar::DAY_MS;

const WEEK_MS: i64 = 7 * DAY_MS;

/// A schedule that a cadence allows and a law does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Index of `Cadence::laws`.
    pub law: usize,
    /// The one of its caps that is broken.
    pub cap: Cap,
    /// One attempt more than it allows, by the clock of the place: ms since the midnight in which a Monday begins.
    pub instants: Vec<i64>,
}

impl Violation {
    /// Day of the week (0 is Monday) and minute of the day of each attempt; the days of the weeks that follow count on.
    pub fn clocks(&self) -> impl Iterator<Item = (i64, i64)> {
        self.instants.iter().map(|at| (at.div_euclid(DAY_MS), at.rem_euclid(DAY_MS) / 60_000))
    }
}

/// Attempts are made as early as they may be, wherever the first one falls, and every retry takes its shortest delay.
/// `at_once`: some arm says `retry at T`, and T may be now. The work grows with what the laws allow, not with `attempts`.
pub fn worst(cadence: &Cadence, at_once: bool) -> Option<Violation> {
    let laws = cadence.laws.iter().enumerate();
    let caps = laws.flat_map(|(law, profile)| profile.caps.iter().map(move |cap| (law, profile, *cap)));
    caps.filter(|(_, _, cap)| cap.count < cadence.attempts_max).find_map(|(law, profile, cap)| {
        let plan = Plan {
            week: Week::of(&cadence.window).and(&Week::of(&[profile.window()])),
            caps: &cadence.caps,
            gaps: gaps(cadence, at_once, usize::try_from(cap.count).ok()?)?,
        };
        let broken = plan.starts().into_iter().filter_map(|start| plan.breaking(cap, start));
        let instants =
            broken.min_by_key(|instants| instants.last().zip(instants.first()).map(|(last, first)| last - first))?;
        Some(Violation { law, cap, instants })
    })
}

/// The `count` shortest delays between attempts that follow each other, rising. `None` where no arm tries again.
/// A ladder is taken from whichever rung is best on, so that of `1d, 15m` every delay is 15 minutes.
fn gaps(cadence: &Cadence, at_once: bool, count: usize) -> Option<Vec<i64>> {
    if at_once {
        return Some(vec![0; count]);
    }
    let ms = |delay: u64| i64::try_from(delay).unwrap_or(i64::MAX);
    let shortest = |ladder: &Vec<u64>| {
        let mut rungs: Vec<i64> = ladder.iter().map(|delay| ms(*delay)).collect();
        let mut least = i64::MAX;
        rungs.iter_mut().rev().for_each(|rung| {
            least = least.min(*rung);
            *rung = least;
        });
        rungs
    };
    // The last rung is taken again and again.
    let endless = |rungs: Vec<i64>| rungs.last().map(|last| std::iter::repeat_n(*last, count)).into_iter().flatten();
    let ladders = cadence.retries.iter().map(shortest);
    let mut all: Vec<i64> = ladders.flat_map(|rungs| rungs.clone().into_iter().chain(endless(rungs))).collect();
    let is_retried = !all.is_empty();
    all.sort_unstable();
    all.truncate(count);
    is_retried.then_some(all)
}

struct Plan<'a> {
    week: Week,
    caps: &'a [Cap],
    /// Rising; in whatever order they are taken.
    gaps: Vec<i64>,
}

impl Plan<'_> {
    /// Where the tightest schedule can begin: one that is tightest has some attempt at the first or last instant of a span,
    /// or it could be moved as a whole; and those before it follow each other as close as they may.
    fn starts(&self) -> BTreeSet<i64> {
        let edges: Vec<i64> = (0..7)
            .flat_map(|day| {
                self.week.spans(day).iter().flat_map(move |(from, until)| [*from, until - 1].map(|ms| (day, ms)))
            })
            .map(|(day, ms)| day * DAY_MS + ms)
            .collect();
        let rolling: Vec<Cap> = self.caps.iter().filter(|cap| cap.per != Per::Day).copied().collect();
        let free = Plan { week: Week::always(), caps: &rolling, gaps: self.gaps.clone() };
        let offsets: BTreeSet<i64> = free.from(0).map(|at| at.rem_euclid(WEEK_MS)).collect();
        let starts =
            edges.iter().flat_map(|edge| offsets.iter().map(move |offset| (edge - offset).rem_euclid(WEEK_MS)));
        starts.filter_map(|start| self.week.next(start)).collect()
    }

    /// The schedule from `start` on, when it has one attempt too many.
    fn breaking(&self, cap: Cap, start: i64) -> Option<Vec<i64>> {
        let inside = |at: &i64| match cap.per {
            Per::Day => at.div_euclid(DAY_MS) == start.div_euclid(DAY_MS),
            Per::Rolling { ms } => at.abs_diff(start) < ms,
        };
        let instants: Vec<i64> = self.from(start).take_while(inside).collect();
        (instants.len() > self.gaps.len()).then_some(instants)
    }

    /// Each attempt as early as it may be.
    fn from(&self, start: i64) -> impl Iterator<Item = i64> {
        let (mut made, mut gaps) = (vec![start], self.gaps.clone());
        let following = std::iter::from_fn(move || {
            let earliest = self.after(&made, *gaps.first()?)?;
            // A night is waited for anyway, so the longest delay that ends before the morning costs nothing.
            let free = gaps.partition_point(|gap| self.after(&made, *gap) == Some(earliest));
            gaps.remove(free.saturating_sub(1));
            made.push(earliest);
            Some(earliest)
        });
        std::iter::once(start).chain(following)
    }

    /// The first instant for one more attempt, `gap` after the last.
    fn after(&self, made: &[i64], gap: i64) -> Option<i64> {
        let mut at = made.last()?.checked_add(gap)?;
        loop {
            let before = at;
            at = self.week.next(at)?;
            for cap in self.caps {
                let day = at.div_euclid(DAY_MS) * DAY_MS;
                at = cap.next(made, at, [(day, day + DAY_MS)])?;
            }
            if at == before {
                return Some(at);
            }
        }
    }
}
