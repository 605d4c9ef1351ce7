//! Hours: when a place is open. Dates and zones by jiff with its bundled table, so that every machine gives
//! the same answer; nothing here reads the machine's zone files or clock.

use jiff::Timestamp;
use jiff::civil;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::time::Time;

/// `hours NAME in ZONE { … }`. A date's own line wins over holidays, holidays over the weekly lines; of two
/// lines for one date, either makes it open. A day of a weekend that is worked in exchange for a holiday has the weekly
/// lines of the working day beside it: a Saturday those of Friday, a Sunday those of Monday.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoursTable {
    pub name: String,
    /// IANA name.
    pub zone: String,
    pub weekly: Vec<WeeklySpan>,
    /// Dates closed by `closed holidays "…"`, as days since 1970, sorted.
    pub holidays: Vec<i32>,
    /// Saturdays and Sundays that those tables say are worked, likewise.
    pub worked: Vec<i32>,
    /// Dates with lines of their own, sorted by date.
    pub dates: Vec<DateRule>,
    /// Parts of dates in which it is closed, whatever else is said of them.
    pub closures: Vec<Closure>,
}

/// `closed 2026-12-24 12:00..18:00`. A span whose end is not after its start runs into the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closure {
    /// Days since 1970.
    pub date: i32,
    pub span: Span,
}

/// `mon..fri 09:00..18:00`. A span whose end is not after its start runs into the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeeklySpan {
    /// Bit 0 is Monday.
    pub days: u8,
    pub span: Span,
}

/// Minutes since midnight; `to` may be 1440.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    pub from_minute: u16,
    pub to_minute: u16,
}

/// `open 2026-02-14 09:00..18:00` or, without a span, `closed 2026-02-14`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DateRule {
    /// Days since 1970.
    pub date: i32,
    pub span: Option<Span>,
}

/// Days of the week as [`local`] gives them.
const MONDAY: u8 = 0;
const SATURDAY: u8 = 5;
const SUNDAY: u8 = 6;

/// Milliseconds of a day.
pub const DAY_MS: i64 = 86_400_000;

const EPOCH: civil::Date = civil::date(1970, 1, 1);

/// Days since 1970 of a date.
pub fn days_since_epoch(year: i16, month: i8, day: i8) -> Option<i32> {
    let date = civil::Date::new(year, month, day).ok()?;
    Some(date.since(EPOCH).ok()?.get_days())
}

/// The year of a day since 1970.
pub fn year_of(days: i32) -> Option<i16> {
    Some(EPOCH.checked_add(jiff::Span::new().try_days(days).ok()?).ok()?.year())
}

/// The first day with this month and day that is not before `today`, both as days since 1970. A 29 February may be
/// years away; `None` for a day that no year has.
pub fn next_day(month: i8, day: i8, today: i32) -> Option<i32> {
    let year = EPOCH.checked_add(jiff::Span::new().try_days(today).ok()?).ok()?.year();
    // Between two leap years lie eight at most.
    (year..=year.saturating_add(8)).filter_map(|year| days_since_epoch(year, month, day)).find(|found| *found >= today)
}

/// Whether a zone of this name exists in the bundled table.
pub fn is_zone(name: &str) -> bool {
    TimeZone::get(name).is_ok()
}

/// The instant of a local date and time; in a gap the later, in a fold the earlier. `None` for an unknown zone.
pub fn instant(days: i32, ms_of_day: i64, zone: &str) -> Option<Time> {
    let date = EPOCH.checked_add(jiff::Span::new().try_days(days).ok()?).ok()?;
    let at =
        date.to_datetime(civil::Time::midnight()).checked_add(jiff::SignedDuration::from_millis(ms_of_day)).ok()?;
    let zoned = TimeZone::get(zone).ok()?.to_ambiguous_zoned(at).compatible().ok()?;
    Some(Time(zoned.timestamp().as_millisecond()))
}

/// The date of an instant in a zone, as days since 1970; `None` for an unknown zone or outside all calendars.
pub fn local_date(time: Time, zone: &str) -> Option<i64> {
    local(time, zone).map(|(days, _, _)| days.into())
}

