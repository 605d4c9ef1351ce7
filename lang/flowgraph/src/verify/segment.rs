//! The code: words are defined before they are used, edges fit and lead on, slots lie in the frame, indices in
//! their tables; and what is read after a wait is in the live map of its site.

use runtime_contract::host::HostCall;
use runtime_contract::program::{ProgramMeta, SiteId, SiteKind};
use runtime_contract::stack::RESULT_AT;

use super::Problems;
use crate::frame::width;
use crate::graph::{Block, Graph, Instruction, Segment, Terminator, Word};
use crate::liveness::{across, liveness};
use crate::parallel;

/// Blocks of one segment; the checks take time in proportion to their square at worst.
pub const BLOCKS_MAX: usize = 4096;
/// That a thread checks before it asks for more; fewer are done sooner than a thread begins.
pub const SEGMENTS_AT_ONCE: usize = 256;

pub fn check(graph: &Graph, problems: &mut Problems) {
    let found = parallel::map(&graph.segments, SEGMENTS_AT_ONCE, |id, segment| {
        let mut problems = Problems::default();
        let flow = graph.meta.segments.get(id).copied();
        if let Some((flow, frame)) = flow.and_then(|flow| Some((flow, graph.meta.flow(flow)?))) {
            let mut check = Check {
                meta: &graph.meta,
                id: id as u32,
                flow,
                frame_words: frame.frame_words,
                segment,
                dominators: dominators(segment),
                defined_in: Vec::new(),
                constants: Vec::new(),
                problems: &mut problems,
            };
            check.segment();
        }
        problems.0
    });
    found.into_iter().flatten().for_each(|problem| problems.add(problem));
}

/// What is said of segments with too many blocks; the passes before the verifier need not be tried on them.
pub fn too_many_blocks(graph: &Graph) -> Vec<String> {
    let large =
        graph.segments.iter().zip(&graph.meta.segments).filter(|(segment, _)| segment.blocks.len() > BLOCKS_MAX);
    large
        .map(|(segment, flow)| {
            let name = graph.meta.flow(*flow).map_or("?", |flow| &flow.name);
            format!("flow {name}: {} blocks between two waits, at most {BLOCKS_MAX}", segment.blocks.len())
        })
        .collect()
}

struct Check<'a> {
    meta: &'a ProgramMeta,
    id: u32,
    flow: u32,
    frame_words: u32,
    segment: &'a Segment,
    /// Of each block, the nearest block that all ways to it pass; `None` where no way leads.
    dominators: Vec<Option<u32>>,
    /// Of each word so far, its block.
    defined_in: Vec<u32>,
    /// Of each word so far, its value when it is a constant.
    constants: Vec<Option<u64>>,
    problems: &'a mut Problems,
}

/// In one pass, because edges lead to higher indices only.
fn dominators(segment: &Segment) -> Vec<Option<u32>> {
    let mut dominators: Vec<Option<u32>> = vec![None; segment.blocks.len()];
    dominators.iter_mut().take(1).for_each(|entry| *entry = Some(0));
    for (at, block) in (0u32..).zip(&segment.blocks) {
        if dominators.get(at as usize).copied().flatten().is_none() {
            continue;
        }
        for edge in block.terminator.edges() {
            let to = edge.block.0 as usize;
            if to <= at as usize || to >= segment.blocks.len() {
                continue;
            }
            let common = match dominators.get(to).copied().flatten() {
                None => at,
                Some(known) => common_dominator(&dominators, known, at),
            };
            dominators.iter_mut().skip(to).take(1).for_each(|entry| *entry = Some(common));
        }
    }
    dominators
}

fn common_dominator(dominators: &[Option<u32>], mut a: u32, mut b: u32) -> u32 {
    while a != b {
        let higher = if a > b { &mut a } else { &mut b };
        *higher = dominators.get(*higher as usize).copied().flatten().unwrap_or(0);
    }
    a
}

