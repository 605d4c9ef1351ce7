//! Runs the tables: keeps states and last messages, sends, arms timers, and says what the TU must be told.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::{Action, Event, Machine, State, Timer};
use crate::context::{Alarm, Context};
use crate::entropy::{Digest, DigestMap};
use crate::message::write;
use crate::slab::{Key, Slab};
use crate::transport::{Hop, Transport};
use crate::trunks::TrunkId;

/// Who is behind a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    Nobody,
    /// The INVITE that makes a leg, or one that the far side sent in its dialog.
    Leg(Key),
    /// What we ask within the dialog of a leg: re-INVITE, UPDATE, PRACK, REFER.
    Session(Key),
    /// REGISTER and OPTIONS to a trunk; with the count of its settings.
    Register(TrunkId, u32),
    Probe(TrunkId, u32),
    /// The BYE of a dialog that is over but for this, and the host of who it was with.
    Closing(Digest, IpAddr),
}

/// How a new transaction stands in the world.
pub struct Opening {
    pub machine: Machine,
    pub key: Digest,
    pub owner: Owner,
    pub destination: Hop,
    pub local: SocketAddr,
    /// Recognises the same request over another path (RFC 3261 §8.2.2.2).
    pub merge: Option<Digest>,
}

/// About 200 bytes and the kept message.
pub struct Transaction {
    opening: Opening,
    state: State,
    /// Last interval of A, E or G.
    wait_ms: u64,
    kept: Option<Arc<[u8]>>,
    /// ACKs of 2xx by digest of the To tag: forks have several (RFC 3261 §13.2.2.4).
    acks: Vec<(Digest, Hop, Arc<[u8]>)>,
    /// Went to TCP for its length alone: without a connection it goes over UDP after all (RFC 3261 §18.1.1).
    long: bool,
    /// Challenges that were answered: the request is another each time.
    challenged: u8,
}

impl Transaction {
    pub fn challenged(&self) -> u8 {
        self.challenged
    }

    pub fn state(&self) -> State {
        self.state
    }

    pub fn owner(&self) -> Owner {
        self.opening.owner
    }

    /// The request of a client, or the last response of a server.
    pub fn kept(&self) -> Option<&Arc<[u8]>> {
        self.kept.as_ref()
    }

    pub fn destination(&self) -> (Hop, SocketAddr) {
        (self.opening.destination, self.opening.local)
    }
}

/// What the TU must do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    pub owner: Owner,
    /// The event is for the TU.
    pub tell: bool,
    pub timed_out: bool,
    /// Answer 100: nothing else was answered yet.
    pub trying: bool,
    /// Build the ACK of a non-2xx and give it to [`Transactions::keep_ack`].
    pub ack: bool,
    /// The transaction is no more.
    pub ended: bool,
}

/// All transactions.
#[derive(Default)]
pub struct Transactions {
    slab: Slab<Transaction>,
    by_key: DigestMap<Key>,
    by_merge: DigestMap<Key>,
}

impl Transactions {
    pub fn len(&self) -> usize {
        self.slab.len()
    }

    pub fn find(&self, key: Digest) -> Option<Key> {
        self.by_key.get(&key).copied()
    }

    pub fn find_merged(&self, merge: Digest) -> bool {
        self.by_merge.contains_key(&merge)
    }

    pub fn get(&self, key: Key) -> Option<&Transaction> {
        self.slab.get(key)
    }

    /// `message` is what a client sends; a server has none yet. `None` at `transactions_max`.
    pub fn open(&mut self, ctx: &mut Context, mut opening: Opening, mut message: Option<Arc<[u8]>>) -> Option<Key> {
        if self.slab.len() >= ctx.config.transactions_max {
            return None;
        }
        let (digest, merge) = (opening.key, opening.merge);
        let start = opening.machine.start();
        let long = message.as_ref().and_then(|message| over_tcp(ctx, &opening, message));
        if let Some(longer) = &long {
            opening.destination = opening.destination.over_anew(Transport::Tcp);
            message = Some(Arc::clone(longer));
        }
        let key = self.slab.insert(Transaction {
            opening,
            state: start.next,
            wait_ms: 0,
            kept: None,
            acks: Vec::new(),
            long: long.is_some(),
            challenged: 0,
        });
        self.by_key.insert(digest, key);
        if let Some(merge) = merge {
            self.by_merge.insert(merge, key);
        }
        self.act(ctx, key, start.actions, message);
        Some(key)
    }

