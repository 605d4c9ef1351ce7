//! Answers to surveys: a row each, and how often each was given. Whom a survey was put to it does not know but by his call.

use runtime_contract::record::CallId;
use runtime_contract::write::Answer;
use runtime_contract::{Redacted, Time};
use rusqlite::{Connection, Transaction};

use crate::erase::Sought;

/// An answer as it lies in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAnswer {
    pub call: CallId,
    pub survey: String,
    pub question: String,
    pub queue: String,
    /// Empty where its person was erased.
    pub value: Redacted<String>,
    /// The value is in words of its person.
    pub personal: bool,
    pub recording: Option<u64>,
    pub given: Time,
}

/// How often an answer was given to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerCount {
    pub survey: String,
    pub question: String,
    /// `None`: all that was said in words.
    pub value: Option<String>,
    pub count: u64,
}

/// One whose key is there already is the same.
pub(crate) fn put(transaction: &Transaction<'_>, answer: &Answer) -> rusqlite::Result<()> {
    let Answer { key, call, survey, question, queue, value, personal, recording, given } = answer;
    let recording = recording.and_then(|recording| i64::try_from(recording).ok());
    transaction
        .prepare_cached(
            "INSERT OR IGNORE INTO answers (key, call, survey, question, queue, value, personal, recording, given_ms) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute((key, &call.0[..], survey, question, queue, value.reveal(), personal, recording, given.0))?;
    Ok(())
}

/// The newest, newest first.
pub(crate) fn newest(connection: &Connection, limit: u32) -> rusqlite::Result<Vec<StoredAnswer>> {
    let mut query = connection.prepare(
        "SELECT call, survey, question, queue, value, personal, recording, given_ms FROM answers ORDER BY seq DESC \
         LIMIT ?1",
    )?;
    let answer = |row: &rusqlite::Row<'_>| {
        Ok(StoredAnswer {
            call: CallId(row.get(0)?),
            survey: row.get(1)?,
            question: row.get(2)?,
            queue: row.get(3)?,
            value: Redacted::new(row.get(4)?),
            personal: row.get(5)?,
            recording: row.get::<_, Option<i64>>(6)?.and_then(|recording| u64::try_from(recording).ok()),
            given: Time(row.get(7)?),
        })
    };
    query.query_map([limit], answer)?.collect()
}

/// By survey, question and value.
pub(crate) fn counts(connection: &Connection) -> rusqlite::Result<Vec<AnswerCount>> {
    let mut query = connection.prepare(
        "SELECT survey, question, CASE WHEN personal OR recording IS NOT NULL THEN NULL ELSE value END AS said, COUNT(*) \
         FROM answers GROUP BY survey, question, said ORDER BY survey, question, said",
    )?;
    let count = |row: &rusqlite::Row<'_>| {
        let count: i64 = row.get(3)?;
        Ok(AnswerCount {
            survey: row.get(0)?,
            question: row.get(1)?,
            value: row.get(2)?,
            count: u64::try_from(count).unwrap_or(0),
        })
    };
    query.query_map([], count)?.collect()
}

/// Deletes what was given before a time, at most `limit` of it.
pub(crate) fn forget(transaction: &Transaction<'_>, before: Time, limit: u32) -> rusqlite::Result<usize> {
    transaction
        .prepare_cached("DELETE FROM answers WHERE seq IN (SELECT seq FROM answers WHERE given_ms < ?1 LIMIT ?2)")?
        .execute((before.0, limit))
}

/// What an erased person said in a call. That he answered stays, and what he keyed says nothing of who he is.
pub(crate) fn blank_of_call(transaction: &Transaction<'_>, call: &[u8]) -> rusqlite::Result<()> {
    transaction.prepare_cached("UPDATE answers SET value = '' WHERE call = ?1 AND personal")?.execute([call])?;
    Ok(())
}

/// What others have said in words that speaks of the number.
pub(crate) fn blank_mentions(transaction: &Transaction<'_>, sought: &Sought) -> rusqlite::Result<()> {
    let mut query = transaction.prepare_cached("SELECT seq, value FROM answers WHERE personal")?;
    let mut blank = transaction.prepare_cached("UPDATE answers SET value = '' WHERE seq = ?1")?;
    let mut found: Vec<i64> = Vec::new();
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        if sought.stands_in_text(&row.get::<_, String>(1)?) {
            found.push(row.get(0)?);
        }
    }
    for seq in found {
        blank.execute([seq])?;
    }
    Ok(())
}
