//! `strowger talk`: a call in the terminal. Type keys, read what the caller hears; no telephone, no sound. Lines that
//! are not typed but piped in play the same call.

mod order;
mod shown;

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use lang_compiler::{Compiled, Engine, Project, read_given};
use runtime_contract::channel::Channel;
use runtime_contract::program::{FlowProgram, Inbound, SiteNames};
use runtime_contract::script::Verb;
use runtime_contract::{ProgramMeta, Time};
use runtime_simulator::Talk as Call;
use serde_json::json;

use self::order::Order;
use crate::moment::Moment;
use crate::show::{self, Failure, Paint, Result, paint};

const HELP: &str = "\
keys            press them: 1, 2#, *, 0325
(empty line)    say nothing until the flow loses patience
say WORDS       speak: a choice of a menu, or into a recording
+5m, wait 5s    let time pass
until 18:00     let time pass until the clock shows this
repeat          what was heard last, once more
given S.OP = V  what a service answers from now on: a value, `none` or `failed`
dial busy       what whoever is called does from now on
send undelivered, message undelivered
                what is sent, or what cadences write, does not arrive from now on
agent A idle    an agent is there from now on; `agent A idle technical=4` with skills
agent A picks X what he says of a conversation that he has ended
hang up         end the call
?               what may be done now
quit            leave";

#[derive(Args)]
pub struct Talk {
    /// A project's folder, or one `.flow` file
    #[arg(default_value = ".")]
    path: PathBuf,
    /// The number to call, or the chat or address to write to; asked for when the project answers several
    #[arg(long, value_name = "NUMBER")]
    to: Option<String>,
    /// The caller's number; withheld when empty
    #[arg(long, value_name = "NUMBER", default_value = "+8613800000000")]
    from: String,
    /// When the call comes in, like `2026-03-02 10:00 in Asia/Shanghai`; now when left out
    #[arg(long, value_name = "MOMENT")]
    at: Option<Moment>,
    /// What a service answers: a value, `none` or `failed`; may be given more than once. Without it, services answer as
    /// in the project's tests, and what those do not say is asked for
    #[arg(long, value_name = "SERVICE.OPERATION=VALUE")]
    given: Vec<String>,
    /// One JSON object for each thing that happens
    #[arg(long)]
    json: bool,
}

impl Talk {
    pub fn run(&self) -> Result {
        let opened = crate::project::open(&self.path)?;
        let project = crate::project::of_bundle(&opened.bundle);
        let compiled = lang_compiler::compile(&project, &opened.names, Engine::Native).map_err(|analysis| {
            show::print(&analysis.report(show::colours(), show::width()), self.json);
            Failure::Shown
        })?;
        let mut conversation = Conversation {
            call: Call::new(
                Arc::clone(&compiled.program) as Arc<dyn FlowProgram>,
                self.at.as_ref().map_or_else(now, |moment| moment.time),
            ),
            project: &project,
            names: &opened.names,
            zone: self.zone(compiled.program.meta()),
            json: self.json,
            typed: std::io::stdin().is_terminal(),
            heard: Vec::new(),
        };
        conversation.answers_of_tests(&compiled);
        for given in &self.given {
            conversation.given(given).map_err(|why| Failure::new(format!("`--given {given}`: {why}"), ""))?;
        }
        let mut lines = std::io::stdin().lock().lines();
        let mut next = || lines.next().and_then(std::result::Result::ok);
        let to = self.number(compiled.program.meta(), &conversation, &mut next)?;
        let from = Some(self.from.clone()).filter(|from| !from.is_empty());
        if conversation.typed && !self.json {
            println!("{HELP}\n");
        }
        let (channel, to) = to;
        let from = from.filter(|_| matches!(channel, Channel::Voice | Channel::Sms));
        conversation.call.call(channel, from, &to);
        conversation.play(next);
        Ok(())
    }

    /// Of `--at`, else of the first table of hours, else of this machine.
    fn zone(&self, meta: &ProgramMeta) -> String {
        let given = self.at.as_ref().map(|moment| moment.zone.clone());
        let office = || meta.hours.first().map(|hours| hours.zone.clone());
        let own = || jiff::tz::TimeZone::system().iana_name().unwrap_or("UTC").to_owned();
        given.or_else(office).unwrap_or_else(own)
    }

