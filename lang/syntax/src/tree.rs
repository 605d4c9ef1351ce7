//! A file as lines and blocks, each line read by the grammar on its own, comments kept. Knows layout, not meaning.

use std::ops::Range;

use crate::errors::foreign::known_elsewhere;
use crate::errors::{BrokenLine, idle_else, line_error};
use crate::grammar::{Context, Rule, parse_all};
use crate::lines::{BRACKET_DEPTH_MAX, Event, Layout, PROBLEMS_MAX, Reading, limit_depth, looks_like_tag};
use crate::parts::{KnownLines, Part, Parts};
use crate::signs::problem_of_signs;
use crate::tokens::{Comment, Scan, TokenKind};
use lang_diagnostics::{Code, Diagnostic, FileId, Span};

/// Largest file that is read, in bytes.
pub const FILE_BYTES_MAX: usize = 4 << 20;
/// Most tokens in one line with all that continues it, so that nothing behind needs to fear the depth of a line.
pub const LINE_TOKENS_MAX: usize = 1024;

/// A comment on a line of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CommentAbove {
    pub comment: Comment,
    /// A blank line stands above it.
    pub blank_above: bool,
}

#[derive(Debug)]
pub(crate) struct Line<'t> {
    /// The comments above it.
    pub above: Vec<CommentAbove>,
    pub blank_above: bool,
    /// The first begins the line; each later one begins with the `}` of the block before it.
    pub segments: Vec<Segment<'t>>,
}

/// A run of tokens up to a block's `{`, or up to the end of the line.
#[derive(Debug)]
pub(crate) struct Segment<'t> {
    pub tokens: Range<usize>,
    /// The bytes of the tokens.
    pub bytes: Range<usize>,
    /// Of the clean text.
    pub text: &'t str,
    /// What the grammar made of it; none where it was not understood, or where it is a `}` alone.
    pub parts: Option<Parts>,
    /// The comment behind it on its line.
    pub beside: Option<Comment>,
    pub block: Option<Block<'t>>,
}

impl<'t> Segment<'t> {
    /// The whole of what the grammar made of it.
    pub fn part(&self) -> Option<Part<'t, '_>> {
        self.parts.as_ref()?.whole(self.text)
    }
}

#[derive(Debug)]
pub(crate) struct Block<'t> {
    pub context: Context,
    pub lines: Vec<Line<'t>>,
    pub comments_at_end: Vec<CommentAbove>,
    /// The bytes from `{` to `}`.
    pub bytes: Range<usize>,
    /// It stands on one line.
    pub one_line: bool,
}

/// A whole file.
#[derive(Debug)]
pub(crate) struct Tree<'t> {
    pub file: FileId,
    /// The text as written.
    pub text: &'t str,
    pub lines: Vec<Line<'t>>,
    pub comments_at_end: Vec<CommentAbove>,
}

/// The text in which a newline stands only where a line ends, and no comment. Every byte keeps its place.
pub(crate) fn clean_text(text: &str, scan: &Scan, layout: &Layout) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let blank = |bytes: &mut Vec<u8>, range: Range<usize>| {
        for byte in bytes.get_mut(range).unwrap_or_default() {
            *byte = b' ';
        }
    };
    for comment in &scan.comments {
        blank(&mut bytes, comment.start..comment.end);
    }
    for gap in layout.joins() {
        blank(&mut bytes, gap);
    }
    if text.starts_with('\u{feff}') {
        blank(&mut bytes, 0..3);
    }
    String::from_utf8(bytes).unwrap_or_default()
}

