//! Native code and interpreter do the same: random programs, random callers, compared at each stop.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests may stop at the first surprise, and read what the machine says"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use lang_codegen::Native;
use lang_flowgraph::Interpreted;
use lang_flowgraph::random::{Tally, every_type, play, program};
use runtime_contract::host::FaultKind;
use runtime_contract::request::TABLE;

const PROGRAMS: u64 = 900;
const CALLS: u64 = 14;
/// Least number of times that each request, type and fault must have occurred.
const OCCURRENCES_MIN: u32 = 500;

/// Replay one: `SEED=<program> cargo test -p lang-codegen --test differential`.
#[test]
fn native_code_does_what_the_interpreter_does() {
    let only: Option<u64> = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds = only.map_or(0..PROGRAMS, |seed| seed..seed + 1);
    let mut tally = Tally::default();
    for seed in seeds {
        let graph = Arc::new(program(seed).unwrap_or_else(|problems| panic!("SEED={seed}: {problems:#?}")));
        let native = Native::compile(graph.clone()).unwrap_or_else(|problem| panic!("SEED={seed}: {problem}"));
        let interpreted = Interpreted::new(graph).unwrap();
        for call in 0..CALLS {
            play(seed << 8 | call, &interpreted, &native, &mut tally)
                .unwrap_or_else(|difference| panic!("SEED={seed} call {call}: {difference}"));
        }
    }
    if only.is_none() {
        assert_occurred(&tally);
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
