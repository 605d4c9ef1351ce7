//! Where paths lead: whether a block goes on, which steps are reached, which cycles have no bound, which names have
//! their value in a step.

use std::collections::BTreeSet;

use lang_diagnostics::{Code, Diagnostic, Span, Turn, TurnKind, Way};
use runtime_contract::program::Service;

use crate::check::{CheckedFlow, From};
use crate::hir::{self, Block, Statement, StatementKind};
use crate::problems::Problems;

/// What follows a statement or block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum After {
    /// No path goes on.
    Ends,
    /// Something broken stands there, so nobody knows.
    Unknown,
    GoesOn,
}

impl After {
    fn or(self, other: After) -> After {
        match (self, other) {
            (After::GoesOn, _) | (_, After::GoesOn) => After::GoesOn,
            (After::Unknown, _) | (_, After::Unknown) => After::Unknown,
            _ => After::Ends,
        }
    }
}

pub(crate) fn after_block(block: &Block) -> After {
    let mut unknown = false;
    for statement in &block.statements {
        match after(statement) {
            After::Ends => return After::Ends,
            After::Unknown => unknown = true,
            After::GoesOn => {}
        }
    }
    if unknown { After::Unknown } else { After::GoesOn }
}

pub(crate) fn after(statement: &Statement) -> After {
    let any = |blocks: &mut dyn Iterator<Item = &Block>| blocks.map(after_block).fold(After::Ends, After::or);
    match &statement.kind {
        StatementKind::Reject(_) | StatementKind::HangUp | StatementKind::Return(_) | StatementKind::Again(_) => {
            After::Ends
        }
        StatementKind::Go(go) => go.bound.as_ref().map_or(After::Ends, |bound| after_block(&bound.otherwise)),
        StatementKind::If { then, otherwise, .. } => after_block(then).or(after_block(otherwise)),
        StatementKind::Match(found) => any(&mut found.arms.iter().map(|arm| &arm.block)),
        StatementKind::Loop(found) if found.is_certain => after_block(&found.block),
        StatementKind::Loop(found) => after_block(&found.block).or(After::GoesOn),
        StatementKind::Menu(menu) => any(&mut menu.dialogue.arms.iter().map(|arm| &arm.block)),
        StatementKind::Service(call) => after_block(&call.ok).or(after_block(&call.failed)),
        StatementKind::Connect(connect) => any(&mut connect.arms.iter().map(|arm| &arm.block)),
        StatementKind::Queue(call) => any(&mut call.arms.iter().map(|arm| &arm.block)),
        StatementKind::Dial(dial) => any(&mut dial.arms.iter().map(|arm| &arm.block)),
        // Accepted, it ends the path.
        StatementKind::Transfer(transfer) => after_block(&transfer.failed),
        StatementKind::Run(hir::Run { hangup: Some(ways), .. }) => {
            after_block(&ways.returned).or(after_block(&ways.gone))
        }
        StatementKind::Run(run) => match run.returns {
            Some(true) => After::GoesOn,
            Some(false) => After::Ends,
            None => After::Unknown,
        },
        StatementKind::Broken => After::Unknown,
        _ => After::GoesOn,
    }
}

/// All checks of the paths of one flow.
pub(crate) fn check_paths(flow: &CheckedFlow, services: &[Service], problems: &mut Problems) {
    ends(flow, problems);
    if !has_broken(flow) {
        unreachable(flow, problems);
    }
    cycles(flow, services, problems);
    assigned(flow, problems);
}

/// F0502: the top part and every step end.
fn ends(flow: &CheckedFlow, problems: &mut Problems) {
    let mut check = |block: &Block, name: Span, what: String| {
        if after_block(block) != After::GoesOn {
            return;
        }
        let place = block.statements.last().map_or(name, |last| last.span.after());
        let diagnostic = Diagnostic::new(Code::PathDoesNotEnd, name, format!("{what} can come to its end"));
        let diagnostic = match block.statements.is_empty() {
            true => diagnostic,
            false => diagnostic.label(place, "and then?"),
        };
        problems.give(diagnostic.help("end it by `hang up`, by `return`, or by a `go` to a step"));
    };
    check(&flow.hir.top, flow.hir.span, format!("the top part of `{}`", flow.short_name()));
    for step in &flow.hir.steps {
        check(&step.block, step.span, format!("the step `{}`", step.name));
    }
}

