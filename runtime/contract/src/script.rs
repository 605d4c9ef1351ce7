//! A `test` block, lowered: what happens, in order, and what must be seen. Played in virtual time by the
//! simulator; nothing here knows how.

use crate::channel::Channel;
use crate::program::{Part, Place, ProgramMeta, Prompt, PromptText};
use crate::request::CasePriority;
use crate::spoken;
use crate::time::Time;
use crate::types::Type;
use crate::value::Value;

#[derive(Clone, Debug, PartialEq)]
pub struct TestScript {
    pub name: String,
    pub place: Place,
    /// When it begins, from `at … in …`.
    pub at: Time,
    /// Zone of that line, for showing times.
    pub zone: String,
    pub lines: Vec<(Place, Verb)>,
    /// Names of files; a [`Place`] of this script is an index here.
    pub files: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Verb {
    /// From here on this operation answers so.
    Given {
        service: u32,
        operation: u32,
        answer: Given,
    },
    /// From here on this queue (index in `ProgramMeta::queues`) takes nobody else.
    QueueFull {
        queue: u32,
    },
    Call {
        channel: Channel,
        from: Option<String>,
        to: String,
    },
    /// The caller hears this text within what is played next, before any further key.
    Hears(Hears),
    Press(String),
    /// The caller speaks these words, to a menu or into the recording that runs, or writes them.
    Says(String),
    /// What the far sides of `connect to` and `transfer to` do, one after the other; the last goes for all later ones.
    DialGives(Vec<FarSide>),
    /// Whether the messages of cadences arrive, one after the other; the last goes for all later ones.
    MessageGives(Vec<Delivery>),
    /// The same of what is sent by SMS and chat; without a word it arrives.
    SendGives(Vec<Delivery>),
    Wait {
        ms: i64,
    },
    HangUp,
    ExpectNote {
        key: String,
        r#type: Type,
        value: Value,
    },
    /// The call entered this step (`main`) since the last line.
    ExpectStep {
        flow: Option<String>,
        step: String,
    },
    /// A message has left: by `sms`, `email` or `notify`, to this recipient, with this text in it.
    ExpectSent {
        channel: String,
        to: Option<String>,
        text: Option<Hears>,
    },
    /// A case was opened.
    ExpectCase {
        kind: String,
        priority: Option<CasePriority>,
    },
    /// This question of a survey has its answer: this one, or any.
    ExpectAnswer {
        question: String,
        answer: Option<(Type, Value)>,
    },
    /// The call has ended.
    ExpectEnd,
    /// A cadence (index in `ProgramMeta::cadences`) begins, with the values of its parameters.
    Start {
        cadence: u32,
        arguments: Vec<Value>,
    },
    /// So many attempts were made of this cadence (of the one that was started last), the last of them then.
    ExpectAttempt {
        cadence: Option<u32>,
        attempt: u32,
        at: Option<Time>,
    },
    /// It has ended with this disposition.
    ExpectStopped {
        cadence: Option<u32>,
        disposition: String,
    },
    /// From here on this agent is in this state, with these skills: (index in `ProgramMeta::skills`, level). An agent whom
    /// no test names is not there.
    Agent {
        name: String,
        state: AgentState,
        skills: Vec<(u32, i64)>,
    },
    /// He says how the conversation was that he has ended: a variant of the enum that its queue asks him for.
    AgentPicks {
        name: String,
        variant: String,
    },
    /// The caller waits in this queue (index in `ProgramMeta::queues`), with this priority.
    ExpectQueued {
        queue: u32,
        priority: Option<i64>,
    },
    /// This agent answers the caller, at most so long after he entered the queue.
    ExpectAgent {
        name: String,
        within_ms: Option<i64>,
    },
}

/// What an agent does as a test tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentState {
    /// Free: takes what he is offered.
    Idle,
    /// Logged in, and not to be had.
    Busy,
    /// Logged in, at a pause.
    Away,
    /// Not logged in.
    Gone,
    /// Free, and lets it ring.
    Silent,
}

impl AgentState {
    pub const ALL: [AgentState; 5] =
        [AgentState::Idle, AgentState::Busy, AgentState::Away, AgentState::Gone, AgentState::Silent];

    /// As a test writes it.
    pub fn name(self) -> &'static str {
        match self {
            AgentState::Idle => "idle",
            AgentState::Busy => "busy",
            AgentState::Away => "away",
            AgentState::Gone => "gone",
            AgentState::Silent => "silent",
        }
    }
}

/// A text that is to be heard: all of a prompt, or a part of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Hears {
    /// With one text, which serves every language.
    pub prompt: Prompt,
    /// Of its holes.
    pub values: Vec<Value>,
    /// Only in this language (BCP 47).
    pub language: Option<String>,
}

impl Hears {
    pub fn new(parts: Vec<Part>, values: Vec<(Type, Value)>, language: Option<String>) -> Hears {
        let (arguments, values) = values.into_iter().unzip();
        let texts = vec![PromptText { tag: None, audio: None, parts }];
        Hears { prompt: Prompt { name: None, arguments, texts }, values, language }
    }

    /// Words without a hole.
    pub fn words(text: &str) -> Hears {
        Hears::new(vec![Part::Literal(text.to_owned())], Vec::new(), None)
    }

    /// The words, where there is no hole.
    pub fn plain(&self) -> Option<&str> {
        match self.prompt.texts.first()?.parts.as_slice() {
            [Part::Literal(words)] => Some(words),
            _ => None,
        }
    }

    /// As it is said in a language.
    pub fn text(&self, meta: &ProgramMeta, tag: &str) -> String {
        spoken::render(meta, &self.in_language(tag), 0, &self.values)
    }

    /// As it is read in a language.
    pub fn written(&self, meta: &ProgramMeta, tag: &str) -> String {
        spoken::render_written(meta, &self.in_language(tag), 0, &self.values)
    }

    fn in_language(&self, tag: &str) -> Prompt {
        let texts = self.prompt.texts.iter().map(|text| PromptText { tag: Some(tag.to_owned()), ..text.clone() });
        Prompt { texts: texts.collect(), ..self.prompt.clone() }
    }
}

/// What comes of a message to somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    Delivered,
    Undelivered,
}

impl Delivery {
    pub const ALL: [Delivery; 2] = [Delivery::Delivered, Delivery::Undelivered];

    /// As a test writes it.
    pub fn name(self) -> &'static str {
        match self {
            Delivery::Delivered => "delivered",
            Delivery::Undelivered => "undelivered",
        }
    }
}

/// What somebody does who is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FarSide {
    /// Answers, and leaves after a while.
    Person,
    /// A machine answers.
    Machine,
    Busy,
    Unanswered,
    Declined,
    Unreachable,
}

impl FarSide {
    pub const ALL: [FarSide; 6] = [
        FarSide::Person,
        FarSide::Machine,
        FarSide::Busy,
        FarSide::Unanswered,
        FarSide::Declined,
        FarSide::Unreachable,
    ];

    /// As a test writes it.
    pub fn name(self) -> &'static str {
        match self {
            FarSide::Person => "person",
            FarSide::Machine => "machine",
            FarSide::Busy => "busy",
            FarSide::Unanswered => "unanswered",
            FarSide::Declined => "declined",
            FarSide::Unreachable => "unreachable",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// Succeeded, with its result where the operation has one.
    Ok(Option<Value>),
    Failed,
}
