//! What is proved of all queues together: overflow does not go in a circle, nobody waits for ever behind others, and
//! every queue has somebody in every hour in which it takes calls.

use lang_diagnostics::{Code, Diagnostic, Severity};
use lang_syntax::ast::QueueClauseKind as Clause;
use runtime_contract::limits::OVERFLOW_HOPS_MAX;
use runtime_contract::queue::{OrderKey, Queue};

use super::callers::Reads;
use super::facts::Facts;
use crate::Surroundings;
use crate::check::CheckedFlow;
use crate::hir::{self, Expr, StatementKind};
use crate::problems::Problems;
use crate::project::{Project, QueueInfo};
use crate::worst::duration_text;

pub(crate) fn prove(
    project: &Project<'_>,
    queues: &[hir::Queue],
    flows: &[Option<CheckedFlow>],
    surroundings: &dyn Surroundings,
    problems: &mut Problems,
) {
    overflows(project, queues, problems);
    for (queue, info) in queues.iter().zip(&project.queues) {
        if !is_same_for_all(project, info, flows, queue.table.priority) {
            starves(queue, info, problems);
        }
    }
    for (number, (queue, info)) in (0..).zip(queues.iter().zip(&project.queues)) {
        if let Some(ends_ms) = ends_ms(queues, number, &queue.table) {
            relaxes_too_late(queue, info, ends_ms, problems);
        }
    }
    if !problems.any_error() {
        super::roster::check(project, queues, flows, surroundings, problems);
    }
}

/// When the wait of everybody is over. Whoever comes over from another queue, or is to be called back, may wait longer
/// than the `timeout` says.
pub(super) fn ends_ms(queues: &[hir::Queue], number: u32, table: &Queue) -> Option<u64> {
    let comes_over = |other: &hir::Queue| other.table.overflow.as_ref().is_some_and(|over| over.queue == number);
    let is_longer = table.offers_callback || queues.iter().any(comes_over);
    table.timeout_ms.filter(|_| !is_longer)
}

/// F0903
fn overflows(project: &Project<'_>, queues: &[hir::Queue], problems: &mut Problems) {
    let next = |queue: usize| queues.get(queue).and_then(|queue| queue.table.overflow.as_ref());
    let name = |queue: usize| project.queues.get(queue).map_or("", |info| info.name.text.as_str());
    // Queues whose way was looked at: each is in one way only, or leads into one that was.
    let mut seen = vec![false; queues.len()];
    for start in 0..queues.len() {
        let mut way: Vec<usize> = Vec::new();
        let mut at = start;
        let circle = loop {
            if let Some(from) = way.iter().position(|known| *known == at) {
                break way.get(from..).map(<[usize]>::to_vec);
            }
            if seen.get(at).copied().unwrap_or(true) {
                break None;
            }
            way.push(at);
            match next(at) {
                Some(overflow) => at = overflow.queue as usize,
                None => break None,
            }
        };
        way.iter().for_each(|queue| seen.iter_mut().skip(*queue).take(1).for_each(|seen| *seen = true));
        let Some(circle) = circle else { continue };
        let mut names: Vec<&str> = circle.iter().map(|queue| name(*queue)).collect();
        names.push(circle.first().map_or("", |queue| name(*queue)));
        let places = circle.iter().filter_map(|queue| project.queues.get(*queue).and_then(overflow_of));
        let mut places = places.map(|clause| clause.span);
        let Some(first) = places.next() else { continue };
        let message = format!("callers overflow in a circle: `{}`", names.join("` → `"));
        let diagnostic = places.fold(Diagnostic::new(Code::OverflowCycle, first, message), |diagnostic, place| {
            diagnostic.label(place, "by way of this")
        });
        problems.give(diagnostic.help("leave one of them out: a caller who overflows keeps his place in both queues"));
    }
    too_far(project, queues, problems);
}

