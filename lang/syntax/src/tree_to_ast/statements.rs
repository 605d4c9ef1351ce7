//! Statements, their outcomes and what they lead to.

use lang_diagnostics::{Code, Diagnostic, Span};

use super::AstBuilder;
use super::expressions::missing;
use crate::ast::{
    Arm, Arms, Block as AstBlock, Body, Destination, Expr, ExprKind, LetValue, Match, MatchSubject, Otherwise, Run,
    Statement, StatementKind,
};
use crate::errors::actions::elsewhere;
use crate::errors::idle_else;
use crate::grammar::{Context, Rule};
use crate::lines::BLOCK_DEPTH_MAX;
use crate::node::Node;
use crate::tree::{Block, Line};

/// Whether an arm may end in a value: where a `let` waits for one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    InAction,
    InValue,
}

impl<'t> AstBuilder<'t, '_> {
    pub(super) fn statements(&mut self, block: Option<&Block<'t>>, ends: Ends) -> Vec<Statement> {
        let lines = block.map_or(&[] as &[Line], |block| block.lines.as_slice());
        let mut statements = Vec::new();
        for (index, line) in lines.iter().enumerate() {
            let ends = if index + 1 == lines.len() { ends } else { Ends::InAction };
            statements.extend(self.statement_line(line, ends));
        }
        statements
    }

    pub(super) fn statement_line(&mut self, line: &Line<'t>, ends: Ends) -> Vec<Statement> {
        let Some(node) = self.node_of(line) else {
            let span = self.line_span(line);
            return vec![Statement { keyword: span, kind: StatementKind::Missing, otherwise: None, span }];
        };
        // A line of a flow is a `flow_line` that holds the statement.
        let statement = if node.rule() == Rule::flow_line { node.first().unwrap_or(node) } else { node };
        let mut statements = self.chain_of(&statement, ends);
        self.closings(line, &mut statements);
        statements
    }

    fn chain_of(&mut self, node: &Node<'t, '_>, ends: Ends) -> Vec<Statement> {
        node.child(Rule::chain).map(|chain| self.chain(&chain, ends)).unwrap_or_default()
    }

    fn chain(&mut self, node: &Node<'t, '_>, ends: Ends) -> Vec<Statement> {
        let actions: Vec<_> = node.children(Rule::action).collect();
        let count = actions.len();
        let mut statements = Vec::with_capacity(count);
        for (index, action) in actions.iter().enumerate() {
            statements.push(self.action(action, if index + 1 == count { ends } else { Ends::InAction }));
        }
        if let Some(last) = statements.last_mut() {
            self.attach_else(node, last);
        }
        statements
    }

    /// Reads the `else` of a chain, and puts it where it belongs.
    fn attach_else(&mut self, node: &Node<'t, '_>, statement: &mut Statement) {
        let (Some(keyword), Some(otherwise)) = (node.keyword(Rule::kw_else), node.child(Rule::otherwise)) else {
            return;
        };
        let otherwise = self.otherwise(keyword, &otherwise, else_ends(&statement.kind));
        self.set_otherwise(statement, otherwise);
    }

    fn set_otherwise(&mut self, statement: &mut Statement, otherwise: Otherwise) {
        statement.span = statement.span.to(otherwise.body.span);
        let kind = std::mem::replace(&mut statement.kind, StatementKind::Missing);
        statement.kind = match (kind, otherwise.body.statements.as_slice()) {
            (StatementKind::Value(value), [Statement { kind: StatementKind::Value(fallback), .. }]) => {
                let (value, fallback) = (Box::new(value), Box::new(fallback.clone()));
                StatementKind::Value(Expr {
                    kind: ExprKind::Else { keyword: otherwise.keyword, value, fallback },
                    span: statement.span,
                })
            }
            (kind, _) => {
                if !may_have_else(&kind) {
                    self.else_without_outcome(statement.keyword, &otherwise);
                }
                statement.otherwise = Some(otherwise);
                kind
            }
        };
    }

    fn else_without_outcome(&mut self, verb: Span, otherwise: &Otherwise) {
        let verb = self.text.get(verb.range()).unwrap_or("");
        let message = format!("`{verb}` has no other outcome, so nothing can stand after `else`");
        self.report(
            Diagnostic::new(Code::OutcomeImpossible, otherwise.keyword, message)
                .help("leave out `else` and what follows it"),
        );
    }

    fn otherwise(&mut self, keyword: Span, node: &Node<'t, '_>, ends: Ends) -> Otherwise {
        let body = self.body_of(node, ends);
        let chains = node.child(Rule::block).is_none();
        Otherwise { keyword, chains, body }
    }

    /// The lines `} else …` behind the first block of a line.
    fn closings(&mut self, line: &Line<'t>, statements: &mut [Statement]) {
        let closings = line.segments.get(1..).unwrap_or_default();
        let before = self.hanging;
        if before + closings.len() > BLOCK_DEPTH_MAX {
            let message = format!("more than {BLOCK_DEPTH_MAX} branches hang on one another");
            let problem = Diagnostic::new(Code::TooLarge, self.line_span(line), message);
            self.report(problem.help("use `match`, or split the branches into steps"));
            return;
        }
        for (at, segment) in closings.iter().enumerate() {
            let Some(node) = Node::of_segment(self.file, segment) else { continue };
            let (Some(keyword), Some(inner)) = (node.keyword(Rule::kw_else), node.child(Rule::otherwise)) else {
                continue;
            };
            let Some(last) = last_statement(statements) else {
                self.report(idle_else(keyword));
                return;
            };
            if last.otherwise.is_some() {
                self.report(text_after_else(keyword));
                return;
            }
            self.hanging = before + at + 1;
            let otherwise = self.otherwise(keyword, &inner, else_ends(&last.kind));
            self.hanging = before;
            self.set_otherwise(last, otherwise);
        }
    }

    /// What an arm or an `else` leads to: its block, its chain or its single action.
    pub(super) fn body_of(&mut self, node: &Node<'t, '_>, ends: Ends) -> Body {
        let span = node.span_with_block();
        let inner = if node.rule() == Rule::otherwise { Some(node.clone()) } else { node.child(Rule::body) };
        let Some(inner) = inner else { return Body { statements: Vec::new(), span } };
        let span = inner.span_with_block();
        let mut statements = Vec::new();
        for part in inner.inner() {
            match part.rule() {
                Rule::block => statements = self.statements(part.block, ends),
                Rule::chain => statements = self.chain(&part, ends),
                Rule::action | Rule::if_action => statements = vec![self.action(&part, ends)],
                _ => {}
            }
        }
        if let Some(last) = statements.last_mut() {
            self.attach_else(&inner, last);
        }
        Body { statements, span }
    }

    /// The body of an arm, with what stands behind its blocks.
    pub(super) fn arm_body(&mut self, arm: &Node<'t, '_>, line: &Line<'t>, ends: Ends) -> Body {
        let mut body = self.body_of(arm, ends);
        self.closings(line, &mut body.statements);
        body
    }

    fn action(&mut self, node: &Node<'t, '_>, ends: Ends) -> Statement {
        let verb = if node.rule() == Rule::action { node.first().unwrap_or(node.clone()) } else { node.clone() };
        let kind = self.statement_kind(&verb, ends);
        let keyword = match &kind {
            StatementKind::Call(call) => first_name(call),
            _ => verb.first_span(),
        };
        Statement { keyword, kind, otherwise: None, span: verb.span_with_block() }
    }

    pub(super) fn statement_kind(&mut self, node: &Node<'t, '_>, ends: Ends) -> StatementKind {
        match node.rule() {
            Rule::answer => StatementKind::Answer,
            Rule::reject => StatementKind::Reject { reason: node.child(Rule::name).map(|name| self.name(&name)) },
            Rule::say => StatementKind::Say(self.text_of(node)),
            Rule::play => StatementKind::Play(self.operand_of(node)),
            Rule::wait => StatementKind::Wait(self.operand_of(node)),
            Rule::menu => StatementKind::Menu(self.dialogue_of(node, Ends::InAction)),
            Rule::recording => StatementKind::Recording { on: node.child(Rule::kw_on).is_some() },
            Rule::queue_action | Rule::connect | Rule::transfer => self.with_arms(node),
            Rule::hang_up => StatementKind::HangUp,
            Rule::run => StatementKind::Run(self.run(node)),
            Rule::send | Rule::notify | Rule::open_case | Rule::note | Rule::set | Rule::start => {
                self.record_of_call(node)
            }
            Rule::go => StatementKind::Go {
                step: self.name_of(node, Rule::word),
                arguments: self.arguments_of(node),
                up_to: self.clause(node, Rule::up_to_times),
            },
            Rule::return_action => {
                StatementKind::Return { value: node.child(Rule::expression).map(|value| self.expr(&value)) }
            }
            Rule::again => StatementKind::Again,
            Rule::continue_action => StatementKind::Continue,
            Rule::let_action => {
                StatementKind::Let { name: self.name_of(node, Rule::name), value: self.let_value(node) }
            }
            Rule::if_action | Rule::unless_action | Rule::on_voice | Rule::repeat | Rule::for_action => {
                self.compound(node)
            }
            Rule::match_action => StatementKind::Match(self.match_of(node, ends)),
            Rule::stop => StatementKind::Stop { disposition: self.name_of(node, Rule::word) },
            Rule::retry => self.retry(node),
            Rule::offer => StatementKind::OfferCallback { key: self.key_of(node) },
            Rule::value_action => self.call_or_value(node, ends),
            _ => StatementKind::Missing,
        }
    }

    fn with_arms(&mut self, node: &Node<'t, '_>) -> StatementKind {
        let arms = node.child(Rule::arms).map(|arms| self.arms(&arms, Ends::InAction));
        match node.rule() {
            Rule::queue_action => {
                StatementKind::Queue { queue: self.path_of(node), arguments: self.arguments_of(node), arms }
            }
            Rule::connect => {
                let (from, ring) = (self.clause(node, Rule::from_clause), self.clause(node, Rule::ring_clause));
                StatementKind::Connect { to: self.destination_of(node), from, ring, arms }
            }
            _ => StatementKind::Transfer { to: self.destination_of(node), arms },
        }
    }

    pub(super) fn destination_of(&mut self, node: &Node<'t, '_>) -> Destination {
        let destination = node.child(Rule::destination);
        let extension = destination.as_ref().and_then(|destination| destination.child(Rule::extension));
        match (extension, destination) {
            (Some(extension), _) => {
                Destination::Extension { keyword: extension.first_span(), value: self.operand_of(&extension) }
            }
            (None, Some(destination)) => Destination::Number(self.operand_of(&destination)),
            (None, None) => Destination::Number(missing(node.span())),
        }
    }

    fn record_of_call(&mut self, node: &Node<'t, '_>) -> StatementKind {
        let value_of = |builder: &mut Self| match node.child(Rule::expression) {
            Some(value) => builder.expr(&value),
            None => missing(node.span()),
        };
        match node.rule() {
            Rule::send => StatementKind::Send {
                channel: self.name_of(node, Rule::channel),
                to: self.clause(node, Rule::to_clause),
                text: self.text_of(node),
            },
            Rule::notify => StatementKind::Notify { who: self.string_of(node), text: self.text_of(node) },
            Rule::open_case => StatementKind::OpenCase {
                kind: self.name_of(node, Rule::name),
                priority: self.clause(node, Rule::priority_clause),
            },
            Rule::note => StatementKind::Note { key: self.name_of(node, Rule::word), value: value_of(self) },
            Rule::set => {
                let target = node.child(Rule::postfix).map(|target| self.expr(&target));
                let target = target.unwrap_or_else(|| missing(node.span()));
                StatementKind::Set { target, value: value_of(self) }
            }
            _ => StatementKind::Start { cadence: self.path_of(node), arguments: self.arguments_of(node) },
        }
    }

    fn compound(&mut self, node: &Node<'t, '_>) -> StatementKind {
        let block = self.block_of(node);
        match node.rule() {
            Rule::if_action => StatementKind::If { condition: self.operand_of(node), then: block },
            Rule::unless_action => StatementKind::Unless { condition: self.operand_of(node), then: block },
            Rule::on_voice => StatementKind::OnVoice { then: block },
            Rule::repeat => StatementKind::Repeat { times: self.operand_of(node), body: block },
            _ => StatementKind::For { name: self.name_of(node, Rule::name), list: self.operand_of(node), body: block },
        }
    }

    /// The block of statements that the node ends with.
    pub(super) fn block_of(&mut self, node: &Node<'t, '_>) -> AstBlock {
        AstBlock { statements: self.statements(node.block, Ends::InAction), span: self.block_span(node.block) }
    }

    pub(super) fn text_of(&mut self, node: &Node<'t, '_>) -> crate::ast::Text {
        match node.child(Rule::text) {
            Some(text) => self.text(&text),
            None => crate::ast::Text { languages: Vec::new(), span: node.span() },
        }
    }

    fn run(&mut self, node: &Node<'t, '_>) -> Run {
        let (flow, arguments) = (self.path_of(node), self.arguments_of(node));
        Run { keyword: node.first_span(), flow, arguments, span: node.span() }
    }

    fn let_value(&mut self, node: &Node<'t, '_>) -> LetValue {
        for part in node.inner() {
            return match part.rule() {
                Rule::ask => LetValue::Ask(self.ask(&part)),
                Rule::record => LetValue::Record(self.record(&part)),
                Rule::run => LetValue::Run(self.run(&part)),
                Rule::match_action => LetValue::Match(self.match_of(&part, Ends::InValue)),
                Rule::operand => LetValue::Value(self.expr(&part)),
                _ => continue,
            };
        }
        LetValue::Value(missing(node.span()))
    }

    fn match_of(&mut self, node: &Node<'t, '_>, ends: Ends) -> Match {
        let subject = match node.child(Rule::run) {
            Some(run) => MatchSubject::Run(self.run(&run)),
            None => MatchSubject::Value(self.operand_of(node)),
        };
        let arms = match node.child(Rule::arms) {
            Some(arms) => self.arms(&arms, ends),
            None => Arms { list: Vec::new(), span: node.span() },
        };
        Match { keyword: node.first_span(), subject, arms }
    }

    pub(super) fn arms(&mut self, node: &Node<'t, '_>, ends: Ends) -> Arms {
        let lines: Vec<_> = self.lines_of(node).collect();
        let list = lines.into_iter().map(|(line, arm)| Arm {
            patterns: self.patterns_of(&arm),
            body: self.arm_body(&arm, line, ends),
            span: self.line_span(line),
        });
        Arms { list: list.collect(), span: self.block_span(node.block) }
    }

    fn retry(&mut self, node: &Node<'t, '_>) -> StatementKind {
        if let Some(delays) = node.child(Rule::retry_in) {
            return StatementKind::RetryIn {
                delays: delays.children(Rule::operand).map(|delay| self.expr(&delay)).collect(),
            };
        }
        let at = self.clause(node, Rule::retry_at).unwrap_or_else(|| missing(node.span()));
        StatementKind::RetryAt { at }
    }

    /// A value where an action belongs stays one: what it names says what may have been meant.
    fn call_or_value(&mut self, node: &Node<'t, '_>, ends: Ends) -> StatementKind {
        let value = self.operand_of(node);
        if ends == Ends::InValue {
            return StatementKind::Value(value);
        }
        let (text, is_call) = (node.text(), matches!(value.kind, ExprKind::Call { .. }));
        if let Some(example) = Context::Statements.example_of(text).filter(|_| !is_call) {
            let end = node.span().after();
            let problem = Diagnostic::new(Code::UnexpectedWord, end, "the line ends too early");
            self.report(problem.help(format!("`{example}`")));
            return StatementKind::Missing;
        }
        if let Some(found) = elsewhere(text, false) {
            let problem = Diagnostic::new(Code::UnexpectedWord, node.span(), found.message());
            self.report(match found.action() {
                Some(action) => problem.help(format!("`{action}`")).edit("write it so", node.span(), action),
                None => problem.help(found.in_words()),
            });
            return StatementKind::Missing;
        }
        if is_call {
            return StatementKind::Call(value);
        }
        StatementKind::Value(value)
    }
}

