//! The agents of `strowger.yaml` against the queues: in every hour in which a queue takes calls, somebody is at work who
//! may take them once everything is relaxed.

use std::collections::{BTreeMap, BTreeSet};

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast::QueueClauseKind as Clause;
use runtime_contract::calendar::{self, HoursTable};
use runtime_contract::limits::OVERFLOW_HOPS_MAX;
use runtime_contract::queue::{Queue, Stage};
use runtime_contract::time::Time;

use super::agent::Agent;
use super::callers::{self, Reads, when};
use super::facts::{Facts, Known};
use super::levels::{Levels, Stated, Truth};
use super::proofs::{ends_ms, returned};
use super::times::{Times, intersection, union, without};
use crate::Surroundings;
use crate::check::CheckedFlow;
use crate::hir::{self, Expr, LocalId};
use crate::problems::Problems;
use crate::project::{Project, QueueInfo};
use crate::worst::duration_text;

/// So many days are looked at: every day of a year, with all its holidays and changes of clocks.
const DAYS: i32 = 366;
/// The first of them where nobody knows what day it is: 2026-01-01.
const FIRST_DAY: i32 = 20_454;

/// F0901, and F1101 for what the roster names and no file declares.
pub(super) fn check(
    project: &Project<'_>,
    queues: &[hir::Queue],
    flows: &[Option<CheckedFlow>],
    surroundings: &dyn Surroundings,
    problems: &mut Problems,
) {
    let Some(roster) = &project.site.agents else { return };
    if queues.is_empty() {
        return;
    }
    let told = problems.list.len();
    let agents: Vec<Agent<'_>> = roster.iter().map(|names| Agent::of(project, names, problems)).collect();
    if problems.list.len() > told {
        return;
    }
    let first_day = surroundings.today().unwrap_or(FIRST_DAY);
    let always = vec![(midnight(first_day), midnight(first_day.saturating_add(DAYS)))];
    // A day before and behind, since a day begins earlier or later elsewhere.
    let open = |table: &HoursTable| calendar::open_times(table, first_day.saturating_sub(1), DAYS + 2);
    let open = project.hours.iter().map(open).collect();
    let rows = agents.iter().map(|agent| &agent.levels).collect::<BTreeSet<_>>().len();
    let mut known = BTreeSet::new();
    let kinds = agents.iter().enumerate().filter(|(_, agent)| known.insert(agent.kind()));
    let kinds = kinds.map(|(at, _)| at).collect();
    let staff = Staff { project, queues, flows, agents, kinds, rows, open, always };
    let calls = callers::calls(queues, flows);
    for (number, calls) in (0..).zip(&calls) {
        problems.list.extend(staff.lacking(number, calls));
    }
}

/// Who is at work, and for which queues.
struct Staff<'r, 'a> {
    project: &'r Project<'a>,
    queues: &'r [hir::Queue],
    flows: &'r [Option<CheckedFlow>],
    agents: Vec<Agent<'r>>,
    /// The first of those who have the same levels and hours: a large roster has few.
    kinds: Vec<usize>,
    /// So many of them differ in their levels.
    rows: usize,
    /// By hours of the project.
    open: Vec<Times>,
    /// All days that are looked at.
    always: Times,
}

/// Who may take a call, by the first of his kind in the roster, and the hours in which the queues take calls by way of which he does.
type Fit = BTreeSet<(usize, Vec<u32>)>;

