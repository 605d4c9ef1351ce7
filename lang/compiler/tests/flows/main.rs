//! Flow texts from end to end: compiled, and run on native code and interpreter with scripted and with random answers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop at the first surprise"
)]

mod again;
mod constructs;
mod coverage;
mod defects;
mod dialogues;
mod example;
mod expressions;
mod harness;
mod helps;
mod law;
mod limits;
mod manual;
mod mutations;
mod pages;
mod problems;
mod random;
mod repairs;
#[path = "../../../syntax/tests/support/mod.rs"]
mod syntax_support;
mod values;
mod ways;
mod worst;
