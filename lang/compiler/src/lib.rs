//! The only door into the language: projects go in, problems and programs come out. It reads no files; the edge brings
//! their contents.
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

mod analysis;
mod compile;
mod consequences;
mod coverage;
mod depth;
mod given;
mod layout;
pub mod picture;
mod project;
mod repair;
mod worst;

pub use analysis::{Analysis, Checker, analyze};
pub use compile::{Compiled, Engine, compile, graph_text, load};
pub use coverage::{Counting, Heard, Reached, ReachedKind};
pub use depth::with_room;
pub use given::read_given;
pub use lang_diagnostics::{Code, Colours, Diagnostic, Position, Severity, Sources, Span, diagnostic_to_json, nearest};
pub use lang_syntax::format;
pub use layout::{Layout, layout};
pub use project::Project;
pub use repair::{Applied, Repaired, repair};
pub use worst::{Figure, Where, Worst};
