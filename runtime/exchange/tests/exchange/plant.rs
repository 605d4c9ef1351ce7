//! A plant of false things around a real exchange: a store that commits when told, legs and media that answer at
//! once, services that answer when told. It checks what any plant may rely on: nothing that must be durable
//! first leaves before its write is (contract, run-time invariant 9), and one end for each call.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use runtime_contract::channel::Channel;
use runtime_contract::leg::{Codec, GoneCause, Incoming, LegCommand, LegEvent, LegId, MediaSpec, Target};
use runtime_contract::record::{CallId, CallRecord, Quality};
use runtime_contract::write::{Answer, Case, Message};
use runtime_contract::{FlowProgram, Now, Redacted, Tick, Time, Write};
use runtime_exchange::{
    Agent, AgentState, Config, CutRecording, Exchange, FollowUp, Input, MediaCommand, MediaEvent, Output, Recorded,
    Recovered, ServiceCall, Version, WriteNumber,
};
use runtime_session::journal::{Record, decode};

pub struct Plant {
    pub exchange: Exchange,
    pub now_ms: u64,
    /// What left, one line each, since it was last asked.
    pub said: Vec<String>,
    /// All that ever left, in the form in which it could be logged, and all bytes for the store.
    pub left: String,
    pub stored: Vec<u8>,
    pub services: VecDeque<ServiceCall>,
    /// Legs that were placed and are not over, in order; those that are to be given away.
    pub placed: Vec<LegId>,
    pub given_away: BTreeSet<LegId>,
    /// Legs whose far sides are looked for after a crash.
    pub revived: Vec<LegId>,
    pub ringback: BTreeSet<LegId>,
    /// Legs to agents, and their extensions.
    agents_legs: BTreeMap<LegId, String>,
    /// Legs that hear music.
    pub music: BTreeSet<LegId>,
    /// Each leg, and whom it hears.
    pub bridges: BTreeMap<LegId, LegId>,
    /// Legs with a port.
    pub opened: BTreeSet<LegId>,
    pub playing: BTreeMap<LegId, u32>,
    pub recording: BTreeMap<LegId, u64>,
    /// Legs whose conversation is recorded.
    pub conversation: BTreeMap<LegId, u64>,
    /// Those of them that have a row.
    pub conversations: Vec<u64>,
    /// Media never comes to the end of a file.
    pub files_stuck: bool,
    pub legs: BTreeSet<LegId>,
    /// Commit each write at once.
    pub commits: bool,
    pub written: u64,
    pub committed: u64,
    starts: BTreeMap<CallId, u64>,
    /// The write that holds a call's last request.
    asked_in: BTreeMap<CallId, u64>,
    call_of: BTreeMap<LegId, CallId>,
    pub records: Vec<CallRecord>,
    pub messages: Vec<Message>,
    pub cases: Vec<Case>,
    pub answers: Vec<Answer>,
    pub follow_ups: Vec<FollowUp>,
    keys: BTreeSet<String>,
    /// Of each open call: its journal, as far as it is durable.
    pub open: BTreeMap<CallId, Vec<u8>>,
    pub journals: BTreeMap<CallId, Vec<u8>>,
    uncommitted: VecDeque<(u64, Write)>,
    pub partials: usize,
    legs_begun: u64,
}

/// Begins the extension of an agent's phone.
const AGENT: &str = "agent ";

pub const START_MS: i64 = 1_772_416_800_000;

impl Plant {
    pub fn new(program: Option<&Arc<dyn FlowProgram>>, calls_max: usize) -> Plant {
        let config = Config { calls_max, seed: [7; 16], recording_first: 100, trace: false };
        let mut plant = Plant {
            exchange: Exchange::new(config),
            now_ms: 0,
            said: Vec::new(),
            left: String::new(),
            stored: Vec::new(),
            services: VecDeque::new(),
            placed: Vec::new(),
            given_away: BTreeSet::new(),
            revived: Vec::new(),
            ringback: BTreeSet::new(),
            agents_legs: BTreeMap::new(),
            music: BTreeSet::new(),
            bridges: BTreeMap::new(),
            opened: BTreeSet::new(),
            playing: BTreeMap::new(),
            recording: BTreeMap::new(),
            conversation: BTreeMap::new(),
            conversations: Vec::new(),
            files_stuck: false,
            legs: BTreeSet::new(),
            commits: true,
            written: 0,
            committed: 0,
            starts: BTreeMap::new(),
            asked_in: BTreeMap::new(),
            call_of: BTreeMap::new(),
            records: Vec::new(),
            messages: Vec::new(),
            cases: Vec::new(),
            answers: Vec::new(),
            follow_ups: Vec::new(),
            keys: BTreeSet::new(),
            open: BTreeMap::new(),
            journals: BTreeMap::new(),
            uncommitted: VecDeque::new(),
            partials: 0,
            legs_begun: 0,
        };
        if let Some(program) = program {
            plant.version(program);
        }
        plant
    }

