//! Who may take the calls of a queue: needs that are worked out, a relax in time and too late, agents of other queues.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop at the first surprise"
)]

mod support;

use support::{Sample, analyzed};

/// `F0901 message`, by line. Wang has `technical 1`; the queue is given what `argument` says.
fn found(declared: &str, queue: &str, argument: &str) -> Vec<String> {
    let text = format!(
        "//@ agent wang technical 1\nlanguages zh, en\n\nskill technical 1..5\nskill mandarin\n\n{declared}\n\n{queue}\n\n\
        inbound \"+86 400 810 0000\" => main\n\nflow main {{\n    answer\n    queue support{argument} {{\n        \
        served, unstaffed{} => hang up\n    }}\n}}\n",
        if queue.contains("timeout") { ", timeout" } else { "" }
    );
    let problems = analyzed(&Sample::new(&text)).diagnostics;
    problems.iter().map(|problem| format!("{} {}", problem.code.number(), problem.message)).collect()
}

fn needs(declared: &str, condition: &str) -> Vec<String> {
    found(declared, &format!("queue support {{\n    needs {condition}\n}}"), "")
}

const NOBODY: &str = "F0901 nobody may take a call of `support`: no agent has what is needed";
const NOBODY_SO_GOOD: &str = "F0901 nobody may take a call of `support`: no agent has `technical >= 3`";

#[test]
fn a_level_that_is_worked_out_is_a_level() {
    assert_eq!(needs("", "technical >= 1 + 2"), [NOBODY_SO_GOOD]);
    assert_eq!(needs("function least(b: Int) -> Int = b + 2", "technical >= least(1)"), [NOBODY_SO_GOOD]);
    assert_eq!(needs("const LEAST = 6 - 4", "technical > LEAST"), [NOBODY_SO_GOOD]);
    assert_eq!(needs("const LEVELS = [1, 3]", "technical >= LEVELS[2]"), [NOBODY_SO_GOOD]);
    assert_eq!(needs("", "technical >= 2 - 1"), [""; 0]);
    assert_eq!(needs("const LEVELS = [1, 3]", "technical >= LEVELS[1]"), [""; 0]);
}

#[test]
fn a_level_is_worked_with() {
    assert_eq!(needs("", "technical * 2 >= 3"), [NOBODY]);
    assert_eq!(needs("", "3 <= technical + 1"), [NOBODY]);
    assert_eq!(needs("", "not (technical < 2)"), [NOBODY]);
    assert_eq!(needs("", "technical * 3 >= 3"), [""; 0]);
    assert_eq!(needs("", "2 <= technical + 1"), [""; 0]);
}

#[test]
fn whatever_the_queue_is_given() {
    let queue = |ty: &str, condition: &str| format!("queue support(x: {ty}) {{\n    needs {condition}\n}}");
    let nobody = |when: &str| {
        vec![format!("F0901 nobody may take a call of `support` when {when}: no agent has what is needed")]
    };
    let tiers = "enum Tier { plain, gold }\n\nfunction level(t: Tier) -> Int = match t {\n    plain => 1\n    gold => 3\n}\n\n\
        type Case { tier: Tier  level: Int 1..2 }\n\nservice crm {\n    find() -> Case?  within 1s\n}";
    let tiers = &tiers.replace("  level", "\n    level").replace("{ tier", "{\n    tier").replace("..2 }", "..2\n}");
    let known = |argument: &str| found("", &queue("Int 1..4", "technical >= x"), argument);
    assert_eq!(known("(2)"), nobody("`x` is `2`"));
    assert_eq!(known("(1)"), [""; 0]);
    let of_tier = |argument: &str| found(tiers, &queue("Tier", "technical >= level(x)"), argument);
    assert_eq!(of_tier("(Tier.gold)"), nobody("`x` is `gold`"));
    assert_eq!(of_tier("(Tier.plain)"), [""; 0]);
    let of_case = |condition: &str| found(tiers, &queue("Case", condition), "(Case(tier: Tier.plain, level: 1))");
    assert_eq!(of_case("technical > x.level"), nobody("`x.tier` is `plain` and `x.level` is `1`"));
    assert_eq!(of_case("technical >= x.level"), [""; 0]);
}

#[test]
fn whoever_calls() {
    let nobody = |when: &str| {
        vec![format!("F0901 nobody may take a call of `support` when {when}: no agent has what is needed")]
    };
    let by_language = "caller.language is en or caller.language is zh and mandarin";
    assert_eq!(needs("", by_language), nobody("`caller.language` is `zh`"));
    assert_eq!(needs("", "not (caller.number is none) or mandarin"), nobody("`caller.number` is `none`"));
    assert_eq!(needs("", "caller.language is en or caller.language is zh and technical >= 1"), [""; 0]);
}

