//! Between which numbers a whole number lies, as far as the types say it of what it is worked out from.

use std::collections::BTreeMap;

use runtime_contract::limits::LIST_LEN_MAX;
use runtime_contract::types::Type;

use crate::hir::{Expr, ExprKind, LocalId, Operator};
use crate::project::Project;

/// Both included.
type Bounds = (i64, i64);

pub(super) struct Ranges<'r, 'v> {
    pub project: &'r Project<'r>,
    /// Of locals, as they are declared.
    pub bounds: BTreeMap<LocalId, Bounds>,
    /// What parameters of functions are given.
    pub given: BTreeMap<LocalId, &'v Expr>,
}

impl<'v> Ranges<'_, 'v> {
    /// The values that a value may be. What functions are given is known from here on.
    pub fn leaves(&mut self, value: &'v Expr, found: &mut Vec<&'v Expr>) {
        match &value.kind {
            ExprKind::Match(_, arms) => arms.iter().for_each(|arm| self.leaves(&arm.value, found)),
            ExprKind::Inline { parameters, value, .. } => {
                self.give(parameters);
                self.leaves(value, found);
            }
            ExprKind::Else(present, fallback) => {
                self.leaves(present, found);
                self.leaves(fallback, found);
            }
            _ => found.push(value),
        }
    }

    fn give(&mut self, parameters: &'v [(LocalId, Expr)]) {
        for (local, given) in parameters {
            if let Some(bounds) = self.of(given) {
                self.bounds.insert(*local, bounds);
            }
            self.given.insert(*local, given);
        }
    }

    /// `None` where the types do not say it, or a number passes what an `Int` holds.
    pub fn of(&mut self, value: &'v Expr) -> Option<Bounds> {
        match &value.kind {
            ExprKind::Int(number) => Some((*number, *number)),
            ExprKind::Local(local) => self.bounds.get(local).copied(),
            ExprKind::Field { base, field } | ExprKind::OptionalField { base, field } => self.field(base, *field),
            ExprKind::Length(of) if matches!(of.ty, Type::List(_)) => Some((0, LIST_LEN_MAX as i64)),
            ExprKind::Some(inner) => self.of(inner),
            ExprKind::Negate(inner) => {
                let (low, high) = self.of(inner)?;
                Some((high.checked_neg()?, low.checked_neg()?))
            }
            ExprKind::Binary(operator, left, right) => worked_out(*operator, self.of(left)?, self.of(right)?),
            ExprKind::Match(..) | ExprKind::Inline { .. } | ExprKind::Else(..) => {
                let mut leaves = Vec::new();
                self.leaves(value, &mut leaves);
                let all: Option<Vec<Bounds>> = leaves.into_iter().map(|leaf| self.of(leaf)).collect();
                all?.into_iter().reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
            }
            _ => None,
        }
    }

    fn field(&self, base: &Expr, field: u32) -> Option<Bounds> {
        let of = match &base.ty {
            Type::Optional(inner) => inner,
            other => other,
        };
        let Type::Record(id) = of else { return None };
        let record = self.project.record(*id)?;
        record.fields.get(field as usize).and_then(|field| field.ty.bounds())
    }

    /// The part of a value for which its bounds are not known: where a type would say them, if there is one.
    pub fn unknown(&mut self, value: &'v Expr) -> &'v Expr {
        match &value.kind {
            ExprKind::Local(local) => match self.given.get(local).copied() {
                Some(given) => self.unknown(given),
                None => value,
            },
            ExprKind::Binary(_, left, right) => {
                let part = [left, right].into_iter().find(|part| self.of(part).is_none());
                part.map_or(value, |part| self.unknown(part))
            }
            ExprKind::Negate(inner) | ExprKind::Some(inner) => self.unknown(inner),
            _ => value,
        }
    }
}

fn worked_out(operator: Operator, (a, b): Bounds, (c, d): Bounds) -> Option<Bounds> {
    match operator {
        Operator::Add => Some((a.checked_add(c)?, b.checked_add(d)?)),
        Operator::Subtract => Some((a.checked_sub(d)?, b.checked_sub(c)?)),
        Operator::Multiply => {
            let corners = [a.checked_mul(c)?, a.checked_mul(d)?, b.checked_mul(c)?, b.checked_mul(d)?];
            Some((corners.into_iter().min()?, corners.into_iter().max()?))
        }
        _ => None,
    }
}
