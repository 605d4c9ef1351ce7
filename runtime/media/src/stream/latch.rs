//! Where a leg's packets go and whose packets are taken (symmetric RTP, RFC 4961; the attack of RFC 7362 §5).
//!
//! What is trusted is the signalling: the address in the SDP, and the hosts of the SDP and of the signalling itself.
//! From those hosts the first port that sends is learned, once. Another port of theirs is taken only for a far side
//! whose NAT has moved it: the same stream goes on there, after the learned port has fallen silent. Nobody else is
//! heard, whenever they send and whatever stream they claim to be.

use std::net::{IpAddr, SocketAddr};

use runtime_contract::time::Tick;

use crate::rtp::Header;

/// A learned port that was silent for so long may have been moved.
const MOVED_MS_MIN: u64 = 500;
/// How far its sequence may have gone on meanwhile: one minute of 20 ms.
const MOVED_PACKETS_MAX: u16 = 3_000;

/// Learns the far side's address from its packets, without letting a stranger take the leg over.
#[derive(Clone, Copy, Debug)]
pub struct Latch {
    signalled: SocketAddr,
    peer: Option<IpAddr>,
    learned: Option<SocketAddr>,
    /// The stream that came from there, and when it was last heard.
    heard: Option<Heard>,
}

#[derive(Clone, Copy, Debug)]
struct Heard {
    at: Tick,
    ssrc: u32,
    sequence: u16,
}

impl Latch {
    pub fn new(signalled: SocketAddr, peer: Option<IpAddr>) -> Latch {
        Latch { signalled, peer, learned: None, heard: None }
    }

    /// A new description: what was learned stays only if the address is the same.
    pub fn signal(&mut self, signalled: SocketAddr) {
        if signalled != self.signalled {
            *self = Latch::new(signalled, self.peer);
        }
    }

    /// Where to send.
    pub fn remote(&self) -> SocketAddr {
        self.learned.unwrap_or(self.signalled)
    }

    /// Whether a packet from there is taken. The signalled address always is, and wins.
    pub fn accept(&mut self, now: Tick, from: SocketAddr, header: &Header) -> bool {
        let from = SocketAddr::new(from.ip().to_canonical(), from.port());
        let taken = from == self.signalled
            || match self.learned {
                Some(learned) => learned == from || (self.knows(from) && self.has_moved(now, header)),
                None => self.knows(from),
            };
        if taken {
            self.learned = Some(from);
            self.heard = Some(Heard { at: now, ssrc: header.ssrc, sequence: header.sequence });
        }
        taken
    }

    /// Whether reports are taken from there: from the signalled address, or a host that is known, as RTP has it.
    pub fn accept_report(&mut self, from: SocketAddr) -> bool {
        let from = SocketAddr::new(from.ip().to_canonical(), from.port());
        let taken = from == self.signalled || self.learned.map_or_else(|| self.knows(from), |learned| learned == from);
        if taken {
            self.learned = Some(from);
        }
        taken
    }

    fn knows(&self, from: SocketAddr) -> bool {
        from.ip() == self.signalled.ip() || Some(from.ip()) == self.peer
    }

