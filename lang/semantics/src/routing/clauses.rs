//! The clauses of a queue one by one.

use std::collections::BTreeMap;

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast::{self, ExprKind, QueueClauseKind as Clause};
use runtime_contract::limits::{CALL_HOURS_MAX, TICKETS_MAX};
use runtime_contract::queue::{
    AgentChoice, Comfort, Formula, OrderKey, Overflow, Preference, Preferred, Stage, Target,
};

use super::Reader;
use super::callers::{Reads, when};
use super::facts::Facts;
use super::levels::{Levels, Stated, Truth, rows};
use super::needs::twice;
use crate::check::{Checker, Receiver, Tail, typed};
use crate::declare::{duration, whole, wrong_kind};
use crate::hir::{self, Block, Operator, Statement, StatementKind};
use crate::problems::offer_nearest;
use crate::project::{Def, QueueInfo};
use crate::ty::Ty;

impl Reader<'_, '_> {
    pub(super) fn clauses(&mut self) {
        let mut seen: BTreeMap<&'static str, Span> = BTreeMap::new();
        self.table.stages.push(Stage { after_ms: 0, conjunction: Vec::new(), needs: None });
        self.stated.push(Some(Stated { value: None, skills: BTreeMap::new() }));
        // What a `relax` replaces is known before it, wherever `needs` stands.
        let (needs, others): (Vec<_>, Vec<_>) =
            self.info.item.clauses.iter().partition(|clause| matches!(clause.kind, Clause::Needs(_)));
        for clause in needs.into_iter().chain(others) {
            if let Some(word) = once(&clause.kind) {
                if let Some(earlier) = seen.get(word) {
                    twice(self.problems, clause.keyword, *earlier, word);
                    continue;
                }
                seen.insert(word, clause.keyword);
            }
            self.clause(clause);
        }
        self.unread();
    }

    fn clause(&mut self, clause: &ast::QueueClause) {
        match &clause.kind {
            Clause::Needs(written) => {
                let stage = self.stage("needs", 0, Some(written));
                if let (Some((stage, stated)), Some(first)) = (stage, self.table.stages.first_mut()) {
                    *first = stage;
                    self.nobody_fits(&stated, written.span);
                    self.stated = vec![Some(stated)];
                }
            }
            Clause::Relax { after, needs } => self.relax(clause.keyword, after, needs.as_ref()),
            Clause::Prefers { what, condition } => self.prefers(what, condition.as_ref()),
            Clause::PrefersSameAgent { within, condition } => {
                let within_ms = self.duration(within, "prefers same agent within 7d");
                self.preference(within_ms.map(|within_ms| Preferred::SameAgent { within_ms }), condition.as_ref());
            }
            Clause::Priority(written) => self.priority(written),
            Clause::Order(keys) => self.order(keys),
            Clause::Agent(words) => self.choice(words, clause.span),
            Clause::Ring(time) => {
                self.table.ring_ms = self.duration(time, "ring 15s each").unwrap_or(self.table.ring_ms);
            }
            Clause::WrapUp { time, .. } => {
                self.table.wrap_up_ms = self.duration(time, "wrap up 20s").unwrap_or_default();
            }
            Clause::Target { share, within, formula } => self.target(share, within, formula, clause.span),
            Clause::Limit(number) => self.limit(number),
            Clause::Timeout(time) => self.timeout(time),
            Clause::Music(file) => {
                let mut checker = Checker::new(self.project, self.info.module, self.problems);
                self.table.music = checker.audio_file(file, Some(self.surroundings));
            }
            Clause::Whisper(text) => {
                let flow = self.flow("whisper", text.span, None, |_| {}, |checker| whisper(checker, text));
                self.table.whisper = Some(flow);
            }
            Clause::Open(path) => self.open(path),
            Clause::Overflow { after, queue, arguments } => self.overflow(after, queue, arguments.as_ref()),
            Clause::Every { every, body } => self.every(every, body, clause.keyword),
        }
    }

    fn duration(&mut self, written: &ast::Expr, example: &str) -> Option<u64> {
        duration(written, example, self.problems).and_then(|ms| u64::try_from(ms).ok())
    }

    fn timeout(&mut self, time: &ast::Expr) {
        self.table.timeout_ms = self.duration(time, "timeout 3m");
        if self.table.timeout_ms.is_some_and(|ms| ms > CALL_HOURS_MAX * 3_600_000) {
            let message = format!("a call may take {CALL_HOURS_MAX} hours, so nobody waits longer");
            self.problems.give(Diagnostic::new(Code::BadLiteral, time.span, message).help("`timeout 3m`"));
        }
    }

