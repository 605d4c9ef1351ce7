//! `strowger.yaml`: what differs from site to site. The one place that knows YAML; every mistake in the file
//! comes out with its place and a remedy. It opens no socket.

mod error;
mod people;
mod values;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use runtime_contract::program::{AgentNames, SiteNames};
use runtime_media::RecordingKey;
use serde::Deserialize;
use unicode_normalization::UnicodeNormalization;

use crate::project::kind_of;

pub use error::ConfigError;
pub use people::{AgentSite, Digest, Digests, HostPort, PhoneSite, Transport, TrunkAddress, TrunkSite};
pub use values::{Base, Network, Networks, PortRange, SecretText};

/// Most days that something is kept: a century, which is for ever.
pub const DAYS_MAX: u32 = 36_500;
/// Days for which recordings are kept where nothing is said.
const RECORDING_DAYS: u32 = 90;
/// A terabyte.
pub const DATABASE_MB_MAX: u32 = 1 << 20;
pub const FAULTS_PER_MINUTE_MAX: u32 = 100_000;
/// A week.
pub const TRIAL_MINUTES_MAX: u32 = 7 * 24 * 60;
/// Name of the file in a project's folder.
pub const FILE_NAME: &str = "strowger.yaml";
/// Bytes of the file.
pub const CONFIG_BYTES_MAX: usize = 1 << 20;
/// Highest `calls_max`: one node's legs, with 64 Ki RTP ports for each address.
pub const CALLS_MAX_MAX: u32 = 50_000;
/// Highest `drain_s`: an hour.
pub const DRAIN_S_MAX: u32 = 3_600;
/// Least and most of `session_expires_s`: that of RFC 4028 §4, and a day.
pub const SESSION_EXPIRES_S_MIN: u32 = 90;
pub const SESSION_EXPIRES_S_MAX: u32 = 86_400;

/// A whole site. Everything has a default: without a file, the server listens on loopback only.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub listen: Listen,
    /// Peers that may place calls here, by name. None: whoever calls from this machine.
    #[serde(deserialize_with = "values::unique_keys")]
    pub trunks: BTreeMap<String, TrunkSite>,
    /// By extension.
    #[serde(deserialize_with = "values::unique_keys")]
    pub phones: BTreeMap<String, PhoneSite>,
    /// By name. None: nothing is known of who takes the calls of queues.
    #[serde(deserialize_with = "values::unique_keys_if_any")]
    pub agents: Option<BTreeMap<String, AgentSite>>,
    /// What phones are told that they sign in to; part of what their passwords are hashed with.
    pub realm: Realm,
    /// Hashes by which phones may sign in, the best first.
    pub digest: Digests,
    #[serde(deserialize_with = "values::unique_keys")]
    pub services: BTreeMap<String, ServiceSite>,
    /// What people may agree to, by names of the site's own.
    pub purposes: Vec<String>,
    pub storage: Storage,
    pub limits: Limits,
    pub voices: Voices,
    pub versions: VersionsSite,
    pub traces: Traces,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Realm(pub String);

