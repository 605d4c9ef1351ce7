//! From draft to graph: what can be reached is put in order and numbered, then frames are laid out. What it
//! makes first is a whole graph with a wide frame, in which no two variables share a slot; the passes after it
//! take graphs.

use runtime_contract::program::{ProgramMeta, SiteId};
use runtime_contract::types::Class;

use crate::builder::{DRAFT_MAILBOX_AT, DraftBlock, DraftFlow, DraftSegment, GraphBuilder};
use crate::frame::{first_variable, width};
use crate::graph::{Block, BlockId, Graph, Instruction, Segment, SegmentId, Terminator, Word};
use crate::hash::FxHashMap;
use crate::marks::{Mark, Marks, Placed};
use crate::verify::{self, Verified};
use crate::{forward, layout, parallel, serial, thread};

/// A graph, and what goes with it.
#[derive(Debug)]
pub struct Finished {
    pub graph: Verified,
    /// Its canonical bytes.
    pub bytes: Vec<u8>,
    pub marks: Marks,
}

/// Code of the flows of one builder, numbered by itself and not verified.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub graph: Graph,
    pub marks: Vec<Mark>,
    /// By segment and block.
    pub placed: Vec<Vec<Vec<Placed>>>,
}

/// The graph is whole. Verifies it.
pub(crate) fn seal(mut graph: Graph, marks: Marks) -> Result<Finished, Vec<String>> {
    let (bytes, problems) = parallel::both(|| serial::to_bytes(&graph), || verify::verify(&graph));
    graph.meta.graph_id = serial::graph_id(&bytes);
    Ok(Finished { graph: Verified::found(graph, problems)?, bytes, marks })
}

pub(crate) fn part(mut builder: GraphBuilder) -> Result<Part, Vec<String>> {
    let texts = builder.take_texts();
    let words = builder.words;
    let GraphBuilder { meta, mut segments, flows, mut problems, marks, .. } = builder;
    let unentered = meta.flows.iter().zip(&flows).filter(|(_, draft)| !draft.is_entered);
    problems.extend(unentered.map(|(flow, _)| format!("flow {}: no entry", flow.name)));
    if !problems.is_empty() {
        return Err(problems);
    }
    thread::thread(&mut segments, words);
    let (ordered, placed): (Vec<_>, Vec<_>) = segments.iter().map(order).unzip();
    let (mut graph, reached) = keep_reached(meta, ordered)?;
    let kept = placed.into_iter().zip(reached).filter_map(|(placed, reached)| reached.then_some(placed));
    let placed = kept.collect();
    number_texts(&mut graph, &texts);
    let slots = widen(&mut graph, &flows);
    let problems = verify::too_many_blocks(&graph);
    if !problems.is_empty() {
        return Err(problems);
    }
    graph.segments.iter_mut().for_each(forward::forward);
    let problems = layout::lay_out(&mut graph, &slots);
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(Part { graph, marks, placed })
}

/// Reachable blocks, each after all that lead to it, words numbered in that order; and the marks of each.
fn order(draft: &DraftSegment) -> (Result<Segment, String>, Vec<Vec<Placed>>) {
    let order = match topological(draft) {
        Ok(order) => order,
        Err(problem) => return (Err(problem), Vec::new()),
    };
    let drafts = order.iter().filter_map(|id| draft.blocks.get(id.0 as usize));
    let marks = drafts.map(|block| block.marks.clone()).collect();
    (number_words(draft, &order), marks)
}

fn number_words(draft: &DraftSegment, order: &[BlockId]) -> Result<Segment, String> {
    let position: FxHashMap<BlockId, u32> = order.iter().copied().zip(0..).collect();
    let mut numbers: FxHashMap<Word, Word> = FxHashMap::default();
    let mut blocks = Vec::with_capacity(order.len());
    let mut next = 0;
    let mut define = |numbers: &mut FxHashMap<Word, Word>, word: Word, count: u32| {
        numbers.extend((0..count).map(|at| (Word(word.0 + at), Word(next + at))));
        next += count;
    };
    let mut strays = Vec::new();
    for draft in order.iter().filter_map(|id| draft.blocks.get(id.0 as usize)) {
        let mut renumber = |numbers: &FxHashMap<Word, Word>, word: &mut Word| match numbers.get(word) {
            Some(number) => *word = *number,
            None => strays.push(*word),
        };
        draft.parameters.iter().for_each(|word| define(&mut numbers, *word, 1));
        let mut instructions = Vec::with_capacity(draft.instructions.len());
        for (instruction, word) in &draft.instructions {
            let mut instruction = instruction.clone();
            instruction.for_each_operand_mut(|word| renumber(&numbers, word));
            define(&mut numbers, *word, instruction.results());
            instructions.push(instruction);
        }
        let mut terminator = draft.terminator.clone().unwrap_or(Terminator::End);
        terminator.for_each_operand_mut(|word| renumber(&numbers, word));
        for edge in terminator.edges_mut() {
            edge.block = BlockId(position.get(&edge.block).copied().unwrap_or(u32::MAX));
        }
        blocks.push(Block { parameters: draft.parameters.len() as u32, instructions, terminator });
    }
    match strays.as_slice() {
        [] => Ok(Segment { blocks }),
        _ => Err(format!("words of another segment, or not yet defined: {strays:?}")),
    }
}

