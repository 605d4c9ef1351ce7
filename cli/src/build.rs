//! How the server builds a version: check, compile, and the project's own tests; nothing takes calls that did
//! not pass all three.

use std::sync::Arc;

use lang_compiler::{Colours, Engine};
use runtime_contract::program::{Build, Built, Bundle, FlowProgram, Report, SiteNames};

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
