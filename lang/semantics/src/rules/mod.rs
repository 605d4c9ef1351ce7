//! `when` rules: what happens beside calls. The action is a hidden flow without a line, and so is the condition of an
//! alarm, which is in `alarm`. Who fires them is not known here.

mod alarm;
mod idle;
mod never;

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast;
use runtime_contract::rule::{Rule, When};

use crate::check::{CheckedFlow, Checker, Region, clause_flow};
use crate::declare::wrong_kind;
use crate::hir::{self, Statement, StatementKind};
use crate::outgoing::writes_anything;
use crate::paths::{After, after_block};
use crate::problems::{Problems, nearest, offer_nearest};
use crate::project::{Def, Project};
use crate::returning::comes_back;
use crate::ty::Ty;

pub(crate) use idle::check_idle;

/// What may be done where a rule needs the line.
pub(crate) fn without_line(when: &When) -> &'static str {
    match when {
        When::Alarm(_) => "`notify`, or `start` a cadence that calls: a rule has nobody on the line",
        _ => "`send sms`, or `start` a cadence that calls: a rule has nobody on the line",
    }
}

/// What a rule waits for, as it is written.
const EVENTS: [&str; 3] = [MISSED, SERVED, UNDELIVERED];
const MISSED: &str = "missed";
const SERVED: &str = "served";
const UNDELIVERED: &str = "undelivered";

/// All rules in the order of the files. Their flows are put behind the `flows` of the project.
pub(crate) fn rules(
    project: &Project<'_>,
    cadences: &[hir::Cadence],
    flows: &mut Vec<Option<CheckedFlow>>,
    problems: &mut Problems,
) -> Vec<hir::Rule> {
    let mut found = Vec::new();
    let mut returns = None;
    for (module, file) in project.modules.iter().enumerate() {
        let whens = file.ast.items.iter().filter_map(|item| match &item.kind {
            ast::ItemKind::When(when) => Some((item.keyword, when)),
            _ => None,
        });
        for ((keyword, when), number) in whens.zip(1..) {
            let returns = &*returns
                .get_or_insert_with(|| flows.iter().map(|flow| flow.as_ref().and_then(comes_back)).collect::<Vec<_>>());
            let name = format!("{}.when/{number}", file.path);
            let body = &when.body;
            let mut reader = Reader { project, module, cadences, returns, flows, problems, name, keyword, body };
            let (read, end) = match &when.event {
                ast::WhenEvent::Event { event, source, name } => (reader.event(event, source, name), source.span),
                ast::WhenEvent::Condition { condition, over } => (reader.alarm(condition, over), over.span),
            };
            if let Some((when, flow)) = read {
                let rule = Rule { head: String::new(), place: Default::default(), when, flow };
                found.push(hir::Rule { rule, span: keyword.to(end) });
            }
        }
    }
    found
}

/// Reads one rule.
struct Reader<'r, 'a> {
    project: &'r Project<'a>,
    module: usize,
    cadences: &'r [hir::Cadence],
    /// Of each written flow, whether it may come back.
    returns: &'r [Option<bool>],
    flows: &'r mut Vec<Option<CheckedFlow>>,
    problems: &'r mut Problems,
    /// Of its action.
    name: String,
    keyword: Span,
    body: &'r ast::Body,
}

impl Reader<'_, '_> {
    /// `missed in Q as contact`, `undelivered in C as m`; `None` after a diagnostic.
    fn event(&mut self, event: &ast::Name, source: &ast::Path, name: &ast::Name) -> Option<(When, u32)> {
        let word = event.text.as_str();
        if !EVENTS.contains(&word) {
            let message = format!("nothing that happens is called `{word}`");
            let diagnostic = Diagnostic::new(Code::UnknownName, event.span, message);
            self.problems.give(offer_nearest(diagnostic, word, EVENTS, "when {} in"));
        }
        let meant = nearest(word, EVENTS).unwrap_or_default();
        let when = match meant.as_str() {
            UNDELIVERED => self.cadence(source).map(|cadence| When::Undelivered { cadence }),
            SERVED => self.queue(word, source).map(|queue| When::Served { queue }),
            _ => self.queue(word, source).map(|queue| When::Missed { queue }),
        };
        let record = match meant.as_str() {
            UNDELIVERED => self.project.undelivered(),
            _ => self.project.contact(),
        };
        if record.is_none() {
            let message = "the library's `std.agreement` is not read, which declares what a rule is told";
            self.problems.give(Diagnostic::new(Code::UnknownModule, self.keyword, message).help("`use std.agreement`"));
        }
        let flow = self.action(|checker| {
            checker.declare(name, record.map_or(Ty::Broken, Ty::Record));
        });
        when.filter(|_| record.is_some() && EVENTS.contains(&word)).map(|when| (when, flow))
    }

