//! Versions on trial: a canary, and a stable version that is young. Counts their faults and says when there are too
//! many. It takes nothing back itself.

use std::collections::{HashMap, VecDeque};

use runtime_contract::{GraphId, Tick};

/// Faults are counted over so long.
const MINUTE_MS: u64 = 60_000;

#[derive(Default)]
pub struct Trials(HashMap<GraphId, Trial>);

struct Trial {
    /// `None`: for as long as it is a canary.
    until: Option<Tick>,
    /// Of the last minute, the oldest first; one more than may be, at most.
    faults: VecDeque<Tick>,
}

impl Trials {
    /// This version is watched from now on; `until` a tick, or until [`Trials::end`].
    pub fn begin(&mut self, graph: GraphId, until: Option<Tick>) {
        self.0.insert(graph, Trial { until, faults: VecDeque::new() });
    }

    pub fn end(&mut self, graph: GraphId) {
        self.0.remove(&graph);
    }

    /// A fault of a call on this version. True when it was one too many; once for each trial.
    pub fn fault(&mut self, graph: GraphId, now: Tick, max: u32) -> bool {
        let Some(trial) = self.0.get_mut(&graph) else { return false };
        if trial.until.is_some_and(|until| until <= now) {
            self.0.remove(&graph);
            return false;
        }
        while trial.faults.front().is_some_and(|at| at.plus_ms(MINUTE_MS) <= now) {
            trial.faults.pop_front();
        }
        trial.faults.push_back(now);
        let many = trial.faults.len() > max as usize;
        if many {
            self.0.remove(&graph);
        }
        many
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRAPH: GraphId = GraphId([1; 32]);

    fn at(ms: u64) -> Tick {
        Tick(0).plus_ms(ms)
    }

    #[test]
    fn one_fault_too_many_within_a_minute_is_said_once() {
        let mut trials = Trials::default();
        trials.begin(GRAPH, None);
        assert!((0..3).all(|_| !trials.fault(GRAPH, at(5), 3)), "as many as may be");
        assert!(trials.fault(GRAPH, at(6), 3));
        assert!(!trials.fault(GRAPH, at(6), 3));
        trials.begin(GRAPH, None);
        assert!((0..100).all(|n| !trials.fault(GRAPH, at(n * 20_000), 3)), "three a minute, for ever");
    }

    #[test]
    fn a_trial_ends_with_its_time() {
        let mut trials = Trials::default();
        trials.begin(GRAPH, Some(at(1_000)));
        assert!(trials.fault(GRAPH, at(999), 0));
        trials.begin(GRAPH, Some(at(1_000)));
        assert!(!trials.fault(GRAPH, at(1_000), 0));
        assert!(!trials.fault(GraphId([2; 32]), at(0), 0), "nobody watches it");
    }
}
