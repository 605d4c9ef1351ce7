//! What the declarations of the top level say: types of fields and parameters, services, numbers.

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast::{self, ExprKind, ItemKind, TypeKind};
use runtime_contract::called::{Called, EXTENSION_KEYS_MAX};
use runtime_contract::channel::Channel;
use runtime_contract::program::{self, SiteNames};

use crate::agreement;
use crate::hir;
use crate::problems::{Problems, nearest, offer_nearest};
use crate::project::{Def, Holder, OperationInfo, Parameter, Project};
use crate::ty::{self, Ty};
use crate::width::check_widths;

/// Time limit of an operation that does not say its own.
const WITHIN_MS: u32 = 5_000;

/// Fills in types, operations and signatures.
pub(crate) fn declare(project: &mut Project<'_>, names: &SiteNames, problems: &mut Problems) {
    enums(project, problems);
    records(project, problems);
    services(project, names, problems);
    functions(project, problems);
    crate::routing::declare(project, problems);
    crate::outgoing::declare(project, problems);
    crate::surveys::declare(project, problems);
    for flow in 0..project.flows.len() {
        let Some(info) = project.flows.get(flow) else { continue };
        let (module, item) = (info.module, info.item);
        let parameters = parameters(project, module, &item.parameters, problems);
        let result = item.result.as_ref().map(|ty| resolve(project, module, ty, problems));
        if let Some(info) = project.flows.get_mut(flow) {
            info.parameters = parameters;
            info.result = result;
        }
    }
}

fn functions(project: &mut Project<'_>, problems: &mut Problems) {
    for function in 0..project.functions.len() {
        let Some(info) = project.functions.get(function) else { continue };
        let (module, item) = (info.module, info.item);
        let parameters = parameters(project, module, &item.parameters, problems);
        let result = resolve(project, module, &item.result, problems);
        if let Some(info) = project.functions.get_mut(function) {
            info.parameters = parameters;
            info.result = result;
        }
    }
}

fn enums(project: &mut Project<'_>, problems: &mut Problems) {
    for id in 0..project.enums.len() {
        let Some(info) = project.enums.get(id) else { continue };
        let (module, item) = (info.module, info.item);
        for (at, variant) in item.variants.iter().enumerate() {
            twice(item.variants.iter().take(at).map(|v| &v.name), &variant.name, problems);
        }
        let fields = item.variants.iter().map(|variant| parameters(project, module, &variant.fields, problems));
        let fields = fields.collect();
        if let Some(info) = project.enums.get_mut(id) {
            info.fields = fields;
        }
    }
}

/// F0102 for a name that stands among the earlier ones of one list.
fn twice<'n>(mut earlier: impl Iterator<Item = &'n ast::Name>, name: &ast::Name, problems: &mut Problems) {
    if let Some(first) = earlier.find(|earlier| earlier.text == name.text) {
        problems.give(
            Diagnostic::new(Code::DuplicateName, name.span, format!("`{}` stands here twice", name.text))
                .here("again here")
                .label(first.span, "first here"),
        );
    }
}

fn records(project: &mut Project<'_>, problems: &mut Problems) {
    for record in 0..project.records.len() {
        let Some(info) = project.records.get(record) else { continue };
        let fields = parameters(project, info.module, &info.item.fields, problems);
        if let Some(info) = project.records.get_mut(record) {
            info.fields = fields;
        }
    }
    for holder in project.self_dependent() {
        let field = project.held_by(holder).into_iter().find(|field| field.ty.holder().is_some());
        let field = field.map(|field| field.span);
        let name = match holder {
            Holder::Record(id) => project.record(id).map(|info| info.name),
            Holder::Enum(id) => project.enums.get(id as usize).map(|info| info.name),
        };
        let Some(name) = name else { continue };
        let mut diagnostic = Diagnostic::new(
            Code::SelfDependentItem,
            name.span,
            format!("`{}` holds itself, so it would have no end", name.text),
        );
        if let Some(field) = field {
            diagnostic = diagnostic.label(field, "through this field");
        }
        problems.give(diagnostic.help("keep a `Text` that names the other one"));
        project.break_fields(holder);
    }
    check_widths(project, problems);
}

/// Fields or parameters with their types.
pub(crate) fn parameters<'a>(
    project: &Project<'a>,
    module: usize,
    fields: &'a [ast::Field],
    problems: &mut Problems,
) -> Vec<Parameter<'a>> {
    let mut found = Vec::new();
    for (at, field) in fields.iter().enumerate() {
        twice(fields.iter().take(at).map(|field| &field.name), &field.name, problems);
        let ty = resolve(project, module, &field.ty, problems);
        found.push(Parameter { name: &field.name, ty, span: field.span });
    }
    found
}

