//! What a cadence does: the attempt with its arms, `after attempt`, `exhausted`. Each is a flow.

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast;
use runtime_contract::cadence::{AfterAttempt, DECLINED, Dial};
use runtime_contract::request::Kind;

use super::{RING_MS, Reader};
use crate::check::{ActionOf, Checker, InCadence, Outcomes, RETRY, RETRY_AT};
use crate::declare::whole;
use crate::hir::{self, Block, ExprKind, OutcomeArm, Statement, StatementKind};
use crate::paths::{After, after_block};
use crate::ty::Ty;

impl Reader<'_, '_> {
    pub(super) fn dial(
        &mut self,
        clause: &ast::CadenceClause,
        number: &ast::Expr,
        from: Option<&ast::Expr>,
        ring: Option<&ast::Expr>,
        arms: &ast::Arms,
    ) {
        let attempt = Ty::Enum(self.said.attempt);
        let (keyword, span) = (clause.keyword, clause.span);
        let mut shown = None;
        let mut ring_ms = RING_MS;
        let flow = self.action("dial", ActionOf::Attempt, span, Some(&attempt), |checker| {
            let number = checker.value(number, &Ty::Phone);
            let from = from.map(|from| checker.value(from, &Ty::Phone));
            checker.needs_trunk(number.span);
            ring_ms = ring.and_then(|ring| checker.ring(ring)).unwrap_or(RING_MS);
            shown = from.as_ref().and_then(|from| match from.kind {
                ExprKind::Phone(phone) => Some(phone),
                _ => None,
            });
            let verb = "`dial`".to_owned();
            let outcomes = Outcomes { verb, leads_to: "retry in 1d", ..Outcomes::of(Kind::Dial, None) };
            let kind = ast::StatementKind::Missing;
            let statement = ast::Statement { keyword, kind, otherwise: None, span };
            let is_sound = [Some(&number), from.as_ref()].into_iter().flatten();
            let is_sound = is_sound.into_iter().all(|value| !matches!(value.kind, ExprKind::Broken));
            let kind = match checker.outcome_arms(&statement, Some(arms), &outcomes) {
                Some(mut found) if is_sound => {
                    found.arms.iter_mut().for_each(|arm| arm_ends(checker, arm));
                    StatementKind::Dial(hir::Dial { number, from, ring_ms, arms: found.arms })
                }
                _ => StatementKind::Broken,
            };
            Block { statements: vec![Statement { kind, keyword, span }] }
        });
        self.flows.iter_mut().skip(flow as usize).flatten().for_each(|flow| flow.hir.is_attempt = true);
        self.places.ring = Some(ring.map_or(keyword, |ring| ring.span));
        self.table.dial = Some(Dial { from: shown, ring_ms: u64::from(ring_ms), flow });
    }

    pub(super) fn after_attempt(&mut self, attempt: &ast::Expr, body: &ast::Body, clause: &ast::CadenceClause) {
        let number = match whole(attempt) {
            Some(number) if number > 0 => u32::try_from(number).unwrap_or(u32::MAX),
            _ => {
                if !matches!(attempt.kind, ast::ExprKind::Missing) {
                    let message = "attempts are numbered from 1, and the number is written out";
                    self.problems
                        .give(Diagnostic::new(Code::BadLiteral, attempt.span, message).help("`after attempt 3`"));
                }
                return;
            }
        };
        if let Some((_, earlier)) = self.places.after.iter().find(|(known, _)| *known == number) {
            let what = format!("after attempt {number}");
            return crate::routing::twice(self.problems, clause.keyword, *earlier, &what);
        }
        self.places.after.push((number, attempt.span));
        let span = clause.span;
        let label = format!("after attempt {number}");
        let flow = self.action(&label, ActionOf::AfterAttempt, span, None, |checker| {
            let mut block = checker.block(&body.statements);
            if after_block(&block) == After::GoesOn {
                block.statements.push(Statement { kind: StatementKind::Return(None), keyword: span, span });
            }
            block
        });
        self.table.after.push(AfterAttempt { attempt: number, flow });
    }

    pub(super) fn exhausted(&mut self, body: &ast::Body, clause: &ast::CadenceClause) {
        let (keyword, span) = (clause.keyword, clause.span);
        let flow = self.action("exhausted", ActionOf::Exhausted, span, Some(&Ty::Int(None)), |checker| {
            let mut block = checker.block(&body.statements);
            if after_block(&block) == After::GoesOn {
                let message = "this does not say how the cadence has ended";
                let diagnostic = Diagnostic::new(Code::PathDoesNotEnd, keyword, message);
                checker.problems.give(diagnostic.help("`exhausted => stop exhausted`"));
                block.statements.push(Statement { kind: StatementKind::Broken, keyword, span });
            }
            block
        });
        self.table.exhausted = Some(flow);
    }

    /// A flow of actions, which go on with what those before have said.
    fn action(
        &mut self,
        label: &str,
        of: ActionOf,
        span: Span,
        result: Option<&Ty>,
        body: impl FnOnce(&mut Checker<'_, '_>) -> Block,
    ) -> u32 {
        let mut said = Some(InCadence { of, ..std::mem::take(&mut self.said) });
        let flow = self.flow(label, span, result, |checker| {
            checker.cadence = said.take();
            let block = body(checker);
            said = checker.cadence.take();
            block
        });
        self.said = said.unwrap_or_default();
        flow
    }
}

/// F0502 for an arm that does not say how the attempt ended, F1007 for one that calls a person again who refused.
fn arm_ends(checker: &mut Checker<'_, '_>, arm: &mut OutcomeArm) {
    if after_block(&arm.block) == After::GoesOn {
        let message = "this arm does not say whether the person is called again";
        let diagnostic = Diagnostic::new(Code::PathDoesNotEnd, arm.span, message);
        checker.problems.give(diagnostic.help("`then retry in 1d`, or `then stop done`"));
        arm.block.statements.push(Statement { kind: StatementKind::Broken, keyword: arm.span, span: arm.span });
    }
    let outcomes = Kind::Dial.row().outcomes;
    let declines = |outcome: &u32| outcomes.get(*outcome as usize).is_some_and(|name| *name == DECLINED);
    if !arm.takes.iter().any(declines) {
        return;
    }
    let mut again = Vec::new();
    arm.block.each(&mut |statement| {
        if let StatementKind::Return(Some(value)) = &statement.kind
            && let ExprKind::Construct { variant: RETRY | RETRY_AT, .. } = &value.kind
        {
            again.push(statement.span);
        }
    });
    for span in again {
        let message = "a person who declines the call is not called again";
        checker.problems.give(
            Diagnostic::new(Code::DialAfterFinalOutcome, span, message)
                .label(arm.span, "`declined` leads here")
                .help("`declined => stop declined`"),
        );
    }
}
