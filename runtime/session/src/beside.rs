//! Flows of a queue that run beside its callers' calls, on words of their own: the comfort, and what the agent hears.
//! They are given the queue's arguments and change nothing but what is heard.

use runtime_contract::arena::Arena;
use runtime_contract::drive::{self, Outcome, Stop};
use runtime_contract::host::{Host, Observe};
use runtime_contract::pure::Facts;
use runtime_contract::request::{Kind, Request};
use runtime_contract::stack::Header;
use runtime_contract::value::{Memory, Phone, Value};
use runtime_contract::vault::Vault;
use runtime_contract::{Called, FlowProgram, ProgramMeta, Stack, Time, Type};

use crate::output::PlayItem;
use crate::request::play_item;

/// A flow laid out to begin.
#[derive(Clone, Debug, Default)]
pub(crate) struct Beside {
    pub stack: Stack,
    pub arena: Arena,
}

impl Beside {
    /// `None` when the values are not those of its parameters: nothing private is given to a queue.
    pub fn new(meta: &ProgramMeta, flow: u32, values: &[Value], caller: &Header) -> Option<Beside> {
        let mut beside = Beside::default();
        let types: Vec<&Type> = meta.flow(flow)?.parameters.iter().map(|parameter| &parameter.r#type).collect();
        let mut vault = Vault::default();
        let mut memory = Memory { meta, arena: &mut beside.arena, vault: &mut vault };
        let mut words = Vec::new();
        for (value, r#type) in values.iter().zip(&types) {
            words.extend(memory.words(value, r#type).ok()?);
        }
        let fits = values.len() == types.len() && vault.is_empty();
        beside.stack.header.language = caller.language;
        beside.stack.header.caller_number = caller.caller_number;
        beside.stack.header.called = caller.called;
        (fits && drive::enter(meta, &mut beside.stack, flow, &words)).then_some(beside)
    }
}

/// What an agent hears before he hears the caller of this queue, in the first language of the program: that of the house.
/// Of a flow that faults, what came before.
pub fn whisper(program: &dyn FlowProgram, queue: u32, facts: &Facts, now: Time) -> Vec<PlayItem> {
    let laid_out = || {
        let meta = program.meta();
        let queue = meta.queues.get(queue as usize)?;
        let values = facts.values(meta, queue.parameters.iter().map(|parameter| &parameter.r#type))?;
        let tagged = |word: Option<u64>| [u64::from(word.is_some()), word.unwrap_or(0)];
        let caller = Header {
            caller_number: tagged(facts.caller.map(Phone::word)),
            called: tagged(facts.called.map(Called::word)),
            ..Header::default()
        };
        Beside::new(meta, queue.whisper?, &values, &caller)
    };
    let (meta, laid_out) = (program.meta(), laid_out());
    let Some(Beside { mut stack, mut arena }) = laid_out else { return Vec::new() };
    let (mut items, mut outcome, mut vault) = (Vec::new(), Outcome::Start, Vault::default());
    loop {
        let observe = Observe::Live(&mut Vec::new());
        let mut host = Host { meta, arena: &mut arena, vault: &mut vault, observe, now };
        let Stop::Wait(site) = program.resume(&mut stack, &mut host, outcome) else { return items };
        let Some(request) = meta.request(site).filter(|request| request.kind() == Kind::Play) else { return items };
        let memory = Memory { meta, arena: &mut arena, vault: &mut vault };
        let heard = Request::prompts(request).iter().map(|item| play_item(&memory, &stack, item));
        match heard.collect::<Result<Vec<_>, _>>() {
            Ok(heard) => items.extend(heard),
            Err(_) => return items,
        }
        outcome = Outcome::Result(0);
    }
}
