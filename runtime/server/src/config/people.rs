//! `trunks:` and `phones:` of `strowger.yaml`: who may call here, and whom we can call. Nothing is resolved here.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use runtime_contract::Redacted;
use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer, StrDeserializer};
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::values::{Networks, SecretText, parsed, refused, within_u32};

/// SIP's port (RFC 3261 §19.1.2).
const SIP_PORT: u16 = 5060;
/// Digits of an extension.
pub const EXTENSION_DIGITS_MAX: usize = 15;

/// A way to the telephone network. Its short form is a network, or a list of them: peers that may call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrunkSite {
    pub networks: Networks,
    pub long: Option<TrunkAddress>,
}

/// What its long form adds.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrunkAddress {
    /// Peers that may call besides the trunk itself.
    #[serde(default)]
    networks: Networks,
    pub address: HostPort,
    #[serde(default)]
    pub transport: Transport,
    /// Host of URIs; that of `address` when left out.
    pub host: Option<Host>,
    pub user: Option<User>,
    pub password: Option<SecretText>,
    #[serde(default, deserialize_with = "register_s")]
    pub register_s: Option<u32>,
    #[serde(default, deserialize_with = "probe_s")]
    pub probe_s: Option<u32>,
    /// Beginnings of the numbers that it takes; all when left out.
    #[serde(default)]
    pub prefixes: Vec<Prefix>,
    pub from: Option<User>,
    #[serde(default)]
    pub identity: bool,
}

impl<'de> Deserialize<'de> for TrunkSite {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<TrunkSite, D::Error> {
        struct Forms;
        impl<'de> Visitor<'de> for Forms {
            type Value = TrunkSite;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an address like `203.0.113.0/24`, a list of them, or the keys of a trunk")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<TrunkSite, E> {
                let networks = Networks::deserialize(StrDeserializer::new(text))?;
                Ok(TrunkSite { networks, long: None })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<TrunkSite, A::Error> {
                let networks = Networks::deserialize(SeqAccessDeserializer::new(list))?;
                Ok(TrunkSite { networks, long: None })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TrunkSite, A::Error> {
                let mut long = TrunkAddress::deserialize(MapAccessDeserializer::new(map))?;
                let networks = std::mem::take(&mut long.networks);
                Ok(TrunkSite { networks, long: Some(long) })
            }
        }
        deserializer.deserialize_any(Forms)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    #[default]
    Udp,
    Tcp,
}

/// A hash of RFC 8760.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Digest {
    #[serde(rename = "MD5")]
    Md5,
    #[serde(rename = "SHA-256")]
    Sha256,
    #[serde(rename = "SHA-512-256")]
    Sha512_256,
}

/// At least one. MD5 alone is what every phone knows, and many know nothing to do with a second challenge.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Digests(pub Vec<Digest>);

impl Default for Digests {
    fn default() -> Digests {
        Digests(vec![Digest::Md5])
    }
}

/// A desk phone; its extension is its key.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhoneSite {
    pub password: SecretText,
    pub name: Option<DisplayName>,
}

/// Who takes the calls of queues; his name is his key.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentSite {
    /// His phone.
    pub extension: String,
    #[serde(default, deserialize_with = "super::values::unique_keys")]
    pub skills: BTreeMap<String, Level>,
    /// `hours` of the flows in which he works; always when left out.
    pub hours: Option<String>,
    /// Where the file names him, from 1; 0 where that is not found.
    #[serde(skip)]
    pub line: usize,
}

/// `4`; `None` is `true`, of a skill without levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(pub Option<i64>);

impl<'de> Deserialize<'de> for Level {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Level, D::Error> {
        struct Forms;
        impl Visitor<'_> for Forms {
            type Value = Level;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a level like `4`, or `true` for a skill without levels")
            }

            fn visit_bool<E: Error>(self, has: bool) -> Result<Level, E> {
                match has {
                    true => Ok(Level(None)),
                    false => Err(E::invalid_value(serde::de::Unexpected::Bool(false), &self)),
                }
            }

