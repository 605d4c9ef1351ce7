//! Tests and their verbs.

use lang_diagnostics::Span;

use super::{Arguments, Destination, Expr, Key, LanguageTag, Name, Path, Text, TextString};

/// `test "title" { … }`
#[derive(Clone, PartialEq, Debug)]
pub struct Test {
    pub title: TextString,
    pub lines: Vec<TestLine>,
    /// From `{` to `}`.
    pub body_span: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub struct TestLine {
    pub keyword: Span,
    pub kind: TestLineKind,
    pub span: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub enum TestLineKind {
    /// `at 2026-03-02 10:00 in "Asia/Shanghai"`
    At {
        time: Moment,
        zone: Option<Expr>,
    },
    /// `given crm.find => value`
    Given {
        operation: Path,
        result: Given,
    },
    /// `agent "wang" idle with technical 4, mandarin`
    Agent {
        agent: TextString,
        state: Name,
        skills: Vec<AgentSkill>,
    },
    /// `agent "wang" picks sold`: what he says of the conversation.
    AgentPicks {
        agent: TextString,
        variant: Name,
    },
    /// `call from "+86 138 0000 0000" to "+86 400 810 0000"`
    Call {
        from: Expr,
        to: Destination,
    },
    /// `chat from "visitor" to "web"`
    Written {
        channel: Name,
        from: Expr,
        to: Expr,
    },
    /// `hears "欢迎致电"`
    Hears {
        tag: Option<LanguageTag>,
        text: TextString,
    },
    /// `press 0`
    Press(Key),
    /// `says "orders"`
    Says(TextString),
    Wait(Expr),
    HangUp,
    /// `start follow_up(…)`
    Start {
        cadence: Path,
        arguments: Option<Arguments>,
    },
    /// `dial gives busy, person`
    DialGives(Vec<Name>),
    /// `message gives undelivered, delivered`
    MessageGives(Vec<Name>),
    /// `send gives undelivered, delivered`
    SendGives(Vec<Name>),
    Expect(Expectation),
}

#[derive(Clone, PartialEq, Debug)]
pub enum Given {
    Value(Expr),
    Failed(Span),
}

#[derive(Clone, PartialEq, Debug)]
pub struct AgentSkill {
    pub skill: Path,
    pub level: Option<Expr>,
}

/// A date and a clock of the test's zone; both literals.
#[derive(Clone, PartialEq, Debug)]
pub struct Moment {
    pub date: Expr,
    pub clock: Expr,
    pub span: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Expectation {
    /// `expect note outcome = "hotline"`
    Note { key: Name, value: Expr },
    /// `expect step main`
    Step { step: Name },
    /// `expect queued in support priority 20`
    Queued { queue: Path, priority: Option<Expr> },
    /// `expect agent "wang" within 2s`
    Agent { agent: TextString, within: Option<Expr> },
    /// `expect attempt 2 in follow_up at 2026-03-02 10:15`
    Attempt { attempt: Expr, cadence: Option<Path>, at: Option<Moment> },
    /// `expect stopped won in follow_up`
    Stopped { disposition: Name, cadence: Option<Path> },
    /// `expect sent sms to "+1 …" "text"`
    Sent { channel: Name, to: Option<Expr>, text: Option<Text> },
    /// `expect case complaint priority high`
    Case { kind: Name, priority: Option<Expr> },
    /// `expect answer score = 2`; without a value, that there is one.
    Answer { question: Name, answer: Option<Expr> },
    /// `expect end`
    End,
}
