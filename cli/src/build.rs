//! How the server builds a version: check, compile, and the project's own tests; nothing takes calls that did
//! not pass all three.

use std::sync::Arc;

use lang_compiler::{Colours, Engine};
use runtime_contract::Request;
use runtime_contract::program::{Build, Built, Bundle, FlowProgram, ProgramMeta, Report, SiteKind, SiteNames};

use crate::project::of_bundle;
use crate::test::play::{Playing, play};
use crate::test::report::results;

/// Columns of a report that goes to a log or over HTTP.
const REPORT_COLUMNS: usize = 100;

pub struct Compiler {
    pub engine: Engine,
}

impl Build for Compiler {
    fn build(&self, bundle: &Bundle, names: &SiteNames) -> Result<Built, Report> {
        let project = of_bundle(bundle);
        let compiled = lang_compiler::compile(&project, names, self.engine)
            .map_err(|analysis| analysis.report(Colours::Off, REPORT_COLUMNS))?;
        if let Some(report) = not_served(compiled.program.meta()) {
            return Err(report);
        }
        let mut report = compiled.analysis.report(Colours::Off, REPORT_COLUMNS);
        let played = play(&compiled.program, &compiled.tests.iter().collect::<Vec<_>>(), &Playing::default());
        let tests = results(&compiled, &played, false, Colours::Off);
        report.text.push_str(&tests.text);
        report.json.push_str(&tests.json);
        if played.iter().all(|test| test.result.passed()) {
            Ok(Built { program: compiled.program, graph: compiled.graph, report })
        } else {
            Err(report)
        }
    }

    fn load(&self, graph: &[u8]) -> Result<Arc<dyn FlowProgram>, Report> {
        lang_compiler::load(graph, self.engine)
    }
}

/// What compiles and is tested, and what this version does not yet carry out on a real line; where it stands.
fn not_served(meta: &ProgramMeta) -> Option<Report> {
    let mut report = Report::default();
    for site in &meta.sites {
        let construct = match &site.kind {
            SiteKind::Request(Request::Connect(_)) => "connect to",
            SiteKind::Request(Request::Transfer { .. }) => "transfer to",
            _ => continue,
        };
        let file = meta.files.get(site.place.file as usize).map_or("?", String::as_str);
        let (line, column) = (site.place.line, site.place.column);
        let message = format!("`{construct}` cannot be served by this version, only tested");
        let help = "leave it out until then: say a number to call, or take a message by `record`";
        report.text.push_str(&format!("{file}:{line}:{column}: {message}\n  help: {help}\n"));
        let json = serde_json::json!({
            "severity": "error", "message": message, "file": file, "line": line, "column": column, "help": help,
        });
        report.json.push_str(&format!("{json}\n"));
    }
    (!report.text.is_empty()).then_some(report)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]
mod tests {
    use super::*;

    #[test]
    fn what_no_line_carries_out_is_refused_by_name_and_place() {
        let flow = "languages en\n\ninbound \"+86 400 810 0000\" => f\n\nflow f {\n    answer\n    \
                    connect to extension \"107\" else continue\n    \
                    transfer to \"+86 138 0000 0000\" else hang up\n}\n";
        let bundle = Bundle { files: vec![("f.flow".to_owned(), flow.as_bytes().into())] };
        let report = Compiler { engine: Engine::Interpreter }.build(&bundle, &SiteNames::default()).err().unwrap();
        let heads: Vec<&str> = report.text.lines().filter(|line| line.starts_with("f.flow")).collect();
        assert_eq!(
            heads,
            [
                "f.flow:7:5: `connect to` cannot be served by this version, only tested",
                "f.flow:8:5: `transfer to` cannot be served by this version, only tested",
            ]
        );
        assert_eq!(report.json.lines().count(), 2);
    }
}
