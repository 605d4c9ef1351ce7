//! Agents with the same skills are one class: whatever a clause says of one of them holds for all. It does not know what
//! the clauses say.

use std::collections::{BTreeMap, BTreeSet};

use crate::FxHashMap;
use crate::agents::AgentId;
use crate::bits::Bits;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ClassId(pub u32);

/// Name and level, by name; none of level 0.
pub(crate) type Levels = Vec<(String, i64)>;

#[derive(Clone, Debug, Default)]
pub(crate) struct Class {
    pub levels: Levels,
    members: u32,
    pub logged_in: u32,
    pub free: BTreeSet<AgentId>,
    /// Questions that were answered for it, and those whose answer is yes.
    pub known: Bits,
    pub yes: Bits,
    /// Questions that may mean it, as of so many.
    pub possible: Option<(u64, Bits)>,
}

impl Class {
    /// Level of a program's skill, `routing.technical`: under its whole name, or its last word.
    pub fn level(&self, skill: &str) -> i64 {
        let of = |name: &str| {
            let at = self.levels.binary_search_by(|(own, _)| own.as_str().cmp(name)).ok()?;
            self.levels.get(at).map(|(_, level)| *level)
        };
        of(skill).or_else(|| of(last_word(skill))).unwrap_or(0)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Classes {
    slots: Vec<Class>,
    vacant: Vec<ClassId>,
    by_levels: BTreeMap<Levels, ClassId>,
    /// Those with a free agent.
    with_free: BTreeSet<ClassId>,
    /// The same by each skill that they have, by its last word.
    free_by_skill: FxHashMap<String, BTreeSet<ClassId>>,
}

/// `technical` of `routing.technical`.
pub(crate) fn last_word(skill: &str) -> &str {
    skill.rsplit_once('.').map_or(skill, |(_, last)| last)
}

impl Classes {
    pub fn get(&self, class: ClassId) -> Option<&Class> {
        self.slots.get(class.0 as usize)
    }

    pub fn get_mut(&mut self, class: ClassId) -> Option<&mut Class> {
        self.slots.get_mut(class.0 as usize)
    }

    pub fn all(&self) -> impl Iterator<Item = &Class> {
        self.slots.iter()
    }

    /// Numbers of all, those without members among them.
    pub fn ids(&self) -> impl Iterator<Item = ClassId> + use<> {
        (0..self.slots.len() as u32).map(ClassId)
    }

    pub fn with_free(&self) -> impl Iterator<Item = ClassId> {
        self.with_free.iter().copied()
    }

    pub fn anybody_free(&self) -> bool {
        !self.with_free.is_empty()
    }

    /// Of a skill that is named twice, the higher level.
    pub fn join(&mut self, skills: &[(String, i64)]) -> ClassId {
        let mut levels: BTreeMap<&String, i64> = BTreeMap::new();
        for (name, level) in skills {
            let own = levels.entry(name).or_default();
            *own = (*own).max(*level);
        }
        let levels: Levels =
            levels.into_iter().filter(|(_, level)| *level > 0).map(|(name, level)| (name.clone(), level)).collect();
        let id = match self.by_levels.get(&levels) {
            Some(id) => *id,
            None => {
                let id = self.vacant.pop().unwrap_or(ClassId(self.slots.len() as u32));
                if self.get(id).is_none() {
                    self.slots.push(Class::default());
                }
                if let Some(class) = self.get_mut(id) {
                    *class = Class { levels: levels.clone(), ..Class::default() };
                }
                self.by_levels.insert(levels, id);
                id
            }
        };
        if let Some(class) = self.get_mut(id) {
            class.members += 1;
        }
        id
    }

    /// Of an agent who is neither free nor logged in.
    pub fn leave(&mut self, id: ClassId) {
        let Some(class) = self.slots.get_mut(id.0 as usize) else { return };
        class.members = class.members.saturating_sub(1);
        if class.members == 0 {
            self.by_levels.remove(&class.levels);
            *class = Class::default();
            self.vacant.push(id);
        }
    }

    pub fn set_free(&mut self, id: ClassId, agent: AgentId, is_free: bool) {
        let Some(class) = self.slots.get_mut(id.0 as usize) else { return };
        match is_free {
            true => class.free.insert(agent),
            false => class.free.remove(&agent),
        };
        let has_free = !class.free.is_empty();
        let has_changed = if has_free { self.with_free.insert(id) } else { self.with_free.remove(&id) };
        for (skill, _) in class.levels.iter().filter(|_| has_changed) {
            let skill = last_word(skill);
            match self.free_by_skill.get_mut(skill) {
                Some(classes) if has_free => classes.insert(id),
                Some(classes) => classes.remove(&id),
                None => self.free_by_skill.entry(skill.to_owned()).or_default().insert(id),
            };
        }
    }

    /// Classes with a free agent who has this skill.
    pub fn free_with(&self, skill: Option<&str>) -> Vec<ClassId> {
        match skill {
            Some(skill) => self.free_by_skill.get(skill).into_iter().flatten().copied().collect(),
            None => self.with_free.iter().copied().collect(),
        }
    }

    /// True when he is the first who came, or the last who went.
    pub fn log_in(&mut self, id: ClassId, is_in: bool) -> bool {
        let Some(class) = self.get_mut(id) else { return false };
        class.logged_in = if is_in { class.logged_in + 1 } else { class.logged_in.saturating_sub(1) };
        class.logged_in == u32::from(is_in)
    }

    /// These questions are asked no more; their numbers will be others'.
    pub fn forget(&mut self, questions: &Bits) {
        for class in &mut self.slots {
            class.known.remove_all(questions);
            class.yes.remove_all(questions);
            class.possible = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skills(list: &[(&str, i64)]) -> Vec<(String, i64)> {
        list.iter().map(|(name, level)| ((*name).to_owned(), *level)).collect()
    }

    #[test]
    fn agents_with_the_same_skills_are_one_class() {
        let mut classes = Classes::default();
        let one = classes.join(&skills(&[("technical", 2), ("mandarin", 1)]));
        let same = classes.join(&skills(&[("mandarin", 1), ("none", 0), ("technical", 1), ("technical", 2)]));
        let other = classes.join(&skills(&[("technical", 3)]));
        assert_eq!(one, same);
        assert_ne!(one, other);
        classes.leave(one);
        assert_eq!(classes.get(one).unwrap().level("technical"), 2);
        classes.leave(one);
        assert_eq!(classes.join(&skills(&[("sales", 1)])), one, "an empty class makes room");
        assert_eq!(classes.get(one).unwrap().level("technical"), 0);
    }

    #[test]
    fn a_skill_goes_by_its_last_word_unless_its_whole_name_is_given() {
        let mut classes = Classes::default();
        let id = classes.join(&skills(&[("technical", 2), ("billing.technical", 4)]));
        let class = classes.get(id).unwrap();
        assert_eq!((class.level("routing.technical"), class.level("billing.technical")), (2, 4));
        assert_eq!((class.level("technical"), class.level("routing.mandarin")), (2, 0));
    }
}
