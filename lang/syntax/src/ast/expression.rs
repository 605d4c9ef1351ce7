//! Names, texts, types and expressions.

use lang_diagnostics::Span;

/// A word that names something, and where it stands.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Name {
    pub text: String,
    pub span: Span,
}

/// A name that may be led by the module or enum it lies in: `crm.find`, `std.voicemail`, `Tier.vip`. Never empty.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Path {
    pub names: Vec<Name>,
    pub span: Span,
}

/// A BCP 47 language tag as written: `zh`, `pt-BR`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct LanguageTag {
    pub text: String,
    pub span: Span,
}

/// What callers hear or read: one string, or one for each language.
#[derive(Clone, PartialEq, Debug)]
pub struct Text {
    pub languages: Vec<TextIn>,
    pub span: Span,
}

/// A text in one language; `tag` is left out where the file has one language or the text has no words.
#[derive(Clone, PartialEq, Debug)]
pub struct TextIn {
    pub tag: Option<LanguageTag>,
    pub string: TextString,
    pub span: Span,
}

/// A string literal. The span holds the quotes.
#[derive(Clone, PartialEq, Debug)]
pub struct TextString {
    pub parts: Vec<Part>,
    pub span: Span,
}

impl TextString {
    /// The text when it has no holes: escapes are resolved.
    pub fn plain(&self) -> Option<String> {
        self.parts
            .iter()
            .map(|part| if let Part::Literal { text, .. } = part { Some(text.as_str()) } else { None })
            .collect()
    }

    /// The expressions in its holes, in order, plurals included.
    pub fn holes(&self) -> impl Iterator<Item = &Expr> {
        self.parts.iter().filter_map(|part| match part {
            Part::Literal { .. } => None,
            Part::Hole { value, .. } | Part::Plural { value, .. } => Some(value.as_ref()),
        })
    }
}

#[derive(Clone, PartialEq, Debug)]
pub enum Part {
    /// Text with its escapes resolved.
    Literal { text: String, span: Span },
    /// `{value}`; the span holds the braces.
    Hole { value: Box<Expr>, span: Span },
    /// `{value|one|other}`: one word by the plural class of the value.
    Plural { value: Box<Expr>, forms: Vec<PluralForm>, span: Span },
}

