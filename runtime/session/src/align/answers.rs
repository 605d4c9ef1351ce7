//! Which recorded answer belongs to a request of another version, and what it is there. In this order: the same site
//! with the same words or arguments; the same words or arguments elsewhere; the same site with other words, unless these
//! words are asked elsewhere; the same method with other arguments, which is a guess.

use std::collections::BTreeSet;
use std::sync::Arc;

use runtime_contract::request::{Ask, AskKind, Menu, PromptUse, Request};
use runtime_contract::value::{Private, Value};
use runtime_contract::{FlowProgram, ProgramMeta, SiteId};

use super::past::{Asked, Past};
use super::{Assumed, Lost, types};
use crate::dialogue::{chosen, taken_by};
use crate::journal::{Claimed, Reply};
use crate::keypad;
use crate::session::Session;

/// What a request is about, whatever its site: its texts, or the method that it calls.
type Words = (&'static str, String);

pub(super) struct Answers {
    recorded: Arc<dyn FlowProgram>,
    other: Arc<dyn FlowProgram>,
    /// By recorded request.
    words: Vec<Option<Words>>,
    /// All that the other version may ask.
    other_words: BTreeSet<Words>,
    other_keys: BTreeSet<String>,
}

pub(super) struct Found {
    /// Index of the recorded request.
    pub at: usize,
    /// Words or arguments are the same too.
    pub same: bool,
    pub assumed: Option<Assumed>,
}

impl Answers {
    pub fn new(recorded: Arc<dyn FlowProgram>, past: &Past, other: Arc<dyn FlowProgram>) -> Answers {
        let words = past.requests.iter().map(|asked| words_of(recorded.meta(), asked.site)).collect();
        let sites = || (0..).map(SiteId).zip(&other.meta().sites);
        let other_words = sites().filter_map(|(site, _)| words_of(other.meta(), site)).collect();
        let other_keys = sites().map(|(_, info)| info.key.clone()).collect();
        Answers { words, other_words, other_keys, recorded, other }
    }

    pub fn find(&self, past: &Past, site: SiteId, arguments: &[Value]) -> Option<Found> {
        let words = words_of(self.other.meta(), site)?;
        let key = &self.other.meta().site(site)?.key;
        let method = matches!(words.0, "service" | "connect" | "transfer" | "queue");
        let first = |fits: &dyn Fn(bool, bool, bool, &Words) -> bool| {
            past.requests.iter().zip(&self.words).position(|(asked, past_words)| {
                let Some(past_words) = past_words.as_ref().filter(|past| !asked.used && past.0 == words.0) else {
                    return false;
                };
                let same_key = self.recorded.meta().site(asked.site).is_some_and(|info| info.key == *key);
                let same_arguments = !method || asked.arguments.as_deref() == Some(arguments);
                fits(same_key, *past_words == words, same_arguments, past_words)
            })
        };
        let found = |at, same, assumed| Found { at, same, assumed };
        first(&|same_key, same_words, same_arguments, _| same_key && same_words && same_arguments)
            .or_else(|| first(&|_, same_words, same_arguments, _| same_words && same_arguments))
            .map(|at| found(at, true, None))
            .or_else(|| {
                let moved = |past: &Words| self.other_words.contains(past);
                first(&|same_key, _, _, past_words| same_key && !method && !moved(past_words))
                    .map(|at| found(at, false, None))
            })
            .or_else(|| {
                let guess = Some(Assumed::OtherArguments);
                first(&|same_key, same_words, _, _| method && same_key && same_words)
                    .or_else(|| first(&|_, same_words, _, _| method && same_words))
                    .map(|at| found(at, false, guess))
            })
    }

    /// Whether the other version may ask what this recorded site asked.
    pub fn has_counterpart(&self, recorded: SiteId) -> bool {
        let meta = self.recorded.meta();
        let same_words = words_of(meta, recorded).is_some_and(|words| self.other_words.contains(&words));
        same_words || meta.site(recorded).is_some_and(|info| self.other_keys.contains(&info.key))
    }

    /// The recorded reply as one to this request.
    pub fn reply(
        &self,
        session: &Session,
        asked: &Asked,
        reply: &Reply,
        site: SiteId,
        request: &Request,
    ) -> Result<(Reply, Option<Assumed>), Lost> {
        let Reply::Result { outcome, payload } = reply else { return Ok((reply.clone(), None)) };
        match (request, self.recorded.meta().request(asked.site)) {
            (Request::Menu(menu), _) => Ok(pressed(menu, asked.keys.as_ref())),
            (Request::Ask(Ask { kind: AskKind::Text { max }, .. }), Some(Request::Ask(before)))
                if matches!(before.kind, AskKind::Text { .. }) =>
            {
                let is_longer = matches!(payload, Some(Value::Text(text)) if keypad::text(text, *max).is_none());
                let (outcome, payload) = if is_longer { (2, None) } else { (*outcome, payload.clone()) };
                Ok((Reply::Result { outcome, payload }, None))
            }
            (Request::Ask(ask), Some(Request::Ask(before)))
                if ask.kind != before.kind || ask.private != before.private =>
            {
                keyed(session, ask, asked.keys.as_ref())
            }
            _ if self.same_payload(asked.site, site, *outcome) => {
                Ok((Reply::Result { outcome: *outcome, payload: payload.clone() }, None))
            }
            _ => Err(Lost::OtherType),
        }
    }

    /// What the caller keyed or said at a recorded site, in the words of this request.
    pub fn claimed(&self, keys: Claimed, recorded: SiteId, request: &Request) -> Claimed {
        let (Claimed::Words(Some(words)), Request::Menu(menu)) = (&keys, request) else { return keys };
        let Some(Request::Menu(before)) = self.recorded.meta().request(recorded) else { return keys };
        let tag = self.recorded.meta().languages.get(words.language as usize);
        let language = self.other.meta().languages.iter().position(|own| Some(own) == tag).unwrap_or(0);
        Claimed::Words(before.phrase(*words).and_then(|phrase| menu.said(phrase, language as u32)))
    }

    fn same_payload(&self, recorded: SiteId, site: SiteId, outcome: u32) -> bool {
        let (one, other) = (self.recorded.meta(), self.other.meta());
        let payload =
            |meta: &ProgramMeta, site| meta.site(site).and_then(|info| info.payloads.get(outcome as usize).cloned());
        match (payload(one, recorded), payload(other, site)) {
            (Some(Some(a)), Some(Some(b))) => types::same((one, &a), (other, &b)),
            (Some(None), Some(None)) => true,
            _ => false,
        }
    }
}

/// What the keys or words of the recorded caller choose in this menu.
fn pressed(menu: &Menu, keys: Option<&Claimed>) -> (Reply, Option<Assumed>) {
    let choices = menu.choices.len() as u32;
    let plain = |outcome| (Reply::Result { outcome, payload: None }, None);
    let keys = match keys {
        Some(Claimed::Keys(keys)) => keys,
        Some(Claimed::Words(words)) => return plain(words.map_or(choices, |words| words.choice)),
        _ => return plain(choices + 1),
    };
    let keys: String = keys.iter().map(|(key, _)| *key).collect();
    let (choice, taken) = chosen(menu, &keys);
    let is_span =
        choice.and_then(|at| menu.choices.get(at as usize)).is_some_and(|choice| Menu::span(choice).is_some());
    let payload = keys.get(..taken).filter(|_| is_span).map(|keys| Value::Text(keys.to_owned()));
    let assumed = (taken < keys.len()).then_some(Assumed::KeysLeft);
    (Reply::Result { outcome: choice.unwrap_or(choices), payload }, assumed)
}

/// What they are for an ask that takes another kind of value.
fn keyed(session: &Session, ask: &Ask, keys: Option<&Claimed>) -> Result<(Reply, Option<Assumed>), Lost> {
    let result = |outcome, payload| Reply::Result { outcome, payload };
    let keys: String = match keys {
        None => return Ok((result(1, None), None)),
        Some(Claimed::Words(_)) => return Ok((result(2, None), None)),
        Some(Claimed::Private(count)) => {
            // Of private keys only their number is known.
            let AskKind::Digits { min, max } = ask.kind else { return Err(Lost::Private) };
            if !ask.private || *count > max {
                return Err(Lost::Private);
            }
            let blank = Value::Private(Private(String::new().into()));
            return Ok((if *count < min { result(2, None) } else { result(0, Some(blank)) }, None));
        }
        Some(Claimed::Keys(keys)) => keys.iter().map(|(key, _)| *key).collect(),
    };
    if let AskKind::Text { max } = ask.kind {
        let text = keypad::text(&keys, max).map(Value::Text);
        return Ok((text.map_or_else(|| result(2, None), |text| result(0, Some(text))), None));
    }
    let (spoilt, taken) = taken_by(ask, &keys);
    let value = if spoilt { None } else { session.keyed(ask, keys.get(..taken).unwrap_or_default()) };
    let assumed = (taken < keys.len()).then_some(Assumed::KeysLeft);
    Ok((value.map_or_else(|| result(2, None), |value| result(0, Some(value))), assumed))
}

fn words_of(meta: &ProgramMeta, site: SiteId) -> Option<Words> {
    let request = meta.request(site)?;
    let text = match request {
        Request::Service(call) => {
            let service = meta.services.get(call.service as usize)?;
            format!("{}.{}", service.name, service.operations.get(call.operation as usize)?.name)
        }
        Request::Connect(connect) => format!("{:?}", connect.to),
        Request::Transfer { to } => format!("{to:?}"),
        Request::Queue { queue } => meta.queues.get(*queue as usize)?.name.clone(),
        Request::Survey { survey } => meta.surveys.get(*survey as usize)?.name.clone(),
        request => {
            let prompt = |item: &PromptUse| match item {
                PromptUse::Prompt { prompt, .. } => {
                    let texts = meta.prompts.get(*prompt as usize).map_or(&[][..], |prompt| &prompt.texts);
                    texts
                        .iter()
                        .map(|text| format!("{:?}{:?}", text.audio.as_ref().map(|(file, _)| file), text.parts))
                        .collect()
                }
                PromptUse::Recording { .. } => "recording".to_owned(),
            };
            request.prompts().iter().map(prompt).collect()
        }
    };
    Some((request.kind().row().name, text))
}
