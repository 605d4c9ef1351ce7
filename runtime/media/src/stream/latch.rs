//! Where a leg's packets go and whose packets are taken (symmetric RTP, RFC 4961; the attack of RFC 7362 §5).

use std::net::{IpAddr, SocketAddr};

/// Learns the far side's address from its packets, without letting a stranger take the leg over.
#[derive(Clone, Copy, Debug)]
pub struct Latch {
    signalled: SocketAddr,
    peer: Option<IpAddr>,
    learned: Option<SocketAddr>,
}

impl Latch {
    pub fn new(signalled: SocketAddr, peer: Option<IpAddr>) -> Latch {
        Latch { signalled, peer, learned: None }
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

    /// Whether a packet from there is taken. The signalled address always is, and wins. Otherwise the
    /// first one from the host in the SDP or the host of the signalling is learned; after that no other.
    pub fn accept(&mut self, from: SocketAddr) -> bool {
        let from = SocketAddr::new(from.ip().to_canonical(), from.port());
        if from == self.signalled {
            self.learned = Some(from);
            return true;
        }
        match self.learned {
            Some(learned) => learned == from,
            None => {
                let known = from.ip() == self.signalled.ip() || Some(from.ip()) == self.peer;
                if known {
                    self.learned = Some(from);
                }
                known
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn another_port_of_the_far_host_is_learned_once() {
        let mut latch = Latch::new(address("10.0.0.1:4000"), None);
        assert!(latch.accept(address("10.0.0.1:5000")));
        assert_eq!(latch.remote(), address("10.0.0.1:5000"));
        assert!(!latch.accept(address("10.0.0.1:6000")), "a second one is refused");
        assert_eq!(latch.remote(), address("10.0.0.1:5000"));
    }

    #[test]
    fn the_host_of_the_signalling_may_send_for_a_private_address() {
        let mut latch = Latch::new(address("192.168.1.7:4000"), Some("203.0.113.5".parse().unwrap()));
        assert!(!latch.accept(address("198.51.100.1:4000")), "a stranger is refused");
        assert_eq!(latch.remote(), address("192.168.1.7:4000"));
        assert!(latch.accept(address("203.0.113.5:61000")));
        assert_eq!(latch.remote(), address("203.0.113.5:61000"));
        assert!(!latch.accept(address("198.51.100.1:4000")), "a stranger is refused");
    }

    #[test]
    fn the_signalled_address_wins_over_what_was_learned() {
        let mut latch = Latch::new(address("10.0.0.1:4000"), None);
        assert!(latch.accept(address("10.0.0.1:5000")), "left over from an earlier call");
        assert!(latch.accept(address("10.0.0.1:4000")));
        assert_eq!(latch.remote(), address("10.0.0.1:4000"));
        assert!(!latch.accept(address("10.0.0.1:5000")));
    }

    #[test]
    fn a_new_description_is_learned_anew() {
        let mut latch = Latch::new(address("10.0.0.1:4000"), None);
        assert!(latch.accept(address("10.0.0.1:5000")));
        latch.signal(address("10.0.0.1:4000"));
        assert_eq!(latch.remote(), address("10.0.0.1:5000"), "the same address: nothing is forgotten");
        latch.signal(address("10.0.0.2:4000"));
        assert_eq!(latch.remote(), address("10.0.0.2:4000"));
        assert!(latch.accept(address("10.0.0.2:7000")));
    }

    #[test]
    fn mapped_ipv4_is_ipv4() {
        let mut latch = Latch::new(address("127.0.0.1:4000"), None);
        assert!(latch.accept(address("[::ffff:127.0.0.1]:4000")));
    }
}
