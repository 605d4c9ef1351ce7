//! Random programs are sound, and survive the way to bytes and back.
#![cfg(feature = "random")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may stop at the first surprise")]

use lang_flowgraph::random::{Tally, play, program};
use lang_flowgraph::{Interpreted, serial};

const PROGRAMS: u64 = 60;

#[test]
fn random_programs_are_sound_and_play() {
    let mut tally = Tally::default();
    for seed in 0..PROGRAMS {
        let graph = program(seed).unwrap_or_else(|problems| panic!("seed {seed}: {problems:#?}"));
        let bytes = serial::to_bytes(&graph);
        let again = serial::from_bytes(&bytes).unwrap_or_else(|problem| panic!("seed {seed}: {problem}"));
        assert!(again == graph, "seed {seed}");
        let interpreted = Interpreted::new(graph);
        for call in 0..4 {
            // The noise that one side gets must not change what either does.
            let played = play(seed << 8 | call, &interpreted, &interpreted, &mut tally);
            played.unwrap_or_else(|difference| panic!("program {seed}, call {call}: {difference}"));
        }
    }
    println!("{tally:#?}");
    assert!(tally.stops > 500, "{tally:#?}");
}
