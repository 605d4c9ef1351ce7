//! Syntax to the names of the top level: modules, what each declares and what each `use` brings.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast::{self, ItemKind};

use crate::ParsedModule;
use crate::agreement;
use crate::problems::{Problems, offer_nearest};
use crate::project::{
    CadenceInfo, ConstInfo, Def, EnumInfo, FlowInfo, FunctionInfo, Import, Item, Module, Progress, Project, PromptItem,
    QueueInfo, RecordInfo, ServiceInfo, SkillInfo, SurveyInfo, UsedModule,
};
use crate::ty::{self, Ty};

/// Items are declared with their names only: types of fields and parameters come with `declare`.
pub(crate) fn collect<'a>(parsed: &'a [ParsedModule<'a>], problems: &mut Problems) -> Project<'a> {
    let mut project = Project { languages: languages(parsed), ..Project::default() };
    for (index, module) in parsed.iter().enumerate() {
        let items = items(index, module, &mut project, problems);
        let languages = languages_of(module, &project.languages, problems);
        project.modules.push(Module {
            path: &module.path,
            ast: module.ast,
            languages,
            items,
            imports: BTreeMap::new(),
            uses: BTreeMap::new(),
        });
    }
    for (index, module) in parsed.iter().enumerate() {
        imports(index, module, &mut project, problems);
    }
    project
}

/// The languages of the program: of the files with an `inbound` first, then of the others, each in the order written.
/// The library adds none.
fn languages(parsed: &[ParsedModule<'_>]) -> Vec<String> {
    let own = || parsed.iter().filter(|module| !module.path.starts_with("std."));
    let is_entry =
        |module: &&ParsedModule<'_>| module.ast.items.iter().any(|item| matches!(item.kind, ItemKind::Inbound(_)));
    let mut tags: Vec<String> = Vec::new();
    for module in own().filter(is_entry).chain(own().filter(|module| !is_entry(module))) {
        for tag in module.ast.languages.first().map_or(&[][..], |line| &line.tags) {
            if !tags.contains(&tag.text) {
                tags.push(tag.text.clone());
            }
        }
    }
    if tags.is_empty() {
        tags.push("en".to_owned());
    }
    tags
}

fn languages_of(module: &ParsedModule<'_>, program: &[String], problems: &mut Problems) -> Vec<u32> {
    let mut lines = module.ast.languages.iter();
    let Some(first) = lines.next() else { return Vec::new() };
    for again in lines {
        problems.give(
            Diagnostic::new(Code::DuplicateName, again.keyword, "a file says its languages once")
                .label(first.span, "said here"),
        );
    }
    let mut found: Vec<u32> = Vec::new();
    for (at, tag) in first.tags.iter().enumerate() {
        if let Some(earlier) = first.tags.iter().take(at).find(|earlier| earlier.text == tag.text) {
            problems.give(
                Diagnostic::new(Code::DuplicateName, tag.span, format!("`{}` is listed twice", tag.text))
                    .label(earlier.span, "listed here"),
            );
            continue;
        }
        let index = program.iter().position(|known| *known == tag.text);
        found.extend(index.map(|index| index as u32));
    }
    found
}

fn items<'a>(
    index: usize,
    module: &'a ParsedModule<'a>,
    project: &mut Project<'a>,
    problems: &mut Problems,
) -> BTreeMap<&'a str, Item<'a>> {
    let mut found: BTreeMap<&'a str, Item<'a>> = BTreeMap::new();
    titles(module, problems);
    for item in &module.ast.items {
        let def = declare(index, item, project);
        let Some(name) = item.name() else { continue };
        let word = name.text.as_str();
        let taken = agreement::TYPES.contains(&word) && module.path != agreement::MODULE || word == agreement::CONSENT;
        if taken || ty::BUILT_IN.iter().any(|(built_in, _)| *built_in == word) {
            problems.give(
                Diagnostic::new(Code::DuplicateName, name.span, format!("`{word}` is a type of the language"))
                    .help(format!("another name, as `Our{word}`")),
            );
            continue;
        }
        if matches!(def, Def::Function(_)) && word == "percent" {
            problems.give(
                Diagnostic::new(Code::DuplicateName, name.span, "`percent` is a function of the language")
                    .help("another name, as `our_percent`"),
            );
            continue;
        }
        if let Some(first) = found.get(word) {
            problems.give(
                Diagnostic::new(Code::DuplicateName, name.span, format!("`{word}` is declared twice"))
                    .here("declared again here")
                    .label(first.name.span, "first declared here")
                    .help(format!("another name for one of the two, as `{word}_2`")),
            );
            continue;
        }
        found.insert(word, Item { def, name, local: item.local.is_some(), used: Cell::new(false) });
    }
    found
}

/// F0102 for tests of one file: build servers know them by file and title.
fn titles(module: &ParsedModule<'_>, problems: &mut Problems) {
    let mut found: BTreeMap<String, Span> = BTreeMap::new();
    for item in &module.ast.items {
        let ItemKind::Test(test) = &item.kind else { continue };
        let Some(title) = test.title.plain() else { continue };
        if let Some(first) = found.get(&title) {
            problems.give(
                Diagnostic::new(
                    Code::DuplicateName,
                    test.title.span,
                    format!("two tests of this file are called `{title}`"),
                )
                .label(*first, "the first")
                .help(format!("`test \"{title} 2\"`")),
            );
            continue;
        }
        found.insert(title, test.title.span);
    }
}

fn declare<'a>(module: usize, item: &'a ast::Item, project: &mut Project<'a>) -> Def {
    match &item.kind {
        ItemKind::Enum(item) => {
            let variants = item.variants.iter().map(|variant| variant.name.text.as_str()).collect();
            let (fields, texts) = (Vec::new(), Vec::new());
            project.enums.push(EnumInfo {
                module,
                name: &item.name,
                item,
                variants,
                fields,
                texts,
                said: Cell::new(false),
                said_foreign: Cell::new(false),
            });
            Def::Enum(project.enums.len() as u32 - 1)
        }
        ItemKind::Type(item) => {
            project.records.push(RecordInfo { module, name: &item.name, item, fields: Vec::new() });
            Def::Record(project.records.len() as u32 - 1)
        }
        ItemKind::Service(item) => {
            project.services.push(ServiceInfo { module, name: &item.name, item, operations: Vec::new() });
            Def::Service(project.services.len() as u32 - 1)
        }
        ItemKind::Hours(item) => {
            let name = item.name.text.clone();
            project.hours.push(runtime_contract::calendar::HoursTable { name, ..Default::default() });
            Def::Hours(project.hours.len() as u32 - 1)
        }
        ItemKind::Prompt(item) => {
            let played = Cell::new(false);
            let (arguments, called_read) = (Vec::new(), Vec::new());
            project.prompt_items.push(PromptItem { module, name: &item.name, item, arguments, called_read, played });
            Def::Prompt(project.prompt_items.len() as u32 - 1)
        }
        ItemKind::Flow(item) => {
            project.flows.push(FlowInfo { module, name: &item.name, item, parameters: Vec::new(), result: None });
            Def::Flow(project.flows.len() as u32 - 1)
        }
        ItemKind::Const(item) => {
            let value = RefCell::new(Progress::New);
            project.consts.push(ConstInfo { module, name: &item.name, item, value });
            Def::Const(project.consts.len() as u32 - 1)
        }
        ItemKind::Function(item) => {
            let (parameters, result, body) = (Vec::new(), Ty::Broken, RefCell::new(Progress::New));
            project.functions.push(FunctionInfo { module, name: &item.name, item, parameters, result, body });
            Def::Function(project.functions.len() as u32 - 1)
        }
        ItemKind::Inbound(_) | ItemKind::Test(_) => Def::Broken,
        ItemKind::Skill(item) => {
            project.skills.push(SkillInfo { module, name: &item.name, levels: None });
            Def::Skill(project.skills.len() as u32 - 1)
        }
        ItemKind::Queue(item) => {
            let (name, parameters, served, outcomes) = (&item.name, Vec::new(), None, Vec::new());
            project.queues.push(QueueInfo { module, name, item, parameters, served, outcomes, partly_read: false });
            Def::Queue(project.queues.len() as u32 - 1)
        }
        ItemKind::Cadence(item) => {
            project.cadences.push(CadenceInfo { module, name: &item.name, item, parameters: Vec::new() });
            Def::Cadence(project.cadences.len() as u32 - 1)
        }
        ItemKind::Survey(item) => {
            let (name, queue, channels) = (&item.name, None, Vec::new());
            project.surveys.push(SurveyInfo { module, name, item, queue, channels });
            Def::Survey(project.surveys.len() as u32 - 1)
        }
        ItemKind::When(_) => Def::Broken,
    }
}

