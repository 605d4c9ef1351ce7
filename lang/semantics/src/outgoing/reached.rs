//! What the flows of a cadence or of a rule come by, with those that they run, and by which way.

use std::collections::BTreeSet;

use lang_diagnostics::Span;
use runtime_contract::request::Channel;

use crate::check::CheckedFlow;
use crate::hir::{Statement, StatementKind};

/// How one comes to a statement.
#[derive(Clone)]
pub(super) struct Way {
    pub statement: Span,
    /// Flows that are run on the way, each with the place of its `run`.
    pub runs: Vec<(u32, Span)>,
}

/// Sees every statement, by the shortest way first.
pub(super) fn each_reached<'f>(
    flows: &'f [Option<CheckedFlow>],
    from: impl IntoIterator<Item = u32>,
    see: &mut dyn FnMut(&'f Statement, &dyn Fn() -> Way),
) {
    // Flows in the order in which they are reached, each with the place in it that led there.
    let mut reached: Vec<(u32, Option<(usize, Span)>)> = from.into_iter().map(|flow| (flow, None)).collect();
    let mut seen: BTreeSet<u32> = reached.iter().map(|(flow, _)| *flow).collect();
    let mut next = 0;
    while let Some((flow, _)) = reached.get(next).copied() {
        let Some(Some(checked)) = flows.get(flow as usize) else {
            next += 1;
            continue;
        };
        let handlers = [&checked.hir.fault, &checked.hir.finally].into_iter().flatten();
        for block in checked.hir.steps.iter().map(|step| &step.block).chain([&checked.hir.top]).chain(handlers) {
            block.each(&mut |statement| {
                see(statement, &|| Way { statement: statement.keyword, runs: runs(&reached, next) });
            });
        }
        let callees = checked.runs.iter().filter(|(callee, _)| seen.insert(*callee));
        reached.extend(callees.map(|(callee, place)| (*callee, Some((next, *place)))));
        next += 1;
    }
}

/// What is run on the way to the flow at a place.
fn runs(reached: &[(u32, Option<(usize, Span)>)], place: usize) -> Vec<(u32, Span)> {
    let back = |at: usize| reached.get(at).and_then(|(flow, from)| from.map(|(before, span)| (before, (*flow, span))));
    let mut way: Vec<(u32, Span)> =
        std::iter::successors(back(place), |(before, _)| back(*before)).map(|(_, run)| run).collect();
    way.reverse();
    way
}

/// It writes to a number, and a rule hears when that does not arrive.
pub(super) fn writes(statement: &Statement) -> bool {
    match &statement.kind {
        StatementKind::Send(message) => matches!(message.channel, Channel::Sms | Channel::Chat),
        StatementKind::Dial(dial) => dial.by.is_written(),
        _ => false,
    }
}