/// Whether something in the flow was not understood, so that it may lead anywhere.
pub(crate) fn has_broken(flow: &CheckedFlow) -> bool {
    let handlers = [&flow.hir.fault, &flow.hir.finally].into_iter().flatten();
    let blocks = flow.hir.steps.iter().map(|step| &step.block).chain([&flow.hir.top]).chain(handlers);
    blocks.into_iter().any(block_has_broken)
}

fn block_has_broken(block: &Block) -> bool {
    let is_broken = |statement: &Statement| matches!(statement.kind, StatementKind::Broken);
    let inside = |statement: &Statement| statement.blocks().into_iter().any(block_has_broken);
    block.statements.iter().any(|statement| is_broken(statement) || inside(statement))
}

/// F0501: some path leads to every step.
fn unreachable(flow: &CheckedFlow, problems: &mut Problems) {
    let mut reached: BTreeSet<u32> = BTreeSet::new();
    let mut open: Vec<u32> =
        flow.edges.iter().filter(|edge| !matches!(edge.from, From::Step(_))).map(|edge| edge.to).collect();
    while let Some(step) = open.pop() {
        if reached.insert(step) {
            let out = flow.out.get(step as usize).into_iter().flatten();
            open.extend(out.filter_map(|edge| flow.edges.get(*edge)).map(|edge| edge.to));
        }
    }
    let mut names = BTreeSet::new();
    for (step, index) in flow.hir.steps.iter().zip(0..) {
        // A second step of one name was told of, and cannot be gone to.
        if names.insert(step.name.as_str()) && !reached.contains(&index) {
            problems.give(
                Diagnostic::new(Code::UnreachableStep, step.span, format!("nothing leads to the step `{}`", step.name))
                    .help(format!("`go {}`", step.name)),
            );
        }
    }
}

/// F0503: without the bounded `go`s there is no cycle. Each is told once, by the `go` that closes it.
fn cycles(flow: &CheckedFlow, services: &[Service], problems: &mut Problems) {
    let mut state = vec![Visit::New; flow.hir.steps.len()];
    let mut closing = Vec::new();
    for start in 0..flow.hir.steps.len() as u32 {
        walk(flow, start, &mut state, &mut closing);
    }
    for (found, (steps, edge)) in closing.into_iter().enumerate() {
        let first = steps.first().copied().filter(|_| found < ROUNDS_MAX);
        let turns = first.and_then(|first| crate::way::round(flow, services, first, edge));
        problems.give(cycle(flow, &steps, edge, turns));
    }
}

/// Cycles of a flow whose inputs are shown.
const ROUNDS_MAX: usize = 16;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Visit {
    New,
    Open,
    Done,
}

/// Depth first, without recursion: a flow may have thousands of steps in a row. `closing` takes the steps of each cycle
/// and the `go` that closes it.
fn walk(flow: &CheckedFlow, start: u32, state: &mut [Visit], closing: &mut Vec<(Vec<u32>, Span)>) {
    if state.get(start as usize) != Some(&Visit::New) {
        return;
    }
    let out = |step: u32| flow.out.get(step as usize).map_or(&[][..], Vec::as_slice);
    let mut stack: Vec<(u32, usize)> = vec![(start, 0)];
    set(state, start, Visit::Open);
    while let Some((step, next)) = stack.last_mut() {
        let at = *step;
        let Some(edge) = out(at).get(*next).and_then(|edge| flow.edges.get(*edge)) else {
            set(state, at, Visit::Done);
            stack.pop();
            continue;
        };
        *next += 1;
        if edge.bound.is_some() {
            continue;
        }
        match state.get(edge.to as usize) {
            Some(Visit::New) => {
                set(state, edge.to, Visit::Open);
                stack.push((edge.to, 0));
            }
            Some(Visit::Open) => {
                let steps: Vec<u32> = stack.iter().map(|(step, _)| *step).skip_while(|step| *step != edge.to).collect();
                closing.push((steps, edge.span));
            }
            _ => {}
        }
    }
}

fn set(state: &mut [Visit], step: u32, visit: Visit) {
    if let Some(place) = state.get_mut(step as usize) {
        *place = visit;
    }
}

