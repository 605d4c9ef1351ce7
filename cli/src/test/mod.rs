//! `strowger test`: plays the `test` blocks of a project in virtual time, on the code that would serve.

pub mod coverage;
mod drawn;
mod junit;
#[cfg(test)]
pub mod manual;
mod page;
pub mod play;
#[cfg(test)]
mod replays;
pub mod report;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, ValueEnum};
use lang_compiler::{Compiled, Engine, Project, nearest};
use runtime_contract::script::TestScript;

use self::coverage::Coverage;
use self::play::{Playing, play};
use crate::show::{self, Failure, Result};

/// Names of tests that an error lists.
const NAMES_SHOWN_MAX: usize = 8;

#[derive(Args)]
pub struct Test {
    /// A project's folder, or one `.flow` file
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Only tests whose name holds this text, in capitals or not; given more than once, any of them
    #[arg(long, value_name = "TEXT")]
    filter: Vec<String>,
    /// Tests that play at the same time; as many as there are cores when left out
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Stop at the first test that fails
    #[arg(long)]
    fail_fast: bool,
    /// Show the names of the tests and where they are, and play none
    #[arg(long)]
    list: bool,
    /// Show what happened in every test, not only in those that fail
    #[arg(long)]
    transcript: bool,
    /// Write the results as JUnit XML, for a build server
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Say which steps, arms and prompts (in each language) the tests reach, and list those that they do not
    #[arg(long)]
    coverage: bool,
    /// Write the coverage as a page over the flows' text; a folder, or a file that ends in `.html`
    #[arg(long, value_name = "DIR|FILE")]
    html: Option<PathBuf>,
    /// Fail when the tests reach less than this, in per cent of all steps, arms and prompts
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    coverage_min: Option<f64>,
    /// Count the modules of `std` too
    #[arg(long)]
    coverage_std: bool,
    /// What runs the code
    #[arg(long, value_enum, default_value_t)]
    engine: EngineName,
    /// One JSON object for each test, and one with the sums
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

fn percent(text: &str) -> std::result::Result<f64, String> {
    let number = text.trim_end_matches('%').parse().ok().filter(|percent| (0.0..=100.0).contains(percent));
    number.ok_or_else(|| "a number from 0 to 100".to_owned())
}

impl Test {
    pub fn run(&self) -> Result {
        let began = Instant::now();
        let opened = crate::project::open(&self.path)?;
        let mut project = Project::from_bundle(&opened.bundle);
        crate::project::set_day(&mut project, None);
        let compiled = lang_compiler::compile(&project, &opened.names, self.engine.into()).map_err(|analysis| {
            show::print(&analysis.report(show::colours(), show::width()), self.json);
            Failure::Shown
        })?;
        let chosen = self.choose(&compiled.tests)?;
        if self.list {
            show::print(&report::list(&chosen), self.json);
            return Ok(());
        }
        let counting = match self.counts() {
            true => Some(compiled.counting().map_err(|problem| Failure::new(problem, ""))?),
            false => None,
        };
        let playing = Playing {
            jobs: self.jobs.map(usize::from),
            fail_fast: self.fail_fast,
            progress: !self.json,
            counting: counting.as_ref().map(|counting| &counting.program),
        };
        let played = play(&compiled.program, &chosen, &playing);
        show::print(&report::results(&compiled, &played, self.transcript, show::colours()), self.json);
        let summary = report::summary(&played, chosen.len(), began.elapsed());
        println!("{}", if self.json { summary.json } else { summary.text });
        if let Some(file) = &self.junit {
            write(file, &junit::report(&compiled, &played, began.elapsed())?)?;
        }
        if let Some(counting) = counting {
            let heard = coverage::heard(&played);
            let reached = compiled.reached(&counting, &heard, self.coverage_std);
            self.cover(&project, &compiled, &Coverage::new(&compiled, reached, played.len()))?;
        }
        let passed = played.iter().all(|test| test.result.passed() && !test.differs);
        if passed { Ok(()) } else { Err(Failure::Shown) }
    }

    fn counts(&self) -> bool {
        self.coverage || self.html.is_some() || self.coverage_min.is_some() || self.coverage_std
    }

    fn choose<'t>(&self, tests: &'t [TestScript]) -> Result<Vec<&'t TestScript>> {
        let words: Vec<String> = self.filter.iter().map(|text| text.to_lowercase()).collect();
        let fits = |test: &&TestScript| {
            let name = test.name.to_lowercase();
            words.is_empty() || words.iter().any(|word| name.contains(word))
        };
        let chosen: Vec<&TestScript> = tests.iter().filter(fits).collect();
        if !chosen.is_empty() {
            return Ok(chosen);
        }
        if tests.is_empty() {
            let help = "write one in a flow file: `test \"a caller hears the menu\" { … }`";
            return Err(Failure::new("the project has no test", help));
        }
        let wanted = self.filter.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(" or ");
        Err(Failure::new(format!("no name of a test holds {wanted}"), nearest_names(&words, tests)))
    }

    fn cover(&self, project: &Project, compiled: &Compiled, coverage: &Coverage) -> Result {
        if self.coverage || self.coverage_std {
            let report = coverage.report();
            println!(
                "{}",
                if self.json { report.json.trim_end().to_owned() } else { format!("\n{}", report.text.trim_end()) }
            );
        }
        if let Some(path) = &self.html {
            let is_file = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("html"));
            let file = if is_file { path.clone() } else { path.join("index.html") };
            // What compiles reads, so it has a picture.
            let drawn = lang_compiler::picture::picture(project, None, show::colours(), show::width()).ok();
            write(&file, &page::page(compiled, coverage, drawn.as_ref()))?;
            if !self.json {
                println!("\nthe page is `{}`", file.display());
            }
        }
        match self.coverage_min {
            Some(least) if coverage.total().percent() < least => {
                let message = format!("the tests reach {}, less than {least} %", coverage.total().percent_text());
                Err(Failure::new(message, "`--coverage` lists what no test reaches"))
            }
            _ => Ok(()),
        }
    }
}

/// What may have been meant by a filter that fits nothing: the nearest name, by itself or by one of its words.
fn nearest_names(words: &[String], tests: &[TestScript]) -> String {
    let names: Vec<String> = tests.iter().map(|test| test.name.to_lowercase()).collect();
    let candidates = || names.iter().flat_map(|name| name.split_whitespace().chain([name.as_str()]));
    let near = words.iter().find_map(|word| nearest(word, candidates()));
    let name = near.and_then(|near| names.iter().position(|name| name.contains(near)));
    match (near, name.and_then(|at| tests.get(at))) {
        (Some(near), Some(test)) => format!("the nearest is `--filter \"{near}\"`: “{}”", test.name),
        _ => {
            let shown: Vec<String> =
                tests.iter().take(NAMES_SHOWN_MAX).map(|test| format!("“{}”", test.name)).collect();
            let more = if tests.len() > NAMES_SHOWN_MAX { "; `--list` shows all" } else { "" };
            format!("there are {}{more}", shown.join(", "))
        }
    }
}

/// Writes a file, with the folders above it.
fn write(file: &Path, text: &str) -> Result {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let made = folder.map_or(Ok(()), std::fs::create_dir_all);
    made.and_then(|()| std::fs::write(file, text)).map_err(|cause| {
        Failure::new(format!("cannot write `{}`: {cause}", file.display()), "name a place that can be written")
    })
}
