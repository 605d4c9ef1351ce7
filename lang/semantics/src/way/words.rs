//! What happens on a way, in the operator's words.

use lang_diagnostics::{Span, Turn};

use crate::hir::{Expr, ExprKind, Flow, MatchArm, Pattern, Rounds, Takes};

/// What the caller does at a dialogue.
pub(super) fn taken(takes: &Takes, span: Span) -> Turn {
    let text = match takes {
        Takes::Key(key) => format!("the caller presses {key}"),
        Takes::KeySpan(keys, _) => format!("the caller keys one of {keys}"),
        Takes::Phrase(phrase) => format!("the caller says “{phrase}”"),
        Takes::Silence => "the caller is silent".to_owned(),
        Takes::Other => "the caller presses something else".to_owned(),
        Takes::Invalid => "the caller keys what does not fit".to_owned(),
        Takes::Refused => "the caller does not agree".to_owned(),
        Takes::Rejected => "the caller says it is wrong".to_owned(),
        Takes::AfterTries => "all tries are used up".to_owned(),
    };
    Turn::happens(text, span)
}

/// That a condition holds, and that it does not.
pub(super) fn condition(condition: &Expr) -> (Turn, Turn) {
    let span = condition.span;
    let say = |words: &str| Turn::happens(words, span).quoting(span);
    match &condition.kind {
        // `unless`
        ExprKind::Not(inner) if !span.holds(inner.span) => {
            let (holds, fails) = self::condition(inner);
            (fails, holds)
        }
        // `let x = y else …`
        ExprKind::IsSome(value, _) if value.span == span => (say("`…` is there"), say("`…` is missing")),
        _ => (say("`…` holds"), say("`…` does not hold")),
    }
}

/// That a loop has a round, and that it has none.
pub(super) fn rounds(rounds: &Rounds) -> (Turn, Turn) {
    let (count, some, none) = match rounds {
        Rounds::Times(count) => (count, "`…` is above zero", "`…` is not above zero"),
        Rounds::Each { list, .. } => (list, "`…` has a row", "`…` is empty"),
    };
    let say = |words: &str| Turn::happens(words, count.span).quoting(count.span);
    (say(some), say(none))
}

/// That a value is the one of an arm.
pub(super) fn matched(flow: &Flow, subject: &Expr, arm: &MatchArm) -> Turn {
    let is_run = matches!(subject.kind, ExprKind::Local(local)
        if flow.locals.get(local.0 as usize).is_some_and(|local| local.name.is_empty()));
    let is_else = arm.patterns.iter().any(|pattern| matches!(pattern, Pattern::Else));
    let turn = |words: &str| Turn::happens(words, arm.span).quoting(subject.span);
    match (is_run, is_else) {
        (false, true) => turn("`…` is anything else"),
        (true, true) => turn("`…` gives anything else"),
        (false, false) => turn("`…` is `…`").quoting(arm.span),
        (true, false) => turn("`…` gives `…`").quoting(arm.span),
    }
}
