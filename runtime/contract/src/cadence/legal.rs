//! When a person may be called: inside the window and inside every law's hours, in every place where he may be. It knows
//! clocks and calendars, and nothing of attempts.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Cadence, WindowTimes};
use crate::calendar::DAY_MS;
use crate::time::Time;

/// A window that stays shut for so many days is never open: a year has all there is of weeks and clock changes.
const SHUT_DAYS_MAX: i64 = 400;
const MINUTE_MS: i64 = 60_000;

/// The instants at which the people of one place may be called by one cadence.
#[derive(Clone, Debug)]
pub struct Legal {
    hours: Vec<Hours>,
    /// The zones in which the cadence's own days are counted.
    days: Vec<TimeZone>,
    /// Those in which the person may be: days of the law are theirs.
    places: Vec<TimeZone>,
}

/// One set of hours, by the clocks of one zone.
#[derive(Clone, Debug)]
struct Hours {
    zone: TimeZone,
    week: Week,
    /// Days since 1970 on which it is shut, rising.
    except: Vec<i32>,
}

/// Open spans of each day, in ms since midnight: rising, and none touches the next. Monday first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Week([Vec<(i64, i64)>; 7]);

impl Legal {
    /// `zone` is the window's own; `places` are the zones in which the person may be, the window's among them if he is
    /// known to be there. Without a zone of its own the window is meant in each of them. `None`: a zone that does not exist,
    /// or no place at all.
    pub fn new(cadence: &Cadence, zone: Option<&str>, places: &[&str]) -> Option<Legal> {
        let zones = |names: &[&str]| names.iter().map(|name| TimeZone::get(name).ok()).collect::<Option<Vec<_>>>();
        let places = zones(places)?;
        let days = match zone {
            Some(zone) => zones(&[zone])?,
            None => places.clone(),
        };
        if places.is_empty() {
            return None;
        }
        let window = Week::of(&cadence.window);
        let mut hours: Vec<Hours> = days
            .iter()
            .map(|zone| Hours { zone: zone.clone(), week: window.clone(), except: cadence.except.clone() })
            .collect();
        for law in cadence.laws.iter().filter(|law| !law.is_open_all_day()) {
            let week = Week::of(&[law.window()]);
            let law = places.iter().map(|zone| Hours { zone: zone.clone(), week: week.clone(), except: Vec::new() });
            hours.extend(law);
        }
        Some(Legal { hours, days, places })
    }

    pub fn is_legal(&self, time: Time) -> bool {
        self.hours.iter().all(|hours| hours.is_open(time.0).unwrap_or(false))
    }

    /// The first legal instant at `from` or behind it; `None`: there will be none.
    pub fn next(&self, from: Time) -> Option<Time> {
        let last = from.0.checked_add(SHUT_DAYS_MAX * DAY_MS)?;
        let mut at = from.0;
        // Each set of hours moves the instant on, until none of them does.
        loop {
            let before = at;
            for hours in &self.hours {
                at = hours.next(at, last)?;
            }
            if at == before {
                return Some(Time(at));
            }
        }
    }

    /// The calendar day in which an instant lies, in each zone where the cadence's own days count: its first instant, and
    /// that of the next.
    pub fn days_of(&self, time: Time) -> impl Iterator<Item = (i64, i64)> {
        self.days.iter().filter_map(move |zone| day_of(zone, time.0))
    }

    /// The same in each place where the person may be, for caps of the law.
    pub fn days_in_place_of(&self, time: Time) -> impl Iterator<Item = (i64, i64)> {
        self.places.iter().filter_map(move |zone| day_of(zone, time.0))
    }
}

impl Week {
    pub fn of(lines: &[WindowTimes]) -> Week {
        let mut week = Week::default();
        for line in lines.iter().filter(|line| line.from_minute < line.until_minute) {
            let until = (i64::from(line.until_minute) * MINUTE_MS).min(DAY_MS);
            let span = (i64::from(line.from_minute) * MINUTE_MS, until);
            let days = week.0.iter_mut().zip(line.days).filter(|(_, open)| *open);
            days.for_each(|(spans, _)| spans.push(span));
        }
        week.0.iter_mut().for_each(|spans| *spans = joined(std::mem::take(spans)));
        week
    }

