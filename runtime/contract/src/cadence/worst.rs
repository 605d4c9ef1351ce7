//! The worst schedule: the most attempts or conversations that a cadence could come to in the shortest time, against what a
//! law allows. It counts in an ordinary week by the window's clock; the person's may show another hour. Holidays and
//! changes of the clock only make a schedule looser, but for the one night a year that is an hour shorter.

use std::collections::BTreeSet;

use super::legal::Week;
use super::{Cadence, Cap, Law, Outcome, Per, WindowTimes};
use crate::calendar::{DAY_MS, local};
use crate::time::Time;

const WEEK_MS: i64 = 7 * DAY_MS;
const MINUTE_MS: i64 = 60_000;
const DAY_MINUTES: i64 = 24 * 60;

/// How far clocks are ahead of UTC, in minutes, somewhere in the world and at some time of the year.
const OFFSETS: [i64; 39] = [
    -660, -600, -570, -540, -480, -420, -360, -300, -240, -210, -180, -150, -120, -60, 0, 60, 120, 180, 210, 240, 270,
    300, 330, 345, 360, 390, 420, 480, 525, 540, 570, 600, 630, 660, 720, 765, 780, 825, 840,
];

/// An arm by which somebody is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Again {
    /// What came of the attempt before.
    pub outcome: Outcome,
    /// Index of [`Cadence::retries`]; `None`: `retry at T`, and T may be now.
    pub ladder: Option<u32>,
}

/// By which clock the window is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clock {
    /// By the person's own, wherever he is.
    Place,
    /// By that of a zone which is written out.
    Zone(String),
    /// By that of a zone which nobody knows before the call.
    Unknown,
}

/// A schedule that a cadence allows and a law does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Index of `Cadence::laws`.
    pub law: usize,
    pub of: Counted,
    /// The one of its caps that is broken. Of [`Counted::Quiet`] it is one conversation in so long.
    pub cap: Cap,
    /// One attempt more than it allows, by the window's clock: ms since the midnight in which a Monday begins.
    pub instants: Vec<i64>,
    /// Which arm leads from each attempt to the next: indices of the arms that were given.
    pub arms: Vec<usize>,
    /// How far the person's clock is ahead of the window's, in minutes.
    pub ahead: i64,
}

/// What a cap of a law counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    Calls,
    Conversations,
    /// Any call that follows a conversation too soon.
    Quiet,
}

impl Violation {
    /// Day of the week (0 is Monday) and minute of the day of each attempt, by the window's clock and by the person's; the
    /// days of the weeks that follow count on.
    pub fn clocks(&self) -> impl Iterator<Item = ((i64, i64), (i64, i64))> {
        let clock = |at: i64| (at.div_euclid(DAY_MS), at.rem_euclid(DAY_MS) / MINUTE_MS);
        self.instants.iter().map(move |at| (clock(*at), clock(at + self.ahead * MINUTE_MS)))
    }
}

/// Attempts are made as early as they may be, wherever the first one falls, and every retry takes its shortest delay.
/// The work grows with what the laws allow, not with `attempts`.
pub fn worst(cadence: &Cadence, arms: &[Again], clock: &Clock) -> Option<Violation> {
    let laws = cadence.laws.iter().enumerate();
    let caps = laws.flat_map(|(law, profile)| counted(profile).map(move |(of, cap)| (law, profile, of, cap)));
    caps.filter(|(.., cap)| cap.count < cadence.attempts_max).find_map(|(law, profile, of, cap)| {
        let is_counted = |arm: &Again| of == Counted::Calls || arm.outcome == Outcome::Person;
        let gaps = gaps(cadence, arms, is_counted, usize::try_from(cap.count).ok()?)?;
        // Only days differ from one place to another.
        let places = if cap.per == Per::Day { ahead(clock) } else { vec![0] };
        places.into_iter().find_map(|ahead| {
            let week = Week::of(&cadence.window).and(&Week::of(&hours(profile, ahead)));
            let plan = Plan { week, caps: &cadence.caps, gaps: gaps.clone(), ahead_ms: ahead * MINUTE_MS };
            let (instants, arms) = plan.tightest(cap)?;
            Some(Violation { law, of, cap, instants, arms, ahead })
        })
    })
}

