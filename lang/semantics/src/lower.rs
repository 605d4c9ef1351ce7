//! What was checked, as one program: tables in the contract's form, flows as they were read.

use runtime_contract::cadence::AttemptEnd;
use runtime_contract::compared::{Bounds, Spot};
use runtime_contract::program::{Operation, Parameter, Prompt, Service};
use runtime_contract::queue::Skill;
use runtime_contract::types::{EnumType, Field, RecordType, TypeTable, Variant};

use crate::Surroundings;
use crate::check::CheckedFlow;
use crate::hir;
use crate::project::{Parameter as Declared, Project, SkillInfo};
use crate::ty::Ty;

pub(crate) fn lower(
    project: Project<'_>,
    flows: Vec<Option<CheckedFlow>>,
    inbounds: Vec<hir::Inbound>,
    (queues, cadences, surveys): (Vec<hir::Queue>, Vec<hir::Cadence>, Vec<hir::Survey>),
    tests: Vec<hir::Test>,
    surroundings: &dyn Surroundings,
) -> hir::Program {
    let (types, services, skills) = (types(&project), services(&project), skills(&project));
    let bounds = bounds(&project);
    let (prompts, prompt_spans): (Vec<Prompt>, _) = project.prompts.into_inner().into_iter().unzip();
    let audio = prompts.iter().flat_map(|prompt| &prompt.texts).filter_map(|text| text.audio.as_ref());
    let audio_ms = audio.filter_map(|(file, _)| Some((file.clone(), surroundings.audio_ms(file)?))).collect();
    hir::Program {
        types,
        services,
        bounds,
        languages: project.languages,
        prompts,
        prompt_spans,
        audio_ms,
        hours: project.hours,
        inbounds,
        flows: flows.into_iter().flatten().map(|flow| flow.hir).collect(),
        skills,
        queues,
        cadences,
        rules: Vec::new(),
        surveys,
        tests,
    }
}

pub(crate) fn skills(project: &Project<'_>) -> Vec<Skill> {
    let name = |info: &SkillInfo<'_>| {
        let module = project.modules.get(info.module).map_or("", |module| module.path);
        format!("{module}.{}", info.name.text)
    };
    project.skills.iter().map(|info| Skill { name: name(info), levels: info.levels }).collect()
}

pub(crate) fn types(project: &Project<'_>) -> TypeTable {
    let full = |module: usize, name: &str| {
        project.modules.get(module).map_or_else(String::new, |module| format!("{}.{name}", module.path))
    };
    let enums = project.enums.iter().map(|info| EnumType {
        name: full(info.module, &info.name.text),
        variants: info
            .item
            .variants
            .iter()
            .enumerate()
            .map(|(at, variant)| Variant {
                name: variant.name.text.clone(),
                fields: fields(info.fields.get(at).map_or(&[], |fields| fields)),
                texts: info.texts.get(at).cloned().unwrap_or_default(),
            })
            .collect(),
    });
    let records = project
        .records
        .iter()
        .map(|info| RecordType { name: full(info.module, &info.name.text), fields: fields(&info.fields) });
    let attempt = (!project.cadences.is_empty()).then(AttemptEnd::r#type);
    TypeTable { enums: enums.chain(attempt).collect(), records: records.collect() }
}

fn fields(declared: &[Declared<'_>]) -> Vec<Field> {
    declared.iter().map(|field| Field { name: field.name.text.clone(), r#type: field.ty.lower() }).collect()
}

pub(crate) fn services(project: &Project<'_>) -> Vec<Service> {
    let parameter =
        |declared: &Declared<'_>| Parameter { name: declared.name.text.clone(), r#type: declared.ty.lower() };
    let services = project.services.iter().map(|info| Service {
        name: info.name.text.clone(),
        operations: info
            .operations
            .iter()
            .map(|operation| Operation {
                name: operation.name.text.clone(),
                parameters: operation.parameters.iter().map(parameter).collect(),
                result: operation.result.as_ref().map(crate::ty::Ty::lower),
                within_ms: operation.within_ms,
                writes: operation.writes,
            })
            .collect(),
    });
    services.collect()
}

/// Of all numbers that have bounds where they are written.
fn bounds(project: &Project<'_>) -> Bounds {
    let mut bounds = Bounds::new();
    let mut add = |spot: Spot, ty: &Ty| bounds.extend(ty.bounds().map(|own| (spot, own)));
    for (service, info) in (0..).zip(&project.services) {
        for (operation, info) in (0..).zip(&info.operations) {
            info.result.iter().for_each(|ty| add(Spot::Result { service, operation }, ty));
        }
    }
    for (record, info) in (0..).zip(&project.records) {
        (0..).zip(&info.fields).for_each(|(field, own)| add(Spot::Field { record, field }, &own.ty));
    }
    for (r#enum, info) in (0..).zip(&project.enums) {
        for (variant, fields) in (0..).zip(&info.fields) {
            (0..).zip(fields).for_each(|(field, own)| add(Spot::Carried { r#enum, variant, field }, &own.ty));
        }
    }
    for (cadence, info) in (0..).zip(&project.cadences) {
        (0..).zip(&info.parameters).for_each(|(parameter, own)| add(Spot::Parameter { cadence, parameter }, &own.ty));
    }
    bounds
}
