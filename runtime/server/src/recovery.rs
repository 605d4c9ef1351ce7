//! What the last process left open in the store: each of its calls is given to the exchange, in its own version,
//! to be ended with `finally` and BYE.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use runtime_contract::GraphId;
use runtime_contract::program::{Build, Report};
use runtime_exchange::{Input, Recovered};
use runtime_store::{OpenCall, Store, StoreError};

use crate::node::Work;
use crate::server::StartError;

/// Inputs that end the calls. To be called before the first call of this process. A graph that cannot be loaded leaves
/// its calls open, for a program that can.
pub fn recover(store: &Store, build: &dyn Build) -> Result<VecDeque<Work>, StartError> {
    let store_error = |error: StoreError| StartError::new(&error, &error.help);
    let mut by_graph: BTreeMap<GraphId, Vec<OpenCall>> = BTreeMap::new();
    for call in store.open_calls().map_err(store_error)? {
        by_graph.entry(call.graph).or_default().push(call);
    }
    let mut left = VecDeque::new();
    for (graph, calls) in by_graph {
        let loaded = match store.graph(graph).map_err(store_error)? {
            Some(bytes) => build.load(&bytes),
            None => Err(Report { text: "the store does not hold it".into(), json: String::new() }),
        };
        match loaded {
            Ok(program) => {
                tracing::info!(version = graph.short(), "{} calls of the last process are ended", calls.len());
                left.extend(calls.into_iter().map(|call| {
                    let program = Arc::clone(&program);
                    let recovered = Recovered { call: call.call, program, journal: call.journal };
                    Work::Exchange(Input::Recovered(recovered))
                }));
            }
            Err(report) => tracing::error!(
                version = graph.short(),
                "{} calls of the last process stay open, for their version cannot be loaded: {}",
                calls.len(),
                report.text
            ),
        }
    }
    Ok(left)
}
