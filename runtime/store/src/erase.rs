//! Takes a person out of what is kept: number, notes, what was keyed and answered, recordings. Rows, times and steps
//! stay. Also where others speak of the number, as far as it stands there as it is written or as a journal's number.

use std::collections::HashSet;
use std::path::Path;

use runtime_contract::Time;
use runtime_contract::record::CallId;
use rusqlite::{Connection, OptionalExtension, Transaction};

use crate::interval::Piece;
use crate::person::{self, Key};
use crate::{answers, keep, outbox, read};

/// What an erasure found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Calls of the person.
    pub calls: u64,
    /// Calls of others in which the number stood.
    pub mentions: u64,
    pub recordings: u64,
    /// Calls with this number that are not over: they are kept until they are.
    pub going_on: u64,
}

/// Rows looked at in one reading.
const BITE: u32 = 200;
/// Shorter numbers are looked for as callers only: their digits stand in too much else.
const DIGITS_MENTIONED_MIN: usize = 6;
/// Shorter varints stand by chance in too many journals.
const VARINT_BYTES_MIN: usize = 4;
/// So far before its end the beginning of a text is looked for.
const TEXT_BYTES_MAX: usize = 1_024;

/// Makes of a journal one without its person; `None` where it cannot be read.
pub type Blank<'b> = &'b dyn Fn(&[u8]) -> Option<Vec<u8>>;

/// In what forms a number is kept.
pub(crate) struct Sought {
    people: Vec<[u8; 32]>,
    /// Its digits, without `00` before them; empty where they are too few to be looked for in texts.
    digits: Vec<u8>,
    /// The number as a journal's varint; empty where that is too short.
    varint: Vec<u8>,
}

impl Sought {
    pub fn new(key: &Key, number: &str) -> Sought {
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        let mut people = vec![number.to_owned()];
        for digits in [&digits, bare(&digits)] {
            if !digits.is_empty() {
                people.extend([digits.to_owned(), format!("+{digits}")]);
            }
        }
        people.sort();
        people.dedup();
        let telling = digits.trim_start_matches('0').len();
        let mentioned = if telling >= DIGITS_MENTIONED_MIN { bare(&digits) } else { "" };
        let varint = mentioned.parse().map_or_else(|_| Vec::new(), varint);
        Sought {
            people: people.iter().map(|number| person::hash(key, number)).collect(),
            digits: mentioned.as_bytes().to_vec(),
            varint: if varint.len() >= VARINT_BYTES_MIN { varint } else { Vec::new() },
        }
    }

    /// As a whole: a number that only begins or ends with the same digits is somebody else's.
    pub fn stands_in(&self, text: &str) -> bool {
        let mut runs = text.split(|c: char| !c.is_ascii_digit());
        !self.digits.is_empty() && runs.any(|run| bare(run).as_bytes() == self.digits)
    }

    /// The same in words for people, who write a number in groups: `+86 138 0000 0000`.
    pub fn stands_in_text(&self, text: &str) -> bool {
        let groups = |sign: char| !sign.is_ascii_digit() && !" -.()".contains(sign);
        text.split(groups).any(|run| self.stands_in(&run.chars().filter(char::is_ascii_digit).collect::<String>()))
            || self.stands_in(text)
    }

    /// The same in bytes, where texts stand behind their length: a length may look like a digit, and it ends the text
    /// before it. In doubt it is the person's.
    fn stands_in_bytes(&self, bytes: &[u8]) -> bool {
        let whole = |from: usize| {
            let (before, behind) = bytes.split_at(from);
            let (_, behind) = behind.split_at(self.digits.len());
            let free = before.strip_suffix(b"00").unwrap_or(before);
            (!free.last().is_some_and(u8::is_ascii_digit) || begins_text(free, bytes))
                && (!behind.first().is_some_and(u8::is_ascii_digit) || ends_text(bytes, from + self.digits.len()))
        };
        let found = |form: &[u8]| !form.is_empty() && bytes.windows(form.len()).any(|window| window == form);
        let mut places = bytes.windows(self.digits.len().max(1)).enumerate();
        found(&self.varint)
            || !self.digits.is_empty() && places.any(|(from, window)| window == self.digits && whole(from))
    }
}

