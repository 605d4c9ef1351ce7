//! Where a line breaks: before `then`, before an `else` action, before each language of a text, and last inside
//! brackets and before `and` and `or`.

use unicode_width::UnicodeWidthStr;

use super::atoms::{Atom, ListRow, flat};
use super::{COLUMNS_MAX, INDENT};
use crate::tokens::Comment;
use crate::tree::CommentAbove;

/// One row of text, ready to be written.
pub(crate) struct PrintedLine {
    pub indent: usize,
    pub text: String,
    pub blank_above: bool,
    pub above: Vec<CommentAbove>,
    /// The first column of the comments above it.
    pub above_indent: usize,
    pub beside: Option<Comment>,
}

impl PrintedLine {
    /// Inside a list no blank line stands behind `[` or before `]`, and what stands above `]` is inside.
    fn in_list(&mut self, begins: ListRow, is_first: bool) {
        if begins == ListRow::Close {
            self.blank_above = false;
            self.above_indent += INDENT;
        } else if is_first {
            match self.above.first_mut() {
                Some(comment) => comment.blank_above = false,
                None => self.blank_above = false,
            }
        }
    }
}

pub(crate) struct Layout {
    pub indent: usize,
    /// The texts of a survey's question begin on a row of their own when they break.
    pub is_question: bool,
}

/// Atoms that stand on one row, and its first column.
struct Row<'l, 't> {
    indent: usize,
    atoms: &'l [Atom<'t>],
}

impl Layout {
    /// A list that was written so, or has a comment inside, has one value a row; what stands in a row breaks as any line does.
    pub fn lines(&self, atoms: &[Atom]) -> Vec<PrintedLine> {
        let begins = |at: usize| atoms.get(at).and_then(|atom| atom.begins_row);
        let mut starts: Vec<usize> = (1..atoms.len()).filter(|at| begins(*at).is_some()).collect();
        starts.insert(0, 0);
        let mut printed = Vec::new();
        let mut indent = self.indent;
        for (index, start) in starts.iter().enumerate() {
            let end = starts.get(index + 1).copied().unwrap_or(atoms.len());
            if begins(*start) == Some(ListRow::Close) {
                indent = indent.saturating_sub(INDENT);
            }
            let row = Layout { indent, is_question: self.is_question };
            let from = printed.len();
            printed.extend(row.lines_of(atoms.get(*start..end).unwrap_or_default()));
            if let (Some(first), Some(begins)) = (printed.get_mut(from), begins(*start)) {
                let is_first = start.checked_sub(1).and_then(|at| atoms.get(at)).is_some_and(|atom| atom.text == "[");
                first.in_list(begins, is_first);
            }
            let is_first = end.checked_sub(1).and_then(|last| atoms.get(last)).is_some_and(|last| last.text == "[");
            if is_first && begins(end) == Some(ListRow::Value) {
                indent += INDENT;
            }
        }
        printed
    }

    fn lines_of(&self, atoms: &[Atom]) -> Vec<PrintedLine> {
        let fits = |row: &Row| row.indent + flat(row.atoms).width() <= COLUMNS_MAX;
        let whole = Row { indent: self.indent, atoms };
        let pieces = if fits(&whole) { vec![whole] } else { self.at_chain(atoms) };
        let mut printed = Vec::new();
        for piece in pieces {
            let author_broke = piece.atoms.iter().any(|atom| atom.author_broke);
            let rows = if fits(&piece) && !author_broke { vec![piece] } else { self.at_languages(&piece) };
            for row in rows {
                let rows = if fits(&row) { vec![row] } else { at_brackets(&row) };
                printed.extend(rows.iter().map(print));
            }
        }
        printed
    }

