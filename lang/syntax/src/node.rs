//! A part of a line with what the grammar does not know: where its text begins in the file, and the lines of the
//! block that its line opens.

use lang_diagnostics::{FileId, Span};

use crate::grammar::Rule;
use crate::parts::Part;
use crate::tree::{Block, Segment};

#[derive(Clone)]
pub(crate) struct Node<'t, 'b> {
    part: Part<'t, 'b>,
    base: usize,
    file: FileId,
    /// The block at the end of the segment that this node lies in.
    pub block: Option<&'b Block<'t>>,
}

impl<'t, 'b> Node<'t, 'b> {
    /// The whole of a segment, where the grammar understood it.
    pub fn of_segment(file: FileId, segment: &'b Segment<'t>) -> Option<Self> {
        Some(Node { part: segment.part()?, base: segment.bytes.start, file, block: segment.block.as_ref() })
    }

    /// A text that was read apart from its line; `base` is where it begins in the file.
    pub fn of_text(file: FileId, part: Part<'t, 'b>, base: usize) -> Self {
        Node { part, base, file, block: None }
    }

    pub fn rule(&self) -> Rule {
        self.part.rule()
    }

    pub fn text(&self) -> &'t str {
        self.part.text()
    }

    /// Without the blanks that the grammar takes before a part that is not there; those of a text belong to it.
    pub fn span(&self) -> Span {
        let start = self.base + self.part.start();
        let text = match self.rule() {
            Rule::text_literal | Rule::plural_form => self.text(),
            _ => self.text().trim_end(),
        };
        Span::new(self.file, start as u32, (start + text.len()) as u32)
    }

    /// From here to the `}` of the block, where the node ends with its `{`.
    pub fn span_with_block(&self) -> Span {
        let span = self.span();
        match self.block {
            Some(block) if span.end as usize > block.bytes.start => {
                Span { end: span.end.max(block.bytes.end as u32), ..span }
            }
            _ => span,
        }
    }

    pub fn inner(&self) -> impl Iterator<Item = Node<'t, 'b>> + use<'t, 'b> {
        let (base, file, block) = (self.base, self.file, self.block);
        self.part.inner().map(move |part| Node { part, base, file, block })
    }

    pub fn first(&self) -> Option<Node<'t, 'b>> {
        self.inner().next()
    }

    pub fn child(&self, rule: Rule) -> Option<Node<'t, 'b>> {
        self.inner().find(|node| node.rule() == rule)
    }

    pub fn children(&self, rule: Rule) -> impl Iterator<Item = Node<'t, 'b>> + use<'t, 'b> {
        self.inner().filter(move |node| node.rule() == rule)
    }

    /// The span of a keyword among the children.
    pub fn keyword(&self, rule: Rule) -> Option<Span> {
        self.child(rule).map(|node| node.span())
    }

    /// The span of the first child: the keyword of whatever begins with one.
    pub fn first_span(&self) -> Span {
        self.first().map_or_else(|| self.span(), |node| node.span())
    }
}
