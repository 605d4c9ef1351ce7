//! Whoever the caller goes on to: answers, talks and leaves, or does what the test says. It knows no flow.

use runtime_contract::channel::Channel;
use runtime_contract::leg::{GoneCause, LegEvent, LegId, Target};
use runtime_contract::script::{Delivery, FarSide};
use runtime_exchange::Input;

use crate::plant::{Coming, Plant, nowhere, voice};
use crate::transcript::What;

/// How long it takes until somebody who is called answers, says no, or cannot be reached.
pub(crate) const ANSWER_MS: u64 = 5_000;
/// How long whoever answers talks before he leaves.
pub(crate) const TALK_MS: u64 = 30_000;
/// How long a call that is given away rings before it comes back.
const TRANSFER_RING_MS: u64 = 30_000;
/// How long it takes until it is known whether a message arrives.
pub(crate) const DELIVERY_MS: u64 = 1_000;

impl Plant {
    /// Whoever is called does what the test says; without a word from it nobody can be reached.
    pub(crate) fn far_side(&mut self, target: &Target) -> FarSide {
        let far_side = match self.far_sides.len() {
            // Who was promised a call takes it.
            0 if self.is_called_back(target) => Some(FarSide::Person),
            0 | 1 => self.far_sides.front().copied(),
            _ => self.far_sides.pop_front(),
        };
        let gives = match far_side {
            Some(side) => side.name().to_owned(),
            None => "unreachable (no `dial gives` says who answers)".to_owned(),
        };
        let to = match target {
            Target::Number(to) | Target::Extension(to) | Target::Address { uri: to, .. } => to.reveal().clone(),
        };
        self.write(What::Dials { to, gives });
        far_side.unwrap_or(FarSide::Unreachable)
    }

    pub fn dial(&mut self, leg: LegId, target: &Target, ring_ms: u64) {
        if self.ring_agent(leg, target, ring_ms) {
            return;
        }
        let (side, answer_ms) = (self.far_side(target), ANSWER_MS.min(ring_ms));
        if matches!(side, FarSide::Person | FarSide::Machine | FarSide::Unanswered) {
            self.inputs.push_back(Input::Leg(LegEvent::Ringing { leg }));
        }
        let (gone_ms, cause) = match side {
            // He answers, talks, and leaves.
            FarSide::Person | FarSide::Machine => {
                self.come(answer_ms, Coming::Leg(LegEvent::Media { leg, media: voice(), peer: nowhere().ip() }));
                self.come(answer_ms, Coming::Leg(LegEvent::Up { leg }));
                (answer_ms + TALK_MS, GoneCause::RemoteHungUp)
            }
            FarSide::Unanswered => (ring_ms, GoneCause::NoAnswer),
            FarSide::Busy => (answer_ms, GoneCause::Refused(486)),
            FarSide::Declined => (answer_ms, GoneCause::Refused(603)),
            FarSide::Unreachable => (answer_ms, GoneCause::Unreachable),
        };
        self.come(gone_ms, Coming::Leg(LegEvent::Gone { leg, cause }));
    }

    /// A cadence writes to somebody, whom it reaches or not.
    pub fn write_to(&mut self, leg: LegId, channel: Channel, to: String) {
        let delivery = match self.deliveries.len() {
            0 | 1 => self.deliveries.front().copied(),
            _ => self.deliveries.pop_front(),
        };
        let gives = match delivery {
            Some(delivery) => delivery.name().to_owned(),
            None => "undelivered (no `message gives` says whether it arrives)".to_owned(),
        };
        let by = channel.word().to_owned();
        self.write(What::Writes { by, to: to.clone(), gives });
        (self.channel, self.written_to) = (channel, Some(to));
        let event = match delivery {
            Some(Delivery::Delivered) => LegEvent::Up { leg },
            _ => LegEvent::Gone { leg, cause: GoneCause::Unreachable },
        };
        self.come(DELIVERY_MS, Coming::Leg(event));
    }

    pub fn give_away(&mut self, leg: LegId, target: &Target) {
        let (after_ms, event) = match self.far_side(target) {
            FarSide::Person | FarSide::Machine => (ANSWER_MS, LegEvent::Gone { leg, cause: GoneCause::Transferred }),
            FarSide::Unanswered => (TRANSFER_RING_MS, LegEvent::TransferFailed { leg, status: 480 }),
            FarSide::Busy => (ANSWER_MS, LegEvent::TransferFailed { leg, status: 486 }),
            FarSide::Declined => (ANSWER_MS, LegEvent::TransferFailed { leg, status: 603 }),
            FarSide::Unreachable => (ANSWER_MS, LegEvent::TransferFailed { leg, status: 404 }),
        };
        self.come(after_ms, Coming::Leg(event));
    }
}
