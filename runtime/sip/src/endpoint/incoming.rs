//! INVITEs that come in: from the request to the answered leg, CANCEL and ACK (RFC 3261 §13.3, §9.2).

use std::net::IpAddr;
use std::sync::Arc;

use runtime_contract::Redacted;
use runtime_contract::channel::Channel;
use runtime_contract::leg::{GoneCause, Incoming, LegEvent, MediaSpec};

use super::Endpoint;
use super::asserted::asserted_caller;
use super::legs::{Accepted, Found, Leg, Phase, Session};
use super::provisional::Wanted;
use super::receive::Request;
use super::snapshot::essence;
use super::update::put_session;
use crate::context::{Alarm, LegTimer};
use crate::dialog::{Dialog, dialog_digest};
use crate::message::reason::Reason;
use crate::message::uri::Uri;
use crate::message::write::{self, Writer};
use crate::message::{Header, Message};
use crate::sdp::{self, Origin, Remote, SdpFault};
use crate::slab::Key;
use crate::transaction::{Event, Machine, Opening, Owner, State};

impl Endpoint {
    pub(super) fn receive_invite(&mut self, request: &Request<'_, '_>) {
        let essentials = &request.essentials;
        let cseq = essentials.cseq.to_be_bytes();
        let merge = self.ctx.entropy.digest(&[b"merge", essentials.from_tag, essentials.call_id, &cseq]);
        if self.transactions.find_merged(merge) {
            return self.refuse(request, 482);
        }
        if !request.arrival.trusted {
            return self.refuse(request, 403);
        }
        if self.draining || self.legs.len() >= self.ctx.config.legs_max {
            return self.refuse(request, 503);
        }
        if self.is_owed_too_many(request.arrival.source.ip()) {
            self.unacknowledged_refused += 1;
            return self.refuse(request, 503);
        }
        let session = match self.negotiate(request.message) {
            Ok(session) => session,
            Err(code) => return self.refuse(request, code),
        };
        let remote = match self.read_offer(request) {
            Ok(remote) => remote,
            Err(code) => return self.refuse(request, code),
        };
        let opening = Opening {
            machine: Machine::ServerInvite,
            key: request.key,
            owner: Owner::Nobody,
            destination: write::response_destination(Some(&essentials.via), request.arrival.source),
            local: request.arrival.local,
            merge: Some(merge),
        };
        let Some(invite) = self.transactions.open(&mut self.ctx, opening, None) else {
            return self.refuse(request, 503);
        };
        self.begin_incoming(request, invite, remote, session);
    }

    /// Whether this host leaves so many of our 2xx without an ACK that it may have no more calls now. 503 and not 486:
    /// it is the host that is to wait, not the called number that is busy (RFC 3261 §21.5.4).
    pub(super) fn is_owed_too_many(&self, host: IpAddr) -> bool {
        self.legs.unacknowledged(host) >= self.ctx.config.unacknowledged_max
    }

    /// The offer in a request's body: `None` without a body. The error is a status code.
    pub(super) fn read_offer(&self, request: &Request<'_, '_>) -> Result<Option<Remote>, u16> {
        if !is_plain(request.message) {
            return Err(415);
        }
        let body = request.essentials.body;
        if body.is_empty() {
            return Ok(None);
        }
        if !is_sdp(request.message) {
            return Err(415);
        }
        sdp::parse(body, request.arrival.local.ip()).map(Some).map_err(|fault| match fault {
            SdpFault::Malformed => 400,
            SdpFault::NoCommonMedia => 488,
        })
    }

