#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may stop at the first surprise")]

use lang_compiler::compile;
use runtime_contract::program::{Bundle, SiteNames};

use super::*;
use crate::test::play::{Playing, play};

const RECORDED: &str = r#"languages en

service crm {
    find(number: Digits) -> Int  within 1s
    pay(card: private Digits)    within 1s
}

inbound "+86 400 810 0000" => main

flow main {
    answer
    say "Hello."
    let number = ask digits 4..6 {
        say "Your number, please."
        silence, invalid => hang up
    }
    match crm.find(number) {
        ok orders => say "You have {orders} orders."
        failed => say "I cannot look."
    }
    menu {
        say "To hear them press 1, to pay press 2."
        1 or "my orders" => say "Your orders."
        2 => go payment
        silence, other => hang up
    }
    hang up

    step payment {
        let card = ask private digits 16..19 {
            say "Your card, please."
            silence, invalid => hang up
        }
        if card.is_valid_card {
            match crm.pay(card) {
                ok => say "Paid, with the card ending in {card.last(4)}."
                failed => say "Not paid."
            }
        }
        hang up
    }
}

test "orders" {
    given crm.find => 3
    call from "+86 138 0000 0000" to "+86 400 810 0000"
    press 1234#
    press 1
    hears "Your orders."
    expect end
}

test "words" {
    given crm.find => 3
    call from "+86 138 0000 0000" to "+86 400 810 0000"
    press 1234#
    says "My orders!"
    hears "Your orders."
    expect end
}

test "payment" {
    given crm.find => 3
    given crm.pay => none
    call from "+86 138 0000 0000" to "+86 400 810 0000"
    press 1234#
    press 2
    press 4111111111111111#
    hears "ending in"
    expect end
}

test "leaves" {
    given crm.find => 3
    call from "+86 138 0000 0000" to "+86 400 810 0000"
    press 1234#
    hears "To hear them"
    hang up
}
"#;

fn compiled(text: &str) -> lang_compiler::Compiled {
    let bundle = Bundle { files: vec![("main.flow".to_owned(), text.as_bytes().into())] };
    match compile(&Project::from_bundle(&bundle), &SiteNames::default(), Engine::Interpreter) {
        Ok(compiled) => compiled,
        Err(analysis) => panic!("{}", analysis.report(lang_compiler::Colours::Off, 100).text),
    }
}

/// The call of a test, given to another text in which some words stand for others: the first difference and how far it
/// came.
#[track_caller]
fn replayed(test: &str, changes: &[(&str, &str)]) -> (String, Aligned) {
    let recorded = compiled(RECORDED);
    let test = recorded.tests.iter().find(|known| known.name == test).unwrap();
    let played = play(&recorded.program, &[test], &Playing::default());
    let result = &played.first().unwrap().result;
    assert!(result.passed(), "{:?}", result.failure);
    // What its tests would say of it is of no account.
    let flows = RECORDED.split("test \"orders\"").next().unwrap();
    let other = changes.iter().fold(flows.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "{old}");
        text.replace(old, new)
    });
    let journal = result.journals.first().unwrap();
    let compared = compare(&recorded.program, journal, &compiled(&other).program, true).unwrap_or_else(|_| panic!());
    (compared.difference().unwrap_or_default(), compared.aligned)
}

#[track_caller]
fn shows(said: &str, wanted: &[&str]) {
    for text in wanted {
        assert!(said.contains(text), "`{text}` is not in\n{said}");
    }
}

#[test]
fn what_callers_do_not_notice_is_no_difference() {
    for test in ["orders", "payment", "leaves"] {
        let moved = ("step payment {", "step paying {");
        let (said, aligned) = replayed(test, &[moved, ("go payment", "go paying"), ("flow main {", "\nflow main {")]);
        assert_eq!((said.as_str(), aligned.lost, aligned.assumed), ("", None, 0), "{test}");
    }
    // More keys are taken, and another choice is there besides.
    let (said, aligned) =
        replayed("orders", &[("digits 4..6", "digits 4..8"), ("2 => go", "3 => hang up\n        2 => go")]);
    assert_eq!((said.as_str(), aligned.lost), ("", None));
}

#[test]
fn the_first_difference_is_told_with_its_places() {
    let (said, aligned) = replayed("orders", &[("Your orders.", "These are your orders.")]);
    shows(
        &said,
        &["then  says     Your orders.   main.flow:23", "now   says     These are your orders.   main.flow:23"],
    );
    assert_eq!((aligned.lost, aligned.assumed), (None, 0));
    // The same words at another place in the flow are answered as they were.
    let more = "say \"We record calls.\"\n    let number";
    let (said, aligned) = replayed("payment", &[("let number", more)]);
    shows(&said, &["then  says     Your number, please.", "now   says     We record calls."]);
    assert_eq!(aligned.lost, None, "it is heard, and the call goes on");
}