    /// Follows the line of the figure that `event` labels. `None` when there is no such line or transaction.
    pub fn run(&mut self, ctx: &mut Context, key: Key, event: Event, message: Option<Arc<[u8]>>) -> Option<Told> {
        let transaction = self.slab.get_mut(key)?;
        let step = transaction.opening.machine.step(transaction.state, event)?;
        transaction.state = step.next;
        let mut told = self.act(ctx, key, step.actions, message)?;
        if step.next == State::Accepted
            && let Some(transaction) = self.slab.get_mut(key)
        {
            // The leg repeats its own 2xx, and no INVITE is sent again: nothing to keep until timer L or M.
            transaction.kept = None;
        }
        if step.next == State::Terminated {
            self.remove(key);
            told.ended = true;
        }
        Some(told)
    }

    fn act(&mut self, ctx: &mut Context, key: Key, actions: &[Action], message: Option<Arc<[u8]>>) -> Option<Told> {
        let transaction = self.slab.get_mut(key)?;
        let Opening { owner, destination, local, .. } = transaction.opening;
        let mut told = Told { owner, tell: false, timed_out: false, trying: false, ack: false, ended: false };
        let mut sent = false;
        for action in actions {
            match action {
                Action::Send => {
                    if let Some(message) = &message {
                        transaction.kept = Some(Arc::clone(message));
                        transaction.opening.destination = ctx.deliver(destination, local, message);
                        sent |= transaction.opening.machine.is_client() && destination.is_reliable();
                    }
                }
                Action::Resend => {
                    if let Some(kept) = &transaction.kept {
                        ctx.send(destination, local, kept);
                    }
                }
                Action::Trying => told.trying = transaction.kept.is_none(),
                Action::Ack => told.ack = true,
                Action::Tell => told.tell = true,
                Action::TimedOut => told.timed_out = true,
                Action::Arm(timer) => {
                    if let Some(delay_ms) = delay_ms(transaction, *timer, ctx) {
                        ctx.alarm_in(delay_ms, Alarm::Transaction(key, transaction.challenged, *timer));
                    }
                }
            }
        }
        if sent {
            self.await_answer(ctx, key);
        }
        Some(told)
    }

    /// A request went to a connection: its end must be heard of.
    fn await_answer(&self, ctx: &mut Context, key: Key) {
        let Some(hop) = self.slab.get(key).map(|transaction| transaction.opening.destination) else { return };
        match hop.connection().and_then(|id| ctx.connections.get_mut(id)) {
            Some(connection) => connection.await_answer(key, |key| self.slab.get(key).is_some()),
            None => ctx.alarm_in(0, Alarm::Undelivered(key)),
        }
    }

    /// The connection of a client's request is gone, or never came about.
    pub fn undelivered(&mut self, ctx: &mut Context, key: Key, connected: bool) -> Option<Told> {
        let transaction = self.slab.get_mut(key)?;
        let start = transaction.opening.machine.start();
        if transaction.long && !connected && transaction.state == start.next {
            transaction.long = false;
            transaction.opening.destination = transaction.opening.destination.over_anew(Transport::Udp);
            let message = transaction.kept.take().and_then(|kept| write::with_transport(&kept, Transport::Udp));
            return self.act(ctx, key, start.actions, message);
        }
        self.run(ctx, key, Event::TransportError, None)
    }

    /// A client transaction that got its final response begins once more in place, with another request: whoever owns it
    /// notices nothing. The old one goes on beside it, to absorb what comes late. False at `transactions_max`.
    pub fn restart(&mut self, ctx: &mut Context, key: Key, digest: Digest, mut message: Arc<[u8]>) -> bool {
        if self.slab.len() >= ctx.config.transactions_max {
            return false;
        }
        let Some(transaction) = self.slab.get_mut(key) else { return false };
        let Opening { machine, owner, mut destination, local, .. } = transaction.opening;
        let opening = |destination| Opening { machine, key: digest, owner, destination, local, merge: None };
        let long = over_tcp(ctx, &opening(destination), &message);
        if let Some(longer) = &long {
            destination = destination.over_anew(Transport::Tcp);
            message = Arc::clone(longer);
        }
        let start = machine.start();
        let challenged = transaction.challenged.saturating_add(1);
        let mut old = std::mem::replace(
            transaction,
            Transaction {
                opening: opening(destination),
                state: start.next,
                wait_ms: 0,
                kept: None,
                acks: Vec::new(),
                long: long.is_some(),
                challenged,
            },
        );
        old.opening.owner = Owner::Nobody;
        let (old_digest, old_state) = (old.opening.key, old.state);
        let beside = self.slab.insert(old);
        self.by_key.insert(old_digest, beside);
        self.by_key.insert(digest, key);
        let timer = if machine == Machine::ClientInvite { Timer::D } else { Timer::K };
        debug_assert_eq!(old_state, State::Completed);
        self.act(ctx, beside, &[Action::Arm(timer)], None);
        self.act(ctx, key, start.actions, Some(message));
        true
    }

