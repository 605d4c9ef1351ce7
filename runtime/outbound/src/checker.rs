//! What must hold whatever happens (contract, run-time invariant 10): no attempt without a live consent, outside of any
//! window of any place, or over any cap; a refusal is never taken back. Watches inputs and outputs from outside, and
//! counts by itself: minute by minute on the wall, attempt by attempt.

use std::collections::{BTreeMap, BTreeSet};

use runtime_contract::Time;
use runtime_contract::cadence::{AttemptEnd, Cadence, Cap, DECLINED, OPTED_OUT, Outcome, Per, WindowTimes};
use runtime_contract::calendar::local;
use runtime_contract::value::Phone;

use crate::input::Input;
use crate::item::{Facts, ItemId};
use crate::output::{Output, Stop};
use crate::person::Made;
use crate::zones::zones_of;

/// The first thing that is wrong comes back as a sentence.
pub type Verdict = Result<(), String>;

/// Watches one [`crate::Outbound`] that began without items.
#[derive(Clone, Debug, Default)]
pub struct Checker {
    cadences: BTreeMap<String, Cadence>,
    items: BTreeMap<ItemId, Watched>,
    people: BTreeMap<Phone, Called>,
    over: BTreeSet<ItemId>,
}

#[derive(Clone, Debug)]
struct Watched {
    cadence: String,
    facts: Facts,
    attempts: u32,
    is_calling: bool,
    after: BTreeSet<u32>,
}

#[derive(Clone, Debug, Default)]
struct Called {
    opted_out: bool,
    declined: bool,
    made: Vec<Made>,
}

impl Checker {
    pub fn input(&mut self, now: Time, input: &Input) {
        match input {
            Input::Cadences(cadences) => {
                self.cadences = cadences.iter().map(|cadence| (cadence.name.clone(), cadence.clone())).collect();
            }
            Input::Start(start) if !self.items.contains_key(&start.item) => {
                let (cadence, facts) = (start.cadence.clone(), start.facts.clone());
                let watched = Watched { cadence, facts, attempts: 0, is_calling: false, after: BTreeSet::new() };
                self.items.insert(start.item, watched);
                self.over.remove(&start.item);
            }
            Input::Attempted { item, outcome, end } => self.attempted(now, *item, *outcome, *end),
            Input::Refused { item } => self.refused(*item),
            Input::OptOut { number } => self.people.entry(*number).or_default().opted_out = true,
            _ => {}
        }
    }

    fn attempted(&mut self, now: Time, item: ItemId, outcome: Outcome, end: Option<AttemptEnd>) {
        let Some(watched) = self.items.get_mut(&item).filter(|watched| watched.is_calling) else { return };
        watched.is_calling = false;
        let Some(cadence) = self.cadences.get(&watched.cadence) else { return };
        let called = self.people.entry(watched.facts.number).or_default();
        if let Some(made) = called.made.last_mut() {
            (made.ended, made.is_conversation) = (Some(now), outcome == Outcome::Person);
        }
        let name = match end {
            Some(AttemptEnd::Stop { disposition }) => cadence.dispositions.get(disposition as usize),
            _ => None,
        };
        called.opted_out |= name.is_some_and(|name| name == OPTED_OUT);
        called.declined |= outcome == Outcome::Declined || name.is_some_and(|name| name == DECLINED);
    }

    fn refused(&mut self, item: ItemId) {
        let Some(watched) = self.items.get_mut(&item).filter(|watched| watched.is_calling) else { return };
        (watched.is_calling, watched.attempts) = (false, watched.attempts - 1);
        self.people.entry(watched.facts.number).or_default().made.pop();
    }

    pub fn output(&mut self, now: Time, output: &Output) -> Verdict {
        match output {
            Output::NextAt { item, at } => {
                self.alive(*item)?;
                require(*at >= now, || "planned for what is past".into())
            }
            Output::Attempt { item, n, .. } => self.attempt(now, *item, *n),
            Output::After { item, n, .. } => {
                let watched = self.alive(*item)?;
                require(watched.attempts == *n && watched.after.insert(*n), || {
                    format!("`after attempt {n}` twice or late")
                })
            }
            Output::Exhausted { item, .. } => {
                let watched = self.alive(*item)?;
                require(!watched.is_calling, || "exhausted in a call".into())
            }
            Output::Stopped { item, stop, .. } => {
                let facts = self.alive(*item)?.facts.clone();
                self.over.insert(*item);
                let called = self.people.entry(facts.number).or_default();
                let refused = called.opted_out || called.declined;
                require(refused || !matches!(stop, Stop::OptedOut | Stop::Declined), || "refused by nobody".into())
            }
        }
    }

