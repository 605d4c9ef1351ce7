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
