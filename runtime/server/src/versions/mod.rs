//! Versions of a project: loaded aside, built, kept, rendered, and only then given to new calls; or refused, and
//! the one before goes on. It knows the language only as a [`Build`] that the edge handed in.

mod report;
mod start;
mod trial;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use runtime_contract::program::{Build, Built, Bundle, ProgramMeta, Report};
use runtime_contract::{FlowProgram, GraphId, Time};
use runtime_exchange::Version;
use runtime_store::{AuditEntry, Store, StoreError, StoredVersion, VersionChange, VersionState};

use crate::config::{Config, FILE_NAME};
use crate::inbox::Door;
use crate::metrics::Metrics;
use crate::node::{Message, Role};
use crate::project;
use crate::prompts::{VersionPrompts, Voices};
use crate::site::SharedSite;

use report::{add_warning, config_report, log_refused, report};
pub use start::AtStart;
pub use trial::Trials;

/// Pause between two looks at the project's folder.
const WATCH: Duration = Duration::from_millis(500);
/// The node takes a version within microseconds; longer means that it is gone.
const SWAP_MAX: Duration = Duration::from_secs(10);
/// Setting under which the store keeps what the project's folder held when it was last read.
const FOLDER_SEEN: &str = "folder";

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
    /// One change at a time.
    pub loading: Mutex<()>,
}

/// What became of the loads of this process.
#[derive(Clone, Default)]
pub struct History {
    /// The last load, when it was refused.
    pub refused: Option<(SystemTime, Report)>,
    /// The last version that was taken back without anybody asking, and why.
    pub taken_back: Option<(SystemTime, GraphId, String)>,
    /// Of the folder at the last load, so that nothing is built twice.
    fingerprint: Option<u64>,
}

/// Who wants something of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// User of the operating system, as the command line says it.
    pub who: String,
    /// From where; empty for what came from no network.
    pub peer: String,
}

impl Actor {
    /// What the server does by itself.
    pub fn server() -> Actor {
        Actor { who: "strowger".to_owned(), peer: String::new() }
    }
}

/// A version that takes calls now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    pub graph: GraphId,
    /// Warnings, and how the project's tests went.
    pub report: Report,
}

/// What an operator wants to be served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deploy {
    /// A folder's files take all new calls.
    Folder(PathBuf),
    /// They take this share of new calls, in hundredths of a percent.
    Canary(PathBuf, u32),
    /// The canary takes all new calls.
    Promote,
}

impl Versions {
    /// Loads the project's folder as it is now. Blocks for as long as a build takes. Refused: nothing has changed.
    pub fn reload(&self, actor: &Actor) -> Result<Accepted, Report> {
        self.deploy(Deploy::Folder(self.folder.clone()), actor)
    }

    /// The same for any deploy.
    pub fn deploy(&self, deploy: Deploy, actor: &Actor) -> Result<Accepted, Report> {
        let _one_at_a_time = lock(&self.loading);
        let (what, detail) = match &deploy {
            Deploy::Folder(folder) => ("deploy", folder.display().to_string()),
            Deploy::Canary(folder, share) => ("canary", format!("{} {}", share_text(*share), folder.display())),
            Deploy::Promote => ("promote", String::new()),
        };
        let loaded = match &deploy {
            Deploy::Folder(folder) => self.load_folder(folder, None, &actor.who),
            Deploy::Canary(folder, share) => self.load_folder(folder, Some(*share), &actor.who),
            Deploy::Promote => self.promote(&actor.who),
        };
        self.note(&loaded, what, &detail, actor);
        loaded
    }

    /// Withdraws the canary; without one, the version before takes new calls again.
    pub fn roll_back(&self, actor: &Actor) -> Result<Accepted, Report> {
        let _one_at_a_time = lock(&self.loading);
        let back = self.back(&actor.who);
        self.note(&back, "rollback", "", actor);
        if back.is_ok() {
            self.metrics.rolled_back("asked");
        }
        back
    }

