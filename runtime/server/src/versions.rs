//! Versions of a project: loaded aside, built, kept, rendered, and only then given to new calls; or refused, and
//! the one before goes on. It knows the language only as a [`Build`] that the edge handed in.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use runtime_contract::program::{Build, Built, Bundle, Report};
use runtime_contract::{GraphId, Time};
use runtime_exchange::Version;
use runtime_store::Store;
use serde_json::json;

use crate::config::{Config, ConfigError, FILE_NAME};
use crate::inbox::Door;
use crate::metrics::Metrics;
use crate::node::Message;
use crate::project;
use crate::prompts::{VersionPrompts, Voices};
use crate::site::SharedSite;

/// Pause between two looks at the project's folder.
const WATCH: Duration = Duration::from_millis(500);
/// The node takes a version within microseconds; longer means that it is gone.
const SWAP_MAX: Duration = Duration::from_secs(10);

/// Changes a configuration as the command line does, each time it was read.
pub type Adjust = Arc<dyn Fn(&mut Config) + Send + Sync>;

pub struct Versions {
    pub folder: PathBuf,
    pub data: PathBuf,
    pub build: Arc<dyn Build>,
    pub adjust: Adjust,
    pub store: Arc<Store>,
    pub voices: Arc<Voices>,
    pub site: SharedSite,
    pub door: Door<Message>,
    pub metrics: Arc<Metrics>,
    pub history: Mutex<History>,
    /// One load at a time.
    pub loading: Mutex<()>,
}

/// What became of the loads of this process.
#[derive(Clone, Default)]
pub struct History {
    /// Newest last; one entry for each version, when it was last accepted.
    pub accepted: Vec<(GraphId, SystemTime)>,
    /// The last load, when it was refused.
    pub refused: Option<(SystemTime, Report)>,
    /// Of the folder at the last load, so that nothing is built twice.
    fingerprint: Option<u64>,
}

/// A version that takes calls now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    pub graph: GraphId,
    /// Warnings, and how the project's tests went.
    pub report: Report,
}

impl Versions {
    /// Loads the project's folder as it is now. Blocks for as long as a build takes. Refused: nothing has changed.
    pub fn reload(&self) -> Result<Accepted, Report> {
        let _one_at_a_time = lock(&self.loading);
        lock(&self.history).fingerprint = project::fingerprint(&self.folder, &self.data).ok();
        let loaded = self.read().and_then(|(bundle, config)| {
            let (config, waits) = self.keep_fixed(config);
            let mut accepted = self.load(&bundle, Some(config))?;
            if let Some(waits) = waits {
                tracing::warn!("{waits}");
                add_warning(&mut accepted.report, &waits, "restart the server when its calls may end");
            }
            Ok(accepted)
        });
        self.note(&loaded);
        loaded
    }

    /// The first load: with the configuration that the server was started with.
    pub fn start(&self) -> Result<Accepted, Report> {
        let _one_at_a_time = lock(&self.loading);
        lock(&self.history).fingerprint = project::fingerprint(&self.folder, &self.data).ok();
        let bundle = project::read_bundle(&self.folder, &self.data).map_err(|e| report(&e.message, &e.help));
        let loaded = bundle.and_then(|bundle| self.load(&bundle, None));
        self.note(&loaded);
        loaded
    }

    fn note(&self, loaded: &Result<Accepted, Report>) {
        self.metrics.reload(loaded.is_ok());
        let mut history = lock(&self.history);
        match loaded {
            Ok(accepted) => {
                tracing::info!(version = accepted.graph.short(), "version takes calls");
                history.accepted.retain(|(graph, _)| *graph != accepted.graph);
                history.accepted.push((accepted.graph, SystemTime::now()));
                history.refused = None;
            }
            Err(report) => {
                tracing::error!("version refused, the one before goes on:\n{}", report.text);
                history.refused = Some((SystemTime::now(), report.clone()));
            }
        }
    }

    fn read(&self) -> Result<(Bundle, Config), Report> {
        let bundle =
            project::read_bundle(&self.folder, &self.data).map_err(|error| report(&error.message, &error.help))?;
        let text = bundle.files.iter().find(|(name, _)| name == FILE_NAME).map(|(_, bytes)| bytes);
        let text = std::str::from_utf8(text.map_or(&[][..], |bytes| bytes))
            .map_err(|_| report("strowger.yaml is not UTF-8 text", "save it as UTF-8"))?;
        let mut config = Config::from_site(text).map_err(|error| config_report(&error))?;
        (self.adjust)(&mut config);
        Ok((bundle, config))
    }

