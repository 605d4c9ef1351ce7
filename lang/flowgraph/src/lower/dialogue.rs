//! `menu`, `ask`, `record`: one try is one request, and one more where a value is confirmed. `again` counts and leads to
//! the request once more, or to the one that says the `reprompt`; when all tries are used it leads to the arm `after N
//! tries`.

use lang_diagnostics::Span;
use lang_semantics::hir::{Ask, Block, Confirm, Dialogue, DialogueId, LocalId, Menu, Record, Takes};
use runtime_contract::program::{CONFIRMATION, NEXT_TRY};
use runtime_contract::request::{self, Kind, Prompts, Request};

use super::flow::{Counter, FlowWriter};
use crate::builder::Point;
use crate::graph::{Arithmetic, Condition, SegmentId, Word};

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
struct Good<'c> {
    result: LocalId,
    is_optional: bool,
    /// What the value goes through before.
    confirm: Option<&'c Confirm>,
    /// What a yes agrees to.
    consent: Option<&'c request::Consent>,
}

/// Accepts and rejects.
const CONFIRM_KEYS: [&str; 2] = ["1", "2"];

/// Where the arms of a dialogue begin. Those that are reached from more than one request have segments of their own.
enum Arms {
    Blocks(Vec<Point>),
    Segments(Vec<SegmentId>),
}

