//! Which flow runs which: none may run itself, and the longest row of them fits the limit.

use lang_diagnostics::{Code, Diagnostic, Span};
use runtime_contract::limits::RUN_DEPTH_MAX;

use crate::check::CheckedFlow;
use crate::problems::Problems;

struct Runs<'f> {
    flows: &'f [Option<CheckedFlow>],
    /// Flows being looked at, each with the place of the `run` that led on.
    open: Vec<(u32, Span)>,
    /// Length of the longest row that begins in a flow.
    depth: Vec<Option<usize>>,
}

/// F0505 and F0508.
pub(crate) fn check_runs(flows: &[Option<CheckedFlow>], problems: &mut Problems) {
    let mut runs = Runs { flows, open: Vec::new(), depth: vec![None; flows.len()] };
    for flow in 0..flows.len() as u32 {
        let depth = runs.depth(flow, problems);
        // Told where the row has just become too long.
        if let (true, Some(checked)) = (depth == RUN_DEPTH_MAX + 1, runs.flow(flow)) {
            let message = format!("flows run inside each other {depth} deep, and {RUN_DEPTH_MAX} is the most");
            problems.give(
                Diagnostic::new(Code::WorstCaseTooLong, checked.hir.span, message).help("steps instead of flows"),
            );
        }
    }
}

impl<'f> Runs<'f> {
    fn flow(&self, flow: u32) -> Option<&'f CheckedFlow> {
        self.flows.get(flow as usize)?.as_ref()
    }

    fn depth(&mut self, flow: u32, problems: &mut Problems) -> usize {
        if let Some(known) = self.depth.get(flow as usize).copied().flatten() {
            return known;
        }
        let Some(checked) = self.flow(flow) else { return 0 };
        let mut deepest = 0;
        for (callee, span) in &checked.runs {
            if *callee == flow || self.open.iter().any(|(open, _)| open == callee) {
                self.recursive(flow, *callee, *span, problems);
                continue;
            }
            // Deeper than this is told of already, and a long row must not use up our own stack.
            if self.open.len() > 2 * RUN_DEPTH_MAX {
                continue;
            }
            self.open.push((flow, *span));
            deepest = deepest.max(self.depth(*callee, problems));
            self.open.pop();
        }
        if let Some(place) = self.depth.get_mut(flow as usize) {
            *place = Some(deepest + 1);
        }
        deepest + 1
    }

    fn recursive(&self, flow: u32, callee: u32, span: Span, problems: &mut Problems) {
        let name = |flow: u32| self.flow(flow).map_or("", CheckedFlow::short_name);
        let mut names: Vec<&str> =
            self.open.iter().skip_while(|(open, _)| *open != callee).map(|(open, _)| name(*open)).collect();
        names.extend([name(flow), name(callee)]);
        let mut diagnostic =
            Diagnostic::new(Code::RecursiveFlow, span, format!("this flow runs itself: `{}`", names.join("` → `")));
        for (_, place) in self.open.iter().skip_while(|(open, _)| *open != callee) {
            diagnostic = diagnostic.label(*place, "by way of this");
        }
        problems
            .give(diagnostic.help("leave it out: what shall happen again is a step, to which a bounded go leads back"));
    }
}

/// Flows behind those that they run; `callees` are by flow. In a circle, which is told of, somebody is first.
pub(crate) fn callees_first(callees: &[Vec<u32>]) -> Vec<u32> {
    let (mut order, mut seen) = (Vec::new(), vec![false; callees.len()]);
    for start in 0..callees.len() {
        let mut open = vec![(start, 0)];
        while let Some((flow, next)) = open.last_mut() {
            let flow = *flow;
            if *next == 0 && seen.get_mut(flow).is_none_or(|seen| std::mem::replace(seen, true)) {
                open.pop();
                continue;
            }
            let callee = callees.get(flow).and_then(|callees| callees.get(*next));
            *next += 1;
            match callee {
                Some(callee) => open.push((*callee as usize, 0)),
                None => {
                    order.push(flow as u32);
                    open.pop();
                }
            }
        }
    }
    order
}
