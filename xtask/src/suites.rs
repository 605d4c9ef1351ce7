//! The test suites: one a crate, and before them formatting and lints. Each prints its seconds.

use std::process::Command;
use std::time::Instant;

use crate::tools;

/// Name and the cargo command of each suite, in the order in which a change is best refused early.
const SUITES: &[(&str, &[&str])] = &[
    ("format", &["fmt", "--all", "--check"]),
    ("lints", &["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    ("xtask", &["test", "--package", "xtask"]),
    ("contract", &["test", "--package", "runtime-contract"]),
    ("diagnostics", &["test", "--package", "lang-diagnostics"]),
    ("syntax", &["test", "--package", "lang-syntax"]),
    ("semantics", &["test", "--package", "lang-semantics"]),
    ("flowgraph", &["test", "--package", "lang-flowgraph"]),
    ("codegen", &["test", "--package", "lang-codegen"]),
    ("compiler", &["test", "--package", "lang-compiler"]),
    ("stdlib", &["test", "--package", "stdlib"]),
    ("store", &["test", "--package", "runtime-store"]),
    ("sip", &["test", "--package", "runtime-sip"]),
    ("media", &["test", "--package", "runtime-media"]),
    ("session", &["test", "--package", "runtime-session"]),
    ("exchange", &["test", "--package", "runtime-exchange"]),
    ("simulator", &["test", "--package", "runtime-simulator"]),
    ("server", &["test", "--package", "runtime-server"]),
    ("cli", &["test", "--package", "cli"]),
];

pub fn list() -> Result<(), String> {
    for (name, command) in SUITES {
        println!("{name:<12} cargo {}", command.join(" "));
    }
    Ok(())
}

/// Runs the suites named, or all; goes on after a failure so that one run shows everything.
pub fn run(only: &[&str]) -> Result<(), String> {
    if let Some(unknown) = only.iter().find(|name| !SUITES.iter().any(|(suite, _)| suite == *name)) {
        return Err(format!("no suite `{unknown}`; `cargo xtask suites` lists them"));
    }
    tools::install()?;
    let mut lines = Vec::new();
    let mut failed = Vec::new();
    let begun = Instant::now();
    for (name, command) in SUITES.iter().filter(|(name, _)| only.is_empty() || only.contains(name)) {
        println!("── {name}: cargo {}", command.join(" "));
        let begun = Instant::now();
        let status = Command::new(env!("CARGO")).args(*command).status().map_err(|cause| format!("cargo: {cause}"))?;
        let verdict = if status.success() { "ok" } else { "FAILED" };
        lines.push(format!("{name:<12} {verdict:<7} {:>5} s", begun.elapsed().as_secs()));
        if !status.success() {
            failed.push(*name);
        }
    }
    println!("\n{}\nall          {:>13} s", lines.join("\n"), begun.elapsed().as_secs());
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
}
