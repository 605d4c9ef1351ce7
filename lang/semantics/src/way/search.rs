//! The shortest ways from the start of a flow to its statements, in number of inputs and outcomes. Each step is looked
//! through once for each state of the line. What leads on whatever happens is not counted, nor told.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use lang_diagnostics::{FileId, Span, Turn, TurnKind};
use runtime_contract::limits::RUN_DEPTH_MAX;
use runtime_contract::request;

use super::{Flows, Returns};
use crate::hir::{Block, Dialogue, Flow, Hangup, OutcomeArm, Run, ServiceCall, Statement, StatementKind, Takes};

/// What the line is in. A flow begins in one of them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Line {
    Ringing,
    Up,
    Gone,
}

pub(super) const LINES: [Line; 3] = [Line::Ringing, Line::Up, Line::Gone];

/// Index in `nodes`.
type NodeId = usize;

/// A place that is come to, with what happened last.
struct Node {
    before: Option<NodeId>,
    /// Inputs and outcomes since the start.
    cost: u32,
    last: Last,
}

enum Last {
    Nothing,
    Turn(Turn),
    /// What happened since that node comes so many times in all.
    Again {
        since: NodeId,
        times: u32,
    },
}

/// By state of the line, the shortest way to one place.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct At([Option<NodeId>; 3]);

impl At {
    fn one(line: Line, node: NodeId) -> At {
        let mut at = At::default();
        at.set(line, Some(node));
        at
    }

    fn get(&self, line: Line) -> Option<NodeId> {
        self.0.get(line as usize).copied().flatten()
    }

    fn set(&mut self, line: Line, node: Option<NodeId>) {
        if let Some(place) = self.0.get_mut(line as usize) {
            *place = node;
        }
    }

    fn list(&self) -> impl Iterator<Item = (Line, NodeId)> + use<> {
        let at = *self;
        LINES.into_iter().filter_map(move |line| Some((line, at.get(line)?)))
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Step(u32),
    Fault,
}

/// Which ways are gone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Kind {
    All,
    /// Those that have not come by the value of this name of the top part.
    Without(Span),
    /// Those on which the caller has heard something.
    Told,
    /// From this step on, and not by a bounded `go`.
    Round(u32),
    /// Of `finally`.
    Finally,
}

pub(super) struct Search<'f> {
    flows: Flows<'f>,
    flow: &'f Flow,
    kind: Kind,
    nodes: Vec<Node>,
    steps: Vec<At>,
    open: BinaryHeap<Reverse<(u32, usize, Place, Line)>>,
    /// The first places where a fault may come.
    seen: At,
    /// Of the dialogues that are being looked at, and were: where `again` was said.
    again: Vec<At>,
    /// Statements by their start.
    arrived: BTreeMap<(FileId, u32), Vec<(Span, At)>>,
    /// Ends of the top part (`None`) and of steps that say nothing.
    ended: BTreeMap<Option<u32>, At>,
    returned: At,
}