    /// The number to call. Of several a person chooses; a script gets the first.
    fn number(
        &self,
        meta: &ProgramMeta,
        conversation: &Conversation<'_>,
        next: &mut dyn FnMut() -> Option<String>,
    ) -> Result<(Channel, String)> {
        let numbers: Vec<String> = meta.inbounds.iter().map(Inbound::example).collect();
        let chosen = |at: usize| Some((meta.inbounds.get(at)?.channel, numbers.get(at)?.clone()));
        let help = match numbers.as_slice() {
            [] => "write `inbound \"+86 400 810 0000\" => a_flow` in a flow file".to_owned(),
            numbers => format!("it answers {}", numbers.join(", ")),
        };
        if let Some(to) = &self.to {
            let digits = to.replace([' ', '-'], "");
            let takes = |channel: &Channel| {
                meta.inbound_by(*channel, to).or_else(|| meta.inbound_by(*channel, &digits)).is_some()
            };
            return match Channel::ALL.into_iter().find(takes) {
                Some(channel) => Ok((channel, to.clone())),
                None => Err(Failure::new(format!("the project does not answer {to}"), help)),
            };
        }
        let Some(first) = chosen(0) else { return Err(Failure::new("the project answers no number", help)) };
        if numbers.len() == 1 || !conversation.typed || self.json {
            return Ok(first);
        }
        for (at, (number, inbound)) in numbers.iter().zip(&meta.inbounds).enumerate() {
            println!("{}  {number}  {}", at + 1, meta.flow(inbound.flow).map_or("", |flow| flow.name.as_str()));
        }
        loop {
            conversation.prompt("which number (1)");
            let Some(line) = next() else { return Ok(first) };
            let typed = line.trim();
            let at =
                if typed.is_empty() { Some(0) } else { typed.parse().ok().and_then(|at: usize| at.checked_sub(1)) };
            match at.and_then(chosen) {
                Some(number) => return Ok(number),
                None => println!("a number from 1 to {}", numbers.len()),
            }
        }
    }
}

/// The call, and who plays it.
struct Conversation<'c> {
    call: Call,
    project: &'c Project,
    names: &'c SiteNames,
    /// For the clock.
    zone: String,
    json: bool,
    /// Somebody sits at a terminal.
    typed: bool,
    /// What was heard since the caller did something.
    heard: Vec<String>,
}

