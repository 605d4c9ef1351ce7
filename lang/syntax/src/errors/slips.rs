//! Slips that have a code of their own or an obvious repair: signs of another keyboard, an hour of one figure, `=` for
//! `==`, another arrow, outcomes without their comma, `else` among outcomes.

use lang_diagnostics::{Code, Diagnostic};

use super::Part;
use crate::grammar::Context;
use crate::tokens::TokenKind;

/// Outcomes of dialogues, which carry nothing.
const OUTCOMES: [&str; 4] = ["silence", "other", "invalid", "rejected"];

/// Signs of a Chinese keyboard, and what was meant; figures are reckoned.
const FULL_WIDTH: [(char, char); 13] = [
    ('，', ','),
    ('：', ':'),
    ('（', '('),
    ('）', ')'),
    ('｛', '{'),
    ('｝', '}'),
    ('＝', '='),
    ('＞', '>'),
    ('＜', '<'),
    ('“', '"'),
    ('”', '"'),
    ('。', '.'),
    ('、', ','),
];

fn narrow(sign: char) -> Option<char> {
    let figure = || char::from_digit((sign as u32).checked_sub('０' as u32)?, 10);
    FULL_WIDTH.iter().find(|(wide, _)| *wide == sign).map(|(_, meant)| *meant).or_else(figure)
}

impl Part<'_, '_> {
    pub(super) fn full_width_sign(&self) -> Option<Diagnostic> {
        let all = self.full_width_signs();
        let (start, sign, meant) = *all.iter().find(|(start, sign, _)| start + sign.len_utf8() > self.failed_at)?;
        let end = start + sign.len_utf8();
        let span = self.span(start, end);
        let message = format!("`{sign}` is the full-width form of `{meant}`");
        let mut problem = Diagnostic::new(Code::UnexpectedWord, span, message);
        if self.reads(&self.replaced(start, end, "")) {
            return Some(problem.help("leave it out").edit("leave it out", span, ""));
        }
        problem = problem.help(format!("`{meant}`"));
        let mut repaired = self.text.to_owned();
        for (start, sign, meant) in all.iter().rev() {
            let end = start + sign.len_utf8();
            problem = problem.edit("write the narrow signs", self.span(*start, end), *meant);
            repaired.replace_range(*start..end, &meant.to_string());
        }
        Some(problem.certain_if(self.reads(&repaired)))
    }

    /// Where they stand; what lies between full-width quotes is text and keeps its signs.
    fn full_width_signs(&self) -> Vec<(usize, char, char)> {
        let mut quoted = false;
        let signs = self.tokens.iter().filter_map(|token| {
            let sign = self.text.get(token.start..)?.chars().next()?;
            let meant = narrow(sign)?;
            let inside = quoted && meant != '"';
            quoted ^= meant == '"';
            (!inside).then_some((token.start, sign, meant))
        });
        signs.collect()
    }

    /// `1 -> continue`
    pub(super) fn another_arrow(&self) -> Option<Diagnostic> {
        let (_, token) = self.failed().filter(|(_, token)| matches!(self.word(token), "->" | "=" | ":" | ">" | "→"))?;
        let is_close = |place: Option<char>| place.is_some_and(|sign| !sign.is_whitespace());
        let (before, behind) = (self.text.get(..token.start)?, self.text.get(token.end..)?);
        let before = if is_close(before.chars().next_back()) { " " } else { "" };
        let behind = if is_close(behind.chars().next()) { " " } else { "" };
        let arrow = format!("{before}=>{behind}");
        let repaired = self.replaced(token.start, token.end, &arrow);
        if !self.reads(&repaired) {
            return None;
        }
        let (span, sign) = (self.span(token.start, token.end), self.word(token));
        let message = format!("`=>` leads to what happens, and not `{sign}`");
        let problem = Diagnostic::new(Code::UnexpectedWord, span, message);
        Some(problem.help(format!("`{repaired}`")).edit("write the arrow", span, arrow))
    }

    /// `9:00..18:00`: hours have two figures.
    pub(super) fn short_hour(&self) -> Option<Diagnostic> {
        let numbers = self.tokens.iter().filter(|token| token.kind == TokenKind::Number);
        let is_short = |word: &str| {
            let (hour, rest) = word.split_once(':').unwrap_or_default();
            hour.len() == 1 && rest.len() == 2 && (hour.to_owned() + rest).bytes().all(|sign| sign.is_ascii_digit())
        };
        let short: Vec<_> = numbers.filter(|token| is_short(self.word(token))).collect();
        let first = short.first()?;
        let repaired = short.iter().rev().fold(self.text.to_owned(), |mut text, token| {
            text.insert(token.start, '0');
            text
        });
        if !self.reads(&repaired) {
            return None;
        }
        let message = format!("`{}` is written with two figures for the hour", self.word(first));
        let problem = Diagnostic::new(Code::BadLiteral, self.span(first.start, first.end), message);
        let problem = problem.help(format!("`{repaired}`"));
        Some(short.iter().fold(problem, |problem, token| {
            problem.edit("write the hour so", self.span(token.start, token.start), "0")
        }))
    }

