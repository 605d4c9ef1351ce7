//! Counter-examples: how a call comes to what is wrong with a flow, and how a private value comes to where it leaks.
//! They are worked out when all checks are done, for what was found alone.

mod private;
mod search;
mod words;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use lang_diagnostics::{Code, Diagnostic, FileId, Span, Turn, Way};
use runtime_contract::program::Service;

use crate::check::CheckedFlow;
use crate::hir::{Flow, ServiceCall};
use search::{Kind, LINES, Line, Search};

/// Searches for one name or one handler; of further ones no way is shown.
const SEARCHES_MAX: usize = 64;

/// All flows, and what is known of those that are run.
#[derive(Clone, Copy)]
struct Flows<'f> {
    list: &'f [Option<CheckedFlow>],
    services: &'f [Service],
    returns: &'f RefCell<BTreeMap<(u32, Line, Kind), Returns>>,
    /// Flows that are being looked at, one in another.
    depth: usize,
}

/// By state of the line in which a flow comes back, what happens in it until then, and how many inputs and outcomes it is.
type Returns = [Option<(u32, Rc<[Turn]>)>; 3];

impl<'f> Flows<'f> {
    fn flow(&self, flow: u32) -> Option<&'f CheckedFlow> {
        self.list.get(flow as usize)?.as_ref()
    }

    fn operation(&self, call: &ServiceCall) -> String {
        let Some(service) = self.services.get(call.service as usize) else { return String::new() };
        let operation = service.operations.get(call.operation as usize);
        format!("{}.{}", service.name, operation.map_or("", |operation| operation.name.as_str()))
    }

    /// A flow that runs itself was told of; it is taken to come back.
    fn returns(mut self, flow: u32, entry: Line, hir: &'f Flow, kind: Kind) -> Returns {
        let known = self.returns.borrow().get(&(flow, entry, kind)).cloned();
        known.unwrap_or_else(|| {
            let same = LINES.map(|line| (line == entry).then(|| (0, Rc::default())));
            self.returns.borrow_mut().insert((flow, entry, kind), same);
            self.depth += 1;
            let returns = Search::new(self, hir, entry, kind).returns();
            self.returns.borrow_mut().insert((flow, entry, kind), returns.clone());
            returns
        })
    }
}

/// The shortest circle of steps from one to a `go` that leads back to it: what happens, and the names in order.
pub(crate) fn round(flow: &CheckedFlow, services: &[Service], step: u32, closing: Span) -> Option<Vec<Turn>> {
    let returns = RefCell::default();
    let flows = Flows { list: &[], services, returns: &returns, depth: 0 };
    Search::new(flows, &flow.hir, Line::Up, Kind::Round(step)).to_place(closing, &LINES)
}

/// Adds its way to each problem that has one.
pub(crate) fn add_ways(
    problems: &mut [Diagnostic],
    flows: &[Option<CheckedFlow>],
    services: &[Service],
    answers: &[u32],
) {
    if !problems.iter().any(|problem| has_way(problem.code)) {
        return;
    }
    let returns = RefCell::default();
    let all = Flows { list: flows, services, returns: &returns, depth: 0 };
    let names = (0u32..).zip(flows).filter_map(|(index, flow)| {
        let name = flow.as_ref()?.hir.span;
        Some(((name.file, name.start), index))
    });
    let mut ways = Ways { flows: all, names: names.collect(), searches: BTreeMap::new() };
    for problem in problems.iter_mut().filter(|problem| has_way(problem.code)) {
        let Some(index) = ways.flow_at(problem.span()) else { continue };
        if matches!(problem.code, Code::PrivateLeak | Code::PrivateParameterNeeded) {
            private::add_source(problem, flows, index);
        }
        let is_answered = answers.contains(&index);
        let Some(turns) = ways.turns(problem, index, is_answered).filter(|turns| !turns.is_empty()) else { continue };
        let name = all.flow(index).map_or("", CheckedFlow::short_name);
        let lead = match is_answered {
            true => "a call comes here so".to_owned(),
            false => format!("a call in `{name}` comes here so"),
        };
        problem.ways.push(Way { lead, turns });
    }
}

