//! What the door says when there is no program, or when there is one and something to warn of.

use std::fmt::Write;

use lang_compiler::{Analysis, Code, Colours, Engine, Project, compile};
use runtime_contract::limits::RUN_DEPTH_MAX;
use runtime_contract::program::{Bundle, SiteNames};
use runtime_contract::script::Verb;

fn refused(project: &Project) -> Analysis {
    match compile(project, &SiteNames::default(), Engine::Interpreter) {
        Ok(_) => panic!("it compiles"),
        Err(analysis) => *analysis,
    }
}

fn one(text: &str) -> Project {
    let mut project = Project::default();
    project.add_flow("m.flow", text);
    project
}

#[test]
fn a_mistake_is_reported_with_its_place_as_text_and_as_json() {
    let analysis = refused(&one("languages en\n\nflow f {\n    answer\n    go mian\n\n    step main { hang up }\n}\n"));
    assert!(analysis.has_errors());
    let report = analysis.report(Colours::Off, 100);
    assert!(report.text.contains("F0101") && report.text.contains("m.flow:5"), "{}", report.text);
    assert!(report.json.lines().any(|line| line.contains("\"code\":\"F0101\"")), "{}", report.json);
}

#[test]
fn what_there_is_is_listed_once() {
    let cadence = "type Lead {\n    phone: Phone\n    permission: Permission\n}\n\ncadence season(lead: Lead) {\n    \
        consent   lead.permission for sales\n    window    daily 09:00..20:00 in \"Europe/London\"\n    attempts  2\n\n    \
        dial lead.phone from \"+44 20 7946 0000\" {\n        person => stop told\n        \
        machine, busy, unanswered => retry in 1d\n        declined => stop declined\n        \
        unreachable => stop declined\n    }\n\n    exhausted => stop told\n}\n\ntest \"it stops\" {\n    \
        start season(Lead(phone: \"+44 20 7946 0999\", permission: given_for(sales)))\n    \
        expect stopped by_and_by\n}\n";
    let analysis = refused(&one(&format!("languages en\n\n{cadence}")));
    let helps: Vec<&str> = analysis.diagnostics.iter().filter_map(|problem| problem.help.as_deref()).collect();
    let [help] = helps.as_slice() else { panic!("{:?}", analysis.diagnostics) };
    assert_eq!(help.matches("declined").count(), 1, "{help}");
}

#[test]
fn a_file_that_is_not_utf8_is_named() {
    let text: &[u8] = b"languages en\n\nflow f {\n    answer\n    say \"Caf\xe9\"\n    hang up\n}\n";
    let files = vec![("m.flow".to_owned(), text.into())];
    let analysis = refused(&Project::from_bundle(&Bundle { files }));
    let [problem] = &analysis.diagnostics[..] else { panic!("{:?}", analysis.diagnostics) };
    assert!(problem.message.contains("UTF-8"), "{problem:?}");
    let span = problem.span();
    assert_eq!(analysis.sources.position(span.file, span.start).line, 5);
}

#[test]
fn a_utf16_file_says_how_to_save_it_and_nothing_else() {
    let text = "use other: g\n\nlanguages en\n\nflow f {\n    answer\n    run g()\n    wiat\n}\n";
    let other = "languages en\n\nflow g {\n    return\n}\n";
    let bytes: Vec<u8> = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let files = vec![("m.flow".to_owned(), bytes.into()), ("other.flow".to_owned(), other.as_bytes().into())];
    let analysis = refused(&Project::from_bundle(&Bundle { files }));
    let [problem] = &analysis.diagnostics[..] else { panic!("{:?}", analysis.diagnostics) };
    assert!(problem.message.contains("UTF-16") && problem.help.as_deref().unwrap().contains("UTF-8"), "{problem:?}");
    let report = analysis.report(Colours::Off, 80);
    assert!(report.text.contains("[m.flow:1:1]") && report.text.contains("use other: g"), "{}", report.text);
}

#[test]
fn a_file_that_is_too_long_is_an_error_once() {
    let long = format!("flow f {{ hang up }}\n{}", " ".repeat(4 << 20));
    let mut project = one(&long);
    project.add_flow(
        "n.flow",
        "use m: f\n\nlanguages en\n\ninbound \"+86 400 810 0000\" => f\n\nflow g {\n    run f()\n}\n",
    );
    let analysis = refused(&project);
    let codes: Vec<_> = analysis.diagnostics.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, [Code::TooLarge], "{:?}", analysis.diagnostics);
}

/// The one problem of a text: its line, code and message.
fn only(text: &str) -> String {
    let analysis = refused(&one(text));
    let [problem] = &analysis.diagnostics[..] else { panic!("{}", analysis.report(Colours::Off, 100).text) };
    let line = analysis.sources.position(problem.span().file, problem.span().start).line;
    format!("{line} {} {}", problem.code.number(), problem.message)
}

