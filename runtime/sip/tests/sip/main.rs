//! Whole-endpoint tests: text in, text out; torture messages; two endpoints on a bad wire; noise.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests may stop at the first surprise and read their data"
)]

mod bench;
mod challenges;
mod dialing;
mod early;
mod hunting;
mod incoming;
mod limits;
mod lossy;
mod noise;
mod phones;
mod provisional;
mod redirect;
mod revive;
mod session;
mod streams;
mod timers;
mod torture;
mod transfer;
mod trunks;
