//! Start, and stop, of a whole node: opens what it needs in an order in which each failure has a clear text, ends
//! what the last process left, loads the first version, and hands out the handles.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use runtime_contract::program::{Build, Report};
use runtime_contract::record::CallId;
use runtime_contract::{GraphId, Time};
use runtime_exchange::{Exchange, Input, Recovered};
use runtime_media::{Media, MediaConfig};
use runtime_sip::Endpoint;
use runtime_store::{OpenCall, Store};
use tokio::signal::unix::{SignalKind, signal};

use crate::clock::Clock;
use crate::config::Config;
use crate::inbox::{Door, Inbox};
use crate::metrics::Metrics;
use crate::node::{Message, Node, Work};
use crate::pages::Pages;
use crate::plant::Plant;
use crate::prompts::{Prompts, Voices, recording_first};
use crate::services::Services;
use crate::site::SharedSite;
use crate::socket::BoundSocket;
use crate::versions::{Accepted, Adjust, Versions};

/// Media threads of one process.
const MEDIA_THREADS_MAX: usize = 8;

/// What is not of the site.
#[derive(Clone)]
pub struct Options {
    /// The project's folder.
    pub project: PathBuf,
    /// Reload when files of the project change.
    pub watch: bool,
    /// SIGTERM and SIGINT drain, a second one stops at once.
    pub signals: bool,
    /// A rehearsal: the node's clock begins here.
    pub began: Option<Time>,
    /// What the command line changes of `strowger.yaml`; applied again at each reload.
    pub adjust: Adjust,
}

impl Options {
    pub fn new(project: impl Into<PathBuf>) -> Options {
        Options { project: project.into(), watch: false, signals: false, began: None, adjust: Arc::new(|_| {}) }
    }
}

/// Why a server cannot start, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartError {
    pub message: String,
    pub help: String,
    /// The compiler's, when the project's first version was refused.
    pub report: Option<Report>,
}

impl StartError {
    fn new(message: impl fmt::Display, help: impl fmt::Display) -> StartError {
        StartError { message: message.to_string(), help: help.to_string(), report: None }
    }

    fn system(error: &std::io::Error) -> StartError {
        StartError::new(
            format_args!("the system refused a thread or an event queue: {error}"),
            "raise its limits on threads and open files (`ulimit -u`, `ulimit -n`)",
        )
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.message, self.help)
    }
}

impl std::error::Error for StartError {}

pub struct Server;

