//! One call of an explorer: a session that can be copied, the time at which it stands, and what it waits for. Time
//! passes as it does for a test, so what is done here can be done there.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use runtime_contract::channel::Channel;
use runtime_contract::leg::GoneCause;
use runtime_contract::limits::OVERFLOW_HOPS_MAX;
use runtime_contract::program::Inbound;
use runtime_contract::queue::Queue;
use runtime_contract::record::CallId;
use runtime_contract::request::{Kind, Request};
use runtime_contract::script::{FarSide, Given, Hears, Verb};
use runtime_contract::value::{Phone, Value};
use runtime_contract::{FlowProgram, Now, Redacted, SiteId, Tick, Time, Type, calendar, spoken};
use runtime_session::{
    Input, Line, LineCommand, LineEvent, OnwardKind, Output, PlayItem, RequestId, Sending, Session, Start, Trace,
    WorldRequest,
};

use crate::far_side::{ANSWER_MS, TALK_MS};
use crate::plant::{SERVICE_MS, heard, length_ms};
use crate::play::KEY_MS;
use crate::transcript::What;

/// What the caller says into a recording.
const WORDS: &str = "Hello.";
const SECOND_MS: u64 = 1_000;
/// Parts of a flow that are no steps: the top, and those that no `go` leads to.
const HANDLERS: [&str; 3] = ["", "fault", "finally"];

/// How a call begins.
#[derive(Clone, Debug)]
pub(super) struct Root {
    pub at: Time,
    pub caller: Option<Phone>,
    pub inbound: Inbound,
}

/// One way to go on.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Choice {
    /// The prompt, or the `wait`, comes to its end.
    Continue,
    HangUp,
    Keys(String),
    /// A phrase of a menu.
    Phrase(String),
    /// Nothing, until the patience of the dialogue runs out.
    Silence,
    /// Words into the recording, or none.
    Speak,
    Unspoken,
    Answer(Given),
    FarSide(FarSide),
}

/// What happened, in order.
pub(super) enum Event {
    /// The caller does something, or time passes.
    Line(Verb),
    /// What somebody outside does during the last line.
    Given(Verb),
    Step(String),
    Hears(Verb),
    Unspoken,
    /// Notes, messages and cases, by what a test would expect.
    Kept(Verb),
    Ended,
}

pub(super) type Log = Vec<Event>;

#[derive(Clone)]
enum Doing {
    Nothing,
    Playing { token: u32, until: Tick },
    Recording { request: RequestId, length_ms_max: u64, silence_ms: u64, spoken: bool },
    Service { request: RequestId, service: u32, operation: u32 },
    Onward { request: RequestId, ring_ms: Option<u64> },
}

#[derive(Clone)]
pub(super) struct Call {
    session: Session,
    began: Time,
    tick: Tick,
    /// Where the player of the script so far stands; he may be ahead, as he waits whole seconds.
    stands: Tick,
    doing: Doing,
    site: Option<SiteId>,
    /// What others did since the last line of the script, which cannot be told twice in one.
    told: Vec<Verb>,
    pub is_over: bool,
    /// A limit cut it off, which no test may want.
    pub is_cut: bool,
}

impl Call {
    pub fn new(program: &Arc<dyn FlowProgram>, root: &Root, log: &mut Log) -> Call {
        let mut session = Session::new(Arc::clone(program));
        session.set_trace(true);
        let mut call = Call {
            session,
            began: root.at,
            tick: Tick(0),
            stands: Tick(0),
            doing: Doing::Nothing,
            site: None,
            told: Vec::new(),
            is_over: false,
            is_cut: false,
        };
        let to = root.inbound.example();
        let from = root.caller.map(|caller| caller.e164().into_inner());
        let start = Start {
            caller: root.caller,
            called: program.meta().called(&to),
            ..Start::ringing(CallId([0; 16]), root.inbound.flow)
        };
        log.push(Event::Line(Verb::Call { channel: Channel::Voice, from, to }));
        call.give(Input::Start(start), log);
        call.settle(log);
        call
    }

    /// Bytes that it holds.
    pub fn bytes(&self) -> usize {
        size_of::<Call>() + self.session.memory_bytes()
    }

    pub fn site(&self) -> SiteId {
        self.session.site()
    }

    pub fn request(&self) -> Option<&Request> {
        self.session.program().meta().request(self.session.site())
    }

    /// Index of the caller's language.
    pub fn language(&self) -> u32 {
        self.session.language()
    }

