//! Who is next: as long as somebody waits for whom an agent is free, the first of them is offered to one. It does not know
//! which of the agents that is.
//!
//! Of a queue, he is next who stands first in its order and for whom somebody is free; of the queues' firsts, he with
//! the highest priority, then he who came first. Nothing can change for a ticket and an agent that are both as they were
//! when they did not match, so only those are looked at of which one has changed.

use std::cmp::Reverse;

use crate::acd::Acd;
use crate::classes::ClassId;
use crate::input::TicketId;
use crate::questions::{Asked, Head, Standing};
use crate::ticket::State;
use crate::timers::Timer;

const MINUTE_MS: i64 = 60_000;

/// Tickets for which somebody is free: the first of each queue.
#[derive(Clone, Debug, Default)]
pub(crate) struct Firsts {
    found: Vec<Head>,
    /// By queue: the index among those found, if it was found in this round.
    by_queue: Vec<(u64, usize)>,
    round: u64,
}

impl Firsts {
    fn clear(&mut self) {
        self.found.clear();
        self.round += 1;
    }

    fn put(&mut self, head: &Head) {
        let queue = head.queue.0 as usize;
        if self.by_queue.len() <= queue {
            self.by_queue.resize(queue + 1, (0, 0));
        }
        let Some((round, at)) = self.by_queue.get_mut(queue) else { return };
        if *round != self.round {
            (*round, *at) = (self.round, self.found.len());
            self.found.push(*head);
        } else if let Some(own) = self.found.get_mut(*at).filter(|own| head.rank < own.rank) {
            *own = *head;
        }
    }

    /// Whose turn it is: of two queues of one ticket the one he was in first.
    fn next(&self) -> Option<&Head> {
        self.found.iter().min_by_key(|Head { rank, standing, .. }| {
            (Reverse(standing.priority), rank.entered, rank.ticket, standing.place)
        })
    }
}

impl Acd {
    pub(crate) fn match_all(&mut self) {
        let mut tickets = std::mem::take(&mut self.dirty_tickets);
        let mut classes = std::mem::take(&mut self.dirty_classes);
        let mut firsts = std::mem::take(&mut self.firsts);
        if self.questions.looks_at_clock() {
            classes.extend(self.roster.classes.with_free());
        }
        tickets.sort_unstable();
        tickets.dedup();
        classes.sort_unstable();
        classes.dedup();
        while self.roster.classes.anybody_free() {
            firsts.clear();
            self.by_agents(&mut classes, &mut firsts);
            self.by_tickets(&mut tickets, &mut firsts);
            let Some(next) = firsts.next() else { break };
            let (ticket, place) = (next.rank.ticket, next.standing.place as usize);
            for agent in self.choose(ticket, place) {
                self.offer(ticket, place, agent);
            }
        }
        // An offer makes nobody free, so that what was looked at need not be again.
        tickets.clear();
        classes.clear();
        (self.dirty_tickets, self.dirty_classes, self.firsts) = (tickets, classes, firsts);
        self.watch_clock();
    }

    /// Hours begin and end at full minutes.
    fn watch_clock(&mut self) {
        let minute_ms = MINUTE_MS - self.now.time.0.rem_euclid(MINUTE_MS);
        match self.questions.looks_at_clock() {
            true => self.timers.set(Timer::Clock, self.now.tick.plus_ms(minute_ms as u64)),
            false => self.timers.cancel(Timer::Clock),
        }
    }

    /// The first of each line that is open to these agents.
    fn by_agents(&mut self, classes: &mut Vec<ClassId>, firsts: &mut Firsts) {
        classes.retain(|class| self.roster.classes.get(*class).is_some_and(|class| !class.free.is_empty()));
        for class in classes {
            let (asked, mut world) = self.asking();
            asked.open_to(&mut world, *class, |head| firsts.put(head));
        }
    }

    /// Those of these tickets for whom anybody is free; the others are not looked at again.
    fn by_tickets(&mut self, tickets: &mut Vec<TicketId>, firsts: &mut Firsts) {
        tickets.retain(|id| {
            let Some(ticket) = self.tickets.get(id).filter(|ticket| matches!(ticket.state, State::Waiting)) else {
                return false;
            };
            let mut is_any = false;
            for (place, at) in ticket.places.iter().zip(0..) {
                let standing = Standing { priority: place.priority, place: at };
                let head = Head { queue: place.queue, rank: place.rank, standing };
                let classes = &mut self.roster.classes;
                let free = self.questions.free_for(place.needs, classes);
                let (programs, faults, now) = (&self.programs, &mut self.faults, self.now.time);
                let mut world = Asked { classes, programs, faults, now };
                if free.into_iter().any(|class| self.questions.answer(&mut world, place.needs, class)) {
                    firsts.put(&head);
                    is_any = true;
                }
            }
            is_any
        });
    }
}
