//! `match` whose arms are values.

use lang_diagnostics::Span;
use lang_syntax::ast;

use super::{Checker, Typed, broken, typed};
use crate::hir::{self, ExprKind, Pattern, ValueArm};
use crate::ty::Ty;

impl Checker<'_, '_> {
    pub fn value_match(&mut self, found: &ast::ValueMatch, wanted: Option<&Ty>, span: Span) -> Typed {
        let subject = self.unbound(|checker| checker.expr(&found.subject, None));
        let mut cover = self.cover(&subject.ty, false);
        let mut wanted = wanted.cloned();
        let mut arms: Vec<(Vec<Pattern>, Typed)> = Vec::new();
        for arm in &found.arms {
            let (patterns, value) = self.scoped(|checker| {
                let patterns = arm.patterns.iter().filter_map(|pattern| checker.pattern(pattern, &subject, &mut cover));
                let patterns: Vec<Pattern> = patterns.collect();
                (patterns, checker.unbound(|checker| checker.expr(&arm.value, wanted.as_ref())))
            });
            self.names_in_one_of_several(&arm.patterns);
            wanted = wanted.or_else(|| Some(value.ty.clone()).filter(|ty| *ty != Ty::Nothing));
            arms.push((patterns, value));
        }
        // What does not fit is said where the value is made to.
        let joined = arms.iter().map(|(_, value)| value.ty.clone());
        let joined = joined.reduce(|all, one| all.join(&one).unwrap_or(all)).unwrap_or(Ty::Broken);
        cover.leads_to = self.example_for(&joined);
        self.covered(&cover, found.keyword);
        let arms = arms.into_iter().map(|(patterns, value)| ValueArm { patterns, value: self.coerce(value, &joined) });
        let arms: Vec<ValueArm> = arms.collect();
        let broken_arm = arms.iter().any(|arm| matches!(arm.value.kind, ExprKind::Broken) || arm.patterns.is_empty());
        if broken_arm || arms.is_empty() || cover.is_broken() || joined == Ty::Nothing {
            return broken(span);
        }
        typed(ExprKind::Match(Box::new(subject.expr), arms), joined, span)
    }
}

impl ValueArm {
    /// Whether two arms take the same and give no name to a part of it.
    pub(crate) fn takes_as(&self, other: &ValueArm) -> bool {
        self.patterns.len() == other.patterns.len()
            && self.patterns.iter().zip(&other.patterns).all(|patterns| match patterns {
                (Pattern::Variant(a, x), Pattern::Variant(b, y)) => a == b && x.is_empty() && y.is_empty(),
                (Pattern::IntRange { low, high }, Pattern::IntRange { low: from, high: to }) => {
                    low == from && high == to
                }
                (Pattern::Equal(a), Pattern::Equal(b)) => hir::Expr::same(a, b),
                (Pattern::None, Pattern::None)
                | (Pattern::Some(None), Pattern::Some(None))
                | (Pattern::Else, Pattern::Else) => true,
                _ => false,
            })
    }
}
