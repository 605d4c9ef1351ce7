//! `strowger test`: plays the `test` blocks of a project in virtual time, on the code that would serve.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use clap::{Args, ValueEnum};
use lang_compiler::{Compiled, Engine, Project};
use runtime_contract::calendar::local_text;
use runtime_contract::program::{Place, Report};
use runtime_contract::script::TestScript;
use runtime_simulator::{TestResult, play_test};
use serde_json::json;

use crate::show::{self, Failure, Result};

#[derive(Args)]
pub struct Test {
    /// A project's folder, or one `.flow` file
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Only tests whose name holds these words
    #[arg(long, default_value = "")]
    filter: String,
    /// What runs the code
    #[arg(long, value_enum, default_value_t)]
    engine: EngineName,
    /// Show the transcript of every test, not only of those that fail
    #[arg(long)]
    transcript: bool,
    /// One JSON object for each test
    #[arg(long)]
    json: bool,
}

/// The engines by the names that people type.
#[derive(Clone, Copy, Default, ValueEnum)]
pub enum EngineName {
    #[default]
    Native,
    Interpreter,
}

impl From<EngineName> for Engine {
    fn from(name: EngineName) -> Engine {
        match name {
            EngineName::Native => Engine::Native,
            EngineName::Interpreter => Engine::Interpreter,
        }
    }
}

impl Test {
    pub fn run(&self) -> Result {
        let began = Instant::now();
        let opened = crate::project::open(&self.path)?;
        let project = Project::from_bundle(&opened.bundle);
        let compiled = lang_compiler::compile(&project, &opened.names, self.engine.into()).map_err(|analysis| {
            show::print(&analysis.report(show::colours(), show::width()), self.json);
            Failure::Shown
        })?;
        let chosen: Vec<_> = compiled.tests.iter().filter(|test| test.name.contains(&self.filter)).collect();
        if chosen.is_empty() {
            let help = "write one like `test \"a caller hears the menu\" { … }` in a flow file, or change `--filter`";
            return Err(Failure::new("no test to run", help));
        }
        let results = play(&compiled, &chosen);
        show::print(&report(&compiled, &results, self.transcript), self.json);
        let failed = results.iter().filter(|result| !result.passed()).count();
        let passed = results.len() - failed;
        if self.json {
            println!("{}", json!({ "passed": passed, "failed": failed }));
        } else {
            println!("{passed} passed, {failed} failed, in {} ms", began.elapsed().as_millis());
        }
        if failed == 0 { Ok(()) } else { Err(Failure::Shown) }
    }
}

/// A line of a file, as people find it there.
fn line_of<'c>(compiled: &'c Compiled, file: &str, line: u32) -> &'c str {
    let source = compiled.analysis.sources.files().find(|(_, source)| source.path() == file);
    source.and_then(|(_, source)| source.line(line)).map_or("", str::trim)
}

/// Plays tests on all cores; results in the order of the tests.
pub fn play(compiled: &Compiled, tests: &[&TestScript]) -> Vec<TestResult> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(tests.len().max(1));
    let next = AtomicUsize::new(0);
    let work = || {
        let mut mine = Vec::new();
        loop {
            let taken = next.fetch_add(1, Ordering::Relaxed);
            let Some(test) = tests.get(taken) else { break mine };
            mine.push((taken, play_test(&compiled.program, test)));
        }
    };
    let mut results: Vec<(usize, TestResult)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    });
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}

/// What a person reads of the results: a line each; of a failure what was expected, and the transcript until then.
pub fn report(compiled: &Compiled, results: &[TestResult], transcripts: bool) -> Report {
    let mut report = Report::default();
    for (result, script) in results.iter().filter_map(|r| Some((r, compiled.tests.iter().find(|t| t.name == r.name)?)))
    {
        let verdict = if result.passed() { "ok    " } else { "FAILED" };
        let _ = writeln!(report.text, "{verdict}  {}", result.name);
        if transcripts || !result.passed() {
            for line in &result.transcript {
                let at = local_text(line.at, &script.zone);
                let time = at.split_once(' ').map_or("", |(_, time)| time);
                let _ = writeln!(report.text, "        {time}  {}", line.what);
            }
        }
        let place = |place: Place| {
            let file = script.files.get(place.file as usize).map_or("?", String::as_str);
            format!("{file}:{}", place.line)
        };
        if let Some((at, why)) = &result.failure {
            let file = script.files.get(at.file as usize).map_or("", String::as_str);
            let _ = writeln!(report.text, "        {}  {}", place(*at), line_of(compiled, file, at.line));
            let _ = writeln!(report.text, "        but {why}");
        }
        let failure = result.failure.as_ref().map(|(at, why)| json!({ "place": place(*at), "why": why }));
        let transcript: Vec<_> = result.transcript.iter().map(|line| line.what.to_string()).collect();
        let test = json!({
            "test": result.name,
            "place": place(result.place),
            "passed": result.passed(),
            "failure": failure,
            "transcript": transcript,
        });
        let _ = writeln!(report.json, "{test}");
    }
    report
}
