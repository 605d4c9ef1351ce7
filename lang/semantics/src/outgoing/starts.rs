//! Which cadence begins which, at once or by a rule that it sets off: none may begin itself, for its attempts would have no
//! end.

use std::collections::BTreeMap;

use lang_diagnostics::{Code, Diagnostic, Span};
use runtime_contract::rule::{Measure, When};

use super::reached::{Way, each_reached, writes};
use crate::check::CheckedFlow;
use crate::hir::{self, StatementKind};
use crate::problems::Problems;

/// Where a cadence or a rule leads, each with the shortest way. Cadences are numbered first, then rules.
type Leads = BTreeMap<usize, Way>;

struct Circles<'c> {
    cadences: &'c [hir::Cadence],
    rules: &'c [hir::Rule],
    queues: &'c [hir::Queue],
    flows: &'c [Option<CheckedFlow>],
}

/// F0505
pub(crate) fn check_starts(
    (cadences, rules, queues): (&[hir::Cadence], &[hir::Rule], &[hir::Queue]),
    flows: &[Option<CheckedFlow>],
    problems: &mut Problems,
) {
    let circles = Circles { cadences, rules, queues, flows };
    let leads: Vec<Leads> = (0..cadences.len() + rules.len()).map(|at| circles.leads(at)).collect();
    // 0: not looked at; 1: on the way that is looked at; 2: done.
    let mut states = vec![0u8; leads.len()];
    for first in 0..leads.len() {
        let mut way: Vec<(usize, Vec<usize>)> = Vec::new();
        let mut next = Some(first).filter(|at| states.get(*at) == Some(&0));
        while let Some(at) = next.take().or_else(|| way.last().map(|(at, _)| *at)) {
            if way.last().is_none_or(|(last, _)| *last != at) {
                states.iter_mut().skip(at).take(1).for_each(|state| *state = 1);
                way.push((at, leads.get(at).into_iter().flat_map(|own| own.keys().copied()).collect()));
            }
            let Some(to) = way.last_mut().and_then(|(_, open)| open.pop()) else {
                states.iter_mut().skip(at).take(1).for_each(|state| *state = 2);
                way.pop();
                continue;
            };
            match states.get(to) {
                Some(0) => next = Some(to),
                Some(1) => {
                    let mut circle: Vec<usize> = way.iter().map(|(at, _)| *at).skip_while(|at| *at != to).collect();
                    // Told at the action of a rule, where there is one.
                    if let Some(rule) = circle.iter().position(|at| *at >= cadences.len()) {
                        circle.rotate_left(rule + 1);
                    }
                    problems.give(circles.told(&circle, &leads));
                }
                _ => {}
            }
        }
    }
}

impl Circles<'_> {
    /// The last of a circle begins the first again, which is a cadence.
    fn told(&self, circle: &[usize], leads: &[Leads]) -> Diagnostic {
        let mut names = Vec::new();
        let (mut places, mut last) = (Vec::new(), Span::default());
        for (at, next) in circle.iter().zip(circle.iter().cycle().skip(1)) {
            let Some(way) = leads.get(*at).and_then(|own| own.get(next)) else { continue };
            names.push(self.name(*at));
            let runs = way.runs.iter().filter_map(|(flow, _)| self.flows.get(*flow as usize)?.as_ref());
            names.extend(runs.map(|flow| flow.short_name().to_owned()));
            places.extend(way.runs.iter().map(|(_, place)| *place).chain([way.statement]));
            last = way.statement;
        }
        names.extend(circle.first().map(|first| self.name(*first)));
        let message = format!("this cadence begins itself again: `{}`", names.join("` → `"));
        let diagnostic = Diagnostic::new(Code::RecursiveFlow, last, message);
        let labelled = places.into_iter().filter(|place| *place != last);
        let diagnostic = labelled.fold(diagnostic, |diagnostic, place| diagnostic.label(place, "by way of this"));
        let rule = circle.last().and_then(|last| self.rule(*last)).map(|rule| &rule.rule.when);
        diagnostic.help(match rule {
            Some(When::Alarm(_)) => "leave it out: `notify` tells whoever can help",
            Some(_) => "leave it out: whoever is to be written to again is by `undelivered => retry in 1d`",
            None => "leave it out: whoever is to be called again is by `retry in 1d`",
        })
    }

    fn rule(&self, at: usize) -> Option<&hir::Rule> {
        self.rules.get(at.checked_sub(self.cadences.len())?)
    }

    fn name(&self, at: usize) -> String {
        let short = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
        let cadence = |at: usize| self.cadences.get(at).map_or_else(String::new, |own| short(&own.table.name));
        match self.rule(at).map(|rule| &rule.rule.when) {
            Some(When::Undelivered { cadence: of }) => format!("when undelivered in {}", cadence(*of as usize)),
            Some(When::Alarm(alarm)) => {
                let measure = alarm.tests.first();
                let queue = measure.and_then(|measure| self.queues.get(measure.queue as usize));
                let queue = queue.map_or_else(String::new, |queue| short(&queue.table.name));
                format!("when {queue}.{}", measure.map_or("", |measure| measure.name()))
            }
            _ => cadence(at),
        }
    }

    fn leads(&self, at: usize) -> Leads {
        let mut found = Leads::new();
        let entries: Vec<u32> = match (self.cadences.get(at), self.rule(at)) {
            (Some(cadence), _) => cadence.table.flows().collect(),
            (None, Some(rule)) => vec![rule.rule.flow],
            (None, None) => Vec::new(),
        };
        each_reached(self.flows, entries, &mut |statement, way| {
            if let StatementKind::Start(start) = &statement.kind {
                found.entry(start.cadence as usize).or_insert_with(way);
            }
            let rules = (self.cadences.len()..).zip(self.rules).filter(|_| at < self.cadences.len());
            for (number, _) in rules.filter(|(_, rule)| self.sets_off(at, statement, &rule.rule.when)) {
                found.entry(number).or_insert_with(way);
            }
        });
        found
    }

    /// What a cadence does there may be what a rule waits for. Whom a cadence calls is never `missed`.
    fn sets_off(&self, cadence: usize, statement: &hir::Statement, when: &When) -> bool {
        match (when, &statement.kind) {
            (When::Undelivered { cadence: of }, _) => *of as usize == cadence && writes(statement),
            (When::Alarm(alarm), StatementKind::Queue(call)) => {
                alarm.tests.iter().any(|measure| self.changes(*measure, call.queue))
            }
            _ => false,
        }
    }

    /// Whether a caller of this queue changes a measure: of it, or of one to which he overflows; or agents are at work.
    fn changes(&self, measure: Measure, queue: u32) -> bool {
        let next = |queue: &u32| Some(self.queues.get(*queue as usize)?.table.overflow.as_ref()?.queue);
        let mut waits_in = std::iter::successors(Some(queue), next).take(self.queues.len());
        (measure.is_of_agents() && measure.name() != "agents_logged_in") || waits_in.any(|queue| queue == measure.queue)
    }
}
