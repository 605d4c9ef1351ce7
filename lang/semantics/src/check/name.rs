//! What a bare name and a name with dots mean as a value.

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast;
use runtime_contract::request::Destination;

use super::{Checker, Region, TopUse, Typed, broken, typed};
use crate::declare::wrong_kind;
use crate::hir::{self, LocalId};
use crate::problems::offer_nearest;
use crate::project::Def;
use crate::ty::Ty;

/// How paths of the library's files begin.
const LIBRARY: &str = "std.";

impl Checker<'_, '_> {
    /// A bare name: a local, else a variant of the wanted enum, else a language.
    pub fn name(&mut self, name: &ast::Name, wanted: Option<&Ty>) -> Typed {
        if let Some(local) = self.lookup(&name.text) {
            return self.read(local, name.span);
        }
        let path = ast::Path { names: vec![name.clone()], span: name.span };
        match wanted.map(Ty::present) {
            Some(Ty::Enum(id)) if self.variant_index(*id, &name.text).is_some() => {
                let variant = self.variant_named(&path, &Ty::Enum(*id));
                return self.complete_variant(variant);
            }
            Some(Ty::Language) => return self.language_named(name),
            _ => {}
        }
        match self.project.reach(self.module, &[&name.text]).map(|reached| reached.def) {
            Some(Def::Broken) => return broken(name.span),
            Some(Def::Const(id)) => return self.constant_path(id, &[], name.span),
            Some(Def::Skill(id)) if self.agent_skills.is_some() => return self.skill(id, wanted, name.span),
            Some(def) => {
                self.problems.give(wrong_kind(&path, def, "a value"));
                return broken(name.span);
            }
            None => {}
        }
        if self.project.language(&name.text).is_some() {
            return self.language_named(name);
        }
        let diagnostic = self.unknown_value(name, wanted);
        self.problems.give(diagnostic);
        broken(name.span)
    }

    fn unknown_value(&self, name: &ast::Name, wanted: Option<&Ty>) -> Diagnostic {
        let word = name.text.as_str();
        if let Some(Ty::Enum(id)) = wanted.map(Ty::present)
            && let Some(info) = self.project.enums.get(*id as usize)
        {
            let diagnostic =
                Diagnostic::new(Code::UnknownName, name.span, format!("`{}` has no variant `{word}`", info.name.text));
            let locals = self.scopes.iter().flat_map(|scope| scope.keys().map(String::as_str));
            return offer_nearest(diagnostic, word, info.variants.iter().copied().chain(locals), "{}");
        }
        if matches!(word, "caller" | "called") {
            return Diagnostic::new(Code::TypeMismatch, name.span, format!("`{word}` is no value itself"))
                .help(format!("`{word}.number`"));
        }
        let with_variant = self.project.enums.iter().find(|info| info.variants.contains(&word));
        if let Some(info) = with_variant {
            return Diagnostic::new(Code::UnknownName, name.span, format!("there is no `{word}` here"))
                .help(format!("`{}.{word}`", info.name.text));
        }
        let locals = self.scopes.iter().flat_map(|scope| scope.keys().map(String::as_str));
        let path = ast::Path { names: vec![name.clone()], span: name.span };
        let diagnostic = self.project.unknown(self.module, &path, "a value");
        match diagnostic.help {
            Some(_) => diagnostic,
            None => offer_nearest(diagnostic, word, locals.chain(["caller", "called"]), "{}"),
        }
    }

    /// The value of a local. `fault` and `finally` see an optional copy of what the top part named.
    pub fn read(&mut self, local: LocalId, span: Span) -> Typed {
        let (region, parameters) = (self.region, self.parameters);
        let Some(info) = self.local_mut(local) else { return broken(span) };
        info.used = true;
        let (ty, top) = (info.ty.clone(), info.top);
        match (region, top) {
            (Region::Fault | Region::Finally, Some(_)) => return self.read_copy(local, span),
            (Region::Fault | Region::Finally, None) => info.read_by_handlers |= local.0 < parameters,
            (Region::Step(step), Some(_)) => self.top_uses.push(TopUse { local, step, span }),
            _ => {}
        }
        match ty.is_broken() {
            true => broken(span),
            false => typed(hir::ExprKind::Local(local), ty, span),
        }
    }

    fn read_copy(&mut self, local: LocalId, span: Span) -> Typed {
        let Some(info) = self.local(local) else { return broken(span) };
        let ty = info.ty.clone().optional();
        if ty.is_broken() {
            return broken(span);
        }
        let copy = match info.copy {
            Some(copy) => copy,
            None => {
                let (name, declared, origin) = (info.name.clone(), info.span, info.origin.clone());
                let copy = self.hidden(ty.clone(), declared);
                if let Some(info) = self.local_mut(copy) {
                    info.name = name;
                    info.read_by_handlers = true;
                    info.origin = origin;
                    info.private_source = Some(local);
                }
                if let Some(info) = self.local_mut(local) {
                    info.copy = Some(copy);
                }
                copy
            }
        };
        typed(hir::ExprKind::Local(copy), ty, span)
    }