    /// The service and operation that it waits for.
    pub fn asks(&self) -> Option<(u32, u32)> {
        match self.doing {
            Doing::Service { service, operation, .. } => Some((service, operation)),
            _ => None,
        }
    }

    pub fn is_recording(&self) -> bool {
        matches!(self.doing, Doing::Recording { .. })
    }

    /// The caller is on the way to somebody else, by `transfer to` or by `connect to`.
    pub fn goes_on(&self) -> Option<bool> {
        match self.doing {
            Doing::Onward { ring_ms, .. } => Some(ring_ms.is_none()),
            _ => None,
        }
    }

    pub fn can_hang_up(&self) -> bool {
        self.session.line() == Line::Up && self.asks().is_none() && !self.is_recording()
    }

    /// What was told already of what it waits for.
    pub fn told(&self) -> Option<Choice> {
        self.told.iter().find_map(|verb| match verb {
            Verb::Given { service, operation, answer } if self.asks() == Some((*service, *operation)) => {
                Some(Choice::Answer(answer.clone()))
            }
            Verb::DialGives(sides) if self.goes_on().is_some() => sides.first().copied().map(Choice::FarSide),
            _ => None,
        })
    }

    /// Calls of the same state take the same ways.
    pub fn state(&self) -> u64 {
        let mut state = DefaultHasher::new();
        self.session.hash_state(&mut state);
        std::mem::discriminant(&self.doing).hash(&mut state);
        let meta = self.session.program().meta();
        let now = self.now().time;
        meta.hours.iter().for_each(|hours| calendar::is_open(hours, now).hash(&mut state));
        self.told.iter().for_each(|verb| format!("{verb:?}").hash(&mut state));
        state.finish()
    }

    pub fn now(&self) -> Now {
        Now { tick: self.tick, time: Time(self.began.0.saturating_add((self.tick.0 / 1_000_000) as i64)) }
    }

    /// Does it, and lets happen what follows by itself.
    pub fn choose(&mut self, choice: &Choice, log: &mut Log) {
        match choice {
            Choice::Continue => self.go_on(log),
            Choice::HangUp => self.hang_up(log),
            Choice::Keys(keys) => self.press(keys, log),
            Choice::Phrase(words) => self.say(words, log),
            Choice::Silence => {
                self.run_until(self.stands, log);
                self.wait(log, Call::settle_request);
            }
            Choice::Speak => self.speak(log),
            Choice::Unspoken => self.unspoken(log),
            Choice::Answer(answer) => self.answer(answer, log),
            Choice::FarSide(side) => self.meet(*side, log),
        }
        self.settle(log);
    }

    fn go_on(&mut self, log: &mut Log) {
        match self.doing {
            Doing::Playing { until, .. } => self.run_until(until, log),
            _ => self.settle_request(log),
        }
    }

    fn hang_up(&mut self, log: &mut Log) {
        let is_onward = self.goes_on().is_some();
        if is_onward {
            self.tell(Verb::DialGives(vec![FarSide::Person]), log);
        }
        if self.stands < self.tick || is_onward {
            let now = self.tick;
            self.wait(log, |call, log| call.run_until(now, log));
        }
        self.line(Verb::HangUp, log);
        self.give(Input::Line(LineEvent::Gone(GoneCause::RemoteHungUp)), log);
    }

    fn press(&mut self, keys: &str, log: &mut Log) {
        self.run_until(self.stands, log);
        let (asked, at) = (self.session.requests(), log.len());
        let goes_on = |call: &Call| !call.is_over && call.session.requests() == asked;
        self.told.clear();
        let mut pressed = String::new();
        for key in keys.chars() {
            if !goes_on(self) {
                break;
            }
            pressed.push(key);
            self.stands = self.tick.plus_ms(KEY_MS);
            self.give(Input::Line(LineEvent::Key(key)), log);
            if goes_on(self) {
                self.run_until(self.stands, log);
            }
        }
        log.insert(at, Event::Line(Verb::Press(pressed)));
        // A pause is the end of the keys.
        if goes_on(self) {
            self.wait(log, Call::settle_request);
        }
    }

    /// What is not listened to is followed by silence.
    fn say(&mut self, words: &str, log: &mut Log) {
        self.run_until(self.stands, log);
        let asked = self.session.requests();
        self.line(Verb::Says(words.to_owned()), log);
        self.stands = self.tick.plus_ms(spoken::spoken_ms(words));
        self.give(Input::Line(LineEvent::Words(Redacted::new(words.to_owned()))), log);
        if !self.is_over && self.session.requests() == asked {
            self.run_until(self.stands, log);
            self.wait(log, Call::settle_request);
        }
    }

