//! The cores in the world: real sockets, real time, versions that swap, HTTP pages, a way to stop, and the
//! built-in phone. What a call does is decided in `runtime-exchange`; how a flow is written is unknown here.
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

mod clock;
pub mod config;
mod inbox;
mod socket;
