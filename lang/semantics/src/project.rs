//! All that the files declare, in tables; what a name of a file leads to. Bodies of flows are not looked at here.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast;
use runtime_contract::calendar::HoursTable;
use runtime_contract::channel::Channel;
use runtime_contract::program::Prompt;
use runtime_contract::program::SiteNames;
use runtime_contract::request::Destination;

use crate::agreement;
use crate::hir;
use crate::problems::{Problems, offer_nearest};
use crate::ty::Ty;

/// What a name of the top level leads to. Indices are of the lists of [`Project`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Def {
    Enum(u32),
    Record(u32),
    Service(u32),
    Hours(u32),
    Prompt(u32),
    Flow(u32),
    Const(u32),
    Function(u32),
    Skill(u32),
    Queue(u32),
    Cadence(u32),
    Survey(u32),
    /// An item that is not compiled yet, or an import that failed: a diagnostic was given.
    Broken,
}

impl Def {
    pub fn word(self) -> &'static str {
        match self {
            Def::Enum(_) => "an enum",
            Def::Record(_) => "a type",
            Def::Service(_) => "a service",
            Def::Hours(_) => "hours",
            Def::Prompt(_) => "a prompt",
            Def::Flow(_) => "a flow",
            Def::Const(_) => "a constant",
            Def::Function(_) => "a function",
            Def::Skill(_) => "a skill of agents",
            Def::Queue(_) => "a queue",
            Def::Cadence(_) => "a cadence",
            Def::Survey(_) => "a survey",
            Def::Broken => "broken",
        }
    }
}

#[derive(Default)]
pub(crate) struct Project<'a> {
    pub modules: Vec<Module<'a>>,
    /// Tags of the program.
    pub languages: Vec<String>,
    pub enums: Vec<EnumInfo<'a>>,
    pub records: Vec<RecordInfo<'a>>,
    pub services: Vec<ServiceInfo<'a>>,
    pub hours: Vec<HoursTable>,
    /// `prompt` items first, by their index; texts in place behind them.
    pub prompts: RefCell<Vec<(Prompt, hir::PromptSpans)>>,
    pub prompt_items: Vec<PromptItem<'a>>,
    pub flows: Vec<FlowInfo<'a>>,
    pub consts: Vec<ConstInfo<'a>>,
    pub functions: Vec<FunctionInfo<'a>>,
    pub skills: Vec<SkillInfo<'a>>,
    pub queues: Vec<QueueInfo<'a>>,
    pub cadences: Vec<CadenceInfo<'a>>,
    pub surveys: Vec<SurveyInfo<'a>>,
    /// Constants and functions that are being looked at.
    pub open: RefCell<Vec<Def>>,
    /// What `strowger.yaml` has.
    pub site: SiteNames,
}

pub(crate) struct Module<'a> {
    pub path: &'a str,
    pub ast: &'a ast::Module,
    /// Indices in the program's languages; the first is the file's own default.
    pub languages: Vec<u32>,
    pub items: BTreeMap<&'a str, Item<'a>>,
    /// `use m: name`
    pub imports: BTreeMap<&'a str, Import<'a>>,
    /// `use m`, by the last word of the path; `None` when there is no such module.
    pub uses: BTreeMap<&'a str, UsedModule>,
}

pub(crate) struct Item<'a> {
    pub def: Def,
    pub name: &'a ast::Name,
    pub local: bool,
    pub used: Cell<bool>,
}

pub(crate) struct Import<'a> {
    pub def: Def,
    pub name: &'a ast::Name,
    pub used: Cell<bool>,
}

pub(crate) struct UsedModule {
    pub module: Option<usize>,
    pub span: Span,
    /// It brings names of its own, so that the module's name may stay unused.
    pub with_names: bool,
    pub used: Cell<bool>,
}

pub(crate) struct EnumInfo<'a> {
    pub module: usize,
    pub name: &'a ast::Name,
    pub item: &'a ast::Enum,
    pub variants: Vec<&'a str>,
    /// By variant, what it carries.
    pub fields: Vec<Vec<Parameter<'a>>>,
    /// By variant, how it is said in each language of the program; empty where its name is.
    pub texts: Vec<Vec<String>>,
    /// A text says a value of it.
    pub said: Cell<bool>,
    /// It was told that a text says it in a language for which it has no words.
    pub said_foreign: Cell<bool>,
}