    /// Breaks before each `then`, and before the `else` of an action.
    fn at_chain<'l, 't>(&self, atoms: &'l [Atom<'t>]) -> Vec<Row<'l, 't>> {
        let mut depth = 0_usize;
        let breaks = (0..atoms.len()).filter(|index| {
            let word = |at: usize| atoms.get(at).map_or("", |atom| atom.text);
            match word(*index) {
                "(" | "[" => depth += 1,
                ")" | "]" => depth = depth.saturating_sub(1),
                "then" => return *index > 0,
                "else" => {
                    let opens = matches!(word(index + 1), "{" | "=>");
                    return *index > 0 && depth == 0 && word(index - 1) != "}" && !opens;
                }
                _ => {}
            }
            false
        });
        let breaks: Vec<usize> = breaks.collect();
        cut(atoms, &breaks, self.indent, self.indent + INDENT)
    }

    /// Breaks before each language but the first, so that tags stand below one another. Where the author broke only
    /// some texts of the piece, and that is enough, the others stay.
    fn at_languages<'l, 't>(&self, piece: &Row<'l, 't>) -> Vec<Row<'l, 't>> {
        let by_author = self.rows_of_languages(piece, |atom| atom.author_broke);
        if by_author.iter().all(|row| row.indent + flat(row.atoms).width() <= COLUMNS_MAX) {
            return by_author;
        }
        self.rows_of_languages(piece, |_| true)
    }

    fn rows_of_languages<'l, 't>(&self, piece: &Row<'l, 't>, wanted: impl Fn(&Atom) -> bool) -> Vec<Row<'l, 't>> {
        let mut rows: Vec<Row> = Vec::new();
        let mut from = 0;
        let mut indent = piece.indent;
        let mut group_column: Option<(usize, usize)> = None;
        for (index, atom) in piece.atoms.iter().enumerate() {
            let Some(group) = atom.group.filter(|_| wanted(atom)) else { continue };
            let before = piece.atoms.get(from..index).unwrap_or_default();
            let column = match group_column {
                Some((known, column)) if known == group => column,
                _ if self.is_question => self.indent + INDENT,
                _ => {
                    // The first language of its text stays on the row.
                    let spaces = if before.is_empty() { 0 } else { atom.spaces };
                    group_column = Some((group, indent + flat(before).width() + spaces));
                    continue;
                }
            };
            group_column = Some((group, column));
            rows.push(Row { indent, atoms: before });
            (from, indent) = (index, column);
        }
        rows.push(Row { indent, atoms: piece.atoms.get(from..).unwrap_or_default() });
        rows.retain(|row| !row.atoms.is_empty());
        rows
    }
}

/// Fills rows: breaks behind a comma inside brackets, or before `and` and `or`, at the last place that fits.
fn at_brackets<'l, 't>(row: &Row<'l, 't>) -> Vec<Row<'l, 't>> {
    let mut rows = Vec::new();
    let mut from = 0;
    let mut indent = row.indent;
    let mut depth = 0_usize;
    let mut last_break: Option<usize> = None;
    let mut index = 0;
    while let Some(atom) = row.atoms.get(index) {
        let before = index.checked_sub(1).and_then(|at| row.atoms.get(at));
        let after_comma = depth > 0 && before.is_some_and(|before| before.text == ",");
        if index > from && (after_comma || matches!(atom.text, "and" | "or") && !is_choice(row.atoms, index)) {
            last_break = Some(index);
        }
        match atom.text {
            "(" | "[" => depth += 1,
            ")" | "]" => depth = depth.saturating_sub(1),
            _ => {}
        }
        let width = indent + flat(row.atoms.get(from..=index).unwrap_or_default()).width();
        if width > COLUMNS_MAX
            && let Some(at) = last_break.take()
        {
            rows.push(Row { indent, atoms: row.atoms.get(from..at).unwrap_or_default() });
            (from, indent) = (at, row.indent + INDENT);
        }
        index += 1;
    }
    rows.push(Row { indent, atoms: row.atoms.get(from..).unwrap_or_default() });
    rows
}

/// The `or` between a key and its phrases, and in `yes or no`, is no operator.
fn is_choice(atoms: &[Atom], index: usize) -> bool {
    let text = |at: Option<usize>| at.and_then(|at| atoms.get(at)).map_or("", |atom| atom.text);
    let behind = atoms.get(index + 1);
    behind.is_some_and(|atom| atom.starts_language || atom.is_string)
        || (text(index.checked_sub(1)), text(Some(index + 1))) == ("yes", "no")
}

fn cut<'l, 't>(atoms: &'l [Atom<'t>], breaks: &[usize], first: usize, later: usize) -> Vec<Row<'l, 't>> {
    let starts = std::iter::once(0).chain(breaks.iter().copied());
    let ends = breaks.iter().copied().chain(std::iter::once(atoms.len()));
    let rows = starts.zip(ends).map(|(start, end)| Row {
        indent: if start == 0 { first } else { later },
        atoms: atoms.get(start..end).unwrap_or_default(),
    });
    rows.collect()
}

/// A comment behind the last word of the row stays there; the others go above it.
fn print(row: &Row) -> PrintedLine {
    let mut above: Vec<CommentAbove> = row.atoms.iter().flat_map(|atom| atom.above.iter().copied()).collect();
    let count = row.atoms.len();
    let inner = row.atoms.iter().take(count.saturating_sub(1)).filter_map(|atom| atom.beside);
    above.extend(inner.map(|comment| CommentAbove { comment, blank_above: false }));
    above.sort_by_key(|above| above.comment.start);
    let blank_above = row.atoms.first().is_some_and(|first| first.blank_above);
    let beside = row.atoms.last().and_then(|atom| atom.beside);
    PrintedLine { indent: row.indent, text: flat(row.atoms), blank_above, above, above_indent: row.indent, beside }
}
