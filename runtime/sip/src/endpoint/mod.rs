//! The one door: inputs in, outputs out. It does not know who drives it.

mod asserted;
mod commands;
mod credentials;
mod dialing;
mod early;
mod hunting;
mod in_dialog;
mod incoming;
mod info;
mod legs;
mod placing;
mod provisional;
mod receive;
mod redirect;
mod registering;
mod reinvite;
mod revive;
mod session_timer;
mod snapshot;
mod streams;
mod transfer;
mod trunking;
mod update;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use runtime_contract::leg::{LegCommand, LegEvent, LegId};
use runtime_contract::time::Tick;

use crate::alarms::Alarms;
use crate::auth::Guard;
use crate::context::{Alarm, Context};
use crate::entropy::Entropy;
use crate::registrar::Registrar;
use crate::slab::Key;
use crate::transaction::{Event, Owner, Timer, Told, Transactions};
use crate::transport::{ConnectionId, Connections, Hop};
use crate::trunks::{TrunkStatus, Trunks};
use crate::{Config, Site};
use hunting::Hunt;
pub use hunting::is_branch;
use legs::Legs;
use receive::Arrival;

/// Something that happened outside.
pub enum Input<'a> {
    /// A datagram arrived from `source` at our `local` address (not a wildcard: it becomes our Contact).
    /// `trusted` says that the source is a peer that may place calls here.
    Datagram { source: SocketAddr, local: SocketAddr, bytes: &'a [u8], trusted: bool },
    /// A peer made a connection; `local` as for a datagram.
    Accepted { connection: ConnectionId, source: SocketAddr, local: SocketAddr },
    /// What [`Output::Connect`] asked for has come about.
    Connected { connection: ConnectionId },
    /// Bytes came on a connection, in order. `trusted` as for a datagram.
    Stream { connection: ConnectionId, bytes: &'a [u8], trusted: bool },
    /// A connection is gone, or never came about. Not said of one that [`Output::Close`] closed.
    Closed { connection: ConnectionId },
    /// The exchange wants something of a leg.
    Command(LegCommand),
    /// The tick of [`Endpoint::next_deadline`] has come.
    Timeout,
    /// Who belongs to the site, from now on.
    Site(Arc<Site>),
    /// What [`Output::Bindings`] said of a phone in the life of another process, so many milliseconds ago.
    Bindings { phone: &'a str, bindings: &'a [u8], age_ms: u64 },
    /// From now on new INVITEs get 503; legs that exist go on.
    Drain,
    /// End a dialog that another process left behind: BYE with its CSeq + 1 000. `dialog` are the bytes of
    /// `Incoming::dialog` or the last `LegEvent::Dialog`; unreadable ones are ignored.
    EndRestored { dialog: &'a [u8] },
}

/// Something that the driver must do.
pub enum Output {
    /// Send this datagram, from the socket bound to `local` when there are several.
    Send { destination: SocketAddr, local: SocketAddr, bytes: Arc<[u8]> },
    /// Make a connection; answer with [`Input::Connected`] or [`Input::Closed`]. What is to be written before it has
    /// come about waits for it.
    Connect { connection: ConnectionId, destination: SocketAddr },
    /// Send these bytes on a connection, in order.
    Write { connection: ConnectionId, bytes: Arc<[u8]> },
    /// Close a connection once everything is written.
    Close { connection: ConnectionId },
    /// Keep this for the next process: where a phone is, nothing when it is nowhere.
    Bindings { phone: String, bindings: Vec<u8> },
    /// A trunk went up or down, and why. Of one that nobody asks anything, nothing is said.
    Trunk { name: String, up: bool, why: String },
    /// Tell the exchange.
    Event(LegEvent),
}

impl fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Input::Datagram { source, bytes, .. } => write!(f, "Datagram({} bytes from {source})", bytes.len()),
            Input::Accepted { connection, source, .. } => write!(f, "Accepted({} from {source})", connection.0),
            Input::Connected { connection } => write!(f, "Connected({})", connection.0),
            Input::Stream { connection, bytes, .. } => write!(f, "Stream({} bytes on {})", bytes.len(), connection.0),
            Input::Closed { connection } => write!(f, "Closed({})", connection.0),
            Input::Command(_) => f.write_str("Command"),
            Input::Timeout => f.write_str("Timeout"),
            Input::Site(_) => f.write_str("Site"),
            Input::Bindings { bindings, .. } => write!(f, "Bindings({} bytes)", bindings.len()),
            Input::Drain => f.write_str("Drain"),
            Input::EndRestored { .. } => f.write_str("EndRestored"),
        }
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Output::Send { destination, bytes, .. } => write!(f, "Send({} bytes to {destination})", bytes.len()),
            Output::Connect { connection, destination } => write!(f, "Connect({} to {destination})", connection.0),
            Output::Write { connection, bytes } => write!(f, "Write({} bytes on {})", bytes.len(), connection.0),
            Output::Close { connection } => write!(f, "Close({})", connection.0),
            Output::Bindings { bindings, .. } => write!(f, "Bindings({} bytes)", bindings.len()),
            Output::Trunk { name, up, .. } => write!(f, "Trunk({name}, up: {up})"),
            Output::Event(event) => write!(f, "Event({event:?})"),
        }
    }
}

