//! The canonical form of a file ("Formatting canon" of the language): blocks, order, blank lines, comments.
//! A file with mistakes keeps its text; nothing here changes a meaning.

mod atoms;
mod layout;
mod order;

use lang_diagnostics::{Diagnostic, FileId};
use unicode_width::UnicodeWidthStr;

use crate::grammar::{Context, Rule};
use crate::parse::with_tree;
use crate::parts::KnownLines;
use crate::tokens::{Comment, Scan};
use crate::tree::{Block, CommentAbove, Line, Segment, Tree};
use atoms::{Atom, atoms_of, flat};
use layout::{Layout, PrintedLine};
use order::{in_order, rule_of};

/// Columns of a line; a wide character fills two.
pub(crate) const COLUMNS_MAX: usize = 100;
pub(crate) const INDENT: usize = 4;

/// The file in its canonical form, or as it is where it does not read. `format(format(x)) == format(x)`.
pub fn format(text: &str) -> String {
    with_tree(&mut KnownLines::default(), FileId(0), text, |tree, scan, _, problems| {
        if problems.iter().any(Diagnostic::is_error) {
            return text.to_owned();
        }
        let mut printer = Printer { text, scan, out: String::with_capacity(text.len() + text.len() / 8) };
        printer.file(tree);
        printer.out
    })
}

struct Printer<'a> {
    text: &'a str,
    scan: &'a Scan,
    out: String,
}

impl<'a> Printer<'a> {
    fn file(&mut self, tree: &Tree<'a>) {
        let ordered = in_order(&tree.lines, Context::File);
        let header = header_length(self.text, tree.lines.first());
        if let Some(first) = tree.lines.first() {
            self.comments(first.above.get(..header).unwrap_or_default(), 0);
        }
        if header > 0 && !tree.lines.is_empty() {
            self.out.push('\n');
        }
        self.lines(&ordered, Context::File, 0, tree.lines.first().map(|first| (first, header)));
        if let Some(first) = tree.comments_at_end.first() {
            if !self.out.is_empty() && first.blank_above {
                self.out.push('\n');
            }
            self.comments(&tree.comments_at_end, 0);
        }
    }

    /// The lines of a block. `header` names a line whose first comments are already printed.
    fn lines(&mut self, ordered: &[&Line<'a>], context: Context, indent: usize, header: Option<(&Line<'a>, usize)>) {
        let columns = self.columns(ordered, context, indent);
        let mut before: Option<(&Line, bool)> = None;
        for line in ordered {
            let skipped = header.filter(|(first, _)| std::ptr::eq(*first, *line)).map_or(0, |(_, count)| count);
            let above = line.above.get(skipped..).unwrap_or_default();
            let start = self.out.len();
            self.line(line, context, indent, columns);
            let printed = self.out.split_off(start);
            let is_tall = printed.trim_end().contains('\n');
            if let Some((before, before_tall)) = before
                && self.wants_blank(before, before_tall, line, above, is_tall, context)
            {
                self.out.push('\n');
            }
            self.comments(above, indent);
            if line.blank_above && !above.is_empty() {
                self.out.push('\n');
            }
            self.out.push_str(&printed);
            before = Some((line, is_tall));
        }
    }

    fn wants_blank(
        &self,
        before: &Line,
        before_tall: bool,
        line: &Line,
        above: &[CommentAbove],
        is_tall: bool,
        context: Context,
    ) -> bool {
        let written = above.first().map_or(line.blank_above, |first| first.blank_above);
        match context {
            Context::File => written || before_tall || is_tall || rule_of(before) != rule_of(line),
            Context::Flow => {
                let apart = |line: &Line| matches!(rule_of(line), Some(Rule::step | Rule::fault | Rule::finally));
                written || apart(before) || apart(line)
            }
            _ => written,
        }
    }

    fn comments(&mut self, comments: &[CommentAbove], indent: usize) {
        for (index, above) in comments.iter().enumerate() {
            if above.blank_above && index > 0 {
                self.out.push('\n');
            }
            self.comment_line(&above.comment, indent);
        }
    }

