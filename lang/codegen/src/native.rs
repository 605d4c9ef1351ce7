//! Machine code in memory, and calls into it and back out of it: the only unsafe code of the workspace.
#![allow(unsafe_code, reason = "machine code made at run time has no safe form; each block says why it is sound")]

use std::ffi::c_void;
use std::fmt;
use std::mem::{offset_of, transmute};
use std::panic::{AssertUnwindSafe, catch_unwind};

use lang_flowgraph::Verified;
use memmap2::{Mmap, MmapMut};
use runtime_contract::drive::{Exit, Outcome, Segments, Stop, drive};
use runtime_contract::host::{FaultKind, Host, HostCall};
use runtime_contract::program::{FlowProgram, ProgramMeta};
use runtime_contract::stack::{Header, Stack};

use crate::compile::{Change, CompileError, compile};

/// Threads that compile one program.
const THREADS: usize = 2;

/// What a segment is given beside its frame. Built for each run, never stored.
#[repr(C)]
struct Ctx {
    call: HostFunction,
    header: *mut Header,
    /// A `Host<'_>`.
    host: *mut c_void,
}

pub const CTX_CALL_AT: i32 = offset_of!(Ctx, call) as i32;
pub const CTX_HEADER_AT: i32 = offset_of!(Ctx, header) as i32;

/// Words of the room through which arguments go to a host call and results come back.
pub const HOST_WORDS: usize = 3;

type SegmentFunction = unsafe extern "C" fn(frame: *mut u64, ctx: *const Ctx, outcome: u32) -> u32;
type HostFunction = unsafe extern "C" fn(ctx: *const Ctx, call: u64, words: *mut u64) -> u32;

/// A program as machine code. Dropping the last one gives its memory back.
pub struct Native {
    graph: Verified,
    entries: Vec<Entry>,
    /// Holds what `entries` point into.
    _mapping: Mmap,
}

struct Entry {
    function: SegmentFunction,
    /// Of the segment's flow.
    frame_words: u32,
}

impl Native {
    /// No flow file leads to an error here; if one does, it is a bug of ours, and the
    /// version is refused with this text.
    pub fn compile(graph: Verified) -> Result<Native, CompileError> {
        Native::compile_on(graph, THREADS)
    }

    /// With this many threads, the caller's one included.
    pub fn compile_on(graph: Verified, threads: usize) -> Result<Native, CompileError> {
        Native::with(graph, threads, &|_, _| {})
    }

    /// `change` must keep the functions sound, so only this crate's tests have any.
    pub(crate) fn with(graph: Verified, threads: usize, change: Change<'_>) -> Result<Native, CompileError> {
        let compiled = compile(&graph.segments, threads, change)?;
        let mut code: Vec<u8> = Vec::new();
        let mut starts = Vec::with_capacity(compiled.len());
        for function in &compiled {
            code.resize(code.len().next_multiple_of(function.alignment), 0);
            starts.push(code.len());
            code.extend_from_slice(&function.bytes);
        }
        let mapping = map(&code).map_err(|error| CompileError(format!("cannot map machine code: {error}")))?;
        let entries = starts
            .into_iter()
            .zip(&graph.meta.segments)
            .map(|(start, flow)| {
                // SAFETY: `start` lies inside the mapping, which is readable and executable, at the first byte of
                // a function that Cranelift compiled for this machine with the signature of `SegmentFunction` and
                // the platform's C convention, at the alignment it asked for. The mapping lives in the same
                // `Native` and never moves.
                let function = unsafe { transmute::<*const u8, SegmentFunction>(mapping.as_ptr().add(start)) };
                Entry { function, frame_words: graph.meta.flow(*flow).map_or(u32::MAX, |flow| flow.frame_words) }
            })
            .collect();
        Ok(Native { graph, entries, _mapping: mapping })
    }
}

/// Written first, then made executable; never both at once.
fn map(code: &[u8]) -> std::io::Result<Mmap> {
    let mut mapping = MmapMut::map_anon(code.len().max(1))?;
    for (to, from) in mapping.iter_mut().zip(code) {
        *to = *from;
    }
    mapping.make_exec()
}

impl fmt::Debug for Native {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Native({}, {} segments)", self.graph.meta.graph_id.short(), self.entries.len())
    }
}

impl FlowProgram for Native {
    fn meta(&self) -> &ProgramMeta {
        &self.graph.meta
    }

    fn resume(&self, stack: &mut Stack, host: &mut Host<'_>, outcome: Outcome) -> Stop {
        drive(self, &self.graph.meta, stack, host, outcome)
    }
}

impl Segments for Native {
    fn run(&self, segment: u32, stack: &mut Stack, host: &mut Host<'_>, outcome: u32) -> Exit {
        let frame = stack.words.get_mut(stack.header.base as usize..);
        let (Some(entry), Some(frame)) = (self.entries.get(segment as usize), frame) else { return lost(stack) };
        if frame.len() < entry.frame_words as usize {
            return lost(stack);
        }
        let ctx = Ctx { call: host_call, header: &raw mut stack.header, host: (&raw mut *host).cast() };
        // SAFETY: the code was made from a verified graph (INVARIANT verified), so it touches the frame only
        // below `frame_words`, which was just checked, and the header only at its fields. `ctx`, header, words
        // and host outlive the call and nobody else uses them meanwhile; header and words do not overlap, and a
        // host call reaches neither. It returns (INVARIANT acyclic, plain code) and never unwinds.
        Exit(unsafe { (entry.function)(frame.as_mut_ptr(), &raw const ctx, outcome) })
    }
}

/// The stack is not one of this program.
#[cold]
fn lost(stack: &mut Stack) -> Exit {
    stack.header.fault = FaultKind::Host as u32;
    Exit::new(Exit::FAULT, 0)
}

/// Called by machine code: 0, or the number of the fault.
///
/// # Safety
/// `ctx` is the one that the running segment was given; `words` are [`HOST_WORDS`] words of that segment's own.
unsafe extern "C" fn host_call(ctx: *const Ctx, call: u64, words: *mut u64) -> u32 {
    let called = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: see above. The segment does not touch its words until this returns. The host behind `ctx` is
        // borrowed mutably by `run` for the whole run, and is handed out only here, one call at a time; that its
        // lifetime was forgotten does no harm, because nothing of it leaves this function.
        let (host, words) = unsafe { (&mut *(*ctx).host.cast::<Host<'_>>(), &mut *words.cast::<[u64; HOST_WORDS]>()) };
        let call = HostCall::from_number(call as u32).ok_or(FaultKind::Host)?;
        let arguments = *words;
        host.call(call, &arguments, words)
    }));
    match called {
        Ok(Ok(())) => 0,
        Ok(Err(kind)) => kind as u32,
        Err(_) => FaultKind::Host as u32,
    }
}
