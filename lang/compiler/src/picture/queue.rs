//! Queues in the picture: a box each, with its clauses; whom it sends where.

use lang_syntax::ast::{self, QueueClauseKind as Clause, StatementKind};

use super::{LineKind, NodeKind, Painter, plain};

impl<'a> Painter<'a> {
    /// All queues have their boxes before any flow or queue leads to one.
    pub(super) fn queue_boxes(&mut self, queues: impl Iterator<Item = &'a ast::Queue>) {
        for queue in queues {
            let node = self.add(NodeKind::Queue, &format!("queue {}", queue.name.text), None, queue.name.span);
            self.queues.insert(&queue.name.text, node);
        }
    }

    pub(super) fn queue(&mut self, queue: &'a ast::Queue) {
        self.node = self.queues.get(queue.name.text.as_str()).copied().unwrap_or(0);
        for clause in &queue.clauses {
            self.at = clause.span;
            match &clause.kind {
                Clause::Every { every, body } => {
                    let when = [plain(format!("every {}", self.slice(every.span)))];
                    for line in &body.statements {
                        match &line.kind {
                            StatementKind::Say(text) => self.line(LineKind::Hears, &when, self.text(text)),
                            _ => self.line(LineKind::Does, &when, self.slice(line.span)),
                        }
                    }
                }
                Clause::Whisper(text) => {
                    self.line(LineKind::Does, &[plain("to the agent".to_owned())], self.text(text));
                }
                Clause::Overflow { after, queue, .. } => {
                    let after = plain(format!("after {}", self.slice(after.span)));
                    self.waits_in(queue, &[after]);
                }
                _ => self.line(LineKind::Does, &[], self.slice(clause.span)),
            }
        }
    }

    /// A way from the node that is drawn into a queue.
    pub(super) fn waits_in(&mut self, queue: &ast::Path, way: &[super::Label]) {
        let name = queue.names.last().map_or("", |name| name.text.as_str());
        let Some(to) = self.queues.get(name).copied() else { return };
        self.edge(self.node, to, way, true);
    }
}
