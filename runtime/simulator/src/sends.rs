//! What becomes of texts that are sent: they arrive, unless the test says otherwise. It knows no network that would carry
//! them.

use std::collections::VecDeque;

use runtime_contract::channel::Channel;
use runtime_contract::rule::When;
use runtime_contract::script::Delivery;
use runtime_contract::write::Message;
use runtime_exchange::Input;

use crate::far_side::DELIVERY_MS;
use crate::plant::{Asks, Coming, Plant};
use crate::transcript::What;

/// Texts on their way.
#[derive(Clone, Default)]
pub(crate) struct Sends {
    /// Whether the next one arrives, first in line; the last stays.
    pub deliveries: VecDeque<Delivery>,
    /// Those for which somebody is still to say that, because a rule waits for it.
    handed: VecDeque<Box<Message>>,
    /// The line of the transcript before which the first of them was handed over.
    handed_at: Option<usize>,
}

impl Plant {
    /// A text leaves, for a number or a chat.
    pub fn hand_over(&mut self, message: Box<Message>) {
        if ![Channel::Sms, Channel::Chat].iter().any(|channel| channel.word() == message.channel) {
            return;
        }
        if self.asks == Asks::All && self.is_waited_for(&message) {
            self.sends.handed_at.get_or_insert(self.transcript.len());
            return self.sends.handed.push_back(message);
        }
        let delivery = match self.sends.deliveries.len() {
            0 | 1 => self.sends.deliveries.front().copied(),
            _ => self.sends.deliveries.pop_front(),
        };
        self.delivers(message, delivery.unwrap_or(Delivery::Delivered));
    }

    /// A rule hears of it when this text does not arrive.
    fn is_waited_for(&self, message: &Message) -> bool {
        let meta = self.meta();
        let is_its = |cadence: u32| {
            meta.cadences.get(cadence as usize).is_some_and(|table| message.cadence.as_ref() == Some(&table.name))
        };
        meta.rules.iter().any(|rule| matches!(rule.when, When::Undelivered { cadence } if is_its(cadence)))
    }

    fn delivers(&mut self, message: Box<Message>, delivery: Delivery) {
        if delivery == Delivery::Undelivered {
            self.come(DELIVERY_MS, Coming::Undelivered(message));
        }
    }

    /// Where the first text was handed over for which that is to be said; once.
    pub fn handed_at(&mut self) -> Option<usize> {
        self.sends.handed_at.take()
    }

    /// Somebody is to say whether a text arrives.
    pub fn asks_of_sent(&self) -> bool {
        !self.sends.handed.is_empty()
    }

    /// Whether the text arrives for which that is asked.
    pub fn deliver_sent(&mut self, delivery: Delivery) {
        if let Some(message) = self.sends.handed.pop_front() {
            self.delivers(message, delivery);
        }
    }

    /// Texts of which it is not known yet that they do not arrive.
    pub fn undelivered(&self) -> usize {
        self.what_comes.values().filter(|what| matches!(what, Coming::Undelivered(_))).count()
    }

    pub fn is_undelivered(&mut self, message: Box<Message>) {
        self.write(What::Undelivered { channel: message.channel.to_owned(), to: message.to.reveal().clone() });
        self.give(Input::Undelivered(message));
    }
}
