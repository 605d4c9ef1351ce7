//! Times and dates as services write them: RFC 3339 and ISO 8601. No clock and no zone of this machine.

use jiff::Timestamp;
use jiff::civil::{self, Date};

use crate::time::Time;

const EPOCH: Date = civil::date(1970, 1, 1);

/// RFC 3339 in UTC, `2026-03-02T02:00:05.25Z`; `None` outside the years -9999 to 9999.
pub fn time_to_rfc3339(time: Time) -> Option<String> {
    Some(Timestamp::from_millisecond(time.0).ok()?.to_string())
}

/// RFC 3339 with any offset; parts of a millisecond are dropped.
pub fn rfc3339_to_time(text: &str) -> Option<Time> {
    Some(Time(text.parse::<Timestamp>().ok()?.as_millisecond()))
}

/// The date of days since 1970; `None` outside the years -9999 to 9999.
pub fn date_of(days: i64) -> Option<Date> {
    EPOCH.checked_add(jiff::Span::new().try_days(days).ok()?).ok()
}

/// `2026-03-02` of days since 1970.
pub fn date_to_iso(days: i64) -> Option<String> {
    Some(date_of(days)?.to_string())
}

/// Days since 1970 of `2026-03-02`.
pub fn iso_to_date(text: &str) -> Option<i64> {
    let date: Date = (text.len() == 10).then(|| text.parse().ok())??;
    Some(i64::from(date.since(EPOCH).ok()?.get_days()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_dates_survive_both_ways() {
        let time = rfc3339_to_time("2026-03-02T10:00:05.25+08:00").unwrap();
        assert_eq!(time_to_rfc3339(time).unwrap(), "2026-03-02T02:00:05.25Z");
        for days in [-25_567, 0, 20_514] {
            assert_eq!(iso_to_date(&date_to_iso(days).unwrap()), Some(days));
        }
        assert_eq!(date_to_iso(20_514).unwrap(), "2026-03-02");
    }

    #[test]
    fn other_texts_are_no_moments() {
        for text in ["", "2026-03-02", "2026-02-30T10:00:00Z", "10:00", "2026-03-02T10:00:00"] {
            assert_eq!(rfc3339_to_time(text), None, "{text}");
        }
        for text in ["", "2026-02-30", "2026-03-02T10:00:00Z", "20260302"] {
            assert_eq!(iso_to_date(text), None, "{text}");
        }
        assert_eq!((time_to_rfc3339(Time(i64::MAX)), date_to_iso(i64::MAX)), (None, None));
    }
}
