//! Statements one by one.

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast::{self, ExprKind, StatementKind as Ast};
use runtime_contract::limits::WAIT_MS_MAX;
use runtime_contract::request::RejectReason;

use super::call::Receiver;
use super::{Checker, Edge, EdgeBound, From, HandedTo, Region, Typed};
use crate::declare::whole;
use crate::hir::{self, Block, LocalId, Statement, StatementKind};
use crate::paths::{After, after};
use crate::problems::offer_nearest;
use crate::project::Def;
use crate::ty::Ty;
use crate::worst::duration_text;

/// What a body may end with.
#[derive(Clone, Default)]
pub(crate) struct Tail {
    /// A value of about this type for this local.
    pub value: Option<(LocalId, Option<Ty>)>,
}

/// Where a path ends, for what is written behind it.
struct End {
    span: Span,
    why: &'static str,
    /// Only a flow that never comes back ends it. A `hang up` or `return` behind that is for safety.
    by_run: bool,
}

impl End {
    fn of(statement: &Statement, span: Span) -> End {
        let is_run = matches!(statement.kind, StatementKind::Run(_));
        let why = if is_run { "this flow never comes back" } else { "the path ends here" };
        End { span, why, by_run: runs_to_an_end(statement) }
    }
}

fn runs_to_an_end(statement: &Statement) -> bool {
    match &statement.kind {
        StatementKind::Run(run) => run.returns == Some(false),
        _ => statement.blocks().into_iter().flat_map(|block| &block.statements).any(runs_to_an_end),
    }
}

/// A body, and the type of the value that ends it.
pub(crate) struct Body {
    pub block: Block,
    pub value: Option<Ty>,
}

impl Checker<'_, '_> {
    /// Statements with names of their own.
    pub fn block(&mut self, statements: &[ast::Statement]) -> Block {
        self.scoped(|checker| checker.statements(statements, &Tail::default()).block)
    }

    /// What an arm or an `else` leads to; the names of the surrounding scope are added to.
    pub fn statements(&mut self, statements: &[ast::Statement], tail: &Tail) -> Body {
        let mut body = Body { block: Block::default(), value: None };
        let mut end: Option<End> = None;
        let mut was_dead = false;
        for statement in statements {
            if let Some(end) =
                end.take_if(|end| !(end.by_run && matches!(statement.kind, Ast::HangUp | Ast::Return { .. })))
            {
                self.problems.give(
                    Diagnostic::new(Code::StatementAfterEnd, statement.span, "this is never reached")
                        .label(end.span, end.why)
                        .help("leave it out, or put it before the end"),
                );
                was_dead = true;
            }
            let before = body.block.statements.len();
            // What stands behind an end is checked all the same, as if it could be reached.
            self.statements_into(statement, tail, &mut body);
            let new = body.block.statements.get(before..).unwrap_or_default();
            if !was_dead && let Some(last) = new.iter().find(|statement| after(statement) == After::Ends) {
                end = Some(End::of(last, statement.span));
            }
        }
        body
    }

    fn statements_into(&mut self, statement: &ast::Statement, tail: &Tail, body: &mut Body) {
        if let Ast::Value(value) = &statement.kind {
            match &tail.value {
                Some(_) if self.is_misspelt_again(value) => {
                    body.value = Some(Ty::Broken);
                    body.block.statements.push(broken(statement));
                }
                Some((local, wanted)) => {
                    let value = self.expr(value, wanted.as_ref());
                    body.value = Some(value.ty);
                    let kind = StatementKind::Let { local: *local, value: value.expr };
                    body.block.statements.push(Statement { kind, keyword: statement.keyword, span: statement.span });
                }
                None => {
                    self.value_not_action(value);
                    body.block.statements.push(broken(statement));
                }
            }
            return;
        }
        self.statement(statement, &mut body.block);
    }

    /// `agin` at the end of an arm: no value was meant.
    fn is_misspelt_again(&mut self, value: &ast::Expr) -> bool {
        let ExprKind::Name(name) = &value.kind else { return false };
        let known = self.lookup(&name.text).is_some() || self.project.reach(self.module, &[&name.text]).is_some();
        let meant = crate::problems::nearest(&name.text, ["again"]).is_some();
        let Some(dialogue) = self.dialogues.last_mut().filter(|_| meant && !known) else { return false };
        dialogue.again.get_or_insert(name.span);
        let message = format!("there is no `{}` here", name.text);
        let diagnostic = Diagnostic::new(Code::UnknownName, name.span, message);
        self.problems.give(offer_nearest(diagnostic, &name.text, ["again"], "{}"));
        true
    }

