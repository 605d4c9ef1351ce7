//! Programs for tests, written by hand or drawn from a seed, before and beside a compiler: each operation is a
//! segment, run by the contract's own driver. Only for tests.

mod random;

use std::sync::Arc;

use runtime_contract::cadence::{self, Cadence};
use runtime_contract::channel;
use runtime_contract::channel::Channel;
use runtime_contract::drive::{self, Exit, Outcome, Segments, Stop};
use runtime_contract::host::{Host, HostCall};
use runtime_contract::program::{
    FlowMeta, FlowProgram, Inbound, LiveSlot, Operation, Parameter, Part, Place, Prompt, PromptText, Service, SiteInfo,
    SiteKind,
};
use runtime_contract::queue::{AgentChoice, OrderKey, Queue, Stage};
use runtime_contract::request::{Ask, AskKind, Connect, Destination, Kind, Menu, PromptUse, Prompts, Record, Request};
use runtime_contract::rule::{Rule, When};
use runtime_contract::stack::FRAME_HEADER_WORDS;
use runtime_contract::survey::{Question, Survey};
use runtime_contract::types::{Class, EnumType, Field, RecordType, Variant};
use runtime_contract::{FaultKind, GraphId, ProgramMeta, SiteId, Stack, Type};

pub use random::{Chance, random_program};

/// A variable of a frame. There are [`VARIABLES`] of each class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variable {
    Word(u32),
    Text(u32),
    Vault(u32),
}

/// Variables of one class in a frame, one word each.
pub const VARIABLES: u32 = 4;
const MAILBOX_AT: u32 = FRAME_HEADER_WORDS + 3 * VARIABLES;
const MAILBOX_WORDS: u32 = 16;

impl Variable {
    fn slot(self) -> u32 {
        FRAME_HEADER_WORDS
            + match self {
                Variable::Word(n) => n,
                Variable::Text(n) => VARIABLES + n,
                Variable::Vault(n) => 2 * VARIABLES + n,
            }
    }
}

/// Where an argument's word comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Word(u64),
    Variable(Variable),
}

/// A place in a flow: index of an operation.
pub type Label = u32;

#[derive(Clone, Debug)]
pub enum Op {
    /// Arguments in mailbox order; where to go on by outcome; where the first payload word is kept.
    Ask {
        site: u32,
        arguments: Vec<Source>,
        next: Vec<Label>,
        keep: Option<Variable>,
    },
    Run {
        site: u32,
        next: Vec<Label>,
    },
    /// A host call whose one result is kept.
    Call {
        call: HostCall,
        arguments: Vec<Source>,
        keep: Variable,
        next: Label,
    },
    Branch {
        on: Variable,
        zero: Label,
        other: Label,
    },
    SetLanguage {
        language: u32,
        next: Label,
    },
    Fault {
        kind: FaultKind,
        place: u32,
    },
    Return,
    /// End of `fault` or `finally`.
    End,
    /// Goes on after an `Ask`: takes the outcome.
    Resume {
        next: Vec<Label>,
        keep: Option<Variable>,
    },
}

/// A program out of operations.
#[derive(Clone, Debug, Default)]
pub struct Kit {
    meta: ProgramMeta,
    ops: Vec<Op>,
}

struct KitProgram {
    meta: ProgramMeta,
    ops: Vec<Op>,
}

impl Kit {
    /// Two languages, `zh` and `en`; `constants` are known texts.
    pub fn new(constants: &[&str]) -> Kit {
        let mut constants: Vec<String> = constants.iter().map(|text| (*text).to_owned()).collect();
        constants.push(String::new());
        constants.sort();
        constants.dedup();
        let meta = ProgramMeta {
            languages: vec!["zh".to_owned(), "en".to_owned()],
            constants,
            files: vec!["kit.flow".to_owned()],
            fault_places: vec![place(1)],
            ..ProgramMeta::default()
        };
        Kit { meta, ops: Vec::new() }
    }

