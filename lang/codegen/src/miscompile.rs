//! Would a wrong compiler be noticed? Each kind of mistake below is made in one place of each function, behind
//! the interpreter's back, and must show as a difference.

use std::sync::atomic::{AtomicU32, Ordering};

use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::immediates::{Imm64, Offset32};
use cranelift_codegen::ir::{
    BlockArg, Function, Inst, InstBuilder, InstructionData, Opcode, Value, ValueDef, types::I8, types::I64,
};
use lang_flowgraph::Interpreted;
use lang_flowgraph::random::{Random, Tally, play, program};
use runtime_contract::host::FaultKind;

use crate::native::Native;

/// Programs within which a mistake must show; the differential test has many more.
const PROGRAMS_MAX: u64 = 400;
const CALLS: u64 = 6;

#[derive(Clone, Copy, Debug)]
enum Mistake {
    Comparison,
    DroppedStore,
    SwappedSubtraction,
    NoOverflowCheck,
    SlotBefore,
    ExitOperand,
    SwappedBranch,
    OtherHostCall,
    OtherConstant,
    NoCurrencyCheck,
    SwappedSelect,
    OtherFact,
    FaultKind,
}

const MISTAKES: [Mistake; 13] = [
    Mistake::Comparison,
    Mistake::DroppedStore,
    Mistake::SwappedSubtraction,
    Mistake::NoOverflowCheck,
    Mistake::SlotBefore,
    Mistake::ExitOperand,
    Mistake::SwappedBranch,
    Mistake::OtherHostCall,
    Mistake::OtherConstant,
    Mistake::NoCurrencyCheck,
    Mistake::SwappedSelect,
    Mistake::OtherFact,
    Mistake::FaultKind,
];

#[test]
fn every_mistake_shows() {
    for mistake in MISTAKES {
        let found = (0..PROGRAMS_MAX).find(|seed| shows(mistake, *seed));
        assert!(found.is_some(), "{mistake:?} was not noticed in {PROGRAMS_MAX} programs");
        println!("{mistake:?}: noticed in program {}", found.unwrap_or_default());
    }
}

fn shows(mistake: Mistake, seed: u64) -> bool {
    let graph = program(seed).unwrap();
    let made = AtomicU32::new(0);
    let change = |segment: u32, function: &mut Function| {
        made.fetch_add(u32::from(make(mistake, function, seed ^ u64::from(segment))), Ordering::Relaxed);
    };
    let native = Native::with(graph.clone(), 2, &change).unwrap_or_else(|problem| panic!("{mistake:?}: {problem}"));
    if made.into_inner() == 0 {
        return false;
    }
    let interpreted = Interpreted::new(graph);
    (0..CALLS).any(|call| play(seed << 8 | call, &interpreted, &native, &mut Tally::default()).is_err())
}

/// Makes the mistake once, where the function has a place for it.
fn make(mistake: Mistake, function: &mut Function, seed: u64) -> bool {
    let mut all = Vec::new();
    for block in function.layout.blocks() {
        all.extend(function.layout.block_insts(block));
    }
    let places: Vec<Inst> = all.into_iter().filter(|inst| is_place(mistake, function, *inst)).collect();
    let Some(place) = Random::new(seed).pick(&places).copied() else { return false };
    change(mistake, function, place);
    true
}

fn is_place(mistake: Mistake, function: &Function, inst: Inst) -> bool {
    let frame = function.dfg.block_params(function.layout.entry_block().unwrap())[0];
    let data = function.dfg.insts[inst];
    match (mistake, data) {
        (Mistake::Comparison, InstructionData::IntCompare { cond, .. }) => cond != IntCC::UnsignedLessThan,
        (Mistake::DroppedStore, InstructionData::Store { args, .. }) => args[1] == frame,
        (Mistake::SlotBefore, InstructionData::Load { arg, .. }) => arg == frame,
        (Mistake::OtherFact, InstructionData::Load { arg, .. }) => is_loaded(function, arg),
        (Mistake::SwappedSubtraction, _) => data.opcode() == Opcode::SsubOverflow,
        (Mistake::NoOverflowCheck, InstructionData::Brif { arg, .. }) => is_overflow(function, arg),
        (Mistake::ExitOperand, _) => data.opcode() == Opcode::Return && constant_of(function, inst, 0).is_some(),
        (Mistake::SwappedBranch, InstructionData::Brif { .. }) => true,
        (Mistake::OtherHostCall, _) => data.opcode() == Opcode::CallIndirect,
        (Mistake::OtherConstant, _) => {
            data.opcode() == Opcode::Iconst && function.dfg.value_type(function.dfg.first_result(inst)) == I64
        }
        (Mistake::NoCurrencyCheck, InstructionData::Brif { blocks, .. }) => {
            fault_of(function, blocks[0]) == Some(FaultKind::Currency as i64)
        }
        (Mistake::FaultKind, InstructionData::Brif { blocks, .. }) => fault_of(function, blocks[0]).is_some(),
        (Mistake::SwappedSelect, _) => data.opcode() == Opcode::Select,
        _ => false,
    }
}

