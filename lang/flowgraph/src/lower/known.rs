//! Code of the flows of the check before. A flow that reads the same, of whose files none changed and whose program has
//! the same tables, has the same code. It does not know how files are read.

use std::collections::BTreeSet;
use std::sync::Arc;

use lang_diagnostics::FileId;
use lang_semantics::hir;
use runtime_contract::program::{FlowMeta, Parameter, Place, ProgramMeta, Service};
use runtime_contract::survey::Survey;
use runtime_contract::types::TypeTable;

use super::in_order;
use crate::finish::Part;
use crate::parallel;

#[derive(Default)]
pub struct KnownFlows {
    tables: Tables,
    flows: Vec<KnownFlow>,
    /// Files that changed since.
    changed: BTreeSet<FileId>,
}

/// Whatever the code of a flow takes from its program. Types of a prompt's values are those of the tree.
#[derive(Default)]
struct Tables {
    types: Arc<TypeTable>,
    services: Vec<Service>,
    flows: Vec<FlowMeta>,
    /// Parameters of each queue, and what its agents say of a call.
    queues: Vec<(Vec<Parameter>, Option<u32>)>,
    /// Parameters of each cadence.
    cadences: Vec<Vec<Parameter>>,
    surveys: Vec<Survey>,
}

struct KnownFlow {
    tree: hir::Flow,
    code: Arc<Part>,
    /// Files in which its code names places.
    files: BTreeSet<FileId>,
}

impl KnownFlows {
    /// The file is not what it was, or another file has its id now.
    pub fn changed(&mut self, file: FileId) {
        self.changed.insert(file);
    }

    /// By flow of the program: the code that is known, else what `code` makes.
    pub(super) fn parts(
        &mut self,
        program: &ProgramMeta,
        flows: &[hir::Flow],
        code: impl Fn(u32, &hir::Flow) -> Result<Arc<Part>, Vec<String>> + Sync,
    ) -> Result<Vec<Arc<Part>>, Vec<String>> {
        let ProgramMeta { types, services, flows: declared, .. } = program;
        let queues =
            program.queues.iter().map(|queue| (queue.parameters.clone(), queue.wrap_up_as)).collect::<Vec<_>>();
        let cadences = program.cadences.iter().map(|cadence| cadence.parameters.clone()).collect::<Vec<_>>();
        let is_known = (&self.tables.types, &self.tables.services, &self.tables.flows) == (types, services, declared)
            && (&self.tables.queues, &self.tables.cadences, &self.tables.surveys)
                == (&queues, &cadences, &program.surveys);
        if !is_known {
            self.flows.clear();
            let (types, services, flows) = (Arc::clone(types), services.clone(), declared.clone());
            let surveys = program.surveys.clone();
            self.tables = Tables { types, services, flows, queues, cadences, surveys };
        }
        let known = &self.flows;
        let made = parallel::map(flows, 1, |at, tree| {
            let same = |known: &&KnownFlow| known.files.is_disjoint(&self.changed) && reads_same(&known.tree, tree);
            match known.get(at).filter(same) {
                Some(known) => Ok(Arc::clone(&known.code)),
                None => code(at as u32, tree),
            }
        });
        let parts = in_order(made)?;
        let mut known = std::mem::take(&mut self.flows).into_iter();
        self.flows = parts
            .iter()
            .zip(flows)
            .map(|(code, tree)| match known.next() {
                Some(known) if Arc::ptr_eq(&known.code, code) => known,
                _ => KnownFlow { tree: tree.clone(), code: Arc::clone(code), files: files(code) },
            })
            .collect();
        self.changed.clear();
        Ok(parts)
    }
}

/// Prompts apart, which only linking knows by their numbers.
fn reads_same(one: &hir::Flow, other: &hir::Flow) -> bool {
    let hir::Flow {
        name,
        span,
        locals,
        parameters,
        result,
        top,
        steps,
        fault,
        finally,
        counters,
        dialogues,
        prompts: _,
        is_attempt,
    } = one;
    (name, span, parameters, counters, dialogues, is_attempt)
        == (&other.name, &other.span, &other.parameters, &other.counters, &other.dialogues, &other.is_attempt)
        && (locals, result, top) == (&other.locals, &other.result, &other.top)
        && (steps, fault, finally) == (&other.steps, &other.fault, &other.finally)
}

fn files(code: &Part) -> BTreeSet<FileId> {
    let meta = &code.graph.meta;
    let places = meta.sites.iter().map(|site| &site.place).chain(&meta.fault_places);
    places.map(|place: &Place| FileId(place.file)).collect()
}
