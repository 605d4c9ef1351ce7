//! `graph_to_clif`: one segment as a Cranelift function `(frame, ctx, outcome) -> exit`. Only instructions that
//! cannot trap; every fault is a branch to one cold block.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{
    AbiParam, Block, BlockArg, BlockCall, Function, InstBuilder, JumpTableData, MemFlagsData, SigRef, Signature,
    StackSlot, StackSlotData, StackSlotKind, Value,
};
use cranelift_codegen::isa::TargetFrontendConfig;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use lang_flowgraph::graph::{Arithmetic, Condition, Edge, Fact, Instruction, Segment, Terminator, Word};
use runtime_contract::drive::Exit;
use runtime_contract::host::{FaultKind, HostCall};
use runtime_contract::stack::Header;

use crate::native::{CTX_CALL_AT, CTX_HEADER_AT, HOST_WORDS};

/// A switch of at most so many entries is a chain of comparisons, else a jump table.
const CHAIN_MAX: usize = 3;

/// Writes a verified segment into an empty function.
pub fn graph_to_clif(
    segment: &Segment,
    target: TargetFrontendConfig,
    function: &mut Function,
    builder_context: &mut FunctionBuilderContext,
) {
    function.signature = signature(target, &[I64, I64, I32]);
    let mut builder = FunctionBuilder::new(function, builder_context);
    let blocks: Vec<Block> = segment.blocks.iter().map(|_| builder.create_block()).collect();
    let mut lower = Lower { builder, target, blocks, words: Vec::new(), given: None, fault: None, host: None };
    lower.segment(segment);
    lower.builder.seal_all_blocks();
    lower.builder.finalize(target);
}

/// Of a function that gives a 32-bit exit or status.
fn signature(target: TargetFrontendConfig, parameters: &[cranelift_codegen::ir::Type]) -> Signature {
    let mut signature = Signature::new(target.default_call_conv);
    signature.params.extend(parameters.iter().copied().map(AbiParam::new));
    signature.returns.push(AbiParam::new(I32));
    signature
}

struct Lower<'f> {
    builder: FunctionBuilder<'f>,
    target: TargetFrontendConfig,
    blocks: Vec<Block>,
    /// By number of the graph's word.
    words: Vec<Value>,
    /// Frame and ctx.
    given: Option<(Value, Value)>,
    /// Takes the kind and the exit; made when first needed.
    fault: Option<Block>,
    /// Signature of the host's function, and room for its words.
    host: Option<(SigRef, StackSlot)>,
}

/// Frame, header and table are mapped and aligned for as long as the segment runs.
const TRUSTED: MemFlagsData = MemFlagsData::trusted();

