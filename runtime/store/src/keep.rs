//! What is kept for how long: calls and recordings whose time is over, and graphs that nothing needs any more.
//! In small bites, so that commits of calls are not held up.

use std::path::Path;

use runtime_contract::{GraphId, Time};
use rusqlite::{Connection, Transaction};

use crate::read;

/// Oldest rows among which a bite is looked for.
const LOOKED_AT: u32 = 10_000;
/// The setting that holds the highest number of a recording that is gone, as 8 bytes (big-endian).
const RECORDING_MARK: &str = "recording_mark";

/// Deletes the oldest calls that ended before a time, at most `limit` of them.
pub(crate) fn forget_calls(transaction: &Transaction<'_>, before: Time, limit: u32) -> rusqlite::Result<usize> {
    // Rows stand in the order in which calls ended, within a commit. Some may lie in the future, written by a machine
    // whose clock was wrong: they must not keep those behind them.
    transaction.execute(
        "DELETE FROM calls WHERE seq IN (SELECT seq FROM (SELECT seq, ended_ms FROM calls ORDER BY seq LIMIT ?3) \
         WHERE ended_ms < ?1 LIMIT ?2)",
        (before.0, limit, LOOKED_AT),
    )
}

/// Recordings made before a time: their numbers and files.
pub(crate) fn old_recordings(
    connection: &Connection,
    before: Time,
    limit: u32,
) -> rusqlite::Result<Vec<(i64, String)>> {
    let mut query = connection.prepare("SELECT id, file FROM recordings WHERE created_ms < ?1 ORDER BY id LIMIT ?2")?;
    query.query_map((before.0, limit), |row| row.try_into())?.collect()
}

pub(crate) fn recordings_of(connection: &Connection, call: &[u8]) -> rusqlite::Result<Vec<(i64, String)>> {
    let mut query = connection.prepare("SELECT id, file FROM recordings WHERE call = ?1")?;
    query.query_map([call], |row| row.try_into())?.collect()
}

/// The file first: a row without a file is found again, a file without a row never.
pub(crate) fn remove_file(folder: &Path, file: &str) -> std::io::Result<()> {
    // Encrypted, it has another ending.
    for name in [file.to_owned(), format!("{file}.enc")] {
        match std::fs::remove_file(folder.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Takes a recording's row out and remembers its number: what was written about it must never lead to another's voice.
pub(crate) fn forget_recording(transaction: &Transaction<'_>, id: i64) -> rusqlite::Result<()> {
    transaction.prepare_cached("DELETE FROM recordings WHERE id = ?1")?.execute([id])?;
    raise_recording_mark(transaction, id)
}

pub(crate) fn raise_recording_mark(transaction: &Transaction<'_>, id: i64) -> rusqlite::Result<()> {
    if recording_mark(transaction)? < id {
        transaction
            .prepare_cached("INSERT OR REPLACE INTO settings (name, value) VALUES (?1, ?2)")?
            .execute((RECORDING_MARK, &id.to_be_bytes()[..]))?;
    }
    Ok(())
}

/// The highest number of all recordings that were ever deleted; 0 for none.
pub(crate) fn recording_mark(connection: &Connection) -> rusqlite::Result<i64> {
    let value = read::setting(connection, RECORDING_MARK)?;
    Ok(value.and_then(|bytes| bytes.try_into().ok()).map_or(0, i64::from_be_bytes))
}

/// Graphs that no call and no version needs. Reads all calls: not to be done while the store is held for writing.
pub(crate) fn unused_graphs(connection: &Connection) -> rusqlite::Result<Vec<GraphId>> {
    let mut query = connection.prepare(
        "SELECT id FROM graphs WHERE id NOT IN (SELECT graph FROM versions) AND id NOT IN (SELECT graph FROM calls) \
         AND id NOT IN (SELECT graph FROM parts)",
    )?;
    query.query_map([], |row| row.get(0).map(GraphId))?.collect()
}

/// Pages that are free go back to the file system, at most so many; gives how many are left.
pub(crate) fn give_back(connection: &Connection, pages: u32) -> rusqlite::Result<i64> {
    // The pragma frees a page a step.
    let mut query = connection.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
    let mut rows = query.query([])?;
    while rows.next()?.is_some() {}
    connection.pragma_query_value(None, "freelist_count", |row| row.get(0))
}
