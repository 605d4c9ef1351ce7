//! What a file declares.

use lang_diagnostics::Span;

use super::{
    Block, Cadence, Doc, Expr, Field, LanguageTag, Name, Path, Queue, Skill, Statement, Survey, Test, Text, TextString,
    Type, When,
};

/// One file.
#[derive(Clone, PartialEq, Debug)]
pub struct Module {
    /// The `//!` lines.
    pub docs: Vec<Doc>,
    pub uses: Vec<Use>,
    /// Every `languages` line; more than one is a mistake that semantics names.
    pub languages: Vec<Languages>,
    pub items: Vec<Item>,
    /// In the order of the text; empty where everything reads.
    pub unread: Vec<Unread>,
    pub span: Span,
}

/// A part of the file that was not understood. What it says nobody knows, so nothing around it can be called missing.
#[derive(Clone, PartialEq, Debug)]
pub struct Unread {
    /// The line up to its block, and the block too where it was lost with its head.
    pub span: Span,
    /// The item that it lies in; none for a line of the file itself.
    pub item: Option<Span>,
    /// The innermost block that it lies in.
    pub block: Option<Span>,
    /// The lines that open the blocks around it, the outermost first.
    pub heads: Vec<Span>,
    /// It could have declared a name that is known outside its item.
    pub declares: bool,
}

/// `use routing: support, Tier`
#[derive(Clone, PartialEq, Debug)]
pub struct Use {
    pub keyword: Span,
    pub module: Path,
    pub names: Vec<Name>,
    pub span: Span,
}