    pub fn constant(&self, text: &str) -> Source {
        let index = self.meta.constants.iter().position(|constant| constant == text);
        Source::Word(index.unwrap_or_default() as u64)
    }

    /// A flow with a body, and perhaps `fault` and `finally`, beginning at these labels. The first is taken by
    /// every number.
    pub fn flow(&mut self, name: &str, body: Label, fault: Option<Label>, finally: Option<Label>) -> u32 {
        self.meta.flows.push(FlowMeta {
            name: name.to_owned(),
            parameters: Vec::new(),
            result: None,
            frame_words: MAILBOX_AT + MAILBOX_WORDS,
            mailbox_at: MAILBOX_AT,
            entry_segment: body,
            fault_segment: fault,
            finally_segment: finally,
            is_attempt: false,
        });
        self.meta.flows.len() as u32 - 1
    }

    pub fn inbound(&mut self, number: &str, flow: u32) {
        let pattern = number.to_owned();
        self.meta.inbounds.push(Inbound {
            channel: channel::Channel::Voice,
            pattern,
            is_extension: false,
            zone: String::new(),
            flow,
        });
    }

    pub fn inbound_extension(&mut self, keys: &str, flow: u32) {
        let pattern = keys.to_owned();
        self.meta.inbounds.push(Inbound {
            channel: channel::Channel::Voice,
            pattern,
            is_extension: true,
            zone: String::new(),
            flow,
        });
    }

    /// A prompt in both languages with the given holes; returns its index.
    pub fn prompt(&mut self, zh: &str, en: &str, arguments: &[Type]) -> u32 {
        let text = |words: &str| PromptText {
            tag: None,
            audio: None,
            parts: std::iter::once(Part::Literal(words.to_owned()))
                .chain((0..arguments.len() as u32).map(Part::Hole))
                .collect(),
        };
        self.meta.prompts.push(Prompt { name: None, arguments: arguments.to_vec(), texts: vec![text(zh), text(en)] });
        self.meta.prompts.len() as u32 - 1
    }

    pub fn service(&mut self, name: &str, parameters: &[Type], result: Option<Type>, writes: bool) -> u32 {
        let parameter = |r#type: &Type| Parameter { name: "p".to_owned(), r#type: r#type.clone() };
        let operations = vec![Operation {
            name: "find".to_owned(),
            parameters: parameters.iter().map(parameter).collect(),
            result,
            within_ms: 800,
            writes,
        }];
        self.meta.services.push(Service { name: name.to_owned(), operations });
        self.meta.services.len() as u32 - 1
    }

    /// A flow whose parameters, plain words, are its first variables.
    pub fn flow_of(&mut self, name: &str, parameters: &[Type], body: Label) -> u32 {
        let flow = self.flow(name, body, None, None);
        let named = |r#type: &Type| Parameter { name: "p".to_owned(), r#type: r#type.clone() };
        if let Some(info) = self.meta.flows.last_mut() {
            info.parameters = parameters.iter().map(named).collect();
        }
        flow
    }

    /// A queue that takes anybody, with these parameters; `change` says the rest.
    pub fn queue(&mut self, name: &str, parameters: &[Type], change: impl FnOnce(&mut Queue)) -> u32 {
        let named = |r#type: &Type| Parameter { name: "p".to_owned(), r#type: r#type.clone() };
        let mut queue = Queue {
            name: name.to_owned(),
            place: place(1),
            parameters: parameters.iter().map(named).collect(),
            stages: vec![Stage { after_ms: 0, conjunction: Vec::new(), needs: None }],
            prefers: Vec::new(),
            priority: None,
            order: vec![OrderKey::Waiting],
            choice: AgentChoice::LongestIdle,
            ring_ms: 15_000,
            wrap_up_ms: 20_000,
            wrap_up_as: None,
            target: None,
            limit: None,
            timeout_ms: None,
            open: None,
            music: None,
            whisper: None,
            overflow: None,
            comfort: None,
            offers_callback: false,
        };
        change(&mut queue);
        self.meta.queues.push(queue);
        self.meta.queues.len() as u32 - 1
    }

