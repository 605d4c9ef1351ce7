//! Which slots of a frame are read later, along every way on: within a segment, over CONTINUE, over a wait, and
//! by the flow's `fault` and `finally`, which may begin at any instant.

use runtime_contract::drive::result_words;
use runtime_contract::program::{ProgramMeta, SiteId};
use runtime_contract::stack::RESULT_AT;

use crate::frame::width;
use crate::graph::{Block, Graph, Instruction, Segment, Terminator};

/// A set of slots.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Slots(Vec<u64>);

impl Slots {
    pub fn contains(&self, slot: u32) -> bool {
        self.0.get(slot as usize / 64).is_some_and(|word| word >> (slot % 64) & 1 != 0)
    }

    pub fn insert(&mut self, slot: u32) {
        let at = slot as usize / 64;
        if self.0.len() <= at {
            self.0.resize(at + 1, 0);
        }
        if let Some(word) = self.0.get_mut(at) {
            *word |= 1 << (slot % 64);
        }
    }

    pub fn remove(&mut self, slot: u32) {
        if let Some(word) = self.0.get_mut(slot as usize / 64) {
            *word &= !(1 << (slot % 64));
        }
    }

    /// True when that added any.
    pub fn unite(&mut self, other: &Slots) -> bool {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        let mut changed = false;
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            changed |= *more & !*word != 0;
            *word |= more;
        }
        changed
    }

    pub fn retain(&mut self, keep: impl Fn(u32) -> bool) {
        let dropped: Vec<u32> = self.iter().filter(|slot| !keep(*slot)).collect();
        dropped.into_iter().for_each(|slot| self.remove(slot));
    }

    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.0
            .iter()
            .zip(0u32..)
            .flat_map(|(word, at)| (0..64).filter(move |bit| word >> bit & 1 != 0).map(move |bit| at * 64 + bit))
    }
}

pub struct Liveness {
    /// By segment: what is read, before anything is stored there, after it is entered.
    pub entered: Vec<Slots>,
    /// By flow: what `fault` and `finally` read, so that it is alive at every instant of the flow.
    pub always: Vec<Slots>,
}

/// Every index in the graph is in range.
pub fn liveness(graph: &Graph) -> Liveness {
    let mut entered = vec![Slots::default(); graph.segments.len()];
    let mut before: Vec<Vec<usize>> = vec![Vec::new(); graph.segments.len()];
    for (id, segment) in graph.segments.iter().enumerate() {
        for next in segment.blocks.iter().filter_map(|block| next_segment(&graph.meta, &block.terminator)) {
            before.iter_mut().skip(next as usize).take(1).for_each(|list| list.push(id));
        }
    }
    let mut waits = vec![true; graph.segments.len()];
    let mut open: Vec<usize> = (0..graph.segments.len()).collect();
    while let Some(id) = open.pop() {
        let (Some(waiting), Some(segment)) = (waits.get_mut(id), graph.segments.get(id)) else { continue };
        *waiting = false;
        let flow = graph.meta.segments.get(id).copied().unwrap_or(0);
        let live = walk(&graph.meta, flow, segment, &entered, |_, _, _| {});
        if entered.get_mut(id).is_some_and(|known| known.unite(&live)) {
            for other in before.get(id).into_iter().flatten() {
                if let Some(waiting @ false) = waits.get_mut(*other) {
                    *waiting = true;
                    open.push(*other);
                }
            }
        }
    }
    let always = (0..graph.meta.flows.len() as u32).map(|flow| always(&graph.meta, flow, &entered)).collect();
    Liveness { entered, always }
}

fn next_segment(meta: &ProgramMeta, terminator: &Terminator) -> Option<u32> {
    match terminator {
        Terminator::Continue(next) => Some(next.0),
        Terminator::Wait(site) | Terminator::Call(site) => {
            meta.site(*site).filter(|info| !info.payloads.is_empty()).map(|info| info.resume)
        }
        _ => None,
    }
}

fn always(meta: &ProgramMeta, flow: u32, entered: &[Slots]) -> Slots {
    let Some(info) = meta.flow(flow) else { return Slots::default() };
    let mut always = Slots::default();
    for segment in [info.fault_segment, info.finally_segment].into_iter().flatten() {
        entered.get(segment as usize).into_iter().for_each(|live| {
            always.unite(live);
        });
    }
    // A result counts from `return` on only, a payload from the reply on.
    let parameters_at = RESULT_AT + result_words(meta, flow) as u32;
    always.retain(|slot| (parameters_at..info.mailbox_at).contains(&slot));
    always
}

/// Goes backwards through a segment; `visit` sees each store with what is alive after it, as (block, position).
/// Gives what is alive where the segment is entered. What `fault` and `finally` read is not in these sets.
pub fn walk(
    meta: &ProgramMeta,
    flow: u32,
    segment: &Segment,
    entered: &[Slots],
    mut visit: impl FnMut(usize, usize, &Slots),
) -> Slots {
    let mut starts: Vec<Slots> = vec![Slots::default(); segment.blocks.len()];
    for (at, block) in segment.blocks.iter().enumerate().rev() {
        let mut live = leaving(meta, flow, block, entered);
        for edge in block.terminator.edges() {
            starts.get(edge.block.0 as usize).into_iter().for_each(|start| {
                live.unite(start);
            });
        }
        for (position, instruction) in block.instructions.iter().enumerate().rev() {
            match instruction {
                Instruction::Load { slot } => live.insert(*slot),
                Instruction::Store { slot, .. } => {
                    visit(at, position, &live);
                    live.remove(*slot);
                }
                _ => {}
            }
        }
        starts.iter_mut().skip(at).take(1).for_each(|start| *start = std::mem::take(&mut live));
    }
    starts.into_iter().next().unwrap_or_default()
}

/// What is read after the exit at which a block ends.
fn leaving(meta: &ProgramMeta, flow: u32, block: &Block, entered: &[Slots]) -> Slots {
    let mut live = match &block.terminator {
        Terminator::Wait(site) | Terminator::Call(site) => across(meta, *site, entered),
        other => {
            let next = next_segment(meta, other).and_then(|next| entered.get(next as usize));
            next.cloned().unwrap_or_default()
        }
    };
    let read = match &block.terminator {
        Terminator::Wait(site) | Terminator::Call(site) => meta.site(*site).map_or(0..0, |info| {
            let mailbox_at = meta.flow(flow).map_or(0, |flow| flow.mailbox_at);
            mailbox_at..mailbox_at + width(meta, &info.arguments) as u32
        }),
        // In `finally` the result waits for its end; elsewhere an end has none.
        Terminator::Return(_) | Terminator::End => RESULT_AT..RESULT_AT + result_words(meta, flow) as u32,
        _ => 0..0,
    };
    read.for_each(|slot| live.insert(slot));
    live
}

/// What is read after a site was resumed and was in the frame before. The mailbox is the driver's meanwhile.
pub fn across(meta: &ProgramMeta, site: SiteId, entered: &[Slots]) -> Slots {
    let Some(info) = meta.site(site).filter(|info| !info.payloads.is_empty()) else { return Slots::default() };
    let mailbox_at = meta.flow(info.flow).map_or(0, |flow| flow.mailbox_at);
    let mut live = entered.get(info.resume as usize).cloned().unwrap_or_default();
    live.retain(|slot| slot < mailbox_at);
    live
}
