//! Tries all that callers, services and the clock may do to a program, state by state, and finds few scripts that come by
//! all that it came by. What a program comes by, and with which constants it compares, others say.

mod call;
mod choices;
mod script;
mod states;
mod times;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use runtime_contract::FlowProgram;
use runtime_contract::calendar::{self, HoursTable};
use runtime_contract::channel::Channel;
use runtime_contract::compared::Compared;
use runtime_contract::program::Inbound;
use runtime_contract::script::{Delivery, FarSide, TestScript};
use runtime_contract::value::Phone;

use self::call::{Begins, Call, Choice, Log, Root};
use self::choices::{Choices, neighbour};
use self::script::Writer;
use self::states::{BEFORE, BEHIND, Edge, States, Taken};

/// States that are looked at though all marks were passed: a longer way may pass several.
const STATES_MORE: usize = 4_096;
/// Who calls where the called number has no neighbour.
const CALLER: u64 = 12_125_550_100;
/// Who writes in a chat, and by e-mail.
const VISITOR: &str = "visitor";
const WRITER: &str = "ann@example.com";

/// What is explored, and how far.
pub struct Explorer<'e> {
    pub program: &'e Arc<dyn FlowProgram>,
    pub compared: &'e Compared,
    /// Numbers and extensions that are called.
    pub inbounds: Vec<Inbound>,
    /// Indices in `ProgramMeta::cadences`.
    pub cadences: Vec<u32>,
    /// Marks that calls came by since it was asked last.
    pub passed: &'e dyn Fn() -> Vec<u32>,
    /// How many marks there are.
    pub marks: usize,
    pub states_max: usize,
    pub bytes_max: usize,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub states: usize,
    pub waiting: usize,
    pub passed: usize,
}

/// Why not all states were looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    States(usize),
    Bytes(usize),
}

pub struct Explored {
    /// Together they come by all marks that any call came by.
    pub scripts: Vec<TestScript>,
    pub states: usize,
    pub bound: Option<Bound>,
}

