//! False callers and false time for the real exchange and session: plays `test` blocks, and the terminal's
//! `talk`. No SIP, no audio: a prompt lasts as long as its text; a service answers what it is told to.
//! `Explorer` tries all that callers and services may do.
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

mod agents;
mod attempts;
mod difference;
mod explore;
mod far_side;
mod outgoing;
mod plant;
mod play;
mod queued;
mod rules;
mod sends;
mod surveyed;
mod talk;
mod transcript;

pub use difference::Failure;
pub use explore::{Bound, Explored, Explorer, Progress};
pub use plant::{Answers, open_text};
pub use play::{TestResult, play_test};
pub use talk::{Question, Talk};
pub use transcript::{Does, Line, What};
