//! Kinds of `ask`: the type of each, its bounds, and its confirmation.

use lang_diagnostics::{Code, Diagnostic};
use lang_syntax::ast::{self, ExprKind, SettingKind};
use runtime_contract::currency;
use runtime_contract::limits::{ASK_DIGITS_MAX, ASK_TEXT_MAX};
use runtime_contract::request::{AskKind, WHOLE_DIGITS_MAX};

use super::arms::Target;
use super::dialogue::{Read, Rules};
use super::origin::Origin;
use super::statement::broken;
use super::{Checker, Region};
use crate::declare::{duration, whole};
use crate::hir::{self, Block, Statement, StatementKind, Takes};
use crate::problems::offer_nearest;
use crate::ty::Ty;

/// From here on a number is taken for one that is worth protecting.
const LONG_NUMBER: i64 = 13;
/// The largest number that is keyed: one that is longer may be a card.
const RANGE_MAX: i64 = 10i64.pow(WHOLE_DIGITS_MAX as u32) - 1;

const ASK: Rules = Rules {
    word: "ask",
    outcomes: &[("silence", Takes::Silence), ("invalid", Takes::Invalid)],
    keys: false,
    ends_on: true,
    confirm: true,
};
const CONFIRMED: Rules = Rules {
    outcomes: &[("silence", Takes::Silence), ("invalid", Takes::Invalid), ("rejected", Takes::Rejected)],
    ..ASK
};
const CONSENT: Rules = Rules {
    word: "ask consent",
    outcomes: &[("silence", Takes::Silence), ("invalid", Takes::Invalid), ("refused", Takes::Refused)],
    confirm: false,
    ..ASK
};
const VOICE: Rules =
    Rules { word: "ask voice", outcomes: &[("silence", Takes::Silence)], keys: false, ends_on: true, confirm: false };

impl Checker<'_, '_> {
    pub fn ask(&mut self, statement: &ast::Statement, ask: &ast::Ask, target: Target<'_>, into: &mut Block) {
        let is_digits = matches!(ask.kind, ast::AskKind::Digits { .. });
        if let Some(private) = ask.private.filter(|_| !is_digits) {
            self.problems.not_yet(private, "`ask private` of anything but digits");
            into.statements.push(broken(statement));
            return;
        }
        if let ast::AskKind::VoiceUpTo(up_to) = &ask.kind {
            let max_ms = duration(up_to, "voice up to 60s", self.problems);
            return self.recording(statement, &ask.dialogue, &VOICE, max_ms, target, into);
        }
        let consent = match &ask.kind {
            ast::AskKind::ConsentFor(purpose) => Some(self.consent(purpose, ask.kind_span)),
            _ => None,
        };
        let kind = self.ask_kind(ask);
        let ty = match &consent {
            Some(consent) => consent.as_ref().map_or(Ty::Broken, |consent| Ty::Record(consent.permission)),
            None => value_type(ask, kind),
        };
        if let Some(info) = self.local_mut(target.local) {
            info.origin = match kind {
                Some(AskKind::Digits { min, .. }) => Origin::of_digits(min),
                _ => Origin::default(),
            };
        }
        let confirm = ask.dialogue.settings.iter().find_map(|setting| match &setting.kind {
            SettingKind::Confirm(text) => Some((setting, text)),
            _ => None,
        });
        // A private value is never confirmed, so that nothing more is missing once the line is left out.
        let confirm = confirm.filter(|_| consent.is_none());
        let is_confirmed = confirm.is_some() && (ask.private.is_none() || names_rejected(&ask.dialogue));
        let rules = match (&consent, is_confirmed) {
            (Some(_), _) => &CONSENT,
            (None, true) => &CONFIRMED,
            (None, false) => &ASK,
        };
        let read = self.dialogue(statement, &ask.dialogue, rules, Some((target, ty.clone())));
        let end_key = self.end_key(ask, kind, &read);
        let confirm = confirm.map(|(setting, text)| self.confirm(ask, setting, text, ty, &read));
        let is_sound = !read.broken && !matches!(confirm, Some(None)) && !matches!(consent, Some(None));
        let kind = match (kind, end_key) {
            (Some(kind), Some(end_key)) if is_sound => StatementKind::Ask(hir::Ask {
                dialogue: read.dialogue,
                kind,
                private: ask.private.is_some(),
                end_key,
                confirm: confirm.flatten(),
                consent: consent.flatten(),
                result: target.local,
                result_optional: matches!(read.ty, Ty::Optional(_)),
            }),
            _ => StatementKind::Broken,
        };
        into.statements.push(Statement { kind, keyword: ask.keyword, span: statement.span });
    }

