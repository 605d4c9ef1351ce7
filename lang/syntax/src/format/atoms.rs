//! The words of a line with the canonical blanks between them, the places where it may break, and its comments.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::grammar::Rule;
use crate::tokens::{Comment, Scan};
use crate::tree::{CommentAbove, Segment};

/// One word or sign.
#[derive(Clone, Debug)]
pub(crate) struct Atom<'t> {
    pub text: &'t str,
    /// Blanks before it, unless it begins a row.
    pub spaces: usize,
    /// A language tag in front of its text.
    pub starts_language: bool,
    /// The number of the text or choice, if it has several languages, whose tag this is.
    pub group: Option<usize>,
    /// The author began a new line before this language, or another of its group.
    pub author_broke: bool,
    /// It begins a row of a list that the author wrote with one value a line, or with a comment inside: a value, or the
    /// closing bracket.
    pub begins_row: Option<ListRow>,
    pub is_string: bool,
    pub is_clock: bool,
    /// The `within` of a service's operation.
    pub starts_within: bool,
    /// A blank line stands above it, where it begins a row of a list.
    pub blank_above: bool,
    /// Comments on lines of their own that stood before it, inside the line. Only those of a row of a list know of blank
    /// lines.
    pub above: Vec<CommentAbove>,
    /// A comment that stood behind it, inside the line.
    pub beside: Option<Comment>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ListRow {
    Value,
    Close,
}

/// What the grammar knows of a line and its words do not show.
#[derive(Default)]
struct Marks {
    /// Bytes of words that stand close to the one before.
    close_before: BTreeSet<usize>,
    /// Words that are written as one: keys, tags.
    joined: Vec<Range<usize>>,
    /// The tags of each text of several languages.
    groups: Vec<Vec<usize>>,
    tags: BTreeSet<usize>,
    /// Bytes of values and closing brackets of lists with one value a line.
    list_rows: BTreeMap<usize, ListRow>,
    clocks: BTreeSet<usize>,
    withins: BTreeSet<usize>,
}

pub(crate) fn atoms_of<'t>(text: &'t str, scan: &Scan, segment: &Segment) -> Vec<Atom<'t>> {
    let marks = marks_of(text, segment, scan);
    let tokens = scan.tokens.get(segment.tokens.clone()).unwrap_or_default();
    let mut atoms: Vec<Atom> = Vec::with_capacity(tokens.len());
    let mut before_end: Option<usize> = None;
    let mut joined_until = 0;
    for (index, token) in tokens.iter().enumerate() {
        if token.start < joined_until {
            before_end = Some(token.end);
            continue;
        }
        let joined = marks.joined.iter().find(|range| range.start == token.start);
        let end = joined.map_or(token.end, |range| range.end);
        joined_until = end;
        let word = text.get(token.start..end).unwrap_or("");
        let next = tokens.get(index + 1).and_then(|next| text.get(next.start..next.end));
        let is_last_comma = word == "," && matches!(next, Some(")" | "]"));
        let begins_row = marks.list_rows.get(&token.start).copied();
        let blank_before = |line: usize| begins_row.is_some() && is_blank_above(text, scan, line);
        let mut above = Vec::new();
        if let Some(start) = before_end {
            for comment in comments_in(scan, start..token.start) {
                match atoms.last_mut() {
                    Some(before) if !comment.own_line && before.beside.is_none() => before.beside = Some(*comment),
                    _ => above.push(CommentAbove { comment: *comment, blank_above: blank_before(comment.line) }),
                }
            }
        }
        before_end = Some(end);
        if is_last_comma {
            continue;
        }
        // A comma that follows on the next line comes up to its value, and the value's comment stays behind both.
        let beside = atoms.last_mut().filter(|_| word == ",").and_then(|value| value.beside.take());
        let spaces = usize::from(!stands_close(atoms.last(), word, token.start, &marks));
        let group = marks.groups.iter().position(|tags| tags.contains(&token.start));
        let author_broke = group.and_then(|group| marks.groups.get(group)).is_some_and(|tags| {
            let whole = tags.first().copied().unwrap_or(0)..tags.last().copied().unwrap_or(0);
            text.get(whole).is_some_and(|between| between.contains('\n'))
        });
        atoms.push(Atom {
            text: word,
            spaces,
            starts_language: marks.tags.contains(&token.start),
            group,
            author_broke,
            begins_row,
            blank_above: blank_before(token.line),
            is_string: word.starts_with('"'),
            is_clock: marks.clocks.contains(&token.start),
            starts_within: marks.withins.contains(&token.start),
            above,
            beside,
        });
    }
    atoms
}

