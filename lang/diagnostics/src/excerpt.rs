//! The lines of a file that a problem speaks of, as a terminal can show them: what is invisible is written out, and a
//! long line is cut around the place. Columns and line numbers stay those of the file.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::ops::Range;

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use crate::visible::visible;
use crate::{Label, Position, Source, Span};

/// Lines around a place.
pub(crate) const CONTEXT_LINES: u32 = 1;
/// A place of more lines is shown by its first one.
const PLACE_LINES_MAX: u32 = 8;
/// Columns that the drawing takes beside a line: its number, rules and margins.
const MARGIN_COLUMNS: usize = 14;
/// The least that is shown of a line.
const LINE_COLUMNS_MIN: usize = 20;

pub(crate) struct Excerpt {
    path: String,
    text: String,
    lines: Vec<ShownLine>,
    /// Where each place begins: in the excerpt, and in the file.
    begins: Vec<(usize, Position)>,
}

struct ShownLine {
    /// Byte of the excerpt.
    start: usize,
    /// Number in the file, from 1.
    number: u32,
}

/// What is shown of `source` for these labels, and their places in it. `width` is that of the terminal, in columns.
pub(crate) fn excerpt(source: &Source, labels: &[&Label], width: usize) -> (Excerpt, Vec<Range<usize>>) {
    let places: Vec<Place> = labels.iter().map(|label| Place::of(label.span, source)).collect();
    let mut excerpt = Excerpt {
        path: visible(source.path()).into_owned(),
        text: String::new(),
        lines: Vec::new(),
        begins: Vec::new(),
    };
    let mut shown: Vec<(usize, usize)> = vec![(0, 0); places.len()];
    let columns_max = width.saturating_sub(MARGIN_COLUMNS).max(LINE_COLUMNS_MIN);
    for number in lines_of(&places, source) {
        let start = excerpt.text.len();
        excerpt.lines.push(ShownLine { start, number });
        let mut marks: Vec<usize> = Vec::new();
        for place in &places {
            marks.extend((place.first.line == number).then_some(place.first_byte));
            marks.extend((place.last_line == number).then_some(place.last_byte));
        }
        let line = CutLine::new(source.line(number).unwrap_or(""), &marks, columns_max);
        for (place, (first, last)) in places.iter().zip(&mut shown) {
            if place.first.line == number {
                *first = start + line.shown_at(place.first_byte);
                excerpt.begins.push((*first, place.first));
            }
            if place.last_line == number {
                *last = start + line.shown_at(place.last_byte);
            }
        }
        excerpt.text.push_str(&line.text);
        excerpt.text.push('\n');
    }
    let ranges = shown.into_iter().map(|(first, last)| first..last.max(first)).collect();
    (excerpt, ranges)
}

/// A label's place by lines; bytes count within their line.
struct Place {
    first: Position,
    first_byte: usize,
    last_line: u32,
    last_byte: usize,
}

impl Place {
    fn of(span: Span, source: &Source) -> Place {
        let length = source.text().len() as u32;
        let (start, end) = (span.start.min(length), span.end.min(length));
        let first = source.position(start);
        let mut last = source.position(if end > start { end - 1 } else { start });
        let mut end = end as usize;
        if last.line - first.line >= PLACE_LINES_MAX {
            last = first;
            end = source.line_start(first.line + 1);
        }
        let within = |line: u32, byte: usize| {
            let length = source.line(line).map_or(0, str::len);
            byte.saturating_sub(source.line_start(line)).min(length)
        };
        Place {
            first,
            first_byte: within(first.line, start as usize),
            last_line: last.line,
            last_byte: within(last.line, end),
        }
    }
}

/// The lines of all places and those around them; the empty end of a file only where a place lies there.
fn lines_of(places: &[Place], source: &Source) -> BTreeSet<u32> {
    let mut lines = BTreeSet::new();
    for place in places {
        let first = place.first.line.saturating_sub(CONTEXT_LINES).max(1);
        let last = place.last_line.saturating_add(CONTEXT_LINES);
        let around = (first..=last).filter(|line| source.line_start(*line) < source.text().len());
        lines.extend(around.chain(place.first.line..=place.last_line));
    }
    lines
}

