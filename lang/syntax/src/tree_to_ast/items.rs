//! The items of a file, but for routing, calls out, surveys and tests.

use lang_diagnostics::{Code, Diagnostic};

use super::AstBuilder;
use super::expressions::missing;
use super::statements::Ends;
use crate::ast::{
    Audio, ClockRange, Const, DateRange, DayRange, Days, Enum, Expr, Flow, Function, Handler, Hours, HoursLine,
    HoursLineKind, Inbound, InboundChannel, Item, ItemKind, Languages, Operation, Prompt, PromptLine, Service, Step,
    TypeItem, Use, Variant,
};
use crate::grammar::Rule;
use crate::node::Node;
use crate::tree::Line;

impl<'t> AstBuilder<'t, '_> {
    pub(super) fn use_line(&mut self, node: &Node<'t, '_>) -> Use {
        let names = node.child(Rule::use_names);
        let names = names.iter().flat_map(|names| names.inner());
        let names = names.map(|name| self.name(&name)).collect();
        Use { keyword: node.first_span(), module: self.path_of(node), names, span: node.span() }
    }

    pub(super) fn languages(&mut self, node: &Node<'t, '_>) -> Languages {
        let tags = node.children(Rule::tag).map(|tag| self.tag(&tag)).collect();
        Languages { keyword: node.first_span(), tags, span: node.span() }
    }

    pub(super) fn item(&mut self, node: &Node<'t, '_>, line: &Line<'t>) -> Option<Item> {
        let local = node.keyword(Rule::kw_local);
        let inner = node.inner().find(|part| part.rule() != Rule::kw_local)?;
        let kind = match inner.rule() {
            Rule::enum_item => ItemKind::Enum(self.enum_item(&inner)),
            Rule::type_item => ItemKind::Type(self.type_item(&inner)),
            Rule::const_item => {
                let ty = self.type_name_of(&inner);
                ItemKind::Const(Const { name: self.name_of(&inner, Rule::name), ty, value: self.value_of(&inner) })
            }
            Rule::function_item => ItemKind::Function(Function {
                name: self.name_of(&inner, Rule::name),
                parameters: self.fields_of(&inner, Rule::parameters),
                result: self.type_name_of(&inner)?,
                value: self.value_of(&inner),
            }),
            Rule::service_item => ItemKind::Service(self.service(&inner)),
            Rule::hours_item => ItemKind::Hours(self.hours(&inner)),
            Rule::prompt_item => ItemKind::Prompt(self.prompt(&inner)),
            Rule::inbound_item => ItemKind::Inbound(self.inbound(&inner)),
            Rule::flow_item => ItemKind::Flow(self.flow(&inner)),
            Rule::skill_item => ItemKind::Skill(self.skill(&inner)),
            Rule::queue_item => ItemKind::Queue(self.queue(&inner)),
            Rule::when_item => ItemKind::When(self.when(&inner, line)?),
            Rule::cadence_item => ItemKind::Cadence(self.cadence(&inner)),
            Rule::survey_item => ItemKind::Survey(self.survey(&inner)),
            _ => ItemKind::Test(self.test(&inner)),
        };
        let docs = self.docs(&line.above, "///");
        Some(Item { docs, local, keyword: inner.first_span(), kind, span: self.line_span(line) })
    }

    fn enum_item(&mut self, node: &Node<'t, '_>) -> Enum {
        let mut variants = Vec::new();
        let lines: Vec<_> = self.lines_of(node).collect();
        for (line, node) in lines {
            let mut docs = self.docs(&line.above, "///");
            for variant in node.children(Rule::variant) {
                variants.push(Variant {
                    docs: std::mem::take(&mut docs),
                    name: self.name_of(&variant, Rule::name),
                    fields: self.fields_of(&variant, Rule::fields),
                    text: variant.child(Rule::text).map(|text| self.text(&text)),
                    span: variant.span(),
                });
            }
        }
        Enum { name: self.name_of(node, Rule::name), variants }
    }

    fn type_item(&mut self, node: &Node<'t, '_>) -> TypeItem {
        let mut fields = Vec::new();
        let lines: Vec<_> = self.lines_of(node).collect();
        for (line, node) in lines {
            let mut docs = self.docs(&line.above, "///");
            for field in node.children(Rule::field) {
                let mut field = self.field(&field);
                field.docs = std::mem::take(&mut docs);
                fields.push(field);
            }
        }
        TypeItem { name: self.name_of(node, Rule::name), fields }
    }

    fn service(&mut self, node: &Node<'t, '_>) -> Service {
        let lines: Vec<_> = self.lines_of(node).collect();
        let operations = lines.into_iter().map(|(line, node)| Operation {
            docs: self.docs(&line.above, "///"),
            writes: node.keyword(Rule::writes),
            name: self.name_of(&node, Rule::word),
            parameters: self.fields_of(&node, Rule::fields),
            result: self.type_name_of(&node),
            within: self.clause(&node, Rule::within_clause),
            span: node.span(),
        });
        let operations = operations.collect();
        Service { name: self.name_of(node, Rule::name), operations }
    }

    fn hours(&mut self, node: &Node<'t, '_>) -> Hours {
        let lines: Vec<_> = self.lines_of(node).collect();
        let lines = lines.into_iter().filter_map(|(_, line)| {
            let inner = line.first()?;
            let keyword = inner.first_span();
            let times = match inner.child(Rule::clock_ranges) {
                Some(times) => self.clock_ranges(&times)?,
                None => Vec::new(),
            };
            let kind = match inner.rule() {
                Rule::weekly => HoursLineKind::Weekly { days: self.days(&inner.child(Rule::days)?), times },
                Rule::open_dates => HoursLineKind::Open { keyword, dates: self.date_range(&inner), times },
                Rule::closed_dates => HoursLineKind::Closed { keyword, dates: self.date_range(&inner), times },
                _ => HoursLineKind::ClosedHolidays { keyword, table: self.string_of(&inner) },
            };
            Some(HoursLine { kind, span: inner.span() })
        });
        let lines = lines.collect();
        Hours { name: self.name_of(node, Rule::name), zone: self.clause(node, Rule::zone_clause), lines }
    }

    pub(super) fn days(&mut self, node: &Node<'t, '_>) -> Days {
        let mut ranges: Vec<DayRange> = node
            .children(Rule::day_range)
            .map(|range| {
                let mut days = range.inner().map(|day| weekday(day.text()));
                let first = days.next().unwrap_or(0);
                DayRange { first, last: days.next().unwrap_or(first), span: range.span() }
            })
            .collect();
        if node.child(Rule::kw_daily).is_some() {
            ranges.push(DayRange { first: 0, last: 6, span: node.span() });
        }
        Days { ranges, span: node.span() }
    }

    /// None where a clock shows no such time; the first one of the line is told.
    pub(super) fn clock_ranges(&mut self, node: &Node<'t, '_>) -> Option<Vec<ClockRange>> {
        let ranges = node.children(Rule::clock_range).map(|range| {
            let mut clocks = range.inner();
            let (from_minutes, to_minutes) = (self.clock(&clocks.next()?)?, self.clock(&clocks.next()?)?);
            Some(ClockRange { from_minutes, to_minutes, span: range.span() })
        });
        ranges.collect()
    }

    fn date_range(&mut self, node: &Node<'t, '_>) -> DateRange {
        let range = node.child(Rule::date_range);
        let span = range.as_ref().map_or(node.span(), |range| range.span());
        let dates: Vec<Expr> = range.iter().flat_map(|range| range.inner()).map(|date| self.expr(&date)).collect();
        let mut dates = dates.into_iter();
        let first = dates.next().unwrap_or_else(|| missing(span));
        DateRange { last: dates.next().unwrap_or_else(|| first.clone()), first, span }
    }

    fn prompt(&mut self, node: &Node<'t, '_>) -> Prompt {
        let mut entries = Vec::new();
        let lines: Vec<_> = self.lines_of(node).collect();
        for (_, line) in lines {
            for entry in line.inner() {
                let audio = entry.child(Rule::audio);
                entries.push(PromptLine {
                    tag: entry.child(Rule::tag).map(|tag| self.tag(&tag)),
                    audio: audio.map(|audio| Audio { keyword: audio.first_span(), file: self.string_of(&audio) }),
                    text: entry.child(Rule::string).map(|text| self.string(&text)),
                    span: entry.span(),
                });
            }
        }
        let untagged: Vec<_> = entries.iter().filter(|entry| entry.tag.is_none()).map(|entry| entry.span).collect();
        if entries.len() > 1 {
            for span in untagged {
                let problem = Diagnostic::new(Code::LanguageMissing, span, "a prompt beside others names its language");
                self.report(problem.help("`en \"Welcome.\"`"));
            }
        }
        Prompt { name: self.name_of(node, Rule::name), lines: entries }
    }

    fn inbound(&mut self, node: &Node<'t, '_>) -> Inbound {
        let channel = node.child(Rule::inbound_channel);
        let word = channel.as_ref().and_then(|channel| channel.first());
        let channel = word.map_or(InboundChannel::Number, |word| match word.rule() {
            Rule::kw_extension => InboundChannel::Extension(word.span()),
            Rule::kw_chat => InboundChannel::Chat(word.span()),
            Rule::kw_sms => InboundChannel::Sms(word.span()),
            _ => InboundChannel::Email(word.span()),
        });
        Inbound { channel, address: self.string_of(node), flow: self.path_of(node) }
    }

    fn flow(&mut self, node: &Node<'t, '_>) -> Flow {
        let mut flow = Flow {
            name: self.name_of(node, Rule::name),
            parameters: self.fields_of(node, Rule::parameters),
            result: self.type_name_of(node),
            top: Vec::new(),
            steps: Vec::new(),
            fault: None,
            finally: None,
            body_span: self.block_span(node.block),
        };
        for line in node.block.map_or(&[] as &[Line], |block| block.lines.as_slice()) {
            let part = self.node_of(line).and_then(|node| node.first());
            match part.as_ref().map(|part| (part.rule(), part)) {
                Some((Rule::step, part)) => flow.steps.push(Step {
                    docs: self.docs(&line.above, "///"),
                    keyword: part.first_span(),
                    name: self.name_of(part, Rule::word),
                    parameters: self.fields_of(part, Rule::parameters),
                    body: self.block_of(part),
                    span: self.line_span(line),
                }),
                Some((Rule::fault, part)) => {
                    let handler = self.handler(part, line);
                    self.set_handler(&mut flow.fault, handler, "fault");
                }
                Some((Rule::finally, part)) => {
                    let handler = self.handler(part, line);
                    self.set_handler(&mut flow.finally, handler, "finally");
                }
                _ => flow.top.extend(self.statement_line(line, Ends::InAction)),
            }
        }
        flow
    }

    fn handler(&mut self, node: &Node<'t, '_>, line: &Line<'t>) -> Handler {
        Handler { keyword: node.first_span(), body: self.block_of(node), span: self.line_span(line) }
    }

    fn set_handler(&mut self, slot: &mut Option<Handler>, handler: Handler, word: &str) {
        if let Some(first) = slot {
            let message = format!("a flow has one `{word}`");
            self.report(
                Diagnostic::new(Code::DuplicateName, handler.keyword, message)
                    .label(first.keyword, "the first is here")
                    .help("move these lines into the first"),
            );
        } else {
            *slot = Some(handler);
        }
    }
}

fn weekday(word: &str) -> u8 {
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    days.iter().position(|day| *day == word).unwrap_or(0) as u8
}
