//! Problems as JSON, one object a line: for machines that read `--json`.

use serde_json::{Value, json};

use crate::{Diagnostic, Sources, Span, TurnKind, Way};

/// One problem: `code`, `name`, `severity`, `message`, `labels`, `help`, `notes`, `ways`, `suggestion`. Each place has
/// `file`, `start` and `end`, which have `line` and `column` (from 1, in characters) and `byte` (from 0). A `suggestion`
/// has a `title`, `edits` (each a `place` and the `text` that replaces it) and `certain`: it may be applied unasked.
pub fn diagnostic_to_json(diagnostic: &Diagnostic, sources: &Sources) -> Value {
    let labels: Vec<Value> = diagnostic
        .labels
        .iter()
        .map(|label| json!({ "place": place(label.span, sources), "text": label.text, "primary": label.primary }))
        .collect();
    let suggestion = diagnostic.suggestion.as_ref().map(|suggestion| {
        let edits: Vec<Value> = suggestion
            .edits
            .iter()
            .map(|edit| json!({ "place": place(edit.span, sources), "text": edit.text }))
            .collect();
        json!({ "title": suggestion.title, "certain": suggestion.certain, "edits": edits })
    });
    json!({
        "code": diagnostic.code.number(),
        "name": diagnostic.code.name(),
        "severity": diagnostic.severity.word(),
        "message": diagnostic.message,
        "labels": labels,
        "help": diagnostic.help,
        "notes": diagnostic.notes,
        "ways": diagnostic.ways.iter().map(|way| way_to_json(way, sources)).collect::<Vec<_>>(),
        "suggestion": suggestion,
    })
}

/// All problems, one JSON object on each line.
pub fn diagnostics_to_json_lines(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    diagnostics.iter().map(|diagnostic| format!("{}\n", diagnostic_to_json(diagnostic, sources))).collect()
}

/// `lead`, `sentence` and `turns`: each turn has its `place` and either what it `enters` or what `happens`.
fn way_to_json(way: &Way, sources: &Sources) -> Value {
    let turns = way.turns.iter().map(|turn| {
        let kind = match turn.kind {
            TurnKind::Enters => "enters",
            TurnKind::Happens => "happens",
        };
        json!({ kind: turn.words(sources), "place": place(turn.span, sources) })
    });
    json!({ "lead": way.lead, "sentence": way.sentence(sources), "turns": turns.collect::<Vec<_>>() })
}

fn place(span: Span, sources: &Sources) -> Value {
    let end_of = |offset: u32| {
        let position = sources.position(span.file, offset);
        json!({ "line": position.line, "column": position.column, "byte": offset })
    };
    json!({ "file": sources.path(span.file), "start": end_of(span.start), "end": end_of(span.end) })
}
