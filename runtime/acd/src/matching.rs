//! Who is next: as long as somebody waits for whom an agent is free, the first of them is offered to one. It does not know
//! which of the agents that is.
//!
//! Of a queue, he is next who stands first in its order and for whom somebody is free; of the queues' firsts, he with
//! the highest priority, then he who came first. Nothing can change for a ticket and an agent that are both as they were
//! when they did not match, so only those are looked at of which one has changed.

use std::cmp::Reverse;

use runtime_contract::Time;

use crate::acd::Acd;
use crate::classes::ClassId;
use crate::input::TicketId;
use crate::questions::QuestionId;
use crate::queues::{QueueId, Rank};
use crate::ticket::State;

/// A ticket for which somebody is free, in one of its places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    queue: QueueId,
    rank: Rank,
    turn: Turn,
}

/// Among the firsts of all queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    priority: Reverse<i64>,
    entered: Time,
    ticket: TicketId,
    /// Index of the place: of two queues his own.
    place: usize,
}

impl Acd {
    pub(crate) fn match_all(&mut self) {
        let mut tickets = std::mem::take(&mut self.dirty_tickets);
        let mut classes = std::mem::take(&mut self.dirty_classes);
        tickets.sort_unstable();
        tickets.dedup();
        classes.sort_unstable();
        classes.dedup();
        let mut found = Vec::new();
        while self.roster.classes.anybody_free() {
            found.clear();
            self.by_agents(&mut classes, &mut found);
            self.by_tickets(&mut tickets, &mut found);
            let Some(next) = first(&mut found) else { break };
            for agent in self.choose(next.ticket, next.place) {
                self.offer(next.ticket, next.place, agent);
            }
        }
        // An offer makes nobody free.
        self.dirty_tickets.clear();
        self.dirty_classes.clear();
    }

    /// The first of each line that is open to these agents.
    fn by_agents(&mut self, classes: &mut Vec<ClassId>, found: &mut Vec<Candidate>) {
        classes.retain(|class| self.roster.classes.get(*class).is_some_and(|class| !class.free.is_empty()));
        let mut questions: Vec<QuestionId> = Vec::new();
        for class in classes {
            let (asked, mut world) = self.asking();
            asked.open_to(&mut world, *class, &mut questions);
        }
        for id in questions {
            let Some(question) = self.questions.get(id) else { continue };
            let Some(rank) = question.line.first() else { continue };
            let places = self.tickets.get(&rank.ticket).map_or(&[][..], |ticket| &ticket.places);
            let place = places.iter().zip(0..).find(|(place, _)| place.queue == question.place);
            let Some((place, at)) = place else { continue };
            found.push(candidate(question.place, *rank, place.priority, at));
        }
    }

    /// Those of these tickets for whom anybody is free; the others are not looked at again.
    fn by_tickets(&mut self, tickets: &mut Vec<TicketId>, found: &mut Vec<Candidate>) {
        tickets.retain(|id| {
            let before = found.len();
            let Some(ticket) = self.tickets.get(id).filter(|ticket| matches!(ticket.state, State::Waiting)) else {
                return false;
            };
            let places: Vec<(QuestionId, Candidate)> = (ticket.places.iter().zip(0..))
                .map(|(place, at)| (place.needs, candidate(place.queue, place.rank, place.priority, at)))
                .collect();
            found.extend(places.into_iter().filter(|(needs, _)| self.is_anybody_free(*needs)).map(|(_, found)| found));
            found.len() > before
        });
    }

    fn is_anybody_free(&mut self, needs: QuestionId) -> bool {
        let free: Vec<ClassId> = self.roster.classes.with_free().collect();
        let (asked, mut world) = self.asking();
        free.into_iter().any(|class| asked.answer(&mut world, needs, class))
    }
}

fn candidate(queue: QueueId, rank: Rank, priority: i64, place: usize) -> Candidate {
    let turn = Turn { priority: Reverse(priority), entered: rank.entered, ticket: rank.ticket, place };
    Candidate { queue, rank, turn }
}

/// The first of each queue, and of these the one whose turn it is.
fn first(found: &mut Vec<Candidate>) -> Option<Turn> {
    found.sort_unstable();
    found.dedup_by_key(|candidate| candidate.queue);
    found.iter().map(|candidate| candidate.turn).min()
}
