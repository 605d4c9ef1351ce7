//! `strowger replay`: whether a version does again what it did in a recorded call, or what other files would have done
//! in its place.

pub mod other;

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use runtime_session::Session;
use runtime_session::journal::{self, Record};
use serde_json::{Value, json};

use crate::call_log::{load, text};
use crate::show::{Failure, Result, plural, say};
use crate::source::{Kept, Source};

#[derive(Args)]
pub struct Replay {
    /// The call, by the last digits of its id as `strowger calls` shows it
    call: String,
    /// Give the call to these files, a project's folder or one `.flow` file, instead of to its own version
    #[arg(value_name = "FOLDER")]
    path: Option<PathBuf>,
    /// Show numbers, keys and values
    #[arg(long, requires = "path")]
    reveal: bool,
    /// The verdict as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    source: Source,
}

impl Replay {
    pub fn run(&self) -> Result {
        let kept = self.source.call(&self.call, self.reveal)?;
        if kept.record.get("erased_ms").is_some_and(|erased| !erased.is_null()) {
            let help = "its steps and times are left: see them with `strowger call-log`";
            return Err(Failure::new("the person was taken out of this call, so it cannot be replayed", help));
        }
        match &self.path {
            Some(path) => self.in_other(&kept, path),
            None => self.in_its_own(&kept),
        }
    }

    fn in_its_own(&self, kept: &Kept) -> Result {
        let program = load(kept)?;
        let records = journal::decode(&kept.journal).unwrap_or_default();
        let requests = records.iter().filter(|(_, record)| matches!(record, Record::Request { .. })).count();
        let cut = records.iter().any(|(_, record)| matches!(record, Record::Full));
        let replayed = Session::from_journal(Arc::clone(&program), &kept.journal);
        let version = program.meta().graph_id.short();
        let (verdict, why) = match &replayed {
            Ok(_) => ("same", None),
            Err(error) => ("differs", Some(error.to_string())),
        };
        if self.json {
            let call = text(&kept.record, "call");
            let said =
                json!({ "call": call, "version": version, "verdict": verdict, "requests": requests, "why": why });
            say(&format!("{said}\n"));
        } else if why.is_none() {
            let rest = if cut { "; its journal was full and says no more" } else { "" };
            let what = plural(requests, "request");
            say(&format!(
                "same: version {version} makes the same {what} of the same answers, observations and faults{rest}\n"
            ));
        }
        match why {
            None => Ok(()),
            Some(_) if self.json => Err(Failure::Shown),
            Some(why) => Err(Failure::new(
                format!("version {version} does something else: {why}"),
                "this is a fault of strowger: please report it",
            )),
        }
    }
}

/// The caller of a call as far as the record shows him.
fn caller(record: &Value) -> &str {
    record.get("caller").and_then(Value::as_str).unwrap_or("withheld")
}
