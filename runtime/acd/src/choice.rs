//! Which agent: of the free ones who are meant, those who are preferred, and of these the one whom the queue's rule names
//! (measures.md). Each rule is total: ties go by name.

use std::cmp::Ordering;

use runtime_contract::queue::{AgentChoice, Preferred};
use smallvec::SmallVec;

use crate::acd::Acd;
use crate::agents::{AgentId, Member};
use crate::classes::ClassId;
use crate::input::{AgentName, TicketId};
use crate::queues::QueueId;
use crate::ticket::ms_between;

/// Agents whom `all at once` rings for one caller.
pub const ALL_AT_ONCE_MAX: usize = 32;

/// Preferences that count; the first in the highest bit.
const PREFERENCES_MAX: usize = 63;

impl Acd {
    /// One agent, or those who are rung all at once.
    pub(crate) fn choose(&mut self, id: TicketId, at: usize) -> SmallVec<[AgentId; 1]> {
        let best = self.preferred(id, at);
        let queue = self.tickets.get(&id).and_then(|ticket| ticket.places.get(at)).map(|place| place.queue);
        let Some(queue) = queue else { return SmallVec::new() };
        let choice = self.queues.get(queue).map_or(AgentChoice::LongestIdle, |line| line.rules.choice);
        let one = match choice {
            AgentChoice::Random => self.drawn(best, |_| 1),
            AgentChoice::WeightedRandom => {
                let weight = |member: &Member| u64::from(member.agent.weight);
                match best.iter().filter_map(|agent| self.roster.get(*agent)).any(|member| weight(member) > 0) {
                    true => self.drawn(best, weight),
                    false => self.drawn(best, |_| 1),
                }
            }
            AgentChoice::AllAtOnce => {
                let mut all = best;
                all.sort_unstable_by(|a, b| self.in_order(*a, *b, |agent| self.last_ended(agent)));
                all.truncate(ALL_AT_ONCE_MAX);
                return all.into_iter().collect();
            }
            _ => self.least(&best, |agent| self.score(choice, queue, agent)),
        };
        one.into_iter().collect()
    }

    /// Those who are free and meant, of whom no other is preferred.
    fn preferred(&mut self, id: TicketId, at: usize) -> Vec<AgentId> {
        let Some(ticket) = self.tickets.get(&id) else { return Vec::new() };
        let Some(place) = ticket.places.get(at) else { return Vec::new() };
        let (needs, prefers) = (place.needs, place.prefers.clone());
        let same = self.same_agent(id, at);
        let free = self.questions.free_for(needs, &self.roster.classes);
        let (mut best, mut best_score) = (Vec::new(), 0);
        for class_id in free {
            let (asked, mut world) = self.asking();
            if !asked.answer(&mut world, needs, class_id) {
                continue;
            }
            let bit = |at: usize| 1u64 << (PREFERENCES_MAX - at);
            let mut of_class = 0;
            for (question, at) in prefers.iter().zip(0..PREFERENCES_MAX) {
                if asked.answer(&mut world, *question, class_id) {
                    of_class |= bit(at);
                }
            }
            let only_same = same.iter().fold(0, |bits, (at, _)| bits | bit(*at));
            let Some(class) = world.classes.get(class_id) else { continue };
            for agent in &class.free {
                let of_agent = same.iter().filter(|(_, same)| same == agent).fold(0, |bits, (at, _)| bits | bit(*at));
                let score = of_class & !(only_same & !of_agent);
                if score > best_score {
                    best.clear();
                    best_score = score;
                }
                if score == best_score {
                    best.push(*agent);
                }
            }
        }
        best
    }

    /// Preferences for the same agent, and who that is: nobody where it is too long ago.
    fn same_agent(&self, id: TicketId, at: usize) -> SmallVec<[(usize, AgentId); 1]> {
        let mut found = SmallVec::new();
        let Some(ticket) = self.tickets.get(&id) else { return found };
        let index = ticket.places.get(at).map_or(0, |place| place.index);
        let program = self.programs.get(ticket.program);
        let Some(table) = program.and_then(|program| program.meta().queues.get(index as usize)) else { return found };
        for (preference, at) in table.prefers.iter().zip(0..PREFERENCES_MAX) {
            let Preferred::SameAgent { within_ms } = preference.what else { continue };
            let last = ticket.last_agent.as_ref();
            let last = last.filter(|(_, ended)| ms_between(*ended, ticket.entered) <= within_ms);
            let agent = last.and_then(|(name, _)| self.roster.id(name));
            found.push((at, agent.unwrap_or(AgentId(u32::MAX))));
        }
        found
    }

    /// What the rule goes by: the least is taken.
    fn score(&self, choice: AgentChoice, queue: QueueId, agent: AgentId) -> i128 {
        let Some(member) = self.roster.get(agent) else { return i128::MAX };
        let tally = || self.roster.tally(agent, self.now.time);
        match choice {
            AgentChoice::LeastBusy => tally().occupancy().into(),
            AgentChoice::FewestCalls => tally().calls.into(),
            AgentChoice::LeastTalk => tally().talk_ms.into(),
            AgentChoice::BestSkilled => -self.levels(queue, member.class),
            AgentChoice::LeastSkilled => self.levels(queue, member.class),
            AgentChoice::RoundRobin => {
                let last = self.queues.get(queue).and_then(|line| line.last_offered.as_ref());
                last.is_some_and(|last| member.agent.name <= *last).into()
            }
            AgentChoice::TopDown => member.agent.place.into(),
            _ => self.last_ended(agent),
        }
    }

    /// Since the end of his last call; before all others who had none.
    fn last_ended(&self, agent: AgentId) -> i128 {
        let ended = self.roster.get(agent).and_then(|member| member.last_ended);
        ended.map_or(i128::MIN, |ended| ended.0.into())
    }

    /// The sum of his levels of the skills that the queue's first `needs` names.
    fn levels(&self, queue: QueueId, class: ClassId) -> i128 {
        let (Some(line), Some(class)) = (self.queues.get(queue), self.roster.classes.get(class)) else { return 0 };
        line.rules.skills.iter().map(|skill| i128::from(class.level(skill))).sum()
    }

    fn least(&self, agents: &[AgentId], score: impl Fn(AgentId) -> i128) -> Option<AgentId> {
        let scored = agents.iter().map(|agent| (score(*agent), *agent));
        scored.min_by(|(a, left), (b, right)| a.cmp(b).then_with(|| self.by_name(*left, *right))).map(|(_, id)| id)
    }

    fn in_order(&self, left: AgentId, right: AgentId, score: impl Fn(AgentId) -> i128) -> Ordering {
        score(left).cmp(&score(right)).then_with(|| self.by_name(left, right))
    }

    fn by_name(&self, left: AgentId, right: AgentId) -> Ordering {
        let name = |id| self.roster.get(id).map(|member| &member.agent.name);
        let (left, right): (Option<&AgentName>, Option<&AgentName>) = (name(left), name(right));
        left.cmp(&right)
    }

    /// By chance, in proportion to their weights; in the order of their names, so that a seed gives the same agent.
    fn drawn(&mut self, mut agents: Vec<AgentId>, weight: impl Fn(&Member) -> u64) -> Option<AgentId> {
        agents.sort_unstable_by(|left, right| self.by_name(*left, *right));
        let weight = |agent: &AgentId| self.roster.get(*agent).map_or(0, &weight);
        let mut left = self.chance.below(agents.iter().map(weight).sum());
        agents.iter().copied().find(|agent| {
            let weight = weight(agent);
            let is_it = left < weight;
            left = left.saturating_sub(weight);
            is_it
        })
    }
}
