//! A recorded call in other files: both transcripts side by side, and where they part.

use std::path::Path;
use std::sync::Arc;

use lang_compiler::{Engine, Project};
use runtime_contract::FlowProgram;
use runtime_contract::calendar::local_text;
use runtime_session::{Aligned, Lost, ReplayError, Session};
use serde_json::{Value, json};

use super::{Replay, caller};
use crate::call_log::told::{Line, Teller};
use crate::call_log::{load, text};
use crate::show::{self, Failure, Paint, Result, colours, paint, plural, say};
use crate::source::Kept;

/// What happened in one version, as it is compared and as it is shown.
struct Transcript {
    /// With all values.
    whole: Vec<Line>,
    /// The same lines, with values as they were asked for.
    shown: Vec<Line>,
}

pub struct Compared {
    then: Transcript,
    now: Transcript,
    parting: Option<Parting>,
    aligned: Aligned,
}

impl Compared {
    /// The first difference, for people.
    pub fn difference(&self) -> Option<String> {
        self.parting.as_ref().map(|parting| difference(&self.then, &self.now, parting))
    }
}

/// Places in the shown lines of both: the first lines that differ, or the ends.
struct Parting {
    then: usize,
    now: usize,
}

impl Replay {
    pub fn in_other(&self, kept: &Kept, path: &Path) -> Result {
        let opened = crate::project::open(path)?;
        let project = Project::from_bundle(&opened.bundle);
        let compiled = lang_compiler::compile(&project, &opened.names, Engine::Interpreter).map_err(|analysis| {
            show::print(&analysis.report(colours(), show::width()), self.json);
            let (path, help) = (path.display(), "mend what is said above, then replay the call again");
            if self.json { Failure::Shown } else { Failure::new(format!("`{path}` does not check"), help) }
        })?;
        let program = load(kept)?;
        let other = compiled.program;
        let compared = compare(&program, &kept.journal, &other, self.reveal)?;
        let versions = [&program, &other].map(|program| program.meta().graph_id.short());
        match self.json {
            true => say(&format!("{}\n", to_json(kept, &versions, &compared))),
            false => show(kept, path, &versions, other.meta().zone(), &compared),
        }
        if compared.parting.is_some() { Err(Failure::Shown) } else { Ok(()) }
    }
}

fn show(kept: &Kept, path: &Path, versions: &[String; 2], zone: &str, compared: &Compared) {
    let Compared { now, parting, aligned, .. } = compared;
    let [version, other] = versions;
    let head = format!("{} → {}  {}", caller(&kept.record), text(&kept.record, "called"), text(&kept.record, "flow"));
    let began = now.shown.first().map_or_else(String::new, |line| local_text(line.at, zone));
    let path = path.display();
    say(&format!(
        "{}\n{began} in {zone}, recorded in version {version}, given to version {other} in {path}\n\n",
        paint(&head, Paint::Strong, colours())
    ));
    let same = parting.as_ref().map_or(now.shown.len(), |parting| parting.now);
    let line = |line: &Line| format!("{}\n", line.to_text(zone));
    say(&now.shown.iter().take(same).map(line).collect::<String>());
    let verdict = match parting {
        None => {
            let requests = plural(aligned.requests as usize, "request");
            format!("the same: {requests}{}{}", assumed(aligned), as_far(aligned))
        }
        Some(parting) => {
            say(&compared.difference().unwrap_or_default());
            let behind = &now.shown.get(parting.now + 1..).unwrap_or_default();
            if !behind.is_empty() {
                say(&paint(&format!("from here on in {path}:\n"), Paint::Faint, colours()));
                say(&behind.iter().map(line).collect::<String>());
            }
            verdict(now, parting, aligned)
        }
    };
    let colour = if parting.is_some() { Paint::Bad } else { Paint::Good };
    say(&format!("\n{}\n", paint(&verdict, colour, colours())));
}

/// The recorded call in its own version and in another.
pub fn compare(
    program: &Arc<dyn FlowProgram>,
    journal: &[u8],
    other: &Arc<dyn FlowProgram>,
    reveal: bool,
) -> Result<Compared> {
    let (then, _) = Transcript::told(program, reveal, &mut |teller| {
        Session::retell(Arc::clone(program), journal, &mut |time, told| teller.take(time, &told)).map(|_| ())
    })?;
    let (now, aligned) = Transcript::told(other, reveal, &mut |teller| {
        let (program, other) = (Arc::clone(program), Arc::clone(other));
        Session::align(program, journal, other, &mut |time, told| teller.take(time, &told))
    })?;
    let parting = parting(&then.whole, &now.whole, aligned.lost == Some(Lost::JournalEnds));
    Ok(Compared { then, now, parting, aligned })
}

