//! What we ask of trunks when nobody calls: REGISTER, so that they call us (RFC 3261 §10.2), and OPTIONS, whether they
//! are there (§11). It places no calls.

use std::sync::Arc;

use super::Endpoint;
use super::incoming::put_contact_of;
use crate::Output;
use crate::context::{Alarm, TrunkTimer};
use crate::dialog::Dialog;
use crate::message::scan::{Params, find_outside, parse_number};
use crate::message::write;
use crate::message::{Header, Message};
use crate::site::{Site, Trunk};
use crate::transaction::{Machine, Owner};
use crate::transport::Hop;
use crate::trunks::{RETRY_S, RETRY_S_MAX, TrunkId, TrunkState, why};

/// Longest registration that a trunk may talk us into (423).
const EXPIRES_S_MAX: u32 = 86_400;
/// A registration is repeated so long before it ends, or at half its time when that is shorter.
const EARLY_S: u32 = 60;

impl Endpoint {
    /// Trunks that are new or other than before begin anew; those that are gone are left.
    pub(super) fn take_site(&mut self, site: Arc<Site>) {
        let before = std::mem::replace(&mut self.ctx.site, Arc::clone(&site));
        for id in self.trunks.ids() {
            let Some(name) = self.trunks.get(id).map(|state| state.name.clone()) else { continue };
            let (old, new) = (before.trunk(&name), site.trunk(&name));
            if let Some(old) = old.filter(|old| !new.is_some_and(|new| new.is_as(old))) {
                self.leave(id, old);
            }
            if new.is_none() {
                self.trunks.remove(id);
            }
        }
        for trunk in &site.trunks {
            let (known, old) = (self.trunks.find(&trunk.name), before.trunk(&trunk.name));
            if let (Some(state), Some(old)) = (known.and_then(|id| self.trunks.get_mut(id)), old) {
                state.replaced(old, trunk);
            }
            if known.is_some() && old.is_some_and(|old| old.is_as(trunk)) {
                continue;
            }
            let id = known.unwrap_or_else(|| {
                let (call_id, tag) = (self.ctx.entropy.next_token(), self.ctx.entropy.next_token());
                self.trunks.add(TrunkState::new(&trunk.name, call_id.as_bytes().into(), tag.as_bytes().into()))
            });
            self.begin_trunk(id, trunk);
        }
        self.expire_bindings();
    }

    fn begin_trunk(&mut self, id: TrunkId, trunk: &Trunk) {
        let Some(state) = self.trunks.get_mut(id) else { return };
        state.epoch = state.epoch.wrapping_add(1);
        (state.registered, state.answers, state.asked, state.failures) = (None, None, false, 0);
        state.expires_s = trunk.register_s.unwrap_or(0);
        let epoch = state.epoch;
        if !trunk.addresses.is_empty() && !self.draining {
            for (wanted, timer) in [(trunk.register_s, TrunkTimer::Register), (trunk.probe_s, TrunkTimer::Probe)] {
                if wanted.is_some() {
                    self.ctx.alarm_in(0, Alarm::Trunk(id, epoch, timer));
                }
            }
        }
        self.judge_trunk(id);
    }

    /// The registration that we have there ends.
    fn leave(&mut self, id: TrunkId, trunk: &Trunk) {
        let Some(state) = self.trunks.get_mut(id) else { return };
        if state.registered.take() == Some(true) {
            let epoch = state.epoch;
            self.send_register(id, trunk, 0, Owner::Register(id, epoch));
        }
    }

    pub(super) fn leave_trunks(&mut self) {
        let site = Arc::clone(&self.ctx.site);
        for id in self.trunks.ids() {
            let Some(trunk) = self.trunks.get(id).and_then(|state| site.trunk(&state.name)) else { continue };
            self.leave(id, trunk);
            // What is due, and what is answered from now on, is of no interest.
            if let Some(state) = self.trunks.get_mut(id) {
                state.epoch = state.epoch.wrapping_add(1);
            }
        }
    }