/// The type that is written.
pub(crate) fn resolve(project: &Project<'_>, module: usize, written: &ast::Type, problems: &mut Problems) -> Ty {
    match &written.kind {
        TypeKind::Named(path) => named(project, module, path, problems),
        TypeKind::Optional(inner) => resolve(project, module, inner, problems).optional(),
        TypeKind::List(inner) => Ty::List(Box::new(resolve(project, module, inner, problems))),
        TypeKind::Ranged { base, low, high } => ranged(base, low, high, written.span, problems),
        TypeKind::Private { keyword, inner } => match resolve(project, module, inner, problems) {
            Ty::Broken => Ty::Broken,
            Ty::Optional(inner) => Ty::Private(inner).optional(),
            inner @ (Ty::Digits | Ty::Text) => Ty::Private(Box::new(inner)),
            _ => {
                problems.not_yet(*keyword, "`private` of another type than Digits or Text");
                Ty::Broken
            }
        },
    }
}

pub(crate) fn named(project: &Project<'_>, module: usize, path: &ast::Path, problems: &mut Problems) -> Ty {
    if let [name] = path.names.as_slice() {
        if let Some((_, ty)) = ty::BUILT_IN.iter().find(|(built_in, _)| *built_in == name.text) {
            return ty.clone();
        }
        if name.text == agreement::CONSENT {
            problems.give(agreement::consent_stored(name.span));
            return Ty::Broken;
        }
        if project.reach(module, &[&name.text]).is_none() {
            let built_in = ty::BUILT_IN.iter().map(|(name, _)| *name);
            let own = project.modules.get(module).into_iter().flat_map(|here| here.items.iter());
            let own = own.filter(|(_, item)| matches!(item.def, Def::Enum(_) | Def::Record(_))).map(|(name, _)| *name);
            let names: Vec<&str> = own.chain(built_in).collect();
            if nearest(&name.text, names.iter().copied()).is_some() {
                let diagnostic =
                    Diagnostic::new(Code::UnknownName, name.span, format!("there is no type `{}` here", name.text));
                problems.give(offer_nearest(diagnostic, &name.text, names, "{}"));
                return Ty::Broken;
            }
        }
    }
    match project.find(module, path, "a type", problems) {
        Def::Enum(id) => Ty::Enum(id),
        Def::Record(id) => Ty::Record(id),
        Def::Broken => Ty::Broken,
        other => {
            problems.give(wrong_kind(path, other, "a type"));
            Ty::Broken
        }
    }
}

/// A name that is something else than its place wants.
pub(crate) fn wrong_kind(path: &ast::Path, found: Def, wanted: &str) -> Diagnostic {
    let name = path.names.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(".");
    let message = format!("`{name}` is {}, where {wanted} is wanted", found.word());
    let help = match found {
        Def::Flow(_) => Some(format!("`run {name}()`")),
        Def::Prompt(_) => Some(format!("`play {name}`")),
        Def::Hours(_) => Some(format!("`{name} is open`")),
        Def::Function(_) => Some(format!("`{name}(…)`")),
        _ => None,
    };
    let diagnostic = Diagnostic::new(Code::TypeMismatch, path.span, message);
    match help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

fn ranged(base: &ast::Name, low: &ast::Expr, high: &ast::Expr, span: Span, problems: &mut Problems) -> Ty {
    if base.text != "Int" {
        problems.give(
            Diagnostic::new(Code::BadLiteral, base.span, format!("only `Int` takes bounds, not `{}`", base.text))
                .help("`Int 1..5`"),
        );
        return Ty::Broken;
    }
    match (whole(low), whole(high)) {
        (Some(low), Some(high)) if low <= high => Ty::Int(Some((low, high))),
        (Some(low), Some(high)) => {
            problems.give(
                Diagnostic::new(Code::BadLiteral, span, format!("no number lies in {low}..{high}"))
                    .help(format!("`Int {high}..{low}`")),
            );
            Ty::Broken
        }
        _ => {
            if !matches!((&low.kind, &high.kind), (ExprKind::Missing, _) | (_, ExprKind::Missing)) {
                problems.give(Diagnostic::new(Code::BadLiteral, span, "bounds are whole numbers").help("`Int 1..5`"));
            }
            Ty::Broken
        }
    }
}

/// The value of a whole number that is written out.
pub(crate) fn whole(expr: &ast::Expr) -> Option<i64> {
    match &expr.kind {
        ExprKind::Int(number) => Some(*number),
        ExprKind::Negate { value } => whole(value)?.checked_neg(),
        _ => None,
    }
}

fn services(project: &mut Project<'_>, names: &SiteNames, problems: &mut Problems) {
    for service in 0..project.services.len() {
        let Some(info) = project.services.get(service) else { continue };
        if let Some(known) = names.services.as_ref().filter(|known| !known.contains(&info.name.text)) {
            problems.give(missing_in_yaml(info.name, known));
        }
        let operations = info.item.operations.iter().enumerate().map(|(at, operation)| {
            twice(info.item.operations.iter().take(at).map(|o| &o.name), &operation.name, problems);
            OperationInfo {
                name: &operation.name,
                parameters: parameters(project, info.module, &operation.parameters, problems),
                result: operation.result.as_ref().map(|ty| resolve(project, info.module, ty, problems)),
                within_ms: within(operation.within.as_ref(), problems),
                writes: operation.writes.is_some(),
            }
        });
        let operations = operations.collect();
        if let Some(info) = project.services.get_mut(service) {
            info.operations = operations;
        }
    }
}

fn missing_in_yaml(name: &ast::Name, known: &[String]) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        Code::MissingInYaml,
        name.span,
        format!("`strowger.yaml` does not say where the service `{}` lives", name.text),
    );
    match nearest(&name.text, known.iter().map(String::as_str)) {
        Some(other) => {
            diagnostic.help(format!("`service {other}`")).note("`strowger.yaml` names that one below `services`")
        }
        None => diagnostic
            .help(format!("services:\n  {}:\n    base: http://127.0.0.1:8090", name.text))
            .note("the help belongs into `strowger.yaml`"),
    }
}

