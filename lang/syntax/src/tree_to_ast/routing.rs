//! Skills, queues, rules, cadences and surveys.

use super::AstBuilder;
use super::expressions::missing;
use super::statements::Ends;
use crate::ast::{
    Arms, AttemptLimit, Cadence, CadenceClause, CadenceClauseKind, Days, Name, OrderKey, Queue, QueueClause,
    QueueClauseKind, Skill, Statement, Survey, SurveyLine, SurveyLineKind, When, WhenEvent,
};
use crate::grammar::Rule;
use crate::node::Node;
use crate::tree::Line;

impl<'t> AstBuilder<'t, '_> {
    pub(super) fn skill(&mut self, node: &Node<'t, '_>) -> Skill {
        let levels = node.child(Rule::levels).and_then(|levels| {
            let mut bounds = levels.inner().map(|bound| self.expr(&bound)).collect::<Vec<_>>().into_iter();
            bounds.next().zip(bounds.next())
        });
        Skill { name: self.name_of(node, Rule::name), levels }
    }

    pub(super) fn queue(&mut self, node: &Node<'t, '_>) -> Queue {
        let lines: Vec<_> = self.lines_of(node).collect();
        let clauses = lines.into_iter().filter_map(|(line, clause)| {
            let inner = clause.first()?;
            let kind = self.queue_clause(&inner)?;
            Some(QueueClause { keyword: inner.first_span(), kind, span: self.line_span(line) })
        });
        let clauses = clauses.collect();
        Queue {
            name: self.name_of(node, Rule::name),
            parameters: self.fields_of(node, Rule::parameters),
            clauses,
            body_span: self.block_span(node.block),
        }
    }

    fn queue_clause(&mut self, node: &Node<'t, '_>) -> Option<QueueClauseKind> {
        let mut operands =
            node.children(Rule::operand).map(|operand| self.expr(&operand)).collect::<Vec<_>>().into_iter();
        let first = operands.next().unwrap_or_else(|| missing(node.span()));
        Some(match node.rule() {
            Rule::needs => QueueClauseKind::Needs(first),
            Rule::prefers => QueueClauseKind::Prefers { what: first, condition: self.clause(node, Rule::if_clause) },
            Rule::prefers_same_agent => QueueClauseKind::PrefersSameAgent {
                within: self.clause(node, Rule::within_clause)?,
                condition: self.clause(node, Rule::if_clause),
            },
            Rule::priority => QueueClauseKind::Priority(self.value_of(node)),
            Rule::order => {
                let keys = node.children(Rule::order_key).map(|key| OrderKey {
                    name: self.name_of(&key, Rule::name),
                    worth: self.clause(&key, Rule::worth_clause),
                    span: key.span(),
                });
                QueueClauseKind::Order(keys.collect())
            }
            Rule::agent_choice => QueueClauseKind::Agent(self.names_of(node)),
            Rule::relax => QueueClauseKind::Relax { after: first, needs: operands.next() },
            Rule::ring_each => QueueClauseKind::Ring(first),
            Rule::wrap_up => {
                let result = node.child(Rule::path).map(|path| self.path(&path));
                QueueClauseKind::WrapUp { time: first, result }
            }
            Rule::target => {
                let formula = node.child(Rule::formula).map(|formula| self.names_of(&formula));
                let within = self.clause(node, Rule::within_clause)?;
                QueueClauseKind::Target { share: first, within, formula: formula.unwrap_or_default() }
            }
            Rule::limit => QueueClauseKind::Limit(first),
            Rule::timeout => QueueClauseKind::Timeout(first),
            Rule::music => QueueClauseKind::Music(self.string_of(node)),
            Rule::whisper => QueueClauseKind::Whisper(self.text_of(node)),
            Rule::open_hours => QueueClauseKind::Open(self.path_of(node)),
            Rule::overflow => {
                let (queue, arguments) = (self.path_of(node), self.arguments_of(node));
                QueueClauseKind::Overflow { after: first, queue, arguments }
            }
            _ => QueueClauseKind::Every { every: first, body: self.block_of(node) },
        })
    }

    fn names_of(&mut self, node: &Node<'t, '_>) -> Vec<Name> {
        node.children(Rule::name).map(|name| self.name(&name)).collect()
    }

    pub(super) fn when(&mut self, node: &Node<'t, '_>, line: &Line<'t>) -> Option<When> {
        let event = match (node.child(Rule::when_event), node.child(Rule::when_condition)) {
            (Some(event), _) => WhenEvent::Event {
                event: self.name_of(&event, Rule::word),
                source: self.path_of(&event),
                name: self.name_of(&event, Rule::name),
            },
            (None, condition) => {
                let condition = condition?;
                let mut operands = condition.children(Rule::operand);
                let (condition, over) = (operands.next()?, operands.next()?);
                WhenEvent::Condition { condition: self.expr(&condition), over: self.expr(&over) }
            }
        };
        Some(When { event, body: self.arm_body(node, line, Ends::InAction) })
    }

    pub(super) fn cadence(&mut self, node: &Node<'t, '_>) -> Cadence {
        let lines: Vec<_> = self.lines_of(node).collect();
        let clauses = lines.into_iter().filter_map(|(line, clause)| {
            let inner = clause.first()?;
            let kind = self.cadence_clause(&inner, line)?;
            Some(CadenceClause { keyword: inner.first_span(), kind, span: self.line_span(line) })
        });
        let clauses = clauses.collect();
        Cadence {
            name: self.name_of(node, Rule::name),
            parameters: self.fields_of(node, Rule::parameters),
            clauses,
            body_span: self.block_span(node.block),
        }
    }

    fn cadence_clause(&mut self, node: &Node<'t, '_>, line: &Line<'t>) -> Option<CadenceClauseKind> {
        let first = self.optional_operand_of(node).unwrap_or_else(|| missing(node.span()));
        Some(match node.rule() {
            Rule::consent => CadenceClauseKind::Consent { permission: first, purpose: self.name_of(node, Rule::name) },
            Rule::law => CadenceClauseKind::Law(node.children(Rule::path).map(|path| self.path(&path)).collect()),
            Rule::window => {
                let days = node.child(Rule::days).map(|days| self.days(&days));
                let times = node.child(Rule::clock_ranges).and_then(|times| self.clock_ranges(&times));
                let except = node.child(Rule::except_clause);
                CadenceClauseKind::Window {
                    days: days.unwrap_or(Days { ranges: Vec::new(), span: node.span() }),
                    times: times.unwrap_or_default(),
                    zone: self.clause(node, Rule::zone_clause),
                    except_holidays: except.map(|except| self.string_of(&except)),
                }
            }
            Rule::begin => CadenceClauseKind::Begin(first),
            Rule::attempts => {
                let limits = node.children(Rule::attempt_limit).map(|limit| AttemptLimit {
                    count: self.operand_of(&limit),
                    per: self.clause(&limit, Rule::in_days),
                    span: limit.span(),
                });
                CadenceClauseKind::Attempts { total: first, limits: limits.collect() }
            }
            Rule::pace => CadenceClauseKind::Pace {
                mode: self.name_of(node, Rule::name),
                lines_max: self.clause(node, Rule::pace_lines),
            },
            Rule::dial => {
                let (from, ring) = (self.clause(node, Rule::from_clause), self.clause(node, Rule::ring_clause));
                CadenceClauseKind::Dial { number: first, from, ring, arms: self.outcome_arms(node) }
            }
            Rule::message => CadenceClauseKind::Message {
                to: first,
                channel: self.name_of(node, Rule::channel),
                from: self.clause(node, Rule::from_clause),
                arms: self.outcome_arms(node),
            },
            Rule::after_attempt => {
                CadenceClauseKind::AfterAttempt { attempt: first, body: self.arm_body(node, line, Ends::InAction) }
            }
            _ => CadenceClauseKind::Exhausted { body: self.arm_body(node, line, Ends::InAction) },
        })
    }

    fn outcome_arms(&mut self, node: &Node<'t, '_>) -> Arms {
        match node.child(Rule::arms) {
            Some(arms) => self.arms(&arms, Ends::InAction),
            None => Arms { list: Vec::new(), span: node.span() },
        }
    }

    pub(super) fn survey(&mut self, node: &Node<'t, '_>) -> Survey {
        Survey {
            name: self.name_of(node, Rule::name),
            queue: self.path_of(node),
            lines: self.survey_lines(node),
            body_span: self.block_span(node.block),
        }
    }

    fn survey_lines(&mut self, node: &Node<'t, '_>) -> Vec<SurveyLine> {
        let lines: Vec<_> = self.lines_of(node).collect();
        let lines = lines.into_iter().filter_map(|(line, node)| {
            let inner = node.first()?;
            let span = self.line_span(line);
            let (keyword, kind) = match inner.rule() {
                Rule::survey_by => (inner.first_span(), SurveyLineKind::By(self.names_of(&inner))),
                Rule::question => {
                    let kind = inner.child(Rule::ask_kind)?;
                    let (kind, kind_span) = (self.ask_kind(&kind), kind.span());
                    let (name, text) = (self.name_of(&inner, Rule::name), self.text_of(&inner));
                    (inner.first_span(), SurveyLineKind::Question { name, kind, kind_span, text })
                }
                Rule::survey_if => {
                    let (condition, lines) = (self.operand_of(&inner), self.survey_lines(&inner));
                    (inner.first_span(), SurveyLineKind::If { condition, lines })
                }
                Rule::thank => (inner.first_span(), SurveyLineKind::Thank(self.text_of(&inner))),
                _ => {
                    let verb = inner.first()?;
                    let (keyword, kind) = (verb.first_span(), self.statement_kind(&verb, Ends::InAction));
                    (keyword, SurveyLineKind::Action(Statement { keyword, kind, otherwise: None, span }))
                }
            };
            Some(SurveyLine { keyword, kind, span })
        });
        lines.collect()
    }
}