impl FlowWriter<'_> {
    pub fn menu(&mut self, menu: &Menu, keyword: Span) {
        let dialogue = &menu.dialogue;
        let takes = || dialogue.arms.iter().flat_map(|arm| &arm.takes);
        let choices = takes().filter_map(|takes| match takes {
            Takes::Key(keys) | Takes::KeySpan(keys, _) => Some(keys.clone()),
            Takes::Phrase(_) => Some(String::new()),
            _ => None,
        });
        let choices: Vec<String> = choices.collect();
        let mut outcomes: Vec<Takes> = takes().filter(|takes| takes.is_choice()).cloned().collect();
        outcomes.extend([Takes::Other, Takes::Silence]);
        let request = |prompts| {
            let (listen_ms, between_keys_ms) = (dialogue.listen_ms, dialogue.between_keys_ms);
            let (choices, phrases) = (choices.clone(), menu.phrases.clone());
            Request::Menu(request::Menu { prompts, choices, phrases, listen_ms, between_keys_ms })
        };
        self.dialogue(dialogue, &request, &outcomes, None, keyword);
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
        let (confirm, consent) = (ask.confirm.as_ref(), ask.consent.as_ref());
        let good = Good { result: ask.result, is_optional: ask.result_optional, confirm, consent };
        self.dialogue(dialogue, &request, &[Takes::Silence, Takes::Invalid], Some(good), keyword);
    }

    pub fn record(&mut self, record: &Record, keyword: Span) {
        let dialogue = &record.dialogue;
        let request = |prompts| {
            let (max_ms, end_key, silence_ms) = (record.max_ms, record.end_key, dialogue.listen_ms);
            Request::Record(request::Record { prompts, max_ms, end_key, silence_ms })
        };
        let good = Good { result: record.result, is_optional: record.result_optional, confirm: None, consent: None };
        self.dialogue(dialogue, &request, &[Takes::Silence], Some(good), keyword);
    }

    /// `outcomes` are those of the request in index order, behind the good one where there is one.
    fn dialogue(
        &mut self,
        dialogue: &Dialogue,
        request: &dyn Fn(Prompts) -> Request,
        outcomes: &[Takes],
        good: Option<Good<'_>>,
        keyword: Span,
    ) {
        if let Some(max) = dialogue.tries_max {
            self.begin_tries(dialogue.id, max, keyword);
        }
        let key = self.ask_in_each_try(dialogue, request, keyword);
        let mut ends = Vec::new();
        let confirm = good.as_ref().and_then(|good| good.confirm);
        let arms = self.arms(dialogue, confirm.is_some());
        self.branch_to_arms(dialogue, &arms, outcomes, good.as_ref());
        if let Some(good) = good {
            if let Some(consent) = good.consent {
                self.agree(dialogue, &arms, consent, keyword);
            }
            match good.confirm {
                Some(confirm) => self.confirm(dialogue, &arms, &good, confirm, (&key, keyword)),
                None => {
                    let width = self.width_of(good.result).saturating_sub(good.is_optional.into());
                    let words = self.payload_words(width);
                    self.take_good(&good, words, keyword);
                }
            }
            self.end_branch(&mut ends);
        }
        for (at, arm) in dialogue.arms.iter().enumerate() {
            match &arms {
                Arms::Blocks(points) => points.get(at).into_iter().for_each(|point| self.graph.go_to(*point)),
                Arms::Segments(segments) => {
                    segments.get(at).into_iter().for_each(|segment| self.graph.go_to(self.graph.entry(*segment)));
                }
            }
            match self.tries.get_mut(&dialogue.id) {
                Some(tries) if arm.takes.contains(&Takes::AfterTries) => {
                    let after = tries.after;
                    tries.is_after_used |= arm.takes.len() > 1;
                    self.graph.continue_in(after);
                }
                _ => {
                    // Nobody wrote an arm of a survey's question.
                    let label = if arm.span == keyword { "no answer" } else { "" };
                    self.mark_arm(arm.span, &arm.block, label);
                    self.block(&arm.block);
                    self.end_branch(&mut ends);
                }
            }
        }
        self.write_after_tries(dialogue, &mut ends);
        self.join(&ends);
    }

    /// The request of the first try and, when they say something else, of the later ones. The cursor is where the outcome
    /// of either comes in; the key is that of the first.
    fn ask_in_each_try(&mut self, dialogue: &Dialogue, request: &dyn Fn(Prompts) -> Request, keyword: Span) -> String {
        let (prompts, words) = self.prompts(&dialogue.prompts);
        let first = request(prompts);
        let key = self.key(first.kind().row().name);
        let resume = self.graph.segment(self.flow);
        self.wait_at(key.clone(), first, &words, resume, keyword);
        if let (Some(reprompt), Some(tries)) = (&dialogue.reprompt, self.tries.get(&dialogue.id)) {
            let later = Tries { asks: self.graph.segment(self.flow), ..*tries };
            self.tries.insert(dialogue.id, later);
            self.graph.go_to(self.graph.entry(later.asks));
            let (prompts, words) = self.prompts(reprompt);
            self.wait_at(format!("{key}{NEXT_TRY}"), request(prompts), &words, resume, keyword);
        }
        self.graph.go_to(self.graph.entry(resume));
        key
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

    fn arms(&mut self, dialogue: &Dialogue, are_shared: bool) -> Arms {
        match are_shared {
            false => Arms::Blocks(dialogue.arms.iter().map(|_| self.graph.block()).collect()),
            true => Arms::Segments(dialogue.arms.iter().map(|_| self.graph.segment(self.flow)).collect()),
        }
    }

    /// By the outcome to the arms, and to the good path, where the cursor is then.
    fn branch_to_arms(&mut self, dialogue: &Dialogue, arms: &Arms, outcomes: &[Takes], good: Option<&Good<'_>>) {
        let outcome = self.graph.outcome();
        let good = good.map(|_| self.graph.block());
        let targets = outcomes.iter().filter_map(|takes| {
            let at = dialogue.arms.iter().position(|arm| arm.takes.contains(takes));
            if at.is_none() {
                self.mistake(format!("a dialogue has no arm for {takes:?}"));
            }
            self.way_to_arm(arms, at?, takes)
        });
        let targets: Vec<Point> = targets.collect();
        let targets: Vec<Point> = good.into_iter().chain(targets).collect();
        if let [table @ .., last] = &targets[..] {
            self.graph.switch(outcome, table, *last);
        }
        if let Some(good) = good {
            self.graph.go_to(good);
        }
    }

    /// A block of this segment from which an arm is entered, with what the outcome brings it.
    fn way_to_arm(&mut self, arms: &Arms, at: usize, takes: &Takes) -> Option<Point> {
        let here = self.graph.here();
        match (arms, takes) {
            (Arms::Blocks(points), Takes::KeySpan(_, local)) => {
                let arm = *points.get(at)?;
                self.graph.go_to(arm);
                let words = self.payload_words(1);
                self.store_local(*local, &words);
                // What the arm does comes behind it.
                self.graph.go_to(here);
                Some(arm)
            }
            (Arms::Blocks(points), _) => points.get(at).copied(),
            (Arms::Segments(segments), _) => {
                let segment = *segments.get(at)?;
                let way = self.graph.block();
                self.graph.go_to(way);
                self.graph.continue_in(segment);
                self.graph.go_to(here);
                Some(way)
            }
        }
    }

    /// The good path: `keyword` is that of the dialogue.
    fn take_good(&mut self, good: &Good<'_>, mut words: Vec<Word>, keyword: Span) {
        self.mark_arm(keyword, &Block::default(), "a value came");
        if good.is_optional {
            words.insert(0, self.graph.constant(1));
        }
        self.store_local(good.result, &words);
    }

    /// A no leads to its arm; for a yes the permission is made. The cursor is where it comes in.
    fn agree(&mut self, dialogue: &Dialogue, arms: &Arms, consent: &request::Consent, keyword: Span) {
        let agrees = self.graph.payload(0);
        let yes = self.graph.block();
        let at = dialogue.arms.iter().position(|arm| arm.takes.contains(&Takes::Refused));
        let Some(no) = at.and_then(|at| self.way_to_arm(arms, at, &Takes::Refused)) else {
            return self.mistake("an `ask consent` has no arm for `refused`".to_owned());
        };
        self.graph.branch(agrees, yes, no);
        self.graph.go_to(yes);
        let label = format!("{} {}", Kind::Consent.row().name, consent.purpose);
        self.request(Request::Consent(consent.clone()), &label, &[], keyword);
    }

    /// Reads the value back, and asks whether it is right. The cursor is where it was accepted. `key` and `keyword` are
    /// those of the dialogue.
    fn confirm(
        &mut self,
        dialogue: &Dialogue,
        arms: &Arms,
        good: &Good<'_>,
        confirm: &Confirm,
        (key, keyword): (&str, Span),
    ) {
        let words = self.payload_words(self.width_of(confirm.it));
        self.store_local(confirm.it, &words);
        let (prompts, words) = self.prompts(&confirm.prompts);
        let resume = self.graph.segment(self.flow);
        let request = Request::Menu(request::Menu {
            prompts,
            choices: CONFIRM_KEYS.map(str::to_owned).to_vec(),
            phrases: Vec::new(),
            listen_ms: dialogue.listen_ms,
            between_keys_ms: dialogue.between_keys_ms,
        });
        self.wait_at(format!("{key}{CONFIRMATION}"), request, &words, resume, confirm.keyword);
        self.graph.go_to(self.graph.entry(resume));
        self.branch_to_arms(dialogue, arms, &[Takes::Rejected, Takes::Invalid, Takes::Silence], Some(good));
        let words = self.load_local(confirm.it);
        self.take_good(good, words, keyword);
    }

    fn write_after_tries(&mut self, dialogue: &Dialogue, ends: &mut Vec<Point>) {
        let Some(tries) = self.tries.remove(&dialogue.id) else { return };
        let arm = dialogue.arms.iter().find(|arm| arm.takes.contains(&Takes::AfterTries));
        if let (true, Some(arm)) = (tries.is_after_used, arm) {
            self.graph.go_to(self.graph.entry(tries.after));
            let label = if arm.span == dialogue.tries_span { "skipped" } else { "" };
            self.mark_arm(arm.span, &arm.block, label);
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
