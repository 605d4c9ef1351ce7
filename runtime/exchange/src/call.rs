//! One call at the exchange: its session, its leg, its record. Carries the session's wishes out, each in its
//! turn: the journal first, then what may leave at once, then what waits for the journal to be durable.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use runtime_acd::LeaveWhy;
use runtime_contract::leg::{GoneCause, LegCommand, LegId, RejectCause};
use runtime_contract::record::{CallId, CallRecord};
use runtime_contract::value::Value;
use runtime_contract::{FaultKind, FlowProgram, Redacted, Tick, Type, Write};
use runtime_session::{
    EndCause, Input as SessionInput, Line, LineCommand, LineEvent, Output as SessionOutput, RequestId, ServiceAsk,
    Session, WorldRequest,
};

use crate::conversation::Conversation;
use crate::desk::{Desk, Held, QueueWish};
use crate::input::{Recorded, RecordingFailed, WriteNumber};
use crate::onward::Onward;
use crate::outgoing::Outgoing;
use crate::output::{Event, MediaCommand, Output, ServiceCall, TraceEvent, TraceWhat};
use crate::queueing::Queued;
use crate::record::{end_text, note_text, step_text};
use crate::revival::Revival;

#[derive(Clone)]
pub(crate) struct Call {
    pub session: Session,
    #[cfg(debug_assertions)]
    checker: Option<runtime_session::checker::Checker>,
    pub record: Box<CallRecord>,
    /// `None` once it is gone, and for a call that was rebuilt and is not to be taken up again.
    pub leg: Option<LegId>,
    /// Where its signalling comes from.
    peer: Option<IpAddr>,
    pub revival: Option<Box<Revival>>,
    /// The first of its journal is handed to the store.
    begun: bool,
    media: Option<SocketAddr>,
    answering: Option<Answering>,
    /// The service request that is open, and whether it left.
    service: Option<(RequestId, bool)>,
    /// The caller is with somebody else, or on the way.
    pub onward: Option<Onward>,
    /// What began it, where no call did.
    pub outgoing: Option<Outgoing>,
    /// It is the action of a rule.
    pub is_of_rule: bool,
    /// A cadence that it begins, and that is not durable yet.
    pub starting: Option<(RequestId, u32, Vec<Value>)>,
    /// An answer to a survey that is not durable yet.
    pub keeping: Option<RequestId>,
    /// He waits for an agent, talks with him, or did.
    pub queued: Option<Queued>,
    recording: Option<Recording>,
    pub conversation: Conversation,
    /// The caller's last key, and how and when it came.
    last_key: Option<(char, KeyWay, Tick)>,
    /// The session is over; only recordings are still to come.
    over: bool,
    /// As it stands in the exchange's table of deadlines.
    pub deadline: Option<Tick>,
    /// When a call that is over is closed without its recordings.
    close_at: Option<Tick>,
}

/// How a key came. Some phones send each both ways.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyWay {
    Voice,
    Signalling,
}

/// The same key by the other way within this time is the same press.
const SAME_PRESS_MS_MAX: u64 = 250;

#[derive(Clone, Copy)]
struct Answering {
    request: RequestId,
    durable: bool,
}

#[derive(Clone, Copy)]
struct Recording {
    request: RequestId,
    recording: u64,
    /// The leg it was made on is gone, or the flow wants it no more.
    abandoned: bool,
}

/// How long a call that is over waits for the files of its recordings.
const RECORDING_CLOSE_MS_MAX: u64 = 10_000;

impl Call {
    pub fn new(session: Session, record: CallRecord, leg: Option<(LegId, IpAddr)>) -> Call {
        Call {
            session,
            #[cfg(debug_assertions)]
            checker: leg.map(|_| runtime_session::checker::Checker::default()),
            record: Box::new(record),
            leg: leg.map(|(leg, _)| leg),
            peer: leg.map(|(_, peer)| peer),
            revival: None,
            begun: leg.is_none(),
            media: None,
            answering: None,
            service: None,
            onward: None,
            outgoing: None,
            is_of_rule: false,
            starting: None,
            keeping: None,
            queued: None,
            recording: None,
            conversation: Conversation::default(),
            last_key: None,
            over: false,
            deadline: None,
            close_at: None,
        }
    }

    /// Begun by no call: its flow places one, or none. Without a cadence it is the action of a rule.
    pub fn without_call(session: Session, record: CallRecord, outgoing: Option<Outgoing>) -> Call {
        Call {
            begun: false,
            #[cfg(debug_assertions)]
            checker: Some(runtime_session::checker::Checker::default()),
            is_of_rule: outgoing.is_none(),
            outgoing,
            ..Call::new(session, record, None)
        }
    }

