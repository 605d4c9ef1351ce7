//! The queues by name: the rules that the stable version has for them, and the line of those who wait. It does not know
//! who is eligible.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use runtime_contract::Time;
use runtime_contract::calendar::HoursTable;
use runtime_contract::program::ProgramMeta;
use runtime_contract::queue::{AgentChoice, OrderKey, Queue, Target};

use crate::FxHashMap;
use crate::input::{AgentName, TicketId};
use crate::log::QueueLog;
use crate::ticket::ms_between;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct QueueId(pub u32);

/// Keys of `order` that count; there are no more kinds.
const ORDER_KEYS_MAX: usize = 3;

/// A place in line: the lower, the sooner. It does not change as time goes by, because all who wait grow older alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    keys: [i64; ORDER_KEYS_MAX],
    pub entered: Time,
    pub ticket: TicketId,
}

/// What holds for everybody who waits, whatever his version.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    order: Vec<OrderKey>,
    pub choice: AgentChoice,
    pub ring_ms: u64,
    pub wrap_up_ms: u64,
    pub limit: Option<u32>,
    pub target: Option<Target>,
    pub open: Option<HoursTable>,
    /// What every agent of it has at least: skill and level.
    pub least: Vec<(String, i64)>,
    /// Skills by which agents are better or less skilled.
    pub skills: Vec<String>,
}

impl Rules {
    fn new(meta: &ProgramMeta, queue: &Queue) -> Rules {
        let name = |skill: &u32| meta.skills.get(*skill as usize).map(|skill| skill.name.clone());
        let first = queue.stages.first();
        let conjunction = first.map_or(&[][..], |stage| &stage.conjunction);
        let least = conjunction.iter().filter_map(|(skill, level)| Some((name(skill)?, *level))).collect();
        let of_needs = first.and_then(|stage| stage.needs.as_ref()).map_or(&[][..], |needs| &needs.skills);
        let skills: BTreeSet<u32> =
            conjunction.iter().map(|(skill, _)| *skill).chain(of_needs.iter().copied()).collect();
        Rules {
            order: queue.order.clone(),
            choice: queue.choice,
            ring_ms: queue.ring_ms,
            wrap_up_ms: queue.wrap_up_ms,
            limit: queue.limit,
            target: queue.target,
            open: queue.open.and_then(|hours| meta.hours.get(hours as usize)).cloned(),
            least,
            skills: skills.iter().filter_map(name).collect(),
        }
    }

    pub fn rank(&self, ticket: TicketId, entered: Time, priority: i64) -> Rank {
        let mut keys = [0; ORDER_KEYS_MAX];
        for (key, order) in keys.iter_mut().zip(&self.order) {
            *key = match order {
                OrderKey::Priority { worth_ms: None } => priority.saturating_neg(),
                OrderKey::Priority { worth_ms: Some(worth) } => {
                    let worth = i64::try_from(*worth).unwrap_or(i64::MAX);
                    entered.0.saturating_sub(priority.saturating_mul(worth))
                }
                OrderKey::Waiting => entered.0,
            };
        }
        Rank { keys, entered, ticket }
    }
}

/// Times between answers by which the pace of a queue is measured.
const GAPS_KEPT: usize = 20;

#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub name: Arc<str>,
    pub rules: Rules,
    /// Everybody who waits here, those who are offered and those who were promised a call among them.
    pub waiting: BTreeSet<Rank>,
    /// Those of them on the line, whom the limit counts.
    pub callers: u32,
    /// Nobody else is let in, however few they are.
    pub is_full: bool,
    /// Tickets, talks and wrap-ups that will still come back to it.
    pub users: u32,
    pub is_stable: bool,
    /// Whom it offered a caller last; for `round robin`.
    pub last_offered: Option<AgentName>,
    last_answer: Option<Time>,
    /// Times between answers, and when each ended.
    pub gaps: VecDeque<(Time, u64)>,
    pub log: QueueLog,
}

impl Line {
    /// A caller who had waited since `entered`. Only if he waited already when the one before him was answered does the
    /// time between the two tell how fast the agents are, and not how rarely somebody calls.
    pub fn answered(&mut self, entered: Time, at: Time) {
        if let Some(before) = self.last_answer.replace(at).filter(|before| entered <= *before) {
            self.gaps.push_back((at, ms_between(before, at)));
            if self.gaps.len() > GAPS_KEPT {
                self.gaps.pop_front();
            }
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Queues {
    slots: Vec<Option<Line>>,
    by_name: FxHashMap<Arc<str>, QueueId>,
}

impl Queues {
    pub fn id(&self, name: &str) -> Option<QueueId> {
        self.by_name.get(name).copied()
    }

    pub fn get(&self, id: QueueId) -> Option<&Line> {
        self.slots.get(id.0 as usize)?.as_ref()
    }

    pub fn get_mut(&mut self, id: QueueId) -> Option<&mut Line> {
        self.slots.get_mut(id.0 as usize)?.as_mut()
    }

    pub fn name(&self, id: QueueId) -> Arc<str> {
        self.get(id).map_or_else(|| Arc::from(""), |line| line.name.clone())
    }

    pub fn all(&self) -> impl Iterator<Item = (QueueId, &Line)> {
        self.slots.iter().zip(0..).filter_map(|(line, at)| Some((QueueId(at), line.as_ref()?)))
    }

    /// The queue of a program. One that the stable version does not have begins with this program's rules.
    pub fn of(&mut self, meta: &ProgramMeta, queue: &Queue) -> QueueId {
        match self.id(&queue.name) {
            Some(id) => id,
            None => self.add(meta, queue),
        }
    }

    fn add(&mut self, meta: &ProgramMeta, queue: &Queue) -> QueueId {
        let name: Arc<str> = Arc::from(queue.name.as_str());
        let at = self.slots.iter().position(Option::is_none).unwrap_or(self.slots.len());
        let line = Some(Line {
            name: name.clone(),
            rules: Rules::new(meta, queue),
            waiting: BTreeSet::new(),
            callers: 0,
            is_full: false,
            users: 0,
            is_stable: false,
            last_offered: None,
            last_answer: None,
            gaps: VecDeque::new(),
            log: QueueLog::default(),
        });
        match self.slots.get_mut(at) {
            Some(slot) => *slot = line,
            None => self.slots.push(line),
        }
        let id = QueueId(at as u32);
        self.by_name.insert(name, id);
        id
    }

    /// Rules of the stable version. Queues that it does not have go when nobody is there any more.
    pub fn set_rules(&mut self, meta: &ProgramMeta) {
        self.slots.iter_mut().flatten().for_each(|line| line.is_stable = false);
        for queue in &meta.queues {
            let id = self.of(meta, queue);
            if let Some(line) = self.get_mut(id) {
                (line.rules, line.is_stable) = (Rules::new(meta, queue), true);
            }
        }
        for slot in &mut self.slots {
            if let Some(line) = slot.take_if(|line| !line.is_stable && line.users == 0) {
                self.by_name.remove(&line.name);
            }
        }
    }
}
