//! Dialogues: `menu`, `ask` and `record`. Which outcomes each can have, and that every one has its arm once.

use std::collections::BTreeMap;

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast::{self, DialoguePatternKind, ExprKind, SettingKind};
use runtime_contract::limits::{ASK_DIGITS_MAX, MENU_ARMS_MAX};
use runtime_contract::request::AskKind;

use super::arms::{ArmBody, Target};
use super::statement::{Tail, broken};
use super::{Checker, OpenDialogue, Region};
use crate::declare::{duration, whole};
use crate::hir::{self, Block, DialogueArm, DialogueId, Statement, StatementKind, Takes};
use crate::problems::offer_nearest;
use crate::ty::Ty;

/// Time after the prompt in which something must come, on voice.
const LISTEN_MS: u32 = 5_000;
/// Time to wait for a further key.
const BETWEEN_KEYS_MS: u32 = 3_000;
/// From here on a number is taken for one that is worth protecting.
const LONG_NUMBER: i64 = 13;

/// What a dialogue of one kind may do.
struct Rules {
    /// `menu`, for messages.
    word: &'static str,
    outcomes: &'static [(&'static str, Takes)],
    keys: bool,
    ends_on: bool,
}

const MENU: Rules = Rules {
    word: "menu",
    outcomes: &[("silence", Takes::Silence), ("other", Takes::Other)],
    keys: true,
    ends_on: false,
};
const ASK: Rules = Rules {
    word: "ask",
    outcomes: &[("silence", Takes::Silence), ("invalid", Takes::Invalid)],
    keys: false,
    ends_on: true,
};
const RECORD: Rules = Rules { word: "record", outcomes: &[("silence", Takes::Silence)], keys: false, ends_on: true };

struct Read {
    dialogue: hir::Dialogue,
    end_key: Option<char>,
    /// A prompt, setting or pattern is wrong or not compiled yet.
    broken: bool,
    /// Type of the value that the arms and the good outcome fill.
    ty: Ty,
}

impl Checker<'_, '_> {
    /// `again`: it ends an arm of the dialogue that it repeats.
    pub fn again(&mut self, keyword: Span) -> StatementKind {
        let message = match self.dialogues.last_mut() {
            Some(dialogue) if dialogue.in_after => "after the last try there is no further one",
            Some(dialogue) => {
                dialogue.again.get_or_insert(keyword);
                return StatementKind::Again(dialogue.id);
            }
            None => "there is no dialogue here that could be had again",
        };
        let in_dialogue = !self.dialogues.is_empty();
        let help = match self.region {
            Region::Finally => "leave it out".to_owned(),
            Region::Step(step) if !in_dialogue => {
                let name = self.steps.get(step as usize).map_or("", |step| step.name.text.as_str());
                format!("`go {name} up to 3 times else hang up`")
            }
            _ => "`hang up`".to_owned(),
        };
        self.problems.give(Diagnostic::new(Code::AgainOutsideDialogue, keyword, message).help(help));
        StatementKind::Broken
    }

    pub fn menu(&mut self, statement: &ast::Statement, dialogue: &ast::Dialogue, into: &mut Block) {
        let read = self.dialogue(statement, dialogue, &MENU, None);
        let takes = read.dialogue.arms.iter().flat_map(|arm| &arm.takes);
        let choices = takes.filter(|takes| matches!(takes, Takes::Key(_))).count();
        if choices > MENU_ARMS_MAX {
            let message = format!("this menu has {choices} choices, and {MENU_ARMS_MAX} is the most");
            self.problems
                .give(Diagnostic::new(Code::TooLarge, statement.keyword, message).help("a menu that leads to others"));
        }
        let kind = match read.broken {
            true => StatementKind::Broken,
            false => StatementKind::Menu(hir::Menu { dialogue: read.dialogue }),
        };
        into.statements.push(Statement { kind, keyword: statement.keyword, span: statement.span });
    }

