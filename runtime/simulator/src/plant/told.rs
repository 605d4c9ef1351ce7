//! What happens to the call as a transcript tells it: steps, what is heard and for how long, values as people read them.

use runtime_contract::channel::Channel;
use runtime_contract::request::Request;
use runtime_contract::value::Value;
use runtime_contract::{ProgramMeta, Redacted, SiteId, Type, spoken};
use runtime_exchange::{Refusal, TraceEvent, TraceWhat, note_text};
use runtime_session::{PlayItem, Trace};

use super::Plant;
use crate::transcript::What;

const RECORDING_MS: u64 = 3_000;
const BEEP_MS: u64 = 500;

impl Plant {
    pub(super) fn trace(&mut self, event: TraceEvent) {
        if self.trace_rule(&event) {
            return;
        }
        match event.what {
            TraceWhat::Session(Trace::At(site)) => self.at(site),
            TraceWhat::Session(Trace::Keys { count, keys }) => {
                self.write(What::Presses(keys.unwrap_or_else(|| "•".repeat(count as usize))));
            }
            TraceWhat::Session(Trace::Words) => {
                let hidden = matches!(self.request(), Some(Request::Ask(ask)) if ask.private);
                let words = self.saying.take().unwrap_or_default();
                self.write(What::Says(if hidden { "•".to_owned() } else { words }));
            }
            TraceWhat::Session(Trace::Fault { kind, place }) => {
                let place = place.map_or_else(String::new, |place| format!(" at {}", self.meta().place_text(place)));
                let limit = kind.limit_text().map_or_else(String::new, |limit| format!(": {limit} and no more"));
                let text = format!("{}{place}{limit}", kind.name());
                if !limit.is_empty() {
                    self.limit.get_or_insert_with(|| text.clone());
                }
                self.write(What::Fault(text));
            }
            TraceWhat::Session(_) => {}
            TraceWhat::Played(items) => {
                self.count_prompts(&items);
                for item in items {
                    let heard = heard(self.meta(), self.channel, &item);
                    match (heard, self.written_to.clone()) {
                        (Some(What::Hears { language, text }), Some(to)) => {
                            let channel = self.channel.word().to_owned();
                            self.write(What::Sends { channel, language, in_it: true, to, text });
                        }
                        (Some(heard), _) => self.write(heard),
                        (None, _) => {}
                    }
                }
            }
            // A message is not taken back.
            TraceWhat::Stopped if self.channel.is_written() => {}
            TraceWhat::Stopped => self.write(What::Stopped),
            TraceWhat::Answered => self.write(What::Answered),
            // `Dials` has said it, and with what result.
            TraceWhat::Onward { .. } => {}
            TraceWhat::Connected => self.talks = true,
            TraceWhat::Recording { on } => self.write(What::Recording { on }),
            TraceWhat::Sent { channel, to, text, item } => {
                let language = match heard(self.meta(), Channel::Sms, &item) {
                    Some(What::Hears { language, .. }) => language,
                    _ => String::new(),
                };
                self.count_prompts(&[item]);
                let person = self.written_to.as_ref().or(self.caller.as_ref());
                let is_his =
                    |to: &Redacted<String>| channel.name() == self.channel.word() && person == Some(to.reveal());
                let in_it = to.as_ref().is_ok_and(is_his);
                self.write(match to {
                    Ok(to) => {
                        let (channel, to) = (channel.name().to_owned(), to.into_inner());
                        What::Sends { channel, language, in_it, to, text }
                    }
                    Err(why) => What::SendsNot { channel: channel.name().to_owned(), why: why.name().to_owned() },
                });
            }
            TraceWhat::CaseOpened(case) => self.write(What::Case { kind: case.kind, priority: case.priority }),
            TraceWhat::SurveyAnswered { .. }
            | TraceWhat::SurveyLeftOut { .. }
            | TraceWhat::SurveyHeld { .. }
            | TraceWhat::SurveyFollows { .. } => self.trace_survey(event.what),
            TraceWhat::Queued { .. }
            | TraceWhat::Music { .. }
            | TraceWhat::Offered { .. }
            | TraceWhat::Unanswered { .. }
            | TraceWhat::AgentAnswers { .. }
            | TraceWhat::Whispered(_)
            | TraceWhat::Promised
            | TraceWhat::PromiseOver
            | TraceWhat::WritesUp { .. }
            | TraceWhat::WrappedUp { .. } => self.trace_queue(event.what),
            TraceWhat::Fired { .. } | TraceWhat::NotFired { .. } => {}
            TraceWhat::Noted { key, r#type, value, text } => {
                self.notes.push((key.clone(), r#type, value));
                self.write(What::Noted { key, value: text });
            }
            TraceWhat::Ended => {
                self.ended = true;
                self.site = None;
                self.write(What::Ended);
            }
        }
    }

    pub fn count_prompts(&mut self, items: &[PlayItem]) {
        for item in items {
            if let PlayItem::Prompt { prompt, language, .. } = item {
                *self.prompts.entry((*prompt, *language)).or_default() += 1;
            }
        }
    }

    fn at(&mut self, site: SiteId) {
        let here = |meta: &ProgramMeta, site| {
            let info = meta.site(site)?;
            Some((meta.flow(info.flow)?.name.clone(), info.step.clone()))
        };
        self.talks = false;
        let before = self.site.and_then(|site| here(self.meta(), site));
        let after = here(self.meta(), site);
        self.site = Some(site);
        if let Some((cadence, number)) = self.outgoing.begins() {
            self.write(What::Attempt { cadence, number });
        }
        if after != before
            && let Some((flow, step)) = after
        {
            self.write(What::Step { flow, step });
        }
    }

    /// A message is there at once.
    pub(super) fn length_ms(&self, item: &PlayItem) -> u64 {
        match self.channel.is_written() {
            true => 0,
            false => length_ms(heard(self.meta(), self.channel, item).as_ref()),
        }
    }
}

/// What the caller hears of an item; the beep goes without saying.
pub(crate) fn heard(meta: &ProgramMeta, channel: Channel, item: &PlayItem) -> Option<What> {
    match item {
        PlayItem::Prompt { prompt, language, values } => {
            let prompt = meta.prompts.get(*prompt as usize)?;
            let tag = prompt.text(*language).map_or("", |text| meta.tag(text, *language));
            let text = match channel.is_written() {
                true => spoken::render_written(meta, prompt, *language, values),
                false => spoken::render(meta, prompt, *language, values),
            };
            Some(What::Hears { language: tag.to_owned(), text })
        }
        PlayItem::Recording(_) => Some(What::HearsRecording),
        PlayItem::Beep => None,
    }
}

/// How long an item lasts.
pub(crate) fn length_ms(heard: Option<&What>) -> u64 {
    match heard {
        Some(What::Hears { text, .. }) => spoken::spoken_ms(text),
        Some(_) => RECORDING_MS,
        None => BEEP_MS,
    }
}

/// A value as people read it, but for the private parts of its type.
pub fn open_text(meta: &ProgramMeta, r#type: &Type, value: &Value) -> String {
    match (r#type, value) {
        (Type::Private(_), _) => "•".to_owned(),
        (Type::Optional(inner), Value::Some(value)) => open_text(meta, inner, value),
        (Type::Record(id), Value::Record(values)) => {
            let fields = meta.types.records.get(*id as usize).map_or(&[][..], |record| &record.fields);
            let fields = fields.iter().zip(values);
            let fields =
                fields.map(|(field, value)| format!("{}: {}", field.name, open_text(meta, &field.r#type, value)));
            format!("({})", fields.collect::<Vec<_>>().join(", "))
        }
        _ => note_text(meta, r#type, value),
    }
}

pub(crate) fn refusal_text(why: Refusal) -> &'static str {
    match why {
        Refusal::NoSuchNumber => "no flow takes this number",
        Refusal::NoVersion => "there is no program",
        Refusal::CallsMax => "too many calls",
        Refusal::Draining => "closing down",
        Refusal::StoreStalled => "the store does not keep up",
        Refusal::NoMediaPort => "no port for media",
    }
}
