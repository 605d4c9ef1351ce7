//! The project's daily commands, each with a line of help. CI runs `cargo xtask test` and nothing else.

mod bench;
mod deb;
mod debian;
mod fuzz;
mod suites;
mod tools;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask COMMAND

  test [SUITE …]   install what tests need, then format check, lints and every test suite
                   (or only the named ones), with the seconds of each
  suites           list the suites of `test`
  tools            only install, or say how to install, what tests need
  bench [NAME]     measure against a reference in the same run; without NAME, list the benchmarks
  fuzz [TARGET [SECONDS]]
                   look for inputs that break the compiler (60 s for each target)
  kill [TIMES]     kill -9 a server under load so often (1 000), and look for what it had to keep
  deb [--try]      build the Debian package in target/debian; with --try, install, run, call, upgrade, remove and
                   purge it in a Debian 12 of its own (root, debootstrap; some minutes the first time)
  metrics          write docs/metrics.md anew from what the server registers
  help             this page
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["test", only @ ..] => suites::run(only),
        ["suites"] => suites::list(),
        ["tools"] => tools::install(),
        ["bench", rest @ ..] => bench::run(rest),
        ["fuzz", rest @ ..] => fuzz::run(rest),
        ["deb"] => deb::build(),
        ["deb", "--try"] => deb::try_out(),
        ["kill"] => kill("1000"),
        ["kill", times] => kill(times),
        ["metrics"] => metrics(),
        [] | ["help" | "--help" | "-h", ..] => {
            print!("{HELP}");
            Ok(())
        }
        [unknown, ..] => Err(format!("no command `{unknown}`\n\n{HELP}")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    }
}

/// The test that CI runs with 50 kills, with more of them and with what it says.
fn kill(times: &str) -> Result<(), String> {
    let status = std::process::Command::new(env!("CARGO"))
        .args(["test", "--release", "-p", "cli", "--test", "kill", "rounds", "--", "--nocapture"])
        .env("KILLS", times)
        .status()
        .map_err(|cause| format!("cargo: {cause}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("something that had to be kept is lost, or there twice ({times} kills)"))
    }
}

/// The test that compares the list writes it first.
fn metrics() -> Result<(), String> {
    let status = std::process::Command::new(env!("CARGO"))
        .args(["test", "-p", "runtime-server", "--lib", "the_list_in_the_documents"])
        .env("STROWGER_WRITE_METRICS", "1")
        .status()
        .map_err(|cause| format!("cargo: {cause}"))?;
    if status.success() { Ok(()) } else { Err("docs/metrics.md was not written".into()) }
}
