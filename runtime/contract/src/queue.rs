//! What a program says of its queues, as tables: whom a queue needs and prefers, who is next, how long anybody waits.
//! Who matches, and when, is `acd`'s; how a predicate is computed is the program's.

use serde::{Deserialize, Serialize};

use crate::program::{Parameter, Place};
use crate::types::Type;

/// `skill technical 1..5`. An agent without it has level 0; one who has a skill without levels has level 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skill {
    /// `module.skill`; its last word is what `strowger.yaml` and tests write.
    pub name: String,
    /// First and last, both included; `None` where it has no levels.
    pub levels: Option<(i64, i64)>,
}

/// A pure flow over a caller and an agent: its parameters are those of the queue and then the agent's level of each of
/// these skills. It waits for nothing and costs at most [`crate::limits::PURE_COST_MAX`] operations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Predicate {
    /// Index in `ProgramMeta::flows`.
    pub flow: u32,
    /// Indices in `ProgramMeta::skills`.
    pub skills: Vec<u32>,
    /// What the caller must be known by for the answer to be the same: words of the queue's parameters that it reads,
    /// by their place.
    pub reads: Vec<u32>,
    /// It reads the caller's language.
    pub reads_language: bool,
    /// It reads his number.
    pub reads_number: bool,
}

/// Whom a queue takes from some time of a caller's wait on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// Since the caller entered; 0 for `needs` itself.
    pub after_ms: u64,
    /// Levels that every agent who fits has at least, whoever the caller: (skill, level).
    pub conjunction: Vec<(u32, i64)>,
    /// Decides where the conjunction does not say all; `None`: it does.
    pub needs: Option<Predicate>,
}

/// `prefers E if C`: among the agents who fit, those for whom it is true come first; one clause before the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preference {
    pub what: Preferred,
    /// Only for callers for whom it is true.
    pub condition: Option<Predicate>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Preferred {
    Agent(Predicate),
    /// Who served the same caller last, if that is not longer ago.
    SameAgent {
        within_ms: u64,
    },
}

/// Who is next in line. One key before the next; at last who came first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrderKey {
    /// The higher first. `worth_ms`: one point counts as much as so long a wait, so that nobody starves.
    Priority { worth_ms: Option<u64> },
    /// Who waits longest.
    Waiting,
}

/// Which of the agents who fit equally well (measures.md). Each is total: ties go by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AgentChoice {
    LongestIdle,
    LeastBusy,
    FewestCalls,
    LeastTalk,
    BestSkilled,
    LeastSkilled,
    RoundRobin,
    TopDown,
    Random,
    WeightedRandom,
    AllAtOnce,
}

impl AgentChoice {
    pub const ALL: [AgentChoice; 11] = [
        AgentChoice::LongestIdle,
        AgentChoice::LeastBusy,
        AgentChoice::FewestCalls,
        AgentChoice::LeastTalk,
        AgentChoice::BestSkilled,
        AgentChoice::LeastSkilled,
        AgentChoice::RoundRobin,
        AgentChoice::TopDown,
        AgentChoice::Random,
        AgentChoice::WeightedRandom,
        AgentChoice::AllAtOnce,
    ];

    /// As a queue writes it behind `agent`.
    pub fn name(self) -> &'static str {
        match self {
            AgentChoice::LongestIdle => "longest idle",
            AgentChoice::LeastBusy => "least busy",
            AgentChoice::FewestCalls => "fewest calls",
            AgentChoice::LeastTalk => "least talk",
            AgentChoice::BestSkilled => "best skilled",
            AgentChoice::LeastSkilled => "least skilled",
            AgentChoice::RoundRobin => "round robin",
            AgentChoice::TopDown => "top down",
            AgentChoice::Random => "random",
            AgentChoice::WeightedRandom => "weighted random",
            AgentChoice::AllAtOnce => "all at once",
        }
    }
}

