//! Values: what type each has, and whether it fits where it stands.

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast::{self, BinaryOperator, ExprKind, IsTest};
use runtime_contract::currency::ISO_4217;

use super::{Checker, Typed, broken, broken_expr, typed};
use crate::hir;
use crate::project::Def;
use crate::ty::{Ty, has_text};

impl Checker<'_, '_> {
    /// A value for a place that wants this type. What does not fit gives a diagnostic.
    pub fn value(&mut self, expr: &ast::Expr, wanted: &Ty) -> hir::Expr {
        let value = self.expr(expr, Some(wanted));
        self.coerce(value, wanted)
    }

    /// A value that should be yes or no.
    pub fn condition(&mut self, expr: &ast::Expr) -> hir::Expr {
        self.may_bind = true;
        let value = self.value(expr, &Ty::Bool);
        self.may_bind = false;
        value
    }

    /// Makes a value fit, optional where it has to be.
    pub fn coerce(&mut self, value: Typed, wanted: &Ty) -> hir::Expr {
        let Typed { expr, ty } = value;
        if ty.is_broken() || wanted.is_broken() {
            return broken_expr(expr.span);
        }
        if ty.fits(wanted) {
            return fitted(expr, &ty, wanted);
        }
        if let Ty::Optional(inner) = wanted
            && ty.fits(inner)
        {
            let span = expr.span;
            let inside = fitted(expr, &ty, inner);
            return hir::Expr { kind: hir::ExprKind::Some(Box::new(inside)), ty: wanted.lower(), span };
        }
        let span = expr.span;
        let diagnostic = self.misfit(&Typed { expr, ty }, wanted);
        self.problems.give(diagnostic);
        broken_expr(span)
    }

    fn misfit(&self, value: &Typed, wanted: &Ty) -> Diagnostic {
        let (span, found) = (value.expr.span, &value.ty);
        if found.is_private() && !wanted.is_private() {
            return self.leak(value, format!("a private value stands where `{}` is wanted", self.text_of(wanted)));
        }
        if let Ty::Optional(inner) = found
            && (inner.fits(wanted) || *found == Ty::Nothing)
        {
            return self.optional_as_present(value);
        }
        let message =
            format!("this is `{}`, where `{}` is wanted", self.text_of(found), self.text_of(wanted.present()));
        let diagnostic = Diagnostic::new(Code::TypeMismatch, span, message);
        match (found, wanted.present()) {
            (found, Ty::Text) if has_text(found) => diagnostic.help("`….text`"),
            (Ty::Int(_), Ty::Money) if let hir::ExprKind::Int(amount) = value.expr.kind => {
                diagnostic.help(format!("`{amount}.00 {}`", self.example_currency()))
            }
            (Ty::Int(_), Ty::Percent) if let hir::ExprKind::Int(share) = value.expr.kind => {
                diagnostic.help(format!("`{share}%`"))
            }
            (Ty::Text, Ty::Money) if let Some(amount) = amount_in_quotes(&value.expr.kind) => {
                diagnostic.help(format!("`{amount}`"))
            }
            (Ty::Int(_), Ty::Decimal) => diagnostic.help("`Decimal(…)`"),
            (Ty::Int(_), Ty::Digits) => diagnostic.help("`….digits`"),
            (_, Ty::Bool) if let Some(test) = self.test_of(value) => diagnostic.help(test),
            (Ty::Nothing, wanted) if !self.is_in_clause() => {
                diagnostic.help(format!("declare it `{}?`", self.text_of(wanted)))
            }
            (_, wanted @ Ty::Private(_)) => {
                diagnostic.help(format!("a value of the type `{}`, as `ask private` gives", self.text_of(wanted)))
            }
            (_, wanted) => diagnostic.help(format!("`{}`", self.example_for(wanted))),
        }
    }

