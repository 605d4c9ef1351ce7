//! What a queue measures, as a value: in a `when` that says over how long, and nowhere else.

use std::collections::BTreeMap;

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast;
use runtime_contract::queue::MEASURES;
use runtime_contract::rule::Measure;
use runtime_contract::types::Type;

use super::{Checker, Typed, broken, typed};
use crate::hir::{ExprKind, LocalId};
use crate::problems::{nearest, offer_nearest};
use crate::ty::Ty;

/// Measures that are read, and the parameter of each.
#[derive(Default)]
pub(crate) struct Measured {
    pub known: BTreeMap<Measure, LocalId>,
    /// In the condition itself every measure is compared as a value; whether it has one is asked around it.
    pub in_condition: bool,
    /// The queue that the rule is about.
    pub queue: Option<u32>,
}

impl Measured {
    /// Declares a parameter for each; `lacks`: it may have no value.
    pub fn of(
        measures: &[Measure],
        checker: &mut Checker<'_, '_>,
        lacks: impl Fn(Measure) -> bool,
        in_condition: bool,
        span: Span,
    ) -> Measured {
        let declared = measures.iter().map(|measure| {
            let ty = measure.r#type().map_or(Ty::Broken, |of| of_type(&of));
            let ty = if lacks(*measure) { ty.optional() } else { ty };
            (*measure, checker.hidden(ty, span))
        });
        Measured { known: declared.collect(), in_condition, queue: measures.first().map(|first| first.queue) }
    }
}

impl Checker<'_, '_> {
    /// `support.waiting`
    pub fn measure(&mut self, queue: u32, name: &ast::Name, span: Span) -> Typed {
        let Some(index) = MEASURES.iter().position(|(known, _)| *known == name.text) else {
            let message = format!("a queue measures no `{}`", name.text);
            let diagnostic = Diagnostic::new(Code::UnknownField, name.span, message);
            let names = || MEASURES.iter().map(|(name, _)| *name);
            let all: Vec<String> = names().map(|name| format!("`{name}`")).collect();
            self.problems.give(match nearest(&name.text, names()) {
                Some(_) => offer_nearest(diagnostic, &name.text, names(), "{}"),
                None => diagnostic.help(format!("one of {}", all.join(", "))),
            });
            return broken(span);
        };
        let Some(measured) = &self.measured else {
            let message = "what a queue measures is known where a rule says over how long";
            let diagnostic = Diagnostic::new(Code::TypeMismatch, span, message);
            let example = match MEASURES.get(index).map(|(_, ty)| ty) {
                Some(Type::Percent) => "< 80%",
                Some(Type::Duration) => "> 1m",
                _ => "> 5",
            };
            let help = format!("`when {}.{} {example} over 15m`", self.queue_name(queue), name.text);
            self.problems.give(diagnostic.help(help));
            return broken(span);
        };
        let (in_condition, measure) = (measured.in_condition, Measure { queue, measure: index as u32 });
        let ty = measure.r#type().map_or(Ty::Broken, |of| of_type(&of));
        let local = match measured.known.get(&measure).copied() {
            Some(local) => local,
            None => {
                let local = self.hidden(ty.clone(), span);
                if let Some(measured) = &mut self.measured {
                    measured.known.insert(measure, local);
                }
                local
            }
        };
        let own = self.local(local).map_or(Ty::Broken, |own| own.ty.clone());
        if own.is_broken() {
            return broken(span);
        }
        let is_optional = matches!(own, Ty::Optional(_));
        let read = typed(ExprKind::Local(local), own, span);
        if !(is_optional && in_condition) {
            return read;
        }
        let nothing = match ty {
            Ty::Int(_) => ExprKind::Int(0),
            Ty::Percent => ExprKind::Decimal(0),
            _ => ExprKind::Moment(0),
        };
        let nothing = typed(nothing, ty.clone(), span);
        typed(ExprKind::Else(Box::new(read.expr), Box::new(nothing.expr)), ty, span)
    }

    fn queue_name(&self, queue: u32) -> &str {
        self.project.queues.get(queue as usize).map_or("", |queue| queue.name.text.as_str())
    }

    /// Nobody called: false, with a word about it, in a rule that is about a queue.
    pub fn has_caller(&mut self, span: Span) -> bool {
        if let Some(measured) = &self.measured {
            let message = "this rule is about a queue, and about no caller";
            let queue = measured.queue.map_or("support", |queue| self.queue_name(queue));
            let help = format!("leave it out, or say it of each caller, by `when missed in {queue} as contact`");
            self.problems.give(Diagnostic::new(Code::NoLineHere, span, message).help(help));
        }
        self.measured.is_none()
    }
}

fn of_type(of: &Type) -> Ty {
    match of {
        Type::Int => Ty::Int(None),
        Type::Percent => Ty::Percent,
        Type::Duration => Ty::Duration,
        _ => Ty::Broken,
    }
}
