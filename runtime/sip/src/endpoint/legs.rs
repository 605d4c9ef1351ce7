//! Legs and the two ways to find one: by the exchange's id, and by the dialog of a message.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasherDefault;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use runtime_contract::Redacted;
use runtime_contract::leg::{GoneCause, LegEvent, LegId, MediaSpec};
use runtime_contract::time::Tick;

use super::early::Early;
use super::provisional::Reliable;
use super::redirect::Placed;
use super::session_timer::SessionClock;
use super::snapshot;
use super::transfer::Transfer;
use crate::context::Context;
use crate::dialog::Dialog;
use crate::entropy::{Digest, DigestHasher, DigestMap};
use crate::message::reason::Reason;
use crate::message::{Header, Message};
use crate::sdp::{self, Origin, Ours, Remote, Settled};
use crate::slab::{Key, Slab};
use crate::transport::{ConnectionId, Hop, network};

/// One side of one call, and the dialog that carries it.
pub struct Leg {
    pub id: LegId,
    /// The exchange was told `Gone`: no event follows, only SIP that is still owed.
    pub silent: bool,
    pub phase: Phase,
    pub dialog: Dialog,
    pub dialog_digest: Digest,
    /// We sent the INVITE that made it, and so own the Call-ID.
    pub placed: bool,
    pub far: Far,
    /// Response head of the INVITE that waits for our answer, and its CSeq.
    pub head: Vec<u8>,
    pub invite_cseq: u32,
    /// The far side's last description.
    pub remote: Option<Remote>,
    pub settled: Option<Settled>,
    /// Our RTP address, once known.
    pub local_media: Option<SocketAddr>,
    /// What was last said in `LegEvent::Media`.
    pub media: Option<MediaSpec>,
    pub origin: Origin,
    /// Our last description, whole.
    pub described: Box<[u8]>,
    /// We want to hear nothing of the far side.
    pub holding: bool,
    /// What of that it has agreed to.
    pub held: bool,
    /// What its INVITE was made of, until it is answered.
    pub placing: Option<Box<Placed>>,
    /// Dialogs of an INVITE of ours that is not answered yet.
    pub early: Vec<Early>,
    /// Provisional responses of ours that want a PRACK.
    pub reliable: Reliable,
    /// 2xx that waits for its ACK.
    pub accepted: Option<Box<Accepted>>,
    /// Our re-INVITE or UPDATE that waits for its final response.
    pub asked: Option<Asked>,
    pub wants: Wants,
    /// It is being given away.
    pub transfer: Option<Transfer>,
    pub session: Option<Session>,
    pub clock: SessionClock,
    /// Shortest session that somebody on the way agrees to, in seconds (RFC 4028 §7.4).
    pub interval_s_min: u32,
    /// Count of 2xx and of ringing rounds, so that overtaken alarms are known.
    pub round: u32,
    /// Essence of the snapshot that was last said, and its CSeq.
    pub kept: (Digest, u32),
}

impl Leg {
    pub fn new(id: LegId, phase: Phase, dialog: Dialog, dialog_digest: Digest, origin: Origin) -> Self {
        Self {
            id,
            silent: false,
            phase,
            dialog,
            dialog_digest,
            placed: false,
            far: Far::default(),
            head: Vec::new(),
            invite_cseq: 0,
            remote: None,
            settled: None,
            local_media: None,
            media: None,
            origin,
            described: Box::default(),
            holding: false,
            held: false,
            placing: None,
            early: Vec::new(),
            reliable: Reliable::default(),
            accepted: None,
            asked: None,
            wants: Wants::default(),
            transfer: None,
            session: None,
            clock: SessionClock::default(),
            interval_s_min: 0,
            round: 0,
            kept: (0, 0),
        }
    }

    /// Our description as it is now: the answer to `remote`, or an offer. The version in `o=` grows when anything
    /// differs from the last one (RFC 3264 §8). `None` without an address for media.
    pub fn describe(&mut self, remote: Option<&Remote>) -> Option<Vec<u8>> {
        let ours = Ours { local: self.local_media?, origin: self.origin, holding: self.holding };
        let write = |ours: &Ours| match remote {
            Some(remote) => sdp::answer(remote, ours),
            None => sdp::offer(ours, self.settled),
        };
        let same = write(&ours);
        if *same == *self.described {
            return Some(same);
        }
        self.origin.version += 1;
        let changed = write(&Ours { origin: self.origin, ..ours });
        self.described = changed.as_slice().into();
        Some(changed)
    }

    /// What we say to the far side's last description: the answer to it, or an offer where it has sent none.
    pub fn describe_back(&mut self) -> Option<Vec<u8>> {
        let remote = self.remote.take();
        let body = self.describe(remote.as_ref());
        self.remote = remote;
        body
    }

    /// The far side's description counts from now on.
    pub fn settle(&mut self, remote: Remote) {
        self.settled = Some(remote.settled());
        self.remote = Some(remote);
    }

