//! The journal of every call that a test of the project plays leads to the same call again. Each construct that the
//! examples, the library and the manual show is so written to a journal and read from it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may stop at the first surprise")]

use std::path::Path;
use std::sync::Arc;

use lang_compiler::{Engine, Project, compile};
use runtime_contract::FlowProgram;
use runtime_session::Session;

use super::play::{PlayedTest, Playing, play};
use crate::project::open;
use crate::replay::other::compare;

/// The calls that were read again; stops at one that does not come to its end.
pub fn replay(program: &Arc<dyn FlowProgram>, played: &[PlayedTest<'_>]) -> usize {
    let mut calls = 0;
    for test in played {
        for journal in &test.result.journals {
            let rebuilt = Session::from_journal(Arc::clone(program), journal)
                .unwrap_or_else(|error| panic!("{}: {error}", test.script.name));
            assert!(rebuilt.end.is_some(), "{}: its journal has no end", test.script.name);
            // Given to its own version as if that were another, the call is the same.
            let compared = compare(program, journal, program, true);
            let compared = compared.unwrap_or_else(|_| panic!("{}: it cannot be compared", test.script.name));
            assert_eq!(compared.difference(), None, "{}", test.script.name);
            calls += 1;
        }
    }
    calls
}

#[test]
fn journals_of_the_examples_and_of_the_library_lead_to_the_same_calls() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let entries = std::fs::read_dir(root.join("examples")).unwrap().map(|entry| entry.unwrap().path());
    let folders: Vec<_> = entries.filter(|path| path.is_dir()).chain([root.join("stdlib/tests")]).collect();
    assert!(folders.len() > 8, "{folders:?}");
    for folder in folders {
        let opened = open(&folder).unwrap_or_else(|_| panic!("{}", folder.display()));
        let compiled = compile(&Project::from_bundle(&opened.bundle), &opened.names, Engine::Native)
            .unwrap_or_else(|_| panic!("{}", folder.display()));
        let tests: Vec<_> = compiled.tests.iter().collect();
        let played = play(&compiled.program, &tests, &Playing::default());
        assert!(replay(&compiled.program, &played) >= tests.len(), "{}", folder.display());
    }
}
