//! From meaning to segments: [`hir_to_graph`]. Every wait ends a segment and every step begins one; what stands behind
//! branches that end in several segments begins one too. It decides nothing: it takes only programs without problems.

mod compare;
mod dialogue;
mod expression;
mod flow;
mod list;
mod matching;
mod request;
mod script;
mod statement;
#[cfg(test)]
mod tests;

use lang_diagnostics::Sources;
use lang_semantics::hir;
use runtime_contract::program::{Parameter, ProgramMeta};

use crate::builder::GraphBuilder;
use crate::finish::Finished;
use crate::graph::FlowId;

pub use script::test_to_script;

/// The program of a tree that [`lang_semantics::analyze`] gave, and the marks of its parts and arms. An error is a bound that the program passes (segments,
/// frame, stack), or our mistake.
pub fn hir_to_graph(program: &hir::Program, sources: &Sources) -> Result<Finished, Vec<String>> {
    let inbounds = program.inbounds.iter();
    let mut graph = GraphBuilder::new(ProgramMeta {
        languages: program.languages.clone(),
        types: program.types.clone(),
        prompts: program.prompts.clone(),
        services: program.services.clone(),
        hours: program.hours.clone(),
        inbounds: inbounds.map(|i| i.address.clone()).collect(),
        files: files(sources),
        ..ProgramMeta::default()
    });
    // All flows are declared before any body, since a `run` names its flow's parameters and result.
    let ids: Vec<FlowId> = program.flows.iter().map(|flow| declare(&mut graph, flow)).collect();
    for (id, flow) in ids.into_iter().zip(&program.flows) {
        flow::lower(&mut graph, program, sources, id, flow);
    }
    graph.finish_whole()
}

fn declare(graph: &mut GraphBuilder, flow: &hir::Flow) -> FlowId {
    let parameters = flow.locals.iter().take(flow.parameters as usize);
    let parameters = parameters.map(|local| Parameter { name: local.name.clone(), r#type: local.ty.clone() });
    graph.flow(&flow.name, parameters.collect(), flow.result.clone())
}

fn files(sources: &Sources) -> Vec<String> {
    sources.files().map(|(_, source)| source.path().to_owned()).collect()
}
