//! The rules of the stable version: what happened in the queues runs their actions, and so does a condition on what the
//! queues measure once it becomes true. An action is a session without a line. It does not know what a rule says.

use runtime_contract::pure::{Facts, PureRoom};
use runtime_contract::record::CallId;
use runtime_contract::rule::{Alarm, CONTACT_MS, CONTACT_PURPOSE, Measure, Rule, When};
use runtime_contract::types::Type;
use runtime_contract::value::{Phone, Value};
use runtime_contract::{Called, ProgramMeta, Tick, Time};
use runtime_outbound::zones_of;
use runtime_session::{Input as SessionInput, Line, Start};

use crate::exchange::Exchange;
use crate::input::Version;
use crate::output::{Event, NotFired, Output, Refusal, TraceEvent, TraceWhat};
use crate::queues::Queues;
use crate::undelivered::Told;

/// Actions that run at once; of more, what happened is said to be dropped.
pub const RULES_RUNNING_MAX: usize = 1_000;
/// A condition is looked at no more often.
pub const ALARM_MS_MIN: u64 = 1_000;
/// As often while somebody waits or the window has somebody, where time alone changes a measure.
pub const ALARM_CLOCK_MS: u64 = 10_000;
/// As often where the condition asks for hours.
pub const ALARM_HOURS_MS: u64 = 60_000;

/// Something that rules wait for.
#[derive(Clone)]
pub(crate) struct Happened {
    pub what: Happening,
    /// `module.queue`
    pub queue: String,
    pub who: Who,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Happening {
    Missed,
    Served,
}

/// A caller of a queue, as far as a rule may know him.
#[derive(Clone)]
pub(crate) struct Who {
    pub call: CallId,
    pub number: Option<Phone>,
    pub called: Option<Called>,
    /// Tag of his language.
    pub language: String,
    /// We called him, he did not call us.
    pub is_called_by_us: bool,
}

#[derive(Clone, Default)]
pub(crate) struct Rules {
    watches: Vec<Watch>,
    /// What callers have missed who are still in their call: they may be served yet.
    missed: Vec<Happened>,
    room: PureRoom,
    /// Actions of rules that are not over.
    pub running: usize,
    pub told: Told,
    /// The version that takes new calls.
    program: Option<Version>,
}

/// A condition that is looked at.
#[derive(Clone)]
struct Watch {
    rule: usize,
    holds: bool,
    /// When it was looked at last, and what had changed until then.
    looked: Option<Tick>,
    changes: u64,
    due: Option<Tick>,
}

impl Rules {
    pub fn next_deadline(&self) -> Option<Tick> {
        self.watches.iter().filter_map(|watch| watch.due).min()
    }

    /// The rules of this version count from now on. A condition that is written there as it was goes on as it was.
    pub fn new_version(&mut self, version: &Version, now: Tick) {
        let held: Vec<(String, String)> =
            self.watches.iter().filter(|watch| watch.holds).filter_map(|watch| self.key(watch.rule)).collect();
        self.program = Some(version.clone());
        let alarms = version.program.meta().rules.iter().enumerate();
        let alarms = alarms.filter(|(_, rule)| matches!(rule.when, When::Alarm(_))).map(|(rule, _)| rule);
        self.watches = alarms
            .map(|rule| Watch {
                rule,
                holds: self.key(rule).is_some_and(|key| held.contains(&key)),
                looked: None,
                changes: 0,
                due: Some(now),
            })
            .collect();
    }

    /// Its file and its head.
    fn key(&self, rule: usize) -> Option<(String, String)> {
        let meta = self.program.as_ref()?.program.meta();
        let rule = meta.rules.get(rule)?;
        let file = meta.files.get(rule.place.file as usize).cloned().unwrap_or_default();
        Some((file, rule.head.clone()))
    }

    pub fn version(&self) -> Option<Version> {
        self.program.clone()
    }

