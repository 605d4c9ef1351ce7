//! One call's life, without input or output: what happens and the time come in, what is to be done comes
//! out. It knows requests, keys and timers, but neither SIP nor media nor how a flow is written.
//!
//! # Driving rule
//! 1. [`Session::new`] with the program that the call keeps, then [`Input::Start`].
//! 2. Drain the [`Outputs`] of each [`Session::handle`]; they borrow the session. `Now` never goes back.
//! 3. Give [`Input::Tick`] at [`Session::next_deadline`] or soon after, unless another input comes first. One
//!    that comes early does nothing.
//! 4. After [`Output::Done`] the session may be dropped; further inputs do nothing.
//!
//! [`Session::from_journal`] rebuilds a call whose process died: the journal is the state. [`Session::align`] gives a
//! journal to another version of the program.
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

mod agreement;
mod align;
mod beside;
pub mod checker;
mod dialogue;
mod input;
pub mod journal;
mod keypad;
mod keys;
mod message;
mod outgoing;
mod output;
mod queued;
mod recording;
mod replay;
mod reply;
mod request;
mod session;
mod state;
#[cfg(any(test, feature = "testkit"))]
pub mod testkit;
#[cfg(test)]
mod tests;
mod timers;

pub use align::{Aligned, Assumed, Lost};
pub use beside::whisper;
pub use input::{Input, Line, LineEvent, QueueEvent, RequestId, Start, StopReason};
pub use output::{
    DialAsk, EndCause, LineCommand, NotSent, Onward, OnwardKind, Output, Outputs, PlayItem, QueueAsk, Sending,
    ServiceAsk, Trace, WorldRequest,
};
pub use replay::{Rebuilt, ReplayError, Told};
pub use session::Session;
