//! What every part of the endpoint shares while it works on one input: settings, time, tokens, alarms, outputs.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use runtime_contract::leg::{LegEvent, LegId};
use runtime_contract::time::Tick;

use crate::alarms::Alarms;
use crate::endpoint::is_branch;
use crate::entropy::Entropy;
use crate::slab::Key;
use crate::transaction::Timer;
use crate::transport::{ConnectionId, Connections, Hop, Over};
use crate::trunks::TrunkId;
use crate::{Config, Output, Site};

/// Everything that time can do to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// The number tells a timer of the transaction's first request from those of the one with credentials.
    Transaction(Key, u8, Timer),
    Leg(Key, LegTimer),
    /// A place where a leg is looked for may have said nothing yet.
    Branch(LegId),
    /// Something is due for a trunk; the number tells its settings of then from those of now.
    Trunk(TrunkId, u32, TrunkTimer),
    /// Bindings of phones end.
    Bindings,
    /// Legs that never expire are asked whether they are still there.
    Unexpiring,
    /// A request could not be handed to any connection.
    Undelivered(Key),
    /// See whether the connection is still of use.
    Connection(ConnectionId),
    /// A re-INVITE of ours has had 64·T1 for its final response. Its transaction.
    Reinvite(Key),
}

/// Timers of a leg. The number tells an alarm that was overtaken from the one that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LegTimer {
    /// Send the 2xx again, or give up (RFC 3261 §13.3.1.4).
    Accepted(u32),
    /// Say 180 again, so that no proxy loses patience (§13.3.1.1).
    Ringing(u32),
    /// A leg that we placed has rung for its `ring_ms`.
    RingEnd,
    /// CANCEL had no effect for 64·T1 (§9.1).
    CancelEnd,
    /// Send a reliable provisional response again, or give up (RFC 3262 §3). Its RSeq.
    Reliable(u32),
    /// Look whether the session is to be refreshed, or has expired (RFC 4028 §10).
    Session(u32),
    /// What the far side put off may be asked for again (§14.1).
    AskAgain,
    /// A transfer has had its time. CSeq of its REFER.
    TransferEnd(u32),
    /// A dialog of another process has not come back in time.
    ReviveEnd,
}

/// What is done for a trunk again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrunkTimer {
    Register,
    Probe,
}

pub struct Context {
    pub config: Config,
    pub now: Tick,
    pub entropy: Entropy,
    pub alarms: Alarms<Alarm>,
    pub connections: Connections,
    pub site: Arc<Site>,
    /// Of legs that belong to a hunt.
    pub branch_events: VecDeque<LegEvent>,
    pub outputs: VecDeque<Output>,
}

impl Context {
    pub fn send(&mut self, hop: Hop, local: SocketAddr, bytes: &Arc<[u8]>) {
        self.deliver(hop, local, bytes);
    }

    /// Gives the hop as it was used: over TCP with its connection, which has none when there can be none.
    pub fn deliver(&mut self, hop: Hop, local: SocketAddr, bytes: &Arc<[u8]>) -> Hop {
        match hop.over {
            Over::Udp => {
                let destination = hop.address;
                self.outputs.push_back(Output::Send { destination, local, bytes: Arc::clone(bytes) });
                hop
            }
            Over::Tcp(wanted) => {
                let connection = self.connections.find(wanted, hop.address).or_else(|| self.connect(hop.address));
                if let Some(connection) = connection {
                    self.write(connection, Arc::clone(bytes));
                }
                Hop { over: Over::Tcp(connection), ..hop }
            }
        }
    }

    pub fn write(&mut self, connection: ConnectionId, bytes: Arc<[u8]>) {
        if let Some(state) = self.connections.get_mut(connection) {
            state.touch(self.now);
            self.outputs.push_back(Output::Write { connection, bytes });
        }
    }

    fn connect(&mut self, destination: SocketAddr) -> Option<ConnectionId> {
        let connection = self.connections.open(&self.config, self.now, destination)?;
        self.outputs.push_back(Output::Connect { connection, destination });
        self.watch(connection);
        Some(connection)
    }

    /// Sees to it that a connection is looked after when it must be.
    pub fn watch(&mut self, connection: ConnectionId) {
        let Some(state) = self.connections.get_mut(connection) else { return };
        let at = state.end(&self.config).unwrap_or_else(|| state.idle_end(&self.config));
        if state.arm(self.now, at) {
            self.alarms.set(self.now, at, Alarm::Connection(connection));
        }
    }

    pub fn say(&mut self, event: LegEvent) {
        if is_branch(event.leg()) {
            return self.branch_events.push_back(event);
        }
        self.outputs.push_back(Output::Event(event));
    }

    pub fn alarm_in(&mut self, delay_ms: u64, alarm: Alarm) {
        self.alarms.set(self.now, self.now.plus_ms(delay_ms), alarm);
    }
}
