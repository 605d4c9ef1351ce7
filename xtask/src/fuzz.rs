//! Fuzzing: `cargo fuzz` on the targets of `fuzz/`, with the words of the grammar as its dictionary and the project's
//! flow files as its first inputs. What reaches something new stays in `fuzz/corpus`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGETS: &[&str] = &["parse", "format", "check", "codegen", "message", "sdp", "rtp", "rtcp", "tones"];
/// Those that read flow files.
const OF_FLOWS: &[&str] = &["parse", "format", "check", "codegen"];
const SECONDS: &str = "60";
/// Largest input, in bytes.
const INPUT_BYTES_MAX: u32 = 8192;

/// `[TARGET [SECONDS]]`; all targets when none is named.
pub fn run(words: &[&str]) -> Result<(), String> {
    let (targets, seconds) = match words {
        [] => (TARGETS, SECONDS),
        [target] => (named(target)?, SECONDS),
        [target, seconds] => (named(target)?, *seconds),
        _ => return Err("fuzz [TARGET [SECONDS]]".into()),
    };
    install()?;
    let dictionary = dictionary()?;
    for target in targets {
        let corpus = format!("fuzz/corpus/{target}");
        fs::create_dir_all(&corpus).map_err(|cause| format!("{corpus}: {cause}"))?;
        let words = format!("-dict={}", dictionary.display());
        let (inputs, words): (&[&str], &[&str]) = match OF_FLOWS.contains(target) {
            true => (&["examples", "stdlib", "lang/spec"], &[&words]),
            false => (&[], &[]),
        };
        let status = cargo_fuzz(&["run", target, &corpus])
            .args(inputs)
            .arg("--")
            .args(words)
            .arg(format!("-max_total_time={seconds}"))
            .args([&format!("-max_len={INPUT_BYTES_MAX}"), "-timeout=20", "-rss_limit_mb=4096"])
            .status();
        if !status.is_ok_and(|status| status.success()) {
            return Err(format!("`{target}` found something; the input lies in fuzz/artifacts/{target}"));
        }
        // Only inputs that reach a place of the code that no other does are kept; how often counts for nothing.
        let status = cargo_fuzz(&["cmin", target]).args([&corpus, "--", "-use_counters=0"]).status();
        if !status.is_ok_and(|status| status.success()) {
            return Err(format!("the inputs of `{target}` could not be thinned out"));
        }
    }
    Ok(())
}

fn named(target: &str) -> Result<&'static [&'static str], String> {
    let found = TARGETS.iter().position(|known| *known == target).and_then(|at| TARGETS.get(at..=at));
    found.ok_or_else(|| format!("no target `{target}`; there are {}", TARGETS.join(", ")))
}

/// Without a sanitizer, which a stable compiler does not have: the code under test holds no `unsafe` but the mapping.
fn cargo_fuzz(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.arg("fuzz").args(words).args(["--sanitizer", "none", "--features", "libfuzzer"]);
    command
}

fn install() -> Result<(), String> {
    if Command::new(env!("CARGO")).args(["fuzz", "--version"]).output().is_ok_and(|output| output.status.success()) {
        return Ok(());
    }
    println!("installing cargo-fuzz");
    let status = Command::new(env!("CARGO")).args(["install", "cargo-fuzz", "--locked"]).status();
    if status.is_ok_and(|status| status.success()) { Ok(()) } else { Err("cargo-fuzz cannot be installed".into()) }
}

/// The literals of the grammar, as libFuzzer reads them.
fn dictionary() -> Result<PathBuf, String> {
    let grammar = read(Path::new("grammar/flow.pest"))?;
    let lines = grammar.lines().filter(|line| !line.trim_start().starts_with("//"));
    let words: BTreeSet<&str> = lines.flat_map(words_of).collect();
    let lines: String = words.iter().map(|word| format!("\"{word}\"\n")).collect();
    let path = PathBuf::from("target/flow.dict");
    fs::create_dir_all("target").and_then(|()| fs::write(&path, lines)).map_err(|cause| cause.to_string())?;
    Ok(path)
}

/// What stands in quotes on a line of the grammar, without literals that hold an escape.
fn words_of(line: &str) -> impl Iterator<Item = &str> {
    let is_plain = !line.contains('\\');
    line.split('"').skip(1).step_by(2).filter(move |word| is_plain && !word.is_empty())
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|cause| format!("{}: {cause}", path.display()))
}
