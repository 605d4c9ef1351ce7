//! Early dialogs of an INVITE that we placed: what rings, early media, PRACK (RFC 3262 §4), and what the far side
//! may ask for before it answers (RFC 3261 §13.2.2.1, RFC 3311). An INVITE that forks has several.

use std::sync::Arc;

use runtime_contract::leg::LegEvent;

use super::Endpoint;
use super::incoming::is_sdp;
use super::legs::Phase;
use super::receive::{Arrival, Request};
use crate::dialog::{Dialog, contact};
use crate::message::scan::parse_number;
use crate::message::{Header, Message, Method, ResponseEssentials};
use crate::sdp::{self, Remote};
use crate::slab::Key;
use crate::transaction::{FORKS_MAX, Machine, Owner};

/// One branch of a fork that has not answered yet.
pub struct Early {
    /// Has the tag and route of its own, and the far side's numbers.
    pub dialog: Dialog,
    /// RSeq of the last reliable provisional response; none was 0.
    rseq: u32,
    pub remote: Option<Remote>,
    /// Its answer came reliably, and is the answer (RFC 6337 §2).
    pub agreed: bool,
}

impl Endpoint {
    pub(super) fn invite_progress(
        &mut self,
        arrival: &Arrival,
        message: &Message<'_>,
        response: &ResponseEssentials<'_>,
        leg: Key,
    ) {
        let Some(state) = self.legs.get_mut(leg) else { return };
        match state.phase {
            Phase::Calling { invite, .. } => state.phase = Phase::Calling { invite, provisional: true },
            Phase::Cancelling { invite, sent: false, why } => self.send_cancel(leg, invite, why),
            _ => {}
        }
        let in_order = response.code == 100 || self.early_response(arrival, message, response, leg);
        let Some(state) = self.legs.get_mut(leg) else { return };
        if !in_order || !matches!(state.phase, Phase::Calling { .. }) {
            return;
        }
        if matches!(response.code, 180 | 183) && state.round == 0 {
            state.round = 1;
            self.ctx.say(LegEvent::Ringing { leg: state.id });
        }
        self.say_media(leg);
    }

    /// Keeps what a provisional response says of its dialog. False: it is one that must not count now (§4).
    fn early_response(
        &mut self,
        arrival: &Arrival,
        message: &Message<'_>,
        response: &ResponseEssentials<'_>,
        leg: Key,
    ) -> bool {
        let Some(state) = self.legs.get_mut(leg) else { return false };
        // Without a tag there is no dialog, as from peers of RFC 2543; it rings all the same.
        let Some(at) = early_of(state, arrival, message, response) else { return true };
        let Some(early) = state.early.get_mut(at) else { return true };
        let reliable = message.values(Header::Require).any(|tag| tag.eq_ignore_ascii_case(b"100rel"));
        let rseq = message.first(Header::RSeq).and_then(parse_number).filter(|rseq| reliable && *rseq != 0);
        if let Some(rseq) = rseq {
            if early.rseq != 0 && early.rseq.checked_add(1) != Some(rseq) {
                return false;
            }
            early.rseq = rseq;
        }
        if let Some(target) = contact(message) {
            early.dialog.target = target.into();
        }
        if !response.body.is_empty() && !early.agreed && is_sdp(message) {
            // A preview that nobody can read is none; the answer is still to come.
            if let Ok(remote) = sdp::parse(response.body, arrival.local.ip()) {
                early.agreed = rseq.is_some();
                early.remote = Some(remote.clone());
                state.settle(remote);
            }
        }
        state.far.read(message);
        if let Some(rseq) = rseq {
            self.send_prack(leg, at, rseq, response.cseq);
        }
        true
    }

    fn send_prack(&mut self, leg: Key, at: usize, rseq: u32, invite_cseq: u32) {
        let branch = self.next_branch();
        let Some(state) = self.legs.get_mut(leg) else { return };
        // Numbers only have to grow: one row of them for all branches.
        let cseq = state.dialog.next_cseq();
        let Some(early) = state.early.get(at) else { return };
        let mut writer = early.dialog.request(b"PRACK", cseq, &branch);
        let (destination, local) = (early.dialog.next_hop(), early.dialog.local);
        writer.put(b"RAck: ").put_number(rseq).put(b" ").put_number(invite_cseq).put(b" INVITE\r\n");
        self.put_user_agent(&mut writer);
        writer.body(b"");
        let bytes = Arc::from(writer.into_bytes());
        let opening = self.client_opening(Machine::Client, &branch, b"PRACK", Owner::Session(leg), destination, local);
        // Without room for it, the far side repeats its response, and gets no more than that.
        self.transactions.open(&mut self.ctx, opening, Some(bytes));
    }

    /// A request of a branch that has not answered, or whose 2xx is late.
    pub(super) fn receive_early(&mut self, request: &Request<'_, '_>, leg: Key) {
        match request.essentials.method {
            Method::Bye => self.receive_bye(request, leg),
            Method::Update => self.receive_early_update(request, leg),
            Method::Options => self.answer_once(request, 200),
            Method::Invite => self.answer_once(request, 500),
            _ => self.answer_once(request, 405),
        }
    }

    fn receive_early_update(&mut self, request: &Request<'_, '_>, leg: Key) {
        let essentials = &request.essentials;
        let Some(state) = self.legs.get_mut(leg) else { return self.refuse(request, 481) };
        let early = state.early.iter_mut().position(|early| *early.dialog.remote_tag == *essentials.from_tag);
        let Some((at, early)) = early.and_then(|at| Some((at, state.early.get_mut(at)?))) else {
            return self.answer_once(request, 481);
        };
        if essentials.cseq <= early.dialog.remote_cseq {
            return self.refuse(request, 500);
        }
        early.dialog.remote_cseq = essentials.cseq;
        // The offer of our INVITE has no answer yet (RFC 3311 §5.2).
        if !essentials.body.is_empty() && !early.agreed {
            return self.answer_once(request, 491);
        }
        if let Some(target) = contact(request.message) {
            early.dialog.target = target.into();
        }
        if self.answer_offer(request, leg, None)
            && let Some(state) = self.legs.get_mut(leg)
            && let Some(early) = state.early.get_mut(at)
        {
            early.remote = state.remote.clone();
        }
    }
}

/// The early dialog of a response, which may be the first to speak of it; at most [`FORKS_MAX`] are kept.
fn early_of(
    state: &mut super::legs::Leg,
    arrival: &Arrival,
    message: &Message<'_>,
    response: &ResponseEssentials<'_>,
) -> Option<usize> {
    if response.to_tag.is_empty() {
        return None;
    }
    let known = state.early.iter().position(|early| *early.dialog.remote_tag == *response.to_tag);
    if known.is_some() || state.early.len() >= FORKS_MAX {
        return known;
    }
    let dialog = Dialog::of_response(message, response, &state.dialog.target, arrival.source, state.dialog.local)?;
    state.early.push(Early { dialog, rseq: 0, remote: None, agreed: false });
    Some(state.early.len() - 1)
}
