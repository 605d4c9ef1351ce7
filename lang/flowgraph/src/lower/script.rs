//! A `test` block as the script that the simulator plays: its spans become places.

use lang_diagnostics::{Sources, Span};
use lang_semantics::hir;
use runtime_contract::program::Place;
use runtime_contract::script::TestScript;

pub fn test_to_script(test: &hir::Test, sources: &Sources) -> TestScript {
    TestScript {
        name: test.name.clone(),
        place: place(sources, test.span),
        at: test.at,
        zone: test.zone.clone(),
        lines: test.lines.iter().map(|(span, verb)| (place(sources, *span), verb.clone())).collect(),
        files: super::files(sources),
    }
}

/// Where a span begins.
pub(super) fn place(sources: &Sources, span: Span) -> Place {
    let position = sources.position(span.file, span.start);
    Place { file: span.file.0, line: position.line, column: position.column }
}
