//! The bodies of flows, each behind those that it runs: so it is known at every `run` whether its flow may come back.
//!
//! A flow never comes back whose paths all hang up, reject or give the call away. Which flow runs which is read off the
//! syntax, before anything is checked.

use lang_syntax::ast::{self, LetValue, MatchSubject, StatementKind as Ast};

use crate::check::{CheckedFlow, Origin, check_flow};
use crate::hir::{Block, StatementKind};
use crate::paths::{After, after, after_block, has_broken};
use crate::problems::Problems;
use crate::project::{Def, FlowInfo, Project};
use crate::runs::callees_first;

/// All flows by their index, and their order with callees first.
pub(crate) fn check_flows(project: &Project<'_>, problems: &mut Problems) -> (Vec<Option<CheckedFlow>>, Vec<u32>) {
    let callees: Vec<Vec<u32>> = project.flows.iter().map(|info| callees(project, info)).collect();
    let order = callees_first(&callees);
    let mut flows: Vec<Option<CheckedFlow>> = callees.iter().map(|_| None).collect();
    // Of a flow that is broken or in a circle nobody knows; that was told of, and is not told of again where it is run.
    let mut returns: Vec<Option<bool>> = vec![None; flows.len()];
    let mut results = vec![Origin::default(); flows.len()];
    for flow in &order {
        let checked = check_flow(project, *flow, (&returns, &results), problems);
        if let Some(place) = returns.get_mut(*flow as usize) {
            *place = checked.as_ref().and_then(comes_back);
        }
        if let (Some(place), Some(checked)) = (results.get_mut(*flow as usize), &checked) {
            *place = checked.result.clone();
        }
        if let Some(place) = flows.get_mut(*flow as usize) {
            *place = checked;
        }
    }
    (flows, order)
}

/// Whether a call may come back from a flow; `None` where nobody knows.
pub(crate) fn comes_back(flow: &CheckedFlow) -> Option<bool> {
    let blocks = || flow.hir.steps.iter().map(|step| &step.block).chain([&flow.hir.top]);
    let handlers = [&flow.hir.fault, &flow.hir.finally].into_iter().flatten();
    let is_known = !has_broken(flow) && blocks().chain(handlers.clone()).all(knows_all_runs);
    // A path that does not end was told of; whoever forgot a `return` there is not told more.
    let comes_back =
        || blocks().any(|block| after_block(block) != After::Ends) || blocks().chain(handlers).any(gives_back);
    is_known.then(comes_back)
}

fn knows_all_runs(block: &Block) -> bool {
    block.statements.iter().all(|statement| match &statement.kind {
        StatementKind::Run(run) if run.hangup.is_none() => run.returns.is_some(),
        _ => statement.blocks().into_iter().all(knows_all_runs),
    })
}

/// Whether a `return` stands before the end of the block.
fn gives_back(block: &Block) -> bool {
    for statement in &block.statements {
        let is_return = matches!(statement.kind, StatementKind::Return(_));
        if is_return || statement.blocks().into_iter().any(gives_back) {
            return true;
        }
        if after(statement) == After::Ends {
            return false;
        }
    }
    false
}

/// The flows that a flow runs, as far as their names lead to any.
fn callees(project: &Project<'_>, info: &FlowInfo<'_>) -> Vec<u32> {
    let handlers = [&info.item.fault, &info.item.finally].into_iter().flatten().map(|handler| &handler.body);
    let blocks = info.item.steps.iter().map(|step| &step.body).chain(handlers);
    let mut paths = Vec::new();
    for statements in blocks.map(|block| &block.statements).chain([&info.item.top]) {
        paths_run(statements, &mut paths);
    }
    let flow = |path: &ast::Path| {
        let names: Vec<&str> = path.names.iter().map(|name| name.text.as_str()).collect();
        match project.reach(info.module, &names).map(|reached| (reached.def, reached.names)) {
            Some((Def::Flow(flow), length)) if length == names.len() => Some(flow),
            _ => None,
        }
    };
    paths.into_iter().filter_map(flow).collect()
}

fn paths_run<'s>(statements: &'s [ast::Statement], found: &mut Vec<&'s ast::Path>) {
    for statement in statements {
        match &statement.kind {
            Ast::Run(run) | Ast::Let { value: LetValue::Run(run), .. } => found.push(&run.flow),
            Ast::Match(of) | Ast::Let { value: LetValue::Match(of), .. } => {
                if let MatchSubject::Run(run) = &of.subject {
                    found.push(&run.flow);
                }
                of.arms.list.iter().for_each(|arm| paths_run(&arm.body.statements, found));
            }
            Ast::Let { value: LetValue::Ask(ast::Ask { dialogue, .. }), .. }
            | Ast::Let { value: LetValue::Record(ast::Record { dialogue, .. }), .. }
            | Ast::Menu(dialogue) => dialogue.arms.iter().for_each(|arm| paths_run(&arm.body.statements, found)),
            Ast::Queue { arms: Some(arms), .. }
            | Ast::Connect { arms: Some(arms), .. }
            | Ast::Transfer { arms: Some(arms), .. } => {
                arms.list.iter().for_each(|arm| paths_run(&arm.body.statements, found));
            }
            Ast::If { then: block, .. }
            | Ast::Unless { then: block, .. }
            | Ast::OnVoice { then: block }
            | Ast::Repeat { body: block, .. }
            | Ast::For { body: block, .. } => paths_run(&block.statements, found),
            _ => {}
        }
        if let Some(otherwise) = &statement.otherwise {
            paths_run(&otherwise.body.statements, found);
        }
    }
}
