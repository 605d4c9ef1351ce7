//! The tests that the manual shows hold. That its blocks compile is for `lang/compiler/tests`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may stop at the first surprise")]

#[path = "../../../lang/compiler/tests/flows/manual/chapters.rs"]
pub mod chapters;

use std::path::Path;

use lang_compiler::{Colours, Engine, Project, compile};
use runtime_contract::program::SiteNames;

use super::play::{Playing, play};
use super::replays::replay;
use super::report::results;
use chapters::Shown;

/// What a failing test of a block says; empty when all hold.
fn failures(shown: &Shown) -> String {
    let mut project = Project::default();
    for file in &shown.files {
        project.add_flow(&file.name, &file.text);
    }
    let compiled = compile(&project, &SiteNames::default(), Engine::Native)
        .unwrap_or_else(|analysis| panic!("{}", analysis.report(Colours::Off, 100).text));
    let tests: Vec<_> = compiled.tests.iter().collect();
    assert!(!tests.is_empty());
    let played = play(&compiled.program, &tests, &Playing::default());
    replay(&compiled.program, &played);
    match played.iter().all(|test| test.result.passed()) {
        true => String::new(),
        false => format!("{}\n{}", shown.chapter, results(&compiled, &played, false, Colours::Off).text),
    }
}

#[test]
fn the_tests_in_the_manual_hold() {
    let chapters = chapters::chapters(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../lang/spec")));
    let shown = chapters::shown(&chapters);
    let has_test = |shown: &&Shown| {
        shown.marks.is_empty() && shown.files.iter().any(|file| file.text.lines().any(|line| line.starts_with("test ")))
    };
    let failures: String = shown.iter().filter(has_test).map(failures).collect();
    assert!(failures.is_empty(), "{failures}");
}