    fn begin_incoming(
        &mut self,
        request: &Request<'_, '_>,
        invite: Key,
        remote: Option<Remote>,
        session: Option<Session>,
    ) {
        let Request { arrival, message, essentials, .. } = request;
        let tag = self.ctx.entropy.next_token();
        let tag = tag.as_bytes();
        let dialog = Dialog::of_request(message, essentials, tag, arrival.source, arrival.local);
        let id = self.legs.next_id();
        let origin = Origin { id: self.ctx.entropy.next_number(), version: 0 };
        let digest = dialog.digest(&self.ctx.entropy);
        let mut leg = Leg::new(id, Phase::Incoming { invite }, dialog, digest, origin);
        leg.far.read(message);
        leg.session = session;
        leg.reliable.wanted = Wanted::of(message);
        leg.head = write::response_head(message, essentials, arrival.source, tag, true);
        leg.invite_cseq = essentials.cseq;
        leg.settled = remote.as_ref().map(Remote::settled);
        leg.remote = remote;
        let snapshot = leg.snapshot();
        leg.kept = (essence(&self.ctx.entropy, &snapshot), 0);
        let incoming = Incoming {
            leg: id,
            channel: Channel::Voice,
            peer: arrival.source.address,
            caller: match &arrival.phone {
                Some(phone) => Some(Redacted::new(phone.clone())),
                None => {
                    let peer = arrival.source.address.ip();
                    asserted_caller(&self.ctx.site, peer, message, essentials.from_address.parsed())
                }
            },
            called: unescaped(user(essentials.uri)),
            call_id: text(essentials.call_id),
            dialog: snapshot,
        };
        let leg = self.legs.insert(leg);
        self.transactions.set_owner(invite, Owner::Leg(leg));
        self.ctx.say(LegEvent::Incoming(incoming));
    }

    pub(super) fn send_trying(&mut self, leg: Key, invite: Key) {
        self.respond_plain(leg, invite, 100);
    }

    /// Answers the leg's INVITE without a body.
    pub(super) fn respond_plain(&mut self, leg: Key, invite: Key, code: u16) {
        let Some(state) = self.legs.get(leg) else { return };
        let mut writer = Writer::with_capacity(state.head.len() + 256);
        writer.status(code, "").put(&state.head);
        if (101..200).contains(&code) {
            put_contact(&mut writer, &state.dialog);
        }
        if code == 503 {
            self.put_retry_after(&mut writer);
        }
        writer.body(b"");
        let bytes = Arc::from(writer.into_bytes());
        self.transactions.run(&mut self.ctx, invite, Event::of_code(code), Some(bytes));
    }

    /// 2xx with our description, repeated until the ACK (§13.3.1.4).
    pub(super) fn accept(&mut self, leg: Key, invite: Key, body: &[u8], offered: bool) {
        let Some(state) = self.legs.get_mut(leg) else { return };
        let mut writer = Writer::with_capacity(state.head.len() + body.len() + 256);
        writer.status(200, "").put(&state.head);
        put_contact(&mut writer, &state.dialog);
        writer.put(write::ALLOW).put(write::SUPPORTED);
        let session = state.session;
        put_session(&mut writer, session, state.far.timer);
        writer.body(body);
        let bytes: Arc<[u8]> = writer.into_bytes().into();
        let Some(transaction) = self.transactions.get(invite) else { return };
        let (destination, _) = transaction.destination();
        let t1_ms = self.ctx.config.t1_ms;
        state.round += 1;
        state.accepted = Some(Box::new(Accepted {
            bytes: Arc::clone(&bytes),
            destination,
            cseq: state.invite_cseq,
            wait_ms: t1_ms,
            give_up: self.ctx.now.plus_ms(64 * t1_ms),
            offered,
        }));
        let round = state.round;
        state.head = Vec::new();
        self.transactions.run(&mut self.ctx, invite, Event::Success, Some(bytes));
        self.ctx.alarm_in(t1_ms, Alarm::Leg(leg, LegTimer::Accepted(round)));
        self.begin_session(leg, session);
    }

