//! Agents as a test or a person at a terminal tells them to be: their phones ring, and they answer, talk, leave and write
//! up. They know neither queue nor caller.

use std::collections::{BTreeMap, BTreeSet};

use runtime_contract::channel::Channel;
use runtime_contract::leg::{GoneCause, LegEvent, LegId, Target};
use runtime_contract::script::AgentState;
use runtime_contract::types::Variant;
use runtime_contract::{Redacted, Request};
use runtime_exchange::{Agent, AgentState as Said, Input, TraceWhat};

use crate::plant::{Coming, Plant, heard, nowhere, voice};
use crate::transcript::{Does, What};

/// How long an agent who is free lets it ring.
const ANSWER_MS: u64 = 2_000;
/// How long he talks before he leaves.
const TALK_MS: u64 = 30_000;

/// Begins the extensions of their phones, which no flow can call.
const PHONE: &str = "agent ";

#[derive(Clone, Default)]
pub(crate) struct Agents {
    states: BTreeMap<String, AgentState>,
    /// The legs to their phones.
    legs: BTreeMap<LegId, String>,
    /// Who is to say how a conversation was.
    pub writing_up: BTreeSet<String>,
}

/// It leads to the phone of an agent.
pub(crate) fn is_agent(target: &Target) -> bool {
    matches!(target, Target::Extension(extension) if extension.reveal().starts_with(PHONE))
}

impl Agents {
    /// As they were told to be, by name.
    pub fn states(&self) -> impl Iterator<Item = (&str, AgentState)> {
        self.states.iter().map(|(name, state)| (name.as_str(), *state))
    }

    /// Whose phone this leg leads to.
    pub fn at(&self, leg: LegId) -> Option<&str> {
        self.legs.get(&leg).map(String::as_str)
    }

    pub fn leg_over(&mut self, leg: LegId) {
        self.legs.remove(&leg);
    }
}

impl Plant {
    /// From here on this agent is so; `skills`: indices in `ProgramMeta::skills`, and levels.
    pub fn agent(&mut self, name: &str, state: AgentState, skills: &[(u32, i64)]) {
        let known = &self.meta().skills;
        let skill = |(skill, level): &(u32, i64)| Some((known.get(*skill as usize)?.name.clone(), *level));
        let skills = skills.iter().filter_map(skill).collect();
        let place = self.agents.states.len() as u32;
        self.agents.states.insert(name.to_owned(), state);
        self.write(What::Agent { name: name.to_owned(), does: Does::Is(state) });
        let agent = Agent { name: name.into(), skills, place, weight: 0 };
        self.give(Input::Agent { agent, extension: Redacted::new(format!("{PHONE}{name}")) });
        let state = match state {
            AgentState::Idle | AgentState::Silent => Said::Idle,
            AgentState::Busy => Said::Busy,
            AgentState::Away => Said::Away,
            AgentState::Gone => Said::Gone,
        };
        self.give(Input::AgentState { agent: name.into(), state });
    }

    /// He says how the conversation was that he writes up. False when the queue does not ask him for that.
    pub fn picks(&mut self, name: &str, variant: &str) -> bool {
        let variant = self.asked_of_agents().iter().position(|known| known.name == variant);
        let is_asked = self.agents.writing_up.contains(name) && variant.is_some();
        if is_asked {
            self.give(Input::WrapUpDone { agent: name.into(), result: variant.map(|variant| variant as u32) });
        }
        is_asked
    }

    /// The agents that there are, by name, and what each does just now.
    pub fn agents_now(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.agents.states().map(|(name, state)| {
            let is_rung = self.agents.legs.values().any(|rung| rung == name);
            let does = match () {
                () if self.agents.writing_up.contains(name) => "writes it up",
                () if is_rung && self.serves.as_deref() == Some(name) => "talks",
                () if is_rung => "is rung",
                () => state.name(),
            };
            (name, does)
        })
    }

