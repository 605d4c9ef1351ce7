//! What stands behind a dot: fields of records, and the few properties and methods of values.

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast;
use runtime_contract::limits::LIST_LEN_MAX;
use runtime_contract::written::Written;

use super::{Checker, Typed, broken, typed};
use crate::hir::{self, Conversion, ExprKind, Zoned};
use crate::problems::offer_nearest;
use crate::ty::Ty;

impl Checker<'_, '_> {
    /// `base.field`
    pub fn property(&mut self, base: Typed, field: &ast::Name, span: Span) -> Typed {
        if base.ty.is_broken() {
            return broken(span);
        }
        if let Ty::Record(id) = base.ty.present() {
            return self.record_field(*id, base, field, span);
        }
        if matches!(base.ty, Ty::Optional(_)) {
            let diagnostic = self.optional_as_present(&base);
            self.problems.give(diagnostic);
            return broken(span);
        }
        let convert =
            |conversion, value: Typed, ty| typed(ExprKind::Convert(conversion, Box::new(value.expr)), ty, span);
        match (field.text.as_str(), &base.ty) {
            ("length", Ty::List(_)) => {
                typed(ExprKind::Length(Box::new(base.expr)), Ty::Int(Some((0, LIST_LEN_MAX as i64))), span)
            }
            ("length", Ty::Text | Ty::Digits | Ty::Private(_)) => {
                typed(ExprKind::Length(Box::new(base.expr)), Ty::Int(None), span)
            }
            ("is_valid_card", Ty::Private(_) | Ty::Digits) => {
                typed(ExprKind::IsValidCard(Box::new(base.expr)), Ty::Bool, span)
            }
            ("text", Ty::Int(_)) => convert(Conversion::IntToText, base, Ty::Text),
            ("text", Ty::Phone) => convert(Conversion::PhoneToText, base, Ty::Text),
            ("text", Ty::Text | Ty::Digits | Ty::TimeZone) => convert(Conversion::Same, base, Ty::Text),
            ("text", Ty::Private(_)) => convert(Conversion::Same, base, Ty::Private(Box::new(Ty::Text))),
            ("text", Ty::Bool | Ty::Recording | Ty::List(_)) => self.unknown_property(&base, field, span),
            ("text", ty) if Written::of(&ty.lower()).is_some() => convert(Conversion::ValueToText, base, Ty::Text),
            ("digits", Ty::Int(Some((low, _)))) if *low >= 0 => convert(Conversion::IntToText, base, Ty::Digits),
            ("digits", Ty::Int(_)) => {
                let message = "this number may be negative, and a minus sign is no digit";
                self.problems.give(
                    Diagnostic::new(Code::TypeMismatch, field.span, message)
                        .label(base.expr.span, "it has no bounds")
                        .help("declare it with bounds, as `Int 0..999`"),
                );
                broken(span)
            }
            ("digits", Ty::Digits) => base,
            ("digits", Ty::Text) => convert(Conversion::TextToDigits, base, Ty::Digits),
            ("digits", Ty::Phone) => convert(Conversion::IntToText, base, Ty::Digits),
            _ => self.unknown_property(&base, field, span),
        }
    }

    fn unknown_property(&mut self, base: &Typed, field: &ast::Name, span: Span) -> Typed {
        let message = format!("a `{}` has no `{}`", self.text_of(&base.ty), field.text);
        let known: &[&str] = match &base.ty {
            Ty::Digits | Ty::Private(_) => &["length", "last", "text", "is_valid_card"],
            Ty::List(_) => &["length"],
            Ty::Text => &["length", "text", "digits"],
            Ty::Int(_) | Ty::Phone => &["text", "digits"],
            Ty::Date => &["at", "text"],
            Ty::Time => &["date", "clock", "text"],
            Ty::Bool | Ty::Recording => &[],
            _ => &["text"],
        };
        let diagnostic = Diagnostic::new(Code::UnknownField, field.span, message);
        self.problems.give(offer_nearest(diagnostic, &field.text, known.iter().copied(), "{}"));
        broken(span)
    }