    pub fn ask(&mut self, statement: &ast::Statement, ask: &ast::Ask, target: Target<'_>, into: &mut Block) {
        let ast::AskKind::Digits { low, high } = &ask.kind else {
            self.problems.not_yet(ask.kind_span, &format!("`ask {}`", kind_word(&ask.kind)));
            into.statements.push(broken(statement));
            return;
        };
        let bounds = self.digit_bounds(low, high, ask);
        let ty = match ask.private {
            Some(_) => Ty::Private(Box::new(Ty::Digits)),
            None => Ty::Digits,
        };
        let confirm = ask.dialogue.settings.iter().find(|setting| matches!(setting.kind, SettingKind::Confirm(_)));
        if let (Some(confirm), Some(private)) = (confirm, ask.private) {
            self.problems.give(
                Diagnostic::new(Code::ConfirmOfPrivate, confirm.span, "a private value cannot be read back")
                    .label(private, "private")
                    .help("leave `confirm` out"),
            );
        }
        if let Some(info) = self.local_mut(target.local) {
            info.digits_min = bounds.map(|(low, _)| low);
        }
        let read = self.dialogue(statement, &ask.dialogue, &ASK, Some((target, ty)));
        let kind = match bounds {
            Some((min, max)) if !read.broken => StatementKind::Ask(hir::Ask {
                dialogue: read.dialogue,
                kind: AskKind::Digits { min, max },
                private: ask.private.is_some(),
                end_key: read.end_key.unwrap_or('#'),
                result: target.local,
                result_optional: matches!(read.ty, Ty::Optional(_)),
            }),
            _ => StatementKind::Broken,
        };
        into.statements.push(Statement { kind, keyword: ask.keyword, span: statement.span });
    }

    fn digit_bounds(&mut self, low: &ast::Expr, high: &ast::Expr, ask: &ast::Ask) -> Option<(u32, u32)> {
        let (Some(from), Some(to)) = (whole(low), whole(high)) else {
            if !matches!((&low.kind, &high.kind), (ExprKind::Missing, _) | (_, ExprKind::Missing)) {
                let message = "the number of digits is written out here";
                self.problems.give(Diagnostic::new(Code::BadLiteral, ask.kind_span, message).help("`digits 4..6`"));
            }
            return None;
        };
        let bounds = u32::try_from(from).ok().zip(u32::try_from(to).ok());
        let bounds = bounds.filter(|(from, to)| from <= to && *from > 0 && *to <= ASK_DIGITS_MAX);
        if bounds.is_none() {
            let within = |count: i64| count.clamp(1, ASK_DIGITS_MAX.into());
            let (first, last) = (within(from.min(to)), within(from.max(to)));
            let help = if first == last { format!("`digits {first}`") } else { format!("`digits {first}..{last}`") };
            let message = match from.max(to) > ASK_DIGITS_MAX.into() {
                true => format!("nobody keys this many digits: {ASK_DIGITS_MAX} is the most"),
                false => "nobody can key this many digits".to_owned(),
            };
            self.problems.give(Diagnostic::new(Code::BoundsOfDigitsEmpty, ask.kind_span, message).help(help));
        }
        if to >= LONG_NUMBER && ask.private.is_none() && bounds.is_some() {
            let kind = if from == to { format!("{from}") } else { format!("{from}..{to}") };
            self.problems.give(
                Diagnostic::new(
                    Code::LongNumberNotPrivate,
                    ask.kind_span,
                    format!("a number of {LONG_NUMBER} digits or more may be a card, and is asked for as `private`"),
                )
                .help(format!("`ask private digits {kind}`")),
            );
        }
        bounds
    }

    pub fn record_message(
        &mut self,
        statement: &ast::Statement,
        record: &ast::Record,
        target: Target<'_>,
        into: &mut Block,
    ) {
        let max_ms = duration(&record.up_to, "record up to 2m", self.problems);
        let read = self.dialogue(statement, &record.dialogue, &RECORD, Some((target, Ty::Recording)));
        let kind = match max_ms.and_then(|ms| u32::try_from(ms).ok()) {
            Some(max_ms) if !read.broken => StatementKind::Record(hir::Record {
                dialogue: read.dialogue,
                max_ms,
                end_key: read.end_key,
                result: target.local,
                result_optional: matches!(read.ty, Ty::Optional(_)),
            }),
            _ => StatementKind::Broken,
        };
        into.statements.push(Statement { kind, keyword: record.keyword, span: statement.span });
    }

