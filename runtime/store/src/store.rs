//! The open store of a running server: the writer thread for what calls write, and a connection of its own for what
//! operators change, a row at a time.

use std::collections::{BTreeMap, HashSet};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use runtime_contract::{GraphId, Time, Write};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::archive::{Archive, DATABASE};
use crate::audit::{self, AuditEntry};
use crate::erase::{self, Blank, Erased, Sought};
use crate::read::{OpenCall, StoredBindings};
use crate::versions::{self, VersionChange};
use crate::writer::{Event, Options, Writer};
use crate::{StoreError, answers, keep, outbox, person, read, schema, write};

/// Cheap to share behind an `Arc`; dropping it commits what was submitted. What it holds is read as in an
/// [`Archive`].
pub struct Store {
    folder: PathBuf,
    archive: Archive,
    keeper: Mutex<Connection>,
    writer: Writer,
}

impl Deref for Store {
    type Target = Archive;

    fn deref(&self) -> &Archive {
        &self.archive
    }
}

/// Pages given back in one go.
const GIVE_BACK: u32 = 64;
/// How often the log of the database is tried to be emptied while others use it.
const EMPTY_TRIES_MAX: u32 = 20;
const EMPTY_PAUSE: Duration = Duration::from_millis(100);
/// What is not for a call may wait longer for the writer, which may commit all the time.
const KEEPER_BUSY_MAX: Duration = Duration::from_secs(10);
/// Group commits that an erasure changes at once.
const ERASE_COMMITS: usize = 4;

impl Store {
    /// Opens or creates `strowger.db` in a folder, brings its schema up to date, and starts the writer.
    /// `on_event` is called on the writer's thread and must not block.
    pub fn open(
        folder: &Path,
        options: Options,
        on_event: impl Fn(Event) + Send + 'static,
    ) -> Result<Store, StoreError> {
        std::fs::create_dir_all(folder).map_err(|cause| StoreError::folder(folder, &cause))?;
        let path = folder.join(DATABASE);
        let failed = |cause: rusqlite::Error| StoreError::read(&path, &cause);
        let mut connection = schema::open(&path)?;
        schema::migrate(&mut connection, &path)?;
        if let Some(pages) = options.pages_max {
            connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).map_err(failed)?;
        }
        let key = person::key(folder)?;
        let open = recover(&mut connection).map_err(failed)?;
        let archive = Archive::new(folder, schema::open(&path)?)?;
        let keeper = schema::open(&path)?;
        keeper.busy_timeout(KEEPER_BUSY_MAX).map_err(failed)?;
        // What an operator deletes is overwritten wherever it stood.
        keeper.pragma_update_and_check(None, "secure_delete", "ON", |_| Ok(())).map_err(failed)?;
        let writer = Writer::start(connection, key, options, open, Box::new(on_event))
            .map_err(|cause| StoreError::folder(folder, &cause))?;
        Ok(Store { folder: folder.to_owned(), archive, keeper: Mutex::new(keeper), writer })
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

    /// Bytes that wait for their commit.
    pub fn waiting_bytes(&self) -> u64 {
        self.writer.waiting_bytes()
    }

    /// Keeps a graph. Durable on return: a version may take calls only after this.
    pub fn put_graph(&self, id: GraphId, bytes: &[u8]) -> Result<(), StoreError> {
        self.change(|transaction| {
            transaction
                .execute("INSERT OR IGNORE INTO graphs (id, bytes) VALUES (?1, ?2)", (&id.0[..], bytes))
                .map(|_| ())
        })
    }

    /// Keeps where phones are; nothing at all for one that is nowhere. Durable on return.
    pub fn put_bindings(&self, bindings: &BTreeMap<String, Vec<u8>>, written: Time) -> Result<(), StoreError> {
        self.change(|transaction| write::bindings(transaction, bindings, written))
    }

    /// What was last kept of each phone.
    pub fn bindings(&self) -> Result<Vec<StoredBindings>, StoreError> {
        self.archive.read(read::bindings)
    }

    /// Durable on return.
    pub fn change_versions(&self, change: VersionChange, at: Time, who: &str) -> Result<(), StoreError> {
        self.change(|transaction| versions::change(transaction, change, at, who))
    }

    /// Where a rollback of the stable version leads.
    pub fn version_before(&self) -> Result<Option<GraphId>, StoreError> {
        self.archive.read(versions::before)
    }

    pub fn put_audit(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        self.change(|transaction| audit::add(transaction, entry))
    }

    pub fn put_setting(&self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        self.change(|transaction| {
            transaction
                .execute("INSERT OR REPLACE INTO settings (name, value) VALUES (?1, ?2)", (name, value))
                .map(|_| ())
        })
    }

    /// Deletes the oldest calls that ended before a time, at most `limit`; gives how many.
    pub fn forget_calls(&self, before: Time, limit: u32) -> Result<usize, StoreError> {
        self.change(|transaction| keep::forget_calls(transaction, before, limit))
    }