#[derive(Clone, PartialEq, Debug)]
pub struct PluralForm {
    pub text: String,
    pub span: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Type {
    pub kind: TypeKind,
    pub span: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub enum TypeKind {
    /// `Text`, `Customer`, `crm.Customer`.
    Named(Path),
    /// `T?`
    Optional(Box<Type>),
    /// `List<T>`
    List(Box<Type>),
    /// `Int A..B`
    Ranged { base: Name, low: Box<Expr>, high: Box<Expr> },
    /// `private T`
    Private { keyword: Span, inner: Box<Type> },
}

/// `name: Type`: a parameter, or a field of a record or variant.
#[derive(Clone, PartialEq, Debug)]
pub struct Field {
    pub docs: Vec<Doc>,
    pub name: Name,
    pub ty: Type,
    pub span: Span,
}

/// One line of `///` or `//!`, without the slashes and the blank behind them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Doc {
    pub text: String,
    pub span: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Expr {
    pub kind: ExprKind,
    pub span: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub enum ExprKind {
    Bool(bool),
    /// `none`
    None,
    /// `42`, `1_000`
    Int(i64),
    /// `3.5`, in millionths.
    Decimal {
        micros: i64,
    },
    /// `12.50 USD`, the amount in millionths; the currency as written.
    Money {
        micros: i64,
        currency: Name,
    },
    /// `80%`, `2.5%`, in millionths of a percent.
    Percent {
        micros: i64,
    },
    /// `1h30m`, in milliseconds.
    Duration {
        ms: i64,
    },
    /// `09:00`, in minutes from midnight; `24:00` is allowed as an end.
    Clock {
        minutes: u16,
    },
    /// `2026-03-02`; a real day of the calendar.
    Date {
        year: u16,
        month: u8,
        day: u8,
    },
    /// `"text {hole}"`
    Text(TextString),
    /// `pt-BR`; a tag without subtags reads as a name.
    Language(LanguageTag),
    /// A bare name: a local, a parameter, an item, a variant, a language, a purpose.
    Name(Name),
    /// `base.field`, `module.item`, `Enum.variant`.
    Field {
        base: Box<Expr>,
        field: Name,
    },
    /// `base[index]`
    Index {
        base: Box<Expr>,
        index: Box<Expr>,
    },
    /// `find(phone: n)`, `card.last(4)`, `Customer(id: "7")`, `later(at: t)`.
    Call {
        callee: Box<Expr>,
        arguments: Arguments,
    },
    /// `[a, b]`
    List(Vec<Expr>),
    Not {
        value: Box<Expr>,
    },
    Negate {
        value: Box<Expr>,
    },
    Binary {
        operator: BinaryOperator,
        operator_span: Span,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    /// `value is test`, `value is not test`.
    Is {
        value: Box<Expr>,
        negated: bool,
        test: IsTest,
    },
    /// `value else fallback` inside an expression.
    Else {
        keyword: Span,
        value: Box<Expr>,
        fallback: Box<Expr>,
    },
    /// `match value { pattern => value }`: after `=` of a `const` or `function`, and after `priority`.
    Match(Box<ValueMatch>),
    /// Stands where the text was not understood; a diagnostic has been given.
    Missing,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Arguments {
    pub list: Vec<Argument>,
    /// From `(` to `)`.
    pub span: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Argument {
    pub name: Option<Name>,
    pub value: Expr,
    pub span: Span,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BinaryOperator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
}

impl BinaryOperator {
    pub fn text(self) -> &'static str {
        match self {
            BinaryOperator::Or => "or",
            BinaryOperator::And => "and",
            BinaryOperator::Equal => "==",
            BinaryOperator::NotEqual => "!=",
            BinaryOperator::Less => "<",
            BinaryOperator::LessOrEqual => "<=",
            BinaryOperator::Greater => ">",
            BinaryOperator::GreaterOrEqual => ">=",
            BinaryOperator::Add => "+",
            BinaryOperator::Subtract => "-",
            BinaryOperator::Multiply => "*",
            BinaryOperator::Divide => "/",
        }
    }
}

/// What stands after `is`.
#[derive(Clone, PartialEq, Debug)]
pub enum IsTest {
    /// `some x`, or `some` alone.
    Some {
        keyword: Span,
        name: Option<Name>,
    },
    None(Span),
    /// `open`, a variant, a language.
    Name(Path),
    /// A language with subtags: `pt-BR`.
    Language(LanguageTag),
}

/// A `match` whose arms are values.
#[derive(Clone, PartialEq, Debug)]
pub struct ValueMatch {
    pub keyword: Span,
    pub subject: Expr,
    pub arms: Vec<ValueArm>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct ValueArm {
    pub patterns: Vec<Pattern>,
    pub value: Expr,
    pub span: Span,
}

/// What an arm of a `match`, or of a statement's outcomes, takes.
#[derive(Clone, PartialEq, Debug)]
pub struct Pattern {
    pub kind: PatternKind,
    pub span: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub enum PatternKind {
    /// `vip`, `Tier.vip`, `timeout`, `failed`, `ok`, `served`.
    Name(Path),
    /// `ok amount`, `served result`: an outcome and the name that it fills.
    Bound {
        outcome: Name,
        name: Name,
    },
    /// `later(time)`: a variant and names for its fields, in order.
    Variant {
        path: Path,
        names: Vec<Name>,
    },
    /// `some c`
    Some {
        name: Name,
    },
    None,
    /// `true`, `7`, `"text"`, `5m` …
    Literal(Expr),
    /// `1..5`, both included.
    Range {
        low: Expr,
        high: Expr,
    },
    /// `else`: the rest of a value.
    Else,
}
