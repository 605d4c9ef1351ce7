//! How long it takes to read and to format a project of 1 000 steps:
//! `cargo run --release -p lang-syntax --example speed`.

use std::time::Instant;

const STEPS: usize = 1000;
const RUNS: usize = 10;

fn main() {
    let text = project();
    let lines = text.lines().count();
    let (_, problems) = lang_syntax::parse(lang_diagnostics::FileId(0), &text);
    assert!(problems.is_empty(), "the sample reads");
    let read = best_ms(|| lang_syntax::parse(lang_diagnostics::FileId(0), &text).0.items.len());
    let formatted = best_ms(|| lang_syntax::format(&text).len());
    println!("{lines} lines, {} KiB: read in {read:.1} ms, formatted in {formatted:.1} ms", text.len() >> 10);
}

#[expect(clippy::disallowed_methods, reason = "it measures time")]
fn best_ms(run: impl Fn() -> usize) -> f64 {
    let times = (0..RUNS).map(|_| {
        let start = Instant::now();
        std::hint::black_box(run());
        start.elapsed().as_secs_f64() * 1000.0
    });
    times.fold(f64::INFINITY, f64::min)
}

fn project() -> String {
    let mut text = String::from("languages zh, en\n\nflow main {\n    answer\n    go step_0\n");
    for step in 0..STEPS {
        let next = (step + 1) % STEPS;
        text.push_str(&format!(
            "\n    step step_{step} {{\n        menu {{\n            say zh \"请按1或2。\" en \"Press 1 or 2 for {{caller.number}}.\"\n            1 or zh \"订单\" en \"orders\" => go step_{next} up to 3 times else go step_0\n            2 => say zh \"好。\" en \"Good.\" then again\n            silence, other => again\n            after 3 tries => go step_0\n        }}\n        if caller.language is zh and {step} * 2 > 7 {{\n            note choice = \"{step}\"\n        }}\n    }}\n"
        ));
    }
    text.push_str("}\n");
    text
}
