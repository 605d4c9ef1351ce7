//! The clauses of a cadence one by one.

use std::collections::BTreeMap;

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast::{self, CadenceClauseKind as Clause, ExprKind};
use runtime_contract::cadence::{Cap, Clock, Pace, Per, WindowTimes};
use runtime_contract::value::Value;

use super::Reader;
use crate::agreement;
use crate::check::Checker;
use crate::declare::{duration, whole};
use crate::hir;
use crate::hours::{NEWER_TABLES, days_of, run_out, unknown_holidays};
use crate::problems::offer_nearest;
use crate::routing::twice;
use crate::ty::Ty;

/// Attempts of one person by one cadence.
const ATTEMPTS_MAX: i64 = 1_000;
const MINUTES_A_DAY: u16 = 24 * 60;

impl Reader<'_, '_> {
    pub(super) fn clauses(&mut self) {
        let mut seen: BTreeMap<&'static str, Span> = BTreeMap::new();
        for clause in &self.info.item.clauses {
            if let Some(word) = once(&clause.kind) {
                if let Some(earlier) = seen.get(word) {
                    twice(self.problems, clause.keyword, *earlier, word);
                    continue;
                }
                seen.insert(word, clause.keyword);
                if let Some(other) = other_way(word, &seen) {
                    self.two_ways(clause.keyword, other);
                    continue;
                }
            }
            self.clause(clause);
        }
        self.missing();
        self.unread();
        self.table.dispositions = std::mem::take(&mut self.said.dispositions);
        let delays = |ladder: &(Span, Vec<(u64, Span)>)| ladder.1.iter().map(|(ms, _)| *ms).collect();
        self.table.retries = self.said.ladders.iter().map(delays).collect();
    }

    /// An attempt is a call or a message, so that its number says what was done.
    fn two_ways(&mut self, keyword: Span, earlier: Span) {
        let message = "a cadence calls or writes, and this one does the other already";
        self.problems.give(
            Diagnostic::new(Code::DuplicateName, keyword, message)
                .label(earlier, "written here")
                .help("leave it out, or begin a cadence of its own where this one stops"),
        );
    }

    fn clause(&mut self, clause: &ast::CadenceClause) {
        match &clause.kind {
            Clause::Consent { permission, purpose } => self.consent(permission, purpose, clause.keyword),
            Clause::Law(laws) => laws.iter().for_each(|law| self.law(law)),
            Clause::Window { days, times, zone, except_holidays } => {
                self.window(days, times);
                if let Some(zone) = zone {
                    self.zone(zone);
                }
                if let Some(table) = except_holidays {
                    self.except(table);
                }
            }
            Clause::Begin(time) => self.table.begin = self.value_flow("begin", time, &Ty::Time.optional()),
            Clause::Attempts { total, limits } => self.attempts(total, limits, clause.span),
            Clause::Pace { mode, lines_max } => self.pace(mode, lines_max.as_ref(), clause.span),
            Clause::Dial { number, from, ring, arms } => {
                self.agreed(clause.keyword);
                self.table.number = self.value_flow("number", number, &Ty::Phone);
                self.dial(clause, number, from.as_ref(), ring.as_ref(), arms);
            }
            Clause::Message { to, channel, from, arms } => {
                self.agreed(clause.keyword);
                self.table.number = self.value_flow("number", to, &Ty::Phone);
                self.message(clause, to, channel, from.as_ref(), arms);
            }
            Clause::AfterAttempt { attempt, body } => self.after_attempt(attempt, body, clause),
            Clause::Exhausted { body } => self.exhausted(body, clause),
        }
    }

    fn consent(&mut self, permission: &ast::Expr, purpose: &ast::Name, keyword: Span) {
        self.places.consent = Some(keyword);
        if let Some(purpose) = agreement::purpose(self.project, purpose, self.problems) {
            self.table.purpose = purpose;
        }
        let Some(record) = self.project.permission() else { return };
        if let Some(flow) = self.value_flow("permission", permission, &Ty::Record(record)) {
            self.table.permission = flow;
        }
    }

    /// F0605: nobody is called who has not agreed to it.
    fn agreed(&mut self, keyword: Span) {
        let consents = |clause: &ast::CadenceClause| matches!(clause.kind, Clause::Consent { .. });
        if !self.info.item.clauses.iter().any(consents) {
            let message = "nothing says that this person has agreed to be called";
            self.problems.give(
                Diagnostic::new(Code::ConsentMissing, keyword, message)
                    .help("`consent lead.permission for sales`")
                    .note("a permission comes from a service, from `ask consent for sales`, or from a contact"),
            );
        }
    }

