//! `law us_tsr`: a constant of type `std.law.Law`, the file's own or the library's, as the table of a cadence.

use lang_diagnostics::{Code, Diagnostic};
use lang_syntax::ast;
use runtime_contract::cadence::Law;

use super::Reader;
use crate::agreement;
use crate::check::Checker;
use crate::declare::wrong_kind;
use crate::problems::offer_nearest;
use crate::project::Def;
use crate::script::constant;
use crate::ty::Ty;

impl Reader<'_, '_> {
    pub(super) fn law(&mut self, path: &ast::Path) {
        let names: Vec<&str> = path.names.iter().map(|name| name.text.as_str()).collect();
        let own = self.project.reach(self.info.module, &names).filter(|reached| reached.names == names.len());
        let def = own.map(|reached| reached.def).or_else(|| self.of_library(path));
        let id = match def {
            Some(Def::Const(id)) => id,
            Some(Def::Broken) => return,
            Some(other) => return self.problems.give(wrong_kind(path, other, "a law")),
            None => return self.unknown_law(path, &names.join(".")),
        };
        let mut checker = Checker::new(self.project, self.info.module, self.problems);
        let found = checker.constant_path(id, &[], path.span);
        if found.ty.is_broken() {
            return;
        }
        let is_law = matches!(found.ty, Ty::Record(record) if Some(record) == self.project.law());
        let name = match names.as_slice() {
            // `use std.law.us_tsr` and `law us_tsr.profile`
            [.., module, agreement::PROFILE] => module,
            names => names.last().copied().unwrap_or_default(),
        };
        let table = constant(&found.expr).filter(|_| is_law).and_then(|value| Law::from_value(name, &value));
        match table {
            Some(law) => {
                let earlier = self.table.laws.iter().position(|other| *other == law);
                if let Some(earlier) = earlier.and_then(|at| self.places.laws.get(at)) {
                    let message = format!("the law `{}` stands here twice", names.join("."));
                    let diagnostic = Diagnostic::new(Code::DuplicateName, path.span, message);
                    return self.problems.give(diagnostic.label(*earlier, "here too").help("leave one of them out"));
                }
                if law.from_minute >= law.until_minute {
                    let message = format!("by `{}` there is no hour in which somebody may be called", names.join("."));
                    return self.problems.give(
                        Diagnostic::new(Code::WindowOutsideLaw, path.span, message)
                            .help("`from: 08:00, until: 21:00`, the later hour behind the earlier one"),
                    );
                }
                self.table.laws.push(law);
                self.places.laws.push(path.span);
            }
            None => {
                let message = format!("`{}` is no profile of a law", names.join("."));
                self.problems.give(
                    Diagnostic::new(Code::TypeMismatch, path.span, message)
                        .help("a constant of type `Law` (`use std.law: Law`), or one of the library's as `us_tsr`"),
                );
            }
        }
    }

    fn of_library(&self, path: &ast::Path) -> Option<Def> {
        let wanted = agreement::law_module(path)?;
        let module = self.project.modules.iter().find(|module| module.path == wanted)?;
        module.items.get(agreement::PROFILE).map(|item| item.def)
    }

    fn unknown_law(&mut self, path: &ast::Path, name: &str) {
        let diagnostic = Diagnostic::new(Code::UnknownName, path.span, format!("no law is called `{name}` here"));
        let known = self.surroundings.laws();
        self.problems.give(offer_nearest(diagnostic, name, known.iter().map(String::as_str), "law {}"));
    }
}
