//! Questions to the database.

use runtime_contract::record::{CallId, CallRecord};
use runtime_contract::{GraphId, Redacted, Time};
use rusqlite::{Connection, OptionalExtension, Row};

use crate::interval::{Joined, Piece};

/// A call without a record: what is known of it.
#[derive(Clone, PartialEq, Eq)]
pub struct OpenCall {
    pub call: CallId,
    pub graph: GraphId,
    pub journal: Vec<u8>,
}

impl std::fmt::Debug for OpenCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OpenCall({}, {} bytes)", self.call.hex(), self.journal.len())
    }
}

/// A finished call as it was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCall {
    pub record: CallRecord,
    pub journal: Vec<u8>,
}

pub(crate) fn graph(connection: &Connection, id: GraphId) -> rusqlite::Result<Option<Vec<u8>>> {
    connection.query_row("SELECT bytes FROM graphs WHERE id = ?1", [&id.0[..]], |row| row.get(0)).optional()
}

pub(crate) fn open_calls(connection: &Connection) -> rusqlite::Result<Vec<OpenCall>> {
    let mut joined = Joined::default();
    let mut parts = connection.prepare("SELECT call, offset, graph, bytes FROM parts ORDER BY call, offset")?;
    let mut rows = parts.query([])?;
    while let Some(row) = rows.next()? {
        let offset: i64 = row.get(1)?;
        let (call, graph) = (CallId(row.get(0)?), GraphId(row.get(2)?));
        joined.take(Piece { call, offset: offset as u64, graph, bytes: row.get(3)? });
    }
    let mut intervals = connection.prepare("SELECT bytes FROM intervals ORDER BY seq")?;
    let mut rows = intervals.query([])?;
    while let Some(row) = rows.next()? {
        let bytes: Vec<u8> = row.get(0)?;
        let pieces: Vec<Piece> = postcard::from_bytes(&bytes).map_err(|cause| damaged(&cause))?;
        pieces.into_iter().for_each(|piece| joined.take(piece));
    }
    let mut finished = connection.prepare("SELECT 1 FROM calls WHERE call = ?1")?;
    let mut left = Vec::new();
    for call in joined.into_calls() {
        if !finished.exists([&call.call.0[..]])? {
            left.push(call);
        }
    }
    Ok(left)
}

fn damaged(cause: &dyn std::fmt::Display) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(
        0,
        rusqlite::types::Type::Blob,
        format!("damaged journal: {cause}").into(),
    )
}

const COLUMNS: &str = "call, leg_call_id, graph, flow, caller, called, started_ms, answered_ms, ended_ms, end, \
                       last_step, notes, faults, recordings, journal";

pub(crate) fn calls(connection: &Connection, limit: u32) -> rusqlite::Result<Vec<StoredCall>> {
    let mut query = connection.prepare(&format!("SELECT {COLUMNS} FROM calls ORDER BY seq DESC LIMIT ?1"))?;
    query.query_map([limit], stored_call)?.collect()
}

pub(crate) fn call(connection: &Connection, id: CallId) -> rusqlite::Result<Option<StoredCall>> {
    connection.query_row(&format!("SELECT {COLUMNS} FROM calls WHERE call = ?1"), [&id.0[..]], stored_call).optional()
}

fn stored_call(row: &Row<'_>) -> rusqlite::Result<StoredCall> {
    let notes: Vec<(String, String)> =
        serde_json::from_str(&row.get::<_, String>(11)?).map_err(|cause| damaged(&cause))?;
    let recordings: Vec<u64> = serde_json::from_str(&row.get::<_, String>(13)?).map_err(|cause| damaged(&cause))?;
    let record = CallRecord {
        call: CallId(row.get(0)?),
        leg_call_id: row.get(1)?,
        graph: GraphId(row.get(2)?),
        flow: row.get(3)?,
        caller: row.get::<_, Option<String>>(4)?.map(Redacted::new),
        called: row.get(5)?,
        started: Time(row.get(6)?),
        answered: row.get::<_, Option<i64>>(7)?.map(Time),
        ended: Time(row.get(8)?),
        end: row.get(9)?,
        last_step: row.get(10)?,
        notes: notes.into_iter().map(|(key, value)| (key, Redacted::new(value))).collect(),
        faults: row.get(12)?,
        recordings,
    };
    Ok(StoredCall { record, journal: row.get(14)? })
}
