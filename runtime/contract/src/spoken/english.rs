//! Values in English.

use jiff::civil::Date;

use super::amount::{Amount, Hundredths, fraction};
use super::length::Unit;
use super::{Speech, names};

pub(super) struct English;

const ONES: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 10] = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const SCALES: [(u64, &str); 6] = [
    (1_000_000_000_000_000_000, "quintillion"),
    (1_000_000_000_000_000, "quadrillion"),
    (1_000_000_000_000, "trillion"),
    (1_000_000_000, "billion"),
    (1_000_000, "million"),
    (1_000, "thousand"),
];

impl Speech for English {
    fn int(&self, number: i64) -> String {
        let words = cardinal(number.unsigned_abs());
        if number < 0 { format!("minus {words}") } else { words }
    }

    fn decimal(&self, micros: i64) -> String {
        signed(micros < 0, &places(micros.unsigned_abs(), 6))
    }

    fn digits(&self, digits: &str) -> String {
        digits.chars().filter_map(digit).collect::<Vec<_>>().join(" ")
    }

    fn phone(&self, groups: &[&str]) -> String {
        groups.iter().map(|group| self.digits(group)).collect::<Vec<_>>().join(", ")
    }

    fn money(&self, amount: &Amount) -> String {
        signed(amount.negative, &amount_said(amount))
    }

    fn percent(&self, percent: Hundredths) -> String {
        signed(percent.negative, &format!("{} percent", places(percent.size, 2)))
    }

    fn duration(&self, negative: bool, units: &[(u64, Unit)]) -> String {
        let said: Vec<_> = units.iter().map(|(count, unit)| unit_said(*count, *unit)).collect();
        signed(negative, &said.join(" "))
    }

    fn date(&self, date: Date) -> String {
        let name = |names: &[&'static str], at: i8| word(names, at.unsigned_abs().into()).unwrap_or_default();
        let weekday = name(&WEEKDAYS, date.weekday().to_monday_zero_offset());
        format!("{weekday} {} {}", name(&MONTHS, date.month() - 1), date.day())
    }

    fn clock(&self, minute: u32) -> String {
        let (hour, minute) = (minute / 60, minute % 60);
        let half = match (hour, minute) {
            (12, 0) => "noon",
            (0..12, _) => "a.m.",
            _ => "p.m.",
        };
        let hour = if hour % 12 == 0 { 12 } else { hour % 12 };
        if minute == 0 { format!("{hour} {half}") } else { format!("{hour}:{minute:02} {half}") }
    }

    fn time(&self, date: Date, minute: u32) -> String {
        format!("{}, {}", self.date(date), self.clock(minute))
    }

    fn language(&self, tag: &str) -> String {
        names::language(tag).0.to_owned()
    }
}

fn signed(negative: bool, said: &str) -> String {
    if negative { format!("minus {said}") } else { said.to_owned() }
}

fn digit(c: char) -> Option<&'static str> {
    match c {
        '*' => Some("star"),
        '#' => Some("hash"),
        _ => word(&ONES, c.to_digit(10)?.into()),
    }
}

/// `three point one four` of a number with so many places behind the point, zeros at the end left out.
fn places(scaled: u64, places: u32) -> String {
    let scale = 10u64.pow(places);
    let whole = cardinal(scaled / scale);
    match fraction(scaled, places) {
        Some(behind) => format!("{whole} point {}", English.digits(&behind)),
        None => whole,
    }
}

