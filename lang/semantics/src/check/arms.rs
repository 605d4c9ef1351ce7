//! `let`, `match` and calls that wait: each outcome has its arm, each arm of a `let` has a value or ends.

use std::collections::BTreeMap;

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast::{self, ExprKind, LetValue, MatchSubject, PatternKind};

use super::call::{OperationCall, Receiver};
use super::statement::{Body, Tail, broken};
use super::{Checker, Region, Typed};
use crate::hir::{self, Block, LocalId, Pattern, Statement, StatementKind};
use crate::paths::{After, after_block};
use crate::problems::offer_nearest;
use crate::project::Def;
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
        let ty = self.join_arms(Some(inner), &mut arms, target);
        self.set_type(target, ty.clone());
        self.inherit(target.local, &value.expr);
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

    /// `svc.op(args)` alone.
    pub fn call_statement(&mut self, statement: &ast::Statement, expr: &ast::Expr, into: &mut Block) {
        let Some(call) = self.operation_call(expr) else {
            self.not_an_action(expr, statement);
            into.statements.push(broken(statement));
            return;
        };
        let Some((operation, arguments)) = self.operation(&call, expr.span) else {
            if let Some(otherwise) = &statement.otherwise {
                self.block(&otherwise.body.statements);
            }
            into.statements.push(broken(statement));
            return;
        };
        let result = self.project.operation(call.service, operation).and_then(|info| info.result.clone());
        if let Some(result) = result {
            let message = format!("the `{}` that `{}` gives is thrown away", self.text_of(&result), call.name.text);
            self.problems.give(
                Diagnostic::new(Code::ResultNotUsed, expr.span, message).help(format!("let answer = … else {}", "…")),
            );
        }
        let failed = match &statement.otherwise {
            Some(otherwise) => self.block(&otherwise.body.statements),
            None => {
                self.problems.give(
                    Diagnostic::new(
                        Code::OutcomeNotHandled,
                        expr.span,
                        "this does not say what happens when it failed",
                    )
                    .help("… else continue"),
                );
                Block::default()
            }
        };
        let service = call.service;
        let call = hir::ServiceCall { service, operation, arguments, result: None, ok: Block::default(), failed };
        let kind = StatementKind::Service(call);
        into.statements.push(Statement { kind, keyword: statement.keyword, span: statement.span });
    }

    fn not_an_action(&mut self, expr: &ast::Expr, statement: &ast::Statement) {
        let ExprKind::Call { callee, .. } = &expr.kind else { return self.value_not_action(expr) };
        let names = Self::names_of(callee).unwrap_or_default();
        let words: Vec<&str> = names.iter().map(|name| name.text.as_str()).collect();
        let local = names.first().is_some_and(|name| self.lookup(&name.text).is_some());
        let reached = if local { None } else { self.project.reach(self.module, &words) };
        match reached.map(|reached| reached.def) {
            Some(Def::Broken) => {}
            Some(Def::Flow(_)) => {
                let message = format!("`{}` is a flow, which is run", words.join("."));
                self.problems.give(
                    Diagnostic::new(Code::ValueWhereActionBelongs, callee.span, message)
                        .help(format!("run {}(…)", words.join("."))),
                );
            }
            Some(Def::Service(_)) | None if !local => {
                self.expr(expr, None);
            }
            _ => self.value_not_action(expr),
        }
        if let Some(otherwise) = &statement.otherwise {
            self.block(&otherwise.body.statements);
        }
    }

    /// The operation and its arguments; `None` when something was wrong.
    fn operation(&mut self, call: &OperationCall<'_>, span: Span) -> Option<(u32, Vec<hir::Argument>)> {
        let operation = call.operation?;
        let parameters = self.project.operation(call.service, operation)?.parameters.clone();
        let arguments =
            self.arguments(&call.name.text, &parameters, Some(call.arguments), span, Receiver::Operation)?;
        Some((operation, arguments))
    }

    /// `let x = svc.op(args) else …`
    fn let_call(&mut self, statement: &ast::Statement, call: OperationCall<'_>, target: Target<'_>, into: &mut Block) {
        let span = call.name.span.to(call.arguments.span);
        let found = self.operation(&call, span);
        let result = call.operation.and_then(|operation| self.project.operation(call.service, operation));
        let result = match result {
            Some(info) => info.result.clone(),
            None => Some(Ty::Broken),
        };
        if result.is_none() {
            let message = format!("`{}` gives nothing that could have a name", call.name.text);
            self.problems.give(Diagnostic::new(Code::TypeMismatch, span, message).help("leave `let … =` away"));
        }
        let good = result.unwrap_or(Ty::Broken);
        let failed = match &statement.otherwise {
            Some(otherwise) => {
                let tail = Tail { value: Some((target.local, Some(good.clone()))) };
                let body = self.scoped(|checker| checker.statements(&otherwise.body.statements, &tail));
                let mut arms = vec![ArmBody { body, span: otherwise.body.span }];
                let ty = self.join_arms(Some(good.clone()), &mut arms, target);
                self.set_type(target, ty);
                arms.into_iter().map(|arm| arm.body.block).next().unwrap_or_default()
            }
            None => {
                self.problems.give(
                    Diagnostic::new(Code::OutcomeNotHandled, span, "this does not say what happens when it failed")
                        .help(match good {
                            Ty::Optional(_) => "… else none".to_owned(),
                            _ => "… else hang up".to_owned(),
                        }),
                );
                self.set_type(target, good.clone());
                Block::default()
            }
        };
        if let Some(info) = self.local_mut(target.local) {
            info.from_service = true;
        }
        let Some((operation, arguments)) = found else {
            into.statements.push(broken(statement));
            return;
        };
        let ty = self.local(target.local).map_or(Ty::Broken, |info| info.ty.clone());
        let (result, ok) = self.good_value(&good, &ty, target, statement);
        let service = call.service;
        let kind = StatementKind::Service(hir::ServiceCall {
            service,
            operation,
            arguments,
            result: Some(result),
            ok,
            failed,
        });
        into.statements.push(Statement { kind, keyword: statement.keyword, span: statement.span });
    }

    /// The local that takes a good result and the block that then fills the target: the target itself unless it is
    /// wider.
    fn good_value(&mut self, good: &Ty, ty: &Ty, target: Target<'_>, statement: &ast::Statement) -> (LocalId, Block) {
        if good.lower() == ty.lower() || ty.is_broken() {
            return (target.local, Block::default());
        }
        let inner = self.hidden(good.clone(), target.name.span);
        let value = super::typed(hir::ExprKind::Local(inner), good.clone(), target.name.span);
        let value = self.coerce(value, ty);
        let kind = StatementKind::Let { local: target.local, value };
        let statement = Statement { kind, keyword: statement.keyword, span: statement.span };
        (inner, Block { statements: vec![statement] })
    }

    /// The flow and its arguments; `None` when something was wrong.
    fn running(&mut self, run: &ast::Run) -> (Option<Ty>, Option<(u32, Vec<hir::Argument>)>) {
        let flow = match self.project.find(self.module, &run.flow, "a flow", self.problems) {
            Def::Flow(flow) => flow,
            Def::Broken => return (Some(Ty::Broken), None),
            def => {
                self.problems.give(crate::declare::wrong_kind(&run.flow, def, "a flow"));
                return (Some(Ty::Broken), None);
            }
        };
        self.runs.push((flow, run.keyword));
        let Some(info) = self.project.flow(flow) else { return (Some(Ty::Broken), None) };
        let (result, parameters, name) = (info.result.clone(), info.parameters.clone(), info.name.text.clone());
        let arguments = self.arguments(&name, &parameters, run.arguments.as_ref(), run.flow.span, Receiver::Flow);
        (result, arguments.map(|arguments| (flow, arguments)))
    }

    pub fn run_alone(&mut self, run: &ast::Run, statement: &ast::Statement, into: &mut Block) {
        let (result, found) = self.running(run);
        if let Some(result) = result.filter(|result| !result.is_broken()) {
            let message = format!("the `{}` that this flow gives is thrown away", self.text_of(&result));
            self.problems.give(Diagnostic::new(Code::ResultNotUsed, run.span, message).help(format!(
                "match run {}(…) {{ … }}",
                run.flow.names.iter().map(|n| n.text.as_str()).collect::<Vec<_>>().join(".")
            )));
        }
        into.statements.push(match found {
            Some((flow, arguments)) => Statement {
                kind: StatementKind::Run(hir::Run { flow, arguments, result: None }),
                keyword: statement.keyword,
                span: statement.span,
            },
            None => broken(statement),
        });
    }

    fn let_run(&mut self, statement: &ast::Statement, run: &ast::Run, target: Target<'_>, into: &mut Block) {
        let (result, found) = self.running(run);
        if let Some(otherwise) = &statement.otherwise {
            self.problems.give(
                Diagnostic::new(
                    Code::OutcomeImpossible,
                    otherwise.keyword,
                    "`run` has no other outcome than its result",
                )
                .help("leave `else` and what follows away"),
            );
        }
        match &result {
            None => {
                self.problems.give(
                    Diagnostic::new(Code::TypeMismatch, run.span, "this flow gives nothing that could have a name")
                        .help("leave `let … =` away"),
                );
            }
            Some(result) => self.set_type(target, result.clone()),
        }
        into.statements.push(match found {
            Some((flow, arguments)) if result.is_some() => Statement {
                kind: StatementKind::Run(hir::Run { flow, arguments, result: Some(target.local) }),
                keyword: statement.keyword,
                span: statement.span,
            },
            _ => broken(statement),
        });
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
                            .help("leave `match` and its arms away"),
                    );
                    into.statements.push(broken(statement));
                    return;
                };
                let Some((flow, arguments)) = call else {
                    self.match_value(statement, found, super::broken(run.span), true, target, into);
                    return;
                };
                let local = self.hidden(result.clone(), run.span);
                let kind = StatementKind::Run(hir::Run { flow, arguments, result: Some(local) });
                into.statements.push(Statement { kind, keyword: run.keyword, span: run.span });
                let subject = super::typed(hir::ExprKind::Local(local), result, run.span);
                self.match_value(statement, found, subject, true, target, into);
            }
        }
    }

    fn match_call(
        &mut self,
        statement: &ast::Statement,
        found: &ast::Match,
        call: OperationCall<'_>,
        target: Option<Target<'_>>,
        into: &mut Block,
    ) {
        let span = call.name.span.to(call.arguments.span);
        let operation = self.operation(&call, span);
        let info = call.operation.and_then(|operation| self.project.operation(call.service, operation));
        let result = info.map_or(Some(Ty::Broken), |info| info.result.clone());
        let mut taken: BTreeMap<&str, Span> = BTreeMap::new();
        let mut arms: Vec<ArmBody> = Vec::new();
        let (mut ok, mut failed, mut binding, mut wanted) = (None, None, None, None);
        for arm in &found.arms.list {
            let (body, local) = self.scoped(|checker| {
                let mut local = None;
                for pattern in &arm.patterns {
                    if let Some(bound) = checker.outcome_pattern(pattern, result.as_ref(), &mut taken) {
                        local = Some(bound);
                    }
                }
                let tail = Tail { value: target.map(|target| (target.local, wanted.clone())) };
                (checker.statements(&arm.body.statements, &tail), local)
            });
            wanted = wanted.or(body.value.clone().filter(|ty| *ty != Ty::Nothing));
            let names: Vec<&str> = arm.patterns.iter().map(|pattern| outcome_of(pattern)).collect();
            if names.contains(&"ok") {
                ok.get_or_insert(arms.len());
                binding = binding.or(local);
            }
            if names.contains(&"failed") {
                failed.get_or_insert(arms.len());
            }
            arms.push(ArmBody { body, span: arm.span });
        }
        let has_else =
            found.arms.list.iter().flat_map(|arm| &arm.patterns).any(|p| matches!(p.kind, PatternKind::Else));
        if !has_else {
            self.unhandled(&["ok", "failed"], &taken, found.keyword);
        }
        if let Some(target) = target {
            let ty = self.join_arms(None, &mut arms, target);
            self.set_type(target, ty);
        }
        let mut block = |at: Option<usize>| {
            let arm = at.and_then(|at| arms.get_mut(at));
            // Nobody knows where an outcome without an arm was to lead.
            arm.map_or_else(|| Block { statements: vec![broken(statement)] }, |arm| arm.body.block.clone())
        };
        let (ok, failed) = (block(ok), block(failed));
        into.statements.push(match operation {
            Some((operation, arguments)) => Statement {
                kind: StatementKind::Service(hir::ServiceCall {
                    service: call.service,
                    operation,
                    arguments,
                    result: binding,
                    ok,
                    failed,
                }),
                keyword: statement.keyword,
                span: statement.span,
            },
            None => broken(statement),
        });
    }

    /// One pattern of a service call's arms; the local of `ok x`.
    fn outcome_pattern<'s>(
        &mut self,
        pattern: &'s ast::Pattern,
        result: Option<&Ty>,
        taken: &mut BTreeMap<&'s str, Span>,
    ) -> Option<LocalId> {
        let name = outcome_of(pattern);
        let bound = match &pattern.kind {
            PatternKind::Bound { name, .. } => Some(name),
            _ => None,
        };
        match (name, bound) {
            ("else", _) => {
                self.else_in_outcomes(pattern.span, "failed => continue");
                None
            }
            ("ok" | "failed", _) => {
                if let Some(earlier) = taken.get(name) {
                    self.problems.give(
                        Diagnostic::new(
                            Code::OutcomeHandledTwice,
                            pattern.span,
                            format!("`{name}` has an arm already"),
                        )
                        .label(*earlier, "handled here")
                        .help("keep one of the two"),
                    );
                }
                taken.entry(name).or_insert(pattern.span);
                let bound = bound?;
                match result {
                    Some(result) if name == "ok" => {
                        let local = self.declare(bound, result.clone());
                        if let Some(info) = self.local_mut(local) {
                            info.from_service = true;
                        }
                        Some(local)
                    }
                    _ => {
                        // The parser refuses a name behind any other outcome.
                        if name == "ok" {
                            let message = "this operation gives nothing that could have a name";
                            self.problems.give(
                                Diagnostic::new(Code::PayloadOnPlainOutcome, bound.span, message)
                                    .help("ok => continue"),
                            );
                        }
                        self.declare(bound, Ty::Broken);
                        if let Some(info) = self.locals.last_mut() {
                            info.used = true;
                        }
                        None
                    }
                }
            }
            _ => {
                let diagnostic = Diagnostic::new(
                    Code::OutcomeImpossible,
                    pattern.span,
                    "a service call ends in `ok` or `failed`, not in this",
                );
                let meant = crate::problems::nearest(name, ["ok", "failed"]);
                if let Some(meant) = ["ok", "failed"].into_iter().find(|word| Some(*word) == meant.as_deref()) {
                    taken.entry(meant).or_insert(pattern.span);
                }
                let diagnostic = match meant {
                    Some(_) => offer_nearest(diagnostic, name, ["ok", "failed"], "{} => continue"),
                    None => {
                        diagnostic.help("ok result => note result = result").note("match the result inside that arm")
                    }
                };
                self.problems.give(diagnostic);
                if let PatternKind::Some { name } = &pattern.kind {
                    self.declare(name, Ty::Broken);
                }
                if let Some(bound) = bound {
                    self.declare(bound, Ty::Broken);
                }
                None
            }
        }
    }

    pub fn else_in_outcomes(&mut self, span: Span, help: &str) {
        self.problems.give(
            Diagnostic::new(
                Code::ElseInOutcomeArms,
                span,
                "arms of outcomes name each of them, so that none is forgotten",
            )
            .help(help),
        );
    }

    pub fn unhandled(&mut self, outcomes: &[&str], taken: &BTreeMap<&str, Span>, keyword: Span) {
        let missing: Vec<&str> = outcomes.iter().copied().filter(|outcome| !taken.contains_key(outcome)).collect();
        if let Some(first) = missing.first() {
            let message = format!("no arm says what happens on `{}`", missing.join("`, `"));
            let help = if missing.len() == 1 {
                format!("{first} => continue")
            } else {
                format!("{} => continue", missing.join(", "))
            };
            self.problems.give(Diagnostic::new(Code::OutcomeNotHandled, keyword, message).help(help));
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
    /// gives a value or ends.
    pub fn join_arms(&mut self, good: Option<Ty>, arms: &mut [ArmBody], target: Target<'_>) -> Ty {
        let mut joined = good;
        for arm in arms.iter() {
            let Some(ty) = &arm.body.value else {
                if after_block(&arm.body.block) == After::GoesOn {
                    let message = format!("this arm goes on and gives `{}` no value", target.name.text);
                    self.problems.give(
                        Diagnostic::new(Code::NotAssignedOnEveryPath, arm.span, message)
                            .label(target.name.span, "wanted here")
                            .help("end it by a value, as `… => none`, or by `go …`, `return` or `hang up`"),
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
        ty
    }
}

/// The name of an outcome that a pattern takes.
fn outcome_of(pattern: &ast::Pattern) -> &str {
    match &pattern.kind {
        PatternKind::Name(path) => match path.names.as_slice() {
            [name] => &name.text,
            _ => "",
        },
        PatternKind::Bound { outcome, .. } => &outcome.text,
        PatternKind::Else => "else",
        _ => "",
    }
}
