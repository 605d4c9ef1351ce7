//! F0907: a condition that can never be true, or never false. Each measure lies between bounds, so each comparison with a
//! number leaves it a range; where every way to make the condition true leaves some measure an empty one, the rule is idle
//! for ever. A rule about a queue into which no flow leads is idle too; that is told of projects without other mistakes.

use std::collections::BTreeMap;

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast::QueueClauseKind as Clause;
use runtime_contract::queue::MEASURES;
use runtime_contract::rule::Measure;
use runtime_contract::types::Type;

use crate::declare::whole;
use crate::hir::{Expr, ExprKind, LocalId, Operator};
use crate::problems::Problems;
use crate::project::Project;

/// Ways to make a condition true that are looked at; of one with more nothing is said.
const WAYS_MAX: usize = 256;
/// 100 %.
const ALL: i64 = 1_000_000;

/// Values of a measure, both included.
type Range = (i64, i64);

/// A comparison of a measure with a number: what it leaves.
#[derive(Clone, Copy)]
struct Leaf {
    measure: Measure,
    /// With `is_left_out` it is one value, and all others are left.
    range: Range,
    is_left_out: bool,
    span: Span,
}

/// Comparisons that must all be true.
type WayToFire = Vec<Leaf>;

struct Never<'p, 'a> {
    project: &'p Project<'a>,
    tests: &'p [Measure],
}

pub(super) fn never(project: &Project<'_>, condition: &Expr, tests: &[Measure], problems: &mut Problems) {
    let never = Never { project, tests };
    let alone: Vec<Leaf> = never.leaves(condition).into_iter().filter(|leaf| never.left(&[*leaf]).is_some()).collect();
    if !alone.is_empty() {
        return alone.iter().for_each(|leaf| problems.give(never.alone(leaf)));
    }
    if let Some(leaf) = never.leaves(condition).into_iter().find(|leaf| never.always(leaf)) {
        return problems.give(never.told_always(&leaf));
    }
    let Some(ways) = never.ways(condition, true) else { return };
    if ways.is_empty() {
        let diagnostic = Diagnostic::new(Code::AlarmNeverTrue, condition.span, "this is never true");
        return problems.give(diagnostic.help("leave `false` out of it"));
    }
    let contradictions: Option<Vec<(Leaf, Leaf)>> = ways.iter().map(|way| never.left(way)).collect();
    if let Some((first, second)) = contradictions.and_then(|found| found.first().copied()) {
        let message = format!("{} cannot be both, so this is never true", never.named(second.measure));
        problems.give(
            Diagnostic::new(Code::AlarmNeverTrue, second.span, message)
                .label(first.span, "asked for here too")
                .help("`or` between the two, or one of them alone"),
        );
    }
}

impl Never<'_, '_> {
    fn named(&self, measure: Measure) -> String {
        let queue = self.project.queues.get(measure.queue as usize).map_or("", |queue| queue.name.text.as_str());
        format!("`{queue}.{}`", measure.name())
    }

    /// All values that the measure may have, and the clause that says so.
    fn bounds(&self, measure: Measure) -> (Range, Option<Span>) {
        let is_percent = MEASURES.get(measure.measure as usize).is_some_and(|(_, ty)| *ty == Type::Percent);
        let limited = self.limited(measure);
        let most = limited.map_or(if is_percent { ALL } else { i64::MAX }, |(most, _)| most);
        ((0, most), limited.map(|(_, span)| span))
    }

