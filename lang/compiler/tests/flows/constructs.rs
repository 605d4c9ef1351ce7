//! What each statement does on both engines: branches, steps, runs, ends, handlers.

use crate::harness::{answers, compiled, monday_morning, play_script, run, run_at};

const HEAD: &str = "languages en\n\ninbound \"+86 400 810 0000\" => f\n\n";

/// Transcript of a file that begins with the usual head.
fn heard(text: &str, script: &[&str]) -> String {
    run(&format!("{HEAD}{text}"), &answers(script.iter().copied()))
}

#[test]
fn branches_meet_again_whether_they_wait_or_not() {
    let text = r#"
service crm {
    vip(phone: Phone?) -> Bool  within 1s
}

flow f {
    answer
    let vip = crm.vip(caller.number) else false
    if vip {
        if caller.language is en { say "Welcome back." } else { wait 1s }
        note kind = "vip"
    } else if caller.number is some n {
        note number = n
    } else {
        note kind = "withheld"
    }
    say "How are you?"
    hang up
}
"#;
    let vip = "answer\ncrm.vip(+8613800000000) -> ok true\nsay \"Welcome back.\"\nnote kind = vip\n\
               say \"How are you?\"\nhang up\nend: gone\n";
    assert_eq!(heard(text, &["ok true"]), vip);
    let other = "answer\ncrm.vip(+8613800000000) -> failed\nnote number = +8613800000000\n\
                 say \"How are you?\"\nhang up\nend: gone\n";
    assert_eq!(heard(text, &["failed"]), other);
}

#[test]
fn a_bounded_go_counts_per_activation_and_is_never_reset() {
    let text = r#"
flow f {
    answer
    run twice()
    run twice()
    hang up
}

flow twice {
    go a

    step a {
        note at = "a"
        go b up to 2 times else go done
    }

    step b {
        note at = "b"
        go a up to 1 times else go done
    }

    step done {
        return
    }
}
"#;
    let one = "note at = a\nnote at = b\nnote at = a\nnote at = b\n";
    assert_eq!(heard(text, &[]), format!("answer\n{one}{one}hang up\nend: gone\n"));
}

#[test]
fn the_rest_of_a_bounded_go_may_go_on_behind_it() {
    let text = r#"
flow f {
    answer
    go a

    step a {
        note at = "a"
        go a up to 2 times else continue
        note at = "behind"
        hang up
    }
}
"#;
    let again = "note at = a\n".repeat(3);
    assert_eq!(heard(text, &[]), format!("answer\n{again}note at = behind\nhang up\nend: gone\n"));
}

#[test]
fn steps_take_parameters_also_in_another_order() {
    let text = r#"
flow f {
    answer
    go a(x: 1, y: "one")

    step a(x: Int, y: Text) {
        say "{x} {y}"
        go b(q: x + 1, p: y)
    }

    step b(p: Text, q: Int) {
        say "{p} {q}"
        go a(y: p + "!", x: q) up to 1 times else hang up
    }
}
"#;
    let expected =
        "answer\nsay \"<1> <one>\"\nsay \"<one> <2>\"\nsay \"<2> <one!>\"\nsay \"<one!> <3>\"\nhang up\nend: gone\n";
    assert_eq!(heard(text, &[]), expected);
}

#[test]
fn a_run_gives_its_result_by_variant() {
    let text = r#"
enum Mood { good, bad, unknown }

flow f {
    answer
    let mood = run ask_mood("today")
    match mood {
        good => say "Fine."
        bad, unknown => say "Sorry."
    }
    match run ask_mood("tomorrow") {
        good => note end = "good"
        bad => note end = "bad"
        unknown => note end = "unknown"
    }
    hang up
}

flow ask_mood(day: Text) -> Mood {
    menu {
        say "How are you {day}?"
        1 => return good
        2 => return bad
        silence, other => again
        after 2 tries => return unknown
    }
}
"#;
    let expected = "answer\nmenu 1,2 \"How are you <today>?\" -> 2\nsay \"Sorry.\"\n\
                    menu 1,2 \"How are you <tomorrow>?\" -> other\nmenu 1,2 \"How are you <tomorrow>?\" -> silence\n\
                    note end = unknown\nhang up\nend: gone\n";
    assert_eq!(heard(text, &["2", "other", "silence"]), expected);
}

