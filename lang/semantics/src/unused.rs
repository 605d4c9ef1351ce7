//! Names that nothing uses. Told only of files that are otherwise sound: what is broken may have been meant to use them.

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast::Name;

use crate::check::CheckedFlow;
use crate::hir::StatementKind;
use crate::problems::Problems;
use crate::project::{Module, Progress, Project};

/// F0104 and F0705, as warnings. The library's names are nobody's business.
pub(crate) fn unused(project: &Project<'_>, flows: &[Option<CheckedFlow>], problems: &mut Problems) {
    let give = |code: Code, name: &str, span: Span, message: String, help: &str| {
        (!name.starts_with('_')).then(|| Diagnostic::new(code, span, message).help(help))
    };
    for module in project.modules.iter().filter(|module| !module.path.starts_with("std.")) {
        for (name, import) in module.imports.iter().filter(|(_, import)| !import.used.get()) {
            let message = format!("`{name}` is brought in and never used");
            if let Some(diagnostic) = give(Code::UnusedName, name, import.name.span, message, "leave it out") {
                problems.give(without_import(diagnostic, module, import.name));
            }
        }
        for (name, used) in module.uses.iter().filter(|(_, used)| !used.used.get() && !used.with_names) {
            let message = format!("nothing of `{name}` is used");
            if let Some(diagnostic) = give(Code::UnusedName, name, used.span, message, "leave the line out") {
                let line = module.ast.uses.iter().find(|line| line.span.holds(used.span)).map(|line| line.span);
                problems.give(diagnostic.edit("leave the line out", line.unwrap_or(used.span), "").certain());
            }
        }
        for (name, item) in module.items.iter().filter(|(_, item)| item.local && !item.used.get()) {
            let message = format!("`{name}` is `local` and never used");
            if let Some(found) = give(Code::UnusedName, name, item.name.span, message, "leave it out") {
                problems.give(found);
            }
        }
    }
    for (checked, info) in flows.iter().zip(&project.flows) {
        let library = project.modules.get(info.module).is_some_and(|module| module.path.starts_with("std."));
        let Some(checked) = checked.as_ref().filter(|_| !library) else { continue };
        for (name, span) in &checked.unused {
            let help = format!("`_{name}`, or use it");
            if let Some(found) = give(Code::UnusedName, name, *span, format!("`{name}` is never used"), &help) {
                problems.give(found);
            }
        }
    }
    for info in &project.functions {
        let library = project.modules.get(info.module).is_some_and(|module| module.path.starts_with("std."));
        if let (Progress::Done(unused), false) = (&*info.body.borrow(), library) {
            for (name, span) in unused {
                let help = format!("`_{name}`, or use it");
                if let Some(found) = give(Code::UnusedName, name, *span, format!("`{name}` is never used"), &help) {
                    problems.give(found);
                }
            }
        }
    }
    for survey in &project.surveys {
        let Some((queue, info)) = survey.queue.and_then(|queue| Some((queue, project.queues.get(queue as usize)?)))
        else {
            continue;
        };
        if !waited_in(flows, queue) {
            let queue = &info.name.text;
            let message = format!("nobody is ever asked: no flow waits in `{queue}`");
            problems.give(
                Diagnostic::new(Code::UnusedName, survey.name.span, message)
                    .label(info.name.span, "this queue")
                    .help(format!("`queue {queue} else hang up` in a flow, or leave the survey out")),
            );
        }
    }
    for prompt in project.prompt_items.iter().filter(|prompt| !prompt.played.get()) {
        let name = prompt.name.text.as_str();
        let message = format!("the prompt `{name}` is never played");
        if let Some(found) = give(Code::UnusedPrompt, name, prompt.name.span, message, &format!("`play {name}`")) {
            problems.give(found);
        }
    }
}

fn waited_in(flows: &[Option<CheckedFlow>], queue: u32) -> bool {
    let mut found = false;
    for flow in flows.iter().flatten().map(|checked| &checked.hir) {
        let handlers = [&flow.fault, &flow.finally].into_iter().flatten();
        for block in flow.steps.iter().map(|step| &step.block).chain([&flow.top]).chain(handlers) {
            block.each(&mut |statement| {
                found |= matches!(&statement.kind, StatementKind::Queue(call) if call.queue == queue);
            });
        }
    }
    found
}

/// A `use` without the name that nothing uses. Where it was the only one, the line goes, or, when its module is named
/// elsewhere in the file, the name alone.
fn without_import(diagnostic: Diagnostic, module: &Module<'_>, name: &Name) -> Diagnostic {
    let Some(line) = module.ast.uses.iter().find(|line| line.names.iter().any(|other| other.span == name.span)) else {
        return diagnostic;
    };
    let at = line.names.iter().position(|other| other.span == name.span).unwrap_or(0);
    let neighbour = |index: Option<usize>| index.and_then(|index| line.names.get(index)).map(|other| other.span);
    let place = match (neighbour(at.checked_sub(1)), neighbour(at.checked_add(1))) {
        (Some(before), _) => before.after().to(name.span),
        (None, Some(next)) => Span { end: next.start, ..name.span },
        (None, None) => {
            let last = line.module.names.last().map_or("", |last| last.text.as_str());
            let named = module.uses.get(last).is_some_and(|used| used.used.get());
            if named { line.module.span.after().to(name.span) } else { line.span }
        }
    };
    diagnostic.edit("leave it out", place, "").certain()
}
