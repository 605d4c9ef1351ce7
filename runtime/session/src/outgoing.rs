//! Calls out: an attempt of a cadence begins without a line, and its `dial` makes it. `start` begins a cadence. It knows
//! neither when nor why somebody is called.

use runtime_contract::request::{Dial, Request};
use runtime_contract::stack::RESULT_AT;
use runtime_contract::value::{Memory, Value};
use runtime_contract::{End, FaultKind, Type};

use crate::input::Line;
use crate::output::{DialAsk, Output, WorldRequest};
use crate::request::Doing;
use crate::session::{Answer, Session};
use crate::timers::Timer;

impl Session {
    pub(crate) fn dial(&mut self, dial: &Dial, arguments: &[Value]) -> Option<Answer> {
        let number = |at: usize| match arguments.get(at) {
            Some(Value::Phone(number)) => Some(*number),
            _ => None,
        };
        let (Some(to), Line::None) = (number(0), self.line) else { return Some(Answer::Fault(FaultKind::Host)) };
        let ask = DialAsk { by: dial.by, to, from: number(1), ring_ms: dial.ring_ms };
        self.ask_outside(WorldRequest::Dial(ask))
    }

    pub(crate) fn start_cadence(&mut self, cadence: u32, arguments: Vec<Value>) -> Option<Answer> {
        self.ask_outside(WorldRequest::Start { cadence, arguments })
    }

    pub(crate) fn ask_outside(&mut self, ask: WorldRequest) -> Option<Answer> {
        self.doing = Doing::Outgoing;
        self.output(Output::World { request: self.request, ask });
        None
    }

    /// Somebody answered who was called, or reads what is written: from here on there is a line.
    pub(crate) fn line_made(&mut self, outcome: u32) {
        let Some(Request::Dial(Dial { by, .. })) = self.program.meta().request(self.site) else { return };
        let by = *by;
        if self.line != Line::None || !Dial::makes_line(by, outcome) {
            return;
        }
        self.line = Line::Up;
        if by.is_written() {
            self.stack.header.channel = by as u64;
            self.timers.set(Timer::CallMax, self.now.tick.plus_ms(by.session_ms_max()));
        }
    }

    /// The running flow is an attempt, which outlives the line that it made; or it never had one.
    pub(crate) fn outlives_line(&self) -> bool {
        let meta = self.program.meta();
        self.line == Line::None || meta.flow(self.stack.flow()).is_some_and(|flow| flow.is_attempt)
    }

    /// Slots of the entry flow's parameters. `None`: other values than it takes, or private ones.
    pub(crate) fn words_given(&mut self, flow: u32, given: &[Value]) -> Option<Vec<u64>> {
        let meta = self.program.meta();
        let types: Vec<&Type> = meta.flow(flow)?.parameters.iter().map(|parameter| &parameter.r#type).collect();
        let mut memory = Memory { meta, arena: &mut self.arena, vault: &mut self.vault };
        let mut words = Vec::new();
        for (value, r#type) in given.iter().zip(&types) {
            words.extend(memory.words(value, r#type).ok()?);
        }
        (given.len() == types.len() && self.vault.is_empty()).then_some(words)
    }

    /// What the entry flow came back with, once the call is over.
    pub fn result(&self) -> Option<&Value> {
        self.result.as_ref()
    }

    pub(crate) fn keep_result(&mut self, end: End) {
        let meta = self.program.meta();
        let r#type = meta.flow(self.stack.flow()).and_then(|flow| flow.result.as_ref());
        let (Some(r#type), End::Returned(_)) = (r#type, end) else { return };
        let memory = Memory { meta, arena: &mut self.arena, vault: &mut self.vault };
        let mut words = self.stack.frame().iter().skip(RESULT_AT as usize).copied();
        self.result = memory.value(&mut words, r#type);
    }
}
