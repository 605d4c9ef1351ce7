//! What is to be done about people on lists.

use runtime_contract::Time;
use runtime_contract::cadence::{Cadence, DECLINED, EXHAUSTED, NEVER_LEGAL, NO_CONSENT, NO_PLACE, OPTED_OUT};

use crate::item::{Item, ItemId};

#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// The item waits until then; to be stored.
    NextAt { item: ItemId, at: Time },
    /// Call now, with the flow of the cadence's `dial` or `message`. `n` counts from 1.
    Attempt { item: ItemId, n: u32, evidence: String },
    /// Run the flow of `after attempt`, once for this item and attempt.
    After { item: ItemId, n: u32, flow: u32 },
    /// Run the flow of `exhausted`.
    Exhausted { item: ItemId, flow: u32 },
    /// The run is over, and the item is forgotten here.
    Stopped { item: ItemId, stop: Stop, last: Box<Item> },
}

/// Why a run is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stop {
    /// Index of `Cadence::dispositions`.
    Named(u32),
    OptedOut,
    Declined,
    Exhausted,
    /// The permission is for something else, or over.
    NoConsent,
    /// The number lies nowhere, as freephone numbers do, and the record names no zone.
    NoPlace,
    /// There is no instant at which it would be legal.
    NeverLegal,
    /// No version that serves has such a cadence.
    NoCadence,
    /// As many items wait as may.
    TooMany,
}

impl Stop {
    /// As reports and tests write it.
    pub fn name(self, cadence: Option<&Cadence>) -> &str {
        match self {
            Stop::Named(index) => {
                cadence.and_then(|cadence| cadence.dispositions.get(index as usize)).map_or("?", String::as_str)
            }
            Stop::OptedOut => OPTED_OUT,
            Stop::Declined => DECLINED,
            Stop::Exhausted => EXHAUSTED,
            Stop::NoConsent => NO_CONSENT,
            Stop::NoPlace => NO_PLACE,
            Stop::NeverLegal => NEVER_LEGAL,
            Stop::NoCadence => "no_cadence",
            Stop::TooMany => "too_many",
        }
    }
}
