//! What a call writes to somebody, and cases that it opens: handed over to be kept, with nothing to wait for. It does
//! not know how a message is delivered.

use runtime_contract::channel;
use runtime_contract::limits::MESSAGES_MAX;
use runtime_contract::request::{Case, Channel, Message, is_mail_address};
use runtime_contract::value::{Phone, Value};
use runtime_contract::{FaultKind, Redacted};

use crate::output::{NotSent, Output, Sending, WorldRequest};
use crate::session::{Answer, Session};

impl Session {
    pub(crate) fn send(&mut self, message: &Message, arguments: &[Value]) -> Option<Answer> {
        if self.messages > MESSAGES_MAX {
            return Some(Answer::Fault(FaultKind::Messages));
        }
        let text = match message.text.items.first().map(|text| self.item(text)) {
            Some(Ok(text)) => text,
            Some(Err(kind)) => return Some(Answer::Fault(kind)),
            None => return Some(Answer::Fault(FaultKind::Host)),
        };
        // Behind the values of the text.
        let given = arguments.last().filter(|_| message.to);
        let to = self.recipient(&message.channel, given);
        let sending = Sending { channel: message.channel.clone(), to, text };
        self.output(Output::World { request: self.request, ask: WorldRequest::Send(sending) });
        Some(Answer::Result(0, None))
    }

    fn recipient(&self, channel: &Channel, given: Option<&Value>) -> Result<Option<Redacted<String>>, NotSent> {
        match (channel, given) {
            (Channel::Chat, _) if self.channel() == channel::Channel::Chat => Ok(None),
            (Channel::Chat, _) => Err(NotSent::NoChat),
            (Channel::Notify(who), _) => Ok(Some(Redacted::new(who.clone()))),
            (Channel::Sms, Some(Value::Phone(number))) => Ok(Some(number.e164())),
            (Channel::Sms, _) => {
                let [is_known, number] = self.stack.header.caller_number;
                let known = (is_known != 0).then(|| Phone::from_word(number).e164());
                known.map(Some).ok_or(NotSent::NumberWithheld)
            }
            (Channel::Email, Some(Value::Text(address))) if is_mail_address(address) => {
                Ok(Some(Redacted::new(address.clone())))
            }
            (Channel::Email, _) => Err(NotSent::NoAddress),
        }
    }

    pub(crate) fn open_case(&mut self, case: &Case) -> Option<Answer> {
        if self.messages > MESSAGES_MAX {
            return Some(Answer::Fault(FaultKind::Messages));
        }
        self.output(Output::World { request: self.request, ask: WorldRequest::OpenCase(case.clone()) });
        Some(Answer::Result(0, None))
    }
}