    /// Begun by us, in writing.
    pub fn in_writing(session: Session, record: CallRecord, leg: LegId) -> Call {
        Call {
            begun: false,
            #[cfg(debug_assertions)]
            checker: Some(runtime_session::checker::Checker::default()),
            leg: Some(leg),
            ..Call::new(session, record, None)
        }
    }

    pub fn id(&self) -> CallId {
        self.record.call
    }

    pub fn program(&self) -> &Arc<dyn FlowProgram> {
        self.session.program()
    }

    /// A key of the caller that has come by the other way already.
    pub fn is_said_twice(&mut self, desk: &Desk, key: char, way: KeyWay) -> bool {
        let is_same = |(last, came, at): &mut (char, KeyWay, Tick)| {
            *last == key && *came != way && desk.now.tick <= at.plus_ms(SAME_PRESS_MS_MAX)
        };
        if self.last_key.take_if(is_same).is_some() {
            return true;
        }
        self.last_key = Some((key, way, desk.now.tick));
        false
    }

    /// Over, and nothing to wait for: may be dropped.
    pub fn is_closed(&self) -> bool {
        self.over && !self.awaits_files()
    }

    fn awaits_files(&self) -> bool {
        self.recording.is_some() || self.conversation.is_unsaved()
    }

    /// Neither answered nor about to be: the caller is to hear that it rings.
    pub fn rings(&self) -> bool {
        self.leg.is_some() && self.answering.is_none() && self.session.line() == Line::Ringing
    }

    pub fn next_deadline(&self) -> Option<Tick> {
        match &self.revival {
            _ if self.over => self.close_at,
            Some(revival) => Some(revival.until),
            None => self.session.next_deadline(),
        }
    }

    /// The tick of `next_deadline` has come.
    pub fn timeout(&mut self, desk: &mut Desk) {
        if !self.over {
            return match &self.revival {
                Some(revival) if revival.until <= desk.now.tick => self.end_revival(desk),
                Some(_) => {}
                None => self.tell(desk, SessionInput::Tick),
            };
        }
        if self.close_at.is_some_and(|at| at <= desk.now.tick) && self.awaits_files() {
            self.recording = None;
            self.give_up_conversation(desk);
            self.close(desk, Vec::new());
        }
    }

    /// One input for the session, and all that follows from it.
    pub fn tell(&mut self, desk: &mut Desk, input: SessionInput) {
        if self.over {
            return;
        }
        #[cfg(debug_assertions)]
        self.check_input(desk, &input);
        let mut journal = Vec::new();
        let mut wishes = Vec::new();
        let mut ended = None;
        for output in self.session.handle(desk.now, input) {
            #[cfg(debug_assertions)]
            if let Some(checker) = &mut self.checker {
                let verdict = checker.output(&output);
                debug_assert!(verdict.is_ok(), "{verdict:?}");
            }
            match output {
                SessionOutput::Journal(bytes) => journal.extend(bytes),
                SessionOutput::Done(cause) => ended = Some(cause),
                wish => wishes.push(wish),
            }
        }
        #[cfg(debug_assertions)]
        self.check_drained();
        if !self.begun || (ended.is_none() && !journal.is_empty()) {
            self.write_journal(desk, std::mem::take(&mut journal));
        }
        let number = desk.last_write();
        for wish in wishes {
            self.carry_out(desk, number, wish);
        }
        if let Some(cause) = ended {
            self.end(desk, cause, journal);
        }
    }

    #[cfg(debug_assertions)]
    fn check_input(&mut self, desk: &Desk, input: &SessionInput) {
        if let Some(checker) = &mut self.checker {
            let verdict = checker.input(desk.now, input);
            debug_assert!(verdict.is_ok(), "{verdict:?}");
        }
    }

    #[cfg(debug_assertions)]
    fn check_drained(&self) {
        if let Some(checker) = &self.checker {
            let verdict = checker.drained(&self.session);
            debug_assert!(verdict.is_ok(), "{verdict:?}");
        }
    }

    fn write_journal(&mut self, desk: &mut Desk, journal: Vec<u8>) -> WriteNumber {
        self.begun = true;
        desk.write(Write::Journal { call: self.id(), graph: self.record.graph, journal })
    }

