//! What the lines of a survey mean, as statements of its flow: each question is an `ask` that is had twice and then
//! skipped. A condition on an answer that was skipped is false, whatever else it says.

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast::{self, BinaryOperator, ExprKind, IsTest, SurveyLineKind as Line};
use runtime_contract::channel::Channel;
use runtime_contract::request::AskKind;

use super::arms::Target;
use super::statement::Tail;
use super::{Checker, broken_expr, typed};
use crate::hir::{self, Block, LocalId, Statement, StatementKind};
use crate::project::SurveyInfo;
use crate::ty::Ty;

/// How often a question is asked.
const TRIES: i64 = 2;

/// A survey that is being read.
struct Reading<'s> {
    survey: u32,
    channels: &'s [Channel],
    /// Each with the type of an answer that was given, optional.
    questions: Vec<(ast::Name, Ty)>,
    /// What each takes, where it is keyed or written.
    kinds: Vec<Option<AskKind>>,
    thanked: Option<Span>,
}

impl Checker<'_, '_> {
    /// The statements of its flow, and its questions with what they take.
    pub fn survey(&mut self, survey: u32, info: &SurveyInfo<'_>) -> (Block, Vec<(String, Ty)>, Vec<Option<AskKind>>) {
        let channels = &info.channels;
        let mut reading = Reading { survey, channels, questions: Vec::new(), kinds: Vec::new(), thanked: None };
        let mut block = self.scoped(|checker| checker.survey_lines(&info.item.lines, true, &mut reading));
        let span = info.name.span;
        block.statements.push(Statement { kind: StatementKind::Return(None), keyword: span, span });
        (block, reading.questions.into_iter().map(|(name, ty)| (name.text, ty)).collect(), reading.kinds)
    }

    fn survey_lines(&mut self, lines: &[ast::SurveyLine], is_top: bool, reading: &mut Reading<'_>) -> Block {
        let mut block = Block::default();
        for line in lines {
            if let Some(thanked) = reading.thanked.take_if(|_| !matches!(line.kind, Line::By(_))) {
                let diagnostic = Diagnostic::new(Code::StatementAfterEnd, line.span, "the thanks end a survey");
                self.problems.give(diagnostic.label(thanked, "here").help("put it before `thank`"));
            }
            match &line.kind {
                Line::By(_) if is_top => {}
                Line::By(_) => {
                    let message = "by what a survey is held hangs on no answer";
                    let diagnostic = Diagnostic::new(Code::UnexpectedWord, line.keyword, message);
                    self.problems.give(diagnostic.help("put it first in the survey"));
                }
                Line::Question { .. } => self.question(line, reading, &mut block),
                Line::If { condition, lines } => {
                    let (condition, then) = self.scoped(|checker| {
                        let condition = checker.answered(condition, true, true, &reading.questions);
                        (condition, checker.survey_lines(lines, false, reading))
                    });
                    let kind = StatementKind::If { condition, then, otherwise: Block::default() };
                    block.statements.push(Statement { kind, keyword: line.keyword, span: line.span });
                }
                Line::Thank(text) if is_top => {
                    reading.thanked = Some(line.keyword);
                    let items = vec![self.text(text)];
                    let kind = StatementKind::Play(hir::Prompts { items, barge_in: true });
                    block.statements.push(Statement { kind, keyword: line.keyword, span: line.span });
                }
                Line::Thank(_) => {
                    let diagnostic =
                        Diagnostic::new(Code::StatementAfterEnd, line.keyword, "the thanks come last in a survey");
                    self.problems.give(diagnostic.help("put it behind the last `}` before the end"));
                }
                Line::Action(statement) => {
                    let tail = Tail::default();
                    let body = self.statements(std::slice::from_ref(statement), &tail);
                    block.statements.extend(body.block.statements);
                }
            }
        }
        block
    }

