//! Where a private value came from, back through the steps and flows to which it was handed.

use lang_diagnostics::{Diagnostic, Span, Turn};

use crate::check::{CheckedFlow, HandedTo};

/// Names that are told; a longer way begins in its midst.
const NAMES_MAX: usize = 12;

/// Leads the names of a value, which begin in this flow, back to where it was asked for; a single name is not told.
pub(super) fn add_source(problem: &mut Diagnostic, flows: &[Option<CheckedFlow>], flow: u32) {
    let Some(way) = problem.ways.first_mut() else { return };
    let mut flow = flow;
    while let Some(first) = way.turns.first().map(|turn| turn.span).filter(|_| way.turns.len() < NAMES_MAX) {
        let Some((giver, trail)) = handed(flows, flow, first) else { break };
        flow = giver;
        let is_circle = trail.iter().any(|(_, span)| way.turns.iter().any(|turn| turn.span == *span));
        if is_circle || trail.is_empty() {
            break;
        }
        way.turns.splice(0..0, trail.iter().rev().map(|(name, span)| Turn::enters(name, *span)));
    }
    if way.turns.len() < 2 {
        problem.ways.clear();
    }
}

/// Of the parameter that is written there, the flow that hands it a value and the names of that, latest first.
fn handed(flows: &[Option<CheckedFlow>], flow: u32, name: Span) -> Option<(u32, &[(String, Span)])> {
    let checked = flows.get(flow as usize)?.as_ref()?;
    let local = (0u32..).zip(&checked.hir.locals).find(|(_, local)| local.span == name).map(|(index, _)| index)?;
    if local < checked.hir.parameters {
        let givers = (0u32..).zip(flows).filter_map(|(index, giver)| Some((index, giver.as_ref()?)));
        return givers.into_iter().find_map(|(index, giver)| {
            let handed = giver.handed.iter().find(|handed| handed.to == (HandedTo::Flow(flow), local))?;
            Some((index, handed.trail.as_slice()))
        });
    }
    let (step, parameter) = (0u32..).zip(&checked.hir.steps).find_map(|(index, step)| {
        let parameter = step.parameters.iter().position(|parameter| parameter.0 == local)?;
        Some((index, parameter as u32))
    })?;
    let handed = checked.handed.iter().find(|handed| handed.to == (HandedTo::Step(step), parameter))?;
    Some((flow, handed.trail.as_slice()))
}
