//! What we ask of a dialog that is up: our re-INVITE, its glare and its refusals (RFC 3261 §14.1). It does not know
//! why the session is to change.

use std::sync::Arc;

use runtime_contract::leg::{GoneCause, LegEvent};

use super::Endpoint;
use super::incoming::{is_sdp, put_contact};
use super::legs::{Asked, Phase, Wants};
use super::receive::Arrival;
use crate::context::{Alarm, LegTimer};
use crate::dialog::{Dialog, contact};
use crate::message::reason::Reason;
use crate::message::scan::parse_number;
use crate::message::write;
use crate::message::{Header, Message, Method, ResponseEssentials};
use crate::sdp;
use crate::slab::Key;
use crate::transaction::{Machine, Owner, State};

/// Times in a row that the far side may put us off before a change is given up.
const PUT_OFF_MAX: u8 = 8;
/// Longest that we let it put us off at once.
const RETRY_AFTER_S_MAX: u32 = 10;

impl Endpoint {
    /// Asks for what is wanted, when nothing else is under way (§14.1).
    pub(super) fn ask_next(&mut self, leg: Key) {
        let Some(state) = self.legs.get(leg) else { return };
        let settled = matches!(state.phase, Phase::Up | Phase::Reviving) && !state.silent;
        let free = state.asked.is_none() && state.accepted.is_none() && !state.wants.paused;
        if !settled || !free {
            return;
        }
        match (state.wants.offer, state.wants.refresh) {
            (true, _) => self.ask(leg, false),
            // The session is to stay as it is: without an offer, where the far side knows that (RFC 4028 §7.4).
            (false, true) => self.ask(leg, state.far.update),
            (false, false) => {}
        }
    }

    /// Holds the far side, or takes it back (RFC 3264 §8.4): now, or with the next description that we send.
    pub(super) fn hold(&mut self, leg: Key, on: bool) {
        let Some(state) = self.legs.get_mut(leg) else { return };
        if std::mem::replace(&mut state.holding, on) != on {
            state.wants.offer = !matches!(state.phase, Phase::Incoming { .. });
            self.ask_next(leg);
        }
    }

    fn ask(&mut self, leg: Key, update: bool) {
        let branch = self.next_branch();
        let Some(state) = self.legs.get_mut(leg) else { return };
        let described = state.described.clone();
        let (change, holding) = (state.wants.offer, state.holding);
        let body = match (update, change) {
            (true, _) => Vec::new(),
            (_, true) => state.describe(None).unwrap_or_default(),
            (..) => described.to_vec(),
        };
        let method: &[u8] = if update { b"UPDATE" } else { b"INVITE" };
        let cseq = state.dialog.next_cseq();
        let mut writer = state.dialog.request(method, cseq, &branch);
        put_contact(&mut writer, &state.dialog);
        let (destination, local) = (state.dialog.next_hop(), state.dialog.local);
        writer.put(write::ALLOW).put(write::SUPPORTED);
        if let Some(state) = self.legs.get(leg) {
            self.put_session_wish(&mut writer, state);
        }
        self.put_user_agent(&mut writer);
        writer.body(&body);
        let bytes = Arc::from(writer.into_bytes());
        let machine = if update { Machine::Client } else { Machine::ClientInvite };
        let opening = self.client_opening(machine, &branch, method, Owner::Session(leg), destination, local);
        let Some(transaction) = self.transactions.open(&mut self.ctx, opening, Some(bytes)) else {
            return self.pause(leg, self.ctx.config.t1_ms);
        };
        if !update {
            self.ctx.alarm_in(64 * self.ctx.config.t1_ms, Alarm::Reinvite(transaction));
        }
        if let Some(state) = self.legs.get_mut(leg) {
            state.asked = Some(Asked { transaction, update, offer: !update, change, holding, described });
            state.wants = Wants { offer: false, refresh: false, ..state.wants };
        }
        self.legs.say_dialog(&mut self.ctx, leg);
    }

