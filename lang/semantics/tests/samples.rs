//! The five files of the language's description: nothing is wrong with them.
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

fn sample() -> Sample {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../syntax/tests/samples");
    let files = ["hotline", "routing", "outbound", "survey", "hotline_test"];
    let files = files.map(|name| (name.to_owned(), fs::read_to_string(folder.join(format!("{name}.flow"))).unwrap()));
    Sample {
        files: files.to_vec(),
        services: Some(vec!["crm".into()]),
        agents: None,
        audio: vec!["welcome.zh.wav".into(), "hold.wav".into()],
    }
}

#[test]
fn the_samples_give_nothing() {
    let analyzed = analyzed(&sample());
    assert!(analyzed.diagnostics.is_empty(), "{}", analyzed.rendered());
}
