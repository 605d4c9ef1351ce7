//! One call: the door, the loop that runs the program from wait to wait, and how a call ends. What a request
//! does is in `request`, `dialogue` and `recording`.

use std::collections::VecDeque;
use std::sync::Arc;

use runtime_contract::arena::Arena;
use runtime_contract::channel::Channel;
use runtime_contract::drive::{self, Faulted};
use runtime_contract::host::{Host, Observation, Observe};
use runtime_contract::leg::{GoneCause, RejectCause};
use runtime_contract::limits::{FINALLY_DRAIN_MS_MAX, FINALLY_MS_MAX, JOURNAL_BYTES_MAX};
use runtime_contract::record::CallId;
use runtime_contract::reply;
use runtime_contract::request::Kind;
use runtime_contract::stack::Phase;
use runtime_contract::value::{Memory, Value};
use runtime_contract::vault::Vault;
use runtime_contract::{Called, End, FaultKind, FlowProgram, Now, Outcome, Redacted, SiteId, Stack, Stop, Tick, Time};

use crate::input::{Input, Line, LineEvent, RequestId, Start, StopReason};
use crate::journal::{self, Record, Reply, Started};
use crate::keys::HeldKeys;
use crate::output::{EndCause, LineCommand, Output, Outputs, Trace};
use crate::request::Doing;
use crate::timers::{Timer, Timers};

/// One call. Plain data but for the program.
#[derive(Clone)]
pub struct Session {
    pub(crate) program: Arc<dyn FlowProgram>,
    pub(crate) stack: Stack,
    pub(crate) arena: Arena,
    pub(crate) vault: Vault,
    pub(crate) call: CallId,
    pub(crate) line: Line,
    /// Why the call is ending, once it is.
    pub(crate) ending: Option<EndCause>,
    /// Ended from outside: all that is left shares the time of `finally`.
    pub(crate) stopped: bool,
    /// The outstanding request, and what is being done for it.
    pub(crate) request: RequestId,
    pub(crate) site: SiteId,
    pub(crate) asked_at: Time,
    /// Messages and cases so far.
    pub(crate) messages: u32,
    /// The last site that was not in a `finally`.
    pub(crate) body_site: SiteId,
    pub(crate) doing: Doing,
    /// Prompts played so far; names the last one.
    pub(crate) token: u32,
    /// The conversation is being recorded.
    pub(crate) recorded: bool,
    pub(crate) held: HeldKeys,
    /// The menu, ask or record that was asked last.
    pub(crate) dialogue: Option<SiteId>,
    /// An ask ended at its last digit: its end key, pressed until then, belongs to it still.
    pub(crate) end_key: Option<(char, Tick)>,
    pub(crate) timers: Timers,
    /// What is left of the time for all `finally` blocks, in milliseconds.
    finally_ms: u64,
    /// No request is served any more: the time for `finally` or the room in the journal is used up.
    pub(crate) over: bool,
    /// What the entry flow came back with.
    pub(crate) result: Option<Value>,
    pub(crate) now: Now,
    journal_at: Time,
    pub(crate) journal_bytes: usize,
    /// A record found no room; those behind it would make no sense without it.
    journal_full: bool,
    trace: bool,
    outputs: VecDeque<Output>,
}

/// What became of the outstanding request.
#[derive(Debug)]
pub(crate) enum Answer {
    Result(u32, Option<Value>),
    Gone,
    Fault(FaultKind),
}

/// Room in the journal for what ends a call whose journal is full: a stop, the line's end, the end.
const JOURNAL_BYTES_LAST: usize = 128;

impl Session {
    pub fn new(program: Arc<dyn FlowProgram>) -> Session {
        Session {
            program,
            stack: Stack::default(),
            arena: Arena::default(),
            vault: Vault::default(),
            call: CallId::default(),
            line: Line::None,
            ending: None,
            stopped: false,
            request: RequestId(0),
            site: SiteId(0),
            asked_at: Time(0),
            messages: 0,
            body_site: SiteId(0),
            doing: Doing::Nothing,
            token: 0,
            recorded: false,
            held: HeldKeys::default(),
            dialogue: None,
            end_key: None,
            timers: Timers::default(),
            finally_ms: FINALLY_MS_MAX,
            over: false,
            result: None,
            now: Now::default(),
            journal_at: Time(0),
            journal_bytes: 0,
            journal_full: false,
            trace: false,
            outputs: VecDeque::new(),
        }
    }

