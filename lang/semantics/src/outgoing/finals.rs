//! Whoever declines a call is called by no cadence again, so none begins behind `declined`.

use lang_diagnostics::{Code, Diagnostic, Span};
use runtime_contract::cadence::DECLINED;
use runtime_contract::request;

use super::reached::{Way, each_reached};
use crate::check::CheckedFlow;
use crate::hir::{self, Block, ExprKind, OutcomeArm, StatementKind};
use crate::problems::Problems;
use crate::script::constant;

/// F1007 for a cadence that begins behind `declined`, in the arm itself or in a flow that it runs.
pub(crate) fn check_finals(cadences: &[hir::Cadence], flows: &[Option<CheckedFlow>], problems: &mut Problems) {
    for attempt in super::attempts(cadences) {
        let Some(checked) = flows.get(attempt as usize).and_then(Option::as_ref) else { continue };
        for arm in declined(&checked.hir.top) {
            let told = |way: &Way| problems_of(arm.span, way);
            let mut list = Vec::new();
            arm.block.each(&mut |statement| {
                if let StatementKind::Start(start) = &statement.kind
                    && is_same_person(start, cadences, flows)
                {
                    list.push(told(&Way { statement: statement.keyword, runs: Vec::new() }));
                }
            });
            let is_inside = |place: &Span| {
                arm.span.file == place.file && arm.span.start <= place.start && place.end <= arm.span.end
            };
            for (callee, place) in checked.runs.iter().filter(|(_, place)| is_inside(place)) {
                each_reached(flows, [*callee], &mut |statement, way| {
                    if let StatementKind::Start(start) = &statement.kind
                        && is_same_person(start, cadences, flows)
                    {
                        let mut way = way();
                        way.runs.insert(0, (*callee, *place));
                        list.push(told(&way));
                    }
                });
            }
            list.into_iter().for_each(|diagnostic| problems.give(diagnostic));
        }
    }
}

/// The arms of an attempt that take `declined`.
fn declined(top: &Block) -> impl Iterator<Item = &OutcomeArm> {
    let dials = top.statements.iter().filter_map(|statement| match &statement.kind {
        StatementKind::Dial(dial) => Some(dial),
        _ => None,
    });
    dials.flat_map(|dial| {
        let outcomes = request::Dial::kind(dial.by).row().outcomes;
        let is_final = move |outcome: &u32| outcomes.get(*outcome as usize).is_some_and(|name| *name == DECLINED);
        dial.arms.iter().filter(move |arm| arm.takes.iter().any(is_final))
    })
}

/// A number that is written out is somebody else's: that of the office.
fn is_same_person(start: &hir::Start, cadences: &[hir::Cadence], flows: &[Option<CheckedFlow>]) -> bool {
    let number = || {
        let flow = cadences.get(start.cadence as usize)?.table.number?;
        match flows.get(flow as usize)?.as_ref()?.hir.top.statements.as_slice() {
            [hir::Statement { kind: StatementKind::Return(Some(number)), .. }] => Some(number),
            _ => None,
        }
    };
    let Some(mut number) = number() else { return true };
    while let ExprKind::Field { base, .. } = &number.kind {
        number = base;
    }
    match number.kind {
        ExprKind::Local(parameter) => {
            let given = start.arguments.iter().find(|argument| argument.index == parameter.0);
            given.is_none_or(|given| constant(&given.value).is_none())
        }
        _ => constant(number).is_none(),
    }
}

fn problems_of(arm: Span, way: &Way) -> Diagnostic {
    let message = "this calls a person again who declined the call";
    let diagnostic =
        Diagnostic::new(Code::DialAfterFinalOutcome, way.statement, message).label(arm, "`declined` leads here");
    let places = way.runs.iter().map(|(_, place)| *place);
    places
        .fold(diagnostic, |diagnostic, place| diagnostic.label(place, "by way of this"))
        .help("leave it out, and `stop declined`")
}
