//! A call that a person at a terminal plays: he presses keys, speaks, hangs up, lets time pass, says what services
//! answer, and reads what happens.

use std::sync::Arc;

use runtime_contract::channel::Channel;
use runtime_contract::request::Request;
use runtime_contract::script::{AgentState, Delivery, FarSide, Given};
use runtime_contract::{FlowProgram, ProgramMeta, Time, Type};

use crate::plant::{Asks, Plant, open_text};
use crate::transcript::{Line, What};

/// Things that may happen by themselves before the caller is asked again.
const EVENTS_MAX: usize = 10_000;

pub struct Talk {
    plant: Plant,
    shown: usize,
}

/// A service was asked for which nothing is given.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// `crm.find`
    pub name: String,
    /// As they were handed over, private ones left out.
    pub arguments: String,
    pub result: Option<Type>,
    pub service: u32,
    pub operation: u32,
}

impl Talk {
    pub fn new(program: Arc<dyn FlowProgram>, began: Time) -> Talk {
        let mut plant = Plant::new(program, began);
        plant.far_sides = [FarSide::Person].into();
        plant.asks = Asks::Unknown;
        plant.deliveries = [Delivery::Delivered].into();
        Talk { plant, shown: 0 }
    }

    pub fn meta(&self) -> &ProgramMeta {
        self.plant.meta()
    }

    /// The call comes in, and everything happens until the caller is to do something.
    pub fn call(&mut self, channel: Channel, from: Option<String>, to: &str) {
        self.plant.call(channel, from, to);
        self.settle();
    }

    /// What a service answers from now on.
    pub fn answer(&mut self, service: u32, operation: u32, answer: Given) {
        self.plant.answer(service, operation, answer);
        self.settle();
    }

    /// The call waits for somebody to say what this service answers.
    pub fn question(&self) -> Option<Question> {
        let call = self.plant.asked.as_ref()?;
        let meta = self.plant.meta();
        let service = meta.services.get(call.service as usize)?;
        let operation = service.operations.get(call.operation as usize)?;
        let arguments = operation.parameters.iter().zip(&call.arguments);
        let arguments: Vec<String> =
            arguments.map(|(parameter, value)| open_text(meta, &parameter.r#type, value)).collect();
        Some(Question {
            name: format!("{}.{}", service.name, operation.name),
            arguments: arguments.join(", "),
            result: operation.result.clone(),
            service: call.service,
            operation: call.operation,
        })
    }

    /// What everybody does who is called from now on; at first he answers.
    pub fn dial(&mut self, side: FarSide) {
        self.plant.far_sides = [side].into();
    }

    /// Whether what cadences write to people arrives from now on; at first it does.
    pub fn message(&mut self, delivery: Delivery) {
        self.plant.deliveries = [delivery].into();
    }

    /// The same of what is sent.
    pub fn send(&mut self, delivery: Delivery) {
        self.plant.sends.deliveries = [delivery].into();
    }

    /// From here on this agent is so; `skills`: indices in `ProgramMeta::skills`, and levels.
    pub fn agent(&mut self, name: &str, state: AgentState, skills: &[(u32, i64)]) {
        self.plant.agent(name, state, skills);
        self.settle();
    }

    /// What he says of the conversation that he has ended. The error: what he may say, if anything.
    pub fn agent_picks(&mut self, name: &str, variant: &str) -> Result<(), Vec<String>> {
        if !self.plant.picks(name, variant) {
            let writes_up = self.plant.agents.writing_up.contains(name);
            let known = self.plant.asked_of_agents().iter().map(|variant| variant.name.clone());
            return Err(known.filter(|_| writes_up).collect());
        }
        self.settle();
        Ok(())
    }

    /// The agents that there are, by name, and what each does just now.
    pub fn agents(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.plant.agents_now()
    }

    /// Presses keys at the dialogue where the call is, or writes them.
    pub fn press(&mut self, keys: &str) {
        match self.plant.channel().is_written() {
            true => self.plant.say(keys),
            false => keys.chars().for_each(|key| self.plant.press(key)),
        }
        self.settle();
    }

    /// Speaks into the recording that runs, or to the menu that listens.
    pub fn say(&mut self, text: &str) {
        self.plant.say(text);
        self.settle();
    }

    pub fn hang_up(&mut self) {
        self.plant.hang_up();
        self.settle();
    }

    /// Says nothing until the dialogue's patience runs out.
    pub fn say_nothing(&mut self) {
        self.plant.run_next();
        self.settle();
    }

    /// Lets time pass; into a recording that runs, the caller speaks meanwhile.
    pub fn wait(&mut self, ms: u64) {
        self.plant.speak();
        let until = self.plant.now().tick.plus_ms(ms);
        self.plant.run_until(until);
        self.settle();
    }

    pub fn now(&self) -> Time {
        self.plant.now().time
    }

    /// The dialogue where the call is.
    pub fn request(&self) -> Option<&Request> {
        self.plant.request()
    }

    /// Index of the language in which the caller heard the last text.
    pub fn language(&self) -> u32 {
        let heard = self.plant.transcript.iter().rev().find_map(|line| match &line.what {
            What::Hears { language, .. } | What::Sends { language, .. } => Some(language),
            _ => None,
        });
        heard.and_then(|heard| self.meta().languages.iter().position(|known| known == heard)).unwrap_or(0) as u32
    }

    /// Name of the step where the call is, or of its flow.
    pub fn step(&self) -> &str {
        self.plant.step_name()
    }

    /// The call is over, no cadence calls anybody any more, and no rule is at work.
    pub fn is_over(&self) -> bool {
        let plant = &self.plant;
        plant.ended && !plant.outgoing.goes_on() && plant.rules.is_empty() && plant.undelivered() == 0
    }

    /// The call takes a recording now.
    pub fn is_recording(&self) -> bool {
        self.plant.is_recording()
    }

    /// Somebody listens to words: a recording, or a menu with phrases.
    pub fn takes_words(&self) -> bool {
        self.plant.is_recording() || self.plant.takes_words()
    }

    /// What happened since this was asked last.
    pub fn news(&mut self) -> Vec<Line> {
        let news = self.plant.transcript.get(self.shown..).unwrap_or_default().to_vec();
        self.shown = self.plant.transcript.len();
        news
    }

    fn settle(&mut self) {
        for _ in 0..EVENTS_MAX {
            let waits =
                self.plant.listens() || self.plant.is_recording() || self.plant.asked.is_some() || self.plant.rests();
            let over = self.is_over() && !self.plant.follows_up();
            if over || !self.plant.ended && waits || !self.plant.run_next() {
                return;
            }
        }
    }
}
