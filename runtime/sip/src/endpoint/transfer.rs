//! REFER of ours (RFC 3515): the far side of a leg is given away, and tells us by NOTIFY what becomes of it. It does
//! not know why. What others refer us to is not served: REFER is 405.

use std::sync::Arc;

use runtime_contract::leg::{GoneCause, LegEvent, Target};

use super::Endpoint;
use super::incoming::put_contact;
use super::legs::{Leg, Phase};
use super::placing::put_escaped;
use super::receive::Request;
use crate::context::{Alarm, LegTimer};
use crate::dialog::sip_uri;
use crate::message::address::parse_address;
use crate::message::uri::SipUri;
use crate::message::write::{self, Writer};
use crate::message::{Header, Message, ResponseEssentials, Start};
use crate::slab::Key;
use crate::transaction::{Machine, Owner};

/// A REFER of which nothing final was heard.
#[derive(Clone, Copy, Debug)]
pub struct Transfer {
    transaction: Key,
    /// The far side has taken it, and tries (RFC 3515 §2.4.2).
    taken: bool,
    /// CSeq of the REFER, so that an alarm of an older one is known.
    cseq: u32,
}

impl Endpoint {
    pub(super) fn transfer(&mut self, leg: Key, target: &Target) {
        let branch = self.next_branch();
        let Some(state) = self.legs.get_mut(leg) else { return };
        let refer_to = refer_to(state, target);
        let Some(refer_to) = refer_to.filter(|_| state.phase == Phase::Up && state.transfer.is_none()) else {
            let id = state.id;
            return self.ctx.say(LegEvent::TransferFailed { leg: id, status: 491 });
        };
        let cseq = state.dialog.next_cseq();
        let mut writer = state.dialog.request(b"REFER", cseq, &branch);
        put_contact(&mut writer, &state.dialog);
        writer.put(b"Refer-To: <").put(&refer_to).put(b">\r\n");
        if let Some(ours) = parse_address(&state.dialog.local_party) {
            writer.put(b"Referred-By: <").put(ours.uri).put(b">\r\n");
        }
        let (destination, local) = (state.dialog.next_hop(), state.dialog.local);
        // It may do without NOTIFY, if it likes (RFC 4488 §4).
        writer.put(write::ALLOW).put(b"Supported: norefersub\r\n");
        self.put_user_agent(&mut writer);
        writer.body(b"");
        let bytes = Arc::from(writer.into_bytes());
        let opening = self.client_opening(Machine::Client, &branch, b"REFER", Owner::Session(leg), destination, local);
        let Some(transaction) = self.transactions.open(&mut self.ctx, opening, Some(bytes)) else {
            return self.transfer_failed(leg, 503);
        };
        if let Some(state) = self.legs.get_mut(leg) {
            state.transfer = Some(Transfer { transaction, taken: false, cseq });
        }
        self.ctx.alarm_in(self.ctx.config.transfer_ms_max, Alarm::Leg(leg, LegTimer::TransferEnd(cseq)));
    }

    pub(super) fn refer_response(
        &mut self,
        message: &Message<'_>,
        response: &ResponseEssentials<'_>,
        transaction: Key,
        leg: Key,
    ) {
        let Some(state) = self.legs.get_mut(leg) else { return };
        let Some(transfer) = &mut state.transfer.as_mut().filter(|transfer| transfer.transaction == transaction) else {
            return;
        };
        match response.code {
            ..200 => {}
            200..300 => {
                transfer.taken = true;
                let silent = message.first(Header::ReferSub).is_some_and(|value| value.starts_with(b"false"));
                if silent {
                    self.transferred(leg);
                }
            }
            status => self.transfer_failed(leg, status),
        }
    }

    /// Nobody answered the REFER. True when that is what the transaction was.
    pub(super) fn refer_unanswered(&mut self, leg: Key, transaction: Key) -> bool {
        let transfer = self.legs.get(leg).and_then(|state| state.transfer);
        let ours = transfer.is_some_and(|transfer| transfer.transaction == transaction);
        if ours && transfer.is_some_and(|transfer| !transfer.taken) {
            self.transfer_failed(leg, 408);
        }
        ours
    }

