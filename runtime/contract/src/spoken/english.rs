//! Values in English.

use super::{Speech, units_and_hundredths};
use crate::currency;
use crate::value::Money;

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

    fn digits(&self, digits: &str) -> String {
        let said: Vec<_> = digits.chars().filter_map(|c| word(&ONES, u64::from(c.to_digit(10)?))).collect();
        said.join(" ")
    }

    fn money(&self, money: Money) -> String {
        let (whole, cents) = units_and_hundredths(money.amount);
        let letters = currency::letters(money.currency).unwrap_or("?");
        let (one, many, small) = match letters {
            "USD" => ("dollar", "dollars", ("cent", "cents")),
            "EUR" => ("euro", "euros", ("cent", "cents")),
            "GBP" => ("pound", "pounds", ("penny", "pence")),
            "CNY" => ("yuan", "yuan", ("fen", "fen")),
            "JPY" => ("yen", "yen", ("sen", "sen")),
            "HKD" => ("Hong Kong dollar", "Hong Kong dollars", ("cent", "cents")),
            other => (other, other, ("hundredth", "hundredths")),
        };
        let unit = |n: u64, one: &str, many: &str| format!("{} {}", cardinal(n), if n == 1 { one } else { many });
        let said = match (whole, cents) {
            (whole, 0) => unit(whole, one, many),
            (0, cents) => unit(cents, small.0, small.1),
            (whole, cents @ 1..10) => format!("{} and {}", unit(whole, one, many), unit(cents, small.0, small.1)),
            (whole, cents) => format!("{} {}", unit(whole, one, many), cardinal(cents)),
        };
        if money.amount < 0 && (whole, cents) != (0, 0) { format!("minus {said}") } else { said }
    }

    fn plural(&self, number: i64) -> usize {
        usize::from(number != 1)
    }
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
        let said = |amount, letters| English.money(Money { amount, currency: currency::number(letters).unwrap() });
        assert_eq!(said(10_000, "USD"), "one dollar");
        assert_eq!(said(10_500, "USD"), "one dollar and five cents");
        assert_eq!(said(100, "GBP"), "one penny");
        assert_eq!(said(-125_000, "CNY"), "minus twelve yuan fifty");
        assert_eq!(said(0, "EUR"), "zero euros");
    }
}
