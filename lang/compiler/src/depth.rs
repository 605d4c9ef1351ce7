//! Room for deep flow files. Passes over nested text recurse; the deepest that the bounds of the syntax allow needs
//! more stack than a thread of somebody else's may have.

use std::cell::Cell;
use std::panic::resume_unwind;
use std::thread::{Builder, scope};

use lang_flowgraph::STACK_BYTES;

thread_local! {
    static HAS_ROOM: Cell<bool> = const { Cell::new(false) };
}

/// Does the work on a thread with enough stack, and waits for it: on this one when it has enough, or where the system
/// gives no other. Who compiles again and again does it all in here, and so on one thread.
pub fn with_room<T: Send>(work: impl Fn() -> T + Sync) -> T {
    if HAS_ROOM.get() {
        return work();
    }
    let done = scope(|scope| {
        let with_stack = || {
            HAS_ROOM.set(true);
            work()
        };
        let thread = Builder::new().name("compiler".into()).stack_size(STACK_BYTES);
        let thread = thread.spawn_scoped(scope, with_stack).ok()?;
        Some(thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
    });
    done.unwrap_or_else(work)
}
