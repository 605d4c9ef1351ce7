//! Trunks and phones of `strowger.yaml` for the signalling: names of hosts become addresses, on a thread of its own,
//! again and again. It does not know what becomes of a trunk.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use runtime_contract::Redacted;
use runtime_sip::{Account, Algorithm, Phone, Site, Trunk};

use crate::config::{Config, Digest, HostPort, Transport, TrunkAddress};
use crate::inbox::Door;
use crate::node::Message;

/// Pause between two looks at the same names.
const AGAIN: Duration = Duration::from_secs(60);
/// Addresses of one name.
const ADDRESSES_MAX: usize = 16;

/// What names led to. A name that fails keeps what it had.
pub type Addresses = BTreeMap<HostPort, Vec<SocketAddr>>;

/// The site as signalling wants it, with the addresses that are known by now.
pub fn sip_site(config: &Config, addresses: &Addresses) -> Site {
    // Our socket has one family.
    let ours = |address: &SocketAddr| address.is_ipv4() == config.listen.sip.is_ipv4();
    let known = |long: &TrunkAddress| -> Vec<SocketAddr> {
        let named = addresses.get(&long.address).into_iter().flatten().copied();
        long.address.address().into_iter().chain(named).filter(ours).collect()
    };
    let trunk = |(name, long): (&String, &TrunkAddress)| Trunk {
        name: name.clone(),
        addresses: known(long),
        transport: match long.transport {
            Transport::Udp => runtime_sip::Transport::Udp,
            Transport::Tcp => runtime_sip::Transport::Tcp,
        },
        host: long.host.as_ref().map_or_else(|| long.address.uri_host(), |host| host.as_str().to_owned()),
        account: long.user.as_ref().zip(long.password.as_ref()).map(|(user, password)| Account {
            user: user.as_str().to_owned(),
            password: Redacted::new(password.reveal().to_owned()),
        }),
        register_s: long.register_s,
        probe_s: long.probe_s,
        prefixes: long.prefixes.iter().map(|prefix| prefix.as_str().to_owned()).collect(),
        from: long.from.as_ref().map(|from| from.as_str().to_owned()),
        identity: long.identity,
    };
    let phone = |(extension, phone): (&String, &crate::config::PhoneSite)| Phone {
        extension: extension.clone(),
        password: Redacted::new(phone.password.reveal().to_owned()),
        name: phone.name.as_ref().map(|name| name.as_str().to_owned()),
    };
    Site {
        realm: config.realm.0.clone(),
        algorithms: config.digest.0.iter().map(algorithm).collect(),
        trunks: config
            .trunks
            .iter()
            .filter_map(|(name, trunk)| Some((name, trunk.long.as_ref()?)))
            .map(trunk)
            .collect(),
        phones: config.phones.iter().map(phone).collect(),
        identity_from: config
            .trunks
            .values()
            .filter(|trunk| trunk.long.as_ref().is_some_and(|long| long.identity))
            .flat_map(|trunk| trunk.networks.prefixes())
            .collect(),
    }
}

fn algorithm(digest: &Digest) -> Algorithm {
    match digest {
        Digest::Md5 => Algorithm::Md5,
        Digest::Sha256 => Algorithm::Sha256,
        Digest::Sha512_256 => Algorithm::Sha512_256,
    }
}

/// Hosts of trunks: they may call here too.
pub fn trunk_hosts(site: &Site) -> BTreeSet<IpAddr> {
    site.trunks.iter().flat_map(|trunk| &trunk.addresses).map(|address| address.ip().to_canonical()).collect()
}

/// Names that must be looked up.
pub fn names(config: &Config) -> Vec<HostPort> {
    let longs = config.trunks.values().filter_map(|trunk| trunk.long.as_ref());
    let mut names: Vec<_> =
        longs.map(|long| long.address.clone()).filter(|address| address.address().is_none()).collect();
    names.sort();
    names.dedup();
    names
}

/// Looks names up. Dropping it ends its thread when the system lets go of the name it is busy with.
pub struct Resolver {
    names: Sender<Vec<HostPort>>,
    _thread: JoinHandle<()>,
}

impl Resolver {
    pub fn start(door: Door<Message>) -> std::io::Result<Resolver> {
        let (names, asked) = mpsc::channel();
        let run = move || resolve_again(&asked, &door, |name| (name.host.as_str(), name.port).to_socket_addrs());
        let thread = std::thread::Builder::new().name("resolver".into()).spawn(run)?;
        Ok(Resolver { names, _thread: thread })
    }

