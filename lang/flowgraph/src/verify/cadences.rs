//! Cadences of a graph: every flow that they name has the parameters and the result that those who call it rely on, and
//! every end of an attempt means something.

use runtime_contract::cadence::{AttemptEnd, Cadence, Permission};
use runtime_contract::program::{FlowMeta, ProgramMeta};
use runtime_contract::types::{Class, Type};

use super::Problems;
use crate::graph::Graph;

pub(super) fn check(graph: &Graph, problems: &mut Problems) {
    for cadence in &graph.meta.cadences {
        let checked = Checked { meta: &graph.meta, cadence };
        for problem in checked.problems() {
            problems.add(format!("cadence {}: {problem}", cadence.name));
        }
    }
}

struct Checked<'g> {
    meta: &'g ProgramMeta,
    cadence: &'g Cadence,
}

impl Checked<'_> {
    fn problems(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut expect = |holds: bool, what: &str| {
            if !holds {
                found.push(what.to_owned());
            }
        };
        let cadence = self.cadence;
        let types = &self.meta.types;
        let vault = cadence.parameters.iter().any(|own| types.slots(&own.r#type).contains(&Class::Vault));
        expect(!vault, "a private parameter");
        expect(self.is_permission(cadence.permission), "a permission with another flow");
        let gives = |flow: Option<u32>, result: Type| flow.is_none_or(|flow| self.is_flow(flow, Some(&result), false));
        expect(gives(cadence.number, Type::Phone), "a number with another flow");
        expect(gives(cadence.zone, Type::TimeZone), "a zone with another flow");
        expect(gives(cadence.begin, Type::Optional(Box::new(Type::Time))), "a begin with another flow");
        expect(gives(cadence.exhausted, Type::Int), "`exhausted` with another flow");
        expect(!cadence.window.is_empty(), "no window");
        expect(cadence.window.iter().all(|line| line.from_minute < line.until_minute), "a window that ends first");
        expect(cadence.except.is_sorted_by(|a, b| a < b), "excepted days out of order");
        expect(cadence.attempts_max > 0, "no attempt");
        expect(cadence.retries.iter().all(|ladder| !ladder.is_empty()), "a retry without a delay");
        expect(
            cadence.after.iter().all(|after| self.is_flow(after.flow, None, false)),
            "a later action with another flow",
        );
        let attempts = [cadence.dial.as_ref().map(|dial| dial.flow), cadence.message.as_ref().map(|own| own.flow)];
        let end = types.enums.iter().position(|known| *known == AttemptEnd::r#type());
        let end = end.and_then(|at| u32::try_from(at).ok()).map(Type::Enum);
        expect(
            attempts.iter().flatten().all(|flow| self.is_flow(*flow, end.as_ref(), true)),
            "an attempt with another flow",
        );
        expect(attempts.iter().flatten().count() == 1, "another number of attempts than one");
        found
    }

    /// A record with the fields of a permission.
    fn is_permission(&self, flow: u32) -> bool {
        let Some(Type::Record(id)) = self.meta.flow(flow).and_then(|flow| flow.result.as_ref()) else { return false };
        self.is_flow(flow, Some(&Type::Record(*id)), false)
            && self
                .meta
                .types
                .records
                .get(*id as usize)
                .is_some_and(|record| record.fields.iter().map(|field| field.name.as_str()).eq(Permission::FIELDS))
    }

    /// The flow has the cadence's parameters.
    fn is_flow(&self, flow: u32, result: Option<&Type>, is_attempt: bool) -> bool {
        let is_it = |found: &FlowMeta| {
            found.result.as_ref() == result
                && found.is_attempt == is_attempt
                && found.parameters.iter().map(|own| &own.r#type).eq(self
                    .cadence
                    .parameters
                    .iter()
                    .map(|own| &own.r#type))
        };
        self.meta.flow(flow).is_some_and(is_it)
    }
}
