//! `strowger explain`: what a code means, with a wrong and a right example.

use clap::Args;
use lang_compiler::{Code, nearest};
use serde_json::json;

use crate::show::{self, Failure, Result};

#[derive(Args)]
pub struct Explain {
    /// A number as `F0101` or a name as `unknown-name`; without one, all codes are listed
    code: Option<String>,
    /// One JSON object for each code
    #[arg(long)]
    json: bool,
}

impl Explain {
    pub fn run(&self) -> Result {
        let Some(word) = &self.code else {
            self.list();
            return Ok(());
        };
        let code = Code::find(word).ok_or_else(|| unknown(word))?;
        if self.json {
            println!("{}", self.object(code));
            return Ok(());
        }
        match code.page() {
            Some(page) => show::say(page),
            None => show::say(&format!(
                "# {code}\n\nThis version never gives this code: {}. What it speaks of is not compiled yet.\n",
                code.title()
            )),
        }
        Ok(())
    }

    fn list(&self) {
        if self.json {
            show::say(&Code::ALL.iter().map(|code| format!("{}\n", self.object(*code))).collect::<String>());
            return;
        }
        let mut text = String::new();
        let mut family = "";
        for code in Code::ALL {
            let (number, subject) = code.family();
            if number != family {
                family = number;
                text.push_str(&format!("\n{number}  {subject}\n"));
            }
            let later = if code.page().is_none() { " (not in this version)" } else { "" };
            text.push_str(&format!("  {}  {:<30}  {}{later}\n", code.number(), code.name(), code.title()));
        }
        text.push_str("\n`strowger explain F0101` shows a wrong and a right example.\n");
        show::say(text.trim_start());
    }

    fn object(&self, code: Code) -> serde_json::Value {
        let example = |heading: &str| {
            let rest = code.page()?.split(heading).nth(1)?;
            rest.split("```flow\n").nth(1)?.split("```").next()
        };
        let (family, subject) = code.family();
        json!({
            "code": code.number(),
            "name": code.name(),
            "severity": code.severity().word(),
            "family": { "number": family, "subject": subject },
            "title": code.title(),
            "page": code.page(),
            "wrong": example("## Wrong"),
            "right": example("## Right"),
        })
    }
}

fn unknown(word: &str) -> Failure {
    let word_lower = word.to_lowercase();
    let names = Code::ALL.iter().map(|code| code.name());
    let meant = nearest(&word_lower, names).map(str::to_owned).or_else(|| {
        let upper = word.to_uppercase();
        nearest(&upper, Code::ALL.iter().map(|code| code.number())).map(str::to_owned)
    });
    let help = match meant {
        Some(meant) => format!("`strowger explain {meant}`, or `strowger explain` for all codes"),
        None => "`strowger explain` lists all codes".to_owned(),
    };
    Failure::new(format!("there is no code `{word}`"), help)
}
