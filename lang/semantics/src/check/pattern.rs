//! Patterns of a `match` on a value: what each takes, what is left, what is never reached.

use std::collections::BTreeMap;

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast::{self, PatternKind};

use super::{Checker, Typed};
use crate::hir::{self, Pattern};
use crate::project::Parameter;
use crate::ty::Ty;

/// What the arms read so far take.
pub(crate) struct Cover {
    ty: Ty,
    /// Variants are outcomes of `run`: each is named, and there is no `else`.
    outcomes: bool,
    rest: Option<Span>,
    /// Of an enum, an optional or a Bool: variant, or 1 and 0.
    cases: BTreeMap<u32, Span>,
    ranges: Vec<(i64, i64, Span)>,
    values: Vec<hir::Expr>,
    /// A pattern was wrong, so nothing is said about gaps.
    broken: bool,
    /// What helps show behind an arrow.
    pub leads_to: String,
}

impl Cover {
    /// A pattern was wrong.
    pub fn is_broken(&self) -> bool {
        self.broken
    }
}

impl Checker<'_, '_> {
    pub fn cover(&self, ty: &Ty, of_run: bool) -> Cover {
        Cover {
            ty: ty.clone(),
            outcomes: of_run && matches!(ty, Ty::Enum(_)),
            rest: None,
            cases: BTreeMap::new(),
            ranges: Vec::new(),
            values: Vec::new(),
            broken: ty.is_broken(),
            leads_to: "continue".to_owned(),
        }
    }

    /// One pattern; `None` when it was wrong.
    pub fn pattern(&mut self, pattern: &ast::Pattern, subject: &Typed, cover: &mut Cover) -> Option<Pattern> {
        let found = self.pattern_of(pattern, subject, cover);
        cover.broken |= found.is_none();
        found
    }

    fn pattern_of(&mut self, pattern: &ast::Pattern, subject: &Typed, cover: &mut Cover) -> Option<Pattern> {
        if cover.ty.is_broken() {
            self.bind_broken(pattern);
            return None;
        }
        if let Some(rest) = cover.rest {
            self.never_reached(pattern.span, Some(rest));
            self.bind_broken(pattern);
            return None;
        }
        if matches!(pattern.kind, PatternKind::Else) {
            return self.rest(pattern.span, cover);
        }
        match cover.ty.clone() {
            Ty::Optional(inner) => self.optional_pattern(pattern, subject, *inner, cover),
            Ty::Enum(id) => self.variant_pattern(pattern, subject, id, cover),
            Ty::Bool => {
                let value = self.constant(pattern, &Ty::Bool)?;
                let case = matches!(value.kind, hir::ExprKind::Bool(true));
                self.case(u32::from(case), pattern.span, cover).then_some(Pattern::Equal(value))
            }
            Ty::Int(_) => self.int_pattern(pattern, cover),
            Ty::Private(_) => {
                let diagnostic = self.leak(subject, "a `match` would tell what a private value is");
                self.problems.give(diagnostic);
                // Once is enough.
                cover.ty = Ty::Broken;
                None
            }
            Ty::Record(_) | Ty::Recording | Ty::List(_) => {
                let message = format!("a `{}` cannot be matched", self.text_of(&cover.ty));
                let help = "match one of its fields, or leave the match out";
                self.problems.give(Diagnostic::new(Code::NotComparable, subject.expr.span, message).help(help));
                cover.ty = Ty::Broken;
                None
            }
            ty => {
                let value = self.constant(pattern, &ty)?;
                if cover.values.iter().any(|earlier| earlier.same_constant(&value)) {
                    self.never_reached(pattern.span, None);
                    return None;
                }
                cover.values.push(value.clone());
                Some(Pattern::Equal(value))
            }
        }
    }

    fn rest(&mut self, span: Span, cover: &mut Cover) -> Option<Pattern> {
        if cover.outcomes {
            let missing = self.missing(cover);
            let help = if missing.is_empty() {
                "leave it out".to_owned()
            } else {
                format!("`{} => continue`", missing.join(", "))
            };
            self.else_in_outcomes(span, &help);
            return None;
        }
        if self.leaves_nothing(cover) {
            self.never_reached(span, None);
            return None;
        }
        cover.rest = Some(span);
        Some(Pattern::Else)
    }

    /// Declares what a pattern would have bound, so that its uses say nothing.
    fn bind_broken(&mut self, pattern: &ast::Pattern) {
        let names: Vec<&ast::Name> = match &pattern.kind {
            PatternKind::Bound { name, .. } | PatternKind::Some { name } => vec![name],
            PatternKind::Variant { names, .. } => names.iter().collect(),
            _ => Vec::new(),
        };
        for name in names {
            self.declare(name, Ty::Broken);
        }
    }

