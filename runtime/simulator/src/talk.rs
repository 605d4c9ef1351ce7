//! A call that a person at a terminal plays: he presses keys, hangs up, lets time pass, and reads what happens.

use std::sync::Arc;

use runtime_contract::script::Given;
use runtime_contract::{FlowProgram, Time};

use crate::plant::Plant;
use crate::transcript::Line;

/// Things that may happen by themselves before the caller is asked again.
const EVENTS_MAX: usize = 10_000;

pub struct Talk {
    plant: Plant,
    shown: usize,
}

impl Talk {
    /// The call comes in, and everything happens until the caller is to do something.
    pub fn new(program: Arc<dyn FlowProgram>, began: Time, from: Option<String>, to: &str) -> Talk {
        let mut plant = Plant::new(program, began);
        plant.call(from, to);
        let mut talk = Talk { plant, shown: 0 };
        talk.settle();
        talk
    }

    /// What a service answers from now on; one that was never told fails.
    pub fn answer(&mut self, service: u32, operation: u32, answer: Given) {
        self.plant.answers.insert((service, operation), answer);
    }

    /// Presses keys at the dialogue where the call is.
    pub fn press(&mut self, keys: &str) {
        for key in keys.chars() {
            self.plant.press(key);
        }
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

    pub fn is_over(&self) -> bool {
        self.plant.ended
    }

    /// The call takes a recording now.
    pub fn is_recording(&self) -> bool {
        self.plant.is_recording()
    }

    /// What happened since this was asked last.
    pub fn news(&mut self) -> Vec<Line> {
        let news = self.plant.transcript.get(self.shown..).unwrap_or_default().to_vec();
        self.shown = self.plant.transcript.len();
        news
    }

    fn settle(&mut self) {
        for _ in 0..EVENTS_MAX {
            let waits = self.plant.listens() || self.plant.is_recording();
            if self.plant.ended || waits || !self.plant.run_next() {
                return;
            }
        }
    }
}
