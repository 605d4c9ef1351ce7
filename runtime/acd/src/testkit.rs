//! Programs for tests whose pure flows are closures, and a room with agents and callers in false time that tells in words
//! what comes out. Only for tests.

use std::sync::Arc;

use runtime_contract::drive::{End, Outcome, Stop, result_words};
use runtime_contract::host::{Host, HostCall};
use runtime_contract::program::{FlowMeta, FlowProgram, Parameter, Place};
use runtime_contract::pure::Facts;
use runtime_contract::queue::{AgentChoice, OrderKey, Predicate, Queue, Skill, Stage};
use runtime_contract::stack::RESULT_AT;
use runtime_contract::value::Value;
use runtime_contract::{FaultKind, GraphId, Now, ProgramMeta, Stack, Tick, Time, Type};

use crate::checker::Checker;
use crate::{Acd, Agent, AgentName, AgentState, Enter, Input, OfferNumber, Output, TicketId};

/// Of the caller's language and the words of his parameters and of the agent's levels; `None` is a fault.
type Pure = Arc<dyn Fn(u64, &[u64]) -> Option<i64> + Send + Sync>;

#[derive(Clone)]
enum Body {
    Of(Pure),
    /// Whether these hours are open.
    Open(u32),
}

/// A program whose flows are closures.
#[derive(Clone, Default)]
pub struct Kit {
    pub meta: ProgramMeta,
    flows: Vec<Body>,
}

/// Words of a frame behind its result; more parameters a test does not have.
const FRAME_WORDS: u32 = 24;

impl Kit {
    /// Of two kits with the same number the versions are the same.
    pub fn new(number: u8) -> Kit {
        let mut kit = Kit::default();
        kit.meta.graph_id = GraphId([number; 32]);
        kit.meta.languages = vec!["zh".to_owned(), "en".to_owned()];
        kit
    }

    pub fn skill(&mut self, name: &str) -> u32 {
        self.meta.skills.push(Skill { name: format!("routing.{name}"), levels: Some((1, 5)) });
        self.meta.skills.len() as u32 - 1
    }

    pub fn flow(&mut self, result: Type, body: impl Fn(u64, &[u64]) -> Option<i64> + Send + Sync + 'static) -> u32 {
        self.add(result, Body::Of(Arc::new(body)))
    }

    /// A predicate that asks whether hours of the program are open.
    pub fn open(&mut self, hours: u32) -> Predicate {
        let flow = self.add(Type::Bool, Body::Open(hours));
        Predicate { flow, skills: Vec::new(), reads: Vec::new(), reads_language: false, reads_number: false }
    }

    fn add(&mut self, result: Type, body: Body) -> u32 {
        let flow = self.flows.len() as u32;
        self.flows.push(body);
        self.meta.flows.push(FlowMeta {
            name: format!("routing.clause{flow}"),
            parameters: Vec::new(),
            result: Some(result),
            frame_words: RESULT_AT + 1 + FRAME_WORDS,
            mailbox_at: RESULT_AT + 1,
            entry_segment: 0,
            fault_segment: None,
            finally_segment: None,
            is_attempt: false,
        });
        flow
    }

    /// Reads the first `reads` words of the queue's parameters, and then the levels of these skills.
    pub fn predicate(
        &mut self,
        skills: &[u32],
        reads: u32,
        body: impl Fn(u64, &[u64]) -> Option<i64> + Send + Sync + 'static,
    ) -> Predicate {
        let flow = self.flow(Type::Bool, body);
        let (skills, reads) = (skills.to_vec(), (0..reads).collect());
        Predicate { flow, skills, reads, reads_language: true, reads_number: true }
    }

    pub fn queue(&mut self, queue: Queue) -> u32 {
        self.meta.queues.push(queue);
        self.meta.queues.len() as u32 - 1
    }

    pub fn build(&self) -> Arc<dyn FlowProgram> {
        Arc::new(self.clone())
    }
}

impl FlowProgram for Kit {
    fn meta(&self) -> &ProgramMeta {
        &self.meta
    }

    fn resume(&self, stack: &mut Stack, host: &mut Host<'_>, _outcome: Outcome) -> Stop {
        let flow = stack.flow();
        let first = RESULT_AT as usize + result_words(host.meta, flow);
        let words = stack.frame().get(first..).unwrap_or_default();
        let answer = self.flows.get(flow as usize).and_then(|body| match body {
            Body::Of(body) => body(stack.header.language, words),
            Body::Open(hours) => {
                let mut is_open = [0];
                host.call(HostCall::HoursOpen, &[u64::from(*hours)], &mut is_open).ok()?;
                is_open.first().map(|is_open| *is_open as i64)
            }
        });
        match answer {
            Some(word) => {
                stack.set_slot(RESULT_AT, word as u64);
                Stop::Done(End::Returned(0))
            }
            None => Stop::Done(End::Fault(FaultKind::Overflow)),
        }
    }
}