fn is_blank_above(text: &str, scan: &Scan, line: usize) -> bool {
    let start = |line: usize| scan.line_starts.get(line).copied();
    let Some((from, to)) = line.checked_sub(1).and_then(|before| Some((start(before)?, start(line)?))) else {
        return false;
    };
    text.get(from..to).is_some_and(|before| before.trim().is_empty())
}

fn stands_close(before: Option<&Atom>, word: &str, start: usize, marks: &Marks) -> bool {
    let Some(before) = before else { return true };
    let closing = matches!(word, "," | ")" | "]" | "." | ".." | ":" | "?");
    let opening = matches!(before.text, "(" | "[" | "." | "..");
    closing || opening || marks.close_before.contains(&start)
}

fn comments_in(scan: &Scan, bytes: Range<usize>) -> &[Comment] {
    let from = scan.comments.partition_point(|comment| comment.start < bytes.start);
    let to = scan.comments.partition_point(|comment| comment.start < bytes.end);
    scan.comments.get(from..to).unwrap_or_default()
}

fn marks_of(text: &str, segment: &Segment, scan: &Scan) -> Marks {
    let mut marks = Marks::default();
    let Some(whole) = segment.part() else { return marks };
    let base = segment.bytes.start;
    let is_operation = whole.rule() == Rule::service_line;
    let next_start = |at: usize| {
        let next = scan.tokens.partition_point(|token| token.start <= at);
        scan.tokens.get(next).map(|token| token.start)
    };
    for part in whole.all() {
        let (start, end) = (base + part.start(), base + part.end());
        match part.rule() {
            Rule::arguments | Rule::parameters | Rule::fields | Rule::pattern_names | Rule::index => {
                marks.close_before.insert(start);
            }
            Rule::minus => marks.close_before.extend(next_start(start)),
            Rule::list_type => {
                let inner = part.inner().find(|inner| inner.rule() == Rule::type_name);
                if let Some(inner) = inner {
                    marks.close_before.insert(base + inner.start());
                }
                marks.close_before.extend(next_start(start));
                marks.close_before.insert(end.saturating_sub(1));
            }
            Rule::key | Rule::language => marks.joined.push(start..end),
            Rule::tag => {
                marks.joined.push(start..end);
                marks.tags.insert(start);
            }
            Rule::text | Rule::phrases => {
                let languages = part.inner().filter(|inner| inner.rule() != Rule::string);
                let tags: Vec<usize> = languages.map(|inner| base + inner.start()).collect();
                if tags.len() > 1 {
                    marks.groups.push(tags);
                }
            }
            Rule::list => {
                let values: Vec<(usize, usize)> =
                    part.inner().map(|value| (base + value.start(), base + value.end())).collect();
                let ends = [start].into_iter().chain(values.iter().map(|value| value.1));
                let own_line = |(before, value): (usize, &(usize, usize))| {
                    text.get(before..value.0).is_some_and(|between| between.contains('\n'))
                };
                let is_written_so = values.len() > 1 && ends.zip(&values).all(own_line);
                // A comment keeps its place only where its row ends behind it.
                if is_written_so || (!values.is_empty() && !comments_in(scan, start..end).is_empty()) {
                    marks.list_rows.extend(values.iter().map(|value| (value.0, ListRow::Value)));
                    marks.list_rows.insert(end.saturating_sub(1), ListRow::Close);
                }
            }
            Rule::clock => {
                marks.clocks.insert(start);
            }
            Rule::within_clause if is_operation => {
                marks.withins.insert(start);
            }
            _ => {}
        }
    }
    marks
}

/// The atoms in one row.
pub(crate) fn flat(atoms: &[Atom]) -> String {
    let mut text = String::new();
    for (index, atom) in atoms.iter().enumerate() {
        if index > 0 {
            text.extend(std::iter::repeat_n(' ', atom.spaces));
        }
        text.push_str(atom.text);
    }
    text
}
