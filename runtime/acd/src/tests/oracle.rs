//! Who is next and which agent, found by looking at everybody each time: a second, plain reading of the rules, which the
//! random tests lay beside the first. It keeps its own account out of inputs and outputs.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use runtime_contract::queue::{AgentChoice, OrderKey};

use crate::{ALL_AT_ONCE_MAX, AgentState, Output, REST_MS};

/// What the program of the random tests says, in numbers. Parameters of its queues: level, priority.
#[derive(Clone)]
pub struct Plan {
    pub queues: Vec<QueuePlan>,
}

#[derive(Clone)]
pub struct QueuePlan {
    pub order: Vec<OrderKey>,
    pub choice: AgentChoice,
    pub ring_ms: u64,
    /// From 0 on `technical` of the caller's level, then `technical` of 1, then anybody.
    pub relax_ms: [u64; 2],
    /// To the next queue.
    pub overflow_ms: Option<u64>,
}

/// Words of the caller in the next queue.
pub fn overflowed(words: [i64; 2]) -> [i64; 2] {
    [(words[0] + 1) % 4, words[1] + 1]
}

/// Callers of odd priority like it.
pub fn prefers_mandarin(words: [i64; 2]) -> bool {
    words[1] % 2 == 1
}

pub const SAME_AGENT_MS: u64 = 3_600_000;

#[derive(Clone, Debug, PartialEq)]
pub enum Doing {
    Nothing,
    Ringing { ticket: u64, n: u32, since: u64 },
    Resting { until: u64 },
    Talking,
    WrapUp,
}

#[derive(Clone, Debug)]
pub struct Agent {
    pub technical: i64,
    pub mandarin: i64,
    pub place: u32,
    pub weight: u32,
    pub said: AgentState,
    pub doing: Doing,
    last_ended: Option<u64>,
    calls: u64,
    talk_ms: u64,
    wrap_up_ms: u64,
    available_ms: u64,
}

#[derive(Clone, Debug)]
pub struct Ticket {
    pub entered: u64,
    /// Queue, since when, with which words.
    pub places: Vec<(usize, u64, [i64; 2])>,
    pub is_answered: bool,
    pub is_callback: bool,
    pub last_agent: Option<(String, u64)>,
}

pub struct Oracle {
    pub plan: Plan,
    pub agents: BTreeMap<String, Agent>,
    pub tickets: BTreeMap<u64, Ticket>,
    last_offered: BTreeMap<usize, String>,
    now: u64,
    /// Agents who are still to be rung for the same ticket.
    due: Vec<(u64, String)>,
}

impl Oracle {
    pub fn new(plan: Plan) -> Oracle {
        let (agents, tickets) = (BTreeMap::new(), BTreeMap::new());
        Oracle { plan, agents, tickets, last_offered: BTreeMap::new(), now: 0, due: Vec::new() }
    }

    pub fn agent(&mut self, name: &str, technical: i64, mandarin: i64, place: u32, weight: u32) {
        let new = Agent {
            technical,
            mandarin,
            place,
            weight,
            said: AgentState::Gone,
            doing: Doing::Nothing,
            last_ended: None,
            calls: 0,
            talk_ms: 0,
            wrap_up_ms: 0,
            available_ms: 0,
        };
        let own = self.agents.entry(name.to_owned()).or_insert(new);
        (own.technical, own.mandarin, own.place, own.weight) = (technical, mandarin, place, weight);
    }

    pub fn says(&mut self, name: &str, state: AgentState) {
        if let Some(agent) = self.agents.get_mut(name) {
            agent.said = state;
            if matches!(agent.doing, Doing::Resting { .. }) {
                agent.doing = Doing::Nothing;
            }
        }
    }

    /// Offers that are open: ticket, agent, number.
    pub fn rung(&self) -> Vec<(u64, String, u32)> {
        let rung = |(name, agent): (&String, &Agent)| match agent.doing {
            Doing::Ringing { ticket, n, .. } => Some((ticket, name.clone(), n)),
            _ => None,
        };
        self.agents.iter().filter_map(rung).collect()
    }

    pub fn failed(&mut self, name: &str) {
        let until = self.now + REST_MS;
        self.agents.get_mut(name).unwrap().doing = Doing::Resting { until };
    }

