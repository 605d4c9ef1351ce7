//! Words for a line of a test that does not hold: what it wanted, what came instead, and what may be the reason.

use runtime_contract::program::{Part, Place, ProgramMeta};
use runtime_contract::request::{Menu, Request};

use crate::plant::Plant;
use crate::transcript::{Line, What};

/// Keys of a menu that a hint lists.
const KEYS_SHOWN_MAX: usize = 12;

/// The first line that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Of the line; of the test itself when its lines hold and its call goes on.
    pub place: Place,
    pub expected: String,
    pub came: String,
    /// What may be the reason, the likeliest first.
    pub hints: Vec<String>,
}

/// A failure before its place is known.
#[derive(Debug)]
pub(crate) struct Difference {
    pub expected: String,
    pub came: String,
    pub hints: Vec<String>,
}

impl Difference {
    pub fn new(expected: impl Into<String>, came: impl Into<String>) -> Difference {
        Difference { expected: expected.into(), came: came.into(), hints: Vec::new() }
    }

    pub fn hint(mut self, hint: Option<String>) -> Difference {
        self.hints.extend(hint);
        self
    }

    pub fn at(self, place: Place) -> Failure {
        Failure { place, expected: self.expected, came: self.came, hints: self.hints }
    }
}

/// Why these keys do not choose anything in the dialogue that takes them now.
pub(crate) fn odd_keys(plant: &Plant, keys: &str) -> Option<String> {
    let Some(Request::Menu(menu)) = plant.request() else { return None };
    // One `press` may go through several menus.
    let begins = |choice: &str| {
        (1..=keys.len()).any(|n| keys.get(..n).is_some_and(|keys| Menu::takes(choice, keys)))
            || Menu::begins(choice, keys)
    };
    let fits = menu.choices.iter().any(|choice| begins(choice));
    let step = plant.step_name();
    (!fits).then(|| format!("the menu was in `{step}`; {keys} is not one of its keys, which are {}", keys_of(plant)))
}

/// Why these words do not choose anything in the menu that listens now.
pub(crate) fn odd_words(plant: &Plant, words: &str) -> Option<String> {
    let Some(Request::Menu(menu)) = plant.request() else { return None };
    let step = plant.step_name();
    let phrases = || listed(menu.phrases.iter().flatten().flatten().map(String::as_str));
    let fits = menu.said(words, 0).is_some();
    (!fits).then(|| format!("the menu was in `{step}`; “{words}” is none of its phrases, which are {}", phrases()))
}

/// `1, 2, 0` of the menu where the call is.
pub(crate) fn keys_of(plant: &Plant) -> String {
    match plant.request() {
        Some(Request::Menu(menu)) => listed(menu.choice_names()),
        _ => String::new(),
    }
}

fn listed<'t>(words: impl Iterator<Item = &'t str>) -> String {
    let words: Vec<&str> = words.take(KEYS_SHOWN_MAX + 1).collect();
    let more = if words.len() > KEYS_SHOWN_MAX { " …" } else { "" };
    let shown: Vec<&str> = words.into_iter().take(KEYS_SHOWN_MAX).collect();
    format!("{}{more}", shown.join(", "))
}

/// Why a text may not have been heard since line `from` of the transcript.
pub(crate) fn unheard(plant: &Plant, text: &str, from: usize) -> Option<String> {
    let heard = |line: &Line| match &line.what {
        What::Hears { text, .. } => Some(text.clone()),
        _ => None,
    };
    let (before, since) = plant.transcript.split_at_checked(from)?;
    if let Some(like) = since.iter().filter_map(heard).find(|heard| plain(heard).contains(&plain(text))) {
        return Some(format!("only blanks or capitals differ from “{like}”"));
    }
    if before.iter().filter_map(heard).any(|heard| heard.contains(text)) {
        return Some("the caller heard it before; `hears` looks behind the last `hears` and the last key".to_owned());
    }
    let call = plant.transcript.iter().rev().find_map(|line| match &line.what {
        What::Hears { language, .. } => Some(language.clone()),
        _ => None,
    })?;
    let other = language_of(plant.meta(), text)?;
    (other != call).then(|| format!("this text is `{other}`, and the caller hears `{call}`"))
}

/// The language of the first prompt that holds this text in one piece.
fn language_of<'m>(meta: &'m ProgramMeta, text: &str) -> Option<&'m str> {
    let holds = |part: &Part| matches!(part, Part::Literal(literal) if literal.contains(text));
    meta.prompts.iter().filter(|prompt| prompt.texts.len() > 1).find_map(|prompt| {
        let at = prompt.texts.iter().position(|said| said.parts.iter().any(holds))?;
        meta.languages.get(at).map(String::as_str)
    })
}

fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}
