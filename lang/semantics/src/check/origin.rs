//! Where a value came from, as far as privacy asks: whether a service gave it, and how many digits it has at least. What
//! is known of a parameter is what all who hand something to it know, and that is settled when every flow has been read.

use std::collections::{BTreeMap, BTreeSet};

use lang_diagnostics::{Diagnostic, Span};

use super::private::OF_DIGITS_MIN;
use super::{CheckedFlow, Checker};
use crate::hir::{self, Conversion, ExprKind, LocalId};
use crate::problems::Problems;

/// A parameter of a flow, or of one of its steps.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Slot {
    pub flow: u32,
    pub step: Option<u32>,
    pub index: u32,
}

/// What is known of a value beside its type. `None`: nothing; else it holds if it holds for what these parameters are given.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin {
    /// A service gave it.
    pub service: Option<BTreeSet<Slot>>,
    /// Of a private value: it has at least so many digits.
    pub digits: Option<(u32, BTreeSet<Slot>)>,
}

impl Origin {
    pub fn of_service() -> Origin {
        Origin { service: Some(BTreeSet::new()), digits: None }
    }

    pub fn of_digits(least: u32) -> Origin {
        Origin { service: None, digits: Some((least, BTreeSet::new())) }
    }

    /// What its callers know.
    pub fn of_parameter(slot: Slot) -> Origin {
        let given = BTreeSet::from([slot]);
        Origin { service: Some(given.clone()), digits: Some((u32::MAX, given)) }
    }

    /// What holds for both.
    pub fn and(self, other: Origin) -> Origin {
        let union = |a: BTreeSet<Slot>, b: BTreeSet<Slot>| a.into_iter().chain(b).collect();
        let service = self.service.zip(other.service).map(|(a, b)| union(a, b));
        let digits = self.digits.zip(other.digits).map(|((a, of_a), (b, of_b))| (a.min(b), union(of_a, of_b)));
        Origin { service, digits }
    }
}

/// A problem, unless one of these sets holds.
pub(crate) struct Claim {
    pub of: Fact,
    pub any: Vec<BTreeSet<Slot>>,
    pub diagnostic: Diagnostic,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Fact {
    Service,
    /// At least as many digits as `.last(4)` wants.
    Digits,
}

impl Checker<'_, '_> {
    pub fn origin(&self, value: &hir::Expr) -> Origin {
        let only_service = |origin: Origin| Origin { digits: None, ..origin };
        let all = |origins: &mut dyn Iterator<Item = Origin>| origins.reduce(Origin::and);
        match &value.kind {
            ExprKind::Local(local) => self.local(*local).map(|info| info.origin.clone()).unwrap_or_default(),
            ExprKind::Field { base, .. } | ExprKind::OptionalField { base, .. } | ExprKind::Row(base, _) => {
                only_service(self.origin(base))
            }
            ExprKind::Some(inner)
            | ExprKind::Convert(Conversion::Same, inner)
            | ExprKind::Inline { value: inner, .. } => self.origin(inner),
            // It was public before, so there is nothing to keep.
            ExprKind::Convert(Conversion::ToPrivate, inner) => {
                Origin { service: self.origin(inner).service, ..Origin::of_digits(u32::MAX) }
            }
            ExprKind::Convert(_, inner) => only_service(self.origin(inner)),
            ExprKind::Else(value, fallback) => self.origin(value).and(self.origin(fallback)),
            ExprKind::Match(_, arms) => all(&mut arms.iter().map(|arm| self.origin(&arm.value))).unwrap_or_default(),
            // Of a list without rows and of a record without fields there is nothing to compare.
            ExprKind::List(rows) => {
                only_service(all(&mut rows.iter().map(|row| self.origin(row))).unwrap_or_else(Origin::of_service))
            }
            ExprKind::Record(fields) => {
                let fields = &mut fields.iter().map(|field| self.origin(&field.value));
                only_service(all(fields).unwrap_or_else(Origin::of_service))
            }
            _ => Origin::default(),
        }
    }

