//! What people read when a line does not read: one code, the right place, and a help that reads.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may stop at the first surprise")]

use lang_diagnostics::{Code, Colours, Diagnostic, FileId, Sources, render};

fn problems(text: &str) -> Vec<Diagnostic> {
    lang_syntax::parse(FileId(0), text).1
}

/// A statement inside a flow.
fn in_flow(line: &str) -> String {
    format!("flow main {{\n    answer\n    {line}\n    hang up\n}}\n")
}

/// The one problem of `text` has this code and marks this part of it; its help begins so.
fn check(text: &str, code: Code, marked: &str, help: &str) {
    let found = problems(text);
    assert_eq!(found.len(), 1, "{text}\n{found:#?}");
    let problem = &found[0];
    assert_eq!(problem.code, code, "{text}\n{problem:#?}");
    assert_eq!(&text[problem.span().range()], marked, "{text}\n{problem:#?}");
    assert_eq!(problem.help.as_deref().unwrap_or(""), help, "{text}");
}

/// As `check`; and the help, taken for the line, reads.
fn check_line(line: &str, code: Code, marked: &str, help: &str) {
    check(&in_flow(line), code, marked, &format!("`{help}`"));
    let repaired = problems(&in_flow(help));
    assert!(repaired.is_empty(), "{help}\n{repaired:#?}");
}

/// The suggested edits of the one problem make the text read.
fn check_repair(text: &str, repaired: &str) {
    let found = problems(text);
    let mut edits = found[0].suggestion.clone().unwrap().edits;
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.span.start));
    let mut result = text.to_owned();
    for edit in edits {
        result.replace_range(edit.span.range(), &edit.text);
    }
    assert_eq!(result, repaired);
    assert!(problems(&result).is_empty(), "{:#?}", problems(&result));
}

#[test]
fn f0001_unexpected_word() {
    check_line("wait", Code::UnexpectedWord, "", "wait 2s");
    check_line("wiat 2s", Code::UnexpectedWord, "wiat", "wait 2s");
    check_line("go main up 3 times", Code::UnexpectedWord, "3", "go main up to 3 times else go person");
    check_line("recording onn", Code::UnexpectedWord, "onn", "recording on");
    let is_three = "if n is 3 { hang up }";
    check(&in_flow(is_three), Code::UnexpectedWord, "is", "`if n == 3 {`");
    check_repair(&in_flow(is_three), &in_flow("if n == 3 { hang up }"));
    check_repair(&in_flow("if n is not 3 { hang up }"), &in_flow("if n != 3 { hang up }"));
    check(&in_flow("note x ＝ 1"), Code::UnexpectedWord, "＝", "`=`");
    check("flwo main {\n    answer\n}\n", Code::UnexpectedWord, "flwo", "`flow main {`");
}

#[test]
fn f0002_missing_newline() {
    let line = "say \"One.\" hang up";
    check_line(line, Code::MissingNewline, "hang up", "say \"One.\" then hang up");
    check_repair(&in_flow(line), &in_flow("say \"One.\" then hang up"));
    check(
        "type Customer {\n    id: Text name: Text\n}\n",
        Code::MissingNewline,
        "name: Text",
        "`id: Text`, and `name: Text` on the next line",
    );
}

#[test]
fn f0003_unclosed_brace() {
    let open = "flow main {\n    step one {\n        menu {\n            say \"One.\"\n            silence => again\n";
    check(
        &format!("{open}    }}\n}}\n"),
        Code::UnclosedBrace,
        "}",
        "write `}` on a line of its own, under the first word of the line that opens the block",
    );
    check("flow main \n    answer\n    hang up\n}\n", Code::UnclosedBrace, "flow main", "`flow main {`");
    check_repair("flow main\n    answer\n    hang up\n}\n", "flow main {\n    answer\n    hang up\n}\n");
    check(
        "flow main {\n    hang up\n}\n}\n",
        Code::UnclosedBrace,
        "}",
        "leave it out, or write the `{` that it closes at the end of a line above",
    );
    let line = "if x is none { go closed";
    check(&in_flow(line), Code::UnclosedBrace, "{", "write ` }` at the end of the line");
    check_repair(&in_flow(line), &in_flow("if x is none { go closed }"));
}

