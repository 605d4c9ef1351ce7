//! The messages of RFC 4475 and RFC 5118, sent to a running server over UDP: the answer is one that the table
//! allows, and the server still answers an OPTIONS afterwards.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop at the first surprise"
)]

mod harness;

use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::path::PathBuf;
use std::time::Duration;

use harness::served::Served;

fn data() -> PathBuf {
    harness::project("runtime/sip/tests/data/sip-torture")
}

struct Peer<'a> {
    served: &'a Served,
    socket: UdpSocket,
    sent: u32,
}

impl Peer<'_> {
    /// All final answers to one datagram, until the OPTIONS behind it is answered.
    fn answers(&mut self, bytes: &[u8]) -> Vec<u16> {
        self.socket.send_to(bytes, self.served.sip).unwrap();
        self.sent += 1;
        let mark = format!("options-{}", self.sent);
        let port = self.socket.local_addr().unwrap().port();
        let options = format!(
            "OPTIONS sip:ivr@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{mark}\r\n\
             From: <sip:probe@127.0.0.1>;tag={mark}\r\nTo: <sip:ivr@127.0.0.1>\r\nCall-ID: {mark}\r\nCSeq: 1 OPTIONS\r\n\
             Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        );
        self.socket.send_to(options.as_bytes(), self.served.sip).unwrap();
        let mut statuses = Vec::new();
        let mut buffer = [0; 65_536];
        loop {
            let (length, _) = self
                .socket
                .recv_from(&mut buffer)
                .unwrap_or_else(|cause| panic!("OPTIONS {mark} was not answered ({cause})\n{}", self.served.log()));
            let text = String::from_utf8_lossy(&buffer[..length]);
            let status: u16 = text.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or_else(|| panic!("{text}"));
            if text.contains(&mark) {
                assert_eq!(status, 200, "{text}");
                return statuses;
            }
            if status >= 200 && !text.contains("options-") {
                statuses.push(status);
            }
        }
    }
}

/// Whether the table's words allow what came.
fn allows(expected: &str, statuses: &[u16]) -> bool {
    let numbers: Vec<u16> = expected.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect();
    if expected.starts_with("discard") {
        return statuses.is_empty();
    }
    let lenient = expected.contains("-or-") && !expected.contains("-or-4") || expected.starts_with("ok");
    let process = expected.starts_with("ignore") || expected.starts_with("process");
    lenient || process || statuses.iter().all(|status| numbers.contains(status)) && !statuses.is_empty()
}

#[test]
fn torture_messages_get_the_answers_of_the_table() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(&harness::project("cli/tests/projects/brief"), folder.path(), &[]);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut peer = Peer { served: &served, socket, sent: 0 };
    let table = std::fs::read_to_string(data().join("rfc4475-expect.tsv")).unwrap();
    let rows: Vec<Vec<&str>> = table.lines().skip(1).map(|line| line.split('\t').collect()).collect();
    assert_eq!(rows.len(), 49);
    for row in &rows {
        let (name, expected) = (row[1], row[2]);
        let bytes = std::fs::read(data().join("rfc4475").join(format!("{name}.dat"))).unwrap();
        let statuses = peer.answers(&bytes);
        // A lone request without Content-Length fills the datagram (RFC 3261 §18.3): the TCP verdict is not ours.
        let over_udp = expected.contains("(TCP)") || allows(expected, &statuses);
        assert!(over_udp, "{name}: {statuses:?} is not {expected}");
    }
    for file in std::fs::read_dir(data().join("rfc5118")).unwrap() {
        let file = file.unwrap();
        let statuses = peer.answers(&std::fs::read(file.path()).unwrap());
        let refused = ["ipv6-bad", "ipv6-bug-abnf-3-colons"].contains(&file.file_name().to_str().unwrap());
        assert!(!refused || statuses.iter().all(|status| *status == 400), "{:?}: {statuses:?}", file.file_name());
    }
    assert_eq!(served.stop(), 0);
}

#[test]
fn connections_are_served_and_hostile_ones_closed() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(&harness::project("cli/tests/projects/brief"), folder.path(), &[]);
    let connect = || {
        let stream = TcpStream::connect(served.sip).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    };
    let options = "OPTIONS sip:ivr@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK1\r\n\
                   From: <sip:probe@127.0.0.1>;tag=1\r\nTo: <sip:ivr@127.0.0.1>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\
                   Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n";
    let mut good = connect();
    good.write_all(b"\r\n\r\n").unwrap();
    let mut pong = [0; 2];
    good.read_exact(&mut pong).unwrap();
    assert_eq!(&pong, b"\r\n");
    let (first, second) = options.split_at(100);
    good.write_all(first.as_bytes()).unwrap();
    // What is no SIP, and what has no end, is closed, and nobody else notices.
    for bytes in
        [&b"GET / HTTP/1.1\r\n\r\n"[..], &[b'x'; 30_000], &options.replace("Content-Length: 0\r\n", "").into_bytes()]
    {
        let mut bad = connect();
        bad.write_all(bytes).unwrap();
        let mut said = Vec::new();
        // Closed with bytes of ours unread, it may be reset.
        let _ = bad.read_to_end(&mut said);
        let said = String::from_utf8_lossy(&said);
        assert!(said.is_empty() || said.starts_with("SIP/2.0 400 "), "{said}");
    }
    good.write_all(second.as_bytes()).unwrap();
    let mut answer = [0; 15];
    good.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"SIP/2.0 200 OK\r");
    assert_eq!(served.stop(), 0);
}
