//! What is kept for how long: calls and recordings whose time is over, and graphs that nothing needs any more.
//! In small bites, so that commits of calls are not held up.

use std::path::Path;

use runtime_contract::{GraphId, Time};
use rusqlite::{Connection, Transaction};

/// Deletes the oldest calls that ended before a time, at most `limit` of them.
pub(crate) fn forget_calls(transaction: &Transaction<'_>, before: Time, limit: u32) -> rusqlite::Result<usize> {
    // Rows stand in the order in which calls ended, within a commit; the first young one ends the search.
    transaction.execute(
        "DELETE FROM calls WHERE seq IN (SELECT seq FROM calls ORDER BY seq LIMIT ?2) AND ended_ms < ?1",
        (before.0, limit),
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

/// Graphs that no call, no open journal and no version needs.
pub(crate) fn forget_graphs(transaction: &Transaction<'_>, open: &[GraphId]) -> rusqlite::Result<usize> {
    let mut query = transaction.prepare(
        "SELECT id FROM graphs WHERE id NOT IN (SELECT graph FROM versions) AND id NOT IN (SELECT graph FROM calls) \
         AND id NOT IN (SELECT graph FROM parts)",
    )?;
    let unused = query.query_map([], |row| row.get(0).map(GraphId))?.collect::<rusqlite::Result<Vec<_>>>()?;
    let mut forgotten = 0;
    for graph in unused.iter().filter(|graph| !open.contains(graph)) {
        forgotten += transaction.execute("DELETE FROM graphs WHERE id = ?1", [&graph.0[..]])?;
    }
    Ok(forgotten)
}

/// Pages that are free go back to the file system, at most so many; gives how many are left.
pub(crate) fn give_back(connection: &Connection, pages: u32) -> rusqlite::Result<i64> {
    // The pragma frees a page a step.
    let mut query = connection.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
    let mut rows = query.query([])?;
    while rows.next()?.is_some() {}
    connection.pragma_query_value(None, "freelist_count", |row| row.get(0))
}
