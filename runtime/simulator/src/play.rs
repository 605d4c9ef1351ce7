//! Plays a `test` block: the caller does what its lines say, and what they expect is looked for in the transcript.
//! Time passes only as far as a line needs.

use std::collections::BTreeMap;
use std::sync::Arc;

use runtime_contract::channel::Channel;
use runtime_contract::program::Place;
use runtime_contract::request::{CasePriority, Kind};
use runtime_contract::script::{Hears, TestScript, Verb};
use runtime_contract::value::Value;
use runtime_contract::{FlowProgram, Type};
use runtime_exchange::note_text;

use crate::difference::{Difference, Failure, keys_of, odd_keys, odd_words, unheard};
use crate::plant::Plant;
use crate::transcript::{Line, What};

/// Time between two keys of one `press`.
pub(crate) const KEY_MS: u64 = 150;
/// Things that may happen between two lines of a test; past it the test is not getting anywhere.
const EVENTS_MAX: usize = 10_000;

#[derive(Clone, Debug, PartialEq)]
pub struct TestResult {
    pub name: String,
    pub place: Place,
    pub failure: Option<Failure>,
    pub transcript: Vec<Line>,
    /// Of each line of the test that was played, the line of the transcript with which it begins.
    pub begins: Vec<usize>,
    /// How often a prompt began to play, by its index and that of the call's language.
    pub prompts: BTreeMap<(u32, u32), u64>,
    /// Time that passed for the caller.
    pub virtual_ms: u64,
    /// The journal of each call, as a store would keep it.
    pub journals: Vec<Vec<u8>>,
}

impl TestResult {
    pub fn passed(&self) -> bool {
        self.failure.is_none()
    }
}

/// Plays one test on a program.
pub fn play_test(program: &Arc<dyn FlowProgram>, script: &TestScript) -> TestResult {
    let plant = Plant::new(Arc::clone(program), script.at);
    let mut player = Player { plant, heard_from: 0, steps_from: 0, called_from: 0, odd_keys: None, is_stuck: false };
    let (mut failure, mut begins) = (None, Vec::new());
    for (place, verb) in &script.lines {
        begins.push(player.plant.transcript.len());
        let played = player.play(verb, &script.zone);
        if let Err(difference) = player.within_limits().and(played) {
            failure = Some(player.explained(difference).at(*place));
            break;
        }
    }
    if failure.is_none() {
        begins.push(player.plant.transcript.len());
        failure = player.close().err().map(|difference| difference.at(script.place));
    }
    // What happened before the first line of the test is shown below it.
    if let Some(first) = begins.first_mut() {
        *first = 0;
    }
    TestResult {
        name: script.name.clone(),
        place: script.place,
        failure,
        begins,
        virtual_ms: (player.plant.now().time.0 - script.at.0).unsigned_abs(),
        transcript: player.plant.transcript,
        prompts: player.plant.prompts,
        journals: player.plant.journals.into_iter().map(|(_, journal)| journal).collect(),
    }
}

pub(crate) struct Player {
    pub plant: Plant,
    /// Transcript line from which `hears` looks.
    heard_from: usize,
    /// The same for `expect step`.
    steps_from: usize,
    /// The same for queues and agents: where the call begins.
    pub called_from: usize,
    /// Why the last keys chose nothing.
    odd_keys: Option<String>,
    /// More happened by itself than may before one line.
    is_stuck: bool,
}

pub(crate) type Played = Result<(), Difference>;