    /// F0209: a value where something should happen. What is wrong with the value itself is said instead.
    pub fn value_not_action(&mut self, value: &ast::Expr) {
        let names = Self::names_of(value);
        let name = names.as_deref().and_then(|names| match names {
            [name] => Some(name.text.as_str()),
            _ => None,
        });
        let step = name.filter(|name| self.step_names.contains_key(*name));
        let item = name.and_then(|name| self.project.reach(self.module, &[name])).map(|reached| reached.def);
        let message = "a value stands where something should happen";
        let diagnostic = Diagnostic::new(Code::ValueWhereActionBelongs, value.span, message);
        let before = Span { end: value.span.start, ..value.span };
        let diagnostic = match (step, item, &value.kind) {
            (Some(step), ..) => diagnostic.help(format!("`go {step}`")).edit("go there", before, "go ").certain(),
            (_, Some(Def::Flow(_)), _) => {
                let written = Span { start: value.span.end, ..value.span };
                let help = diagnostic.help(format!("`run {}()`", name.unwrap_or_default()));
                help.edit("run it", before, "run ").edit("", written, "()")
            }
            (_, Some(Def::Prompt(_)), _) => {
                let help = diagnostic.help(format!("`play {}`", name.unwrap_or_default()));
                help.edit("play it", before, "play ").certain()
            }
            (_, _, ExprKind::Text(text)) => {
                let help = text.plain().map_or("`say` it".to_owned(), |text| format!("`say {text:?}`"));
                diagnostic.help(help).edit("say it", before, "say ").certain()
            }
            _ => {
                let typed = self.expr(value, None);
                if typed.ty.is_broken() {
                    return;
                }
                diagnostic.help("put `note value =` before it, or leave it out").edit(
                    "note it",
                    before,
                    "note value = ",
                )
            }
        };
        self.problems.give(diagnostic);
    }

    fn statement(&mut self, statement: &ast::Statement, into: &mut Block) {
        let (keyword, span) = (statement.keyword, statement.span);
        self.no_otherwise(statement);
        if !self.stands_in_cadence(statement) {
            return into.statements.push(broken(statement));
        }
        self.tells(statement);
        let kind = match &statement.kind {
            Ast::Answer => StatementKind::Answer,
            Ast::Reject { reason } => self.reject(reason.as_ref()),
            Ast::Say(_) | Ast::Play(_) => match self.prompt(statement) {
                Some(item) => StatementKind::Play(hir::Prompts { items: vec![item], barge_in: true }),
                None => StatementKind::Broken,
            },
            Ast::Recording { on } => {
                self.voice_only(keyword, "`recording`");
                StatementKind::Recording { on: *on }
            }
            Ast::Wait(time) => self.wait(time),
            Ast::Connect { .. } => return self.connect(statement, into),
            Ast::Transfer { .. } => return self.transfer(statement, into),
            Ast::Queue { .. } => return self.queue_call(statement, into),
            Ast::OfferCallback { key } => self.offer_callback(keyword, key),
            Ast::OnVoice { then } => self.on_voice(statement, then),
            Ast::Menu(dialogue) => return self.menu(statement, dialogue, into),
            Ast::Start { cadence, arguments } => self.start(cadence, arguments.as_ref()),
            Ast::Stop { disposition } => self.stop(keyword, disposition),
            Ast::RetryIn { delays } => self.retry_in(keyword, delays, span),
            Ast::RetryAt { at } => self.retry_at(keyword, at),
            Ast::HangUp => StatementKind::HangUp,
            Ast::Call(expr) => return self.call_statement(statement, expr, into),
            Ast::Run(run) => return self.run_alone(run, statement, into),
            Ast::Note { key, value } => {
                let value = self.expr(value, None);
                match self.noted(value) {
                    Some(value) => StatementKind::Note { key: key.text.clone(), value },
                    None => StatementKind::Broken,
                }
            }
            Ast::Send { channel, to, text } => self.send(channel, to.as_ref(), text),
            Ast::Notify { who, text } => self.notify(who, text),
            Ast::OpenCase { kind, priority } => self.open_case(kind, priority.as_ref()),
            Ast::Set { target, value } => self.set(target, value),
            Ast::Go { step, arguments, up_to } => self.go(statement, step, arguments.as_ref(), up_to.as_ref()),
            Ast::Return { value } => self.give_back(value.as_ref(), keyword),
            Ast::Again => self.again(keyword),
            Ast::Continue => return,
            Ast::Let { name, value } => return self.let_statement(statement, name, value, into),
            Ast::If { condition, then } => self.branch(condition, then, statement.otherwise.as_ref(), false),
            Ast::Unless { condition, then } => self.branch(condition, then, statement.otherwise.as_ref(), true),
            Ast::Match(found) => return self.match_statement(statement, found, None, into),
            Ast::Repeat { times, body } => self.repeat(times, body),
            Ast::For { name, list, body } => self.for_each(name, list, body),
            Ast::Value(_) | Ast::Missing => StatementKind::Broken,
        };
        into.statements.push(Statement { kind, keyword, span });
    }

