//! What must hold for the queues whatever happens (contract, run-time invariants 2, 8 and 12): watches inputs and outputs
//! from outside, and looks whether the tables inside agree. The first thing that is wrong comes back as a sentence.

use std::collections::{BTreeMap, BTreeSet};

use runtime_contract::Now;

use crate::acd::Acd;
use crate::agents::Duty;
use crate::input::{AgentName, Input, OfferNumber, TicketId};
use crate::output::{Offer, Output};
use crate::queues::Rank;
use crate::ticket::State;
use crate::timers::Timer;
use runtime_contract::queue::WINDOW_MS_MAX;

type Verdict = Result<(), String>;

/// Watches one [`Acd`].
#[derive(Clone, Debug, Default)]
pub struct Checker {
    now: Now,
    tickets: BTreeMap<TicketId, Seen>,
    /// Offers that are open, by agent.
    rung: BTreeMap<AgentName, (TicketId, OfferNumber)>,
    talking: BTreeMap<AgentName, TicketId>,
}

#[derive(Clone, Debug, Default)]
struct Seen {
    offers: u32,
    is_answered: bool,
}

impl Checker {
    pub fn input(&mut self, now: Now, input: &Input) -> Verdict {
        require(now.tick >= self.now.tick && now.time >= self.now.time, "time went back")?;
        self.now = now;
        match input {
            Input::Enter(enter) => {
                self.tickets.entry(enter.ticket).or_default();
            }
            Input::OfferFailed { ticket, agent, n, .. } if self.rung.get(agent) == Some(&(*ticket, *n)) => {
                self.rung.remove(agent);
            }
            Input::Leave { ticket, .. } if self.tickets.get(ticket).is_some_and(|seen| !seen.is_answered) => {
                self.tickets.remove(ticket);
            }
            _ => {}
        }
        Ok(())
    }

    pub fn output(&mut self, output: &Output) -> Verdict {
        match output {
            Output::Offer(offer) | Output::CallbackDue(offer) => self.offer(offer),
            Output::Withdraw { ticket, agent, n } => {
                if self.rung.get(agent) == Some(&(*ticket, *n)) {
                    self.rung.remove(agent);
                }
                Ok(())
            }
            Output::Join { ticket, agent, .. } => {
                let offer = self.rung.remove(agent).map(|(rung, _)| rung);
                require(offer == Some(*ticket), "joined with an agent who was not rung for him")?;
                require(!self.rung.values().any(|(rung, _)| rung == ticket), "joined while others are rung")?;
                let seen = self.tickets.get_mut(ticket).ok_or("joined a ticket that is over")?;
                require(!std::mem::replace(&mut seen.is_answered, true), "two agents answered one ticket")?;
                require(self.talking.insert(agent.clone(), *ticket).is_none(), "an agent in two conversations")
            }
            Output::Served { ticket, agent, .. } => {
                require(self.talking.get(agent) == Some(ticket), "served without a conversation")?;
                require(self.tickets.remove(ticket).is_some(), "served twice")
            }
            Output::WrappedUp { ticket, agent, .. } => {
                require(self.talking.remove(agent) == Some(*ticket), "wrapped up what nobody talked of")
            }
            Output::Over { ticket, .. } => {
                require(!self.rung.values().any(|(rung, _)| rung == ticket), "over while somebody is rung")?;
                require(self.tickets.remove(ticket).is_some_and(|seen| !seen.is_answered), "over twice")
            }
            Output::Comfort { ticket, .. } => {
                require(self.tickets.get(ticket).is_some_and(|seen| !seen.is_answered), "comfort for nobody")?;
                require(!self.rung.values().any(|(rung, _)| rung == ticket), "comfort while somebody is rung")
            }
            Output::WrapUp { agent, .. } => require(self.talking.contains_key(agent), "wrap-up without a talk"),
            Output::SetAway { .. } | Output::Missed { .. } | Output::ClauseFault { .. } => Ok(()),
        }
    }

    /// To be called when the outputs of an input are drained.
    pub fn drained(&self, acd: &mut Acd) -> Verdict {
        acd.audit()
    }

    fn offer(&mut self, offer: &Offer) -> Verdict {
        let before = self.rung.insert(offer.agent.clone(), (offer.ticket, offer.n));
        require(before.is_none(), "an agent with two offers")?;
        require(!self.talking.contains_key(&offer.agent), "an offer to an agent who is not done")?;
        let seen = self.tickets.get_mut(&offer.ticket).ok_or("an offer of a ticket that is over")?;
        require(!seen.is_answered, "an offer of a ticket that is answered")?;
        seen.offers += 1;
        require(offer.n.0 == seen.offers, "offers are not counted one by one")
    }
}

impl Acd {
    /// Whether the tables agree, nobody waits for whom somebody is free, and each timer has its reason.
    pub fn audit(&mut self) -> Verdict {
        require(self.outputs.is_empty(), "outputs were not drained")?;
        self.audit_lines()?;
        self.audit_agents()?;
        self.audit_timers()?;
        self.audit_idleness()?;
        let queues: Vec<_> = self.queues.all().map(|(_, line)| line.name.clone()).collect();
        for queue in queues {
            let figures = self.figures(self.now.time, &queue, WINDOW_MS_MAX).unwrap_or_default();
            let ended = figures.answered + figures.abandoned + figures.overflowed + figures.called_back + figures.left;
            require(figures.offered == ended + figures.waiting, "somebody was lost from the figures")?;
        }
        Ok(())
    }