    /// A response to what we asked within a dialog.
    pub(super) fn session_response(
        &mut self,
        arrival: &Arrival,
        message: &Message<'_>,
        response: &ResponseEssentials<'_>,
        transaction: Key,
        leg: Key,
    ) {
        let code = response.code;
        if code < 200 {
            return;
        }
        if response.cseq_method == Method::Refer {
            return self.refer_response(message, response, transaction, leg);
        }
        if response.cseq_method == Method::Invite && code < 300 {
            self.acknowledge(arrival, message, response, transaction, leg);
        }
        let Some(state) = self.legs.get_mut(leg) else { return };
        let Some(asked) = state.asked.take_if(|asked| asked.transaction == transaction) else { return };
        match code {
            ..300 => self.session_changed(message, response, leg, asked),
            // No such dialog, or nobody there: over, whatever else was agreed (§12.2.1.2, RFC 5057 §5.1).
            404 | 408 | 410 | 416 | 480 | 481 | 482 | 484 | 485 | 502 | 604 => self.fail(leg, GoneCause::Failed),
            491 => {
                let wait_ms = self.glare_ms(leg);
                self.put_off(leg, asked, wait_ms);
            }
            500 | 503 if message.first(Header::RetryAfter).is_some() => {
                let seconds = message.first(Header::RetryAfter).and_then(retry_after_s).unwrap_or(RETRY_AFTER_S_MAX);
                self.put_off(leg, asked, u64::from(seconds.min(RETRY_AFTER_S_MAX)) * 1_000);
            }
            422 if self.legs.get_mut(leg).is_some_and(|state| state.lengthen_session(message)) => {
                self.put_off(leg, asked, 0);
            }
            405 | 501 if asked.update => {
                if let Some(state) = self.legs.get_mut(leg) {
                    state.far.update = false;
                    state.wants.refresh = true;
                }
                self.ask_next(leg);
            }
            _ => self.session_refused(leg, asked),
        }
    }

    /// ACK of a 2xx to our re-INVITE; the same again for a repeated one.
    fn acknowledge(
        &mut self,
        arrival: &Arrival,
        message: &Message<'_>,
        response: &ResponseEssentials<'_>,
        transaction: Key,
        leg: Key,
    ) {
        let tag = self.ctx.entropy.digest(&[b"fork", response.to_tag]);
        if self.transactions.resend_fork_ack(&mut self.ctx, transaction, tag) {
            return;
        }
        let branch = self.next_branch();
        let (mut writer, destination) = match self.legs.get_mut(leg) {
            Some(state) => {
                if let Some(target) = contact(message) {
                    state.dialog.target = target.into();
                }
                (state.dialog.request(b"ACK", response.cseq, &branch), state.dialog.next_hop())
            }
            // The leg is over, and the far side has or gets our BYE; this only stops its repetitions.
            None => {
                let Some(target) = contact(message) else { return };
                let dialog = Dialog::of_response(message, response, target, arrival.source, arrival.local);
                let Some(dialog) = dialog else { return };
                (dialog.request(b"ACK", response.cseq, &branch), dialog.next_hop())
            }
        };
        writer.body(b"");
        self.transactions.keep_fork_ack(&mut self.ctx, transaction, tag, destination, writer.into_bytes().into());
    }

    fn session_changed(&mut self, message: &Message<'_>, response: &ResponseEssentials<'_>, leg: Key, asked: Asked) {
        let Some(state) = self.legs.get_mut(leg) else { return };
        state.wants.put_off = 0;
        state.far.read(message);
        if asked.offer {
            match sdp::parse(response.body, state.dialog.local.ip()) {
                Ok(remote) if is_sdp(message) => state.settle(remote),
                // It was only asked whether it is there.
                _ if !asked.change && state.phase == Phase::Up => {}
                _ => return self.fail(leg, GoneCause::NoCommonMedia),
            }
        }
        if asked.change {
            state.held = asked.holding;
        }
        let revived = state.phase == Phase::Reviving;
        if revived {
            state.phase = Phase::Up;
        }
        let id = state.id;
        self.begin_session(leg, Self::agreed_session(message));
        self.say_media(leg);
        self.legs.say_dialog(&mut self.ctx, leg);
        if revived {
            self.ctx.say(LegEvent::Up { leg: id });
        }
        self.ask_next(leg);
    }