    fn alive(&mut self, item: ItemId) -> Result<&mut Watched, String> {
        let is_over = self.over.contains(&item);
        let watched = self.items.get_mut(&item).filter(|_| !is_over);
        watched.ok_or_else(|| format!("{item:?} is over, or never began"))
    }

    fn attempt(&mut self, now: Time, item: ItemId, n: u32) -> Verdict {
        let watched = self.alive(item)?;
        watched.attempts += 1;
        let (attempts, was_calling) = (watched.attempts, std::mem::replace(&mut watched.is_calling, true));
        let (name, facts) = (watched.cadence.clone(), watched.facts.clone());
        let cadence = self.cadences.get(&name).ok_or("an attempt for no cadence")?;
        require(n == attempts && n <= cadence.attempts_max && !was_calling, || format!("attempt {n} out of turn"))?;
        let called = self.people.entry(facts.number).or_default();
        require(!called.opted_out && !called.declined, || "called after a refusal".into())?;
        require(called.made.iter().all(|made| made.ended.is_some()), || "called while on the line".into())?;
        require(facts.permission.allows(&cadence.purpose, facts.number, now), || "called without a consent".into())?;
        require(facts.begin.is_none_or(|begin| begin <= now), || "called before it begins".into())?;
        is_inside(cadence, &facts, now)?;
        is_under_caps(cadence, &facts, &called.made, now)?;
        called.made.push(Made { started: now, ended: None, is_conversation: false });
        Ok(())
    }
}

/// Places of a person, as the law takes them; and where the window's days are.
fn places(facts: &Facts) -> (Vec<&str>, Vec<&str>) {
    let mut places: Vec<&str> = zones_of(facts.number).to_vec();
    places.extend(facts.zone.as_deref());
    let own = facts.zone.as_deref().map_or_else(|| places.clone(), |zone| vec![zone]);
    (places, own)
}

fn is_inside(cadence: &Cadence, facts: &Facts, now: Time) -> Verdict {
    let (places, own) = places(facts);
    let open = |lines: &[WindowTimes], zone: &str| {
        local(now, zone).is_some_and(|(_, minute, weekday)| {
            lines.iter().any(|line| {
                line.days.get(usize::from(weekday)) == Some(&true)
                    && (line.from_minute..line.until_minute).contains(&minute)
            })
        })
    };
    let excepted = |zone: &str| local(now, zone).is_some_and(|(day, _, _)| cadence.except.contains(&day));
    require(!places.is_empty(), || "called nowhere".into())?;
    require(own.iter().all(|zone| open(&cadence.window, zone) && !excepted(zone)), || "outside of the window".into())?;
    let mut laws = cadence.laws.iter().flat_map(|law| places.iter().map(move |zone| (law, *zone)));
    require(laws.all(|(law, zone)| open(&[law.window()], zone)), || "outside of the law's hours".into())
}

fn is_under_caps(cadence: &Cadence, facts: &Facts, made: &[Made], now: Time) -> Verdict {
    let (places, own) = places(facts);
    let day = |time: Time, zone: &str| local(time, zone).map(|(day, _, _)| day);
    let has_room = |cap: &Cap, zones: &[&str], conversations: bool| {
        let counted = || made.iter().filter(move |made| made.is_conversation || !conversations);
        match cap.per {
            Per::Rolling { ms } => {
                counted().filter(|made| now.0.abs_diff(made.started.0) < ms).count() < cap.count as usize
            }
            Per::Day => zones.iter().all(|zone| {
                counted().filter(|made| day(made.started, zone) == day(now, zone)).count() < cap.count as usize
            }),
        }
    };
    let laws = || cadence.laws.iter();
    let own = cadence.caps.iter().all(|cap| has_room(cap, &own, false));
    let all = laws().flat_map(|law| &law.caps).all(|cap| has_room(cap, &places, false));
    let conversations = laws().flat_map(|law| &law.conversation_caps).all(|cap| has_room(cap, &places, true));
    require(own && all && conversations, || "over a cap".into())?;
    let talked = made.iter().filter(|made| made.is_conversation).filter_map(|made| made.ended).max();
    let quiet = laws().filter_map(|law| law.quiet_after_conversation_ms).max().unwrap_or(0);
    require(talked.is_none_or(|talked| now.0.abs_diff(talked.0) >= quiet), || "too soon after a conversation".into())
}

fn require(holds: bool, what: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(what()) }
}