struct Ways<'f> {
    flows: Flows<'f>,
    /// Flows by the places of their names, as no item begins inside another.
    names: BTreeMap<(FileId, u32), u32>,
    searches: BTreeMap<(u32, Line, Kind), Search<'f>>,
}

impl<'f> Ways<'f> {
    fn flow_at(&self, span: Span) -> Option<u32> {
        let before = self.names.range(..=(span.file, span.start)).next_back()?;
        Some(*before.1).filter(|_| before.0.0 == span.file)
    }

    fn turns(&mut self, problem: &Diagnostic, index: u32, is_answered: bool) -> Option<Vec<Turn>> {
        let flow = self.flows.flow(index)?;
        let span = problem.span();
        let (kind, entry, lines) = aim(problem, &flow.hir, is_answered);
        let search = self.search(index, entry, kind)?;
        if problem.code == Code::PathDoesNotEnd {
            let step = flow.hir.steps.iter().position(|step| step.span == span);
            return search.to_end(step.map(|step| step as u32));
        }
        let mut turns = search.to_place(span, lines)?;
        let inside = problem.labels.iter().find(|label| !label.primary).map(|label| label.span);
        if let (Code::BeforeAnswer | Code::NoLineHere | Code::RecordingWithoutNotice, Some(inside)) =
            (problem.code, inside)
            && let Some(callee) = self.flow_at(inside).filter(|callee| flow.runs.contains(&(*callee, span)))
            && let Some(checked) = self.flows.flow(callee)
        {
            let inner = if kind == Kind::Told { Kind::Told } else { Kind::All };
            let entry = if kind == Kind::Finally { Line::Gone } else { entry_of(problem.code) };
            turns.push(Turn::enters(checked.short_name(), span));
            turns.extend(self.search(callee, entry, inner)?.to_place(inside, lines)?);
        }
        Some(turns)
    }

    fn search(&mut self, flow: u32, entry: Line, kind: Kind) -> Option<&Search<'f>> {
        let key = (flow, entry, kind);
        if !self.searches.contains_key(&key) {
            let is_one_of_many = kind != Kind::All && self.searches.len() >= SEARCHES_MAX;
            let checked = self.flows.flow(flow).filter(|_| !is_one_of_many)?;
            self.searches.insert(key, Search::new(self.flows, &checked.hir, entry, kind));
        }
        self.searches.get(&key)
    }
}

fn has_way(code: Code) -> bool {
    matches!(
        code,
        Code::NotAssignedOnEveryPath
            | Code::PathDoesNotEnd
            | Code::NoLineHere
            | Code::BeforeAnswer
            | Code::RecordingWithoutNotice
            | Code::PrivateLeak
            | Code::PrivateParameterNeeded
            | Code::WorstCaseTooLong
    )
}

/// The state of the line in which a flow is run that must not be run in it.
fn entry_of(code: Code) -> Line {
    if code == Code::BeforeAnswer { Line::Ringing } else { Line::Up }
}

/// Which ways are looked for: those that show what is wrong, in the states of the line in which it is.
fn aim(problem: &Diagnostic, flow: &Flow, is_answered: bool) -> (Kind, Line, &'static [Line]) {
    let span = problem.span();
    let mut last = flow.finally.iter().flat_map(|finally| &finally.statements);
    if last.any(|statement| statement.span.holds(span)) {
        return (Kind::Finally, Line::Gone, &LINES);
    }
    let entry = if is_answered { Line::Ringing } else { Line::Up };
    match problem.code {
        Code::NotAssignedOnEveryPath => {
            let name = problem.labels.iter().find(|label| !label.primary).map(|label| label.span);
            (name.map_or(Kind::All, Kind::Without), entry, &LINES)
        }
        Code::BeforeAnswer => (Kind::All, Line::Ringing, &[Line::Ringing]),
        // Nobody is on the line in `finally` alone; what else has this code is a call that was answered before.
        Code::NoLineHere => (Kind::All, entry, &[Line::Up]),
        Code::RecordingWithoutNotice => (Kind::Told, entry, &[Line::Up]),
        _ => (Kind::All, entry, &LINES),
    }
}
