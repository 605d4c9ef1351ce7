//! Files in, problems out: the only place of these tests that knows the crate's door.
#![allow(clippy::panic, clippy::expect_used, reason = "tests may stop at the first surprise")]
#![allow(dead_code, reason = "each test file uses its own part")]

use lang_diagnostics::{Colours, Diagnostic, Severity, Sources, render};
use lang_semantics::{Holidays, ParsedModule, Surroundings, agreement, analyze, hir};
use lang_syntax::has_word;
use runtime_contract::calendar::days_since_epoch;
use runtime_contract::program::{AgentNames, SiteNames};

/// A project that lives in one text. Lines `//@ module routing` begin a further file; `//@ services crm` says what
/// `strowger.yaml` names; `//@ agent wang technical 1` an agent there, `//@ agent wang hours early`, too; `//@ audio
/// welcome.wav` puts a recording there.
pub struct Sample {
    /// Path and text. Lines count from the first line of the whole text.
    pub files: Vec<(String, String)>,
    pub services: Option<Vec<String>>,
    pub agents: Option<Vec<AgentNames>>,
    pub audio: Vec<String>,
}

impl Sample {
    pub fn new(text: &str) -> Sample {
        let files = vec![("main".into(), String::new())];
        let mut sample = Sample { files, services: None, agents: None, audio: Vec::new() };
        for (at, line) in text.lines().enumerate() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["//@", "module", path] => sample.files.push(((*path).to_owned(), "\n".repeat(at + 1))),
                ["//@", "services", names @ ..] => {
                    sample.services = Some(names.iter().map(|n| (*n).to_owned()).collect())
                }
                ["//@", "agent", name, more @ ..] => {
                    sample.agents.get_or_insert_default().push(agent(name, more));
                }
                ["//@", "audio", names @ ..] => sample.audio.extend(names.iter().map(|n| (*n).to_owned())),
                _ => {}
            }
            if !matches!(words.as_slice(), ["//@", "module", _]) {
                let (_, text) = sample.files.last_mut().expect("there is always one");
                text.push_str(line);
                text.push('\n');
            }
        }
        sample
    }
}

fn agent(name: &str, more: &[&str]) -> AgentNames {
    let mut agent = AgentNames { name: name.to_owned(), ..AgentNames::default() };
    for pair in more.chunks(2) {
        match pair {
            ["hours", hours] => agent.hours = Some((*hours).to_owned()),
            [skill, "true"] => agent.skills.push(((*skill).to_owned(), None)),
            [skill, level] => agent.skills.push(((*skill).to_owned(), Some(level.parse().expect("a level")))),
            _ => panic!("`//@ agent wang technical 1`"),
        }
    }
    agent
}

impl Surroundings for Sample {
    fn unplayable(&self, file: &str) -> Option<&str> {
        (file == "damaged.wav").then_some("it holds no audio; record it again")
    }

    fn audio_ms(&self, _: &str) -> Option<u64> {
        None
    }

    fn audio(&self, file: &str) -> Option<[u8; 32]> {
        self.audio.iter().any(|known| known == file).then_some([7; 32])
    }

    fn holidays(&self, table: &str) -> Option<Holidays> {
        let stdlib::Holidays { closed, worked, first_year, last_year } = stdlib::holidays(table)?;
        let days = |days: Vec<stdlib::Day>| {
            days.into_iter().filter_map(|(year, month, day)| days_since_epoch(year, month, day)).collect()
        };
        Some(Holidays { closed: days(closed), worked: days(worked), first_year, last_year })
    }

    fn holiday_tables(&self) -> Vec<String> {
        stdlib::HOLIDAY_TABLES.iter().map(|(name, _)| (*name).to_owned()).collect()
    }

    fn laws(&self) -> Vec<String> {
        stdlib::MODULES.iter().filter_map(|(name, _)| Some(name.strip_prefix("std.law.")?.to_owned())).collect()
    }

    fn today(&self) -> Option<i32> {
        days_since_epoch(2026, 1, 1)
    }
}

