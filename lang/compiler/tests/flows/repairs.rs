//! Certain repairs: what they make of a text, that they leave nothing to say where they stand alone, and that they never
//! make a project worse.

use lang_compiler::{Project, analyze, repair};
use runtime_contract::program::SiteNames;

use crate::defects;
use crate::syntax_support::{Chance, SAMPLES, mutate, seeds};

fn repaired(text: &str) -> String {
    let mut project = Project::default();
    project.add_flow("m.flow", text);
    let done = repair(&project, &SiteNames::default());
    done.changed.get("m.flow").cloned().unwrap_or_else(|| text.to_owned())
}

fn check(line: &str, expected: &str) {
    let text = |line: &str| format!("languages zh, en\n\nflow main {{\n    answer\n    {line}\n    hang up\n}}\n");
    assert_eq!(repaired(&text(line)), text(expected));
}

#[test]
fn lines_that_can_mean_one_thing_only() {
    check(r#"say zh "a" en "b", wait 2sec"#, r#"say zh "a" en "b" then wait 2s"#);
    check(r#"say zh "a" en "b" wait 2s"#, r#"say zh "a" en "b" then wait 2s"#);
    check(r#"say zh “你好，再见” en "b""#, r#"say zh "你好，再见" en "b""#);
    check(r#"say ZH "a" en "b""#, r#"say zh "a" en "b""#);
    check("note n\u{a0}= 3", "note n = 3");
    check("if 3 is 3 { hang up }", "if 3 == 3 { hang up }");
}

#[test]
fn what_callers_hear_or_where_they_go_is_not_guessed() {
    for line in
        ["go closde", "let stop = 3", "say zh \"a\" en \"b\" else say zh \"c\" en \"d\" then hang up", "go", "}"]
    {
        check(line, line);
    }
}

#[test]
fn imports_that_nothing_uses_go() {
    let text = |uses: &str| format!("{uses}languages en\n\nflow main {{\n    answer\n    play a\n    hang up\n}}\n");
    let other = "languages en\n\nprompt a { en \"A.\" }\n\nprompt b { en \"B.\" }\n\nprompt c { en \"C.\" }\n";
    for (uses, expected) in [
        ("use other: a, b\n", "use other: a\n"),
        ("use other: b, a\n", "use other: a\n"),
        ("use other: b, a, c\n", "use other: a\n"),
        ("use other: a\nuse std.voicemail\n", "use other: a\n"),
    ] {
        let mut project = Project::default();
        project.add_flow("m.flow", text(uses));
        project.add_flow("other.flow", other);
        let done = repair(&project, &SiteNames::default());
        assert_eq!(done.changed.get("m.flow"), Some(&text(expected)), "{uses}");
        assert_eq!(done.applied.iter().filter(|made| made.code != "F0104").count(), 0);
    }
}

#[test]
fn a_certain_repair_of_the_table_leaves_nothing_to_say() {
    let mut count = 0;
    for (name, text) in defects::wrong_texts() {
        let project = defects::project(&text);
        let before = analyze(&project, &defects::site(&text));
        if !before.diagnostics.iter().any(|problem| problem.suggestion.as_ref().is_some_and(|found| found.certain)) {
            continue;
        }
        count += 1;
        let done = repair(&project, &defects::site(&text));
        let left = analyze(&done.project, &defects::site(&text));
        assert!(left.diagnostics.is_empty(), "{name}\n{:#?}", left.diagnostics);
    }
    assert!(count >= 5, "{count}");
}

#[test]
fn a_repair_makes_nothing_worse_and_comes_to_rest() {
    for seed in seeds(25) {
        let mut chance = Chance(seed);
        let (name, text) = SAMPLES[chance.below(2)];
        let mut project = Project::default();
        project.add_flow(format!("{name}.flow"), mutate(text, &mut chance));
        let names = SiteNames::default();
        let weight = |project: &Project| {
            let found = analyze(project, &names);
            (found.unread, found.diagnostics.len())
        };
        let done = repair(&project, &names);
        let (before, after) = (weight(&project), weight(&done.project));
        assert!(if done.applied.is_empty() { after == before } else { after < before }, "STROWGER_SEED={seed}");
        assert!(repair(&done.project, &names).applied.is_empty(), "STROWGER_SEED={seed}");
    }
}
