//! What a cadence does: the attempt with its arms, `after attempt`, `exhausted`. Each is a flow.

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast;
use runtime_contract::cadence::{AfterAttempt, Again, DECLINED, Dial, Message};
use runtime_contract::channel::Channel;
use runtime_contract::request;
use runtime_contract::types::Type;
use runtime_contract::value::Phone;

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
        let mut ring_ms = RING_MS;
        let (flow, from) = self.attempt(clause, Channel::Voice, arms, |checker| {
            let number = checker.value(number, &Ty::Phone);
            let from = from.map(|from| checker.value(from, &Ty::Phone));
            checker.needs_trunk(number.span);
            ring_ms = ring.and_then(|ring| checker.ring(ring)).unwrap_or(RING_MS);
            (number, from, ring_ms)
        });
        self.places.ring = Some(ring.map_or(clause.keyword, |ring| ring.span));
        self.table.dial = Some(Dial { from, ring_ms: u64::from(ring_ms), flow });
    }

    pub(super) fn message(
        &mut self,
        clause: &ast::CadenceClause,
        to: &ast::Expr,
        by: &ast::Name,
        from: Option<&ast::Expr>,
        arms: &ast::Arms,
    ) {
        let channel = match by.text.as_str() {
            "sms" => Channel::Sms,
            "chat" => Channel::Chat,
            _ => {
                let message = "a cadence writes by SMS or in a chat";
                self.problems.give(Diagnostic::new(Code::BadLiteral, by.span, message).help("`by sms`"));
                return;
            }
        };
        let (flow, from) = self.attempt(clause, channel, arms, |checker| {
            (checker.value(to, &Ty::Phone), from.map(|from| checker.value(from, &Ty::Phone)), 0)
        });
        self.table.message = Some(Message { channel, from, flow });
    }

    /// The flow of an attempt, and the number that it shows where that is written out.
    fn attempt(
        &mut self,
        clause: &ast::CadenceClause,
        by: Channel,
        arms: &ast::Arms,
        read: impl FnOnce(&mut Checker<'_, '_>) -> (hir::Expr, Option<hir::Expr>, u32),
    ) -> (u32, Option<Phone>) {
        let attempt = Ty::Enum(self.said.attempt);
        let (keyword, span) = (clause.keyword, clause.span);
        let kind = request::Dial::kind(by);
        let name = kind.row().name;
        let mut shown = None;
        let flow = self.action(name, ActionOf::Attempt, span, Some(&attempt), |checker| {
            let (number, from, ring_ms) = read(checker);
            shown = from.as_ref().and_then(|from| match from.kind {
                ExprKind::Phone(phone) => Some(phone),
                _ => None,
            });
            let verb = format!("`{name}`");
            let outcomes = Outcomes { verb, leads_to: "retry in 1d", ..Outcomes::of(kind, None) };
            let missing = ast::StatementKind::Missing;
            let statement = ast::Statement { keyword, kind: missing, otherwise: None, span };
            let is_sound = |value: &hir::Expr| !matches!(value.kind, ExprKind::Broken);
            let is_sound = is_sound(&number) && from.as_ref().is_none_or(is_sound);
            let kind = match checker.outcome_arms(&statement, Some(arms), &outcomes) {
                Some(mut found) if is_sound => {
                    found.arms.iter_mut().for_each(|arm| arm_ends(checker, by, arm));
                    StatementKind::Dial(hir::Dial { by, number, from, ring_ms, arms: found.arms })
                }
                _ => StatementKind::Broken,
            };
            Block { statements: vec![Statement { kind, keyword, span }] }
        });
        self.flows.iter_mut().skip(flow as usize).flatten().for_each(|flow| flow.hir.is_attempt = true);
        (flow, shown)
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
        let first = self.project.modules.get(self.info.module).and_then(|module| module.languages.first()).copied();
        let flow = self.flow(label, span, result, |checker| {
            checker.cadence = said.take();
            let mut block = body(checker);
            said = checker.cadence.take();
            // A conversation begins in the program's first language; one of this file, in the file's.
            if let Some(language) = first.filter(|language| *language != 0) {
                let language = hir::Expr { kind: ExprKind::Language(language), ty: Type::Language, span };
                let kind = StatementKind::SetLanguage(language);
                block.statements.insert(0, Statement { kind, keyword: span, span });
            }
            block
        });
        self.said = said.unwrap_or_default();
        flow
    }
}

/// F0502 for an arm that does not say how the attempt ended, F1007 for one that calls a person again who refused.
fn arm_ends(checker: &mut Checker<'_, '_>, by: Channel, arm: &mut OutcomeArm) {
    if after_block(&arm.block) == After::GoesOn {
        let message = "this arm does not say whether the person is called again";
        let diagnostic = Diagnostic::new(Code::PathDoesNotEnd, arm.span, message);
        checker.problems.give(diagnostic.help("`then retry in 1d`, or `then stop done`"));
        arm.block.statements.push(Statement { kind: StatementKind::Broken, keyword: arm.span, span: arm.span });
    }
    let mut again = Vec::new();
    arm.block.each(&mut |statement| {
        if let StatementKind::Return(Some(value)) = &statement.kind
            && let ExprKind::Construct { variant: variant @ (RETRY | RETRY_AT), fields } = &value.kind
        {
            let ladder = match fields.as_slice() {
                [hir::Argument { value: hir::Expr { kind: ExprKind::Int(ladder), .. }, .. }] if *variant == RETRY => {
                    u32::try_from(*ladder).ok()
                }
                _ => None,
            };
            again.push((ladder, statement.span));
        }
    });
    let names = request::Dial::kind(by).row().outcomes;
    let taken = arm.takes.iter().filter_map(|outcome| Some((*outcome, *names.get(*outcome as usize)?)));
    if let Some(cadence) = &mut checker.cadence {
        let arms = taken.clone().flat_map(|(outcome, name)| {
            let outcome = request::Dial::reached(by, outcome);
            again.iter().map(move |(ladder, _)| (Again { outcome, ladder: *ladder }, name))
        });
        cadence.again.extend(arms);
    }
    if !taken.clone().any(|(_, name)| name == DECLINED) {
        return;
    }
    for (_, span) in again {
        let message = "a person who declines the call is not called again";
        checker.problems.give(
            Diagnostic::new(Code::DialAfterFinalOutcome, span, message)
                .label(arm.span, "`declined` leads here")
                .help("`declined => stop declined`"),
        );
    }
}