    /// Takes one input. A clock that went back counts as one that stood.
    pub fn handle(&mut self, now: Now, input: Input) -> Outputs<'_> {
        debug_assert!(self.outputs.is_empty(), "outputs drained before the next input");
        self.now = Now { tick: self.now.tick.max(now.tick), time: self.now.time.max(now.time) };
        match input {
            Input::Start(start) => self.start(start),
            _ if matches!(self.doing, Doing::Nothing) => {}
            Input::Line(event) => self.line_event(event),
            Input::Reply { request, outcome, payload } if self.awaits_world(request) => {
                self.end_comfort();
                self.resolve(Answer::Result(outcome, payload));
            }
            Input::Fault { request, kind } if request == self.request && self.doing.can_fail() => {
                self.end_comfort();
                self.resolve(Answer::Fault(kind));
            }
            Input::Queue { request, event } if request == self.request => self.queue_event(event),
            Input::Queue { .. } => {}
            Input::Reply { request, .. } | Input::Fault { request, .. } => self.journal(&Record::Late(request)),
            Input::Tick => self.tick(),
            Input::Revived { began } => self.revive(began),
            Input::Leg(bytes) => self.journal(&Record::Leg(bytes.into_inner())),
            Input::Stop(reason) => self.stop(reason),
        }
        Outputs { queue: &mut self.outputs }
    }

    /// When [`Input::Tick`] is due at the latest; `None` before the start and after the end.
    pub fn next_deadline(&self) -> Option<Tick> {
        self.timers.next()
    }

    /// Gives [`Trace`] outputs from now on, or no more.
    pub fn set_trace(&mut self, on: bool) {
        self.trace = on;
    }

    pub fn program(&self) -> &Arc<dyn FlowProgram> {
        &self.program
    }

    /// Requests made so far.
    pub fn requests(&self) -> u32 {
        self.request.0
    }

    /// The site of the outstanding (or last) request.
    pub fn site(&self) -> SiteId {
        self.site
    }

    /// The same, but for those in a `finally`: where the call was when it began to end.
    pub fn body_site(&self) -> SiteId {
        self.body_site
    }

    pub fn channel(&self) -> Channel {
        u8::try_from(self.stack.header.channel).ok().and_then(Channel::from_number).unwrap_or_default()
    }

    pub fn line(&self) -> Line {
        self.line
    }

    /// Something has ended the call already: the line, the flow, a stop.
    pub fn is_ending(&self) -> bool {
        self.ending.is_some() || self.over
    }

    /// Bytes that this call holds, allocations included and the program not.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Session>()
            + 8 * self.stack.words.capacity()
            + size_of::<Faulted>() * self.stack.faults.capacity()
            + self.arena.bytes()
            + size_of::<Output>() * self.outputs.capacity()
            + self.held.capacity_bytes()
            + self.doing.capacity_bytes()
    }

    fn start(&mut self, start: Start) {
        if self.journal_bytes > 0 {
            return;
        }
        self.journal_at = self.now.time;
        let started = Started {
            call: start.call,
            graph: self.program.meta().graph_id,
            epoch: start.epoch,
            flow: start.flow,
            language: start.language,
            line: start.line,
            caller: start.caller.map(|number| number.word()),
            called: start.called.map(Called::word),
            channel: start.channel,
            time: self.now.time,
        };
        self.journal(&Record::Start(started.clone()));
        if !start.arguments.is_empty() {
            self.journal(&Record::Given(start.arguments.clone()));
        }
        if !start.leg.reveal().is_empty() {
            self.journal(&Record::Leg(start.leg.into_inner()));
        }
        self.timers.set(Timer::CallMax, self.now.tick.plus_ms(start.channel.session_ms_max()));
        match self.lay_out(&started, &start.arguments) {
            true => self.advance(Outcome::Start),
            false => self.finish(End::Fault(FaultKind::StackGuard)),
        }
    }

    /// Facts and base frame, from the journal's first records: the same live and replayed.
    pub(crate) fn lay_out(&mut self, started: &Started, given: &[Value]) -> bool {
        let tagged = |number: Option<u64>| [u64::from(number.is_some()), number.unwrap_or(0)];
        self.line = started.line;
        self.call = started.call;
        let Some(words) = self.words_given(started.flow, given) else { return false };
        let entered = drive::enter(self.program.meta(), &mut self.stack, started.flow, &words);
        self.stack.header.language = u64::from(started.language);
        self.stack.header.caller_number = tagged(started.caller);
        self.stack.header.called = tagged(started.called);
        self.stack.header.channel = started.channel as u64;
        entered
    }

    fn revive(&mut self, began: Time) {
        if !matches!(self.doing, Doing::Lost) || self.line != Line::Up {
            return;
        }
        self.journal(&Record::Revived);
        let passed_ms = self.now.time.0.saturating_sub(began.0).max(0) as u64;
        let left_ms = self.channel().session_ms_max().saturating_sub(passed_ms);
        self.timers.set(Timer::CallMax, self.now.tick.plus_ms(left_ms));
        self.asked_at = self.now.time;
        if self.recorded {
            self.output(Output::Line(LineCommand::RecordCall { on: true }));
        }
        if let Some(answer) = self.ask_again() {
            self.resolve(answer);
        }
    }

    fn awaits_world(&self, request: RequestId) -> bool {
        let doing = matches!(self.doing, Doing::Service | Doing::Onward | Doing::Queued(_) | Doing::Outgoing);
        request == self.request && doing
    }

    fn tick(&mut self) {
        while let Some(timer) = self.timers.take_due(self.now.tick) {
            match timer {
                Timer::CallMax => {
                    self.tell_limit(FaultKind::CallTime);
                    self.stop(StopReason::TooLong);
                }
                Timer::FinallyMax => {
                    self.over = true;
                    self.tell_limit(FaultKind::FinallyTime);
                    self.abandon();
                    self.resolve(Answer::Gone);
                }
                timer => self.request_timer(timer),
            }
        }
    }

    /// The outstanding request is settled: the program goes on to its next wait or its end.
    pub(crate) fn resolve(&mut self, answer: Answer) {
        let outcome = self.settle(answer);
        self.advance(outcome);
    }

    fn advance(&mut self, mut outcome: Outcome) {
        loop {
            let mut observed = Vec::new();
            let stop = self.run(outcome, Observe::Live(&mut observed));
            self.journal_step(&observed);
            match stop {
                Stop::Done(end) => return self.finish(end),
                Stop::Wait(site) => {
                    self.budget_finally();
                    match self.ask(site) {
                        Some(answer) => outcome = self.settle(answer),
                        None => return,
                    }
                }
            }
        }
    }

    /// Closes the request: journal, timers, mailbox.
    fn settle(&mut self, answer: Answer) -> Outcome {
        self.timers.cancel_request();
        self.doing = Doing::Nothing;
        let reply = match answer {
            Answer::Gone => Reply::Gone,
            Answer::Fault(kind) => Reply::Fault(kind),
            Answer::Result(outcome, payload) => Reply::Result { outcome, payload },
        };
        self.trace(match &reply {
            Reply::Gone | Reply::Fault(_) => Trace::Left(self.site),
            Reply::Result { outcome, .. } => Trace::Outcome { site: self.site, outcome: *outcome },
        });
        let record = Record::Reply { request: self.request, reply };
        self.journal(&record);
        match record {
            Record::Reply { reply, .. } => self.apply(&reply),
            _ => Outcome::Gone,
        }
    }

    /// Writes the payload where the program finds it.
    pub(crate) fn apply(&mut self, reply: &Reply) -> Outcome {
        match reply {
            Reply::Gone => Outcome::Gone,
            Reply::Fault(kind) => Outcome::Fault(*kind),
            Reply::Result { outcome, payload } => {
                self.line_made(*outcome);
                let meta = self.program.meta();
                let mut memory = Memory { meta, arena: &mut self.arena, vault: &mut self.vault };
                reply::reply(&mut memory, &mut self.stack, self.site, *outcome, payload.as_ref())
            }
        }
    }

    pub(crate) fn run<'s>(&'s mut self, outcome: Outcome, observe: Observe<'s>) -> Stop {
        let mut host = Host {
            meta: self.program.meta(),
            arena: &mut self.arena,
            vault: &mut self.vault,
            observe,
            now: self.now.time,
        };
        self.program.resume(&mut self.stack, &mut host, outcome)
    }

    fn journal_step(&mut self, observed: &[Observation]) {
        for observation in observed {
            self.journal(&Record::Observation(observation.clone()));
        }
        for fault in std::mem::take(&mut self.stack.faults) {
            self.journal(&Record::Fault { kind: fault.kind, site: fault.site, place: fault.place });
            self.tell_fault(&fault);
        }
    }

    pub(crate) fn tell_fault(&mut self, fault: &Faulted) {
        let meta = self.program.meta();
        let place = fault.place.and_then(|place| meta.fault_places.get(place as usize).copied());
        let place = place.or(meta.site(fault.site).map(|site| site.place));
        self.trace(Trace::Fault { kind: fault.kind, place });
        self.output(Output::Fault { kind: fault.kind, place });
    }

    /// Whether some frame runs its `finally`.
    pub(crate) fn in_finally(&self) -> bool {
        let word = |at: u32| self.stack.words.get(at as usize).copied().unwrap_or(0);
        let mut base = self.stack.header.base;
        for _ in 0..self.stack.header.depth {
            if word(base + 2) as u32 == Phase::Finally as u32 {
                return true;
            }
            base = word(base + 1) as u32;
        }
        false
    }

    /// The clock for `finally` runs while one does, or once the call was stopped; it stands while the call goes on.
    fn budget_finally(&mut self) {
        let ending = self.in_finally() || self.stopped;
        match (ending, self.timers.at(Timer::FinallyMax)) {
            (true, None) if !self.over => {
                self.timers.set(Timer::FinallyMax, self.now.tick.plus_ms(self.finally_ms));
            }
            (false, Some(at)) => {
                self.finally_ms = at.saturating_since(self.now.tick).as_millis() as u64;
                self.timers.cancel(Timer::FinallyMax);
            }
            _ => {}
        }
    }

    fn line_event(&mut self, event: LineEvent) {
        match event {
            LineEvent::Gone(cause) if matches!(self.line, Line::Ringing | Line::Up) => {
                self.ending.get_or_insert(EndCause::Gone(cause));
                self.lose_line(cause);
                if self.waits_for_line() {
                    self.resolve(Answer::Gone);
                }
            }
            LineEvent::Answered if self.line == Line::Ringing => {
                if let Doing::Answering = self.doing {
                    self.line = Line::Up;
                    self.journal(&Record::Answered);
                    self.resolve(Answer::Result(0, None));
                }
            }
            LineEvent::Key(key) if self.line == Line::Up => self.key_pressed(key),
            // The caller hears us from the 200 on; his ACK may come later than his first key.
            LineEvent::Key(key) if matches!(self.doing, Doing::Answering) => self.key_pressed(key),
            LineEvent::Words(words) if self.line == Line::Up => self.dialogue_words(words),
            LineEvent::PlayDone { token } if token == self.token => self.play_done(),
            LineEvent::RecordDone { request, recording, spoken, .. } => self.record_done(request, recording, spoken),
            _ => {}
        }
    }

    /// From here on nothing is told to the line.
    pub(crate) fn lose_line(&mut self, cause: GoneCause) {
        self.line = Line::Gone;
        self.recorded = false;
        self.held.clear();
        self.journal(&Record::Gone(cause));
    }

    /// Ends the line from our side.
    pub(crate) fn end_line(&mut self, refusal: RejectCause) {
        match self.line {
            Line::Ringing => self.output(Output::Line(LineCommand::Reject(refusal))),
            Line::Up => self.output(Output::Line(LineCommand::HangUp)),
            Line::None | Line::Gone => return,
        }
        self.lose_line(GoneCause::LocalHungUp);
    }

    fn stop(&mut self, reason: StopReason) {
        self.journal(&Record::Stop(reason));
        self.ending.get_or_insert(EndCause::Stopped(reason));
        self.stopped = true;
        if reason == StopReason::Drain {
            self.finally_ms = self.finally_ms.min(FINALLY_DRAIN_MS_MAX);
            if let Some(at) = self.timers.at(Timer::FinallyMax) {
                self.timers.set(Timer::FinallyMax, at.min(self.now.tick.plus_ms(self.finally_ms)));
            }
        }
        let answer = match self.program.meta().request(self.site).map(|request| request.kind()) {
            Some(Kind::Service) => Answer::Result(1, None),
            Some(Kind::Note | Kind::Send | Kind::Notify | Kind::OpenCase | Kind::Start | Kind::SurveyAnswer) => {
                Answer::Result(0, None)
            }
            _ => Answer::Gone,
        };
        self.abandon();
        self.end_line(RejectCause::Unavailable);
        self.resolve(answer);
    }

    fn finish(&mut self, end: End) {
        self.end_line(RejectCause::Unavailable);
        self.keep_result(end);
        let cause = self.end_cause(end);
        self.journal(&Record::End(cause));
        self.doing = Doing::Nothing;
        self.timers = Timers::default();
        self.held.clear();
        self.vault = Vault::default();
        self.arena = Arena::default();
        self.stack.words = Vec::new();
        self.output(Output::Done(cause));
    }

    pub(crate) fn end_cause(&self, end: End) -> EndCause {
        match end {
            End::Fault(kind) => EndCause::Fault(kind),
            End::Returned(_) | End::Gone => self.ending.unwrap_or(EndCause::Returned),
        }
    }

    pub(crate) fn output(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub(crate) fn trace(&mut self, trace: Trace) {
        if self.trace {
            self.outputs.push_back(Output::Trace(trace));
        }
    }

    /// Appends a record. When there is no more room, the call is ended: its requests are refused from here on,
    /// and of the journal only the line's and the call's end are kept.
    pub(crate) fn journal(&mut self, record: &Record) {
        let last = matches!(record, Record::End(_) | Record::Gone(_) | Record::Stop(_));
        if self.journal_full && !last {
            return;
        }
        let mut bytes = self.encode(record);
        if !last && self.journal_bytes + bytes.len() > JOURNAL_BYTES_MAX - JOURNAL_BYTES_LAST {
            self.ending.get_or_insert(EndCause::Fault(FaultKind::Journal));
            self.journal_full = true;
            self.over = true;
            bytes = self.encode(&Record::Full);
            self.tell_limit(FaultKind::Journal);
        }
        self.journal_at = self.now.time;
        self.journal_bytes += bytes.len();
        self.outputs.push_back(Output::Journal(bytes));
    }

    /// The call is cut off by a bound that the program does not see. The journal says so in its own way.
    fn tell_limit(&mut self, kind: FaultKind) {
        let place = self.program.meta().site(self.site).map(|site| site.place);
        self.trace(Trace::Fault { kind, place });
        self.output(Output::Fault { kind, place });
    }

    fn encode(&self, record: &Record) -> Vec<u8> {
        let mut bytes = Vec::new();
        let dt_ms = self.now.time.0.saturating_sub(self.journal_at.0).max(0) as u64;
        journal::encode(record, dt_ms, &mut bytes);
        bytes
    }

    /// After a replay: the journal goes on where it stopped.
    pub(crate) fn continue_journal(&mut self, at: Time, bytes: usize, full: bool) {
        self.journal_full = full;
        self.over |= full;
        self.now.time = at;
        self.journal_at = at;
        self.journal_bytes = bytes;
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Session({:?} at {:?}, line {:?})", self.request, self.site, self.line)
    }
}

impl Start {
    /// A voice call that rings, with nothing known about it.
    pub fn ringing(call: runtime_contract::record::CallId, flow: u32) -> Start {
        Start {
            call,
            epoch: 0,
            flow,
            arguments: Vec::new(),
            caller: None,
            called: None,
            channel: Channel::Voice,
            language: 0,
            line: Line::Ringing,
            leg: Redacted::new(Vec::new()),
        }
    }
}
