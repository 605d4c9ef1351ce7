//! What can be handed to the store.

use runtime_contract::record::{CallId, CallRecord};
use runtime_contract::{GraphId, Time};
use rusqlite::Connection;

/// One thing to keep. Journal bytes are opaque here and are appended in the order of submission.
#[derive(Clone, Debug)]
pub enum Write {
    /// More of a call's journal; the first opens the call.
    Journal { call: CallId, graph: GraphId, journal: Vec<u8> },
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
    graph: GraphId,
    bytes: &[u8],
) -> rusqlite::Result<()> {
    let mut insert = connection
        .prepare_cached("INSERT OR REPLACE INTO parts (call, offset, graph, bytes) VALUES (?1, ?2, ?3, ?4)")?;
    insert.execute((&call.0[..], offset as i64, &graph.0[..], bytes))?;
    Ok(())
}