    pub(super) fn leg_timer(&mut self, leg: Key, timer: LegTimer) {
        let Some(state) = self.legs.get_mut(leg) else { return };
        match (timer, state.phase) {
            (LegTimer::Accepted(round), _) if round == state.round => self.repeat_accepted(leg),
            (LegTimer::Ringing(round), Phase::Incoming { invite }) if round == state.round => self.ring(leg, invite),
            (LegTimer::RingEnd, Phase::Calling { .. }) => {
                self.legs.gone(&mut self.ctx, leg, GoneCause::NoAnswer);
                self.give_up(leg, Some(Reason::NO_ANSWER));
            }
            (LegTimer::Reliable(rseq), Phase::Incoming { invite }) => self.repeat_provisional(leg, invite, rseq),
            (LegTimer::Session(round), _) => self.look_after_session(leg, round),
            (LegTimer::AskAgain, _) => {
                state.wants.paused = false;
                self.ask_next(leg);
            }
            (LegTimer::TransferEnd(cseq), _) => self.transfer_end(leg, cseq),
            (LegTimer::ReviveEnd, Phase::Reviving) => self.fail(leg, GoneCause::Failed),
            (LegTimer::CancelEnd, Phase::Cancelling { invite, .. } | Phase::EndedEarly { invite }) => {
                self.transactions.remove(invite);
                self.legs.remove(leg);
            }
            _ => {}
        }
    }

    fn repeat_accepted(&mut self, leg: Key) {
        let Some(state) = self.legs.get_mut(leg) else { return };
        let Some(accepted) = &mut state.accepted else { return };
        if self.ctx.now >= accepted.give_up {
            return self.fail_because(leg, GoneCause::NoAck, Reason::NO_ACK);
        }
        accepted.wait_ms = (accepted.wait_ms * 2).min(self.ctx.config.t2_ms);
        let left_ms = (accepted.give_up - self.ctx.now).as_millis() as u64 + 1;
        let wait_ms = accepted.wait_ms.min(left_ms);
        let (destination, bytes, local) = (accepted.destination, Arc::clone(&accepted.bytes), state.dialog.local);
        let round = state.round;
        self.ctx.send(destination, local, &bytes);
        self.ctx.alarm_in(wait_ms, Alarm::Leg(leg, LegTimer::Accepted(round)));
    }

    /// An ACK: of a refusal, which its transaction takes, or of a 2xx, which belongs to the dialog.
    pub(super) fn receive_ack(&mut self, request: &Request<'_, '_>, transaction: Option<Key>) {
        if let Some(key) = transaction
            && self.transactions.get(key).is_some_and(|transaction| transaction.state() != State::Accepted)
        {
            self.transactions.run(&mut self.ctx, key, Event::Ack, None);
            return;
        }
        let essentials = &request.essentials;
        let digest = dialog_digest(&self.ctx.entropy, essentials.call_id, essentials.to_tag, essentials.from_tag);
        let Some(Found::Leg(leg)) = self.legs.by_dialog(digest) else { return };
        let Some(state) = self.legs.get_mut(leg) else { return };
        let Some(accepted) = state.accepted.take_if(|accepted| accepted.cseq == essentials.cseq) else { return };
        if accepted.offered {
            match sdp::parse(essentials.body, state.dialog.local.ip()) {
                Ok(remote) if is_sdp(request.message) => {
                    state.settle(remote);
                    self.say_media(leg);
                }
                _ => return self.fail(leg, GoneCause::NoCommonMedia),
            }
        }
        self.acknowledged(leg);
        if accepted.offered {
            self.legs.say_dialog(&mut self.ctx, leg);
        }
    }

    /// Our 2xx has arrived.
    pub(super) fn acknowledged(&mut self, leg: Key) {
        let Some(state) = self.legs.get_mut(leg) else { return };
        state.accepted = None;
        if state.silent {
            return self.end_dialog(leg, None);
        }
        let id = state.id;
        if self.legs.set_acknowledged(leg) {
            self.ctx.say(LegEvent::Up { leg: id });
        }
        self.ask_next(leg);
    }

