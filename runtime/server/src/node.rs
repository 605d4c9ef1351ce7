//! The one thread that owns signalling and exchange: it reads datagrams and messages in batches, gives them to
//! the cores with the time, and carries out what comes back. It decides nothing about a call.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use runtime_contract::leg::{LegCommand, LegId};
use runtime_contract::limits::FINALLY_DRAIN_MS_MAX;
use runtime_contract::record::{CallId, CallRecord};
use runtime_contract::{GraphId, Now, Redacted, Tick};
use runtime_exchange::{Canary, Exchange, Input, MediaEvent, Recorded, RecordingFailed, Version, WriteNumber};
use runtime_media::RecordingError;
use runtime_session::{Line, RequestId};
use runtime_sip::{Endpoint, Input as SipInput, Output as SipOutput, TrunkStatus};
use runtime_store::StoredBindings;

use crate::clock::Clock;
use crate::connections::Arrived;
use crate::inbox::Inbox;
use crate::people::{self, Addresses};
use crate::plant::Plant;
use crate::prompts::VersionPrompts;
use crate::services::Answer;
use crate::socket::BATCH_MAX;

/// Messages taken in one round, so that datagrams and timers have their turn.
const MESSAGES_ROUND_MAX: usize = 1_024;
/// How long the endpoint may still repeat the last BYE after the last call (RFC 3261 timer E fires once by then).
const LINGER_MS: u64 = 700;
/// How long a drain may outlast its time: `finally` blocks, and a store that must keep what they note.
const FINALLY_AND_STORE_MS_MAX: u64 = FINALLY_DRAIN_MS_MAX + 10_000;
/// Pause before giving again what the kernel or the store would not take.
const AGAIN: Duration = Duration::from_millis(1);

/// From other threads.
pub enum Message {
    Media(MediaEvent),
    Store(runtime_store::Event),
    Service(CallId, RequestId, Answer),
    /// What a call waits to hear is rendered.
    Rendered {
        leg: LegId,
        token: u32,
        prompts: Vec<Arc<runtime_media::Prompt>>,
    },
    /// New calls are to run this version. Answered with whether they do.
    Version {
        version: Version,
        role: Role,
        prompts: Arc<VersionPrompts>,
        accepted: mpsc::Sender<bool>,
    },
    /// No call is to run the canary any more.
    WithdrawCanary {
        done: mpsc::Sender<()>,
    },
    /// `strowger.yaml` was read again: trunks and phones may be others.
    SiteChanged,
    /// Names of trunks' hosts were looked up.
    Addresses(Addresses),
    Status(tokio::sync::oneshot::Sender<Status>),
    /// What goes on, of this many calls at most.
    Look {
        calls_max: usize,
        answer: tokio::sync::oneshot::Sender<Live>,
    },
    /// Take no new calls; stop when the last is over, at the latest after this time.
    Drain {
        within: Duration,
    },
    /// Stop now. Calls that go on are ended at the next start.
    Quit,
}

/// Which calls a version takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// All new ones. `trial`: for so long it is taken back when it has too many faults.
    Stable { trial: Option<Duration> },
    /// This share of them, in hundredths of a percent.
    Canary { share: u32 },
}

/// How the node is, for pages.
#[derive(Clone, Debug, Default)]
pub struct Status {
    pub calls_live: usize,
    /// Versions with calls; those that take new calls are there too.
    pub versions: Vec<VersionStatus>,
    pub current: Option<GraphId>,
    pub canary: Option<GraphId>,
    pub draining: bool,
    pub store_stalled: bool,
    /// Why the store cannot write, as it said last.
    pub store_failure: Option<String>,
    pub trunks: Vec<TrunkStatus>,
    pub phones: Vec<PhoneStatus>,
}

/// A phone of the site.
#[derive(Clone, Debug)]
pub struct PhoneStatus {
    pub extension: String,
    /// Seconds left of each registration.
    pub places_left_s: Vec<u64>,
}