    /// A version on trial had too many faults. Blocks.
    pub fn take_back(&self, graph: GraphId, why: &str) {
        let _one_at_a_time = lock(&self.loading);
        let versions = self.stored();
        let on_trial = |version: &&StoredVersion| matches!(version.state, VersionState::Stable | VersionState::Canary);
        // Somebody was quicker.
        if versions.iter().filter(on_trial).all(|version| version.graph != graph) {
            return;
        }
        let is_canary = versions.iter().any(|version| version.graph == graph && version.state == VersionState::Canary);
        let actor = Actor::server();
        let back = if is_canary { self.withdraw_canary() } else { self.back_to_before(&actor.who) };
        match &back {
            Ok(accepted) => {
                tracing::error!(version = graph.short(), back_to = accepted.graph.short(), "taken back: {why}");
                lock(&self.history).taken_back = Some((SystemTime::now(), graph, why.to_owned()));
                self.metrics.rolled_back("faults");
            }
            Err(report) => {
                tracing::error!(version = graph.short(), "{why}, and it cannot be taken back:\n{}", report.text);
            }
        }
        let what = if back.is_ok() { "automatic rollback" } else { "automatic rollback failed" };
        self.audit(what, Some(graph), why, &actor);
    }

    /// What is noted of whoever changes something; for what is not about versions too.
    pub fn audit(&self, what: &str, graph: Option<GraphId>, detail: &str, actor: &Actor) {
        let Actor { who, peer } = actor.clone();
        let entry = AuditEntry { at: now(), who, peer, what: what.to_owned(), graph, detail: detail.to_owned() };
        if let Err(error) = self.store.put_audit(&entry) {
            tracing::error!("`{what}` by {} is missing in the audit log: {error}", entry.who);
        }
    }

    fn note(&self, loaded: &Result<Accepted, Report>, what: &str, detail: &str, actor: &Actor) {
        // What has no files cannot have wrong ones.
        let is_load = !matches!(what, "rollback" | "promote");
        if is_load {
            self.metrics.reload(loaded.is_ok());
        }
        match loaded {
            Ok(accepted) => {
                tracing::info!(version = accepted.graph.short(), "{what}: version takes calls");
                if is_load {
                    lock(&self.history).refused = None;
                }
                self.audit(what, Some(accepted.graph), detail, actor);
            }
            Err(report) => {
                log_refused(what, report);
                if is_load {
                    lock(&self.history).refused = Some((SystemTime::now(), report.clone()));
                }
                // Tests that passed stand before those that failed.
                let told = |line: &&str| !line.trim().is_empty() && !line.starts_with("ok ");
                let why = report.text.lines().find(told).unwrap_or_default();
                self.audit("refused", None, format!("{what} {detail}: {why}").replace(" :", ":").trim(), actor);
            }
        }
    }

    /// `share`: as a canary.
    fn load_folder(&self, folder: &Path, share: Option<u32>, who: &str) -> Result<Accepted, Report> {
        let own = folder == self.folder;
        if own {
            lock(&self.history).fingerprint = project::fingerprint(folder, &self.data).ok();
        }
        let (bundle, config) = self.read(folder)?;
        if own {
            self.remember_folder(&bundle);
        }
        if let Some(share) = share {
            // On trial is what was written; the site stays as it is until all calls are on it.
            let built = self.built(&bundle, &self.site.load().names())?;
            return self.canary(built, &bundle, share, who);
        }
        let (config, waits) = self.keep_fixed(config);
        let before = Config::clone(&self.site.load());
        let built = self.built(&bundle, &config.names())?;
        // New services first: the version may call them at once.
        let epoch = epoch(&config);
        self.take_site(config);
        let swapped = self.swap(Arc::clone(&built.program), &bundle, epoch, Role::Stable { trial: Some(self.trial()) });
        let mut accepted = Accepted { graph: swapped.inspect_err(|_| self.take_site(before))?, report: built.report };
        if let Some(waits) = waits {
            tracing::warn!("{waits}");
            add_warning(&mut accepted.report, &waits, "restart the server when its calls may end");
        }
        self.keep(VersionChange::Deploy(accepted.graph), who, &mut accepted.report);
        Ok(accepted)
    }

    fn canary(&self, built: Built, bundle: &Bundle, share: u32, who: &str) -> Result<Accepted, Report> {
        let graph = built.program.meta().graph_id;
        if self.stored().iter().any(|version| version.graph == graph && version.state == VersionState::Stable) {
            return Err(report(
                "this version takes all calls already",
                "change the flow files first, or name another folder",
            ));
        }
        let epoch = epoch(&self.site.load());
        self.swap(built.program, bundle, epoch, Role::Canary { share })?;
        let mut accepted = Accepted { graph, report: built.report };
        self.keep(VersionChange::Canary { graph, share }, who, &mut accepted.report);
        Ok(accepted)
    }

