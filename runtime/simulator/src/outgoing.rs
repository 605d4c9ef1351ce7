//! Cadences of a test: `outbound` says who is called and when, and here the calls are made, one at a time. Virtual time
//! skips the days between. It knows no agent for whom the lines would be paced.

use std::collections::VecDeque;

use runtime_contract::Time;
use runtime_contract::cadence::{AttemptEnd, Cadence, Outcome, Permission};
use runtime_contract::calendar::local_text;
use runtime_contract::leg::{GoneCause, LegEvent, LegId, Target};
use runtime_contract::pure::{Facts, PureRoom};
use runtime_contract::script::FarSide;
use runtime_contract::value::{Phone, Value};
use runtime_exchange::{Act, Input, MediaEvent, Refusal};
use runtime_outbound::{Attempt, Input as Told, Item, ItemId, Limits, Outbound, Output, Start, Stop, zones_of};

use crate::agents::short;
use crate::far_side::ANSWER_MS;
use crate::plant::{Coming, Plant, nowhere, voice};
use crate::transcript::What;

/// When the exchange has no room for a flow behind an attempt.
const BUSY_MS: u64 = 1_000;

/// All runs of a test, and the flow of one of them that runs now.
#[derive(Clone)]
pub(crate) struct Outgoing {
    outbound: Outbound,
    runs: Vec<Run>,
    acting: Option<Acting>,
    acts: u64,
    waiting: VecDeque<Acting>,
    /// Number of the attempt that begins, until its first line of the transcript.
    begins: Option<u32>,
    /// The next leg that is dialled is that of an attempt.
    awaits_leg: bool,
}

/// A flow of a cadence.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Acting {
    run: usize,
    what: Doing,
}

