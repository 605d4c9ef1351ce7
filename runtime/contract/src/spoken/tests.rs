//! What is said against what others say (`oracle.tsv`, by `xtask/generators/spoken_oracle.py`), and how prompts read.

use super::*;
use crate::currency;
use crate::program::PromptText;
use crate::types::{EnumType, TypeTable, Variant};
use crate::value::{Money, Phone};

fn meta(languages: &[&str]) -> ProgramMeta {
    ProgramMeta { languages: languages.iter().map(|tag| (*tag).to_owned()).collect(), ..ProgramMeta::default() }
}

fn prompt(arguments: &[Type], texts: &[&[Part]]) -> Prompt {
    let text = |parts: &&[Part]| PromptText { tag: None, audio: None, parts: parts.to_vec() };
    Prompt { name: None, arguments: arguments.to_vec(), texts: texts.iter().map(text).collect() }
}

fn words(text: &str) -> Part {
    Part::Literal(text.to_owned())
}

/// One value in one language.
fn said(tag: &str, values: &[(Type, Value)]) -> String {
    let (types, values): (Vec<_>, Vec<_>) = values.iter().cloned().unzip();
    render(&meta(&[tag]), &prompt(&types, &[&[Part::Hole(0)]]), 0, &values)
}

fn judged(kind: &str, tag: &str, value: &str) -> String {
    let number = || value.parse::<i64>().unwrap();
    let one = |r#type, value| said(tag, &[(r#type, value)]);
    match kind {
        "int" => one(Type::Int, Value::Int(number())),
        "decimal" => one(Type::Decimal, Value::Decimal(number())),
        "percent" => one(Type::Percent, Value::Decimal(number())),
        "money" => {
            let (amount, letters) = value.split_once(' ').unwrap();
            let currency = currency::number(letters).unwrap();
            one(Type::Money, Value::Money(Money { amount: amount.parse().unwrap(), currency }))
        }
        "duration" => one(Type::Duration, Value::Moment(number())),
        "date" => one(Type::Date, Value::Moment(number())),
        "clock" => one(Type::Clock, Value::Moment(number())),
        "time" => {
            let (ms, zone) = value.split_once(' ').unwrap();
            let time = (Type::Time, Value::Moment(ms.parse().unwrap()));
            said(tag, &[time, (Type::TimeZone, Value::Text(zone.to_owned()))])
        }
        "phone" => one(Type::Phone, Value::Phone(Phone::parse(value, true).unwrap())),
        "digits" => one(Type::Digits, Value::Text(value.to_owned())),
        "plural" => format!("{}/{}", plural::class(tag, number()), plural::classes(tag).len()),
        "language" => {
            let hole = prompt(&[Type::Language], &[&[Part::Hole(0)]]);
            render(&meta(&[tag, value]), &hole, 0, &[Value::Language(1)])
        }
        other => panic!("`{other}` is no kind of value"),
    }
}

#[test]
fn who_reads_is_given_figures() {
    let values = [
        (Type::Money, Value::Money(Money { amount: 405_000, currency: 826 })),
        (Type::Digits, Value::Text("0042".into())),
        (Type::Phone, Value::Phone(Phone::parse("+442079460000", true).unwrap())),
        (Type::Percent, Value::Decimal(125_000)),
        (Type::Duration, Value::Moment(5_400_000)),
        (Type::Date, Value::Moment(20_514)),
        (Type::Clock, Value::Moment(34_200_000)),
        (Type::Int, Value::Int(-1_234)),
    ];
    let (types, values): (Vec<_>, Vec<_>) = values.into_iter().unzip();
    let holes: Vec<Part> = (0..types.len() as u32).flat_map(|at| [Part::Hole(at), words(";")]).collect();
    let prompt = prompt(&types, &[&holes]);
    for tag in ["en", "zh", "fr"] {
        assert_eq!(
            render_written(&meta(&[tag]), &prompt, 0, &values),
            "40.50 GBP;0042;+44 20 7946 0000;12.5%;1 h 30 min;2026-03-02;09:30;-1234;"
        );
    }
}

#[test]
fn values_are_said_as_others_say_them() {
    let rows: Vec<Vec<&str>> = include_str!("oracle.tsv").lines().map(|line| line.split('\t').collect()).collect();
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|row| {
            let [kind, tag, value, expected] = row[..] else { panic!("four columns are wanted: {row:?}") };
            let said = judged(kind, tag, value);
            (said != expected).then(|| format!("{kind} {tag} {value}: `{said}`, others say `{expected}`"))
        })
        .collect();
    assert!(rows.len() > 2_000, "{} rows", rows.len());
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[test]
fn the_table_of_texts() {
    let money =
        |amount, letters| (Type::Money, Value::Money(Money { amount, currency: currency::number(letters).unwrap() }));
    // 2026-03-02T10:00 in Shanghai.
    let time = [(Type::Time, Value::Moment(1_772_416_800_000)), (Type::TimeZone, Value::Text("Asia/Shanghai".into()))];
    let both = |values: &[(Type, Value)]| (said("zh", values), said("en", values));
    let pair = |zh: &str, en: &str| (zh.to_owned(), en.to_owned());
    assert_eq!(both(&[(Type::Int, Value::Int(102))]), pair("一百零二", "one hundred two"));
    assert_eq!(both(&[(Type::Decimal, Value::Decimal(3_140_000))]), pair("三点一四", "three point one four"));
    assert_eq!(said("zh", &[money(125_000, "CNY")]), "12元5角");
    assert_eq!(said("en", &[money(125_000, "USD")]), "twelve dollars fifty");
    assert_eq!(both(&time), pair("3月2日上午10点", "Monday March 2, 10 a.m."));
    assert_eq!(both(&[(Type::Digits, Value::Text("41*".into()))]), pair("四一星号", "four one star"));
}