fn counted(law: &Law) -> impl Iterator<Item = (Counted, Cap)> {
    let quiet = law.quiet_after_conversation_ms.map(|ms| Cap { count: 1, per: Per::Rolling { ms } });
    let calls = law.caps.iter().map(|cap| (Counted::Calls, *cap));
    let conversations = law.conversation_caps.iter().map(|cap| (Counted::Conversations, *cap));
    calls.chain(conversations).chain(quiet.map(|cap| (Counted::Quiet, cap)))
}

/// How far the clock of a place may be ahead of the window's, in minutes and less than a day: the law's days begin there.
/// Whole hours first, and the nearest of them.
fn ahead(clock: &Clock) -> Vec<i64> {
    let own = match clock {
        Clock::Place => return vec![0],
        Clock::Zone(zone) => offsets(zone),
        Clock::Unknown => OFFSETS.to_vec(),
    };
    let half = DAY_MINUTES / 2;
    let differences = own.iter().flat_map(|own| OFFSETS.iter().map(move |place| place - own));
    let mut all: Vec<i64> = differences.map(|minutes| (minutes + half).rem_euclid(DAY_MINUTES) - half).collect();
    all.sort_unstable_by_key(|minutes| (minutes % 60 != 0, minutes.abs(), *minutes));
    all.dedup();
    all
}

/// Of one zone, in each month of a year.
fn offsets(zone: &str) -> Vec<i64> {
    let months = (0..12).map(|month| Time((20_454 + month * 30) * DAY_MS));
    let found: BTreeSet<i64> = months
        .filter_map(|time| {
            let (day, minute, _) = local(time, zone)?;
            Some(i64::from(day) * DAY_MINUTES + i64::from(minute) - time.0 / MINUTE_MS)
        })
        .collect();
    found.into_iter().collect()
}

/// The hours of a law, by a clock that the place's is ahead of.
fn hours(law: &Law, ahead: i64) -> Vec<WindowTimes> {
    let minute = |minute: i64| u16::try_from(minute).unwrap_or_default();
    let from = (i64::from(law.from_minute) - ahead).rem_euclid(DAY_MINUTES);
    let until = from + i64::from(law.until_minute.saturating_sub(law.from_minute));
    let line =
        |from: i64, until: i64| WindowTimes { days: [true; 7], from_minute: minute(from), until_minute: minute(until) };
    vec![line(from, until.min(DAY_MINUTES)), line(0, (until - DAY_MINUTES).max(0))]
}

/// The `count` shortest delays between attempts that follow each other, rising, each with its arm. `None` where no arm tries
/// again. A ladder is taken from whichever rung is best on, so that of `1d, 15m` every delay is 15 minutes.
fn gaps(
    cadence: &Cadence,
    arms: &[Again],
    is_counted: impl Fn(&Again) -> bool,
    count: usize,
) -> Option<Vec<(i64, usize)>> {
    let ms = |delay: u64| i64::try_from(delay).unwrap_or(i64::MAX);
    let mut all = Vec::new();
    let mut seen = BTreeSet::new();
    for (at, arm) in arms.iter().enumerate().filter(|(_, arm)| is_counted(arm)) {
        // One ladder of several outcomes is climbed by all of them.
        if !seen.insert(arm.ladder) {
            continue;
        }
        let mut rungs = match arm.ladder {
            None => vec![0],
            Some(ladder) => cadence.retries.get(ladder as usize)?.iter().map(|delay| ms(*delay)).collect(),
        };
        let mut least = i64::MAX;
        rungs.iter_mut().rev().for_each(|rung| {
            least = least.min(*rung);
            *rung = least;
        });
        // The last rung is taken again and again.
        let endless = rungs.last().map(|last| std::iter::repeat_n(*last, count)).into_iter().flatten();
        all.extend(rungs.iter().copied().chain(endless).map(|gap| (gap, at)));
    }
    let is_retried = !all.is_empty();
    all.sort_unstable();
    all.truncate(count);
    is_retried.then_some(all)
}