#[derive(Clone, Debug)]
pub struct VersionStatus {
    pub graph: GraphId,
    pub calls: usize,
    /// Of its calls in this process.
    pub faults: u64,
}

/// What goes on now, for those who look.
#[derive(Clone, Debug, Default)]
pub struct Live {
    pub calls: Vec<LiveCall>,
    /// Calls in each step and of each flow.
    pub steps: BTreeMap<String, usize>,
    pub flows: BTreeMap<String, usize>,
}

#[derive(Clone, Debug)]
pub struct LiveCall {
    pub record: CallRecord,
    pub step: String,
    pub place: String,
    pub line: &'static str,
}

/// What one core's output asks of another.
pub enum Work {
    Exchange(Input),
    Leg(LegCommand),
    /// BYE in the dialog of a call that another process held.
    EndDialog(Redacted<Vec<u8>>),
}

pub struct Node {
    pub clock: Clock,
    pub endpoint: Endpoint,
    pub exchange: Exchange,
    pub plant: Plant,
    pub inbox: Inbox<Message>,
    pub work: VecDeque<Work>,
    /// What came on connections in this round.
    pub arrived: Vec<Arrived>,
}

/// What keeps the loop going, and how it ends.
enum Course {
    Serving,
    /// At this tick at the latest it is over, whatever is still open: the next start ends it.
    Draining(Tick),
    /// The last call is over; datagrams still go until this tick.
    Lingering(Tick),
    Over,
}

impl Node {
    /// Runs until it is told to stop. What stands in `work` comes first.
    pub fn run(mut self) -> std::io::Result<()> {
        self.inbox.watch(self.plant.socket.fd())?;
        let now = self.clock.now();
        self.site_changed(now);
        self.restore_bindings(now);
        let mut course = Course::Serving;
        let mut readable = true;
        loop {
            let now = self.clock.now();
            self.settle(now);
            for _ in 0..MESSAGES_ROUND_MAX {
                let Some(message) = self.inbox.next() else { break };
                self.message(now, message, &mut course);
                self.settle(now);
            }
            if readable {
                readable = self.datagrams(now) == BATCH_MAX;
            }
            self.timeouts(now);
            let streams = self.streams(now);
            let unsent = self.plant.flush(&mut self.work);
            self.plant.metrics.sip_unacknowledged_refused(self.endpoint.unacknowledged_refused());
            course = self.onward(course, now);
            if matches!(course, Course::Over) {
                // What the last outputs asked for, and nothing new.
                self.plant.flush(&mut self.work);
                return Ok(());
            }
            if readable || streams || !self.work.is_empty() {
                continue;
            }
            let again = unsent.then_some(AGAIN);
            readable |= self.inbox.wait([self.sleep(&course), again].into_iter().flatten().min())?;
            self.plant.connections.happened(self.inbox.happened());
        }
    }

    fn onward(&mut self, course: Course, now: Now) -> Course {
        match course {
            Course::Draining(_) if self.plant.drained => match self.plant.last_hang_up {
                Some(at) => Course::Lingering(at.plus_ms(LINGER_MS)),
                None => Course::Over,
            },
            Course::Draining(until) if now.tick >= until => {
                tracing::error!("not all calls could be ended in time; the next start ends them");
                Course::Over
            }
            Course::Lingering(until) if now.tick >= until => Course::Over,
            course => course,
        }
    }

    /// Time to the next thing that is due.
    fn sleep(&self, course: &Course) -> Option<Duration> {
        let over = match course {
            Course::Lingering(until) | Course::Draining(until) => Some(*until),
            Course::Serving | Course::Over => None,
        };
        let due = [self.endpoint.next_deadline(), self.exchange.next_deadline(), over];
        due.into_iter().flatten().min().map(|deadline| self.clock.until(deadline))
    }

