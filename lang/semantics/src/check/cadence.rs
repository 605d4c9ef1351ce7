//! What only the actions of a cadence say: `stop`, `retry`, and the `hangup` of a flow that they run. And `start`, by which
//! any flow begins a cadence.

use std::borrow::Cow;

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast::{self, LetValue, MatchSubject, PatternKind, StatementKind as Ast};
use runtime_contract::cadence::Again;
use runtime_contract::types::Type;

use super::{Checker, Receiver};
use crate::declare::duration;
use crate::hir::{self, Expr, ExprKind, StatementKind};
use crate::project::Def;
use crate::ty::Ty;

/// What the actions of a cadence come to, while its lines are read.
#[derive(Debug, Default)]
pub(crate) struct InCadence {
    pub of: ActionOf,
    /// Index of the enum `Attempt`.
    pub attempt: u32,
    /// Names behind `stop`, each once, in order of the text.
    pub dispositions: Vec<String>,
    /// Each `retry in`: its place, and its delays with theirs.
    pub ladders: Vec<(Span, Vec<(u64, Span)>)>,
    /// Arms by which the person is tried again, each with the outcome as it is written.
    pub again: Vec<(Again, &'static str)>,
}

/// Whose action is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum ActionOf {
    #[default]
    Attempt,
    AfterAttempt,
    Exhausted,
}

/// Variants of the enum `Attempt`.
const STOP: u32 = 0;
pub(crate) const RETRY: u32 = 1;
pub(crate) const RETRY_AT: u32 = 2;

impl Checker<'_, '_> {
    /// The person who is called may hang up at any time, and the arm goes on.
    pub fn is_in_attempt(&self) -> bool {
        self.cadence.as_ref().is_some_and(|cadence| cadence.of == ActionOf::Attempt)
    }

    /// False, with a word about it, for what the action of a cadence cannot say.
    pub fn stands_in_cadence(&mut self, statement: &ast::Statement) -> bool {
        let Some(of) = self.cadence.as_ref().map(|cadence| cadence.of) else { return true };
        let keyword = statement.keyword;
        let is_attempt = of == ActionOf::Attempt;
        let diagnostic = match &statement.kind {
            Ast::Return { .. } | Ast::Go { .. } if of != ActionOf::AfterAttempt => {
                let message = "this does not say what becomes of the person who is called";
                let help = if is_attempt { "`retry in 1d`" } else { "`stop exhausted`" };
                Diagnostic::new(Code::PathDoesNotEnd, keyword, message).help(help)
            }
            Ast::HangUp if is_attempt => {
                let message = "the call is hung up when its arm has ended";
                Diagnostic::new(Code::NoLineHere, keyword, message).help("leave it out")
            }
            Ast::Answer
            | Ast::Reject { .. }
            | Ast::Recording { .. }
            | Ast::Connect { .. }
            | Ast::Transfer { .. }
            | Ast::Queue { .. }
            | Ast::Menu(_)
            | Ast::Let { value: LetValue::Ask(_) | LetValue::Record(_), .. }
                if is_attempt =>
            {
                let message = "an arm of a cadence says and plays; whatever else is done on the line, a flow does";
                Diagnostic::new(Code::NoLineHere, keyword, message)
                    .help("put it into a flow, and `match run` that flow here, with an arm `hangup`")
            }
            Ast::Let { value: LetValue::Run(_), .. }
            | Ast::Let { value: LetValue::Match(ast::Match { subject: MatchSubject::Run(_), .. }), .. }
                if is_attempt =>
            {
                let message = "the person may hang up before this flow returns, and then there is no value";
                Diagnostic::new(Code::OutcomeNotHandled, keyword, message)
                    .help("`match run` alone, and an arm `hangup`")
            }
            _ => return true,
        };
        self.problems.give(diagnostic);
        false
    }

    pub fn stop(&mut self, keyword: Span, disposition: &ast::Name) -> StatementKind {
        let Some(cadence) = &mut self.cadence else { return self.only_in_cadence(keyword, "stop") };
        let known = cadence.dispositions.iter().position(|known| *known == disposition.text);
        let index = known.unwrap_or_else(|| {
            cadence.dispositions.push(disposition.text.clone());
            cadence.dispositions.len() - 1
        });
        let number = int(index, disposition.span);
        match cadence.of {
            ActionOf::Attempt => attempt_ends(cadence.attempt, STOP, number),
            ActionOf::Exhausted => StatementKind::Return(Some(number)),
            ActionOf::AfterAttempt => {
                let message = "the arm of the attempt has said already how the cadence goes on";
                self.problems.give(
                    Diagnostic::new(Code::OutcomeImpossible, keyword, message)
                        .help("leave it out, or stop in the arm of an outcome"),
                );
                StatementKind::Broken
            }
        }
    }

    pub fn retry_in(&mut self, keyword: Span, delays: &[ast::Expr], span: Span) -> StatementKind {
        if !self.may_retry(keyword) {
            return StatementKind::Broken;
        }
        let read = delays.iter().map(|delay| {
            let ms = duration(delay, "retry in 4h, 1d", self.problems)?;
            Some((u64::try_from(ms).ok()?, delay.span))
        });
        let read: Vec<_> = read.collect();
        let Some(delays) = read.into_iter().collect::<Option<Vec<_>>>() else { return StatementKind::Broken };
        let Some(cadence) = &mut self.cadence else { return StatementKind::Broken };
        // An arm that takes `hangup` and a variant is read for each.
        let known = cadence.ladders.iter().position(|(known, _)| *known == span);
        let index = known.unwrap_or_else(|| {
            cadence.ladders.push((span, delays));
            cadence.ladders.len() - 1
        });
        attempt_ends(cadence.attempt, RETRY, int(index, span))
    }

