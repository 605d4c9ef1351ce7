//! An action in the words of another system, or of a programmer, and the same action in ours. Of steps, flows and
//! numbers it knows only how they are written.

use lang_diagnostics::{Code, Diagnostic};

use super::foreign::known_elsewhere;
use super::{Part, RESERVED};
use crate::grammar::{Context, Rule, parse_all};
use crate::tokens::{Token, TokenKind};

/// Verbs of ours that are also written with a capital, with brackets or without their second word.
const OWN: [(&str, &str); 10] = [
    ("answer", "answer"),
    ("connect", "connect to"),
    ("go", "go"),
    ("note", "note"),
    ("play", "play"),
    ("reject", "reject"),
    ("run", "run"),
    ("say", "say"),
    ("set", "let"),
    ("transfer", "transfer to"),
];

/// What was written where an action of ours was meant.
pub(crate) struct Elsewhere<'t> {
    word: &'t str,
    /// The words with which ours begins.
    ours: &'static str,
    /// The whole action in our words, if they can be told from what was written. It may not read yet.
    action: Option<String>,
}

/// `text` is one action; `is_followed` says that `else` or a block stands behind it.
pub(crate) fn elsewhere(text: &str, is_followed: bool) -> Option<Elsewhere<'_>> {
    let text = text.trim().trim_end_matches(';');
    let (word, rest) = text.split_at_checked(text.find(|sign| !is_of_name(sign)).unwrap_or(text.len()))?;
    let rest = rest.trim();
    if rest.starts_with(['.', '=', '[', ':']) {
        return None;
    }
    let in_brackets = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    let ours = known_elsewhere(Context::Statements, word).or_else(|| own(word, rest, in_brackets.is_some()))?;
    let action = in_ours(ours, word, in_brackets.unwrap_or(rest).trim(), is_followed);
    Some(Elsewhere { word, ours, action })
}

fn is_of_name(sign: char) -> bool {
    sign.is_alphanumeric() || sign == '_'
}

fn own(word: &str, rest: &str, has_brackets: bool) -> Option<&'static str> {
    let small = word.to_lowercase();
    let (verb, ours) = OWN.iter().find(|(verb, _)| *verb == small)?;
    let lacks_to = ours.ends_with(" to") && !rest.is_empty() && !rest.starts_with("to");
    (*verb != word || has_brackets || lacks_to).then_some(*ours)
}

fn in_ours(ours: &str, word: &str, argument: &str, is_followed: bool) -> Option<String> {
    let plain = argument.trim_matches(['"', '\'']);
    let is_number = !argument.is_empty() && argument.bytes().all(|sign| sign.is_ascii_digit());
    Some(match ours {
        "hang up" | "answer" => ours.to_owned(),
        "reject" if ["busy", "congestion"].contains(&word.to_lowercase().as_str()) => "reject busy".to_owned(),
        "reject" => ours.to_owned(),
        "go" => format!("go {plain}"),
        "run" if plain.ends_with(')') => format!("run {plain}"),
        "run" => format!("run {plain}()"),
        "wait" if is_number => format!("wait {argument}s"),
        "repeat" if is_number && is_followed => format!("repeat {argument} times"),
        "connect to" | "transfer to" => {
            let other = if is_followed { "" } else { " else hang up" };
            format!("{ours} {}{other}", destination(argument)?)
        }
        "note" if !argument.contains('=') => format!("note log = {argument}"),
        "let" => {
            let (name, value) = argument.split_once('=')?;
            format!("let {} = {}", name.trim(), value.trim())
        }
        "match" | "if" | "for each" if !is_followed => return None,
        "say" | "play" | "wait" | "note" | "match" | "if" | "for each" => format!("{ours} {argument}"),
        _ => return None,
    })
}

