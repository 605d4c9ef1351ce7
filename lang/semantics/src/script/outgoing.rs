//! Cadences in a test: one is started, attempts are made, it stops.

use lang_diagnostics::{Code, Diagnostic};
use lang_syntax::ast;
use runtime_contract::cadence::Cadence;
use runtime_contract::script::Verb;

use super::Reader;
use crate::declare::whole;
use crate::problems::offer_nearest;

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

    pub(super) fn expect_attempt(
        &mut self,
        line: &ast::TestLine,
        attempt: &ast::Expr,
        at: Option<&ast::Moment>,
    ) -> Option<Verb> {
        self.has_started(line, "expect attempt")?;
        let number = whole(attempt).and_then(|number| u32::try_from(number).ok()).filter(|number| *number > 0);
        let Some(number) = number else {
            let diagnostic = Diagnostic::new(Code::BadLiteral, attempt.span, "attempts are numbered from 1");
            self.problems.give(diagnostic.help("`expect attempt 2`"));
            return None;
        };
        let most = self.tables().map(|table| table.attempts_max).max().unwrap_or(u32::MAX);
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
        Some(Verb::ExpectAttempt { attempt: number, at })
    }

    pub(super) fn expect_stopped(&mut self, line: &ast::TestLine, disposition: &ast::Name) -> Option<Verb> {
        self.has_started(line, "expect stopped")?;
        let known: Vec<&str> = self.tables().flat_map(|table| &table.dispositions).map(String::as_str).collect();
        if !known.contains(&disposition.text.as_str()) {
            let message = format!("this cadence never stops as `{}`", disposition.text);
            let diagnostic = Diagnostic::new(Code::ExpectationImpossible, disposition.span, message);
            self.problems.give(offer_nearest(diagnostic, &disposition.text, known, "expect stopped {}"));
            return None;
        }
        Some(Verb::ExpectStopped(disposition.text.clone()))
    }

    /// Those that it may be: the one that a line has started, else any that a flow may.
    fn tables(&self) -> impl Iterator<Item = &Cadence> {
        let started = self.started.map(|started| started as usize);
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
