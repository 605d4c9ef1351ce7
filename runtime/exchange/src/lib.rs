//! All calls of a node, without input or output: which flow takes a call, what is durable before what leaves,
//! which leg belongs to which session. It knows neither SIP nor RTP nor SQL; server and simulator both drive
//! it, each with its plant (seam 3): signalling, media, store, services, clock.
//!
//! # Driving rule
//! 1. [`Exchange::handle`] one [`Input`]; drain its [`Outputs`] in order before the next. `Now` never goes back.
//! 2. Give [`Input::Timeout`] at [`Exchange::next_deadline`] or soon after. One that comes early does nothing.
//! 3. [`Output::Write`]s go to the store in order, those of one input together, so that a journal and the rows that it
//!    tells of are durable at once; [`Input::Committed`] says how far it is. Whatever needs a
//!    write to be durable is held back here until then, so every output may be carried out at once.
//! 4. Start: [`Input::Recovered`] for each open call of the store, then [`Input::Version`], then legs.
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

mod call;
mod contact;
mod conversation;
mod desk;
mod exchange;
mod input;
mod live;
mod message;
mod number;
mod onward;
mod outgoing;
mod output;
mod queueing;
mod queues;
mod record;
mod recovery;
mod revival;
mod rules;
mod surveys;
mod undelivered;

pub use conversation::RECORDINGS_UNSAVED_MAX;
pub use desk::STORE_STALL_MS_MAX;
pub use exchange::{Config, Exchange};
pub use input::{
    Canary, CutRecording, Input, MediaEvent, Recorded, RecordingFailed, Recovered, SHARE_ALL, ServiceFailure, Version,
    WriteNumber,
};
pub use live::LiveCall;
pub use outgoing::Act;
pub use output::{Event, MediaCommand, NotFired, Output, Outputs, Refusal, ServiceCall, TraceEvent, TraceWhat};
pub use record::note_text;
pub use recovery::recordings_begun;
pub use revival::REVIVE_MS_MAX;
pub use rules::{ALARM_CLOCK_MS, ALARM_HOURS_MS, ALARM_MS_MIN, RULES_RUNNING_MAX};
pub use runtime_acd::{Agent, AgentName, AgentState};
pub use surveys::{FollowUp, LeftOut};
