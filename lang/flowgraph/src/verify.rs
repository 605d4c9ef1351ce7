//! Everything that driver, interpreter and native code rely on, checked on the graph itself, whoever made it: a
//! stored graph is refused here before any of its code runs. Nothing here trusts an index, a length or a depth.

mod cadences;
pub(crate) mod classes;
mod queues;
mod rules;
mod segment;
mod stack;
mod surveys;
mod tables;
mod types;

use std::ops::Deref;
use std::sync::Arc;

use runtime_contract::limits::SEGMENTS_MAX;

use crate::graph::Graph;
use crate::parallel;

pub(crate) use segment::too_many_blocks;

/// Problems told of one graph; what is wrong after that many is not looked for.
pub const PROBLEMS_MAX: usize = 50;

/// What is wrong, one line each with its place; empty when the graph may run.
///
/// INVARIANT (verified): native code reads and writes slots of its frame without a check, because here every slot
/// was found inside the frame of its flow.
pub fn verify(graph: &Graph) -> Vec<String> {
    let mut problems = Problems::default();
    if graph.segments.len() > SEGMENTS_MAX {
        problems.add(format!("{} segments, at most {SEGMENTS_MAX}", graph.segments.len()));
    }
    if graph.segments.len() != graph.meta.segments.len() {
        problems.add(format!("{} segments, {} of them with a flow", graph.segments.len(), graph.meta.segments.len()));
    }
    // Each check relies on what those before it found sound.
    let checks: [fn(&Graph, &mut Problems); 9] = [
        types::check,
        queues::check,
        cadences::check,
        rules::check,
        surveys::check,
        tables::check,
        segment::check,
        check_use,
        stack::check,
    ];
    for check in checks {
        if !problems.0.is_empty() {
            break;
        }
        check(graph, &mut problems);
    }
    problems.0
}

/// Liveness and classes, neither of which needs the other.
fn check_use(graph: &Graph, problems: &mut Problems) {
    let found = |check: fn(&Graph, &mut Problems)| {
        let mut problems = Problems::default();
        check(graph, &mut problems);
        problems.0
    };
    let (liveness, classes) = parallel::both(|| found(segment::check_liveness), || found(classes::check));
    liveness.into_iter().chain(classes).for_each(|problem| problems.add(problem));
}

/// A graph that [`verify`] found no fault with, and that nobody changes any more: it may run.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified(Arc<Graph>);

impl Verified {
    /// The problems are those of [`verify`].
    pub fn new(graph: Graph) -> Result<Verified, Vec<String>> {
        let problems = verify(&graph);
        Verified::found(graph, problems)
    }

    /// `problems` are what [`verify`] said of it.
    pub(crate) fn found(graph: Graph, problems: Vec<String>) -> Result<Verified, Vec<String>> {
        if problems.is_empty() { Ok(Verified(Arc::new(graph))) } else { Err(problems) }
    }

    /// To change it; then it is to be verified again.
    pub fn into_graph(self) -> Graph {
        Arc::unwrap_or_clone(self.0)
    }
}

impl Deref for Verified {
    type Target = Graph;

    fn deref(&self) -> &Graph {
        &self.0
    }
}

#[derive(Default)]
pub(crate) struct Problems(Vec<String>);

impl Problems {
    pub fn add(&mut self, problem: String) {
        if self.0.len() < PROBLEMS_MAX {
            self.0.push(problem);
        }
    }

    pub fn expect(&mut self, holds: bool, problem: impl FnOnce() -> String) {
        if !holds && self.0.len() < PROBLEMS_MAX {
            self.0.push(problem());
        }
    }
}
