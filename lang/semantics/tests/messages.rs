//! How problems read. One snapshot for each kind of sentence that carries more than a name.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop at the first surprise"
)]

mod support;

use support::{Sample, analyzed};

fn rendered(text: &str) -> String {
    analyzed(&Sample::new(text)).rendered()
}

#[test]
fn a_cycle_is_printed() {
    insta::assert_snapshot!(rendered(
        "flow a {
    go first

    step first {
        go second
    }

    step second {
        go first
    }
}
"
    ));
}

#[test]
fn a_private_leak_shows_the_way_of_the_value() {
    insta::assert_snapshot!(rendered(
        "languages en

flow a {
    answer
    let card = ask private digits 16 {
        say \"Your card.\"
        silence, invalid => hang up
    }
    let number = card
    say \"It is {number}.\"
    hang up
}
"
    ));
}

#[test]
fn a_missing_outcome_and_a_misspelt_one() {
    insta::assert_snapshot!(rendered(
        "languages en

service crm {
    find(phone: Phone?) -> Text  within 1s
}

flow a {
    match crm.find(caller.number) {
        ok name => note name = name
    }
    match crm.find(caller.number) {
        ok name => note name = name
        faild => continue
    }
    return
}
"
    ));
}

#[test]
fn a_name_without_value_shows_the_way_that_lacks_it() {
    insta::assert_snapshot!(rendered(
        "languages en

flow a {
    answer
    if caller.number is none { go end }
    let number = caller.number else \"+86 138 0000 0000\"
    go end

    step end {
        note number = number
        hang up
    }
}
"
    ));
}

#[test]
fn the_way_on_which_nobody_says_that_it_is_recorded_is_shown() {
    insta::assert_snapshot!(rendered(
        "languages en

inbound \"+44 20 7946 0000\" => main

service crm {
    is_member(number: Phone?) -> Bool
}

flow main {
    answer
    let member = crm.is_member(caller.number) else false
    if member { say \"This call is recorded.\" }
    run talk()
    recording on
    hang up
}

flow talk {
    if caller.number is none { hang up }
    recording on
    connect to extension \"107\" else say \"Nobody is there.\"
    recording off
    return
}
"
    ));
}

#[test]
fn a_flow_that_needs_the_caller_says_where() {
    insta::assert_snapshot!(rendered(
        "languages en

inbound \"+86 400 810 0000\" => a

flow a {
    run greeting()
    return
}

flow greeting {
    say \"Hello.\"
    return
}
"
    ));
}

#[test]
fn the_least_number_that_makes_a_call_too_long_is_named() {
    insta::assert_snapshot!(rendered(
        "languages en

flow a {
    answer
    go card

    step card {
        let card = ask private digits 16 {
            say \"Your card.\"
            silence, invalid => again
            after 3 tries => hang up
        }
        note length = card.length
        go card up to 4000000000 times else hang up
    }

    finally {
        wait 29s
        wait 9m
    }
}
"
    ));
}

#[test]
fn the_shortest_way_to_an_open_end_is_shown() {
    insta::assert_snapshot!(rendered(
        "languages en

service crm {
    find(phone: Phone?) -> Text?
    pay(amount: Money)
}

inbound \"+86 400 810 0000\" => main

flow main {
    answer
    let who = crm.find(caller.number) else none
    match who {
        some name => note who = name
        none => hang up
    }
    go choice

    step choice {
        menu {
            say \"Press 1 or 2.\"
            1 => go far
            2 => go orders
            silence, other => again
            after 3 tries => go orders
        }
    }

    step far {
        go orders
    }

    step orders {
        crm.pay(1.00 USD) else continue
        if caller.number is some number { note number = number }
        unless caller.language is en { hang up }
        crm.pay(2.00 USD) else { hang up }
        menu {
            say \"Press 1.\"
            1 => hang up
            silence, other => again
            after 2 tries => continue
        }
    }
}
"
    ));
}

#[test]
fn a_circle_is_the_shortest_one_with_its_inputs() {
    insta::assert_snapshot!(rendered(
        "languages en

service crm {
    pay(amount: Money)
}

flow main {
    answer
    go choice

    step choice {
        menu {
            say \"Press 1 or 2.\"
            1 => go long_way
            2 => go orders
            silence, other => hang up
        }
    }

    step long_way {
        go orders
    }

    step orders {
        crm.pay(1.00 USD) else { go choice }
        hang up
    }
}
"
    ));
}

#[test]
fn the_way_without_an_answer_is_shown() {
    insta::assert_snapshot!(rendered(
        "languages en

inbound \"+86 400 810 0000\" => main

flow main {
    if caller.number is none { answer }
    run greet()
    hang up
}

flow greet {
    if caller.language is en { note language = \"en\" } else { return }
    say \"Welcome.\"
    return
}
"
    ));
}

#[test]
fn the_way_past_a_value_is_shown() {
    insta::assert_snapshot!(rendered(
        "languages en

enum Level { low, high }

flow level -> Level {
    if caller.number is none { return low }
    return high
}

flow bill {
    answer
    match run level() {
        low => go tell
        high => continue
    }
    let fee = 3
    go other

    step tell {
        note fee = fee
        hang up
    }

    step other {
        note length = fee * 2
        hang up
    }

    fault {
        go other
    }
}
"
    ));
}

#[test]
fn a_leak_shows_the_steps_and_flows_that_the_value_came_through() {
    insta::assert_snapshot!(rendered(
        "languages en

flow main {
    answer
    let card = ask private digits 16 {
        say \"Your card.\"
        silence, invalid => again
        after 2 tries => hang up
    }
    go confirm(card)

    step confirm(number: private Digits) {
        let again_ = number
        run tell(again_)
        hang up
    }
}

flow tell(secret: private Digits) {
    menu {
        say \"Press 1.\"
        1 => continue
        silence, other => return
    }
    say \"It is {secret}.\"
    return
}
"
    ));
}

#[test]
fn in_finally_nobody_is_on_the_line() {
    insta::assert_snapshot!(rendered(
        "languages en

flow main {
    hang up

    finally {
        if caller.number is some number {
            note number = number
            say \"Goodbye.\"
        }
    }
}
"
    ));
}
