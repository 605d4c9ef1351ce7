//! What can be handed to the store, and how it lies there.

use std::collections::BTreeMap;

use runtime_contract::record::CallId;
use runtime_contract::{GraphId, Time, Write};
use rusqlite::Connection;

/// File of a recording, relative to the data folder.
pub fn recording_file(recording: u64) -> String {
    format!("recordings/{recording}.wav")
}

/// What a write weighs against the bound of what may wait.
pub(crate) fn bytes(write: &Write) -> usize {
    let fixed = 64;
    fixed
        + match write {
            Write::Journal { journal, .. } => journal.len(),
            Write::Recording { .. } | Write::Quality { .. } | Write::Case(_) => 0,
            Write::Message(message) => message.text.reveal().len(),
            Write::Answer(answer) => answer.value.reveal().len(),
            Write::End { journal, .. } => 512 + journal.len(),
        }
}

/// What an open call has written from this offset of its journal on.
pub(crate) fn part(
    connection: &Connection,
    call: CallId,
    offset: u64,
    graph: GraphId,
    bytes: &[u8],
) -> rusqlite::Result<()> {
    let mut insert = connection
        .prepare_cached("INSERT OR REPLACE INTO parts (call, offset, graph, bytes) VALUES (?1, ?2, ?3, ?4)")?;
    insert.execute((&call.0[..], offset as i64, &graph.0[..], bytes))?;
    Ok(())
}

/// Where phones are now.
pub(crate) fn bindings(
    connection: &Connection,
    bindings: &BTreeMap<String, Vec<u8>>,
    written: Time,
) -> rusqlite::Result<()> {
    for (phone, bindings) in bindings {
        match bindings.is_empty() {
            true => connection.prepare_cached("DELETE FROM bindings WHERE phone = ?1")?.execute([phone])?,
            false => connection
                .prepare_cached("INSERT OR REPLACE INTO bindings (phone, bindings, written_ms) VALUES (?1, ?2, ?3)")?
                .execute((phone, bindings, written.0))?,
        };
    }
    Ok(())
}
