//! Values of `strowger.yaml` that have rules of their own. They are checked while they are read, so that a
//! mistake has its place.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;

use runtime_contract::Redacted;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};
use unicode_normalization::UnicodeNormalization;

use super::error::HELP_MARK;
use super::{
    CALLS_MAX_MAX, DATABASE_MB_MAX, DAYS_MAX, DRAIN_S_MAX, FAULTS_PER_MINUTE_MAX, SESSION_EXPIRES_S_MAX,
    SESSION_EXPIRES_S_MIN, TRIAL_MINUTES_MAX,
};

/// A message and its remedy on the way through serde.
fn wrong<E: Error>(message: impl fmt::Display, help: impl fmt::Display) -> E {
    E::custom(format_args!("{message}{HELP_MARK}{help}"))
}

/// Reads a text and makes a value of it. The check runs inside the visitor, because only there serde_yaml
/// knows the place.
pub(super) fn parsed<'de, D, T>(
    deserializer: D,
    expecting: &'static str,
    parse: impl FnOnce(&str) -> Result<T, (String, String)>,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
{
    struct Text<P>(&'static str, P);
    impl<T, P: FnOnce(&str) -> Result<T, (String, String)>> Visitor<'_> for Text<P> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
            (self.1)(text).map_err(|(message, help)| wrong(message, help))
        }
    }
    deserializer.deserialize_str(Text(expecting, parse))
}

pub(super) fn refused<T>(message: impl Into<String>, help: impl Into<String>) -> Result<T, (String, String)> {
    Err((message.into(), help.into()))
}

/// `203.0.113.0/24`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    pub fn contains(&self, peer: IpAddr) -> bool {
        let same = |ours: u128, theirs: u128, bits: u32| {
            let shift = bits.saturating_sub(u32::from(self.prefix));
            ours.checked_shr(shift).unwrap_or(0) == theirs.checked_shr(shift).unwrap_or(0)
        };
        match (self.address, peer.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => same(ours.to_bits().into(), theirs.to_bits().into(), 32),
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => same(ours.to_bits(), theirs.to_bits(), 128),
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = ();

    fn from_str(text: &str) -> Result<Network, ()> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u8>().map_err(|_| ())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| ())?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(bits);
        if prefix > bits { Err(()) } else { Ok(Network { address, prefix }) }
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Network, D::Error> {
        parsed(deserializer, "an address like `203.0.113.0/24`", |text| {
            text.parse().or_else(|()| {
                refused(format!("`{text}` is not an address"), "write it like `203.0.113.7` or `203.0.113.0/24`")
            })
        })
    }
}

/// One network, or a list of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<Network>);

impl Networks {
    /// Address and bits of each.
    pub fn prefixes(&self) -> impl Iterator<Item = (IpAddr, u8)> + '_ {
        self.0.iter().map(|network| (network.address, network.prefix))
    }

    pub fn contains(&self, peer: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(peer))
    }
}

impl<'de> Deserialize<'de> for Networks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Networks, D::Error> {
        struct OneOrMany;
        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Networks;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an address like `203.0.113.0/24`, or a list of them")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Networks, E> {
                Network::deserialize(de::value::StrDeserializer::new(text)).map(|network| Networks(vec![network]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Networks, A::Error> {
                let mut networks = Vec::new();
                while let Some(network) = list.next_element()? {
                    networks.push(network);
                }
                Ok(Networks(networks))
            }
        }
        deserializer.deserialize_any(OneOrMany)
    }
}

/// `20000-29999`, both ends included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortRange(pub RangeInclusive<u16>);

impl<'de> Deserialize<'de> for PortRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<PortRange, D::Error> {
        parsed(deserializer, "a range of ports like `20000-29999`", |text| {
            let ends = text.split_once('-').and_then(|(first, last)| {
                let port = |text: &str| text.trim().parse::<u16>().ok().filter(|port| *port >= 1024);
                Some((port(first)?, port(last)?))
            });
            match ends {
                Some((first, last)) if last > first => Ok(PortRange(first..=last)),
                _ => refused(
                    format!("`{text}` is not a range of ports"),
                    "write two ports from 1024 up, the lower first, like `20000-29999`",
                ),
            }
        })
    }
}

/// Address that a service's operations are below: `http://127.0.0.1:9000/crm`, without a slash at its end.
#[derive(Clone, PartialEq, Eq)]
pub struct Base(String);

