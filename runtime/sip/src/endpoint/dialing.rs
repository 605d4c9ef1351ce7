//! INVITEs that we place, their responses, forks and CANCEL (RFC 3261 §13.2, §9.1), and responses at large.

use std::net::IpAddr;
use std::sync::Arc;

use runtime_contract::leg::{GoneCause, LegEvent};

use super::Endpoint;
use super::early::Early;
use super::incoming::{is_sdp, put_contact};
use super::legs::{Leg, Phase};
use super::placing::{Caller, Placing};
use super::receive::Arrival;
use super::redirect::Placed;
use crate::context::{Alarm, LegTimer};
use crate::dialog::Dialog;
use crate::message::reason::Reason;
use crate::message::uri::{Uri, parse_uri};
use crate::message::write;
use crate::message::{Message, Method, ResponseEssentials};
use crate::sdp::{self, Origin, Remote};
use crate::slab::Key;
use crate::transaction::{Event, Machine, Owner, Told};
use crate::transport::Hop;

impl Endpoint {
    pub(super) fn dial(&mut self, placing: Placing<'_>) {
        let Placing { leg: id, target, peer, caller, ring_ms, media } = placing;
        if self.legs.by_id(id).is_some() {
            // The id names a leg that lives: a fault of the caller, and nothing may be said of either.
            return;
        }
        let readable = matches!(parse_uri(target.as_bytes()), Some(Uri::Sip(uri)) if !uri.has_headers);
        if !readable || self.legs.len() >= self.ctx.config.legs_max {
            return self.ctx.say(LegEvent::Gone { leg: id, cause: GoneCause::Failed });
        }
        let dialog = self.outgoing_dialog(target, peer, &caller);
        let origin = Origin { id: self.ctx.entropy.next_number(), version: 0 };
        let digest = dialog.digest(&self.ctx.entropy);
        let phase = Phase::Calling { invite: Key::default(), provisional: false };
        let mut leg = Leg::new(id, phase, dialog, digest, origin);
        (leg.placed, leg.local_media) = (true, Some(media));
        leg.placing = Some(Box::new(Placed::new(caller.headers, target.as_bytes(), peer)));
        let leg = self.legs.insert(leg);
        self.ctx.alarm_in(u64::from(ring_ms), Alarm::Leg(leg, LegTimer::RingEnd));
        self.send_invite(leg);
    }

    /// The INVITE of a leg in phase `Calling`, with the target and CSeq of its dialog.
    pub(super) fn send_invite(&mut self, leg: Key) {
        let branch = self.next_branch();
        let Some(body) = self.legs.get_mut(leg).and_then(|state| state.describe(None)) else { return };
        let Some(state) = self.legs.get(leg) else { return };
        let dialog = &state.dialog;
        let mut writer = dialog.request(b"INVITE", dialog.local_cseq, &branch);
        put_contact(&mut writer, dialog);
        if let Some(placed) = &state.placing {
            writer.put(placed.headers_for(dialog.peer));
        }
        writer.put(write::ALLOW).put(write::SUPPORTED);
        self.put_session_wish(&mut writer, state);
        self.put_user_agent(&mut writer);
        writer.body(&body);
        let bytes = Arc::from(writer.into_bytes());
        let (peer, local) = (dialog.peer, dialog.local);
        let opening = self.client_opening(Machine::ClientInvite, &branch, b"INVITE", Owner::Leg(leg), peer, local);
        let Some(invite) = self.transactions.open(&mut self.ctx, opening, Some(bytes)) else {
            self.legs.gone(&mut self.ctx, leg, GoneCause::Failed);
            self.legs.remove(leg);
            return;
        };
        if let Some(state) = self.legs.get_mut(leg) {
            state.phase = Phase::Calling { invite, provisional: false };
        }
    }

    fn outgoing_dialog(&mut self, target: &str, peer: Hop, caller: &Caller) -> Dialog {
        let local = self.ctx.config.local;
        let tag = self.ctx.entropy.next_token();
        let call_id = [self.ctx.entropy.next_token().as_bytes(), self.ctx.entropy.next_token().as_bytes()].concat();
        Dialog {
            call_id: call_id.into(),
            local_party: [caller.party.as_slice(), b";tag=", tag.as_bytes()].concat().into(),
            remote_party: format!("<{target}>").into_bytes().into(),
            local_tag: tag.as_bytes().into(),
            remote_tag: Box::default(),
            target: target.as_bytes().into(),
            routes: Vec::new(),
            local_cseq: 1,
            remote_cseq: 0,
            peer,
            local,
        }
    }

