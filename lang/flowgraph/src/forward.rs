//! Inside a segment a variable is a word: loads of what was stored or loaded before are replaced by it, and
//! what nobody uses any more is dropped.

use crate::graph::{Block, Instruction, Segment, Word};

/// Writes a segment anew, keeping the numbers of its words dense.
#[derive(Default)]
struct Rewriter {
    /// New word by old number.
    words: Vec<Word>,
    next: u32,
    blocks: Vec<Block>,
}

impl Rewriter {
    fn new_word(&mut self) -> Word {
        self.next += 1;
        Word(self.next - 1)
    }

    fn start(&mut self, old: &Block) {
        for _ in 0..old.parameters {
            let word = self.new_word();
            self.words.push(word);
        }
        let terminator = old.terminator.clone();
        self.blocks.push(Block { parameters: old.parameters, instructions: Vec::new(), terminator });
    }

    fn renamed(&self, word: Word) -> Word {
        self.words.get(word.0 as usize).copied().unwrap_or(Word(u32::MAX))
    }

    fn keep(&mut self, old: &Instruction) -> Word {
        let mut instruction = old.clone();
        instruction.for_each_operand_mut(|word| *word = self.renamed(*word));
        let first = Word(self.next);
        for _ in 0..instruction.results() {
            let word = self.new_word();
            self.words.push(word);
        }
        if let Some(block) = self.blocks.last_mut() {
            block.instructions.push(instruction);
        }
        first
    }

    /// Instead of an instruction with one result, a word that is there already.
    fn replace(&mut self, by: Word) {
        self.words.push(by);
    }

    /// The block is complete, so that the operands of its terminator have new names.
    fn end(&mut self) {
        if let Some(mut block) = self.blocks.pop() {
            block.terminator.for_each_operand_mut(|word| *word = self.renamed(*word));
            self.blocks.push(block);
        }
    }
}

/// Stands where no word is known to be in a slot.
const UNKNOWN: Word = Word(u32::MAX);

/// Replaces loads by the words that are known to be in their slots, then drops unused instructions.
pub fn forward(segment: &mut Segment) {
    let mut rewriter = Rewriter::default();
    let slots = used_slots(segment);
    let place = |slot: u32| slots.binary_search(&slot).unwrap_or(usize::MAX);
    // What is known at the start of each block, by place in `slots`: the words on which all ways to it agree. A word
    // that is known on every way is defined before all of them parted, so it may be used here.
    let mut known: Vec<Option<Vec<Word>>> = vec![None; segment.blocks.len()];
    for (at, block) in segment.blocks.iter().enumerate() {
        rewriter.start(block);
        let mut held = known.get_mut(at).and_then(Option::take).unwrap_or_else(|| vec![UNKNOWN; slots.len()]);
        for instruction in &block.instructions {
            match instruction {
                Instruction::Load { slot } => match held.get_mut(place(*slot)) {
                    Some(word) if *word != UNKNOWN => rewriter.replace(*word),
                    Some(word) => *word = rewriter.keep(instruction),
                    None => {
                        rewriter.keep(instruction);
                    }
                },
                Instruction::Store { slot, word } => {
                    if let Some(held) = held.get_mut(place(*slot)) {
                        *held = rewriter.renamed(*word);
                    }
                    rewriter.keep(instruction);
                }
                other => {
                    rewriter.keep(other);
                }
            }
        }
        rewriter.end();
        for edge in block.terminator.edges() {
            match known.get_mut(edge.block.0 as usize) {
                Some(Some(there)) => {
                    there.iter_mut().zip(&held).filter(|(a, b)| a != b).for_each(|(a, _)| *a = UNKNOWN)
                }
                Some(nothing) => *nothing = Some(held.clone()),
                None => {}
            }
        }
    }
    segment.blocks = rewriter.blocks;
    drop_unused(segment, |_, _| true);
}

/// Slots that are loaded or stored, in order.
fn used_slots(segment: &Segment) -> Vec<u32> {
    let instructions = segment.blocks.iter().flat_map(|block| &block.instructions);
    let mut slots: Vec<u32> = instructions
        .filter_map(|instruction| match instruction {
            Instruction::Load { slot } | Instruction::Store { slot, .. } => Some(*slot),
            _ => None,
        })
        .collect();
    slots.sort_unstable();
    slots.dedup();
    slots
}

/// Drops what has no effect: words that nobody uses, and stores for which `keep_store(block, position)` is false.
pub fn drop_unused(segment: &mut Segment, keep_store: impl Fn(usize, usize) -> bool) {
    let count = segment.blocks.iter().map(words_of).sum::<u32>();
    let mut used = vec![false; count as usize];
    let mut kept: Vec<Vec<bool>> = Vec::with_capacity(segment.blocks.len());
    let mut end = count;
    for (at, block) in segment.blocks.iter().enumerate().rev() {
        block.terminator.for_each_operand(|word| mark(&mut used, word));
        let mut keeps = vec![false; block.instructions.len()];
        for (position, (instruction, keep)) in block.instructions.iter().zip(&mut keeps).enumerate().rev() {
            end -= instruction.results();
            *keep = match instruction {
                Instruction::Store { .. } => keep_store(at, position),
                other => !is_pure(other) || used.get(end as usize).copied().unwrap_or(false),
            };
            if *keep {
                instruction.for_each_operand(|word| mark(&mut used, word));
            }
        }
        end -= block.parameters;
        kept.push(keeps);
    }
    kept.reverse();
    let mut rewriter = Rewriter::default();
    for (block, keeps) in segment.blocks.iter().zip(&kept) {
        rewriter.start(block);
        for (instruction, keep) in block.instructions.iter().zip(keeps) {
            if *keep {
                rewriter.keep(instruction);
            } else {
                (0..instruction.results()).for_each(|_| rewriter.replace(Word(u32::MAX)));
            }
        }
        rewriter.end();
    }
    segment.blocks = rewriter.blocks;
}

fn words_of(block: &Block) -> u32 {
    block.parameters + block.instructions.iter().map(Instruction::results).sum::<u32>()
}

fn mark(used: &mut [bool], word: Word) {
    if let Some(mark) = used.get_mut(word.0 as usize) {
        *mark = true;
    }
}

/// Neither faults nor changes nor observes anything.
fn is_pure(instruction: &Instruction) -> bool {
    !matches!(
        instruction,
        Instruction::Store { .. }
            | Instruction::SetLanguage(_)
            | Instruction::Arithmetic { .. }
            | Instruction::Require { .. }
            | Instruction::Host { .. }
    )
}
