//! Who belongs to this site: trunks to the world and phones, as the operator wrote them down. Replaced as a whole; it
//! knows nothing of what became of them.

use std::net::{IpAddr, SocketAddr};

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
    /// Networks (address and bits) besides the addresses of such trunks whose word on who calls counts.
    pub identity_from: Vec<(IpAddr, u8)>,
}

impl Default for Site {
    fn default() -> Self {
        Self {
            realm: "strowger".into(),
            algorithms: vec![Algorithm::Md5],
            trunks: Vec::new(),
            phones: Vec::new(),
            identity_from: Vec::new(),
        }
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
    /// It and we are of one trust domain (RFC 3325 §2.3): it is told who calls, and believed who calls.
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

    /// Whether a host is believed who calls (RFC 3325 §5).
    pub fn is_told_by(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        let is_trunk = |trunk: &Trunk| trunk.identity && trunk.addresses.iter().any(|a| a.ip().to_canonical() == peer);
        self.trunks.iter().any(is_trunk) || self.identity_from.iter().any(|network| holds(*network, peer))
    }

    pub fn phone(&self, extension: &str) -> Option<&Phone> {
        self.phones.iter().find(|phone| phone.extension == extension)
    }

    /// As whom we answer a challenge from this address: by the address itself, else by its host, else, within a dialog,
    /// by the host of who answered the call, which may name another one for what follows.
    pub fn account(&self, peer: SocketAddr, dialog_peer: Option<IpAddr>) -> Option<(&Trunk, &Account)> {
        let has = |trunk: &Trunk, host: IpAddr| trunk.addresses.iter().any(|address| address.ip() == host);
        let ways: [&dyn Fn(&Trunk) -> bool; 3] =
            [&|trunk| trunk.addresses.contains(&peer), &|trunk| has(trunk, peer.ip()), &|trunk| {
                dialog_peer.is_some_and(|host| has(trunk, host))
            }];
        let trunk =
            ways.into_iter().find_map(|way| self.trunks.iter().find(|trunk| trunk.account.is_some() && way(trunk)))?;
        Some((trunk, trunk.account.as_ref()?))
    }
}

fn holds((network, bits): (IpAddr, u8), peer: IpAddr) -> bool {
    let low = |width: u32| width.saturating_sub(u32::from(bits));
    match (network, peer) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits() ^ b.to_bits()).checked_shr(low(32)).unwrap_or(0) == 0,
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits()).checked_shr(low(128)).unwrap_or(0) == 0,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_its_hosts() {
        let holds = |network: &str, bits, peer: &str| holds((network.parse().unwrap(), bits), peer.parse().unwrap());
        assert!(holds("203.0.113.0", 24, "203.0.113.255") && !holds("203.0.113.0", 24, "203.0.114.0"));
        assert!(holds("203.0.113.7", 32, "203.0.113.7") && !holds("203.0.113.7", 32, "203.0.113.6"));
        assert!(holds("0.0.0.0", 0, "203.0.113.7") && !holds("0.0.0.0", 0, "::1"));
        assert!(holds("2001:db8::", 32, "2001:db8:1::1") && !holds("2001:db8::", 32, "2001:db9::1"));
    }
}
