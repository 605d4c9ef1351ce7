//! What happens to people who are to be called. Nothing here knows SIP or the store.

use runtime_contract::cadence::{AttemptEnd, Cadence, Outcome};
use runtime_contract::value::{Phone, Value};

use crate::item::{Facts, Item, ItemId};
use crate::person::History;

#[derive(Clone, Debug)]
pub enum Input {
    /// Those of the version that serves from now on.
    Cadences(Vec<Cadence>),
    /// What the store knows of a person; before the items of that person.
    Person {
        number: Phone,
        history: History,
    },
    /// An item from the store. An attempt that was going on is interrupted, and counts; [`Input::Person`] has it already.
    Restore {
        item: ItemId,
        kept: Box<Item>,
    },
    Start(Box<Start>),
    /// An attempt is over. `end` is `None` when its flow did not come to one.
    Attempted {
        item: ItemId,
        outcome: Outcome,
        end: Option<AttemptEnd>,
    },
    /// There was no room for the attempt: nobody was called, and it counts for nothing.
    Refused {
        item: ItemId,
    },
    /// What the `exhausted` flow said: index of `Cadence::dispositions`.
    Exhausted {
        item: ItemId,
        disposition: Option<u32>,
    },
    /// The person wants no more calls, whatever they are about. Nothing takes this back.
    OptOut {
        number: Phone,
    },
    /// The time of `next_deadline` has come.
    Tick,
}

/// `start c(args)`. A second one with the same id does nothing.
#[derive(Clone)]
pub struct Start {
    pub item: ItemId,
    /// `module.cadence`
    pub cadence: String,
    pub record: Vec<Value>,
    pub facts: Facts,
}

impl std::fmt::Debug for Start {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Start({:?}, {})", self.item, self.cadence)
    }
}
