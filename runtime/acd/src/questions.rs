//! What clauses say of agents, asked once for each class of agents: a question is a clause with those words of the caller
//! that it reads. Callers with the same question wait together.

use std::collections::BTreeMap;

use crate::FxHashMap;
use runtime_contract::Time;
use runtime_contract::arena::Handle;
use runtime_contract::program::{FlowProgram, ProgramMeta};
use runtime_contract::pure::{Facts, PureRoom};
use runtime_contract::queue::{Predicate, Preferred, Queue};
use runtime_contract::types::Class as SlotClass;
use runtime_contract::value::Phone;

use smallvec::SmallVec;

use crate::bits::Bits;
use crate::classes::{Class, ClassId, Classes, last_word};
use crate::faults::Faults;
use crate::input::TicketId;
use crate::programs::{ProgramId, Programs};
use crate::queues::{QueueId, Rank};
use crate::staffing::Staffing;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct QuestionId(pub u32);

/// Answers without a caller are kept until there are so many questions.
const QUESTIONS_KEPT_MAX: usize = 16_384;

/// Index in the queue's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Clause {
    Stage(u32),
    /// Whether an agent is preferred; of `same agent` only the condition.
    Preference(u32),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    program: ProgramId,
    /// Index in the program's queues.
    queue: u32,
    clause: Clause,
    words: Vec<u64>,
    language: Option<u32>,
    caller: Option<Option<Phone>>,
    /// It reads texts of his alone: nobody shares the question.
    own: Option<TicketId>,
}

#[derive(Clone, Debug)]
pub(crate) struct Question {
    key: Key,
    /// Of the first caller who asked; those of others differ in nothing that is read.
    facts: Facts,
    /// One that everybody who is meant has, by its last word.
    skill: Option<String>,
    /// Where its callers wait.
    pub place: QueueId,
    /// Its callers who are not being offered to anybody.
    pub line: BTreeMap<Rank, Standing>,
    users: u32,
}

/// A caller in line: what else his turn goes by, beside his rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Standing {
    pub priority: i64,
    /// Index of the ticket's place.
    pub place: u32,
}

/// The first in line of a question.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub queue: QueueId,
    pub rank: Rank,
    pub standing: Standing,
}

#[derive(Clone, Default)]
pub(crate) struct Questions {
    slots: Vec<Option<Question>>,
    vacant: Vec<QuestionId>,
    by_key: FxHashMap<Key, QuestionId>,
    /// Those with somebody in line.
    active: Bits,
    /// By question; it holds for those with somebody in line. Close together, for they are looked at by the hundred.
    heads: Vec<Head>,
    /// Those whose answer may be another at another time.
    restless: Bits,
    /// No question at all.
    nobody: Bits,
    /// By the first skill that each wants of everybody (its last word) and its level: whom it cannot be asked of is
    /// known without asking.
    by_skill: FxHashMap<String, BTreeMap<i64, Bits>>,
    /// Those that want no skill of everybody.
    of_anybody: Bits,
    /// Counts new questions.
    made: u64,
    /// Of so many, those without a caller are forgotten.
    kept_max: usize,
    room: PureRoom,
}

/// The caller of a question, and where he waits.
pub(crate) struct Asker<'a> {
    pub ticket: TicketId,
    pub program: ProgramId,
    pub meta: &'a ProgramMeta,
    /// Index in the program's queues.
    pub queue: u32,
    pub place: QueueId,
    pub facts: &'a Facts,
}

impl Questions {
    pub fn get(&self, id: QuestionId) -> Option<&Question> {
        self.slots.get(id.0 as usize)?.as_ref()
    }

    /// The question of a clause; to be given back by [`Questions::leave`].
    pub fn ask(&mut self, caches: &mut Caches<'_>, asker: &Asker<'_>, clause: Clause) -> QuestionId {
        let key = key(asker, clause);
        if let Some(id) = self.by_key.get(&key).copied() {
            if let Some(question) = self.slots.get_mut(id.0 as usize).and_then(Option::as_mut) {
                question.users += 1;
            }
            return id;
        }
        if self.by_key.len() >= self.kept_max.max(QUESTIONS_KEPT_MAX) {
            self.forget(caches, |question| question.users == 0);
            self.kept_max = self.by_key.len() * 2;
        }
        let id = self.vacant.pop().unwrap_or(QuestionId(self.slots.len() as u32));
        let skill = first_skill(asker, clause);
        let question = Question {
            key: key.clone(),
            skill: skill.as_ref().map(|(skill, _)| skill.clone()),
            facts: asker.facts.clone(),
            place: asker.place,
            line: BTreeMap::new(),
            users: 1,
        };
        self.index(id, clause, skill);
        self.by_key.insert(key, id);
        match self.slots.get_mut(id.0 as usize) {
            Some(slot) => *slot = Some(question),
            None => self.slots.push(Some(question)),
        }
        id
    }

    /// Its answers are kept for the next caller who has the same question.
    pub fn leave(&mut self, id: QuestionId) {
        if let Some(question) = self.slots.get_mut(id.0 as usize).and_then(Option::as_mut) {
            question.users = question.users.saturating_sub(1);
        }
    }