    /// From now on these.
    pub fn look_up(&self, names: Vec<HostPort>) {
        // A resolver that is over belongs to a node that is over.
        let _ = self.names.send(names);
    }
}

fn resolve_again<A: Iterator<Item = SocketAddr>>(
    asked: &Receiver<Vec<HostPort>>,
    door: &Door<Message>,
    look_up: impl Fn(&HostPort) -> std::io::Result<A>,
) {
    let mut names = Vec::new();
    let mut failing = BTreeSet::new();
    let mut found = Addresses::new();
    loop {
        match asked.recv_timeout(AGAIN) {
            Ok(wanted) => names = asked.try_iter().last().unwrap_or(wanted),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let before = found.clone();
        found.retain(|name, _| names.contains(name));
        failing.retain(|name| names.contains(name));
        for name in &names {
            match look_up(name) {
                Ok(addresses) => {
                    let mut addresses: Vec<_> = addresses.take(ADDRESSES_MAX).collect();
                    // Servers turn their answers round; that alone is no change, and whom we call stays the same.
                    addresses.sort();
                    let first = before.get(name).and_then(|before| before.first());
                    addresses.sort_by_key(|address| Some(address) != first);
                    found.insert(name.clone(), addresses);
                    if failing.remove(name) {
                        tracing::info!("`{}` has an address again", name.host);
                    }
                }
                Err(error) => {
                    if failing.insert(name.clone()) {
                        tracing::error!(
                            "the trunk host `{}` has no address: {error}; what was known of it goes on; check its name \
                             and this machine's DNS",
                            name.host
                        );
                    }
                }
            }
        }
        if found != before {
            door.send(Message::Addresses(found.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inbox::Inbox;

    #[test]
    fn names_become_addresses_and_failures_keep_what_was_known() {
        let (mut inbox, door) = Inbox::new().unwrap();
        let (names, asked) = mpsc::channel();
        let good = HostPort { host: "good.example".into(), port: 5060 };
        let bad = HostPort { host: "bad.example".into(), port: 5060 };
        names.send(vec![bad.clone(), good.clone()]).unwrap();
        drop(names);
        resolve_again(&asked, &door, |name| match name.host.as_str() {
            "good.example" => {
                Ok(vec!["192.0.2.2:5060".parse().unwrap(), "192.0.2.1:5060".parse().unwrap()].into_iter())
            }
            _ => Err(std::io::ErrorKind::NotFound.into()),
        });
        let Some(Message::Addresses(found)) = inbox.next() else { panic!() };
        assert_eq!(found[&good], ["192.0.2.1:5060".parse().unwrap(), "192.0.2.2:5060".parse().unwrap()]);
        assert!(!found.contains_key(&bad));
    }

    #[test]
    fn a_site_is_made_of_what_is_known() {
        let text = "trunks:\n  short: 192.0.2.0/24\n  named:\n    address: sip.example:5070\n    transport: tcp\n  \
                    literal:\n    address: 192.0.2.9\n    user: '4711'\n    password: x\n    prefixes: ['+86']\n\
                    phones:\n  '1001':\n    password: y\n    name: Front desk\nrealm: office.example\n";
        let config = Config::parse(text).unwrap();
        let name = HostPort { host: "sip.example".into(), port: 5070 };
        assert_eq!(names(&config), std::slice::from_ref(&name));
        let site = sip_site(&config, &Addresses::new());
        assert_eq!((site.trunks.len(), site.phones.len(), site.realm.as_str()), (2, 1, "office.example"));
        assert!(site.trunk("named").unwrap().addresses.is_empty());
        assert_eq!(site.trunk("literal").unwrap().addresses, ["192.0.2.9:5060".parse().unwrap()]);
        let both = ["[2001:db8::1]:5070", "192.0.2.1:5070"].map(|address| address.parse().unwrap());
        let known = Addresses::from([(name, both.to_vec())]);
        let site = sip_site(&config, &known);
        assert_eq!((site.trunk("named").unwrap().addresses.len(), trunk_hosts(&site).len()), (1, 2));
        assert_eq!(site.phone("1001").unwrap().name.as_deref(), Some("Front desk"));
    }
}
