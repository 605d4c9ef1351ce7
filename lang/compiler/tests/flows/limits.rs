//! Limits of a call: what `check` accepts runs to its end at the bound, and one more is refused where it stands.

use std::fmt::Write;

use lang_compiler::{Code, Engine, Project, compile};
use runtime_contract::limits::{FRAME_BYTES_MAX, PURE_COST_MAX, VAULT_VALUES_MAX};
use runtime_contract::program::SiteNames;
use runtime_contract::stack::FRAME_HEADER_WORDS;

use crate::harness::{answers, run};

/// Code, sentence, marked text and help of the first problem; `None` when the text compiles.
fn problem(text: &str) -> Option<(Code, String, String, String)> {
    let mut project = Project::default();
    project.add_flow("m.flow", text);
    match compile(&project, &SiteNames::default(), Engine::Interpreter) {
        Ok(_) => None,
        Err(analysis) => {
            let problem = &analysis.diagnostics[0];
            let marked = analysis.sources.slice(problem.span()).to_owned();
            Some((problem.code, problem.message.clone(), marked, problem.help.clone().unwrap_or_default()))
        }
    }
}

fn cards(times: usize) -> String {
    format!(
        "languages en

service bank {{
    pay(card: private Digits) within 2s
}}

inbound \"+86 400 810 0000\" => f

flow f {{
    answer
    go card

    step card {{
        let card = ask private digits 4 {{
            say \"Your card.\"
            silence, invalid => hang up
        }}
        bank.pay(card) else continue
        go card up to {times} times else hang up
    }}
}}
"
    )
}

#[test]
fn a_call_takes_as_many_private_values_as_the_checker_allows() {
    let tries = |count| answers(["value 1234", "ok"].repeat(count));
    let transcript = run(&cards(VAULT_VALUES_MAX - 1), &tries(VAULT_VALUES_MAX));
    assert!(transcript.ends_with("hang up\nend: gone\n"), "{transcript}");
    let (code, message, marked, help) = problem(&cards(VAULT_VALUES_MAX)).unwrap();
    assert_eq!((code, marked.as_str()), (Code::WorstCaseTooLong, "16"));
    assert_eq!(message, "a call could take 17 private values here, and 16 is the most");
    assert_eq!(help, "`go card up to 15 times else hang up`");
}

#[test]
fn the_number_that_is_offered_compiles_and_the_next_does_not() {
    let flow = |times: u64| {
        format!(
            "languages en\n\nflow f {{\n    go s\n\n    step s {{\n        note n = 1\n        go s up to {times} times else return\n    }}\n}}\n"
        )
    };
    let (_, _, marked, help) = problem(&flow(4_000_000_000)).unwrap();
    assert_eq!(marked, "4000000000");
    let offered: u64 = help.split_whitespace().find_map(|word| word.parse().ok()).unwrap();
    assert_eq!(problem(&flow(offered)), None);
    assert!(problem(&flow(offered + 1)).is_some());
}