/// Currencies without their country, and what their hundredths are called: one, and more.
fn short_names(letters: &str) -> Option<[&'static str; 4]> {
    Some(match letters {
        "USD" => ["dollar", "dollars", "cent", "cents"],
        "EUR" => ["euro", "euros", "cent", "cents"],
        "GBP" => ["pound", "pounds", "penny", "pence"],
        "CNY" => ["yuan", "yuan", "fen", "fen"],
        "JPY" => ["yen", "yen", "sen", "sen"],
        "HKD" => ["Hong Kong dollar", "Hong Kong dollars", "cent", "cents"],
        "SGD" => ["Singapore dollar", "Singapore dollars", "cent", "cents"],
        "AUD" => ["Australian dollar", "Australian dollars", "cent", "cents"],
        "CAD" => ["Canadian dollar", "Canadian dollars", "cent", "cents"],
        "NZD" => ["New Zealand dollar", "New Zealand dollars", "cent", "cents"],
        _ => return None,
    })
}

/// `twelve dollars fifty`; a currency whose smaller unit has no name here is said as `twelve point five Swiss francs`.
fn amount_said(amount: &Amount) -> String {
    let unit = |n: u64, one: &str, many: &str| format!("{} {}", cardinal(n), if n == 1 { one } else { many });
    let (whole, minor) = (amount.whole(), amount.minor());
    let Some([one, many, small_one, small_many]) = short_names(amount.currency.letters) else {
        let (one, many) = (amount.currency.english_one, amount.currency.english_many);
        if minor == 0 {
            return unit(whole, one, many);
        }
        return format!("{} {many}", places(amount.size, amount.currency.minor_digits));
    };
    match (whole, minor) {
        (whole, 0) => unit(whole, one, many),
        (0, minor) => unit(minor, small_one, small_many),
        (whole, minor @ 1..10) => format!("{} and {}", unit(whole, one, many), unit(minor, small_one, small_many)),
        (whole, minor) => format!("{} {}", unit(whole, one, many), cardinal(minor)),
    }
}

fn unit_said(count: u64, unit: Unit) -> String {
    let name = match unit {
        Unit::Day => "day",
        Unit::Hour => "hour",
        Unit::Minute => "minute",
        Unit::Second => "second",
    };
    format!("{} {name}{}", cardinal(count), if count == 1 { "" } else { "s" })
}

fn word<'w>(words: &[&'w str], index: u64) -> Option<&'w str> {
    words.get(usize::try_from(index).ok()?).copied()
}

fn cardinal(number: u64) -> String {
    if let Some(said) = word(&ONES, number) {
        return said.to_owned();
    }
    if number < 100 {
        let tens = word(&TENS, number / 10).unwrap_or_default();
        return match number % 10 {
            0 => tens.to_owned(),
            ones => format!("{tens}-{}", cardinal(ones)),
        };
    }
    let (size, name) = SCALES.into_iter().find(|(size, _)| number >= *size).unwrap_or((100, "hundred"));
    let head = format!("{} {name}", cardinal(number / size));
    match number % size {
        0 => head,
        rest => format!("{head} {}", cardinal(rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let said = |n| English.int(n);
        assert_eq!(said(102), "one hundred two");
        assert_eq!(said(-40), "minus forty");
        assert_eq!(said(1_000_001), "one million one");
        assert_eq!(said(90_210), "ninety thousand two hundred ten");
        assert!(said(i64::MIN).starts_with("minus nine quintillion two hundred twenty-three quadrillion"));
    }

    #[test]
    fn amounts() {
        let said = |amount, letters| English.money(&Amount::of(amount, letters));
        assert_eq!(said(125_000, "USD"), "twelve dollars fifty");
        assert_eq!(said(10_000, "USD"), "one dollar");
        assert_eq!(said(10_500, "USD"), "one dollar and five cents");
        assert_eq!(said(100, "GBP"), "one penny");
        assert_eq!(said(-125_000, "CNY"), "minus twelve yuan fifty");
        assert_eq!(said(0, "EUR"), "zero euros");
        assert_eq!(said(1_204_999, "JPY"), "one hundred twenty yen");
        assert_eq!(said(125_000, "CHF"), "twelve point five Swiss francs");
        assert_eq!(said(10_050, "KWD"), "one point zero zero five Kuwaiti dinars");
    }
}