    /// Deletes messages, cases and answers to surveys from before a time, at most `limit` of each; gives the greater number.
    pub fn forget_messages(&self, before: Time, limit: u32) -> Result<usize, StoreError> {
        self.change(|transaction| {
            let gone = outbox::forget(transaction, before, limit)?;
            Ok(gone.max(answers::forget(transaction, before, limit)?))
        })
    }

    /// Deletes recordings made before a time, at most `limit`; gives how many.
    ///
    /// # Errors
    /// A file cannot be removed: its row stays too.
    pub fn forget_recordings(&self, before: Time, limit: u32) -> Result<usize, StoreError> {
        let old = self.archive.read(|connection| keep::old_recordings(connection, before, limit))?;
        for (_, file) in &old {
            keep::remove_file(&self.folder, file).map_err(|cause| StoreError::folder(&self.folder, &cause))?;
        }
        self.change(|transaction| {
            for (id, _) in &old {
                keep::forget_recording(transaction, *id)?;
            }
            Ok(old.len())
        })
    }

    /// No recording after this start may have this number or a lower one.
    pub fn raise_recording_mark(&self, number: u64) -> Result<(), StoreError> {
        self.change(|transaction| keep::raise_recording_mark(transaction, i64::try_from(number).unwrap_or(i64::MAX)))
    }

    /// Deletes graphs that no kept call and no version needs. No version may be on its way in meanwhile.
    pub fn forget_graphs(&self) -> Result<usize, StoreError> {
        let mut unused = self.archive.read(keep::unused_graphs)?;
        if unused.is_empty() {
            return Ok(0);
        }
        let open: HashSet<GraphId> = self.archive.open_calls()?.iter().map(|call| call.graph).collect();
        unused.retain(|graph| !open.contains(graph));
        self.change(|transaction| {
            for graph in &unused {
                transaction.execute("DELETE FROM graphs WHERE id = ?1", [&graph.0[..]])?;
            }
            Ok(unused.len())
        })
    }

    /// Gives some free pages back to the file system; true while there are more.
    pub fn give_back_pages(&self) -> Result<bool, StoreError> {
        self.keep(|connection| keep::give_back(connection, GIVE_BACK)).map(|left| left > 0)
    }

    /// Takes a person out of what is kept, here and in the recordings, so that no byte of the number is left in these
    /// files. Does nothing the second time. May take minutes where much is kept; calls go on meanwhile.
    pub fn erase(&self, number: &str, at: Time, blank: Blank<'_>) -> Result<Erased, StoreError> {
        let sought = Sought::new(self.archive.key(), number);
        let mut erased = Erased::default();
        let mut behind = 0;
        loop {
            let bite = self.archive.read(|connection| erase::bite(connection, &sought, behind))?;
            if !bite.is_empty() {
                self.change(|transaction| bite.erase(transaction, &self.folder, &sought, at, blank, &mut erased))?;
            }
            behind = bite.last;
            if bite.is_last {
                break;
            }
        }
        let mut going_on = HashSet::new();
        let (commits, last) = self.archive.read(|connection| erase::commits(connection, &sought, 0))?;
        for commits in commits.chunks(ERASE_COMMITS) {
            self.change(|transaction| erase::pieces(transaction, &sought, commits, &mut going_on))?;
        }
        // What ended and was committed meanwhile; nothing is within this transaction.
        self.change(|transaction| {
            loop {
                let bite = erase::bite(transaction, &sought, behind)?;
                bite.erase(transaction, &self.folder, &sought, at, blank, &mut erased)?;
                behind = bite.last;
                if bite.is_last {
                    break;
                }
            }
            outbox::blank_mentions(transaction, &sought)?;
            answers::blank_mentions(transaction, &sought)?;
            let newest = erase::newest_commit(transaction)?;
            // Where all of them went, numbers began anew.
            let (commits, _) = erase::commits(transaction, &sought, if newest < last { 0 } else { last })?;
            erase::pieces(transaction, &sought, &commits, &mut going_on)
        })?;
        self.archive.read(|connection| erase::parts(connection, &sought, &mut going_on))?;
        erased.going_on = going_on.len() as u64;
        while self.give_back_pages()? {}
        self.empty_log()?;
        Ok(erased)
    }

    /// What was overwritten stands in the database's log until that is emptied.
    fn empty_log(&self) -> Result<(), StoreError> {
        for _ in 0..EMPTY_TRIES_MAX {
            let busy: i64 =
                self.keep(|connection| connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)))?;
            if busy == 0 {
                return Ok(());
            }
            std::thread::sleep(EMPTY_PAUSE);
        }
        let cause = "its log could not be emptied, because it is read and written without a pause";
        Err(StoreError {
            help: "run this again when there is less to do".into(),
            ..StoreError::read(self.archive.path(), &cause)
        })
    }

    fn keep<T>(&self, act: impl FnOnce(&mut Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let mut connection = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        act(&mut connection).map_err(|cause| StoreError::read(self.archive.path(), &cause))
    }

    fn change<T>(&self, act: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        self.keep(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = act(&transaction)?;
            transaction.commit()?;
            Ok(done)
        })
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
