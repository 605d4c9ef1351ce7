//! Stored graphs that were tampered with: refused, or run safely and the same on both engines.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests may stop at the first surprise, and read what the machine says"
)]

use lang_codegen::Native;
use lang_flowgraph::random::{Random, Tally, play, program};
use lang_flowgraph::{Interpreted, serial};

const PROGRAMS: u64 = 60;
const CHANGES: u64 = 100;

/// Replay one: `SEED=<program> cargo test -p lang-codegen --test hostile`.
#[test]
fn a_tampered_graph_is_refused_or_harmless() {
    let only: Option<u64> = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds = only.map_or(0..PROGRAMS, |seed| seed..seed + 1);
    let (mut refused, mut ran) = (0, 0);
    for seed in seeds {
        let bytes = serial::to_bytes(&program(seed).unwrap());
        for change in 0..CHANGES {
            let mut random = Random::new(seed << 16 | change);
            let Ok(graph) = serial::from_bytes(&tampered(&bytes, &mut random)) else {
                refused += 1;
                continue;
            };
            ran += 1;
            let interpreted = Interpreted::new(graph.clone());
            let native = Native::compile(graph).unwrap_or_else(|problem| panic!("SEED={seed} {change}: {problem}"));
            for call in 0..2 {
                play(change << 8 | call, &interpreted, &native, &mut Tally::default())
                    .unwrap_or_else(|difference| panic!("SEED={seed} change {change}: {difference}"));
            }
        }
    }
    assert!(only.is_some() || (refused > 500 && ran > 300), "{refused} refused, {ran} ran");
}

fn tampered(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..1 + random.below(3) {
        let at = 2 + random.below(bytes.len() - 2);
        match random.below(10) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, random.word() as u8),
            2 => drop(bytes.remove(at)),
            3 => bytes.get_mut(at).into_iter().for_each(|byte| *byte = 0xff),
            4..7 => bytes.get_mut(at).into_iter().for_each(|byte| *byte = byte.wrapping_add(1)),
            _ => bytes.get_mut(at).into_iter().for_each(|byte| *byte = random.word() as u8),
        }
        if bytes.len() < 4 {
            break;
        }
    }
    bytes
}
