//! Whether anybody is logged in who could take a caller, whatever is relaxed. It does not know whether he is free.

use std::collections::{BTreeMap, BTreeSet};

use runtime_contract::Tick;

use crate::UNSTAFFED_MS;
use crate::acd::Acd;
use crate::bits::Bits;
use crate::classes::ClassId;
use crate::input::TicketId;
use crate::output::{Missed, Over};
use crate::questions::QuestionId;
use crate::timers::Timer;

/// Questions of last stages, and the tickets that have them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Staffing {
    at_last: BTreeMap<QuestionId, Staff>,
    /// The class that was found last: likely the next one asked for.
    hint: ClassId,
}

#[derive(Clone, Debug)]
struct Staff {
    /// Nobody who is meant is logged in.
    missing_since: Option<Tick>,
    tickets: BTreeSet<TicketId>,
}

impl Staffing {
    /// What is known of the staff is kept for the next caller, until somebody comes or goes.
    pub fn leave(&mut self, question: QuestionId, ticket: TicketId) {
        if let Some(staff) = self.at_last.get_mut(&question) {
            staff.tickets.remove(&ticket);
        }
    }

    /// These questions' numbers will be others'.
    pub fn forget(&mut self, questions: &Bits) {
        self.at_last.retain(|question, _| !questions.has(question.0));
    }
}

impl Acd {
    /// The ticket has one more queue.
    pub(crate) fn staff_up(&mut self, question: QuestionId, ticket: TicketId) {
        if !self.staffing.at_last.contains_key(&question) {
            let missing_since = (!self.is_staffed(question)).then_some(self.now.tick);
            self.staffing.at_last.insert(question, Staff { missing_since, tickets: BTreeSet::new() });
        }
        if let Some(staff) = self.staffing.at_last.get_mut(&question) {
            staff.tickets.insert(ticket);
        }
    }

    /// Sets or cancels the ticket's timer.
    pub(crate) fn watch_staff(&mut self, id: TicketId) {
        self.timers.cancel(Timer::Unstaffed(id));
        let Some(ticket) = self.tickets.get(&id) else { return };
        // As long as another queue is to come, somebody may be there.
        if ticket.callback.is_some() || self.timers.is_set(Timer::Overflow(id)) {
            return;
        }
        let missing = |question| self.staffing.at_last.get(&question).and_then(|staff| staff.missing_since);
        let since =
            ticket.places.iter().try_fold(ticket.settled, |since, place| Some(since.max(missing(place.at_last)?)));
        if let Some(since) = since {
            self.timers.set(Timer::Unstaffed(id), since.plus_ms(UNSTAFFED_MS));
        }
    }

    /// The first or the last of a class has come or gone; `None`: of more than one.
    pub(crate) fn staff_changed(&mut self, class: Option<ClassId>) {
        self.staffing.at_last.retain(|_, staff| !staff.tickets.is_empty());
        let questions: Vec<QuestionId> = self.staffing.at_last.keys().copied().collect();
        for question in questions {
            let (asked, mut world) = self.asking();
            if class.is_some_and(|class| !asked.answer(&mut world, question, class)) {
                continue;
            }
            let missing = !self.is_staffed(question);
            let now = self.now.tick;
            let Some(staff) = self.staffing.at_last.get_mut(&question) else { continue };
            if missing == staff.missing_since.is_some() {
                continue;
            }
            staff.missing_since = missing.then_some(now);
            for ticket in staff.tickets.clone() {
                self.watch_staff(ticket);
            }
        }
    }

    fn is_staffed(&mut self, question: QuestionId) -> bool {
        let (hint, all) = (self.staffing.hint, self.roster.classes.ids());
        let (asked, mut world) = self.asking();
        let found = std::iter::once(hint).chain(all).find(|class| {
            let is_in = world.classes.get(*class).is_some_and(|class| class.logged_in > 0);
            is_in && asked.answer(&mut world, question, *class)
        });
        self.staffing.hint = found.unwrap_or(hint);
        found.is_some()
    }

    pub(crate) fn unstaffed(&mut self, ticket: TicketId) {
        self.give_up(ticket, Over::Unstaffed, Missed::Unstaffed);
    }
}
