//! The cores in the world: real sockets, real time, versions that swap, HTTP pages, a way to stop, and the
//! built-in phone. What a call does is decided in `runtime-exchange`; how a flow is written is unknown here.
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

pub mod config;
pub mod project;

mod bindings;
mod clock;
mod connections;
mod http;
mod inbox;
mod keeping;
mod logging;
mod metrics;
mod node;
mod open_files;
mod pages;
mod people;
pub mod phone;
mod plant;
mod prompts;
mod recovery;
pub mod responder;
mod server;
mod services;
mod setups;
mod site;
mod socket;
mod start;
mod traces;
mod versions;

pub use config::{Config, ConfigError};
pub use logging::{LogFormat, start_logging};
pub use pages::{
    USER_HEADER, answers_to_json, audit_to_json, call_to_json, cases_to_json, erased_text, erased_to_json,
    versions_to_json,
};
pub use phone::{Phone, PhoneCall, PhoneError, PhoneEvent, resolve};
pub use responder::{Asked, Reply, Responder};
pub use server::{Options, RunningServer, Server, StartError};
pub use versions::{Accepted, Adjust, AtStart};
