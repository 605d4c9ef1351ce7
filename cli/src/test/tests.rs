//! What people and machines read of tests, as they read it. Real time is left out of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop at the first surprise"
)]

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use lang_compiler::{Colours, Compiled, Engine, Project, compile};
use runtime_contract::program::SiteNames;

use super::coverage::{Coverage, heard};
use super::junit;
use super::play::{PlayedTest, Playing, play};
use super::report::{results, summary};

const FLOW: &str = r#"languages zh, en

service crm {
    find(card: private Digits, times: Int) -> Text?  within 1s
}

inbound "+86 400 810 0000" => desk

flow desk {
    answer
    go main

    step main {
        menu {
            say zh "请选择。" en "Please choose."
            1 => go card
            2 => set caller.language = en then go main up to 1 times else hang up
            silence, other => say zh "没有。" en "No such thing." then again
            after 2 tries => hang up
        }
    }

    step card {
        let card = ask private digits 16 {
            say zh "卡号。" en "Card."
            silence, invalid => hang up
        }
        match crm.find(card, 2) {
            ok name => note known = name is some n
            failed => say zh "查不到。" en "Not now."
        }
        hang up
    }

    finally { note outcome = "over" }
}
"#;

/// A test with these lines behind its call.
fn test(name: &str, lines: &[&str]) -> String {
    let call = "call from \"+86 138 0000 0000\" to \"+86 400 810 0000\"";
    let lines: String = [call].iter().chain(lines).map(|line| format!("    {line}\n")).collect();
    format!("test \"{name}\" {{\n{lines}}}\n\n")
}

fn project(tests: &str) -> Project {
    let mut project = Project::default();
    project.add_flow("desk.flow", FLOW);
    project.add_flow("desk_test.flow", format!("use desk: crm\n\n{tests}"));
    project
}

fn compiled(tests: &str) -> Compiled {
    compile(&project(tests), &SiteNames::default(), Engine::Native)
        .unwrap_or_else(|analysis| panic!("{}", analysis.report(Colours::Off, 100).text))
}

fn played<'c>(compiled: &'c Compiled, how: &Playing<'_>) -> Vec<PlayedTest<'c>> {
    let tests: Vec<_> = compiled.tests.iter().collect();
    let mut played = play(&compiled.program, &tests, how);
    played.iter_mut().for_each(|test| test.real = Duration::from_millis(7));
    played
}

/// The report on tests that fail, one after the other.
fn failures(tests: &[(&str, &[&str])]) -> String {
    let compiled = compiled(&tests.iter().map(|(name, lines)| test(name, lines)).collect::<String>());
    results(&compiled, &played(&compiled, &Playing::default()), false, Colours::Off).text
}

#[test]
fn a_failure_shows_the_call_up_to_its_line() {
    let text = failures(&[
        ("a key that the menu does not have", &["press 3", "expect step card"]),
        ("a text of the other language", &["hears \"请选择\"", "press 2", "hears \"卡号\""]),
        ("a service that nothing is given for", &["press 1", "press 4111111111111111", "expect note known = true"]),
        (
            "a value that is another",
            &["given crm.find => \"Li\"", "press 1", "press 4111111111111111", "expect note known = false"],
        ),
        ("a call that goes on", &["hears \"请选择\""]),
        ("a call that is over", &["hang up", "press 1"]),
        ("an end that does not come", &["expect end"]),
        ("a text with other blanks", &["press 2", "hears \"please  choose\""]),
        ("a test that holds", &["hang up", "expect note outcome = \"over\""]),
    ]);
    insta::assert_snapshot!(text);
}

#[test]
fn machines_read_a_line_for_each_test() {
    let compiled = compiled(&[test("holds", &["hang up"]), test("fails", &["press 9", "expect end"])].concat());
    let played = played(&compiled, &Playing::default());
    let sums = summary(&played, 3, Duration::from_millis(9));
    let lines = results(&compiled, &played, false, Colours::Off).json;
    let text = format!("{lines}{}\n{}", sums.json, sums.text);
    insta::assert_snapshot!(text);
}

#[test]
fn build_servers_read_both_kinds_of_time() {
    let compiled = compiled(&[test("holds <&>", &["hang up"]), test("fails", &["press 9", "expect end"])].concat());
    let played = played(&compiled, &Playing::default());
    let text = junit::report(&compiled, &played, Duration::from_millis(9)).unwrap_or_else(|_| panic!("no report"));
    insta::assert_snapshot!(text);
    assert_eq!(schema_problems(&text), "");
    assert!(text.contains("tests=\"2\"") && text.matches("<testcase ").count() == 2);
    assert!(text.contains("failures=\"1\"") && text.matches("<failure ").count() == 1);
    for (right, wrong, problem) in [
        (" failures=\"1\"", "", "'failures' is required"),
        ("tests=\"2\"", "tests=\"two\"", "'two' is not a valid value"),
        (" classname=\"desk_test\"", "", "'classname' is required"),
        ("time=\"0.007\"", "time=\"7 ms\"", "not accepted by the pattern"),
        ("<system-out>", "<system-err></system-err><system-out>", "'system-out': This element is not expected"),
    ] {
        let said = schema_problems(&text.replace(right, wrong));
        assert!(said.contains(problem), "`{wrong}` for `{right}`: {said}");
    }
}