    fn window(&mut self, days: &ast::Days, times: &[ast::ClockRange]) {
        let bits = days.ranges.iter().fold(0, |bits, range| bits | days_of(range.first, range.last));
        let on = |bits: u8| std::array::from_fn(|day| bits & (1 << day) != 0);
        for time in times {
            let (from_minute, until_minute) = (time.from_minutes, time.to_minutes);
            if from_minute == until_minute {
                let diagnostic = Diagnostic::new(Code::BadLiteral, time.span, "it ends when it begins");
                self.problems.give(diagnostic.help("`00:00..24:00` for the whole day"));
                continue;
            }
            let parts = match until_minute > from_minute {
                true => vec![WindowTimes { days: on(bits), from_minute, until_minute }],
                // Over midnight it goes on with the next day.
                false => vec![
                    WindowTimes { days: on(bits), from_minute, until_minute: MINUTES_A_DAY },
                    WindowTimes { days: on((bits << 1 | bits >> 6) & 0x7f), from_minute: 0, until_minute },
                ],
            };
            let parts = parts.into_iter().filter(|part| part.from_minute < part.until_minute);
            for part in parts {
                self.table.window.push(part);
                self.places.window.push(time.span);
            }
        }
    }

    fn zone(&mut self, zone: &ast::Expr) {
        let earlier = self.table.zone.is_some();
        if earlier {
            let message = "an earlier line of the window says its zone, and that is the zone of all lines";
            self.problems.give(Diagnostic::new(Code::DuplicateName, zone.span, message).help("leave it out here"));
            return;
        }
        self.table.zone = self.value_flow("zone", zone, &Ty::TimeZone);
        self.clock = match self.table.zone.and_then(|flow| self.written_out(flow)) {
            Some(Value::Text(zone)) => Clock::Zone(zone),
            _ => Clock::Unknown,
        };
    }

    fn except(&mut self, table: &ast::TextString) {
        let name = table.plain().unwrap_or_default();
        match self.surroundings.holidays(&name) {
            Some(days) => {
                self.table.except.extend(days.closed);
                self.table.except.sort_unstable();
                self.table.except.dedup();
                let years = (days.first_year, days.last_year);
                let over = self.surroundings.today().and_then(|today| run_out(&name, years, table.span, today));
                self.problems.list.extend(over.map(|over| {
                    let here = format!("behind {} this leaves out no day", days.last_year);
                    over.problem.here(here).help("leave it out").note(NEWER_TABLES)
                }));
            }
            None => {
                let told = unknown_holidays(&name, table.span, "except holidays", self.surroundings);
                self.problems.give(told);
            }
        }
    }

    fn attempts(&mut self, total: &ast::Expr, limits: &[ast::AttemptLimit], span: Span) {
        self.places.attempts = Some(span);
        self.table.attempts_max = self.count(total, "attempts 8, at most 2 a day").unwrap_or_default();
        for limit in limits {
            let per = match &limit.per {
                None => Some(Per::Day),
                Some(time) => duration(time, "at most 3 in 7d", self.problems)
                    .and_then(|ms| u64::try_from(ms).ok())
                    .map(|ms| Per::Rolling { ms }),
            };
            if let (Some(count), Some(per)) = (self.count(&limit.count, "attempts 8, at most 2 a day"), per) {
                self.table.caps.push(Cap { count, per });
            }
        }
    }

    fn count(&mut self, number: &ast::Expr, example: &str) -> Option<u32> {
        match whole(number) {
            Some(count) if (1..=ATTEMPTS_MAX).contains(&count) => return u32::try_from(count).ok(),
            _ if matches!(number.kind, ExprKind::Missing) => {}
            _ => {
                let message = format!("attempts are a number from 1 to {ATTEMPTS_MAX} that is written out");
                self.problems
                    .give(Diagnostic::new(Code::BadLiteral, number.span, message).help(format!("`{example}`")));
            }
        }
        None
    }