/// A node that serves. Dropping it stops it at once; calls that go on are ended at the next start.
pub struct RunningServer {
    /// Where SIP is heard.
    pub sip_addr: SocketAddr,
    /// Where the pages are.
    pub http_addr: SocketAddr,
    /// Why voices are poorer than they could be.
    pub warnings: Vec<String>,
    /// Of the first version: warnings, and how its tests went.
    pub first: Accepted,
    drain: Duration,
    door: Door<Message>,
    node: Option<JoinHandle<std::io::Result<()>>>,
    watch: Option<(mpsc::Sender<()>, JoinHandle<()>)>,
    store: Arc<Store>,
    voices: Arc<Voices>,
    versions: Arc<Versions>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Server {
    /// Starts everything and returns when the first version takes calls. `config` is `strowger.yaml` as
    /// [`Config::from_folder`] reads it, with whatever the command line changes.
    pub fn start(config: Config, build: Arc<dyn Build>, options: Options) -> Result<RunningServer, StartError> {
        let data = options.project.join(&config.storage.data);
        let socket = BoundSocket::bind(config.listen.sip)
            .map_err(|error| bind_error("SIP", config.listen.sip, &error, "sip"))?;
        let http = std::net::TcpListener::bind(config.listen.http)
            .map_err(|error| bind_error("HTTP", config.listen.http, &error, "http"))?;
        let local = SocketAddr::new(config.advertised().ip(), socket.address().port());
        let system = |error: std::io::Error| StartError::system(&error);
        let http_addr = http.local_addr().map_err(system)?;
        let (inbox, door) = Inbox::new().map_err(system)?;
        std::fs::create_dir_all(data.join("recordings")).map_err(|error| {
            let what = format!("cannot keep data in `{}`: {error}", data.display());
            StartError::new(what, "name a folder that this user may write, with `--data` or `storage: data:`")
        })?;
        let store_door = door.clone();
        let store =
            Store::open(&data, runtime_store::Options::default(), move |event| store_door.send(Message::Store(event)))
                .map_err(|error| StartError::new(&error, &error.help))?;
        let store = Arc::new(store);
        let media = Arc::new(start_media(&config, local, &door)?);
        let (voices, warning) = Voices::find(config.voices.engine, &data);
        let voices = Arc::new(voices);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("http")
            .enable_all()
            .build()
            .map_err(system)?;
        let metrics = Arc::new(Metrics::new());
        let site = SharedSite::new(config.clone());
        let left = recover(&store, build.as_ref())?;
        let versions = Arc::new(Versions {
            folder: options.project.clone(),
            data: data.clone(),
            build,
            adjust: Arc::clone(&options.adjust),
            store: Arc::clone(&store),
            voices: Arc::clone(&voices),
            site: site.clone(),
            door: door.clone(),
            metrics: Arc::clone(&metrics),
            history: Mutex::default(),
            loading: Mutex::new(()),
        });
        let pages = Pages {
            door: door.clone(),
            versions: Arc::clone(&versions),
            metrics: Arc::clone(&metrics),
            media: Arc::clone(&media),
            store: Arc::clone(&store),
        };
        let shared = Shared { site, metrics, media, store: Arc::clone(&store), voices: Arc::clone(&voices) };
        let node = start_node(socket, local, &config, &data, inbox, &door, &runtime, shared, left, options.began)?;
        let mut server = RunningServer {
            sip_addr: local,
            http_addr,
            warnings: warning.map(|warning| warning.to_string()).into_iter().collect(),
            first: Accepted { graph: GraphId::default(), report: Report::default() },
            drain: Duration::from_secs(u64::from(config.limits.drain_s)),
            door,
            node: Some(node),
            watch: None,
            store,
            voices,
            versions,
            runtime: Some(runtime),
        };
        server.first = server.versions.start().map_err(|report| StartError {
            message: "the project's files were refused".into(),
            help: "correct them and start again".into(),
            report: Some(report),
        })?;
        server.open_doors(http, pages, &options).map_err(system)?;
        Ok(server)
    }
}

struct Shared {
    site: SharedSite,
    metrics: Arc<Metrics>,
    media: Arc<Media>,
    store: Arc<Store>,
    voices: Arc<Voices>,
}

fn bind_error(what: &str, address: SocketAddr, error: &std::io::Error, key: &str) -> StartError {
    StartError::new(
        format_args!("cannot listen for {what} on {address}: {error}"),
        format_args!(
            "stop what uses this port, or give another address with `listen: {key}:` (port 0 takes a free one)"
        ),
    )
}

fn start_media(config: &Config, local: SocketAddr, door: &Door<Message>) -> Result<Media, StartError> {
    let media_door = door.clone();
    let media = MediaConfig {
        address: local.ip(),
        ports: config.listen.rtp.as_ref().map(|range| range.0.clone()),
        threads: std::thread::available_parallelism().map_or(1, usize::from).min(MEDIA_THREADS_MAX),
        legs_max: config.limits.calls_max as usize,
    };
    Media::start(media, move |leg, event| media_door.send(Message::Media(leg, event)))
        .map_err(|error| StartError::new(error, "raise the system's limits on threads and open files"))
}

/// What the last process left open: inputs that end its calls, and the graph of each.
#[derive(Default)]
struct LeftOpen {
    work: VecDeque<Work>,
    graphs: HashMap<CallId, GraphId>,
}

fn recover(store: &Store, build: &dyn Build) -> Result<LeftOpen, StartError> {
    let store_error = |error: runtime_store::StoreError| StartError::new(&error, &error.help);
    let mut by_graph: BTreeMap<GraphId, Vec<OpenCall>> = BTreeMap::new();
    for call in store.open_calls().map_err(store_error)? {
        by_graph.entry(call.graph).or_default().push(call);
    }
    let mut left = LeftOpen::default();
    for (graph, calls) in by_graph {
        let bytes = store.graph(graph).map_err(store_error)?;
        let loaded = match bytes {
            Some(bytes) => build.load(&bytes),
            None => Err(Report { text: "the store does not hold it".into(), json: String::new() }),
        };
        match loaded {
            Ok(program) => {
                tracing::info!(version = graph.short(), "{} calls of the last process are ended", calls.len());
                left.graphs.extend(calls.iter().map(|call| (call.call, graph)));
                left.work.extend(calls.into_iter().map(|call| {
                    let program = Arc::clone(&program);
                    let dialog = Vec::new();
                    let recovered = Recovered { call: call.call, program, dialog, journal: call.journal };
                    Work::Exchange(Input::Recovered(recovered))
                }));
            }
            Err(report) => tracing::error!(
                version = graph.short(),
                "{} calls of the last process stay open, for their version cannot be loaded: {}",
                calls.len(),
                report.text
            ),
        }
    }
    Ok(left)
}

fn seed<const N: usize>() -> Result<[u8; N], StartError> {
    let mut seed = [0; N];
    getrandom::fill(&mut seed)
        .map_err(|error| StartError::new(format_args!("no random numbers: {error}"), "check /dev/urandom"))?;
    Ok(seed)
}

#[expect(clippy::too_many_arguments, reason = "the one place where all parts of a node meet")]
fn start_node(
    socket: BoundSocket,
    local: SocketAddr,
    config: &Config,
    data: &Path,
    inbox: Inbox<Message>,
    door: &Door<Message>,
    runtime: &tokio::runtime::Runtime,
    shared: Shared,
    left: LeftOpen,
    began: Option<Time>,
) -> Result<JoinHandle<std::io::Result<()>>, StartError> {
    let calls_max = config.limits.calls_max as usize;
    let mut sip = runtime_sip::Config::new(local);
    // The exchange refuses calls above its limit; legs that are ending still have a place.
    sip.legs_max = calls_max + calls_max / 4 + 64;
    let exchange = runtime_exchange::Config {
        calls_max,
        seed: seed()?,
        recording_first: recording_first(data),
        trace: tracing::enabled!(tracing::Level::DEBUG),
    };
    let endpoint_seed = seed()?;
    let prompts = Prompts::start(Arc::clone(&shared.voices), door).map_err(|error| StartError::system(&error))?;
    let services = Services::new(runtime.handle().clone(), shared.site.clone());
    let (door, runtime) = (door.clone(), runtime.handle().clone());
    let run = move || {
        let plant = Plant {
            socket: socket.into_batches(),
            local,
            media: shared.media,
            store: shared.store,
            prompts,
            voices: shared.voices,
            services,
            site: shared.site,
            metrics: shared.metrics,
            door,
            runtime,
            writes: Vec::new(),
            write_number: 0,
            store_full: false,
            graphs: left.graphs,
            rendering: Default::default(),
            current: None,
            version_refused: None,
            store_stalled: false,
            drained: false,
            last_hang_up: None,
        };
        let endpoint = Endpoint::new(sip, endpoint_seed);
        Node {
            clock: Clock::start_at(began),
            endpoint,
            exchange: Exchange::new(exchange),
            plant,
            inbox,
            work: left.work,
        }
        .run()
    };
    std::thread::Builder::new().name("node".into()).spawn(run).map_err(|error| StartError::system(&error))
}

impl RunningServer {
    fn open_doors(&mut self, http: std::net::TcpListener, pages: Pages, options: &Options) -> std::io::Result<()> {
        let Some(runtime) = &self.runtime else { return Ok(()) };
        let _inside = runtime.enter();
        http.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(http)?;
        let service = pages.router().into_make_service_with_connect_info::<SocketAddr>();
        runtime.spawn(async move { axum::serve(listener, service).await });
        if options.signals {
            let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
            let (door, within) = (self.door.clone(), self.drain);
            runtime.spawn(async move {
                for message in [Message::Drain { within }, Message::Quit] {
                    tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
                    tracing::info!("told to stop");
                    door.send(message);
                }
            });
        }
        if options.watch {
            let versions = Arc::clone(&self.versions);
            let (stop, stopped) = mpsc::channel();
            let thread = std::thread::Builder::new().name("watch".into()).spawn(move || versions.watch(&stopped))?;
            self.watch = Some((stop, thread));
        }
        Ok(())
    }