    pub(super) fn transfer_end(&mut self, leg: Key, cseq: u32) {
        let transfer = self.legs.get(leg).and_then(|state| state.transfer);
        if transfer.is_some_and(|transfer| transfer.cseq == cseq) {
            self.transfer_failed(leg, 408);
        }
    }

    /// What became of it, as the first line of a response (RFC 3420, RFC 3515 §2.4.5).
    pub(super) fn receive_notify(&mut self, request: &Request<'_, '_>, leg: Key) {
        let message = request.message;
        let event = message.first(Header::Event).unwrap_or_default();
        let package = event.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        if !package.eq_ignore_ascii_case(b"refer") {
            return self.answer_once(request, 489);
        }
        let transfer = self.legs.get_mut(leg).and_then(|state| state.transfer.as_mut());
        let Some(transfer) = transfer else { return self.answer_once(request, 481) };
        // A NOTIFY may be ahead of the 202.
        transfer.taken = true;
        self.answer_once(request, 200);
        let terminated = message
            .first(Header::SubscriptionState)
            .is_some_and(|state| state.get(..10).is_some_and(|word| word.eq_ignore_ascii_case(b"terminated")));
        match fragment_code(request.essentials.body) {
            Some(200..300) => self.transferred(leg),
            Some(status @ 300..) => self.transfer_failed(leg, status),
            // It will say no more (RFC 6665 §4.1.3).
            _ if terminated => self.transfer_failed(leg, 408),
            _ => {}
        }
    }

    fn transferred(&mut self, leg: Key) {
        self.fail(leg, GoneCause::Transferred);
    }

    fn transfer_failed(&mut self, leg: Key, status: u16) {
        let Some(state) = self.legs.get_mut(leg) else { return };
        state.transfer = None;
        if !state.silent {
            self.ctx.say(LegEvent::TransferFailed { leg: state.id, status });
        }
    }
}

impl Leg {
    /// Why the leg is over when the far side says BYE: one that has been given away goes to somebody else.
    pub fn remote_end(&self) -> GoneCause {
        match self.transfer {
            Some(Transfer { taken: true, .. }) => GoneCause::Transferred,
            _ => GoneCause::RemoteHungUp,
        }
    }
}

/// A number belongs to whoever carries the call to us, an extension to us.
fn refer_to(leg: &Leg, target: &Target) -> Option<Vec<u8>> {
    let mut writer = Writer::with_capacity(64);
    match target {
        Target::Address { uri, .. } => _ = writer.put(uri.reveal().as_bytes()),
        Target::Number(user) => {
            writer.put(b"sip:");
            put_escaped(&mut writer, user.reveal());
            writer.put(b"@");
            match sip_uri(&leg.dialog.target).filter(|_| leg.dialog.peer.is_reliable()) {
                // A connection comes from a port to which none can be made.
                Some(SipUri { host, port: Some(port), .. }) => _ = writer.put(host).put(b":").put_display(port),
                Some(SipUri { host, .. }) => _ = writer.put(host),
                None => _ = writer.put_display(leg.dialog.peer.address),
            }
        }
        Target::Extension(user) => {
            writer.put(b"sip:");
            put_escaped(&mut writer, user.reveal());
            writer.put(b"@").put_display(leg.dialog.local);
        }
    }
    let uri = writer.into_bytes();
    crate::message::uri::parse_uri(&uri).is_some().then_some(uri)
}

/// `SIP/2.0 200 OK`, alone or before headers.
fn fragment_code(body: &[u8]) -> Option<u16> {
    let line = body.split(|byte| *byte == b'\n').next()?.trim_ascii();
    let whole = [line, b"\r\n\r\n"].concat();
    match Message::frame(&whole).ok()?.start {
        Start::Response { code } => Some(code),
        Start::Request { .. } => None,
    }
}
