//! Dialogues: `menu`, `ask` and `record`. Which outcomes each can have, and that every one has its arm once.

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast::{self, DialoguePatternKind, SettingKind};
use runtime_contract::limits::MENU_ARMS_MAX;

use super::arms::{ArmBody, Target};
use super::phrase::Phrases;
use super::statement::Tail;
use super::{Checker, OpenDialogue, Region};
use crate::declare::duration;
use crate::hir::{self, Block, DialogueArm, DialogueId, LocalId, Statement, StatementKind, Takes};
use crate::problems::offer_nearest;
use crate::ty::Ty;

/// Time after the prompt in which something must come, on voice.
const LISTEN_MS: u32 = 5_000;
/// Time to wait for a further key.
const BETWEEN_KEYS_MS: u32 = 3_000;

/// What a dialogue of one kind may do.
pub(super) struct Rules {
    /// `menu`, for messages.
    pub word: &'static str,
    pub outcomes: &'static [(&'static str, Takes)],
    pub keys: bool,
    pub ends_on: bool,
    /// It has a value that can be read back.
    pub confirm: bool,
}

const MENU: Rules = Rules {
    word: "menu",
    outcomes: &[("silence", Takes::Silence), ("other", Takes::Other)],
    keys: true,
    ends_on: false,
    confirm: false,
};
const RECORD: Rules =
    Rules { word: "record", outcomes: &[("silence", Takes::Silence)], keys: false, ends_on: true, confirm: false };

