//! Seeded faults, in `lang/spec/defects`: each gives its code at its place and nothing else, its mended twin gives
//! nothing, and the code that the help shows stands in the twin (unless it shows what to leave out).

use std::path::{Path, PathBuf};

use lang_compiler::{Analysis, Code, Colours, Engine, Project, compile};
use runtime_contract::calendar::days_since_epoch;
use runtime_contract::program::{AgentNames, SiteNames};

const FAULTS_MIN: usize = 300;

/// Codes of these families that no file of a project can give today, with the reason.
const WITHOUT: [(&str, &str); 0] = [];

struct Fault {
    /// `F0101/nearest.flow`
    name: String,
    code: String,
    wrong: String,
    mended: String,
}

/// A place in a text: line and column of its start and of its end, from 1, columns in characters.
type Place = (u32, u32, u32, u32);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/defects")
}

fn faults() -> Vec<Fault> {
    let sorted = |folder: &Path| {
        let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    };
    let mut faults = Vec::new();
    for family in sorted(&folder()).iter().filter(|path| path.is_dir()) {
        let code = family.file_name().unwrap().to_str().unwrap();
        let files = sorted(family);
        let is_twin = |path: &Path| path.to_str().unwrap().ends_with(".mended.flow");
        for path in files.iter().filter(|path| !is_twin(path)) {
            let read =
                |path: &Path| std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            faults.push(Fault {
                name: format!("{code}/{}", path.file_name().unwrap().to_str().unwrap()),
                code: code.to_owned(),
                wrong: read(path),
                mended: read(&path.with_extension("mended.flow")),
            });
        }
        assert_eq!(files.len() % 2, 0, "{code}: each fault has its twin, and each twin its fault");
    }
    faults
}

/// The marks of a text: `// ^^^ F0101` below a line, or `// F0101 at 3:1 to 5:2` anywhere.
fn marks(text: &str) -> Vec<(String, Place)> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let Some((_, mark)) = line.split_once("//").filter(|(before, _)| before.trim().is_empty()) else { continue };
        match mark.split_whitespace().collect::<Vec<_>>().as_slice() {
            [carets, code] if carets.bytes().all(|sign| sign == b'^') => {
                let column = line.chars().position(|sign| sign == '^').unwrap() as u32 + 1;
                found.push(((*code).to_owned(), (number - 1, column, number - 1, column + carets.len() as u32)));
            }
            [code, "at", start, "to", end] => {
                let number = |part: &str| part.parse::<u32>().unwrap();
                let ((line, column), (end_line, end_column)) =
                    (start.split_once(':').unwrap(), end.split_once(':').unwrap());
                let place = (number(line), number(column), number(end_line), number(end_column));
                found.push(((*code).to_owned(), place));
            }
            _ => {}
        }
    }
    found
}

/// A mark as it is to be written.
fn mark(code: &str, (line, column, end_line, end_column): Place) -> String {
    if line != end_line || column < 3 || end_column <= column {
        return format!("// {code} at {line}:{column} to {end_line}:{end_column}");
    }
    let (before, carets) = (column as usize - 3, (end_column - column) as usize);
    format!("below line {line}:\n//{}{} {code}", " ".repeat(before), "^".repeat(carets))
}

/// A line `//@ other.flow` begins a further file. Each is given with the lines before it in the text.
fn parts(text: &str) -> Vec<(String, &str, u32)> {
    let mut parts = Vec::new();
    let mut lines_before = 0;
    for (at, part) in text.split("//@ ").enumerate() {
        let (name, body) = part.split_once('\n').filter(|_| at > 0).unwrap_or(("main.flow", part));
        parts.push((name.to_owned(), body, lines_before + u32::from(at > 0)));
        lines_before += part.matches('\n').count() as u32;
    }
    parts
}

/// The day that a line `// checked on 2099-01-01` says, or else 1 January 2026.
pub fn today(text: &str) -> i32 {
    let said = text.lines().find_map(|line| line.trim().strip_prefix("// checked on "));
    let numbers: Vec<i16> = said.unwrap_or("2026-1-1").split('-').map(|part| part.parse().unwrap()).collect();
    days_since_epoch(numbers[0], numbers[1] as i8, numbers[2] as i8).unwrap()
}

pub fn project(text: &str) -> Project {
    let mut project = Project::default();
    project.set_today(today(text));
    project.add_audio("tune.wav", [1; 32]);
    for (file, why) in [
        ("silent.wav", "it holds no audio; record it again"),
        (
            "tune.mp3",
            "it is not a WAV file (no RIFF tag found); convert it, for example by ffmpeg -i IN -ar 8000 -ac 1 OUT.wav",
        ),
    ] {
        project.add_audio(file, [2; 32]);
        project.set_unplayable(file, why);
    }
    for (name, body, _) in parts(text) {
        project.add_flow(&name, body);
    }
    project
}

