//! What the caller has agreed to, as a value with its evidence: the call, and the place in its flow. Who may rely on it
//! is not known here.

use runtime_contract::request::Consent;
use runtime_contract::types::{Field, Type};
use runtime_contract::value::{Phone, Value};
use runtime_contract::{FaultKind, ProgramMeta};

use crate::session::{Answer, Session};

impl Session {
    /// The permission that the outstanding request is about; fault `host` where its record is another one than the
    /// library's.
    pub(crate) fn agreed(&self, consent: &Consent) -> Answer {
        match self.permission(self.program.meta(), consent) {
            Some(permission) => Answer::Result(0, Some(permission)),
            None => Answer::Fault(FaultKind::Host),
        }
    }

    fn permission(&self, meta: &ProgramMeta, consent: &Consent) -> Option<Value> {
        let record = meta.types.records.get(consent.permission as usize)?;
        let place = meta.site(self.site).map_or_else(String::new, |site| meta.place_text(site.place));
        let [is_known, number] = self.stack.header.caller_number;
        let number = match is_known {
            0 => Value::None,
            _ => Value::Some(Box::new(Value::Phone(Phone::from_word(number)))),
        };
        let value = |field: &Field| match (field.name.as_str(), &field.r#type) {
            ("purpose", Type::Text) => Some(Value::Text(consent.purpose.clone())),
            ("number", Type::Optional(inner)) if **inner == Type::Phone => Some(number.clone()),
            ("from", Type::Time) => Some(Value::Moment(self.now.time.0)),
            ("evidence", Type::Text) => Some(Value::Text(format!("call {}, {place}", self.call.hex()))),
            (_, Type::Optional(_)) => Some(Value::None),
            _ => None,
        };
        record.fields.iter().map(value).collect::<Option<_>>().map(Value::Record)
    }
}