/// The statement to which an `else` behind the last block belongs: the last one, or that of its `else if`.
fn last_statement(statements: &mut [Statement]) -> Option<&mut Statement> {
    let mut last = statements.last_mut()?;
    while last.otherwise.as_ref().is_some_and(|otherwise| otherwise.chains) {
        last = last.otherwise.as_mut()?.body.statements.last_mut()?;
    }
    Some(last)
}

fn text_after_else(keyword: Span) -> Diagnostic {
    Diagnostic::new(Code::TextAfterElse, keyword, "the line ends after the block of `else`")
        .help("write one `else`, or `} else if condition {`")
}

fn else_ends(kind: &StatementKind) -> Ends {
    if matches!(kind, StatementKind::Let { .. } | StatementKind::Value(_)) { Ends::InValue } else { Ends::InAction }
}

/// What has more than one outcome, or a condition.
fn may_have_else(kind: &StatementKind) -> bool {
    match kind {
        StatementKind::Go { up_to, .. } => up_to.is_some(),
        StatementKind::If { .. }
        | StatementKind::OnVoice { .. }
        | StatementKind::Let { .. }
        | StatementKind::Menu(_)
        | StatementKind::Queue { .. }
        | StatementKind::Connect { .. }
        | StatementKind::Transfer { .. }
        | StatementKind::Call(_)
        | StatementKind::Run(_)
        | StatementKind::Match(_)
        | StatementKind::Missing => true,
        _ => false,
    }
}

fn first_name(call: &Expr) -> Span {
    match &call.kind {
        ExprKind::Call { callee, .. } => first_name(callee),
        ExprKind::Field { base, .. } | ExprKind::Index { base, .. } => first_name(base),
        _ => call.span,
    }
}