impl<'r, 'a> Staff<'r, 'a> {
    /// F0901 of the first kind of caller whom nobody may take at some time.
    fn lacking(&self, number: u32, calls: &[Facts]) -> Option<Diagnostic> {
        let queue = &self.queues.get(number as usize)?.table;
        let info = self.project.queues.get(number as usize)?;
        let ends_ms = ends_ms(self.queues, number, queue);
        let reads = Reads::of(self.project, info, self.values(queue));
        let anybody = [Facts::default()];
        let calls = if calls.is_empty() { &anybody[..] } else { calls };
        let mut seen = BTreeSet::new();
        for kind in calls.iter().flat_map(|call| reads.kinds(call, self.rows)) {
            let mut fit = Fit::new();
            self.fit(number, &kind, (0, ends_ms), &[], &mut fit);
            let case = Case { queue, info, ends_ms, told: reads.told(&kind) };
            if fit.is_empty() {
                return Some(self.nobody(&case));
            }
            if !seen.contains(&fit) {
                if let Some(gap) = self.gap(queue, &fit) {
                    return Some(self.unstaffed(&case, gap, &fit));
                }
                seen.insert(fit);
            }
        }
        None
    }

    /// What decides who takes a call of this queue, and what the next one is given.
    fn values(&self, queue: &Queue) -> impl Iterator<Item = &'r Expr> {
        let conditions = queue.stages.iter().filter_map(|stage| Some(stage.needs.as_ref()?.flow));
        let arguments = queue.overflow.iter().flat_map(|overflow| overflow.arguments.iter().copied());
        conditions.chain(arguments).filter_map(|flow| returned(self.flows, flow)).collect::<Vec<_>>().into_iter()
    }

    /// Those who may take the call once everything is relaxed: who comes to the queue `at_ms` of his wait, and waits in
    /// whatever it overflows to as well. `within` are the hours of the queues on the way.
    fn fit(&self, number: u32, caller: &Facts, (at_ms, ends_ms): (u64, Option<u64>), within: &[u32], found: &mut Fit) {
        // No more queues than a caller may wait in, so a circle ends too.
        if within.len() > OVERFLOW_HOPS_MAX {
            return;
        }
        let Some(queue) = self.queues.get(number as usize).map(|queue| &queue.table) else { return };
        let in_time = |after_ms: u64| ends_ms.is_none_or(|ends_ms| at_ms.saturating_add(after_ms) < ends_ms);
        if let Some(stage) = queue.stages.iter().take_while(|stage| in_time(stage.after_ms)).last() {
            let needs = self.needs(queue, stage);
            // Many agents have the same levels.
            let mut known: BTreeMap<&Levels, bool> = BTreeMap::new();
            for (at, agent) in self.kinds.iter().filter_map(|at| Some((*at, self.agents.get(*at)?))) {
                let fits = || {
                    agent.has(&stage.conjunction)
                        && needs.as_ref().is_none_or(|n| n.of(&agent.levels, caller) != Truth::No)
                };
                if *known.entry(&agent.levels).or_insert_with(fits) {
                    found.insert((at, within.to_vec()));
                }
            }
        }
        let Some(overflow) = queue.overflow.as_ref().filter(|overflow| in_time(overflow.after_ms)) else { return };
        let mut next = Facts { locals: BTreeMap::new(), ..caller.clone() };
        for (local, flow) in (0..).map(LocalId).zip(&overflow.arguments) {
            let known = returned(self.flows, *flow).map_or(Known::Open, |value| caller.clone().works_out(value));
            next.locals.insert(local, known);
        }
        let to = overflow.queue;
        let within: Vec<u32> = within.iter().copied().chain([to]).collect();
        self.fit(to, &next, (at_ms.saturating_add(overflow.after_ms), ends_ms), &within, found);
    }

    fn needs(&self, queue: &Queue, stage: &Stage) -> Option<Stated> {
        let needs = stage.needs.as_ref()?;
        let own = queue.parameters.len() as u32;
        let skills = (own..).map(LocalId).zip(needs.skills.iter().copied()).collect();
        Some(Stated { value: returned(self.flows, needs.flow).cloned(), skills })
    }

    fn times(&self, hours: Option<usize>) -> &Times {
        hours.and_then(|hours| self.open.get(hours)).unwrap_or(&self.always)
    }

    fn hours_of(&self, queue: &Queue) -> &Times {
        self.times(queue.open.map(|hours| hours as usize))
    }

    /// The first time at which the queue takes calls and none of these is there.
    fn gap(&self, queue: &Queue, fit: &Fit) -> Option<(Time, Time)> {
        let shifts: BTreeSet<(Option<usize>, &[u32])> =
            fit.iter().filter_map(|(at, within)| Some((self.agents.get(*at)?.hours, within.as_slice()))).collect();
        let there = shifts.into_iter().fold(Times::new(), |there, (hours, within)| {
            let on_the_way = within.iter().filter_map(|queue| self.queues.get(*queue as usize));
            let own = self.times(hours).clone();
            union(&there, &on_the_way.fold(own, |times, queue| intersection(&times, self.hours_of(&queue.table))))
        });
        without(&intersection(self.hours_of(queue), &self.always), &there).first().copied()
    }
}