    /// The session stays as it was (§14.1); one that was to come back has not.
    fn session_refused(&mut self, leg: Key, asked: Asked) {
        let Some(state) = self.legs.get_mut(leg) else { return };
        state.wants.put_off = 0;
        if asked.change {
            state.described = asked.described;
            state.holding = state.held;
        }
        match state.phase {
            Phase::Reviving => self.fail(leg, GoneCause::Failed),
            _ => {
                // Whoever refuses is there.
                if state.session.is_none() {
                    self.begin_session(leg, None);
                }
                self.ask_next(leg);
            }
        }
    }

    fn put_off(&mut self, leg: Key, asked: Asked, wait_ms: u64) {
        let Some(state) = self.legs.get_mut(leg) else { return };
        state.wants.put_off += 1;
        if state.wants.put_off > PUT_OFF_MAX {
            return self.session_refused(leg, asked);
        }
        state.wants.offer |= asked.change;
        state.wants.refresh |= !asked.change;
        self.pause(leg, wait_ms);
    }

    /// Nothing is asked for before the alarm.
    fn pause(&mut self, leg: Key, wait_ms: u64) {
        if let Some(state) = self.legs.get_mut(leg) {
            state.wants.paused = true;
            self.ctx.alarm_in(wait_ms, Alarm::Leg(leg, LegTimer::AskAgain));
        }
    }

    /// Who made the Call-ID waits longer, so that both do not ask at once again (§14.1).
    fn glare_ms(&mut self, leg: Key) -> u64 {
        let chance = self.ctx.entropy.next_number();
        match self.legs.get(leg) {
            Some(state) if state.placed => 2_100 + chance % 191 * 10,
            _ => chance % 201 * 10,
        }
    }

    /// No response at all to what we asked: the dialog is over (§12.2.1.2).
    pub(super) fn session_unanswered(&mut self, leg: Key, transaction: Key) {
        if self.refer_unanswered(leg, transaction) {
            return;
        }
        let asked = self.legs.get(leg).and_then(|state| state.asked.as_ref());
        if asked.is_some_and(|asked| asked.transaction == transaction) {
            self.fail(leg, GoneCause::Failed);
        }
    }

    /// A far side that answers with provisional responses alone has had its time, too.
    pub(super) fn reinvite_unanswered(&mut self, transaction: Key) {
        let Some(found) = self.transactions.get(transaction) else { return };
        if !matches!(found.state(), State::Calling | State::Proceeding) {
            return;
        }
        let owner = found.owner();
        self.transactions.remove(transaction);
        if let Owner::Session(leg) = owner {
            self.session_unanswered(leg, transaction);
        }
    }

    /// Says why the leg is over, and BYE to the far side.
    pub(super) fn fail(&mut self, leg: Key, cause: GoneCause) {
        let why = (cause == GoneCause::NoCommonMedia).then_some(Reason::NO_MEDIA);
        self.legs.gone(&mut self.ctx, leg, cause);
        self.end_dialog(leg, why);
    }

    pub(super) fn fail_because(&mut self, leg: Key, cause: GoneCause, why: Reason) {
        self.legs.gone(&mut self.ctx, leg, cause);
        self.end_dialog(leg, Some(why));
    }
}

/// `120 (in a meeting);duration=3600`: the seconds.
fn retry_after_s(value: &[u8]) -> Option<u32> {
    let end = value.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(value.len());
    parse_number(value.get(..end)?)
}
