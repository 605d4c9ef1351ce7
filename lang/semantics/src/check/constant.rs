//! Constants and functions: looked at where they are declared, and put in place where they are used. So no program
//! holds any, and what a use costs is seen there.

use std::collections::BTreeMap;

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast;
use runtime_contract::limits::PURE_COST_MAX;

use super::call::Receiver;
use super::{Checker, Typed, broken, typed};
use crate::declare::resolve;
use crate::hir::{self, ExprKind, LocalId};
use crate::problems::Problems;
use crate::project::{Def, Progress, Project};
use crate::ty::Ty;

/// Constants and functions inside each other, and operations inside each other in what they come to: whatever reads a
/// value may recurse so deep.
const NESTED_MAX: usize = 128;
const DEPTH_MAX: usize = 128;

/// Those that nothing uses, too.
pub(crate) fn check_items(project: &Project<'_>, problems: &mut Problems) {
    for id in 0..project.consts.len() as u32 {
        check_const(project, id, problems);
    }
    for id in 0..project.functions.len() as u32 {
        check_function(project, id, problems);
    }
}

fn check_const(project: &Project<'_>, id: u32, problems: &mut Problems) {
    let Some(info) = project.consts.get(id as usize) else { return };
    if !matches!(*info.value.borrow(), Progress::New) {
        return;
    }
    *info.value.borrow_mut() = Progress::Open;
    project.open.borrow_mut().push(Def::Const(id));
    let told = problems.list.len();
    let wanted = info.item.ty.as_ref().map(|ty| resolve(project, info.module, ty, problems));
    let mut checker = Checker::new(project, info.module, problems);
    let found = checker.expr(&info.item.value, wanted.as_ref());
    let own = found.ty.clone();
    let ty = match (&wanted, own) {
        // A number that is known is a bound, too.
        (None | Some(Ty::Int(None)), own @ Ty::Int(_)) => own,
        (Some(wanted), _) => wanted.clone(),
        (None, own) => own,
    };
    let value = checker.coerce(found, &ty);
    let sound = problems.list.len() == told;
    if let (true, Some((place, what))) = (sound, of_the_call(&value)) {
        let message = format!("a constant is the same in every call, and `{what}` is not");
        let help = format!("`function {}() -> {} = …`", info.name.text, ty.text(project));
        problems.give(Diagnostic::new(Code::TypeMismatch, place, message).help(help));
    } else if sound && ty == Ty::Nothing {
        let message = "`none` alone does not say what is missing";
        problems.give(Diagnostic::new(Code::TypeMismatch, value.span, message).help("`const nobody: Text? = none`"));
    } else if sound {
        too_large(info.name, &value, problems);
    }
    project.open.borrow_mut().pop();
    let is_broken = matches!(value.kind, ExprKind::Broken) || problems.list.len() > told;
    *info.value.borrow_mut() = if is_broken { Progress::Broken } else { Progress::Done((value, ty)) };
}

fn check_function(project: &Project<'_>, id: u32, problems: &mut Problems) {
    let Some(info) = project.functions.get(id as usize) else { return };
    if !matches!(*info.body.borrow(), Progress::New) {
        return;
    }
    *info.body.borrow_mut() = Progress::Open;
    project.open.borrow_mut().push(Def::Function(id));
    let told = problems.list.len();
    let mut checker = Checker::new(project, info.module, problems);
    for parameter in &info.parameters {
        checker.declare(parameter.name, parameter.ty.clone());
    }
    let value = checker.value(&info.item.value, &info.result);
    let unused = checker.locals.iter().filter(|local| !local.used && !local.name.starts_with('_'));
    let unused = unused.map(|local| (local.name.clone(), local.span)).collect();
    if problems.list.len() == told {
        too_large(info.name, &value, problems);
    }
    project.open.borrow_mut().pop();
    let is_broken = matches!(value.kind, ExprKind::Broken) || problems.list.len() > told;
    *info.body.borrow_mut() = if is_broken { Progress::Broken } else { Progress::Done(unused) };
}

/// F0508: what stands at each use, with whatever it uses itself.
fn too_large(name: &ast::Name, value: &hir::Expr, problems: &mut Problems) {
    let operations = size(value);
    if operations > PURE_COST_MAX {
        let message =
            format!("`{}` is worked out by {operations} operations, and {PURE_COST_MAX} is the most", name.text);
        let help = "let a service work it out, or split it where a flow can keep a part by `let`";
        problems.give(Diagnostic::new(Code::WorstCaseTooLong, name.span, message).help(help));
        return;
    }
    let depth = depth(value);
    if depth > DEPTH_MAX {
        let message = format!("`{}` is worked out by operations {depth} deep, and {DEPTH_MAX} is the most", name.text);
        let help = "split it where a flow can keep a part by `let`";
        problems.give(Diagnostic::new(Code::WorstCaseTooLong, name.span, message).help(help));
    }
}

fn depth(value: &hir::Expr) -> usize {
    1 + value.parts().into_iter().map(depth).max().unwrap_or(0)
}

/// Operations by which a value is worked out.
pub(crate) fn size(value: &hir::Expr) -> usize {
    1 + value.parts().into_iter().map(size).sum::<usize>()
}

/// It keeps parts of it while it is worked out, in locals of whoever read it.
fn names_locals(value: &hir::Expr) -> bool {
    match &value.kind {
        ExprKind::Inline { parameters, .. } if !parameters.is_empty() => true,
        ExprKind::IsSome(_, Some(_)) | ExprKind::Match(..) | ExprKind::Local(_) => true,
        _ => value.parts().into_iter().any(names_locals),
    }
}

