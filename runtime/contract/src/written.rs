//! Values as they are written down, in notes and in texts that are not said: figures, as the language writes its own
//! literals. It knows nothing of how they are said.

use crate::calendar::DAY_MS;
use crate::host::FaultKind;
use crate::program::ProgramMeta;
use crate::spoken::{decimal_figures, minor_digits};
use crate::time::Time;
use crate::types::Type;
use crate::{currency, moment};

/// What a value is, for host call `ValueToText`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Written {
    Decimal = 0,
    Percent = 1,
    /// Two words.
    Money = 2,
    Duration = 3,
    Time = 4,
    Date = 5,
    Clock = 6,
    Language = 7,
    /// Its variant, and the enum as an index of the type table.
    Enum = 8,
}

impl Written {
    pub const ALL: [Written; 9] = [
        Written::Decimal,
        Written::Percent,
        Written::Money,
        Written::Duration,
        Written::Time,
        Written::Date,
        Written::Clock,
        Written::Language,
        Written::Enum,
    ];

    /// `None` of types that are not written so, or that have a host call of their own.
    pub fn of(r#type: &Type) -> Option<Written> {
        Some(match r#type {
            Type::Decimal => Written::Decimal,
            Type::Percent => Written::Percent,
            Type::Money => Written::Money,
            Type::Duration => Written::Duration,
            Type::Time => Written::Time,
            Type::Date => Written::Date,
            Type::Clock => Written::Clock,
            Type::Language => Written::Language,
            Type::Enum(_) => Written::Enum,
            _ => return None,
        })
    }
}

/// The text of the words of a value. What no calendar has is fault `overflow`, an unknown kind fault `host`.
pub fn text(meta: &ProgramMeta, kind: u64, first: u64, second: u64) -> Result<String, FaultKind> {
    let kind = Written::ALL.into_iter().find(|known| *known as u64 == kind).ok_or(FaultKind::Host)?;
    let number = first as i64;
    match kind {
        Written::Decimal => Ok(decimal_figures(number, 1_000_000)),
        Written::Percent => Ok(format!("{}%", decimal_figures(number, 10_000))),
        Written::Money => Ok(money(number, second as u16)),
        Written::Duration => Ok(duration(number)),
        Written::Time => moment::time_to_rfc3339(Time(number)).ok_or(FaultKind::Overflow),
        Written::Date => moment::date_to_iso(number).ok_or(FaultKind::Overflow),
        Written::Clock => Ok(clock(number)),
        Written::Language => {
            let tag = usize::try_from(first).ok().and_then(|index| meta.languages.get(index));
            Ok(tag.or(meta.languages.first()).cloned().unwrap_or_default())
        }
        Written::Enum => {
            let variants = u32::try_from(second).map_or(&[][..], |id| meta.types.variants(id));
            let variant = usize::try_from(first).ok().and_then(|at| variants.get(at));
            variant.map(|variant| variant.name.clone()).ok_or(FaultKind::Host)
        }
    }
}

/// `12.50 CNY`: the places of the smaller unit, and more where the amount has more.
fn money(amount: i64, number: u16) -> String {
    let letters = currency::letters(number).unwrap_or("?");
    let places = minor_digits(letters) as usize;
    let figures = decimal_figures(amount, 10_000);
    let (whole, behind) = figures.split_once('.').unwrap_or((&figures, ""));
    match format!("{behind:0<places$}").as_str() {
        "" => format!("{whole} {letters}"),
        behind => format!("{whole}.{behind} {letters}"),
    }
}

/// `1h30m`
fn duration(ms: i64) -> String {
    let mut rest = ms.unsigned_abs();
    let mut text = String::from(if ms < 0 { "-" } else { "" });
    for (size, unit) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")] {
        if rest >= size {
            text.push_str(&format!("{}{unit}", rest / size));
            rest %= size;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// `09:00`; seconds where there are any.
fn clock(ms: i64) -> String {
    let seconds = ms.rem_euclid(DAY_MS) / 1_000;
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match second {
        0 => format!("{hour:02}:{minute:02}"),
        _ => format!("{hour:02}:{minute:02}:{second:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{EnumType, TypeTable, Variant};

    #[test]
    fn values_are_written_as_literals() {
        let tier = EnumType { name: "m.Tier".into(), variants: ["standard", "gold"].map(Variant::plain).into() };
        let meta = ProgramMeta {
            languages: vec!["zh".into(), "en".into()],
            types: TypeTable { enums: vec![tier], records: vec![] }.into(),
            ..ProgramMeta::default()
        };
        let written = |kind, first: i64, second| text(&meta, kind as u64, first as u64, second).unwrap();
        assert_eq!(written(Written::Decimal, -3_140_000, 0), "-3.14");
        assert_eq!(written(Written::Percent, 125_000, 0), "12.5%");
        assert_eq!(written(Written::Money, 125_000, 156), "12.50 CNY");
        assert_eq!(written(Written::Money, 125_001, 156), "12.5001 CNY");
        assert_eq!(written(Written::Money, 1_250_000, 392), "125 JPY");
        assert_eq!(written(Written::Duration, 5_400_000, 0), "1h30m");
        assert_eq!(written(Written::Duration, -1, 0), "-1ms");
        assert_eq!(written(Written::Duration, 0, 0), "0s");
        assert_eq!(written(Written::Time, 1_772_416_800_000, 0), "2026-03-02T02:00:00Z");
        assert_eq!(written(Written::Date, 20_514, 0), "2026-03-02");
        assert_eq!(written(Written::Clock, 34_205_000, 0), "09:30:05");
        assert_eq!(written(Written::Language, 1, 0), "en");
        assert_eq!(written(Written::Enum, 1, 0), "gold");
        assert_eq!(text(&meta, Written::Enum as u64, 2, 0), Err(FaultKind::Host));
        assert_eq!(text(&meta, Written::Enum as u64, 0, 1), Err(FaultKind::Host));
        assert_eq!(text(&meta, Written::Date as u64, i64::MAX as u64, 0), Err(FaultKind::Overflow));
        assert_eq!(text(&meta, 99, 0, 0), Err(FaultKind::Host));
    }
}
