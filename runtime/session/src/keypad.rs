//! What keys mean for each kind of `ask`: which may be part of the input, when it is whole, and the value that it is. It
//! knows no prompt and no time between keys.

use runtime_contract::dialled::dialled;
use runtime_contract::request::{AskKind, DECIMALS_MAX, WHOLE_DIGITS_MAX};
use runtime_contract::value::{Money, Phone, Value};
use runtime_contract::{Time, calendar, currency};

/// The decimal point, as no telephone has one.
const POINT: char = '*';
const MS_A_MINUTE: i64 = 60_000;
/// Of a Decimal and of an amount, what stands behind the decimal point.
const DECIMAL_PLACES: usize = 6;
const MONEY_PLACES: usize = 4;

/// What the call adds to the keys.
pub(crate) struct Surroundings<'s> {
    pub now: Time,
    /// Of the called office.
    pub zone: &'s str,
    pub called: Option<Phone>,
}

/// Whether this key may follow those taken.
pub(crate) fn is_part(kind: AskKind, taken: &str, key: char) -> bool {
    // No telephone has the sign; it comes in writing.
    let begins_number = key == '+' && kind == AskKind::Phone && taken.is_empty();
    begins_number || key.is_ascii_digit() || (key == POINT && decimals_max(kind) > 0 && !taken.contains(POINT))
}

/// Whether no further key can belong to the input.
pub(crate) fn is_whole(kind: AskKind, taken: &str) -> bool {
    if taken.len() >= kind.keys_max() {
        return true;
    }
    match kind {
        AskKind::Range { low, high } => !may_go_on(taken, low, high, kind.keys_max()),
        AskKind::Number | AskKind::Amount { .. } => {
            taken.split_once(POINT).is_some_and(|(_, decimals)| decimals.len() >= decimals_max(kind))
        }
        // A month is 01 to 12, a century 19 to 21: so the first two keys say which of the two it is.
        AskKind::Date => taken.len() == 4 && !matches!(taken.get(..2), Some("19" | "20" | "21")),
        AskKind::Digits { .. } | AskKind::Time | AskKind::Phone | AskKind::YesOrNo | AskKind::Text { .. } => false,
    }
}

/// The value of a public input that is over; `None` when it is none. `taken` has only keys that are part of one.
pub(crate) fn value(kind: AskKind, taken: &str, around: &Surroundings<'_>) -> Option<Value> {
    let figures = |range: std::ops::Range<usize>| taken.get(range)?.parse::<i8>().ok();
    match kind {
        AskKind::Digits { min, max } => {
            (min as usize..=max as usize).contains(&taken.len()).then(|| Value::Text(taken.to_owned()))
        }
        AskKind::Range { low, high } => {
            let number = taken.parse::<i64>().ok()?;
            (low..=high).contains(&number).then_some(Value::Int(number))
        }
        AskKind::Number => Some(Value::Decimal(scaled(taken, DECIMAL_PLACES)?)),
        AskKind::Amount { currency } => Some(Value::Money(Money { amount: scaled(taken, MONEY_PLACES)?, currency })),
        AskKind::Date => {
            let days = match taken.len() {
                4 => {
                    let (today, ..) = calendar::local(around.now, around.zone)?;
                    calendar::next_day(figures(0..2)?, figures(2..4)?, today)?
                }
                8 => calendar::days_since_epoch(taken.get(..4)?.parse().ok()?, figures(4..6)?, figures(6..8)?)?,
                _ => return None,
            };
            Some(Value::Moment(days.into()))
        }
        AskKind::Time => {
            let (hour, minute) = (figures(0..2)?, figures(2..4)?);
            let ms = (i64::from(hour) * 60 + i64::from(minute)) * MS_A_MINUTE;
            (hour < 24 && minute < 60).then_some(Value::Moment(ms))
        }
        AskKind::Phone if taken.starts_with('+') => Phone::parse(taken, true).map(Value::Phone),
        AskKind::Phone => dialled(taken, around.called).map(Value::Phone),
        AskKind::YesOrNo => match taken {
            "1" => Some(Value::Bool(true)),
            "2" => Some(Value::Bool(false)),
            _ => None,
        },
        AskKind::Text { .. } => None,
    }
}

/// What somebody has written, without blanks around it; `None` where that is nothing, or more than so many characters.
pub(crate) fn text(words: &str, max: u32) -> Option<String> {
    let words = words.trim();
    (!words.is_empty() && words.chars().count() <= max as usize).then(|| words.to_owned())
}

/// How many digits may stand behind the decimal point.
fn decimals_max(kind: AskKind) -> usize {
    match kind {
        AskKind::Number => DECIMALS_MAX,
        AskKind::Amount { currency } => currency::decimals(currency),
        _ => 0,
    }
}

/// Whether some number from `low` to `high` begins with these keys and has more, up to `keys_max`; zeros may lead.
fn may_go_on(taken: &str, low: i64, high: i64, keys_max: usize) -> bool {
    let Ok(number) = taken.parse::<i64>() else { return taken.is_empty() };
    let mut first = number;
    let mut count = 1;
    (taken.len()..keys_max).any(|_| {
        first = first.saturating_mul(10);
        count *= 10;
        first <= high && first.saturating_add(count - 1) >= low
    })
}