/// What has fields.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Holder {
    Record(u32),
    Enum(u32),
}

pub(crate) struct RecordInfo<'a> {
    pub module: usize,
    pub name: &'a ast::Name,
    pub item: &'a ast::TypeItem,
    pub fields: Vec<Parameter<'a>>,
}

/// A field of a record; a parameter of a flow, step or operation.
#[derive(Clone)]
pub(crate) struct Parameter<'a> {
    pub name: &'a ast::Name,
    pub ty: Ty,
    pub span: Span,
}

pub(crate) struct ServiceInfo<'a> {
    pub module: usize,
    pub name: &'a ast::Name,
    pub item: &'a ast::Service,
    pub operations: Vec<OperationInfo<'a>>,
}

pub(crate) struct OperationInfo<'a> {
    pub name: &'a ast::Name,
    pub parameters: Vec<Parameter<'a>>,
    pub result: Option<Ty>,
    pub within_ms: u32,
    /// It changes something.
    pub writes: bool,
}

pub(crate) struct PromptItem<'a> {
    pub module: usize,
    pub name: &'a ast::Name,
    pub item: &'a ast::Prompt,
    pub arguments: Vec<hir::Expr>,
    /// What its holes read of the number or extension that was called.
    pub called_read: Vec<(Destination, Span)>,
    pub played: Cell<bool>,
}

pub(crate) struct FlowInfo<'a> {
    pub module: usize,
    pub name: &'a ast::Name,
    pub item: &'a ast::Flow,
    pub parameters: Vec<Parameter<'a>>,
    pub result: Option<Ty>,
}

/// How far the look at a constant or function is. It begins where the first of those that need it is looked at.
pub(crate) enum Progress<T> {
    New,
    Open,
    Done(T),
    /// A diagnostic was given.
    Broken,
}

pub(crate) struct ConstInfo<'a> {
    pub module: usize,
    pub name: &'a ast::Name,
    pub item: &'a ast::Const,
    pub value: RefCell<Progress<(hir::Expr, Ty)>>,
}

pub(crate) struct FunctionInfo<'a> {
    pub module: usize,
    pub name: &'a ast::Name,
    pub item: &'a ast::Function,
    pub parameters: Vec<Parameter<'a>>,
    pub result: Ty,
    /// With its parameters that nothing reads.
    pub body: RefCell<Progress<Vec<(String, Span)>>>,
}

pub(crate) struct SkillInfo<'a> {
    pub module: usize,
    pub name: &'a ast::Name,
    /// First and last, both included; `None` where it has none.
    pub levels: Option<(i64, i64)>,
}

pub(crate) struct QueueInfo<'a> {
    pub module: usize,
    pub name: &'a ast::Name,
    pub item: &'a ast::Queue,
    pub parameters: Vec<Parameter<'a>>,
    /// What the agent says of a conversation at the end of his wrap-up.
    pub served: Option<Ty>,
    /// Outcomes that can happen, by their index in the table of requests.
    pub outcomes: Vec<usize>,
    /// Some of its lines do not read: nobody knows what else it has.
    pub partly_read: bool,
}

pub(crate) struct CadenceInfo<'a> {
    pub module: usize,
    pub name: &'a ast::Name,
    pub item: &'a ast::Cadence,
    pub parameters: Vec<Parameter<'a>>,
}

pub(crate) struct SurveyInfo<'a> {
    pub module: usize,
    pub name: &'a ast::Name,
    pub item: &'a ast::Survey,
    /// `None` where there is no such queue, which was told of.
    pub queue: Option<u32>,
    pub channels: Vec<Channel>,
}

/// What a path led to, and how many of its names that took.
pub(crate) struct Reached {
    pub def: Def,
    pub names: usize,
}

impl<'a> Project<'a> {
    /// The survey that comes after a queue, and its flow, which stands behind those that are written.
    pub fn survey_after(&self, queue: u32) -> Option<(u32, u32)> {
        let survey = self.surveys.iter().position(|survey| survey.queue == Some(queue))?;
        Some((survey as u32, (self.flows.len() + survey) as u32))
    }

