//! `strowger check`: all problems of a project, and when there are none, what it holds.

use std::path::PathBuf;

use clap::Args;
use lang_compiler::{Analysis, Compiled, Engine, Project, Severity};
use runtime_contract::program::Report;
use serde_json::json;

use crate::moment::Day;
use crate::project::Opened;
use crate::show::{self, Failure, Result, plural};
use crate::{watch, worst_case, write};

#[derive(Args)]
pub struct Check {
    /// A project's folder, or one `.flow` file
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Repair what has one certain repair, then check; what callers hear or where they go is never guessed
    #[arg(long)]
    fix: bool,
    /// With `--fix`: show the changes and write nothing
    #[arg(long, requires = "fix")]
    dry_run: bool,
    /// Check again whenever a file changes, until Ctrl-C
    #[arg(long, conflicts_with_all = ["fix", "report"])]
    watch: bool,
    /// Check as if on this day, like 2027-02-01: dates that are over and holidays that run out get a warning
    #[arg(long, value_name = "DATE")]
    on: Option<Day>,
    /// Also the worst case of each flow: most prompts, longest call, deepest menu, time until a person is rung
    #[arg(long)]
    report: bool,
    /// One JSON object for each problem (with `--report`, for each flow), then one with the counts; with `--watch`, one
    /// for each check
    #[arg(long)]
    json: bool,
}

impl Check {
    pub fn run(&self) -> Result {
        if self.watch {
            return watch::watch(&self.path, self.on, self.json);
        }
        let opened = crate::project::open(&self.path)?;
        let mut project = crate::project::to_check(&opened.bundle, self.on);
        if self.fix {
            project = self.repaired(&opened, &project)?;
        }
        // The same graph and the same problems; nothing is run, so no machine code is made.
        let checked = Checked(lang_compiler::compile(&project, &opened.names, Engine::Interpreter));
        show::print(&checked.report(), self.json);
        if self.report {
            let worst = checked.analysis().worst();
            show::say(&if self.json { worst_case::json(&worst) } else { worst_case::text(&worst, show::colours()) });
        }
        if self.json {
            show::say(&format!("{}\n", json!({ "errors": checked.errors(), "warnings": checked.warnings() })));
        } else {
            show::say(&format!("{}\n", checked.summary()));
        }
        let passed = checked.passed();
        // The process ends here: nobody needs the pieces of its trees one by one.
        std::mem::forget(checked);
        if passed { Ok(()) } else { Err(Failure::Shown) }
    }
}

/// What a check found.
pub struct Checked(pub std::result::Result<Compiled, Box<Analysis>>);

impl Checked {
    fn analysis(&self) -> &Analysis {
        match &self.0 {
            Ok(compiled) => &compiled.analysis,
            Err(analysis) => analysis,
        }
    }

    pub fn report(&self) -> Report {
        self.analysis().report(show::colours(), show::width())
    }

    pub fn passed(&self) -> bool {
        self.0.is_ok()
    }

    pub fn errors(&self) -> usize {
        self.count(Severity::Error)
    }

    pub fn warnings(&self) -> usize {
        self.count(Severity::Warning)
    }

    fn count(&self, severity: Severity) -> usize {
        self.analysis().diagnostics.iter().filter(|problem| problem.severity == severity).count()
    }

    /// The last line for people, apart from the report above it.
    pub fn summary(&self) -> String {
        let (errors, warnings) = (self.errors(), self.warnings());
        let apart = if errors + warnings > 0 { "\n" } else { "" };
        format!("{apart}{}", summary(errors, warnings, self.0.as_ref().ok()))
    }
}

impl Check {
    /// The project with its certain repairs, which are written unless only shown.
    fn repaired(&self, opened: &Opened, project: &Project) -> Result<Project> {
        let repaired = lang_compiler::repair(project, &opened.names);
        for made in &repaired.applied {
            let lang_compiler::Applied { file, line, code, message, title } = made;
            if self.json {
                println!(
                    "{}",
                    json!({ "fixed": { "file": file, "line": line, "code": code, "message": message, "title": title } })
                );
            } else if !self.dry_run {
                println!("fixed {file}:{line}: {message} ({code}): {title}");
            }
        }
        for (name, text) in &repaired.changed {
            let before = opened.bundle.files.iter().find(|(other, _)| other == name);
            let before = before.map_or_else(Default::default, |(_, bytes)| String::from_utf8_lossy(bytes));
            if !self.dry_run {
                write::replace(&crate::project::place_of(&self.path, name), text)?;
            } else if self.json {
                println!("{}", json!({ "file": name, "diff": write::diff(name, &before, text) }));
            } else {
                print!("{}", write::diff(name, &before, text));
            }
        }
        if !self.json && !repaired.applied.is_empty() {
            println!();
        }
        Ok(repaired.project)
    }
}

fn summary(errors: usize, warnings: usize, compiled: Option<&Compiled>) -> String {
    let problems = match (errors, warnings) {
        (0, 0) => "no problems".to_owned(),
        (0, warnings) => plural(warnings, "warning"),
        (errors, 0) => plural(errors, "error"),
        (errors, warnings) => format!("{}, {}", plural(errors, "error"), plural(warnings, "warning")),
    };
    match compiled {
        None => problems,
        Some(compiled) => {
            let meta = compiled.program.meta();
            // Those of clauses are nobody's flows.
            let written = meta.flows.iter().filter(|flow| !flow.name.contains('/')).count();
            let written = written.saturating_sub(meta.surveys.len());
            let rooms = [
                (meta.queues.len(), "queue"),
                (meta.surveys.len(), "survey"),
                (meta.cadences.len(), "cadence"),
                (meta.rules.len(), "rule"),
            ];
            let rooms = rooms.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| plural(count, what));
            let rest = [
                plural(meta.sites.len(), "wait"),
                plural(meta.prompts.len(), "prompt"),
                plural(compiled.tests.len(), "test"),
            ];
            let facts: Vec<String> = [plural(written, "flow")].into_iter().chain(rooms).chain(rest).collect();
            format!("{problems}: {} (version {})", facts.join(", "), meta.graph_id.short())
        }
    }
}