    fn record_field(&mut self, id: u32, base: Typed, field: &ast::Name, span: Span) -> Typed {
        let Some(record) = self.project.record(id) else { return broken(span) };
        let Some(index) = record.fields.iter().position(|known| known.name.text == field.text) else {
            let message = format!("`{}` has no field `{}`", record.name.text, field.text);
            let diagnostic = Diagnostic::new(Code::UnknownField, field.span, message);
            let names = record.fields.iter().map(|known| known.name.text.as_str());
            self.problems
                .give(offer_nearest(diagnostic, &field.text, names, "{}").label(record.name.span, "declared here"));
            return broken(span);
        };
        let ty = record.fields.get(index).map_or(Ty::Broken, |known| known.ty.clone());
        if ty.is_broken() {
            return broken(span);
        }
        let (field, optional) = (index as u32, matches!(base.ty, Ty::Optional(_)));
        let base = Box::new(base.expr);
        match optional {
            true => typed(ExprKind::OptionalField { base, field }, ty.optional(), span),
            false => typed(ExprKind::Field { base, field }, ty, span),
        }
    }

    /// `base.method(arguments)`
    pub fn method(&mut self, base: Typed, method: &ast::Name, arguments: &ast::Arguments, span: Span) -> Typed {
        if base.ty.is_broken() {
            for argument in &arguments.list {
                self.expr(&argument.value, None);
            }
            return broken(span);
        }
        match (method.text.as_str(), base.ty.present()) {
            ("last", Ty::Digits | Ty::Private(_)) => {
                if matches!(base.ty, Ty::Optional(_)) {
                    let diagnostic = self.optional_as_present(&base);
                    self.problems.give(diagnostic);
                    return broken(span);
                }
                let Some(count) = self.single(method, arguments, "4") else { return broken(span) };
                let count = self.value(count, &Ty::Int(None));
                if matches!(count.kind, ExprKind::Broken) {
                    return broken(span);
                }
                if matches!(count.kind, ExprKind::Int(n) if n < 0) {
                    return self.bad_literal(count.span, "there are no fewer than no digits", "4");
                }
                if matches!(count.kind, ExprKind::Int(0)) {
                    let message = "the last 0 digits are none at all";
                    self.problems.give(Diagnostic::new(Code::BoundOfZero, count.span, message).help("`4`"));
                    return broken(span);
                }
                if base.ty.is_private() {
                    return self.private_last(base, count, span);
                }
                typed(ExprKind::Last(Box::new(base.expr), Box::new(count)), Ty::Digits, span)
            }
            ("at", Ty::Date) | ("date" | "clock", Ty::Time) => self.in_zone(base, method, arguments, span),
            ("length" | "text" | "digits" | "is_valid_card", _) => {
                let message = format!("`.{}` takes no brackets", method.text);
                self.problems
                    .give(Diagnostic::new(Code::UnknownField, arguments.span, message).help("leave the brackets out"));
                broken(span)
            }
            _ => self.unknown_property(&base, method, span),
        }
    }

    /// `date.at(clock, zone)`, `time.date(zone)`, `time.clock(zone)`
    fn in_zone(&mut self, base: Typed, method: &ast::Name, arguments: &ast::Arguments, span: Span) -> Typed {
        if matches!(base.ty, Ty::Optional(_)) {
            let diagnostic = self.optional_as_present(&base);
            self.problems.give(diagnostic);
            return broken(span);
        }
        let (zoned, wanted, ty): (_, &[Ty], _) = match method.text.as_str() {
            "at" => (Zoned::DateAt, &[Ty::Clock, Ty::TimeZone], Ty::Time),
            "date" => (Zoned::TimeDate, &[Ty::TimeZone], Ty::Date),
            _ => (Zoned::TimeClock, &[Ty::TimeZone], Ty::Clock),
        };
        let given = &arguments.list;
        if given.len() != wanted.len() {
            let code = if given.len() < wanted.len() { Code::MissingField } else { Code::UnknownField };
            let (takes, example) = match zoned {
                Zoned::DateAt => ("a time of day and a zone", "10:00, \"Asia/Shanghai\""),
                _ => ("a zone", "\"Asia/Shanghai\""),
            };
            let message = format!("`.{}` takes {takes}", method.text);
            let help = format!("`….{}({example})`", method.text);
            self.problems.give(Diagnostic::new(code, arguments.span, message).help(help));
            return broken(span);
        }
        let mut operands = vec![base.expr];
        for (argument, wanted) in given.iter().zip(wanted) {
            operands.push(self.value(&argument.value, wanted));
        }
        if operands.iter().any(|operand| matches!(operand.kind, ExprKind::Broken)) {
            return broken(span);
        }
        typed(ExprKind::Zoned(zoned, operands), ty, span)
    }

