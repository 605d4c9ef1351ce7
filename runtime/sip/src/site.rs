//! Who belongs to this site: trunks to the world and phones, as the operator wrote them down. Replaced as a whole; it
//! knows nothing of what became of them.

use std::net::SocketAddr;

use runtime_contract::Redacted;

use crate::auth::{Account, Algorithm};
use crate::transport::Transport;

/// Given by [`Input::Site`](crate::Input::Site).
#[derive(Clone, PartialEq, Eq)]
pub struct Site {
    /// In challenges to phones.
    pub realm: String,
    /// What phones are asked for, the best first (RFC 8760 §2.3). Many stumble over what they do not know.
    pub algorithms: Vec<Algorithm>,
    pub trunks: Vec<Trunk>,
    pub phones: Vec<Phone>,
}

impl Default for Site {
    fn default() -> Self {
        Self { realm: "strowger".into(), algorithms: vec![Algorithm::Md5], trunks: Vec::new(), phones: Vec::new() }
    }
}

/// A way to the telephone network: a carrier, a gateway, another exchange. No `Debug`: its user may be a number.
#[derive(Clone, PartialEq, Eq)]
pub struct Trunk {
    /// Unique in the site.
    pub name: String,
    /// Where it is called; the first counts, the others are hosts that it may also challenge from. None: it calls us
    /// only, or its name is not resolved yet.
    pub addresses: Vec<SocketAddr>,
    pub transport: Transport,
    /// Host of its URIs: request URI, From, To.
    pub host: String,
    /// For its challenges.
    pub account: Option<Account>,
    /// Register there, for so many seconds at a time.
    pub register_s: Option<u32>,
    /// Ask with OPTIONS so often whether it is there.
    pub probe_s: Option<u32>,
    /// Beginnings of the numbers that it takes, with `+`. None: all, as the last choice.
    pub prefixes: Vec<String>,
    /// Number that those called through it are shown, whatever the flow says.
    pub from: Option<String>,
    /// It is trusted to know who calls (RFC 3325): P-Asserted-Identity.
    pub identity: bool,
}

/// A desk phone, or a program that is one.
#[derive(Clone, PartialEq, Eq)]
pub struct Phone {
    /// Its number here, and its user name.
    pub extension: String,
    pub password: Redacted<String>,
    /// Shown to those whom it calls.
    pub name: Option<String>,
}

impl Trunk {
    /// The same but for addresses that are not called.
    pub fn is_as(&self, other: &Trunk) -> bool {
        let same = Trunk { addresses: self.addresses.clone(), ..other.clone() };
        *self == same && self.addresses.first() == other.addresses.first()
    }
}

impl Site {
    pub fn trunk(&self, name: &str) -> Option<&Trunk> {
        self.trunks.iter().find(|trunk| trunk.name == name)
    }

    pub fn phone(&self, extension: &str) -> Option<&Phone> {
        self.phones.iter().find(|phone| phone.extension == extension)
    }

    /// As whom we answer a challenge from this address: by the address itself, else by its host, else by the host that
    /// our From names.
    pub fn account(&self, peer: SocketAddr, from_host: &[u8]) -> Option<(&Trunk, &Account)> {
        let ways: [&dyn Fn(&Trunk) -> bool; 3] = [
            &|trunk| trunk.addresses.contains(&peer),
            &|trunk| trunk.addresses.iter().any(|address| address.ip() == peer.ip()),
            &|trunk| trunk.host.as_bytes().eq_ignore_ascii_case(from_host),
        ];
        let trunk =
            ways.into_iter().find_map(|way| self.trunks.iter().find(|trunk| trunk.account.is_some() && way(trunk)))?;
        Some((trunk, trunk.account.as_ref()?))
    }
}
