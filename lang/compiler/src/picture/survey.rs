//! Surveys in the picture: a box each, to which the queue leads whose callers are asked.

use lang_syntax::ast::{self, SurveyLineKind as Line};

use super::{Group, Label, LineKind, NodeKind, Painter, plain};

impl<'a> Painter<'a> {
    /// Behind the boxes of all queues.
    pub(super) fn survey(&mut self, survey: &'a ast::Survey) {
        self.group = self.picture.groups.len();
        let name = &survey.name.text;
        self.picture.groups.push(Group { name: name.clone() });
        self.node = self.add(NodeKind::Top, &format!("survey {name}"), Some(self.group), survey.name.span);
        self.at = survey.name.span;
        let queue = survey.queue.names.last().and_then(|queue| self.queues.get(queue.text.as_str())).copied();
        if let Some(queue) = queue {
            self.edge(queue, self.node, &[plain("served".to_owned())], true);
        }
        self.survey_lines(&survey.lines, &mut Vec::new());
    }

    fn survey_lines(&mut self, lines: &'a [ast::SurveyLine], way: &mut Vec<Label>) {
        for line in lines {
            self.at = line.span;
            match &line.kind {
                Line::By(_) => self.line(LineKind::Does, way, self.slice(line.span)),
                Line::Question { name, text, .. } => {
                    way.push(plain(name.text.clone()));
                    self.line(LineKind::Hears, way, self.text(text));
                    way.pop();
                }
                Line::If { condition, lines } => {
                    way.push(plain(self.slice(condition.span)));
                    self.survey_lines(lines, way);
                    way.pop();
                }
                Line::Thank(text) => self.line(LineKind::Hears, way, self.text(text)),
                Line::Action(action) => self.statements(std::slice::from_ref(action), way),
            }
        }
    }
}