    /// The one argument of a method or conversion.
    pub fn single<'e>(
        &mut self,
        of: &ast::Name,
        arguments: &'e ast::Arguments,
        example: &str,
    ) -> Option<&'e ast::Expr> {
        match arguments.list.as_slice() {
            [only] => Some(&only.value),
            list => {
                let code = if list.is_empty() { Code::MissingField } else { Code::UnknownField };
                let message = format!("`{}` takes one value", of.text);
                self.problems
                    .give(Diagnostic::new(code, arguments.span, message).help(format!("`{}({example})`", of.text)));
                None
            }
        }
    }

    /// `Decimal(n)` and `percent(part, whole)`.
    pub fn built_in(&mut self, name: &ast::Name, arguments: &ast::Arguments, span: Span) -> Option<Typed> {
        match name.text.as_str() {
            "Decimal" => {
                let Some(number) = self.single(name, arguments, "3") else { return Some(broken(span)) };
                let number = self.value(number, &Ty::Int(None));
                Some(self.converted(number, Conversion::IntToDecimal, Ty::Decimal, span))
            }
            "percent" => {
                let [part, whole] = arguments.list.as_slice() else {
                    let code = if arguments.list.len() < 2 { Code::MissingField } else { Code::UnknownField };
                    self.problems.give(
                        Diagnostic::new(code, arguments.span, "`percent` takes a part and the whole")
                            .help("`percent(3, 4)`"),
                    );
                    return Some(broken(span));
                };
                let (part, whole) = (self.decimal(&part.value), self.decimal(&whole.value));
                let (Some(part), Some(whole)) = (part, whole) else { return Some(broken(span)) };
                let divide = ExprKind::Binary(hir::Operator::DecimalDivide, Box::new(part), Box::new(whole));
                let share = typed(divide, Ty::Decimal, span);
                Some(self.converted(share.expr, Conversion::Same, Ty::Percent, span))
            }
            "given_for" if self.in_test => Some(self.given_for(name, arguments, span)),
            "Permission" => {
                self.permission_written(span);
                Some(broken(span))
            }
            "given_for" if self.project.reach(self.module, &["given_for"]).is_none() => {
                self.permission_written(span);
                Some(broken(span))
            }
            _ => None,
        }
    }

    fn converted(&self, value: hir::Expr, conversion: Conversion, ty: Ty, span: Span) -> Typed {
        match value.kind {
            ExprKind::Broken => broken(span),
            _ => typed(ExprKind::Convert(conversion, Box::new(value)), ty, span),
        }
    }

    /// An Int or a Decimal, as a Decimal.
    fn decimal(&mut self, expr: &ast::Expr) -> Option<hir::Expr> {
        let value = self.expr(expr, None);
        let span = expr.span;
        let value = match value.ty {
            Ty::Int(_) => typed(ExprKind::Convert(Conversion::IntToDecimal, Box::new(value.expr)), Ty::Decimal, span),
            _ => value,
        };
        let value = self.coerce(value, &Ty::Decimal);
        (!matches!(value.kind, ExprKind::Broken)).then_some(value)
    }
}
