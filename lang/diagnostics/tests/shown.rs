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

/// One problem at the first `marked` of `text`, as it is shown on a terminal of this width.
fn shown(text: &str, marked: &str, width: usize) -> String {
    let mut sources = Sources::new();
    let file = sources.add("a.flow", text);
    let at = text.find(marked).unwrap() as u32;
    let span = Span::new(file, at, at + marked.len() as u32);
    let problem = Diagnostic::new(Code::UnexpectedWord, span, "this cannot stand here").here("here");
    render(&[problem], &sources, Colours::Off, width)
}

/// The text above the first mark of a drawing.
fn above_the_mark(shown: &str) -> String {
    let lines: Vec<&str> = shown.lines().collect();
    let mark = lines.iter().position(|line| line.contains('┬') || line.contains('▲')).unwrap();
    let columns = |line: &str, sign: char| line.chars().position(|other| other == sign);
    let from = columns(lines[mark], '─').or(columns(lines[mark], '┬')).unwrap();
    let length = lines[mark].chars().filter(|sign| matches!(sign, '─' | '┬')).count();
    lines[mark - 1].chars().skip(from).take(length).collect()
}

#[test]
fn what_a_terminal_would_obey_is_written_out() {
    let text = "flow a {\n    say\u{1b}[2J \u{202e}\"x\" wrong\u{7} \0\n}\n";
    for marked in ["wrong\u{7}", "\u{202e}"] {
        let shown = shown(text, marked, 100);
        assert!(!shown.chars().any(|sign| sign != '\n' && sign.is_control() || sign == '\u{202e}'), "{shown:?}");
        assert!(shown.contains("say\\u{1b}[2J \\u{202e}\"x\" wrong\\u{7} \\u{0}"), "{shown}");
        assert_eq!(above_the_mark(&shown), marked.escape_default().to_string(), "{shown}");
    }
}

#[test]
fn a_long_line_is_cut_around_its_place() {
    for before in [0, 5, 60, 4_990, 9_985] {
        let text = format!("one\n{}wrong{}\nthree\n", "x".repeat(before), "y".repeat(9_990 - before));
        for width in [40, 80, 120] {
            let shown = shown(&text, "wrong", width);
            assert_eq!(above_the_mark(&shown), "wrong", "{shown}");
            assert!(shown.lines().all(|line| line.chars().count() <= width), "{shown}");
            assert!(shown.contains(&format!("[a.flow:2:{}]", before + 1)), "{shown}");
        }
    }
    let wide = shown(&format!("{}wrong{}\n", "欢".repeat(900), "迎".repeat(900)), "wrong", 80);
    assert!(wide.lines().all(|line| line.chars().count() <= 80) && wide.contains("迎…"), "{wide}");
    let whole = shown(&format!("{}\n", "z".repeat(10_000)), &"z".repeat(10_000), 80);
    assert!(whole.lines().filter(|line| line.contains('│')).all(|line| line.chars().count() <= 80), "{whole}");
}

#[test]
fn a_place_of_many_lines_is_shown_by_its_first() {
    let text = "word\n".repeat(500);
    assert!(shown(&text, &text, 80).lines().count() < 12);
}

#[test]
fn each_end_of_a_line_counts() {
    for end in ["\n", "\r\n", "\r"] {
        let text = ["flow a {", "    anwser", "}", ""].join(end);
        let shown = shown(&text, "anwser", 80);
        assert!(shown.contains("[a.flow:2:5]") && shown.contains(" 2 │     anwser\n"), "{shown}");
        assert!(shown.contains(" 1 │ flow a {\n") && shown.contains(" 3 │ }\n"), "{shown}");
        assert!(!shown.contains('\r') && !shown.contains(" 4 │"), "{shown}");
    }
}

#[test]
fn places_far_apart_keep_their_lines() {
    let mut sources = Sources::new();
    let lines: String = (1..=90).map(|line| format!("line {line}\n")).collect();
    let file = sources.add("a.flow", lines.as_str());
    let of = |word: &str| {
        let at = lines.find(word).unwrap() as u32;
        Span::new(file, at, at + word.len() as u32)
    };
    let problem =
        Diagnostic::new(Code::DuplicateName, of("line 80"), "twice").here("second").label(of("line 7\n"), "first");
    let shown = render(&[problem], &sources, Colours::Off, 80);
    for line in [6, 7, 8, 79, 80, 81] {
        assert!(shown.contains(&format!("{line} │ line {line}\n")), "{shown}");
    }
    assert!(!shown.contains("line 40") && shown.contains("[a.flow:80:1]"), "{shown}");
}
