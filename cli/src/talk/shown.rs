//! How `talk` shows what happens and what may be done, to people and to machines.

use runtime_contract::calendar::local_text;
use runtime_contract::request::{AskKind, Request};
use runtime_contract::{ProgramMeta, Type};
use runtime_simulator::{Does, Line, Question, Talk, What};
use serde_json::{Value, json};

/// `10:00:05  hears   Welcome.`
pub fn line(line: &Line, zone: &str) -> String {
    let at = local_text(line.at, zone);
    format!("{}  {}", at.split_once(' ').map_or("", |(_, clock)| clock), line.what)
}

/// A line that was piped in. Keys that nobody is to see are not shown here either.
pub fn typed(call: &Talk, line: &str) -> String {
    let hidden = matches!(call.request(), Some(Request::Ask(ask)) if ask.private);
    line.chars().map(|c| if hidden && c.is_ascii_digit() { '•' } else { c }).collect()
}

/// What of a line can be repeated.
pub fn heard(what: &What) -> Option<String> {
    matches!(what, What::Hears { .. } | What::HearsRecording).then(|| what.to_string())
}

pub fn event(line: &Line, zone: &str) -> Value {
    let mut event = match &line.what {
        What::Calls { to } => json!({ "kind": "calls", "to": to }),
        What::Step { flow, step } => json!({ "kind": "step", "flow": flow, "step": step }),
        What::Answered => json!({ "kind": "answered" }),
        What::TurnedAway(why) => json!({ "kind": "turned away", "why": why }),
        What::Hears { language, text } => json!({ "kind": "hears", "language": language, "text": text }),
        What::HearsRecording => json!({ "kind": "hears recording" }),
        What::Stopped => json!({ "kind": "cut off" }),
        What::Says(text) => json!({ "kind": "says", "text": text }),
        What::Records => json!({ "kind": "recorded" }),
        What::Presses(keys) => json!({ "kind": "presses", "keys": keys }),
        What::Service { name, arguments, answer } => {
            json!({ "kind": "service", "operation": name, "arguments": arguments, "answer": answer })
        }
        What::Dials { to, gives } => json!({ "kind": "dials", "to": to, "gives": gives }),
        What::Recording { on } => json!({ "kind": "recording", "on": on }),
        What::Writes { by, to, gives } => json!({ "kind": "writes", "by": by, "to": to, "gives": gives }),
        What::Sends { channel, to, text, .. } => json!({ "kind": "sends", "channel": channel, "to": to, "text": text }),
        What::Undelivered { channel, to } => json!({ "kind": "undelivered", "channel": channel, "to": to }),
        What::SendsNot { channel, why } => json!({ "kind": "sends not", "channel": channel, "why": why }),
        What::Case { kind, priority } => json!({ "kind": "case", "case": kind, "priority": priority.name() }),
        What::Queued { queue, priority, ahead } => {
            json!({ "kind": "queued", "queue": queue, "priority": priority, "ahead": ahead })
        }
        What::Music => json!({ "kind": "hears music" }),
        What::Agent { name, does } => agent(name, does),
        What::Promised => json!({ "kind": "will be called back" }),
        What::PromiseOver => json!({ "kind": "was not called back" }),
        What::Noted { key, value } => json!({ "kind": "note", "key": key, "value": value }),
        What::Rule { head } => json!({ "kind": "rule fires", "when": head }),
        What::RuleNot { head, why } => json!({ "kind": "rule does not fire", "when": head, "why": why }),
        What::Answers { question, answer } => json!({ "kind": "answers", "question": question, "answer": answer }),
        What::NotAsked { survey, why } => json!({ "kind": "not asked", "survey": survey, "why": why }),
        What::LeavesOut { survey, question, only } => {
            json!({ "kind": "leaves out", "survey": survey, "question": question, "only": only.word() })
        }
        What::SurveyFollows { survey } => json!({ "kind": "survey follows", "survey": survey }),
        What::WritesTo { channel, to } => json!({ "kind": "writes", "channel": channel, "to": to }),
        What::Starts { cadence } => json!({ "kind": "starts", "cadence": cadence }),
        What::Attempt { number, .. } => json!({ "kind": "attempt", "number": number }),
        What::Retries { at } => json!({ "kind": "retries", "when": at }),
        What::NotCalled(why) => json!({ "kind": "not called", "why": why }),
        What::CadenceStops { disposition, .. } => json!({ "kind": "stopped", "disposition": disposition }),
        What::Fault(fault) => json!({ "kind": "fault", "text": fault }),
        What::HangsUp => json!({ "kind": "hangs up" }),
        What::Ended => json!({ "kind": "over" }),
    };
    if let Some(fields) = event.as_object_mut() {
        fields.insert("at".to_owned(), json!(local_text(line.at, zone)));
        fields.insert("ms".to_owned(), json!(line.at.0));
    }
    event
}

