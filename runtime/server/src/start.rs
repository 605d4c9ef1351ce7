//! Opens the parts of a node, in an order in which each failure has a clear text, and sets the node going.

use std::collections::VecDeque;
use std::fs::{File, TryLockError};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use runtime_contract::Time;
use runtime_contract::program::Build;
use runtime_exchange::Exchange;
use runtime_media::{Media, MediaConfig};
use runtime_sip::Endpoint;
use runtime_store::Store;
use tokio::runtime::{Handle, Runtime};

use crate::bindings::BindingsKeeper;
use crate::clock::Clock;
use crate::config::Config;
use crate::connections::{self, Connections};
use crate::inbox::{Door, Inbox};
use crate::metrics::Metrics;
use crate::node::{Message, Node, Work, media_event};
use crate::open_files;
use crate::pages::Pages;
use crate::people::Resolver;
use crate::plant::{Helpers, Plant};
use crate::project::read_bundle;
use crate::prompts::{Prompts, Voices, recording_first};
use crate::server::{Options, StartError};
use crate::site::SharedSite;
use crate::socket::BoundSocket;
use crate::versions::Versions;

/// Media threads of one process.
const MEDIA_THREADS_MAX: usize = 8;

/// Ports tried for one that is free for UDP and TCP.
const PORT_TRIES_MAX: usize = 16;

/// Answered calls that one address may leave without an ACK, however small `calls_max` is.
const UNACKNOWLEDGED_MIN: usize = 8;

/// Pages of the database in a megabyte.
const PAGES_PER_MB: u32 = 256;

/// What is open before the node runs.
pub struct Parts {
    pub shared: Shared,
    pub socket: BoundSocket,
    /// For connections, on the socket's port.
    pub listener: TcpListener,
    pub http: TcpListener,
    pub inbox: Inbox<Message>,
    pub runtime: Runtime,
    /// Why voices are poorer than they could be.
    pub warnings: Vec<String>,
    /// Of the data folder.
    pub lock: File,
}

/// What several parts of a node use.
pub struct Shared {
    pub config: Config,
    /// The data folder.
    pub data: PathBuf,
    /// Our SIP address as peers see it.
    pub local: SocketAddr,
    pub door: Door<Message>,
    pub runtime: Handle,
    pub site: SharedSite,
    pub metrics: Arc<Metrics>,
    pub media: Arc<Media>,
    pub store: Arc<Store>,
    pub voices: Arc<Voices>,
}

impl Parts {
    pub fn open(config: Config, project: &Path) -> Result<Parts, StartError> {
        let system = |error: std::io::Error| StartError::system(&error);
        let data = project.join(&config.storage.data);
        if !data.exists() {
            // A wrong folder is left as it was.
            read_bundle(project, &data).map_err(|error| StartError::new(&error.message, &error.help))?;
        }
        let (socket, listener) =
            bind_sip(config.listen.sip).map_err(|error| bind_error("SIP", config.listen.sip, &error, "sip"))?;
        let http = TcpListener::bind(config.listen.http)
            .map_err(|error| bind_error("HTTP", config.listen.http, &error, "http"))?;
        let local = SocketAddr::new(config.advertised().ip(), socket.address().port());
        let few_files = open_files::raise(config.limits.calls_max);
        let (inbox, door) = Inbox::new().map_err(system)?;
        let lock = lock_data(&data)?;
        let store = open_store(&data, config.storage.database_mb_max, &door)?;
        let media = start_media(&config, local, &door)?;
        let (voices, warning) = Voices::find(config.voices.engine, &data, config.recording_key());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("http")
            .enable_all()
            .build()
            .map_err(system)?;
        let shared = Shared {
            site: SharedSite::new(config.clone()),
            config,
            data,
            local,
            door,
            runtime: runtime.handle().clone(),
            metrics: Arc::new(Metrics::new()),
            media: Arc::new(media),
            store: Arc::new(store),
            voices: Arc::new(voices),
        };
        let warnings = [warning.map(|warning| warning.to_string()), few_files].into_iter().flatten().collect();
        Ok(Parts { shared, socket, listener, http, inbox, runtime, warnings, lock })
    }
}

impl Shared {
    pub fn versions(&self, build: Arc<dyn Build>, options: &Options) -> Versions {
        Versions {
            folder: options.project.clone(),
            data: self.data.clone(),
            build,
            adjust: Arc::clone(&options.adjust),
            store: Arc::clone(&self.store),
            voices: Arc::clone(&self.voices),
            site: self.site.clone(),
            door: self.door.clone(),
            metrics: Arc::clone(&self.metrics),
            history: Mutex::default(),
            loading: Mutex::new(()),
        }
    }

    pub fn pages(&self, versions: Arc<Versions>) -> Pages {
        Pages {
            door: self.door.clone(),
            versions,
            metrics: Arc::clone(&self.metrics),
            media: Arc::clone(&self.media),
            store: Arc::clone(&self.store),
            started: std::time::Instant::now(),
        }
    }
}

/// UDP and TCP on one port. Where the system chooses, the port it gives to one may be taken for the other.
fn bind_sip(address: SocketAddr) -> std::io::Result<(BoundSocket, TcpListener)> {
    let mut tries = if address.port() == 0 { PORT_TRIES_MAX } else { 1 };
    loop {
        tries -= 1;
        let socket = BoundSocket::bind(address)?;
        match connections::bind(SocketAddr::new(address.ip(), socket.address().port())) {
            Ok(listener) => return Ok((socket, listener)),
            Err(error) if tries == 0 => return Err(error),
            Err(_) => {}
        }
    }
}