/// Reads a file whose lines and blocks are found. The reading that leaves fewer mistakes is taken: braces, or indentation.
pub(crate) fn text_to_tree<'t>(
    file: FileId,
    text: &'t str,
    clean: &'t str,
    scan: &Scan,
    layout: &Layout,
    known: &mut KnownLines,
) -> (Tree<'t>, Vec<Diagnostic>) {
    let by_braces = layout.read_by_braces();
    let braces_match = by_braces.problems.is_empty();
    let mut read = |mut reading: Reading| {
        limit_depth(&mut reading, scan, file);
        TreeBuilder::new(file, text, clean, scan, reading, known).build()
    };
    let by_braces = read(by_braces);
    if by_braces.1.is_empty() {
        return by_braces;
    }
    let by_indentation = layout.read_by_indentation();
    if by_indentation.events == layout.read_by_braces().events {
        return by_braces;
    }
    let by_indentation = read(by_indentation);
    let limit = by_braces.1.len() + usize::from(!braces_match);
    if by_indentation.1.len() < limit { by_indentation } else { by_braces }
}

struct TreeBuilder<'t, 's, 'k> {
    file: FileId,
    text: &'t str,
    clean: &'t str,
    scan: &'s Scan,
    events: Vec<Event>,
    at: usize,
    problems: Vec<Diagnostic>,
    /// The places of the mistakes in braces, by start.
    brace_problems: Vec<Span>,
    /// The `{` of blocks that were left out, as indices of tokens, sorted.
    too_deep: Vec<usize>,
    /// Blocks whose opening line was not understood: their lines are read on probation.
    context_guesses_left: usize,
    known: &'k mut KnownLines,
}

/// `let p = Person {`: what belongs between round brackets stands in a block.
fn builds_record(head: &str) -> bool {
    let Some(written) = head.strip_suffix('{') else { return false };
    let name = written.trim_end().rsplit(|sign: char| !sign.is_alphanumeric() && sign != '_').next().unwrap_or("");
    let behind_equals = written.contains('=') && !written.contains("=>");
    behind_equals && name.starts_with(char::is_uppercase)
}

/// Whether the line is a verb alone that wants more, and reads only because any name is a value.
fn needs_more(context: Context, text: &str) -> bool {
    const WHOLE: [&str; 5] = ["answer", "reject", "again", "continue", "return"];
    let in_steps = matches!(context, Context::Flow | Context::Statements);
    in_steps && !WHOLE.contains(&text) && context.forms().iter().any(|(verb, _)| *verb == text)
}

/// Only so many blocks get their kind guessed from their lines: a file with more broken heads is no flow file.
const CONTEXT_GUESSES_MAX: usize = 1000;
/// Lines that are looked at to guess the kind of a block.
const GUESS_LINES_MAX: usize = 6;

impl<'t, 's, 'k> TreeBuilder<'t, 's, 'k> {
    fn new(
        file: FileId,
        text: &'t str,
        clean: &'t str,
        scan: &'s Scan,
        reading: Reading,
        known: &'k mut KnownLines,
    ) -> Self {
        let mut brace_problems: Vec<Span> = reading.problems.iter().map(Diagnostic::span).collect();
        brace_problems.sort_unstable();
        TreeBuilder {
            file,
            text,
            clean,
            scan,
            events: reading.events,
            at: 0,
            problems: reading.problems,
            brace_problems,
            too_deep: reading.too_deep,
            context_guesses_left: CONTEXT_GUESSES_MAX,
            known,
        }
    }

    fn build(mut self) -> (Tree<'t>, Vec<Diagnostic>) {
        let lines = self.lines(Context::File);
        let comments_at_end = self.comments_before(self.scan.tokens.len());
        let mut problems = self.problems;
        problems.sort_by_key(|problem| problem.span().start);
        (Tree { file: self.file, text: self.text, lines, comments_at_end }, problems)
    }

