//! Every input that was kept holds what its target promises.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests may stop at the first surprise, and read files"
)]

use std::path::Path;

fn every_input(target: &str, holds: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut inputs = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        println!("{}", path.display());
        holds(&std::fs::read(path).unwrap());
        inputs += 1;
    }
    assert!(inputs > 20, "{target} keeps {inputs} inputs");
}

#[test]
fn parse() {
    every_input("parse", fuzz::parse);
}

#[test]
fn format() {
    every_input("format", fuzz::format);
}

#[test]
fn check() {
    every_input("check", fuzz::check);
}

#[test]
fn codegen() {
    every_input("codegen", fuzz::codegen);
}
