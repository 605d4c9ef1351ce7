//! From lines and blocks to the abstract syntax. What the grammar did not understand has been named before; it is left
//! out here, or is `Missing`.

mod dialogues;
mod expressions;
mod items;
mod literals;
mod routing;
mod statements;
mod tests;
mod texts;

use lang_diagnostics::{Diagnostic, FileId, Span};

use crate::ast::{Doc, Module};
use crate::grammar::Rule;
use crate::lines::PROBLEMS_MAX;
use crate::node::Node;
use crate::parts::KnownLines;
use crate::tree::{Block, CommentAbove, Line, Tree};

pub(crate) fn tree_to_ast(tree: &Tree, known: &mut KnownLines) -> (Module, Vec<Diagnostic>) {
    let mut builder = AstBuilder { file: tree.file, text: tree.text, problems: Vec::new(), hanging: 0, known };
    let module = builder.module(tree);
    (module, builder.problems)
}

struct AstBuilder<'t, 'k> {
    file: FileId,
    /// The text as written, comments included.
    text: &'t str,
    problems: Vec<Diagnostic>,
    /// Branches behind which the one that is read now hangs, in all blocks around it: each is one level of the AST.
    hanging: usize,
    known: &'k mut KnownLines,
}

impl<'t> AstBuilder<'t, '_> {
    fn module(&mut self, tree: &Tree<'t>) -> Module {
        let span = Span::new(self.file, 0, self.text.len() as u32);
        let (docs, uses, languages, items) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut module = Module { docs, uses, languages, items, unread: Vec::new(), span };
        for line in &tree.lines {
            module.docs.extend(self.docs(&line.above, "//!"));
            let Some(node) = self.node_of(line).and_then(|node| node.first()) else { continue };
            match node.rule() {
                Rule::use_line => module.uses.push(self.use_line(&node)),
                Rule::languages => module.languages.push(self.languages(&node)),
                _ => module.items.extend(self.item(&node, line)),
            }
        }
        module.docs.extend(self.docs(&tree.comments_at_end, "//!"));
        module
    }

    fn report(&mut self, problem: Diagnostic) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(problem);
        }
    }

    /// The doc comments among `comments` that begin with `mark`.
    fn docs(&self, comments: &[CommentAbove], mark: &str) -> Vec<Doc> {
        let docs = comments.iter().filter_map(|above| {
            let (start, end) = (above.comment.start, above.comment.end);
            let text = self.text.get(start..end)?.strip_prefix(mark)?;
            if mark == "///" && text.starts_with('/') {
                return None;
            }
            let text = text.strip_prefix(' ').unwrap_or(text).to_owned();
            Some(Doc { text, span: Span::new(self.file, start as u32, end as u32) })
        });
        docs.collect()
    }

    /// What the grammar made of the beginning of a line.
    fn node_of<'b>(&self, line: &'b Line<'t>) -> Option<Node<'t, 'b>> {
        Node::of_segment(self.file, line.segments.first()?)
    }

    /// The lines of the block that `node` ends with, each with its node.
    fn lines_of<'b>(&self, node: &Node<'t, 'b>) -> impl Iterator<Item = (&'b Line<'t>, Node<'t, 'b>)> + use<'t, 'b> {
        let file = self.file;
        let lines = node.block.map_or(&[] as &[Line], |block| block.lines.as_slice());
        lines.iter().filter_map(move |line| Some((line, Node::of_segment(file, line.segments.first()?)?)))
    }

    fn block_span(&self, block: Option<&Block>) -> Span {
        block.map_or(Span::new(self.file, 0, 0), |block| self.span_of(&block.bytes))
    }

    fn span_of(&self, bytes: &std::ops::Range<usize>) -> Span {
        Span::new(self.file, bytes.start as u32, bytes.end as u32)
    }

    /// From the first word of a line to its last, blocks included.
    fn line_span(&self, line: &Line) -> Span {
        let start = line.segments.first().map_or(0, |segment| segment.bytes.start);
        let end = line
            .segments
            .last()
            .map_or(start, |segment| segment.block.as_ref().map_or(segment.bytes.end, |block| block.bytes.end));
        self.span_of(&(start..end))
    }
}
