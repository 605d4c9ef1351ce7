//! An agent's part: he is rung, talks, writes up, and is free again. It does not know why it is he who is rung.

use runtime_contract::queue::AgentChoice;

use crate::acd::Acd;
use crate::agents::{AgentId, Duty, Member, WrapUp};
use crate::input::{Agent, AgentName, AgentState, OfferFailure, OfferNumber, TicketId};
use crate::log::{Ending, Handled};
use crate::output::{Offer, Output};
use crate::questions::Standing;
use crate::ticket::{State, ms_between};
use crate::timers::Timer;

/// Who did not take an offer gets none for so long, so that the next agent is asked.
pub const REST_MS: u64 = 10_000;
/// Offers in a row after which he who did not answer counts as away.
pub const MISSES_MAX: u32 = 3;

impl Acd {
    pub(crate) fn set_agent(&mut self, agent: Agent) {
        let Some(id) = self.roster.id(&agent.name) else {
            let _ = self.roster.add(agent, self.now.time);
            return;
        };
        if let Some(class) = self.roster.retrain(id, agent) {
            self.dirty_classes.push(class);
            self.staff_changed(None);
        }
    }

    pub(crate) fn remove_agent(&mut self, name: &str) {
        let Some(id) = self.roster.id(name) else { return };
        self.agent_says(name, AgentState::Gone);
        self.change_agent(id, |member| member.is_removed = true);
        self.forget_if_removed(id);
    }

    fn forget_if_removed(&mut self, id: AgentId) {
        let done = |member: &Member| member.is_removed && member.duty == Duty::None;
        if self.roster.get(id).is_some_and(done) {
            self.roster.remove(id);
        }
    }

    pub(crate) fn agent_says(&mut self, name: &str, state: AgentState) {
        let Some(id) = self.roster.id(name) else { return };
        let Some(member) = self.roster.get(id) else { return };
        match member.duty {
            Duty::Ringing(ticket, _) if state != AgentState::Idle => self.withdraw(id, ticket),
            Duty::WrapUp(_) if state == AgentState::Gone => self.wrapped_up(id, None),
            // Whatever he says, he is there.
            Duty::Resting => self.timers.cancel(Timer::Rest(id)),
            _ => {}
        }
        self.change_agent(id, |member| {
            member.said = state;
            if member.duty == Duty::Resting {
                member.duty = Duty::None;
            }
            member.misses = 0;
        });
    }

    /// Rings the agent for a ticket that waits, in one of its places.
    pub(crate) fn offer(&mut self, id: TicketId, at: usize, agent: AgentId) {
        let Some(ticket) = self.tickets.get_mut(&id) else { return };
        let Some(place) = ticket.places.get(at) else { return };
        let (queue, index, is_callback) = (place.queue, place.index, ticket.callback.is_some());
        ticket.offers.0 += 1;
        let n = ticket.offers;
        match &mut ticket.state {
            State::Offered(_, agents) => agents.push(agent),
            state => *state = State::Offered(at, [agent].into_iter().collect()),
        }
        for place in &ticket.places {
            self.questions.stand(place.needs, place.rank, None);
        }
        let name = self.roster.name(agent);
        let Some(line) = self.queues.get_mut(queue) else { return };
        line.last_offered = Some(name.clone());
        let ring_ms = line.rules.ring_ms;
        self.change_agent(agent, |member| member.duty = Duty::Ringing(id, n));
        self.timers.set(Timer::Ring(agent), self.now.tick.plus_ms(ring_ms));
        let offer = Offer { ticket: id, agent: name, n, queue: index, ring_ms };
        self.put(if is_callback { Output::CallbackDue(offer) } else { Output::Offer(offer) });
    }

    /// The agent who is rung for this ticket with this number.
    fn rung(&self, id: TicketId, name: &str, n: OfferNumber) -> Option<AgentId> {
        let agent = self.roster.id(name)?;
        (self.roster.get(agent)?.duty == Duty::Ringing(id, n)).then_some(agent)
    }

