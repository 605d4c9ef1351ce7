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
    /// So many wait that he may not.
    Full,
    /// Nobody is there.
    Nobody,
    /// Somebody is there who has no time.
    Busy,
    /// Somebody takes him and leaves.
    Served,
    /// He takes him, who hangs up while they talk, and is asked in writing how that was.
    Leaves,
    /// He also says this of it, a variant by its name.
    Picks(String),
    /// Nobody has time, so the caller presses this key.
    CalledBack(char),
}

impl Call {
    pub fn enters_queue(&self) -> bool {
        self.plant.is_entering()
    }

    /// What the lines before have said already of the queue that he enters.
    pub(super) fn told_of_queue(&self) -> Option<Wait> {
        if self.queue_number().is_some_and(|queue| self.plant.is_full(queue)) {
            return Some(Wait::Full);
        }
        self.staffed.iter().rev().map(|(_, wait)| wait).find(|wait| **wait != Wait::Full).cloned()
    }

    /// That it is full may be said: he was not in it since the last line.
    pub fn may_be_full(&self) -> bool {
        let is_limited = self.queue_entered().is_some_and(|queue| queue.limit.is_some());
        is_limited && self.staffed.iter().all(|(queue, _)| Some(*queue) != self.queue_number())
    }

    fn queue_number(&self) -> Option<u32> {
        match self.request() {
            Some(Request::Queue { queue }) => Some(*queue),
            _ => None,
        }
    }

    /// The queue that he enters.
    pub fn queue_entered(&self) -> Option<&Queue> {
        self.plant.meta().queues.get(self.queue_number().filter(|_| self.enters_queue())? as usize)
    }

    pub(super) fn queue(&mut self, wait: &Wait, log: &mut Log) {
        let every_ms = self.queue_entered().and_then(|queue| queue.comfort).map_or(0, |comfort| comfort.every_ms);
        let (asked, Some(number)) = (self.asked(), self.queue_number()) else { return };
        let entry = (number, wait.clone());
        if !self.staffed.contains(&entry) {
            self.staffed.push(entry);
        }
        if *wait == Wait::Full {
            self.tell(Verb::QueueFull { queue: number }, log);
            self.plant.fill(number);
        }
        self.plant.enter();
        self.read(log);
        if *wait == Wait::Full {
            return;
        }
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
            if *wait == Wait::Leaves && self.plant.talks() {
                log.push(Event::Seen(Verb::ExpectAgent { name: AGENT.to_owned(), within_ms: None }));
                self.stands = self.stands.max(self.plant.now().tick);
                return self.hang_up(log);
            }
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
            Wait::Full | Wait::Nobody => AgentState::Gone,
            Wait::Busy | Wait::CalledBack(_) => AgentState::Busy,
            Wait::Served | Wait::Leaves | Wait::Picks(_) => AgentState::Idle,
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