/// A queue, and a kind of caller for whom something is wrong.
struct Case<'r, 'a> {
    queue: &'r Queue,
    info: &'r QueueInfo<'a>,
    ends_ms: Option<u64>,
    /// `` `tier` is `vip` ``
    told: Vec<String>,
}

impl Case<'_, '_> {
    /// The stages that somebody waits for, and their clauses.
    fn stages(&self) -> Vec<&Stage> {
        let stages = self.queue.stages.iter();
        stages.take_while(|stage| self.ends_ms.is_none_or(|ends_ms| stage.after_ms < ends_ms)).collect()
    }

    /// Where it says what is needed at last.
    fn clause(&self, stage: usize) -> Option<Span> {
        let mut clauses = self.info.item.clauses.iter();
        match stage.checked_sub(1) {
            Some(at) => clauses.filter(|clause| matches!(clause.kind, Clause::Relax { .. })).nth(at),
            None => clauses.find(|clause| matches!(clause.kind, Clause::Needs(_))),
        }
        .map(|clause| clause.span)
    }
}

fn midnight(day: i32) -> Time {
    Time(i64::from(day) * calendar::DAY_MS)
}

impl Staff<'_, '_> {
    fn nobody(&self, case: &Case<'_, '_>) -> Diagnostic {
        let (project, info) = (self.project, case.info);
        let stages = case.stages();
        let stage = stages.last();
        let (needs, conjunction) =
            stage.map_or((None, &[][..]), |stage| (stage.needs.as_ref(), stage.conjunction.as_slice()));
        let name = &info.name.text;
        let is_lacking = !self.agents.iter().any(|agent| agent.has(conjunction));
        let message = match (self.agents.is_empty(), is_lacking) {
            (true, _) => format!("`{name}` has nobody: `strowger.yaml` has no agents"),
            (_, true) => {
                let needs: Vec<String> =
                    conjunction.iter().map(|(skill, least)| need(project, *skill, *least)).collect();
                format!("nobody may take a call of `{name}`: no agent has {}", needs.join(" and "))
            }
            (_, false) => {
                let when = when(&case.told);
                format!("nobody may take a call of `{name}`{when}: no agent has what is needed")
            }
        };
        let diagnostic = Diagnostic::new(Code::NoAgentCanMatch, info.name.span, message).help(weaker(case));
        let diagnostic = match needs.and(case.clause(stages.len().saturating_sub(1))) {
            Some(span) => diagnostic.label(span, "needed at last"),
            None => diagnostic,
        };
        let lacking = |agent: &Agent<'_>| {
            let lacks =
                conjunction.iter().filter(|(skill, least)| agent.levels.get(skill).is_none_or(|level| level < least));
            let lacks: Vec<String> = lacks.map(|(skill, least)| need(project, *skill, *least)).collect();
            match lacks.is_empty() {
                true => format!("{} has {}", agent.names.name, skills(project, agent)),
                false => format!("{} lacks {}", agent.names.name, lacks.join(", ")),
            }
        };
        let known: Vec<String> = self.agents.iter().take(AGENTS_TOLD_MAX).map(lacking).collect();
        match known.is_empty() {
            true => diagnostic.note("agents:\n  wang:\n    extension: \"2001\""),
            false => diagnostic.note(format!("of the agents in `strowger.yaml`, {}", known.join("; "))),
        }
    }

    fn unstaffed(&self, case: &Case<'_, '_>, gap: (Time, Time), fit: &Fit) -> Diagnostic {
        let project = self.project;
        let kinds: BTreeSet<_> = fit.iter().filter_map(|(at, _)| self.agents.get(*at)).map(Agent::kind).collect();
        let fit: Vec<&Agent<'_>> = self.agents.iter().filter(|agent| kinds.contains(&agent.kind())).collect();
        let own = case.queue.open.and_then(|hours| project.hours.get(hours as usize));
        let of_agent = fit.iter().find_map(|agent| project.hours.get(agent.hours?));
        let zone = own.or(of_agent).map_or("UTC", |table| table.zone.as_str());
        let minute =
            |time: Time| calendar::local_text(time, zone).chars().take("2026-01-01 09:00".len()).collect::<String>();
        let (name, when) = (&case.info.name.text, when(&case.told));
        let message =
            format!("nobody may take the calls of `{name}`{when} from {} to {} ({zone})", minute(gap.0), minute(gap.1));
        let who: Vec<String> = fit
            .iter()
            .take(AGENTS_TOLD_MAX)
            .map(|agent| {
                let hours = agent.names.hours.as_deref().unwrap_or("always");
                format!("{} ({hours})", agent.names.name)
            })
            .collect();
        let help = match own {
            Some(_) => "shorter hours of the queue, or somebody who works then".to_owned(),
            None => match of_agent.and_then(|table| table.name.rsplit('.').next()) {
                Some(hours) => format!("`open {hours}`"),
                None => "`open office`".to_owned(),
            },
        };
        Diagnostic::new(Code::NoAgentCanMatch, case.info.name.span, message)
            .help(help)
            .note(format!("who may take them, once all is relaxed: {}", who.join(", ")))
    }
}