#[test]
fn a_prompt_reads_in_each_language() {
    let parts = |before, after| [words(before), Part::Hole(0), words(after)];
    let texts: [&[Part]; 3] =
        [&parts("您的余额是", "。"), &parts("Your balance is ", "."), &parts("Votre solde : ", ".")];
    let prompt = prompt(&[Type::Money], &texts);
    let money = |amount, currency| [Value::Money(Money { amount, currency })];
    let meta = meta(&["zh", "en", "fr"]);
    assert_eq!(render(&meta, &prompt, 0, &money(125_000, 156)), "您的余额是12元5角。");
    assert_eq!(render(&meta, &prompt, 1, &money(125_000, 840)), "Your balance is twelve dollars fifty.");
    assert_eq!(render(&meta, &prompt, 2, &money(-125_000, 978)), "Votre solde : -12.5 EUR.");
}

#[test]
fn a_sentence_that_ends_in_an_abbreviation_has_one_full_stop() {
    let ten = [Value::Moment(36_000_000)];
    let heard = |behind: &str| {
        render(&meta(&["en"]), &prompt(&[Type::Clock], &[&[words("At "), Part::Hole(0), words(behind)]]), 0, &ten)
    };
    assert_eq!(heard("."), "At 10 a.m.");
    assert_eq!(heard(". Goodbye."), "At 10 a.m. Goodbye.");
    assert_eq!(heard(", or later."), "At 10 a.m., or later.");
    assert_eq!(heard("?"), "At 10 a.m.?");
    let name = prompt(&[Type::Text], &[&[Part::Hole(0), words(".")]]);
    assert_eq!(render(&meta(&["en"]), &name, 0, &[Value::Text("Acme".into())]), "Acme.");
}

#[test]
fn a_text_without_words_serves_all_languages() {
    let prompt = prompt(&[Type::Digits], &[&[Part::Hole(0)]]);
    let (meta, digits) = (meta(&["zh", "en"]), [Value::Text("4102".into())]);
    assert_eq!(render(&meta, &prompt, 0, &digits), "四一零二");
    assert_eq!(render(&meta, &prompt, 1, &digits), "four one zero two");
}

#[test]
fn a_variant_is_said_by_its_text_or_its_name() {
    let texts = vec!["金卡".to_owned(), "gold".to_owned()];
    let gold = Variant { texts, ..Variant::plain("gold") };
    let tier = EnumType { name: "m.Tier".into(), variants: vec![Variant::plain("not_known"), gold] };
    let types = TypeTable { enums: vec![tier], records: vec![] };
    let meta = ProgramMeta { types: types.into(), ..meta(&["zh", "en"]) };
    let mut prompt = prompt(&[Type::Enum(0)], &[&[Part::Hole(0)]]);
    let said = |prompt: &Prompt, language, variant| render(&meta, prompt, language, &[Value::Enum(variant, vec![])]);
    assert_eq!((said(&prompt, 0, 1), said(&prompt, 1, 1)), ("金卡".to_owned(), "gold".to_owned()));
    assert_eq!(said(&prompt, 0, 0), "not known");
    prompt.texts[0].tag = Some("en".to_owned());
    assert_eq!(said(&prompt, 0, 1), "gold", "a text that stands in says its holes in its own language");
}

#[test]
fn a_text_that_stands_in_keeps_its_own_language() {
    let mut prompt = prompt(&[Type::Int], &[&[Part::Hole(0), words(" to go")]]);
    prompt.texts[0].tag = Some("en".to_owned());
    assert_eq!(render(&meta(&["zh", "en"]), &prompt, 0, &[Value::Int(2)]), "two to go");
}

#[test]
fn plurals_take_the_form_of_the_number() {
    let forms = Part::Plural { argument: 0, forms: vec!["caller".into(), "callers".into()] };
    let prompt = prompt(&[Type::Int], &[&[Part::Hole(0), words(" "), forms]]);
    assert_eq!(render(&meta(&["en"]), &prompt, 0, &[Value::Int(1)]), "one caller");
    assert_eq!(render(&meta(&["en"]), &prompt, 0, &[Value::Int(22)]), "twenty-two callers");
}

#[test]
fn the_ends_of_every_type_can_be_said() {
    for tag in ["zh", "en", "fr"] {
        for number in [i64::MIN, -1, 0, 1, i64::MAX] {
            for r#type in [Type::Duration, Type::Clock, Type::Date, Type::Time] {
                said(tag, &[(r#type, Value::Moment(number))]);
            }
            assert!(!said(tag, &[(Type::Int, Value::Int(number))]).is_empty());
            assert!(!said(tag, &[(Type::Decimal, Value::Decimal(number))]).is_empty());
            assert!(!said(tag, &[(Type::Percent, Value::Decimal(number))]).is_empty());
            for currency in [156, 392, 990, 999] {
                assert!(!said(tag, &[(Type::Money, Value::Money(Money { amount: number, currency }))]).is_empty());
            }
        }
    }
}

#[test]
fn figures_without_trailing_zeros() {
    assert_eq!(decimal_figures(125_000, 10_000), "12.5");
    assert_eq!(decimal_figures(-1, 1_000_000), "-0.000001");
    assert_eq!(decimal_figures(i64::MIN, 1), "-9223372036854775808");
}
