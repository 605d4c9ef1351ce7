//! What is the same in every call is worked out here, so that a check which asks for a number finds it however it is
//! written, and what can only fault is told of (F0208). What hangs on the caller, the time or a table stays as it is.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use lang_diagnostics::{Code, Diagnostic, Span};
use runtime_contract::host::{DECIMAL_ONE, FaultKind, divide_decimal, multiply_decimal};
use runtime_contract::limits::TEXT_BYTES_MAX;
use runtime_contract::types::Type;
use runtime_contract::value::Money;

use super::{Checker, Typed, broken};
use crate::hir::{Argument, Conversion, Expr, ExprKind, LocalId, Operator, Pattern, ValueArm};

/// Why there is no value.
enum Stop {
    Depends,
    Faults(FaultKind),
}

type Known = Result<Expr, Stop>;

impl Checker<'_, '_> {
    /// The same value, written out when it is known. Conditions stay, since a branch that is never taken is told of by
    /// its own words.
    pub(super) fn written_out(&mut self, found: Typed) -> Typed {
        if !may_be_known(&found.expr) || found.expr.ty == Type::Bool {
            return found;
        }
        match Evaluation::default().value(&found.expr) {
            Ok(value) => Typed { expr: Expr { kind: value.kind, ..found.expr }, ty: found.ty },
            Err(Stop::Depends) => found,
            Err(Stop::Faults(kind)) => {
                let diagnostic = always_faults(kind, &found.expr);
                self.problems.give(diagnostic);
                broken(found.expr.span)
            }
        }
    }
}

/// What it is computed from was written out before, so no part is looked at again and again.
fn may_be_known(value: &Expr) -> bool {
    match &value.kind {
        ExprKind::Binary(_, left, right) => is_word(left) && is_word(right),
        ExprKind::Convert(_, inner) => is_word(inner) || may_be_known(inner),
        ExprKind::Negate(inner) => is_word(inner),
        ExprKind::Row(..) | ExprKind::Inline { .. } => true,
        ExprKind::Field { base, .. } => matches!(base.kind, ExprKind::Record(_)),
        _ => false,
    }
}

/// A literal of what operators take.
fn is_word(value: &Expr) -> bool {
    match &value.kind {
        ExprKind::Convert(_, inner) => is_word(inner),
        ExprKind::Int(_) | ExprKind::Decimal(_) | ExprKind::Money(_) | ExprKind::Moment(_) | ExprKind::Text(_) => true,
        _ => false,
    }
}

fn always_faults(kind: FaultKind, value: &Expr) -> Diagnostic {
    let (message, help) = match (kind, &value.kind) {
        (FaultKind::Divide, _) => ("this divides by zero".to_owned(), "a divisor that is not 0".to_owned()),
        (FaultKind::Currency, _) => {
            ("these amounts are of two currencies".to_owned(), "amounts of one currency".to_owned())
        }
        (FaultKind::Index, ExprKind::Row(list, place)) => {
            let (ExprKind::List(rows), ExprKind::Int(place)) = (&list.kind, &place.kind) else {
                return bad(value.span, "the list has no such place", "`[1]`");
            };
            match rows.len() {
                0 => ("the list is empty".to_owned(), "a list with a row, or leave this out".to_owned()),
                rows => (format!("the list ends with place {rows}, and this is place {place}"), format!("`[{rows}]`")),
            }
        }
        (FaultKind::Index, _) => ("a list has no such place here".to_owned(), "a place that the list has".to_owned()),
        _ => ("this comes to more than a number may be".to_owned(), "smaller numbers".to_owned()),
    };
    bad(value.span, &message, &help).note("every call that comes here would fault")
}

fn bad(span: Span, message: &str, help: &str) -> Diagnostic {
    Diagnostic::new(Code::BadLiteral, span, message).help(help)
}

/// Of a body, with what its parameters are given.
#[derive(Default)]
struct Evaluation {
    given: BTreeMap<LocalId, Expr>,
}

