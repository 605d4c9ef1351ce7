//! What happens: statements, their outcomes, dialogues.

use lang_diagnostics::Span;

use super::{Arguments, Expr, LanguageTag, Name, Path, Pattern, Text, TextString};

/// Statements between braces.
#[derive(Clone, PartialEq, Debug)]
pub struct Block {
    pub statements: Vec<Statement>,
    /// From `{` to `}`.
    pub span: Span,
}

/// What an arm or an `else` leads to: a `then` chain or a block.
#[derive(Clone, PartialEq, Debug)]
pub struct Body {
    pub statements: Vec<Statement>,
    pub span: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Statement {
    /// The first word: the verb, `let`, or the first name of a call.
    pub keyword: Span,
    pub kind: StatementKind,
    /// `else …`: the other branch of `if` and `on voice`; for others all but the good outcome.
    pub otherwise: Option<Otherwise>,
    pub span: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Otherwise {
    pub keyword: Span,
    /// One value or action follows, as in `else if`, and no block of its own.
    pub chains: bool,
    pub body: Body,
}

#[derive(Clone, PartialEq, Debug)]
pub enum StatementKind {
    Answer,
    Reject {
        reason: Option<Name>,
    },
    Say(Text),
    Play(Expr),
    Wait(Expr),
    Menu(Dialogue),
    /// `recording on`, `recording off`
    Recording {
        on: bool,
    },
    Queue {
        queue: Path,
        arguments: Option<Arguments>,
        arms: Option<Arms>,
    },
    Connect {
        to: Destination,
        from: Option<Expr>,
        ring: Option<Expr>,
        arms: Option<Arms>,
    },
    Transfer {
        to: Destination,
        arms: Option<Arms>,
    },
    HangUp,
    /// `svc.op(args)` alone on its line. `call` is an `ExprKind::Call`.
    Call(Expr),
    Run(Run),
    Send {
        channel: Name,
        to: Option<Expr>,
        text: Text,
    },
    Notify {
        who: TextString,
        text: Text,
    },
    OpenCase {
        kind: Name,
        priority: Option<Expr>,
    },
    Note {
        key: Name,
        value: Expr,
    },
    /// `set caller.language = E`
    Set {
        target: Expr,
        value: Expr,
    },
    Start {
        cadence: Path,
        arguments: Option<Arguments>,
    },
    /// `otherwise` is what follows the `up to` times.
    Go {
        step: Name,
        arguments: Option<Arguments>,
        up_to: Option<Expr>,
    },
    Return {
        value: Option<Expr>,
    },
    Again,
    Continue,
    Let {
        name: Name,
        value: LetValue,
    },
    If {
        condition: Expr,
        then: Block,
    },
    Unless {
        condition: Expr,
        then: Block,
    },
    /// `on voice { } else { }`
    OnVoice {
        then: Block,
    },
    Match(Match),
    Repeat {
        times: Expr,
        body: Block,
    },
    For {
        name: Name,
        list: Expr,
        body: Block,
    },
    /// Cadence: `stop won`
    Stop {
        disposition: Name,
    },
    /// Cadence: `retry in 4h, 1d`
    RetryIn {
        delays: Vec<Expr>,
    },
    /// Cadence: `retry at time`
    RetryAt {
        at: Expr,
    },
    /// Queue comfort: `offer callback on 1`
    OfferCallback {
        key: Key,
    },
    /// A value that ends an arm of `ask`, `record` or of a `let … = match`. The parser lets it stand nowhere else.
    Value(Expr),
    /// Stands where a line was not understood; a diagnostic has been given.
    Missing,
}

/// What `connect` and `transfer` reach.
#[derive(Clone, PartialEq, Debug)]
pub enum Destination {
    Number(Expr),
    /// `extension E`
    Extension {
        keyword: Span,
        value: Expr,
    },
}

/// `run f(args)`
#[derive(Clone, PartialEq, Debug)]
pub struct Run {
    pub keyword: Span,
    pub flow: Path,
    pub arguments: Option<Arguments>,
    pub span: Span,
}

/// The right side of `let x =`. `let x = E else F` keeps `F` in the statement's `otherwise`, value or action alike.
#[derive(Clone, PartialEq, Debug)]
pub enum LetValue {
    /// An expression or a service call.
    Value(Expr),
    Run(Run),
    Ask(Ask),
    Record(Record),
    Match(Match),
}

#[derive(Clone, PartialEq, Debug)]
pub struct Match {
    pub keyword: Span,
    pub subject: MatchSubject,
    pub arms: Arms,
}

#[derive(Clone, PartialEq, Debug)]
pub enum MatchSubject {
    /// A value or a service call.
    Value(Expr),
    Run(Run),
}

/// Arms between braces.
#[derive(Clone, PartialEq, Debug)]
pub struct Arms {
    pub list: Vec<Arm>,
    /// From `{` to `}`.
    pub span: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Arm {
    pub patterns: Vec<Pattern>,
    pub body: Body,
    pub span: Span,
}

/// What stands between the braces of `menu`, `ask` and `record`.
#[derive(Clone, PartialEq, Debug)]
pub struct Dialogue {
    /// `say` and `play` lines, in order.
    pub prompts: Vec<Statement>,
    pub settings: Vec<Setting>,
    pub arms: Vec<DialogueArm>,
    /// From `{` to `}`.
    pub span: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Setting {
    pub keyword: Span,
    pub kind: SettingKind,
    pub span: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub enum SettingKind {
    Reprompt(Text),
    Listen(Expr),
    BetweenKeys(Expr),
    BargeInOff,
    EndsOn(Key),
    Confirm(Text),
}

#[derive(Clone, PartialEq, Debug)]
pub struct DialogueArm {
    pub patterns: Vec<DialoguePattern>,
    pub body: Body,
    pub span: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub struct DialoguePattern {
    pub kind: DialoguePatternKind,
    pub span: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub enum DialoguePatternKind {
    /// `1`, `1 or zh "订单" en "orders"`
    Key { key: Key, phrases: Vec<Phrases> },
    /// `en "orders", "my order"`
    Phrases(Vec<Phrases>),
    /// `1000..1019 as ext`
    KeySpan { low: Key, high: Key, name: Name },
    /// `silence`, `other`, `invalid`, `rejected`, `refused`
    Outcome(Name),
    /// `after 3 tries`
    AfterTries { keyword: Span, tries: Expr },
}

/// Keys as written: digits, `*`, `#`. `01` and `1` differ.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Key {
    pub text: String,
    pub span: Span,
}

/// The phrases of one choice in one language.
#[derive(Clone, PartialEq, Debug)]
pub struct Phrases {
    pub tag: Option<LanguageTag>,
    pub strings: Vec<TextString>,
    pub span: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Ask {
    pub keyword: Span,
    pub private: Option<Span>,
    pub kind: AskKind,
    /// Of the words of the kind: `digits 16..19`.
    pub kind_span: Span,
    pub dialogue: Dialogue,
    pub span: Span,
}

/// What is asked; also the kinds of a survey's question.
#[derive(Clone, PartialEq, Debug)]
pub enum AskKind {
    /// `digits 4` has both bounds equal.
    Digits {
        low: Expr,
        high: Expr,
    },
    /// `1..5`
    Range {
        low: Expr,
        high: Expr,
    },
    Number,
    /// `amount in CNY`; the currency as written.
    Amount {
        currency: Option<Name>,
    },
    Date,
    Time,
    Phone,
    YesOrNo,
    TextUpTo(Expr),
    VoiceUpTo(Expr),
    ConsentFor(Name),
}

/// `record up to D { … }`
#[derive(Clone, PartialEq, Debug)]
pub struct Record {
    pub keyword: Span,
    pub up_to: Expr,
    pub dialogue: Dialogue,
    pub span: Span,
}
