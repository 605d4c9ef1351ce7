//! `strowger check --watch`: a check after each change of a file, by a checker that knows what it read before.

use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use lang_compiler::{Checker, Engine, with_room};
use serde_json::{Value, json};

use crate::check::Checked;
use crate::moment::Day;
use crate::show::{Failure, Paint, Result, colours, paint, say};

/// How often the files are looked at.
const LOOK: Duration = Duration::from_millis(100);
/// A change is read when nothing differs for so long, the longest tick of a file system's clock (a kernel of 100 Hz): what
/// is written after that has another time. Saving a file in pieces takes no longer.
const TICK: Duration = Duration::from_millis(10);
/// What is written without end is read all the same.
const TICKS_MAX: usize = 20;

/// Until Ctrl-C or SIGTERM.
pub fn watch(path: &Path, on: Option<Day>, json: bool) -> Result {
    with_room(|| watch_here(path, on, json))
}

fn watch_here(path: &Path, on: Option<Day>, json: bool) -> Result {
    let (stop, stopped) = mpsc::channel();
    ctrlc::set_handler(move || {
        // Nobody listens any more once it ends.
        let _ = stop.send(());
    })
    .map_err(|cause| Failure::new(format!("cannot wait for Ctrl-C: {cause}"), "leave `--watch` out"))?;
    let checker = Checker::default();
    let mut seen = None;
    let mut data = crate::project::data_folder(path);
    loop {
        let look = || crate::project::fingerprint(path, &data);
        let mut looked = look();
        for _ in 0..TICKS_MAX {
            if seen == Some(looked) {
                break;
            }
            if stopped.recv_timeout(TICK) != Err(RecvTimeoutError::Timeout) {
                return Ok(());
            }
            let again = look();
            if std::mem::replace(&mut looked, again) == again {
                break;
            }
        }
        // A folder that cannot be read is told of once, and again when it changed.
        if seen != Some(looked) {
            seen = Some(looked);
            let begun = Instant::now();
            say(&shown(check(&checker, path, on), begun, json));
            data = crate::project::data_folder(path);
        }
        if stopped.recv_timeout(LOOK) != Err(RecvTimeoutError::Timeout) {
            return Ok(());
        }
    }
}

fn check(checker: &Checker, path: &Path, on: Option<Day>) -> Result<Checked> {
    let opened = crate::project::open(path)?;
    let project = crate::project::to_check(&opened.bundle, on);
    Ok(Checked(checker.compile(&project, &opened.names, Engine::Interpreter)))
}

/// The report with the time that the check took.
fn shown(checked: Result<Checked>, begun: Instant, json: bool) -> String {
    let ms = || (begun.elapsed().as_secs_f64() * 1e4).round() / 10.0;
    match (checked, json) {
        (Ok(checked), true) => {
            let lines = checked.report().json;
            let problems: Vec<Value> = lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
            let (errors, warnings) = (checked.errors(), checked.warnings());
            format!("{}\n", json!({ "errors": errors, "warnings": warnings, "ms": ms(), "problems": problems }))
        }
        (Ok(checked), false) => {
            let report = checked.report().text;
            let text = if report.is_empty() { report } else { format!("{}\n", report.trim_end()) };
            let end = paint(&format!("checked in {} ms; waiting for changes", ms()), Paint::Faint, colours());
            format!("{text}{}\n{end}\n", checked.summary())
        }
        (Err(Failure::Said { message, help }), true) => {
            format!("{}\n", json!({ "message": message, "help": help, "ms": ms() }))
        }
        (Err(failure), _) => {
            failure.show();
            String::new()
        }
    }
}
