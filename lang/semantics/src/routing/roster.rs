//! The agents of `strowger.yaml` against the queues: in every hour in which a queue takes calls, somebody is at work who
//! may take them once everything is relaxed.

use std::collections::{BTreeMap, BTreeSet};

use lang_diagnostics::{Code, Diagnostic};
use runtime_contract::calendar::{self, HoursTable};
use runtime_contract::program::AgentNames;
use runtime_contract::queue::{Queue, Stage};
use runtime_contract::time::Time;

use crate::Surroundings;
use crate::hir;
use crate::problems::{Problems, nearest};
use crate::project::{Project, QueueInfo};

/// So many days are looked at: every day of a year, with all its holidays and changes of clocks.
const DAYS: i32 = 366;
/// The first of them where nobody knows what day it is: 2026-01-01.
const FIRST_DAY: i32 = 20_454;

/// Stretches of time, in order, which do not meet.
type Times = Vec<(Time, Time)>;

/// An agent as far as the flows know his skills.
struct Agent<'r> {
    names: &'r AgentNames,
    /// By skill of the project.
    levels: BTreeMap<u32, i64>,
    /// Index in the hours of the project; `None`: always.
    hours: Option<usize>,
}

/// F0901, and F1101 for what the roster names and no file declares.
pub(super) fn check(
    project: &Project<'_>,
    queues: &[hir::Queue],
    surroundings: &dyn Surroundings,
    problems: &mut Problems,
) {
    let Some(roster) = &project.site.agents else { return };
    if queues.is_empty() {
        return;
    }
    let told = problems.list.len();
    let agents: Vec<Agent<'_>> = roster.iter().map(|names| agent(project, names, problems)).collect();
    if problems.list.len() > told {
        return;
    }
    let first_day = surroundings.today().unwrap_or(FIRST_DAY);
    let always = vec![(midnight(first_day), midnight(first_day.saturating_add(DAYS)))];
    // A day before and behind, since a day begins earlier or later elsewhere.
    let open = |table: &HoursTable| calendar::open_times(table, first_day.saturating_sub(1), DAYS + 2);
    let open: Vec<Times> = project.hours.iter().map(open).collect();
    let times = |hours: Option<usize>| hours.and_then(|hours| open.get(hours)).unwrap_or(&always);
    for (queue, info) in queues.iter().zip(&project.queues) {
        let Some(stage) = queue.table.stages.last() else { continue };
        let fit: Vec<&Agent<'_>> = agents.iter().filter(|agent| fits(agent, stage)).collect();
        if fit.is_empty() {
            problems.give(nobody(project, info, &queue.table, stage, &agents));
            continue;
        }
        let wanted = intersection(times(queue.table.open.map(|hours| hours as usize)), &always);
        let shifts: BTreeSet<Option<usize>> = fit.iter().map(|agent| agent.hours).collect();
        let there = shifts.into_iter().fold(Times::new(), |there, hours| union(&there, times(hours)));
        if let Some((from, to)) = without(&wanted, &there).first() {
            problems.give(unstaffed(project, info, &queue.table, (*from, *to), &fit));
        }
    }
}

fn midnight(day: i32) -> Time {
    Time(i64::from(day) * calendar::DAY_MS)
}

fn agent<'r>(project: &Project<'_>, names: &'r AgentNames, problems: &mut Problems) -> Agent<'r> {
    let name = &names.name;
    let mut levels = BTreeMap::new();
    let place = project.queues.first().map(|info| info.name.span).unwrap_or_default();
    let mut wrong = |message: String, help: String| {
        let note = "`strowger.yaml` says so below `agents`";
        problems.give(Diagnostic::new(Code::MissingInYaml, place, message).help(help).note(note));
    };
    for (skill, level) in &names.skills {
        let found = project.skills.iter().position(|info| info.name.text == *skill);
        match found.and_then(|id| Some((id, project.skills.get(id)?))) {
            Some((id, info)) => match info.levels {
                Some((low, high)) if !(low..=high).contains(level) => {
                    let message =
                        format!("agent `{name}` has `{skill} {level}`, and `{skill}` has levels {low} to {high}");
                    wrong(message, format!("{skill}: {high}"));
                }
                _ => {
                    levels.insert(id as u32, *level);
                }
            },
            None => {
                let known = project.skills.iter().map(|info| info.name.text.as_str());
                let help =
                    nearest(skill, known).map_or_else(|| format!("`skill {skill}`"), |near| format!("{near}: {level}"));
                wrong(format!("agent `{name}` has the skill `{skill}`, which no file declares"), help);
            }
        }
    }
    let hours = names.hours.as_ref().and_then(|written| {
        let is_it =
            |table: &HoursTable| table.name == *written || table.name.rsplit('.').next() == Some(written.as_str());
        let found = project.hours.iter().position(is_it);
        if found.is_none() {
            let known = project.hours.iter().filter_map(|table| table.name.rsplit('.').next());
            let help = nearest(written, known);
            let help = help
                .map_or_else(|| format!("`hours {written} in \"Asia/Shanghai\" {{`"), |near| format!("hours: {near}"));
            wrong(format!("agent `{name}` works in the hours `{written}`, which no file declares"), help);
        }
        found
    });
    Agent { names, levels, hours }
}