/// A queue that takes everybody to anybody, in the order in which they come; one `Int` for each parameter.
pub fn queue(name: &str, parameters: usize) -> Queue {
    let parameter = |at| Parameter { name: format!("p{at}"), r#type: Type::Int };
    Queue {
        name: format!("routing.{name}"),
        place: Place::default(),
        parameters: (0..parameters).map(parameter).collect(),
        stages: vec![stage(0, &[], None)],
        prefers: Vec::new(),
        priority: None,
        order: vec![OrderKey::Priority { worth_ms: None }, OrderKey::Waiting],
        choice: AgentChoice::LongestIdle,
        ring_ms: 15_000,
        wrap_up_ms: 0,
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
    }
}

pub fn stage(after_ms: u64, conjunction: &[(u32, i64)], needs: Option<Predicate>) -> Stage {
    Stage { after_ms, conjunction: conjunction.to_vec(), needs }
}

/// Queues and agents in false time. Every input is watched by a [`Checker`]; outputs come as lines of words.
pub struct Room {
    pub acd: Acd,
    checker: Checker,
    program: Arc<dyn FlowProgram>,
    /// Milliseconds since the room opened.
    ms: u64,
    /// What happened since it was last asked for.
    said: Vec<String>,
}

/// 2026-03-02 10:00 UTC, a Monday.
pub const OPENED: Time = Time(1_772_445_600_000);

impl Room {
    #[expect(clippy::panic, reason = "a test may stop at the first surprise")]
    pub fn give(&mut self, input: Input) -> Vec<Output> {
        let now = self.now();
        self.checker.input(now, &input).unwrap_or_else(|wrong| panic!("{wrong} before {input:?}"));
        let said = format!("{input:?}");
        let outputs: Vec<Output> = self.acd.handle(now, input).collect();
        for output in &outputs {
            self.checker.output(output).unwrap_or_else(|wrong| panic!("{wrong}: {output:?} after {said}"));
            self.said.push(words(output, now));
        }
        self.checker.drained(&mut self.acd).unwrap_or_else(|wrong| panic!("{wrong} after {said}"));
        outputs
    }

    pub fn new(kit: &Kit) -> Room {
        let program = kit.build();
        let mut room = Room { acd: Acd::new(1), checker: Checker::default(), program, ms: 0, said: Vec::new() };
        room.deploy(kit);
        room
    }

    /// New callers come with this version, and its rules hold.
    pub fn deploy(&mut self, kit: &Kit) {
        self.program = kit.build();
        self.give(Input::Version(self.program.clone()));
    }

    pub fn now(&self) -> Now {
        Now { tick: Tick::default().plus_ms(self.ms), time: Time(OPENED.0 + self.ms as i64) }
    }

    /// An agent who is ready; `skills` as `technical 4, mandarin 1`.
    pub fn agent(&mut self, name: &str, skills: &str) {
        let pairs = skills.split(", ").filter_map(|skill| skill.split_once(' '));
        let skills = pairs.filter_map(|(skill, level)| Some((skill.to_owned(), level.parse().ok()?))).collect();
        self.give(Input::Agent(Agent { name: AgentName::from(name), skills, place: 0, weight: 0 }));
        self.say(name, AgentState::Idle);
    }

    pub fn say(&mut self, agent: &str, state: AgentState) {
        self.give(Input::AgentState { agent: AgentName::from(agent), state });
    }

    pub fn new_caller(&self, ticket: u64, queue: u32, values: &[i64]) -> Enter {
        let meta = self.program.meta();
        let values: Vec<Value> = values.iter().map(|value| Value::Int(*value)).collect();
        let facts = Facts::new(meta, std::iter::repeat(&Type::Int).zip(&values)).unwrap_or_default();
        let (program, last_agent) = (self.program.clone(), None);
        Enter { ticket: TicketId(ticket), program, queue, facts, last_agent, entered: None, callback: None }
    }

    pub fn enter(&mut self, ticket: u64, queue: u32, values: &[i64]) {
        let enter = self.new_caller(ticket, queue, values);
        self.give(Input::Enter(enter));
    }

    pub fn answer(&mut self, ticket: u64, agent: &str, n: u32) {
        let agent = AgentName::from(agent);
        self.give(Input::OfferAnswered { ticket: TicketId(ticket), agent, n: OfferNumber(n) });
    }

    pub fn end(&mut self, ticket: u64) {
        self.give(Input::Ended { ticket: TicketId(ticket) });
    }

    /// Lets time go by, with a tick at each deadline.
    pub fn wait(&mut self, ms: u64) {
        let until = self.ms + ms;
        while let Some(at) = self.acd.next_deadline().map(|at| at.0.div_ceil(1_000_000)).filter(|at| *at <= until) {
            self.ms = at.max(self.ms);
            self.give(Input::Tick);
        }
        self.ms = until;
    }

    /// Lets time go by without a tick.
    pub fn pass(&mut self, ms: u64) {
        self.ms += ms;
    }

    /// What came out since this was last asked for.
    pub fn said(&mut self) -> String {
        std::mem::take(&mut self.said).join("; ")
    }
}

fn words(output: &Output, now: Now) -> String {
    match output {
        Output::Offer(offer) => format!("offer {} to {}", offer.ticket.0, offer.agent),
        Output::CallbackDue(offer) => format!("callback {} to {}", offer.ticket.0, offer.agent),
        Output::Withdraw { ticket, agent, n } => format!("withdraw {} from {agent} #{}", ticket.0, n.0),
        Output::Join { ticket, agent, queue, waited_ms } => {
            format!("join {} and {agent} in {queue} after {waited_ms}", ticket.0)
        }
        Output::Comfort { ticket, ahead, expected_wait_ms } => {
            format!("comfort {}: {ahead} ahead, {expected_wait_ms}", ticket.0)
        }
        Output::Over { ticket, why } => format!("over {}: {why:?}", ticket.0),
        Output::WrapUp { agent, until, .. } => {
            format!("{agent} writes up for {}", until.saturating_since(now.tick).as_millis())
        }
        Output::WrappedUp { agent, ticket, result } => match result {
            Some(result) => format!("{agent} is done with {}: {result}", ticket.0),
            None => format!("{agent} is done with {}", ticket.0),
        },
        Output::SetAway { agent } => format!("{agent} is away"),
        Output::Missed { ticket, queue, why } => format!("missed {} in {queue}: {why:?}", ticket.0),
        Output::Served { ticket, queue, agent } => format!("served {} in {queue} by {agent}", ticket.0),
        Output::ClauseFault { flow, .. } => format!("fault in {flow}"),
    }
}
