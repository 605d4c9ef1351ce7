//! INVITEs that we place, their responses, forks and CANCEL (RFC 3261 §13.2, §9.1), and responses at large.

use std::sync::Arc;

use runtime_contract::leg::{GoneCause, LegEvent};

use super::Endpoint;
use super::incoming::{is_sdp, put_contact};
use super::legs::{Leg, Phase};
use super::placing::{Caller, Placing};
use super::receive::Arrival;
use crate::context::{Alarm, LegTimer};
use crate::dialog::Dialog;
use crate::message::uri::{Uri, parse_uri};
use crate::message::write;
use crate::message::{Message, Method, ResponseEssentials};
use crate::sdp::{self, Origin};
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
        let mut leg = Leg::new(id, Phase::Up, dialog, digest, origin);
        (leg.placed, leg.local_media) = (true, Some(media));
        let Some(body) = leg.describe(None) else { return };
        let dialog = &leg.dialog;
        let branch = self.next_branch();
        let mut writer = dialog.request(b"INVITE", dialog.local_cseq, &branch);
        put_contact(&mut writer, dialog);
        writer.put(&caller.headers).put(write::ALLOW);
        self.put_user_agent(&mut writer);
        writer.body(&body);
        let bytes = Arc::from(writer.into_bytes());
        let opening = self.client_opening(Machine::ClientInvite, &branch, b"INVITE", Owner::Nobody, peer, dialog.local);
        let Some(invite) = self.transactions.open(&mut self.ctx, opening, Some(bytes)) else {
            return self.ctx.say(LegEvent::Gone { leg: id, cause: GoneCause::Failed });
        };
        leg.phase = Phase::Calling { invite, provisional: false };
        let leg = self.legs.insert(leg);
        self.transactions.set_owner(invite, Owner::Leg(leg));
        self.ctx.alarm_in(u64::from(ring_ms), Alarm::Leg(leg, LegTimer::RingEnd));
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
        // The ACK of a refusal is made from the INVITE, which is still kept.
        let invite = self.transactions.get(key).and_then(|transaction| transaction.kept().cloned());
        let event = Event::of_code(response.code);
        let Some(told) = self.transactions.run(&mut self.ctx, key, event, None) else { return };
        if told.ack
            && let Some(ack) = invite.and_then(|invite| write::companion(&invite, b"ACK", Some(response.to)))
        {
            self.transactions.keep_ack(&mut self.ctx, key, ack.into());
        }
        match told.owner {
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
                    self.invite_progress(leg, response.code);
                }
            }
            _ => {
                if let Owner::Leg(leg) = told.owner {
                    self.legs.gone(&mut self.ctx, leg, GoneCause::Refused(response.code));
                    self.legs.remove(leg);
                }
            }
        }
    }

    fn invite_progress(&mut self, leg: Key, code: u16) {
        let Some(state) = self.legs.get_mut(leg) else { return };
        match state.phase {
            Phase::Calling { invite, .. } => {
                state.phase = Phase::Calling { invite, provisional: true };
                if matches!(code, 180 | 183) && state.round == 0 {
                    state.round = 1;
                    self.ctx.say(LegEvent::Ringing { leg: state.id });
                }
            }
            Phase::Cancelling { invite, sent: false } => self.send_cancel(leg, invite),
            _ => {}
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
        let branch = self.next_branch();
        let mut ack = dialog.request(b"ACK", response.cseq, &branch);
        ack.body(b"");
        self.transactions.keep_fork_ack(&mut self.ctx, invite, tag, dialog.next_hop(), ack.into_bytes().into());
        let Some(leg) = leg else { return self.send_bye(&mut dialog) };
        let Some(state) = self.legs.get_mut(leg) else { return };
        match state.phase {
            Phase::Calling { .. } => {}
            Phase::EndedEarly { .. } => {
                self.legs.remove(leg);
                return;
            }
            _ => {
                self.legs.remove(leg);
                return self.send_bye(&mut dialog);
            }
        }
        state.phase = Phase::Up;
        state.far.read(message);
        let id = state.id;
        let digest = dialog.digest(&self.ctx.entropy);
        self.legs.set_dialog(leg, dialog, digest);
        match sdp::parse(response.body, local.ip()) {
            Ok(remote) if is_sdp(message) => {
                if let Some(state) = self.legs.get_mut(leg) {
                    state.settle(remote);
                }
                self.legs.say_dialog(&mut self.ctx, leg);
                self.say_media(leg);
                self.ctx.say(LegEvent::Up { leg: id });
            }
            _ => self.fail(leg, GoneCause::NoCommonMedia),
        }
    }

    /// CANCEL now, or with the first provisional response (§9.1).
    pub(super) fn give_up(&mut self, leg: Key) {
        let Some(state) = self.legs.get_mut(leg) else { return };
        let Phase::Calling { invite, provisional } = state.phase else { return };
        state.phase = Phase::Cancelling { invite, sent: false };
        if provisional {
            self.send_cancel(leg, invite);
        }
    }

    fn send_cancel(&mut self, leg: Key, invite: Key) {
        let Some(transaction) = self.transactions.get(invite) else {
            self.legs.remove(leg);
            return;
        };
        let (destination, local) = transaction.destination();
        let cancel = transaction.kept().and_then(|request| write::companion(request, b"CANCEL", None));
        if let Some(state) = self.legs.get_mut(leg) {
            state.phase = Phase::Cancelling { invite, sent: true };
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
