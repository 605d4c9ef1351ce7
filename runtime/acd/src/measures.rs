//! The figures of a queue, each by its one definition (measures.md), out of the log alone. It does not know who asks, or
//! what is alarming.

use std::collections::BTreeSet;

use runtime_contract::Time;
use runtime_contract::queue::{Formula, Target, WINDOW_MS_MAX};
use runtime_contract::value::Value;

use crate::acd::Acd;
use crate::agents::{Activity, Tally};
use crate::classes::Class;
use crate::input::AgentName;
use crate::log::{Ending, Stay};
use crate::queues::Line;
use crate::ticket::ms_between;

/// An abandonment so soon after entering is a short one.
pub const SHORT_MS: u64 = 5_000;

/// Of a queue that names no target.
pub const TARGET: Target = Target { share: 800_000, within_ms: 20_000, formula: Formula::AbandonsMissed };

/// 100 %.
const ALL: u64 = 1_000_000;

/// What became of the callers who entered a queue in some time.
/// INVARIANT (nobody is lost): offered = answered + abandoned + overflowed + called back + left + waiting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    pub offered: u64,
    pub answered: u64,
    pub answered_within: u64,
    /// Short ones included.
    pub abandoned: u64,
    pub abandoned_within: u64,
    pub abandoned_short: u64,
    pub overflowed: u64,
    pub called_back: u64,
    /// By key, or because time or staff ran out.
    pub left: u64,
    pub waiting: u64,
    /// Of those who were answered.
    pub wait_ms: u64,
    pub handled: u64,
    pub handling_ms: u64,
}

impl Figures {
    pub(crate) fn of<'s>(stays: impl Iterator<Item = &'s Stay>, target: Option<Target>) -> Figures {
        let within_ms = target.unwrap_or(TARGET).within_ms;
        let mut figures = Figures::default();
        for stay in stays {
            figures.add(stay, within_ms);
        }
        figures
    }

    fn add(&mut self, stay: &Stay, target_ms: u64) {
        self.offered += 1;
        let wait_ms = stay.ended.map_or(0, |(at, _)| ms_between(stay.entered, at));
        let is_within = u64::from(wait_ms <= target_ms);
        match stay.ended.map(|(_, how)| how) {
            Some(Ending::Answered) => {
                self.answered += 1;
                self.answered_within += is_within;
                self.wait_ms += wait_ms;
            }
            Some(Ending::Abandoned) => {
                self.abandoned += 1;
                self.abandoned_within += is_within;
                self.abandoned_short += u64::from(wait_ms <= SHORT_MS);
            }
            Some(Ending::Overflowed) => self.overflowed += 1,
            Some(Ending::CalledBack) => self.called_back += 1,
            Some(Ending::Left) => self.left += 1,
            None => self.waiting += 1,
        }
        if let Some(handled) = &stay.handled {
            self.handled += 1;
            self.handling_ms += handled.talk_ms + handled.wrap_up_ms;
        }
    }

    /// × 10⁻⁶; `None` where nobody counts.
    pub fn service_level(&self, formula: Formula) -> Option<i64> {
        let ended = self.answered + self.abandoned;
        let (met, of) = match formula {
            Formula::AbandonsMet => (self.answered_within + self.abandoned_within, ended),
            Formula::AnsweredOnly => (self.answered_within, self.answered),
            Formula::AbandonsMissed => (self.answered_within, ended),
            Formula::EarlyAbandonsOut => (self.answered_within, ended.saturating_sub(self.abandoned_within)),
            Formula::ShortAbandonsMet => (self.answered_within + self.abandoned_short, ended),
        };
        share(met, of)
    }

    /// Short ones are in neither part.
    pub fn abandonment_rate(&self) -> Option<i64> {
        share(self.abandoned - self.abandoned_short, self.offered - self.abandoned_short)
    }

    /// Mean wait of those who were answered.
    pub fn asa_ms(&self) -> Option<u64> {
        self.wait_ms.checked_div(self.answered)
    }

    /// Mean of talk, hold and wrap-up of those who were handled.
    pub fn aht_ms(&self) -> Option<u64> {
        self.handling_ms.checked_div(self.handled)
    }
}

