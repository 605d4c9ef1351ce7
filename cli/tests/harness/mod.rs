//! What the end-to-end tests share: the server as a process, SIPp, key presses as a capture file, a relay
//! that loses and delays.
#![allow(dead_code, reason = "each test file uses its part")]

pub mod bank;
pub mod baresip;
pub mod cable;
pub mod gateway;
pub mod kamailio;
pub mod pcap;
pub mod pjsua2;
pub mod python;
pub mod relay;
pub mod served;
pub mod sipp;
pub mod sipvicious;

use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;

/// An example or a project of these tests, by its path in the repository.
pub fn project(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().expect("cli lies in the repository").join(path)
}

/// A UDP port that was free a moment ago.
pub fn free_port() -> u16 {
    let socket = UdpSocket::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a port");
    socket.local_addr().expect("its address").port()
}

/// An even port with an odd one behind it, both free a moment ago: what RTP wants.
pub fn free_media_port() -> u16 {
    (0..1_000)
        .map(|_| free_port() & !1)
        .find(|port| [*port, port + 1].iter().all(|p| UdpSocket::bind(SocketAddr::from(([127, 0, 0, 1], *p))).is_ok()))
        .expect("a pair of ports")
}

/// Waits for something that other processes do; a minute is far longer than it takes.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !holds() {
        assert!(std::time::Instant::now() < end, "waited in vain until {what}");
        std::thread::park_timeout(std::time::Duration::from_millis(50));
    }
}
