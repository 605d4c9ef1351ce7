//! The longest way through the steps of a flow, where each bounded `go` may be gone as often as its number says.
//!
//! One call is one unit that flows from a start to an end over edges with capacities, and whatever it goes round is a
//! cycle in that flow; so the longest way is the flow of the greatest cost (Ahuja, Magnanti, Orlin 1993, §9.6: cycles
//! of positive cost are cancelled until none is left), if its cycles hang together with the way. Where one does not,
//! the search is divided: either the call comes there by one of the `go`s that lead there, or it does not.

use std::collections::{BTreeMap, BTreeSet};

use lang_diagnostics::Span;

use super::{Cause, Most};
use crate::hir::Flow;

/// Searches for one figure. Flows of examples need fewer than ten.
const SEARCHES_MAX: usize = 256;
/// Edges that are looked at for one figure.
const LOOKS_MAX: u64 = 50_000_000;
/// What a `go` that must be gone is worth beside: more than all else.
const MUST: i64 = 1 << 50;

/// Where a way ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Exit {
    Any,
    Returned,
    Person,
}

struct Edge {
    from: usize,
    to: usize,
    /// How often at most, and the number that says so, if one does.
    bound: Option<(i64, Option<Span>)>,
    exit: Option<Exit>,
    /// Of a `connect` or `transfer`.
    place: Option<Span>,
    amount: i64,
    causes: Vec<Cause>,
}

pub(super) struct Found {
    pub most: Most,
    /// Of the end.
    pub place: Option<Span>,
}

/// Nodes are the steps, then the top part, the end, a fault, and what `fault { }` does.
pub(super) struct Tour<'p> {
    flow: &'p Flow,
    edges: Vec<Edge>,
}

/// So large that nothing overflows.
fn cut(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX).min(MUST / 1_024)
}

/// How often each edge is gone.
type Gone = Vec<i64>;