    /// Takes no new calls and ends when the last is over, at the latest after `limits: drain_s:`.
    pub fn stop(&self) {
        self.door.send(Message::Drain { within: self.drain });
    }

    /// Ends at once. Calls that go on are ended at the next start.
    pub fn quit(&self) {
        self.door.send(Message::Quit);
    }

    /// Waits until the node has ended, all writes durable. An error is a failure of the system under it.
    pub fn wait(&mut self) -> std::io::Result<()> {
        let Some(node) = self.node.take() else { return Ok(()) };
        node.join().unwrap_or_else(|_| Err(std::io::Error::other("the node failed; the log says why")))
    }

    /// Loads the project's folder again; refused, the version before goes on.
    pub fn reload(&self) -> Result<Accepted, Report> {
        self.versions.reload()
    }

    /// Call records, journals and graphs.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What callers hear when a text is played: for those who look for it in what they heard.
    pub fn prompt(&self, language: &str, text: &str) -> Result<Arc<runtime_media::Prompt>, String> {
        self.voices.text(language, text)
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        if self.node.is_some() {
            self.quit();
            // A node that failed has said so in the log.
            let _ = self.wait();
        }
        if let Some((stop, thread)) = self.watch.take() {
            drop(stop);
            let _ = thread.join();
        }
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
