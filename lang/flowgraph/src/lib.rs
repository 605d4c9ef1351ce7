//! The program as segments, edges and waits: how it is built, checked, stored, shown and interpreted. It knows
//! no machine code.
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

pub mod builder;
pub mod compared;
mod finish;
mod forward;
mod frame;
pub mod graph;
mod hash;
pub mod interpreter;
mod layout;
mod link;
mod liveness;
pub mod lower;
pub mod marks;
mod parallel;
#[cfg(feature = "random")]
pub mod random;
pub mod serial;
mod site;
pub mod text;
mod thread;
pub mod verify;

pub use builder::GraphBuilder;
pub use finish::Finished;
pub use graph::Graph;
pub use interpreter::Interpreted;
pub use parallel::STACK_BYTES;
pub use text::graph_to_text;
pub use verify::{Verified, verify};