#[test]
fn mistakes_that_were_told_twice_are_told_once() {
    let deep = (0..70).fold("hang up\n".to_owned(), |inner, _| format!("if 1 == 1 {{\n{inner}}}\n"));
    let deep = format!("languages en\n\nflow f {{\n    answer\n{deep}    hang up\n}}\n");
    assert_eq!(only(&deep), "68 F0011 blocks are nested deeper than 64");
    let hours = "hours office in \"Asia/Shanghai\" {\n    mon..fri 09:00..18:00\n    sat 25:00..26:00\n}\n";
    assert_eq!(only(hours), "3 F0208 no clock shows `25:00`");
    let arms = "languages en\n\nservice crm {\n    find(phone: Phone?) -> Text  within 1s\n}\n\nflow f {\n    answer\n    \
                match crm.find(caller.number) {\n        ok name => note name = name\n        faild x => continue\n    }\n    \
                hang up\n}\n";
    assert_eq!(only(arms), "11 F0303 no outcome is called `faild`");
    assert_eq!(only(&arms.replace("faild x", "failed x")), "11 F0305 `failed` carries nothing that `x` could name");
    assert_eq!(only("flow f {{\n    answer\n    hang up\n}\n"), "1 F0003 this `{` is one too many");
}

#[test]
fn a_name_that_is_missing_in_many_places_is_told_once_with_its_places() {
    let go = "        1 => go mian\n        2 => go mian\n        3 => go mian\n        4 => go mian\n        5 => go mian\n";
    let text = format!(
        "languages en\n\nflow f {{\n    answer\n    menu {{\n        say \"Press a key.\"\n{go}        silence, other => hang up\n    \
         }}\n    hang up\n\n    step main {{\n        hang up\n    }}\n}}\n"
    );
    let analysis = refused(&one(&text));
    let [problem] = &analysis.diagnostics[..] else { panic!("{}", analysis.report(Colours::Off, 100).text) };
    assert_eq!((problem.code, problem.labels.len()), (Code::UnknownName, 4));
    assert_eq!(problem.notes, ["and in one more place"]);
}

#[test]
fn a_broken_line_hides_no_mistake_of_another_flow() {
    let flow = |name: &str, line: &str| format!("flow {name} {{\n    answer\n    {line}\n    hang up\n}}\n\n");
    let text = format!("languages en\n\n{}{}", flow("f", "wiat 2s"), flow("g", "go nowhere"));
    let codes: Vec<_> = refused(&one(&text)).diagnostics.iter().map(|problem| problem.code.number()).collect();
    assert_eq!(codes, ["F0001", "F0101"]);
}

#[test]
fn a_name_is_one_however_its_accent_was_typed() {
    let text = "languages en\n\ninbound \"+86 400 810 0000\" => caf\u{e9}\n\n\
                flow cafe\u{301} {\n    answer\n    go cl\u{f4}t\n\n    step clo\u{302}t {\n        hang up\n    }\n}\n";
    let mut project = Project::default();
    project.add_flow("menu\u{301}.flow", text);
    project.add_flow(
        "n.flow",
        "use men\u{fa}: caf\u{e9}\n\nlanguages en\n\nflow g {\n    run cafe\u{301}()\n    return\n}\n",
    );
    if let Err(analysis) = compile(&project, &SiteNames::default(), Engine::Interpreter) {
        panic!("{}", analysis.report(Colours::Off, 100).text);
    }
}

/// A chain of flows, each of which runs the next.
fn chain(flows: usize) -> Project {
    let mut text = "languages en\n\ninbound \"+86 400 810 0000\" => f1\n".to_owned();
    for flow in 1..flows {
        write!(text, "\nflow f{flow} {{\n    answer\n    run f{}()\n    return\n}}\n", flow + 1).unwrap();
    }
    write!(text, "\nflow f{flows} {{\n    answer\n    return\n}}\n").unwrap();
    one(&text)
}

#[test]
fn a_program_beyond_a_bound_is_a_diagnostic_on_its_flow() {
    assert!(compile(&chain(RUN_DEPTH_MAX), &SiteNames::default(), Engine::Interpreter).is_ok());
    let analysis = refused(&chain(RUN_DEPTH_MAX + 1));
    let problem = &analysis.diagnostics[0];
    assert_eq!(problem.code, Code::WorstCaseTooLong);
    assert!(analysis.sources.slice(problem.span()).starts_with('f'), "{problem:?}");
}

