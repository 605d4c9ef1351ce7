//! `let` and `match`: each arm of a `let` has a value or ends, each value of a `match` has its arm.

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast::{self, LetValue, MatchSubject};

use super::origin::Origin;
use super::statement::{Body, Tail, broken};
use super::{Checker, Region, Typed};
use crate::hir::{self, Block, LocalId, Pattern, Statement, StatementKind};
use crate::paths::{After, after_block};
use crate::ty::Ty;

/// The local that a `let` fills, and its name.
#[derive(Clone, Copy)]
pub(crate) struct Target<'n> {
    pub local: LocalId,
    pub name: &'n ast::Name,
}

impl Checker<'_, '_> {
    pub fn let_statement(&mut self, statement: &ast::Statement, name: &ast::Name, value: &LetValue, into: &mut Block) {
        // The name is not in sight on its own right side.
        let local = self.hidden(Ty::Broken, name.span);
        let target = Target { local, name };
        match value {
            LetValue::Ask(ask) => self.ask(statement, ask, target, into),
            LetValue::Record(record) => self.record_message(statement, record, target, into),
            LetValue::Match(found) => self.match_statement(statement, found, Some(target), into),
            LetValue::Run(run) => self.let_run(statement, run, target, into),
            LetValue::Value(expr) => match self.operation_call(expr) {
                Some(call) => self.let_call(statement, call, target, into),
                None => self.let_value(statement, expr, target, into),
            },
        }
        self.give_name(local, name);
        if self.region == Region::Top && self.scopes.len() == 1 {
            let order = self.top_lets;
            self.top_lets += 1;
            self.top_assigned.push((local, into.statements.len()));
            if let Some(info) = self.local_mut(local) {
                info.top = Some(order);
            }
        }
    }

    pub fn set_type(&mut self, target: Target<'_>, ty: Ty) {
        if let Some(info) = self.local_mut(target.local) {
            info.ty = ty;
        }
    }

    fn let_value(&mut self, statement: &ast::Statement, expr: &ast::Expr, target: Target<'_>, into: &mut Block) {
        let value = self.expr(expr, None);
        let Some(otherwise) = &statement.otherwise else {
            return self.assign(statement, value, target, into);
        };
        if let [ast::Statement { kind: ast::StatementKind::Value(fallback), .. }] = otherwise.body.statements.as_slice()
        {
            let value = self.or_else(value, otherwise.keyword, fallback);
            return self.assign(statement, value, target, into);
        }
        let inner = match &value.ty {
            Ty::Optional(inner) => (**inner).clone(),
            ty if ty.is_broken() || *ty == Ty::Nothing => Ty::Broken,
            ty => {
                let text = self.text_of(ty);
                self.problems.give(
                    Diagnostic::new(
                        Code::ArmNeverReached,
                        otherwise.keyword,
                        "this value is never missing, so `else` is idle",
                    )
                    .label(expr.span, format!("always a `{text}`"))
                    .help("leave `else` and what follows away"),
                );
                Ty::Broken
            }
        };
        let tail = Tail { value: Some((target.local, Some(inner.clone()))) };
        let body = self.scoped(|checker| checker.statements(&otherwise.body.statements, &tail));
        let mut arms = vec![ArmBody { body, span: otherwise.body.span }];
        let good = inner.clone();
        self.inherit(target.local, &value.expr);
        let ty = self.join_arms(Some(inner), &mut arms, target);
        self.set_type(target, ty.clone());
        let otherwise = arms.into_iter().map(|arm| arm.body.block).next().unwrap_or_default();
        let (local, then) = self.good_value(&good, &ty, target, statement);
        let condition = hir::ExprKind::IsSome(Box::new(value.expr), Some(local));
        let condition = hir::Expr { kind: condition, ty: Ty::Bool.lower(), span: expr.span };
        let kind = StatementKind::If { condition, then, otherwise };
        into.statements.push(Statement { kind, keyword: statement.keyword, span: statement.span });
    }

    fn assign(&mut self, statement: &ast::Statement, value: Typed, target: Target<'_>, into: &mut Block) {
        let ty = match value.ty {
            Ty::Nothing => {
                self.problems.give(
                    Diagnostic::new(Code::TypeMismatch, value.expr.span, "`none` alone does not say what is missing")
                        .help("a value, or a flow parameter of an optional type"),
                );
                Ty::Broken
            }
            ty => ty,
        };
        self.set_type(target, ty);
        self.inherit(target.local, &value.expr);
        let kind = StatementKind::Let { local: target.local, value: value.expr };
        into.statements.push(Statement { kind, keyword: statement.keyword, span: statement.span });
    }

    /// `match …`, alone or right of a `let`.
    pub fn match_statement(
        &mut self,
        statement: &ast::Statement,
        found: &ast::Match,
        target: Option<Target<'_>>,
        into: &mut Block,
    ) {
        match &found.subject {
            MatchSubject::Value(expr) => match self.operation_call(expr) {
                Some(call) => self.match_call(statement, found, call, target, into),
                None => {
                    let subject = self.expr(expr, None);
                    self.match_value(statement, found, subject, false, target, into);
                }
            },
            MatchSubject::Run(run) => {
                let (result, call) = self.running(run);
                let Some(result) = result else {
                    self.problems.give(
                        Diagnostic::new(Code::TypeMismatch, run.span, "this flow gives nothing to match")
                            .help("leave the match and its arms out"),
                    );
                    into.statements.push(broken(statement));
                    return;
                };
                let Some((flow, arguments)) = call else {
                    self.match_value(statement, found, super::broken(run.span), true, target, into);
                    return;
                };
                let local = self.hidden(result.clone(), run.span);
                let (found, hangup) = self.without_hangup(found);
                let subject = super::typed(hir::ExprKind::Local(local), result, run.span);
                let mut returned = Block::default();
                self.match_value(statement, &found, subject, true, target, &mut returned);
                let mut kind =
                    hir::Run { flow, arguments, result: Some(local), returns: self.comes_back(flow), hangup: None };
                let gone = match hangup {
                    Some(body) => self.block(&body.statements),
                    // Nobody knows where it was to lead.
                    None => Block { statements: vec![broken(statement)] },
                };
                if self.is_in_attempt() {
                    kind.hangup = Some(hir::Hangup { returned: std::mem::take(&mut returned), gone });
                }
                let kind = StatementKind::Run(kind);
                into.statements.push(Statement { kind, keyword: run.keyword, span: run.span });
                into.statements.extend(returned.statements);
            }
        }
    }

