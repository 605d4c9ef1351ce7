//! A recorded call given to another version of its program: each request of that version is answered as the journal's
//! caller and world did, by the rules of `answers`. It guesses nothing in silence and does not compare what was said.

mod answers;
mod past;
mod types;

use std::sync::Arc;

use runtime_contract::host::{self, HostCall, Observe};
use runtime_contract::leg::GoneCause;
use runtime_contract::request::{Kind, Request};
use runtime_contract::value::Value;
use runtime_contract::{Called, FaultKind, FlowProgram, Outcome, ProgramMeta, SiteId, Stop, Time, spoken};

use crate::input::Line;
use crate::journal::{Record, Reply, Started};
use crate::output::{EndCause, PlayItem};
use crate::replay::{Listener, ReplayError, Told};
use crate::request::Doing;
use crate::session::{Answer, Session};

use answers::{Answers, Found};
use past::{Cut, Past};

/// Why an answer is a guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assumed {
    /// It was given to the same method with other arguments.
    OtherArguments,
    /// Of the keys that were typed this version takes only the first.
    KeysLeft,
    /// A private value was looked at in another order.
    OtherOrder,
}

/// Why a call cannot go on in the other version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// Nobody answers the number that was called.
    NoEntry,
    /// The recorded call was never asked this.
    NeverAsked,
    /// The recorded answer is of another type.
    OtherType,
    /// It depends on a private value, which no journal holds.
    Private,
    /// The journal ends here: the call went on when it was written, or its journal was full.
    JournalEnds,
}

/// How far a recorded call came in another version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aligned {
    /// Requests that the other version made.
    pub requests: u32,
    /// Answers that were guesses.
    pub assumed: u32,
    /// Why it did not come to its end.
    pub lost: Option<Lost>,
}

impl Session {
    /// Gives the journal of a call of one program to another program, and tells what happens there. An error says that
    /// the journal does not fit the first.
    pub fn align(
        recorded: Arc<dyn FlowProgram>,
        bytes: &[u8],
        other: Arc<dyn FlowProgram>,
        tell: Listener<'_>,
    ) -> Result<Aligned, ReplayError> {
        let past = Past::of_journal(&recorded, bytes)?;
        let answers = Answers::new(Arc::clone(&recorded), &past, Arc::clone(&other));
        let mut aligning = Aligning {
            session: Session::new(other),
            started: past.started.clone(),
            answers,
            past,
            last: None,
            assumed: 0,
            tell,
        };
        let lost = aligning.run(recorded.meta()).err();
        if let Some(lost) = lost {
            aligning.tell(Told::Lost(lost));
        }
        Ok(Aligned { requests: aligning.session.request.0, assumed: aligning.assumed, lost })
    }
}

struct Aligning<'a> {
    session: Session,
    started: Started,
    answers: Answers,
    past: Past,
    /// The recorded request whose answer was given last.
    last: Option<usize>,
    assumed: u32,
    tell: Listener<'a>,
}

