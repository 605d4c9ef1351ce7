//! Lists: written out, and a row by its place.

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast;
use runtime_contract::limits::LIST_LEN_MAX;

use super::{Checker, Typed, broken, typed};
use crate::hir::ExprKind;
use crate::ty::Ty;

impl Checker<'_, '_> {
    /// `[a, b]`
    pub fn list(&mut self, rows: &[ast::Expr], wanted: Option<&Ty>, span: Span) -> Typed {
        let wanted = match wanted.map(Ty::present) {
            Some(Ty::List(row)) => Some((**row).clone()),
            _ => None,
        };
        let mut known = wanted.clone();
        let mut found: Vec<Typed> = Vec::new();
        for row in rows {
            let row = self.unbound(|checker| checker.expr(row, known.as_ref()));
            known = known.or_else(|| Some(row.ty.clone()).filter(|ty| *ty != Ty::Nothing));
            found.push(row);
        }
        let all = found.iter().map(|row| row.ty.clone());
        let joined = all.reduce(|all, row| all.join(&row).unwrap_or(all));
        let row_type = match (joined, wanted) {
            // Rows that could be missing, or private, are made so here.
            (Some(joined), Some(wanted)) if joined.fits(&wanted) || joined.clone().optional().fits(&wanted) => wanted,
            (Some(joined), _) => joined,
            (None, Some(wanted)) => wanted,
            (None, None) => {
                let message = "an empty list does not say what it is a list of";
                let help = "`const nothing: List<Text> = []`";
                self.problems.give(Diagnostic::new(Code::TypeMismatch, span, message).help(help));
                return broken(span);
            }
        };
        if row_type == Ty::Nothing {
            let message = "`none` alone does not say what is missing";
            self.problems.give(Diagnostic::new(Code::TypeMismatch, span, message).help("leave the list out"));
            return broken(span);
        }
        if found.len() > LIST_LEN_MAX {
            let message = format!("a list holds {LIST_LEN_MAX} at most, and this one {}", found.len());
            self.problems.give(Diagnostic::new(Code::WorstCaseTooLong, span, message).help("a shorter list"));
            return broken(span);
        }
        let rows: Vec<_> = found.into_iter().map(|row| self.coerce(row, &row_type)).collect();
        if row_type.is_broken() || rows.iter().any(|row| matches!(row.kind, ExprKind::Broken)) {
            return broken(span);
        }
        typed(ExprKind::List(rows), Ty::List(Box::new(row_type)), span)
    }

    /// `list[place]`
    pub fn row(&mut self, base: &ast::Expr, place: &ast::Expr, span: Span) -> Typed {
        let list = self.expr(base, None);
        let at = self.expr(place, Some(&Ty::Int(None)));
        let too_low = matches!(at.ty, Ty::Int(Some((_, high))) if high < 1);
        let at = self.coerce(at, &Ty::Int(None));
        let row = match &list.ty {
            Ty::List(row) => (**row).clone(),
            ty if ty.is_broken() => return broken(span),
            Ty::Optional(inner) if matches!(**inner, Ty::List(_)) => {
                let diagnostic = self.optional_as_present(&list);
                self.problems.give(diagnostic);
                return broken(span);
            }
            ty => {
                let message = format!("only a list has places, and this is `{}`", self.text_of(ty));
                let diagnostic = Diagnostic::new(Code::TypeMismatch, base.span, message);
                self.problems.give(diagnostic.help("leave the brackets and what stands in them out"));
                return broken(span);
            }
        };
        if too_low {
            return self.bad_literal(place.span, "places of a list count from 1", "[1]");
        }
        if matches!(at.kind, ExprKind::Broken) {
            return broken(span);
        }
        typed(ExprKind::Row(Box::new(list.expr), Box::new(at)), row, span)
    }
}
