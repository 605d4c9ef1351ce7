//! A leg that may be at several places: all contacts of a phone at once, or a number's trunks one after the other, until
//! one answers (RFC 3261 §16.7 as an endpoint meets it). Each place is a leg of its own, of which nobody outside knows.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use runtime_contract::leg::{GoneCause, LegCommand, LegEvent, LegId, MediaSpec};
use runtime_contract::time::Tick;

use super::Endpoint;
use super::legs::Phase;
use super::placing::{Caller, Placing};
use crate::context::Alarm;
use crate::message::reason::Reason;
use crate::transport::Hop;

/// Legs of single places have ids from here up to twice as much, in which neither the endpoint nor others number theirs.
pub const BRANCH_FIRST: u64 = 1 << 61;
/// How long a trunk may say nothing at all to an INVITE before the next one is tried.
const SILENCE_MS: u64 = 5_000;

/// Whether an event is for a hunt, and not for the exchange.
pub fn is_branch(leg: LegId) -> bool {
    (BRANCH_FIRST..2 * BRANCH_FIRST).contains(&leg.0)
}

/// One leg as others know it.
pub struct Hunt {
    leg: LegId,
    /// Those still to be tried: when the one before did not take the call.
    waiting: VecDeque<Place>,
    branches: Vec<Branch>,
    ring_end: Tick,
    media: SocketAddr,
    /// Somebody may have heard it: from now on nobody else is tried.
    rang: bool,
    best: Option<GoneCause>,
}

struct Place {
    target: String,
    hop: Hop,
    caller: Caller,
    trunk: Option<String>,
}

struct Branch {
    leg: LegId,
    trunk: Option<String>,
    /// What it said last of its media, and what a successor needs.
    media: Option<(MediaSpec, IpAddr)>,
    dialog: Option<LegEvent>,
}

impl Endpoint {
    /// Everywhere where a phone is registered.
    pub(super) fn dial_extension(
        &mut self,
        leg: LegId,
        extension: &str,
        from: Option<&str>,
        ring_ms: u32,
        media: SocketAddr,
    ) {
        let local = self.ctx.config.local;
        let name = from.and_then(|from| self.ctx.site.phone(from)).and_then(|phone| phone.name.clone());
        let mut bindings = self.registrar.bindings(extension).to_vec();
        bindings.sort_by_key(|binding| std::cmp::Reverse(binding.q));
        let places = bindings.into_iter().map(|binding| Place {
            target: String::from_utf8_lossy(&binding.uri).into_owned(),
            hop: binding.hop,
            caller: Caller::named(name.as_deref(), from, local),
            trunk: None,
        });
        let places: Vec<Place> = places.collect();
        let Some(mut hunt) = self.begin_hunt(leg, ring_ms, media) else { return };
        for place in places {
            self.try_place(&mut hunt, place);
        }
        self.end_or_keep(hunt);
    }

    /// Through the best trunk for a number.
    pub(super) fn dial_number(
        &mut self,
        leg: LegId,
        number: &str,
        from: Option<&str>,
        ring_ms: u32,
        media: SocketAddr,
    ) {
        let site = std::sync::Arc::clone(&self.ctx.site);
        let trunks = self.trunks.for_number(self.ctx.now, &site, number);
        let places = trunks.into_iter().filter_map(|trunk| {
            Some(Place {
                target: format!("sip:{number}@{}", trunk.host),
                hop: Hop::new(*trunk.addresses.first()?, trunk.transport),
                caller: Caller::for_trunk(trunk, from),
                trunk: Some(trunk.name.clone()),
            })
        });
        let places: VecDeque<Place> = places.collect();
        let Some(mut hunt) = self.begin_hunt(leg, ring_ms, media) else { return };
        hunt.waiting = places;
        self.try_next(&mut hunt);
        self.end_or_keep(hunt);
    }

    /// `None` when the id names a leg that lives.
    fn begin_hunt(&mut self, leg: LegId, ring_ms: u32, media: SocketAddr) -> Option<Hunt> {
        let ring_end = self.ctx.now.plus_ms(u64::from(ring_ms));
        let (waiting, branches) = (VecDeque::new(), Vec::new());
        let fresh = self.legs.by_id(leg).is_none() && !self.hunts.contains_key(&leg);
        fresh.then_some(Hunt { leg, waiting, branches, ring_end, media, rang: false, best: None })
    }

