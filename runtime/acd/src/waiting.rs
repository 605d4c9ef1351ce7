//! A caller's wait: he enters, is meant for more agents and more queues as time goes by, and leaves unserved. It does not
//! know who serves him.

use runtime_contract::Time;
use runtime_contract::calendar;
use runtime_contract::limits::{OVERFLOW_HOPS_MAX, TICKETS_MAX};
use runtime_contract::program::FlowProgram;
use runtime_contract::pure::Facts;
use runtime_contract::queue::{Overflow, Queue};
use smallvec::SmallVec;

use crate::CALLBACK_AGE_MS_MAX;
use crate::acd::Acd;
use crate::input::{Enter, LeaveWhy, OfferNumber, TicketId};
use crate::log::Ending;
use crate::output::{Missed, Output, Over};
use crate::questions::{Asker, Caches, Clause, Standing};
use crate::queues::QueueId;
use crate::ticket::{Place, State, Ticket, ms_between, tick_after};
use crate::timers::Timer;

/// Comfort comes no more often, whatever a program says.
const COMFORT_MS_MIN: u64 = 1_000;

impl Acd {
    pub(crate) fn enter(&mut self, enter: Enter) {
        let id = enter.ticket;
        if self.tickets.contains_key(&id) {
            return;
        }
        let meta = enter.program.meta();
        let Some(table) = meta.queues.get(enter.queue as usize) else {
            return self.put(Output::Over { ticket: id, why: Over::Closed });
        };
        let queue = self.queues.of(meta, table);
        let refused = if enter.entered.is_some() { None } else { self.refuses(queue) };
        let refused = if self.tickets.len() >= TICKETS_MAX { Some(Over::Full) } else { refused };
        if let Some(why) = refused {
            return self.put(Output::Over { ticket: id, why });
        }
        let entered = enter.entered.unwrap_or(self.now.time).min(self.now.time);
        let ticket = Ticket {
            program: self.programs.enter(&enter.program),
            entered,
            last_agent: enter.last_agent,
            callback: None,
            places: SmallVec::new(),
            state: State::Waiting,
            offers: OfferNumber(0),
            settled: self.now.tick,
        };
        self.tickets.insert(id, Box::new(ticket));
        self.join(id, &*enter.program, enter.queue, enter.facts, entered);
        if let Some(timeout_ms) = table.timeout_ms {
            self.timers.set(Timer::Timeout(id), tick_after(self.now, entered, timeout_ms));
        }
        if let Some(comfort) = table.comfort {
            self.timers.set(Timer::Comfort(id), self.now.tick.plus_ms(comfort.every_ms.max(COMFORT_MS_MIN)));
        }
        if let Some(promised) = enter.callback {
            self.promise(id, promised);
        }
    }

    /// What is asked at the door, by the rules of the stable version.
    fn refuses(&self, queue: QueueId) -> Option<Over> {
        let line = self.queues.get(queue)?;
        if self.is_closed(queue) {
            return Some(Over::Closed);
        }
        let is_full = line.is_full || line.rules.limit.is_some_and(|limit| line.callers >= limit);
        is_full.then_some(Over::Full)
    }

    fn is_closed(&self, queue: QueueId) -> bool {
        let hours = self.queues.get(queue).and_then(|line| line.rules.open.as_ref());
        hours.is_some_and(|hours| !calendar::is_open(hours, self.now.time))
    }