    pub fn variant_index(&self, id: u32, name: &str) -> Option<u32> {
        let variants = &self.project.enums.get(id as usize)?.variants;
        variants.iter().position(|variant| *variant == name).map(|index| index as u32)
    }

    /// `vip`, `Tier.vip` or `routing.Tier.vip` where a value of an enum or a language is wanted.
    pub fn variant_named(&mut self, path: &ast::Path, wanted: &Ty) -> Typed {
        let Some(last) = path.names.last() else { return broken(path.span) };
        match wanted {
            Ty::Language => self.language_named(last),
            Ty::Enum(id) => {
                if path.names.len() > 1 {
                    let names = path.names.iter().take(path.names.len() - 1).cloned().collect();
                    let head = ast::Path { names, span: path.span };
                    match self.project.find(self.module, &head, "an enum", self.problems) {
                        Def::Enum(found) if found == *id => {}
                        Def::Broken => return broken(path.span),
                        Def::Enum(found) => {
                            let (found, wanted) = (self.text_of(&Ty::Enum(found)), self.text_of(wanted));
                            let message = format!("this is `{found}`, where `{wanted}` is wanted");
                            self.problems.give(Diagnostic::new(Code::TypeMismatch, path.span, message));
                            return broken(path.span);
                        }
                        def => {
                            self.problems.give(wrong_kind(&head, def, "an enum"));
                            return broken(path.span);
                        }
                    }
                }
                self.variant(*id, last, path.span)
            }
            _ => broken(path.span),
        }
    }

    fn variant(&mut self, id: u32, name: &ast::Name, span: Span) -> Typed {
        match self.variant_index(id, &name.text) {
            Some(index) => typed(hir::ExprKind::Variant(index), Ty::Enum(id), span),
            None => {
                let diagnostic = self.unknown_value(name, Some(&Ty::Enum(id)));
                self.problems.give(diagnostic);
                broken(span)
            }
        }
    }

    /// A variant as a value: F0202 when it carries something, which is not given here.
    fn complete_variant(&mut self, value: Typed) -> Typed {
        let (Ty::Enum(id), hir::ExprKind::Variant(index)) = (&value.ty, &value.expr.kind) else { return value };
        let Some(info) = self.project.enums.get(*id as usize) else { return value };
        let fields = info.fields.get(*index as usize).map_or(&[][..], |fields| fields);
        let Some(first) = fields.first() else { return value };
        let name = info.variants.get(*index as usize).copied().unwrap_or_default();
        let names: Vec<String> = fields.iter().map(|field| format!("`{}`", field.name.text)).collect();
        let example: Vec<String> =
            fields.iter().map(|field| format!("{}: {}", field.name.text, self.example_for(&field.ty))).collect();
        let message = format!("`{name}` lacks {}", names.join(", "));
        let diagnostic = Diagnostic::new(Code::MissingField, value.expr.span, message);
        self.problems
            .give(diagnostic.label(first.span, "declared here").help(format!("`{name}({})`", example.join(", "))));
        broken(value.expr.span)
    }

    pub fn has_fields(&self, id: u32, variant: u32) -> bool {
        let info = self.project.enums.get(id as usize);
        info.and_then(|info| info.item.variants.get(variant as usize)).is_some_and(|variant| !variant.fields.is_empty())
    }

    pub fn language_named(&mut self, name: &ast::Name) -> Typed {
        match self.project.language(&name.text) {
            Some(index) => typed(hir::ExprKind::Language(index), Ty::Language, name.span),
            None => {
                if let Some(diagnostic) = self.library_speaks(&name.text) {
                    self.problems.give(diagnostic);
                    return broken(name.span);
                }
                let diagnostic = Diagnostic::new(
                    Code::UnknownName,
                    name.span,
                    format!("`{}` is none of the languages of these files", name.text),
                );
                let languages = self.project.languages.iter().map(String::as_str);
                let diagnostic = match crate::problems::nearest(&name.text, languages.clone()) {
                    Some(_) => offer_nearest(diagnostic, &name.text, languages, "{}"),
                    None => diagnostic.help(format!("`languages {}`", languages.collect::<Vec<_>>().join(", "))),
                };
                self.problems.give(diagnostic);
                broken(name.span)
            }
        }
    }

