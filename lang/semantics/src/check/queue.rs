//! `queue Q(…)` in a flow, what its clauses read of an agent, and the offer to be called back.

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast::{self, BinaryOperator};
use runtime_contract::request::Kind;

use super::call::Receiver;
use super::outcomes::Outcomes;
use super::statement::broken;
use super::{Checker, Typed, broken as broken_value, typed};
use crate::hir::{self, Block, LocalId, Operator, OutcomeArm, Statement, StatementKind};
use crate::project::Def;
use crate::ty::Ty;

impl Checker<'_, '_> {
    pub fn queue_call(&mut self, statement: &ast::Statement, into: &mut Block) {
        let ast::StatementKind::Queue { queue: path, arguments, arms } = &statement.kind else { return };
        let queue = match self.project.find(self.module, path, "a queue", self.problems) {
            Def::Queue(queue) => Some(queue),
            Def::Broken => None,
            other => {
                self.problems.give(crate::declare::wrong_kind(path, other, "a queue"));
                None
            }
        };
        let project = self.project;
        let info = queue.and_then(|queue| project.queues.get(queue as usize));
        let (Some(queue), Some(info)) = (queue, info) else {
            self.unknown_queue(statement, arguments.as_ref(), arms.as_ref());
            return into.statements.push(broken(statement));
        };
        let name = info.name.text.as_str();
        let arguments = self.arguments(name, &info.parameters, arguments.as_ref(), path.span, Receiver::Beyond);
        let outcomes = Outcomes {
            verb: format!("the queue `{name}`"),
            possible: info.outcomes.clone(),
            payload: info.served.clone(),
            partly_known: info.partly_read,
            remedy: clause_for,
            ..Outcomes::of(Kind::Queue, Some("served"))
        };
        let found = self.outcome_arms(statement, arms.as_ref(), &outcomes);
        into.statements.push(match (arguments, found) {
            (Some(arguments), Some(found)) => {
                let keeps_no_line = info.served.is_some();
                let (result, mut arms) = (found.result, found.arms);
                if let (Some((survey, flow)), false) = (project.survey_after(queue), keeps_no_line) {
                    self.runs.push((flow, statement.keyword));
                    survey_first(survey, flow, statement, &mut arms);
                }
                let kind = StatementKind::Queue(hir::QueueCall { queue, arguments, result, keeps_no_line, arms });
                Statement { kind, keyword: statement.keyword, span: statement.span }
            }
            _ => broken(statement),
        });
    }

    /// What stands around a queue that is not there is looked at all the same.
    fn unknown_queue(
        &mut self,
        statement: &ast::Statement,
        arguments: Option<&ast::Arguments>,
        arms: Option<&ast::Arms>,
    ) {
        for argument in arguments.map_or(&[][..], |arguments| &arguments.list) {
            self.expr(&argument.value, None);
        }
        let bodies = arms.map_or(&[][..], |arms| &arms.list).iter().map(|arm| &arm.body);
        for body in bodies.chain(statement.otherwise.as_ref().map(|otherwise| &otherwise.body)) {
            self.block(&body.statements);
        }
    }

    /// `offer callback on K`, once in the comfort of a queue.
    pub fn offer_callback(&mut self, keyword: Span, key: &ast::Key) -> StatementKind {
        let mut letters = key.text.chars();
        let (Some(letter), None) = (letters.next(), letters.next()) else {
            self.bad_literal(key.span, "one key has a caller called back", "offer callback on 1");
            return StatementKind::Broken;
        };
        match &mut self.comfort {
            None => {
                let message = "only the `every` of a queue offers a callback";
                let diagnostic = Diagnostic::new(Code::NoLineHere, keyword, message);
                self.problems.give(diagnostic.help("put it into `every 45s { … }` of the queue"));
                StatementKind::Broken
            }
            Some(Some((_, earlier))) => {
                let earlier = *earlier;
                let diagnostic = Diagnostic::new(Code::KeyTwice, keyword, "the callback has its key already");
                self.problems.give(diagnostic.label(earlier, "offered here").help("keep one of the two"));
                StatementKind::Broken
            }
            Some(offer) => {
                *offer = Some((letter, keyword));
                StatementKind::OfferCallback(letter)
            }
        }
    }

