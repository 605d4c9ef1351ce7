//! A register machine that runs the graph as bytecode: what an engine without machine code would do. One
//! flat array of instructions of eight bytes, registers in an array, dispatch by `match`.

use lang_flowgraph::Graph;
use lang_flowgraph::graph::{Arithmetic, Condition, Edge, Instruction, Terminator};
use runtime_contract::host::Host;
use runtime_contract::{Exit, FaultKind, FlowProgram, Outcome, ProgramMeta, Segments, Stack, Stop, drive};

pub struct Machine {
    meta: ProgramMeta,
    code: Vec<Op>,
    constants: Vec<u64>,
    /// First instruction of each segment.
    entries: Vec<u32>,
}

#[derive(Clone, Copy)]
enum Op {
    Constant {
        to: u16,
        index: u16,
    },
    Load {
        to: u16,
        slot: u16,
    },
    Store {
        from: u16,
        slot: u16,
    },
    Add {
        to: u16,
        left: u16,
        right: u16,
    },
    Compare {
        to: u16,
        left: u16,
        right: u16,
        condition: Condition,
    },
    Select {
        to: u16,
        condition: u8,
        yes: u8,
        no: u8,
    },
    Jump {
        at: u32,
    },
    Branch {
        condition: u16,
        no: u32,
    },
    /// A jump table of this many `Jump`s follows, then the default's.
    Switch {
        word: u16,
        entries: u16,
    },
    Exit {
        exit: u32,
    },
}

impl Machine {
    pub fn new(graph: &Graph) -> Machine {
        let mut machine =
            Machine { meta: graph.meta.clone(), code: Vec::new(), constants: Vec::new(), entries: Vec::new() };
        for segment in &graph.segments {
            machine.entries.push(machine.code.len() as u32);
            let mut starts = Vec::new();
            let mut jumps = Vec::new();
            let mut word = 0u16;
            for block in &segment.blocks {
                starts.push(machine.code.len() as u32);
                word += block.parameters as u16;
                for instruction in &block.instructions {
                    machine.instruction(instruction, word);
                    word += instruction.results() as u16;
                }
                machine.terminator(&block.terminator, &mut jumps);
            }
            for (at, block) in jumps {
                let start = starts[block as usize];
                match &mut machine.code[at] {
                    Op::Jump { at } | Op::Branch { no: at, .. } => *at = start,
                    _ => unreachable!("only these are noted"),
                }
            }
        }
        machine
    }

    fn instruction(&mut self, instruction: &Instruction, to: u16) {
        self.code.push(match *instruction {
            Instruction::Constant(value) => {
                self.constants.push(value);
                Op::Constant { to, index: (self.constants.len() - 1) as u16 }
            }
            Instruction::Load { slot } => Op::Load { to, slot: slot as u16 },
            Instruction::Store { slot, word } => Op::Store { from: word.0 as u16, slot: slot as u16 },
            Instruction::Arithmetic { operation: Arithmetic::Add, left, right, .. } => {
                Op::Add { to, left: left.0 as u16, right: right.0 as u16 }
            }
            Instruction::Compare { condition, left, right } => {
                Op::Compare { to, left: left.0 as u16, right: right.0 as u16, condition }
            }
            Instruction::Select { condition, yes, no } => {
                Op::Select { to, condition: condition.0 as u8, yes: yes.0 as u8, no: no.0 as u8 }
            }
            ref other => unreachable!("the benchmark's flow has no {other:?}"),
        });
    }

    fn jump(&mut self, edge: &Edge, jumps: &mut Vec<(usize, u32)>) {
        assert!(edge.arguments.is_empty(), "the benchmark's flow hands no words over");
        jumps.push((self.code.len(), edge.block.0));
        self.code.push(Op::Jump { at: 0 });
    }

    fn terminator(&mut self, terminator: &Terminator, jumps: &mut Vec<(usize, u32)>) {
        match terminator {
            Terminator::Jump(edge) => self.jump(edge, jumps),
            Terminator::Branch { condition, yes, no } => {
                jumps.push((self.code.len(), no.block.0));
                self.code.push(Op::Branch { condition: condition.0 as u16, no: 0 });
                self.jump(yes, jumps);
            }
            Terminator::Switch { word, table, default } => {
                self.code.push(Op::Switch { word: word.0 as u16, entries: table.len() as u16 });
                table.iter().chain([default]).for_each(|edge| self.jump(edge, jumps));
            }
            Terminator::Wait(site) => self.code.push(Op::Exit { exit: Exit::new(Exit::WAIT, site.0).0 }),
            Terminator::Continue(segment) => {
                self.code.push(Op::Exit { exit: Exit::new(Exit::CONTINUE, segment.0).0 });
            }
            other => unreachable!("the benchmark's flow has no {other:?}"),
        }
    }
}

impl Segments for Machine {
    fn run(&self, segment: u32, stack: &mut Stack, _host: &mut Host<'_>, outcome: u32) -> Exit {
        let mut registers = [0u64; 64];
        registers[0] = u64::from(outcome);
        let mut at = self.entries[segment as usize] as usize;
        let base = stack.header.base as usize;
        let frame = &mut stack.words[base..];
        loop {
            let op = self.code[at];
            at += 1;
            match op {
                Op::Constant { to, index } => registers[to as usize] = self.constants[index as usize],
                Op::Load { to, slot } => registers[to as usize] = frame[slot as usize],
                Op::Store { from, slot } => frame[slot as usize] = registers[from as usize],
                Op::Add { to, left, right } => {
                    let sum = (registers[left as usize] as i64).checked_add(registers[right as usize] as i64);
                    let Some(sum) = sum else {
                        stack.header.fault = FaultKind::Overflow as u32;
                        return Exit::new(Exit::FAULT, 0);
                    };
                    registers[to as usize] = sum as u64;
                }
                Op::Compare { to, left, right, condition } => {
                    let (left, right) = (registers[left as usize] as i64, registers[right as usize] as i64);
                    registers[to as usize] = u64::from(match condition {
                        Condition::Equal => left == right,
                        Condition::NotEqual => left != right,
                        Condition::Less => left < right,
                        Condition::LessOrEqual => left <= right,
                        Condition::Greater => left > right,
                        Condition::GreaterOrEqual => left >= right,
                    });
                }
                Op::Select { to, condition, yes, no } => {
                    let from = if registers[condition as usize] != 0 { yes } else { no };
                    registers[to as usize] = registers[from as usize];
                }
                Op::Jump { at: to } => at = to as usize,
                Op::Branch { condition, no } => {
                    if registers[condition as usize] == 0 {
                        at = no as usize;
                    }
                }
                Op::Switch { word, entries } => at += registers[word as usize].min(u64::from(entries)) as usize,
                Op::Exit { exit } => return Exit(exit),
            }
        }
    }
}

impl FlowProgram for Machine {
    fn meta(&self) -> &ProgramMeta {
        &self.meta
    }

    fn resume(&self, stack: &mut Stack, host: &mut Host<'_>, outcome: Outcome) -> Stop {
        drive(self, &self.meta, stack, host, outcome)
    }
}
