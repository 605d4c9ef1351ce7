//! How a graph is written: segments block by block, with variables instead of frame slots. Slots, live maps,
//! mailboxes, the order of blocks and the table of constants come out of [`GraphBuilder::finish`].

use std::sync::Arc;

use runtime_contract::host::{FaultKind, HostCall};
use runtime_contract::program::{FlowMeta, Parameter, Place, ProgramMeta, Prompt, SiteId, SiteInfo, SiteKind};
use runtime_contract::stack::RESULT_AT;
use runtime_contract::types::{Class, Type};

use crate::finish::{Part, part, seal};
use crate::graph::{Arithmetic, BlockId, Condition, Edge, Fact, FlowId, Instruction, SegmentId, Terminator, Word};
use crate::hash::FxHashMap;
use crate::marks::{Mark, Marks, Placed, place};
use crate::site::mailbox;
use crate::verify::Verified;

/// Builds one program. Fill `meta` (languages, types, prompts, services, hours, inbounds, files) before the
/// flows and sites that name its entries; leave flows, segments, sites, constants and fault places to the
/// methods here.
///
/// A builder of [`GraphBuilder::of_flow`] writes one flow of a program alone.
///
/// Instructions are added at a cursor, [`GraphBuilder::go_to`]. What follows a terminator without a new cursor
/// is unreachable and dropped, so is every segment and site that no flow reaches.
#[derive(Debug, Default)]
pub struct GraphBuilder {
    pub meta: ProgramMeta,
    /// The program, when `meta` is that of one of its flows only.
    program: Option<Arc<ProgramMeta>>,
    pub(crate) segments: Vec<DraftSegment>,
    pub(crate) flows: Vec<DraftFlow>,
    pub(crate) problems: Vec<String>,
    /// Words are numbered over all segments here, so that one that strays into another is found.
    pub(crate) words: u32,
    texts: FxHashMap<String, u32>,
    places: FxHashMap<(u32, u32, u32), u32>,
    pub(crate) marks: Vec<Mark>,
    cursor: Point,
}

/// Where instructions are added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    pub segment: SegmentId,
    pub block: BlockId,
}

impl Default for Point {
    fn default() -> Self {
        Point { segment: SegmentId(u32::MAX), block: BlockId(0) }
    }
}

/// One word of a flow that may live across a wait. It is zero until something is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Variable {
    flow: FlowId,
    /// Slot of the wide frame, in which no two variables share one.
    slot: u32,
}

/// One place where a flow waits, or runs another; the values that it takes and gives follow from its kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// `hotline.main/menu#1`.
    pub key: String,
    pub place: Place,
    pub flow: FlowId,
    pub step: String,
    pub kind: SiteKind,
    /// Takes the outcome. Of a request without outcomes, any segment of the flow.
    pub resume: SegmentId,
}

#[derive(Debug, Default)]
pub(crate) struct DraftSegment {
    pub blocks: Vec<DraftBlock>,
}

#[derive(Debug, Default)]
pub(crate) struct DraftBlock {
    pub parameters: Vec<Word>,
    /// With the first word that each defines.
    pub instructions: Vec<(Instruction, Word)>,
    pub terminator: Option<Terminator>,
    pub marks: Vec<Placed>,
}

#[derive(Debug, Default)]
pub(crate) struct DraftFlow {
    /// Class and name of each variable, in slot order after header, result and parameters.
    pub variables: Vec<(Class, String)>,
    pub is_entered: bool,
}

/// A flow of which nothing is written yet.
pub(crate) fn declared(name: &str, parameters: Vec<Parameter>, result: Option<Type>) -> FlowMeta {
    FlowMeta {
        name: name.to_owned(),
        parameters,
        result,
        frame_words: 0,
        mailbox_at: DRAFT_MAILBOX_AT,
        entry_segment: 0,
        fault_segment: None,
        finally_segment: None,
        is_attempt: false,
    }
}

/// Mailbox slots are numbered from here until the frame is laid out.
pub(crate) const DRAFT_MAILBOX_AT: u32 = 1 << 30;