    /// Time goes by, in which nothing happens but at its end.
    pub fn advance(&mut self, now: u64) {
        let ms = now - std::mem::replace(&mut self.now, now);
        for agent in self.agents.values_mut() {
            match agent.doing {
                Doing::Talking => agent.talk_ms += ms,
                Doing::WrapUp => agent.wrap_up_ms += ms,
                Doing::Nothing if agent.said == AgentState::Idle => agent.available_ms += ms,
                Doing::Resting { until } if until <= now => agent.doing = Doing::Nothing,
                _ => {}
            }
        }
        for ticket in self.tickets.values_mut().filter(|ticket| !ticket.is_answered) {
            while let Some((queue, since, words)) = ticket.places.last().copied()
                && let Some(after) = self.plan.queues[queue].overflow_ms.filter(|after| since + after <= now)
            {
                ticket.places.push((queue + 1, since + after, overflowed(words)));
            }
        }
    }

    /// `judge`: an offer must be the one that this finds.
    pub fn output(&mut self, output: &Output, judge: bool) -> Result<(), String> {
        match output {
            Output::Offer(offer) | Output::CallbackDue(offer) => {
                let is_callback = matches!(output, Output::CallbackDue(_));
                let offered = (offer.ticket.0, offer.agent.to_string());
                if judge {
                    self.judge(&offered, offer.queue as usize)?;
                    assert_eq!(self.tickets[&offered.0].is_callback, is_callback);
                }
                self.last_offered.insert(offer.queue as usize, offered.1.clone());
                let doing = Doing::Ringing { ticket: offered.0, n: offer.n.0, since: self.now };
                self.agents.get_mut(&offered.1).unwrap().doing = doing;
            }
            Output::Withdraw { ticket, agent, n } => {
                let (now, plan) = (self.now, &self.plan);
                let ring_ms = plan.queues.iter().map(|queue| queue.ring_ms).max().unwrap();
                let agent = self.agents.get_mut(&**agent).unwrap();
                if let Doing::Ringing { ticket: own, n: own_n, since } = agent.doing
                    && (own, own_n) == (ticket.0, n.0)
                {
                    let timed_out = since + ring_ms == now;
                    agent.doing = if timed_out { Doing::Resting { until: now + REST_MS } } else { Doing::Nothing };
                }
            }
            Output::Join { ticket, agent, .. } => {
                self.agents.get_mut(&**agent).unwrap().doing = Doing::Talking;
                self.tickets.get_mut(&ticket.0).unwrap().is_answered = true;
            }
            Output::Served { ticket, agent, .. } => {
                self.tickets.remove(&ticket.0);
                let agent = self.agents.get_mut(&**agent).unwrap();
                (agent.doing, agent.last_ended, agent.calls) = (Doing::WrapUp, Some(self.now), agent.calls + 1);
            }
            Output::WrappedUp { agent, .. } => self.agents.get_mut(&**agent).unwrap().doing = Doing::Nothing,
            Output::SetAway { agent } => {
                let agent = self.agents.get_mut(&**agent).unwrap();
                (agent.doing, agent.said) = (Doing::Nothing, AgentState::Away);
            }
            Output::Over { ticket, .. } => {
                self.tickets.remove(&ticket.0);
            }
            _ => {}
        }
        Ok(())
    }

    /// Nobody is left who should have been offered to somebody.
    pub fn drained(&mut self) -> Result<(), String> {
        if !self.due.is_empty() {
            return Err(format!("{:?} were not rung", self.due));
        }
        match self.next() {
            Some((ticket, place)) => Err(format!("{ticket} waits in place {place} while somebody is free")),
            None => Ok(()),
        }
    }

    fn judge(&mut self, offered: &(u64, String), queue: usize) -> Result<(), String> {
        if self.due.is_empty() {
            let (ticket, place) = self.next().ok_or_else(|| format!("nobody is next, but {offered:?}"))?;
            if (ticket, self.tickets[&ticket].places[place].0) != (offered.0, queue) {
                return Err(format!("{ticket} is next in place {place}, not {offered:?} in queue {queue}"));
            }
            let agents = self.who(ticket, place);
            self.due = match self.plan.queues[queue].choice {
                AgentChoice::AllAtOnce => agents,
                AgentChoice::Random | AgentChoice::WeightedRandom => {
                    agents.into_iter().filter(|agent| *agent == offered.1).collect()
                }
                _ => agents.into_iter().take(1).collect(),
            }
            .into_iter()
            .take(ALL_AT_ONCE_MAX)
            .map(|agent| (ticket, agent))
            .collect();
        }
        match self.due.is_empty() || self.due.remove(0) != *offered {
            true => Err(format!("{offered:?} was not to be rung")),
            false => Ok(()),
        }
    }

