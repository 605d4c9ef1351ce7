//! `match` on a value: a table for variants, else one test after the other.

use lang_semantics::hir::{Expr, Match, Pattern, ValueArm};
use runtime_contract::types::Type;

use super::flow::FlowWriter;
use crate::builder::Point;
use crate::graph::{Condition, Word};

impl FlowWriter<'_> {
    pub fn match_value(&mut self, choice: &Match) {
        let words = self.value(&choice.subject);
        let starts = self.branch_to_patterns(&choice.subject, &words, choice.arms.iter().map(|arm| &*arm.patterns));
        let mut ends = Vec::new();
        for (start, arm) in starts.into_iter().zip(&choice.arms) {
            self.graph.go_to(start);
            self.mark_arm(arm.span, &arm.block, "");
            self.block(&arm.block);
            self.end_branch(&mut ends);
        }
        self.join(&ends);
    }

    /// The value of the arm that fits.
    pub fn choice(&mut self, subject: &Expr, arms: &[ValueArm], whole: &Expr) -> Vec<Word> {
        let words = self.value(subject);
        let starts = self.branch_to_patterns(subject, &words, arms.iter().map(|arm| &*arm.patterns));
        let behind = self.graph.block();
        let result = (0..self.width(whole)).map(|_| self.graph.block_parameter(behind)).collect();
        for (start, arm) in starts.into_iter().zip(arms) {
            self.graph.go_to(start);
            let words = self.value(&arm.value);
            self.graph.jump(behind, &words);
        }
        self.graph.go_to(behind);
        result
    }

    /// Goes to a block for each arm, which are given.
    fn branch_to_patterns<'p>(
        &mut self,
        subject: &Expr,
        words: &[Word],
        arms: impl Iterator<Item = &'p [Pattern]>,
    ) -> Vec<Point> {
        let arms: Vec<(Point, &[Pattern])> = arms.map(|patterns| (self.graph.block(), patterns)).collect();
        match self.variants(&subject.ty, &arms) {
            Some(variants) => self.switch_on_variant(words, variants, &arms),
            None => self.test_arms(subject, words, &arms),
        }
        for (start, patterns) in &arms {
            if let [Pattern::Variant(variant, locals)] = patterns {
                self.graph.go_to(*start);
                self.take_carried(&subject.ty, *variant, locals, words);
            }
        }
        arms.into_iter().map(|(start, _)| start).collect()
    }

    /// How many variants the subject has, when all arms ask for variants only.
    fn variants(&self, subject: &Type, arms: &[(Point, &[Pattern])]) -> Option<u32> {
        let Type::Enum(id) = subject else { return None };
        let mut patterns = arms.iter().flat_map(|(_, patterns)| *patterns);
        let plain = patterns.all(|pattern| matches!(pattern, Pattern::Variant(..) | Pattern::Else));
        let count = self.program.types.enums.get(*id as usize)?.variants.len() as u32;
        plain.then_some(count)
    }

    fn switch_on_variant(&mut self, words: &[Word], variants: u32, arms: &[(Point, &[Pattern])]) {
        let (Some(word), Some((last, _))) = (words.first(), arms.last()) else {
            return self.mistake("a match without arms".to_owned());
        };
        let takes = |patterns: &[Pattern], variant| {
            patterns.iter().any(|pattern| match pattern {
                Pattern::Variant(one, _) => *one == variant,
                _ => true,
            })
        };
        let start_of =
            |variant| arms.iter().find(|(_, patterns)| takes(patterns, variant)).map_or(*last, |(start, _)| *start);
        let table: Vec<Point> = (0..variants).map(start_of).collect();
        self.graph.switch(*word, &table, *last);
    }

    fn test_arms(&mut self, subject: &Expr, words: &[Word], arms: &[(Point, &[Pattern])]) {
        for (at, (start, patterns)) in arms.iter().enumerate() {
            let is_last = at + 1 == arms.len();
            for pattern in *patterns {
                if is_last {
                    // One of the arms fits, so this one does.
                    self.take(pattern, words, *start);
                    break;
                }
                match self.test(pattern, subject, words) {
                    Some(fits) => {
                        let (yes, no) = (self.graph.block(), self.graph.block());
                        self.graph.branch(fits, yes, no);
                        self.graph.go_to(yes);
                        self.take(pattern, words, *start);
                        self.graph.go_to(no);
                    }
                    None => return self.take(pattern, words, *start),
                }
            }
        }
    }

    /// Fills the name of the pattern and goes to its arm.
    fn take(&mut self, pattern: &Pattern, words: &[Word], start: Point) {
        if let (Pattern::Some(Some(local)), Some((_, inside))) = (pattern, words.split_first()) {
            self.store_local(*local, inside);
        }
        self.graph.jump(start, &[]);
    }

    /// Whether the pattern fits; `None` when it always does.
    fn test(&mut self, pattern: &Pattern, subject: &Expr, words: &[Word]) -> Option<Word> {
        let Some(word) = words.first().copied() else {
            self.mistake("a match on nothing".to_owned());
            return None;
        };
        Some(match pattern {
            Pattern::Else => return None,
            Pattern::Some(_) => word,
            Pattern::None => self.graph.not(word),
            Pattern::Variant(variant, _) => {
                let variant = self.graph.constant((*variant).into());
                self.graph.compare(Condition::Equal, word, variant)
            }
            Pattern::IntRange { low, high } if low == high => {
                let value = self.graph.integer(*low);
                self.graph.compare(Condition::Equal, word, value)
            }
            Pattern::IntRange { low, high } => {
                let (low, high) = (self.graph.integer(*low), self.graph.integer(*high));
                let from = self.graph.compare(Condition::GreaterOrEqual, word, low);
                let to = self.graph.compare(Condition::LessOrEqual, word, high);
                self.graph.and(from, to)
            }
            Pattern::Equal(value) => {
                let other = self.value(value);
                self.equal_words(&subject.ty, words, &other, None)
            }
        })
    }
}
