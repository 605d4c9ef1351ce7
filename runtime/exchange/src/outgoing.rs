//! Flows that no call began: attempts of cadences, which place the call themselves, and what follows an attempt. It does
//! not know when a person may be called, nor how often.

use std::net::SocketAddr;

use runtime_contract::FaultKind;
use runtime_contract::cadence::Outcome;
use runtime_contract::channel::Channel;
use runtime_contract::leg::{GoneCause, LegCommand, LegId, Target};
use runtime_contract::record::{CallId, CallRecord};
use runtime_contract::request::Dial;
use runtime_contract::value::{Phone, Value};
use runtime_session::{DialAsk, Input as SessionInput, Line, RequestId, Session, Start};

use crate::call::Call;
use crate::desk::{Desk, Held};
use crate::exchange::Exchange;
use crate::input::{Version, WriteNumber};
use crate::onward::unanswered;
use crate::output::{MediaCommand, Output, TraceWhat};
use crate::record::empty_record;

/// A flow of a cadence that is to run now, in the version that takes new calls.
#[derive(Clone, Debug)]
pub struct Act {
    /// Comes back with [`Output::Acted`].
    pub number: u64,
    /// Index in `ProgramMeta::flows`.
    pub flow: u32,
    /// In the order of its parameters.
    pub arguments: Vec<Value>,
    /// The person that it is about: `caller` of the flow.
    pub person: Option<Phone>,
}

/// What a call out is about, as long as it lives.
#[derive(Clone)]
pub(crate) struct Outgoing {
    act: u64,
    stage: Stage,
    outcome: Option<Outcome>,
}

#[derive(Clone)]
enum Stage {
    /// Nobody is called yet, or the call is up, or over.
    Idle,
    /// That somebody is called is not durable yet.
    Held {
        request: RequestId,
        ask: DialAsk,
    },
    /// The leg waits for its port.
    Opening {
        request: RequestId,
        ask: DialAsk,
    },
    Dialling {
        request: RequestId,
    },
    /// Whether a message arrives is not known yet.
    Writing {
        request: RequestId,
        by: Channel,
        to: Phone,
    },
    /// Somebody answered; whether a machine did is not known yet.
    Listening {
        request: RequestId,
    },
}

impl Outgoing {
    pub fn new(act: u64) -> Outgoing {
        Outgoing { act, stage: Stage::Idle, outcome: None }
    }

    fn request(&self) -> Option<RequestId> {
        match self.stage {
            Stage::Held { request, .. }
            | Stage::Opening { request, .. }
            | Stage::Dialling { request }
            | Stage::Writing { request, .. }
            | Stage::Listening { request } => Some(request),
            Stage::Idle => None,
        }
    }
}

impl Exchange {
    /// A node that takes no calls makes none either: the flow never began.
    pub(crate) fn act(&mut self, act: Act) {
        let number = act.number;
        let version = match self.admits() {
            Ok(version) => version,
            Err(why) => return self.desk.put(Output::Acted { number, outcome: None, result: Err(why) }),
        };
        let id = self.begin_without_call(&version, act.flow, act.person, Some(Outgoing::new(number)));
        let start = Start {
            epoch: version.epoch,
            arguments: act.arguments,
            caller: act.person,
            line: Line::None,
            ..Start::ringing(id, act.flow)
        };
        self.with_call(id, |call, desk| call.tell(desk, SessionInput::Start(start)));
    }

    /// A session that no call begins, about this person; it is to be told its start. `outgoing`: of a cadence, else of a
    /// rule.
    pub(crate) fn begin_without_call(
        &mut self,
        version: &Version,
        flow: u32,
        person: Option<Phone>,
        outgoing: Option<Outgoing>,
    ) -> CallId {
        let id = self.next_call();
        let meta = version.program.meta();
        let record = CallRecord {
            graph: meta.graph_id,
            flow: meta.flow(flow).map_or_else(String::new, |flow| flow.name.clone()),
            caller: person.map(|person| person.e164()),
            called: String::new(),
            started: self.desk.now.time,
            ..empty_record(id)
        };
        let mut session = Session::new(version.program.clone());
        session.set_trace(self.config.trace);
        self.add(Call::without_call(session, record, outgoing));
        id
    }
}

impl Call {
    /// Somebody is to be called, once that is durable.
    pub fn go_out(&mut self, desk: &mut Desk, number: WriteNumber, request: RequestId, ask: DialAsk) {
        let Some(outgoing) = &mut self.outgoing else {
            return desk.follow_up(self.id(), SessionInput::Fault { request, kind: FaultKind::Host });
        };
        outgoing.stage = Stage::Held { request, ask };
        if let Some(held) = desk.hold(number, self.id(), Held::Outgoing(request)) {
            self.refuse_held(desk, held);
        }
    }

    pub fn release_outgoing(&mut self, desk: &mut Desk, request: RequestId) {
        let id = self.id();
        let Some(outgoing) = self.outgoing.as_mut().filter(|outgoing| outgoing.request() == Some(request)) else {
            return;
        };
        let Stage::Held { ask, .. } = std::mem::replace(&mut outgoing.stage, Stage::Idle) else { return };
        let leg = desk.open_leg(id);
        self.leg = Some(leg);
        if ask.by.is_written() {
            outgoing.stage = Stage::Writing { request, by: ask.by, to: ask.to };
            let (channel, to, from) = (ask.by, ask.to.e164(), ask.from.map(Phone::e164));
            self.trace(desk, || TraceWhat::Onward { to: to.clone(), transfer: false });
            return desk.put(Output::Leg(LegCommand::Write { leg, channel, to, from }));
        }
        desk.put(Output::Media(MediaCommand::Open { leg, peer: None, beside: None }));
        outgoing.stage = Stage::Opening { request, ask };
    }

