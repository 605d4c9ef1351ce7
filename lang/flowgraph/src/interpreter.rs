//! Runs a graph as it stands, word by word. Slow and plain: it is what native code is measured against, and what
//! serves where no native code can.

use std::sync::Arc;

use runtime_contract::drive::{Exit, Outcome, Segments, Stop, drive};
use runtime_contract::host::{FaultKind, Host};
use runtime_contract::program::{FlowProgram, ProgramMeta};
use runtime_contract::stack::Stack;

use crate::graph::{Arithmetic, Block, Condition, Edge, Fact, Instruction, Terminator, Word};
use crate::marks::{Counts, Placed, faulting};
use crate::verify::Verified;

/// A program that is interpreted.
#[derive(Clone, Debug)]
pub struct Interpreted {
    graph: Verified,
    counts: Option<Arc<Counts>>,
}

impl Interpreted {
    pub fn new(graph: Verified) -> Self {
        Interpreted { graph, counts: None }
    }

    /// Counts what calls come by. The marks are those of the same graph.
    pub fn counting(self, counts: Arc<Counts>) -> Self {
        Interpreted { counts: Some(counts), ..self }
    }
}

impl FlowProgram for Interpreted {
    fn meta(&self) -> &ProgramMeta {
        &self.graph.meta
    }

    fn resume(&self, stack: &mut Stack, host: &mut Host<'_>, outcome: Outcome) -> Stop {
        drive(self, &self.graph.meta, stack, host, outcome)
    }
}

impl Segments for Interpreted {
    fn run(&self, segment: u32, stack: &mut Stack, host: &mut Host<'_>, outcome: u32) -> Exit {
        let Some(code) = self.graph.segments.get(segment as usize) else { return lost(stack) };
        let counts = self.counts.as_deref();
        let mut run = Run { stack, host, words: Vec::new(), homes: first_words(&code.blocks), counts };
        run.words.push(u64::from(outcome));
        let mut at = 0;
        loop {
            let Some(block) = code.blocks.get(at) else { return lost(run.stack) };
            let marks = counts.map_or(&[][..], |counts| counts.of_block(segment, at));
            let next = run.block(at, block, marks);
            match next {
                Ok(edge) => at = run.follow(edge),
                Err(exit) => return exit,
            }
        }
    }
}

/// The stack is not one of this program.
fn lost(stack: &mut Stack) -> Exit {
    stack.header.fault = FaultKind::Host as u32;
    Exit::new(Exit::FAULT, 0)
}

/// Number of each block's first word.
fn first_words(blocks: &[Block]) -> Vec<usize> {
    let mut next = 0;
    let mut homes = Vec::with_capacity(blocks.len());
    for block in blocks {
        homes.push(next);
        next += block.parameters as usize + block.instructions.iter().map(|i| i.results() as usize).sum::<usize>();
    }
    homes
}

struct Run<'r, 'h> {
    stack: &'r mut Stack,
    host: &'r mut Host<'h>,
    words: Vec<u64>,
    homes: Vec<usize>,
    counts: Option<&'r Counts>,
}

impl Run<'_, '_> {
    fn word(&self, word: Word) -> u64 {
        self.words.get(word.0 as usize).copied().unwrap_or(0)
    }

    fn fault(&mut self, kind: FaultKind, place: u32) -> Exit {
        self.stack.header.fault = kind as u32;
        Exit::new(Exit::FAULT, place)
    }

    /// The next block's parameters become its first words; gives its index.
    fn follow(&mut self, edge: &Edge) -> usize {
        let arguments: Vec<u64> = edge.arguments.iter().map(|word| self.word(*word)).collect();
        let block = edge.block.0 as usize;
        // Words of blocks that were passed over stay zero; nothing verified reads them.
        self.words.resize(self.homes.get(block).copied().unwrap_or(0), 0);
        self.words.extend(arguments);
        block
    }

