//! `send`, `notify` and `open case`: what is written to the store and goes on from there.

use lang_diagnostics::{Code, Diagnostic};
use lang_syntax::ast::{self, ExprKind};
use runtime_contract::request::{Case, CasePriority, Channel, is_mail_address};

use super::Checker;
use crate::hir::{self, Message, StatementKind};
use crate::problems::{nearest, offer_nearest};
use crate::ty::Ty;

impl Checker<'_, '_> {
    /// `send sms to E TEXT`
    pub fn send(&mut self, channel: &ast::Name, to: Option<&ast::Expr>, text: &ast::Text) -> StatementKind {
        let channel_name = channel;
        let channel = match channel.text.as_str() {
            "sms" => Channel::Sms,
            "email" => Channel::Email,
            _ => Channel::Chat,
        };
        let text = self.written(text);
        if let (Channel::Chat, Some(to)) = (&channel, to) {
            let message = "a chat is the caller's own, so nobody is named";
            let help = "leave `to` out; `send sms to` somebody else";
            self.problems.give(Diagnostic::new(Code::BadLiteral, to.span, message).help(help));
            return StatementKind::Broken;
        }
        let Some(to) = to else {
            if channel == Channel::Email {
                let message = "nobody knows the caller's e-mail address";
                let help = "`send email to \"ann@acme.example\"`";
                self.problems.give(Diagnostic::new(Code::MissingField, channel_name.span, message).help(help));
                return StatementKind::Broken;
            }
            return match self.has_caller(channel_name.span) {
                true => StatementKind::Send(Message { channel, to: None, text }),
                false => StatementKind::Broken,
            };
        };
        match self.address(&channel, to) {
            Some(to) => StatementKind::Send(Message { channel, to: Some(to), text }),
            None => StatementKind::Broken,
        }
    }

    /// To whom a message goes; `None` after a diagnostic.
    pub fn address(&mut self, channel: &Channel, to: &ast::Expr) -> Option<hir::Expr> {
        let wanted = if *channel == Channel::Sms { Ty::Phone } else { Ty::Text };
        let value = self.value(to, &wanted);
        match &value.kind {
            hir::ExprKind::Broken => None,
            hir::ExprKind::Text(written) if *channel == Channel::Email && !is_mail_address(written) => {
                let message = format!("`{written}` is no e-mail address");
                self.problems.give(
                    Diagnostic::new(Code::BadLiteral, to.span, message)
                        .here("a name, one `@`, a host")
                        .help("`\"ann@acme.example\"`"),
                );
                None
            }
            _ => Some(value),
        }
    }

    /// `notify "ops" TEXT`
    pub fn notify(&mut self, who: &ast::TextString, text: &ast::Text) -> StatementKind {
        self.to_house = true;
        let text = self.written(text);
        self.to_house = false;
        match self.group(who) {
            Some(who) => StatementKind::Send(Message { channel: Channel::Notify(who), to: None, text }),
            None => StatementKind::Broken,
        }
    }

    /// The name of a group of people; `None` after a diagnostic.
    pub fn group(&mut self, who: &ast::TextString) -> Option<String> {
        let name = who.plain().filter(|name| !name.trim().is_empty());
        if name.is_none() {
            let message = "whoever is notified is written out";
            self.problems.give(Diagnostic::new(Code::BadLiteral, who.span, message).help("`notify \"ops\"`"));
        }
        name
    }

    fn written(&mut self, text: &ast::Text) -> hir::Prompts {
        hir::Prompts { items: vec![self.text(text)], barge_in: false }
    }

    /// `open case KIND priority P`
    pub fn open_case(&mut self, kind: &ast::Name, priority: Option<&ast::Expr>) -> StatementKind {
        match self.case_priority(priority) {
            Some(priority) => StatementKind::OpenCase(Case { kind: kind.text.clone(), priority }),
            None => StatementKind::Broken,
        }
    }

    /// One of four words, `normal` where none is written; `None` after a diagnostic.
    pub fn case_priority(&mut self, written: Option<&ast::Expr>) -> Option<CasePriority> {
        let Some(written) = written else { return Some(CasePriority::default()) };
        let words = CasePriority::ALL.map(CasePriority::name);
        let word = match &written.kind {
            ExprKind::Name(name) => name.text.as_str(),
            ExprKind::Missing => return None,
            _ => "",
        };
        let found = CasePriority::ALL.into_iter().find(|priority| priority.name() == word);
        if found.is_none() {
            let message = "the priority of a case is one of four words";
            let diagnostic = Diagnostic::new(Code::BadLiteral, written.span, message).here(words.join(", "));
            self.problems.give(match nearest(word, words) {
                Some(_) => offer_nearest(diagnostic, word, words, "priority {}"),
                None => diagnostic.help("`priority high`"),
            });
        }
        found
    }
}
