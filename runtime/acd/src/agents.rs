//! The agents: what each said of himself, what he does for a queue right now, and what of his day. It does not know
//! whom he takes.

use runtime_contract::limits::AGENTS_MAX;
use runtime_contract::{Tick, Time};

use crate::FxHashMap;
use crate::classes::{ClassId, Classes};
use crate::input::{Agent, AgentName, AgentState, OfferNumber, TicketId};
use crate::log::StayId;
use crate::queues::QueueId;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct AgentId(pub u32);

/// What an agent does for a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Duty {
    None,
    Ringing(TicketId, OfferNumber),
    /// He did not take an offer, and is asked again a little later.
    Resting,
    Talking(TicketId),
    WrapUp(WrapUp),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WrapUp {
    pub ticket: TicketId,
    pub queue: QueueId,
    pub stay: StayId,
    pub since: Time,
    pub until: Tick,
}

/// What of his time a moment belongs to, for occupancy (measures.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    Available,
    Talk,
    WrapUp,
    /// Breaks, own calls, offers: neither worked nor available.
    Other,
}

/// Of one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub calls: u32,
    pub talk_ms: u64,
    pub wrap_up_ms: u64,
    pub available_ms: u64,
}

impl Tally {
    /// × 10⁻⁶ of the time that counts; 0 before there is any.
    pub fn occupancy(&self) -> u64 {
        let handling = self.talk_ms + self.wrap_up_ms;
        handling.saturating_mul(1_000_000).checked_div(handling + self.available_ms).unwrap_or(0)
    }

