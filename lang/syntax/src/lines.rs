//! Which line belongs to which block: rules 1 and 2 of "Lines and words", and what to do when braces do not match.
//!
//! A file is read in two ways: by its braces, and by its indentation. Where both agree there is nothing to repair; the
//! caller takes the reading that leaves fewer mistakes.

use lang_diagnostics::{Code, Diagnostic, FileId, Span};

use crate::tokens::{Scan, Token, TokenKind};

/// Deepest nesting of blocks. Deeper ones are left out of the tree, with a diagnostic.
pub const BLOCK_DEPTH_MAX: usize = 64;
/// Most brackets open at once within one line.
pub const BRACKET_DEPTH_MAX: usize = 64;

/// Most problems that are told of one file; behind them the reading goes on in silence.
pub const PROBLEMS_MAX: usize = 1000;

/// The file as a sequence of tokens, blocks and line ends. Opens and closes always match.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Event {
    /// A token by its index.
    Token(usize),
    /// `{` by its index, or one that is missing.
    Open(Option<usize>),
    Close(Option<usize>),
    LineEnd,
}

pub(crate) struct Reading {
    pub events: Vec<Event>,
    pub problems: Vec<Diagnostic>,
    /// The `{` of blocks that lie too deep, as indices of tokens, in order.
    pub too_deep: Vec<usize>,
}

/// The physical lines that hold tokens, and how they hang together.
pub(crate) struct Layout<'s> {
    text: &'s str,
    scan: &'s Scan,
    file: FileId,
    lines: Vec<PhysicalLine>,
}

#[derive(Clone, Copy, Debug)]
struct PhysicalLine {
    /// Tokens `first..end`.
    first: usize,
    end: usize,
    /// Columns before the first token; a tab goes to the next multiple of four.
    indent: usize,
    number: usize,
    /// It continues the line before.
    continues: bool,
}

impl<'s> Layout<'s> {
    pub fn new(text: &'s str, scan: &'s Scan, file: FileId) -> Self {
        let mut lines: Vec<PhysicalLine> = Vec::new();
        for (index, token) in scan.tokens.iter().enumerate() {
            match lines.last_mut() {
                Some(line) if line.number == token.line => line.end = index + 1,
                _ => lines.push(PhysicalLine {
                    first: index,
                    end: index + 1,
                    indent: indent_of(text, scan, token),
                    number: token.line,
                    continues: false,
                }),
            }
        }
        let mut layout = Layout { text, scan, file, lines };
        layout.join_lines();
        layout
    }