    fn rule(&self, rule: usize) -> Option<&Rule> {
        self.program.as_ref()?.program.meta().rules.get(rule)
    }
}

impl Exchange {
    /// Something has changed that a condition has not been asked about yet.
    pub fn rules_look_soon(&self) -> bool {
        let watches = self.rules.watches.iter().enumerate();
        watches.map(|(at, watch)| (watch.changes, self.changes(at))).any(|(looked_at, now)| looked_at != now)
    }

    /// What has happened since, to the rules that wait for it. True when some action began.
    pub(crate) fn tell_rules(&mut self) -> bool {
        if let Some(happened) = self.queues.happened.pop_front() {
            self.happened(happened);
            return true;
        }
        let is_changed = std::mem::take(&mut self.queues.is_changed);
        let now = self.desk.now.tick;
        let mut began = false;
        for at in 0..self.rules.watches.len() {
            if is_changed {
                self.look_soon(at);
            }
            let is_due = self.rules.watches.get(at).is_some_and(|watch| watch.due.is_some_and(|due| due <= now));
            began |= is_due && self.look(at);
        }
        began
    }

    fn happened(&mut self, happened: Happened) {
        let call = happened.who.call;
        let is_same = |other: &Happened| other.who.call == call && other.queue == happened.queue;
        match happened.what {
            Happening::Served => {
                let stays = |other: &Happened| other.what == Happening::Served || other.who.call != call;
                self.rules.missed.retain(stays);
                self.queues.happened.retain(stays);
            }
            Happening::Missed if self.calls.contains_key(&call) => {
                if !self.rules.missed.iter().any(is_same) {
                    self.rules.missed.push(happened);
                }
                return;
            }
            Happening::Missed => {
                let settles = |later: &Happened| match later.what {
                    Happening::Served => later.who.call == call,
                    Happening::Missed => is_same(later),
                };
                if self.queues.happened.iter().any(settles) {
                    return;
                }
            }
        }
        self.fire(&happened);
    }

    /// The caller is gone: what he has missed by now he has missed.
    pub(crate) fn missed_by(&mut self, call: CallId) {
        let missed = self.rules.missed.extract_if(.., |missed| missed.who.call == call);
        self.queues.happened.extend(missed);
    }

    fn fire(&mut self, happened: &Happened) {
        let Some(version) = self.rules.version() else { return };
        let meta = version.program.meta();
        for (index, rule) in meta.rules.iter().enumerate() {
            let queue = match (&rule.when, happened.what) {
                (When::Missed { queue }, Happening::Missed) | (When::Served { queue }, Happening::Served) => *queue,
                _ => continue,
            };
            if meta.queues.get(queue as usize).is_none_or(|queue| queue.name != happened.queue) {
                continue;
            }
            let contact = contact(meta, happened, self.desk.now.time);
            let begun = contact.and_then(|contact| {
                self.run_rule(index, vec![contact], Some(&happened.who)).map_err(NotFired::Refused)
            });
            if let Err(why) = begun {
                self.not_fired(happened.who.call, index, why);
            }
        }
    }

    pub(crate) fn not_fired(&mut self, call: CallId, rule: usize, why: NotFired) {
        let Some(version) = self.rules.version() else { return };
        if let NotFired::Refused(_) = why {
            self.desk.event(Event::RuleDropped { graph: version.program.meta().graph_id, rule: rule as u32 });
        }
        if self.desk.trace {
            let what = TraceWhat::NotFired { rule: rule as u32, why };
            self.desk.put(Output::Trace(TraceEvent { now: self.desk.now, call, program: version.program, what }));
        }
    }

    /// Something changed: a condition about it is looked at, at once or as soon as it may be again.
    fn look_soon(&mut self, at: usize) {
        let (now, changes) = (self.desk.now.tick, self.changes(at));
        let Some(watch) = self.rules.watches.get_mut(at).filter(|watch| watch.changes != changes) else { return };
        let soon = watch.looked.map_or(now, |looked| now.max(looked.plus_ms(ALARM_MS_MIN)));
        watch.due = Some(watch.due.map_or(soon, |due| due.min(soon)));
    }

