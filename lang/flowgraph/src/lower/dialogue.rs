//! `menu`, `ask`, `record`: one try is one request. `again` counts and leads to the request once more; when all tries
//! are used it leads to the arm `after N tries`.

use lang_diagnostics::Span;
use lang_semantics::hir::{Ask, Dialogue, DialogueId, LocalId, Menu, Record, Takes};
use runtime_contract::request::{self, Kind, Prompts, Request};

use super::flow::{Counter, FlowWriter};
use crate::builder::Point;
use crate::graph::{Arithmetic, Condition, SegmentId};

/// A dialogue with a bound, while its arms are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tries {
    max: u32,
    /// Makes the request.
    asks: SegmentId,
    /// The arm `after N tries`.
    after: SegmentId,
    /// Some path leads there.
    is_after_used: bool,
    place: u32,
}

/// What the good outcome of an `ask` or `record`, index 0, fills.
struct Good {
    result: LocalId,
    is_optional: bool,
}

impl FlowWriter<'_> {
    pub fn menu(&mut self, menu: &Menu, keyword: Span) {
        let dialogue = &menu.dialogue;
        let takes = dialogue.arms.iter().flat_map(|arm| &arm.takes);
        let choices: Vec<String> = takes
            .filter_map(|takes| match takes {
                Takes::Key(key) => Some(key.clone()),
                _ => None,
            })
            .collect();
        let mut outcomes: Vec<Takes> = choices.iter().cloned().map(Takes::Key).collect();
        outcomes.extend([Takes::Other, Takes::Silence]);
        let request = |prompts| {
            let (listen_ms, between_keys_ms) = (dialogue.listen_ms, dialogue.between_keys_ms);
            Request::Menu(request::Menu { prompts, choices, listen_ms, between_keys_ms })
        };
        self.dialogue(dialogue, request, &outcomes, None, keyword);
    }

    pub fn ask(&mut self, ask: &Ask, keyword: Span) {
        let dialogue = &ask.dialogue;
        let request = |prompts| {
            Request::Ask(request::Ask {
                prompts,
                kind: ask.kind,
                private: ask.private,
                end_key: ask.end_key,
                listen_ms: dialogue.listen_ms,
                between_keys_ms: dialogue.between_keys_ms,
            })
        };
        let good = Good { result: ask.result, is_optional: ask.result_optional };
        self.dialogue(dialogue, request, &[Takes::Silence, Takes::Invalid], Some(good), keyword);
    }

    pub fn record(&mut self, record: &Record, keyword: Span) {
        let dialogue = &record.dialogue;
        let request = |prompts| {
            let (max_ms, end_key, silence_ms) = (record.max_ms, record.end_key, dialogue.listen_ms);
            Request::Record(request::Record { prompts, max_ms, end_key, silence_ms })
        };
        let good = Good { result: record.result, is_optional: record.result_optional };
        self.dialogue(dialogue, request, &[Takes::Silence], Some(good), keyword);
    }

    /// `outcomes` are those of the request in index order, behind the good one where there is one.
    fn dialogue(
        &mut self,
        dialogue: &Dialogue,
        request: impl FnOnce(Prompts) -> Request,
        outcomes: &[Takes],
        good: Option<Good>,
        keyword: Span,
    ) {
        if let Some(max) = dialogue.tries_max {
            self.begin_tries(dialogue.id, max, keyword);
        }
        let (prompts, words) = self.prompts(&dialogue.prompts);
        let request = request(prompts);
        let label = match request.kind() {
            kind @ (Kind::Menu | Kind::Ask | Kind::Record) => kind.row().name,
            _ => "dialogue",
        };
        self.request(request, label, &words, keyword);
        let mut ends = Vec::new();
        let (arms, missing) = self.branch_to_arms(dialogue, outcomes, good, keyword, &mut ends);
        for (arm, start) in dialogue.arms.iter().zip(arms) {
            self.graph.go_to(start);
            match self.tries.get_mut(&dialogue.id) {
                Some(tries) if arm.takes.contains(&Takes::AfterTries) => {
                    let after = tries.after;
                    tries.is_after_used |= arm.takes.len() > 1;
                    self.graph.continue_in(after);
                }
                _ => {
                    self.mark_arm(arm.span, "");
                    self.block(&arm.block);
                    self.end_branch(&mut ends);
                }
            }
        }
        if let Some(missing) = missing {
            self.mistake(format!("a dialogue has no arm for {missing:?}"));
        }
        self.write_after_tries(dialogue, &mut ends);
        self.join(&ends);
    }

    /// The first try begins, in the segment that makes the request.
    fn begin_tries(&mut self, id: DialogueId, max: u32, keyword: Span) {
        let counter = self.counter(Counter::Tries(id));
        let one = self.graph.integer(1);
        self.graph.store(counter, one);
        let place = self.fault_place(keyword);
        let (asks, after) = (self.graph.segment(self.flow), self.graph.segment(self.flow));
        self.tries.insert(id, Tries { max, asks, after, is_after_used: false, place });
        self.graph.continue_in(asks);
        self.graph.go_to(self.graph.entry(asks));
    }

    /// By the outcome to a block for each arm, which are given, and to the good path, which is written. Also gives an
    /// outcome without an arm.
    fn branch_to_arms(
        &mut self,
        dialogue: &Dialogue,
        outcomes: &[Takes],
        good: Option<Good>,
        keyword: Span,
        ends: &mut Vec<Point>,
    ) -> (Vec<Point>, Option<Takes>) {
        let outcome = self.graph.outcome();
        let arms: Vec<Point> = dialogue.arms.iter().map(|_| self.graph.block()).collect();
        let good_start = good.as_ref().map(|_| self.graph.block());
        let arm_of = |takes: &Takes| dialogue.arms.iter().position(|arm| arm.takes.contains(takes));
        let targets = outcomes.iter().filter_map(|takes| arms.get(arm_of(takes)?).copied());
        let targets: Vec<Point> = good_start.into_iter().chain(targets).collect();
        if let [table @ .., last] = &targets[..] {
            self.graph.switch(outcome, table, *last);
        }
        if let (Some(good), Some(start)) = (good, good_start) {
            self.graph.go_to(start);
            self.mark_arm(keyword, "a value came");
            let mut words = self.payload_words(1);
            if good.is_optional {
                words.insert(0, self.graph.constant(1));
            }
            self.store_local(good.result, &words);
            self.end_branch(ends);
        }
        (arms, outcomes.iter().find(|takes| arm_of(takes).is_none()).cloned())
    }

    fn write_after_tries(&mut self, dialogue: &Dialogue, ends: &mut Vec<Point>) {
        let Some(tries) = self.tries.remove(&dialogue.id) else { return };
        let arm = dialogue.arms.iter().find(|arm| arm.takes.contains(&Takes::AfterTries));
        if let (true, Some(arm)) = (tries.is_after_used, arm) {
            self.graph.go_to(self.graph.entry(tries.after));
            self.mark_arm(arm.span, "");
            self.block(&arm.block);
            self.end_branch(ends);
        }
    }

    /// The next try, or the arm behind the last.
    pub fn again(&mut self, id: DialogueId) {
        let counter = self.counter(Counter::Tries(id));
        let Some(tries) = self.tries.get_mut(&id) else {
            return self.mistake("`again` outside of a dialogue with a bound".to_owned());
        };
        tries.is_after_used = true;
        let Tries { max, asks, after, place, .. } = *tries;
        let tried = self.graph.load(counter);
        let (most, one) = (self.graph.integer(max.into()), self.graph.integer(1));
        let is_left = self.graph.compare(Condition::Less, tried, most);
        let (yes, no) = (self.graph.block(), self.graph.block());
        self.graph.branch(is_left, yes, no);
        self.graph.go_to(yes);
        let next = self.graph.arithmetic(Arithmetic::Add, tried, one, place);
        self.graph.store(counter, next);
        self.graph.continue_in(asks);
        self.graph.go_to(no);
        self.graph.continue_in(after);
    }
}