/// Formulas of the service level (measures.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Formula {
    AbandonsMet,
    AnsweredOnly,
    AbandonsMissed,
    EarlyAbandonsOut,
    ShortAbandonsMet,
}

impl Formula {
    pub const ALL: [Formula; 5] = [
        Formula::AbandonsMet,
        Formula::AnsweredOnly,
        Formula::AbandonsMissed,
        Formula::EarlyAbandonsOut,
        Formula::ShortAbandonsMet,
    ];

    /// As a queue writes it behind `target`.
    pub fn name(self) -> &'static str {
        match self {
            Formula::AbandonsMet => "abandons met",
            Formula::AnsweredOnly => "answered only",
            Formula::AbandonsMissed => "abandons missed",
            Formula::EarlyAbandonsOut => "early abandons out",
            Formula::ShortAbandonsMet => "short abandons met",
        }
    }
}

/// No measure looks further back.
pub const WINDOW_MS_MAX: u64 = 86_400_000;

/// What a queue measures, by the name that stands behind it (`support.waiting`), and the type of it. Counts and means are
/// of callers who entered in the time asked for (`over 15m`); `waiting`, `longest_wait`, `expected_wait` and the agents
/// are of now. Where there is nothing to divide by there is no value, and a condition on it is false.
pub const MEASURES: &[(&str, Type)] = &[
    ("offered", Type::Int),
    ("answered", Type::Int),
    ("abandoned", Type::Int),
    ("short_abandoned", Type::Int),
    ("overflowed", Type::Int),
    ("called_back", Type::Int),
    ("left", Type::Int),
    ("waiting", Type::Int),
    ("longest_wait", Type::Duration),
    ("expected_wait", Type::Duration),
    ("service_level", Type::Percent),
    ("abandonment_rate", Type::Percent),
    ("asa", Type::Duration),
    ("aht", Type::Duration),
    ("occupancy", Type::Percent),
    ("agents_logged_in", Type::Int),
    ("agents_idle", Type::Int),
];

/// `target 80% within 20s, abandons missed`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// × 10⁻⁶, where 1 000 000 is 100 %.
    pub share: i64,
    pub within_ms: u64,
    pub formula: Formula,
}

/// `overflow after D to R(arguments)`: the caller waits in R as well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overflow {
    pub after_ms: u64,
    /// Index in `ProgramMeta::queues`.
    pub queue: u32,
    /// For each parameter of R in order, a pure flow over this queue's parameters.
    pub arguments: Vec<u32>,
}

/// `every D { … }`: what a waiting caller hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comfort {
    pub every_ms: u64,
    /// A flow whose parameters are those of the queue, then `ahead` (Int) and `expected_wait` (Duration).
    pub flow: u32,
}

/// One `queue` of a program. Flows of its clauses have the queue's parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Queue {
    /// `module.queue`
    pub name: String,
    pub place: Place,
    pub parameters: Vec<Parameter>,
    /// By time; the first begins at 0. The last one that has begun holds.
    pub stages: Vec<Stage>,
    pub prefers: Vec<Preference>,
    /// A pure flow: Int. 0 where there is none.
    pub priority: Option<u32>,
    pub order: Vec<OrderKey>,
    pub choice: AgentChoice,
    pub ring_ms: u64,
    pub wrap_up_ms: u64,
    /// Index in `TypeTable::enums`: what the agent says of the conversation, at the end of his wrap-up.
    pub wrap_up_as: Option<u32>,
    pub target: Option<Target>,
    /// Callers who may wait.
    pub limit: Option<u32>,
    pub timeout_ms: Option<u64>,
    /// Index in `ProgramMeta::hours`.
    pub open: Option<u32>,
    /// File below `prompts/`, and BLAKE3 of its bytes.
    pub music: Option<(String, [u8; 32])>,
    /// What the agent hears before the caller: a flow that plays it.
    pub whisper: Option<u32>,
    pub overflow: Option<Overflow>,
    pub comfort: Option<Comfort>,
    /// Its comfort offers a callback.
    pub offers_callback: bool,
}