pub(super) struct Read {
    pub dialogue: hir::Dialogue,
    pub end_key: Option<char>,
    /// A prompt, setting or pattern is wrong or not compiled yet.
    pub broken: bool,
    /// Type of the value that the arms and the good outcome fill.
    pub ty: Ty,
    /// By choice and by language.
    pub phrases: Vec<Vec<Vec<String>>>,
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
            Region::Finally | Region::Rule | Region::Outside if !in_dialogue => "leave it out".to_owned(),
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
        let choices = takes.filter(|takes| takes.is_choice()).count();
        if choices > MENU_ARMS_MAX {
            let message = format!("this menu has {choices} choices, and {MENU_ARMS_MAX} is the most");
            self.problems
                .give(Diagnostic::new(Code::TooLarge, statement.keyword, message).help("a menu that leads to others"));
        }
        let kind = match read.broken {
            true => StatementKind::Broken,
            false => StatementKind::Menu(hir::Menu { dialogue: read.dialogue, phrases: read.phrases }),
        };
        into.statements.push(Statement { kind, keyword: statement.keyword, span: statement.span });
    }

    pub fn record_message(
        &mut self,
        statement: &ast::Statement,
        record: &ast::Record,
        target: Target<'_>,
        into: &mut Block,
    ) {
        let max_ms = duration(&record.up_to, "record up to 2m", self.problems);
        self.recording(statement, &record.dialogue, &RECORD, max_ms, target, into);
    }

    /// `record`, or `ask voice`, of at most so many milliseconds.
    pub(super) fn recording(
        &mut self,
        statement: &ast::Statement,
        dialogue: &ast::Dialogue,
        rules: &Rules,
        max_ms: Option<i64>,
        target: Target<'_>,
        into: &mut Block,
    ) {
        self.voice_only(statement.keyword, &format!("`{}`", rules.word));
        let read = self.dialogue(statement, dialogue, rules, Some((target, Ty::Recording)));
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
        into.statements.push(Statement { kind, keyword: statement.keyword, span: statement.span });
    }

    pub(super) fn dialogue(
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
                reprompt: None,
                listen_ms: LISTEN_MS,
                between_keys_ms: BETWEEN_KEYS_MS,
                arms: Vec::new(),
            },
            end_key: None,
            broken: false,
            ty: target.as_ref().map_or(Ty::Broken, |(_, ty)| ty.clone()),
            phrases: Vec::new(),
        };
        self.prompts(statement, dialogue, rules, &mut read);
        self.settings(&dialogue.settings, rules, &mut read);
        self.dialogues.push(OpenDialogue { id, again: None, in_after: false });
        let mut table = Table { taken: Vec::new(), keys: Vec::new(), phrases: Phrases::default(), tries: None };
        let tail = Tail { value: target.as_ref().map(|(target, ty)| (target.local, Some(ty.clone()))) };
        let mut arms: Vec<(Vec<Takes>, ArmBody)> = Vec::new();
        for arm in &dialogue.arms {
            let (takes, body) = self.scoped(|checker| {
                let takes = checker.takes(arm, rules, &mut table, &mut read);
                let body = checker.arm(&arm.body.statements, &takes, &tail);
                (takes, body)
            });
            arms.push((takes, ArmBody { body, span: arm.span }));
        }
        self.otherwise(statement, rules, &mut table, &tail, &mut arms);
        let open = self.dialogues.pop();
        let again = open.and_then(|open| open.again);
        self.all_handled(statement, rules, &table, again, read.broken);
        self.phrases_and_keys(&table.phrases, table.keys.iter().map(|keys| (keys.text(), keys.span)));
        if again.is_none() && table.tries.is_none() && !read.broken {
            self.never_again(&dialogue.settings);
        }
        let (mut takes, mut bodies): (Vec<_>, Vec<_>) = arms.into_iter().unzip();
        if let Some((target, ty)) = target {
            read.ty = self.join_arms(Some(ty), &mut bodies, target);
            self.set_type(target, read.ty.clone());
        }
        if let Some((tries, _, span)) = table.tries {
            (read.dialogue.tries_max, read.dialogue.tries_span) = (Some(tries), span);
        }
        read.phrases = table.phrases.into_choices();
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

    fn settings(&mut self, settings: &[ast::Setting], rules: &Rules, read: &mut Read) {
        for (at, setting) in settings.iter().enumerate() {
            let same = |earlier: &&ast::Setting| {
                std::mem::discriminant(&earlier.kind) == std::mem::discriminant(&setting.kind)
            };
            match settings.iter().take(at).find(same) {
                Some(earlier) => {
                    self.problems.give(
                        Diagnostic::new(Code::DuplicateName, setting.keyword, "this dialogue says that already")
                            .label(earlier.keyword, "said here")
                            .help("keep one of the two"),
                    );
                    read.broken = true;
                }
                None => self.setting(setting, rules, read),
            }
        }
        let barge_in = read.dialogue.prompts.barge_in;
        if let Some(reprompt) = &mut read.dialogue.reprompt {
            reprompt.barge_in = barge_in;
        }
    }

    fn setting(&mut self, setting: &ast::Setting, rules: &Rules, read: &mut Read) {
        let ms = |time: &ast::Expr, example: &str, problems: &mut crate::problems::Problems| {
            duration(time, example, problems).and_then(|ms| u32::try_from(ms).ok())
        };
        match &setting.kind {
            SettingKind::Reprompt(text) => {
                let items = vec![self.text(text)];
                read.dialogue.reprompt = Some(hir::Prompts { items, barge_in: true });
            }
            // The value that it reads is known to `ask` alone.
            SettingKind::Confirm(_) if rules.confirm => {}
            SettingKind::Confirm(_) => {
                let message = format!("nothing of a `{}` can be read back", rules.word);
                self.problems.give(Diagnostic::new(Code::BadLiteral, setting.span, message).help("leave it out"));
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

    /// What belongs to a further try, where there is none.
    fn never_again(&mut self, settings: &[ast::Setting]) {
        for setting in settings.iter().filter(|setting| matches!(setting.kind, SettingKind::Reprompt(_))) {
            self.problems.give(
                Diagnostic::new(
                    Code::ArmNeverReached,
                    setting.keyword,
                    "there is only one try here, so this is never heard",
                )
                .help("leave it out, or let an arm say `again`"),
            );
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
                    let taken = self.key(key, rules, table);
                    if taken.is_some() {
                        self.phrases(phrases, pattern.span, &mut table.phrases);
                    }
                    found.extend(taken);
                }
                DialoguePatternKind::Phrases(phrases) if rules.keys => {
                    let name = self.phrases(phrases, pattern.span, &mut table.phrases);
                    found.extend(name.map(Takes::Phrase));
                }
                DialoguePatternKind::Phrases(_) => self.no_choices(pattern.span, rules),
                DialoguePatternKind::KeySpan { low, high, name } => {
                    let local = self.declare(name, Ty::Digits);
                    let span = self.key_span(low, high, local, rules, table);
                    read.broken |= span.is_none();
                    if span.is_some() {
                        self.phrases(&[], pattern.span, &mut table.phrases);
                    }
                    found.extend(span);
                    if let Some(other) = arm.patterns.iter().find(|other| other.span != pattern.span) {
                        let message = format!("`{}` has no value when another pattern of the arm is met", name.text);
                        self.problems.give(
                            Diagnostic::new(Code::NotAssignedOnEveryPath, name.span, message)
                                .label(other.span, "then it has none")
                                .help("a span with a name has an arm of its own"),
                        );
                        return found;
                    }
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

    fn key<'t>(&mut self, key: &'t ast::Key, rules: &Rules, table: &mut Table<'t>) -> Option<Takes> {
        let keys = Keys { first: &key.text, last: &key.text, span: key.span };
        self.choice(keys, rules, table).then(|| Takes::Key(keys.text()))
    }

    fn key_span<'t>(
        &mut self,
        low: &'t ast::Key,
        high: &'t ast::Key,
        local: LocalId,
        rules: &Rules,
        table: &mut Table<'t>,
    ) -> Option<Takes> {
        let keys = Keys { first: &low.text, last: &high.text, span: low.span.to(high.span) };
        let digits = |key: &ast::Key| key.text.bytes().all(|key| key.is_ascii_digit());
        let (first, last) = (&low.text, &high.text);
        let wrong = if !digits(low) || !digits(high) {
            Some(("only digits have others between them", "name the keys one by one".to_owned()))
        } else if first.len() != last.len() {
            let least = format!("1{:0<1$}", "", last.len() - 1);
            let help = match first.len() < last.len() && least < *last {
                true => format!("`{least}..{last}`"),
                false => "make both ends equally long".to_owned(),
            };
            Some(("the keys of a span have one length", help))
        } else if first >= last {
            let help = if first == last { format!("`{first}`") } else { format!("`{last}..{first}`") };
            Some(("a span goes from the lower keys to the higher", help))
        } else {
            None
        };
        if let Some((message, help)) = wrong {
            self.problems.give(Diagnostic::new(Code::BadLiteral, keys.span, message).help(help));
            return None;
        }
        self.choice(keys, rules, table).then(|| Takes::KeySpan(keys.text(), local))
    }

    /// A choice that no other one takes already.
    fn choice<'t>(&mut self, keys: Keys<'t>, rules: &Rules, table: &mut Table<'t>) -> bool {
        if !rules.keys {
            self.no_choices(keys.span, rules);
            return false;
        }
        let length = keys.first.len();
        let meeting = |long: bool| move |other: &&Keys<'t>| (other.first.len() == length) != long && other.meets(&keys);
        if let Some(earlier) = table.keys.iter().find(meeting(false)) {
            let both = if keys.first.len() == 1 && keys.first == keys.last { "key" } else { "keys" };
            let message =
                format!("the {both} `{}` lead{} to two choices", keys.text(), if both == "key" { "s" } else { "" });
            self.problems.give(
                Diagnostic::new(Code::KeyTwice, keys.span, message)
                    .label(earlier.span, "it leads here already")
                    .help("another key"),
            );
            return false;
        }
        if let Some(other) = table.keys.iter().find(meeting(true)) {
            let (short, long) = if other.first.len() < length { (*other, keys) } else { (keys, *other) };
            let (short, long) = (short.text(), long.text());
            let message = format!("`{short}` begins `{long}`, so whoever presses `{short}` has to wait");
            self.problems.give(
                Diagnostic::new(Code::KeyHidesLongerKey, keys.span, message)
                    .label(other.span, "the other key")
                    .help("keys of one length"),
            );
        }
        table.keys.push(keys);
        true
    }

    fn no_choices(&mut self, span: Span, rules: &Rules) {
        let message = format!("`{}` has no choices", rules.word);
        let diagnostic = Diagnostic::new(Code::OutcomeImpossible, span, message);
        self.problems.give(diagnostic.help("leave it out: only a menu has choices"));
    }

    fn outcome(&mut self, name: &ast::Name, rules: &Rules, table: &mut Table<'_>) -> Option<Takes> {
        let Some((_, takes)) = rules.outcomes.iter().find(|(word, _)| *word == name.text) else {
            let message = format!("`{}` can never happen in a `{}`", name.text, rules.word);
            let known: Vec<&str> = rules.outcomes.iter().map(|(word, _)| *word).collect();
            let diagnostic = Diagnostic::new(Code::OutcomeImpossible, name.span, message);
            let near = crate::problems::nearest(&name.text, known.iter().copied());
            let open = rules.outcomes.iter().filter(|(_, takes)| !table.taken.iter().any(|(taken, _)| taken == takes));
            let open: Vec<&str> = open.map(|(word, _)| *word).collect();
            let meant = near.clone().or_else(|| elsewhere(&name.text, &open).map(str::to_owned));
            if let Some((_, takes)) = rules.outcomes.iter().find(|(word, _)| Some(*word) == meant.as_deref()) {
                // What was meant counts as handled, so that only the spelling is complained about.
                table.taken.push((takes.clone(), name.span));
            }
            let diagnostic = match (near, meant) {
                (Some(_), _) => offer_nearest(diagnostic, &name.text, known, "{} => continue"),
                (None, Some(meant)) => {
                    diagnostic.help(format!("`{meant}`")).edit(format!("write `{meant}`"), name.span, meant)
                }
                (None, None) => diagnostic.help("leave it out").note(format!("its outcomes are {}", known.join(", "))),
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
        if rules.keys && table.keys.is_empty() && table.phrases.is_empty() && !broken {
            self.problems.give(
                Diagnostic::new(Code::OutcomeNotHandled, keyword, "this menu has no choice").help("`1 => continue`"),
            );
        }
    }
}

/// What an outcome is called here that other dialogues, and other systems, call so.
fn elsewhere<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let meant: &[&str] = match word {
        "timeout" | "no_input" | "noinput" => &["silence"],
        "other" | "invalid" | "no_match" | "nomatch" | "default" => &["invalid", "other"],
        _ => &[],
    };
    known.iter().find(|known| meant.contains(known)).copied()
}

/// A key, or a span of keys of one length: first and last.
#[derive(Clone, Copy)]
struct Keys<'t> {
    first: &'t str,
    last: &'t str,
    span: Span,
}

impl Keys<'_> {
    /// As it is written.
    fn text(&self) -> String {
        if self.first == self.last { self.first.to_owned() } else { format!("{}..{}", self.first, self.last) }
    }

    /// The keys of both are as long as those of the shorter; then some key is in both.
    fn meets(&self, other: &Keys<'_>) -> bool {
        let length = self.first.len().min(other.first.len());
        let cut = |text: &'_ str| text.get(..length).unwrap_or_default().to_owned();
        cut(self.first).max(cut(other.first)) <= cut(self.last).min(cut(other.last))
    }
}

/// What the arms of one dialogue take.
struct Table<'t> {
    taken: Vec<(Takes, Span)>,
    keys: Vec<Keys<'t>>,
    phrases: Phrases,
    /// Their number, the keyword and the place of the number.
    tries: Option<(u32, Span, Span)>,
}
