//! `strowger check`: all problems of a project, and when there are none, what it holds.

use std::path::PathBuf;

use clap::Args;
use lang_compiler::{Engine, Severity};
use serde_json::json;

use crate::show::{self, Failure, Result};

#[derive(Args)]
pub struct Check {
    /// A project's folder, or one `.flow` file
    #[arg(default_value = ".")]
    path: PathBuf,
    /// One JSON object for each problem, then one with the counts
    #[arg(long)]
    json: bool,
}

impl Check {
    pub fn run(&self) -> Result {
        let opened = crate::project::open(&self.path)?;
        let project = crate::project::to_check(&opened.bundle);
        // The same graph and the same problems; nothing is run, so no machine code is made.
        let compiled = lang_compiler::compile(&project, &opened.names, Engine::Interpreter);
        let analysis = match &compiled {
            Ok(compiled) => &compiled.analysis,
            Err(analysis) => analysis.as_ref(),
        };
        show::print(&analysis.report(show::colours(), show::width()), self.json);
        let count = |severity| analysis.diagnostics.iter().filter(|d| d.severity == severity).count();
        let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
        if self.json {
            println!("{}", json!({ "errors": errors, "warnings": warnings }));
        } else {
            println!(
                "{}{}",
                if errors + warnings > 0 { "\n" } else { "" },
                summary(errors, warnings, compiled.as_ref().ok())
            );
        }
        if compiled.is_ok() { Ok(()) } else { Err(Failure::Shown) }
    }
}

fn summary(errors: usize, warnings: usize, compiled: Option<&lang_compiler::Compiled>) -> String {
    let plural = |n: usize, one: &str| format!("{n} {one}{}", if n == 1 { "" } else { "s" });
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
            format!(
                "{problems}: {}, {}, {}, {} (version {})",
                plural(meta.flows.len(), "flow"),
                plural(meta.sites.len(), "wait"),
                plural(meta.prompts.len(), "prompt"),
                plural(compiled.tests.len(), "test"),
                meta.graph_id.short()
            )
        }
    }
}