/// Milliseconds since midnight of an instant in a zone, as clocks show it; `None` as [`local_date`].
pub fn local_clock(time: Time, zone: &str) -> Option<i64> {
    let zoned = Timestamp::from_millisecond(time.0).ok()?.to_zoned(TimeZone::get(zone).ok()?);
    let seconds = (i64::from(zoned.hour()) * 60 + i64::from(zoned.minute())) * 60 + i64::from(zoned.second());
    Some(seconds * 1_000 + i64::from(zoned.millisecond()))
}

/// Local date (days since 1970), minute of the day, and weekday (0 is Monday).
pub fn local(time: Time, zone: &str) -> Option<(i32, u16, u8)> {
    let zoned = Timestamp::from_millisecond(time.0).ok()?.to_zoned(TimeZone::get(zone).ok()?);
    let days = zoned.date().since(EPOCH).ok()?.get_days();
    let minute = zoned.hour() as u16 * 60 + zoned.minute() as u16;
    Some((days, minute, zoned.weekday().to_monday_zero_offset() as u8))
}

/// Local date and time as people write it, `2026-03-02 10:00:05`; UTC for an unknown zone.
pub fn local_text(time: Time, zone: &str) -> String {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    match Timestamp::from_millisecond(time.0) {
        Ok(timestamp) => timestamp.to_zoned(zone).strftime("%F %T").to_string(),
        Err(_) => "?".to_owned(),
    }
}

/// Whether the place is open at this instant. A table with an unknown zone is closed (the checker refuses it).
pub fn is_open(table: &HoursTable, time: Time) -> bool {
    let Some((day, minute, weekday)) = local(time, &table.zone) else { return false };
    let spans_of = |day: i32, weekday: u8| -> Vec<Span> {
        let own: Vec<_> = table.dates.iter().filter(|rule| rule.date == day).collect();
        if !own.is_empty() {
            return own.iter().filter_map(|rule| rule.span).collect();
        }
        if table.holidays.binary_search(&day).is_ok() {
            return Vec::new();
        }
        let weekday = match weekday {
            SATURDAY if table.worked.binary_search(&day).is_ok() => SATURDAY - 1,
            SUNDAY if table.worked.binary_search(&day).is_ok() => MONDAY,
            weekday => weekday,
        };
        table.weekly.iter().filter(|line| line.days & 1 << weekday != 0).map(|line| line.span).collect()
    };
    let overnight = |span: &Span| span.to_minute <= span.from_minute;
    let begun = |span: &Span| minute >= span.from_minute && (minute < span.to_minute || overnight(span));
    let from_yesterday = |span: &Span| overnight(span) && minute < span.to_minute;
    let is_closed = table.closures.iter().any(|closure| match day - closure.date {
        0 => begun(&closure.span),
        1 => from_yesterday(&closure.span),
        _ => false,
    });
    let is_open =
        || spans_of(day, weekday).iter().any(begun) || spans_of(day - 1, (weekday + 6) % 7).iter().any(from_yesterday);
    !is_closed && is_open()
}

