//! Values on both engines: optionals, records, enums, texts, money, figures, matches.

use crate::harness::{answers, run};

const HEAD: &str = r#"languages zh, en

enum Tier {
    standard  zh "普通" en "standard"
    gold      zh "金卡" en "gold"
    vip       zh "贵宾" en "VIP"
}

type Address {
    city: Text
    floor: Int?
}

type Customer {
    name: Text
    tier: Tier
    home: Address
    language: Language
}

service crm {
    find(phone: Phone?) -> Customer?         within 800ms
    tier(name: Text) -> Tier                 within 800ms
    number() -> Int                          within 800ms
    decimal() -> Decimal                     within 800ms
    money(of: Text) -> Money                 within 800ms
    text() -> Text                           within 800ms
}

inbound "+86 400 810 0000" => f
"#;

/// Transcript of the body of a flow, its last line apart.
fn heard(body: &str, script: &[&str]) -> String {
    let text = format!("{HEAD}\nflow f {{\n{body}\n    reject busy\n}}\n");
    let heard = run(&text, &answers(script.iter().copied()));
    match heard.strip_suffix("reject Busy\nend: gone\n") {
        Some(heard) => heard.to_owned(),
        None => heard,
    }
}

/// What is noted, line by line, in the order of the notes.
fn noted(body: &str, script: &[&str]) -> Vec<String> {
    let heard = heard(body, script);
    let notes = heard.lines().filter_map(|line| line.strip_prefix("note "));
    notes.map(|note| note.split_once(" = ").map_or("", |(_, value)| value).to_owned()).collect()
}

const LI: &str = "ok (李; vip; (上海; none); en)";

#[test]
fn an_optional_record_and_its_fields() {
    let body = r#"
    let customer = crm.find(caller.number) else none
    if customer is some c {
        note name = c.name
        note city = c.home.city
        note floor = c.home.floor else 0
        set caller.language = c.language
    }
    note known = customer is some
    note tier = customer.tier else standard
    note home = customer.home.floor else 99
    note language = caller.language
"#;
    assert_eq!(noted(body, &[LI]), ["李", "上海", "0", "true", "variant 2", "99", "en"]);
    let some_floor = noted(body, &["ok (Ann; gold; (York; 3); zh)"]);
    assert_eq!(some_floor, ["Ann", "York", "3", "true", "variant 1", "3", "zh"]);
    for nobody in ["ok none", "failed"] {
        assert_eq!(noted(body, &[nobody]), ["false", "variant 0", "99", "zh"], "{nobody}");
    }
}

#[test]
fn failed_and_none_differ_in_a_match() {
    let body = r#"
    match crm.find(none) {
        ok found => match found {
            some c => note name = c.name
            none => note name = "nobody"
        }
        failed => note name = "?"
    }
"#;
    let case = |answer: &str| heard(body, &[answer]);
    assert!(case(LI).ends_with("note name = 李\n"), "{}", case(LI));
    assert!(case("ok none").ends_with("note name = nobody\n"));
    assert!(case("failed").ends_with("note name = ?\n"));
}

#[test]
fn a_match_takes_the_first_arm_that_fits() {
    let body = r#"
    let n = crm.number() else 0
    match n {
        0 => note n = "none"
        1..9 => note n = "few"
        10, 20 => note n = "ten or twenty"
        else => note n = "many"
    }
    let tier = crm.tier("x") else standard
    match tier {
        gold, vip => note t = "good"
        standard => note t = "plain"
    }
    let name = crm.text() else "nobody"
    match name {
        "wang", "li" => note who = "known"
        else => note who = name
    }
"#;
    for (n, expected) in [("0", "none"), ("1", "few"), ("9", "few"), ("20", "ten or twenty"), ("-1", "many")] {
        let noted = noted(body, &[&format!("ok {n}"), "ok vip", "ok li"]);
        assert_eq!(noted, [expected, "good", "known"], "{n}");
    }
    assert_eq!(noted(body, &["failed", "ok standard", "ok zhao"]), ["none", "plain", "zhao"]);
}

#[test]
fn texts_are_joined_measured_and_compared() {
    let body = r#"
    let a = crm.text() else ""
    let b = crm.text() else ""
    note joined = a + "-" + b
    note length = (a + b).length
    note same = a == b
    note constant = a + b == "abcd"
    note other = a != b
"#;
    assert_eq!(noted(body, &["ok ab", "ok cd"]), ["ab-cd", "4", "false", "true", "true"]);
    assert_eq!(noted(body, &["ok 李", "ok 李"]), ["李-李", "2", "true", "false", "false"]);
    assert_eq!(noted(body, &["failed", "failed"]), ["-", "0", "true", "false", "false"]);
}

