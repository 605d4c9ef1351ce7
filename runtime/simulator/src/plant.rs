//! A plant of lies: it carries out what the exchange wants in virtual time, for one call. It does not know what
//! the caller is going to do.

mod devices;
mod told;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use runtime_contract::channel::Channel;
use runtime_contract::leg::{Codec, GoneCause, Incoming, LegCommand, LegEvent, LegId, MediaSpec, Target};
use runtime_contract::record::CallId;
use runtime_contract::request::{Kind, Request};
use runtime_contract::script::{Delivery, FarSide, Given};
use runtime_contract::value::{Phone, Value};
use runtime_contract::write::Message;
use runtime_contract::{FlowProgram, Now, ProgramMeta, Redacted, SiteId, Tick, Time, Type, Write};
use runtime_exchange::{Config, Event, Exchange, Input, MediaEvent, Output, ServiceCall, Version, WriteNumber};
use runtime_session::Session;

use crate::agents::{Agents, is_agent};
use crate::outgoing::Outgoing;
use crate::rules::Running;
use crate::sends::Sends;
use crate::transcript::{Does, Line, What};

pub use told::open_text;
pub(crate) use told::{heard, length_ms, refusal_text};

/// How long a service takes to answer.
pub(crate) const SERVICE_MS: u64 = 50;
/// Longest that a call may take to end after its caller hung up.
const CLOSE_MS: u64 = 60_000;

/// What services answer, by service and operation.
pub type Answers = BTreeMap<(u32, u32), Given>;

/// Something that comes by itself after a while.
#[derive(Clone)]
pub(crate) enum Coming {
    PlayDone {
        token: u32,
    },
    /// An agent has heard whom he gets.
    Whispered {
        leg: LegId,
        token: u32,
    },
    /// Nobody spoke into this recording, or it reached its longest.
    RecordEnds {
        recording: u64,
    },
    Service(Box<ServiceCall>),
    /// What whoever is called does, or the network for him.
    Leg(LegEvent),
    /// There may be room again for a flow of a cadence.
    Room,
    /// Somebody is written to whose conversation is over.
    FollowUp {
        number: u64,
        person: Phone,
    },
    /// It is known of a text that it does not arrive.
    Undelivered(Box<Message>),
    /// It is heard who answered.
    Greeted {
        leg: LegId,
        machine: bool,
    },
}

#[derive(Clone)]
struct Recording {
    id: u64,
    since: Tick,
    length_ms_max: u32,
    spoken: bool,
}

/// Which calls of a service wait until somebody says what it answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asks {
    None,
    /// Those for which nothing is given.
    Unknown,
    /// All, and whoever is called waits too.
    All,
}

#[derive(Clone)]
pub(crate) struct Plant {
    exchange: Exchange,
    program: Arc<dyn FlowProgram>,
    began: Time,
    tick: Tick,
    /// The leg of the last call; each has its own.
    pub leg: LegId,
    pub channel: Channel,
    /// What the caller says or writes just now.
    saying: Option<String>,
    /// By time, then by the order in which they were set.
    coming: BinaryHeap<Reverse<(Tick, u64)>>,
    pub what_comes: BTreeMap<u64, Coming>,
    next_coming: u64,
    playing: Option<u32>,
    recording: Option<Recording>,
    /// The recording of the conversation, and since when.
    conversation: Option<(u64, Tick)>,
    pub answers: Answers,
    pub asks: Asks,
    /// The call of a service that waits for its answer.
    pub asked: Option<Box<ServiceCall>>,
    /// Somebody is to be called who does not know yet what he does.
    pub dialled: Option<LegCommand>,
    /// The write behind which somebody enters a queue, where it is said first how he finds it.
    pub entering: Option<WriteNumber>,
    /// The last request of a queue for which that was so.
    pub entered: Option<(CallId, u32)>,
    /// Queues that take nobody else.
    pub full: BTreeSet<u32>,
    pub agents: Agents,
    pub outgoing: Outgoing,
    pub rules: Running,
    /// People who are still to be written to.
    pub follow_ups: u32,
    /// Some survey was held, so that the next is not.
    pub is_surveyed: bool,
    /// Calls that came in.
    calls: u64,
    /// The agent who has taken the caller, or had.
    pub serves: Option<String>,
    /// He and the caller hear each other.
    talks: bool,
    /// The caller of the last call will be called back, or was.
    pub promised: bool,
    /// His number, as it is dialled.
    caller: Option<String>,
    /// Who is called next, first in line; the last stays.
    pub far_sides: VecDeque<FarSide>,
    /// Whether the next message of a cadence arrives, first in line; the last stays.
    pub deliveries: VecDeque<Delivery>,
    pub sends: Sends,
    /// The person to whom the conversation in writing goes that a cadence began.
    pub written_to: Option<String>,
    pub transcript: Vec<Line>,
    /// What was noted, with its type.
    pub notes: Vec<(String, Type, Value)>,
    /// Site at which the call waits.
    site: Option<SiteId>,
    pub ended: bool,
    /// The first bound of a call that was passed, and where.
    pub limit: Option<String>,
    /// Operations of this call that were asked and that nothing is given for.
    pub unanswered: BTreeSet<String>,
    /// How often prompts began to play, by prompt and language of the call.
    pub prompts: BTreeMap<(u32, u32), u64>,
    /// What a store would keep of each call, in the order of the calls.
    pub journals: Vec<(CallId, Vec<u8>)>,
    pub inputs: VecDeque<Input>,
}

