//! Public holidays of 2025 to 2030, as `xtask/generators/holidays.py` wrote them.

/// Tables by the name that `closed holidays "…"` gives, in order of name: lines of an ISO date, a tab and the name of the day.
pub const HOLIDAY_TABLES: &[(&str, &str)] = &[
    ("cn", include_str!("../holidays/cn.tsv")),
    ("gb", include_str!("../holidays/gb.tsv")),
    ("us", include_str!("../holidays/us.tsv")),
];

/// The days of a table as (year, month, day), in order; `None` when there is no table of this name.
pub fn holidays(table: &str) -> Option<Vec<(i16, i8, i8)>> {
    let (_, text) = HOLIDAY_TABLES.iter().find(|(name, _)| *name == table)?;
    Some(text.lines().filter_map(|line| date(line.split('\t').next()?)).collect())
}

fn date(iso: &str) -> Option<(i16, i8, i8)> {
    let mut parts = iso.splitn(3, '-');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_every_table_is_a_day_and_days_rise() {
        for (name, text) in HOLIDAY_TABLES {
            let days = holidays(name).unwrap_or_default();
            assert_eq!(days.len(), text.lines().count(), "{name}");
            assert!(days.is_sorted_by(|a, b| a < b), "{name}");
            assert!([2025, 2030].iter().all(|year| days.iter().any(|day| day.0 == *year)), "{name}");
        }
    }

    #[test]
    fn tables_hold_the_days_that_people_know() {
        let has = |table, day| holidays(table).is_some_and(|days| days.contains(&day));
        assert!(has("cn", (2026, 10, 1)));
        assert!(has("us", (2026, 7, 4)));
        assert!(has("gb", (2026, 12, 26)));
        assert!(!has("cn", (2026, 2, 14)), "a Saturday that is worked");
        assert_eq!(holidays("xx"), None);
    }
}
