//! What nobody can be given who writes: statements for voice alone, in the flows that chat, SMS or e-mail lead to; and what
//! nobody can give by voice. What stands in the other branch of `on voice` is found where that is checked.

use std::collections::{BTreeMap, BTreeSet};

use lang_diagnostics::{Code, Diagnostic, Span};
use runtime_contract::channel::Channel;
use runtime_contract::program::PromptText;
use runtime_contract::request::AskKind;

use crate::check::CheckedFlow;
use crate::hir::{self, Block, Dialogue, ExprKind, PromptUse, Prompts, Statement, StatementKind};
use crate::problems::Problems;
use crate::project::Project;

/// F0608 in flows, by the channels by which each is held, also through `run`.
pub(crate) fn check_channels(
    project: &Project<'_>,
    flows: &[Option<CheckedFlow>],
    inbounds: &[hir::Inbound],
    cadences: &[hir::Cadence],
    surveys: &[hir::Survey],
    problems: &mut Problems,
) {
    let come = inbounds.iter().map(|inbound| (inbound.address.channel, inbound.address.flow, inbound.span));
    let written = cadences.iter().filter_map(|of| {
        let message = of.table.message.as_ref()?;
        Some((message.channel, message.flow, of.span))
    });
    let called = cadences.iter().filter_map(|of| Some((Channel::Voice, of.table.dial.as_ref()?.flow, of.span)));
    let asked = surveys
        .iter()
        .flat_map(|survey| survey.table.channels.iter().map(|channel| (*channel, survey.table.flow, survey.span)));
    let mut told = BTreeSet::new();
    for (channel, flow, place) in come.chain(called).chain(written).chain(asked) {
        let mut held = Held { project, flows, channel, known: BTreeMap::new() };
        for fault in held.flow(flow) {
            if !told.insert((fault.span.file, fault.span.start)) {
                continue;
            }
            let diagnostic = Diagnostic::new(Code::VoiceOnlyOnOtherChannel, fault.span, fault.message);
            let diagnostic = match fault.inside {
                Some(inside) => diagnostic.label(inside, "needed here"),
                None => diagnostic,
            };
            let diagnostic = diagnostic.label(place, format!("{} comes here", named(channel)));
            problems.give(diagnostic.help(match channel {
                Channel::Voice => "put it into the block behind `else`: `on voice { … } else { … }`",
                _ => "put it into the block of `on voice`",
            }));
        }
    }
}

/// As people call it.
fn named(channel: Channel) -> &'static str {
    match channel {
        Channel::Voice => "a call",
        Channel::Chat => "a chat",
        Channel::Sms => "an SMS",
        Channel::Email => "an e-mail",
    }
}

#[derive(Clone)]
struct Fault {
    span: Span,
    message: String,
    /// The statement inside a flow that is run.
    inside: Option<Span>,
}

struct Held<'f> {
    project: &'f Project<'f>,
    flows: &'f [Option<CheckedFlow>],
    channel: Channel,
    /// Also of those that are being looked at: a flow that runs itself was told of.
    known: BTreeMap<u32, Vec<Fault>>,
}

impl Held<'_> {
    fn flow(&mut self, flow: u32) -> Vec<Fault> {
        if let Some(known) = self.known.get(&flow) {
            return known.clone();
        }
        let Some(checked) = self.flows.get(flow as usize).and_then(Option::as_ref) else { return Vec::new() };
        self.known.insert(flow, Vec::new());
        let (flow_hir, mut faults) = (&checked.hir, Vec::new());
        let steps = flow_hir.steps.iter().map(|step| &step.block);
        // In `finally` nobody is on the line anyway.
        for block in [&flow_hir.top].into_iter().chain(steps).chain(flow_hir.fault.as_ref()) {
            self.block(block, flow_hir, false, &mut faults);
        }
        self.known.insert(flow, faults.clone());
        faults
    }

    /// `told`: what is for voice alone was told of where the block is checked.
    fn block(&mut self, block: &Block, flow: &hir::Flow, told: bool, faults: &mut Vec<Fault>) {
        block.statements.iter().for_each(|statement| self.statement(statement, flow, told, faults));
    }

    fn statement(&mut self, statement: &Statement, flow: &hir::Flow, told: bool, faults: &mut Vec<Fault>) {
        let span = statement.keyword;
        let mut fault = |message: String| faults.push(Fault { span, message, inside: None });
        let voice_only = match &statement.kind {
            StatementKind::Connect(_) => Some("`connect to`"),
            StatementKind::Transfer(_) => Some("`transfer to`"),
            StatementKind::Record(_) => Some("`record`"),
            StatementKind::Recording { .. } => Some("`recording`"),
            _ => None,
        };
        if let (Some(what), false, true) = (voice_only, told, self.channel.is_written()) {
            fault(format!("{what} is for voice alone"));
        }
        match &statement.kind {
            StatementKind::Play(prompts) => self.prompts(prompts, flow, &mut fault),
            StatementKind::Ask(ask) => {
                if ask.private && matches!(self.channel, Channel::Sms | Channel::Email) {
                    fault(format!("{} cannot bring what is private", named(self.channel)));
                }
                if matches!(ask.kind, AskKind::Text { .. }) && self.channel == Channel::Voice {
                    fault("what is said is not written down, so by voice nobody can give a text".to_owned());
                }
                self.dialogue_prompts(&ask.dialogue, flow, &mut fault);
            }
            StatementKind::Menu(menu) => self.dialogue_prompts(&menu.dialogue, flow, &mut fault),
            StatementKind::Run(run) => {
                if let Some(first) = self.flow(run.flow).first() {
                    let message = match self.channel {
                        Channel::Voice => "this flow needs somebody who writes".to_owned(),
                        _ => "this flow needs voice".to_owned(),
                    };
                    faults.push(Fault { span, message, inside: Some(first.inside.unwrap_or(first.span)) });
                }
            }
            _ => {}
        }
        match &statement.kind {
            StatementKind::If { condition, then, otherwise } if matches!(condition.kind, ExprKind::OnVoice) => {
                match self.channel {
                    Channel::Voice => self.block(then, flow, told, faults),
                    _ => self.block(otherwise, flow, true, faults),
                }
            }
            // Held by a channel of its own: what it lacks is told of where the survey is declared.
            StatementKind::Survey { .. } => {}
            _ => statement.blocks().into_iter().for_each(|block| self.block(block, flow, told, faults)),
        }
    }

    fn dialogue_prompts(&self, dialogue: &Dialogue, flow: &hir::Flow, fault: &mut impl FnMut(String)) {
        let prompts = [&dialogue.prompts].into_iter().chain(&dialogue.reprompt);
        prompts.for_each(|prompts| self.prompts(prompts, flow, fault));
    }

    /// What can only be heard.
    fn prompts(&self, prompts: &Prompts, flow: &hir::Flow, fault: &mut impl FnMut(String)) {
        if self.channel == Channel::Voice {
            return;
        }
        for item in &prompts.items {
            let only_heard = match item {
                PromptUse::Recording(_) => true,
                PromptUse::Prompt { prompt, .. } => {
                    let known = self.project.prompts.borrow();
                    let prompt = flow.prompts.get(*prompt as usize).and_then(|prompt| known.get(*prompt as usize));
                    let only_heard = |text: &PromptText| text.parts.is_empty() && text.audio.is_some();
                    prompt.is_some_and(|(prompt, _)| prompt.texts.iter().any(only_heard))
                }
            };
            if only_heard {
                return fault("this can only be heard, as it has no text".to_owned());
            }
        }
    }
}