#[test]
fn finally_runs_once_inner_first_on_every_way_out() {
    let text = r#"
flow f {
    answer
    let n = 7
    run g(n)
    say "Back."
    hang up

    finally { note f = n else 0 }
}

flow g(n: Int) {
    say "Inside."
    menu {
        say "1 returns, 2 hangs up."
        1 => return
        2 => hang up
        silence, other => return
    }

    finally { note g = n }
}
"#;
    let menu = "menu 1,2 \"1 returns, 2 hangs up.\"";
    let start = "answer\nsay \"Inside.\"\n";
    let end = "note f = 7\nend: gone\n";
    let case = |script: &[&str], middle: String| assert_eq!(heard(text, script), format!("{middle}{end}"));
    case(&["1"], format!("{start}{menu} -> 1\nnote g = 7\nsay \"Back.\"\nhang up\n"));
    case(&["2"], format!("{start}{menu} -> 2\nhang up\nnote g = 7\n"));
    case(&["gone"], format!("{start}{menu} -> gone\nnote g = 7\n"));
    case(&["@say gone"], "answer\nsay \"Inside.\" -> gone\nnote g = 7\n".to_owned());
    assert_eq!(heard(text, &["@answer gone"]), "answer -> gone\nnote f = 0\nend: gone\n");
}

#[test]
fn a_fault_has_its_handler_and_then_finally() {
    let text = r#"
service till {
    count(number: Int) -> Int  within 1s
}

flow f {
    answer
    run g()
    hang up

    fault {
        say "Something went wrong."
        hang up
    }

    finally { note f = true }
}

flow g {
    let n = till.count(1) else 1
    say "{n * 4611686018427387904}"
    return

    finally { note g = true }
}
"#;
    let fine = "answer\ntill.count(1) -> ok 1\nsay \"<4611686018427387904>\"\nnote g = true\nhang up\nnote f = true\nend: gone\n";
    assert_eq!(heard(text, &["ok 1"]), fine);
    let fault = heard(text, &["ok 2"]);
    let expected = "answer\ntill.count(1) -> ok 2\nfault overflow at m.flow:25\nnote g = true\n";
    assert!(fault.starts_with(expected), "{fault}");
    let handled = "say \"Something went wrong.\"\nhang up\nnote f = true\nend: gone\n";
    assert!(fault.ends_with(&format!("fault overflow\n{handled}")), "{fault}");
    let stalled = heard(text, &["@answer fault store"]);
    assert_eq!(stalled, format!("answer -> store\nfault store\n{handled}"));
}

#[test]
fn a_call_may_be_refused() {
    assert_eq!(heard("flow f { reject busy }\n", &[]), "reject Busy\nend: gone\n");
}

#[test]
fn the_top_flow_may_return() {
    assert_eq!(heard("flow f {\n    answer\n    return\n}\n", &[]), "answer\nend: returned\n");
}

#[test]
fn the_language_of_the_caller_changes_what_he_hears() {
    let text = r#"languages zh, en

prompt bye {
    zh "再见。"
    en "Goodbye."
}

flow f {
    answer
    play bye
    set caller.language = en
    play bye
    hang up
}
"#;
    assert_eq!(run(text, ""), "answer\nsay \"再见。\"\nsay \"Goodbye.\"\nhang up\nend: gone\n");
}