    fn pace(&mut self, mode: &ast::Name, lines_max: Option<&ast::Expr>, span: Span) {
        self.places.pace = Some(span);
        let lines = lines_max.map(|lines| {
            let mut checker = Checker::new(self.project, self.info.module, self.problems);
            checker.value(lines, &Ty::Decimal)
        });
        let pace = match (mode.text.as_str(), &lines) {
            ("preview", None) => Pace::Preview,
            ("progressive", None) => Pace::Progressive,
            ("predictive", Some(lines)) => match lines.kind {
                hir::ExprKind::Decimal(lines_max) if lines_max >= 1_000_000 => Pace::Predictive { lines_max },
                hir::ExprKind::Broken => return,
                _ => {
                    let message = "the most lines an agent are a number from 1.0 on that is written out";
                    self.problems.give(
                        Diagnostic::new(Code::BadLiteral, lines.span, message)
                            .help("`pace predictive up to 3.0 lines an agent`"),
                    );
                    return;
                }
            },
            ("predictive", None) => {
                let message = "a predictive pace says how many lines an agent it takes at most";
                self.problems.give(
                    Diagnostic::new(Code::BadLiteral, span, message).help("`pace predictive up to 3.0 lines an agent`"),
                );
                return;
            }
            ("preview" | "progressive", Some(lines)) => {
                let message = format!("`{}` calls one person for each agent who is free", mode.text);
                self.problems
                    .give(Diagnostic::new(Code::BadLiteral, lines.span, message).help(format!("`pace {}`", mode.text)));
                return;
            }
            (word, _) => {
                let diagnostic = Diagnostic::new(Code::UnknownName, mode.span, format!("no pace is called `{word}`"));
                self.problems.give(offer_nearest(diagnostic, word, PACES, "pace {}"));
                return;
            }
        };
        self.table.pace = Some(pace);
    }

    /// What every cadence must say.
    fn missing(&mut self) {
        let has = |wanted: fn(&Clause) -> bool| self.info.item.clauses.iter().any(|clause| wanted(&clause.kind));
        let name = self.info.name;
        let mut told = Vec::new();
        if !has(|clause| matches!(clause, Clause::Window { .. })) {
            let message = format!("`{}` does not say when people may be called", name.text);
            let diagnostic = Diagnostic::new(Code::NoWindow, name.span, message);
            told.push(diagnostic.help("`window mon..sat 09:00..20:00 in lead.zone`"));
        }
        if !has(|clause| matches!(clause, Clause::Attempts { .. })) {
            let message = format!("`{}` does not say how often it tries at most", name.text);
            let diagnostic = Diagnostic::new(Code::NoAttemptLimit, name.span, message);
            told.push(diagnostic.help("`attempts 8, at most 2 a day`"));
        }
        if !has(|clause| matches!(clause, Clause::Dial { .. } | Clause::Message { .. })) {
            let message = format!("`{}` does not say whom it calls", name.text);
            let diagnostic = Diagnostic::new(Code::MissingField, name.span, message);
            told.push(diagnostic.help("`dial lead.phone from \"+1 212 555 0100\" ring 25s {`"));
        }
        let tries_again = !self.said.ladders.is_empty() || !self.said.again.is_empty();
        if tries_again && !has(|clause| matches!(clause, Clause::Exhausted { .. })) {
            let message = "no line says what happens when all attempts are used";
            let diagnostic = Diagnostic::new(Code::OutcomeNotHandled, name.span, message);
            told.push(diagnostic.help("`exhausted => stop exhausted`"));
        }
        told.into_iter().for_each(|diagnostic| self.problems.give(diagnostic));
    }
}

const PACES: [&str; 3] = ["preview", "progressive", "predictive"];

/// Where the other of the two ways to reach a person stands.
fn other_way(word: &str, seen: &BTreeMap<&'static str, Span>) -> Option<Span> {
    let other = match word {
        "dial" => "message",
        "message" => "dial",
        _ => return None,
    };
    seen.get(other).copied()
}

/// The word of a clause that stands at most once.
fn once(clause: &Clause) -> Option<&'static str> {
    Some(match clause {
        Clause::Consent { .. } => "consent",
        Clause::Begin(_) => "begin",
        Clause::Attempts { .. } => "attempts",
        Clause::Pace { .. } => "pace",
        Clause::Dial { .. } => "dial",
        Clause::Message { .. } => "message",
        Clause::Exhausted { .. } => "exhausted",
        Clause::Law(_) | Clause::Window { .. } | Clause::AfterAttempt { .. } => return None,
    })
}
