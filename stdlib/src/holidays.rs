//! Public holidays, as `xtask/generators/holidays.py` wrote them; each table says its source and its years.

/// Tables by the name that `closed holidays "…"` gives, in order of name. Behind lines with `#` stands one line a day: an
/// ISO date, a tab, the name of the day, and for a day of a weekend that is worked in exchange another tab and `worked`.
pub const HOLIDAY_TABLES: &[(&str, &str)] = &[
    ("cn", include_str!("../holidays/cn.tsv")),
    ("gb", include_str!("../holidays/gb.tsv")),
    ("gb-eng", include_str!("../holidays/gb-eng.tsv")),
    ("gb-nir", include_str!("../holidays/gb-nir.tsv")),
    ("gb-sct", include_str!("../holidays/gb-sct.tsv")),
    ("gb-wls", include_str!("../holidays/gb-wls.tsv")),
    ("us", include_str!("../holidays/us.tsv")),
];

/// Year, month, day.
pub type Day = (i16, i8, i8);

/// A table; days in order. Its years are known from the first day of the first to the last day of the last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holidays {
    pub closed: Vec<Day>,
    /// Days of a weekend that are worked in exchange.
    pub worked: Vec<Day>,
    pub first_year: i16,
    pub last_year: i16,
}

/// `None` when there is no table of this name.
pub fn holidays(table: &str) -> Option<Holidays> {
    let (_, text) = HOLIDAY_TABLES.iter().find(|(name, _)| *name == table)?;
    let mut found = Holidays::default();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut parts = line.split('\t');
        let Some(day) = parts.next().and_then(date) else { continue };
        match parts.nth(1) {
            Some(_) => found.worked.push(day),
            None => found.closed.push(day),
        }
    }
    let years = || found.closed.iter().map(|day| day.0);
    (found.first_year, found.last_year) = (years().min()?, years().max()?);
    Some(found)
}

fn date(iso: &str) -> Option<Day> {
    let mut parts = iso.splitn(3, '-');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_every_table_is_a_day_and_days_rise() {
        for (name, text) in HOLIDAY_TABLES {
            let found = holidays(name).unwrap_or_default();
            let lines = text.lines().filter(|line| !line.starts_with('#'));
            assert_eq!(found.closed.len() + found.worked.len(), lines.count(), "{name}");
            assert!([&found.closed, &found.worked].iter().all(|days| days.is_sorted_by(|a, b| a < b)), "{name}");
            assert!(found.worked.iter().all(|day| !found.closed.contains(day)), "{name}");
            let has = |year: i16| found.closed.iter().any(|day| day.0 == year);
            assert!((found.first_year..=found.last_year).all(has), "{name}");
            assert!(text.lines().any(|line| line.starts_with("# source: ") && line.contains("(PyPI)")), "{name}");
        }
        assert!(HOLIDAY_TABLES.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn tables_hold_the_days_that_people_know() {
        let closed = |table, day| holidays(table).is_some_and(|found| found.closed.contains(&day));
        assert!(closed("cn", (2026, 10, 1)));
        assert!(closed("cn", (2026, 2, 21)), "a Saturday of the Spring Festival");
        assert!(closed("us", (2026, 7, 4)));
        assert!(closed("us", (2026, 7, 3)), "the Friday on which that Saturday is observed");
        assert!(closed("gb", (2026, 12, 28)), "the Monday in place of Boxing Day");
        assert!(closed("gb-eng", (2026, 4, 6)) && !closed("gb-sct", (2026, 4, 6)), "Easter Monday");
        assert!(!closed("cn", (2026, 2, 14)));
        assert_eq!(holidays("xx"), None);
    }

    #[test]
    fn weekends_that_china_works_are_those_of_the_state_council() {
        // Notices of the State Council of 12 November 2024 and 4 November 2025.
        let worked = holidays("cn").unwrap_or_default().worked;
        let of = |year: i16| worked.iter().filter(|day| day.0 == year).map(|day| (day.1, day.2)).collect::<Vec<_>>();
        assert_eq!(of(2025), [(1, 26), (2, 8), (4, 27), (9, 28), (10, 11)]);
        assert_eq!(of(2026), [(1, 4), (2, 14), (2, 28), (5, 9), (9, 20), (10, 10)]);
    }
}