impl<'f> Search<'f> {
    pub fn new(flows: Flows<'f>, flow: &'f Flow, entry: Line, kind: Kind) -> Search<'f> {
        let mut search = Search {
            flows,
            flow,
            kind,
            nodes: vec![Node { before: None, cost: 0, last: Last::Nothing }],
            steps: vec![At::default(); flow.steps.len()],
            open: BinaryHeap::new(),
            seen: At::default(),
            again: vec![At::default(); flow.dialogues as usize],
            arrived: BTreeMap::new(),
            ended: BTreeMap::new(),
            returned: At::default(),
        };
        let start = At::one(entry, 0);
        match (kind, &flow.finally) {
            (Kind::Finally, Some(finally)) => {
                let place = finally.statements.first().map_or(flow.span, |statement| statement.keyword);
                let gone = search.happens(0, Turn::happens("the caller hangs up", place));
                search.block(finally, At::one(Line::Gone, gone));
            }
            (Kind::Finally, None) => {}
            (Kind::Round(step), _) => search.enter(step, entry, 0),
            _ => search.top(start),
        }
        search.through();
        if let (Kind::All | Kind::Told | Kind::Without(_), Some(_)) = (kind, &flow.fault) {
            search.fault();
            search.through();
        }
        search
    }

    pub fn returns(&self) -> Returns {
        LINES.map(|line| self.returned.get(line).map(|node| (self.cost(node), self.turns(node).into())))
    }

    /// What happens until the innermost statement that holds `span`, in one of these states of the line; `None` where no
    /// way leads there.
    pub fn to_place(&self, span: Span, lines: &[Line]) -> Option<Vec<Turn>> {
        let before = self.arrived.range(..=(span.file, span.start)).rev();
        let inner = before.take_while(|((file, _), _)| *file == span.file).flat_map(|(_, statements)| statements);
        let (_, at) = inner.into_iter().find(|(statement, _)| statement.holds(span))?;
        self.turns_to(at, lines)
    }

    /// What happens until the end of the top part (`None`) or of a step.
    pub fn to_end(&self, step: Option<u32>) -> Option<Vec<Turn>> {
        self.turns_to(self.ended.get(&step)?, &LINES)
    }

    fn turns_to(&self, at: &At, lines: &[Line]) -> Option<Vec<Turn>> {
        let nodes = at.list().filter(|(line, _)| lines.contains(line)).map(|(_, node)| node);
        nodes.min_by_key(|node| self.cost(*node)).map(|node| self.turns(node))
    }

    fn turns(&self, end: NodeId) -> Vec<Turn> {
        let mut nodes = Vec::new();
        let mut next = Some(end);
        while let Some(node) = next {
            nodes.push(node);
            next = self.nodes.get(node).and_then(|node| node.before);
        }
        let mut turns: Vec<Turn> = Vec::new();
        let mut length_at = BTreeMap::new();
        for id in nodes.into_iter().rev() {
            match self.nodes.get(id).map(|node| &node.last) {
                Some(Last::Turn(turn)) => turns.push(turn.clone()),
                Some(Last::Again { since, times }) => {
                    let since = length_at.get(since).copied().unwrap_or(turns.len());
                    let alone = turns.len() == since + 1;
                    if let Some(last) = turns.last_mut().filter(|last| last.kind == TurnKind::Happens) {
                        let form = if alone { format!(" {times} times") } else { format!(", {times} times in all") };
                        last.text.push_str(&form);
                    }
                }
                _ => {}
            }
            length_at.insert(id, turns.len());
        }
        turns
    }
}

impl<'f> Search<'f> {
    fn cost(&self, node: NodeId) -> u32 {
        self.nodes.get(node).map_or(u32::MAX, |node| node.cost)
    }

    fn node(&mut self, before: NodeId, cost: u32, last: Last) -> NodeId {
        let cost = self.cost(before).saturating_add(cost);
        self.nodes.push(Node { before: Some(before), cost, last });
        self.nodes.len() - 1
    }

    fn happens(&mut self, before: NodeId, turn: Turn) -> NodeId {
        self.node(before, 1, Last::Turn(turn))
    }

    /// The shorter of two ways to one place.
    fn either(&self, a: At, b: At) -> At {
        let mut at = a;
        for (line, node) in b.list() {
            if a.get(line).is_none_or(|known| self.cost(node) < self.cost(known)) {
                at.set(line, Some(node));
            }
        }
        at
    }

    fn enter(&mut self, step: u32, line: Line, node: NodeId) {
        let Some(known) = self.steps.get(step as usize).copied() else { return };
        let entered = self.either(known, At::one(line, node));
        if entered != known {
            if let Some(place) = self.steps.get_mut(step as usize) {
                *place = entered;
            }
            self.open.push(Reverse((self.cost(node), node, Place::Step(step), line)));
        }
    }

    /// Nearest steps first; one that was come to by a shorter way meanwhile was looked through already.
    fn through(&mut self) {
        let flow = self.flow;
        while let Some(Reverse((_, node, place, line))) = self.open.pop() {
            match place {
                Place::Step(step) => {
                    let is_shortest = self.steps.get(step as usize).and_then(|at| at.get(line)) == Some(node);
                    let Some(hir) = flow.steps.get(step as usize).filter(|_| is_shortest) else { continue };
                    let behind = self.block(&hir.block, At::one(line, node));
                    self.end(Some(step), behind);
                }
                Place::Fault => {
                    if let Some(fault) = &flow.fault {
                        self.block(fault, At::one(line, node));
                    }
                }
            }
        }
    }

