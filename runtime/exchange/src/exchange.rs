//! The exchange itself: the door, who gets which input, and when a new call is taken or turned away.

use std::collections::BTreeSet;

use runtime_acd::Input as AcdInput;
use runtime_contract::channel::Channel;
use runtime_contract::leg::{Incoming, LegCommand, LegEvent, LegId, RejectCause};
use runtime_contract::limits::VERSIONS_LIVE_MAX;
use runtime_contract::record::{CallId, CallRecord};
use runtime_contract::value::Phone;
use runtime_contract::{GraphId, Now, Redacted, Tick, Write};
use runtime_session::{Input as SessionInput, Line, LineEvent, RequestId, Session, Start, StopReason};

use crate::call::{Call, KeyWay};
use crate::desk::{Desk, Table};
use crate::input::{Canary, Input, MediaEvent, ServiceFailure, Version, WriteNumber};
use crate::live::LiveCall;
use crate::number::bare_number;
use crate::output::{Event, MediaCommand, Output, Outputs, Refusal};
use crate::queues::Queues;
use crate::record::empty_record;
use crate::recovery::LegFacts;
use crate::rules::Rules;
use crate::surveys::Surveys;

#[derive(Clone, Debug)]
pub struct Config {
    /// Calls at once; above it new ones get 503.
    pub calls_max: usize,
    /// Call ids count up from here: drawn at random by each process.
    pub seed: [u8; 16],
    /// Recordings are numbered from here: above all that the store holds.
    pub recording_first: u64,
    /// Give [`crate::Output::Trace`].
    pub trace: bool,
}

/// All calls of a node.
#[derive(Clone)]
pub struct Exchange {
    pub(crate) config: Config,
    pub(crate) desk: Desk,
    pub(crate) calls: Table<CallId, Box<Call>>,
    pub(crate) queues: Queues,
    pub(crate) rules: Rules,
    pub(crate) surveys: Surveys,
    deadlines: BTreeSet<(Tick, CallId)>,
    stable: Option<Version>,
    canary: Option<Canary>,
    /// Versions with calls, the stable one and the canary.
    pub(crate) versions: Vec<VersionUse>,
    calls_begun: u128,
    drain: Option<Drain>,
}

#[derive(Clone)]
pub(crate) struct VersionUse {
    pub graph: GraphId,
    pub calls: usize,
}

#[derive(Clone, Copy)]
struct Drain {
    until: Tick,
    /// The calls that were left then are stopped.
    stopped: bool,
    said: bool,
}

impl Exchange {
    pub fn new(config: Config) -> Exchange {
        let desk = Desk::new(config.trace, config.recording_first);
        let queues = Queues::new(u128::from_be_bytes(config.seed) as u64);
        Exchange {
            config,
            desk,
            calls: Table::default(),
            queues,
            rules: Rules::default(),
            surveys: Surveys::default(),
            deadlines: BTreeSet::new(),
            stable: None,
            canary: None,
            versions: Vec::new(),
            calls_begun: 0,
            drain: None,
        }
    }

