//! The one door: inputs in, outputs out. It does not know who drives it.

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use runtime_contract::leg::{LegCommand, LegEvent};
use runtime_contract::time::Tick;

use crate::Config;

/// Something that happened outside.
pub enum Input<'a> {
    /// A datagram arrived from `source` at our `local` address (not a wildcard: it becomes our Contact).
    /// `trusted` says that the source is a peer that may place calls here.
    Datagram { source: SocketAddr, local: SocketAddr, bytes: &'a [u8], trusted: bool },
    /// The exchange wants something of a leg.
    Command(LegCommand),
    /// The tick of [`Endpoint::next_deadline`] has come.
    Timeout,
    /// From now on new INVITEs get 503; legs that exist go on.
    Drain,
    /// End a dialog that another process left behind: BYE with its CSeq + 1 000. `dialog` are the bytes of
    /// `Incoming::dialog`; unreadable ones are ignored.
    EndRestored { dialog: &'a [u8] },
}

/// Something that the driver must do.
pub enum Output {
    /// Send this datagram, from the socket bound to `local` when there are several.
    Send { destination: SocketAddr, local: SocketAddr, bytes: Arc<[u8]> },
    /// Tell the exchange.
    Event(LegEvent),
}

impl fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Input::Datagram { source, bytes, .. } => write!(f, "Datagram({} bytes from {source})", bytes.len()),
            Input::Command(_) => f.write_str("Command"),
            Input::Timeout => f.write_str("Timeout"),
            Input::Drain => f.write_str("Drain"),
            Input::EndRestored { .. } => f.write_str("EndRestored"),
        }
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Output::Send { destination, bytes, .. } => write!(f, "Send({} bytes to {destination})", bytes.len()),
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
    config: Config,
    now: Tick,
    outputs: VecDeque<Output>,
}

impl Endpoint {
    /// `seed` feeds tags, branches and Call-IDs: it must be unpredictable to peers and new for each process.
    pub fn new(config: Config, seed: [u8; 32]) -> Self {
        let _ = seed;
        Self { config, now: Tick(0), outputs: VecDeque::new() }
    }

    /// Takes one input. `now` never goes back.
    pub fn handle(&mut self, now: Tick, input: Input<'_>) -> Outputs<'_> {
        self.now = self.now.max(now);
        let _ = (&self.config, input);
        Outputs { queue: &mut self.outputs }
    }

    /// When [`Input::Timeout`] is due at the latest; `None` while nothing waits.
    pub fn next_deadline(&self) -> Option<Tick> {
        None
    }
}