fn within(expr: Option<&ast::Expr>, problems: &mut Problems) -> u32 {
    let Some(expr) = expr else { return WITHIN_MS };
    duration(expr, "within 2s", problems).and_then(|ms| u32::try_from(ms).ok()).unwrap_or(WITHIN_MS)
}

/// A length of time that is written out and longer than nothing; a diagnostic is given for anything else.
pub(crate) fn duration(expr: &ast::Expr, example: &str, problems: &mut Problems) -> Option<i64> {
    match &expr.kind {
        ExprKind::Duration { ms } if *ms > 0 => return Some(*ms),
        ExprKind::Duration { .. } => {
            problems.give(
                Diagnostic::new(Code::BoundOfZero, expr.span, "a time of zero allows nothing")
                    .help(format!("`{example}`")),
            );
        }
        ExprKind::Missing => {}
        _ => {
            problems.give(
                Diagnostic::new(Code::BadLiteral, expr.span, "a length of time is written out here")
                    .help(format!("`{example}`")),
            );
        }
    }
    None
}

/// `inbound` lines: numbers that are valid, and that lead to one flow each.
pub(crate) fn inbounds(project: &Project<'_>, problems: &mut Problems) -> Vec<hir::Inbound> {
    let mut found: Vec<hir::Inbound> = Vec::new();
    for (index, module) in project.modules.iter().enumerate() {
        for item in &module.ast.items {
            let ItemKind::Inbound(inbound) = &item.kind else { continue };
            found.extend(bound(project, index, inbound, &found, problems));
        }
    }
    found
}

/// One number, extension, chat or address; or a pattern of numbers or extensions.
fn bound(
    project: &Project<'_>,
    module: usize,
    inbound: &ast::Inbound,
    earlier: &[hir::Inbound],
    problems: &mut Problems,
) -> Option<hir::Inbound> {
    let span = inbound.address.span;
    let flow = flow_of(project, module, &inbound.flow, problems);
    let written = inbound.address.plain().unwrap_or_default();
    let is_extension = matches!(inbound.channel, ast::InboundChannel::Extension(_));
    let (channel, pattern) = match inbound.channel {
        ast::InboundChannel::Number => (Channel::Voice, number(&written)),
        ast::InboundChannel::Extension(_) => (Channel::Voice, extension(&written)),
        ast::InboundChannel::Sms(_) => (Channel::Sms, number(&written)),
        ast::InboundChannel::Chat(_) => (Channel::Chat, chat(&written)),
        ast::InboundChannel::Email(_) => (Channel::Email, email(&written)),
    };
    let Some(pattern) = pattern else {
        problems.give(no_address(inbound.channel, &written, span));
        return None;
    };
    let mut alike =
        earlier.iter().filter(|other| other.address.is_extension == is_extension && other.address.channel == channel);
    let clashes = |other: &str| match channel {
        Channel::Chat | Channel::Email => other == pattern,
        Channel::Voice | Channel::Sms => clash(other, &pattern),
    };
    if let Some(other) = alike.find(|other| clashes(&other.address.pattern)) {
        let message = match other.address.pattern == pattern {
            true => format!("`{written}` is bound twice"),
            false if is_extension => format!("`{written}` and another pattern, no more specific, take one extension"),
            false => format!("`{written}` and another pattern, no more specific, take one number"),
        };
        problems.give(
            Diagnostic::new(Code::NumberBoundTwice, span, message)
                .here("bound again here")
                .label(other.span, "bound here")
                .help("keep one of the two lines"),
        );
        return None;
    }
    let address = program::Inbound { channel, pattern, is_extension, zone: String::new(), flow: flow? };
    Some(hir::Inbound { address, span })
}

