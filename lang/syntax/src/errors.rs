//! What is wrong with a line that the grammar does not read: worded from the line's verb, with a repair that reads.
//!
//! Each repair is tried: it is offered only where the repaired line reads.

pub(crate) mod actions;
pub(crate) mod foreign;
mod slips;

use lang_diagnostics::{Code, Diagnostic, FileId, Span, nearest};

use crate::grammar::{Context, Rule, parse_all};
use crate::tokens::{Token, TokenKind, scan};

/// Reserved words are never names ("Lines and words" 7).
const RESERVED: [&str; 32] = [
    "and", "or", "not", "is", "in", "as", "some", "none", "true", "false", "else", "then", "if", "unless", "match",
    "let", "for", "repeat", "private", "step", "finally", "fault", "go", "run", "again", "continue", "return",
    "answer", "reject", "hang", "stop", "say",
];

/// A line that does not read, or the part of one up to a block.
pub(crate) struct BrokenLine<'t> {
    pub file: FileId,
    pub context: Option<Context>,
    pub rule: Rule,
    /// With comments and inner newlines blanked.
    pub text: &'t str,
    /// The same bytes as written.
    pub written: &'t str,
    /// Where it begins in the file.
    pub base: usize,
}

/// An `else` behind something that has no other branch.
pub(crate) fn idle_else(keyword: Span) -> Diagnostic {
    Diagnostic::new(Code::UnexpectedWord, keyword, "there is no other branch here")
        .help("leave it out; a second `if` may ask for the opposite")
}

pub(crate) fn line_error(line: &BrokenLine, failed_at: usize) -> Diagnostic {
    let (text, failed_at) = line.first_broken_part(failed_at);
    let part = Part { line, text, failed_at, tokens: scan(text).tokens };
    if let Some(problem) = part.ends_before_next_row() {
        return problem;
    }
    part.doubled_brace()
        .or_else(|| part.bad_unit())
        .or_else(|| part.full_width_sign())
        .or_else(|| part.bad_language_tag())
        .or_else(|| part.short_hour())
        .or_else(|| part.else_among_outcomes())
        .or_else(|| part.outcomes_without_comma())
        .or_else(|| part.name_without_let())
        .or_else(|| part.action_of_another_system())
        .or_else(|| part.equals_in_condition())
        .or_else(|| part.another_arrow())
        .or_else(|| part.word_before_key())
        .or_else(|| part.quoted_key())
        .or_else(|| part.text_inside_hole())
        .or_else(|| part.record_in_braces())
        .or_else(|| part.reserved_word_as_name())
        .or_else(|| part.comma_between_actions())
        .or_else(|| part.text_after_else())
        .or_else(|| part.two_on_one_line())
        .or_else(|| part.is_before_value())
        .unwrap_or_else(|| part.unexpected_word())
}

impl<'t> BrokenLine<'t> {
    /// Where the last lines of several read on their own, only what stands before them is broken.
    fn first_broken_part(&self, failed_at: usize) -> (&'t str, usize) {
        for (newline, _) in self.written.match_indices('\n') {
            let rest = self.text.get(newline..).unwrap_or("").trim();
            if parse_all(self.rule, rest).is_ok() {
                let first = self.text.get(..newline).unwrap_or("").trim_end();
                let failed_at = parse_all(self.rule, first).err().unwrap_or(first.len());
                return (first, failed_at);
            }
        }
        (self.text, failed_at)
    }
}

struct Part<'l, 't> {
    line: &'l BrokenLine<'t>,
    text: &'t str,
    failed_at: usize,
    tokens: Vec<Token>,
}

