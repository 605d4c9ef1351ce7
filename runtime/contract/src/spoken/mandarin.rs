//! Values in Mandarin: numbers in characters; amounts, lengths and times in figures with their units, but in characters
//! where one of them is 两.

use jiff::civil::Date;

use super::amount::{Amount, Hundredths, fraction};
use super::length::Unit;
use super::{Speech, names};

pub(super) struct Mandarin;

const DIGITS: [&str; 10] = ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
const PLACES: [(u64, &str); 3] = [(1_000, "千"), (100, "百"), (10, "十")];
/// 10¹² is 万亿: 兆 is a million to many.
const SCALES: [(u64, &str); 2] = [(100_000_000, "亿"), (10_000, "万")];

impl Speech for Mandarin {
    fn int(&self, number: i64) -> String {
        let words = cardinal(number.unsigned_abs());
        if number < 0 { format!("负{words}") } else { words }
    }

    fn decimal(&self, micros: i64) -> String {
        signed(micros < 0, &places(micros.unsigned_abs(), 6))
    }

    fn digits(&self, digits: &str) -> String {
        digits.chars().filter_map(|c| sign(c, digit(1))).collect()
    }

    fn phone(&self, groups: &[&str]) -> String {
        let groups: Vec<String> = groups.iter().map(|g| g.chars().filter_map(|c| sign(c, "幺")).collect()).collect();
        groups.join("，")
    }

    fn money(&self, amount: &Amount) -> String {
        let said = match amount.currency.letters {
            "CNY" => yuan(amount.whole(), amount.minor()),
            _ => {
                let whole = amount.whole();
                let number = match fraction(amount.size, amount.currency.minor_digits) {
                    // A point behind 万 would stand between two words: 一万点五.
                    Some(digits) if has_liang(whole) || (whole >= 10_000 && whole.is_multiple_of(10_000)) => {
                        format!("{}点{}", cardinal(whole), self.digits(&digits))
                    }
                    Some(digits) => format!("{}.{digits}", figures(whole)),
                    None => counted(whole, whole == 2 || has_liang(whole)),
                };
                format!("{number}{}", amount.currency.chinese)
            }
        };
        signed(amount.negative, &said)
    }

    fn percent(&self, percent: Hundredths) -> String {
        signed(percent.negative, &format!("百分之{}", places(percent.size, 2)))
    }

    fn duration(&self, negative: bool, units: &[(u64, Unit)]) -> String {
        let name = |unit| match unit {
            Unit::Day => "天",
            Unit::Hour => "小时",
            Unit::Minute => "分钟",
            Unit::Second => "秒",
        };
        let in_words = units.iter().any(|(count, _)| *count == 2 || has_liang(*count));
        let count = |(count, unit): &(u64, Unit)| format!("{}{}", counted(*count, in_words), name(*unit));
        let said: String = units.iter().map(count).collect();
        signed(negative, &said)
    }

    fn date(&self, date: Date) -> String {
        format!("{}月{}日", date.month(), date.day())
    }

    fn clock(&self, minute: u32) -> String {
        let (hour, minute) = (minute / 60, minute % 60);
        // The parts of the day that CLDR has for Chinese.
        let part = match hour {
            0..5 => "凌晨",
            5..8 => "早上",
            8..12 => "上午",
            12 => "中午",
            13..19 => "下午",
            _ => "晚上",
        };
        let hour = u64::from(if hour > 12 { hour - 12 } else { hour });
        let in_words = hour == 2;
        let behind = match minute {
            0 => String::new(),
            1..10 if in_words => format!("零{}分", cardinal(minute.into())),
            _ if in_words => format!("{}分", cardinal(minute.into())),
            _ => format!("{minute:02}分"),
        };
        format!("{part}{}点{behind}", counted(hour, in_words))
    }

    fn time(&self, date: Date, minute: u32) -> String {
        format!("{}{}", self.date(date), self.clock(minute))
    }

