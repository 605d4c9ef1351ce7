//! What a project does, as boxes and lines: numbers lead to flows, flows hold steps, keys and outcomes lead from step to
//! step. It reads the text alone, so it draws whatever parses; it knows nothing of places and colours.

mod cadence;
mod map;
mod queue;
mod rule;
mod survey;

use std::collections::BTreeMap;

use lang_diagnostics::{Colours, Diagnostic, Sources, Span, diagnostics_to_json_lines, render};
use lang_syntax::ast::{self, Destination, DialoguePatternKind, ItemKind, LetValue, MatchSubject, StatementKind};
use runtime_contract::program::Report;

use crate::depth::with_room;
use crate::project::{Project, module_of};

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Picture {
    /// The language in which texts are shown, where they have several.
    pub language: String,
    pub groups: Vec<Group>,
    pub nodes: Vec<Node>,
    /// At most one from one node to another.
    pub edges: Vec<Edge>,
}

/// A flow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group {
    pub name: String,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node {
    pub kind: NodeKind,
    pub title: String,
    /// What happens there, in order.
    pub lines: Vec<Line>,
    /// Index in `groups`; entries stand outside.
    pub group: Option<usize>,
    /// Name of the flow or step, first statement of a handler; of entries and ends nothing.
    pub span: Span,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NodeKind {
    /// A number that callers dial.
    Entry,
    /// The top part of a flow.
    Top,
    Step,
    /// `fault` or `finally`.
    Handler,
    /// Where callers wait; it stands outside of flows.
    Queue,
    /// A `when`, with its action.
    Rule,
    End,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    pub kind: LineKind,
    /// When it happens: `other`, `after 3 tries`; empty when always.
    pub when: String,
    pub text: String,
    /// The statement; of a prompt with a name, where that is written.
    pub span: Span,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LineKind {
    /// The caller hears it.
    Hears,
    /// The caller is asked for it.
    Asks,
    /// Something else happens.
    Does,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edge {
    /// Indices in `nodes`.
    pub from: usize,
    pub to: usize,
    pub labels: Vec<Label>,
    /// A flow is run there and comes back.
    pub runs: bool,
    /// The statements that lead along it.
    pub spans: Vec<Span>,
}

/// One reason to go along an edge.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label {
    /// The key that the caller presses, where it is one.
    pub key: Option<String>,
    pub text: String,
    /// The statements that lead along the edge for this reason.
    pub spans: Vec<Span>,
}

impl Picture {
    /// How a way that comes back is called where nothing else is said of it.
    pub fn comes_back_by(&self, edge: &Edge) -> &'static str {
        match self.nodes.get(edge.to).map(|node| node.kind) {
            Some(NodeKind::Queue) => "waits in",
            _ => "runs",
        }
    }
}

/// `language` chooses among the languages of texts; otherwise each file's first. A project that does not read has no
/// picture, and says why.
pub fn picture(project: &Project, language: Option<&str>, colours: Colours, width: usize) -> Result<Picture, Report> {
    with_room(|| {
        let mut sources = Sources::new();
        let mut modules = Vec::new();
        let mut problems: Vec<Diagnostic> = Vec::new();
        for (path, file) in &project.flows {
            let id = sources.add(path, file.text.as_str());
            match file.misread {
                Some(misread) => problems.push(misread.problem(id)),
                None => {
                    let (module, found) = lang_syntax::parse(id, &file.text);
                    problems.extend(found.into_iter().filter(Diagnostic::is_error));
                    modules.push((module_of(path), module));
                }
            }
        }
        if !problems.is_empty() {
            let text = render(&problems, &sources, colours, width);
            return Err(Report { text, json: diagnostics_to_json_lines(&problems, &sources) });
        }
        let mut painter = Painter::new(&sources, &modules, language);
        painter.paint(&modules);
        Ok(painter.picture)
    })
}

/// Why `finally` is there.
const ALWAYS: &str = "at the end, whatever ended it";

struct Painter<'a> {
    sources: &'a Sources,
    language: String,
    /// Texts of `prompt` items and where they are written, by name.
    prompts: BTreeMap<&'a str, (String, Span)>,
    /// The top nodes of flows, by name.
    tops: BTreeMap<&'a str, usize>,
    /// The nodes of queues, by name.
    queues: BTreeMap<&'a str, usize>,
    /// The top nodes of cadences, by name.
    cadences: BTreeMap<&'a str, usize>,
    picture: Picture,
    /// Nodes of the steps of the flow that is drawn, by name.
    steps: BTreeMap<&'a str, usize>,
    /// The node that is drawn.
    node: usize,
    /// The statement that is drawn.
    at: Span,
    group: usize,
    /// How often the dialogue in hand asks, as written.
    tries: Vec<String>,
}

