//! The programs of the callers who are here: each kept as long as one of them is, and no longer.

use std::sync::Arc;

use crate::FxHashMap;
use runtime_contract::GraphId;
use runtime_contract::program::FlowProgram;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ProgramId(u32);

#[derive(Clone, Default)]
pub(crate) struct Programs {
    slots: Vec<Option<(Arc<dyn FlowProgram>, u32)>>,
    by_graph: FxHashMap<GraphId, ProgramId>,
}

impl Programs {
    pub fn get(&self, id: ProgramId) -> Option<&Arc<dyn FlowProgram>> {
        self.slots.get(id.0 as usize)?.as_ref().map(|(program, _)| program)
    }

    pub fn has(&self, graph: GraphId) -> bool {
        self.by_graph.contains_key(&graph)
    }

    /// One more ticket of it.
    pub fn enter(&mut self, program: &Arc<dyn FlowProgram>) -> ProgramId {
        let graph = program.meta().graph_id;
        let vacant = || self.slots.iter().position(Option::is_none).unwrap_or(self.slots.len()) as u32;
        let id = self.by_graph.get(&graph).copied().unwrap_or_else(|| ProgramId(vacant()));
        self.by_graph.insert(graph, id);
        if self.slots.len() <= id.0 as usize {
            self.slots.push(None);
        }
        if let Some(slot) = self.slots.get_mut(id.0 as usize) {
            slot.get_or_insert_with(|| (program.clone(), 0)).1 += 1;
        }
        id
    }

    /// One ticket less; true when it was the last, and the program is let go.
    pub fn leave(&mut self, id: ProgramId) -> bool {
        let Some(slot) = self.slots.get_mut(id.0 as usize) else { return false };
        let Some((_, tickets)) = slot else { return false };
        *tickets = tickets.saturating_sub(1);
        if *tickets > 0 {
            return false;
        }
        if let Some((program, _)) = slot.take() {
            self.by_graph.remove(&program.meta().graph_id);
        }
        true
    }
}