/// Without the prefix of a number that is dialled from another country.
fn bare(digits: &str) -> &str {
    digits.strip_prefix("00").unwrap_or(digits)
}

/// The last byte before is the length of a text that begins behind it.
fn begins_text(before: &[u8], bytes: &[u8]) -> bool {
    let length = before.last().copied().unwrap_or(0);
    let text = bytes.get(before.len()..before.len() + usize::from(length));
    text.is_some_and(is_text)
}

/// Before `end` stands a text with its length.
fn ends_text(bytes: &[u8], end: usize) -> bool {
    let from = end.saturating_sub(TEXT_BYTES_MAX);
    let before = bytes.get(from..end).unwrap_or_default();
    before.iter().enumerate().any(|(at, low)| {
        let text = before.get(at + 1..).unwrap_or_default();
        let long = text.split_first().filter(|_| *low >= 0x80).is_some_and(|(high, text)| {
            usize::from(*low & 0x7f) | usize::from(*high) << 7 == text.len() && is_text(text)
        });
        long || usize::from(*low) == text.len() && is_text(text)
    })
}

fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| (b' '..=b'~').contains(byte))
}

/// LEB128, as journals write numbers.
fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// One row as far as an erasure looks at it.
struct Row {
    seq: i64,
    call: Vec<u8>,
    is_person: bool,
    leg_call_id: String,
    called: String,
    notes: String,
    journal: Vec<u8>,
}

/// Rows that are to change of those that were looked at.
pub(crate) struct Bite {
    rows: Vec<Row>,
    /// The last row looked at; the next bite begins behind it.
    pub last: i64,
    /// None was left behind it.
    pub is_last: bool,
}

pub(crate) fn bite(connection: &Connection, sought: &Sought, behind: i64) -> rusqlite::Result<Bite> {
    let mut query = connection.prepare_cached(
        "SELECT seq, call, person, leg_call_id, called, notes, journal, caller FROM calls WHERE seq > ?1 \
         ORDER BY seq LIMIT ?2",
    )?;
    let mut rows = query.query((behind, BITE))?;
    let mut bite = Bite { rows: Vec::new(), last: behind, is_last: true };
    let mut count = 0;
    while let Some(row) = rows.next()? {
        let person: Option<Vec<u8>> = row.get(2)?;
        let caller: Option<String> = row.get(7)?;
        let found = Row {
            seq: row.get(0)?,
            call: row.get(1)?,
            // A caller that is written otherwise (an address with the number in it) is the same person.
            is_person: person.is_some_and(|person| sought.people.iter().any(|known| known[..] == person[..]))
                || caller.is_some_and(|caller| sought.stands_in(&caller)),
            leg_call_id: row.get(3)?,
            called: row.get(4)?,
            notes: row.get(5)?,
            journal: row.get(6)?,
        };
        count += 1;
        bite.last = found.seq;
        bite.is_last = count < BITE;
        let texts = [&found.leg_call_id, &found.called, &found.notes];
        if found.is_person
            || texts.into_iter().any(|text| sought.stands_in(text))
            || sought.stands_in_bytes(&found.journal)
        {
            bite.rows.push(found);
        }
    }
    Ok(bite)
}

