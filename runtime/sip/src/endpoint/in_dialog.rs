//! Requests within a dialog that exists: BYE, re-INVITE, OPTIONS, and those that we do not serve (RFC 3261
//! §12.2.2, §14.2, §15.1.2).

use runtime_contract::leg::GoneCause;

use super::Endpoint;
use super::legs::{Leg, Phase};
use super::receive::Request;
use crate::dialog::contact;
use crate::message::Method;
use crate::message::write;
use crate::slab::Key;
use crate::transaction::{Event, Machine, Opening, Owner};
use crate::transport::Hop;

impl Endpoint {
    pub(super) fn receive_in_dialog(&mut self, request: &Request<'_, '_>, leg: Key) {
        let Some(state) = self.legs.get_mut(leg) else { return self.refuse(request, 481) };
        let essentials = &request.essentials;
        if matches!(state.phase, Phase::Calling { .. } | Phase::Cancelling { .. } | Phase::EndedEarly { .. }) {
            return match self.has_unsupported(request) {
                true => self.answer_once(request, 420),
                false => self.receive_early(request, leg),
            };
        }
        // Lower is out of order; the same number from another transaction is as wrong.
        if essentials.cseq <= state.dialog.remote_cseq {
            return self.refuse(request, 500);
        }
        state.dialog.remote_cseq = essentials.cseq;
        self.follow(request, leg);
        match essentials.method {
            _ if self.has_unsupported(request) => self.answer_once(request, 420),
            Method::Bye => self.receive_bye(request, leg),
            Method::Invite => self.receive_reinvite(request, leg),
            Method::Update => self.receive_update(request, leg),
            Method::Info => self.receive_info(request, leg),
            Method::Notify => self.receive_notify(request, leg),
            Method::Prack => self.receive_prack(request, leg),
            Method::Options => self.answer_once(request, 200),
            _ => self.answer_once(request, 405),
        }
    }

    /// A phone's NAT gave it another port, or it made a new connection: from now on it is reached there. Where it
    /// listens it has said before, when it does not now: INFO and PRACK need no Contact.
    fn follow(&mut self, request: &Request<'_, '_>, leg: Key) {
        let Some(state) = self.legs.get_mut(leg) else { return };
        let (known, source) = (state.dialog.peer, request.arrival.source);
        if known.pinned && source.ip() == known.ip() {
            let listens = contact(request.message).unwrap_or(&state.dialog.target);
            state.dialog.peer = Hop { pinned: true, ..source }.reached(Some(listens));
            self.legs.say_dialog(&mut self.ctx, leg);
        }
    }

    /// Answers through a transaction, so that a repeated request gets the same answer; over
    /// `transactions_max` without one.
    pub(super) fn answer_once(&mut self, request: &Request<'_, '_>, code: u16) {
        let bytes = self.plain_response(request, code);
        let machine = match request.essentials.method {
            Method::Invite => Machine::ServerInvite,
            _ => Machine::Server,
        };
        match self.open_server(request, machine, Owner::Nobody) {
            Some(key) => {
                self.transactions.run(&mut self.ctx, key, Event::of_code(code), Some(bytes));
            }
            None => self.refuse(request, code),
        }
    }

    pub(super) fn open_server(&mut self, request: &Request<'_, '_>, machine: Machine, owner: Owner) -> Option<Key> {
        let destination = write::response_destination(Some(&request.essentials.via), request.arrival.source);
        let local = request.arrival.local;
        let opening = Opening { machine, key: request.key, owner, destination, local, merge: None };
        self.transactions.open(&mut self.ctx, opening, None)
    }

    pub(super) fn receive_bye(&mut self, request: &Request<'_, '_>, leg: Key) {
        self.answer_once(request, 200);
        let Some(state) = self.legs.get_mut(leg) else { return };
        match state.phase {
            Phase::Incoming { invite } => self.respond_plain(leg, invite, 487),
            Phase::Calling { invite, .. } | Phase::Cancelling { invite, .. } | Phase::EndedEarly { invite } => {
                state.phase = Phase::EndedEarly { invite };
                self.legs.gone(&mut self.ctx, leg, GoneCause::RemoteHungUp);
                self.await_final(leg);
                return;
            }
            Phase::Answered | Phase::Up | Phase::Reviving => {}
        }
        let cause = self.legs.get(leg).map_or(GoneCause::RemoteHungUp, Leg::remote_end);
        self.legs.gone(&mut self.ctx, leg, cause);
        self.legs.remove(leg);
    }

    fn receive_reinvite(&mut self, request: &Request<'_, '_>, leg: Key) {
        let Some(state) = self.legs.get_mut(leg) else { return };
        match state.phase {
            // Both ask at once, or an offer of ours has no answer yet (§14.2).
            Phase::Reviving => return self.answer_once(request, 491),
            Phase::Up if state.asked.as_ref().is_some_and(|asked| asked.offer) => {
                return self.answer_once(request, 491);
            }
            Phase::Up | Phase::Answered if !state.awaits_answer() => {}
            _ => return self.answer_once(request, 500),
        }
        if state.accepted.is_some() {
            // The far side goes on, so it has our 2xx, and its ACK was lost.
            self.acknowledged(leg);
        }
        let session = match self.negotiate(request.message) {
            Ok(session) => session,
            Err(code) => return self.answer_once(request, code),
        };
        let remote = match self.read_offer(request) {
            Ok(remote) => remote,
            Err(code) => return self.answer_once(request, code),
        };
        let Some(state) = self.legs.get_mut(leg) else { return self.refuse(request, 481) };
        let Some(body) = state.describe(remote.as_ref()) else { return self.answer_once(request, 488) };
        let Some(invite) = self.open_server(request, Machine::ServerInvite, Owner::Leg(leg)) else {
            return self.refuse(request, 503);
        };
        let Some(state) = self.legs.get_mut(leg) else { return };
        let tag = state.dialog.local_tag.clone();
        state.head = write::response_head(request.message, &request.essentials, request.arrival.source, &tag, false);
        state.invite_cseq = request.essentials.cseq;
        state.far.read(request.message);
        state.session = session;
        if let Some(target) = contact(request.message) {
            state.dialog.target = target.into();
        }
        self.accept(leg, invite, &body, remote.is_none());
        if let Some(remote) = remote
            && let Some(state) = self.legs.get_mut(leg)
        {
            state.settle(remote);
            self.say_media(leg);
        }
        self.legs.say_dialog(&mut self.ctx, leg);
    }
}
