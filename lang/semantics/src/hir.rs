//! What the files mean: every name resolved, every value typed, every outcome with its block. A tree of this kind that
//! [`crate::analyze`] gave has passed all checks, so what reads it decides nothing anew.
//!
//! Values are pure. What waits (a request, `run`) is a statement. A block that does not end its path goes on with the
//! statement behind the one that holds it.

mod expression;

use std::collections::BTreeMap;

use lang_diagnostics::Span;
use runtime_contract::cadence;
use runtime_contract::calendar::HoursTable;
use runtime_contract::channel::Channel;
use runtime_contract::compared::Bounds;
use runtime_contract::program::{Prompt, Service};
use runtime_contract::queue;
use runtime_contract::request::{self, AskKind, RejectReason};
use runtime_contract::rule;
use runtime_contract::script::Verb;
use runtime_contract::survey;
use runtime_contract::time::Time;
use runtime_contract::types::{Type, TypeTable};

pub use expression::{Conversion, Expr, ExprKind, Operator, ValueArm, Zoned};

/// All files of a project as one program. Indices are of the lists here.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Program {
    /// BCP 47 tags. A call begins in the first.
    pub languages: Vec<String>,
    pub types: TypeTable,
    /// `prompt` items and texts in place. `texts` has one entry, or one for each of `languages`.
    pub prompts: Vec<Prompt>,
    /// By prompt.
    pub prompt_spans: Vec<PromptSpans>,
    /// How long the audio files of the prompts last, by name, as far as that is known.
    pub audio_ms: BTreeMap<String, u64>,
    pub services: Vec<Service>,
    /// Of whole numbers that come from outside; types do not know them any more.
    pub bounds: Bounds,
    pub hours: Vec<HoursTable>,
    pub inbounds: Vec<Inbound>,
    /// Those of clauses (`routing.support/needs`) stand behind those that are written.
    pub flows: Vec<Flow>,
    pub skills: Vec<queue::Skill>,
    pub queues: Vec<Queue>,
    pub cadences: Vec<Cadence>,
    pub rules: Vec<Rule>,
    pub surveys: Vec<Survey>,
    pub tests: Vec<Test>,
}

/// Where a prompt is written: each of its languages, by index of `languages`; `None` is a text for all.
pub type PromptSpans = Vec<(Option<u32>, Span)>;

#[derive(Clone, PartialEq, Debug)]
pub struct Inbound {
    pub address: runtime_contract::program::Inbound,
    pub span: Span,
}

/// Its table has no place yet.
#[derive(Clone, PartialEq, Debug)]
pub struct Queue {
    pub table: queue::Queue,
    /// The name alone.
    pub span: Span,
}

/// Its table has no place yet.
#[derive(Clone, PartialEq, Debug)]
pub struct Cadence {
    pub table: cadence::Cadence,
    /// The name alone.
    pub span: Span,
}

/// Its table has neither head nor place yet.
#[derive(Clone, PartialEq, Debug)]
pub struct Rule {
    pub rule: rule::Rule,
    /// From `when` to what its action is about.
    pub span: Span,
}