#[test]
fn f0004_reserved_word_as_name() {
    check(&in_flow("let stop = 3"), Code::ReservedWordAsName, "stop", "`stop_`");
    check("flow answer {\n    hang up\n}\n", Code::ReservedWordAsName, "answer", "`answer_`");
}

#[test]
fn f0005_comma_between_actions() {
    let line = "say \"One.\", hang up";
    check_line(line, Code::CommaBetweenActions, ",", "say \"One.\" then hang up");
    check_repair(&in_flow(line), &in_flow("say \"One.\" then hang up"));
}

#[test]
fn f0006_text_after_else() {
    check(
        &in_flow("go main up to 3 times else say \"Bye.\" then hang up"),
        Code::TextAfterElse,
        "then hang up",
        "`go main up to 3 times else { say \"Bye.\" then hang up }`",
    );
    assert!(problems(&in_flow("go main up to 3 times else { say \"Bye.\" then hang up }")).is_empty());
}

#[test]
fn f0007_unterminated_text() {
    check(&in_flow("say \"One."), Code::UnterminatedText, "\"One.", "`\"One.\"`");
    check_repair(&in_flow("say \"One."), &in_flow("say \"One.\""));
}

#[test]
fn f0008_bad_unit() {
    check(&in_flow("wait 30sec"), Code::BadUnit, "30sec", "`30s`");
    check(&in_flow("wait 30 seconds"), Code::BadUnit, "30 seconds", "`30s`");
    check(&in_flow("let fee = 12.50USD"), Code::BadUnit, "12.50USD", "`12.50 USD`");
    check(&in_flow("wait 3w"), Code::BadUnit, "3w", "`800ms`, `15s`, `3m`, `4h`, `1d`, `80%` or `12.50 USD`");
    check(&in_flow("wait 30m1h"), Code::BadUnit, "30m1h", "`1d2h30m15s`");
    check_repair(&in_flow("wait 30sec"), &in_flow("wait 30s"));
}

#[test]
fn f0009_bad_language_tag() {
    check(&in_flow("say EN \"Hello.\""), Code::BadLanguageTag, "EN", "`en`");
    check(&in_flow("say zh_CN \"你好。\""), Code::BadLanguageTag, "zh_CN", "`zh-CN`");
    let match_of = |arm: &str| in_flow(&format!("match crm.find() {{\n        {arm} => hang up\n    }}"));
    check(&match_of("failed x"), Code::PayloadOnPlainOutcome, "failed x", "`failed`");
    check_repair(&match_of("failed x"), &match_of("failed"));
    check(&match_of("okk v"), Code::OutcomeImpossible, "okk", "`ok v`");
    check_repair(&match_of("okk v"), &match_of("ok v"));
    check_repair(&match_of("faild x"), &match_of("failed"));
    check(&match_of("later time"), Code::PayloadOnPlainOutcome, "later time", "`later(time)`");
    check_repair(&match_of("later time"), &match_of("later(time)"));
    check(&in_flow("say english \"Hello.\""), Code::BadLanguageTag, "english", "`en`");
    check("languages ZH, en\n", Code::BadLanguageTag, "ZH", "`zh`");
    check_repair(&in_flow("say EN \"Hello.\""), &in_flow("say en \"Hello.\""));
}

#[test]
fn only_a_word_for_a_key_is_left_out_before_one() {
    let menu = |arm: &str| in_flow(&format!("menu {{\n        say \"Press 1.\"\n        {arm}\n    }}"));
    check_repair(&menu("press 1 => hang up"), &menu("1 => hang up"));
    check_repair(&menu("'*' => hang up"), &menu("* => hang up"));
    for arm in
        ["after 2 => hang up", "not 2 => hang up", "silence 2 => hang up", "'sales' => hang up", "except 3 => hang up"]
    {
        let certain = |problem: &Diagnostic| problem.suggestion.as_ref().is_some_and(|suggestion| suggestion.certain);
        let found = problems(&menu(arm));
        assert!(!found.is_empty() && !found.iter().any(certain), "{arm}\n{found:#?}");
    }
}

#[test]
fn values_and_outcomes_in_the_wrong_place() {
    check(&in_flow("hang up else go main"), Code::OutcomeImpossible, "else", "leave out `else` and what follows it");
    let arms = "queue support() {\n        served => hang up\n        timeout full => hang up\n    }";
    check(&in_flow(arms), Code::PayloadOnPlainOutcome, "timeout full", "`timeout, full`");
    check(&in_flow("say en \"One.\" en \"Two.\""), Code::DuplicateName, "en", "leave one of them out");
}

