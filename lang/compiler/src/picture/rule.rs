//! Rules in the picture: a box each, with what it does; from the queue or cadence that it is about to it, and on to cadences.

use lang_diagnostics::Span;
use lang_syntax::ast;

use super::{Group, NodeKind, Painter, plain};

impl<'a> Painter<'a> {
    pub(super) fn rule(&mut self, keyword: Span, when: &'a ast::When) {
        let (head, way) = match &when.event {
            ast::WhenEvent::Event { event, source, .. } => (keyword.to(source.span), event.text.clone()),
            ast::WhenEvent::Condition { over, .. } => (keyword.to(over.span), "measures".to_owned()),
        };
        self.group = self.picture.groups.len();
        self.picture.groups.push(Group { name: "rule".to_owned() });
        let rule = self.add(NodeKind::Rule, &self.slice(head), Some(self.group), head);
        self.at = head;
        for about in self.about(&when.event) {
            self.edge(about, rule, &[plain(way.clone())], false);
        }
        self.node = rule;
        self.statements(&when.body.statements, &mut Vec::new());
    }

    /// The boxes of the queues or the cadence that it names, each once.
    fn about(&self, event: &ast::WhenEvent) -> Vec<usize> {
        let mut found = Vec::new();
        let is_of_cadence = matches!(event, ast::WhenEvent::Event { event, .. } if event.text == "undelivered");
        let boxes = if is_of_cadence { &self.cadences } else { &self.queues };
        let mut add = |name: &str| match boxes.get(name) {
            Some(queue) if !found.contains(queue) => found.push(*queue),
            _ => {}
        };
        match event {
            ast::WhenEvent::Event { source, .. } => source.names.last().into_iter().for_each(|name| add(&name.text)),
            ast::WhenEvent::Condition { condition, .. } => {
                let text = self.slice(condition.span);
                let paths = text.split(|sign: char| !(sign.is_alphanumeric() || matches!(sign, '_' | '.')));
                // The last name is that of the measure.
                paths.filter_map(|path| path.rsplit('.').nth(1)).for_each(add);
            }
        }
        found
    }
}
