//! UPDATE of the far side (RFC 3311), before and after the answer, and offers within a dialog at large. It does not
//! know our own.

use std::sync::Arc;

use super::Endpoint;
use super::incoming::put_contact;
use super::legs::{Leg, Phase, Session};
use super::receive::Request;
use crate::dialog::contact;
use crate::message::write::{self, Writer};
use crate::slab::Key;
use crate::transaction::{Event, Machine, Owner};

impl Endpoint {
    pub(super) fn receive_update(&mut self, request: &Request<'_, '_>, leg: Key) {
        let Some(state) = self.legs.get_mut(leg) else { return self.refuse(request, 481) };
        if !request.essentials.body.is_empty() {
            // Both ask at once, or an offer has no answer yet: ours 491, theirs 500 (§5.2).
            let theirs_waits = matches!(state.phase, Phase::Incoming { .. }) && !state.reliable.agreed;
            if state.awaits_answer() {
                return self.answer_once(request, 491);
            }
            if theirs_waits {
                return self.answer_once(request, 500);
            }
        }
        let session = match self.negotiate(request.message) {
            Ok(session) => session,
            Err(code) => return self.answer_once(request, code),
        };
        let confirmed = matches!(state_phase(self.legs.get(leg)), Some(Phase::Up | Phase::Answered | Phase::Reviving));
        if self.answer_offer(request, leg, session.filter(|_| confirmed)) && confirmed {
            self.begin_session(leg, session);
        }
        self.legs.say_dialog(&mut self.ctx, leg);
    }

    /// 200 with the answer to what offer the request has. False: it was refused, and everything is as it was.
    pub(super) fn answer_offer(&mut self, request: &Request<'_, '_>, leg: Key, session: Option<Session>) -> bool {
        let remote = match self.read_offer(request) {
            Ok(remote) => remote,
            Err(code) => {
                self.answer_once(request, code);
                return false;
            }
        };
        let Some(state) = self.legs.get_mut(leg) else { return false };
        let body = match &remote {
            Some(remote) => state.describe(Some(remote)),
            None => Some(Vec::new()),
        };
        let Some(body) = body else {
            self.answer_once(request, 488);
            return false;
        };
        state.far.read(request.message);
        if let Some(target) = contact(request.message) {
            state.dialog.target = target.into();
        }
        let changed = remote.is_some();
        if let Some(remote) = remote {
            state.settle(remote);
        }
        self.answer_within(request, leg, session, &body);
        if changed {
            self.say_media(leg);
        }
        true
    }

    /// A 200 within a dialog, with everything that a target refresh has.
    fn answer_within(&mut self, request: &Request<'_, '_>, leg: Key, session: Option<Session>, body: &[u8]) {
        let Some(state) = self.legs.get(leg) else { return };
        let mut writer = Writer::with_capacity(512 + body.len());
        writer.status(200, "");
        let tag = &state.dialog.local_tag;
        writer.put(&write::response_head(request.message, &request.essentials, request.arrival.source, tag, false));
        put_contact(&mut writer, &state.dialog);
        writer.put(write::ALLOW).put(write::SUPPORTED);
        put_session(&mut writer, session, state.far.timer);
        writer.body(body);
        let bytes: Arc<[u8]> = writer.into_bytes().into();
        match self.open_server(request, Machine::Server, Owner::Nobody) {
            Some(key) => {
                self.transactions.run(&mut self.ctx, key, Event::Success, Some(bytes));
            }
            None => self.respond_once(request, &bytes),
        }
    }
}

fn state_phase(leg: Option<&Leg>) -> Option<Phase> {
    leg.map(|leg| leg.phase)
}

/// What a 2xx of ours says of the session timer (RFC 4028 §9).
pub(super) fn put_session(writer: &mut Writer, session: Option<Session>, far_knows: bool) {
    let Some(Session { interval_s, ours }) = session else { return };
    writer.put(b"Session-Expires: ").put_number(interval_s);
    writer.put(if ours { b";refresher=uas\r\n" } else { b";refresher=uac\r\n" });
    if far_knows {
        writer.put(b"Require: timer\r\n");
    }
}
