//! The project's daily commands, each with a line of help. CI runs `cargo xtask test` and nothing else.

mod bench;
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
