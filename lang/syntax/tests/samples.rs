//! Every sample of the language's definition reads without a diagnostic.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop at the first surprise"
)]

mod support;

use lang_diagnostics::FileId;
use support::SAMPLES;

#[test]
fn samples_read_without_a_diagnostic() {
    for (name, text) in SAMPLES {
        let (_, problems) = lang_syntax::parse(FileId(0), text);
        for problem in &problems {
            println!(
                "{name}: {problem:?} at `{}`",
                &text[problem.span().start as usize..].lines().next().unwrap_or("")
            );
        }
        assert!(problems.is_empty());
    }
}

#[test]
fn samples_are_in_canonical_form() {
    for (name, text) in SAMPLES {
        let formatted = lang_syntax::format(text);
        for (number, (got, expected)) in formatted.lines().zip(text.lines()).enumerate() {
            assert_eq!(got, expected, "{name}, line {}", number + 1);
        }
        assert_eq!(formatted, text, "{name}");
    }
}
