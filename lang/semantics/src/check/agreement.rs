//! Permissions as tests give them. What a caller is asked for is a dialogue like others.

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast;
use runtime_contract::request::Consent;

use super::{Checker, Typed, broken, typed};
use crate::agreement;
use crate::hir::{self, ExprKind};
use crate::ty::Ty;

/// What the evidence of a test's permission says.
const EVIDENCE: &str = "test";

impl Checker<'_, '_> {
    /// `consent for P`; `None` after a diagnostic.
    pub fn consent(&mut self, purpose: &ast::Name, span: Span) -> Option<Consent> {
        let purpose = agreement::purpose(self.project, purpose, self.problems)?;
        let permission = self.project.permission();
        if permission.is_none() {
            let message = "the library's `std.agreement` is not read, and a permission is declared there";
            self.problems.give(Diagnostic::new(Code::UnknownModule, span, message).help("`use std.agreement`"));
        }
        Some(Consent { purpose, permission: permission? })
    }

    /// `given_for(sales)`: a permission for whichever number, for ever.
    pub fn given_for(&mut self, of: &ast::Name, arguments: &ast::Arguments, span: Span) -> Typed {
        let Some(given) = self.single(of, arguments, "sales") else { return broken(span) };
        let ast::ExprKind::Name(purpose) = &given.kind else {
            let message = "a purpose is a plain name";
            self.problems.give(Diagnostic::new(Code::TypeMismatch, given.span, message).help("`given_for(sales)`"));
            return broken(span);
        };
        let Some(purpose) = agreement::purpose(self.project, purpose, self.problems) else { return broken(span) };
        let Some(id) = self.project.permission() else {
            let message = "no flow of the project asks for a `Permission`";
            self.problems.give(Diagnostic::new(Code::TypeMismatch, span, message).help("leave it out"));
            return broken(span);
        };
        let fields = self.project.record(id).map_or(&[][..], |record| &record.fields);
        let value = |name: &str, ty: &Ty| match (name, ty) {
            ("purpose", Ty::Text) => ExprKind::Text(purpose.clone()),
            ("evidence", Ty::Text) => ExprKind::Text(EVIDENCE.to_owned()),
            (_, Ty::Time) => ExprKind::Moment(0),
            _ => ExprKind::None,
        };
        let fields = fields.iter().zip(0..).map(|(field, index)| hir::Argument {
            index,
            value: typed(value(&field.name.text, &field.ty), field.ty.clone(), span).expr,
        });
        typed(ExprKind::Record(fields.collect()), Ty::Record(id), span)
    }
}