impl GraphBuilder {
    pub fn new(meta: ProgramMeta) -> Self {
        GraphBuilder { meta, ..GraphBuilder::default() }
    }

    /// For the code of one flow of a program that has all its tables. Here the flow is [`FlowId`] 0, and it is declared;
    /// services, hours and flows that it runs have the program's numbers; prompts are numbered by their place in `prompts`.
    pub fn of_flow(program: &Arc<ProgramMeta>, flow: u32, prompts: &[u32]) -> Self {
        let own = program.flow(flow).cloned();
        let prompts = prompts.iter().filter_map(|number| program.prompts.get(*number as usize));
        let arguments = |prompt: &Prompt| Prompt { name: None, arguments: prompt.arguments.clone(), texts: Vec::new() };
        let meta = ProgramMeta {
            types: Arc::clone(&program.types),
            prompts: prompts.map(arguments).collect(),
            flows: own.into_iter().collect(),
            ..ProgramMeta::default()
        };
        let flows = meta.flows.iter().map(|_| DraftFlow::default()).collect();
        GraphBuilder { meta, program: Some(Arc::clone(program)), flows, ..GraphBuilder::default() }
    }

    /// Declares a flow; `module.flow` is its name.
    pub fn flow(&mut self, name: &str, parameters: Vec<Parameter>, result: Option<Type>) -> FlowId {
        let id = FlowId(self.meta.flows.len() as u32);
        self.meta.flows.push(declared(name, parameters, result));
        self.flows.push(DraftFlow::default());
        id
    }

    pub fn set_entry(&mut self, flow: FlowId, segment: SegmentId) {
        if let Some(draft) = self.flows.get_mut(flow.0 as usize) {
            draft.is_entered = true;
        }
        self.change_flow(flow, |meta| meta.entry_segment = segment.0);
    }

    /// The segment in which the flow's `fault` block begins.
    pub fn set_fault(&mut self, flow: FlowId, segment: SegmentId) {
        self.change_flow(flow, |meta| meta.fault_segment = Some(segment.0));
    }

    /// The segment in which the flow's `finally` block begins.
    pub fn set_finally(&mut self, flow: FlowId, segment: SegmentId) {
        self.change_flow(flow, |meta| meta.finally_segment = Some(segment.0));
    }

    fn change_flow(&mut self, flow: FlowId, change: impl FnOnce(&mut FlowMeta)) {
        match self.meta.flows.get_mut(flow.0 as usize) {
            Some(meta) => change(meta),
            None => self.problems.push(format!("flow {} is not declared", flow.0)),
        }
    }

    /// A variable of one slot. `name` is what people see in a stopped call; empty for a counter or a temporary.
    pub fn variable(&mut self, flow: FlowId, class: Class, name: &str) -> Variable {
        let first = self.first_variable(flow);
        let Some(draft) = self.flows.get_mut(flow.0 as usize) else { return Variable { flow, slot: 0 } };
        draft.variables.push((class, name.to_owned()));
        Variable { flow, slot: first + draft.variables.len() as u32 - 1 }
    }