/// A number without its quotes, an extension, a trunk's way of writing one (`SIP/100`), or a name.
fn destination(argument: &str) -> Option<String> {
    let first = argument.split(',').next()?.trim();
    if first.starts_with('"') {
        return Some(argument.to_owned());
    }
    let bare = first.rsplit('/').next()?.split('@').next()?;
    let is_dialled = |sign: char| sign.is_ascii_digit() || matches!(sign, ' ' | '-' | '*' | '#');
    match bare.strip_prefix('+') {
        Some(rest) if rest.chars().all(is_dialled) => Some(format!("\"{bare}\"")),
        Some(_) => None,
        None if bare.starts_with(|sign: char| sign.is_ascii_digit()) && bare.chars().all(is_dialled) => {
            Some(format!("extension \"{bare}\""))
        }
        None => Some(argument.to_owned()),
    }
}

impl Elsewhere<'_> {
    /// The action in our words, if it reads alone.
    pub fn action(&self) -> Option<&str> {
        self.action.as_deref().filter(|action| parse_all(Rule::one_statement, action).is_ok())
    }

    pub fn message(&self) -> String {
        let (word, ours) = (self.word, self.ours);
        match ours.split(' ').next() {
            Some(verb) if verb == ours && verb == word => format!("`{word}` is written without brackets"),
            Some(verb) if verb == ours && verb == word.to_lowercase() => format!("`{word}` is written `{ours}`"),
            _ => format!("`{word}` begins no statement; here it is `{ours}`"),
        }
    }

    /// What to do where no line can be shown that would compile.
    pub fn in_words(&self) -> &'static str {
        match self.ours {
            "ask" => "a `let` with `ask` waits for keys and names them; the manual's chapter on `ask` shows it whole",
            "match" => "`match` takes the value, and in braces an arm on each line",
            "repeat" => "`repeat` says how many times, and its lines stand in braces",
            "for each" => "`for each` names the row and the list, and its lines stand in braces",
            "if" => "`if` takes the condition, and what happens then stands in braces",
            "go" => "`go` and the name of a step",
            "run" => "`run` and the name of a flow, with its brackets",
            "let" => "`let`, a name, and behind `=` its value",
            "note" => "`note outcome = \"served\"`",
            "wait" => "`wait 2s`",
            "say" => "`say \"Welcome.\"`",
            "play" => "`play` and the name of a prompt; words in place are said by `say`",
            "connect to" => "`connect to \"+44 20 7946 0000\" else hang up`",
            "transfer to" => "`transfer to \"+44 20 7946 0000\" else hang up`",
            _ => "leave it out for now; a later version will take it",
        }
    }
}

impl Part<'_, '_> {
    /// `sleep 5`, `1 => goto main`, `Hangup()`
    pub(super) fn action_of_another_system(&self) -> Option<Diagnostic> {
        let (failed, _) = self.failed().unwrap_or((self.tokens.len(), self.tokens.last()?));
        (0..=failed).rev().filter(|index| self.begins_action(*index)).find_map(|index| {
            let token = self.tokens.get(index)?;
            let behind = self.tokens.get(index + 1..)?;
            let next = self.action_end(behind);
            let end = next.map_or(self.text.len(), |next| next.start);
            let written = self.text.get(token.start..end)?.trim_end();
            let found = elsewhere(written, next.is_some_and(|next| self.word(next) != "then"))?;
            let span = self.span(token.start, token.end);
            let problem = Diagnostic::new(Code::UnexpectedWord, span, found.message());
            let whole = (token.start, token.start + written.len());
            let repaired = found.action.as_ref().map(|action| (self.replaced(whole.0, whole.1, action), action));
            match repaired.filter(|(repaired, _)| self.reads(repaired)) {
                Some((repaired, action)) => {
                    let place = self.span(whole.0, whole.1);
                    Some(problem.help(format!("`{}`", repaired.trim())).edit("write it so", place, action))
                }
                // What fails further on is another mistake.
                None => (failed <= index + 1).then(|| problem.help(found.in_words())),
            }
        })
    }

    fn begins_action(&self, index: usize) -> bool {
        let Some(before) = index.checked_sub(1).and_then(|before| self.tokens.get(before)) else {
            return self.is_statement();
        };
        before.kind == TokenKind::Arrow || matches!(self.word(before), "then" | "else")
    }

    fn is_statement(&self) -> bool {
        matches!(self.line.context, Some(Context::Flow | Context::Statements) | None)
    }

