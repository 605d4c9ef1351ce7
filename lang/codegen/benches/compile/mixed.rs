//! A program of any size: flows of 20 steps each, every step a menu with retries, an `ask digits`, a service that is
//! asked with them, an amount that is compared and said.

use lang_flowgraph::builder::{Site, Variable};
use lang_flowgraph::graph::{Arithmetic, Condition, FlowId, SegmentId};
use lang_flowgraph::{GraphBuilder, Verified};
use runtime_contract::host::HostCall;
use runtime_contract::program::{Operation, Parameter, Place, ProgramMeta, Prompt, Service, SiteKind};
use runtime_contract::request::{Ask, AskKind, Menu, PromptUse, Prompts, Request, ServiceCall};
use runtime_contract::types::{Class, Type};

/// A step's menu (arrival, request, outcome), ask (request, outcome), service's outcome, prompt's outcome.
const SEGMENTS_A_STEP: usize = 7;
const STEPS_A_FLOW: usize = 20;

/// Of at least so many segments.
pub fn graph(segments: usize) -> Verified {
    let mut builder = GraphBuilder::new(tables());
    let flows = segments.div_ceil(SEGMENTS_A_STEP * STEPS_A_FLOW);
    for n in 0..flows {
        let flow = builder.flow(&format!("mixed.f{n}"), Vec::new(), None);
        Writer::new(&mut builder, flow, n).write();
    }
    builder.finish().expect("a right graph")
}

fn tables() -> ProgramMeta {
    let digits = Parameter { name: "card".into(), r#type: Type::Digits };
    let balance = Operation {
        name: "balance".into(),
        parameters: vec![digits],
        result: Some(Type::Money),
        within_ms: 2_000,
        writes: false,
    };
    ProgramMeta {
        languages: vec!["en".into()],
        services: vec![Service { name: "bank".into(), operations: vec![balance] }],
        prompts: vec![Prompt { name: None, arguments: vec![Type::Digits, Type::Money], texts: Vec::new() }],
        ..ProgramMeta::default()
    }
}

struct Writer<'w> {
    builder: &'w mut GraphBuilder,
    flow: FlowId,
    name: usize,
    arrivals: Vec<SegmentId>,
    tries: Variable,
    score: Variable,
    card: Variable,
    amount: [Variable; 2],
    place: u32,
}

impl<'w> Writer<'w> {
    fn new(builder: &'w mut GraphBuilder, flow: FlowId, name: usize) -> Self {
        let arrivals: Vec<SegmentId> = (0..STEPS_A_FLOW).map(|_| builder.segment(flow)).collect();
        let mut word = |name: &str, class| builder.variable(flow, class, name);
        let (tries, score, card) = (word("", Class::Word), word("score", Class::Word), word("card", Class::Text));
        let amount = [word("amount", Class::Word), word("currency", Class::Word)];
        let place = builder.fault_place(Place::default());
        Writer { builder, flow, name, arrivals, tries, score, card, amount, place }
    }

    fn write(mut self) {
        self.builder.set_entry(self.flow, self.arrivals[0]);
        for step in 0..STEPS_A_FLOW {
            self.step(step);
        }
    }

    fn step(&mut self, step: usize) {
        let next = self.arrivals[(step + 1) % STEPS_A_FLOW];
        let elsewhere = self.arrivals[(step * 7 + 3) % STEPS_A_FLOW];
        let asks = self.menu(step, next, elsewhere);
        let asked = self.ask(step, asks);
        self.balance(step, asked, next, elsewhere);
    }

    /// Gives the segment to which its first choice leads.
    fn menu(&mut self, step: usize, next: SegmentId, elsewhere: SegmentId) -> SegmentId {
        let (request, outcome, asks) = (self.segment(), self.segment(), self.segment());
        let menu = Menu {
            prompts: Prompts::default(),
            choices: ["1", "2", "3", "9"].map(String::from).to_vec(),
            phrases: Vec::new(),
            listen_ms: 5_000,
            between_keys_ms: 3_000,
        };
        let site = self.site(step, "menu", Request::Menu(menu), outcome);
        self.begin(self.arrivals[step]);
        let one = self.builder.integer(1);
        self.builder.store(self.tries, one);
        self.builder.continue_in(request);
        self.begin(request);
        self.builder.wait(site, &[]);
        self.begin(outcome);
        let which = self.builder.outcome();
        let arms: Vec<_> = (0..5).map(|_| self.builder.block()).collect();
        self.builder.switch(which, &arms[..4], arms[4]);
        self.builder.go_to(arms[0]);
        self.builder.continue_in(asks);
        self.builder.go_to(arms[1]);
        self.add_to_score(step as i64 + 1);
        self.builder.continue_in(next);
        self.builder.go_to(arms[2]);
        self.add_to_score(-5);
        self.builder.continue_in(elsewhere);
        self.builder.go_to(arms[3]);
        let zero = self.builder.integer(0);
        self.builder.return_with(zero, &[]);
        self.builder.go_to(arms[4]);
        self.again(request, elsewhere);
        asks
    }

