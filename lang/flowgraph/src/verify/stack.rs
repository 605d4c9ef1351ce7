//! The stack is bounded: no flow runs itself, and the longest chain of `run` fits.

use runtime_contract::limits::{RUN_DEPTH_MAX, STACK_BYTES_MAX};
use runtime_contract::program::SiteKind;

use super::Problems;
use crate::graph::Graph;

pub fn check(graph: &Graph, problems: &mut Problems) {
    let meta = &graph.meta;
    let mut callees: Vec<Vec<usize>> = vec![Vec::new(); meta.flows.len()];
    let mut callers: Vec<usize> = vec![0; meta.flows.len()];
    for site in &meta.sites {
        let SiteKind::Run { flow: callee } = site.kind else { continue };
        callees.iter_mut().skip(site.flow as usize).take(1).for_each(|list| list.push(callee as usize));
        callers.iter_mut().skip(callee as usize).take(1).for_each(|count| *count += 1);
    }
    // Callers before callees; of each flow the longest chain that leads to it.
    let mut chains: Vec<(usize, u32)> = vec![(0, 0); meta.flows.len()];
    let mut open: Vec<usize> =
        callers.iter().enumerate().filter(|(_, count)| **count == 0).map(|(flow, _)| flow).collect();
    let mut seen = 0;
    while let Some(id) = open.pop() {
        seen += 1;
        let Some(flow) = meta.flows.get(id) else { continue };
        let (frames, words) = chains.get(id).copied().unwrap_or_default();
        let (frames, words) = (frames + 1, words.saturating_add(flow.frame_words));
        problems.expect(frames <= RUN_DEPTH_MAX, || {
            format!("flow {}: {frames} flows run inside each other, at most {RUN_DEPTH_MAX}", flow.name)
        });
        problems.expect(words as usize * 8 <= STACK_BYTES_MAX, || {
            format!("flow {}: a chain of `run` to it takes {words} words, at most {}", flow.name, STACK_BYTES_MAX / 8)
        });
        for callee in callees.get(id).into_iter().flatten() {
            if let (Some(chain), Some(count)) = (chains.get_mut(*callee), callers.get_mut(*callee)) {
                *chain = (chain.0.max(frames), chain.1.max(words));
                *count -= 1;
                if *count == 0 {
                    open.push(*callee);
                }
            }
        }
    }
    problems.expect(seen == meta.flows.len(), || "a flow runs itself".to_owned());
}
