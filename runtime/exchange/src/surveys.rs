//! Who is asked how a conversation with an agent was: on the line, in writing afterwards, or not at all. Whom it asked it
//! knows for thirty days; when somebody may be written to it does not know, and asks whoever drives it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use runtime_contract::channel::Channel;
use runtime_contract::leg::LegCommand;
use runtime_contract::record::{CallId, CallRecord};
use runtime_contract::survey::{ASKED_AGAIN_MS, Survey};
use runtime_contract::value::{Phone, Value};
use runtime_contract::write::Answer;
use runtime_contract::{Called, FlowProgram, GraphId, Redacted, Time, Type, Write};
use runtime_session::{Input as SessionInput, Line, RequestId, Session, Start};

use crate::call::Call;
use crate::desk::{Desk, Held, Table};
use crate::exchange::Exchange;
use crate::output::{Output, TraceEvent, TraceWhat};
use crate::record::{empty_record, note_text};

/// People of whom it is known when they were asked.
const ASKED_MAX: usize = 100_000;

/// Outcomes of `survey`, as in the table of requests.
const HELD: u32 = 0;
const LEFT_OUT: u32 = 1;

/// A conversation with an agent that is over, and the survey of its queue.
#[derive(Clone)]
pub(crate) struct Conversed {
    pub call: CallId,
    /// Of its session, which waits to hear whether the survey is held there; `None` where the caller is gone.
    pub request: Option<RequestId>,
    pub program: Arc<dyn FlowProgram>,
    /// Index in `ProgramMeta::surveys`.
    pub survey: u32,
    pub person: Option<Phone>,
    pub called: Redacted<String>,
    pub called_as: Option<Called>,
    pub channel: Channel,
    pub language: u32,
}

/// Why nobody is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOut {
    /// Nobody knows whether he was asked before.
    NumberWithheld,
    /// The same of whoever writes by chat or e-mail.
    NoNumber,
    AskedBefore,
    /// He is gone, or writes, and the survey is by voice alone.
    ByVoiceAlone,
    /// It is too late, or too early, where he is.
    NotAtThisHour,
    /// He has refused to be called or written to, for good.
    OptedOut,
    /// The node takes no calls.
    NoRoom,
}

impl LeftOut {
    pub fn name(self) -> &'static str {
        match self {
            LeftOut::NumberWithheld => "the caller's number is withheld",
            LeftOut::NoNumber => "who writes by chat or e-mail has no number",
            LeftOut::AskedBefore => "the caller was asked within the last 30 days",
            LeftOut::ByVoiceAlone => "it is by voice alone, and the caller is not on the line",
            LeftOut::NotAtThisHour => "at this hour nobody is written to",
            LeftOut::OptedOut => "the caller does not want to be called or written to",
            LeftOut::NoRoom => "there is no room for another conversation",
        }
    }
}

/// Somebody is to be written to, when his day allows it; told back by [`crate::Input::FollowUp`].
#[derive(Clone, Debug)]
pub struct FollowUp {
    pub number: u64,
    pub person: Phone,
    pub ended: Time,
}

#[derive(Clone, Default)]
pub(crate) struct Surveys {
    asked: Table<Phone, Time>,
    /// The same, in the order of time.
    order: VecDeque<Phone>,
    planned: BTreeMap<u64, Conversed>,
    drawn: u64,
}

impl Surveys {
    /// Somebody who is still to be written to was served by this version.
    pub fn uses(&self, graph: GraphId) -> bool {
        self.planned.values().any(|planned| planned.program.meta().graph_id == graph)
    }

    /// Whether he is asked here and now; the session hears it.
    pub fn conversed(&mut self, desk: &mut Desk, conversed: Conversed) {
        let (call, request) = (conversed.call, conversed.request);
        let outcome = self.decide(desk, conversed);
        if let Some(request) = request {
            desk.follow_up(call, SessionInput::Reply { request, outcome, payload: None });
        }
    }

    fn decide(&mut self, desk: &mut Desk, conversed: Conversed) -> u32 {
        let Some(person) = conversed.person else {
            let why = match conversed.channel {
                Channel::Voice | Channel::Sms => LeftOut::NumberWithheld,
                Channel::Chat | Channel::Email => LeftOut::NoNumber,
            };
            return conversed.left_out(desk, why);
        };
        if self.was_asked(person, desk.now.time) {
            return conversed.left_out(desk, LeftOut::AskedBefore);
        }
        let Some(survey) = conversed.table() else { return LEFT_OUT };
        if conversed.request.is_some() && survey.is_by(conversed.channel) {
            self.asks(person, desk.now.time);
            conversed.trace(desk, TraceWhat::SurveyHeld { survey: conversed.survey, by: conversed.channel });
            return HELD;
        }
        if !survey.is_by(Channel::Sms) {
            return conversed.left_out(desk, LeftOut::ByVoiceAlone);
        }
        self.drawn += 1;
        desk.put(Output::FollowUp(FollowUp { number: self.drawn, person, ended: desk.now.time }));
        conversed.trace(desk, TraceWhat::SurveyFollows { survey: conversed.survey });
        self.planned.insert(self.drawn, conversed);
        LEFT_OUT
    }

    fn was_asked(&self, person: Phone, now: Time) -> bool {
        self.asked.get(&person).is_some_and(|at| now.0.saturating_sub(at.0) < ASKED_AGAIN_MS)
    }