    /// `else` behind a statement that has no other outcome.
    fn no_otherwise(&mut self, statement: &ast::Statement) {
        let Some(otherwise) = &statement.otherwise else { return };
        let without = match &statement.kind {
            Ast::Answer
            | Ast::Reject { .. }
            | Ast::Say(_)
            | Ast::Play(_)
            | Ast::Recording { .. }
            | Ast::Wait(_)
            | Ast::HangUp
            | Ast::Run(_)
            | Ast::Note { .. }
            | Ast::Send { .. }
            | Ast::Notify { .. }
            | Ast::OpenCase { .. }
            | Ast::Start { .. }
            | Ast::Stop { .. }
            | Ast::RetryIn { .. }
            | Ast::RetryAt { .. }
            | Ast::Set { .. }
            | Ast::Return { .. }
            | Ast::Again
            | Ast::Continue
            | Ast::Match(_) => true,
            Ast::Go { up_to, .. } => up_to.is_none(),
            _ => false,
        };
        if without {
            self.problems.give(
                Diagnostic::new(Code::OutcomeImpossible, otherwise.keyword, "this has no other outcome")
                    .label(statement.keyword, "it always goes on")
                    .help("leave `else` and what follows away"),
            );
        }
    }

    fn reject(&mut self, reason: Option<&ast::Name>) -> StatementKind {
        let known = [
            ("busy", RejectReason::Busy),
            ("declined", RejectReason::Declined),
            ("unavailable", RejectReason::Unavailable),
        ];
        let Some(name) = reason else { return StatementKind::Reject(RejectReason::Declined) };
        match known.iter().find(|(word, _)| *word == name.text) {
            Some((_, reason)) => StatementKind::Reject(*reason),
            None => {
                let message = format!("a call cannot be rejected as `{}`", name.text);
                let diagnostic = Diagnostic::new(Code::UnknownName, name.span, message);
                let diagnostic = match crate::problems::nearest(&name.text, known.iter().map(|(word, _)| *word)) {
                    Some(_) => offer_nearest(diagnostic, &name.text, known.iter().map(|(word, _)| *word), "reject {}"),
                    None => diagnostic.help("`reject busy`"),
                };
                self.problems.give(diagnostic);
                StatementKind::Broken
            }
        }
    }

    /// `say` or `play`, alone or in a dialogue; `None` when something was wrong or is not compiled yet.
    pub fn prompt(&mut self, statement: &ast::Statement) -> Option<hir::PromptUse> {
        let expr = match &statement.kind {
            Ast::Say(text) => return Some(self.text(text)),
            Ast::Play(expr) => expr,
            _ => return None,
        };
        if let Some(names) = Self::names_of(expr)
            && let Some(first) = names.first()
            && self.lookup(&first.text).is_none()
        {
            let words: Vec<&str> = names.iter().map(|name| name.text.as_str()).collect();
            if let Some(reached) = self.project.reach(self.module, &words)
                && reached.names == words.len()
                && let Def::Prompt(prompt) = reached.def
            {
                let item = self.project.prompt_items.get(prompt as usize)?;
                item.played.set(true);
                self.called_read.extend(item.called_read.iter().copied());
                return Some(self.plays(prompt, item.arguments.clone()));
            }
        }
        let value = self.expr(expr, Some(&Ty::Recording));
        match self.coerce(value, &Ty::Recording) {
            hir::Expr { kind: hir::ExprKind::Broken, .. } => None,
            value => Some(hir::PromptUse::Recording(value)),
        }
    }