    /// The item that the first names of a path lead to: `support`, or `routing.support`. Says nothing.
    pub fn reach(&self, module: usize, names: &[&str]) -> Option<Reached> {
        let here = self.modules.get(module)?;
        let first = names.first()?;
        if let Some(item) = here.items.get(first) {
            item.used.set(true);
            return Some(Reached { def: item.def, names: 1 });
        }
        if let Some(import) = here.imports.get(first) {
            import.used.set(true);
            return Some(Reached { def: import.def, names: 1 });
        }
        if agreement::TYPES.contains(first) {
            let of_language = self.modules.iter().find(|module| module.path == agreement::MODULE)?;
            return Some(Reached { def: of_language.items.get(first)?.def, names: 1 });
        }
        let used = here.uses.get(first)?;
        used.used.set(true);
        let Some(other) = used.module.and_then(|other| self.modules.get(other)) else {
            return Some(Reached { def: Def::Broken, names: names.len() });
        };
        let item = other.items.get(names.get(1)?).filter(|item| !item.local)?;
        item.used.set(true);
        Some(Reached { def: item.def, names: 2 })
    }

    /// The item that a whole path names; gives a diagnostic when there is none. `wanted` says what it should be: `a flow`.
    pub fn find(&self, module: usize, path: &ast::Path, wanted: &str, problems: &mut Problems) -> Def {
        let names: Vec<&str> = path.names.iter().map(|name| name.text.as_str()).collect();
        match self.reach(module, &names) {
            Some(reached) if reached.def == Def::Broken || reached.names == names.len() => reached.def,
            _ => {
                problems.give(self.unknown(module, path, wanted));
                Def::Broken
            }
        }
    }

    /// The diagnostic for a path that leads nowhere.
    pub fn unknown(&self, module: usize, path: &ast::Path, wanted: &str) -> Diagnostic {
        let Some(here) = self.modules.get(module) else {
            return Diagnostic::new(Code::UnknownName, path.span, "this name is not known");
        };
        let (Some(first), Some(last)) = (path.names.first(), path.names.last()) else {
            return Diagnostic::new(Code::UnknownName, path.span, "this name is not known");
        };
        if let (true, Some(other)) = (path.names.len() > 1, self.used_module(module, &first.text)) {
            let named = path.names.get(1).unwrap_or(last);
            return self.missing_in(other, named);
        }
        if path.names.len() == 1 {
            let elsewhere = self.modules.iter().enumerate().find(|(index, other)| {
                *index != module && other.items.get(first.text.as_str()).is_some_and(|item| !item.local)
            });
            if let Some((_, other)) = elsewhere {
                return Diagnostic::new(
                    Code::NotVisible,
                    first.span,
                    format!("`{}` is declared in `{}` and not imported here", first.text, other.path),
                )
                .help(format!("`use {}: {}`", other.path, first.text));
            }
        }
        let names = here.items.keys().chain(here.imports.keys()).chain(here.uses.keys()).copied();
        let diagnostic = Diagnostic::new(Code::UnknownName, first.span, format!("there is no `{}` here", first.text))
            .here(format!("{wanted} is wanted"));
        offer_nearest(diagnostic, &first.text, names, "{}")
    }

    /// The module that a name of a `use` stands for.
    pub fn used_module(&self, module: usize, name: &str) -> Option<usize> {
        self.modules.get(module)?.uses.get(name)?.module
    }

    /// The diagnostic for a name that another module does not show.
    pub fn missing_in(&self, other: usize, name: &ast::Name) -> Diagnostic {
        let Some(other) = self.modules.get(other) else {
            return Diagnostic::new(Code::UnknownName, name.span, format!("there is no `{}`", name.text));
        };
        match other.items.get(name.text.as_str()) {
            Some(item) => {
                Diagnostic::new(Code::NotVisible, name.span, format!("`{}` is `local` to `{}`", name.text, other.path))
                    .label(item.name.span, "declared here")
                    .help("leave `local` out there, or move what needs it into that file")
            }
            None => offer_nearest(
                Diagnostic::new(Code::UnknownName, name.span, format!("`{}` declares no `{}`", other.path, name.text)),
                &name.text,
                other.items.iter().filter(|(_, item)| !item.local).map(|(name, _)| *name),
                "{}",
            ),
        }
    }

    /// Whether a name of the top level is visible in a module.
    pub fn visible(&self, module: usize, name: &str) -> Option<Span> {
        let here = self.modules.get(module)?;
        let item = here.items.get(name).map(|item| item.name.span);
        item.or_else(|| here.imports.get(name).map(|import| import.name.span))
    }

