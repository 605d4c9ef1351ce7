//! One step of compiled code (an outcome in, the next request out) against the same flow as a Rust `match`, as
//! bytecode of a register machine, and in LuaJIT. All go through the same 1 000 calls with the same outcomes, in
//! turn, several rounds; the figure of each is its median round, the ratio is of medians.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a benchmark may stop at the first surprise"
)]

mod flow;
mod lua;
mod machine;
mod rust;

use std::sync::Arc;
use std::time::Instant;

use lang_codegen::Native;
use lang_flowgraph::interpreter::Interpreted;
use runtime_contract::arena::Arena;
use runtime_contract::host::{Host, Observe};
use runtime_contract::vault::Vault;
use runtime_contract::{FlowProgram, Outcome, Stack, Stop, Time, enter};

const CALLS: usize = 1_000;
const STEPS: usize = 2_000_000;
const ROUNDS: usize = 7;

fn main() {
    let outcomes = flow::outcomes();
    let graph = Arc::new(flow::graph());
    let native = Native::compile(Arc::clone(&graph)).expect("the flow compiles");
    let interpreted = Interpreted::new(Arc::clone(&graph));
    let bytecode = machine::Machine::new(&graph);
    let expected = rust::run(&outcomes, CALLS, STEPS / 10);
    for (name, program) in
        [("native", &native as &dyn FlowProgram), ("interpreter", &interpreted), ("bytecode", &bytecode)]
    {
        assert_eq!(programs(program, &outcomes, STEPS / 10), expected, "{name} and Rust must do the same");
    }
    let mut native_ns = Vec::new();
    let mut rust_ns = Vec::new();
    let mut machine_ns = Vec::new();
    let mut interpreter_ns = Vec::new();
    let mut lua_ns = Vec::new();
    for _ in 0..ROUNDS {
        native_ns.push(time(|| programs(&native, &outcomes, STEPS)));
        rust_ns.push(time(|| rust::run(&outcomes, CALLS, STEPS)));
        machine_ns.push(time(|| programs(&bytecode, &outcomes, STEPS)));
        interpreter_ns.push(time(|| programs(&interpreted, &outcomes, STEPS)));
        lua_ns.extend(lua::nanoseconds(CALLS, STEPS));
    }
    let native = median(&native_ns);
    println!("{:<28} {:>8} {:>17} {:>9}", "", "ns/step", "spread", "ratio");
    for (name, rounds) in [
        ("native", &native_ns),
        ("Rust match", &rust_ns),
        ("register bytecode machine", &machine_ns),
        ("interpreter over the graph", &interpreter_ns),
        ("LuaJIT", &lua_ns),
    ] {
        if rounds.is_empty() {
            println!("{name:<28} {:>8}", "not here");
            continue;
        }
        let (low, high) =
            (rounds.iter().fold(f64::MAX, |a, b| a.min(*b)), rounds.iter().fold(0.0, |a: f64, b| a.max(*b)));
        println!("{name:<28} {:>8.1} {low:>8.1}–{high:<8.1} {:>8.2}x", median(rounds), median(rounds) / native);
    }
    println!("\nmark: native at most 1.2 times Rust: {:.2}", native / median(&rust_ns));
}

fn time<T>(work: impl FnOnce() -> T) -> f64 {
    let begun = Instant::now();
    std::hint::black_box(work());
    begun.elapsed().as_nanos() as f64 / STEPS as f64
}

fn median(rounds: &[f64]) -> f64 {
    let mut sorted = rounds.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// Steps all calls in turn; gives a sum over the sites they came to.
fn programs(program: &dyn FlowProgram, outcomes: &[u8], steps: usize) -> u64 {
    let meta = program.meta();
    let mut arena = Arena::default();
    let mut vault = Vault::default();
    let mut observed = Vec::new();
    let mut stacks: Vec<Stack> = (0..CALLS).map(|_| Stack::default()).collect();
    let mut sum = 0;
    for stack in &mut stacks {
        assert!(enter(meta, stack, 0, &[]));
        let mut host =
            Host { meta, arena: &mut arena, vault: &mut vault, observe: Observe::Live(&mut observed), now: Time(0) };
        program.resume(stack, &mut host, Outcome::Start);
    }
    for step in 0..steps {
        let stack = &mut stacks[flow::call(step, CALLS)];
        stack.header.requests = 0;
        let mut host =
            Host { meta, arena: &mut arena, vault: &mut vault, observe: Observe::Live(&mut observed), now: Time(0) };
        let outcome = Outcome::Result(u32::from(outcomes[step % outcomes.len()]));
        match program.resume(stack, &mut host, outcome) {
            Stop::Wait(site) => sum += u64::from(site.0),
            Stop::Done(_) => panic!("the flow never ends"),
        }
    }
    sum
}