    /// The program is let go.
    pub fn forget_program(&mut self, caches: &mut Caches<'_>, program: ProgramId) {
        self.forget(caches, |question| question.key.program == program);
    }

    fn forget(&mut self, Caches { classes, staffing }: &mut Caches<'_>, which: impl Fn(&Question) -> bool) {
        let mut gone = Bits::default();
        for (slot, id) in self.slots.iter_mut().zip(0..) {
            if let Some(question) = slot.take_if(|question| which(question)) {
                self.by_key.remove(&question.key);
                self.vacant.push(QuestionId(id));
                gone.put(id, true);
            }
        }
        self.by_skill.retain(|_, levels| {
            levels.values_mut().for_each(|bits| bits.remove_all(&gone));
            levels.retain(|_, bits| !bits.is_empty());
            !levels.is_empty()
        });
        for bits in [&mut self.active, &mut self.of_anybody, &mut self.restless] {
            bits.remove_all(&gone);
        }
        classes.forget(&gone);
        staffing.forget(&gone);
    }

    /// So that it is asked only of those who may be meant.
    fn index(&mut self, id: QuestionId, clause: Clause, skill: Option<(String, i64)>) {
        self.made += 1;
        let bits = match (clause, skill) {
            (Clause::Preference(_), _) => return,
            (_, Some((skill, level))) => self.by_skill.entry(skill).or_default().entry(level).or_default(),
            (_, None) => &mut self.of_anybody,
        };
        bits.put(id.0, true);
    }

    /// Classes with a free agent that may be meant.
    pub fn free_for(&self, id: QuestionId, classes: &Classes) -> Vec<ClassId> {
        classes.free_with(self.get(id).and_then(|question| question.skill.as_deref()))
    }

    /// Stages that may mean a class, by its skills.
    fn possible(&self, class: &Class) -> Bits {
        let mut possible = self.of_anybody.clone();
        for (skill, level) in &class.levels {
            let levels = self.by_skill.get(last_word(skill)).into_iter();
            levels.flat_map(|levels| levels.range(..=level)).for_each(|(_, bits)| possible.add_all(bits));
        }
        possible
    }

    /// `None`: he stands no more.
    pub fn stand(&mut self, id: QuestionId, rank: Rank, standing: Option<Standing>) {
        let Some(question) = self.slots.get_mut(id.0 as usize).and_then(Option::as_mut) else { return };
        match standing {
            Some(standing) => question.line.insert(rank, standing),
            None => question.line.remove(&rank),
        };
        let queue = question.place;
        let first = question.line.first_key_value();
        self.active.put(id.0, first.is_some());
        let Some(head) = first.map(|(rank, standing)| Head { queue, rank: *rank, standing: *standing }) else { return };
        if self.heads.len() <= id.0 as usize {
            self.heads.resize(id.0 as usize + 1, head);
        }
        if let Some(own) = self.heads.get_mut(id.0 as usize) {
            *own = head;
        }
    }

    /// Whether the agents of a class are meant.
    pub fn answer(&mut self, world: &mut Asked<'_>, id: QuestionId, class_id: ClassId) -> bool {
        let Some(class) = world.classes.get(class_id) else { return false };
        if class.known.has(id.0) {
            return class.yes.has(id.0);
        }
        let Some(question) = self.slots.get(id.0 as usize).and_then(Option::as_ref) else { return false };
        let Some(program) = world.programs.get(question.key.program) else { return false };
        let mut ask = Ask { program: &**program, class, room: &mut self.room, now: world.now, keeps: true };
        let yes = ask.question(question, world.faults);
        let keeps = ask.keeps;
        if !keeps {
            self.restless.put(id.0, true);
        } else if let Some(class) = world.classes.get_mut(class_id) {
            class.known.put(id.0, true);
            class.yes.put(id.0, yes);
        }
        yes
    }

    /// Somebody is in line for whom the time may make a difference.
    pub fn looks_at_clock(&self) -> bool {
        self.active.both(&self.restless, &self.nobody).next().is_some()
    }

    /// The firsts of the questions for which the agents of a class are meant.
    pub fn open_to(&mut self, world: &mut Asked<'_>, class_id: ClassId, mut found: impl FnMut(&Head)) {
        let Some(class) = world.classes.get_mut(class_id) else { return };
        if class.possible.as_ref().is_none_or(|(made, _)| *made != self.made) {
            class.possible = Some((self.made, self.possible(class)));
        }
        let possible = class.possible.iter().map(|(_, possible)| possible);
        let unknown: SmallVec<[u32; 8]> =
            possible.flat_map(|possible| self.active.both(possible, &class.known)).collect();
        let yes = self.active.both(&class.yes, &self.nobody);
        yes.filter_map(|id| self.heads.get(id as usize)).for_each(&mut found);
        for id in unknown {
            if self.answer(world, QuestionId(id), class_id) {
                self.heads.get(id as usize).into_iter().for_each(&mut found);
            }
        }
    }

    /// Where pure flows of a caller alone are run.
    pub fn room(&mut self) -> &mut PureRoom {
        &mut self.room
    }