    fn promote(&self, who: &str) -> Result<Accepted, Report> {
        let versions = self.stored();
        let canary = versions.iter().find(|version| version.state == VersionState::Canary);
        let canary = canary.ok_or_else(|| {
            report(
                "no version is on trial",
                "begin one with `strowger deploy --canary 5%`, or deploy without `--promote`",
            )
        })?;
        let mut accepted = self.serve_stored(canary.graph, Role::Stable { trial: Some(self.trial()) })?;
        self.keep(VersionChange::Deploy(accepted.graph), who, &mut accepted.report);
        Ok(accepted)
    }

    fn back(&self, who: &str) -> Result<Accepted, Report> {
        match self.stored().iter().any(|version| version.state == VersionState::Canary) {
            true => self.withdraw_canary(),
            false => self.back_to_before(who),
        }
    }

    /// Gives the version that takes all calls again.
    fn withdraw_canary(&self) -> Result<Accepted, Report> {
        let (done, answer) = mpsc::channel();
        self.door.send(Message::WithdrawCanary { done });
        answer.recv_timeout(SWAP_MAX).map_err(|_| stopping())?;
        let versions = self.stored();
        let stable = versions.iter().find(|version| version.state == VersionState::Stable);
        let mut accepted =
            Accepted { graph: stable.map(|stable| stable.graph).unwrap_or_default(), report: Report::default() };
        self.keep(VersionChange::WithdrawCanary, "", &mut accepted.report);
        Ok(accepted)
    }

    fn back_to_before(&self, who: &str) -> Result<Accepted, Report> {
        let before = self.store.version_before().map_err(store_report)?;
        let before = before.ok_or_else(|| {
            report("there is no version before this one", "deploy a folder in which the mistake is corrected")
        })?;
        let mut accepted = self.serve_stored(before, Role::Stable { trial: None })?;
        self.keep(VersionChange::RollBack(before), who, &mut accepted.report);
        Ok(accepted)
    }

    /// Gives calls to a version from its stored graph, whatever has become of its files.
    fn serve_stored(&self, graph: GraphId, role: Role) -> Result<Accepted, Report> {
        let bytes = self.store.graph(graph).map_err(store_report)?;
        let bytes = bytes.ok_or_else(|| {
            report(&format!("the store does not hold version {}", graph.short()), "deploy its files instead")
        })?;
        let program = self.build.load(&bytes)?;
        let mut said = Report::default();
        let site = self.site.load();
        for service in missing_services(program.meta(), &site) {
            let message = format!("this version calls the service `{service}`, which strowger.yaml does not name");
            add_warning(&mut said, &message, "until it does, its calls come back as failed");
        }
        self.swap(program, &Bundle::default(), epoch(&site), role)?;
        Ok(Accepted { graph, report: said })
    }

    fn read(&self, folder: &Path) -> Result<(Bundle, Config), Report> {
        let bundle = project::read_bundle(folder, &self.data).map_err(|error| report(&error.message, &error.help))?;
        let text = bundle.files.iter().find(|(name, _)| name == FILE_NAME).map(|(_, bytes)| bytes);
        let text = std::str::from_utf8(text.map_or(&[][..], |bytes| bytes))
            .map_err(|_| report("strowger.yaml is not UTF-8 text", "save it as UTF-8"))?;
        let mut config = Config::from_site(text).map_err(|error| config_report(&error))?;
        (self.adjust)(&mut config);
        Ok((bundle, config))
    }

    fn take_site(&self, config: Config) {
        self.site.store(config);
        self.door.send(Message::SiteChanged);
    }