fn topological(draft: &DraftSegment) -> Result<Vec<BlockId>, String> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let successors = |id: BlockId| -> Result<Vec<BlockId>, String> {
        let block: &DraftBlock = draft.blocks.get(id.0 as usize).ok_or_else(|| format!("no block {}", id.0))?;
        let terminator = block.terminator.as_ref().ok_or_else(|| format!("block {} has no end", id.0))?;
        Ok(terminator.edges().rev().map(|edge| edge.block).collect())
    };
    let mut marks = vec![Mark::New; draft.blocks.len()];
    let mut finished = Vec::with_capacity(draft.blocks.len());
    let mut path = vec![(BlockId(0), successors(BlockId(0))?.into_iter())];
    while let Some((id, rest)) = path.last_mut() {
        let id = *id;
        let Some(next) = rest.next() else {
            if let Some(mark) = marks.get_mut(id.0 as usize) {
                *mark = Mark::Done;
            }
            finished.push(id);
            path.pop();
            continue;
        };
        match marks.get_mut(next.0 as usize) {
            Some(Mark::Open) => return Err(format!("block {} leads back to itself", next.0)),
            Some(mark @ Mark::New) => {
                *mark = Mark::Open;
                path.push((next, successors(next)?.into_iter()));
            }
            Some(Mark::Done) => {}
            None => return Err(format!("no block {}", next.0)),
        }
    }
    finished.reverse();
    Ok(finished)
}