    fn question(&mut self, line: &ast::SurveyLine, reading: &mut Reading<'_>, into: &mut Block) {
        let Line::Question { name, kind, kind_span, text } = &line.kind else { return };
        let earlier = reading.questions.iter().find(|(earlier, _)| earlier.text == name.text);
        if let Some((earlier, _)) = earlier {
            let message = format!("this survey asks for `{}` twice", name.text);
            let diagnostic = Diagnostic::new(Code::DuplicateName, name.span, message);
            self.problems.give(diagnostic.label(earlier.span, "asked first here").help(format!("`{}_2`", name.text)));
        }
        let question = reading.questions.len() as u32;
        let Some(only) = self.asked_by(line, kind, reading) else {
            let local = self.hidden(Ty::Broken, name.span);
            self.name_answer(local, name, earlier_known(reading, name));
            reading.questions.push((name.clone(), Ty::Broken));
            reading.kinds.push(None);
            return into.statements.push(Statement {
                kind: StatementKind::Broken,
                keyword: line.keyword,
                span: line.span,
            });
        };
        let local = self.hidden(Ty::Broken, name.span);
        let ask = ask(line, kind, kind_span, text);
        let statement = ast::Statement {
            keyword: line.keyword,
            kind: ast::StatementKind::Let { name: name.clone(), value: ast::LetValue::Ask(ask.clone()) },
            otherwise: None,
            span: line.span,
        };
        let mut asked = Block::default();
        self.ask(&statement, &ask, Target { local, name }, &mut asked);
        self.name_answer(local, name, earlier_known(reading, name));
        let ty = self.local(local).map_or(Ty::Broken, |info| info.ty.clone());
        reading.kinds.push(asked.statements.iter().find_map(|statement| match &statement.kind {
            StatementKind::Ask(ask) => Some(ask.kind),
            _ => None,
        }));
        let value = |kind| hir::Expr { kind, ty: ty.lower(), span: name.span };
        let of_line = |kind| Statement { kind, keyword: line.keyword, span: line.span };
        match only {
            None => into.statements.extend(asked.statements),
            Some(by_voice) => {
                let none = StatementKind::Let { local, value: value(hir::ExprKind::None) };
                let not_asked = Block { statements: vec![of_line(none)] };
                let (then, otherwise) = if by_voice { (asked, not_asked) } else { (not_asked, asked) };
                let condition = typed(hir::ExprKind::OnVoice, Ty::Bool, line.keyword).expr;
                into.statements.push(of_line(StatementKind::If { condition, then, otherwise }));
            }
        }
        let answer = value(hir::ExprKind::Local(local));
        into.statements.push(of_line(StatementKind::SurveyAnswer { survey: reading.survey, question, answer }));
        reading.questions.push((name.clone(), ty));
    }

    /// Its name, unless another question has it and was told of.
    fn name_answer(&mut self, local: LocalId, name: &ast::Name, is_known: bool) {
        if !is_known {
            self.give_name(local, name);
        }
    }

    /// Whether only one of the channels can bring the answer: by voice, or in writing. Nobody is asked by the others.
    /// `None`: nothing can, or this is no question.
    fn asked_by(&mut self, line: &ast::SurveyLine, kind: &ast::AskKind, reading: &Reading<'_>) -> Option<Option<bool>> {
        let by = |channel: Channel| reading.channels.contains(&channel);
        let (message, help) = match kind {
            ast::AskKind::VoiceUpTo(_) if by(Channel::Voice) => return Some(by(Channel::Sms).then_some(true)),
            ast::AskKind::TextUpTo(_) if by(Channel::Sms) => return Some(by(Channel::Voice).then_some(false)),
            ast::AskKind::VoiceUpTo(_) => {
                ("nobody can speak an answer in an SMS", "`text up to 200`, or `by voice, sms`")
            }
            ast::AskKind::TextUpTo(_) => (
                "what is said is not written down, so by voice nobody can give a text",
                "`voice up to 60s`, or `by voice, sms`",
            ),
            ast::AskKind::ConsentFor(_) => {
                let message = "a survey asks for opinions; what somebody agrees to is asked where it is needed";
                let diagnostic = Diagnostic::new(Code::BadLiteral, line.keyword, message);
                self.problems
                    .give(diagnostic.help("leave it out").note("a flow asks for it by `ask consent for sales`"));
                return None;
            }
            _ => return Some(None),
        };
        self.problems.give(Diagnostic::new(Code::VoiceOnlyOnOtherChannel, line.keyword, message).help(help));
        None
    }

    /// A condition that surely holds (or, `wanted` being false, surely does not): of every comparison in it, the answers
    /// that it reads were given. `is_sure`: whatever follows comes only when this holds, so it has those answers.
    fn answered(
        &mut self,
        condition: &ast::Expr,
        wanted: bool,
        is_sure: bool,
        questions: &[(ast::Name, Ty)],
    ) -> hir::Expr {
        let span = condition.span;
        match &condition.kind {
            ExprKind::Binary {
                operator: operator @ (BinaryOperator::And | BinaryOperator::Or), left, right, ..
            } => {
                let is_and = (*operator == BinaryOperator::And) == wanted;
                let left = Box::new(self.answered(left, wanted, is_sure && is_and, questions));
                let right = Box::new(self.answered(right, wanted, is_sure && is_and, questions));
                let kind = if is_and { hir::ExprKind::And(left, right) } else { hir::ExprKind::Or(left, right) };
                typed(kind, Ty::Bool, span).expr
            }
            ExprKind::Not { value } => self.answered(value, !wanted, is_sure, questions),
            _ => self.comparison(condition, wanted, is_sure, questions),
        }
    }

