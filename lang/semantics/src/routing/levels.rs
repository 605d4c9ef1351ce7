//! What a condition says of an agent, as far as his levels and what is known of the caller decide it: tried for every row
//! of levels that an agent may have.

use std::collections::BTreeMap;

use crate::hir::{Expr, LocalId};

use super::facts::{Facts, Known};

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
    /// On what is not known.
    Depends,
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
    /// A skill that the row does not name is one that the agent lacks.
    pub fn of(&self, levels: &Levels, caller: &Facts) -> Truth {
        let Some(value) = &self.value else { return Truth::Yes };
        let mut facts = caller.clone();
        let level = |skill| Known::Number(levels.get(skill).copied().unwrap_or(0));
        facts.locals.extend(self.skills.iter().map(|(local, skill)| (*local, level(skill))));
        match facts.works_out(value) {
            Known::Bool(true) => Truth::Yes,
            Known::Bool(false) => Truth::No,
            _ => Truth::Depends,
        }
    }
}
