//! `needs`, `relax`, `prefers`, `priority`: pure flows, what they read, and the levels that every agent who fits has.

use std::collections::BTreeMap;

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast;
use runtime_contract::limits::PURE_COST_MAX;
use runtime_contract::queue::Predicate;

use super::Reader;
use super::facts::{Facts, Known};
use super::levels::Stated;
use super::ranges::Ranges;
use crate::check::{Checker, cost};
use crate::hir::{self, Block, ExprKind, LocalId, Operator, Statement, StatementKind};
use crate::problems::Problems;
use crate::ty::Ty;

/// Priorities from here to there.
const PRIORITY_MAX: i64 = 1_000;

/// A condition over a caller and an agent.
pub(super) struct Condition {
    pub predicate: Predicate,
    /// Levels that every agent who fits has at least.
    pub conjunction: Vec<(u32, i64)>,
    /// They say all.
    pub is_exact: bool,
    pub stated: Stated,
}

impl<'a> Reader<'_, 'a> {
    /// A condition of a clause. Which skills it reads must be known before its flow is made, so it is read twice.
    pub(super) fn condition(&mut self, label: &str, written: &ast::Expr) -> Option<Condition> {
        let mut unheard = Problems::default();
        let mut first = Checker::new(self.project, self.info.module, &mut unheard);
        for parameter in &self.info.parameters {
            first.declare(parameter.name, parameter.ty.clone());
        }
        first.agent_skills = Some(BTreeMap::new());
        first.condition(written);
        let skills: Vec<u32> = first.agent_skills.take().unwrap_or_default().into_keys().collect();
        let mut made = None;
        let (project, span) = (self.project, written.span);
        let own = self.info.parameters.len() as u32;
        let flow = self.flow(
            label,
            span,
            Some(&Ty::Bool),
            |checker| {
                let mut known = BTreeMap::new();
                for skill in &skills {
                    let last = project.skills.get(*skill as usize).and_then(|info| info.levels).map_or(1, |(_, l)| l);
                    known.insert(*skill, checker.hidden(Ty::Int(Some((0, last))), span));
                }
                checker.agent_skills = Some(known);
            },
            |checker| {
                let value = checker.condition(written);
                of_the_caller(checker);
                too_costly(checker, &value);
                made = Some(value.clone());
                returning(value)
            },
        );
        let value = made.filter(|value| !matches!(value.kind, ExprKind::Broken))?;
        let level = |local: LocalId| {
            let at = local.0.checked_sub(own)?;
            skills.get(at as usize).copied()
        };
        let mut conjunction = BTreeMap::new();
        let is_exact = conjuncts(&value, &level, &mut conjunction);
        let predicate = Predicate { flow, skills: skills.clone(), ..self.reads(&value) };
        let locals = (own..).map(LocalId).zip(skills).collect();
        let stated = Stated { value: Some(value), skills: locals };
        Some(Condition { predicate, conjunction: conjunction.into_iter().collect(), is_exact, stated })
    }

    /// What a value reads of the caller: words of the queue's parameters, by their place.
    fn reads(&self, value: &hir::Expr) -> Predicate {
        let (skills, reads) = (Vec::new(), Vec::new());
        let mut found = Predicate { flow: 0, skills, reads, reads_language: false, reads_number: false };
        let mut starts = Vec::new();
        let mut next = 0;
        for parameter in &self.table.parameters {
            let width = self.types.width(&parameter.r#type) as u32;
            starts.push((next, width));
            next += width;
        }
        let mut open = vec![value];
        while let Some(value) = open.pop() {
            match &value.kind {
                ExprKind::Local(local) => {
                    if let Some((start, width)) = starts.get(local.0 as usize) {
                        found.reads.extend(*start..start + width);
                    }
                }
                ExprKind::CallerNumber => found.reads_number = true,
                ExprKind::CallerLanguage => found.reads_language = true,
                _ => {}
            }
            open.extend(value.parts());
        }
        found.reads.sort_unstable();
        found.reads.dedup();
        found
    }

    pub(super) fn priority(&mut self, written: &ast::Expr) {
        let mut bounds = BTreeMap::new();
        let mut made = crate::check::broken_expr(written.span);
        let flow = self.flow(
            "priority",
            written.span,
            Some(&Ty::Int(None)),
            |_| {},
            |checker| {
                let value = checker.value(written, &Ty::Int(None));
                of_the_caller(checker);
                too_costly(checker, &value);
                let known = (0..).zip(&checker.locals).filter_map(|(at, info)| Some((LocalId(at), info.ty.bounds()?)));
                bounds = known.collect();
                made = value.clone();
                returning(value)
            },
        );
        self.table.priority = Some(flow);
        let mut ranges = Ranges { project: self.project, bounds, given: BTreeMap::new() };
        let mut leaves = Vec::new();
        ranges.leaves(&made, &mut leaves);
        for leaf in leaves {
            let told = match (&leaf.kind, ranges.of(leaf)) {
                (ExprKind::Broken, _) => return,
                (_, Some((low, high))) if low >= 0 && high <= PRIORITY_MAX => continue,
                (ExprKind::Int(_), _) => {
                    let help = if leaf.span == written.span { "`priority 10`" } else { "`10`" };
                    (leaf.span, format!("a priority is a number from 0 to {PRIORITY_MAX}"), help)
                }
                (_, Some((low, high))) => {
                    let message = format!(
                        "a priority is a number from 0 to {PRIORITY_MAX}, and this may be anything from {low} to {high}"
                    );
                    (leaf.span, message, "smaller numbers, or closer bounds of what it is worked out from")
                }
                (_, None) => {
                    let message =
                        format!("nobody knows that this is a number from 0 to {PRIORITY_MAX}, as a priority is");
                    let part = ranges.unknown(leaf);
                    let help = match part.kind {
                        ExprKind::Local(_) | ExprKind::Field { .. } | ExprKind::OptionalField { .. } => {
                            "declare it `Int 0..100`"
                        }
                        _ => "a `match` with a number for each case",
                    };
                    (part.span, message, help)
                }
            };
            let (span, message, help) = told;
            self.problems.give(Diagnostic::new(Code::PriorityOutOfRange, span, message).help(help));
        }
    }
}