    /// What stands behind an action: `then`, `else` or a block.
    fn action_end<'s>(&self, behind: &'s [Token]) -> Option<&'s Token> {
        let mut depth = 0_i32;
        behind.iter().find(|token| {
            depth += i32::from(token.kind == TokenKind::Left) - i32::from(token.kind == TokenKind::Right);
            depth == 0 && (token.kind == TokenKind::Open || matches!(self.word(token), "then" | "else"))
        })
    }

    /// `x = 5`, `x: Int = 5`, `let x: Int = 5`, `name: Text` in a flow.
    pub(super) fn name_without_let(&self) -> Option<Diagnostic> {
        let has_let = self.tokens.first().is_some_and(|first| self.word(first) == "let");
        let mut rest = self.tokens.iter().skip(usize::from(has_let));
        let (name, sign) = (rest.next()?, rest.next()?);
        let is_colon = self.word(sign) == ":";
        let is_name = name.kind == TokenKind::Word && !RESERVED.contains(&self.word(name));
        if !self.is_statement() || !is_name || !(is_colon || (self.word(sign) == "=" && !has_let)) {
            return None;
        }
        let equals = if is_colon { rest.find(|token| self.word(token) == "=") } else { Some(sign) };
        let value = equals.and_then(|equals| self.text.get(equals.end..)).map(str::trim);
        let repaired = value.map(|value| format!("let {} = {value}", self.word(name)));
        let span = self.span(name.start, sign.end);
        if let (Some(repaired), Some(equals)) = (repaired.filter(|repaired| self.reads(repaired)), equals) {
            let first = self.tokens.first().map_or(0, |first| first.start);
            let message = if has_let { "a name has the type of its value" } else { "a name gets its value by `let`" };
            let head = format!("let {} =", self.word(name));
            let problem = Diagnostic::new(Code::UnexpectedWord, span, message).help(format!("`{repaired}`"));
            return Some(problem.edit("write it so", self.span(first, equals.end), head));
        }
        let action = self.text.get(sign.end..).map(str::trim).filter(|action| {
            // A word alone is a type.
            is_colon && !action.chars().all(is_of_name) && self.reads(action)
        });
        let (message, help) = match (is_colon, has_let, action) {
            (true, false, Some(_)) => {
                ("a place to which calls go is a `step`", "leave the name out, and put the lines into a `step`")
            }
            (true, true, _) => ("this name gets no value", "write `=` and its value; a name has the type of its value"),
            (true, false, None) => {
                let help = "leave it out: a value gets its name by `let`, and fields stand in a `type`";
                ("a flow declares no fields", help)
            }
            _ => return None,
        };
        Some(Diagnostic::new(Code::UnexpectedWord, span, message).help(help))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_of_other_systems_in_ours() {
        for (theirs, ours) in [
            ("sleep 5", "wait 5s"),
            ("Sleep(5)", "wait 5s"),
            ("dial +442079460001", "connect to \"+442079460001\" else hang up"),
            ("Dial(SIP/100,20)", "connect to extension \"100\" else hang up"),
            ("dial x", "connect to x else hang up"),
            ("hangup()", "hang up"),
            ("Hangup(16);", "hang up"),
            ("playback(\"Hello.\")", "say \"Hello.\""),
            ("say(\"Hello.\")", "say \"Hello.\""),
            ("goto(\"main\")", "go main"),
            ("gosub main", "run main()"),
            ("Answer()", "answer"),
            ("Set(x=5)", "let x = 5"),
            ("transfer \"+442079460001\"", "transfer to \"+442079460001\" else hang up"),
            ("log \"here\"", "note log = \"here\""),
            ("busy", "reject busy"),
        ] {
            assert_eq!(elsewhere(theirs, false).unwrap().action(), Some(ours), "{theirs}");
        }
        for fine in ["say \"Hello.\"", "answer", "text.send()", "call = 5", "connect to x", "go main", "transfer to x"]
        {
            assert!(elsewhere(fine, false).is_none(), "{fine}");
        }
        assert_eq!(elsewhere("gather(4)", false).unwrap().action(), None);
    }
}