    fn block<'b>(&mut self, at: usize, block: &'b Block, marks: &[Placed]) -> Result<&'b Edge, Exit> {
        debug_assert_eq!(
            self.homes.get(at).map(|home| home + block.parameters as usize),
            Some(self.words.len()),
            "words are numbered by definition"
        );
        let mut behind = 0;
        self.pass(marks, behind);
        for instruction in &block.instructions {
            self.instruction(instruction)?;
            if faulting(instruction) {
                behind += 1;
                self.pass(marks, behind);
            }
        }
        Err(match &block.terminator {
            Terminator::Jump(edge) => return Ok(edge),
            Terminator::Branch { condition, yes, no } => {
                return Ok(if self.word(*condition) != 0 { yes } else { no });
            }
            Terminator::Switch { word, table, default } => {
                let index = usize::try_from(self.word(*word)).unwrap_or(usize::MAX);
                return Ok(table.get(index).unwrap_or(default));
            }
            Terminator::Wait(site) => Exit::new(Exit::WAIT, site.0),
            Terminator::Continue(segment) => Exit::new(Exit::CONTINUE, segment.0),
            Terminator::Call(site) => Exit::new(Exit::CALL, site.0),
            Terminator::Return(tag) => Exit::new(Exit::RETURN, self.word(*tag) as u32 & Exit::OPERAND_MAX),
            Terminator::End => Exit::new(Exit::END, 0),
            Terminator::Fault { kind, place } => self.fault(*kind, *place),
        })
    }

    fn pass(&self, marks: &[Placed], behind: u32) {
        if let (Some(counts), false) = (self.counts, marks.is_empty()) {
            counts.pass(marks, behind);
        }
    }

    fn instruction(&mut self, instruction: &Instruction) -> Result<(), Exit> {
        let result = match instruction {
            Instruction::Constant(value) => *value,
            Instruction::Text(index) => u64::from(*index),
            Instruction::Load { slot } => self.stack.slot(*slot),
            Instruction::Store { slot, word } => {
                let word = self.word(*word);
                self.stack.set_slot(*slot, word);
                return Ok(());
            }
            Instruction::Fact(fact) => self.fact(*fact),
            Instruction::SetLanguage(word) => {
                self.stack.header.language = self.word(*word);
                return Ok(());
            }
            Instruction::Arithmetic { operation, left, right, place } => {
                let (left, right) = (self.word(*left) as i64, self.word(*right) as i64);
                let result = match operation {
                    Arithmetic::Add => left.checked_add(right),
                    Arithmetic::Subtract => left.checked_sub(right),
                    Arithmetic::Multiply => left.checked_mul(right),
                };
                result.ok_or_else(|| self.fault(FaultKind::Overflow, *place))? as u64
            }
            Instruction::Compare { condition, left, right } => {
                u64::from(holds(*condition, self.word(*left) as i64, self.word(*right) as i64))
            }
            Instruction::And(left, right) => self.word(*left) & self.word(*right),
            Instruction::Or(left, right) => self.word(*left) | self.word(*right),
            Instruction::Select { condition, yes, no } => {
                self.word(if self.word(*condition) != 0 { *yes } else { *no })
            }
            Instruction::Require { condition, fault, place } => {
                return match self.word(*condition) {
                    0 => Err(self.fault(*fault, *place)),
                    _ => Ok(()),
                };
            }
            Instruction::Host { call, arguments, place } => {
                let arguments: Vec<u64> = arguments.iter().map(|word| self.word(*word)).collect();
                let mut results = vec![0; call.arity().1];
                self.host.call(*call, &arguments, &mut results).map_err(|kind| self.fault(kind, *place))?;
                self.words.extend(results);
                return Ok(());
            }
        };
        self.words.push(result);
        Ok(())
    }

    fn fact(&self, fact: Fact) -> u64 {
        let header = &self.stack.header;
        let ([caller_tag, caller], [called_tag, called]) = (header.caller_number, header.called);
        match fact {
            Fact::Language => header.language,
            Fact::CallerTag => caller_tag,
            Fact::CallerNumber => caller,
            Fact::CalledTag => called_tag,
            Fact::Called => called,
            Fact::Channel => header.channel,
        }
    }
}

fn holds(condition: Condition, left: i64, right: i64) -> bool {
    match condition {
        Condition::Equal => left == right,
        Condition::NotEqual => left != right,
        Condition::Less => left < right,
        Condition::LessOrEqual => left <= right,
        Condition::Greater => left > right,
        Condition::GreaterOrEqual => left >= right,
    }
}
