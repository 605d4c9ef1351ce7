//! `when CONDITION over D`: a test on what queues measure. A measure of nobody has no value; then what compares it is
//! neither true nor false, and only the rest of the condition decides.

use std::collections::BTreeSet;

use lang_diagnostics::{Code, Diagnostic};
use lang_syntax::ast;
use runtime_contract::queue::WINDOW_MS_MAX;
use runtime_contract::rule::{Alarm, Measure, When};
use runtime_contract::types::Type;

use super::Reader;
use crate::check::{Checker, Measured, clause_flow};
use crate::declare::duration;
use crate::hir::{self, Block, Expr, ExprKind, LocalId, Statement, StatementKind};
use crate::problems::Problems;
use crate::ty::Ty;

impl Reader<'_, '_> {
    pub(super) fn alarm(&mut self, condition: &ast::Expr, over: &ast::Expr) -> Option<(When, u32)> {
        let window_ms = self.window(over);
        let tests = self.measures(|checker| {
            checker.condition(condition);
        });
        let mut checker = Checker::new(self.project, self.module, self.problems);
        checker.measured = Some(Measured::of(&tests, &mut checker, |measure| measure.may_lack(), true, condition.span));
        checker.parameters = checker.locals.len() as u32;
        let value = checker.condition(condition);
        let is_sound = !matches!(value.kind, ExprKind::Broken);
        if is_sound && tests.is_empty() {
            let message = "this tests nothing that a queue measures";
            let diagnostic = Diagnostic::new(Code::TypeMismatch, condition.span, message);
            checker.problems.give(diagnostic.help("`when support.waiting > 10 over 15m => …`"));
        }
        let lacking: BTreeSet<LocalId> =
            (0..).map(LocalId).zip(&tests).filter(|(_, m)| m.may_lack()).map(|(l, _)| l).collect();
        let compared = compared(&value, true, &lacking);
        let asks_hours = !checker.hours_asked.is_empty();
        let stated = value.clone();
        let kind = StatementKind::Return(Some(decided(value, true, &lacking)));
        let span = condition.span;
        if let StatementKind::Return(Some(value)) = &kind {
            crate::routing::too_costly(&mut checker, value);
        }
        let block = Block { statements: vec![Statement { kind, keyword: span, span }] };
        let name = format!("{} condition", self.name);
        let flow = clause_flow(checker, name, span, Some(&Ty::Bool), block);
        self.flows.push(Some(flow));
        let condition = self.flows.len() as u32 - 1;
        if is_sound {
            super::never::never(self.project, &stated, &tests, self.problems);
        }

        let body = self.body;
        let shows = self.measures(|checker| {
            checker.block(&body.statements);
        });
        let known = |measure: Measure| {
            let local = (0..).map(LocalId).zip(&tests).find(|(_, own)| **own == measure).map(|(local, _)| local);
            !measure.may_lack() || local.is_some_and(|local| compared.contains(&local))
        };
        let action = self.action(|checker| {
            let shown = Measured::of(&shows, checker, |measure| !known(measure), false, body.span);
            checker.measured = Some(Measured { queue: tests.first().map(|first| first.queue), ..shown });
        });
        let alarm = Alarm { window_ms: window_ms?, condition, tests, shows, asks_hours };
        is_sound.then_some((When::Alarm(alarm), action))
    }

    fn window(&mut self, over: &ast::Expr) -> Option<u64> {
        let ms = duration(over, "over 15m", self.problems).and_then(|ms| u64::try_from(ms).ok())?;
        if ms > WINDOW_MS_MAX {
            let message = "what a queue measures is known of the last day, and of no longer";
            self.problems.give(Diagnostic::new(Code::BadLiteral, over.span, message).help("`over 1d`"));
            return None;
        }
        Some(ms)
    }

    /// What is read of queues must be known before there is a flow with its parameters, so everything is read twice; what
    /// is wrong is told of the second time.
    fn measures(&self, read: impl FnOnce(&mut Checker<'_, '_>)) -> Vec<Measure> {
        let mut unheard = Problems::default();
        let mut checker = Checker::new(self.project, self.module, &mut unheard);
        checker.returns = self.returns;
        checker.measured = Some(Measured::default());
        let texts = self.project.prompts.borrow().len();
        read(&mut checker);
        self.project.prompts.borrow_mut().truncate(texts);
        checker.measured.map_or_else(Vec::new, |measured| measured.known.into_keys().collect())
    }
}

/// Where the condition is true for certain (`wanted`: true) or false for certain, whatever is lacking.
fn decided(value: Expr, wanted: bool, lacking: &BTreeSet<LocalId>) -> Expr {
    let (ty, span) = (value.ty.clone(), value.span);
    let part = |part: Box<Expr>, wanted| Box::new(decided(*part, wanted, lacking));
    let kind = match value.kind {
        ExprKind::Not(inner) => return decided(*inner, !wanted, lacking),
        ExprKind::And(left, right) if wanted => ExprKind::And(part(left, true), part(right, true)),
        ExprKind::And(left, right) => ExprKind::Or(part(left, false), part(right, false)),
        ExprKind::Or(left, right) if wanted => ExprKind::Or(part(left, true), part(right, true)),
        ExprKind::Or(left, right) => ExprKind::And(part(left, false), part(right, false)),
        kind => {
            let value = Expr { kind, ty: ty.clone(), span };
            let read = reads(&value, lacking);
            let own = match wanted {
                true => value,
                false => Expr { kind: ExprKind::Not(Box::new(value)), ty: ty.clone(), span },
            };
            let with = |rest: Expr, (local, measured): (LocalId, Type)| {
                let local = Expr { kind: ExprKind::Local(local), ty: measured, span };
                let is_some = Expr { kind: ExprKind::IsSome(Box::new(local), None), ty: Type::Bool, span };
                Expr { kind: ExprKind::And(Box::new(is_some), Box::new(rest)), ty: Type::Bool, span }
            };
            return read.into_iter().rev().fold(own, with);
        }
    };
    Expr { kind, ty, span }
}

/// Measures that have a value wherever the condition is true.
fn compared(value: &Expr, wanted: bool, lacking: &BTreeSet<LocalId>) -> BTreeSet<LocalId> {
    let of = |part: &Expr| compared(part, wanted, lacking);
    match &value.kind {
        ExprKind::Not(inner) => compared(inner, !wanted, lacking),
        ExprKind::And(left, right) | ExprKind::Or(left, right) => {
            let (left, right) = (of(left), of(right));
            match matches!(value.kind, ExprKind::And(..)) == wanted {
                true => &left | &right,
                false => &left & &right,
            }
        }
        _ => reads(value, lacking).into_iter().map(|(local, _)| local).collect(),
    }
}

/// Of these locals, those that a value reads, with their types.
fn reads(value: &hir::Expr, lacking: &BTreeSet<LocalId>) -> Vec<(LocalId, Type)> {
    let mut found: Vec<(LocalId, Type)> = Vec::new();
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        if let ExprKind::Local(local) = &value.kind
            && lacking.contains(local)
            && found.iter().all(|(known, _)| known != local)
        {
            found.push((*local, value.ty.clone()));
        }
        open.extend(value.parts());
    }
    found
}
