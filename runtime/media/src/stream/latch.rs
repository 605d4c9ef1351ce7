//! Where a leg's packets go and whose packets are taken (symmetric RTP, RFC 4961; the attack of RFC 7362 §5).
//!
//! What is trusted is the signalling: the address in the SDP, and the hosts of the SDP and of the signalling itself.
//! From those hosts the first port that sends is learned, once. Another port of theirs is taken only for a far side
//! whose NAT has moved it: the same stream goes on there, or a new description came, after the learned port has fallen
//! silent. Nobody else is heard, whenever they send and whatever stream they claim to be.

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
    /// A description has come since the learned port was heard: during a hold a NAT forgets, and the phone may begin
    /// another stream.
    renewed: bool,
}

#[derive(Clone, Copy, Debug)]
struct Heard {
    at: Tick,
    ssrc: u32,
    sequence: u16,
}

impl Latch {
    pub fn new(signalled: SocketAddr, peer: Option<IpAddr>) -> Latch {
        Latch { signalled, peer, learned: None, heard: None, renewed: false }
    }

    /// A new description: what was learned stays only if the address is the same, and as long as it is heard.
    pub fn signal(&mut self, signalled: SocketAddr) {
        if signalled != self.signalled {
            *self = Latch::new(signalled, self.peer);
        }
        self.renewed = true;
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
                Some(learned) => {
                    learned == from || (self.knows(from) && (self.is_renewed(now) || self.has_moved(now, header)))
                }
                None => self.knows(from),
            };
        if taken {
            self.learned = Some(from);
            self.renewed = false;
            self.heard = Some(Heard { at: now, ssrc: header.ssrc, sequence: header.sequence });
        }
        taken
    }

    /// Whether reports are taken from there: from the signalled address, or a host that is known, as RTP has it.
    pub fn accept_report(&mut self, from: SocketAddr) -> bool {
        let from = SocketAddr::new(from.ip().to_canonical(), from.port());
        let taken = from == self.signalled
            || match self.learned {
                Some(learned) => learned == from || (self.knows(from) && self.renewed),
                None => self.knows(from),
            };
        if taken {
            self.learned = Some(from);
            self.renewed = false;
        }
        taken
    }

    fn knows(&self, from: SocketAddr) -> bool {
        from.ip() == self.signalled.ip() || Some(from.ip()) == self.peer
    }

    fn is_renewed(&self, now: Tick) -> bool {
        self.renewed && self.heard.is_none_or(|heard| heard.at.plus_ms(MOVED_MS_MIN) <= now)
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
    fn a_new_description_lets_another_port_be_learned_once_after_silence() {
        let (peer, old, new) = ("203.0.113.5", address("203.0.113.5:30000"), address("203.0.113.5:30999"));
        let held = || {
            let mut latch = Latch::new(address("10.0.0.1:4000"), Some(peer.parse().unwrap()));
            assert!(latch.accept(Tick(0), old, &header(7, 1)));
            latch.signal(address("10.0.0.1:4000"));
            latch
        };
        let at = |ms: u64| Tick(0).plus_ms(ms);
        let mut latch = held();
        assert!(!latch.accept(at(499), new, &header(8, 1)), "the old port was heard just now");
        assert!(!latch.accept(at(9_000), address("198.51.100.66:4000"), &header(8, 1)), "a stranger");
        assert!(latch.accept(at(500), new, &header(8, 1)));
        assert_eq!(latch.remote(), new);
        assert!(!latch.accept(at(9_000), address("203.0.113.5:31111"), &header(9, 1)), "once");
        let mut latch = held();
        assert!(latch.accept(at(400), old, &header(7, 20)));
        assert!(!latch.accept(at(9_000), new, &header(8, 1)), "it went on where it was");
        let mut reports = Latch::new(address("10.0.0.1:4001"), Some(peer.parse().unwrap()));
        assert!(reports.accept_report(old) && !reports.accept_report(new));
        reports.signal(address("10.0.0.1:4001"));
        assert!(reports.accept_report(new) && !reports.accept_report(old));
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
