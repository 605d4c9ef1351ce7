//! One flow: its top part, steps and handlers, and what the later checks need to know of them.

use std::collections::BTreeMap;

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast;
use runtime_contract::request::Destination;

use super::origin::{Claim, Origin, Slot};
use super::statement::Tail;
use super::{Checker, LocalInfo, Region, StepInfo};
use crate::declare::parameters;
use crate::hir::{self, Block, CounterId, LocalId, Statement, StatementKind};
use crate::problems::Problems;
use crate::project::Project;
use crate::ty::Ty;

/// From where a `go` leads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum From {
    /// The top part, when so many of its names have their value.
    Top {
        lets: usize,
    },
    Step(u32),
    Fault,
}

/// One `go`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    pub from: From,
    pub to: u32,
    /// `up to N times`
    pub bound: Option<EdgeBound>,
    pub span: Span,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct EdgeBound {
    pub counter: CounterId,
    pub times: u32,
    /// The number.
    pub span: Span,
}

/// A private value that is handed on.
pub(crate) struct Handed {
    /// And the parameter, by its index.
    pub to: (HandedTo, u32),
    /// The names that it came through, latest first.
    pub trail: Vec<(String, Span)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum HandedTo {
    Step(u32),
    Flow(u32),
}

/// A flow, and what its body told beside.
pub(crate) struct CheckedFlow {
    pub hir: hir::Flow,
    pub edges: Vec<Edge>,
    /// Of each step, the edges that leave it.
    pub out: Vec<Vec<usize>>,
    /// Name of the top part, its order there, the step that uses it, and where.
    pub top_uses: Vec<(LocalId, usize, u32, Span)>,
    pub runs: Vec<(u32, Span)>,
    /// Hours that are asked for.
    pub hours_asked: Vec<u32>,
    /// Holes that say a Time, in the zone of the called office.
    pub times_said: Vec<Span>,
    /// What is read of the number or extension that was called.
    pub called_read: Vec<(Destination, Span)>,
    /// Private values that go to other places by their parameters.
    pub handed: Vec<Handed>,
    /// What is known of whatever goes to other places by their parameters.
    pub given: Vec<(Slot, Origin, Span)>,
    /// What is known of its result.
    pub result: Origin,
    pub claims: Vec<Claim>,
    /// Names that nothing reads.
    pub unused: Vec<(String, Span)>,
}

impl CheckedFlow {
    /// The name without its module.
    pub fn short_name(&self) -> &str {
        self.hir.name.rsplit('.').next().unwrap_or(&self.hir.name)
    }
}

/// `returns` says of each flow that is checked already whether it may come back.
pub(crate) fn check_flow(
    project: &Project<'_>,
    flow: u32,
    (returns, results): (&[Option<bool>], &[Origin]),
    problems: &mut Problems,
) -> Option<CheckedFlow> {
    let info = project.flow(flow)?;
    let module = project.modules.get(info.module)?;
    let mut checker = Checker::new(project, info.module, problems);
    checker.result = info.result.clone();
    (checker.flow, checker.returns, checker.results) = (Some(flow), returns, results);
    for parameter in &info.parameters {
        checker.declare(parameter.name, parameter.ty.clone());
    }
    checker.parameters = checker.locals.len() as u32;
    checker.parameters_given(None, (0..checker.parameters).map(LocalId));
    checker.step_names(info.item);
    checker.region = Region::Top;
    let top = checker.statements(&info.item.top, &Tail::default()).block;
    let steps = checker.step_bodies(info.item);
    let fault = checker.handler(info.item.fault.as_ref(), Region::Fault);
    let finally = checker.handler(info.item.finally.as_ref(), Region::Finally);
    let top = checker.with_copies(top);
    let mut out: Vec<Vec<usize>> = vec![Vec::new(); steps.len()];
    for (index, edge) in checker.edges.iter().enumerate() {
        if let From::Step(step) = edge.from
            && let Some(list) = out.get_mut(step as usize)
        {
            list.push(index);
        }
    }
    let top_uses = std::mem::take(&mut checker.top_uses);
    let top_uses = top_uses.into_iter().filter_map(|used| {
        let order = checker.local(used.local)?.top?;
        Some((used.local, order, used.step, used.span))
    });
    let top_uses = top_uses.collect();
    let unused = checker.locals.iter().filter(|local| !local.used && !local.name.starts_with('_'));
    let unused = unused.map(|local| (local.name.clone(), local.span)).collect();
    let hir = hir::Flow {
        name: format!("{}.{}", module.path, info.name.text),
        span: info.name.span,
        locals: checker.locals.iter().map(lower_local).collect(),
        parameters: checker.parameters,
        result: info.result.as_ref().map(|result| result.lower()),
        top,
        steps,
        fault,
        finally,
        counters: checker.counter_count,
        dialogues: checker.dialogue_count,
        prompts: checker.prompts,
        is_attempt: false,
    };
    Some(CheckedFlow {
        hir,
        edges: checker.edges,
        out,
        top_uses,
        runs: checker.runs,
        hours_asked: checker.hours_asked,
        times_said: checker.times_said,
        called_read: checker.called_read,
        handed: checker.handed,
        given: checker.given,
        result: checker.returned.into_iter().reduce(Origin::and).unwrap_or_default(),
        claims: checker.claims,
        unused,
    })
}

/// A flow that a clause comes to: it has a name of its own and neither steps nor handlers.
pub(crate) fn clause_flow(
    checker: Checker<'_, '_>,
    name: String,
    span: Span,
    result: Option<&Ty>,
    top: Block,
) -> CheckedFlow {
    let hir = hir::Flow {
        name,
        span,
        locals: checker.locals.iter().map(lower_local).collect(),
        parameters: checker.parameters,
        result: result.map(Ty::lower),
        top,
        steps: Vec::new(),
        fault: None,
        finally: None,
        counters: checker.counter_count,
        dialogues: checker.dialogue_count,
        prompts: checker.prompts,
        is_attempt: false,
    };
    CheckedFlow {
        hir,
        edges: Vec::new(),
        out: Vec::new(),
        top_uses: Vec::new(),
        runs: checker.runs,
        hours_asked: checker.hours_asked,
        times_said: checker.times_said,
        called_read: checker.called_read,
        handed: checker.handed,
        given: checker.given,
        result: Origin::default(),
        claims: checker.claims,
        unused: Vec::new(),
    }
}

fn lower_local(local: &LocalInfo) -> hir::Local {
    hir::Local {
        name: local.name.clone(),
        ty: local.ty.lower(),
        span: local.span,
        read_by_handlers: local.read_by_handlers,
    }
}

impl<'a> Checker<'_, 'a> {
    fn step_names(&mut self, flow: &'a ast::Flow) {
        for step in &flow.steps {
            let first = self.step_names.get(step.name.text.as_str()).and_then(|first| self.steps.get(*first as usize));
            if let Some(first) = first {
                self.problems.give(
                    Diagnostic::new(
                        Code::DuplicateName,
                        step.name.span,
                        format!("there are two steps `{}`", step.name.text),
                    )
                    .here("again here")
                    .label(first.name.span, "first here")
                    .help(format!("`step {}_2`", step.name.text)),
                );
            }
            let parameters = parameters(self.project, self.module, &step.parameters, self.problems);
            let index = self.steps.len() as u32;
            self.step_names.entry(&step.name.text).or_insert(index);
            self.steps.push(StepInfo { name: &step.name, parameters });
        }
    }

