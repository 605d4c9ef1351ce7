//! Takes a person out of what is kept: number, notes, what was keyed and answered, recordings. Rows, times and steps
//! stay. Also where others speak of the number, as far as it stands there as it is written or as a journal's number.

use std::collections::HashSet;
use std::path::Path;

use runtime_contract::Time;
use runtime_contract::record::CallId;
use rusqlite::{Connection, Transaction};

use crate::interval::Piece;
use crate::person::{self, Key};
use crate::{keep, read};

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

/// Makes of a journal one without its person; `None` where it cannot be read.
pub type Blank<'b> = &'b dyn Fn(&[u8]) -> Option<Vec<u8>>;

/// In what forms a number is kept.
pub(crate) struct Sought {
    people: Vec<[u8; 32]>,
    /// As written, and as a journal's varint.
    forms: Vec<Vec<u8>>,
    digits: String,
}

impl Sought {
    pub fn new(key: &Key, number: &str) -> Sought {
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        let mut people = vec![number.to_owned(), digits.clone(), format!("+{digits}")];
        people.sort();
        people.dedup();
        let mut forms = Vec::new();
        if digits.len() >= DIGITS_MENTIONED_MIN {
            forms.push(digits.clone().into_bytes());
            forms.extend(digits.parse().ok().map(varint).filter(|form| form.len() >= VARINT_BYTES_MIN));
        }
        Sought { people: people.iter().map(|number| person::hash(key, number)).collect(), forms, digits }
    }

    /// As a whole, behind any `00` of a prefix: a number that only begins with the same digits is somebody else's.
    fn stands_whole_in(&self, text: &str) -> bool {
        let bare = |digits: &str| digits.trim_start_matches('0').to_owned();
        let mut runs = text.split(|c: char| !c.is_ascii_digit());
        !self.forms.is_empty() && runs.any(|run| bare(run) == bare(&self.digits))
    }

    fn stands_in(&self, bytes: &[u8]) -> bool {
        self.forms.iter().any(|form| bytes.windows(form.len()).any(|window| window == form))
    }
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

/// Rows behind this one that are to change; and where the next bite begins, while there is more.
pub(crate) struct Bite {
    rows: Vec<Row>,
    pub next: Option<i64>,
}

pub(crate) fn bite(connection: &Connection, sought: &Sought, behind: i64) -> rusqlite::Result<Bite> {
    let mut query = connection.prepare_cached(
        "SELECT seq, call, person, leg_call_id, called, notes, journal, caller FROM calls WHERE seq > ?1 \
         ORDER BY seq LIMIT ?2",
    )?;
    let mut rows = query.query((behind, BITE))?;
    let mut bite = Bite { rows: Vec::new(), next: None };
    let mut count = 0;
    while let Some(row) = rows.next()? {
        let person: Option<Vec<u8>> = row.get(2)?;
        let caller: Option<String> = row.get(7)?;
        let found = Row {
            seq: row.get(0)?,
            call: row.get(1)?,
            // A caller that is written otherwise (an address with the number in it) is the same person.
            is_person: person.is_some_and(|person| sought.people.iter().any(|known| known[..] == person[..]))
                || caller.is_some_and(|caller| sought.stands_whole_in(&caller)),
            leg_call_id: row.get(3)?,
            called: row.get(4)?,
            notes: row.get(5)?,
            journal: row.get(6)?,
        };
        count += 1;
        bite.next = (count == BITE).then_some(found.seq);
        let texts = [&found.leg_call_id, &found.called, &found.notes];
        if found.is_person
            || texts.into_iter().any(|text| sought.stands_whole_in(text))
            || sought.stands_in(&found.journal)
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
            let without = |text: &str| if sought.stands_whole_in(text) { String::new() } else { text.to_owned() };
            let journal = match row.is_person || sought.stands_in(&row.journal) {
                true => blank(&row.journal).unwrap_or_default(),
                false => row.journal.clone(),
            };
            let notes = blank_notes(&row.notes, |value| row.is_person || sought.stands_whole_in(value));
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

/// What group commits of the last minutes still hold of finished calls goes; what calls going on have written
/// stays, and is counted.
pub(crate) fn pieces(transaction: &Transaction<'_>, sought: &Sought, erased: &mut Erased) -> rusqlite::Result<()> {
    let mut going_on: HashSet<CallId> = HashSet::new();
    let mut changed = Vec::new();
    let mut finished = transaction.prepare("SELECT 1 FROM calls WHERE call = ?1")?;
    let mut query = transaction.prepare("SELECT seq, bytes FROM intervals")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let (seq, bytes): (i64, Vec<u8>) = row.try_into()?;
        if !sought.stands_in(&bytes) {
            continue;
        }
        let pieces: Vec<Piece> = postcard::from_bytes(&bytes).map_err(|cause| read::damaged(&cause))?;
        let mut kept = Vec::new();
        for piece in pieces {
            // What a finished call has written is in its own row.
            if finished.exists([&piece.call.0[..]])? {
                continue;
            }
            if sought.stands_in(&piece.bytes) {
                going_on.insert(piece.call);
            }
            kept.push(piece);
        }
        let bytes = postcard::to_stdvec(&kept).map_err(|cause| read::damaged(&cause))?;
        changed.push((seq, bytes));
    }
    for (seq, bytes) in changed {
        transaction.execute("UPDATE intervals SET bytes = ?2 WHERE seq = ?1", (seq, bytes))?;
    }
    let mut query = transaction.prepare("SELECT call, bytes FROM parts")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let bytes: Vec<u8> = row.get(1)?;
        if sought.stands_in(&bytes) {
            going_on.insert(CallId(row.get(0)?));
        }
    }
    erased.going_on = going_on.len() as u64;
    Ok(())
}