#[test]
fn money_keeps_its_currency() {
    let body = r#"
    let a = crm.money("a") else 0 CNY
    let b = crm.money("b") else 1 CNY
    note same = a == b
    note sum = a + b
    note rest = a - b
    note twice = a * 2
    note part = a * 12.5%
    note less = a < b
"#;
    let good = noted(body, &["ok 10.50 CNY", "ok 2 CNY"]);
    assert_eq!(good, ["false", "12.5 CNY", "8.5 CNY", "21 CNY", "1.3125 CNY", "false"]);
    let two = heard(body, &["ok 1 CNY", "ok 1 USD"]);
    assert!(two.contains("note same = false\nfault two currencies at m.flow:"), "{two}");
    let compared = heard("    let a = crm.money(\"a\") else 0 CNY\n    note less = a < 1 USD\n", &["ok 1 CNY"]);
    assert!(compared.contains("fault two currencies"), "{compared}");
}

#[test]
fn figures_overflow_and_divide_by_zero_as_faults() {
    let body = r#"
    let a = crm.number() else 0
    let b = crm.number() else 0
    note plus = a + b
    note minus = a - b
    note times = a * b
    note negative = -a
    note half = a / 2
    note quotient = a / b
"#;
    assert_eq!(noted(body, &["ok 7", "ok -2"]), ["5", "9", "-14", "-7", "3.5", "-3.5"]);
    let zero = heard(body, &["ok 7", "ok 0"]);
    assert!(zero.contains("fault division by zero at m.flow:"), "{zero}");
    for (a, b) in [(i64::MAX, 1), (i64::MIN, -1)] {
        let large = heard(body, &[&format!("ok {a}"), &format!("ok {b}")]);
        assert!(large.contains("fault overflow"), "{large}");
    }
}

#[test]
fn decimals_round_half_to_even() {
    let body = r#"
    let d = crm.decimal() else 0.0
    note third = d / 3.0
    note square = d * d
    note sum = d + 0.5
    note more = d > 1.5
"#;
    assert_eq!(noted(body, &["ok 0.001"]), ["0.000333", "0.000001", "0.501", "false"]);
    assert_eq!(noted(body, &["ok 2"]), ["0.666667", "4", "2.5", "true"]);
}

#[test]
fn and_or_not_stop_when_decided() {
    let body = r#"
    let a = crm.number() else 0
    note and = a != 0 and 10 / a > 2.0
    note or = a == 0 or 10 / a > 2.0
    note not = not (a == 0)
    if a != 0 and (10 / a > 2.0 or a == 7) { note yes = true } else { note yes = false }
"#;
    assert_eq!(noted(body, &["ok 0"]), ["false", "true", "false", "false"]);
    assert_eq!(noted(body, &["ok 4"]), ["true", "true", "true", "true"]);
    assert_eq!(noted(body, &["ok 7"]), ["false", "false", "true", "true"]);
}

#[test]
fn records_and_conversions_are_written_out() {
    let body = r#"
    let home = Address(floor: 3, city: "York")
    let ann = Customer(name: "Ann", tier: gold, home: home, language: en)
    note city = ann.home.city
    note floor = ann.home.floor else 0
    note tier = ann.tier
    note is_gold = ann.tier is gold
    note number = 42.text + "!"
    note decimal = Decimal(3) + 0.5
    note phone = called.number.text
    if caller.number is some n { note caller = n.text }
"#;
    let expected = ["York", "3", "variant 1", "true", "42!", "3.5", "+864008100000", "+8613800000000"];
    assert_eq!(noted(body, &[]), expected);
}

#[test]
fn durations_are_counted_in_milliseconds() {
    let body = "    note pause = 1h30m - 500ms\n    note longer = 1m > 59s\n    note ratio = 90s / 1m\n";
    assert_eq!(noted(body, &[]), ["5399500ms", "true", "1.5"]);
}

#[test]
fn dates_and_times_of_a_zone() {
    let body = r#"
    let spring = 2026-03-08
    let gap = spring.at(02:30, "America/New_York")
    note gap = gap
    note shown = gap.clock("America/New_York")
    let far = gap.date("Asia/Tokyo").at(gap.clock("Asia/Tokyo"), "Asia/Tokyo")
    note same = far == gap
    note later = (gap + 36h).date("UTC")
    note never = far - gap
    "#;
    let expected = ["1772955000000ms", "12600000ms", "true", "20521ms", "0ms"];
    assert_eq!(noted(body, &[]), expected);
}

#[test]
fn values_as_text_in_figures() {
    let body = r#"
    let n = crm.number() else 0
    let amount = crm.money("x") else 0 CNY
    let day = 2026-03-02
    let at = day.at(10:00, "Asia/Shanghai")
    let wait = day.at(10:00, "UTC") - at
    note text = "{n} × {amount} = {amount * n}, {day}, {wait}; {80%} {90m} {called.number}"
    note day = day.text + " " + at.text + " " + at.clock("UTC").text
    note who = "{caller.language}"
    note parts = (1.5).text + (12.50 USD).text
    "#;
    let script = ["ok 3", "ok 12.50 CNY"];
    let expected = [
        "3 × 12.50 CNY = 37.50 CNY, 2026-03-02, 8h; 80% 1h30m +864008100000",
        "2026-03-02 2026-03-02T02:00:00Z 02:00",
        "zh",
        "1.512.50 USD",
    ];
    assert_eq!(noted(body, &script), expected);
}