/// Nothing is proved, and nothing is said, of what has no bounds.
#[test]
fn what_is_not_known_is_not_refused() {
    let given = "function given(t: Text) -> Int = match t {\n    \"a\" => 1\n    else => 4\n}";
    let queue = "queue support(x: Text) {\n    needs technical >= given(x)\n}";
    assert_eq!(found(given, queue, "(called.number.text)"), [""; 0]);
    assert_eq!(found(given, queue, "(\"b\")").len(), 1);
}

#[test]
fn a_relax_counts_that_comes_before_the_timeout() {
    let queue =
        |clauses: &str| found("", &format!("queue support {{\n    needs technical >= 3\n    {clauses}\n}}"), "");
    let late = "F0902 nobody waits so long: the `timeout` of the queue is over by then";
    assert_eq!(queue("relax after 4m to nothing\n    timeout 3m"), [NOBODY_SO_GOOD, late]);
    assert_eq!(queue("relax after 3m to nothing\n    timeout 3m"), [NOBODY_SO_GOOD, late]);
    assert_eq!(queue("relax after 2m to nothing\n    timeout 3m"), [""; 0]);
    assert_eq!(queue("relax after 4m to nothing"), [""; 0]);
}

#[test]
fn the_help_shows_a_relax_that_comes_in_time() {
    let help = |clauses: &str| {
        let text = format!(
            "//@ agent wang technical 1\nskill technical 1..5\n\nqueue support {{\n    needs technical >= 3\n    {clauses}\n}}\n"
        );
        let problems = analyzed(&Sample::new(&text)).diagnostics;
        problems.into_iter().find(|problem| problem.code.number() == "F0901").and_then(|problem| problem.help)
    };
    assert_eq!(help("").unwrap(), "`relax after 60s to nothing`");
    assert_eq!(help("timeout 30s").unwrap(), "`relax after 15s to nothing`");
    let again = help("relax after 40s to technical >= 2\n    timeout 1m").unwrap();
    assert_eq!(again, "a weaker `relax`, as `relax after 50s to nothing`");
}

#[test]
fn agents_of_the_queue_to_which_callers_overflow_count() {
    let queues = |after: &str, least: &str| {
        format!(
            "queue support {{\n    needs mandarin\n    overflow after {after} to office({least})\n    timeout 3m\n}}\n\n\
            queue office(least: Int 1..5) {{\n    needs technical >= least\n}}"
        )
    };
    let nobody = "F0901 nobody may take a call of `support`: no agent has `mandarin`";
    assert_eq!(found("", &queues("10s", "1"), ""), [""; 0]);
    assert_eq!(found("", &queues("4m", "1"), "").first().unwrap(), nobody);
    assert_eq!(found("", &queues("10s", "2"), "").first().unwrap(), nobody);
}

/// Problems with what the site says of an agent, and their helps.
fn of_agent(agent: &str) -> Vec<String> {
    let text = format!(
        "//@ agent wang {agent}\nskill technical 1..5\nskill french\n\nhours early in \"UTC\" {{\n    daily 08:00..20:00\n}}\n\n\
        hours night in \"UTC\" {{\n    daily 20:00..23:00\n}}\n\nqueue support {{\n    open early\n    timeout 3m\n}}\n\
        //@ module other\nhours early in \"UTC\" {{\n    mon..fri 08:00..12:00\n}}\n"
    );
    let problems = analyzed(&Sample::new(&text)).diagnostics;
    problems.into_iter().map(|problem| format!("{}; {}", problem.message, problem.help.unwrap_or_default())).collect()
}

#[test]
fn an_agent_has_what_the_files_declare() {
    assert_eq!(of_agent("technical 2 french true hours main.early"), [""; 0]);
    assert_eq!(
        of_agent("hours early"),
        ["agent `wang` works in the hours `early`, which are both `main.early` and `other.early`; hours: main.early"]
    );
    assert_eq!(
        of_agent("technical true hours main.early"),
        ["agent `wang` has `technical` without a level, and `technical` has levels 1 to 5; technical: 1"]
    );
    assert_eq!(
        of_agent("french 3 hours main.early"),
        ["agent `wang` has `french 3`, and `french` has no levels; french: true"]
    );
    assert_eq!(of_agent("frensh true hours nigth").len(), 2);
}
