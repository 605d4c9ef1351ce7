//! What the exchange wants of a leg, and how dialogs are ended from here.

use std::net::SocketAddr;
use std::sync::Arc;

use runtime_contract::leg::{GoneCause, LegCommand, LegEvent, RejectCause, Target};

use super::Endpoint;
use super::legs::Phase;
use super::placing::{Caller, Placing};
use crate::dialog::Dialog;
use crate::message::reason::Reason;
use crate::message::uri::{Uri, parse_uri};
use crate::slab::Key;
use crate::transaction::{Machine, Opening, Owner};
use crate::transport::{Hop, Transport};

impl Endpoint {
    pub(super) fn command(&mut self, command: LegCommand) {
        if self.command_hunt(&command) {
            return;
        }
        match command {
            LegCommand::Dial { leg, target, from, ring_ms, media } => {
                let from = from.as_ref().map(|from| from.reveal().as_str());
                match target {
                    Target::Address { uri, peer } => {
                        let caller = Caller::new(from, self.ctx.config.local);
                        let target = uri.reveal();
                        let peer = Hop::new(peer, asked_transport(target));
                        self.dial(Placing { leg, target, peer, caller, ring_ms, media });
                    }
                    Target::Number(number) => self.dial_number(leg, number.reveal(), from, ring_ms, media),
                    Target::Extension(extension) => {
                        self.dial_extension(leg, extension.reveal(), from, ring_ms, media);
                    }
                }
            }
            LegCommand::Transfer { leg, target } => {
                if let Some(leg) = self.legs.by_id(leg) {
                    self.transfer(leg, &target);
                }
            }
            LegCommand::Revive { leg, dialog, media } => self.revive(leg, dialog.reveal(), media),
            // What is written goes by other ways.
            LegCommand::Write { leg, .. } => self.ctx.say(LegEvent::Gone { leg, cause: GoneCause::Unreachable }),
            LegCommand::Ring { leg } => {
                if let Some((leg, invite)) = self.find_incoming(leg) {
                    self.ring(leg, invite);
                }
            }
            LegCommand::Progress { leg, media } => {
                if let Some((leg, invite)) = self.find_incoming(leg) {
                    self.progress(leg, invite, media);
                }
            }
            LegCommand::Hold { leg, on } => {
                if let Some(leg) = self.legs.by_id(leg) {
                    self.hold(leg, on);
                }
            }
            LegCommand::Answer { leg, media } => {
                if let Some((leg, invite)) = self.find_incoming(leg) {
                    self.answer(leg, invite, media);
                }
            }
            LegCommand::Reject { leg, cause } => {
                if let Some((leg, invite)) = self.find_incoming(leg) {
                    self.reject(leg, invite, status_of(cause));
                }
            }
            LegCommand::HangUp { leg } => {
                if let Some(leg) = self.legs.by_id(leg) {
                    self.hang_up(leg);
                }
            }
        }
    }

    fn find_incoming(&self, id: runtime_contract::leg::LegId) -> Option<(Key, Key)> {
        let leg = self.legs.by_id(id)?;
        match self.legs.get(leg)?.phase {
            Phase::Incoming { invite } => Some((leg, invite)),
            _ => None,
        }
    }

    pub(super) fn answer(&mut self, leg: Key, invite: Key, media: SocketAddr) {
        let Some(host) = self.legs.get(leg).map(|leg| leg.dialog.peer.ip()) else { return };
        // Many may have come in before the first was answered.
        if self.is_owed_too_many(host) {
            self.unacknowledged_refused += 1;
            return self.turn_away(leg, invite, 503, GoneCause::Failed);
        }
        let Some(state) = self.legs.get_mut(leg) else { return };
        let moved = state.local_media.replace(media).is_some_and(|before| before != media);
        if self.answer_must_wait(leg) {
            return;
        }
        self.legs.set_answered(leg);
        let Some(state) = self.legs.get_mut(leg) else { return };
        state.held = state.holding;
        if state.reliable.agreed {
            // Another address than that of the provisional response must be offered anew.
            state.wants.offer |= moved;
            self.accept(leg, invite, b"", false);
        } else {
            let offered = state.remote.is_none();
            let Some(body) = state.describe_back() else { return };
            self.accept(leg, invite, &body, offered);
        }
        self.say_media(leg);
    }