    /// What a running process cannot change stays as it was; which of it would be another is said.
    fn keep_fixed(&self, config: Config) -> (Config, Option<String>) {
        let running = self.site.load();
        let Config {
            listen,
            trunks,
            phones,
            agents,
            realm,
            digest,
            services,
            purposes,
            storage,
            limits,
            voices,
            versions,
            traces,
        } = config;
        let differ = [
            ("listen", listen != running.listen),
            ("storage", storage != running.storage),
            ("limits", limits != running.limits),
            ("voices", voices != running.voices),
            ("traces", traces != running.traces),
        ];
        let keys: Vec<String> = differ.into_iter().filter(|key| key.1).map(|(key, _)| format!("`{key}`")).collect();
        let waits = (!keys.is_empty())
            .then(|| format!("what strowger.yaml changes of {} takes effect at the next start only", keys.join(", ")));
        (
            Config { trunks, phones, agents, realm, digest, services, purposes, versions, ..Config::clone(&running) },
            waits,
        )
    }

    /// Built and kept, with no call on it yet.
    fn built(&self, bundle: &Bundle, names: &runtime_contract::program::SiteNames) -> Result<Built, Report> {
        // A bug in a pass refuses this version and ends nothing else.
        let built = catch_unwind(AssertUnwindSafe(|| self.build.build(bundle, names)));
        let built = built.unwrap_or_else(|_| {
            Err(report("the compiler failed on this project", "this is a fault of strowger: please report it"))
        })?;
        self.store.put_graph(built.program.meta().graph_id, &built.graph).map_err(store_report)?;
        Ok(built)
    }

    fn swap(&self, program: Arc<dyn FlowProgram>, bundle: &Bundle, epoch: u64, role: Role) -> Result<GraphId, Report> {
        let graph = program.meta().graph_id;
        let prompts = VersionPrompts::prepare(&self.voices, program.meta(), bundle)
            .map_err(|problems| report(&problems.join("\n"), "correct these prompts"))?;
        let (accepted, answer) = mpsc::channel();
        let version = Version { program, epoch, stored: true };
        self.door.send(Message::Version { version, role, prompts: Arc::new(prompts), accepted });
        match answer.recv_timeout(SWAP_MAX) {
            Ok(true) => Ok(graph),
            Ok(false) => {
                Err(report("too many versions have live calls", "wait until calls of older versions are over"))
            }
            Err(_) => Err(stopping()),
        }
    }

    /// What a restart is to know. The version serves whether or not this can be kept.
    fn keep(&self, change: VersionChange, who: &str, said: &mut Report) {
        if let Err(error) = self.store.change_versions(change, now(), who) {
            tracing::error!("a restart will not know of this version: {error}");
            add_warning(said, &format!("a restart will not know of this: {error}"), &error.help);
        }
    }

    fn remember_folder(&self, bundle: &Bundle) {
        if let Err(error) = self.store.put_setting(FOLDER_SEEN, &contents(bundle)) {
            tracing::warn!("a restart will read the folder again: {error}");
        }
    }

    fn trial(&self) -> Duration {
        Duration::from_secs(60 * u64::from(self.site.load().versions.trial_minutes))
    }

    fn stored(&self) -> Vec<StoredVersion> {
        self.store.versions().unwrap_or_else(|error| {
            tracing::error!("{error}");
            Vec::new()
        })
    }

    /// Deletes graphs that nothing needs; while it does, no version comes in.
    pub fn forget_graphs(&self) -> Result<usize, StoreError> {
        let _one_at_a_time = lock(&self.loading);
        self.store.forget_graphs()
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
                let _ = self.reload(&Actor::server());
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn store_report(error: StoreError) -> Report {
    report(&error.to_string(), &error.help)
}

fn stopping() -> Report {
    report("the server is about to stop", "start it again")
}

fn missing_services<'m>(meta: &'m ProgramMeta, site: &'m Config) -> impl Iterator<Item = &'m str> {
    let known = |name: &&str| !site.services.contains_key(*name);
    meta.services.iter().map(|service| service.name.as_str()).filter(known)
}

/// `5%`, `0.25%`.
pub fn share_text(share: u32) -> String {
    let text = format!("{}.{:02}", share / 100, share % 100);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

/// Hash of what a folder holds but for `strowger.yaml`, which each start reads.
fn contents(bundle: &Bundle) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for (name, bytes) in bundle.files.iter().filter(|(name, _)| name != FILE_NAME) {
        hasher.update(&(name.len() as u64).to_le_bytes());
        hasher.update(name.as_bytes());
        hasher.update(blake3::hash(bytes).as_bytes());
    }
    *hasher.finalize().as_bytes()
}

fn now() -> Time {
    time_of(SystemTime::now())
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