    fn ask_kind(&mut self, ask: &ast::Ask) -> Option<AskKind> {
        match &ask.kind {
            ast::AskKind::Digits { low, high } => {
                self.digit_bounds(low, high, ask).map(|(min, max)| AskKind::Digits { min, max })
            }
            ast::AskKind::Range { low, high } => {
                self.range_bounds(low, high, ask).map(|(low, high)| AskKind::Range { low, high })
            }
            ast::AskKind::Number => Some(AskKind::Number),
            ast::AskKind::Amount { currency } => {
                self.currency(currency.as_ref(), ask).map(|currency| AskKind::Amount { currency })
            }
            ast::AskKind::Date => Some(AskKind::Date),
            ast::AskKind::Time => Some(AskKind::Time),
            ast::AskKind::Phone => Some(AskKind::Phone),
            ast::AskKind::YesOrNo | ast::AskKind::ConsentFor(_) => Some(AskKind::YesOrNo),
            ast::AskKind::TextUpTo(most) => self.text_bound(most, ask).map(|max| AskKind::Text { max }),
            ast::AskKind::VoiceUpTo(_) => None,
        }
    }

    /// Both bounds as they are written out.
    fn written_bounds(&mut self, low: &ast::Expr, high: &ast::Expr, ask: &ast::Ask, what: &str) -> Option<(i64, i64)> {
        let bounds = whole(low).zip(whole(high));
        if bounds.is_none() && !matches!((&low.kind, &high.kind), (ExprKind::Missing, _) | (_, ExprKind::Missing)) {
            let (message, help) = match what {
                "" => ("the bounds are written out here", "`1..5`"),
                _ => ("the number of digits is written out here", "`digits 4..6`"),
            };
            self.problems.give(Diagnostic::new(Code::BadLiteral, ask.kind_span, message).help(help));
        }
        bounds
    }