    /// The agent's level of a skill, 0 where he has not got it; of one without levels, and where a condition is wanted,
    /// whether he has it.
    pub fn skill(&mut self, id: u32, wanted: Option<&Ty>, span: Span) -> Typed {
        let Some(info) = self.project.skills.get(id as usize) else { return broken_value(span) };
        let (first, last) = info.levels.unwrap_or((1, 1));
        let level = self.level(id, Ty::Int(Some((0, last))), span);
        let level = hir::Expr { kind: hir::ExprKind::Local(level), ty: Ty::Int(None).lower(), span };
        if info.levels.is_some() && wanted != Some(&Ty::Bool) {
            return typed(level.kind, Ty::Int(Some((0, last))), span);
        }
        let least = hir::Expr { kind: hir::ExprKind::Int(first), ty: Ty::Int(None).lower(), span };
        let has = hir::ExprKind::Binary(Operator::GreaterOrEqual, Box::new(level), Box::new(least));
        typed(has, Ty::Bool, span)
    }

    fn level(&mut self, id: u32, ty: Ty, span: Span) -> LocalId {
        if let Some(known) = self.agent_skills.as_ref().and_then(|skills| skills.get(&id)) {
            return *known;
        }
        let level = self.hidden(ty, span);
        if let Some(skills) = &mut self.agent_skills {
            skills.insert(id, level);
        }
        level
    }

    /// F0905 where a skill that has no levels is compared. True when it was given.
    pub fn level_of_plain_skill(&mut self, operator: BinaryOperator, sides: [&ast::Expr; 2]) -> bool {
        if self.agent_skills.is_none() || matches!(operator, BinaryOperator::Equal | BinaryOperator::NotEqual) {
            return false;
        }
        for side in sides {
            let names = Self::names_of(side).unwrap_or_default();
            let words: Vec<&str> = names.iter().map(|name| name.text.as_str()).collect();
            let Some(Def::Skill(id)) = self.project.reach(self.module, &words).map(|reached| reached.def) else {
                continue;
            };
            let Some(info) = self.project.skills.get(id as usize).filter(|info| info.levels.is_none()) else {
                continue;
            };
            let word = &info.name.text;
            let message = format!("`{word}` has no levels, an agent has it or not");
            self.problems.give(
                Diagnostic::new(Code::SkillWithoutLevel, side.span, message)
                    .label(info.name.span, "declared here")
                    .help(format!("`{word}` alone, or declare `skill {word} 1..5`")),
            );
            return true;
        }
        false
    }
}

/// The first outcome of `queue`, as in the table of requests.
const SERVED: u32 = 0;

/// What follows `served` comes behind the survey, with or without an arm of its own.
fn survey_first(survey: u32, flow: u32, statement: &ast::Statement, arms: &mut Vec<OutcomeArm>) {
    let Some(at) = arms.iter().position(|arm| arm.takes.contains(&SERVED)) else { return };
    let Some(arm) = arms.get_mut(at) else { return };
    let of_statement = |kind| Statement { kind, keyword: statement.keyword, span: statement.span };
    let run = hir::Run { flow, arguments: Vec::new(), result: None, returns: Some(true), hangup: None };
    let held = Block { statements: vec![of_statement(StatementKind::Run(run))] };
    let first = of_statement(StatementKind::Survey { survey, held });
    let mut served = OutcomeArm { takes: vec![SERVED], ..arm.clone() };
    served.block.statements.insert(0, first);
    arm.takes.retain(|outcome| *outcome != SERVED);
    match arm.takes.is_empty() {
        true => *arm = served,
        false => arms.insert(at, served),
    }
}

/// The clause without which an outcome cannot happen.
fn clause_for(outcome: &str) -> Option<&'static str> {
    Some(match outcome {
        "callback" => "with `offer callback on 1` in its `every` a queue ends in that",
        "timeout" => "with `timeout 3m` a queue ends in that",
        "full" => "with `limit 100 waiting` a queue ends in that",
        "closed" => "with `open office` a queue ends in that",
        _ => return None,
    })
}
