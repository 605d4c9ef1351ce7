//! Names that nothing uses. Told only of files that are otherwise sound: what is broken may have been meant to use them.

use lang_diagnostics::{Code, Diagnostic, Span};

use crate::check::CheckedFlow;
use crate::problems::Problems;
use crate::project::{Progress, Project};

/// F0104 and F0705, as warnings. The library's names are nobody's business.
pub(crate) fn unused(project: &Project<'_>, flows: &[Option<CheckedFlow>], problems: &mut Problems) {
    let mut give = |code: Code, name: &str, span: Span, message: String, help: &str| {
        if !name.starts_with('_') {
            problems.give(Diagnostic::new(code, span, message).help(help));
        }
    };
    for module in project.modules.iter().filter(|module| !module.path.starts_with("std.")) {
        for (name, import) in &module.imports {
            if !import.used.get() {
                give(
                    Code::UnusedName,
                    name,
                    import.name.span,
                    format!("`{name}` is brought in and never used"),
                    "leave it out",
                );
            }
        }
        for (name, used) in &module.uses {
            if !used.used.get() && !used.with_names {
                give(Code::UnusedName, name, used.span, format!("nothing of `{name}` is used"), "leave the line out");
            }
        }
        for (name, item) in module.items.iter().filter(|(_, item)| item.local && !item.used.get()) {
            give(Code::UnusedName, name, item.name.span, format!("`{name}` is `local` and never used"), "leave it out");
        }
    }
    for (checked, info) in flows.iter().zip(&project.flows) {
        let library = project.modules.get(info.module).is_some_and(|module| module.path.starts_with("std."));
        let Some(checked) = checked.as_ref().filter(|_| !library) else { continue };
        for (name, span) in &checked.unused {
            give(Code::UnusedName, name, *span, format!("`{name}` is never used"), &format!("`_{name}`, or use it"));
        }
    }
    for info in &project.functions {
        let library = project.modules.get(info.module).is_some_and(|module| module.path.starts_with("std."));
        if let (Progress::Done(unused), false) = (&*info.body.borrow(), library) {
            for (name, span) in unused {
                give(
                    Code::UnusedName,
                    name,
                    *span,
                    format!("`{name}` is never used"),
                    &format!("`_{name}`, or use it"),
                );
            }
        }
    }
    for prompt in project.prompt_items.iter().filter(|prompt| !prompt.played.get()) {
        let name = prompt.name.text.as_str();
        give(
            Code::UnusedPrompt,
            name,
            prompt.name.span,
            format!("the prompt `{name}` is never played"),
            &format!("`play {name}`"),
        );
    }
}