/// What libxml2 has against a file of results, by the rules that build servers read it by; nothing when it is right.
fn schema_problems(xml: &str) -> String {
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/junit.xsd");
    let mut judge = Command::new("xmllint");
    judge.args(["--noout", "--schema", schema, "-"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut judge = judge.spawn().expect("install the package `libxml2-utils`, or run `cargo xtask test`");
    judge.stdin.take().unwrap().write_all(xml.as_bytes()).unwrap();
    let judged = judge.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&judged.stderr).into_owned();
    assert_eq!(judged.status.success(), said.trim() == "- validates", "{said}");
    if judged.status.success() { String::new() } else { said }
}

#[test]
fn coverage_lists_what_no_test_reaches() {
    let tests = [
        test("a number that is known", &["given crm.find => \"Li\"", "press 1", "press 4111111111111111"]),
        test("in English", &["press 2", "hears \"Please\"", "press 2"]),
    ];
    let compiled = compiled(&tests.concat());
    let counting = compiled.counting().unwrap();
    let played = played(&compiled, &Playing { counting: Some(&counting.program), ..Playing::default() });
    assert!(played.iter().all(|test| test.result.passed() && !test.differs));
    let reached = compiled.reached(&counting, &heard(&played), false);
    let coverage = Coverage::new(&compiled, reached, played.len());
    let text = coverage.report().text;
    insta::assert_snapshot!(text);
    assert_eq!((coverage.total().reached, coverage.total().all), (13, 22));
    let json: serde_json::Value = serde_json::from_str(&coverage.report().json).unwrap();
    assert_eq!(json["coverage"]["all"]["arms"]["all"], 10);
    assert_eq!(json["coverage"]["all"]["steps"]["reached"], 4);
    assert_eq!(json["coverage"]["places"].as_array().unwrap().len(), 22);
}

#[test]
fn the_page_shows_each_line_and_needs_nothing_from_elsewhere() {
    let tests = test("a <known> number", &["given crm.find => \"Li\"", "press 1", "press 4111111111111111"]);
    let compiled = compiled(&tests);
    let counting = compiled.counting().unwrap();
    let played = played(&compiled, &Playing { counting: Some(&counting.program), ..Playing::default() });
    let coverage = Coverage::new(&compiled, compiled.reached(&counting, &heard(&played), false), played.len());
    let drawn = lang_compiler::picture::picture(&project(&tests), None, Colours::Off, 100).ok().unwrap();
    let page = super::page::page(&compiled, &coverage, Some(&drawn));
    assert!(!page.contains("http") && !page.contains("<script") && !page.contains("<link"), "{page}");
    let (_, lines) = page.split_once("<h2>desk.flow</h2>").unwrap();
    let line =
        |number: usize| lines.lines().nth(number + 1).unwrap().replace("<span class=", "<").replace("</span>", "");
    assert_eq!(line(16), "<\"n\">   16<\"c\">    1×            <\"hit\">1 =&gt; go card");
    assert_eq!(
        line(17),
        "<\"n\">   17<\"c\">    0×            <\"miss\">2 =&gt; set caller.language = en then go main up to 1 times else \
         hang up <\"chip miss\">go 0× <\"chip miss\">no more times 0×"
    );
    assert_eq!(
        line(25),
        "<\"n\">   25<\"c\">                  <\"hit\">say zh &quot;卡号。&quot; <\"unheard\">en &quot;Card.&quot; \
         <\"chip hit\">zh 1× <\"chip unheard\">en 0×"
    );
    assert!(line(26).ends_with("<\"miss\">silence, invalid =&gt; hang up"), "{}", line(26));
    for drawn in [
        "<figure>\n<svg",
        "✓ 1×</text>",
        "\"key\"",
        "\"key missed\"",
        "class=\"row hears partly\"",
        "<rect class=\"end missed\"",
        "class=\"way missed\" marker-end=\"url(#tipmissed)\"",
    ] {
        assert!(page.contains(drawn), "{drawn}\n{page}");
    }
}

#[test]
fn results_are_in_order_and_stop_at_the_first_failure() {
    let names: Vec<String> = (0..40).map(|at| format!("test {at}")).collect();
    let tests: String = names
        .iter()
        .enumerate()
        .map(|(at, name)| test(name, if at % 7 == 5 { &["hears \"no\""] } else { &["hang up"] }))
        .collect();
    let compiled = compiled(&tests);
    for jobs in [1, 2, 40] {
        let all = played(&compiled, &Playing { jobs: Some(jobs), ..Playing::default() });
        assert!(all.iter().map(|test| &test.result.name).eq(&names));
        let some = played(&compiled, &Playing { jobs: Some(jobs), fail_fast: true, ..Playing::default() });
        assert!(some.iter().map(|test| &test.result.name).eq(&names[..6]), "with {jobs} jobs");
    }
}
