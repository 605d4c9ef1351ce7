//! A way through a flow that is there: to an end, and at each step on it all rounds that its bounded `go`s allow.

use std::collections::BTreeMap;

use super::cost::{Cost, Measure};
use super::walk::{Lap, Passed, Walk, Watch, Way, order};
use super::{Program, Run, Ways, finally};
use crate::check::{CheckedFlow, EdgeBound};

/// Steps at which rounds are looked for; of more, those with the most rounds.
const STEPS_MAX: usize = 64;

pub(super) struct Certain {
    pub run: Run,
    /// With one try of each dialogue.
    pub rounds: Vec<Round>,
    pub laps: Vec<Lap>,
}

/// From a step to a bounded `go` that leads back to it.
#[derive(Clone, Copy)]
pub(super) struct Round {
    pub to: u32,
    pub bound: EdgeBound,
    /// Once.
    pub cost: Cost,
}

/// `None` where steps lead in a circle.
pub(super) fn certain(flow: &CheckedFlow, program: &Program<'_>, runs: &dyn Fn(u32) -> Option<Run>) -> Option<Certain> {
    let order = order(flow)?;
    let (whole_rounds, _) = rounds(flow, Walk::new(program, runs, &flow.hir, Way::Whole), &order);
    let mut spins: BTreeMap<u32, Cost> = BTreeMap::new();
    let mut moves: BTreeMap<u32, i64> = BTreeMap::new();
    for round in &whole_rounds {
        let all = round.cost.times(round.bound.times);
        let spin = spins.entry(round.to).or_insert(Cost::ZERO);
        *spin = spin.plus(all.without_moves()).plus(Cost::moves(all.get(Measure::Moves)));
        let moved = moves.entry(round.to).or_insert(0);
        *moved = moved.saturating_add(all.get(Measure::Moves));
    }
    let ways = |way: Way, spins: &BTreeMap<u32, Cost>| {
        let mut walk = Walk::new(program, runs, &flow.hir, way);
        walk.enter_block(&flow.hir.top);
        walk.through(&order, &|step| spins.get(&step).copied());
        let finally = finally(program, runs, flow, way);
        let returned = walk.returned.map(|returned| returned.plus(finally));
        Ways { most: walk.dearest_end().plus(finally), returned }
    };
    let (whole, straight) = (ways(Way::Whole, &spins), ways(Way::Straight, &BTreeMap::new()));
    let (rounds, laps) = rounds(flow, Walk::new(program, runs, &flow.hir, Way::Straight), &order);
    let moves = moves.into_values().max().unwrap_or(0);
    Some(Certain { run: Run { ways: whole, straight, moves }, rounds, laps })
}

/// The rounds that lead back to each step, and the laps of the dialogues.
fn rounds<'w>(flow: &'w CheckedFlow, mut walk: Walk<'w>, order: &[u32]) -> (Vec<Round>, Vec<Lap>) {
    let mut rounds = Vec::new();
    for (to, bounds) in bounds_by_step(flow) {
        walk.restart();
        walk.enter_step(to);
        walk.through(order, &|_| None);
        for bound in bounds {
            if let Some(cost) = walk.bounded.get(bound.counter.0 as usize).copied().flatten() {
                rounds.push(Round { to, bound, cost });
            }
        }
    }
    walk.restart();
    walk.enter_block(&flow.hir.top);
    (0..flow.hir.steps.len() as u32).for_each(|step| walk.enter_step(step));
    walk.through(order, &|_| None);
    let laps = walk.laps().collect();
    (rounds, laps)
}

fn bounds_by_step(flow: &CheckedFlow) -> Vec<(u32, Vec<EdgeBound>)> {
    let mut by_step: BTreeMap<u32, Vec<EdgeBound>> = BTreeMap::new();
    for edge in &flow.edges {
        if let Some(bound) = edge.bound {
            by_step.entry(edge.to).or_default().push(bound);
        }
    }
    let mut by_step: Vec<_> = by_step.into_iter().collect();
    let rounds = |bounds: &[EdgeBound]| bounds.iter().map(|bound| u64::from(bound.times)).sum::<u64>();
    by_step.sort_by_key(|(_, bounds)| std::cmp::Reverse(rounds(bounds)));
    by_step.truncate(STEPS_MAX);
    by_step
}

/// The statement that passes the limit on the straight way.
pub(super) fn passing(
    flow: &CheckedFlow,
    program: &Program<'_>,
    runs: &dyn Fn(u32) -> Option<Run>,
    way: Way,
    (measure, most): (Measure, i64),
) -> Option<Passed> {
    let mut walk = Walk::new(program, runs, &flow.hir, way);
    if let (Measure::FinallyMs, Some(finally)) = (measure, &flow.hir.finally) {
        walk.watch = Some(Watch { measure: Measure::WaitedMs, most, passed: None });
        walk.enter_block(finally);
        let passed = walk.watch.take().and_then(|watch| watch.passed);
        if passed.is_some() {
            return passed;
        }
        walk.restart();
    }
    walk.watch = Some(Watch { measure, most, passed: None });
    walk.enter_block(&flow.hir.top);
    walk.through(&order(flow)?, &|_| None);
    let passed = walk.watch.take()?.passed;
    if let (None, Some(finally)) = (passed, flow.hir.finally.as_ref().filter(|_| measure != Measure::FinallyMs)) {
        let most = most - walk.dearest_end().get(measure);
        walk.restart();
        walk.watch = Some(Watch { measure, most, passed: None });
        walk.enter_block(finally);
        return walk.watch?.passed;
    }
    passed
}