fn change(mistake: Mistake, function: &mut Function, inst: Inst) {
    match (mistake, &mut function.dfg.insts[inst]) {
        (Mistake::Comparison, InstructionData::IntCompare { cond, .. }) => {
            *cond = match *cond {
                IntCC::Equal => IntCC::SignedLessThanOrEqual,
                IntCC::NotEqual => IntCC::SignedLessThan,
                IntCC::SignedLessThan => IntCC::SignedLessThanOrEqual,
                IntCC::SignedLessThanOrEqual => IntCC::SignedLessThan,
                IntCC::SignedGreaterThan => IntCC::SignedGreaterThanOrEqual,
                IntCC::SignedGreaterThanOrEqual => IntCC::UnsignedGreaterThanOrEqual,
                other => other,
            }
        }
        (Mistake::DroppedStore, _) => function.layout.remove_inst(inst),
        // Towards the header: a slot too far could lie outside of the stack.
        (Mistake::SlotBefore, InstructionData::Load { offset, .. }) => *offset = moved(*offset, -8),
        (Mistake::OtherFact, InstructionData::Load { offset, .. }) => *offset = moved(*offset, 8),
        (Mistake::SwappedSubtraction, InstructionData::Binary { args, .. }) => args.swap(0, 1),
        (Mistake::SwappedSelect, InstructionData::Ternary { args, .. }) => args.swap(1, 2),
        (Mistake::SwappedBranch, InstructionData::Brif { blocks, .. }) => blocks.swap(0, 1),
        (Mistake::NoOverflowCheck | Mistake::NoCurrencyCheck, _) => {
            let zero = FuncCursor::new(function).at_inst(inst).ins().iconst(I8, 0);
            function.dfg.inst_args_mut(inst)[0] = zero;
        }
        (Mistake::ExitOperand, _) => add(function, constant_of(function, inst, 0).unwrap().0, 1 << 8),
        // After the function's address: ctx, number, words.
        (Mistake::OtherHostCall, _) => {
            let (number, call) = constant_of(function, inst, 2).unwrap();
            add(function, number, if call % 2 == 0 { 1 } else { -1 });
        }
        (Mistake::OtherConstant, _) => add(function, inst, 1),
        (Mistake::FaultKind, InstructionData::Brif { blocks, .. }) => {
            let blocks = *blocks;
            add(function, fault_argument(function, blocks[0]).unwrap(), 1);
        }
        (mistake, data) => panic!("{mistake:?} has no place in {data:?}"),
    }
}

fn moved(offset: Offset32, by: i32) -> Offset32 {
    Offset32::new(i32::from(offset) + by)
}

fn add(function: &mut Function, constant: Inst, more: i64) {
    if let InstructionData::UnaryImm { imm, .. } = &mut function.dfg.insts[constant] {
        *imm = Imm64::new(imm.bits().wrapping_add(more));
    }
}

/// The instruction behind an operand that is a constant, and its value.
fn constant_of(function: &Function, inst: Inst, operand: usize) -> Option<(Inst, i64)> {
    constant(function, *function.dfg.inst_args(inst).get(operand)?)
}

fn constant(function: &Function, value: Value) -> Option<(Inst, i64)> {
    let ValueDef::Result(inst, _) = function.dfg.value_def(value) else { return None };
    match function.dfg.insts[inst] {
        InstructionData::UnaryImm { opcode: Opcode::Iconst, imm } => Some((inst, imm.bits())),
        _ => None,
    }
}

fn is_loaded(function: &Function, value: Value) -> bool {
    let ValueDef::Result(inst, _) = function.dfg.value_def(value) else { return false };
    matches!(function.dfg.insts[inst], InstructionData::Load { .. })
}

fn is_overflow(function: &Function, value: Value) -> bool {
    let ValueDef::Result(inst, 1) = function.dfg.value_def(value) else { return false };
    matches!(function.dfg.insts[inst].opcode(), Opcode::SaddOverflow | Opcode::SsubOverflow | Opcode::SmulOverflow)
}

/// Where the kind of the fault to which an edge leads is a constant.
fn fault_argument(function: &Function, edge: cranelift_codegen::ir::BlockCall) -> Option<Inst> {
    let block = edge.block(&function.dfg.value_lists);
    if !function.layout.is_cold(block) {
        return None;
    }
    match edge.args(&function.dfg.value_lists).next() {
        Some(BlockArg::Value(kind)) => constant(function, kind).map(|(inst, _)| inst),
        _ => None,
    }
}

fn fault_of(function: &Function, edge: cranelift_codegen::ir::BlockCall) -> Option<i64> {
    let inst = fault_argument(function, edge)?;
    constant(function, function.dfg.first_result(inst)).map(|(_, kind)| kind)
}
