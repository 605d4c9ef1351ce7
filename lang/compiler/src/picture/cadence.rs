//! Cadences in the picture: a box each, with its clauses; from it the outcomes of a call lead to what becomes of the person.

use lang_syntax::ast::{self, CadenceClauseKind as Clause};

use super::{Group, LineKind, NodeKind, Painter, plain};

impl<'a> Painter<'a> {
    pub(super) fn cadence(&mut self, cadence: &'a ast::Cadence) {
        self.group = self.picture.groups.len();
        let name = &cadence.name.text;
        self.picture.groups.push(Group { name: name.clone() });
        self.node = self.add(NodeKind::Top, &format!("cadence {name}"), Some(self.group), cadence.name.span);
        for clause in &cadence.clauses {
            self.at = clause.span;
            match &clause.kind {
                Clause::Dial { number, arms, .. } => {
                    self.line(LineKind::Does, &[], format!("dials {}", self.slice(number.span)));
                    self.arms(Some(arms), &mut Vec::new());
                }
                Clause::Message { to, arms, .. } => {
                    self.line(LineKind::Does, &[], format!("writes to {}", self.slice(to.span)));
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
