//! What the grammar made of a text, without the text: one reading serves all lines that are written alike, those of
//! another file and of an earlier version among them.

use std::collections::HashMap;
use std::sync::Arc;

use pest::Token;
use pest::iterators::Pair;
use rustc_hash::FxBuildHasher;

use crate::grammar::{Rule, parse_all};

/// A tree of rules in order, each before those below it.
#[derive(Clone, Debug)]
pub(crate) struct Parts(Arc<[Entry]>);

#[derive(Clone, Copy, Debug)]
struct Entry {
    rule: Rule,
    /// Bytes of the text.
    start: u32,
    end: u32,
    /// The entry behind those below this one.
    next: u32,
}

impl Parts {
    pub fn of(pair: Pair<'_, Rule>) -> Parts {
        let mut entries: Vec<Entry> = Vec::new();
        let mut open = Vec::new();
        for token in pair.tokens() {
            match token {
                Token::Start { rule, pos } => {
                    open.push(entries.len());
                    entries.push(Entry { rule, start: pos.pos() as u32, end: 0, next: 0 });
                }
                Token::End { pos, .. } => {
                    let next = entries.len() as u32;
                    if let Some(entry) = open.pop().and_then(|at| entries.get_mut(at)) {
                        (entry.end, entry.next) = (pos.pos() as u32, next);
                    }
                }
            }
        }
        Parts(entries.into())
    }

    /// The whole. `text` is one that reads so.
    pub fn whole<'t>(&self, text: &'t str) -> Option<Part<'t, '_>> {
        Part::at(&self.0, 0, text)
    }
}

/// One rule of a text, and those below it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part<'t, 'p> {
    entries: &'p [Entry],
    at: usize,
    entry: Entry,
    text: &'t str,
}

impl<'t, 'p> Part<'t, 'p> {
    fn at(entries: &'p [Entry], at: usize, text: &'t str) -> Option<Self> {
        Some(Part { entries, at, entry: *entries.get(at)?, text })
    }

    pub fn rule(&self) -> Rule {
        self.entry.rule
    }

    /// Byte of the whole text at which it begins.
    pub fn start(&self) -> usize {
        self.entry.start as usize
    }

    pub fn end(&self) -> usize {
        self.entry.end as usize
    }

    pub fn text(&self) -> &'t str {
        self.text.get(self.start()..self.end()).unwrap_or("")
    }

    /// Those right below it.
    pub fn inner(self) -> impl Iterator<Item = Part<'t, 'p>> + use<'t, 'p> {
        let end = self.entry.next as usize;
        let mut at = self.at + 1;
        std::iter::from_fn(move || {
            let part = Part::at(self.entries, at, self.text).filter(|_| at < end)?;
            at = part.entry.next as usize;
            Some(part)
        })
    }

    /// It and all below it, in order.
    pub fn all(self) -> impl Iterator<Item = Part<'t, 'p>> + use<'t, 'p> {
        (self.at..self.entry.next as usize).filter_map(move |at| Part::at(self.entries, at, self.text))
    }
}

/// Lines and texts that were read, so that those written alike are not read again.
#[derive(Default)]
pub struct KnownLines {
    lines: HashMap<Rule, HashMap<Box<str>, Known, FxBuildHasher>, FxBuildHasher>,
}

struct Known {
    parts: Parts,
    used: bool,
}

impl KnownLines {
    /// Reads the whole of `text` by `rule`. The error is the byte at which the furthest try failed.
    pub(crate) fn read(&mut self, rule: Rule, text: &str) -> Result<Parts, usize> {
        let lines = self.lines.entry(rule).or_default();
        if let Some(known) = lines.get_mut(text) {
            known.used = true;
            return Ok(known.parts.clone());
        }
        let parts = Parts::of(parse_all(rule, text)?);
        lines.insert(text.into(), Known { parts: parts.clone(), used: true });
        Ok(parts)
    }

    /// Forgets the lines that nothing had since this was called last.
    pub fn forget_unused(&mut self) {
        for lines in self.lines.values_mut() {
            lines.retain(|_, known| std::mem::take(&mut known.used));
        }
    }
}
