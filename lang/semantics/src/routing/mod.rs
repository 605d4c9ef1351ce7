//! Queues: their clauses as tables, and pure flows for what depends on the caller and the agent. What is proved of all
//! of them together is in `proofs`; how a flow waits in one is in `check/queue`.

mod agent;
mod callers;
mod clauses;
mod facts;
mod levels;
mod needs;
mod proofs;
mod ranges;
mod roster;
mod times;

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast::{self, QueueClauseKind as Clause};
use runtime_contract::program::Parameter;
use runtime_contract::queue::{AgentChoice, OrderKey, Queue};
use runtime_contract::request::Kind;
use runtime_contract::types::TypeTable;

use crate::Surroundings;
use crate::check::{CheckedFlow, Checker, clause_flow};
use crate::declare::{named, parameters};
use crate::hir::{self, Block};
use crate::problems::Problems;
use crate::project::{Project, QueueInfo};
use crate::ty::Ty;

use levels::Stated;
pub(crate) use needs::{too_costly, twice};

pub(crate) use proofs::prove;

/// How long an agent's phone rings that no queue says otherwise of.
const RING_MS: u64 = 20_000;

/// Fills in levels of skills, and what calls of a queue must know of it.
pub(crate) fn declare(project: &mut Project<'_>, problems: &mut Problems) {
    for (id, found) in levels(project, problems) {
        if let Some(info) = project.skills.get_mut(id) {
            info.levels = found;
        }
    }
    for id in 0..project.queues.len() {
        let Some(info) = project.queues.get(id) else { continue };
        let parameters = parameters(project, info.module, &info.item.parameters, problems);
        for parameter in parameters.iter().filter(|parameter| project.holds_private(&parameter.ty)) {
            let message = "a queue keeps what it is given beyond the call, and nothing private is kept";
            problems.give(
                Diagnostic::new(Code::PrivateLeak, parameter.span, message).help("give it what it decides by alone"),
            );
        }
        let mut served = None;
        for clause in &info.item.clauses {
            if let Clause::WrapUp { result: Some(path), .. } = &clause.kind {
                served = Some(wrap_up_result(project, info.module, path, problems));
            }
        }
        let unread = project.modules.get(info.module).map_or(&[][..], |module| &module.ast.unread);
        let partly_read = unread.iter().any(|part| part.item.is_some_and(|item| item.holds(info.name.span)));
        let outcomes = match partly_read {
            true => (0..Kind::Queue.row().outcomes.len()).collect(),
            false => outcomes(info.item),
        };
        if let Some(info) = project.queues.get_mut(id) {
            (info.parameters, info.served, info.outcomes) = (parameters, served, outcomes);
            info.partly_read = partly_read;
        }
    }
}

fn levels(project: &Project<'_>, problems: &mut Problems) -> Vec<(usize, Option<(i64, i64)>)> {
    let items = project.modules.iter().flat_map(|module| &module.ast.items);
    let skills = items.filter_map(|item| match &item.kind {
        ast::ItemKind::Skill(skill) => Some(skill),
        _ => None,
    });
    let mut found = Vec::new();
    for skill in skills {
        let Some(id) = project.skills.iter().position(|info| std::ptr::eq(info.name, &raw const skill.name)) else {
            continue;
        };
        let Some((low, high)) = &skill.levels else { continue };
        let levels = crate::declare::whole(low).zip(crate::declare::whole(high));
        match levels {
            Some((low, high)) if (1..=high).contains(&low) => found.push((id, Some((low, high)))),
            _ => problems.give(
                Diagnostic::new(
                    Code::BadLiteral,
                    skill.name.span,
                    "levels are whole numbers from 1 on, the lowest first",
                )
                .help(format!("`skill {} 1..5`", skill.name.text)),
            ),
        }
    }
    found
}

fn wrap_up_result(project: &Project<'_>, module: usize, path: &ast::Path, problems: &mut Problems) -> Ty {
    let ty = named(project, module, path, problems);
    let plain = match &ty {
        Ty::Broken => return Ty::Broken,
        Ty::Enum(id) => project.enums.get(*id as usize).is_some_and(|info| info.fields.iter().all(Vec::is_empty)),
        _ => false,
    };
    if plain {
        return ty;
    }
    let message = "what an agent says of a call is one of the variants of an enum, which carry nothing";
    problems.give(Diagnostic::new(Code::TypeMismatch, path.span, message).help("`enum Sale { sold, lost }`"));
    Ty::Broken
}

