//! Skills, queues, rules, cadences and surveys.

use lang_diagnostics::Span;

use super::{
    Arguments, Arms, AskKind, Block, Body, ClockRange, Days, Expr, Field, Name, Path, Statement, Text, TextString,
};

/// `skill technical 1..5`, `skill mandarin`
#[derive(Clone, PartialEq, Debug)]
pub struct Skill {
    pub name: Name,
    pub levels: Option<(Expr, Expr)>,
}

/// `queue support(tier: Tier) { … }`
#[derive(Clone, PartialEq, Debug)]
pub struct Queue {
    pub name: Name,
    pub parameters: Vec<Field>,
    pub clauses: Vec<QueueClause>,
    /// From `{` to `}`.
    pub body_span: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub struct QueueClause {
    pub keyword: Span,
    pub kind: QueueClauseKind,
    pub span: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub enum QueueClauseKind {
    /// `needs technical >= 2`
    Needs(Expr),
    /// `prefers mandarin if caller.language is zh`
    Prefers {
        what: Expr,
        condition: Option<Expr>,
    },
    /// `prefers same agent within 7d`
    PrefersSameAgent {
        within: Expr,
        condition: Option<Expr>,
    },
    /// A value; a value `match` is an `ExprKind::Match`.
    Priority(Expr),
    /// `order priority worth 30s, waiting`
    Order(Vec<OrderKey>),
    /// `agent longest idle`: the words of the choice.
    Agent(Vec<Name>),
    /// `relax after 30s to technical >= 1`; `to nothing` has no needs.
    Relax {
        after: Expr,
        needs: Option<Expr>,
    },
    /// `ring 15s each`
    Ring(Expr),
    /// `wrap up 20s as Result`
    WrapUp {
        time: Expr,
        result: Option<Path>,
    },
    /// `target 80% within 20s, abandons missed`: the words name the formula.
    Target {
        share: Expr,
        within: Expr,
        formula: Vec<Name>,
    },
    /// `limit 100 waiting`
    Limit(Expr),
    Timeout(Expr),
    /// `music "hold.wav"`
    Music(TextString),
    Whisper(Text),
    /// `open office`: the hours that must be open at entry.
    Open(Path),
    /// `overflow after 60s to other(args)`
    Overflow {
        after: Expr,
        queue: Path,
        arguments: Option<Arguments>,
    },
    /// `every 45s { … }`: `say`, `play`, `offer` lines.
    Every {
        every: Expr,
        body: Block,
    },
}

#[derive(Clone, PartialEq, Debug)]
pub struct OrderKey {
    pub name: Name,
    pub worth: Option<Expr>,
    pub span: Span,
}

/// `when EVENT => action`
#[derive(Clone, PartialEq, Debug)]
pub struct When {
    pub event: WhenEvent,
    pub body: Body,
}

#[derive(Clone, PartialEq, Debug)]
pub enum WhenEvent {
    /// `missed in support as contact`, `served in …`, `undelivered in CADENCE as m`
    Event { event: Name, source: Path, name: Name },
    /// `support.service_level < 80% over 15m`
    Condition { condition: Expr, over: Expr },
}

/// `cadence follow_up(lead: Lead) { … }`
#[derive(Clone, PartialEq, Debug)]
pub struct Cadence {
    pub name: Name,
    pub parameters: Vec<Field>,
    pub clauses: Vec<CadenceClause>,
    /// From `{` to `}`.
    pub body_span: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub struct CadenceClause {
    pub keyword: Span,
    pub kind: CadenceClauseKind,
    pub span: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub enum CadenceClauseKind {
    /// `consent lead.permission for sales`
    Consent { permission: Expr, purpose: Name },
    /// `law us_tsr`
    Law(Vec<Path>),
    /// `window mon..sat 09:00..20:00 in lead.zone except holidays "us"`
    Window { days: Days, times: Vec<ClockRange>, zone: Option<Expr>, except_holidays: Option<TextString> },
    /// `begin at lead.agreed_at`
    Begin(Expr),
    /// `attempts 8, at most 2 a day, at most 3 in 7d`
    Attempts { total: Expr, limits: Vec<AttemptLimit> },
    /// `pace predictive up to 3.0 lines an agent`
    Pace { mode: Name, lines_max: Option<Expr> },
    /// `dial P from N ring D { … }`
    Dial { number: Expr, from: Option<Expr>, ring: Option<Expr>, arms: Arms },
    /// `message P by sms from N { … }`
    Message { to: Expr, channel: Name, from: Option<Expr>, arms: Arms },
    /// `after attempt 3 => …`
    AfterAttempt { attempt: Expr, body: Body },
    /// `exhausted => …`
    Exhausted { body: Body },
}

#[derive(Clone, PartialEq, Debug)]
pub struct AttemptLimit {
    pub count: Expr,
    /// None: `a day`, a calendar day of the window's zone. Some: rolling.
    pub per: Option<Expr>,
    pub span: Span,
}

/// `survey csat after support { … }`
#[derive(Clone, PartialEq, Debug)]
pub struct Survey {
    pub name: Name,
    pub queue: Path,
    pub lines: Vec<SurveyLine>,
    /// From `{` to `}`.
    pub body_span: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub struct SurveyLine {
    pub keyword: Span,
    pub kind: SurveyLineKind,
    pub span: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub enum SurveyLineKind {
    /// `by voice, sms`
    By(Vec<Name>),
    /// `question score 1..5 zh "…" en "…"`
    Question { name: Name, kind: AskKind, kind_span: Span, text: Text },
    /// `if score <= 2 { … }`
    If { condition: Expr, lines: Vec<SurveyLine> },
    /// `thank zh "…"`
    Thank(Text),
    /// `open case …`, `notify …`, `send …`, `note …`, `start …`
    Action(Statement),
}
