//! The program as segments: what compiled code does from one wait to the next, over 64-bit words. It knows no
//! names, types or source text but those of the tables in [`ProgramMeta`].

use runtime_contract::host::{FaultKind, HostCall};
use runtime_contract::program::{ProgramMeta, SiteId};
use serde::{Deserialize, Serialize};

/// A whole program. Only a graph that [`crate::verify`] finds no fault with may run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Graph {
    pub meta: ProgramMeta,
    /// As many as `meta.segments`.
    pub segments: Vec<Segment>,
}

/// Index of a segment in its program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SegmentId(pub u32);

/// Index of a flow in its program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FlowId(pub u32);

/// Index of a block in its segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BlockId(pub u32);

/// A 64-bit word computed inside a segment (an SSA value). Words are numbered in the order in which they are
/// defined: block after block, a block's parameters before the results of its instructions. So none can be
/// defined twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Word(pub u32);

/// Straight from where the driver enters it to an exit. Block 0 is the entry; its one parameter is the index of
/// the outcome.
///
/// INVARIANT (acyclic): an edge leads to a block of a higher index, so a segment always ends.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    pub blocks: Vec<Block>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Block {
    /// How many words an edge to this block hands over.
    pub parameters: u32,
    pub instructions: Vec<Instruction>,
    pub terminator: Terminator,
}

/// Truth is a word: 0 is false, anything else true; comparisons give 0 or 1. `place` is an index in
/// `meta.fault_places`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Instruction {
    Constant(u64),
    /// Handle of a constant text: an index in `meta.constants`.
    Text(u32),
    /// A word of the frame.
    Load {
        slot: u32,
    },
    Store {
        slot: u32,
        word: Word,
    },
    Fact(Fact),
    SetLanguage(Word),
    /// Two's complement, checked: fault `overflow`.
    Arithmetic {
        operation: Arithmetic,
        left: Word,
        right: Word,
        place: u32,
    },
    Compare {
        condition: Condition,
        left: Word,
        right: Word,
    },
    /// Bitwise; of truths from comparisons, `and` and `or`.
    And(Word, Word),
    Or(Word, Word),
    Select {
        condition: Word,
        yes: Word,
        no: Word,
    },
    /// Goes on when the condition is true, else the fault.
    Require {
        condition: Word,
        fault: FaultKind,
        place: u32,
    },
    /// The fault is the host's.
    Host {
        call: HostCall,
        arguments: Vec<Word>,
        place: u32,
    },
}

/// What a segment may read of the stack's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Fact {
    /// `caller.language`: an index in `meta.languages`.
    Language,
    /// `caller.number`: 1 when there is one.
    CallerTag,
    CallerNumber,
    /// `called.number`.
    CalledTag,
    Called,
    /// A [`runtime_contract::channel::Channel`] as a number.
    Channel,
}

impl Fact {
    pub const ALL: [Fact; 6] =
        [Fact::Language, Fact::CallerTag, Fact::CallerNumber, Fact::CalledTag, Fact::Called, Fact::Channel];
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Arithmetic {
    Add,
    Subtract,
    Multiply,
}

impl Arithmetic {
    pub const ALL: [Arithmetic; 3] = [Arithmetic::Add, Arithmetic::Subtract, Arithmetic::Multiply];
}

/// Signed comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Condition {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Condition {
    pub const ALL: [Condition; 6] = [
        Condition::Equal,
        Condition::NotEqual,
        Condition::Less,
        Condition::LessOrEqual,
        Condition::Greater,
        Condition::GreaterOrEqual,
    ];
}

/// A way into a block, with its parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Edge {
    pub block: BlockId,
    pub arguments: Vec<Word>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Terminator {
    Jump(Edge),
    Branch {
        condition: Word,
        yes: Edge,
        no: Edge,
    },
    /// By index, unsigned; past the table's end the default.
    Switch {
        word: Word,
        table: Vec<Edge>,
        default: Edge,
    },
    /// To the session, with the request of a site. Its arguments lie in the mailbox.
    Wait(SiteId),
    /// On in another segment of this flow, for one unit of fuel.
    Continue(SegmentId),
    /// `run`: the site's flow gets a frame. Its arguments lie in the mailbox.
    Call(SiteId),
    /// The result lies in the result slots; the low 24 bits of the word are its tag, by which the caller goes on.
    Return(Word),
    /// End of `fault` or `finally`.
    End,
    Fault {
        kind: FaultKind,
        place: u32,
    },
}

