//! `test` blocks: who calls, what services answer, what must be seen.

mod agents;
mod given;
mod outgoing;
mod surveyed;

use std::collections::BTreeMap;

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast::{self, Expectation, ExprKind, ItemKind, TestLineKind};
use runtime_contract::calendar;
use runtime_contract::channel;
use runtime_contract::program::Inbound;
use runtime_contract::request::Channel;
use runtime_contract::script::{FarSide, Hears, Verb};
use runtime_contract::time::Time;
use runtime_contract::types::Type;
use runtime_contract::value::{Money, Phone, Private, Value};

use crate::check::{CheckedFlow, Checker};
use crate::declare::duration;
use crate::hir::{self, Test};
use crate::hours::{check_zone, date};
use crate::problems::{Problems, offer_nearest};
use crate::project::Project;
use crate::ty::Ty;

const MS_A_MINUTE: i64 = 60_000;
/// When and where a test plays that does not say so: a Monday morning.
const DATE: (i16, i8, i8) = (2026, 3, 2);
const MINUTES: i64 = 10 * 60;
const ZONE: &str = "UTC";

/// What the flows offer to be expected.
struct Known<'k> {
    inbounds: &'k [hir::Inbound],
    steps: Vec<&'k str>,
    notes: Vec<(&'k str, &'k Type)>,
    /// Channels of messages, and kinds of cases.
    sent: Vec<&'static str>,
    cases: Vec<&'k str>,
    cadences: &'k [hir::Cadence],
    surveys: &'k [hir::Survey],
}

pub(crate) fn tests(
    project: &Project<'_>,
    flows: &[Option<CheckedFlow>],
    inbounds: &[hir::Inbound],
    (cadences, surveys): (&[hir::Cadence], &[hir::Survey]),
    problems: &mut Problems,
) -> Vec<Test> {
    let (sent, cases) = (Vec::new(), Vec::new());
    let mut known = Known { inbounds, steps: Vec::new(), notes: Vec::new(), sent, cases, cadences, surveys };
    for flow in flows.iter().flatten() {
        known.steps.extend(flow.hir.steps.iter().map(|step| step.name.as_str()));
        let handlers = [&flow.hir.fault, &flow.hir.finally].into_iter().flatten();
        let blocks = flow.hir.steps.iter().map(|step| &step.block).chain([&flow.hir.top]).chain(handlers);
        blocks.into_iter().for_each(|block| kept(block, &mut known));
    }
    let messages = cadences.iter().filter_map(|cadence| cadence.table.message.as_ref());
    known.sent.extend(messages.map(|message| message.channel.word()));
    let mut tests = Vec::new();
    for (module, info) in project.modules.iter().enumerate() {
        for item in &info.ast.items {
            let ItemKind::Test(test) = &item.kind else { continue };
            let title = test.title.plain().unwrap_or_default();
            let mut reader = Reader {
                project,
                module,
                known: &known,
                problems,
                calling: false,
                zone: ZONE.to_owned(),
                at: None,
                agents: BTreeMap::new(),
                started: None,
            };
            let lines = test.lines.iter().filter_map(|line| Some((line.span, reader.line(line)?))).collect();
            let acts = |line: &ast::TestLine| {
                !matches!(
                    line.kind,
                    TestLineKind::At { .. }
                        | TestLineKind::Given { .. }
                        | TestLineKind::Agent { .. }
                        | TestLineKind::DialGives(_)
                        | TestLineKind::MessageGives(_)
                        | TestLineKind::SendGives(_)
                )
            };
            if !test.lines.iter().any(acts) {
                let message = "nothing happens in this test, so it shows nothing";
                reader.problems.give(
                    Diagnostic::new(Code::TestNeverEnds, test.title.span, message)
                        .help("`call from \"+86 138 0000 0000\" to \"+86 400 810 0000\"`"),
                );
            }
            let at = reader.at.unwrap_or_else(|| {
                let days = calendar::days_since_epoch(DATE.0, DATE.1, DATE.2).unwrap_or(0);
                calendar::instant(days, MINUTES * MS_A_MINUTE, ZONE).unwrap_or_default()
            });
            tests.push(Test { name: title, span: test.title.span, at, zone: reader.zone, lines });
        }
    }
    tests
}