    fn asks(&mut self, person: Phone, now: Time) {
        if self.asked.insert(person, now).is_some() {
            self.order.retain(|known| *known != person);
        }
        self.order.push_back(person);
        if self.order.len() > ASKED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.asked.remove(&oldest);
        }
    }
}

impl Conversed {
    fn table(&self) -> Option<&Survey> {
        self.program.meta().surveys.get(self.survey as usize)
    }

    fn left_out(&self, desk: &mut Desk, why: LeftOut) -> u32 {
        self.trace(desk, TraceWhat::SurveyLeftOut { survey: self.survey, why });
        LEFT_OUT
    }

    fn trace(&self, desk: &mut Desk, what: TraceWhat) {
        if desk.trace {
            let program = self.program.clone();
            desk.put(Output::Trace(TraceEvent { now: desk.now, call: self.call, program, what }));
        }
    }
}

impl Exchange {
    /// The time has come to write to somebody, or why it never does.
    pub(crate) fn follow_up(&mut self, number: u64, refused: Option<LeftOut>) {
        let Some(planned) = self.surveys.planned.remove(&number) else { return };
        let why = match refused {
            Some(why) => why,
            None => match self.begin_in_writing(&planned) {
                Ok(()) => return,
                Err(why) => why,
            },
        };
        planned.left_out(&mut self.desk, why);
        self.free_versions();
    }

    fn begin_in_writing(&mut self, planned: &Conversed) -> Result<(), LeftOut> {
        let now = self.desk.now.time;
        let person = planned.person.filter(|person| !self.surveys.was_asked(*person, now));
        let (person, survey) = person.zip(planned.table()).ok_or(LeftOut::AskedBefore)?;
        let version = self.admits().map_err(|_| LeftOut::NoRoom)?;
        let flow = survey.flow;
        self.surveys.asks(person, now);
        self.write_to(person, flow, version.epoch, planned);
        Ok(())
    }

    /// A conversation by SMS that we begin: the flow of a survey, in the version of the conversation before.
    fn write_to(&mut self, person: Phone, flow: u32, epoch: u64, planned: &Conversed) {
        let id = self.next_call();
        let meta = planned.program.meta();
        let record = CallRecord {
            graph: meta.graph_id,
            flow: meta.flow(flow).map_or_else(String::new, |flow| flow.name.clone()),
            caller: Some(person.e164()),
            called: planned.called.reveal().clone(),
            started: self.desk.now.time,
            ..empty_record(id)
        };
        let start = Start {
            epoch,
            caller: Some(person),
            called: planned.called_as,
            channel: Channel::Sms,
            language: planned.language,
            line: Line::Up,
            ..Start::ringing(id, flow)
        };
        let mut session = Session::new(planned.program.clone());
        session.set_trace(self.config.trace);
        let leg = self.desk.open_leg(id);
        self.desk.put(Output::Leg(LegCommand::Write {
            leg,
            channel: Channel::Sms,
            to: person.e164(),
            from: Some(planned.called.clone()),
        }));
        planned.trace(&mut self.desk, TraceWhat::SurveyHeld { survey: planned.survey, by: Channel::Sms });
        self.add(Call::in_writing(session, record, leg));
        self.with_call(id, |call, desk| call.tell(desk, SessionInput::Start(start)));
    }
}

impl Call {
    /// The conversation with an agent is over, and he is still here.
    pub fn conversed(&mut self, desk: &mut Desk, request: RequestId, survey: u32, language: u32) {
        desk.conversed.push_back(Conversed {
            call: self.id(),
            request: Some(request),
            program: self.program().clone(),
            survey,
            person: self.record.caller.as_ref().and_then(|caller| Phone::parse(caller.reveal(), true)),
            called: Redacted::new(self.record.called.clone()),
            called_as: self.program().meta().called(&self.record.called),
            channel: self.session.channel(),
            language,
        });
    }

    /// An answer: whatever the flow says next comes once it is durable.
    pub fn answers_survey(
        &mut self,
        desk: &mut Desk,
        request: RequestId,
        (survey, question): (u32, u32),
        value: Value,
    ) {
        let meta = self.program().meta();
        let fault = SessionInput::Fault { request, kind: runtime_contract::FaultKind::Host };
        let table = meta.surveys.get(survey as usize);
        let (Some(table), Some(asked)) = (table, table.and_then(|table| table.questions.get(question as usize))) else {
            return desk.follow_up(self.id(), fault);
        };
        let text = note_text(meta, &asked.r#type, &value);
        let queue = meta.queues.get(table.queue as usize).map_or("", |queue| queue.name.as_str());
        let answer = Answer {
            key: self.key_of(request),
            call: self.id(),
            survey: table.name.clone(),
            question: asked.name.clone(),
            queue: queue.to_owned(),
            value: Redacted::new(text.clone()),
            personal: matches!(asked.r#type, Type::Text | Type::Digits | Type::Phone),
            recording: if let Value::Recording(recording) = value { Some(recording) } else { None },
            given: desk.now.time,
        };
        let number = desk.write(Write::Answer(Box::new(answer)));
        self.keeping = Some(request);
        if let Some(held) = desk.hold(number, self.id(), Held::Kept(request)) {
            self.refuse_held(desk, held);
        }
        self.trace(desk, || TraceWhat::SurveyAnswered { survey, question, text });
    }

    pub fn release_kept(&mut self, desk: &mut Desk, request: RequestId) {
        if self.keeping.take_if(|open| *open == request).is_some() {
            self.tell(desk, SessionInput::Reply { request, outcome: 0, payload: None });
        }
    }
}
