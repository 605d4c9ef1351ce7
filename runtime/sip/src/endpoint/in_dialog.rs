//! Requests within a dialog that exists: BYE, re-INVITE, OPTIONS, and those that we do not serve (RFC 3261
//! §12.2.2, §14.2, §15.1.2).

use runtime_contract::leg::GoneCause;

use super::Endpoint;
use super::legs::Phase;
use super::receive::Request;
use crate::dialog::contact;
use crate::message::Method;
use crate::message::write;
use crate::sdp;
use crate::slab::Key;
use crate::transaction::{Event, Machine, Opening, Owner};

impl Endpoint {
    pub(super) fn receive_in_dialog(&mut self, request: &Request<'_, '_>, leg: Key) {
        let Some(state) = self.legs.get_mut(leg) else { return self.refuse(request, 481) };
        let essentials = &request.essentials;
        let early = matches!(state.phase, Phase::Calling { .. } | Phase::Cancelling { .. } | Phase::EndedEarly { .. });
        if !early {
            // Lower is out of order; the same number from another transaction is as wrong.
            if essentials.cseq <= state.dialog.remote_cseq {
                return self.refuse(request, 500);
            }
            state.dialog.remote_cseq = essentials.cseq;
        }
        match essentials.method {
            _ if self.has_unsupported(request) => self.answer_once(request, 420),
            Method::Bye => self.receive_bye(request, leg),
            Method::Invite => self.receive_reinvite(request, leg),
            Method::Options => self.answer_once(request, 200),
            _ => self.answer_once(request, 405),
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

    fn open_server(&mut self, request: &Request<'_, '_>, machine: Machine, owner: Owner) -> Option<Key> {
        let destination = write::response_destination(Some(&request.essentials.via), request.arrival.source);
        let local = request.arrival.local;
        let opening = Opening { machine, key: request.key, owner, destination, local, merge: None };
        self.transactions.open(&mut self.ctx, opening, None)
    }

    fn receive_bye(&mut self, request: &Request<'_, '_>, leg: Key) {
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
            Phase::Answered | Phase::Up => {}
        }
        self.legs.gone(&mut self.ctx, leg, GoneCause::RemoteHungUp);
        self.legs.remove(leg);
    }

    fn receive_reinvite(&mut self, request: &Request<'_, '_>, leg: Key) {
        let Some(state) = self.legs.get_mut(leg) else { return };
        let waits_for_answer = state.accepted.as_ref().is_some_and(|accepted| accepted.offered);
        if !matches!(state.phase, Phase::Up | Phase::Answered) || waits_for_answer {
            return self.answer_once(request, 500);
        }
        if state.accepted.is_some() {
            // The far side goes on, so it has our 2xx, and its ACK was lost.
            self.acknowledged(leg);
        }
        let remote = match self.read_offer(request) {
            Ok(remote) => remote,
            Err(code) => return self.answer_once(request, code),
        };
        let Some(state) = self.legs.get_mut(leg) else { return self.refuse(request, 481) };
        let Some(local_media) = state.local_media else { return self.answer_once(request, 488) };
        let tag = state.dialog.local_tag.clone();
        state.head = write::response_head(request.message, &request.essentials, request.arrival.source, &tag, false);
        if let Some(target) = contact(request.message) {
            state.dialog.target = target.into();
        }
        state.origin.version += 1;
        let origin = state.origin;
        let offered = remote.is_none();
        let body = match &remote {
            Some(remote) => sdp::answer(remote, local_media, origin),
            None => sdp::offer(local_media, origin),
        };
        let Some(invite) = self.open_server(request, Machine::ServerInvite, Owner::Leg(leg)) else {
            return self.refuse(request, 503);
        };
        self.accept(leg, invite, request.essentials.cseq, &body, offered);
        if let Some(remote) = remote
            && let Some(state) = self.legs.get_mut(leg)
        {
            state.remote = Some(remote);
            self.say_media(leg);
        }
    }
}