impl Evaluation {
    fn value(&mut self, expr: &Expr) -> Known {
        let kind = match &expr.kind {
            ExprKind::Bool(_)
            | ExprKind::Int(_)
            | ExprKind::Decimal(_)
            | ExprKind::Money(_)
            | ExprKind::Moment(_)
            | ExprKind::Text(_)
            | ExprKind::Phone(_)
            | ExprKind::Language(_)
            | ExprKind::Variant(_)
            | ExprKind::None => return Ok(expr.clone()),
            ExprKind::Local(local) => return self.given.get(local).cloned().ok_or(Stop::Depends),
            ExprKind::Some(inner) => ExprKind::Some(Box::new(self.value(inner)?)),
            ExprKind::List(rows) => ExprKind::List(rows.iter().map(|row| self.value(row)).collect::<Result<_, _>>()?),
            ExprKind::Record(fields) => ExprKind::Record(self.arguments(fields)?),
            ExprKind::Construct { variant, fields } => {
                ExprKind::Construct { variant: *variant, fields: self.arguments(fields)? }
            }
            ExprKind::Field { base, field } => return self.field(base, *field),
            ExprKind::Row(list, place) => return self.row(list, place),
            ExprKind::Convert(conversion, inner) => converted(*conversion, self.value(inner)?)?,
            ExprKind::Negate(inner) => match self.value(inner)?.kind {
                ExprKind::Int(n) => ExprKind::Int(fits(n.checked_neg())?),
                ExprKind::Decimal(n) => ExprKind::Decimal(fits(n.checked_neg())?),
                ExprKind::Moment(n) => ExprKind::Moment(fits(n.checked_neg())?),
                ExprKind::Money(money) => ExprKind::Money(Money { amount: fits(money.amount.checked_neg())?, ..money }),
                _ => return Err(Stop::Depends),
            },
            ExprKind::Binary(operator, left, right) => {
                applied(*operator, self.value(left)?.kind, self.value(right)?.kind)?
            }
            ExprKind::Not(inner) => ExprKind::Bool(!self.truth(inner)?),
            ExprKind::And(left, right) => ExprKind::Bool(self.truth(left)? && self.truth(right)?),
            ExprKind::Or(left, right) => ExprKind::Bool(self.truth(left)? || self.truth(right)?),
            ExprKind::Else(optional, fallback) => {
                let stays_optional = optional.ty == expr.ty;
                return match self.value(optional)? {
                    Expr { kind: ExprKind::None, .. } => self.value(fallback),
                    Expr { kind: ExprKind::Some(inner), .. } if !stays_optional => Ok(*inner),
                    other => Ok(other),
                };
            }
            ExprKind::IsSome(optional, local) => match (self.value(optional)?.kind, local) {
                (ExprKind::Some(inner), local) => {
                    self.given.extend(local.map(|local| (local, *inner)));
                    ExprKind::Bool(true)
                }
                (ExprKind::None, _) => ExprKind::Bool(false),
                _ => return Err(Stop::Depends),
            },
            ExprKind::IsVariant(value, wanted) => match self.value(value)?.kind {
                ExprKind::Variant(variant) | ExprKind::Construct { variant, .. } => ExprKind::Bool(variant == *wanted),
                _ => return Err(Stop::Depends),
            },
            ExprKind::Inline { parameters, value, .. } => {
                for (local, given) in parameters {
                    let given = self.value(given)?;
                    self.given.insert(*local, given);
                }
                return self.value(value);
            }
            ExprKind::Match(subject, arms) => return self.matched(subject, arms),
            _ => return Err(Stop::Depends),
        };
        Ok(Expr { kind, ty: expr.ty.clone(), span: expr.span })
    }

    fn arguments(&mut self, fields: &[Argument]) -> Result<Vec<Argument>, Stop> {
        let known = |field: &Argument| Ok(Argument { index: field.index, value: self.value(&field.value)? });
        fields.iter().map(known).collect()
    }

