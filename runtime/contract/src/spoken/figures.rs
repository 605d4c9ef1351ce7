//! Values in figures, for languages that have no words here: their voices read numbers themselves.

use jiff::civil::Date;

use super::amount::{Amount, Hundredths, fraction};
use super::length::Unit;
use super::{Speech, names};

pub(super) struct Figures;

impl Speech for Figures {
    fn int(&self, number: i64) -> String {
        number.to_string()
    }

    fn decimal(&self, micros: i64) -> String {
        decimal_figures(micros, 1_000_000)
    }

    fn digits(&self, digits: &str) -> String {
        digits.chars().map(String::from).collect::<Vec<_>>().join(" ")
    }

    fn phone(&self, groups: &[&str]) -> String {
        groups.iter().map(|group| self.digits(group)).collect::<Vec<_>>().join(", ")
    }

    fn money(&self, amount: &Amount) -> String {
        let sign = if amount.negative { "-" } else { "" };
        let behind = fraction(amount.size, amount.currency.minor_digits);
        let behind = behind.map_or_else(String::new, |digits| format!(".{digits}"));
        format!("{sign}{}{behind} {}", amount.whole(), amount.currency.letters)
    }

    fn percent(&self, percent: Hundredths) -> String {
        let size = i64::try_from(percent.size).unwrap_or(i64::MAX);
        format!("{} %", decimal_figures(if percent.negative { -size } else { size }, 100))
    }

    fn duration(&self, negative: bool, units: &[(u64, Unit)]) -> String {
        let sign = if negative { "-" } else { "" };
        let name = |unit| match unit {
            Unit::Day => "d",
            Unit::Hour => "h",
            Unit::Minute => "min",
            Unit::Second => "s",
        };
        let said: Vec<_> = units.iter().map(|(count, unit)| format!("{count} {}", name(*unit))).collect();
        format!("{sign}{}", said.join(" "))
    }

    fn date(&self, date: Date) -> String {
        date.to_string()
    }

    fn clock(&self, minute: u32) -> String {
        format!("{:02}:{:02}", minute / 60, minute % 60)
    }

    fn time(&self, date: Date, minute: u32) -> String {
        format!("{date} {}", self.clock(minute))
    }

    fn language(&self, tag: &str) -> String {
        names::language(tag).0.to_owned()
    }
}

/// The same for somebody who reads: digits stand together.
pub(super) struct Written;

impl Speech for Written {
    fn int(&self, number: i64) -> String {
        Figures.int(number)
    }

    fn decimal(&self, micros: i64) -> String {
        Figures.decimal(micros)
    }

    fn digits(&self, digits: &str) -> String {
        digits.to_owned()
    }

    fn phone(&self, groups: &[&str]) -> String {
        format!("+{}", groups.join(" "))
    }

    fn money(&self, amount: &Amount) -> String {
        let sign = if amount.negative { "-" } else { "" };
        let (whole, letters) = (amount.whole(), amount.currency.letters);
        match amount.currency.minor_digits as usize {
            0 => format!("{sign}{whole} {letters}"),
            places => format!("{sign}{whole}.{:0places$} {letters}", amount.minor()),
        }
    }

    fn percent(&self, percent: Hundredths) -> String {
        Figures.percent(percent).replace(' ', "")
    }

    fn duration(&self, negative: bool, units: &[(u64, Unit)]) -> String {
        Figures.duration(negative, units)
    }

    fn date(&self, date: Date) -> String {
        Figures.date(date)
    }

    fn clock(&self, minute: u32) -> String {
        Figures.clock(minute)
    }

    fn time(&self, date: Date, minute: u32) -> String {
        Figures.time(date, minute)
    }

    fn language(&self, tag: &str) -> String {
        Figures.language(tag)
    }
}

/// `12.5` from a scaled integer, without trailing zeros. `scale` is a power of ten.
pub fn decimal_figures(scaled: i64, scale: u64) -> String {
    let magnitude = scaled.unsigned_abs();
    let sign = if scaled < 0 { "-" } else { "" };
    let whole = magnitude / scale;
    match fraction(magnitude, scale.ilog10()) {
        Some(behind) => format!("{sign}{whole}.{behind}"),
        None => format!("{sign}{whole}"),
    }
}
