//! Programs for tests, written by hand or drawn from a seed, before and beside a compiler: each operation is a
//! segment, run by the contract's own driver. Only for tests.

use std::sync::Arc;

use runtime_contract::drive::{self, Exit, Outcome, Segments, Stop};
use runtime_contract::host::{Host, HostCall};
use runtime_contract::program::{
    FlowMeta, FlowProgram, Inbound, LiveSlot, Operation, Parameter, Part, Place, Prompt, PromptText, Service, SiteInfo,
    SiteKind,
};
use runtime_contract::request::{
    Ask, AskKind, Case, CasePriority, Channel, Connect, Destination, Kind, Menu, Message, PromptUse, Prompts, Record,
    Request, ServiceCall,
};
use runtime_contract::stack::FRAME_HEADER_WORDS;
use runtime_contract::types::Class;
use runtime_contract::{FaultKind, GraphId, ProgramMeta, SiteId, Stack, Type};

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
        });
        self.meta.flows.len() as u32 - 1
    }

    pub fn inbound(&mut self, number: &str, flow: u32) {
        let pattern = number.to_owned();
        self.meta.inbounds.push(Inbound { pattern, is_extension: false, zone: String::new(), flow });
    }

    pub fn inbound_extension(&mut self, keys: &str, flow: u32) {
        let pattern = keys.to_owned();
        self.meta.inbounds.push(Inbound { pattern, is_extension: true, zone: String::new(), flow });
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
        Request::Service(_) => result,
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

/// Repeatable chance: SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Chance {
        Chance(seed)
    }

    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 to `bound` - 1.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.draw() % bound.max(1) as u64) as usize
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// A program of up to three flows with every kind of request, faults, and loops that only the bounds end. All
/// its asks are private. It answers every number that begins with 1.
pub fn random_program(chance: &mut Chance) -> Arc<dyn FlowProgram> {
    let mut kit = Kit::new(&["gold", "note"]);
    let hello = kit.prompt("您好", "hello", &[]);
    let price = kit.prompt("价格", "price", &[Type::Int]);
    let private = Type::Private(Box::new(Type::Digits));
    kit.service("crm", &[Type::Text], Some(Type::Text), chance.one_in(2));
    kit.service("bank", &[private], None, chance.one_in(2));
    let flows = 1 + chance.below(3) as u32;
    for flow in 0..flows {
        let draw = Draw { hello, price, callee: (flow + 1 < flows).then_some(flow + 1) };
        let first = kit.here();
        let count = 3 + chance.below(9) as u32;
        if flow == 0 && !chance.one_in(8) {
            kit.request("", Request::Answer, &[], vec![None], vec![first + 1], None);
        }
        while kit.here() < first + count {
            draw.operation(&mut kit, chance, (first, first + count), true);
        }
        let fault = chance.one_in(2).then(|| draw.block(&mut kit, chance, true));
        let finally = chance.one_in(2).then(|| draw.block(&mut kit, chance, false));
        kit.flow(&format!("kit.flow{flow}"), first, fault, finally);
    }
    kit.inbound("1xxx", 0);
    kit.build()
}

struct Draw {
    hello: u32,
    price: u32,
    callee: Option<u32>,
}

impl Draw {
    /// A few operations in a row and an end.
    fn block(&self, kit: &mut Kit, chance: &mut Chance, line: bool) -> Label {
        let first = kit.here();
        for _ in 0..chance.below(4) {
            let next = kit.here() + 1;
            self.operation(kit, chance, (next, next + 1), line);
        }
        kit.push(Op::End);
        first
    }

