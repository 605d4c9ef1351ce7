//! How problems look, to people and to machines.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may stop at the first surprise")]

use lang_diagnostics::{
    Code, Colours, Diagnostic, Position, Sources, Span, diagnostic_to_json, diagnostics_to_json_lines, render,
};

fn sample() -> (Sources, Diagnostic) {
    let mut sources = Sources::new();
    let flow = sources.add("hotline.flow", "flow hotline {\n    say zh \"欢迎\" en \"Hi\" hang up\n}\n");
    let yaml = sources.add("strowger.yaml", "purposes:\n  - sales\n");
    let at = sources.text(flow).find("hang up").unwrap() as u32;
    let span = Span::new(flow, at, at + 7);
    let problem = Diagnostic::new(Code::MissingNewline, span, "two statements stand on one line")
        .here("the second begins here")
        .label(Span::new(yaml, 14, 19), "the purposes are listed here")
        .help("`say zh \"欢迎\" en \"Hi\" then hang up`")
        .note("a newline ends a statement")
        .edit("chain them", Span::new(flow, at, at), "then ");
    (sources, problem)
}

#[test]
fn people_see_the_line_and_the_repair() {
    let (sources, problem) = sample();
    insta::assert_snapshot!(render(&[problem], &sources, Colours::Off, 100));
}

#[test]
fn colours_are_only_there_when_wanted() {
    let (sources, problem) = sample();
    assert!(!render(std::slice::from_ref(&problem), &sources, Colours::Off, 100).contains('\u{1b}'));
    assert!(render(&[problem], &sources, Colours::On, 100).contains('\u{1b}'));
}

#[test]
fn the_mark_stands_below_wide_characters() {
    let (sources, problem) = sample();
    let text = render(&[problem], &sources, Colours::Off, 100);
    let mut lines = text.lines().skip_while(|line| !line.contains("hang up"));
    let (source, mark) = (lines.next().unwrap(), lines.next().unwrap());
    // Each of the two Chinese characters before the place fills two columns.
    let columns = source.split("hang up").next().unwrap().chars().count() + 2;
    let marked = mark.chars().take_while(|sign| !matches!(sign, '─' | '┬')).count();
    assert_eq!(marked, columns);
}

#[test]
fn machines_get_lines_columns_and_bytes() {
    let (sources, problem) = sample();
    let json = diagnostic_to_json(&problem, &sources);
    assert_eq!(json["code"], "F0002");
    assert_eq!(json["name"], "missing-newline");
    let place = &json["labels"][0]["place"];
    assert_eq!(place["file"], "hotline.flow");
    assert_eq!(place["start"], serde_json::json!({ "line": 2, "column": 25, "byte": 43 }));
    assert_eq!(place["end"]["column"], 32);
    assert_eq!(json["suggestion"]["edits"][0]["text"], "then ");
    let lines = diagnostics_to_json_lines(&[problem.clone(), problem], &sources);
    assert_eq!(lines.lines().count(), 2);
}

#[test]
fn places_beyond_their_file_do_no_harm() {
    let mut sources = Sources::new();
    let file = sources.add("a.flow", "呼\n");
    for span in [Span::new(file, 1, 2), Span::new(file, 90, 99), Span::new(lang_diagnostics::FileId(9), 0, 1)] {
        let problem = Diagnostic::new(Code::UnexpectedWord, span, "odd");
        assert!(render(std::slice::from_ref(&problem), &sources, Colours::Off, 10).contains("F0001"));
        assert_eq!(diagnostic_to_json(&problem, &sources)["code"], "F0001");
    }
    assert_eq!(sources.position(file, 99), Position { line: 2, column: 1 });
    assert_eq!(sources.position(file, 2), Position { line: 1, column: 1 });
}

#[test]
fn the_text_of_a_file_is_in_no_debug_print() {
    let (sources, _) = sample();
    assert!(!format!("{sources:?}").contains("欢迎"));
}