impl Plant {
    pub fn new(program: Arc<dyn FlowProgram>, began: Time) -> Plant {
        let config = Config { calls_max: 1, seed: [0; 16], recording_first: 1, trace: true };
        let outgoing = Outgoing::new(program.meta().cadences.clone(), began);
        let mut plant = Plant {
            exchange: Exchange::new(config),
            program: Arc::clone(&program),
            began,
            tick: Tick(0),
            leg: LegId(0),
            channel: Channel::Voice,
            saying: None,
            coming: BinaryHeap::new(),
            what_comes: BTreeMap::new(),
            next_coming: 0,
            playing: None,
            recording: None,
            conversation: None,
            answers: Answers::new(),
            asks: Asks::None,
            asked: None,
            dialled: None,
            entering: None,
            entered: None,
            full: BTreeSet::new(),
            agents: Agents::default(),
            outgoing,
            rules: Running::new(),
            follow_ups: 0,
            is_surveyed: false,
            calls: 0,
            serves: None,
            talks: false,
            promised: false,
            caller: None,
            far_sides: VecDeque::new(),
            deliveries: VecDeque::new(),
            sends: Sends::default(),
            written_to: None,
            transcript: Vec::new(),
            notes: Vec::new(),
            site: None,
            ended: false,
            limit: None,
            unanswered: BTreeSet::new(),
            prompts: BTreeMap::new(),
            journals: Vec::new(),
            inputs: VecDeque::new(),
        };
        plant.give(Input::Version(Version { program, epoch: 0, stored: true }));
        plant
    }

    pub fn meta(&self) -> &ProgramMeta {
        self.program.meta()
    }

    pub fn program(&self) -> Arc<dyn FlowProgram> {
        Arc::clone(&self.program)
    }

    pub fn now(&self) -> Now {
        Now { tick: self.tick, time: Time(self.began.0 + (self.tick.0 / 1_000_000) as i64) }
    }

    /// A call comes in; one that goes on still is hung up first.
    pub fn call(&mut self, channel: Channel, from: Option<String>, to: &str) {
        if self.leg != LegId(0) && !self.ended {
            self.hang_up();
            self.run_until(self.tick.plus_ms(CLOSE_MS));
        }
        self.calls += 1;
        self.leg = LegId(self.calls);
        (self.channel, self.written_to) = (channel, None);
        self.ended = false;
        self.unanswered.clear();
        self.serves = None;
        self.promised = false;
        let by = if channel.is_written() { format!("{} ", channel.word()) } else { String::new() };
        self.write(What::Calls { to: format!("{by}{to}") });
        let digits = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        self.caller = match channel {
            Channel::Voice | Channel::Sms => from.as_deref().map(digits),
            Channel::Chat | Channel::Email => from,
        };
        self.give(Input::Leg(LegEvent::Incoming(Incoming {
            leg: self.leg,
            channel,
            peer: nowhere(),
            caller: self.caller.clone().map(Redacted::new),
            called: digits(to),
            call_id: "simulated".to_owned(),
            dialog: Vec::new(),
        })));
    }