/// When the place is open from a day on (days since 1970, in its own zone), for so many days: from and to of each stretch,
/// in order, those that meet made one.
pub fn open_times(table: &HoursTable, first_day: i32, days: i32) -> Vec<(Time, Time)> {
    let spans = table.weekly.iter().map(|line| line.span);
    let spans = spans.chain(table.dates.iter().filter_map(|rule| rule.span));
    let spans = spans.chain(table.closures.iter().map(|closure| closure.span));
    let mut minutes: Vec<u16> = spans.flat_map(|span| [span.from_minute, span.to_minute]).chain([0, 1_440]).collect();
    minutes.sort_unstable();
    minutes.dedup();
    let mut found: Vec<(Time, Time)> = Vec::new();
    for day in first_day..first_day.saturating_add(days) {
        for (from, to) in minutes.iter().zip(minutes.iter().skip(1)) {
            let at = |minute: u16| instant(day, i64::from(minute) * 60_000, &table.zone);
            let (Some(from), Some(to)) = (at(*from), at(*to)) else { continue };
            if from >= to || !is_open(table, from) {
                continue;
            }
            match found.last_mut() {
                Some(last) if last.1 >= from => last.1 = last.1.max(to),
                _ => found.push((from, to)),
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn office() -> HoursTable {
        let day = |y, m, d| days_since_epoch(y, m, d).unwrap();
        let span = |from: u16, to: u16| Span { from_minute: from * 60, to_minute: to * 60 };
        HoursTable {
            name: "office".into(),
            zone: "Asia/Shanghai".into(),
            weekly: vec![
                WeeklySpan { days: 0b0001_1111, span: span(9, 18) },
                WeeklySpan { days: 0b0010_0000, span: span(22, 2) },
            ],
            holidays: vec![day(2026, 10, 1)],
            worked: vec![day(2026, 2, 28), day(2026, 9, 20)],
            dates: vec![DateRule { date: day(2026, 2, 14), span: Some(span(9, 18)) }],
            closures: vec![],
        }
    }

    fn open_at(text: (i16, i8, i8), hour: i64) -> bool {
        let day = days_since_epoch(text.0, text.1, text.2).unwrap();
        is_open(&office(), instant(day, hour * 3_600_000, "Asia/Shanghai").unwrap())
    }

    #[test]
    fn a_closed_part_of_a_day_leaves_the_rest() {
        let day = days_since_epoch(2026, 12, 24).unwrap();
        let part = |from: u16, to: u16| Closure { date: day, span: Span { from_minute: from, to_minute: to } };
        let daily = WeeklySpan { days: 0x7f, span: Span { from_minute: 540, to_minute: 120 } };
        let table = HoursTable {
            zone: "Asia/Shanghai".into(),
            weekly: vec![daily],
            closures: vec![part(720, 780), part(1_380, 60)],
            ..HoursTable::default()
        };
        let open = |day: i32, minute: i64| is_open(&table, instant(day, minute * 60_000, &table.zone).unwrap());
        for (minute, wanted) in [(719, true), (720, false), (779, false), (780, true), (1_379, true), (1_380, false)] {
            assert_eq!(open(day, minute), wanted, "{minute}");
        }
        assert!(!open(day + 1, 59) && open(day + 1, 60) && !open(day + 1, 120));
        assert!(open(day, 59) && open(day - 1, 720), "other days are as ever");
    }

    #[test]
    fn weekly_lines_holidays_and_own_dates() {
        assert!(open_at((2026, 3, 2), 10));
        assert!(!open_at((2026, 3, 2), 18));
        assert!(!open_at((2026, 10, 1), 10), "a holiday on a Thursday");
        assert!(open_at((2026, 2, 14), 10), "a Saturday that is worked");
        assert!(!open_at((2026, 2, 14), 23), "its own line replaces the weekly one");
    }

    #[test]
    fn a_weekend_day_that_is_worked_has_the_hours_of_the_working_day_beside_it() {
        assert!(open_at((2026, 2, 28), 9) && open_at((2026, 9, 20), 17));
        assert!(!open_at((2026, 2, 28), 23), "Saturday's own line does not count");
        assert!(!open_at((2026, 3, 1), 1), "nor does what it has after midnight");
        assert!(open_at((2026, 3, 7), 23) && !open_at((2026, 9, 27), 17), "other weekends are as always");
    }

    #[test]
    fn a_span_runs_over_midnight() {
        assert!(open_at((2026, 3, 7), 23));
        assert!(open_at((2026, 3, 8), 1));
        assert!(!open_at((2026, 3, 8), 2));
        assert!(!open_at((2026, 3, 7), 1));
    }

    #[test]
    fn the_next_such_day_is_today_or_later() {
        let day = |y, m, d| days_since_epoch(y, m, d).unwrap();
        let today = day(2026, 3, 2);
        assert_eq!(next_day(3, 2, today), Some(today));
        assert_eq!(next_day(3, 1, today), Some(day(2027, 3, 1)));
        assert_eq!(next_day(2, 29, today), Some(day(2028, 2, 29)));
        assert_eq!(next_day(2, 29, day(2096, 3, 1)), Some(day(2104, 2, 29)));
        assert_eq!((next_day(2, 30, today), next_day(13, 1, today), next_day(0, 1, today)), (None, None, None));
    }

    #[test]
    fn local_times_that_do_not_exist_move_on() {
        let day = days_since_epoch(2026, 3, 29).unwrap();
        let gap = instant(day, 90 * 60_000, "Europe/London").unwrap();
        assert_eq!(local_text(gap, "Europe/London"), "2026-03-29 02:30:00");
    }
}
