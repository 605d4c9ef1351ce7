//! A call rebuilt from its journal: the program is given the answers that it was given, and must make the same
//! requests. What the line and the world did in between needs no repetition: the answers hold it.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use runtime_contract::host::{Observation, Observe};
use runtime_contract::request::{Kind, Request};
use runtime_contract::value::Value;
use runtime_contract::{FaultKind, FlowProgram, Outcome, SiteId, Stop, Time, Type};

use crate::align::{Assumed, Lost};
use crate::input::{Line, RequestId, StopReason};
use crate::journal::{self, JournalError, Record, Started};
use crate::output::{EndCause, PlayItem};
use crate::request::Doing;
use crate::session::Session;

/// A call as its journal leaves it.
#[derive(Clone, Debug)]
pub struct Rebuilt {
    /// Waits at its last request, for which nothing is being done. Tell it [`crate::Input::Stop`], or
    /// [`crate::Input::Revived`].
    pub session: Session,
    pub started: Started,
    /// Arguments of the entry flow.
    pub given: Vec<Value>,
    /// What the line's owner gave with the start and since, in order, each with the request that was outstanding.
    pub legs: Vec<(RequestId, Vec<u8>)>,
    pub answered: Option<Time>,
    /// Time of the last record.
    pub last: Time,
    pub notes: Vec<(String, Type, Value)>,
    pub faults: Vec<(FaultKind, SiteId)>,
    /// Recordings that the flow got.
    pub recordings: Vec<u64>,
    /// The call was over already.
    pub end: Option<EndCause>,
}

/// What happened in a call, in order, as its journal says it and its program tells it again.
#[derive(Debug)]
pub enum Told<'t> {
    Record(&'t Record),
    /// Behind the record of a request: what it was about. A private value is empty.
    Asked {
        site: SiteId,
        /// What the caller heard, or would have.
        items: Vec<PlayItem>,
        /// As the site lists them; `None` where one was private and is lost.
        arguments: Option<&'t [Value]>,
    },
    /// In another version: the answer that follows is a guess.
    Assumed(Assumed),
    /// In another version: here it cannot go on.
    Lost(Lost),
}

/// Who listens to a call that is told again.
pub(crate) type Listener<'l> = &'l mut dyn FnMut(Time, Told<'_>);

/// The journal does not fit the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplayError {
    Unreadable(JournalError),
    /// It does not begin with a start.
    NoStart,
    /// It was written by another graph.
    OtherGraph,
    /// At this record, counted from 0, the program did something else.
    Differs {
        record: usize,
        expected: String,
        found: String,
    },
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReplayError::Unreadable(error) => error.fmt(f),
            ReplayError::NoStart => f.write_str("journal does not begin with a start"),
            ReplayError::OtherGraph => f.write_str("journal belongs to another graph"),
            ReplayError::Differs { record, expected, found } => {
                write!(f, "record {record} of the journal says {expected}, the program {found}")
            }
        }
    }
}

impl std::error::Error for ReplayError {}

impl Session {
    /// Rebuilds a call. Private values are lost: a request that needs one faults.
    pub fn from_journal(program: Arc<dyn FlowProgram>, bytes: &[u8]) -> Result<Rebuilt, ReplayError> {
        Session::retell(program, bytes, &mut |_, _| ())
    }

    /// The same, and tells on the way what happened. What was told before an error is so.
    pub fn retell(program: Arc<dyn FlowProgram>, bytes: &[u8], tell: Listener<'_>) -> Result<Rebuilt, ReplayError> {
        let records = journal::decode(bytes).map_err(ReplayError::Unreadable)?;
        let Some((time, Record::Start(started))) = records.first() else { return Err(ReplayError::NoStart) };
        if started.graph != program.meta().graph_id {
            return Err(ReplayError::OtherGraph);
        }
        let rebuilt = Rebuilt {
            session: Session::new(program),
            started: started.clone(),
            given: Vec::new(),
            legs: Vec::new(),
            answered: None,
            last: *time,
            notes: Vec::new(),
            faults: Vec::new(),
            recordings: Vec::new(),
            end: None,
        };
        if let Some((time, start)) = records.first() {
            tell(*time, Told::Record(start));
        }
        let mut replay = Replay { rebuilt, records: &records, at: 1, full: false, tell };
        replay.run(started)?;
        let full = replay.full;
        let mut rebuilt = replay.rebuilt;
        rebuilt.session.vault.lose();
        rebuilt.session.continue_journal(rebuilt.last, bytes.len(), full);
        Ok(rebuilt)
    }
}

struct Replay<'r> {
    rebuilt: Rebuilt,
    records: &'r [(Time, Record)],
    at: usize,
    /// The journal ended for want of room: from there on it says only how line and call ended.
    full: bool,
    tell: Listener<'r>,
}