    fn speak(&mut self, log: &mut Log) {
        let Doing::Recording { length_ms_max, spoken, .. } = &mut self.doing else { return };
        *spoken = true;
        let words_ms = spoken::spoken_ms(WORDS);
        let is_cut = words_ms >= *length_ms_max;
        self.stands = self.tick.plus_ms(words_ms);
        let until = self.tick.plus_ms(words_ms.min(*length_ms_max));
        self.line(Verb::Says(WORDS.to_owned()), log);
        self.run_until(until, log);
        if is_cut {
            return self.end_recording(log);
        }
        let key = match self.request() {
            Some(Request::Record(record)) => record.end_key.unwrap_or('#'),
            _ => '#',
        };
        self.stands = self.tick.plus_ms(KEY_MS);
        self.line(Verb::Press(key.to_string()), log);
        self.give(Input::Line(LineEvent::Key(key)), log);
    }

    fn unspoken(&mut self, log: &mut Log) {
        let Doing::Recording { length_ms_max, silence_ms, .. } = self.doing else { return };
        log.push(Event::Unspoken);
        self.run_until(self.tick.plus_ms(silence_ms.min(length_ms_max)), log);
        self.end_recording(log);
    }

    fn end_recording(&mut self, log: &mut Log) {
        if let Some(done) = self.recorded() {
            self.give(done, log);
        }
    }

    /// The recording is over.
    fn recorded(&mut self) -> Option<Input> {
        let Doing::Recording { request, spoken, .. } = self.doing else { return None };
        self.doing = Doing::Nothing;
        Some(Input::Line(LineEvent::RecordDone { request, recording: 1, length_ms: 1, spoken }))
    }

    fn answer(&mut self, answer: &Given, log: &mut Log) {
        let Doing::Service { request, service, operation } = self.doing else { return };
        self.tell(Verb::Given { service, operation, answer: answer.clone() }, log);
        self.run_until(self.tick.plus_ms(SERVICE_MS), log);
        let (outcome, payload) = match answer {
            Given::Ok(value) => (0, value.clone()),
            Given::Failed => (1, None),
        };
        if self.asks().is_some() {
            self.doing = Doing::Nothing;
            self.give(Input::Reply { request, outcome, payload }, log);
        }
    }

    fn meet(&mut self, side: FarSide, log: &mut Log) {
        let Doing::Onward { request, ring_ms } = self.doing else { return };
        self.tell(Verb::DialGives(vec![side]), log);
        let answer_ms = ANSWER_MS.min(ring_ms.unwrap_or(ANSWER_MS));
        let lasts_ms = match side {
            FarSide::Person if ring_ms.is_some() => answer_ms + TALK_MS,
            FarSide::Unanswered => ring_ms.unwrap_or(answer_ms),
            _ => answer_ms,
        };
        self.run_until(self.tick.plus_ms(lasts_ms), log);
        self.doing = Doing::Nothing;
        let name = if side == FarSide::Person { "ended" } else { side.name() };
        let names = Kind::Connect.row().outcomes;
        let input = match (ring_ms, side) {
            (None, FarSide::Person) => Input::Line(LineEvent::Gone(GoneCause::Transferred)),
            (None, _) => Input::Reply { request, outcome: 0, payload: None },
            (Some(_), _) => {
                let outcome = names.iter().position(|known| *known == name).unwrap_or(0) as u32;
                Input::Reply { request, outcome, payload: None }
            }
        };
        self.give(input, log);
    }

    /// A line of the script.
    fn line(&mut self, verb: Verb, log: &mut Log) {
        self.told.clear();
        log.push(Event::Line(verb));
    }

    /// What somebody outside does from here on.
    fn tell(&mut self, verb: Verb, log: &mut Log) {
        if !self.told.contains(&verb) {
            self.told.push(verb.clone());
            log.push(Event::Given(verb));
        }
    }

    /// Lets `pass` happen, during a line that waits so long.
    fn wait(&mut self, log: &mut Log, pass: impl FnOnce(&mut Call, &mut Log)) {
        let (from, at) = (self.stands, log.len());
        self.told.clear();
        pass(self, log);
        let passed_ms = self.tick.saturating_since(from).as_millis() as u64;
        let ms = passed_ms.div_ceil(SECOND_MS).max(1) * SECOND_MS;
        log.insert(at, Event::Line(Verb::Wait { ms: ms as i64 }));
        self.stands = self.stands.max(from.plus_ms(ms));
    }

