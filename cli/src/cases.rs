//! `strowger cases`: what calls left for people to look into.

use clap::Args;
use serde_json::Value;

use crate::show::{Result, plural, say};
use crate::source::Source;
use crate::table::{row, table};

#[derive(Args)]
pub struct Cases {
    /// At most so many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    source: Source,
}

impl Cases {
    pub fn run(&self) -> Result {
        let cases = self.source.cases(self.limit)?;
        if self.json {
            say(&cases.iter().map(|case| format!("{case}\n")).collect::<String>());
            return Ok(());
        }
        let mut rows = vec![row(["OPENED (UTC)", "CASE", "PRIORITY", "CALL"])];
        rows.extend(cases.iter().map(|case| {
            let text = |key: &str| case.get(key).and_then(Value::as_str).unwrap_or_default();
            let opened = text("opened").get(..19).unwrap_or_default().replace('T', " ");
            // Calls of one process count up: the end of an id tells them apart.
            let call = text("call").get(text("call").len().saturating_sub(8)..).unwrap_or_default();
            row([&opened, text("case"), text("priority"), call])
        }));
        let more = if cases.len() == self.limit as usize { "; more with `--limit`" } else { "" };
        say(&format!("{}{}{more}\n", table(&rows), plural(cases.len(), "case")));
        Ok(())
    }
}