    fn end(&mut self, step: Option<u32>, behind: At) {
        let known = self.ended.get(&step).copied().unwrap_or_default();
        let ended = self.either(known, behind);
        self.ended.insert(step, ended);
    }

    fn top(&mut self, entry: At) {
        let mut at = entry;
        for statement in &self.flow.top.statements {
            at = self.block_of(std::slice::from_ref(statement), at);
            // A copy for handlers stands at the name itself.
            if let Kind::Without(name) = self.kind
                && statement.span != name
                && statement.span.holds(name)
            {
                return;
            }
        }
        self.end(None, at);
    }

    /// Something may fail to be computed wherever the flow comes.
    fn fault(&mut self) {
        let place = self.flow.fault.as_ref().and_then(|block| block.statements.first());
        let Some(span) = place.map(|statement| statement.keyword) else { return };
        for (line, node) in self.seen.list() {
            let node = self.happens(node, Turn::happens("a fault comes, as by a division by zero", span));
            self.open.push(Reverse((self.cost(node), node, Place::Fault, line)));
        }
    }

    fn block(&mut self, block: &'f Block, entry: At) -> At {
        self.block_of(&block.statements, entry)
    }

    fn block_of(&mut self, statements: &'f [Statement], entry: At) -> At {
        let mut at = entry;
        for statement in statements {
            if at == At::default() {
                break;
            }
            self.arrive(statement, at);
            let mut behind = At::default();
            for (line, node) in at.list() {
                let led = self.statement(statement, line, node);
                behind = self.either(behind, led);
            }
            at = behind;
        }
        at
    }

    fn arrive(&mut self, statement: &Statement, at: At) {
        if !matches!(statement.kind, StatementKind::Answer) {
            self.seen = self.either(self.seen, at);
        }
        let key = (statement.span.file, statement.span.start);
        let known = self.arrived.get(&key).and_then(|list| list.iter().find(|(span, _)| *span == statement.span));
        let at = known.map_or(at, |(_, known)| self.either(*known, at));
        let list = self.arrived.entry(key).or_default();
        match list.iter_mut().find(|(span, _)| *span == statement.span) {
            Some((_, place)) => *place = at,
            None => list.push((statement.span, at)),
        }
    }

