//! Which slots of a frame are read later, along every way on: within a segment, over CONTINUE, over a wait, and
//! by the flow's `fault` and `finally`, which may begin at any instant.

use runtime_contract::drive::result_words;
use runtime_contract::program::{ProgramMeta, SiteId};
use runtime_contract::stack::RESULT_AT;
use smallvec::SmallVec;

use crate::frame::width;
use crate::graph::{Block, Graph, Instruction, Segment, Terminator};

/// A set of slots: a bit for each, between the lowest and the highest that it held. Slots that are alive together lie
/// near each other, so a set is small however many slots the frame has.
#[derive(Clone, Debug, Default)]
pub struct Slots {
    /// The first word's bits begin at 64 times this.
    first: usize,
    words: SmallVec<[u64; 2]>,
}

impl Slots {
    fn word(&self, slot: u32) -> Option<usize> {
        (slot as usize / 64).checked_sub(self.first)
    }

    pub fn contains(&self, slot: u32) -> bool {
        let word = self.word(slot).and_then(|at| self.words.get(at));
        word.is_some_and(|word| word >> (slot % 64) & 1 != 0)
    }

    /// Makes room for these words.
    fn reach(&mut self, from: usize, to: usize) {
        if self.words.is_empty() {
            self.first = from;
        }
        if from < self.first {
            self.words.insert_many(0, std::iter::repeat_n(0, self.first - from));
            self.first = from;
        }
        if self.words.len() < to - self.first {
            self.words.resize(to - self.first, 0);
        }
    }

    pub fn insert(&mut self, slot: u32) {
        let at = slot as usize / 64;
        self.reach(at, at + 1);
        if let Some(word) = self.words.get_mut(at - self.first) {
            *word |= 1 << (slot % 64);
        }
    }

    pub fn remove(&mut self, slot: u32) {
        if let Some(word) = self.word(slot).and_then(|at| self.words.get_mut(at)) {
            *word &= !(1 << (slot % 64));
        }
    }

    /// Words that hold any, each with its place.
    fn held(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        (self.first..).zip(&self.words).filter(|(_, word)| **word != 0).map(|(at, word)| (at, *word))
    }

    /// True when that added any.
    pub fn unite(&mut self, other: &Slots) -> bool {
        let last = (other.first..other.first + other.words.len()).zip(&other.words).rev().find(|(_, word)| **word != 0);
        let (Some((from, _)), Some((last, _))) = (other.held().next(), last) else { return false };
        self.reach(from, last + 1);
        let mut changed = false;
        for (at, more) in other.held() {
            if let Some(word) = self.words.get_mut(at - self.first) {
                changed |= more & !*word != 0;
                *word |= more;
            }
        }
        changed
    }

    /// Keeps only those below.
    pub fn truncate(&mut self, end: u32) {
        let at = end as usize / 64;
        self.words.truncate((at + 1).saturating_sub(self.first));
        if let Some(last) = self.word(end).and_then(|at| self.words.get_mut(at)) {
            *last &= (1 << (end % 64)) - 1;
        }
    }

    pub fn meets(&self, other: &Slots) -> bool {
        let from = self.first.max(other.first);
        let (own, others) = (self.words.iter().skip(from - self.first), other.words.iter().skip(from - other.first));
        own.zip(others).any(|(a, b)| a & b != 0)
    }

    pub fn count(&self) -> u32 {
        self.words.iter().map(|word| word.count_ones()).sum()
    }

    /// In rising order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.held().flat_map(|(at, word)| {
            let mut left = word;
            std::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros())?;
                left &= left - 1;
                Some(at as u32 * 64 + bit)
            })
        })
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
    let mut after: Vec<Vec<usize>> = vec![Vec::new(); graph.segments.len()];
    for ((id, segment), after) in graph.segments.iter().enumerate().zip(&mut after) {
        for next in segment.blocks.iter().filter_map(|block| next_segment(&graph.meta, &block.terminator)) {
            after.push(next as usize);
            before.iter_mut().skip(next as usize).take(1).for_each(|list| list.push(id));
        }
    }
    let mut waits = vec![true; graph.segments.len()];
    let mut open = before_those_that_follow(&after);
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

/// Every segment; each that does not lie on a circle stands before those that it leads to, so that it is taken after
/// them from the end.
fn before_those_that_follow(after: &[Vec<usize>]) -> Vec<usize> {
    let mut seen = vec![false; after.len()];
    let mut order = Vec::with_capacity(after.len());
    let mut path: Vec<(usize, usize)> = Vec::new();
    for first in 0..after.len() {
        path.push((first, 0));
        while let Some((id, next)) = path.pop() {
            if next == 0 && seen.get_mut(id).is_none_or(|seen| std::mem::replace(seen, true)) {
                continue;
            }
            match after.get(id).and_then(|after| after.get(next)) {
                Some(follows) => {
                    path.push((id, next + 1));
                    path.push((*follows, 0));
                }
                None => order.push(id),
            }
        }
    }
    order.reverse();
    order
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
    always.truncate(info.mailbox_at);
    (0..parameters_at).for_each(|slot| always.remove(slot));
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
    live.truncate(mailbox_at);
    live
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// SplitMix64.
    fn word(state: &mut u64) -> u64 {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = *state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    #[test]
    fn slots_are_a_set() {
        for seed in 0..200 {
            let mut state = seed;
            let mut sets: Vec<(Slots, BTreeSet<u32>)> = vec![Default::default(); 3];
            for _ in 0..60 {
                let slot = 64 * (word(&mut state) % 40) as u32 + (word(&mut state) % 3) as u32 * 31;
                let (one, two) = ((word(&mut state) % 3) as usize, (word(&mut state) % 3) as usize);
                let (other, others) = sets[two].clone();
                let (slots, expected) = &mut sets[one];
                match word(&mut state) % 8 {
                    0..4 => {
                        slots.insert(slot);
                        expected.insert(slot);
                    }
                    4 => {
                        slots.remove(slot);
                        expected.remove(&slot);
                    }
                    5 => {
                        slots.truncate(slot);
                        expected.retain(|known| *known < slot);
                    }
                    _ => {
                        let more = !others.is_subset(expected);
                        assert_eq!(slots.unite(&other), more, "seed {seed}");
                        expected.extend(&others);
                    }
                }
                assert!(slots.iter().eq(expected.iter().copied()), "seed {seed}: {slots:?} {expected:?}");
                assert_eq!(slots.count() as usize, expected.len(), "seed {seed}");
                assert_eq!(slots.contains(slot), expected.contains(&slot), "seed {seed}");
                assert_eq!(slots.meets(&other), !expected.is_disjoint(&others), "seed {seed}");
            }
        }
    }
}