/// All notes, messages and cases of a block.
fn kept<'b>(block: &'b hir::Block, known: &mut Known<'b>) {
    use hir::StatementKind as Kind;
    block.each(&mut |statement| match &statement.kind {
        Kind::Note { key, value } => known.notes.push((key, &value.ty)),
        Kind::Send(message) => known.sent.push(message.channel.name()),
        Kind::OpenCase(case) => known.cases.push(&case.kind),
        _ => {}
    });
}

struct Reader<'r, 'a> {
    project: &'r Project<'a>,
    module: usize,
    known: &'r Known<'r>,
    problems: &'r mut Problems,
    /// A `call from` stood before.
    calling: bool,
    zone: String,
    at: Option<Time>,
    /// Those of whom a line has spoken, and their skills.
    agents: BTreeMap<String, Vec<(u32, i64)>>,
    /// The cadence that a line has started last.
    started: Option<u32>,
}

impl<'a> Reader<'_, 'a> {
    fn line(&mut self, line: &ast::TestLine) -> Option<Verb> {
        match &line.kind {
            TestLineKind::At { time, zone } => {
                self.moment(time, zone.as_ref());
                None
            }
            TestLineKind::Given { operation, result } => self.given(operation, result),
            TestLineKind::Call { from, to } => self.call(from, to),
            TestLineKind::Written { channel, from, to } => self.write(channel, from, to),
            TestLineKind::Hears { tag, text } => {
                self.on_call(line, "hears");
                self.hears(tag.as_ref(), text)
            }
            TestLineKind::Press(key) => {
                self.on_call(line, "press");
                Some(Verb::Press(key.text.clone()))
            }
            TestLineKind::Wait(time) => duration(time, "wait 5s", self.problems).map(|ms| Verb::Wait { ms }),
            TestLineKind::HangUp => {
                self.on_call(line, "hang up");
                Some(Verb::HangUp)
            }
            TestLineKind::Expect(expectation) => self.expect(line, expectation),
            TestLineKind::Agent { agent, state, skills } => self.agent(agent, state, skills),
            TestLineKind::AgentPicks { agent, variant } => {
                self.on_call(line, "agent … picks");
                self.agent_picks(agent, variant)
            }
            TestLineKind::Says(words) => {
                self.on_call(line, "says");
                self.says(words)
            }
            TestLineKind::Start { cadence, arguments } => self.start(cadence, arguments.as_ref()),
            TestLineKind::DialGives(sides) => {
                let sides: Vec<FarSide> = sides.iter().filter_map(|side| self.far_side(side)).collect();
                (!sides.is_empty()).then_some(Verb::DialGives(sides))
            }
            TestLineKind::MessageGives(given) => self.deliveries("message", given).map(Verb::MessageGives),
            TestLineKind::SendGives(given) => self.deliveries("send", given).map(Verb::SendGives),
        }
    }

    fn hears(&mut self, tag: Option<&ast::LanguageTag>, text: &ast::TextString) -> Option<Verb> {
        let heard = self.checker().heard(tag, text)?;
        let mut values = Vec::new();
        for value in &heard.values {
            values.push((value.ty.clone(), self.written_out(value)?));
        }
        Some(Verb::Hears(Hears::new(heard.parts, values, heard.tag)))
    }

    fn checker(&mut self) -> Checker<'_, 'a> {
        Checker { in_test: true, ..Checker::new(self.project, self.module, self.problems) }
    }

    fn says(&mut self, words: &ast::TextString) -> Option<Verb> {
        let written = words.plain().filter(|written| !written.trim().is_empty());
        if written.is_none() {
            let message = "what a caller says is written out";
            let help = "`says \"Please call me back.\"`";
            self.problems.give(Diagnostic::new(Code::BadLiteral, words.span, message).help(help));
        }
        let mut checker = self.checker();
        written.iter().for_each(|written| checker.no_secret(written, words.span));
        written.map(Verb::Says)
    }

    fn written_out(&mut self, value: &hir::Expr) -> Option<Value> {
        let found = constant(value);
        if found.is_none() {
            self.problems.give(
                Diagnostic::new(Code::BadLiteral, value.span, "the values of a test are written out")
                    .help("a literal, a variant or a record of them"),
            );
        }
        found
    }

    fn far_side(&mut self, name: &ast::Name) -> Option<FarSide> {
        let found = FarSide::ALL.into_iter().find(|side| side.name() == name.text);
        if found.is_none() {
            let message = format!("nobody who is called gives `{}`", name.text);
            let diagnostic = Diagnostic::new(Code::ExpectationImpossible, name.span, message);
            let known = FarSide::ALL.map(FarSide::name);
            self.problems.give(offer_nearest(diagnostic, &name.text, known, "dial gives {}"));
        }
        found
    }

    fn on_call(&mut self, line: &ast::TestLine, verb: &str) {
        if !self.calling {
            self.calling = true;
            self.problems.give(
                Diagnostic::new(Code::ExpectationImpossible, line.keyword, format!("`{verb}` stands before any call"))
                    .help("`call from \"+86 138 0000 0000\" to \"+86 400 810 0000\"` before it"),
            );
        }
    }

    fn moment(&mut self, time: &ast::Moment, zone: Option<&ast::Expr>) {
        if let Some(ast::Expr { kind: ExprKind::Text(string), span }) = zone {
            let name = string.plain().unwrap_or_default();
            if !check_zone(&name, *span, self.problems) {
                return;
            }
            self.zone = name;
        }
        self.at = self.instant(time);
        self.on_the_clock(time);
    }

    /// F0208 where clocks go forward over the time at which the test begins.
    fn on_the_clock(&mut self, time: &ast::Moment) {
        let (Some(at), ExprKind::Clock { minutes }) = (self.at, &time.clock.kind) else { return };
        let ExprKind::Date { year, month, day } = &time.date.kind else { return };
        let shown = calendar::local_clock(at, &self.zone).map(|ms| ms / MS_A_MINUTE);
        if let Some(shown) = shown.filter(|shown| *shown != i64::from(*minutes)) {
            let message = format!("the clocks of `{}` skip this time on that day", self.zone);
            let (hour, minute) = (shown / 60, shown % 60);
            self.problems.give(
                Diagnostic::new(Code::BadLiteral, time.span, message)
                    .help(format!("`at {year:04}-{month:02}-{day:02} {hour:02}:{minute:02}`")),
            );
        }
    }

    /// By the clock of the test's zone.
    fn instant(&self, time: &ast::Moment) -> Option<Time> {
        let ExprKind::Clock { minutes } = time.clock.kind else { return None };
        calendar::instant(date(&time.date)?, i64::from(minutes) * MS_A_MINUTE, &self.zone)
    }

    /// A value that is written out.
    fn constant(&mut self, expr: &ast::Expr, wanted: &Ty) -> Option<Value> {
        // Nothing is private in a test: its values are made up.
        let open = match wanted {
            Ty::Private(inner) => (**inner).clone(),
            other => other.clone(),
        };
        let value = self.checker().value(expr, &open);
        if matches!(value.kind, hir::ExprKind::Broken) {
            return None;
        }
        let found = self.written_out(&value)?;
        Some(match (wanted, found) {
            (Ty::Private(_), Value::Text(text)) => Value::Private(Private(text.into())),
            (_, found) => found,
        })
    }

    fn call(&mut self, from: &ast::Expr, to: &ast::Destination) -> Option<Verb> {
        self.calling = true;
        let from = match self.constant(from, &Ty::Phone.optional())? {
            Value::Some(phone) => phone_text(&phone),
            _ => None,
        };
        let (dialled, place, is_extension) = match to {
            ast::Destination::Number(to) => (phone_text(&self.constant(to, &Ty::Phone)?)?, to.span, false),
            ast::Destination::Extension { value, .. } => match self.constant(value, &Ty::Digits)? {
                Value::Text(keys) => (keys, value.span, true),
                _ => return None,
            },
        };
        let what = if is_extension { ("extension", "100") } else { ("number", "+864008100000") };
        self.answered(channel::Channel::Voice, &dialled, is_extension, place, what)?;
        Some(Verb::Call { channel: channel::Channel::Voice, from, to: dialled })
    }

    /// `chat from "visitor" to "web"`
    fn write(&mut self, channel: &ast::Name, from: &ast::Expr, to: &ast::Expr) -> Option<Verb> {
        self.calling = true;
        let channel = channel::Channel::ALL.into_iter().find(|known| known.word() == channel.text)?;
        let (from, address) = match channel {
            channel::Channel::Sms => {
                let from = match self.constant(from, &Ty::Phone.optional())? {
                    Value::Some(phone) => phone_text(&phone),
                    _ => None,
                };
                (from, phone_text(&self.constant(to, &Ty::Phone)?)?)
            }
            _ => match (self.constant(from, &Ty::Text)?, self.constant(to, &Ty::Text)?) {
                (Value::Text(from), Value::Text(to)) => (Some(from), to),
                _ => return None,
            },
        };
        let what = match channel {
            channel::Channel::Chat => ("chat", "web"),
            channel::Channel::Email => ("address", "desk@example.com"),
            channel::Channel::Sms | channel::Channel::Voice => ("number", "+864008100000"),
        };
        self.answered(channel, &address, false, to.span, what)?;
        Some(Verb::Call { channel, from, to: address })
    }

    /// Some flow answers this; `what` it is, with an example.
    fn answered(
        &mut self,
        channel: channel::Channel,
        address: &str,
        is_extension: bool,
        place: Span,
        (what, example): (&str, &str),
    ) -> Option<()> {
        let alike = |known: &&Inbound| known.is_extension == is_extension && known.channel == channel;
        let mut alike = self.known.inbounds.iter().map(|inbound| &inbound.address).filter(alike);
        if alike.clone().any(|inbound| inbound.takes(channel, address)) {
            return Some(());
        }
        let example = alike.next().map_or_else(|| example.to_owned(), Inbound::example);
        let message = format!("no flow answers this {what}");
        let diagnostic = Diagnostic::new(Code::ExpectationImpossible, place, message);
        self.problems.give(diagnostic.help(format!("`\"{example}\"`")));
        None
    }

    fn expect(&mut self, line: &ast::TestLine, expectation: &Expectation) -> Option<Verb> {
        match expectation {
            Expectation::Note { key, value } => self.expect_note(key, value),
            Expectation::Step { step } => {
                if !self.known.steps.contains(&step.text.as_str()) {
                    let diagnostic = Diagnostic::new(
                        Code::ExpectationImpossible,
                        step.span,
                        format!("no flow has a step `{}`", step.text),
                    );
                    self.problems.give(offer_nearest(
                        diagnostic,
                        &step.text,
                        self.known.steps.iter().copied(),
                        "expect step {}",
                    ));
                    return None;
                }
                Some(Verb::ExpectStep { flow: None, step: step.text.clone() })
            }
            Expectation::End => Some(Verb::ExpectEnd),
            Expectation::Queued { queue, priority } => {
                self.on_call(line, "expect queued");
                self.expect_queued(queue, priority.as_ref())
            }
            Expectation::Agent { agent, within } => {
                self.on_call(line, "expect agent");
                self.expect_agent(agent, within.as_ref())
            }
            Expectation::Attempt { attempt, cadence, at } => {
                let of = self.expected(line, cadence.as_ref(), "expect attempt")?;
                self.expect_attempt(attempt, of, at.as_ref())
            }
            Expectation::Stopped { disposition, cadence } => {
                let of = self.expected(line, cadence.as_ref(), "expect stopped")?;
                self.expect_stopped(disposition, of)
            }
            Expectation::Sent { channel, to, text } => self.expect_sent(channel, to.as_ref(), text.as_ref()),
            Expectation::Case { kind, priority } => self.expect_case(kind, priority.as_ref()),
            Expectation::Answer { question, answer } => self.expect_answer(question, answer.as_ref()),
        }
    }

    fn expect_sent(&mut self, name: &ast::Name, to: Option<&ast::Expr>, text: Option<&ast::Text>) -> Option<Verb> {
        let channel = match name.text.as_str() {
            "sms" => Channel::Sms,
            "email" => Channel::Email,
            "notify" => Channel::Notify(String::new()),
            _ => Channel::Chat,
        };
        if !self.known.sent.contains(&channel.name()) {
            let problem = impossible(name, format!("no flow sends anything by `{}`", name.text));
            let names = self.known.sent.iter().copied();
            self.problems.give(offer_nearest(problem, &name.text, names, "expect sent {}"));
            return None;
        }
        let to = match to.map(|to| self.checker().address(&channel, to)) {
            None => None,
            Some(to) => match self.written_out(&to?)? {
                Value::Text(text) => Some(text),
                phone => phone_text(&phone),
            },
        };
        let text = match text.map(|text| (text, text.languages.as_slice())) {
            None => None,
            Some((_, [only])) => match self.hears(only.tag.as_ref(), &only.string)? {
                Verb::Hears(words) => Some(words),
                _ => None,
            },
            Some((text, _)) => {
                let message = "a message is in one language";
                let help = "keep the language in which it is sent, and leave the others out";
                self.problems.give(Diagnostic::new(Code::BadLiteral, text.span, message).help(help));
                return None;
            }
        };
        Some(Verb::ExpectSent { channel: channel.name().to_owned(), to, text })
    }

    fn expect_case(&mut self, kind: &ast::Name, priority: Option<&ast::Expr>) -> Option<Verb> {
        if !self.known.cases.contains(&kind.text.as_str()) {
            let problem = impossible(kind, format!("no flow opens a case `{}`", kind.text));
            let names = self.known.cases.iter().copied();
            self.problems.give(offer_nearest(problem, &kind.text, names, "expect case {}"));
            return None;
        }
        let priority = match priority {
            Some(priority) => Some(self.checker().case_priority(Some(priority))?),
            None => None,
        };
        Some(Verb::ExpectCase { kind: kind.text.clone(), priority })
    }

    fn expect_note(&mut self, key: &ast::Name, value: &ast::Expr) -> Option<Verb> {
        let types: Vec<&Type> =
            self.known.notes.iter().filter(|(name, _)| *name == key.text).map(|(_, ty)| *ty).collect();
        let Some(first) = types.first() else {
            let message = format!("no flow notes `{}`", key.text);
            let diagnostic = Diagnostic::new(Code::ExpectationImpossible, key.span, message);
            let names = self.known.notes.iter().map(|(name, _)| *name);
            self.problems.give(offer_nearest(diagnostic, &key.text, names, "expect note {}"));
            return None;
        };
        // One key may be noted with several types: the written value says which is meant.
        let probe = Checker::new(self.project, self.module, &mut Problems::default()).expr(value, None).ty.lower();
        let r#type = types.iter().find(|ty| ***ty == probe).unwrap_or(first);
        let value = self.constant(value, &raise(r#type))?;
        Some(Verb::ExpectNote { key: key.text.clone(), r#type: (*r#type).clone(), value })
    }
}

/// The line of a test that nothing in any flow can make true.
fn impossible(name: &ast::Name, message: String) -> Diagnostic {
    Diagnostic::new(Code::ExpectationImpossible, name.span, message)
}

fn phone_text(value: &Value) -> Option<String> {
    match value {
        Value::Phone(phone) => Some(Phone::e164(*phone).reveal().clone()),
        _ => None,
    }
}

/// The checker's type of a runtime type.
fn raise(r#type: &Type) -> Ty {
    match r#type {
        Type::Bool => Ty::Bool,
        Type::Int => Ty::Int(None),
        Type::Decimal => Ty::Decimal,
        Type::Money => Ty::Money,
        Type::Percent => Ty::Percent,
        Type::Duration => Ty::Duration,
        Type::Time => Ty::Time,
        Type::Date => Ty::Date,
        Type::Clock => Ty::Clock,
        Type::Text => Ty::Text,
        Type::Digits => Ty::Digits,
        Type::Phone => Ty::Phone,
        Type::TimeZone => Ty::TimeZone,
        Type::Language => Ty::Language,
        Type::Recording => Ty::Recording,
        Type::Enum(id) => Ty::Enum(*id),
        Type::Record(id) => Ty::Record(*id),
        Type::List(inner) => Ty::List(Box::new(raise(inner))),
        Type::Optional(inner) => Ty::Optional(Box::new(raise(inner))),
        Type::Private(inner) => Ty::Private(Box::new(raise(inner))),
    }
}

/// The value of an expression that computes nothing.
pub(crate) fn constant(expr: &hir::Expr) -> Option<Value> {
    use hir::ExprKind;
    Some(match &expr.kind {
        ExprKind::Bool(value) => Value::Bool(*value),
        ExprKind::Int(value) => Value::Int(*value),
        ExprKind::Decimal(value) => Value::Decimal(*value),
        ExprKind::Money(value) => Value::Money(*value),
        ExprKind::Moment(value) => Value::Moment(*value),
        ExprKind::Text(value) => Value::Text(value.clone()),
        ExprKind::Phone(value) => Value::Phone(*value),
        ExprKind::Language(value) => Value::Language(*value),
        ExprKind::Variant(value) => Value::Enum(*value, Vec::new()),
        ExprKind::Construct { variant, fields } => Value::Enum(*variant, constants(fields)?),
        ExprKind::List(rows) => Value::List(rows.iter().map(constant).collect::<Option<_>>()?),
        ExprKind::None => Value::None,
        ExprKind::Some(value) => Value::Some(Box::new(constant(value)?)),
        ExprKind::Record(fields) => Value::Record(constants(fields)?),
        // In a test nothing is private but its type: its values are made up.
        ExprKind::Convert(hir::Conversion::ToPrivate, value) => match constant(value)? {
            Value::Text(text) => Value::Private(Private(text.into())),
            Value::Some(inner) => match *inner {
                Value::Text(text) => Value::Some(Box::new(Value::Private(Private(text.into())))),
                _ => return None,
            },
            other => other,
        },
        ExprKind::Negate(value) => match constant(value)? {
            Value::Int(value) => Value::Int(value.checked_neg()?),
            Value::Decimal(value) => Value::Decimal(value.checked_neg()?),
            Value::Moment(value) => Value::Moment(value.checked_neg()?),
            Value::Money(money) => Value::Money(Money { amount: money.amount.checked_neg()?, ..money }),
            _ => return None,
        },
        ExprKind::Zoned(hir::Zoned::DateAt, operands) => {
            match operands.iter().map(constant).collect::<Option<Vec<_>>>()?.as_slice() {
                [Value::Moment(date), Value::Moment(clock), Value::Text(zone)] => {
                    Value::Moment(calendar::instant(i32::try_from(*date).ok()?, *clock, zone)?.0)
                }
                _ => return None,
            }
        }
        _ => return None,
    })
}

/// In the order of the fields.
fn constants(fields: &[hir::Argument]) -> Option<Vec<Value>> {
    let mut values: Vec<(u32, Value)> =
        fields.iter().map(|field| Some((field.index, constant(&field.value)?))).collect::<Option<_>>()?;
    values.sort_by_key(|(index, _)| *index);
    Some(values.into_iter().map(|(_, value)| value).collect())
}
