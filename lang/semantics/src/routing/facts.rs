//! What a pure value comes to where it is known what it is worked out from: constants, parameters, the caller. Whatever
//! else it hangs on stays open, and so does what would fault.

use std::collections::BTreeMap;

use crate::hir::{Conversion, Expr, ExprKind, LocalId, Operator, Pattern, ValueArm};

#[derive(Clone, PartialEq, Debug)]
pub(super) enum Known {
    Bool(bool),
    /// Whatever is counted in one word: Int, Decimal, Percent, Duration, Time, Date, Clock.
    Number(i64),
    Text(String),
    /// Index in the program's languages.
    Language(u32),
    Variant(u32, Vec<Known>),
    Record(Vec<Known>),
    List(Vec<Known>),
    /// `none`
    Absent,
    Present(Box<Known>),
    Open,
}

impl Known {
    /// Nothing in it is open.
    pub fn is_closed(&self) -> bool {
        match self {
            Known::Open => false,
            Known::Variant(_, parts) | Known::Record(parts) | Known::List(parts) => parts.iter().all(Known::is_closed),
            Known::Present(inner) => inner.is_closed(),
            _ => true,
        }
    }

    fn truth(&self) -> Option<bool> {
        match self {
            Known::Bool(holds) => Some(*holds),
            _ => None,
        }
    }
}

fn truth(holds: Option<bool>) -> Known {
    holds.map_or(Known::Open, Known::Bool)
}

fn number(number: Option<i64>) -> Known {
    number.map_or(Known::Open, Known::Number)
}

/// What is known of a caller and of whoever shall take his call.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Facts {
    pub locals: BTreeMap<LocalId, Known>,
    /// `caller.language`
    pub language: Option<u32>,
    /// `caller.number` is there.
    pub has_number: Option<bool>,
}

impl Facts {
    pub fn works_out(&mut self, value: &Expr) -> Known {
        match &value.kind {
            ExprKind::Bool(holds) => Known::Bool(*holds),
            ExprKind::Int(number) | ExprKind::Decimal(number) | ExprKind::Moment(number) => Known::Number(*number),
            ExprKind::Text(text) => Known::Text(text.clone()),
            ExprKind::Language(language) => Known::Language(*language),
            ExprKind::Variant(variant) => Known::Variant(*variant, Vec::new()),
            ExprKind::None => Known::Absent,
            ExprKind::Local(local) => self.locals.get(local).cloned().unwrap_or(Known::Open),
            ExprKind::CallerLanguage => self.language.map_or(Known::Open, Known::Language),
            ExprKind::CallerNumber => match self.has_number {
                Some(true) => Known::Present(Box::new(Known::Open)),
                Some(false) => Known::Absent,
                None => Known::Open,
            },
            ExprKind::Construct { variant, fields } => Known::Variant(*variant, self.fields(fields)),
            ExprKind::Record(fields) => Known::Record(self.fields(fields)),
            ExprKind::List(rows) => Known::List(rows.iter().map(|row| self.works_out(row)).collect()),
            ExprKind::Some(inner) => Known::Present(Box::new(self.works_out(inner))),
            ExprKind::Field { base, field } => match self.works_out(base) {
                Known::Record(fields) => fields.get(*field as usize).cloned().unwrap_or(Known::Open),
                _ => Known::Open,
            },
            ExprKind::OptionalField { base, field } => self.optional_field(base, *field),
            ExprKind::Row(list, place) => match (self.works_out(list), self.works_out(place)) {
                (Known::List(rows), Known::Number(place)) => {
                    let at = place.checked_sub(1).and_then(|at| usize::try_from(at).ok());
                    at.and_then(|at| rows.get(at).cloned()).unwrap_or(Known::Open)
                }
                _ => Known::Open,
            },
            ExprKind::Convert(conversion, inner) => match (conversion, self.works_out(inner)) {
                (Conversion::Same, known) => known,
                (Conversion::IntToDecimal, Known::Number(whole)) => number(whole.checked_mul(1_000_000)),
                _ => Known::Open,
            },
            ExprKind::Negate(inner) => match self.works_out(inner) {
                Known::Number(value) => number(value.checked_neg()),
                _ => Known::Open,
            },
            ExprKind::Not(inner) => truth(self.works_out(inner).truth().map(|holds| !holds)),
            ExprKind::And(left, right) => self.decided(left, right, false),
            ExprKind::Or(left, right) => self.decided(left, right, true),
            ExprKind::Binary(operator, left, right) => {
                let (left, right) = (self.works_out(left), self.works_out(right));
                worked_out(*operator, &left, &right)
            }
            ExprKind::Else(present, fallback) => match self.works_out(present) {
                Known::Present(inner) => *inner,
                Known::Absent => self.works_out(fallback),
                _ => Known::Open,
            },
            ExprKind::IsSome(inner, local) => self.is_some(inner, *local),
            ExprKind::IsVariant(inner, variant) => match self.works_out(inner) {
                Known::Variant(own, _) => Known::Bool(own == *variant),
                _ => Known::Open,
            },
            ExprKind::Inline { parameters, value, .. } => {
                let given: Vec<_> = parameters.iter().map(|(local, given)| (*local, self.works_out(given))).collect();
                self.within(given, value)
            }
            ExprKind::Match(subject, arms) => {
                let subject = self.works_out(subject);
                self.matched(&subject, arms)
            }
            _ => Known::Open,
        }
    }

