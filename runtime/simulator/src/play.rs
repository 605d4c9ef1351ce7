//! Plays a `test` block. Time passes only as far as the next line needs: to what the caller should hear, to the
//! dialogue that takes his keys, or for as long as the test waits.

use std::sync::Arc;

use runtime_contract::program::Place;
use runtime_contract::script::{TestScript, Verb};
use runtime_contract::value::Value;
use runtime_contract::{FlowProgram, Type};
use runtime_exchange::note_text;

use crate::plant::Plant;
use crate::transcript::{Line, What};

/// Time between two keys of one `press`.
const KEY_MS: u64 = 150;
/// Things that may happen between two lines of a test; past it the test is not getting anywhere.
const EVENTS_MAX: usize = 10_000;

#[derive(Clone, Debug, PartialEq)]
pub struct TestResult {
    pub name: String,
    pub place: Place,
    /// The line that did not hold, and what was there instead.
    pub failure: Option<(Place, String)>,
    pub transcript: Vec<Line>,
}

impl TestResult {
    pub fn passed(&self) -> bool {
        self.failure.is_none()
    }
}

/// Plays one test on a program.
pub fn play_test(program: &Arc<dyn FlowProgram>, script: &TestScript) -> TestResult {
    let plant = Plant::new(Arc::clone(program), script.at);
    let mut player = Player { plant, heard_from: 0, steps_from: 0, is_stuck: false };
    let mut failure = None;
    for (place, verb) in &script.lines {
        let played = player.play(verb);
        if let Err(why) = player.within_limits().and(played) {
            failure = Some((*place, why));
            break;
        }
    }
    let failure = failure.or_else(|| Some((script.place, player.close().err()?)));
    TestResult { name: script.name.clone(), place: script.place, failure, transcript: player.plant.transcript }
}

struct Player {
    plant: Plant,
    /// Transcript line from which `hears` looks.
    heard_from: usize,
    /// The same for `expect step`.
    steps_from: usize,
    /// More happened by itself than may before one line.
    is_stuck: bool,
}