fn returning(value: hir::Expr) -> Block {
    let span = value.span;
    Block { statements: vec![Statement { kind: StatementKind::Return(Some(value)), keyword: span, span }] }
}

/// Clauses see the caller, and not which number he called: a ticket of another queue may come over.
fn of_the_caller(checker: &mut Checker<'_, '_>) {
    for (_, span) in std::mem::take(&mut checker.called_read) {
        let message = "a queue does not know which number was called";
        checker.problems.give(
            Diagnostic::new(Code::TypeMismatch, span, message)
                .help("give the queue a parameter that says what it must know"),
        );
    }
}

/// F0508
pub(crate) fn too_costly(checker: &mut Checker<'_, '_>, value: &hir::Expr) {
    let operations = cost(value);
    if operations > PURE_COST_MAX {
        let message = format!("this is worked out by {operations} operations, and {PURE_COST_MAX} is the most");
        let help = "let a flow work it out, and give what comes of it as a parameter";
        checker.problems.give(Diagnostic::new(Code::WorstCaseTooLong, value.span, message).help(help));
    }
}

/// Levels that hold wherever the condition does; true when they say all that it says.
fn conjuncts(value: &hir::Expr, level: &dyn Fn(LocalId) -> Option<u32>, found: &mut BTreeMap<u32, i64>) -> bool {
    match &value.kind {
        ExprKind::Bool(true) => true,
        ExprKind::Inline { value, parameters, .. } if parameters.is_empty() => conjuncts(value, level, found),
        ExprKind::And(left, right) => {
            let left = conjuncts(left, level, found);
            conjuncts(right, level, found) && left
        }
        // Whoever fits has, of each skill that both sides ask for, the lower level.
        ExprKind::Or(left, right) => {
            let (mut one, mut other) = (BTreeMap::new(), BTreeMap::new());
            conjuncts(left, level, &mut one);
            conjuncts(right, level, &mut other);
            for (skill, least) in one {
                if let Some(least) = other.get(&skill).map(|other| least.min(*other)) {
                    let known = found.entry(skill).or_insert(least);
                    *known = least.max(*known);
                }
            }
            false
        }
        ExprKind::Binary(operator, left, right) => {
            let (ExprKind::Local(local), Known::Number(number)) = (&left.kind, Facts::default().works_out(right))
            else {
                return false;
            };
            let Some(skill) = level(*local) else { return false };
            let (least, is_all) = match operator {
                Operator::GreaterOrEqual => (number, true),
                Operator::Greater => (number.saturating_add(1), true),
                Operator::Equal => (number, false),
                _ => return false,
            };
            let known = found.entry(skill).or_insert(least);
            *known = least.max(*known);
            is_all
        }
        _ => false,
    }
}

/// A place where something is said of two clauses.
pub(crate) fn twice(problems: &mut Problems, clause: Span, earlier: Span, what: &str) {
    problems.give(
        Diagnostic::new(Code::DuplicateName, clause, format!("`{what}` stands here twice"))
            .label(earlier, "first here")
            .help("keep one of the two"),
    );
}
