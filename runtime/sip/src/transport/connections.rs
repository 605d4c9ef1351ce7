//! The table of connections: which there are, to whom, since when they say nothing. It sends nothing by itself and
//! does not know what is said on them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use runtime_contract::time::Tick;

use super::framing::Framing;
use super::hop::{ConnectionId, network};
use crate::Config;
use crate::slab::Key;

/// About 200 bytes, and what has come of a message.
pub struct Connection {
    pub peer: SocketAddr,
    /// Our own address on it, as peers see it.
    pub local: SocketAddr,
    /// The system still tries to reach the peer.
    pub connecting: bool,
    /// A whole message has come, or we asked for the connection.
    pub useful: bool,
    /// A message of somebody whom the site trusts has come.
    trusted: bool,
    opened: Tick,
    /// When something last went either way.
    active: Tick,
    /// When the message began that is not there as a whole.
    unfinished: Option<Tick>,
    /// When it will be looked after.
    alarm: Option<Tick>,
    /// Taken out while its messages are served.
    framing: Framing,
    /// Client transactions whose request went out on it, and some that are over.
    waiting: Vec<Key>,
}

#[derive(Default)]
pub struct Connections {
    table: BTreeMap<ConnectionId, Connection>,
    /// Those that we opened, by where to: requests share them.
    opened: BTreeMap<SocketAddr, ConnectionId>,
    /// Those that peers made.
    theirs: usize,
    /// By [`network`].
    per_host: BTreeMap<IpAddr, usize>,
    opened_count: u64,
}

impl Connections {
    pub fn len(&self) -> usize {
        self.table.len()
    }

    pub fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.table.get_mut(&id)
    }

    /// The one that a message came by, else the one that we have to this address.
    pub fn find(&self, wanted: Option<ConnectionId>, address: SocketAddr) -> Option<ConnectionId> {
        wanted.filter(|id| self.table.contains_key(id)).or_else(|| self.opened.get(&address).copied())
    }

    /// A connection that a peer made. False when there are enough of them.
    pub fn accept(
        &mut self,
        config: &Config,
        now: Tick,
        id: ConnectionId,
        peer: SocketAddr,
        local: SocketAddr,
    ) -> bool {
        let room = self.has_room_of_host(config, peer.ip()) && !self.is_full_for_peers(config);
        room && self.insert(id, Connection::new(now, peer, local, false))
    }

    /// Whether peers have all connections that they may have: an eighth is kept for those that we open.
    pub fn is_full_for_peers(&self, config: &Config) -> bool {
        let theirs_max = config.connections_max - config.connections_max / 8;
        self.theirs >= theirs_max || self.table.len() >= config.connections_max
    }

    /// Those that peers made and that may go for others, at most so many: of the networks that have most, those that have
    /// said nothing for longest. Whom the site trusts is left alone.
    pub fn spare(&self, needed: &BTreeSet<ConnectionId>, count: usize) -> Vec<ConnectionId> {
        let theirs = self.table.range(..ConnectionId(ConnectionId::OURS_FIRST));
        let spare = theirs.filter(|(id, connection)| !connection.trusted && !needed.contains(id));
        let mut spare: Vec<_> = spare
            .map(|(id, connection)| {
                let of_network = self.per_host.get(&network(connection.peer.ip())).copied().unwrap_or(0);
                (Reverse(of_network), connection.active, *id)
            })
            .collect();
        spare.sort_unstable();
        spare.into_iter().take(count).map(|(_, _, id)| id).collect()
    }

    /// A connection of ours. `None` when there are enough of them.
    pub fn open(&mut self, config: &Config, now: Tick, peer: SocketAddr) -> Option<ConnectionId> {
        if self.table.len() >= config.connections_max || !self.has_room_of_host(config, peer.ip()) {
            return None;
        }
        let id = ConnectionId(ConnectionId::OURS_FIRST + self.opened_count);
        self.opened_count += 1;
        self.insert(id, Connection::new(now, peer, config.local, true));
        self.opened.insert(peer, id);
        Some(id)
    }

    pub fn has_room_of_host(&self, config: &Config, host: IpAddr) -> bool {
        self.per_host.get(&network(host)).copied().unwrap_or(0) < config.connections_per_host_max
    }

    fn insert(&mut self, id: ConnectionId, connection: Connection) -> bool {
        let host = network(connection.peer.ip());
        let fresh = self.table.insert(id, connection).is_none();
        if fresh {
            self.theirs += usize::from(id.0 < ConnectionId::OURS_FIRST);
            *self.per_host.entry(host).or_default() += 1;
        }
        fresh
    }

    /// Takes it out; gives the transactions that may still wait on it.
    pub fn remove(&mut self, id: ConnectionId) -> Option<Connection> {
        let connection = self.table.remove(&id)?;
        self.theirs -= usize::from(id.0 < ConnectionId::OURS_FIRST);
        if self.opened.get(&connection.peer) == Some(&id) {
            self.opened.remove(&connection.peer);
        }
        let host = network(connection.peer.ip());
        if let Some(count) = self.per_host.get_mut(&host) {
            *count -= 1;
            if *count == 0 {
                self.per_host.remove(&host);
            }
        }
        Some(connection)
    }
}