#[test]
fn a_wait_that_is_worked_out_is_at_most_what_is_allowed() {
    let text = r#"
service clock {
    pause() -> Duration  within 1s
}

flow f {
    answer
    let pause = clock.pause() else 2s
    wait pause
    hang up
}
"#;
    for (given, waited) in [
        ("ok 1500", "wait 1500ms"),
        ("ok 600000", "wait 600000ms"),
        ("ok 600001", "fault overflow at m.flow:13"),
        ("ok -5", "wait 0ms"),
        ("failed", "wait 2000ms"),
    ] {
        let heard = heard(text, &[given]);
        assert!(heard.contains(&format!("{waited}\n")), "{given}:\n{heard}");
    }
}

#[test]
fn hours_are_read_when_they_are_asked() {
    let text = r#"
hours office in "Asia/Shanghai" {
    mon..fri  09:00..18:00
}

flow f {
    answer
    unless office is open { hang up }
    note open = true
    hang up
}
"#;
    let text = format!("{HEAD}{text}");
    let monday = monday_morning();
    let night = runtime_contract::time::Time(monday.0 + 10 * 3_600_000);
    assert_eq!(run_at(&text, "", monday), "answer\nnote open = true\nhang up\nend: gone\n");
    assert_eq!(run_at(&text, "", night), "answer\nhang up\nend: gone\n");
}

#[test]
fn a_stored_graph_runs_as_the_program_it_came_from() {
    use lang_compiler::{Engine, graph_text, load};
    let text = format!("{HEAD}flow f {{\n    answer\n    say \"Hello.\"\n    hang up\n}}\n");
    let built = compiled(&text, Engine::Native);
    let native = load(&built.graph, Engine::Native).unwrap();
    let plain = load(&built.graph, Engine::Interpreter).unwrap();
    assert_eq!(native.meta(), built.program.meta());
    let now = monday_morning();
    assert_eq!(play_script(&native, &plain, "", now), run(&text, ""));
    assert!(graph_text(&built.graph).unwrap().contains("m.f"));
    let torn = load(&built.graph[..built.graph.len() - 1], Engine::Native);
    assert!(torn.is_err_and(|report| report.text.contains("cannot be read")));
}

#[test]
fn nobody_comes_behind_a_loop_whose_first_round_leaves() {
    let menu = "flow f {\n    answer\n    repeat 2 times {\n        menu {\n            say \"Press 1.\"\n            \
                1 => hang up\n            silence, other => say \"No.\" then hang up\n        }\n    }\n}\n";
    let said = "answer\nmenu 1 \"Press 1.\" -> other\nsay \"No.\"\nhang up\nend: gone\n";
    assert_eq!(heard(menu, &["other"]), said);
    let leaves = "flow f {\n    answer\n    repeat 3 times { go s }\n    step s {\n        repeat 2 times { hang up }\n    }\n}\n";
    assert_eq!(heard(leaves, &[]), "answer\nhang up\nend: gone\n");
}

#[test]
fn a_clause_leaves_no_texts_behind() {
    use lang_compiler::Engine;
    use runtime_contract::Type;
    use runtime_contract::pure::{Facts, PureRoom};
    use runtime_contract::value::Value;
    let text = format!(
        "{HEAD}skill technical 1..5\n\nqueue support(name: Text) {{\n    \
         needs technical >= 1 or name + \"!\" == \"Ann!\"\n}}\n\nflow f {{\n    answer\n    \
         queue support(\"Ann\") {{\n        served, unstaffed => hang up\n    }}\n}}\n"
    );
    for engine in [Engine::Native, Engine::Interpreter] {
        let program = compiled(&text, engine).program;
        let needs = program.meta().queues[0].stages[0].needs.clone().unwrap();
        let mut room = PureRoom::default();
        for (name, fits) in [("Ann", 1), ("Eve", 0)] {
            let values = [(&Type::Text, &Value::Text(name.to_owned()))];
            let mut facts = Facts::new(program.meta(), values.into_iter()).unwrap();
            let before = format!("{facts:?}");
            let asked = room.word(&*program, needs.flow, &mut facts, &[0], monday_morning());
            assert_eq!((asked, format!("{facts:?}")), (Ok(fits), before));
        }
    }
}
