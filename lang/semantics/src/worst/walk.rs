//! The dearest paths of one flow, from given places to every `go` and end. Bounded `go`s are not followed, so what is
//! left has no cycle but the tries of dialogues, whose number is known. Every branch and outcome is taken to be possible.

use std::collections::BTreeMap;

use lang_diagnostics::Span;

use super::cost::{self, Cost, Measure};
use super::{Program, Run};
use crate::check::CheckedFlow;
use crate::figures::time;
use crate::hir::{Block, Dialogue, Flow, Loop, Rounds, Statement, StatementKind, Takes};

/// The dearest way to each place of a flow; `None` where none leads.
pub(super) struct Walk<'w> {
    program: &'w Program<'w>,
    runs: &'w dyn Fn(u32) -> Option<Run>,
    flow: &'w Flow,
    way: Way,
    /// Of each dialogue that was looked at.
    laps: Vec<Option<Lap>>,
    /// Of each loop that was looked at, what a round costs.
    rounds: BTreeMap<*const Loop, Option<Cost>>,
    /// At the start of each step.
    pub steps: Vec<Option<Cost>>,
    /// At each bounded `go`, by its counter.
    pub bounded: Vec<Option<Cost>>,
    pub returned: Option<Cost>,
    pub ended: Option<Cost>,
    /// At most anywhere.
    pub anywhere: Cost,
    /// At the `again`s of the dialogue whose lap is measured.
    again: Option<Cost>,
    /// Depth of laps being measured: nothing is noted meanwhile.
    measuring: u32,
    pub watch: Option<Watch>,
    /// By step, the dearest way from its start: then a `go` ends the walk, and counts what lies behind it.
    pub ahead: Option<Vec<Cost>>,
}

/// Which ways are gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    /// Nothing is left out: computed waits are long.
    Any,
    /// All tries of a dialogue are used up; computed waits take no time.
    Whole,
    /// The same, with one try of each dialogue.
    Straight,
}

/// A dialogue that says `again`.
#[derive(Clone, Copy)]
pub(super) struct Lap {
    /// From the start of one try to the next; `None` when no way leads there.
    pub cost: Option<Cost>,
    pub tries: u32,
    /// The number of tries.
    pub span: Span,
}

/// Looks for the statement that passes a limit.
pub(super) struct Watch {
    pub measure: Measure,
    pub most: i64,
    pub passed: Option<Passed>,
}

/// The statement that passes it.
#[derive(Clone, Copy)]
pub(super) struct Passed {
    pub span: Span,
    /// What had been used before.
    pub before: i64,
    /// What stands before its time, where it has one.
    pub time_word: &'static str,
}

fn raise(place: Option<&mut Option<Cost>>, cost: Cost) {
    if let Some(place) = place {
        *place = Some(place.map_or(cost, |known| known.most(cost)));
    }
}

fn either(a: Option<Cost>, b: Option<Cost>) -> Option<Cost> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.most(b)),
        (a, b) => a.or(b),
    }
}

