//! The one loop that runs segments, for native code and interpreter alike: it pushes and pops frames, counts
//! fuel, moves payloads, unwinds faults and runs `finally`. It does not know what a segment does.

use crate::arena::Arena;
use crate::host::{FaultKind, Host};
use crate::limits::{ARENA_COMPACT_BYTES, FUEL_STEP_MAX, REQUESTS_MAX, RUN_DEPTH_MAX};
use crate::program::{ProgramMeta, SiteId, SiteInfo, SiteKind};
use crate::stack::{FRAME_HEADER_WORDS, Phase, RESULT_AT, Stack};
use crate::types::{Class, Type};

/// How a segment ended: one of the codes below in the low byte, its operand above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit(pub u32);

impl Exit {
    /// Operand: site. Its arguments lie in the mailbox.
    pub const WAIT: u32 = 0;
    /// Operand: segment.
    pub const CONTINUE: u32 = 1;
    /// Operand: a `run` site. The callee's arguments lie in the mailbox.
    pub const CALL: u32 = 2;
    /// Operand: tag of the result (its variant, or 0). The result lies in the result slots.
    pub const RETURN: u32 = 3;
    /// End of a `fault` or `finally` block.
    pub const END: u32 = 4;
    /// Operand: index in `fault_places`. The kind is in `header.fault`.
    pub const FAULT: u32 = 5;

    pub const OPERAND_MAX: u32 = (1 << 24) - 1;

    pub fn new(code: u32, operand: u32) -> Exit {
        Exit(code | operand << 8)
    }

    fn parts(self) -> (u32, u32) {
        (self.0 & 0xff, self.0 >> 8)
    }
}

/// An engine: runs one segment of the graph on the frame at `stack.header.base`.
pub trait Segments {
    fn run(&self, segment: u32, stack: &mut Stack, host: &mut Host<'_>, outcome: u32) -> Exit;
}

/// What became of the request at which a stack waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing yet: begin the flow that [`enter`] laid out.
    Start,
    /// Outcome of that index; its payload is in the mailbox (see [`crate::reply`]).
    Result(u32),
    /// The caller is gone, or the flow ended the call (`hang up`, `reject`).
    Gone,
    Fault(FaultKind),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    Wait(SiteId),
    Done(End),
}

/// How an activation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The top flow returned, with the tag of its result.
    Returned(u32),
    Gone,
    Fault(FaultKind),
}

/// A fault that happened, for journal and counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faulted {
    pub kind: FaultKind,
    /// Site at which the frame had waited last.
    pub site: SiteId,
    /// Index in `fault_places`, when a segment reported it.
    pub place: Option<u32>,
}

/// Lays out the base frame of a flow. `arguments` are the slot words of its parameters. False when the frame
/// does not fit.
pub fn enter(meta: &ProgramMeta, stack: &mut Stack, flow: u32, arguments: &[u64]) -> bool {
    let Some(info) = meta.flow(flow) else { return false };
    stack.words.clear();
    stack.header.base = 0;
    stack.header.depth = 1;
    stack.header.graph_tag = graph_tag(meta);
    if !stack.grow(0, info.frame_words) {
        return false;
    }
    stack.set_slot(1, u64::from(flow) << 32);
    let first = RESULT_AT as usize + result_words(meta, flow);
    copy_words(arguments, stack.frame_mut(), first);
    true
}

/// First eight bytes of the graph id.
pub fn graph_tag(meta: &ProgramMeta) -> u64 {
    meta.graph_id.0.iter().take(8).fold(0, |tag, byte| tag << 8 | u64::from(*byte))
}

/// Slots of a flow's result.
pub fn result_words(meta: &ProgramMeta, flow: u32) -> usize {
    meta.flow(flow).and_then(|f| f.result.as_ref()).map_or(0, |r| meta.types.width(r))
}

/// Runs to the next wait or the end.
pub fn drive<E: Segments>(
    engine: &E,
    meta: &ProgramMeta,
    stack: &mut Stack,
    host: &mut Host<'_>,
    outcome: Outcome,
) -> Stop {
    stack.header.fuel = FUEL_STEP_MAX;
    let mut driver = Driver { meta, stack };
    let mut step = driver.begin(outcome);
    loop {
        let (segment, outcome) = match step {
            Step::Stop(stop) => return stop,
            Step::Run(segment, outcome) => (segment, outcome),
        };
        let exit = engine.run(segment, driver.stack, host, outcome);
        step = match exit.parts() {
            (Exit::WAIT, site) if driver.can_wait(SiteId(site), host) => return Stop::Wait(SiteId(site)),
            _ => driver.after(exit),
        };
    }
}

enum Step {
    Run(u32, u32),
    Stop(Stop),
}