#[test]
fn keys_are_pressed_whatever_they_mean_now() {
    let (said, aligned) = replayed("orders", &[("=> say \"Your orders.\"", "=> say \"Press 2 for more.\"")]);
    shows(&said, &["now   says     Press 2 for more."]);
    assert_eq!(aligned.lost, None);
    let (said, aligned) = replayed("orders", &[("        1 or", "        3 or")]);
    shows(&said, &["then  →        1", "now   →        other"]);
    assert_eq!(aligned.lost, None, "a key that is not in the menu is `other`");
}

#[test]
fn words_are_said_whatever_they_mean_now() {
    let (said, aligned) =
        replayed("words", &[("        1 or \"my orders\"", "        3 or \"status\", \"my orders\"")]);
    shows(&said, &["then  →        1", "now   →        3"]);
    assert_eq!((aligned.lost, aligned.assumed), (None, 0));
    let (said, aligned) = replayed("words", &[(" or \"my orders\"", "")]);
    shows(&said, &["then  words    my orders", "now   words    •••"]);
    assert_eq!(aligned.lost, None, "a phrase that is not in the menu is `other`");
}

#[test]
fn a_question_that_nobody_was_asked_ends_it() {
    let new = "let age = ask 1..120 {\n        say \"Your age?\"\n        silence, invalid => hang up\n    }\n    note age = age\n    menu {";
    let (said, aligned) = replayed("orders", &[("menu {", new)]);
    shows(&said, &["now   says     Your age?"]);
    assert_eq!(aligned.lost, Some(Lost::NeverAsked));
    // A menu before that of the journal does not get its keys, though its site has its name now.
    let new = "menu {\n        say \"For Chinese press 1.\"\n        1 => continue\n        silence, other => continue\n    }\n    menu {";
    let (_, aligned) = replayed("orders", &[("menu {", new)]);
    assert_eq!(aligned.lost, Some(Lost::NeverAsked));
    let (_, aligned) = replayed("orders", &[("+86 400 810 0000", "+86 400 810 0001")]);
    assert_eq!((aligned.lost, aligned.requests), (Some(Lost::NoEntry), 0));
}

#[test]
fn answers_to_other_arguments_are_assumed_and_those_of_another_type_lost() {
    let (said, aligned) = replayed("orders", &[("crm.find(number)", "crm.find(\"77\")")]);
    shows(&said, &["then  service  crm.find(number: 1234)", "now   service  crm.find(number: 77)"]);
    assert_eq!((aligned.lost, aligned.assumed), (None, 1));
    let (_, aligned) = replayed("orders", &[("-> Int  within", "-> Text  within")]);
    assert_eq!(aligned.lost, Some(Lost::OtherType));
}

#[test]
fn of_private_values_only_what_was_seen_of_them_is_known() {
    let (said, aligned) = replayed("payment", &[("card.last(4)", "card.last(3)")]);
    shows(&said, &["one one one one.", "ending in one one one."]);
    assert_eq!(aligned.lost, None);
    let (_, aligned) = replayed("payment", &[("card.is_valid_card", "card.length == 16")]);
    assert_eq!(aligned.lost, Some(Lost::Private));
    let (_, aligned) = replayed("payment", &[("private digits 16..19", "private digits 20..25")]);
    assert_eq!(aligned.lost, None, "that there are too few of them is known");
}

#[test]
fn a_caller_leaves_where_he_left() {
    let (said, aligned) = replayed("leaves", &[("You have {orders} orders.", "There are {orders} orders for you.")]);
    shows(&said, &["now   says     There are three orders for you."]);
    assert_eq!(aligned.lost, None);
    // The menu at which he left is gone: he leaves at that time.
    let menu = RECORDED.find("    menu {").zip(RECORDED.find("}\n\ntest \"orders\"")).unwrap();
    let menu = RECORDED.get(menu.0..menu.1).unwrap();
    let busy = "    say \"We are busy.\"\n    wait 1m\n    say \"Still.\"\n    hang up\n";
    let (said, aligned) = replayed("leaves", &[(menu, busy)]);
    shows(&said, &["now   says     We are busy."]);
    assert_eq!(aligned.lost, None);
}
