//! Segments to bytes, on two threads. Whatever goes wrong inside the compiler refuses the version and says why.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use cranelift_codegen::Context;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::Function;
use cranelift_codegen::isa::{OwnedTargetIsa, TargetIsa, lookup_by_name};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_frontend::FunctionBuilderContext;
use lang_flowgraph::graph::Segment;

use crate::clif::graph_to_clif;

/// Segments that one thread takes at a time.
const CHUNK: usize = 32;

/// Why a graph has no machine code, for the report of a refused version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompileError(pub String);

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no machine code: {}", self.0)
    }
}

impl std::error::Error for CompileError {}

/// Changes a function between lowering and compiling; tests do so to see that a wrong one is noticed.
pub type Change<'c> = &'c (dyn Fn(u32, &mut Function) + Sync);

/// Machine code of one segment: position independent, without relocations or traps.
pub struct Compiled {
    pub bytes: Vec<u8>,
    pub alignment: usize,
}

/// Every segment, in order.
pub fn compile(segments: &[Segment], threads: usize, change: Change<'_>) -> Result<Vec<Compiled>, CompileError> {
    let isa = host_isa()?;
    let isa = isa.as_ref();
    let chunks: Vec<(usize, &[Segment])> = segments.chunks(CHUNK).enumerate().collect();
    let mine = |thread: usize| chunks.iter().skip(thread).step_by(threads.max(1));
    let work = |thread: usize| -> Result<Vec<(usize, Vec<Compiled>)>, CompileError> {
        let mut compiler = Compiler::new(isa, change);
        mine(thread).map(|(at, chunk)| Ok((*at, compiler.chunk(at * CHUNK, chunk)?))).collect()
    };
    let helpers = threads.min(chunks.len()).max(1) - 1;
    let mut done: Vec<(usize, Vec<Compiled>)> = thread::scope(|scope| {
        let work = &work;
        let handles: Vec<_> = (1..=helpers).map(|thread| scope.spawn(move || work(thread))).collect();
        let mut done = work(0)?;
        for handle in handles {
            done.extend(handle.join().unwrap_or_else(|panic| Err(panicked("a thread", &panic)))?);
        }
        Ok(done)
    })?;
    done.sort_by_key(|(at, _)| *at);
    Ok(done.into_iter().flat_map(|(_, compiled)| compiled).collect())
}

fn panicked(place: &str, panic: &Box<dyn Any + Send>) -> CompileError {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    CompileError(format!("{place}: {}", text.unwrap_or("the compiler stopped")))
}

/// The machine that this runs on, without optional instructions, so that code may be kept for another like it.
fn host_isa() -> Result<OwnedTargetIsa, CompileError> {
    let target = format!("{}-unknown-{}", std::env::consts::ARCH, std::env::consts::OS);
    let refused = |problem: &dyn fmt::Display| CompileError(format!("target {target}: {problem}"));
    let mut flags = settings::builder();
    let verifier = if cfg!(debug_assertions) { "true" } else { "false" };
    let values = [
        ("opt_level", "speed"),
        ("enable_verifier", verifier),
        ("unwind_info", "false"),
        // The only tables are those of outcomes, which come from the driver, and no secret lies beside them.
        ("enable_table_access_spectre_mitigation", "false"),
    ];
    for (name, value) in values {
        flags.set(name, value).map_err(|problem| refused(&problem))?;
    }
    let builder = lookup_by_name(&target).map_err(|problem| refused(&problem))?;
    builder.finish(settings::Flags::new(flags)).map_err(|problem| refused(&problem))
}

/// What one thread keeps from segment to segment.
struct Compiler<'i> {
    isa: &'i dyn TargetIsa,
    context: Context,
    builder_context: FunctionBuilderContext,
    change: Change<'i>,
}

impl<'i> Compiler<'i> {
    fn new(isa: &'i dyn TargetIsa, change: Change<'i>) -> Self {
        Compiler { isa, context: Context::new(), builder_context: FunctionBuilderContext::new(), change }
    }

    fn chunk(&mut self, first: usize, segments: &[Segment]) -> Result<Vec<Compiled>, CompileError> {
        (first..)
            .zip(segments)
            .map(|(id, segment)| {
                let compiled = catch_unwind(AssertUnwindSafe(|| self.segment(id as u32, segment)));
                compiled.unwrap_or_else(|panic| Err(panicked(&format!("segment {id}"), &panic)))
            })
            .collect()
    }

    fn segment(&mut self, id: u32, segment: &Segment) -> Result<Compiled, CompileError> {
        self.context.clear();
        graph_to_clif(segment, self.isa.frontend_config(), &mut self.context.func, &mut self.builder_context);
        (self.change)(id, &mut self.context.func);
        let compiled = self
            .context
            .compile(self.isa, &mut ControlPlane::default())
            .map_err(|error| CompileError(format!("segment {id}: {}", error.inner)))?;
        // INVARIANT (plain code): it can be put anywhere, and runs to its end.
        if !compiled.buffer.relocs().is_empty() || !compiled.buffer.traps().is_empty() {
            return Err(CompileError(format!("segment {id}: its code needs relocations or may trap")));
        }
        let alignment = compiled.buffer.alignment.max(16) as usize;
        Ok(Compiled { bytes: compiled.code_buffer().to_vec(), alignment })
    }
}