struct Driver<'a> {
    meta: &'a ProgramMeta,
    stack: &'a mut Stack,
}

impl Driver<'_> {
    #[inline]
    fn begin(&mut self, outcome: Outcome) -> Step {
        match outcome {
            Outcome::Start => match self.meta.flow(self.stack.flow()) {
                Some(flow) => Step::Run(flow.entry_segment, 0),
                None => self.fault(FaultKind::Host, None),
            },
            Outcome::Result(outcome) => {
                let (site, segment) = self.stack.waits();
                match self.meta.site(site) {
                    Some(site) if (outcome as usize) < site.payloads.len() => Step::Run(segment, outcome),
                    _ => self.fault(FaultKind::Host, None),
                }
            }
            Outcome::Gone => match self.stack.phase() {
                Phase::Finally => self.pop(self.stack.exit()),
                _ => self.gone(),
            },
            Outcome::Fault(kind) => self.fault(kind, None),
        }
    }

    fn after(&mut self, exit: Exit) -> Step {
        let (code, operand) = exit.parts();
        match code {
            Exit::WAIT => self.fault(FaultKind::Requests, None),
            Exit::CONTINUE if (operand as usize) < self.meta.segments.len() => match self.burn() {
                true => Step::Run(operand, 0),
                false => self.fault(FaultKind::Fuel, None),
            },
            Exit::CALL => self.call(SiteId(operand)),
            Exit::RETURN => self.leave(RETURNED | operand),
            Exit::END => match self.stack.phase() {
                Phase::Finally => self.pop(self.stack.exit()),
                _ => self.leave(GONE),
            },
            Exit::FAULT => self.fault(FaultKind::from_number(self.stack.header.fault), Some(operand)),
            _ => self.fault(FaultKind::Host, None),
        }
    }

    /// False when the activation has made all its requests.
    #[inline]
    fn can_wait(&mut self, site: SiteId, host: &mut Host<'_>) -> bool {
        self.set_site(site);
        if self.stack.header.requests >= REQUESTS_MAX {
            return false;
        }
        self.stack.header.requests += 1;
        host.arena.drop_open();
        if host.arena.bytes() > ARENA_COMPACT_BYTES {
            compact(self.meta, self.stack, host.arena);
        }
        true
    }

    fn call(&mut self, site: SiteId) -> Step {
        self.set_site(site);
        let Some((flow, callee)) = self.meta.site(site).and_then(|info| match info.kind {
            SiteKind::Run { flow } => Some((flow, self.meta.flow(flow)?)),
            SiteKind::Request(_) => None,
        }) else {
            return self.fault(FaultKind::Host, None);
        };
        if !self.burn() {
            return self.fault(FaultKind::Fuel, None);
        }
        let caller_base = self.stack.header.base;
        let (caller_words, mailbox) =
            self.meta.flow(self.stack.flow()).map_or((0, 0), |caller| (caller.frame_words, caller.mailbox_at));
        let base = caller_base + caller_words;
        if self.stack.header.depth as usize >= RUN_DEPTH_MAX || !self.stack.grow(base, callee.frame_words) {
            return self.fault(FaultKind::StackGuard, None);
        }
        let parameters: usize = callee.parameters.iter().map(|p| self.meta.types.width(&p.r#type)).sum();
        let first = RESULT_AT as usize + result_words(self.meta, flow);
        let (below, frame) = self.stack.words.split_at_mut(base as usize);
        let frame = frame.get_mut(..callee.frame_words as usize).unwrap_or_default();
        frame.fill(0);
        let from = caller_base as usize + mailbox as usize;
        copy_words(below.get(from..from + parameters).unwrap_or_default(), frame, first);
        self.stack.header.base = base;
        self.stack.header.depth += 1;
        self.stack.set_slot(1, u64::from(flow) << 32 | u64::from(caller_base));
        Step::Run(callee.entry_segment, 0)
    }

    /// The frame is to end; its `finally` comes first, once.
    fn leave(&mut self, exit: u32) -> Step {
        let finally = self.meta.flow(self.stack.flow()).and_then(|flow| flow.finally_segment);
        match (finally, self.stack.phase()) {
            (Some(segment), Phase::Body | Phase::Fault) => {
                self.stack.set_phase(Phase::Finally, exit);
                Step::Run(segment, 0)
            }
            _ => self.pop(exit),
        }
    }

    /// The caller is gone, or the flow that was run ended for that.
    fn gone(&mut self) -> Step {
        let body = self.stack.phase() == Phase::Body;
        let site = self.meta.site(self.stack.site()).filter(|_| body);
        match site.and_then(|site| self.meta.outcome_of_gone(site)) {
            Some(outcome) => self.begin(Outcome::Result(outcome)),
            None => self.leave(GONE),
        }
    }

    fn pop(&mut self, exit: u32) -> Step {
        if self.stack.header.depth <= 1 {
            return Step::Stop(Stop::Done(match exit {
                GONE => End::Gone,
                exit if exit & RETURNED != 0 => End::Returned(exit & !RETURNED),
                kind => End::Fault(FaultKind::from_number(kind)),
            }));
        }
        let callee_base = self.stack.header.base as usize;
        let result = result_words(self.meta, self.stack.flow());
        self.stack.header.base = self.stack.caller_base();
        self.stack.header.depth -= 1;
        match exit {
            GONE => self.gone(),
            exit if exit & RETURNED != 0 => {
                let mailbox = self.meta.flow(self.stack.flow()).map_or(0, |flow| flow.mailbox_at);
                let to = self.stack.header.base as usize + mailbox as usize;
                let from = callee_base + RESULT_AT as usize;
                if from + result <= self.stack.words.len() && to + result <= callee_base {
                    self.stack.words.copy_within(from..from + result, to);
                }
                self.begin(Outcome::Result(exit & !RETURNED))
            }
            kind => self.fault(FaultKind::from_number(kind), None),
        }
    }

    /// Each fault moves its frame's phase on, so unwinding ends; fuel is given anew for what runs then.
    #[cold]
    fn fault(&mut self, kind: FaultKind, place: Option<u32>) -> Step {
        self.stack.faults.push(Faulted { kind, site: self.stack.site(), place });
        self.stack.header.fuel = FUEL_STEP_MAX;
        let handler = self.meta.flow(self.stack.flow()).and_then(|flow| flow.fault_segment);
        match (self.stack.phase(), handler) {
            (Phase::Body, Some(segment)) => {
                self.stack.set_phase(Phase::Fault, kind as u32);
                Step::Run(segment, 0)
            }
            (Phase::Finally, _) => self.pop(kind as u32),
            _ => self.leave(kind as u32),
        }
    }

    #[inline]
    fn burn(&mut self) -> bool {
        self.stack.header.fuel -= 1;
        self.stack.header.fuel >= 0
    }

    #[inline]
    fn set_site(&mut self, site: SiteId) {
        let resume = self.meta.site(site).map_or(u32::MAX, |site| site.resume);
        self.stack.set_slot(0, u64::from(site.0) << 32 | u64::from(resume));
    }
}

/// How a frame ends, as its header keeps it while `finally` runs: gone, a fault's number, or a tag.
const GONE: u32 = 0;
const RETURNED: u32 = 1 << 31;

fn copy_words(from: &[u64], to: &mut [u64], at: usize) {
    for (to, from) in to.iter_mut().skip(at).zip(from) {
        *to = *from;
    }
}

/// The slots of values one after the other, from a word of the stack.
fn slots<'t>(meta: &ProgramMeta, types: impl Iterator<Item = &'t Type>, from: u32) -> Vec<(u32, Class)> {
    let classes = types.flat_map(|r#type| meta.types.slots(r#type));
    (from..).zip(classes).collect()
}

fn compact(meta: &ProgramMeta, stack: &mut Stack, arena: &mut Arena) {
    let mut live: Vec<(u32, Class)> = Vec::new();
    let top = stack.header.base;
    for (base, site) in frames(meta, stack) {
        let mailbox = meta.flow(site.flow).map_or(FRAME_HEADER_WORDS, |flow| flow.mailbox_at);
        live.extend(site.live.iter().map(|slot| (base + slot.slot, slot.class)));
        if base == top {
            live.extend(slots(meta, site.arguments.iter(), base + mailbox));
        }
        if let Some(flow) = meta.flow(site.flow) {
            live.extend(slots(meta, flow.result.iter(), base + RESULT_AT));
        }
    }
    live.retain(|(_, class)| matches!(class, Class::Text | Class::List));
    live.sort_unstable_by_key(|(at, _)| *at);
    live.dedup_by_key(|(at, _)| *at);
    let mut live = live.into_iter().peekable();
    let words = stack.words.iter_mut().zip(0u32..);
    arena.compact(words.filter_map(|(word, at)| live.next_if(|(live, _)| *live == at).map(|(_, class)| (class, word))));
}

/// Frames from the running one down: first word and the site at which each waits.
pub fn frames<'m>(meta: &'m ProgramMeta, stack: &Stack) -> Vec<(u32, &'m SiteInfo)> {
    let mut found = Vec::new();
    let mut base = stack.header.base;
    for _ in 0..stack.header.depth {
        let word = |at: u32| stack.words.get((base + at) as usize).copied().unwrap_or(0);
        if let Some(site) = meta.site(SiteId((word(0) >> 32) as u32)) {
            found.push((base, site));
        }
        base = word(1) as u32;
    }
    found
}
