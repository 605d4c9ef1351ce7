//! Whatever a file says, the checker comes to an end and says where it is wrong.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop at the first surprise"
)]

mod support;

use std::fs;
use std::path::Path;

use support::{Sample, analyzed};

/// Seeds of one run. To replay one: `FLOW_SEED=n cargo test -p lang-semantics --test robust`.
const SEEDS: u64 = 300;

struct Random(u64);

impl Random {
    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}

fn sources() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let example = fs::read_to_string(root.join("../../examples/01-first-call/first_call.flow")).unwrap();
    let mut cases: Vec<_> =
        fs::read_dir(root.join("tests/cases")).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    let cases = cases.iter().map(|path| fs::read_to_string(path).unwrap());
    cases.chain([example]).collect()
}

/// Words of a text, blanks and line ends as words of their own.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut before = ' ';
    for c in text.chars() {
        let joined = c.is_alphanumeric() && before.is_alphanumeric();
        if !joined {
            words.push(String::new());
        }
        words.last_mut().unwrap().push(c);
        before = c;
    }
    words
}

fn mutated(text: &str, random: &mut Random) -> String {
    let mut words = words(text);
    for _ in 0..=random.below(6) {
        let (at, other) = (random.below(words.len()), random.below(words.len()));
        match random.below(4) {
            0 => drop(words.remove(at)),
            1 => words[at] = words[other].clone(),
            2 => words.swap(at, other),
            _ => {
                let word = words[other].clone();
                words.insert(at, word);
            }
        }
    }
    words.concat()
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the seed to replay comes from outside")]
fn mutilated_files_give_problems_and_nothing_worse() {
    let sources = sources();
    let seeds = match std::env::var("FLOW_SEED") {
        Ok(seed) => seed.parse().unwrap()..seed.parse::<u64>().unwrap() + 1,
        Err(_) => 0..SEEDS,
    };
    for seed in seeds {
        let mut random = Random(seed);
        let text = mutated(&sources[random.below(sources.len())], &mut random);
        let outcome = std::panic::catch_unwind(|| {
            let analyzed = analyzed(&Sample::new(&text));
            for problem in &analyzed.diagnostics {
                for label in &problem.labels {
                    assert!(!analyzed.sources.path(label.span.file).is_empty(), "{problem:?}");
                }
                let message = &problem.message;
                assert!(!message.ends_with('.') && !message.is_empty(), "{message}");
            }
            assert_eq!(analyzed.program.is_none(), analyzed.refused);
        });
        assert!(outcome.is_ok(), "FLOW_SEED={seed}:\n{text}");
    }
}

#[test]
fn deep_nesting_and_long_rows_come_to_an_end() {
    let depth = 40;
    let nested = format!(
        "languages en\n\nflow deep(n: Int) {{\n{}note x = 1\n{}return\n}}\n",
        "if n == 1 {\n".repeat(depth),
        "}\n".repeat(depth)
    );
    let brackets = format!("languages en\n\nflow sum {{\nnote x = {}1{}\nreturn\n}}\n", "(".repeat(40), ")".repeat(40));
    let long_sum = format!("languages en\n\nflow sum {{\nnote x = {}1\nreturn\n}}\n", "1 + ".repeat(400));
    let steps: String = (0..3000)
        .map(|n| format!("step s{n} {{\ngo s{}\n}}\n\n", n + 1))
        .chain(["step s3000 {\nreturn\n}\n".into()])
        .collect();
    let row = format!("languages en\n\nflow row {{\ngo s0\n\n{steps}}}\n");
    for (name, text) in [("nested", nested), ("brackets", brackets), ("sum", long_sum), ("steps", row)] {
        let analyzed = analyzed(&Sample::new(&text));
        assert!(!analyzed.refused, "{name}: {}", analyzed.rendered());
    }
}