pub struct Analyzed {
    pub sources: Sources,
    pub program: Option<hir::Program>,
    pub diagnostics: Vec<Diagnostic>,
    /// The checker itself, not the parser, found an error.
    pub refused: bool,
}

/// Problems of parser and checker together; library files that are used come along.
pub fn analyzed(sample: &Sample) -> Analyzed {
    let mut sources = Sources::new();
    let mut modules = Vec::new();
    let mut diagnostics = Vec::new();
    let library = stdlib::MODULES.iter().filter(|(path, _)| {
        let words = if *path == agreement::MODULE { agreement::WORDS } else { &[] };
        let law = path.strip_prefix("std.law.").map_or_else(String::new, |law| format!("law       {law}"));
        let has_law =
            |text: &str| text.contains("\n    law ") && *path == "std.law" || !law.is_empty() && text.contains(&law);
        sample.files.iter().any(|(_, text)| text.contains(path) || has_word(text, words) || has_law(text))
    });
    let library = library.map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    for (path, text) in sample.files.iter().cloned().chain(library) {
        let file = sources.add(format!("{path}.flow"), text.clone());
        let (ast, problems) = lang_syntax::parse(file, &text);
        diagnostics.extend(problems);
        modules.push((path, ast));
    }
    let parsed: Vec<_> = modules.iter().map(|(path, ast)| ParsedModule { path: path.clone(), ast }).collect();
    let names = SiteNames { services: sample.services.clone(), agents: sample.agents.clone(), ..SiteNames::default() };
    let (program, found) = analyze(&parsed, sample, &names);
    let refused = found.iter().any(Diagnostic::is_error);
    diagnostics.extend(found);
    diagnostics.sort_by_key(|diagnostic| (diagnostic.span().file, diagnostic.span().start));
    Analyzed { sources, program, diagnostics, refused }
}

impl Analyzed {
    /// `line code`, as marks say it: `12 F0101`; of a warning `12 warning F0104`.
    pub fn found(&self) -> Vec<String> {
        let mut found: Vec<(u32, String)> = self
            .diagnostics
            .iter()
            .map(|diagnostic| {
                let span = diagnostic.span();
                let line = self.sources.position(span.file, span.start).line;
                (line, mark(line, diagnostic.severity, diagnostic.code.number()))
            })
            .collect();
        found.sort();
        found.into_iter().map(|(_, mark)| mark).collect()
    }

    pub fn rendered(&self) -> String {
        render(&self.diagnostics, &self.sources, Colours::Off, 100)
    }
}

fn mark(line: u32, severity: Severity, code: &str) -> String {
    match severity {
        Severity::Error => format!("{line} {code}"),
        other => format!("{line} {} {code}", other.word()),
    }
}

/// The marks `// error: F0101 F0102` and `// warning: F0104` of a text.
pub fn expected(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (line, number) in text.lines().zip(1u32..) {
        for (word, severity) in
            [("// error: ", Severity::Error), ("// warning: ", Severity::Warning), ("// advice: ", Severity::Advice)]
        {
            if let Some((_, codes)) = line.split_once(word) {
                found.extend(codes.split_whitespace().map(|code| (number, mark(number, severity, code))));
            }
        }
    }
    found.sort();
    found.into_iter().map(|(_, mark)| mark).collect()
}

/// What differs from the marks of a text; empty when exactly the marked problems are found.
pub fn check(name: &str, text: &str) -> String {
    let analyzed = analyzed(&Sample::new(text));
    let (found, expected) = (analyzed.found(), expected(text));
    let missing: Vec<_> = expected.iter().filter(|mark| !found.contains(mark)).collect();
    let surplus: Vec<_> = found.iter().filter(|mark| !expected.contains(mark)).collect();
    if found != expected {
        return format!("{name}: missing {missing:?}, surplus {surplus:?}\n{}", analyzed.rendered());
    }
    let errors = analyzed.diagnostics.iter().any(Diagnostic::is_error);
    match analyzed.program.is_some() == errors {
        true => format!("{name}: a program exists exactly when nothing is wrong"),
        false => String::new(),
    }
}