    fn truth(&mut self, expr: &Expr) -> Result<bool, Stop> {
        match self.value(expr)?.kind {
            ExprKind::Bool(holds) => Ok(holds),
            _ => Err(Stop::Depends),
        }
    }

    fn field(&mut self, base: &Expr, field: u32) -> Known {
        let ExprKind::Record(fields) = self.value(base)?.kind else { return Err(Stop::Depends) };
        fields.into_iter().find(|found| found.index == field).map(|found| found.value).ok_or(Stop::Depends)
    }

    fn row(&mut self, list: &Expr, place: &Expr) -> Known {
        let ExprKind::Int(place) = self.value(place)?.kind else { return Err(Stop::Depends) };
        let at = usize::try_from(place).ok().and_then(|place| place.checked_sub(1));
        let none = Stop::Faults(FaultKind::Index);
        if let ExprKind::List(rows) = &list.kind {
            return self.value(at.and_then(|at| rows.get(at)).ok_or(none)?);
        }
        let ExprKind::List(rows) = self.value(list)?.kind else { return Err(Stop::Depends) };
        at.and_then(|at| rows.into_iter().nth(at)).ok_or(none)
    }

    fn matched(&mut self, subject: &Expr, arms: &[ValueArm]) -> Known {
        let subject = self.value(subject)?;
        for arm in arms {
            for pattern in &arm.patterns {
                if self.takes(pattern, &subject)? {
                    return self.value(&arm.value);
                }
            }
        }
        Err(Stop::Depends)
    }

    fn takes(&mut self, pattern: &Pattern, subject: &Expr) -> Result<bool, Stop> {
        Ok(match (pattern, &subject.kind) {
            (Pattern::Else, _) | (Pattern::None, ExprKind::None) => true,
            (Pattern::Variant(wanted, _), ExprKind::Variant(variant)) => wanted == variant,
            (Pattern::Variant(wanted, locals), ExprKind::Construct { variant, fields }) if wanted == variant => {
                for (local, index) in locals.iter().zip(0..) {
                    let field = fields.iter().find(|field| field.index == index).ok_or(Stop::Depends)?;
                    self.given.insert(*local, field.value.clone());
                }
                true
            }
            (Pattern::Variant(..), ExprKind::Construct { .. }) => false,
            (Pattern::Some(local), ExprKind::Some(inner)) => {
                self.given.extend(local.map(|local| (local, (**inner).clone())));
                true
            }
            (Pattern::Some(_), ExprKind::None) | (Pattern::None, ExprKind::Some(_)) => false,
            (Pattern::IntRange { low, high }, ExprKind::Int(number)) => (low..=high).contains(&number),
            (Pattern::Equal(wanted), _) => same(&self.value(wanted)?.kind, &subject.kind)?,
            _ => return Err(Stop::Depends),
        })
    }
}

fn fits(number: Option<i64>) -> Result<i64, Stop> {
    number.ok_or(Stop::Faults(FaultKind::Overflow))
}

fn converted(conversion: Conversion, value: Expr) -> Result<ExprKind, Stop> {
    Ok(match (conversion, value.kind) {
        (Conversion::IntToDecimal, ExprKind::Int(number)) => ExprKind::Decimal(fits(number.checked_mul(DECIMAL_ONE))?),
        (Conversion::IntToText, ExprKind::Int(number)) => ExprKind::Text(number.to_string()),
        (Conversion::TextToDigits, ExprKind::Text(text)) => {
            ExprKind::Text(text.chars().filter(char::is_ascii_digit).collect())
        }
        // A Duration as a whole number.
        (Conversion::Same, ExprKind::Moment(ms)) => ExprKind::Int(ms),
        (Conversion::Same, same @ (ExprKind::Decimal(_) | ExprKind::Text(_))) => same,
        _ => return Err(Stop::Depends),
    })
}

