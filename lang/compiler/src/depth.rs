//! Room for deep flow files. Passes over nested text recurse; the deepest that the bounds of the syntax allow needs
//! more stack than a thread of somebody else's may have.

/// Several times what the deepest expression and the deepest blocks need in a debug build.
const STACK_BYTES: usize = 64 << 20;

/// Does the work on a thread with enough stack, and waits for it. Where the system gives no thread, here.
pub(crate) fn with_room<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let mut work = Some(work);
    let mut done = None;
    std::thread::scope(|scope| {
        let run = || done = work.take().map(|work| work());
        let thread =
            std::thread::Builder::new().name("compiler".into()).stack_size(STACK_BYTES).spawn_scoped(scope, run);
        if let Ok(thread) = thread
            && let Err(panic) = thread.join()
        {
            std::panic::resume_unwind(panic);
        }
    });
    match (done, work) {
        (Some(done), _) => done,
        (None, Some(work)) => work(),
        (None, None) => unreachable!("the work was either done or is still there"),
    }
}