impl Explorer<'_> {
    pub fn explore(&self, told: &mut dyn FnMut(Progress)) -> Explored {
        let roots = self.roots();
        let (states, bound) = self.states(&roots, told);
        let ways = states.fewest_ways();
        let mut names = BTreeSet::new();
        let scripts = ways.iter().filter_map(|way| self.script(&roots, way, &mut names)).collect();
        Explored { scripts, states: states.count(), bound }
    }

    /// Who may call whom, and when.
    fn roots(&self) -> Vec<Root> {
        let mut roots = Vec::new();
        let meta = self.program.meta();
        let name = |flow: u32| meta.flow(flow).map_or_else(String::new, |flow| flow.name.clone());
        for inbound in &self.inbounds {
            let zone = if inbound.zone.is_empty() { meta.zone() } else { &inbound.zone };
            for at in times::times(meta, zone) {
                roots.extend(self.callers(inbound).into_iter().map(|from| {
                    let begins = Begins::Call { channel: inbound.channel, from, to: inbound.example() };
                    Root { at, zone: zone.to_owned(), name: name(inbound.flow), begins }
                }));
            }
        }
        for cadence in &self.cadences {
            let name = meta.cadences.get(*cadence as usize).map_or("", |table| table.name.as_str());
            let choices = Choices { meta, compared: self.compared };
            for at in times::times(meta, meta.zone()) {
                roots.extend(choices.arguments(*cadence).into_iter().map(|arguments| {
                    let begins = Begins::Start { cadence: *cadence, arguments };
                    Root { at, zone: meta.zone().to_owned(), name: name.to_owned(), begins }
                }));
            }
        }
        roots
    }

    /// Who calls, or writes: whose number the program looks for, and somebody else.
    fn callers(&self, inbound: &Inbound) -> Vec<Option<String>> {
        match inbound.channel {
            Channel::Chat => return vec![Some(VISITOR.to_owned())],
            Channel::Email => return vec![Some(WRITER.to_owned())],
            Channel::Voice | Channel::Sms => {}
        }
        let plain = Phone::parse(&inbound.example(), true).map_or(Phone::from_word(CALLER), neighbour);
        let mut callers = vec![Some(plain)];
        if let Some(constants) = &self.compared.caller {
            callers.extend(constants.iter().filter_map(|word| Phone::parse(&word.to_string(), false)).map(Some));
            callers.extend((inbound.channel == Channel::Voice).then_some(None));
        }
        callers.into_iter().map(|caller| Some(caller?.e164().into_inner())).collect()
    }

    /// Breadth first, so that each state is reached by the fewest choices.
    fn states(&self, roots: &[Root], told: &mut dyn FnMut(Progress)) -> (States, Option<Bound>) {
        let choices = Choices { meta: self.program.meta(), compared: self.compared };
        let mut search = Search::default();
        (self.passed)();
        for (choice, root) in roots.iter().enumerate() {
            let call = Call::new(self.program, root, &mut Log::new());
            search.come(BEFORE, choice, call, (self.passed)());
        }
        while let Some((from, call)) = search.waiting.pop_front() {
            search.waiting_bytes = search.waiting_bytes.saturating_sub(call.bytes());
            for (at, choice) in choices.at(&call).iter().enumerate() {
                let mut call = call.clone();
                call.choose(choice, &mut Log::new());
                search.come(from, at, call, (self.passed)());
            }
            let progress = search.progress();
            told(progress);
            if progress.states >= self.states_max {
                return (search.states, Some(Bound::States(self.states_max)));
            }
            if search.states.bytes + search.waiting_bytes >= self.bytes_max {
                return (search.states, Some(Bound::Bytes(self.bytes_max)));
            }
            if progress.passed >= self.marks && progress.states >= STATES_MORE {
                break;
            }
        }
        (search.states, None)
    }

    /// What is open and what is closed, where a call begins at a time of its own.
    fn label(&self, roots: &[Root], root: &Root) -> String {
        if roots.first().is_none_or(|first| first.at == root.at) {
            return String::new();
        }
        let meta = self.program.meta();
        let state = |hours: &HoursTable| {
            let name = hours.name.rsplit('.').next().unwrap_or(&hours.name);
            format!("{name} {}", if calendar::is_open(hours, root.at) { "open" } else { "closed" })
        };
        meta.hours.iter().map(state).collect::<Vec<_>>().join(" and ")
    }

    /// Plays the way once more and writes down what happens.
    fn script(&self, roots: &[Root], way: &[Taken], names: &mut BTreeSet<String>) -> Option<TestScript> {
        let meta = self.program.meta();
        let choices = Choices { meta, compared: self.compared };
        let mut taken = way.iter();
        let root = roots.get(usize::from(taken.next()?.choice))?;
        let mut writer = Writer::default();
        let mut log = Log::new();
        let mut call = Call::new(self.program, root, &mut log);
        let mut labels = vec![self.label(roots, root)];
        let mut last = String::new();
        for Taken { choice, is_goal } in taken {
            let chosen = choices.at(&call).into_iter().nth(usize::from(*choice))?;
            let label = script::label(meta, &call, &chosen);
            last = if label.is_empty() { last } else { label };
            if *is_goal {
                labels.push(std::mem::take(&mut last));
            }
            call.choose(&chosen, &mut log);
        }
        while let Some(choice) = ending(&call, &choices.at(&call)) {
            call.choose(&choice, &mut log);
        }
        log.into_iter().for_each(|event| writer.add(event));
        let name = script::name(&labels, root.name.rsplit('.').next().unwrap_or(&root.name));
        let numbered = (2..).map(|n| format!("{name} ({n})"));
        let name = [name.clone()].into_iter().chain(numbered).find(|name| names.insert(name.clone()))?;
        Some(writer.finish(name, root))
    }
}

/// What needs nobody comes to its end. A cadence is brought to its own, as far as that is: who is called has hung up, or
/// cannot be reached.
fn ending(call: &Call, choices: &[Choice]) -> Option<Choice> {
    let wanted = match call.is_cadence() {
        true => {
            let fails = [Choice::FarSide(FarSide::Unreachable), Choice::Delivery(Delivery::Undelivered)];
            [Choice::HangUp].into_iter().chain(fails).find(|own| choices.contains(own))
        }
        false => choices.first().filter(|choice| matches!(choice, Choice::Continue | Choice::Sent(_))).cloned(),
    };
    let wanted = wanted.or_else(|| choices.first().filter(|_| call.is_cadence()).cloned());
    wanted.filter(|_| !call.is_over() && !call.is_cut())
}

/// States that were found, and calls from which nobody went on yet.
#[derive(Default)]
struct Search {
    states: States,
    waiting: VecDeque<(u32, Call)>,
    waiting_bytes: usize,
    passed: BTreeSet<u32>,
}

impl Search {
    /// A choice led to a call in a state that may be new.
    fn come(&mut self, from: u32, choice: usize, call: Call, marks: Vec<u32>) {
        // A call that a limit cuts off is no way for a test.
        if call.is_cut() {
            return;
        }
        self.passed.extend(marks.iter().copied());
        let (to, is_new) = if call.is_over() { (BEHIND, false) } else { self.states.number(call.state()) };
        self.states.add(from, Edge { choice: choice as u16, to, marks: marks.into() });
        if is_new {
            self.waiting_bytes += call.bytes();
            self.waiting.push_back((to, call));
        }
    }

    fn progress(&self) -> Progress {
        Progress { states: self.states.count(), waiting: self.waiting.len(), passed: self.passed.len() }
    }
}
