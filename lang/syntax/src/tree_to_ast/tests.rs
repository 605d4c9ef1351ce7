//! `test` blocks and their verbs.

use super::AstBuilder;
use crate::ast::{AgentSkill, Expectation, Given, Moment, Test, TestLine, TestLineKind};
use crate::grammar::Rule;
use crate::node::Node;

impl<'t> AstBuilder<'t, '_> {
    pub(super) fn test(&mut self, node: &Node<'t, '_>) -> Test {
        let lines: Vec<_> = self.lines_of(node).collect();
        let lines = lines.into_iter().filter_map(|(line, node)| {
            let inner = node.first()?;
            let kind = self.test_line(&inner)?;
            Some(TestLine { keyword: inner.first_span(), kind, span: self.line_span(line) })
        });
        let lines = lines.collect();
        Test { title: self.string_of(node), lines, body_span: self.block_span(node.block) }
    }

    fn test_line(&mut self, node: &Node<'t, '_>) -> Option<TestLineKind> {
        Some(match node.rule() {
            Rule::test_at => {
                TestLineKind::At { time: self.moment_of(node)?, zone: self.clause(node, Rule::zone_clause) }
            }
            Rule::given => {
                let value = node.child(Rule::expression).map(|value| Given::Value(self.expr(&value)));
                let result = value.or_else(|| node.keyword(Rule::kw_failed).map(Given::Failed))?;
                TestLineKind::Given { operation: self.path_of(node), result }
            }
            Rule::test_agent if let Some(picks) = node.child(Rule::agent_picks) => {
                TestLineKind::AgentPicks { agent: self.string_of(node), variant: self.name_of(&picks, Rule::name) }
            }
            Rule::test_agent => {
                let skills = node.children(Rule::agent_skill).map(|skill| AgentSkill {
                    skill: self.path_of(&skill),
                    level: skill.child(Rule::bound).map(|level| self.expr(&level)),
                });
                let skills = skills.collect();
                TestLineKind::Agent { agent: self.string_of(node), state: self.name_of(node, Rule::name), skills }
            }
            Rule::test_call => TestLineKind::Call {
                from: self.clause(node, Rule::from_clause)?,
                to: self.destination_of(&node.child(Rule::call_to)?),
            },
            Rule::test_written => TestLineKind::Written {
                channel: self.name_of(node, Rule::channel),
                from: self.clause(node, Rule::from_clause)?,
                to: self.clause(node, Rule::to_clause)?,
            },
            Rule::hears => {
                let tag = node.child(Rule::tag).map(|tag| self.tag(&tag));
                TestLineKind::Hears { tag, text: self.string_of(node) }
            }
            Rule::press => TestLineKind::Press(self.key_of(node)),
            Rule::says => TestLineKind::Says(self.string_of(node)),
            Rule::wait => TestLineKind::Wait(self.operand_of(node)),
            Rule::hang_up => TestLineKind::HangUp,
            Rule::start => TestLineKind::Start { cadence: self.path_of(node), arguments: self.arguments_of(node) },
            Rule::dial_gives => {
                TestLineKind::DialGives(node.children(Rule::name).map(|name| self.name(&name)).collect())
            }
            Rule::message_gives => {
                TestLineKind::MessageGives(node.children(Rule::name).map(|name| self.name(&name)).collect())
            }
            Rule::send_gives => {
                TestLineKind::SendGives(node.children(Rule::name).map(|name| self.name(&name)).collect())
            }
            _ => TestLineKind::Expect(self.expectation(&node.inner().nth(1)?)?),
        })
    }

    fn moment_of(&mut self, node: &Node<'t, '_>) -> Option<Moment> {
        let moment = node.child(Rule::moment)?;
        let (date, clock) = (moment.child(Rule::date)?, moment.child(Rule::clock)?);
        Some(Moment { date: self.expr(&date), clock: self.expr(&clock), span: moment.span() })
    }

    fn expectation(&mut self, node: &Node<'t, '_>) -> Option<Expectation> {
        Some(match node.rule() {
            Rule::note => {
                let value = node.child(Rule::expression)?;
                Expectation::Note { key: self.name_of(node, Rule::word), value: self.expr(&value) }
            }
            Rule::expect_step => Expectation::Step { step: self.name_of(node, Rule::word) },
            Rule::expect_queued => {
                Expectation::Queued { queue: self.path_of(node), priority: self.clause(node, Rule::priority_clause) }
            }
            Rule::expect_agent => {
                Expectation::Agent { agent: self.string_of(node), within: self.clause(node, Rule::within_clause) }
            }
            Rule::expect_attempt => Expectation::Attempt {
                attempt: self.operand_of(node),
                cadence: node.child(Rule::path).map(|path| self.path(&path)),
                at: self.moment_of(node),
            },
            Rule::expect_stopped => Expectation::Stopped {
                disposition: self.name_of(node, Rule::word),
                cadence: node.child(Rule::path).map(|path| self.path(&path)),
            },
            Rule::expect_sent => Expectation::Sent {
                channel: self.name_of(node, Rule::sent_channel),
                to: self.clause(node, Rule::to_clause),
                text: node.child(Rule::text).map(|text| self.text(&text)),
            },
            Rule::expect_case => Expectation::Case {
                kind: self.name_of(node, Rule::name),
                priority: self.clause(node, Rule::priority_clause),
            },
            Rule::expect_answer => Expectation::Answer {
                question: self.name_of(node, Rule::word),
                answer: node.child(Rule::expression).map(|answer| self.expr(&answer)),
            },
            _ => Expectation::End,
        })
    }
}
