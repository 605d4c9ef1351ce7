//! `strowger calls`: the calls of a server or a data folder, those going on first.

use clap::Args;
use runtime_contract::Time;
use runtime_contract::calendar::local_text;
use serde_json::Value;

use crate::moment::Since;
use crate::show::{Result, plural, say};
use crate::source::{Source, Wanted};
use crate::table::{row, table};

/// Calls on one page of a server.
const SERVER_SHOWS_MAX: usize = 10_000;

#[derive(Args)]
pub struct Calls {
    /// Only from this number: the whole of it with its `+`, or its last digits
    #[arg(long, value_name = "NUMBER")]
    caller: Option<String>,
    /// Only of this flow, with or without its module
    #[arg(long, value_name = "FLOW")]
    flow: Option<String>,
    /// Only those begun since: `2h`, `30m`, `7d`, or a time like `2026-03-02 10:00 in Asia/Shanghai`
    #[arg(long, value_name = "TIME")]
    since: Option<Since>,
    /// Only those that ended so: `hung up`, `fault`, `caller hung up`, …
    #[arg(long, value_name = "WORDS")]
    end: Option<String>,
    /// At most so many; a server shows 10000 at a time, a data folder all
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Only those going on, with the step they are in
    #[arg(long, conflicts_with_all = ["end", "data"])]
    live: bool,
    /// Show numbers and notes
    #[arg(long)]
    reveal: bool,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    source: Source,
}

impl Calls {
    pub fn run(&self) -> Result {
        let wanted = Wanted {
            caller: self.caller.clone(),
            flow: self.flow.clone(),
            since: self.since.map(|since| since.0),
            end: self.end.clone(),
            limit: self.limit,
            live: self.live,
            reveal: self.reveal,
        };
        let calls = self.source.calls(&wanted)?;
        if self.json {
            say(&calls.iter().map(|call| format!("{call}\n")).collect::<String>());
            return Ok(());
        }
        let mut rows = vec![row(["CALL", "STARTED (UTC)", "FLOW", "CALLER", "CALLED", "LENGTH", "END", "VERSION"])];
        rows.extend(calls.iter().map(call_row));
        let more = match calls.len() {
            shown if shown == self.limit as usize => "; more with `--limit`",
            SERVER_SHOWS_MAX.. if self.source.is_server() => "; more with `--data`",
            _ => "",
        };
        say(&format!("{}{}{more}\n", table(&rows), plural(calls.len(), "call")));
        Ok(())
    }
}

fn call_row(call: &Value) -> Vec<String> {
    let text = |key: &str| call.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let number = |key: &str| call.get(key).and_then(Value::as_i64);
    let short = |key: &str| text(key).chars().take(8).collect::<String>();
    // Calls of one process count up: the end of an id tells them apart.
    let id = text("call");
    let id = id.get(id.len().saturating_sub(8)..).unwrap_or_default().to_owned();
    let started = number("started_ms").unwrap_or(0);
    let length = number("ended_ms").map_or_else(|| "…".to_owned(), |ended| length_text(ended - started));
    let end = match call.get("live") {
        Some(_) => format!("({}) {} {}", text("line"), text("step"), text("place")),
        None => text("end"),
    };
    let caller = call.get("caller").and_then(Value::as_str).unwrap_or("–").to_owned();
    vec![id, local_text(Time(started), "UTC"), text("flow"), caller, text("called"), length, end, short("version")]
}

/// `4.2 s`, `3:07`.
pub fn length_text(ms: i64) -> String {
    match ms.max(0) {
        ms if ms < 60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        ms => format!("{}:{:02}", ms / 60_000, ms / 1_000 % 60),
    }
}
