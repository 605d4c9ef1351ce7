//! What can be handed to the store.

use runtime_contract::record::{CallId, CallRecord};
use runtime_contract::{GraphId, Time};
use rusqlite::Connection;

use crate::interval::Start;

/// One thing to keep. Journal bytes are opaque here and are appended in the order of submission.
#[derive(Clone, Debug)]
pub enum Write {
    /// A call begins. `dialog` is what the signalling room needs to end it after a crash.
    Start { call: CallId, graph: GraphId, started: Time, dialog: Vec<u8>, journal: Vec<u8> },
    /// More of an open call's journal.
    Journal { call: CallId, journal: Vec<u8> },
    /// A recording whose file is synced already. `file` is relative to the data folder.
    Recording { id: u64, call: CallId, file: String, ms: u32, created: Time },
    /// The call is over: its record, and the last of its journal. Nothing follows for this call.
    End { record: Box<CallRecord>, journal: Vec<u8> },
}

impl Write {
    /// What it weighs against the bound of what may wait.
    pub(crate) fn bytes(&self) -> usize {
        let fixed = 64;
        fixed
            + match self {
                Write::Start { dialog, journal, .. } => dialog.len() + journal.len(),
                Write::Journal { journal, .. } => journal.len(),
                Write::Recording { file, .. } => file.len(),
                Write::End { journal, .. } => 512 + journal.len(),
            }
    }
}

/// What an open call has written from this offset of its journal on.
pub(crate) fn part(
    connection: &Connection,
    call: CallId,
    offset: u64,
    start: &Start,
    bytes: &[u8],
) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT OR REPLACE INTO parts (call, offset, graph, started_ms, dialog, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    insert.execute((&call.0[..], offset as i64, &start.graph.0[..], start.started.0, &start.dialog, bytes))?;
    Ok(())
}