    pub(crate) fn add(&mut self, activity: Activity, ms: u64) {
        match activity {
            Activity::Available => self.available_ms += ms,
            Activity::Talk => self.talk_ms += ms,
            Activity::WrapUp => self.wrap_up_ms += ms,
            Activity::Other => {}
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub agent: Agent,
    pub class: ClassId,
    pub said: AgentState,
    pub duty: Duty,
    /// Offers that he did not answer, since he last did.
    pub misses: u32,
    pub last_ended: Option<Time>,
    /// The site does not have him any more.
    pub is_removed: bool,
    tally: Tally,
    /// Day of the tally, counted by [`Roster::new_day`].
    day: u32,
    /// Up to when the tally counts.
    counted: Time,
    /// Since when he does what he does.
    pub since: Time,
}

impl Member {
    pub fn is_free(&self) -> bool {
        self.said == AgentState::Idle && self.duty == Duty::None
    }

    pub fn is_logged_in(&self) -> bool {
        self.said != AgentState::Gone
    }

    pub fn activity(&self) -> Activity {
        match self.duty {
            Duty::Talking(_) => Activity::Talk,
            Duty::WrapUp(_) => Activity::WrapUp,
            Duty::None if self.is_free() => Activity::Available,
            _ => Activity::Other,
        }
    }
}

/// What became of an agent's change.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Changed {
    pub is_free: bool,
    /// The first or last of his class who is logged in came or went.
    pub staff: Option<ClassId>,
    /// A stretch of time that ended: what he did, and since when.
    pub ended: Option<(Activity, Time)>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Roster {
    members: Vec<Option<Member>>,
    vacant: Vec<AgentId>,
    by_name: FxHashMap<AgentName, AgentId>,
    pub classes: Classes,
    day: u32,
    day_began: Time,
}

impl Roster {
    pub fn id(&self, name: &str) -> Option<AgentId> {
        self.by_name.get(name).copied()
    }

    pub fn get(&self, id: AgentId) -> Option<&Member> {
        self.members.get(id.0 as usize)?.as_ref()
    }

    pub fn name(&self, id: AgentId) -> AgentName {
        self.get(id).map_or_else(|| AgentName::from(""), |member| member.agent.name.clone())
    }

    pub fn all(&self) -> impl Iterator<Item = (AgentId, &Member)> {
        self.members.iter().zip(0..).filter_map(|(member, at)| Some((AgentId(at), member.as_ref()?)))
    }

    /// A member who is new, unless there are [`AGENTS_MAX`].
    pub fn add(&mut self, agent: Agent, now: Time) -> Option<AgentId> {
        if self.by_name.len() >= AGENTS_MAX {
            return None;
        }
        let id = self.vacant.pop().unwrap_or(AgentId(self.members.len() as u32));
        let class = self.classes.join(&agent.skills);
        self.by_name.insert(agent.name.clone(), id);
        let (said, duty, day) = (AgentState::Gone, Duty::None, self.day);
        let member = Member {
            agent,
            class,
            said,
            duty,
            misses: 0,
            last_ended: None,
            is_removed: false,
            tally: Tally::default(),
            day,
            counted: now,
            since: now,
        };
        match self.members.get_mut(id.0 as usize) {
            Some(slot) => *slot = Some(member),
            None => self.members.push(Some(member)),
        }
        Some(id)
    }

    /// Forgets one who is gone and has nothing to do.
    pub fn remove(&mut self, id: AgentId) {
        if let Some(member) = self.members.get_mut(id.0 as usize).and_then(Option::take) {
            self.by_name.remove(&member.agent.name);
            self.classes.leave(member.class);
            self.vacant.push(id);
        }
    }

    /// The only way in which an agent changes: keeps classes and his day in step.
    pub fn change(&mut self, id: AgentId, now: Time, change: impl FnOnce(&mut Member)) -> Changed {
        let (day, day_began) = (self.day, self.day_began);
        let Some(member) = self.members.get_mut(id.0 as usize).and_then(Option::as_mut) else {
            return Changed::default();
        };
        let (was, was_in, was_in_class) = (member.activity(), member.is_logged_in(), member.class);
        member.catch_up(day, day_began, now);
        let began = member.since;
        change(member);
        let (is, is_in, class) = (member.activity(), member.is_logged_in(), member.class);
        let is_free = member.is_free();
        let mut changed = Changed { is_free, ..Changed::default() };
        if was != is {
            changed.ended = Some((was, began));
            member.since = now;
        }
        debug_assert_eq!(was_in_class, class, "a class is changed by `retrain`");
        self.classes.set_free(class, id, is_free);
        if was_in != is_in && self.classes.log_in(class, is_in) {
            changed.staff = Some(class);
        }
        changed
    }

    /// Other skills, place or weight.
    pub fn retrain(&mut self, id: AgentId, agent: Agent) -> Option<ClassId> {
        let class = self.classes.join(&agent.skills);
        let member = self.members.get_mut(id.0 as usize).and_then(Option::as_mut)?;
        let old = std::mem::replace(&mut member.class, class);
        (member.agent, member.is_removed) = (agent, false);
        let (is_free, is_in) = (member.is_free(), member.is_logged_in());
        if old != class {
            self.classes.set_free(old, id, false);
            self.classes.set_free(class, id, is_free);
            if is_in {
                self.classes.log_in(old, false);
                self.classes.log_in(class, true);
            }
        }
        self.classes.leave(old);
        Some(class)
    }

    /// All tallies begin anew.
    pub fn new_day(&mut self, began: Time) {
        self.day = self.day.wrapping_add(1);
        self.day_began = began;
    }

    /// His day up to now.
    pub fn tally(&self, id: AgentId, now: Time) -> Tally {
        let Some(member) = self.get(id) else { return Tally::default() };
        let mut tally = if member.day == self.day { member.tally } else { Tally::default() };
        tally.add(member.activity(), member.uncounted_ms(self.day, self.day_began, now));
        tally
    }

    pub fn count_call(&mut self, id: AgentId) {
        if let Some(member) = self.members.get_mut(id.0 as usize).and_then(Option::as_mut) {
            member.tally.calls += 1;
        }
    }
}

impl Member {
    /// Of what he does now, the time that the tally does not have. What runs over midnight counts from midnight on.
    fn uncounted_ms(&self, day: u32, day_began: Time, now: Time) -> u64 {
        let from = if self.day == day { self.counted } else { self.counted.max(day_began) };
        now.0.saturating_sub(from.0).max(0) as u64
    }

    fn catch_up(&mut self, day: u32, day_began: Time, now: Time) {
        let ms = self.uncounted_ms(day, day_began, now);
        if self.day != day {
            (self.day, self.tally) = (day, Tally::default());
        }
        self.tally.add(self.activity(), ms);
        self.counted = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrap_up_is_work_and_breaks_are_neither() {
        let mut tally = Tally::default();
        assert_eq!(tally.occupancy(), 0);
        for (activity, ms) in
            [(Activity::Talk, 2), (Activity::WrapUp, 1), (Activity::Available, 9), (Activity::Other, 1_000)]
        {
            tally.add(activity, ms);
        }
        assert_eq!(tally.occupancy(), 250_000);
    }
}
