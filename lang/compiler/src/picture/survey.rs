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
        let channels = survey.lines.iter().filter_map(|line| match &line.kind {
            Line::By(names) => Some(names.len()),
            _ => None,
        });
        self.survey_lines(&survey.lines, channels.sum::<usize>() > 1, &mut Vec::new());
    }

    /// `leaves_out`: by one of two channels, questions that only the other can ask.
    fn survey_lines(&mut self, lines: &'a [ast::SurveyLine], leaves_out: bool, way: &mut Vec<Label>) {
        for line in lines {
            self.at = line.span;
            match &line.kind {
                Line::By(_) => self.line(LineKind::Does, way, self.slice(line.span)),
                Line::Question { name, kind, text, .. } => {
                    let only = match kind {
                        ast::AskKind::VoiceUpTo(_) if leaves_out => " (only by voice)",
                        ast::AskKind::TextUpTo(_) if leaves_out => " (only by sms)",
                        _ => "",
                    };
                    way.push(plain(format!("{}{only}", name.text)));
                    self.line(LineKind::Hears, way, self.text(text));
                    way.pop();
                }
                Line::If { condition, lines } => {
                    way.push(plain(self.slice(condition.span)));
                    self.survey_lines(lines, leaves_out, way);
                    way.pop();
                }
                Line::Thank(text) => self.line(LineKind::Hears, way, self.text(text)),
                Line::Action(action) => self.statements(std::slice::from_ref(action), way),
            }
        }
    }
}
