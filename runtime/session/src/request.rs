//! One request after the other: what is done for each kind, who waits for what, and what a timer means to it.

use std::sync::Arc;

use runtime_contract::leg::RejectCause;
use runtime_contract::limits::WAIT_MS_MAX;
use runtime_contract::reply;
use runtime_contract::request::{Effect, Kind, PromptUse, Prompts, Request, ServiceCall};
use runtime_contract::value::{Memory, Value};
use runtime_contract::{FaultKind, FlowProgram, Redacted, SiteId, Stack, Type};

use crate::dialogue::Dialogue;
use crate::input::{Line, RequestId};
use crate::journal::Record;
use crate::output::{EndCause, LineCommand, Onward, OnwardKind, Output, PlayItem, ServiceAsk, Trace, WorldRequest};
use crate::queued::Queued;
use crate::recording::Recording;
use crate::session::{Answer, Session};
use crate::timers::Timer;

/// What is being done for the outstanding request.
#[derive(Clone, Debug)]
pub(crate) enum Doing {
    /// Before the start, after the end.
    Nothing,
    Answering,
    Playing {
        barge_in: bool,
    },
    /// A menu or ask.
    Dialogue(Dialogue),
    Recording(Recording),
    Waiting,
    Service,
    /// The caller is with somebody else, or on the way there.
    Onward,
    /// He waits for an agent, or talks with him.
    Queued(Box<Queued>),
    /// Somebody is called, or is to be.
    Outgoing,
    /// Rebuilt from a journal: nothing is done for it any more.
    Lost,
}

impl Doing {
    /// Somebody outside carries it out, and may find that he cannot.
    pub fn can_fail(&self) -> bool {
        matches!(
            self,
            Doing::Answering
                | Doing::Recording(_)
                | Doing::Service
                | Doing::Onward
                | Doing::Queued(_)
                | Doing::Outgoing
        )
    }

    pub fn capacity_bytes(&self) -> usize {
        match self {
            Doing::Dialogue(dialogue) => dialogue.capacity_bytes(),
            Doing::Queued(queued) => queued.capacity_bytes(),
            _ => 0,
        }
    }
}

