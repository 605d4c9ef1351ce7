//! A checker that knows a project from before gives what one gives that sees it for the first time: the same problems
//! in the same words, the same graph byte for byte, the same tests and marks; after any row of edits.

use std::collections::BTreeMap;
use std::path::Path;

use lang_compiler::{Checker, Colours, Engine, Heard, Project, compile};
use runtime_contract::program::SiteNames;

use crate::syntax_support::{Chance, mutate, seeds};

const PROJECTS: u64 = 8;
const EDITS: usize = 10;

type Files = BTreeMap<String, String>;

/// One project for each example.
fn examples() -> Vec<Files> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut folders: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let files = |folder: &std::path::PathBuf| -> Files {
        let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        paths
            .filter(|path| path.extension().is_some_and(|ending| ending == "flow"))
            .map(|path| {
                (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(path).unwrap())
            })
            .collect()
    };
    folders.iter().map(files).filter(|files| !files.is_empty()).collect()
}

/// One edit, as somebody at work makes them: a line, some words, a whole file; or it takes one back.
fn edit(files: &mut Files, original: &Files, chance: &mut Chance) {
    let names: Vec<String> = files.keys().cloned().collect();
    let name = &names[chance.below(names.len())];
    let text = files[name].clone();
    let mut lines: Vec<&str> = text.lines().collect();
    let at = chance.below(lines.len());
    match chance.below(9) {
        0 => lines.insert(at, "// A line about nothing."),
        1 => lines.insert(at, ""),
        2 => drop(files.insert("a_file_before_the_others.flow".to_owned(), text.clone())),
        3 => drop(files.remove("a_file_before_the_others.flow")),
        4 | 5 => {
            files.extend(original.iter().map(|(name, text)| (name.clone(), text.clone())));
            return;
        }
        // Every place stays where it is by bytes, and not by lines.
        6 => return drop(files.insert(name.clone(), text.replacen("\n\n", " \n", 1))),
        7 => return drop(files.insert(name.clone(), text.replacen("say ", "say \"One more.\" then say ", 1))),
        _ => return drop(files.insert(name.clone(), mutate(&text, chance) + "\n")),
    }
    if files.contains_key(name) {
        files.insert(name.clone(), lines.join("\n") + "\n");
    }
}

/// Everything that a check gives, and whether it is a program. Without a checker nothing is known from before.
fn found(checker: Option<&Checker>, files: &Files) -> (String, bool) {
    let mut project = Project::default();
    for (name, text) in files {
        project.add_flow(name, text);
    }
    project.add_audio("welcome.zh.wav", [7; 32]);
    let names = SiteNames::default();
    let compiled = match checker {
        Some(checker) => checker.compile(&project, &names, Engine::Interpreter),
        None => compile(&project, &names, Engine::Interpreter),
    };
    match compiled {
        Ok(compiled) => {
            let report = compiled.analysis.report(Colours::Off, 100);
            let reached = compiled.reached(&compiled.counting().unwrap(), &Heard::default(), true);
            (format!("{}{}{:?}{:?}{reached:?}", report.text, report.json, compiled.graph, compiled.tests), true)
        }
        Err(analysis) => {
            let report = analysis.report(Colours::Off, 100);
            (format!("{}{}", report.text, report.json), false)
        }
    }
}

#[test]
fn known_files_and_lines_change_nothing() {
    let examples = examples();
    let (mut sound, mut refused) = (0, 0);
    for seed in seeds(PROJECTS) {
        let mut chance = Chance(seed);
        let original = &examples[seed as usize % examples.len()];
        let mut files = original.clone();
        let checker = Checker::default();
        for edits in 0..EDITS {
            let (again, is_sound) = found(Some(&checker), &files);
            let (cold, _) = found(None, &files);
            assert!(
                again == cold,
                "after {edits} edits; STROWGER_SEED={seed} cargo test -p lang-compiler --test flows known_files"
            );
            *(if is_sound { &mut sound } else { &mut refused }) += 1;
            edit(&mut files, original, &mut chance);
        }
    }
    println!("{sound} projects were sound, {refused} refused");
    assert!(sound > 0, "some edits leave a program");
}
