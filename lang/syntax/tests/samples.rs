//! Every sample of the language's definition reads without a diagnostic.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop at the first surprise"
)]

use lang_diagnostics::FileId;

const SAMPLES: [(&str, &str); 5] = [
    ("hotline", include_str!("samples/hotline.flow")),
    ("routing", include_str!("samples/routing.flow")),
    ("outbound", include_str!("samples/outbound.flow")),
    ("survey", include_str!("samples/survey.flow")),
    ("hotline_test", include_str!("samples/hotline_test.flow")),
];

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
