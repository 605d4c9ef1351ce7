//! Queues of callers and the agents who take them, without input or output: who is next, whom he is offered to, how long
//! anybody waits, and what figures come of it. It knows neither legs nor how a flow is written.
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

mod input;
mod output;

pub use input::{Agent, AgentName, AgentState, Enter, Input, LeaveWhy, OfferFailure, OfferNumber, TicketId};
pub use output::{Missed, Offer, Output, Outputs, Over};

/// Nobody who could take a caller has been logged in for so long: he is told so.
pub const UNSTAFFED_MS: u64 = 30_000;
/// A callback that nobody came to in this time is given up.
pub const CALLBACK_AGE_MS_MAX: u64 = 86_400_000;
