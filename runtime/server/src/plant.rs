//! Everything around the exchange on a real machine: what it asks for is done here, at once or handed to another
//! thread. Nothing here waits.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use runtime_contract::leg::{LegCommand, LegId};
use runtime_contract::{GraphId, Now, Tick, Write};
use runtime_exchange::{Event, Input, MediaCommand, MediaEvent, Output, TraceEvent, TraceWhat};
use runtime_media::{Cadence, Command, Key, Media, Prompt, RecordSpec};
use runtime_session::Trace;
use runtime_store::Store;

use crate::bindings::BindingsKeeper;
use crate::connections::Connections;
use crate::inbox::Door;
use crate::metrics::Metrics;
use crate::node::{Message, Work};
use crate::people::{Addresses, Resolver};
use crate::prompts::{Prompts, Voices};
use crate::services::Services;
use crate::setups::Setups;
use crate::site::SharedSite;
use crate::socket::BatchSocket;
use crate::start::Shared;
use crate::traces::Traces;
use crate::versions::{Trials, Versions};

pub struct Plant {
    pub socket: BatchSocket,
    pub connections: Connections,
    /// Our address as peers see it.
    pub local: SocketAddr,
    pub media: Arc<Media>,
    pub store: Arc<Store>,
    pub prompts: Prompts,
    pub voices: Arc<Voices>,
    pub services: Services,
    pub site: SharedSite,
    pub resolver: Resolver,
    /// Of trunks whose hosts have names.
    pub addresses: Addresses,
    pub trunk_hosts: BTreeSet<IpAddr>,
    pub bindings: BindingsKeeper,
    pub metrics: Arc<Metrics>,
    pub door: Door<Message>,
    /// Runs file deletions.
    pub runtime: tokio::runtime::Handle,
    /// Of this round, to be submitted together; with the number of the last.
    pub writes: Vec<Write>,
    pub write_number: u64,
    /// The store has refused to take more; the exchange was told.
    pub store_full: bool,
    /// Calls refused so far because no media was to be had.
    pub without_media: u64,
    /// Plays whose prompts are being rendered.
    pub rendering: HashMap<LegId, u32>,
    /// Takes new calls; and beside it the version on trial.
    pub current: Option<GraphId>,
    pub canary: Option<GraphId>,
    pub trials: Trials,
    /// Faults of each version that has calls or takes them.
    pub faults: HashMap<GraphId, u64>,
    pub versions: Arc<Versions>,
    pub store_failure: Option<String>,
    pub setups: Setups,
    pub traces: Option<Traces>,
    pub version_refused: Option<GraphId>,
    pub store_stalled: bool,
    pub drained: bool,
    /// When a dialog was last ended by us.
    pub last_hang_up: Option<Tick>,
}

/// Threads that work for the node.
pub struct Helpers {
    pub prompts: Prompts,
    pub resolver: Resolver,
    pub bindings: BindingsKeeper,
}

impl Plant {
    pub fn new(
        shared: Shared,
        socket: BatchSocket,
        connections: Connections,
        helpers: Helpers,
        versions: Arc<Versions>,
    ) -> Plant {
        let metrics = Arc::clone(&shared.metrics);
        let endpoint = shared.config.traces.endpoint.as_ref();
        let traces = endpoint.map(|endpoint| Traces::start(endpoint, &shared.runtime, metrics));
        Plant {
            socket,
            connections,
            local: shared.local,
            media: shared.media,
            store: shared.store,
            prompts: helpers.prompts,
            voices: shared.voices,
            services: Services::new(shared.runtime.clone(), shared.site.clone()),
            site: shared.site,
            resolver: helpers.resolver,
            addresses: Addresses::new(),
            trunk_hosts: BTreeSet::new(),
            bindings: helpers.bindings,
            metrics: shared.metrics,
            door: shared.door,
            runtime: shared.runtime,
            writes: Vec::new(),
            write_number: 0,
            store_full: false,
            without_media: 0,
            rendering: HashMap::new(),
            current: None,
            canary: None,
            trials: Trials::default(),
            faults: HashMap::new(),
            versions,
            store_failure: None,
            setups: Setups::default(),
            traces,
            version_refused: None,
            store_stalled: false,
            drained: false,
            last_hang_up: None,
        }
    }

    /// Whether a peer at this address may place calls.
    pub fn is_trusted(&self, peer: IpAddr) -> bool {
        self.site.load().is_trusted(peer) || self.trunk_hosts.contains(&peer.to_canonical())
    }