    fn fits(&self, agent: &Agent, (queue, since, words): (usize, u64, [i64; 2])) -> bool {
        let age = self.now - since;
        let [first, second] = self.plan.queues[queue].relax_ms;
        match (age >= first, age >= second) {
            (_, true) => true,
            (true, false) => agent.technical >= 1,
            (false, false) => agent.technical >= 1 && agent.technical >= words[0],
        }
    }

    fn free(&self) -> impl Iterator<Item = (&String, &Agent)> {
        self.agents.iter().filter(|(_, agent)| agent.said == AgentState::Idle && agent.doing == Doing::Nothing)
    }

    fn is_rung(&self, ticket: u64) -> bool {
        self.agents.values().any(|agent| matches!(agent.doing, Doing::Ringing { ticket: own, .. } if own == ticket))
    }

    /// Ticket, and index of its place.
    fn next(&self) -> Option<(u64, usize)> {
        let mut firsts: BTreeMap<usize, (Vec<i64>, u64, u64, usize)> = BTreeMap::new();
        for (id, ticket) in &self.tickets {
            if ticket.is_answered || self.is_rung(*id) {
                continue;
            }
            for (place, at) in ticket.places.iter().zip(0..) {
                if !self.free().any(|(_, agent)| self.fits(agent, *place)) {
                    continue;
                }
                let keys = self.plan.queues[place.0].order.iter().map(|key| match key {
                    OrderKey::Waiting => ticket.entered as i64,
                    OrderKey::Priority { worth_ms: None } => -place.2[1],
                    OrderKey::Priority { worth_ms: Some(worth) } => ticket.entered as i64 - place.2[1] * *worth as i64,
                });
                let rank = (keys.collect(), ticket.entered, *id, at);
                let first = firsts.entry(place.0).or_insert_with(|| rank.clone());
                *first = rank.min(first.clone());
            }
        }
        let turn = |(_, entered, id, at): &(Vec<i64>, u64, u64, usize)| {
            (Reverse(self.tickets[id].places[*at].2[1]), *entered, *id, *at)
        };
        firsts.values().map(turn).min().map(|(_, _, id, at)| (id, at))
    }

    /// Agents for the ticket in this place, the best first; of random choices all who may be drawn.
    fn who(&self, id: u64, at: usize) -> Vec<String> {
        let ticket = &self.tickets[&id];
        let place = ticket.places[at];
        let preferred = |name: &String, agent: &Agent| {
            let last = ticket.last_agent.as_ref();
            let same = last.is_some_and(|(own, ended)| own == name && ticket.entered - ended <= SAME_AGENT_MS);
            (prefers_mandarin(place.2) && agent.mandarin >= 1, same)
        };
        let fitting: Vec<_> = self.free().filter(|(_, agent)| self.fits(agent, place)).collect();
        let best = fitting.iter().map(|(name, agent)| preferred(name, agent)).max();
        let mut best: Vec<_> =
            fitting.into_iter().filter(|(name, agent)| Some(preferred(name, agent)) == best).collect();
        let choice = self.plan.queues[place.0].choice;
        if choice == AgentChoice::WeightedRandom && best.iter().any(|(_, agent)| agent.weight > 0) {
            best.retain(|(_, agent)| agent.weight > 0);
        }
        let score = |name: &String, agent: &Agent| -> i64 {
            let handling = agent.talk_ms + agent.wrap_up_ms;
            match choice {
                AgentChoice::LongestIdle | AgentChoice::AllAtOnce => agent.last_ended.map_or(-1, |at| at as i64),
                AgentChoice::LeastBusy if handling == 0 => 0,
                AgentChoice::LeastBusy => (handling * 1_000_000 / (handling + agent.available_ms)) as i64,
                AgentChoice::FewestCalls => agent.calls as i64,
                AgentChoice::LeastTalk => agent.talk_ms as i64,
                AgentChoice::BestSkilled => -agent.technical,
                AgentChoice::LeastSkilled => agent.technical,
                AgentChoice::RoundRobin => self.last_offered.get(&place.0).is_some_and(|last| name <= last).into(),
                AgentChoice::TopDown => agent.place.into(),
                AgentChoice::Random | AgentChoice::WeightedRandom => 0,
            }
        };
        best.sort_by_key(|(name, agent)| (score(name, agent), (*name).clone()));
        best.into_iter().map(|(name, _)| name.clone()).collect()
    }
}
