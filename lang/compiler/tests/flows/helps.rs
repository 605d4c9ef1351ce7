//! What a help shows can stand where it is shown: lines that are wrong, in each kind of block, are mended by their own
//! help, as somebody would who copies it. What that may need besides, as an arm more, is no part of it.

use lang_compiler::{Analysis, Colours, Project, analyze};
use runtime_contract::program::SiteNames;

const PROJECT: &str = include_str!("helps.flow");

const RULES: &[&str] = &["missed", "alarm"];
const WITHOUT_LINE: &[&str] = &["missed", "alarm", "busy", "after", "exhausted", "finally"];
const ATTEMPT: &[&str] = &["person", "variant", "busy"];
const ALL: &[&str] =
    &["missed", "alarm", "person", "variant", "busy", "after", "exhausted", "finally", "survey", "survey_if"];
const CADENCE: &[&str] = &["person", "variant", "busy", "after", "exhausted"];
const SURVEY: &[&str] = &["survey", "survey_if"];

/// A line, the code that it gives, and the blocks in which it does.
const LINES: &[(&str, &str, &[&str])] = &[
    ("say \"Hello.\"", "F0601", WITHOUT_LINE),
    ("hang up", "F0601", RULES),
    ("queue office(gold, none) else continue", "F0601", &["missed", "alarm", "after", "exhausted", "finally"]),
    ("run greet()", "F0601", WITHOUT_LINE),
    ("send sms \"We are closed.\"", "F0601", &["alarm"]),
    ("again", "F0407", WITHOUT_LINE),
    ("go main", "F0101", &["missed", "alarm", "after"]),
    ("notify \"ops\" \"{alias}\"", "F0206", CADENCE),
    ("send sms to number \"{alias}\"", "F0206", CADENCE),
    ("say \"{alias}\"", "F0206", &["person", "variant"]),
    ("notify \"ops\" \"{score}\"", "F0206", &["survey"]),
    ("question many number \"How many, after {score}?\"", "F0206", &["survey"]),
    ("question many number \"How many, after {solved}?\"", "F0206", SURVEY),
    ("question many number \"How many, {caller.number}?\"", "F0206", SURVEY),
    ("note a = score + 1", "F0206", &["survey"]),
    ("note a = alias.length", "F0206", CADENCE),
    ("notify \"ops\" \"{true}\"", "F0706", ALL),
    ("question many number \"{true}\"", "F0706", SURVEY),
    ("if score { open case poor }", "F0201", SURVEY),
    ("if limit { open case poor }", "F0201", ALL),
    ("if alias { open case poor }", "F0201", CADENCE),
    ("send sms to 5 \"Hello.\"", "F0201", ALL),
    ("note a = crm.count(\"+1 212 555 0100\")", "F0507", SURVEY),
    ("if crm.count(\"+1 212 555 0100\") > 1 { open case poor }", "F0507", SURVEY),
    ("if hello() is sold { open case poor }", "F0507", SURVEY),
    ("let name = crm.name(\"+1 212 555 0100\")", "F0301", ATTEMPT),
    ("let count = crm.count(\"+1 212 555 0100\")", "F0301", ATTEMPT),
    ("start follow_up(\"+1 212 555 0100\", none, none, given_for(sales))", "F0605", &["missed", "alarm", "finally"]),
    ("start follow_up(\"+1 212 555 0100\", none, none)", "F0202", &["missed"]),
    ("question card digits 16 \"Your card?\"", "F0609", SURVEY),
    ("question tone voice up to 60 \"Say it.\"", "F0208", SURVEY),
    ("question say yes or no \"Was it said well, and was it said in time?\"", "F0004", SURVEY),
    ("say \"Hello.\"", "F0001", SURVEY),
    ("say \"For {who}.\"", "F0206", &["every"]),
    ("say \"{ahead > 1}\"", "F0706", &["every"]),
    ("needs who == \"x\"", "F0207", &["queue"]),
    ("needs who.length > 3", "F0206", &["queue"]),
    ("needs tier", "F0201", &["queue"]),
    ("needs crm.count(\"+1 212 555 0100\") > 1", "F0507", &["queue"]),
    ("prefers mandarin if who", "F0201", &["queue"]),
    ("prefers mandarin if hello() is sold", "F0507", &["queue"]),
    ("prefers same agent within 5", "F0208", &["queue"]),
    ("order priority worth 30", "F0208", &["queue"]),
    ("target 80 within 20s", "F0201", &["queue"]),
];

