//! Work on each of many, on all cores. The answers are in the order of the list, so that nobody sees the threads.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread::{Builder, available_parallelism, scope};

/// Stack of a thread that compiles: several times what the deepest blocks and expressions that the syntax allows need in
/// a debug build.
pub const STACK_BYTES: usize = 64 << 20;
const THREADS_MAX: usize = 8;

/// What `each` gives for an entry and its index. A thread takes `grain` entries at a time.
pub fn map<T: Sync, A: Send>(list: &[T], grain: usize, each: impl Fn(usize, &T) -> A + Sync) -> Vec<A> {
    let mut entries: Vec<&T> = list.iter().collect();
    map_mut(&mut entries, grain, |at, entry| each(at, entry))
}

pub fn map_mut<T: Send, A: Send>(list: &mut [T], grain: usize, each: impl Fn(usize, &mut T) -> A + Sync) -> Vec<A> {
    let grain = grain.max(1);
    let parts = list.len().div_ceil(grain);
    let threads = available_parallelism().map_or(1, NonZero::get).min(THREADS_MAX).min(parts);
    let open = Mutex::new((0..).zip(list.chunks_mut(grain)));
    let next = || open.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || -> Vec<(usize, Vec<A>)> {
        std::iter::from_fn(next)
            .map(|(part, entries)| (part, (part * grain..).zip(entries).map(|(at, entry)| each(at, entry)).collect()))
            .collect()
    };
    let mut answers = scope(|scope| {
        // A thread that the system does not give leaves its work to the others.
        let start = |_| Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work).ok();
        let workers: Vec<_> = (1..threads).filter_map(start).collect();
        let mut answers = work();
        for worker in workers {
            answers.extend(worker.join().unwrap_or_else(|cause| resume_unwind(cause)));
        }
        answers
    });
    answers.sort_unstable_by_key(|(part, _)| *part);
    answers.into_iter().flat_map(|(_, answers)| answers).collect()
}

/// Both at once; one after the other where the system gives no thread.
pub fn both<A: Send, B>(one: impl Fn() -> A + Sync, other: impl FnOnce() -> B) -> (A, B) {
    scope(|scope| {
        let worker = Builder::new().spawn_scoped(scope, &one).ok();
        let other = other();
        let one = match worker {
            Some(worker) => worker.join().unwrap_or_else(|cause| resume_unwind(cause)),
            None => one(),
        };
        (one, other)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_keep_the_order_whatever_the_length() {
        for length in [0, 1, 7, 8, 9, 24, 1000] {
            let list: Vec<usize> = (0..length).collect();
            let expected: Vec<usize> = list.iter().map(|entry| entry * 3).collect();
            assert_eq!(map(&list, 8, |at, entry| at + 2 * entry), expected);
            let mut changed = list;
            assert_eq!(map_mut(&mut changed, 8, |at, entry| std::mem::replace(entry, at * 3)).len(), length);
            assert_eq!(changed, expected);
        }
        assert_eq!(both(|| 1, || "two"), (1, "two"));
    }
}
