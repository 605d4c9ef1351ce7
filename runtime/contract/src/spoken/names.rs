//! Names of currencies and languages in English and Chinese, as `xtask/generators/cldr.py` wrote them.

const CURRENCIES: &str = include_str!("cldr/currencies.tsv");
const LANGUAGES: &str = include_str!("cldr/languages.tsv");

/// A currency's names; `minor_digits` are the places of its smaller unit (ISO 4217).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Currency {
    pub letters: &'static str,
    pub minor_digits: u32,
    pub english_one: &'static str,
    pub english_many: &'static str,
    pub chinese: &'static str,
}

fn row(table: &'static str, key: &str) -> Option<impl Iterator<Item = &'static str>> {
    table.lines().find_map(|line| {
        let mut columns = line.split('\t');
        (columns.next()? == key).then_some(columns)
    })
}

/// Of letters that the table lacks, the letters are the name, and there are two places.
pub(super) fn currency(letters: &'static str) -> Currency {
    let known = || {
        let mut columns = row(CURRENCIES, letters)?;
        Some(Currency {
            letters,
            minor_digits: columns.next()?.parse().ok()?,
            english_one: columns.next()?,
            english_many: columns.next()?,
            chinese: columns.next()?,
        })
    };
    let bare = Currency { letters, minor_digits: 2, english_one: letters, english_many: letters, chinese: letters };
    known().unwrap_or(bare)
}

/// English and Chinese name of a language: of the tag, else of its shortest known beginning, else the tag itself.
pub(super) fn language(tag: &str) -> (&str, &str) {
    let known = |tag: &str| {
        let mut columns = row(LANGUAGES, tag)?;
        Some((columns.next()?, columns.next()?))
    };
    let mut shorter = tag;
    loop {
        if let Some(names) = known(shorter) {
            return names;
        }
        match shorter.rsplit_once('-') {
            Some((before, _)) => shorter = before,
            None => return (tag, tag),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_currency_has_its_places() {
        let digits = |letters| currency(letters).minor_digits;
        assert_eq!(["JPY", "CNY", "KWD", "CLF"].map(digits), [0, 2, 3, 4]);
        assert!(CURRENCIES.lines().all(|line| line.split('\t').count() == 5));
        for (letters, _) in crate::currency::ISO_4217 {
            assert!(currency(letters).minor_digits <= 4, "{letters}");
        }
    }

    #[test]
    fn languages_fall_back_to_the_shorter_tag() {
        assert_eq!(language("pt-BR"), ("Brazilian Portuguese", "巴西葡萄牙语"));
        assert_eq!(language("zh-CN"), ("Chinese", "中文"));
        assert_eq!(language("qqq-x"), ("qqq-x", "qqq-x"));
        assert!(LANGUAGES.lines().all(|line| line.split('\t').count() == 3));
    }
}
