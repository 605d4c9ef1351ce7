//! What can be seen of the queues from outside, and what follows when the rules change.

use runtime_contract::pure::Facts;
use runtime_contract::{ProgramMeta, Time};

use crate::acd::Acd;
use crate::agents::{Duty, Tally};
use crate::input::{AgentName, AgentState, TicketId};

/// An agent as a console shows him.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentView {
    pub name: AgentName,
    pub said: AgentState,
    pub doing: Doing,
    /// Since when.
    pub since: Time,
    pub today: Tally,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// What he said of himself holds.
    Nothing,
    Ringing(TicketId),
    /// He did not take an offer, and is not asked for a moment.
    Resting,
    Talking(TicketId),
    WrapUp(TicketId),
}

impl Acd {
    /// By name.
    pub fn agents(&self, now: Time) -> impl Iterator<Item = AgentView> {
        let mut agents: Vec<_> = self.roster.all().collect();
        agents.sort_by_key(|(_, member)| &member.agent.name);
        agents.into_iter().map(move |(id, member)| AgentView {
            name: member.agent.name.clone(),
            said: member.said,
            doing: match member.duty {
                Duty::None => Doing::Nothing,
                Duty::Ringing(ticket, _) => Doing::Ringing(ticket),
                Duty::Resting => Doing::Resting,
                Duty::Talking(ticket) => Doing::Talking(ticket),
                Duty::WrapUp(wrap_up) => Doing::WrapUp(wrap_up.ticket),
            },
            since: member.since,
            today: self.roster.tally(id, now),
        })
    }

    /// Those who wait in a queue, callbacks among them, in its order.
    pub fn waiting(&self, queue: &str) -> impl Iterator<Item = TicketId> {
        let line = self.queues.id(queue).and_then(|id| self.queues.get(id));
        line.into_iter().flat_map(|line| &line.waiting).map(|rank| rank.ticket)
    }

    /// What a ticket is known by in a queue of its program, by index: for `whisper` and `every`, which run with them.
    pub fn facts(&self, ticket: TicketId, queue: u32) -> Option<&Facts> {
        self.tickets.get(&ticket)?.places.iter().find(|place| place.index == queue).map(|place| &place.facts)
    }

    /// As the queue that he entered orders its callers.
    pub fn priority(&self, ticket: TicketId) -> Option<i64> {
        self.tickets.get(&ticket)?.places.first().map(|place| place.priority)
    }

    /// The stable version's; everybody who waits finds his place anew.
    pub(crate) fn new_rules(&mut self, meta: &ProgramMeta) {
        self.queues.set_rules(meta);
        for (id, ticket) in &mut self.tickets {
            for place in &mut ticket.places {
                let Some(line) = self.queues.get_mut(place.queue) else { continue };
                let rank = line.rules.rank(*id, ticket.entered, place.priority);
                if rank == place.rank || !line.waiting.remove(&place.rank) {
                    continue;
                }
                line.waiting.insert(rank);
                let standing = self.questions.get(place.needs).and_then(|asked| asked.line.get(&place.rank)).copied();
                self.questions.stand(place.needs, place.rank, None);
                self.questions.stand(place.needs, rank, standing);
                place.rank = rank;
            }
        }
    }
}
