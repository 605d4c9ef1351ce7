//! Frames as small as liveness allows: two variables share a slot when they hold the same class and are never
//! alive together. Gives each site its live map.

use runtime_contract::limits::FRAME_BYTES_MAX;
use runtime_contract::program::LiveSlot;
use runtime_contract::stack::RESULT_AT;
use runtime_contract::types::Class;

use crate::finish::Slot;
use crate::forward::drop_unused;
use crate::frame::first_variable;
use crate::graph::{Graph, Instruction, Segment};
use crate::hash::FxHashMap;
use crate::liveness::{Liveness, Slots, across, liveness, walk};

/// `slots` by flow and by slot from [`RESULT_AT`]. Flows whose frames would be too large are told of.
pub fn lay_out(graph: &mut Graph, slots: &[Vec<Slot>]) -> Vec<String> {
    drop_dead_stores(graph);
    let liveness = liveness(graph);
    let problems = too_much_alive(graph, &liveness);
    if !problems.is_empty() {
        return problems;
    }
    fill_live_maps(graph, slots, &liveness);
    let conflicts = conflicts(graph, slots, &liveness);
    let placed: Vec<_> = (0u32..)
        .zip(slots.iter().zip(&conflicts))
        .map(|(flow, (slots, conflicts))| place(graph, flow, slots, conflicts))
        .collect();
    move_slots(graph, &placed);
    Vec::new()
}

/// By flow, what is alive at one wait alone fills more than a frame: then nothing need be laid out.
fn too_much_alive(graph: &Graph, liveness: &Liveness) -> Vec<String> {
    let words_max = (FRAME_BYTES_MAX / 8) as u32;
    let mut most = vec![0; graph.meta.flows.len()];
    for (id, site) in (0u32..).zip(&graph.meta.sites) {
        let words = liveness.entered.get(site.resume as usize).map_or(0, Slots::count);
        if words > words_max
            && let Some(most) = most.get_mut(site.flow as usize)
        {
            *most = across(&graph.meta, runtime_contract::SiteId(id), &liveness.entered).count().max(*most);
        }
    }
    let flows = graph.meta.flows.iter().zip(most).filter(|(_, words)| *words > words_max);
    flows.map(|(flow, words)| too_large(&flow.name, words)).collect()
}

/// What is said of a flow whose frame has so many words.
pub fn too_large(flow: &str, words: u32) -> String {
    format!("flow {flow}: its variables take {words} words, at most {}", FRAME_BYTES_MAX / 8)
}

fn drop_dead_stores(graph: &mut Graph) {
    let Liveness { entered, always } = liveness(graph);
    let meta = &graph.meta;
    for (id, segment) in graph.segments.iter_mut().enumerate() {
        let flow = meta.segments.get(id).copied().unwrap_or(0);
        let always = always.get(flow as usize).cloned().unwrap_or_default();
        let mut kept: Vec<(usize, usize)> = Vec::new();
        walk(meta, flow, segment, &entered, |block, position, live| {
            if let Some(slot) = stored(segment, block, position)
                && (live.contains(slot) || always.contains(slot))
            {
                kept.push((block, position));
            }
        });
        kept.sort_unstable();
        drop_unused(segment, |block, position| kept.binary_search(&(block, position)).is_ok());
    }
}

fn stored(segment: &Segment, block: usize, position: usize) -> Option<u32> {
    match segment.blocks.get(block)?.instructions.get(position)? {
        Instruction::Store { slot, .. } => Some(*slot),
        _ => None,
    }
}

fn fill_live_maps(graph: &mut Graph, slots: &[Vec<Slot>], liveness: &Liveness) {
    for id in 0..graph.meta.sites.len() as u32 {
        let mut live = across(&graph.meta, runtime_contract::SiteId(id), &liveness.entered);
        let Some(site) = graph.meta.sites.get_mut(id as usize) else { continue };
        liveness.always.get(site.flow as usize).into_iter().for_each(|always| {
            live.unite(always);
        });
        let slots = slots.get(site.flow as usize).map_or(&[][..], Vec::as_slice);
        let named = |slot: u32| slots.get((slot - RESULT_AT) as usize).map(|held| (slot, held));
        site.live = live
            .iter()
            .filter_map(named)
            .map(|(slot, held)| LiveSlot { slot, class: held.class, name: held.name.clone() })
            .collect();
    }
}

