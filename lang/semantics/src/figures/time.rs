//! How long what a caller hears and does takes, in milliseconds. Keys come as late as they may.

use lang_diagnostics::Span;
use runtime_contract::limits::CALL_HOURS_MAX;
use runtime_contract::program::{Part, Prompt};
use runtime_contract::request;
use runtime_contract::spoken::spoken_ms;
use runtime_contract::types::Type;

use crate::hir::{self, Ask, Flow, Menu, Program, PromptUse, Prompts, Record, StatementKind, Takes};

/// The tone before a recording.
const BEEP_MS: u64 = 500;
/// An audio file of unknown length beside which no text stands.
const AUDIO_MS: u64 = 5_000;
/// A call that is given away rings so long before it comes back.
pub(crate) const TRANSFER_MS: u64 = 30_000;

pub(crate) struct Times<'p> {
    program: &'p Program,
    /// The longest recording that any flow makes: whatever is played back may be as long.
    recording_ms: u64,
}

impl<'p> Times<'p> {
    pub fn new(program: &'p Program) -> Times<'p> {
        let mut recording_ms = 0;
        for flow in &program.flows {
            let handlers = [&flow.fault, &flow.finally].into_iter().flatten();
            for block in [&flow.top].into_iter().chain(flow.steps.iter().map(|step| &step.block)).chain(handlers) {
                block.each(&mut |statement| {
                    if let StatementKind::Record(record) = &statement.kind {
                        recording_ms = recording_ms.max(u64::from(record.max_ms));
                    }
                });
            }
        }
        Times { program, recording_ms }
    }

    /// The longest wait in a queue: its timeout, or as long as a call may last.
    pub fn queue(&self, queue: u32) -> u64 {
        let timeout_ms = self.program.queues.get(queue as usize).and_then(|queue| queue.table.timeout_ms);
        timeout_ms.unwrap_or(CALL_HOURS_MAX * 3_600_000)
    }

    /// What its `every` says, and how often until the timeout, where the texts themselves take no time.
    pub fn comfort(&self, queue: u32) -> Option<(u32, Span, u64)> {
        let table = &self.program.queues.get(queue as usize)?.table;
        let comfort = table.comfort.as_ref()?;
        let span = self.program.flows.get(comfort.flow as usize)?.span;
        Some((comfort.flow, span, self.queue(queue).saturating_sub(1) / comfort.every_ms.max(1)))
    }

    pub fn prompts(&self, flow: &Flow, prompts: &Prompts) -> u64 {
        let known = |prompt: &u32| self.program.prompts.get(*flow.prompts.get(*prompt as usize)? as usize);
        let item = |item: &PromptUse| match item {
            PromptUse::Prompt { prompt, .. } => known(prompt).map_or(0, |prompt| self.longest_language(prompt)),
            PromptUse::Recording(_) => self.recording_ms,
        };
        prompts.items.iter().map(item).sum()
    }

    /// In the language in which it takes longest.
    fn longest_language(&self, prompt: &Prompt) -> u64 {
        let texts = prompt.texts.iter().map(|text| {
            let recorded_ms = text.audio.as_ref().map(|(file, _)| self.program.audio_ms.get(file).copied());
            match (recorded_ms, words(prompt, &text.parts)) {
                (Some(Some(ms)), _) => ms,
                (Some(None), 0) => AUDIO_MS,
                (_, ms) => ms,
            }
        });
        texts.max().unwrap_or(0)
    }

    /// The longest that there is, where the length is computed.
    pub fn wait(&self, duration: &hir::Expr) -> u64 {
        let most = runtime_contract::limits::WAIT_MS_MAX;
        let ms = if let hir::ExprKind::Moment(ms) = duration.kind { ms.clamp(0, most) } else { most };
        ms.unsigned_abs()
    }

    pub fn within(&self, call: &hir::ServiceCall) -> u64 {
        let service = self.program.services.get(call.service as usize);
        let operation = service.and_then(|service| service.operations.get(call.operation as usize));
        operation.map_or(0, |operation| operation.within_ms.into())
    }
}

/// Of one try of a dialogue, its prompts apart; in milliseconds where time is counted.
#[derive(Clone, Copy)]
pub(crate) struct Try {
    pub silence: u64,
    /// Any other outcome.
    pub input: u64,
}

pub(crate) fn menu(menu: &Menu) -> Try {
    let takes = menu.dialogue.arms.iter().flat_map(|arm| &arm.takes);
    let keys = takes.map(|takes| match takes {
        Takes::Key(key) => key.len(),
        Takes::KeySpan(keys, _) => request::Menu::span(keys).map_or(1, |(first, _)| first.len()),
        _ => 1,
    });
    keyed(&menu.dialogue, keys.max().unwrap_or(1))
}

pub(crate) fn ask(ask: &Ask) -> Try {
    keyed(&ask.dialogue, ask.kind.keys_max())
}

pub(crate) fn record(record: &Record) -> Try {
    let silence_ms = u64::from(record.dialogue.listen_ms.min(record.max_ms));
    Try { silence: BEEP_MS + silence_ms, input: BEEP_MS + u64::from(record.max_ms) }
}

/// The first key comes when the listening ends, each further one when the wait for it ends.
fn keyed(dialogue: &hir::Dialogue, keys: usize) -> Try {
    let listen_ms = u64::from(dialogue.listen_ms);
    let further_ms = u64::from(dialogue.between_keys_ms).saturating_mul(keys.saturating_sub(1) as u64);
    Try { silence: listen_ms, input: listen_ms + further_ms }
}

fn words(prompt: &Prompt, parts: &[Part]) -> u64 {
    let parts = parts.iter().map(|part| match part {
        Part::Literal(words) => spoken_ms(words),
        Part::Hole(at) => prompt.arguments.get(*at as usize).map_or(0, value),
        Part::Plural { forms, .. } => forms.iter().map(|form| spoken_ms(form)).max().unwrap_or(0),
    });
    parts.sum()
}

/// A value of this type when it is said, generously: a date is `星期三9月27日`, an amount six figures and the smaller unit.
fn value(r#type: &Type) -> u64 {
    match r#type {
        Type::Digits | Type::Phone | Type::Text => 5_000,
        Type::Money | Type::Decimal | Type::Time => 4_000,
        Type::Language | Type::Enum(_) | Type::Clock | Type::Percent => 2_000,
        _ => 3_000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_as_late_as_they_may() {
        let dialogue = |listen_ms, between_keys_ms| hir::Dialogue {
            id: hir::DialogueId(0),
            tries_max: None,
            tries_span: Default::default(),
            prompts: Prompts::default(),
            reprompt: None,
            listen_ms,
            between_keys_ms,
            arms: Vec::new(),
        };
        let tried = |keys| keyed(&dialogue(5_000, 3_000), keys);
        assert_eq!((tried(1).silence, tried(1).input), (5_000, 5_000));
        assert_eq!(tried(4).input, 14_000);
    }
}