impl Replay<'_> {
    fn run(&mut self, started: &Started) -> Result<(), ReplayError> {
        if let Some((time, given @ Record::Given(values))) = self.records.get(self.at) {
            self.rebuilt.given.clone_from(values);
            self.at += 1;
            (self.tell)(*time, Told::Record(given));
        }
        let entered = self.rebuilt.session.lay_out(started, &self.rebuilt.given);
        if let Some((time, leg @ Record::Leg(bytes))) = self.records.get(self.at) {
            self.rebuilt.legs.push((RequestId(0), bytes.clone()));
            self.at += 1;
            (self.tell)(*time, Told::Record(leg));
        }
        if entered {
            self.step(Outcome::Start)?;
        }
        while let Some((time, record)) = self.records.get(self.at) {
            let record = record.clone();
            self.rebuilt.last = *time;
            self.rebuilt.session.now.time = *time;
            self.at += 1;
            (self.tell)(*time, Told::Record(&record));
            match record {
                Record::Reply { request, reply } => {
                    let waiting = self.rebuilt.session.request;
                    if request != waiting {
                        return Err(self.differs(format!("{request:?}"), format!("{waiting:?}")));
                    }
                    if let journal::Reply::Result { payload: Some(Value::Recording(recording)), .. } = &reply {
                        self.rebuilt.recordings.push(*recording);
                    }
                    if let journal::Reply::Result { .. } = reply {
                        self.record_call();
                    }
                    let before = self.rebuilt.session.line;
                    let outcome = self.rebuilt.session.apply(&reply);
                    if before == Line::None && self.rebuilt.session.line == Line::Up {
                        self.rebuilt.answered = Some(*time);
                    }
                    self.step(outcome)?;
                }
                Record::Answered => {
                    self.rebuilt.session.line = Line::Up;
                    self.rebuilt.answered = Some(*time);
                }
                Record::Gone(cause) => {
                    let session = &mut self.rebuilt.session;
                    session.line = Line::Gone;
                    session.recorded = false;
                    let asked = session.program.meta().request(session.site).map(Request::kind);
                    session.ending.get_or_insert(match asked {
                        Some(Kind::HangUp) => EndCause::HungUp,
                        Some(Kind::Reject) => EndCause::Rejected,
                        _ => EndCause::Gone(cause),
                    });
                }
                Record::Stop(reason) => {
                    if reason == StopReason::Crash {
                        self.rebuilt.session.vault.lose();
                    }
                    self.rebuilt.session.stopped = true;
                    self.rebuilt.session.ending.get_or_insert(EndCause::Stopped(reason));
                }
                Record::End(cause) => self.rebuilt.end = Some(cause),
                Record::Full => self.full = true,
                Record::Leg(bytes) => self.rebuilt.legs.push((self.rebuilt.session.request, bytes)),
                Record::Revived => self.rebuilt.session.vault.lose(),
                Record::Claim { .. } | Record::Late(_) => {}
                other => return Err(self.differs(kind(&other), "something else".to_owned())),
            }
        }
        Ok(())
    }

    /// One run of the program, compared with what the journal says came of it. A journal that ends within is
    /// one whose last step was not kept: the step is made again.
    fn step(&mut self, outcome: Outcome) -> Result<(), ReplayError> {
        let mut answers: VecDeque<Observation> = VecDeque::new();
        while let Some((time, record @ Record::Observation(observation))) = self.records.get(self.at) {
            answers.push_back(observation.clone());
            self.at += 1;
            (self.tell)(*time, Told::Record(record));
        }
        if let Some((_, Record::Full)) = self.records.get(self.at) {
            return Ok(());
        }
        let stop = self.rebuilt.session.run(outcome, Observe::Replayed(&mut answers));
        if !answers.is_empty() {
            return Err(self.differs("an observation".to_owned(), "none".to_owned()));
        }
        for fault in std::mem::take(&mut self.rebuilt.session.stack.faults) {
            let found = Record::Fault { kind: fault.kind, site: fault.site, place: fault.place };
            self.expect(&found)?;
            self.rebuilt.faults.push((fault.kind, fault.site));
        }
        let site = match stop {
            Stop::Wait(site) => site,
            Stop::Done(end) => {
                self.rebuilt.end = Some(self.rebuilt.session.end_cause(end));
                return Ok(());
            }
        };
        let (hash, arguments) = self.rebuilt.session.open(site);
        let request = self.rebuilt.session.request;
        self.rebuilt.session.doing = Doing::Lost;
        let before = self.at;
        self.expect(&Record::Request { site, request, hash })?;
        if self.at > before {
            let items = self.rebuilt.session.items(site);
            let time = self.rebuilt.last;
            (self.tell)(time, Told::Asked { site, items, arguments: arguments.as_deref() });
        }
        self.note(site, arguments);
        Ok(())
    }

    fn expect(&mut self, found: &Record) -> Result<(), ReplayError> {
        match self.records.get(self.at) {
            Some((_, Record::Full)) => Ok(()),
            Some((_, record)) if record != found => Err(self.differs(format!("{record:?}"), format!("{found:?}"))),
            Some((time, record)) => {
                self.rebuilt.last = *time;
                self.rebuilt.session.now.time = *time;
                self.at += 1;
                (self.tell)(*time, Told::Record(record));
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn note(&mut self, site: SiteId, arguments: Option<Vec<Value>>) {
        if let Some(Request::Note { key, r#type }) = self.rebuilt.session.program.meta().request(site)
            && let Some(value) = arguments.and_then(|values| values.into_iter().next())
        {
            self.rebuilt.notes.push((key.clone(), r#type.clone(), value));
        }
    }

    /// The outstanding request was answered: from here on the conversation may be recorded.
    fn record_call(&mut self) {
        let session = &mut self.rebuilt.session;
        if let Some(Request::Recording { on }) = session.program.meta().request(session.site) {
            session.recorded = *on;
        }
    }

    fn differs(&self, expected: String, found: String) -> ReplayError {
        ReplayError::Differs { record: self.at, expected, found }
    }
}

/// The kind alone: a record's content may belong to a person.
fn kind(record: &Record) -> String {
    let shown = format!("{record:?}");
    shown.split(['(', ' ']).next().unwrap_or_default().to_owned()
}