    /// The ticket waits in this queue of its program as well.
    fn join(&mut self, id: TicketId, program: &dyn FlowProgram, index: u32, facts: Facts, since: Time) {
        let meta = program.meta();
        let Some(table) = meta.queues.get(index as usize) else { return };
        let Some(ticket) = self.tickets.get(&id) else { return };
        let (program_id, entered, hops) = (ticket.program, ticket.entered, ticket.places.len());
        let (is_caller, stands) = (ticket.callback.is_none(), matches!(ticket.state, State::Waiting));
        let priority = self.priority_of(program, table, &facts);
        let queue = self.queues.of(meta, table);
        let stage = stage_at(table, ms_between(since, self.now.time));
        let last = table.stages.len().saturating_sub(1);
        let asker = Asker { ticket: id, program: program_id, meta, queue: index, place: queue, facts: &facts };
        let mut caches = Caches { classes: &mut self.roster.classes, staffing: &mut self.staffing };
        let mut ask = |clause| self.questions.ask(&mut caches, &asker, clause);
        let needs = ask(Clause::Stage(stage as u32));
        let at_last = ask(Clause::Stage(last as u32));
        let prefers = (0..table.prefers.len() as u32).map(|at| ask(Clause::Preference(at))).collect();
        let stay = self.log.enter(&mut self.queues, queue, since, self.now.time);
        let Some(line) = self.queues.get_mut(queue) else { return };
        let rank = line.rules.rank(id, entered, priority);
        line.waiting.insert(rank);
        line.users += 1;
        line.callers += u32::from(is_caller);
        self.questions.stand(needs, rank, stands.then_some(Standing { priority, place: hops as u32 }));
        let place = Place { index, queue, facts, since, priority, rank, stage, needs, at_last, prefers, stay };
        if let Some(ticket) = self.tickets.get_mut(&id) {
            ticket.places.push(place);
            ticket.settled = self.now.tick;
        }
        self.staff_up(at_last, id);
        self.set_relax(id);
        if let Some(overflow) = table.overflow.as_ref().filter(|_| hops < OVERFLOW_HOPS_MAX) {
            self.timers.set(Timer::Overflow(id), tick_after(self.now, since, overflow.after_ms));
        }
        self.watch_staff(id);
        self.dirty_tickets.push(id);
    }

    /// 0 without a clause, and where it faults.
    fn priority_of(&mut self, program: &dyn FlowProgram, table: &Queue, facts: &Facts) -> i64 {
        let Some(flow) = table.priority else { return 0 };
        let priority = self.questions.room().word(program, flow, &mut facts.clone(), &[], self.now.time);
        priority.unwrap_or_else(|_| {
            self.faults.count(program.meta().graph_id, flow, self.now.time);
            0
        })
    }

    fn set_relax(&mut self, id: TicketId) {
        let Some(ticket) = self.tickets.get(&id) else { return };
        let Some(program) = self.programs.get(ticket.program) else { return };
        let next = ticket.places.iter().filter_map(|place| {
            let stage = program.meta().queues.get(place.index as usize)?.stages.get(place.stage + 1)?;
            Some(tick_after(self.now, place.since, stage.after_ms))
        });
        match next.min() {
            Some(at) => self.timers.set(Timer::Relax(id), at),
            None => self.timers.cancel(Timer::Relax(id)),
        }
    }

    /// Some stage has begun.
    pub(crate) fn relax(&mut self, id: TicketId) {
        let Some(ticket) = self.tickets.get_mut(&id) else { return };
        let Some(program) = self.programs.get(ticket.program) else { return };
        let (meta, stands) = (program.meta(), matches!(ticket.state, State::Waiting));
        for (place, at) in ticket.places.iter_mut().zip(0..) {
            let Some(table) = meta.queues.get(place.index as usize) else { continue };
            let stage = stage_at(table, ms_between(place.since, self.now.time));
            if stage <= place.stage {
                continue;
            }
            self.questions.stand(place.needs, place.rank, None);
            self.questions.leave(place.needs);
            let (program, queue, facts) = (ticket.program, place.index, &place.facts);
            let asker = Asker { ticket: id, program, meta, queue, place: place.queue, facts };
            place.stage = stage;
            let mut caches = Caches { classes: &mut self.roster.classes, staffing: &mut self.staffing };
            place.needs = self.questions.ask(&mut caches, &asker, Clause::Stage(stage as u32));
            let standing = Standing { priority: place.priority, place: at };
            self.questions.stand(place.needs, place.rank, stands.then_some(standing));
        }
        self.set_relax(id);
        self.dirty_tickets.push(id);
    }