impl<'a> Painter<'a> {
    fn new(sources: &'a Sources, modules: &'a [(String, ast::Module)], language: Option<&str>) -> Painter<'a> {
        let first = modules.iter().flat_map(|(_, module)| &module.languages).flat_map(|line| &line.tags).next();
        let language = language.map(str::to_owned).or(first.map(|tag| tag.text.clone())).unwrap_or_default();
        let mut painter = Painter {
            sources,
            language: language.clone(),
            prompts: BTreeMap::new(),
            tops: BTreeMap::new(),
            queues: BTreeMap::new(),
            cadences: BTreeMap::new(),
            picture: Picture { language, ..Picture::default() },
            steps: BTreeMap::new(),
            node: 0,
            at: Span::default(),
            group: 0,
            tries: Vec::new(),
        };
        for item in modules.iter().flat_map(|(_, module)| &module.items) {
            if let ItemKind::Prompt(prompt) = &item.kind {
                let named = |line: &&ast::PromptLine| line.tag.as_ref().is_some_and(|tag| tag.text == painter.language);
                let line = prompt.lines.iter().find(named).or(prompt.lines.first());
                let audio = || line.and_then(|line| line.audio.as_ref()).map(|audio| painter.string(&audio.file));
                let text = line.and_then(|line| line.text.as_ref()).map(|text| painter.string(text)).or_else(audio);
                let span = prompt.lines.iter().map(|line| line.span).reduce(Span::to).unwrap_or(prompt.name.span);
                painter.prompts.insert(&prompt.name.text, (text.unwrap_or_default(), span));
            }
        }
        painter
    }

    fn paint(&mut self, modules: &'a [(String, ast::Module)]) {
        let items = || modules.iter().flat_map(|(_, module)| &module.items);
        let flows = || {
            items().filter_map(|item| match &item.kind {
                ItemKind::Flow(flow) => Some(flow),
                _ => None,
            })
        };
        for flow in flows() {
            let group = self.picture.groups.len();
            self.picture.groups.push(Group { name: flow.name.text.clone() });
            let top = self.add(NodeKind::Top, &flow.name.text, Some(group), flow.name.span);
            self.tops.insert(&flow.name.text, top);
        }
        for item in items() {
            if let ItemKind::Inbound(inbound) = &item.kind
                && let Some(flow) =
                    inbound.flow.names.last().and_then(|name| self.tops.get(name.text.as_str()).copied())
            {
                let word = match inbound.channel {
                    ast::InboundChannel::Number => "",
                    ast::InboundChannel::Extension(_) => "extension ",
                    ast::InboundChannel::Chat(_) => "chat ",
                    ast::InboundChannel::Sms(_) => "sms ",
                    ast::InboundChannel::Email(_) => "email ",
                };
                let title = format!("{word}{}", self.string(&inbound.address));
                let entry = self.add(NodeKind::Entry, &title, None, Span::default());
                self.edge(entry, flow, &[], false);
            }
        }
        let queues = || {
            items().filter_map(|item| match &item.kind {
                ItemKind::Queue(queue) => Some(queue),
                _ => None,
            })
        };
        self.queue_boxes(queues());
        let cadences = || {
            items().filter_map(|item| match &item.kind {
                ItemKind::Cadence(cadence) => Some(cadence),
                _ => None,
            })
        };
        self.cadence_boxes(cadences());
        for (group, flow) in flows().enumerate() {
            self.flow(group, flow);
        }
        queues().for_each(|queue| self.queue(queue));
        cadences().for_each(|cadence| self.cadence(cadence));
        for item in items() {
            match &item.kind {
                ItemKind::When(when) => self.rule(item.keyword, when),
                ItemKind::Survey(survey) => self.survey(survey),
                _ => {}
            }
        }
    }

    fn flow(&mut self, group: usize, flow: &'a ast::Flow) {
        self.group = group;
        self.steps.clear();
        for step in &flow.steps {
            let node = self.add(NodeKind::Step, &step.name.text, Some(group), step.name.span);
            self.steps.insert(&step.name.text, node);
        }
        self.node = self.tops.get(flow.name.text.as_str()).copied().unwrap_or(0);
        self.statements(&flow.top, &mut Vec::new());
        for step in &flow.steps {
            self.node = self.steps.get(step.name.text.as_str()).copied().unwrap_or(0);
            self.statements(&step.body.statements, &mut Vec::new());
        }
        let handlers =
            [("fault", "when a value cannot be worked out", &flow.fault), ("finally", ALWAYS, &flow.finally)];
        for (title, reason, handler) in handlers {
            let Some(handler) = handler else { continue };
            let first = handler.body.statements.first().map_or(handler.keyword, |first| first.span);
            self.node = self.add(NodeKind::Handler, title, Some(group), first);
            self.at = first;
            self.line(LineKind::Does, &[], reason.to_owned());
            self.statements(&handler.body.statements, &mut Vec::new());
        }
    }

    fn is_handler(&self) -> bool {
        self.picture.nodes.get(self.node).is_some_and(|node| node.kind == NodeKind::Handler)
    }

    fn add(&mut self, kind: NodeKind, title: &str, group: Option<usize>, span: Span) -> usize {
        self.picture.nodes.push(Node { kind, title: title.to_owned(), lines: Vec::new(), group, span });
        self.picture.nodes.len() - 1
    }

    /// Adds what leads there to the edge that is there.
    fn edge(&mut self, from: usize, to: usize, way: &[Label], runs: bool) {
        let at = self.at;
        let labels = match way.split_last() {
            // Of conditions within conditions the last says most; a key that led there is kept.
            Some((last, before)) => match before.iter().rfind(|label| label.key.is_some()) {
                Some(key) if last.key.is_none() => {
                    let text = [key.text.as_str(), last.text.as_str()].into_iter().filter(|text| !text.is_empty());
                    vec![Label { key: key.key.clone(), ..plain(text.collect::<Vec<_>>().join(", ")) }]
                }
                _ => vec![last.clone()],
            },
            None => Vec::new(),
        };
        let labels = labels.into_iter().flat_map(|label| {
            let keys: Vec<Option<String>> = match &label.key {
                Some(keys) => keys.split(' ').map(|key| Some(key.to_owned())).collect(),
                None => vec![None],
            };
            keys.into_iter().map(move |key| Label { key, text: label.text.clone(), spans: vec![at] })
        });
        let labels: Vec<Label> = labels.collect();
        let known = self.picture.edges.iter_mut().find(|edge| edge.from == from && edge.to == to && edge.runs == runs);
        match known {
            Some(edge) if !runs => {
                // Beside ways that have a reason, the one that needs none must be seen too.
                if edge.labels.is_empty() != labels.is_empty() {
                    let spans = if labels.is_empty() { vec![at] } else { edge.spans.clone() };
                    edge.labels.push(Label { spans, ..plain("then".to_owned()) });
                }
                for label in labels {
                    match edge.labels.iter_mut().find(|known| (&known.key, &known.text) == (&label.key, &label.text)) {
                        Some(known) => known.spans.push(at),
                        None => edge.labels.push(label),
                    }
                }
                edge.spans.push(at);
            }
            Some(edge) => edge.spans.push(at),
            None => self.picture.edges.push(Edge { from, to, labels, runs, spans: vec![at] }),
        }
    }

    fn line(&mut self, kind: LineKind, way: &[Label], text: String) {
        self.line_at(kind, way, text, self.at);
    }

    fn line_at(&mut self, kind: LineKind, way: &[Label], text: String, span: Span) {
        let when = way.last().map_or_else(String::new, |label| match &label.key {
            Some(key) => format!("{key} {}", label.text).trim().to_owned(),
            None => label.text.clone(),
        });
        if let Some(node) = self.picture.nodes.get_mut(self.node) {
            node.lines.push(Line { kind, when, text, span });
        }
    }

    /// A node of its own for each kind of end of each step, so that no line crosses the picture only to end.
    fn end(&mut self, title: &str, way: &[Label]) {
        let from = self.node;
        let leads = |edge: &&Edge| edge.from == from;
        let ends = self.picture.edges.iter().filter(leads).map(|edge| edge.to);
        let is_it = |node: &Node| node.kind == NodeKind::End && node.title == title;
        let known = ends.into_iter().find(|to| self.picture.nodes.get(*to).is_some_and(is_it));
        let to = known.unwrap_or_else(|| self.add(NodeKind::End, title, Some(self.group), Span::default()));
        self.edge(from, to, way, false);
    }

    fn statements(&mut self, statements: &'a [ast::Statement], way: &mut Vec<Label>) {
        for statement in statements {
            self.statement(statement, way);
        }
    }

    fn within(&mut self, label: Label, statements: &'a [ast::Statement], way: &mut Vec<Label>) {
        way.push(label);
        self.statements(statements, way);
        way.pop();
    }

    fn statement(&mut self, statement: &'a ast::Statement, way: &mut Vec<Label>) {
        let mut other = "else".to_owned();
        self.at = statement.span;
        match &statement.kind {
            StatementKind::Say(text) => self.line(LineKind::Hears, way, self.text(text)),
            StatementKind::Play(value) => match self.played(value) {
                Some((text, span)) => self.line_at(LineKind::Hears, way, text, span),
                None => self.line(LineKind::Does, way, format!("plays {}", self.slice(value.span))),
            },
            StatementKind::Set { value, .. } => {
                self.line(LineKind::Does, way, format!("goes on in {}", self.slice(value.span)));
            }
            StatementKind::Menu(dialogue) => self.dialogue(dialogue, way),
            StatementKind::Recording { .. }
            | StatementKind::Wait(_)
            | StatementKind::Send { .. }
            | StatementKind::Notify { .. }
            | StatementKind::OpenCase { .. } => {
                self.line(LineKind::Does, way, self.first_line(statement.span));
            }
            StatementKind::Start { cadence, .. } => {
                self.line(LineKind::Does, way, self.first_line(statement.span));
                self.starts(cadence, way);
            }
            StatementKind::Queue { queue, arms, .. } => {
                self.line(LineKind::Does, way, format!("waits in the queue {}", self.slice(queue.span)));
                self.waits_in(queue, &[]);
                self.arms(arms.as_ref(), way);
            }
            StatementKind::Connect { to, arms, .. } => {
                self.line(LineKind::Does, way, format!("is connected to {}", self.destination(to)));
                self.arms(arms.as_ref(), way);
                other = "not reached".into();
            }
            StatementKind::Transfer { to, arms } => {
                self.end(&format!("transfer to {}", self.destination(to)), way);
                self.arms(arms.as_ref(), way);
                other = "refused".into();
            }
            StatementKind::Call(call) => {
                self.line(LineKind::Does, way, format!("asks {}", self.callee(call)));
                other = "failed".into();
            }
            StatementKind::Run(run) => self.run(run, way),
            StatementKind::Let { value, .. } => other = self.let_value(value, way),
            StatementKind::Match(found) => self.matched(found, way),
            StatementKind::If { condition, then } => {
                self.within(plain(self.slice(condition.span)), &then.statements, way);
            }
            StatementKind::Unless { condition, then } => {
                self.within(plain(format!("unless {}", self.slice(condition.span))), &then.statements, way);
            }
            StatementKind::OnVoice { then } => self.within(plain("on voice".into()), &then.statements, way),
            StatementKind::Repeat { times, body } => {
                self.within(plain(format!("up to {} times", self.slice(times.span))), &body.statements, way);
            }
            StatementKind::For { name, body, .. } => {
                self.within(plain(format!("for each {}", name.text)), &body.statements, way);
            }
            StatementKind::Go { step, up_to, .. } => other = self.go(step, up_to.as_ref(), way),
            StatementKind::Again => {
                let tries = self.tries.last().cloned().unwrap_or_default();
                self.line(LineKind::Asks, way, format!("asks again{tries}"));
            }
            // In a step a note is not what its picture is for; in a handler there is often nothing else.
            StatementKind::Note { .. } if self.is_handler() => {
                self.line(LineKind::Does, way, self.first_line(statement.span))
            }
            StatementKind::Reject { .. } => self.end("reject", way),
            StatementKind::HangUp => self.end("hang up", way),
            StatementKind::Stop { .. } | StatementKind::RetryIn { .. } | StatementKind::RetryAt { .. } => {
                self.end(&self.slice(statement.span), way);
            }
            StatementKind::Return { value } => {
                let value = value.as_ref().map_or_else(String::new, |value| format!(" {}", self.slice(value.span)));
                self.end(&format!("return{value}"), way);
            }
            _ => {}
        }
        if let Some(otherwise) = &statement.otherwise {
            self.within(plain(other), &otherwise.body.statements, way);
        }
    }

    fn go(&mut self, step: &ast::Name, up_to: Option<&ast::Expr>, way: &[Label]) -> String {
        let Some(to) = self.steps.get(step.text.as_str()).copied() else { return String::new() };
        let mut way = way.to_vec();
        let mut other = "else".to_owned();
        if let Some(times) = up_to {
            let times = format!("up to {} times", self.slice(times.span));
            other = format!("after {}", times.trim_start_matches("up to "));
            match way.last_mut() {
                Some(last) if !last.text.is_empty() => last.text = format!("{}, {times}", last.text),
                Some(last) => last.text = times,
                None => way.push(plain(times)),
            }
        }
        self.edge(self.node, to, &way, false);
        other
    }

    fn run(&mut self, run: &ast::Run, way: &[Label]) {
        let name = self.slice(run.flow.span);
        self.line(LineKind::Does, way, format!("runs {name}"));
        if let Some(top) = run.flow.names.last().and_then(|name| self.tops.get(name.text.as_str()).copied()) {
            self.edge(self.node, top, &[], true);
        }
    }

    fn let_value(&mut self, value: &'a LetValue, way: &mut Vec<Label>) -> String {
        match value {
            LetValue::Value(value) if matches!(value.kind, ast::ExprKind::Call { .. }) => {
                self.line(LineKind::Does, way, format!("asks {}", self.callee(value)));
                return "failed".into();
            }
            LetValue::Value(_) => {}
            LetValue::Run(run) => self.run(run, way),
            LetValue::Ask(ask) => {
                self.prompts_of(&ask.dialogue, way);
                let private = if ask.private.is_some() { ", private" } else { "" };
                self.line(LineKind::Asks, way, format!("{}{private}", self.slice(ask.kind_span)));
                self.arms_of(&ask.dialogue, way);
            }
            LetValue::Record(record) => {
                self.prompts_of(&record.dialogue, way);
                self.line(LineKind::Asks, way, format!("records up to {}", self.slice(record.up_to.span)));
                self.arms_of(&record.dialogue, way);
            }
            LetValue::Match(found) => self.matched(found, way),
        }
        "else".into()
    }

    fn matched(&mut self, found: &'a ast::Match, way: &mut Vec<Label>) {
        match &found.subject {
            MatchSubject::Run(run) => self.run(run, way),
            MatchSubject::Value(value) if matches!(value.kind, ast::ExprKind::Call { .. }) => {
                self.line(LineKind::Does, way, format!("asks {}", self.callee(value)));
            }
            MatchSubject::Value(_) => {}
        }
        self.arms(Some(&found.arms), way);
    }

    fn arms(&mut self, arms: Option<&'a ast::Arms>, way: &mut Vec<Label>) {
        for arm in arms.into_iter().flat_map(|arms| &arms.list) {
            let patterns: Vec<String> = arm.patterns.iter().map(|pattern| self.slice(pattern.span)).collect();
            self.within(plain(patterns.join(", ")), &arm.body.statements, way);
        }
    }

    fn dialogue(&mut self, dialogue: &'a ast::Dialogue, way: &mut Vec<Label>) {
        self.prompts_of(dialogue, way);
        self.arms_of(dialogue, way);
    }

    fn prompts_of(&mut self, dialogue: &'a ast::Dialogue, way: &mut Vec<Label>) {
        self.statements(&dialogue.prompts, way);
    }

    fn arms_of(&mut self, dialogue: &'a ast::Dialogue, way: &mut Vec<Label>) {
        let tries = dialogue.arms.iter().flat_map(|arm| &arm.patterns).find_map(|pattern| match &pattern.kind {
            DialoguePatternKind::AfterTries { tries, .. } => Some(format!(", {} tries", self.slice(tries.span))),
            _ => None,
        });
        self.tries.push(tries.unwrap_or_default());
        for arm in &dialogue.arms {
            let label = self.choice(arm);
            self.within(label, &arm.body.statements, way);
        }
        self.tries.pop();
    }

    fn choice(&self, arm: &ast::DialogueArm) -> Label {
        let (mut keys, mut words) = (Vec::new(), Vec::new());
        for pattern in &arm.patterns {
            match &pattern.kind {
                DialoguePatternKind::Key { key, phrases } => {
                    keys.push(key.text.clone());
                    words.extend(self.phrase(phrases));
                }
                DialoguePatternKind::KeySpan { low, high, .. } => keys.push(format!("{}…{}", low.text, high.text)),
                DialoguePatternKind::Phrases(phrases) => words.extend(self.phrase(phrases)),
                DialoguePatternKind::Outcome(_) | DialoguePatternKind::AfterTries { .. } => {
                    words.push(self.slice(pattern.span));
                }
            }
        }
        Label { key: (!keys.is_empty()).then(|| keys.join(" ")), ..plain(words.join(", ")) }
    }

    /// The first phrase in the language of the picture.
    fn phrase(&self, phrases: &[ast::Phrases]) -> Option<String> {
        let named = |line: &&ast::Phrases| line.tag.as_ref().is_some_and(|tag| tag.text == self.language);
        phrases.iter().find(named).or(phrases.first())?.strings.first().map(|text| self.string(text))
    }

    /// The text of a prompt; none for a recording.
    fn played(&self, value: &ast::Expr) -> Option<(String, Span)> {
        self.prompts.get(self.slice(value.span).rsplit('.').next()?).cloned()
    }

    fn text(&self, text: &ast::Text) -> String {
        let named = |one: &&ast::TextIn| one.tag.as_ref().is_some_and(|tag| tag.text == self.language);
        let one = text.languages.iter().find(named).or(text.languages.first());
        one.map_or_else(String::new, |one| self.string(&one.string))
    }

    /// A text as it is written, without its quotes.
    fn string(&self, string: &ast::TextString) -> String {
        let written = self.slice(string.span);
        let inner = written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(&written);
        inner.replace("\\\"", "\"").replace("\\n", " ").replace("\\{", "{").replace("\\\\", "\\")
    }

    fn callee(&self, call: &ast::Expr) -> String {
        let written = self.slice(call.span);
        written.split('(').next().unwrap_or("").to_owned()
    }

    fn destination(&self, to: &Destination) -> String {
        match to {
            Destination::Number(value) => self.slice(value.span).trim_matches('"').to_owned(),
            Destination::Extension { value, .. } => {
                format!("extension {}", self.slice(value.span).trim_matches('"'))
            }
        }
    }

    fn first_line(&self, span: Span) -> String {
        self.sources.slice(span).lines().next().unwrap_or("").to_owned()
    }

    /// What is written there, in one line.
    fn slice(&self, span: Span) -> String {
        self.sources.slice(span).split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

fn plain(text: String) -> Label {
    Label { key: None, text, spans: Vec::new() }
}