    /// The ACK that [`Told::ack`] asked for: sent now, and again for each repeated response.
    pub fn keep_ack(&mut self, ctx: &mut Context, key: Key, ack: Arc<[u8]>) {
        if let Some(transaction) = self.slab.get_mut(key) {
            ctx.send(transaction.opening.destination, transaction.opening.local, &ack);
            transaction.kept = Some(ack);
        }
    }

    /// Sends the ACK of a 2xx again, if this fork was acknowledged before.
    pub fn resend_fork_ack(&self, ctx: &mut Context, key: Key, tag: Digest) -> bool {
        let Some(transaction) = self.slab.get(key) else { return false };
        let Some((_, destination, ack)) = transaction.acks.iter().find(|(known, ..)| *known == tag) else {
            return false;
        };
        ctx.send(*destination, transaction.opening.local, ack);
        true
    }

    /// Keeps and sends the ACK of a 2xx of one fork. At most [`FORKS_MAX`] forks are answered.
    pub fn keep_fork_ack(&mut self, ctx: &mut Context, key: Key, tag: Digest, destination: Hop, ack: Arc<[u8]>) {
        if let Some(transaction) = self.slab.get_mut(key)
            && transaction.acks.len() < FORKS_MAX
        {
            ctx.send(destination, transaction.opening.local, &ack);
            transaction.acks.push((tag, destination, ack));
        }
    }

    pub fn forks_full(&self, key: Key) -> bool {
        self.slab.get(key).is_none_or(|transaction| transaction.acks.len() >= FORKS_MAX)
    }

    pub fn set_owner(&mut self, key: Key, owner: Owner) {
        if let Some(transaction) = self.slab.get_mut(key) {
            transaction.opening.owner = owner;
        }
    }

    pub fn remove(&mut self, key: Key) {
        let Some(Transaction { opening, .. }) = self.slab.remove(key) else { return };
        if self.by_key.get(&opening.key) == Some(&key) {
            self.by_key.remove(&opening.key);
        }
        if let Some(merge) = opening.merge
            && self.by_merge.get(&merge) == Some(&key)
        {
            self.by_merge.remove(&merge);
        }
        shrink(&mut self.by_key);
        shrink(&mut self.by_merge);
    }
}

/// The request for TCP, when it is too long for UDP: over 1 300 bytes where the MTU is not known (RFC 3261 §18.1.1).
fn over_tcp(ctx: &Context, opening: &Opening, message: &[u8]) -> Option<Arc<[u8]>> {
    let fits = message.len() <= UDP_REQUEST_BYTES_MAX || ctx.config.connections_max == 0;
    if fits || !opening.machine.is_client() || opening.destination.is_reliable() {
        return None;
    }
    write::with_transport(message, Transport::Tcp)
}

/// Bytes of a request of ours in one datagram.
pub const UDP_REQUEST_BYTES_MAX: usize = 1_300;

/// Forked 2xx that one INVITE acknowledges.
pub const FORKS_MAX: usize = 16;

/// Gives memory back after a peak; costs are spread because the next time needs as many removals again.
pub fn shrink<V>(map: &mut DigestMap<V>) {
    if map.capacity() > 1_024 && map.len() * 8 < map.capacity() {
        map.shrink_to(map.len() * 2);
    }
}

/// RFC 3261 table 4; `None` where the timer does not run.
fn delay_ms(transaction: &mut Transaction, timer: Timer, ctx: &Context) -> Option<u64> {
    let config = &ctx.config;
    let (t1, t2, t4) = (config.t1_ms, config.t2_ms, config.t4_ms);
    let doubled = |wait_ms: u64| if wait_ms == 0 { t1 } else { wait_ms.saturating_mul(2) };
    let reliable = transaction.opening.destination.is_reliable();
    match timer {
        Timer::A | Timer::E | Timer::G if reliable => None,
        Timer::D | Timer::I | Timer::J | Timer::K if reliable => Some(0),
        Timer::E if transaction.state == State::Proceeding => Some(t2),
        Timer::A => {
            transaction.wait_ms = doubled(transaction.wait_ms);
            Some(transaction.wait_ms)
        }
        Timer::E | Timer::G => {
            transaction.wait_ms = doubled(transaction.wait_ms).min(t2);
            Some(transaction.wait_ms)
        }
        Timer::B | Timer::F | Timer::H | Timer::J | Timer::L | Timer::M => Some(64 * t1),
        // At least 32 s (§17.1.1.2), and never less than the peer's timer H.
        Timer::D => Some((64 * t1).max(32_000)),
        Timer::I | Timer::K => Some(t4),
        Timer::Trying => Some(200),
    }
}
