//! Session timers (RFC 4028): how long a session lasts unless it is refreshed, who refreshes, and what happens when
//! nobody does. Where nobody agreed to that we ask all the same from time to time, so that whoever is gone is found out.
//! It does not know by which request.

use std::time::Duration;

use runtime_contract::leg::GoneCause;
use runtime_contract::time::Tick;

use super::Endpoint;
use super::legs::{Leg, Session};
use crate::context::{Alarm, LegTimer};
use crate::message::reason::Reason;
use crate::message::session_expires::{Refresher, parse_min_se, parse_session_expires};
use crate::message::write::Writer;
use crate::message::{Header, Message};
use crate::slab::Key;

/// Shortest interval of all, in seconds (§4).
const INTERVAL_S_MIN: u32 = 90;
/// The clock looks after a session at least so often: alarms cannot be taken back, and calls are shorter than
/// intervals.
const LOOK_MS_MAX: u64 = 60_000;

/// So many legs are asked at once whether they are still there, and others a little later: many calls may have begun
/// together, over one connection.
const ASKED_MAX: usize = 32;
const ASK_MORE_MS: u64 = 100;

/// When what is due in a session.
#[derive(Clone, Copy, Debug, Default)]
pub struct SessionClock {
    /// Tells an alarm that was overtaken.
    round: u32,
    refresh: Option<Tick>,
    expires: Option<Tick>,
}

impl Endpoint {
    /// What we agree to as a request's UAS (§9, table 2). The error is a status code.
    pub(super) fn negotiate(&self, message: &Message<'_>) -> Result<Option<Session>, u16> {
        let config = &self.ctx.config;
        let supported = message.values(Header::Supported).any(|tag| tag.eq_ignore_ascii_case(b"timer"));
        let floor_s = message.first(Header::MinSe).and_then(parse_min_se).unwrap_or(INTERVAL_S_MIN);
        let ours_s = config.session_expires_s.max(floor_s);
        let Some((interval_s, refresher)) = message.first(Header::SessionExpires).and_then(parse_session_expires)
        else {
            // It can, and has left it to us.
            return Ok(supported.then_some(Session { interval_s: ours_s, ours: true }));
        };
        if interval_s < config.session_expires_s_min {
            // Who does not know the extension, does not know 422 either; nor may we ask for more (§9).
            return if supported { Err(422) } else { Ok(None) };
        }
        let ours = !supported || refresher == Some(Refresher::Uas);
        Ok(Some(Session { interval_s: interval_s.min(ours_s), ours }))
    }

    pub(super) fn put_min_se(&self, writer: &mut Writer) {
        writer.put(b"Min-SE: ").put_number(self.ctx.config.session_expires_s_min).put(b"\r\n");
    }

    /// Supported, and how long we want the session to last: for INVITE and UPDATE of ours (§7.1, §7.4).
    pub(super) fn put_session_wish(&self, writer: &mut Writer, leg: &Leg) {
        let config = &self.ctx.config;
        let floor_s = leg.interval_s_min.max(config.session_expires_s_min);
        let interval_s = leg.session.map_or(config.session_expires_s, |session| session.interval_s).max(floor_s);
        writer.put(b"Session-Expires: ").put_number(interval_s);
        match leg.session {
            Some(Session { ours: true, .. }) => _ = writer.put(b";refresher=uac"),
            Some(Session { ours: false, .. }) => _ = writer.put(b";refresher=uas"),
            None => {}
        }
        writer.put(b"\r\nMin-SE: ").put_number(floor_s).put(b"\r\n");
    }

    /// What a 2xx to our request says: nothing, and the session does not expire (§7.2).
    pub(super) fn agreed_session(message: &Message<'_>) -> Option<Session> {
        let (interval_s, refresher) = message.first(Header::SessionExpires).and_then(parse_session_expires)?;
        // Nobody may agree to less; who refreshes all the time is a fault of theirs, not a task of ours.
        Some(Session { interval_s: interval_s.max(INTERVAL_S_MIN), ours: refresher != Some(Refresher::Uas) })
    }

    /// A 2xx has gone or come: the interval begins (§10).
    pub(super) fn begin_session(&mut self, leg: Key, session: Option<Session>) {
        let now = self.ctx.now;
        let Some(state) = self.legs.get_mut(leg) else { return };
        state.session = session;
        let round = state.clock.round.wrapping_add(1);
        state.clock = SessionClock { round, ..SessionClock::default() };
        let Some(Session { interval_s, ours }) = session else {
            state.clock.refresh = Some(now.plus_ms(u64::from(self.ctx.config.session_expires_s) * 500));
            return self.watch_unexpiring();
        };
        let interval_ms = u64::from(interval_s) * 1_000;
        state.clock.refresh = ours.then(|| now.plus_ms(interval_ms / 2));
        // §10: a BYE that is a little early, so that it finds the way while proxies still know it.
        state.clock.expires = Some(now.plus_ms(interval_ms - (interval_ms / 3).min(32_000)));
        self.look_after_session(leg, round);
    }

    /// One alarm for all of them: nearly every call is over before it is asked.
    fn watch_unexpiring(&mut self) {
        if !std::mem::replace(&mut self.asks_unexpiring, true) {
            self.ctx.alarm_in(LOOK_MS_MAX, Alarm::Unexpiring);
        }
    }

    pub(super) fn ask_unexpiring(&mut self) {
        self.asks_unexpiring = false;
        let asked = self.legs.unexpiring(self.ctx.now, ASKED_MAX);
        if asked.len() == ASKED_MAX {
            self.asks_unexpiring = true;
            self.ctx.alarm_in(ASK_MORE_MS, Alarm::Unexpiring);
        } else if self.legs.len() > 0 {
            self.watch_unexpiring();
        }
        for leg in asked {
            self.ask_next(leg);
        }
    }

    pub(super) fn look_after_session(&mut self, leg: Key, round: u32) {
        let now = self.ctx.now;
        let Some(state) = self.legs.get_mut(leg).filter(|state| state.clock.round == round) else { return };
        let Some(expires) = state.clock.expires else { return };
        if now >= expires {
            return self.fail_because(leg, GoneCause::Failed, Reason::SESSION_EXPIRED);
        }
        let due = state.clock.refresh.is_some_and(|refresh| now >= refresh);
        if due {
            state.clock.refresh = None;
            state.wants.refresh = true;
        }
        let next = state.clock.refresh.unwrap_or(expires);
        let wait: Duration = next.saturating_since(now);
        let wait_ms = (wait.as_millis() as u64 + 1).min(LOOK_MS_MAX);
        self.ctx.alarm_in(wait_ms, Alarm::Leg(leg, LegTimer::Session(round)));
        if due {
            self.ask_next(leg);
        }
    }
}

impl SessionClock {
    /// Whether a session that never expires is to be asked now; said once.
    pub fn is_to_be_asked(&mut self, now: Tick) -> bool {
        self.expires.is_none() && self.refresh.take_if(|refresh| *refresh <= now).is_some()
    }
}

impl Leg {
    /// A 422 says how long a session lasts at least (§7.4). False when it says nothing that we did not know.
    pub fn lengthen_session(&mut self, message: &Message<'_>) -> bool {
        let Some(floor_s) = message.first(Header::MinSe).and_then(parse_min_se) else { return false };
        let longer = floor_s > self.interval_s_min && self.session.is_none_or(|session| floor_s > session.interval_s);
        self.interval_s_min = self.interval_s_min.max(floor_s);
        longer
    }
}