impl<'t> Part<'_, 't> {
    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.line.file, (self.line.base + start) as u32, (self.line.base + end) as u32)
    }

    fn word(&self, token: &Token) -> &'t str {
        self.text.get(token.start..token.end).unwrap_or("")
    }

    fn reads(&self, text: &str) -> bool {
        parse_all(self.line.rule, text).is_ok()
    }

    fn replaced(&self, start: usize, end: usize, by: &str) -> String {
        format!("{}{by}{}", self.text.get(..start).unwrap_or(""), self.text.get(end..).unwrap_or(""))
    }

    /// The token at which reading failed; none at the end.
    fn failed(&self) -> Option<(usize, &Token)> {
        self.tokens.iter().enumerate().find(|(_, token)| token.end > self.failed_at)
    }

    /// Where the first word of a further row does not fit, it is the row before that is not finished.
    fn ends_before_next_row(&self) -> Option<Diagnostic> {
        let (index, token) = self.failed()?;
        let before = index.checked_sub(1).and_then(|index| self.tokens.get(index))?;
        if !self.line.written.get(before.end..token.start)?.contains('\n') {
            return None;
        }
        let span = self.span(before.start, before.end);
        let next = shortened(self.word(token));
        let first_rows = self.text.get(..before.end)?;
        if before.kind == TokenKind::Text && self.reads(&self.replaced(before.start, before.start, "xx ")) {
            let problem = Diagnostic::new(Code::BadLanguageTag, span, "this text does not say its language");
            return Some(
                problem.here(format!("the one below it is for `{next}`")).help(format!("`zh {}`", self.word(before))),
            );
        }
        if self.reads(first_rows) {
            return None;
        }
        let problem = Diagnostic::new(Code::UnexpectedWord, span, "the line ends too early");
        let context = self.line.context.unwrap_or(Context::Statements);
        let example = self.verb_before(context).map_or(context.example(), |(_, example)| example);
        Some(problem.here(format!("`{next}` on the next line does not go on from here")).help(format!("`{example}`")))
    }

    fn doubled_brace(&self) -> Option<Diagnostic> {
        let first = self.tokens.first().filter(|token| token.kind == TokenKind::Open)?;
        let span = self.span(first.start, first.end);
        let problem = Diagnostic::new(Code::UnclosedBrace, span, "this `{` is one too many");
        Some(problem.help("leave it out").edit("leave the brace out", span, ""))
    }

    fn bad_unit(&self) -> Option<Diagnostic> {
        for (index, token) in self.tokens.iter().enumerate().filter(|(_, token)| token.kind == TokenKind::Number) {
            let written = self.word(token);
            let figures = written.find(|sign: char| sign.is_alphabetic()).unwrap_or(written.len());
            let (figure, mut unit) = written.split_at_checked(figures)?;
            let mut end = token.end;
            let next = self.tokens.get(index + 1).filter(|next| next.kind == TokenKind::Word);
            if unit.is_empty()
                && let Some(next) = next
                && next.start >= self.failed_at
            {
                unit = self.word(next);
                end = next.end;
                if meant_unit(unit).is_none() {
                    continue;
                }
            }
            if unit.is_empty() || is_duration(written) {
                continue;
            }
            let span = self.span(token.start, end);
            let is_currency = unit.len() == 3 && unit.bytes().all(|byte| byte.is_ascii_uppercase());
            let right = match meant_unit(unit) {
                Some(right) => format!("{figure}{right}"),
                None if is_currency => format!("{figure} {unit}"),
                None => {
                    let problem = Diagnostic::new(Code::BadUnit, span, format!("`{unit}` is no unit"));
                    return Some(problem.help("`800ms`, `15s`, `3m`, `4h`, `1d`, `80%` or `12.50 USD`"));
                }
            };
            let problem = Diagnostic::new(Code::BadUnit, span, format!("`{unit}` is not how this unit is written"));
            return Some(problem.help(format!("`{right}`")).edit("write the unit so", span, right).certain());
        }
        None
    }

    /// A word before a text where a language is meant: `EN "…"`, `zh_CN "…"`, `english "…"`.
    fn bad_language_tag(&self) -> Option<Diagnostic> {
        let (index, token) = self.failed().filter(|(_, token)| token.kind == TokenKind::Word)?;
        let before = index.checked_sub(1).and_then(|index| self.tokens.get(index));
        let first = self.tokens.first().map_or("", |first| self.word(first));
        let mut last = index;
        while self.tokens.get(last + 1).is_some_and(|sign| self.word(sign) == "-") {
            last += 2;
        }
        let end = self.tokens.get(last)?.end;
        let text_follows = self.tokens.get(last + 1).is_some_and(|next| next.kind == TokenKind::Text);
        let after_verb = before.is_none_or(|before| {
            before.kind == TokenKind::Text
                || ["say", "whisper", "reprompt", "confirm", "thank"].contains(&self.word(before))
        });
        let in_list = first == "languages" && index > 0;
        if !(in_list || (text_follows && after_verb))
            || (before.is_none() && self.line.context != Some(Context::Prompt))
        {
            return None;
        }
        let written = self.text.get(token.start..end)?;
        let mut subtags = written.split(['-', '_']);
        // `EN` and `zh_CN` are tags that are written otherwise; `english` is a word that may mean one.
        let is_tag = subtags.clone().next().is_some_and(|language| language.len() <= 3);
        let right = match subtags.next().unwrap_or("").to_lowercase() {
            language if language.len() > 3 => language.get(..2)?.to_owned(),
            language => std::iter::once(language).chain(subtags.map(str::to_owned)).collect::<Vec<_>>().join("-"),
        };
        if !self.reads(&self.replaced(token.start, end, &right)) || RESERVED.contains(&written) {
            return None;
        }
        let span = self.span(token.start, end);
        let problem = Diagnostic::new(Code::BadLanguageTag, span, format!("`{written}` is not a language tag"));
        Some(problem.help(format!("`{right}`")).edit("write the tag so", span, right).certain_if(is_tag))
    }

    fn reserved_word_as_name(&self) -> Option<Diagnostic> {
        let (_, token) = self.failed().filter(|(_, token)| RESERVED.contains(&self.word(token)))?;
        let (word, end) = (self.word(token), token.end);
        let right = format!("{word}_");
        if !self.reads(&self.replaced(token.start, end, &right)) {
            return None;
        }
        let span = self.span(token.start, end);
        let problem = Diagnostic::new(
            Code::ReservedWordAsName,
            span,
            format!("`{word}` is a reserved word and cannot be a name"),
        );
        Some(problem.help(format!("`{right}`")).edit("choose another name", span, right))
    }

    fn comma_between_actions(&self) -> Option<Diagnostic> {
        let mut commas =
            self.tokens.iter().filter(|token| token.kind == TokenKind::Comma && token.start <= self.failed_at);
        let comma = commas.next_back()?;
        let repaired = self.replaced(comma.start, comma.end, " then");
        if !self.reads(&repaired) {
            return None;
        }
        let span = self.span(comma.start, comma.end);
        let problem = Diagnostic::new(Code::CommaBetweenActions, span, "a comma does not chain actions");
        Some(problem.help(format!("`{repaired}`")).edit("chain with `then`", span, " then").certain())
    }

    fn text_after_else(&self) -> Option<Diagnostic> {
        let (index, token) = self.failed()?;
        let before = self.tokens.get(..index)?;
        let otherwise = before.iter().rfind(|token| self.word(token) == "else")?;
        let first = self.text.get(..token.start)?.trim_end();
        let body = self.text.get(otherwise.end..token.start)?.trim();
        if body.is_empty() || !self.reads(first) {
            return None;
        }
        let rest = self.text.get(token.start..)?;
        let span = self.span(token.start, self.text.len());
        let problem =
            Diagnostic::new(Code::TextAfterElse, span, "the line ends after the one action or value of `else`");
        let head = self.text.get(..otherwise.end)?;
        let repaired = format!("{head} {{ {body} {rest} }}");
        let wrapped = format!("{head} {{");
        if rest.starts_with("then") && self.reads(&wrapped) {
            let opening = self.span(otherwise.end, otherwise.end);
            let end = self.text.trim_end().len();
            let problem = problem.help(format!("`{repaired}`")).edit("all of it happens otherwise", opening, " {");
            return Some(problem.edit("", self.span(end, end), " }"));
        }
        Some(problem.help(format!("`{first}`, and the rest on the next line")))
    }

    /// `if n is 3`: a value is compared, and `is` asks for a variant.
    fn is_before_value(&self) -> Option<Diagnostic> {
        let (index, token) = self.failed()?;
        let before = |by: usize| index.checked_sub(by).and_then(|index| self.tokens.get(index));
        let (first, sign) = match (before(2).map(|token| self.word(token)), self.word(before(1)?)) {
            (Some("is"), "not") => (before(2)?, "!="),
            (_, "is") => (before(1)?, "=="),
            _ => return None,
        };
        let place = first.start..before(1)?.end;
        let repaired = self.replaced(place.start, place.end, sign);
        if !self.reads(&repaired) {
            return None;
        }
        let word = shortened(self.word(token));
        let message = format!("`is` asks which one it is, and `{word}` is a value");
        let span = self.span(place.start, place.end);
        Some(
            Diagnostic::new(Code::UnexpectedWord, span, message)
                .help(format!("`{repaired}`"))
                .edit("compare it", span, sign)
                .certain(),
        )
    }

    fn two_on_one_line(&self) -> Option<Diagnostic> {
        let (failed, _) = self.failed()?;
        // There any name alone would read, as a value.
        let takes_statements =
            matches!(self.line.context, Some(Context::Flow | Context::Statements | Context::Arms) | None);
        // The furthest failure lies at the second statement, or a few words into it.
        let candidates = (failed.saturating_sub(3).max(1)..=failed).rev();
        for token in candidates.filter_map(|index| self.tokens.get(index)) {
            let (first, second) = (self.text.get(..token.start)?.trim_end(), self.text.get(token.start..)?);
            let chained = format!("{first} then {second}");
            let span = self.span(token.start, self.text.len());
            let here = self.span(token.start, token.start);
            if self.reads(&chained) && is_verb(self.word(token)) {
                let problem = Diagnostic::new(Code::MissingNewline, span, "two statements stand on one line");
                return Some(
                    problem
                        .here("the second begins here")
                        .help(format!("`{chained}`"))
                        .edit("chain them", here, "then ")
                        .certain(),
                );
            }
            if !takes_statements && token.kind == TokenKind::Word && self.reads(first) && self.reads(second) {
                let name = self.line.context.map_or("line", Context::line_name);
                let problem =
                    Diagnostic::new(Code::MissingNewline, span, format!("two of what should be one {name} a line"));
                return Some(
                    problem.here("the second begins here").help(format!("`{first}`, and `{second}` on the next line")),
                );
            }
        }
        None
    }

    fn unexpected_word(&self) -> Diagnostic {
        let context = self.line.context.unwrap_or(Context::Statements);
        let first = self.tokens.first().map_or("", |first| self.word(first));
        let forms = context.forms();
        let known = self.verb_before(context);
        let failed = self.failed().map(|(index, token)| (index, self.word(token), token));
        let at_start = failed.is_none_or(|(index, ..)| index == 0) || known.is_none();
        let arrow = self.tokens.iter().any(|token| token.kind == TokenKind::Arrow);
        if at_start && !arrow && !forms.is_empty() && !forms.iter().any(|(word, _)| *word == first) {
            return self.unknown_start(context, first);
        }
        let example = known.map_or(context.example(), |(_, example)| example);
        let (span, message) = match failed {
            Some((_, word, token)) => {
                (self.span(token.start, token.end), format!("`{}` cannot stand here", shortened(word)))
            }
            None => (self.span(self.text.len(), self.text.len()), "the line ends too early".to_owned()),
        };
        let here = known.map_or(String::new(), |(verb, _)| format!("a line with `{verb}` does not read so"));
        Diagnostic::new(Code::UnexpectedWord, span, message).here(here).help(format!("`{example}`"))
    }

    fn unknown_start(&self, context: Context, first: &str) -> Diagnostic {
        let end = self.tokens.first().map_or(0, |token| token.end);
        let span = self.span(0, end);
        if let Some(ours) = foreign::known_elsewhere(context, first) {
            return self.named_otherwise(context, first, ours);
        }
        let message = format!("`{}` begins no {}", shortened(first), context.line_name());
        let problem = Diagnostic::new(Code::UnexpectedWord, span, message);
        let meant = nearest(first, context.forms().iter().map(|(word, _)| *word));
        match meant.filter(|meant| self.reads(&self.replaced(0, end, meant))) {
            Some(meant) => problem.help(format!("`{}`", self.replaced(0, end, meant))).edit("write it so", span, meant),
            None => problem.help(format!("`{}`", context.example())),
        }
    }

    /// The line begins with a word of another system.
    fn named_otherwise(&self, context: Context, first: &str, ours: &'static str) -> Diagnostic {
        let end = self.tokens.first().map_or(0, |token| token.end);
        let span = self.span(0, end);
        let message = format!("`{}` begins no {}; here it is `{ours}`", shortened(first), context.line_name());
        let problem = Diagnostic::new(Code::UnexpectedWord, span, message);
        let repaired = self.replaced(0, end, ours);
        if self.reads(&repaired) {
            return problem.help(format!("`{repaired}`")).edit("write it so", span, ours);
        }
        problem.help(format!("`{}`", context.example_of(ours).unwrap_or(ours)))
    }

    /// The verb that governs the place: the last known word behind the beginning, `=>`, `then` or `else`.
    fn verb_before(&self, context: Context) -> Option<(&'static str, &'static str)> {
        let mut verb = None;
        let mut at_start = true;
        for token in self.tokens.iter().take_while(|token| token.start <= self.failed_at) {
            let word = self.word(token);
            if at_start {
                let forms = if verb.is_none() { context.forms() } else { Context::Statements.forms() };
                let forms = forms.iter().chain(Context::Statements.forms());
                verb = forms.copied().find(|(known, _)| *known == word).or(verb);
            }
            at_start = token.kind == TokenKind::Arrow || matches!(word, "then" | "else" | "=");
        }
        verb
    }
}

