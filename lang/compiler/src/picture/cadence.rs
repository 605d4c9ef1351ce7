//! Cadences in the picture: a box each, with its clauses; from it the outcomes of a call lead to what becomes of the person.
//! Whatever begins one leads to it.

use lang_syntax::ast::{self, CadenceClauseKind as Clause};

use super::{Group, Label, LineKind, NodeKind, Painter, plain};

impl<'a> Painter<'a> {
    /// All cadences have their boxes before anything begins one.
    pub(super) fn cadence_boxes(&mut self, cadences: impl Iterator<Item = &'a ast::Cadence>) {
        for cadence in cadences {
            let (group, name) = (self.picture.groups.len(), &cadence.name.text);
            self.picture.groups.push(Group { name: name.clone() });
            let node = self.add(NodeKind::Top, &format!("cadence {name}"), Some(group), cadence.name.span);
            self.cadences.insert(name, node);
        }
    }

    /// A way from the node that is drawn to a cadence that begins there.
    pub(super) fn starts(&mut self, cadence: &ast::Path, way: &[Label]) {
        let name = cadence.names.last().map_or("", |name| name.text.as_str());
        if let Some(to) = self.cadences.get(name).copied() {
            let way: Vec<Label> = way.iter().cloned().chain([plain("starts".to_owned())]).collect();
            self.edge(self.node, to, &way, false);
        }
    }

    pub(super) fn cadence(&mut self, cadence: &'a ast::Cadence) {
        self.node = self.cadences.get(cadence.name.text.as_str()).copied().unwrap_or(0);
        self.group = self.picture.nodes.get(self.node).and_then(|node| node.group).unwrap_or(0);
        for clause in &cadence.clauses {
            self.at = clause.span;
            match &clause.kind {
                Clause::Dial { number, arms, .. } => {
                    self.line(LineKind::Does, &[], format!("dials {}", self.slice(number.span)));
                    self.arms(Some(arms), &mut Vec::new());
                }
                Clause::Message { to, channel, arms, .. } => {
                    let to = self.slice(to.span);
                    self.line(LineKind::Does, &[], format!("writes to {to} by {}", channel.text));
                    self.arms(Some(arms), &mut Vec::new());
                }
                Clause::AfterAttempt { attempt, body } => {
                    let when = plain(format!("after attempt {}", self.slice(attempt.span)));
                    self.within(when, &body.statements, &mut Vec::new());
                }
                Clause::Exhausted { body } => {
                    self.within(plain("exhausted".to_owned()), &body.statements, &mut Vec::new());
                }
                _ => self.line(LineKind::Does, &[], self.slice(clause.span)),
            }
        }
    }
}
