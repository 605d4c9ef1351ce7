//! What the store holds, for those who only read: the running server, and an operator's command beside or without
//! it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use runtime_contract::GraphId;
use runtime_contract::record::{CallId, CallRecord};
use rusqlite::Connection;

use crate::answers::{AnswerCount, StoredAnswer};
use crate::audit::{self, AuditEntry};
use crate::outbox::{StoredCase, StoredMessage};
use crate::person::{self, Key};
use crate::read::{self, CallFilter, OpenCall, StoredCall};
use crate::versions::{self, StoredVersion};
use crate::{StoreError, answers, keep, outbox, schema};

/// Name of the database in a data folder.
pub const DATABASE: &str = "strowger.db";

pub struct Archive {
    path: PathBuf,
    key: Key,
    connection: Mutex<Connection>,
}

impl Archive {
    /// Opens a data folder to read, and changes nothing in it. A server may be running on it.
    pub fn open(folder: &Path) -> Result<Archive, StoreError> {
        let connection = schema::open_read_only(&folder.join(DATABASE))?;
        Archive::new(folder, connection)
    }

    pub(crate) fn new(folder: &Path, connection: Connection) -> Result<Archive, StoreError> {
        let key = person::key(folder)?;
        Ok(Archive { path: folder.join(DATABASE), key, connection: Mutex::new(connection) })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn key(&self) -> &Key {
        &self.key
    }

    pub fn graph(&self, id: GraphId) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|connection| read::graph(connection, id))
    }

    /// Numbers of all recordings that have their row.
    pub fn recordings(&self) -> Result<BTreeSet<u64>, StoreError> {
        self.read(read::recordings)
    }

    /// The highest number that a recording ever had, as far as rows tell, and [`crate::Store::raise_recording_mark`].
    pub fn recording_mark(&self) -> Result<u64, StoreError> {
        let highest = self.recordings()?.last().copied().unwrap_or(0);
        let mark = self.read(keep::recording_mark)?;
        Ok(highest.max(mark as u64))
    }

    /// Calls that had begun and have no record: those of a process that died, and those going on.
    pub fn open_calls(&self) -> Result<Vec<OpenCall>, StoreError> {
        self.read(read::open_calls)
    }

    /// The newest finished calls with their journals, newest first.
    pub fn calls(&self, limit: u32) -> Result<Vec<StoredCall>, StoreError> {
        self.read(|connection| read::calls(connection, limit))
    }

    /// The newest finished calls that the filter lets through, newest first.
    pub fn records(&self, filter: &CallFilter) -> Result<Vec<CallRecord>, StoreError> {
        self.read(|connection| read::records(connection, &self.key, filter))
    }

    /// The newest messages that were handed over, newest first.
    pub fn messages(&self, limit: u32) -> Result<Vec<StoredMessage>, StoreError> {
        self.read(|connection| outbox::messages(connection, limit))
    }

    /// The newest cases, newest first.
    pub fn cases(&self, limit: u32) -> Result<Vec<StoredCase>, StoreError> {
        self.read(|connection| outbox::cases(connection, limit))
    }

    /// The newest answers to surveys, newest first.
    pub fn answers(&self, limit: u32) -> Result<Vec<StoredAnswer>, StoreError> {
        self.read(|connection| answers::newest(connection, limit))
    }

    /// How often each answer was given.
    pub fn answer_counts(&self) -> Result<Vec<AnswerCount>, StoreError> {
        self.read(answers::counts)
    }

    pub fn call(&self, id: CallId) -> Result<Option<StoredCall>, StoreError> {
        self.read(|connection| read::call(connection, id))
    }

    /// Ids of finished calls that end in these hexadecimal digits, two at most: calls of one process count up.
    pub fn call_ids(&self, ending: &str) -> Result<Vec<CallId>, StoreError> {
        self.read(|connection| read::call_ids(connection, ending))
    }

    /// Versions that took calls, the last deployed first.
    pub fn versions(&self) -> Result<Vec<StoredVersion>, StoreError> {
        self.read(versions::all)
    }

    /// The newest entries, newest first.
    pub fn audit(&self, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        self.read(|connection| audit::newest(connection, limit))
    }

    /// What was kept under a name.
    pub fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|connection| read::setting(connection, name))
    }

    pub(crate) fn read<T>(&self, ask: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        ask(&connection).map_err(|cause| StoreError::read(&self.path, &cause))
    }
}