/// Its table has no place yet.
#[derive(Clone, PartialEq, Debug)]
pub struct Survey {
    pub table: survey::Survey,
    /// What each question takes; `None` where that is spoken.
    pub kinds: Vec<Option<AskKind>>,
    /// The name alone.
    pub span: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Flow {
    /// `module.flow`.
    pub name: String,
    /// The name alone.
    pub span: Span,
    /// Parameters come first, in order; then whatever the body declares.
    pub locals: Vec<Local>,
    pub parameters: u32,
    pub result: Option<Type>,
    pub top: Block,
    pub steps: Vec<Step>,
    pub fault: Option<Block>,
    pub finally: Option<Block>,
    /// Counters of bounded `go`s, all zero when the flow begins and never reset.
    pub counters: u32,
    /// Dialogues with `again`; each counts its tries, from 1 at every arrival other than by `again`.
    pub dialogues: u32,
    /// Indices in `Program::prompts`. The statements name prompts by their place here, so that they read the same
    /// whatever stands in other flows.
    pub prompts: Vec<u32>,
    /// It is the `dial` of a cadence, whose every `run` has a [`Hangup`].
    pub is_attempt: bool,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Step {
    pub name: String,
    pub span: Span,
    /// Locals that a `go` here fills, in order.
    pub parameters: Vec<LocalId>,
    pub block: Block,
}

/// Index in the `locals` of the flow.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LocalId(pub u32);

/// Index in the `steps` of the flow.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StepId(pub u32);

/// One of the flow's `dialogues`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DialogueId(pub u32);

/// One of the flow's `counters`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CounterId(pub u32);

/// A name with a value, or a value that the checker keeps for itself (then `name` is empty). Each path assigns it
/// before it is read; a path that comes by again (a step) assigns it anew.
#[derive(Clone, PartialEq, Debug)]
pub struct Local {
    pub name: String,
    pub ty: Type,
    pub span: Span,
    /// `fault` or `finally` reads it, so it lives at every wait of the flow. It is a flow parameter, or of an optional
    /// type and assigned `none` first thing.
    pub read_by_handlers: bool,
}

/// Statements in order.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Block {
    pub statements: Vec<Statement>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Statement {
    pub kind: StatementKind,
    /// The verb.
    pub keyword: Span,
    pub span: Span,
}

impl Block {
    /// Every statement, those in other statements too, in the order of the text.
    pub fn each<'b>(&'b self, see: &mut dyn FnMut(&'b Statement)) {
        for statement in &self.statements {
            see(statement);
            statement.blocks().into_iter().for_each(|block| block.each(see));
        }
    }
}

impl Statement {
    /// The blocks that stand in it.
    pub fn blocks(&self) -> Vec<&Block> {
        fn arms(dialogue: &Dialogue) -> Vec<&Block> {
            dialogue.arms.iter().map(|arm| &arm.block).collect()
        }
        match &self.kind {
            StatementKind::Go(go) => go.bound.iter().map(|bound| &bound.otherwise).collect(),
            StatementKind::If { then, otherwise, .. } => vec![then, otherwise],
            StatementKind::Match(found) => found.arms.iter().map(|arm| &arm.block).collect(),
            StatementKind::Loop(found) => vec![&found.block],
            StatementKind::Menu(menu) => arms(&menu.dialogue),
            StatementKind::Ask(ask) => arms(&ask.dialogue),
            StatementKind::Record(record) => arms(&record.dialogue),
            StatementKind::Service(call) => vec![&call.ok, &call.failed],
            StatementKind::Connect(connect) => connect.arms.iter().map(|arm| &arm.block).collect(),
            StatementKind::Transfer(transfer) => vec![&transfer.failed],
            StatementKind::Queue(call) => call.arms.iter().map(|arm| &arm.block).collect(),
            StatementKind::Dial(dial) => dial.arms.iter().map(|arm| &arm.block).collect(),
            StatementKind::Survey { held, .. } => vec![held],
            StatementKind::Run(run) => run.hangup.iter().flat_map(|ways| [&ways.returned, &ways.gone]).collect(),
            StatementKind::Answer
            | StatementKind::Reject(_)
            | StatementKind::Play(_)
            | StatementKind::Recording { .. }
            | StatementKind::Wait(_)
            | StatementKind::Start(_)
            | StatementKind::Note { .. }
            | StatementKind::Send(_)
            | StatementKind::OpenCase(_)
            | StatementKind::SetLanguage(_)
            | StatementKind::HangUp
            | StatementKind::OfferCallback(_)
            | StatementKind::SurveyAnswer { .. }
            | StatementKind::Let { .. }
            | StatementKind::Return(_)
            | StatementKind::Again(_)
            | StatementKind::Broken => Vec::new(),
        }
    }
}

#[derive(Clone, PartialEq, Debug)]
pub enum StatementKind {
    Answer,
    /// Ends the path.
    Reject(RejectReason),
    /// `say` and `play`.
    Play(Prompts),
    /// `recording on` and `recording off`: of the conversation.
    Recording {
        on: bool,
    },
    /// A Duration; not above `WAIT_MS_MAX` when it is a constant, else a fault when it is.
    Wait(Expr),
    Menu(Menu),
    Ask(Ask),
    Record(Record),
    Service(ServiceCall),
    Connect(Connect),
    /// Ends the path when it is accepted.
    Transfer(Transfer),
    Queue(QueueCall),
    /// Only in the comfort of a queue.
    OfferCallback(char),
    /// First in the arm of `served` of a queue that has a survey: `held` runs its flow, where the caller may be asked.
    Survey {
        survey: u32,
        held: Block,
    },
    /// Only in the flow of a survey, by its place there.
    SurveyAnswer {
        survey: u32,
        question: u32,
        /// Optional: a question that was skipped has none.
        answer: Expr,
    },
    /// Only in an attempt of a cadence.
    Dial(Dial),
    Start(Start),
    Run(Run),
    Note {
        key: String,
        value: Expr,
    },
    /// `send` and `notify`.
    Send(Message),
    OpenCase(request::Case),
    /// `set caller.language = E`
    SetLanguage(Expr),
    /// Ends the path.
    HangUp,
    /// Gives a local its value: a `let`, or a value at the end of an arm.
    Let {
        local: LocalId,
        value: Expr,
    },
    /// `unless` has its condition negated.
    If {
        condition: Expr,
        then: Block,
        otherwise: Block,
    },
    Match(Match),
    Loop(Loop),
    /// Ends the path.
    Go(Go),
    /// Ends the path. The value has the type of the flow's result.
    Return(Option<Expr>),
    /// Ends the path. The next try of this dialogue or, when all are used, its arm with [`Takes::AfterTries`].
    Again(DialogueId),
    /// Stands where a diagnostic was given; never in a program that [`crate::analyze`] gave of files that parsed.
    Broken,
}

/// `repeat N times { }`, `for each x in list { }`. A round that does not end its path leads to the next.
#[derive(Clone, PartialEq, Debug)]
pub struct Loop {
    pub rounds: Rounds,
    /// Whatever happens, no more than these; a larger number is cut to it.
    pub rounds_max: u32,
    /// There is a first round in any case.
    pub is_certain: bool,
    pub block: Block,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Rounds {
    /// An Int; none when it is not above zero.
    Times(Expr),
    /// The local takes each row in turn.
    Each { list: Expr, row: LocalId },
}

/// `go STEP(arguments)`
#[derive(Clone, PartialEq, Debug)]
pub struct Go {
    pub step: StepId,
    pub arguments: Vec<Argument>,
    pub bound: Option<Bound>,
}

/// `up to TIMES times else …`: the first `times` arrivals count and go, every later one does `otherwise`, which may end
/// the path or go on behind the `go`.
#[derive(Clone, PartialEq, Debug)]
pub struct Bound {
    pub counter: CounterId,
    pub times: u32,
    /// The number.
    pub times_span: Span,
    pub otherwise: Block,
}

/// A value for a parameter or field, by its index. Arguments stand in the order in which they are written, which is
/// the order in which they are computed.
#[derive(Clone, PartialEq, Debug)]
pub struct Argument {
    pub index: u32,
    pub value: Expr,
}

/// `run FLOW(arguments)`
#[derive(Clone, PartialEq, Debug)]
pub struct Run {
    pub flow: u32,
    pub arguments: Vec<Argument>,
    /// Takes the result of a flow that has one.
    pub result: Option<LocalId>,
    /// The flow may come back; else the path ends here. `None` where nobody knows, which no program has.
    pub returns: Option<bool>,
    /// In an attempt of a cadence.
    pub hangup: Option<Hangup>,
}

/// Where a `run` of an attempt leads.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Hangup {
    /// The flow has returned.
    pub returned: Block,
    /// The person hung up before.
    pub gone: Block,
}

/// `dial E from N ring D`, and `message E by sms from N`.
#[derive(Clone, PartialEq, Debug)]
pub struct Dial {
    pub by: Channel,
    /// A Phone.
    pub number: Expr,
    /// A Phone.
    pub from: Option<Expr>,
    pub ring_ms: u32,
    /// Every outcome stands in exactly one arm, and every arm ends its paths.
    pub arms: Vec<OutcomeArm>,
}

/// `start C(arguments)`
#[derive(Clone, PartialEq, Debug)]
pub struct Start {
    pub cadence: u32,
    pub arguments: Vec<Argument>,
}

/// `SERVICE.OPERATION(arguments)`
#[derive(Clone, PartialEq, Debug)]
pub struct ServiceCall {
    pub service: u32,
    pub operation: u32,
    pub arguments: Vec<Argument>,
    /// Takes the result, before `ok` begins; `None` where there is no result or nobody reads it.
    pub result: Option<LocalId>,
    pub ok: Block,
    pub failed: Block,
}

/// `connect to E from N ring D`
#[derive(Clone, PartialEq, Debug)]
pub struct Connect {
    pub to: Destination,
    /// A Phone.
    pub from: Option<Expr>,
    pub ring_ms: u32,
    /// Every outcome stands in exactly one arm.
    pub arms: Vec<OutcomeArm>,
}

/// `send sms to E TEXT`, `notify "ops" TEXT`
#[derive(Clone, PartialEq, Debug)]
pub struct Message {
    pub channel: request::Channel,
    /// Of the type of the channel's addresses.
    pub to: Option<Expr>,
    /// One text.
    pub text: Prompts,
}

/// `transfer to E`
#[derive(Clone, PartialEq, Debug)]
pub struct Transfer {
    pub to: Destination,
    pub failed: Block,
    /// Where `failed` leads.
    pub failed_span: Span,
}

/// `queue Q(arguments)`
#[derive(Clone, PartialEq, Debug)]
pub struct QueueCall {
    pub queue: u32,
    pub arguments: Vec<Argument>,
    /// Takes what the agent says of the conversation, before the arm of `served` begins.
    pub result: Option<LocalId>,
    /// The agent says something of it, so the line is not the flow's behind `served`.
    pub keeps_no_line: bool,
    /// Every outcome that can happen stands in exactly one arm; of those that cannot, none.
    pub arms: Vec<OutcomeArm>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Destination {
    pub kind: request::Destination,
    /// A Phone or Digits.
    pub value: Expr,
}

#[derive(Clone, PartialEq, Debug)]
pub struct OutcomeArm {
    /// Indices of outcomes of the request.
    pub takes: Vec<u32>,
    pub block: Block,
    pub span: Span,
}

/// Prompts that one request plays, in order.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Prompts {
    pub items: Vec<PromptUse>,
    /// A key stops them.
    pub barge_in: bool,
}

#[derive(Clone, PartialEq, Debug)]
pub enum PromptUse {
    /// Index in the `prompts` of the flow, and a value for each of its arguments.
    Prompt { prompt: u32, arguments: Vec<Expr> },
    /// A Recording.
    Recording(Expr),
}

/// What `menu`, `ask` and `record` have in common. Every outcome that can happen stands in exactly one arm.
#[derive(Clone, PartialEq, Debug)]
pub struct Dialogue {
    pub id: DialogueId,
    /// `after N tries`; present wherever there is an `again`.
    pub tries_max: Option<u32>,
    /// The number of tries, where there is one.
    pub tries_span: Span,
    pub prompts: Prompts,
    /// What later tries play in place of `prompts`.
    pub reprompt: Option<Prompts>,
    pub listen_ms: u32,
    pub between_keys_ms: u32,
    pub arms: Vec<DialogueArm>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct DialogueArm {
    pub takes: Vec<Takes>,
    pub block: Block,
    pub span: Span,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Takes {
    /// A choice of a menu, as written.
    Key(String),
    /// A choice of a menu, as `1000..1019`, and the local that takes the Digits that were keyed.
    KeySpan(String, LocalId),
    /// A choice of a menu that has no key: its first phrase.
    Phrase(String),
    Silence,
    /// Menu.
    Other,
    /// Ask.
    Invalid,
    /// Ask with a confirmation: the caller says no.
    Rejected,
    /// Ask for consent: the caller says no.
    Refused,
    /// What the last `again` leads to.
    AfterTries,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Menu {
    pub dialogue: Dialogue,
    /// By choice, in the order of the arms, and by language of the program; no entry at all where no choice has any.
    pub phrases: Vec<Vec<Vec<String>>>,
}

impl Takes {
    /// One of a menu's.
    pub fn is_choice(&self) -> bool {
        matches!(self, Takes::Key(_) | Takes::KeySpan(..) | Takes::Phrase(_))
    }
}

/// The good outcome fills `result` and goes on behind the statement; an arm that does so too has assigned it.
#[derive(Clone, PartialEq, Debug)]
pub struct Ask {
    pub dialogue: Dialogue,
    pub kind: AskKind,
    pub private: bool,
    pub end_key: char,
    /// `confirm TEXT`
    pub confirm: Option<Confirm>,
    /// `consent for P`: yes makes the permission that `result` takes, no is `refused`.
    pub consent: Option<request::Consent>,
    pub result: LocalId,
    /// The good value is to be wrapped: `result` is optional because some arm gives `none`.
    pub result_optional: bool,
}

/// The value is read back: 1 accepts it, 2 rejects it; silence and other keys are the outcomes of the ask.
#[derive(Clone, PartialEq, Debug)]
pub struct Confirm {
    pub prompts: Prompts,
    /// Takes the value before it is accepted.
    pub it: LocalId,
    pub keyword: Span,
}

/// As [`Ask`].
#[derive(Clone, PartialEq, Debug)]
pub struct Record {
    pub dialogue: Dialogue,
    pub max_ms: u32,
    /// Any key when `None`.
    pub end_key: Option<char>,
    pub result: LocalId,
    pub result_optional: bool,
}

/// The first arm that fits is taken; one always does, so the last needs no test.
#[derive(Clone, PartialEq, Debug)]
pub struct Match {
    /// An enum, Bool, Int, an optional, Text, Digits, Language, Duration or another value with equality.
    pub subject: Expr,
    pub arms: Vec<MatchArm>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct MatchArm {
    pub patterns: Vec<Pattern>,
    pub block: Block,
    pub span: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Pattern {
    /// Index of the variant. The locals take what it carries, field by field; none takes anything when it has none.
    Variant(u32, Vec<LocalId>),
    /// The local takes the value inside.
    Some(Option<LocalId>),
    None,
    /// Both included; a single number has both equal.
    IntRange {
        low: i64,
        high: i64,
    },
    /// A constant of the subject's type.
    Equal(Expr),
    /// Whatever is left.
    Else,
}

/// A `test` block. Spans become places when it is lowered to a script.
#[derive(Clone, PartialEq, Debug)]
pub struct Test {
    pub name: String,
    pub span: Span,
    pub at: Time,
    pub zone: String,
    pub lines: Vec<(Span, Verb)>,
}
