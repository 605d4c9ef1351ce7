//! The example's bank: a responder on loopback that knows every card's balance, and counts what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub struct Bank {
    pub address: SocketAddr,
    pub asked: Arc<AtomicU64>,
}

impl Bank {
    /// Answers until the test process ends.
    pub fn start() -> Bank {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let address = listener.local_addr().expect("its address");
        let asked = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let count = Arc::clone(&count);
                std::thread::spawn(move || answer(stream, &count));
            }
        });
        Bank { address, asked }
    }

    /// The option by which `serve` takes it for the example's `bank`.
    pub fn option(&self) -> String {
        format!("bank=http://{}", self.address)
    }
}

/// Requests of one connection, one after the other.
fn answer(stream: TcpStream, asked: &AtomicU64) {
    let mut writer = stream.try_clone().expect("a second handle");
    let mut reader = BufReader::new(stream);
    loop {
        let mut length = 0;
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        loop {
            line.clear();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        asked.fetch_add(1, Ordering::Relaxed);
        let said = br#"{"amount":"1250.50","currency":"CNY"}"#;
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", said.len());
        if writer.write_all(head.as_bytes()).and_then(|()| writer.write_all(said)).is_err() {
            return;
        }
    }
}
