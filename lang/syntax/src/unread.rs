//! Which parts of a file were not understood: lines that the grammar does not read, and lines with a mistake in them.

use lang_diagnostics::{Diagnostic, FileId, Span};

use crate::ast::Unread;
use crate::grammar::Context;
use crate::tree::{Block, Line, Segment, Tree};

/// A whole file of which nothing was read.
pub(crate) fn unread_file(span: Span) -> Unread {
    Unread { span, item: None, block: None, heads: Vec::new(), declares: true }
}

pub(crate) fn unread_lines(tree: &Tree, problems: &[Diagnostic]) -> Vec<Unread> {
    if problems.is_empty() {
        return Vec::new();
    }
    let labels = problems.iter().flat_map(|problem| &problem.labels);
    let mut places: Vec<u32> = labels.map(|label| label.span.start).collect();
    places.sort_unstable();
    let mut walk = Walk { tree, places, found: Vec::new(), heads: Vec::new() };
    walk.lines(&tree.lines, None);
    walk.found
}

struct Walk<'w, 't> {
    tree: &'w Tree<'t>,
    /// Where mistakes are, sorted.
    places: Vec<u32>,
    found: Vec<Unread>,
    heads: Vec<Span>,
}

/// What the lines of a block have in common.
#[derive(Clone, Copy)]
struct Inside<'b, 't> {
    item: Span,
    block: &'b Block<'t>,
}

impl<'t> Walk<'_, 't> {
    fn lines(&mut self, lines: &[Line<'t>], inside: Option<Inside<'_, 't>>) {
        for line in lines {
            self.line(line, inside);
        }
    }

    fn line(&mut self, line: &Line<'t>, inside: Option<Inside<'_, 't>>) {
        let whole = line_span(self.tree.file, line);
        if line.segments.first().is_some_and(|head| self.is_lost(head)) {
            self.add(whole, inside);
            return;
        }
        for segment in &line.segments {
            let own = span(self.tree.file, &segment.bytes);
            if self.is_lost(segment) {
                let end = segment.block.as_ref().map_or(own.end, |block| block.bytes.end as u32);
                self.add(Span { end: own.end.max(end), ..own }, inside);
                continue;
            }
            if self.has_mistake(own) {
                self.add(own, inside);
            }
            if let Some(block) = &segment.block {
                self.heads.push(own);
                let item = inside.map_or(whole, |inside| inside.item);
                self.lines(&block.lines, Some(Inside { item, block }));
                self.heads.pop();
            }
        }
    }

    /// Whether nothing came of the segment; a `}` alone says nothing.
    fn is_lost(&self, segment: &Segment) -> bool {
        segment.parts.is_none() && self.tree.text.get(segment.bytes.clone()) != Some("}")
    }

    fn has_mistake(&self, span: Span) -> bool {
        let from = self.places.partition_point(|place| *place < span.start);
        self.places.get(from).is_some_and(|place| *place <= span.end)
    }

    fn add(&mut self, span: Span, inside: Option<Inside<'_, 't>>) {
        let declaring = [Context::Enum, Context::Type, Context::Service, Context::Hours, Context::Prompt];
        self.found.push(Unread {
            span,
            item: inside.map(|inside| inside.item),
            block: inside.map(|inside| self::span(self.tree.file, &inside.block.bytes)),
            heads: self.heads.clone(),
            declares: inside.is_none_or(|inside| declaring.contains(&inside.block.context)),
        });
    }
}

fn span(file: FileId, bytes: &std::ops::Range<usize>) -> Span {
    Span::new(file, bytes.start as u32, bytes.end as u32)
}

fn line_span(file: FileId, line: &Line) -> Span {
    let start = line.segments.first().map_or(0, |segment| segment.bytes.start);
    let end = line.segments.last().map_or(start, |segment| {
        segment.block.as_ref().map_or(segment.bytes.end, |block| block.bytes.end.max(segment.bytes.end))
    });
    span(file, &(start..end))
}
