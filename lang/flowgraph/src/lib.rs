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
mod finish;
mod frame;
pub mod graph;
mod site;

pub use builder::GraphBuilder;
pub use graph::Graph;