    /// Time passes until the outstanding request is settled.
    fn settle_request(&mut self, log: &mut Log) {
        let asked = self.session.requests();
        while !self.is_over && self.session.requests() == asked && self.run_next(log) {}
    }

    /// Goes on until somebody is to choose.
    fn settle(&mut self, log: &mut Log) {
        while !self.is_over {
            let waits = match self.doing {
                Doing::Recording { .. } | Doing::Service { .. } | Doing::Onward { .. } => true,
                Doing::Playing { .. } => true,
                Doing::Nothing => {
                    let kind = self.request().map(Request::kind);
                    self.session.line() == Line::Up && matches!(kind, Some(Kind::Menu | Kind::Ask | Kind::Wait))
                }
            };
            if waits || !self.run_next(log) {
                return;
            }
        }
    }

    /// What happens next by itself happens; false when nothing will.
    fn run_next(&mut self, log: &mut Log) -> bool {
        let prompt = match self.doing {
            Doing::Playing { token, until } => Some((until, token)),
            _ => None,
        };
        let deadline = self.session.next_deadline();
        match (prompt, deadline) {
            (Some((until, token)), deadline) if deadline.is_none_or(|deadline| until <= deadline) => {
                self.tick = self.tick.max(until);
                self.doing = Doing::Nothing;
                self.give(Input::Line(LineEvent::PlayDone { token }), log);
            }
            (_, Some(deadline)) => {
                self.tick = self.tick.max(deadline);
                self.give(Input::Tick, log);
            }
            _ => return false,
        }
        true
    }

    fn run_until(&mut self, until: Tick, log: &mut Log) {
        while !self.is_over {
            let prompt = match self.doing {
                Doing::Playing { until, .. } => until,
                _ => Tick::MAX,
            };
            let next = self.session.next_deadline().unwrap_or(Tick::MAX).min(prompt);
            if next > until || !self.run_next(log) {
                break;
            }
        }
        self.tick = self.tick.max(until);
    }