impl Player {
    fn play(&mut self, verb: &Verb) -> Result<(), String> {
        let began = self.plant.transcript.len();
        match verb {
            Verb::Given { service, operation, answer } => {
                self.plant.answers.insert((*service, *operation), answer.clone());
            }
            Verb::Call { from, to } => self.plant.call(from.clone(), to),
            Verb::Hears(text) => self.hears(text)?,
            Verb::Press(keys) => self.press(keys)?,
            Verb::Wait { ms } => self.wait(u64::try_from(*ms).unwrap_or(0)),
            Verb::HangUp => self.plant.hang_up(),
            Verb::ExpectNote { key, r#type, value } => self.expect_note(key, r#type, value)?,
            Verb::ExpectStep { flow, step } => self.expect_step(flow.as_deref(), step)?,
            Verb::ExpectEnd => self.expect_end()?,
        }
        if matches!(verb, Verb::Call { .. } | Verb::Press(_) | Verb::Wait { .. } | Verb::HangUp) {
            self.steps_from = began;
        }
        Ok(())
    }

    /// A call that passed a limit is cut off, which no test may want.
    fn within_limits(&self) -> Result<(), String> {
        self.plant.limit.as_ref().map_or(Ok(()), |limit| Err(format!("the call passed a limit: {limit}")))
    }

    /// After the last line: a call that goes on comes to its end by itself, or the test has forgotten it.
    fn close(&mut self) -> Result<(), String> {
        let came_in = self.plant.transcript.iter().any(|line| matches!(line.what, What::Calls { .. }));
        if came_in && self.until(|plant| plant.ended.then_some(())).is_none() {
            let stands = self.stands();
            self.within_limits()?;
            return Err(format!(
                "the test is over and the call goes on: {stands}; end it by `hang up` or `expect end`"
            ));
        }
        self.within_limits()
    }

    /// Lets things happen until `found` gives something, or until only the caller can go on.
    fn until<T>(&mut self, mut found: impl FnMut(&Plant) -> Option<T>) -> Option<T> {
        for _ in 0..EVENTS_MAX {
            if let Some(found) = found(&self.plant) {
                return Some(found);
            }
            if self.plant.ended || self.plant.listens() || !self.plant.run_next() {
                return found(&self.plant);
            }
        }
        self.is_stuck = true;
        found(&self.plant)
    }

    fn hears(&mut self, text: &str) -> Result<(), String> {
        let from = self.heard_from;
        let found = self.until(|plant| {
            let mut lines = plant.transcript.iter().enumerate().skip(from);
            lines
                .find(|(_, line)| matches!(&line.what, What::Hears { text: heard, .. } if heard.contains(text)))
                .map(|(at, _)| at)
        });
        match found {
            Some(at) => {
                self.heard_from = at + 1;
                Ok(())
            }
            None => {
                let heard: Vec<String> = self.plant.transcript.iter().skip(from).filter_map(heard).collect();
                Err(match heard.as_slice() {
                    [] => format!("the caller hears nothing; {}", self.stands()),
                    heard => format!("the caller hears {}; {}", heard.join(", then "), self.stands()),
                })
            }
        }
    }

    /// Keys go to the next dialogue that takes them.
    fn press(&mut self, keys: &str) -> Result<(), String> {
        if self.until(|plant| plant.takes_keys().then_some(())).is_none() {
            return Err(format!("nobody takes keys; {}", self.stands()));
        }
        self.heard_from = self.plant.transcript.len();
        for key in keys.chars() {
            self.plant.press(key);
            let until = self.plant.now().tick.plus_ms(KEY_MS);
            if !self.plant.ended {
                self.plant.run_until(until);
            }
        }
        Ok(())
    }

    /// Into a recording that runs, the caller speaks meanwhile.
    fn wait(&mut self, ms: u64) {
        self.plant.speak();
        let until = self.plant.now().tick.plus_ms(ms);
        self.plant.run_until(until);
    }

    fn expect_note(&mut self, key: &str, r#type: &Type, value: &Value) -> Result<(), String> {
        let wanted = note_text(self.plant.meta(), r#type, value);
        let last = |plant: &Plant| {
            let mut lines = plant.transcript.iter().rev();
            lines.find_map(|line| match &line.what {
                What::Noted { key: noted, value } if noted == key => Some(value.clone()),
                _ => None,
            })
        };
        match self.until(|plant| last(plant).filter(|noted| *noted == wanted)) {
            Some(_) => Ok(()),
            None => Err(match last(&self.plant) {
                Some(noted) => format!("`{key}` is noted as {noted}, not {wanted}"),
                None => format!("nothing is noted as `{key}`; {}", self.stands()),
            }),
        }
    }

    fn expect_step(&mut self, flow: Option<&str>, step: &str) -> Result<(), String> {
        let from = self.steps_from;
        let entered = self.until(|plant| {
            plant.transcript.iter().skip(from).find_map(|line| match &line.what {
                What::Step { flow: in_flow, step: entered } => {
                    let right_flow = flow.is_none_or(|flow| in_flow == flow || in_flow.ends_with(&format!(".{flow}")));
                    (entered == step && right_flow).then_some(())
                }
                _ => None,
            })
        });
        entered.ok_or_else(|| format!("step `{step}` was not entered; {}", self.stands()))
    }

    fn expect_end(&mut self) -> Result<(), String> {
        self.until(|plant| plant.ended.then_some(())).ok_or_else(|| format!("the call goes on; {}", self.stands()))
    }

    /// Where the call is, for a message.
    fn stands(&self) -> String {
        if self.plant.ended {
            return match self.plant.transcript.last() {
                Some(Line { what: What::TurnedAway(why), .. }) => format!("the call was turned away: {why}"),
                _ => "the call is over".to_owned(),
            };
        }
        let step = self.plant.transcript.iter().rev().find_map(|line| match &line.what {
            What::Step { flow, step } if step.is_empty() => Some(flow.clone()),
            What::Step { flow, step } => Some(format!("{flow}.{step}")),
            _ => None,
        });
        let doing = match (self.is_stuck, self.plant.listens()) {
            (true, _) => "does more than 10 000 things by itself",
            (false, true) => "waits for keys",
            (false, false) => "is",
        };
        match step {
            Some(step) => format!("it {doing} in `{step}`"),
            None => "no call came in".to_owned(),
        }
    }
}

fn heard(line: &Line) -> Option<String> {
    match &line.what {
        What::Hears { text, .. } => Some(format!("“{text}”")),
        _ => None,
    }
}
