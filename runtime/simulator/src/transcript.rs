//! What a person would like to read of a call: what the caller heard and did, where the flow was.

use std::fmt;

use runtime_contract::Time;
use runtime_contract::channel::Channel;
use runtime_contract::request::CasePriority;
use runtime_contract::script::AgentState;

/// One line of a transcript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub at: Time,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The call came in.
    Calls {
        to: String,
    },
    /// The flow entered this step (empty: the top part).
    Step {
        flow: String,
        step: String,
    },
    Answered,
    /// No flow took it, and why.
    TurnedAway(String),
    /// The caller hears this text, said in this language (BCP 47).
    Hears {
        language: String,
        text: String,
    },
    /// The caller hears a recording of this call.
    HearsRecording,
    /// The prompt was cut off.
    Stopped,
    /// Words that the caller speaks into a recording.
    Says(String),
    /// A recording of the caller ended.
    Records,
    /// Keys that the caller pressed; private ones only as a count.
    Presses(String),
    /// A service was asked, and what came back.
    Service {
        name: String,
        /// As they were handed over, private ones left out.
        arguments: String,
        answer: String,
    },
    /// The caller goes on to somebody else, and what becomes of it.
    Dials {
        to: String,
        gives: String,
    },
    /// A cadence writes to somebody, and whether that arrives.
    Writes {
        by: String,
        to: String,
        gives: String,
    },
    /// He waits for an agent, behind so many.
    Queued {
        queue: String,
        priority: i64,
        ahead: u32,
    },
    /// The caller hears the music of the queue where he hears nothing else.
    Music,
    Agent {
        name: String,
        does: Does,
    },
    /// The caller will be called back.
    Promised,
    /// Nobody had time for that.
    PromiseOver,
    /// The conversation is recorded from here on, or no more.
    Recording {
        on: bool,
    },
    /// A message was handed over: `sms`, `email` or `notify`, to whom, and as it is read.
    Sends {
        channel: String,
        /// BCP 47
        language: String,
        /// Whoever is in the conversation reads it there.
        in_it: bool,
        to: String,
        text: String,
    },
    /// It does not arrive there.
    Undelivered {
        channel: String,
        to: String,
    },
    /// It goes to nobody.
    SendsNot {
        channel: String,
        why: String,
    },
    Case {
        kind: String,
        priority: CasePriority,
    },
    Noted {
        key: String,
        value: String,
    },
    /// A rule fires: as it is written, up to its action.
    Rule {
        head: String,
    },
    /// What it waits for happened, and why it does not fire.
    RuleNot {
        head: String,
        why: String,
    },
    /// A question of a survey has its answer.
    Answers {
        question: String,
        answer: String,
    },
    /// Nobody is asked.
    NotAsked {
        survey: String,
        why: String,
    },
    /// A survey is held by a channel that cannot bring the answer to this question: only the other can.
    LeavesOut {
        survey: String,
        question: String,
        only: Channel,
    },
    /// He is written to after his call.
    SurveyFollows {
        survey: String,
    },
    /// A conversation begins, by us.
    WritesTo {
        channel: String,
        to: String,
    },
    /// A cadence begins.
    Starts {
        cadence: String,
    },
    /// The person is called for so many times.
    Attempt {
        /// Index of `ProgramMeta::cadences`.
        cadence: u32,
        number: u32,
    },
    /// He is called then, at the earliest.
    Retries {
        at: String,
    },
    /// He is not called, and why.
    NotCalled(String),
    CadenceStops {
        cadence: u32,
        disposition: String,
    },
    Fault(String),
    HangsUp,
    /// The call is over.
    Ended,
}

/// What is to be told of an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Does {
    /// From here on he is in this state.
    Is(AgentState),
    /// He is rung for the caller.
    Rings,
    NotAnswer,
    Answers {
        /// Since the caller entered the queue.
        waited_ms: u64,
    },
    /// He alone hears this.
    Hears(String),
    Leaves,
    WritesUp,
    /// What he says of the conversation.
    Says(String),
}