#[test]
fn figures_that_no_machine_holds() {
    check(
        &in_flow("wait 99999999999999999999s"),
        Code::BadLiteral,
        "99999999999999999999s",
        "the largest whole number is 9223372036854775807",
    );
    check(&in_flow("let d = 2026-02-29"), Code::BadLiteral, "2026-02-29", "`2026-03-02`");
    check(&in_flow("let t = 25:00"), Code::BadLiteral, "25:00", "`09:30`");
    check(&in_flow("let p = 1.1234567"), Code::BadLiteral, "1.1234567", "`1.123456`");
    assert!(problems(&in_flow("let d = 2028-02-29")).is_empty());
    assert!(problems(&in_flow("let n = 9_223_372_036_854_775_807")).is_empty());
}

#[test]
fn holes_and_escapes_are_read_in_texts() {
    check(
        &in_flow("say \"Hello {c..name}.\""),
        Code::UnexpectedWord,
        "{c..name}",
        "`{customer.name}`; a brace that is said is written `\\{`",
    );
    check(
        &in_flow("say \"Tab\\t.\""),
        Code::UnexpectedWord,
        "\\t",
        "`\\\"`, `\\\\`, `\\{` and `\\n` are a quote, a backslash, a brace and a new line",
    );
    assert!(problems(&in_flow("say \"\\\"{n|one|two}\\\" \\{ \\\\ \\n }\"")).is_empty());
}

#[test]
fn signs_that_nobody_sees_are_refused() {
    check(&in_flow("let ca\u{200d}rd = 1"), Code::UnexpectedWord, "\u{200d}", "`card`");
    check_repair(&in_flow("let ca\u{200d}rd = 1"), &in_flow("let card = 1"));
    for hidden in
        ['\u{200b}', '\u{200c}', '\u{ad}', '\u{2060}', '\u{feff}', '\u{202e}', '\u{3164}', '\u{1b}', '\0', '\u{9b}']
    {
        check_repair(&in_flow(&format!("let card{hidden} = 1")), &in_flow("let card = 1"));
        check_repair(&in_flow(&format!("hang {hidden} up")), &in_flow("hang  up"));
    }
    for blank in ['\u{a0}', '\u{3000}', '\u{2003}'] {
        check_repair(&in_flow(&format!("hang{blank}up")), &in_flow("hang up"));
    }
    check_repair(&in_flow("say \"Pay\u{202e} now\u{7}\""), &in_flow("say \"Pay now\""));
    check_repair(&in_flow("hang up // \u{2066}done"), &in_flow("hang up // done"));
    for fine in ["say \"👨\u{200d}👩 ❤\u{fe0f} \u{200f}שלום\ta\"", "hang up // \u{200d}\u{c}", "let 客户 = 1"]
    {
        assert!(problems(&in_flow(fine)).is_empty(), "{fine:?}");
    }
}

#[test]
fn each_end_of_a_line_ends_it() {
    let text = "flow main {\n    answer // here\n    wiat 2s\n    hang up\n}\n";
    for end in ["\r\n", "\r"] {
        let text = text.replace('\n', end);
        check(&text, Code::UnexpectedWord, "wiat", "`wait 2s`");
        assert!(problems(&text.replace("wiat", "wait")).is_empty());
    }
}

#[test]
fn a_broken_item_hides_no_other() {
    let text = "flow one {\n    wiat 1s\n    answer\n    say\n}\n\nenum Tier { a b }\n\nflow two {\n    go main up 3 times\n}\n";
    let mut sources = Sources::new();
    let file = sources.add("two.flow", text);
    let lines: Vec<u32> =
        problems(text).iter().map(|problem| sources.position(file, problem.span().start).line).collect();
    assert_eq!(lines, [2, 4, 7, 10]);
    let module = lang_syntax::parse(file, text).0;
    assert_eq!(module.items.len(), 3);
}

#[test]
fn a_problem_as_it_is_shown() {
    let text = "flow main {\n    say zh \"你好。\" en \"Hello.\" hang up\n}\n";
    let mut sources = Sources::new();
    sources.add("main.flow", text);
    insta::assert_snapshot!(render(&problems(text), &sources, Colours::Off, 100));
}
