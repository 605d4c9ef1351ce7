//! Provisional responses to INVITEs that came in: 180, 183 with our media, and those that want a PRACK (RFC 3262 §3).

use std::net::SocketAddr;
use std::sync::Arc;

use runtime_contract::leg::GoneCause;
use runtime_contract::time::Tick;

use super::Endpoint;
use super::incoming::{is_sdp, put_contact};
use super::legs::Phase;
use super::receive::Request;
use crate::context::{Alarm, LegTimer};
use crate::message::session_expires::parse_rack;
use crate::message::write::{self, Writer};
use crate::message::{Header, Message};
use crate::sdp;
use crate::slab::Key;
use crate::transaction::Event;

/// RFC 3261 §13.3.1.1 asks for one provisional response a minute.
const RING_AGAIN_MS: u64 = 60_000;

/// How far the caller takes part in reliable provisional responses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    #[default]
    Never,
    /// It could: worth it where a description goes with it.
    Possible,
    Always,
}

impl Wanted {
    pub fn of(message: &Message<'_>) -> Self {
        let has = |header| message.values(header).any(|tag| tag.eq_ignore_ascii_case(b"100rel"));
        match (has(Header::Require), has(Header::Supported)) {
            (true, _) => Wanted::Always,
            (_, true) => Wanted::Possible,
            _ => Wanted::Never,
        }
    }
}

/// What must wait for the PRACK before it (§3). The greatest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Next {
    Ring,
    Progress,
    Answer,
}

/// The reliable side of one INVITE that is not answered yet.
#[derive(Default)]
pub struct Reliable {
    pub wanted: Wanted,
    /// RSeq of the last one.
    rseq: u32,
    /// The last one, until its PRACK.
    unacknowledged: Option<Box<Unacknowledged>>,
    /// Offer and answer were exchanged reliably: a 2xx carries none (RFC 6337 §2).
    pub agreed: bool,
    next: Option<Next>,
}

struct Unacknowledged {
    bytes: Arc<[u8]>,
    wait_ms: u64,
    give_up: Tick,
    /// It has our answer, or our offer.
    described: bool,
    offered: bool,
}

impl Reliable {
    pub fn awaits_answer(&self) -> bool {
        self.unacknowledged.as_ref().is_some_and(|last| last.offered)
    }
}

impl Endpoint {
    pub(super) fn ring(&mut self, leg: Key, invite: Key) {
        self.provisional(leg, invite, Next::Ring);
        let Some(state) = self.legs.get_mut(leg) else { return };
        state.round += 1;
        self.ctx.alarm_in(RING_AGAIN_MS, Alarm::Leg(leg, LegTimer::Ringing(state.round)));
    }

    /// 183 with our media.
    pub(super) fn progress(&mut self, leg: Key, invite: Key, media: SocketAddr) {
        if let Some(state) = self.legs.get_mut(leg) {
            state.local_media = Some(media);
            self.provisional(leg, invite, Next::Progress);
        }
    }

    /// True when the 2xx must wait for the PRACK of a description (§3).
    pub(super) fn answer_must_wait(&mut self, leg: Key) -> bool {
        let Some(reliable) = self.legs.get_mut(leg).map(|state| &mut state.reliable) else { return false };
        let waits = reliable.unacknowledged.as_ref().is_some_and(|last| last.described);
        if waits {
            reliable.next = Some(Next::Answer);
        }
        waits
    }

