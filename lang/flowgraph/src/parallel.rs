//! Work on each of many, on all cores. The answers are in the order of the list, so that nobody sees the threads.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread::{available_parallelism, scope};

/// Fewer are done sooner than a thread begins.
const PART_MIN: usize = 256;
const THREADS_MAX: usize = 8;

/// What `each` gives for an entry and its index.
pub fn map<T: Sync, A: Send>(list: &[T], each: impl Fn(usize, &T) -> A + Sync) -> Vec<A> {
    let mut entries: Vec<&T> = list.iter().collect();
    map_mut(&mut entries, |at, entry| each(at, entry))
}

pub fn map_mut<T: Send, A: Send>(list: &mut [T], each: impl Fn(usize, &mut T) -> A + Sync) -> Vec<A> {
    let threads = available_parallelism().map_or(1, NonZero::get).min(THREADS_MAX);
    let length = list.len().div_ceil(threads).max(PART_MIN);
    let work = |part: usize, entries: &mut [T]| -> Vec<A> {
        (part * length..).zip(entries).map(|(at, entry)| each(at, entry)).collect()
    };
    let work = &work;
    let mut parts = (0..).zip(list.chunks_mut(length));
    let Some((_, own)) = parts.next() else { return Vec::new() };
    scope(|scope| {
        let workers: Vec<_> = parts.map(|(part, entries)| scope.spawn(move || work(part, entries))).collect();
        let mut answers = work(0, own);
        for worker in workers {
            answers.extend(worker.join().unwrap_or_else(|cause| resume_unwind(cause)));
        }
        answers
    })
}

/// Both at once.
pub fn both<A: Send, B>(one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B) -> (A, B) {
    scope(|scope| {
        let one = scope.spawn(one);
        let other = other();
        (one.join().unwrap_or_else(|cause| resume_unwind(cause)), other)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_keep_the_order_whatever_the_length() {
        for length in [0, 1, PART_MIN, PART_MIN + 1, 3 * PART_MIN + 7, 20 * PART_MIN] {
            let list: Vec<usize> = (0..length).collect();
            let expected: Vec<usize> = list.iter().map(|entry| entry * 3).collect();
            assert_eq!(map(&list, |at, entry| at + 2 * entry), expected);
            let mut changed = list;
            assert_eq!(map_mut(&mut changed, |at, entry| std::mem::replace(entry, at * 3)).len(), length);
            assert_eq!(changed, expected);
        }
        assert_eq!(both(|| 1, || "two"), (1, "two"));
    }
}