    fn fields(&mut self, fields: &[crate::hir::Argument]) -> Vec<Known> {
        let mut known = vec![Known::Open; fields.len()];
        for field in fields {
            let value = self.works_out(&field.value);
            if let Some(place) = known.get_mut(field.index as usize) {
                *place = value;
            }
        }
        known
    }

    /// A field that is optional itself stays as it is.
    fn optional_field(&mut self, base: &Expr, field: u32) -> Known {
        let inner = match self.works_out(base) {
            Known::Absent => return Known::Absent,
            Known::Present(inner) => *inner,
            _ => return Known::Open,
        };
        let Known::Record(fields) = inner else { return Known::Open };
        match fields.get(field as usize).cloned().unwrap_or(Known::Open) {
            known @ (Known::Open | Known::Absent | Known::Present(_)) => known,
            known => Known::Present(Box::new(known)),
        }
    }

    /// `and` is decided by a side that does not hold, `or` by one that does.
    fn decided(&mut self, left: &Expr, right: &Expr, by: bool) -> Known {
        match (self.works_out(left).truth(), self.works_out(right).truth()) {
            (Some(holds), _) | (_, Some(holds)) if holds == by => Known::Bool(by),
            (Some(_), Some(_)) => Known::Bool(!by),
            _ => Known::Open,
        }
    }

    fn is_some(&mut self, inner: &Expr, local: Option<LocalId>) -> Known {
        let found = self.works_out(inner);
        if let Some(local) = local {
            match &found {
                Known::Present(inner) => self.locals.insert(local, (**inner).clone()),
                _ => self.locals.remove(&local),
            };
        }
        match found {
            Known::Present(_) => Known::Bool(true),
            Known::Absent => Known::Bool(false),
            _ => Known::Open,
        }
    }

    /// A value among some more names, which are gone behind it: those of a constant may be numbered as others are.
    fn within(&mut self, names: Vec<(LocalId, Known)>, value: &Expr) -> Known {
        let before = self.locals.clone();
        self.locals.extend(names);
        let found = self.works_out(value);
        self.locals = before;
        found
    }

    /// Where it is open which arm fits, all that may fit must come to the same.
    fn matched(&mut self, subject: &Known, arms: &[ValueArm]) -> Known {
        let mut found: Option<Known> = None;
        for arm in arms {
            let mut names = Vec::new();
            let fits: Vec<Option<bool>> =
                arm.patterns.iter().map(|pattern| self.fits(subject, pattern, &mut names)).collect();
            if fits.iter().all(|fits| *fits == Some(false)) {
                continue;
            }
            let value = self.within(names, &arm.value);
            if found.as_ref().is_some_and(|known| *known != value) {
                return Known::Open;
            }
            found = Some(value);
            if fits.contains(&Some(true)) {
                break;
            }
        }
        found.unwrap_or(Known::Open)
    }

    fn fits(&mut self, subject: &Known, pattern: &Pattern, names: &mut Vec<(LocalId, Known)>) -> Option<bool> {
        match (pattern, subject) {
            (Pattern::Else, _) => Some(true),
            (Pattern::Variant(variant, locals), Known::Variant(own, parts)) => {
                names.extend(locals.iter().copied().zip(parts.iter().cloned()));
                Some(own == variant)
            }
            (Pattern::Some(local), Known::Present(inner)) => {
                names.extend(local.map(|local| (local, (**inner).clone())));
                Some(true)
            }
            (Pattern::Some(_), Known::Absent) | (Pattern::None, Known::Present(_)) => Some(false),
            (Pattern::None, Known::Absent) => Some(true),
            (Pattern::IntRange { low, high }, Known::Number(number)) => Some((low..=high).contains(&number)),
            (Pattern::Equal(value), _) => worked_out(Operator::Equal, subject, &self.works_out(value)).truth(),
            _ => None,
        }
    }
}

fn worked_out(operator: Operator, left: &Known, right: &Known) -> Known {
    if !left.is_closed() || !right.is_closed() {
        return Known::Open;
    }
    match operator {
        Operator::Equal => return Known::Bool(left == right),
        Operator::NotEqual => return Known::Bool(left != right),
        _ => {}
    }
    let (Known::Number(left), Known::Number(right)) = (left, right) else { return Known::Open };
    match operator {
        Operator::Less => Known::Bool(left < right),
        Operator::LessOrEqual => Known::Bool(left <= right),
        Operator::Greater => Known::Bool(left > right),
        Operator::GreaterOrEqual => Known::Bool(left >= right),
        Operator::Add => number(left.checked_add(*right)),
        Operator::Subtract => number(left.checked_sub(*right)),
        Operator::Multiply => number(left.checked_mul(*right)),
        _ => Known::Open,
    }
}
