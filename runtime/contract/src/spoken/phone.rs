//! How the digits of a telephone number stand together when they are said: the country's code, then groups by the
//! country's habit (the international form of national numbering plans, ITU-T E.123). Unknown plans go in threes.

/// Country codes of one and of two digits (ITU-T E.164); all others have three.
const ONE_DIGIT: &[&str] = &["1", "7"];
const TWO_DIGITS: &[&str] = &[
    "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48", "49", "51",
    "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81", "82", "84", "86", "90",
    "91", "92", "93", "94", "95", "98",
];

/// Beginning of the whole number, and sizes of the groups behind the country's code; the first that fits counts. The
/// sizes add up to the length of the national number.
const PLANS: &[(&str, &[usize])] = &[
    ("1", &[3, 3, 4]),
    ("7", &[3, 3, 2, 2]),
    ("33", &[1, 2, 2, 2, 2]),
    ("34", &[3, 2, 2, 2]),
    ("442", &[2, 4, 4]),
    ("443", &[3, 3, 4]),
    ("447", &[4, 6]),
    ("448", &[3, 3, 4]),
    ("44", &[4, 6]),
    ("48", &[3, 3, 3]),
    ("55", &[2, 5, 4]),
    ("55", &[2, 4, 4]),
    ("614", &[3, 3, 3]),
    ("61", &[1, 4, 4]),
    ("65", &[4, 4]),
    ("813", &[1, 4, 4]),
    ("816", &[1, 4, 4]),
    ("81", &[2, 4, 4]),
    ("82", &[2, 4, 4]),
    ("852", &[4, 4]),
    ("853", &[4, 4]),
    ("8610", &[2, 4, 4]),
    ("862", &[2, 4, 4]),
    ("86400", &[3, 3, 4]),
    ("86800", &[3, 3, 4]),
    ("861", &[3, 4, 4]),
    ("86", &[3, 4, 4]),
    ("8869", &[3, 3, 3]),
    ("886", &[1, 4, 4]),
    ("91", &[5, 5]),
];

/// The groups of a number's digits (E.164, without `+`), the country's code first.
pub(super) fn groups(digits: &str) -> Vec<&str> {
    let country = if ONE_DIGIT.iter().any(|code| digits.starts_with(code)) {
        1
    } else if TWO_DIGITS.iter().any(|code| digits.starts_with(code)) {
        2
    } else {
        3
    };
    let (code, mut rest) = digits.split_at_checked(country).unwrap_or((digits, ""));
    let mut groups = vec![code];
    let plan =
        PLANS.iter().find(|(begin, sizes)| digits.starts_with(begin) && sizes.iter().sum::<usize>() == rest.len());
    let thirds = [3; 5];
    for size in plan.map_or(&thirds[..], |(_, sizes)| sizes) {
        // One digit alone at the end joins the group before it.
        let size = if plan.is_none() && rest.len() == size + 1 { size + 1 } else { *size };
        let (group, behind) = rest.split_at_checked(size).unwrap_or((rest, ""));
        groups.extend(Some(group).filter(|group| !group.is_empty()));
        rest = behind;
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_in_the_groups_of_their_country() {
        let said = |digits| groups(digits).join(" ");
        assert_eq!(said("8613800000000"), "86 138 0000 0000");
        assert_eq!(said("861062345678"), "86 10 6234 5678");
        assert_eq!(said("864008100000"), "86 400 810 0000");
        assert_eq!(said("12125550101"), "1 212 555 0101");
        assert_eq!(said("442079460000"), "44 20 7946 0000");
        assert_eq!(said("85221234567"), "852 2123 4567");
        assert_eq!(said("358401234567"), "358 401 234 567");
        assert_eq!(said("3584012345"), "358 401 2345");
        assert_eq!((said("100"), said("999")), ("1 00".to_owned(), "999".to_owned()));
    }
}
