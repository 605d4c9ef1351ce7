//! `strowger answers`: what callers answered in surveys.

use clap::Args;
use serde_json::Value;

use crate::show::{Result, plural, say};
use crate::source::Source;
use crate::table::{row, table};

#[derive(Args)]
pub struct Answers {
    /// At most so many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// How often each answer was given, in place of the answers
    #[arg(long)]
    totals: bool,
    /// Show answers in words of callers too
    #[arg(long)]
    reveal: bool,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    source: Source,
}

impl Answers {
    pub fn run(&self) -> Result {
        let found = self.source.answers(self.limit, self.reveal)?;
        let list = |key: &str| found.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
        let rows = list(if self.totals { "counts" } else { "answers" });
        if self.json {
            say(&rows.iter().map(|row| format!("{row}\n")).collect::<String>());
            return Ok(());
        }
        match self.totals {
            true => totals(&rows),
            false => self.newest(&rows),
        }
        Ok(())
    }

    fn newest(&self, answers: &[Value]) {
        let mut rows = vec![row(["GIVEN (UTC)", "SURVEY", "QUESTION", "ANSWER", "CALL"])];
        rows.extend(answers.iter().map(|answer| {
            let given = text(answer, "given").get(..19).unwrap_or_default().replace('T', " ");
            // Calls of one process count up: the end of an id tells them apart.
            let call = text(answer, "call");
            let call = call.get(call.len().saturating_sub(8)..).unwrap_or_default();
            row([&given, text(answer, "survey"), text(answer, "question"), text(answer, "value"), call])
        }));
        let more = if answers.len() == self.limit as usize { "; more with `--limit`" } else { "" };
        say(&format!("{}{}{more}\n", table(&rows), plural(answers.len(), "answer")));
    }
}

fn totals(counts: &[Value]) {
    let number = |count: &Value| count.get("count").and_then(Value::as_u64).unwrap_or(0);
    let mut rows = vec![row(["SURVEY", "QUESTION", "ANSWER", "COUNT", "SHARE"])];
    rows.extend(counts.iter().map(|count| {
        let same = |other: &&Value| ["survey", "question"].iter().all(|key| text(other, key) == text(count, key));
        let all: u64 = counts.iter().filter(same).map(number).sum();
        let value = count.get("value").and_then(Value::as_str).unwrap_or("(in words)");
        let share = format!("{} %", number(count) * 100 / all.max(1));
        row([text(count, "survey"), text(count, "question"), value, &number(count).to_string(), &share])
    }));
    let all = counts.iter().map(number).sum::<u64>();
    say(&format!("{}{}\n", table(&rows), plural(usize::try_from(all).unwrap_or(usize::MAX), "answer")));
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}