    fn wait(&mut self, time: &ast::Expr) -> StatementKind {
        if let ExprKind::Int(number) = time.kind {
            let problem = Diagnostic::new(Code::TypeMismatch, time.span, "this number does not say of what");
            self.problems.give(problem.here("seconds, minutes, …?").help(format!("`wait {number}s`")));
            return StatementKind::Broken;
        }
        let value = self.value(time, &Ty::Duration);
        match value.kind {
            hir::ExprKind::Broken => StatementKind::Broken,
            hir::ExprKind::Moment(ms) if ms <= 0 => {
                let message = "a time of zero waits for nothing";
                self.problems.give(Diagnostic::new(Code::BoundOfZero, time.span, message).help("`wait 1s`"));
                StatementKind::Broken
            }
            hir::ExprKind::Moment(ms) if ms > WAIT_MS_MAX => {
                let message = match time.kind {
                    ExprKind::Duration { .. } => "a wait lasts 10m at most".to_owned(),
                    _ => format!("a wait lasts 10m at most, and this one {}", duration_text(ms)),
                };
                self.bad_literal(time.span, message, "wait 10m");
                StatementKind::Broken
            }
            _ => StatementKind::Wait(value),
        }
    }

    /// A value for the call record: anything but what is private.
    fn noted(&mut self, value: Typed) -> Option<hir::Expr> {
        if value.ty.is_broken() {
            return None;
        }
        if value.ty.is_private() || matches!(value.ty.present(), Ty::List(row) if row.is_private()) {
            let diagnostic = self.leak(&value, "a private value is never noted");
            self.problems.give(diagnostic);
            return None;
        }
        if value.ty == Ty::Nothing {
            self.problems.give(
                Diagnostic::new(Code::TypeMismatch, value.expr.span, "there is nothing to note in `none`")
                    .help("leave the line out"),
            );
            return None;
        }
        if let Some(field) = self.private_field(&value.ty) {
            let diagnostic = self.leak(&value, format!("a private value is never noted, and `{field}` is one"));
            self.problems.give(diagnostic);
            return None;
        }
        Some(value.expr)
    }

    /// A private field of a record or variant, however deep. What held itself was made to end.
    pub(super) fn private_field(&self, ty: &Ty) -> Option<String> {
        self.project.held_by(ty.holder()?).into_iter().find_map(|field| match field.ty.is_private() {
            true => Some(field.name.text.clone()),
            false => self.private_field(&field.ty),
        })
    }

    fn set(&mut self, target: &ast::Expr, value: &ast::Expr) -> StatementKind {
        let names = Self::names_of(target).unwrap_or_default();
        let words: Vec<&str> = names.iter().map(|name| name.text.as_str()).collect();
        if words != ["caller", "language"] {
            if !matches!(target.kind, ExprKind::Missing) {
                self.problems.give(
                    Diagnostic::new(Code::UnknownName, target.span, "only the caller's language can be set")
                        .help(format!("`set caller.language = {}`", self.example(&Ty::Language)))
                        .note("a `let` is final; what a step must know goes to it as a parameter"),
                );
            }
            return StatementKind::Broken;
        }
        let value = self.value(value, &Ty::Language);
        match value.kind {
            hir::ExprKind::Broken => StatementKind::Broken,
            _ => StatementKind::SetLanguage(value),
        }
    }

    fn branch(
        &mut self,
        condition: &ast::Expr,
        then: &ast::Block,
        otherwise: Option<&ast::Otherwise>,
        negated: bool,
    ) -> StatementKind {
        let (condition, then) = self.scoped(|checker| match negated {
            false => {
                let condition = checker.condition(condition);
                (condition, checker.block(&then.statements))
            }
            true => {
                let condition = checker.value(condition, &Ty::Bool);
                (condition, checker.block(&then.statements))
            }
        });
        let otherwise = otherwise.map(|otherwise| self.block(&otherwise.body.statements)).unwrap_or_default();
        let condition = match negated && !matches!(condition.kind, hir::ExprKind::Broken) {
            true => {
                // Empty: in the text it is no part of the condition, as the `not` of `is none` is.
                let (ty, span) = (condition.ty.clone(), Span { end: condition.span.start, ..condition.span });
                hir::Expr { kind: hir::ExprKind::Not(Box::new(condition)), ty, span }
            }
            false => condition,
        };
        StatementKind::If { condition, then, otherwise }
    }