    pub fn channel(&self) -> Channel {
        self.channel
    }

    /// One key; `private` ones are counted, not shown.
    pub fn press(&mut self, key: char) {
        self.give(Input::Media(MediaEvent::Key { leg: self.leg, key }));
    }

    /// It is the caller who was promised a call.
    pub fn is_called_back(&self, target: &Target) -> bool {
        let is_caller = |number: &str| self.caller.as_deref() == Some(number);
        self.promised && matches!(target, Target::Number(number) if is_caller(number.reveal()))
    }

    pub fn hang_up(&mut self) {
        if self.ended {
            return;
        }
        self.write(What::HangsUp);
        // Nobody is there any more to say what the service answers.
        if let Some(call) = self.asked.take() {
            self.come(SERVICE_MS, Coming::Service(call));
        }
        self.gone(GoneCause::RemoteHungUp);
    }

    /// The request at which the call waits.
    pub fn request(&self) -> Option<&Request> {
        self.program.meta().request(self.site?)
    }

    /// The call that began last, of those that go on.
    pub fn session(&self) -> Option<&Session> {
        self.exchange.last_session().map(|(_, session)| session)
    }

    /// The request of that call that is outstanding, by number.
    pub fn asking(&self) -> Option<(CallId, u32)> {
        self.exchange.last_session().map(|(call, session)| (call, session.requests()))
    }

    pub fn is_playing(&self) -> bool {
        self.playing.is_some()
    }

    /// `main`, or the flow's name in its top part.
    pub fn step_name(&self) -> &str {
        let Some(info) = self.site.and_then(|site| self.meta().site(site)) else { return "" };
        match info.step.as_str() {
            "" => self.meta().flow(info.flow).map_or("", |flow| flow.name.as_str()),
            step => step,
        }
    }

    /// The call is at a dialogue that takes keys.
    pub fn takes_keys(&self) -> bool {
        self.request().is_some_and(|request| matches!(request.kind(), Kind::Menu | Kind::Ask | Kind::Record))
    }

    /// The call is at a menu that has phrases, and hears what is said; in writing at any menu or `ask`.
    pub fn takes_words(&self) -> bool {
        let (prompts, listens) = match self.request() {
            Some(Request::Menu(menu)) => (&menu.prompts, menu.listens()),
            Some(Request::Ask(ask)) => (&ask.prompts, false),
            _ => return false,
        };
        (listens || self.channel.is_written()) && (prompts.barge_in || self.playing.is_none())
    }

    /// The caller waits for an agent, or talks with one.
    pub fn is_queued(&self) -> bool {
        matches!(self.request(), Some(Request::Queue { .. }))
    }

    /// The action of a rule is not over, or a rule is about to look at what has changed.
    pub fn rules_act(&self) -> bool {
        !self.rules.is_empty() || self.exchange.rules_look_soon()
    }

    /// An agent hears whom he gets.
    pub fn whispers(&self) -> bool {
        self.what_comes.values().any(|what| matches!(what, Coming::Whispered { .. }))
    }

    /// An agent and the caller hear each other.
    pub fn talks(&self) -> bool {
        self.talks
    }

    /// The caller waits, or talks, and no more is to come for a while.
    pub fn rests(&self) -> bool {
        self.is_queued() && (self.coming.is_empty() || self.talks)
    }

    /// Nothing more happens by itself but the patience of a dialogue running out.
    pub fn listens(&self) -> bool {
        self.coming.is_empty() && self.takes_keys()
    }

    pub fn is_recording(&self) -> bool {
        self.recording.is_some()
    }

    /// From now on the caller speaks into the recording that runs.
    pub fn speak(&mut self) {
        if let Some(recording) = &mut self.recording {
            recording.spoken = true;
        }
    }

    /// When the next thing happens by itself; `None` when nothing ever will.
    pub fn next(&self) -> Option<Tick> {
        let coming = self.coming.peek().map(|next| next.0.0);
        [coming, self.exchange.next_deadline(), self.due_at()].into_iter().flatten().min()
    }