impl Aligning<'_> {
    fn run(&mut self, recorded: &ProgramMeta) -> Result<(), Lost> {
        self.session.now.time = self.started.time;
        let meta = Arc::clone(&self.session.program);
        let started = entry(&self.started, recorded, meta.meta()).ok_or(Lost::NoEntry)?;
        self.tell(Told::Record(&Record::Start(started.clone())));
        if !self.session.lay_out(&started, &self.past.given) {
            self.tell(Told::Record(&Record::End(EndCause::Fault(FaultKind::StackGuard))));
            return Ok(());
        }
        let mut outcome = Outcome::Start;
        loop {
            let site = match self.step(outcome)? {
                Stop::Wait(site) => site,
                Stop::Done(end) => {
                    self.end_line(GoneCause::LocalHungUp);
                    let cause = self.session.end_cause(end);
                    self.tell(Told::Record(&Record::End(cause)));
                    return Ok(());
                }
            };
            let reply = self.ask(site)?;
            self.tell(Told::Record(&Record::Reply { request: self.session.request, reply: reply.clone() }));
            outcome = self.session.apply(&reply);
        }
    }

    fn tell(&mut self, told: Told<'_>) {
        (self.tell)(self.session.now.time, told);
    }

    /// One run of the program. What it sees of private values is what was seen of them then.
    fn step(&mut self, outcome: Outcome) -> Result<Stop, Lost> {
        let (seen, last) = (&mut self.past.seen, self.last);
        let mut out_of_order = false;
        let mut recall = |call: HostCall, second: u64| {
            let at = seen.iter().position(|seen| seen.observation.call == call)?;
            let seen = seen.remove(at);
            out_of_order |= seen.after != last;
            match (call, seen.observation.answer) {
                // Of the last digits that were seen, the last; more were never seen.
                (HostCall::VaultLast, host::Answer::Text(text)) => {
                    let digits = text.chars().count();
                    let skipped = digits.checked_sub(usize::try_from(second).ok()?)?;
                    Some(host::Answer::Text(text.chars().skip(skipped).collect()))
                }
                (_, answer) => Some(answer),
            }
        };
        let stop = self.session.run(outcome, Observe::Recalled(&mut recall));
        if out_of_order {
            self.assume(Assumed::OtherOrder);
        }
        for fault in std::mem::take(&mut self.session.stack.faults) {
            if fault.kind == FaultKind::PrivateLost {
                return Err(Lost::Private);
            }
            self.tell(Told::Record(&Record::Fault { kind: fault.kind, site: fault.site, place: fault.place }));
        }
        Ok(stop)
    }

    fn assume(&mut self, why: Assumed) {
        self.assumed += 1;
        self.tell(Told::Assumed(why));
    }

    /// Makes a request, and gives what the recorded caller or world says to it.
    fn ask(&mut self, site: SiteId) -> Result<Reply, Lost> {
        let program = Arc::clone(&self.session.program);
        let (hash, arguments) = self.session.open(site);
        self.session.doing = Doing::Lost;
        self.tell(Told::Record(&Record::Request { site, request: self.session.request, hash }));
        let items = self.session.items(site);
        self.tell(Told::Asked { site, items: items.clone(), arguments: arguments.as_deref() });
        let Some(request) = program.meta().request(site) else { return Ok(Reply::Fault(FaultKind::Host)) };
        let arguments = arguments.ok_or(Lost::Private)?;
        match self.session.refuses(request.kind()) {
            Some(Answer::Fault(kind)) => return Ok(Reply::Fault(kind)),
            Some(_) => return Ok(Reply::Gone),
            None => {}
        }
        if let Request::Consent(consent) = request {
            return Ok(match self.session.agreed(consent) {
                Answer::Result(outcome, payload) => Reply::Result { outcome, payload },
                _ => Reply::Fault(FaultKind::Host),
            });
        }
        let done = Reply::Result { outcome: 0, payload: None };
        match request.kind() {
            Kind::HangUp => return Ok(self.leave(EndCause::HungUp)),
            Kind::Reject => return Ok(self.leave(EndCause::Rejected)),
            Kind::Note
            | Kind::Recording
            | Kind::Send
            | Kind::Notify
            | Kind::OpenCase
            | Kind::Start
            | Kind::SurveyAnswer => return Ok(done),
            Kind::Answer if self.session.line == Line::Up => return Ok(done),
            _ => {}
        }
        let own_ms = own_ms(program.meta(), request, &items, &arguments);
        match (self.answers.find(&self.past, site, &arguments), own_ms) {
            (Some(found), _) => self.answer(site, request, &found, own_ms),
            // Whatever is said besides is heard to its end, unless the caller leaves meanwhile.
            (None, Some(ms)) => match self.leaves_within(ms) {
                true => Ok(Reply::Gone),
                false => {
                    self.pass(ms);
                    Ok(done)
                }
            },
            (None, None) if self.leaves_within(0) => Ok(Reply::Gone),
            // Nobody was asked then.
            (None, None) if request.kind() == Kind::Survey => Ok(Reply::Result { outcome: 1, payload: None }),
            (None, None) if self.past.is_cut && self.past.all_used() => Err(Lost::JournalEnds),
            (None, None) => Err(Lost::NeverAsked),
        }
    }

    fn pass(&mut self, ms: u64) {
        let time = &mut self.session.now.time;
        *time = Time(time.0.saturating_add_unsigned(ms));
    }

    /// The recorded answer, in the words of this version.
    fn answer(&mut self, site: SiteId, request: &Request, found: &Found, own_ms: Option<u64>) -> Result<Reply, Lost> {
        let Some(asked) = self.past.requests.get_mut(found.at) else { return Err(Lost::NeverAsked) };
        asked.used = true;
        let mut asked = asked.clone();
        asked.keys = asked.keys.map(|keys| self.answers.claimed(keys, asked.site, request));
        self.last = Some(found.at);
        if let Some(why) = found.assumed {
            self.assume(why);
        }
        let recorded_ms = asked.replied.0.saturating_sub(asked.asked.0).max(0) as u64;
        self.pass(match own_ms {
            Some(ms) if !found.same && asked.cut.is_none() => ms,
            _ => recorded_ms,
        });
        if let Some(keys) = &asked.keys {
            self.tell(Told::Record(&Record::Claim { request: self.session.request, keys: keys.clone() }));
        }
        match asked.cut {
            Some(Cut::Gone(cause)) => self.end_line(cause),
            Some(Cut::Stop(reason)) => {
                self.tell(Told::Record(&Record::Stop(reason)));
                self.session.stopped = true;
                self.session.ending.get_or_insert(EndCause::Stopped(reason));
                self.end_line(GoneCause::LocalHungUp);
            }
            None => {}
        }
        let Some(reply) = &asked.reply else { return Err(Lost::JournalEnds) };
        let (reply, assumed) = self.answers.reply(&self.session, &asked, reply, site, request)?;
        if let Some(why) = assumed {
            self.assume(why);
        }
        if let (Request::Answer, Reply::Result { .. }) = (request, &reply) {
            self.session.line = Line::Up;
            self.tell(Told::Record(&Record::Answered));
        }
        Ok(reply)
    }

    fn leave(&mut self, cause: EndCause) -> Reply {
        self.session.ending.get_or_insert(cause);
        self.end_line(GoneCause::LocalHungUp);
        Reply::Gone
    }

    fn end_line(&mut self, cause: GoneCause) {
        if matches!(self.session.line, Line::Ringing | Line::Up) {
            self.session.line = Line::Gone;
            if cause != GoneCause::LocalHungUp {
                self.session.ending.get_or_insert(EndCause::Gone(cause));
            }
            self.tell(Told::Record(&Record::Gone(cause)));
        }
    }

    /// The recorded caller left at a request that this version does not make, and its time comes within so long.
    fn leaves_within(&mut self, ms: u64) -> bool {
        let Some((at, cause)) = self.past.left else { return false };
        let now = self.session.now.time;
        let Some(asked) = self.past.requests.get(at) else { return false };
        let time = asked.left_at;
        if asked.used || self.answers.has_counterpart(asked.site) || time.0 > now.0.saturating_add_unsigned(ms) {
            return false;
        }
        self.session.now.time = now.max(time);
        self.end_line(cause);
        true
    }
}

