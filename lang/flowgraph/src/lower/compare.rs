//! Comparisons of two values of one type.

use lang_diagnostics::Span;
use lang_semantics::hir::{Conversion, Expr, ExprKind, Operator};
use runtime_contract::host::HostCall;
use runtime_contract::types::{Class, Type};

use super::flow::FlowWriter;
use crate::graph::{Condition, Word};

impl FlowWriter<'_> {
    pub fn compare(&mut self, operator: Operator, left: &Expr, right: &Expr, span: Span) -> Word {
        let (a, b) = (self.value(left), self.value(right));
        let condition = match operator {
            Operator::Less => Condition::Less,
            Operator::LessOrEqual => Condition::LessOrEqual,
            Operator::Greater => Condition::Greater,
            Operator::GreaterOrEqual => Condition::GreaterOrEqual,
            other => {
                let has_constant = is_constant_text(left) || is_constant_text(right);
                let compared_at = (!has_constant).then_some(span);
                let equal = self.equal_words(&left.ty, &a, &b, compared_at);
                return if other == Operator::NotEqual { self.graph.not(equal) } else { equal };
            }
        };
        if let ([_, currency_a], [_, currency_b]) = (&a[..], &b[..]) {
            let place = self.fault_place(span);
            self.graph.require_same_currency(*currency_a, *currency_b, place);
        }
        self.words(&a, &b, |graph, a, b| graph.compare(condition, a, b))
    }

    /// `compared_at` is where two texts are compared of which neither is a constant of the program. If one is, then by
    /// INVARIANT (canonical text) their handles are equal exactly when they are.
    pub fn equal_words(&mut self, r#type: &Type, a: &[Word], b: &[Word], compared_at: Option<Span>) -> Word {
        match (r#type, compared_at) {
            (Type::Text | Type::Digits | Type::TimeZone, Some(span)) => {
                let place = self.fault_place(span);
                let words: Vec<Word> = a.iter().chain(b).copied().collect();
                self.host(HostCall::TextEqual, &words, place)
            }
            (Type::Enum(_), _) => {
                let mut equal = self.graph.constant(1);
                for ((class, a), b) in self.program.types.slots(r#type).into_iter().zip(a).zip(b) {
                    let same = match (class, compared_at) {
                        (Class::Text, Some(span)) => self.host_at(HostCall::TextEqual, &[*a, *b], span),
                        _ => self.graph.compare(Condition::Equal, *a, *b),
                    };
                    equal = self.graph.and(equal, same);
                }
                equal
            }
            _ => {
                let equal = self.words(a, b, |graph, a, b| graph.compare(Condition::Equal, a, b));
                let ([_, currency_a], [_, currency_b]) = (a, b) else { return equal };
                let currencies = self.graph.compare(Condition::Equal, *currency_a, *currency_b);
                self.graph.and(equal, currencies)
            }
        }
    }
}

fn is_constant_text(value: &Expr) -> bool {
    match &value.kind {
        ExprKind::Text(_) => true,
        ExprKind::Convert(Conversion::Same, inner) => is_constant_text(inner),
        _ => false,
    }
}
