//! Cadences in a test: one is started, attempts are made, it stops.

use std::collections::BTreeSet;

use lang_diagnostics::{Code, Diagnostic};
use lang_syntax::ast;
use runtime_contract::cadence::{Cadence, EXHAUSTED, STOPS};
use runtime_contract::script::{Delivery, Verb};

use super::Reader;
use crate::declare::{whole, wrong_kind};
use crate::problems::offer_nearest;
use crate::project::Def;

impl Reader<'_, '_> {
    pub(super) fn start(&mut self, cadence: &ast::Path, arguments: Option<&ast::Arguments>) -> Option<Verb> {
        // Who is called may press keys.
        self.calling = true;
        let (cadence, mut given) = self.checker().started(cadence, arguments)?;
        self.started = Some(cadence);
        given.sort_by_key(|argument| argument.index);
        let arguments = given.iter().map(|argument| self.written_out(&argument.value)).collect::<Option<_>>()?;
        Some(Verb::Start { cadence, arguments })
    }

    /// What becomes of messages, or of what is sent.
    pub(super) fn deliveries(&mut self, verb: &str, given: &[ast::Name]) -> Option<Vec<Delivery>> {
        let names = Delivery::ALL.map(Delivery::name);
        let mut found = Vec::new();
        for name in given {
            match Delivery::ALL.into_iter().find(|delivery| delivery.name() == name.text) {
                Some(delivery) => found.push(delivery),
                None => {
                    let message = format!("a message is delivered or undelivered, not `{}`", name.text);
                    let diagnostic = Diagnostic::new(Code::ExpectationImpossible, name.span, message);
                    self.problems.give(offer_nearest(diagnostic, &name.text, names, &format!("{verb} gives {{}}")));
                }
            }
        }
        (!found.is_empty()).then_some(found)
    }

    /// The cadence of which a line expects something, if it names one. `None` where none can have begun.
    pub(super) fn expected(
        &mut self,
        line: &ast::TestLine,
        named: Option<&ast::Path>,
        verb: &str,
    ) -> Option<Option<u32>> {
        self.has_started(line, verb)?;
        let Some(path) = named else { return Some(None) };
        match self.project.find(self.module, path, "a cadence", self.problems) {
            Def::Cadence(cadence) => Some(Some(cadence)),
            def => {
                if def != Def::Broken {
                    self.problems.give(wrong_kind(path, def, "a cadence"));
                }
                None
            }
        }
    }

    pub(super) fn expect_attempt(
        &mut self,
        attempt: &ast::Expr,
        cadence: Option<u32>,
        at: Option<&ast::Moment>,
    ) -> Option<Verb> {
        let number = whole(attempt).and_then(|number| u32::try_from(number).ok()).filter(|number| *number > 0);
        let Some(number) = number else {
            let diagnostic = Diagnostic::new(Code::BadLiteral, attempt.span, "attempts are numbered from 1");
            self.problems.give(diagnostic.help("`expect attempt 2`"));
            return None;
        };
        let most = self.tables(cadence).map(|table| table.attempts_max).max().unwrap_or(u32::MAX);
        if number > most && most > 0 {
            let message = format!("there is no attempt {number}: {most} is the last");
            let diagnostic = Diagnostic::new(Code::ExpectationImpossible, attempt.span, message);
            self.problems.give(diagnostic.help(format!("`expect attempt {most}`")));
            return None;
        }
        let at = match at {
            Some(at) => Some(self.instant(at)?),
            None => None,
        };
        Some(Verb::ExpectAttempt { cadence, attempt: number, at })
    }

    pub(super) fn expect_stopped(&mut self, disposition: &ast::Name, cadence: Option<u32>) -> Option<Verb> {
        let written = self.tables(cadence).flat_map(|table| &table.dispositions).map(String::as_str);
        let is_last = |table: &&Cadence| table.exhausted.is_none();
        let exhausted = self.tables(cadence).find(is_last).map(|_| EXHAUSTED);
        let known: Vec<&str> = written.chain(STOPS).chain(exhausted).collect();
        if !known.contains(&disposition.text.as_str()) {
            let mut known = known;
            let mut seen = BTreeSet::new();
            known.retain(|name| seen.insert(*name));
            let message = format!("this cadence never stops as `{}`", disposition.text);
            let diagnostic = Diagnostic::new(Code::ExpectationImpossible, disposition.span, message);
            self.problems.give(offer_nearest(diagnostic, &disposition.text, known, "expect stopped {}"));
            return None;
        }
        Some(Verb::ExpectStopped { cadence, disposition: disposition.text.clone() })
    }

    /// Those that it may be: the one that is named, else the one that a line has started, else any that a flow may.
    fn tables(&self, named: Option<u32>) -> impl Iterator<Item = &Cadence> {
        let started = named.or(self.started).map(|started| started as usize);
        let all = self.known.cadences.iter().enumerate();
        all.filter(move |(at, _)| started.is_none_or(|started| started == *at)).map(|(_, cadence)| &cadence.table)
    }

    fn has_started(&mut self, line: &ast::TestLine, verb: &str) -> Option<()> {
        if self.started.is_some() || (self.calling && !self.known.cadences.is_empty()) {
            return Some(());
        }
        let message = format!("`{verb}` stands before any cadence is started");
        self.problems.give(
            Diagnostic::new(Code::ExpectationImpossible, line.keyword, message)
                .help("`start follow_up(lead)` before it"),
        );
        None
    }
}
