//! Queues of callers and the agents who take them, without input or output: who is next, whom he is offered to, how long
//! anybody waits, and what figures come of it. It knows neither legs nor how a flow is written.
//!
//! # Driving rule
//! 1. [`Acd::new`], then [`Input::Version`] with the stable program, and [`Input::Agent`] for each agent of the site.
//! 2. Drain the [`Outputs`] of each [`Acd::handle`]; they borrow the core.
//! 3. Give [`Input::Tick`] at [`Acd::next_deadline`] or soon after, unless another input comes first.
//! 4. A ticket is over with [`Output::Over`], [`Output::Served`] or [`Input::Leave`]; its number never comes again. After
//!    `Served` comes [`Output::WrappedUp`] of its agent, at once where there is no wrap-up.
//! 5. An agent is offered nothing before he said [`AgentState::Idle`].
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

mod acd;
mod agents;
mod bits;
mod chance;
pub mod checker;
mod choice;
mod classes;
mod expected;
mod faults;
mod input;
mod log;
mod matching;
mod measures;
mod output;
mod programs;
mod questions;
mod queues;
mod serving;
mod staffing;
#[cfg(any(test, feature = "testkit"))]
pub mod testkit;
#[cfg(test)]
mod tests;
mod ticket;
mod timers;
mod views;
mod waiting;

pub use acd::Acd;
pub use choice::ALL_AT_ONCE_MAX;
pub use input::{Agent, AgentName, AgentState, Enter, Input, LeaveWhy, OfferFailure, OfferNumber, TicketId};
pub use measures::{Figures, SHORT_MS, TARGET};
pub use output::{Missed, Offer, Output, Outputs, Over};
pub use serving::{MISSES_MAX, REST_MS};
pub use views::{AgentView, Doing};

/// Nobody who could take a caller has been logged in for so long: he is told so.
pub const UNSTAFFED_MS: u64 = 30_000;
/// A callback that nobody came to in this time is given up.
pub const CALLBACK_AGE_MS_MAX: u64 = 86_400_000;

/// Hashes without chance: the same inputs give the same outputs.
type FxHashMap<K, V> = std::collections::HashMap<K, V, rustc_hash::FxBuildHasher>;