impl Base {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Base {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Base, D::Error> {
        parsed(deserializer, "an address like `http://127.0.0.1:9000/crm`", |text| {
            if text.starts_with("https://") {
                return refused(
                    "`https://` is not supported yet",
                    "put a TLS proxy on this machine before the service, and give the proxy's `http://` address here",
                );
            }
            let uri: Option<axum::http::Uri> = text.parse().ok();
            let fits = uri.is_some_and(|uri| {
                uri.scheme_str() == Some("http")
                    && uri.authority().is_some_and(|a| !a.host().is_empty() && !a.as_str().contains('@'))
                    && uri.query().is_none()
            });
            if !fits {
                return refused(
                    format!("`{text}` is not the address of a service"),
                    "write it like `http://127.0.0.1:9000/crm`; signing in goes into `headers`",
                );
            }
            Ok(Base(text.trim_end_matches('/').to_owned()))
        })
    }
}

/// A header that is sent to a service, or a password. `${NAME}` stands for an environment variable, so that no secret is
/// in the file. Its `Debug` form shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(Redacted<String>);

impl SecretText {
    /// The value to send. The caller answers for where it goes.
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// Puts variables in their place; gives the name of the first that is missing.
    pub(super) fn fill(&mut self, read: impl Fn(&str) -> Option<String>) -> Result<(), String> {
        let mut filled = String::new();
        let mut rest = self.0.reveal().as_str();
        while let Some((before, behind)) = rest.split_once("${") {
            let (name, after) = behind.split_once('}').unwrap_or((behind, ""));
            filled.push_str(before);
            filled.push_str(read(name).ok_or_else(|| name.to_owned())?.trim_end());
            rest = after;
        }
        filled.push_str(rest);
        self.0 = Redacted::new(filled);
        Ok(())
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("•••")
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SecretText, D::Error> {
        parsed(deserializer, "a text", |text| {
            let open = text.split("${").skip(1).any(|behind| {
                let name = behind.split_once('}').map_or("", |(name, _)| name);
                name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            });
            if open {
                return refused("`${` without the name of a variable and `}`", "write it like `Bearer ${CRM_TOKEN}`");
            }
            if text.chars().any(char::is_control) {
                return refused("a secret or header cannot hold control characters", "write it on one line");
            }
            Ok(SecretText(Redacted::new(text.to_owned())))
        })
    }
}

/// The same of a map that may be left out.
pub fn unique_keys_if_any<'de, D, T>(deserializer: D) -> Result<Option<BTreeMap<String, T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    unique_keys(deserializer).map(Some)
}

/// A map in which no key stands twice (YAML forbids it, and the last would silently win).
pub fn unique_keys<'de, D, T>(deserializer: D) -> Result<BTreeMap<String, T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct Unique<T>(std::marker::PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for Unique<T> {
        type Value = BTreeMap<String, T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("names with what belongs to each")
        }

        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok(BTreeMap::new())
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut found = BTreeMap::new();
            while let Some((key, value)) = map.next_entry::<String, T>()? {
                // As flows write their names: one sign or letter and accent are one name.
                let key: String = key.nfc().collect();
                if found.contains_key(&key) {
                    return Err(wrong(format_args!("`{key}` stands here twice"), "remove one of the two"));
                }
                found.insert(key, value);
            }
            Ok(found)
        }
    }
    deserializer.deserialize_any(Unique(std::marker::PhantomData))
}

pub fn calls_max<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    within_u32(deserializer, "calls_max", 1, CALLS_MAX_MAX)
}

pub fn drain_s<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    within_u32(deserializer, "drain_s", 1, DRAIN_S_MAX)
}

pub fn session_expires_s<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    within_u32(deserializer, "session_expires_s", SESSION_EXPIRES_S_MIN, SESSION_EXPIRES_S_MAX)
}

pub fn journal_days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    within_u32(deserializer, "journal_days", 1, DAYS_MAX)
}

pub fn recording_days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    within_u32(deserializer, "recording_days", 1, DAYS_MAX).map(Some)
}

pub fn database_mb_max<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    within_u32(deserializer, "database_mb_max", 1, DATABASE_MB_MAX).map(Some)
}

pub fn faults_per_minute_max<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    within_u32(deserializer, "faults_per_minute_max", 1, FAULTS_PER_MINUTE_MAX)
}

pub fn trial_minutes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    within_u32(deserializer, "trial_minutes", 1, TRIAL_MINUTES_MAX)
}

pub(super) fn within_u32<'de, D: Deserializer<'de>>(
    deserializer: D,
    name: &'static str,
    min: u32,
    max: u32,
) -> Result<u32, D::Error> {
    struct Number(&'static str, u32, u32);
    impl Visitor<'_> for Number {
        type Value = u32;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a number from {} to {}", self.1, self.2)
        }

        fn visit_u64<E: Error>(self, number: u64) -> Result<u32, E> {
            let Number(name, min, max) = self;
            match u32::try_from(number) {
                Ok(number) if (min..=max).contains(&number) => Ok(number),
                _ => Err(wrong(
                    format_args!("`{name}` cannot be {number}"),
                    format_args!("give a number from {min} to {max}"),
                )),
            }
        }
    }
    deserializer.deserialize_u64(Number(name, min, max))
}
