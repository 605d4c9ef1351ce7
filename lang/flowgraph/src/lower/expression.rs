//! Values: the words of an expression, slot by slot. What must not be computed unless it is needed stands in a block of
//! its own.

use lang_diagnostics::Span;
use lang_semantics::hir::{Argument, Conversion, Expr, ExprKind, Operator, Zoned};
use runtime_contract::channel::Channel;
use runtime_contract::host::{FaultKind, HostCall};
use runtime_contract::types::Type;
use runtime_contract::written::Written;

use super::flow::FlowWriter;
use crate::builder::{GraphBuilder, Point};
use crate::graph::{Arithmetic, Condition, Fact, Word};

/// Characters of a private value that may be shown.
const PRIVATE_LAST_MAX: i64 = 4;

impl FlowWriter<'_> {
    /// The first word, of a value that has only one or whose tag is wanted.
    pub fn word(&mut self, value: &Expr) -> Word {
        let words = self.value(value);
        self.first(&words)
    }

    pub fn value(&mut self, value: &Expr) -> Vec<Word> {
        let one = match &value.kind {
            ExprKind::Bool(b) => self.graph.constant((*b).into()),
            ExprKind::Int(n) | ExprKind::Decimal(n) | ExprKind::Moment(n) => self.graph.integer(*n),
            ExprKind::Text(text) => self.graph.text(text),
            ExprKind::Phone(phone) => self.graph.constant(phone.word()),
            ExprKind::Language(index) => self.graph.constant((*index).into()),
            ExprKind::IsVariant(subject, variant) => {
                let tag = self.word(subject);
                let variant = self.graph.constant((*variant).into());
                self.graph.compare(Condition::Equal, tag, variant)
            }
            ExprKind::CallerLanguage => self.graph.fact(Fact::Language),
            ExprKind::OnVoice => {
                let channel = self.graph.fact(Fact::Channel);
                let voice = self.graph.constant(Channel::Voice as u64);
                self.graph.compare(Condition::Equal, channel, voice)
            }
            ExprKind::CalledNumber => self.graph.fact(Fact::Called),
            ExprKind::Not(_) | ExprKind::And(..) | ExprKind::Or(..) => self.truth(value),
            ExprKind::IsSome(optional, local) => {
                let words = self.value(optional);
                if let (Some(local), Some((_, inside))) = (local, words.split_first()) {
                    self.store_local(*local, inside);
                }
                self.first(&words)
            }
            ExprKind::HoursOpen(hours) => {
                let hours = self.graph.constant((*hours).into());
                self.host_at(HostCall::HoursOpen, &[hours], value.span)
            }
            ExprKind::Length(text) => {
                let word = self.word(text);
                if let Type::List(row) = &text.ty {
                    return vec![self.list_length(word, row, value.span)];
                }
                let call = if is_private(text) { HostCall::VaultLength } else { HostCall::TextLength };
                self.host_at(call, &[word], value.span)
            }
            ExprKind::Last(text, count) => self.last(text, count, value.span),
            ExprKind::IsValidCard(card) => {
                let word = self.word(card);
                let call = if is_private(card) { HostCall::VaultCardValid } else { HostCall::TextCardValid };
                self.host_at(call, &[word], value.span)
            }
            ExprKind::PluralClass(number, tag) => {
                let (number, tag) = (self.word(number), self.graph.text(tag));
                self.host_at(HostCall::PluralClass, &[number, tag], value.span)
            }
            ExprKind::CalledExtension | ExprKind::CalledZone => {
                let called = self.graph.fact(Fact::Called);
                let call = match value.kind {
                    ExprKind::CalledZone => HostCall::CalledZone,
                    _ => HostCall::CalledExtension,
                };
                self.host_at(call, &[called], value.span)
            }
            ExprKind::Zoned(zoned, operands) => {
                let words: Vec<Word> = operands.iter().map(|operand| self.word(operand)).collect();
                let call = match zoned {
                    Zoned::DateAt => HostCall::DateAt,
                    Zoned::TimeDate => HostCall::TimeDate,
                    Zoned::TimeClock => HostCall::TimeClock,
                };
                self.host_at(call, &words, value.span)
            }
            ExprKind::PrivateEqual(private, text) => {
                let words = [self.word(private), self.word(text)];
                let call = if is_private(text) { HostCall::VaultSame } else { HostCall::VaultEqual };
                self.host_at(call, &words, value.span)
            }
            _ => return self.compound(value),
        };
        vec![one]
    }

    /// Values of several words, or of as many as their parts have.
    fn compound(&mut self, value: &Expr) -> Vec<Word> {
        match &value.kind {
            ExprKind::Money(money) => {
                vec![self.graph.integer(money.amount), self.graph.constant(money.currency.into())]
            }
            ExprKind::Variant(variant) => self.construct(&value.ty, *variant, &[]),
            ExprKind::Construct { variant, fields } => self.construct(&value.ty, *variant, fields),
            ExprKind::List(rows) => vec![self.list(rows, value.span)],
            ExprKind::Row(list, place) => self.row(list, place, value.span),
            ExprKind::None => (0..self.width(value)).map(|_| self.graph.constant(0)).collect(),
            ExprKind::Some(inside) => {
                let words = self.value(inside);
                self.some(&words)
            }
            ExprKind::Local(local) => self.load_local(*local),
            ExprKind::CallerNumber => vec![self.graph.fact(Fact::CallerTag), self.graph.fact(Fact::CallerNumber)],
            ExprKind::Record(fields) => self.record_value(fields),
            ExprKind::Field { base, field } => {
                let words = self.value(base);
                self.field(&base.ty, &words, *field)
            }
            ExprKind::OptionalField { base, field } => self.optional_field(base, *field, &value.ty),
            ExprKind::Convert(conversion, inner) => self.convert(*conversion, inner, value.span),
            ExprKind::Negate(inner) => {
                let mut words = self.value(inner);
                let place = self.fault_place(value.span);
                if let Some(amount) = words.first_mut() {
                    *amount = self.graph.negate(*amount, place);
                }
                words
            }
            ExprKind::Binary(operator, left, right) => self.binary(*operator, left, right, value.span),
            ExprKind::Else(optional, fallback) => self.or_else(optional, fallback, value),
            ExprKind::Inline { parameters, value, .. } => {
                for (local, given) in parameters {
                    let words = self.value(given);
                    self.store_local(*local, &words);
                }
                self.value(value)
            }
            ExprKind::Match(subject, arms) => self.choice(subject, arms, value),
            _ => {
                self.mistake("a value with a problem".to_owned());
                (0..self.width(value)).map(|_| self.graph.constant(0)).collect()
            }
        }
    }

    fn record_value(&mut self, fields: &[Argument]) -> Vec<Word> {
        self.arguments(fields)
    }

    fn some(&mut self, inside: &[Word]) -> Vec<Word> {
        let tag = self.graph.constant(1);
        std::iter::once(tag).chain(inside.iter().copied()).collect()
    }

    /// The words of a field among those of its record.
    fn field(&mut self, record: &Type, words: &[Word], field: u32) -> Vec<Word> {
        let fields = match record {
            Type::Record(id) => self.program.types.records.get(*id as usize).map_or(&[][..], |record| &record.fields),
            _ => &[],
        };
        let mut widths = fields.iter().map(|field| self.program.types.width(&field.r#type));
        let from: usize = widths.by_ref().take(field as usize).sum();
        match widths.next().and_then(|width| words.get(from..from + width)) {
            Some(words) => words.to_vec(),
            None => {
                self.mistake(format!("a record has no field {field}"));
                Vec::new()
            }
        }
    }

    /// The words of an absent record are zeros, so an optional field of it is absent as it stands.
    fn optional_field(&mut self, base: &Expr, field: u32, wanted: &Type) -> Vec<Word> {
        let words = self.value(base);
        let (Type::Optional(record), Some((tag, inside))) = (&base.ty, words.split_first()) else {
            self.mistake("an optional field of what is not optional".to_owned());
            return Vec::new();
        };
        let mut field = self.field(record, inside, field);
        if field.len() < self.program.types.width(wanted) {
            field.insert(0, *tag);
        }
        field
    }

    fn convert(&mut self, conversion: Conversion, inner: &Expr, span: Span) -> Vec<Word> {
        let words = self.value(inner);
        let call = match conversion {
            Conversion::Same => return words,
            Conversion::ToPrivate => return self.make_private(&inner.ty, &words, span),
            Conversion::IntToDecimal => HostCall::IntToDecimal,
            Conversion::IntToText => HostCall::IntToText,
            Conversion::TextToDigits => HostCall::TextDigits,
            Conversion::PhoneToText => HostCall::PhoneToText,
            Conversion::ValueToText => return vec![self.written(&inner.ty, &words, span)],
        };
        vec![self.host_at(call, &words, span)]
    }

    /// A value as literals are written.
    fn written(&mut self, r#type: &Type, words: &[Word], span: Span) -> Word {
        let Some(kind) = Written::of(r#type) else {
            self.mistake("a value that is not written".to_owned());
            return self.first(words);
        };
        let (kind, first) = (self.graph.constant(kind as u64), self.first(words));
        let second = match r#type {
            Type::Enum(id) => self.graph.constant((*id).into()),
            Type::Money => words.get(1).copied().unwrap_or(first),
            _ => self.graph.constant(0),
        };
        self.host_at(HostCall::ValueToText, &[kind, first, second], span)
    }

    /// An optional one is kept only when it is there.
    fn make_private(&mut self, r#type: &Type, words: &[Word], span: Span) -> Vec<Word> {
        let (Type::Optional(_), [tag, text]) = (r#type, words) else {
            return vec![self.host_at(HostCall::VaultKeep, words, span)];
        };
        let (yes, no, behind) = (self.graph.block(), self.graph.block(), self.graph.block());
        let kept = self.graph.block_parameter(behind);
        self.graph.branch(*tag, yes, no);
        self.graph.go_to(yes);
        let word = self.host_at(HostCall::VaultKeep, &[*text], span);
        self.graph.jump(behind, &[word]);
        self.graph.go_to(no);
        let nothing = self.graph.constant(0);
        self.graph.jump(behind, &[nothing]);
        self.graph.go_to(behind);
        vec![*tag, kept]
    }

    fn last(&mut self, text: &Expr, count: &Expr, span: Span) -> Word {
        let (word, n) = (self.word(text), self.word(count));
        if !is_private(text) {
            return self.host_at(HostCall::TextLast, &[word, n], span);
        }
        if !matches!(count.kind, ExprKind::Int(0..=PRIVATE_LAST_MAX)) {
            let (none, most) = (self.graph.integer(0), self.graph.integer(PRIVATE_LAST_MAX));
            let place = self.fault_place(span);
            for (condition, bound) in [(Condition::GreaterOrEqual, none), (Condition::LessOrEqual, most)] {
                let fits = self.graph.compare(condition, n, bound);
                self.graph.require(fits, FaultKind::Index, place);
            }
        }
        self.host_at(HostCall::VaultLast, &[word, n], span)
    }

    fn binary(&mut self, operator: Operator, left: &Expr, right: &Expr, span: Span) -> Vec<Word> {
        let place = self.fault_place(span);
        match operator {
            Operator::Add => vec![self.arithmetic(Arithmetic::Add, left, right, place)],
            Operator::Subtract => vec![self.arithmetic(Arithmetic::Subtract, left, right, place)],
            Operator::Multiply => vec![self.arithmetic(Arithmetic::Multiply, left, right, place)],
            Operator::DecimalMultiply => vec![self.call_on(HostCall::DecimalMultiply, left, right, place)],
            Operator::DecimalDivide => vec![self.call_on(HostCall::DecimalDivide, left, right, place)],
            Operator::Join => vec![self.call_on(HostCall::TextJoin, left, right, place)],
            Operator::MoneyAdd => self.money(Arithmetic::Add, left, right, place),
            Operator::MoneySubtract => self.money(Arithmetic::Subtract, left, right, place),
            Operator::MoneyMultiply => {
                let mut words = self.value(left);
                words.extend(self.value(right));
                self.graph.host(HostCall::MoneyMultiply, &words, place)
            }
            _ => vec![self.compare(operator, left, right, span)],
        }
    }

    fn arithmetic(&mut self, operation: Arithmetic, left: &Expr, right: &Expr, place: u32) -> Word {
        let (left, right) = (self.word(left), self.word(right));
        self.graph.arithmetic(operation, left, right, place)
    }

    fn call_on(&mut self, call: HostCall, left: &Expr, right: &Expr, place: u32) -> Word {
        let words = [self.word(left), self.word(right)];
        self.host(call, &words, place)
    }

    fn money(&mut self, operation: Arithmetic, left: &Expr, right: &Expr, place: u32) -> Vec<Word> {
        let (left, right) = (self.value(left), self.value(right));
        let ([a, currency], [b, other]) = (&left[..], &right[..]) else {
            self.mistake("an amount without its currency".to_owned());
            return left;
        };
        self.graph.require_same_currency(*currency, *other, place);
        vec![self.graph.arithmetic(operation, *a, *b, place), *currency]
    }

    /// The value inside an optional, else the fallback.
    fn or_else(&mut self, optional: &Expr, fallback: &Expr, whole: &Expr) -> Vec<Word> {
        let words = self.value(optional);
        let Some((tag, inside)) = words.split_first() else {
            self.mistake("`else` behind what is not optional".to_owned());
            return words;
        };
        let (yes, no, behind) = (self.graph.block(), self.graph.block(), self.graph.block());
        let result = (0..self.width(whole)).map(|_| self.graph.block_parameter(behind)).collect();
        self.graph.branch(*tag, yes, no);
        self.graph.go_to(yes);
        // Optional else optional stays optional.
        let present = if whole.ty == optional.ty { &words[..] } else { inside };
        self.graph.jump(behind, present);
        self.graph.go_to(no);
        let words = self.value(fallback);
        self.graph.jump(behind, &words);
        self.graph.go_to(behind);
        result
    }

    /// Goes to one of two blocks; the right side of `and` and `or` is computed only when the left does not decide.
    pub fn condition(&mut self, value: &Expr, yes: Point, no: Point) {
        match &value.kind {
            ExprKind::Not(inner) => self.condition(inner, no, yes),
            ExprKind::And(left, right) => {
                let more = self.graph.block();
                self.condition(left, more, no);
                self.graph.go_to(more);
                self.condition(right, yes, no);
            }
            ExprKind::Or(left, right) => {
                let more = self.graph.block();
                self.condition(left, yes, more);
                self.graph.go_to(more);
                self.condition(right, yes, no);
            }
            _ => {
                let word = self.word(value);
                self.graph.branch(word, yes, no);
            }
        }
    }

    /// A condition as a value.
    fn truth(&mut self, value: &Expr) -> Word {
        if let ExprKind::Not(inner) = &value.kind {
            let word = self.word(inner);
            return self.graph.not(word);
        }
        let (yes, no, behind) = (self.graph.block(), self.graph.block(), self.graph.block());
        let truth = self.graph.block_parameter(behind);
        self.condition(value, yes, no);
        for (point, word) in [(yes, 1), (no, 0)] {
            self.graph.go_to(point);
            let word = self.graph.constant(word);
            self.graph.jump(behind, &[word]);
        }
        self.graph.go_to(behind);
        truth
    }

    pub fn first(&mut self, words: &[Word]) -> Word {
        match words.first() {
            Some(word) => *word,
            None => {
                self.mistake("a value without a word".to_owned());
                self.graph.constant(0)
            }
        }
    }

    /// An instruction on the first words of two values.
    pub fn words(&mut self, a: &[Word], b: &[Word], make: impl FnOnce(&mut GraphBuilder, Word, Word) -> Word) -> Word {
        let (a, b) = (self.first(a), self.first(b));
        make(self.graph, a, b)
    }

    pub fn host(&mut self, call: HostCall, words: &[Word], place: u32) -> Word {
        let results = self.graph.host(call, words, place);
        self.first(&results)
    }

    pub fn host_at(&mut self, call: HostCall, words: &[Word], span: Span) -> Word {
        let place = self.fault_place(span);
        self.host(call, words, place)
    }
}

fn is_private(value: &Expr) -> bool {
    matches!(value.ty, Type::Private(_))
}