/// The agents of the site are there for those who declare their skills.
pub fn site(text: &str) -> SiteNames {
    SiteNames {
        services: Some(vec!["bank".into(), "crm".into()]),
        phones: Some(vec!["107".into(), "100".into(), "2001".into()]),
        calls_out: Some(true),
        purposes: Some(vec!["sales".into(), "service".into()]),
        agents: text.contains("skill technical").then(agents),
    }
}

fn agents() -> Vec<AgentNames> {
    let agent = |name: &str, skills: &[(&str, i64)]| AgentNames {
        name: name.to_owned(),
        skills: skills.iter().map(|(skill, level)| ((*skill).to_owned(), Some(*level))).collect(),
        ..AgentNames::default()
    };
    vec![agent("wang", &[("technical", 3)]), agent("li", &[("technical", 2)])]
}

/// The texts of all faults, by their files.
pub fn wrong_texts() -> Vec<(String, String)> {
    faults().into_iter().map(|fault| (fault.name, fault.wrong)).collect()
}

fn analysis(text: &str) -> Analysis {
    match compile(&project(text), &site(text), Engine::Interpreter) {
        Ok(compiled) => compiled.analysis,
        Err(analysis) => *analysis,
    }
}

fn without_blanks(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What is wrong with a seeded fault.
fn complaint(fault: &Fault) -> Option<String> {
    let analysis = analysis(&fault.wrong);
    let report = || analysis.report(Colours::Off, 100).text;
    let found: Vec<(String, Place)> = analysis
        .diagnostics
        .iter()
        .map(|problem| {
            let span = problem.span();
            let path = analysis.sources.path(span.file);
            let before = parts(&fault.wrong).iter().find(|part| part.0 == path).map_or(0, |part| part.2);
            let (start, end) =
                (analysis.sources.position(span.file, span.start), analysis.sources.position(span.file, span.end));
            let place = (start.line + before, start.column, end.line + before, end.column);
            (problem.code.number().to_owned(), place)
        })
        .collect();
    let marks = marks(&fault.wrong);
    if found != marks || found.len() != 1 || found.iter().any(|(code, _)| *code != fault.code) {
        let wanted: Vec<String> = found.iter().map(|(code, place)| mark(code, *place)).collect();
        return Some(format!("it gives {found:?}, and marks {marks:?}\n{}\n{}", wanted.join("\n"), report()));
    }
    let help = analysis.diagnostics[0].help.clone().unwrap_or_default();
    let code_is_marked = help.contains('`') || !["=>", "…", "{", "\"", "("].iter().any(|sign| help.contains(sign));
    if help.is_empty() || !code_is_marked {
        return Some(format!("no help, or one with unmarked code\n{}", report()));
    }
    if !help.starts_with("leave")
        && let Some(shown) = help.split('`').nth(1)
        && !without_blanks(&fault.mended).contains(&without_blanks(shown))
    {
        return Some(format!("the twin has no `{shown}`\n{}", report()));
    }
    let mended = self::analysis(&fault.mended);
    (!mended.diagnostics.is_empty()).then(|| format!("the twin:\n{}", mended.report(Colours::Off, 100).text))
}

#[test]
fn each_fault_gives_its_code_at_its_place_and_each_twin_compiles() {
    let faults = faults();
    let complaints: Vec<String> =
        faults.iter().filter_map(|fault| Some(format!("{}: {}", fault.name, complaint(fault)?))).collect();
    assert!(complaints.is_empty(), "{} of {}\n{}", complaints.len(), faults.len(), complaints.join("\n"));
    assert!(faults.len() >= FAULTS_MIN, "{} faults", faults.len());
}

#[test]
fn each_code_stands_twice() {
    let faults = faults();
    let count = |code: &Code| faults.iter().filter(|fault| fault.code == code.number()).count();
    let is_left_out = |code: &Code| {
        matches!(code, Code::WaitingCadenceDoesNotFit) || WITHOUT.iter().any(|(number, _)| *number == code.number())
    };
    let wrong: Vec<_> = Code::ALL.iter().filter(|code| (count(code) < 2) != is_left_out(code)).collect();
    assert!(wrong.is_empty(), "given once or never, or told to be impossible and given: {wrong:?}");
}

#[test]
fn no_rows_are_left_in_the_old_table() {
    let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/defects.md");
    assert!(!old.exists(), "write a file in lang/spec/defects instead of a row in {}", old.display());
}