impl<'w> Walk<'w> {
    pub fn new(program: &'w Program<'w>, runs: &'w dyn Fn(u32) -> Option<Run>, flow: &'w Flow, way: Way) -> Walk<'w> {
        Walk {
            program,
            runs,
            flow,
            way,
            laps: vec![None; flow.dialogues as usize],
            rounds: BTreeMap::new(),
            steps: vec![None; flow.steps.len()],
            bounded: vec![None; flow.counters as usize],
            returned: None,
            ended: None,
            anywhere: Cost::ZERO,
            again: None,
            measuring: 0,
            watch: None,
            ahead: None,
        }
    }

    /// Forgets where it was, not what laps cost.
    pub fn restart(&mut self) {
        self.steps.fill(None);
        self.bounded.fill(None);
        (self.returned, self.ended, self.anywhere) = (None, None, Cost::ZERO);
    }

    /// From the top part, or a handler. Where its end is reached, that is an end of the flow.
    pub fn enter_block(&mut self, block: &'w Block) {
        let behind = self.block(block, Cost::ZERO);
        self.ended = either(self.ended, behind);
    }

    pub fn enter_step(&mut self, step: u32) {
        raise(self.steps.get_mut(step as usize), Cost::ZERO);
    }

    /// Through all steps that are entered, in this order. `spins` is what happens at a step's start beside.
    pub fn through(&mut self, order: &[u32], spins: &dyn Fn(u32) -> Option<Cost>) {
        let flow = self.flow;
        for step in order {
            let Some(entered) = self.steps.get(*step as usize).copied().flatten() else { continue };
            let entered = spins(*step).map_or(entered, |spin| entered.plus(spin));
            if let Some(step) = flow.steps.get(*step as usize) {
                self.block(&step.block, entered);
            }
        }
    }

    /// The dearest way from the start of each step to an end or a bounded `go`.
    pub fn look_ahead(&mut self, order: &[u32]) {
        let flow = self.flow;
        self.ahead = Some(vec![Cost::ZERO; flow.steps.len()]);
        for step in order.iter().rev() {
            let Some(block) = flow.steps.get(*step as usize).map(|step| &step.block) else { continue };
            let dearest = self.dearest(block);
            if let Some(place) = self.ahead.as_mut().and_then(|ahead| ahead.get_mut(*step as usize)) {
                *place = dearest;
            }
        }
    }

    /// The dearest way from the start of a block to an end or a bounded `go`, after [`Walk::look_ahead`].
    pub fn dearest(&mut self, block: &'w Block) -> Cost {
        (self.returned, self.ended) = (None, None);
        self.enter_block(block);
        self.dearest_end()
    }

    /// Over all ends that were reached.
    pub fn dearest_end(&self) -> Cost {
        [self.returned, self.ended].into_iter().flatten().reduce(Cost::most).unwrap_or(Cost::ZERO)
    }

    fn block(&mut self, block: &'w Block, entry: Cost) -> Option<Cost> {
        let mut at = entry;
        for statement in &block.statements {
            let behind = self.statement(statement, at);
            if let Some(watch) = self.watch.as_mut().filter(|_| self.measuring == 0)
                && watch.passed.is_none()
                && let Some(behind) = behind
                && behind.get(watch.measure) > watch.most
                && at.get(watch.measure) <= watch.most
            {
                let time_word = match statement.kind {
                    StatementKind::Wait(_) => "wait",
                    StatementKind::Service(_) => "within",
                    _ => "",
                };
                watch.passed = Some(Passed { span: statement.keyword, before: at.get(watch.measure), time_word });
            }
            at = behind?;
            if self.measuring == 0 {
                self.anywhere = self.anywhere.most(at);
            }
        }
        Some(at)
    }

    fn statement(&mut self, statement: &'w Statement, at: Cost) -> Option<Cost> {
        match &statement.kind {
            StatementKind::OpenCase(_) => Some(at.plus(Cost::request().message())),
            StatementKind::Answer | StatementKind::Recording { .. } | StatementKind::OfferCallback(_) => {
                Some(at.plus(Cost::request()))
            }
            StatementKind::Survey { held, .. } => {
                let at = at.plus(Cost::request());
                either(self.block(held, at), Some(at))
            }
            StatementKind::SurveyAnswer { .. } => Some(at.plus(Cost::request())),
            StatementKind::Reject(_) | StatementKind::HangUp => {
                self.end(at.plus(Cost::request()));
                None
            }
            StatementKind::Play(prompts) => Some(at.plus(cost::prompted(prompts))),
            StatementKind::Send(message) => {
                let to = message.to.as_ref().map_or(Cost::ZERO, cost::private_made);
                Some(at.plus(cost::prompted(&message.text).message()).plus(to))
            }
            StatementKind::Wait(duration) => Some(at.plus(cost::wait(duration, self.way != Way::Any))),
            StatementKind::Note { value, .. } => Some(at.plus(Cost::request()).plus(cost::private_made(value))),
            StatementKind::SetLanguage(value) | StatementKind::Let { value, .. } => {
                Some(at.plus(cost::private_made(value)))
            }
            StatementKind::Menu(menu) => self.dialogue(&menu.dialogue, cost::menu(menu), None, at),
            StatementKind::Ask(ask) => {
                let (tried, good) = cost::ask(ask);
                self.dialogue(&ask.dialogue, tried, Some(good), at)
            }
            StatementKind::Record(record) => {
                self.dialogue(&record.dialogue, cost::record(record), Some(Cost::ZERO), at)
            }
            StatementKind::Service(call) => {
                let operation = cost::operation(self.program.services, call);
                let (asked, good) = cost::service(call, operation, self.program.types, self.way != Way::Any);
                let at = at.plus(asked);
                let ok = self.block(&call.ok, at.plus(good));
                either(ok, self.block(&call.failed, at))
            }
            StatementKind::Connect(connect) => {
                let values = [&connect.to.value].into_iter().chain(&connect.from);
                let asked = values.fold(Cost::request(), |cost, value| cost.plus(cost::private_made(value)));
                let at = at.plus(asked.waited(i64::from(connect.ring_ms)));
                connect.arms.iter().fold(None, |behind, arm| either(behind, self.block(&arm.block, at)))
            }
            StatementKind::Queue(call) => {
                // Without a timeout he waits as long as he likes; of one that no call has room for is told where it stands.
                let queue = self.program.queues.get(call.queue as usize);
                let timeout_ms = queue.and_then(|queue| i64::try_from(queue.table.timeout_ms?).ok());
                let timeout_ms = timeout_ms.filter(|ms| *ms < super::limit(Measure::WaitedMs)).unwrap_or(0);
                let at = at.plus(Cost::request().waited(timeout_ms)).plus(cost::arguments(&call.arguments));
                call.arms.iter().fold(None, |behind, arm| either(behind, self.block(&arm.block, at)))
            }
            StatementKind::Dial(dial) => {
                let values = [&dial.number].into_iter().chain(&dial.from);
                let asked = values.fold(Cost::request(), |cost, value| cost.plus(cost::private_made(value)));
                let at = at.plus(asked);
                dial.arms.iter().fold(None, |behind, arm| either(behind, self.block(&arm.block, at)))
            }
            StatementKind::Start(start) => Some(at.plus(Cost::request()).plus(cost::arguments(&start.arguments))),
            StatementKind::Transfer(transfer) => {
                let rung = Cost::request().waited(time::TRANSFER_MS as i64);
                let at = at.plus(rung).plus(cost::private_made(&transfer.to.value));
                self.end(at);
                self.block(&transfer.failed, at)
            }
            StatementKind::Run(found) => {
                let at = at.plus(Cost::one_move()).plus(cost::arguments(&found.arguments));
                let run = (self.runs)(found.flow)?;
                let ways = if self.way == Way::Straight { run.straight } else { run.ways };
                let returned = ways.returned.map(|returned| at.plus(returned));
                let Some(hangup) = &found.hangup else {
                    self.end(at.plus(ways.most));
                    return returned;
                };
                let returned = returned.and_then(|at| self.block(&hangup.returned, at));
                either(returned, self.block(&hangup.gone, at.plus(ways.most)))
            }
            StatementKind::If { condition, then, otherwise } => {
                let at = at.plus(cost::private_made(condition));
                let then = self.block(then, at);
                either(then, self.block(otherwise, at))
            }
            StatementKind::Match(found) => {
                let at = at.plus(cost::private_made(&found.subject));
                found.arms.iter().fold(None, |behind, arm| either(behind, self.block(&arm.block, at)))
            }
            StatementKind::Loop(found) => self.rounds(found, at),
            StatementKind::Go(go) => {
                let gone = at.plus(Cost::one_move()).plus(cost::arguments(&go.arguments));
                if let Some(ahead) = &self.ahead {
                    let behind = ahead.get(go.step.0 as usize).filter(|_| go.bound.is_none());
                    self.end(gone.plus(behind.copied().unwrap_or(Cost::ZERO)));
                }
                let Some(bound) = &go.bound else {
                    if self.measuring == 0 {
                        raise(self.steps.get_mut(go.step.0 as usize), gone);
                    }
                    return None;
                };
                if self.measuring == 0 {
                    raise(self.bounded.get_mut(bound.counter.0 as usize), gone);
                }
                self.block(&bound.otherwise, at)
            }
            StatementKind::Return(value) => {
                if self.measuring == 0 {
                    let made = value.as_ref().map_or(Cost::ZERO, cost::private_made);
                    raise(Some(&mut self.returned), at.plus(made));
                }
                None
            }
            StatementKind::Again(_) => {
                raise(Some(&mut self.again), at);
                None
            }
            StatementKind::Broken => Some(at),
        }
    }

    fn end(&mut self, at: Cost) {
        if self.measuring == 0 {
            raise(Some(&mut self.ended), at);
        }
    }

    /// All rounds but the last are counted by what one costs; the last leads to whatever stands in it. Over rows, the
    /// straight way has one round where the world gives their number.
    fn rounds(&mut self, found: &'w Loop, at: Cost) -> Option<Cost> {
        let at = match &found.rounds {
            Rounds::Times(times) => at.plus(cost::private_made(times)),
            Rounds::Each { list, .. } => at.plus(cost::private_made(list)),
        };
        let rounds = match (&found.rounds, self.way) {
            (Rounds::Each { .. }, Way::Straight) if !found.is_certain => 1,
            _ => found.rounds_max,
        };
        let lap = self.round(found);
        let before = lap.map_or(at, |lap| at.plus(lap.times(rounds.saturating_sub(1))));
        let behind = self.block(&found.block, before.plus(Cost::one_move()));
        if found.is_certain { behind } else { either(behind, Some(at)) }
    }

    /// Rounds inside rounds are looked at once, however deep they lie.
    fn round(&mut self, found: &'w Loop) -> Option<Cost> {
        if let Some(known) = self.rounds.get(&std::ptr::from_ref(found)) {
            return *known;
        }
        self.measuring += 1;
        let outer = self.again.take();
        let lap = self.block(&found.block, Cost::one_move());
        self.again = outer;
        self.measuring -= 1;
        self.rounds.insert(found, lap);
        lap
    }

    /// `tried` is one try; `good` what the good outcome takes beside, where there is one.
    fn dialogue(&mut self, dialogue: &'w Dialogue, tried: Cost, good: Option<Cost>, at: Cost) -> Option<Cost> {
        let lap = self.lap(dialogue, tried);
        let tries = if self.way == Way::Straight { 1 } else { dialogue.tries_max.unwrap_or(1) };
        let last = lap.map_or(at, |lap| at.plus(lap.times(tries.saturating_sub(1)))).plus(tried);
        let mut behind = good.map(|good| last.plus(good));
        for arm in &dialogue.arms {
            let by_outcome = arm.takes.iter().any(|takes| *takes != Takes::AfterTries).then_some(last);
            let after = arm.takes.contains(&Takes::AfterTries).then_some(());
            let after = after.and(lap).map(|lap| at.plus(lap.times(tries)));
            if let Some(entry) = either(by_outcome, after) {
                let end = self.inner(|walk| walk.block(&arm.block, entry));
                behind = either(behind, end);
            }
        }
        behind
    }

    /// Whatever says `again` inside is of another dialogue.
    fn inner<T>(&mut self, walk: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.again.take();
        let value = walk(self);
        self.again = outer;
        value
    }

    /// The dearest way from the start of a try to the next; `None` when no arm says `again`.
    fn lap(&mut self, dialogue: &'w Dialogue, tried: Cost) -> Option<Cost> {
        let tries = dialogue.tries_max?;
        let id = dialogue.id.0 as usize;
        if let Some(known) = self.laps.get(id).copied().flatten() {
            return known.cost;
        }
        self.measuring += 1;
        let outer = self.again.take();
        for arm in dialogue.arms.iter().filter(|arm| arm.takes.iter().any(|takes| *takes != Takes::AfterTries)) {
            self.block(&arm.block, tried);
        }
        let lap = std::mem::replace(&mut self.again, outer);
        self.measuring -= 1;
        if let Some(place) = self.laps.get_mut(id) {
            *place = Some(Lap { cost: lap, tries, span: dialogue.tries_span });
        }
        lap
    }

    pub fn laps(&self) -> impl Iterator<Item = Lap> + '_ {
        self.laps.iter().copied().flatten()
    }
}

/// The steps, each before those to which it leads without a bound; `None` when some lead in a circle.
pub(super) fn order(flow: &CheckedFlow) -> Option<Vec<u32>> {
    let unbounded = |step: u32| {
        let edges = flow.out.get(step as usize).into_iter().flatten().filter_map(|edge| flow.edges.get(*edge));
        edges.filter(|edge| edge.bound.is_none()).map(|edge| edge.to)
    };
    let mut before = vec![0usize; flow.hir.steps.len()];
    for to in (0..flow.hir.steps.len() as u32).flat_map(unbounded) {
        if let Some(count) = before.get_mut(to as usize) {
            *count += 1;
        }
    }
    let free = before.iter().zip(0u32..).filter(|(count, _)| **count == 0);
    let mut order: Vec<u32> = free.map(|(_, step)| step).collect();
    let mut done = 0;
    while let Some(step) = order.get(done).copied() {
        done += 1;
        for to in unbounded(step) {
            if let Some(count) = before.get_mut(to as usize) {
                *count -= 1;
                if *count == 0 {
                    order.push(to);
                }
            }
        }
    }
    (order.len() == flow.hir.steps.len()).then_some(order)
}