    /// Grows when a measure of the condition may have changed.
    fn changes(&self, at: usize) -> u64 {
        let Some(alarm) = self.alarm(at) else { return 0 };
        let Some(version) = &self.rules.program else { return 0 };
        let of = |measure: &Measure| {
            let queue = version.program.meta().queues.get(measure.queue as usize);
            queue.map_or(0, |queue| self.queues.changes(&queue.name, measure.is_of_agents()))
        };
        alarm.tests.iter().map(of).sum()
    }

    fn alarm(&self, at: usize) -> Option<&Alarm> {
        match &self.rules.rule(self.rules.watches.get(at)?.rule)?.when {
            When::Alarm(alarm) => Some(alarm),
            _ => None,
        }
    }

    /// Whether the condition is true now; when it has become so, the rule fires.
    fn look(&mut self, at: usize) -> bool {
        let (Some(alarm), Some(version)) = (self.alarm(at).cloned(), self.rules.program.clone()) else { return false };
        let (now, changes) = (self.desk.now, self.changes(at));
        let holds = self.holds(&version, &alarm, now.time);
        let next = self.look_again(&version, &alarm);
        let Some(watch) = self.rules.watches.get_mut(at) else { return false };
        let fires = holds && !watch.holds;
        (watch.holds, watch.looked, watch.changes, watch.due) = (holds, Some(now.tick), changes, next);
        let rule = watch.rule;
        let Some(action) = self.rules.rule(rule).map(|rule| rule.flow).filter(|_| fires) else { return false };
        let Some(shown) = self.measured(&version, &alarm, action, &alarm.shows, now.time) else { return false };
        let has_begun = self.run_rule(rule, shown, None).is_ok();
        if let Some(watch) = self.rules.watches.get_mut(at).filter(|_| !has_begun) {
            // It becomes true when there is room for it.
            (watch.holds, watch.due) = (false, Some(now.tick.plus_ms(ALARM_MS_MIN)));
        }
        has_begun
    }

