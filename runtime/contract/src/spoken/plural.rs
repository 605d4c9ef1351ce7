//! Plural classes of whole numbers by CLDR. Every language has `other`; one that CLDR does not know has nothing else.

use icu_plurals::{PluralCategory, PluralRules, PluralRulesOptions};

/// In CLDR order, which is the order of the forms in `{n|caller|callers}`.
const ORDER: [(PluralCategory, &str); 6] = [
    (PluralCategory::Zero, "zero"),
    (PluralCategory::One, "one"),
    (PluralCategory::Two, "two"),
    (PluralCategory::Few, "few"),
    (PluralCategory::Many, "many"),
    (PluralCategory::Other, "other"),
];

fn rules(tag: &str) -> Option<PluralRules> {
    PluralRules::try_new(tag.parse::<icu_locale_core::Locale>().ok()?.into(), PluralRulesOptions::default()).ok()
}

/// Names of the plural classes that a language has, in the order of its forms.
pub fn classes(tag: &str) -> Vec<&'static str> {
    let Some(rules) = rules(tag) else { return vec!["other"] };
    let has: Vec<_> = rules.categories().collect();
    ORDER.iter().filter(|(category, _)| has.contains(category)).map(|(_, name)| *name).collect()
}

/// Index of the form for a number, among the [`classes`] of the language.
pub fn class(tag: &str, number: i64) -> usize {
    let Some(rules) = rules(tag) else { return 0 };
    let (wanted, has) = (rules.category_for(number), rules.categories().collect::<Vec<_>>());
    ORDER
        .iter()
        .filter(|(category, _)| has.contains(category))
        .position(|(category, _)| *category == wanted)
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_go_by_the_language() {
        let forms = |tag, numbers: &[i64]| numbers.iter().map(|n| class(tag, *n)).collect::<Vec<_>>();
        assert_eq!(classes("zh"), ["other"]);
        assert_eq!(classes("en-GB"), ["one", "other"]);
        assert_eq!(classes("pl"), ["one", "few", "many", "other"]);
        assert_eq!(forms("en", &[1, -1, 0, 2, i64::MIN]), [0, 0, 1, 1, 1]);
        assert_eq!(forms("ru", &[1, 3, 5, 21]), [0, 1, 2, 0]);
        assert_eq!(forms("ar", &[0, 1, 2, 3, 11, 100]), [0, 1, 2, 3, 4, 5]);
        assert_eq!((classes("qqq"), class("qqq", 1)), (vec!["other"], 0));
    }
}
