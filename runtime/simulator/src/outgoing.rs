//! Cadences of a test: who is called next, and what follows from how it went. Virtual time skips the days between. It knows
//! one run after the other, and no agent for whom the lines would be paced.

use std::collections::VecDeque;

use runtime_contract::Time;
use runtime_contract::cadence::{AttemptEnd, Cadence, Legal, Permission};
use runtime_contract::calendar::local_text;
use runtime_contract::leg::{GoneCause, LegEvent, LegId, Target};
use runtime_contract::pure::{Facts, PureRoom};
use runtime_contract::script::FarSide;
use runtime_contract::value::{Phone, Value};
use runtime_exchange::{Act, Input, MediaEvent, Refusal};

use crate::agents::short;
use crate::far_side::ANSWER_MS;
use crate::plant::{Coming, Plant, nowhere, voice};
use crate::transcript::What;

/// Who was cut off in the middle of an attempt is not called again before.
const INTERRUPTED_MS: u64 = 86_400_000;
/// When the node has no room for another call.
const BUSY_MS: u64 = 1_000;

/// All runs of a test, and the flow of one of them that runs now.
#[derive(Default)]
pub(crate) struct Outgoing {
    pub runs: Vec<Run>,
    acting: Option<Acting>,
    acts: u64,
    waiting: VecDeque<Acting>,
    /// The next leg that is dialled is that of an attempt.
    awaits_leg: bool,
}

#[derive(Clone, Copy)]
struct Acting {
    run: usize,
    what: Doing,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Doing {
    Attempt,
    After,
    Exhausted,
}

/// One person in one cadence.
pub(crate) struct Run {
    pub cadence: u32,
    arguments: Vec<Value>,
    facts: Facts,
    person: Phone,
    zone: String,
    pub attempts: Vec<Attempt>,
    /// The next attempt is planned.
    is_due: bool,
    pub stopped: Option<String>,
}

pub(crate) struct Attempt {
    pub at: Time,
    /// A person took the call.
    talked: bool,
    end: Option<AttemptEnd>,
}

impl Outgoing {
    /// A flow of a cadence runs, or is about to.
    pub fn is_acting(&self) -> bool {
        self.acting.is_some() || !self.waiting.is_empty()
    }

    /// Something is still to come of some run.
    pub fn goes_on(&self) -> bool {
        self.is_acting() || self.runs.iter().any(|run| run.is_due)
    }

    pub fn last(&self) -> Option<&Run> {
        self.runs.last()
    }

    /// The leg is that of an attempt; said once.
    pub fn takes_leg(&mut self) -> bool {
        std::mem::take(&mut self.awaits_leg)
    }
}

impl Run {
    /// When one more attempt may be made, at this instant or behind it. `None`: never.
    fn earliest(&self, cadence: &Cadence, from: Time) -> Option<Time> {
        let legal = Legal::new(cadence, cadence.zone.map(|_| self.zone.as_str()), &[self.zone.as_str()])?;
        let made: Vec<i64> = self.attempts.iter().map(|attempt| attempt.at.0).collect();
        let talked: Vec<i64> =
            self.attempts.iter().filter(|attempt| attempt.talked).map(|attempt| attempt.at.0).collect();
        let mut at = from;
        loop {
            let before = at;
            at = legal.next(at)?;
            let caps = cadence.caps.iter().chain(cadence.laws.iter().flat_map(|law| &law.caps)).map(|cap| (cap, &made));
            let talks = cadence.laws.iter().flat_map(|law| &law.conversation_caps).map(|cap| (cap, &talked));
            for (cap, counted) in caps.chain(talks) {
                at = Time(cap.next(counted, at.0, legal.days_of(at))?);
            }
            for quiet_ms in cadence.laws.iter().filter_map(|law| law.quiet_after_conversation_ms) {
                let until = talked.last().map_or(i64::MIN, |last| last.saturating_add_unsigned(quiet_ms));
                at = at.max(Time(until));
            }
            if at == before {
                return Some(at);
            }
        }
    }