    fn datagrams(&mut self, now: Now) -> usize {
        let count = self.plant.socket.receive();
        self.plant.metrics.datagrams_received.inc_by(count as u64);
        for at in 0..count {
            let Some((source, bytes)) = self.plant.socket.arrived(at) else { continue };
            let trusted = self.plant.is_trusted(source.ip());
            let input = SipInput::Datagram { source, local: self.plant.local, bytes, trusted };
            let outputs = self.endpoint.handle(now.tick, input);
            sip_outputs(now.tick, outputs, &mut self.plant, &mut self.work);
            self.settle(now);
        }
        count
    }

    /// What came on connections. True when there is more.
    fn streams(&mut self, now: Now) -> bool {
        let mut arrived = std::mem::take(&mut self.arrived);
        let more = self.plant.connections.round(&mut arrived);
        let some = !arrived.is_empty();
        for arrived in arrived.drain(..) {
            match arrived {
                Arrived::Accepted(connection, source) => {
                    self.sip(now, SipInput::Accepted { connection, source, local: self.plant.local });
                }
                Arrived::Connected(connection) => self.sip(now, SipInput::Connected { connection }),
                Arrived::Bytes(connection, source, bytes) => {
                    let trusted = self.plant.is_trusted(source.ip());
                    self.sip(now, SipInput::Stream { connection, bytes: &bytes, trusted });
                }
                Arrived::Closed(connection) => self.sip(now, SipInput::Closed { connection }),
            }
            self.settle(now);
        }
        self.arrived = arrived;
        // What was answered is still to be written.
        more || some
    }

    fn timeouts(&mut self, now: Now) {
        if self.endpoint.next_deadline().is_some_and(|deadline| deadline <= now.tick) {
            self.sip(now, SipInput::Timeout);
        }
        if self.exchange.next_deadline().is_some_and(|deadline| deadline <= now.tick) {
            self.work.push_back(Work::Exchange(Input::Timeout));
        }
        self.settle(now);
    }

    fn message(&mut self, now: Now, message: Message, course: &mut Course) {
        match message {
            Message::Media(event) => self.work.push_back(Work::Exchange(Input::Media(event))),
            Message::Store(event) => self.store(event),
            Message::Service(call, request, result) => {
                self.plant.services.finished(call, request);
                self.plant.metrics.service(result.as_ref().err().copied());
                self.work.push_back(Work::Exchange(Input::Service { call, request, result }));
            }
            Message::Rendered { leg, token, prompts } => self.plant.rendered(leg, token, prompts, &mut self.work),
            Message::Version { version, role, prompts, accepted } => {
                let taken = self.version(now, version, role, prompts);
                // Whoever asked may have gone; the version stands all the same.
                let _ = accepted.send(taken);
            }
            Message::WithdrawCanary { done } => {
                if let Some(canary) = self.plant.canary.take() {
                    self.plant.trials.end(canary);
                }
                self.work.push_back(Work::Exchange(Input::Canary(None)));
                let _ = done.send(());
            }
            Message::Look { calls_max, answer } => drop(answer.send(self.look(calls_max))),
            Message::SiteChanged => self.site_changed(now),
            Message::Addresses(addresses) => {
                self.plant.addresses = addresses;
                self.take_site(now);
            }
            Message::Status(ask) => drop(ask.send(self.status(course))),
            Message::Drain { within } => {
                if matches!(course, Course::Serving) {
                    *course = Course::Draining((now.tick + within).plus_ms(FINALLY_AND_STORE_MS_MAX));
                    self.plant.metrics.draining.set(1);
                    self.sip(now, SipInput::Drain);
                    if self.endpoint.trunks().any(|trunk| trunk.registered == Some(true)) {
                        // To leave a trunk takes as long as to say BYE.
                        self.plant.last_hang_up = Some(now.tick);
                    }
                    self.work.push_back(Work::Exchange(Input::Drain { until: now.tick + within }));
                }
            }
            Message::Quit => *course = Course::Over,
        }
    }