/// `turns` is a round from the first of the steps to the `go`; where it is known, its steps are told.
fn cycle(flow: &CheckedFlow, steps: &[u32], closing: Span, turns: Option<Vec<Turn>>) -> Diagnostic {
    let name = |step: &u32| flow.hir.steps.get(*step as usize).map_or("", |step| step.name.as_str());
    let first = steps.first().map(name).unwrap_or_default();
    let goes: Vec<(&str, Span)> = match &turns {
        Some(turns) => turns
            .iter()
            .filter(|turn| turn.kind == TurnKind::Enters)
            .map(|turn| (turn.text.as_str(), turn.span))
            .collect(),
        None => gos(flow, steps).collect(),
    };
    let names: Vec<&str> = [first].into_iter().chain(goes.iter().map(|(name, _)| *name)).chain([first]).collect();
    let message = format!("these steps lead back without a bound: `{}`", names.join("` → `"));
    let mut diagnostic = Diagnostic::new(Code::UnboundedCycle, closing, message).here("back again");
    for ((to, span), from) in goes.iter().zip(&names) {
        diagnostic = diagnostic.label(*span, format!("from `{from}` to `{to}`"));
    }
    if let Some(mut turns) = turns.filter(|turns| turns.iter().any(|turn| turn.kind == TurnKind::Happens)) {
        let start = steps.first().and_then(|step| flow.hir.steps.get(*step as usize)).map(|step| step.span);
        turns.insert(0, Turn::enters(first, start.unwrap_or(closing)));
        turns.push(Turn::enters(first, closing));
        diagnostic = diagnostic.way(Way { lead: "a call goes round so".to_owned(), turns });
    }
    diagnostic.help(format!("`go {first} up to 3 times else hang up`"))
}

/// The `go`s from each step to the next, and where they lead.
fn gos<'f>(flow: &'f CheckedFlow, steps: &[u32]) -> impl Iterator<Item = (&'f str, Span)> {
    steps.windows(2).filter_map(|pair| {
        let [from, to] = pair else { return None };
        let mut out = flow.out.get(*from as usize)?.iter().filter_map(|edge| flow.edges.get(*edge));
        let edge = out.find(|edge| edge.to == *to && edge.bound.is_none())?;
        Some((flow.hir.steps.get(*to as usize)?.name.as_str(), edge.span))
    })
}

/// F0107: a step uses a name of the top part only when every way into it has given that its value. Of the top part's
/// names, those with a value at some place are always the first few.
fn assigned(flow: &CheckedFlow, problems: &mut Problems) {
    let mut entry: Vec<usize> = vec![usize::MAX; flow.hir.steps.len()];
    let mut via: Vec<Option<Span>> = vec![None; flow.hir.steps.len()];
    let mut open: Vec<(u32, usize, Span)> = Vec::new();
    for edge in &flow.edges {
        match edge.from {
            From::Top { lets } => open.push((edge.to, lets, edge.span)),
            From::Fault => open.push((edge.to, 0, edge.span)),
            From::Step(_) => {}
        }
    }
    while let Some((step, lets, span)) = open.pop() {
        let Some(known) = entry.get_mut(step as usize).filter(|known| lets < **known) else { continue };
        *known = lets;
        if let Some(place) = via.get_mut(step as usize) {
            *place = Some(span);
        }
        let edges = flow.out.get(step as usize).into_iter().flatten().filter_map(|edge| flow.edges.get(*edge));
        open.extend(edges.map(|edge| (edge.to, lets, span)));
    }
    let mut told: BTreeSet<(u32, u32)> = BTreeSet::new();
    for (local, order, step, span) in &flow.top_uses {
        let missing = entry.get(*step as usize).is_some_and(|lets| order >= lets);
        if !missing || !told.insert((local.0, *step)) {
            continue;
        }
        let Some(info) = flow.hir.locals.get(local.0 as usize) else { continue };
        let mut diagnostic = Diagnostic::new(
            Code::NotAssignedOnEveryPath,
            *span,
            format!("`{}` has no value on some path that leads here", info.name),
        )
        .label(info.span, "it gets its value here");
        if let Some(via) = via.get(*step as usize).copied().flatten() {
            diagnostic = diagnostic.label(via, "and this leads here without it");
        }
        problems.give(diagnostic.help(format!("give `{}` its value before that `go`", info.name)));
    }
}