    /// Parameters are known by what they are given.
    pub fn parameters_given(&mut self, step: Option<u32>, parameters: impl Iterator<Item = LocalId>) {
        let Some(flow) = self.flow else { return };
        for (index, local) in (0..).zip(parameters) {
            if let Some(info) = self.local_mut(local) {
                info.origin = Origin::of_parameter(Slot { flow, step, index });
            }
        }
    }

    /// Gives a problem now or when all flows are known, unless one of these sets turns out to hold.
    pub fn claim(&mut self, of: Fact, any: Vec<BTreeSet<Slot>>, diagnostic: Diagnostic) {
        if !any.iter().any(BTreeSet::is_empty) {
            self.claims.push(Claim { of, any, diagnostic });
        }
    }
}

/// Gives the problems whose values, as their flows are run, were not what they had to be.
pub(crate) fn settle_claims(flows: &mut [Option<CheckedFlow>], problems: &mut Problems) {
    let claims: Vec<Claim> = flows.iter_mut().flatten().flat_map(|flow| std::mem::take(&mut flow.claims)).collect();
    if claims.is_empty() {
        return;
    }
    let mut givers = Givers::default();
    for (slot, origin, span) in flows.iter().flatten().flat_map(|flow| &flow.given) {
        givers.of.entry(*slot).or_default().push((origin, *span));
    }
    givers.settle();
    for claim in claims.into_iter().filter(|claim| !claim.any.iter().any(|slots| givers.holds(claim.of, slots))) {
        let cause = claim.any.iter().find_map(|slots| givers.cause(claim.of, slots));
        problems.give(match (cause, claim.of) {
            (Some(span), Fact::Digits) => claim.diagnostic.label(span, "this may have fewer digits"),
            (Some(span), Fact::Service) => claim.diagnostic.label(span, "nothing says that a service gave this"),
            (None, _) => claim.diagnostic,
        });
    }
}

/// Who gives what to each parameter, and what does not hold of it.
#[derive(Default)]
struct Givers<'f> {
    of: BTreeMap<Slot, Vec<(&'f Origin, Span)>>,
    broken: BTreeSet<(Fact, Slot)>,
}

impl Givers<'_> {
    /// What does not hold of something that is given does not hold of the parameter, nor of what that is handed on to.
    fn settle(&mut self) {
        let mut handed_on: BTreeMap<(Fact, Slot), Vec<Slot>> = BTreeMap::new();
        let mut open = Vec::new();
        for (slot, given) in &self.of {
            for (of, (origin, _)) in given.iter().flat_map(|own| [(Fact::Service, own), (Fact::Digits, own)]) {
                match needs(of, origin) {
                    Some(slots) if slots.iter().all(|slot| self.of.contains_key(slot)) => {
                        slots.iter().for_each(|from| handed_on.entry((of, *from)).or_default().push(*slot));
                    }
                    _ => open.push((of, *slot)),
                }
            }
        }
        while let Some((of, slot)) = open.pop() {
            if self.broken.insert((of, slot)) {
                open.extend(handed_on.get(&(of, slot)).into_iter().flatten().map(|to| (of, *to)));
            }
        }
    }

    /// Nothing holds of a parameter to which nobody gives anything.
    fn holds(&self, of: Fact, slots: &BTreeSet<Slot>) -> bool {
        slots.iter().all(|slot| self.of.contains_key(slot) && !self.broken.contains(&(of, *slot)))
    }

    /// Where something is given of which it is not known.
    fn cause(&self, of: Fact, slots: &BTreeSet<Slot>) -> Option<Span> {
        let mut open: Vec<Slot> = slots.iter().copied().collect();
        let mut seen = slots.clone();
        while let Some(slot) = open.pop() {
            for (origin, span) in self.of.get(&slot).into_iter().flatten() {
                let Some(further) = needs(of, origin) else { return Some(*span) };
                open.extend(further.iter().copied().filter(|slot| seen.insert(*slot)));
            }
        }
        None
    }
}

/// The parameters of which it must hold, so that it holds of this; `None`: it does not.
fn needs(of: Fact, origin: &Origin) -> Option<&BTreeSet<Slot>> {
    match of {
        Fact::Service => origin.service.as_ref(),
        Fact::Digits => origin.digits.as_ref().filter(|(least, _)| *least >= OF_DIGITS_MIN).map(|(_, slots)| slots),
    }
}