            fn visit_u64<E: Error>(self, level: u64) -> Result<Level, E> {
                let known = i64::try_from(level).ok().filter(|level| *level > 0);
                known
                    .map(|level| Level(Some(level)))
                    .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Unsigned(level), &self))
            }
        }
        deserializer.deserialize_any(Forms)
    }
}

/// `sip.example.net`, `192.0.2.1:5062`, `[2001:db8::1]:5060`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostPort {
    /// Without brackets.
    pub host: String,
    pub port: u16,
}

impl HostPort {
    /// What stands there, when it is an address and no name.
    pub fn address(&self) -> Option<SocketAddr> {
        Some(SocketAddr::new(self.host.parse::<IpAddr>().ok()?, self.port))
    }

    /// The host as URIs write it.
    pub fn uri_host(&self) -> String {
        if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() }
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.uri_host(), self.port)
    }
}

impl<'de> Deserialize<'de> for HostPort {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<HostPort, D::Error> {
        parsed(deserializer, "an address like `sip.example.net` or `192.0.2.1:5060`", |text| {
            host_port(text).map_or_else(
                || {
                    let help = "write it like `sip.example.net`, `sip.example.net:5062` or `192.0.2.1`";
                    refused(format!("`{text}` is not an address of a trunk"), help)
                },
                Ok,
            )
        })
    }
}

fn host_port(text: &str) -> Option<HostPort> {
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Some(HostPort { host: ip.to_string(), port: SIP_PORT });
    }
    if let Ok(socket) = text.parse::<SocketAddr>() {
        return (socket.port() != 0).then(|| HostPort { host: socket.ip().to_string(), port: socket.port() });
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok().filter(|port| *port != 0)?),
        None => (text, SIP_PORT),
    };
    is_name(host).then(|| HostPort { host: host.to_owned(), port })
}

fn is_name(host: &str) -> bool {
    let label =
        |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    host.len() <= 253 && host.split('.').all(label)
}

/// A text of a kind of its own, checked when it is read.
macro_rules! checked_text {
    ($(#[$note:meta])* $name:ident, $expecting:literal, $check:expr, $help:literal) => {
        $(#[$note])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(Redacted<String>);

        impl $name {
            pub fn as_str(&self) -> &str {
                self.0.reveal()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("•••")
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                parsed(deserializer, $expecting, |text| {
                    let check: fn(&str) -> bool = $check;
                    if check(text) {
                        return Ok($name(Redacted::new(text.to_owned())));
                    }
                    refused(format!("`{text}` is not {}", $expecting), $help)
                })
            }
        }
    };
}

checked_text!(
    /// Host of a URI.
    Host, "the name of a host", |text| text.parse::<IpAddr>().is_ok() || is_name(text), "write it like `carrier.example`"
);
checked_text!(
    /// User of an account or URI: often a number.
    User,
    "a user name or number",
    |text| (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.!~*'()+@".contains(&b)),
    "use letters, digits and `+-_.@`, like `+864008100000`"
);
checked_text!(
    /// Beginning of a number in E.164.
    Prefix,
    "the beginning of a number",
    |text| text.strip_prefix('+').is_some_and(|digits| digits.len() <= 15 && digits.bytes().all(|b| b.is_ascii_digit())),
    "write it with its country code, like `+86` or `+`, in quotes"
);
checked_text!(
    /// Name of a phone's owner or place.
    DisplayName,
    "a name to be shown",
    |text| text.len() <= 64 && !text.chars().any(|c| c.is_control() || c == '"' || c == '\\'),
    "leave out quotes and backslashes, and keep it below 64 bytes"
);

fn register_s<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    within_u32(deserializer, "register_s", 60, 86_400).map(Some)
}

fn probe_s<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    within_u32(deserializer, "probe_s", 5, 3_600).map(Some)
}

/// Whether a key of `phones:` can be dialled.
pub fn is_extension(key: &str) -> bool {
    (1..=EXTENSION_DIGITS_MAX).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_digit())
}