    /// An offer of ours has no answer yet (RFC 3261 §14.1).
    pub fn awaits_answer(&self) -> bool {
        self.asked.as_ref().is_some_and(|asked| asked.offer)
            || self.accepted.as_ref().is_some_and(|accepted| accepted.offered)
            || self.reliable.awaits_answer()
    }
}

/// What the far side said that it can.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Far {
    /// UPDATE (RFC 3311), by its Allow.
    pub update: bool,
    /// Session timers (RFC 4028), by its Supported.
    pub timer: bool,
}

impl Far {
    /// From any request or response of its; what it does not mention it can no more (RFC 3311 §5.1).
    pub fn read(&mut self, message: &Message<'_>) {
        if message.first(Header::Allow).is_some() {
            self.update = message.values(Header::Allow).any(|method| method == b"UPDATE");
        }
        self.timer = message.values(Header::Supported).any(|tag| tag.eq_ignore_ascii_case(b"timer"));
    }
}

/// A session timer that was agreed (RFC 4028).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    pub interval_s: u32,
    /// We refresh.
    pub ours: bool,
}

/// A change of the session that we asked the far side for.
pub struct Asked {
    pub transaction: Key,
    /// UPDATE, not INVITE.
    pub update: bool,
    /// It carries an offer.
    pub offer: bool,
    /// The offer changes something.
    pub change: bool,
    pub holding: bool,
    /// Our description before, should this one be refused.
    pub described: Box<[u8]>,
}

/// What we are to ask the far side for, as soon as nothing is under way.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wants {
    /// Offer our media anew.
    pub offer: bool,
    /// Say that the session goes on (RFC 4028 §7.4).
    pub refresh: bool,
    /// Not before an alarm: the far side asked at the same time, or is not ready.
    pub paused: bool,
    /// Times that the far side put us off, one after the other.
    pub put_off: u8,
}

/// Where the INVITE that made the leg stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Came in, not answered. Its server transaction.
    Incoming {
        invite: Key,
    },
    /// We sent 2xx, the ACK is due.
    Answered,
    /// We sent it. Its client transaction, and whether a provisional response came.
    Calling {
        invite: Key,
        provisional: bool,
    },
    /// We gave it up: CANCEL is sent, or due with the first provisional response (RFC 3261 §9.1).
    Cancelling {
        invite: Key,
        sent: bool,
        why: Option<Reason>,
    },
    /// The far side's BYE came before its 2xx, which was lost or overtaken on the way.
    EndedEarly {
        invite: Key,
    },
    Up,
    /// Taken up from another process; our re-INVITE has no answer yet.
    Reviving,
}

/// A 2xx of ours, repeated until it is acknowledged (RFC 3261 §13.3.1.4).
pub struct Accepted {
    pub bytes: Arc<[u8]>,
    pub destination: Hop,
    pub cseq: u32,
    pub wait_ms: u64,
    pub give_up: Tick,
    /// It carried our offer: the ACK has the answer.
    pub offered: bool,
}

/// What a message's dialog leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    Leg(Key),
    /// Over, but our BYE is still on its way: the far side may cross it with its own.
    Closing,
}

pub struct Legs {
    slab: Slab<Leg>,
    by_id: HashMap<u64, Key, BuildHasherDefault<DigestHasher>>,
    by_dialog: DigestMap<Found>,
    /// Legs in `Phase::Answered` by the [`network`] that the INVITE came from; none has 0.
    unacknowledged: BTreeMap<IpAddr, usize>,
    next_id: u64,
}

impl Legs {
    pub fn new(first: u64) -> Self {
        Self {
            slab: Slab::default(),
            by_id: HashMap::default(),
            by_dialog: DigestMap::default(),
            unacknowledged: BTreeMap::new(),
            next_id: first,
        }
    }

    pub fn len(&self) -> usize {
        self.slab.len()
    }

    pub fn next_id(&mut self) -> LegId {
        let id = self.next_id;
        self.next_id = id.wrapping_add(1);
        LegId(id)
    }

    pub fn insert(&mut self, leg: Leg) -> Key {
        let (id, digest) = (leg.id, leg.dialog_digest);
        let key = self.slab.insert(leg);
        self.by_id.insert(id.0, key);
        self.by_dialog.insert(digest, Found::Leg(key));
        key
    }

    pub fn by_id(&self, id: LegId) -> Option<Key> {
        self.by_id.get(&id.0).copied()
    }

    pub fn by_dialog(&self, digest: Digest) -> Option<Found> {
        self.by_dialog.get(&digest).copied()
    }

    pub fn get(&self, key: Key) -> Option<&Leg> {
        self.slab.get(key)
    }

    pub fn get_mut(&mut self, key: Key) -> Option<&mut Leg> {
        self.slab.get_mut(key)
    }

    /// One leg takes another's place.
    pub fn rename(&mut self, from: LegId, to: LegId) {
        if let Some(key) = self.by_id.remove(&from.0) {
            self.by_id.insert(to.0, key);
            if let Some(leg) = self.slab.get_mut(key) {
                leg.id = to;
            }
        }
    }

