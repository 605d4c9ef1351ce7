//! Types end: records do not contain themselves, nor grow beyond a frame, so that what walks a type may recurse.

use runtime_contract::limits::FRAME_BYTES_MAX;
use runtime_contract::program::{ProgramMeta, SiteKind};
use runtime_contract::request::Request;
use runtime_contract::types::{Class, Field, Type, TypeTable};

use super::Problems;
use crate::graph::Graph;

/// Records inside each other.
const DEPTH_MAX: u32 = 32;
/// Steps of a walk over one type: slots, at most a frame of them, and the records and options around each.
const COST_MAX: usize = FRAME_BYTES_MAX / 8 * DEPTH_MAX as usize;

#[derive(Clone, Copy, Debug, PartialEq)]
struct Size {
    depth: u32,
    cost: usize,
}

/// Sizes of records and of enums, as far as they are known.
#[derive(Clone, Debug, PartialEq)]
struct Sizes {
    records: Vec<Option<Size>>,
    enums: Vec<Option<Size>>,
}

pub fn check(graph: &Graph, problems: &mut Problems) {
    let meta = &graph.meta;
    let Some(sizes) = sizes(&meta.types, problems) else { return };
    let sound = |r#type: &Type| size(&sizes, r#type).is_some();
    for (place, r#type) in types(meta) {
        problems.expect(sound(r#type), || format!("{place}: a type that is unknown or too large: {type:?}"));
    }
}

/// `None` when some record or enum is unsound.
fn sizes(table: &TypeTable, problems: &mut Problems) -> Option<Sizes> {
    let mut sizes = Sizes { records: vec![None; table.records.len()], enums: vec![None; table.enums.len()] };
    // Each round sizes those whose fields are sized; those inside each other take at most DEPTH_MAX rounds.
    for _ in 0..=DEPTH_MAX {
        let before = sizes.clone();
        for (size, record) in sizes.records.iter_mut().zip(&table.records) {
            *size = fields_size(&before, record.fields.iter());
        }
        for (size, found) in sizes.enums.iter_mut().zip(&table.enums) {
            *size = fields_size(&before, found.variants.iter().flat_map(|variant| &variant.fields));
        }
        if sizes == before {
            break;
        }
    }
    let mut sound = true;
    for (what, sizes) in [("record", &sizes.records), ("enum", &sizes.enums)] {
        for (id, _) in sizes.iter().enumerate().filter(|(_, size)| size.is_none()) {
            sound = false;
            problems.add(format!("{what} {id}: contains itself, or is unknown or too large in a field"));
        }
    }
    sound.then_some(sizes)
}

fn fields_size<'t>(sizes: &Sizes, mut fields: impl Iterator<Item = &'t Field>) -> Option<Size> {
    let total = fields.try_fold(Size { depth: 1, cost: 1 }, |total, field| {
        let field = size(sizes, &field.r#type)?;
        Some(Size { depth: total.depth.max(field.depth + 1), cost: total.cost + field.cost })
    });
    total.filter(|size| size.cost <= COST_MAX)
}

fn size(sizes: &Sizes, r#type: &Type) -> Option<Size> {
    let size = match r#type {
        Type::Record(id) => sizes.records.get(*id as usize).copied().flatten()?,
        Type::Enum(id) => sizes.enums.get(*id as usize).copied().flatten()?,
        Type::Optional(inner) | Type::Private(inner) | Type::List(inner) => {
            let inner = size(sizes, inner)?;
            Size { depth: inner.depth + 1, cost: inner.cost + 1 }
        }
        Type::Money => Size { depth: 0, cost: 2 },
        _ => Size { depth: 0, cost: 1 },
    };
    (size.depth <= DEPTH_MAX && size.cost <= COST_MAX).then_some(size)
}

/// Every type that the tables name, with its place; those of enum and record tables apart.
fn types(meta: &ProgramMeta) -> impl Iterator<Item = (Place<'_>, &Type)> {
    let flows = meta.flows.iter().flat_map(|flow| {
        let types = flow.parameters.iter().map(|parameter| &parameter.r#type).chain(&flow.result);
        types.map(|r#type| (Place::Flow(&flow.name), r#type))
    });
    let prompts = meta
        .prompts
        .iter()
        .enumerate()
        .flat_map(|(id, prompt)| prompt.arguments.iter().map(move |r#type| (Place::Prompt(id), r#type)));
    let operations = meta.services.iter().flat_map(|service| &service.operations).flat_map(|operation| {
        let types = operation.parameters.iter().map(|parameter| &parameter.r#type).chain(&operation.result);
        types.map(|r#type| (Place::Operation(&operation.name), r#type))
    });
    let sites = meta.sites.iter().flat_map(|site| {
        let noted = match &site.kind {
            SiteKind::Request(Request::Note { r#type, .. }) => Some(r#type),
            _ => None,
        };
        let types = site.arguments.iter().chain(site.payloads.iter().flatten()).chain(noted);
        types.map(|r#type| (Place::Site(&site.key), r#type))
    });
    flows.chain(prompts).chain(operations).chain(sites)
}

/// Where a type is named.
enum Place<'m> {
    Flow(&'m str),
    Prompt(usize),
    Operation(&'m str),
    Site(&'m str),
}

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Flow(name) => write!(f, "flow {name}"),
            Place::Prompt(id) => write!(f, "prompt {id}"),
            Place::Operation(name) => write!(f, "operation {name}"),
            Place::Site(key) => write!(f, "site {key}"),
        }
    }
}

/// Classes of values one after the other.
pub fn classes<'t>(table: &'t TypeTable, types: impl IntoIterator<Item = &'t Type>) -> Vec<Class> {
    types.into_iter().flat_map(|r#type| table.slots(r#type)).collect()
}