    pub(crate) fn offer_answered(&mut self, id: TicketId, name: &AgentName, n: OfferNumber) {
        let Some(agent) = self.rung(id, name, n) else {
            return self.put(Output::Withdraw { ticket: id, agent: name.clone(), n });
        };
        let now = self.now.time;
        let Some(&State::Offered(at, _)) = self.tickets.get(&id).map(|ticket| &ticket.state) else { return };
        self.stop_ringing(id, agent);
        self.withdraw_all(id);
        let Some(ticket) = self.tickets.get(&id) else { return };
        let Some(place) = ticket.places.get(at) else { return };
        let (queue, index, since) = (place.queue, place.index, place.since);
        let waited_ms = ms_between(ticket.entered, now);
        self.end_stays(id, at, Ending::Answered);
        self.unplace(id);
        if let Some(line) = self.queues.get_mut(queue) {
            line.users += 1;
            line.answered(since, now);
        }
        if let Some(ticket) = self.tickets.get_mut(&id) {
            ticket.state = State::Talking { place: at, agent, since: now };
        }
        self.change_agent(agent, |member| {
            member.duty = Duty::Talking(id);
            member.misses = 0;
        });
        self.put(Output::Join { ticket: id, agent: name.clone(), queue: index, waited_ms });
    }

    pub(crate) fn offer_failed(&mut self, id: TicketId, name: &str, n: OfferNumber, why: OfferFailure) {
        if let Some(agent) = self.rung(id, name, n) {
            self.not_taken(id, agent, why);
        }
    }

    pub(crate) fn ring_over(&mut self, agent: AgentId) {
        let Some(Duty::Ringing(id, n)) = self.roster.get(agent).map(|member| member.duty) else { return };
        let name = self.roster.name(agent);
        self.put(Output::Withdraw { ticket: id, agent: name, n });
        self.not_taken(id, agent, OfferFailure::NoAnswer);
    }

    /// He rests. Of those who are rung all at once nobody is blamed.
    fn not_taken(&mut self, id: TicketId, agent: AgentId, why: OfferFailure) {
        let line = self.tickets.get(&id).and_then(|ticket| match ticket.state {
            State::Offered(at, _) => self.queues.get(ticket.places.get(at)?.queue),
            _ => None,
        });
        let is_alone = line.is_some_and(|line| line.rules.choice != AgentChoice::AllAtOnce);
        let is_miss = is_alone && matches!(why, OfferFailure::NoAnswer | OfferFailure::Unreachable);
        self.stop_ringing(id, agent);
        let misses = self.roster.get(agent).map_or(0, |member| member.misses) + u32::from(is_miss);
        let is_away = misses >= MISSES_MAX;
        self.change_agent(agent, |member| match is_away {
            true => (member.duty, member.said, member.misses) = (Duty::None, AgentState::Away, 0),
            false => (member.duty, member.misses) = (Duty::Resting, misses),
        });
        match is_away {
            true => {
                let agent = self.roster.name(agent);
                self.put(Output::SetAway { agent });
            }
            false => self.timers.set(Timer::Rest(agent), self.now.tick.plus_ms(REST_MS)),
        }
        self.wait_on_if_alone(id);
    }

    pub(crate) fn rested(&mut self, agent: AgentId) {
        self.change_agent(agent, |member| member.duty = Duty::None);
    }

    /// His offer is no longer one of the ticket's.
    fn stop_ringing(&mut self, id: TicketId, agent: AgentId) {
        self.timers.cancel(Timer::Ring(agent));
        if let Some(State::Offered(_, agents)) = self.tickets.get_mut(&id).map(|ticket| &mut ticket.state) {
            agents.retain(|rung| *rung != agent);
        }
    }

