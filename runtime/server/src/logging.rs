//! Where log lines go: standard error, for people or for machines. What may not be logged is kept out where the
//! line is written.

use tracing::level_filters::LevelFilter;

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    #[default]
    Human,
    /// One JSON object a line.
    Json,
}

/// From now on this process logs. `debug` adds each step of each call. Does nothing when it logs already.
pub fn start_logging(format: LogFormat, debug: bool) {
    let level = if debug { LevelFilter::DEBUG } else { LevelFilter::INFO };
    let lines = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).with_target(false);
    // The only failure is that somebody was first.
    let _ = match format {
        LogFormat::Human => lines.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
}

/// More than fits a line of the log, for whoever looks at standard error. A log that goes elsewhere has its line alone.
pub fn show_to_people(text: &str) {
    if std::io::IsTerminal::is_terminal(&std::io::stderr()) {
        eprintln!("{text}");
    }
}
