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

#[test]
fn a_reprompt_is_heard_from_the_second_try() {
    let body = r#"
    let n = 2
    go m

    step m {
        menu {
            say "Sales press 1."
            play hint
            reprompt "Press 1 or {n}."
            1 => continue
            2 => hang up
            silence, other => again
            after 3 tries => hang up
        }
        go m up to 1 times else hang up
    }
}

prompt hint {
    "Or 2."
"#;
    let (first, later) = ("menu 1,2 \"Sales press 1. + Or 2.\"", "menu 1,2 \"Press 1 or <2>.\"");
    assert_eq!(
        heard(body, &["silence", "other", "1", "2"]),
        format!("{first} -> silence\n{later} -> other\n{later} -> 1\n{first} -> 2\nhang up\nend: gone\n"),
        "arriving anew begins with the first try"
    );
    assert!(heard(body, &["silence", "other", "silence"]).ends_with("silence\nhang up\nend: gone\n"));
}

#[test]
fn a_span_of_keys_gives_what_was_keyed() {
    let body = r#"
    menu {
        say "Extension?"
        1000..1019 as ext => note ext = ext
        0 => note ext = "operator"
        silence, other => hang up
    }
    hang up"#;
    let menu = "menu 1000..1019,0 \"Extension?\"";
    assert_eq!(
        heard(body, &["1000..1019 1007"]),
        format!("{menu} -> 1000..1019 1007\nnote ext = 1007\nhang up\nend: gone\n")
    );
    assert!(heard(body, &["0"]).contains("note ext = operator\n"));
}

/// Transcript of one `ask` of this kind that gives `value`, noted as `v`.
fn asked(kind: &str, value: &str) -> String {
    let body = format!(
        "    let v = ask {kind} {{\n        say \"What?\"\n        silence, invalid => again\n        \
         after 2 tries => hang up\n    }}\n    note v = v\n    hang up"
    );
    let transcript = heard(&body, &["invalid", value]);
    let noted = transcript.lines().find_map(|line| line.strip_prefix("note v = ")).unwrap();
    noted.to_owned()
}

#[test]
fn each_kind_has_its_type() {
    for (kind, value, noted) in [
        ("1..12", "value 7", "7"),
        ("number", "value 12.5", "12.5"),
        ("amount in CNY", "value 12.50 CNY", "12.5 CNY"),
        ("date", "value 20514", "20514ms"),
        ("time", "value 34200000", "34200000ms"),
        ("phone", "value +8613800000000", "+8613800000000"),
        ("yes or no", "value true", "true"),
    ] {
        assert_eq!(asked(kind, value), noted, "{kind}");
    }
}

#[test]
fn a_voice_is_recorded() {
    let body = r#"
    let words = ask voice up to 60s {
        say "Why?"
        silence => again
        after 2 tries => hang up
    }
    play words
    hang up"#;
    let expected = "record 60000ms \"Why?\" -> silence\nrecord 60000ms \"Why?\" -> recording #3\n\
                    say \"[recording #3]\"\nhang up\nend: gone\n";
    assert_eq!(heard(body, &["silence", "recording 3"]), expected);
}

#[test]
fn a_value_is_confirmed_or_asked_again() {
    let body = r#"
    let amount = ask amount in CNY {
        say "How much?"
        reprompt "How much, once more?"
        confirm "{it}. Press 1 if that is right, 2 if not."
        silence => again
        invalid => say "No." then again
        rejected => say "Again then." then again
        after 5 tries => hang up
    }
    note amount = amount
    hang up"#;
    let (ask, later) = ("ask \"How much?\"", "ask \"How much, once more?\"");
    let confirm = "menu 1,2 \"<12.5 CNY>. Press 1 if that is right, 2 if not.\"";
    assert_eq!(
        heard(body, &["value 12.50 CNY", "1"]),
        format!("{ask} -> value 12.5 CNY\n{confirm} -> 1\nnote amount = 12.5 CNY\nhang up\nend: gone\n")
    );
    let script =
        ["value 12.50 CNY", "2", "value 12.50 CNY", "other", "value 12.50 CNY", "silence", "silence", "invalid"];
    let rounds = [
        format!("{ask} -> value 12.5 CNY\n{confirm} -> 2\nsay \"Again then.\"\n"),
        format!("{later} -> value 12.5 CNY\n{confirm} -> other\nsay \"No.\"\n"),
        format!("{later} -> value 12.5 CNY\n{confirm} -> silence\n"),
        format!("{later} -> silence\n{later} -> invalid\nsay \"No.\"\nhang up\nend: gone\n"),
    ];
    assert_eq!(heard(body, &script), rounds.concat());
}