    fn holds(&mut self, version: &Version, alarm: &Alarm, now: Time) -> bool {
        let Some(values) = self.measured(version, alarm, alarm.condition, &alarm.tests, now) else { return false };
        let (program, meta) = (&*version.program, version.program.meta());
        let types = meta.flow(alarm.condition).map_or(&[][..], |flow| &flow.parameters);
        let Some(mut facts) = Facts::new(meta, types.iter().map(|own| &own.r#type).zip(&values)) else { return false };
        self.rules.room.word(program, alarm.condition, &mut facts, &[], now).is_ok_and(|word| word != 0)
    }

    /// Arguments of a flow whose parameters are these measures.
    fn measured(
        &self,
        version: &Version,
        alarm: &Alarm,
        flow: u32,
        measures: &[Measure],
        now: Time,
    ) -> Option<Vec<Value>> {
        let meta = version.program.meta();
        let value = |(parameter, measure): (&runtime_contract::program::Parameter, &Measure)| {
            let queue = meta.queues.get(measure.queue as usize)?;
            let value = self.queues.measure(now, &queue.name, measure.name(), alarm.window_ms);
            match parameter.r#type {
                Type::Optional(_) => Some(value.map_or(Value::None, |value| Value::Some(Box::new(value)))),
                _ => value,
            }
        };
        meta.flow(flow)?.parameters.iter().zip(measures).map(value).collect()
    }

    /// When time alone may change the answer.
    fn look_again(&self, version: &Version, alarm: &Alarm) -> Option<Tick> {
        let (now, meta) = (self.desk.now, version.program.meta());
        let in_ms = |ms: u64| now.tick.plus_ms(ms.max(ALARM_MS_MIN));
        let leaves = alarm.tests.iter().filter_map(|measure| {
            let name = &meta.queues.get(measure.queue as usize)?.name;
            let leaves = self.queues.leaves_window(now.time, name, alarm.window_ms);
            let leaves = leaves.map(|at| in_ms(at.0.saturating_sub(now.time.0).unsigned_abs()));
            let moves = measure.moves_by_itself() && (leaves.is_some() || self.queues.has_waiting(name));
            leaves.into_iter().chain(moves.then(|| in_ms(ALARM_CLOCK_MS))).min()
        });
        leaves.chain(alarm.asks_hours.then(|| in_ms(ALARM_HOURS_MS))).min()
    }

    /// Begins the action of a rule.
    pub(crate) fn run_rule(&mut self, rule: usize, arguments: Vec<Value>, who: Option<&Who>) -> Result<(), Refusal> {
        let version = self.takes_work()?;
        if self.rules.running >= RULES_RUNNING_MAX {
            return Err(Refusal::CallsMax);
        }
        let Some(flow) = self.rules.rule(rule).map(|rule| rule.flow) else { return Ok(()) };
        let number = who.and_then(|who| who.number);
        let meta = version.program.meta();
        let language = who.map_or(0, |who| language_index(meta, &who.language));
        self.rules.running += 1;
        let id = self.begin_without_call(&version, flow, number, None);
        let start = Start {
            epoch: version.epoch,
            arguments,
            caller: number,
            language,
            line: Line::None,
            ..Start::ringing(id, flow)
        };
        self.with_call(id, |call, desk| {
            call.trace(desk, || TraceWhat::Fired { rule: rule as u32 });
            call.tell(desk, SessionInput::Start(start));
        });
        Ok(())
    }
}

/// The value of the action's parameter. Nobody can be called back whose number is withheld; and whom we called has missed
/// nothing, or a rule and a cadence could begin each other for ever.
fn contact(meta: &ProgramMeta, happened: &Happened, now: Time) -> Result<Value, NotFired> {
    let who = &happened.who;
    if who.is_called_by_us {
        return Err(NotFired::CalledByUs);
    }
    let number = who.number.ok_or(NotFired::NumberWithheld)?;
    let word = if happened.what == Happening::Served { "served" } else { "missed" };
    let until = now.0.saturating_add_unsigned(CONTACT_MS);
    let some = |value| Value::Some(Box::new(value));
    let permission = Value::Record(vec![
        Value::Text(CONTACT_PURPOSE.to_owned()),
        some(Value::Phone(number)),
        Value::Moment(now.0),
        some(Value::Moment(until)),
        Value::Text(format!("call {}, {word} in {}", who.call.hex(), happened.queue)),
    ]);
    let language = language_index(meta, &who.language);
    let zone = Value::Text(zone(meta, number, who.called).to_owned());
    Ok(Value::Record(vec![Value::Phone(number), zone, Value::Language(language), permission]))
}

pub(crate) fn language_index(meta: &ProgramMeta, tag: &str) -> u32 {
    meta.languages.iter().position(|known| known == tag).unwrap_or(0) as u32
}

/// Where a caller is: where his number lies; of several places that of the office, where it is among them.
pub(crate) fn zone(meta: &ProgramMeta, number: Phone, called: Option<Called>) -> &str {
    let office = called.map_or_else(|| meta.zone(), |called| meta.called_zone(called));
    match zones_of(number) {
        [] => office,
        zones if zones.contains(&office) => office,
        [first, ..] => first,
    }
}

impl Queues {
    /// What the rules know of this ticket.
    pub(crate) fn happens(&mut self, what: Happening, ticket: runtime_acd::TicketId, queue: &str) {
        let who = self.who(ticket);
        self.happened.extend(who.map(|who| Happened { what, queue: queue.to_owned(), who }));
    }
}
