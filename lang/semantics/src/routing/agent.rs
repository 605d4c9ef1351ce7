//! An agent as `strowger.yaml` describes him, in the words of the flows.

use std::collections::BTreeMap;

use lang_diagnostics::{Code, Diagnostic};
use runtime_contract::program::AgentNames;

use super::levels::Levels;
use crate::problems::{Problems, nearest};
use crate::project::Project;

pub(super) struct Agent<'r> {
    pub names: &'r AgentNames,
    /// Of the skills that he has.
    pub levels: Levels,
    /// Index in the hours of the project; `None`: always.
    pub hours: Option<usize>,
}

impl<'r> Agent<'r> {
    /// F1101 for what no file declares, or declares otherwise.
    pub fn of(project: &Project<'_>, names: &'r AgentNames, problems: &mut Problems) -> Agent<'r> {
        let mut reader = Reader { project, names, problems };
        let skills = names.skills.iter().filter_map(|(skill, level)| reader.skill(skill, *level));
        let levels: BTreeMap<u32, i64> = skills.collect();
        let hours = names.hours.as_ref().and_then(|written| reader.hours(written));
        Agent { names, levels, hours }
    }

    /// Agents of one kind may take the same calls at the same times.
    pub fn kind(&self) -> (&Levels, Option<usize>) {
        (&self.levels, self.hours)
    }

    pub fn has(&self, conjunction: &[(u32, i64)]) -> bool {
        let has = |(skill, least): &(u32, i64)| self.levels.get(skill).is_some_and(|level| level >= least);
        conjunction.iter().all(has)
    }
}

struct Reader<'p, 'a, 'r> {
    project: &'p Project<'a>,
    names: &'r AgentNames,
    problems: &'p mut Problems,
}

impl Reader<'_, '_, '_> {
    fn wrong(&mut self, message: String, help: String) {
        let place = self.project.queues.first().map(|info| info.name.span).unwrap_or_default();
        let note = match self.names.line {
            0 => "`strowger.yaml` says so below `agents`".to_owned(),
            line => format!("`strowger.yaml` says so below `agents`, in line {line}"),
        };
        self.problems.give(Diagnostic::new(Code::MissingInYaml, place, message).help(help).note(note));
    }

    fn skill(&mut self, skill: &str, level: Option<i64>) -> Option<(u32, i64)> {
        let (project, name) = (self.project, &self.names.name);
        let Some((id, info)) = (0..).zip(&project.skills).find(|(_, info)| info.name.text == skill) else {
            let known = project.skills.iter().map(|info| info.name.text.as_str());
            let help = nearest(skill, known).map_or_else(
                || format!("`skill {skill}`"),
                |near| format!("{near}: {}", level.map_or_else(|| "true".to_owned(), |level| level.to_string())),
            );
            self.wrong(format!("agent `{name}` has the skill `{skill}`, which no file declares"), help);
            return None;
        };
        match (info.levels, level) {
            (Some((low, high)), Some(level)) if !(low..=high).contains(&level) => {
                let message = format!("agent `{name}` has `{skill} {level}`, and `{skill}` has levels {low} to {high}");
                self.wrong(message, format!("{skill}: {high}"));
                None
            }
            (Some((low, high)), None) => {
                let message =
                    format!("agent `{name}` has `{skill}` without a level, and `{skill}` has levels {low} to {high}");
                self.wrong(message, format!("{skill}: {low}"));
                None
            }
            (None, Some(level)) => {
                let message = format!("agent `{name}` has `{skill} {level}`, and `{skill}` has no levels");
                self.wrong(message, format!("{skill}: true"));
                None
            }
            (_, level) => Some((id, level.unwrap_or(1))),
        }
    }

    /// A name alone is that of one module.
    fn hours(&mut self, written: &str) -> Option<usize> {
        let (project, name) = (self.project, &self.names.name);
        let alone = |table: &str| table.rsplit('.').next() == Some(written);
        let tables = project.hours.iter().enumerate();
        let found: Vec<(usize, &str)> = tables
            .map(|(at, table)| (at, table.name.as_str()))
            .filter(|(_, table)| *table == written || alone(table))
            .collect();
        let whole = found.iter().find(|(_, table)| *table == written);
        match (whole, found.as_slice()) {
            (Some((at, _)), _) | (None, [(at, _)]) => Some(*at),
            (None, [(_, first), .., (_, last)]) => {
                let message =
                    format!("agent `{name}` works in the hours `{written}`, which are both `{first}` and `{last}`");
                self.wrong(message, format!("hours: {first}"));
                None
            }
            (None, []) => {
                let known = project.hours.iter().filter_map(|table| table.name.rsplit('.').next());
                let help = nearest(written, known).map_or_else(
                    || format!("`hours {written} in \"Asia/Shanghai\" {{`"),
                    |near| format!("hours: {near}"),
                );
                self.wrong(format!("agent `{name}` works in the hours `{written}`, which no file declares"), help);
                None
            }
        }
    }
}