fn imports<'a>(index: usize, module: &'a ParsedModule<'a>, project: &mut Project<'a>, problems: &mut Problems) {
    let mut imports: BTreeMap<&'a str, Import<'a>> = BTreeMap::new();
    let mut uses: BTreeMap<&'a str, UsedModule> = BTreeMap::new();
    for line in &module.ast.uses {
        let path = line.module.names.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(".");
        let other = project.modules.iter().position(|other| other.path == path);
        if other.is_none() {
            let diagnostic =
                Diagnostic::new(Code::UnknownModule, line.module.span, format!("there is no file `{path}.flow`"));
            let known = project.modules.iter().map(|other| other.path);
            problems.give(offer_nearest(diagnostic, &path, known, "use {}"));
        }
        if let Some(last) = line.module.names.last() {
            let used = UsedModule {
                module: other,
                span: line.module.span,
                with_names: !line.names.is_empty(),
                used: Cell::new(false),
            };
            let earlier = uses.insert(&last.text, used).filter(|earlier| earlier.module != other);
            if let Some(earlier) = earlier {
                problems.give(
                    Diagnostic::new(
                        Code::DuplicateName,
                        last.span,
                        format!("two files are called `{}` here", last.text),
                    )
                    .label(earlier.span, "the other one")
                    .help("name what is meant of one of them, behind a colon"),
                );
            }
        }
        for name in &line.names {
            let def = match other {
                None => Def::Broken,
                Some(other) => {
                    let item = project.modules.get(other).and_then(|other| other.items.get(name.text.as_str()));
                    match item.filter(|item| !item.local || other == index) {
                        Some(item) => {
                            item.used.set(true);
                            item.def
                        }
                        None => {
                            problems.give(project.missing_in(other, name));
                            Def::Broken
                        }
                    }
                }
            };
            let own = project.modules.get(index).and_then(|here| here.items.get(name.text.as_str()));
            let earlier = own.map(|item| item.name).or_else(|| imports.get(name.text.as_str()).map(|i| i.name));
            if let Some(earlier) = earlier {
                problems.give(
                    Diagnostic::new(Code::DuplicateName, name.span, format!("`{}` is declared twice", name.text))
                        .here("brought in here")
                        .label(earlier.span, "first declared here")
                        .help(format!("`use {path}`")),
                );
                continue;
            }
            imports.insert(&name.text, Import { def, name, used: Cell::new(false) });
        }
    }
    if let Some(here) = project.modules.get_mut(index) {
        here.imports = imports;
        here.uses = uses;
    }
}
