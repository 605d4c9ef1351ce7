//! A file in its canonical form, or what keeps it from having one.

use lang_diagnostics::{Colours, Diagnostic, Sources, diagnostics_to_json_lines, render};
use runtime_contract::program::Report;

use crate::depth::with_room;
use crate::project::FlowFile;

/// What the canon says of a file.
pub enum Layout {
    /// It is in its canonical form.
    Canonical,
    /// The text as it should be.
    Other(String),
    /// It does not read, and has no form until it does.
    Broken(Report),
}

/// `path` is how people know the file. `width` is that of the terminal, in columns.
pub fn layout(path: &str, bytes: &[u8], colours: Colours, width: usize) -> Layout {
    let file = FlowFile::from_bytes(bytes);
    let mut sources = Sources::new();
    let id = sources.add(path, file.text.as_str());
    let mut problems: Vec<Diagnostic> = match file.misread {
        Some(misread) => vec![misread.problem(id)],
        None => with_room(|| lang_syntax::parse(id, &file.text).1),
    };
    problems.retain(Diagnostic::is_error);
    if !problems.is_empty() {
        let text = render(&problems, &sources, colours, width);
        return Layout::Broken(Report { text, json: diagnostics_to_json_lines(&problems, &sources) });
    }
    let formatted = with_room(|| lang_syntax::format(&file.text));
    if formatted.as_bytes() == bytes { Layout::Canonical } else { Layout::Other(formatted) }
}
