//! What is written like a call: records, operations of services, flows; and the arguments of each.

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast::{self, ExprKind};

use super::{Checker, Typed, broken, typed};
use crate::declare::wrong_kind;
use crate::hir;
use crate::problems::offer_nearest;
use crate::project::{Def, Parameter};
use crate::ty::Ty;

/// What arguments are for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Receiver {
    /// Fields are named unless there is only one.
    Record,
    Operation,
    Function,
    Flow,
    Step,
    /// A queue or a cadence: what it is given outlives the call, so nothing in it is private.
    Beyond,
}

/// An operation of a service that is called.
pub(crate) struct OperationCall<'e> {
    pub service: u32,
    /// `None` when the service has no such operation, which was said.
    pub operation: Option<u32>,
    /// The service, as it is written.
    pub of: String,
    pub name: &'e ast::Name,
    pub arguments: &'e ast::Arguments,
}

impl<'a> Checker<'_, 'a> {
    /// The operation that an expression calls; `None` when it is no such call. Says nothing but about an operation
    /// that the service does not have.
    pub fn operation_call<'e>(&mut self, expr: &'e ast::Expr) -> Option<OperationCall<'e>> {
        let ExprKind::Call { callee, arguments } = &expr.kind else { return None };
        let ExprKind::Field { base, field } = &callee.kind else { return None };
        let names = Self::names_of(base)?;
        if self.lookup(&names.first()?.text).is_some() {
            return None;
        }
        let words: Vec<&str> = names.iter().map(|name| name.text.as_str()).collect();
        let reached = self.project.reach(self.module, &words)?;
        let Def::Service(service) = reached.def else { return None };
        if reached.names != words.len() {
            return None;
        }
        let operation = self.operation_named(service, field);
        Some(OperationCall { service, operation, of: words.join("."), name: field, arguments })
    }

    pub fn operation_named(&mut self, service: u32, name: &ast::Name) -> Option<u32> {
        let info = self.project.services.get(service as usize)?;
        if let Some(index) = info.operations.iter().position(|operation| operation.name.text == name.text) {
            return Some(index as u32);
        }
        let message = format!("the service `{}` has no operation `{}`", info.name.text, name.text);
        let diagnostic = Diagnostic::new(Code::UnknownField, name.span, message);
        let names = info.operations.iter().map(|operation| operation.name.text.as_str());
        self.problems.give(
            offer_nearest(diagnostic, &name.text, names, "{}").label(info.name.span, "the service is declared here"),
        );
        None
    }

    /// A call inside an expression: a record, a conversion, a method. Whatever waits gives F0507.
    pub fn call_value(
        &mut self,
        whole: &ast::Expr,
        callee: &ast::Expr,
        arguments: &ast::Arguments,
        wanted: Option<&Ty>,
    ) -> Typed {
        let span = whole.span;
        if let Some(names) = Self::names_of(callee)
            && let Some(first) = names.first()
            && self.lookup(&first.text).is_none()
            && !matches!(first.text.as_str(), "caller" | "called")
        {
            return self.item_call(&names, arguments, wanted, span);
        }
        match &callee.kind {
            ExprKind::Field { base, field } => {
                let base = self.expr(base, None);
                self.method(base, field, arguments, span)
            }
            ExprKind::Missing => broken(span),
            _ => {
                let value = self.expr(callee, None);
                if !value.ty.is_broken() {
                    let message = "only records, operations and methods are written with brackets";
                    self.problems.give(Diagnostic::new(Code::TypeMismatch, callee.span, message));
                }
                broken(span)
            }
        }
    }

    fn item_call(
        &mut self,
        names: &[&ast::Name],
        arguments: &ast::Arguments,
        wanted: Option<&Ty>,
        span: Span,
    ) -> Typed {
        let words: Vec<&str> = names.iter().map(|name| name.text.as_str()).collect();
        if let [name] = names {
            if let Some(value) = self.built_in(name, arguments, span) {
                return value;
            }
            if let Some(Ty::Enum(id)) = wanted.map(Ty::present)
                && let Some(variant) = self.variant_index(*id, &name.text)
            {
                return self.variant_call(*id, variant, name, arguments, span);
            }
        }
        let path =
            ast::Path { names: names.iter().map(|name| (*name).clone()).collect(), span: names_span(names, span) };
        let Some(reached) = self.project.reach(self.module, &words) else {
            let last = names.last().map_or("", |name| name.text.as_str());
            let of_enum = self.project.enums.iter().find(|info| info.variants.contains(&last));
            self.problems.give(match of_enum.filter(|_| names.len() == 1) {
                Some(info) => Diagnostic::new(Code::UnknownName, path.span, format!("there is no `{last}` here"))
                    .help(format!("`{}.{last}`", info.name.text)),
                None => self.project.unknown(self.module, &path, "a type or a service"),
            });
            for argument in &arguments.list {
                self.expr(&argument.value, None);
            }
            return broken(span);
        };
        match (reached.def, names.len() - reached.names) {
            (Def::Broken, _) => broken(span),
            (Def::Record(id), 0) => self.record(id, arguments, span),
            (Def::Function(id), 0) => self.function_call(id, arguments, span),
            (Def::Const(id), more) if more > 0 => {
                let (fields, method) = names.split_at(names.len() - 1);
                let base = self.constant_path(id, fields.get(reached.names..).unwrap_or_default(), span);
                match method {
                    [method] => self.method(base, method, arguments, span),
                    _ => base,
                }
            }
            (Def::Flow(_), 0) => {
                let line = self.run_for_result("run …");
                self.waits_inside(span, "a flow is run on a line of its own", &line);
                broken(span)
            }
            (Def::Service(service), 1) => {
                let known = names.last().is_some_and(|name| self.operation_named(service, name).is_some());
                if known {
                    let message = "a service is asked on a line of its own, so that the wait can be seen";
                    let line = format!("`let result = … else {}`", self.when_failed());
                    self.waits_inside(span, message, &line);
                }
                broken(span)
            }
            (Def::Enum(id), 1) => match names.last().map(|name| (name, self.variant_index(id, &name.text))) {
                Some((name, Some(variant))) => self.variant_call(id, variant, name, arguments, span),
                _ => broken(span),
            },
            (def, _) => {
                self.problems.give(wrong_kind(&path, def, "a type or an operation"));
                broken(span)
            }
        }
    }

    fn variant_call(
        &mut self,
        id: u32,
        variant: u32,
        name: &ast::Name,
        arguments: &ast::Arguments,
        span: Span,
    ) -> Typed {
        if !self.has_fields(id, variant) {
            self.problems.give(
                Diagnostic::new(
                    Code::UnknownField,
                    arguments.span,
                    format!("the variant `{}` has no fields", name.text),
                )
                .help(format!("`{}`", name.text)),
            );
            return broken(span);
        }
        let fields = self.project.enums.get(id as usize).and_then(|info| info.fields.get(variant as usize));
        let fields = fields.cloned().unwrap_or_default();
        match self.arguments(&name.text, &fields, Some(arguments), span, Receiver::Record) {
            Some(fields) => typed(hir::ExprKind::Construct { variant, fields }, Ty::Enum(id), span),
            None => broken(span),
        }
    }

    fn record(&mut self, id: u32, arguments: &ast::Arguments, span: Span) -> Typed {
        let Some(info) = self.project.record(id) else { return broken(span) };
        let (name, fields) = (info.name.text.clone(), info.fields.clone());
        match self.arguments(&name, &fields, Some(arguments), span, Receiver::Record) {
            Some(fields) => typed(hir::ExprKind::Record(fields), Ty::Record(id), span),
            None => broken(span),
        }
    }

    /// Arguments for the parameters of `of`; `None` when something was wrong. `span` is the place that lacks one.
    pub fn arguments(
        &mut self,
        of: &str,
        parameters: &[Parameter<'a>],
        written: Option<&ast::Arguments>,
        span: Span,
        into: Receiver,
    ) -> Option<Vec<hir::Argument>> {
        let written = written.map_or(&[][..], |arguments| &arguments.list);
        let mut given: Vec<Option<Span>> = vec![None; parameters.len()];
        let mut found = Vec::new();
        let mut sound = true;
        if into == Receiver::Record && parameters.len() > 1 && self.lacks_names(of, parameters, written) {
            return None;
        }
        for (at, argument) in written.iter().enumerate() {
            let Some(index) = self.parameter_of(of, parameters, argument, at) else {
                self.expr(&argument.value, None);
                sound = false;
                continue;
            };
            let Some(parameter) = parameters.get(index) else { continue };
            if let Some(Some(earlier)) = given.get(index) {
                self.problems.give(
                    Diagnostic::new(
                        Code::DuplicateName,
                        argument.span,
                        format!("`{}` is given twice", parameter.name.text),
                    )
                    .label(*earlier, "given here")
                    .help("leave one of them out"),
                );
                sound = false;
                continue;
            }
            if let Some(place) = given.get_mut(index) {
                *place = Some(argument.span);
            }
            let value = self.argument(of, parameter, &argument.value, into);
            sound &= !matches!(value.kind, hir::ExprKind::Broken);
            found.push(hir::Argument { index: index as u32, value });
        }
        let missing: Vec<&Parameter<'_>> = parameters
            .iter()
            .zip(&given)
            .filter(|(_, given)| given.is_none())
            .map(|(parameter, _)| parameter)
            .collect();
        if let (Some(first), true) = (missing.first(), sound) {
            let names: Vec<String> = missing.iter().map(|parameter| format!("`{}`", parameter.name.text)).collect();
            let example = self.built(of, parameters);
            self.problems.give(
                Diagnostic::new(Code::MissingField, span, format!("`{of}` lacks {}", names.join(", ")))
                    .label(first.span, "declared here")
                    .help(format!("`{example}`")),
            );
            sound = false;
        }
        sound.then_some(found)
    }

    /// `Customer(name: "", tier: standard)`, for a help line.
    fn built(&self, of: &str, parameters: &[Parameter<'a>]) -> String {
        let fields = parameters.iter().map(|field| format!("{}: {}", field.name.text, self.example_for(&field.ty)));
        format!("{of}({})", fields.collect::<Vec<_>>().join(", "))
    }

    /// Says it once of all the fields that are written without their names.
    fn lacks_names(&mut self, of: &str, parameters: &[Parameter<'a>], written: &[ast::Argument]) -> bool {
        let mut unnamed = written.iter().zip(parameters).filter(|(argument, _)| argument.name.is_none()).peekable();
        let Some((first, _)) = unnamed.peek() else { return false };
        let message = format!("the fields of `{of}` are named");
        let problem = Diagnostic::new(Code::MissingField, first.span, message);
        let problem = problem.help(format!("`{}`", self.built(of, parameters)));
        let problem = unnamed.fold(problem, |problem, (argument, field)| {
            let before = Span { end: argument.span.start, ..argument.span };
            problem.edit("name the fields", before, format!("{}: ", field.name.text))
        });
        self.problems.give(problem);
        for argument in written {
            self.expr(&argument.value, None);
        }
        true
    }

    fn parameter_of(
        &mut self,
        of: &str,
        parameters: &[Parameter<'a>],
        argument: &ast::Argument,
        at: usize,
    ) -> Option<usize> {
        let Some(name) = &argument.name else {
            if at >= parameters.len() {
                let message = match parameters.len() {
                    0 => format!("`{of}` takes no values"),
                    1 => format!("`{of}` takes one value"),
                    n => format!("`{of}` takes {n} values"),
                };
                self.problems.give(Diagnostic::new(Code::UnknownField, argument.span, message).help("leave it out"));
                return None;
            }
            return Some(at);
        };
        let found = parameters.iter().position(|parameter| parameter.name.text == name.text);
        if found.is_none() {
            let message = format!("`{of}` has no `{}`", name.text);
            let names = parameters.iter().map(|parameter| parameter.name.text.as_str());
            let diagnostic = Diagnostic::new(Code::UnknownField, name.span, message);
            self.problems.give(offer_nearest(diagnostic, &name.text, names, "{}"));
        }
        found
    }

    fn argument(&mut self, of: &str, parameter: &Parameter<'_>, written: &ast::Expr, into: Receiver) -> hir::Expr {
        let value = self.expr(written, Some(&parameter.ty));
        if value.ty.is_private() && !parameter.ty.is_private() && !parameter.ty.is_broken() {
            let why = match into {
                Receiver::Beyond => "which is kept beyond the call",
                _ => "which is not `private`",
            };
            let message = format!("a private value goes to `{}` of `{of}`, {why}", parameter.name.text);
            let diagnostic = Diagnostic::new(Code::PrivateParameterNeeded, written.span, message)
                .here("private")
                .label(parameter.span, "declared here");
            let diagnostic = self.with_trail(diagnostic, &value.expr);
            let help = match into {
                Receiver::Record | Receiver::Beyond => "leave it out".to_owned(),
                _ => format!("`{}: private {}`", parameter.name.text, self.text_of(parameter.ty.present())),
            };
            self.problems.give(diagnostic.help(help));
            return super::broken_expr(written.span);
        }
        self.coerce(value, &parameter.ty)
    }
}

fn names_span(names: &[&ast::Name], or: Span) -> Span {
    match (names.first(), names.last()) {
        (Some(first), Some(last)) => first.span.to(last.span),
        _ => or,
    }
}