    /// Variables for the slots of a value of this type, in order.
    pub fn variables(&mut self, flow: FlowId, r#type: &Type, name: &str) -> Vec<Variable> {
        self.meta.types.slots(r#type).into_iter().map(|class| self.variable(flow, class, name)).collect()
    }

    /// The slots of a parameter, by its position.
    pub fn parameter(&self, flow: FlowId, position: usize) -> Vec<Variable> {
        let mut from = self.first_parameter(flow);
        let parameters = self.meta.flow(flow.0).map_or(&[][..], |meta| &meta.parameters);
        for (at, parameter) in parameters.iter().enumerate() {
            let to = from + self.meta.types.width(&parameter.r#type) as u32;
            if at == position {
                return (from..to).map(|slot| Variable { flow, slot }).collect();
            }
            from = to;
        }
        Vec::new()
    }

    fn first_parameter(&self, flow: FlowId) -> u32 {
        RESULT_AT + runtime_contract::drive::result_words(&self.meta, flow.0) as u32
    }

    fn first_variable(&self, flow: FlowId) -> u32 {
        crate::frame::first_variable(&self.meta, flow.0)
    }

    /// Declares a segment, with its entry block.
    pub fn segment(&mut self, flow: FlowId) -> SegmentId {
        let outcome = self.new_word();
        self.meta.segments.push(flow.0);
        self.segments
            .push(DraftSegment { blocks: vec![DraftBlock { parameters: vec![outcome], ..DraftBlock::default() }] });
        SegmentId(self.segments.len() as u32 - 1)
    }

    pub fn site(&mut self, site: Site) -> SiteId {
        let program = self.program.as_deref().unwrap_or(&self.meta);
        let is_attempt = self.meta.flow(site.flow.0).is_some_and(|flow| flow.is_attempt);
        let mailbox = mailbox(program, &self.meta.prompts, is_attempt, &site.kind).unwrap_or_else(|| {
            self.problems.push(format!("site {}: its request names something that is not there", site.key));
            Default::default()
        });
        let id = SiteId(self.meta.sites.len() as u32);
        self.meta.sites.push(SiteInfo {
            key: site.key,
            place: site.place,
            flow: site.flow.0,
            step: site.step,
            kind: site.kind,
            resume: site.resume.0,
            arguments: mailbox.arguments,
            payloads: mailbox.payloads,
            live: Vec::new(),
        });
        id
    }

    /// Index for operations that may fault at this place.
    pub fn fault_place(&mut self, place: Place) -> u32 {
        let places = &mut self.meta.fault_places;
        *self.places.entry((place.file, place.line, place.column)).or_insert_with(|| {
            places.push(place);
            places.len() as u32 - 1
        })
    }

    // The cursor.

    /// The entry block of a segment.
    pub fn entry(&self, segment: SegmentId) -> Point {
        Point { segment, block: BlockId(0) }
    }

    pub fn here(&self) -> Point {
        self.cursor
    }

    pub fn go_to(&mut self, point: Point) {
        self.cursor = point;
    }

    /// A new block of the cursor's segment; the cursor stays.
    pub fn block(&mut self) -> Point {
        let segment = self.cursor.segment;
        let Some(draft) = self.segments.get_mut(segment.0 as usize) else { return self.cursor };
        draft.blocks.push(DraftBlock::default());
        Point { segment, block: BlockId(draft.blocks.len() as u32 - 1) }
    }

    /// A word that each edge to this block hands over.
    pub fn block_parameter(&mut self, point: Point) -> Word {
        let word = self.new_word();
        if let Some(block) = self.block_mut(point) {
            block.parameters.push(word);
        }
        word
    }

    /// The cursor's block has its terminator; what is added now is dropped.
    pub fn is_ended(&self) -> bool {
        let segment = self.segments.get(self.cursor.segment.0 as usize);
        segment.and_then(|s| s.blocks.get(self.cursor.block.0 as usize)).is_none_or(|b| b.terminator.is_some())
    }

    /// Index of the outcome with which the cursor's segment was entered.
    pub fn outcome(&self) -> Word {
        let segment = self.segments.get(self.cursor.segment.0 as usize);
        let entry = segment.and_then(|s| s.blocks.first());
        entry.and_then(|block| block.parameters.first()).copied().unwrap_or(Word(u32::MAX))
    }

    fn new_word(&mut self) -> Word {
        self.words += 1;
        Word(self.words - 1)
    }

    fn block_mut(&mut self, point: Point) -> Option<&mut DraftBlock> {
        self.segments.get_mut(point.segment.0 as usize)?.blocks.get_mut(point.block.0 as usize)
    }

    /// Adds an instruction; gives the first word that it defines.
    fn push(&mut self, instruction: Instruction) -> Word {
        let word = Word(self.words);
        self.words += instruction.results();
        if self.is_ended() {
            self.cursor = self.block();
        }
        let cursor = self.cursor;
        match self.block_mut(cursor) {
            Some(block) => block.instructions.push((instruction, word)),
            None => self.problems.push("an instruction outside of any segment".to_owned()),
        }
        word
    }

    fn end(&mut self, terminator: Terminator) {
        let cursor = self.cursor;
        if self.is_ended() {
            return;
        }
        if let Some(block) = self.block_mut(cursor) {
            block.terminator = Some(terminator);
        }
    }

    // Instructions.

    pub fn constant(&mut self, word: u64) -> Word {
        self.push(Instruction::Constant(word))
    }

    pub fn integer(&mut self, value: i64) -> Word {
        self.constant(value as u64)
    }

    /// The handle of a constant text.
    pub fn text(&mut self, text: &str) -> Word {
        let next = self.texts.len() as u32;
        let index = *self.texts.entry(text.to_owned()).or_insert(next);
        self.push(Instruction::Text(index))
    }

    /// Whoever comes by the cursor comes by this place of the source.
    pub fn mark(&mut self, mark: Mark) {
        let (cursor, id) = (self.cursor, self.marks.len() as u32);
        self.marks.push(mark);
        if !self.is_ended()
            && let Some(block) = self.block_mut(cursor)
        {
            place(block, id);
        }
    }

    pub(crate) fn take_texts(&mut self) -> Vec<String> {
        let mut texts: Vec<_> = std::mem::take(&mut self.texts).into_iter().collect();
        texts.sort_unstable_by_key(|(_, index)| *index);
        texts.into_iter().map(|(text, _)| text).collect()
    }

    pub fn load(&mut self, variable: Variable) -> Word {
        self.expect_flow(variable);
        self.push(Instruction::Load { slot: variable.slot })
    }

    pub fn store(&mut self, variable: Variable, word: Word) {
        self.expect_flow(variable);
        self.push(Instruction::Store { slot: variable.slot, word });
    }

    fn expect_flow(&mut self, variable: Variable) {
        if self.meta.segments.get(self.cursor.segment.0 as usize) != Some(&variable.flow.0) {
            self.problems
                .push(format!("segment {} uses a variable of flow {}", self.cursor.segment.0, variable.flow.0));
        }
    }

    /// A word of the payload with which the site of this segment was resumed: the values of the outcome's type
    /// (of a `run`, its result), by slot. Store what must outlive the next wait, `run` or `return`.
    pub fn payload(&mut self, at: u32) -> Word {
        self.push(Instruction::Load { slot: DRAFT_MAILBOX_AT + at })
    }

    pub fn fact(&mut self, fact: Fact) -> Word {
        self.push(Instruction::Fact(fact))
    }

    pub fn set_language(&mut self, word: Word) {
        self.push(Instruction::SetLanguage(word));
    }

    /// Checked: fault `overflow`. Serves Int, Decimal, amounts of Money and Duration alike.
    pub fn arithmetic(&mut self, operation: Arithmetic, left: Word, right: Word, place: u32) -> Word {
        self.push(Instruction::Arithmetic { operation, left, right, place })
    }

    /// Checked: the least integer has no opposite.
    pub fn negate(&mut self, word: Word, place: u32) -> Word {
        let zero = self.constant(0);
        self.arithmetic(Arithmetic::Subtract, zero, word, place)
    }

    pub fn compare(&mut self, condition: Condition, left: Word, right: Word) -> Word {
        self.push(Instruction::Compare { condition, left, right })
    }

    pub fn not(&mut self, word: Word) -> Word {
        let zero = self.constant(0);
        self.compare(Condition::Equal, word, zero)
    }

    pub fn and(&mut self, left: Word, right: Word) -> Word {
        self.push(Instruction::And(left, right))
    }

    pub fn or(&mut self, left: Word, right: Word) -> Word {
        self.push(Instruction::Or(left, right))
    }

    pub fn select(&mut self, condition: Word, yes: Word, no: Word) -> Word {
        self.push(Instruction::Select { condition, yes, no })
    }

    /// Faults unless the condition holds: `index` for a bound, `currency` for two amounts.
    pub fn require(&mut self, condition: Word, fault: FaultKind, place: u32) {
        self.push(Instruction::Require { condition, fault, place });
    }

    pub fn require_same_currency(&mut self, left: Word, right: Word, place: u32) {
        let same = self.compare(Condition::Equal, left, right);
        self.require(same, FaultKind::Currency, place);
    }

    /// Gives the words of its results.
    pub fn host(&mut self, call: HostCall, arguments: &[Word], place: u32) -> Vec<Word> {
        let first = self.push(Instruction::Host { call, arguments: arguments.to_vec(), place });
        (0..call.arity().1 as u32).map(|at| Word(first.0 + at)).collect()
    }

    // Terminators.

    pub fn jump(&mut self, to: Point, arguments: &[Word]) {
        let edge = self.edge(to, arguments);
        self.end(Terminator::Jump(edge));
    }

    pub fn branch(&mut self, condition: Word, yes: Point, no: Point) {
        let (yes, no) = (self.edge(yes, &[]), self.edge(no, &[]));
        self.end(Terminator::Branch { condition, yes, no });
    }

    /// By index from 0; past the table's end the default.
    pub fn switch(&mut self, word: Word, table: &[Point], default: Point) {
        let table = table.iter().map(|point| self.edge(*point, &[])).collect();
        let default = self.edge(default, &[]);
        self.end(Terminator::Switch { word, table, default });
    }

    fn edge(&mut self, to: Point, arguments: &[Word]) -> Edge {
        if to.segment != self.cursor.segment {
            self.problems.push(format!("segment {} jumps into segment {}", self.cursor.segment.0, to.segment.0));
        }
        Edge { block: to.block, arguments: arguments.to_vec() }
    }

    /// Waits at a site. `arguments` are the words of its request's values, in order.
    pub fn wait(&mut self, site: SiteId, arguments: &[Word]) {
        self.fill_mailbox(site, arguments);
        self.end(Terminator::Wait(site));
    }

    /// Runs the flow of a site. `arguments` are the words of its parameters, in order.
    pub fn call(&mut self, site: SiteId, arguments: &[Word]) {
        self.fill_mailbox(site, arguments);
        self.end(Terminator::Call(site));
    }

    fn fill_mailbox(&mut self, site: SiteId, arguments: &[Word]) {
        let wanted = self.meta.site(site).map(|info| crate::frame::width(&self.meta, &info.arguments));
        if wanted != Some(arguments.len()) {
            let key = self.meta.site(site).map_or("?", |info| &info.key);
            let count = arguments.len();
            self.problems.push(format!("site {key}: {count} words of arguments, wanted {wanted:?}"));
        }
        for (slot, word) in (DRAFT_MAILBOX_AT..).zip(arguments) {
            self.push(Instruction::Store { slot, word: *word });
        }
    }

    pub fn continue_in(&mut self, segment: SegmentId) {
        self.end(Terminator::Continue(segment));
    }

    /// Returns. `tag` is the variant of an enum result, else 0; `result` are the words of the result's value.
    pub fn return_with(&mut self, tag: Word, result: &[Word]) {
        let flow = self.meta.segments.get(self.cursor.segment.0 as usize).copied().unwrap_or(u32::MAX);
        let wanted = runtime_contract::drive::result_words(&self.meta, flow);
        if wanted != result.len() {
            self.problems.push(format!("flow {flow} returns {} words, wanted {wanted}", result.len()));
        }
        for (slot, word) in (RESULT_AT..).zip(result) {
            self.push(Instruction::Store { slot, word: *word });
        }
        self.end(Terminator::Return(tag));
    }

    /// Ends a `fault` or `finally` block.
    pub fn end_block(&mut self) {
        self.end(Terminator::End);
    }

    pub fn fault(&mut self, kind: FaultKind, place: u32) {
        self.end(Terminator::Fault { kind, place });
    }

    /// Lays out frames, computes live maps, numbers constants, and verifies. The problems are ours, never the
    /// flow author's, but for bounds (a frame or stack too large, too many segments).
    pub fn finish(self) -> Result<Verified, Vec<String>> {
        let Part { graph, marks, placed } = part(self)?;
        seal(graph, Marks::new(marks, placed)).map(|finished| finished.graph)
    }
}
