//! From the start of a step to each `go` and end in it: the most of one measure on the way. Every branch and outcome is
//! taken to be possible, all tries of a dialogue and all rounds of a loop are used up.

use std::collections::BTreeMap;

use lang_diagnostics::Span;

use super::time::{self, Try};
use super::tour::{Exit, Tour};
use super::{Cause, Exits, Known, Measure, Most};
use crate::hir::{Block, Dialogue, Flow, Loop, Prompts, Statement, StatementKind, Takes};

/// A place, and the most that it takes to come there.
#[derive(Clone, Copy, Debug)]
pub(super) struct At {
    pub amount: u64,
    /// Index of the latest of the parts that make the amount.
    part: Option<usize>,
}

/// A line or a number that adds to an amount.
struct Part {
    cause: Cause,
    before: Option<usize>,
}

pub(super) struct Walk<'w, 'p> {
    known: &'w mut Known<'p>,
    flow: &'p Flow,
    measure: Measure,
    /// Where in the tour the block stands.
    node: usize,
    tour: &'w mut Tour<'p>,
    parts: Vec<Part>,
    /// The most at the `again`s of the dialogue whose lap is measured.
    again: Option<At>,
    /// Laps being measured, one in another: nothing is told to the tour meanwhile.
    measuring: u32,
    /// Of each dialogue that was looked at, from behind the prompts of one try to the next try.
    laps: Vec<Option<Option<u64>>>,
    /// Of each loop that was looked at, one round.
    rounds: BTreeMap<*const Loop, Option<u64>>,
}

fn either(a: Option<At>, b: Option<At>) -> Option<At> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if b.amount > a.amount { b } else { a }),
        (a, b) => a.or(b),
    }
}

impl<'w, 'p> Walk<'w, 'p> {
    pub fn new(
        known: &'w mut Known<'p>,
        flow: &'p Flow,
        measure: Measure,
        node: usize,
        tour: &'w mut Tour<'p>,
    ) -> Walk<'w, 'p> {
        let laps = vec![None; flow.dialogues as usize];
        Walk {
            known,
            flow,
            measure,
            node,
            tour,
            parts: Vec::new(),
            again: None,
            measuring: 0,
            laps,
            rounds: BTreeMap::new(),
        }
    }

    pub fn enter(&mut self, block: &'p Block) {
        let end = self.block(block, At { amount: 0, part: None });
        self.exit(end, Exit::Any, None);
    }

    fn block(&mut self, block: &'p Block, mut at: At) -> Option<At> {
        for statement in &block.statements {
            at = self.statement(statement, at)?;
        }
        Some(at)
    }