    fn queue(&mut self, word: &str, source: &ast::Path) -> Option<u32> {
        match self.project.find(self.module, source, "a queue", self.problems) {
            Def::Queue(queue) => Some(queue),
            Def::Broken => None,
            def => {
                let help = match def {
                    Def::Cadence(cadence) if self.writes(cadence) => {
                        format!("`when {UNDELIVERED} in {}`", written(source))
                    }
                    _ => {
                        let queue = self.project.queues.first();
                        format!("`when {word} in {}`", queue.map_or("support", |queue| queue.name.text.as_str()))
                    }
                };
                self.problems.give(wrong_kind(source, def, "a queue").help(help));
                None
            }
        }
    }

    /// F0907 where it writes nothing.
    fn cadence(&mut self, source: &ast::Path) -> Option<u32> {
        let name = written(source);
        match self.project.find(self.module, source, "a cadence", self.problems) {
            Def::Cadence(cadence) if self.writes(cadence) => Some(cadence),
            Def::Cadence(cadence) => {
                let message =
                    format!("`{name}` writes neither by SMS nor in a chat, so nothing of it is ever undelivered");
                let diagnostic = Diagnostic::new(Code::AlarmNeverTrue, source.span, message);
                let declared = self.project.cadences.get(cadence as usize).map(|cadence| cadence.name.span);
                let diagnostic = match declared {
                    Some(declared) => diagnostic.label(declared, "it has no `message`, and no `send sms`"),
                    None => diagnostic,
                };
                self.problems.give(diagnostic.help("`send sms \"We tried to reach you.\"` in what it does"));
                None
            }
            Def::Broken => None,
            def => {
                let cadence = (0..).zip(&self.project.cadences).find(|(cadence, _)| self.writes(*cadence));
                let help = match (def, cadence) {
                    (_, Some((_, cadence))) => format!("`when {UNDELIVERED} in {}`", cadence.name.text),
                    (Def::Queue(_), None) => format!("`when {MISSED} in {name}`"),
                    (_, None) => format!("`when {UNDELIVERED} in follow_up`"),
                };
                self.problems.give(wrong_kind(source, def, "a cadence").help(help));
                None
            }
        }
    }

    fn writes(&self, cadence: u32) -> bool {
        self.cadences.get(cadence as usize).is_some_and(|cadence| writes_anything(cadence, self.flows))
    }

    /// The flow of the action; `declare` gives its parameters.
    fn action(&mut self, declare: impl FnOnce(&mut Checker<'_, '_>)) -> u32 {
        let mut checker = Checker::new(self.project, self.module, self.problems);
        checker.returns = self.returns;
        checker.region = Region::Rule;
        declare(&mut checker);
        checker.parameters = checker.locals.len() as u32;
        let mut block = checker.block(&self.body.statements);
        if after_block(&block) == After::GoesOn {
            let (keyword, span) = (self.keyword, self.body.span);
            block.statements.push(Statement { kind: StatementKind::Return(None), keyword, span });
        }
        for (_, span) in std::mem::take(&mut checker.called_read) {
            let message = "a rule does not know which number was called";
            let help = "leave it out, or let rules of two queues say two things";
            checker.problems.give(Diagnostic::new(Code::TypeMismatch, span, message).help(help));
        }
        let unused: Vec<_> =
            checker.locals.iter().filter(|local| !local.used && !local.name.starts_with('_')).collect();
        for local in unused {
            let message = format!("`{}` is never used", local.name);
            let help = format!("`_{}`, or use it", local.name);
            checker.problems.give(Diagnostic::new(Code::UnusedName, local.span, message).help(help));
        }
        let checked = clause_flow(checker, self.name.clone(), self.keyword, None, block);
        self.flows.push(Some(checked));
        self.flows.len() as u32 - 1
    }
}

fn written(path: &ast::Path) -> String {
    path.names.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(".")
}