/// Where the call comes in, and with what.
fn entry(started: &Started, recorded: &ProgramMeta, other: &ProgramMeta) -> Option<Started> {
    let dialled = started.called.map(Called::from_word).and_then(|called| match called.number() {
        Some(number) => Some(number.word().to_string()),
        None => called.extension(),
    });
    // Nobody dialled for a survey that follows a call.
    let follows = recorded.surveys.iter().any(|survey| survey.flow == started.flow);
    let flow = match dialled.filter(|_| !follows) {
        Some(dialled) => other.inbound_by(started.channel, &dialled)?.flow,
        None => {
            let name = &recorded.flow(started.flow)?.name;
            other.flows.iter().position(|flow| flow.name == *name)? as u32
        }
    };
    let tag = recorded.languages.get(started.language as usize);
    let language = tag.and_then(|tag| other.languages.iter().position(|other| other == tag)).unwrap_or(0) as u32;
    Some(Started { graph: other.graph_id, flow, language, ..started.clone() })
}

/// How long a request takes that has no outcome but its end.
fn own_ms(meta: &ProgramMeta, request: &Request, items: &[PlayItem], arguments: &[Value]) -> Option<u64> {
    let item_ms = |item: &PlayItem| match item {
        PlayItem::Prompt { prompt, language, values } => {
            let prompt = meta.prompts.get(*prompt as usize);
            prompt.map_or(0, |prompt| spoken::spoken_ms(&spoken::render(meta, prompt, *language, values)))
        }
        PlayItem::Recording(_) | PlayItem::Beep => 0,
    };
    match (request, arguments) {
        (Request::Play(_), _) => Some(items.iter().map(item_ms).sum()),
        (Request::Wait, [Value::Moment(ms), ..]) => Some(u64::try_from(*ms).unwrap_or(0)),
        _ => None,
    }
}