impl Check<'_> {
    fn problem(&mut self, block: usize, problem: impl std::fmt::Display) {
        self.problems.add(format!("segment {} block {block}: {problem}", self.id));
    }

    fn segment(&mut self) {
        if self.is_connected() {
            for (at, block) in self.segment.blocks.iter().enumerate() {
                self.block(at, block);
            }
        }
    }

    /// Every block is reached, and handed as many words as it has parameters: so no count is larger than what
    /// the graph spells out.
    fn is_connected(&mut self) -> bool {
        let blocks = &self.segment.blocks;
        if blocks.len() > BLOCKS_MAX {
            self.problem(0, format!("{} blocks, at most {BLOCKS_MAX}", blocks.len()));
            return false;
        }
        let mut connected = true;
        let mut expect = |check: &mut Self, holds: bool, at: usize, problem: &str| {
            if !holds {
                check.problem(at, problem);
                connected = false;
            }
        };
        let entry = blocks.first().map(|entry| entry.parameters);
        expect(self, entry == Some(1), 0, "the entry's one parameter is the outcome");
        for (at, block) in blocks.iter().enumerate() {
            let is_reached = self.dominators.get(at).copied().flatten().is_some();
            expect(self, is_reached, at, "no way leads here");
            for edge in block.terminator.edges() {
                let to = blocks.get(edge.block.0 as usize).filter(|_| edge.block.0 as usize > at);
                let words = to.map(|to| to.parameters as usize);
                expect(self, words == Some(edge.arguments.len()), at, "an edge leads back, or hands over too little");
            }
        }
        connected
    }

    fn block(&mut self, at: usize, block: &Block) {
        (0..block.parameters).for_each(|_| self.define(at, None));
        for instruction in &block.instructions {
            instruction.for_each_operand(|word| self.operand(at, word));
            self.instruction(at, instruction);
            let constant = match instruction {
                Instruction::Constant(value) => Some(*value),
                _ => None,
            };
            (0..instruction.results()).for_each(|_| self.define(at, constant));
        }
        block.terminator.for_each_operand(|word| self.operand(at, word));
        self.terminator(at, &block.terminator);
    }

    fn define(&mut self, block: usize, constant: Option<u64>) {
        self.defined_in.push(block as u32);
        self.constants.push(constant);
    }

    fn operand(&mut self, at: usize, word: Word) {
        let Some(home) = self.defined_in.get(word.0 as usize).copied() else {
            return self.problem(at, format!("word {} is used before it is defined", word.0));
        };
        let mut block = at as u32;
        while block > home {
            block = self.dominators.get(block as usize).copied().flatten().unwrap_or(0);
        }
        if block != home {
            self.problem(at, format!("word {} is not defined on every way here", word.0));
        }
    }

    fn instruction(&mut self, at: usize, instruction: &Instruction) {
        if let Some(place) = instruction.place().filter(|place| *place as usize >= self.meta.fault_places.len()) {
            self.problem(at, format!("no fault place {place}"));
        }
        match instruction {
            Instruction::Load { slot } | Instruction::Store { slot, .. }
                if !(RESULT_AT..self.frame_words).contains(slot) =>
            {
                self.problem(at, format!("slot {slot} is not one of the frame's"));
            }
            Instruction::Text(index) if *index as usize >= self.meta.constants.len() => {
                self.problem(at, format!("no constant {index}"));
            }
            Instruction::Host { call, arguments, .. } if arguments.len() != call.arity().0 => {
                self.problem(at, format!("{call:?} with {} words", arguments.len()));
            }
            Instruction::Host { call: HostCall::HoursOpen, arguments, .. } => {
                let first = arguments.first().and_then(|word| self.constants.get(word.0 as usize));
                match first.copied().flatten() {
                    Some(hours) if (hours as usize) < self.meta.hours.len() => {}
                    other => self.problem(at, format!("no hours {other:?}")),
                }
            }
            _ => {}
        }
    }

    fn terminator(&mut self, at: usize, terminator: &Terminator) {
        match terminator {
            Terminator::Wait(site) => self.site(at, *site, |kind| matches!(kind, SiteKind::Request(_))),
            Terminator::Call(site) => self.site(at, *site, |kind| matches!(kind, SiteKind::Run { .. })),
            Terminator::Continue(next) if self.meta.segments.get(next.0 as usize) != Some(&self.flow) => {
                self.problem(at, format!("segment {} is not one of this flow", next.0));
            }
            Terminator::Fault { place, .. } if *place as usize >= self.meta.fault_places.len() => {
                self.problem(at, format!("no fault place {place}"));
            }
            _ => {}
        }
    }

    fn site(&mut self, at: usize, site: SiteId, is_right: impl Fn(&SiteKind) -> bool) {
        match self.meta.site(site) {
            Some(info) if info.flow == self.flow && is_right(&info.kind) => {}
            Some(info) => {
                let problem = format!("site {} is of another flow or kind", info.key);
                self.problem(at, problem);
            }
            None => self.problem(at, format!("no site {}", site.0)),
        }
    }
}

/// Whatever is read after a wait is in its live map, or came with its payload.
pub fn check_liveness(graph: &Graph, problems: &mut Problems) {
    let meta = &graph.meta;
    let liveness = liveness(graph);
    for (id, site) in (0u32..).zip(&meta.sites) {
        let mut read = across(meta, SiteId(id), &liveness.entered);
        liveness.always.get(site.flow as usize).into_iter().for_each(|always| {
            read.unite(always);
        });
        for slot in read.iter() {
            let is_kept = site.live.binary_search_by_key(&slot, |live| live.slot).is_ok();
            problems.expect(is_kept, || format!("site {}: slot {slot} is read later but not kept", site.key));
        }
        if site.payloads.is_empty() {
            continue;
        }
        let mailbox_at = meta.flow(site.flow).map_or(0, |flow| flow.mailbox_at);
        let widths = site.payloads.iter().flatten().map(|payload| width(meta, std::slice::from_ref(payload)));
        let payload_end = mailbox_at + widths.max().unwrap_or(0) as u32;
        let entered = liveness.entered.get(site.resume as usize);
        for slot in entered.into_iter().flat_map(|slots| slots.iter()).filter(|slot| *slot >= payload_end) {
            problems.add(format!("site {}: word {} of its payload is read", site.key, slot - mailbox_at));
        }
    }
    for flow in &meta.flows {
        for segment in [Some(flow.entry_segment), flow.fault_segment, flow.finally_segment].into_iter().flatten() {
            let entered = liveness.entered.get(segment as usize);
            for slot in entered.into_iter().flat_map(|slots| slots.iter()).filter(|slot| *slot >= flow.mailbox_at) {
                problems.add(format!("flow {}: slot {slot} of the mailbox is read before a wait", flow.name));
            }
        }
    }
}