    pub fn version(&mut self, program: &Arc<dyn FlowProgram>) {
        self.give(Input::Version(Version { program: program.clone(), epoch: 1, stored: true }));
    }

    pub fn now(&self) -> Now {
        Now { tick: Tick(self.now_ms * 1_000_000), time: Time(START_MS + self.now_ms as i64) }
    }

    pub fn give(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let now = self.now();
            let outputs: Vec<Output> = self.exchange.handle(now, input).collect();
            for output in outputs {
                self.left.push_str(&format!("{output:?}\n"));
                self.take(output, &mut inputs);
            }
            if self.commits && self.committed < self.written {
                inputs.push_back(self.commit_to(self.written));
            }
        }
    }

    /// Makes writes durable up to this one.
    fn commit_to(&mut self, number: u64) -> Input {
        self.committed = self.committed.max(number);
        while let Some((_, write)) = self.uncommitted.pop_front_if(|(n, _)| *n <= number) {
            match write {
                Write::Journal { call, journal, .. } => {
                    assert!(!self.journals.contains_key(&call), "a journal of a call that is over");
                    self.open.entry(call).or_default().extend(journal);
                }
                Write::End { record, journal } => {
                    let mut bytes = self.open.remove(&record.call).expect("an open call ends");
                    bytes.extend(journal);
                    self.journals.insert(record.call, bytes);
                    self.records.push(*record);
                }
                Write::Recording { recording, conversation: true, .. } => self.conversations.push(recording),
                Write::Recording { partial, .. } => self.partials += usize::from(partial),
                Write::Message(message) => self.messages.push(*message),
                Write::Case(case) => self.cases.push(*case),
                Write::Answer(answer) => self.answers.push(*answer),
                Write::Quality { call, quality } => {
                    let record = self.records.iter_mut().find(|record| record.call == call);
                    record.expect("the record is written first").quality = Some(quality);
                }
            }
        }
        Input::Committed(WriteNumber(number))
    }

    pub fn commit(&mut self) {
        let input = self.commit_to(self.written);
        self.give(input);
    }

    /// Commits some of what waits.
    pub fn commit_some(&mut self, count: u64) {
        let input = self.commit_to((self.committed + count).min(self.written));
        self.give(input);
    }

    fn take(&mut self, output: Output, inputs: &mut VecDeque<Input>) {
        match output {
            Output::Write { number, write } => {
                assert_eq!(number.0, self.written + 1, "writes are numbered one by one");
                self.written = number.0;
                self.note_write(number.0, &write);
                self.uncommitted.push_back((number.0, write));
            }
            Output::Leg(command) => self.leg(command, inputs),
            Output::Media(command) => self.media(command, inputs),
            Output::Service(call) => {
                if call.idempotency_key.is_some() {
                    assert!(self.asked_in[&call.call] <= self.committed, "a writing service left too soon");
                }
                self.said.push(format!("service {}", call.service));
                self.services.push_back(call);
            }
            Output::CancelService { .. } => self.said.push("cancel service".to_owned()),
            Output::EndDialog { dialog } => self.said.push(format!("end dialog {:?}", dialog.reveal())),
            Output::Event(event) => self.said.push(format!("{event:?}")),
            Output::Drained => self.said.push("drained".to_owned()),
            Output::Acted { number, outcome, result } => {
                self.said.push(format!("acted {number}: {outcome:?} {result:?}"));
            }
            Output::StartCadence { cadence, .. } => self.said.push(format!("start {cadence}")),
            Output::FollowUp(follow) => self.follow_ups.push(follow),
            Output::Trace(_) => {}
        }
    }

    fn note_write(&mut self, number: u64, write: &Write) {
        let (call, bytes) = match write {
            Write::Journal { call, journal, .. } => {
                self.starts.entry(*call).or_insert(number);
                (*call, journal)
            }
            Write::End { record, journal } => (record.call, journal),
            Write::Recording { call, .. } | Write::Quality { call, .. } => (*call, &Vec::new()),
            Write::Message(message) => {
                self.stored.extend(message.text.reveal().as_bytes());
                return self.keyed(&message.key, message.call);
            }
            Write::Case(case) => return self.keyed(&case.key, case.call),
            Write::Answer(answer) => return self.keyed(&answer.key, Some(answer.call)),
        };
        self.stored.extend(bytes);
        let records = decode(bytes).expect("whole records");
        if records.iter().any(|(_, record)| matches!(record, Record::Request { .. })) {
            self.asked_in.insert(call, number);
        }
    }

    /// No key comes twice, and the journal tells of what is behind it.
    fn keyed(&mut self, key: &str, call: Option<CallId>) {
        assert!(self.keys.insert(key.to_owned()), "{key} comes twice");
        assert!(self.starts.contains_key(&call.unwrap()), "{key} before its call");
    }

    fn leg(&mut self, command: LegCommand, inputs: &mut VecDeque<Input>) {
        match command {
            LegCommand::Answer { leg, .. } => {
                let call = self.call_of[&leg];
                assert!(self.starts[&call] <= self.committed, "answered before the start was durable");
                self.said.push("answer".to_owned());
                let media = agreed();
                inputs.push_back(Input::Leg(LegEvent::Media { leg, media, peer: Ipv4Addr::LOCALHOST.into() }));
                inputs.push_back(Input::Leg(LegEvent::Up { leg }));
            }
            LegCommand::Reject { leg, cause } => {
                self.said.push(format!("reject {cause:?}"));
                self.leg_ends(leg, inputs);
            }
            LegCommand::HangUp { leg } => {
                self.said.push("hang up".to_owned());
                self.leg_ends(leg, inputs);
            }
            LegCommand::Ring { .. } => self.said.push("ring".to_owned()),
            LegCommand::Progress { .. } => self.said.push("progress".to_owned()),
            LegCommand::Hold { on, .. } => self.said.push(format!("hold {on}")),
            LegCommand::Dial { leg, ring_ms, target, .. } => {
                if let Target::Extension(phone) = target
                    && phone.reveal().starts_with(AGENT)
                {
                    let busy = self.agents_legs.iter().any(|(leg, of)| of == phone.reveal() && self.legs.contains(leg));
                    assert!(!busy, "an agent is offered two callers");
                    self.agents_legs.insert(leg, phone.into_inner());
                }
                assert!(self.opened.contains(&leg), "dialled without a port");
                self.said.push(format!("dial {ring_ms}"));
                self.placed.push(leg);
                self.legs.insert(leg);
            }
            LegCommand::Transfer { leg, .. } => {
                let number = self.call_of.get(&leg).map(|call| self.asked_in[call]);
                assert!(number.is_none_or(|number| number <= self.committed), "given away too soon");
                self.said.push("transfer".to_owned());
                self.given_away.insert(leg);
            }
            LegCommand::Write { leg, to, .. } => {
                self.said.push(format!("write to {}", to.reveal()));
                self.placed.push(leg);
                self.legs.insert(leg);
            }
            LegCommand::Revive { leg, dialog, .. } => {
                assert!(self.opened.contains(&leg), "taken up again without a port");
                self.said.push(format!("revive {:?}", dialog.reveal()));
                self.revived.push(leg);
                self.legs.insert(leg);
            }
        }
    }

    fn leg_ends(&mut self, leg: LegId, inputs: &mut VecDeque<Input>) {
        assert!(self.legs.remove(&leg), "ended a leg that is not there");
        self.placed.retain(|placed| *placed != leg);
        self.given_away.remove(&leg);
        inputs.push_back(Input::Leg(LegEvent::Gone { leg, cause: GoneCause::LocalHungUp }));
    }

    fn media(&mut self, command: MediaCommand, inputs: &mut VecDeque<Input>) {
        match command {
            MediaCommand::Open { leg, beside, .. } => {
                if let Some(beside) = beside {
                    let number = self.call_of.get(&beside).map(|call| self.asked_in[call]);
                    assert!(number.is_none_or(|number| number <= self.committed), "somebody was called too soon");
                }
                self.opened.insert(leg);
                let address = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 4_000);
                inputs.push_back(Input::Media(MediaEvent::Opened { leg, address }));
            }
            MediaCommand::Play { leg, token, items, .. } => {
                assert!(self.legs.contains(&leg), "played to a leg that is gone");
                self.said.push(format!("play {}", items.len()));
                self.playing.insert(leg, token);
            }
            MediaCommand::StopPlay { leg } => {
                self.playing.remove(&leg);
            }
            MediaCommand::Record { leg, recording, .. } => {
                self.said.push("record".to_owned());
                self.recording.insert(leg, recording);
            }
            MediaCommand::RecordCall { leg, recording, .. } => {
                assert!(self.opened.contains(&leg), "records a leg without a port");
                self.said.push(format!("record call {recording}"));
                assert!(self.conversation.insert(leg, recording).is_none(), "recorded twice at once");
            }
            MediaCommand::StopRecordCall { leg } => {
                assert!(self.conversation.contains_key(&leg), "stopped what is not recorded");
                self.said.push("stop record call".to_owned());
                self.end_conversation(leg, inputs);
            }
            MediaCommand::StopRecord { leg } => self.end_recording(leg, true, inputs),
            MediaCommand::Ringback { leg, on } => {
                assert!(self.opened.contains(&leg), "a leg without a port hears nothing");
                self.said.push(format!("ringback {on}"));
                let changed = if on { self.ringback.insert(leg) } else { self.ringback.remove(&leg) };
                assert!(changed, "ringback {on} twice");
            }
            MediaCommand::Music { leg, music } => {
                assert!(self.opened.contains(&leg), "a leg without a port hears nothing");
                let changed = if music.is_some() { self.music.insert(leg) } else { self.music.remove(&leg) };
                assert!(changed, "music twice");
            }
            MediaCommand::Bridge { leg, with } => {
                assert!(!self.music.contains(&leg), "bridged, and still hears music");
                assert!(self.opened.contains(&leg) && self.opened.contains(&with), "bridged without a port");
                assert!(!self.ringback.contains(&leg), "bridged, and still hears that it rings");
                self.said.push("bridge".to_owned());
                self.bridges.extend([(leg, with), (with, leg)]);
            }
            MediaCommand::Press { leg, key } => {
                assert!(self.bridges.contains_key(&leg), "a key for a leg that talks with nobody");
                self.said.push(format!("press {key}"));
            }
            MediaCommand::Close { leg } => {
                self.playing.remove(&leg);
                if self.opened.remove(&leg) {
                    let quality = Quality { received: 50, ..Quality::default() };
                    inputs.push_back(Input::Media(MediaEvent::Closed { leg, quality }));
                }
                self.ringback.remove(&leg);
                self.music.remove(&leg);
                if let Some(other) = self.bridges.remove(&leg) {
                    self.bridges.remove(&other);
                }
                self.end_recording(leg, true, inputs);
                self.end_conversation(leg, inputs);
            }
            MediaCommand::DiscardRecording { .. } => self.said.push("discard".to_owned()),
            MediaCommand::Connect { .. } | MediaCommand::Mask { .. } => {}
        }
    }

    fn end_recording(&mut self, leg: LegId, spoken: bool, inputs: &mut VecDeque<Input>) {
        if let Some(recording) = self.recording.remove(&leg) {
            let result = Ok(Recorded { length_ms: 900, spoken });
            inputs.push_back(Input::Media(MediaEvent::Recorded { leg, recording, result }));
        }
    }

    fn end_conversation(&mut self, leg: LegId, inputs: &mut VecDeque<Input>) {
        if let Some(recording) = self.conversation.remove(&leg).filter(|_| !self.files_stuck) {
            let result = Ok(Recorded { length_ms: 900, spoken: true });
            inputs.push_back(Input::Media(MediaEvent::Recorded { leg, recording, result }));
        }
    }

    /// A recording ends by itself.
    pub fn record_done(&mut self, leg: LegId, spoken: bool) {
        let mut inputs = VecDeque::new();
        self.end_recording(leg, spoken, &mut inputs);
        inputs.into_iter().for_each(|input| self.give(input));
    }

    /// A new leg; its call, if it was taken.
    pub fn call(&mut self, called: &str) -> LegId {
        self.call_from(Some("+8613800000000"), called)
    }

    pub fn call_from(&mut self, caller: Option<&str>, called: &str) -> LegId {
        self.legs_begun += 1;
        let leg = LegId(self.legs_begun);
        self.legs.insert(leg);
        // The exchange counts call ids up from the seed with each call that it takes.
        let taken = self.starts.len() as u128 + 1;
        self.call_of.insert(leg, CallId((u128::from_be_bytes([7; 16]) + taken).to_be_bytes()));
        let incoming = Incoming {
            leg,
            channel: Channel::Voice,
            peer: SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 5_060),
            caller: caller.map(|caller| Redacted::new(caller.to_owned())),
            called: called.to_owned(),
            call_id: format!("{leg:?}"),
            dialog: vec![leg.0 as u8],
        };
        self.give(Input::Leg(LegEvent::Incoming(incoming)));
        leg
    }

    pub fn key(&mut self, leg: LegId, key: char) {
        self.give(Input::Media(MediaEvent::Key { leg, key }));
    }

    pub fn heard(&mut self, leg: LegId) {
        if let Some(token) = self.playing.remove(&leg) {
            self.give(Input::Media(MediaEvent::PlayDone { leg, token }));
        }
    }

    pub fn bye(&mut self, leg: LegId) {
        self.gone(leg, GoneCause::RemoteHungUp);
    }

    pub fn gone(&mut self, leg: LegId, cause: GoneCause) {
        if self.legs.remove(&leg) {
            self.placed.retain(|placed| *placed != leg);
            self.given_away.remove(&leg);
            self.give(Input::Leg(LegEvent::Gone { leg, cause }));
        }
    }

    /// An agent with a phone of his own.
    pub fn agent(&mut self, name: &str, state: AgentState) {
        let agent = Agent { name: name.into(), skills: Vec::new(), place: 0, weight: 1 };
        self.give(Input::Agent { agent, extension: Redacted::new(format!("{AGENT}{name}")) });
        self.agent_state(name, state);
    }

    pub fn agent_state(&mut self, name: &str, state: AgentState) {
        self.give(Input::AgentState { agent: name.into(), state });
    }

    /// What a successor needs of a leg's dialog.
    pub fn dialog(&mut self, leg: LegId) {
        let dialog = Redacted::new(format!("dialog of {}", leg.0).into_bytes());
        self.give(Input::Leg(LegEvent::Dialog { leg, dialog }));
    }

    /// Somebody who was called answers, or is heard before.
    pub fn answers(&mut self, leg: LegId, early: bool) {
        let media = agreed();
        self.give(Input::Leg(LegEvent::Media { leg, media, peer: Ipv4Addr::LOCALHOST.into() }));
        if !early {
            self.give(Input::Leg(LegEvent::Up { leg }));
        }
    }

    pub fn pass(&mut self, ms: u64) {
        let end = self.now_ms + ms;
        while let Some(at) = self.exchange.next_deadline().filter(|at| at.0 <= end * 1_000_000) {
            self.now_ms = self.now_ms.max(at.0.div_ceil(1_000_000));
            self.give(Input::Timeout);
        }
        self.now_ms = end;
    }

    pub fn said(&mut self) -> Vec<String> {
        std::mem::take(&mut self.said)
    }

    /// The process dies: a new plant that begins with what is durable here.
    pub fn crash(&self, program: &Arc<dyn FlowProgram>) -> Plant {
        self.crash_recording(program, &[], &[])
    }

    /// The same, with what there is of recordings that were being written, and those that have their row.
    pub fn crash_recording(&self, program: &Arc<dyn FlowProgram>, cut: &[CutRecording], kept: &[u64]) -> Plant {
        let mut plant = Plant::new(None, 100);
        plant.now_ms = self.now_ms + 5_000;
        plant.open.clone_from(&self.open);
        for (call, journal) in &self.open {
            let (cut, kept) = (cut.to_vec(), kept.to_vec());
            let recovered = Recovered { call: *call, program: program.clone(), journal: journal.clone(), cut, kept };
            plant.give(Input::Recovered(recovered));
        }
        plant
    }
}

/// Media as two sides agree to them.
fn agreed() -> MediaSpec {
    MediaSpec {
        remote: SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 9),
        codec: Codec::Pcma,
        dtmf_payload_type: Some(101),
        ptime_ms: 20,
        rtcp: None,
        send: true,
        receive: true,
    }
}
