//! Problems as people read them, drawn by miette: the source lines, the places marked, the repair below.

use crate::{Diagnostic, Sources};

/// Whether the text may hold ANSI colours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Colours {
    Off,
    On,
}

/// The problems as text, in the order given, each closed by a blank line. `width` is that of the terminal, in columns.
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, colours: Colours, width: usize) -> String {
    let _ = (diagnostics, sources, colours, width);
    String::new()
}
