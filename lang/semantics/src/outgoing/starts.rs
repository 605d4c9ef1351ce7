//! Which cadence begins which: none may begin itself, for its attempts would have no end.

use std::collections::BTreeMap;

use lang_diagnostics::{Code, Diagnostic, Span};

use crate::check::CheckedFlow;
use crate::hir::{self, StatementKind};
use crate::problems::Problems;
use crate::zones::reached;

/// Cadences that a cadence begins, each with the place of a `start`.
type Starts = BTreeMap<usize, Span>;

/// F0505
pub(crate) fn check_starts(cadences: &[hir::Cadence], flows: &[Option<CheckedFlow>], problems: &mut Problems) {
    let starts: Vec<Starts> = cadences.iter().map(|cadence| starts(cadence, flows)).collect();
    let name = |at: usize| cadences.get(at).map_or("", |own| own.table.name.rsplit('.').next().unwrap_or_default());
    // 0: not looked at; 1: on the way that is looked at; 2: done.
    let mut states = vec![0u8; cadences.len()];
    for first in 0..cadences.len() {
        let mut way: Vec<(usize, Vec<(usize, Span)>)> = Vec::new();
        let mut next = Some(first).filter(|at| states.get(*at) == Some(&0));
        while let Some(at) = next.take().or_else(|| way.last().map(|(at, _)| *at)) {
            if way.last().is_none_or(|(last, _)| *last != at) {
                states.iter_mut().skip(at).take(1).for_each(|state| *state = 1);
                let open = starts.get(at).into_iter().flatten().map(|(to, span)| (*to, *span)).collect();
                way.push((at, open));
            }
            let Some((to, span)) = way.last_mut().and_then(|(_, open)| open.pop()) else {
                states.iter_mut().skip(at).take(1).for_each(|state| *state = 2);
                way.pop();
                continue;
            };
            match states.get(to) {
                Some(0) => next = Some(to),
                Some(1) => {
                    let circle = way.iter().map(|(at, _)| *at).skip_while(|at| *at != to).chain([to]);
                    let names: Vec<&str> = circle.map(name).collect();
                    let message = format!("this cadence begins itself again: `{}`", names.join("` → `"));
                    let diagnostic = Diagnostic::new(Code::RecursiveFlow, span, message);
                    problems.give(diagnostic.help("leave it out: whoever is to be called again is by `retry in 1d`"));
                }
                _ => {}
            }
        }
    }
}

fn starts(cadence: &hir::Cadence, flows: &[Option<CheckedFlow>]) -> Starts {
    let table = &cadence.table;
    let attempts = [table.dial.as_ref().map(|own| own.flow), table.message.as_ref().map(|own| own.flow)];
    let own = attempts.into_iter().flatten().chain(table.after.iter().map(|after| after.flow)).chain(table.exhausted);
    let mut found = Starts::new();
    for flow in own.flat_map(|flow| reached(flows, flow)) {
        let handlers = [&flow.hir.fault, &flow.hir.finally].into_iter().flatten();
        for block in flow.hir.steps.iter().map(|step| &step.block).chain([&flow.hir.top]).chain(handlers) {
            block.each(&mut |statement| {
                if let StatementKind::Start(start) = &statement.kind {
                    found.entry(start.cadence as usize).or_insert(statement.keyword);
                }
            });
        }
    }
    found
}
