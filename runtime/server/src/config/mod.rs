//! `strowger.yaml`: what differs from site to site. The one place that knows YAML; every mistake in the file
//! comes out with its place and a remedy. It opens no socket.

mod error;
mod values;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use runtime_contract::program::SiteNames;
use serde::Deserialize;

use crate::project::kind_of;

pub use error::ConfigError;
pub use values::{Base, HeaderText, Network, Networks, PortRange};

/// Most days that something is kept: a century, which is for ever.
pub const DAYS_MAX: u32 = 36_500;
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

/// A whole site. Everything has a default: without a file, the server listens on loopback only.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub listen: Listen,
    /// Peers that may place calls here, by name. None: whoever calls from this machine.
    #[serde(deserialize_with = "values::unique_keys")]
    pub trunks: BTreeMap<String, Networks>,
    #[serde(deserialize_with = "values::unique_keys")]
    pub services: BTreeMap<String, ServiceSite>,
    pub storage: Storage,
    pub limits: Limits,
    pub voices: Voices,
    pub versions: VersionsSite,
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
    pub headers: BTreeMap<String, HeaderText>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Storage {
    /// Folder of the database, recordings and rendered prompts; relative to the project's folder.
    pub data: PathBuf,
    /// Days for which call records and their journals are kept.
    #[serde(deserialize_with = "values::journal_days")]
    pub journal_days: u32,
    /// Days for which recordings are kept.
    #[serde(deserialize_with = "values::recording_days")]
    pub recording_days: u32,
    /// Megabytes to which the database may grow; as on a full disk, new calls are refused above that. None: the disk.
    #[serde(deserialize_with = "values::database_mb_max")]
    pub database_mb_max: Option<u32>,
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
        Storage { data: PathBuf::from("data"), journal_days: 90, recording_days: 90, database_mb_max: None }
    }
}

impl Default for VersionsSite {
    fn default() -> VersionsSite {
        VersionsSite { faults_per_minute_max: 20, trial_minutes: 10 }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { calls_max: 1_000, drain_s: 30 }
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
        let config: Config = serde_yaml::from_str(text).map_err(|error| ConfigError::from_yaml(text, &error))?;
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
        Ok(())
    }

    /// Puts environment variables in the place of `${NAME}` in service headers.
    pub fn with_secrets(mut self, text: &str, read: impl Fn(&str) -> Option<String>) -> Result<Config, ConfigError> {
        for service in self.services.values_mut() {
            for header in service.headers.values_mut() {
                header.fill(&read).map_err(|name| {
                    ConfigError::at_word(
                        text,
                        &format!("${{{name}}}"),
                        format!("the environment has no variable `{name}`"),
                        &format!("set it before the start, for example `export {name}=…`"),
                    )
                })?;
            }
        }
        Ok(self)
    }

    /// Our SIP address as peers see it.
    pub fn advertised(&self) -> SocketAddr {
        SocketAddr::new(self.listen.advertise.unwrap_or(self.listen.sip.ip()), self.listen.sip.port())
    }

    /// Whether a peer at this address may place calls.
    pub fn is_trusted(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        if self.trunks.is_empty() { peer.is_loopback() } else { self.trunks.values().any(|trunk| trunk.contains(peer)) }
    }

    /// Names for the checker.
    pub fn names(&self) -> SiteNames {
        SiteNames { services: Some(self.services.keys().cloned().collect()), ..SiteNames::default() }
    }
}

#[cfg(test)]
mod tests;