/// To the nearest 10⁻⁶.
fn share(part: u64, of: u64) -> Option<i64> {
    (part.saturating_mul(ALL).saturating_add(of / 2)).checked_div(of).and_then(|share| i64::try_from(share).ok())
}

impl Acd {
    /// Of the callers who entered this queue in the last `window_ms`, at most [`WINDOW_MS_MAX`].
    pub fn figures(&self, now: Time, queue: &str, window_ms: u64) -> Option<Figures> {
        let line = self.line(queue)?;
        Some(Figures::of(line.log.since(from(now, window_ms)), line.rules.target))
    }

    /// A measure of `MEASURES` of a queue (`module.queue`) now. `None` where there is no such thing, or nothing to divide
    /// by.
    pub fn measure(&self, now: Time, queue: &str, name: &str, window_ms: u64) -> Option<Value> {
        let line = self.line(queue)?;
        let figures = || Figures::of(line.log.since(from(now, window_ms)), line.rules.target);
        let count = |number: u64| i64::try_from(number).ok().map(Value::Int);
        let time = |ms: u64| i64::try_from(ms).ok().map(Value::Moment);
        match name {
            "offered" => count(figures().offered),
            "answered" => count(figures().answered),
            "abandoned" => count(figures().abandoned),
            "short_abandoned" => count(figures().abandoned_short),
            "overflowed" => count(figures().overflowed),
            "called_back" => count(figures().called_back),
            "left" => count(figures().left),
            "waiting" => count(line.callers.into()),
            "longest_wait" => time(self.longest_wait_ms(now, line)),
            "expected_wait" => {
                let id = self.queues.id(queue)?;
                time(self.expected_wait_ms(now, id, u32::try_from(line.waiting.len()).unwrap_or(u32::MAX)))
            }
            "service_level" => figures().service_level(line.rules.target.unwrap_or(TARGET).formula).map(Value::Decimal),
            "abandonment_rate" => figures().abandonment_rate().map(Value::Decimal),
            "asa" => figures().asa_ms().and_then(time),
            "aht" => figures().aht_ms().and_then(time),
            "occupancy" => self.occupancy(now, line, window_ms).map(Value::Decimal),
            "agents_logged_in" => count(self.staff_of(line, |class| class.logged_in).into()),
            "agents_idle" => count(self.staff_of(line, |class| class.free.len() as u32).into()),
            _ => None,
        }
    }

    /// Grows with whatever changes a measure of this queue but the clock; `of_agents`: one of what agents do too.
    pub fn changes(&self, queue: &str, of_agents: bool) -> u64 {
        let own = self.line(queue).map_or(0, |line| line.log.changes);
        own + if of_agents { self.agent_changes } else { 0 }
    }

    /// When the next caller leaves the window, if nobody enters; `None` where none is in it.
    pub fn leaves_window(&self, now: Time, queue: &str, window_ms: u64) -> Option<Time> {
        let oldest = self.line(queue)?.log.oldest_since(from(now, window_ms))?;
        Some(Time(oldest.0.saturating_add_unsigned(window_ms.min(WINDOW_MS_MAX)).saturating_add(1)))
    }

    /// How many callers who enter now would still wait after this time, if nobody were answered: Kaplan–Meier over the
    /// waits of the window, all but those who abandoned censored. × 10⁻⁶.
    pub fn patience(&self, now: Time, queue: &str, window_ms: u64, after_ms: u64) -> Option<i64> {
        let line = self.line(queue)?;
        let waits = line.log.since(from(now, window_ms)).map(|stay| {
            let (until, how) = stay.ended.map_or((now, None), |(at, how)| (at, Some(how)));
            (ms_between(stay.entered, until), how == Some(Ending::Abandoned))
        });
        still_waiting(waits.collect(), after_ms)
    }