    fn statement(&mut self, statement: &'p Statement, at: At) -> Option<At> {
        let span = statement.keyword;
        match &statement.kind {
            StatementKind::Reject(_) | StatementKind::HangUp => {
                self.exit(Some(at), Exit::Any, None);
                None
            }
            StatementKind::Return(_) => {
                self.exit(Some(at), Exit::Any, None);
                self.exit(Some(at), Exit::Returned, None);
                None
            }
            StatementKind::Play(prompts) => {
                let amount = self.heard(prompts);
                Some(self.plus(at, amount, span))
            }
            StatementKind::Wait(duration) => {
                let ms = self.known.times.wait(duration);
                Some(self.waited(at, ms, span))
            }
            StatementKind::Menu(menu) => {
                let at = if self.measure == Measure::Menus { self.plus(at, 1, span) } else { at };
                self.dialogue(&menu.dialogue, time::menu(menu), false, at, span)
            }
            StatementKind::Ask(ask) => {
                let mut tried = self.of(time::ask(ask));
                if let Some(confirm) = &ask.confirm {
                    // Every outcome may come behind what is read back.
                    let listen_ms = if self.counts_time() { u64::from(ask.dialogue.listen_ms) } else { 0 };
                    let ms = tried.input + listen_ms + self.heard(&confirm.prompts);
                    tried = Try { silence: ms, input: ms };
                }
                self.tries(&ask.dialogue, tried, true, at, span)
            }
            StatementKind::Record(record) => self.dialogue(&record.dialogue, time::record(record), true, at, span),
            StatementKind::Service(call) => {
                let ms = self.known.times.within(call);
                let at = self.waited(at, ms, span);
                either(self.block(&call.ok, at), self.block(&call.failed, at))
            }
            StatementKind::Connect(connect) => {
                let at = self.person(at, u64::from(connect.ring_ms), span)?;
                connect.arms.iter().fold(None, |behind, arm| either(behind, self.block(&arm.block, at)))
            }
            StatementKind::Queue(call) => {
                let at = self.comfort(call.queue, at);
                let at = self.person(at, self.known.times.queue(call.queue), span)?;
                call.arms.iter().fold(None, |behind, arm| either(behind, self.block(&arm.block, at)))
            }
            StatementKind::Transfer(transfer) => {
                let at = self.person(at, time::TRANSFER_MS, span)?;
                self.exit(Some(at), Exit::Any, None);
                self.block(&transfer.failed, at)
            }
            // What a cadence does is no part of any call that comes in.
            StatementKind::Dial(dial) => {
                dial.arms.iter().fold(None, |behind, arm| either(behind, self.block(&arm.block, at)))
            }
            StatementKind::Run(run) => self.run(run.flow, at),
            StatementKind::Survey { held, .. } => either(self.block(held, at), Some(at)),
            StatementKind::If { then, otherwise, .. } => either(self.block(then, at), self.block(otherwise, at)),
            StatementKind::Match(found) => {
                found.arms.iter().fold(None, |behind, arm| either(behind, self.block(&arm.block, at)))
            }
            StatementKind::Loop(found) => self.rounds(found, at, span),
            StatementKind::Go(go) => {
                if self.measuring == 0 {
                    let bound = go.bound.as_ref().map(|bound| (bound.times, bound.times_span));
                    let causes = self.causes(at);
                    self.tour.go(self.node, go.step.0, bound, at.amount, causes);
                }
                go.bound.as_ref().and_then(|bound| self.block(&bound.otherwise, at))
            }
            StatementKind::Again(_) => {
                self.again = either(self.again, Some(at));
                None
            }
            StatementKind::Answer
            | StatementKind::OfferCallback(_)
            | StatementKind::Start(_)
            | StatementKind::Recording { .. }
            | StatementKind::Note { .. }
            | StatementKind::Send(_)
            | StatementKind::OpenCase(_)
            | StatementKind::SurveyAnswer { .. }
            | StatementKind::SetLanguage(_)
            | StatementKind::Let { .. }
            | StatementKind::Broken => Some(at),
        }
    }

    fn plus(&mut self, at: At, amount: u64, span: Span) -> At {
        if amount == 0 {
            return at;
        }
        self.parts.push(Part { cause: Cause { span, amount }, before: at.part });
        At { amount: at.amount.saturating_add(amount), part: Some(self.parts.len() - 1) }
    }

    /// Another flow's amount; what makes most of it stands in that flow.
    fn plus_run(&mut self, at: At, run: &Most) -> At {
        let amount = at.amount.saturating_add(run.amount);
        let Some(cause) = run.cause else { return At { amount, ..at } };
        self.parts.push(Part { cause, before: at.part });
        At { amount, part: Some(self.parts.len() - 1) }
    }

    fn counts_time(&self) -> bool {
        matches!(self.measure, Measure::TimeMs | Measure::PersonMs)
    }

    fn waited(&mut self, at: At, ms: u64, span: Span) -> At {
        if self.counts_time() { self.plus(at, ms, span) } else { at }
    }

    fn heard(&self, prompts: &Prompts) -> u64 {
        match self.measure {
            Measure::Prompts => prompts.items.len() as u64,
            Measure::TimeMs | Measure::PersonMs => self.known.times.prompts(self.flow, prompts),
            Measure::Menus => 0,
        }
    }

    /// A person is rung. Who waits for the first one is there.
    fn person(&mut self, at: At, ring_ms: u64, span: Span) -> Option<At> {
        if self.measure == Measure::PersonMs {
            self.exit(Some(at), Exit::Person, Some(span));
            return None;
        }
        Some(self.waited(at, ring_ms, span))
    }

    fn run(&mut self, flow: u32, at: At) -> Option<At> {
        let Exits { any, returned, person } = self.known.exits(flow, self.measure);
        let ended = self.plus_run(at, &any);
        self.exit(Some(ended), Exit::Any, None);
        if let Some(person) = person {
            let rung = self.plus_run(at, &person.wait);
            self.exit(Some(rung), Exit::Person, Some(person.place));
        }
        returned.map(|returned| self.plus_run(at, &returned))
    }

    /// What is said to a caller who waits as long as he may; the time is that of the queue.
    fn comfort(&mut self, queue: u32, at: At) -> At {
        let found = self.known.times.comfort(queue).filter(|_| self.measure == Measure::Prompts);
        let Some((flow, span, times)) = found else { return at };
        let amount = self.known.exits(flow, self.measure).any.amount;
        self.plus(at, amount.saturating_mul(times), span)
    }