    /// The store does not keep it: nobody is called.
    pub fn refuse_outgoing(&mut self, request: RequestId) -> Option<SessionInput> {
        let outgoing = self.outgoing.as_mut().filter(|outgoing| outgoing.request() == Some(request))?;
        outgoing.stage = Stage::Idle;
        Some(SessionInput::Fault { request, kind: FaultKind::Store })
    }

    /// A port is bound. False when it is for another leg than that of a call out.
    pub fn outgoing_opened(&mut self, desk: &mut Desk, leg: LegId, media: SocketAddr) -> bool {
        let Some(outgoing) = &mut self.outgoing else { return false };
        match std::mem::replace(&mut outgoing.stage, Stage::Idle) {
            Stage::Opening { request, ask } => {
                outgoing.stage = Stage::Dialling { request };
                let (target, from) = (Target::Number(ask.to.e164()), ask.from.map(Phone::e164));
                self.trace(desk, || TraceWhat::Onward { to: ask.to.e164(), transfer: false });
                desk.put(Output::Leg(LegCommand::Dial { leg, target, from, ring_ms: ask.ring_ms, media }));
                desk.voiced.insert(leg, self.id());
            }
            other => outgoing.stage = other,
        }
        true
    }

    /// Somebody, or something, answered. False where that was no call out.
    pub fn outgoing_up(&mut self, desk: &mut Desk) -> bool {
        let Some(outgoing) = &mut self.outgoing else { return false };
        if let Stage::Dialling { request } = outgoing.stage {
            outgoing.stage = Stage::Listening { request };
            self.record.answered = Some(desk.now.time);
            self.trace(desk, || TraceWhat::Answered);
        } else if let Stage::Writing { request, by, .. } = outgoing.stage {
            let outcome = Dial::DELIVERED;
            (outgoing.stage, outgoing.outcome) = (Stage::Idle, Some(Dial::reached(by, outcome)));
            self.record.answered = Some(desk.now.time);
            self.tell(desk, SessionInput::Reply { request, outcome, payload: None });
        }
        true
    }

    /// It is known who answered.
    pub fn greeted(&mut self, desk: &mut Desk, machine: bool) {
        let Some(outgoing) = &mut self.outgoing else { return };
        if let Stage::Listening { request } = outgoing.stage {
            let outcome = if machine { Dial::MACHINE } else { Dial::PERSON };
            (outgoing.stage, outgoing.outcome) = (Stage::Idle, Some(Dial::reached(Channel::Voice, outcome)));
            self.tell(desk, SessionInput::Reply { request, outcome, payload: None });
        }
    }

    /// The leg of a call out is over before anybody was heard. False when it is a line like others.
    pub fn outgoing_gone(&mut self, desk: &mut Desk, cause: GoneCause) -> bool {
        let Some(outgoing) = &mut self.outgoing else { return false };
        let Some(request) = outgoing.request() else { return false };
        let (by, outcome, to) = match outgoing.stage {
            Stage::Writing { by, to, .. } => (by, Dial::UNDELIVERED, Some(to)),
            _ => (Channel::Voice, unanswered(cause), None),
        };
        (outgoing.stage, outgoing.outcome) = (Stage::Idle, Some(Dial::reached(by, outcome)));
        self.leg = None;
        if let Some(to) = to {
            self.attempt_undelivered(desk, by, to);
        }
        self.tell(desk, SessionInput::Reply { request, outcome, payload: None });
        true
    }

    /// Nobody waits for this call any more.
    pub fn cancel_outgoing(&mut self, desk: &mut Desk, request: RequestId) {
        let Some(outgoing) = self.outgoing.as_mut().filter(|outgoing| outgoing.request() == Some(request)) else {
            return;
        };
        let stage = std::mem::replace(&mut outgoing.stage, Stage::Idle);
        let Some(leg) = self.leg.take() else { return };
        match stage {
            Stage::Opening { .. } => {
                desk.legs.remove(&leg);
                desk.put(Output::Media(MediaCommand::Close { leg }));
            }
            _ => desk.put(Output::Leg(LegCommand::HangUp { leg })),
        }
    }

    /// A cadence is to begin, once that is durable.
    pub fn start_cadence(
        &mut self,
        desk: &mut Desk,
        number: WriteNumber,
        request: RequestId,
        (cadence, arguments): (u32, Vec<Value>),
    ) {
        self.starting = Some((request, cadence, arguments));
        if let Some(held) = desk.hold(number, self.id(), Held::Start(request)) {
            self.refuse_held(desk, held);
        }
    }

    pub fn release_start(&mut self, desk: &mut Desk, request: RequestId) {
        let Some((_, cadence, arguments)) = self.starting.take_if(|(open, ..)| *open == request) else { return };
        desk.put(Output::StartCadence { call: self.id(), request, cadence, arguments });
        self.tell(desk, SessionInput::Reply { request, outcome: 0, payload: None });
    }

    /// The session is over: whoever wanted the flow to run hears what came of it.
    pub fn acted(&mut self, desk: &mut Desk) {
        if let Some(outgoing) = self.outgoing.take() {
            let Outgoing { act: number, outcome, .. } = outgoing;
            desk.put(Output::Acted { number, outcome, result: Ok(self.session.result().cloned()) });
        }
    }
}
