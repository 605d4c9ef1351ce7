//! F0907: rules about queues into which no flow leads. Told only of projects that are otherwise sound: what is broken may
//! have been meant to queue.

use std::collections::BTreeSet;

use lang_diagnostics::{Code, Diagnostic};
use runtime_contract::rule::When;

use crate::check::CheckedFlow;
use crate::hir::{self, StatementKind};
use crate::problems::Problems;
use crate::project::Project;

pub(crate) fn check_idle(
    project: &Project<'_>,
    flows: &[Option<CheckedFlow>],
    queues: &[hir::Queue],
    rules: &[hir::Rule],
    problems: &mut Problems,
) {
    if rules.is_empty() {
        return;
    }
    let waited_in = waited_in(flows, queues);
    for rule in rules {
        let (what, queue) = match &rule.rule.when {
            When::Missed { queue } => ("missed", Some(*queue)),
            When::Served { queue } => ("served", Some(*queue)),
            // Whether its cadence writes was asked where it is read.
            When::Undelivered { .. } => continue,
            // What agents do is measured without callers too.
            When::Alarm(alarm) => {
                let idle = |queue: u32| !waited_in.contains(&queue);
                let all = alarm.tests.iter().all(|test| idle(test.queue) && !test.name().starts_with("agents_"));
                ("counted", alarm.tests.first().map(|test| test.queue).filter(|_| all))
            }
        };
        let Some(queue) = queue.filter(|queue| !waited_in.contains(queue)) else { continue };
        let Some(info) = project.queues.get(queue as usize) else { continue };
        let name = &info.name.text;
        problems.give(
            Diagnostic::new(
                Code::AlarmNeverTrue,
                rule.span,
                format!("nobody is ever {what}: no flow waits in `{name}`"),
            )
            .label(info.name.span, "this queue")
            .help(format!("`queue {name} else hang up` in a flow, or leave the rule out")),
        );
    }
}

/// Queues into which a flow leads, or from which callers overflow into them.
fn waited_in(flows: &[Option<CheckedFlow>], queues: &[hir::Queue]) -> BTreeSet<u32> {
    let mut open: Vec<u32> = Vec::new();
    for flow in flows.iter().flatten().map(|checked| &checked.hir) {
        let handlers = [&flow.fault, &flow.finally].into_iter().flatten();
        for block in flow.steps.iter().map(|step| &step.block).chain([&flow.top]).chain(handlers) {
            block.each(&mut |statement| {
                if let StatementKind::Queue(call) = &statement.kind {
                    open.push(call.queue);
                }
            });
        }
    }
    let mut found = BTreeSet::new();
    while let Some(queue) = open.pop() {
        if found.insert(queue) {
            let overflow = queues.get(queue as usize).and_then(|queue| queue.table.overflow.as_ref());
            open.extend(overflow.map(|overflow| overflow.queue));
        }
    }
    found
}
