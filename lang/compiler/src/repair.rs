//! Applies the repairs that are certain, as long as each makes the project better: fewer lines that do not read, or as
//! many and fewer problems. It writes no files.

use std::collections::BTreeMap;

use lang_diagnostics::{Diagnostic, FileId, Suggestion};
use runtime_contract::program::SiteNames;

use crate::analysis::{Analysis, analyze};
use crate::project::Project;

/// Rounds of looking and repairing. A round that repairs nothing is the last, so this bounds only what a broken repair
/// could do.
const ROUNDS_MAX: usize = 64;
/// Mistakes of one line that are repaired one after the other before the line must read.
const MISTAKES_A_LINE_MAX: usize = 8;
/// Repairs that are tried one by one in a round when all together make nothing better.
const SINGLE_TRIES_MAX: usize = 64;

/// One repair that was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Applied {
    pub file: String,
    /// Of the text as it was in that round; from 1.
    pub line: u32,
    /// `F0005`
    pub code: &'static str,
    /// The problem that is gone.
    pub message: String,
    /// What was done.
    pub title: String,
}

/// A project after all certain repairs.
pub struct Repaired {
    pub project: Project,
    /// In the order in which they were made.
    pub applied: Vec<Applied>,
    /// The new text of each file that changed, by path.
    pub changed: BTreeMap<String, String>,
}

pub fn repair(project: &Project, names: &SiteNames) -> Repaired {
    let mut repaired = Repaired { project: project.clone(), applied: Vec::new(), changed: BTreeMap::new() };
    let mut analysis = analyze(&repaired.project, names);
    for _ in 0..ROUNDS_MAX {
        let Some((better, found, applied)) = round(&repaired.project, &analysis, names) else { break };
        repaired.project = better;
        repaired.applied.extend(applied);
        analysis = found;
    }
    for (path, file) in &repaired.project.flows {
        if project.flows.get(path).is_some_and(|before| before.text != file.text) {
            repaired.changed.insert(path.clone(), file.text.clone());
        }
    }
    repaired
}

/// The project with some more repairs, and what is then found; `None` when none makes it better.
fn round(project: &Project, analysis: &Analysis, names: &SiteNames) -> Option<(Project, Analysis, Vec<Applied>)> {
    let attempt = |chosen: &[&Diagnostic], tried: &Project, found: &Analysis| {
        let tried = with_edits(tried, found, chosen)?;
        let applied: Vec<Applied> = chosen.iter().map(|problem| applied(problem, found)).collect();
        let found = analyze(&tried, names);
        Some((tried, found, applied))
    };
    let is_better = |found: &Analysis| weight(found) < weight(analysis);
    // A line with several mistakes reads only when all of them are gone.
    let mut together: Option<(Project, Analysis, Vec<Applied>)> = None;
    for _ in 0..MISTAKES_A_LINE_MAX {
        let (tried, found, before) = together.as_ref().map_or((project, analysis, &[][..]), |(p, a, b)| (p, a, b));
        let chosen = certain(tried, found);
        if chosen.is_empty() {
            break;
        }
        let (tried, found, applied) = attempt(&chosen, tried, found)?;
        let applied = [before, &applied].concat();
        if is_better(&found) {
            return Some((tried, found, applied));
        }
        together = Some((tried, found, applied));
    }
    let all = certain(project, analysis);
    let singles = all.iter().take(SINGLE_TRIES_MAX).filter_map(|one| attempt(&[one], project, analysis));
    singles.into_iter().find(|(_, found, _)| is_better(found))
}

/// Lines that do not read weigh more than what is found behind them: a line that reads again may show other mistakes.
fn weight(analysis: &Analysis) -> (usize, usize) {
    (analysis.unread, analysis.diagnostics.len())
}

/// Problems of the project's own files whose repair is certain, none touching another's.
fn certain<'a>(project: &Project, analysis: &'a Analysis) -> Vec<&'a Diagnostic> {
    let mut taken: Vec<(FileId, u32, u32)> = Vec::new();
    let mut chosen = Vec::new();
    for problem in &analysis.diagnostics {
        let Some(suggestion) = problem.suggestion.as_ref().filter(|suggestion| suggestion.certain) else { continue };
        let places = || suggestion.edits.iter().map(|edit| (edit.span.file, edit.span.start, edit.span.end));
        let is_own = |file: FileId| project.flows.contains_key(analysis.sources.path(file));
        let meets = |a: (FileId, u32, u32), b: &(FileId, u32, u32)| a.0 == b.0 && a.1 <= b.2 && b.1 <= a.2;
        if places().all(|place| is_own(place.0) && !taken.iter().any(|other| meets(place, other))) {
            taken.extend(places());
            chosen.push(problem);
        }
    }
    chosen
}

fn with_edits(project: &Project, analysis: &Analysis, chosen: &[&Diagnostic]) -> Option<Project> {
    let mut project = project.clone();
    let mut edits: Vec<_> = chosen
        .iter()
        .filter_map(|problem| problem.suggestion.as_ref())
        .flat_map(|found: &Suggestion| &found.edits)
        .collect();
    edits.sort_by_key(|edit| std::cmp::Reverse((edit.span.file, edit.span.start)));
    for edit in edits {
        let file = project.flows.get_mut(analysis.sources.path(edit.span.file))?;
        let mut place = edit.span.range();
        file.text.get(place.clone())?;
        if edit.text.is_empty() {
            place = whole_line(&file.text, place);
        }
        file.text.replace_range(place, &edit.text);
    }
    Some(project)
}

/// The place with its line end, where nothing else stands on its lines.
fn whole_line(text: &str, place: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let (before, behind) = (text.get(..place.start).unwrap_or(""), text.get(place.end..).unwrap_or(""));
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let rest = behind.find('\n').map_or(behind.len(), |newline| newline + 1);
    let blank = |part: Option<&str>| part.is_some_and(|part| part.trim().is_empty());
    if blank(before.get(start..)) && blank(behind.get(..rest)) { start..place.end + rest } else { place }
}

fn applied(problem: &Diagnostic, analysis: &Analysis) -> Applied {
    let span = problem.span();
    Applied {
        file: analysis.sources.path(span.file).to_owned(),
        line: analysis.sources.position(span.file, span.start).line,
        code: problem.code.number(),
        message: problem.message.clone(),
        title: problem.suggestion.as_ref().map_or_else(String::new, |suggestion| suggestion.title.clone()),
    }
}
