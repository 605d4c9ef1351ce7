//! A written reply as the keys that it stands for, so that a menu or an `ask` takes it as it takes keys. What is no such
//! thing is words.

use runtime_contract::phrase::FINAL_SIGNS;
use runtime_contract::request::AskKind;
use zeroize::Zeroizing;

/// Longer replies than any input.
const REPLY_KEYS_MAX: usize = 64;

/// Figures, `*` and `#` of a reply to a menu; `None` where it is anything else.
pub(crate) fn menu_keys(words: &str) -> Option<Zeroizing<String>> {
    keys(without_end(words), &[], |sign| matches!(sign, '*' | '#').then_some(sign))
}

/// The input that a reply to an `ask` is; `None` where it is none. Its end key may stand behind it.
pub(crate) fn ask_keys(kind: AskKind, end_key: char, words: &str) -> Option<Zeroizing<String>> {
    let words = words.trim();
    let words = without_end(words.strip_suffix(end_key).unwrap_or(words));
    let between: &[char] = match kind {
        AskKind::Digits { .. } | AskKind::Phone => &[' ', '-', '(', ')', '/', '.'],
        AskKind::Date => &[' ', '-', '/', '.'],
        AskKind::Time => &[' ', ':', '.', 'h'],
        _ => &[' '],
    };
    let mut first = true;
    keys(words, between, |sign| {
        let is_first = std::mem::take(&mut first);
        match kind {
            // A comma may be a point or stand between thousands: whoever writes one is asked again.
            AskKind::Number | AskKind::Amount { .. } => matches!(sign, '.' | '*').then_some('*'),
            AskKind::Phone => (is_first && sign == '+').then_some('+'),
            _ => None,
        }
    })
}

/// `2.` and `2)` are the second of the list.
fn without_end(words: &str) -> &str {
    words.trim_end().trim_end_matches(|sign| matches!(sign, ')' | '）') || FINAL_SIGNS.contains(&sign))
}

/// Figures, also full-width ones, without the signs between them; `other` knows what else may stand there.
fn keys(words: &str, between: &[char], mut other: impl FnMut(char) -> Option<char>) -> Option<Zeroizing<String>> {
    let mut keys = Zeroizing::new(String::with_capacity(REPLY_KEYS_MAX));
    for sign in words.trim().chars() {
        let figure = match sign {
            '０'..='９' => char::from_digit(u32::from(sign) - u32::from('０'), 10),
            sign if sign.is_ascii_digit() => Some(sign),
            _ => None,
        };
        // `other` sees every sign but figures, so that it knows which is the first.
        match figure.or_else(|| other(sign)) {
            Some(_) if keys.len() == REPLY_KEYS_MAX => return None,
            Some(key) => keys.push(key),
            None if between.contains(&sign) => {}
            None => return None,
        }
    }
    (!keys.is_empty()).then_some(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(kind: AskKind, words: &str) -> Option<String> {
        ask_keys(kind, '#', words).map(|keys| keys.to_string())
    }

    #[test]
    fn a_number_of_the_list_is_a_key() {
        let keys = |words| menu_keys(words).map(|keys| keys.to_string());
        assert_eq!((keys(" 1 "), keys("１２"), keys("*")), (Some("1".into()), Some("12".into()), Some("*".into())));
        assert_eq!((keys("2."), keys("2) "), keys("２。")), (Some("2".into()), Some("2".into()), Some("2".into())));
        assert_eq!((keys(".2"), keys("one"), keys("."), keys("1 2")), (None, None, None, None));
    }

    #[test]
    fn values_are_written_as_people_write_them() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(asked(AskKind::Digits { min: 4, max: 16 }, "4929 8712-34#"), some("4929871234"));
        assert_eq!(asked(AskKind::Amount { currency: 156 }, "12.50"), some("12*50"));
        assert_eq!(asked(AskKind::Amount { currency: 156 }, "1,000"), None);
        assert_eq!(asked(AskKind::Range { low: 1, high: 5 }, "4."), some("4"));
        assert_eq!(asked(AskKind::Date, "2026-03-02"), some("20260302"));
        assert_eq!(asked(AskKind::Time, "09:30"), some("0930"));
        assert_eq!(asked(AskKind::Phone, "+86 138-0000"), some("+861380000"));
        assert_eq!(asked(AskKind::Phone, "138 +86"), None);
        assert_eq!(asked(AskKind::Range { low: 1, high: 9 }, "four"), None);
        assert_eq!(asked(AskKind::Digits { min: 1, max: 9 }, &"1".repeat(65)), None);
    }
}
