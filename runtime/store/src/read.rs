//! Questions to the database.

use std::collections::BTreeSet;

use runtime_contract::record::{CallId, CallRecord};
use runtime_contract::{GraphId, Redacted, Time};
use rusqlite::{Connection, OptionalExtension, Row};

use crate::interval::{Joined, Piece};
use crate::person::{self, Key};

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
    /// When the person was taken out of it.
    pub erased: Option<Time>,
}

/// Which calls somebody wants to see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallFilter {
    /// The whole number with its `+`, or its last digits.
    pub caller: Option<Redacted<String>>,
    /// A flow's name, with or without its module.
    pub flow: Option<String>,
    /// Begun at this time or later.
    pub since: Option<Time>,
    /// How it ended, or the first words of that.
    pub end: Option<String>,
    pub limit: u32,
}

/// Where a phone was. Addresses of people are in it: it is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredBindings {
    pub phone: String,
    pub bindings: Vec<u8>,
    pub written: Time,
}

pub(crate) fn bindings(connection: &Connection) -> rusqlite::Result<Vec<StoredBindings>> {
    let mut query = connection.prepare("SELECT phone, bindings, written_ms FROM bindings ORDER BY phone")?;
    let rows = query.query_map([], |row| {
        Ok(StoredBindings { phone: row.get(0)?, bindings: row.get(1)?, written: Time(row.get(2)?) })
    })?;
    rows.collect()
}

pub(crate) fn graph(connection: &Connection, id: GraphId) -> rusqlite::Result<Option<Vec<u8>>> {
    connection.query_row("SELECT bytes FROM graphs WHERE id = ?1", [&id.0[..]], |row| row.get(0)).optional()
}

pub(crate) fn recordings(connection: &Connection) -> rusqlite::Result<BTreeSet<u64>> {
    let mut query = connection.prepare("SELECT id FROM recordings")?;
    query.query_map([], |row| row.get::<_, i64>(0).map(|id| id as u64))?.collect()
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

pub(crate) fn damaged(cause: &dyn std::fmt::Display) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(
        0,
        rusqlite::types::Type::Blob,
        format!("damaged journal: {cause}").into(),
    )
}

const COLUMNS: &str = "call, leg_call_id, graph, flow, caller, called, started_ms, answered_ms, ended_ms, end, \
                       last_step, notes, faults, recordings, quality";

pub(crate) fn calls(connection: &Connection, limit: u32) -> rusqlite::Result<Vec<StoredCall>> {
    let mut query =
        connection.prepare(&format!("SELECT {COLUMNS}, journal, erased_ms FROM calls ORDER BY seq DESC LIMIT ?1"))?;
    query.query_map([limit], stored_call)?.collect()
}

pub(crate) fn call(connection: &Connection, id: CallId) -> rusqlite::Result<Option<StoredCall>> {
    let query = format!("SELECT {COLUMNS}, journal, erased_ms FROM calls WHERE call = ?1");
    connection.query_row(&query, [&id.0[..]], stored_call).optional()
}

pub(crate) fn call_ids(connection: &Connection, ending: &str) -> rusqlite::Result<Vec<CallId>> {
    let mut query = connection.prepare("SELECT call FROM calls WHERE lower(hex(call)) LIKE '%' || ?1 LIMIT 2")?;
    query.query_map([ending], |row| row.get(0).map(CallId))?.collect()
}

pub(crate) fn setting(connection: &Connection, name: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    connection.query_row("SELECT value FROM settings WHERE name = ?1", [name], |row| row.get(0)).optional()
}

pub(crate) fn records(connection: &Connection, key: &Key, filter: &CallFilter) -> rusqlite::Result<Vec<CallRecord>> {
    let CallFilter { caller, flow, since, end, limit } = filter;
    let caller = caller.as_ref().map(|caller| caller.reveal().as_str());
    // A whole number is found by the index; of its last digits every row is looked at.
    let person = caller.filter(|caller| caller.starts_with('+')).map(|caller| person::hash(key, caller));
    let ending = caller.filter(|_| person.is_none());
    let mut query = connection.prepare(&format!(
        "SELECT {COLUMNS} FROM calls WHERE (?1 IS NULL OR person = ?1) AND (?2 IS NULL OR caller LIKE '%' || ?2) \
         AND (?3 IS NULL OR flow = ?3 OR flow LIKE '%.' || ?3) AND (?4 IS NULL OR started_ms >= ?4) \
         AND (?5 IS NULL OR end LIKE ?5 || '%') ORDER BY seq DESC LIMIT ?6"
    ))?;
    let since = since.map(|since| since.0);
    let asked = (person.as_ref().map(|person| &person[..]), ending, flow, since, end, limit);
    query.query_map(asked, call_record)?.collect()
}

fn stored_call(row: &Row<'_>) -> rusqlite::Result<StoredCall> {
    let record = call_record(row)?;
    Ok(StoredCall { record, journal: row.get(15)?, erased: row.get::<_, Option<i64>>(16)?.map(Time) })
}

fn call_record(row: &Row<'_>) -> rusqlite::Result<CallRecord> {
    let notes: Vec<(String, String)> =
        serde_json::from_str(&row.get::<_, String>(11)?).map_err(|cause| damaged(&cause))?;
    let recordings: Vec<u64> = serde_json::from_str(&row.get::<_, String>(13)?).map_err(|cause| damaged(&cause))?;
    Ok(CallRecord {
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
        quality: match row.get::<_, Option<String>>(14)? {
            Some(quality) => Some(serde_json::from_str(&quality).map_err(|cause| damaged(&cause))?),
            None => None,
        },
    })
}