    /// When somebody is to be called.
    fn due_at(&self) -> Option<Tick> {
        let due = self.outgoing.next_deadline()?;
        Some(Tick(0).plus_ms(due.0.saturating_sub(self.began.0).max(0).unsigned_abs()).max(self.tick))
    }

    /// Lets time pass to this tick, and happen what is due until then.
    pub fn run_until(&mut self, until: Tick) {
        while let Some(next) = self.next().filter(|next| *next <= until) {
            self.step(next);
        }
        self.tick = self.tick.max(until);
    }

    /// Goes to the next thing that happens by itself, and lets it happen. False when nothing will.
    pub fn run_next(&mut self) -> bool {
        match self.next() {
            Some(next) => {
                self.step(next);
                true
            }
            None => false,
        }
    }

    fn step(&mut self, to: Tick) {
        self.tick = self.tick.max(to);
        let due = self.coming.peek().filter(|next| next.0.0 <= to).map(|next| next.0.1);
        let Some(number) = due else {
            if self.due_at().is_some_and(|due| due <= to) {
                self.due();
            }
            return self.give(Input::Timeout);
        };
        self.coming.pop();
        match self.what_comes.remove(&number) {
            Some(Coming::PlayDone { token }) if self.playing == Some(token) => {
                self.playing = None;
                self.give(Input::Media(MediaEvent::PlayDone { leg: self.leg, token }));
            }
            Some(Coming::RecordEnds { recording }) => self.end_recording(recording),
            Some(Coming::Service(call)) => self.answer_service(&call),
            Some(Coming::Whispered { leg, token }) => self.give(Input::Media(MediaEvent::PlayDone { leg, token })),
            Some(Coming::Leg(event)) => self.leg_event(event),
            Some(Coming::Room) => {
                self.act_next();
                self.drain();
            }
            Some(Coming::Greeted { leg, machine }) => self.greeted(leg, machine),
            Some(Coming::FollowUp { number, person }) => self.follow_up(number, person),
            Some(Coming::Undelivered(message)) => self.is_undelivered(message),
            Some(Coming::PlayDone { .. }) | None => {}
        }
    }

    fn leg_event(&mut self, event: LegEvent) {
        if let LegEvent::Gone { leg, cause: GoneCause::RemoteHungUp } = event
            && let Some(name) = self.agents.at(leg).map(str::to_owned)
        {
            self.write(What::Agent { name, does: Does::Leaves });
        }
        self.give(Input::Leg(event));
    }

    pub fn come(&mut self, after_ms: u64, what: Coming) {
        self.coming.push(Reverse((self.tick.plus_ms(after_ms), self.next_coming)));
        self.what_comes.insert(self.next_coming, what);
        self.next_coming += 1;
    }

    pub fn write(&mut self, what: What) {
        let at = self.now().time;
        self.transcript.push(Line { at, what });
    }

    fn gone(&mut self, cause: GoneCause) {
        self.give(Input::Leg(LegEvent::Gone { leg: self.leg, cause }));
    }

    pub fn give(&mut self, input: Input) {
        self.inputs.push_back(input);
        self.drain();
    }

    /// Gives what waits, carries out what follows, and gives what follows from that.
    fn drain(&mut self) {
        while let Some(input) = self.inputs.pop_front() {
            let now = self.now();
            let outputs: Vec<Output> = self.exchange.handle(now, input).collect();
            for output in outputs {
                self.carry_out(output);
            }
            if self.asks == Asks::All {
                self.hold_entry();
            }
        }
    }

