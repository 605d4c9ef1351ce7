//! Flows everyone needs, written in the language, and the holidays of some countries, embedded. Knows neither the
//! parser nor the checker.

mod holidays;

pub use holidays::{Day, HOLIDAY_TABLES, Holidays, holidays};

/// Modules by the path that `use` names, with the text of each.
pub const MODULES: &[(&str, &str)] = &[
    ("std.agreement", include_str!("../agreement.flow")),
    ("std.call_back", include_str!("../call_back.flow")),
    ("std.card", include_str!("../card.flow")),
    ("std.digits", include_str!("../digits.flow")),
    ("std.language", include_str!("../language.flow")),
    ("std.law", include_str!("../law.flow")),
    ("std.law.cn_debt", include_str!("../law/cn_debt.flow")),
    ("std.law.cn_miit", include_str!("../law/cn_miit.flow")),
    ("std.law.uk_ofcom", include_str!("../law/uk_ofcom.flow")),
    ("std.law.us_florida", include_str!("../law/us_florida.flow")),
    ("std.law.us_reg_f", include_str!("../law/us_reg_f.flow")),
    ("std.law.us_tsr", include_str!("../law/us_tsr.flow")),
    ("std.office_hours", include_str!("../office_hours.flow")),
    ("std.phone", include_str!("../phone.flow")),
    ("std.surveys", include_str!("../surveys.flow")),
    ("std.voicemail", include_str!("../voicemail.flow")),
    ("std.yes_no", include_str!("../yes_no.flow")),
];

/// The text of a module of the library, by the path that `use` names: `std.voicemail`.
pub fn module(path: &str) -> Option<&'static str> {
    MODULES.iter().find(|(name, _)| *name == path).map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_module_is_found_by_its_path() {
        assert!(super::module("std.voicemail").is_some_and(|text| text.contains("flow take")));
        assert!(super::MODULES.is_sorted_by(|a, b| a.0 < b.0));
        assert!(super::MODULES.iter().all(|(_, text)| text.starts_with("//! ")));
        assert_eq!(super::module("std.nothing"), None);
    }
}
