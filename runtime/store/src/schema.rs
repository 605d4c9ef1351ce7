//! The tables, and how an older file is brought up to date. Each change is a new entry of [`MIGRATIONS`];
//! none is ever edited.

use std::cmp::Ordering;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::StoreError;

/// Longest that one connection waits for another.
const BUSY_MAX: Duration = Duration::from_millis(500);

pub(crate) const MIGRATIONS: &[&str] = &[
    r"
    CREATE TABLE graphs (id BLOB PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID;
    -- All journal records of one group commit, as one blob (see interval.rs).
    CREATE TABLE intervals (seq INTEGER PRIMARY KEY, ms INTEGER NOT NULL, bytes BLOB NOT NULL);
    -- What a long call had written when a checkpoint passed.
    CREATE TABLE parts (call BLOB NOT NULL, offset INTEGER NOT NULL, graph BLOB NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (call, offset)) WITHOUT ROWID;
    CREATE TABLE calls (seq INTEGER PRIMARY KEY, call BLOB NOT NULL UNIQUE, leg_call_id TEXT NOT NULL,
        graph BLOB NOT NULL, flow TEXT NOT NULL, caller TEXT, person BLOB, called TEXT NOT NULL,
        started_ms INTEGER NOT NULL, answered_ms INTEGER, ended_ms INTEGER NOT NULL, end TEXT NOT NULL,
        last_step TEXT NOT NULL, notes TEXT NOT NULL, faults INTEGER NOT NULL, recordings TEXT NOT NULL,
        journal BLOB NOT NULL);
    CREATE INDEX calls_person ON calls (person) WHERE person IS NOT NULL;
    CREATE TABLE recordings (id INTEGER PRIMARY KEY, call BLOB NOT NULL, file TEXT NOT NULL, ms INTEGER NOT NULL,
        created_ms INTEGER NOT NULL);
",
    r"
    -- 1: the caller was gone before the recording's end.
    ALTER TABLE recordings ADD COLUMN partial INTEGER NOT NULL DEFAULT 0;
",
    r"
    -- Versions that took calls. `place` grows with each deploy; a rollback goes to the highest retired place below.
    CREATE TABLE versions (graph BLOB PRIMARY KEY, place INTEGER NOT NULL, state TEXT NOT NULL, share INTEGER NOT NULL,
        at_ms INTEGER NOT NULL, who TEXT NOT NULL) WITHOUT ROWID;
    -- Who did what with the server.
    CREATE TABLE audit (seq INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, who TEXT NOT NULL, peer TEXT NOT NULL,
        what TEXT NOT NULL, graph BLOB, detail TEXT NOT NULL);
    CREATE TABLE settings (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
    -- When the person was taken out of this row.
    ALTER TABLE calls ADD COLUMN erased_ms INTEGER;
",
    r"
    -- Where phones are registered, as signalling wrote it down; a phone that is nowhere has no row.
    CREATE TABLE bindings (phone TEXT PRIMARY KEY, bindings BLOB NOT NULL, written_ms INTEGER NOT NULL) WITHOUT ROWID;
",
    r"
    -- 1: of the conversation, two channels: what the caller says left, what he hears right.
    ALTER TABLE recordings ADD COLUMN conversation INTEGER NOT NULL DEFAULT 0;
",
    r"
    -- How the caller's voice went over, as JSON.
    ALTER TABLE calls ADD COLUMN quality TEXT;
",
    r"
    -- Messages that are to leave, and cases; the key names what led to each, so that none is there twice.
    CREATE TABLE outbox (seq INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, call BLOB, channel TEXT NOT NULL,
        recipient TEXT NOT NULL, text TEXT NOT NULL, created_ms INTEGER NOT NULL);
    CREATE INDEX outbox_call ON outbox (call) WHERE call IS NOT NULL;
    CREATE TABLE cases (seq INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, call BLOB, kind TEXT NOT NULL,
        priority TEXT NOT NULL, opened_ms INTEGER NOT NULL);
",
    "
    -- Answers to surveys; the key names the request of each. A value may hold words of its person.
    CREATE TABLE answers (seq INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, call BLOB NOT NULL, survey TEXT NOT NULL,
        question TEXT NOT NULL, queue TEXT NOT NULL, value TEXT NOT NULL, personal INTEGER NOT NULL, recording INTEGER,
        given_ms INTEGER NOT NULL);
    CREATE INDEX answers_call ON answers (call);
    CREATE INDEX answers_given ON answers (given_ms);
",
    "
    -- What a rule is told of a message that is not delivered: which cadence wrote it, and in which language.
    ALTER TABLE outbox ADD COLUMN cadence TEXT;
    ALTER TABLE outbox ADD COLUMN language TEXT NOT NULL DEFAULT '';
",
];

/// Pages are given back to the file system by `incremental_vacuum` (SQLite's number of that mode).
const AUTO_VACUUM_INCREMENTAL: i64 = 2;

/// For writing. What is deleted is overwritten within its page; pages that become free keep theirs until they are
/// used again or given back.
pub(crate) fn open(path: &Path) -> Result<Connection, StoreError> {
    let failed = |cause: rusqlite::Error| StoreError::read(path, &cause);
    let connection = Connection::open(path).map_err(failed)?;
    connection.busy_timeout(BUSY_MAX).map_err(failed)?;
    // Before the first table, or it has no effect.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL").map_err(failed)?;
    connection.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
    connection.pragma_update_and_check(None, "secure_delete", "FAST", |_| Ok(())).map_err(failed)?;
    Ok(connection)
}

/// For reading alone, of a file whose schema is this program's.
pub(crate) fn open_read_only(path: &Path) -> Result<Connection, StoreError> {
    let failed = |cause: rusqlite::Error| StoreError::read(path, &cause);
    if !path.is_file() {
        return Err(StoreError::missing(path));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(BUSY_MAX).map_err(failed)?;
    let (found, known) = (version(&connection).map_err(failed)?, MIGRATIONS.len() as i64);
    match found.cmp(&known) {
        Ordering::Less => Err(StoreError::older(path, found, known)),
        Ordering::Equal => Ok(connection),
        Ordering::Greater => Err(StoreError::newer(path, found, known)),
    }
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

pub(crate) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let failed = |cause: rusqlite::Error| StoreError::read(path, &cause);
    let found = version(connection).map_err(failed)?;
    let known = MIGRATIONS.len() as i64;
    if found > known {
        return Err(StoreError::newer(path, found, known));
    }
    for (script, version) in MIGRATIONS.iter().zip(1..).skip(found as usize) {
        let transaction = connection.transaction().map_err(failed)?;
        transaction.execute_batch(script).map_err(failed)?;
        transaction.pragma_update(None, "user_version", version).map_err(failed)?;
        transaction.commit().map_err(failed)?;
    }
    let vacuum: i64 = connection.pragma_query_value(None, "auto_vacuum", |row| row.get(0)).map_err(failed)?;
    if vacuum != AUTO_VACUUM_INCREMENTAL {
        // A file of an older program: rewritten once.
        connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL; VACUUM;").map_err(failed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A database as the program of each earlier schema left it: its scripts, and nothing of later ones.
    fn database_of(path: &Path, version: usize) -> Connection {
        let connection = Connection::open(path).unwrap();
        connection.pragma_update(None, "journal_mode", "WAL").unwrap();
        for script in &MIGRATIONS[..version] {
            connection.execute_batch(script).unwrap();
        }
        connection.pragma_update(None, "user_version", version as i64).unwrap();
        connection
            .execute_batch(
                "INSERT INTO graphs VALUES (x'07', x'aa');
                 INSERT INTO intervals (ms, bytes) VALUES (5, x'00');
                 INSERT INTO parts VALUES (zeroblob(16), 0, zeroblob(32), x'010203');
                 INSERT INTO calls (call, leg_call_id, graph, flow, caller, person, called, started_ms, answered_ms,
                     ended_ms, end, last_step, notes, faults, recordings, journal)
                 VALUES (x'01010101010101010101010101010101', 'a@b', zeroblob(32), 'm.f', '+8613800000000', x'05',
                     '+864008100000', 1, NULL, 2, 'returned', 'm.f/main', '[[\"k\",\"v\"]]', 3, '[9]', x'0405');
                 INSERT INTO recordings (id, call, file, ms, created_ms) VALUES (9, x'01', 'recordings/9.wav', 700, 8);",
            )
            .unwrap();
        connection
    }

    #[test]
    fn a_database_of_each_earlier_schema_is_brought_up_to_date_and_read() {
        for version in 1..MIGRATIONS.len() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("strowger.db");
            drop(database_of(&path, version));
            let older = open_read_only(&path).unwrap_err();
            assert!(older.help.contains("strowger serve"), "{older}");
            let store = crate::Store::open(folder.path(), crate::Options::default(), |_| ()).unwrap();
            let calls = store.calls(10).unwrap();
            let [call] = calls.as_slice() else { panic!("schema {version}: {} calls", calls.len()) };
            assert_eq!((call.record.flow.as_str(), call.record.faults, &call.journal[..]), ("m.f", 3, &[4, 5][..]));
            assert_eq!(call.record.notes[0].1.reveal(), "v");
            assert_eq!((call.record.recordings.as_slice(), call.erased), (&[9][..], None));
            let open = store.open_calls().unwrap();
            assert_eq!((open.len(), &open[0].journal[..]), (1, &[1, 2, 3][..]));
            assert!(store.versions().unwrap().is_empty() && store.audit(10).unwrap().is_empty());
            drop(store);
            let connection = open_read_only(&path).unwrap();
            let row = "SELECT file, ms, partial, conversation FROM recordings WHERE id = 9";
            let row: (String, i64, bool, bool) = connection.query_row(row, [], |row| row.try_into()).unwrap();
            assert_eq!(row, ("recordings/9.wav".to_owned(), 700, false, false));
            let vacuum: i64 = connection.pragma_query_value(None, "auto_vacuum", |row| row.get(0)).unwrap();
            assert_eq!(vacuum, AUTO_VACUUM_INCREMENTAL);
        }
    }

    #[test]
    fn a_migrated_database_has_the_tables_of_a_new_one() {
        let shape = |folder: &Path| -> Vec<(String, String)> {
            drop(crate::Store::open(folder, crate::Options::default(), |_| ()).unwrap());
            let connection = open_read_only(&folder.join("strowger.db")).unwrap();
            let mut query =
                connection.prepare("SELECT name, COALESCE(sql, '') FROM sqlite_schema ORDER BY name").unwrap();
            query.query_map([], |row| row.try_into()).unwrap().collect::<Result<_, _>>().unwrap()
        };
        let (new, old) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        drop(database_of(&old.path().join("strowger.db"), 1));
        assert_eq!(shape(new.path()), shape(old.path()));
    }
}
