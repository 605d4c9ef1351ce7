//! A UDP relay between a caller and a server that loses, delays and so reorders packets, by a seed.

use std::collections::BinaryHeap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub struct Relay {
    /// For the caller.
    pub address: SocketAddr,
    /// For the server.
    pub inside: SocketAddr,
    /// Of both directions.
    pub lost: Arc<AtomicU64>,
    /// What the server got, and what it should have got besides.
    pub passed_in: Arc<AtomicU64>,
    pub lost_in: Arc<AtomicU64>,
    /// Until this is set, nothing is lost or late.
    pub rough: Arc<AtomicBool>,
    /// Where the server is, as soon as that is known.
    pub server: Arc<OnceLock<SocketAddr>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// How bad the way is.
#[derive(Clone, Copy)]
pub struct Way {
    pub seed: u64,
    /// Of 100 packets.
    pub lost_percent: u64,
    pub delay_ms_max: u64,
}

impl Relay {
    /// Between whoever sends to `address` (one caller at a time) and the server.
    pub fn start(server: SocketAddr, way: Way) -> Relay {
        let relay = Relay::start_smooth(way);
        relay.server.get_or_init(|| server);
        relay.rough.store(true, Ordering::Relaxed);
        relay
    }

    /// The same without a server yet, and not yet rough.
    pub fn start_smooth(way: Way) -> Relay {
        let outside = UdpSocket::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a port");
        let inside = UdpSocket::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a port");
        let mut relay = Relay {
            address: outside.local_addr().expect("its address"),
            inside: inside.local_addr().expect("its address"),
            lost: Arc::default(),
            passed_in: Arc::default(),
            lost_in: Arc::default(),
            rough: Arc::default(),
            server: Arc::default(),
            stop: Arc::default(),
            thread: None,
        };
        let work = Work {
            outside,
            inside,
            way,
            seed: way.seed,
            waiting: BinaryHeap::new(),
            server: Arc::clone(&relay.server),
            rough: Arc::clone(&relay.rough),
            stop: Arc::clone(&relay.stop),
            lost: Arc::clone(&relay.lost),
            passed_in: Arc::clone(&relay.passed_in),
            lost_in: Arc::clone(&relay.lost_in),
        };
        relay.thread = Some(std::thread::spawn(move || work.run()));
        relay
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Work {
    outside: UdpSocket,
    inside: UdpSocket,
    way: Way,
    seed: u64,
    /// Earliest first: instant, to the server or not, bytes.
    waiting: BinaryHeap<std::cmp::Reverse<(Instant, bool, Vec<u8>)>>,
    server: Arc<OnceLock<SocketAddr>>,
    rough: Arc<AtomicBool>,
    stop: Arc<AtomicBool>,
    lost: Arc<AtomicU64>,
    passed_in: Arc<AtomicU64>,
    lost_in: Arc<AtomicU64>,
}

impl Work {
    fn below(&mut self, n: u64) -> u64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) % n
    }

    fn run(mut self) {
        let mut caller = None;
        let mut buffer = vec![0; 65_536];
        let pause = Some(Duration::from_millis(1));
        self.outside.set_read_timeout(pause).expect("a timeout");
        self.inside.set_read_timeout(pause).expect("a timeout");
        while !self.stop.load(Ordering::Relaxed) {
            if let Ok((length, from)) = self.outside.recv_from(&mut buffer) {
                caller = Some(from);
                self.take(true, buffer[..length].to_vec());
            }
            if let Ok((length, _)) = self.inside.recv_from(&mut buffer) {
                self.take(false, buffer[..length].to_vec());
            }
            while self.waiting.peek().is_some_and(|next| next.0.0 <= Instant::now()) {
                let Some(std::cmp::Reverse((_, to_server, bytes))) = self.waiting.pop() else { break };
                match (to_server, self.server.get(), caller) {
                    (true, Some(server), _) => {
                        self.passed_in.fetch_add(1, Ordering::Relaxed);
                        drop(self.inside.send_to(&bytes, *server));
                    }
                    (false, _, Some(caller)) => drop(self.outside.send_to(&bytes, caller)),
                    _ => {}
                }
            }
        }
    }

    fn take(&mut self, to_server: bool, bytes: Vec<u8>) {
        let rough = self.rough.load(Ordering::Relaxed);
        if rough && self.below(100) < self.way.lost_percent {
            self.lost.fetch_add(1, Ordering::Relaxed);
            self.lost_in.fetch_add(u64::from(to_server), Ordering::Relaxed);
            return;
        }
        let delay = if rough { self.below(self.way.delay_ms_max + 1) } else { 0 };
        self.waiting.push(std::cmp::Reverse((Instant::now() + Duration::from_millis(delay), to_server, bytes)));
    }
}