/// `12*5` with so many places behind the point; `None` without a digit or with too many.
fn scaled(taken: &str, places: usize) -> Option<i64> {
    let (whole, decimals) = taken.split_once(POINT).unwrap_or((taken, ""));
    if (whole.is_empty() && decimals.is_empty()) || whole.len() > WHOLE_DIGITS_MAX {
        return None;
    }
    format!("0{whole}{decimals:0<places$}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noon of Monday 2 March 2026 in Shanghai.
    fn typed(kind: AskKind, keys: &str) -> Option<Value> {
        let today = calendar::days_since_epoch(2026, 3, 2).unwrap();
        let now = calendar::instant(today, 12 * 3_600_000, "Asia/Shanghai").unwrap();
        let called = Phone::parse("+864008100000", true);
        value(kind, keys, &Surroundings { now, zone: "Asia/Shanghai", called })
    }

    fn day(year: i16, month: i8, day: i8) -> Option<Value> {
        Some(Value::Moment(calendar::days_since_epoch(year, month, day).unwrap().into()))
    }

    #[test]
    fn a_range_ends_as_soon_as_no_number_can_follow() {
        let kind = AskKind::Range { low: 1, high: 12 };
        let whole = |keys| is_whole(kind, keys);
        assert_eq!(
            ["", "0", "1", "2", "9", "10", "13", "05"].map(whole),
            [false, false, false, true, true, true, true, true]
        );
        assert_eq!((typed(kind, "1"), typed(kind, "05")), (Some(Value::Int(1)), Some(Value::Int(5))));
        assert_eq!((typed(kind, "0"), typed(kind, "13"), typed(kind, "")), (None, None, None));
        let kind = AskKind::Range { low: 100, high: 999 };
        assert!(!is_whole(kind, "1") && !is_whole(kind, "99") && is_whole(kind, "0"));
        let kind = AskKind::Range { low: 0, high: 999_999_999_999 };
        assert!(!is_whole(kind, "99999999999") && is_whole(kind, "999999999999"));
    }

    #[test]
    fn a_star_is_the_decimal_point() {
        let number = |keys| typed(AskKind::Number, keys);
        assert_eq!(number("12*5"), Some(Value::Decimal(12_500_000)));
        assert_eq!((number("*5"), number("5*")), (Some(Value::Decimal(500_000)), Some(Value::Decimal(5_000_000))));
        assert_eq!(number("999999999999*999999"), Some(Value::Decimal(999_999_999_999_999_999)));
        assert_eq!((number("*"), number(""), number("1234567890123")), (None, None, None));
        assert!(is_part(AskKind::Number, "12", '*') && !is_part(AskKind::Number, "1*2", '*'));
        assert!(is_whole(AskKind::Number, "1*123456") && !is_whole(AskKind::Number, "1*12345"));
    }

    #[test]
    fn an_amount_has_the_decimals_of_its_currency() {
        let money = |keys, currency: &str| {
            let currency = currency::number(currency).unwrap();
            typed(AskKind::Amount { currency }, keys).map(|value| match value {
                Value::Money(money) => money.amount,
                _ => unreachable!(),
            })
        };
        assert_eq!((money("12*5", "CNY"), money("12", "JPY")), (Some(125_000), Some(120_000)));
        let (yuan, yen) = (currency::number("CNY").unwrap(), currency::number("JPY").unwrap());
        assert!(is_whole(AskKind::Amount { currency: yuan }, "12*50"));
        assert!(!is_part(AskKind::Amount { currency: yen }, "12", '*'));
    }

    #[test]
    fn a_date_has_a_year_when_it_begins_with_one() {
        let date = |keys| typed(AskKind::Date, keys);
        assert_eq!((date("0302"), date("0301")), (day(2026, 3, 2), day(2027, 3, 1)));
        assert_eq!((date("19900229"), date("19920229")), (None, day(1992, 2, 29)));
        assert_eq!((date("1301"), date("0230"), date("302"), date("2026")), (None, None, None, None));
        let whole = |keys| is_whole(AskKind::Date, keys);
        assert_eq!(
            ["030", "0302", "2026", "2026030", "20260302", "1301"].map(whole),
            [false, true, false, false, true, true]
        );
    }

    #[test]
    fn times_and_answers() {
        let time = |keys| typed(AskKind::Time, keys);
        assert_eq!((time("0930"), time("2359")), (Some(Value::Moment(34_200_000)), Some(Value::Moment(86_340_000))));
        assert_eq!((time("2400"), time("0960"), time("930")), (None, None, None));
        let yes = |keys| typed(AskKind::YesOrNo, keys);
        assert_eq!((yes("1"), yes("2"), yes("3")), (Some(Value::Bool(true)), Some(Value::Bool(false)), None));
        let phone = typed(AskKind::Phone, "13800000000");
        assert_eq!(phone, Phone::parse("+8613800000000", true).map(Value::Phone));
    }
}