    /// Handling time and available time of the agents who handled callers of the queue in the window, whatever for.
    fn occupancy(&self, now: Time, line: &Line, window_ms: u64) -> Option<i64> {
        let from = from(now, window_ms);
        let handled = line.log.since(from).filter_map(|stay| stay.handled.as_ref());
        let agents: BTreeSet<&AgentName> = handled.map(|handled| &handled.agent).collect();
        let mut tally = Tally::default();
        let mut add = |activity: Activity, began: Time, ended: Time| {
            tally.add(activity, ms_between(began.max(from), ended));
        };
        for span in self.log.spans_since(from).filter(|span| agents.contains(&span.agent)) {
            add(span.activity, span.from, span.to);
        }
        for (_, member) in self.roster.all().filter(|(_, member)| agents.contains(&member.agent.name)) {
            add(member.activity(), member.since, now);
        }
        let handling = tally.talk_ms + tally.wrap_up_ms;
        share(handling, handling + tally.available_ms)
    }

    /// Sums something of the classes of agents who have what the queue's `needs` wants of everybody.
    pub(crate) fn staff_of(&self, line: &Line, what: impl Fn(&Class) -> u32) -> u32 {
        let has = |class: &&Class| line.rules.least.iter().all(|(skill, level)| class.level(skill) >= *level);
        self.roster.classes.all().filter(has).map(what).sum()
    }

    fn longest_wait_ms(&self, now: Time, line: &Line) -> u64 {
        let on_line = line
            .waiting
            .iter()
            .filter(|rank| self.tickets.get(&rank.ticket).is_some_and(|ticket| ticket.callback.is_none()));
        on_line.map(|rank| ms_between(rank.entered, now)).max().unwrap_or(0)
    }

    fn line(&self, queue: &str) -> Option<&Line> {
        self.queues.get(self.queues.id(queue)?)
    }
}

fn from(now: Time, window_ms: u64) -> Time {
    Time(now.0.saturating_sub(window_ms.min(WINDOW_MS_MAX) as i64))
}

/// `None` without a wait. A wait that ends at the very time of an abandonment counts as still there then.
fn still_waiting(mut waits: Vec<(u64, bool)>, after_ms: u64) -> Option<i64> {
    if waits.is_empty() {
        return None;
    }
    waits.sort_unstable();
    let mut at_risk = waits.len() as f64;
    let mut share = 1.0;
    let mut rest = waits.as_slice();
    while let Some((time, _)) = rest.first().filter(|(time, _)| *time <= after_ms) {
        let (same, later) = rest.split_at(rest.partition_point(|(other, _)| other == time));
        let abandoned = same.iter().filter(|(_, abandoned)| *abandoned).count() as f64;
        share *= 1.0 - abandoned / at_risk;
        at_risk -= same.len() as f64;
        rest = later;
    }
    Some((share * ALL as f64).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_five_service_levels_of_the_sample() {
        let sample = Figures {
            offered: 1_060,
            answered: 1_000,
            answered_within: 860,
            abandoned: 60,
            abandoned_within: 20,
            abandoned_short: 10,
            ..Figures::default()
        };
        let percent = |formula| format!("{:.2}", sample.service_level(formula).unwrap() as f64 / 10_000.0);
        assert_eq!(Formula::ALL.map(percent), ["83.02", "86.00", "81.13", "82.69", "82.08"]);
        assert_eq!(Formula::ALL.map(|formula| Figures::default().service_level(formula)), [None; 5]);
    }

    #[test]
    fn patience_counts_the_answered_as_censored() {
        // Kaplan, Meier 1958: 1 − 1/5 at 10 s, then × (1 − 1/3) at 30 s; the one answered at 20 s was at risk until then.
        let waits = vec![(10_000, true), (20_000, false), (30_000, true), (30_000, false), (90_000, false)];
        let after = |ms| still_waiting(waits.clone(), ms);
        assert_eq!([after(9_999), after(10_000), after(60_000)], [Some(1_000_000), Some(800_000), Some(533_333)]);
        assert_eq!(still_waiting(Vec::new(), 1), None);
    }
}
