//! The INVITE of a leg that we place, sent again: where a 3xx points (RFC 3261 §8.1.3.4), or for a longer session (422).

use std::collections::VecDeque;
use std::net::IpAddr;

use super::Endpoint;
use super::legs::Phase;
use crate::dialog::sip_uri;
use crate::message::address::parse_address;
use crate::message::scan::{Params, find_outside};
use crate::message::{Header, Message};
use crate::slab::Key;
use crate::transport::{Hop, Transport};

/// Addresses that one leg tries in all.
pub const TRIED_MAX: usize = 8;

/// What is kept of a leg's INVITE until it is answered.
pub struct Placed {
    /// Header lines that say more of the caller, and the host that may read them.
    headers: Vec<u8>,
    confidant: IpAddr,
    /// Request URIs so far: none is tried twice, so nobody is sent round in circles.
    tried: Vec<Box<[u8]>>,
    /// Those of 3xx that are still to be tried, best first.
    waiting: VecDeque<(Box<[u8]>, Hop)>,
}

impl Placed {
    pub fn new(headers: Vec<u8>, target: &[u8], peer: Hop) -> Self {
        Self { headers, confidant: peer.ip(), tried: vec![target.into()], waiting: VecDeque::new() }
    }

    /// Who calls is for the peer that we trust with it, and not for whoever it points to (RFC 3325 §5).
    pub fn headers_for(&self, peer: Hop) -> &[u8] {
        if peer.ip() == self.confidant { &self.headers } else { b"" }
    }
}

impl Endpoint {
    /// Tries the next address after a refusal. False when there is none, or the answer is meant for all of them.
    pub(super) fn try_elsewhere(&mut self, leg: Key, message: &Message<'_>, code: u16) -> bool {
        let ours = self.ctx.config.local;
        let Some(state) = self.legs.get_mut(leg) else { return false };
        let Phase::Calling { .. } = state.phase else { return false };
        let peer = state.dialog.peer;
        let Some(placed) = &mut state.placing else { return false };
        if matches!(code, 300..=302) {
            let found = contacts(message).filter_map(|uri| Some((uri, way(uri, peer)?)));
            // The best of the newest answer comes first.
            for (uri, hop) in found.collect::<Vec<_>>().into_iter().rev() {
                let known = placed.tried.iter().any(|tried| **tried == *uri);
                if !known && hop.address != ours && placed.waiting.len() < TRIED_MAX {
                    placed.waiting.push_front((uri.into(), hop));
                }
            }
        }
        if code >= 600 || placed.tried.len() >= TRIED_MAX {
            return false;
        }
        let Some((target, hop)) = placed.waiting.pop_front() else { return false };
        placed.waiting.retain(|(waiting, _)| *waiting != target);
        placed.tried.push(target.clone());
        (state.dialog.target, state.dialog.peer) = (target, hop);
        self.invite_again(leg);
        true
    }

    /// The same call in a new INVITE: Call-ID and From stay, the CSeq grows, whoever rang before rings no more.
    pub(super) fn invite_again(&mut self, leg: Key) {
        if let Some(state) = self.legs.get_mut(leg) {
            state.early.clear();
            state.dialog.next_cseq();
        }
        self.send_invite(leg);
    }
}

/// SIP addresses of a 3xx, best first. Whoever redirects may send us anywhere by SIP, but to nothing else, and may put
/// no headers into our mouth.
fn contacts<'a>(message: &'a Message<'_>) -> impl Iterator<Item = &'a [u8]> {
    let mut found: Vec<_> = message
        .values(Header::Contact)
        .filter_map(|value| {
            let address = parse_address(value)?;
            let uri = sip_uri(address.uri)?;
            (!uri.has_headers).then_some((quality(value), address.uri))
        })
        .collect();
    found.sort_by_key(|(quality, _)| std::cmp::Reverse(*quality));
    found.into_iter().map(|(_, uri)| uri)
}

/// `q` in thousandths; 1 where nothing is said (RFC 3261 §20.10).
fn quality(contact: &[u8]) -> u32 {
    let params = find_outside(contact, b';').and_then(|at| contact.get(at..)).unwrap_or_default();
    let q = Params::new(params).get(b"q").and_then(|q| std::str::from_utf8(q).ok()?.parse::<f32>().ok());
    q.map_or(1_000, |q| (q.clamp(0.0, 1.0) * 1_000.0) as u32)
}

/// By an address that the URI has; a name is for whoever we asked first to know.
fn way(uri: &[u8], peer: Hop) -> Option<Hop> {
    let uri = sip_uri(uri)?;
    let Some(address) = uri.socket() else { return Some(peer) };
    let sendable = !address.ip().is_multicast() && !address.ip().is_unspecified() && address.port() != 0;
    let same = if address.ip() == peer.ip() { peer.transport() } else { Transport::Udp };
    sendable.then(|| Hop::new(address, uri.transport().unwrap_or(same)))
}