/// What is not the same in every call.
fn of_the_call(value: &hir::Expr) -> Option<(Span, &'static str)> {
    match value.kind {
        ExprKind::CallerNumber => Some((value.span, "caller.number")),
        ExprKind::CallerLanguage => Some((value.span, "caller.language")),
        ExprKind::CalledNumber => Some((value.span, "called.number")),
        ExprKind::CalledExtension => Some((value.span, "called.extension")),
        ExprKind::HoursOpen(_) => Some((value.span, "is open")),
        _ => value.parts().into_iter().find_map(of_the_call),
    }
}

impl Checker<'_, '_> {
    /// A constant, and the fields behind its name.
    pub fn constant_path(&mut self, id: u32, fields: &[&ast::Name], span: Span) -> Typed {
        if self.nested_too_deep(span) {
            return broken(span);
        }
        check_const(self.project, id, self.problems);
        let project = self.project;
        let Some(info) = project.consts.get(id as usize) else { return broken(span) };
        let mut found = match &*info.value.borrow() {
            Progress::Done((value, ty)) if names_locals(value) => {
                let value = self.inlined(info.module, BTreeMap::new(), |own| own.value(&info.item.value, ty));
                Typed { expr: hir::Expr { span, ..value }, ty: ty.clone() }
            }
            Progress::Done((value, ty)) => Typed { expr: hir::Expr { span, ..value.clone() }, ty: ty.clone() },
            Progress::Open => {
                self.needs_itself(Def::Const(id), span);
                broken(span)
            }
            Progress::New | Progress::Broken => broken(span),
        };
        for field in fields {
            found = self.property(found, field, span);
            found = self.written_out(found);
        }
        found
    }

    /// `function(arguments)`
    pub fn function_call(&mut self, id: u32, arguments: &ast::Arguments, span: Span) -> Typed {
        if self.nested_too_deep(span) {
            return broken(span);
        }
        check_function(self.project, id, self.problems);
        let project = self.project;
        let Some(info) = project.functions.get(id as usize) else { return broken(span) };
        let is_done = match &*info.body.borrow() {
            Progress::Done(_) => true,
            Progress::Open => {
                self.needs_itself(Def::Function(id), span);
                false
            }
            Progress::New | Progress::Broken => false,
        };
        let given = self
            .unbound(|own| own.arguments(&info.name.text, &info.parameters, Some(arguments), span, Receiver::Function));
        let Some(given) = given.filter(|_| is_done) else { return broken(span) };
        let mut parameters: Vec<(LocalId, hir::Expr)> = Vec::new();
        let mut names = BTreeMap::new();
        for argument in given {
            let Some(parameter) = info.parameters.get(argument.index as usize) else { continue };
            let local = self.hidden(parameter.ty.clone(), parameter.span);
            self.inherit(local, &argument.value);
            names.insert(parameter.name.text.clone(), local);
            parameters.push((local, argument.value));
        }
        let value = self.inlined(info.module, names, |own| own.value(&info.item.value, &info.result));
        if matches!(value.kind, ExprKind::Broken) {
            return broken(span);
        }
        typed(ExprKind::Inline { function: id, parameters, value: Box::new(value) }, info.result.clone(), span)
    }

    /// Reads the body of a function in its own module, with nothing but its parameters in sight. Its mistakes were told
    /// of at its declaration.
    fn inlined(
        &mut self,
        module: usize,
        names: BTreeMap<String, LocalId>,
        read: impl FnOnce(&mut Self) -> hir::Expr,
    ) -> hir::Expr {
        let scopes = std::mem::replace(&mut self.scopes, vec![names]);
        let module = std::mem::replace(&mut self.module, module);
        let (locals, told) = (self.locals.len(), self.problems.list.len());
        let value = self.unbound(read);
        self.problems.list.truncate(told);
        self.locals.iter_mut().skip(locals).for_each(|local| local.used = true);
        (self.scopes, self.module) = (scopes, module);
        value
    }

    fn nested_too_deep(&mut self, span: Span) -> bool {
        let too_deep = self.project.open.borrow().len() >= NESTED_MAX;
        if too_deep {
            let message = format!("constants and functions need each other more than {NESTED_MAX} deep here");
            let help = "fewer constants and functions inside each other";
            self.problems.give(Diagnostic::new(Code::WorstCaseTooLong, span, message).help(help));
        }
        too_deep
    }

    /// F0105, at the use that closes the circle.
    fn needs_itself(&mut self, used: Def, span: Span) {
        let open = self.project.open.borrow();
        let circle = open.iter().skip_while(|def| **def != used).chain([&used]);
        let names: Vec<&str> = circle.map(|def| self.named(*def).map_or("", |name| name.text.as_str())).collect();
        let message = format!("`{}` needs itself: `{}`", names.first().unwrap_or(&""), names.join("` → `"));
        let mut diagnostic = Diagnostic::new(Code::SelfDependentItem, span, message).here("needed here");
        if let Some(name) = self.named(used) {
            diagnostic = diagnostic.label(name.span, "declared here");
        }
        let help = match used {
            Def::Function(_) => "leave it out: what shall happen again is a step, to which a bounded go leads back",
            _ => "write the value out in one of them",
        };
        drop(open);
        self.problems.give(diagnostic.help(help));
    }

    fn named(&self, def: Def) -> Option<&ast::Name> {
        match def {
            Def::Const(id) => self.project.consts.get(id as usize).map(|info| info.name),
            Def::Function(id) => self.project.functions.get(id as usize).map(|info| info.name),
            _ => None,
        }
    }
}
