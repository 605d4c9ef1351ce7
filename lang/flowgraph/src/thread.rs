//! Short ways between segments: where one goes on in another that is short and straight, a copy of that one takes
//! the place of the CONTINUE. A step of a flow that only begins a menu so costs no turn of the driver.

use crate::builder::{DraftBlock, DraftSegment};
use crate::graph::{Instruction, Terminator, Word};
use crate::hash::FxHashMap;
use crate::marks::{Placed, faulting};

/// Instructions that take the place of one CONTINUE.
const COPIED_MAX: usize = 8;
/// Segments copied one after the other. Two that lead to each other for ever keep a CONTINUE, which costs fuel.
const FOLLOWED_MAX: usize = 4;

/// `next_word` is the first number that no word of the drafts has.
pub fn thread(segments: &mut [DraftSegment], mut next_word: u32) {
    let straight: Vec<Option<Straight>> = segments.iter().map(straight).collect();
    for block in segments.iter_mut().flat_map(|segment| &mut segment.blocks) {
        let mut room = COPIED_MAX;
        for _ in 0..FOLLOWED_MAX {
            let Some(Terminator::Continue(next)) = block.terminator else { break };
            let Some(Some(copied)) = straight.get(next.0 as usize) else { break };
            let Some(left) = room.checked_sub(copied.instructions.len()) else { break };
            room = left;
            copied.append_to(block, &mut next_word);
        }
    }
}

/// A segment of one block that ends in an exit.
struct Straight {
    outcome: Option<Word>,
    instructions: Vec<(Instruction, Word)>,
    terminator: Terminator,
    marks: Vec<Placed>,
}

fn straight(segment: &DraftSegment) -> Option<Straight> {
    let block = segment.blocks.first()?;
    let terminator = block.terminator.as_ref().filter(|terminator| terminator.edges().next().is_none())?;
    let short = block.instructions.len() <= COPIED_MAX;
    short.then(|| Straight {
        outcome: block.parameters.first().copied(),
        instructions: block.instructions.clone(),
        terminator: terminator.clone(),
        marks: block.marks.clone(),
    })
}

impl Straight {
    fn append_to(&self, block: &mut DraftBlock, next_word: &mut u32) {
        let before = block.instructions.iter().filter(|(instruction, _)| faulting(instruction)).count() as u32;
        block.marks.extend(self.marks.iter().map(|mark| Placed { behind: mark.behind + before, ..*mark }));
        let mut names: FxHashMap<Word, Word> = FxHashMap::default();
        let mut define = |names: &mut FxHashMap<Word, Word>, word: Word, count: u32| {
            let first = Word(*next_word);
            names.extend((0..count).map(|at| (Word(word.0 + at), Word(first.0 + at))));
            *next_word += count;
            first
        };
        // A segment that is entered by CONTINUE has outcome 0.
        if let Some(outcome) = self.outcome {
            let zero = define(&mut names, outcome, 1);
            block.instructions.push((Instruction::Constant(0), zero));
        }
        let rename = |names: &FxHashMap<Word, Word>, word: &mut Word| {
            if let Some(name) = names.get(word) {
                *word = *name;
            }
        };
        for (instruction, word) in &self.instructions {
            let mut instruction = instruction.clone();
            instruction.for_each_operand_mut(|word| rename(&names, word));
            let first = define(&mut names, *word, instruction.results());
            block.instructions.push((instruction, first));
        }
        let mut terminator = self.terminator.clone();
        terminator.for_each_operand_mut(|word| rename(&names, word));
        block.terminator = Some(terminator);
    }
}
