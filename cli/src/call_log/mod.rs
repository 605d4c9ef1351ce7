//! `strowger call-log`, `strowger replay`: a call that is over, told again from its journal in the version on which
//! it ran, and whether that version does again what it did.

mod told;

use std::sync::Arc;

use clap::Args;
use lang_compiler::Engine;
use runtime_contract::calendar::local_text;
use runtime_contract::{FlowProgram, Time};
use runtime_session::journal::{self, Record};
use runtime_session::{ReplayError, Session};
use serde_json::{Value, json};

use crate::show::{Failure, Paint, Result, colours, paint, plural, say};
use crate::source::{Kept, Source};
use told::{Line, Teller};

#[derive(Args)]
pub struct CallLog {
    /// The call, by the last digits of its id as `strowger calls` shows it
    call: String,
    /// Show numbers, keys and values
    #[arg(long)]
    reveal: bool,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    source: Source,
}

#[derive(Args)]
pub struct Replay {
    /// The call, by the last digits of its id as `strowger calls` shows it
    call: String,
    /// The verdict as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    source: Source,
}

fn load(kept: &Kept) -> Result<Arc<dyn FlowProgram>> {
    lang_compiler::load(&kept.graph, Engine::Interpreter)
        .map_err(|report| Failure::new(report.text, "the version of this call was written by another strowger"))
}

fn text<'v>(record: &'v Value, key: &str) -> &'v str {
    record.get(key).and_then(Value::as_str).unwrap_or_default()
}

impl CallLog {
    pub fn run(&self) -> Result {
        let kept = self.source.call(&self.call, self.reveal)?;
        let program = load(&kept)?;
        let (lines, gap) = tell(&program, &kept.journal, self.reveal)?;
        if self.json {
            say(&lines.iter().map(|line| format!("{}\n", line.to_json())).collect::<String>());
        } else {
            self.show(&kept, &program, &lines);
        }
        match gap {
            Some(why) if kept.record.get("erased_ms").is_none_or(Value::is_null) => Err(Failure::new(
                format!("from here on the journal is shown without its texts: {why}"),
                "this is a fault of strowger: please report it",
            )),
            _ => Ok(()),
        }
    }

    fn show(&self, kept: &Kept, program: &Arc<dyn FlowProgram>, lines: &[Line]) {
        let meta = program.meta();
        let zone = meta.zone();
        let record = &kept.record;
        let caller = record.get("caller").and_then(Value::as_str).unwrap_or("withheld");
        let started = record.get("started_ms").and_then(Value::as_i64).unwrap_or(0);
        let version = meta.graph_id.short();
        let head = format!("{} → {}  {}  version {version}", caller, text(record, "called"), text(record, "flow"));
        say(&format!(
            "{}\n{}\n",
            paint(&head, Paint::Strong, colours()),
            format_args!("{} in {zone}", local_text(Time(started), zone))
        ));
        if record.get("erased_ms").is_some_and(|erased| !erased.is_null()) {
            say("the person was taken out of this call: times and steps are left\n");
        }
        for line in lines {
            say(&format!("{}\n", line.to_text(zone)));
        }
        if let Some(end) = record.get("end").and_then(Value::as_str) {
            say(&format!("{}\n", paint(&format!("ended: {end}"), Paint::Faint, colours())));
        }
    }
}

/// The call as lines; and why the last of them have no texts, when they have none.
fn tell(program: &Arc<dyn FlowProgram>, bytes: &[u8], reveal: bool) -> Result<(Vec<Line>, Option<ReplayError>)> {
    let mut teller = Teller::new(program.meta(), reveal);
    let retold = Session::retell(Arc::clone(program), bytes, &mut |time, told| teller.take(time, &told));
    let Err(error) = retold else { return Ok((teller.lines, None)) };
    // What the program does not tell the journal still says.
    let records = journal::decode(bytes)
        .map_err(|error| Failure::new(error.to_string(), "the data folder is damaged, or of another strowger"))?;
    for (time, record) in records.iter().skip(teller.records) {
        teller.record(*time, record);
    }
    Ok((teller.lines, Some(error)))
}

impl Replay {
    pub fn run(&self) -> Result {
        let kept = self.source.call(&self.call, false)?;
        if kept.record.get("erased_ms").is_some_and(|erased| !erased.is_null()) {
            let help = "its steps and times are left: see them with `strowger call-log`";
            return Err(Failure::new("the person was taken out of this call, so it cannot be replayed", help));
        }
        let program = load(&kept)?;
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
