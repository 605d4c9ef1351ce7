//! The way of a text: tokens, lines, tree, abstract syntax.

use lang_diagnostics::{Code, Diagnostic, FileId, Span};

use crate::ast::Module;
use crate::lines::{Layout, PROBLEMS_MAX};
use crate::parts::KnownLines;
use crate::signs::problems_of_comments;
use crate::tokens::{Scan, scan};
use crate::tree::{FILE_BYTES_MAX, Tree, clean_text, text_to_tree};
use crate::tree_to_ast::tree_to_ast;
use crate::unread::{unread_file, unread_lines};

/// What the file says, and what is wrong with it, in the order of the text. Never fails: what was not understood is left
/// out or `Missing`.
pub fn parse(file: FileId, text: &str) -> (Module, Vec<Diagnostic>) {
    parse_knowing(&mut KnownLines::default(), file, text)
}

/// As [`parse`], without reading lines again that are known.
pub fn parse_knowing(known: &mut KnownLines, file: FileId, text: &str) -> (Module, Vec<Diagnostic>) {
    with_tree(known, file, text, |_, _, module, problems| (module, problems))
}

/// Reads `text` and hands over all that was found. A text that is too long is read as an empty one, with its diagnostic.
pub(crate) fn with_tree<R>(
    known: &mut KnownLines,
    file: FileId,
    text: &str,
    then: impl FnOnce(&Tree, &Scan, Module, Vec<Diagnostic>) -> R,
) -> R {
    let mut problems = Vec::new();
    let mut unread = Vec::new();
    let text = if text.len() > FILE_BYTES_MAX {
        let message = format!("the file is longer than {} MiB", FILE_BYTES_MAX >> 20);
        let problem = Diagnostic::new(Code::TooLarge, Span::new(file, 0, 0), message);
        problems.push(problem.help("split it into modules; `use` brings their names together"));
        unread.push(unread_file(Span::new(file, 0, u32::try_from(text.len()).unwrap_or(u32::MAX))));
        ""
    } else {
        text
    };
    // A carriage return alone ends a line, as on old Macs. Every byte keeps its place.
    let with_newlines = has_lone_return(text).then(|| newlines_for_returns(text));
    let text = with_newlines.as_deref().unwrap_or(text);
    let scan = scan(text);
    let layout = Layout::new(text, &scan, file);
    let clean = clean_text(text, &scan, &layout);
    let (tree, of_lines) = text_to_tree(file, text, &clean, &scan, &layout, known);
    let (mut module, of_meaning) = tree_to_ast(&tree, known);
    problems.extend(of_lines);
    problems.extend(of_meaning);
    problems.extend(problems_of_comments(file, text, &scan.comments));
    problems.sort_by_key(|problem| problem.span().start);
    unread.extend(unread_lines(&tree, &problems));
    module.unread = unread;
    if problems.len() > PROBLEMS_MAX {
        problems.truncate(PROBLEMS_MAX);
        let message = format!("the file has more than {PROBLEMS_MAX} mistakes, and the others are not told");
        problems.push(Diagnostic::new(Code::TooLarge, Span::new(file, 0, 0), message).help("repair these first"));
    }
    then(&tree, &scan, module, problems)
}

fn has_lone_return(text: &str) -> bool {
    text.match_indices('\r').any(|(at, _)| text.as_bytes().get(at + 1) != Some(&b'\n'))
}

fn newlines_for_returns(text: &str) -> String {
    let mut signs = text.chars().peekable();
    let mut changed = String::with_capacity(text.len());
    while let Some(sign) = signs.next() {
        changed.push(if sign == '\r' && signs.peek() != Some(&'\n') { '\n' } else { sign });
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grammar::{Rule, parse_all};
    use crate::support::{Chance, SAMPLES, mutate, seeds};

    /// Whether the lines read one by one, and whether the file reads at once.
    fn both_ways(text: &str) -> (bool, bool) {
        let file = FileId(0);
        let scan = scan(text);
        let layout = Layout::new(text, &scan, file);
        let clean = clean_text(text, &scan, &layout);
        let (tree, of_lines) = text_to_tree(file, text, &clean, &scan, &layout, &mut KnownLines::default());
        let (_, of_meaning) = tree_to_ast(&tree, &mut KnownLines::default());
        let twice_else = of_meaning.iter().any(|problem| problem.code == Code::TextAfterElse);
        (of_lines.is_empty() && !twice_else, parse_all(Rule::file, &clean).is_ok())
    }

    #[test]
    fn lines_read_alone_as_they_do_together() {
        let mut verdicts = [0, 0];
        for seed in seeds(300) {
            let mut chance = Chance(seed);
            let (name, text) = SAMPLES[chance.below(SAMPLES.len())];
            let mutated = if seed == 0 { text.to_owned() } else { mutate(text, &mut chance) };
            let (alone, together) = both_ways(&mutated);
            assert_eq!(alone, together, "STROWGER_SEED={seed}: {name}\n{mutated}");
            verdicts[usize::from(alone)] += 1;
        }
        println!("{} texts with mistakes, {} without", verdicts[0], verdicts[1]);
    }
}