impl Bite {
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Overwrites these rows and deletes their recordings.
    pub fn erase(
        &self,
        transaction: &Transaction<'_>,
        folder: &Path,
        sought: &Sought,
        at: Time,
        blank: Blank<'_>,
        erased: &mut Erased,
    ) -> rusqlite::Result<()> {
        for row in &self.rows {
            let without = |text: &str| if sought.stands_in(text) { String::new() } else { text.to_owned() };
            let journal = match row.is_person || sought.stands_in_bytes(&row.journal) {
                true => blank(&row.journal).unwrap_or_default(),
                false => row.journal.clone(),
            };
            let notes = blank_notes(&row.notes, |value| row.is_person || sought.stands_in(value));
            let leg_call_id = if row.is_person { String::new() } else { without(&row.leg_call_id) };
            transaction
                .prepare_cached(
                    "UPDATE calls SET leg_call_id = ?2, called = ?3, notes = ?4, journal = ?5, erased_ms = ?6 \
                     WHERE seq = ?1",
                )?
                .execute((row.seq, leg_call_id, without(&row.called), notes, journal, at.0))?;
            if !row.is_person {
                erased.mentions += 1;
                continue;
            }
            transaction
                .prepare_cached("UPDATE calls SET caller = NULL, person = NULL WHERE seq = ?1")?
                .execute([row.seq])?;
            erased.calls += 1;
            outbox::blank_of_call(transaction, &row.call)?;
            answers::blank_of_call(transaction, &row.call)?;
            for (id, file) in keep::recordings_of(transaction, &row.call)? {
                keep::remove_file(folder, &file)
                    .map_err(|cause| rusqlite::Error::ToSqlConversionFailure(cause.into()))?;
                keep::forget_recording(transaction, id)?;
                erased.recordings += 1;
            }
        }
        Ok(())
    }
}

/// Keys stay; values that are to go become empty.
fn blank_notes(json: &str, goes: impl Fn(&str) -> bool) -> String {
    let notes: Vec<(String, String)> = serde_json::from_str(json).unwrap_or_default();
    let notes: Vec<(String, String)> =
        notes.into_iter().map(|(key, value)| if goes(&value) { (key, String::new()) } else { (key, value) }).collect();
    serde_json::to_string(&notes).unwrap_or_else(|_| "[]".into())
}

/// Group commits in which the number stands, and the last of all that were looked at.
pub(crate) fn commits(connection: &Connection, sought: &Sought, behind: i64) -> rusqlite::Result<(Vec<i64>, i64)> {
    let (mut found, mut last) = (Vec::new(), behind);
    let mut query = connection.prepare_cached("SELECT seq, bytes FROM intervals WHERE seq > ?1 ORDER BY seq")?;
    let mut rows = query.query([behind])?;
    while let Some(row) = rows.next()? {
        last = row.get(0)?;
        if sought.stands_in_bytes(row.get_ref(1)?.as_blob().unwrap_or_default()) {
            found.push(last);
        }
    }
    Ok((found, last))
}

pub(crate) fn newest_commit(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT coalesce(max(seq), 0) FROM intervals", [], |row| row.get(0))
}

/// What these group commits still hold of finished calls goes; calls going on that have written the number stay, and
/// are put to the others.
pub(crate) fn pieces(
    transaction: &Transaction<'_>,
    sought: &Sought,
    commits: &[i64],
    going_on: &mut HashSet<CallId>,
) -> rusqlite::Result<()> {
    let mut finished = transaction.prepare_cached("SELECT 1 FROM calls WHERE call = ?1")?;
    let mut query = transaction.prepare_cached("SELECT bytes FROM intervals WHERE seq = ?1")?;
    for seq in commits {
        // What no open call needs any more may be gone by now.
        let Some(bytes): Option<Vec<u8>> = query.query_row([seq], |row| row.get(0)).optional()? else { continue };
        let pieces: Vec<Piece> = postcard::from_bytes(&bytes).map_err(|cause| read::damaged(&cause))?;
        let mut kept = Vec::new();
        for piece in pieces {
            // What a finished call has written is in its own row.
            if finished.exists([&piece.call.0[..]])? {
                continue;
            }
            if sought.stands_in_bytes(&piece.bytes) {
                going_on.insert(piece.call);
            }
            kept.push(piece);
        }
        let bytes = postcard::to_stdvec(&kept).map_err(|cause| read::damaged(&cause))?;
        transaction.execute("UPDATE intervals SET bytes = ?2 WHERE seq = ?1", (seq, bytes))?;
    }
    Ok(())
}

/// Calls going on in whose journal the number stands, by what was put together of it.
pub(crate) fn parts(connection: &Connection, sought: &Sought, going_on: &mut HashSet<CallId>) -> rusqlite::Result<()> {
    let mut query = connection.prepare_cached("SELECT call, bytes FROM parts")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        if sought.stands_in_bytes(row.get_ref(1)?.as_blob().unwrap_or_default()) {
            going_on.insert(CallId(row.get(0)?));
        }
    }
    Ok(())
}