    fn token(&self, index: usize) -> Option<&'s Token> {
        self.scan.tokens.get(index)
    }

    /// A second `{` behind another opens no block: it was typed twice.
    fn kind(&self, index: usize) -> Option<TokenKind> {
        match self.token(index)?.kind {
            TokenKind::Open if self.is_doubled(index) => Some(TokenKind::Sign),
            kind => Some(kind),
        }
    }

    fn is_doubled(&self, index: usize) -> bool {
        let (Some(token), Some(before)) = (self.token(index), index.checked_sub(1).and_then(|index| self.token(index)))
        else {
            return false;
        };
        before.kind == TokenKind::Open && before.line == token.line
    }

    fn word(&self, index: usize) -> &'s str {
        self.token(index).and_then(|token| self.text.get(token.start..token.end)).unwrap_or("")
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start as u32, end as u32)
    }

    /// Marks every line that continues the one before.
    fn join_lines(&mut self) {
        let in_brackets = self.bracketed_line_starts();
        let mut arrow_before = false;
        let mut head = self.lines.first().copied();
        for index in 1..self.lines.len() {
            let (Some(before), Some(line)) = (self.lines.get(index - 1).copied(), self.lines.get(index).copied())
            else {
                continue;
            };
            if !before.continues {
                arrow_before = false;
                head = Some(before);
            }
            arrow_before |= self.has_arrow(before);
            let continues = in_brackets.get(index).copied().unwrap_or(false)
                || self.continues_line(before, line, arrow_before, head);
            if let Some(line) = self.lines.get_mut(index) {
                line.continues = continues;
            }
        }
    }

    fn continues_line(
        &self,
        before: PhysicalLine,
        line: PhysicalLine,
        arrow_before: bool,
        head: Option<PhysicalLine>,
    ) -> bool {
        let last = self.token(before.end - 1).map(|token| token.kind);
        if matches!(last, Some(TokenKind::Open | TokenKind::Close)) || self.kind(line.first) == Some(TokenKind::Close) {
            return false;
        }
        let starts_arm = self.has_arrow(line);
        match last {
            Some(TokenKind::Arrow) => return !starts_arm,
            Some(TokenKind::Comma) if starts_arm && !arrow_before => return true,
            _ => {}
        }
        match self.word(line.first) {
            "then" | "and" | "or" => true,
            "else" => {
                let opens = self.kind(line.end - 1) == Some(TokenKind::Open) && line.end - line.first == 2;
                !opens && self.kind(line.first + 1) != Some(TokenKind::Arrow)
            }
            // The texts of an item whose `{` is missing.
            _ if self.word(before.first) == "prompt" && before.end - before.first == 2 => false,
            _ => {
                self.is_tag_and_text(line.first)
                    && (!starts_arm || (!arrow_before && head.is_some_and(|head| self.starts_choice(head))))
            }
        }
    }

    /// Whether `=>` stands in the line, outside a block.
    fn has_arrow(&self, line: PhysicalLine) -> bool {
        let kinds = (line.first..line.end).map_while(|index| self.kind(index));
        kinds.take_while(|kind| *kind != TokenKind::Open).any(|kind| kind == TokenKind::Arrow)
    }

    /// `en "…"`; also what was meant as a tag, as `EN` and `zh_CN`.
    fn is_tag_and_text(&self, index: usize) -> bool {
        let Some(first) = self.token(index) else { return false };
        let mut last = index;
        while self.word(last + 1) == "-"
            && self.token(last).map(|token| token.end) == self.token(last + 1).map(|sign| sign.start)
        {
            last += 2;
        }
        let text_behind = matches!(self.kind(last + 1), Some(TokenKind::Text | TokenKind::UnclosedText));
        let end = self.token(last).map_or(first.end, |token| token.end);
        let word = self.text.get(first.start..end).unwrap_or("");
        text_behind && first.line == self.token(last + 1).map_or(0, |token| token.line) && looks_like_tag(word)
    }

    /// Whether the line begins as a choice of a dialogue does: with a key, a text, a tag and a text, or a list.
    fn starts_choice(&self, line: PhysicalLine) -> bool {
        match self.kind(line.first) {
            Some(TokenKind::Number | TokenKind::Text) => true,
            Some(TokenKind::Sign) => matches!(self.word(line.first), "*" | "#"),
            _ => self.is_tag_and_text(line.first) || self.kind(line.first + 1) == Some(TokenKind::Comma),
        }
    }

    /// For each line, whether it begins inside brackets that are closed before any brace or `=>`.
    fn bracketed_line_starts(&self) -> Vec<bool> {
        let tokens = &self.scan.tokens;
        let mut partner: Vec<usize> = vec![usize::MAX; tokens.len()];
        let mut open: Vec<usize> = Vec::new();
        for (index, token) in tokens.iter().enumerate() {
            match token.kind {
                TokenKind::Left => open.push(index),
                TokenKind::Right => {
                    if let Some(slot) = open.pop().and_then(|left| partner.get_mut(left)) {
                        *slot = index;
                    }
                }
                TokenKind::Open | TokenKind::Close | TokenKind::Arrow | TokenKind::UnclosedText => open.clear(),
                _ => {}
            }
        }
        let mut reach = 0;
        let mut starts = Vec::with_capacity(self.lines.len());
        for line in &self.lines {
            starts.push(reach > line.first || (reach == line.first && reach > 0));
            let closes = (line.first..line.end).filter_map(|index| partner.get(index).copied());
            reach = closes.filter(|close| *close != usize::MAX).chain([reach]).max().unwrap_or(0);
        }
        starts
    }

    /// Blocks as the braces say. What is not closed is closed at the end; what closes nothing stays a token.
    pub fn read_by_braces(&self) -> Reading {
        let mut events = Vec::with_capacity(self.scan.tokens.len() * 5 / 4);
        let mut problems = Vec::new();
        let mut open: Vec<usize> = Vec::new();
        for line in &self.lines {
            if !line.continues && line.first > 0 {
                events.push(Event::LineEnd);
            }
            for index in line.first..line.end {
                match self.kind(index) {
                    Some(TokenKind::Open) => {
                        open.push(index);
                        events.push(Event::Open(Some(index)));
                    }
                    Some(TokenKind::Close) if open.pop().is_some() => events.push(Event::Close(Some(index))),
                    Some(TokenKind::Close) => {
                        add(&mut problems, || self.closes_nothing(index));
                        events.push(Event::Token(index));
                    }
                    _ => events.push(Event::Token(index)),
                }
            }
        }
        for opener in open.iter().rev() {
            add(&mut problems, || self.not_closed(*opener, self.lines.last().copied()));
            events.push(Event::Close(None));
        }
        Reading { events, problems, too_deep: Vec::new() }
    }

    /// Blocks as the indentation says, where braces are missing.
    pub fn read_by_indentation(&self) -> Reading {
        let mut reader =
            IndentReader { layout: self, events: Vec::new(), problems: Vec::new(), open: Vec::new(), before: None };
        for index in 0..self.lines.len() {
            reader.line(index);
        }
        let last = self.lines.last().copied();
        while let Some(block) = reader.open.pop() {
            add(&mut reader.problems, || self.not_closed(block.token, last));
            reader.events.push(Event::Close(None));
        }
        Reading { events: reader.events, problems: reader.problems, too_deep: Vec::new() }
    }

    fn closes_nothing(&self, index: usize) -> Diagnostic {
        let span = self.token(index).map_or(self.span(0, 0), |token| self.span(token.start, token.end));
        Diagnostic::new(Code::UnclosedBrace, span, "this `}` closes nothing")
            .help("leave it out, or write the `{` that it closes at the end of a line above")
            .edit("leave the brace out", span, "")
    }

    /// `last` is the last line that belongs to the block; the brace belongs on the next.
    fn not_closed(&self, opener: usize, last: Option<PhysicalLine>) -> Diagnostic {
        let opened = self.token(opener).map_or(self.span(0, 0), |token| self.span(token.start, token.end));
        let next = last.map_or(0, |line| line.number + 1);
        let start = self.scan.line_starts.get(next).copied().unwrap_or(self.text.len());
        let content = self.text.get(start..).and_then(|rest| rest.split('\n').next()).unwrap_or("");
        let blank = content.len() - content.trim_start().len();
        let place = self.span(start + blank, start + content.trim_end().len().max(blank));
        Diagnostic::new(Code::UnclosedBrace, place, "a block is not closed")
            .here("its `}` is missed here")
            .label(opened, "the block begins here")
            .help("write `}` on a line of its own, under the first word of the line that opens the block")
            .edit("close the block", self.span(start, start), "}\n")
    }

    fn not_opened(&self, line: PhysicalLine) -> Diagnostic {
        let start = self.token(line.first).map_or(0, |token| token.start);
        let end = self.token(line.end - 1).map_or(0, |token| token.end);
        let written = self.text.get(start..end).unwrap_or("").split('\n').next_back().unwrap_or("");
        Diagnostic::new(Code::UnclosedBrace, self.span(start, end), "the lines below form a block that is not opened")
            .here("its `{` is missed at the end of this line")
            .help(format!("`{} {{`", written.trim()))
            .edit("open the block", self.span(end, end), " {")
    }
}