    /// What is open in both.
    pub fn and(&self, other: &Week) -> Week {
        let both = |a: &[(i64, i64)], b: &[(i64, i64)]| {
            let pairs = a.iter().flat_map(|a| b.iter().map(|b| (a.0.max(b.0), a.1.min(b.1))));
            joined(pairs.filter(|(from, until)| from < until).collect())
        };
        let mut days = self.0.iter().zip(&other.0).map(|(a, b)| both(a, b));
        Week(std::array::from_fn(|_| days.next().unwrap_or_default()))
    }

    pub fn always() -> Week {
        Week(std::array::from_fn(|_| vec![(0, DAY_MS)]))
    }

    /// The first open instant at `from` or behind it, in ms since the midnight in which a Monday began.
    pub fn next(&self, from: i64) -> Option<i64> {
        let today = from.div_euclid(DAY_MS);
        (today..=today + 7).find_map(|day| self.next_of(day, from - day * DAY_MS).map(|ms| day * DAY_MS + ms))
    }

    /// Of one day, the first open instant at `from` or behind it, both in ms since its midnight.
    fn next_of(&self, weekday: i64, from: i64) -> Option<i64> {
        self.spans(weekday).iter().find(|span| span.1 > from).map(|span| span.0.max(from))
    }

    /// Of a day of the week, 0 being Monday.
    pub fn spans(&self, weekday: i64) -> &[(i64, i64)] {
        let weekday = usize::try_from(weekday.rem_euclid(7)).unwrap_or_default();
        self.0.get(weekday).map_or(&[], Vec::as_slice)
    }
}

fn joined(mut spans: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    spans.sort_unstable();
    let mut joined: Vec<(i64, i64)> = Vec::with_capacity(spans.len());
    for (from, until) in spans {
        match joined.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(until),
            _ => joined.push((from, until)),
        }
    }
    joined
}

impl Hours {
    /// By the clock on the wall, so an hour that comes twice is open twice, and one that is left out never.
    fn is_open(&self, at: i64) -> Option<bool> {
        let local = at + offset_ms(&self.zone, at)?;
        Some(self.next_local(local, local + 1) == Some(local))
    }

    /// The first open instant at `at` or behind it, up to `last`.
    fn next(&self, mut at: i64, last: i64) -> Option<i64> {
        // Between two changes of the clock, local time runs as time does.
        while at <= last {
            let offset = offset_ms(&self.zone, at)?;
            let change = self.zone.following(Timestamp::from_millisecond(at).ok()?).next();
            let change = change.map_or(i64::MAX, |change| change.timestamp().as_millisecond());
            let until = change.min(last.saturating_add(1));
            if let Some(local) = self.next_local(at + offset, until.saturating_add(offset)) {
                return Some(local - offset);
            }
            at = until;
        }
        None
    }

    /// The same in ms of local time, before `until`.
    fn next_local(&self, from: i64, until: i64) -> Option<i64> {
        let mut day = from.div_euclid(DAY_MS);
        while day * DAY_MS < until {
            let midnight = day * DAY_MS;
            // 1 January 1970 was a Thursday.
            let open = self.week.next_of(day + 3, from - midnight).filter(|_| !self.is_excepted(day));
            if let Some(ms) = open {
                return Some(midnight + ms).filter(|found| *found < until);
            }
            day += 1;
        }
        None
    }

    fn is_excepted(&self, day: i64) -> bool {
        i32::try_from(day).is_ok_and(|day| self.except.binary_search(&day).is_ok())
    }
}

fn offset_ms(zone: &TimeZone, at: i64) -> Option<i64> {
    Some(i64::from(zone.to_offset(Timestamp::from_millisecond(at).ok()?).seconds()) * 1_000)
}

/// The first instant of the local day in which `at` lies, and the first of the next.
fn day_of(zone: &TimeZone, at: i64) -> Option<(i64, i64)> {
    let date = Timestamp::from_millisecond(at).ok()?.to_zoned(zone.clone()).date();
    let start = |date: jiff::civil::Date| Some(date.to_zoned(zone.clone()).ok()?.timestamp().as_millisecond());
    Some((start(date)?, start(date.tomorrow().ok()?)?))
}
