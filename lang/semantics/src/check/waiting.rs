//! Calls that wait: operations of services and `run`, alone, right of a `let` or under a `match`.

use std::collections::BTreeMap;

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast::{self, ExprKind, PatternKind};

use super::arms::{ArmBody, Target};
use super::call::{OperationCall, Receiver};
use super::origin::Origin;
use super::statement::{Tail, broken};
use super::{Checker, HandedTo};
use crate::hir::{self, Block, LocalId, Statement, StatementKind};
use crate::problems::{nearest, offer_nearest};
use crate::project::Def;
use crate::ty::Ty;

impl Checker<'_, '_> {
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
            let help = format!("`let result = … else {}`", self.when_failed());
            self.problems.give(Diagnostic::new(Code::ResultNotUsed, expr.span, message).help(help));
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
                    .help("`… else continue`"),
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
                self.problems
                    .give(Diagnostic::new(Code::ValueWhereActionBelongs, callee.span, message).help("`run …`"));
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
    pub fn let_call(
        &mut self,
        statement: &ast::Statement,
        call: OperationCall<'_>,
        target: Target<'_>,
        into: &mut Block,
    ) {
        let span = call.name.span.to(call.arguments.span);
        let found = self.operation(&call, span);
        let result = call.operation.and_then(|operation| self.project.operation(call.service, operation));
        let result = match result {
            Some(info) => info.result.clone(),
            None => Some(Ty::Broken),
        };
        if result.is_none() {
            let message = format!("`{}` gives nothing that could have a name", call.name.text);
            self.problems
                .give(Diagnostic::new(Code::TypeMismatch, span, message).help("leave the name and its sign out: `…`"));
        }
        let good = result.unwrap_or(Ty::Broken);
        if let Some(info) = self.local_mut(target.local) {
            info.origin = Origin::of_service();
        }
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
                            Ty::Optional(_) => format!("`{}.… else none`", call.of),
                            _ => format!("`{}.… else {}`", call.of, self.when_failed()),
                        }),
                );
                self.set_type(target, good.clone());
                Block::default()
            }
        };
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
    pub fn good_value(
        &mut self,
        good: &Ty,
        ty: &Ty,
        target: Target<'_>,
        statement: &ast::Statement,
    ) -> (LocalId, Block) {
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
    pub fn running(&mut self, run: &ast::Run) -> (Option<Ty>, Option<(u32, Vec<hir::Argument>)>) {
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
        if let Some(arguments) = &arguments {
            self.hand_on(HandedTo::Flow(flow), arguments);
        }
        (result, arguments.map(|arguments| (flow, arguments)))
    }

    /// Whether a flow that is run may come back; `None` where nobody knows.
    pub fn comes_back(&self, flow: u32) -> Option<bool> {
        self.returns.get(flow as usize).copied().flatten()
    }

    pub fn run_alone(&mut self, run: &ast::Run, statement: &ast::Statement, into: &mut Block) {
        let (result, found) = self.running(run);
        if let Some(result) = result.filter(|result| !result.is_broken()) {
            let message = format!("the `{}` that this flow gives is thrown away", self.text_of(&result));
            let help = self.run_for_result("…");
            self.problems.give(Diagnostic::new(Code::ResultNotUsed, run.span, message).help(help));
        }
        into.statements.push(match found {
            Some((flow, arguments)) => Statement {
                kind: StatementKind::Run(hir::Run {
                    flow,
                    arguments,
                    result: None,
                    returns: self.comes_back(flow),
                    hangup: self.is_in_attempt().then(hir::Hangup::default),
                }),
                keyword: statement.keyword,
                span: statement.span,
            },
            None => broken(statement),
        });
    }

    pub fn let_run(&mut self, statement: &ast::Statement, run: &ast::Run, target: Target<'_>, into: &mut Block) {
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
                        .help("leave the name and its sign out: `…`"),
                );
            }
            Some(result) => self.set_type(target, result.clone()),
        }
        if let (Some((flow, _)), Some(info)) = (&found, self.locals.get_mut(target.local.0 as usize)) {
            info.origin = self.results.get(*flow as usize).cloned().unwrap_or_default();
        }
        into.statements.push(match found {
            Some((flow, arguments)) if result.is_some() => Statement {
                kind: StatementKind::Run(hir::Run {
                    flow,
                    arguments,
                    result: Some(target.local),
                    returns: self.comes_back(flow),
                    hangup: None,
                }),
                keyword: statement.keyword,
                span: statement.span,
            },
            _ => broken(statement),
        });
    }

    pub fn match_call(
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
            let names: Vec<&str> = arm.patterns.iter().map(outcome_of).collect();
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
                self.else_in_outcomes(pattern.span, "`failed => continue`");
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
                self.outcome_value(name, bound?, result)
            }
            _ => {
                self.no_such_outcome(pattern, taken);
                None
            }
        }
    }

    /// `ok x`: the local that takes the result.
    fn outcome_value(&mut self, outcome: &str, bound: &ast::Name, result: Option<&Ty>) -> Option<LocalId> {
        if let (Some(result), "ok") = (result, outcome) {
            let local = self.declare(bound, result.clone());
            if let Some(info) = self.local_mut(local) {
                info.origin = Origin::of_service();
            }
            return Some(local);
        }
        // The parser refuses a name behind any other outcome.
        if outcome == "ok" {
            let message = "this operation gives nothing that could have a name";
            self.problems
                .give(Diagnostic::new(Code::PayloadOnPlainOutcome, bound.span, message).help("`ok => continue`"));
        }
        self.declare(bound, Ty::Broken);
        None
    }

    fn no_such_outcome<'s>(&mut self, pattern: &'s ast::Pattern, taken: &mut BTreeMap<&'s str, Span>) {
        let name = outcome_of(pattern);
        let diagnostic = Diagnostic::new(
            Code::OutcomeImpossible,
            pattern.span,
            "a service call ends in `ok` or `failed`, not in this",
        );
        let meant = nearest(name, ["ok", "failed"]);
        if let Some(meant) = ["ok", "failed"].into_iter().find(|word| Some(*word) == meant.as_deref()) {
            // What was meant counts as handled, so that only the spelling is complained about.
            taken.entry(meant).or_insert(pattern.span);
        }
        self.problems.give(match meant {
            Some(_) => offer_nearest(diagnostic, name, ["ok", "failed"], "{} => continue"),
            None => diagnostic.help("`ok result => note result = result`").note("match the result inside that arm"),
        });
        if let PatternKind::Some { name } | PatternKind::Bound { name, .. } = &pattern.kind {
            self.declare(name, Ty::Broken);
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
                format!("`{first} => continue`")
            } else {
                format!("`{} => continue`", missing.join(", "))
            };
            self.problems.give(Diagnostic::new(Code::OutcomeNotHandled, keyword, message).help(help));
        }
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