impl Conversation<'_> {
    /// What services answer in the project's own tests, the first of each: so that a talk gets somewhere without them.
    fn answers_of_tests(&mut self, compiled: &Compiled) {
        let mut known = std::collections::BTreeSet::new();
        for (_, verb) in compiled.tests.iter().flat_map(|test| &test.lines) {
            if let Verb::Given { service, operation, answer } = verb
                && known.insert((*service, *operation))
            {
                self.call.answer(*service, *operation, answer.clone());
            }
        }
    }

    fn given(&mut self, text: &str) -> std::result::Result<(), String> {
        let Order::Given { operation, value } = order::given(text)? else { return Ok(()) };
        self.answer(&operation, &value)
    }

    fn answer(&mut self, operation: &str, value: &str) -> std::result::Result<(), String> {
        let (service, operation, answer) = read_given(self.project, self.names, operation, value)?;
        self.call.answer(service, operation, answer);
        Ok(())
    }

    /// Until the call is over, the person leaves, or nothing more is typed.
    fn play(&mut self, mut next: impl FnMut() -> Option<String>) {
        loop {
            self.show();
            if self.call.is_over() {
                return;
            }
            self.ask();
            let Some(line) = next() else { return };
            if !self.typed && !self.json {
                println!("> {}", shown::typed(&self.call, &line));
            }
            match self.carry_out(&line) {
                Ok(true) => {}
                Ok(false) => return,
                Err(why) => self.say("help", &why),
            }
        }
    }

    /// Does what a line says. False when the person leaves.
    fn carry_out(&mut self, line: &str) -> std::result::Result<bool, String> {
        if let Some(question) = self.call.question() {
            match line.trim() {
                "quit" | "exit" => return Ok(false),
                "hang up" | "bye" => self.call.hang_up(),
                value => self.answer(&question.name, value)?,
            }
            return Ok(true);
        }
        let order = order::read(line, self.call.now(), &self.zone, self.call.takes_words())?;
        let is_beside = matches!(order, Order::Repeat | Order::Help | Order::Given { .. } | Order::Agent { .. })
            || matches!(order, Order::Dial(_) | Order::Message(_) | Order::Send(_));
        if !is_beside {
            self.heard.clear();
        }
        match order {
            Order::Press(keys) => self.call.press(&keys),
            Order::Nothing => self.call.say_nothing(),
            Order::Say(words) => self.call.say(&words),
            Order::Skip { ms } => self.call.wait(ms),
            Order::HangUp => self.call.hang_up(),
            Order::Repeat => self.repeat(),
            Order::Help => {
                let now = shown::possible(&self.call);
                self.say("help", if self.json { now } else { format!("{now}\n\n{HELP}") }.as_str());
            }
            Order::Given { operation, value } => self.answer(&operation, &value)?,
            Order::Dial(side) => self.call.dial(side),
            Order::Message(delivery) => self.call.message(delivery),
            Order::Send(delivery) => self.call.send(delivery),
            Order::Agent { name, state, skills } => {
                let skills = self.skills(&skills)?;
                self.call.agent(&name, state, &skills);
            }
            Order::AgentPicks { name, variant } => self.call.agent_picks(&name, &variant).map_err(|known| {
                let known = known.join(", ");
                if known.is_empty() {
                    format!("nobody asks {name} now")
                } else {
                    format!("he is asked for one of {known}")
                }
            })?,
            Order::Quit => return Ok(false),
        }
        Ok(true)
    }

    /// By the names that the project gives them.
    fn skills(&self, named: &[(String, i64)]) -> std::result::Result<Vec<(u32, i64)>, String> {
        let known = &self.call.meta().skills;
        let is = |full: &str, name: &str| full == name || full.rsplit('.').next() == Some(name);
        let find = |(name, level): &(String, i64)| {
            let at = known.iter().position(|skill| is(&skill.name, name)).ok_or_else(|| {
                let known: Vec<&str> = known.iter().filter_map(|skill| skill.name.rsplit('.').next()).collect();
                format!("no skill is `{name}`; the project has {}", known.join(", "))
            })?;
            Ok((at as u32, *level))
        };
        named.iter().map(find).collect()
    }

    fn repeat(&self) {
        let text = self.heard.join("\n");
        self.say("repeat", if text.is_empty() { "nothing was heard since" } else { &text });
    }

    /// What happened.
    fn show(&mut self) {
        for line in self.call.news() {
            self.heard.extend(shown::heard(&line.what));
            match self.json {
                true => println!("{}", shown::event(&line, &self.zone)),
                false => println!("{}", shown::line(&line, &self.zone)),
            }
        }
    }

    /// What the person may do now.
    fn ask(&self) {
        match self.call.question() {
            Some(question) => {
                let wanted = shown::answer_words(self.call.meta(), &question);
                let text = format!("{}({}) is asked; {wanted}", question.name, question.arguments);
                self.say("asked", &text);
                self.prompt("answer");
            }
            None if self.json => {
                println!(
                    "{}",
                    json!({ "kind": "waits", "step": self.call.step(), "text": shown::possible(&self.call) })
                );
            }
            None if self.call.is_recording() => self.prompt(&format!("{} (recording)", self.call.step())),
            None => self.prompt(self.call.step()),
        }
    }

    /// Something that is no part of the call.
    fn say(&self, kind: &str, text: &str) {
        match self.json {
            true => println!("{}", json!({ "kind": kind, "text": text })),
            false => println!("{text}"),
        }
    }

    /// Where somebody types.
    fn prompt(&self, text: &str) {
        if self.typed && !self.json {
            print!("{} ", paint(&format!("{text}>"), Paint::Faint, show::colours()));
            let _ = std::io::stdout().flush();
        }
    }
}

fn now() -> Time {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Time(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
