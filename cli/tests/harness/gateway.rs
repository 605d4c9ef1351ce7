//! A gateway between a phone and a server, as it stands at the edge of a bad network: it puts itself into the session
//! descriptions of one call, and relays its voice by a seed. A caller behind it has no key events but tones.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::relay::{Relay, Way};

pub struct Gateway {
    /// For the phone's signalling.
    pub address: SocketAddr,
    pub voice: Arc<Relay>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Gateway {
    pub fn start(server: SocketAddr, way: Way) -> Gateway {
        let socket = || {
            let socket = UdpSocket::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a port");
            socket.set_read_timeout(Some(Duration::from_millis(5))).expect("a timeout");
            socket
        };
        let (outside, inside) = (socket(), socket());
        let address = outside.local_addr().expect("its address");
        let (voice, stop) = (Arc::new(Relay::start_smooth(way)), Arc::new(AtomicBool::new(false)));
        let (relay, over) = (Arc::clone(&voice), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let mut phone = None;
            let mut buffer = vec![0; 65_536];
            while !over.load(Ordering::Relaxed) {
                if let Ok((length, from)) = outside.recv_from(&mut buffer) {
                    phone = Some(from);
                    let (text, _) = through(&buffer[..length], relay.inside);
                    inside.send_to(&text, server).expect("it is sent");
                }
                if let (Ok((length, _)), Some(phone)) = (inside.recv_from(&mut buffer), phone) {
                    let (text, voice) = through(&buffer[..length], relay.address);
                    if let Some(port) = voice {
                        relay.server.get_or_init(|| SocketAddr::new(server.ip(), port));
                    }
                    outside.send_to(&text, phone).expect("it is sent");
                }
            }
        });
        Gateway { address, voice, stop, thread: Some(thread) }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The message with this address in its description, A-law alone, and the port that stood there.
fn through(message: &[u8], voice: SocketAddr) -> (Vec<u8>, Option<u16>) {
    let text = String::from_utf8_lossy(message).into_owned();
    let Some((head, body)) = text.split_once("\r\n\r\n").filter(|(_, body)| body.contains("m=audio")) else {
        return (message.to_vec(), None);
    };
    let mut port = None;
    let lines = body.lines().filter_map(|line| match line.strip_prefix("m=audio ") {
        Some(rest) => {
            port = rest.split(' ').next().and_then(|port| port.parse().ok());
            Some(format!("m=audio {} RTP/AVP 8\r\n", voice.port()))
        }
        None => (!["a=rtpmap", "a=fmtp", "a=rtcp"].iter().any(|start| line.starts_with(start)))
            .then(|| format!("{line}\r\n")),
    });
    let body: String = lines.collect();
    let head = head.lines().map(|line| match line.starts_with("Content-Length") {
        true => format!("Content-Length: {}\r\n", body.len()),
        false => format!("{line}\r\n"),
    });
    (format!("{}\r\n{body}", head.collect::<String>()).into_bytes(), port)
}
