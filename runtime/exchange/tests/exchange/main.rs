//! Tests of the exchange through its door, on a plant of false things.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop at the first surprise"
)]

mod calls;
mod conversation;
mod messages;
mod outgoing;
mod plant;
mod queues;
mod random;
mod rules;
mod surveys;
mod undelivered;