    /// A file of the library is in a language that the project is not: told once, where the project uses the file.
    fn library_speaks(&self, tag: &str) -> Option<Diagnostic> {
        let own = self.project.modules.get(self.module).filter(|own| own.path.starts_with(LIBRARY))?;
        let tags: Vec<&str> = own.ast.languages.first()?.tags.iter().map(|own| own.text.as_str()).collect();
        if !tags.contains(&tag) {
            return None;
        }
        let users = self.project.modules.iter().filter(|module| !module.path.starts_with(LIBRARY));
        let mut uses = users.flat_map(|module| module.uses.values());
        let found = uses.find(|used| used.module == Some(self.module))?;
        let lacking: Vec<&str> = tags.into_iter().filter(|tag| self.project.language(tag).is_none()).collect();
        let (lacking, has) = (lacking.join(", "), self.project.languages.join(", "));
        let message = format!("`{}` is for `{lacking}` too, and this project speaks only `{has}`", own.path);
        let help = format!("leave it out, or speak these languages too: `languages {has}, {lacking}`");
        Some(Diagnostic::new(Code::UnknownName, found.span, message).help(help))
    }

    /// `base.field` as a value.
    pub fn field(&mut self, whole: &ast::Expr, base: &ast::Expr, field: &ast::Name) -> Typed {
        if let Some(names) = Self::names_of(whole)
            && let Some(first) = names.first()
            && self.lookup(&first.text).is_none()
        {
            if let ("caller" | "called", 2) = (first.text.as_str(), names.len()) {
                return self.call_property(first, field, whole.span);
            }
            if !matches!(first.text.as_str(), "caller" | "called") {
                return self.item_path(&names, whole.span);
            }
        }
        let base = self.expr(base, None);
        self.property(base, field, whole.span)
    }

    fn call_property(&mut self, of: &ast::Name, field: &ast::Name, span: Span) -> Typed {
        if !self.has_caller(span) {
            return broken(span);
        }
        match (of.text.as_str(), field.text.as_str()) {
            ("caller", "number") => typed(hir::ExprKind::CallerNumber, Ty::Phone.optional(), span),
            ("caller", "language") => typed(hir::ExprKind::CallerLanguage, Ty::Language, span),
            ("called", "number") => {
                self.called_read.push((Destination::Number, span));
                typed(hir::ExprKind::CalledNumber, Ty::Phone, span)
            }
            ("called", "extension") => {
                self.called_read.push((Destination::Extension, span));
                typed(hir::ExprKind::CalledExtension, Ty::Digits, span)
            }
            (of, _) => {
                let known: &[&str] = if of == "caller" { &["number", "language"] } else { &["number", "extension"] };
                let message = format!("`{of}` has no `{}`", field.text);
                let diagnostic = Diagnostic::new(Code::UnknownField, field.span, message);
                self.problems.give(offer_nearest(diagnostic, &field.text, known.iter().copied(), "{}"));
                broken(span)
            }
        }
    }

    /// A path that begins with no local: `Tier.vip`, `routing.Tier.vip`; whatever else is no value.
    fn item_path(&mut self, names: &[&ast::Name], span: Span) -> Typed {
        let words: Vec<&str> = names.iter().map(|name| name.text.as_str()).collect();
        let path = ast::Path { names: names.iter().map(|name| (*name).clone()).collect(), span };
        let Some(reached) = self.project.reach(self.module, &words) else {
            let diagnostic = match names.first() {
                Some(first) if self.project.used_module(self.module, &first.text).is_none() => {
                    self.unknown_value(first, None)
                }
                _ => self.project.unknown(self.module, &path, "a value"),
            };
            self.problems.give(diagnostic);
            return broken(span);
        };
        match (reached.def, names.get(reached.names)) {
            (Def::Broken, _) => broken(span),
            (Def::Enum(id), Some(variant)) => {
                let variant = self.variant(id, variant, span);
                let variant = self.complete_variant(variant);
                let fields = names.iter().skip(reached.names + 1);
                fields.fold(variant, |value, field| self.property(value, field, span))
            }
            (Def::Skill(id), None) if self.agent_skills.is_some() => self.skill(id, None, span),
            (Def::Queue(queue), Some(measure)) => {
                let value = self.measure(queue, measure, span);
                names.iter().skip(reached.names + 1).fold(value, |value, field| self.property(value, field, span))
            }
            (Def::Const(id), _) => self.constant_path(id, names.get(reached.names..).unwrap_or_default(), span),
            (Def::Service(service), Some(operation)) => {
                self.problems.give(self.not_called(service, operation, span));
                broken(span)
            }
            (def, _) => {
                self.problems.give(wrong_kind(&path, def, "a value"));
                broken(span)
            }
        }
    }

    fn not_called(&self, service: u32, operation: &ast::Name, span: Span) -> Diagnostic {
        let name = self.project.services.get(service as usize).map_or("", |info| info.name.text.as_str());
        Diagnostic::new(
            Code::TypeMismatch,
            span,
            format!("`{}` is an operation of `{name}`, not a value", operation.text),
        )
        .help(format!("ask it on a line of its own, by `{name}.{}(`", operation.text))
    }
}