    fn go(
        &mut self,
        statement: &ast::Statement,
        step: &ast::Name,
        arguments: Option<&ast::Arguments>,
        up_to: Option<&ast::Expr>,
    ) -> StatementKind {
        let bound = up_to.map(|written| {
            let times = self.bound(written, "go main up to 3 times else hang up");
            if statement.otherwise.is_none() {
                self.problems.give(
                    Diagnostic::new(
                        Code::OutcomeNotHandled,
                        statement.span,
                        "this does not say what happens when the times are used up",
                    )
                    .help(format!(
                        "`go {} up to {} times else hang up`",
                        step.text,
                        times.unwrap_or(3)
                    )),
                );
            }
            let otherwise = match &statement.otherwise {
                Some(otherwise) => self.block(&otherwise.body.statements),
                None => Block { statements: vec![broken(statement)] },
            };
            let counter = hir::CounterId(self.counter_count);
            self.counter_count += 1;
            hir::Bound { counter, times: times.unwrap_or(1), times_span: written.span, otherwise }
        });
        if self.region == Region::Finally {
            self.leads_on(statement.keyword, "go");
            return StatementKind::Broken;
        }
        let Some(index) = self.step(step) else { return StatementKind::Broken };
        let parameters = self.steps.get(index as usize).map(|step| step.parameters.clone()).unwrap_or_default();
        let found = self.arguments(&step.text, &parameters, arguments, step.span, Receiver::Step);
        let from = match self.region {
            Region::Step(step) => From::Step(step),
            Region::Top => From::Top { lets: self.top_lets },
            _ => From::Fault,
        };
        let edge_bound = bound.as_ref().map(|bound: &hir::Bound| EdgeBound {
            counter: bound.counter,
            times: bound.times,
            span: bound.times_span,
        });
        self.edges.push(Edge { from, to: index, bound: edge_bound, span: statement.keyword.to(step.span) });
        if let Some(arguments) = &found {
            self.hand_on(HandedTo::Step(index), arguments);
        }
        match found {
            Some(arguments) => StatementKind::Go(hir::Go { step: hir::StepId(index), arguments, bound }),
            None => StatementKind::Broken,
        }
    }

    fn leads_on(&mut self, keyword: Span, word: &str) {
        self.problems.give(
            Diagnostic::new(
                Code::NoLineHere,
                keyword,
                format!("`finally` runs when all is over, so `{word}` leads nowhere"),
            )
            .help("put it before the end of the path"),
        );
    }

    /// A number of times that is written out; `None` after a diagnostic.
    pub fn bound(&mut self, times: &ast::Expr, example: &str) -> Option<u32> {
        let number = match whole(times) {
            // A constant has its own number.
            None if matches!(times.kind, ExprKind::Name(_) | ExprKind::Field { .. }) => {
                match self.expr(times, Some(&Ty::Int(None))).ty {
                    Ty::Int(Some((low, high))) if low == high => Some(low),
                    Ty::Broken => return None,
                    _ => None,
                }
            }
            number => number,
        };
        match number {
            Some(number) if number > 0 => return Some(u32::try_from(number).unwrap_or(u32::MAX)),
            Some(_) => {
                self.problems.give(
                    Diagnostic::new(Code::BoundOfZero, times.span, "a bound of zero allows nothing")
                        .help(format!("`{example}`")),
                );
            }
            None if matches!(times.kind, ExprKind::Missing) => {}
            None => {
                self.problems.give(
                    Diagnostic::new(Code::BadLiteral, times.span, "a number is written out here")
                        .help(format!("`{example}`")),
                );
            }
        }
        None
    }

    fn give_back(&mut self, value: Option<&ast::Expr>, keyword: Span) -> StatementKind {
        if self.region == Region::Finally {
            self.leads_on(keyword, "return");
            return StatementKind::Broken;
        }
        match (value, self.result.clone()) {
            (None, None) => StatementKind::Return(None),
            (Some(value), Some(wanted)) => {
                let value = self.value(value, &wanted);
                match value.kind {
                    // The path ends all the same.
                    hir::ExprKind::Broken => StatementKind::Return(None),
                    _ => {
                        // Of `none` there is nothing to show or to compare.
                        if !matches!(value.kind, hir::ExprKind::None) {
                            self.returned.push(self.origin(&value));
                        }
                        StatementKind::Return(Some(value))
                    }
                }
            }
            (None, Some(wanted)) => {
                self.problems.give(
                    Diagnostic::new(
                        Code::TypeMismatch,
                        keyword,
                        format!("this flow gives a `{}`, and `return` gives nothing", self.text_of(&wanted)),
                    )
                    .help(format!("`return {}`", self.example(&wanted))),
                );
                StatementKind::Return(None)
            }
            (Some(value), None) => {
                self.problems.give(
                    Diagnostic::new(Code::TypeMismatch, value.span, "this flow gives nothing back")
                        .help("`return`")
                        .note("a flow that gives a value says so by `->`"),
                );
                StatementKind::Return(None)
            }
        }
    }
}

pub(crate) fn broken(statement: &ast::Statement) -> Statement {
    Statement { kind: StatementKind::Broken, keyword: statement.keyword, span: statement.span }
}