#[test]
fn a_public_value_may_go_where_a_private_one_is_wanted() {
    let text = "languages en

service bank {
    pay(card: private Digits) within 2s
    known(phone: Phone?) -> Digits? within 2s
}

inbound \"+86 400 810 0000\" => f

flow f {
    answer
    let card = ask private digits 12..19 {
        say \"Your card.\"
        silence, invalid => \"0000\"
    }
    bank.pay(card) else continue
    note last = card.last(4)
    run keep(\"99\")
    let known = bank.known(caller.number) else none
    run maybe(known)
    go end(known else \"1\")

    step end(secret: private Digits) {
        bank.pay(secret) else continue
        hang up
    }
}

flow keep(secret: private Digits) {
    note length = secret.length
    return
}

flow maybe(secret: private Digits?) {
    if secret is some there { note digits = there.length } else { note digits = 0 }
    return
}
";
    let silent = run(text, &answers(["silence", "ok", "ok 777", "ok"]));
    let keyed = run(text, &answers(["value 411111111111", "ok", "ok none", "ok"]));
    for (transcript, last, length) in [(&silent, "0000", 3), (&keyed, "1111", 0)] {
        assert!(transcript.contains(&format!("note last = {last}\n")), "{transcript}");
        assert!(transcript.contains("note length = 2"), "{transcript}");
        assert!(transcript.contains(&format!("note digits = {length}")), "{transcript}");
        assert!(!transcript.contains("99") && !transcript.contains("411111"), "{transcript}");
        assert!(transcript.ends_with("hang up\nend: gone\n"), "{transcript}");
    }
}

#[test]
fn what_may_be_missing_becomes_as_private_as_what_stands_in_for_it() {
    let text = "languages en

service bank {
    pay(card: private Digits) within 2s
    known(phone: Phone?) -> Digits? within 2s
}

inbound \"+86 400 810 0000\" => f

flow f {
    answer
    let card = ask private digits 16 {
        say \"Your card.\"
        silence, invalid => hang up
    }
    let maybe = bank.known(caller.number) else none
    let either = maybe else card
    bank.pay(either) else continue
    note last = either.last(4)
    let block = maybe else {
        note missed = 1
        card
    }
    note digits = block.length
    hang up
}
";
    let there = run(text, &answers(["value 4111111111112222", "ok 12345", "ok"]));
    let missing = run(text, &answers(["value 4111111111112222", "ok none", "ok"]));
    for (transcript, last, digits) in [(&there, "2345", 5), (&missing, "2222", 16)] {
        assert!(transcript.contains(&format!("note last = {last}\n")), "{transcript}");
        assert!(transcript.contains(&format!("note digits = {digits}\n")), "{transcript}");
        assert!(!transcript.contains("411111"), "{transcript}");
        assert!(transcript.ends_with("hang up\nend: gone\n"), "{transcript}");
    }
}

/// Types of which each holds two of the one before, the last this many deep.
fn doubling(levels: usize) -> String {
    let mut text = "languages en\n\ntype T0 {\n    a: Int\n}\n".to_owned();
    for level in 1..=levels {
        let below = level - 1;
        write!(text, "\ntype T{level} {{\n    a: T{below}\n    b: T{below}\n}}\n").unwrap();
    }
    write!(
        text,
        "\nservice s {{\n    get() -> T{levels} within 1s\n}}\n\nflow f {{\n    let t = s.get() else return\n"
    )
    .unwrap();
    text.push_str("    note t = t\n    return\n}\n");
    text
}

#[test]
fn types_that_double_at_each_level_get_an_answer() {
    assert_eq!(problem(&doubling(5)), None);
    for levels in [10, 12, 20, 60] {
        let (code, message, marked, _) = problem(&doubling(levels)).unwrap();
        assert_eq!((code, marked.as_str()), (Code::WorstCaseTooLong, "T9"), "{message}");
        let most = FRAME_BYTES_MAX / 8 - FRAME_HEADER_WORDS as usize;
        assert_eq!(message, format!("a `T9` takes 512 words, and a flow holds {most} at once"));
    }
}

/// A menu of which each choice leads to a menu, and so on; each last step goes back to the first up to 3 times.
fn plain_and_large(steps: usize) -> String {
    let mut text = "languages en\n\ninbound \"+86 400 810 0000\" => f\n\nflow f {\n    answer\n    go s0\n".to_owned();
    for step in 0..steps {
        let choices: String = (1..=9)
            .map(|key| match step * 9 + key {
                next if next < steps => format!("            {key} => go s{next}\n"),
                _ => format!("            {key} => hang up\n"),
            })
            .collect();
        let back = if step * 9 + 1 < steps { "hang up" } else { "go s0 up to 3 times else hang up" };
        write!(
            text,
            "\n    step s{step} {{\n        menu {{\n            say \"Step {step}.\"\n{choices}            \
             silence, other => again\n            after 3 tries => {back}\n        }}\n    }}\n"
        )
        .unwrap();
    }
    text.push_str("}\n");
    text
}

#[test]
fn a_plain_flow_is_not_refused_however_large() {
    assert_eq!(problem(&plain_and_large(100)), None);
    // More rounds than a call has room for, but only for a caller who goes every way three times and errs each time.
    assert_eq!(problem(&plain_and_large(500)), None);
}

/// A function that holds itself twice would grow without end; those that do so with another grow to the bound.
#[test]
fn a_function_is_worked_out_by_so_many_operations() {
    let doubling = |times: usize| {
        let mut text = "languages en\n\nfunction d0(n: Int) -> Int = n + n\n".to_owned();
        for at in 1..=times {
            writeln!(text, "\nfunction d{at}(n: Int) -> Int = d{0}(n) + d{0}(n)", at - 1).unwrap();
        }
        text
    };
    // 3 operations, then each is twice the one before, a parameter for each, and the call and the sum.
    let operations = |times: u32| (0..times).fold(3, |before, _| 2 * (before + 2) + 1);
    assert!(operations(6) <= PURE_COST_MAX && operations(7) > PURE_COST_MAX);
    assert_eq!(problem(&doubling(6)), None);
    let (code, message, marked, _) = problem(&doubling(40)).unwrap();
    assert_eq!((code, marked.as_str()), (Code::WorstCaseTooLong, "d7"));
    let expected = format!("`d7` is worked out by {} operations, and {PURE_COST_MAX} is the most", operations(7));
    assert_eq!(message, expected);
    // What is worked out already costs nothing more; what waits for others does.
    let chain: Vec<String> = (1..200).map(|at| format!("\nconst c{at} = c{} + 1\n", at - 1)).collect();
    let constants = |chain: String| problem(&format!("languages en\n\nconst c0 = 1\n{chain}"));
    assert_eq!(constants(chain.concat()), None);
    let (code, ..) = constants(chain.into_iter().rev().collect()).unwrap();
    assert_eq!(code, Code::WorstCaseTooLong);
}

/// How many rows a service gives is not known, so `few` is only warned of; `main` passes the limit with none.
#[test]
fn what_is_unsure_inside_hides_nothing_certain() {
    let text = r#"languages en

service crm {
    rows() -> List<Int>  within 1s
}

inbound "+86 400 810 0000" => main

flow main {
    answer
    repeat 200 times { run few() }
    hang up
}

flow few {
    repeat 100 times { run one() }
    return
}

flow one {
    let rows = crm.rows() else []
    for each row in rows { say "{row}" }
    return
}
"#;
    let (code, message, marked, _) = problem(text).unwrap();
    assert_eq!((code, marked.as_str()), (Code::WorstCaseTooLong, "repeat"));
    assert!(message.starts_with("a call could make 40002 requests here"), "{message}");
    assert_eq!(problem(&text.replace("200 times", "2 times")), None);
}

/// An SMS may be answered tomorrow, a call ends after twelve hours.
#[test]
fn only_calls_end_after_twelve_hours() {
    let text = |inbound: &str| {
        format!(
            "languages en\n\ninbound {inbound} => main\n\nflow main {{\n    repeat 80 times {{ run rest() }}\n    \
             hang up\n}}\n\nflow rest {{\n    wait 10m\n    return\n}}\n"
        )
    };
    assert_eq!(problem(&text("chat \"web\"")), None);
    let (_, message, marked, help) = problem(&text("\"+86 400 810 0000\"")).unwrap();
    assert_eq!((marked.as_str(), help.as_str()), ("repeat", "fewer rounds, or shorter waits"));
    assert_eq!(message, "a call could last 13h20m here, and 12h is the most");
}

#[test]
fn loops_count_all_their_rounds() {
    let text = |head: &str| {
        format!(
            "languages en\n\nservice crm {{\n    names() -> List<Text> within 1s\n}}\n\ninbound \"+86 400 810 0000\" => f\n\n\
             flow f {{\n    answer\n    let names = crm.names() else hang up\n    {head} {{ note n = names.length }}\n    hang up\n}}\n"
        )
    };
    assert_eq!(problem(&text("repeat 3_000 times")), None);
    let (code, message, marked, _) = problem(&text("repeat 4_000 times")).unwrap();
    assert_eq!((code, marked.as_str()), (Code::WorstCaseTooLong, "repeat"));
    assert!(message.contains("the journal of a call"), "{message}");
    assert_eq!(problem(&text("for each _name in names")), None);
    // How many rows there are is the world's: the sixteenfold is warned of, not refused.
    assert_eq!(problem(&text("repeat 16 times { for each _name in names { note m = 1 } }\n    repeat 1 times")), None);
    let rounds = text("repeat names.length times");
    let list = (0..256).map(|_| "x").collect::<Vec<_>>().join("; ");
    let heard = run(&rounds, &answers([format!("ok ({list})").as_str()]));
    assert_eq!(heard.matches("note n = 256").count(), 256);
}
