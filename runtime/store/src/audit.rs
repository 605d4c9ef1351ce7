//! Who did what with the server, when: one row for each act, kept for ever. It names no caller.

use runtime_contract::{GraphId, Time};
use rusqlite::{Connection, Row};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    pub at: Time,
    /// As the command line says it: the user of the operating system. `strowger` for what it did by itself.
    pub who: String,
    /// Address from which it was asked; empty for what came from no network.
    pub peer: String,
    /// `deploy`, `rollback`, `refused`, …
    pub what: String,
    pub graph: Option<GraphId>,
    pub detail: String,
}

pub(crate) fn add(connection: &Connection, entry: &AuditEntry) -> rusqlite::Result<()> {
    let AuditEntry { at, who, peer, what, graph, detail } = entry;
    let graph = graph.as_ref().map(|graph| &graph.0[..]);
    connection
        .prepare_cached("INSERT INTO audit (at_ms, who, peer, what, graph, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
        .execute((at.0, who, peer, what, graph, detail))?;
    Ok(())
}

pub(crate) fn newest(connection: &Connection, limit: u32) -> rusqlite::Result<Vec<AuditEntry>> {
    let mut query =
        connection.prepare("SELECT at_ms, who, peer, what, graph, detail FROM audit ORDER BY seq DESC LIMIT ?1")?;
    query.query_map([limit], entry)?.collect()
}

fn entry(row: &Row<'_>) -> rusqlite::Result<AuditEntry> {
    Ok(AuditEntry {
        at: Time(row.get(0)?),
        who: row.get(1)?,
        peer: row.get(2)?,
        what: row.get(3)?,
        graph: row.get::<_, Option<[u8; 32]>>(4)?.map(GraphId),
        detail: row.get(5)?,
    })
}
