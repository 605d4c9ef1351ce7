//! From meaning to segments: [`hir_to_graph`]. Every wait ends a segment and every step begins one; what stands behind
//! branches that end in several segments begins one too. It decides nothing: it takes only programs without problems.

mod compare;
mod dialogue;
mod expression;
mod flow;
mod known;
mod list;
mod matching;
mod request;
mod script;
mod statement;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use lang_diagnostics::Sources;
use lang_semantics::hir;
use runtime_contract::cadence::Cadence;
use runtime_contract::program::{FlowMeta, Parameter, ProgramMeta};
use runtime_contract::queue::Queue;
use runtime_contract::rule::Rule;
use runtime_contract::survey::Survey;

use crate::builder::{GraphBuilder, declared};
use crate::finish::{Finished, Part, part, seal};
use crate::graph::FlowId;
use crate::link::link;
use crate::parallel;

pub use known::KnownFlows;
pub use script::test_to_script;

/// The program of a tree that [`lang_semantics::analyze`] gave, and the marks of its parts and arms. Flows that are as
/// they were the last time are taken from what is `known`. An error is a bound that the program passes (segments,
/// frame, stack), or our mistake.
pub fn hir_to_graph(
    program: &hir::Program,
    sources: &Sources,
    known: Option<&mut KnownFlows>,
) -> Result<Finished, Vec<String>> {
    let inbounds = program.inbounds.iter();
    // Every flow is declared before any body, since a `run` names its flow's parameters and result.
    let tables = Arc::new(ProgramMeta {
        languages: program.languages.clone(),
        types: program.types.clone().into(),
        prompts: program.prompts.clone(),
        services: program.services.clone(),
        hours: program.hours.clone(),
        inbounds: inbounds.map(|i| i.address.clone()).collect(),
        skills: program.skills.clone(),
        queues: program.queues.iter().map(|queue| queue_table(queue, sources)).collect(),
        cadences: program.cadences.iter().map(|cadence| cadence_table(cadence, sources)).collect(),
        rules: program.rules.iter().map(|rule| rule_table(rule, sources)).collect(),
        surveys: program.surveys.iter().map(|survey| survey_table(survey, sources)).collect(),
        flows: program.flows.iter().map(declare).collect(),
        files: files(sources),
        ..ProgramMeta::default()
    });
    let code = |flow: u32, tree: &hir::Flow| {
        let mut graph = GraphBuilder::of_flow(&tables, flow, &tree.prompts);
        flow::lower(&mut graph, program, sources, FlowId(0), tree);
        let named = |problem: String| match problem.contains(&tree.name) {
            true => problem,
            false => format!("flow {}: {problem}", tree.name),
        };
        let part = part(graph).map_err(|problems| problems.into_iter().map(named).collect());
        part.map(|mut part: Part| {
            // The linked graph has those of the program; a copy for each flow would be kept as long as its code.
            part.graph.meta.types = Arc::default();
            part.graph.meta.prompts.clear();
            Arc::new(part)
        })
    };
    let parts = match known {
        Some(known) => known.parts(&tables, &program.flows, code)?,
        None => in_order(parallel::map(&program.flows, 1, |flow, tree| code(flow as u32, tree)))?,
    };
    let (graph, marks) =
        link(Arc::unwrap_or_clone(tables), parts, |flow| program.flows.get(flow).map_or(&[], |tree| &tree.prompts));
    seal(graph, marks)
}

/// All answers, or all problems.
fn in_order(parts: Vec<Result<Arc<Part>, Vec<String>>>) -> Result<Vec<Arc<Part>>, Vec<String>> {
    let mut problems = Vec::new();
    let parts: Vec<_> =
        parts.into_iter().filter_map(|part| part.map_err(|found| problems.extend(found)).ok()).collect();
    if problems.is_empty() { Ok(parts) } else { Err(problems) }
}

fn queue_table(queue: &hir::Queue, sources: &Sources) -> Queue {
    Queue { place: script::place(sources, queue.span), ..queue.table.clone() }
}

fn cadence_table(cadence: &hir::Cadence, sources: &Sources) -> Cadence {
    Cadence { place: script::place(sources, cadence.span), ..cadence.table.clone() }
}

fn rule_table(rule: &hir::Rule, sources: &Sources) -> Rule {
    let words: Vec<&str> = sources.slice(rule.span).split_whitespace().collect();
    Rule { head: words.join(" "), place: script::place(sources, rule.span), ..rule.rule.clone() }
}

fn survey_table(survey: &hir::Survey, sources: &Sources) -> Survey {
    Survey { place: script::place(sources, survey.span), ..survey.table.clone() }
}

fn declare(flow: &hir::Flow) -> FlowMeta {
    let parameters = flow.locals.iter().take(flow.parameters as usize);
    let parameters = parameters.map(|local| Parameter { name: local.name.clone(), r#type: local.ty.clone() });
    FlowMeta { is_attempt: flow.is_attempt, ..declared(&flow.name, parameters.collect(), flow.result.clone()) }
}

fn files(sources: &Sources) -> Vec<String> {
    sources.files().map(|(_, source)| source.path().to_owned()).collect()
}
