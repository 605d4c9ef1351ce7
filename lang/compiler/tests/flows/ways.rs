//! The way that a problem shows is one that a call can take: where the mistake is mended, the inputs of the way lead to
//! what stands there instead.

use lang_compiler::{Analysis, Code, Engine, Project, compile};
use lang_diagnostics::TurnKind;
use runtime_contract::program::SiteNames;

use crate::harness::run;

/// What stands in place of the mistake, and is seen when a call comes there.
const HERE: &str = "note here = \"come\" then hang up";

fn flow(text: &str) -> String {
    format!(
        "languages en\n\ninbound \"+86 400 810 0000\" => main\n\n\
         service bank {{\n    pay(amount: Money)\n    send(card: private Digits)\n}}\n\n{text}"
    )
}

fn analysis(text: &str) -> Analysis {
    let mut project = Project::default();
    project.add_flow("m.flow", text);
    match compile(&project, &SiteNames::default(), Engine::Interpreter) {
        Ok(_) => panic!("it compiles\n{text}"),
        Err(analysis) => *analysis,
    }
}

/// What a way asks of the caller and the world, as lines of a script.
fn script(way: &[String]) -> String {
    let mut lines = String::new();
    for words in way {
        let (words, times) = match words.strip_suffix(" times").and_then(|words| words.rsplit_once(' ')) {
            Some((words, times)) => (words, times.parse().unwrap()),
            None => (words.as_str(), 1),
        };
        let answer = match words.strip_prefix("the caller ") {
            Some("is silent") => "silence",
            Some("presses something else") => "other",
            Some("keys what does not fit") => "invalid",
            Some(words) if words.starts_with("gives") => "value 4111111111111111",
            Some(words) => words.strip_prefix("presses ").unwrap(),
            None if words.ends_with(" fails") => "failed",
            None if words.ends_with(" answers") => "ok",
            None => panic!("{words}"),
        };
        lines.extend(std::iter::repeat_n(format!("{answer}\n"), times));
    }
    lines
}

/// `text` has the mistake between `«` and `»`; without it, the way leads to what stands in its place.
fn leads(code: Code, text: &str, mended: &str, expected: &str) {
    let text = flow(text);
    let (before, rest) = text.split_once('«').unwrap();
    let (wrong, behind) = rest.split_once('»').unwrap();
    let analysis = analysis(&format!("{before}{wrong}{behind}"));
    let [problem] = &analysis.diagnostics[..] else { panic!("{:?}", analysis.diagnostics) };
    let way = problem.ways.last().unwrap_or_else(|| panic!("{problem:?}"));
    assert_eq!((problem.code, way.sentence(&analysis.sources).as_str()), (code, expected));
    let turns = way.turns.iter().filter(|turn| turn.kind == TurnKind::Happens);
    let happens: Vec<String> = turns.map(|turn| turn.words(&analysis.sources)).collect();
    let transcript = run(&format!("{before}{mended}{behind}"), &script(&happens));
    assert!(transcript.contains("note here = "), "the way does not lead there:\n{expected}\n{transcript}");
}

#[test]
fn the_way_through_a_flow_that_is_run() {
    let text = r#"flow pick {
    menu {
        say "Press 1 or 2."
        1 => return
        silence, other => hang up
    }
}

flow main {
    answer
    run pick()
    menu {
        say "Press 3."
        3 => go paid
        silence, other => hang up
    }

    step paid {
        «bank.pay(3 USD) else continue»
    }
}
"#;
    let expected = "a call comes here so: the caller presses 1 in `pick`, the caller presses 3 in `main`, on to `paid`";
    leads(Code::PathDoesNotEnd, text, HERE, expected);
}

#[test]
fn the_way_to_an_open_end() {
    let text = r#"flow main {
    answer
    go main

    step main {
        menu {
            say "Press 1 or 2."
            1 => go long
            2 => go pay
            silence, other => again
            after 3 tries => hang up
        }
    }

    step long {
        menu {
            say "Press 3."
            3 => go pay
            silence, other => hang up
        }
    }

    step pay {
        bank.pay(1.00 USD) else { hang up }
        bank.pay(2.00 USD) else { go late }
        hang up
    }

    step late {
        menu {
            say "Press 1."
            1 => hang up
            silence => again
            other => hang up
            after 2 tries => say "Too late."
        }
«»    }
}
"#;
    let way = "a call comes here so: the caller presses 2 in `main`, `bank.pay` answers and `bank.pay` fails in `pay`, \
               the caller is silent 2 times in `late`";
    leads(Code::PathDoesNotEnd, text, HERE, way);
}

#[test]
fn the_way_that_goes_round() {
    let text = r#"flow main {
    answer
    go main

    step main {
        menu {
            say "Press 1 or 2."
            1 => go long
            2 => go pay
            silence, other => hang up
        }
    }

    step long {
        go pay
    }

    step pay {
        bank.pay(1.00 USD) else { «go main» }
        hang up
    }
}
"#;
    let way = "a call goes round so: the caller presses 2 in `main`, `bank.pay` fails in `pay`, on to `main`";
    leads(Code::UnboundedCycle, text, HERE, way);
}

#[test]
fn the_way_past_an_answer() {
    let text = r#"flow main {
    bank.pay(1.00 USD) else { go unpaid }
    answer
    go unpaid

    step unpaid {
        «say "Hello."»
        hang up
    }
}
"#;
    leads(
        Code::BeforeAnswer,
        text,
        HERE.strip_suffix(" then hang up").unwrap(),
        "a call comes here so: `bank.pay` fails, on to `unpaid`",
    );
}

#[test]
fn the_way_to_a_call_that_is_rejected_too_late() {
    let text = r#"flow main {
    answer
    let code = ask digits 4 {
        say "Your code."
        silence => hang up
        invalid => again
        after 3 tries => go refuse
    }
    note code = code
    hang up

    step refuse {
        «reject busy»
    }
}
"#;
    let way = "a call comes here so: the caller keys what does not fit 3 times, on to `refuse`";
    leads(Code::NoLineHere, text, HERE, way);
}

#[test]
fn the_way_past_a_value() {
    let text = r#"flow main {
    answer
    menu {
        say "Press 1 or 2."
        1 => bank.pay(1.00 USD) else { go tell }
        2 => continue
        silence, other => hang up
    }
    let fee = 3
    note paid = fee
    go tell

    step tell {
        note fee = «fee»
        hang up
    }
}
"#;
    let way = "a call comes here so: the caller presses 1 and `bank.pay` fails, on to `tell`";
    leads(Code::NotAssignedOnEveryPath, text, "3\n        note here = 1", way);
}

#[test]
fn the_way_to_a_leak() {
    let text = r#"flow main {
    answer
    let card = ask private digits 16 {
        say "Your card."
        silence, invalid => hang up
    }
    go send(card)

    step send(number: private Digits) {
        bank.send(number) else { go fail(number) }
        hang up
    }

    step fail(left: private Digits) {
        «say "Sorry, {left} failed."»
        hang up
    }
}
"#;
    let way = "a call comes here so: the caller gives `card`, `bank.send` fails in `send`, on to `fail`";
    leads(Code::PrivateLeak, text, "note here = left.length", way);
}