/// What is heard of a prompt of the request at which a stack waits.
pub(crate) fn play_item(memory: &Memory<'_>, stack: &Stack, item: &PromptUse) -> Result<PlayItem, FaultKind> {
    let meta = memory.meta;
    let mailbox = meta.flow(stack.flow()).map_or(0, |flow| flow.mailbox_at);
    let (prompt, at) = match item {
        PromptUse::Recording { at } => return Ok(PlayItem::Recording(stack.slot(mailbox + at))),
        PromptUse::Prompt { prompt, arguments_at } => (*prompt, mailbox + arguments_at),
    };
    let types = meta.prompts.get(prompt as usize).map_or(&[][..], |prompt| &prompt.arguments);
    let mut words = stack.frame().iter().skip(at as usize).copied();
    let values = types.iter().map(|r#type| memory.value(&mut words, r#type)).collect::<Option<_>>();
    let language = stack.header.language as u32;
    Ok(PlayItem::Prompt { prompt, language, values: values.ok_or(FaultKind::PrivateLost)? })
}

/// FNV-1a, 32 bits.
fn hash(bytes: &[u8], hash: u32) -> u32 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

const HASH_EMPTY: u32 = 0x811c_9dc5;

impl Session {
    /// Makes the request of a site. An answer comes back when there is one at once.
    pub(crate) fn ask(&mut self, site: SiteId) -> Option<Answer> {
        let program = self.program.clone();
        let (hash, arguments) = self.open(site);
        self.trace(Trace::At(site));
        self.journal(&Record::Request { site, request: self.request, hash });
        self.carry_out(&*program, site, arguments)
    }

    /// The outstanding request of a session that was rebuilt, made once more.
    pub(crate) fn ask_again(&mut self) -> Option<Answer> {
        let program = self.program.clone();
        let meta = program.meta();
        let writes = match meta.request(self.site) {
            Some(Request::Service(call)) => {
                let service = meta.services.get(call.service as usize);
                service.and_then(|service| service.operations.get(call.operation as usize)).is_some_and(|op| op.writes)
            }
            _ => false,
        };
        if writes {
            return Some(Answer::Result(1, None));
        }
        self.doing = Doing::Nothing;
        self.trace(Trace::At(self.site));
        let arguments = self.arguments();
        self.carry_out(&*program, self.site, arguments)
    }

    fn carry_out(&mut self, program: &dyn FlowProgram, site: SiteId, arguments: Option<Vec<Value>>) -> Option<Answer> {
        let Some(request) = program.meta().request(site) else { return Some(Answer::Fault(FaultKind::Host)) };
        let Some(arguments) = arguments else { return Some(Answer::Fault(FaultKind::PrivateLost)) };
        if let Some(refused) = self.refuses(request.kind()) {
            return Some(refused);
        }
        match request {
            Request::Answer => self.answer(),
            Request::Reject(reason) => self.leave(EndCause::Rejected, (*reason).into()),
            Request::HangUp => self.leave(EndCause::HungUp, RejectCause::Unavailable),
            Request::Play(prompts) => self.play_prompts(prompts),
            Request::Menu(_) | Request::Ask(_) => self.begin_dialogue(request),
            Request::Record(record) => self.begin_recording(record),
            Request::Recording { on } => self.record_call(*on),
            Request::Wait => self.wait(&arguments),
            Request::Service(call) => self.call_service(program, call, arguments),
            Request::Note { key, r#type } => self.note(key, r#type, arguments),
            Request::Connect(connect) => {
                let from = match arguments.get(1) {
                    Some(Value::Phone(from)) => Some(*from),
                    _ => None,
                };
                self.onward(&arguments, OnwardKind::Connect { from, ring_ms: connect.ring_ms })
            }
            Request::Transfer { .. } => self.onward(&arguments, OnwardKind::Transfer),
            Request::Send(message) => self.send(message, &arguments),
            Request::OpenCase(case) => self.open_case(case),
            Request::Consent(consent) => Some(self.agreed(consent)),
            Request::Queue { queue } => self.enter_queue(*queue, arguments),
            // Only above a caller who waits, where `run_comfort` takes it.
            Request::OfferCallback { .. } => Some(Answer::Fault(FaultKind::Host)),
            Request::Dial(dial) => self.dial(dial, &arguments),
            Request::Start { cadence } => self.start_cadence(*cadence, arguments),
            Request::Survey { survey } => {
                let language = self.stack.header.language as u32;
                self.ask_outside(WorldRequest::Survey { survey: *survey, language })
            }
            Request::SurveyAnswer { survey, question } => {
                let Some(value) = arguments.into_iter().next() else { return Some(Answer::Fault(FaultKind::Host)) };
                self.ask_outside(WorldRequest::SurveyAnswer { survey: *survey, question: *question, value })
            }
        }
    }

    /// What comes of a request that the line, as it is, does not serve.
    pub(crate) fn refuses(&self, kind: Kind) -> Option<Answer> {
        if self.over || (self.effect(kind) == Effect::Line && !self.has_line()) {
            return Some(Answer::Gone);
        }
        let needs_up = matches!(
            kind,
            Kind::Play
                | Kind::Menu
                | Kind::Ask
                | Kind::Record
                | Kind::Recording
                | Kind::Connect
                | Kind::Transfer
                | Kind::Queue
                | Kind::Survey
        );
        (needs_up && self.line != Line::Up).then_some(Answer::Fault(FaultKind::Host))
    }

    /// Counts the request; gives its arguments, if none is lost, and what they hash to.
    pub(crate) fn open(&mut self, site: SiteId) -> (u32, Option<Vec<Value>>) {
        self.request = RequestId(self.request.0.wrapping_add(1));
        self.site = site;
        self.asked_at = self.now.time;
        if !self.in_finally() {
            self.body_site = site;
        }
        let kind = self.program.meta().request(site).map(Request::kind);
        self.messages += u32::from(matches!(kind, Some(Kind::Send | Kind::Notify | Kind::OpenCase)));
        let arguments = self.arguments();
        let bytes = arguments.iter().flatten().map(|value| postcard::to_allocvec(value).unwrap_or_default());
        let hash = bytes.fold(HASH_EMPTY, |so_far, bytes| hash(&bytes, so_far));
        (hash, arguments)
    }

    /// Arguments of the outstanding request; `None` when one was private and is lost.
    pub(crate) fn arguments(&mut self) -> Option<Vec<Value>> {
        let memory = Memory { meta: self.program.meta(), arena: &mut self.arena, vault: &mut self.vault };
        let arguments = reply::arguments(&memory, &self.stack, self.site)?;
        Some(arguments.into_iter().map(|(_, value)| value).collect())
    }

    /// A wait belongs to the line, except in `finally`, which has none, and in an attempt, which outlives it.
    fn effect(&self, kind: Kind) -> Effect {
        match kind {
            Kind::Wait if !self.in_finally() && !self.outlives_line() => Effect::Line,
            kind => kind.row().effect,
        }
    }

    /// `finally` takes the line as gone, even when it is not.
    fn has_line(&self) -> bool {
        matches!(self.line, Line::Ringing | Line::Up) && !self.in_finally()
    }

    /// Whether the outstanding request is cut by a hang-up.
    pub(crate) fn waits_for_line(&self) -> bool {
        match &self.doing {
            Doing::Waiting => !self.in_finally() && !self.outlives_line(),
            Doing::Queued(queued) => !queued.awaits_agent(),
            Doing::Answering | Doing::Playing { .. } | Doing::Dialogue(_) | Doing::Recording(_) | Doing::Onward => true,
            Doing::Nothing | Doing::Service | Doing::Outgoing | Doing::Lost => false,
        }
    }

    fn answer(&mut self) -> Option<Answer> {
        if self.line == Line::Up {
            return Some(Answer::Result(0, None));
        }
        self.doing = Doing::Answering;
        self.output(Output::Line(LineCommand::Answer { request: self.request }));
        None
    }

    fn leave(&mut self, cause: EndCause, refusal: RejectCause) -> Option<Answer> {
        self.ending.get_or_insert(cause);
        self.end_line(refusal);
        Some(Answer::Gone)
    }

    fn play_prompts(&mut self, prompts: &Prompts) -> Option<Answer> {
        match self.play(prompts, false) {
            Err(kind) => Some(Answer::Fault(kind)),
            Ok(false) => Some(Answer::Result(0, None)),
            Ok(true) => {
                self.doing = Doing::Playing { barge_in: prompts.barge_in };
                None
            }
        }
    }

    /// Starts the prompts, and a beep behind them if wanted. `Ok(false)`: there is nothing to hear.
    pub(crate) fn play(&mut self, prompts: &Prompts, beep: bool) -> Result<bool, FaultKind> {
        let mut items = Vec::with_capacity(prompts.items.len() + usize::from(beep));
        for item in &prompts.items {
            items.push(self.item(item)?);
        }
        items.extend(beep.then_some(PlayItem::Beep));
        if items.is_empty() {
            return Ok(false);
        }
        self.token = self.token.wrapping_add(1);
        self.output(Output::Line(LineCommand::Play { token: self.token, items }));
        Ok(true)
    }

    /// All that the outstanding request may play and that can be had.
    pub(crate) fn items(&mut self, site: SiteId) -> Vec<PlayItem> {
        let program = Arc::clone(&self.program);
        let prompts = program.meta().request(site).map_or(&[][..], Request::prompts);
        prompts.iter().filter_map(|item| self.item(item).ok()).collect()
    }

    pub(crate) fn item(&mut self, item: &PromptUse) -> Result<PlayItem, FaultKind> {
        let memory = Memory { meta: self.program.meta(), arena: &mut self.arena, vault: &mut self.vault };
        play_item(&memory, &self.stack, item)
    }

    fn wait(&mut self, arguments: &[Value]) -> Option<Answer> {
        let ms = match arguments {
            [Value::Moment(ms), ..] => (*ms).clamp(0, WAIT_MS_MAX) as u64,
            _ => 0,
        };
        self.doing = Doing::Waiting;
        self.timers.set(Timer::Wait, self.now.tick.plus_ms(ms));
        None
    }

    fn call_service(&mut self, program: &dyn FlowProgram, call: &ServiceCall, arguments: Vec<Value>) -> Option<Answer> {
        let service = program.meta().services.get(call.service as usize);
        let Some(operation) = service.and_then(|service| service.operations.get(call.operation as usize)) else {
            return Some(Answer::Fault(FaultKind::Host));
        };
        self.doing = Doing::Service;
        self.timers.set(Timer::Request, self.now.tick.plus_ms(u64::from(operation.within_ms)));
        let ask = WorldRequest::Service(ServiceAsk {
            service: call.service,
            operation: call.operation,
            arguments,
            within_ms: operation.within_ms,
            writes: operation.writes,
        });
        self.output(Output::World { request: self.request, ask });
        None
    }

    /// Keys from before are nobody's: those from now on go to the other side.
    fn onward(&mut self, arguments: &[Value], how: OnwardKind) -> Option<Answer> {
        let to = match arguments.first() {
            Some(Value::Phone(number)) => number.e164(),
            Some(Value::Text(extension)) => Redacted::new(extension.clone()),
            _ => return Some(Answer::Fault(FaultKind::Host)),
        };
        self.held.clear();
        self.doing = Doing::Onward;
        self.output(Output::World { request: self.request, ask: WorldRequest::Onward(Onward { to, how }) });
        None
    }

    fn note(&mut self, key: &str, r#type: &Type, arguments: Vec<Value>) -> Option<Answer> {
        let Some(value) = arguments.into_iter().next() else { return Some(Answer::Fault(FaultKind::Host)) };
        let ask = WorldRequest::Note { key: key.to_owned(), r#type: r#type.clone(), value };
        self.output(Output::World { request: self.request, ask });
        Some(Answer::Result(0, None))
    }

    /// A timer of the outstanding request.
    pub(crate) fn request_timer(&mut self, timer: Timer) {
        match (timer, &self.doing) {
            (Timer::Wait, Doing::Waiting) => self.resolve(Answer::Result(0, None)),
            (Timer::Request, Doing::Service) => {
                self.output(Output::Cancel { request: self.request });
                self.resolve(Answer::Result(1, None));
            }
            (Timer::FirstKey | Timer::InterKey, Doing::Dialogue(_)) => self.dialogue_timer(timer),
            (Timer::RecordMax, Doing::Recording(_)) => self.record_max(),
            _ => {}
        }
    }

    pub(crate) fn play_done(&mut self) {
        match &self.doing {
            Doing::Playing { .. } => self.resolve(Answer::Result(0, None)),
            Doing::Dialogue(_) => self.prompt_over(),
            Doing::Recording(_) => self.record_prompt_over(),
            Doing::Queued(_) => self.comfort_goes_on(),
            _ => {}
        }
    }

    /// A key went down. Whoever asked for keys gets it; else it stops what may be stopped, and is held.
    pub(crate) fn key_pressed(&mut self, key: char) {
        if !crate::keys::is_key(key) {
            return;
        }
        if let Some((end_key, until)) = self.end_key.take()
            && end_key == key
            && self.now.tick <= until
        {
            return;
        }
        match &self.doing {
            Doing::Playing { barge_in } => {
                let barge_in = *barge_in;
                self.held.push(key);
                if barge_in {
                    self.output(Output::Line(LineCommand::StopPlay));
                    self.resolve(Answer::Result(0, None));
                }
            }
            Doing::Dialogue(_) => self.dialogue_key(key),
            Doing::Recording(_) => self.record_key(key),
            Doing::Queued(_) => self.queued_key(key),
            Doing::Onward => {}
            _ => self.held.push(key),
        }
    }

    /// Nobody waits for the outstanding request any more: withdraws what was asked of others. The line is
    /// told only while it is there.
    pub(crate) fn abandon(&mut self) {
        let up = self.line == Line::Up;
        match &self.doing {
            Doing::Service | Doing::Answering | Doing::Onward | Doing::Outgoing => {
                self.output(Output::Cancel { request: self.request });
            }
            Doing::Queued(_) => {
                self.end_comfort();
                self.output(Output::Cancel { request: self.request });
            }
            Doing::Playing { .. } if up => self.output(Output::Line(LineCommand::StopPlay)),
            Doing::Dialogue(_) if up => self.abandon_dialogue(),
            Doing::Recording(_) if up => self.abandon_recording(),
            _ => {}
        }
    }
}
