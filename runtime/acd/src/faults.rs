//! Clauses that faulted: counted, and said once an hour each.

use std::collections::BTreeMap;

use runtime_contract::{GraphId, Time};

/// Clauses that are remembered; of more, the oldest are said again sooner.
const FAULTS_KEPT_MAX: usize = 1_024;
const SAID_EVERY_MS: i64 = 3_600_000;

#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    said: BTreeMap<(GraphId, u32), Time>,
    pub total: u64,
    /// To be said.
    pub fresh: Vec<(GraphId, u32)>,
}

impl Faults {
    pub fn count(&mut self, graph: GraphId, flow: u32, now: Time) {
        self.total += 1;
        let is_old = |at: &Time| now.0.saturating_sub(at.0) >= SAID_EVERY_MS;
        if self.said.get(&(graph, flow)).is_some_and(|at| !is_old(at)) {
            return;
        }
        if self.said.len() >= FAULTS_KEPT_MAX {
            self.said.retain(|_, at| !is_old(at));
            if self.said.len() >= FAULTS_KEPT_MAX {
                self.said.clear();
            }
        }
        self.said.insert((graph, flow), now);
        self.fresh.push((graph, flow));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clause_that_faults_is_said_once_an_hour() {
        let mut faults = Faults::default();
        for at in [0, 1, SAID_EVERY_MS - 1, SAID_EVERY_MS] {
            faults.count(GraphId([7; 32]), 1, Time(at));
        }
        faults.count(GraphId([7; 32]), 2, Time(0));
        assert_eq!((faults.total, faults.fresh.len()), (5, 3));
        for flow in 0..FAULTS_KEPT_MAX as u32 * 2 {
            faults.count(GraphId([8; 32]), flow, Time(SAID_EVERY_MS));
        }
        assert!(faults.said.len() <= FAULTS_KEPT_MAX);
    }
}