fn no_address(channel: ast::InboundChannel, written: &str, span: Span) -> Diagnostic {
    match channel {
        ast::InboundChannel::Extension(_) => {
            Diagnostic::new(Code::BadLiteral, span, format!("`{written}` is not an extension"))
                .here(format!("1 to {EXTENSION_KEYS_MAX} digits, `x` for any one of them, or `*`"))
                .help("`\"100\"`")
        }
        ast::InboundChannel::Number | ast::InboundChannel::Sms(_) => {
            Diagnostic::new(Code::NotE164, span, format!("`{written}` is not a full international number"))
                .here("`+`, the country, and the number: at most 15 digits")
                .help("`\"+86 400 810 0000\"`")
        }
        ast::InboundChannel::Chat(_) => Diagnostic::new(Code::BadLiteral, span, "a chat has a name")
            .here("letters, digits, `-` and `_`")
            .help("`\"web\"`"),
        ast::InboundChannel::Email(_) => {
            Diagnostic::new(Code::BadLiteral, span, format!("`{written}` is not an address of e-mail"))
                .help("`\"desk@example.com\"`")
        }
    }
}

fn flow_of(project: &Project<'_>, module: usize, path: &ast::Path, problems: &mut Problems) -> Option<u32> {
    match project.find(module, path, "a flow", problems) {
        Def::Flow(flow) => {
            let info = project.flow(flow)?;
            if let Some(parameter) = info.parameters.first() {
                problems.give(
                    Diagnostic::new(
                        Code::MissingField,
                        path.span,
                        format!("a call brings no `{}`, which `{}` needs", parameter.name.text, info.name.text),
                    )
                    .label(parameter.span, "asked for here")
                    .help("let it lead to a flow without parameters, which runs this one"),
                );
                return None;
            }
            Some(flow)
        }
        Def::Broken => None,
        other => {
            problems.give(wrong_kind(path, other, "a flow"));
            None
        }
    }
}

/// Digits and `x` of a number as it is written, without `+` and blanks.
fn number(written: &str) -> Option<String> {
    let digits: String = written.strip_prefix('+')?.chars().filter(|c| !" -.()".contains(*c)).collect();
    let valid = (3..=15).contains(&digits.len())
        && !digits.starts_with(['0', 'x'])
        && digits.chars().all(|c| c.is_ascii_digit() || c == 'x');
    valid.then_some(digits)
}

/// Keys and `x` of an extension, as it is written.
fn extension(written: &str) -> Option<String> {
    Called::from_extension(&written.replace('x', "0")).map(|_| written.to_owned())
}

fn chat(written: &str) -> Option<String> {
    let is_part = |sign: char| sign.is_alphanumeric() || matches!(sign, '-' | '_');
    (!written.is_empty() && written.chars().all(is_part)).then(|| written.to_owned())
}

/// In small letters: nobody tells two people apart by the size of theirs.
fn email(written: &str) -> Option<String> {
    let (name, host) = written.split_once('@')?;
    let is_part = |part: &str| !part.is_empty() && !part.contains(|sign: char| sign.is_whitespace() || sign == '@');
    (is_part(name) && is_part(host) && host.contains('.')).then(|| written.to_lowercase())
}

/// Two patterns of which neither is more specific take one number.
fn clash(a: &str, b: &str) -> bool {
    let open = |pattern: &str| pattern.bytes().filter(|byte| *byte == b'x').count();
    a.len() == b.len() && open(a) == open(b) && a.bytes().zip(b.bytes()).all(|(a, b)| a == b || a == b'x' || b == b'x')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_e164_with_open_digits() {
        assert_eq!(number("+86 400-810 00xx").as_deref(), Some("8640081000xx"));
        for wrong in ["86400", "+0123", "+x1", "+12", "+1234567890123456", "+86a"] {
            assert_eq!(number(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn addresses_of_messages() {
        assert_eq!(email("Desk@Example.com").as_deref(), Some("desk@example.com"));
        assert!(
            ["desk", "desk@", "@example.com", "desk@host", "a b@c.de", "a@b@c.de"].iter().all(|a| email(a).is_none())
        );
        assert!(chat("web").is_some() && chat("网站").is_some() && chat("").is_none() && chat("a b").is_none());
    }

    #[test]
    fn patterns_clash_when_neither_is_more_specific() {
        assert!(clash("8640x1", "864x01"));
        assert!(clash("86400", "86400"));
        assert!(!clash("8640x", "86400"), "the second is more specific");
        assert!(!clash("8640x1", "864x02"));
    }
}
