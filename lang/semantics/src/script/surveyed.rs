//! Answers to surveys in a test: to which question, and whether anybody can give such an answer.

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast;
use runtime_contract::currency;
use runtime_contract::request::AskKind;
use runtime_contract::script::Verb;
use runtime_contract::types::Type;
use runtime_contract::value::Value;

use super::{Reader, impossible, raise};
use crate::check::Checker;
use crate::problems::{Problems, offer_nearest};

impl Reader<'_, '_> {
    pub(super) fn expect_answer(&mut self, name: &ast::Name, answer: Option<&ast::Expr>) -> Option<Verb> {
        let surveys = self.known.surveys;
        let questions = || surveys.iter().flat_map(|survey| survey.table.questions.iter().zip(&survey.kinds));
        let asked: Vec<(&Type, Option<AskKind>)> = questions()
            .filter(|(question, _)| question.name == name.text)
            .map(|(question, kind)| (&question.r#type, *kind))
            .collect();
        let Some((first, _)) = asked.first().copied() else {
            let problem = impossible(name, format!("no survey asks for `{}`", name.text));
            let names = questions().map(|(question, _)| question.name.as_str());
            self.problems.give(offer_nearest(problem, &name.text, names, "expect answer {}"));
            return None;
        };
        let question = name.text.clone();
        let Some(written) = answer else { return Some(Verb::ExpectAnswer { question, answer: None }) };
        if asked.iter().all(|(r#type, _)| **r#type == Type::Recording) {
            let message = format!("`{question}` is answered by a recording, which no test can write out");
            let diagnostic = Diagnostic::new(Code::ExpectationImpossible, written.span, message);
            self.problems.give(diagnostic.help(format!("`expect answer {question}`")));
            return None;
        }
        // Two surveys may ask for one name: the written value says which is meant.
        let probe = Checker::new(self.project, self.module, &mut Problems::default()).expr(written, None).ty.lower();
        let r#type = asked.iter().map(|(r#type, _)| *r#type).find(|r#type| **r#type == probe).unwrap_or(first).clone();
        let value = self.constant(written, &raise(&r#type))?;
        let mut kinds = asked.iter().filter(|(known, _)| **known == r#type).filter_map(|(_, kind)| *kind).peekable();
        if let Some(kind) = kinds.peek().copied()
            && kinds.all(|kind| !brings(kind, &value))
        {
            self.problems.give(never_given(name, written.span, kind));
            return None;
        }
        Some(Verb::ExpectAnswer { question, answer: Some((r#type, value)) })
    }
}

/// Somebody may give this answer.
fn brings(kind: AskKind, value: &Value) -> bool {
    match (kind, value) {
        (AskKind::Range { low, high }, Value::Int(number)) => (low..=high).contains(number),
        (AskKind::Digits { min, max }, Value::Text(digits)) => {
            (min..=max).contains(&u32::try_from(digits.len()).unwrap_or(u32::MAX))
        }
        (AskKind::Text { max }, Value::Text(text)) => {
            text.trim() == text && (1..=max as usize).contains(&text.chars().count())
        }
        (AskKind::Amount { currency }, Value::Money(money)) => money.currency == currency,
        _ => true,
    }
}

/// F1202, with what the question takes.
fn never_given(name: &ast::Name, span: Span, kind: AskKind) -> Diagnostic {
    let (takes, example) = match kind {
        AskKind::Range { low, high } => (format!("{low} to {high}"), high.to_string()),
        AskKind::Digits { min, max } => {
            let digits = "1234567890".chars().cycle().take(max as usize).collect::<String>();
            (
                if min == max { format!("{min} digits") } else { format!("{min} to {max} digits") },
                format!("\"{digits}\""),
            )
        }
        AskKind::Text { max } => (
            format!("1 to {max} characters without blanks around them"),
            format!("\"{}\"", "Yes.".chars().take(max as usize).collect::<String>()),
        ),
        AskKind::Amount { currency } => {
            let letters = currency::letters(currency).unwrap_or_default();
            (format!("an amount in {letters}"), format!("1 {letters}"))
        }
        _ => Default::default(),
    };
    let message = format!("`{}` is answered by {takes}", name.text);
    let help = format!("`expect answer {} = {example}`", name.text);
    Diagnostic::new(Code::ExpectationImpossible, span, message).help(help)
}
