//! Private values: what may be learned of them, and the way that one took.

use lang_diagnostics::{Code, Diagnostic, Span, Turn, Way};

use super::origin::{Fact, Slot};
use super::{Checker, Handed, HandedTo, Typed, broken, typed};
use crate::hir::{self, ExprKind, LocalId};
use crate::ty::Ty;
use runtime_contract::types::Type;

/// Digits that `.last(n)` may show, and of how many at least.
const LAST_MAX: i64 = 4;
pub(super) const OF_DIGITS_MIN: u32 = 12;

impl Checker<'_, '_> {
    /// F0603 about a private value, with the way that it took.
    pub fn leak(&self, value: &Typed, message: impl Into<String>) -> Diagnostic {
        let diagnostic = Diagnostic::new(Code::PrivateLeak, value.expr.span, message).here("private");
        self.with_trail(diagnostic, &value.expr)
            .help("leave it out")
            .note("of a private number only `.last(4)`, `.length` and `.is_valid_card` may be shown")
    }

    /// Names the way of a private value.
    pub fn with_trail(&self, mut diagnostic: Diagnostic, value: &hir::Expr) -> Diagnostic {
        let trail = self.trail(value);
        for (name, span) in &trail {
            diagnostic = diagnostic.label(*span, format!("`{name}` is private from here"));
        }
        let turns = trail.iter().rev().map(|(name, span)| Turn::enters(name, *span)).collect();
        diagnostic.way(Way { lead: "the value came so".to_owned(), turns })
    }

    /// Notes what a step or a flow is given, and which private values are among it.
    pub fn hand_on(&mut self, to: HandedTo, arguments: &[hir::Argument]) {
        let place = match to {
            HandedTo::Step(step) => self.flow.map(|flow| (flow, Some(step))),
            HandedTo::Flow(flow) => Some((flow, None)),
        };
        if let Some((flow, step)) = place {
            let given = arguments.iter().map(|argument| {
                (Slot { flow, step, index: argument.index }, self.origin(&argument.value), argument.value.span)
            });
            let given: Vec<_> = given.collect();
            self.given.extend(given);
        }
        for argument in arguments.iter().filter(|argument| is_private(&argument.value.ty)) {
            let trail = self.trail(&argument.value);
            self.handed.push(Handed { to: (to, argument.index), trail });
        }
    }

    /// The private names that a value came through, latest first.
    fn trail(&self, expr: &hir::Expr) -> Vec<(String, Span)> {
        let mut found = Vec::new();
        let mut next = root(expr);
        while let Some(info) = next.and_then(|local| self.local(local)) {
            if found.len() < self.locals.len()
                && !info.name.is_empty()
                && !found.contains(&(info.name.clone(), info.span))
            {
                found.push((info.name.clone(), info.span));
            }
            next = info.private_source;
        }
        found
    }

    /// A local takes what is known about the value that it gets.
    pub fn inherit(&mut self, local: LocalId, value: &hir::Expr) {
        let source = root(value);
        let origin = self.origin(value);
        if let Some(info) = self.local_mut(local) {
            info.origin = origin;
            info.private_source = source;
        }
    }

    /// `.last(n)` of a private value.
    pub fn private_last(&mut self, value: Typed, count: hir::Expr, span: Span) -> Typed {
        if !matches!(count.kind, ExprKind::Int(n) if (1..=LAST_MAX).contains(&n)) {
            let message = format!("at most {LAST_MAX} digits of a private number may be shown");
            let diagnostic = self.leak(&value, message).help(format!("`….last({LAST_MAX})`"));
            self.problems.give(diagnostic);
            return broken(span);
        }
        let digits = self.origin(&value.expr).digits;
        let message = format!("the last digits may be shown only of a number of at least {OF_DIGITS_MIN} digits");
        let diagnostic = match digits {
            Some(_) => self.leak(&value, message).help("`ask private digits 12..19`"),
            None => self
                .leak(&value, format!("{message}, and how many this one has is not known here"))
                .help("`.last(4)` where the number was asked, and hand that on"),
        };
        match digits.filter(|(least, _)| *least >= OF_DIGITS_MIN) {
            Some((_, given)) => self.claim(Fact::Digits, vec![given], diagnostic),
            None => {
                self.problems.give(diagnostic);
                return broken(span);
            }
        }
        typed(ExprKind::Last(Box::new(value.expr), Box::new(count)), Ty::Digits, span)
    }

    /// `==` of a private value and another.
    pub fn private_equal(&mut self, left: Typed, right: Typed, span: Span) -> Typed {
        let (private, other) = match left.ty.is_private() {
            true => (left, right),
            false => (right, left),
        };
        if matches!(private.ty, Ty::Optional(_)) || matches!(other.ty, Ty::Optional(_)) {
            let missing = if matches!(private.ty, Ty::Optional(_)) { &private } else { &other };
            let diagnostic = self.optional_as_present(missing);
            self.problems.give(diagnostic);
            return broken(span);
        }
        let Ty::Private(inner) = &private.ty else { return broken(span) };
        let other_inner = match &other.ty {
            Ty::Private(inner) => inner,
            ty => ty,
        };
        if **inner != *other_inner {
            let message =
                format!("`{}` and `{}` cannot be compared", self.text_of(&private.ty), self.text_of(&other.ty));
            self.problems.give(Diagnostic::new(Code::NotComparable, span, message).help("compare digits with digits"));
            return broken(span);
        }
        let swapped = other.ty.is_private().then(|| self.origin(&private.expr).service).flatten();
        let given: Vec<_> = self.origin(&other.expr).service.into_iter().chain(swapped).collect();
        let diagnostic = self
            .leak(&private, "a private value may be compared only with one that a service gave")
            .label(other.expr.span, "nothing says that a service gave this")
            .help("let a service compare the two");
        if given.is_empty() {
            self.problems.give(diagnostic);
            return broken(span);
        }
        self.claim(Fact::Service, given, diagnostic);
        typed(ExprKind::PrivateEqual(Box::new(private.expr), Box::new(other.expr)), Ty::Bool, span)
    }
}

fn is_private(ty: &Type) -> bool {
    match ty {
        Type::Optional(inner) => is_private(inner),
        ty => matches!(ty, Type::Private(_)),
    }
}

/// The value without the conversions around it that change nothing.
fn strip(expr: &hir::Expr) -> &hir::Expr {
    match &expr.kind {
        ExprKind::Some(inner)
        | ExprKind::Convert(hir::Conversion::Same, inner)
        | ExprKind::Else(inner, _)
        | ExprKind::Inline { value: inner, .. } => strip(inner),
        _ => expr,
    }
}

/// The local from which a value is read.
fn root(expr: &hir::Expr) -> Option<LocalId> {
    match &strip(expr).kind {
        ExprKind::Local(local) => Some(*local),
        ExprKind::Field { base, .. } | ExprKind::OptionalField { base, .. } | ExprKind::Row(base, _) => root(base),
        _ => None,
    }
}