    pub fn optional_as_present(&self, value: &Typed) -> Diagnostic {
        let inner = self.text_of(value.ty.present());
        let diagnostic =
            Diagnostic::new(Code::OptionalUsedAsPresent, value.expr.span, format!("this `{inner}` may be missing"))
                .here("it may be `none`");
        match self.example(&value.ty).as_str() {
            "none" if self.is_in_clause() => {
                diagnostic.help("leave it out here: this is for what is known for certain")
            }
            "none" => diagnostic.help("ask before: `if … is some value {`"),
            example => {
                diagnostic.help(format!("`(… else {example})`")).note("or ask before, by `if … is some value {`")
            }
        }
    }

    /// As `example`; what may be missing is.
    pub fn example_for(&self, ty: &Ty) -> String {
        match ty {
            Ty::Optional(_) => "none".to_owned(),
            Ty::Record(_) => self.in_sight(ty).unwrap_or_else(|| self.example(ty)),
            _ => self.example(ty),
        }
    }

    /// A value of a type, for a help line; `none` where there is none that could be written out.
    pub fn example(&self, ty: &Ty) -> String {
        match ty.present() {
            Ty::Bool => "false".to_owned(),
            Ty::Int(bounds) => bounds.map_or(0, |(low, _)| low).to_string(),
            Ty::Decimal => "0.0".to_owned(),
            Ty::Money => format!("0.00 {}", self.example_currency()),
            Ty::Percent => "0%".to_owned(),
            Ty::Duration => "1m".to_owned(),
            Ty::Text => "\"\"".to_owned(),
            Ty::Digits => "\"0123\"".to_owned(),
            Ty::Phone if self.speaks_chinese() => "\"+86 400 810 0000\"".to_owned(),
            Ty::Phone => "\"+44 20 7946 0000\"".to_owned(),
            Ty::TimeZone if self.speaks_chinese() => "\"Asia/Shanghai\"".to_owned(),
            Ty::TimeZone => "\"Europe/London\"".to_owned(),
            Ty::Date => "2026-03-02".to_owned(),
            Ty::Clock => "09:00".to_owned(),
            Ty::Private(inner) => self.example(inner),
            Ty::Language => self.project.languages.first().cloned().unwrap_or_default(),
            Ty::Enum(id) => {
                let variants = self.project.enums.get(*id as usize).map_or(&[][..], |info| &info.item.variants);
                let plain = variants.iter().find(|variant| variant.fields.is_empty());
                plain.map_or("none", |variant| &variant.name.text).to_owned()
            }
            Ty::List(row) => format!("[{}]", self.example(row)),
            _ => "none".to_owned(),
        }
    }

    fn speaks_chinese(&self) -> bool {
        self.project.languages.iter().any(|tag| tag.starts_with("zh"))
    }

