//! A counter-example: how a call, or a value, comes to the place of a problem. It knows places and words, not what a
//! flow is.

use crate::{Sources, Span};

/// What happens on the way, in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Way {
    /// What comes how, as `a call comes here so`.
    pub lead: String,
    pub turns: Vec<Turn>,
}

/// One thing on a way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Turn {
    pub kind: TurnKind,
    /// A name, or words in which each `…` stands for one of `quotes`.
    pub text: String,
    /// Where it is written.
    pub span: Span,
    pub quotes: Vec<Span>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TurnKind {
    /// A step, a flow or a name is come to.
    Enters,
    /// The caller or the world does something.
    Happens,
}

/// Characters of a quoted text; a longer one stays `…`.
const QUOTE_MAX: usize = 60;

impl Turn {
    pub fn enters(name: &str, span: Span) -> Self {
        Turn { kind: TurnKind::Enters, text: name.to_owned(), span, quotes: Vec::new() }
    }

    pub fn happens(text: impl Into<String>, span: Span) -> Self {
        Turn { kind: TurnKind::Happens, text: text.into(), span, quotes: Vec::new() }
    }

    /// The next `…` is what is written there, up to the `=>` of an arm.
    pub fn quoting(mut self, span: Span) -> Self {
        self.quotes.push(span);
        self
    }

    /// In words.
    pub fn words(&self, sources: &Sources) -> String {
        let mut words = String::new();
        let mut quotes = self.quotes.iter();
        for (at, part) in self.text.split('…').enumerate() {
            if at > 0 {
                words.push_str(&quotes.next().and_then(|quote| quoted(*quote, sources)).unwrap_or("…".to_owned()));
            }
            words.push_str(part);
        }
        words
    }
}

/// What is written there as one line, unless it is long.
fn quoted(span: Span, sources: &Sources) -> Option<String> {
    let text = sources.slice(span);
    let text = text.split_once("=>").map_or(text, |(pattern, _)| pattern).trim();
    let is_short = !text.contains('\n') && !text.contains('`') && text.chars().count() <= QUOTE_MAX;
    (is_short && !text.is_empty()).then(|| text.to_owned())
}

impl Way {
    /// As one sentence: ``a call comes here so: the caller presses 2 in `main`, on to `closed` ``; names alone are
    /// chained by arrows.
    pub fn sentence(&self, sources: &Sources) -> String {
        if self.turns.iter().all(|turn| turn.kind == TurnKind::Enters) {
            let names: Vec<&str> = self.turns.iter().map(|turn| turn.text.as_str()).collect();
            return format!("{}: `{}`", self.lead, names.join("` → `"));
        }
        let mut parts: Vec<String> = Vec::new();
        let mut turns = self.turns.iter().peekable();
        let mut place = None;
        while let Some(turn) = turns.peek() {
            if turn.kind == TurnKind::Enters {
                place = Some(&turn.text);
                turns.next();
            }
            let mut happens = Vec::new();
            while let Some(turn) = turns.next_if(|turn| turn.kind == TurnKind::Happens) {
                happens.push(turn.words(sources));
            }
            parts.push(match (happens.is_empty(), place) {
                (true, Some(place)) => format!("on to `{place}`"),
                (false, Some(place)) => format!("{} in `{place}`", happens.join(" and ")),
                (_, None) => happens.join(" and "),
            });
        }
        format!("{}: {}", self.lead, parts.join(", "))
    }
}
