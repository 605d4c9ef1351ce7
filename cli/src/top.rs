//! `strowger top`: what goes on in a server, drawn again each second.

use std::net::SocketAddr;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use crate::http;
use crate::show::{Failure, Paint, Result, colours, paint, say};
use crate::table::{row, table};

const REFRESH: Duration = Duration::from_secs(1);
/// Steps, flows and versions shown.
const SHOWN_MAX: usize = 12;

#[derive(Args)]
pub struct Top {
    /// The server's HTTP address
    #[arg(long, default_value = "127.0.0.1:8060")]
    http: SocketAddr,
    /// One picture, and no more
    #[arg(long)]
    once: bool,
    /// Each picture as one JSON object a line
    #[arg(long)]
    json: bool,
}

impl Top {
    pub fn run(&self) -> Result {
        let look = || http::get(self.http, "/top")?.json();
        if self.once {
            let now = look()?;
            say(&if self.json { format!("{now}\n") } else { picture(None, &now) });
            return Ok(());
        }
        let (stop, stopped) = mpsc::channel();
        ctrlc::set_handler(move || {
            // Nobody listens any more once it ends.
            let _ = stop.send(());
        })
        .map_err(|cause| Failure::new(format!("cannot wait for Ctrl-C: {cause}"), "use `--once`"))?;
        let mut before: Option<Value> = None;
        loop {
            let shown = look();
            match (shown, self.json) {
                (Ok(now), true) => {
                    say(&format!("{now}\n"));
                    before = Some(now);
                }
                (Ok(now), false) => {
                    // ECMA-48: cursor home, then erase to the end (ED 0) behind the picture.
                    say(&format!("\x1b[H{}\x1b[J", picture(before.as_ref(), &now).replace('\n', "\x1b[K\n")));
                    before = Some(now);
                }
                // A server that restarts is waited for; one that never was there is not.
                (Err(failure), _) if before.is_none() => return Err(failure),
                (Err(failure), _) => drop(failure.show()),
            }
            if stopped.recv_timeout(REFRESH) != Err(RecvTimeoutError::Timeout) {
                return Ok(());
            }
        }
    }
}

fn number(of: &Value, path: &str) -> f64 {
    of.pointer(path).and_then(Value::as_f64).unwrap_or(0.0)
}

/// Per second, between two looks; since the start when there is one look alone.
fn rate(before: Option<&Value>, now: &Value, path: &str) -> f64 {
    let since = |path: &str| number(now, path) - before.map_or(0.0, |before| number(before, path));
    let seconds = since("/uptime_ms") / 1e3;
    if seconds > 0.0 { (since(path) / seconds).max(0.0) } else { 0.0 }
}

fn picture(before: Option<&Value>, now: &Value) -> String {
    let per_s = |path: &str| rate(before, now, path);
    let uptime = number(now, "/uptime_ms") as u64 / 1_000;
    let state = if now.get("draining") == Some(&Value::Bool(true)) { "  draining" } else { "" };
    let mut text = format!(
        "strowger  up {}:{:02}:{:02}  {} calls  {:.1} new/s  {:.1} refused/s  {:.2} faults/s{state}\n",
        uptime / 3_600,
        uptime / 60 % 60,
        uptime % 60,
        number(now, "/calls"),
        per_s("/totals/started"),
        per_s("/totals/refused"),
        per_s("/totals/faults"),
    );
    text.push_str(&format!(
        "total     {} started, {} ended, {} refused, {} faults\n",
        number(now, "/totals/started"),
        number(now, "/totals/ended"),
        number(now, "/totals/refused"),
        number(now, "/totals/faults"),
    ));
    let stalled = match now.pointer("/store/stalled") {
        Some(Value::Bool(true)) => {
            let why = now.pointer("/store/why").and_then(Value::as_str).unwrap_or("it does not keep up");
            paint(&format!("  cannot write: {why}"), Paint::Bad, colours())
        }
        _ => String::new(),
    };
    text.push_str(&format!(
        "store     {} bytes wait, the oldest {} ms{stalled}\n",
        number(now, "/store/waiting_bytes"),
        number(now, "/store/waiting_ms"),
    ));
    text.push_str(&format!(
        "media     {} legs, {:.0} packets/s out, {:.0} in, {:.1} late, {:.1} skipped\n\n",
        number(now, "/media/legs"),
        per_s("/media/packets_sent"),
        per_s("/media/packets_received"),
        per_s("/media/packets_late"),
        per_s("/media/packets_skipped"),
    ));
    for (key, head) in [("versions", ["VERSION", "STATE"]), ("flows", ["FLOW", ""]), ("steps", ["STEP", ""])] {
        let listed = now.get(key).and_then(Value::as_array);
        let cells = |item: &Value| -> Vec<String> {
            let word = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default();
            let count = |name: &str| number(item, name).to_string();
            match key {
                "versions" => {
                    let id: String = word("version").chars().take(8).collect();
                    vec![id, word("state").to_owned(), count("/calls"), count("/faults")]
                }
                _ => vec![word("name").to_owned(), String::new(), count("/calls")],
            }
        };
        let last = if key == "versions" { "FAULTS" } else { "" };
        let [first, second] = head;
        let mut rows = vec![row([first, second, "CALLS", last])];
        rows.extend(listed.into_iter().flatten().take(SHOWN_MAX).map(cells));
        text.push_str(&table(&rows));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_picture_has_rates_between_two_looks() {
        let look = |uptime_ms: u64, started: u64| {
            json!({
                "uptime_ms": uptime_ms, "calls": 3, "draining": false,
                "totals": { "started": started, "ended": 1, "refused": 0, "faults": 0 },
                "steps": [{ "name": "m.f/main", "calls": 2 }], "flows": [{ "name": "m.f", "calls": 3 }],
                "versions": [{ "version": "aabbccddee", "state": "stable", "calls": 3, "faults": 0 }],
                "store": { "stalled": true, "why": "disk full", "waiting_ms": 7, "waiting_bytes": 9 },
                "media": { "legs": 3, "packets_sent": 100, "packets_received": 100, "packets_late": 0, "packets_skipped": 0 },
            })
        };
        let shown = picture(Some(&look(60_000, 10)), &look(62_000, 15));
        assert!(shown.starts_with("strowger  up 0:01:02  3 calls  2.5 new/s"), "{shown}");
        assert!(shown.contains("cannot write: disk full"), "{shown}");
        assert!(shown.contains("aabbccdd  stable  3      0\n"), "{shown}");
        assert!(shown.contains("m.f/main"), "{shown}");
    }
}