fn bind_error(what: &str, address: SocketAddr, error: &std::io::Error, key: &str) -> StartError {
    StartError::new(
        format_args!("cannot listen for {what} on {address}: {error}"),
        format_args!(
            "stop what uses this port, or give another address with `listen: {key}:` (port 0 takes a free one)"
        ),
    )
}

/// Makes the data folder and takes it for this process: a second one would end the first one's calls as left open.
fn lock_data(data: &Path) -> Result<File, StartError> {
    let file = data.join("strowger.lock");
    let opened = std::fs::create_dir_all(data.join("recordings")).and_then(|()| File::create(&file));
    let lock = opened.map_err(|error| {
        let what = format!("cannot keep data in `{}`: {error}", data.display());
        StartError::new(what, "name a folder that this user may write, with `--data` or `storage: data:`")
    })?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StartError::new(
            format_args!("another strowger keeps its data in `{}`", data.display()),
            "stop it, or name another folder with `--data` or `storage: data:`",
        )),
        Err(TryLockError::Error(error)) => Err(StartError::new(
            format_args!("cannot lock `{}`: {error}", file.display()),
            "keep data on a file system that has locks",
        )),
    }
}

fn open_store(data: &Path, mb_max: Option<u32>, door: &Door<Message>) -> Result<Store, StartError> {
    let door = door.clone();
    let pages_max = mb_max.map(|mb| mb.saturating_mul(PAGES_PER_MB));
    let options = runtime_store::Options { pages_max, ..runtime_store::Options::default() };
    Store::open(data, options, move |event| door.send(Message::Store(event)))
        .map_err(|error| StartError::new(&error, &error.help))
}

fn start_media(config: &Config, local: SocketAddr, door: &Door<Message>) -> Result<Media, StartError> {
    let door = door.clone();
    let media = MediaConfig {
        bind: config.listen.sip.ip(),
        advertise: Some(local.ip()),
        ports: config.listen.rtp.as_ref().map(|range| range.0.clone()),
        threads: std::thread::available_parallelism().map_or(1, usize::from).min(MEDIA_THREADS_MAX),
        legs_max: config.limits.calls_max as usize,
        recording_key: config.recording_key(),
    };
    let tell = move |leg, event| {
        if let Some(event) = media_event(leg, event) {
            door.send(Message::Media(event));
        }
    };
    Media::start(media, tell)
        .map_err(|error| StartError::new(error, "raise the system's limits on threads and open files"))
}

fn seed<const N: usize>() -> Result<[u8; N], StartError> {
    let mut seed = [0; N];
    getrandom::fill(&mut seed)
        .map_err(|error| StartError::new(format_args!("no random numbers: {error}"), "check /dev/urandom"))?;
    Ok(seed)
}

/// Sets the node going on a thread of its own. `began`: where its clock begins, in a rehearsal.
pub fn start_node(
    shared: Shared,
    (socket, listener): (BoundSocket, TcpListener),
    inbox: Inbox<Message>,
    left: VecDeque<Work>,
    versions: Arc<Versions>,
    began: Option<Time>,
) -> Result<JoinHandle<std::io::Result<()>>, StartError> {
    let calls_max = shared.config.limits.calls_max as usize;
    let mut sip = runtime_sip::Config::new(shared.local);
    // The exchange refuses calls above its limit; legs that are ending still have a place.
    sip.legs_max = calls_max + calls_max / 4 + 64;
    // One peer that is gone must leave room for the others; a small site still has calls at the same moment.
    sip.unacknowledged_max = (calls_max / 4).max(UNACKNOWLEDGED_MIN);
    sip.session_expires_s = shared.config.limits.session_expires_s;
    let exchange = runtime_exchange::Config {
        calls_max,
        seed: seed()?,
        recording_first: recording_first(&shared.data, &shared.store)
            .map_err(|error| StartError::new(&error, &error.help))?,
        trace: tracing::enabled!(tracing::Level::DEBUG) || shared.config.traces.endpoint.is_some(),
    };
    let endpoint_seed = seed()?;
    let system = |error: std::io::Error| StartError::system(&error);
    let helpers = Helpers {
        prompts: Prompts::start(Arc::clone(&shared.voices), &shared.door).map_err(system)?,
        resolver: Resolver::start(shared.door.clone()).map_err(system)?,
        bindings: BindingsKeeper::start(Arc::clone(&shared.store)).map_err(system)?,
    };
    let connections = inbox.registry().and_then(|registry| Connections::new(registry, listener));
    let connections = connections.map_err(|error| StartError::system(&error))?;
    let run = move || {
        // The socket's buffers belong to this thread.
        let plant = Plant::new(shared, socket.into_batches(), connections, helpers, versions);
        let node = Node {
            clock: Clock::start_at(began),
            endpoint: Endpoint::new(sip, endpoint_seed),
            exchange: Exchange::new(exchange),
            plant,
            inbox,
            work: left,
            arrived: Vec::new(),
        };
        node.run()
    };
    std::thread::Builder::new().name("node".into()).spawn(run).map_err(|error| StartError::system(&error))
}
