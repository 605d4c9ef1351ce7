//! `strowger call-log`: a call that is over, told again from its journal in the version on which it ran.

pub mod told;

use std::sync::Arc;

use clap::Args;
use lang_compiler::Engine;
use runtime_contract::calendar::local_text;
use runtime_contract::{FlowProgram, Time};
use runtime_session::journal;
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

pub fn load(kept: &Kept) -> Result<Arc<dyn FlowProgram>> {
    lang_compiler::load(&kept.graph, Engine::Interpreter)
        .map_err(|report| Failure::new(report.text, "the version of this call was written by another strowger"))
}

pub fn text<'v>(record: &'v Value, key: &str) -> &'v str {
    record.get(key).and_then(Value::as_str).unwrap_or_default()
}

impl CallLog {
    pub fn run(&self) -> Result {
        let kept = self.source.call(&self.call, self.reveal)?;
        let program = load(&kept)?;
        let (lines, gap) = tell(&program, &kept.journal, self.reveal)?;
        if self.json {
            say(&lines.iter().map(|line| format!("{}\n", line.to_json())).collect::<String>());
            if let Some(quality) = kept.record.get("quality").filter(|quality| !quality.is_null()) {
                say(&format!("{}\n", json!({ "kind": "quality", "quality": quality })));
            }
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
        if let Some(voice) = record.get("quality").and_then(quality_text) {
            say(&format!("{}\n", paint(&voice, Paint::Faint, colours())));
        }
    }
}

/// The call as lines; and why the last of them have no texts, when they have none.
pub fn tell(program: &Arc<dyn FlowProgram>, bytes: &[u8], reveal: bool) -> Result<(Vec<Line>, Option<ReplayError>)> {
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

/// `voice: 4 of 1000 packets lost (0.4 %), jitter 3 ms (at most 20 ms), there and back 41 ms; …`
fn quality_text(quality: &Value) -> Option<String> {
    let number = |key: &str| quality.get(key).and_then(Value::as_u64);
    let (received, lost) = (number("received")?, number("lost")?);
    let sent = received.saturating_add(lost);
    let percent = if sent == 0 { 0.0 } else { lost as f64 * 100.0 / sent as f64 };
    let mut said = format!("voice: {lost} of {} lost ({percent:.1} %)", plural_of(sent, "packet"));
    if let Some((mean, most)) = number("jitter_ms").zip(number("jitter_max_ms")) {
        said.push_str(&format!(", jitter {mean} ms (at most {most} ms)"));
    }
    if let Some(ms) = number("concealed_ms").filter(|ms| *ms > 0) {
        said.push_str(&format!(", {ms} ms made up"));
    }
    said.push_str(&match number("round_trip_ms") {
        Some(ms) => format!(", there and back {ms} ms"),
        None => ", the far side sends no reports".to_owned(),
    });
    if let Some((lost, jitter)) = number("remote_lost").zip(number("remote_jitter_ms")) {
        said.push_str(&format!("; there {} lost, jitter {jitter} ms", plural_of(lost, "packet")));
    }
    Some(said)
}

fn plural_of(count: u64, one: &str) -> String {
    plural(usize::try_from(count).unwrap_or(usize::MAX), one)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, reason = "tests may stop at the first surprise")]

    use super::*;

    #[test]
    fn quality_in_words() {
        let mut quality = json!({ "received": 996, "lost": 4, "jitter_ms": 3, "jitter_max_ms": 20, "concealed_ms": 80,
            "round_trip_ms": 41, "remote_lost": 1, "remote_jitter_ms": 2 });
        let whole = "voice: 4 of 1000 packets lost (0.4 %), jitter 3 ms (at most 20 ms), 80 ms made up, there and back \
                     41 ms; there 1 packet lost, jitter 2 ms";
        assert_eq!(quality_text(&quality).as_deref(), Some(whole));
        for key in ["round_trip_ms", "remote_lost"] {
            quality[key] = Value::Null;
        }
        quality["concealed_ms"] = 0.into();
        let short = "voice: 4 of 1000 packets lost (0.4 %), jitter 3 ms (at most 20 ms), the far side sends no reports";
        assert_eq!(quality_text(&quality).as_deref(), Some(short));
        assert_eq!(quality_text(&Value::Null), None, "a call without media");
    }
}
