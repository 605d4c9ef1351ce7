//! One step of compiled code (an outcome in, the next request out) against the same flow as a Rust `match`, as
//! bytecode of a register machine, and in LuaJIT. Time is CPU time of the thread. All go through the same 1 000 calls with the same outcomes, in
//! turn, several rounds; the figure of each is its median round, the ratio is of medians.
//!
//! `cargo bench -p lang-codegen --bench step`; with the name of one engine it runs that one alone, for a profiler.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a benchmark may stop at the first surprise"
)]

mod flow;
mod lua;
mod machine;
mod rust;

use std::sync::OnceLock;
use std::time::Instant;

use flow::{CALLS, Turn};
use lang_codegen::Native;
use lang_flowgraph::interpreter::Interpreted;
use runtime_contract::arena::Arena;
use runtime_contract::host::{Host, Observe};
use runtime_contract::vault::Vault;
use runtime_contract::{FlowProgram, Outcome, SiteId, Stack, Stop, Time, enter};

const STEPS: usize = 2_000_000;
const ROUNDS: usize = 7;

/// An engine, and one round of it: nanoseconds a step.
struct Engine<'a> {
    name: &'static str,
    round: Box<dyn Fn() -> Option<f64> + 'a>,
    rounds: Vec<f64>,
}

fn main() {
    let turns = flow::turns();
    let graph = flow::graph();
    let native = Native::compile(graph.clone()).expect("the flow compiles");
    let interpreted = Interpreted::new(graph.clone());
    let bytecode = machine::Machine::new(&graph);
    expect_equal_work(&turns, &[("native", &native), ("interpreter", &interpreted), ("bytecode", &bytecode)]);
    let program = |program: &'_ dyn FlowProgram| time(|| programs(program, &turns, STEPS, |site| u64::from(site.0)));
    let mut engines = [
        engine("native", || program(&native)),
        engine("Rust match", || time(|| rust::run(&turns, STEPS))),
        engine("register bytecode machine", || program(&bytecode)),
        engine("interpreter over the graph", || program(&interpreted)),
        engine("LuaJIT", || lua::run(STEPS).map(|(nanoseconds, _)| nanoseconds)),
    ];
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    for _ in 0..ROUNDS {
        for engine in engines.iter_mut().filter(|engine| words.is_empty() || words.iter().any(|w| w == engine.name)) {
            engine.rounds.extend((engine.round)());
        }
    }
    show(&engines);
}

/// Every engine comes to the same states.
fn expect_equal_work(turns: &[Turn], programs_: &[(&str, &dyn FlowProgram)]) {
    let steps = STEPS / 10;
    let expected = rust::run(turns, steps);
    for (name, program) in programs_ {
        let states: Vec<u64> =
            program.meta().sites.iter().map(|site| flow::state_of(&site.key).expect("a site of a state")).collect();
        let sum = programs(*program, turns, steps, |site| states[site.0 as usize]);
        assert_eq!(sum, expected, "{name} and Rust must do the same");
    }
    if let Some((_, sum)) = lua::run(STEPS) {
        assert_eq!(sum, expected, "LuaJIT and Rust must do the same");
    }
}

fn engine<'a>(name: &'static str, round: impl Fn() -> Option<f64> + 'a) -> Engine<'a> {
    Engine { name, round: Box::new(round), rounds: Vec::new() }
}

fn time<T>(work: impl FnOnce() -> T) -> Option<f64> {
    let begun = ran_ns();
    std::hint::black_box(work());
    Some((ran_ns() - begun) / STEPS as f64)
}

/// Time for which this thread has run, in nanoseconds: what else the machine does is not in it. Linux; elsewhere the
/// time that passed.
fn ran_ns() -> f64 {
    static BEGUN: OnceLock<Instant> = OnceLock::new();
    let ran = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let ran = ran.and_then(|line| line.split(' ').next()?.parse().ok());
    ran.unwrap_or_else(|| BEGUN.get_or_init(Instant::now).elapsed().as_nanos() as f64)
}

fn show(engines: &[Engine<'_>]) {
    let native = median(&engines[0].rounds);
    println!("{:<28} {:>8} {:>17} {:>13}", "", "ns/step", "spread", "to native");
    for Engine { name, rounds, .. } in engines {
        let Some(middle) = median(rounds) else {
            println!("{name:<28} {:>8}", "not run");
            continue;
        };
        let (low, high) = (rounds.iter().copied().reduce(f64::min), rounds.iter().copied().reduce(f64::max));
        let spread = format!("{:.1}–{:.1}", low.unwrap_or(0.0), high.unwrap_or(0.0));
        let ratio = native.map_or(String::new(), |native| format!("{:.2}", middle / native));
        println!("{name:<28} {middle:>8.1} {spread:>17} {ratio:>13}");
    }
    if let (Some(native), Some(rust)) = (native, median(&engines[1].rounds)) {
        println!("\nnative against Rust: {:.2} times its time", native / rust);
    }
}

fn median(rounds: &[f64]) -> Option<f64> {
    let mut sorted = rounds.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

/// Steps all calls in turn; gives a sum over the sites they came to.
fn programs(program: &dyn FlowProgram, turns: &[Turn], steps: usize, number: impl Fn(SiteId) -> u64) -> u64 {
    let meta = program.meta();
    let mut arena = Arena::default();
    let mut vault = Vault::default();
    let mut observed = Vec::new();
    let mut stacks: Vec<Stack> = (0..CALLS).map(|_| Stack::default()).collect();
    for stack in &mut stacks {
        assert!(enter(meta, stack, 0, &[]));
        let mut host =
            Host { meta, arena: &mut arena, vault: &mut vault, observe: Observe::Live(&mut observed), now: Time(0) };
        program.resume(stack, &mut host, Outcome::Start);
    }
    let mut sum = 0;
    for turn in turns.iter().cycle().take(steps) {
        let stack = &mut stacks[turn.call as usize];
        // A call makes ten thousand requests at most; these go on for ever.
        stack.header.requests = 0;
        let mut host =
            Host { meta, arena: &mut arena, vault: &mut vault, observe: Observe::Live(&mut observed), now: Time(0) };
        match program.resume(stack, &mut host, Outcome::Result(u32::from(turn.outcome))) {
            Stop::Wait(site) => sum += number(site),
            Stop::Done(_) => panic!("the flow never ends"),
        }
    }
    sum
}