    fn stage(&mut self, label: &str, after_ms: u64, needs: Option<&ast::Expr>) -> Option<(Stage, Stated)> {
        let Some(written) = needs else {
            let nothing = Stated { value: None, skills: BTreeMap::new() };
            return Some((Stage { after_ms, conjunction: Vec::new(), needs: None }, nothing));
        };
        let found = self.condition(label, written);
        self.broken |= found.is_none();
        let found = found?;
        if found.is_exact {
            // Nobody runs it: its flow is the last that was made.
            self.flows.pop();
        }
        let needs = (!found.is_exact).then_some(found.predicate);
        Some((Stage { after_ms, conjunction: found.conjunction, needs }, found.stated))
    }

    fn relax(&mut self, keyword: Span, after: &ast::Expr, needs: Option<&ast::Expr>) {
        let Some(after_ms) = self.duration(after, "relax after 30s to nothing") else { return };
        if let Some(before) = self.table.stages.last().filter(|before| before.after_ms >= after_ms) {
            let message = match before.after_ms {
                0 => "a queue relaxes after some time".to_owned(),
                _ => "another `relax` comes later or at the same time, and stands before this one".to_owned(),
            };
            self.problems.give(
                Diagnostic::new(Code::RelaxDoesNotRelax, after.span, message)
                    .help("put them in the order of their times"),
            );
            return;
        }
        let label = format!("relax#{}", self.table.stages.len());
        if let Some((stage, stated)) = self.stage(&label, after_ms, needs) {
            self.nobody_fits(&stated, needs.map_or(keyword, |needs| needs.span));
            self.table.stages.push(stage);
            self.stated.push(Some(stated));
            self.relaxes.push(keyword);
            let (from, to) = (self.table.stages.len() - 2, self.table.stages.len() - 1);
            self.weaker(from, to, keyword);
        }
    }

    /// F0901 where no levels that an agent may have will do.
    fn nobody_fits(&mut self, stated: &Stated, span: Span) {
        let rows = rows(&[stated], |skill| self.last_level(skill));
        if rows.is_some_and(|rows| rows.iter().all(|row| stated.of(row, &Facts::default()) == Truth::No)) {
            let message = "no agent can ever have what is needed here";
            let diagnostic = Diagnostic::new(Code::NoAgentCanMatch, span, message);
            self.problems.give(diagnostic.help("levels that there are: `skill technical 1..5` has 1 to 5"));
        }
    }

    fn last_level(&self, skill: u32) -> i64 {
        self.project.skills.get(skill as usize).and_then(|info| info.levels).map_or(1, |(_, last)| last)
    }

    /// F0902 where the later stage does not ask less: somebody with certain levels fits before it and not after, or nobody
    /// new ever does. Judged for every kind of caller that the conditions tell apart; what is not known stays open.
    fn weaker(&mut self, from: usize, to: usize, keyword: Span) {
        let (Some(before), Some(after)) = (self.table.stages.get(from), self.table.stages.get(to)) else { return };
        let level = |stage: &Stage, skill: u32| {
            stage.conjunction.iter().find(|(own, _)| *own == skill).map_or(0, |(_, level)| *level)
        };
        if self.broken {
            return;
        }
        if before.needs.is_some() || after.needs.is_some() {
            return self.weaker_by_rows(from, to, keyword);
        }
        let stricter = after.conjunction.iter().find(|(skill, least)| level(before, *skill) < *least);
        let name = |skill: u32| {
            self.project.skills.get(skill as usize).map_or_else(String::new, |info| info.name.text.clone())
        };
        let message = match stricter {
            Some((skill, least)) => {
                let skill_name = name(*skill);
                match level(before, *skill) {
                    0 => format!("it asks for `{skill_name}`, which was not needed before"),
                    known => format!("it asks for `{skill_name} >= {least}`, where {known} was enough before"),
                }
            }
            None if before.conjunction == after.conjunction => "it asks for what was needed before already".to_owned(),
            None => return,
        };
        self.problems.give(
            Diagnostic::new(Code::RelaxDoesNotRelax, keyword, message)
                .label(self.stage_span(from), "what it replaces")
                .help("`relax after 90s to nothing`"),
        );
    }

