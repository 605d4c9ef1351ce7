//! What calls come by is counted on the graph that serves, place by place of the source.

use std::fmt::Write;

use lang_compiler::{Compiled, Engine, Heard};

use crate::harness::{answers, compiled, monday_morning, play_script};

const FLOW: &str = r#"languages zh, en

inbound "+86 400 810 0000" => f

service bank {
    balance(card: Digits) -> Int  within 1s
}

prompt welcome {
    zh "你好。"
    en "Hello."
}

flow f {
    answer
    if caller.language is en { play welcome }
    go main

    step main {
        menu {
            say zh "选。" en "Choose."
            1 => go money
            2 => continue
            silence, other => again
            after 2 tries => hang up
        }
        let n = bank.balance("1") else 7
        match n {
            0 => note n = n
            else => note n = 100000 * n
        }
        go main up to 1 times else hang up
    }

    step money {
        let card = ask digits 2 {
            say "12."
            silence, invalid => hang up
        }
        if card == "12" {
            note card = card
        } else if card == "13" {
            note n = 9223372036854775807 * card.length
            note card = card
        } else {
            note card = "other"
        }
        hang up
    }

    fault {
        note outcome = "fault"
    }
}
"#;

/// Plays calls and shows every place with its count.
fn counts(compiled: &Compiled, scripts: &[&[&str]]) -> String {
    let counting = compiled.counting().unwrap();
    for script in scripts {
        play_script(&compiled.program, &counting.program, &answers(script.iter().copied()), monday_morning());
    }
    let mut shown = String::new();
    for reached in compiled.reached(&counting, &Heard::from([((0, 1), 3)]), false) {
        let line = compiled.analysis.sources.get(reached.span.file).unwrap().line(reached.place.line).unwrap();
        let label = match reached.label.as_str() {
            "" => String::new(),
            label => format!(" ({label})"),
        };
        let (kind, at, count, line) = (reached.kind, reached.place, reached.count, line.trim());
        writeln!(shown, "{kind:?} {}:{} ×{count}{label}  {line}", at.line, at.column).unwrap();
    }
    shown
}

#[test]
fn each_part_arm_and_prompt_has_its_place() {
    let compiled = compiled(FLOW, Engine::Native);
    let shown = counts(&compiled, &[&["other", "1", "value 12"], &["2", "failed", "2", "ok 0"]]);
    let expected = "\
Prompt 10:5 ×0 (zh)  zh \"你好。\"
Prompt 11:5 ×3 (en)  en \"Hello.\"
Part 14:6 ×2  flow f {
Arm 16:5 ×2 (otherwise)  if caller.language is en { play welcome }
Arm 16:32 ×0  if caller.language is en { play welcome }
Part 19:10 ×3  step main {
Prompt 21:17 ×0 (zh)  say zh \"选。\" en \"Choose.\"
Prompt 21:25 ×0 (en)  say zh \"选。\" en \"Choose.\"
Arm 22:13 ×1  1 => go money
Arm 23:13 ×2  2 => continue
Arm 24:13 ×1  silence, other => again
Arm 25:13 ×0  after 2 tries => hang up
Arm 27:9 ×1 (ok)  let n = bank.balance(\"1\") else 7
Arm 27:40 ×1 (failed)  let n = bank.balance(\"1\") else 7
Arm 29:13 ×1  0 => note n = n
Arm 30:13 ×1  else => note n = 100000 * n
Arm 32:9 ×1 (go)  go main up to 1 times else hang up
Arm 32:36 ×1 (no more times)  go main up to 1 times else hang up
";
    assert!(shown.starts_with(expected), "{shown}");
    assert!(shown.ends_with("Part 52:9 ×0  note outcome = \"fault\"\n"), "{shown}");
}

#[test]
fn what_stands_behind_a_fault_is_not_reached() {
    let compiled = compiled(FLOW, Engine::Native);
    let shown = counts(&compiled, &[&["1", "value 13"]]);
    assert!(shown.contains("Arm 41:13 ×0"), "{shown}");
    assert!(shown.contains("Arm 43:13 ×1  note n = 9223372036854775807"), "{shown}");
    assert!(shown.contains("Arm 46:13 ×0 (otherwise)"), "{shown}");
    assert!(shown.ends_with("Part 52:9 ×1  note outcome = \"fault\"\n"), "{shown}");
}

/// A short step is copied to where flows go on in it: a mark behind what faults there does not count.
#[test]
fn a_step_behind_a_fault_is_not_reached() {
    let text = r#"languages en
inbound "+86 400 810 0000" => f
flow f {
    answer
    let n = ask digits 1 {
        say "n"
        silence, invalid => hang up
    }
    let big = 9223372036854775807 * n.length + n.length
    go last(big)
    step last(sum: Int) { hang up }
    finally { note outcome = "over" }
}
"#;
    let shown = counts(&compiled(text, Engine::Native), &[&["value 1"]]);
    assert!(shown.contains("Arm 5:13 ×1 (a value came)"), "{shown}");
    assert!(shown.contains("Part 11:10 ×0  step last(sum: Int)"), "{shown}");
    assert!(shown.contains("Part 12:15 ×1  finally"), "{shown}");
}

#[test]
fn the_library_is_left_out_unless_it_is_asked_for() {
    let text = "languages zh, en\nuse std.voicemail\ninbound \"+86 400 810 0000\" => f\nflow f {\n    answer\n    \
                run voicemail.take(mailbox: \"x\")\n    hang up\n}\n";
    let compiled = compiled(text, Engine::Native);
    let counting = compiled.counting().unwrap();
    assert!(compiled.analysis.program.is_some());
    let files = |with_library| {
        let reached = compiled.reached(&counting, &Heard::new(), with_library);
        let mut files: Vec<u32> = reached.iter().map(|reached| reached.place.file).collect();
        files.dedup();
        files
    };
    assert_eq!(files(false), [0]);
    assert_eq!(files(true), [0, 1]);
}