/// An open block: its `{`, and the indentation of the line that opened it.
struct OpenBlock {
    token: usize,
    indent: usize,
}

struct IndentReader<'l, 's> {
    layout: &'l Layout<'s>,
    events: Vec<Event>,
    problems: Vec<Diagnostic>,
    open: Vec<OpenBlock>,
    /// The line before, if it opened no block.
    before: Option<PhysicalLine>,
}

impl IndentReader<'_, '_> {
    fn line(&mut self, index: usize) {
        let Some(line) = self.layout.lines.get(index).copied() else { return };
        if line.continues {
            let indent = self.before.map_or(line.indent, |before| before.indent);
            self.tokens(line, line.first, indent);
            if let Some(before) = &mut self.before {
                (before.end, before.number) = (line.end, line.number);
            }
            return;
        }
        let starts_with_close = self.layout.kind(line.first) == Some(TokenKind::Close);
        let last_fitting = index.checked_sub(1).and_then(|at| self.layout.lines.get(at)).copied();
        if starts_with_close {
            let closes = self.open.iter().rposition(|block| block.indent == line.indent);
            let keep = closes.map_or(self.open.len(), |at| at + 1);
            self.close_down_to(keep, last_fitting);
            if !self.events.is_empty() {
                self.events.push(Event::LineEnd);
            }
            if self.open.pop().is_some() {
                self.events.push(Event::Close(Some(line.first)));
            } else {
                add(&mut self.problems, || self.layout.closes_nothing(line.first));
                self.events.push(Event::Token(line.first));
            }
            self.before = Some(line);
            self.tokens(line, line.first + 1, line.indent);
            return;
        }
        let keep = self.open.iter().position(|block| line.indent <= block.indent).unwrap_or(self.open.len());
        self.close_down_to(keep, last_fitting);
        if let Some(before) = self.before
            && line.indent > before.indent
            && (self.is_closed_at(index, before.indent) || self.looks_like_block(index))
        {
            add(&mut self.problems, || self.layout.not_opened(before));
            self.events.push(Event::Open(None));
            self.open.push(OpenBlock { token: before.end - 1, indent: before.indent });
        }
        if !self.events.is_empty() {
            self.events.push(Event::LineEnd);
        }
        self.before = Some(line);
        self.tokens(line, line.first, line.indent);
    }