    /// Whoever only guesses has neither the source nor its count (RFC 3550 §5.1: both begin at random).
    fn has_moved(&self, now: Tick, header: &Header) -> bool {
        self.heard.is_some_and(|heard| {
            let ahead = header.sequence.wrapping_sub(heard.sequence);
            heard.at.plus_ms(MOVED_MS_MIN) <= now
                && heard.ssrc == header.ssrc
                && (1..=MOVED_PACKETS_MAX).contains(&ahead)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    /// A packet of some stream, at no time in particular.
    fn accept(latch: &mut Latch, from: &str) -> bool {
        latch.accept(Tick(0), address(from), &header(7, 1))
    }

    fn header(ssrc: u32, sequence: u16) -> Header {
        Header { marker: false, payload_type: 0, sequence, timestamp: 0, ssrc }
    }

    #[test]
    fn another_port_of_the_far_host_is_learned_once() {
        let mut latch = Latch::new(address("10.0.0.1:4000"), None);
        assert!(accept(&mut latch, "10.0.0.1:5000"));
        assert_eq!(latch.remote(), address("10.0.0.1:5000"));
        assert!(!accept(&mut latch, "10.0.0.1:6000"), "a second one is refused");
        assert_eq!(latch.remote(), address("10.0.0.1:5000"));
    }

    #[test]
    fn the_host_of_the_signalling_may_send_for_a_private_address() {
        let mut latch = Latch::new(address("192.168.1.7:4000"), Some("203.0.113.5".parse().unwrap()));
        assert!(!accept(&mut latch, "198.51.100.1:4000"), "a stranger is refused");
        assert_eq!(latch.remote(), address("192.168.1.7:4000"));
        assert!(accept(&mut latch, "203.0.113.5:61000"));
        assert_eq!(latch.remote(), address("203.0.113.5:61000"));
        assert!(!accept(&mut latch, "198.51.100.1:4000"), "a stranger is refused");
    }

    #[test]
    fn the_signalled_address_wins_over_what_was_learned() {
        let mut latch = Latch::new(address("10.0.0.1:4000"), None);
        assert!(accept(&mut latch, "10.0.0.1:5000"), "left over from an earlier call");
        assert!(accept(&mut latch, "10.0.0.1:4000"));
        assert_eq!(latch.remote(), address("10.0.0.1:4000"));
        assert!(!accept(&mut latch, "10.0.0.1:5000"));
    }

    #[test]
    fn a_new_description_is_learned_anew() {
        let mut latch = Latch::new(address("10.0.0.1:4000"), None);
        assert!(accept(&mut latch, "10.0.0.1:5000"));
        latch.signal(address("10.0.0.1:4000"));
        assert_eq!(latch.remote(), address("10.0.0.1:5000"), "the same address: nothing is forgotten");
        latch.signal(address("10.0.0.2:4000"));
        assert_eq!(latch.remote(), address("10.0.0.2:4000"));
        assert!(accept(&mut latch, "10.0.0.2:7000"));
    }

    #[test]
    fn mapped_ipv4_is_ipv4() {
        let mut latch = Latch::new(address("127.0.0.1:4000"), None);
        assert!(accept(&mut latch, "[::ffff:127.0.0.1]:4000"));
    }

    #[test]
    fn strangers_are_refused_first_later_and_with_a_stolen_stream() {
        let stranger = address("198.51.100.66:4000");
        let mut latch = Latch::new(address("10.0.0.1:4000"), Some("203.0.113.5".parse().unwrap()));
        assert!(!latch.accept(Tick(0), stranger, &header(1, 1)), "before anybody else");
        assert!(latch.accept(Tick(0), address("203.0.113.5:30000"), &header(7, 100)));
        assert!(!latch.accept(Tick(0), stranger, &header(7, 101)), "the same stream");
        let later = Tick(0).plus_ms(60_000);
        assert!(!latch.accept(later, stranger, &header(7, 101)), "after a pause");
        assert_eq!(latch.remote(), address("203.0.113.5:30000"));
    }

    #[test]
    fn a_far_side_that_its_nat_has_moved_is_known_by_its_stream() {
        let moved = |ms: u64, ssrc: u32, sequence: u16| {
            let mut latch = Latch::new(address("10.0.0.1:4000"), Some("203.0.113.5".parse().unwrap()));
            assert!(latch.accept(Tick(0), address("203.0.113.5:30000"), &header(7, 0xffff)));
            let taken = latch.accept(Tick(0).plus_ms(ms), address("203.0.113.5:30999"), &header(ssrc, sequence));
            assert_eq!(latch.remote().port(), if taken { 30_999 } else { 30_000 });
            taken
        };
        assert!(moved(500, 7, 20));
        assert!(!moved(499, 7, 20), "the old port was heard just now");
        assert!(!moved(5_000, 8, 20), "another stream behind the same NAT");
        assert!(!moved(5_000, 7, 0xfffe), "an old packet sent again");
        assert!(!moved(5_000, 7, 3_000), "a number out of reach");
    }

    #[test]
    fn reports_come_from_known_hosts_alone() {
        let mut latch = Latch::new(address("10.0.0.1:4001"), None);
        assert!(!latch.accept_report(address("198.51.100.66:4001")));
        assert!(latch.accept_report(address("10.0.0.1:4321")));
        assert!(!latch.accept_report(address("10.0.0.1:4322")));
        assert!(latch.accept_report(address("10.0.0.1:4001")));
    }
}
