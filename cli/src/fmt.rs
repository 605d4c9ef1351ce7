//! `strowger fmt`: flow files in their canonical form. There are no options of taste.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use lang_compiler::{Layout, layout};
use serde_json::{Value, json};

use crate::show::{self, Failure, Result};
use crate::write::{diff, replace};

/// Stands for standard input.
const STDIN: &str = "-";

#[derive(Args)]
pub struct Fmt {
    /// Folders and `.flow` files; `-` reads standard input and writes standard output
    #[arg(default_value = ".", value_hint = clap::ValueHint::AnyPath)]
    paths: Vec<PathBuf>,
    /// Write nothing; show what would change, and fail when something would
    #[arg(long)]
    check: bool,
    /// One JSON object for each file, then one with the counts
    #[arg(long)]
    json: bool,
}

/// How many files came out how.
#[derive(Default)]
struct Counts {
    files: usize,
    changed: usize,
    broken: usize,
}

impl Fmt {
    pub fn run(&self) -> Result {
        if self.paths.iter().any(|path| path.as_os_str() == STDIN) {
            if self.paths.len() > 1 {
                return Err(Failure::new("`-` stands alone", "format files and standard input one after the other"));
            }
            return self.standard_input();
        }
        let mut counts = Counts::default();
        let mut files: Vec<PathBuf> = Vec::new();
        for path in &self.paths {
            files.extend(crate::project::flow_files(path)?);
        }
        files.sort();
        files.dedup();
        for path in &files {
            let bytes = std::fs::read(path).map_err(|cause| crate::project::unreadable(path, &cause))?;
            self.file(path, &bytes, &mut counts)?;
        }
        self.summary(&counts);
        let failed = counts.broken > 0 || (self.check && counts.changed > 0);
        if failed { Err(Failure::Shown) } else { Ok(()) }
    }

    fn file(&self, path: &Path, bytes: &[u8], counts: &mut Counts) -> Result {
        counts.files += 1;
        let name = shown(path);
        match layout(&name, bytes, show::colours(), show::width()) {
            Layout::Canonical => self.say(&name, "same", String::new(), json!({})),
            Layout::Other(text) => {
                counts.changed += 1;
                if self.check {
                    let patch = diff(&name, &String::from_utf8_lossy(bytes), &text);
                    self.say(&name, "would change", patch.clone(), json!({ "diff": patch }));
                } else {
                    replace(path, &text)?;
                    self.say(&name, "changed", format!("changed {name}\n"), json!({}));
                }
            }
            Layout::Broken(report) => {
                counts.broken += 1;
                let problems: Vec<Value> =
                    report.json.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
                let text = format!("{}left as it is: {name} does not read\n", report.text);
                self.say(&name, "broken", text, json!({ "problems": problems }));
            }
        }
        Ok(())
    }

    fn say(&self, name: &str, outcome: &str, text: String, more: Value) {
        if !self.json {
            show::say(&text);
            return;
        }
        let mut line = json!({ "file": name, "outcome": outcome });
        if let (Some(line), Value::Object(more)) = (line.as_object_mut(), more) {
            line.extend(more);
        }
        show::say(&format!("{line}\n"));
    }

    fn summary(&self, counts: &Counts) {
        let Counts { files, changed, broken } = counts;
        if self.json {
            println!("{}", json!({ "files": files, "changed": changed, "broken": broken, "check": self.check }));
            return;
        }
        let of = show::plural(*files, "file");
        let would = if self.check { "would change" } else { "changed" };
        match (changed, broken) {
            (0, 0) => println!("{of}, all in canonical form"),
            (_, 0) => println!("{of}, {changed} {would}"),
            _ => println!("{of}, {changed} {would}, {broken} left as they are"),
        }
    }

    fn standard_input(&self) -> Result {
        let mut bytes = Vec::new();
        let read = std::io::stdin().read_to_end(&mut bytes);
        read.map_err(|cause| Failure::new(format!("cannot read standard input: {cause}"), ""))?;
        let name = "standard input";
        match layout(name, &bytes, lang_compiler::Colours::Off, show::width()) {
            Layout::Broken(report) if self.json => {
                print!("{}", report.json);
                Err(Failure::Shown)
            }
            Layout::Broken(report) => {
                eprint!("{}", report.text);
                Err(Failure::Shown)
            }
            Layout::Canonical if self.json || self.check => {
                self.say(name, "same", String::new(), json!({}));
                Ok(())
            }
            Layout::Other(text) if self.check => {
                let patch = diff("standard input", &String::from_utf8_lossy(&bytes), &text);
                self.say(name, "would change", patch.clone(), json!({ "diff": patch }));
                Err(Failure::Shown)
            }
            Layout::Other(text) if self.json => {
                self.say(name, "changed", String::new(), json!({ "text": text }));
                Ok(())
            }
            Layout::Canonical => print_whole(&bytes),
            Layout::Other(text) => print_whole(text.as_bytes()),
        }
    }
}

fn print_whole(bytes: &[u8]) -> Result {
    let written = std::io::stdout().write_all(bytes);
    written.map_err(|cause| Failure::new(format!("cannot write standard output: {cause}"), ""))
}

/// A path as people typed it, without the `./` of the folder they are in.
fn shown(path: &Path) -> String {
    path.strip_prefix(".").unwrap_or(path).display().to_string()
}
