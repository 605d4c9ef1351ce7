//! Operators: arithmetic, joining, comparison. Conversions between operands are written out.

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast::{self, BinaryOperator};

use super::{Checker, Typed, broken, typed};
use crate::hir::{self, Conversion, Operator};
use crate::ty::Ty;

impl Checker<'_, '_> {
    pub fn negate(&mut self, value: &ast::Expr, span: Span, wanted: Option<&Ty>) -> Typed {
        let value = self.expr(value, wanted);
        match (&value.expr.kind, &value.ty) {
            (_, ty) if ty.is_broken() => broken(span),
            (hir::ExprKind::Int(number), _) => match number.checked_neg() {
                Some(number) => typed(hir::ExprKind::Int(number), Ty::Int(Some((number, number))), span),
                None => self.bad_literal(span, "this number is too small", "0"),
            },
            (hir::ExprKind::Decimal(number), ty) => {
                typed(hir::ExprKind::Decimal(number.saturating_neg()), ty.clone(), span)
            }
            (hir::ExprKind::Moment(ms), Ty::Duration) => {
                typed(hir::ExprKind::Moment(ms.saturating_neg()), Ty::Duration, span)
            }
            (hir::ExprKind::Money(money), _) => {
                let money = runtime_contract::value::Money { amount: money.amount.saturating_neg(), ..*money };
                typed(hir::ExprKind::Money(money), Ty::Money, span)
            }
            (_, Ty::Int(_) | Ty::Decimal | Ty::Money | Ty::Percent | Ty::Duration) => {
                let ty = if matches!(value.ty, Ty::Int(_)) { Ty::Int(None) } else { value.ty.clone() };
                typed(hir::ExprKind::Negate(Box::new(value.expr)), ty, span)
            }
            _ => {
                let message = format!("a `{}` has no negative", self.text_of(&value.ty));
                self.problems.give(Diagnostic::new(Code::TypeMismatch, span, message));
                broken(span)
            }
        }
    }

    pub fn binary(
        &mut self,
        operator: BinaryOperator,
        operator_span: Span,
        left: &ast::Expr,
        right: &ast::Expr,
        span: Span,
    ) -> Typed {
        let compares = !matches!(
            operator,
            BinaryOperator::Add | BinaryOperator::Subtract | BinaryOperator::Multiply | BinaryOperator::Divide
        );
        if compares && self.level_of_plain_skill(operator, [left, right]) {
            return broken(span);
        }
        // A literal or a bare variant takes its type from the other side.
        let (left, right) = if self.takes_its_type(left) && !self.takes_its_type(right) {
            let right = self.expr(right, None);
            let left = self.expr(left, Some(&right.ty));
            (left, right)
        } else {
            let left = self.expr(left, None);
            let right = self.expr(right, Some(&left.ty));
            (left, right)
        };
        if left.ty.is_broken() || right.ty.is_broken() {
            return broken(span);
        }
        if compares {
            return self.compare(operator, operator_span, left, right, span);
        }
        for side in [&left, &right] {
            if side.ty.is_private() {
                let message = "what is made of a private value would be private too, and could not be used";
                let diagnostic = self.leak(side, message);
                self.problems.give(diagnostic);
                return broken(span);
            }
            if matches!(side.ty, Ty::Optional(_) | Ty::Nothing) {
                let diagnostic = self.optional_as_present(side);
                self.problems.give(diagnostic);
                return broken(span);
            }
        }
        self.arithmetic(operator, operator_span, left, right, span)
    }

