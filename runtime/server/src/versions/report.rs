//! What is said about a version that was loaded or refused, in the shape of the compiler's reports.

use runtime_contract::program::Report;
use serde_json::{Value, json};

use crate::config::{ConfigError, FILE_NAME};
use crate::logging::show_to_people;

/// A refusal of our own.
pub fn report(message: &str, help: &str) -> Report {
    let json = json!({ "severity": "error", "message": message, "help": help });
    Report { text: format!("error: {message}\n  help: {help}"), json: json.to_string() }
}

/// Puts a warning of our own behind what the compiler said.
pub fn add_warning(report: &mut Report, message: &str, help: &str) {
    let json = json!({ "severity": "warning", "message": message, "help": help }).to_string();
    for (text, line) in [(&mut report.text, format!("warning: {message}\n  help: {help}")), (&mut report.json, json)] {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&line);
    }
}

pub fn config_report(error: &ConfigError) -> Report {
    let ConfigError { line, column, message, help } = error;
    let json = json!({
        "severity": "error", "message": message, "help": help, "file": FILE_NAME, "line": line, "column": column,
    });
    Report {
        text: format!("error: {message}\n  at {FILE_NAME}:{line}:{column}\n  help: {help}"),
        json: json.to_string(),
    }
}

/// One line for the log: how many faults, and code and place of the first. Whoever looks at a terminal sees all of them
/// there, once: at a start the command says them itself.
pub fn log_refused(what: &str, report: &Report) {
    let First { errors, code, place, message } = first(report);
    let goes_on = if what == "start" { "" } else { ", the version before goes on" };
    tracing::error!(errors, code, place, "{what}: refused{goes_on}: {message}");
    if what != "start" {
        show_to_people(report.text.trim_end());
    }
}

#[derive(Debug, PartialEq, Eq)]
struct First {
    errors: usize,
    code: String,
    place: String,
    message: String,
}

fn first(report: &Report) -> First {
    let lines = report.json.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let errors: Vec<Value> =
        lines.filter(|line| line.get("severity").is_some_and(|severity| severity == "error")).collect();
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let Some(error) = errors.first() else {
        // Tests that passed stand before those that failed.
        let told = |line: &&str| !line.trim().is_empty() && !line.starts_with("ok ");
        let message = report.text.lines().find(told).unwrap_or_default().trim().to_owned();
        return First { errors: 0, code: String::new(), place: String::new(), message };
    };
    let labels = error.get("labels").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let label = labels.iter().find(|label| label.get("primary").is_some_and(|primary| primary == true));
    let place = label.or(labels.first()).and_then(|label| label.get("place")).map(|place| {
        let line = place.get("start").and_then(|start| start.get("line")).and_then(Value::as_u64).unwrap_or(0);
        format!("{}:{line}", text(place.get("file")))
    });
    // Of `strowger.yaml`.
    let own = || Some(format!("{}:{}", error.get("file")?.as_str()?, error.get("line")?.as_u64()?));
    First {
        errors: errors.len(),
        code: text(error.get("code")),
        place: place.or_else(own).unwrap_or_default(),
        message: text(error.get("message")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_fault_and_how_many_there_are() {
        let warning = r#"{"severity":"warning","code":"F0607","message":"w","labels":[]}"#;
        let error = |code: &str, line: u32| {
            json!({ "severity": "error", "code": code, "message": "no step `x`", "labels": [
                { "primary": false, "place": { "file": "b.flow", "start": { "line": 1 } } },
                { "primary": true, "place": { "file": "a.flow", "start": { "line": line } } } ] })
        };
        let json = format!("{warning}\n{}\n{}\n", error("F0101", 7), error("F0102", 9));
        let said = first(&Report { text: String::new(), json });
        let (code, place, message) = ("F0101".to_owned(), "a.flow:7".to_owned(), "no step `x`".to_owned());
        assert_eq!(said, First { errors: 2, code, place, message });
        let config = ConfigError { line: 3, column: 1, message: "no such key".into(), help: String::new() };
        assert_eq!(first(&config_report(&config)).place, format!("{FILE_NAME}:3"));
        let tests = Report { text: "ok   one\nFAILED two\n".into(), json: "{\"test\":\"two\"}".into() };
        assert_eq!((first(&tests).errors, first(&tests).message.as_str()), (0, "FAILED two"));
    }
}
