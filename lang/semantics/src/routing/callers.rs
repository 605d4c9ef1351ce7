//! Whom a queue is asked to judge: a row of facts for each kind of caller that a condition can tell apart, as far as the
//! types of what the queue is given and the calls that are written have few enough.

use std::collections::BTreeSet;

use runtime_contract::types::Type;

use super::facts::{Facts, Known};
use super::proofs::returned;
use crate::check::CheckedFlow;
use crate::hir::{self, Block, Expr, ExprKind, LocalId, StatementKind};
use crate::project::{Project, QueueInfo};
use crate::ty::Ty;

/// Values of one parameter, and kinds of callers, that are told apart; what has more stays open.
const VALUES_MAX: usize = 64;
const KINDS_MAX: usize = 256;
/// Operations by which all of them are worked out.
const OPERATIONS_MAX: usize = 1_000_000;
/// Records in records and enums.
const DEPTH_MAX: usize = 8;

/// What some conditions read of a caller.
pub(super) struct Reads<'r, 'a> {
    project: &'r Project<'a>,
    info: &'r QueueInfo<'a>,
    locals: BTreeSet<LocalId>,
    /// Records and their fields.
    fields: BTreeSet<(u32, u32)>,
    has_language: bool,
    has_number: bool,
    operations: usize,
}

impl<'r, 'a> Reads<'r, 'a> {
    pub fn of<'v>(
        project: &'r Project<'a>,
        info: &'r QueueInfo<'a>,
        values: impl IntoIterator<Item = &'v Expr>,
    ) -> Self {
        let (locals, fields) = (BTreeSet::new(), BTreeSet::new());
        let mut reads = Reads { project, info, locals, fields, has_language: false, has_number: false, operations: 0 };
        let mut open: Vec<&Expr> = values.into_iter().collect();
        while let Some(value) = open.pop() {
            reads.operations += 1;
            match &value.kind {
                ExprKind::Local(local) => {
                    reads.locals.insert(*local);
                }
                ExprKind::Field { base, field } | ExprKind::OptionalField { base, field } => {
                    let of = match &base.ty {
                        Type::Optional(inner) => inner,
                        other => other,
                    };
                    if let Type::Record(id) = of {
                        reads.fields.insert((*id, *field));
                    }
                }
                ExprKind::CallerLanguage => reads.has_language = true,
                ExprKind::CallerNumber => reads.has_number = true,
                _ => {}
            }
            open.extend(value.parts());
        }
        reads
    }

    /// All kinds of callers who may be given `base`: with each value of whatever else is read. For each, so many `rows`
    /// of levels are tried.
    pub fn kinds(&self, base: &Facts, rows: usize) -> Vec<Facts> {
        let most = KINDS_MAX.min(OPERATIONS_MAX / rows.saturating_mul(self.operations).max(1));
        let mut kinds = vec![base.clone()];
        for (local, parameter) in (0..).map(LocalId).zip(&self.info.parameters) {
            if self.locals.contains(&local) && !base.locals.contains_key(&local) {
                let values = self.values(&parameter.ty, 0);
                each(&mut kinds, most, &values, |facts, value| {
                    facts.locals.insert(local, value.clone());
                });
            }
        }
        if self.has_language {
            each(&mut kinds, most, self.languages(), |facts, language| facts.language = Some(*language));
        }
        if self.has_number {
            each(&mut kinds, most, &[true, false], |facts, has| facts.has_number = Some(*has));
        }
        kinds
    }

    /// Those that the file speaks.
    fn languages(&self) -> &'r [u32] {
        self.project.modules.get(self.info.module).map_or(&[][..], |module| &module.languages)
    }

    /// Some of the values of a type; among them an open one where they are not all.
    fn values(&self, ty: &Ty, depth: usize) -> Vec<Known> {
        let open = vec![Known::Open];
        if depth > DEPTH_MAX {
            return open;
        }
        match ty {
            Ty::Bool => vec![Known::Bool(false), Known::Bool(true)],
            Ty::Int(Some((low, high))) if high.saturating_sub(*low) < VALUES_MAX as i64 => {
                (*low..=*high).map(Known::Number).collect()
            }
            Ty::Int(Some((low, high))) => vec![Known::Number(*low), Known::Number(*high), Known::Open],
            Ty::Optional(inner) => {
                let inner = self.values(inner, depth + 1).into_iter();
                [Known::Absent].into_iter().chain(inner.map(|value| Known::Present(Box::new(value)))).collect()
            }
            Ty::Enum(id) => {
                let Some(info) = self.project.enums.get(*id as usize) else { return open };
                let carried = info.fields.iter().map(|fields| {
                    let fields: Vec<Vec<Known>> =
                        fields.iter().map(|field| self.values(&field.ty, depth + 1)).collect();
                    rows(&fields)
                });
                let variants = (0..).zip(carried);
                variants.flat_map(|(at, rows)| rows.into_iter().map(move |row| Known::Variant(at, row))).collect()
            }
            Ty::Record(id) => {
                let Some(info) = self.project.record(*id) else { return open };
                let fields: Vec<Vec<Known>> = (0..)
                    .zip(&info.fields)
                    .map(|(at, field)| match self.fields.contains(&(*id, at)) {
                        true => self.values(&field.ty, depth + 1),
                        false => vec![Known::Open],
                    })
                    .collect();
                rows(&fields).into_iter().map(Known::Record).collect()
            }
            _ => open,
        }
    }

    /// `` `tier` is `vip` ``, of whatever the conditions read.
    pub fn told(&self, facts: &Facts) -> Vec<String> {
        let mut told = Vec::new();
        for (local, parameter) in (0..).map(LocalId).zip(&self.info.parameters) {
            if let Some(known) = facts.locals.get(&local).filter(|_| self.locals.contains(&local)) {
                self.tell(&parameter.name.text, &parameter.ty, known, &mut told);
            }
        }
        if let Some(tag) = facts.language.and_then(|language| self.project.languages.get(language as usize)) {
            told.push(format!("`caller.language` is `{tag}`"));
        }
        match facts.has_number {
            Some(true) => told.push("`caller.number` is there".to_owned()),
            Some(false) => told.push("`caller.number` is `none`".to_owned()),
            None => {}
        }
        told
    }

    fn tell(&self, path: &str, ty: &Ty, known: &Known, told: &mut Vec<String>) {
        let project = self.project;
        let said = match (known, ty.present()) {
            (Known::Present(inner), _) => return self.tell(path, ty, inner, told),
            (Known::Record(fields), Ty::Record(id)) => {
                let declared = project.record(*id).map_or(&[][..], |info| &info.fields);
                for (field, known) in declared.iter().zip(fields) {
                    self.tell(&format!("{path}.{}", field.name.text), &field.ty, known, told);
                }
                return;
            }
            (Known::Variant(at, _), Ty::Enum(id)) => {
                let info = project.enums.get(*id as usize);
                info.and_then(|info| info.variants.get(*at as usize)).map(|name| (*name).to_owned())
            }
            (Known::Number(number), Ty::Int(_)) => Some(number.to_string()),
            (Known::Bool(holds), _) => Some(holds.to_string()),
            (Known::Text(text), _) => Some(format!("\"{text}\"")),
            (Known::Language(language), _) => project.languages.get(*language as usize).cloned(),
            (Known::Absent, _) => Some("none".to_owned()),
            _ => None,
        };
        told.extend(said.map(|said| format!("`{path}` is `{said}`")));
    }
}

