//! A caller of an explorer who enters a queue: which agents are there, and what he does until one has time. It does not
//! know whom the queue needs: an agent who is there can do everything.

use runtime_contract::queue::Queue;
use runtime_contract::request::Request;
use runtime_contract::script::{AgentState, Verb};

use super::{Call, Event, Log};

/// He who serves.
const AGENT: &str = "ann";
/// Behind the beginning of what a waiting caller hears.
const AFTER_MS: u64 = 1_000;

/// What becomes of a caller who enters a queue.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::explore) enum Wait {
    /// Nobody is there.
    Nobody,
    /// Somebody is there who has no time.
    Busy,
    /// Somebody takes him and leaves.
    Served,
    /// He also says this of it, a variant by its name.
    Picks(String),
    /// Nobody has time, so the caller presses this key.
    CalledBack(char),
}

impl Call {
    pub fn enters_queue(&self) -> bool {
        self.plant.is_queued() && !self.plant.ended && self.entered != self.asked()
    }

    /// The queue that he enters.
    pub fn queue_entered(&self) -> Option<&Queue> {
        let Some(Request::Queue { queue }) = self.request().filter(|_| self.enters_queue()) else { return None };
        self.plant.meta().queues.get(*queue as usize)
    }

    pub(super) fn queue(&mut self, wait: &Wait, log: &mut Log) {
        let every_ms = self.queue_entered().and_then(|queue| queue.comfort).map_or(0, |comfort| comfort.every_ms);
        let asked = self.asked();
        self.entered = asked;
        self.staffed = Some(wait.clone());
        self.staff(wait, log);
        if let Wait::CalledBack(key) = wait {
            let until = self.stands.plus_ms(every_ms + AFTER_MS);
            self.wait(log, |call, log| {
                call.is_music = true;
                call.run_until(until, log);
                call.is_music = false;
            });
            return self.press(&key.to_string(), log);
        }
        while self.asked() == asked && self.waits_on(log) {
            if let Wait::Picks(variant) = wait
                && self.plant.agents.writing_up.contains(AGENT)
            {
                let verb = Verb::AgentPicks { name: AGENT.to_owned(), variant: variant.clone() };
                self.line(verb, log);
                self.stands = self.stands.max(self.plant.now().tick);
                self.plant.picks(AGENT, variant);
                self.read(log);
            }
        }
        log.push(Event::Unspoken);
    }

    /// What he hears until it is his turn is no line of a script.
    fn waits_on(&mut self, log: &mut Log) -> bool {
        let (asked, at) = (self.asked(), log.len());
        let (told, staffed, stands) = (self.told.clone(), self.staffed.clone(), self.stands);
        let happens = self.run_next(log);
        if self.asked() == asked && !self.is_over() {
            log.truncate(at);
            (self.told, self.staffed, self.stands) = (told, staffed, stands);
        } else if let Some(Event::Hears(_)) = log.get(at) {
            // Whoever presses a key before that presses it in the queue.
            log.insert(at, Event::Unspoken);
        }
        happens
    }

    /// The agent is as this needs him.
    fn staff(&mut self, wait: &Wait, log: &mut Log) {
        let wanted = match wait {
            Wait::Nobody => AgentState::Gone,
            Wait::Busy | Wait::CalledBack(_) => AgentState::Busy,
            Wait::Served | Wait::Picks(_) => AgentState::Idle,
        };
        let is = self.plant.agents.states().find(|(name, _)| *name == AGENT).map_or(AgentState::Gone, |(_, is)| is);
        if is == wanted {
            return;
        }
        let levels = self.plant.meta().skills.iter().map(|skill| skill.levels.map_or(1, |(_, last)| last));
        let skills: Vec<(u32, i64)> = (0..).zip(levels).collect();
        self.tell(Verb::Agent { name: AGENT.to_owned(), state: wanted, skills: skills.clone() }, log);
        self.plant.agent(AGENT, wanted, &skills);
        self.read(log);
    }
}
