//! Texts of cadences that did not arrive: each is told to the rules that wait for it, once. Why it did not arrive is not
//! known here, nor whether it was tried again.

use std::collections::{BTreeSet, VecDeque};

use runtime_contract::channel::Channel;
use runtime_contract::record::CallId;
use runtime_contract::rule::When;
use runtime_contract::value::{Phone, Value};
use runtime_contract::write::Message;
use runtime_contract::{ProgramMeta, Time};

use crate::call::Call;
use crate::desk::Desk;
use crate::exchange::Exchange;
use crate::output::NotFired;
use crate::rules::{Who, language_index, zone};

/// Keys of texts of which it is known that they were told; the oldest goes first.
const TOLD_MAX: usize = 100_000;

/// A text that did not arrive.
#[derive(Clone)]
pub(crate) struct Undelivered {
    /// That wrote it.
    call: CallId,
    /// `module.cadence`
    cadence: String,
    by: &'static str,
    number: Phone,
    /// Tag of its language.
    language: String,
    written: Time,
}

/// Texts that were told, by key.
#[derive(Clone, Default)]
pub(crate) struct Told {
    keys: BTreeSet<String>,
    order: VecDeque<String>,
}

impl Told {
    /// False when it was told before.
    fn is_new(&mut self, key: &str) -> bool {
        if !self.keys.insert(key.to_owned()) {
            return false;
        }
        self.order.push_back(key.to_owned());
        if self.order.len() > TOLD_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.keys.remove(&oldest);
        }
        true
    }
}

impl Exchange {
    /// A text of a `send` could not be delivered. Those of no cadence are nobody's business here.
    pub(crate) fn undelivered(&mut self, message: &Message) {
        let number = Phone::parse(message.to.reveal(), true);
        let (Some(cadence), Some(number), Some(call)) = (&message.cadence, number, message.call) else { return };
        if self.rules.told.is_new(&message.key) {
            self.desk.undelivered.push_back(Undelivered {
                call,
                cadence: cadence.clone(),
                by: message.channel,
                number,
                language: message.language.clone(),
                written: message.created,
            });
        }
    }

    pub(crate) fn fire_undelivered(&mut self, undelivered: &Undelivered) {
        let Some(version) = self.rules.version() else { return };
        let meta = version.program.meta();
        let is_its = |cadence: u32| {
            meta.cadences.get(cadence as usize).is_some_and(|cadence| cadence.name == undelivered.cadence)
        };
        for (index, rule) in meta.rules.iter().enumerate() {
            if !matches!(rule.when, When::Undelivered { cadence } if is_its(cadence)) {
                continue;
            }
            if let Err(why) = self.run_rule(index, vec![undelivered.value(meta)], Some(&undelivered.who())) {
                self.not_fired(undelivered.call, index, NotFired::Refused(why));
            }
        }
    }
}

impl Undelivered {
    /// In the order of `UNDELIVERED_FIELDS`.
    fn value(&self, meta: &ProgramMeta) -> Value {
        Value::Record(vec![
            Value::Phone(self.number),
            Value::Text(zone(meta, self.number, None).to_owned()),
            Value::Language(language_index(meta, &self.language)),
            Value::Text(self.by.to_owned()),
            Value::Moment(self.written.0),
        ])
    }

    fn who(&self) -> Who {
        Who {
            call: self.call,
            number: Some(self.number),
            called: None,
            language: self.language.clone(),
            is_called_by_us: true,
        }
    }
}

impl Call {
    /// `module.cadence`, where it is a flow of one, also after a crash.
    pub(crate) fn cadence(&self) -> Option<&str> {
        let meta = self.program().meta();
        let is_own = |flow: u32| meta.flow(flow).is_some_and(|flow| flow.name == self.record.flow);
        let cadence = meta.cadences.iter().find(|cadence| cadence.flows().any(is_own));
        cadence.map(|cadence| cadence.name.as_str())
    }

    /// The `message` of an attempt did not arrive, beside what its arm does.
    pub(crate) fn attempt_undelivered(&mut self, desk: &mut Desk, by: Channel, number: Phone) {
        let Some(cadence) = self.cadence() else { return };
        let language = self.program().meta().languages.get(self.session.language() as usize);
        desk.undelivered.push_back(Undelivered {
            call: self.id(),
            cadence: cadence.to_owned(),
            by: by.word(),
            number,
            language: language.cloned().unwrap_or_default(),
            written: self.record.started,
        });
    }
}
