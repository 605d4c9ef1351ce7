//! The writer thread: gathers what comes within `commit_ms`, writes it as one transaction, says so. It holds
//! what open calls have written since their last checkpoint, so that a finished call becomes one row.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use runtime_contract::record::{CallId, CallRecord};
use runtime_contract::{GraphId, Write};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::interval::Piece;
use crate::person::{self, Key};
use crate::read::OpenCall;
use crate::{answers, outbox, write};

/// Said by the writer, on its own thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Everything submitted under this number and before is on the disk.
    Committed(u64),
    /// A commit failed; it is tried again until it succeeds. Said once for each failure in a row's beginning.
    Failed { why: String },
    /// A commit succeeded after `Failed`.
    Recovered,
    /// How long the last commit took, in microseconds, and how many submissions it held.
    Took { us: u64, submissions: usize },
}

#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Time to gather writes for one transaction.
    pub commit_ms: u64,
    /// A transaction that holds this much takes no more.
    pub commit_bytes_max: usize,
    /// Age at which an open call's journal is written as a part of its own.
    pub checkpoint_ms: u64,
    /// Writes that may wait; above this `submit` refuses.
    pub pending_bytes_max: u64,
    /// Pause before a failed commit is tried again.
    pub retry_ms: u64,
    /// Pages (of 4 KiB) to which the database may grow; above that a commit fails as on a full disk.
    pub pages_max: Option<u32>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            commit_ms: 5,
            commit_bytes_max: 1 << 20,
            checkpoint_ms: 60_000,
            pending_bytes_max: 64 << 20,
            retry_ms: 250,
            pages_max: None,
        }
    }
}

/// Once the process is closing, so often a failing commit is tried again.
const TRIES_CLOSING_MAX: u32 = 20;
/// Intervals that one commit drops. It adds one, and some are to go when nothing else is written.
const DROPPED_MAX: usize = 4;
/// Pause between two commits that only drop.
const DROP_MS: u64 = 5;

struct Batch {
    commit: u64,
    writes: Vec<Write>,
    bytes: u64,
}

#[derive(Default)]
struct Pending {
    bytes: AtomicU64,
    /// Nobody will hand over more: what cannot be written soon is given up.
    closing: AtomicBool,
    /// Milliseconds since the writer's start at which the oldest waiting batch came, plus one; 0 for none.
    oldest_ms: AtomicU64,
}

pub(crate) struct Writer {
    batches: Option<Sender<Batch>>,
    pending: Arc<Pending>,
    pending_bytes_max: u64,
    started: Instant,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub fn start(
        connection: Connection,
        key: Key,
        options: Options,
        open: Vec<OpenCall>,
        on_event: Box<dyn Fn(Event) + Send>,
    ) -> std::io::Result<Writer> {
        let (batches, inbox) = channel();
        let pending = Arc::new(Pending::default());
        let started = Instant::now();
        let open = open.into_iter().map(|call| (call.call, Open::recovered(call))).collect();
        let mut state = State {
            connection,
            key,
            options,
            open,
            on_event,
            pending: Arc::clone(&pending),
            started,
            failing: false,
            marks: (0, 0),
            stale: None,
            checkpoint: started,
        };
        let thread = std::thread::Builder::new().name("store".into()).spawn(move || state.run(&inbox))?;
        Ok(Writer {
            batches: Some(batches),
            pending,
            pending_bytes_max: options.pending_bytes_max,
            started,
            thread: Some(thread),
        })
    }

    pub fn submit(&self, commit: u64, writes: Vec<Write>) -> Result<(), Vec<Write>> {
        let bytes = writes.iter().map(|write| write::bytes(write) as u64).sum();
        let waiting = self.pending.bytes.load(Ordering::Relaxed);
        // What was refused comes again with more: alone it is taken, however much it has become.
        if waiting > 0 && waiting + bytes > self.pending_bytes_max {
            return Err(writes);
        }
        self.pending.bytes.fetch_add(bytes, Ordering::Relaxed);
        let now = self.started.elapsed().as_millis() as u64 + 1;
        let _ = self.pending.oldest_ms.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        let batch = Batch { commit, writes, bytes };
        match &self.batches {
            Some(batches) => batches.send(batch).map_err(|unsent| unsent.0.writes),
            None => Err(batch.writes),
        }
    }

    pub fn waiting_bytes(&self) -> u64 {
        self.pending.bytes.load(Ordering::Relaxed)
    }