impl Instruction {
    /// Words it defines.
    pub fn results(&self) -> u32 {
        match self {
            Instruction::Store { .. } | Instruction::SetLanguage(_) | Instruction::Require { .. } => 0,
            Instruction::Host { call, .. } => call.arity().1 as u32,
            _ => 1,
        }
    }

    pub fn for_each_operand(&self, mut visit: impl FnMut(Word)) {
        // The one list of operands is the mutable one below; a copy of an instruction is cheap but for `Host`.
        match self {
            Instruction::Host { arguments, .. } => arguments.iter().copied().for_each(visit),
            other => other.clone().for_each_operand_mut(|word| visit(*word)),
        }
    }

    pub fn for_each_operand_mut(&mut self, mut visit: impl FnMut(&mut Word)) {
        match self {
            Instruction::Constant(_) | Instruction::Text(_) | Instruction::Load { .. } | Instruction::Fact(_) => {}
            Instruction::Store { word, .. } | Instruction::SetLanguage(word) => visit(word),
            Instruction::Arithmetic { left, right, .. }
            | Instruction::Compare { left, right, .. }
            | Instruction::And(left, right)
            | Instruction::Or(left, right) => {
                visit(left);
                visit(right);
            }
            Instruction::Select { condition, yes, no } => {
                visit(condition);
                visit(yes);
                visit(no);
            }
            Instruction::Require { condition, .. } => visit(condition),
            Instruction::Host { arguments, .. } => arguments.iter_mut().for_each(visit),
        }
    }

    /// The place it names when it may fault.
    pub fn place(&self) -> Option<u32> {
        match self {
            Instruction::Arithmetic { place, .. }
            | Instruction::Require { place, .. }
            | Instruction::Host { place, .. } => Some(*place),
            _ => None,
        }
    }
}

impl Terminator {
    /// The ways to other blocks of the segment; none for an exit.
    pub fn edges(&self) -> impl DoubleEndedIterator<Item = &Edge> {
        let (table, one, other): (&[Edge], _, _) = match self {
            Terminator::Jump(edge) => (&[], Some(edge), None),
            Terminator::Branch { yes, no, .. } => (&[], Some(yes), Some(no)),
            Terminator::Switch { table, default, .. } => (table, Some(default), None),
            _ => (&[], None, None),
        };
        table.iter().chain(one).chain(other)
    }

    pub fn edges_mut(&mut self) -> impl Iterator<Item = &mut Edge> {
        let (table, one, other): (&mut [Edge], _, _) = match self {
            Terminator::Jump(edge) => (&mut [], Some(edge), None),
            Terminator::Branch { yes, no, .. } => (&mut [], Some(yes), Some(no)),
            Terminator::Switch { table, default, .. } => (table, Some(default), None),
            _ => (&mut [], None, None),
        };
        table.iter_mut().chain(one).chain(other)
    }

    /// The word it decides by, edge arguments apart.
    pub fn word_mut(&mut self) -> Option<&mut Word> {
        match self {
            Terminator::Branch { condition: word, .. } | Terminator::Switch { word, .. } | Terminator::Return(word) => {
                Some(word)
            }
            _ => None,
        }
    }

    pub fn word(&self) -> Option<Word> {
        match self {
            Terminator::Branch { condition: word, .. } | Terminator::Switch { word, .. } | Terminator::Return(word) => {
                Some(*word)
            }
            _ => None,
        }
    }

    pub fn for_each_operand(&self, mut visit: impl FnMut(Word)) {
        self.word().into_iter().for_each(&mut visit);
        self.edges().flat_map(|edge| edge.arguments.iter().copied()).for_each(visit);
    }

    pub fn for_each_operand_mut(&mut self, mut visit: impl FnMut(&mut Word)) {
        self.word_mut().into_iter().for_each(&mut visit);
        self.edges_mut().flat_map(|edge| edge.arguments.iter_mut()).for_each(visit);
    }
}
