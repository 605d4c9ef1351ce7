//! What a test says of the world outside: what services answer, and that a queue is full.

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast::{self, ExprKind};
use runtime_contract::request::Kind;
use runtime_contract::script::{Given, Verb};

use super::Reader;
use crate::problems::offer_nearest;
use crate::project::{Def, Reached};

/// The outcome of a queue, and what a test says of it.
const FULL: &str = "full";

impl Reader<'_, '_> {
    /// F1201 where what stands before the last dot is no service that this file sees.
    fn no_service(&self, path: &ast::Path, head: &[ast::Name]) -> Diagnostic {
        let Some(span) = head.iter().map(|name| name.span).reduce(Span::to) else {
            let message = "a service and its operation are wanted here";
            let first = self.project.services.iter().find_map(|info| Some((info, info.operations.first()?)));
            let (service, operation) =
                first.map_or(("bank", "balance"), |(info, first)| (info.name.text.as_str(), first.name.text.as_str()));
            return Diagnostic::new(Code::GivenUnknownService, path.span, message)
                .help(format!("`given {service}.{operation} => failed`"));
        };
        let written = head.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(".");
        let last = head.last().map_or("", |name| name.text.as_str());
        let elsewhere = self.project.services.iter().find(|info| info.name.text == last);
        match elsewhere.and_then(|info| self.project.modules.get(info.module)) {
            Some(module) => {
                let message = format!("`{last}` is a service of `{}`, which this file does not use", module.path);
                Diagnostic::new(Code::GivenUnknownService, span, message).help(format!("`use {}: {last}`", module.path))
            }
            None => {
                let message = format!("there is no service `{written}`");
                let diagnostic = Diagnostic::new(Code::GivenUnknownService, span, message);
                let names = self.project.services.iter().map(|info| info.name.text.as_str());
                offer_nearest(diagnostic, &written, names, "{}")
            }
        }
    }

    pub(super) fn given(&mut self, path: &ast::Path, result: &ast::Given) -> Option<Verb> {
        let names: Vec<&str> = path.names.iter().map(|name| name.text.as_str()).collect();
        if let Some(Reached { def: Def::Queue(queue), names: reached }) = self.project.reach(self.module, &names)
            && reached == names.len()
        {
            return self.queue_full(queue, path, result);
        }
        let (last, head) = path.names.split_last()?;
        let words: Vec<&str> = head.iter().map(|name| name.text.as_str()).collect();
        let service = match self.project.reach(self.module, &words) {
            Some(reached) => match reached.def {
                Def::Service(service) if reached.names == words.len() => Some(service),
                Def::Broken => return None,
                _ => None,
            },
            None => None,
        };
        let info = service.and_then(|service| self.project.services.get(service as usize));
        let (Some(service), Some(info)) = (service, info) else {
            self.problems.give(self.no_service(path, head));
            return None;
        };
        let index = info.operations.iter().position(|operation| operation.name.text == last.text);
        let Some((index, operation)) = index.and_then(|index| Some((index, info.operations.get(index)?))) else {
            let message = format!("the service `{}` has no operation `{}`", info.name.text, last.text);
            let diagnostic = Diagnostic::new(Code::GivenUnknownService, last.span, message);
            let names = info.operations.iter().map(|operation| operation.name.text.as_str());
            self.problems.give(offer_nearest(diagnostic, &last.text, names, "{}"));
            return None;
        };
        let wanted = operation.result.clone();
        let answer = match (result, wanted) {
            (ast::Given::Failed(_), _) => Given::Failed,
            (ast::Given::Value(value), Some(wanted)) => Given::Ok(Some(self.constant(value, &wanted)?)),
            (ast::Given::Value(ast::Expr { kind: ExprKind::None, .. }), None) => Given::Ok(None),
            (ast::Given::Value(value), None) => {
                let message = format!("`{}` gives nothing", last.text);
                self.problems.give(Diagnostic::new(Code::TypeMismatch, value.span, message).help("`none`"));
                return None;
            }
        };
        Some(Verb::Given { service, operation: index as u32, answer })
    }

    /// `given support => full`
    fn queue_full(&mut self, queue: u32, path: &ast::Path, result: &ast::Given) -> Option<Verb> {
        let info = self.project.queues.get(queue as usize)?;
        let name = &info.name.text;
        let is_full =
            matches!(result, ast::Given::Value(ast::Expr { kind: ast::ExprKind::Name(word), .. }) if word.text == FULL);
        if !is_full {
            let span = match result {
                ast::Given::Value(value) => value.span,
                ast::Given::Failed(span) => *span,
            };
            let message = "of a queue a test says that it is full, and nothing else";
            let diagnostic = Diagnostic::new(Code::ExpectationImpossible, span, message);
            self.problems.give(diagnostic.help(format!("`given {name} => {FULL}`")));
            return None;
        }
        let outcomes = Kind::Queue.row().outcomes;
        let can_be = info.outcomes.iter().any(|at| outcomes.get(*at) == Some(&FULL));
        if !can_be && !info.partly_read {
            let message = format!("`{name}` is never full, for it has no `limit`");
            let diagnostic = Diagnostic::new(Code::ExpectationImpossible, path.span, message);
            let diagnostic = diagnostic.label(info.name.span, "declared here");
            self.problems.give(diagnostic.help("`limit 100 waiting` in the queue, or leave this line out"));
            return None;
        }
        Some(Verb::QueueFull { queue })
    }
}
