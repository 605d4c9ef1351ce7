//! A duration as its two largest units, rounded up, so that nobody who waits is told less than he waits.

const SECOND_MS: u64 = 1_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Day,
    Hour,
    Minute,
    Second,
}

const UNITS: [(Unit, u64); 4] = [
    (Unit::Day, 86_400 * SECOND_MS),
    (Unit::Hour, 3_600 * SECOND_MS),
    (Unit::Minute, 60 * SECOND_MS),
    (Unit::Second, SECOND_MS),
];

/// Units of a length without its sign, the largest first; the second is left out when it would be none.
pub(super) fn units(ms: u64) -> Vec<(u64, Unit)> {
    let largest = |ms: u64| UNITS.iter().position(|(_, size)| ms >= *size).unwrap_or(UNITS.len() - 1);
    let size_of = |at: usize| UNITS.get(at).or(UNITS.last()).map_or(SECOND_MS, |(_, size)| *size);
    // Rounding up may reach the next larger unit: 59 min 59.5 s is an hour.
    let step = size_of(largest(ms) + 1);
    let ms = ms.div_ceil(step).saturating_mul(step);
    let at = largest(ms);
    let mut rest = ms;
    let mut found = Vec::new();
    for (unit, size) in UNITS.iter().skip(at).take(2) {
        if rest >= *size || (found.is_empty() && ms == 0) {
            found.push((rest / size, *unit));
        }
        rest %= size;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use Unit::{Day, Hour, Minute, Second};

    #[test]
    fn two_units_are_enough_and_the_rest_counts_as_one_more() {
        assert_eq!(units(0), [(0, Second)]);
        assert_eq!(units(1), [(1, Second)]);
        assert_eq!(units(200_000), [(3, Minute), (20, Second)]);
        assert_eq!(units(3_600_000 + 1), [(1, Hour), (1, Minute)]);
        assert_eq!(units(3_599_500), [(1, Hour)]);
        assert_eq!(units(86_400_000 * 2 - 1), [(2, Day)]);
        assert_eq!(units(86_400_000 * 2 + 1), [(2, Day), (1, Hour)]);
        assert!(units(u64::MAX).len() <= 2);
    }
}
