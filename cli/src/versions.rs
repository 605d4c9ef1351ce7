//! `strowger versions`, `strowger audit`: what serves, what served before, and who changed it.

use clap::Args;
use serde_json::Value;

use crate::show::{Paint, Result, colours, paint, say};
use crate::source::Source;
use crate::table::{row, table};

#[derive(Args)]
pub struct Versions {
    /// The whole answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    source: Source,
}

#[derive(Args)]
pub struct Audit {
    /// At most so many entries
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    source: Source,
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The first eight digits, as everywhere.
fn short(hex: &str) -> &str {
    hex.get(..8).unwrap_or(hex)
}

/// `2026-03-02 10:00:05` of RFC 3339 in UTC.
fn moment(text: &str) -> String {
    text.get(..19).unwrap_or(text).replace('T', " ")
}

impl Versions {
    pub fn run(&self) -> Result {
        let page = self.source.versions()?;
        if self.json {
            say(&format!("{page}\n"));
            return Ok(());
        }
        let mut heads = row(["VERSION", "STATE", "SINCE (UTC)", "BY"]);
        if self.source.is_server() {
            heads.extend(row(["CALLS", "FAULTS"]));
        }
        let mut rows = vec![heads];
        for version in page.get("versions").and_then(Value::as_array).into_iter().flatten() {
            let share = version.get("share").and_then(Value::as_f64);
            let state = match share {
                Some(share) => format!("{} {}%", text(version, "state"), (share * 1e4).round() / 100.0),
                None => text(version, "state").to_owned(),
            };
            let mut cells = vec![
                short(text(version, "version")).to_owned(),
                state,
                moment(text(version, "at")),
                text(version, "who").to_owned(),
            ];
            if self.source.is_server() {
                let number = |key: &str| version.get(key).map_or_else(String::new, Value::to_string);
                cells.extend([number("calls"), number("faults")]);
            }
            rows.push(cells);
        }
        say(&table(&rows));
        let said = |key: &str, of: fn(&Value) -> String| {
            if let Some(found) = page.get(key).filter(|found| !found.is_null()) {
                say(&format!("\n{}\n", paint(&of(found), Paint::Bad, colours())));
            }
        };
        said("taken_back", |back| {
            format!(
                "{}: version {} was taken back: {}",
                moment(text(back, "at")),
                short(text(back, "version")),
                text(back, "why")
            )
        });
        said("refused", |refused| {
            format!("{}: the last load was refused:\n{}", moment(text(refused, "at")), text(refused, "text").trim_end())
        });
        Ok(())
    }
}

impl Audit {
    pub fn run(&self) -> Result {
        let entries = self.source.audit(self.limit)?;
        if self.json {
            say(&entries.iter().map(|entry| format!("{entry}\n")).collect::<String>());
            return Ok(());
        }
        let mut rows = vec![row(["WHEN (UTC)", "WHO", "FROM", "WHAT", "VERSION", ""])];
        rows.extend(entries.iter().map(|entry| {
            let cell = |key: &str| text(entry, key).to_owned();
            let version = short(text(entry, "version")).to_owned();
            vec![moment(text(entry, "at")), cell("who"), cell("peer"), cell("what"), version, cell("detail")]
        }));
        say(&table(&rows));
        Ok(())
    }
}
