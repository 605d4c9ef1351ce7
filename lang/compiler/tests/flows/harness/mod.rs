//! Flow text in, transcript out: a project is compiled for both engines, which are then answered from one script and
//! must stay equal, word by word. It knows no line and no time; those belong to session and simulator.

mod values;

use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::Arc;

use lang_compiler::{Colours, Compiled, Engine, Project, compile};
use runtime_contract::Called;
use runtime_contract::arena::Arena;
use runtime_contract::calendar::{days_since_epoch, instant};
use runtime_contract::drive::{End, Outcome, Stop, enter};
use runtime_contract::host::{FaultKind, Host, Observation, Observe};
use runtime_contract::program::{FlowProgram, Inbound, ProgramMeta, SiteId, SiteKind, SiteNames};
use runtime_contract::reply::{arguments, reply};
use runtime_contract::request::{Effect, PromptUse, Prompts, Request};
use runtime_contract::stack::Stack;
use runtime_contract::time::Time;
use runtime_contract::types::Type;
use runtime_contract::value::{Memory, Phone, Value};
use runtime_contract::vault::Vault;

/// Requests of one call; a flow that makes more does not end.
const REQUESTS_MAX: usize = 2_000;

/// Monday 2 March 2026, 10:00 in Shanghai.
pub fn monday_morning() -> Time {
    instant(days_since_epoch(2026, 3, 2).unwrap(), 10 * 3_600_000, "Asia/Shanghai").unwrap()
}

/// A script, line by line.
pub fn answers<'a>(lines: impl IntoIterator<Item = &'a str>) -> String {
    lines.into_iter().collect::<Vec<_>>().join("\n")
}

/// Compiles one file for an engine; panics with the diagnostics when it has errors.
pub fn compiled(text: &str, engine: Engine) -> Compiled {
    let mut project = Project::default();
    project.add_flow("m.flow", text);
    compile(&project, &SiteNames::default(), engine).unwrap_or_else(|analysis| {
        let report = analysis.report(Colours::Off, 100);
        panic!("does not compile:\n{}{}\n{text}", report.text, report.json)
    })
}

/// Runs the first `inbound` flow, or else the first flow. `script` holds a line for each answer:
///
/// - an outcome by name, with its value behind it: `1`, `silence`, `value 1234`, `ok 12.50 CNY`, `failed`
/// - `gone`, or `fault NAME` (`fault store`)
/// - `@KIND …`: the same for the next request of this kind that needs no answer (`@say gone`)
pub fn run(text: &str, script: &str) -> String {
    run_at(text, script, monday_morning())
}

pub fn run_at(text: &str, script: &str, now: Time) -> String {
    let native = compiled(text, Engine::Native);
    let plain = compiled(text, Engine::Interpreter);
    assert_eq!(native.graph, plain.graph, "one text gives one graph");
    play_script(&native.program, &plain.program, script, now)
}

/// One call on both engines, answered by a script, all of which must be used.
pub fn play_script(native: &Arc<dyn FlowProgram>, plain: &Arc<dyn FlowProgram>, script: &str, now: Time) -> String {
    let mut answers: VecDeque<&str> = script.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let transcript = play(native, plain, now, |meta, site| script_answer(meta, site, &mut answers));
    assert!(answers.is_empty(), "answers left: {answers:?}\n{transcript}");
    transcript
}

/// One call on both engines. The transcript has a line for each request and each fault, and one for the end.
pub fn play(
    native: &Arc<dyn FlowProgram>,
    plain: &Arc<dyn FlowProgram>,
    now: Time,
    mut answer: impl FnMut(&ProgramMeta, SiteId) -> Next,
) -> String {
    let meta = native.meta();
    let flow = meta.inbounds.first().map_or(0, |inbound| inbound.flow);
    let (mut one, mut two) = (Call::new(native, flow, now), Call::new(plain, flow, now));
    let mut transcript = String::new();
    let mut next = Next::Start;
    for _ in 0..REQUESTS_MAX {
        let stop = one.step(&next);
        assert_eq!(stop, two.step(&next), "native and interpreter stop differently after\n{transcript}");
        one.assert_equal(&two, &transcript);
        for fault in std::mem::take(&mut one.stack.faults) {
            let place = fault.place.and_then(|place| meta.fault_places.get(place as usize));
            let place = place.map_or_else(String::new, |place| format!(" at {}", meta.place_text(*place)));
            writeln!(transcript, "fault {}{place}", fault.kind.name()).unwrap();
        }
        two.stack.faults.clear();
        let site = match stop {
            Stop::Wait(site) => site,
            Stop::Done(end) => {
                writeln!(transcript, "end: {}", end_text(meta, flow, end)).unwrap();
                return transcript;
            }
        };
        let shown = one.show(site);
        next = answer(meta, site);
        let reply = match &next {
            Next::Result(outcome, Some(value)) => {
                let value = values::show(meta, value);
                format!(" -> {} {value}", meta.request(site).unwrap().outcome_name(*outcome))
            }
            Next::Result(outcome, None) if needs_answer(meta.request(site).unwrap()) => {
                format!(" -> {}", meta.request(site).unwrap().outcome_name(*outcome))
            }
            Next::Gone if meta.request(site).unwrap().outcomes() > 0 => " -> gone".to_owned(),
            Next::Fault(kind) => format!(" -> {}", kind.name()),
            _ => String::new(),
        };
        writeln!(transcript, "{shown}{reply}").unwrap();
    }
    panic!("no end after {REQUESTS_MAX} requests\n{transcript}");
}