    /// What an example of money is counted in.
    fn example_currency(&self) -> &'static str {
        if self.speaks_chinese() { "CNY" } else { "GBP" }
    }

    /// The value of an expression. `wanted` helps literals and variants to find their type; nothing is checked
    /// against it.
    pub fn expr(&mut self, expr: &ast::Expr, wanted: Option<&Ty>) -> Typed {
        let found = self.as_it_stands(expr, wanted);
        self.written_out(found)
    }

    fn as_it_stands(&mut self, expr: &ast::Expr, wanted: Option<&Ty>) -> Typed {
        let span = expr.span;
        match &expr.kind {
            ExprKind::Missing => broken(span),
            ExprKind::Name(name) => self.name(name, wanted),
            ExprKind::Field { base, field } => self.field(expr, base, field),
            ExprKind::Call { callee, arguments } => self.call_value(expr, callee, arguments, wanted),
            ExprKind::Not { value } => {
                let value = self.unbound(|checker| checker.value(value, &Ty::Bool));
                typed(hir::ExprKind::Not(Box::new(value)), Ty::Bool, span)
            }
            ExprKind::Negate { value } => self.negate(value, span, wanted),
            ExprKind::Binary { operator, operator_span, left, right } => match operator {
                BinaryOperator::And => {
                    let left = self.value(left, &Ty::Bool);
                    let right = self.value(right, &Ty::Bool);
                    typed(hir::ExprKind::And(Box::new(left), Box::new(right)), Ty::Bool, span)
                }
                BinaryOperator::Or => {
                    let left = self.unbound(|checker| checker.value(left, &Ty::Bool));
                    let right = self.unbound(|checker| checker.value(right, &Ty::Bool));
                    typed(hir::ExprKind::Or(Box::new(left), Box::new(right)), Ty::Bool, span)
                }
                _ => self.binary(*operator, *operator_span, left, right, span),
            },
            ExprKind::Is { value, negated, test } => {
                let test = match negated {
                    true => self.unbound(|checker| checker.is(value, test, span)),
                    false => self.is(value, test, span),
                };
                match *negated && !test.ty.is_broken() {
                    true => typed(hir::ExprKind::Not(Box::new(test.expr)), Ty::Bool, span),
                    false => test,
                }
            }
            ExprKind::Else { keyword, value, fallback } => {
                let value = self.expr(value, wanted);
                self.or_else(value, *keyword, fallback)
            }
            ExprKind::List(rows) => self.list(rows, wanted, span),
            ExprKind::Index { base, index } => self.row(base, index, span),
            ExprKind::Match(found) => self.value_match(found, wanted, span),
            _ => self.literal(expr, wanted),
        }
    }

    /// Reads a part whose `is some x` gives `x` to nobody.
    pub fn unbound<T>(&mut self, inner: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.may_bind, false);
        let value = inner(self);
        self.may_bind = before;
        value
    }

    /// `value else fallback`
    pub fn or_else(&mut self, value: Typed, keyword: Span, fallback: &ast::Expr) -> Typed {
        let span = value.expr.span.to(fallback.span);
        let inner = match &value.ty {
            Ty::Optional(inner) => (**inner).clone(),
            Ty::Broken | Ty::Nothing => Ty::Broken,
            _ => {
                self.expr(fallback, Some(&value.ty));
                self.problems.give(
                    Diagnostic::new(Code::ArmNeverReached, keyword, "this value is never missing, so `else` is idle")
                        .label(value.expr.span, format!("always a `{}`", self.text_of(&value.ty)))
                        .help("leave `else` and what follows away"),
                );
                return broken(span);
            }
        };
        let fallback = self.expr(fallback, Some(&inner));
        if inner.is_broken() || fallback.ty.is_broken() {
            return broken(span);
        }
        let joined = inner.join(&fallback.ty).unwrap_or(inner);
        // Both may be missing: the value stays as it is when the fallback is `none`.
        if fallback.ty == Ty::Nothing {
            return value;
        }
        let value = self.coerce(value, &joined.clone().optional());
        let fallback = self.coerce(fallback, &joined);
        typed(hir::ExprKind::Else(Box::new(value), Box::new(fallback)), joined, span)
    }

    fn is(&mut self, value: &ast::Expr, test: &IsTest, span: Span) -> Typed {
        if let Some(hours) = self.hours_named(value) {
            return self.is_open(hours, test, value.span, span);
        }
        let subject = self.expr(value, None);
        if subject.ty.is_broken() {
            if let IsTest::Some { name: Some(name), .. } = test {
                self.bind(name, Ty::Broken);
            }
            return broken(span);
        }
        match test {
            IsTest::Some { keyword, name } => {
                let Ty::Optional(inner) = subject.ty.clone() else { return self.never_missing(&subject, *keyword) };
                let local = name.as_ref().map(|name| self.bind(name, *inner));
                if let Some(local) = local {
                    self.inherit(local, &subject.expr);
                }
                typed(hir::ExprKind::IsSome(Box::new(subject.expr), local), Ty::Bool, span)
            }
            IsTest::None(keyword) => {
                let Ty::Optional(_) = subject.ty else { return self.never_missing(&subject, *keyword) };
                let some = typed(hir::ExprKind::IsSome(Box::new(subject.expr), None), Ty::Bool, span);
                typed(hir::ExprKind::Not(Box::new(some.expr)), Ty::Bool, span)
            }
            IsTest::Name(path) => self.is_variant(subject, path, span),
            IsTest::Language(tag) => {
                let name = ast::Name { text: tag.text.clone(), span: tag.span };
                let path = ast::Path { names: vec![name], span: tag.span };
                self.is_variant(subject, &path, span)
            }
        }
    }

    /// A name that `is some` fills: visible behind it where that is sure to have held.
    fn bind(&mut self, name: &ast::Name, ty: Ty) -> hir::LocalId {
        match self.may_bind {
            true => self.declare(name, ty),
            false => self.scoped(|checker| checker.declare(name, ty)),
        }
    }

    fn never_missing(&mut self, subject: &Typed, keyword: Span) -> Typed {
        self.problems.give(
            Diagnostic::new(
                Code::TypeMismatch,
                keyword,
                format!("this `{}` is never missing, so there is nothing to ask", self.text_of(&subject.ty)),
            )
            .label(subject.expr.span, "not optional")
            .help("leave the test away"),
        );
        broken(subject.expr.span)
    }

    fn is_variant(&mut self, subject: Typed, path: &ast::Path, span: Span) -> Typed {
        if matches!(subject.ty, Ty::Optional(_)) {
            let diagnostic = self.optional_as_present(&subject);
            self.problems.give(diagnostic);
            return broken(span);
        }
        let wanted = subject.ty.clone();
        if !matches!(wanted, Ty::Enum(_) | Ty::Language) {
            self.problems.give(
                Diagnostic::new(
                    Code::NotComparable,
                    path.span,
                    format!("`is` asks for a variant, and a `{}` has none", self.text_of(&wanted)),
                )
                .help(format!(
                    "`== {}`",
                    path.names.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(".")
                )),
            );
            return broken(span);
        }
        let variant = self.variant_named(path, &wanted);
        if variant.ty.is_broken() {
            return broken(span);
        }
        let test = match variant.expr.kind {
            hir::ExprKind::Variant(index) => hir::ExprKind::IsVariant(Box::new(subject.expr), index),
            _ => hir::ExprKind::Binary(hir::Operator::Equal, Box::new(subject.expr), Box::new(variant.expr)),
        };
        typed(test, Ty::Bool, span)
    }

    fn hours_named(&self, value: &ast::Expr) -> Option<u32> {
        let names = Self::names_of(value)?;
        if self.lookup(&names.first()?.text).is_some() {
            return None;
        }
        let words: Vec<&str> = names.iter().map(|name| name.text.as_str()).collect();
        match self.project.reach(self.module, &words) {
            Some(reached) if reached.names == words.len() => match reached.def {
                Def::Hours(id) => Some(id),
                _ => None,
            },
            _ => None,
        }
    }

    fn is_open(&mut self, hours: u32, test: &IsTest, name: Span, span: Span) -> Typed {
        let open = matches!(test, IsTest::Name(path) if path.names.len() == 1
            && path.names.first().is_some_and(|name| name.text == "open"));
        if open {
            self.hours_asked.push(hours);
            return typed(hir::ExprKind::HoursOpen(hours), Ty::Bool, span);
        }
        self.problems.give(
            Diagnostic::new(Code::UnknownName, name, "of hours one can only ask whether they are open")
                .here("these are hours")
                .help("`… is open`"),
        );
        broken(span)
    }
}

/// A value whose type fits, as one of the wanted type.
fn fitted(expr: hir::Expr, ty: &Ty, wanted: &Ty) -> hir::Expr {
    let span = expr.span;
    let kind = match wanted.is_private() && !ty.is_private() && *ty != Ty::Nothing {
        true => hir::ExprKind::Convert(hir::Conversion::ToPrivate, Box::new(expr)),
        false => expr.kind,
    };
    hir::Expr { kind, ty: wanted.lower(), span }
}

/// `12.50 CNY`, of the text `"12.50 CNY"`.
fn amount_in_quotes(value: &hir::ExprKind) -> Option<&str> {
    let hir::ExprKind::Text(text) = value else { return None };
    let (amount, currency) = text.split_once(' ')?;
    let is_amount = amount.starts_with(|sign: char| sign.is_ascii_digit()) && amount.parse::<f64>().is_ok();
    (is_amount && ISO_4217.iter().any(|(letters, _)| *letters == currency)).then_some(text)
}
