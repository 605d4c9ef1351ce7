//! Which flows never come back to the flow that runs them: all their paths hang up, reject, or give the call away.

use crate::check::CheckedFlow;
use crate::hir::{Block, StatementKind};
use crate::paths::{After, after_block, has_broken};
use crate::runs::callees_first;

/// Notes at every `run` whether its flow may come back.
pub(crate) fn mark_returns(flows: &mut [Option<CheckedFlow>]) {
    // Of a flow that is broken or in a circle nobody knows; that was told of, and is not told of again where it is run.
    let mut returns = vec![false; flows.len()];
    for flow in callees_first(flows) {
        let Some(checked) = flows.get_mut(flow as usize).and_then(Option::as_mut) else { continue };
        let (is_known, mut comes_back) = (!has_broken(checked), false);
        let parts = checked.hir.steps.iter_mut().map(|step| &mut step.block).chain([&mut checked.hir.top]);
        for block in parts {
            mark(block, &returns, &mut comes_back);
            // A path that does not end was told of; whoever forgot a `return` there is not told more.
            comes_back |= after_block(block) != After::Ends;
        }
        for block in [&mut checked.hir.fault, &mut checked.hir.finally].into_iter().flatten() {
            mark(block, &returns, &mut comes_back);
        }
        if let Some(known) = returns.get_mut(flow as usize) {
            *known = comes_back && is_known;
        }
    }
}

fn mark(block: &mut Block, returns: &[bool], comes_back: &mut bool) {
    for statement in &mut block.statements {
        match &mut statement.kind {
            StatementKind::Return(_) => *comes_back = true,
            StatementKind::Run(run) => run.returns = returns.get(run.flow as usize).copied().unwrap_or(true),
            kind => blocks(kind).into_iter().for_each(|inner| mark(inner, returns, comes_back)),
        }
    }
}

/// The blocks in a statement.
fn blocks(kind: &mut StatementKind) -> Vec<&mut Block> {
    match kind {
        StatementKind::Go(go) => go.bound.iter_mut().map(|bound| &mut bound.otherwise).collect(),
        StatementKind::If { then, otherwise, .. } => vec![then, otherwise],
        StatementKind::Match(found) => found.arms.iter_mut().map(|arm| &mut arm.block).collect(),
        StatementKind::Loop(found) => vec![&mut found.block],
        StatementKind::Menu(menu) => menu.dialogue.arms.iter_mut().map(|arm| &mut arm.block).collect(),
        StatementKind::Ask(ask) => ask.dialogue.arms.iter_mut().map(|arm| &mut arm.block).collect(),
        StatementKind::Record(record) => record.dialogue.arms.iter_mut().map(|arm| &mut arm.block).collect(),
        StatementKind::Service(call) => vec![&mut call.ok, &mut call.failed],
        StatementKind::Connect(connect) => connect.arms.iter_mut().map(|arm| &mut arm.block).collect(),
        StatementKind::Transfer(transfer) => vec![&mut transfer.failed],
        _ => Vec::new(),
    }
}
