//! What a help offers where something stands: a rule has no line to hang up, a survey has no `let`, a clause no statements.

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast::{self, StatementKind as Ast};

use super::{Checker, Region, Typed};
use crate::hir;
use crate::ty::Ty;

impl Checker<'_, '_> {
    /// What comes of a `let` whose service has failed.
    pub fn when_failed(&self) -> &'static str {
        match self.region {
            Region::Top | Region::Step(_) | Region::Fault if self.cadence.is_none() => "hang up",
            _ => "none",
        }
    }

    /// No statement stands here.
    pub fn is_in_clause(&self) -> bool {
        self.region == Region::Outside && self.cadence.is_none() && !self.in_test
    }

    /// F0507; `line` is what a flow says instead.
    pub fn waits_inside(&mut self, span: Span, message: &str, line: &str) {
        let diagnostic = Diagnostic::new(Code::WaitInsideExpression, span, message);
        self.problems.give(match self.is_in_clause() || self.region == Region::Survey {
            true => diagnostic.help("leave it out here, and ask in a flow"),
            false => diagnostic.help(line),
        });
    }

    /// A flow that is run for its result.
    pub fn run_for_result(&self, run: &str) -> String {
        match self.is_in_attempt() {
            true => format!("`match {run} {{`, with an arm `hangup`"),
            false => format!("`let result = {run}`"),
        }
    }

    /// A name in sight of a type, or what a contact permits.
    pub fn in_sight(&self, ty: &Ty) -> Option<String> {
        let permitted = self.project.contact().map(Ty::Record).filter(|_| self.is_permission(ty));
        let mut locals = self.scopes.iter().rev().flatten();
        locals.find_map(|(name, local)| match &self.local(*local)?.ty {
            own if own == ty => Some(name.clone()),
            own if Some(own) == permitted.as_ref() => Some(format!("{name}.permission")),
            _ => None,
        })
    }

    fn is_permission(&self, ty: &Ty) -> bool {
        self.project.permission().map(Ty::Record).as_ref() == Some(ty)
    }

    /// F0605 for a permission that the text makes up.
    pub fn permission_written(&mut self, span: Span) {
        let diagnostic = Diagnostic::new(Code::ConsentMissing, span, "nobody has given this permission")
            .here("written by the flow itself");
        let help = match self.project.permission().and_then(|id| self.in_sight(&Ty::Record(id))) {
            _ if self.in_test => "`given_for(sales)`".to_owned(),
            Some(permission) => format!("`{permission}`"),
            None if self.when_failed() == "hang up" => "`ask consent for sales`".to_owned(),
            None => "leave it out here: a flow has it by `ask consent`, or from a service".to_owned(),
        };
        self.problems.give(diagnostic.help(help));
    }

    /// Remembers the words before the text of a statement that may stand in an `if`.
    pub fn tells(&mut self, statement: &ast::Statement) {
        self.telling = match &statement.kind {
            _ if self.comfort.is_some() => None,
            Ast::Say(_) => Some("say".to_owned()),
            Ast::Send { channel, to: None, .. } => Some(format!("send {}", channel.text)),
            Ast::Send { channel, to: Some(to), .. } => Self::names_of(to).map(|names| {
                let names: Vec<&str> = names.iter().map(|name| name.text.as_str()).collect();
                format!("send {} to {}", channel.text, names.join("."))
            }),
            Ast::Notify { who, .. } => who.plain().map(|who| format!("notify {who:?}")),
            _ => None,
        };
    }

    /// What says a value only if there is one.
    pub fn said_if_present(&self, value: &Typed) -> String {
        let example = self.example(&value.ty);
        match &self.telling {
            Some(verb) => format!("`if … is some value {{ {verb} \"{{value}}\" }}`"),
            None if matches!(value.ty.present(), Ty::Bool) || example == "none" || example.contains('"') => {
                "leave it out of this text".to_owned()
            }
            None => format!("`{{… else {example}}}`"),
        }
    }

    /// What says whether something is so.
    pub fn said_if_so(&self) -> String {
        match &self.telling {
            Some(verb) if self.region == Region::Survey => format!("`if … {{ {verb} \"Yes.\" }}`"),
            Some(verb) => format!("`if … {{ {verb} \"Yes.\" }} else {{ {verb} \"No.\" }}`"),
            None => "leave it out of this text".to_owned(),
        }
    }

    /// A test of something that is no test itself.
    pub fn test_of(&self, value: &Typed) -> Option<String> {
        let found = &value.ty;
        if matches!(value.expr.kind, hir::ExprKind::Int(_) | hir::ExprKind::Decimal(_) | hir::ExprKind::Moment(_)) {
            return None;
        }
        Some(match found {
            Ty::Optional(_) => "`… is some value`".to_owned(),
            Ty::Enum(_) | Ty::Language => format!("`… is {}`", self.example(found)),
            Ty::Int(_) | Ty::Decimal | Ty::Percent | Ty::Money | Ty::Duration => {
                format!("`… > {}`", self.example(found))
            }
            _ => return None,
        })
    }
}