    /// Legs that never expire and are to be asked now whether they are still there, at most so many; each is told once. One
    /// that was given away is on its way out.
    pub fn unexpiring(&mut self, now: Tick, count: usize) -> Vec<Key> {
        let keys = self.by_id.values().copied();
        let asked = keys.filter(|key| {
            let leg = self.slab.get_mut(*key).filter(|leg| leg.phase == Phase::Up && leg.transfer.is_none());
            leg.is_some_and(|leg| {
                let ask = leg.clock.is_to_be_asked(now);
                leg.wants.refresh |= ask;
                ask
            })
        });
        asked.take(count).collect()
    }

    /// Those over which legs speak.
    pub fn connections(&self) -> impl Iterator<Item = ConnectionId> {
        self.slab.values().filter_map(|leg| leg.dialog.peer.connection())
    }

    /// Legs of this host that wait for the ACK of the 2xx that answered them.
    pub fn unacknowledged(&self, host: IpAddr) -> usize {
        self.unacknowledged.get(&network(host)).copied().unwrap_or(0)
    }

    pub fn unacknowledged_total(&self) -> usize {
        self.unacknowledged.values().sum()
    }

    /// Our 2xx goes out. INVARIANT (unacknowledged): phase `Answered` is entered here and left here or by `remove`.
    pub fn set_answered(&mut self, key: Key) {
        if let Some(leg) = self.slab.get_mut(key) {
            leg.phase = Phase::Answered;
            *self.unacknowledged.entry(network(leg.dialog.peer.ip())).or_default() += 1;
        }
    }

    /// The ACK came; true when it was the one that makes the leg.
    pub fn set_acknowledged(&mut self, key: Key) -> bool {
        let Some(leg) = self.slab.get_mut(key).filter(|leg| leg.phase == Phase::Answered) else { return false };
        leg.phase = Phase::Up;
        let host = leg.dialog.peer.ip();
        self.count_acknowledged(host);
        true
    }

    fn count_acknowledged(&mut self, host: IpAddr) {
        let host = network(host);
        if let Some(count) = self.unacknowledged.get_mut(&host) {
            *count -= 1;
            if *count == 0 {
                self.unacknowledged.remove(&host);
            }
        }
    }

    /// The 2xx named the far side's tag: from now on the leg is found by the whole dialog.
    pub fn set_dialog(&mut self, key: Key, dialog: Dialog, digest: Digest) {
        if let Some(leg) = self.slab.get_mut(key) {
            self.by_dialog.remove(&leg.dialog_digest);
            leg.dialog = dialog;
            leg.dialog_digest = digest;
            self.by_dialog.insert(digest, Found::Leg(key));
        }
    }

    /// Says `Gone`, unless it was said, and lets the id be used no more. The leg may stay for what SIP owes.
    pub fn gone(&mut self, ctx: &mut Context, key: Key, cause: GoneCause) {
        if let Some(leg) = self.slab.get_mut(key)
            && !std::mem::replace(&mut leg.silent, true)
        {
            self.by_id.remove(&leg.id.0);
            ctx.say(LegEvent::Gone { leg: leg.id, cause });
        }
    }

    /// Says what a successor needs, if that is news; the CSeq alone is, when it has come half way to what a successor
    /// leaps.
    pub fn say_dialog(&mut self, ctx: &mut Context, key: Key) {
        let Some(leg) = self.slab.get_mut(key).filter(|leg| !leg.silent) else { return };
        if !matches!(leg.phase, Phase::Incoming { .. } | Phase::Answered | Phase::Up | Phase::Reviving) {
            return;
        }
        let snapshot = leg.snapshot();
        let (essence, cseq) = (snapshot::essence(&ctx.entropy, &snapshot), leg.dialog.local_cseq);
        if leg.kept.0 != essence || cseq.saturating_sub(leg.kept.1) >= snapshot::LEAP / 2 {
            leg.kept = (essence, cseq);
            ctx.say(LegEvent::Dialog { leg: leg.id, dialog: Redacted::new(snapshot) });
        }
    }

    /// Takes the leg out; its dialog is unknown from now on.
    pub fn remove(&mut self, key: Key) -> Option<Leg> {
        let leg = self.slab.remove(key)?;
        if self.by_id.get(&leg.id.0) == Some(&key) {
            self.by_id.remove(&leg.id.0);
        }
        self.forget_dialog(leg.dialog_digest);
        if leg.phase == Phase::Answered {
            self.count_acknowledged(leg.dialog.peer.ip());
        }
        Some(leg)
    }

    pub fn set_closing(&mut self, digest: Digest) {
        self.by_dialog.insert(digest, Found::Closing);
    }

    pub fn forget_dialog(&mut self, digest: Digest) {
        self.by_dialog.remove(&digest);
        crate::transaction::shrink(&mut self.by_dialog);
    }
}