impl<'p> Tour<'p> {
    pub fn new(flow: &'p Flow) -> Tour<'p> {
        Tour { flow, edges: Vec::new() }
    }

    pub fn step(&self, step: u32) -> usize {
        step as usize
    }

    pub fn top(&self) -> usize {
        self.flow.steps.len()
    }

    fn end(&self) -> usize {
        self.flow.steps.len() + 1
    }

    fn fault(&self) -> usize {
        self.flow.steps.len() + 2
    }

    pub fn handler(&self) -> usize {
        self.flow.steps.len() + 3
    }

    /// A `go`; `bound` is its number and where that stands.
    pub fn go(&mut self, from: usize, step: u32, bound: Option<(u32, Span)>, amount: u64, causes: Vec<Cause>) {
        let bound = bound.map(|(times, span)| (times.into(), Some(span)));
        self.edges.push(Edge { from, to: step as usize, bound, exit: None, place: None, amount: cut(amount), causes });
    }

    pub fn exit(&mut self, from: usize, exit: Exit, place: Option<Span>, amount: u64, causes: Vec<Cause>) {
        let to = self.end();
        self.edges.push(Edge { from, to, bound: None, exit: Some(exit), place, amount: cut(amount), causes });
    }

    /// A fault comes once, and may come anywhere: at the end of the longest way of its part at the latest.
    pub fn may_fault(&mut self) {
        let mut latest: BTreeMap<usize, &Edge> = BTreeMap::new();
        for edge in &self.edges {
            let known = latest.entry(edge.from).or_insert(edge);
            if edge.amount > known.amount {
                *known = edge;
            }
        }
        let to = self.fault();
        let cut_short = |edge: &Edge| Edge {
            from: edge.from,
            to,
            bound: None,
            exit: None,
            place: None,
            amount: edge.amount,
            causes: edge.causes.clone(),
        };
        let mut faults: Vec<Edge> = latest.into_values().map(cut_short).collect();
        let bound = Some((1, None));
        let (from, to) = (to, self.handler());
        faults.push(Edge { from, to, bound, exit: None, place: None, amount: 0, causes: Vec::new() });
        self.edges.extend(faults);
    }

    fn leads(&self, edge: &Edge, exit: Exit) -> bool {
        edge.exit.is_none_or(|ends| ends == exit)
    }

    /// The longest way without going back to a step where it was: what remains of the steps when those `go`s are taken
    /// away that lead back in the order of the text.
    pub fn without_rounds(&self, from: usize, exit: Exit) -> Option<Found> {
        let mut order = Vec::new();
        let mut forward = BTreeSet::new();
        let leads = |index: usize| self.edges.get(index).is_some_and(|edge| self.leads(edge, exit));
        self.visit(from, leads, &BTreeSet::new(), &mut order, &mut forward);
        // By node: the most, and the edge by which it comes.
        let mut most: BTreeMap<usize, (i64, Option<usize>)> = BTreeMap::from([(from, (0, None))]);
        for node in order.into_iter().rev() {
            let Some((at, _)) = most.get(&node).copied() else { continue };
            for (index, edge) in self.edges.iter().enumerate().filter(|(index, _)| forward.contains(index)) {
                let there = at.saturating_add(edge.amount);
                if edge.from == node && most.get(&edge.to).is_none_or(|(known, _)| there > *known) {
                    most.insert(edge.to, (there, Some(index)));
                }
            }
        }
        let mut gone = vec![0; self.edges.len()];
        let mut node = self.end();
        most.get(&node)?;
        let mut cause = None;
        while let Some((_, Some(index))) = most.get(&node) {
            let edge = self.edges.get(*index)?;
            cause = cause.or(edge.causes.first().copied());
            if let Some(times) = gone.get_mut(*index) {
                *times = 1;
            }
            node = edge.from;
        }
        let found = self.found(from, &gone, true)?;
        Some(Found { most: Most { cause, ..found.most }, ..found })
    }

    /// Depth first, without recursion. `order` takes each node behind those to which it leads, `forward` the edges that
    /// do not lead back. Of the edges of a node those to `first` come first; without any, all in the order of the text.
    fn visit(
        &self,
        from: usize,
        wanted: impl Fn(usize) -> bool,
        first: &BTreeSet<usize>,
        order: &mut Vec<usize>,
        forward: &mut BTreeSet<usize>,
    ) {
        let mut out: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (index, edge) in self.edges.iter().enumerate().filter(|(index, _)| wanted(*index)) {
            out.entry(edge.from).or_default().push(index);
        }
        let is_later = |index: &usize| self.edges.get(*index).is_none_or(|edge| !first.contains(&edge.to));
        for edges in out.values_mut().filter(|_| !first.is_empty()) {
            edges.sort_by_key(|index| (is_later(index), std::cmp::Reverse(*index)));
        }
        let mut open = BTreeSet::from([from]);
        let mut seen = BTreeSet::from([from]);
        let mut stack = vec![(from, 0)];
        while let Some((node, next)) = stack.last_mut() {
            let node = *node;
            let Some(index) = out.get(&node).and_then(|edges| edges.get(*next)).copied() else {
                open.remove(&node);
                order.push(node);
                stack.pop();
                continue;
            };
            *next += 1;
            let Some(to) = self.edges.get(index).map(|edge| edge.to) else { continue };
            if !open.contains(&to) {
                forward.insert(index);
            }
            if seen.insert(to) {
                open.insert(to);
                stack.push((to, 0));
            }
        }
    }

    /// The longest way with all its rounds; `None` where no way leads to such an end.
    pub fn longest(&self, from: usize, exit: Exit) -> Option<Found> {
        let mut best: Option<(i64, Gone)> = None;
        let mut looks = LOOKS_MAX;
        let mut is_most = true;
        let mut open = vec![Search { barred: BTreeSet::new(), must: BTreeSet::new() }];
        let mut searches = 0;
        while let Some(search) = open.pop() {
            searches += 1;
            let Some((gone, is_whole)) = self.solve(from, exit, &search, &mut looks) else { continue };
            is_most &= is_whole;
            let bound = self.amount(&gone);
            if best.as_ref().is_some_and(|(known, _)| bound <= *known) {
                continue;
            }
            let reached = self.reached(from, &gone);
            let hanging: Gone = gone
                .iter()
                .zip(&self.edges)
                .map(|(times, edge)| times * i64::from(reached.contains(&edge.from)))
                .collect();
            let amount = self.amount(&hanging);
            if search.must.iter().all(|edge| hanging.get(*edge).is_some_and(|times| *times > 0))
                && best.as_ref().is_none_or(|(known, _)| amount > *known)
            {
                best = Some((amount, hanging));
            }
            let Some(apart) = self.apart(&gone, &reached) else { continue };
            if searches >= SEARCHES_MAX || looks == 0 {
                is_most = false;
                continue;
            }
            self.divide(&search, &apart, &mut open);
        }
        self.found(from, &best?.1, is_most)
    }

    /// Without those steps, or by one of the edges that lead there.
    fn divide(&self, search: &Search, apart: &BTreeSet<usize>, open: &mut Vec<Search>) {
        let into = |edge: &Edge| apart.contains(&edge.to) && !apart.contains(&edge.from);
        for (index, _) in self.edges.iter().enumerate().filter(|(_, edge)| into(edge)) {
            if !search.must.contains(&index) {
                let mut must = search.must.clone();
                must.insert(index);
                open.push(Search { barred: search.barred.clone(), must });
            }
        }
        let mut barred = search.barred.clone();
        barred.extend(apart);
        open.push(Search { barred, must: search.must.clone() });
    }

    fn amount(&self, gone: &[i64]) -> i64 {
        gone.iter()
            .zip(&self.edges)
            .fold(0, |sum: i64, (times, edge)| sum.saturating_add(times.saturating_mul(edge.amount)))
    }

    /// Nodes to which the edges that are gone lead.
    fn reached(&self, from: usize, gone: &[i64]) -> BTreeSet<usize> {
        let mut reached = BTreeSet::from([from]);
        let mut open = vec![from];
        while let Some(node) = open.pop() {
            for (edge, times) in self.edges.iter().zip(gone) {
                if edge.from == node && *times > 0 && reached.insert(edge.to) {
                    open.push(edge.to);
                }
            }
        }
        reached
    }

    /// Steps of one circle that hangs apart from the way.
    fn apart(&self, gone: &[i64], reached: &BTreeSet<usize>) -> Option<BTreeSet<usize>> {
        let first = self.edges.iter().zip(gone).find(|(edge, times)| **times > 0 && !reached.contains(&edge.from))?;
        Some(self.reached(first.0.from, gone))
    }

    /// How often each edge is gone for the most, whether or not all of it hangs together. The second is false when the
    /// looks were used up before.
    fn solve(&self, from: usize, exit: Exit, search: &Search, looks: &mut u64) -> Option<(Gone, bool)> {
        let mut lines: Vec<Line> = Vec::new();
        for (index, edge) in self.edges.iter().enumerate() {
            let is_barred = search.barred.contains(&edge.from) || search.barred.contains(&edge.to);
            if is_barred || !self.leads(edge, exit) {
                continue;
            }
            let mut capacity = match edge.bound {
                Some((times, _)) => times,
                None if edge.exit.is_some() => 1,
                None => i64::MAX / 4,
            };
            let line = |cost, capacity| Line { edge: index, from: edge.from, to: edge.to, cost, capacity, gone: 0 };
            if search.must.contains(&index) && capacity > 0 {
                lines.push(line(edge.amount.saturating_add(MUST), 1));
                capacity -= 1;
            }
            lines.push(line(edge.amount, capacity));
        }
        self.first_way(from, &mut lines)?;
        let mut is_whole = true;
        loop {
            match self.round(&lines, looks) {
                Round::None => break,
                Round::TooMuch => {
                    is_whole = false;
                    break;
                }
                Round::Found(round) => {
                    let room = round.iter().filter_map(|(line, ahead)| lines.get(*line).map(|line| line.room(*ahead)));
                    let room = room.min().unwrap_or(0);
                    for (line, ahead) in round {
                        if let Some(line) = lines.get_mut(line) {
                            line.gone += if ahead { room } else { -room };
                        }
                    }
                }
            }
        }
        let mut gone = vec![0; self.edges.len()];
        for line in lines {
            if let Some(times) = gone.get_mut(line.edge) {
                *times += line.gone;
            }
        }
        Some((gone, is_whole))
    }

    /// Any way from the start to the end.
    fn first_way(&self, from: usize, lines: &mut [Line]) -> Option<()> {
        let mut by: BTreeMap<usize, usize> = BTreeMap::new();
        let mut open = vec![from];
        while let Some(node) = open.pop() {
            for (index, line) in lines.iter().enumerate().filter(|(_, line)| line.from == node && line.capacity > 0) {
                if line.to != from && !by.contains_key(&line.to) {
                    by.insert(line.to, index);
                    open.push(line.to);
                }
            }
        }
        let mut node = self.end();
        while node != from {
            let line = lines.get_mut(*by.get(&node)?)?;
            line.gone += 1;
            node = line.from;
        }
        Some(())
    }

    /// A circle that makes the way longer (Bellman and Ford): lines, each ahead or taken back.
    fn round(&self, lines: &[Line], looks: &mut u64) -> Round {
        let nodes = self.handler() + 1;
        let mut most = vec![0i64; nodes];
        let mut by: Vec<Option<(usize, bool)>> = vec![None; nodes];
        let mut last = None;
        for _ in 0..nodes {
            last = None;
            *looks = looks.saturating_sub(lines.len() as u64);
            for (index, line) in lines.iter().enumerate() {
                for ahead in [true, false] {
                    let (from, to, cost) = line.along(ahead);
                    let there = most.get(from).copied().unwrap_or(0).saturating_add(cost);
                    if line.room(ahead) > 0
                        && let (Some(known), Some(way)) = (most.get_mut(to), by.get_mut(to))
                        && there > *known
                    {
                        (*known, *way) = (there, Some((index, ahead)));
                        last = Some(to);
                    }
                }
            }
            if last.is_none() {
                return Round::None;
            }
        }
        if *looks == 0 {
            return Round::TooMuch;
        }
        let back = |node: usize| {
            let (index, ahead) = by.get(node).copied().flatten()?;
            let line = lines.get(index)?;
            Some((line.along(ahead).0, (index, ahead)))
        };
        // So many steps back lie in the circle for certain.
        let Some(start) = (0..nodes).try_fold(last.unwrap_or(0), |node, _| Some(back(node)?.0)) else {
            return Round::None;
        };
        let mut round = Vec::new();
        let mut node = start;
        while let Some((before, line)) = back(node) {
            round.push(line);
            node = before;
            if node == start {
                return Round::Found(round);
            }
        }
        Round::None
    }

    fn found(&self, from: usize, gone: &[i64], is_most: bool) -> Option<Found> {
        let end = self.edges.iter().zip(gone).find(|(edge, times)| edge.exit.is_some() && **times > 0)?.0;
        let amount = self.amount(gone).unsigned_abs();
        let most = Most { amount, cause: self.cause(gone), way: self.way(from, gone), is_most };
        Some(Found { most, place: end.place })
    }

    /// Lines and numbers of dialogues by all that they add, numbers of `go`s by the rounds that they allow.
    fn cause(&self, gone: &[i64]) -> Option<Cause> {
        let mut causes: BTreeMap<Span, u64> = BTreeMap::new();
        for (edge, times) in self.edges.iter().zip(gone).filter(|(_, times)| **times > 0) {
            for cause in &edge.causes {
                let sum = causes.entry(cause.span).or_default();
                *sum = sum.saturating_add(cause.amount.saturating_mul(times.unsigned_abs()));
            }
            if let Some((_, Some(span))) = edge.bound {
                let rounds = self.once_round(edge, gone).saturating_mul(*times);
                causes.insert(span, rounds.unsigned_abs());
            }
        }
        let causes = causes.into_iter().filter(|(_, amount)| *amount > 0);
        causes.map(|(span, amount)| Cause { span, amount }).reduce(Cause::larger)
    }

    /// The longest way from where a `go` leads back to it, by edges that are gone.
    fn once_round(&self, go: &Edge, gone: &[i64]) -> i64 {
        let mut most: BTreeMap<usize, i64> = BTreeMap::from([(go.to, 0)]);
        // Without bounded `go`s there is no circle, so each node is settled after as many turns as there are nodes.
        for _ in 0..=self.handler() {
            let mut moved = false;
            for (edge, _) in self.edges.iter().zip(gone).filter(|(edge, times)| **times > 0 && edge.bound.is_none()) {
                let Some(at) = most.get(&edge.from).copied() else { continue };
                let there = at.saturating_add(edge.amount);
                if most.get(&edge.to).is_none_or(|known| there > *known) {
                    most.insert(edge.to, there);
                    moved = true;
                }
            }
            if !moved {
                break;
            }
        }
        most.get(&go.from).map_or(0, |round| round.saturating_add(go.amount))
    }

    /// Steps, each before those to which it leads other than by going back; rounds before what leads on to the end.
    fn way(&self, from: usize, gone: &[i64]) -> Vec<(String, u64)> {
        let is_gone = |index: usize| gone.get(index).is_some_and(|times| *times > 0);
        let (mut order, mut forward) = (Vec::new(), BTreeSet::new());
        self.visit(from, is_gone, &BTreeSet::new(), &mut order, &mut forward);
        // Nodes from which the end is come to without going back: visited first, they stand last.
        let mut ending = BTreeSet::from([self.end()]);
        for node in &order {
            let mut out =
                self.edges.iter().enumerate().filter(|(index, edge)| edge.from == *node && forward.contains(index));
            if out.any(|(_, edge)| ending.contains(&edge.to)) {
                ending.insert(*node);
            }
        }
        order.clear();
        self.visit(from, is_gone, &ending, &mut order, &mut forward);
        let steps = order.into_iter().rev().filter_map(|node| Some((node, self.flow.steps.get(node)?)));
        let times = |node: usize| {
            let into = self.edges.iter().zip(gone).filter(|(edge, _)| edge.to == node);
            into.map(|(_, times)| times).sum::<i64>().unsigned_abs()
        };
        steps.map(|(node, step)| (step.name.clone(), times(node))).collect()
    }
}

/// Steps that are not come to, and `go`s that are gone at least once.
struct Search {
    barred: BTreeSet<usize>,
    must: BTreeSet<usize>,
}

/// An edge, or the first time on one that must be gone.
#[derive(Clone, Copy)]
struct Line {
    edge: usize,
    from: usize,
    to: usize,
    cost: i64,
    capacity: i64,
    gone: i64,
}

enum Round {
    None,
    Found(Vec<(usize, bool)>),
    TooMuch,
}

impl Line {
    /// From, to and cost, where what is gone may be taken back.
    fn along(&self, ahead: bool) -> (usize, usize, i64) {
        if ahead { (self.from, self.to, self.cost) } else { (self.to, self.from, -self.cost) }
    }

    fn room(&self, ahead: bool) -> i64 {
        if ahead { self.capacity - self.gone } else { self.gone }
    }
}