/// `languages zh, en`
#[derive(Clone, PartialEq, Debug)]
pub struct Languages {
    pub keyword: Span,
    pub tags: Vec<LanguageTag>,
    pub span: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Item {
    /// The `///` lines above it.
    pub docs: Vec<Doc>,
    /// The word `local`.
    pub local: Option<Span>,
    pub keyword: Span,
    pub kind: ItemKind,
    pub span: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub enum ItemKind {
    Enum(Enum),
    Type(TypeItem),
    Const(Const),
    Function(Function),
    Service(Service),
    Hours(Hours),
    Prompt(Prompt),
    Inbound(Inbound),
    Flow(Flow),
    Skill(Skill),
    Queue(Queue),
    When(When),
    Cadence(Cadence),
    Survey(Survey),
    Test(Test),
}

impl Item {
    /// The name that it declares; `inbound`, `when` and `test` declare none.
    pub fn name(&self) -> Option<&Name> {
        match &self.kind {
            ItemKind::Enum(item) => Some(&item.name),
            ItemKind::Type(item) => Some(&item.name),
            ItemKind::Const(item) => Some(&item.name),
            ItemKind::Function(item) => Some(&item.name),
            ItemKind::Service(item) => Some(&item.name),
            ItemKind::Hours(item) => Some(&item.name),
            ItemKind::Prompt(item) => Some(&item.name),
            ItemKind::Flow(item) => Some(&item.name),
            ItemKind::Skill(item) => Some(&item.name),
            ItemKind::Queue(item) => Some(&item.name),
            ItemKind::Cadence(item) => Some(&item.name),
            ItemKind::Survey(item) => Some(&item.name),
            ItemKind::Inbound(_) | ItemKind::When(_) | ItemKind::Test(_) => None,
        }
    }
}

/// `enum Tier { … }`
#[derive(Clone, PartialEq, Debug)]
pub struct Enum {
    pub name: Name,
    pub variants: Vec<Variant>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Variant {
    pub docs: Vec<Doc>,
    pub name: Name,
    pub fields: Vec<Field>,
    /// How it is said.
    pub text: Option<Text>,
    pub span: Span,
}

/// `type Customer { … }`
#[derive(Clone, PartialEq, Debug)]
pub struct TypeItem {
    pub name: Name,
    pub fields: Vec<Field>,
}

/// `const retries = 3`, `const limit: Money = 100 USD`
#[derive(Clone, PartialEq, Debug)]
pub struct Const {
    pub name: Name,
    pub ty: Option<Type>,
    pub value: Expr,
}

/// `function name(params) -> Type = value`
#[derive(Clone, PartialEq, Debug)]
pub struct Function {
    pub name: Name,
    pub parameters: Vec<Field>,
    pub result: Type,
    pub value: Expr,
}

/// `service crm { … }`
#[derive(Clone, PartialEq, Debug)]
pub struct Service {
    pub name: Name,
    pub operations: Vec<Operation>,
}

/// `writes charge(card: private Digits) -> Receipt within 5s`
#[derive(Clone, PartialEq, Debug)]
pub struct Operation {
    pub docs: Vec<Doc>,
    pub writes: Option<Span>,
    pub name: Name,
    pub parameters: Vec<Field>,
    pub result: Option<Type>,
    pub within: Option<Expr>,
    pub span: Span,
}

/// `hours office in "Asia/Shanghai" { … }`
#[derive(Clone, PartialEq, Debug)]
pub struct Hours {
    pub name: Name,
    /// Left out: the zone of the called office.
    pub zone: Option<Expr>,
    pub lines: Vec<HoursLine>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct HoursLine {
    pub kind: HoursLineKind,
    pub span: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub enum HoursLineKind {
    /// `mon..fri 09:00..12:00, 13:00..18:00`
    Weekly { days: Days, times: Vec<ClockRange> },
    /// `open 2026-02-14 09:00..18:00`; no times: the whole day.
    Open { keyword: Span, dates: DateRange, times: Vec<ClockRange> },
    /// `closed 2026-12-24`, `closed 2026-12-24..2026-12-26`; with times only then.
    Closed { keyword: Span, dates: DateRange, times: Vec<ClockRange> },
    /// `closed holidays "cn"`
    ClosedHolidays { keyword: Span, table: TextString },
}

/// `daily`, or a list as `mon..fri, sun`.
#[derive(Clone, PartialEq, Debug)]
pub struct Days {
    pub ranges: Vec<DayRange>,
    pub span: Span,
}

/// Weekdays, both included; 0 is Monday. `daily` is 0 to 6. `sat..mon` runs over the end of the week.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DayRange {
    pub first: u8,
    pub last: u8,
    pub span: Span,
}

/// `09:00..18:00`, in minutes from midnight; the end is not included and may be 24:00.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClockRange {
    pub from_minutes: u16,
    pub to_minutes: u16,
    pub span: Span,
}

/// Days of the calendar, both included. Both are `ExprKind::Date`.
#[derive(Clone, PartialEq, Debug)]
pub struct DateRange {
    pub first: Expr,
    pub last: Expr,
    pub span: Span,
}

/// `prompt welcome { … }`
#[derive(Clone, PartialEq, Debug)]
pub struct Prompt {
    pub name: Name,
    pub lines: Vec<PromptLine>,
}

/// `zh audio "welcome.zh.wav" "欢迎"`; it has an audio file, a text, or both.
#[derive(Clone, PartialEq, Debug)]
pub struct PromptLine {
    pub tag: Option<LanguageTag>,
    pub audio: Option<Audio>,
    pub text: Option<TextString>,
    pub span: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Audio {
    pub keyword: Span,
    pub file: TextString,
}

/// `inbound "+86 400 810 0000" => hotline`
#[derive(Clone, PartialEq, Debug)]
pub struct Inbound {
    pub channel: InboundChannel,
    pub address: TextString,
    pub flow: Path,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InboundChannel {
    /// No word: a number of the telephone network.
    Number,
    Extension(Span),
    Chat(Span),
    Sms(Span),
    Email(Span),
}

/// `flow hotline(params) -> Result { … }`
#[derive(Clone, PartialEq, Debug)]
pub struct Flow {
    pub name: Name,
    pub parameters: Vec<Field>,
    pub result: Option<Type>,
    /// The statements outside any step.
    pub top: Vec<Statement>,
    pub steps: Vec<Step>,
    pub fault: Option<Handler>,
    pub finally: Option<Handler>,
    /// From `{` to `}`.
    pub body_span: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Step {
    pub docs: Vec<Doc>,
    pub keyword: Span,
    pub name: Name,
    pub parameters: Vec<Field>,
    pub body: Block,
    pub span: Span,
}

/// `fault { … }` or `finally { … }`
#[derive(Clone, PartialEq, Debug)]
pub struct Handler {
    pub keyword: Span,
    pub body: Block,
    pub span: Span,
}
