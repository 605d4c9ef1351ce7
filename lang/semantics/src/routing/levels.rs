//! What a condition says of an agent, as far as his levels decide it: tried for every row of levels that an agent may
//! have. What hangs on the caller stays open.

use std::collections::BTreeMap;

use crate::hir::{Expr, ExprKind, LocalId, Operator};

/// Rows of levels that are tried; of conditions over more skills nothing is said here.
const ROWS_MAX: i64 = 4_096;

/// A condition, and the skill whose level each of its locals is. `None`: nothing is asked.
#[derive(Clone)]
pub(super) struct Stated {
    pub value: Option<Expr>,
    pub skills: BTreeMap<LocalId, u32>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Truth {
    Yes,
    No,
    /// On the caller.
    Depends,
}

impl Truth {
    fn of(holds: bool) -> Truth {
        if holds { Truth::Yes } else { Truth::No }
    }

    fn not(self) -> Truth {
        match self {
            Truth::Yes => Truth::No,
            Truth::No => Truth::Yes,
            Truth::Depends => Truth::Depends,
        }
    }
}

/// An agent's levels, by skill.
pub(super) type Levels = BTreeMap<u32, i64>;

/// Every row of levels that these conditions can tell apart; `last` is the highest level of a skill. `None`: too many.
pub(super) fn rows(conditions: &[&Stated], last: impl Fn(u32) -> i64) -> Option<Vec<Levels>> {
    let mut skills: Vec<u32> = conditions.iter().flat_map(|stated| stated.skills.values().copied()).collect();
    skills.sort_unstable();
    skills.dedup();
    let mut rows = vec![Levels::new()];
    for skill in skills {
        let levels = 0..=last(skill);
        if rows.len() as i64 * (last(skill) + 1) > ROWS_MAX {
            return None;
        }
        let with = |row: &Levels, level| {
            let mut row = row.clone();
            row.insert(skill, level);
            row
        };
        rows = rows.iter().flat_map(|row| levels.clone().map(move |level| with(row, level))).collect();
    }
    Some(rows)
}

impl Stated {
    pub fn of(&self, levels: &Levels) -> Truth {
        let Some(value) = &self.value else { return Truth::Yes };
        Row { stated: self, levels, given: Vec::new() }.truth(value)
    }
}

struct Row<'r> {
    stated: &'r Stated,
    levels: &'r Levels,
    /// Parameters of the functions around, and their values.
    given: Vec<(LocalId, &'r Expr)>,
}

impl<'r> Row<'r> {
    fn truth(&mut self, value: &'r Expr) -> Truth {
        match &value.kind {
            ExprKind::Bool(holds) => Truth::of(*holds),
            ExprKind::Not(inner) => self.truth(inner).not(),
            ExprKind::And(left, right) => match (self.truth(left), self.truth(right)) {
                (Truth::No, _) | (_, Truth::No) => Truth::No,
                (Truth::Yes, Truth::Yes) => Truth::Yes,
                _ => Truth::Depends,
            },
            ExprKind::Or(left, right) => match (self.truth(left), self.truth(right)) {
                (Truth::Yes, _) | (_, Truth::Yes) => Truth::Yes,
                (Truth::No, Truth::No) => Truth::No,
                _ => Truth::Depends,
            },
            ExprKind::Inline { parameters, value, .. } => {
                let before = self.given.len();
                self.given.extend(parameters.iter().map(|(local, given)| (*local, given)));
                let truth = self.truth(value);
                self.given.truncate(before);
                truth
            }
            ExprKind::Binary(operator, left, right) => {
                let (Some(left), Some(right)) = (self.number(left), self.number(right)) else { return Truth::Depends };
                match operator {
                    Operator::Equal => Truth::of(left == right),
                    Operator::NotEqual => Truth::of(left != right),
                    Operator::Less => Truth::of(left < right),
                    Operator::LessOrEqual => Truth::of(left <= right),
                    Operator::Greater => Truth::of(left > right),
                    Operator::GreaterOrEqual => Truth::of(left >= right),
                    _ => Truth::Depends,
                }
            }
            _ => Truth::Depends,
        }
    }

    fn number(&mut self, value: &'r Expr) -> Option<i64> {
        match &value.kind {
            ExprKind::Int(number) => Some(*number),
            ExprKind::Local(local) => match self.stated.skills.get(local) {
                Some(skill) => self.levels.get(skill).copied(),
                None => {
                    let given = self.given.iter().rev().find(|(own, _)| own == local).map(|(_, given)| *given)?;
                    self.number(given)
                }
            },
            ExprKind::Binary(operator, left, right) => {
                let (left, right) = (self.number(left)?, self.number(right)?);
                match operator {
                    Operator::Add => left.checked_add(right),
                    Operator::Subtract => left.checked_sub(right),
                    Operator::Multiply => left.checked_mul(right),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}