/// By flow and by slot of its wide frame, from [`RESULT_AT`]: those that hold something while it is stored. `None`
/// for a slot that is not used.
fn conflicts(graph: &Graph, slots: &[Vec<Slot>], liveness: &Liveness) -> Vec<Vec<Option<Slots>>> {
    let mut conflicts: Vec<Vec<Option<Slots>>> = slots.iter().map(|slots| vec![None; slots.len()]).collect();
    for (segment, flow) in graph.segments.iter().zip(&graph.meta.segments) {
        let Some(conflicts) = conflicts.get_mut(*flow as usize) else { continue };
        walk(&graph.meta, *flow, segment, &liveness.entered, |block, position, live| {
            if let Some(slot) = stored(segment, block, position) {
                add_conflicts(conflicts, slot, live);
            }
        });
        // A load without a store before it reads the zero of a new frame.
        for instruction in segment.blocks.iter().flat_map(|block| &block.instructions) {
            if let Instruction::Load { slot } = instruction {
                add_conflicts(conflicts, *slot, &Slots::default());
            }
        }
    }
    for ((flow, conflicts), always) in graph.meta.flows.iter().zip(&mut conflicts).zip(&liveness.always) {
        let entered = liveness.entered.get(flow.entry_segment as usize).cloned().unwrap_or_default();
        entered.iter().for_each(|slot| add_conflicts(conflicts, slot, &entered));
        let mut all = Slots::default();
        for (entry, slot) in conflicts.iter_mut().zip(RESULT_AT..) {
            if let Some(entry) = entry {
                entry.unite(always);
                all.insert(slot);
            }
        }
        always.iter().for_each(|slot| add_conflicts(conflicts, slot, &all));
    }
    conflicts
}

fn add_conflicts(conflicts: &mut [Option<Slots>], slot: u32, others: &Slots) {
    if let Some(entry) = slot.checked_sub(RESULT_AT).and_then(|at| conflicts.get_mut(at as usize)) {
        entry.get_or_insert_default().unite(others);
    }
}

/// New slot of each variable of the wide frame; sets the frame's size.
fn place(graph: &mut Graph, flow: u32, slots: &[Slot], conflicts: &[Option<Slots>]) -> FxHashMap<u32, u32> {
    struct Taken {
        class: Class,
        holds: Slots,
        conflicts: Slots,
    }
    let first = first_variable(&graph.meta, flow);
    let mut taken: Vec<Taken> = Vec::new();
    let mut placed = FxHashMap::default();
    for ((slot, held), conflicts) in (RESULT_AT..).zip(slots).zip(conflicts) {
        let Some(conflicts) = conflicts else { continue };
        if slot < first {
            continue;
        }
        // Conflicts are noted at the later of two stores only, so both sides are asked.
        let fits = |taken: &Taken| {
            taken.class == held.class && !taken.conflicts.contains(slot) && !taken.holds.meets(conflicts)
        };
        // A frame of so many is refused, so its size does not matter any more.
        let searched = if taken.len() > FRAME_BYTES_MAX / 8 { &[][..] } else { taken.as_slice() };
        let at = searched.iter().position(fits).unwrap_or(taken.len());
        match taken.get_mut(at) {
            Some(taken) => {
                taken.holds.insert(slot);
                taken.conflicts.unite(conflicts);
            }
            None => {
                let mut holds = Slots::default();
                holds.insert(slot);
                taken.push(Taken { class: held.class, holds, conflicts: conflicts.clone() });
            }
        }
        placed.insert(slot, first + at as u32);
    }
    let mailbox_at = first + taken.len() as u32;
    if let Some(meta) = graph.meta.flows.get_mut(flow as usize) {
        let (old, words) = (meta.mailbox_at, meta.frame_words - meta.mailbox_at);
        placed.extend((0..words).map(|at| (old + at, mailbox_at + at)));
        meta.mailbox_at = mailbox_at;
        meta.frame_words = mailbox_at + words;
    }
    placed
}

fn move_slots(graph: &mut Graph, placed: &[FxHashMap<u32, u32>]) {
    let moved = |flow: u32, slot: &mut u32| {
        if let Some(new) = placed.get(flow as usize).and_then(|placed| placed.get(slot)) {
            *slot = *new;
        }
    };
    for (segment, flow) in graph.segments.iter_mut().zip(&graph.meta.segments) {
        for instruction in segment.blocks.iter_mut().flat_map(|block| &mut block.instructions) {
            if let Instruction::Load { slot } | Instruction::Store { slot, .. } = instruction {
                moved(*flow, slot);
            }
        }
    }
    for site in &mut graph.meta.sites {
        site.live.iter_mut().for_each(|live| moved(site.flow, &mut live.slot));
        site.live.sort_unstable_by_key(|live| live.slot);
    }
}