impl Lower<'_> {
    fn segment(&mut self, segment: &Segment) {
        let entry = self.builder.create_block();
        self.builder.append_block_params_for_function_params(entry);
        self.builder.switch_to_block(entry);
        if let [frame, ctx, outcome] = *self.builder.block_params(entry) {
            self.given = Some((frame, ctx));
            let outcome = self.builder.ins().uextend(I64, outcome);
            let first = self.block(0);
            self.builder.ins().jump(first, &[BlockArg::Value(outcome)]);
        }
        for (at, block) in segment.blocks.iter().enumerate() {
            let target = self.block(at as u32);
            self.builder.switch_to_block(target);
            for _ in 0..block.parameters {
                let word = self.builder.append_block_param(target, I64);
                self.words.push(word);
            }
            for instruction in &block.instructions {
                self.instruction(instruction);
            }
            self.terminator(&block.terminator);
        }
        self.fill_fault_block();
    }

    // What the verifier found in range is found here; the other case would be refused by Cranelift's verifier.

    fn block(&self, block: u32) -> Block {
        self.blocks.get(block as usize).copied().unwrap_or(Block::from_u32(u32::MAX - 1))
    }

    fn word(&self, word: Word) -> Value {
        self.words.get(word.0 as usize).copied().unwrap_or(Value::from_u32(u32::MAX - 1))
    }

    fn frame(&self) -> Value {
        self.given.map_or(Value::from_u32(u32::MAX - 1), |(frame, _)| frame)
    }

    fn ctx(&self) -> Value {
        self.given.map_or(Value::from_u32(u32::MAX - 1), |(_, ctx)| ctx)
    }

    fn header(&mut self) -> Value {
        let ctx = self.ctx();
        self.builder.ins().load(I64, TRUSTED.with_readonly().with_can_move(), ctx, CTX_HEADER_AT)
    }

    fn instruction(&mut self, instruction: &Instruction) {
        let result = match instruction {
            Instruction::Constant(value) => self.builder.ins().iconst(I64, *value as i64),
            Instruction::Text(index) => self.builder.ins().iconst(I64, i64::from(*index)),
            Instruction::Load { slot } => {
                let frame = self.frame();
                self.builder.ins().load(I64, TRUSTED, frame, slot_offset(*slot))
            }
            Instruction::Store { slot, word } => {
                let (frame, word) = (self.frame(), self.word(*word));
                self.builder.ins().store(TRUSTED, word, frame, slot_offset(*slot));
                return;
            }
            Instruction::Fact(fact) => {
                let header = self.header();
                self.builder.ins().load(I64, TRUSTED, header, fact_offset(*fact))
            }
            Instruction::SetLanguage(word) => {
                let (header, word) = (self.header(), self.word(*word));
                self.builder.ins().store(TRUSTED, word, header, offset_of!(Header, language) as i32);
                return;
            }
            Instruction::Arithmetic { operation, left, right, place } => {
                let (left, right) = (self.word(*left), self.word(*right));
                let (result, overflow) = match operation {
                    Arithmetic::Add => self.builder.ins().sadd_overflow(left, right),
                    Arithmetic::Subtract => self.builder.ins().ssub_overflow(left, right),
                    Arithmetic::Multiply => self.builder.ins().smul_overflow(left, right),
                };
                self.fault_if(overflow, FaultKind::Overflow, *place);
                result
            }
            Instruction::Compare { condition, left, right } => {
                let (left, right) = (self.word(*left), self.word(*right));
                let holds = self.builder.ins().icmp(int_condition(*condition), left, right);
                self.builder.ins().uextend(I64, holds)
            }
            Instruction::And(left, right) => {
                let (left, right) = (self.word(*left), self.word(*right));
                self.builder.ins().band(left, right)
            }
            Instruction::Or(left, right) => {
                let (left, right) = (self.word(*left), self.word(*right));
                self.builder.ins().bor(left, right)
            }
            Instruction::Select { condition, yes, no } => {
                let (condition, yes, no) = (self.word(*condition), self.word(*yes), self.word(*no));
                self.builder.ins().select(condition, yes, no)
            }
            Instruction::Require { condition, fault, place } => {
                let condition = self.word(*condition);
                let fails = self.builder.ins().icmp_imm_s(IntCC::Equal, condition, 0);
                self.fault_if(fails, *fault, *place);
                return;
            }
            Instruction::Host { call, arguments, place } => return self.host(*call, arguments, *place),
        };
        self.words.push(result);
    }

    /// Goes on in a new block when `fails` is zero.
    fn fault_if(&mut self, fails: Value, kind: FaultKind, place: u32) {
        let kind = self.builder.ins().iconst(I32, i64::from(kind as u32));
        self.fault_with(fails, kind, place);
    }

    fn fault_with(&mut self, fails: Value, kind: Value, place: u32) {
        let exit = self.exit(Exit::new(Exit::FAULT, place));
        let fault = self.fault_block();
        let next = self.builder.create_block();
        self.builder.ins().brif(fails, fault, &[BlockArg::Value(kind), BlockArg::Value(exit)], next, &[]);
        self.builder.switch_to_block(next);
    }

    fn fault_block(&mut self) -> Block {
        if let Some(block) = self.fault {
            return block;
        }
        let block = self.builder.create_block();
        self.builder.set_cold_block(block);
        self.builder.append_block_param(block, I32);
        self.builder.append_block_param(block, I32);
        self.fault = Some(block);
        block
    }

    fn fill_fault_block(&mut self) {
        let Some(block) = self.fault else { return };
        self.builder.switch_to_block(block);
        if let [kind, exit] = *self.builder.block_params(block) {
            let header = self.header();
            self.builder.ins().store(TRUSTED, kind, header, offset_of!(Header, fault) as i32);
            self.builder.ins().return_(&[exit]);
        }
    }

    fn exit(&mut self, exit: Exit) -> Value {
        self.builder.ins().iconst(I32, i64::from(exit.0))
    }

    fn host(&mut self, call: HostCall, arguments: &[Word], place: u32) {
        let (signature, room) = self.host_signature();
        for (at, word) in (0i32..).zip(arguments) {
            let word = self.word(*word);
            self.builder.ins().stack_store(I64, word, room, at * 8);
        }
        let words = self.builder.ins().stack_addr(I64, room, 0);
        let ctx = self.ctx();
        let number = self.builder.ins().iconst(I64, i64::from(call as u32));
        let flags = TRUSTED.with_readonly().with_can_move();
        let function = self.builder.ins().load(I64, flags, ctx, CTX_CALL_AT);
        let called = self.builder.ins().call_indirect(signature, function, &[ctx, number, words]);
        if let [status] = *self.builder.inst_results(called) {
            self.fault_with(status, status, place);
        }
        for at in 0..call.arity().1 as i32 {
            let word = self.builder.ins().stack_load(I64, I64, room, at * 8);
            self.words.push(word);
        }
    }

    fn host_signature(&mut self) -> (SigRef, StackSlot) {
        if let Some(made) = self.host {
            return made;
        }
        let signature = self.builder.import_signature(signature(self.target, &[I64, I64, I64]));
        let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, (HOST_WORDS * 8) as u32, 3);
        let made = (signature, self.builder.create_sized_stack_slot(slot));
        self.host = Some(made);
        made
    }

    fn terminator(&mut self, terminator: &Terminator) {
        let exit = match terminator {
            Terminator::Jump(edge) => {
                let (block, arguments) = self.edge(edge);
                self.builder.ins().jump(block, &arguments);
                return;
            }
            Terminator::Branch { condition, yes, no } => {
                let condition = self.word(*condition);
                let ((yes, yes_arguments), (no, no_arguments)) = (self.edge(yes), self.edge(no));
                self.builder.ins().brif(condition, yes, &yes_arguments, no, &no_arguments);
                return;
            }
            Terminator::Switch { word, table, default } => return self.switch(*word, table, default),
            Terminator::Fault { kind, place } => {
                let kind = self.builder.ins().iconst(I32, i64::from(*kind as u32));
                let exit = self.exit(Exit::new(Exit::FAULT, *place));
                let fault = self.fault_block();
                self.builder.ins().jump(fault, &[BlockArg::Value(kind), BlockArg::Value(exit)]);
                return;
            }
            Terminator::Return(tag) => {
                let tag = self.word(*tag);
                let tag = self.builder.ins().ireduce(I32, tag);
                // The shift drops what does not fit an operand.
                let operand = self.builder.ins().ishl_imm_u(tag, 8);
                self.builder.ins().bor_imm_u(operand, i64::from(Exit::RETURN))
            }
            Terminator::Wait(site) => self.exit(Exit::new(Exit::WAIT, site.0)),
            Terminator::Continue(segment) => self.exit(Exit::new(Exit::CONTINUE, segment.0)),
            Terminator::Call(site) => self.exit(Exit::new(Exit::CALL, site.0)),
            Terminator::End => self.exit(Exit::new(Exit::END, 0)),
        };
        self.builder.ins().return_(&[exit]);
    }

    fn edge(&self, edge: &Edge) -> (Block, Vec<BlockArg>) {
        let arguments = edge.arguments.iter().map(|word| BlockArg::Value(self.word(*word))).collect();
        (self.block(edge.block.0), arguments)
    }

    fn switch(&mut self, word: Word, table: &[Edge], default: &Edge) {
        let index = self.word(word);
        let (otherwise, otherwise_arguments) = self.edge(default);
        if table.len() <= CHAIN_MAX {
            for (at, edge) in (0i64..).zip(table) {
                let (block, arguments) = self.edge(edge);
                let is_this = self.builder.ins().icmp_imm_s(IntCC::Equal, index, at);
                let next = self.builder.create_block();
                self.builder.ins().brif(is_this, block, &arguments, next, &[]);
                self.builder.switch_to_block(next);
            }
            self.builder.ins().jump(otherwise, &otherwise_arguments);
            return;
        }
        let calls: Vec<BlockCall> = table
            .iter()
            .map(|edge| {
                let (block, arguments) = self.edge(edge);
                BlockCall::new(block, arguments, &mut self.builder.func.dfg.value_lists)
            })
            .collect();
        let otherwise = BlockCall::new(otherwise, otherwise_arguments, &mut self.builder.func.dfg.value_lists);
        let jump_table = self.builder.create_jump_table(JumpTableData::new(otherwise, &calls));
        let index = self.table_index(index, table.len());
        self.builder.ins().br_table(index, jump_table);
    }

    /// A jump table looks at 32 bits; whatever is larger goes past its end. The outcome never is.
    fn table_index(&mut self, index: Value, entries: usize) -> Value {
        if Some(index) == self.words.first().copied() {
            return self.builder.ins().ireduce(I32, index);
        }
        let end = self.builder.ins().iconst(I64, entries as i64);
        let is_inside = self.builder.ins().icmp(IntCC::UnsignedLessThan, index, end);
        let index = self.builder.ins().select(is_inside, index, end);
        self.builder.ins().ireduce(I32, index)
    }
}

fn slot_offset(slot: u32) -> i32 {
    slot as i32 * 8
}

fn fact_offset(fact: Fact) -> i32 {
    let offset = match fact {
        Fact::Language => offset_of!(Header, language),
        Fact::CallerTag => offset_of!(Header, caller_number),
        Fact::CallerNumber => offset_of!(Header, caller_number) + 8,
        Fact::CalledTag => offset_of!(Header, called),
        Fact::Called => offset_of!(Header, called) + 8,
        Fact::Channel => offset_of!(Header, channel),
    };
    offset as i32
}

fn int_condition(condition: Condition) -> IntCC {
    match condition {
        Condition::Equal => IntCC::Equal,
        Condition::NotEqual => IntCC::NotEqual,
        Condition::Less => IntCC::SignedLessThan,
        Condition::LessOrEqual => IntCC::SignedLessThanOrEqual,
        Condition::Greater => IntCC::SignedGreaterThan,
        Condition::GreaterOrEqual => IntCC::SignedGreaterThanOrEqual,
    }
}
