//! Lists and what variants carry: words of several values as one.

use lang_diagnostics::Span;
use lang_semantics::hir::{Argument, Expr, LocalId, Loop, Rounds, Statement};
use runtime_contract::host::{FaultKind, HostCall};
use runtime_contract::types::{Class, Type};

use super::flow::{FlowWriter, first_span};
use crate::graph::{Arithmetic, Condition, Word};

impl FlowWriter<'_> {
    /// A variant with its fields. What it leaves of the slots that it shares with others is zero, so that equal values
    /// have equal words.
    pub fn construct(&mut self, of: &Type, variant: u32, fields: &[Argument]) -> Vec<Word> {
        let carried = self.arguments(fields);
        let Type::Enum(id) = of else {
            self.mistake("a variant of what is no enum".to_owned());
            return Vec::new();
        };
        let places = self.program.types.payload_places(*id, variant);
        let mut words = vec![self.graph.constant(variant.into())];
        for place in 0..self.program.types.payload(*id).len() {
            let carried = places.iter().position(|taken| *taken == place).and_then(|at| carried.get(at));
            words.push(match carried {
                Some(word) => *word,
                None => self.graph.constant(0),
            });
        }
        words
    }

    /// Gives the locals of a pattern what the variant carries.
    pub fn take_carried(&mut self, of: &Type, variant: u32, locals: &[LocalId], words: &[Word]) {
        let Type::Enum(id) = of else { return };
        let fields = self.program.types.variants(*id).get(variant as usize).map_or(&[][..], |found| &found.fields);
        let mut places = self.program.types.payload_places(*id, variant).into_iter();
        for (local, field) in locals.iter().zip(fields) {
            let width = self.program.types.width(&field.r#type);
            let carried = places.by_ref().take(width).filter_map(|place| words.get(place + 1).copied());
            let carried: Vec<Word> = carried.collect();
            self.store_local(*local, &carried);
        }
    }

    pub fn list(&mut self, rows: &[Expr], span: Span) -> Word {
        let mut cells = 0;
        for row in rows {
            let words = self.value(row);
            let classes = self.program.types.slots(&row.ty);
            for (word, class) in words.into_iter().zip(classes) {
                let place = self.fault_place(span);
                self.graph.host(HostCall::list_put(class), &[word], place);
                cells += 1;
            }
        }
        let cells = self.graph.integer(cells);
        self.host_at(HostCall::ListMake, &[cells], span)
    }

    pub fn list_length(&mut self, list: Word, row: &Type, span: Span) -> Word {
        let width = self.graph.integer(self.program.types.width(row).max(1) as i64);
        self.host_at(HostCall::ListLength, &[list, width], span)
    }

    pub fn row(&mut self, list: &Expr, place: &Expr, span: Span) -> Vec<Word> {
        let (handle, at) = (self.word(list), self.word(place));
        let Type::List(row) = &list.ty else {
            self.mistake("a row of what is no list".to_owned());
            return Vec::new();
        };
        let (one, length) = (self.graph.integer(1), self.list_length(handle, row, span));
        let fault = self.fault_place(span);
        for (condition, bound) in [(Condition::GreaterOrEqual, one), (Condition::LessOrEqual, length)] {
            let fits = self.graph.compare(condition, at, bound);
            self.graph.require(fits, FaultKind::Index, fault);
        }
        let before = self.graph.arithmetic(Arithmetic::Subtract, at, one, fault);
        self.row_words(handle, row, before, fault)
    }

    /// The words of a row that is there; `before` rows stand before it.
    fn row_words(&mut self, list: Word, row: &Type, before: Word, fault: u32) -> Vec<Word> {
        let classes = self.program.types.slots(row);
        let width = self.graph.integer(classes.len() as i64);
        let first = self.graph.arithmetic(Arithmetic::Multiply, before, width, fault);
        let mut words = Vec::new();
        for (class, at) in classes.into_iter().zip(0..) {
            let at = self.graph.integer(at);
            let cell = self.graph.arithmetic(Arithmetic::Add, first, at, fault);
            words.push(self.host(HostCall::list_cell(class), &[list, cell], fault));
        }
        words
    }

    /// A segment begins each round. The cursor goes on behind the last.
    pub fn rounds(&mut self, found: &Loop, statement: &Statement) {
        let fault = self.fault_place(statement.keyword);
        let (length, list) = match &found.rounds {
            Rounds::Times(times) => (self.word(times), None),
            Rounds::Each { list, row } => {
                let Type::List(row_type) = &list.ty else { return self.mistake("rows of what is no list".to_owned()) };
                let handle = self.word(list);
                let kept = self.graph.variable(self.flow, Class::List, "");
                self.graph.store(kept, handle);
                (self.list_length(handle, row_type, list.span), Some((kept, row_type, *row)))
            }
        };
        let most = self.graph.integer(found.rounds_max.into());
        let above = self.graph.compare(Condition::Greater, length, most);
        let length = self.graph.select(above, most, length);
        let [rounds, done] = [(); 2].map(|()| self.graph.variable(self.flow, Class::Word, ""));
        self.graph.store(rounds, length);
        let none = self.graph.integer(0);
        self.graph.store(done, none);
        let next = self.graph.segment(self.flow);
        self.graph.continue_in(next);
        self.graph.go_to(self.graph.entry(next));
        let (before, all, one) = (self.graph.load(done), self.graph.load(rounds), self.graph.integer(1));
        let more = self.graph.compare(Condition::Less, before, all);
        let (round, behind) = (self.graph.block(), self.graph.block());
        self.graph.branch(more, round, behind);
        self.graph.go_to(round);
        self.mark_arm(first_span(&found.block).unwrap_or(statement.keyword), &found.block, "");
        let after = self.graph.arithmetic(Arithmetic::Add, before, one, fault);
        self.graph.store(done, after);
        if let Some((kept, row_type, row)) = list {
            let handle = self.graph.load(kept);
            let words = self.row_words(handle, row_type, before, fault);
            self.store_local(row, &words);
        }
        self.block(&found.block);
        let leaves = self.graph.is_ended();
        if !leaves {
            self.graph.continue_in(next);
        }
        self.graph.go_to(behind);
        // The first round is sure and leaves, so that nobody comes behind it.
        if leaves && found.is_certain {
            self.graph.end_block();
        }
    }
}
