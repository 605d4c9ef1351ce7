//! A telephone number as somebody keys it, to E.164: by the habits of the country in which the called number lies. It
//! knows prefixes, not which numbers are given out.

use crate::value::Phone;

/// Calling codes of two digits (ITU-T E.164, list of assigned codes); 1 and 7 have one digit, all others three.
const TWO_DIGITS: [u64; 44] = [
    20, 27, 30, 31, 32, 33, 34, 36, 39, 40, 41, 43, 44, 45, 46, 47, 48, 49, 51, 52, 53, 54, 55, 56, 57, 58, 60, 61, 62,
    63, 64, 65, 66, 81, 82, 84, 86, 90, 91, 92, 93, 94, 95, 98,
];

/// Countries in which a number keeps its leading zero abroad: there it is no trunk prefix.
const KEEPS_ZERO: [u64; 5] = [39, 225, 229, 241, 242];

const DIGITS_MIN: usize = 7;
/// Of a number in North America, without its 1.
const NANP_DIGITS: usize = 10;
/// Of a number in Russia or Kazakhstan, with its trunk prefix 8.
const RUSSIAN_DIGITS: usize = 11;

/// `00` (or `011` in North America) and a full number, else a number of the country of `called`. `None` where no number
/// can be meant.
pub fn dialled(keys: &str, called: Option<Phone>) -> Option<Phone> {
    let country = called.map(calling_code);
    let abroad = match country {
        Some(1) => keys.strip_prefix("011").or_else(|| keys.strip_prefix("00")),
        _ => keys.strip_prefix("00"),
    };
    let full = match (abroad, country) {
        (Some(full), _) => full.to_owned(),
        (None, Some(country)) => format!("{country}{}", national(keys, country)?),
        (None, None) => return None,
    };
    Phone::parse(&full, false).filter(|_| full.len() >= DIGITS_MIN)
}

/// Without the trunk prefix.
fn national(keys: &str, country: u64) -> Option<&str> {
    match country {
        1 => Some(keys.strip_prefix('1').unwrap_or(keys)).filter(|number| number.len() == NANP_DIGITS),
        7 if keys.len() == RUSSIAN_DIGITS => Some(keys.strip_prefix('8').unwrap_or(keys)),
        _ if KEEPS_ZERO.contains(&country) => Some(keys),
        _ => Some(keys.strip_prefix('0').unwrap_or(keys)),
    }
}

fn calling_code(number: Phone) -> u64 {
    let mut head = number.word();
    while head >= 1_000 {
        head /= 10;
    }
    match head {
        _ if head / 100 == 1 || head / 100 == 7 => head / 100,
        _ if TWO_DIGITS.contains(&(head / 10)) => head / 10,
        _ => head,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_are_dialled_at_home() {
        let from = |office: &str, keys: &str| {
            dialled(keys, Phone::parse(office, true)).map(|phone| phone.e164().reveal().clone())
        };
        for (office, keys, wanted) in [
            ("+864008100000", "13800000000", "+8613800000000"),
            ("+864008100000", "01088886666", "+861088886666"),
            ("+864008100000", "0012125550100", "+12125550100"),
            ("+442079460000", "02079460001", "+442079460001"),
            ("+12125550100", "2125550101", "+12125550101"),
            ("+12125550100", "12125550101", "+12125550101"),
            ("+12125550100", "01186108888", "+86108888"),
            ("+390669800000", "0669800001", "+390669800001"),
            ("+2250701020304", "0701020305", "+2250701020305"),
            ("+74951234567", "84951234568", "+74951234568"),
            ("+35312345678", "012345679", "+35312345679"),
        ] {
            assert_eq!(from(office, keys).as_deref(), Some(wanted), "{keys} at {office}");
        }
        for (office, keys) in [
            ("+864008100000", ""),
            ("+864008100000", "0"),
            ("+864008100000", "123"),
            ("+864008100000", "00"),
            ("+864008100000", "000123456789"),
            ("+864008100000", "12345678901234"),
            ("+12125550100", "555010"),
            ("nowhere", "13800000000"),
        ] {
            assert_eq!(from(office, keys), None, "{keys} at {office}");
        }
        assert_eq!(from("nowhere", "008613800000000").as_deref(), Some("+8613800000000"));
    }
}