    pub(super) fn trunk_timer(&mut self, id: TrunkId, epoch: u32, timer: TrunkTimer) {
        let site = Arc::clone(&self.ctx.site);
        let Some(state) = self.trunks.get_mut(id).filter(|state| state.epoch == epoch) else { return };
        let Some(trunk) = site.trunk(&state.name) else { return };
        match timer {
            TrunkTimer::Register => {
                let expires_s = state.expires_s;
                self.send_register(id, trunk, expires_s, Owner::Register(id, epoch));
            }
            TrunkTimer::Probe => {
                let silent = std::mem::replace(&mut state.asked, true);
                if silent {
                    self.trunk_answers(id, false, "it does not answer OPTIONS");
                }
                self.send_options(id, trunk, epoch);
                let pause_ms = u64::from(trunk.probe_s.unwrap_or(EXPIRES_S_MAX)) * 1_000;
                self.ctx.alarm_in(pause_ms, Alarm::Trunk(id, epoch, timer));
            }
        }
    }

    /// A request to a trunk outside calls. `None` where it has no address.
    fn trunk_dialog(&mut self, id: TrunkId, trunk: &Trunk) -> Option<Dialog> {
        let hop = Hop { pinned: true, ..Hop::new(*trunk.addresses.first()?, trunk.transport) };
        let state = self.trunks.get_mut(id)?;
        let user = trunk.account.as_ref().map_or("strowger", |account| account.user.as_str());
        let user = user.split('@').next().unwrap_or(user);
        let party = format!("<sip:{user}@{}>", trunk.host);
        let tag = &state.tag;
        Some(Dialog {
            call_id: state.call_id.as_slice().into(),
            local_party: [party.as_bytes(), b";tag=", tag].concat().into(),
            remote_party: party.into_bytes().into(),
            local_tag: tag.as_slice().into(),
            remote_tag: Box::default(),
            target: format!("sip:{}", trunk.host).into_bytes().into(),
            routes: Vec::new(),
            local_cseq: state.next_cseq(),
            remote_cseq: 0,
            peer: hop,
            local: self.ctx.config.local,
        })
    }

    fn send_register(&mut self, id: TrunkId, trunk: &Trunk, expires_s: u32, owner: Owner) {
        let Some(dialog) = self.trunk_dialog(id, trunk) else { return };
        let branch = self.next_branch();
        let mut writer = dialog.request(b"REGISTER", dialog.local_cseq, &branch);
        let user = trunk.account.as_ref().map(|account| account.user.split('@').next().unwrap_or_default());
        put_contact_of(&mut writer, user.unwrap_or_default(), &dialog);
        writer.put(b"Expires: ").put_number(expires_s).put(b"\r\n");
        self.put_user_agent(&mut writer);
        writer.body(b"");
        let bytes = Arc::from(writer.into_bytes());
        let opening = self.client_opening(Machine::Client, &branch, b"REGISTER", owner, dialog.peer, dialog.local);
        if self.transactions.open(&mut self.ctx, opening, Some(bytes)).is_none()
            && let Owner::Register(id, epoch) = owner
        {
            self.register_failed(id, epoch, None, "too many transactions are open");
        }
    }

    fn send_options(&mut self, id: TrunkId, trunk: &Trunk, epoch: u32) {
        let Some(mut dialog) = self.trunk_dialog(id, trunk) else { return };
        dialog.call_id = self.ctx.entropy.next_token().as_bytes().into();
        let branch = self.next_branch();
        let mut writer = dialog.request(b"OPTIONS", dialog.local_cseq, &branch);
        writer.put(write::ACCEPT);
        self.put_user_agent(&mut writer);
        writer.body(b"");
        let bytes = Arc::from(writer.into_bytes());
        let owner = Owner::Probe(id, epoch);
        let opening = self.client_opening(Machine::Client, &branch, b"OPTIONS", owner, dialog.peer, dialog.local);
        self.transactions.open(&mut self.ctx, opening, Some(bytes));
    }

