//! How long callers wait for their 200: legs that came in and are not answered yet, with the tick of their INVITE.

use std::collections::HashMap;

use runtime_contract::Tick;
use runtime_contract::leg::{LegCommand, LegEvent, LegId};

#[derive(Default)]
pub struct Setups(HashMap<LegId, Tick>);

impl Setups {
    pub fn event(&mut self, now: Tick, event: &LegEvent) {
        match event {
            LegEvent::Incoming(incoming) => drop(self.0.insert(incoming.leg, now)),
            LegEvent::Gone { leg, .. } => drop(self.0.remove(leg)),
            _ => {}
        }
    }

    /// Milliseconds from INVITE to 200, when this is the 200.
    pub fn command(&mut self, now: Tick, command: &LegCommand) -> Option<u64> {
        match command {
            LegCommand::Answer { leg, .. } => {
                let came = self.0.remove(leg)?;
                u64::try_from(now.saturating_since(came).as_millis()).ok()
            }
            LegCommand::Reject { leg, .. } => {
                self.0.remove(leg);
                None
            }
            _ => None,
        }
    }
}
