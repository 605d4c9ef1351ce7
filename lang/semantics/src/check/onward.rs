//! `connect to` and `transfer to`: whom they reach. And `on voice`, where both may stand.

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast;
use runtime_contract::limits::RING_MS_MAX;
use runtime_contract::request::{self, Kind};

use super::Checker;
use super::outcomes::Outcomes;
use super::statement::broken;
use crate::declare::duration;
use crate::hir::{self, Block, Statement, StatementKind};
use crate::problems::nearest;
use crate::ty::Ty;

/// How long `connect to` rings that does not say so.
const RING_MS: u32 = 30_000;

impl Checker<'_, '_> {
    pub fn connect(&mut self, statement: &ast::Statement, into: &mut Block) {
        let ast::StatementKind::Connect { to, from, ring, arms } = &statement.kind else { return };
        self.voice_only(statement.keyword, "`connect to`");
        let to = self.destination(to);
        let from = from.as_ref().map(|from| self.value(from, &Ty::Phone));
        let ring_ms = ring.as_ref().map_or(Some(RING_MS), |ring| self.ring(ring));
        let outcomes = Outcomes::of(Kind::Connect, Some("ended"));
        let arms = self.outcome_arms(statement, arms.as_ref(), &outcomes).map(|found| found.arms);
        let is_sound = !from.as_ref().is_some_and(|from| matches!(from.kind, hir::ExprKind::Broken));
        let kind = match (to, ring_ms, arms) {
            (Some(to), Some(ring_ms), Some(arms)) if is_sound => {
                StatementKind::Connect(hir::Connect { to, from, ring_ms, arms })
            }
            _ => return into.statements.push(broken(statement)),
        };
        into.statements.push(Statement { kind, keyword: statement.keyword, span: statement.span });
    }

    pub fn transfer(&mut self, statement: &ast::Statement, into: &mut Block) {
        let ast::StatementKind::Transfer { to, arms } = &statement.kind else { return };
        self.voice_only(statement.keyword, "`transfer to`");
        let to = self.destination(to);
        let outcomes = Outcomes::of(Kind::Transfer, None);
        let arms = self.outcome_arms(statement, arms.as_ref(), &outcomes).map(|found| found.arms);
        let kind = match (to, arms.and_then(|arms| arms.into_iter().next())) {
            (Some(to), Some(arm)) => {
                StatementKind::Transfer(hir::Transfer { to, failed: arm.block, failed_span: arm.span })
            }
            _ => return into.statements.push(broken(statement)),
        };
        into.statements.push(Statement { kind, keyword: statement.keyword, span: statement.span });
    }

    fn destination(&mut self, to: &ast::Destination) -> Option<hir::Destination> {
        let (kind, written, ty) = match to {
            ast::Destination::Number(value) => (request::Destination::Number, value, Ty::Phone),
            ast::Destination::Extension { value, .. } => (request::Destination::Extension, value, Ty::Digits),
        };
        if let (request::Destination::Number, Some(keys)) = (kind, keys_of(written)) {
            let message = format!("`{keys}` is not a full number");
            let help = format!("`extension \"{keys}\"`");
            self.problems.give(Diagnostic::new(Code::BadLiteral, written.span, message).help(help));
            return None;
        }
        let value = self.value(written, &ty);
        match kind {
            request::Destination::Number => self.needs_trunk(written.span),
            request::Destination::Extension => self.needs_phone(written),
        }
        (!matches!(value.kind, hir::ExprKind::Broken)).then_some(hir::Destination { kind, value })
    }

    /// F1101: an extension that is written out, and no phone of the site has.
    fn needs_phone(&mut self, written: &ast::Expr) {
        let ast::ExprKind::Text(text) = &written.kind else { return };
        let (Some(extension), Some(phones)) = (text.plain(), &self.project.site.phones) else { return };
        if phones.contains(&extension) {
            return;
        }
        let message = format!("`strowger.yaml` has no phone `{extension}`");
        let diagnostic = Diagnostic::new(Code::MissingInYaml, written.span, message);
        self.problems.give(match nearest(&extension, phones.iter().map(String::as_str)) {
            Some(other) => {
                diagnostic.help(format!("`extension \"{other}\"`")).note("`strowger.yaml` has that one below `phones`")
            }
            None => diagnostic
                .help(format!("phones:\n  \"{extension}\":\n    password: ${{PHONE_{extension}}}"))
                .note("the help belongs into `strowger.yaml`"),
        });
    }

    /// F1101: a number, and nothing that takes a call to the telephone network.
    pub fn needs_trunk(&mut self, span: Span) {
        if self.project.site.calls_out == Some(false) {
            let message = "`strowger.yaml` has no trunk that takes calls out";
            self.problems.give(
                Diagnostic::new(Code::MissingInYaml, span, message)
                    .help("trunks:\n  carrier:\n    address: sip.example.net")
                    .note("the help belongs into `strowger.yaml`"),
            );
        }
    }

    pub fn ring(&mut self, ring: &ast::Expr) -> Option<u32> {
        let ms = duration(ring, "ring 25s", self.problems)?;
        if ms > RING_MS_MAX {
            self.bad_literal(ring.span, "nobody is rung longer than 3m", "ring 3m");
            return None;
        }
        u32::try_from(ms).ok()
    }

    /// `on voice { } else { }`
    pub fn on_voice(&mut self, statement: &ast::Statement, then: &ast::Block) -> StatementKind {
        let then = self.block(&then.statements);
        let outside = self.off_voice.replace(statement.keyword);
        let otherwise = statement.otherwise.as_ref().map(|otherwise| self.block(&otherwise.body.statements));
        self.off_voice = outside;
        let condition = hir::Expr { kind: hir::ExprKind::OnVoice, ty: Ty::Bool.lower(), span: statement.keyword };
        StatementKind::If { condition, then, otherwise: otherwise.unwrap_or_default() }
    }

    /// F0608: it stands where the call is not one by voice.
    pub fn voice_only(&mut self, keyword: Span, what: &str) {
        if let Some(on_voice) = self.off_voice {
            self.problems.give(
                Diagnostic::new(Code::VoiceOnlyOnOtherChannel, keyword, format!("{what} is for voice alone"))
                    .label(on_voice, "here it is another channel")
                    .help("put it into the block of `on voice`"),
            );
        }
    }
}

/// The keys of what may be an extension: a few figures, as a number, in quotes, or in Chinese (`一〇〇`).
fn keys_of(written: &ast::Expr) -> Option<String> {
    const FIGURES: [char; 12] = ['〇', '一', '二', '三', '四', '五', '六', '七', '八', '九', '零', '两'];
    /// Longer ones are telephone numbers without their country.
    const KEYS_MAX: usize = 6;
    let text = match &written.kind {
        ast::ExprKind::Int(number) => number.to_string(),
        ast::ExprKind::Text(text) => text.plain()?,
        ast::ExprKind::Name(name) => name.text.clone(),
        _ => return None,
    };
    let figure = |sign: char| match FIGURES.iter().position(|known| *known == sign) {
        Some(at) => char::from_digit(if at == 11 { 2 } else { at as u32 % 10 }, 10),
        None => Some(sign).filter(char::is_ascii_digit),
    };
    let keys: String = text.chars().map(figure).collect::<Option<_>>()?;
    (1..=KEYS_MAX).contains(&keys.len()).then_some(keys)
}