    fn dialogue(
        &mut self,
        statement: &ast::Statement,
        dialogue: &ast::Dialogue,
        rules: &Rules,
        target: Option<(Target<'_>, Ty)>,
    ) -> Read {
        let id = DialogueId(self.dialogue_count);
        self.dialogue_count += 1;
        let mut read = Read {
            dialogue: hir::Dialogue {
                id,
                tries_max: None,
                tries_span: statement.keyword,
                prompts: hir::Prompts { items: Vec::new(), barge_in: true },
                listen_ms: LISTEN_MS,
                between_keys_ms: BETWEEN_KEYS_MS,
                arms: Vec::new(),
            },
            end_key: None,
            broken: false,
            ty: target.as_ref().map_or(Ty::Broken, |(_, ty)| ty.clone()),
        };
        self.prompts(statement, dialogue, rules, &mut read);
        for setting in &dialogue.settings {
            self.setting(setting, rules, &mut read, target.as_ref().is_some_and(|(_, ty)| ty.is_private()));
        }
        self.dialogues.push(OpenDialogue { id, again: None, in_after: false });
        let mut table = Table { taken: Vec::new(), keys: BTreeMap::new(), tries: None };
        let tail = Tail { value: target.as_ref().map(|(target, ty)| (target.local, Some(ty.clone()))) };
        let mut arms: Vec<(Vec<Takes>, ArmBody)> = Vec::new();
        for arm in &dialogue.arms {
            let takes = self.takes(arm, rules, &mut table, &mut read);
            let body = self.arm(&arm.body.statements, &takes, &tail);
            arms.push((takes, ArmBody { body, span: arm.span }));
        }
        self.otherwise(statement, rules, &mut table, &tail, &mut arms);
        let open = self.dialogues.pop();
        self.all_handled(statement, rules, &table, open.and_then(|open| open.again), read.broken);
        let (mut takes, mut bodies): (Vec<_>, Vec<_>) = arms.into_iter().unzip();
        if let Some((target, ty)) = target {
            read.ty = self.join_arms(Some(ty), &mut bodies, target);
            self.set_type(target, read.ty.clone());
        }
        if let Some((tries, _, span)) = table.tries {
            (read.dialogue.tries_max, read.dialogue.tries_span) = (Some(tries), span);
        }
        read.dialogue.arms = takes
            .drain(..)
            .zip(bodies)
            .map(|(takes, arm)| DialogueArm { takes, block: arm.body.block, span: arm.span })
            .collect();
        read
    }

    fn arm(&mut self, statements: &[ast::Statement], takes: &[Takes], tail: &Tail) -> super::statement::Body {
        let only_after = !takes.is_empty() && takes.iter().all(|takes| *takes == Takes::AfterTries);
        if let Some(open) = self.dialogues.last_mut() {
            open.in_after = only_after;
        }
        let body = self.scoped(|checker| checker.statements(statements, tail));
        if let Some(open) = self.dialogues.last_mut() {
            open.in_after = false;
        }
        body
    }

    fn prompts(&mut self, statement: &ast::Statement, dialogue: &ast::Dialogue, rules: &Rules, read: &mut Read) {
        for prompt in &dialogue.prompts {
            match self.prompt(prompt) {
                Some(item) => read.dialogue.prompts.items.push(item),
                None => read.broken = true,
            }
        }
        if dialogue.prompts.is_empty() {
            let message = format!("this `{}` says nothing, so the caller does not know what to do", rules.word);
            self.problems.give(
                Diagnostic::new(Code::NothingToHear, statement.keyword, message).help("`say \"Please press a key.\"`"),
            );
        }
    }

    fn setting(&mut self, setting: &ast::Setting, rules: &Rules, read: &mut Read, private: bool) {
        let ms = |time: &ast::Expr, example: &str, problems: &mut crate::problems::Problems| {
            duration(time, example, problems).and_then(|ms| u32::try_from(ms).ok())
        };
        match &setting.kind {
            SettingKind::Reprompt(_) => {
                self.problems.not_yet(setting.keyword, "`reprompt`");
                read.broken = true;
            }
            SettingKind::Confirm(_) => {
                // Of a private value it was said that it can never be.
                if !private {
                    self.problems.not_yet(setting.keyword, "`confirm`");
                }
                read.broken = true;
            }
            SettingKind::Listen(time) => {
                read.dialogue.listen_ms = ms(time, "listen 5s", self.problems).unwrap_or(LISTEN_MS);
            }
            SettingKind::BetweenKeys(time) => {
                read.dialogue.between_keys_ms = ms(time, "between keys 3s", self.problems).unwrap_or(BETWEEN_KEYS_MS);
            }
            SettingKind::BargeInOff => read.dialogue.prompts.barge_in = false,
            SettingKind::EndsOn(key) => {
                let mut letters = key.text.chars();
                match (letters.next(), letters.next()) {
                    (Some(only), None) if rules.ends_on => read.end_key = Some(only),
                    _ => {
                        let message = match rules.ends_on {
                            true => "one key ends the input",
                            false => "a menu takes its keys at once, so nothing ends it",
                        };
                        let help = if rules.ends_on { "`ends on #`" } else { "leave it out" };
                        self.problems.give(Diagnostic::new(Code::BadLiteral, key.span, message).help(help));
                        read.broken = true;
                    }
                }
            }
        }
    }

    /// What an arm takes; what is wrong is left out.
    fn takes<'t>(
        &mut self,
        arm: &'t ast::DialogueArm,
        rules: &Rules,
        table: &mut Table<'t>,
        read: &mut Read,
    ) -> Vec<Takes> {
        let mut found = Vec::new();
        for pattern in &arm.patterns {
            match &pattern.kind {
                DialoguePatternKind::Key { key, phrases } => {
                    if let Some(first) = phrases.first() {
                        self.problems.not_yet(first.span, "a phrase");
                        read.broken = true;
                    }
                    found.extend(self.key(key, rules, table));
                }
                DialoguePatternKind::Phrases(phrases) => {
                    self.problems.not_yet(phrases.first().map_or(pattern.span, |first| first.span), "a phrase");
                    read.broken = true;
                }
                DialoguePatternKind::KeySpan { low, high, name } => {
                    self.problems.not_yet(low.span.to(high.span), "a span of keys");
                    self.declare_broken(name);
                    read.broken = true;
                }
                DialoguePatternKind::Outcome(name) => found.extend(self.outcome(name, rules, table)),
                DialoguePatternKind::AfterTries { keyword, tries } => {
                    let number = self.bound(tries, "after 3 tries => continue").unwrap_or(1);
                    if let Some((_, earlier, _)) = table.tries {
                        self.handled_twice(pattern.span, earlier);
                        continue;
                    }
                    table.tries = Some((number, *keyword, tries.span));
                    found.push(Takes::AfterTries);
                }
            }
        }
        found
    }

