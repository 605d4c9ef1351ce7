//! Places of the source that a call can come by: parts of flows and arms of branches. A block of the graph knows its
//! marks, and an interpreted program may count them. The graph itself is the same with and without them.

use std::sync::atomic::{AtomicU64, Ordering};

use lang_diagnostics::Span;

use crate::builder::DraftBlock;
use crate::graph::Instruction;

/// A part of a flow, or an arm of one of its branches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pub kind: MarkKind,
    pub flow: u32,
    /// Name of the step, `fault`, `finally`, or empty for the top.
    pub part: String,
    /// Where it begins: the arm, or the statement that takes it without having a line for it.
    pub span: Span,
    /// All that runs only behind the mark.
    pub body: Span,
    /// What leads there, in the words of the language: `otherwise`, `failed`. Empty where the line says it.
    pub label: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MarkKind {
    Part,
    Arm,
}

/// Index in [`Marks::marks`], and how many instructions of the block that may fault stand before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    pub mark: u32,
    pub behind: u32,
}

/// The marks of a graph. One that no block has is where no call can come.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    pub marks: Vec<Mark>,
    /// By segment and block.
    placed: Vec<Vec<Vec<Placed>>>,
}

impl Marks {
    pub(crate) fn new(marks: Vec<Mark>, placed: Vec<Vec<Vec<Placed>>>) -> Marks {
        Marks { marks, placed }
    }

    /// Whether a call can come by, by mark.
    pub fn reachable(&self) -> Vec<bool> {
        let mut reachable = vec![false; self.marks.len()];
        for placed in self.placed.iter().flatten().flatten() {
            reachable.iter_mut().skip(placed.mark as usize).take(1).for_each(|mark| *mark = true);
        }
        reachable
    }
}

/// Instructions that may end their block before its end.
pub(crate) fn faulting(instruction: &Instruction) -> bool {
    instruction.place().is_some()
}

/// At the end of what is written of a draft block.
pub(crate) fn place(block: &mut DraftBlock, mark: u32) {
    let behind = block.instructions.iter().filter(|(instruction, _)| faulting(instruction)).count() as u32;
    block.marks.push(Placed { mark, behind });
}

/// How often calls came by each mark; shared by all threads that run a program.
#[derive(Debug, Default)]
pub struct Counts {
    marks: Marks,
    counts: Vec<AtomicU64>,
}

impl Counts {
    pub fn new(marks: Marks) -> Counts {
        let counts = marks.marks.iter().map(|_| AtomicU64::new(0)).collect();
        Counts { marks, counts }
    }

    /// By mark.
    pub fn counts(&self) -> Vec<u64> {
        self.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect()
    }

    /// Marks that calls came by since this was asked last; counting begins anew.
    pub fn take(&self) -> Vec<u32> {
        let passed = |count: &AtomicU64| count.load(Ordering::Relaxed) > 0 && count.swap(0, Ordering::Relaxed) > 0;
        (0..).zip(&self.counts).filter(|(_, count)| passed(count)).map(|(mark, _)| mark).collect()
    }

    /// The marks of a block, for [`Counts::pass`].
    pub(crate) fn of_block(&self, segment: u32, block: usize) -> &[Placed] {
        let blocks = self.marks.placed.get(segment as usize);
        blocks.and_then(|blocks| blocks.get(block)).map_or(&[], Vec::as_slice)
    }

    /// So many instructions of the block that may fault have not faulted.
    pub(crate) fn pass(&self, placed: &[Placed], behind: u32) {
        for mark in placed.iter().filter(|placed| placed.behind == behind) {
            if let Some(count) = self.counts.get(mark.mark as usize) {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}