    pub(super) fn receive_response(
        &mut self,
        arrival: &Arrival,
        message: &Message<'_>,
        response: &ResponseEssentials<'_>,
    ) {
        let Some(branch) = response.via.branch() else { return };
        let method = response.cseq_method.name();
        let Some(key) = self.transactions.find(self.ctx.entropy.digest(&[b"client", branch, method])) else { return };
        let pinned = self.transactions.get(key).is_some_and(|transaction| transaction.destination().0.pinned);
        let Arrival { source, local, trusted, .. } = *arrival;
        let arrival = &Arrival { source: Hop { pinned, ..source }, local, trusted, phone: None };
        // The ACK of a refusal is made from the INVITE, which is still kept.
        let invite = self.transactions.get(key).and_then(|transaction| transaction.kept().cloned());
        let event = Event::of_code(response.code);
        let Some(told) = self.transactions.run(&mut self.ctx, key, event, None) else { return };
        if told.ack
            && let Some(ack) =
                invite.as_ref().and_then(|invite| write::companion(invite, b"ACK", Some(response.to), None))
        {
            self.transactions.keep_ack(&mut self.ctx, key, ack.into());
        }
        if matches!(response.code, 401 | 407)
            && told.tell
            && invite.is_some_and(|request| self.answer_challenge(key, &request, message, response.code, told.owner))
        {
            return;
        }
        match told.owner {
            Owner::Register(trunk, epoch) if told.tell => {
                self.register_response(trunk, epoch, message, response.code);
            }
            Owner::Probe(trunk, epoch) if told.tell => self.probe_response(trunk, epoch, response.code),
            Owner::Session(leg) if told.tell => self.session_response(arrival, message, response, key, leg),
            _ if told.tell && response.cseq_method == Method::Invite => {
                self.invite_response(arrival, message, response, key, told);
            }
            _ => {}
        }
        self.settle(key, told);
    }

    fn invite_response(
        &mut self,
        arrival: &Arrival,
        message: &Message<'_>,
        response: &ResponseEssentials<'_>,
        invite: Key,
        told: Told,
    ) {
        match Event::of_code(response.code) {
            Event::Success => self.invite_accepted(arrival, message, response, invite, told.owner),
            Event::Provisional => {
                if let Owner::Leg(leg) = told.owner {
                    self.invite_progress(arrival, message, response, leg);
                }
            }
            _ => {
                if let Owner::Leg(leg) = told.owner {
                    self.transactions.set_owner(invite, Owner::Nobody);
                    self.invite_refused(message, response.code, leg);
                }
            }
        }
    }

    fn invite_refused(&mut self, message: &Message<'_>, code: u16, leg: Key) {
        let Some(state) = self.legs.get_mut(leg) else { return };
        if code == 422 && matches!(state.phase, Phase::Calling { .. }) && state.lengthen_session(message) {
            return self.invite_again(leg);
        }
        if !self.try_elsewhere(leg, message, code) {
            self.legs.gone(&mut self.ctx, leg, GoneCause::Refused(code));
            self.legs.remove(leg);
        }
    }

    /// A 2xx: the first makes the dialog, others of the same tag are acknowledged again, those of another tag
    /// are forks, which are acknowledged and ended at once (§13.2.2.4).
    fn invite_accepted(
        &mut self,
        arrival: &Arrival,
        message: &Message<'_>,
        response: &ResponseEssentials<'_>,
        invite: Key,
        owner: Owner,
    ) {
        let tag = self.ctx.entropy.digest(&[b"fork", response.to_tag]);
        if self.transactions.resend_fork_ack(&mut self.ctx, invite, tag) || self.transactions.forks_full(invite) {
            return;
        }
        let leg = match owner {
            Owner::Leg(leg) => self.legs.get(leg).filter(|state| !matches!(state.phase, Phase::Up)).map(|_| leg),
            _ => None,
        };
        let asked = leg.and_then(|leg| self.legs.get(leg)).map(|state| state.dialog.target.clone()).unwrap_or_default();
        let local = self.transactions.get(invite).map_or(arrival.local, |transaction| transaction.destination().1);
        let Some(mut dialog) = Dialog::of_response(message, response, &asked, arrival.source, local) else {
            // Without our own tag it is no answer to what we sent; nor will a better one come.
            if let Some(leg) = leg {
                self.legs.gone(&mut self.ctx, leg, GoneCause::Failed);
                self.legs.remove(leg);
            }
            return;
        };
        let early = leg.and_then(|leg| self.legs.get_mut(leg)).and_then(|state| {
            // The others are of no use any more; their 2xx are ended when they come.
            let all = std::mem::take(&mut state.early);
            all.into_iter().find(|early| *early.dialog.remote_tag == *response.to_tag)
        });
        if let Some(state) = leg.and_then(|leg| self.legs.get(leg)) {
            dialog.local_cseq = state.dialog.local_cseq;
        }
        if let Some(early) = &early {
            dialog.remote_cseq = early.dialog.remote_cseq;
        }
        let branch = self.next_branch();
        let mut ack = dialog.request(b"ACK", response.cseq, &branch);
        ack.body(b"");
        self.transactions.keep_fork_ack(&mut self.ctx, invite, tag, dialog.next_hop(), ack.into_bytes().into());
        let Some(leg) = leg else { return self.send_bye(&mut dialog, Some(Reason::ELSEWHERE)) };
        let Some(state) = self.legs.get_mut(leg) else { return };
        match state.phase {
            Phase::Calling { .. } => {}
            Phase::EndedEarly { .. } => {
                self.legs.remove(leg);
                return;
            }
            _ => {
                self.legs.remove(leg);
                return self.send_bye(&mut dialog, None);
            }
        }
        state.phase = Phase::Up;
        state.placing = None;
        state.far.read(message);
        let digest = dialog.digest(&self.ctx.entropy);
        self.legs.set_dialog(leg, dialog, digest);
        match answer_of(message, response, early, local.ip()) {
            Some(remote) => self.dialled_up(message, leg, remote),
            None => self.fail(leg, GoneCause::NoCommonMedia),
        }
    }

