//! Signs that nobody sees, and blanks that are none: both look like nothing, and change what a line means.

use std::ops::Range;

use lang_diagnostics::{Code, Diagnostic, FileId, Span, is_command, is_invisible};

use crate::tokens::{Comment, Token, TokenKind};

/// A text up to so long is shown whole in the repair.
const TEXT_CHARS_MAX: usize = 60;

/// What is wrong with the first token that holds such a sign.
pub(crate) fn problem_of_signs(file: FileId, text: &str, tokens: &[Token]) -> Option<Diagnostic> {
    tokens.iter().find_map(|token| {
        let written = text.get(token.start..token.end)?;
        if written.is_ascii() && !written.bytes().any(|byte| byte.is_ascii_control()) {
            return None;
        }
        let is_text = matches!(token.kind, TokenKind::Text | TokenKind::UnclosedText);
        let is_wrong = |sign: char| match is_text {
            true => is_command(sign) && sign != '\t',
            false => is_invisible(sign) || sign.is_whitespace(),
        };
        let (at, sign) = written.char_indices().find(|(_, sign)| is_wrong(*sign))?;
        let start = token.start + at;
        let span = |bytes: Range<usize>| Span::new(file, bytes.start as u32, bytes.end as u32);
        let place = span(start..start + sign.len_utf8());
        let code = format!("U+{:04X}", u32::from(sign));
        if !is_text && sign.is_whitespace() && !is_command(sign) {
            let message = format!("this blank is {code}, and words are parted by the plain one");
            let problem = Diagnostic::new(Code::UnexpectedWord, place, message);
            return Some(problem.help("write a plain blank here").edit("write a plain blank", place, " ").certain());
        }
        let whole = span(token.start..token.end);
        let plain: String = written.chars().filter(|sign| !is_wrong(*sign)).collect();
        let message = match token.kind {
            _ if is_text => format!("this text holds {code}, which no voice can say"),
            TokenKind::Word | TokenKind::Number => format!("`{plain}` holds {code}, which nobody sees"),
            _ => format!("{code} stands here, which nobody sees"),
        };
        let problem = Diagnostic::new(Code::UnexpectedWord, place, message).here(format!("{code} is here"));
        let help = match plain.chars().count() {
            0 | TEXT_CHARS_MAX.. => "leave it out".to_owned(),
            _ => format!("`{plain}`"),
        };
        Some(problem.help(help).edit("leave it out", whole, plain).certain())
    })
}

/// Comments in which a sign turns the direction of what is behind it: they show other code than there is.
pub(crate) fn problems_of_comments(file: FileId, text: &str, comments: &[Comment]) -> Vec<Diagnostic> {
    let problems = comments.iter().filter_map(|comment| {
        let written = text.get(comment.start..comment.end)?;
        let (at, sign) = written.char_indices().find(|(_, sign)| is_command(*sign) && !sign.is_control())?;
        let start = (comment.start + at) as u32;
        let place = Span::new(file, start, start + sign.len_utf8() as u32);
        let message = format!("this comment holds U+{:04X}, which shows it other than it is", u32::from(sign));
        Some(
            Diagnostic::new(Code::UnexpectedWord, place, message)
                .help("leave it out")
                .edit("leave it out", place, "")
                .certain(),
        )
    });
    problems.collect()
}