    fn provisional(&mut self, leg: Key, invite: Key, what: Next) {
        let Some(state) = self.legs.get_mut(leg) else { return };
        let media = what == Next::Progress && !state.reliable.agreed;
        let reliably = match state.reliable.wanted {
            Wanted::Always => true,
            Wanted::Possible => media,
            Wanted::Never => false,
        };
        if state.reliable.unacknowledged.is_some() && (reliably || media) {
            state.reliable.next = state.reliable.next.max(Some(what));
            return;
        }
        // An offer of ours goes only where its answer can come back: in a PRACK.
        let offered = media && state.remote.is_none();
        let body = if media && (reliably || !offered) { state.describe_back() } else { None };
        let body = body.unwrap_or_default();
        let mut writer = Writer::with_capacity(state.head.len() + body.len() + 256);
        writer.status(if what == Next::Ring { 180 } else { 183 }, "").put(&state.head);
        put_contact(&mut writer, &state.dialog);
        writer.put(write::ALLOW);
        if reliably {
            state.reliable.rseq += 1;
            writer.put(b"Require: 100rel\r\nRSeq: ").put_number(state.reliable.rseq).put(b"\r\n");
        }
        writer.body(&body);
        let bytes: Arc<[u8]> = writer.into_bytes().into();
        if reliably {
            let t1_ms = self.ctx.config.t1_ms;
            let described = !body.is_empty();
            state.reliable.unacknowledged = Some(Box::new(Unacknowledged {
                bytes: Arc::clone(&bytes),
                wait_ms: t1_ms,
                give_up: self.ctx.now.plus_ms(64 * t1_ms),
                described,
                offered: described && offered,
            }));
            let rseq = state.reliable.rseq;
            self.ctx.alarm_in(t1_ms, Alarm::Leg(leg, LegTimer::Reliable(rseq)));
        }
        self.transactions.run(&mut self.ctx, invite, Event::Provisional, Some(bytes));
        if media && !offered {
            self.say_media(leg);
        }
    }

    /// Sends it again, twice as late each time; never acknowledged, the INVITE is refused (§3).
    pub(super) fn repeat_provisional(&mut self, leg: Key, invite: Key, rseq: u32) {
        let now = self.ctx.now;
        let Some(state) = self.legs.get_mut(leg).filter(|state| state.reliable.rseq == rseq) else { return };
        let Some(last) = &mut state.reliable.unacknowledged else { return };
        if now >= last.give_up {
            return self.turn_away(leg, invite, 504, GoneCause::NoAck);
        }
        last.wait_ms *= 2;
        let left_ms = (last.give_up - now).as_millis() as u64 + 1;
        let (wait_ms, bytes) = (last.wait_ms.min(left_ms), Arc::clone(&last.bytes));
        self.transactions.run(&mut self.ctx, invite, Event::Provisional, Some(bytes));
        self.ctx.alarm_in(wait_ms, Alarm::Leg(leg, LegTimer::Reliable(rseq)));
    }

    /// The caller has a reliable provisional response; with it may come the answer to our offer, or a new offer.
    pub(super) fn receive_prack(&mut self, request: &Request<'_, '_>, leg: Key) {
        let Some(state) = self.legs.get_mut(leg) else { return self.refuse(request, 481) };
        let expected = (state.reliable.rseq, state.invite_cseq, &b"INVITE"[..]);
        let matches = request.message.first(Header::RAck).and_then(parse_rack) == Some(expected);
        let Some(last) = state.reliable.unacknowledged.take_if(|_| matches) else {
            return self.answer_once(request, 481);
        };
        if last.offered {
            match sdp::parse(request.essentials.body, state.dialog.local.ip()) {
                Ok(remote) if is_sdp(request.message) => state.settle(remote),
                _ => {
                    self.answer_once(request, 200);
                    return match self.legs.get(leg).map(|state| state.phase) {
                        Some(Phase::Incoming { invite }) => {
                            self.turn_away(leg, invite, 488, GoneCause::NoCommonMedia);
                        }
                        _ => self.fail(leg, GoneCause::NoCommonMedia),
                    };
                }
            }
        }
        if let Some(state) = self.legs.get_mut(leg) {
            state.reliable.agreed |= last.described;
        }
        if last.offered || request.essentials.body.is_empty() {
            self.answer_once(request, 200);
            self.say_media(leg);
        } else {
            self.answer_offer(request, leg, None);
        }
        self.legs.say_dialog(&mut self.ctx, leg);
        self.after_prack(leg);
    }

    /// What had to wait for it.
    fn after_prack(&mut self, leg: Key) {
        let Some(state) = self.legs.get_mut(leg) else { return };
        let Phase::Incoming { invite } = state.phase else { return };
        match state.reliable.next.take() {
            Some(Next::Answer) => {
                if let Some(media) = state.local_media {
                    self.answer(leg, invite, media);
                }
            }
            Some(next) => self.provisional(leg, invite, next),
            None => {}
        }
    }
}
