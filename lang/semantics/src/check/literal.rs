//! Literals take the type that is wanted and are checked as such at once.

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast::{self, ExprKind, Part};
use runtime_contract::currency::ISO_4217;
use runtime_contract::value::{Money, Phone};

use super::secret::kind_of_secret;
use super::{Checker, Typed, broken, typed};
use crate::hir;
use crate::hours;
use crate::problems::offer_nearest;
use crate::ty::{Ty, has_text};

const MS_A_MINUTE: i64 = 60_000;
/// From millionths of a currency's unit to the contract's ten-thousandths; from millionths of a percent to the
/// contract's millionths of the whole.
const SCALE: i64 = 100;

impl Checker<'_, '_> {
    pub fn literal(&mut self, expr: &ast::Expr, wanted: Option<&Ty>) -> Typed {
        let span = expr.span;
        match &expr.kind {
            ExprKind::Bool(value) => typed(hir::ExprKind::Bool(*value), Ty::Bool, span),
            ExprKind::None => typed(hir::ExprKind::None, Ty::Nothing, span),
            ExprKind::Int(value) => typed(hir::ExprKind::Int(*value), Ty::Int(Some((*value, *value))), span),
            ExprKind::Decimal { micros } => typed(hir::ExprKind::Decimal(*micros), Ty::Decimal, span),
            ExprKind::Money { micros, currency } => self.money(*micros, currency, span),
            ExprKind::Percent { micros } => {
                if micros % SCALE != 0 {
                    return self.bad_literal(span, "a percentage has at most four places", "12.5%");
                }
                typed(hir::ExprKind::Decimal(micros / SCALE), Ty::Percent, span)
            }
            ExprKind::Duration { ms } => typed(hir::ExprKind::Moment(*ms), Ty::Duration, span),
            ExprKind::Clock { minutes } => {
                typed(hir::ExprKind::Moment(i64::from(*minutes) * MS_A_MINUTE), Ty::Clock, span)
            }
            ExprKind::Date { .. } => match hours::date(expr) {
                Some(days) => typed(hir::ExprKind::Moment(i64::from(days)), Ty::Date, span),
                None => self.bad_literal(span, "there is no such day", "2026-03-02"),
            },
            ExprKind::Text(string) => self.string(string, wanted),
            ExprKind::Language(tag) => {
                let name = ast::Name { text: tag.text.clone(), span: tag.span };
                self.language_named(&name)
            }
            _ => broken(span),
        }
    }

    pub fn bad_literal(&mut self, span: Span, message: impl Into<String>, help: &str) -> Typed {
        self.problems.give(Diagnostic::new(Code::BadLiteral, span, message).help(format!("`{help}`")));
        broken(span)
    }

    fn money(&mut self, micros: i64, currency: &ast::Name, span: Span) -> Typed {
        let Some((_, number)) = ISO_4217.iter().find(|(letters, _)| *letters == currency.text) else {
            let diagnostic =
                Diagnostic::new(Code::BadLiteral, currency.span, format!("there is no currency `{}`", currency.text));
            let letters = ISO_4217.iter().map(|(letters, _)| *letters);
            self.problems.give(offer_nearest(diagnostic, &currency.text, letters, "{}"));
            return broken(span);
        };
        if micros % SCALE != 0 {
            return self.bad_literal(span, "an amount has at most four places", &format!("12.50 {}", currency.text));
        }
        let money = Money { amount: micros / SCALE, currency: *number };
        typed(hir::ExprKind::Money(money), Ty::Money, span)
    }

    fn string(&mut self, string: &ast::TextString, wanted: Option<&Ty>) -> Typed {
        let span = string.span;
        let Some(text) = string.plain() else { return self.joined(string) };
        let wanted = match wanted.map(Ty::present) {
            Some(Ty::Private(inner)) => Some(&**inner),
            other => other,
        };
        match wanted {
            Some(Ty::Phone) => match Phone::parse(&text, true) {
                Some(phone) => typed(hir::ExprKind::Phone(phone), Ty::Phone, span),
                None => {
                    let help = self.example(&Ty::Phone);
                    self.bad_literal(span, format!("`{text}` is not a full number"), &help)
                }
            },
            Some(Ty::Digits) => match text.chars().all(|c| c.is_ascii_digit() || c == '*' || c == '#') {
                true => typed(hir::ExprKind::Text(text), Ty::Digits, span),
                false => self.bad_literal(span, format!("`{text}` does not consist of digits"), "\"0123\""),
            },
            Some(Ty::TimeZone) => match hours::check_zone(&text, span, self.problems) {
                true => typed(hir::ExprKind::Text(text), Ty::TimeZone, span),
                false => broken(span),
            },
            _ => {
                self.no_secret(&text, span);
                typed(hir::ExprKind::Text(text), Ty::Text, span)
            }
        }
    }

