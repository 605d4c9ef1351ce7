//! What a service is to answer, as somebody types it: `crm.find` and a value of the language. It is read as the line
//! `given crm.find => …` of a test beside the project's own files, so it means what it means there.

use std::collections::BTreeMap;
use std::fmt::Write;

use lang_diagnostics::FileId;
use lang_semantics::hir;
use lang_syntax::ast::ItemKind;
use runtime_contract::program::SiteNames;
use runtime_contract::script::{Given, Verb};

use crate::analysis::analyze;
use crate::project::{Project, module_of};

/// A file that no project has: its name is no module.
const FILE: &str = "given here.flow";

/// Service and operation by their index, and the answer. The project is one that compiles; the error says what is wrong
/// with `operation` or `value`, and what may be meant.
pub fn read_given(
    project: &Project,
    names: &SiteNames,
    operation: &str,
    value: &str,
) -> Result<(u32, u32, Given), String> {
    let service = operation.split('.').rev().nth(1).unwrap_or(operation);
    let mut text = uses(project, service);
    let _ = write!(text, "\ntest \"given\" {{\n    given {operation} => {value}\n    wait 1s\n}}\n");
    let mut project = project.clone();
    project.add_flow(FILE, text);
    let analysis = analyze(&project, names);
    let here = |file: FileId| analysis.sources.path(file) == FILE;
    let wrong = analysis.diagnostics.iter().find(|problem| problem.is_error() && here(problem.span().file));
    if let Some(problem) = wrong {
        let help = problem.help.as_ref().map_or_else(String::new, |help| format!("; {help}"));
        return Err(format!("{}{help}", problem.message));
    }
    let tests = analysis.program.iter().flat_map(|program| &program.tests);
    let mine = tests.filter(|test| here(test.span.file)).flat_map(|test: &hir::Test| &test.lines);
    mine.into_iter()
        .find_map(|(_, verb)| match verb {
            Verb::Given { service, operation, answer } => Some((*service, *operation, answer.clone())),
            _ => None,
        })
        .ok_or_else(|| format!("`{operation}` is no operation of a service, or `{value}` is not one value"))
}

impl Project {
    /// Of each service, the module that declares it.
    pub fn service_modules(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        for (path, text) in self.flow_texts() {
            let (module, _) = lang_syntax::parse(FileId(0), text);
            for item in &module.items {
                if let ItemKind::Service(service) = &item.kind {
                    found.insert(service.name.text.clone(), module_of(path));
                }
            }
        }
        found
    }
}

/// Lines by which the names stand in sight that stand so where the service is declared.
fn uses(project: &Project, service: &str) -> String {
    for (path, text) in project.flow_texts() {
        let (module, _) = lang_syntax::parse(FileId(0), text);
        let declares = |item: &lang_syntax::ast::Item| match &item.kind {
            ItemKind::Service(item) => item.name.text == service,
            _ => false,
        };
        if !module.items.iter().any(declares) {
            continue;
        }
        let seen = module.items.iter().filter(|item| {
            matches!(item.kind, ItemKind::Enum(_) | ItemKind::Type(_) | ItemKind::Const(_)) || declares(item)
        });
        let names: Vec<&str> = seen.filter_map(|item| Some(item.name()?.text.as_str())).collect();
        let others = module.uses.iter().filter_map(|line| text.get(line.span.range()));
        let own = format!("use {}: {}", module_of(path), names.join(", "));
        return others.chain([own.as_str()]).collect::<Vec<_>>().join("\n");
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOW: &str = "languages en\nenum Tier { gold, plain }\ntype Customer {\n    name: Text\n    tier: Tier\n}\n\
                        service crm {\n    find(n: Int) -> Customer?\n    ping()\n}\ninbound \"+86 400 810 0000\" => f\n\
                        flow f {\n    answer\n    let c = crm.find(1) else none\n    crm.ping() else continue\n    \
                        if c is some x { note name = x.name }\n    hang up\n}\n";

    fn given(operation: &str, value: &str) -> Result<(u32, u32, Given), String> {
        let mut project = Project::default();
        project.add_flow("desk/main.flow", FLOW);
        read_given(&project, &SiteNames::default(), operation, value)
    }

    #[test]
    fn values_are_those_of_the_language() {
        use runtime_contract::value::Value;
        let customer = Value::Record(vec![Value::Text("Li".into()), Value::Enum(0, vec![])]);
        let found = Given::Ok(Some(Value::Some(Box::new(customer))));
        assert_eq!(given("crm.find", "Customer(name: \"Li\", tier: gold)"), Ok((0, 0, found)));
        assert_eq!(given("crm.find", "none"), Ok((0, 0, Given::Ok(Some(Value::None)))));
        assert_eq!(given("crm.find", "failed"), Ok((0, 0, Given::Failed)));
        assert_eq!(given("crm.ping", "none"), Ok((0, 1, Given::Ok(None))));
    }

    #[test]
    fn what_is_wrong_is_said_with_what_may_be_meant() {
        let wrong = |operation, value| given(operation, value).unwrap_err();
        assert!(wrong("crm.fnid", "none").contains("`find`"), "{}", wrong("crm.fnid", "none"));
        assert!(wrong("crn.find", "none").contains("`crm`"), "{}", wrong("crn.find", "none"));
        assert!(wrong("crm.find", "7").contains("Customer"), "{}", wrong("crm.find", "7"));
        for broken in ["", "(", "none\n    press 1", "none }\n\nflow g { hang up", "\"", "Customer(name:"] {
            let read = given("crm.find", broken);
            assert!(read.is_err() || read == given("crm.find", "none"), "{broken:?}: {read:?}");
        }
        assert!(given("", "1").is_err() && given("find", "none").is_err());
    }
}