    fn keep(&mut self, call: CallId, journal: &[u8]) {
        match self.journals.iter_mut().find(|(known, _)| *known == call) {
            Some((_, kept)) => kept.extend_from_slice(journal),
            None => self.journals.push((call, journal.to_vec())),
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Leg(command) => self.leg(command),
            Output::Media(command) => self.media(command),
            Output::Write { number, write } => {
                match write {
                    Write::Journal { call, journal, .. } => self.keep(call, &journal),
                    Write::End { record, journal } => self.keep(record.call, &journal),
                    Write::Message(message) => self.hand_over(message),
                    Write::Recording { .. } | Write::Quality { .. } | Write::Case(_) | Write::Answer(_) => {}
                }
                self.inputs.push_back(Input::Committed(number));
            }
            Output::Service(call) => self.ask(Box::new(call)),
            Output::Trace(event) => self.trace(event),
            Output::Event(Event::Refused { why, .. }) => {
                self.ended = true;
                self.write(What::TurnedAway(refusal_text(why).to_owned()));
            }
            Output::CancelService { .. } => self.asked = None,
            Output::Acted { outcome, result, .. } => self.acted(outcome, result),
            Output::FollowUp(follow) => self.plan_follow_up(&follow),
            Output::StartCadence { cadence, arguments, .. } => self.start(cadence, arguments),
            Output::EndDialog { .. } | Output::Event(_) | Output::Drained => {}
        }
    }

    fn leg(&mut self, command: LegCommand) {
        match command {
            LegCommand::Dial { ref target, .. } if self.holds(target) => self.dialled = Some(command),
            LegCommand::Transfer { .. } if self.asks == Asks::All => self.dialled = Some(command),
            LegCommand::Write { .. } if self.asks == Asks::All && self.outgoing.awaits_leg() => {
                self.dialled = Some(command);
            }
            command => self.carry_out_leg(command),
        }
    }

    /// Whoever is called waits until it is said what he does. Agents do what they always do.
    fn holds(&self, target: &Target) -> bool {
        self.asks == Asks::All && !is_agent(target)
    }

    /// What everybody does who is called from here on, him who waits for it too.
    pub fn meet(&mut self, side: FarSide) {
        self.far_sides = [side].into();
        self.go_on_dialling();
    }

    /// Whether messages arrive from here on, the one that waits for it too.
    pub fn deliver(&mut self, delivery: Delivery) {
        self.deliveries = [delivery].into();
        self.go_on_dialling();
    }

    fn go_on_dialling(&mut self) {
        if let Some(command) = self.dialled.take() {
            self.carry_out_leg(command);
            self.drain();
        }
    }

    fn carry_out_leg(&mut self, command: LegCommand) {
        match command {
            LegCommand::Answer { leg, .. } => {
                self.inputs.push_back(Input::Leg(LegEvent::Media { leg, media: voice(), peer: nowhere().ip() }));
                self.inputs.push_back(Input::Leg(LegEvent::Up { leg }));
            }
            LegCommand::Reject { leg, .. } | LegCommand::HangUp { leg } => {
                self.forget(|what| match what {
                    Coming::Leg(event) => event.leg() == leg,
                    Coming::Greeted { leg: greeted, .. } => *greeted == leg,
                    _ => false,
                });
                self.inputs.push_back(Input::Leg(LegEvent::Gone { leg, cause: GoneCause::LocalHungUp }));
            }
            LegCommand::Dial { leg, target, ring_ms, .. } if self.outgoing.takes_leg() => {
                self.leg = leg;
                (self.channel, self.written_to) = (Channel::Voice, None);
                self.dial_person(leg, &target, u64::from(ring_ms));
            }
            LegCommand::Dial { leg, target, ring_ms, .. } => self.dial(leg, &target, u64::from(ring_ms)),
            LegCommand::Write { leg, channel, to, .. } if self.outgoing.takes_leg() => {
                self.leg = leg;
                self.write_to(leg, channel, to.into_inner());
            }
            LegCommand::Transfer { leg, target } => self.give_away(leg, &target),
            LegCommand::Write { leg, channel, to, .. } => self.writes_to(leg, channel, to.into_inner()),
            // Nobody looks whether it rings, and no process dies here.
            LegCommand::Ring { .. }
            | LegCommand::Progress { .. }
            | LegCommand::Hold { .. }
            | LegCommand::Revive { .. } => {}
        }
    }
}

pub(crate) fn voice() -> MediaSpec {
    MediaSpec {
        remote: nowhere(),
        codec: Codec::Pcma,
        dtmf_payload_type: Some(101),
        ptime_ms: 20,
        rtcp: None,
        send: true,
        receive: true,
    }
}

/// An address that nothing is sent to.
pub(crate) fn nowhere() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 9))
}

#[cfg(test)]
mod tests;