    /// What the queue in which the call is asks its agents for.
    pub fn asked_of_agents(&self) -> &[Variant] {
        let meta = self.meta();
        let queue = match self.request() {
            Some(Request::Queue { queue }) => meta.queues.get(*queue as usize),
            _ => None,
        };
        queue.and_then(|queue| queue.wrap_up_as).map_or(&[], |id| meta.types.variants(id))
    }

    /// An agent's phone rings. False when it is somebody else's.
    pub fn ring_agent(&mut self, leg: LegId, target: &Target, ring_ms: u64) -> bool {
        let Target::Extension(extension) = target else { return false };
        let Some(name) = extension.reveal().strip_prefix(PHONE) else { return false };
        self.agents.legs.insert(leg, name.to_owned());
        let (gone_ms, cause) = match self.agents.states.get(name) {
            Some(AgentState::Idle) => {
                self.come(ANSWER_MS, Coming::Leg(LegEvent::Media { leg, media: voice(), peer: nowhere().ip() }));
                self.come(ANSWER_MS, Coming::Leg(LegEvent::Up { leg }));
                (ANSWER_MS + TALK_MS, GoneCause::RemoteHungUp)
            }
            Some(AgentState::Silent) => (ring_ms, GoneCause::NoAnswer),
            Some(AgentState::Busy) => (0, GoneCause::Refused(486)),
            Some(AgentState::Away | AgentState::Gone) | None => (0, GoneCause::Unreachable),
        };
        self.come(gone_ms, Coming::Leg(LegEvent::Gone { leg, cause }));
        true
    }

    /// What is to be told of a caller who queues.
    pub fn trace_queue(&mut self, what: TraceWhat) {
        let does = |agent: &str, does: Does| What::Agent { name: agent.to_owned(), does };
        let line = match what {
            TraceWhat::Queued { queue, priority, ahead } => {
                let name = self.meta().queues.get(queue as usize).map_or("", |queue| queue.name.as_str());
                What::Queued { queue: short(name).to_owned(), priority, ahead }
            }
            TraceWhat::Music { on: true } => What::Music,
            TraceWhat::Offered { agent } => does(&agent, Does::Rings),
            TraceWhat::Unanswered { agent } => does(&agent, Does::NotAnswer),
            TraceWhat::AgentAnswers { agent, waited_ms } => {
                self.serves = Some(agent.to_string());
                does(&agent, Does::Answers { waited_ms })
            }
            TraceWhat::Whispered(items) => {
                self.count_prompts(&items);
                let heard = items.iter().filter_map(|item| match heard(self.meta(), Channel::Voice, item) {
                    Some(What::Hears { text, .. }) => Some(text),
                    _ => None,
                });
                let heard = heard.collect::<Vec<_>>().join(" ");
                does(self.serves.as_deref().unwrap_or_default(), Does::Hears(heard))
            }
            TraceWhat::Promised => {
                self.promised = true;
                What::Promised
            }
            TraceWhat::PromiseOver => {
                self.promised = false;
                What::PromiseOver
            }
            TraceWhat::WritesUp { agent } => {
                self.agents.writing_up.insert(agent.to_string());
                does(&agent, Does::WritesUp)
            }
            TraceWhat::WrappedUp { agent, result } => {
                self.agents.writing_up.remove(&*agent);
                does(&agent, Does::Says(self.report(result)))
            }
            _ => return,
        };
        self.write(line);
    }

    /// What an agent says of a conversation, by its name.
    fn report(&self, result: Option<u32>) -> String {
        let variants = self.asked_of_agents();
        let name = |variant: u32| variants.get(variant as usize).map_or("", |variant| variant.name.as_str());
        match result {
            Some(variant) => name(variant).to_owned(),
            None => format!("nothing, which counts as {}", name(0)),
        }
    }
}

/// `support` of `routing.support`.
pub(crate) fn short(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}