    /// `limit` and `timeout` bound who waits, where nobody comes over from another queue.
    fn limited(&self, measure: Measure) -> Option<(i64, Span)> {
        let queue = self.project.queues.get(measure.queue as usize)?;
        let leads_here = |other: &crate::project::QueueInfo<'_>| {
            other.item.clauses.iter().any(|clause| match &clause.kind {
                Clause::Overflow { queue: path, .. } => {
                    path.names.last().is_some_and(|name| name.text == queue.name.text)
                }
                _ => false,
            })
        };
        if queue.partly_read || self.project.queues.iter().any(leads_here) {
            return None;
        }
        queue.item.clauses.iter().find_map(|clause| match (&clause.kind, measure.name()) {
            (Clause::Limit(number), "waiting") => Some((whole(number)?, clause.span)),
            (Clause::Timeout(time), "longest_wait" | "asa") => match time.kind {
                lang_syntax::ast::ExprKind::Duration { ms } => Some((ms, clause.span)),
                _ => None,
            },
            _ => None,
        })
    }

    /// The two comparisons that leave a measure nothing, or one that does so alone. `None`: each measure has some value.
    fn left(&self, way: &[Leaf]) -> Option<(Leaf, Leaf)> {
        let mut ranges: BTreeMap<Measure, (Range, Vec<Leaf>)> = BTreeMap::new();
        for leaf in way.iter().filter(|leaf| !leaf.is_left_out) {
            let ((low, high), before) =
                ranges.entry(leaf.measure).or_insert_with(|| (self.bounds(leaf.measure).0, Vec::new()));
            (*low, *high) = ((*low).max(leaf.range.0), (*high).min(leaf.range.1));
            if low > high {
                let other =
                    before.iter().find(|other| other.range.0.max(leaf.range.0) > other.range.1.min(leaf.range.1));
                return Some((*other.unwrap_or(leaf), *leaf));
            }
            before.push(*leaf);
        }
        // Where one value is left, it may not be left out.
        way.iter().filter(|leaf| leaf.is_left_out).find_map(|leaf| {
            let (range, before) = ranges.get(&leaf.measure)?;
            let (first, second) = (*before.first()?, *leaf);
            let in_order = if first.span.start < second.span.start { (first, second) } else { (second, first) };
            (*range == leaf.range).then_some(in_order)
        })
    }

    /// It leaves a measure all values that it may have.
    fn always(&self, leaf: &Leaf) -> bool {
        let ((least, most), _) = self.bounds(leaf.measure);
        !leaf.is_left_out && leaf.range.0 <= least && leaf.range.1 >= most
    }

    fn told_always(&self, leaf: &Leaf) -> Diagnostic {
        let name = self.named(leaf.measure);
        let ((_, most), clause) = self.bounds(leaf.measure);
        let is_above = leaf.range.1 != i64::MAX;
        let bound = match (is_above, clause) {
            (false, _) => "is never below zero",
            (true, None) => "is never above 100%",
            (true, Some(_)) => "is never more",
        };
        let message = format!("{name} {bound}, so this is always true");
        let example = match (leaf.measure.r#type(), is_above) {
            (Some(Type::Duration), true) => format!("< {}s", (most / 2_000).max(1)),
            (Some(Type::Duration), false) => "> 1m".to_owned(),
            (Some(Type::Percent), true) => "< 80%".to_owned(),
            (Some(Type::Percent), false) => "> 5%".to_owned(),
            (_, true) => format!("< {most}"),
            (_, false) => "> 5".to_owned(),
        };
        let help = format!("`{} {example}`", name.trim_matches('`'));
        let diagnostic = Diagnostic::new(Code::AlarmNeverTrue, leaf.span, message).help(help);
        match clause.filter(|_| is_above) {
            Some(clause) => diagnostic.label(clause, "this is the most"),
            None => diagnostic,
        }
    }

    fn alone(&self, leaf: &Leaf) -> Diagnostic {
        let name = self.named(leaf.measure);
        let ((_, most), clause) = self.bounds(leaf.measure);
        let is_above = leaf.range.0 > most;
        let message = match (is_above, clause) {
            (true, Some(_)) => format!("{name} is never so much, so this is never true"),
            (true, None) => format!("{name} is never above 100%, so this is never true"),
            (false, _) => format!("{name} is never below zero, so this is never true"),
        };
        let example = match (leaf.measure.r#type(), clause.filter(|_| is_above)) {
            // The half of the longest that anybody waits, in whole seconds.
            (Some(Type::Duration), Some(_)) => format!("> {}s", most / 2_000),
            (_, Some(_)) => format!(">= {most}"),
            (Some(Type::Percent), None) if is_above => "> 95%".to_owned(),
            (Some(Type::Percent), None) => "< 80%".to_owned(),
            (Some(Type::Duration), None) => "> 1m".to_owned(),
            _ => "> 5".to_owned(),
        };
        let help = format!("`{} {example}`", name.trim_matches('`'));
        let diagnostic = Diagnostic::new(Code::AlarmNeverTrue, leaf.span, message).help(help);
        match clause.filter(|_| is_above) {
            Some(clause) => diagnostic.label(clause, "this is the most"),
            None => diagnostic,
        }
    }

    /// The comparisons of a condition that are meant as they stand, each alone.
    fn leaves(&self, condition: &Expr) -> Vec<Leaf> {
        self.ways(condition, true).unwrap_or_default().into_iter().flatten().collect()
    }

    /// What must be true together for the condition to be so (`wanted`: true), or not; of a test that is nothing of the
    /// kind nothing is asked. `None`: too many.
    fn ways(&self, condition: &Expr, wanted: bool) -> Option<Vec<WayToFire>> {
        let found = match &condition.kind {
            ExprKind::Bool(holds) if *holds == wanted => vec![Vec::new()],
            ExprKind::Bool(_) => Vec::new(),
            ExprKind::Not(inner) => self.ways(inner, !wanted)?,
            ExprKind::And(left, right) | ExprKind::Or(left, right) => {
                let (left, right) = (self.ways(left, wanted)?, self.ways(right, wanted)?);
                match matches!(condition.kind, ExprKind::And(..)) == wanted {
                    true if left.len().saturating_mul(right.len()) > WAYS_MAX => return None,
                    true => left.iter().flat_map(|one| right.iter().map(|two| [&one[..], two].concat())).collect(),
                    false => left.into_iter().chain(right).collect(),
                }
            }
            _ => vec![self.leaf(condition, wanted).into_iter().collect()],
        };
        (found.len() <= WAYS_MAX).then_some(found)
    }

    fn leaf(&self, condition: &Expr, wanted: bool) -> Option<Leaf> {
        let ExprKind::Binary(operator, left, right) = &condition.kind else { return None };
        let (measure, number, operator) = match (self.measure(left), self.measure(right)) {
            (Some(measure), None) => (measure, number(right)?, *operator),
            (None, Some(measure)) => (measure, number(left)?, mirrored(*operator)),
            _ => return None,
        };
        let operator = if wanted { operator } else { opposite(operator) };
        let range = match operator {
            Operator::Less => (i64::MIN, number.checked_sub(1)?),
            Operator::LessOrEqual => (i64::MIN, number),
            Operator::Greater => (number.checked_add(1)?, i64::MAX),
            Operator::GreaterOrEqual => (number, i64::MAX),
            Operator::Equal | Operator::NotEqual => (number, number),
            _ => return None,
        };
        let is_left_out = operator == Operator::NotEqual;
        Some(Leaf { measure, range, is_left_out, span: condition.span })
    }

    fn measure(&self, value: &Expr) -> Option<Measure> {
        match &value.kind {
            ExprKind::Local(LocalId(at)) => self.tests.get(*at as usize).copied(),
            ExprKind::Else(inner, _) => self.measure(inner),
            _ => None,
        }
    }
}

fn number(value: &Expr) -> Option<i64> {
    match &value.kind {
        ExprKind::Int(number) | ExprKind::Decimal(number) | ExprKind::Moment(number) => Some(*number),
        ExprKind::Negate(inner) => number(inner)?.checked_neg(),
        _ => None,
    }
}

/// With its sides exchanged.
fn mirrored(operator: Operator) -> Operator {
    match operator {
        Operator::Less => Operator::Greater,
        Operator::LessOrEqual => Operator::GreaterOrEqual,
        Operator::Greater => Operator::Less,
        Operator::GreaterOrEqual => Operator::LessOrEqual,
        other => other,
    }
}

/// What is true where it is not.
fn opposite(operator: Operator) -> Operator {
    match operator {
        Operator::Less => Operator::GreaterOrEqual,
        Operator::LessOrEqual => Operator::Greater,
        Operator::Greater => Operator::LessOrEqual,
        Operator::GreaterOrEqual => Operator::Less,
        Operator::Equal => Operator::NotEqual,
        Operator::NotEqual => Operator::Equal,
        other => other,
    }
}