    /// The next try, or after the third elsewhere.
    fn again(&mut self, request: SegmentId, elsewhere: SegmentId) {
        let (tried, most, one) = (self.builder.load(self.tries), self.builder.integer(3), self.builder.integer(1));
        let is_left = self.builder.compare(Condition::Less, tried, most);
        let (yes, no) = (self.builder.block(), self.builder.block());
        self.builder.branch(is_left, yes, no);
        self.builder.go_to(yes);
        let next = self.builder.arithmetic(Arithmetic::Add, tried, one, self.place);
        self.builder.store(self.tries, next);
        self.builder.continue_in(request);
        self.builder.go_to(no);
        self.builder.continue_in(elsewhere);
    }

    /// Gives the segment that takes its outcome.
    fn ask(&mut self, step: usize, from: SegmentId) -> SegmentId {
        let outcome = self.segment();
        let ask = Ask {
            prompts: Prompts::default(),
            kind: AskKind::Digits { min: 4, max: 19 },
            private: false,
            end_key: '#',
            listen_ms: 5_000,
            between_keys_ms: 3_000,
        };
        let site = self.site(step, "ask", Request::Ask(ask), outcome);
        self.begin(from);
        self.builder.wait(site, &[]);
        outcome
    }

    /// Outcome 0 goes on here, any other elsewhere.
    fn go_on_when_ok(&mut self, elsewhere: SegmentId) {
        let outcome = self.builder.outcome();
        let (failed, ok) = (self.builder.block(), self.builder.block());
        self.builder.branch(outcome, failed, ok);
        self.builder.go_to(failed);
        self.builder.continue_in(elsewhere);
        self.builder.go_to(ok);
    }

    fn balance(&mut self, step: usize, asked: SegmentId, next: SegmentId, elsewhere: SegmentId) {
        let (answered, said) = (self.segment(), self.segment());
        let service = Request::Service(ServiceCall { service: 0, operation: 0 });
        let service = self.site(step, "bank.balance", service, answered);
        let item = PromptUse::Prompt { prompt: 0, arguments_at: 0 };
        let say = Request::Play(Prompts { items: vec![item], barge_in: true });
        let say = self.site(step, "say", say, said);

        self.begin(asked);
        self.go_on_when_ok(elsewhere);
        let card = self.builder.payload(0);
        self.builder.store(self.card, card);
        self.builder.wait(service, &[card]);

        self.begin(answered);
        self.go_on_when_ok(elsewhere);
        let (amount, currency) = (self.builder.payload(0), self.builder.payload(1));
        for (to, word) in self.amount.into_iter().zip([amount, currency]) {
            self.builder.store(to, word);
        }
        let four = self.builder.integer(4);
        let card = self.builder.load(self.card);
        let last = self.builder.host(HostCall::TextLast, &[card, four], self.place);
        self.builder.wait(say, &[last[0], amount, currency]);

        self.begin(said);
        let (amount, most) = (self.builder.load(self.amount[0]), self.builder.integer(10_000_000));
        let is_large = self.builder.compare(Condition::GreaterOrEqual, amount, most);
        let (yes, no) = (self.builder.block(), self.builder.block());
        self.builder.branch(is_large, yes, no);
        self.builder.go_to(yes);
        self.builder.continue_in(elsewhere);
        self.builder.go_to(no);
        self.builder.continue_in(next);
    }

    fn add_to_score(&mut self, amount: i64) {
        let (score, amount) = (self.builder.load(self.score), self.builder.integer(amount));
        let sum = self.builder.arithmetic(Arithmetic::Add, score, amount, self.place);
        self.builder.store(self.score, sum);
    }

    fn segment(&mut self) -> SegmentId {
        self.builder.segment(self.flow)
    }

    fn begin(&mut self, segment: SegmentId) {
        self.builder.go_to(self.builder.entry(segment));
    }

    fn site(&mut self, step: usize, label: &str, request: Request, resume: SegmentId) -> runtime_contract::SiteId {
        self.builder.site(Site {
            key: format!("mixed.f{}.s{step}/{label}#1", self.name),
            place: Place::default(),
            flow: self.flow,
            step: format!("s{step}"),
            kind: SiteKind::Request(request),
            resume,
        })
    }
}
