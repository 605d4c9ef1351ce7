//! Time from a verified graph to machine code that can run, on one thread and on two. The graph is a mix of what
//! flows are made of: menus with retries, digits, services, amounts, prompts with values.
//!
//! `cargo bench -p lang-codegen --bench compile`
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a benchmark may stop at the first surprise"
)]

mod mixed;

use std::hint::black_box;
use std::time::Instant;

use lang_codegen::Native;
use lang_flowgraph::{Graph, Verified};

const ROUNDS: usize = 5;

/// One round: seconds that passed, and of CPU on all threads.
struct Round {
    passed_s: f64,
    cpu_s: f64,
}

fn main() {
    println!("{:<9} {:>7} {:>24} {:>26}", "segments", "threads", "µs CPU a segment", "whole, ms");
    for segments in [1_000, 10_000] {
        let graph = mixed::graph(segments);
        let mut rounds = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            for (threads, rounds) in (1..).zip(&mut rounds) {
                rounds.push(compile(&graph, threads));
            }
        }
        let count = graph.segments.len();
        let mut passed = Vec::new();
        for (threads, rounds) in (1..).zip(&rounds) {
            let each = spread(rounds.iter().map(|round| round.cpu_s * 1e6 / count as f64));
            let whole = spread(rounds.iter().map(|round| round.passed_s * 1e3));
            println!("{count:<9} {threads:>7} {:>24} {:>26}", show(each), show(whole));
            passed.push(whole);
        }
        let (middle, best) = (passed[0].1 / passed[1].1, passed[0].0 / passed[1].0);
        println!("{:<9} two threads {middle:.2} times faster (fastest rounds: {best:.2})\n", "");
    }
    let (blocks, instructions) = size(&mixed::graph(1_000));
    println!("a segment has {blocks:.1} blocks and {instructions:.1} instructions on average");
}

/// Whole: verified, compiled, mapped. Several times until the clock of the CPU, 10 ms a tick, is good enough.
fn compile(graph: &Verified, threads: usize) -> Round {
    let times = 20_000_usize.div_ceil(graph.segments.len());
    let (begun, cpu) = (Instant::now(), cpu_s());
    for _ in 0..times {
        black_box(Native::compile_on(graph.clone(), threads).expect("the graph compiles"));
    }
    let (passed_s, cpu_s) = (begun.elapsed().as_secs_f64(), cpu_s() - cpu);
    Round { passed_s: passed_s / times as f64, cpu_s: cpu_s / times as f64 }
}

/// CPU of this process and all its threads, in 10 ms ticks (Linux; proc(5), fields 14 and 15 of `stat`).
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    fields.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Lowest, middle, highest.
fn spread(rounds: impl Iterator<Item = f64>) -> (f64, f64, f64) {
    let mut sorted: Vec<f64> = rounds.collect();
    sorted.sort_by(f64::total_cmp);
    (sorted[0], sorted[sorted.len() / 2], sorted[sorted.len() - 1])
}

fn show((low, middle, high): (f64, f64, f64)) -> String {
    format!("{middle:.1} ({low:.1}–{high:.1})")
}

fn size(graph: &Graph) -> (f64, f64) {
    let count = graph.segments.len() as f64;
    let blocks = graph.segments.iter().flat_map(|segment| &segment.blocks);
    let instructions: usize = blocks.clone().map(|block| block.instructions.len()).sum();
    (blocks.count() as f64 / count, instructions as f64 / count)
}