    /// Where one of several things happens: where all lead on alike, nothing is told of it.
    fn branches(&mut self, node: NodeId, line: Line, ways: Vec<(Option<Turn>, Option<&'f Block>)>) -> At {
        let mut all = At::default();
        let mut is_idle = true;
        for (turn, block) in ways {
            let entry = match turn {
                Some(turn) => self.happens(node, turn),
                None => node,
            };
            let entry = At::one(line, entry);
            let behind = block.map_or(entry, |block| self.block(block, entry));
            is_idle &= behind == entry;
            all = self.either(all, behind);
        }
        if is_idle { At::one(line, node) } else { all }
    }

    fn statement(&mut self, statement: &'f Statement, line: Line, node: NodeId) -> At {
        let here = At::one(line, node);
        match &statement.kind {
            StatementKind::Answer => match line {
                Line::Gone => here,
                _ => At::one(Line::Up, node),
            },
            StatementKind::Reject(_) | StatementKind::HangUp => At::default(),
            StatementKind::Return(_) => {
                self.returned = self.either(self.returned, here);
                At::default()
            }
            StatementKind::Again(dialogue) => {
                let known = self.again.get(dialogue.0 as usize).copied().unwrap_or_default();
                let said = self.either(known, here);
                if let Some(place) = self.again.get_mut(dialogue.0 as usize) {
                    *place = said;
                }
                At::default()
            }
            StatementKind::Menu(menu) => self.dialogue(&menu.dialogue, None, line, node),
            StatementKind::Ask(ask) => {
                let given = self.given(ask.result.0, statement, "gives");
                self.dialogue(&ask.dialogue, Some(given), line, node)
            }
            StatementKind::Record(record) => {
                let given = self.given(record.result.0, statement, "speaks");
                self.dialogue(&record.dialogue, Some(given), line, node)
            }
            StatementKind::Service(call) => self.service(call, statement, line, node),
            StatementKind::If { condition, then, otherwise } => {
                let (holds, fails) = super::words::condition(condition);
                self.branches(node, line, vec![(Some(holds), Some(then)), (Some(fails), Some(otherwise))])
            }
            StatementKind::Match(found) => {
                let arms = found.arms.iter().map(|arm| {
                    let turn = super::words::matched(self.flow, &found.subject, arm);
                    (Some(turn), Some(&arm.block))
                });
                let arms = arms.collect();
                self.branches(node, line, arms)
            }
            StatementKind::Connect(connect) => {
                self.outcomes(request::Kind::Connect, "`connect to`", &connect.arms, node, |_| line)
            }
            StatementKind::Queue(call) => self.outcomes(request::Kind::Queue, "the queue", &call.arms, node, |_| line),
            StatementKind::Survey { held, .. } => {
                let asked = Turn::happens("a survey is held".to_owned(), statement.keyword);
                self.branches(node, line, vec![(Some(asked), Some(held)), (None, None)])
            }
            StatementKind::Dial(dial) => {
                let makes_line = |outcome: &u32| request::Dial::makes_line(dial.by, *outcome);
                let line = |arm: &OutcomeArm| match arm.takes.iter().all(makes_line) {
                    true => Line::Up,
                    false => Line::Gone,
                };
                let kind = request::Dial::kind(dial.by);
                self.outcomes(kind, &format!("`{}`", kind.row().name), &dial.arms, node, line)
            }
            StatementKind::Transfer(transfer) => {
                let failed = Turn::happens("the transfer fails".to_owned(), transfer.failed_span);
                let entry = self.happens(node, failed);
                self.block(&transfer.failed, At::one(line, entry))
            }
            StatementKind::Loop(found) if found.is_certain => self.block(&found.block, here),
            StatementKind::Loop(found) => {
                let (some, none) = super::words::rounds(&found.rounds);
                self.branches(node, line, vec![(Some(some), Some(&found.block)), (Some(none), None)])
            }
            StatementKind::Go(go) => {
                let name = self.flow.steps.get(go.step.0 as usize).map_or("", |step| step.name.as_str());
                if go.bound.is_none() || !matches!(self.kind, Kind::Round(_)) {
                    let place = if go.bound.is_none() { statement.span } else { statement.keyword };
                    let entered = self.node(node, 0, Last::Turn(Turn::enters(name, place)));
                    self.enter(go.step.0, line, entered);
                }
                let Some(bound) = &go.bound else { return At::default() };
                let used =
                    Turn::happens(format!("all {} rounds to `{name}` are used up", bound.times), statement.keyword);
                let entry = self.node(node, bound.times.saturating_add(1), Last::Turn(used));
                self.block(&bound.otherwise, At::one(line, entry))
            }
            StatementKind::Run(run) => match &run.hangup {
                None => self.run(run, statement, line, node),
                Some(ways) => self.run_of_attempt(run, ways, statement, line, node),
            },
            StatementKind::Play(_) if self.kind == Kind::Told => At::default(),
            StatementKind::Play(_)
            | StatementKind::Recording { .. }
            | StatementKind::Wait(_)
            | StatementKind::Note { .. }
            | StatementKind::Send(_)
            | StatementKind::OpenCase(_)
            | StatementKind::SurveyAnswer { .. }
            | StatementKind::SetLanguage(_)
            | StatementKind::Let { .. }
            | StatementKind::OfferCallback(_)
            | StatementKind::Start(_)
            | StatementKind::Broken => here,
        }
    }

    /// Arms of a request, each entered with its line.
    fn outcomes(
        &mut self,
        kind: request::Kind,
        what: &str,
        arms: &'f [OutcomeArm],
        node: NodeId,
        line: impl Fn(&OutcomeArm) -> Line,
    ) -> At {
        let names = kind.row().outcomes;
        let mut by_line: BTreeMap<Line, Vec<_>> = BTreeMap::new();
        for arm in arms {
            let outcome = arm.takes.first().and_then(|outcome| names.get(*outcome as usize)).copied();
            let turn = Turn::happens(format!("{what} gives {}", outcome.unwrap_or_default()), arm.span);
            by_line.entry(line(arm)).or_default().push((Some(turn), Some(&arm.block)));
        }
        let mut all = At::default();
        for (line, ways) in by_line {
            let behind = self.branches(node, line, ways);
            all = self.either(all, behind);
        }
        all
    }

    fn given(&self, local: u32, statement: &Statement, verb: &str) -> Turn {
        let name = self.flow.locals.get(local as usize).map_or("", |local| local.name.as_str());
        let text = match (verb, name) {
            ("gives", "") => "the caller answers".to_owned(),
            ("gives", name) => format!("the caller gives `{name}`"),
            _ => "the caller speaks".to_owned(),
        };
        Turn::happens(text, statement.keyword)
    }

    /// `good` is what the caller does where he does what is wanted and no arm takes it.
    fn dialogue(&mut self, dialogue: &'f Dialogue, good: Option<Turn>, line: Line, node: NodeId) -> At {
        if self.kind == Kind::Told {
            return At::default();
        }
        if let Some(again) = self.again.get_mut(dialogue.id.0 as usize) {
            *again = At::default();
        }
        let arms = dialogue.arms.iter().filter_map(|arm| {
            let takes = arm.takes.iter().find(|takes| **takes != Takes::AfterTries)?;
            Some((Some(super::words::taken(takes, arm.span)), Some(&arm.block)))
        });
        let ways = good.into_iter().map(|good| (Some(good), None)).chain(arms).collect();
        let behind = self.branches(node, line, ways);
        let (Some(tries), Some(again)) = (dialogue.tries_max, self.again.get(dialogue.id.0 as usize).copied()) else {
            return behind;
        };
        let after = dialogue.arms.iter().find(|arm| arm.takes.contains(&Takes::AfterTries));
        let said = again.list().min_by_key(|(_, node)| self.cost(*node));
        let (Some(after), Some((line, said))) = (after, said) else { return behind };
        let each = self.cost(said).saturating_sub(self.cost(node));
        let entry = match tries {
            1 => said,
            _ => {
                let more = each.saturating_mul(tries - 1);
                self.node(said, more, Last::Again { since: node, times: tries })
            }
        };
        let behind_after = self.block(&after.block, At::one(line, entry));
        self.either(behind, behind_after)
    }

    fn service(&mut self, call: &'f ServiceCall, statement: &Statement, line: Line, node: NodeId) -> At {
        let name = self.flows.operation(call);
        let answers = Turn::happens(format!("`{name}` answers"), statement.keyword);
        let fails = Turn::happens(format!("`{name}` fails"), statement.keyword);
        self.branches(node, line, vec![(Some(answers), Some(&call.ok)), (Some(fails), Some(&call.failed))])
    }

    fn run_of_attempt(
        &mut self,
        run: &'f Run,
        ways: &'f Hangup,
        statement: &Statement,
        line: Line,
        node: NodeId,
    ) -> At {
        let mut behind = At::default();
        for (line, node) in self.run(run, statement, line, node).list() {
            let led = self.block(&ways.returned, At::one(line, node));
            behind = self.either(behind, led);
        }
        let gone = self.happens(node, Turn::happens("the person hangs up", statement.keyword));
        let led = self.block(&ways.gone, At::one(Line::Gone, gone));
        self.either(behind, led)
    }

    /// The states in which a flow comes back. Where it has a result, what happens in it is not told: its shortest way need
    /// not be one to the result that is asked for behind it.
    fn run(&mut self, run: &Run, statement: &Statement, line: Line, node: NodeId) -> At {
        let Some(callee) = self.flows.flow(run.flow).filter(|_| self.flows.depth < RUN_DEPTH_MAX) else {
            return At::one(line, node);
        };
        let kind = if self.kind == Kind::Told { Kind::Told } else { Kind::All };
        let returns = self.flows.returns(run.flow, line, &callee.hir, kind);
        let mut behind = At::default();
        for (state, returned) in LINES.into_iter().zip(returns) {
            let Some((cost, inner)) = returned else { continue };
            let come = match cost {
                0 => node,
                _ if run.result.is_some() => self.node(node, cost, Last::Nothing),
                _ => {
                    let entered = Turn::enters(callee.short_name(), statement.keyword);
                    let entered = self.node(node, cost, Last::Turn(entered));
                    let told = inner.iter().cloned();
                    let end = told.fold(entered, |before, turn| self.node(before, 0, Last::Turn(turn)));
                    let own = self.flow.name.rsplit('.').next().unwrap_or_default();
                    self.node(end, 0, Last::Turn(Turn::enters(own, statement.keyword)))
                }
            };
            behind.set(state, Some(come));
        }
        behind
    }
}