    fn dialled_up(&mut self, message: &Message<'_>, leg: Key, remote: Remote) {
        let Some(state) = self.legs.get_mut(leg) else { return };
        state.settle(remote);
        let id = state.id;
        self.begin_session(leg, Self::agreed_session(message));
        self.legs.say_dialog(&mut self.ctx, leg);
        self.say_media(leg);
        self.ctx.say(LegEvent::Up { leg: id });
        self.ask_next(leg);
    }

    /// CANCEL now, or with the first provisional response (§9.1).
    pub(super) fn give_up(&mut self, leg: Key, why: Option<Reason>) {
        let Some(state) = self.legs.get_mut(leg) else { return };
        let Phase::Calling { invite, provisional } = state.phase else { return };
        state.phase = Phase::Cancelling { invite, sent: false, why };
        if provisional {
            self.send_cancel(leg, invite, why);
        }
    }

    pub(super) fn send_cancel(&mut self, leg: Key, invite: Key, why: Option<Reason>) {
        let Some(transaction) = self.transactions.get(invite) else {
            self.legs.remove(leg);
            return;
        };
        let (destination, local) = transaction.destination();
        let cancel = transaction.kept().and_then(|request| write::companion(request, b"CANCEL", None, why));
        if let Some(state) = self.legs.get_mut(leg) {
            state.phase = Phase::Cancelling { invite, sent: true, why };
        }
        if let Some((branch, cancel)) = cancel.and_then(|cancel| Some((write::own_branch(&cancel)?, cancel))) {
            let opening = self.client_opening(Machine::Client, &branch, b"CANCEL", Owner::Nobody, destination, local);
            self.transactions.open(&mut self.ctx, opening, Some(cancel.into()));
        }
        self.await_final(leg);
    }

    /// The INVITE has 64·T1 for its final response, then it is forgotten.
    pub(super) fn await_final(&mut self, leg: Key) {
        self.ctx.alarm_in(64 * self.ctx.config.t1_ms, Alarm::Leg(leg, LegTimer::CancelEnd));
    }

    /// Timer B: nobody there. Timer H of a refusal has nobody left to tell.
    pub(super) fn invite_timed_out(&mut self, leg: Key, invite: Key) {
        let calling = self.legs.get(leg).is_some_and(|state| match state.phase {
            Phase::Calling { invite: own, .. }
            | Phase::Cancelling { invite: own, .. }
            | Phase::EndedEarly { invite: own } => own == invite,
            _ => false,
        });
        if calling {
            self.legs.gone(&mut self.ctx, leg, GoneCause::Unreachable);
            self.legs.remove(leg);
        }
    }
}

/// The answer to our offer: that of the 2xx, unless a reliable response of the same dialog had it (RFC 6337 §2); where
/// the 2xx has none, the one that came early.
fn answer_of(
    message: &Message<'_>,
    response: &ResponseEssentials<'_>,
    early: Option<Early>,
    ours: IpAddr,
) -> Option<Remote> {
    match early {
        Some(early) if early.agreed || response.body.is_empty() => early.remote,
        _ if is_sdp(message) => sdp::parse(response.body, ours).ok(),
        _ => None,
    }
}
