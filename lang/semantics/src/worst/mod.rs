//! Whether the worst case of every flow fits the limits of a call (F0508). The text alone is counted: each outcome,
//! branch and bounded `go` is taken to be possible, as often as its bound says.
//!
//! Two numbers are known of each flow. `Upper` is never below what can happen and is worked out in one pass; where it
//! fits, nothing more is done. `Certain` is the cost of a way through the flow that is there.
//!
//! Refused is what one number, or the straight way alone, makes pass a limit. What passes it only when many rounds and
//! failed tries come together, which needs a caller who wants that, is warned of.

mod certain;
mod cost;
mod report;
mod walk;

use lang_diagnostics::Severity;
use runtime_contract::limits::{
    CALL_HOURS_MAX, FINALLY_MS_MAX, FUEL_STEP_MAX, JOURNAL_BYTES_MAX, MESSAGES_MAX, REQUESTS_MAX, VAULT_VALUES_MAX,
};
use runtime_contract::program::Service;
use runtime_contract::types::TypeTable;

use crate::check::CheckedFlow;
use crate::hir;
use crate::problems::Problems;
use cost::{Cost, Measure};
pub(crate) use report::duration_text;
use walk::{Walk, Way};

/// Tables that flows refer to.
pub(crate) struct Program<'p> {
    pub types: &'p TypeTable,
    pub services: &'p [Service],
    pub queues: &'p [hir::Queue],
    /// Flows to which something leads, and whether those who come there speak.
    pub entries: &'p [(u32, bool)],
}

/// What it costs to run a flow.
#[derive(Clone, Copy, Debug)]
struct Run {
    ways: Ways,
    /// With one try of each dialogue, and no round.
    straight: Ways,
    /// Moves of its loops that make no request. They are in `ways` too, where a way through the flow makes none.
    moves: i64,
}

#[derive(Clone, Copy, Debug)]
struct Ways {
    most: Cost,
    /// When it comes back to whoever ran it; `None` when it never does.
    returned: Option<Cost>,
}

impl Run {
    fn amount(&self, measure: Measure) -> i64 {
        match measure {
            Measure::Moves => self.moves.max(self.ways.most.get(measure)),
            _ => self.ways.most.get(measure),
        }
    }

    fn passes(&self, measure: Measure) -> bool {
        self.amount(measure) > limit(measure)
    }
}

/// The journal's room that requests do not get: its first record, who is on the line, and what ends it.
const JOURNAL_BYTES_BESIDE: usize = 1_024;

/// What a call may use at most.
fn limit(measure: Measure) -> i64 {
    match measure {
        Measure::Requests => i64::from(REQUESTS_MAX),
        Measure::JournalBytes => (JOURNAL_BYTES_MAX - JOURNAL_BYTES_BESIDE) as i64,
        Measure::PrivateValues => VAULT_VALUES_MAX as i64,
        Measure::Messages => i64::from(MESSAGES_MAX),
        Measure::Moves => FUEL_STEP_MAX,
        Measure::FinallyMs => FINALLY_MS_MAX as i64,
        Measure::WaitedMs => (CALL_HOURS_MAX * 3_600_000) as i64,
    }
}

/// F0508 for every flow that may pass a limit by itself. Flows with something broken, in a circle or with one in them,
/// were told of and are left out.
/// `order` has callees first.
pub(crate) fn check_worst(
    flows: &[Option<CheckedFlow>],
    order: &[u32],
    program: &Program<'_>,
    problems: &mut Problems,
) {
    let mut uppers: Vec<Option<Run>> = vec![None; flows.len()];
    for flow in order {
        let known = upper(flows, program, *flow, &uppers);
        set(&mut uppers, *flow, known);
    }
    let limited = || Measure::OF_A_CALL.into_iter().chain([Measure::FinallyMs]);
    if !uppers.iter().flatten().any(|run| limited().any(|measure| run.passes(measure))) {
        return;
    }
    let mut certain: Vec<Option<Run>> = vec![None; flows.len()];
    // Of each flow, what was told of it or of a flow in it.
    let mut told: Vec<Vec<(Measure, Severity)>> = vec![Vec::new(); flows.len()];
    let written = written_alone(flows, order, program.entries);
    for id in order {
        let Some(flow) = flows.get(*id as usize).and_then(Option::as_ref) else { continue };
        let Some(upper) = uppers.get(*id as usize).copied().flatten() else { continue };
        let runs = |flow: u32| certain.get(flow as usize).copied().flatten();
        let Some(found) = certain::certain(flow, program, &runs) else { continue };
        let mut here: Vec<(Measure, Severity)> = Vec::new();
        for known in flow.runs.iter().filter_map(|(callee, _)| told.get(*callee as usize)).flatten() {
            if !here.contains(known) {
                here.push(*known);
            }
        }
        // Whoever writes may take days.
        if written.get(*id as usize) == Some(&true) {
            here.push((Measure::WaitedMs, Severity::Error));
        }
        // What passes one limit passes others; the first says it.
        for together in [&Measure::OF_A_CALL[..], &[Measure::FinallyMs]] {
            // What a flow inside was only warned of may be certain here.
            let passed = |run: &Run, least: Severity| -> Vec<Measure> {
                let is_told = |measure| here.iter().any(|(known, severity)| *known == measure && *severity >= least);
                let new = together.iter().copied().filter(|measure| !is_told(*measure));
                new.filter(|measure| run.passes(*measure)).collect()
            };
            let told_as = |least| report::passed(flow, program, &runs, &found, &passed(&found.run, least));
            let certain = told_as(Severity::Error).filter(|diagnostic| diagnostic.severity == Severity::Error);
            let diagnostic = certain.or_else(|| told_as(Severity::Advice)).or_else(|| {
                let measure = *passed(&upper, Severity::Advice).first()?;
                Some(report::unsure(flow, measure, upper.amount(measure)))
            });
            if let Some(diagnostic) = diagnostic {
                here.extend(together.iter().map(|measure| (*measure, diagnostic.severity)));
                problems.give(diagnostic);
            }
        }
        if let Some(place) = told.get_mut(*id as usize) {
            *place = here;
        }
        let run = found.run;
        set(&mut certain, *id, Some(run));
    }
}