impl Player {
    /// `zone`: of the test, for messages.
    fn play(&mut self, verb: &Verb, zone: &str) -> Played {
        let began = self.plant.transcript.len();
        match verb {
            Verb::Given { service, operation, answer } => {
                self.plant.answers.insert((*service, *operation), answer.clone());
            }
            Verb::QueueFull { queue } => self.plant.fill(*queue),
            Verb::Call { channel, from, to } => self.call(*channel, from.clone(), to),
            Verb::Hears(wanted) => self.hears(wanted)?,
            Verb::Press(keys) => self.press(keys)?,
            Verb::Says(words) => self.says(words)?,
            Verb::DialGives(sides) => self.plant.far_sides = sides.iter().copied().collect(),
            Verb::MessageGives(given) => self.plant.deliveries = given.iter().copied().collect(),
            Verb::SendGives(given) => self.plant.sends.deliveries = given.iter().copied().collect(),
            Verb::Wait { ms } => self.wait(u64::try_from(*ms).unwrap_or(0)),
            Verb::HangUp => self.plant.hang_up(),
            Verb::ExpectNote { key, r#type, value } => self.expect_note(key, r#type, value)?,
            Verb::ExpectStep { flow, step } => self.expect_step(flow.as_deref(), step)?,
            Verb::ExpectSent { channel, to, text } => self.expect_sent(channel, to.as_deref(), text.as_ref())?,
            Verb::ExpectCase { kind, priority } => self.expect_case(kind, *priority)?,
            Verb::ExpectAnswer { question, answer } => self.expect_answer(question, answer.as_ref())?,
            Verb::ExpectEnd => self.expect_end()?,
            Verb::Agent { name, state, skills } => self.plant.agent(name, *state, skills),
            Verb::AgentPicks { name, variant } => self.agent_picks(name, variant)?,
            Verb::ExpectQueued { queue, priority } => self.expect_queued(*queue, *priority)?,
            Verb::ExpectAgent { name, within_ms } => self.expect_agent(name, *within_ms)?,
            Verb::Start { cadence, arguments } => self.start(*cadence, arguments),
            Verb::ExpectAttempt { cadence, attempt, at } => self.expect_attempt(*cadence, *attempt, *at, zone)?,
            Verb::ExpectStopped { cadence, disposition } => self.expect_stopped(*cadence, disposition, zone)?,
        }
        if matches!(
            verb,
            Verb::Call { .. } | Verb::Start { .. } | Verb::Press(_) | Verb::Says(_) | Verb::Wait { .. } | Verb::HangUp
        ) {
            self.steps_from = began;
        }
        Ok(())
    }

    fn call(&mut self, channel: Channel, from: Option<String>, to: &str) {
        self.begin_here();
        self.plant.call(channel, from, to);
    }

    /// What is heard and expected from here on is of this call, or of this cadence.
    pub fn begin_here(&mut self) {
        self.odd_keys = None;
        self.heard_from = self.plant.transcript.len();
        self.called_from = self.heard_from;
    }

    /// A call that passed a limit is cut off, which no test may want.
    fn within_limits(&self) -> Played {
        match &self.plant.limit {
            None => Ok(()),
            Some(limit) => {
                Err(Difference::new("a call within its limits", format!("the call passed a limit: {limit}")))
            }
        }
    }

    /// Adds what may have led here.
    fn explained(&self, mut difference: Difference) -> Difference {
        difference.hints.extend(self.odd_keys.clone());
        let unanswered = self.plant.unanswered.iter();
        difference
            .hints
            .extend(unanswered.map(|name| format!("`{name}` failed because no `given {name} => …` stands before")));
        difference
    }

    /// After the last line: a call that goes on comes to its end by itself, or the test has forgotten it.
    fn close(&mut self) -> Played {
        let came_in = self.plant.transcript.iter().any(|line| matches!(line.what, What::Calls { .. }));
        let came_in = came_in || self.plant.outgoing.is_acting();
        let is_over = |plant: &Plant| {
            let goes_on = plant.outgoing.is_acting() || !plant.rules.is_empty() || plant.undelivered() > 0;
            (plant.ended && !goes_on).then_some(())
        };
        if came_in && self.until(is_over).is_none() {
            let stands = self.stands();
            self.within_limits()?;
            let came = format!("the test is over and the call goes on: {stands}");
            let hint = "end it by `hang up` or `expect end`".to_owned();
            return Err(Difference::new("the call ends", came).hint(Some(hint)));
        }
        self.within_limits()
    }

    /// Lets things happen until `found` gives something, or until only the caller can go on.
    pub fn until<T>(&mut self, mut found: impl FnMut(&Plant) -> Option<T>) -> Option<T> {
        for _ in 0..EVENTS_MAX {
            if let Some(found) = found(&self.plant) {
                return Some(found);
            }
            let plant = &self.plant;
            let goes_on = plant.promised || plant.outgoing.goes_on() || plant.rules_act() || plant.follows_up();
            let goes_on = goes_on || plant.undelivered() > 0;
            let over = plant.ended && !goes_on;
            if over || self.plant.listens() || !self.plant.run_next() {
                return found(&self.plant);
            }
        }
        self.is_stuck = true;
        found(&self.plant)
    }

    fn hears(&mut self, wanted: &Hears) -> Played {
        let from = self.heard_from;
        let found = self.until(|plant| {
            let is_it = |line: &Line| {
                reaches(&line.what).is_some_and(|(language, text)| {
                    wanted.language.as_ref().is_none_or(|wanted| wanted == language)
                        && text.contains(&match line.what {
                            What::Sends { .. } => wanted.written(plant.meta(), language),
                            _ => as_heard(wanted, plant, language),
                        })
                })
            };
            let mut lines = plant.transcript.iter().enumerate().skip(from);
            lines.find(|(_, line)| is_it(line)).map(|(at, _)| at)
        });
        if let Some(at) = found {
            self.heard_from = at + 1;
            return Ok(());
        }
        let language = wanted.language.clone().unwrap_or_else(|| self.language());
        let text = as_heard(wanted, &self.plant, &language);
        let heard = self.plant.transcript.iter().skip(from).filter_map(|line| reaches(&line.what));
        let heard: Vec<String> = heard.map(|(_, text)| format!("“{text}”")).collect();
        let came = match heard.as_slice() {
            [] => format!("the caller hears nothing more; {}", self.stands()),
            heard => format!("the caller hears {}; {}", heard.join(", then "), self.stands()),
        };
        Err(Difference::new(format!("the caller hears “{text}”"), came).hint(unheard(&self.plant, &text, from)))
    }

    /// In which the caller heard the last text.
    fn language(&self) -> String {
        let heard = self.plant.transcript.iter().rev().find_map(|line| match &line.what {
            What::Hears { language, .. } | What::Sends { language, .. } => Some(language.clone()),
            _ => None,
        });
        heard.or_else(|| self.plant.meta().languages.first().cloned()).unwrap_or_default()
    }

    /// Words go into the next recording, or to the next menu that has phrases.
    fn says(&mut self, words: &str) -> Played {
        if self.until(|plant| (plant.is_recording() || plant.takes_words()).then_some(())).is_none() {
            let expected = "a menu with phrases, a `record` or an `ask voice` that listens to words";
            return Err(Difference::new(expected, format!("nobody listens to words; {}", self.stands())));
        }
        self.odd_keys = odd_words(&self.plant, words);
        self.heard_from = self.plant.transcript.len();
        self.plant.say(words);
        Ok(())
    }

    /// Keys go to the next dialogue that takes them.
    fn press(&mut self, keys: &str) -> Played {
        if self.until(|plant| (plant.takes_keys() || plant.is_queued()).then_some(())).is_none() {
            let expected = format!("a menu, `ask` or `record` that takes {keys}");
            return Err(Difference::new(expected, format!("nothing takes keys; {}", self.stands())));
        }
        self.odd_keys = odd_keys(&self.plant, keys);
        self.heard_from = self.plant.transcript.len();
        if self.plant.channel().is_written() {
            self.plant.say(keys);
            return Ok(());
        }
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

    fn expect_note(&mut self, key: &str, r#type: &Type, value: &Value) -> Played {
        let wanted = note_text(self.plant.meta(), r#type, value);
        let last = |plant: &Plant| {
            let mut lines = plant.transcript.iter().rev();
            lines.find_map(|line| match &line.what {
                What::Noted { key: noted, value } if noted == key => Some(value.clone()),
                _ => None,
            })
        };
        if self.until(|plant| last(plant).filter(|noted| *noted == wanted)).is_some() {
            return Ok(());
        }
        let came = match last(&self.plant) {
            Some(noted) => format!("`{key}` is noted as {noted}, not {wanted}"),
            None => format!("nothing is noted as `{key}`; {}", self.stands()),
        };
        Err(Difference::new(format!("`{key}` is noted as {wanted}"), came))
    }

    fn expect_step(&mut self, flow: Option<&str>, step: &str) -> Played {
        let from = self.steps_from;
        let is_it = |line: &Line| match &line.what {
            What::Step { flow: in_flow, step: entered } => {
                let right_flow = flow.is_none_or(|flow| in_flow == flow || in_flow.ends_with(&format!(".{flow}")));
                entered == step && right_flow
            }
            _ => false,
        };
        if self.until(|plant| plant.transcript.iter().skip(from).any(is_it).then_some(())).is_some() {
            return Ok(());
        }
        let since: Vec<String> = self.plant.transcript.iter().skip(from).filter_map(entered).collect();
        let came = match since.as_slice() {
            [] => format!("step `{step}` was not entered; {}", self.stands()),
            since => format!("step `{step}` was not entered, but {}; {}", since.join(", then "), self.stands()),
        };
        let earlier = self.plant.transcript.iter().take(from).any(is_it);
        let hint = "the call came by it before; the step must be entered after the last key, wait or call".to_owned();
        Err(Difference::new(format!("step `{step}` is entered"), came).hint(earlier.then_some(hint)))
    }

    fn expect_sent(&mut self, channel: &str, to: Option<&str>, text: Option<&Hears>) -> Played {
        let language = text.and_then(|text| text.language.clone()).unwrap_or_else(|| self.language());
        let words = text.map(|text| text.written(self.plant.meta(), &language));
        let is_it = |line: &Line| match &line.what {
            What::Sends { channel: by, to: sent_to, text, .. } => {
                by == channel && to.is_none_or(|to| to == sent_to) && words.as_ref().is_none_or(|it| text.contains(it))
            }
            _ => false,
        };
        if self.until(|plant| plant.transcript.iter().any(is_it).then_some(())).is_some() {
            return Ok(());
        }
        let sent: Vec<String> = self.plant.transcript.iter().filter_map(sent).collect();
        let came = match sent.as_slice() {
            [] => format!("nothing is sent; {}", self.stands()),
            sent => format!("{}; {}", sent.join(", then "), self.stands()),
        };
        let to = to.map_or_else(String::new, |to| format!(" to {to}"));
        let words = words.map_or_else(String::new, |words| format!(" that says “{words}”"));
        Err(Difference::new(format!("{channel}{to}{words}"), came))
    }

    fn expect_case(&mut self, kind: &str, priority: Option<CasePriority>) -> Played {
        let is_it = |line: &Line| match &line.what {
            What::Case { kind: opened, priority: given } => {
                opened == kind && priority.is_none_or(|wanted| wanted == *given)
            }
            _ => false,
        };
        if self.until(|plant| plant.transcript.iter().any(is_it).then_some(())).is_some() {
            return Ok(());
        }
        let opened: Vec<String> = self.plant.transcript.iter().filter_map(opened).collect();
        let came = match opened.as_slice() {
            [] => format!("no case is opened; {}", self.stands()),
            opened => format!("{} is opened; {}", opened.join(", then "), self.stands()),
        };
        let priority = priority.map_or_else(String::new, |priority| format!(" with priority {}", priority.name()));
        Err(Difference::new(format!("a case {kind}{priority} is opened"), came))
    }

    fn expect_end(&mut self) -> Played {
        if self.until(|plant| plant.ended.then_some(())).is_some() {
            return Ok(());
        }
        let keys = keys_of(&self.plant);
        let hint = (!keys.is_empty() && self.odd_keys.is_none()).then(|| format!("the menu takes {keys}"));
        Err(Difference::new("the call ends", format!("the call goes on; {}", self.stands())).hint(hint))
    }

    /// Where the call is, for a message.
    pub fn stands(&self) -> String {
        if self.plant.ended {
            return match self.plant.transcript.last() {
                Some(Line { what: What::TurnedAway(why), .. }) => format!("the call was turned away: {why}"),
                _ => "the call is over".to_owned(),
            };
        }
        let takes = match self.plant.request().map(|request| request.kind()) {
            Some(Kind::Ask) => "waits for the keys of an `ask`",
            _ => "waits for keys",
        };
        let doing = match (self.is_stuck, self.plant.listens()) {
            (true, _) => "does more than 10 000 things by itself",
            (false, true) => takes,
            (false, false) if self.plant.is_queued() => "waits for an agent",
            (false, false) => "is",
        };
        match self.plant.transcript.iter().rev().find_map(entered) {
            Some(step) => format!("it {doing} in {step}"),
            None => "no call came in".to_owned(),
        }
    }
}

/// What is to be heard, or read where the caller writes.
fn as_heard(wanted: &Hears, plant: &Plant, language: &str) -> String {
    match plant.channel().is_written() {
        true => wanted.written(plant.meta(), language),
        false => wanted.text(plant.meta(), language),
    }
}

/// What the person hears, or reads in his conversation: its language, and the text.
fn reaches(what: &What) -> Option<(&String, &String)> {
    match what {
        What::Hears { language, text } | What::Sends { language, text, in_it: true, .. } => Some((language, text)),
        _ => None,
    }
}

fn sent(line: &Line) -> Option<String> {
    match &line.what {
        What::Sends { channel, to, text, .. } => Some(format!("{channel} to {to} says “{text}”")),
        What::SendsNot { channel, why } => Some(format!("no {channel} is sent, for {why}")),
        _ => None,
    }
}

fn opened(line: &Line) -> Option<String> {
    match &line.what {
        What::Case { kind, priority } => Some(format!("a case {kind} with priority {}", priority.name())),
        _ => None,
    }
}

/// A step that the call entered, as people write it.
fn entered(line: &Line) -> Option<String> {
    match &line.what {
        What::Step { flow, step } if step.is_empty() => Some(format!("`{flow}`")),
        What::Step { flow, step } => Some(format!("`{flow}.{step}`")),
        _ => None,
    }
}
