//! A version that is dropped gives all of its memory back.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests may stop at the first surprise, and read what the machine says"
)]

use lang_codegen::Native;
use lang_flowgraph::random::program;

const CYCLES: usize = 1_000;
/// What an allocator may keep for itself, in pages of 4 KiB. One leaked page a cycle would be 1 000.
const PAGES_KEPT_MAX: i64 = 300;

/// Pages that the process has mapped, and those that are resident.
fn pages() -> [i64; 2] {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let mut numbers = text.split(' ').map(|number| number.parse().unwrap());
    [numbers.next().unwrap(), numbers.next().unwrap()]
}

fn executable_mappings() -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    maps.lines().filter(|line| line.contains("r-xp 00000000 00:00 0")).count()
}

#[test]
fn a_thousand_versions_leave_memory_flat() {
    let graph = program(3).unwrap();
    let compile = || drop(Native::compile_on(graph.clone(), 1).unwrap());
    (0..20).for_each(|_| compile());
    let (before, mappings) = (pages(), executable_mappings());
    (0..CYCLES).for_each(|_| compile());
    let after = pages();
    for (before, after) in before.into_iter().zip(after) {
        assert!(after - before < PAGES_KEPT_MAX, "{before} pages, then {after}");
    }
    assert_eq!(executable_mappings(), mappings);
    let _kept = Native::compile_on(graph, 1).unwrap();
    assert_eq!(executable_mappings(), mappings + 1, "one mapping per version");
}