    /// A trunk went up or down.
    pub fn trunk_event(&self, name: &str, up: bool, why: &str) {
        if up {
            tracing::info!(trunk = name, "trunk is up");
        } else {
            tracing::error!(trunk = name, "trunk is down: {why}; calls go by other trunks where there are some");
        }
    }

    pub fn carry_out(&mut self, now: Now, output: Output, work: &mut VecDeque<Work>) {
        match output {
            Output::Leg(command) => {
                if matches!(command, LegCommand::HangUp { .. }) {
                    self.last_hang_up = Some(now.tick);
                }
                if let Some(ms) = self.setups.command(now.tick, &command) {
                    self.metrics.answered(ms);
                }
                work.push_back(Work::Leg(command));
            }
            Output::Media(command) => self.media(command, work),
            Output::Write { number, write } => {
                self.write_number = number.0;
                if let Write::End { record, .. } = &write {
                    self.metrics.ended(record);
                }
                self.writes.push(write);
            }
            Output::Service(call) => {
                let door = self.door.clone();
                self.services.start(call, move |call, request, answer| {
                    door.send(Message::Service(call, request, answer));
                });
            }
            Output::CancelService { call, request } => self.services.cancel(call, request),
            Output::EndDialog { dialog } => work.push_back(Work::EndDialog(dialog)),
            Output::Event(event) => self.event(now, event),
            Output::Trace(event) => {
                if let Some(traces) = &mut self.traces {
                    traces.take(&event);
                }
                trace(&event);
            }
            Output::Drained => self.drained = true,
            // No version with a cadence is served: nobody begins one, nor asks for its flows.
            Output::Acted { .. } | Output::StartCadence { .. } | Output::FollowUp(_) => {}
        }
    }

    fn media(&mut self, command: MediaCommand, work: &mut VecDeque<Work>) {
        match command {
            MediaCommand::Open { leg, peer, beside } => {
                let event = match self.media.open(leg, peer, beside) {
                    Ok(address) => MediaEvent::Opened { leg, address },
                    Err(error) => {
                        self.without_media += 1;
                        // A flood of calls must not become a flood of lines.
                        if self.without_media.is_power_of_two() {
                            tracing::error!(calls = self.without_media, "a call is refused: {error}");
                        }
                        MediaEvent::OpenFailed { leg }
                    }
                };
                work.push_back(Work::Exchange(Input::Media(event)));
            }
            MediaCommand::Connect { leg, media, peer } => {
                self.media.tell(leg, Command::Peer(peer));
                self.media.tell(leg, Command::Connect(media));
            }
            MediaCommand::Play { leg, token, program, items } => {
                self.rendering.remove(&leg);
                match self.prompts.get(leg, token, program, items) {
                    Some(prompts) => self.play(leg, token, prompts, work),
                    None => {
                        self.media.tell(leg, Command::StopPlay);
                        self.rendering.insert(leg, token);
                    }
                }
            }
            MediaCommand::StopPlay { leg } => {
                self.rendering.remove(&leg);
                self.media.tell(leg, Command::StopPlay);
            }
            MediaCommand::Ringback { leg, on } => {
                self.media.tell(leg, Command::Ringback(on.then_some(Cadence::RINGBACK)));
            }
            // No version with a queue is served.
            MediaCommand::Music { .. } => {}
            MediaCommand::Bridge { leg, with } => self.media.bridge(leg, with),
            MediaCommand::Press { leg, key } => {
                self.media.tell(leg, Command::SendKeys(Key::from_char(key).into_iter().collect()));
            }
            MediaCommand::Mask { leg, on } => self.media.tell(leg, Command::Mask(on)),
            MediaCommand::Record { leg, recording, length_ms_max, silence_ms, .. } => {
                let silence_ms = Some(silence_ms);
                let spec = RecordSpec { length_ms_max, first_sound_ms: silence_ms, trailing_silence_ms: silence_ms };
                self.media.record(leg, spec, self.voices.recording_path(recording));
            }
            MediaCommand::RecordCall { leg, recording, .. } => {
                self.media.record_call(leg, self.voices.recording_path(recording));
            }
            MediaCommand::StopRecordCall { leg } => self.media.stop_record_call(leg),
            MediaCommand::StopRecord { leg } => self.media.tell(leg, Command::StopRecord),
            MediaCommand::DiscardRecording { recording } => {
                let path = self.voices.recording_path(recording);
                self.runtime.spawn_blocking(move || {
                    let sealed = runtime_media::sealed_path(&path);
                    let path = if sealed.exists() { sealed } else { path };
                    // One that could not be made is not there.
                    if let Err(error) = std::fs::remove_file(&path)
                        && error.kind() != std::io::ErrorKind::NotFound
                    {
                        tracing::warn!("cannot remove `{}`: {error}", path.display());
                    }
                });
            }
            MediaCommand::Close { leg } => {
                self.rendering.remove(&leg);
                self.media.close(leg);
            }
        }
    }

