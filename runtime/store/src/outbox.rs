//! What calls hand over to be delivered or looked into: messages and cases, each once. It delivers nothing.

use runtime_contract::record::CallId;
use runtime_contract::write::{Case, Message};
use runtime_contract::{Redacted, Time};
use rusqlite::{Connection, Transaction};

use crate::erase::Sought;

/// A message as it lies in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMessage {
    pub call: Option<CallId>,
    pub cadence: Option<String>,
    pub channel: String,
    /// Empty, as the text, where its person was erased.
    pub to: Redacted<String>,
    pub text: Redacted<String>,
    pub language: String,
    pub created: Time,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCase {
    pub call: Option<CallId>,
    pub kind: String,
    pub priority: String,
    pub opened: Time,
}

/// One whose key is there already is the same.
pub(crate) fn put_message(transaction: &Transaction<'_>, message: &Message) -> rusqlite::Result<()> {
    let Message { key, call, cadence, channel, to, text, language, created } = message;
    transaction
        .prepare_cached(
            "INSERT OR IGNORE INTO outbox (key, call, cadence, channel, recipient, text, language, created_ms) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute((key, call.map(|call| call.0), cadence, channel, to.reveal(), text.reveal(), language, created.0))?;
    Ok(())
}

pub(crate) fn put_case(transaction: &Transaction<'_>, case: &Case) -> rusqlite::Result<()> {
    let Case { key, call, kind, priority, opened } = case;
    transaction
        .prepare_cached(
            "INSERT OR IGNORE INTO cases (key, call, kind, priority, opened_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute((key, call.map(|call| call.0), kind, priority.name(), opened.0))?;
    Ok(())
}

/// The newest, newest first.
pub(crate) fn messages(connection: &Connection, limit: u32) -> rusqlite::Result<Vec<StoredMessage>> {
    let mut query = connection.prepare(
        "SELECT call, cadence, channel, recipient, text, language, created_ms FROM outbox ORDER BY seq DESC LIMIT ?1",
    )?;
    let message = |row: &rusqlite::Row<'_>| {
        Ok(StoredMessage {
            call: row.get::<_, Option<[u8; 16]>>(0)?.map(CallId),
            cadence: row.get(1)?,
            channel: row.get(2)?,
            to: Redacted::new(row.get(3)?),
            text: Redacted::new(row.get(4)?),
            language: row.get(5)?,
            created: Time(row.get(6)?),
        })
    };
    query.query_map([limit], message)?.collect()
}

/// The newest, newest first.
pub(crate) fn cases(connection: &Connection, limit: u32) -> rusqlite::Result<Vec<StoredCase>> {
    let mut query =
        connection.prepare("SELECT call, kind, priority, opened_ms FROM cases ORDER BY seq DESC LIMIT ?1")?;
    let case = |row: &rusqlite::Row<'_>| {
        Ok(StoredCase {
            call: row.get::<_, Option<[u8; 16]>>(0)?.map(CallId),
            kind: row.get(1)?,
            priority: row.get(2)?,
            opened: Time(row.get(3)?),
        })
    };
    query.query_map([limit], case)?.collect()
}

/// Deletes what was handed over before a time, at most `limit` of each; gives the greater number.
pub(crate) fn forget(transaction: &Transaction<'_>, before: Time, limit: u32) -> rusqlite::Result<usize> {
    let mut gone = 0;
    for (table, column) in [("outbox", "created_ms"), ("cases", "opened_ms")] {
        let statement =
            format!("DELETE FROM {table} WHERE seq IN (SELECT seq FROM {table} WHERE {column} < ?1 LIMIT ?2)");
        gone = transaction.prepare_cached(&statement)?.execute((before.0, limit))?.max(gone);
    }
    Ok(gone)
}

/// What a call of an erased person wrote, to whomever.
pub(crate) fn blank_of_call(transaction: &Transaction<'_>, call: &[u8]) -> rusqlite::Result<()> {
    transaction.prepare_cached("UPDATE outbox SET recipient = '', text = '' WHERE call = ?1")?.execute([call])?;
    Ok(())
}

/// What was written to a person, or speaks of the number.
pub(crate) fn blank_mentions(transaction: &Transaction<'_>, sought: &Sought) -> rusqlite::Result<()> {
    let mut query = transaction.prepare_cached("SELECT seq, recipient, text FROM outbox")?;
    let mut blank = transaction.prepare_cached("UPDATE outbox SET recipient = '', text = '' WHERE seq = ?1")?;
    let mut found: Vec<i64> = Vec::new();
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let (to, text): (String, String) = (row.get(1)?, row.get(2)?);
        if sought.stands_in(&to) || sought.stands_in_text(&text) {
            found.push(row.get(0)?);
        }
    }
    for seq in found {
        blank.execute([seq])?;
    }
    Ok(())
}