/// He has all levels that whoever takes the call has. What else is needed may depend on the caller.
fn fits(agent: &Agent<'_>, stage: &Stage) -> bool {
    stage.conjunction.iter().all(|(skill, least)| agent.levels.get(skill).is_some_and(|level| level >= least))
}

fn nobody(
    project: &Project<'_>,
    info: &QueueInfo<'_>,
    queue: &Queue,
    stage: &Stage,
    agents: &[Agent<'_>],
) -> Diagnostic {
    let needs: Vec<String> = stage.conjunction.iter().map(|(skill, least)| need(project, *skill, *least)).collect();
    let message = match agents.is_empty() {
        true => format!("`{}` has nobody: `strowger.yaml` has no agents", info.name.text),
        false => format!("nobody may take a call of `{}`: no agent has {}", info.name.text, needs.join(" and ")),
    };
    let last = queue.stages.last().map_or(0, |stage| stage.after_ms) / 1_000;
    let mut diagnostic = Diagnostic::new(Code::NoAgentCanMatch, info.name.span, message);
    diagnostic = match last {
        0 => diagnostic.help("`relax after 60s to nothing`"),
        last => diagnostic.help(format!("a weaker `relax`, as `relax after {}s to nothing`", last * 2)),
    };
    let lacking = |agent: &Agent<'_>| {
        let lacks =
            stage.conjunction.iter().filter(|(skill, least)| agent.levels.get(skill).is_none_or(|level| level < least));
        let lacks: Vec<String> = lacks.map(|(skill, least)| need(project, *skill, *least)).collect();
        format!("{} lacks {}", agent.names.name, lacks.join(", "))
    };
    let known: Vec<String> = agents.iter().take(AGENTS_TOLD_MAX).map(lacking).collect();
    match known.is_empty() {
        true => diagnostic.note("agents:\n  wang:\n    extension: \"2001\""),
        false => diagnostic.note(format!("of the agents in `strowger.yaml`, {}", known.join("; "))),
    }
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

fn unstaffed(
    project: &Project<'_>,
    info: &QueueInfo<'_>,
    queue: &Queue,
    gap: (Time, Time),
    fit: &[&Agent<'_>],
) -> Diagnostic {
    let own = queue.open.and_then(|hours| project.hours.get(hours as usize));
    let of_agent = fit.iter().find_map(|agent| project.hours.get(agent.hours?));
    let zone = own.or(of_agent).map_or("UTC", |table| table.zone.as_str());
    let minute =
        |time: Time| calendar::local_text(time, zone).chars().take("2026-01-01 09:00".len()).collect::<String>();
    let name = &info.name.text;
    let message = format!("nobody may take the calls of `{name}` from {} to {} ({zone})", minute(gap.0), minute(gap.1));
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
    Diagnostic::new(Code::NoAgentCanMatch, info.name.span, message)
        .help(help)
        .note(format!("who may take them, once all is relaxed: {}", who.join(", ")))
}

fn union(one: &Times, other: &Times) -> Times {
    let mut all: Times = one.iter().chain(other).copied().collect();
    all.sort_unstable();
    let mut found = Times::new();
    for (from, to) in all {
        match found.last_mut() {
            Some(last) if last.1 >= from => last.1 = last.1.max(to),
            _ => found.push((from, to)),
        }
    }
    found
}

fn intersection(one: &Times, other: &Times) -> Times {
    let mut found = Times::new();
    let (mut a, mut b) = (one.iter().peekable(), other.iter().peekable());
    while let (Some(first), Some(second)) = (a.peek(), b.peek()) {
        let (from, to) = (first.0.max(second.0), first.1.min(second.1));
        if from < to {
            found.push((from, to));
        }
        if first.1 < second.1 {
            a.next();
        } else {
            b.next();
        }
    }
    found
}

/// What of the first is in none of the second.
fn without(one: &Times, other: &Times) -> Times {
    let mut found = Times::new();
    let mut others = other.iter().peekable();
    for (from, to) in one {
        let mut at = *from;
        while let Some((begins, ends)) = others.peek() {
            if *ends <= at {
                others.next();
                continue;
            }
            if begins >= to {
                break;
            }
            if *begins > at {
                found.push((at, *begins));
            }
            at = at.max(*ends);
            if ends > to {
                break;
            }
            others.next();
        }
        if at < *to {
            found.push((at, *to));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(list: &[(i64, i64)]) -> Times {
        list.iter().map(|(from, to)| (Time(*from), Time(*to))).collect()
    }

    #[test]
    fn stretches_of_time() {
        let one = times(&[(0, 10), (20, 30)]);
        assert_eq!(union(&one, &times(&[(5, 20), (40, 50)])), times(&[(0, 30), (40, 50)]));
        assert_eq!(intersection(&one, &times(&[(5, 25), (28, 40)])), times(&[(5, 10), (20, 25), (28, 30)]));
        assert_eq!(without(&one, &times(&[(2, 4), (8, 22), (25, 40)])), times(&[(0, 2), (4, 8), (22, 25)]));
        assert_eq!(without(&one, &times(&[(0, 10), (20, 30)])), times(&[]));
        assert_eq!(without(&one, &times(&[])), one);
    }
}