#[test]
fn a_confirmed_value_may_be_missing() {
    let body = r#"
    let n = ask 1..5 {
        say "How many?"
        confirm "{it}?"
        silence, invalid, rejected => none
    }
    note n = n else 0
    hang up"#;
    assert!(heard(body, &["value 3", "1"]).contains("note n = 3\n"));
    assert!(heard(body, &["value 3", "2"]).contains("note n = 0\n"));
    assert!(heard(body, &["invalid"]).contains("note n = 0\n"));
}

#[test]
fn a_caller_goes_on_to_somebody_else() {
    let body = r#"
    connect to "+86 138 0000 0000" from "+86 400 810 0000" ring 20s {
        ended => say "Back."
        busy, unanswered => say "Nobody."
        declined, unreachable => continue
    }
    connect to extension "107" else say "Not there."
    transfer to "+86 138 0000 0001" else say "Still here."
    hang up"#;
    let one = "connect +8613800000000 from +864008100000 for 20000ms";
    let (two, three) = ("connect 107 for 30000ms", "transfer +8613800000001");
    assert_eq!(
        heard(body, &["ended", "busy", "@transfer gone"]),
        format!("{one} -> ended\nsay \"Back.\"\n{two} -> busy\nsay \"Not there.\"\n{three} -> gone\nend: gone\n")
    );
    assert_eq!(
        heard(body, &["unanswered", "ended"]),
        format!(
            "{one} -> unanswered\nsay \"Nobody.\"\n{two} -> ended\n{three}\nsay \"Still here.\"\nhang up\n\
             end: gone\n"
        )
    );
}

#[test]
fn an_accepted_transfer_ends_the_path() {
    let body = r#"
    go away

    step away {
        transfer to extension "9" { failed => go back }
    }

    step back {
        on voice { say "By voice." } else { go written }
        hang up
    }

    step written {
        say "Written."
        hang up
    }"#;
    assert_eq!(heard(body, &[]), "transfer 9\nsay \"By voice.\"\nhang up\nend: gone\n");
}

#[test]
fn on_voice_leads_on_where_it_does_not_end() {
    let body = r#"
    on voice { hang up } else { say "Written." }
    say "Never by voice."
    hang up"#;
    assert_eq!(heard(body, &[]), "hang up\nend: gone\n");
    let body = r#"
    let n = 2
    if n == 2 { on voice { note v = "voice" } }
    on voice { note w = n } else { hang up }
    hang up"#;
    assert_eq!(heard(body, &[]), "note v = voice\nnote w = 2\nhang up\nend: gone\n");
}

#[test]
fn a_yes_makes_a_permission_and_a_no_is_refused() {
    let body = r#"
    let agreed = ask consent for sales {
        say "May we?"
        silence, invalid => again
        refused => say "We will not." then hang up
        after 2 tries => hang up
    }
    note agreed = agreed.purpose
    note from = agreed.number else "+1 212 555 0100"
    hang up"#;
    let permission = "@consent value (sales; +8613800000000; 5; none; a call)";
    let agreed = heard(body, &["silence", "value true", permission]);
    assert!(agreed.contains("consent sales") && agreed.contains("note agreed = sales\n"), "{agreed}");
    assert!(agreed.contains("note from = +8613800000000\nhang up"), "{agreed}");
    let refused = heard(body, &["invalid", "value false"]);
    assert!(refused.ends_with("say \"We will not.\"\nhang up\nend: gone\n"), "{refused}");
    assert!(!refused.contains("consent sales"), "{refused}");
}