/// Outcomes of the table of requests that the clauses make possible.
fn outcomes(queue: &ast::Queue) -> Vec<usize> {
    let has = |wanted: fn(&Clause) -> bool| queue.clauses.iter().any(|clause| wanted(&clause.kind));
    let offers = |clause: &Clause| match clause {
        Clause::Every { body, .. } => {
            body.statements.iter().any(|line| matches!(line.kind, ast::StatementKind::OfferCallback { .. }))
        }
        _ => false,
    };
    let possible = |outcome: &&str| match *outcome {
        "callback" => has(offers),
        "timeout" => has(|clause| matches!(clause, Clause::Timeout(_))),
        "full" => has(|clause| matches!(clause, Clause::Limit(_))),
        "closed" => has(|clause| matches!(clause, Clause::Open(_))),
        _ => true,
    };
    let row = Kind::Queue.row().outcomes.iter().enumerate();
    row.filter(|(_, outcome)| possible(outcome)).map(|(at, _)| at).collect()
}

/// All queues. Flows of their clauses are put behind the `flows` of the project.
pub(crate) fn queues(
    project: &Project<'_>,
    surroundings: &dyn Surroundings,
    flows: &mut Vec<Option<CheckedFlow>>,
    problems: &mut Problems,
) -> Vec<hir::Queue> {
    let types = crate::lower::types(project);
    let written = |info| {
        let mut reader = Reader::new(project, &types, info, surroundings, flows, problems);
        reader.clauses();
        hir::Queue { table: reader.table, span: info.name.span }
    };
    project.queues.iter().map(written).collect()
}

/// Reads the clauses of one queue.
struct Reader<'r, 'a> {
    project: &'r Project<'a>,
    types: &'r TypeTable,
    info: &'r QueueInfo<'a>,
    surroundings: &'r dyn Surroundings,
    flows: &'r mut Vec<Option<CheckedFlow>>,
    problems: &'r mut Problems,
    table: Queue,
    /// Parameters that some clause reads, by their place.
    read: Vec<bool>,
    /// Of each stage but the first, the place of its `relax`.
    relaxes: Vec<Span>,
    /// By stage; `None` where what is needed is not known.
    stated: Vec<Option<Stated>>,
    /// A condition of a stage is not known.
    broken: bool,
}

impl<'r, 'a> Reader<'r, 'a> {
    fn new(
        project: &'r Project<'a>,
        types: &'r TypeTable,
        info: &'r QueueInfo<'a>,
        surroundings: &'r dyn Surroundings,
        flows: &'r mut Vec<Option<CheckedFlow>>,
        problems: &'r mut Problems,
    ) -> Self {
        let module = project.modules.get(info.module).map_or("", |module| module.path);
        let parameter = |declared: &crate::project::Parameter<'_>| Parameter {
            name: declared.name.text.clone(),
            r#type: declared.ty.lower(),
        };
        let table = Queue {
            name: format!("{module}.{}", info.name.text),
            place: Default::default(),
            parameters: info.parameters.iter().map(parameter).collect(),
            stages: Vec::new(),
            prefers: Vec::new(),
            priority: None,
            order: vec![OrderKey::Priority { worth_ms: None }, OrderKey::Waiting],
            choice: AgentChoice::LongestIdle,
            ring_ms: RING_MS,
            wrap_up_ms: 0,
            wrap_up_as: match info.served {
                Some(Ty::Enum(id)) => Some(id),
                _ => None,
            },
            target: None,
            limit: None,
            timeout_ms: None,
            open: None,
            music: None,
            whisper: None,
            overflow: None,
            comfort: None,
            offers_callback: false,
        };
        let (read, broken) = (vec![false; info.parameters.len()], info.partly_read);
        Reader {
            project,
            types,
            info,
            surroundings,
            flows,
            problems,
            table,
            read,
            relaxes: Vec::new(),
            stated: Vec::new(),
            broken,
        }
    }

    /// A flow of a clause: its parameters are those of the queue, then what `more` declares; `body` gives the
    /// statements. None of its names is told to be unused.
    fn flow(
        &mut self,
        label: &str,
        span: Span,
        result: Option<&Ty>,
        more: impl FnOnce(&mut Checker<'_, 'a>),
        body: impl FnOnce(&mut Checker<'_, 'a>) -> Block,
    ) -> u32 {
        let mut checker = Checker::new(self.project, self.info.module, self.problems);
        for parameter in &self.info.parameters {
            checker.declare(parameter.name, parameter.ty.clone());
        }
        more(&mut checker);
        checker.parameters = checker.locals.len() as u32;
        let top = body(&mut checker);
        for (read, local) in self.read.iter_mut().zip(&checker.locals) {
            *read |= local.used;
        }
        let name = format!("{}/{label}", self.table.name);
        self.flows.push(Some(clause_flow(checker, name, span, result, top)));
        self.flows.len() as u32 - 1
    }

    /// Parameters that no clause reads.
    fn unread(&mut self) {
        if self.broken {
            return;
        }
        for (read, parameter) in self.read.iter().zip(&self.info.parameters) {
            let name = &parameter.name.text;
            if !read && !name.starts_with('_') && !self.project.holds_private(&parameter.ty) {
                let message = format!("no clause of the queue reads `{name}`");
                let help = format!("`_{name}`, or use it");
                self.problems.give(Diagnostic::new(Code::UnusedName, parameter.name.span, message).help(help));
            }
        }
    }
}