    /// Index of a language of the program by its tag.
    pub fn language(&self, tag: &str) -> Option<u32> {
        self.languages.iter().position(|language| language == tag).map(|index| index as u32)
    }

    pub fn flow(&self, flow: u32) -> Option<&FlowInfo<'a>> {
        self.flows.get(flow as usize)
    }

    pub fn record(&self, record: u32) -> Option<&RecordInfo<'a>> {
        self.records.get(record as usize)
    }

    pub fn operation(&self, service: u32, operation: u32) -> Option<&OperationInfo<'a>> {
        self.services.get(service as usize)?.operations.get(operation as usize)
    }

    /// Whether a value of this type is private, or holds one that is.
    pub fn holds_private(&self, ty: &Ty) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = vec![ty.clone()];
        while let Some(ty) = open.pop() {
            match &ty {
                Ty::Private(_) => return true,
                Ty::Optional(inner) | Ty::List(inner) => open.push((**inner).clone()),
                _ => {}
            }
            if let Some(holder) = ty.holder().filter(|holder| seen.insert(*holder)) {
                open.extend(self.held_by(holder).into_iter().map(|field| field.ty.clone()));
            }
        }
        false
    }

    /// What a record or enum holds: its fields, or those of all variants.
    pub fn held_by(&self, holder: Holder) -> Vec<&Parameter<'a>> {
        match holder {
            Holder::Record(id) => self.record(id).into_iter().flat_map(|record| &record.fields).collect(),
            Holder::Enum(id) => {
                self.enums.get(id as usize).into_iter().flat_map(|info| info.fields.iter().flatten()).collect()
            }
        }
    }

    /// Drops the types of fields that are records or enums, so that nothing else is said of what holds this one.
    pub fn break_fields(&mut self, holder: Holder) {
        let fields: Vec<&mut Parameter<'a>> = match holder {
            Holder::Record(id) => {
                self.records.get_mut(id as usize).into_iter().flat_map(|info| &mut info.fields).collect()
            }
            Holder::Enum(id) => {
                self.enums.get_mut(id as usize).into_iter().flat_map(|info| info.fields.iter_mut().flatten()).collect()
            }
        };
        for field in fields.into_iter().filter(|field| field.ty.holder().is_some()) {
            field.ty = Ty::Broken;
        }
    }

    pub fn holders(&self) -> impl Iterator<Item = Holder> {
        let enums = (0..self.enums.len() as u32).map(Holder::Enum);
        (0..self.records.len() as u32).map(Holder::Record).chain(enums)
    }

    /// Each record and enum behind those that it holds; without those that lead to one that holds itself.
    pub fn holders_inner_first(&self) -> Vec<Holder> {
        let mut holders: BTreeMap<Holder, Vec<Holder>> = BTreeMap::new();
        let mut held: BTreeMap<Holder, usize> = self.holders().map(|holder| (holder, 0)).collect();
        for holder in self.holders() {
            for inner in self.held_by(holder).into_iter().filter_map(|field| field.ty.holder()) {
                holders.entry(inner).or_default().push(holder);
                held.entry(holder).and_modify(|count| *count += 1);
            }
        }
        let mut order: Vec<Holder> = held.iter().filter(|(_, count)| **count == 0).map(|(holder, _)| *holder).collect();
        let mut done = 0;
        while let Some(inner) = order.get(done).copied() {
            done += 1;
            for holder in holders.get(&inner).into_iter().flatten() {
                if let Some(count) = held.get_mut(holder) {
                    *count -= 1;
                    if *count == 0 {
                        order.push(*holder);
                    }
                }
            }
        }
        order
    }

    /// Records and enums that hold themselves, which `lower` could not lay out.
    pub fn self_dependent(&self) -> BTreeSet<Holder> {
        let ending: BTreeSet<Holder> = self.holders_inner_first().into_iter().collect();
        let left = self.holders().filter(|holder| !ending.contains(holder));
        left.filter(|holder| {
            let mut seen = BTreeSet::new();
            let mut open = vec![*holder];
            while let Some(next) = open.pop() {
                let inner = self.held_by(next).into_iter().filter_map(|field| field.ty.holder());
                open.extend(inner.filter(|inner| seen.insert(*inner)));
            }
            seen.contains(holder)
        })
        .collect()
    }
}
