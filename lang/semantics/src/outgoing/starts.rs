//! Which cadence begins which: none may begin itself, for its attempts would have no end.

use std::collections::{BTreeMap, BTreeSet};

use lang_diagnostics::{Code, Diagnostic, Span};

use crate::check::CheckedFlow;
use crate::hir::{self, StatementKind};
use crate::problems::Problems;

/// Cadences that a cadence begins, each with the shortest way to a `start`.
type Starts = BTreeMap<usize, Way>;

/// How a cadence comes to a `start`.
#[derive(Clone)]
pub(super) struct Way {
    pub start: Span,
    /// Flows that are run on the way, each with the place of its `run`.
    pub runs: Vec<(u32, Span)>,
}

/// F0505
pub(crate) fn check_starts(cadences: &[hir::Cadence], flows: &[Option<CheckedFlow>], problems: &mut Problems) {
    let starts: Vec<Starts> = cadences.iter().map(|cadence| starts(cadence, flows)).collect();
    // 0: not looked at; 1: on the way that is looked at; 2: done.
    let mut states = vec![0u8; cadences.len()];
    for first in 0..cadences.len() {
        let mut way: Vec<(usize, Vec<usize>)> = Vec::new();
        let mut next = Some(first).filter(|at| states.get(*at) == Some(&0));
        while let Some(at) = next.take().or_else(|| way.last().map(|(at, _)| *at)) {
            if way.last().is_none_or(|(last, _)| *last != at) {
                states.iter_mut().skip(at).take(1).for_each(|state| *state = 1);
                way.push((at, starts.get(at).into_iter().flat_map(|own| own.keys().copied()).collect()));
            }
            let Some(to) = way.last_mut().and_then(|(_, open)| open.pop()) else {
                states.iter_mut().skip(at).take(1).for_each(|state| *state = 2);
                way.pop();
                continue;
            };
            match states.get(to) {
                Some(0) => next = Some(to),
                Some(1) => {
                    let circle: Vec<usize> = way.iter().map(|(at, _)| *at).skip_while(|at| *at != to).collect();
                    problems.give(told(&circle, &starts, cadences, flows));
                }
                _ => {}
            }
        }
    }
}

/// The last cadence of a circle begins the first again.
fn told(circle: &[usize], starts: &[Starts], cadences: &[hir::Cadence], flows: &[Option<CheckedFlow>]) -> Diagnostic {
    let cadence = |at: usize| cadences.get(at).map_or("", |own| own.table.name.rsplit('.').next().unwrap_or_default());
    let mut names = Vec::new();
    let (mut places, mut last) = (Vec::new(), Span::default());
    for (at, next) in circle.iter().zip(circle.iter().cycle().skip(1)) {
        let Some(way) = starts.get(*at).and_then(|own| own.get(next)) else { continue };
        names.push(cadence(*at));
        names.extend(way.runs.iter().filter_map(|(flow, _)| Some(flows.get(*flow as usize)?.as_ref()?.short_name())));
        places.extend(way.runs.iter().map(|(_, place)| *place).chain([way.start]));
        last = way.start;
    }
    names.extend(circle.first().map(|first| cadence(*first)));
    let message = format!("this cadence begins itself again: `{}`", names.join("` → `"));
    let diagnostic = Diagnostic::new(Code::RecursiveFlow, last, message);
    let labelled = places.into_iter().filter(|place| *place != last);
    labelled
        .fold(diagnostic, |diagnostic, place| diagnostic.label(place, "by way of this"))
        .help("leave it out: whoever is to be called again is by `retry in 1d`")
}

fn starts(cadence: &hir::Cadence, flows: &[Option<CheckedFlow>]) -> Starts {
    let table = &cadence.table;
    let attempts = [table.dial.as_ref().map(|own| own.flow), table.message.as_ref().map(|own| own.flow)];
    let own = attempts.into_iter().flatten().chain(table.after.iter().map(|after| after.flow)).chain(table.exhausted);
    let mut found = Starts::new();
    begun(own, flows, &mut |start, way| {
        found.entry(start.cadence as usize).or_insert_with(way);
    });
    found
}

/// Each `start` in these flows and in those that they run.
pub(super) fn begun(
    own: impl Iterator<Item = u32>,
    flows: &[Option<CheckedFlow>],
    see: &mut dyn FnMut(&hir::Start, &dyn Fn() -> Way),
) {
    // Flows in the order in which they are reached, each with the place in it that led there.
    let mut reached: Vec<(u32, Option<(usize, Span)>)> = own.map(|flow| (flow, None)).collect();
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
                if let StatementKind::Start(start) = &statement.kind {
                    see(start, &|| Way { start: statement.keyword, runs: runs(&reached, next) });
                }
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
