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
mod format;
mod forms;
mod grammar;
mod lines;
mod names;
mod node;
mod parse;
mod parts;
mod signs;
#[cfg(test)]
#[path = "../tests/support/mod.rs"]
mod support;
mod tokens;
mod tree;
mod tree_to_ast;
mod unread;

pub use format::format;
pub use lines::{BLOCK_DEPTH_MAX, BRACKET_DEPTH_MAX, PROBLEMS_MAX};
pub use names::composed;
pub use parse::{parse, parse_knowing};
pub use parts::KnownLines;
pub use tokens::has_word;
pub use tree::{FILE_BYTES_MAX, LINE_TOKENS_MAX};
