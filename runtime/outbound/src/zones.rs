//! The time zones in which a number may lie. It knows the prefixes of `zones/table.tsv` and no number by itself.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use runtime_contract::value::Phone;

const TABLE: &str = include_str!("zones/table.tsv");

#[derive(Default)]
struct Prefix {
    /// For numbers of any length. Empty: they lie nowhere.
    general: Option<Vec<&'static str>>,
    /// For numbers of these lengths alone.
    exact: Vec<(Vec<usize>, Vec<&'static str>)>,
}

static PREFIXES: LazyLock<BTreeMap<&'static str, Prefix>> = LazyLock::new(|| {
    let mut prefixes: BTreeMap<&str, Prefix> = BTreeMap::new();
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let mut parts = line.split('\t');
        let prefix = prefixes.entry(parts.next().unwrap_or_default()).or_default();
        let zones = parts.next().unwrap_or_default().split_whitespace().collect();
        match parts.next() {
            Some(sizes) => {
                let sizes = sizes.split_whitespace().filter_map(|size| size.parse().ok()).collect();
                prefix.exact.push((sizes, zones));
            }
            None => prefix.general = Some(zones),
        }
    }
    prefixes
});

/// IANA names of all zones in which a number may lie. None: it is not known where, or it lies nowhere, as freephone
/// numbers do.
pub fn zones_of(number: Phone) -> &'static [&'static str] {
    let digits = number.word().to_string();
    let prefixes = || (1..=digits.len()).rev().filter_map(|length| PREFIXES.get(digits.get(..length)?));
    let exact = |prefix: &'static Prefix| prefix.exact.iter().find(|(sizes, _)| sizes.contains(&digits.len()));
    let found = prefixes().find_map(exact).map(|(_, zones)| zones);
    found.or_else(|| prefixes().find_map(|prefix| prefix.general.as_ref())).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime_contract::calendar::is_zone;

    fn zones(number: &str) -> Vec<&'static str> {
        zones_of(Phone::parse(number, true).unwrap()).to_vec()
    }

    #[test]
    fn numbers_lie_where_their_area_does_and_may_lie_in_several_zones() {
        assert_eq!(zones("+1 212 555 0101"), ["America/New_York"]);
        assert_eq!(zones("+1 415 555 0101"), ["America/Los_Angeles"]);
        assert_eq!(zones("+1 208 299 0101"), ["America/Boise", "America/Los_Angeles"], "Idaho has two");
        assert_eq!(zones("+86 138 0000 0000"), ["Asia/Shanghai"]);
        assert!(zones("+44 20 7946 0000").contains(&"Europe/London"));
        // A mobile telephone of Australia may be in Perth as well as on Lord Howe.
        let mobile = zones("+61 412 345 678");
        assert!(
            ["Australia/Sydney", "Australia/Perth", "Australia/Lord_Howe"].iter().all(|zone| mobile.contains(zone))
        );
        assert_eq!(zones("+61 2 9876 5432"), ["Australia/Sydney"]);
        assert!(zones("+7 912 345 67 89").len() > 10);
        assert!(
            zones("+39 06 1234 5678").contains(&"Europe/Rome") && zones("+39 312 345 6789").contains(&"Europe/Rome")
        );
    }

    #[test]
    fn freephone_and_unknown_numbers_lie_nowhere() {
        for number in [
            "+1 800 555 0100",
            "+1 888 555 0100",
            "+1 900 555 0100",
            "+1 500 555 0100",
            "+1 999 555 0100",
            "+44 800 123 4567",
            "+44 70 1234 5678",
            "+86 400 810 0000",
            "+49 800 1234567",
            "+800 1234 5678",
            "+999 1234",
        ] {
            assert_eq!(zones(number), [""; 0], "{number}");
        }
    }

    #[test]
    fn every_zone_of_the_table_is_known_and_lines_say_their_source() {
        let all = PREFIXES
            .values()
            .flat_map(|prefix| prefix.general.iter().chain(prefix.exact.iter().map(|(_, zones)| zones)));
        let unknown: Vec<_> = all.flatten().filter(|zone| !is_zone(zone)).collect();
        assert_eq!(unknown, [&""; 0]);
        assert!(TABLE.lines().any(|line| line.starts_with("# source: phonenumbers ")) && TABLE.len() < 200_000);
        assert!(PREFIXES.keys().all(|prefix| !prefix.is_empty() && prefix.bytes().all(|digit| digit.is_ascii_digit())));
        assert!(PREFIXES.values().all(|prefix| prefix.exact.iter().all(|(sizes, _)| !sizes.is_empty())));
    }
}
