//! Profiles of the law in the library: they compile, and read as they stand in the law.

use lang_compiler::Engine;
use runtime_contract::cadence::{Cap, Law, Per, Permission};
use runtime_contract::calendar::days_since_epoch;
use runtime_contract::script::{Given, Verb};
use runtime_contract::types::Type;

use crate::harness::compiled;

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;

/// By way of a test that gives it as a service's answer.
fn profile(name: &str) -> Law {
    let text = format!(
        "use std.law: Law\nuse std.law.{name}\n\nlanguages en\n\nservice site {{\n    law() -> Law  within 2s\n    \
         agreed() -> Permission  within 2s\n}}\n\n\
         inbound \"+44 20 7946 0000\" => f\n\nflow f {{\n    answer\n    let law = site.law() else hang up\n    \
         say \"{{law.source}}, {{law.as_of}}\"\n    hang up\n}}\n\ntest \"t\" {{\n    \
         given site.law => {name}.profile\n    call from \"+44 20 7946 0999\" to \"+44 20 7946 0000\"\n    expect end\n}}\n"
    );
    let compiled = compiled(&text, Engine::Interpreter);
    let types = &compiled.program.meta().types;
    let fields = |name: &str| -> Vec<&str> {
        let record = types.records.iter().find(|record| record.name == name).unwrap();
        record.fields.iter().map(|field| field.name.as_str()).collect()
    };
    assert_eq!(fields("std.law.Law"), Law::FIELDS);
    assert_eq!(fields("std.law.Cap"), Cap::FIELDS);
    assert_eq!(fields("std.agreement.Permission"), Permission::FIELDS);
    assert!(types.records.iter().flat_map(|record| &record.fields).all(|field| !matches!(field.r#type, Type::Enum(_))));
    let mut given = compiled.tests[0].lines.iter().filter_map(|(_, verb)| match verb {
        Verb::Given { answer: Given::Ok(Some(value)), .. } => Some(value),
        _ => None,
    });
    Law::from_value(name, given.next().unwrap()).unwrap()
}

#[test]
fn profiles_say_what_the_law_does() {
    let [tsr, florida, reg_f, ofcom, miit, debt] =
        ["us_tsr", "us_florida", "us_reg_f", "uk_ofcom", "cn_miit", "cn_debt"].map(profile);
    let hours = |law: &Law| (law.from_minute / 60, law.until_minute / 60);
    assert_eq!([&tsr, &florida, &reg_f, &ofcom].map(hours), [(8, 21), (8, 20), (8, 21), (0, 24)]);
    assert_eq!([&miit, &debt].map(hours), [(8, 21), (8, 22)]);
    assert_eq!((tsr.ring_ms_min, tsr.join_ms_max), (Some(15_000), Some(2_000)));
    assert_eq!((tsr.abandoned_max, tsr.abandoned_over_ms), (Some(30_000), Some(30 * DAY)), "3 % over 30 days");
    assert_eq!((tsr.revocation_days_max, tsr.caps.len()), (Some(10), 0));
    assert!(tsr.records_ms_min >= 5 * 365 * DAY && tsr.source.contains("16 CFR 310.4(b)"));
    assert_eq!(tsr.as_of, days_since_epoch(2025, 4, 11).unwrap());
    assert_eq!(florida.caps, [Cap { count: 3, per: Per::Rolling { ms: DAY } }]);
    assert_eq!(reg_f.caps, [Cap { count: 7, per: Per::Rolling { ms: 7 * DAY } }]);
    assert_eq!(reg_f.quiet_after_conversation_ms, Some(7 * DAY));
    assert!(!ofcom.predictive_allowed && tsr.predictive_allowed);
    assert_eq!(ofcom.as_of, days_since_epoch(2017, 3, 1).unwrap());
    assert!(miit.refusal_is_final && miit.records_ms_min == 30 * DAY);
    assert_eq!((debt.conversation_caps.as_slice(), debt.caps.len()), (&[Cap { count: 3, per: Per::Day }][..], 0));
    assert!([tsr, florida, reg_f, ofcom, miit, debt].iter().all(|law| !law.source.is_empty() && law.as_of > 0));
}