impl Default for Realm {
    fn default() -> Realm {
        Realm("strowger".into())
    }
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Listen {
    /// UDP and TCP.
    pub sip: SocketAddr,
    /// Our address as peers reach it, for signalling and voice, on the same ports: behind NAT, and needed when `sip` is
    /// a wildcard, for a wildcard is no address to call.
    pub advertise: Option<IpAddr>,
    /// Health, metrics, versions, reload.
    pub http: SocketAddr,
    /// UDP ports for voice; the system's choice when left out.
    pub rtp: Option<PortRange>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceSite {
    pub base: Base,
    #[serde(default, deserialize_with = "values::unique_keys")]
    pub headers: BTreeMap<String, SecretText>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Storage {
    /// Folder of the database, recordings and rendered prompts; relative to the project's folder.
    pub data: PathBuf,
    /// Days for which call records and their journals are kept.
    #[serde(deserialize_with = "values::journal_days")]
    pub journal_days: u32,
    /// Days for which recordings are kept, at most as long as their calls. None: 90, or as long as these.
    #[serde(deserialize_with = "values::recording_days")]
    pub recording_days: Option<u32>,
    /// Recordings are encrypted with these 32 bytes, in hexadecimal digits or base64; only as `${NAME}`.
    pub recording_key: Option<SecretText>,
    /// Megabytes to which the database may grow; as on a full disk, new calls are refused above that. None: the disk.
    #[serde(deserialize_with = "values::database_mb_max")]
    pub database_mb_max: Option<u32>,
}

/// Where traces of calls go.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Traces {
    /// An OpenTelemetry collector's address for HTTP, like `http://127.0.0.1:4318`. None: no traces.
    pub endpoint: Option<Base>,
}

/// When a new version is taken back without anybody asking.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VersionsSite {
    /// Faults within a minute that a version on trial may have; one more, and the version before it is back.
    #[serde(deserialize_with = "values::faults_per_minute_max")]
    pub faults_per_minute_max: u32,
    /// Minutes after its deploy for which a version is on trial. A canary is for as long as it is one.
    #[serde(deserialize_with = "values::trial_minutes")]
    pub trial_minutes: u32,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Calls at one time; above it a new one gets 503.
    #[serde(deserialize_with = "values::calls_max")]
    pub calls_max: u32,
    /// Seconds that calls have to end by themselves when the process is told to stop.
    #[serde(deserialize_with = "values::drain_s")]
    pub drain_s: u32,
    /// Seconds after which a call with a peer that is gone ends (RFC 4028): half of them, and somebody has asked.
    #[serde(deserialize_with = "values::session_expires_s")]
    pub session_expires_s: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Voices {
    pub engine: VoiceEngine,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VoiceEngine {
    /// espeak-ng when it is installed, else tones with a warning.
    #[default]
    Auto,
    /// Marked tones of the text's length: for tests and load.
    Tones,
}

impl Default for Listen {
    fn default() -> Listen {
        let loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Listen { sip: loopback(5060), advertise: None, http: loopback(8060), rtp: None }
    }
}

impl Default for Storage {
    fn default() -> Storage {
        Storage {
            data: PathBuf::from("data"),
            journal_days: 90,
            recording_days: None,
            recording_key: None,
            database_mb_max: None,
        }
    }
}

impl Storage {
    /// Days for which recordings are kept.
    pub fn recording_days(&self) -> u32 {
        self.recording_days.unwrap_or_else(|| RECORDING_DAYS.min(self.journal_days))
    }
}

impl Default for VersionsSite {
    fn default() -> VersionsSite {
        VersionsSite { faults_per_minute_max: 20, trial_minutes: 10 }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { calls_max: 1_000, drain_s: 30, session_expires_s: 1_800 }
    }
}

impl Config {
    /// Reads the text of `strowger.yaml`. An empty text is a site with all defaults.
    pub fn parse(text: &str) -> Result<Config, ConfigError> {
        if text.len() > CONFIG_BYTES_MAX {
            return Err(ConfigError::at_start(
                format!("the file is larger than {CONFIG_BYTES_MAX} bytes"),
                "keep data out of strowger.yaml; it is for what differs from site to site",
            ));
        }
        // A text of comments only is no document at all, which serde_yaml calls an error.
        if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
            return Ok(Config::default());
        }
        let mut config: Config = serde_yaml::from_str(text).map_err(|error| ConfigError::from_yaml(text, &error))?;
        for (name, line) in error::lines_below(text, "agents") {
            if let Some(agent) = config.agents.as_mut().and_then(|agents| agents.get_mut(name)) {
                agent.line = line;
            }
        }
        config.check(text)?;
        Ok(config)
    }

    /// The same, with secrets from this process's environment.
    pub fn from_site(text: &str) -> Result<Config, ConfigError> {
        Config::parse(text)?.with_secrets(text, |name| std::env::var(name).ok())
    }

    /// Reads `strowger.yaml` of a project's folder; one without it is a site with all defaults.
    pub fn from_folder(folder: &Path) -> Result<Config, ConfigError> {
        Config::text_of(folder)?.map_or_else(|| Ok(Config::default()), |text| Config::from_site(&text))
    }

    /// The text of a folder's `strowger.yaml`; none where there is no such file. What has the name and is no file is an
    /// error, and nothing waits for it: reading a pipe could take for ever.
    pub fn text_of(folder: &Path) -> Result<Option<String>, ConfigError> {
        let path = folder.join(FILE_NAME);
        let refused = |message: String, help: &str| Err(ConfigError::at_start(message, help));
        let cannot = |error: std::io::Error| {
            refused(
                format!("cannot read strowger.yaml: {error}"),
                "check its permissions, and that it is saved as UTF-8",
            )
        };
        match std::fs::metadata(&path) {
            Ok(facts) if !facts.is_file() => {
                let what = kind_of(facts.file_type());
                refused(format!("strowger.yaml is {what}"), "put a file in its place, or rename it")
            }
            Ok(_) => std::fs::read_to_string(&path).map(Some).or_else(cannot),
            Err(error) if error.kind() == ErrorKind::NotFound && path.is_symlink() => {
                refused("strowger.yaml is a link that leads nowhere".into(), "mend the link, or remove it")
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => cannot(error),
        }
    }

    /// What one value alone does not show.
    fn check(&self, text: &str) -> Result<(), ConfigError> {
        for header in self.services.values().flat_map(|service| service.headers.keys()) {
            if axum::http::HeaderName::from_bytes(header.as_bytes()).is_err() {
                return Err(ConfigError::at_word(
                    text,
                    header,
                    format!("`{header}` is not the name of a header"),
                    "use letters, digits and hyphens, like `X-Api-Key`",
                ));
            }
        }
        if let Some(extension) = self.phones.keys().find(|key| !people::is_extension(key)) {
            return Err(ConfigError::at_word(
                text,
                extension,
                format!("`{extension}` is not an extension"),
                "use digits, at most 15 of them, in quotes, like `\"1001\"`",
            ));
        }
        for (name, agent) in self.agents.iter().flatten() {
            if !people::is_extension(&agent.extension) {
                return Err(ConfigError::at_line(
                    text,
                    agent.line,
                    name,
                    format!("agent `{name}` has no phone `{}`", agent.extension),
                    "give his extension in digits, at most 15 of them, in quotes, like `\"1001\"`",
                ));
            }
        }
        self.phones_of_their_own(text)?;
        let (journal_days, recording_days) = (self.storage.journal_days, self.storage.recording_days());
        if recording_days > journal_days {
            let help = "raise `journal_days`, or lower `recording_days`";
            let what = format!(
                "recordings would be kept {recording_days} days and their calls {journal_days}: nobody could find them by \
                 the caller any more"
            );
            return Err(ConfigError::at_word(text, "recording_days", what, help));
        }
        if self.digest.0.is_empty() {
            let help = "leave it out, or name some of MD5, SHA-256 and SHA-512-256";
            return Err(ConfigError::at_word(text, "digest", "`digest` leaves phones no way to sign in".into(), help));
        }
        if self.realm.0.is_empty() || self.realm.0.len() > 64 || !self.realm.0.bytes().all(is_realm_byte) {
            return Err(ConfigError::at_word(
                text,
                "realm",
                "`realm` cannot stand in a challenge".into(),
                "use letters, digits, points and hyphens, like `office.example`",
            ));
        }
        for (name, trunk) in &self.trunks {
            let Some(long) = &trunk.long else { continue };
            if long.user.is_some() != long.password.is_some() || long.register_s.is_some() && long.user.is_none() {
                return Err(ConfigError::at_word(
                    text,
                    name,
                    format!("trunk `{name}` has no whole account"),
                    "give it both `user` and `password`; `register_s` needs them",
                ));
            }
        }
        if self.listen.sip.ip().is_unspecified() && self.listen.advertise.is_none() {
            return Err(ConfigError::at_word(
                text,
                "sip",
                "a wildcard address cannot be told to peers".into(),
                "say how peers reach this machine, for example `advertise: 192.0.2.10`",
            ));
        }
        let advertised = self.advertised().ip();
        if advertised.is_unspecified() || advertised.is_ipv4() != self.listen.sip.is_ipv4() {
            return Err(ConfigError::at_word(
                text,
                "advertise",
                "`advertise` is not an address of the kind that `sip` listens on".into(),
                "give one address that peers can reach, IPv4 for IPv4 and IPv6 for IPv6",
            ));
        }
        if self.storage.recording_key.as_ref().is_some_and(|key| !key.reveal().contains("${")) {
            return Err(ConfigError::at_word(
                text,
                "recording_key",
                "`recording_key` stands in the file itself".into(),
                "put the key into an environment variable and write `recording_key: ${NAME}`",
            ));
        }
        Ok(())
    }

    /// A phone that rings for two agents would be answered by either.
    fn phones_of_their_own(&self, text: &str) -> Result<(), ConfigError> {
        let mut agents: Vec<_> = self.agents.iter().flatten().collect();
        agents.sort_by_key(|(_, agent)| agent.line);
        let mut known: BTreeMap<&str, (&str, usize)> = BTreeMap::new();
        for (name, agent) in agents {
            if let Some((other, line)) = known.insert(&agent.extension, (name, agent.line)) {
                let what = format!(
                    "agent `{name}` has the phone `{}`, which is that of `{other}` in line {line}",
                    agent.extension
                );
                let help = "give each agent an extension of his own";
                return Err(ConfigError::at_line(text, agent.line, name, what, help));
            }
        }
        Ok(())
    }

    /// With what recordings are encrypted.
    pub fn recording_key(&self) -> Option<RecordingKey> {
        self.storage.recording_key.as_ref().and_then(|key| RecordingKey::parse(key.reveal()))
    }

    /// Puts environment variables in the place of `${NAME}` in service headers, passwords and the key of recordings.
    pub fn with_secrets(mut self, text: &str, read: impl Fn(&str) -> Option<String>) -> Result<Config, ConfigError> {
        let headers = self.services.values_mut().flat_map(|service| service.headers.values_mut());
        let trunks = self.trunks.values_mut().filter_map(|trunk| trunk.long.as_mut()?.password.as_mut());
        let phones = self.phones.values_mut().map(|phone| &mut phone.password);
        for secret in headers.chain(trunks).chain(phones).chain(&mut self.storage.recording_key) {
            secret.fill(&read).map_err(|name| {
                ConfigError::at_word(
                    text,
                    &format!("${{{name}}}"),
                    format!("the environment has no variable `{name}`"),
                    &format!("set it before the start, for example `export {name}=…`"),
                )
            })?;
        }
        if let Some((extension, _)) = self.phones.iter().find(|(_, phone)| phone.password.reveal().is_empty()) {
            return Err(ConfigError::at_word(
                text,
                extension,
                format!("phone `{extension}` has an empty password"),
                "give it one that nobody guesses, for example by `openssl rand -base64 18`",
            ));
        }
        if self.storage.recording_key.is_some() && self.recording_key().is_none() {
            return Err(ConfigError::at_word(
                text,
                "recording_key",
                "the variable in `recording_key` does not hold 32 bytes in hexadecimal digits or base64".into(),
                "make a key with `openssl rand -hex 32`, and keep it where the recordings are not",
            ));
        }
        Ok(self)
    }

    /// Our SIP address as peers see it.
    pub fn advertised(&self) -> SocketAddr {
        SocketAddr::new(self.listen.advertise.unwrap_or(self.listen.sip.ip()), self.listen.sip.port())
    }

    /// Whether a peer at this address may place calls. The addresses of trunks are not known here.
    pub fn is_trusted(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        match self.trunks.is_empty() && self.phones.is_empty() {
            true => peer.is_loopback(),
            false => self.trunks.values().any(|trunk| trunk.networks.contains(peer)),
        }
    }

    /// Names for the checker.
    pub fn names(&self) -> SiteNames {
        SiteNames {
            services: Some(self.services.keys().cloned().collect()),
            phones: Some(self.phones.keys().cloned().collect()),
            calls_out: Some(self.trunks.values().any(|trunk| trunk.long.is_some())),
            agents: self.agents.as_ref().map(|agents| agents.iter().map(agent_names).collect()),
            purposes: Some(self.purposes.iter().map(|purpose| purpose.nfc().collect()).collect()),
        }
    }
}

fn agent_names((name, agent): (&String, &AgentSite)) -> AgentNames {
    let skills = agent.skills.iter().map(|(skill, level)| (skill.clone(), level.0));
    AgentNames { name: name.clone(), skills: skills.collect(), hours: agent.hours.clone(), line: agent.line }
}

fn is_realm_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".-_@ ".contains(&byte)
}

#[cfg(test)]
mod tests;