    fn play(&self, leg: LegId, token: u32, prompts: Vec<Arc<Prompt>>, work: &mut VecDeque<Work>) {
        if prompts.is_empty() {
            work.push_back(Work::Exchange(Input::Media(MediaEvent::PlayDone { leg, token })));
        } else {
            self.media.tell(leg, Command::Play { prompts, token: u64::from(token) });
        }
    }

    /// Prompts that a call waited for. It may have gone on meanwhile.
    pub fn rendered(&mut self, leg: LegId, token: u32, prompts: Vec<Arc<Prompt>>, work: &mut VecDeque<Work>) {
        if self.rendering.get(&leg) == Some(&token) {
            self.rendering.remove(&leg);
            self.play(leg, token, prompts, work);
        }
    }

    /// Hands this round's writes and datagrams over. True when some are left.
    pub fn flush(&mut self, work: &mut VecDeque<Work>) -> bool {
        if !self.writes.is_empty() {
            match self.store.submit(self.write_number, std::mem::take(&mut self.writes)) {
                Ok(()) => self.store_full = false,
                Err(refused) => {
                    self.writes = refused;
                    if !self.store_full {
                        tracing::error!(
                            "the store holds as many writes as it may; new calls are refused until it is through"
                        );
                        self.store_full = true;
                        work.push_back(Work::Exchange(Input::StoreFailed));
                    }
                }
            }
        }
        let unsent = self.socket.flush();
        self.metrics.sip_send_failures(self.socket.send_failures);
        unsent || self.store_full
    }

    fn event(&mut self, now: Now, event: Event) {
        match event {
            Event::CallStarted { call, graph } => {
                self.metrics.calls_started.inc();
                tracing::debug!(call = call.hex(), version = graph.short(), "call begins");
            }
            Event::CallEnded { call } => {
                tracing::debug!(call = call.hex(), "call over");
            }
            Event::Refused { leg, why } => {
                self.metrics.refused(why);
                tracing::debug!(leg = leg.0, "call refused: {why:?}");
            }
            Event::Fault { call, graph, kind, place } => {
                self.metrics.fault(kind, &place);
                tracing::warn!(call = call.hex(), place, "fault: {}", kind.name());
                *self.faults.entry(graph).or_default() += 1;
                let max = self.site.load().versions.faults_per_minute_max;
                if self.trials.fault(graph, now.tick, max) {
                    let versions = Arc::clone(&self.versions);
                    let why = format!("more than {max} faults within a minute, the last at {place}");
                    self.runtime.spawn_blocking(move || versions.take_back(graph, &why));
                }
            }
            Event::StoreStalled(stalled) => {
                self.store_stalled = stalled;
                self.metrics.store_stalled.set(i64::from(stalled));
                if stalled {
                    tracing::error!("the store does not keep up: new calls are refused");
                } else {
                    tracing::info!("the store keeps up again: calls are taken");
                }
            }
            Event::VersionRefused(graph) => self.version_refused = Some(graph),
            Event::VersionFreed(graph) => {
                tracing::info!(version = graph.short(), "version freed: its last call is over");
                if ![self.current, self.canary].contains(&Some(graph)) {
                    self.prompts.drop_version(graph);
                }
                self.faults.remove(&graph);
            }
            Event::NotRecovered { call, why } => {
                tracing::error!(call = call.hex(), "a call of the last process was closed without `finally`: {why}");
            }
            Event::Revived { call } => {
                self.metrics.calls_revived.inc();
                tracing::info!(call = call.hex(), "a call of the last process goes on");
            }
            Event::RecordingFailed { call } => {
                self.metrics.recordings_failed.inc();
                tracing::error!(
                    call = call.hex(),
                    "the conversation is not recorded, or not to its end; the call goes on"
                );
            }
            Event::ClauseFault { graph, flow } => {
                tracing::warn!(version = graph.short(), flow, "a clause of a queue faults: it counts as a no");
            }
            Event::RuleDropped { graph, rule } => {
                tracing::error!(version = graph.short(), rule, "there is no room for the action of a rule");
            }
            Event::LateReply { call } => {
                self.metrics.late_replies.inc();
                tracing::debug!(call = call.hex(), "a service answered too late");
            }
        }
    }
}