    fn give(&mut self, input: Input, log: &mut Log) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let now = self.now();
            let outputs: Vec<Output> = self.session.handle(now, input).collect();
            inputs.extend(outputs.into_iter().filter_map(|output| self.carry_out(output, log)));
        }
    }

    /// Gives what comes of it at once.
    fn carry_out(&mut self, output: Output, log: &mut Log) -> Option<Input> {
        match output {
            Output::Line(command) => return self.command(command, log),
            Output::World { request, ask } => match ask {
                WorldRequest::Service(ask) => {
                    self.doing = Doing::Service { request, service: ask.service, operation: ask.operation };
                }
                WorldRequest::Onward(onward) => {
                    let ring_ms = match onward.how {
                        OnwardKind::Connect { ring_ms, .. } => Some(u64::from(ring_ms)),
                        OnwardKind::Transfer => None,
                    };
                    self.doing = Doing::Onward { request, ring_ms };
                }
                WorldRequest::Queue(ask) => {
                    let (wait_ms, outcome) = self.waits_in_vain(ask.queue);
                    self.tick = self.tick.plus_ms(wait_ms);
                    return Some(Input::Reply { request, outcome, payload: None });
                }
                WorldRequest::Callback => {}
                WorldRequest::Start { .. } => return Some(Input::Reply { request, outcome: 0, payload: None }),
                // Only attempts dial, and those are walked by none who calls.
                WorldRequest::Dial(_) => self.doing = Doing::Nothing,
                WorldRequest::Note { key, r#type, value } => {
                    log.push(Event::Kept(Verb::ExpectNote { key, r#type, value }));
                }
                WorldRequest::Send(sending) => log.extend(self.sent(sending).map(Event::Kept)),
                WorldRequest::OpenCase(case) => {
                    let priority = Some(case.priority);
                    log.push(Event::Kept(Verb::ExpectCase { kind: case.kind, priority }));
                }
            },
            Output::Cancel { .. } => self.doing = Doing::Nothing,
            Output::Fault { kind, .. } => self.is_cut |= kind.limit_text().is_some(),
            Output::Trace(Trace::At(site)) => self.come_to(site, log),
            Output::Done(_) => {
                self.is_over = true;
                log.push(Event::Ended);
            }
            Output::Trace(_) | Output::Journal(_) => {}
        }
        None
    }

    /// No agent is there, as in a test that names none: how long a caller waits for one, and the outcome of that.
    fn waits_in_vain(&self, queue: u32) -> (u64, u32) {
        let meta = self.session.program().meta();
        let Some(first) = meta.queues.get(queue as usize) else { return (0, UNSTAFFED) };
        let is_closed = |queue: &Queue, after_ms: u64| {
            let hours = queue.open.and_then(|hours| meta.hours.get(hours as usize));
            let at = Time(self.now().time.0.saturating_add_unsigned(after_ms));
            hours.is_some_and(|hours| !calendar::is_open(hours, at))
        };
        if is_closed(first, 0) {
            return (0, CLOSED);
        }
        // It is not said while a further queue is to come.
        let (mut queue, mut settled_ms) = (first, 0);
        for _ in 0..OVERFLOW_HOPS_MAX {
            let Some(overflow) = &queue.overflow else { break };
            let Some(next) = meta.queues.get(overflow.queue as usize) else { break };
            settled_ms += overflow.after_ms;
            if is_closed(next, settled_ms) {
                break;
            }
            queue = next;
        }
        match first.timeout_ms {
            Some(timeout_ms) if timeout_ms < settled_ms + UNSTAFFED_MS => (timeout_ms, TIMEOUT),
            _ => (settled_ms + UNSTAFFED_MS, UNSTAFFED),
        }
    }

    fn sent(&self, sending: Sending) -> Option<Verb> {
        let meta = self.session.program().meta();
        let PlayItem::Prompt { prompt, language, values } = &sending.text else { return None };
        let text = spoken::render_written(meta, meta.prompts.get(*prompt as usize)?, *language, values);
        let (channel, to) = (sending.channel.name().to_owned(), sending.to.ok()?.into_inner());
        Some(Verb::ExpectSent { channel, to: Some(to), text: Some(Hears::words(&text)) })
    }

    fn command(&mut self, command: LineCommand, log: &mut Log) -> Option<Input> {
        match command {
            LineCommand::Answer { .. } => return Some(Input::Line(LineEvent::Answered)),
            LineCommand::Play { token, items } => {
                let program = Arc::clone(self.session.program());
                let mut ms = 0;
                for item in items {
                    let heard = heard(program.meta(), Channel::Voice, &item);
                    ms += length_ms(heard.as_ref());
                    if let Some(What::Hears { text, .. }) = heard
                        && !text.is_empty()
                    {
                        self.told.clear();
                        self.stands = self.stands.max(self.tick);
                        log.push(Event::Hears(Verb::Hears(Hears::words(&text))));
                    }
                }
                self.doing = Doing::Playing { token, until: self.tick.plus_ms(ms) };
            }
            LineCommand::StopPlay => self.doing = Doing::Nothing,
            LineCommand::Record { request, length_ms_max, silence_ms } => {
                let (length_ms_max, silence_ms) = (length_ms_max.into(), silence_ms.into());
                self.doing = Doing::Recording { request, length_ms_max, silence_ms, spoken: false };
            }
            LineCommand::StopRecord { .. } => return self.recorded(),
            LineCommand::Reject(_) | LineCommand::HangUp => self.doing = Doing::Nothing,
            LineCommand::Mask { .. } | LineCommand::RecordCall { .. } => {}
        }
        None
    }

    fn come_to(&mut self, site: SiteId, log: &mut Log) {
        let meta = self.session.program().meta();
        let place = |site| meta.site(site).map(|info| (info.flow, info.step.as_str()));
        let (before, after) = (self.site.and_then(place), place(site));
        if let Some((_, step)) = after.filter(|after| before != Some(*after))
            && !HANDLERS.contains(&step)
        {
            log.push(Event::Step(step.to_owned()));
        }
        self.site = Some(site);
    }
}

/// Outcomes of `queue`, as in the table of requests.
const TIMEOUT: u32 = 2;
const CLOSED: u32 = 4;
const UNSTAFFED: u32 = 5;
/// After so long without anybody who could take him, a caller is told.
const UNSTAFFED_MS: u64 = 30_000;

/// The note of a value that means something outside of its call.
pub(super) fn is_lasting(r#type: &Type, value: &Value) -> bool {
    match (r#type, value) {
        (Type::Recording | Type::Private(_), _) => false,
        (Type::Optional(inner), Value::Some(value)) => is_lasting(inner, value),
        _ => true,
    }
}
