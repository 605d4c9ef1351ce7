//! `--at "2026-03-02 10:00 in Asia/Shanghai"`, `--on 2026-03-02`: instants and days as people write them.

use std::str::FromStr;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use runtime_contract::Time;
use runtime_contract::calendar::days_since_epoch;

/// An instant for a rehearsal. Without a zone it is UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    pub time: Time,
    /// IANA name, in which the instant was written.
    pub zone: String,
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Moment, String> {
        let (local, zone) = text.split_once(" in ").unwrap_or((text, "UTC"));
        let local: DateTime = local
            .trim()
            .parse()
            .map_err(|_| format!("`{}` is not a date and time like `2026-03-02 10:00`", local.trim()))?;
        let name = zone.trim().trim_matches('"');
        let zone = TimeZone::get(name).map_err(|_| format!("`{name}` is not a zone like `Asia/Shanghai`"))?;
        let zoned = local.to_zoned(zone).map_err(|cause| cause.to_string())?;
        Ok(Moment { time: Time(zoned.timestamp().as_millisecond()), zone: name.to_owned() })
    }
}

/// `--since 2h`, or a time as above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Since(pub Time);

impl FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Since, String> {
        match ago_ms(text.trim()) {
            Some(ms) => Ok(Since(Time(jiff::Timestamp::now().as_millisecond().saturating_sub(ms)))),
            None => {
                // A day alone is its first instant.
                let whole = format!("{text} 00:00");
                text.parse()
                    .or_else(|why: String| whole.parse().map_err(|_| why))
                    .map(|moment: Moment| Since(moment.time))
            }
        }
    }
}

/// `30m`, `2h`, `7d` in milliseconds.
fn ago_ms(text: &str) -> Option<i64> {
    let units = [('s', 1_000), ('m', 60_000), ('h', 3_600_000), ('d', 86_400_000)];
    let (_, unit_ms) = units.into_iter().find(|(unit, _)| text.ends_with(*unit))?;
    text.get(..text.len() - 1)?.parse::<u32>().ok().map(|count| i64::from(count) * unit_ms)
}

/// Days since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day(pub i32);

impl FromStr for Day {
    type Err = String;

    fn from_str(text: &str) -> Result<Day, String> {
        let day = text.trim().parse::<Date>().ok();
        let days = day.and_then(|day| days_since_epoch(day.year(), day.month(), day.day()));
        days.map(Day).ok_or_else(|| format!("`{}` is not a date like `2026-03-02`", text.trim()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_some_time_ago_is_read() {
        assert_eq!(
            (ago_ms("30m"), ago_ms("7d"), ago_ms("m"), ago_ms("2x")),
            (Some(1_800_000), Some(604_800_000), None, None)
        );
        assert_eq!("2026-03-02".parse(), Ok(Since(Time(1_772_409_600_000))));
        assert_eq!("2026-03-02 10:00 in Asia/Shanghai".parse(), Ok(Since(Time(1_772_416_800_000))));
        assert!("soon".parse::<Since>().is_err());
    }

    #[test]
    fn days_are_read() {
        assert_eq!("1970-01-02".parse(), Ok(Day(1)));
        assert!("2026-02-30".parse::<Day>().is_err_and(|why| why.contains("2026-03-02")));
    }

    #[test]
    fn instants_are_read_with_their_zone() {
        let time = Time(1_772_416_800_000);
        let shanghai = Ok(Moment { time, zone: "Asia/Shanghai".to_owned() });
        assert_eq!("2026-03-02 10:00 in Asia/Shanghai".parse(), shanghai);
        assert_eq!("2026-03-02 10:00 in \"Asia/Shanghai\"".parse(), shanghai);
        assert_eq!("2026-03-02 02:00".parse(), Ok(Moment { time, zone: "UTC".to_owned() }));
        assert!("yesterday".parse::<Moment>().is_err());
        let unknown = "2026-03-02 10:00 in Shanghai".parse::<Moment>();
        assert!(unknown.is_err_and(|why| why.contains("Asia/Shanghai")));
    }
}
