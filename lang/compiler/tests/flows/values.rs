//! Constants, functions, and values that are chosen, on both engines.

use crate::harness::{answers, run};

const HEAD: &str = r#"languages zh, en

enum Tier { standard, gold, vip }

type Fee {
    name: Text
    amount: Money
}

service crm {
    maybe() -> Int?       within 800ms
    number() -> Int       within 800ms
    tier() -> Tier        within 800ms
    number_of(tier: Tier) -> Text?      within 800ms
    card() -> private Digits            within 800ms
}

inbound "+86 400 810 0000" => f
"#;

/// What a flow with this body notes; `items` stand before it.
fn noted(items: &str, body: &str, script: &[&str]) -> Vec<String> {
    let text = format!("{HEAD}{items}\nflow f {{\n    answer\n{body}\n    hang up\n}}\n");
    let heard = run(&text, &answers(script.iter().copied()));
    let notes = heard.lines().filter_map(|line| line.strip_prefix("note "));
    notes.map(|note| note.split_once(" = ").map_or("", |(_, value)| value).to_owned()).collect()
}

#[test]
fn constants_stand_for_their_values() {
    let items = r#"
const LIMIT = 3
const TWICE = LIMIT * 2
const GREETING = "Hello"
const FALLBACK: Tier = gold
const STANDARD_FEE = Fee(name: "standard", amount: 12.50 CNY)
const NOBODY: Text? = none
"#;
    let body = r#"
    note twice = TWICE + 1
    note hello = GREETING + "."
    note length = GREETING.length
    note tier = FALLBACK
    note fee = STANDARD_FEE.amount * LIMIT
    note nobody = NOBODY else "?"
    note is = FALLBACK is gold
"#;
    assert_eq!(noted(items, body, &[]), ["7", "Hello.", "5", "variant 1", "37.5 CNY", "?", "true"]);
}

#[test]
fn functions_are_worked_out_where_they_stand() {
    let items = r#"
const BASE = 10.00 CNY

function fee(tier: Tier, months: Int) -> Money = BASE * months * share(tier)

function share(tier: Tier) -> Decimal = match tier {
    vip => 0.5
    gold => 0.8
    standard => 1.0
}

function sign(n: Int) -> Text = match n {
    0 => "zero"
    1..9 => "few"
    else => word(n < 0)
}

function word(negative: Bool) -> Text = match negative {
    true => "below"
    false => "many"
}
"#;
    let body = r#"
    let tier = crm.tier() else standard
    let n = crm.number() else 0
    note fee = fee(tier, 3)
    note again = fee(months: n, tier: gold)
    note sign = sign(n)
    say zh "费用 {fee(tier, 2)}。" en "The fee is {fee(tier, 2)}."
    if fee(tier, 1) < 6.00 CNY { note cheap = share(tier) }
"#;
    let vip = ["15 CNY", "16 CNY", "few", "0.5"];
    assert_eq!(noted(items, body, &["ok vip", "ok 2"]), vip);
    assert_eq!(noted(items, body, &["failed", "ok -4"]), ["30 CNY", "-32 CNY", "below"]);
    assert_eq!(noted(items, body, &["ok gold", "ok 10"]), ["24 CNY", "80 CNY", "many"]);
}

#[test]
fn a_function_keeps_what_is_known_of_private_values() {
    let items = "\nfunction shown(card: private Digits) -> private Digits = card\n";
    let body = r#"
    let card = ask private digits 12..19 {
        say zh "卡号？" en "Your card?"
        silence, invalid => again
        after 2 tries => hang up
    }
    note last = shown(card).last(4)
    note valid = shown(card).is_valid_card
"#;
    assert_eq!(noted(items, body, &["value 4111111111111111"]), ["1111", "true"]);
}

#[test]
fn a_match_is_a_value_and_takes_parts_out() {
    let items = r#"
function doubled(n: Int?) -> Int = match n {
    some inside => inside * 2
    none => 0
}

const BEST: Tier = match 3 > 2 {
    true => vip
    false => gold
}
"#;
    let body = "    let maybe = crm.maybe() else none
    note n = doubled(maybe) + 1
    note best = BEST
";
    assert_eq!(noted(items, body, &["ok 4"]), ["9", "variant 2"]);
    assert_eq!(noted(items, body, &["failed"]), ["1", "variant 2"]);
    assert_eq!(noted(items, body, &[&format!("ok {}", i64::MAX)]), Vec::<String>::new());
}

#[test]
fn else_takes_a_value_that_may_be_missing_too() {
    let body = r#"
    let a = crm.maybe() else none
    let b = crm.maybe() else none
    let c = a else b
    note first = (a else b) else 7
    note is = c is some
    let text = crm.number_of(standard) else none
    let other = text else "plain"
    note text = other
"#;
    assert_eq!(noted("", body, &["ok 1", "ok 2", "ok x"]), ["1", "true", "x"]);
    assert_eq!(noted("", body, &["ok none", "ok 2", "failed"]), ["2", "true", "plain"]);
    assert_eq!(noted("", body, &["failed", "failed", "ok none"]), ["7", "false", "plain"]);
}