    /// The same, tried for all levels that an agent may have.
    fn weaker_by_rows(&mut self, from: usize, to: usize, keyword: Span) {
        let stated = |stage: usize| self.stated.get(stage).cloned().flatten();
        let (Some(before), Some(after)) = (stated(from), stated(to)) else { return };
        let Some(rows) = rows(&[&before, &after], |skill| self.last_level(skill)) else { return };
        let reads = Reads::of(self.project, self.info, [&before, &after].into_iter().filter_map(|s| s.value.as_ref()));
        let kinds = reads.kinds(&Facts::default(), rows.len());
        let all = || kinds.iter().flat_map(|kind| rows.iter().map(move |row| (row, kind)));
        let loses = all().find(|(row, kind)| before.of(row, kind) == Truth::Yes && after.of(row, kind) == Truth::No);
        let same = |(row, kind): (&Levels, &Facts)| {
            let truth = before.of(row, kind);
            truth != Truth::Depends && truth == after.of(row, kind)
        };
        let message = match loses {
            Some((row, kind)) => {
                let when = when(&reads.told(kind));
                format!("an agent {} could take the call before it, and cannot any more{when}", self.who(row))
            }
            None if all().all(same) => "nobody can take the call after it who could not before".to_owned(),
            None => return,
        };
        self.problems.give(
            Diagnostic::new(Code::RelaxDoesNotRelax, keyword, message)
                .label(self.stage_span(from), "what it replaces")
                .help("`relax after 90s to nothing`"),
        );
    }

    /// `with technical 2, without french`
    fn who(&self, levels: &Levels) -> String {
        let said = levels.iter().filter_map(|(skill, level)| {
            let info = self.project.skills.get(*skill as usize)?;
            let name = &info.name.text;
            Some(match (*level, info.levels) {
                (0, _) => format!("without `{name}`"),
                (level, Some(_)) => format!("with `{name} {level}`"),
                (_, None) => format!("with `{name}`"),
            })
        });
        said.collect::<Vec<_>>().join(" and ")
    }

    /// Where a stage is written.
    fn stage_span(&self, stage: usize) -> Span {
        let needs = || {
            let mut clauses = self.info.item.clauses.iter();
            clauses.find(|clause| matches!(clause.kind, Clause::Needs(_))).map_or(self.info.name.span, |c| c.span)
        };
        match stage.checked_sub(1).and_then(|at| self.relaxes.get(at)) {
            Some(relax) => *relax,
            None => needs(),
        }
    }

    fn prefers(&mut self, what: &ast::Expr, condition: Option<&ast::Expr>) {
        let label = format!("prefers#{}", self.table.prefers.len() + 1);
        let found = self.condition(&label, what);
        self.preference(found.map(|found| Preferred::Agent(found.predicate)), condition);
    }

    fn preference(&mut self, what: Option<Preferred>, condition: Option<&ast::Expr>) {
        let label = format!("prefers#{}/if", self.table.prefers.len() + 1);
        let found = condition.map(|written| self.condition(&label, written));
        let condition = match found {
            None => None,
            Some(Some(found)) => Some(found.predicate),
            Some(None) => return,
        };
        if let Some(what) = what {
            self.table.prefers.push(Preference { what, condition });
        }
    }

    fn order(&mut self, keys: &[ast::OrderKey]) {
        let mut order = Vec::new();
        for key in keys {
            let worth_ms = key.worth.as_ref().and_then(|worth| self.duration(worth, "priority worth 30s"));
            let found = match key.name.text.as_str() {
                "priority" => OrderKey::Priority { worth_ms },
                "waiting" if key.worth.is_none() => OrderKey::Waiting,
                "waiting" => {
                    let message = "a wait is worth its own time";
                    let diagnostic = Diagnostic::new(Code::BadLiteral, key.span, message);
                    self.problems.give(diagnostic.help("`order priority worth 30s, waiting`"));
                    continue;
                }
                word => {
                    let message = format!("callers are not put in order by `{word}`");
                    let diagnostic = Diagnostic::new(Code::UnknownName, key.name.span, message);
                    self.problems.give(offer_nearest(diagnostic, word, ["priority", "waiting"], "order {}"));
                    continue;
                }
            };
            if order.iter().any(|known| std::mem::discriminant(known) == std::mem::discriminant(&found)) {
                let message = format!("`{}` stands here twice", key.name.text);
                let diagnostic = Diagnostic::new(Code::DuplicateName, key.span, message);
                self.problems.give(diagnostic.help("keep one of the two"));
                continue;
            }
            order.push(found);
        }
        self.table.order = order;
    }