/// Where a call is, step by step. No key, value or text of a call is shown.
fn trace(event: &TraceEvent) {
    let meta = event.program.meta();
    let site = |id| meta.site(id).map_or("?", |site| site.key.as_str());
    let head = |rule: u32| meta.rules.get(rule as usize).map_or("?", |rule| rule.head.as_str());
    let call = event.call.hex();
    match &event.what {
        TraceWhat::Session(Trace::At(id)) => tracing::debug!(call, "at {}", site(*id)),
        TraceWhat::Session(Trace::Outcome { site: id, outcome }) => {
            let name = meta.request(*id).map_or("?", |request| request.outcome_name(*outcome));
            tracing::debug!(call, "{}: {name}", site(*id));
        }
        TraceWhat::Session(Trace::Left(id)) => tracing::debug!(call, "left {}", site(*id)),
        TraceWhat::Session(Trace::Listening) => tracing::debug!(call, "listening"),
        TraceWhat::Session(Trace::Words) => tracing::debug!(call, "words"),
        TraceWhat::Session(Trace::Keys { count, .. }) => tracing::debug!(call, "{count} keys"),
        TraceWhat::Session(Trace::Fault { kind, .. }) => tracing::debug!(call, "fault: {}", kind.name()),
        TraceWhat::Played(items) => tracing::debug!(call, "plays {} prompts", items.len()),
        TraceWhat::Stopped => tracing::debug!(call, "prompt stopped"),
        TraceWhat::Answered => tracing::debug!(call, "answered"),
        TraceWhat::Onward { transfer: false, .. } => tracing::debug!(call, "calls somebody"),
        TraceWhat::Onward { transfer: true, .. } => tracing::debug!(call, "is given away"),
        TraceWhat::Connected => tracing::debug!(call, "connected"),
        TraceWhat::Recording { on: true } => tracing::debug!(call, "recording on"),
        TraceWhat::Recording { on: false } => tracing::debug!(call, "recording off"),
        TraceWhat::Sent { channel, to, .. } => match to {
            Ok(_) => tracing::debug!(call, "sends {}", channel.name()),
            Err(why) => tracing::debug!(call, "sends no {}: {}", channel.name(), why.name()),
        },
        TraceWhat::CaseOpened(case) => tracing::debug!(call, "opens a case {}", case.kind),
        TraceWhat::SurveyAnswered { .. } => tracing::debug!(call, "answers a survey"),
        TraceWhat::SurveyLeftOut { why, .. } => tracing::debug!(call, "no survey: {}", why.name()),
        TraceWhat::SurveyHeld { by, .. } => tracing::debug!(call, by = by.word(), "a survey is held"),
        TraceWhat::SurveyFollows { .. } => tracing::debug!(call, "a survey follows in writing"),
        TraceWhat::Queued { queue, priority, ahead } => {
            let queue = meta.queues.get(*queue as usize).map_or("?", |queue| queue.name.as_str());
            tracing::debug!(call, "waits in {queue}, priority {priority}, {ahead} ahead");
        }
        TraceWhat::Music { on: true } => tracing::debug!(call, "music"),
        TraceWhat::Music { on: false } => tracing::debug!(call, "music off"),
        TraceWhat::Offered { agent } => tracing::debug!(call, "{agent} is rung"),
        TraceWhat::Unanswered { agent } => tracing::debug!(call, "{agent} does not take it"),
        TraceWhat::AgentAnswers { agent, waited_ms } => tracing::debug!(call, "{agent} answers after {waited_ms} ms"),
        TraceWhat::Whispered(items) => tracing::debug!(call, "the agent hears {} prompts", items.len()),
        TraceWhat::Promised => tracing::debug!(call, "will be called back"),
        TraceWhat::PromiseOver => tracing::debug!(call, "was not called back in time"),
        TraceWhat::WritesUp { agent } => tracing::debug!(call, "{agent} writes it up"),
        TraceWhat::WrappedUp { agent, .. } => tracing::debug!(call, "{agent} has written it up"),
        TraceWhat::Fired { rule } => tracing::debug!(call, "{}", head(*rule)),
        TraceWhat::NotFired { rule, why } => tracing::debug!(call, "{}: not this time, {why:?}", head(*rule)),
        TraceWhat::Noted { key, .. } => tracing::debug!(call, "notes `{key}`"),
        TraceWhat::Ended => tracing::debug!(call, "ended"),
    }
}
