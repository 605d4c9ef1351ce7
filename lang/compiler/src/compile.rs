//! From a project, or from a stored graph, to a program that runs.

use std::sync::Arc;

use lang_codegen::Native;
use lang_diagnostics::{Code, Diagnostic, Span};
use lang_flowgraph::lower::{KnownFlows, hir_to_graph, test_to_script};
use lang_flowgraph::marks::Marks;
use lang_flowgraph::serial::from_bytes;
use lang_flowgraph::{Interpreted, Verified, graph_to_text};
use lang_semantics::hir;
use runtime_contract::program::{FlowProgram, Report, SiteNames};
use runtime_contract::script::TestScript;

use crate::analysis::{Analysis, Checker, Known};
use crate::depth::with_room;
use crate::project::Project;

/// What runs a program's segments.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Engine {
    /// Machine code for this processor.
    #[default]
    Native,
    /// Slow and plain; the same answers.
    Interpreter,
}

/// A project that is ready to run.
pub struct Compiled {
    pub program: Arc<dyn FlowProgram>,
    /// The serialised graph, for [`load`].
    pub graph: Arc<[u8]>,
    /// Tests of the project, in the order of files and lines.
    pub tests: Vec<TestScript>,
    /// Warnings, and the sources that they speak of.
    pub analysis: Analysis,
    pub(crate) marks: Marks,
}

/// Without a program, the analysis has at least one error.
pub fn compile(project: &Project, names: &SiteNames, engine: Engine) -> Result<Compiled, Box<Analysis>> {
    with_room(|| graph_and_code(Known::default().analyze(project, names), engine, None))
}

impl Checker {
    /// As [`compile`].
    pub fn compile(&self, project: &Project, names: &SiteNames, engine: Engine) -> Result<Compiled, Box<Analysis>> {
        with_room(|| {
            let mut known = self.known();
            let analysis = known.analyze(project, names);
            graph_and_code(analysis, engine, Some(&mut known.flows))
        })
    }
}

fn graph_and_code(
    mut analysis: Analysis,
    engine: Engine,
    known: Option<&mut KnownFlows>,
) -> Result<Compiled, Box<Analysis>> {
    let Some(program) = analysis.program.take() else { return Err(Box::new(analysis)) };
    let made = hir_to_graph(&program, &analysis.sources, known)
        .and_then(|made| Ok((start(made.graph, engine)?, made.bytes, made.marks)));
    let (running, graph, marks) = match made {
        Ok((running, bytes, marks)) => (running, bytes.into(), marks),
        Err(problems) => {
            analysis.diagnostics.extend(problems.iter().map(|problem| too_large(&program, problem)));
            return Err(Box::new(analysis));
        }
    };
    let tests = program.tests.iter().map(|test| test_to_script(test, &analysis.sources)).collect();
    analysis.program = Some(program);
    Ok(Compiled { program: running, graph, tests, analysis, marks })
}

/// A program from its stored graph: same segments, same sites, same slots.
pub fn load(graph: &[u8], engine: Engine) -> Result<Arc<dyn FlowProgram>, Report> {
    let loaded = from_bytes(graph).map_err(|problem| vec![problem.to_string()]);
    loaded.and_then(|graph| start(graph, engine)).map_err(|problems| Report {
        text: problems.iter().map(|problem| format!("{problem}\n")).collect(),
        json: problems.iter().map(|problem| format!("{}\n", serde_json::json!({ "message": problem }))).collect(),
    })
}

/// A stored graph as text, for people who look into the compiler.
pub fn graph_text(graph: &[u8]) -> Result<String, String> {
    from_bytes(graph).map(|graph| graph_to_text(&graph)).map_err(|problem| problem.to_string())
}

fn start(graph: Verified, engine: Engine) -> Result<Arc<dyn FlowProgram>, Vec<String>> {
    Ok(match engine {
        Engine::Native => Arc::new(Native::compile(graph).map_err(|problem| vec![problem.0])?),
        Engine::Interpreter => Arc::new(Interpreted::new(graph)),
    })
}

/// A bound that the program passes, or a mistake of ours. It names the flow when it has one; the longest name that fits
/// is the right one.
fn too_large(program: &hir::Program, problem: &str) -> Diagnostic {
    let named = program.flows.iter().filter(|flow| problem.contains(&flow.name));
    let flow = named.max_by_key(|flow| flow.name.len()).or(program.flows.first());
    let span = flow.map_or(Span::default(), |flow| flow.span);
    // INVARIANT (bounds are told): whoever finds a bound passed says how much it allows, and only he.
    if problem.contains(", at most ") {
        let message = format!("the program is larger than a call may be: {problem}");
        return Diagnostic::new(Code::WorstCaseTooLong, span, message)
            .help("divide the flow into smaller flows, or let it hold fewer values at once");
    }
    Diagnostic::new(Code::NotYet, span, "the compiler failed on this flow, which may well be right")
        .help("this is a fault of strowger: please report it")
        .note(format!("it says: {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_bound_is_our_fault() {
        let program = hir::Program::default();
        let told = |problem| too_large(&program, problem).code;
        assert_eq!(told("flow desk.main: its variables take 600 words, at most 512"), Code::WorstCaseTooLong);
        assert_eq!(told("flow desk.main: local 0 is not declared"), Code::NotYet);
    }
}