fn agent(name: &str, does: &Does) -> Value {
    let mut event = match does {
        Does::Is(state) => json!({ "does": "is", "state": state.name() }),
        Does::Rings => json!({ "does": "is rung" }),
        Does::NotAnswer => json!({ "does": "does not take the call" }),
        Does::Answers { waited_ms } => json!({ "does": "answers", "waited_ms": waited_ms }),
        Does::Hears(text) => json!({ "does": "hears", "text": text }),
        Does::Leaves => json!({ "does": "leaves" }),
        Does::WritesUp => json!({ "does": "writes it up" }),
        Does::Says(word) => json!({ "does": "says", "word": word }),
    };
    if let Some(fields) = event.as_object_mut() {
        fields.insert("kind".to_owned(), json!("agent"));
        fields.insert("name".to_owned(), json!(name));
    }
    event
}

/// What the dialogue takes where the call is.
pub fn possible(call: &Talk) -> String {
    let step = call.step();
    if call.is_recording() {
        return format!("`{step}` records: `say WORDS`, then a key; or an empty line, to be silent");
    }
    let takes = match call.request() {
        Some(Request::Menu(menu)) => {
            let keys = format!("the menu takes {}", menu.choice_names().collect::<Vec<_>>().join(", "));
            let phrases: Vec<&str> = menu.phrases_in(call.language()).collect();
            if phrases.is_empty() { keys } else { format!("{keys}; or say {}", phrases.join(", ")) }
        }
        Some(Request::Ask(ask)) => {
            let secret = if ask.private { ", which nobody sees" } else { "" };
            format!("it takes {}{secret}; {} ends it", wanted(ask.kind), ask.end_key)
        }
        Some(Request::Record(_)) => "it takes a message".to_owned(),
        Some(Request::Queue { .. }) => return queued(call),
        _ => "nothing takes keys".to_owned(),
    };
    format!("in `{step}` {takes}; an empty line is silence")
}

/// Who waits, or talks, lets time pass.
fn queued(call: &Talk) -> String {
    let agents: Vec<String> = call.agents().map(|(name, does)| format!("{name} {does}")).collect();
    let agents = match agents.as_slice() {
        [] => "no agent is there: `agent wang idle`, with skills `agent wang idle technical=4`".to_owned(),
        agents => format!("agents: {}", agents.join(", ")),
    };
    format!("in `{}` he waits for an agent, or talks with one; an empty line lets time pass; {agents}", call.step())
}

fn wanted(kind: AskKind) -> String {
    match kind {
        AskKind::Digits { min, max } if min == max => format!("{min} digits"),
        AskKind::Digits { min, max } => format!("{min} to {max} digits"),
        AskKind::Range { low, high } => format!("a number from {low} to {high}"),
        AskKind::Number => "a number, `*` for its point".to_owned(),
        AskKind::Amount { .. } => "an amount, `*` for its point".to_owned(),
        AskKind::Date => "a date: month and day, like 0302".to_owned(),
        AskKind::Time => "a time: hour and minute, like 1830".to_owned(),
        AskKind::Phone => "a telephone number".to_owned(),
        AskKind::YesOrNo => "1 for yes, 2 for no".to_owned(),
        AskKind::Text { max } => format!("words, at most {max} characters"),
    }
}

/// What a person may type when a service is asked.
pub fn answer_words(meta: &ProgramMeta, question: &Question) -> String {
    match &question.result {
        None => "type `none` for done, or `failed`".to_owned(),
        Some(Type::Optional(inner)) => format!("type {}, `none` or `failed`", example(meta, inner)),
        Some(result) => format!("type {} or `failed`", example(meta, result)),
    }
}

/// A value of a type, as it is written.
fn example(meta: &ProgramMeta, r#type: &Type) -> String {
    match r#type {
        Type::Bool => "`true`, `false`".to_owned(),
        Type::Int => "a number like `3`".to_owned(),
        Type::Decimal => "a number like `3.5`".to_owned(),
        Type::Money => "an amount like `12.50 USD`".to_owned(),
        Type::Percent => "a share like `80%`".to_owned(),
        Type::Duration => "a duration like `90s`".to_owned(),
        Type::Date => "a date like `2026-03-02`".to_owned(),
        Type::Clock => "a time like `09:30`".to_owned(),
        Type::Text | Type::Digits | Type::Phone | Type::TimeZone => "a text in quotation marks".to_owned(),
        Type::Language => format!("a language: {}", meta.languages.join(", ")),
        Type::Enum(id) => {
            let variants = meta.types.variants(*id).iter().map(|variant| match variant.fields.as_slice() {
                [] => variant.name.clone(),
                fields => {
                    let fields: Vec<String> = fields.iter().map(|field| format!("{}: …", field.name)).collect();
                    format!("{}({})", variant.name, fields.join(", "))
                }
            });
            format!("one of {}", variants.collect::<Vec<_>>().join(", "))
        }
        Type::Record(id) => {
            let record = meta.types.records.get(*id as usize);
            let name = record.map_or("", |record| record.name.rsplit('.').next().unwrap_or_default());
            let fields: Vec<String> =
                record.iter().flat_map(|record| &record.fields).map(|field| format!("{}: …", field.name)).collect();
            format!("`{name}({})`", fields.join(", "))
        }
        Type::List(row) => format!("a list in `[ ]`, each row {}", example(meta, row)),
        Type::Private(inner) | Type::Optional(inner) => example(meta, inner),
        _ => "a value".to_owned(),
    }
}