/// First words of statements, which may so begin a second one on a line.
fn is_verb(word: &str) -> bool {
    Context::Statements.forms().iter().any(|(verb, _)| *verb == word)
}

/// A word of the user as it stands in a message; nobody reads the end of a very long one.
fn shortened(word: &str) -> String {
    const CHARS_MAX: usize = 40;
    let mut short: String = word.chars().take(CHARS_MAX).collect();
    if short.len() < word.len() {
        short.push('…');
    }
    short
}

fn is_duration(text: &str) -> bool {
    let mut rest = text;
    while !rest.is_empty() {
        let behind = rest.trim_start_matches(|sign: char| sign.is_ascii_digit() || sign == '_');
        let unit = ["ms", "s", "m", "h", "d"].into_iter().find_map(|unit| {
            let next = behind.strip_prefix(unit)?;
            next.chars().next().is_none_or(|sign| sign.is_ascii_digit()).then_some(next)
        });
        match unit {
            Some(next) if behind.len() < rest.len() => rest = next,
            _ => return false,
        }
    }
    true
}

fn meant_unit(unit: &str) -> Option<&'static str> {
    Some(match unit.to_lowercase().as_str() {
        "ms" | "msec" | "millis" | "毫秒" => "ms",
        "s" | "sec" | "secs" | "second" | "seconds" | "秒" => "s",
        "m" | "min" | "mins" | "minute" | "minutes" | "分" | "分钟" => "m",
        "h" | "hr" | "hrs" | "hour" | "hours" | "小时" => "h",
        "d" | "day" | "days" | "天" => "d",
        "percent" => "%",
        _ => return None,
    })
}
