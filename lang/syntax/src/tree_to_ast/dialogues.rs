//! `menu`, `ask` and `record`: prompts, settings and arms.

use lang_diagnostics::{Code, Diagnostic};

use super::AstBuilder;
use super::expressions::missing;
use super::statements::Ends;
use crate::ast::{
    Ask, AskKind, Dialogue, DialogueArm, DialoguePattern, DialoguePatternKind, Key, Phrases, Record, Setting,
    SettingKind, Statement,
};
use crate::grammar::Rule;
use crate::node::Node;

impl<'t> AstBuilder<'t, '_> {
    pub(super) fn dialogue_of(&mut self, node: &Node<'t, '_>, ends: Ends) -> Dialogue {
        let span = self.block_span(node.block);
        let mut dialogue = Dialogue { prompts: Vec::new(), settings: Vec::new(), arms: Vec::new(), span };
        let lines: Vec<_> = self.lines_of(node).collect();
        for (line, node) in lines {
            let Some(inner) = node.first() else { continue };
            match inner.rule() {
                Rule::setting => dialogue.settings.extend(self.setting(&inner)),
                Rule::dialogue_arm => {
                    let patterns = inner.children(Rule::dialogue_pattern);
                    let patterns = patterns.filter_map(|pattern| self.dialogue_pattern(&pattern)).collect();
                    let body = self.arm_body(&inner, line, ends);
                    dialogue.arms.push(DialogueArm { patterns, body, span: self.line_span(line) });
                }
                _ => {
                    let kind = self.statement_kind(&inner, Ends::InAction);
                    let (keyword, span) = (inner.first_span(), inner.span());
                    dialogue.prompts.push(Statement { keyword, kind, otherwise: None, span });
                }
            }
        }
        dialogue
    }

    fn setting(&mut self, node: &Node<'t, '_>) -> Option<Setting> {
        let inner = node.first()?;
        let kind = match inner.rule() {
            Rule::reprompt => SettingKind::Reprompt(self.text_of(&inner)),
            Rule::listen => SettingKind::Listen(self.operand_of(&inner)),
            Rule::between_keys => SettingKind::BetweenKeys(self.operand_of(&inner)),
            Rule::barge_in_off => SettingKind::BargeInOff,
            Rule::ends_on => SettingKind::EndsOn(self.key_of(&inner)),
            _ => SettingKind::Confirm(self.text_of(&inner)),
        };
        Some(Setting { keyword: inner.first_span(), kind, span: inner.span() })
    }

    fn dialogue_pattern(&mut self, node: &Node<'t, '_>) -> Option<DialoguePattern> {
        let inner = node.first()?;
        let kind = match inner.rule() {
            Rule::after_tries => {
                DialoguePatternKind::AfterTries { keyword: inner.first_span(), tries: self.operand_of(&inner) }
            }
            Rule::key_span => {
                let mut keys = inner.children(Rule::key).map(|key| self.key(&key)).collect::<Vec<_>>().into_iter();
                let name = self.name_of(&inner, Rule::name);
                DialoguePatternKind::KeySpan { low: keys.next()?, high: keys.next()?, name }
            }
            Rule::key_choice => {
                let phrases = inner.child(Rule::phrases).map(|phrases| self.phrases(&phrases));
                DialoguePatternKind::Key { key: self.key_of(&inner), phrases: phrases.unwrap_or_default() }
            }
            Rule::phrases => {
                let phrases = self.phrases(&inner);
                match self.quoted_key(&phrases) {
                    Some(key) => DialoguePatternKind::Key { key, phrases: Vec::new() },
                    None => DialoguePatternKind::Phrases(phrases),
                }
            }
            _ => DialoguePatternKind::Outcome(self.name_of(&inner, Rule::name)),
        };
        Some(DialoguePattern { kind, span: node.span() })
    }

    fn phrases(&mut self, node: &Node<'t, '_>) -> Vec<Phrases> {
        let languages = node.inner().map(|language| Phrases {
            tag: language.child(Rule::tag).map(|tag| self.tag(&tag)),
            strings: language.children(Rule::string).map(|string| self.string(&string)).collect(),
            span: language.span(),
        });
        languages.collect()
    }

    /// `"1" => …`: no caller says a key.
    fn quoted_key(&mut self, phrases: &[Phrases]) -> Option<Key> {
        let [Phrases { tag: None, strings, .. }] = phrases else { return None };
        let [string] = strings.as_slice() else { return None };
        let is_key = |sign: u8| sign.is_ascii_digit() || matches!(sign, b'*' | b'#');
        let text = string.plain().filter(|text| !text.is_empty() && text.bytes().all(is_key))?;
        let problem = Diagnostic::new(Code::UnexpectedWord, string.span, "a key stands without quotes");
        let problem = problem.help(format!("keys are written without quotes, as `{text}`"));
        self.report(problem.edit("leave the quotes out", string.span, &text).certain());
        Some(Key { text, span: string.span })
    }

    pub(super) fn key_of(&mut self, node: &Node<'t, '_>) -> Key {
        let key = node.child(Rule::key).map(|key| self.key(&key));
        key.unwrap_or(Key { text: String::new(), span: node.span() })
    }

    fn key(&mut self, node: &Node<'t, '_>) -> Key {
        Key { text: node.text().to_owned(), span: node.span() }
    }

    pub(super) fn ask(&mut self, node: &Node<'t, '_>) -> Ask {
        let kind = node.child(Rule::ask_kind);
        let kind_span = kind.as_ref().map_or(node.span(), |kind| kind.span());
        Ask {
            keyword: node.first_span(),
            private: node.keyword(Rule::kw_private),
            kind: kind.map_or(AskKind::Number, |kind| self.ask_kind(&kind)),
            kind_span,
            dialogue: self.dialogue_of(node, Ends::InValue),
            span: node.span_with_block(),
        }
    }

    pub(super) fn ask_kind(&mut self, node: &Node<'t, '_>) -> AskKind {
        let Some(inner) = node.first() else { return AskKind::Number };
        let mut bounds = inner.children(Rule::bound).map(|bound| self.expr(&bound)).collect::<Vec<_>>().into_iter();
        let low = bounds.next().unwrap_or_else(|| missing(inner.span()));
        match inner.rule() {
            Rule::digits_kind => AskKind::Digits { high: bounds.next().unwrap_or_else(|| low.clone()), low },
            Rule::range_kind => AskKind::Range { high: bounds.next().unwrap_or_else(|| low.clone()), low },
            Rule::yes_or_no => AskKind::YesOrNo,
            Rule::text_kind => AskKind::TextUpTo(low),
            Rule::voice_kind => AskKind::VoiceUpTo(self.operand_of(&inner)),
            Rule::consent_kind => AskKind::ConsentFor(self.name_of(&inner, Rule::name)),
            Rule::amount_kind => {
                let currency = inner.child(Rule::in_currency).and_then(|clause| clause.child(Rule::currency));
                AskKind::Amount { currency: currency.map(|currency| self.name(&currency)) }
            }
            _ => match inner.text() {
                "date" => AskKind::Date,
                "time" => AskKind::Time,
                "phone" => AskKind::Phone,
                _ => AskKind::Number,
            },
        }
    }

    pub(super) fn record(&mut self, node: &Node<'t, '_>) -> Record {
        let (keyword, up_to) = (node.first_span(), self.operand_of(node));
        Record { keyword, up_to, dialogue: self.dialogue_of(node, Ends::InValue), span: node.span_with_block() }
    }
}
