//! A program at random: flows that run the later ones, with branches, loops, every request and every operation.

use runtime_contract::Called;
use runtime_contract::host::{FaultKind, HostCall};
use runtime_contract::program::{Parameter, SiteKind};
use runtime_contract::request::{
    Ask, AskKind, Case, CasePriority, Channel, Connect, Consent, Destination, Dial, Menu, Message, PromptUse, Prompts,
    Record, RejectReason, Request, ServiceCall,
};
use runtime_contract::types::{Class, Type};

use super::values::{TEXTS, every_type, place, tables};
use super::{Random, cadence, survey};
use crate::builder::{GraphBuilder, Site, Variable};
use crate::graph::{Arithmetic, Condition, Fact, FlowId, Word};
use crate::verify::Verified;
use crate::verify::classes::host_classes;

/// Faults that few random programs come to by themselves.
const RARE_FAULTS: [FaultKind; 10] = [
    FaultKind::Divide,
    FaultKind::Vault,
    FaultKind::Vault,
    FaultKind::Fuel,
    FaultKind::Index,
    FaultKind::StackGuard,
    FaultKind::StackGuard,
    FaultKind::Store,
    FaultKind::Currency,
    FaultKind::Currency,
];

/// The same program for the same seed. An error is a bug, of this generator or of what it calls.
pub fn program(seed: u64) -> Result<Verified, Vec<String>> {
    let mut random = Random::new(seed);
    let mut builder = GraphBuilder::new(tables());
    let types = every_type();
    let flows: Vec<FlowId> = (0..1 + random.below(3))
        .map(|at| {
            let parameters = (0..random.below(4))
                .filter_map(|n| Some(Parameter { name: format!("p{n}"), r#type: random.pick(&types)?.clone() }))
                .collect();
            let result = if random.chance(60) { random.pick(&types).cloned() } else { None };
            builder.flow(&format!("m.f{at}"), parameters, result)
        })
        .collect();
    for (at, flow) in flows.iter().enumerate() {
        let callees = flows.get(at + 1..).unwrap_or_default().to_vec();
        Writer::new(&mut builder, &mut random, *flow, callees).flow();
    }
    cadence::flows(&mut builder);
    survey::flow(&mut builder);
    builder.finish()
}

struct Writer<'w> {
    builder: &'w mut GraphBuilder,
    random: &'w mut Random,
    flow: FlowId,
    callees: Vec<FlowId>,
    types: Vec<Type>,
    variables: Vec<(Variable, Class)>,
    /// Words that may be used at the cursor.
    words: Vec<(Word, Class)>,
    /// Statements yet to be written.
    budget: usize,
    sites: usize,
}

impl<'w> Writer<'w> {
    fn new(builder: &'w mut GraphBuilder, random: &'w mut Random, flow: FlowId, callees: Vec<FlowId>) -> Self {
        let budget = 6 + random.below(30);
        let (variables, words) = (Vec::new(), Vec::new());
        Writer { builder, random, flow, callees, types: every_type(), variables, words, budget, sites: 0 }
    }

    fn flow(&mut self) {
        let count = self.builder.meta.flow(self.flow.0).map_or(0, |flow| flow.parameters.len());
        for position in 0..count {
            let slots = self.builder.parameter(self.flow, position);
            let r#type = self.builder.meta.flow(self.flow.0).and_then(|flow| flow.parameters.get(position));
            let classes = r#type.map_or_else(Vec::new, |p| self.builder.meta.types.slots(&p.r#type));
            self.variables.extend(slots.into_iter().zip(classes));
        }
        for _ in 0..3 + self.random.below(5) {
            self.declare();
        }
        let entry = self.builder.segment(self.flow);
        self.builder.set_entry(self.flow, entry);
        self.begin(entry);
        self.statements(3);
        self.leave();
        if self.random.chance(50) {
            let fault = self.builder.segment(self.flow);
            self.builder.set_fault(self.flow, fault);
            self.begin(fault);
            self.budget = 3;
            self.statements(1);
            match self.random.below(3) {
                0 => self.builder.end_block(),
                _ => self.leave(),
            }
        }
        if self.random.chance(50) {
            let finally = self.builder.segment(self.flow);
            self.builder.set_finally(self.flow, finally);
            self.begin(finally);
            self.budget = 4;
            self.statements(1);
            self.builder.end_block();
        }
    }

    fn begin(&mut self, segment: crate::graph::SegmentId) {
        self.words.clear();
        self.builder.go_to(self.builder.entry(segment));
    }

    /// Variables of a random type.
    fn declare(&mut self) -> Vec<Variable> {
        let r#type = self.random.pick(&self.types).cloned().unwrap_or(Type::Int);
        self.declare_of(&r#type)
    }

    fn declare_of(&mut self, r#type: &Type) -> Vec<Variable> {
        let name = if self.random.chance(50) { "v" } else { "" };
        let variables = self.builder.variables(self.flow, r#type, name);
        let classes = self.builder.meta.types.slots(r#type);
        self.variables.extend(variables.iter().copied().zip(classes));
        variables
    }

    fn place(&mut self) -> u32 {
        let line = 1 + self.random.below(40) as u32;
        self.builder.fault_place(place(line))
    }

    fn statements(&mut self, depth: usize) {
        for _ in 0..3 + self.random.below(6) {
            if self.budget == 0 || self.builder.is_ended() {
                return;
            }
            self.budget -= 1;
            match self.random.below(100) {
                0..32 => self.request(),
                32..50 => self.assign(),
                50..60 => self.decide(depth),
                60..66 => self.repeat(depth),
                66..74 => self.run(),
                74..76 => self.grow_text(),
                76..78 => self.pick_a_way(),
                78..80 => {
                    let language = self.word(Class::Word);
                    self.builder.set_language(language);
                }
                80..83 => self.require(),
                _ => {
                    self.compute();
                }
            }
        }
    }

    fn assign(&mut self) {
        let Some((variable, class)) = self.random.pick(&self.variables).copied() else { return };
        let word = self.word(class);
        self.builder.store(variable, word);
    }

    /// Some word of this class.
    fn word(&mut self, class: Class) -> Word {
        let known: Vec<Word> = self.words.iter().filter(|(_, c)| *c == class).map(|(word, _)| *word).collect();
        if self.random.chance(50)
            && let Some(word) = self.random.pick(&known)
        {
            return *word;
        }
        let variables: Vec<Variable> = self.variables.iter().filter(|(_, c)| *c == class).map(|(v, _)| *v).collect();
        let word = match (self.random.pick(&variables), class) {
            (Some(variable), _) if self.random.chance(60) => self.builder.load(*variable),
            (_, Class::Text) => {
                let text = self.random.pick(&TEXTS).copied().unwrap_or_default();
                self.builder.text(text)
            }
            (Some(variable), Class::Vault) => self.builder.load(*variable),
            (None, Class::Vault) => self.builder.constant(0),
            (Some(variable), Class::List) if self.random.chance(30) => self.builder.load(*variable),
            (_, Class::List) => return self.list(),
            _ => self.builder.integer(self.random.integer()),
        };
        self.words.push((word, class));
        word
    }

    /// A list of some numbers or some texts.
    fn list(&mut self) -> Word {
        let place = self.place();
        let class = if self.random.chance(50) { Class::Text } else { Class::Word };
        let cells = self.random.below(4);
        for _ in 0..cells {
            let cell = self.word(class);
            self.builder.host(HostCall::list_put(class), &[cell], place);
        }
        let cells = self.builder.integer(cells as i64);
        let list = self.builder.host(HostCall::ListMake, &[cells], place).first().copied().unwrap_or(cells);
        self.words.push((list, Class::List));
        list
    }

    fn number(&mut self) -> Word {
        self.word(Class::Word)
    }

    fn values(&mut self, types: &[Type]) -> Vec<Word> {
        let classes: Vec<Class> = types.iter().flat_map(|r#type| self.builder.meta.types.slots(r#type)).collect();
        classes.into_iter().map(|class| self.word(class)).collect()
    }

    fn compute(&mut self) {
        let place = self.place();
        let (left, right) = (self.number(), self.number());
        let (word, class) = match self.random.below(10) {
            0..3 => {
                let operation = self.random.pick(&Arithmetic::ALL).copied().unwrap_or(Arithmetic::Add);
                (self.builder.arithmetic(operation, left, right, place), Class::Word)
            }
            3 | 4 => (self.compare(), Class::Word),
            5 if self.random.chance(50) => (self.builder.and(left, right), Class::Word),
            5 => (self.builder.or(left, right), Class::Word),
            6 => {
                let condition = self.compare();
                let class = if self.random.chance(50) { Class::Text } else { Class::Word };
                let (yes, no) = (self.word(class), self.word(class));
                (self.builder.select(condition, yes, no), class)
            }
            7 => {
                let fact = self.random.pick(&Fact::ALL).copied().unwrap_or(Fact::Language);
                (self.builder.fact(fact), Class::Word)
            }
            _ => return self.host(place),
        };
        self.words.push((word, class));
    }

    fn compare(&mut self) -> Word {
        let (left, right) = (self.number(), self.number());
        let condition = self.random.pick(&Condition::ALL).copied().unwrap_or(Condition::Equal);
        self.builder.compare(condition, left, right)
    }

    fn host(&mut self, place: u32) {
        let mut call = self.random.pick(&HostCall::ALL).copied().unwrap_or(HostCall::TextEqual);
        // Most private variables are empty, and a lost value ends the call.
        let is_private = matches!(
            call,
            HostCall::VaultLast
                | HostCall::VaultLength
                | HostCall::VaultCardValid
                | HostCall::VaultEqual
                | HostCall::VaultKeep
                | HostCall::VaultSame
                | HostCall::ListVault
                | HostCall::ListList
        );
        if is_private && self.random.chance(80) {
            call = HostCall::TextLength;
        }
        let (arguments, results) = host_classes(call);
        let arguments: Vec<_> = match call {
            HostCall::HoursOpen => vec![self.builder.constant(0)],
            // Others would fault nearly always.
            HostCall::ListLength => vec![self.word(Class::List), self.builder.constant(1)],
            HostCall::ListWord | HostCall::ListText if self.random.chance(80) => {
                vec![self.word(Class::List), self.builder.constant(0)]
            }
            HostCall::ListMake => vec![self.builder.constant(0)],
            HostCall::CalledExtension if self.random.chance(80) => {
                let extension = Called::from_extension("107").map_or(0, Called::word);
                vec![self.builder.constant(extension)]
            }
            _ => arguments.iter().map(|class| self.word(*class)).collect(),
        };
        let words = self.builder.host(call, &arguments, place);
        self.words.extend(words.into_iter().zip(results.iter().copied()));
    }

    /// Most hold.
    fn require(&mut self) {
        let place = self.place();
        let (left, right) = (self.number(), self.number());
        if self.random.chance(30) {
            let right = if self.random.chance(70) { left } else { right };
            return self.builder.require_same_currency(left, right, place);
        }
        let holds = self.compare();
        let kind = self.random.pick(&FaultKind::of_programs()).copied().unwrap_or(FaultKind::Index);
        // Mostly true for most words.
        let otherwise = self.builder.compare(Condition::NotEqual, left, right);
        let holds = if self.random.chance(80) { self.builder.or(holds, otherwise) } else { holds };
        self.builder.require(holds, kind, place);
    }

    /// Doubles a text until it is too large, when it was not empty.
    fn grow_text(&mut self) {
        let place = self.place();
        let mut text = self.word(Class::Text);
        for _ in 0..11 {
            text = self.builder.host(HostCall::TextJoin, &[text, text], place).first().copied().unwrap_or(text);
        }
        self.words.push((text, Class::Text));
    }

    fn decide(&mut self, depth: usize) {
        if depth == 0 {
            return;
        }
        let condition = self.compare();
        let (yes, no, after) = (self.builder.block(), self.builder.block(), self.builder.block());
        let met = self.builder.block_parameter(after);
        let segment = self.builder.here().segment;
        self.builder.branch(condition, yes, no);
        let before = self.words.clone();
        for arm in [yes, no] {
            self.builder.go_to(arm);
            self.words = before.clone();
            for _ in 0..self.random.below(4) {
                match self.random.below(3) {
                    0 => self.compute(),
                    1 => self.decide(depth - 1),
                    _ => self.assign(),
                }
            }
            if self.random.chance(6) {
                self.leave();
            }
            let word = self.number();
            if self.builder.here().segment == segment {
                self.builder.jump(after, &[word]);
            }
        }
        self.builder.go_to(after);
        self.words = before;
        self.words.push((met, Class::Word));
    }

    /// A jump table, or a chain of comparisons.
    fn pick_a_way(&mut self) {
        let index = if self.random.chance(60) { self.small() } else { self.number() };
        let ways: Vec<_> = (0..1 + self.random.below(7)).map(|_| self.builder.block()).collect();
        let after = self.builder.block();
        let met = self.builder.block_parameter(after);
        let default = after_default(self.builder, after);
        self.builder.switch(index, &ways, default);
        for way in ways {
            self.builder.go_to(way);
            let word = self.builder.integer(self.random.integer());
            self.builder.jump(after, &[word]);
        }
        self.builder.go_to(after);
        self.words.push((met, Class::Word));
    }

    /// A word from 0 to 7.
    fn small(&mut self) -> Word {
        let (word, mask) = (self.number(), self.builder.constant(7));
        self.builder.and(word, mask)
    }

    /// Goes round a few times; rarely for ever, until the fuel is used up.
    fn repeat(&mut self, depth: usize) {
        if depth == 0 {
            return;
        }
        let counter = self.builder.variable(self.flow, Class::Word, "");
        let zero = self.builder.constant(0);
        self.builder.store(counter, zero);
        let head = self.builder.segment(self.flow);
        self.builder.continue_in(head);
        self.begin(head);
        let (count, one) = (self.builder.load(counter), self.builder.constant(1));
        let place = self.place();
        let next = self.builder.arithmetic(Arithmetic::Add, count, one, place);
        let for_ever = self.random.below(150) == 0;
        self.builder.store(counter, if for_ever { count } else { next });
        let end = self.builder.integer(1 + self.random.below(4) as i64);
        let more = self.builder.compare(Condition::Less, count, end);
        let (again, after) = (self.builder.block(), self.builder.block());
        self.builder.branch(more, again, after);
        let before = self.words.clone();
        self.builder.go_to(again);
        if !for_ever {
            self.statements(depth - 1);
        }
        if !self.builder.is_ended() {
            self.builder.continue_in(head);
        }
        self.builder.go_to(after);
        self.words = before;
    }

    fn run(&mut self) {
        let Some(callee) = self.random.pick(&self.callees).copied() else { return };
        self.wait_at(SiteKind::Run { flow: callee.0 }, "run");
    }

    fn request(&mut self) {
        let request = match self.random.below(25) {
            0 => Request::Answer,
            1 => Request::Play(self.prompts()),
            2 => Request::Menu(self.menu()),
            3 => Request::Ask(self.ask()),
            4 => Request::Record(Record { prompts: self.prompts(), max_ms: 1_000, end_key: None, silence_ms: 500 }),
            5 => Request::Wait,
            20 => {
                let by =
                    if self.random.chance(50) { runtime_contract::channel::Channel::Sms } else { Default::default() };
                Request::Dial(Dial { by, from: self.random.chance(50), ring_ms: 25_000 })
            }
            21 => Request::Start { cadence: 0 },
            23 => Request::Survey { survey: 0 },
            24 => {
                let questions = self.builder.meta.surveys.first().map_or(0, |survey| survey.questions.len());
                Request::SurveyAnswer { survey: 0, question: self.random.below(questions) as u32 }
            }
            15 => Request::Queue { queue: self.random.below(self.builder.meta.queues.len()) as u32 },
            16 => Request::OfferCallback { key: '1' },
            14 => Request::Recording { on: self.random.chance(50) },
            17 => {
                let channels = [Channel::Sms, Channel::Email, Channel::Notify("ops".into())];
                let channel = self.random.pick(&channels).cloned().unwrap_or(Channel::Sms);
                Request::Send(Message { channel, to: self.random.chance(50), text: self.prompts() })
            }
            19 if !self.builder.meta.types.records.is_empty() => {
                let permission = self.random.below(self.builder.meta.types.records.len()) as u32;
                Request::Consent(Consent { purpose: "p".into(), permission })
            }
            18 => Request::OpenCase(Case { kind: "k".into(), priority: CasePriority::High }),
            6..13 => {
                let operations = self.builder.meta.services.first().map_or(0, |service| service.operations.len());
                Request::Service(ServiceCall { service: 0, operation: self.random.below(operations) as u32 })
            }
            13 => {
                let to = if self.random.chance(50) { Destination::Number } else { Destination::Extension };
                match self.random.chance(50) {
                    true => Request::Connect(Connect { to, from: self.random.chance(50), ring_ms: 25_000 }),
                    false => Request::Transfer { to },
                }
            }
            _ => Request::Note { key: "k".into(), r#type: self.random.pick(&self.types).cloned().unwrap_or(Type::Int) },
        };
        let name = request.kind().row().name;
        self.wait_at(SiteKind::Request(request), name);
    }

    fn prompts(&mut self) -> Prompts {
        let mut items = Vec::new();
        let mut arguments_at = 0;
        for _ in 0..self.random.below(4) {
            if self.random.chance(20) {
                items.push(PromptUse::Recording { at: arguments_at });
                arguments_at += 1;
                continue;
            }
            let prompt = self.random.below(self.builder.meta.prompts.len());
            items.push(PromptUse::Prompt { prompt: prompt as u32, arguments_at });
            let meta = &self.builder.meta;
            let arguments = meta.prompts.get(prompt).map_or(&[][..], |prompt| &prompt.arguments);
            arguments_at += crate::frame::width(meta, arguments) as u32;
        }
        Prompts { items, barge_in: self.random.chance(50) }
    }

    fn menu(&mut self) -> Menu {
        let key = |key: usize| if key == 4 { "40..49".to_owned() } else { key.to_string() };
        let choices = (0..self.random.below(9)).map(key).collect();
        Menu { prompts: self.prompts(), choices, phrases: Vec::new(), listen_ms: 5_000, between_keys_ms: 1_000 }
    }

    fn ask(&mut self) -> Ask {
        let kinds = [
            AskKind::Range { low: 1, high: 12 },
            AskKind::Number,
            AskKind::Amount { currency: 156 },
            AskKind::Date,
            AskKind::Time,
            AskKind::Phone,
            AskKind::YesOrNo,
            AskKind::Text { max: 200 },
        ];
        let digits = AskKind::Digits { min: 1, max: 19 };
        let kind = if self.random.chance(70) { digits } else { self.random.pick(&kinds).copied().unwrap_or(digits) };
        Ask {
            prompts: self.prompts(),
            kind,
            private: kind == digits && self.random.chance(90),
            end_key: '#',
            listen_ms: 5_000,
            between_keys_ms: 1_000,
        }
    }

    /// Waits, keeps what came with each outcome, and goes on after all of them.
    fn wait_at(&mut self, kind: SiteKind, name: &str) {
        let resume = self.builder.segment(self.flow);
        self.sites += 1;
        let key = format!("m.f{}/{name}#{}", self.flow.0, self.sites);
        let site = Site { key, place: place(1), flow: self.flow, step: String::new(), kind, resume };
        let is_run = matches!(site.kind, SiteKind::Run { .. });
        let site = self.builder.site(site);
        let Some(info) = self.builder.meta.site(site) else { return };
        let (arguments, payloads) = (info.arguments.clone(), info.payloads.clone());
        let words = self.values(&arguments);
        match is_run {
            true => self.builder.call(site, &words),
            false => self.builder.wait(site, &words),
        }
        self.begin(resume);
        let outcome = self.builder.outcome();
        self.words.push((outcome, Class::Word));
        let arms: Vec<_> = payloads.iter().map(|_| self.builder.block()).collect();
        let after = self.builder.block();
        if let Some(last) = arms.last() {
            self.builder.switch(outcome, &arms, *last);
        }
        for (arm, payload) in arms.iter().zip(&payloads) {
            self.builder.go_to(*arm);
            if let Some(payload) = payload {
                let variables = self.declare_of(payload);
                for (at, variable) in (0u32..).zip(variables) {
                    let word = self.builder.payload(at);
                    self.builder.store(variable, word);
                }
            }
            self.builder.jump(after, &[]);
        }
        self.builder.go_to(after);
    }

    /// An end of the flow.
    fn leave(&mut self) {
        if self.builder.is_ended() {
            return;
        }
        let request = match self.random.below(10) {
            0 => Request::HangUp,
            1 => {
                let reasons = [RejectReason::Busy, RejectReason::Declined, RejectReason::Unavailable];
                Request::Reject(self.random.pick(&reasons).copied().unwrap_or(RejectReason::Busy))
            }
            2..4 => {
                let kind = self.random.pick(&RARE_FAULTS).copied().unwrap_or(FaultKind::Index);
                let place = self.place();
                return self.builder.fault(kind, place);
            }
            _ => return self.give_back(),
        };
        let resume = self.builder.here().segment;
        self.sites += 1;
        let key = format!("m.f{}/end#{}", self.flow.0, self.sites);
        let kind = SiteKind::Request(request);
        let site = Site { key, place: place(1), flow: self.flow, step: String::new(), kind, resume };
        let site = self.builder.site(site);
        self.builder.wait(site, &[]);
    }

    fn give_back(&mut self) {
        let result = self.builder.meta.flow(self.flow.0).and_then(|flow| flow.result.clone());
        let tag = match result {
            Some(Type::Enum(_)) if self.random.chance(90) => {
                let (word, mask) = (self.number(), self.builder.constant(1));
                self.builder.and(word, mask)
            }
            _ if self.random.chance(10) => self.number(),
            _ => self.builder.constant(0),
        };
        let words = self.values(&result.into_iter().collect::<Vec<_>>());
        self.builder.return_with(tag, &words);
    }
}

/// A block that hands the word 77 on to `after`.
fn after_default(builder: &mut GraphBuilder, after: crate::builder::Point) -> crate::builder::Point {
    let (here, block) = (builder.here(), builder.block());
    builder.go_to(block);
    let word = builder.constant(77);
    builder.jump(after, &[word]);
    builder.go_to(here);
    block
}