/// F0903 where a caller comes to more queues than one may wait in.
fn too_far(project: &Project<'_>, queues: &[hir::Queue], problems: &mut Problems) {
    for (start, info) in project.queues.iter().enumerate() {
        let mut at = start;
        let mut hops = 0;
        while let Some(overflow) = queues.get(at).and_then(|queue| queue.table.overflow.as_ref()) {
            at = overflow.queue as usize;
            hops += 1;
            if hops > OVERFLOW_HOPS_MAX || at == start {
                break;
            }
        }
        // Told where the chain has just become too long, and not of a circle.
        if hops == OVERFLOW_HOPS_MAX + 1
            && at != start
            && let Some(clause) = overflow_of(info)
        {
            let message = format!("callers overflow from here {hops} queues far, and {OVERFLOW_HOPS_MAX} is the most");
            let diagnostic = Diagnostic::new(Code::OverflowCycle, clause.span, message);
            problems.give(diagnostic.help("let it overflow to the last of them at once"));
        }
    }
}

fn overflow_of<'a>(info: &QueueInfo<'a>) -> Option<&'a lang_syntax::ast::QueueClause> {
    info.item.clauses.iter().find(|clause| matches!(clause.kind, Clause::Overflow { .. }))
}

/// F0902 where nobody waits any more when it would hold.
fn relaxes_too_late(queue: &hir::Queue, info: &QueueInfo<'_>, ends_ms: u64, problems: &mut Problems) {
    let clauses = info.item.clauses.iter().filter(|clause| matches!(clause.kind, Clause::Relax { .. }));
    let timeout = info.item.clauses.iter().find(|clause| matches!(clause.kind, Clause::Timeout(_)));
    for (stage, clause) in queue.table.stages.iter().skip(1).zip(clauses) {
        if stage.after_ms < ends_ms {
            continue;
        }
        let message = "nobody waits so long: the `timeout` of the queue is over by then";
        let diagnostic = Diagnostic::new(Code::RelaxDoesNotRelax, clause.keyword, message)
            .severity(Severity::Warning)
            .help(format!("`timeout {}`", duration_text(stage.after_ms.saturating_mul(2) as i64)));
        problems.give(
            timeout
                .map(|clause| clause.span)
                .into_iter()
                .fold(diagnostic, |told, span| told.label(span, "then he leaves the queue")),
        );
    }
}

/// One priority, whoever the caller and whatever the queue is given.
fn is_same_for_all(
    project: &Project<'_>,
    info: &QueueInfo<'_>,
    flows: &[Option<CheckedFlow>],
    priority: Option<u32>,
) -> bool {
    let Some(value) = priority.and_then(|flow| returned(flows, flow)) else { return false };
    let kinds = Reads::of(project, info, [value]).kinds(&Facts::default(), 1);
    let mut priorities = kinds.into_iter().map(|mut kind| kind.works_out(value));
    priorities.next().is_some_and(|first| first.is_closed() && priorities.all(|other| other == first))
}

/// What the flow of a clause gives back.
pub(super) fn returned(flows: &[Option<CheckedFlow>], flow: u32) -> Option<&Expr> {
    let flow = flows.get(flow as usize)?.as_ref()?;
    flow.hir.top.statements.iter().find_map(|statement| match &statement.kind {
        StatementKind::Return(value) => value.as_ref(),
        _ => None,
    })
}

/// F0908: whoever has a low priority may never be next, and nothing takes him out of the line.
fn starves(queue: &hir::Queue, info: &QueueInfo<'_>, problems: &mut Problems) {
    let table = &queue.table;
    let ages = match table.order.first() {
        Some(OrderKey::Priority { worth_ms }) => worth_ms.is_some(),
        _ => true,
    };
    if ages || table.priority.is_none() || table.timeout_ms.is_some() {
        return;
    }
    let clause = |wanted: fn(&Clause) -> bool| info.item.clauses.iter().find(|clause| wanted(&clause.kind));
    let priority = clause(|clause| matches!(clause, Clause::Priority(_)));
    let place = clause(|clause| matches!(clause, Clause::Order(_))).or(priority);
    let Some(place) = place else { return };
    let message = "a caller of low priority may wait for ever: others go before him as long as they come";
    problems.give(
        Diagnostic::new(Code::MayStarve, place.keyword, message)
            .help("`order priority worth 30s, waiting`")
            .note("`timeout 3m` ends such a wait as well"),
    );
}