    fn arithmetic(&mut self, operator: BinaryOperator, at: Span, left: Typed, right: Typed, span: Span) -> Typed {
        use BinaryOperator::{Add, Divide, Multiply, Subtract};
        use Ty::{Decimal, Digits, Duration, Int, Money, Percent, Text, Time};
        let (a, b) = (left.ty.clone(), right.ty.clone());
        let plain = |operator, ty| (operator, ty, None, None);
        let to_decimal = Some(Conversion::IntToDecimal);
        let same = Some(Conversion::Same);
        let found = match (operator, &a, &b) {
            (Add, Int(_), Int(_)) => plain(Operator::Add, Int(None)),
            (Subtract, Int(_), Int(_)) => plain(Operator::Subtract, Int(None)),
            (Multiply, Int(_), Int(_)) => plain(Operator::Multiply, Int(None)),
            (Divide, Int(_), Int(_)) => (Operator::DecimalDivide, Decimal, to_decimal, to_decimal),
            (Add | Subtract | Multiply | Divide, Decimal | Int(_), Decimal | Int(_)) => {
                let convert = |ty: &Ty| if matches!(ty, Int(_)) { to_decimal } else { None };
                let operator = match operator {
                    Add => Operator::Add,
                    Subtract => Operator::Subtract,
                    Multiply => Operator::DecimalMultiply,
                    _ => Operator::DecimalDivide,
                };
                (operator, Decimal, convert(&a), convert(&b))
            }
            (Add, Money, Money) => plain(Operator::MoneyAdd, Money),
            (Subtract, Money, Money) => plain(Operator::MoneySubtract, Money),
            (Multiply, Money, Int(_)) => (Operator::MoneyMultiply, Money, None, to_decimal),
            (Multiply, Money, Decimal) => plain(Operator::MoneyMultiply, Money),
            (Multiply, Money, Percent) => (Operator::MoneyMultiply, Money, None, same),
            (Add, Duration, Duration) => plain(Operator::Add, Duration),
            (Subtract, Duration, Duration) => plain(Operator::Subtract, Duration),
            (Multiply, Duration, Int(_)) => plain(Operator::Multiply, Duration),
            (Divide, Duration, Duration) => {
                // Both are whole numbers of one unit.
                let (left, right) = (self.as_int(left), self.as_int(right));
                return self.apply((Operator::DecimalDivide, Decimal, to_decimal, to_decimal), left, right, span);
            }
            (Add, Time, Duration) => plain(Operator::Add, Time),
            (Subtract, Time, Duration) => plain(Operator::Subtract, Time),
            (Subtract, Time, Time) => plain(Operator::Subtract, Duration),
            (Add, Text, Text) => plain(Operator::Join, Text),
            (Add, Digits, Digits) => plain(Operator::Join, Digits),
            _ => return self.no_such_operation(operator, at, &left, &right, span),
        };
        self.apply(found, left, right, span)
    }

    fn as_int(&self, value: Typed) -> Typed {
        let span = value.expr.span;
        typed(hir::ExprKind::Convert(Conversion::Same, Box::new(value.expr)), Ty::Int(None), span)
    }

    fn apply(
        &self,
        (operator, ty, left_to, right_to): (Operator, Ty, Option<Conversion>, Option<Conversion>),
        left: Typed,
        right: Typed,
        span: Span,
    ) -> Typed {
        let convert = |value: hir::Expr, conversion: Option<Conversion>| match conversion {
            None => value,
            Some(conversion) => {
                let span = value.span;
                let kind = hir::ExprKind::Convert(conversion, Box::new(value));
                hir::Expr { kind, ty: Ty::Decimal.lower(), span }
            }
        };
        let (left, right) = (convert(left.expr, left_to), convert(right.expr, right_to));
        typed(hir::ExprKind::Binary(operator, Box::new(left), Box::new(right)), ty, span)
    }

    fn no_such_operation(
        &mut self,
        operator: BinaryOperator,
        at: Span,
        left: &Typed,
        right: &Typed,
        span: Span,
    ) -> Typed {
        let sign = operator.text();
        let message = format!("there is no `{}` {sign} `{}`", self.text_of(&left.ty), self.text_of(&right.ty));
        let mut diagnostic = Diagnostic::new(Code::TypeMismatch, at, message)
            .label(left.expr.span, self.text_of(&left.ty))
            .label(right.expr.span, self.text_of(&right.ty));
        diagnostic = match (&left.ty, &right.ty) {
            (Ty::Text, Ty::Int(_) | Ty::Digits | Ty::Phone) | (Ty::Int(_) | Ty::Digits | Ty::Phone, Ty::Text) => {
                diagnostic.help("put `.text` behind what is no Text")
            }
            (Ty::Int(_) | Ty::Decimal, Ty::Money) if operator == BinaryOperator::Multiply => {
                diagnostic.help("the amount first: `price * 2`")
            }
            _ => diagnostic,
        };
        self.problems.give(diagnostic);
        broken(span)
    }

