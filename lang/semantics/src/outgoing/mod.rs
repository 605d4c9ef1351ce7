//! Cadences: their clauses as tables, and hidden flows for what depends on the person: pure ones for the clauses, one for
//! the attempt, one for each later action. What is proved of a whole cadence is in `proofs`; what its actions say is in
//! `check/cadence`.

mod actions;
mod clauses;
mod finals;
mod law;
mod proofs;
mod reached;
mod starts;

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast;
use runtime_contract::cadence::{Cadence, Clock};
use runtime_contract::program::Parameter;
use runtime_contract::value::Value;

use crate::Surroundings;
use crate::check::{CheckedFlow, Checker, InCadence, clause_flow};
use crate::declare::parameters;
use crate::hir::{self, Block, Statement, StatementKind};
use crate::problems::Problems;
use crate::project::{CadenceInfo, Project};
use crate::returning::comes_back;
use crate::script::constant;
use crate::ty::Ty;

pub(crate) use finals::check_finals;
pub(crate) use starts::check_starts;

/// How long a `dial` rings that does not say so.
const RING_MS: u32 = 30_000;

/// Fills in the parameters of cadences.
pub(crate) fn declare(project: &mut Project<'_>, problems: &mut Problems) {
    for id in 0..project.cadences.len() {
        let Some(info) = project.cadences.get(id) else { continue };
        let parameters = parameters(project, info.module, &info.item.parameters, problems);
        for parameter in parameters.iter().filter(|parameter| project.holds_private(&parameter.ty)) {
            let message = "a cadence keeps what it is given for days, and nothing private is kept";
            problems.give(
                Diagnostic::new(Code::PrivateLeak, parameter.span, message)
                    .help("give it what it must know, and let a service look up the rest during the call"),
            );
        }
        if let Some(info) = project.cadences.get_mut(id) {
            info.parameters = parameters;
        }
    }
}

/// All cadences. Flows of their clauses are put behind the `flows` of the project.
pub(crate) fn cadences(
    project: &Project<'_>,
    surroundings: &dyn Surroundings,
    flows: &mut Vec<Option<CheckedFlow>>,
    problems: &mut Problems,
) -> Vec<hir::Cadence> {
    let returns: Vec<Option<bool>> = match project.cadences.is_empty() {
        true => Vec::new(),
        false => flows.iter().map(|flow| flow.as_ref().and_then(comes_back)).collect(),
    };
    let written = |info| {
        let mut reader = Reader::new(project, info, surroundings, &returns, flows, problems);
        reader.clauses();
        reader.prove();
        hir::Cadence { table: reader.table, span: info.name.span }
    };
    project.cadences.iter().map(written).collect()
}

/// Flows of cadences in which nobody is on the line.
pub(crate) fn without_line(cadences: &[hir::Cadence]) -> Vec<u32> {
    let tables = || cadences.iter().map(|cadence| &cadence.table);
    let after = tables().flat_map(|table| table.after.iter().map(|after| after.flow));
    after.chain(tables().filter_map(|table| table.exhausted)).collect()
}

/// Whether anything that it does is written to a number, or may be, where something of it is broken.
pub(crate) fn writes_anything(cadence: &hir::Cadence, flows: &[Option<CheckedFlow>]) -> bool {
    let mut found = cadence.table.dial.is_none() && cadence.table.message.is_none();
    reached::each_reached(flows, cadence.table.flows(), &mut |statement, _| {
        found |= match &statement.kind {
            StatementKind::Broken => true,
            StatementKind::Run(run) => flows.get(run.flow as usize).is_none_or(Option::is_none),
            _ => reached::writes(statement),
        };
    });
    found
}

/// Flows that begin where somebody is called or written to.
pub(crate) fn attempts(cadences: &[hir::Cadence]) -> impl Iterator<Item = u32> {
    let tables = cadences.iter().map(|cadence| &cadence.table);
    tables
        .flat_map(|table| [table.dial.as_ref().map(|own| own.flow), table.message.as_ref().map(|own| own.flow)])
        .flatten()
}

/// Reads the clauses of one cadence.
struct Reader<'r, 'a> {
    project: &'r Project<'a>,
    info: &'r CadenceInfo<'a>,
    surroundings: &'r dyn Surroundings,
    /// Of each written flow, whether it may come back.
    returns: &'r [Option<bool>],
    flows: &'r mut Vec<Option<CheckedFlow>>,
    problems: &'r mut Problems,
    table: Cadence,
    /// By which the window is meant.
    clock: Clock,
    /// What its actions have said so far.
    said: InCadence,
    /// Parameters that some clause reads, by their place.
    read: Vec<bool>,
    places: Places,
}

