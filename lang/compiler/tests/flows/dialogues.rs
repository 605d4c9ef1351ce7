//! Dialogues on both engines: tries, `again`, `after`, choices, private input, recordings.

use crate::harness::{answers, run};

/// Transcript of the body of a flow, behind `answer`.
fn heard(body: &str, script: &[&str]) -> String {
    let text = format!(
        "languages en\n\ninbound \"+86 400 810 0000\" => f\n\n\
         service bank {{\n    pay(card: private Digits) -> Bool  within 1s\n}}\n\n\
         flow f {{\n    answer\n{body}\n}}\n"
    );
    let heard = run(&text, &answers(script.iter().copied()));
    heard.strip_prefix("answer\n").unwrap().to_owned()
}

#[test]
fn what_stands_before_again_still_happens_at_the_last_try() {
    let body = r#"
    menu {
        say "One?"
        1 => say "Yes."
        other => say "No." then again
        silence => again
        after 2 tries => say "Enough."
    }
    hang up"#;
    let one = "menu 1 \"One?\"";
    assert_eq!(heard(body, &["1"]), format!("{one} -> 1\nsay \"Yes.\"\nhang up\nend: gone\n"));
    assert_eq!(
        heard(body, &["silence", "other"]),
        format!("{one} -> silence\n{one} -> other\nsay \"No.\"\nsay \"Enough.\"\nhang up\nend: gone\n")
    );
    assert_eq!(
        heard(body, &["other", "1"]),
        format!("{one} -> other\nsay \"No.\"\n{one} -> 1\nsay \"Yes.\"\nhang up\nend: gone\n")
    );
}

#[test]
fn arriving_anew_begins_with_the_first_try() {
    let body = r#"
    go m

    step m {
        menu {
            say "One?"
            1 => continue
            silence, other => again
            after 2 tries => hang up
        }
        go m up to 1 times else hang up
    }"#;
    let transcript = heard(body, &["other", "1", "other", "1"]);
    assert_eq!(transcript.lines().filter(|line| line.starts_with("menu")).count(), 4, "{transcript}");
}

#[test]
fn a_dialogue_inside_an_arm_has_tries_of_its_own() {
    let body = r#"
    menu {
        say "Outer"
        1 => hang up
        2 => {
            menu {
                say "Inner"
                1 => say "Inner one."
                silence, other => again
                after 2 tries => say "Inner after."
            }
            again
        }
        silence, other => again
        after 2 tries => say "Outer after."
    }
    hang up"#;
    let expected = "menu 1,2 \"Outer\" -> 2\nmenu 1 \"Inner\" -> other\nmenu 1 \"Inner\" -> 1\nsay \"Inner one.\"\n\
                    menu 1,2 \"Outer\" -> 2\nmenu 1 \"Inner\" -> other\nmenu 1 \"Inner\" -> silence\nsay \"Inner after.\"\n\
                    say \"Outer after.\"\nhang up\nend: gone\n";
    assert_eq!(heard(body, &["2", "other", "1", "2", "other", "silence"]), expected);
}

#[test]
fn an_input_is_a_value_or_leaves() {
    let body = r#"
    let order = ask digits 4..6 {
        say "Your order?"
        silence, invalid => again
        after 2 tries => hang up
    }
    say "Order {order}, {order.length} digits, ends in {order.last(2)}."
    hang up"#;
    let transcript = heard(body, &["invalid", "value 12345"]);
    assert!(transcript.contains("say \"Order <12345>, <5> digits, ends in <45>.\"\n"), "{transcript}");
    assert!(heard(body, &["silence", "invalid"]).ends_with("-> invalid\nhang up\nend: gone\n"));
}

#[test]
fn an_arm_may_give_none_instead() {
    let body = r#"
    let order = ask digits 4 {
        say "Your order?"
        silence, invalid => again
        after 2 tries => none
    }
    if order is some number { say "Order {number}." } else { say "No order." }
    hang up"#;
    assert!(heard(body, &["value 1234"]).ends_with("say \"Order <1234>.\"\nhang up\nend: gone\n"));
    assert!(heard(body, &["silence", "silence"]).ends_with("say \"No order.\"\nhang up\nend: gone\n"));
}

#[test]
fn a_private_input_reaches_only_who_may_have_it() {
    let body = r#"
    let card = ask private digits 12..19 {
        say "Your card?"
        silence => again
        invalid => hang up
        after 2 tries => hang up
    }
    unless card.is_valid_card { note card = "wrong" }
    note digits = card.length
    let paid = bank.pay(card) else false
    if paid { say "Paid with {card.last(4)}." } else { say "Not paid." }
    hang up"#;
    let good = heard(body, &["value 4111111111111111", "ok true"]);
    let expected = "ask \"Your card?\" -> value •\nnote digits = 16\nbank.pay(•) -> ok true\n\
                    say \"Paid with <1111>.\"\nhang up\nend: gone\n";
    assert_eq!(good, expected);
    let wrong = heard(body, &["value 4111111111111112", "failed"]);
    assert!(wrong.contains("note card = wrong\nnote digits = 16\n"), "{wrong}");
    assert!(wrong.contains("say \"Not paid.\"\n"), "{wrong}");
}

#[test]
fn a_recording_is_kept_and_played() {
    let body = r#"
    let words = record up to 30s {
        say "Speak."
        silence => again
        after 2 tries => hang up
    }
    play words
    hang up"#;
    let expected = "record 30000ms \"Speak.\" -> silence\nrecord 30000ms \"Speak.\" -> recording #3\n\
                    say \"[recording #3]\"\nhang up\nend: gone\n";
    assert_eq!(heard(body, &["silence", "recording 3"]), expected);
}

#[test]
fn holes_of_a_prompt_are_computed_at_each_try() {
    let body = r#"
    let n = 41
    menu {
        say "The {n + 1} of {n}."
        1, 2 => hang up
        silence, other => again
        after 3 tries => hang up
    }"#;
    let menu = "menu 1,2 \"The <42> of <41>.\"";
    let expected = format!("{menu} -> other\n{menu} -> 2\nhang up\nend: gone\n");
    assert_eq!(heard(body, &["other", "2"]), expected);
}
