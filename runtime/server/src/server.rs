//! A whole node from outside: start, stop, reload, and what can be asked of it. How its parts are opened is in
//! `start`, what they do in `node`.

use std::fmt;
use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use runtime_contract::program::{Build, Report};
use runtime_contract::{GraphId, Time};
use runtime_media::{Media, MediaStatistics};
use runtime_store::Store;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::{Config, Storage};
use crate::inbox::Door;
use crate::node::Message;
use crate::pages::Pages;
use crate::prompts::Voices;
use crate::recovery::recover;
use crate::start::{Parts, start_node};
use crate::versions::{Accepted, Actor, Adjust, AtStart, Versions};

/// For tasks of the HTTP side to end; a reload that is under way may be cut off.
const SHUTDOWN_MAX: Duration = Duration::from_secs(1);

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
    /// What may be taken at the start; by itself, what a server that watches or does not watch takes.
    pub at_start: Option<AtStart>,
    /// What the command line changes of `strowger.yaml`; applied again at each reload.
    pub adjust: Adjust,
}

impl Options {
    pub fn new(project: impl Into<PathBuf>) -> Options {
        Options {
            project: project.into(),
            watch: false,
            signals: false,
            began: None,
            at_start: None,
            adjust: Arc::new(|_| {}),
        }
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
    pub(crate) fn new(message: impl fmt::Display, help: impl fmt::Display) -> StartError {
        StartError { message: message.to_string(), help: help.to_string(), report: None }
    }

    pub(crate) fn system(error: &std::io::Error) -> StartError {
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
    storage: Storage,
    door: Door<Message>,
    node: Mutex<Option<JoinHandle<std::io::Result<()>>>>,
    watch: Option<(mpsc::Sender<()>, JoinHandle<()>)>,
    store: Arc<Store>,
    voices: Arc<Voices>,
    media: Weak<Media>,
    versions: Arc<Versions>,
    runtime: Option<Runtime>,
    /// Held until the end: one process for each data folder.
    _lock: File,
}

impl Server {
    /// Starts everything and returns when the first version takes calls. `config` is `strowger.yaml` as
    /// [`Config::from_folder`] reads it, with whatever the command line changes.
    pub fn start(config: Config, build: Arc<dyn Build>, options: Options) -> Result<RunningServer, StartError> {
        let Parts { shared, socket, listener, http, inbox, runtime, warnings, lock } =
            Parts::open(config, &options.project)?;
        let left = recover(&shared.store, &shared.data, build.as_ref())?;
        let versions = Arc::new(shared.versions(build, &options));
        let pages = shared.pages(Arc::clone(&versions));
        let mut server = RunningServer {
            sip_addr: shared.local,
            http_addr: http.local_addr().map_err(|error| StartError::system(&error))?,
            warnings,
            first: Accepted { graph: GraphId::default(), report: Report::default() },
            drain: Duration::from_secs(u64::from(shared.config.limits.drain_s)),
            storage: shared.config.storage.clone(),
            door: shared.door.clone(),
            store: Arc::clone(&shared.store),
            voices: Arc::clone(&shared.voices),
            media: Arc::downgrade(&shared.media),
            node: Mutex::new(Some(start_node(
                shared,
                (socket, listener),
                inbox,
                left,
                Arc::clone(&versions),
                options.began,
            )?)),
            watch: None,
            versions,
            runtime: Some(runtime),
            _lock: lock,
        };
        let take = options.at_start.unwrap_or(if options.watch { AtStart::ChangedFiles } else { AtStart::NothingNew });
        server.first = server.versions.start(take).map_err(|report| StartError {
            message: "the project's files were refused".into(),
            help: "correct them and start again".into(),
            report: Some(report),
        })?;
        server.open_doors(http, pages, &options).map_err(|error| StartError::system(&error))?;
        Ok(server)
    }
}

impl RunningServer {
    fn open_doors(&mut self, http: TcpListener, pages: Pages, options: &Options) -> std::io::Result<()> {
        let Some(runtime) = &self.runtime else { return Ok(()) };
        let _inside = runtime.enter();
        http.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(http)?;
        runtime.spawn(crate::http::serve(listener, pages.router()));
        if options.began.is_none() {
            let storage = self.storage.clone();
            let (store, versions) = (Arc::clone(&self.store), Arc::clone(&self.versions));
            runtime.spawn(crate::keeping::keep(store, versions, storage));
        }
        if options.signals {
            let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
            let (door, within) = (self.door.clone(), self.drain);
            let versions = Arc::clone(&self.versions);
            runtime.spawn(async move {
                for (what, message) in [("drain", Message::Drain { within }), ("quit", Message::Quit)] {
                    tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
                    tracing::info!("told to stop");
                    door.send(message);
                    let versions = Arc::clone(&versions);
                    let signalled = Actor { who: "signal".to_owned(), peer: String::new() };
                    tokio::task::spawn_blocking(move || versions.audit(what, None, "", &signalled));
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
    pub fn wait(&self) -> std::io::Result<()> {
        let node = self.node.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(node) = node else { return Ok(()) };
        node.join().unwrap_or_else(|_| Err(std::io::Error::other("the node failed; the log says why")))
    }

    /// Loads the project's folder again; refused, the version before goes on.
    pub fn reload(&self) -> Result<Accepted, Report> {
        self.versions.reload(&Actor::server())
    }

    /// Call records, journals and graphs.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Prompts in memory, and entries of the tables in which they are found.
    pub fn prompts(&self) -> (usize, usize) {
        self.voices.counts()
    }

    /// What media did since the start; all zero when it has ended.
    pub fn media(&self) -> MediaStatistics {
        self.media.upgrade().map(|media| media.statistics()).unwrap_or_default()
    }

    /// What callers hear when a text is played: for those who look for it in what they heard.
    pub fn prompt(&self, language: &str, text: &str) -> Result<Arc<runtime_media::Prompt>, String> {
        self.voices.text(language, text)
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        self.quit();
        // A node that failed has said so in the log.
        let _ = self.wait();
        if let Some((stop, thread)) = self.watch.take() {
            drop(stop);
            let _ = thread.join();
        }
        if let Some(runtime) = self.runtime.take() {
            // Its tasks hold the store, which is to be closed before the data folder is given free.
            runtime.shutdown_timeout(SHUTDOWN_MAX);
        }
    }
}
