//! One mistake gives one diagnostic: tokens of valid texts are deleted, doubled and misspelt one at a time, and what is
//! said of each is counted.

use std::ops::Range;
use std::path::Path;

use lang_compiler::{Project, analyze};
use runtime_contract::program::SiteNames;

use crate::syntax_support::{Chance, SAMPLES, tokens};

/// Of all mutations every so manyth is tried; `STROWGER_STRIDE=1` tries them all.
const STRIDE: usize = 29;
/// The share of mistakes that are found and give one diagnostic alone, in per cent.
const SINGLE_MIN: f64 = 97.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mutation {
    Delete,
    Double,
    Misspell,
}

struct Text {
    files: Vec<(String, String)>,
}

fn texts() -> Vec<Text> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/01-first-call");
    let of_example = ["first_call.flow", "first_call_test.flow"]
        .map(|name| (name.to_owned(), std::fs::read_to_string(folder.join(name)).unwrap()));
    let (five, _) = SAMPLES.split_at(5);
    let of_language = five.iter().map(|(name, text)| (format!("{name}.flow"), (*text).to_owned())).collect();
    vec![Text { files: of_example.to_vec() }, Text { files: of_language }]
}

/// File, line, code and message.
type Said = (String, u32, &'static str, String);

/// What is said of a project, sorted.
fn said(files: &[(String, String)]) -> Vec<Said> {
    let mut project = Project::default();
    for (name, text) in files {
        project.add_flow(name, text);
    }
    project.add_audio("welcome.zh.wav", [7; 32]);
    let analysis = analyze(&project, &SiteNames::default());
    let mut said: Vec<_> = analysis
        .diagnostics
        .iter()
        .map(|problem| {
            let span = problem.span();
            let line = analysis.sources.position(span.file, span.start).line;
            (analysis.sources.path(span.file).to_owned(), line, problem.code.number(), problem.message.clone())
        })
        .collect();
    said.sort();
    said
}

/// The line with one of its tokens changed; none where the change would be none.
fn mutated(line: &str, token: &Range<usize>, mutation: Mutation, chance: &mut Chance) -> Option<String> {
    let (before, word, behind) = (&line[..token.start], &line[token.clone()], &line[token.end..]);
    let is_word = |sign: Option<char>| sign.is_some_and(|sign| sign.is_alphanumeric() || sign == '_');
    match mutation {
        Mutation::Delete => {
            let apart = is_word(before.chars().next_back()) && is_word(behind.chars().next());
            Some(format!("{before}{}{behind}", if apart { " " } else { "" }))
        }
        Mutation::Double => {
            let apart = if is_word(word.chars().next()) { " " } else { "" };
            Some(format!("{before}{word}{apart}{word}{behind}"))
        }
        Mutation::Misspell => {
            let mut letters: Vec<char> = word.chars().collect();
            if letters.len() < 3 || !letters.iter().all(|letter| letter.is_alphanumeric() || *letter == '_') {
                return None;
            }
            let at = chance.below(letters.len() - 1);
            match chance.below(3) {
                0 => letters.swap(at, at + 1),
                1 => drop(letters.remove(at)),
                _ => letters.insert(at, letters[at]),
            }
            let misspelt: String = letters.into_iter().collect();
            (misspelt != word).then(|| format!("{before}{misspelt}{behind}"))
        }
    }
}

/// One change of one token of one file.
struct Change<'t> {
    text: &'t Text,
    file: usize,
    /// From 0.
    line: usize,
    token: Range<usize>,
    mutation: Mutation,
    seed: u64,
}

impl Change<'_> {
    /// The files with the change; none where there would be none.
    fn files(&self) -> Option<Vec<(String, String)>> {
        let mut files = self.text.files.clone();
        let (_, content) = &mut files[self.file];
        let mut lines: Vec<&str> = content.lines().collect();
        let changed = mutated(lines[self.line], &self.token, self.mutation, &mut Chance(self.seed))?;
        lines[self.line] = &changed;
        *content = lines.join("\n") + "\n";
        Some(files)
    }

    fn place(&self) -> String {
        let (name, content) = &self.text.files[self.file];
        let line = content.lines().nth(self.line).unwrap();
        format!("{:?} `{}` of {name}:{}", self.mutation, &line[self.token.clone()], self.line + 1)
    }
}

fn changes(text: &Text) -> Vec<Change<'_>> {
    let mut changes = Vec::new();
    for (file, (_, content)) in text.files.iter().enumerate() {
        for (line, written) in content.lines().enumerate() {
            for token in tokens(written) {
                for mutation in [Mutation::Delete, Mutation::Double, Mutation::Misspell] {
                    let seed = changes.len() as u64;
                    changes.push(Change { text, file, line, token: token.clone(), mutation, seed });
                }
            }
        }
    }
    changes
}

#[expect(clippy::disallowed_methods, reason = "how much to try comes from outside")]
fn stride() -> usize {
    std::env::var("STROWGER_STRIDE").ok().and_then(|stride| stride.parse().ok()).unwrap_or(STRIDE)
}

#[test]
fn one_mistake_gives_one_diagnostic() {
    let (mut silent, mut single, mut several) = (0, 0, 0);
    for text in texts() {
        let valid = said(&text.files);
        for change in changes(&text).iter().step_by(stride()) {
            let Some(files) = change.files() else { continue };
            let mut new = said(&files);
            for (file, _, code, message) in &valid {
                let known = |other: &Said| (&other.0, &other.2, &other.3) == (file, code, message);
                new.iter().position(known).map(|at| new.remove(at));
            }
            match new.len() {
                0 => silent += 1,
                1 => single += 1,
                _ => {
                    several += 1;
                    println!("{}: {new:#?}", change.place());
                }
            }
        }
    }
    let rate = f64::from(single) * 100.0 / f64::from(single + several);
    println!("{silent} mistakes are none, {single} give one diagnostic, {several} more: {rate:.1} % one");
    println!("try all: STROWGER_STRIDE=1 cargo test -p lang-compiler --test flows one_mistake -- --nocapture");
    assert!(rate >= SINGLE_MIN, "{rate:.1} %");
}
