//! The test suites: formatting, lints, one of each crate, and the examples in documents. Each prints its seconds.
//!
//! All crates are built at once, so that no dependency is built for two sets of features; then each crate's test
//! programs run by themselves.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::Value;

use crate::tools;

/// In the order in which a change is best refused early.
const SUITES: &[(&str, Suite)] = &[
    ("format", Suite::Cargo(&["fmt", "--all", "--check"])),
    ("lints", Suite::Cargo(&["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"])),
    ("build", Suite::Build),
    ("xtask", Suite::Crate("xtask")),
    ("contract", Suite::Crate("runtime/contract")),
    ("diagnostics", Suite::Crate("lang/diagnostics")),
    ("syntax", Suite::Crate("lang/syntax")),
    ("semantics", Suite::Crate("lang/semantics")),
    ("flowgraph", Suite::Crate("lang/flowgraph")),
    ("codegen", Suite::Crate("lang/codegen")),
    ("compiler", Suite::Crate("lang/compiler")),
    ("stdlib", Suite::Crate("stdlib")),
    ("store", Suite::Crate("runtime/store")),
    ("sip", Suite::Crate("runtime/sip")),
    ("media", Suite::Crate("runtime/media")),
    ("session", Suite::Crate("runtime/session")),
    ("acd", Suite::Crate("runtime/acd")),
    ("outbound", Suite::Crate("runtime/outbound")),
    ("exchange", Suite::Crate("runtime/exchange")),
    ("simulator", Suite::Crate("runtime/simulator")),
    ("server", Suite::Crate("runtime/server")),
    ("fuzz", Suite::Crate("fuzz")),
    ("cli", Suite::Crate("cli")),
    ("documents", Suite::Cargo(&["test", "--quiet", "--workspace", "--doc"])),
];

enum Suite {
    Cargo(&'static [&'static str]),
    /// Every test program of the workspace.
    Build,
    /// The test programs of the crate in this folder.
    Crate(&'static str),
}

/// Test programs by the folder of their crate.
type Programs = BTreeMap<PathBuf, Vec<PathBuf>>;

pub fn list() -> Result<(), String> {
    for (name, suite) in SUITES {
        match suite {
            Suite::Cargo(words) => println!("{name:<12} cargo {}", words.join(" ")),
            Suite::Build => println!("{name:<12} builds all test programs; part of every run"),
            Suite::Crate(folder) => println!("{name:<12} the tests of {folder}"),
        }
    }
    Ok(())
}

/// Runs the suites named, or all; goes on after a failure so that one run shows everything.
pub fn run(only: &[&str]) -> Result<(), String> {
    if let Some(unknown) = only.iter().find(|name| !SUITES.iter().any(|(suite, _)| suite == *name)) {
        return Err(format!("no suite `{unknown}`; `cargo xtask suites` lists them"));
    }
    tools::install()?;
    let mut programs = None;
    let mut lines = Vec::new();
    let mut failed = Vec::new();
    let all = Instant::now();
    for (name, suite) in SUITES.iter().filter(|(name, _)| only.is_empty() || only.contains(name)) {
        let mut begun = Instant::now();
        let passed = match suite {
            Suite::Cargo(words) => {
                println!("── {name}: cargo {}", words.join(" "));
                Command::new(env!("CARGO")).args(*words).status().is_ok_and(|status| status.success())
            }
            Suite::Build => {
                println!("── {name}");
                programs = Some(build()?);
                true
            }
            Suite::Crate(folder) => {
                if programs.is_none() {
                    programs = Some(build()?);
                    begun = Instant::now();
                }
                println!("── {name}: the tests of {folder}");
                run_crate(Path::new(folder), programs.as_ref().unwrap_or(&Programs::new()))?
            }
        };
        let verdict = if passed { "ok" } else { "FAILED" };
        lines.push(format!("{name:<12} {verdict:<7} {:>5} s", begun.elapsed().as_secs()));
        if !passed {
            failed.push(*name);
        }
    }
    println!("\n{}\nall          {:>13} s", lines.join("\n"), all.elapsed().as_secs());
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
}

/// Builds every test program of the workspace.
fn build() -> Result<Programs, String> {
    let words = ["test", "--workspace", "--no-run", "--message-format=json-render-diagnostics"];
    let output = Command::new(env!("CARGO")).args(words).stderr(Stdio::inherit()).output();
    let output = output.map_err(|cause| format!("cargo: {cause}"))?;
    if !output.status.success() {
        return Err("the test programs do not build".into());
    }
    let mut programs = Programs::new();
    for message in String::from_utf8_lossy(&output.stdout).lines() {
        let message: Value = serde_json::from_str(message).map_err(|cause| format!("cargo said {message}: {cause}"))?;
        let (Some(program), Some(manifest)) = (message["executable"].as_str(), message["manifest_path"].as_str())
        else {
            continue;
        };
        let folder = Path::new(manifest).parent().and_then(|folder| folder.strip_prefix(root()).ok());
        if let (true, Some(folder)) = (message["profile"]["test"] == true, folder) {
            programs.entry(folder.to_owned()).or_default().push(program.into());
        }
    }
    Ok(programs)
}

/// Whether all tests of a crate passed. They run in its folder, as cargo runs them.
fn run_crate(folder: &Path, programs: &Programs) -> Result<bool, String> {
    let programs = programs.get(folder).ok_or_else(|| format!("{} has no tests", folder.display()))?;
    let mut passed = true;
    for program in programs {
        println!("   {}", program.file_name().unwrap_or_default().to_string_lossy());
        let folder = root().join(folder);
        let mut command = Command::new(program);
        command.current_dir(&folder).env("CARGO", env!("CARGO")).env("CARGO_MANIFEST_DIR", folder);
        passed &= command.status().is_ok_and(|status| status.success());
    }
    Ok(passed)
}

/// Of the workspace.
fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_room_is_left_out() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for house in ["lang", "runtime"] {
            let rooms = std::fs::read_dir(root.join(house)).unwrap().map(|entry| entry.unwrap().path());
            for room in rooms.filter(|room| room.join("Cargo.toml").exists()) {
                let folder = format!("{house}/{}", room.file_name().unwrap().to_str().unwrap());
                let is_it = |suite: &Suite| matches!(suite, Suite::Crate(own) if *own == folder);
                assert!(SUITES.iter().any(|(_, suite)| is_it(suite)), "{folder} has no suite");
            }
        }
    }
}
