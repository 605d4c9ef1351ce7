//! Rules of a graph: queues and measures that they name are there, and their flows have the parameters that those who run
//! them give.

use runtime_contract::cadence::Permission;
use runtime_contract::program::{FlowMeta, ProgramMeta};
use runtime_contract::queue::WINDOW_MS_MAX;
use runtime_contract::rule::{Alarm, CONTACT_FIELDS, Measure, UNDELIVERED_FIELDS, When};
use runtime_contract::types::{Field, Type};

use super::Problems;
use crate::graph::Graph;

pub(super) fn check(graph: &Graph, problems: &mut Problems) {
    let meta = &graph.meta;
    for rule in &meta.rules {
        let mut expect = |holds: bool, what: &str| problems.expect(holds, || format!("rule {}: {what}", rule.head));
        let action = meta.flow(rule.flow);
        expect(action.is_some_and(|flow| flow.result.is_none() && !flow.is_attempt), "an action with another flow");
        match &rule.when {
            When::Missed { queue } | When::Served { queue } => {
                expect((*queue as usize) < meta.queues.len(), "no such queue");
                expect(action.is_some_and(|flow| takes_a_contact(meta, flow)), "an action that takes no contact");
            }
            When::Undelivered { cadence } => {
                expect((*cadence as usize) < meta.cadences.len(), "no such cadence");
                expect(
                    action.is_some_and(|flow| takes_an_undelivered(meta, flow)),
                    "an action that is told of no text",
                );
            }
            When::Alarm(alarm) => {
                expect((1..=WINDOW_MS_MAX).contains(&alarm.window_ms), "a window of no length");
                let is_condition = |flow: &FlowMeta| flow.result == Some(Type::Bool) && takes(flow, &alarm.tests);
                expect(meta.flow(alarm.condition).is_some_and(is_condition), "a condition with another flow");
                expect(action.is_some_and(|flow| takes(flow, &alarm.shows)), "an action with other measures");
                expect(names_queues(meta, alarm), "no such queue");
            }
        }
    }
}

fn names_queues(meta: &ProgramMeta, alarm: &Alarm) -> bool {
    alarm.tests.iter().chain(&alarm.shows).all(|measure| (measure.queue as usize) < meta.queues.len())
}

/// A parameter for each, optional or not.
fn takes(flow: &FlowMeta, measures: &[Measure]) -> bool {
    let fits = |own: &Type, measure: Measure| match own {
        Type::Optional(inner) => measure.r#type().as_ref() == Some(&**inner),
        own => measure.r#type().as_ref() == Some(own),
    };
    flow.parameters.len() == measures.len()
        && flow.parameters.iter().zip(measures).all(|(parameter, measure)| fits(&parameter.r#type, *measure))
}

fn fields<'m>(meta: &'m ProgramMeta, r#type: &Type) -> Option<&'m [Field]> {
    match r#type {
        Type::Record(id) => meta.types.records.get(*id as usize).map(|record| record.fields.as_slice()),
        _ => None,
    }
}

fn takes_an_undelivered(meta: &ProgramMeta, flow: &FlowMeta) -> bool {
    let [parameter] = flow.parameters.as_slice() else { return false };
    let Some(fields) = fields(meta, &parameter.r#type) else { return false };
    fields.iter().map(|field| (field.name.as_str(), &field.r#type)).eq(UNDELIVERED_FIELDS.iter().map(|(n, t)| (*n, t)))
}

fn takes_a_contact(meta: &ProgramMeta, flow: &FlowMeta) -> bool {
    let [parameter] = flow.parameters.as_slice() else { return false };
    let Some([number, zone, language, permission]) = fields(meta, &parameter.r#type) else { return false };
    let named = [number, zone, language, permission].map(|field| field.name.as_str()) == CONTACT_FIELDS;
    let typed = [&number.r#type, &zone.r#type, &language.r#type] == [&Type::Phone, &Type::TimeZone, &Type::Language];
    let permits = fields(meta, &permission.r#type)
        .is_some_and(|fields| fields.iter().map(|field| field.name.as_str()).eq(Permission::FIELDS));
    named && typed && permits
}