    pub fn retry_at(&mut self, keyword: Span, time: &ast::Expr) -> StatementKind {
        let time = self.value(time, &Ty::Time);
        if !self.may_retry(keyword) || matches!(time.kind, ExprKind::Broken) {
            return StatementKind::Broken;
        }
        let Some(cadence) = &self.cadence else { return StatementKind::Broken };
        attempt_ends(cadence.attempt, RETRY_AT, time)
    }

    fn may_retry(&mut self, keyword: Span) -> bool {
        match self.cadence.as_ref().map(|cadence| cadence.of) {
            Some(ActionOf::Attempt) => true,
            Some(ActionOf::AfterAttempt) => {
                let message = "the arm of the attempt has said already how the cadence goes on";
                let help = "leave it out, or try again in the arm of an outcome";
                self.problems.give(Diagnostic::new(Code::OutcomeImpossible, keyword, message).help(help));
                false
            }
            Some(ActionOf::Exhausted) => {
                let message = "all attempts are used, so nobody is called again";
                self.problems.give(Diagnostic::new(Code::OutcomeImpossible, keyword, message).help("`stop exhausted`"));
                false
            }
            None => {
                self.only_in_cadence(keyword, "retry");
                false
            }
        }
    }

    fn only_in_cadence(&mut self, keyword: Span, word: &str) -> StatementKind {
        let message = format!("only the actions of a cadence say `{word}`");
        self.problems.give(
            Diagnostic::new(Code::OutcomeImpossible, keyword, message)
                .help("give a value back here, and match it in the cadence that runs this flow"),
        );
        StatementKind::Broken
    }

    /// `start C(arguments)`
    pub fn start(&mut self, path: &ast::Path, arguments: Option<&ast::Arguments>) -> StatementKind {
        match self.started(path, arguments) {
            Some((cadence, arguments)) => StatementKind::Start(hir::Start { cadence, arguments }),
            None => StatementKind::Broken,
        }
    }

    /// The cadence that is started, and what it is given.
    pub fn started(
        &mut self,
        path: &ast::Path,
        arguments: Option<&ast::Arguments>,
    ) -> Option<(u32, Vec<hir::Argument>)> {
        let cadence = match self.project.find(self.module, path, "a cadence", self.problems) {
            Def::Cadence(cadence) => cadence,
            def => {
                if def != Def::Broken {
                    self.problems.give(crate::declare::wrong_kind(path, def, "a cadence"));
                }
                for argument in arguments.map_or(&[][..], |arguments| &arguments.list) {
                    self.expr(&argument.value, None);
                }
                return None;
            }
        };
        let info = self.project.cadences.get(cadence as usize)?;
        let name = info.name.text.as_str();
        let found = self.arguments(name, &info.parameters, arguments, path.span, Receiver::Beyond)?;
        Some((cadence, found))
    }

    /// The arms of a `match run` without what they say of `hangup`, and what that leads to. F0301 where it is missing and can happen,
    /// F0303 where it cannot.
    pub fn without_hangup<'m>(&mut self, found: &'m ast::Match) -> (Cow<'m, ast::Match>, Option<&'m ast::Body>) {
        let is_hangup = |pattern: &ast::Pattern| match &pattern.kind {
            PatternKind::Name(path) => matches!(path.names.as_slice(), [name] if name.text == "hangup"),
            _ => false,
        };
        let patterns = || found.arms.list.iter().flat_map(|arm| &arm.patterns);
        let Some(named) = patterns().find(|pattern| is_hangup(pattern)) else {
            if self.is_in_attempt() {
                let message = "no arm says what happens when the person hangs up before this flow returns";
                self.problems.give(
                    Diagnostic::new(Code::OutcomeNotHandled, found.keyword, message).help("`hangup => retry in 1d`"),
                );
            }
            return (Cow::Borrowed(found), None);
        };
        if let Some(again) = patterns().filter(|pattern| is_hangup(pattern)).nth(1) {
            self.problems.give(
                Diagnostic::new(Code::OutcomeHandledTwice, again.span, "`hangup` has an arm already")
                    .label(named.span, "handled here")
                    .help("keep one of the two"),
            );
        }
        let arm = found.arms.list.iter().find(|arm| arm.patterns.iter().any(is_hangup));
        if !self.is_in_attempt() {
            let message = "a flow that loses its caller takes its own flow along, so nobody is here to see `hangup`";
            self.problems.give(
                Diagnostic::new(Code::OutcomeImpossible, named.span, message)
                    .help("leave it out")
                    .note("only where a cadence calls somebody, his `hangup` is an outcome"),
            );
        }
        let mut rest = found.clone();
        rest.arms.list.iter_mut().for_each(|arm| arm.patterns.retain(|pattern| !is_hangup(pattern)));
        rest.arms.list.retain(|arm| !arm.patterns.is_empty());
        (Cow::Owned(rest), arm.map(|arm| &arm.body))
    }
}

fn int(number: usize, span: Span) -> Expr {
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    Expr { kind: ExprKind::Int(number), ty: Type::Int, span }
}

/// The attempt's flow returns how it ended.
fn attempt_ends(attempt: u32, variant: u32, value: Expr) -> StatementKind {
    let span = value.span;
    let fields = vec![hir::Argument { index: 0, value }];
    StatementKind::Return(Some(Expr { kind: ExprKind::Construct { variant, fields }, ty: Type::Enum(attempt), span }))
}