    fn store(&mut self, event: runtime_store::Event) {
        match event {
            runtime_store::Event::Committed(number) => {
                self.work.push_back(Work::Exchange(Input::Committed(WriteNumber(number))));
            }
            runtime_store::Event::Failed { why } => {
                tracing::error!("the store cannot write: {why}; new calls are refused until it can");
                self.plant.store_failure = Some(why);
                self.work.push_back(Work::Exchange(Input::StoreFailed));
            }
            runtime_store::Event::Recovered => {
                tracing::info!("the store writes again");
                self.plant.store_failure = None;
                // What failed may have been nobody's (a checkpoint), and then nothing else says that it is over.
                self.work.push_back(Work::Exchange(Input::Committed(WriteNumber(0))));
            }
            runtime_store::Event::Took { us, .. } => self.plant.metrics.commit(us),
        }
    }

    /// Gives the exchange a new version; false when it would not have it.
    fn version(&mut self, now: Now, version: Version, role: Role, prompts: Arc<VersionPrompts>) -> bool {
        let graph = version.program.meta().graph_id;
        self.plant.prompts.add_version(graph, prompts);
        self.plant.version_refused = None;
        let before = (self.plant.current, self.plant.canary);
        let input = match role {
            Role::Stable { .. } => {
                (self.plant.current, self.plant.canary) = (Some(graph), None);
                Input::Version(version)
            }
            Role::Canary { share } => {
                self.plant.canary = Some(graph);
                Input::Canary(Some(Canary { version, share }))
            }
        };
        self.work.push_back(Work::Exchange(input));
        self.settle(now);
        if self.plant.version_refused.take() == Some(graph) {
            (self.plant.current, self.plant.canary) = before;
            if !self.exchange.versions().iter().any(|(live, _)| *live == graph) {
                self.plant.prompts.drop_version(graph);
            }
            return false;
        }
        for replaced in [before.0, before.1].into_iter().flatten() {
            if ![self.plant.current, self.plant.canary].contains(&Some(replaced)) {
                self.plant.trials.end(replaced);
            }
        }
        match role {
            Role::Stable { trial: None } => self.plant.trials.end(graph),
            Role::Stable { trial: Some(trial) } => self.plant.trials.begin(graph, Some(now.tick + trial)),
            Role::Canary { .. } => self.plant.trials.begin(graph, None),
        }
        true
    }

    fn site_changed(&mut self, now: Now) {
        self.plant.resolver.look_up(people::names(&self.plant.site.load()));
        self.take_site(now);
    }

    fn take_site(&mut self, now: Now) {
        let site = people::sip_site(&self.plant.site.load(), &self.plant.addresses);
        self.plant.trunk_hosts = people::trunk_hosts(&site);
        self.sip(now, SipInput::Site(Arc::new(site)));
    }

    /// Where phones were in the life of the last process.
    fn restore_bindings(&mut self, now: Now) {
        match self.plant.store.bindings() {
            Ok(stored) => {
                for StoredBindings { phone, bindings, written } in stored {
                    let age_ms = u64::try_from(now.time.0.saturating_sub(written.0)).unwrap_or(0);
                    self.sip(now, SipInput::Bindings { phone: &phone, bindings: &bindings, age_ms });
                }
            }
            Err(error) => tracing::error!("phones must register anew: {error}"),
        }
    }

    fn status(&self, course: &Course) -> Status {
        let versions = self.exchange.versions().into_iter().map(|(graph, calls)| {
            let faults = self.plant.faults.get(&graph).copied().unwrap_or(0);
            VersionStatus { graph, calls, faults }
        });
        Status {
            calls_live: self.exchange.calls_live(),
            versions: versions.collect(),
            current: self.plant.current,
            canary: self.plant.canary,
            draining: !matches!(course, Course::Serving),
            store_stalled: self.plant.store_stalled,
            store_failure: self.plant.store_failure.clone(),
            trunks: self.endpoint.trunks().collect(),
            phones: self.endpoint.phones().map(|(extension, places)| phone_status(extension, &places)).collect(),
        }
    }

    fn look(&self, calls_max: usize) -> Live {
        let mut live = Live::default();
        for call in self.exchange.live() {
            *live.flows.entry(call.record.flow.clone()).or_default() += 1;
            if live.calls.len() < calls_max {
                let (step, place) = (call.step.clone(), call.place);
                live.calls.push(LiveCall { record: call.record.clone(), step, place, line: line_name(call.line) });
            }
            *live.steps.entry(call.step).or_default() += 1;
        }
        live
    }

