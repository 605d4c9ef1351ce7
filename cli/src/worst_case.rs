//! What `check --report` shows: the worst call of each flow, and the lines that make it so.

use lang_compiler::{Colours, Figure, Where, Worst};
use runtime_contract::channel::Channel;
use serde_json::{Value, json};

use crate::show::{Paint, paint};

/// Columns of a line of a flow that is quoted.
const QUOTE_COLUMNS: usize = 64;
/// Steps of a way that are named; of a longer way the first.
const STEPS_SHOWN: usize = 8;

pub fn text(worst: &[Worst], colours: Colours) -> String {
    let mut text = String::new();
    for flow in worst {
        let name = flow.flow.rsplit('.').next().unwrap_or(&flow.flow);
        let answers = flow.answers.join(", ");
        let answers = if answers.is_empty() { answers } else { format!(", answers {answers}") };
        let head = format!("{}:{}{answers}", flow.place.file, flow.place.line);
        text.push_str(&format!("{}  {}\n", paint(name, Paint::Strong, colours), paint(&head, Paint::Faint, colours)));
        let mut row = |what: &str, amount: String, lines: Vec<String>| {
            let first = lines.first().map(String::as_str).unwrap_or_default();
            text.push_str(format!("  {what:<16}{amount:>11}   {first}").trim_end());
            text.push('\n');
            for line in lines.iter().skip(1) {
                text.push_str(&format!("{:32}{line}\n", ""));
            }
        };
        let count = |amount: u64| amount.to_string();
        row("most prompts", shown(&flow.prompts, count), lines(&flow.prompts, count));
        row("longest call", shown(&flow.time_ms, duration), lines(&flow.time_ms, duration));
        let menu = flow.menus.cause.iter().map(|(menu, _)| format!("in `{}`, {}", menu.part, place(menu)));
        let depth = if flow.menus.amount == 0 { "none".to_owned() } else { shown(&flow.menus, count) };
        row("deepest menu", depth, menu.collect());
        match &flow.person_ms {
            Some((wait, person)) => {
                let mut lines = lines(wait, duration);
                lines.push(format!("rung by `{}`, {}", quote(&person.text), place(person)));
                row("until a person", shown(wait, duration), lines);
            }
            None => row("until a person", "none".to_owned(), Vec::new()),
        }
        if !flow.left_out.is_empty() {
            let lines = flow.left_out.iter().map(|(question, by)| format!("`{question}` by {}", by.word()));
            row("left out", count(flow.left_out.len() as u64), lines.collect());
        }
        text.push('\n');
    }
    text
}

/// One object a line.
pub fn json(worst: &[Worst]) -> String {
    let place =
        |place: &Where| json!({ "file": place.file, "line": place.line, "part": place.part, "text": place.text });
    let figure = |figure: &Figure, unit: &str| {
        let way: Vec<Value> = figure.way.iter().map(|(step, times)| json!({ "step": step, "times": times })).collect();
        let cause = figure.cause.as_ref().map(|(at, amount)| json!({ "at": place(at), unit: amount }));
        json!({ unit: figure.amount, "is_most": figure.is_most, "cause": cause, "way": way })
    };
    let flow = |flow: &Worst| {
        let person = flow.person_ms.as_ref();
        let person = person.map(|(wait, person)| json!({ "wait": figure(wait, "ms"), "rung_at": place(person) }));
        let left_out = |(question, by): &(String, Channel)| json!({ "question": question, "by": by.word() });
        let left_out: Vec<Value> = flow.left_out.iter().map(left_out).collect();
        json!({ "worst_case": {
            "flow": flow.flow,
            "at": place(&flow.place),
            "answers": flow.answers,
            "prompts": figure(&flow.prompts, "count"),
            "time": figure(&flow.time_ms, "ms"),
            "menus": figure(&flow.menus, "count"),
            "person": person,
            "left_out": left_out,
        } })
    };
    worst.iter().map(|worst| format!("{}\n", flow(worst))).collect()
}

/// More than this is there where not all was looked for.
fn shown(figure: &Figure, amount: impl Fn(u64) -> String) -> String {
    format!("{}{}", if figure.is_most { "" } else { ">" }, amount(figure.amount))
}

/// The way, and the line that makes most of it.
fn lines(figure: &Figure, amount: impl Fn(u64) -> String) -> Vec<String> {
    let mut lines = Vec::new();
    if !figure.way.is_empty() {
        let step = |(name, times): &(String, u64)| if *times == 1 { name.clone() } else { format!("{name} ×{times}") };
        let mut steps: Vec<String> = figure.way.iter().take(STEPS_SHOWN).map(step).collect();
        let left = figure.way.len().saturating_sub(STEPS_SHOWN);
        steps.extend((left > 0).then(|| format!("{left} more")));
        lines.push(steps.join(", "));
    }
    if let Some((at, of_it)) = figure.cause.as_ref().filter(|(_, of_it)| *of_it > 0) {
        lines.push(format!("{} by `{}`, {}", amount(*of_it), quote(&at.text), place(at)));
    }
    lines
}

fn place(at: &Where) -> String {
    format!("{}:{}", at.file, at.line)
}

fn quote(line: &str) -> String {
    match line.char_indices().nth(QUOTE_COLUMNS) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default().trim_end()),
        None => line.to_owned(),
    }
}

/// In full seconds, rounded up: `1h 2m 3s`.
fn duration(ms: u64) -> String {
    let seconds = ms.div_ceil(1_000);
    let parts = [(seconds / 3_600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let parts: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_rounded_up_to_seconds() {
        for (ms, text) in [(0, "0s"), (1, "1s"), (60_000, "1m"), (3_723_001, "1h 2m 4s")] {
            assert_eq!(duration(ms), text);
        }
    }

    #[test]
    fn long_lines_are_cut() {
        assert_eq!(quote("go main"), "go main");
        assert_eq!(quote(&"再".repeat(65)), format!("{}…", "再".repeat(64)));
    }
}