fn applied(operator: Operator, left: ExprKind, right: ExprKind) -> Result<ExprKind, Stop> {
    use ExprKind::{Bool, Decimal, Int, Moment, Text};
    use Operator::{Add, Multiply, Subtract};
    let whole = |a: i64, b: i64| {
        fits(match operator {
            Add => a.checked_add(b),
            Subtract => a.checked_sub(b),
            _ => a.checked_mul(b),
        })
    };
    let faults = |kind| Stop::Faults(kind);
    Ok(match (operator, left, right) {
        (Add | Subtract | Multiply, Int(a), Int(b)) => Int(whole(a, b)?),
        (Add | Subtract, Decimal(a), Decimal(b)) => Decimal(whole(a, b)?),
        (Add | Subtract, Moment(a), Moment(b)) | (Multiply, Moment(a), Int(b)) => Moment(whole(a, b)?),
        (Operator::DecimalMultiply, Decimal(a), Decimal(b)) => Decimal(multiply_decimal(a, b).map_err(faults)?),
        (Operator::DecimalDivide, Decimal(a), Decimal(b)) => Decimal(divide_decimal(a, b).map_err(faults)?),
        (Operator::MoneyAdd | Operator::MoneySubtract, ExprKind::Money(a), ExprKind::Money(b)) => {
            if a.currency != b.currency {
                return Err(Stop::Faults(FaultKind::Currency));
            }
            let amount = match operator {
                Operator::MoneyAdd => a.amount.checked_add(b.amount),
                _ => a.amount.checked_sub(b.amount),
            };
            ExprKind::Money(Money { amount: fits(amount)?, ..a })
        }
        (Operator::MoneyMultiply, ExprKind::Money(a), Decimal(b)) => {
            ExprKind::Money(Money { amount: multiply_decimal(a.amount, b).map_err(faults)?, ..a })
        }
        (Operator::Join, Text(a), Text(b)) if a.len() + b.len() <= TEXT_BYTES_MAX => Text(a + &b),
        (Operator::Equal, a, b) => Bool(same(&a, &b)?),
        (Operator::NotEqual, a, b) => Bool(!same(&a, &b)?),
        (Operator::Less, a, b) => Bool(ordered(&a, &b)?.is_lt()),
        (Operator::LessOrEqual, a, b) => Bool(ordered(&a, &b)?.is_le()),
        (Operator::Greater, a, b) => Bool(ordered(&a, &b)?.is_gt()),
        (Operator::GreaterOrEqual, a, b) => Bool(ordered(&a, &b)?.is_ge()),
        _ => return Err(Stop::Depends),
    })
}

fn ordered(a: &ExprKind, b: &ExprKind) -> Result<Ordering, Stop> {
    match (a, b) {
        (ExprKind::Int(a), ExprKind::Int(b))
        | (ExprKind::Decimal(a), ExprKind::Decimal(b))
        | (ExprKind::Moment(a), ExprKind::Moment(b)) => Ok(a.cmp(b)),
        (ExprKind::Money(a), ExprKind::Money(b)) if a.currency == b.currency => Ok(a.amount.cmp(&b.amount)),
        (ExprKind::Money(_), ExprKind::Money(_)) => Err(Stop::Faults(FaultKind::Currency)),
        _ => Err(Stop::Depends),
    }
}

fn same(a: &ExprKind, b: &ExprKind) -> Result<bool, Stop> {
    match (a, b) {
        (ExprKind::Bool(a), ExprKind::Bool(b)) => Ok(a == b),
        (ExprKind::Text(a), ExprKind::Text(b)) => Ok(a == b),
        (ExprKind::Phone(a), ExprKind::Phone(b)) => Ok(a == b),
        (ExprKind::Language(a), ExprKind::Language(b)) | (ExprKind::Variant(a), ExprKind::Variant(b)) => Ok(a == b),
        (ExprKind::Money(a), ExprKind::Money(b)) => Ok(a == b),
        _ => ordered(a, b).map(Ordering::is_eq),
    }
}