    /// Takes one input. A clock that went back counts as one that stood.
    pub fn handle(&mut self, now: Now, input: Input) -> Outputs<'_> {
        debug_assert!(self.desk.outputs.is_empty(), "outputs drained before the next input");
        let before = self.desk.now;
        self.desk.now = Now { tick: before.tick.max(now.tick), time: before.time.max(now.time) };
        match input {
            Input::Leg(event) => self.leg(event),
            Input::Media(event) => self.media(event),
            Input::Committed(number) => self.committed(number),
            Input::StoreFailed => self.store_stalls(),
            Input::Service { call, request, result } => self.service(call, request, result),
            Input::Timeout => self.timeout(),
            Input::Version(version) => self.version(version),
            Input::Canary(canary) => self.canary(canary),
            Input::Drain { until } => self.drain = Some(Drain { until, stopped: false, said: false }),
            Input::Recovered(recovered) => self.recover(recovered),
            Input::Act(act) => self.act(act),
            Input::FollowUp { number, refused } => self.follow_up(number, refused),
            Input::Undelivered(message) => self.undelivered(&message),
            Input::Agent { agent, extension } => self.queues.agent(&mut self.desk, agent, extension),
            Input::AgentRemoved(agent) => self.queues.agent_removed(&mut self.desk, agent),
            Input::AgentState { agent, state } => self.queue(AcdInput::AgentState { agent, state }),
            Input::QueueFull(queue) => self.queue(AcdInput::Full(queue)),
            Input::WrapUpDone { agent, result } => self.queue(AcdInput::WrapUpDone { agent, result }),
        }
        self.follow();
        self.say_drained();
        Outputs { queue: &mut self.desk.outputs }
    }

    /// What calls and queues have told each other meanwhile.
    fn follow(&mut self) {
        loop {
            if let Some((call, input)) = self.desk.followups.pop_front() {
                self.with_call(call, |call, desk| call.tell(desk, input));
            } else if let Some(wish) = self.desk.wishes.pop_front() {
                self.queues.wish(&mut self.desk, wish);
            } else if let Some(conversed) = self.desk.conversed.pop_front() {
                self.surveys.conversed(&mut self.desk, conversed);
            } else if let Some(undelivered) = self.desk.undelivered.pop_front() {
                self.fire_undelivered(&undelivered);
            } else if !self.tell_rules() {
                break;
            }
        }
        if std::mem::take(&mut self.queues.ticket_over) {
            self.free_versions();
        }
    }

    fn queue(&mut self, input: AcdInput) {
        self.queues.tell(&mut self.desk, input);
    }

    /// When [`Input::Timeout`] is due at the latest; `None` while nothing waits.
    pub fn next_deadline(&self) -> Option<Tick> {
        let call = self.deadlines.first().map(|(at, _)| *at);
        let drain = self.drain.filter(|drain| !drain.stopped).map(|drain| drain.until);
        [call, drain, self.desk.stalls_at(), self.queues.next_deadline(), self.rules.next_deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Calls going on.
    pub fn calls_live(&self) -> usize {
        self.calls.len()
    }

    /// The call that began last, of those that go on; the action of a rule is none.
    pub fn last_session(&self) -> Option<(CallId, &Session)> {
        let calls = self.calls.iter().filter(|(_, call)| !call.is_of_rule);
        calls.max_by_key(|(call, _)| **call).map(|(id, call)| (*id, &call.session))
    }

    /// Callers' legs whose media is not over, those of calls that are over among them.
    pub fn voices_open(&self) -> usize {
        self.desk.voiced.len()
    }

    /// What goes on in each call, in no order.
    pub fn live(&self) -> impl Iterator<Item = LiveCall<'_>> + '_ {
        self.calls.values().map(|call| call.live())
    }

    /// Versions with calls, the stable one and the canary: graph and number of calls.
    pub fn versions(&self) -> Vec<(GraphId, usize)> {
        self.versions.iter().map(|version| (version.graph, version.calls)).collect()
    }

    /// Bytes that a session holds, for each call going on (see [`Session::memory_bytes`]).
    pub fn session_bytes(&self) -> impl Iterator<Item = usize> + '_ {
        self.calls.values().map(|call| call.session.memory_bytes())
    }

    fn leg(&mut self, event: LegEvent) {
        if self.queues.owns(event.leg()) {
            return self.queues.leg(&mut self.desk, event);
        }
        match event {
            LegEvent::Incoming(incoming) => self.incoming(incoming),
            LegEvent::Media { leg, media, peer } => {
                if self.desk.legs.contains_key(&leg) {
                    self.desk.put(Output::Media(MediaCommand::Connect { leg, media, peer }));
                }
                self.with_second(leg, |call, desk| call.second_media(desk));
            }
            LegEvent::Up { leg } => self.with_leg(leg, |call, desk| match call.second_leg() == Some(leg) {
                _ if call.revival.is_some() => call.revival_up(desk, leg),
                true => call.second_up(desk),
                false => call.leg_up(desk),
            }),
            LegEvent::Gone { leg, cause } => {
                let Some(call) = self.desk.legs.remove(&leg) else { return };
                self.desk.put(Output::Media(MediaCommand::Close { leg }));
                self.with_call(call, |call, desk| match call.second_leg() == Some(leg) {
                    _ if call.revival.is_some() => call.revival_gone(desk, leg),
                    true => call.second_gone(desk, cause),
                    false if call.leg == Some(leg) => call.line_gone(desk, cause),
                    // One that the call had given up before.
                    false => {}
                });
            }
            LegEvent::Ringing { leg } => self.with_second(leg, |call, desk| call.second_rings(desk)),
            LegEvent::Key { leg, key } => self.key(leg, key.into_inner()),
            // Those that two people say to each other are not the flow's.
            LegEvent::Words { leg, words } => self.with_leg(leg, |call, desk| {
                if call.leg == Some(leg) && call.talks_with(leg).is_none() {
                    call.tell(desk, SessionInput::Line(LineEvent::Words(words)));
                }
            }),
            LegEvent::TransferFailed { leg, .. } => self.with_leg(leg, |call, desk| call.transfer_failed(desk)),
            LegEvent::Dialog { leg, dialog } => self.with_leg(leg, |call, desk| call.keep_dialog(desk, leg, dialog)),
        }
    }

    fn media(&mut self, event: MediaEvent) {
        self.queues.media(&mut self.desk, &event);
        match event {
            MediaEvent::Opened { leg, .. } if self.queues.owns(leg) => {}
            MediaEvent::Opened { leg, address } if self.desk.legs.contains_key(&leg) => {
                self.with_leg(leg, |call, desk| match call.second_leg() == Some(leg) {
                    _ if call.revival.is_some() => call.revival_opened(desk, leg, address),
                    true => call.second_opened(desk, address),
                    false => call.media_opened(desk, address),
                });
            }
            MediaEvent::Opened { leg, .. } => self.desk.put(Output::Media(MediaCommand::Close { leg })),
            MediaEvent::OpenFailed { leg } => {
                let mut refused = false;
                self.with_leg(leg, |call, desk| match call.second_leg() == Some(leg) {
                    _ if call.revival.is_some() => call.revival_failed(desk, leg),
                    true => call.second_failed(desk),
                    false => {
                        refused = true;
                        call.media_failed(desk);
                    }
                });
                if refused {
                    self.desk.event(Event::Refused { leg, why: Refusal::NoMediaPort });
                }
            }
            MediaEvent::Key { leg, key } => self.with_leg(leg, |call, desk| {
                // What the other side keys is not the flow's.
                if call.leg == Some(leg) && !call.is_said_twice(desk, key, KeyWay::Voice) {
                    call.tell(desk, SessionInput::Line(LineEvent::Key(key)));
                }
            }),
            MediaEvent::Greeted { leg, machine } => self.with_leg(leg, |call, desk| call.greeted(desk, machine)),
            MediaEvent::PlayDone { leg, token } => {
                self.with_leg(leg, |call, desk| call.tell(desk, SessionInput::Line(LineEvent::PlayDone { token })));
            }
            MediaEvent::Closed { leg, quality } => {
                let Some(call) = self.desk.voiced.remove(&leg) else { return };
                match self.calls.get_mut(&call) {
                    Some(going_on) => going_on.record.quality = Some(quality),
                    // The record does not wait for it.
                    None => {
                        self.desk.write(Write::Quality { call, quality });
                    }
                }
            }
            MediaEvent::Recorded { recording, result, .. } => {
                let Some((call, conversation)) = self.desk.recordings.remove(&recording) else { return };
                match self.calls.contains_key(&call) {
                    true => self.with_call(call, |call, desk| call.recorded(desk, recording, result)),
                    false => self.desk.recorded_late(call, recording, conversation, result),
                }
            }
        }
    }

    fn committed(&mut self, number: WriteNumber) {
        for (call, held) in self.desk.committed(number) {
            self.with_call(call, |call, desk| call.release(desk, held));
        }
    }

    fn store_stalls(&mut self) {
        for (call, held) in self.desk.stall() {
            self.with_call(call, |call, desk| call.refuse_held(desk, held));
        }
    }

    fn service(
        &mut self,
        call: CallId,
        request: RequestId,
        result: Result<Option<runtime_contract::value::Value>, ServiceFailure>,
    ) {
        let (outcome, payload) = result.map_or((1, None), |payload| (0, payload));
        let mut late = true;
        self.with_call(call, |call, desk| {
            late = !call.service_done(request);
            call.tell(desk, SessionInput::Reply { request, outcome, payload });
        });
        if late {
            self.desk.event(Event::LateReply { call });
        }
    }

    fn timeout(&mut self) {
        let now = self.desk.now.tick;
        if self.desk.stalls_at().is_some_and(|at| at <= now) {
            self.store_stalls();
        }
        if self.queues.next_deadline().is_some_and(|at| at <= now) {
            self.queue(AcdInput::Tick);
        }
        while let Some((_, call)) = self.deadlines.first().copied().filter(|(at, _)| *at <= now) {
            self.with_call(call, |call, desk| call.timeout(desk));
        }
        if let Some(drain) = &mut self.drain
            && !drain.stopped
            && drain.until <= now
        {
            drain.stopped = true;
            let mut calls: Vec<CallId> = self.calls.keys().copied().collect();
            calls.sort_unstable();
            for call in calls {
                self.with_call(call, |call, desk| match call.revival.is_some() {
                    // What it held for the caller is lost, as with those that nobody finds.
                    true => call.give_up_revival(desk),
                    false => call.tell(desk, SessionInput::Stop(StopReason::Drain)),
                });
                // Nobody is rung for who was stopped.
                self.follow();
            }
            self.queues.give_up_promises(&mut self.desk);
        }
    }

    /// Takes every new call from now on: a canary is over, whether it was this one or another.
    fn version(&mut self, version: Version) {
        if self.admit_version(&version) {
            self.queue(AcdInput::Version(version.program.clone()));
            self.rules.new_version(&version, self.desk.now.tick);
            self.stable = Some(version);
            self.canary = None;
            self.free_versions();
        }
    }

    fn canary(&mut self, canary: Option<Canary>) {
        if canary.as_ref().is_none_or(|canary| self.admit_version(&canary.version)) {
            self.canary = canary;
            self.free_versions();
        }
    }

    fn admit_version(&mut self, version: &Version) -> bool {
        let graph = version.program.meta().graph_id;
        let known = self.versions.iter().any(|known| known.graph == graph);
        if !version.stored || (!known && self.versions.len() >= VERSIONS_LIVE_MAX) {
            self.desk.event(Event::VersionRefused(graph));
            return false;
        }
        if !known {
            self.versions.push(VersionUse { graph, calls: 0 });
        }
        true
    }

    /// Forgets versions that have no call and take none.
    pub(crate) fn free_versions(&mut self) {
        let taking = [self.stable.as_ref(), self.canary.as_ref().map(|canary| &canary.version)];
        let taking = taking.map(|version| version.map(|version| version.program.meta().graph_id));
        let (desk, queues, surveys) = (&mut self.desk, &self.queues, &self.surveys);
        self.versions.retain(|version| {
            let keep = version.calls > 0
                || taking.contains(&Some(version.graph))
                || queues.uses(version.graph)
                || surveys.uses(version.graph);
            if !keep {
                desk.event(Event::VersionFreed(version.graph));
            }
            keep
        });
    }

    fn say_drained(&mut self) {
        if let Some(drain) = &mut self.drain
            && !drain.said
            && self.calls.is_empty()
            && self.queues.is_quiet()
            && self.desk.all_durable()
        {
            drain.said = true;
            self.desk.put(Output::Drained);
        }
    }

    fn incoming(&mut self, incoming: Incoming) {
        let leg = incoming.leg;
        let channel = incoming.channel;
        let called =
            if let Channel::Chat | Channel::Email = channel { incoming.called } else { bare_number(incoming.called) };
        let caller = incoming.caller.map(|caller| Redacted::new(bare_number(caller.into_inner())));
        let who = caller.as_ref().map_or(incoming.call_id.as_str(), |caller| caller.reveal());
        let (version, flow) = match self.admit(channel, &called, who) {
            Ok(found) => found,
            Err(why) => {
                let cause = match why {
                    Refusal::NoSuchNumber => RejectCause::NoSuchNumber,
                    _ => RejectCause::Overloaded,
                };
                self.desk.put(Output::Leg(LegCommand::Reject { leg, cause }));
                return self.desk.event(Event::Refused { leg, why });
            }
        };
        let id = self.next_call();
        let meta = version.program.meta();
        let record = CallRecord {
            leg_call_id: incoming.call_id,
            graph: meta.graph_id,
            flow: meta.flow(flow).map_or_else(String::new, |flow| flow.name.clone()),
            caller,
            called,
            started: self.desk.now.time,
            ..empty_record(id)
        };
        let number = |caller: &Redacted<String>| Phone::parse(caller.reveal(), true);
        let start = Start {
            call: id,
            epoch: version.epoch,
            flow,
            arguments: Vec::new(),
            // Who chats or mails is known by a name that he gives himself.
            caller: record
                .caller
                .as_ref()
                .filter(|_| matches!(channel, Channel::Voice | Channel::Sms))
                .and_then(number),
            called: meta.called_by(channel, &record.called),
            channel,
            language: 0,
            // Nothing is to be answered where somebody writes.
            line: if channel.is_written() { Line::Up } else { Line::Ringing },
            leg: Redacted::new(LegFacts::of(&record, &incoming.dialog).to_bytes()),
        };
        let mut session = Session::new(version.program.clone());
        session.set_trace(self.config.trace);
        self.desk.legs.insert(leg, id);
        self.add(Call::new(session, record, Some((leg, incoming.peer.ip()))));
        self.with_call(id, |call, desk| call.tell(desk, SessionInput::Start(start)));
        if self.calls.get(&id).is_some_and(|call| call.rings()) {
            self.desk.put(Output::Leg(LegCommand::Ring { leg }));
        }
    }

    /// Whether a new call may come in, and which flow of which version takes it. `who`: the caller's number, or what
    /// else names the call.
    fn admit(&self, channel: Channel, called: &str, who: &str) -> Result<(Version, u32), Refusal> {
        if self.drain.is_some() {
            return Err(Refusal::Draining);
        }
        if self.desk.is_stalled() {
            return Err(Refusal::StoreStalled);
        }
        let canary = self.canary.as_ref().filter(|canary| canary.takes(who)).map(|canary| &canary.version);
        let version = canary.or(self.stable.as_ref()).ok_or(Refusal::NoVersion)?;
        let flow = version
            .program
            .meta()
            .inbound_by(channel, called)
            .map(|inbound| inbound.flow)
            .ok_or(Refusal::NoSuchNumber)?;
        if self.calls_taken() >= self.config.calls_max {
            return Err(Refusal::CallsMax);
        }
        Ok((version.clone(), flow))
    }

    /// The version of what no call begins, if anything may begin now.
    pub(crate) fn takes_work(&self) -> Result<Version, Refusal> {
        if self.drain.is_some() {
            return Err(Refusal::Draining);
        }
        if self.desk.is_stalled() {
            return Err(Refusal::StoreStalled);
        }
        self.stable.clone().ok_or(Refusal::NoVersion)
    }

    /// The same for what places a call.
    pub(crate) fn admits(&self) -> Result<Version, Refusal> {
        let version = self.takes_work()?;
        if self.calls_taken() >= self.config.calls_max {
            return Err(Refusal::CallsMax);
        }
        Ok(version)
    }

    /// Calls that count against the most that there may be: the actions of rules have a bound of their own.
    fn calls_taken(&self) -> usize {
        self.calls.len() - self.rules.running
    }

    pub(crate) fn next_call(&mut self) -> CallId {
        self.calls_begun += 1;
        CallId(u128::from_be_bytes(self.config.seed).wrapping_add(self.calls_begun).to_be_bytes())
    }

    pub(crate) fn add(&mut self, call: Call) {
        let (id, graph) = (call.id(), call.record.graph);
        match self.versions.iter_mut().find(|version| version.graph == graph) {
            Some(version) => version.calls += 1,
            None => self.versions.push(VersionUse { graph, calls: 1 }),
        }
        self.desk.event(Event::CallStarted { call: id, graph });
        self.calls.insert(id, Box::new(call));
    }

    fn with_leg(&mut self, leg: LegId, act: impl FnOnce(&mut Call, &mut Desk)) {
        if let Some(call) = self.desk.legs.get(&leg).copied() {
            self.with_call(call, act);
        }
    }

    /// The same, if this leg is the call's second.
    fn with_second(&mut self, leg: LegId, act: impl FnOnce(&mut Call, &mut Desk)) {
        self.with_leg(leg, |call, desk| {
            if call.second_leg() == Some(leg) {
                act(call, desk);
            }
        });
    }

    /// A key that came by signalling: for the flow, or for whoever is at the other end of the bridge.
    fn key(&mut self, leg: LegId, key: char) {
        let agent = self.desk.legs.get(&leg).and_then(|call| self.queues.talks_with(leg, Some(*call)));
        self.with_leg(leg, |call, desk| {
            if call.leg == Some(leg) && call.is_said_twice(desk, key, KeyWay::Signalling) {
                return;
            }
            if let Some(to) = call.talks_with(leg).or(agent) {
                desk.put(Output::Media(MediaCommand::Press { leg: to, key }));
            } else if call.leg == Some(leg) {
                call.tell(desk, SessionInput::Line(LineEvent::Key(key)));
            }
        });
    }

    /// Does something to a call, if it is still there; then looks after its deadline and its end.
    pub(crate) fn with_call(&mut self, id: CallId, act: impl FnOnce(&mut Call, &mut Desk)) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        act(call, &mut self.desk);
        let (before, after) = (call.deadline, call.next_deadline());
        if before != after || call.is_closed() {
            if let Some(at) = before {
                self.deadlines.remove(&(at, id));
            }
            call.deadline = after;
            if let Some(at) = after.filter(|_| !call.is_closed()) {
                self.deadlines.insert((at, id));
            }
        }
        if call.is_closed() {
            let graph = call.record.graph;
            self.rules.running -= usize::from(call.is_of_rule);
            self.calls.remove(&id);
            self.missed_by(id);
            if let Some(version) = self.versions.iter_mut().find(|version| version.graph == graph) {
                version.calls -= 1;
            }
            self.free_versions();
        }
    }
}
