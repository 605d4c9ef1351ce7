//! Queues of a graph: every number in them names something that is there, and every flow of a clause has the parameters
//! and the result that those who call it rely on.

use runtime_contract::limits::OVERFLOW_HOPS_MAX;
use runtime_contract::program::{FlowMeta, ProgramMeta};
use runtime_contract::queue::{Predicate, Preferred, Queue};
use runtime_contract::types::{Class, Type};

use super::Problems;
use crate::graph::Graph;

pub(super) fn check(graph: &Graph, problems: &mut Problems) {
    let meta = &graph.meta;
    for (at, queue) in meta.queues.iter().enumerate() {
        let checked = Checked { meta, queue };
        for problem in checked.problems() {
            problems.add(format!("queue {}: {problem}", queue.name));
        }
        problems.expect(chain_ends(meta, at), || format!("queue {}: overflows in a circle, or too far", queue.name));
    }
}

fn chain_ends(meta: &ProgramMeta, queue: usize) -> bool {
    let mut at = queue;
    for _ in 0..=OVERFLOW_HOPS_MAX {
        match meta.queues.get(at).and_then(|queue| queue.overflow.as_ref()) {
            None => return true,
            Some(overflow) => at = overflow.queue as usize,
        }
    }
    false
}

struct Checked<'g> {
    meta: &'g ProgramMeta,
    queue: &'g Queue,
}

impl Checked<'_> {
    fn problems(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut expect = |holds: bool, what: &str| {
            if !holds {
                found.push(what.to_owned());
            }
        };
        let queue = self.queue;
        let vault = queue.parameters.iter().any(|own| self.meta.types.slots(&own.r#type).contains(&Class::Vault));
        expect(!vault, "a private parameter");
        expect(queue.stages.first().is_some_and(|stage| stage.after_ms == 0), "no stage from the start");
        expect(queue.stages.is_sorted_by(|a, b| a.after_ms < b.after_ms), "stages out of order");
        let conjunctions = queue.stages.iter().flat_map(|stage| &stage.conjunction);
        let mut skills = conjunctions.map(|(skill, _)| *skill);
        expect(skills.all(|skill| (skill as usize) < self.meta.skills.len()), "a skill that is not there");
        let needs = queue.stages.iter().filter_map(|stage| stage.needs.as_ref());
        let preferred = queue.prefers.iter().filter_map(|preference| match &preference.what {
            Preferred::Agent(predicate) => Some(predicate),
            Preferred::SameAgent { .. } => None,
        });
        let conditions = queue.prefers.iter().filter_map(|preference| preference.condition.as_ref());
        let mut predicates = needs.chain(preferred).chain(conditions);
        expect(predicates.all(|predicate| self.is_predicate(predicate)), "a condition with another flow");
        let is_int = |flow: u32| self.is_flow(flow, &[], Some(&Type::Int));
        expect(queue.priority.is_none_or(is_int), "a priority with another flow");
        expect(queue.whisper.is_none_or(|flow| self.is_flow(flow, &[], None)), "a whisper with another flow");
        let comfort = [Type::Int, Type::Duration];
        expect(queue.comfort.is_none_or(|own| self.is_flow(own.flow, &comfort, None)), "comfort with another flow");
        let hours = queue.open.is_none_or(|hours| (hours as usize) < self.meta.hours.len());
        expect(hours, "hours that are not there");
        let result = queue.wrap_up_as.is_none_or(|id| (id as usize) < self.meta.types.enums.len());
        expect(result, "a result of wrap-up that is no enum");
        expect(self.overflows(), "overflow with other flows");
        found
    }

    fn overflows(&self) -> bool {
        let Some(overflow) = &self.queue.overflow else { return true };
        let Some(other) = self.meta.queues.get(overflow.queue as usize) else { return false };
        other.parameters.len() == overflow.arguments.len()
            && (other.parameters.iter().zip(&overflow.arguments))
                .all(|(parameter, flow)| self.is_flow(*flow, &[], Some(&parameter.r#type)))
    }

    fn is_predicate(&self, predicate: &Predicate) -> bool {
        let levels = vec![Type::Int; predicate.skills.len()];
        predicate.skills.iter().all(|skill| (*skill as usize) < self.meta.skills.len())
            && self.is_flow(predicate.flow, &levels, Some(&Type::Bool))
    }

    /// The flow has the queue's parameters, then those.
    fn is_flow(&self, flow: u32, more: &[Type], result: Option<&Type>) -> bool {
        let is_it = |found: &FlowMeta| {
            let wanted = self.queue.parameters.iter().map(|own| &own.r#type).chain(more);
            found.result.as_ref() == result && found.parameters.iter().map(|own| &own.r#type).eq(wanted)
        };
        self.meta.flow(flow).is_some_and(is_it)
    }
}