/// A `relax` that somebody lives to see.
fn weaker(case: &Case<'_, '_>) -> String {
    let last_ms = case.stages().last().map_or(0, |stage| stage.after_ms);
    let after_ms = if last_ms == 0 { 60_000 } else { last_ms.saturating_mul(2) };
    let after_ms = match case.ends_ms {
        Some(ends_ms) if after_ms >= ends_ms => last_ms + (ends_ms - last_ms) / 2,
        _ => after_ms,
    };
    let after = match after_ms {
        // As people say it.
        60_000..120_000 if after_ms % 1_000 == 0 => format!("{}s", after_ms / 1_000),
        _ => duration_text(after_ms as i64),
    };
    let relax = format!("`relax after {after} to nothing`");
    match last_ms {
        0 => relax,
        _ => format!("a weaker `relax`, as {relax}"),
    }
}

/// `` `technical 1` and `french` ``
fn skills(project: &Project<'_>, agent: &Agent<'_>) -> String {
    let known = agent.levels.iter().filter_map(|(skill, level)| {
        let info = project.skills.get(*skill as usize)?;
        Some(match info.levels {
            Some(_) => format!("`{} {level}`", info.name.text),
            None => format!("`{}`", info.name.text),
        })
    });
    let known: Vec<String> = known.collect();
    if known.is_empty() { "no skill".to_owned() } else { known.join(" and ") }
}

/// Agents that a message names.
const AGENTS_TOLD_MAX: usize = 4;

fn need(project: &Project<'_>, skill: u32, least: i64) -> String {
    match project.skills.get(skill as usize) {
        Some(info) if info.levels.is_some() => format!("`{} >= {least}`", info.name.text),
        Some(info) => format!("`{}`", info.name.text),
        None => "?".to_owned(),
    }
}