    fn close_down_to(&mut self, keep: usize, last_fitting: Option<PhysicalLine>) {
        while self.open.len() > keep {
            let Some(block) = self.open.pop() else { break };
            add(&mut self.problems, || self.layout.not_closed(block.token, last_fitting));
            self.events.push(Event::Close(None));
            self.before = None;
        }
    }

    /// Whether this line and the next are indented alike, and neither is a text that lost its beginning.
    fn looks_like_block(&self, index: usize) -> bool {
        let Some(line) = self.layout.lines.get(index) else { return false };
        let next = self.layout.lines.iter().skip(index + 1).find(|line| !line.continues);
        let is_text = |line: &PhysicalLine| {
            let alone = line.end == line.first + 1 && looks_like_tag(self.layout.word(line.first));
            alone || self.layout.kind(line.first) == Some(TokenKind::Text)
        };
        !is_text(line) && next.is_some_and(|next| next.indent == line.indent && !is_text(next))
    }

    /// Whether the lines from `index` on are followed by a `}` at `indent` that closes nothing else.
    fn is_closed_at(&self, index: usize, indent: usize) -> bool {
        let mut depth = 0_usize;
        for line in self.layout.lines.iter().skip(index) {
            let starts_with_close = self.layout.kind(line.first) == Some(TokenKind::Close);
            if line.indent <= indent && !line.continues {
                return starts_with_close && line.indent == indent && depth == 0;
            }
            for token in line.first..line.end {
                match self.layout.kind(token) {
                    Some(TokenKind::Open) => depth += 1,
                    Some(TokenKind::Close) => depth = depth.saturating_sub(1),
                    _ => {}
                }
            }
        }
        false
    }

    /// The tokens of a line from `from` on. A `{` that its own line does not close opens a block only at the line's end.
    fn tokens(&mut self, line: PhysicalLine, from: usize, indent: usize) {
        let mut inner: Vec<usize> = Vec::new();
        let mut unclosed: Vec<usize> = Vec::new();
        for index in from..line.end {
            match self.layout.kind(index) {
                Some(TokenKind::Open) => unclosed.push(index),
                Some(TokenKind::Close) => {
                    if let Some(open) = unclosed.pop() {
                        inner.extend([open, index]);
                    }
                }
                _ => {}
            }
        }
        inner.sort_unstable();
        let mut late: Vec<usize> = Vec::new();
        for index in from..line.end {
            let matched = inner.binary_search(&index).is_ok();
            match self.layout.kind(index) {
                Some(TokenKind::Open) if matched => self.events.push(Event::Open(Some(index))),
                Some(TokenKind::Open) => {
                    self.events.push(Event::Open(Some(index)));
                    if index + 1 == line.end {
                        self.open.push(OpenBlock { token: index, indent });
                        self.before = None;
                    } else {
                        late.push(index);
                    }
                }
                Some(TokenKind::Close) if matched => self.events.push(Event::Close(Some(index))),
                _ => self.events.push(Event::Token(index)),
            }
        }
        let opened_at_end = unclosed.last().is_some_and(|index| index + 1 == line.end);
        for index in late.into_iter().rev() {
            // A block that began within the line and one that its end opens cannot both be right: the inner one goes.
            if opened_at_end && let Some(block) = self.open.pop() {
                add(&mut self.problems, || self.layout.not_closed(block.token, Some(line)));
                self.events.push(Event::Close(None));
            }
            add(&mut self.problems, || self.layout.inline_not_closed(index, line));
            self.events.push(Event::Close(None));
        }
    }
}