impl Transcript {
    /// Runs it twice, as what is compared and what is shown.
    fn told<T>(
        program: &Arc<dyn FlowProgram>,
        reveal: bool,
        run: &mut dyn FnMut(&mut Teller<'_>) -> std::result::Result<T, ReplayError>,
    ) -> Result<(Transcript, T)> {
        let mut tell = |reveal| {
            let mut teller = Teller::new(program.meta(), reveal);
            let done = run(&mut teller).map_err(|error| {
                let help = "its own version does something else than it did: see `strowger replay` without a folder";
                Failure::new(format!("the journal of this call cannot be read: {error}"), help)
            })?;
            Ok((teller.lines, done))
        };
        let (whole, _) = tell(true)?;
        let (shown, done) = tell(reveal)?;
        Ok((Transcript { whole, shown }, done))
    }

    /// The step in which a line stands.
    fn step(&self, at: usize) -> Option<&str> {
        let before = self.shown.get(..=at).unwrap_or(&self.shown);
        before.iter().rev().find(|line| line.kind == "step").map(|line| line.text.as_str())
    }

    /// Where in the source it stands; a line without a place follows from one that has it.
    fn place(&self, at: usize) -> Option<&str> {
        let before = self.shown.get(..=at).unwrap_or(&self.shown);
        before.iter().rev().find_map(|line| line.place.as_deref())
    }
}

/// Whether callers or the world notice such a line. Where the flow is and what a menu would take besides they do not.
fn counts(line: &Line) -> bool {
    !matches!(line.kind, "call" | "step" | "line" | "late" | "stopped" | "full" | "assumed")
}

fn alike(then: &Line, now: &Line) -> bool {
    then.kind == now.kind && then.sound == now.sound && (then.kind == "menu" || then.text == now.text)
}

/// The first lines that differ. With a journal that ends early, what the other version did until then is compared.
fn parting(then: &[Line], now: &[Line], ends_early: bool) -> Option<Parting> {
    let counted = |lines: &[Line]| -> Vec<usize> {
        let is_end = |line: &Line| ends_early && line.kind == "lost";
        lines.iter().enumerate().filter(|(_, line)| counts(line) && !is_end(line)).map(|(at, _)| at).collect()
    };
    let (ours, theirs) = (counted(then), counted(now));
    let line = |lines: &[Line], at: Option<&usize>| at.and_then(|at| lines.get(*at)).cloned();
    (0..ours.len().max(theirs.len())).find_map(|n| {
        let (a, b) = (line(then, ours.get(n)), line(now, theirs.get(n)));
        let same = match (&a, &b) {
            (Some(a), Some(b)) => alike(a, b),
            _ => ends_early,
        };
        (!same).then(|| Parting {
            then: ours.get(n).copied().unwrap_or(then.len()),
            now: theirs.get(n).copied().unwrap_or(now.len()),
        })
    })
}

fn difference(then: &Transcript, now: &Transcript, parting: &Parting) -> String {
    let step = now.step(parting.now).or_else(|| then.step(parting.then)).unwrap_or_default();
    let head = paint(&format!("── the first difference, in {step}"), Paint::Strong, colours());
    let side = |name: &str, transcript: &Transcript, at: usize, how: Paint| {
        let text = match transcript.shown.get(at) {
            Some(line) => format!("{:<8} {}", line.kind, line.text),
            None => "nothing more".to_owned(),
        };
        let place = transcript.place(at).map_or_else(String::new, |place| format!("   {place}"));
        format!("  {}  {text}{}\n", paint(name, how, colours()), paint(&place, Paint::Faint, colours()))
    };
    let sides = [side("then", then, parting.then, Paint::Good), side("now ", now, parting.now, Paint::Bad)].concat();
    let hint = match (then.shown.get(parting.then), now.shown.get(parting.now)) {
        (Some(a), Some(b)) if a.kind == b.kind && a.text == b.text && a.sound != b.sound => {
            "        the recording is another\n"
        }
        (Some(a), Some(b)) if a.kind == b.kind && a.text == b.text => {
            "        a value is another; `--reveal` shows it\n"
        }
        _ => "",
    };
    format!("{head}\n{sides}{hint}")
}

fn as_far(aligned: &Aligned) -> &'static str {
    if aligned.lost == Some(Lost::JournalEnds) { ", as far as the journal goes" } else { "" }
}

fn verdict(now: &Transcript, parting: &Parting, aligned: &Aligned) -> String {
    let place = now.place(parting.now).map_or_else(String::new, |place| format!(" at {place}"));
    let end = match aligned.lost {
        None => "the call comes to its end".to_owned(),
        Some(Lost::JournalEnds) => "it goes on as far as the journal does".to_owned(),
        Some(_) => "it cannot go on".to_owned(),
    };
    format!("it differs{place}; {end}{}", assumed(aligned))
}

fn assumed(aligned: &Aligned) -> String {
    match aligned.assumed {
        0 => String::new(),
        count => format!(", with {} assumed", plural(count as usize, "answer")),
    }
}

fn to_json(kept: &Kept, [version, other]: &[String; 2], compared: &Compared) -> Value {
    let Compared { then, now, parting, aligned } = compared;
    let side = |transcript: &Transcript, at: usize| {
        let line = transcript.shown.get(at);
        json!({
            "kind": line.map(|line| line.kind),
            "text": line.map(|line| line.text.as_str()),
            "place": transcript.place(at),
            "step": transcript.step(at),
        })
    };
    let why = now.shown.last().filter(|line| line.kind == "lost").map(|line| line.text.as_str());
    json!({
        "call": text(&kept.record, "call"),
        "version": version,
        "given_to": other,
        "verdict": match parting {
            Some(_) => "differs",
            None if aligned.assumed > 0 => "assumed",
            None => "same",
        },
        "first": parting.as_ref().map(|parting| json!({ "then": side(then, parting.then), "now": side(now, parting.now) })),
        "lost": why,
        "assumed": aligned.assumed,
        "requests": aligned.requests,
        "transcript": now.shown.iter().map(Line::to_json).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests;
