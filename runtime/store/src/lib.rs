//! What must outlive the process: graphs, journals, call records, recordings' rows. One SQLite file, one
//! writer thread, one transaction for all that came within a few milliseconds (group commit). It does not
//! know what a journal says, nor what waits for a commit.
//!
//! Order, from the outside: [`Store::submit`] hands over writes under a commit number and returns at once;
//! [`Event::Committed`] says that everything up to a number is on the disk. When the disk fails, the writer
//! keeps what it has, says so, and tries again until it succeeds.
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

mod answers;
mod archive;
mod audit;
mod erase;
mod error;
mod interval;
mod keep;
mod outbox;
mod person;
mod read;
mod schema;
mod store;
mod versions;
mod write;
mod writer;

pub use answers::{AnswerCount, StoredAnswer};
pub use archive::{Archive, DATABASE};
pub use audit::AuditEntry;
pub use erase::{Blank, Erased};
pub use error::StoreError;
pub use outbox::{StoredCase, StoredMessage};
pub use read::{CallFilter, OpenCall, StoredBindings, StoredCall};
pub use store::Store;
pub use versions::{StoredVersion, VersionChange, VersionState};
pub use write::recording_file;
pub use writer::{Event, Options};