/// ` when A and B`
pub(super) fn when(told: &[String]) -> String {
    if told.is_empty() { String::new() } else { format!(" when {}", told.join(" and ")) }
}

/// Every one of the kinds with every one of the values, where that are not too many.
fn each<T>(kinds: &mut Vec<Facts>, most: usize, values: &[T], set: impl Fn(&mut Facts, &T)) {
    if values.is_empty() || kinds.len().saturating_mul(values.len()) > most {
        return;
    }
    let with = |kind: &Facts, value| {
        let mut kind = kind.clone();
        set(&mut kind, value);
        kind
    };
    *kinds = kinds.iter().flat_map(|kind| values.iter().map(move |value| with(kind, value))).collect();
}

/// One value of each, in every way; of one that would make too many, an open one.
fn rows(values: &[Vec<Known>]) -> Vec<Vec<Known>> {
    let mut rows = vec![Vec::new()];
    for values in values {
        let open = [Known::Open];
        let values = if rows.len().saturating_mul(values.len()) > VALUES_MAX { &open[..] } else { values };
        let with = |row: &Vec<Known>, value: &Known| row.iter().chain([value]).cloned().collect::<Vec<_>>();
        rows = rows.iter().flat_map(|row| values.iter().map(move |value| with(row, value))).collect();
    }
    rows
}

/// By queue, what each `queue` and each `overflow` that is written gives it, as far as that is known there.
pub(super) fn calls(queues: &[hir::Queue], flows: &[Option<CheckedFlow>]) -> Vec<Vec<Facts>> {
    let mut found = vec![Vec::new(); queues.len()];
    for flow in flows.iter().flatten().map(|flow| &flow.hir) {
        let blocks = [Some(&flow.top), flow.fault.as_ref(), flow.finally.as_ref()].into_iter().flatten();
        for block in blocks.chain(flow.steps.iter().map(|step| &step.block)) {
            queue_calls(block, &mut found);
        }
    }
    for overflow in queues.iter().filter_map(|queue| queue.table.overflow.as_ref()) {
        let values = (0..).zip(overflow.arguments.iter().map(|flow| returned(flows, *flow)));
        note(&mut found, overflow.queue, values.filter_map(|(at, value)| Some((at, value?))));
    }
    found
}

fn queue_calls(block: &Block, found: &mut [Vec<Facts>]) {
    for statement in &block.statements {
        if let StatementKind::Queue(call) = &statement.kind {
            note(found, call.queue, call.arguments.iter().map(|argument| (argument.index, &argument.value)));
        }
        statement.blocks().into_iter().for_each(|block| queue_calls(block, found));
    }
}

fn note<'v>(found: &mut [Vec<Facts>], queue: u32, arguments: impl Iterator<Item = (u32, &'v Expr)>) {
    let Some(calls) = found.get_mut(queue as usize) else { return };
    let mut facts = Facts::default();
    for (index, value) in arguments {
        let known = Facts::default().works_out(value);
        if known.is_closed() {
            facts.locals.insert(LocalId(index), known);
        }
    }
    if !calls.contains(&facts) && calls.len() < KINDS_MAX {
        calls.push(facts);
    }
}