/// Where the clauses stand that the proofs speak of.
#[derive(Default)]
struct Places {
    consent: Option<Span>,
    /// Of each line of the window, its clock range.
    window: Vec<Span>,
    laws: Vec<Span>,
    attempts: Option<Span>,
    pace: Option<Span>,
    ring: Option<Span>,
    after: Vec<(u32, Span)>,
}

impl<'r, 'a> Reader<'r, 'a> {
    fn new(
        project: &'r Project<'a>,
        info: &'r CadenceInfo<'a>,
        surroundings: &'r dyn Surroundings,
        returns: &'r [Option<bool>],
        flows: &'r mut Vec<Option<CheckedFlow>>,
        problems: &'r mut Problems,
    ) -> Self {
        let module = project.modules.get(info.module).map_or("", |module| module.path);
        let parameter = |declared: &crate::project::Parameter<'_>| Parameter {
            name: declared.name.text.clone(),
            r#type: declared.ty.lower(),
        };
        let table = Cadence {
            name: format!("{module}.{}", info.name.text),
            parameters: info.parameters.iter().map(parameter).collect(),
            purpose: String::new(),
            permission: u32::MAX,
            number: None,
            laws: Vec::new(),
            window: Vec::new(),
            zone: None,
            except: Vec::new(),
            begin: None,
            attempts_max: 0,
            caps: Vec::new(),
            pace: None,
            dial: None,
            message: None,
            retries: Vec::new(),
            dispositions: Vec::new(),
            after: Vec::new(),
            exhausted: None,
            place: Default::default(),
        };
        let read = vec![false; info.parameters.len()];
        // The enum stands behind those that are written.
        let said = InCadence { attempt: project.enums.len() as u32, ..InCadence::default() };
        let places = Places::default();
        Reader { project, info, surroundings, returns, flows, problems, table, clock: Clock::Place, said, read, places }
    }

    /// A flow of a clause: its parameters are those of the cadence, and `body` gives the statements.
    fn flow(
        &mut self,
        label: &str,
        span: Span,
        result: Option<&Ty>,
        body: impl FnOnce(&mut Checker<'_, 'a>) -> Block,
    ) -> u32 {
        let mut checker = Checker::new(self.project, self.info.module, self.problems);
        checker.returns = self.returns;
        for parameter in &self.info.parameters {
            checker.declare(parameter.name, parameter.ty.clone());
        }
        checker.parameters = checker.locals.len() as u32;
        let top = body(&mut checker);
        of_the_caller(&mut checker);
        for (read, local) in self.read.iter_mut().zip(&checker.locals) {
            *read |= local.used;
        }
        let name = format!("{}/{label}", self.table.name);
        self.flows.push(Some(clause_flow(checker, name, span, result, top)));
        self.flows.len() as u32 - 1
    }

    /// A pure flow that gives a value of a clause; `None` after a diagnostic.
    fn value_flow(&mut self, label: &str, written: &ast::Expr, ty: &Ty) -> Option<u32> {
        let mut is_sound = false;
        let flow = self.flow(label, written.span, Some(ty), |checker| {
            let value = checker.value(written, ty);
            is_sound = !matches!(value.kind, hir::ExprKind::Broken);
            crate::routing::too_costly(checker, &value);
            let span = value.span;
            Block { statements: vec![Statement { kind: StatementKind::Return(Some(value)), keyword: span, span }] }
        });
        is_sound.then_some(flow)
    }

    /// The value that a flow of a clause gives whoever the person is.
    fn written_out(&self, flow: u32) -> Option<Value> {
        let flow = self.flows.get(flow as usize)?.as_ref()?;
        match flow.hir.top.statements.as_slice() {
            [Statement { kind: StatementKind::Return(Some(value)), .. }] => constant(value),
            _ => None,
        }
    }

    /// Parameters that no clause reads.
    fn unread(&mut self) {
        for (read, parameter) in self.read.iter().zip(&self.info.parameters) {
            let name = &parameter.name.text;
            if !read && !name.starts_with('_') {
                let message = format!("no clause of the cadence reads `{name}`");
                let help = format!("`_{name}`, or use it");
                self.problems.give(Diagnostic::new(Code::UnusedName, parameter.name.span, message).help(help));
            }
        }
    }
}

/// Nobody has called: a cadence knows a person by its parameters alone.
fn of_the_caller(checker: &mut Checker<'_, '_>) {
    for (_, span) in std::mem::take(&mut checker.called_read) {
        let message = "a cadence calls out, so no number was called";
        checker.problems.give(
            Diagnostic::new(Code::TypeMismatch, span, message)
                .help("give the cadence a parameter that says what it must know"),
        );
    }
}
