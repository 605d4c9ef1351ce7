//! Private values: what may be learned of them, and the way that one took.

use lang_diagnostics::{Code, Diagnostic, Span, Turn, Way};

use super::{Checker, Handed, HandedTo, Typed, broken, typed};
use crate::hir::{self, ExprKind, LocalId};
use crate::ty::Ty;
use runtime_contract::types::Type;

/// Digits that `.last(n)` may show, and of how many at least.
const LAST_MAX: i64 = 4;
const OF_DIGITS_MIN: u32 = 12;

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

    /// Notes which private values a step or a flow is given.
    pub fn hand_on(&mut self, to: HandedTo, arguments: &[hir::Argument]) {
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
        let from_service = self.given_by_service(value);
        let digits_min = self.digits_min(value);
        if let Some(info) = self.local_mut(local) {
            info.from_service = from_service;
            info.private_source = source;
            info.digits_min = digits_min;
        }
    }

    /// Digits that a private value has at least, wherever it came from; `None` when that is not known.
    pub fn digits_min(&self, value: &hir::Expr) -> Option<u32> {
        match &value.kind {
            ExprKind::Local(local) => self.local(*local)?.digits_min,
            ExprKind::Some(inner) | ExprKind::Convert(hir::Conversion::Same, inner) => self.digits_min(inner),
            // It was public before, so there is nothing to keep.
            ExprKind::Convert(hir::Conversion::ToPrivate, _) => Some(u32::MAX),
            ExprKind::Else(value, fallback) => Some(self.digits_min(value)?.min(self.digits_min(fallback)?)),
            ExprKind::Inline { value, .. } => self.digits_min(value),
            ExprKind::Match(_, arms) => arms.iter().map(|arm| self.digits_min(&arm.value)).min().unwrap_or(None),
            _ => None,
        }
    }

    /// Whether a value came from a service.
    pub fn given_by_service(&self, expr: &hir::Expr) -> bool {
        match &expr.kind {
            ExprKind::Local(local) => self.local(*local).is_some_and(|info| info.from_service),
            ExprKind::Field { base, .. } | ExprKind::OptionalField { base, .. } | ExprKind::Row(base, _) => {
                self.given_by_service(base)
            }
            ExprKind::Some(value) | ExprKind::Convert(_, value) => self.given_by_service(value),
            ExprKind::Else(value, fallback) => self.given_by_service(value) && self.given_by_service(fallback),
            ExprKind::Inline { value, .. } => self.given_by_service(value),
            ExprKind::Match(_, arms) => arms.iter().all(|arm| self.given_by_service(&arm.value)),
            _ => false,
        }
    }

    /// `.last(n)` of a private value.
    pub fn private_last(&mut self, value: Typed, count: hir::Expr, span: Span) -> Typed {
        let digits_min = self.digits_min(&value.expr);
        let few = matches!(count.kind, ExprKind::Int(n) if (1..=LAST_MAX).contains(&n));
        if few && digits_min.is_some_and(|digits| digits >= OF_DIGITS_MIN) {
            let last = ExprKind::Last(Box::new(value.expr), Box::new(count));
            return typed(last, Ty::Digits, span);
        }
        let message = match few {
            true => format!("the last digits may be shown only of a number of at least {OF_DIGITS_MIN} digits"),
            false => format!("at most {LAST_MAX} digits of a private number may be shown"),
        };
        let diagnostic = match few {
            true => self.leak(&value, message).help("`ask private digits 12..19`"),
            false => self.leak(&value, message).help(format!("`….last({LAST_MAX})`")),
        };
        self.problems.give(diagnostic);
        broken(span)
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
        let either_is_given =
            self.given_by_service(&other.expr) || (other.ty.is_private() && self.given_by_service(&private.expr));
        if !either_is_given {
            let diagnostic = self
                .leak(&private, "a private value may be compared only with one that a service gave")
                .label(other.expr.span, "no service gave this")
                .help("let a service compare the two");
            self.problems.give(diagnostic);
            return broken(span);
        }
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
