//! What was done with one person, by whichever cadence, and when the next attempt fits under all that is said of it.

use std::collections::BTreeSet;

use runtime_contract::Time;
use runtime_contract::cadence::{Cadence, Legal};
use runtime_contract::calendar::DAY_MS;
use serde::{Deserialize, Serialize};

use crate::item::{Facts, ItemId};
use crate::output::Stop;
use crate::zones::zones_of;

/// Attempts that are older are forgotten: no law looks back so far.
const HISTORY_MS: i64 = 366 * DAY_MS;

/// What is kept of a person, across cadences and runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// Never taken back.
    pub opted_out: bool,
    /// Never taken back.
    pub declined: bool,
    /// By time.
    pub made: Vec<Made>,
}

/// One attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    pub started: Time,
    pub ended: Option<Time>,
    /// The person took the call.
    pub is_conversation: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Person {
    pub history: History,
    pub items: BTreeSet<ItemId>,
    pub calling: Option<ItemId>,
}

impl Person {
    pub fn began(&mut self, item: ItemId, now: Time) {
        self.calling = Some(item);
        self.history.made.retain(|made| made.started.0 > now.0.saturating_sub(HISTORY_MS));
        self.history.made.push(Made { started: now, ended: None, is_conversation: false });
    }

    pub fn ended(&mut self, now: Time, is_conversation: bool) {
        self.calling = None;
        if let Some(made) = self.history.made.last_mut().filter(|made| made.ended.is_none()) {
            (made.ended, made.is_conversation) = (Some(now), is_conversation);
        }
    }

    /// The attempt that began is none.
    pub fn unmade(&mut self) {
        self.calling = None;
        self.history.made.pop();
    }

    pub fn refusal(&self) -> Option<Stop> {
        match self.history {
            History { opted_out: true, .. } => Some(Stop::OptedOut),
            History { declined: true, .. } => Some(Stop::Declined),
            _ => None,
        }
    }
}

/// When a person may be called for a cadence, or why never.
pub(crate) fn next(cadence: &Cadence, facts: &Facts, history: &History, from: Time) -> Result<Time, Stop> {
    let permission = &facts.permission;
    let from = from.max(permission.from).max(facts.begin.unwrap_or(from));
    if !permission.allows(&cadence.purpose, facts.number, from) {
        return Err(Stop::NoConsent);
    }
    let mut places = zones_of(facts.number).to_vec();
    places.extend(facts.zone.as_deref().filter(|zone| !zones_of(facts.number).contains(zone)));
    let legal = Legal::new(cadence, facts.zone.as_deref(), &places).ok_or(Stop::NoPlace)?;
    let at = fitting(cadence, &legal, history, from).ok_or(Stop::NeverLegal)?;
    if !permission.allows(&cadence.purpose, facts.number, at) {
        return Err(Stop::NoConsent);
    }
    Ok(at)
}

/// The first instant that is legal and under all caps.
fn fitting(cadence: &Cadence, legal: &Legal, history: &History, from: Time) -> Option<Time> {
    let starts = |made: &Made| made.started.0;
    let all: Vec<i64> = history.made.iter().map(starts).collect();
    let taken: Vec<i64> = history.made.iter().filter(|made| made.is_conversation).map(starts).collect();
    let talked = history.made.iter().rev().find(|made| made.is_conversation);
    let talked = talked.map(|made| made.ended.unwrap_or(made.started));
    let laws = || cadence.laws.iter();
    let quiet = laws().filter_map(|law| law.quiet_after_conversation_ms).max().unwrap_or(0);
    let mut at = talked.map_or(from, |talked| from.max(Time(talked.0.saturating_add_unsigned(quiet))));
    loop {
        let before = at;
        at = legal.next(at)?;
        for cap in &cadence.caps {
            at = Time(cap.next(&all, at.0, legal.days_of(at))?);
        }
        for cap in laws().flat_map(|law| &law.caps) {
            at = Time(cap.next(&all, at.0, legal.days_in_place_of(at))?);
        }
        for cap in laws().flat_map(|law| &law.conversation_caps) {
            at = Time(cap.next(&taken, at.0, legal.days_in_place_of(at))?);
        }
        if at == before {
            return Some(at);
        }
    }
}