/// What one input led to, in order. Borrows the endpoint: drain it, then give the next input.
#[must_use = "outputs must be drained before the next input"]
pub struct Outputs<'a> {
    queue: &'a mut VecDeque<Output>,
}

impl Iterator for Outputs<'_> {
    type Item = Output;

    fn next(&mut self) -> Option<Output> {
        self.queue.pop_front()
    }
}

/// All transactions, dialogs and legs of one local address.
pub struct Endpoint {
    ctx: Context,
    transactions: Transactions,
    legs: Legs,
    guard: Guard,
    registrar: Registrar,
    /// When the bindings are looked through next.
    bindings_alarm: Option<Tick>,
    trunks: Trunks,
    /// Legs that are looked for at several places, by the id that others know.
    hunts: BTreeMap<LegId, Hunt>,
    /// Which hunt a leg of a single place belongs to.
    branches: BTreeMap<LegId, LegId>,
    branch_count: u64,
    /// INVITEs that got 503 because of `unacknowledged_max`.
    unacknowledged_refused: u64,
    draining: bool,
    /// [`Alarm::Unexpiring`] is set.
    asks_unexpiring: bool,
    /// All connections are needed; looked at again then.
    no_room_until: Option<Tick>,
    due: Vec<Alarm>,
}

impl Endpoint {
    /// `seed` feeds tags, branches and Call-IDs: it must be unpredictable to peers and new for each process.
    pub fn new(config: Config, seed: [u8; 32]) -> Self {
        let legs = Legs::new(config.leg_first);
        let ctx = Context {
            config,
            now: Tick(0),
            entropy: Entropy::new(seed),
            alarms: Alarms::new(),
            connections: Connections::default(),
            site: Arc::default(),
            branch_events: VecDeque::new(),
            outputs: VecDeque::new(),
        };
        Self {
            ctx,
            transactions: Transactions::default(),
            legs,
            guard: Guard::default(),
            registrar: Registrar::default(),
            bindings_alarm: None,
            trunks: Trunks::default(),
            hunts: BTreeMap::new(),
            branches: BTreeMap::new(),
            branch_count: 0,
            unacknowledged_refused: 0,
            draining: false,
            asks_unexpiring: false,
            no_room_until: None,
            due: Vec::new(),
        }
    }

    /// Takes one input. `now` never goes back; alarms that are due by then ring first.
    pub fn handle(&mut self, now: Tick, input: Input<'_>) -> Outputs<'_> {
        self.ctx.now = self.ctx.now.max(now);
        self.ring_due();
        self.hear_branches();
        match input {
            Input::Datagram { source, local, bytes, trusted } => {
                self.receive(&Arrival { source: Hop::udp(source), local, trusted, phone: None }, bytes);
            }
            Input::Accepted { connection, source, local } => self.accepted(connection, source, local),
            Input::Connected { connection } => self.connected(connection),
            Input::Stream { connection, bytes, trusted } => self.stream(connection, bytes, trusted),
            Input::Closed { connection } => self.closed(connection),
            Input::Command(command) => self.command(command),
            Input::Timeout => {}
            Input::Site(site) => self.take_site(site),
            Input::Bindings { phone, bindings, age_ms } => self.restore_bindings(phone, bindings, age_ms),
            Input::Drain => {
                self.draining = true;
                self.leave_trunks();
            }
            Input::EndRestored { dialog } => self.end_restored(dialog),
        }
        self.hear_branches();
        Outputs { queue: &mut self.ctx.outputs }
    }

    /// When [`Input::Timeout`] is due at the latest; `None` while nothing waits.
    pub fn next_deadline(&self) -> Option<Tick> {
        self.ctx.alarms.next_deadline()
    }

    /// Calls refused since the start because of [`Config::unacknowledged_max`].
    pub fn unacknowledged_refused(&self) -> u64 {
        self.unacknowledged_refused
    }

    /// Of each trunk that we can call through.
    pub fn trunks(&self) -> impl Iterator<Item = TrunkStatus> + '_ {
        self.trunks.status(&self.ctx.site)
    }

