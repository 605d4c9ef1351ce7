//! The five files of the language's description: what is not compiled yet says so, once each, and nothing else is said.
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

use lang_diagnostics::Code;
use support::{Sample, analyzed};

fn sample() -> Sample {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../syntax/tests/samples");
    let files = ["hotline", "routing", "outbound", "survey", "hotline_test"];
    let files = files.map(|name| (name.to_owned(), fs::read_to_string(folder.join(format!("{name}.flow"))).unwrap()));
    Sample {
        files: files.to_vec(),
        services: Some(vec!["crm".into()]),
        audio: vec!["welcome.zh.wav".into(), "hold.wav".into()],
    }
}

#[test]
fn the_samples_give_only_what_is_not_compiled_yet() {
    let analyzed = analyzed(&sample());
    let found: Vec<String> = analyzed
        .diagnostics
        .iter()
        .map(|problem| {
            let place = analyzed.sources.position(problem.span().file, problem.span().start);
            format!("{}:{} {}", analyzed.sources.path(problem.span().file), place.line, problem.message)
        })
        .collect();
    assert!(analyzed.diagnostics.iter().all(|problem| problem.code == Code::NotYet), "{}", analyzed.rendered());
    insta::assert_snapshot!(found.join("\n"));
}