    fn match_value(
        &mut self,
        statement: &ast::Statement,
        found: &ast::Match,
        subject: Typed,
        of_run: bool,
        target: Option<Target<'_>>,
        into: &mut Block,
    ) {
        let mut cover = self.cover(&subject.ty, of_run);
        let mut arms: Vec<ArmBody> = Vec::new();
        let mut patterns: Vec<Vec<Pattern>> = Vec::new();
        let mut wanted = None;
        for arm in &found.arms.list {
            let (found, body) = self.scoped(|checker| {
                let patterns: Vec<Pattern> =
                    arm.patterns.iter().filter_map(|pattern| checker.pattern(pattern, &subject, &mut cover)).collect();
                let tail = Tail { value: target.map(|target| (target.local, wanted.clone())) };
                (patterns, checker.statements(&arm.body.statements, &tail))
            });
            wanted = wanted.or(body.value.clone().filter(|ty| *ty != Ty::Nothing));
            self.names_in_one_of_several(&arm.patterns);
            patterns.push(found);
            arms.push(ArmBody { body, span: arm.span });
        }
        self.covered(&cover, found.keyword);
        if let Some(target) = target {
            let ty = self.join_arms(None, &mut arms, target);
            self.set_type(target, ty);
        }
        let arms = patterns.into_iter().zip(arms);
        let arms = arms.map(|(patterns, arm)| hir::MatchArm { patterns, block: arm.body.block, span: arm.span });
        let arms: Vec<hir::MatchArm> = arms.collect();
        let kind = match subject.ty.is_broken() && arms.is_empty() {
            true => StatementKind::Broken,
            false => StatementKind::Match(hir::Match { subject: subject.expr, arms }),
        };
        into.statements.push(Statement { kind, keyword: statement.keyword, span: statement.span });
    }
}

/// The body of one arm, with its value if it ends in one.
pub(crate) struct ArmBody {
    pub body: Body,
    pub span: Span,
}

impl Checker<'_, '_> {
    /// The type of the local that arms fill: that of the good outcome, widened by the values that arms give. Each arm
    /// gives a value or ends. Where there is a good outcome, what is known of its value stands at the local already.
    pub fn join_arms(&mut self, good: Option<Ty>, arms: &mut [ArmBody], target: Target<'_>) -> Ty {
        let good_known = good.as_ref().map(|good| self.known(target.local, good));
        let mut joined = good;
        for arm in arms.iter() {
            let Some(ty) = &arm.body.value else {
                if after_block(&arm.body.block) == After::GoesOn {
                    let message = format!("this arm goes on and gives `{}` no value", target.name.text);
                    self.problems.give(
                        Diagnostic::new(Code::NotAssignedOnEveryPath, arm.span, message)
                            .label(target.name.span, "wanted here")
                            .help("end it by a value such as `none`, or by `hang up`, `return` or a `go`"),
                    );
                    joined = Some(Ty::Broken);
                }
                continue;
            };
            joined = Some(match joined {
                None => ty.clone(),
                // What does not fit is said below, where the value is made to.
                Some(joined) => joined.join(ty).unwrap_or(joined),
            });
        }
        let ty = match joined {
            Some(Ty::Nothing) | None => Ty::Broken,
            Some(ty) => ty,
        };
        for arm in arms.iter_mut() {
            let Some(of) = arm.body.value.clone() else { continue };
            let last = arm.body.block.statements.iter_mut().rev().find_map(|statement| match &mut statement.kind {
                StatementKind::Let { local, value } if *local == target.local => Some(value),
                _ => None,
            });
            if let Some(value) = last {
                let span = value.span;
                let taken = std::mem::replace(value, super::broken_expr(span));
                *value = self.coerce(Typed { expr: taken, ty: of }, &ty);
            }
        }
        self.join_known(good_known, arms, target.local);
        ty
    }

    /// What is known of the good outcome's value, if it becomes private.
    fn known(&self, local: LocalId, good: &Ty) -> Origin {
        let origin = self.local(local).map(|info| info.origin.clone()).unwrap_or_default();
        match good.is_private() {
            true => origin,
            // What was public before has nothing to keep.
            false => Origin { service: origin.service, ..Origin::of_digits(u32::MAX) },
        }
    }

    /// The local may hold any of the values: only what holds for all of them is known. `none` has no digits, and nothing
    /// to compare.
    fn join_known(&mut self, good: Option<Origin>, arms: &[ArmBody], local: LocalId) {
        let given = arms.iter().flat_map(|arm| &arm.body.block.statements).filter_map(|given| match &given.kind {
            StatementKind::Let { local: filled, value } if *filled == local => Some(value),
            _ => None,
        });
        let given = given.filter(|value| !matches!(value.kind, hir::ExprKind::None));
        let given = given.map(|value| self.origin(value));
        let joined = good.into_iter().chain(given).reduce(Origin::and);
        if let (Some(known), Some(info)) = (joined, self.local_mut(local)) {
            info.origin = known;
        }
    }
}
