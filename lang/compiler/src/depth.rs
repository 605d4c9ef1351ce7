//! Room for deep flow files. Passes over nested text recurse; the deepest that the bounds of the syntax allow needs
//! more stack than a thread of somebody else's may have.

use lang_flowgraph::STACK_BYTES;

/// Does the work on a thread with enough stack, and waits for it. Where the system gives no thread, here.
pub(crate) fn with_room<T: Send>(work: impl Fn() -> T + Sync) -> T {
    let done = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("compiler".into()).stack_size(STACK_BYTES);
        let thread = thread.spawn_scoped(scope, &work).ok()?;
        Some(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    done.unwrap_or_else(work)
}
