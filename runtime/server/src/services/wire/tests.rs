use std::sync::Arc;

use runtime_contract::program::Parameter;
use runtime_contract::types::{EnumType, Field, RecordType, TypeTable};

use super::*;

fn meta() -> ProgramMeta {
    let field = |name: &str, r#type| Field { name: name.into(), r#type };
    ProgramMeta {
        languages: vec!["zh".into(), "en".into()],
        types: Arc::new(TypeTable {
            enums: vec![
                EnumType { name: "m.Tier".into(), variants: vec![Variant::plain("gold"), Variant::plain("vip")] },
                EnumType {
                    name: "m.Pitch".into(),
                    variants: vec![
                        Variant::plain("won"),
                        Variant { fields: vec![field("at", Type::Time)], ..Variant::plain("later") },
                    ],
                },
            ],
            records: vec![RecordType {
                name: "m.Customer".into(),
                fields: vec![
                    field("name", Type::Text),
                    field("tier", Type::Enum(0)),
                    field("language", Type::Optional(Box::new(Type::Language))),
                ],
            }],
        }),
        ..ProgramMeta::default()
    }
}

fn read(r#type: &Type, body: &str) -> Result<Value, String> {
    json_to_result(&meta(), r#type, body.as_bytes()).map_err(|Unfit(what)| what)
}

fn written(r#type: Type, value: Value) -> String {
    let parameters = vec![Parameter { name: "x".into(), r#type }];
    let operation = Operation { name: "op".into(), parameters, result: None, within_ms: 1, writes: false };
    arguments_to_json(&meta(), &operation, &[value]).unwrap().to_string()
}

#[test]
fn every_type_survives_the_way_out_and_back() {
    let some = |value| Value::Some(Box::new(value));
    let record = Value::Record(vec![Value::Text("李".into()), Value::Enum(1, vec![]), some(Value::Language(1))]);
    let list = |row| Type::List(Box::new(row));
    let cases = [
        (Type::Bool, Value::Bool(true), "true"),
        (Type::Int, Value::Int(i64::MIN), "-9223372036854775808"),
        (Type::Decimal, Value::Decimal(-3_140_000), r#""-3.14""#),
        (Type::Percent, Value::Decimal(800_000), r#""0.8""#),
        (Type::Money, Value::Money(Money { amount: 125_000, currency: 156 }), r#"{"amount":"12.50","currency":"CNY"}"#),
        (Type::Money, Value::Money(Money { amount: -500, currency: 840 }), r#"{"amount":"-0.05","currency":"USD"}"#),
        (Type::Money, Value::Money(Money { amount: 1, currency: 840 }), r#"{"amount":"0.0001","currency":"USD"}"#),
        (Type::Duration, Value::Moment(90_000), "90"),
        (Type::Duration, Value::Moment(800), "0.8"),
        (Type::Time, Value::Moment(0), r#""1970-01-01T00:00:00Z""#),
        (Type::Date, Value::Moment(20_514), r#""2026-03-02""#),
        (Type::Clock, Value::Moment(32_400_000), r#""09:00""#),
        (Type::Text, Value::Text("你好 \"x\"".into()), r#""你好 \"x\"""#),
        (Type::Digits, Value::Text("01*#".into()), r##""01*#""##),
        (Type::TimeZone, Value::Text("Asia/Shanghai".into()), r#""Asia/Shanghai""#),
        (Type::Phone, Value::Phone(Phone::parse("+8613800000000", true).unwrap()), r#""+8613800000000""#),
        (Type::Language, Value::Language(1), r#""en""#),
        (Type::Recording, Value::Recording(7), "7"),
        (Type::Enum(0), Value::Enum(1, vec![]), r#""vip""#),
        (Type::Enum(1), Value::Enum(0, vec![]), r#""won""#),
        (Type::Enum(1), Value::Enum(1, vec![Value::Moment(0)]), r#"{"later":{"at":"1970-01-01T00:00:00Z"}}"#),
        (list(Type::Int), Value::List(vec![Value::Int(1), Value::Int(2)]), "[1,2]"),
        (list(list(Type::Text)), Value::List(vec![Value::List(vec![])]), "[[]]"),
        (Type::Record(0), record, r#"{"language":"en","name":"李","tier":"vip"}"#),
        (Type::Optional(Box::new(Type::Int)), Value::None, "null"),
        (Type::Optional(Box::new(Type::Int)), some(Value::Int(5)), "5"),
        (Type::Private(Box::new(Type::Digits)), Value::Private(Private(Zeroizing::new("4111".into()))), r#""4111""#),
    ];
    for (r#type, value, json) in cases {
        assert_eq!(written(r#type.clone(), value.clone()), format!(r#"{{"x":{json}}}"#));
        assert_eq!(read(&r#type, json), Ok(value), "{json}");
    }
}

#[test]
fn what_services_may_also_write_is_read() {
    assert_eq!(read(&Type::Decimal, "3.14"), Ok(Value::Decimal(3_140_000)));
    assert!(read(&Type::Money, r#"{"amount": 12, "currency": "CNY", "more": 1}"#).is_ok());
    assert_eq!(read(&Type::Language, r#""fr""#), Ok(Value::Language(0)));
    let customer = read(&Type::Record(0), r#"{"name": "a", "tier": "gold", "unknown": [1]}"#);
    assert_eq!(customer, Ok(Value::Record(vec![Value::Text("a".into()), Value::Enum(0, vec![]), Value::None])));
}

#[test]
fn what_does_not_fit_is_refused_without_its_value() {
    let cases = [
        (Type::Int, "1.5"),
        (Type::Enum(1), r#""later""#),
        (Type::Enum(1), r#"{"won": {}}"#),
        (Type::Enum(1), r#"{"later": {}}"#),
        (Type::Enum(1), r#"{"later": {"at": "1970-01-01T00:00:00Z"}, "won": {}}"#),
        (Type::List(Box::new(Type::Int)), r#"[1, "secret"]"#),
        (Type::List(Box::new(Type::Int)), "{}"),
        (Type::Int, "\"secret\""),
        (Type::Int, "9223372036854775808"),
        (Type::Int, "null"),
        (Type::Int, "{"),
        (Type::Int, ""),
        (Type::Decimal, r#""1.1234567""#),
        (Type::Decimal, "1e300"),
        (Type::Money, r#"{"amount":"12,50","currency":"CNY"}"#),
        (Type::Money, r#"{"amount":"12.50","currency":"XYZZY"}"#),
        (Type::Money, r#"{"amount":"922337203685478","currency":"CNY"}"#),
        (Type::Time, r#""2026-03-02 10:00""#),
        (Type::Clock, r#""24:00""#),
        (Type::Clock, r#""9:00""#),
        (Type::Digits, r#""12 secret""#),
        (Type::TimeZone, r#""Mars/Olympus""#),
        (Type::Phone, r#""110""#),
        (Type::Enum(0), r#""secret""#),
        (Type::Enum(9), r#""gold""#),
        (Type::Record(0), r#"{"name":"a"}"#),
        (Type::Record(9), "{}"),
        (Type::Private(Box::new(Type::Int)), "5"),
    ];
    for (r#type, body) in cases {
        let refused = read(&r#type, body).unwrap_err();
        assert!(!refused.contains("secret"), "{refused}");
    }
    let longest = format!("\"{}\"", "x".repeat(TEXT_BYTES_MAX));
    assert!(read(&Type::Text, &longest).is_ok());
    assert!(read(&Type::Text, &longest.replacen('x', "xx", 1)).is_err());
    assert_eq!(read(&Type::Record(0), r#"{"name":"a","tier":"x"}"#).unwrap_err(), "`tier`: the answer is no m.Tier");
}

#[test]
fn hostile_nesting_is_refused() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(read(&Type::Text, &deep).is_err());
    let nested = (0..=DEPTH_MAX + 1).fold(Type::Int, |inner, _| Type::Optional(Box::new(inner)));
    assert_eq!(read(&nested, "5").unwrap_err(), "a value too deep");
}

#[test]
fn a_list_has_so_many_rows_at_most() {
    let rows = |count: usize| format!("[{}]", vec!["1"; count].join(","));
    let list = Type::List(Box::new(Type::Int));
    assert!(read(&list, &rows(LIST_LEN_MAX)).is_ok());
    assert!(read(&list, &rows(LIST_LEN_MAX + 1)).is_err());
}