    fn comparison(
        &mut self,
        condition: &ast::Expr,
        wanted: bool,
        is_sure: bool,
        questions: &[(ast::Name, Ty)],
    ) -> hir::Expr {
        let span = condition.span;
        let mut names = Vec::new();
        read_plainly(condition, &mut names);
        let mut given = Vec::new();
        let outer = self.scopes.last().cloned().unwrap_or_default();
        for name in names.into_iter().filter(|name| questions.iter().any(|(known, _)| known.text == *name)) {
            let Some(answer) = self.lookup(name) else { continue };
            let Some(Ty::Optional(inner)) = self.local(answer).map(|info| info.ty.clone()) else { continue };
            let present = self.hidden((*inner).clone(), span);
            let ty = inner.optional();
            let whole = hir::Expr { kind: hir::ExprKind::Local(answer), ty: ty.lower(), span };
            given.push(typed(hir::ExprKind::IsSome(Box::new(whole), Some(present)), Ty::Bool, span).expr);
            if let Some(scope) = self.scopes.last_mut() {
                scope.insert(name.to_owned(), present);
            }
        }
        let value = match is_sure && wanted {
            true => self.condition(condition),
            false => self.value(condition, &Ty::Bool),
        };
        if let (false, Some(scope)) = (is_sure, self.scopes.last_mut()) {
            *scope = outer;
        }
        if matches!(value.kind, hir::ExprKind::Broken) {
            return broken_expr(span);
        }
        let value = match wanted {
            true => value,
            false => typed(hir::ExprKind::Not(Box::new(value)), Ty::Bool, span).expr,
        };
        given.into_iter().rev().fold(value, |value, given| {
            typed(hir::ExprKind::And(Box::new(given), Box::new(value)), Ty::Bool, span).expr
        })
    }
}

fn earlier_known(reading: &Reading<'_>, name: &ast::Name) -> bool {
    reading.questions.iter().any(|(earlier, _)| earlier.text == name.text)
}

/// Names whose values a comparison reads as they are; those that it asks whether they are there are left out.
fn read_plainly<'e>(expr: &'e ast::Expr, names: &mut Vec<&'e str>) {
    match &expr.kind {
        ExprKind::Name(name) if !names.contains(&name.text.as_str()) => names.push(&name.text),
        ExprKind::Is { value, test: IsTest::Some { .. } | IsTest::None(_), .. }
            if matches!(value.kind, ExprKind::Name(_)) => {}
        ExprKind::Else { value, fallback, .. } => {
            if !matches!(value.kind, ExprKind::Name(_)) {
                read_plainly(value, names);
            }
            read_plainly(fallback, names);
        }
        ExprKind::Is { value, .. } | ExprKind::Negate { value } | ExprKind::Not { value } => read_plainly(value, names),
        ExprKind::Field { base, .. } => read_plainly(base, names),
        ExprKind::Index { base, index } => [base, index].into_iter().for_each(|part| read_plainly(part, names)),
        ExprKind::Binary { left, right, .. } => [left, right].into_iter().for_each(|part| read_plainly(part, names)),
        ExprKind::Call { callee, arguments } => {
            // A function's name is no answer; what a value is asked for is.
            if let ExprKind::Field { base, .. } = &callee.kind {
                read_plainly(base, names);
            }
            arguments.list.iter().for_each(|argument| read_plainly(&argument.value, names));
        }
        ExprKind::List(rows) => rows.iter().for_each(|row| read_plainly(row, names)),
        _ => {}
    }
}

/// `ask KIND { say TEXT; silence, invalid => again; after 2 tries => none }`
fn ask(line: &ast::SurveyLine, kind: &ast::AskKind, kind_span: &Span, text: &ast::Text) -> ast::Ask {
    let (at, span) = (line.keyword, line.span);
    let action = |kind| ast::Statement { keyword: at, kind, otherwise: None, span: at };
    let outcome = |word: &str| {
        let name = ast::Name { text: word.to_owned(), span: at };
        ast::DialoguePattern { kind: ast::DialoguePatternKind::Outcome(name), span: at }
    };
    let arm = |patterns, kind| {
        let body = ast::Body { statements: vec![action(kind)], span: at };
        ast::DialogueArm { patterns, body, span: at }
    };
    let again = match kind {
        ast::AskKind::VoiceUpTo(_) => vec![outcome("silence")],
        _ => vec![outcome("silence"), outcome("invalid")],
    };
    let tries = ast::Expr { kind: ExprKind::Int(TRIES), span: at };
    let after = ast::DialoguePatternKind::AfterTries { keyword: at, tries };
    let none = ast::Expr { kind: ExprKind::None, span: at };
    let say =
        ast::Statement { keyword: at, kind: ast::StatementKind::Say(text.clone()), otherwise: None, span: text.span };
    let dialogue = ast::Dialogue {
        prompts: vec![say],
        settings: Vec::new(),
        arms: vec![
            arm(again, ast::StatementKind::Again),
            arm(vec![ast::DialoguePattern { kind: after, span: at }], ast::StatementKind::Value(none)),
        ],
        span,
    };
    ast::Ask { keyword: at, private: None, kind: kind.clone(), kind_span: *kind_span, dialogue, span }
}
