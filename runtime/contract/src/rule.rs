//! What a program does of its own accord, as tables: its `when` rules. Who sees that something happened, and what the
//! queues measure, is not known here.

use serde::{Deserialize, Serialize};

use crate::program::Place;
use crate::queue::MEASURES;
use crate::types::Type;

/// `when EVENT => action` or `when CONDITION over D => action`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// As it is written, up to its action: `when missed in support`.
    pub head: String,
    pub place: Place,
    pub when: When,
    /// The action: index in `ProgramMeta::flows`. Nobody is on the line.
    pub flow: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum When {
    /// A caller queued here (index in `ProgramMeta::queues`) and was not served. The action's parameter is his Contact.
    Missed {
        queue: u32,
    },
    /// A conversation of this queue is over. As with `missed`.
    Served {
        queue: u32,
    },
    /// A text that this cadence wrote (index in `ProgramMeta::cadences`) could not be delivered. The action's parameter
    /// says which: an Undelivered.
    Undelivered {
        cadence: u32,
    },
    Alarm(Alarm),
}

/// Fires when its condition becomes true, and again only after it was not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// `over D`; at most [`crate::queue::WINDOW_MS_MAX`].
    pub window_ms: u64,
    /// A pure flow: Bool.
    pub condition: u32,
    /// Parameters of the condition.
    pub tests: Vec<Measure>,
    /// Parameters of the action: what they are when it fires.
    pub shows: Vec<Measure>,
    /// The condition looks at hours too.
    pub asks_hours: bool,
}

/// `support.waiting`. As a parameter it is optional where it may have no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Measure {
    /// Index in `ProgramMeta::queues`.
    pub queue: u32,
    /// Index in [`MEASURES`].
    pub measure: u32,
}

impl Measure {
    pub fn name(self) -> &'static str {
        MEASURES.get(self.measure as usize).map_or("", |(name, _)| name)
    }

    /// Of its value, where it has one.
    pub fn r#type(self) -> Option<Type> {
        MEASURES.get(self.measure as usize).map(|(_, r#type)| r#type.clone())
    }

    /// It divides, or is a mean: of nobody there is none.
    pub fn may_lack(self) -> bool {
        matches!(self.name(), "service_level" | "abandonment_rate" | "asa" | "aht" | "occupancy")
    }

    /// It changes while nothing happens.
    pub fn moves_by_itself(self) -> bool {
        matches!(self.name(), "longest_wait" | "expected_wait" | "occupancy")
    }

    /// It changes with what agents do.
    pub fn is_of_agents(self) -> bool {
        matches!(self.name(), "expected_wait" | "occupancy" | "agents_logged_in" | "agents_idle")
    }
}

/// `std.agreement.Contact`: its fields, in order.
pub const CONTACT_FIELDS: [&str; 4] = ["number", "zone", "language", "permission"];
/// What a contact permits, and for how long from when he called.
pub const CONTACT_PURPOSE: &str = "service";
pub const CONTACT_MS: u64 = 86_400_000;

/// `std.agreement.Undelivered`: its fields, in order, and their types.
pub const UNDELIVERED_FIELDS: [(&str, Type); 5] = [
    ("number", Type::Phone),
    ("zone", Type::TimeZone),
    ("language", Type::Language),
    ("by", Type::Text),
    ("at", Type::Time),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_measures_is_said_of_some() {
        let all: Vec<Measure> = (0..MEASURES.len() as u32).map(|measure| Measure { queue: 0, measure }).collect();
        let count = |which: fn(Measure) -> bool| all.iter().filter(|measure| which(**measure)).count();
        assert_eq!(
            (count(Measure::may_lack), count(Measure::moves_by_itself), count(Measure::is_of_agents)),
            (5, 3, 4)
        );
    }
}