    fn choice(&mut self, words: &[ast::Name], span: Span) {
        let written = words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
        match AgentChoice::ALL.into_iter().find(|choice| choice.name() == written) {
            Some(choice) => self.table.choice = choice,
            None => {
                let message = format!("agents are not chosen by `{written}`");
                let diagnostic = Diagnostic::new(Code::UnknownName, span_of(words).unwrap_or(span), message);
                let names = AgentChoice::ALL.map(AgentChoice::name);
                self.problems.give(offer_nearest(diagnostic, &written, names, "{}"));
            }
        }
    }

    fn target(&mut self, share: &ast::Expr, within: &ast::Expr, formula: &[ast::Name], span: Span) {
        let mut checker = Checker::new(self.project, self.info.module, self.problems);
        let value = checker.value(share, &Ty::Percent);
        let within_ms = self.duration(within, "target 80% within 20s");
        let written = formula.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
        let found = match written.as_str() {
            "" => Some(Formula::AbandonsMissed),
            _ => Formula::ALL.into_iter().find(|formula| formula.name() == written),
        };
        let Some(formula) = found else {
            let message = format!("no service level is reckoned by `{written}`");
            let diagnostic = Diagnostic::new(Code::UnknownName, span_of(formula).unwrap_or(span), message);
            self.problems.give(offer_nearest(diagnostic, &written, Formula::ALL.map(Formula::name), "{}"));
            return;
        };
        let share = match value.kind {
            hir::ExprKind::Decimal(share) if (1..=1_000_000).contains(&share) => share,
            hir::ExprKind::Broken => return,
            _ => {
                let message = "a target is a share that is written out, above 0% and at most 100%";
                let diagnostic = Diagnostic::new(Code::BadLiteral, value.span, message);
                self.problems.give(diagnostic.help("`target 80% within 20s`"));
                return;
            }
        };
        self.table.target = within_ms.map(|within_ms| Target { share, within_ms, formula });
    }

    fn limit(&mut self, number: &ast::Expr) {
        match whole(number).and_then(|number| usize::try_from(number).ok()) {
            Some(limit) if (1..=TICKETS_MAX).contains(&limit) => self.table.limit = Some(limit as u32),
            _ if matches!(number.kind, ExprKind::Missing) => {}
            _ => self.problems.give(
                Diagnostic::new(
                    Code::BadLiteral,
                    number.span,
                    format!("a queue holds from 1 to {TICKETS_MAX} callers, as a number that is written out"),
                )
                .help("`limit 100 waiting`"),
            ),
        }
    }

    fn open(&mut self, path: &ast::Path) {
        match self.project.find(self.info.module, path, "hours", self.problems) {
            Def::Hours(hours) => self.table.open = Some(hours),
            Def::Broken => {}
            other => self.problems.give(wrong_kind(path, other, "hours")),
        }
    }

    fn overflow(&mut self, after: &ast::Expr, path: &ast::Path, arguments: Option<&ast::Arguments>) {
        let after_ms = self.duration(after, "overflow after 60s to other");
        let queue = match self.project.find(self.info.module, path, "a queue", self.problems) {
            Def::Queue(queue) => queue,
            Def::Broken => return,
            other => return self.problems.give(wrong_kind(path, other, "a queue")),
        };
        let project = self.project;
        let Some(other) = project.queues.get(queue as usize) else { return };
        let mut flows = Vec::new();
        // One flow for each argument, all read alike: what is wrong is told of once.
        for (at, parameter) in other.parameters.iter().enumerate() {
            let told = self.problems.list.len();
            let label = format!("overflow {}", parameter.name.text);
            let flow = self.flow(
                &label,
                path.span,
                Some(&parameter.ty),
                |_| {},
                |checker| argument_at(checker, other, arguments, path.span, at as u32),
            );
            flows.push(flow);
            if at > 0 {
                self.problems.list.truncate(told);
            }
        }
        if other.parameters.is_empty() {
            let mut checker = Checker::new(project, self.info.module, self.problems);
            checker.arguments(&other.name.text, &[], arguments, path.span, Receiver::Beyond);
        }
        let Some(after_ms) = after_ms else { return };
        self.table.overflow = Some(Overflow { after_ms, queue, arguments: flows });
    }