/// A line as it is shown, and where the bytes of the file's line went.
struct CutLine {
    text: String,
    /// Byte of the file's line, byte of the shown one; both rise.
    steps: Vec<(usize, usize)>,
}

impl CutLine {
    /// Shows at most `columns_max` columns, around the first of the marks.
    fn new(line: &str, marks: &[usize], columns_max: usize) -> CutLine {
        let signs: Vec<(usize, String)> =
            line.char_indices().map(|(at, sign)| (at, visible(sign.encode_utf8(&mut [0; 4])).into_owned())).collect();
        let window = window(&signs, marks, columns_max);
        let mut cut = CutLine { text: String::new(), steps: Vec::new() };
        if window.start > 0 {
            cut.text.push('…');
        }
        for (at, sign) in signs.get(window.clone()).unwrap_or_default() {
            cut.steps.push((*at, cut.text.len()));
            let _ = write!(cut.text, "{sign}");
        }
        let end = signs.get(window.end).map_or(line.len(), |(at, _)| *at);
        cut.steps.push((end, cut.text.len()));
        if window.end < signs.len() {
            cut.text.push('…');
        }
        cut
    }

    /// Where a byte of the file's line is shown; what was cut off lies at the cut, and the inside of a sign at its start.
    fn shown_at(&self, byte: usize) -> usize {
        let after = self.steps.partition_point(|(from, _)| *from <= byte);
        let step = self.steps.get(after.saturating_sub(1));
        step.map_or(0, |(_, to)| *to)
    }
}

/// Which of the signs are shown. Where a line is cut, a quarter of the columns is left before the first mark.
fn window(signs: &[(usize, String)], marks: &[usize], columns_max: usize) -> Range<usize> {
    let widths: Vec<usize> = signs.iter().map(|(_, sign)| columns(sign)).collect();
    let total: usize = widths.iter().sum();
    if total <= columns_max {
        return 0..signs.len();
    }
    // Room for an ellipsis on either side.
    let room = columns_max.saturating_sub(2);
    let mark = marks.iter().min().copied().unwrap_or(0);
    let before: usize = signs.iter().zip(&widths).filter(|((at, _), _)| *at < mark).map(|(_, width)| width).sum();
    let from = before.saturating_sub(room / 4).min(total - room);
    let mut column = 0;
    let mut window = signs.len()..signs.len();
    for (index, width) in widths.iter().enumerate() {
        if column >= from && window.start > index {
            window.start = index;
        }
        if column + width > from + room {
            window.end = index;
            break;
        }
        column += width;
    }
    window.start.min(window.end)..window.end
}

/// What lies beyond ASCII is taken for wide: a line may be cut early for it, never late.
fn columns(sign: &str) -> usize {
    sign.chars()
        .map(|sign| {
            if sign == '\t' {
                4
            } else if sign.is_ascii() {
                1
            } else {
                2
            }
        })
        .sum()
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        context_lines_before: usize,
        context_lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let start = span.offset();
        let last_byte = start + span.len().saturating_sub(1);
        let index = |byte: usize| self.lines.partition_point(|line| line.start <= byte).saturating_sub(1);
        // Lines that do not follow one another are never in one context: all around a place are there.
        let first = index(start).saturating_sub(context_lines_before);
        let last = (index(last_byte) + context_lines_after).min(self.lines.len().saturating_sub(1));
        let start_of = |line: usize| self.lines.get(line).map_or(self.text.len(), |line| line.start);
        let number = self.lines.get(first).map_or(1, |line| line.number);
        let (mut from, mut column) = (start_of(first), 0);
        if context_lines_before == 0 {
            let place = self.begins.iter().find(|(at, _)| *at == start);
            (from, column) = (start, place.map_or(0, |(_, place)| place.column as usize - 1));
        }
        let to = start_of(last + 1).max(from);
        let data = self.text.as_bytes().get(from..to).ok_or(MietteError::OutOfBounds)?;
        Ok(Box::new(MietteSpanContents::new_named(
            self.path.clone(),
            data,
            SourceSpan::from(from..to),
            number as usize - 1,
            column,
            last.saturating_sub(first) + 1,
        )))
    }
}