    fn never_reached(&mut self, span: Span, earlier: Option<Span>) {
        let diagnostic = Diagnostic::new(Code::ArmNeverReached, span, "earlier arms take all that this one could");
        let diagnostic = match earlier {
            Some(earlier) => diagnostic.label(earlier, "taken here"),
            None => diagnostic,
        };
        self.problems.give(diagnostic.help("leave it out"));
    }

    /// Takes a case; false when an earlier arm has it.
    fn case(&mut self, case: u32, span: Span, cover: &mut Cover) -> bool {
        match cover.cases.get(&case) {
            Some(earlier) if cover.outcomes => {
                self.problems.give(
                    Diagnostic::new(Code::OutcomeHandledTwice, span, "this outcome has an arm already")
                        .label(*earlier, "handled here")
                        .help("keep one of the two"),
                );
                false
            }
            Some(earlier) => {
                self.never_reached(span, Some(*earlier));
                false
            }
            None => {
                cover.cases.insert(case, span);
                true
            }
        }
    }

    fn optional_pattern(
        &mut self,
        pattern: &ast::Pattern,
        subject: &Typed,
        inner: Ty,
        cover: &mut Cover,
    ) -> Option<Pattern> {
        match &pattern.kind {
            PatternKind::Some { name } => {
                let local = self.declare(name, inner);
                self.inherit(local, &subject.expr);
                self.case(1, pattern.span, cover).then_some(Pattern::Some(Some(local)))
            }
            PatternKind::None => self.case(0, pattern.span, cover).then_some(Pattern::None),
            _ => {
                self.problems.give(
                    Diagnostic::new(
                        Code::OptionalUsedAsPresent,
                        pattern.span,
                        format!("this `{}` may be missing", self.text_of(&inner)),
                    )
                    .label(subject.expr.span, "it may be `none`")
                    .help("`some value => note value = value`"),
                );
                self.bind_broken(pattern);
                None
            }
        }
    }

    fn variant_pattern(
        &mut self,
        pattern: &ast::Pattern,
        subject: &Typed,
        id: u32,
        cover: &mut Cover,
    ) -> Option<Pattern> {
        let (path, names): (ast::Path, Vec<&ast::Name>) = match &pattern.kind {
            PatternKind::Name(path) => (path.clone(), Vec::new()),
            PatternKind::Variant { path, names } => (path.clone(), names.iter().collect()),
            PatternKind::Bound { outcome, name } => {
                (ast::Path { names: vec![outcome.clone()], span: outcome.span }, vec![name])
            }
            _ => {
                self.wrong_pattern(pattern, &Ty::Enum(id));
                self.bind_broken(pattern);
                return None;
            }
        };
        let variant = path.names.last().and_then(|name| self.variant_index(id, &name.text));
        let carried = variant.and_then(|variant| self.project.enums.get(id as usize)?.fields.get(variant as usize));
        let carried = carried.cloned().unwrap_or_default();
        let locals: Vec<hir::LocalId> = match names.len() == carried.len() {
            true => {
                names.iter().zip(&carried).map(|(name, field)| self.carried(name, field.ty.clone(), subject)).collect()
            }
            false => {
                self.bind_broken(pattern);
                Vec::new()
            }
        };
        if let (Some(first), Some(_)) = (names.first(), variant)
            && names.len() != carried.len()
        {
            // The parser refuses `variant name`.
            if matches!(pattern.kind, PatternKind::Variant { .. }) {
                self.wrong_count(first.span, &path, &names, &carried);
            }
            return None;
        }
        let value = match cover.outcomes && variant.is_none() && path.names.len() == 1 {
            true => {
                let name = path.names.last()?;
                let enum_name = self.text_of(&Ty::Enum(id));
                let message = format!("the flow never ends in `{}`", name.text);
                let diagnostic = Diagnostic::new(Code::OutcomeImpossible, pattern.span, message);
                let variants: Vec<&str> =
                    self.project.enums.get(id as usize).map_or(Vec::new(), |info| info.variants.clone());
                let note = format!("`{enum_name}` has {}", variants.join(", "));
                self.problems.give(
                    crate::problems::offer_nearest(diagnostic, &name.text, variants, "{} => continue").note(note),
                );
                return None;
            }
            false => self.variant_named(&path, &Ty::Enum(id)),
        };
        match value.expr.kind {
            hir::ExprKind::Variant(variant) => {
                self.case(variant, pattern.span, cover).then_some(Pattern::Variant(variant, locals))
            }
            _ => None,
        }
    }