    pub fn waiting_ms(&self) -> u64 {
        match self.pending.oldest_ms.load(Ordering::Relaxed) {
            0 => 0,
            came => (self.started.elapsed().as_millis() as u64 + 1).saturating_sub(came),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.pending.closing.store(true, Ordering::Relaxed);
        self.batches.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// An open call as the writer knows it.
struct Open {
    graph: GraphId,
    since: Instant,
    /// It has a row in `parts`, so that it is known without the blobs.
    has_part: bool,
    /// Bytes in `parts` already.
    parted: u64,
    bytes: Vec<u8>,
}

impl Open {
    fn recovered(call: OpenCall) -> Open {
        Open {
            graph: call.graph,
            since: Instant::now(),
            has_part: true,
            parted: call.journal.len() as u64,
            bytes: Vec::new(),
        }
    }
}

struct State {
    connection: Connection,
    key: Key,
    options: Options,
    open: HashMap<CallId, Open>,
    on_event: Box<dyn Fn(Event) + Send>,
    pending: Arc<Pending>,
    started: Instant,
    failing: bool,
    checkpoint: Instant,
    /// The newest interval at the last checkpoint, and at the one before it.
    marks: (i64, i64),
    stale: Option<Stale>,
}

/// Intervals that are of no use any more and go a few at a time: up to this row, which finds them, and from before this
/// millisecond, for the rows of an empty table begin anew.
#[derive(Clone, Copy)]
struct Stale {
    row: i64,
    before_ms: i64,
}

impl State {
    fn run(&mut self, inbox: &Receiver<Batch>) {
        let mut closing = false;
        while !closing {
            let idle_ms = if self.stale.is_some() { DROP_MS } else { self.options.checkpoint_ms };
            let idle = Duration::from_millis(idle_ms.min(self.options.checkpoint_ms));
            let mut group = match inbox.recv_timeout(idle) {
                Ok(first) => vec![first],
                Err(RecvTimeoutError::Timeout) => Vec::new(),
                Err(RecvTimeoutError::Disconnected) => return,
            };
            closing = !group.is_empty() && self.gather(inbox, &mut group);
            if !self.write(&group) {
                return;
            }
        }
    }

    /// More batches, until size says enough. It sleeps before it looks, so that no batch has to wake it. True when nobody
    /// can send any more.
    fn gather(&self, inbox: &Receiver<Batch>, group: &mut Vec<Batch>) -> bool {
        std::thread::sleep(Duration::from_millis(self.options.commit_ms));
        let mut bytes: usize = group.iter().map(|batch| batch.bytes as usize).sum();
        while bytes < self.options.commit_bytes_max {
            match inbox.try_recv() {
                Ok(batch) => {
                    bytes += batch.bytes as usize;
                    group.push(batch);
                }
                Err(TryRecvError::Empty) => return false,
                Err(TryRecvError::Disconnected) => return true,
            }
        }
        false
    }

    /// Writes a group until it is on the disk. When the process is closing, only a few times more; false when
    /// it was given up.
    fn write(&mut self, group: &[Batch]) -> bool {
        let mut tries_closing = 0;
        let took = loop {
            let begun = Instant::now();
            match self.commit(group) {
                Ok(()) => break begun.elapsed(),
                Err(cause) => {
                    if !std::mem::replace(&mut self.failing, true) {
                        (self.on_event)(Event::Failed { why: cause.to_string() });
                    }
                    tries_closing += u32::from(self.pending.closing.load(Ordering::Relaxed));
                    if tries_closing > TRIES_CLOSING_MAX {
                        let lost: usize = group.iter().map(|batch| batch.writes.len()).sum();
                        (self.on_event)(Event::Failed { why: format!("{lost} writes are given up: {cause}") });
                        return false;
                    }
                    std::thread::sleep(Duration::from_millis(self.options.retry_ms));
                }
            }
        };
        let bytes = group.iter().map(|batch| batch.bytes).sum();
        let left = self.pending.bytes.fetch_sub(bytes, Ordering::Relaxed).saturating_sub(bytes);
        let oldest = if left == 0 { 0 } else { self.started.elapsed().as_millis() as u64 + 1 };
        self.pending.oldest_ms.store(oldest, Ordering::Relaxed);
        if std::mem::replace(&mut self.failing, false) {
            (self.on_event)(Event::Recovered);
        }
        if let Some(last) = group.last() {
            (self.on_event)(Event::Committed(last.commit));
            (self.on_event)(Event::Took { us: took.as_micros() as u64, submissions: group.len() });
        }
        true
    }

    /// One transaction. What the writer remembers of open calls changes only when it succeeded.
    fn commit(&mut self, group: &[Batch]) -> rusqlite::Result<()> {
        let now = Instant::now();
        let due = now.duration_since(self.checkpoint) >= Duration::from_millis(self.options.checkpoint_ms);
        if group.is_empty() && !due && self.stale.is_none() {
            return Ok(());
        }
        // One instant for all: what this commit brings is younger than what its checkpoint drops.
        let now_ms = self.started.elapsed().as_millis() as i64;
        // From its first statement on: one that reads before it writes would not wait for whoever writes beside it.
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut changed = Changed { open: &self.open, fresh: HashMap::new(), pieces: Vec::new(), key: &self.key };
        for write in group.iter().flat_map(|batch| &batch.writes) {
            changed.take(&transaction, write, now)?;
        }
        let Changed { fresh, mut pieces, .. } = changed;
        // A call that ended has all of it in its own row.
        pieces.retain(|piece| !matches!(fresh.get(&piece.call), Some(Fresh::Ended)));
        if !pieces.is_empty() {
            let bytes =
                postcard::to_stdvec(&pieces).map_err(|cause| rusqlite::Error::ToSqlConversionFailure(cause.into()))?;
            transaction
                .prepare_cached("INSERT INTO intervals (ms, bytes) VALUES (?1, ?2)")?
                .execute((now_ms, bytes))?;
        }
        let mut parted = Vec::new();
        let (mut stale, mut marks) = (self.stale, self.marks);
        if due {
            let live = self.open.iter().filter(|(call, _)| !matches!(fresh.get(call), Some(Fresh::Ended)));
            parted = checkpoint(&transaction, live, &self.options, now)?;
            stale = Some(Stale { row: marks.1, before_ms: now_ms - 2 * self.options.checkpoint_ms as i64 });
            let newest: Option<i64> = transaction.query_row("SELECT max(seq) FROM intervals", [], |row| row.get(0))?;
            marks = (newest.unwrap_or(0), marks.0);
        }
        // All at once, a minute of a busy server would be hundreds of megabytes, whose every page is read to be freed.
        if let Some(Stale { row, before_ms }) = stale {
            let dropped = transaction
                .prepare_cached(
                    "DELETE FROM intervals WHERE seq IN \
                     (SELECT seq FROM intervals WHERE seq <= ?1 AND ms < ?2 ORDER BY seq LIMIT ?3)",
                )?
                .execute((row, before_ms, DROPPED_MAX as i64))?;
            stale = stale.filter(|_| dropped == DROPPED_MAX);
        }
        transaction.commit()?;
        (self.stale, self.marks) = (stale, marks);
        for call in parted {
            if let Some(open) = self.open.get_mut(&call) {
                open.has_part = true;
                open.parted += open.bytes.len() as u64;
                open.bytes = Vec::new();
            }
        }
        for (call, open) in fresh {
            match open {
                Fresh::Ended => {
                    self.open.remove(&call);
                }
                Fresh::Begun(open) => {
                    self.open.insert(call, open);
                }
                Fresh::Grown(bytes) => {
                    if let Some(open) = self.open.get_mut(&call) {
                        open.bytes.extend(bytes);
                    }
                }
            }
        }
        if due {
            self.checkpoint = now;
        }
        Ok(())
    }
}

/// What a group changes of one call.
enum Fresh {
    Begun(Open),
    Grown(Vec<u8>),
    Ended,
}

struct Changed<'a> {
    open: &'a HashMap<CallId, Open>,
    fresh: HashMap<CallId, Fresh>,
    pieces: Vec<Piece>,
    key: &'a Key,
}

impl Changed<'_> {
    fn take(&mut self, transaction: &Transaction<'_>, write: &Write, now: Instant) -> rusqlite::Result<()> {
        match write {
            Write::Journal { call, graph, journal } => self.grow(*call, *graph, journal, now),
            Write::Recording { call, recording, length_ms, created, partial, conversation } => {
                let file = write::recording_file(*recording);
                transaction
                    .prepare_cached(
                        "INSERT OR REPLACE INTO recordings (id, call, file, ms, created_ms, partial, \
                         conversation) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    )?
                    .execute((*recording as i64, &call.0[..], file, length_ms, created.0, partial, conversation))?;
                // A file that was late for the record of its call.
                transaction
                    .prepare_cached(
                        "UPDATE calls SET recordings = json_insert(recordings, '$[#]', ?2) WHERE call = ?1 \
                         AND NOT EXISTS (SELECT 1 FROM json_each(recordings) WHERE value = ?2)",
                    )?
                    .execute((&call.0[..], *recording as i64))?;
            }
            Write::Message(message) => outbox::put_message(transaction, message)?,
            Write::Case(case) => outbox::put_case(transaction, case)?,
            Write::Answer(answer) => answers::put(transaction, answer)?,
            Write::Quality { call, quality } => {
                transaction
                    .prepare_cached("UPDATE calls SET quality = ?2 WHERE call = ?1")?
                    .execute((&call.0[..], serde_json::to_string(quality).map_err(json)?))?;
            }
            Write::End { record, journal } => self.end(transaction, record, journal)?,
        }
        Ok(())
    }

    fn grow(&mut self, call: CallId, graph: GraphId, journal: &[u8], now: Instant) {
        let known = self.open.get(&call);
        let before = known.map_or(0, |open| open.parted + open.bytes.len() as u64);
        let fresh = self.fresh.entry(call).or_insert_with(|| match known {
            Some(_) => Fresh::Grown(Vec::new()),
            None => Fresh::Begun(Open { graph, since: now, has_part: false, parted: 0, bytes: Vec::new() }),
        });
        let bytes = match fresh {
            Fresh::Begun(open) => &mut open.bytes,
            Fresh::Grown(bytes) => bytes,
            Fresh::Ended => return,
        };
        self.pieces.push(Piece { call, graph, offset: before + bytes.len() as u64, bytes: journal.to_vec() });
        bytes.extend_from_slice(journal);
    }

    fn end(&mut self, transaction: &Transaction<'_>, record: &CallRecord, last: &[u8]) -> rusqlite::Result<()> {
        let call = record.call;
        let mut journal = Vec::new();
        if self.open.get(&call).is_some_and(|open| open.has_part) {
            let mut parts = transaction.prepare_cached("SELECT bytes FROM parts WHERE call = ?1 ORDER BY offset")?;
            for bytes in parts.query_map([&call.0[..]], |row| row.get::<_, Vec<u8>>(0))? {
                journal.extend(bytes?);
            }
            transaction.prepare_cached("DELETE FROM parts WHERE call = ?1")?.execute([&call.0[..]])?;
        }
        let known = self.open.get(&call).map_or(&[][..], |open| &open.bytes);
        match self.fresh.insert(call, Fresh::Ended) {
            Some(Fresh::Begun(open)) => journal.extend(open.bytes),
            Some(Fresh::Grown(bytes)) => journal.extend(known.iter().copied().chain(bytes)),
            Some(Fresh::Ended) => return Ok(()),
            None => journal.extend_from_slice(known),
        }
        journal.extend_from_slice(last);
        insert_call(transaction, self.key, record, &journal)
    }
}

fn json(cause: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(cause.into())
}

fn insert_call(transaction: &Transaction<'_>, key: &Key, record: &CallRecord, journal: &[u8]) -> rusqlite::Result<()> {
    let notes: Vec<_> = record.notes.iter().map(|(key, value)| (key, value.reveal())).collect();
    let caller = record.caller.as_ref().map(|caller| caller.reveal());
    let person = caller.map(|caller| person::hash(key, caller));
    transaction
        .prepare_cached(
            "INSERT OR IGNORE INTO calls (call, leg_call_id, graph, flow, caller, person, called, started_ms, \
             answered_ms, ended_ms, end, last_step, notes, faults, recordings, journal, quality) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
        )?
        .execute(rusqlite::params![
            &record.call.0[..],
            record.leg_call_id,
            &record.graph.0[..],
            record.flow,
            caller,
            person.as_ref().map(|person| &person[..]),
            record.called,
            record.started.0,
            record.answered.map(|at| at.0),
            record.ended.0,
            record.end,
            record.last_step,
            serde_json::to_string(&notes).map_err(json)?,
            record.faults,
            serde_json::to_string(&record.recordings).map_err(json)?,
            journal,
            record.quality.map(|quality| serde_json::to_string(&quality)).transpose().map_err(json)?,
        ])?;
    Ok(())
}

/// Writes a part for each call that is older than a checkpoint; gives those that got one.
fn checkpoint<'o>(
    transaction: &Transaction<'_>,
    live: impl Iterator<Item = (&'o CallId, &'o Open)>,
    options: &Options,
    now: Instant,
) -> rusqlite::Result<Vec<CallId>> {
    let mut parted = Vec::new();
    for (call, open) in live {
        let young = now.duration_since(open.since) < Duration::from_millis(options.checkpoint_ms);
        if young || (open.has_part && open.bytes.is_empty()) {
            continue;
        }
        write::part(transaction, *call, open.parted, open.graph, &open.bytes)?;
        parted.push(*call);
    }
    Ok(parted)
}