    /// A rule that stands at line 1.
    pub fn rule(&mut self, head: &str, when: When, flow: u32) {
        self.meta.rules.push(Rule { head: head.to_owned(), place: place(1), when, flow });
    }

    /// A cadence that writes by SMS, by this flow, and whose clauses nobody asks.
    pub fn cadence(&mut self, name: &str, flow: u32) {
        self.meta.cadences.push(Cadence {
            name: name.to_owned(),
            place: place(1),
            parameters: Vec::new(),
            purpose: "service".to_owned(),
            permission: u32::MAX,
            number: None,
            laws: Vec::new(),
            window: Vec::new(),
            zone: None,
            except: Vec::new(),
            begin: None,
            attempts_max: 1,
            caps: Vec::new(),
            pace: None,
            dial: None,
            message: Some(cadence::Message { channel: Channel::Sms, from: None, flow }),
            retries: Vec::new(),
            dispositions: Vec::new(),
            after: Vec::new(),
            exhausted: None,
        });
    }

    /// After the first queue.
    pub fn survey(&mut self, name: &str, flow: u32, channels: &[Channel], questions: &[(&str, Type)]) {
        let question = |(name, r#type): &(&str, Type)| Question { name: (*name).to_owned(), r#type: r#type.clone() };
        self.meta.surveys.push(Survey {
            name: name.to_owned(),
            place: place(1),
            queue: 0,
            flow,
            channels: channels.to_vec(),
            questions: questions.iter().map(question).collect(),
        });
    }

    /// An enum whose variants carry nothing.
    pub fn variants(&mut self, name: &str, variants: &[&str]) -> Type {
        let types = Arc::make_mut(&mut self.meta.types);
        let variants = variants.iter().map(|name| Variant::plain(name)).collect();
        types.enums.push(EnumType { name: name.to_owned(), variants });
        Type::Enum(types.enums.len() as u32 - 1)
    }

    /// Its index in the table of types.
    pub fn record_type(&mut self, name: &str, fields: Vec<Field>) -> u32 {
        let types = Arc::make_mut(&mut self.meta.types);
        types.records.push(RecordType { name: name.to_owned(), fields });
        types.records.len() as u32 - 1
    }

    /// The label that the next operation will get.
    pub fn here(&self) -> Label {
        self.ops.len() as Label
    }

    pub fn push(&mut self, op: Op) -> Label {
        self.ops.push(op);
        self.here() - 1
    }

    /// Changes an operation whose targets were not known yet.
    pub fn patch(&mut self, label: Label, op: Op) {
        if let Some(place) = self.ops.get_mut(label as usize) {
            *place = op;
        }
    }

    /// A request of a step: site and operation. `next` has one label for each outcome.
    pub fn request(
        &mut self,
        step: &str,
        request: Request,
        arguments: &[(Type, Source)],
        payloads: Vec<Option<Type>>,
        next: Vec<Label>,
        keep: Option<Variable>,
    ) -> Label {
        let flow = self.meta.flows.len() as u32;
        let types = arguments.iter().map(|(r#type, _)| r#type.clone()).collect();
        let site = self.site(flow, step, SiteKind::Request(request), types, payloads);
        let arguments = arguments.iter().map(|(_, source)| *source).collect();
        self.push(Op::Ask { site, arguments, next, keep })
    }

    /// Gives a site another key: which sites are one dialogue is read from it.
    pub fn set_key(&mut self, site: usize, key: &str) {
        if let Some(site) = self.meta.sites.get_mut(site) {
            key.clone_into(&mut site.key);
        }
    }

    pub fn run(&mut self, step: &str, callee: u32, next: Label) -> Label {
        let flow = self.meta.flows.len() as u32;
        let site = self.site(flow, step, SiteKind::Run { flow: callee }, Vec::new(), vec![None]);
        self.push(Op::Run { site, next: vec![next] })
    }

    /// A `run` in an attempt, with where its `hangup` leads; see [`Kit::attempt`].
    pub fn run_or_hangup(&mut self, callee: u32, next: [Label; 2]) -> Label {
        let flow = self.meta.flows.len() as u32;
        let site = self.site(flow, "", SiteKind::Run { flow: callee }, Vec::new(), vec![None, None]);
        self.push(Op::Run { site, next: next.to_vec() })
    }

    /// The flow is an attempt of a cadence.
    pub fn attempt(&mut self, flow: u32) {
        if let Some(info) = self.meta.flows.get_mut(flow as usize) {
            info.is_attempt = true;
        }
    }

    fn site(
        &mut self,
        flow: u32,
        step: &str,
        kind: SiteKind,
        arguments: Vec<Type>,
        payloads: Vec<Option<Type>>,
    ) -> u32 {
        let number = self.meta.sites.len();
        let name = match &kind {
            SiteKind::Request(request) => request.kind().row().name,
            SiteKind::Run { .. } => "run",
        };
        self.meta.sites.push(SiteInfo {
            key: format!("kit/{name}#{number}"),
            place: place(number as u32 + 1),
            flow,
            step: step.to_owned(),
            kind,
            resume: 0,
            arguments,
            payloads,
            live: live(),
        });
        number as u32
    }

    /// Freezes the program. Graph ids of equal programs are equal.
    pub fn build(mut self) -> Arc<dyn FlowProgram> {
        let issued = self.ops.len();
        for label in 0..issued {
            let resume = self.ops.len() as u32;
            let (site, op) = match self.ops.get(label) {
                Some(Op::Ask { site, next, keep, .. }) => (*site, Op::Resume { next: next.clone(), keep: *keep }),
                Some(Op::Run { site, next }) => (*site, Op::Resume { next: next.clone(), keep: None }),
                _ => continue,
            };
            if let Some(site) = self.meta.sites.get_mut(site as usize) {
                site.resume = resume;
            }
            self.ops.push(op);
        }
        self.meta.segments = vec![0; self.ops.len()];
        let shown = format!("{:?}{:?}", self.meta, self.ops);
        let mut id = [0u8; 32];
        for (at, byte) in shown.bytes().enumerate() {
            if let Some(place) = id.get_mut(at % 32) {
                *place = place.wrapping_mul(31).wrapping_add(byte);
            }
        }
        self.meta.graph_id = GraphId(id);
        Arc::new(KitProgram { meta: self.meta, ops: self.ops })
    }
}

fn live() -> Vec<LiveSlot> {
    let class = |variable: fn(u32) -> Variable, class: Class| {
        (0..VARIABLES).map(move |n| LiveSlot { slot: variable(n).slot(), class, name: String::new() })
    };
    class(Variable::Word, Class::Word)
        .chain(class(Variable::Text, Class::Text))
        .chain(class(Variable::Vault, Class::Vault))
        .collect()
}

fn place(line: u32) -> Place {
    Place { file: 0, line, column: 1 }
}

impl Segments for KitProgram {
    fn run(&self, segment: u32, stack: &mut Stack, host: &mut Host<'_>, outcome: u32) -> Exit {
        let word = |stack: &Stack, source: &Source| match source {
            Source::Word(word) => *word,
            Source::Variable(variable) => stack.slot(variable.slot()),
        };
        let goto = |label: Option<&Label>| match label {
            Some(label) => Exit::new(Exit::CONTINUE, *label),
            None => Exit::new(Exit::CONTINUE, Exit::OPERAND_MAX),
        };
        match self.ops.get(segment as usize) {
            Some(Op::Ask { site, arguments, .. }) => {
                for (slot, source) in (MAILBOX_AT..).zip(arguments) {
                    stack.set_slot(slot, word(stack, source));
                }
                Exit::new(Exit::WAIT, *site)
            }
            Some(Op::Run { site, .. }) => Exit::new(Exit::CALL, *site),
            Some(Op::Resume { next, keep }) => {
                if let (Some(variable), 0) = (keep, outcome) {
                    stack.set_slot(variable.slot(), stack.slot(MAILBOX_AT));
                }
                goto(next.get(outcome as usize))
            }
            Some(Op::Call { call, arguments, keep, next }) => {
                let words: Vec<u64> = arguments.iter().map(|source| word(stack, source)).collect();
                let mut results = [0; 2];
                match host.call(*call, &words, &mut results) {
                    Ok(()) => {
                        stack.set_slot(keep.slot(), results.first().copied().unwrap_or(0));
                        goto(Some(next))
                    }
                    Err(kind) => {
                        stack.header.fault = kind as u32;
                        Exit::new(Exit::FAULT, 0)
                    }
                }
            }
            Some(Op::Branch { on, zero, other }) => goto(Some(if stack.slot(on.slot()) == 0 { zero } else { other })),
            Some(Op::SetLanguage { language, next }) => {
                stack.header.language = u64::from(*language);
                goto(Some(next))
            }
            Some(Op::Fault { kind, place }) => {
                stack.header.fault = *kind as u32;
                Exit::new(Exit::FAULT, *place)
            }
            Some(Op::Return) => Exit::new(Exit::RETURN, 0),
            Some(Op::End) | None => Exit::new(Exit::END, 0),
        }
    }
}

impl FlowProgram for KitProgram {
    fn meta(&self) -> &ProgramMeta {
        &self.meta
    }

    fn resume(&self, stack: &mut Stack, host: &mut Host<'_>, outcome: Outcome) -> Stop {
        drive::drive(self, &self.meta, stack, host, outcome)
    }
}

/// Prompts without arguments, one after the other.
pub fn prompts(indices: &[u32], barge_in: bool) -> Prompts {
    let item = |prompt: &u32| PromptUse::Prompt { prompt: *prompt, arguments_at: 0 };
    Prompts { items: indices.iter().map(item).collect(), barge_in }
}

pub fn menu(prompt: u32, choices: &[&str]) -> Request {
    Request::Menu(Menu {
        prompts: prompts(&[prompt], true),
        choices: choices.iter().map(|keys| (*keys).to_owned()).collect(),
        phrases: Vec::new(),
        listen_ms: 5_000,
        between_keys_ms: 3_000,
    })
}

pub fn ask_digits(prompt: u32, min: u32, max: u32, private: bool) -> Request {
    Request::Ask(Ask {
        prompts: prompts(&[prompt], true),
        kind: AskKind::Digits { min, max },
        private,
        end_key: '#',
        listen_ms: 5_000,
        between_keys_ms: 3_000,
    })
}

pub fn record(prompt: u32, max_ms: u32) -> Request {
    Request::Record(Record { prompts: prompts(&[prompt], true), max_ms, end_key: Some('#'), silence_ms: 4_000 })
}

/// To a number.
pub fn connect(ring_ms: u32) -> Request {
    Request::Connect(Connect { to: Destination::Number, from: false, ring_ms })
}

/// Payload types of a request, by outcome: what the compiler would write into its site.
pub fn payloads(request: &Request, result: Option<Type>) -> Vec<Option<Type>> {
    let first = match request {
        Request::Ask(ask) if ask.private => Some(Type::Private(Box::new(ask.kind.value()))),
        Request::Ask(ask) => Some(ask.kind.value()),
        Request::Record(_) => Some(Type::Recording),
        Request::Service(_) | Request::Queue { .. } => result,
        _ => None,
    };
    let mut payloads = vec![None; request.outcomes() as usize];
    if let Some(place) = payloads.first_mut()
        && request.kind() != Kind::Menu
    {
        *place = first;
    }
    payloads
}

/// The site of the first request of this kind.
pub fn site_of(program: &dyn FlowProgram, kind: Kind) -> Option<SiteId> {
    let is = |site: &SiteInfo| matches!(&site.kind, SiteKind::Request(request) if request.kind() == kind);
    program.meta().sites.iter().position(is).map(|at| SiteId(at as u32))
}