    /// How long the last attempt wants to be waited for, by its ladder: its first rung the first time, its last for ever.
    fn delay_ms(&self, cadence: &Cadence, ladder: u32) -> u64 {
        let same = |attempt: &&Attempt| matches!(attempt.end, Some(AttemptEnd::Retry { ladder: own }) if own == ladder);
        let before = self.attempts.iter().filter(same).count().saturating_sub(1);
        let rungs = cadence.retries.get(ladder as usize).map_or(&[][..], Vec::as_slice);
        rungs.get(before).or(rungs.last()).copied().unwrap_or(INTERRUPTED_MS)
    }
}

impl Plant {
    /// A person is to be called, from now on.
    pub fn start(&mut self, cadence: u32, arguments: Vec<Value>) {
        let program = self.program();
        let Some(table) = program.meta().cadences.get(cadence as usize) else { return };
        let now = self.now().time;
        let name = short(&table.name).to_owned();
        self.write(What::Starts { cadence: name });
        let types = table.parameters.iter().map(|parameter| &parameter.r#type);
        let Some(mut facts) = Facts::new(program.meta(), types.zip(&arguments)) else { return };
        let mut room = PureRoom::default();
        let mut ask =
            |flow: Option<u32>| flow.and_then(|flow| room.value(&*program, flow, &mut facts, &[], now).ok()).flatten();
        let Some(Value::Phone(person)) = ask(table.number) else {
            return self.write(What::NotCalled("no number".into()));
        };
        let zone = match ask(table.zone) {
            Some(Value::Text(zone)) => zone,
            _ => program.meta().zone().to_owned(),
        };
        let begin = match ask(table.begin) {
            Some(Value::Some(time)) => match *time {
                Value::Moment(ms) => now.max(Time(ms)),
                _ => now,
            },
            _ => now,
        };
        let (attempts, stopped) = (Vec::new(), None);
        let run = Run { cadence, arguments, facts, person, zone, attempts, is_due: false, stopped };
        let at = run.earliest(table, begin);
        self.outgoing.runs.push(run);
        self.plan(self.outgoing.runs.len() - 1, at);
    }

    fn plan(&mut self, run: usize, at: Option<Time>) {
        let now = self.now().time;
        let Some(of) = self.outgoing.runs.get_mut(run) else { return };
        let Some(at) = at else {
            return self.write(What::NotCalled("there is no instant at which it would be allowed".into()));
        };
        of.is_due = true;
        let text = local_text(at, &of.zone);
        if at > now {
            self.write(What::Retries { at: text });
        }
        self.come(at.0.saturating_sub(now.0).max(0).unsigned_abs(), Coming::Due { run });
    }

    /// The planned instant has come.
    pub fn due(&mut self, run: usize) {
        let program = self.program();
        let now = self.now().time;
        let Some(of) = self.outgoing.runs.get_mut(run) else { return };
        let Some(table) = program.meta().cadences.get(of.cadence as usize) else { return };
        of.is_due = false;
        let permission = PureRoom::default().value(&*program, table.permission, &mut of.facts, &[], now);
        let permission = permission.ok().flatten().and_then(|value| Permission::from_value(&value));
        if !permission.is_some_and(|permission| permission.allows(&table.purpose, of.person, now)) {
            return self.write(What::NotCalled(format!("no permission for {}", table.purpose)));
        }
        self.outgoing.waiting.push_back(Acting { run, what: Doing::Attempt });
        self.act_next();
    }

    fn act_next(&mut self) {
        if self.outgoing.acting.is_some() {
            return;
        }
        let Some(acting) = self.outgoing.waiting.pop_front() else { return };
        let program = self.program();
        let now = self.now().time;
        let Some(run) = self.outgoing.runs.get_mut(acting.run) else { return };
        let Some(table) = program.meta().cadences.get(run.cadence as usize) else { return };
        let number = run.attempts.len();
        let flow = match acting.what {
            Doing::Attempt => table.dial.as_ref().map(|dial| dial.flow),
            Doing::After => table.after.iter().find(|after| after.attempt as usize == number).map(|after| after.flow),
            Doing::Exhausted => table.exhausted,
        };
        let Some(flow) = flow else { return self.acted_nothing(acting) };
        if acting.what == Doing::Attempt {
            run.attempts.push(Attempt { at: now, talked: false, end: None });
        }
        let (arguments, person) = (run.arguments.clone(), Some(run.person));
        self.outgoing.acts += 1;
        self.outgoing.acting = Some(acting);
        self.ended = false;
        if acting.what == Doing::Attempt {
            self.outgoing.awaits_leg = true;
            self.write(What::Attempt { number: number + 1 });
        }
        self.inputs.push_back(Input::Act(Act { number: self.outgoing.acts, flow, arguments, person }));
    }

    /// There is no flow for it: what it would have led to comes at once.
    fn acted_nothing(&mut self, acting: Acting) {
        match acting.what {
            Doing::After => self.go_on(acting.run),
            Doing::Attempt | Doing::Exhausted => self.act_next(),
        }
    }

    /// A flow of a cadence is over.
    pub fn acted(&mut self, result: Result<Option<Value>, Refusal>) {
        let Some(acting) = self.outgoing.acting.take() else { return };
        let program = self.program();
        let Some(run) = self.outgoing.runs.get_mut(acting.run) else { return };
        let Some(table) = program.meta().cadences.get(run.cadence as usize) else { return };
        let value = match result {
            Ok(value) => value,
            Err(_) => {
                // It never began.
                if acting.what == Doing::Attempt {
                    run.attempts.pop();
                    run.is_due = true;
                    self.come(BUSY_MS, Coming::Due { run: acting.run });
                }
                return;
            }
        };
        let disposition = |index: u32| table.dispositions.get(index as usize).cloned();
        let stopped = match acting.what {
            Doing::Attempt => {
                let end = value.as_ref().and_then(AttemptEnd::from_value);
                if let Some(last) = run.attempts.last_mut() {
                    last.end = end;
                }
                match end {
                    Some(AttemptEnd::Stop { disposition: index }) => disposition(index),
                    _ => {
                        self.outgoing.waiting.push_front(Acting { what: Doing::After, ..acting });
                        None
                    }
                }
            }
            Doing::After => {
                self.go_on(acting.run);
                None
            }
            Doing::Exhausted => match value {
                Some(Value::Int(index)) => u32::try_from(index).ok().and_then(disposition),
                _ => None,
            },
        };
        if let Some(stopped) = stopped {
            self.stop_run(acting.run, stopped);
        }
        self.act_next();
    }

    fn stop_run(&mut self, run: usize, disposition: String) {
        if let Some(run) = self.outgoing.runs.get_mut(run) {
            run.stopped = Some(disposition.clone());
        }
        self.write(What::CadenceStops { disposition });
    }

    /// What follows an attempt that did not end the run, and its `after attempt`.
    fn go_on(&mut self, run: usize) {
        let program = self.program();
        let now = self.now().time;
        let Some(of) = self.outgoing.runs.get(run) else { return };
        let Some(table) = program.meta().cadences.get(of.cadence as usize) else { return };
        if of.attempts.len() >= table.attempts_max as usize {
            self.outgoing.waiting.push_front(Acting { run, what: Doing::Exhausted });
            return self.act_next();
        }
        let from = match of.attempts.last().and_then(|last| last.end) {
            Some(AttemptEnd::Retry { ladder }) => Time(now.0.saturating_add_unsigned(of.delay_ms(table, ladder))),
            Some(AttemptEnd::RetryAt { time }) => now.max(time),
            _ => Time(now.0.saturating_add_unsigned(INTERRUPTED_MS)),
        };
        let at = of.earliest(table, from);
        self.plan(run, at);
        self.act_next();
    }

    /// An attempt rings somebody, who does what the test says. He stays until he or the flow hangs up.
    pub fn dial_person(&mut self, leg: LegId, target: &Target, ring_ms: u64) {
        let (side, answer_ms) = (self.far_side(target), ANSWER_MS.min(ring_ms));
        let (gone_ms, cause) = match side {
            FarSide::Person | FarSide::Machine => {
                self.come(answer_ms, Coming::Leg(LegEvent::Media { leg, media: voice(), peer: nowhere().ip() }));
                self.come(answer_ms, Coming::Leg(LegEvent::Up { leg }));
                self.come(answer_ms, Coming::Greeted { leg, machine: side == FarSide::Machine });
                return;
            }
            FarSide::Unanswered => (ring_ms, GoneCause::NoAnswer),
            FarSide::Busy => (answer_ms, GoneCause::Refused(486)),
            FarSide::Declined => (answer_ms, GoneCause::Refused(603)),
            FarSide::Unreachable => (answer_ms, GoneCause::Unreachable),
        };
        self.come(gone_ms, Coming::Leg(LegEvent::Gone { leg, cause }));
    }

    pub fn greeted(&mut self, leg: LegId, machine: bool) {
        let run = self.outgoing.acting.map(|acting| acting.run);
        let run = run.and_then(|run| self.outgoing.runs.get_mut(run));
        if let Some(last) = run.and_then(|run| run.attempts.last_mut()) {
            last.talked = !machine;
        }
        self.give(Input::Media(MediaEvent::Greeted { leg, machine }));
    }
}
