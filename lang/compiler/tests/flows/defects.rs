//! For each code a small mistake and its repair, in `defects.md`: the mistake gives that code and nothing else, the
//! repaired text gives nothing, and the code that the help shows stands in it (unless it shows what to leave out).

use lang_compiler::{Code, Colours, Engine, Project, compile};
use runtime_contract::calendar::days_since_epoch;
use runtime_contract::program::SiteNames;

const TABLE: &str = include_str!("../defects.md");

/// Codes that no text of a project can give today, with the reason.
const WITHOUT: [(&str, &str); 2] =
    [("F0011", "its texts are too long for a table; bounds have their own tests"), ("F0508", "likewise")];

/// One block of the table. Lines that begin with `-` are only in the wrong text, with `+` only in the repaired one.
struct Defect {
    code: &'static str,
    /// For messages: the line of the table.
    line: usize,
    wrong: String,
    repaired: String,
}

fn defects() -> Vec<Defect> {
    let mut found: Vec<Defect> = Vec::new();
    let (mut code, mut block) = ("", None);
    for (line, text) in (1..).zip(TABLE.lines()) {
        match (text.split_once("## "), text.strip_prefix("```"), &mut block) {
            (Some(("", heading)), ..) => code = heading.split(' ').next().unwrap(),
            (_, Some(kind), None) => {
                let defect = Defect { code, line, wrong: String::new(), repaired: String::new() };
                block = Some((kind == "diff in a flow", defect));
            }
            (_, Some(_), Some(_)) => {
                let (in_flow, mut defect) = block.take().unwrap();
                if in_flow {
                    (defect.wrong, defect.repaired) = (in_a_flow(&defect.wrong), in_a_flow(&defect.repaired));
                }
                found.push(defect);
            }
            (_, None, Some((_, defect))) => {
                let (sign, rest) = text.split_at(text.len().min(1));
                for (other, side) in [("+", &mut defect.wrong), ("-", &mut defect.repaired)] {
                    if sign != other {
                        *side += &format!("{rest}\n");
                    }
                }
            }
            _ => {}
        }
    }
    found
}

/// Lines as the statements of a flow that answers a call; what they may use is declared.
fn in_a_flow(lines: &str) -> String {
    format!(
        "languages en\n\nenum Tier {{ standard, gold }}\n\ntype Customer {{\n    id: Text\n    tier: Tier\n}}\n\n\
         service bank {{\n    balance(card: private Digits) -> Money within 2s\n    find(phone: Phone?) -> Customer?\n    \
         name(phone: Phone?) -> Text?\n    count(of: Text) -> Int\n    is_open(city: Text) -> Bool\n    \
         secret(phone: Phone?) -> Digits\n    pay(amount: Money)\n}}\n\nhours office in \"Asia/Shanghai\" {{\n    \
         mon..fri 09:00..18:00\n}}\n\ninbound \"+86 400 810 0000\" => main\n\nflow main {{\n    answer\n{lines}    hang up\n}}\n\n\
         flow other {{\n    return\n}}\n\nflow level -> Tier {{\n    return gold\n}}\n"
    )
}

/// A line `//@ other.flow` begins a further file.
pub fn project(text: &str) -> Project {
    let mut project = Project::default();
    project.set_today(days_since_epoch(2026, 1, 1).unwrap());
    for (at, part) in text.split("//@ ").enumerate() {
        match part.split_once('\n').filter(|_| at > 0) {
            Some((name, text)) => project.add_flow(name, text),
            None => project.add_flow("main.flow", part),
        }
    }
    project
}

pub fn site() -> SiteNames {
    SiteNames { services: Some(vec!["bank".into()]) }
}

/// The mistakes of the table, by their lines in it.
pub fn wrong_texts() -> Vec<(usize, String)> {
    defects().into_iter().map(|defect| (defect.line, defect.wrong)).collect()
}

/// Codes, helps and the report of a text.
fn said(text: &str) -> (Vec<&'static str>, Vec<String>, String) {
    let compiled = compile(&project(text), &site(), Engine::Interpreter);
    let analysis = compiled.as_ref().map_or_else(|analysis| &**analysis, |compiled| &compiled.analysis);
    let problems = &analysis.diagnostics;
    (
        problems.iter().map(|problem| problem.code.number()).collect(),
        problems.iter().map(|problem| problem.help.clone().unwrap_or_default()).collect(),
        analysis.report(Colours::Off, 100).text,
    )
}

fn without_blanks(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What is wrong with a row of the table.
fn fault(defect: &Defect) -> Option<String> {
    let (codes, helps, report) = said(&defect.wrong);
    if codes != [defect.code] {
        return Some(format!("the mistake gives {codes:?}\n{report}"));
    }
    let help = &helps[0];
    let code_is_marked = help.contains('`') || !["=>", "…", "{", "\"", "("].iter().any(|sign| help.contains(sign));
    if help.is_empty() || !code_is_marked {
        return Some(format!("no help, or one with unmarked code\n{report}"));
    }
    if !help.starts_with("leave")
        && let Some(shown) = help.split('`').nth(1)
        && !without_blanks(&defect.repaired).contains(&without_blanks(shown))
    {
        return Some(format!("the repair has no `{shown}`\n{report}"));
    }
    let (codes, _, report) = said(&defect.repaired);
    (!codes.is_empty()).then(|| format!("the repair gives {codes:?}\n{report}"))
}

#[test]
fn each_mistake_gives_its_code_and_each_repair_compiles() {
    let faults: Vec<String> = defects()
        .iter()
        .filter_map(|defect| Some(format!("defects.md:{} {}: {}", defect.line, defect.code, fault(defect)?)))
        .collect();
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_code_that_is_given_is_in_the_table() {
    let sources = [
        include_str!("../../../semantics/tests/cases.rs"),
        include_str!("../../../syntax/src/errors.rs"),
        include_str!("../../../syntax/src/lines.rs"),
        include_str!("../../../syntax/src/tree.rs"),
    ];
    let given = |code: &Code| sources.iter().any(|source| source.contains(&format!("Code::{code:?},")));
    let missing: Vec<_> = Code::ALL
        .iter()
        .filter(|code| given(code) && !WITHOUT.iter().any(|(number, _)| *number == code.number()))
        .filter(|code| !TABLE.contains(&format!("## {code}\n")))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