    fn comment_line(&mut self, comment: &Comment, indent: usize) {
        self.out.extend(std::iter::repeat_n(' ', indent));
        self.out.push_str(self.comment_text(comment));
        self.out.push('\n');
    }

    fn comment_text(&self, comment: &Comment) -> &'a str {
        self.text.get(comment.start..comment.end).unwrap_or("").trim_end()
    }

    /// The column at which the values of a block's lines begin, where the canon aligns them.
    fn columns(&self, ordered: &[&Line<'a>], context: Context, indent: usize) -> Option<usize> {
        let gap = if context == Context::ValueArms { 1 } else { 2 };
        let mut widest = None;
        for line in ordered {
            for atoms in self.head_rows(line, context) {
                let Some(at) = value_start(&atoms, line, context) else {
                    if context == Context::ValueArms {
                        return None;
                    }
                    continue;
                };
                widest = widest.max(Some(flat(atoms.get(..at).unwrap_or_default()).width()));
            }
        }
        widest.map(|width| indent + width + gap)
    }

    /// The first segment of a line as rows of atoms: enum variants, record fields and languages of a prompt stand on
    /// rows of their own.
    fn head_rows(&self, line: &Line<'a>, context: Context) -> Vec<Vec<Atom<'a>>> {
        let Some(segment) = line.segments.first() else { return Vec::new() };
        let atoms = self.atoms(segment);
        match context {
            Context::Enum | Context::Type => rows(atoms, |atom, depth| depth == 0 && atom.text == ",", true),
            Context::Prompt => rows(atoms, |atom, _| atom.starts_language, false),
            _ => vec![atoms],
        }
    }

    fn atoms(&self, segment: &Segment<'a>) -> Vec<Atom<'a>> {
        atoms_of(self.text, self.scan, segment)
    }

    fn line(&mut self, line: &Line<'a>, context: Context, indent: usize, columns: Option<usize>) {
        if line.segments.iter().any(|segment| segment.block.is_some())
            && let Some(flat) = self.flat_line(line)
            && indent + flat.width() <= COLUMNS_MAX
        {
            let comment = line.segments.last().and_then(|segment| segment.beside);
            let (above, above_indent) = (Vec::new(), indent);
            self.row(PrintedLine { indent, text: flat, blank_above: false, above, above_indent, beside: comment });
            return;
        }
        for (index, segment) in line.segments.iter().enumerate() {
            let all = if index == 0 { self.head_rows(line, context) } else { vec![self.atoms(segment)] };
            let count = all.len();
            for (row_index, mut atoms) in all.into_iter().enumerate() {
                if let Some(column) = columns.filter(|_| index == 0)
                    && let Some(at) = value_start(&atoms, line, context)
                {
                    let before = flat(atoms.get(..at).unwrap_or_default()).width();
                    if let Some(atom) = atoms.get_mut(at) {
                        atom.spaces = column.saturating_sub(indent + before).max(1);
                    }
                }
                let mut printed = Layout { indent, is_question: is_question(line) }.lines(&atoms);
                if row_index + 1 == count
                    && let Some(last) = printed.last_mut()
                {
                    last.beside = last.beside.or(segment.beside);
                }
                for row in printed {
                    self.row(row);
                }
            }
            if let Some(block) = &segment.block {
                self.block(block, indent + INDENT);
            }
        }
    }

    fn block(&mut self, block: &Block<'a>, indent: usize) {
        self.lines(&in_order(&block.lines, block.context), block.context, indent, None);
        if block.comments_at_end.first().is_some_and(|first| first.blank_above) && !block.lines.is_empty() {
            self.out.push('\n');
        }
        self.comments(&block.comments_at_end, indent);
    }

    fn row(&mut self, row: PrintedLine) {
        if row.above.first().map_or(row.blank_above, |first| first.blank_above) {
            self.out.push('\n');
        }
        self.comments(&row.above, row.above_indent);
        if row.blank_above && !row.above.is_empty() {
            self.out.push('\n');
        }
        self.out.extend(std::iter::repeat_n(' ', row.indent));
        self.out.push_str(&row.text);
        if let Some(comment) = &row.beside {
            self.out.push_str("  ");
            self.out.push_str(self.comment_text(comment));
        }
        self.out.push('\n');
    }

    /// The line in one row, where each of its blocks was written so and holds one line.
    fn flat_line(&self, line: &Line<'a>) -> Option<String> {
        let mut text = String::new();
        for (index, segment) in line.segments.iter().enumerate() {
            let atoms = self.atoms(segment);
            let is_last = index + 1 == line.segments.len();
            let has_comment = atoms.iter().any(|atom| !atom.above.is_empty() || atom.beside.is_some());
            if has_comment
                || atoms.iter().any(|atom| atom.author_broke || atom.begins_row.is_some())
                || (segment.beside.is_some() && !is_last)
            {
                return None;
            }
            if index > 0 {
                text.push(' ');
            }
            text.push_str(&flat(&atoms));
            let Some(block) = &segment.block else { continue };
            let inner = match block.lines.as_slice() {
                [] => String::new(),
                [only] => self.flat_line(only)?,
                _ => return None,
            };
            if !block.one_line {
                return None;
            }
            if !inner.is_empty() {
                text.push(' ');
                text.push_str(&inner);
            }
        }
        Some(text)
    }
}

/// How many comments of the first line speak of the whole file: `//!` lines, and all up to a blank line.
fn header_length(text: &str, first: Option<&Line>) -> usize {
    let Some(first) = first else { return 0 };
    if first.blank_above {
        return first.above.len();
    }
    let of_file = |above: &CommentAbove| text.get(above.comment.start..).is_some_and(|rest| rest.starts_with("//!"));
    let last_of_file = first.above.iter().rposition(of_file).map_or(0, |at| at + 1);
    let detached = first.above.iter().rposition(|above| above.blank_above).unwrap_or(0);
    last_of_file.max(detached)
}

/// The atom at which the value of an aligned line begins.
fn value_start(atoms: &[Atom], line: &Line, context: Context) -> Option<usize> {
    match context {
        Context::Enum => atoms.iter().position(|atom| atom.starts_language || atom.is_string),
        Context::Hours => match rule_of(line)? {
            Rule::weekly => atoms.iter().position(|atom| atom.is_clock),
            _ => Some(1),
        },
        Context::Queue => match rule_of(line)? {
            Rule::every => None,
            Rule::wrap_up => Some(2),
            _ => Some(1),
        },
        Context::Cadence => match rule_of(line)? {
            Rule::dial | Rule::message | Rule::after_attempt | Rule::exhausted => None,
            _ => Some(1),
        },
        Context::Service => atoms.iter().position(|atom| atom.starts_within),
        Context::ValueArms => {
            let arrow = atoms.iter().position(|atom| atom.text == "=>");
            arrow.filter(|at| *at == 1)
        }
        _ => None,
    }
}

fn is_question(line: &Line) -> bool {
    rule_of(line) == Some(Rule::question)
}

/// Splits atoms into rows at those that `ends` marks; such a comma is dropped, another atom begins the next row.
fn rows<'t>(atoms: Vec<Atom<'t>>, ends: impl Fn(&Atom, usize) -> bool, drop: bool) -> Vec<Vec<Atom<'t>>> {
    let mut rows: Vec<Vec<Atom>> = vec![Vec::new()];
    let mut depth = 0_usize;
    for atom in atoms {
        match atom.text {
            "(" | "[" => depth += 1,
            ")" | "]" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if ends(&atom, depth) {
            if rows.last().is_some_and(|row| !row.is_empty()) {
                rows.push(Vec::new());
            }
            if drop {
                continue;
            }
        }
        if let Some(row) = rows.last_mut() {
            row.push(atom);
        }
    }
    rows.retain(|row| !row.is_empty());
    rows
}
