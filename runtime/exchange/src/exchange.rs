//! The exchange itself.

use std::collections::VecDeque;

use runtime_contract::{GraphId, Now, Tick};

use crate::input::Input;
use crate::output::{Output, Outputs};

#[derive(Clone, Debug)]
pub struct Config {
    /// Calls at once; above it new ones get 503.
    pub calls_max: usize,
    /// Call ids count up from here: drawn at random by each process.
    pub seed: [u8; 16],
    /// Recordings are numbered from here: above all that the store holds.
    pub recording_first: u64,
    /// Give [`crate::Output::Trace`].
    pub trace: bool,
}

/// All calls of a node.
pub struct Exchange {
    config: Config,
    outputs: VecDeque<Output>,
}

impl Exchange {
    pub fn new(config: Config) -> Exchange {
        Exchange { config, outputs: VecDeque::new() }
    }

    /// Takes one input. `now` never goes back.
    pub fn handle(&mut self, now: Now, input: Input) -> Outputs<'_> {
        let _ = (&self.config, now, input);
        Outputs { queue: &mut self.outputs }
    }

    /// When [`Input::Timeout`] is due at the latest; `None` while nothing waits.
    pub fn next_deadline(&self) -> Option<Tick> {
        None
    }

    /// Calls going on.
    pub fn calls_live(&self) -> usize {
        0
    }

    /// Versions with calls, and the stable one: graph and number of calls.
    pub fn versions(&self) -> Vec<(GraphId, usize)> {
        Vec::new()
    }
}
