//! What a problem is, and how it is shown to people and machines.
//! Knows nothing of the language but the table of codes.
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

mod code;
mod diagnostic;
mod excerpt;
mod json;
mod nearest;
mod page;
mod render;
mod source;
mod visible;
mod way;

pub use code::Code;
pub use diagnostic::{Diagnostic, Edit, Label, Severity, Suggestion};
pub use json::{diagnostic_to_json, diagnostics_to_json_lines};
pub use nearest::nearest;
pub use render::{Colours, render};
pub use source::{FileId, Position, Source, Sources, Span, Spanned};
pub use visible::{escape, is_command, is_invisible, visible};
pub use way::{Turn, TurnKind, Way};