impl Acting {
    fn is_attempt_of(&self, run: usize) -> bool {
        self.run == run && matches!(self.what, Doing::Attempt { .. })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Doing {
    Attempt { number: u32 },
    After { flow: u32 },
    Exhausted { flow: u32 },
}

/// One person in one cadence.
#[derive(Clone)]
struct Run {
    cadence: u32,
    arguments: Vec<Value>,
    person: Phone,
    /// Of the clocks in the transcript.
    zone: String,
    /// How it ended, and what was done until then.
    over: Option<(String, Box<Item>)>,
}

impl Outgoing {
    pub fn new(cadences: Vec<Cadence>, now: Time) -> Outgoing {
        let limits = Limits { calling_max: 1, ..Limits::default() };
        let mut outbound = Outbound::new(limits);
        outbound.handle(now, Told::Cadences(cadences));
        Outgoing {
            outbound,
            runs: Vec::new(),
            acting: None,
            acts: 0,
            waiting: VecDeque::new(),
            begins: None,
            awaits_leg: false,
        }
    }

    /// A flow of a cadence runs, or is about to.
    pub fn is_acting(&self) -> bool {
        self.acting.is_some() || !self.waiting.is_empty()
    }

    /// Something is still to come of some run.
    pub fn goes_on(&self) -> bool {
        self.is_acting() || !self.outbound.is_empty()
    }

    pub fn next_deadline(&self) -> Option<Time> {
        self.outbound.next_deadline()
    }

    /// The run that was started last, of a cadence if it is named.
    pub fn last(&self, cadence: Option<u32>) -> Option<usize> {
        self.runs.iter().rposition(|run| cadence.is_none_or(|cadence| cadence == run.cadence))
    }

    pub fn stopped(&self, run: usize) -> Option<&str> {
        let (disposition, _) = self.runs.get(run)?.over.as_ref()?;
        Some(disposition)
    }

    pub fn attempts(&self, run: usize) -> &[Attempt] {
        let item = self.outbound.item(ItemId(run as u64));
        let over = self.runs.get(run).and_then(|run| run.over.as_ref()).map(|(_, item)| &**item);
        let all = item.or(over).map_or(&[][..], |item| &item.attempts);
        // One for which there may be no room is none yet.
        let begins = self.acting.iter().filter(|_| self.begins.is_some());
        let begins = |run: usize| begins.chain(&self.waiting).any(|acting| acting.is_attempt_of(run));
        match all.split_last() {
            Some((_, made)) if begins(run) => made,
            _ => all,
        }
    }

    /// He wants no more calls or messages, from whomever.
    pub fn has_refused(&self, person: Phone) -> bool {
        self.outbound.history(person).is_some_and(|history| history.opted_out || history.declined)
    }

    pub fn awaits_leg(&self) -> bool {
        self.awaits_leg
    }

    /// The leg is that of an attempt; said once.
    pub fn takes_leg(&mut self) -> bool {
        std::mem::take(&mut self.awaits_leg)
    }

    /// The attempt of which the transcript has no line yet; said once.
    pub fn begins(&mut self) -> Option<(u32, u32)> {
        let run = self.runs.get(self.acting?.run)?;
        Some((run.cadence, self.begins.take()?))
    }
}

impl Plant {
    /// A person is to be called, from now on.
    pub fn start(&mut self, cadence: u32, arguments: Vec<Value>) {
        let program = self.program();
        let Some(table) = program.meta().cadences.get(cadence as usize) else { return };
        let now = self.now().time;
        self.write(What::Starts { cadence: short(&table.name).to_owned() });
        let types = table.parameters.iter().map(|parameter| &parameter.r#type);
        let Some(mut facts) = Facts::new(program.meta(), types.zip(&arguments)) else { return };
        let mut room = PureRoom::default();
        let mut ask = |flow: u32| room.value(&*program, flow, &mut facts, &[], now).ok().flatten();
        let Some(Value::Phone(number)) = table.number.and_then(&mut ask) else {
            return self.write(What::NotCalled("no number".into()));
        };
        let Some(permission) = ask(table.permission).as_ref().and_then(Permission::from_value) else {
            return self.write(What::NotCalled("nothing says that he has agreed".into()));
        };
        let zone = match table.zone.and_then(&mut ask) {
            Some(Value::Text(zone)) => Some(zone),
            _ => None,
        };
        let begin = match table.begin.and_then(&mut ask) {
            Some(Value::Some(time)) => match *time {
                Value::Moment(ms) => Some(Time(ms)),
                _ => None,
            },
            _ => None,
        };
        let clock = zone.as_deref().or_else(|| zones_of(number).first().copied());
        let clock = clock.unwrap_or_else(|| program.meta().zone()).to_owned();
        let item = ItemId(self.outgoing.runs.len() as u64);
        let record = arguments.clone();
        self.outgoing.runs.push(Run { cadence, arguments, person: number, zone: clock, over: None });
        let facts = runtime_outbound::Facts { number, permission, zone, begin };
        self.tell(Told::Start(Box::new(Start { item, cadence: table.name.clone(), record, facts })));
        // What is given of the person may stand on the next line.
        self.come(0, Coming::Room);
    }

    /// Its time has come, for somebody.
    pub fn due(&mut self) {
        self.tell(Told::Tick);
        self.act_next();
    }

    fn tell(&mut self, input: Told) {
        let now = self.now().time;
        let is_refused = matches!(input, Told::Refused { .. });
        self.outgoing.outbound.handle(now, input);
        while let Some(output) = self.outgoing.outbound.poll() {
            let wait = |outgoing: &mut Outgoing, item: ItemId, what| {
                outgoing.waiting.push_back(Acting { run: item.0 as usize, what });
            };
            match output {
                Output::NextAt { item, at } if at > now && !is_refused => {
                    let zone = self.outgoing.runs.get(item.0 as usize).map_or("", |run| run.zone.as_str());
                    let at = local_text(at, zone);
                    self.write(What::Retries { at });
                }
                Output::NextAt { .. } => {}
                Output::Attempt { item, n, .. } => wait(&mut self.outgoing, item, Doing::Attempt { number: n }),
                Output::After { item, flow, .. } => wait(&mut self.outgoing, item, Doing::After { flow }),
                Output::Exhausted { item, flow } => wait(&mut self.outgoing, item, Doing::Exhausted { flow }),
                Output::Stopped { item, stop, last } => self.stopped(item, stop, last),
            }
        }
    }

    fn stopped(&mut self, item: ItemId, stop: Stop, last: Box<Item>) {
        let program = self.program();
        let Some(run) = self.outgoing.runs.get_mut(item.0 as usize) else { return };
        let cadence = run.cadence;
        let table = program.meta().cadences.get(cadence as usize);
        let disposition = stop.name(table).to_owned();
        run.over = Some((disposition.clone(), last));
        let purpose = table.map_or("", |table| table.purpose.as_str());
        match stop {
            Stop::NoConsent => self.write(What::NotCalled(format!("no permission for {purpose}"))),
            Stop::NoPlace => self.write(What::NotCalled("nobody knows in which place he is".into())),
            Stop::NeverLegal => {
                self.write(What::NotCalled("there is no instant at which it would be allowed".into()));
            }
            Stop::OptedOut | Stop::Declined => self.write(What::NotCalled("he wants no more calls".into())),
            _ => {}
        }
        self.write(What::CadenceStops { cadence, disposition });
    }

    /// Begins the next flow of a cadence, where none runs.
    pub fn act_next(&mut self) {
        if self.outgoing.acting.is_some() {
            return;
        }
        let Some(acting) = self.outgoing.waiting.pop_front() else { return };
        let program = self.program();
        let Some(run) = self.outgoing.runs.get(acting.run) else { return };
        let Some(table) = program.meta().cadences.get(run.cadence as usize) else { return };
        let flow = match acting.what {
            Doing::Attempt { number } => {
                self.outgoing.begins = Some(number);
                self.outgoing.awaits_leg = true;
                let message = table.message.as_ref().map(|message| message.flow);
                table.dial.as_ref().map(|dial| dial.flow).or(message)
            }
            Doing::After { flow } | Doing::Exhausted { flow } => Some(flow),
        };
        let Some(flow) = flow else { return };
        let (arguments, person) = (run.arguments.clone(), Some(run.person));
        self.outgoing.acts += 1;
        self.outgoing.acting = Some(acting);
        self.ended = false;
        self.inputs.push_back(Input::Act(Act { number: self.outgoing.acts, flow, arguments, person }));
    }

    /// A flow of a cadence is over, or there was no room for it.
    pub fn acted(&mut self, outcome: Option<Outcome>, result: Result<Option<Value>, Refusal>) {
        let Some(acting) = self.outgoing.acting.take() else { return };
        let item = ItemId(acting.run as u64);
        self.outgoing.awaits_leg = false;
        self.outgoing.begins = None;
        match (acting.what, result) {
            (Doing::Attempt { .. }, Ok(value)) => {
                let end = value.as_ref().and_then(AttemptEnd::from_value);
                self.tell(Told::Attempted { item, outcome: outcome.unwrap_or(Outcome::Interrupted), end });
            }
            (Doing::Attempt { .. }, Err(_)) => self.tell(Told::Refused { item }),
            (Doing::Exhausted { .. }, Ok(value)) => {
                let disposition = match value {
                    Some(Value::Int(index)) => u32::try_from(index).ok(),
                    _ => None,
                };
                self.tell(Told::Exhausted { item, disposition });
            }
            (Doing::After { .. }, Ok(_)) => {}
            (Doing::After { .. } | Doing::Exhausted { .. }, Err(_)) => {
                self.outgoing.waiting.push_front(acting);
                return self.come(BUSY_MS, Coming::Room);
            }
        }
        // This call comes to its end first.
        if !self.outgoing.waiting.is_empty() {
            self.come(0, Coming::Room);
        }
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
        self.give(Input::Media(MediaEvent::Greeted { leg, machine }));
    }
}