    fn language(&self, tag: &str) -> String {
        names::language(tag).1.to_owned()
    }
}

fn signed(negative: bool, said: &str) -> String {
    if negative { format!("负{said}") } else { said.to_owned() }
}

/// One key of a telephone, with the word for 1 that is wanted.
fn sign(c: char, one: &'static str) -> Option<&'static str> {
    match c {
        '*' => Some("星号"),
        '#' => Some("井号"),
        '1' => Some(one),
        _ => Some(digit(c.to_digit(10)?.into())),
    }
}

/// `三点一四` of a number with so many places behind the point, zeros at the end left out.
fn places(scaled: u64, places: u32) -> String {
    let whole = cardinal(scaled / 10u64.pow(places));
    match fraction(scaled, places) {
        Some(behind) => format!("{whole}点{}", Mandarin.digits(&behind)),
        None => whole,
    }
}

/// `12元5角`, `12元零5分`. A single 2 is 两 before what is counted first, and 二 (which voices make of the figure) behind
/// it: 两元二角, 两角, 3元2角.
fn yuan(whole: u64, fen: u64) -> String {
    let (jiao, fen) = (fen / 10, fen % 10);
    let first = [whole, jiao, fen].into_iter().find(|count| *count != 0);
    let in_words = first == Some(2) || has_liang(whole);
    let behind = |count| if in_words { cardinal(count) } else { figures(count) };
    let mut said = String::new();
    if whole != 0 || (jiao, fen) == (0, 0) {
        said.push_str(&format!("{}元", counted(whole, in_words)));
    }
    match jiao {
        0 if whole != 0 && fen != 0 => said.push('零'),
        0 => {}
        _ if whole == 0 => said.push_str(&format!("{}角", counted(jiao, in_words))),
        _ => said.push_str(&format!("{}角", behind(jiao))),
    }
    match fen {
        0 => {}
        _ if (whole, jiao) == (0, 0) => said.push_str(&format!("{}分", counted(fen, in_words))),
        _ => said.push_str(&format!("{}分", behind(fen))),
    }
    said
}

/// A number before what it counts, in words or in figures. A 2 alone is 两 in words; in 12, 20 and 102 it is 二.
///
/// Many voices make 二 of a figure, so a value with a 两 in it is in words as a whole: 两点零二分, not 两点02分.
fn counted(number: u64, in_words: bool) -> String {
    match number {
        _ if !in_words => figures(number),
        2 => "两".to_owned(),
        _ => cardinal(number),
    }
}

/// Whether 万 or 亿 has a single 2 before it.
fn has_liang(number: u64) -> bool {
    SCALES.into_iter().find(|(size, _)| number >= *size).is_some_and(|(size, _)| {
        let head = number / size;
        head == 2 || has_liang(head) || has_liang(number % size)
    })
}

/// Figures that every voice reads as a number: in fours, `1万2345`.
fn figures(number: u64) -> String {
    let Some((size, name)) = SCALES.into_iter().find(|(size, _)| number >= *size) else {
        return number.to_string();
    };
    let head = format!("{}{name}", figures(number / size));
    match number % size {
        0 => head,
        rest if rest < size / 10 => format!("{head}零{}", figures(rest)),
        rest => format!("{head}{}", figures(rest)),
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

/// Ten is 一十, and a place that is skipped is said once as 零. A single 2 is 两 before 千, 万 and 亿.
fn long(number: u64) -> String {
    let (size, name) = SCALES.into_iter().chain(PLACES).find(|(size, _)| number >= *size).unwrap_or((1, ""));
    if size == 1 {
        return digit(number).to_owned();
    }
    let head = match number / size {
        2 if size >= 1_000 => format!("两{name}"),
        count => format!("{}{name}", long(count)),
    };
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
        assert_eq!(said(1_000_000_000_000), "一万亿");
        assert_eq!((said(2).as_str(), said(20).as_str(), said(200).as_str()), ("二", "二十", "二百"));
        assert_eq!((said(2_000).as_str(), said(20_000).as_str()), ("两千", "两万"));
        assert_eq!((said(120_000).as_str(), said(1_020_000).as_str()), ("十二万", "一百零二万"));
        assert_eq!(said(200_022_222), "两亿零两万两千二百二十二");
        assert_eq!(said(-20_000_000), "负两千万");
        assert_eq!(said(i64::MAX), "九百二十二亿三千三百七十二万零三百六十八亿五千四百七十七万五千八百零七");
    }

    #[test]
    fn two_of_something_is_liang() {
        use Unit::{Day, Hour, Minute, Second};
        let said = |units: &[(u64, Unit)]| Mandarin.duration(false, units);
        assert_eq!(said(&[(2, Minute)]), "两分钟");
        assert_eq!(said(&[(2, Day), (2, Hour)]), "两天两小时");
        assert_eq!(said(&[(12, Minute), (2, Second)]), "十二分钟两秒");
        assert_eq!(said(&[(2, Day), (12, Hour)]), "两天十二小时");
        assert_eq!(said(&[(22, Day), (12, Hour)]), "22天12小时");
        assert_eq!(said(&[(20_000, Day)]), "两万天");
        assert_eq!(said(&[(20, Second)]), "20秒");
        let clock = |hour: u32, minute: u32| Mandarin.clock(hour * 60 + minute);
        assert_eq!((clock(2, 0).as_str(), clock(14, 0).as_str()), ("凌晨两点", "下午两点"));
        assert_eq!((clock(14, 2).as_str(), clock(22, 20).as_str()), ("下午两点零二分", "晚上10点20分"));
        assert_eq!((clock(2, 10).as_str(), clock(14, 22).as_str()), ("凌晨两点十分", "下午两点二十二分"));
        assert_eq!((clock(13, 2).as_str(), clock(12, 2).as_str()), ("下午1点02分", "中午12点02分"));
        assert_eq!(clock(12, 0), "中午12点");
        assert_eq!(Mandarin.date(jiff::civil::date(2026, 2, 2)), "2月2日", "of days and months it is 二");
    }

    #[test]
    fn amounts() {
        let said = |amount, letters| Mandarin.money(&Amount::of(amount, letters));
        assert_eq!(said(125_000, "CNY"), "12元5角");
        assert_eq!(said(120_500, "CNY"), "12元零5分");
        assert_eq!(said(500, "CNY"), "5分");
        assert_eq!(said(-125_600, "CNY"), "负12元5角6分");
        assert_eq!(said(0, "CNY"), "0元");
        assert_eq!(said(20_000, "CNY"), "两元");
        assert_eq!(said(32_000, "CNY"), "3元2角");
        assert_eq!(said(22_200, "CNY"), "两元二角二分");
        assert_eq!(said(2_000, "CNY"), "两角");
        assert_eq!(said(2_300, "CNY"), "两角三分");
        assert_eq!(said(200, "CNY"), "两分");
        assert_eq!(said(20_200, "CNY"), "两元零二分");
        assert_eq!(said(10_200, "CNY"), "1元零2分");
        assert_eq!(said(220_000, "CNY"), "22元");
        assert_eq!(said(20_000_000, "CNY"), "2000元", "a voice reads thousands");
        assert_eq!(said(200_002_000, "CNY"), "两万元二角");
        assert_eq!(said(200_030_000, "USD"), "两万零三美元");
        assert_eq!(said(200_025_000, "USD"), "两万零二点五美元");
        assert_eq!(said(100_005_000, "USD"), "一万点五美元");
        assert_eq!(said(123_455_000, "USD"), "1万2345.5美元");
        assert_eq!(said(20_000, "USD"), "两美元");
        assert_eq!(said(25_000, "USD"), "2.5美元", "二点五");
        assert_eq!(said(125_000, "USD"), "12.5美元");
        assert_eq!(said(123_450_000, "HKD"), "1万2345港元");
        assert_eq!(said(1_000_450_000, "JPY"), "10万零45日元");
    }
}