    pub(crate) fn overflow(&mut self, id: TicketId) {
        let Some((ticket, place)) = self.tickets.get(&id).and_then(|ticket| Some((ticket, ticket.places.last()?)))
        else {
            return;
        };
        let Some(program) = self.programs.get(ticket.program).cloned() else { return };
        let mut facts = place.facts.clone();
        let meta = program.meta();
        let overflow = meta.queues.get(place.index as usize).and_then(|table| table.overflow.as_ref());
        let next = overflow.and_then(|overflow| Some((overflow, meta.queues.get(overflow.queue as usize)?)));
        let Some((overflow, table)) = next else { return };
        let queue = self.queues.of(meta, table);
        let is_in = ticket.places.iter().any(|place| place.queue == queue);
        let facts = match is_in || self.is_closed(queue) {
            true => None,
            false => self.facts_for(&*program, overflow, table, &mut facts),
        };
        match facts {
            Some(facts) => self.join(id, &*program, overflow.queue, facts, self.now.time),
            // Nobody is there, or the arguments faulted: he stays where he is, and no further queue is to come.
            None => {
                if let Some(ticket) = self.tickets.get_mut(&id) {
                    ticket.settled = self.now.tick;
                }
                self.watch_staff(id);
            }
        }
    }

    /// The facts of the next queue, out of those of the one before.
    fn facts_for(
        &mut self,
        program: &dyn FlowProgram,
        overflow: &Overflow,
        table: &Queue,
        facts: &mut Facts,
    ) -> Option<Facts> {
        let (now, meta) = (self.now.time, program.meta());
        let mut values = Vec::new();
        for flow in &overflow.arguments {
            match self.questions.room().value(program, *flow, facts, &[], now) {
                Ok(Some(value)) => values.push(value),
                _ => {
                    self.faults.count(meta.graph_id, *flow, now);
                    return None;
                }
            }
        }
        let types = table.parameters.iter().map(|parameter| &parameter.r#type);
        let mut next = Facts::new(meta, types.zip(&values)).filter(|_| values.len() == table.parameters.len())?;
        (next.language, next.caller, next.called) = (facts.language, facts.caller, facts.called);
        Some(next)
    }

    pub(crate) fn leave(&mut self, id: TicketId, why: LeaveWhy) {
        let Some(ticket) = self.tickets.get(&id) else { return };
        if matches!(ticket.state, State::Talking { .. }) {
            return self.ended(id);
        }
        let is_missed = why == LeaveWhy::Abandoned && ticket.callback.is_none();
        let how = if why == LeaveWhy::Abandoned { Ending::Abandoned } else { Ending::Left };
        if is_missed {
            self.missed(id, Missed::Abandoned);
        }
        self.withdraw_all(id);
        self.end_stays(id, 0, how);
        self.unplace(id);
        self.finish(id);
    }

    /// We end a wait.
    pub(crate) fn give_up(&mut self, id: TicketId, why: Over, missed: Missed) {
        self.missed(id, missed);
        self.withdraw_all(id);
        self.end_stays(id, 0, Ending::Left);
        self.unplace(id);
        self.finish(id);
        self.put(Output::Over { ticket: id, why });
    }

    pub(crate) fn timed_out(&mut self, ticket: TicketId) {
        self.give_up(ticket, Over::Timeout, Missed::Timeout);
    }

    pub(crate) fn callback_too_old(&mut self, ticket: TicketId) {
        self.give_up(ticket, Over::CallbackTooOld, Missed::CallbackTooOld);
    }

    fn missed(&mut self, id: TicketId, why: Missed) {
        let queue = self.tickets.get(&id).and_then(|ticket| ticket.places.first()).map(|place| place.queue);
        if let Some(queue) = queue {
            let queue = self.queues.name(queue);
            self.put(Output::Missed { ticket: id, queue, why });
        }
    }

    /// He is in line, answered by nobody.
    pub(crate) fn waits(&self, ticket: TicketId) -> bool {
        self.tickets.get(&ticket).is_some_and(|ticket| !matches!(ticket.state, State::Talking { .. }))
    }

    pub(crate) fn promise_call(&mut self, id: TicketId) {
        let is_promised = self.tickets.get(&id).is_none_or(|ticket| ticket.callback.is_some());
        if self.waits(id) && !is_promised {
            self.withdraw_all(id);
            self.promise(id, self.now.time);
        }
    }

    /// From now on nobody is on the line for the ticket.
    fn promise(&mut self, id: TicketId, at: Time) {
        self.end_stays(id, 0, Ending::CalledBack);
        let Some(ticket) = self.tickets.get_mut(&id) else { return };
        ticket.callback = Some(at);
        for place in &ticket.places {
            if let Some(line) = self.queues.get_mut(place.queue) {
                line.callers = line.callers.saturating_sub(1);
            }
        }
        self.timers.cancel_promises(id);
        self.timers.set(Timer::CallbackAge(id), tick_after(self.now, at, CALLBACK_AGE_MS_MAX));
        self.dirty_tickets.push(id);
    }

    pub(crate) fn comfort(&mut self, id: TicketId) {
        let Some(ticket) = self.tickets.get(&id) else { return };
        let Some(place) = ticket.places.first() else { return };
        let program = self.programs.get(ticket.program);
        let table = program.and_then(|program| program.meta().queues.get(place.index as usize));
        let Some(comfort) = table.and_then(|table| table.comfort) else { return };
        self.timers.set(Timer::Comfort(id), self.now.tick.plus_ms(comfort.every_ms.max(COMFORT_MS_MIN)));
        if matches!(ticket.state, State::Waiting) {
            let ahead = self.ahead(place.queue, place.rank);
            let expected_wait_ms = self.expected_wait_ms(self.now.time, place.queue, ahead);
            self.put(Output::Comfort { ticket: id, ahead, expected_wait_ms });
        }
    }

    /// How the stays of a ticket ended: in this place so, in the others elsewhere. Those of a callback ended when it was
    /// promised.
    pub(crate) fn end_stays(&mut self, id: TicketId, at: usize, how: Ending) {
        let Some(ticket) = self.tickets.get(&id).filter(|ticket| ticket.callback.is_none()) else { return };
        for (place, index) in ticket.places.iter().zip(0..) {
            let how = if index == at { how } else { Ending::Overflowed };
            self.log.end(&mut self.queues, place.queue, place.stay, self.now.time, how);
        }
    }

    /// Takes the ticket out of all lines.
    pub(crate) fn unplace(&mut self, id: TicketId) {
        self.timers.cancel_ticket(id);
        let Some(ticket) = self.tickets.get_mut(&id) else { return };
        for place in &ticket.places {
            self.questions.stand(place.needs, place.rank, None);
            self.staffing.leave(place.at_last, id);
            for question in [place.needs, place.at_last].iter().chain(&place.prefers) {
                self.questions.leave(*question);
            }
            if let Some(line) = self.queues.get_mut(place.queue) {
                line.waiting.remove(&place.rank);
                line.users = line.users.saturating_sub(1);
                line.callers = line.callers.saturating_sub(u32::from(ticket.callback.is_none()));
            }
        }
    }

    /// Forgets a ticket that is in no line.
    pub(crate) fn finish(&mut self, id: TicketId) {
        let Some(ticket) = self.tickets.remove(&id) else { return };
        if self.programs.leave(ticket.program) {
            let mut caches = Caches { classes: &mut self.roster.classes, staffing: &mut self.staffing };
            self.questions.forget_program(&mut caches, ticket.program);
        }
    }
}

/// The last stage that has begun.
fn stage_at(table: &Queue, age_ms: u64) -> usize {
    table.stages.iter().rposition(|stage| stage.after_ms <= age_ms).unwrap_or(0)
}