fn end_text(meta: &ProgramMeta, flow: u32, end: End) -> String {
    match end {
        End::Returned(tag) => match &meta.flow(flow).unwrap().result {
            Some(Type::Enum(id)) => format!("returned {}", meta.types.variants(*id)[tag as usize].name),
            _ => "returned".to_owned(),
        },
        End::Gone => "gone".to_owned(),
        End::Fault(kind) => format!("fault {}", kind.name()),
    }
}

/// What a call is resumed with.
pub enum Next {
    Start,
    Result(u32, Option<Value>),
    Gone,
    Fault(FaultKind),
}

fn needs_answer(request: &Request) -> bool {
    request.outcomes() > 1
}

fn script_answer(meta: &ProgramMeta, site: SiteId, answers: &mut VecDeque<&str>) -> Next {
    let request = meta.request(site).expect("only requests wait");
    if request.outcomes() == 0 {
        return Next::Gone;
    }
    let name = request.kind().row().name;
    let line = if needs_answer(request) {
        answers.pop_front().unwrap_or_else(|| panic!("no answer left for {}", meta.site(site).unwrap().key))
    } else {
        match answers.front().and_then(|line| line.strip_prefix('@')?.strip_prefix(name)?.strip_prefix(' ')) {
            Some(line) => {
                answers.pop_front();
                line
            }
            None => return Next::Result(0, None),
        }
    };
    if line == "gone" {
        assert!(request.kind().row().effect == Effect::Line, "only requests of the line end so");
        return Next::Gone;
    }
    if let Some(name) = line.strip_prefix("fault ") {
        return Next::Fault(FaultKind::ALL.into_iter().find(|kind| kind.name() == name).unwrap());
    }
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let outcome = (0..request.outcomes()).find(|outcome| request.outcome_name(*outcome) == word);
    let outcome = outcome.unwrap_or_else(|| panic!("{} has no outcome `{word}`", meta.site(site).unwrap().key));
    let payload = &meta.site(site).unwrap().payloads[outcome as usize];
    Next::Result(outcome, payload.as_ref().map(|r#type| values::parse(meta, r#type, rest)))
}

/// One call on one engine.
struct Call<'p> {
    program: &'p Arc<dyn FlowProgram>,
    stack: Stack,
    arena: Arena,
    vault: Vault,
    seen: Vec<Observation>,
    waits_at: Option<SiteId>,
    now: Time,
}

impl<'p> Call<'p> {
    fn new(program: &'p Arc<dyn FlowProgram>, flow: u32, now: Time) -> Self {
        let mut stack = Stack::default();
        stack.header.caller_number = [1, Phone::parse("+8613800000000", true).unwrap().word()];
        let dialled = program.meta().inbounds.first().map_or("+864008100000".to_owned(), Inbound::example);
        let number = || Called::from_number(Phone::parse(&dialled, false).unwrap());
        stack.header.called = [1, program.meta().called(&dialled).unwrap_or_else(number).word()];
        assert!(enter(program.meta(), &mut stack, flow, &[]));
        Call { program, stack, arena: Arena::default(), vault: Vault::default(), seen: Vec::new(), waits_at: None, now }
    }

    fn step(&mut self, next: &Next) -> Stop {
        let meta = self.program.meta();
        let outcome = match next {
            Next::Start => Outcome::Start,
            Next::Gone => Outcome::Gone,
            Next::Fault(kind) => Outcome::Fault(*kind),
            Next::Result(outcome, payload) => {
                let mut memory = Memory { meta, arena: &mut self.arena, vault: &mut self.vault };
                reply(&mut memory, &mut self.stack, self.waits_at.unwrap(), *outcome, payload.as_ref())
            }
        };
        let observe = Observe::Live(&mut self.seen);
        let mut host = Host { meta, arena: &mut self.arena, vault: &mut self.vault, observe, now: self.now };
        let stop = self.program.resume(&mut self.stack, &mut host, outcome);
        self.waits_at = match stop {
            Stop::Wait(site) => Some(site),
            Stop::Done(_) => None,
        };
        stop
    }

    fn assert_equal(&self, other: &Call<'_>, transcript: &str) {
        assert_eq!(self.stack, other.stack, "stacks after\n{transcript}");
        assert_eq!(self.arena, other.arena, "texts after\n{transcript}");
        assert_eq!(self.seen, other.seen, "observations after\n{transcript}");
    }

    /// The request as one line, with its values.
    fn show(&mut self, site: SiteId) -> String {
        let meta = self.program.meta();
        let language = self.stack.header.language as u32;
        let memory = Memory { meta, arena: &mut self.arena, vault: &mut self.vault };
        let values = arguments(&memory, &self.stack, site).expect("no private value is lost");
        let values: Vec<String> = values.iter().map(|(_, value)| values::show(meta, value)).collect();
        let info = meta.site(site).unwrap();
        let SiteKind::Request(request) = &info.kind else { panic!("`run` does not wait") };
        let heard = |prompts: &Prompts| hear(meta, prompts, language, &values);
        match request {
            Request::Answer => "answer".to_owned(),
            Request::HangUp => "hang up".to_owned(),
            Request::Reject(reason) => format!("reject {reason:?}"),
            Request::Play(prompts) => format!("say {}", heard(prompts)),
            Request::Menu(menu) => {
                format!("menu {} {}", menu.choice_names().collect::<Vec<_>>().join(","), heard(&menu.prompts))
            }
            Request::Ask(ask) => format!("ask {}", heard(&ask.prompts)),
            Request::Record(record) => format!("record {}ms {}", record.max_ms, heard(&record.prompts)),
            Request::Recording { on } => format!("recording {}", if *on { "on" } else { "off" }),
            Request::Wait => format!("wait {}", values.join("")),
            Request::Connect(connect) => format!("connect {} for {}ms", values.join(" from "), connect.ring_ms),
            Request::Transfer { .. } => format!("transfer {}", values.join("")),
            Request::Queue { queue } => format!("queue {}({})", meta.queues[*queue as usize].name, values.join(", ")),
            Request::OfferCallback { key } => format!("offer callback on {key}"),
            Request::Dial(dial) => format!("dial {} for {}ms", values.join(" from "), dial.ring_ms),
            Request::Start { cadence } => {
                format!("start {}({})", meta.cadences[*cadence as usize].name, values.join(", "))
            }
            Request::Note { key, .. } => format!("note {key} = {}", values.join("")),
            Request::Send(message) => {
                let to = if message.to { format!(" to {}", values.last().unwrap()) } else { String::new() };
                format!("send {:?}{to} {}", message.channel, heard(&message.text))
            }
            Request::Consent(consent) => format!("consent {}", consent.purpose),
            Request::Survey { survey } => format!("survey {}", meta.surveys[*survey as usize].name),
            Request::SurveyAnswer { survey, question } => {
                let questions = &meta.surveys[*survey as usize].questions;
                format!("answer {} = {}", questions[*question as usize].name, values.join(", "))
            }
            Request::OpenCase(case) => format!("open case {} {}", case.kind, case.priority.name()),
            Request::Service(_) => {
                let (_, label) = info.key.rsplit_once('/').unwrap();
                format!("{}({})", label.split('#').next().unwrap(), values.join(", "))
            }
        }
    }
}

fn hear(meta: &ProgramMeta, prompts: &Prompts, language: u32, values: &[String]) -> String {
    use runtime_contract::program::Part;
    let mut values = values.iter();
    let mut heard = Vec::new();
    for item in &prompts.items {
        match item {
            PromptUse::Recording { .. } => heard.push(format!("[recording {}]", values.next().unwrap())),
            PromptUse::Prompt { prompt, .. } => {
                let prompt = &meta.prompts[*prompt as usize];
                let holes: Vec<&String> = values.by_ref().take(prompt.arguments.len()).collect();
                let text = prompt.text(language).unwrap();
                let parts = text.parts.iter().map(|part| match part {
                    Part::Literal(text) => text.clone(),
                    Part::Hole(at) => format!("<{}>", holes[*at as usize]),
                    Part::Plural { argument, forms } => {
                        format!("<{} of {}>", holes[*argument as usize], forms.join("|"))
                    }
                });
                heard.push(parts.collect());
            }
        }
    }
    format!("\"{}\"", heard.join(" + "))
}
