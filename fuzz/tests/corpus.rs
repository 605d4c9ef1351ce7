//! The project's flow files, and every input that was kept, hold what each target promises.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests may stop at the first surprise, and read files"
)]

use std::path::{Path, PathBuf};

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// Inputs of signalling and voice that were kept.
fn every_message(target: &str, holds: fn(&[u8])) {
    let mut inputs = Vec::new();
    files_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target), &mut inputs);
    assert!(!inputs.is_empty(), "no inputs were kept");
    for path in inputs {
        println!("{}", path.display());
        holds(&std::fs::read(path).unwrap());
    }
}

fn every_input(target: &str, holds: fn(&[u8])) {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut inputs = Vec::new();
    for folder in ["../examples", "../stdlib", "../lang/spec"] {
        files_below(&fuzz.join(folder), &mut inputs);
    }
    inputs.retain(|path| path.extension().is_some_and(|ending| ending == "flow"));
    assert!(inputs.len() > 100, "{} flow files", inputs.len());
    files_below(&fuzz.join("corpus").join(target), &mut inputs);
    for path in inputs {
        println!("{}", path.display());
        let bytes = std::fs::read(path).unwrap();
        match std::str::from_utf8(&bytes) {
            Ok(text) => files_of(text).for_each(|file| holds(file.as_bytes())),
            Err(_) => holds(&bytes),
        }
    }
}

/// A line `//@ other.flow` of a seeded fault begins another file of its project.
fn files_of(text: &str) -> impl Iterator<Item = &str> {
    let body = |part: &str| part.find('\n').map_or(part.len(), |line| line + 1);
    let rest = text.split("\n//@ ").skip(1).map(move |part| part.get(body(part)..).unwrap_or_default());
    text.split("\n//@ ").take(1).chain(rest)
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

#[test]
fn message() {
    every_message("message", fuzz::message);
}

#[test]
fn sdp() {
    every_message("sdp", fuzz::sdp);
}

#[test]
fn rtp() {
    every_message("rtp", fuzz::media::rtp);
}

#[test]
fn rtcp() {
    every_message("rtcp", fuzz::media::rtcp);
}

#[test]
fn tones() {
    every_message("tones", fuzz::media::tones);
}