    fn audit_lines(&self) -> Verdict {
        let mut places: BTreeMap<_, BTreeSet<Rank>> = BTreeMap::new();
        let mut standing = BTreeSet::new();
        for ticket in self.tickets.values().filter(|ticket| !matches!(ticket.state, State::Talking { .. })) {
            for (place, at) in ticket.places.iter().zip(0..) {
                places.entry(place.queue).or_default().insert(place.rank);
                if matches!(ticket.state, State::Waiting) {
                    standing.insert((place.needs, place.rank, place.priority, at));
                }
            }
        }
        for (id, line) in self.queues.all() {
            require(places.remove(&id).unwrap_or_default() == line.waiting, "a line with others than its tickets")?;
            let is_caller =
                |rank: &&Rank| self.tickets.get(&rank.ticket).is_some_and(|ticket| ticket.callback.is_none());
            let callers = line.waiting.iter().filter(is_caller).count();
            require(callers == line.callers as usize, "callers on the line are counted wrong")?;
        }
        require(places.is_empty(), "a ticket in a line that is none")?;
        let asked = self.questions.all().flat_map(|(id, asked)| {
            asked.line.iter().map(move |(rank, standing)| (id, *rank, standing.priority, standing.place))
        });
        require(asked.eq(standing), "a question with others than its tickets")
    }

    fn audit_agents(&self) -> Verdict {
        for (id, member) in self.roster.all() {
            let class = self.roster.classes.get(member.class).ok_or("an agent without a class")?;
            require(class.free.contains(&id) == member.is_free(), "free by his class and not himself, or the reverse")?;
            let fits = match member.duty {
                Duty::Ringing(ticket, _) => self
                    .tickets
                    .get(&ticket)
                    .is_some_and(|ticket| matches!(&ticket.state, State::Offered(_, agents) if agents.contains(&id))),
                Duty::Talking(ticket) => self
                    .tickets
                    .get(&ticket)
                    .is_some_and(|ticket| matches!(ticket.state, State::Talking { agent, .. } if agent == id)),
                _ => true,
            };
            require(fits, "an agent and his ticket disagree")?;
        }
        let free: usize = self.roster.classes.all().map(|class| class.free.len()).sum();
        let logged_in: u32 = self.roster.classes.all().map(|class| class.logged_in).sum();
        let members = || self.roster.all().map(|(_, member)| member);
        require(free == members().filter(|member| member.is_free()).count(), "a free agent who is none")?;
        require(logged_in as usize == members().filter(|member| member.is_logged_in()).count(), "staff counted wrong")
    }

    fn audit_timers(&self) -> Verdict {
        for (_, timer) in self.timers.all() {
            let has_reason = match timer {
                Timer::Ring(agent) => self.does(agent, |duty| matches!(duty, Duty::Ringing(..))),
                Timer::Rest(agent) => self.does(agent, |duty| duty == Duty::Resting),
                Timer::WrapUp(agent) => self.does(agent, |duty| matches!(duty, Duty::WrapUp(_))),
                Timer::Relax(ticket) | Timer::Overflow(ticket) => self.waits(ticket),
                Timer::Timeout(id) | Timer::Comfort(id) | Timer::Unstaffed(id) => {
                    self.waits(id) && self.tickets.get(&id).is_some_and(|ticket| ticket.callback.is_none())
                }
                Timer::Clock => self.questions.looks_at_clock(),
                Timer::CallbackAge(id) => {
                    self.waits(id) && self.tickets.get(&id).is_some_and(|ticket| ticket.callback.is_some())
                }
            };
            require(has_reason, "a timer without a reason")?;
        }
        let members = || self.roster.all();
        let is_timed = members().all(|(id, member)| match member.duty {
            Duty::Ringing(..) => self.timers.is_set(Timer::Ring(id)),
            Duty::Resting => self.timers.is_set(Timer::Rest(id)),
            Duty::WrapUp(_) => self.timers.is_set(Timer::WrapUp(id)),
            Duty::None | Duty::Talking(_) => true,
        });
        require(is_timed, "an agent who never gets free by himself")
    }

    fn does(&self, agent: crate::agents::AgentId, what: impl Fn(Duty) -> bool) -> bool {
        self.roster.get(agent).is_some_and(|member| what(member.duty))
    }

    /// Nobody waits while an agent who is meant is free.
    fn audit_idleness(&mut self) -> Verdict {
        let free: Vec<_> = self.roster.classes.with_free().collect();
        let asked: Vec<_> =
            self.questions.all().filter(|(_, asked)| !asked.line.is_empty()).map(|(id, _)| id).collect();
        for question in asked {
            for class in &free {
                let (questions, mut world) = self.asking();
                require(
                    !questions.answer(&mut world, question, *class),
                    "a caller waits and an agent who may is free",
                )?;
            }
        }
        Ok(())
    }
}

fn require(holds: bool, what: &str) -> Verdict {
    if holds { Ok(()) } else { Err(what.to_owned()) }
}
