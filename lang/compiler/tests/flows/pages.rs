//! The pages of `strowger explain`: the wrong example gives its code and nothing else, the right one nothing.

use std::path::Path;

use lang_compiler::{Code, Colours, Engine, compile};

use crate::defects::{project, site};

/// Codes without a page, because this version never gives them. Whoever makes one possible writes its page.
const NEVER_GIVEN: [&str; 1] = ["F1105"];

/// Numbers and report of an example.
fn said(text: &str) -> (Vec<&'static str>, String) {
    let compiled = compile(&project(text), &site(text), Engine::Interpreter);
    let analysis = compiled.as_ref().map_or_else(|analysis| &**analysis, |compiled| &compiled.analysis);
    (
        analysis.diagnostics.iter().map(|problem| problem.code.number()).collect(),
        analysis.report(Colours::Off, 100).text,
    )
}

fn example<'p>(page: &'p str, heading: &str) -> &'p str {
    let part = page.split(heading).nth(1).and_then(|rest| rest.split("```flow\n").nth(1));
    part.and_then(|rest| rest.split("```").next()).unwrap_or_else(|| panic!("no example below `{heading}`:\n{page}"))
}

#[test]
fn examples_of_the_pages_give_what_they_say() {
    let mut faults = Vec::new();
    for code in Code::ALL {
        let Some(page) = code.page() else { continue };
        let (codes, report) = said(example(page, "\n## Wrong\n"));
        if codes != [code.number()] {
            faults.push(format!("{code}: the wrong example gives {codes:?}\n{report}"));
        }
        let (codes, report) = said(example(page, "\n## Right\n"));
        if !codes.is_empty() {
            faults.push(format!("{code}: the right example gives {codes:?}\n{report}"));
        }
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_code_that_can_be_given_has_a_page() {
    let without: Vec<_> = Code::ALL.iter().filter(|code| code.page().is_none()).map(|code| code.number()).collect();
    assert_eq!(without, NEVER_GIVEN, "a code is given and has no page, or has a page and is listed here");
    let mut sources = String::new();
    for room in ["syntax", "semantics", "compiler"] {
        gather(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(room).join("src"), &mut sources);
    }
    for code in Code::ALL.iter().filter(|code| code.page().is_none()) {
        let given = format!("Code::{code:?}");
        let found = sources
            .match_indices(&given)
            .any(|(at, _)| !sources[at + given.len()..].starts_with(|next: char| next.is_alphanumeric()));
        assert!(!found, "{code} is given now: write lang/diagnostics/pages/{}.md", code.number());
    }
}

/// All source text below a folder, but tables of codes that only sort what is given.
fn gather(folder: &Path, sources: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            gather(&entry.path(), sources);
        } else if entry.file_name() != "consequences.rs" {
            sources.push_str(&std::fs::read_to_string(entry.path()).unwrap());
        }
    }
}
