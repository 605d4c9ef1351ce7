//! Constants, functions, values that are chosen, lists, loops and variants that carry something, on both engines.

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
    pitch(of: Pitch) -> Pitch           within 800ms
    orders() -> List<Order>             within 800ms
    keep(orders: List<Order>, names: List<Text>)        within 800ms
}

enum Pitch {
    won
    lost
    later(at: Int, why: Text)
    paid(fee: Money, why: Text?)
}

type Order {
    id: Text
    lines: List<Line>
    price: Money?
}

type Line {
    name: Text
    count: Int
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

#[test]
fn variants_carry_values() {
    let items = r#"
flow pitch(n: Int) -> Pitch {
    if n > 9 { return later(why: "busy", at: n) }
    match n {
        0 => return won
        1 => return paid(fee: 2.50 CNY, why: none)
        else => return lost
    }
}
"#;
    let body = r#"
    let n = crm.number() else 0
    match run pitch(n) {
        won => note pitch = "won"
        lost => note pitch = "lost"
        later(at, why) => note pitch = why + at.text
        paid(fee, _why) => note pitch = fee
    }
    let other = run pitch(n)
    note is = other is later
    note same = other == later(at: 10, why: "bu" + "sy")
    note other = other
"#;
    let case = |n: i64| noted(items, body, &[&format!("ok {n}")]);
    assert_eq!(case(10), ["busy10", "true", "true", "variant 2(10; busy)"]);
    assert_eq!(case(11), ["busy11", "true", "false", "variant 2(11; busy)"]);
    assert_eq!(case(0), ["won", "false", "false", "variant 0"]);
    assert_eq!(case(1), ["2.5 CNY", "false", "false", "variant 3(2.5 CNY; none)"]);
    assert_eq!(case(5), ["lost", "false", "false", "variant 1"]);
}

#[test]
fn services_take_and_give_variants() {
    let items = "\nfunction fee(pitch: Pitch) -> Money = match pitch {\n    paid(amount, _why) => amount\n    else => 0 CNY\n}\n";
    let body = r#"
    let pitch = crm.pitch(later(at: 3, why: "x")) else Pitch.lost
    note fee = fee(pitch)
    if pitch is not paid { note text = match_text(pitch) }
"#;
    let items = format!(
        "{items}\nfunction match_text(pitch: Pitch) -> Text = match pitch {{\n    later(_at, why) => why\n    won, lost, paid => \"?\"\n}}\n"
    );
    assert_eq!(noted(&items, body, &["ok paid(3 CNY; so)"]), ["3 CNY"]);
    assert_eq!(noted(&items, body, &["ok later(7; then)"]), ["0 CNY", "then"]);
    assert_eq!(noted(&items, body, &["failed"]), ["0 CNY", "?"]);
}

const ORDERS: &str = "ok ((a; ((x; 1); (y; 2)); none); (b; (); 3 CNY))";

#[test]
fn lists_are_read_row_by_row() {
    let body = r#"
    let orders = crm.orders() else hang up
    note length = orders.length
    for each order in orders {
        note id = order.id
        for each line in order.lines {
            say zh "{line.name}{line.count}" en "{line.name} {line.count}"
            note line = line.name
        }
        note price = order.price else 0 CNY
    }
    note second = orders[2].id
    note count = orders[1].lines[orders.length].count
    crm.keep(orders, names: ["p", "q" + "r"]) else continue
    note third = orders[3].id
"#;
    let notes = noted("", body, &[ORDERS, "ok"]);
    assert_eq!(notes, ["2", "a", "x", "y", "0 CNY", "b", "3 CNY", "b", "2"], "there is no third");
    assert_eq!(noted("", body, &["ok ()"]), ["0"]);
}

#[test]
fn lists_are_written_out_and_live_across_waits() {
    let items = "\nconst NAMES = [\"a\", \"b\"]\n\nconst NOTHING: List<Int?> = []\n\nfunction first(list: List<Text>) -> Text = list[1]\n";
    let body = r#"
    let n = crm.number() else 0
    let mixed = [n, n + 1, 7]
    let nested = [[n], [1, 2], []]
    wait 1s
    for each number in mixed { note n = number }
    note nested = nested[2][2]
    note rows = nested[3].length
    note first = first(NAMES)
    note nothing = NOTHING.length
    note all = mixed
    note maybe = [none, n]
"#;
    let expected = ["4", "5", "7", "2", "0", "a", "0", "[4, 5, 7]", "[none, 4]"];
    assert_eq!(noted(items, body, &["ok 4"]), expected);
}

#[test]
fn a_block_is_repeated_so_often_at_most() {
    let items = r#"
const TWICE = 2

flow greet(times: Int 0..3) -> Tier {
    repeat times times {
        repeat TWICE times { note inner = times }
        menu {
            say zh "按1。" en "Press 1."
            1 => continue
            2 => return gold
            3 => go out
            silence, other => again
            after 2 tries => continue
        }
        note outer = "again"
    }
    return vip

    step out {
        return standard
    }
}
"#;
    let body = "    let mood = run greet(3)\n    note mood = mood\n    let none = run greet(0)\n    note none = none\n"
        .replace("none", "other");
    let inner = ["3", "3"];
    let round = [&inner[..], &["again"]].concat();
    let notes = noted(items, &body, &["1", "silence", "silence", "1"]);
    assert_eq!(notes, [&round[..], &round, &round, &["variant 2", "variant 2"]].concat());
    let left = noted(items, &body, &["1", "2"]);
    assert_eq!(left, [&round[..], &inner, &["variant 1", "variant 2"]].concat());
    let out = noted(items, &body, &["3"]);
    assert_eq!(out, [&inner[..], &["variant 0", "variant 2"]].concat());
}

#[test]
fn two_private_values_are_compared_when_a_service_gave_one() {
    let body = r#"
    let kept = crm.card() else hang up
    let card = ask private digits 4..6 {
        say zh "密码？" en "Your code?"
        silence, invalid => again
        after 2 tries => hang up
    }
    note same = card == kept
    note other = card != kept
"#;
    assert_eq!(noted("", body, &["ok 1234", "value 1234"]), ["true", "false"]);
    assert_eq!(noted("", body, &["ok 1234", "value 12345"]), ["false", "true"]);
}

#[test]
fn an_enum_is_written_by_the_name_of_its_variant() {
    let body = r#"
    let tier = crm.tier() else hang up
    note tier = tier.text
    let pitch = crm.pitch(Pitch.lost) else Pitch.won
    note pitch = "{pitch} / {tier}"
"#;
    let notes = noted("", body, &["ok gold", "ok later(7; x)"]);
    assert_eq!(notes, ["gold", "later / gold"]);
}

#[test]
fn digits_of_texts_and_numbers_and_their_check() {
    let body = r#"
    let order = "Order A-1024"
    note order = order.digits.text
    note called = called.number.digits.last(4).text
    note good = "4111 1111 1111 1111".digits.is_valid_card
    note bad = "4111 1111 1111 1112".digits.is_valid_card
    note none = "".digits.length
"#
    .replace("note none", "note empty");
    assert_eq!(noted("", &body, &[]), ["1024", "0000", "true", "false", "0"]);
}

#[test]
fn a_text_that_is_not_said_takes_the_plural_of_its_language() {
    let text = r#"languages pl

service crm {
    number() -> Int  within 800ms
}

inbound "+48 22 000 00 00" => f

flow f {
    answer
    repeat 4 times {
        let n = crm.number() else 0
        note calls = "{n} {n|rozmowa|rozmowy|rozmów|rozmowy}"
    }
    hang up
}
"#;
    let heard = run(text, &answers(["ok 1", "ok 3", "ok 5", "ok 22"]));
    let notes: Vec<&str> = heard.lines().filter_map(|line| line.strip_prefix("note calls = ")).collect();
    assert_eq!(notes, ["1 rozmowa", "3 rozmowy", "5 rozmów", "22 rozmowy"]);
}

#[test]
fn a_flow_that_never_comes_back_ends_the_path() {
    let items = r#"
flow part(n: Int) {
    note part = n
    if n == 1 { run goodbye() } else { run goodbye() }
    hang up
}

flow goodbye {
    note last = 2
    hang up
}
"#;
    let body = "    let one = crm.number() else 0\n    if one > 0 { run part(one) }\n    note skipped = one\n";
    assert_eq!(noted(items, body, &["ok 1"]), ["1", "2"]);
    assert_eq!(noted(items, body, &["ok 0"]), ["0"]);
}
