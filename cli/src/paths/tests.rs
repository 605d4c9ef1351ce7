//! What `strowger paths` finds of real flows plays as tests on both engines, and reaches what it says.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop at the first surprise"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use lang_compiler::{Colours, Compiled, Engine, Heard, Project, Reached, ReachedKind, compile};
use runtime_contract::program::SiteNames;
use runtime_simulator::play_test;

use super::found::{Entries, Found, explore};
use super::test_file;
use super::written::Lines;
use crate::test::manual::chapters;

const FILE: &str = "paths_test.flow";

fn compiled(project: &Project) -> Compiled {
    compile(project, &SiteNames::default(), Engine::Native)
        .unwrap_or_else(|analysis| panic!("{}", analysis.report(Colours::Off, 100).text))
}

/// What was found of a project, and its tests as a file.
fn found(project: &Project, states_max: usize) -> (Compiled, Found, String) {
    let compiled = compiled(project);
    let found = explore(&compiled, Entries::all(compiled.program.meta()), states_max).unwrap();
    assert_eq!(found.left_out, [], "all that is found can be played");
    let services = project.service_modules();
    let text = test_file(&mut Lines::new(compiled.program.meta(), &services), &found.scripts);
    (compiled, found, text)
}

/// The tests as they are written compile, are in their canonical form, hold on both engines, and reach all that is
/// reached.
#[track_caller]
fn check(mut project: Project, states_max: usize) -> Found {
    let (_, found, text) = found(&project, states_max);
    assert_eq!(lang_compiler::format(&text), text);
    project.add_flow(FILE, &text);
    let whole = compiled(&project);
    let tests: Vec<_> = whole.tests.iter().filter(|test| test.files.iter().any(|file| file == FILE)).collect();
    let tests: Vec<_> =
        tests.into_iter().filter(|test| found.scripts.iter().any(|own| own.name == test.name)).collect();
    assert!(tests.len() >= found.scripts.len());
    let counting = whole.counting().unwrap();
    for test in tests {
        let result = play_test(&whole.program, test);
        assert!(result.passed(), "{}: {:?}\n{text}", test.name, result.failure);
        assert_eq!(play_test(&counting.program, test), result);
    }
    let place = |reached: &Reached| (reached.place.line, reached.place.column, reached.label.clone());
    let wanted: BTreeSet<_> = found.reached.iter().map(place).collect();
    let places = |reached: &[Reached]| -> Vec<_> {
        let own = reached.iter().filter(|reached| reached.kind != ReachedKind::Prompt && reached.count > 0);
        own.map(place).filter(|place| wanted.contains(place)).collect()
    };
    assert_eq!(places(&whole.reached(&counting, &Heard::new(), false)), places(&found.reached));
    found
}

fn project(flow: &str) -> Project {
    let mut project = Project::default();
    project.add_flow("main.flow", flow);
    project
}

#[test]
fn a_few_calls_reach_every_arm_of_the_examples() {
    let examples = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples"));
    let mut folders: Vec<_> = examples.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    for folder in folders.iter().filter(|folder| folder.join("strowger.yaml").is_file()) {
        let mut bundle = crate::project::open(folder).unwrap_or_else(|_| panic!("{}", folder.display())).bundle;
        bundle.files.retain(|(name, _)| !name.ends_with("_test.flow"));
        let found = check(Project::from_bundle(&bundle), 100_000);
        let missed: Vec<_> = found.reached.iter().filter(|reached| reached.count == 0).collect();
        assert!(missed.is_empty() && found.bound.is_none(), "{}: {missed:#?}", folder.display());
        assert!(found.scripts.len() < found.reached.len(), "{}", folder.display());
    }
}

