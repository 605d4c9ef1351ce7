//! The manual in `lang/spec/` is true: each block compiles, or is refused exactly as its marks say.

mod chapters;

use std::collections::BTreeSet;
use std::path::Path;

use crate::defects::today;
use chapters::{File, Mark, Shown, chapters, shown};
use lang_compiler::{Analysis, Colours, Engine, Project, compile, format};
use runtime_contract::program::SiteNames;

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../spec"))
}

/// Where and what every problem is.
fn said(shown: &Shown, analysis: &Analysis) -> Vec<Mark> {
    let sources = &analysis.sources;
    let mark = |problem: &lang_compiler::Diagnostic| {
        let span = problem.span();
        let above = shown.files.iter().find(|file| file.name == sources.path(span.file)).map(|file| file.above);
        let (start, end) = (sources.position(span.file, span.start), sources.position(span.file, span.end));
        let behind = if end.line == start.line { end.column } else { u32::MAX };
        Mark {
            line: above.expect("the place is in the block") + i64::from(start.line),
            said: format!("{}: {}", problem.severity.word(), problem.code.number()),
            columns: Some((start.column as usize, behind.max(start.column + 1) as usize)),
        }
    };
    let mut found: Vec<Mark> = analysis.diagnostics.iter().map(mark).collect();
    found.sort();
    found
}

/// What is wrong with a block.
fn fault(shown: &Shown) -> Option<String> {
    let mut project = Project::default();
    project.set_today(shown.files.first().map_or(0, |file| today(&file.text)));
    for file in &shown.files {
        project.add_flow(&file.name, &file.text);
    }
    let compiled = compile(&project, &SiteNames::default(), Engine::Interpreter);
    let analysis = compiled.as_ref().map_or_else(|analysis| &**analysis, |compiled| &compiled.analysis);
    let found = said(shown, analysis);
    let fits = |(found, mark): (&Mark, &Mark)| {
        found.line == mark.line && found.said == mark.said && (mark.columns.is_none() || found.columns == mark.columns)
    };
    if found.len() != shown.marks.len() || !found.iter().zip(&shown.marks).all(fits) {
        let report = analysis.report(Colours::Off, 100).text;
        return Some(format!("marked is {:?}\nsaid is {found:?}\n{report}", shown.marks));
    }
    shown.files.iter().filter(|_| found.is_empty()).find_map(unformatted)
}

/// The first line that is not in its canonical form, and that form.
fn unformatted(file: &File) -> Option<String> {
    let formatted = format(&file.text);
    let mut lines = file.text.lines().zip(formatted.lines()).zip(1..);
    let differs = || format!("formatting changes the end of `{}`", file.name);
    (formatted != file.text).then(|| {
        let line = lines.find(|((old, new), _)| old != new);
        line.map_or_else(differs, |((_, new), number)| format!("line {} is formatted `{new}`", file.above + number))
    })
}

#[test]
fn each_block_says_what_its_marks_say() {
    let blocks = shown(&chapters(folder()));
    let first = |shown: &Shown| shown.files.iter().map(|file| file.above).max().unwrap_or(0);
    let faults: Vec<String> = blocks
        .iter()
        .filter_map(|shown| Some(format!("lang/spec/{}:{}: {}", shown.chapter, first(shown), fault(shown)?)))
        .collect();
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_chapter_is_listed_and_shows_what_compiles_and_what_is_refused() {
    let chapters = chapters(folder());
    let listed = std::fs::read_to_string(folder().join("README.md")).unwrap();
    let listed: Vec<&str> = listed.split("](").skip(1).filter_map(|link| link.split(')').next()).collect();
    assert!(chapters.iter().map(|(name, _)| name.as_str()).eq(listed), "the contents in README.md");
    for kept in [true, false] {
        let blocks = shown(&chapters);
        let with: BTreeSet<&str> =
            blocks.iter().filter(|shown| shown.marks.is_empty() == kept).map(|shown| shown.chapter.as_str()).collect();
        let missing: Vec<_> = chapters.iter().filter(|(name, _)| !with.contains(name.as_str())).collect();
        assert!(missing.is_empty(), "no block {} in {missing:?}", if kept { "compiles" } else { "is refused" });
    }
}
