//! What the worst call of each flow is like, in figures that an operator reads: prompts heard, time on the line, menus
//! one after another, and the time until a person is rung. The text alone counts, as in [`crate::worst`]; limits are
//! not looked at here. Decision 0021 says what is counted, and how.

pub(crate) mod time;
mod tour;
mod walk;

use std::collections::BTreeMap;

use lang_diagnostics::Span;

use crate::hir::{Block, Flow, Program};
use time::Times;
use tour::{Exit, Tour};
use walk::Walk;

/// The worst case of one flow, with whatever it runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Figures {
    /// Index in the flows of the program.
    pub flow: u32,
    /// Texts and recordings played to the caller.
    pub prompts: Most,
    /// Milliseconds on the line; talks with people are left out.
    pub time_ms: Most,
    /// Menus one after another, without going back. `cause` is the deepest.
    pub menus: Most,
    /// Milliseconds until a `connect` or `transfer` rings for the first time; `None` when none does.
    pub person_ms: Option<Person>,
}

/// An amount, and how a call comes by it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Most {
    pub amount: u64,
    pub cause: Option<Cause>,
    /// Names of the steps that the call comes by, in the order in which it first does, and how often.
    pub way: Vec<(String, u64)>,
    /// No call needs more; otherwise this much is there, and more was not looked for.
    pub is_most: bool,
}

/// The line, or the number in it, that makes most of an amount.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cause {
    pub span: Span,
    pub amount: u64,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Person {
    pub wait: Most,
    /// The verb.
    pub place: Span,
}

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Measure {
    Prompts,
    TimeMs,
    /// As `TimeMs`, on ways that end where the first person is rung.
    PersonMs,
    Menus,
}

/// The most of one measure by each way out of a flow.
#[derive(Clone, Debug, Default)]
struct Exits {
    /// By whatever end.
    any: Most,
    /// Where it comes back to whoever ran it.
    returned: Option<Most>,
    person: Option<Person>,
}

/// Figures of all flows, in the order of the program.
pub fn figures(program: &Program) -> Vec<Figures> {
    let mut known = Known { program, times: Times::new(program), exits: BTreeMap::new() };
    (0..program.flows.len() as u32)
        .map(|flow| Figures {
            flow,
            prompts: known.exits(flow, Measure::Prompts).any,
            time_ms: known.exits(flow, Measure::TimeMs).any,
            menus: known.exits(flow, Measure::Menus).any,
            person_ms: known.exits(flow, Measure::PersonMs).person,
        })
        .collect()
}

/// What was worked out so far. Flows do not run in a circle (F0505).
struct Known<'p> {
    program: &'p Program,
    times: Times<'p>,
    exits: BTreeMap<(u32, Measure), Exits>,
}

impl<'p> Known<'p> {
    fn exits(&mut self, id: u32, measure: Measure) -> Exits {
        if let Some(known) = self.exits.get(&(id, measure)) {
            return known.clone();
        }
        let program = self.program;
        let Some(flow) = program.flows.get(id as usize) else { return Exits::default() };
        let found = self.work_out(flow, measure);
        self.exits.insert((id, measure), found.clone());
        found
    }

    fn work_out(&mut self, flow: &'p Flow, measure: Measure) -> Exits {
        let mut tour = Tour::new(flow);
        self.walk(flow, measure, tour.top(), &flow.top, &mut tour);
        for (step, index) in flow.steps.iter().zip(0..) {
            self.walk(flow, measure, tour.step(index), &step.block, &mut tour);
        }
        if let Some(fault) = &flow.fault {
            if measure != Measure::Menus {
                tour.may_fault();
            }
            self.walk(flow, measure, tour.handler(), fault, &mut tour);
        }
        let most = |from: usize, exit: Exit| match measure {
            Measure::Menus => tour.without_rounds(from, exit),
            _ => tour.longest(from, exit),
        };
        let person = |found: tour::Found| found.place.map(|place| Person { wait: found.most, place });
        let mut exits = Exits {
            any: most(tour.top(), Exit::Any).map(|found| found.most).unwrap_or_default(),
            returned: most(tour.top(), Exit::Returned).map(|found| found.most),
            person: most(tour.top(), Exit::Person).and_then(person),
        };
        if measure == Measure::Menus && flow.fault.is_some() {
            // Depth has no rounds: what stands behind a fault may repeat what stood before it.
            let all = exits.any.clone();
            let behind = |exit| Some(all.clone().then(most(tour.handler(), exit)?.most));
            exits.any = behind(Exit::Any).unwrap_or(all.clone());
            exits.returned = exits.returned.into_iter().chain(behind(Exit::Returned)).max_by_key(|most| most.amount);
        }
        exits
    }

    fn walk(&mut self, flow: &'p Flow, measure: Measure, node: usize, block: &'p Block, tour: &mut Tour<'p>) {
        let mut walk = Walk::new(self, flow, measure, node, tour);
        walk.enter(block);
    }
}

impl Most {
    /// One behind the other.
    fn then(mut self, later: Most) -> Most {
        self.amount = self.amount.saturating_add(later.amount);
        self.cause = [self.cause, later.cause].into_iter().flatten().reduce(Cause::larger);
        for (name, times) in later.way {
            match self.way.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => *known = known.saturating_add(times),
                None => self.way.push((name, times)),
            }
        }
        self.is_most &= later.is_most;
        self
    }
}

impl Cause {
    /// The first of equal ones.
    fn larger(self, other: Cause) -> Cause {
        if other.amount > self.amount { other } else { self }
    }
}