    /// `number`: the write that holds the journal of this wish.
    fn carry_out(&mut self, desk: &mut Desk, number: WriteNumber, wish: SessionOutput) {
        match wish {
            SessionOutput::Line(command) => self.line(desk, number, command),
            SessionOutput::World { request, ask: WorldRequest::Service(ask) } => {
                self.service(desk, number, request, ask);
            }
            SessionOutput::World { request, ask: WorldRequest::Onward(onward) } => {
                self.go_onward(desk, number, request, onward);
            }
            SessionOutput::World { request, ask: WorldRequest::Queue(ask) } => {
                self.enter_queue(desk, number, request, ask);
            }
            SessionOutput::World { ask: WorldRequest::Callback, .. } => {
                desk.wishes.push_back(QueueWish::Callback(self.id()));
            }
            SessionOutput::World { request, ask: WorldRequest::Dial(ask) } => self.go_out(desk, number, request, ask),
            SessionOutput::World { request, ask: WorldRequest::Start { cadence, arguments } } => {
                self.start_cadence(desk, number, request, (cadence, arguments));
            }
            SessionOutput::World { request, ask: WorldRequest::Survey { survey, language } } => {
                self.conversed(desk, request, survey, language);
            }
            SessionOutput::World { request, ask: WorldRequest::SurveyAnswer { survey, question, value } } => {
                self.answers_survey(desk, request, (survey, question), value);
            }
            SessionOutput::World { ask: WorldRequest::Note { key, r#type, value }, .. } => {
                let text = note_text(self.program().meta(), &r#type, &value);
                self.note(key.clone(), &text);
                self.trace(desk, || TraceWhat::Noted { key, r#type, value, text });
            }
            SessionOutput::World { request, ask: WorldRequest::Send(sending) } => self.send(desk, request, sending),
            SessionOutput::World { request, ask: WorldRequest::OpenCase(case) } => self.open_case(desk, request, case),
            SessionOutput::Cancel { request } => self.cancel(desk, request),
            SessionOutput::Fault { kind, place } => {
                self.record.faults += 1;
                let place = place.map_or_else(String::new, |place| self.program().meta().place_text(place));
                desk.event(Event::Fault { call: self.id(), graph: self.record.graph, kind, place });
            }
            SessionOutput::Trace(trace) => self.trace(desk, || TraceWhat::Session(trace)),
            SessionOutput::Journal(_) | SessionOutput::Done(_) => {}
        }
    }

    /// A later note of the same key replaces the earlier.
    pub fn note(&mut self, key: String, text: &str) {
        let text = Redacted::new(text.to_owned());
        match self.record.notes.iter_mut().find(|(known, _)| *known == key) {
            Some((_, place)) => *place = text,
            None => self.record.notes.push((key, text)),
        }
    }

    pub fn note_rebuilt(&mut self, key: String, r#type: &Type, value: &runtime_contract::value::Value) {
        let text = note_text(self.program().meta(), r#type, value);
        self.note(key, &text);
    }

    fn line(&mut self, desk: &mut Desk, number: WriteNumber, command: LineCommand) {
        let Some(leg) = self.leg else { return };
        match command {
            LineCommand::Answer { request } => {
                self.answering = Some(Answering { request, durable: false });
                desk.put(Output::Media(MediaCommand::Open { leg, peer: self.peer, beside: None }));
                if let Some(held) = desk.hold(number, self.id(), Held::Answer(request)) {
                    self.refuse_held(desk, held);
                }
            }
            LineCommand::Reject(cause) => desk.put(Output::Leg(LegCommand::Reject { leg, cause })),
            LineCommand::HangUp if self.revival.is_some() => self.abandon_revival(desk),
            LineCommand::HangUp => {
                self.end_conversation(desk, leg);
                desk.put(Output::Leg(LegCommand::HangUp { leg }));
            }
            LineCommand::Play { token, items } => {
                let program = self.program().clone();
                if desk.trace {
                    let items = items.clone();
                    self.trace(desk, || TraceWhat::Played(items));
                }
                desk.put(Output::Media(MediaCommand::Play { leg, token, program, items }));
            }
            LineCommand::StopPlay => {
                self.trace(desk, || TraceWhat::Stopped);
                desk.put(Output::Media(MediaCommand::StopPlay { leg }));
            }
            LineCommand::Mask { on } => desk.put(Output::Media(MediaCommand::Mask { leg, on })),
            LineCommand::Record { request, length_ms_max, silence_ms } => {
                let recording = desk.begin_recording(self.id(), false);
                self.recording = Some(Recording { request, recording, abandoned: false });
                let call = self.id();
                desk.put(Output::Media(MediaCommand::Record { leg, call, recording, length_ms_max, silence_ms }));
            }
            LineCommand::RecordCall { on } => self.record_conversation(desk, leg, on),
            LineCommand::StopRecord { .. } => desk.put(Output::Media(MediaCommand::StopRecord { leg })),
        }
    }

    fn service(&mut self, desk: &mut Desk, number: WriteNumber, request: RequestId, ask: ServiceAsk) {
        let call = ServiceCall {
            call: self.id(),
            request,
            program: self.program().clone(),
            service: ask.service,
            operation: ask.operation,
            arguments: ask.arguments,
            within_ms: ask.within_ms,
            idempotency_key: ask.writes.then(|| self.key_of(request)),
        };
        self.service = Some((request, !ask.writes));
        if !ask.writes {
            return desk.put(Output::Service(call));
        }
        if let Some(held) = desk.hold(number, self.id(), Held::Service(Box::new(call))) {
            self.refuse_held(desk, held);
        }
    }

    fn cancel(&mut self, desk: &mut Desk, request: RequestId) {
        self.cancel_onward(desk, Some(request));
        self.cancel_outgoing(desk, request);
        self.starting.take_if(|(open, ..)| *open == request);
        self.keeping.take_if(|open| *open == request);
        self.leave_queue(desk, Some(request), LeaveWhy::Left);
        if self.answering.is_some_and(|answering| answering.request == request) {
            self.answering = None;
        }
        if let Some((open, sent)) = self.service
            && open == request
        {
            self.service = None;
            if sent {
                desk.put(Output::CancelService { call: self.id(), request });
            }
        }
    }

    /// What was held back may leave, if it is still wanted.
    pub fn release(&mut self, desk: &mut Desk, held: Held) {
        match held {
            Held::Answer(request) => {
                if let Some(answering) = self.answering.as_mut().filter(|answering| answering.request == request) {
                    answering.durable = true;
                    self.try_answer(desk);
                }
            }
            Held::Service(call) => {
                if self.service == Some((call.request, false)) {
                    self.service = Some((call.request, true));
                    desk.put(Output::Service(*call));
                }
            }
            Held::Onward(request) => self.release_onward(desk, request),
            Held::Outgoing(request) => self.release_outgoing(desk, request),
            Held::Start(request) => self.release_start(desk, request),
            Held::Kept(request) => self.release_kept(desk, request),
            Held::Queue(request) => self.release_queue(desk, request),
            Held::Recording { request, recording, length_ms } => {
                let event = LineEvent::RecordDone { request, recording, length_ms, spoken: true };
                self.tell(desk, SessionInput::Line(event));
            }
        }
    }

    /// What was held back will not leave: the store does not keep what must be kept first.
    pub fn refuse_held(&mut self, desk: &mut Desk, held: Held) {
        let input = match held {
            Held::Answer(request) => {
                self.answering = None;
                // 503, so that the caller's side tries another node; whatever the flow does next has no line.
                if let Some(leg) = self.leg.take() {
                    desk.put(Output::Leg(LegCommand::Reject { leg, cause: RejectCause::Overloaded }));
                }
                // Both, in this order: a `fault` handler that answers would wait for a line that is gone.
                desk.follow_up(self.id(), SessionInput::Fault { request, kind: FaultKind::Store });
                SessionInput::Line(LineEvent::Gone(GoneCause::Failed))
            }
            Held::Recording { request, .. } | Held::Queue(request) => {
                SessionInput::Fault { request, kind: FaultKind::Store }
            }
            Held::Outgoing(request) => match self.refuse_outgoing(request) {
                Some(input) => input,
                None => return,
            },
            Held::Start(request) => {
                self.starting = None;
                SessionInput::Fault { request, kind: FaultKind::Store }
            }
            Held::Kept(request) => {
                self.keeping = None;
                SessionInput::Fault { request, kind: FaultKind::Store }
            }
            Held::Onward(request) => match self.refuse_onward(request) {
                Some(input) => input,
                None => return,
            },
            Held::Service(call) => {
                self.service = None;
                SessionInput::Reply { request: call.request, outcome: 1, payload: None }
            }
        };
        desk.follow_up(self.id(), input);
    }

    /// A port is bound for the leg.
    pub fn media_opened(&mut self, desk: &mut Desk, address: SocketAddr) {
        if let Some(leg) = self.leg
            && self.outgoing_opened(desk, leg, address)
        {
            return;
        }
        self.media = Some(address);
        desk.voiced.extend(self.leg.map(|leg| (leg, self.id())));
        self.try_answer(desk);
    }

    /// 200, once the start is durable and the port is known.
    fn try_answer(&mut self, desk: &mut Desk) {
        let answering = self.answering.filter(|answering| answering.durable);
        if let (Some(_), Some(leg), Some(media)) = (answering, self.leg, self.media) {
            self.answering = None;
            desk.put(Output::Leg(LegCommand::Answer { leg, media }));
        }
    }

    /// No port could be had.
    pub fn media_failed(&mut self, desk: &mut Desk) {
        if let Some(leg) = self.leg {
            desk.put(Output::Leg(LegCommand::Reject { leg, cause: RejectCause::Overloaded }));
            self.line_gone(desk, GoneCause::Failed);
        }
    }

    pub fn leg_up(&mut self, desk: &mut Desk) {
        if self.outgoing_up(desk) {
            return;
        }
        if self.record.answered.is_none() {
            self.record.answered = Some(desk.now.time);
            self.trace(desk, || TraceWhat::Answered);
        }
        self.tell(desk, SessionInput::Line(LineEvent::Answered));
    }

    pub fn line_gone(&mut self, desk: &mut Desk, cause: GoneCause) {
        if self.outgoing_gone(desk, cause) {
            return;
        }
        self.leg = None;
        self.answering = None;
        self.conversation.leg_gone();
        self.cancel_onward(desk, None);
        self.leave_queue(desk, None, LeaveWhy::Abandoned);
        if let Some(recording) = &mut self.recording {
            recording.abandoned = true;
        }
        self.tell(desk, SessionInput::Line(LineEvent::Gone(cause)));
    }

    /// A service answered; false when nobody waits for it.
    pub fn service_done(&mut self, request: RequestId) -> bool {
        let open = self.service.is_some_and(|(open, _)| open == request);
        if open {
            self.service = None;
        }
        open
    }

    /// A recording's file is synced: its row comes next, and only then the flow hears of it.
    pub fn recorded(&mut self, desk: &mut Desk, recording: u64, result: Result<Recorded, RecordingFailed>) {
        let (call, created) = (self.id(), desk.now.time);
        let waited_for = self.over;
        if self.conversation.settle(recording) {
            self.conversation_recorded(desk, recording, result);
            if waited_for && !self.awaits_files() {
                self.close(desk, Vec::new());
            }
            return;
        }
        // One that the session gave up waiting for still has its row.
        let done = self.recording.take_if(|running| running.recording == recording);
        let request = done.map_or(RequestId(0), |done| done.request);
        match result {
            Ok(Recorded { length_ms, spoken: true }) => {
                let partial = done.is_none_or(|done| done.abandoned) || self.session.line() == Line::Gone;
                let number =
                    desk.write(Write::Recording { call, recording, length_ms, created, partial, conversation: false });
                self.record.recordings.push(recording);
                if let Some(held) = desk.hold(number, call, Held::Recording { request, recording, length_ms }) {
                    self.refuse_held(desk, held);
                }
            }
            Ok(Recorded { length_ms, spoken: false }) => {
                desk.put(Output::Media(MediaCommand::DiscardRecording { recording }));
                let event = LineEvent::RecordDone { request, recording, length_ms, spoken: false };
                self.tell(desk, SessionInput::Line(event));
            }
            Err(RecordingFailed { kept_ms: length_ms }) => {
                if length_ms == 0 {
                    desk.put(Output::Media(MediaCommand::DiscardRecording { recording }));
                } else {
                    let (partial, conversation) = (true, false);
                    desk.write(Write::Recording { call, recording, length_ms, created, partial, conversation });
                    self.record.recordings.push(recording);
                }
                self.tell(desk, SessionInput::Fault { request, kind: FaultKind::Store });
            }
        }
        if waited_for && !self.awaits_files() {
            self.close(desk, Vec::new());
        }
    }

    /// The session is over. The record follows at once, or after the last of its recordings.
    fn end(&mut self, desk: &mut Desk, cause: EndCause, journal: Vec<u8>) {
        self.over = true;
        self.abandon_revival(desk);
        self.acted(desk);
        self.record.end = end_text(cause);
        self.record.ended = desk.now.time;
        self.record.last_step = step_text(self.program().meta(), self.session.body_site());
        if !self.awaits_files() {
            return self.close(desk, journal);
        }
        self.close_at = Some(desk.now.tick.plus_ms(RECORDING_CLOSE_MS_MAX));
        if !journal.is_empty() {
            self.write_journal(desk, journal);
        }
    }

    fn close(&mut self, desk: &mut Desk, journal: Vec<u8>) {
        desk.write(Write::End { record: self.record.clone(), journal });
        self.trace(desk, || TraceWhat::Ended);
        desk.event(Event::CallEnded { call: self.id() });
    }

    pub fn trace(&self, desk: &mut Desk, what: impl FnOnce() -> TraceWhat) {
        if desk.trace {
            let event = TraceEvent { now: desk.now, call: self.id(), program: self.program().clone(), what: what() };
            desk.put(Output::Trace(event));
        }
    }
}