impl fmt::Display for Does {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Does::Is(state) => write!(f, "is {}", state.name()),
            Does::Rings => f.write_str("is rung"),
            Does::NotAnswer => f.write_str("does not take the call"),
            Does::Answers { waited_ms } => write!(f, "answers after {} s", seconds(*waited_ms)),
            Does::Hears(text) => write!(f, "hears {text}"),
            Does::Leaves => f.write_str("leaves"),
            Does::WritesUp => f.write_str("writes it up"),
            Does::Says(word) => write!(f, "says {word}"),
        }
    }
}

/// `2`, `2.5`
pub(crate) fn seconds(ms: u64) -> String {
    match ms % 1_000 {
        0 => (ms / 1_000).to_string(),
        _ => format!("{:.1}", ms as f64 / 1_000.0),
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Calls { to } => write!(f, "calls   {to}"),
            What::Step { flow, step } if step.is_empty() => write!(f, "── {flow}"),
            What::Step { flow, step } => write!(f, "── {flow}.{step}"),
            What::Answered => f.write_str("answered"),
            What::TurnedAway(why) => write!(f, "turned away: {why}"),
            What::Hears { text, .. } => write!(f, "hears   {text}"),
            What::HearsRecording => f.write_str("hears   (his recording)"),
            What::Stopped => f.write_str("        (cut off)"),
            What::Says(text) => write!(f, "says    {text}"),
            What::Records => f.write_str("speaks  (recorded)"),
            What::Presses(keys) => write!(f, "presses {keys}"),
            What::Service { name, arguments, answer } => write!(f, "asks    {name}({arguments}) → {answer}"),
            What::Dials { to, gives } => write!(f, "dials   {to} → {gives}"),
            What::Writes { by, to, gives } => write!(f, "writes  {by} to {to} → {gives}"),
            What::Queued { queue, priority, ahead } => {
                write!(f, "queued  in {queue} (priority {priority}, {ahead} ahead)")
            }
            What::Music => f.write_str("hears   (music)"),
            What::Agent { name, does } => write!(f, "agent   {name} {does}"),
            What::Promised => f.write_str("will be called back"),
            What::PromiseOver => f.write_str("was not called back"),
            What::Recording { on: true } => f.write_str("recording on"),
            What::Recording { on: false } => f.write_str("recording off"),
            What::Sends { channel, to, text, .. } => write!(f, "sends   {channel} to {to}: {text}"),
            What::Undelivered { channel, to } => write!(f, "        {channel} to {to} does not arrive"),
            What::SendsNot { channel, why } => write!(f, "sends   no {channel}: {why}"),
            What::Case { kind, priority } => write!(f, "opens   case {kind}, priority {}", priority.name()),
            What::Noted { key, value } => write!(f, "notes   {key} = {value}"),
            What::Answers { question, answer } => write!(f, "answers {question} = {answer}"),
            What::NotAsked { survey, why } => write!(f, "no {survey}: {why}"),
            What::LeavesOut { survey, question, only } => {
                write!(f, "{survey} leaves out {question}: only by {}", only.word())
            }
            What::SurveyFollows { survey } => write!(f, "{survey} follows in writing"),
            What::WritesTo { channel, to } => write!(f, "writes  {channel} to {to}"),
            What::Fault(fault) => write!(f, "fault: {fault}"),
            What::Rule { head } => write!(f, "rule    {head}"),
            What::RuleNot { head, why } => write!(f, "rule    {head}: not this time, {why}"),
            What::Starts { cadence } => write!(f, "starts  {cadence}"),
            What::Attempt { number, .. } => write!(f, "attempt {number}"),
            What::Retries { at } => write!(f, "is to be called at {at}"),
            What::NotCalled(why) => write!(f, "is not called: {why}"),
            What::CadenceStops { disposition, .. } => write!(f, "stopped {disposition}"),
            What::HangsUp => f.write_str("hangs up"),
            What::Ended => f.write_str("the call is over"),
        }
    }
}
