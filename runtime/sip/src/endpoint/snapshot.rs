//! What another process needs to take a dialog up: bytes out, and back. It does not know who keeps them.

use std::net::SocketAddr;

use super::legs::{Far, Leg, Session};
use crate::dialog::Dialog;
use crate::entropy::{Digest, Entropy};
use crate::message::address::parse_address;
use crate::message::uri::parse_uri;
use crate::sdp::{Origin, Settled};
use crate::transport::{Hop, Transport};
use runtime_contract::leg::Codec;

/// First byte. Another one is refused: nobody guesses what a future or an old process meant.
const FORMAT: u8 = 2;
/// A restored dialog goes on this far above the CSeq, and the version in `o=`, that were stored: what was sent since
/// is not known.
pub const LEAP: u32 = 1_000;
/// Bytes after the format that change with every request: CSeq of both sides, and the version in `o=`.
const VOLATILE: usize = 13;

/// A dialog that comes back.
pub struct Restored {
    pub dialog: Dialog,
    pub placed: bool,
    pub origin: Origin,
    pub settled: Option<Settled>,
    pub far: Far,
    pub session: Option<Session>,
}

impl Leg {
    /// Strings carry a length of two bytes; numbers are big-endian.
    pub fn snapshot(&self) -> Vec<u8> {
        let dialog = &self.dialog;
        let (peer, local) = (dialog.peer.address.to_string(), dialog.local.to_string());
        let mut bytes = Vec::with_capacity(512);
        bytes.push(FORMAT);
        bytes.extend_from_slice(&dialog.local_cseq.to_be_bytes());
        bytes.extend_from_slice(&dialog.remote_cseq.to_be_bytes());
        bytes.extend_from_slice(&self.origin.version.to_be_bytes());
        bytes.extend_from_slice(&self.origin.id.to_be_bytes());
        let flags = [
            self.placed,
            self.far.update,
            self.far.timer,
            self.settled.is_some(),
            self.settled.is_some_and(|settled| settled.codec == Codec::Pcma),
            self.session.is_some_and(|session| session.ours),
            dialog.peer.transport() == Transport::Tcp,
            dialog.peer.pinned,
        ];
        bytes.push(flags.iter().rev().fold(0, |all, flag| all << 1 | u8::from(*flag)));
        let settled = self.settled;
        bytes.push(settled.and_then(|settled| settled.dtmf_payload_type).unwrap_or(0));
        bytes.push(settled.map_or(0, |settled| settled.before));
        bytes.push(settled.map_or(0, |settled| settled.after));
        bytes.extend_from_slice(&self.session.map_or(0, |session| session.interval_s).to_be_bytes());
        let fixed = [
            &*dialog.call_id,
            &*dialog.local_party,
            &*dialog.remote_party,
            &*dialog.local_tag,
            &*dialog.remote_tag,
            &*dialog.target,
            peer.as_bytes(),
            local.as_bytes(),
        ];
        for text in fixed.into_iter().chain(dialog.routes.iter().map(|route| &**route)) {
            // A message has at most 65 535 bytes, and so have its parts.
            bytes.extend_from_slice(&u16::try_from(text.len()).unwrap_or(0).to_be_bytes());
            bytes.extend_from_slice(text);
        }
        bytes
    }
}

/// Of all that does not change with every request.
pub fn essence(entropy: &Entropy, snapshot: &[u8]) -> Digest {
    entropy.digest(&[b"snapshot", snapshot.get(VOLATILE..).unwrap_or_default()])
}

/// Reads [`Leg::snapshot`]; CSeq and version leap. `None`: not ours, or not whole.
pub fn restore(bytes: &[u8]) -> Option<Restored> {
    let (&[format], rest) = bytes.split_first_chunk()?;
    if format != FORMAT {
        return None;
    }
    let (local_cseq, rest) = rest.split_first_chunk()?;
    let (remote_cseq, rest) = rest.split_first_chunk()?;
    let (version, rest) = rest.split_first_chunk()?;
    let (id, rest) = rest.split_first_chunk()?;
    let (&[flags, dtmf, before, after], rest) = rest.split_first_chunk()?;
    let (interval_s, rest) = rest.split_first_chunk()?;
    let flag = |at: u8| flags >> at & 1 == 1;
    let leap = |number: &[u8; 4]| u32::from_be_bytes(*number).checked_add(LEAP);
    let way =
        |address| Hop { pinned: flag(7), ..Hop::new(address, if flag(6) { Transport::Tcp } else { Transport::Udp }) };
    let codec = if flag(4) { Codec::Pcma } else { Codec::Pcmu };
    let dtmf_payload_type = (dtmf != 0).then_some(dtmf);
    let interval_s = u32::from_be_bytes(*interval_s);
    Some(Restored {
        dialog: read_dialog(rest, way, leap(local_cseq)?, u32::from_be_bytes(*remote_cseq))?,
        placed: flag(0),
        origin: Origin { id: u64::from_be_bytes(*id), version: leap(version)? },
        settled: flag(3).then_some(Settled { codec, dtmf_payload_type, before, after }),
        far: Far { update: flag(1), timer: flag(2) },
        session: (interval_s != 0).then_some(Session { interval_s, ours: flag(5) }),
    })
}

fn read_dialog(mut rest: &[u8], way: impl Fn(SocketAddr) -> Hop, local_cseq: u32, remote_cseq: u32) -> Option<Dialog> {
    let mut texts = Vec::new();
    while let Some((length, tail)) = rest.split_first_chunk::<2>() {
        let (text, tail) = tail.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        // It will stand in a header.
        if text.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
            return None;
        }
        texts.push(Box::<[u8]>::from(text));
        rest = tail;
    }
    let mut texts = texts.into_iter();
    let dialog = Dialog {
        call_id: texts.next()?,
        local_party: texts.next()?,
        remote_party: texts.next()?,
        local_tag: texts.next()?,
        remote_tag: texts.next()?,
        target: texts.next()?,
        peer: way(std::str::from_utf8(&texts.next()?).ok()?.parse().ok()?),
        local: std::str::from_utf8(&texts.next()?).ok()?.parse().ok()?,
        routes: texts.collect(),
        local_cseq,
        remote_cseq,
    };
    let readable = parse_uri(&dialog.target).is_some()
        && !dialog.call_id.is_empty()
        && !dialog.local_tag.is_empty()
        && [&dialog.local_party, &dialog.remote_party].into_iter().all(|party| parse_address(party).is_some());
    (rest.is_empty() && readable).then_some(dialog)
}