    fn try_place(&mut self, hunt: &mut Hunt, place: Place) {
        let leg = LegId(BRANCH_FIRST + self.branch_count % BRANCH_FIRST);
        self.branch_count = self.branch_count.wrapping_add(1);
        hunt.branches.push(Branch { leg, trunk: place.trunk, media: None, dialog: None });
        self.branches.insert(leg, hunt.leg);
        let ring_ms = u32::try_from(hunt.ring_end.saturating_since(self.ctx.now).as_millis()).unwrap_or(u32::MAX);
        let (target, peer, caller, media) = (place.target.as_str(), place.hop, place.caller, hunt.media);
        self.dial(Placing { leg, target, peer, caller, ring_ms, media });
    }

    fn try_next(&mut self, hunt: &mut Hunt) -> bool {
        let Some(place) = hunt.waiting.pop_front() else { return false };
        self.try_place(hunt, place);
        if let Some(branch) = hunt.branches.last().filter(|_| !hunt.waiting.is_empty()) {
            self.ctx.alarm_in(SILENCE_MS, Alarm::Branch(branch.leg));
        }
        true
    }

    fn end_or_keep(&mut self, hunt: Hunt) {
        if hunt.branches.is_empty() {
            let cause = hunt.best.unwrap_or(GoneCause::Unreachable);
            self.ctx.say(LegEvent::Gone { leg: hunt.leg, cause });
        } else {
            self.hunts.insert(hunt.leg, hunt);
        }
    }

    /// A trunk said nothing, not even 100, and there are others.
    pub(super) fn branch_silent(&mut self, branch: LegId) {
        let silent = self.legs.by_id(branch).and_then(|leg| self.legs.get(leg));
        let silent = silent.is_some_and(|leg| matches!(leg.phase, Phase::Calling { provisional: false, .. }));
        if silent && let Some(leg) = self.legs.by_id(branch) {
            self.legs.gone(&mut self.ctx, leg, GoneCause::Unreachable);
            self.give_up(leg, None);
        }
    }

    /// Serves what branches said; to be called after every message.
    pub(super) fn hear_branches(&mut self) {
        while let Some(event) = self.ctx.branch_events.pop_front() {
            let branch = event.leg();
            let Some(mut hunt) = self.branches.get(&branch).and_then(|leg| self.hunts.remove(leg)) else { continue };
            if self.hear_branch(&mut hunt, branch, event) {
                self.end_or_keep(hunt);
            }
        }
    }

    /// False when the hunt is over, and all was said of it.
    fn hear_branch(&mut self, hunt: &mut Hunt, branch: LegId, event: LegEvent) -> bool {
        let alone = hunt.branches.len() == 1;
        let Some(at) = hunt.branches.iter().position(|known| known.leg == branch) else { return true };
        match event {
            LegEvent::Ringing { .. } => {
                self.note_branch(hunt, at, true);
                if !std::mem::replace(&mut hunt.rang, true) {
                    self.ctx.say(LegEvent::Ringing { leg: hunt.leg });
                }
            }
            LegEvent::Media { media, peer, .. } => {
                hunt.rang = true;
                // Of several early sounds nobody can hear one.
                if alone {
                    self.ctx.say(LegEvent::Media { leg: hunt.leg, media, peer });
                } else if let Some(known) = hunt.branches.get_mut(at) {
                    known.media = Some((media, peer));
                }
            }
            LegEvent::Dialog { dialog, .. } => {
                if let Some(known) = hunt.branches.get_mut(at) {
                    known.dialog = Some(LegEvent::Dialog { leg: hunt.leg, dialog });
                }
            }
            LegEvent::Up { .. } => {
                self.note_branch(hunt, at, true);
                self.branch_won(hunt, at);
                return false;
            }
            LegEvent::Gone { cause, .. } => return self.branch_lost(hunt, at, cause),
            LegEvent::Incoming(_) | LegEvent::Key { .. } | LegEvent::Words { .. } | LegEvent::TransferFailed { .. } => {
            }
        }
        true
    }

