//! What a test expects of a cadence: an attempt at its time, and how it stopped.

use runtime_contract::Time;
use runtime_contract::calendar::local_text;
use runtime_contract::value::Value;

use crate::difference::Difference;
use crate::play::{Played, Player};

const MINUTE_MS: i64 = 60_000;

impl Player {
    pub fn start(&mut self, cadence: u32, arguments: &[Value]) {
        self.begin_here();
        self.plant.start(cadence, arguments.to_vec());
    }

    /// To the minute: nobody knows how long a call rings.
    pub fn expect_attempt(&mut self, cadence: Option<u32>, attempt: u32, at: Option<Time>, zone: &str) -> Played {
        let made = |plant: &crate::plant::Plant| {
            let made = plant.outgoing.attempts(plant.outgoing.last(cadence)?);
            made.get(attempt.saturating_sub(1) as usize).map(|made| made.started)
        };
        let found = self.until(made);
        let when = at.map_or_else(String::new, |at| format!(" at {}", local_text(at, zone)));
        let expected = format!("attempt {attempt} is made{when}");
        match (found, at) {
            (Some(_), None) => Ok(()),
            (Some(made), Some(at)) if made.0.div_euclid(MINUTE_MS) == at.0.div_euclid(MINUTE_MS) => Ok(()),
            (Some(made), Some(_)) => {
                Err(Difference::new(expected, format!("it is made at {}", local_text(made, zone))))
            }
            (None, _) => Err(Difference::new(expected, self.how_far(cadence, zone))),
        }
    }

    pub fn expect_stopped(&mut self, cadence: Option<u32>, disposition: &str, zone: &str) -> Played {
        let found = self.until(|plant| Some(plant.outgoing.stopped(plant.outgoing.last(cadence)?)?.to_owned()));
        match found {
            Some(stopped) if stopped == disposition => Ok(()),
            Some(stopped) => {
                Err(Difference::new(format!("it stops as `{disposition}`"), format!("it stops as `{stopped}`")))
            }
            None => Err(Difference::new(format!("it stops as `{disposition}`"), self.how_far(cadence, zone))),
        }
    }

    fn how_far(&self, cadence: Option<u32>, zone: &str) -> String {
        let outgoing = &self.plant.outgoing;
        let Some(run) = outgoing.last(cadence) else { return "nothing was started".to_owned() };
        let attempts = match outgoing.attempts(run).last() {
            None => "nobody was called".to_owned(),
            Some(last) => {
                let count = outgoing.attempts(run).len();
                format!("{count} attempts were made, the last at {}", local_text(last.started, zone))
            }
        };
        match outgoing.stopped(run) {
            Some(stopped) => format!("{attempts}, and it stopped as `{stopped}`"),
            None => format!("{attempts}; {}", self.stands()),
        }
    }
}