    fn every(&mut self, every: &ast::Expr, body: &ast::Block, keyword: Span) {
        let every_ms = self.duration(every, "every 45s {");
        let mut offer = None;
        let names =
            ["ahead", "expected_wait", "position"].map(|word| ast::Name { text: word.to_owned(), span: keyword });
        let mut is_place_read = false;
        let flow = self.flow(
            "every",
            keyword,
            None,
            |checker| {
                checker.declare(&names[0], Ty::Int(None));
                checker.declare(&names[1], Ty::Duration);
            },
            |checker| {
                let ahead = checker.parameters.saturating_sub(2);
                let position = checker.declare(&names[2], Ty::Int(None));
                checker.comfort = Some(None);
                comfort_lines(checker, body);
                let mut block = checker.statements(&body.statements, &Tail::default()).block;
                offer = checker.comfort.take().flatten();
                is_place_read = checker.local(position).is_some_and(|local| local.used);
                if is_place_read {
                    let int = |kind| typed(kind, Ty::Int(None), keyword).expr;
                    let ahead = Box::new(int(hir::ExprKind::Local(hir::LocalId(ahead))));
                    let one = Box::new(int(hir::ExprKind::Int(1)));
                    let value = int(hir::ExprKind::Binary(Operator::Add, ahead, one));
                    let kind = StatementKind::Let { local: position, value };
                    block.statements.insert(0, Statement { kind, keyword, span: keyword });
                }
                block.statements.push(Statement { kind: StatementKind::Return(None), keyword, span: keyword });
                block
            },
        );
        self.table.offers_callback = offer.is_some();
        self.table.comfort = every_ms.map(|every_ms| Comfort { every_ms, flow });
    }
}

fn span_of(words: &[ast::Name]) -> Option<Span> {
    words.iter().map(|word| word.span).reduce(Span::to)
}

/// The word of a clause that stands at most once.
fn once(clause: &Clause) -> Option<&'static str> {
    Some(match clause {
        Clause::Needs(_) => "needs",
        Clause::Priority(_) => "priority",
        Clause::Order(_) => "order",
        Clause::Agent(_) => "agent",
        Clause::Ring(_) => "ring",
        Clause::WrapUp { .. } => "wrap up",
        Clause::Target { .. } => "target",
        Clause::Limit(_) => "limit",
        Clause::Timeout(_) => "timeout",
        Clause::Music(_) => "music",
        Clause::Whisper(_) => "whisper",
        Clause::Open(_) => "open",
        Clause::Overflow { .. } => "overflow",
        Clause::Every { .. } => "every",
        Clause::PrefersSameAgent { .. } => "prefers same agent",
        Clause::Prefers { .. } | Clause::Relax { .. } => return None,
    })
}

fn whisper(checker: &mut Checker<'_, '_>, text: &ast::Text) -> Block {
    let item = checker.text(text);
    let play = StatementKind::Play(hir::Prompts { items: vec![item], barge_in: false });
    let kinds = [play, StatementKind::Return(None)];
    let statement = |kind| Statement { kind, keyword: text.span, span: text.span };
    Block { statements: kinds.into_iter().map(statement).collect() }
}

/// F0601: while somebody waits he is told things, and nothing else happens.
fn comfort_lines(checker: &mut Checker<'_, '_>, body: &ast::Block) {
    for line in &body.statements {
        let tells = matches!(
            line.kind,
            ast::StatementKind::Say(_)
                | ast::StatementKind::Play(_)
                | ast::StatementKind::OfferCallback { .. }
                | ast::StatementKind::Missing
        );
        if !tells {
            let message = "while somebody waits he hears texts and may be offered a callback, and no more";
            checker.problems.give(
                Diagnostic::new(Code::NoLineHere, line.keyword, message)
                    .help("leave it out here, and do it before the queue or in the arm of an outcome"),
            );
        }
    }
}

/// Gives the argument of one parameter of the queue to which callers overflow.
fn argument_at<'a>(
    checker: &mut Checker<'_, 'a>,
    other: &QueueInfo<'a>,
    arguments: Option<&ast::Arguments>,
    span: Span,
    index: u32,
) -> Block {
    let found = checker.arguments(&other.name.text, &other.parameters, arguments, span, Receiver::Beyond);
    let argument = found.into_iter().flatten().find(|argument| argument.index == index);
    let value = argument.map_or_else(|| crate::check::broken_expr(span), |argument| argument.value);
    let span = value.span;
    Block { statements: vec![Statement { kind: StatementKind::Return(Some(value)), keyword: span, span }] }
}
