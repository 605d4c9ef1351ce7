//! People who are to be called, without input or output: what happens and the time come in, whom to call comes out. It
//! knows windows, laws, caps, permissions and refusals, but neither how a call is made nor how a flow is run.
//!
//! # Driving rule
//! 1. [`Input::Cadences`] with the tables of the stable version, then what the store has: [`Input::Person`] for each
//!    person, and [`Input::Restore`] for each item.
//! 2. Drain [`Outbound::poll`] after each [`Outbound::handle`]. What an output says is durable before it is done: an
//!    attempt is a row before it is a call.
//! 3. Give [`Input::Tick`] at [`Outbound::next_deadline`] or soon after. One that comes early does nothing.
//! 4. Each [`Output::Attempt`] is answered by one [`Input::Attempted`] or [`Input::Refused`], each [`Output::Exhausted`] by one
//!    [`Input::Exhausted`]; others do nothing.
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

pub mod checker;
mod input;
mod item;
mod outbound;
mod output;
mod person;
#[cfg(test)]
mod tests;
mod timers;
mod zones;

pub use input::{Input, Start};
pub use item::{Attempt, Facts, Item, ItemId, State};
pub use outbound::{Limits, Outbound};
pub use output::{Output, Stop};
pub use person::{History, Made};
pub use runtime_contract::cadence::Outcome;
pub use zones::zones_of;
