//! The worst case of each flow of a project in figures, with the places that make it so.

use std::collections::BTreeMap;

use lang_diagnostics::{FileId, Span};
use lang_semantics::figures::{self, Most};
use lang_semantics::hir;
use runtime_contract::channel::Channel;
use runtime_contract::survey::Survey;

use crate::analysis::Analysis;

/// The worst call that comes to a flow, whatever it runs included.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Worst {
    /// `module.flow`.
    pub flow: String,
    pub place: Where,
    /// What leads here: `+442079460000`, `extension 6000`.
    pub answers: Vec<String>,
    /// Texts and recordings that the caller hears.
    pub prompts: Figure,
    /// Milliseconds on the line; talks with people are left out.
    pub time_ms: Figure,
    /// Menus one after another, without going back; `cause` is the deepest.
    pub menus: Figure,
    /// Milliseconds until the first `connect` or `transfer` rings, and that; `None` when no person is reached.
    pub person_ms: Option<(Figure, Where)>,
    /// Of a survey: questions that one of its channels leaves out, and that channel.
    pub left_out: Vec<(String, Channel)>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Figure {
    pub amount: u64,
    /// The line that makes most of it, and how much.
    pub cause: Option<(Where, u64)>,
    /// Steps that the call comes by, in the order in which it first does, and how often.
    pub way: Vec<(String, u64)>,
    /// Otherwise this much is there, and more was not looked for.
    pub is_most: bool,
}

/// A line of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Where {
    pub file: String,
    pub line: u32,
    /// The step, or the flow outside of its steps.
    pub part: String,
    /// The text of the line, without the blanks around it.
    pub text: String,
}

impl Analysis {
    /// Flows of the project in the order of files and lines, without those of the library and clauses that take no time.
    /// None where something is wrong with the project.
    pub fn worst(&self) -> Vec<Worst> {
        let Some(program) = &self.program else { return Vec::new() };
        let figures = figures::figures(program);
        let parts = parts(program);
        let mut leads: BTreeMap<u32, Vec<String>> = BTreeMap::new();
        for address in program.inbounds.iter().map(|inbound| &inbound.address) {
            leads.entry(address.flow).or_default().push(match address.channel {
                Channel::Voice if address.is_extension => format!("extension {}", address.pattern),
                Channel::Voice => format!("+{}", address.pattern),
                Channel::Sms => format!("sms +{}", address.pattern),
                channel => format!("{} {}", channel.word(), address.pattern),
            });
        }
        let own = figures.into_iter().filter_map(|figures| {
            let flow = program.flows.get(figures.flow as usize)?;
            let is_nothing = figures.prompts.amount == 0 && figures.time_ms.amount == 0 && figures.person_ms.is_none();
            let is_clause = flow.name.contains('/');
            if self.is_library(flow.span.file) || is_clause && is_nothing {
                return None;
            }
            let person =
                figures.person_ms.map(|person| (self.figure(&parts, person.wait), self.place(&parts, person.place)));
            Some((
                flow.span,
                Worst {
                    flow: flow.name.clone(),
                    place: self.place(&parts, flow.span),
                    answers: leads.remove(&figures.flow).unwrap_or_default(),
                    prompts: self.figure(&parts, figures.prompts),
                    time_ms: self.figure(&parts, figures.time_ms),
                    menus: self.figure(&parts, figures.menus),
                    person_ms: person,
                    left_out: left_out(program, figures.flow),
                },
            ))
        });
        let mut own: Vec<_> = own.collect();
        own.sort_by_key(|(span, _)| (span.file, span.start));
        own.into_iter().map(|(_, worst)| worst).collect()
    }

    fn figure(&self, parts: &Parts<'_>, most: Most) -> Figure {
        let cause = most.cause.map(|cause| (self.place(parts, cause.span), cause.amount));
        Figure { amount: most.amount, cause, way: most.way, is_most: most.is_most }
    }

    fn place(&self, parts: &Parts<'_>, span: Span) -> Where {
        let before = parts.range(..=(span.file, span.start)).next_back();
        let part = before.filter(|((file, _), _)| *file == span.file).map_or("", |(_, part)| part);
        let line = self.sources.position(span.file, span.start).line;
        let text = self.sources.get(span.file).and_then(|source| source.line(line)).unwrap_or_default();
        Where {
            file: self.sources.path(span.file).to_owned(),
            line,
            part: part.to_owned(),
            text: text.trim().to_owned(),
        }
    }
}

/// Names of flows and steps by where they stand.
type Parts<'p> = BTreeMap<(FileId, u32), &'p str>;

fn parts(program: &hir::Program) -> Parts<'_> {
    let named = program.flows.iter().flat_map(|flow| {
        let steps = flow.steps.iter().map(|step| (step.span, step.name.as_str()));
        [(flow.span, flow.name.rsplit('.').next().unwrap_or_default())].into_iter().chain(steps)
    });
    named.map(|(span, name)| ((span.file, span.start), name)).collect()
}

fn left_out(program: &hir::Program, flow: u32) -> Vec<(String, Channel)> {
    let tables = program.surveys.iter().map(|survey| &survey.table).filter(|table| table.flow == flow);
    let by = |table: &Survey, by: Channel| -> Vec<_> {
        table.left_out(by).map(|(question, _)| (question.name.clone(), by)).collect()
    };
    tables.flat_map(|table| table.channels.iter().flat_map(|channel| by(table, *channel))).collect()
}