/// Flows that are held in writing and never on a call.
fn written_alone(flows: &[Option<CheckedFlow>], order: &[u32], entries: &[(u32, bool)]) -> Vec<bool> {
    // By whom each is held: those who write, those who speak.
    let mut held = vec![[false; 2]; flows.len()];
    for (flow, speaks) in entries {
        if let Some(by) = held.get_mut(*flow as usize).and_then(|held| held.get_mut(usize::from(*speaks))) {
            *by = true;
        }
    }
    for id in order.iter().rev() {
        let Some([writes, speaks]) = held.get(*id as usize).copied() else { continue };
        let runs = flows.get(*id as usize).and_then(Option::as_ref).map_or(&[][..], |flow| &flow.runs);
        for (callee, _) in runs {
            if let Some(inside) = held.get_mut(*callee as usize) {
                let [written, spoken] = *inside;
                *inside = [written || writes, spoken || speaks];
            }
        }
    }
    held.into_iter().map(|[writes, speaks]| writes && !speaks).collect()
}

fn set(runs: &mut [Option<Run>], flow: u32, run: Option<Run>) {
    if let Some(place) = runs.get_mut(flow as usize) {
        *place = run;
    }
}

/// Never below what the flow can cost. A call goes from bounded `go` to bounded `go`, and between two of them lies a way
/// without any. So the whole is at most the dearest way to each as often as it may go, and one to an end; it is also at
/// most the dearest way from where each leads, as often, and one from the top.
fn upper(flows: &[Option<CheckedFlow>], program: &Program<'_>, id: u32, known: &[Option<Run>]) -> Option<Run> {
    let flow = flows.get(id as usize)?.as_ref()?;
    let is_known = |callee: u32| known.get(callee as usize).is_some_and(Option::is_some);
    if crate::paths::has_broken(flow) || !flow.runs.iter().all(|(callee, _)| is_known(*callee)) {
        return None;
    }
    let order = walk::order(flow)?;
    let runs = |flow: u32| known.get(flow as usize).copied().flatten();
    let bounds = || flow.edges.iter().filter_map(|edge| Some((edge.to, edge.bound?)));
    let mut to = Walk::new(program, &runs, &flow.hir, Way::Any);
    [Some(&flow.hir.top), flow.hir.fault.as_ref()].into_iter().flatten().for_each(|block| to.enter_block(block));
    bounds().for_each(|(step, _)| to.enter_step(step));
    to.through(&order, &|_| None);
    let mut by_end = to.dearest_end();
    let mut moves = 0i64;
    for (_, bound) in bounds() {
        let at = to.bounded.get(bound.counter.0 as usize).copied().flatten();
        let all = at.map_or(Cost::ZERO, |at| at.times(bound.times));
        by_end = by_end.plus(all.without_moves());
        moves = moves.saturating_add(all.get(Measure::Moves));
    }
    let returns = to.returned.is_some();
    let mut from = to;
    from.look_ahead(&order);
    let mut by_start = from.dearest(&flow.hir.top);
    for (step, bound) in bounds() {
        let ahead = from.ahead.as_ref().and_then(|ahead| ahead.get(step as usize)).copied();
        by_start = by_start.plus(ahead.unwrap_or(Cost::ZERO).times(bound.times).without_moves());
    }
    // A fault may cut any way short, once.
    if let Some(fault) = &flow.hir.fault {
        by_end = by_end.plus(from.anywhere.without_moves());
        by_start = by_start.plus(from.dearest(fault).without_moves());
    }
    // Loops were counted by the ways that lead to each `go`, so the way to an end is what remains of the moves.
    let most = by_end.least(by_start).moving_as(by_end).plus(Cost::moves(moves));
    let most = most.plus(finally(program, &runs, flow, Way::Any));
    let ways = Ways { most, returned: returns.then_some(most) };
    Some(Run { ways, straight: ways, moves })
}

/// What `finally` adds at the end of a flow.
fn finally(program: &Program<'_>, runs: &dyn Fn(u32) -> Option<Run>, flow: &CheckedFlow, way: Way) -> Cost {
    let Some(block) = &flow.hir.finally else { return Cost::ZERO };
    let mut walk = Walk::new(program, runs, &flow.hir, way);
    walk.enter_block(block);
    walk.ended.map_or(Cost::ZERO, |cost| cost.in_finally().without_moves())
}