/// The project with lines in one place.
fn project(place: &str, lines: &str) -> Project {
    let mark = format!("// HERE {place}\n");
    assert_eq!(PROJECT.matches(&mark).count(), 1, "{place}");
    let mut project = Project::default();
    project.add_flow("main.flow", PROJECT.replace(&mark, &format!("{lines}\n")));
    project
}

fn looked_at(place: &str, lines: &str) -> Analysis {
    analyze(&project(place, lines), &SiteNames::default())
}

/// What somebody may make of a line with this help: leave it out, or put the text for the place and whole words around it.
fn mended(line: &str, at: std::ops::Range<usize>, help: &str) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    let place = &line[at.clone()];
    let at_start = at.start + place.len() - place.trim_start().len();
    let at_end = at.end - (place.len() - place.trim_end().len());
    if help.starts_with("leave") {
        texts.push(String::new());
    } else if let Some(shown) = help.split('`').nth(1) {
        let written = match (shown, help.contains("`start`")) {
            // Of these only the verb is shown.
            ("send sms", true) => "send sms \"We call you.\"",
            ("notify", true) => "notify \"ops\" \"Look at it.\"",
            _ => shown,
        };
        let bounds = |from: usize, to: usize| (from..=to).filter(|at| line.is_char_boundary(*at));
        let is_start = |at: &usize| *at == at_start || line[..*at].chars().next_back().is_none_or(|sign| sign == ' ');
        let is_end = |at: &usize| *at == at_end || line[*at..].chars().next().is_none_or(|sign| sign == ' ');
        for start in bounds(0, at_start).filter(is_start) {
            for end in bounds(at_end, line.len()).filter(is_end) {
                let put = format!("{}{written}{}", &line[..start], &line[end..]);
                // A hole that is shown with its braces is the whole hole.
                texts.push(put.replace("{{", "{").replace("}}", "}"));
            }
        }
    }
    texts
}

fn complaint(line: &str, code: &str, place: &str) -> Option<String> {
    let analysis = looked_at(place, line);
    let from = PROJECT.find(&format!("// HERE {place}\n")).unwrap();
    let Some(problem) = analysis.diagnostics.iter().find(|problem| problem.code.number() == code) else {
        return Some(format!("no {code}\n{}", analysis.report(Colours::Off, 100).text));
    };
    let help = problem.help.clone().unwrap_or_default();
    let at = (problem.span().start as usize).checked_sub(from)..(problem.span().end as usize).checked_sub(from);
    let (Some(start), Some(end)) = (at.start, at.end.map(|end| end.min(line.len()))) else {
        return Some(format!("{code} in another place"));
    };
    let texts = mended(line, start..end, &help);
    let is_sound = |text: &String| !looked_at(place, text).has_errors();
    (!texts.iter().any(is_sound)).then(|| {
        let first = texts.last().map_or("", String::as_str);
        format!("{help} gives {first}\n{}", looked_at(place, first).report(Colours::Off, 100).text)
    })
}

#[test]
fn what_a_help_shows_can_stand_where_it_is_shown() {
    assert!(looked_at("missed", "").diagnostics.is_empty());
    let mut complaints = Vec::new();
    for (line, code, places) in LINES {
        for place in *places {
            complaints.extend(complaint(line, code, place).map(|why| format!("`{line}` in {place}: {why}")));
        }
    }
    assert!(complaints.is_empty(), "{}\n{}", complaints.len(), complaints.join("\n"));
}
