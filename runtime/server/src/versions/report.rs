//! What is said about a version that was loaded or refused, in the shape of the compiler's reports.

use runtime_contract::program::Report;
use serde_json::json;

use crate::config::{ConfigError, FILE_NAME};

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
