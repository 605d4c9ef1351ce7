//! Everything in `examples/` is a program.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop at the first surprise"
)]

mod support;

use std::fs;
use std::path::Path;

use support::{Sample, analyzed};

#[test]
fn examples_are_programs_without_a_warning() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut examples: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    examples.sort();
    assert!(!examples.is_empty());
    for example in examples {
        let mut files: Vec<_> = fs::read_dir(&example).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some_and(|ending| ending == "flow"));
        files.sort();
        let name = |path: &Path| path.file_stem().unwrap().to_string_lossy().into_owned();
        let files = files.iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect();
        let analyzed = analyzed(&Sample { files, services: None, agents: None, audio: Vec::new() });
        assert!(analyzed.diagnostics.is_empty(), "{}\n{}", example.display(), analyzed.rendered());
        let program = analyzed.program.unwrap();
        let begins = !program.inbounds.is_empty() || !program.cadences.is_empty();
        assert!(!program.flows.is_empty() && begins);
    }
}