    fn rounds(&mut self, found: &'p Loop, at: At, span: Span) -> Option<At> {
        let further = u64::from(found.rounds_max.saturating_sub(1));
        let before = match self.round(found) {
            Some(lap) if self.measure != Measure::Menus => self.plus(at, lap.saturating_mul(further), span),
            _ => at,
        };
        let behind = self.block(&found.block, before);
        if found.is_certain { behind } else { either(behind, Some(at)) }
    }

    /// Rounds inside rounds are looked at once, however deep they lie.
    fn round(&mut self, found: &'p Loop) -> Option<u64> {
        if let Some(known) = self.rounds.get(&std::ptr::from_ref(found)) {
            return *known;
        }
        let lap = self.measured(|walk| walk.block(&found.block, At { amount: 0, part: None })).map(|lap| lap.amount);
        self.rounds.insert(found, lap);
        lap
    }

    fn measured(&mut self, walk: impl FnOnce(&mut Self) -> Option<At>) -> Option<At> {
        self.measuring += 1;
        let outer = self.again.take();
        let lap = walk(self);
        self.again = outer;
        self.measuring -= 1;
        lap
    }

    /// What one try takes of the measure, its prompts apart.
    fn of(&self, tried: Try) -> Try {
        if self.counts_time() { tried } else { Try { silence: 0, input: 0 } }
    }

    fn dialogue(&mut self, dialogue: &'p Dialogue, tried: Try, good: bool, at: At, span: Span) -> Option<At> {
        let tried = self.of(tried);
        self.tries(dialogue, tried, good, at, span)
    }

    /// `good`: one outcome has no arm and goes on behind the dialogue.
    fn tries(&mut self, dialogue: &'p Dialogue, tried: Try, good: bool, at: At, span: Span) -> Option<At> {
        let first = self.heard(&dialogue.prompts);
        let later = dialogue.reprompt.as_ref().map_or(first, |later| self.heard(later));
        let lap = self.lap(dialogue, tried, span);
        let tries = u64::from(dialogue.tries_max.unwrap_or(1));
        let at = self.plus(at, first, span);
        // Behind the prompts of the last try, and behind all tries.
        let (last, used_up) = match lap.filter(|_| self.measure != Measure::Menus) {
            Some(lap) => {
                let further = later.saturating_add(lap).saturating_mul(tries.saturating_sub(1));
                let last = self.plus(at, further, dialogue.tries_span);
                (last, self.plus(last, lap, span))
            }
            None => (at, at),
        };
        let input = self.plus(last, tried.input, span);
        let silence = self.plus(last, tried.silence, span);
        let mut behind = good.then_some(input);
        for arm in &dialogue.arms {
            let entry = arm.takes.iter().map(|takes| match takes {
                Takes::AfterTries => used_up,
                Takes::Silence => silence,
                _ => input,
            });
            if let Some(entry) = entry.map(Some).fold(None, either) {
                // Whatever says `again` inside is told to the dialogue that holds this one as its own.
                let outer = self.again.take();
                behind = either(behind, self.block(&arm.block, entry));
                self.again = outer;
            }
        }
        behind
    }

    /// From behind the prompts of one try to the next; `None` where no arm says `again`.
    fn lap(&mut self, dialogue: &'p Dialogue, tried: Try, span: Span) -> Option<u64> {
        dialogue.tries_max?;
        let id = dialogue.id.0 as usize;
        if let Some(known) = self.laps.get(id).copied().flatten() {
            return known;
        }
        let lap = self.measured(|walk| {
            for arm in &dialogue.arms {
                let entry = arm.takes.iter().filter_map(|takes| match takes {
                    Takes::AfterTries => None,
                    Takes::Silence => Some(tried.silence),
                    _ => Some(tried.input),
                });
                if let Some(entry) = entry.max() {
                    let entry = walk.plus(At { amount: 0, part: None }, entry, span);
                    walk.block(&arm.block, entry);
                }
            }
            walk.again
        });
        let lap = lap.map(|lap| lap.amount);
        if let Some(place) = self.laps.get_mut(id) {
            *place = Some(lap);
        }
        lap
    }

    fn exit(&mut self, at: Option<At>, exit: Exit, place: Option<Span>) {
        let Some(at) = at.filter(|_| self.measuring == 0) else { return };
        let causes = self.causes(at);
        self.tour.exit(self.node, exit, place, at.amount, causes);
    }

    /// Latest first.
    fn causes(&self, at: At) -> Vec<Cause> {
        let part = |index: Option<usize>| index.and_then(|index| self.parts.get(index));
        std::iter::successors(part(at.part), |last| part(last.before)).map(|part| part.cause).collect()
    }
}
