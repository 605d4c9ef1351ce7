//! Legs and the two ways to find one: by the exchange's id, and by the dialog of a message.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasherDefault;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use runtime_contract::leg::{GoneCause, LegEvent, LegId, MediaSpec};
use runtime_contract::time::Tick;

use crate::context::Context;
use crate::dialog::Dialog;
use crate::entropy::{Digest, DigestHasher, DigestMap};
use crate::sdp::{Origin, Remote};
use crate::slab::{Key, Slab};
use crate::transport::{ConnectionId, Hop};

/// One side of one call, and the dialog that carries it.
pub struct Leg {
    pub id: LegId,
    /// The exchange was told `Gone`: no event follows, only SIP that is still owed.
    pub silent: bool,
    pub phase: Phase,
    pub dialog: Dialog,
    pub dialog_digest: Digest,
    /// Response head of the INVITE that waits for our answer.
    pub head: Vec<u8>,
    /// The far side's last description.
    pub remote: Option<Remote>,
    /// Our RTP address, once known.
    pub local_media: Option<SocketAddr>,
    /// What was last said in `LegEvent::Media`.
    pub media: Option<MediaSpec>,
    pub origin: Origin,
    /// 2xx that waits for its ACK.
    pub accepted: Option<Box<Accepted>>,
    /// Count of 2xx and of ringing rounds, so that overtaken alarms are known.
    pub round: u32,
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
    },
    /// The far side's BYE came before its 2xx, which was lost or overtaken on the way.
    EndedEarly {
        invite: Key,
    },
    Up,
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
    /// Legs in `Phase::Answered` by the host that the INVITE came from; none has 0.
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

    /// Whether some leg speaks over this connection.
    pub fn need(&self, connection: ConnectionId) -> bool {
        self.slab.values().any(|leg| leg.dialog.peer.connection() == Some(connection))
    }

    /// Legs of this host that wait for the ACK of the 2xx that answered them.
    pub fn unacknowledged(&self, host: IpAddr) -> usize {
        self.unacknowledged.get(&host).copied().unwrap_or(0)
    }

    pub fn unacknowledged_total(&self) -> usize {
        self.unacknowledged.values().sum()
    }

    /// Our 2xx goes out. INVARIANT (unacknowledged): phase `Answered` is entered here and left here or by `remove`.
    pub fn set_answered(&mut self, key: Key) {
        if let Some(leg) = self.slab.get_mut(key) {
            leg.phase = Phase::Answered;
            *self.unacknowledged.entry(leg.dialog.peer.ip()).or_default() += 1;
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
