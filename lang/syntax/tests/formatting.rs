//! The formatting canon, one rule a test.
#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

use lang_diagnostics::FileId;

fn check(text: &str, expected: &str) {
    let problems = lang_syntax::parse(FileId(0), text).1;
    assert!(problems.is_empty(), "{problems:#?}");
    let formatted = lang_syntax::format(text);
    assert_eq!(formatted, expected, "\n{formatted}");
    assert_eq!(lang_syntax::format(expected), expected);
}

#[test]
fn blanks_and_blank_lines() {
    check(
        "flow  main{\r\n\r\n\tanswer\n\n\n\tnote x=f( a ,b:1,)+-2*( 3 )\n  step  one( n:Int ){hang up}\n  step two {\nhang up\n}\n}\nskill a 1 .. 5\nskill b\nenum E{a,b}",
        "flow main {\n    answer\n\n    note x = f(a, b: 1) + -2 * (3)\n\n    step one(n: Int) { hang up }\n\n    step two {\n        hang up\n    }\n}\n\nskill a 1..5\nskill b\n\nenum E { a, b }\n",
    );
}

#[test]
fn uses_are_sorted_and_parts_of_a_flow_ordered() {
    check(
        "//! File.\nuse z\n// about a\nuse a: b // beside\nuse std.voicemail\n\nflow main {\n    finally { note x = 1 }\n    fault { hang up }\n    // the step\n    step one { hang up }\n    answer\n    go one\n}\n",
        "//! File.\n\nuse std.voicemail\n// about a\nuse a: b  // beside\nuse z\n\nflow main {\n    answer\n    go one\n\n    // the step\n    step one { hang up }\n\n    fault { hang up }\n\n    finally { note x = 1 }\n}\n",
    );
}

#[test]
fn parts_of_a_dialogue_are_ordered() {
    check(
        "flow main {\n    menu {\n        after 3 tries => hang up\n        silence => again\n        # or \"end\" => hang up\n        listen 4s\n        1 => go one\n        say \"One.\"\n    }\n}\n",
        "flow main {\n    menu {\n        say \"One.\"\n        listen 4s\n        # or \"end\" => hang up\n        1 => go one\n        silence => again\n        after 3 tries => hang up\n    }\n}\n",
    );
}

#[test]
fn long_chains_break_before_then_and_else() {
    let (long, other) = ("x".repeat(60), "y".repeat(40));
    check(
        &format!(
            "flow main {{\n    say \"{long}\" then say \"{other}\" then hang up\n    go main(a: \"{long}\") up to 3 times else go other(b: \"{other}\")\n}}\n"
        ),
        &format!(
            "flow main {{\n    say \"{long}\"\n        then say \"{other}\"\n        then hang up\n    go main(a: \"{long}\") up to 3 times\n        else go other(b: \"{other}\")\n}}\n"
        ),
    );
}

#[test]
fn languages_stand_below_one_another_when_they_do_not_fit_or_were_written_so() {
    let (zh, en) = ("一".repeat(30), "e".repeat(30));
    check(
        &format!("flow main {{\n    say zh \"{zh}\" en \"{en}\"\n    say zh \"一\"\n      en \"one\"\n}}\n"),
        &format!("flow main {{\n    say zh \"{zh}\"\n        en \"{en}\"\n    say zh \"一\"\n        en \"one\"\n}}\n"),
    );
}

#[test]
fn blocks_that_do_not_fit_or_hold_more_are_opened() {
    let long = "x".repeat(90);
    check(
        &format!(
            "flow main {{\n    if a {{ say \"{long}\" }}\n    if a {{ go b }} else {{ go c }}\n    if a {{\n        go b }}\n}}\n"
        ),
        &format!(
            "flow main {{\n    if a {{\n        say \"{long}\"\n    }}\n    if a {{ go b }} else {{ go c }}\n    if a {{\n        go b\n    }}\n}}\n"
        ),
    );
}

#[test]
fn comments_stay_with_their_line() {
    check(
        "// first\n\n// second\nflow main { // opens\n    // above\n    say zh \"一\" // beside zh\n        // above en\n        en \"one\" // beside en\n    if a { // then\n        go b\n        // last of then\n    } else { // otherwise\n        go c\n    } // closed\n    // last\n}\n// end\n",
        "// first\n\n// second\nflow main {  // opens\n    // above\n    say zh \"一\"  // beside zh\n        // above en\n        en \"one\"  // beside en\n    if a {  // then\n        go b\n        // last of then\n    } else {  // otherwise\n        go c\n    }  // closed\n    // last\n}\n// end\n",
    );
}

#[test]
fn values_of_clauses_align() {
    check(
        "queue q {\n    needs a\n    wrap up 20s as R\n    every 45s {\n        say \"x\"\n    }\n}\n\nservice s {\n    long_name(a: Text) -> Text within 2s\n    b() within 1s\n}\n\nflow f {\n    match x {\n        a => go one\n        long => go two\n    }\n}\n",
        "queue q {\n    needs    a\n    wrap up  20s as R\n    every 45s {\n        say \"x\"\n    }\n}\n\nservice s {\n    long_name(a: Text) -> Text  within 2s\n    b()                         within 1s\n}\n\nflow f {\n    match x {\n        a => go one\n        long => go two\n    }\n}\n",
    );
}

#[test]
fn a_file_with_mistakes_keeps_its_text() {
    let text = "flow  main {\n  answer hang up\n}\n";
    assert_eq!(lang_syntax::format(text), text);
}

#[test]
fn a_list_keeps_one_value_a_line() {
    check(
        "const A: List<Text> = [ \"a\",\n  \"b\" ]\nconst B: List<Int> = [\n1,\n  2,   3 ]\nconst C: List<Int> = [\n1, // one\n2,\n// three\n3,\n]\nflow f(a: List<Int>) {\n  for each x in [\n1,\n2] { note n = x }\nlet l = g([\n[1,\n2],\n[\n3,\n4]])\n}\n",
        "const A: List<Text> = [\"a\", \"b\"]\nconst B: List<Int> = [1, 2, 3]\n\nconst C: List<Int> = [\n    1,  // one\n    2,\n    // three\n    3\n]\n\nflow f(a: List<Int>) {\n    for each x in [\n        1,\n        2\n    ] {\n        note n = x\n    }\n    let l = g([\n        [1, 2],\n        [\n            3,\n            4\n        ]\n    ])\n}\n",
    );
}

#[test]
fn comments_and_blank_lines_stay_in_a_list() {
    check(
        "const A: List<Int> = [ // opens\n\n  // one\n\n1,\n\n\n2, // two\n\n// three\n3 // beside three\n// last\n\n\n// more\n\n] // closes\nflow f {\n let l = g([\n1\n,\n\n2 // two\n,\n// last\n])\n  for each x in [\n1,\n\n2,\n// last\n] { note n = x } // end\n}\n",
        "const A: List<Int> = [  // opens\n    // one\n\n    1,\n\n    2,  // two\n\n    // three\n    3  // beside three\n    // last\n\n    // more\n]  // closes\n\nflow f {\n    let l = g([\n        1,\n\n        2  // two\n        // last\n    ])\n    for each x in [\n        1,\n\n        2\n        // last\n    ] {\n        note n = x\n    }  // end\n}\n",
    );
    check(
        "const A: List<Int> = [\n  1 // only\n]\nconst B: List<Int> = [1, // one\n 2, 3\n// last\n]\n",
        "const A: List<Int> = [\n    1  // only\n]\n\nconst B: List<Int> = [\n    1,  // one\n    2,\n    3\n    // last\n]\n",
    );
}
