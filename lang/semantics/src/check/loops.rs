//! `repeat` and `for each`: how often at most is known.

use lang_diagnostics::{Code, Diagnostic};
use lang_syntax::ast;
use runtime_contract::limits::LIST_LEN_MAX;

use super::Checker;
use super::origin::Origin;
use crate::hir::{ExprKind, Loop, Rounds, StatementKind};
use crate::ty::Ty;

impl Checker<'_, '_> {
    pub fn repeat(&mut self, times: &ast::Expr, body: &ast::Block) -> StatementKind {
        let value = self.expr(times, Some(&Ty::Int(None)));
        let bounds = match value.ty {
            Ty::Int(bounds) => bounds,
            _ => None,
        };
        let is_number = matches!(value.ty, Ty::Int(_));
        let value = self.coerce(value, &Ty::Int(None));
        let block = self.block(&body.statements);
        match bounds {
            Some((low, high)) if high > 0 => StatementKind::Loop(Loop {
                rounds: Rounds::Times(value),
                rounds_max: u32::try_from(high).unwrap_or(u32::MAX),
                is_certain: low > 0,
                block,
            }),
            Some(_) => {
                let message = "a bound of zero allows nothing";
                self.problems.give(Diagnostic::new(Code::BoundOfZero, times.span, message).help("`repeat 3 times {`"));
                StatementKind::Broken
            }
            None => {
                if is_number && !matches!(value.kind, ExprKind::Broken) {
                    let message = "nothing says how often this happens at most";
                    let help = "a number, or a parameter with bounds: `Int 1..5`";
                    let diagnostic = Diagnostic::new(Code::UnboundedCycle, times.span, message);
                    self.problems.give(diagnostic.here("any whole number").help(help));
                }
                StatementKind::Broken
            }
        }
    }

    pub fn for_each(&mut self, name: &ast::Name, list: &ast::Expr, body: &ast::Block) -> StatementKind {
        let list = self.expr(list, None);
        let row_type = match &list.ty {
            Ty::List(row) => (**row).clone(),
            Ty::Optional(inner) if matches!(**inner, Ty::List(_)) => {
                let diagnostic = self.optional_as_present(&list);
                self.problems.give(diagnostic);
                Ty::Broken
            }
            ty if ty.is_broken() => Ty::Broken,
            ty => {
                let message = format!("this is `{}`, where a list is wanted", self.text_of(ty));
                let help = "`for each number in [1, 2] {`";
                self.problems.give(Diagnostic::new(Code::TypeMismatch, list.expr.span, message).help(help));
                Ty::Broken
            }
        };
        let is_broken = row_type.is_broken();
        let origin = Origin { digits: None, ..self.origin(&list.expr) };
        let (row, block) = self.scoped(|checker| {
            let row = checker.declare(name, row_type);
            if let Some(info) = checker.local_mut(row) {
                info.origin = origin;
            }
            (row, checker.block(&body.statements))
        });
        if is_broken {
            return StatementKind::Broken;
        }
        let (rounds_max, is_certain) = match &list.expr.kind {
            ExprKind::List(rows) => (rows.len().max(1), !rows.is_empty()),
            _ => (LIST_LEN_MAX, false),
        };
        let rounds = Rounds::Each { list: list.expr, row };
        StatementKind::Loop(Loop { rounds, rounds_max: rounds_max as u32, is_certain, block })
    }
}
