//! When calls begin: once for each way in which the places of a program are open and closed together.

use std::collections::BTreeSet;

use runtime_contract::Time;
use runtime_contract::calendar::{self, HoursTable, Span};
use runtime_contract::program::ProgramMeta;

/// A Monday; the week behind it is looked at.
const DATE: (i16, i8, i8) = (2026, 3, 2);
const DAYS: i32 = 7;
const MORNING: u16 = 10 * 60;
/// Days off of one table.
const HOLIDAYS_MAX: usize = 8;
const DAY_MINUTES: u16 = 24 * 60;
const HALF_AN_HOUR: u16 = 30;
const MS_A_MINUTE: i64 = 60_000;

/// Monday morning first, then the first instant found for each other way: full hours before the edges of tables, where a
/// call may see the change.
pub(super) fn times(meta: &ProgramMeta, zone: &str) -> Vec<Time> {
    let monday = calendar::days_since_epoch(DATE.0, DATE.1, DATE.2).unwrap_or(0);
    let mut days: Vec<i32> = (monday..monday + DAYS).collect();
    days.extend(meta.hours.iter().flat_map(special_days));
    let halves: Vec<u16> = (0..DAY_MINUTES).step_by(HALF_AN_HOUR.into()).collect();
    let edges: BTreeSet<u16> = meta.hours.iter().flat_map(edges).collect();
    let instant = |zone: &str, day: i32, minute: u16| calendar::instant(day, i64::from(minute) * MS_A_MINUTE, zone);
    let mut found: Vec<Time> = instant(zone, monday, MORNING).into_iter().collect();
    let ways_of = |time: Time| -> Vec<bool> { meta.hours.iter().map(|hours| calendar::is_open(hours, time)).collect() };
    let mut ways: BTreeSet<Vec<bool>> = found.iter().map(|time| ways_of(*time)).collect();
    if meta.hours.is_empty() {
        return found;
    }
    let zones: BTreeSet<&str> = meta.hours.iter().map(|hours| hours.zone.as_str()).collect();
    for minutes in [halves, edges.into_iter().collect()] {
        for (day, minute, zone) in days
            .iter()
            .flat_map(|day| minutes.iter().map(move |minute| (*day, *minute)))
            .flat_map(|(day, minute)| zones.iter().map(move |zone| (day, minute, *zone)))
        {
            if let Some(time) = instant(zone, day, minute)
                && ways.insert(ways_of(time))
            {
                found.push(time);
            }
        }
    }
    found
}

/// Dates that are not like others of their weekday.
fn special_days(hours: &HoursTable) -> impl Iterator<Item = i32> {
    let dates = hours.dates.iter().map(|rule| rule.date);
    let closures = hours.closures.iter().map(|closure| closure.date);
    let off = [&hours.holidays, &hours.worked].into_iter().flat_map(|days| days.iter().copied().take(HOLIDAYS_MAX));
    dates.chain(closures).chain(off)
}

/// Minutes of the day at which something opens or closes, and those before them.
fn edges(hours: &HoursTable) -> impl Iterator<Item = u16> {
    let weekly = hours.weekly.iter().map(|line| line.span);
    let dates = hours.dates.iter().filter_map(|rule| rule.span);
    let spans = weekly.chain(dates).chain(hours.closures.iter().map(|closure| closure.span));
    let minutes = spans.flat_map(|Span { from_minute, to_minute }| [from_minute, to_minute]);
    minutes.flat_map(|minute| [minute, minute.wrapping_sub(1)]).filter(|minute| *minute < DAY_MINUTES)
}
