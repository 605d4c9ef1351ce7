//! What the tree holds where the text leaves it to the checker: wrapped values, copies for handlers, languages.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop at the first surprise"
)]

mod support;

use lang_semantics::hir::{ExprKind, LocalId, Program, StatementKind};
use runtime_contract::types::Type;
use support::{Sample, analyzed};

fn program(text: &str) -> Program {
    let analyzed = analyzed(&Sample::new(text));
    assert!(analyzed.program.is_some(), "{}", analyzed.rendered());
    analyzed.program.unwrap()
}

#[test]
fn a_value_that_finally_reads_leaves_an_optional_copy() {
    let program = program(
        "languages en

flow a(who: Text) {
    let n = 5
    note n = n
    return
    finally {
        note n = n
        note who = who
    }
}
",
    );
    let flow = &program.flows[0];
    let copy = flow.locals.iter().position(|local| local.read_by_handlers && local.name == "n").unwrap();
    assert_eq!(flow.locals[copy].ty, Type::Optional(Box::new(Type::Int)));
    assert!(flow.locals[0].read_by_handlers, "a parameter is read as it is");
    let lets: Vec<(LocalId, bool)> = flow
        .top
        .statements
        .iter()
        .filter_map(|statement| match &statement.kind {
            StatementKind::Let { local, value } => Some((*local, matches!(value.kind, ExprKind::None))),
            _ => None,
        })
        .collect();
    let copy = LocalId(copy as u32);
    assert_eq!(lets, [(copy, true), (LocalId(1), false), (copy, false)]);
}

#[test]
fn an_arm_with_none_makes_the_result_optional() {
    let program = program(
        "languages en

flow a {
    answer
    let pin = ask digits 4 {
        say \"Your code.\"
        silence => none
        invalid => again
        after 2 tries => \"0000\"
    }
    note pin = pin
    return
}
",
    );
    let flow = &program.flows[0];
    let ask = flow.top.statements.iter().find_map(|statement| match &statement.kind {
        StatementKind::Ask(ask) => Some(ask),
        _ => None,
    });
    let ask = ask.unwrap();
    assert!(ask.result_optional);
    assert_eq!(ask.dialogue.tries_max, Some(2));
    let given: Vec<&ExprKind> = ask
        .dialogue
        .arms
        .iter()
        .filter_map(|arm| match &arm.block.statements.last()?.kind {
            StatementKind::Let { local, value } if *local == ask.result => Some(&value.kind),
            _ => None,
        })
        .collect();
    assert!(matches!(given.as_slice(), [ExprKind::None, ExprKind::Some(_)]), "{given:?}");
}

#[test]
fn a_service_whose_result_is_merged_with_none_is_wrapped() {
    let program = program(
        "languages en

service crm {
    name(phone: Phone?) -> Text within 1s
}

flow a {
    let name = crm.name(caller.number) else none
    note name = name
    return
}
",
    );
    let StatementKind::Service(call) = &program.flows[0].top.statements[0].kind else { panic!("a service call") };
    assert_ne!(call.result, Some(LocalId(0)), "the plain result first");
    assert!(matches!(&call.ok.statements[0].kind, StatementKind::Let { local: LocalId(0), .. }));
    assert!(matches!(&call.failed.statements[0].kind, StatementKind::Let { local: LocalId(0), .. }));
}

#[test]
fn languages_begin_with_those_of_the_files_that_answer() {
    let program = program(
        "languages fr, en

flow helper {
    answer
    say fr \"Bonjour\" en \"Hello\"
    return
}

//@ module entry
use main: helper
use std.voicemail

languages zh, en

inbound \"+86 400 810 0000\" => a

flow a {
    run helper()
    say zh \"你好\" en \"Hello\"
    run voicemail.take(mailbox: \"a\")
    return
}
",
    );
    assert_eq!(program.languages, ["zh", "en", "fr"]);
    let texts = |prompt: usize| -> Vec<String> {
        program.prompts[prompt].texts.iter().map(|text| format!("{:?}", text.parts)).collect()
    };
    assert_eq!(texts(0), ["[Literal(\"Bonjour\")]", "[Literal(\"Hello\")]", "[Literal(\"Bonjour\")]"]);
    assert!(program.prompts.iter().all(|prompt| matches!(prompt.texts.len(), 1 | 3)));
}