    fn digit_bounds(&mut self, low: &ast::Expr, high: &ast::Expr, ask: &ast::Ask) -> Option<(u32, u32)> {
        let (from, to) = self.written_bounds(low, high, ask, "digits")?;
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
            self.long_number(ask, &format!("`ask private digits {kind}`"));
        }
        bounds
    }

    fn long_number(&mut self, ask: &ast::Ask, help: &str) {
        let may_be = format!("a number of {LONG_NUMBER} digits or more may be a card");
        let (message, help) = match self.region {
            // Its answers are kept, and nothing private is.
            Region::Survey => (format!("{may_be}, and no survey asks for one"), "`digits 4`"),
            _ => (format!("{may_be}, and is asked for as `private`"), help),
        };
        self.problems.give(Diagnostic::new(Code::LongNumberNotPrivate, ask.kind_span, message).help(help));
    }

    fn text_bound(&mut self, most: &ast::Expr, ask: &ast::Ask) -> Option<u32> {
        let found = whole(most).and_then(|most| u32::try_from(most).ok());
        let found = found.filter(|most| (1..=ASK_TEXT_MAX).contains(most));
        if found.is_none() && !matches!(most.kind, ExprKind::Missing) {
            let message = format!("a text has from 1 to {ASK_TEXT_MAX} characters, as a number that is written out");
            self.problems.give(Diagnostic::new(Code::BadLiteral, ask.kind_span, message).help("`text up to 200`"));
        }
        found
    }

    fn range_bounds(&mut self, low: &ast::Expr, high: &ast::Expr, ask: &ast::Ask) -> Option<(i64, i64)> {
        let (from, to) = self.written_bounds(low, high, ask, "")?;
        if from < 0 || to < from {
            let message = match from < 0 {
                true => "a telephone has no minus sign",
                false => "no number lies between these two",
            };
            let (first, last) = (from.min(to).max(0), from.max(to).max(0));
            let diagnostic = Diagnostic::new(Code::BoundsOfDigitsEmpty, ask.kind_span, message);
            self.problems.give(diagnostic.help(format!("`{first}..{last}`")));
            return None;
        }
        if to > RANGE_MAX {
            let digits = to.ilog10() + 1;
            self.long_number(ask, &format!("`ask private digits 1..{digits}`"));
            return None;
        }
        Some((from, to))
    }

    fn currency(&mut self, written: Option<&ast::Name>, ask: &ast::Ask) -> Option<u16> {
        let Some(name) = written else {
            let message = "this does not say in what currency";
            self.problems.give(
                Diagnostic::new(Code::BadLiteral, ask.kind_span, message)
                    .help("`amount in USD`")
                    .note("a number without a currency is asked for by `number`"),
            );
            return None;
        };
        let number = currency::number(&name.text);
        if number.is_none() {
            let message = format!("there is no currency `{}`", name.text);
            let letters = currency::ISO_4217.iter().map(|(letters, _)| *letters);
            let diagnostic = Diagnostic::new(Code::BadLiteral, name.span, message);
            self.problems.give(offer_nearest(diagnostic, &name.text, letters, "amount in {}"));
        }
        number
    }

    /// The key that ends the input; `None` when it is part of what is keyed.
    fn end_key(&mut self, ask: &ast::Ask, kind: Option<AskKind>, read: &Read) -> Option<char> {
        let key = read.end_key.unwrap_or('#');
        let has_point = matches!(kind, Some(AskKind::Number | AskKind::Amount { .. }));
        let message = match key {
            '0'..='9' => "a digit is part of what is keyed, so it cannot end it",
            '*' if has_point => "`*` is the decimal point here, so it cannot end the number",
            _ => return Some(key),
        };
        let setting = ask.dialogue.settings.iter().find(|setting| matches!(setting.kind, SettingKind::EndsOn(_)));
        let span = setting.map_or(ask.kind_span, |setting| setting.span);
        self.problems.give(Diagnostic::new(Code::BadLiteral, span, message).help("`ends on #`"));
        None
    }

    /// The value is read back as `it`. `None` when something is wrong.
    fn confirm(
        &mut self,
        ask: &ast::Ask,
        setting: &ast::Setting,
        text: &ast::Text,
        ty: Ty,
        read: &Read,
    ) -> Option<hir::Confirm> {
        if let Some(private) = ask.private {
            self.problems.give(
                Diagnostic::new(Code::ConfirmOfPrivate, setting.span, "a private value cannot be read back")
                    .label(private, "private")
                    .help("leave `confirm` out"),
            );
            return None;
        }
        let name = ast::Name { text: "it".to_owned(), span: setting.keyword };
        let barge_in = read.dialogue.prompts.barge_in;
        let (it, item) = self.scoped(|checker| {
            let it = checker.declare(&name, ty);
            (it, checker.text(text))
        });
        if let Some(info) = self.local_mut(it) {
            info.used = true;
        }
        Some(hir::Confirm { prompts: hir::Prompts { items: vec![item], barge_in }, it, keyword: setting.keyword })
    }
}

fn names_rejected(dialogue: &ast::Dialogue) -> bool {
    let patterns = dialogue.arms.iter().flat_map(|arm| &arm.patterns);
    patterns
        .into_iter()
        .any(|pattern| matches!(&pattern.kind, ast::DialoguePatternKind::Outcome(name) if name.text == "rejected"))
}

fn value_type(ask: &ast::Ask, kind: Option<AskKind>) -> Ty {
    let ty = match kind {
        Some(AskKind::Digits { .. }) => Ty::Digits,
        Some(AskKind::Range { low, high }) => Ty::Int(Some((low, high))),
        Some(AskKind::Number) => Ty::Decimal,
        Some(AskKind::Amount { .. }) => Ty::Money,
        Some(AskKind::Date) => Ty::Date,
        Some(AskKind::Time) => Ty::Clock,
        Some(AskKind::Phone) => Ty::Phone,
        Some(AskKind::YesOrNo) => Ty::Bool,
        Some(AskKind::Text { .. }) => Ty::Text,
        // Its bounds are wrong, its type is not.
        None => match ask.kind {
            ast::AskKind::Digits { .. } => Ty::Digits,
            ast::AskKind::Amount { .. } => Ty::Money,
            ast::AskKind::TextUpTo(_) => Ty::Text,
            _ => Ty::Broken,
        },
    };
    if ask.private.is_some() { Ty::Private(Box::new(ty)) } else { ty }
}
