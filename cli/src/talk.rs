//! `strowger talk`: a call in the terminal. Type keys, read what the caller hears; no telephone, no sound.

use std::collections::BTreeMap;
use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use lang_compiler::{Engine, Project};
use runtime_contract::calendar::local_text;
use runtime_contract::program::FlowProgram;
use runtime_contract::script::{Given, Verb};
use runtime_contract::{ProgramMeta, Time};
use runtime_simulator::Talk as Call;
use serde_json::json;

use crate::moment::Moment;
use crate::show::{self, Failure, Result};

const HELP: &str = "\
keys       press them: 1, 2#, 4111111111111111#
(empty)    say nothing until the flow loses patience
wait 5s    let time pass; into a recording, speak
hang up    end the call
quit       leave";

#[derive(Args)]
pub struct Talk {
    /// A project's folder, or one `.flow` file
    #[arg(default_value = ".")]
    path: PathBuf,
    /// The number to call; the first `inbound` when left out
    #[arg(long)]
    to: Option<String>,
    /// The caller's number; withheld when empty
    #[arg(long, default_value = "+8613800000000")]
    from: String,
    /// When the call comes in, like `2026-03-02 10:00 in Asia/Shanghai`; now when left out
    #[arg(long)]
    at: Option<Moment>,
    /// One JSON object for each thing that happens
    #[arg(long)]
    json: bool,
}

impl Talk {
    pub fn run(&self) -> Result {
        let opened = crate::project::open(&self.path)?;
        let project = Project::from_bundle(&opened.bundle);
        let compiled = lang_compiler::compile(&project, &opened.names, Engine::Native).map_err(|analysis| {
            show::print(&analysis.report(show::colours(), show::width()), self.json);
            Failure::Shown
        })?;
        let to = self.number(compiled.program.meta())?;
        let began = self.at.map_or_else(now, |moment| moment.0);
        let from = Some(self.from.clone()).filter(|from| !from.is_empty());
        let mut call = Call::new(Arc::clone(&compiled.program) as Arc<dyn FlowProgram>, began, from, &to);
        let answers = answers(&compiled.tests);
        for ((service, operation), answer) in answers {
            call.answer(service, operation, answer);
        }
        if !self.json && std::io::stdin().is_terminal() {
            println!("{HELP}\n");
        }
        self.show(&mut call);
        for line in std::io::stdin().lock().lines().map_while(std::result::Result::ok) {
            if !self.order(&mut call, line.trim()) {
                break;
            }
            self.show(&mut call);
            if call.is_over() {
                break;
            }
        }
        Ok(())
    }

    fn number(&self, meta: &ProgramMeta) -> Result<String> {
        let help = "name one that the project answers, with `--to`";
        match &self.to {
            Some(to) if meta.inbound(&to.replace([' ', '-'], "")).is_none() => {
                Err(Failure::new(format!("no `inbound` takes {to}"), help))
            }
            Some(to) => Ok(to.clone()),
            None => {
                let first = meta.inbounds.first().ok_or_else(|| Failure::new("the project answers no number", help))?;
                Ok(format!("+{}", first.number.replace('x', "0")))
            }
        }
    }

    /// Carries out one line. False when the person leaves.
    fn order(&self, call: &mut Call, line: &str) -> bool {
        match line {
            "" => call.say_nothing(),
            "quit" | "exit" => return false,
            "hang up" | "bye" => call.hang_up(),
            "help" | "?" => println!("{HELP}"),
            keys if keys.chars().all(|c| c.is_ascii_digit() || "*#".contains(c)) => call.press(keys),
            other => match other.strip_prefix("wait ").and_then(seconds) {
                Some(ms) => call.wait(ms),
                None => println!("{HELP}"),
            },
        }
        true
    }

    fn show(&self, call: &mut Call) {
        for line in call.news() {
            if self.json {
                println!("{}", json!({ "ms": line.at.0, "what": line.what.to_string() }));
            } else {
                let at = local_text(line.at, "UTC");
                println!("{}  {}", at.split_once(' ').map_or("", |(_, time)| time), line.what);
            }
        }
        if !self.json && !call.is_over() && std::io::stdin().is_terminal() {
            print!("{} ", if call.is_recording() { "(recording)>" } else { ">" });
            let _ = std::io::stdout().flush();
        }
    }
}

/// `5s`, `2m`, `500ms`.
fn seconds(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.trim().parse().ok()?;
    match text.strip_prefix(digits)? {
        "ms" => Some(number),
        "s" | "" => number.checked_mul(1_000),
        "m" => number.checked_mul(60_000),
        _ => None,
    }
}

/// What services answer in the project's own tests, the first of each: so that a talk gets somewhere without them.
fn answers(tests: &[runtime_contract::script::TestScript]) -> BTreeMap<(u32, u32), Given> {
    let mut answers = BTreeMap::new();
    for (_, verb) in tests.iter().flat_map(|test| &test.lines) {
        if let Verb::Given { service, operation, answer } = verb {
            answers.entry((*service, *operation)).or_insert_with(|| answer.clone());
        }
    }
    answers
}

fn now() -> Time {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Time(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_people_type_them() {
        assert_eq!(
            (seconds("5s"), seconds("500ms"), seconds("2m"), seconds("7")),
            (Some(5_000), Some(500), Some(120_000), Some(7_000))
        );
        assert_eq!((seconds("s"), seconds("5x")), (None, None));
    }
}