    pub(super) fn register_response(&mut self, id: TrunkId, epoch: u32, message: &Message<'_>, code: u16) {
        let Some(state) = self.trunks.get_mut(id).filter(|state| state.epoch == epoch) else { return };
        match code {
            ..200 => {}
            200..300 => {
                let granted_s =
                    granted(message, self.ctx.config.local.to_string().as_bytes()).unwrap_or(state.expires_s);
                (state.registered, state.failures) = (Some(true), 0);
                let again_s = if granted_s > 2 * EARLY_S { granted_s - EARLY_S } else { (granted_s / 2).max(1) };
                self.ctx.alarm_in(u64::from(again_s) * 1_000, Alarm::Trunk(id, epoch, TrunkTimer::Register));
                self.judge_trunk(id);
            }
            423 => {
                let wanted = message.first(Header::MinExpires).and_then(parse_number);
                match wanted.filter(|wanted| (state.expires_s + 1..=EXPIRES_S_MAX).contains(wanted)) {
                    Some(wanted) => {
                        state.expires_s = wanted;
                        self.trunk_timer(id, epoch, TrunkTimer::Register);
                    }
                    None => {
                        self.register_failed(id, epoch, None, "it refuses to register us for so short a time (423)")
                    }
                }
            }
            code => {
                let after_s = message.first(Header::RetryAfter).and_then(|value| {
                    parse_number(value.split(|byte| !byte.is_ascii_digit()).next().unwrap_or_default())
                });
                let why = match code {
                    401 | 403 | 407 => format!("it refuses our user or password ({code})"),
                    code => format!("it refuses to register us ({code})"),
                };
                self.register_failed(id, epoch, after_s, &why);
            }
        }
    }

    pub(super) fn register_failed(&mut self, id: TrunkId, epoch: u32, after_s: Option<u32>, why: &str) {
        let Some(state) = self.trunks.get_mut(id).filter(|state| state.epoch == epoch) else { return };
        state.registered = Some(false);
        state.why = why.to_owned();
        let pause_s = (RETRY_S << state.failures.min(10)).min(RETRY_S_MAX);
        state.failures = state.failures.saturating_add(1);
        let pause_s = after_s.map_or(pause_s, |after_s| u64::from(after_s).clamp(RETRY_S, RETRY_S_MAX));
        // Those that failed together shall not come back together.
        let scatter_ms = self.ctx.entropy.next_number() % 5_000;
        self.ctx.alarm_in(pause_s * 1_000 + scatter_ms, Alarm::Trunk(id, epoch, TrunkTimer::Register));
        self.judge_trunk(id);
    }

    /// Any answer says that somebody is there, but those that a proxy gives for somebody who is not.
    pub(super) fn probe_response(&mut self, id: TrunkId, epoch: u32, code: u16) {
        let current = self.trunks.get(id).is_some_and(|state| state.epoch == epoch);
        match code {
            _ if !current => {}
            ..200 => {}
            408 | 503 => self.trunk_answers(id, false, &format!("it answers OPTIONS with {code}")),
            _ => self.trunk_answers(id, true, ""),
        }
    }

    pub(super) fn probe_failed(&mut self, id: TrunkId, epoch: u32) {
        if self.trunks.get(id).is_some_and(|state| state.epoch == epoch) {
            self.trunk_answers(id, false, "it does not answer OPTIONS");
        }
    }

    fn trunk_answers(&mut self, id: TrunkId, answers: bool, why: &str) {
        let Some(state) = self.trunks.get_mut(id) else { return };
        // The first silence may be a lost answer that still comes.
        state.asked &= !answers;
        state.answers = Some(answers);
        if !answers {
            state.why = why.to_owned();
        }
        self.judge_trunk(id);
    }

    /// Says when a trunk goes up or down.
    fn judge_trunk(&mut self, id: TrunkId) {
        let site = Arc::clone(&self.ctx.site);
        let Some(state) = self.trunks.get_mut(id) else { return };
        let Some(trunk) = site.trunk(&state.name) else { return };
        let Some(up) = state.is_up(trunk) else { return };
        // Where nothing is asked, nothing is known.
        let known = !up || trunk.register_s.is_some() || trunk.probe_s.is_some();
        if known && state.said != Some(up) {
            state.said = Some(up);
            let why = if up { String::new() } else { why(trunk, Some(state)) };
            self.ctx.outputs.push_back(Output::Trunk { name: state.name.clone(), up, why });
        }
    }
}

/// Seconds for which we are registered: `expires` of our Contact, else the header (§10.2.4).
fn granted(message: &Message<'_>, local: &[u8]) -> Option<u32> {
    let header = message.first(Header::Expires).and_then(parse_number);
    let ours = message.values(Header::Contact).find(|value| value.windows(local.len()).any(|part| part == local));
    let params = ours.and_then(|value| value.get(find_outside(value, b';')?..)).unwrap_or_default();
    Params::new(params).get(b"expires").and_then(parse_number).or(header)
}