    /// A name of a construct that is not compiled yet: whoever reads it hears nothing more.
    fn declare_broken(&mut self, name: &ast::Name) {
        let local = self.hidden(Ty::Broken, name.span);
        if let Some(scope) = self.scopes.last_mut() {
            scope.entry(name.text.clone()).or_insert(local);
        }
    }

    fn key<'t>(&mut self, key: &'t ast::Key, rules: &Rules, table: &mut Table<'t>) -> Option<Takes> {
        if !rules.keys {
            let message = format!("`{}` has no choices", rules.word);
            self.problems.give(
                Diagnostic::new(Code::OutcomeImpossible, key.span, message)
                    .help("leave it out: only a menu has choices"),
            );
            return None;
        }
        if let Some(earlier) = table.keys.get(key.text.as_str()) {
            self.problems.give(
                Diagnostic::new(Code::KeyTwice, key.span, format!("the key `{}` leads to two choices", key.text))
                    .label(*earlier, "it leads here already")
                    .help("another key"),
            );
            return None;
        }
        let hiding = table.keys.iter().find(|(other, _)| other.starts_with(&key.text) || key.text.starts_with(**other));
        if let Some((other, span)) = hiding {
            let (short, long) =
                if other.len() < key.text.len() { (*other, key.text.as_str()) } else { (key.text.as_str(), *other) };
            let message = format!("`{short}` begins `{long}`, so whoever presses `{short}` has to wait");
            self.problems.give(
                Diagnostic::new(Code::KeyHidesLongerKey, key.span, message)
                    .label(*span, "the other key")
                    .help("keys of one length"),
            );
        }
        table.keys.insert(&key.text, key.span);
        Some(Takes::Key(key.text.clone()))
    }

    fn outcome(&mut self, name: &ast::Name, rules: &Rules, table: &mut Table<'_>) -> Option<Takes> {
        let Some((_, takes)) = rules.outcomes.iter().find(|(word, _)| *word == name.text) else {
            let message = format!("`{}` can never happen in a `{}`", name.text, rules.word);
            let known: Vec<&str> = rules.outcomes.iter().map(|(word, _)| *word).collect();
            let diagnostic = Diagnostic::new(Code::OutcomeImpossible, name.span, message);
            let meant = crate::problems::nearest(&name.text, known.iter().copied());
            if let Some((_, takes)) = rules.outcomes.iter().find(|(word, _)| Some(*word) == meant.as_deref()) {
                // What was meant counts as handled, so that only the spelling is complained about.
                table.taken.push((takes.clone(), name.span));
            }
            let diagnostic = match meant {
                Some(_) => offer_nearest(diagnostic, &name.text, known, "{} => continue"),
                None => diagnostic.help("leave it out").note(format!("its outcomes are {}", known.join(", "))),
            };
            self.problems.give(diagnostic);
            return None;
        };
        if let Some((_, earlier)) = table.taken.iter().find(|(taken, _)| taken == takes) {
            let earlier = *earlier;
            self.handled_twice(name.span, earlier);
            return None;
        }
        table.taken.push((takes.clone(), name.span));
        Some(takes.clone())
    }

    fn handled_twice(&mut self, span: Span, earlier: Span) {
        self.problems.give(
            Diagnostic::new(Code::OutcomeHandledTwice, span, "this outcome has an arm already")
                .label(earlier, "handled here")
                .help("keep one of the two"),
        );
    }

    /// `else` covers all but the good outcomes.
    fn otherwise(
        &mut self,
        statement: &ast::Statement,
        rules: &Rules,
        table: &mut Table<'_>,
        tail: &Tail,
        arms: &mut Vec<(Vec<Takes>, ArmBody)>,
    ) {
        let Some(otherwise) = &statement.otherwise else { return };
        let mut takes: Vec<Takes> = Vec::new();
        for (_, outcome) in rules.outcomes {
            if !table.taken.iter().any(|(taken, _)| taken == outcome) {
                table.taken.push((outcome.clone(), otherwise.keyword));
                takes.push(outcome.clone());
            }
        }
        let body = self.arm(&otherwise.body.statements, &takes, tail);
        if takes.is_empty() {
            self.problems.give(
                Diagnostic::new(
                    Code::OutcomeImpossible,
                    otherwise.keyword,
                    "every outcome has its arm, so `else` is idle",
                )
                .help("leave `else` and what follows away"),
            );
            return;
        }
        arms.push((takes, ArmBody { body, span: otherwise.body.span }));
    }

    fn all_handled(
        &mut self,
        statement: &ast::Statement,
        rules: &Rules,
        table: &Table<'_>,
        again: Option<Span>,
        broken: bool,
    ) {
        let keyword = statement.keyword;
        for (word, takes) in rules.outcomes {
            if table.taken.iter().any(|(taken, _)| taken == takes) {
                continue;
            }
            let code = if *word == "silence" { Code::NoSilence } else { Code::OutcomeNotHandled };
            let message = match *word {
                "silence" => "this does not say what silence leads to".to_owned(),
                word => format!("this does not say what `{word}` leads to"),
            };
            let help =
                if table.tries.is_some() { format!("`{word} => again`") } else { format!("`{word} => hang up`") };
            self.problems.give(Diagnostic::new(code, keyword, message).help(help));
        }
        match (again, table.tries) {
            (Some(again), None) => self.problems.give(
                Diagnostic::new(Code::AgainWithoutBound, keyword, "this could go on for ever")
                    .label(again, "here it begins again")
                    .help("`after 3 tries => hang up`"),
            ),
            (None, Some((_, after, _))) if !broken => self.problems.give(
                Diagnostic::new(Code::OutcomeImpossible, after, "there is only one try here, as no arm says `again`")
                    .help("`silence => again`"),
            ),
            _ => {}
        }
        if rules.keys && table.keys.is_empty() && !broken {
            self.problems.give(
                Diagnostic::new(Code::OutcomeNotHandled, keyword, "this menu has no choice").help("`1 => continue`"),
            );
        }
    }
}

/// What the arms of one dialogue take.
struct Table<'t> {
    taken: Vec<(Takes, Span)>,
    keys: BTreeMap<&'t str, Span>,
    /// Their number, the keyword and the place of the number.
    tries: Option<(u32, Span, Span)>,
}

fn kind_word(kind: &ast::AskKind) -> &'static str {
    match kind {
        ast::AskKind::Digits { .. } => "digits",
        ast::AskKind::Range { .. } => "A..B",
        ast::AskKind::Number => "number",
        ast::AskKind::Amount => "amount",
        ast::AskKind::Date => "date",
        ast::AskKind::Time => "time",
        ast::AskKind::Phone => "phone",
        ast::AskKind::YesOrNo => "yes or no",
        ast::AskKind::TextUpTo(_) => "text",
        ast::AskKind::VoiceUpTo(_) => "voice",
        ast::AskKind::ConsentFor(_) => "consent",
    }
}