    /// Phones of the site: their extension, and for each place where they are registered the seconds left.
    pub fn phones(&self) -> impl Iterator<Item = (&str, Vec<(SocketAddr, u64)>)> {
        self.ctx.site.phones.iter().map(|phone| {
            let bindings = self.registrar.bindings(&phone.extension).iter();
            let left =
                bindings.map(|binding| (binding.hop.address, binding.expires.saturating_since(self.ctx.now).as_secs()));
            (phone.extension.as_str(), left.collect())
        })
    }

    /// Phones that are registered.
    pub fn phones_registered(&self) -> usize {
        self.registrar.len()
    }

    /// What is held now.
    pub fn load(&self) -> Load {
        Load {
            legs: self.legs.len(),
            unacknowledged: self.legs.unacknowledged_total(),
            transactions: self.transactions.len(),
            alarms: self.ctx.alarms.len(),
            connections: self.ctx.connections.len(),
        }
    }

    fn ring_due(&mut self) {
        let mut due = std::mem::take(&mut self.due);
        self.ctx.alarms.advance(self.ctx.now, &mut due);
        for alarm in due.drain(..) {
            match alarm {
                Alarm::Transaction(key, epoch, timer) => self.transaction_timer(key, epoch, timer),
                Alarm::Leg(key, timer) => self.leg_timer(key, timer),
                Alarm::Branch(branch) => self.branch_silent(branch),
                Alarm::Trunk(trunk, epoch, timer) => self.trunk_timer(trunk, epoch, timer),
                Alarm::Bindings => self.expire_bindings(),
                Alarm::Unexpiring => self.ask_unexpiring(),
                Alarm::Undelivered(key) => self.undelivered(key, false),
                Alarm::Connection(connection) => self.look_after(connection),
                Alarm::Reinvite(key) => self.reinvite_unanswered(key),
            }
        }
        self.due = due;
    }

    fn transaction_timer(&mut self, key: Key, epoch: u8, timer: Timer) {
        if self.transactions.get(key).is_none_or(|transaction| transaction.challenged() != epoch) {
            return;
        }
        let Some(told) = self.transactions.run(&mut self.ctx, key, Event::Timer(timer), None) else { return };
        self.settle(key, told);
    }

    /// What any step of a transaction may ask of us.
    pub(super) fn settle(&mut self, key: Key, told: Told) {
        if told.trying
            && let Owner::Leg(leg) = told.owner
        {
            self.send_trying(leg, key);
        }
        match told.owner {
            Owner::Leg(leg) if told.timed_out => self.invite_timed_out(leg, key),
            Owner::Session(leg) if told.timed_out => self.session_unanswered(leg, key),
            Owner::Register(trunk, epoch) if told.timed_out => {
                self.register_failed(trunk, epoch, None, "it does not answer our REGISTER");
            }
            Owner::Probe(trunk, epoch) if told.timed_out => self.probe_failed(trunk, epoch),
            Owner::Closing(dialog, _) if told.ended => self.legs.forget_dialog(dialog),
            _ => {}
        }
    }
}

/// How much an endpoint holds; all zero once the last timer has run out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Legs, those included that were reported gone and still wait for an ACK or a final response.
    pub legs: usize,
    /// Of them, incoming ones that were answered and wait for the ACK.
    pub unacknowledged: usize,
    /// Transactions, finished ones that absorb retransmissions included.
    pub transactions: usize,
    /// Alarms set, overtaken ones included.
    pub alarms: usize,
    pub connections: usize,
}