struct Plan<'a> {
    week: Week,
    caps: &'a [Cap],
    /// Rising; in whatever order they are taken.
    gaps: Vec<(i64, usize)>,
    /// The person's clock before the window's.
    ahead_ms: i64,
}

impl Plan<'_> {
    /// The shortest schedule that has one attempt too many, and the arms between its attempts.
    fn tightest(&self, cap: Cap) -> Option<(Vec<i64>, Vec<usize>)> {
        let broken = self.starts().into_iter().filter_map(|start| self.breaking(cap, start));
        let span = |instants: &[i64]| instants.last().zip(instants.first()).map(|(last, first)| last - first);
        broken.min_by_key(|(instants, _)| span(instants))
    }

    /// Where the tightest schedule can begin: one that is tightest has some attempt at the first or last instant of a span
    /// or of a day of the person, or it could be moved as a whole; and those before it follow each other as close as they may.
    fn starts(&self) -> BTreeSet<i64> {
        let spans = (0..7).flat_map(|day| {
            let edges = self.week.spans(day).iter().flat_map(|(from, until)| [*from, until - 1]);
            edges.map(move |ms| day * DAY_MS + ms)
        });
        let midnights = (0..7).flat_map(|day| [0, -1].map(|ms| day * DAY_MS - self.ahead_ms + ms));
        let edges: Vec<i64> = spans.chain(midnights.filter(|_| self.ahead_ms != 0)).collect();
        let rolling: Vec<Cap> = self.caps.iter().filter(|cap| cap.per != Per::Day).copied().collect();
        let free = Plan { week: Week::always(), caps: &rolling, gaps: self.gaps.clone(), ahead_ms: 0 };
        let offsets: BTreeSet<i64> = free.from(0).map(|(at, _)| at.rem_euclid(WEEK_MS)).collect();
        let starts =
            edges.iter().flat_map(|edge| offsets.iter().map(move |offset| (edge - offset).rem_euclid(WEEK_MS)));
        starts.filter_map(|start| self.week.next(start)).collect()
    }

    /// The schedule from `start` on, when it has one attempt too many.
    fn breaking(&self, cap: Cap, start: i64) -> Option<(Vec<i64>, Vec<usize>)> {
        let day = |at: i64| (at + self.ahead_ms).div_euclid(DAY_MS);
        let inside = |(at, _): &(i64, Option<usize>)| match cap.per {
            Per::Day => day(*at) == day(start),
            Per::Rolling { ms } => at.abs_diff(start) < ms,
        };
        let (instants, arms): (Vec<i64>, Vec<Option<usize>>) = self.from(start).take_while(inside).unzip();
        (instants.len() > self.gaps.len()).then(|| (instants, arms.into_iter().flatten().collect()))
    }

    /// Each attempt as early as it may be, with the arm that led to it.
    fn from(&self, start: i64) -> impl Iterator<Item = (i64, Option<usize>)> {
        let (mut made, mut gaps) = (vec![start], self.gaps.clone());
        let following = std::iter::from_fn(move || {
            let earliest = self.after(&made, gaps.first()?.0)?;
            // A night is waited for anyway, so the longest delay that ends before the morning costs nothing.
            let free = gaps.partition_point(|(gap, _)| self.after(&made, *gap) == Some(earliest));
            let (_, arm) = gaps.remove(free.saturating_sub(1));
            made.push(earliest);
            Some((earliest, Some(arm)))
        });
        std::iter::once((start, None)).chain(following)
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
