//! What a person reads of played tests: a line each; of one that failed what happened, under the lines of its file, up
//! to the first that does not hold. Machines read one JSON object for each.

use std::fmt::Write;
use std::time::Duration;

use lang_compiler::{Colours, Compiled};
use runtime_contract::calendar::local_text;
use runtime_contract::program::{Place, Report};
use runtime_contract::script::TestScript;
use runtime_simulator::{Failure, Line, TestResult};
use serde_json::{Value, json};

use super::play::PlayedTest;
use crate::show::{Paint, paint};

/// Names and places, without playing anything.
pub fn list(tests: &[&TestScript]) -> Report {
    let mut report = Report::default();
    for test in tests {
        let _ = writeln!(report.text, "{}  {}", place(test, test.place), test.name);
        let line = json!({ "test": test.name, "place": place(test, test.place) });
        let _ = writeln!(report.json, "{line}");
    }
    report
}

/// A line for each test; of failures, and of all when `transcripts` are wanted, what happened.
pub fn results(compiled: &Compiled, tests: &[PlayedTest<'_>], transcripts: bool, colours: Colours) -> Report {
    let mut report = Report::default();
    for test in tests {
        let passed = test.result.passed() && !test.differs;
        let (verdict, how) = if passed { ("ok    ", Paint::Good) } else { ("FAILED", Paint::Bad) };
        let _ = writeln!(report.text, "{}  {}", paint(verdict, how, colours), test.result.name);
        if transcripts || !passed {
            report.text.push_str(&happened(compiled, test, colours));
        }
        let _ = writeln!(report.json, "{}", to_json(test));
    }
    report
}

/// How many passed, and both kinds of time: that of the callers and that of this machine.
pub fn summary(tests: &[PlayedTest<'_>], all: usize, real: Duration) -> Report {
    let passed = tests.iter().filter(|test| test.result.passed() && !test.differs).count();
    let (failed, unplayed) = (tests.len() - passed, all - tests.len());
    let virtual_ms: u64 = tests.iter().map(|test| test.result.virtual_ms).sum();
    let skipped = if unplayed > 0 { format!(", {unplayed} not played") } else { String::new() };
    let time = format!("{} of calls in {} ms", duration(virtual_ms), real.as_millis());
    let sums = json!({
        "passed": passed,
        "failed": failed,
        "not_played": unplayed,
        "virtual_seconds": seconds(virtual_ms),
        "real_seconds": real.as_secs_f64(),
    });
    Report { text: format!("{passed} passed, {failed} failed{skipped}: {time}"), json: sums.to_string() }
}

/// The lines of a test, each with what happened after it.
pub fn happened(compiled: &Compiled, test: &PlayedTest<'_>, colours: Colours) -> String {
    let (script, result) = (test.script, &test.result);
    let mut text = String::new();
    let file = file(script, script.place);
    let width = script.lines.iter().map(|(place, _)| place.line.to_string().len()).max().unwrap_or(1).max(3);
    let _ =
        writeln!(text, "{:width$} ┌ {}", "", paint(&format!("{file}:{}", script.place.line), Paint::Faint, colours));
    for (at, (place, _)) in script.lines.iter().enumerate().take(played_lines(script, result)) {
        let line = source_line(compiled, file, place.line);
        let _ = writeln!(text, "{:width$} │ {}", place.line, paint(line, Paint::Strong, colours));
        for line in lines_after(result, at) {
            let _ = writeln!(text, "{:width$} │     {}", "", shown(line, script));
        }
    }
    for line in lines_after(result, script.lines.len()) {
        let _ = writeln!(text, "{:width$} │     {}", "", shown(line, script));
    }
    match (&result.failure, test.differs) {
        (Some(failure), _) => text.push_str(&difference(failure, width, colours)),
        (None, true) => {
            let why = "native code and the interpreter did different things: that is a defect of strowger";
            let _ = writeln!(text, "{:width$} {} {why}", "", paint("▲", Paint::Bad, colours));
        }
        (None, false) => {
            let _ = writeln!(text, "{:width$} ╵", "");
        }
    }
    text
}

/// Marked below the line that does not hold.
fn difference(failure: &Failure, width: usize, colours: Colours) -> String {
    let mut text = String::new();
    let mark = paint("▲", Paint::Bad, colours);
    let _ = writeln!(text, "{:width$} {mark} expected  {}", "", failure.expected);
    let _ = writeln!(text, "{:width$}   came      {}", "", failure.came);
    for hint in &failure.hints {
        let _ = writeln!(text, "{:width$}   hint      {hint}", "");
    }
    text
}

/// Lines that were played, the one that failed included.
fn played_lines(script: &TestScript, result: &TestResult) -> usize {
    result.begins.len().min(script.lines.len())
}

/// What happened after a line of the test, and before its next.
fn lines_after(result: &TestResult, at: usize) -> &[Line] {
    let from = result.begins.get(at).copied().unwrap_or(result.transcript.len());
    let to = result.begins.get(at + 1).copied().unwrap_or(result.transcript.len());
    result.transcript.get(from..to).unwrap_or_default()
}

/// With the clock of the test's zone.
fn shown(line: &Line, script: &TestScript) -> String {
    let at = local_text(line.at, &script.zone);
    let clock = at.split_once(' ').map_or("", |(_, clock)| clock);
    format!("{clock}  {}", line.what)
}

fn to_json(test: &PlayedTest<'_>) -> Value {
    let (script, result) = (test.script, &test.result);
    let failure = result.failure.as_ref().map(|failure| {
        json!({
            "place": place(script, failure.place),
            "expected": failure.expected,
            "came": failure.came,
            "hints": failure.hints,
        })
    });
    let mut transcript = Vec::new();
    for at in 0..=script.lines.len() {
        let line = script.lines.get(at).map(|(place, _)| place.line);
        transcript.extend(lines_after(result, at).iter().map(|happened| {
            json!({ "line": line, "at": local_text(happened.at, &script.zone), "what": happened.what.to_string().trim_start() })
        }));
    }
    json!({
        "test": result.name,
        "place": place(script, result.place),
        "passed": result.passed() && !test.differs,
        "engines_differ": test.differs,
        "failure": failure,
        "transcript": transcript,
        "virtual_seconds": seconds(result.virtual_ms),
        "real_seconds": test.real.as_secs_f64(),
    })
}

/// A line of a file, as people find it there.
fn source_line<'c>(compiled: &'c Compiled, file: &str, line: u32) -> &'c str {
    let source = compiled.analysis.sources.files().find(|(_, source)| source.path() == file);
    source.and_then(|(_, source)| source.line(line)).map_or("", str::trim)
}

fn file(script: &TestScript, place: Place) -> &str {
    script.files.get(place.file as usize).map_or("?", String::as_str)
}

/// `hotline_test.flow:12`
pub fn place(script: &TestScript, place: Place) -> String {
    format!("{}:{}", file(script, place), place.line)
}

pub fn seconds(ms: u64) -> f64 {
    ms as f64 / 1_000.0
}

/// `1 h 2 m 3 s`, of a sum that nobody wants more exactly.
fn duration(ms: u64) -> String {
    let whole = ms.div_ceil(1_000);
    match (whole / 3_600, whole / 60 % 60, whole % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} m {seconds} s"),
        (hours, minutes, seconds) => format!("{hours} h {minutes} m {seconds} s"),
    }
}
