//! The states of all items: planned, called, planned again, over. Whether an attempt is allowed is asked anew at the
//! instant at which it would begin; what was planned is only when to ask.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use runtime_contract::Time;
use runtime_contract::cadence::{AttemptEnd, Cadence, DECLINED, OPTED_OUT, Outcome};
use runtime_contract::limits::{CALL_HOURS_MAX, TEXT_SESSION_DAYS_MAX};
use runtime_contract::value::Phone;

use crate::input::{Input, Start};
use crate::item::{Attempt, Item, ItemId, State};
use crate::output::{Output, Stop};
use crate::person::{History, Person, next};
use crate::timers::{Timer, Timers};

/// An attempt of which nothing is heard for so long is interrupted: no call lasts so long, nor any conversation in writing.
const LOST_MS: u64 = (CALL_HOURS_MAX + 1) * 3_600_000;
const LOST_WRITTEN_MS: u64 = (TEXT_SESSION_DAYS_MAX * 24 + 1) * 3_600_000;
/// How soon an attempt is made again for which there was no room.
const ROOM_MS: u64 = 1_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Items that are not over.
    pub items_max: usize,
    /// Attempts that go on at once: lines, or agents.
    pub calling_max: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { items_max: 1_000_000, calling_max: 1_000 }
    }
}

#[derive(Clone, Debug)]
pub struct Outbound {
    limits: Limits,
    now: Time,
    cadences: BTreeMap<String, Arc<Cadence>>,
    items: BTreeMap<ItemId, Item>,
    people: BTreeMap<Phone, Person>,
    timers: Timers,
    calling: usize,
    outputs: VecDeque<Output>,
}

impl Outbound {
    pub fn new(limits: Limits) -> Outbound {
        Outbound {
            limits,
            now: Time(i64::MIN),
            cadences: BTreeMap::new(),
            items: BTreeMap::new(),
            people: BTreeMap::new(),
            timers: Timers::default(),
            calling: 0,
            outputs: VecDeque::new(),
        }
    }