    /// For checkers.
    pub fn all(&self) -> impl Iterator<Item = (QuestionId, &Question)> {
        self.slots.iter().zip(0..).filter_map(|(slot, id)| Some((QuestionId(id), slot.as_ref()?)))
    }
}

/// What remembers answers.
pub(crate) struct Caches<'a> {
    pub classes: &'a mut Classes,
    pub staffing: &'a mut Staffing,
}

/// What an answer depends on beside the question.
pub(crate) struct Asked<'a> {
    pub classes: &'a mut Classes,
    pub programs: &'a Programs,
    pub faults: &'a mut Faults,
    pub now: Time,
}

struct Ask<'a> {
    program: &'a dyn FlowProgram,
    class: &'a Class,
    room: &'a mut PureRoom,
    now: Time,
    /// The answer will be the same at another time.
    keeps: bool,
}

impl Ask<'_> {
    fn question(&mut self, question: &Question, faults: &mut Faults) -> bool {
        // A flow works in the room of the facts, and a question only lends its own.
        let mut facts = question.facts.clone();
        let Some(queue) = self.program.meta().queues.get(question.key.queue as usize) else { return false };
        match question.key.clause {
            Clause::Stage(stage) => queue.stages.get(stage as usize).is_some_and(|stage| {
                let has = |(skill, least): &(u32, i64)| self.level(*skill) >= *least;
                stage.conjunction.iter().all(has)
                    && stage.needs.as_ref().is_none_or(|needs| self.holds(needs, &mut facts, faults))
            }),
            Clause::Preference(preference) => queue.prefers.get(preference as usize).is_some_and(|preference| {
                let condition = preference.condition.as_ref();
                condition.is_none_or(|condition| self.holds(condition, &mut facts, faults))
                    && match &preference.what {
                        Preferred::Agent(agent) => self.holds(agent, &mut facts, faults),
                        Preferred::SameAgent { .. } => true,
                    }
            }),
        }
    }

    fn level(&self, skill: u32) -> i64 {
        self.program.meta().skills.get(skill as usize).map_or(0, |skill| self.class.level(&skill.name))
    }

    /// A clause that faults means nobody.
    fn holds(&mut self, predicate: &Predicate, facts: &mut Facts, faults: &mut Faults) -> bool {
        let levels: Vec<i64> = predicate.skills.iter().map(|skill| self.level(*skill)).collect();
        let answer = self.room.word(self.program, predicate.flow, facts, &levels, self.now);
        self.keeps &= !self.room.has_observed();
        answer.map_err(|_| faults.count(self.program.meta().graph_id, predicate.flow, self.now)) == Ok(1)
    }
}

/// The first skill that a stage wants of everybody, by its last word, and the level.
fn first_skill(asker: &Asker<'_>, clause: Clause) -> Option<(String, i64)> {
    let Clause::Stage(stage) = clause else { return None };
    let stage = asker.meta.queues.get(asker.queue as usize)?.stages.get(stage as usize)?;
    let (skill, level) = stage.conjunction.iter().find(|(_, level)| *level > 0)?;
    let skill = asker.meta.skills.get(*skill as usize)?;
    Some((last_word(&skill.name).to_owned(), *level))
}

fn predicates(queue: &Queue, clause: Clause) -> [Option<&Predicate>; 2] {
    match clause {
        Clause::Stage(stage) => [queue.stages.get(stage as usize).and_then(|stage| stage.needs.as_ref()), None],
        Clause::Preference(at) => match queue.prefers.get(at as usize) {
            Some(preference) => {
                let agent = match &preference.what {
                    Preferred::Agent(agent) => Some(agent),
                    Preferred::SameAgent { .. } => None,
                };
                [preference.condition.as_ref(), agent]
            }
            None => [None, None],
        },
    }
}

fn key(asker: &Asker<'_>, clause: Clause) -> Key {
    let (program, queue) = (asker.program, asker.queue);
    let mut key = Key { program, queue, clause, words: Vec::new(), language: None, caller: None, own: None };
    let Some(table) = asker.meta.queues.get(queue as usize) else { return key };
    let mut reads: Vec<u32> = Vec::new();
    for predicate in predicates(table, clause).into_iter().flatten() {
        reads.extend(&predicate.reads);
        if predicate.reads_language {
            key.language = Some(asker.facts.language);
        }
        if predicate.reads_number {
            key.caller = Some(asker.facts.caller);
        }
    }
    if reads.is_empty() {
        return key;
    }
    reads.sort_unstable();
    reads.dedup();
    let slots: Vec<SlotClass> = match asker.facts.has_own_texts() {
        true => table.parameters.iter().flat_map(|parameter| asker.meta.types.slots(&parameter.r#type)).collect(),
        false => Vec::new(),
    };
    for word in reads {
        let value = asker.facts.words().get(word as usize).copied().unwrap_or(0);
        let is_own = match slots.get(word as usize) {
            Some(SlotClass::Text) => !Handle::from_word(value).is_constant(),
            Some(SlotClass::List) => true,
            _ => false,
        };
        if is_own {
            key.own = Some(asker.ticket);
        }
        key.words.push(value);
    }
    key
}