    fn reject(&mut self, leg: Key, invite: Key, code: u16) {
        self.turn_away(leg, invite, code, GoneCause::LocalHungUp);
    }

    pub(super) fn turn_away(&mut self, leg: Key, invite: Key, code: u16, cause: GoneCause) {
        self.respond_plain(leg, invite, code);
        self.legs.gone(&mut self.ctx, leg, cause);
        self.legs.remove(leg);
    }

    fn hang_up(&mut self, leg: Key) {
        let Some(state) = self.legs.get(leg) else { return };
        match state.phase {
            Phase::Incoming { invite } => self.reject(leg, invite, 480),
            // BYE must wait for the ACK (RFC 3261 §15).
            Phase::Answered => self.legs.gone(&mut self.ctx, leg, GoneCause::LocalHungUp),
            Phase::Calling { .. } => {
                self.legs.gone(&mut self.ctx, leg, GoneCause::LocalHungUp);
                self.give_up(leg, None);
            }
            Phase::Up | Phase::Reviving => {
                self.legs.gone(&mut self.ctx, leg, GoneCause::LocalHungUp);
                self.end_dialog(leg, None);
            }
            Phase::Cancelling { .. } | Phase::EndedEarly { .. } => {}
        }
    }

    /// Takes the leg out and says BYE to the far side.
    pub(super) fn end_dialog(&mut self, leg: Key, why: Option<Reason>) {
        if let Some(mut leg) = self.legs.remove(leg) {
            self.send_bye(&mut leg.dialog, why);
        }
    }

    /// BYE in a transaction of its own; until that ends, the far side's BYE may cross it.
    pub(super) fn send_bye(&mut self, dialog: &mut Dialog, why: Option<Reason>) {
        let branch = self.next_branch();
        let cseq = dialog.next_cseq();
        let mut writer = dialog.request(b"BYE", cseq, &branch);
        if let Some(why) = why {
            why.put(&mut writer);
        }
        self.put_user_agent(&mut writer);
        writer.body(b"");
        let bytes: Arc<[u8]> = writer.into_bytes().into();
        let digest = dialog.digest(&self.ctx.entropy);
        let opening = self.client_opening(
            Machine::Client,
            &branch,
            b"BYE",
            Owner::Closing(digest, dialog.peer.ip()),
            dialog.next_hop(),
            dialog.local,
        );
        let (destination, local) = (opening.destination, opening.local);
        match self.transactions.open(&mut self.ctx, opening, Some(Arc::clone(&bytes))) {
            Some(_) => self.legs.set_closing(digest),
            // No room to repeat it: once is better than never.
            None => self.ctx.send(destination, local, &bytes),
        }
    }

    pub(super) fn client_opening(
        &self,
        machine: Machine,
        branch: &[u8],
        method: &[u8],
        owner: Owner,
        destination: Hop,
        local: SocketAddr,
    ) -> Opening {
        let key = self.ctx.entropy.digest(&[b"client", branch, method]);
        Opening { machine, key, owner, destination, local, merge: None }
    }

    pub(super) fn next_branch(&mut self) -> Vec<u8> {
        [crate::message::via::MAGIC_COOKIE, self.ctx.entropy.next_token().as_bytes()].concat()
    }

    pub(super) fn put_user_agent(&self, writer: &mut crate::message::write::Writer) {
        writer.header(b"User-Agent", self.ctx.config.user_agent.as_bytes());
    }
}

/// What a URI says of its transport (RFC 3263 §4.1 for an address).
fn asked_transport(uri: &str) -> Transport {
    match parse_uri(uri.as_bytes()) {
        Some(Uri::Sip(uri)) => uri.transport().unwrap_or(Transport::Udp),
        _ => Transport::Udp,
    }
}

fn status_of(cause: RejectCause) -> u16 {
    match cause {
        RejectCause::Busy => 486,
        RejectCause::Declined => 603,
        RejectCause::Unavailable => 480,
        RejectCause::Overloaded => 503,
        RejectCause::NoSuchNumber => 404,
        RejectCause::NotAllowed => 403,
        RejectCause::NotAcceptable => 488,
    }
}