    /// `now` never goes back; an earlier one counts as the last.
    pub fn handle(&mut self, now: Time, input: Input) {
        self.now = self.now.max(now);
        match input {
            Input::Cadences(cadences) => self.serve(cadences),
            Input::Person { number, history } => self.people.entry(number).or_default().history = history,
            Input::Restore { item, kept } => self.restore(item, *kept),
            Input::Start(start) => self.start(*start),
            Input::Attempted { item, outcome, end } => self.attempted(item, outcome, end),
            Input::Refused { item } => self.refused(item),
            Input::Exhausted { item, disposition } => self.exhausted(item, disposition),
            Input::OptOut { number } => self.refuse(number, |history| history.opted_out = true),
            Input::Tick => {}
        }
        self.fire();
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When the next tick is wanted; `None` while nothing can be due.
    pub fn next_deadline(&self) -> Option<Time> {
        let due = self.timers.next(Timer::Due).filter(|_| self.calling < self.limits.calling_max);
        due.into_iter().chain(self.timers.next(Timer::Lost)).min()
    }

    pub fn item(&self, item: ItemId) -> Option<&Item> {
        self.items.get(&item)
    }

    /// What is kept of a person; to be stored with each attempt and each refusal.
    pub fn history(&self, number: Phone) -> Option<&History> {
        self.people.get(&number).map(|person| &person.history)
    }

    pub fn len(&self) -> usize {
        self.items.len()
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Timers that are set; never more than items.
    pub fn timers(&self) -> usize {
        self.timers.count()
    }

    fn fire(&mut self) {
        while let Some(item) = self.timers.take(Timer::Lost, self.now) {
            match self.items.get(&item).map(|item| item.state) {
                Some(State::Calling) => self.attempted(item, Outcome::Interrupted, None),
                _ => self.exhausted(item, None),
            }
        }
        while self.calling < self.limits.calling_max {
            let Some(item) = self.timers.take(Timer::Due, self.now) else { return };
            self.attempt(item);
        }
    }

    /// Items whose time has not come are planned anew: their ladders, windows and caps may have changed.
    fn serve(&mut self, cadences: Vec<Cadence>) {
        self.cadences = cadences.into_iter().map(|cadence| (cadence.name.clone(), Arc::new(cadence))).collect();
        let idle = |item: &Item| matches!(item.state, State::Waiting { .. } | State::Orphaned);
        let items: Vec<_> = self.items.iter().filter(|(_, item)| idle(item)).map(|(id, _)| *id).collect();
        items.into_iter().for_each(|item| self.settle(item));
    }

    fn restore(&mut self, id: ItemId, mut kept: Item) {
        if self.items.contains_key(&id) {
            return;
        }
        let open = kept.attempts.last_mut().filter(|attempt| attempt.ended.is_none());
        let was_calling = open.is_some();
        if let Some(open) = open {
            (open.ended, open.outcome) = (Some(self.now), Some(Outcome::Interrupted));
            self.people.entry(kept.facts.number).or_default().ended(self.now, false);
        }
        kept.state = State::Orphaned;
        self.insert(id, kept);
        match was_calling {
            true => self.go_on(id),
            false => self.settle(id),
        }
    }

    fn insert(&mut self, id: ItemId, item: Item) {
        self.people.entry(item.facts.number).or_default().items.insert(id);
        self.items.insert(id, item);
    }

    fn start(&mut self, start: Start) {
        let Start { item: id, cadence, record, facts } = start;
        if self.items.contains_key(&id) {
            return;
        }
        let is_full = self.items.len() >= self.limits.items_max;
        let is_known = self.cadences.contains_key(&cadence);
        let item = Item { cadence, record, facts, attempts: Vec::new(), sent: Vec::new(), state: State::Orphaned };
        self.insert(id, item);
        match (is_full, is_known) {
            (true, _) => self.stop(id, Stop::TooMany),
            (_, false) => self.stop(id, Stop::NoCadence),
            _ => self.settle(id),
        }
    }

    fn plan(&mut self, id: ItemId, from: Time) {
        let Some((number, cadence)) = self.tables(id) else { return };
        let Some((item, person)) = self.items.get(&id).zip(self.people.get(&number)) else { return };
        let planned = match person.refusal() {
            Some(stop) => Err(stop),
            None => next(&cadence, &item.facts, &person.history, from.max(self.now)),
        };
        match planned {
            Ok(at) => self.wait(id, at),
            Err(stop) => self.stop(id, stop),
        }
    }

    fn wait(&mut self, id: ItemId, at: Time) {
        self.change(id, State::Waiting { next_at: at });
        self.timers.set(Timer::Due, at, id);
        self.outputs.push_back(Output::NextAt { item: id, at });
    }

    /// An item whose time has come; its timer is gone.
    fn attempt(&mut self, id: ItemId) {
        let Some((number, cadence)) = self.tables(id) else { return };
        let Some((item, person)) = self.items.get_mut(&id).zip(self.people.get_mut(&number)) else { return };
        match (person.refusal(), person.calling) {
            (Some(stop), _) => return self.stop(id, stop),
            (_, Some(_)) => return self.change(id, State::Held),
            _ => {}
        }
        match next(&cadence, &item.facts, &person.history, self.now) {
            Ok(at) if at == self.now => {
                person.began(id, self.now);
                let is_written = cadence.message.is_some();
                let attempt = Attempt { started: self.now, is_written, ended: None, outcome: None, end: None };
                item.attempts.push(attempt);
                item.state = State::Calling;
                let n = u32::try_from(item.attempts.len()).unwrap_or(u32::MAX);
                let evidence = item.facts.permission.evidence.clone();
                self.calling += 1;
                self.timers.set(Timer::Lost, lost_at(self.now, is_written), id);
                self.outputs.push_back(Output::Attempt { item: id, n, evidence });
            }
            Ok(at) => self.wait(id, at),
            Err(stop) => self.stop(id, stop),
        }
    }

    fn attempted(&mut self, id: ItemId, outcome: Outcome, end: Option<AttemptEnd>) {
        let Some(item) = self.items.get_mut(&id).filter(|item| item.state == State::Calling) else { return };
        let number = item.facts.number;
        let Some(attempt) = item.attempts.last_mut() else { return };
        (attempt.ended, attempt.outcome, attempt.end) = (Some(self.now), Some(outcome), end);
        let lost_at = lost_at(attempt.started, attempt.is_written);
        item.state = State::Orphaned;
        let cadence = self.cadences.get(&item.cadence).cloned();
        self.timers.cancel(Timer::Lost, lost_at, id);
        self.calling = self.calling.saturating_sub(1);
        let person = self.people.entry(number).or_default();
        person.ended(self.now, outcome == Outcome::Person);
        let opted_out = person.history.opted_out;
        let named = |cadence: &Cadence| match end {
            Some(AttemptEnd::Stop { disposition }) => cadence.dispositions.get(disposition as usize).cloned(),
            _ => None,
        };
        let name = cadence.as_deref().and_then(named);
        let declined = outcome == Outcome::Declined;
        match end {
            // An opt-out in the call itself goes before what its flow says.
            Some(AttemptEnd::Stop { disposition }) if !opted_out && name.is_some() => {
                self.stop(id, Stop::Named(disposition));
            }
            _ if declined && !opted_out => self.stop(id, Stop::Declined),
            _ => self.go_on(id),
        }
        match name.as_deref() {
            Some(OPTED_OUT) => self.refuse(number, |history| history.opted_out = true),
            Some(DECLINED) => self.refuse(number, |history| history.declined = true),
            _ if declined => self.refuse(number, |history| history.declined = true),
            _ => {}
        }
        self.release(number);
    }

    fn refused(&mut self, id: ItemId) {
        let Some(item) = self.items.get_mut(&id).filter(|item| item.state == State::Calling) else { return };
        let number = item.facts.number;
        let Some(attempt) = item.attempts.pop() else { return };
        item.state = State::Orphaned;
        self.timers.cancel(Timer::Lost, lost_at(attempt.started, attempt.is_written), id);
        self.calling = self.calling.saturating_sub(1);
        self.people.entry(number).or_default().unmade();
        self.plan(id, Time(self.now.0.saturating_add_unsigned(ROOM_MS)));
        self.release(number);
    }

    /// What follows an attempt that did not end the run.
    fn go_on(&mut self, id: ItemId) {
        let Some((number, cadence)) = self.tables(id) else { return };
        if let Some(stop) = self.people.get(&number).and_then(Person::refusal) {
            return self.stop(id, stop);
        }
        let Some(item) = self.items.get_mut(&id) else { return };
        let n = u32::try_from(item.attempts.len()).unwrap_or(u32::MAX);
        let after = cadence.after.iter().find(|after| after.attempt == n && !item.sent.contains(&n));
        if let Some(after) = after {
            item.sent.push(n);
            self.outputs.push_back(Output::After { item: id, n, flow: after.flow });
        }
        self.settle(id);
    }

    /// The next attempt, or the end when all were made.
    fn settle(&mut self, id: ItemId) {
        let Some((_, cadence)) = self.tables(id) else { return };
        let Some(item) = self.items.get(&id) else { return };
        match (item.is_over(&cadence), cadence.exhausted) {
            (false, _) => {
                let from = item.again_at(&cadence).unwrap_or(item.facts.permission.from);
                self.plan(id, from);
            }
            (true, None) => self.stop(id, Stop::Exhausted),
            (true, Some(flow)) => {
                self.change(id, State::Exhausting { since: self.now });
                self.timers.set(Timer::Lost, lost_at(self.now, false), id);
                self.outputs.push_back(Output::Exhausted { item: id, flow });
            }
        }
    }

    fn exhausted(&mut self, id: ItemId, disposition: Option<u32>) {
        let Some(item) = self.items.get(&id).filter(|item| matches!(item.state, State::Exhausting { .. })) else {
            return;
        };
        let number = item.facts.number;
        let cadence = self.cadences.get(&item.cadence).cloned();
        let name = disposition.and_then(|index| cadence.as_deref()?.dispositions.get(index as usize).cloned());
        let named = disposition.filter(|_| name.is_some()).map_or(Stop::Exhausted, Stop::Named);
        let refusal = self.people.get(&number).and_then(Person::refusal);
        self.stop(id, refusal.unwrap_or(named));
        match name.as_deref() {
            Some(OPTED_OUT) => self.refuse(number, |history| history.opted_out = true),
            Some(DECLINED) => self.refuse(number, |history| history.declined = true),
            _ => {}
        }
    }

    /// The person is final: whatever waits for him is over. What is going on ends by itself.
    fn refuse(&mut self, number: Phone, how: impl FnOnce(&mut History)) {
        let person = self.people.entry(number).or_default();
        how(&mut person.history);
        let Some(stop) = person.refusal() else { return };
        let items: Vec<_> = person.items.iter().copied().collect();
        for id in items {
            if self.items.get(&id).is_some_and(|item| !matches!(item.state, State::Calling | State::Exhausting { .. }))
            {
                self.stop(id, stop);
            }
        }
    }

    /// The person's line is free: items that were held for it are planned.
    fn release(&mut self, number: Phone) {
        let Some(person) = self.people.get(&number) else { return };
        let held = |id: &&ItemId| self.items.get(*id).is_some_and(|item| item.state == State::Held);
        let held: Vec<_> = person.items.iter().filter(held).copied().collect();
        held.into_iter().for_each(|id| self.plan(id, self.now));
    }

    fn stop(&mut self, id: ItemId, stop: Stop) {
        self.change(id, State::Orphaned);
        let Some(last) = self.items.remove(&id) else { return };
        if let Some(person) = self.people.get_mut(&last.facts.number) {
            person.items.remove(&id);
        }
        self.outputs.push_back(Output::Stopped { item: id, stop, last: Box::new(last) });
    }

    /// Out of one state into another, with the timer of the first.
    fn change(&mut self, id: ItemId, state: State) {
        let Some(item) = self.items.get_mut(&id) else { return };
        match item.state {
            State::Waiting { next_at } => self.timers.cancel(Timer::Due, next_at, id),
            State::Exhausting { since } => self.timers.cancel(Timer::Lost, lost_at(since, false), id),
            State::Calling | State::Held | State::Orphaned => {}
        }
        item.state = state;
    }

    /// The number of an item, and its tables; without them it waits for a version that has them.
    fn tables(&mut self, id: ItemId) -> Option<(Phone, Arc<Cadence>)> {
        let item = self.items.get(&id)?;
        let (number, cadence) = (item.facts.number, self.cadences.get(&item.cadence).cloned());
        if cadence.is_none() {
            self.change(id, State::Orphaned);
        }
        Some((number, cadence?))
    }
}

fn lost_at(since: Time, is_written: bool) -> Time {
    Time(since.0.saturating_add_unsigned(if is_written { LOST_WRITTEN_MS } else { LOST_MS }))
}
