//! Values in Mandarin, written in characters.

use super::{Speech, units_and_hundredths};
use crate::currency;
use crate::value::Money;

pub(super) struct Mandarin;

const DIGITS: [&str; 10] = ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
const PLACES: [(u64, &str); 3] = [(1_000, "千"), (100, "百"), (10, "十")];
const SCALES: [(u64, &str); 4] =
    [(10_000_000_000_000_000, "京"), (1_000_000_000_000, "兆"), (100_000_000, "亿"), (10_000, "万")];

impl Speech for Mandarin {
    fn int(&self, number: i64) -> String {
        let words = cardinal(number.unsigned_abs());
        if number < 0 { format!("负{words}") } else { words }
    }

    fn digits(&self, digits: &str) -> String {
        digits.chars().filter_map(|c| c.to_digit(10)).map(|d| digit(u64::from(d))).collect()
    }

    fn money(&self, money: Money) -> String {
        let (whole, cents) = units_and_hundredths(money.amount);
        let unit = match currency::letters(money.currency).unwrap_or("?") {
            "CNY" => "元",
            "USD" => "美元",
            "EUR" => "欧元",
            "GBP" => "英镑",
            "JPY" => "日元",
            "HKD" => "港元",
            other => other,
        };
        let sign = if money.amount < 0 && (whole, cents) != (0, 0) { "负" } else { "" };
        let (tenths, hundredths) = (cents / 10, cents % 10);
        let mut said = String::from(sign);
        if unit != "元" {
            said.push_str(&cardinal(whole));
            if cents != 0 {
                said.push('点');
                said.push_str(digit(tenths));
                if hundredths != 0 {
                    said.push_str(digit(hundredths));
                }
            }
            said.push_str(unit);
            return said;
        }
        if whole != 0 || cents == 0 {
            said.push_str(&cardinal(whole));
            said.push_str(unit);
        }
        match (tenths, hundredths) {
            (0, 0) => {}
            (0, fen) => {
                if whole != 0 {
                    said.push('零');
                }
                said.push_str(&format!("{}分", digit(fen)));
            }
            (jiao, 0) => said.push_str(&format!("{}角", digit(jiao))),
            (jiao, fen) => said.push_str(&format!("{}角{}分", digit(jiao), digit(fen))),
        }
        said
    }

    fn plural(&self, _number: i64) -> usize {
        0
    }
}

fn digit(n: u64) -> &'static str {
    usize::try_from(n).ok().and_then(|n| DIGITS.get(n)).copied().unwrap_or_default()
}

/// A leading 一十 is said 十.
fn cardinal(number: u64) -> String {
    let said = long(number);
    match said.strip_prefix("一十") {
        Some(rest) => format!("十{rest}"),
        None => said,
    }
}

/// Ten is 一十, and a place that is skipped is said once as 零.
fn long(number: u64) -> String {
    let (size, name) = SCALES.into_iter().chain(PLACES).find(|(size, _)| number >= *size).unwrap_or((1, ""));
    if size == 1 {
        return digit(number).to_owned();
    }
    let head = format!("{}{name}", long(number / size));
    match number % size {
        0 => head,
        rest if rest < size / 10 => format!("{head}零{}", long(rest)),
        rest => format!("{head}{}", long(rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let said = |n| Mandarin.int(n);
        assert_eq!(said(102), "一百零二");
        assert_eq!(said(10), "十");
        assert_eq!(said(15), "十五");
        assert_eq!(said(110), "一百一十");
        assert_eq!(said(110_000), "十一万");
        assert_eq!(said(10_001), "一万零一");
        assert_eq!(said(1_234_567), "一百二十三万四千五百六十七");
        assert_eq!(said(-20), "负二十");
        assert_eq!(said(100_010_000), "一亿零一万");
    }

    #[test]
    fn amounts() {
        let said = |amount, letters| Mandarin.money(Money { amount, currency: currency::number(letters).unwrap() });
        assert_eq!(said(125_000, "CNY"), "十二元五角");
        assert_eq!(said(120_500, "CNY"), "十二元零五分");
        assert_eq!(said(500, "CNY"), "五分");
        assert_eq!(said(0, "CNY"), "零元");
        assert_eq!(said(125_000, "USD"), "十二点五美元");
    }
}
