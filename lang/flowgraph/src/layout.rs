//! Frames as small as liveness allows: two variables share a slot when they hold the same class and are never
//! alive together. Gives each site its live map.

use std::collections::HashMap;

use runtime_contract::program::LiveSlot;
use runtime_contract::stack::RESULT_AT;
use runtime_contract::types::Class;

use crate::finish::Slot;
use crate::forward::drop_unused;
use crate::frame::first_variable;
use crate::graph::{Graph, Instruction, Segment};
use crate::liveness::{Liveness, Slots, across, liveness, walk};

/// `slots` by flow and by slot from [`RESULT_AT`].
pub fn lay_out(graph: &mut Graph, slots: &[Vec<Slot>]) {
    drop_dead_stores(graph);
    let liveness = liveness(graph);
    fill_live_maps(graph, slots, &liveness);
    for (flow, slots) in slots.iter().enumerate() {
        let conflicts = conflicts(graph, flow as u32, slots, &liveness);
        let placed = place(graph, flow as u32, slots, &conflicts);
        move_slots(graph, flow as u32, &placed);
    }
}

fn drop_dead_stores(graph: &mut Graph) {
    let Liveness { entered, always } = liveness(graph);
    let meta = &graph.meta;
    for (segment, flow) in graph.segments.iter_mut().zip(&meta.segments) {
        let always = always.get(*flow as usize).cloned().unwrap_or_default();
        let mut kept: Vec<(usize, usize)> = Vec::new();
        walk(meta, *flow, segment, &entered, |block, position, live| {
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

/// For each used slot of the wide frame, those that hold something while it is stored.
fn conflicts(graph: &Graph, flow: u32, slots: &[Slot], liveness: &Liveness) -> Vec<Option<Slots>> {
    let mut conflicts: Vec<Option<Slots>> = vec![None; slots.len()];
    let always = liveness.always.get(flow as usize).cloned().unwrap_or_default();
    let mut add = |slot: u32, others: &Slots| {
        if let Some(entry) = slot.checked_sub(RESULT_AT).and_then(|at| conflicts.get_mut(at as usize)) {
            let entry = entry.get_or_insert_default();
            entry.unite(others);
        }
    };
    let meta = &graph.meta;
    for (segment, _) in graph.segments.iter().zip(&meta.segments).filter(|(_, owner)| **owner == flow) {
        walk(meta, flow, segment, &liveness.entered, |block, position, live| {
            if let Some(slot) = stored(segment, block, position) {
                add(slot, live);
            }
        });
        // A load without a store before it reads the zero of a new frame.
        for instruction in segment.blocks.iter().flat_map(|block| &block.instructions) {
            if let Instruction::Load { slot } = instruction {
                add(*slot, &Slots::default());
            }
        }
    }
    let entry = meta.flow(flow).and_then(|flow| liveness.entered.get(flow.entry_segment as usize));
    let entered = entry.cloned().unwrap_or_default();
    entered.iter().for_each(|slot| add(slot, &entered));
    let used: Vec<u32> =
        conflicts.iter().zip(RESULT_AT..).filter(|(entry, _)| entry.is_some()).map(|(_, slot)| slot).collect();
    let mut all = Slots::default();
    used.iter().for_each(|slot| all.insert(*slot));
    for entry in conflicts.iter_mut().flatten() {
        entry.unite(&always);
    }
    for slot in always.iter() {
        if let Some(entry) = slot.checked_sub(RESULT_AT).and_then(|at| conflicts.get_mut(at as usize)) {
            *entry = Some(all.clone());
        }
    }
    conflicts
}

/// New slot of each variable of the wide frame; sets the frame's size.
fn place(graph: &mut Graph, flow: u32, slots: &[Slot], conflicts: &[Option<Slots>]) -> HashMap<u32, u32> {
    struct Taken {
        class: Class,
        holds: Vec<u32>,
        conflicts: Slots,
    }
    let first = first_variable(&graph.meta, flow);
    let mut taken: Vec<Taken> = Vec::new();
    let mut placed = HashMap::new();
    for ((slot, held), conflicts) in (RESULT_AT..).zip(slots).zip(conflicts) {
        let Some(conflicts) = conflicts else { continue };
        if slot < first {
            continue;
        }
        // Conflicts are noted at the later of two stores only, so both sides are asked.
        let fits = |taken: &Taken| {
            taken.class == held.class
                && !taken.conflicts.contains(slot)
                && !taken.holds.iter().any(|other| conflicts.contains(*other))
        };
        let at = taken.iter().position(fits).unwrap_or(taken.len());
        match taken.get_mut(at) {
            Some(taken) => {
                taken.holds.push(slot);
                taken.conflicts.unite(conflicts);
            }
            None => taken.push(Taken { class: held.class, holds: vec![slot], conflicts: conflicts.clone() }),
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

fn move_slots(graph: &mut Graph, flow: u32, placed: &HashMap<u32, u32>) {
    let moved = |slot: &mut u32| {
        if let Some(new) = placed.get(slot) {
            *slot = *new;
        }
    };
    for (segment, _) in graph.segments.iter_mut().zip(&graph.meta.segments).filter(|(_, owner)| **owner == flow) {
        for instruction in segment.blocks.iter_mut().flat_map(|block| &mut block.instructions) {
            if let Instruction::Load { slot } | Instruction::Store { slot, .. } = instruction {
                moved(slot);
            }
        }
    }
    for site in graph.meta.sites.iter_mut().filter(|site| site.flow == flow) {
        site.live.iter_mut().for_each(|live| moved(&mut live.slot));
        site.live.sort_unstable_by_key(|live| live.slot);
    }
}