    /// Says what was agreed, if that is new.
    pub(super) fn say_media(&mut self, leg: Key) {
        let Some(state) = self.legs.get_mut(leg) else { return };
        let held = state.held;
        let media =
            state.remote.as_ref().map(|remote| MediaSpec { receive: remote.media.receive && !held, ..remote.media });
        if let Some(media) = media.filter(|media| state.media != Some(*media) && !state.silent) {
            state.media = Some(media);
            let peer = state.dialog.peer.address.ip();
            self.ctx.say(LegEvent::Media { leg: state.id, media, peer });
        }
    }

    /// CANCEL for an INVITE that is not answered yet.
    pub(super) fn cancelled(&mut self, invite: Key) {
        let Some(Owner::Leg(leg)) = self.transactions.get(invite).map(|transaction| transaction.owner()) else {
            return;
        };
        self.respond_plain(leg, invite, 487);
        self.legs.gone(&mut self.ctx, leg, GoneCause::Cancelled);
        self.legs.remove(leg);
    }
}

pub(super) fn put_contact(writer: &mut Writer, dialog: &Dialog) {
    put_contact_of(writer, "", dialog);
}

/// With a user part: what a registrar knows us by.
pub(super) fn put_contact_of(writer: &mut Writer, user: &str, dialog: &Dialog) {
    let parameter = dialog.next_hop().transport().uri_parameter();
    writer.put(b"Contact: <sip:");
    if !user.is_empty() {
        super::placing::put_escaped(writer, user);
        writer.put(b"@");
    }
    writer.put_display(dialog.local).put(parameter.as_bytes()).put(b">\r\n");
}

/// Content-Type says SDP. A body without a type is taken for it, as RFC 2543 peers mean it.
pub(super) fn is_sdp(message: &Message<'_>) -> bool {
    message.first(Header::ContentType).is_none_or(|value| {
        let media_type = value.split(|byte| *byte == b';').next().unwrap_or_default();
        media_type.trim_ascii().eq_ignore_ascii_case(b"application/sdp")
    })
}

/// No encoding that we would have to undo.
fn is_plain(message: &Message<'_>) -> bool {
    message.values(Header::ContentEncoding).all(|value| value.eq_ignore_ascii_case(b"identity"))
}

fn user(uri: Uri<'_>) -> &[u8] {
    match uri {
        Uri::Sip(uri) => uri.user.unwrap_or_default(),
        Uri::Tel(number) => number,
        Uri::Other => b"",
    }
}

pub(super) fn caller(uri: Uri<'_>) -> Option<Redacted<String>> {
    let user = user(uri);
    (!user.is_empty() && !user.eq_ignore_ascii_case(b"anonymous")).then(|| Redacted::new(unescaped(user)))
}

/// A user part with its escapes undone (RFC 3261 §19.1.4); as it is written where they hide what is no text.
fn unescaped(user: &[u8]) -> String {
    let mut plain = Vec::with_capacity(user.len());
    let mut rest = user;
    while let Some((first, tail)) = rest.split_first() {
        let escaped = tail.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                plain.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                plain.push(*first);
                rest = tail;
            }
        }
    }
    match String::from_utf8(plain) {
        Ok(plain) if !plain.contains(char::is_control) => plain,
        _ => text(user),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_a_user_part_are_undone() {
        for (user, plain) in [
            ("%2B4315551234", "+4315551234"),
            ("%2b43", "+43"),
            ("%E5%8C%97", "北"),
            ("a%0D%0Ab", "a%0D%0Ab"),
            ("a%00", "a%00"),
            ("%FF", "%FF"),
            ("%2", "%2"),
            ("%zz%", "%zz%"),
            ("%2541", "%41"),
            ("1001", "1001"),
        ] {
            assert_eq!(unescaped(user.as_bytes()), plain, "{user}");
        }
    }
}
