//! What a call writes to somebody, and cases that it opens: rows for the store, in one transaction with the journal that
//! tells of them. Each has a key of its own, so that no message leaves twice. When it leaves is not known here.

use runtime_contract::limits::TEXT_BYTES_MAX;
use runtime_contract::request;
use runtime_contract::write::{Case, Message};
use runtime_contract::{Redacted, Write, spoken};
use runtime_session::{PlayItem, RequestId, Sending};

use crate::call::Call;
use crate::desk::Desk;
use crate::output::TraceWhat;

impl Call {
    pub fn send(&mut self, desk: &mut Desk, request: RequestId, sending: Sending) {
        let text = self.written(&sending.text);
        let to = sending.to.map(|to| to.unwrap_or_else(|| self.chats()));
        if let Ok(to) = &to {
            let message = Message {
                key: self.key_of(request),
                call: Some(self.id()),
                cadence: self.cadence_that_writes(&sending.channel),
                channel: sending.channel.name(),
                to: to.clone(),
                text: Redacted::new(text.clone()),
                language: self.language_of(&sending.text),
                created: desk.now.time,
            };
            desk.write(Write::Message(Box::new(message)));
        }
        let Sending { channel, text: item, .. } = sending;
        self.trace(desk, || TraceWhat::Sent { channel, to, text, item });
    }

    /// E-mail and notices go to no number, so no rule of a cadence hears of them.
    fn cadence_that_writes(&self, channel: &request::Channel) -> Option<String> {
        let is_written_to_a_number = matches!(channel, request::Channel::Sms | request::Channel::Chat);
        self.cadence().filter(|_| is_written_to_a_number).map(str::to_owned)
    }

    fn language_of(&self, item: &PlayItem) -> String {
        let PlayItem::Prompt { prompt, language, .. } = item else { return String::new() };
        let meta = self.program().meta();
        let text = meta.prompts.get(*prompt as usize).and_then(|prompt| prompt.text(*language));
        text.map_or_else(String::new, |text| meta.tag(text, *language).to_owned())
    }

    /// The name under which the caller writes, or that of his conversation.
    fn chats(&self) -> Redacted<String> {
        self.record.caller.clone().unwrap_or_else(|| Redacted::new(self.record.leg_call_id.clone()))
    }

    pub fn open_case(&mut self, desk: &mut Desk, request: RequestId, case: request::Case) {
        let (key, call, opened) = (self.key_of(request), Some(self.id()), desk.now.time);
        let request::Case { kind, priority } = case.clone();
        desk.write(Write::Case(Box::new(Case { key, call, kind, priority, opened })));
        self.trace(desk, || TraceWhat::CaseOpened(case));
    }

    /// Names what a request does outside, the same after a crash.
    pub fn key_of(&self, request: RequestId) -> String {
        format!("{}-{}", self.id().hex(), request.0)
    }

    /// As somebody reads it, cut where it is too long.
    fn written(&self, item: &PlayItem) -> String {
        let PlayItem::Prompt { prompt, language, values } = item else { return String::new() };
        let meta = self.program().meta();
        let prompt = meta.prompts.get(*prompt as usize);
        let mut text =
            prompt.map_or_else(String::new, |prompt| spoken::render_written(meta, prompt, *language, values));
        let mut length = text.len().min(TEXT_BYTES_MAX);
        while !text.is_char_boundary(length) {
            length -= 1;
        }
        text.truncate(length);
        text
    }
}
