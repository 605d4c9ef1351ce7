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

mod error;
mod interval;
mod person;
mod read;
mod schema;
mod write;
mod writer;

pub use error::StoreError;
pub use read::{OpenCall, StoredCall};
pub use write::recording_file;
pub use writer::{Event, Options};

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use runtime_contract::record::CallId;
use runtime_contract::{GraphId, Write};
use rusqlite::Connection;

/// The open store. Cheap to share behind an `Arc`; dropping it commits what was submitted.
pub struct Store {
    folder: PathBuf,
    reader: Mutex<Connection>,
    writer: writer::Writer,
}

impl Store {
    /// Opens or creates `strowger.db` in a folder, brings its schema up to date, and starts the writer.
    /// `on_event` is called on the writer's thread and must not block.
    pub fn open(
        folder: &Path,
        options: Options,
        on_event: impl Fn(Event) + Send + 'static,
    ) -> Result<Store, StoreError> {
        std::fs::create_dir_all(folder).map_err(|cause| StoreError::folder(folder, &cause))?;
        let path = folder.join("strowger.db");
        let mut connection = schema::open(&path)?;
        schema::migrate(&mut connection, &path)?;
        let key = person::key(folder)?;
        let open = recover(&mut connection).map_err(|cause| StoreError::read(&path, &cause))?;
        let reader = schema::open(&path)?;
        let writer = writer::Writer::start(connection, key, options, open, Box::new(on_event))
            .map_err(|cause| StoreError::folder(folder, &cause))?;
        Ok(Store { folder: folder.to_owned(), reader: Mutex::new(reader), writer })
    }

    /// Folder of the database; recordings lie in `recordings/` below it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Hands over writes that become durable together, under a number that grows with each call.
    ///
    /// # Errors
    /// So much is waiting already that these are refused (`pending_bytes_max`): here they are back, all of them.
    pub fn submit(&self, commit: u64, writes: Vec<Write>) -> Result<(), Vec<Write>> {
        self.writer.submit(commit, writes)
    }

    /// How long the oldest submission has waited for its commit, in milliseconds; 0 when none waits.
    pub fn waiting_ms(&self) -> u64 {
        self.writer.waiting_ms()
    }

    /// Keeps a graph. Durable on return: a version may take calls only after this.
    pub fn put_graph(&self, id: GraphId, bytes: &[u8]) -> Result<(), StoreError> {
        self.read(|connection| {
            connection
                .execute("INSERT OR IGNORE INTO graphs (id, bytes) VALUES (?1, ?2)", (&id.0[..], bytes))
                .map(|_| ())
        })
    }

    pub fn graph(&self, id: GraphId) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|connection| read::graph(connection, id))
    }

    /// Calls that had begun and have no record: those of a process that died, and those going on.
    pub fn open_calls(&self) -> Result<Vec<OpenCall>, StoreError> {
        self.read(read::open_calls)
    }

    /// The newest finished calls, newest first.
    pub fn calls(&self, limit: u32) -> Result<Vec<StoredCall>, StoreError> {
        self.read(|connection| read::calls(connection, limit))
    }

    pub fn call(&self, id: CallId) -> Result<Option<StoredCall>, StoreError> {
        self.read(|connection| read::call(connection, id))
    }

    fn read<T>(&self, ask: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let connection = self.reader.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        ask(&connection).map_err(|cause| StoreError::read(&self.folder.join("strowger.db"), &cause))
    }
}

/// What the last process left open becomes one part a call, so that a new process begins with clean blobs.
fn recover(connection: &mut Connection) -> rusqlite::Result<Vec<OpenCall>> {
    let transaction = connection.transaction()?;
    let open = read::open_calls(&transaction)?;
    transaction.execute_batch("DELETE FROM intervals; DELETE FROM parts;")?;
    for call in &open {
        write::part(&transaction, call.call, 0, call.graph, &call.journal)?;
    }
    transaction.commit()?;
    Ok(open)
}
