//! The diagnostics found so far, and the sentences that many checks share.

use lang_diagnostics::{Code, Diagnostic, Span};

/// Gathers diagnostics. Giving one returns nothing: the checker goes on with a broken value instead.
#[derive(Default)]
pub(crate) struct Problems {
    pub list: Vec<Diagnostic>,
}

impl Problems {
    pub fn give(&mut self, diagnostic: Diagnostic) {
        self.list.push(diagnostic);
    }

    /// `what` is understood by the parser and not compiled by this version. Nothing else is said about the construct.
    pub fn not_yet(&mut self, keyword: Span, what: &str) {
        self.give(
            Diagnostic::new(Code::NotYet, keyword, format!("{what} cannot be compiled yet"))
                .here("not yet")
                .help("leave it out for now; a later version will take it"),
        );
    }

    pub fn any_error(&self) -> bool {
        self.list.iter().any(Diagnostic::is_error)
    }
}

/// Names that are listed where none is near.
const NAMES_MAX: usize = 6;

/// Adds the nearest of the names that would have been right here as help, or else some of them. `form` has `{}` where
/// the name goes.
pub(crate) fn offer_nearest<'n>(
    diagnostic: Diagnostic,
    word: &str,
    names: impl IntoIterator<Item = &'n str>,
    form: &str,
) -> Diagnostic {
    let mut known: Vec<&str> = names.into_iter().collect();
    match nearest(word, known.iter().copied()) {
        Some(name) => {
            let span = diagnostic.span();
            diagnostic.help(format!("`{}`", form.replace("{}", &name))).edit(format!("write `{name}`"), span, name)
        }
        None if known.is_empty() => diagnostic.help("declare it, or leave it out"),
        None => {
            let more = if known.len() > NAMES_MAX { " and more" } else { "" };
            known.truncate(NAMES_MAX);
            diagnostic.help(format!("there is {}{more}", known.join(", ")))
        }
    }
}

/// The name that is nearest to a misspelt word; `None` when none is near enough to be meant.
pub(crate) fn nearest<'n>(word: &str, names: impl IntoIterator<Item = &'n str>) -> Option<String> {
    let mistakes_max = (word.chars().count() / 3).max(1);
    names
        .into_iter()
        .map(|name| (distance(word, name), name))
        .filter(|(distance, name)| *distance <= mistakes_max && *distance < name.chars().count())
        .min()
        .map(|(_, name)| name.to_owned())
}

/// Letters to add, leave out, replace or swap with their neighbour to come from one word to the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX / 2);
            let mut best = (at(&row, j) + usize::from(x != y)).min(at(&row, j + 1) + 1).min(at(&next, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                best = best.min(at(&before, j - 1) + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, expected) in [("", "", 0), ("main", "mian", 1), ("orders", "order", 1), ("closed", "close_day", 3)] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn only_what_is_near_is_offered() {
        assert_eq!(nearest("bilings", ["main", "billing", "person"]), Some("billing".into()));
        assert_eq!(nearest("xyz", ["main", "billing"]), None);
        assert_eq!(nearest("c", ["m"]), None);
    }
}