    /// One operation that goes on somewhere in this range of labels.
    fn operation(&self, kit: &mut Kit, chance: &mut Chance, range: (Label, Label), line: bool) {
        let mut go = {
            let mut chance = Chance::new(chance.draw());
            move || range.0 + chance.below((range.1 - range.0) as usize) as u32
        };
        let request = match chance.below(if line { 18 } else { 7 }) {
            0 if chance.one_in(3) => {
                let text = prompts(&[self.hello], false);
                let (channel, to) = if chance.one_in(2) { (Channel::Sms, false) } else { (Channel::Email, true) };
                Request::Send(Message { channel, to, text })
            }
            1 if chance.one_in(3) => Request::OpenCase(Case { kind: "k".into(), priority: CasePriority::Low }),
            0 | 1 => Request::Note { key: "n".to_owned(), r#type: Type::Text },
            2 | 3 => Request::Service(ServiceCall { service: 0, operation: 0 }),
            4 => Request::Wait,
            5 => {
                kit.push(Op::Call {
                    call: HostCall::IntToText,
                    arguments: vec![Source::Word(chance.draw())],
                    keep: Variable::Text(1),
                    next: go(),
                });
                return;
            }
            6 => Request::Service(ServiceCall { service: 1, operation: 0 }),
            7 => Request::Play(prompts(&[self.hello], chance.one_in(2))),
            8 => match menu(self.hello, &["1", "12", "9"]) {
                Request::Menu(menu) if chance.one_in(2) => {
                    let phrases = vec![vec![], vec![vec!["hello".to_owned()]], vec![]];
                    Request::Menu(Menu { phrases, ..menu })
                }
                menu => menu,
            },
            9 | 10 => ask_digits(self.hello, 6, 16, true),
            11 => record(self.hello, 10_000),
            15 => connect(25_000),
            16 => Request::Transfer { to: Destination::Number },
            17 => Request::Recording { on: chance.one_in(2) },
            12 if chance.one_in(3) => Request::HangUp,
            12 => Request::Play(Prompts {
                items: vec![PromptUse::Prompt { prompt: self.price, arguments_at: 0 }],
                barge_in: true,
            }),
            13 => {
                let arguments = vec![Source::Variable(Variable::Vault(0)), Source::Word(4)];
                let (keep, next) = (Variable::Text(0), go());
                kit.push(Op::Call { call: HostCall::VaultLast, arguments, keep, next });
                return;
            }
            _ => return self.control(kit, chance, go),
        };
        let (arguments, keep) = arguments(&request);
        let result = matches!(&request, Request::Service(call) if call.service == 0).then_some(Type::Text);
        // A note goes on below, so that few programs only note until a bound ends them.
        let below = if kit.here() + 1 < range.1 { kit.here() + 1 } else { go() };
        let is_note = matches!(request, Request::Note { .. } | Request::Send(_) | Request::OpenCase(_));
        let next = (0..request.outcomes()).map(|_| if is_note { below } else { go() }).collect();
        let payloads = payloads(&request, result);
        kit.request(&format!("s{}", range.0), request, &arguments, payloads, next, keep);
    }

    fn control(&self, kit: &mut Kit, chance: &mut Chance, mut go: impl FnMut() -> Label) {
        match (chance.below(5), self.callee) {
            (0, _) => kit.push(Op::Fault { kind: FaultKind::Divide, place: 0 }),
            (1, _) => kit.push(Op::Return),
            (2, _) => kit.push(Op::SetLanguage { language: 1, next: go() }),
            (3, Some(callee)) => {
                let next = go();
                kit.run("", callee, next)
            }
            _ => kit.push(Op::Branch { on: Variable::Text(0), zero: go(), other: go() }),
        };
    }
}

/// What a request of a random program is given, and where its value goes.
fn arguments(request: &Request) -> (Vec<(Type, Source)>, Option<Variable>) {
    let private = Type::Private(Box::new(Type::Digits));
    match request {
        Request::Note { r#type, .. } => (vec![(r#type.clone(), Source::Variable(Variable::Text(0)))], None),
        Request::Send(message) if message.to => (vec![(Type::Text, Source::Variable(Variable::Text(0)))], None),
        Request::Service(call) if call.service == 0 => {
            (vec![(Type::Text, Source::Variable(Variable::Text(0)))], Some(Variable::Text(0)))
        }
        Request::Service(_) => (vec![(private, Source::Variable(Variable::Vault(0)))], None),
        Request::Wait => (vec![(Type::Duration, Source::Word(2_000))], None),
        Request::Connect(_) | Request::Transfer { .. } => (vec![(Type::Phone, Source::Word(8_613_800_000_000))], None),
        Request::Ask(_) => (Vec::new(), Some(Variable::Vault(0))),
        Request::Record(_) => (Vec::new(), Some(Variable::Word(0))),
        Request::Play(play) if matches!(play.items.first(), Some(PromptUse::Prompt { prompt: 1, .. })) => {
            (vec![(Type::Int, Source::Word(12))], None)
        }
        _ => (Vec::new(), None),
    }
}