    /// A name for a part of the subject.
    fn carried(&mut self, name: &ast::Name, ty: Ty, subject: &Typed) -> hir::LocalId {
        let local = self.declare(name, ty);
        self.inherit(local, &subject.expr);
        local
    }

    /// Names in brackets behind a variant that carries another number of fields.
    fn wrong_count(&mut self, place: Span, path: &ast::Path, names: &[&ast::Name], carried: &[Parameter<'_>]) {
        let variant = path.names.last().map_or("", |name| name.text.as_str());
        let known: Vec<&str> = carried.iter().map(|field| field.name.text.as_str()).collect();
        self.problems.give(match carried.first() {
            None => Diagnostic::new(Code::PayloadOnPlainOutcome, place, "this variant carries nothing")
                .help(format!("`{variant} => continue`")),
            Some(first) => {
                let code = if names.len() < carried.len() { Code::MissingField } else { Code::UnknownField };
                let message = format!("`{variant}` carries {}, not {}", carried.len(), names.len());
                let help = format!("`{variant}({})`", known.join(", "));
                Diagnostic::new(code, place, message).label(first.span, "declared here").help(help)
            }
        });
    }

    /// F0107: several patterns of one arm, of which one names a part of what it takes.
    pub fn names_in_one_of_several(&mut self, patterns: &[ast::Pattern]) {
        if patterns.len() < 2 {
            return;
        }
        let name = patterns.iter().find_map(|pattern| match &pattern.kind {
            PatternKind::Bound { name, .. } | PatternKind::Some { name } => Some(name),
            PatternKind::Variant { names, .. } => names.first(),
            _ => None,
        });
        if let Some(name) = name {
            let message = format!("another pattern of this arm gives `{}` no value", name.text);
            let help = "an arm of its own for each pattern";
            self.problems.give(Diagnostic::new(Code::NotAssignedOnEveryPath, name.span, message).help(help));
        }
    }

    fn int_pattern(&mut self, pattern: &ast::Pattern, cover: &mut Cover) -> Option<Pattern> {
        let (low, high) = match &pattern.kind {
            PatternKind::Range { low, high } => {
                let (low, high) = (self.constant_expr(low, &Ty::Int(None))?, self.constant_expr(high, &Ty::Int(None))?);
                match (low.kind, high.kind) {
                    (hir::ExprKind::Int(low), hir::ExprKind::Int(high)) => (low, high),
                    _ => return None,
                }
            }
            _ => match self.constant(pattern, &Ty::Int(None))?.kind {
                hir::ExprKind::Int(value) => (value, value),
                _ => return None,
            },
        };
        if low > high {
            self.bad_literal(pattern.span, format!("no number lies in {low}..{high}"), &format!("{high}..{low}"));
            return None;
        }
        let outside = matches!(cover.ty, Ty::Int(Some((from, to))) if high < from || low > to);
        if outside || gaps(&cover.ranges, low, high).is_empty() {
            let earlier = cover.ranges.iter().find(|(from, to, _)| *from <= low && low <= *to);
            self.never_reached(pattern.span, earlier.map(|(_, _, span)| *span));
            return None;
        }
        cover.ranges.push((low, high, pattern.span));
        Some(Pattern::IntRange { low, high })
    }

    fn constant(&mut self, pattern: &ast::Pattern, wanted: &Ty) -> Option<hir::Expr> {
        match &pattern.kind {
            PatternKind::Literal(expr) => self.constant_expr(expr, wanted),
            PatternKind::Name(path) if *wanted == Ty::Language => {
                let value = self.variant_named(path, wanted);
                (!value.ty.is_broken()).then_some(value.expr)
            }
            _ => {
                self.wrong_pattern(pattern, wanted);
                self.bind_broken(pattern);
                None
            }
        }
    }

    fn constant_expr(&mut self, expr: &ast::Expr, wanted: &Ty) -> Option<hir::Expr> {
        let value = self.value(expr, wanted);
        (!matches!(value.kind, hir::ExprKind::Broken)).then_some(value)
    }

    fn wrong_pattern(&mut self, pattern: &ast::Pattern, ty: &Ty) {
        let help = match ty {
            Ty::Enum(id) => {
                let variants = self.project.enums.get(*id as usize).map(|info| info.variants.join(", "));
                format!("`{} => continue`", variants.unwrap_or_default())
            }
            Ty::Bool => "`true => continue`".to_owned(),
            Ty::Int(_) => "`1..5 => continue`".to_owned(),
            _ => "`else => continue`".to_owned(),
        };
        let message = match pattern.kind {
            PatternKind::Some { .. } | PatternKind::None => {
                format!("a `{}` is never missing", self.text_of(ty))
            }
            _ => format!("no `{}` is like this", self.text_of(ty)),
        };
        self.problems.give(Diagnostic::new(Code::TypeMismatch, pattern.span, message).help(help));
    }

    /// Names of what no arm takes; for numbers, as they are written.
    fn missing(&self, cover: &Cover) -> Vec<String> {
        match &cover.ty {
            Ty::Enum(id) => {
                let variants = self.project.enums.get(*id as usize).map_or(&[][..], |info| &info.variants);
                let missing = variants.iter().zip(0..).filter(|(_, index)| !cover.cases.contains_key(index));
                missing.map(|(name, _)| (*name).to_owned()).collect()
            }
            Ty::Optional(_) => two(cover, "some value", "none"),
            Ty::Bool => two(cover, "true", "false"),
            Ty::Int(Some((low, high))) => gaps(&cover.ranges, *low, *high)
                .into_iter()
                .map(|(low, high)| if low == high { low.to_string() } else { format!("{low}..{high}") })
                .collect(),
            _ => vec!["else".to_owned()],
        }
    }

    fn leaves_nothing(&self, cover: &Cover) -> bool {
        self.missing(cover).is_empty()
    }

    /// F0204 or F0301 when the arms leave something out.
    pub fn covered(&mut self, cover: &Cover, keyword: Span) {
        if cover.broken || cover.rest.is_some() {
            return;
        }
        let missing = self.missing(cover);
        if missing.is_empty() {
            return;
        }
        let named = missing.join("`, `");
        let help = format!("`{} => {}`", missing.join(", "), cover.leads_to);
        let diagnostic = match (cover.outcomes, missing.as_slice()) {
            (true, _) => {
                Diagnostic::new(Code::OutcomeNotHandled, keyword, format!("no arm says what happens on `{named}`"))
            }
            (_, [only]) if only == "else" => {
                Diagnostic::new(Code::GapsInMatch, keyword, "no arm takes all other values")
            }
            _ => Diagnostic::new(Code::GapsInMatch, keyword, format!("no arm takes `{named}`")),
        };
        self.problems.give(diagnostic.help(help));
    }
}

fn two(cover: &Cover, yes: &str, no: &str) -> Vec<String> {
    let cases = [(1, yes), (0, no)];
    cases.iter().filter(|(case, _)| !cover.cases.contains_key(case)).map(|(_, name)| (*name).to_owned()).collect()
}

/// What ranges leave of `low..high`, in order.
fn gaps(ranges: &[(i64, i64, Span)], low: i64, high: i64) -> Vec<(i64, i64)> {
    let mut sorted: Vec<(i64, i64)> = ranges.iter().map(|(from, to, _)| (*from, *to)).collect();
    sorted.sort_unstable();
    let mut found = Vec::new();
    let mut next = Some(low);
    for (from, to) in sorted {
        let Some(at) = next.filter(|at| *at <= high) else { break };
        if to < at {
            continue;
        }
        if from > at {
            found.push((at, (from - 1).min(high)));
        }
        next = to.checked_add(1);
    }
    if let Some(at) = next.filter(|at| *at <= high) {
        found.push((at, high));
    }
    found
}

impl hir::Expr {
    /// Whether two constants are equal.
    fn same_constant(&self, other: &hir::Expr) -> bool {
        use hir::ExprKind::{Decimal, Language, Moment, Phone};
        match (&self.kind, &other.kind) {
            (Decimal(a), Decimal(b)) | (Moment(a), Moment(b)) => a == b,
            (Language(a), Language(b)) => a == b,
            (Phone(a), Phone(b)) => a == b,
            _ => self.same(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ranges_leave() {
        let gaps = |ranges: &[(i64, i64)], low, high| {
            let ranges: Vec<_> = ranges.iter().map(|(a, b)| (*a, *b, Span::default())).collect();
            gaps(&ranges, low, high)
        };
        assert_eq!(gaps(&[], 1, 5), [(1, 5)]);
        assert_eq!(gaps(&[(1, 2), (4, 5)], 1, 5), [(3, 3)]);
        assert_eq!(gaps(&[(3, 9), (1, 3)], 1, 5), []);
        assert_eq!(gaps(&[(i64::MIN, i64::MAX)], 1, 5), []);
        assert_eq!(gaps(&[(0, 1), (0, 3)], 1, 5), [(4, 5)]);
    }
}
