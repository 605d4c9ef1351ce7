//! The vocabulary that the language and the runtime share: requests, values, time, the traits of a
//! compiled program, the driver loop. It knows neither how a flow is written nor how a call is carried.
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

pub mod arena;
pub mod cadence;
pub mod calendar;
pub mod called;
pub mod channel;
pub mod compared;
pub mod currency;
pub mod dialled;
pub mod drive;
pub mod host;
pub mod leg;
pub mod limits;
pub mod moment;
pub mod phrase;
pub mod program;
pub mod pure;
pub mod queue;
pub mod record;
pub mod redacted;
pub mod reply;
pub mod request;
pub mod rule;
pub mod script;
pub mod spoken;
pub mod stack;
pub mod survey;
pub mod time;
pub mod types;
pub mod value;
pub mod vault;
pub mod write;
pub mod written;

pub use called::Called;
pub use drive::{End, Exit, Outcome, Segments, Stop, drive, enter};
pub use host::{FaultKind, Host, HostCall};
pub use program::{Build, FlowProgram, GraphId, ProgramMeta, SiteId};
pub use redacted::Redacted;
pub use request::Request;
pub use stack::Stack;
pub use time::{Now, Tick, Time};
pub use types::Type;
pub use value::Value;
pub use write::Write;