impl Layout<'_> {
    fn inline_not_closed(&self, opener: usize, line: PhysicalLine) -> Diagnostic {
        let opened = self.token(opener).map_or(self.span(0, 0), |token| self.span(token.start, token.end));
        let end = self.token(line.end - 1).map_or(0, |token| token.end);
        Diagnostic::new(Code::UnclosedBrace, opened, "a block is not closed")
            .here("this block is not closed on its line")
            .help("write ` }` at the end of the line")
            .edit("close the block", self.span(end, end), " }")
    }
}

fn add(problems: &mut Vec<Diagnostic>, problem: impl FnOnce() -> Diagnostic) {
    if problems.len() < PROBLEMS_MAX {
        problems.push(problem());
    }
}

fn indent_of(text: &str, scan: &Scan, token: &Token) -> usize {
    let start = scan.line_starts.get(token.line).copied().unwrap_or(0);
    let before = text.get(start..token.start).unwrap_or("");
    before.chars().fold(0, |column, blank| if blank == '\t' { (column / 4 + 1) * 4 } else { column + 1 })
}

/// Two or three letters and perhaps subtags, in any case, and no reserved word.
pub(crate) fn looks_like_tag(word: &str) -> bool {
    let mut subtags = word.split(['-', '_']);
    let language = subtags.next().unwrap_or("");
    let reserved = ["and", "or", "not", "is", "in", "as", "if", "let", "for", "go", "run", "say"];
    (2..=3).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_alphabetic())
        && !reserved.contains(&language)
        && subtags
            .all(|subtag| (1..=8).contains(&subtag.len()) && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Leaves out what lies deeper than `BLOCK_DEPTH_MAX`, so that nothing behind needs to fear the depth of a file. The
/// first block of those stays, empty, so that its head is not taken for a line of its own.
pub(crate) fn limit_depth(reading: &mut Reading, scan: &Scan, file: FileId) {
    let mut depth = 0_usize;
    let (mut problems, mut too_deep) = (Vec::new(), Vec::new());
    reading.events.retain(|event| match event {
        Event::Open(token) => {
            depth += 1;
            if depth == BLOCK_DEPTH_MAX + 1 {
                too_deep.extend(*token);
                let token = token.and_then(|index| scan.tokens.get(index));
                let span =
                    token.map_or(Span::new(file, 0, 0), |token| Span::new(file, token.start as u32, token.end as u32));
                problems.push(
                    Diagnostic::new(Code::TooLarge, span, format!("blocks are nested deeper than {BLOCK_DEPTH_MAX}"))
                        .help("move the inner lines to a step or a flow of their own"),
                );
            }
            depth <= BLOCK_DEPTH_MAX + 1
        }
        Event::Close(_) => {
            depth = depth.saturating_sub(1);
            depth <= BLOCK_DEPTH_MAX
        }
        _ => depth <= BLOCK_DEPTH_MAX,
    });
    reading.problems.append(&mut problems);
    reading.too_deep = too_deep;
}

impl Layout<'_> {
    /// The gaps between a line and one that continues it.
    pub fn joins(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        self.lines.iter().filter(|line| line.continues).filter_map(|line| {
            let before = line.first.checked_sub(1).and_then(|index| self.token(index))?;
            Some(before.end..self.token(line.first)?.start)
        })
    }
}