    /// What a running process cannot change stays as it was; which of it would be another is said.
    fn keep_fixed(&self, config: Config) -> (Config, Option<String>) {
        let running = self.site.load();
        let Config { listen, trunks, services, storage, limits, voices } = config;
        let differ = [
            ("listen", listen != running.listen),
            ("storage", storage != running.storage),
            ("limits", limits != running.limits),
            ("voices", voices != running.voices),
        ];
        let keys: Vec<String> = differ.into_iter().filter(|key| key.1).map(|(key, _)| format!("`{key}`")).collect();
        let waits = (!keys.is_empty())
            .then(|| format!("what strowger.yaml changes of {} takes effect at the next start only", keys.join(", ")));
        (Config { trunks, services, ..Config::clone(&running) }, waits)
    }

    fn load(&self, bundle: &Bundle, config: Option<Config>) -> Result<Accepted, Report> {
        let before = Config::clone(&self.site.load());
        let site = config.as_ref().unwrap_or(&before);
        let names = site.names();
        // A bug in a pass refuses this version and ends nothing else.
        let built = catch_unwind(AssertUnwindSafe(|| self.build.build(bundle, &names)));
        let Built { program, graph, report: notes } = built.unwrap_or_else(|_| {
            Err(report("the compiler failed on this project", "this is a fault of strowger: please report it"))
        })?;
        let id = program.meta().graph_id;
        self.store.put_graph(id, &graph).map_err(|error| report(&error.to_string(), &error.help))?;
        let prompts = VersionPrompts::prepare(&self.voices, program.meta(), bundle)
            .map_err(|problems| report(&problems.join("\n"), "correct these prompts"))?;
        let epoch = epoch(site);
        // New services first: the version may call them at once.
        if let Some(config) = config {
            self.site.store(config);
        }
        let (accepted, answer) = mpsc::channel();
        let version = Version { program, epoch, stored: true };
        self.door.send(Message::Version { version, prompts: Arc::new(prompts), accepted });
        match answer.recv_timeout(SWAP_MAX) {
            Ok(true) => Ok(Accepted { graph: id, report: notes }),
            Ok(false) => {
                self.site.store(before);
                Err(report("too many versions have live calls", "wait until calls of older versions are over"))
            }
            Err(_) => Err(report("the server is about to stop", "start it again")),
        }
    }

    /// Looks at the folder until `stop` closes, and reloads when it has changed and then stayed the same for one
    /// look (an editor may write in several steps).
    pub fn watch(&self, stop: &Receiver<()>) {
        let mut last_seen = None;
        while stop.recv_timeout(WATCH) == Err(RecvTimeoutError::Timeout) {
            let Ok(seen) = project::fingerprint(&self.folder, &self.data) else { continue };
            let settled = last_seen.replace(seen) == Some(seen);
            let loaded = lock(&self.history).fingerprint;
            if settled && loaded != Some(seen) {
                // What became of it stands in the log, the metrics and the pages.
                let _ = self.reload();
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A refusal of our own, in the shape of the compiler's.
fn report(message: &str, help: &str) -> Report {
    let json = json!({ "severity": "error", "message": message, "help": help });
    Report { text: format!("error: {message}\n  help: {help}"), json: json.to_string() }
}

/// Puts a warning of our own behind what the compiler said.
fn add_warning(report: &mut Report, message: &str, help: &str) {
    let json = json!({ "severity": "warning", "message": message, "help": help }).to_string();
    for (text, line) in [(&mut report.text, format!("warning: {message}\n  help: {help}")), (&mut report.json, json)] {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&line);
    }
}

fn config_report(error: &ConfigError) -> Report {
    let ConfigError { line, column, message, help } = error;
    let json = json!({
        "severity": "error", "message": message, "help": help, "file": FILE_NAME, "line": line, "column": column,
    });
    Report {
        text: format!("error: {message}\n  at {FILE_NAME}:{line}:{column}\n  help: {help}"),
        json: json.to_string(),
    }
}

/// Hash of what a call can see of the site, for its journal. Header values are not in it.
fn epoch(site: &Config) -> u64 {
    let mut hasher = blake3::Hasher::new();
    for (name, service) in &site.services {
        hasher.update(name.as_bytes());
        hasher.update(b"\0");
        hasher.update(service.base.as_str().as_bytes());
        hasher.update(b"\0");
    }
    hasher.finalize().as_bytes().iter().take(8).fold(0, |epoch, byte| epoch << 8 | u64::from(*byte))
}

/// Milliseconds since 1970, for pages.
pub fn time_of(at: SystemTime) -> Time {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Time(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