impl Connection {
    fn new(now: Tick, peer: SocketAddr, local: SocketAddr, ours: bool) -> Self {
        Self {
            peer,
            local,
            connecting: ours,
            useful: ours,
            trusted: false,
            opened: now,
            active: now,
            unfinished: None,
            alarm: None,
            framing: Framing::default(),
            waiting: Vec::new(),
        }
    }

    /// Something goes out.
    pub fn touch(&mut self, now: Tick) {
        self.active = now;
    }

    /// Bytes came: the framing, to be given back with [`Connection::served`].
    pub fn received(&mut self, now: Tick, bytes: &[u8]) -> Framing {
        self.active = now;
        let mut framing = std::mem::take(&mut self.framing);
        framing.push(bytes);
        framing
    }

    /// All whole messages were served; `some` of them there were.
    pub fn served(&mut self, now: Tick, framing: Framing, some: bool, trusted: bool) {
        self.useful |= some;
        self.trusted |= some && trusted;
        self.unfinished = framing.is_unfinished().then(|| self.unfinished.filter(|_| !some).unwrap_or(now));
        self.framing = framing;
    }

    /// This client transaction must hear of the connection's end. `lives` tells which are still there.
    pub fn await_answer(&mut self, key: Key, lives: impl Fn(Key) -> bool) {
        // Those that are over are swept out when they could be half of all.
        if self.waiting.len() == self.waiting.capacity() {
            self.waiting.retain(|key| lives(*key));
            self.waiting.reserve(self.waiting.len().max(8));
        }
        self.waiting.push(key);
    }

    pub fn into_waiting(self) -> Vec<Key> {
        self.waiting
    }

    /// When it is to be closed, whatever is still open on it; `None` is never.
    pub fn end(&self, config: &Config) -> Option<Tick> {
        if self.connecting {
            return Some(self.opened.plus_ms(config.connect_ms));
        }
        let unfinished = self.unfinished.map(|since| since.plus_ms(config.message_ms));
        let useless = (!self.useful).then(|| self.opened.plus_ms(config.message_ms));
        unfinished.into_iter().chain(useless).min()
    }

    /// When it has been quiet for long enough to be closed, should nothing need it.
    pub fn idle_end(&self, config: &Config) -> Tick {
        self.active.plus_ms(config.idle_ms)
    }

    /// Whether an alarm must be set for this tick.
    pub fn arm(&mut self, now: Tick, at: Tick) -> bool {
        let sooner = self.alarm.is_none_or(|set| set <= now || at < set);
        if sooner {
            self.alarm = Some(at);
        }
        sooner
    }
}