    fn step_bodies(&mut self, flow: &'a ast::Flow) -> Vec<hir::Step> {
        let mut steps = Vec::new();
        for (step, index) in flow.steps.iter().zip(0u32..) {
            self.region = Region::Step(index);
            let parameters = self.steps.get(index as usize).map(|step| step.parameters.clone()).unwrap_or_default();
            let (parameters, block) = self.scoped(|checker| {
                let parameters: Vec<LocalId> =
                    parameters.iter().map(|parameter| checker.declare(parameter.name, parameter.ty.clone())).collect();
                checker.parameters_given(Some(index), parameters.iter().copied());
                (parameters, checker.block(&step.body.statements))
            });
            steps.push(hir::Step { name: step.name.text.clone(), span: step.name.span, parameters, block });
        }
        steps
    }

    fn handler(&mut self, handler: Option<&ast::Handler>, region: Region) -> Option<Block> {
        let handler = handler?;
        self.region = region;
        Some(self.block(&handler.body.statements))
    }

    /// The top part, where every name that a handler reads leaves its copy: `none` at first, then the value.
    fn with_copies(&self, block: Block) -> Block {
        let (mut first, mut kept) = (Vec::new(), BTreeMap::<usize, Vec<Statement>>::new());
        for (assigned, at) in self.top_assigned.iter().rev() {
            let Some(info) = self.local(*assigned) else { continue };
            let Some(copy) = info.copy else { continue };
            let ty = info.ty.clone().optional();
            let statement = |kind| Statement {
                kind: StatementKind::Let { local: copy, value: hir::Expr { kind, ty: ty.lower(), span: info.span } },
                keyword: info.span,
                span: info.span,
            };
            let value = hir::Expr { kind: hir::ExprKind::Local(*assigned), ty: info.ty.lower(), span: info.span };
            let value = match ty == info.ty {
                true => value.kind,
                false => hir::ExprKind::Some(Box::new(value)),
            };
            kept.entry(*at).or_default().push(statement(value));
            first.push(statement(hir::ExprKind::None));
        }
        // A copy stands behind as many statements as gave its name the value.
        for (at, statement) in block.statements.into_iter().enumerate() {
            first.extend(kept.remove(&at).into_iter().flatten());
            first.push(statement);
        }
        first.extend(kept.into_values().flatten());
        Block { statements: first }
    }
}