    /// Passes on what the cores want of each other until nothing is left.
    fn settle(&mut self, now: Now) {
        while let Some(work) = self.work.pop_front() {
            match work {
                Work::Exchange(input) => {
                    for output in self.exchange.handle(now, input) {
                        self.plant.carry_out(now, output, &mut self.work);
                    }
                }
                Work::Leg(command) => self.sip(now, SipInput::Command(command)),
                Work::EndDialog(dialog) => {
                    self.plant.last_hang_up = Some(now.tick);
                    self.sip(now, SipInput::EndRestored { dialog: dialog.reveal() });
                }
            }
        }
        self.plant.metrics.calls_live.set(self.exchange.calls_live() as i64);
    }

    fn sip(&mut self, now: Now, input: SipInput<'_>) {
        let outputs = self.endpoint.handle(now.tick, input);
        sip_outputs(now.tick, outputs, &mut self.plant, &mut self.work);
    }
}

fn line_name(line: Line) -> &'static str {
    match line {
        Line::None => "none",
        Line::Ringing => "ringing",
        Line::Up => "up",
        Line::Gone => "gone",
    }
}

fn sip_outputs(now: Tick, outputs: runtime_sip::Outputs<'_>, plant: &mut Plant, work: &mut VecDeque<Work>) {
    for output in outputs {
        match output {
            SipOutput::Send { destination, bytes, .. } => plant.socket.queue(destination, bytes),
            SipOutput::Connect { connection, destination } => plant.connections.connect(connection, destination),
            SipOutput::Write { connection, bytes } => plant.connections.write(connection, bytes),
            SipOutput::Close { connection } => plant.connections.close(connection),
            SipOutput::Trunk { name, up, why } => plant.trunk_event(&name, up, &why),
            SipOutput::Bindings { phone, bindings } => plant.bindings.changed(phone, bindings),
            SipOutput::Event(event) => {
                plant.setups.event(now, &event);
                work.push_back(Work::Exchange(Input::Leg(event)));
            }
        }
    }
}

fn phone_status(extension: &str, places: &[(SocketAddr, u64)]) -> PhoneStatus {
    PhoneStatus { extension: extension.to_owned(), places_left_s: places.iter().map(|(_, left_s)| *left_s).collect() }
}

/// The file's name is the recording's number.
fn recorded(leg: LegId, file: &Path, result: Result<Recorded, RecordingError>) -> Option<MediaEvent> {
    let recording = file.file_stem()?.to_str()?.parse().ok()?;
    let result = result.map_err(|error| {
        let (file, kept_ms) = (error.path.display(), error.kept_ms);
        tracing::error!("a recording ends too early, after {kept_ms} ms: {file}: {}", error.reason);
        RecordingFailed { kept_ms }
    });
    Some(MediaEvent::Recorded { leg, recording, result })
}

/// What the media room says, in the exchange's words. `None`: nothing a call needs to know.
pub fn media_event(leg: LegId, event: runtime_media::MediaEvent) -> Option<MediaEvent> {
    Some(match event {
        runtime_media::MediaEvent::Key(key) => MediaEvent::Key { leg, key: key.to_char() },
        runtime_media::MediaEvent::PlayDone { token } => MediaEvent::PlayDone { leg, token: token as u32 },
        runtime_media::MediaEvent::Recorded { file, result } => {
            let result = result.map(|summary| Recorded { length_ms: summary.length_ms, spoken: summary.spoken });
            recorded(leg, &file, result)?
        }
        runtime_media::MediaEvent::CallRecorded { file, result } => {
            recorded(leg, &file, result.map(|length_ms| Recorded { length_ms, spoken: length_ms > 0 }))?
        }
        runtime_media::MediaEvent::Quality(quality) => MediaEvent::Closed { leg, quality },
        _ => return None,
    })
}