/// Drops segments and sites that no flow reaches, and numbers the others anew; also gives which segments were kept.
/// What is wrong with a segment counts only when it is reached.
fn keep_reached(
    mut meta: ProgramMeta,
    segments: Vec<Result<Segment, String>>,
) -> Result<(Graph, Vec<bool>), Vec<String>> {
    let mut problems = Vec::new();
    let mut reached = vec![false; segments.len()];
    let mut sites = vec![false; meta.sites.len()];
    let mut open: Vec<u32> = meta
        .flows
        .iter()
        .flat_map(|flow| [Some(flow.entry_segment), flow.fault_segment, flow.finally_segment])
        .flatten()
        .collect();
    while let Some(id) = open.pop() {
        let (Some(mark), Some(segment)) = (reached.get_mut(id as usize), segments.get(id as usize)) else { continue };
        if std::mem::replace(mark, true) {
            continue;
        }
        let blocks = segment.as_ref().map_or_else(
            |problem| {
                problems.push(format!("segment {id}: {problem}"));
                &[][..]
            },
            |segment| &segment.blocks,
        );
        for block in blocks {
            match block.terminator {
                Terminator::Continue(next) => open.push(next.0),
                Terminator::Wait(site) | Terminator::Call(site) => {
                    let Some(info) = meta.site(site) else { continue };
                    if !info.payloads.is_empty() {
                        open.push(info.resume);
                    }
                    sites.iter_mut().skip(site.0 as usize).take(1).for_each(|mark| *mark = true);
                }
                _ => {}
            }
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let segment_numbers = numbers(&reached);
    let site_numbers = numbers(&sites);
    let number = |numbers: &[u32], old: u32| numbers.get(old as usize).copied().unwrap_or(u32::MAX);
    for flow in &mut meta.flows {
        flow.entry_segment = number(&segment_numbers, flow.entry_segment);
        flow.fault_segment = flow.fault_segment.map(|id| number(&segment_numbers, id));
        flow.finally_segment = flow.finally_segment.map(|id| number(&segment_numbers, id));
    }
    retain(&mut meta.sites, &sites);
    for site in &mut meta.sites {
        let entry = meta.flows.get(site.flow as usize).map_or(u32::MAX, |flow| flow.entry_segment);
        // A request without outcomes is never resumed, so its segment may be gone.
        site.resume = match number(&segment_numbers, site.resume) {
            u32::MAX => entry,
            resume => resume,
        };
    }
    retain(&mut meta.segments, &reached);
    let kept = segments.into_iter().zip(&reached).filter(|(_, reached)| **reached);
    let mut segments: Vec<Segment> = kept.filter_map(|(segment, _)| segment.ok()).collect();
    for block in segments.iter_mut().flat_map(|segment| &mut segment.blocks) {
        match &mut block.terminator {
            Terminator::Continue(next) => *next = SegmentId(number(&segment_numbers, next.0)),
            Terminator::Wait(site) | Terminator::Call(site) => *site = SiteId(number(&site_numbers, site.0)),
            _ => {}
        }
    }
    Ok((Graph { meta, segments }, reached))
}

/// New number of each kept entry; `u32::MAX` for the others.
fn numbers(kept: &[bool]) -> Vec<u32> {
    let mut next = 0..;
    kept.iter().map(|kept| if *kept { next.next().unwrap_or(u32::MAX) } else { u32::MAX }).collect()
}

fn retain<T>(list: &mut Vec<T>, kept: &[bool]) {
    let mut kept = kept.iter();
    list.retain(|_| kept.next().copied().unwrap_or(false));
}

/// The table of constants that the graph uses: sorted, without duplicates, the empty text first, so that a
/// text made at run time is found by binary search.
fn number_texts(graph: &mut Graph, texts: &[String]) {
    let text = |index: u32| texts.get(index as usize).map_or("", String::as_str);
    let instructions = || graph.segments.iter().flat_map(|s| &s.blocks).flat_map(|b| &b.instructions);
    let mut used: Vec<&str> = instructions()
        .filter_map(|instruction| match instruction {
            Instruction::Text(index) => Some(text(*index)),
            _ => None,
        })
        .chain([""])
        .collect();
    used.sort_unstable();
    used.dedup();
    let constants: Vec<String> = used.iter().map(|text| (*text).to_owned()).collect();
    let blocks = graph.segments.iter_mut().flat_map(|segment| &mut segment.blocks);
    for instruction in blocks.flat_map(|block| &mut block.instructions) {
        if let Instruction::Text(index) = instruction {
            let found = constants.binary_search_by(|constant| constant.as_str().cmp(text(*index)));
            *index = found.map_or(u32::MAX, |found| found as u32);
        }
    }
    graph.meta.constants = constants;
}

/// What a slot of a wide frame holds.
#[derive(Clone, Debug)]
pub struct Slot {
    pub class: Class,
    pub name: String,
}

/// Gives each flow its wide frame and moves the draft's mailbox slots to its end. The answer is by flow and by
/// slot from `RESULT_AT`: result, parameters, variables.
fn widen(graph: &mut Graph, drafts: &[DraftFlow]) -> Vec<Vec<Slot>> {
    let mut slots = Vec::with_capacity(drafts.len());
    let mut words = vec![0; drafts.len()];
    for site in &graph.meta.sites {
        let payloads = site.payloads.iter().flatten().map(|payload| graph.meta.types.width(payload));
        let need = payloads.chain([width(&graph.meta, &site.arguments)]).max().unwrap_or(0) as u32;
        words.iter_mut().skip(site.flow as usize).take(1).for_each(|words: &mut u32| *words = (*words).max(need));
    }
    for (flow, (draft, mailbox_words)) in drafts.iter().zip(words).enumerate() {
        let mailbox_at = first_variable(&graph.meta, flow as u32) + draft.variables.len() as u32;
        let Some(meta) = graph.meta.flows.get_mut(flow) else { continue };
        meta.mailbox_at = mailbox_at;
        meta.frame_words = mailbox_at + mailbox_words;
        let types = &graph.meta.types;
        let result = meta.result.iter().map(|r#type| (String::new(), r#type));
        let values = result.chain(meta.parameters.iter().map(|p| (p.name.clone(), &p.r#type)));
        let fixed = values.flat_map(|(name, r#type)| {
            types.slots(r#type).into_iter().map(move |class| Slot { class, name: name.clone() })
        });
        let variables = draft.variables.iter().map(|(class, name)| Slot { class: *class, name: name.clone() });
        slots.push(fixed.chain(variables).collect());
    }
    for (segment, flow) in graph.segments.iter_mut().zip(&graph.meta.segments) {
        let mailbox_at = graph.meta.flows.get(*flow as usize).map_or(0, |flow| flow.mailbox_at);
        for instruction in segment.blocks.iter_mut().flat_map(|block| &mut block.instructions) {
            if let Instruction::Load { slot } | Instruction::Store { slot, .. } = instruction
                && *slot >= DRAFT_MAILBOX_AT
            {
                *slot = *slot - DRAFT_MAILBOX_AT + mailbox_at;
            }
        }
    }
    slots
}
