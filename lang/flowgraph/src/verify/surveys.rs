//! Surveys of a graph: each has a queue of its own, and a flow that anybody may run.

use runtime_contract::program::ProgramMeta;
use runtime_contract::survey::Survey;
use runtime_contract::types::Class;

use super::Problems;
use crate::graph::Graph;

pub(super) fn check(graph: &Graph, problems: &mut Problems) {
    let meta = &graph.meta;
    for (at, survey) in meta.surveys.iter().enumerate() {
        let is_first = meta.surveys.iter().take(at).all(|earlier| earlier.queue != survey.queue);
        let flow = meta.flow(survey.flow);
        let expectations = [
            ((survey.queue as usize) < meta.queues.len(), "a queue that is not there"),
            (is_first, "a queue that has a survey already"),
            (flow.is_some_and(|flow| flow.parameters.is_empty() && flow.result.is_none()), "another flow"),
            (flow.is_some_and(|flow| !flow.is_attempt), "a flow of a cadence"),
            (!survey.channels.is_empty(), "no channel"),
            (is_public(meta, survey), "a private answer"),
        ];
        for (holds, what) in expectations {
            problems.expect(holds, || format!("survey {}: {what}", survey.name));
        }
    }
}

fn is_public(meta: &ProgramMeta, survey: &Survey) -> bool {
    survey.questions.iter().all(|question| !meta.types.slots(&question.r#type).contains(&Class::Vault))
}
