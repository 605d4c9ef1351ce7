//! The tables, and how an older file is brought up to date. Each change is a new entry of [`MIGRATIONS`];
//! none is ever edited.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use crate::StoreError;

const MIGRATIONS: &[&str] = &[
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
];

pub(crate) fn open(path: &Path) -> Result<Connection, StoreError> {
    let failed = |cause: rusqlite::Error| StoreError::read(path, &cause);
    let connection = Connection::open(path).map_err(failed)?;
    connection.busy_timeout(Duration::from_millis(500)).map_err(failed)?;
    connection.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
    Ok(connection)
}

pub(crate) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let failed = |cause: rusqlite::Error| StoreError::read(path, &cause);
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)?;
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
    Ok(())
}
