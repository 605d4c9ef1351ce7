//! Queues of a test: who fills them, and what is expected of them: where the caller waits, and who answers him.

use runtime_exchange::Input;

use crate::agents::short;
use crate::difference::Difference;
use crate::plant::Plant;
use crate::play::{Played, Player};
use crate::transcript::{Does, Line, What, seconds};

impl Plant {
    /// From here on the queue takes nobody else.
    pub fn fill(&mut self, queue: u32) {
        let Some(name) = self.meta().queues.get(queue as usize).map(|queue| queue.name.clone()) else { return };
        self.full.insert(queue);
        self.give(Input::QueueFull(name));
    }

    pub fn is_full(&self, queue: u32) -> bool {
        self.full.contains(&queue)
    }

    /// Somebody is about to enter a queue, and waits until [`Plant::enter`]: he is in no line before that is durable.
    pub fn is_entering(&self) -> bool {
        self.entering.is_some()
    }

    pub fn enter(&mut self) {
        if let Some(number) = self.entering.take() {
            self.give(Input::Committed(number));
        }
    }

    /// Keeps back that it is durable, once for each entry.
    pub(crate) fn hold_entry(&mut self) {
        let asking = self.asking();
        if !self.is_queued() || self.entered == asking {
            return;
        }
        let last = self.inputs.iter().rposition(|input| matches!(input, Input::Committed(_)));
        if let Some(Input::Committed(number)) = last.and_then(|at| self.inputs.remove(at)) {
            (self.entering, self.entered) = (Some(number), asking);
        }
    }
}

impl Player {
    pub fn expect_queued(&mut self, queue: u32, priority: Option<i64>) -> Played {
        let name = self.plant.meta().queues.get(queue as usize).map_or("", |queue| queue.name.as_str());
        let name = short(name).to_owned();
        let from = self.called_from;
        let is_here = |line: &Line| {
            matches!(&line.what, What::Queued { queue, priority: came, .. }
            if *queue == name && priority.is_none_or(|wanted| wanted == *came))
        };
        if self.until(|plant| plant.transcript.iter().skip(from).any(is_here).then_some(())).is_some() {
            return Ok(());
        }
        let mut since = self.plant.transcript.iter().skip(from);
        let came = since.rfind(|line| matches!(line.what, What::Queued { .. })).map(|line| &line.what);
        let came = match came {
            Some(What::Queued { queue, priority: came, .. }) if *queue == name => {
                format!("he waits there with priority {came}")
            }
            Some(What::Queued { queue, .. }) => format!("he waits in `{queue}`"),
            _ => format!("he waits in no queue; {}", self.stands()),
        };
        let priority = priority.map_or_else(String::new, |priority| format!(" with priority {priority}"));
        Err(Difference::new(format!("the caller waits in `{name}`{priority}"), came))
    }

    pub fn expect_agent(&mut self, name: &str, within_ms: Option<i64>) -> Played {
        let from = self.called_from;
        let waited = |line: &Line| match &line.what {
            What::Agent { name: who, does: Does::Answers { waited_ms } } if who == name => Some(*waited_ms),
            _ => None,
        };
        let found = self.until(|plant| plant.transcript.iter().skip(from).find_map(waited));
        let within_ms = within_ms.map(|ms| u64::try_from(ms).unwrap_or(0));
        let within = within_ms.map_or_else(String::new, |ms| format!(" within {} s", seconds(ms)));
        let expected = format!("`{name}` answers{within}");
        match found {
            Some(waited_ms) if within_ms.is_none_or(|within_ms| waited_ms <= within_ms) => {
                // What the caller does next he does to the agent.
                self.until(|plant| (!plant.whispers()).then_some(()));
                Ok(())
            }
            Some(waited_ms) => Err(Difference::new(expected, format!("he answers after {} s", seconds(waited_ms)))),
            None => Err(Difference::new(expected, self.answered_else(name)).hint(self.why_not(name))),
        }
    }

    fn answered_else(&self, name: &str) -> String {
        let mut since = self.plant.transcript.iter().skip(self.called_from);
        let other = since.find_map(|line| match &line.what {
            What::Agent { name: who, does: Does::Answers { .. } } => Some(who),
            _ => None,
        });
        match other {
            Some(other) => format!("`{other}` answers; {}", self.stands()),
            None => format!("`{name}` does not; {}", self.stands()),
        }
    }

    /// Why this agent may not have been the one.
    fn why_not(&self, name: &str) -> Option<String> {
        let since = self.plant.transcript.iter().skip(self.called_from);
        let rung = |line: &Line| matches!(&line.what, What::Agent { name: who, does: Does::Rings } if who == name);
        let (_, state) = self.plant.agents.states().find(|(known, _)| *known == name)?;
        let is_rung = since.clone().any(rung);
        let queued = since.clone().any(|line| matches!(line.what, What::Queued { .. }));
        (!is_rung && queued).then(|| format!("he is {} and was never rung: see what the queue needs", state.name()))
    }

    /// Of the conversation that he ends, or has ended.
    pub fn agent_picks(&mut self, name: &str, variant: &str) -> Played {
        let expected = format!("`{name}` says {variant} of a conversation");
        if self.until(|plant| plant.agents.writing_up.contains(name).then_some(())).is_none() {
            let asks = self.plant.is_queued() && self.plant.asked_of_agents().is_empty();
            let hint = asks.then(|| "the queue asks him nothing: it has no `wrap up … as`".to_owned());
            return Err(Difference::new(expected, format!("he has none to write up; {}", self.stands())).hint(hint));
        }
        if self.plant.picks(name, variant) {
            return Ok(());
        }
        let known: Vec<&str> = self.plant.asked_of_agents().iter().map(|variant| variant.name.as_str()).collect();
        Err(Difference::new(expected, format!("the queue asks him for one of {}", known.join(", "))))
    }
}
