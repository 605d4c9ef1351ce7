//! Machine code for a verified graph: one function per segment, no relocations, no traps. It sees neither source
//! text nor names.
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

mod clif;
mod compile;
#[cfg(test)]
mod miscompile;
mod native;

pub use compile::CompileError;
pub use native::Native;
