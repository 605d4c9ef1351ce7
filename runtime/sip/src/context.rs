//! What every part of the endpoint shares while it works on one input: settings, time, tokens, alarms, outputs.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use runtime_contract::leg::LegEvent;
use runtime_contract::time::Tick;

use crate::alarms::Alarms;
use crate::entropy::Entropy;
use crate::slab::Key;
use crate::transaction::Timer;
use crate::transport::Hop;
use crate::{Config, Output};

/// Everything that time can do to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alarm {
    Transaction(Key, Timer),
    Leg(Key, LegTimer),
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
}

pub struct Context {
    pub config: Config,
    pub now: Tick,
    pub entropy: Entropy,
    pub alarms: Alarms<Alarm>,
    pub outputs: VecDeque<Output>,
}

impl Context {
    pub fn send(&mut self, destination: Hop, local: SocketAddr, bytes: &Arc<[u8]>) {
        let destination = destination.address;
        self.outputs.push_back(Output::Send { destination, local, bytes: Arc::clone(bytes) });
    }

    pub fn say(&mut self, event: LegEvent) {
        self.outputs.push_back(Output::Event(event));
    }

    pub fn alarm_in(&mut self, delay_ms: u64, alarm: Alarm) {
        self.alarms.set(self.now, self.now.plus_ms(delay_ms), alarm);
    }
}