    /// With its last offer gone, the ticket waits again.
    fn wait_on_if_alone(&mut self, id: TicketId) {
        let Some(ticket) = self.tickets.get_mut(&id) else { return };
        if !matches!(&ticket.state, State::Offered(_, agents) if agents.is_empty()) {
            return;
        }
        ticket.state = State::Waiting;
        for (place, at) in ticket.places.iter().zip(0..) {
            let standing = Standing { priority: place.priority, place: at };
            self.questions.stand(place.needs, place.rank, Some(standing));
        }
        self.dirty_tickets.push(id);
    }

    /// Takes an offer back, which is not the agent's fault.
    fn withdraw(&mut self, agent: AgentId, id: TicketId) {
        self.stop_ringing(id, agent);
        let Some(Duty::Ringing(_, n)) = self.roster.get(agent).map(|member| member.duty) else { return };
        let name = self.roster.name(agent);
        self.change_agent(agent, |member| member.duty = Duty::None);
        self.put(Output::Withdraw { ticket: id, agent: name, n });
        self.wait_on_if_alone(id);
    }

    /// Takes all offers of a ticket back, in the order in which they were made.
    pub(crate) fn withdraw_all(&mut self, id: TicketId) {
        let Some(State::Offered(_, agents)) = self.tickets.get(&id).map(|ticket| &ticket.state) else { return };
        for agent in agents.clone() {
            self.withdraw(agent, id);
        }
    }

    /// The conversation is over.
    pub(crate) fn ended(&mut self, id: TicketId) {
        let Some(ticket) = self.tickets.get(&id) else { return };
        let State::Talking { place, agent, since } = ticket.state else { return };
        let Some(place) = ticket.places.get(place) else { return };
        let (queue, stay, now) = (place.queue, place.stay, self.now);
        let (name, queue_name) = (self.roster.name(agent), self.queues.name(queue));
        let wrap_up_ms = self.queues.get(queue).map_or(0, |line| line.rules.wrap_up_ms);
        let until = now.tick.plus_ms(wrap_up_ms);
        let handled = Handled { agent: name.clone(), talk_ms: ms_between(since, now.time), wrap_up_ms: 0 };
        self.log.handled(&mut self.queues, queue, stay, handled);
        self.finish(id);
        self.put(Output::Served { ticket: id, queue: queue_name, agent: name.clone() });
        let wrap_up = WrapUp { ticket: id, queue, stay, since: now.time, until };
        self.change_agent(agent, |member| {
            member.duty = Duty::WrapUp(wrap_up);
            member.last_ended = Some(now.time);
        });
        self.roster.count_call(agent);
        let is_gone = self.roster.get(agent).is_some_and(|member| !member.is_logged_in());
        if wrap_up_ms == 0 || is_gone {
            return self.wrapped_up(agent, None);
        }
        self.timers.set(Timer::WrapUp(agent), until);
        self.put(Output::WrapUp { agent: name, ticket: id, until });
    }

    pub(crate) fn wrap_up_done(&mut self, name: &str, result: Option<u32>) {
        if let Some(agent) = self.roster.id(name) {
            self.wrapped_up(agent, result);
        }
    }

    pub(crate) fn wrapped_up(&mut self, agent: AgentId, result: Option<u32>) {
        let Some(Duty::WrapUp(wrap_up)) = self.roster.get(agent).map(|member| member.duty) else { return };
        self.timers.cancel(Timer::WrapUp(agent));
        let WrapUp { ticket, queue, stay, since, .. } = wrap_up;
        self.log.wrapped_up(&mut self.queues, queue, stay, ms_between(since, self.now.time));
        if let Some(line) = self.queues.get_mut(queue) {
            line.users = line.users.saturating_sub(1);
        }
        self.change_agent(agent, |member| member.duty = Duty::None);
        let name = self.roster.name(agent);
        self.put(Output::WrappedUp { agent: name, ticket, result });
        self.forget_if_removed(agent);
    }
}
