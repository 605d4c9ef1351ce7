//! The chapters of the manual as the texts that they show, with the marks on them. `lang/spec/README.md` says how both
//! are written. It knows no compiler.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::fs;
use std::path::Path;

/// Where the lines of a block `in a flow` go, in the block `around`.
const PLACE: &str = "    …\n";
/// What follows them there, unless they say themselves how the flow ends.
const END: &str = "    hang up\n";

/// One block of a chapter, made whole.
pub struct Shown {
    /// `14-ask.md`
    pub chapter: String,
    pub files: Vec<File>,
    /// By line.
    pub marks: Vec<Mark>,
}

pub struct File {
    /// `main.flow`
    pub name: String,
    pub text: String,
    /// Lines of the chapter above the first of `text`; negative where lines were put around it.
    pub above: i64,
}

/// What is said of one line, as a mark shows it or as the compiler gave it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Mark {
    /// Of the chapter.
    pub line: i64,
    /// `error: F0101`
    pub said: String,
    /// First column and the one behind the last, from 1, of a mark with carets.
    pub columns: Option<(usize, usize)>,
}

/// All chapters of a folder, in order.
pub fn chapters(folder: &Path) -> Vec<(String, String)> {
    let mut found: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(path).unwrap()))
        .filter(|(name, _)| name.starts_with(|first: char| first.is_ascii_digit()))
        .collect();
    found.sort();
    found
}

/// Every `flow` block of the chapters.
pub fn shown(chapters: &[(String, String)]) -> Vec<Shown> {
    let blocks: Vec<(&str, &str, i64, String)> = chapters
        .iter()
        .flat_map(|(chapter, text)| {
            blocks(text).into_iter().map(move |(kind, above, text)| (chapter.as_str(), kind, above, text))
        })
        .collect();
    let around = blocks.iter().find(|(_, kind, ..)| *kind == "around").map(|(.., text)| text.as_str()).unwrap();
    let (head, tail) = around.split_once(PLACE).unwrap();
    let whole = around.replacen(PLACE, "", 1);
    let made = |(chapter, kind, above, text): &(&str, &str, i64, String)| {
        let files = match *kind {
            "in a flow" => {
                let ends = text.lines().any(|line| line.starts_with("    step ") || line == END.trim_end());
                let tail = if ends { tail.strip_prefix(END).unwrap() } else { tail };
                let text = format!("{head}{text}{tail}");
                vec![File { name: "main.flow".to_owned(), text, above: above - head.lines().count() as i64 }]
            }
            "around" => vec![File { name: "main.flow".to_owned(), text: whole.clone(), above: *above }],
            "" => files(text, *above),
            other => panic!("{chapter}:{above}: no such kind of block: `{other}`"),
        };
        Shown { chapter: (*chapter).to_owned(), files, marks: marks(text, *above) }
    };
    blocks.iter().map(made).collect()
}

/// Kind, lines above and text of each block whose fence begins with `flow`.
fn blocks(chapter: &str) -> Vec<(&str, i64, String)> {
    let mut found = Vec::new();
    let mut open: Option<(&str, i64, String)> = None;
    let mut in_other = false;
    for (line, number) in chapter.lines().zip(1i64..) {
        match (line.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(kind), None) if kind.starts_with("flow") && !in_other => {
                open = Some((kind.trim_start_matches("flow").trim(), number, String::new()));
            }
            (Some(_), None) => in_other = !in_other,
            (None, Some((.., text))) => *text += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    assert!(open.is_none() && !in_other, "a block is not closed");
    found
}

/// A line `//@ fares.flow` begins a further file.
fn files(text: &str, above: i64) -> Vec<File> {
    let mut found = vec![File { name: "main.flow".to_owned(), text: String::new(), above }];
    for (line, number) in text.lines().zip(above + 1..) {
        match line.strip_prefix("//@ ") {
            Some(name) => found.push(File { name: name.to_owned(), text: String::new(), above: number }),
            None => found.last_mut().unwrap().text += &format!("{line}\n"),
        }
    }
    found
}

/// `// error: F0101` stands behind its line; `//   ^^^ error: F0101` on the line below, under the very place.
fn marks(text: &str, above: i64) -> Vec<Mark> {
    let (mut found, mut marked) = (Vec::new(), above);
    for (line, number) in text.lines().zip(above + 1..) {
        let carets = line.trim_start().strip_prefix("//").filter(|rest| rest.trim_start().starts_with('^'));
        let said = ["error: ", "warning: ", "advice: "].iter().find_map(|word| {
            let at = line.find(&format!("{}{word}", if carets.is_some() { "^ " } else { "// " }))?;
            line.get(at..)?.split_once(' ').map(|(_, said)| said.to_owned())
        });
        if carets.is_none() {
            marked = number;
        }
        if let Some(said) = said {
            let columns = carets.map(|_| {
                let first = line.chars().position(|sign| sign == '^').unwrap() + 1;
                (first, first + line.chars().filter(|sign| *sign == '^').count())
            });
            found.push(Mark { line: marked, said, columns });
        }
    }
    found.sort();
    found
}
