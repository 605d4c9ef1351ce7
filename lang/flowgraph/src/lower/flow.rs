//! One flow: its variables, the segments of its parts, and where branches meet again.

use std::collections::BTreeMap;

use lang_diagnostics::{Sources, Span};
use lang_semantics::hir::{self, Block, DialogueId, LocalId};
use runtime_contract::program::Place;
use runtime_contract::types::Class;

use super::dialogue::Tries;
use super::script::place;
use crate::builder::{GraphBuilder, Point, Variable};
use crate::graph::{FlowId, SegmentId, Word};
use crate::marks::{Mark, MarkKind};

/// What is known while one flow is written.
pub(super) struct FlowWriter<'a> {
    pub graph: &'a mut GraphBuilder,
    pub program: &'a hir::Program,
    pub flow: FlowId,
    pub tree: &'a hir::Flow,
    /// By step.
    pub steps: Vec<SegmentId>,
    /// The part that is written now: name of a step, `fault`, `finally`, or empty for the top.
    pub part: String,
    /// Sites so far of each `flow.step/label`.
    pub ordinals: BTreeMap<String, u32>,
    /// Dialogues with a bound, while their arms are written.
    pub tries: BTreeMap<DialogueId, Tries>,
    sources: &'a Sources,
    /// By local, the variables of its slots.
    locals: Vec<Vec<Variable>>,
    counters: BTreeMap<Counter, Variable>,
}

/// What a flow counts by itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Counter {
    /// Arrivals by a bounded `go`.
    Go(hir::CounterId),
    /// The try that goes on.
    Tries(DialogueId),
}

pub(super) fn lower(graph: &mut GraphBuilder, program: &hir::Program, sources: &Sources, id: FlowId, flow: &hir::Flow) {
    let parameters = flow.parameters as usize;
    let locals = flow.locals.iter().enumerate();
    let locals = locals.map(|(at, local)| match at < parameters {
        true => graph.parameter(id, at),
        false => graph.variables(id, &local.ty, &local.name),
    });
    let locals = locals.collect();
    let steps = flow.steps.iter().map(|_| graph.segment(id)).collect();
    let mut writer = FlowWriter {
        graph,
        program,
        flow: id,
        tree: flow,
        steps,
        part: String::new(),
        ordinals: BTreeMap::new(),
        tries: BTreeMap::new(),
        sources,
        locals,
        counters: BTreeMap::new(),
    };
    let entry = writer.graph.segment(id);
    writer.graph.set_entry(id, entry);
    writer.path(entry, "", flow.span, &flow.top);
    for (segment, step) in writer.steps.clone().into_iter().zip(&flow.steps) {
        writer.path(segment, &step.name, step.span, &step.block);
    }
    if let Some(block) = &flow.fault {
        let segment = writer.handler("fault", block);
        writer.graph.set_fault(id, segment);
    }
    if let Some(block) = &flow.finally {
        let segment = writer.handler("finally", block);
        writer.graph.set_finally(id, segment);
    }
}

impl FlowWriter<'_> {
    /// A part whose paths end by themselves.
    fn path(&mut self, segment: SegmentId, part: &str, span: Span, block: &Block) {
        part.clone_into(&mut self.part);
        self.graph.go_to(self.graph.entry(segment));
        self.mark(MarkKind::Part, span, block, "");
        self.block(block);
        if !self.graph.is_ended() {
            self.mistake(format!("a path of part `{part}` does not end"));
        }
    }

    fn handler(&mut self, part: &str, block: &Block) -> SegmentId {
        part.clone_into(&mut self.part);
        let segment = self.begin_segment();
        self.mark(MarkKind::Part, first_span(block).unwrap_or(self.tree.span), block, "");
        self.block(block);
        self.graph.end_block();
        segment
    }

    /// The arm with this block begins at the cursor. `span` is where it is written; `label` says what leads to it where
    /// no line does.
    pub fn mark_arm(&mut self, span: Span, block: &Block, label: &'static str) {
        self.mark(MarkKind::Arm, span, block, label);
    }

    fn mark(&mut self, kind: MarkKind, span: Span, block: &Block, label: &'static str) {
        let spans = block.statements.iter().map(|statement| statement.span).filter(|other| other.file == span.file);
        let body = spans.fold(span, Span::to);
        self.graph.mark(Mark { kind, flow: self.flow.0, part: self.part.clone(), span, body, label });
    }

    /// A new segment, with the cursor in it.
    pub fn begin_segment(&mut self) -> SegmentId {
        let segment = self.graph.segment(self.flow);
        self.graph.go_to(self.graph.entry(segment));
        segment
    }

    /// Keeps the cursor, when its path goes on, for [`FlowWriter::join`].
    pub fn end_branch(&mut self, ends: &mut Vec<Point>) {
        if !self.graph.is_ended() {
            ends.push(self.graph.here());
        }
    }

    /// Where all these ends go on: a block when they lie in one segment, else a segment. Without any, the cursor stays
    /// where a path has ended.
    pub fn join(&mut self, ends: &[Point]) {
        let [first, others @ ..] = ends else { return };
        self.graph.go_to(*first);
        if others.is_empty() {
            return;
        }
        if others.iter().all(|end| end.segment == first.segment) {
            let behind = self.graph.block();
            for end in ends {
                self.graph.go_to(*end);
                self.graph.jump(behind, &[]);
            }
            self.graph.go_to(behind);
        } else {
            let behind = self.graph.segment(self.flow);
            for end in ends {
                self.graph.go_to(*end);
                self.graph.continue_in(behind);
            }
            self.graph.go_to(self.graph.entry(behind));
        }
    }

    pub fn local(&mut self, local: LocalId) -> Vec<Variable> {
        match self.locals.get(local.0 as usize) {
            Some(variables) => variables.clone(),
            None => {
                self.mistake(format!("local {} is not declared", local.0));
                Vec::new()
            }
        }
    }

    pub fn store_local(&mut self, local: LocalId, words: &[Word]) {
        let variables = self.local(local);
        if variables.len() != words.len() {
            self.mistake(format!("local {} takes {} words, not {}", local.0, variables.len(), words.len()));
        }
        for (variable, word) in variables.into_iter().zip(words) {
            self.graph.store(variable, *word);
        }
    }

    /// Words of a local.
    pub fn width_of(&self, local: LocalId) -> usize {
        self.locals.get(local.0 as usize).map_or(0, Vec::len)
    }

    pub fn load_local(&mut self, local: LocalId) -> Vec<Word> {
        self.local(local).into_iter().map(|variable| self.graph.load(variable)).collect()
    }

    pub fn counter(&mut self, counter: Counter) -> Variable {
        let (graph, flow) = (&mut *self.graph, self.flow);
        *self.counters.entry(counter).or_insert_with(|| graph.variable(flow, Class::Word, ""))
    }

    pub fn place(&self, span: Span) -> Place {
        place(self.sources, span)
    }

    pub fn fault_place(&mut self, span: Span) -> u32 {
        let place = self.place(span);
        self.graph.fault_place(place)
    }

    /// The tree is not what it promised to be.
    pub fn mistake(&mut self, text: String) {
        self.graph.problems.push(format!("flow {}: {text}", self.tree.name));
    }
}

/// Where a block that has no place of its own is written.
pub(super) fn first_span(block: &Block) -> Option<Span> {
    block.statements.first().map(|statement| statement.keyword)
}