    fn compare(&mut self, operator: BinaryOperator, at: Span, left: Typed, right: Typed, span: Span) -> Typed {
        let equality = matches!(operator, BinaryOperator::Equal | BinaryOperator::NotEqual);
        if equality && (left.ty.is_private() || right.ty.is_private()) {
            let equal = self.private_equal(left, right, span);
            return match operator {
                BinaryOperator::NotEqual if !equal.ty.is_broken() => {
                    typed(hir::ExprKind::Not(Box::new(equal.expr)), Ty::Bool, span)
                }
                _ => equal,
            };
        }
        for side in [&left, &right] {
            if side.ty.is_private() {
                let diagnostic = self.leak(side, "a private value has no order that may be told");
                self.problems.give(diagnostic);
                return broken(span);
            }
        }
        let optional = [&left, &right].into_iter().find(|side| matches!(side.ty, Ty::Optional(_) | Ty::Nothing));
        if let Some(optional) = optional {
            let other = if std::ptr::eq(optional, &left) { &right } else { &left };
            let diagnostic = match (&optional.ty, &other.ty) {
                (Ty::Nothing, _) | (_, Ty::Nothing) => {
                    Diagnostic::new(Code::NotComparable, at, "whether a value is missing is asked by `is`")
                        .help("`is none`")
                }
                _ => Diagnostic::new(
                    Code::NotComparable,
                    optional.expr.span,
                    "a value that may be missing cannot be compared",
                )
                .here("it may be `none`")
                .label(at, "compared here")
                .help(format!("`(… else {})`", self.example(&optional.ty))),
            };
            self.problems.give(diagnostic);
            return broken(span);
        }
        let ordered = matches!(
            left.ty,
            Ty::Int(_) | Ty::Decimal | Ty::Money | Ty::Percent | Ty::Duration | Ty::Time | Ty::Date | Ty::Clock
        );
        let comparable = ordered || (equality && self.has_equality(&left.ty));
        if left.ty.join(&right.ty).is_none() || !comparable {
            return self.not_comparable(operator, at, &left, &right, span);
        }
        let operator = match operator {
            BinaryOperator::Equal => Operator::Equal,
            BinaryOperator::NotEqual => Operator::NotEqual,
            BinaryOperator::Less => Operator::Less,
            BinaryOperator::LessOrEqual => Operator::LessOrEqual,
            BinaryOperator::Greater => Operator::Greater,
            _ => Operator::GreaterOrEqual,
        };
        typed(hir::ExprKind::Binary(operator, Box::new(left.expr), Box::new(right.expr)), Ty::Bool, span)
    }

    fn not_comparable(&mut self, operator: BinaryOperator, at: Span, left: &Typed, right: &Typed, span: Span) -> Typed {
        let (a, b) = (self.text_of(&left.ty), self.text_of(&right.ty));
        let message = match a == b {
            true => format!("two values of the type `{a}` cannot be compared by `{}`", operator.text()),
            false => format!("`{a}` and `{b}` cannot be compared"),
        };
        let int = match (&left.ty, &right.ty) {
            (Ty::Decimal, Ty::Int(_)) => Some(right.expr.span),
            (Ty::Int(_), Ty::Decimal) => Some(left.expr.span),
            _ => None,
        };
        let mut diagnostic = Diagnostic::new(Code::NotComparable, int.unwrap_or(at), message);
        for (side, ty) in [(left, a), (right, b)] {
            if int != Some(side.expr.span) {
                diagnostic = diagnostic.label(side.expr.span, format!("a `{ty}`"));
            }
        }
        self.problems.give(match int {
            Some(_) => diagnostic.help("`Decimal(…)`"),
            None => diagnostic.help("compare values of one type that has an order"),
        });
        broken(span)
    }

    /// Records, recordings and lists are never compared; a variant is by all that it carries.
    fn has_equality(&self, ty: &Ty) -> bool {
        match ty {
            Ty::Record(_) | Ty::Recording | Ty::List(_) | Ty::Private(_) => false,
            Ty::Enum(id) => self
                .project
                .enums
                .get(*id as usize)
                .is_none_or(|info| info.fields.iter().flatten().all(|field| self.has_equality(field.ty.present()))),
            _ => true,
        }
    }

    /// Literals and names that are no local may mean something else next to another type.
    fn takes_its_type(&self, expr: &ast::Expr) -> bool {
        match &expr.kind {
            ast::ExprKind::Text(_) => true,
            ast::ExprKind::Name(name) => self.lookup(&name.text).is_none(),
            _ => false,
        }
    }
}