#[test]
fn calls_of_the_manual_play_as_they_are_found() {
    let chapters = chapters::chapters(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../lang/spec")));
    let mut played = 0;
    for shown in chapters::shown(&chapters).iter().filter(|shown| shown.marks.is_empty()) {
        let mut project = Project::default();
        for file in &shown.files {
            project.add_flow(&file.name, &file.text);
        }
        let (compiled, found, _) = found(&project, 500);
        for missed in found.reached.iter().filter(|reached| reached.count == 0) {
            let arm = compiled.analysis.sources.slice(missed.span);
            let of_survey = |flow: &String| compiled.program.meta().surveys.iter().any(|survey| survey.name == *flow);
            assert!(!arm.starts_with("full ") && !missed.flows.iter().any(of_survey), "{arm}");
        }
        played += found.scripts.len();
    }
    assert!(played > 200, "{played}");
}

const BANK: &str = "languages en\n\
    enum Tier { gold, plain }\n\
    type Account {\n    balance: Money\n    tier: Tier\n    rows: List<Int>\n}\n\
    service bank {\n    account(number: Digits) -> Account?\n}\n\
    inbound \"+44 20 7946 0000\" => desk\n\
    flow desk {\n    answer\n    let number = ask digits 1..12 {\n        say \"Your number?\"\n        \
    silence, invalid => hang up\n    }\n    if number.length == 7 { say \"Seven.\" }\n    \
    let account = bank.account(number) else none\n    if account is some a {\n        \
    if a.balance < 100.00 GBP and a.tier is gold { say \"Gold and low.\" }\n        \
    for each row in a.rows {\n            if row == 42 { say \"There.\" }\n        }\n    }\n    hang up\n}\n";

#[test]
fn services_answer_what_the_flow_looks_for() {
    let found = check(project(BANK), 10_000);
    assert!(found.reached.iter().all(|reached| reached.count > 0), "{:#?}", found.reached);
    let (_, _, text) = self::found(&project(BANK), 10_000);
    for wanted in ["press 1234567#", "99.00 GBP, tier: gold", "rows: [42]", "use main: Account, bank"] {
        assert!(text.contains(wanted), "{wanted} is not in\n{text}");
    }
}

#[test]
fn numbers_lie_in_the_bounds_of_their_types() {
    let flow = "languages en\nenum Mood { calm, angry(level: Int 1..5) }\ntype Person {\n    score: Int 0..100\n    \
                mood: Mood\n    rows: List<Int 3..4>\n}\nservice s {\n    person() -> Person\n    left() -> Int 1..9?\n}\n\
                inbound \"+44 20 7946 0000\" => desk\nflow desk {\n    answer\n    match s.person() {\n        \
                ok p => match p.score {\n            0 => say \"None.\"\n            1..99 => say \"Some.\"\n            \
                100 => say \"All.\"\n        }\n        failed => hang up\n    }\n    \
                let left = s.left() else none\n    if left is some n and n == 9 { say \"Nine.\" }\n    hang up\n}\n";
    let found = check(project(flow), 10_000);
    assert!(found.reached.iter().all(|reached| reached.count > 0), "{:#?}", found.reached);
}

#[test]
fn what_no_caller_can_do_is_not_shown_reachable() {
    let flow = "languages en\nservice s {\n    n() -> Int\n}\ninbound \"+44 20 7946 0000\" => desk\nflow desk {\n    \
                answer\n    let n = s.n() else 0\n    if n * n == 15 { say \"Never.\" }\n    hang up\n}\n";
    let found = check(project(flow), 10_000);
    let missed: Vec<_> = found.reached.iter().filter(|reached| reached.count == 0).collect();
    assert!(matches!(missed.as_slice(), [only] if only.place.line == 9), "{missed:#?}");
}

#[test]
fn one_service_may_answer_differently_within_one_call() {
    let flow = "languages en\nservice s {\n    ready() -> Bool\n}\ninbound \"+44 20 7946 0000\" => desk\nflow desk {\n    \
                answer\n    let first = s.ready() else false\n    let second = s.ready() else false\n    \
                say \"Wait.\"\n    let last = s.ready() else false\n    if first and not second { say \"Odd.\" }\n    \
                if first { say \"First.\" }\n    if last { say \"Last.\" }\n    hang up\n}\n";
    let found = check(project(flow), 10_000);
    // Between two calls of one service a test can say nothing new, unless the caller hears something.
    let counts: BTreeMap<u32, u64> = found.reached.iter().map(|reached| (reached.place.line, reached.count)).collect();
    assert_eq!((counts[&12], counts[&13] > 0, counts[&14] > 0), (0, true, true), "{counts:?}");
}

#[test]
fn choices_without_keys_are_said() {
    let flow = "languages en\ninbound \"+44 20 7946 0000\" => desk\nflow desk {\n    answer\n    menu {\n        \
                say \"Say open or close.\"\n        1 or \"open\" => say \"Opened.\"\n        \"close\" => say \"Closed.\"\n        \
                silence, other => again\n        after 2 tries => continue\n    }\n    hang up\n}\n";
    let found = check(project(flow), 10_000);
    assert!(found.reached.iter().all(|reached| reached.count > 0), "{:#?}", found.reached);
}

const SHOP: &str = "languages en\nskill tickets 1..5\nenum Sale { sold, lost }\n\
    hours office in \"Europe/London\" {\n    mon..fri 09:00..17:00\n}\n\
    inbound \"+44 20 7946 0000\" => desk\n\
    queue office_desk {\n    needs tickets >= 3\n    wrap up 20s as Sale\n    timeout 2m\n    limit 3 waiting\n    \
    open office\n    every 45s {\n        say \"You are {position}. Press 1 to be called back.\"\n        \
    offer callback on 1\n    }\n}\n\
    flow desk {\n    answer\n    queue office_desk {\n        served sale => match sale {\n            \
    sold => note outcome = \"sold\"\n            lost => note outcome = \"lost\"\n        }\n        \
    callback => say \"Goodbye.\" then hang up\n        timeout => say \"Nobody has time.\"\n        \
    full => say \"Too many wait.\"\n        closed => say \"We are closed.\"\n        \
    unstaffed => say \"Nobody is there.\"\n    }\n    return\n}\n";

#[test]
fn agents_are_there_as_each_outcome_of_a_queue_needs_them() {
    let found = check(project(SHOP), 10_000);
    assert!(found.reached.iter().all(|reached| reached.count > 0), "{:#?}", found.reached);
    let (_, _, text) = self::found(&project(SHOP), 10_000);
    for wanted in
        ["agent \"ann\" idle with tickets 5", "agent \"ann\" picks lost", "press 1", "given office_desk => full"]
    {
        assert!(text.contains(wanted), "{wanted} is not in\n{text}");
    }
}

#[test]
fn of_two_queues_the_second_may_be_full_and_stays_so() {
    let flow = "languages en\ninbound \"+44 20 7946 0000\" => desk\nqueue first {\n    timeout 1m\n}\n\
                queue second {\n    limit 3 waiting\n    timeout 1m\n}\nflow desk {\n    answer\n    queue first {\n        \
                served, timeout, unstaffed => go next\n    }\n\n    step next {\n        queue second {\n            \
                full => go full_there\n            served, timeout, unstaffed => say \"Once more.\" then go again_there\n        \
                }\n    }\n\n    step again_there {\n        queue second {\n            full => note later = true\n            \
                served, timeout, unstaffed => hang up\n        }\n        hang up\n    }\n\n    step full_there {\n        \
                say \"Full.\"\n        queue second {\n            full => hang up\n            \
                served, timeout, unstaffed => say \"Never.\"\n        }\n        hang up\n    }\n}\n";
    let found = check(project(flow), 10_000);
    let missed = found.reached.iter().filter(|reached| reached.count == 0).map(|reached| reached.place.line);
    let never = flow.lines().position(|line| line.contains("Never.")).unwrap() + 1;
    assert_eq!(missed.collect::<Vec<_>>(), [never as u32]);
}

const SURVEYED: &str = "    question score 1..5 \"From 1 to 5?\"\n    question words text up to 20 \"What else?\"\n    \
    if words == \"Boats.\" { notify \"shop\" \"He wants boats.\" }\n    if words is none { note wrote = false }\n    \
    thank \"Thank you.\"\n}\n";

/// With a wrap-up, or without.
fn surveyed(by: &str, is_written_up: bool) -> String {
    let (sale, clause, served, end) = match is_written_up {
        true => (
            "enum Sale { sold, lost }\n",
            "    wrap up 20s as Sale\n",
            "served _sale => note written = true",
            "    return\n",
        ),
        false => ("", "", "served => hang up", ""),
    };
    format!(
        "languages en\n{sale}inbound \"+44 20 7946 0000\" => desk\nqueue office {{\n    \
         timeout 2m\n{clause}}}\nsurvey csat after office {{\n    by {by}\n{SURVEYED}\
         flow desk {{\n    answer\n    queue office {{\n        {served}\n        \
         timeout, unstaffed => hang up\n    }}\n{end}}}\n"
    )
}

#[test]
fn surveys_are_held_on_the_line_and_in_writing() {
    for (by, is_written_up) in [("voice, sms", false), ("sms", false), ("sms", true)] {
        let flow = surveyed(by, is_written_up);
        let found = check(project(&flow), 10_000);
        assert!(found.reached.iter().all(|reached| reached.count > 0), "{flow}: {:#?}", found.reached);
        let (_, _, text) = self::found(&project(&flow), 10_000);
        assert!(text.contains("says \"Boats.\""), "{text}");
    }
}

#[test]
fn texts_are_tried_that_are_too_long() {
    let flow = "languages en\ninbound chat \"web\" => desk\nflow desk {\n    answer\n    \
                let wish = ask text up to 20 {\n        say \"Your wish?\"\n        silence => hang up\n        \
                invalid => say \"Shorter.\" then again\n        after 2 tries => hang up\n    }\n    \
                if wish == \"Boats.\" { say \"Boats it is.\" }\n    hang up\n}\n";
    let found = check(project(flow), 10_000);
    assert!(found.reached.iter().all(|reached| reached.count > 0), "{:#?}", found.reached);
    let (_, _, text) = self::found(&project(flow), 10_000);
    for wanted in ["says \"Hello. Hello. Hello..\"", "says \"Boats.\""] {
        assert!(text.contains(wanted), "{wanted} is not in\n{text}");
    }
}

#[test]
fn who_writes_replies() {
    let flow = "languages en\ninbound chat \"web\" => desk\nflow desk {\n    answer\n    menu {\n        say \"1 for one.\"\n        \
                1 => say \"One.\"\n        \"two\" => say \"Two.\"\n        silence, other => again\n        \
                after 2 tries => hang up\n    }\n    let code = ask digits 4 {\n        say \"The code?\"\n        \
                silence => hang up\n        invalid => say \"Four figures.\" then again\n        \
                after 2 tries => hang up\n    }\n    if code == \"4711\" { say \"That is it.\" }\n    hang up\n}\n";
    let found = check(project(flow), 10_000);
    assert!(found.reached.iter().all(|reached| reached.count > 0), "{:#?}", found.reached);
    let (_, _, text) = self::found(&project(flow), 10_000);
    for wanted in ["chat from \"visitor\" to \"web\"", "says \"1\"", "says \"two\"", "says \"4711\""] {
        assert!(text.contains(wanted), "{wanted} is not in\n{text}");
    }
}

const RENEWAL: &str = "languages en\nenum Talk { yes, no }\ntype Lead {\n    phone: Phone\n    age: Int 18..99\n    \
    permission: Permission\n}\n\
    cadence renew(lead: Lead) {\n    consent lead.permission for sales\n    law us_tsr\n    \
    window daily 10:00..18:00 in \"America/New_York\"\n    attempts 3\n    \
    dial lead.phone from \"+1 212 555 0100\" {\n        person => match run talk(lead) {\n            \
    yes => stop won\n            no => stop lost\n            hangup => retry in 1d\n        }\n        \
    machine => say \"Hello.\" then retry in 1d\n        busy => retry in 15m\n        unanswered => retry in 4h\n        \
    declined => stop declined\n        unreachable => stop bad_number\n    }\n    exhausted => stop unheard\n}\n\
    flow talk(lead: Lead) -> Talk {\n    if lead.age > 64 { say \"You travel for half.\" }\n    menu {\n        \
    say \"1 for yes, 2 for no.\"\n        1 => return yes\n        2 => return no\n        \
    silence, other => again\n        after 2 tries => return no\n    }\n}\n";

#[test]
fn everybody_is_called_out_in_every_way() {
    let found = check(project(RENEWAL), 10_000);
    assert!(found.reached.iter().all(|reached| reached.count > 0), "{:#?}", found.reached);
    let (_, _, text) = self::found(&project(RENEWAL), 10_000);
    for wanted in ["age: 65, permission: given_for(sales)", "dial gives unanswered", "expect stopped unheard"] {
        assert!(text.contains(wanted), "{wanted} is not in\n{text}");
    }
}

#[test]
fn what_is_sent_arrives_and_does_not() {
    let flow = RENEWAL.replace("exhausted => stop", "exhausted => send sms \"We missed you.\" then stop")
        + "service crm {\n    other(number: Phone) -> Phone?\n}\n\
           when undelivered in renew as text => match crm.other(text.number) {\n    \
           ok found => if found is some number { send sms to number \"Once more.\" }\n    \
           failed => open case lost_text\n}\n";
    let found = check(project(&flow), 10_000);
    assert!(found.reached.iter().all(|reached| reached.count > 0), "{:#?}", found.reached);
    let (_, _, text) = self::found(&project(&flow), 10_000);
    for wanted in ["send gives undelivered", "given crm.other => failed", "expect case lost_text"] {
        assert!(text.contains(wanted), "{wanted} is not in\n{text}");
    }
    assert!(!text.contains("send gives delivered"), "it does so by itself\n{text}");
}

#[test]
fn records_with_private_fields_are_given() {
    let flow = "languages en\ntype Person {\n    name: Text\n    card: private Digits?\n}\n\
                service crm {\n    find() -> Person?\n}\ninbound \"+44 20 7946 0000\" => desk\nflow desk {\n    answer\n    \
                let person = crm.find() else none\n    if person is some p and p.card is some card {\n        \
                if card.is_valid_card { say \"{p.name}, your card is known.\" }\n    }\n    hang up\n}\n";
    let found = check(project(flow), 10_000);
    assert!(found.reached.iter().all(|reached| reached.count > 0), "{:#?}", found.reached);
    let (compiled, found, text) = self::found(&project(flow), 10_000);
    assert!(text.contains("Person(name: \"Ann\", card: \"4111111111111111\")"), "{text}");
    for script in &found.scripts {
        let told: Vec<String> =
            play_test(&compiled.program, script).transcript.iter().map(|line| line.what.to_string()).collect();
        assert!(!told.iter().any(|line| line.contains("4111")), "{told:#?}");
    }
}