#[test]
fn a_module_of_the_library_is_read_when_it_is_used() {
    let text = "use std.voicemail\n\nlanguages zh, en\n\ninbound \"+86 400 810 0000\" => f\n\n\
                flow f {\n    answer\n    run voicemail.take(mailbox: \"support\")\n    hang up\n}\n";
    let compiled = match compile(&one(text), &SiteNames::default(), Engine::Interpreter) {
        Ok(compiled) => compiled,
        Err(analysis) => panic!("{}", analysis.report(Colours::Off, 100).text),
    };
    let flows: Vec<_> = compiled.program.meta().flows.iter().map(|flow| flow.name.as_str()).collect();
    assert!(flows.contains(&"std.voicemail.take"), "{flows:?}");
}

#[test]
fn warnings_and_tests_come_with_the_program() {
    let mut project = one("languages en\n\ninbound \"+86 400 810 0000\" => f\n\n\
                           flow f {\n    answer\n    let unused = 1\n    hang up\n}\n");
    project.add_flow(
        "m_test.flow",
        "test \"it ends\" {\n    at 2026-03-02 10:00 in \"Asia/Shanghai\"\n    \
         call from \"+86 138 0000 0000\" to \"+86 400 810 0000\"\n    expect end\n}\n",
    );
    let compiled = match compile(&project, &SiteNames::default(), Engine::Native) {
        Ok(compiled) => compiled,
        Err(analysis) => panic!("{}", analysis.report(Colours::Off, 100).text),
    };
    let codes: Vec<_> = compiled.analysis.diagnostics.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, [Code::UnusedName]);
    let [test] = &compiled.tests[..] else { panic!("{:?}", compiled.tests) };
    assert_eq!((test.name.as_str(), test.place.line, test.lines.len()), ("it ends", 1, 2));
    assert!(matches!(test.lines[1], (place, Verb::ExpectEnd) if place.line == 4));
    assert_eq!(test.files[test.place.file as usize], "m_test.flow");
}

/// The door's answer to a flow of this body, whatever it is: what matters is that there is one.
fn answer_to(body: &str) -> Result<usize, Code> {
    let text = format!(
        "languages en\n\ninbound \"+86 400 810 0000\" => f\n\nflow f {{\n    answer\n{body}\n    hang up\n}}\n"
    );
    match compile(&one(&text), &SiteNames::default(), Engine::Native) {
        Ok(compiled) => Ok(compiled.program.meta().segments.len()),
        Err(analysis) => Err(analysis.diagnostics[0].code),
    }
}

#[test]
fn very_long_expressions_get_an_answer() {
    let sum = |terms: usize| answer_to(&format!("    let n = 1{}\n    note n = n", " + 1".repeat(terms)));
    assert!(sum(500).is_ok());
    assert_eq!(sum(20_000), Err(Code::TooLarge));
}

/// Branches one behind the other, the last of which holds as many again, and so on.
fn branches(count: usize, depth: usize) -> String {
    if depth == 0 {
        return "note n = 0\n".to_owned();
    }
    let others = (1..count).map(|n| format!("if n == {n} {{\nnote n = {n}\n}} else ")).collect::<String>();
    format!("{others}if n == 0 {{\n{}}}\n", branches(count, depth - 1))
}

#[test]
fn very_long_and_deep_branches_get_an_answer() {
    let deep = |count, depth| answer_to(&format!("let n = 1 + 1\n{}", branches(count, depth)));
    assert!(deep(60, 1).is_ok());
    assert_eq!(deep(5_000, 1), Err(Code::TooLarge));
    assert_eq!(deep(2, 1_000), Err(Code::TooLarge));
    let both = deep(60, 60);
    assert!(matches!(both, Ok(_) | Err(Code::TooLarge | Code::WorstCaseTooLong)), "{both:?}");
}

/// Whether a flow with these lines compiles; the report if not.
fn compiles(lines: &str) -> Result<(), String> {
    let text =
        format!("languages en\n\ninbound \"+86 400 810 0000\" => f\n\nflow f {{\n    answer\n{lines}    hang up\n}}\n");
    compile(&one(&text), &SiteNames::default(), Engine::Interpreter)
        .map(drop)
        .map_err(|analysis| analysis.report(Colours::Off, 100).text)
}

#[test]
fn a_dialogue_behind_let_has_an_else_for_all_but_its_value() {
    for what in ["record up to 60s", "ask digits 4"] {
        for otherwise in ["none", "{ none }", "hang up", "{\n        note n = 1\n        none\n    }"] {
            let lines = format!(
                "    let m = {what} {{\n        say \"Speak.\"\n    }} else {otherwise}\n    if m is some m_ {{ note m = 1 }}\n"
            );
            let lines =
                if otherwise == "hang up" { lines.replace("    if m is some m_ { note m = 1 }\n", "") } else { lines };
            assert_eq!(compiles(&lines), Ok(()), "{lines}");
        }
    }
}
