//! How the commands speak: failures with a remedy, reports as text or JSON, colours where somebody looks.

use std::io::{IsTerminal, Write as _};
use std::process::ExitCode;

use lang_compiler::Colours;
use runtime_contract::program::Report;

/// Why a command did not do what it was asked.
pub enum Failure {
    /// It was shown already; only the exit code is left.
    Shown,
    /// What is wrong, and what to do.
    Said { message: String, help: String },
}

pub type Result<T = ()> = std::result::Result<T, Failure>;

impl Failure {
    pub fn new(message: impl Into<String>, help: impl Into<String>) -> Failure {
        Failure::Said { message: message.into(), help: help.into() }
    }

    pub fn show(&self) -> ExitCode {
        if let Failure::Said { message, help } = self {
            eprintln!("strowger: {message}");
            if !help.is_empty() {
                eprintln!("  help: {help}");
            }
        }
        ExitCode::FAILURE
    }
}

/// A report goes to standard output when it is the answer, as JSON lines when asked for.
pub fn print(report: &Report, json: bool) {
    let text = if json { &report.json } else { &report.text };
    if !text.is_empty() {
        say(&format!("{}\n", text.trim_end()));
    }
}

pub fn colours() -> Colours {
    if std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() { Colours::On } else { Colours::Off }
}

/// Columns of the terminal, as the shell says; a sheet of paper otherwise.
pub fn width() -> usize {
    std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).unwrap_or(100)
}

/// How a word stands out on a terminal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    Good,
    Bad,
    Strong,
    Faint,
}

pub fn paint(text: &str, how: Paint, colours: Colours) -> String {
    // ECMA-48 §8.3.117, select graphic rendition.
    let code = match how {
        Paint::Good => "32",
        Paint::Bad => "1;31",
        Paint::Strong => "1",
        Paint::Faint => "2",
    };
    if colours == Colours::On { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
}

/// `1 file`, `3 files`.
pub fn plural(count: usize, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}

/// Writes to standard output. A reader who has seen enough, as `head` has, is no mistake.
pub fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Whoever reads no further has what he wanted; a full disk has not.
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            std::process::exit(0);
        }
        eprintln!("strowger: standard output cannot be written: {error}");
        std::process::exit(1);
    }
}