    pub fn no_secret(&mut self, text: &str, span: Span) {
        if let Some(kind) = kind_of_secret(text) {
            let diagnostic = Diagnostic::new(Code::SecretInSource, span, format!("this text is {kind}"));
            let help = "leave it out, and give the service's headers in `strowger.yaml`, where `${NAME}` comes from the environment";
            self.problems.give(diagnostic.help(help));
        }
    }

    /// A text with holes that is not said: its parts in figures, joined.
    fn joined(&mut self, string: &ast::TextString) -> Typed {
        let (span, mut whole, mut sound) = (string.span, None::<hir::Expr>, true);
        self.no_secret(&literals(string), span);
        for part in &string.parts {
            let next = match part {
                Part::Literal { text, .. } => typed(hir::ExprKind::Text(text.clone()), Ty::Text, span).expr,
                Part::Hole { value, .. } => {
                    let value = self.expr(value, None);
                    match self.in_figures(value) {
                        Some(text) => text,
                        None => {
                            sound = false;
                            continue;
                        }
                    }
                }
                Part::Plural { value, forms, span } => match self.plural_word(value, forms, *span) {
                    Some(word) => word,
                    None => {
                        sound = false;
                        continue;
                    }
                },
            };
            whole = Some(match whole {
                None => next,
                Some(before) => {
                    let join = hir::ExprKind::Binary(hir::Operator::Join, Box::new(before), Box::new(next));
                    typed(join, Ty::Text, span).expr
                }
            });
        }
        match whole {
            Some(expr) if sound => Typed { expr, ty: Ty::Text },
            _ => broken(span),
        }
    }

    /// A plural in a text that is not said goes by the language of the file, which must be one.
    fn plural_word(&mut self, value: &ast::Expr, forms: &[ast::PluralForm], span: Span) -> Option<hir::Expr> {
        let languages = self.project.modules.get(self.module).and_then(|module| module.ast.languages.first());
        let tag = match languages.map_or(&[][..], |line| &line.tags) {
            [only] => only.text.clone(),
            tags => {
                let message = match tags.is_empty() {
                    true => "a plural goes by a language, and this file does not say its own",
                    false => "a plural goes by a language, and this text is in none",
                };
                let help = match tags.is_empty() {
                    true => "`languages en`",
                    false => "write figures alone, or let callers hear the words, in each language",
                };
                self.problems.give(Diagnostic::new(Code::LanguageMissing, span, message).help(help));
                return None;
            }
        };
        let number = self.expr(value, None);
        if !self.plural(&number, forms, std::slice::from_ref(&tag), span) {
            return None;
        }
        let word = |form: &ast::PluralForm| typed(hir::ExprKind::Text(form.text.clone()), Ty::Text, span).expr;
        let last = forms.len().saturating_sub(1);
        let arms = forms.iter().enumerate().map(|(class, form)| hir::ValueArm {
            patterns: vec![match class as i64 {
                _ if class == last => hir::Pattern::Else,
                class => hir::Pattern::IntRange { low: class, high: class },
            }],
            value: word(form),
        });
        let class = typed(hir::ExprKind::PluralClass(Box::new(number.expr), tag), Ty::Int(None), span).expr;
        Some(typed(hir::ExprKind::Match(Box::new(class), arms.collect()), Ty::Text, span).expr)
    }

    /// A value as Text, as `.text` gives it; what has none is told of as in a text that is said.
    fn in_figures(&mut self, value: Typed) -> Option<hir::Expr> {
        if !has_text(&value.ty) {
            self.unspeakable(&value);
            return None;
        }
        let conversion = match &value.ty {
            Ty::Int(_) => hir::Conversion::IntToText,
            Ty::Phone => hir::Conversion::PhoneToText,
            Ty::Text | Ty::Digits | Ty::TimeZone => hir::Conversion::Same,
            _ => hir::Conversion::ValueToText,
        };
        let span = value.expr.span;
        Some(typed(hir::ExprKind::Convert(conversion, Box::new(value.expr)), Ty::Text, span).expr)
    }
}

/// What is written out in a text, a brace for each hole.
pub(super) fn literals(string: &ast::TextString) -> String {
    let parts = string.parts.iter().map(|part| match part {
        Part::Literal { text, .. } => text.as_str(),
        _ => "{",
    });
    parts.collect()
}