    /// The lines up to the end of the block, or of the file.
    fn lines(&mut self, context: Context) -> Vec<Line<'t>> {
        let mut lines = Vec::new();
        while let Some(event) = self.events.get(self.at).copied() {
            match event {
                Event::LineEnd => self.at += 1,
                Event::Close(_) => break,
                Event::Token(_) | Event::Open(_) => lines.push(self.line(context)),
            }
        }
        lines
    }

    fn line(&mut self, context: Context) -> Line<'t> {
        let first = self.first_token().unwrap_or(0);
        let above = self.comments_before(first);
        let blank_above = self.is_blank_above(first, above.last());
        let mut segments = Vec::with_capacity(1);
        let mut rule = context.line_rule();
        loop {
            let segment = self.segment(context, rule);
            let closed = segment.block.is_some();
            segments.push(segment);
            if !closed || !matches!(self.events.get(self.at - 1), Some(Event::Close(Some(_)))) {
                break;
            }
            // The `}` begins the next segment.
            self.at -= 1;
            rule = Rule::one_closing;
        }
        self.check_else(context, &segments);
        Line { above, blank_above, segments }
    }

    /// `} else` behind what has no other branch would be read and forgotten.
    fn check_else(&mut self, context: Context, segments: &[Segment<'t>]) {
        let head = segments.first().and_then(|first| first.text.split_whitespace().next()).unwrap_or_default();
        let takes_else = match context {
            Context::Statements | Context::Arms | Context::Dialogue => true,
            Context::Flow => !matches!(head, "step" | "fault" | "finally"),
            Context::File => head == "when",
            Context::Cadence => matches!(head, "after" | "exhausted"),
            _ => false,
        };
        for segment in segments.iter().skip(1).filter(|segment| !takes_else && segment.parts.is_some()) {
            let word = segment.tokens.start + 1;
            let bytes = self.bytes(&(word..word + 1));
            if self.problems.len() < PROBLEMS_MAX {
                self.problems.push(idle_else(Span::new(self.file, bytes.start as u32, bytes.end as u32)));
            }
        }
    }

    fn first_token(&self) -> Option<usize> {
        match self.events.get(self.at) {
            Some(Event::Token(index) | Event::Open(Some(index))) => Some(*index),
            _ => None,
        }
    }

    /// From here up to a `{` and its block, or the end of the line. Leaves behind the block's `}`.
    fn segment(&mut self, context: Context, rule: Rule) -> Segment<'t> {
        let mut first = None;
        let mut end = 0;
        let mut opened = None;
        while let Some(event) = self.events.get(self.at).copied() {
            let token = match event {
                Event::Token(index) => Some(index),
                Event::Close(Some(index)) if first.is_none() => Some(index),
                Event::Open(index) => {
                    opened = Some(index);
                    index
                }
                Event::Close(_) | Event::LineEnd => break,
            };
            self.at += 1;
            if let Some(index) = token {
                first.get_or_insert(index);
                end = index + 1;
            }
            if opened.is_some() {
                break;
            }
        }
        let tokens = first.unwrap_or(end)..end;
        let bytes = self.bytes(&tokens);
        // A head without its `{` says nothing for sure; that the brace is missed was said.
        let text = self.clean.get(bytes.clone()).unwrap_or("");
        let parts = if opened == Some(None) { None } else { self.read(context, rule, &tokens, &bytes) };
        let beside = self.comment_beside(end);
        let head = parts.as_ref().and_then(|parts| context_of_head(parts.whole(text)?));
        let told = self.problems.len();
        let block = opened.map(|open| self.block(open, head, &bytes, context));
        if parts.is_none() && builds_record(text) {
            // What stands between the braces is no lines.
            self.problems.truncate(told);
        }
        Segment { tokens, bytes, text, parts, beside, block }
    }

    fn block(
        &mut self,
        open: Option<usize>,
        head: Option<Context>,
        bytes: &Range<usize>,
        parent: Context,
    ) -> Block<'t> {
        let context = head.unwrap_or_else(|| self.guess_context(bytes, parent));
        let lines = self.lines(context);
        let close = match self.events.get(self.at) {
            Some(Event::Close(token)) => *token,
            _ => None,
        };
        self.at += 1;
        let close_token = close.and_then(|index| self.scan.tokens.get(index));
        let open_token = open.and_then(|index| self.scan.tokens.get(index));
        let start = open_token.map_or(bytes.end, |token| token.start);
        let end = close_token.map_or(start, |token| token.end);
        Block {
            context,
            lines,
            comments_at_end: close.map(|index| self.comments_before(index)).unwrap_or_default(),
            bytes: start..end,
            one_line: open_token.map(|token| token.line) == close_token.map(|token| token.line),
        }
    }

    /// The kind of block that its head's words speak of, and under which most of its first lines read.
    fn guess_context(&mut self, head: &Range<usize>, parent: Context) -> Context {
        if self.context_guesses_left == 0 {
            return Context::Statements;
        }
        self.context_guesses_left -= 1;
        let head = self.clean.get(head.clone()).unwrap_or("");
        let first = head.split(|sign: char| !sign.is_alphanumeric()).next().unwrap_or("");
        let head = if parent == Context::File { known_elsewhere(parent, first).unwrap_or(head) } else { head };
        let spoken_of = match (parent, Context::of_words(head)) {
            (Context::Survey, _) => (3, Context::Survey),
            (_, Some(context)) => (3, context),
            (Context::File, None) => (1, Context::Flow),
            (_, None) => (1, Context::Statements),
        };
        let lines = self.heads_ahead();
        let mut best = (0, Context::Statements);
        for context in Context::BLOCKS {
            let known = |line: &str| {
                let first = line.split(|sign: char| !sign.is_alphanumeric()).next().unwrap_or("");
                context.forms().iter().any(|(word, _)| *word == first)
            };
            let reads = |line: &str| parse_all(context.line_rule(), line).is_ok();
            let score: usize = lines.iter().map(|line| 2 * usize::from(reads(line)) + usize::from(known(line))).sum();
            let score = score + if spoken_of.1 == context { spoken_of.0 } else { 0 };
            if score > best.0 {
                best = (score, context);
            }
        }
        best.1
    }

    /// The heads of the first lines of the block that begins here.
    fn heads_ahead(&self) -> Vec<&'t str> {
        let mut heads = Vec::new();
        let mut depth = 0_usize;
        let mut range: Option<Range<usize>> = None;
        for event in self.events.get(self.at..).unwrap_or_default() {
            let index = match event {
                Event::Token(index) | Event::Open(Some(index)) if depth == 0 => Some(*index),
                _ => None,
            };
            if let Some(token) = index.and_then(|index| self.scan.tokens.get(index)) {
                range = Some(range.map_or(token.start, |range| range.start)..token.end);
            }
            match event {
                Event::Open(_) => depth += 1,
                Event::Close(_) if depth == 0 => break,
                Event::Close(_) => depth -= 1,
                _ => {}
            }
            let ends = matches!(event, Event::Open(_)) && depth == 1 || matches!(event, Event::LineEnd) && depth == 0;
            if ends && let Some(head) = range.take().and_then(|range| self.clean.get(range)) {
                heads.push(head);
            }
            if heads.len() == GUESS_LINES_MAX {
                return heads;
            }
        }
        heads.extend(range.and_then(|range| self.clean.get(range)));
        heads
    }

    fn bytes(&self, tokens: &Range<usize>) -> Range<usize> {
        let start = self.scan.tokens.get(tokens.start).map_or(0, |token| token.start);
        let last = tokens.end.checked_sub(1).and_then(|index| self.scan.tokens.get(index));
        start..last.map_or(start, |token| token.end).max(start)
    }

    /// Reads one segment by the grammar, or says why it cannot be read; never says two things of one segment.
    fn read(&mut self, context: Context, rule: Rule, tokens: &Range<usize>, bytes: &Range<usize>) -> Option<Parts> {
        let text = self.clean.get(bytes.clone()).unwrap_or("");
        if text.is_empty() || (rule == Rule::one_closing && text == "}") {
            return None;
        }
        let is_told = self.problems.len() < PROBLEMS_MAX;
        if let Some(problem) = self.problem_of_tokens(tokens, bytes) {
            self.problems.extend(is_told.then_some(problem));
            return None;
        }
        if self.opens_too_deep(tokens) {
            return None;
        }
        if tokens.len() == 1
            && is_told
            && needs_more(context, text)
            && let Some(problem) = self.goes_on_below(context, rule, bytes, text.len())
        {
            self.problems.push(problem);
            return None;
        }
        match self.known.read(rule, text) {
            Ok(parts) => Some(parts),
            Err(_) if !is_told || self.has_brace_problem(bytes) => None,
            Err(failed_at) if failed_at >= text.len() && self.text_lost_its_place(context, tokens.end) => None,
            Err(failed_at) => {
                if let Some(problem) = self.goes_on_below(context, rule, bytes, failed_at) {
                    self.problems.push(problem);
                    return None;
                }
                let written = self.text.get(bytes.clone()).unwrap_or("");
                let context = (rule != Rule::one_closing).then_some(context);
                let line = BrokenLine { file: self.file, context, rule, text, written, base: bytes.start };
                self.problems.push(line_error(&line, failed_at));
                None
            }
        }
    }

    /// Whether the next line is the end of this one: `wait`, and `2s` below it. The next line is skipped then.
    fn goes_on_below(
        &mut self,
        context: Context,
        rule: Rule,
        bytes: &Range<usize>,
        failed_at: usize,
    ) -> Option<Diagnostic> {
        let text = self.clean.get(bytes.clone())?;
        let mut events = self.events.get(self.at..)?.iter();
        if failed_at < text.len() || !matches!(events.next(), Some(Event::LineEnd)) {
            return None;
        }
        let tokens = events.clone().map_while(|event| match event {
            Event::Token(index) => self.scan.tokens.get(*index),
            _ => None,
        });
        let (first, last, count) = (tokens.clone().next()?, tokens.clone().last()?, tokens.count());
        if matches!(events.nth(count), Some(Event::Open(_))) {
            return None;
        }
        let below = self.clean.get(first.start..last.end)?;
        let verb = self.clean.get(first.start..first.end)?;
        let is_value = rule == Rule::one_statement || rule == Rule::one_flow_line;
        let stands_alone = parse_all(rule, below).is_ok();
        if stands_alone && (!is_value || context.forms().iter().any(|(word, _)| *word == verb)) {
            return None;
        }
        let repaired = format!("{text} {below}");
        parse_all(rule, &repaired).ok()?;
        let gap = Span::new(self.file, bytes.end as u32, first.start as u32);
        let end = Span::new(self.file, bytes.end as u32, bytes.end as u32);
        self.at += 1 + count;
        let problem = Diagnostic::new(Code::UnexpectedWord, end, "the line ends too early").here("it goes on below");
        Some(problem.help(format!("`{repaired}`")).edit("join the lines", gap, " "))
    }

    /// Whether the next line is the text that this one lacks, and does not read without its language. It has the
    /// mistake then, and not this line.
    fn text_lost_its_place(&self, context: Context, next: usize) -> bool {
        let takes_values = matches!(
            context,
            Context::Dialogue
                | Context::Prompt
                | Context::Flow
                | Context::Statements
                | Context::Arms
                | Context::ValueArms
        );
        let Some(token) = self.scan.tokens.get(next).filter(|_| !takes_values) else { return false };
        let word = self.clean.get(token.start..token.end).unwrap_or("");
        let alone = self.scan.tokens.get(next + 1).is_none_or(|after| after.line > token.line);
        token.kind == TokenKind::Text || (alone && looks_like_tag(word))
    }

    /// Whether the segment ends in the `{` of a block that is left out because of its depth.
    fn opens_too_deep(&self, tokens: &Range<usize>) -> bool {
        tokens.end.checked_sub(1).is_some_and(|last| self.too_deep.binary_search(&last).is_ok())
    }

    fn has_brace_problem(&self, bytes: &Range<usize>) -> bool {
        let from = self.brace_problems.partition_point(|span| span.range().start < bytes.start);
        self.brace_problems.get(from).is_some_and(|span| span.range().start < bytes.end)
    }

    fn problem_of_tokens(&self, tokens: &Range<usize>, bytes: &Range<usize>) -> Option<Diagnostic> {
        let span = |range: Range<usize>| Span::new(self.file, range.start as u32, range.end as u32);
        let list = self.scan.tokens.get(tokens.clone()).unwrap_or_default();
        if list.len() > LINE_TOKENS_MAX {
            let message = format!("a line has more than {LINE_TOKENS_MAX} words and signs");
            return Some(
                Diagnostic::new(Code::TooLarge, span(bytes.clone()), message)
                    .help("split it with names given by `let`"),
            );
        }
        if let Some(problem) = problem_of_signs(self.file, self.clean, list) {
            return Some(problem);
        }
        let mut depth = 0_usize;
        for token in list {
            match token.kind {
                TokenKind::UnclosedText => return Some(self.unclosed_text(span(token.start..token.end))),
                TokenKind::Left => depth += 1,
                TokenKind::Right => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > BRACKET_DEPTH_MAX {
                let message = format!("more than {BRACKET_DEPTH_MAX} brackets are open at once");
                let problem = Diagnostic::new(Code::TooLarge, span(token.start..token.end), message);
                return Some(problem.help("split it with names given by `let`"));
            }
        }
        None
    }

    fn unclosed_text(&self, span: Span) -> Diagnostic {
        let text = self.clean.get(span.range()).unwrap_or("").trim_end();
        let end = Span::new(self.file, span.start + text.len() as u32, span.start + text.len() as u32);
        Diagnostic::new(Code::UnterminatedText, Span::new(self.file, span.start, end.end), "this text is not closed")
            .here("a text ends on the line on which it begins")
            .help(format!("`{text}\"`"))
            .edit("close the text", end, "\"")
    }

    /// The comments on lines of their own between token `index` and the one before it.
    fn comments_before(&self, index: usize) -> Vec<CommentAbove> {
        let before = index.checked_sub(1).and_then(|index| self.scan.tokens.get(index));
        let start = before.map_or(0, |token| token.end);
        let end = self.scan.tokens.get(index).map_or(usize::MAX, |token| token.start);
        let mut line_before = before.map(|token| token.line);
        let mut above = Vec::new();
        for comment in self.comments_in(start..end) {
            if comment.own_line {
                let blank_above = line_before.is_some_and(|line| line + 1 < comment.line);
                above.push(CommentAbove { comment: *comment, blank_above });
            }
            line_before = Some(comment.line);
        }
        above
    }

    fn is_blank_above(&self, index: usize, comment: Option<&CommentAbove>) -> bool {
        let before = index.checked_sub(1).and_then(|index| self.scan.tokens.get(index)).map(|token| token.line);
        let line_before = comment.map(|above| above.comment.line).max(before);
        let line = self.scan.tokens.get(index).map_or(0, |token| token.line);
        line_before.is_some_and(|before| before + 1 < line)
    }

    /// The comment behind token `end - 1` on its line.
    fn comment_beside(&self, end: usize) -> Option<Comment> {
        let last = end.checked_sub(1).and_then(|index| self.scan.tokens.get(index))?;
        let next = self.scan.tokens.get(end).map_or(usize::MAX, |token| token.start);
        let comment = self.comments_in(last.end..next).first()?;
        (!comment.own_line && comment.line == last.line).then_some(*comment)
    }

    fn comments_in(&self, bytes: Range<usize>) -> &'s [Comment] {
        let comments = &self.scan.comments;
        let from = comments.partition_point(|comment| comment.start < bytes.start);
        let to = comments.partition_point(|comment| comment.start < bytes.end);
        comments.get(from..to).unwrap_or_default()
    }
}

/// What the block is that the last `{` of a head opens.
fn context_of_head(head: Part<'_, '_>) -> Option<Context> {
    head.all().skip(1).filter_map(|part| Context::of_block(part.rule())).last()
}
