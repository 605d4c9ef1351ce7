//! What must hold for every input. Each function panics where it does not; the targets feed them inputs that an engine
//! makes, the tests those that were kept.
#![allow(clippy::panic, reason = "a finding is a panic")]

pub mod media;
mod signalling;

use lang_codegen::Native;
use lang_compiler::{Colours, Engine, Project, compile};
use lang_diagnostics::{Diagnostic, FileId};
use lang_flowgraph::random::{Tally, play, program};
use lang_flowgraph::{Interpreted, serial};
use runtime_contract::program::{Bundle, SiteNames};

pub use signalling::{message, sdp};

/// Random calls on each program.
const CALLS: u64 = 3;

/// The parser ends, and every problem lies in the text.
pub fn parse(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (_, problems) = lang_syntax::parse(FileId(0), &text);
    for problem in &problems {
        let range = problem.span().range();
        assert!(text.get(range).is_some(), "a problem outside of the text: {problem:?}");
    }
}

/// The form of a text stays when it is formed again; a text with mistakes is not touched; what it means stays.
pub fn format(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (before, problems) = lang_syntax::parse(FileId(0), &text);
    let once = lang_syntax::format(&text);
    if problems.iter().any(Diagnostic::is_error) {
        assert_eq!(once, text, "a text with mistakes was changed");
        return;
    }
    let (after, problems) = lang_syntax::parse(FileId(0), &once);
    assert!(!problems.iter().any(Diagnostic::is_error), "the form does not read: {problems:?}\n{once}");
    assert_eq!(without_places(&format!("{after:?}")), without_places(&format!("{before:?}")), "{once}");
    assert_eq!(lang_syntax::format(&once), once, "the form does not stay");
}

/// The syntax tree as text, without the spans `FILE:START..END`.
fn without_places(tree: &str) -> String {
    let mut plain = String::with_capacity(tree.len());
    for part in tree.split("0:") {
        let figures = part.find(|sign: char| !sign.is_ascii_digit() && sign != '.').unwrap_or(part.len());
        let (figures, rest) = part.split_at(figures);
        if !figures.contains("..") {
            plain.push_str(figures);
        }
        plain.push_str(rest);
    }
    plain
}

/// A project of one file is refused with problems that can be shown, or runs alike on both engines.
pub fn check(bytes: &[u8]) {
    let file = ("fuzz.flow".to_owned(), bytes.into());
    let project = Project::from_bundle(&Bundle { files: vec![file] });
    match compile(&project, &SiteNames::default(), Engine::Interpreter) {
        Err(analysis) => {
            assert!(analysis.has_errors(), "refused without a reason");
            let report = analysis.report(Colours::Off, 100);
            assert!(!report.text.is_empty() && !report.json.is_empty(), "a reason that cannot be shown");
        }
        Ok(compiled) => runs_alike(&compiled.graph),
    }
}

/// The stored bytes of a graph that were tampered with are refused, or run alike on both engines. The input: the seed of
/// a random program (8 bytes), then for each change where (2 bytes) and what (1).
pub fn codegen(bytes: &[u8]) {
    let (seed, changes) = bytes.split_at(bytes.len().min(8));
    let seed = seed.iter().fold(0, |seed, byte| seed << 8 | u64::from(*byte));
    let graph = program(seed).unwrap_or_else(|problems| panic!("{problems:?}"));
    let mut stored = serial::to_bytes(&graph);
    for change in changes.chunks_exact(3) {
        if let [high, low, byte] = *change {
            let at = usize::from(u16::from_be_bytes([high, low])) % stored.len();
            stored.get_mut(at..=at).unwrap_or_default().fill(byte);
        }
    }
    runs_alike(&stored);
}

fn runs_alike(stored: &[u8]) {
    let Ok(graph) = serial::from_bytes(stored) else { return };
    let interpreted = Interpreted::new(graph.clone());
    let native = Native::compile(graph).unwrap_or_else(|problem| panic!("{problem}"));
    for seed in 0..CALLS {
        play(seed, &interpreted, &native, &mut Tally::default()).unwrap_or_else(|difference| panic!("{difference}"));
    }
}
