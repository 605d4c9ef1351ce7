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
mod node;
mod tokens;
mod tree;
mod tree_to_ast;

use lang_diagnostics::{Diagnostic, FileId};

/// What the file says, and what is wrong with it. Never fails: what was not understood is left out or `Missing`.
pub fn parse(file: FileId, text: &str) -> (ast::Module, Vec<Diagnostic>) {
    let scan = tokens::scan(text);
    let layout = lines::Layout::new(text, &scan, file);
    let clean = tree::clean_text(text, &scan, &layout);
    let (tree, mut problems) = tree::text_to_tree(file, text, &clean, &scan, &layout);
    let (module, more) = tree_to_ast::tree_to_ast(&tree);
    problems.extend(more);
    problems.sort_by_key(|problem| problem.span().start);
    (module, problems)
}