    /// `if caller.language = en {`
    pub(super) fn equals_in_condition(&self) -> Option<Diagnostic> {
        let (_, token) = self.failed().filter(|(_, token)| self.word(token) == "=")?;
        let repaired = self.replaced(token.start, token.end, "==");
        if !self.reads(&repaired) {
            return None;
        }
        let span = self.span(token.start, token.end);
        let problem = Diagnostic::new(Code::UnexpectedWord, span, "`=` gives a name its value, and `==` compares");
        Some(problem.help(format!("`{repaired}`")).edit("compare", span, "=="))
    }

    /// `silence other => …`
    pub(super) fn outcomes_without_comma(&self) -> Option<Diagnostic> {
        let (index, token) = self.failed()?;
        let before = self.tokens.get(index.checked_sub(1)?)?;
        let (outcome, other) = (self.word(before), self.word(token));
        let repaired = self.replaced(before.end, before.end, ",");
        if !OUTCOMES.contains(&outcome) || !OUTCOMES.contains(&other) || !self.reads(&repaired) {
            return None;
        }
        let message = format!("`{outcome}` carries nothing that `{other}` could name");
        let problem = Diagnostic::new(Code::PayloadOnPlainOutcome, self.span(before.start, token.end), message);
        let behind = self.span(before.end, before.end);
        Some(problem.help(format!("`{outcome}, {other}`")).edit("write the comma", behind, ","))
    }

    /// `else => …` in a dialogue.
    pub(super) fn else_among_outcomes(&self) -> Option<Diagnostic> {
        let (_, token) = self.failed().filter(|(index, token)| *index == 0 && self.word(token) == "else")?;
        let repaired = self.replaced(token.start, token.end, "silence");
        if self.line.context != Some(Context::Dialogue) || !self.reads(&repaired) {
            return None;
        }
        let message = "arms of outcomes name each of them, so that none is forgotten";
        let problem = Diagnostic::new(Code::ElseInOutcomeArms, self.span(token.start, token.end), message);
        Some(problem.help("name each outcome: `silence`, and `other` in a `menu` or `invalid` in an `ask`"))
    }

    /// `press 1 => …`: a choice begins with its key.
    pub(super) fn word_before_key(&self) -> Option<Diagnostic> {
        const WORDS: [&str; 8] = ["press", "key", "dtmf", "digit", "button", "option", "choice", "case"];
        let [word, key, ..] = self.tokens.as_slice() else { return None };
        let is_slip = self.line.context == Some(Context::Dialogue) && WORDS.contains(&self.word(word));
        let repaired = self.text.get(key.start..).filter(|rest| is_slip && self.reads(rest))?;
        let is_key = self.word(key).chars().all(|sign| sign.is_ascii_digit() || matches!(sign, '*' | '#'));
        let span = self.span(word.start, key.start);
        let message = format!("a choice begins with its key, without `{}`", self.word(word));
        let problem = Diagnostic::new(Code::UnexpectedWord, self.span(word.start, word.end), message);
        is_key.then(|| problem.help(format!("`{repaired}`")).edit("leave the word out", span, "").certain())
    }

    /// `'1' => …`
    pub(super) fn quoted_key(&self) -> Option<Diagnostic> {
        let [open, key, close, ..] = self.tokens.as_slice() else { return None };
        let (start, end) = (open.start, close.end);
        let is_slip = self.line.context == Some(Context::Dialogue) && self.word(open) == "'" && self.word(close) == "'";
        let repaired = self.replaced(start, end, self.word(key));
        let is_key = self.word(key).bytes().all(|sign| sign.is_ascii_digit() || matches!(sign, b'*' | b'#'));
        if !is_slip || !is_key || !self.reads(&repaired) {
            return None;
        }
        let span = self.span(start, end);
        let problem = Diagnostic::new(Code::UnexpectedWord, span, "a key stands without quotes");
        Some(problem.help(format!("`{repaired}`")).edit("leave the quotes out", span, self.word(key)).certain())
    }

    /// `"{n + "4"}"`: the quote inside the hole ends the text.
    pub(super) fn text_inside_hole(&self) -> Option<Diagnostic> {
        let (index, token) = self.failed()?;
        let texts = self.tokens.get(..index)?.iter().rfind(|token| token.kind == TokenKind::Text)?;
        let written = self.word(texts);
        let hole = written.rfind('{')?;
        if written.get(hole..)?.contains('}') || texts.end < token.start {
            return None;
        }
        let last = self.tokens.iter().rfind(|token| token.kind == TokenKind::Text)?;
        let span = self.span(texts.end - 1, last.start.max(texts.end - 1) + 1);
        let problem = Diagnostic::new(Code::UnexpectedWord, span, "a `\"` inside a hole ends the text");
        Some(problem.help("name the value above with `let`, and write its name into the hole"))
    }

    /// `let p = Person { name: "Ann" }`
    pub(super) fn record_in_braces(&self) -> Option<Diagnostic> {
        let (index, token) = self.failed().filter(|(_, token)| token.kind == TokenKind::Open)?;
        let name = self.tokens.get(index.checked_sub(1)?).filter(|before| before.kind == TokenKind::Word)?;
        let begins = self.word(name).starts_with(char::is_uppercase);
        if !begins || !self.reads(self.text.get(..token.start)?.trim_end()) {
            return None;
        }
        let message = format!("a `{}` is built with round brackets", self.word(name));
        let problem = Diagnostic::new(Code::UnexpectedWord, self.span(token.start, token.end), message);
        Some(problem.help("write `(` and `)` for the braces, and commas between the fields"))
    }
}
