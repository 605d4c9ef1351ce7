//! Values: what each is computed from. They are pure; what waits is a statement.

use lang_diagnostics::Span;
use runtime_contract::types::Type;
use runtime_contract::value::{Money, Phone};

use super::{Argument, LocalId, Pattern};

/// A typed value. Conversions are explicit: operands have exactly the types that the operator wants.
#[derive(Clone, PartialEq, Debug)]
pub struct Expr {
    pub kind: ExprKind,
    pub ty: Type,
    pub span: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub enum ExprKind {
    Bool(bool),
    Int(i64),
    /// × 10⁻⁶; Percent too, where 1 000 000 is 100 %.
    Decimal(i64),
    Money(Money),
    /// Duration and Clock in ms, Date in days since 1970.
    Moment(i64),
    /// Text, Digits, TimeZone.
    Text(String),
    Phone(Phone),
    /// Index in `Program::languages`.
    Language(u32),
    /// Index of the variant, which carries nothing.
    Variant(u32),
    /// A variant, and all its fields in the order in which they are written.
    Construct {
        variant: u32,
        fields: Vec<Argument>,
    },
    /// Rows in order; all have the type of the list's.
    List(Vec<Expr>),
    None,
    /// A present value of an optional type.
    Some(Box<Expr>),
    Local(LocalId),
    /// `caller.number`: Phone?
    CallerNumber,
    /// `caller.language`
    CallerLanguage,
    /// The caller speaks, and does not write.
    OnVoice,
    /// `called.number`: Phone
    CalledNumber,
    /// `called.extension`: Digits
    CalledExtension,
    /// Zone of the office that is called: TimeZone
    CalledZone,
    /// All fields, in the order in which they are written.
    Record(Vec<Argument>),
    /// Of a record.
    Field {
        base: Box<Expr>,
        field: u32,
    },
    /// Of an optional record: `none` when the base is. A field that is optional itself stays as it is.
    OptionalField {
        base: Box<Expr>,
        field: u32,
    },
    Convert(Conversion, Box<Expr>),
    /// Operands in the order of the operation.
    Zoned(Zoned, Vec<Expr>),
    Not(Box<Expr>),
    /// Int, Decimal, Money (its amount), Percent, Duration; overflow faults.
    Negate(Box<Expr>),
    Binary(Operator, Box<Expr>, Box<Expr>),
    /// The right side is computed only when the left does not decide.
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    /// Of an optional, the value inside, else the fallback, which is computed only then.
    Else(Box<Expr>, Box<Expr>),
    /// Of an optional. When it holds, the local has taken the value inside.
    IsSome(Box<Expr>, Option<LocalId>),
    /// Whether a value of an enum is this variant, whatever it carries.
    IsVariant(Box<Expr>, u32),
    /// A row of a list by its place, from 1; fault `index` where there is none.
    Row(Box<Expr>, Box<Expr>),
    /// Index in `Program::hours`.
    HoursOpen(u32),
    /// Rows of a list; characters of Text, Digits or a private value (then an observation).
    Length(Box<Expr>),
    /// The last n characters (an Int) of Digits or a private value (then an observation): Digits.
    Last(Box<Expr>, Box<Expr>),
    /// Of Digits or a private value (then an observation).
    IsValidCard(Box<Expr>),
    /// Of an Int, the plural class in a language (BCP 47), from 0: Int.
    PluralClass(Box<Expr>, String),
    /// A private value and another, or Digits or Text; an observation.
    PrivateEqual(Box<Expr>, Box<Expr>),
    /// A function's value: its parameters take theirs, in the order in which they are written, and then it is computed.
    Inline {
        /// Index of the function, so that two calls can be told to be the same.
        function: u32,
        parameters: Vec<(LocalId, Expr)>,
        value: Box<Expr>,
    },
    /// The value of the first arm that fits; one always does.
    Match(Box<Expr>, Vec<ValueArm>),
    /// Stands where a diagnostic was given; never in a program that [`crate::analyze`] gave of files that parsed.
    Broken,
}

#[derive(Clone, PartialEq, Debug)]
pub struct ValueArm {
    pub patterns: Vec<Pattern>,
    pub value: Expr,
}

impl Expr {
    /// The values that this one is computed from.
    pub fn parts(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Convert(_, inner)
            | ExprKind::Some(inner)
            | ExprKind::Not(inner)
            | ExprKind::Negate(inner)
            | ExprKind::IsSome(inner, _)
            | ExprKind::Length(inner)
            | ExprKind::IsValidCard(inner)
            | ExprKind::PluralClass(inner, _)
            | ExprKind::IsVariant(inner, _)
            | ExprKind::Field { base: inner, .. }
            | ExprKind::OptionalField { base: inner, .. } => vec![inner],
            ExprKind::Binary(_, left, right)
            | ExprKind::And(left, right)
            | ExprKind::Or(left, right)
            | ExprKind::Else(left, right)
            | ExprKind::Last(left, right)
            | ExprKind::Row(left, right)
            | ExprKind::PrivateEqual(left, right) => vec![left, right],
            ExprKind::List(rows) => rows.iter().collect(),
            ExprKind::Record(fields) | ExprKind::Construct { fields, .. } => {
                fields.iter().map(|field| &field.value).collect()
            }
            ExprKind::Zoned(_, operands) => operands.iter().collect(),
            ExprKind::Inline { parameters, value, .. } => {
                parameters.iter().map(|(_, given)| given).chain([&**value]).collect()
            }
            ExprKind::Match(subject, arms) => {
                [&**subject].into_iter().chain(arms.iter().map(|arm| &arm.value)).collect()
            }
            ExprKind::Bool(_)
            | ExprKind::Int(_)
            | ExprKind::Decimal(_)
            | ExprKind::Money(_)
            | ExprKind::Moment(_)
            | ExprKind::Text(_)
            | ExprKind::Phone(_)
            | ExprKind::Language(_)
            | ExprKind::Variant(_)
            | ExprKind::None
            | ExprKind::Local(_)
            | ExprKind::CallerNumber
            | ExprKind::CallerLanguage
            | ExprKind::OnVoice
            | ExprKind::CalledNumber
            | ExprKind::CalledExtension
            | ExprKind::CalledZone
            | ExprKind::HoursOpen(_)
            | ExprKind::Broken => Vec::new(),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Conversion {
    /// Overflow faults.
    IntToDecimal,
    /// Of an Int, or of a Phone as Digits.
    IntToText,
    PhoneToText,
    /// What is no digit is left out.
    TextToDigits,
    /// As literals are written: Decimal, Percent, Money, Duration, Time, Date, Clock, Language; an enum by the name of its
    /// variant.
    ValueToText,
    /// The word stays as it is: Digits or TimeZone to Text, Percent to Decimal and back, Duration to Int.
    Same,
    /// Text or Digits becomes private: the call's vault keeps it. An optional one stays `none` when it is.
    ToPrivate,
}

/// What goes by the calendar of a zone. An observation, as zones change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Zoned {
    /// Date, Clock, TimeZone: Time. In a gap of the clocks the later, in a fold the earlier.
    DateAt,
    /// Time, TimeZone: Date
    TimeDate,
    /// Time, TimeZone: Clock
    TimeClock,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operator {
    /// Two words of one unit (Int, Decimal, Percent, Duration), or Time and Duration; overflow faults.
    Add,
    /// As `Add`, and Time and Time.
    Subtract,
    /// Int × Int, Duration × Int; overflow faults.
    Multiply,
    /// Half-even; overflow faults.
    DecimalMultiply,
    /// Half-even; zero faults.
    DecimalDivide,
    /// Two currencies fault, and so does overflow.
    MoneyAdd,
    MoneySubtract,
    /// Money × Decimal, half-even.
    MoneyMultiply,
    /// Text or Digits.
    Join,
    /// Of two values of one type. Records and optionals are never compared.
    Equal,
    NotEqual,
    /// Int, Decimal, Money (two currencies fault), Percent, Duration, Time, Date, Clock.
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}
