//! What every name means; what type, outcome and effect every construct has.
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

pub mod hir;

use lang_diagnostics::Diagnostic;
use lang_syntax::ast;
use runtime_contract::program::SiteNames;

/// One parsed file.
pub struct ParsedModule<'a> {
    /// `routing`, `billing.cards`: its path below the project's folder without the ending; `std.voicemail` for the library.
    pub path: String,
    pub ast: &'a ast::Module,
}

/// What stands beside the flow files.
pub trait Surroundings {
    /// BLAKE3 of an audio file below `prompts/`; `None` when it is not there.
    fn audio(&self, file: &str) -> Option<[u8; 32]>;
    /// Days of a holiday table (since 1970, sorted); `None` when there is no table of this name.
    fn holidays(&self, table: &str) -> Option<Vec<i32>>;
}

/// The meaning of all files together, when nothing is wrong with them, and all that is.
pub fn analyze(
    modules: &[ParsedModule<'_>],
    surroundings: &dyn Surroundings,
    names: &SiteNames,
) -> (Option<hir::Program>, Vec<Diagnostic>) {
    let _ = (modules, surroundings, names);
    (None, Vec::new())
}
