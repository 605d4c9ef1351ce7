//! Pure flows: clauses of queues and cadences, which ask nobody and wait for nothing. They run on what is known of a
//! caller, with the engine of his program, outside any call.

use crate::arena::Arena;
use crate::called::Called;
use crate::drive::{End, Outcome, Stop, enter, result_words};
use crate::host::{Host, Observation, Observe};
use crate::program::{FlowProgram, ProgramMeta};
use crate::stack::{RESULT_AT, Stack};
use crate::time::Time;
use crate::types::Type;
use crate::value::{Memory, Phone, Value};
use crate::vault::Vault;

/// What a ticket or a planned call keeps of its person: plain data that outlives the call. Good for one program only.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Index in `ProgramMeta::languages`.
    pub language: u32,
    pub caller: Option<Phone>,
    pub called: Option<Called>,
    /// The parameters' slots, one after the other.
    words: Vec<u64>,
    /// Texts and lists among them.
    arena: Arena,
}

impl Facts {
    /// `None` when a value does not fit its type, or is private: nothing private outlives its call.
    pub fn new<'t>(meta: &ProgramMeta, values: impl Iterator<Item = (&'t Type, &'t Value)>) -> Option<Facts> {
        let mut facts = Facts::default();
        let mut vault = Vault::default();
        for (r#type, value) in values {
            let mut memory = Memory { meta, arena: &mut facts.arena, vault: &mut vault };
            facts.words.extend(memory.words(value, r#type).ok()?);
        }
        vault.is_empty().then_some(facts)
    }

    /// Some of the words mean a text or a list of these facts alone, and nothing beside them.
    pub fn has_own_texts(&self) -> bool {
        self.arena.bytes() > 0
    }

    /// The values that they are of; `None` when those are of other types.
    pub fn values<'t>(&self, meta: &ProgramMeta, types: impl Iterator<Item = &'t Type>) -> Option<Vec<Value>> {
        let (mut arena, mut vault) = (self.arena.clone(), Vault::default());
        let memory = Memory { meta, arena: &mut arena, vault: &mut vault };
        let mut words = self.words.iter().copied();
        types.map(|r#type| memory.value(&mut words, r#type)).collect()
    }

    /// The parameters' slots. A text is the handle of a constant, or of these facts alone.
    pub fn words(&self) -> &[u64] {
        &self.words
    }
}

/// Room in which pure flows are run, to be used again and again.
#[derive(Clone, Debug, Default)]
pub struct PureRoom {
    stack: Stack,
    vault: Vault,
    words: Vec<u64>,
    observed: Vec<Observation>,
}

/// A pure flow faulted (an overflow, say) or is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoAnswer;

impl PureRoom {
    /// The answer of a flow whose result is one word: a Bool, an Int. `more` stands behind the parameters of the facts.
    pub fn word(
        &mut self,
        program: &dyn FlowProgram,
        flow: u32,
        facts: &mut Facts,
        more: &[i64],
        now: Time,
    ) -> Result<i64, NoAnswer> {
        let mark = facts.arena.mark();
        let ran = self.run(program, flow, facts, more, now);
        facts.arena.back_to(mark);
        ran.map(|()| self.stack.slot(RESULT_AT) as i64)
    }

    /// The answer of a flow with any result; `None` of one without.
    pub fn value(
        &mut self,
        program: &dyn FlowProgram,
        flow: u32,
        facts: &mut Facts,
        more: &[i64],
        now: Time,
    ) -> Result<Option<Value>, NoAnswer> {
        let mark = facts.arena.mark();
        let value = self.run(program, flow, facts, more, now).and_then(|()| self.result(program, flow, facts));
        facts.arena.back_to(mark);
        value
    }

    fn result(&mut self, program: &dyn FlowProgram, flow: u32, facts: &mut Facts) -> Result<Option<Value>, NoAnswer> {
        let meta = program.meta();
        let Some(r#type) = meta.flow(flow).and_then(|info| info.result.as_ref()) else { return Ok(None) };
        let width = result_words(meta, flow);
        let mut words = self.stack.frame().iter().skip(RESULT_AT as usize).take(width).copied();
        let memory = Memory { meta, arena: &mut facts.arena, vault: &mut self.vault };
        memory.value(&mut words, r#type).map(Some).ok_or(NoAnswer)
    }

    /// The last answer looked at the time, or at hours: it may be another one later.
    pub fn has_observed(&self) -> bool {
        !self.observed.is_empty()
    }

    fn run(
        &mut self,
        program: &dyn FlowProgram,
        flow: u32,
        facts: &mut Facts,
        more: &[i64],
        now: Time,
    ) -> Result<(), NoAnswer> {
        let meta = program.meta();
        self.observed.clear();
        self.words.clear();
        self.words.extend_from_slice(&facts.words);
        self.words.extend(more.iter().map(|word| *word as u64));
        if !enter(meta, &mut self.stack, flow, &self.words) {
            return Err(NoAnswer);
        }
        let tagged = |word: Option<u64>| [u64::from(word.is_some()), word.unwrap_or(0)];
        self.stack.header.language = u64::from(facts.language);
        self.stack.header.caller_number = tagged(facts.caller.map(Phone::word));
        self.stack.header.called = tagged(facts.called.map(Called::word));
        self.stack.header.requests = 0;
        let observe = Observe::Live(&mut self.observed);
        let mut host = Host { meta, arena: &mut facts.arena, vault: &mut self.vault, observe, now };
        let stop = program.resume(&mut self.stack, &mut host, Outcome::Start);
        self.stack.faults.clear();
        match stop {
            Stop::Done(End::Returned(_)) => Ok(()),
            _ => Err(NoAnswer),
        }
    }
}
