//! What a caller may say in a menu: phrases of its choices, a closed grammar for each language. It does not know how the
//! words came to be known.

use crate::request::Menu;

/// A phrase of a menu that was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// Index of the choice.
    pub choice: u32,
    /// Index of the phrase's language in the program.
    pub language: u32,
    /// Index among the choice's phrases of that language.
    pub phrase: u32,
}

/// What stands behind the last word.
pub const FINAL_SIGNS: &[char] = &['.', ',', '!', '?', ';', ':', '…', '。', '，', '！', '？', '；', '：', '、'];

/// Words as they are compared: small letters, one blank between two of them, no sign at the end.
pub fn plain(words: &str) -> String {
    let words = words.trim_end_matches(|sign: char| sign.is_whitespace() || FINAL_SIGNS.contains(&sign));
    words.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Menu {
    /// Some choice can be said.
    pub fn listens(&self) -> bool {
        !self.phrases.is_empty()
    }

    /// The choice that these words are: one in the caller's language first, else one in any other.
    pub fn said(&self, words: &str, language: u32) -> Option<Said> {
        let words = plain(words);
        let languages = self.phrases.iter().map(Vec::len).max().unwrap_or(0) as u32;
        let others = (0..languages).filter(|other| *other != language);
        std::iter::once(language).chain(others).find_map(|language| self.said_in(&words, language))
    }

    fn said_in(&self, plain_words: &str, language: u32) -> Option<Said> {
        (0..).zip(&self.phrases).find_map(|(choice, languages)| {
            let phrases = languages.get(language as usize)?;
            let phrase = phrases.iter().position(|phrase| plain(phrase) == plain_words)? as u32;
            Some(Said { choice, language, phrase })
        })
    }

    /// The text of a phrase, as it is written.
    pub fn phrase(&self, said: Said) -> Option<&str> {
        let languages = self.phrases.get(said.choice as usize)?;
        languages.get(said.language as usize)?.get(said.phrase as usize).map(String::as_str)
    }

    /// A choice as people name it: its keys or, without any, its first phrase.
    pub fn choice_name(&self, choice: usize) -> &str {
        let phrases = || self.phrases.get(choice).into_iter().flatten().flatten();
        let keys = self.choices.get(choice).map(String::as_str).filter(|keys| !keys.is_empty());
        keys.or_else(|| phrases().next().map(String::as_str)).unwrap_or("?")
    }

    /// `1, 2, operator`
    pub fn choice_names(&self) -> impl Iterator<Item = &str> {
        (0..self.choices.len()).map(|choice| self.choice_name(choice))
    }

    /// All phrases in this language, as they are written.
    pub fn phrases_in(&self, language: u32) -> impl Iterator<Item = &str> {
        let phrases = self.phrases.iter().filter_map(move |languages| languages.get(language as usize));
        phrases.flatten().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Prompts;

    fn menu() -> Menu {
        let phrases = |zh: &[&str], en: &[&str]| {
            [zh, en].map(|phrases| phrases.iter().map(|phrase| (*phrase).to_owned()).collect()).to_vec()
        };
        Menu {
            prompts: Prompts::default(),
            choices: vec!["1".into(), "2".into(), String::new()],
            phrases: vec![phrases(&["订单"], &["Orders", "my order"]), vec![], phrases(&["人工"], &["a person"])],
            listen_ms: 5_000,
            between_keys_ms: 3_000,
        }
    }

    #[test]
    fn case_blanks_and_final_signs_make_no_difference() {
        let said = |words| menu().said(words, 1).map(|said| (said.choice, said.phrase));
        assert_eq!((said("orders"), said(" MY  order?! ")), (Some((0, 0)), Some((0, 1))));
        assert_eq!((said("A Person."), said("人工。")), (Some((2, 0)), Some((2, 0))));
        assert_eq!((said("order"), said("orders please"), said(""), said("?")), (None, None, None, None));
    }

    #[test]
    fn the_language_of_the_caller_comes_first() {
        let mut both = menu();
        both.phrases[2][0].push("orders".into());
        assert_eq!(both.said("orders", 1).map(|said| said.choice), Some(0));
        assert_eq!(both.said("orders", 0).map(|said| said.choice), Some(2));
        let said = both.said("my order", 0);
        assert_eq!(said, Some(Said { choice: 0, language: 1, phrase: 1 }));
        assert_eq!(said.and_then(|said| both.phrase(said)), Some("my order"));
        assert_eq!(both.phrase(Said { choice: 9, language: 0, phrase: 0 }), None);
    }

    #[test]
    fn a_choice_without_keys_is_called_by_its_first_phrase() {
        assert_eq!(menu().choice_names().collect::<Vec<_>>(), ["1", "2", "人工"]);
        assert_eq!(menu().phrases_in(1).collect::<Vec<_>>(), ["Orders", "my order", "a person"]);
    }
}
