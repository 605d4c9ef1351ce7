//! Native code and interpreter do the same: random programs, random callers, compared at each stop.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests may stop at the first surprise, and read what the machine says"
)]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use lang_codegen::Native;
use lang_flowgraph::Interpreted;
use lang_flowgraph::random::{Tally, every_type, play, program};
use runtime_contract::host::FaultKind;
use runtime_contract::request::TABLE;

const PROGRAMS: u64 = 20_000;
const CALLS: u64 = 4;
/// Least number of times that each request, type and fault must have occurred.
const OCCURRENCES_MIN: u32 = 500;

/// Replay one: `SEED=<program> cargo test -p lang-codegen --test differential`. More of them:
/// `PROGRAMS=100000 cargo test --release -p lang-codegen --test differential`.
#[test]
fn native_code_does_what_the_interpreter_does() {
    let number = |name| std::env::var(name).ok().and_then(|number: String| number.parse::<u64>().ok());
    let only = number("SEED");
    let seeds = only.map_or(0..number("PROGRAMS").unwrap_or(PROGRAMS), |seed| seed..seed + 1);
    let next = AtomicU64::new(seeds.start);
    let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get());
    let tally = std::thread::scope(|scope| {
        let work = || {
            let mut tally = Tally::default();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if !seeds.contains(&seed) {
                    return tally;
                }
                compare(seed, &mut tally);
            }
        };
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).reduce(Tally::plus).unwrap()
    });
    if only.is_none() {
        assert_occurred(&tally);
    }
}

fn compare(seed: u64, tally: &mut Tally) {
    let graph = program(seed).unwrap_or_else(|problems| panic!("SEED={seed}: {problems:#?}"));
    let native = Native::compile(graph.clone()).unwrap_or_else(|problem| panic!("SEED={seed}: {problem}"));
    let interpreted = Interpreted::new(graph);
    for call in 0..CALLS {
        play(seed << 8 | call, &interpreted, &native, tally)
            .unwrap_or_else(|difference| panic!("SEED={seed} call {call}: {difference}"));
    }
}

fn assert_occurred(tally: &Tally) {
    let mut faults = tally.faults.clone();
    for (kind, count) in &tally.driver_faults {
        *faults.entry(kind.clone()).or_default() += count;
    }
    let kind_of = |name: String| name.split('(').next().unwrap().to_owned();
    let types: Vec<String> = every_type().iter().map(|r#type| kind_of(format!("{type:?}"))).collect();
    let requests = TABLE.iter().map(|row| row.name.to_owned()).collect();
    let kinds = FaultKind::of_programs().iter().map(|kind| kind.name().to_owned()).collect();
    let tables: [(&BTreeMap<String, u32>, Vec<String>); 4] =
        [(&tally.requests, requests), (&tally.arguments, types.clone()), (&tally.payloads, types), (&faults, kinds)];
    let mut rare = Vec::new();
    for (seen, wanted) in tables {
        for name in wanted {
            let count = seen.get(&name).copied().unwrap_or(0);
            println!("{name}: {count}");
            if count < OCCURRENCES_MIN {
                rare.push(format!("{name} occurred {count} times"));
            }
        }
    }
    assert!(rare.is_empty(), "{rare:#?}");
}