    fn branch_won(&mut self, hunt: &mut Hunt, at: usize) {
        let winner = hunt.branches.remove(at);
        self.branches.remove(&winner.leg);
        self.legs.rename(winner.leg, hunt.leg);
        self.end_branches(hunt, Some(Reason::ELSEWHERE));
        if let Some(dialog) = winner.dialog {
            self.ctx.say(dialog);
        }
        if let Some((media, peer)) = winner.media {
            self.ctx.say(LegEvent::Media { leg: hunt.leg, media, peer });
        }
        self.ctx.say(LegEvent::Up { leg: hunt.leg });
    }

    fn branch_lost(&mut self, hunt: &mut Hunt, at: usize, cause: GoneCause) -> bool {
        // Nobody was there to be asked: the call itself is as good as new.
        let untaken = matches!(cause, GoneCause::Refused(500..600 | 408) | GoneCause::Unreachable | GoneCause::Failed)
            && !hunt.rang;
        if untaken {
            self.note_branch(hunt, at, false);
        }
        let lost = hunt.branches.remove(at);
        self.branches.remove(&lost.leg);
        hunt.best = Some(hunt.best.map_or(cause, |best| better(best, cause)));
        if matches!(cause, GoneCause::Refused(600..)) {
            self.end_branches(hunt, None);
            hunt.waiting.clear();
        }
        if !untaken {
            hunt.waiting.clear();
        }
        if hunt.branches.is_empty() && self.ctx.now < hunt.ring_end {
            self.try_next(hunt);
        }
        true
    }

    /// How a trunk took a call.
    fn note_branch(&mut self, hunt: &Hunt, at: usize, taken: bool) {
        if let Some(trunk) = hunt.branches.get(at).and_then(|branch| branch.trunk.as_ref()) {
            self.trunks.note_call(self.ctx.now, trunk, taken);
        }
    }

    fn end_branches(&mut self, hunt: &mut Hunt, why: Option<Reason>) {
        for branch in std::mem::take(&mut hunt.branches) {
            self.branches.remove(&branch.leg);
            if let Some(leg) = self.legs.by_id(branch.leg) {
                self.legs.gone(&mut self.ctx, leg, GoneCause::LocalHungUp);
                self.give_up(leg, why);
            }
        }
    }

    /// What the exchange wants of a leg that is looked for. True when it is one.
    pub(super) fn command_hunt(&mut self, command: &LegCommand) -> bool {
        let (LegCommand::HangUp { leg } | LegCommand::Transfer { leg, .. } | LegCommand::Hold { leg, .. }) = command
        else {
            return false;
        };
        if !self.hunts.contains_key(leg) {
            return false;
        }
        match command {
            LegCommand::HangUp { leg } => {
                if let Some(mut hunt) = self.hunts.remove(leg) {
                    self.end_branches(&mut hunt, None);
                    self.ctx.say(LegEvent::Gone { leg: *leg, cause: GoneCause::LocalHungUp });
                }
            }
            LegCommand::Transfer { leg, .. } => self.ctx.say(LegEvent::TransferFailed { leg: *leg, status: 491 }),
            _ => {}
        }
        true
    }
}

/// The better of two reasons for which a leg came to nothing (§16.7 step 6): what a person decided for all, then the
/// lowest class, then what says most of the person.
fn better(left: GoneCause, right: GoneCause) -> GoneCause {
    let rank = |cause: &GoneCause| match cause {
        GoneCause::Refused(600..) => 0,
        GoneCause::Refused(300..400) => 1,
        GoneCause::NoAnswer => 2,
        GoneCause::Refused(486 | 480) => 3,
        GoneCause::Refused(408) => 5,
        GoneCause::Refused(400..500) | GoneCause::NoCommonMedia => 4,
        GoneCause::Refused(_) => 6,
        _ => 7,
    };
    if rank(&right) < rank(&left) { right } else { left }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_most_is_said() {
        let cases = [
            (GoneCause::Refused(486), GoneCause::Unreachable, GoneCause::Refused(486)),
            (GoneCause::Refused(503), GoneCause::Refused(404), GoneCause::Refused(404)),
            (GoneCause::Refused(486), GoneCause::Refused(603), GoneCause::Refused(603)),
            (GoneCause::Refused(486), GoneCause::NoAnswer, GoneCause::NoAnswer),
            (GoneCause::Refused(486), GoneCause::Refused(486), GoneCause::Refused(486)),
        ];
        for (left, right, best) in cases {
            assert_eq!((better(left, right), better(right, left)), (best, best));
        }
    }
}
