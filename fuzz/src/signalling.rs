//! What must hold of signalling for every message and every session description that a peer may send.

use std::net::SocketAddr;
use std::sync::Arc;

use runtime_contract::Redacted;
use runtime_contract::leg::{LegCommand, LegEvent, LegId, Target};
use runtime_contract::time::Tick;
use runtime_sip::{Config, ConnectionId, Endpoint, Input, Load, Output};

/// Far longer than any timer of a transaction, a dialog or a session.
const AT_REST_MS: u64 = 24 * 3_600_000;
/// A leg of ours that rings somewhere.
const PLACED: LegId = LegId(1 << 62);

/// An endpoint, and what it said.
struct Bench {
    endpoint: Endpoint,
    now: Tick,
    events: Vec<LegEvent>,
    sent: Vec<Arc<[u8]>>,
}

impl Bench {
    fn new() -> Bench {
        let endpoint = Endpoint::new(Config::new(address(5060)), [7; 32]);
        Bench { endpoint, now: Tick(1), events: Vec::new(), sent: Vec::new() }
    }

    fn input(&mut self, input: Input<'_>) {
        for output in self.endpoint.handle(self.now, input) {
            match output {
                Output::Event(event) => self.events.push(event),
                Output::Send { bytes, .. } | Output::Write { bytes, .. } => self.sent.push(bytes),
                _ => {}
            }
        }
    }

    fn datagram(&mut self, bytes: &[u8]) {
        self.input(Input::Datagram { source: address(5070), local: address(5060), bytes, trusted: true });
    }

    /// Answers what came in, as the exchange would.
    fn answer(&mut self) {
        let incoming: Vec<LegId> = self
            .events
            .iter()
            .filter_map(|event| if let LegEvent::Incoming(incoming) = event { Some(incoming.leg) } else { None })
            .collect();
        for leg in incoming {
            self.input(Input::Command(LegCommand::Answer { leg, media: address(4000) }));
        }
    }

    fn dial(&mut self) {
        let target = Target::Address { uri: Redacted::new("sip:1001@127.0.0.1:5070".into()), peer: address(5070) };
        let dial = LegCommand::Dial { leg: PLACED, target, from: None, ring_ms: 60_000, media: address(4002) };
        self.input(Input::Command(dial));
    }

    /// Hangs up on everybody and lets time run until nothing is left. Each leg is over once, and nothing follows.
    fn comes_to_rest(mut self) {
        let mut legs: Vec<LegId> = self.events.iter().map(LegEvent::leg).collect();
        legs.push(PLACED);
        legs.sort_unstable();
        legs.dedup();
        for leg in legs {
            self.input(Input::Command(LegCommand::HangUp { leg }));
        }
        let end = self.now.plus_ms(AT_REST_MS);
        while let Some(deadline) = self.endpoint.next_deadline().filter(|deadline| *deadline <= end) {
            self.now = self.now.max(deadline);
            self.input(Input::Timeout);
        }
        assert_eq!(self.endpoint.load(), Load::default(), "something is left");
        let mut over = Vec::new();
        for event in &self.events {
            let leg = event.leg();
            assert!(!over.contains(&leg), "{event:?} behind the end of its leg");
            if matches!(event, LegEvent::Gone { .. }) {
                over.push(leg);
            }
        }
    }
}

/// Any bytes, as datagrams in the middle of calls and cut into pieces on a connection.
pub fn message(bytes: &[u8]) {
    let mut bench = Bench::new();
    bench.datagram(&invite("1", "", DESCRIPTION));
    bench.answer();
    bench.dial();
    for part in bytes.split(|byte| *byte == 0) {
        bench.datagram(part);
    }
    bench.answer();
    let connection = ConnectionId(1);
    bench.input(Input::Accepted { connection, source: address(5071), local: address(5060) });
    let step = usize::from(bytes.first().copied().unwrap_or(1)).max(1);
    for piece in bytes.chunks(step) {
        bench.input(Input::Stream { connection, bytes: piece, trusted: true });
    }
    bench.input(Input::Closed { connection });
    bench.comes_to_rest();
}

/// Any description: in an offer, in an answer, in an answer to a late offer, and in a change of the session.
pub fn sdp(bytes: &[u8]) {
    let mut bench = Bench::new();
    bench.datagram(&invite("offer", "", bytes));
    bench.answer();
    bench.datagram(&invite("change", "", DESCRIPTION));
    bench.answer();
    if let Some(tag) = bench.tag_of("change") {
        bench.datagram(&request("ACK", "change", &tag, 1, b""));
        bench.datagram(&request("INVITE", "change", &tag, 2, bytes));
        bench.datagram(&request("UPDATE", "change", &tag, 3, bytes));
    }
    bench.datagram(&invite("late", "", b""));
    bench.answer();
    if let Some(tag) = bench.tag_of("late") {
        bench.datagram(&request("ACK", "late", &tag, 1, bytes));
    }
    bench.dial();
    let placed = bench.sent.iter().find(|sent| sent.starts_with(b"INVITE ")).cloned();
    if let Some(answer) = placed.and_then(|invite| accepted(&invite, bytes)) {
        bench.datagram(&answer);
    }
    for event in &bench.events {
        if let LegEvent::Media { media, .. } = event {
            assert!((10..=60).contains(&media.ptime_ms), "a packet of {} ms", media.ptime_ms);
            assert_ne!(media.remote.port(), 0, "voice to port 0");
        }
    }
    bench.comes_to_rest();
}

const DESCRIPTION: &[u8] = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
m=audio 6000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n";

impl Bench {
    /// To tag of our answers in a dialog.
    fn tag_of(&self, call: &str) -> Option<String> {
        let call = format!("Call-ID: {call}\r\n");
        let answers = self.sent.iter().map(|sent| String::from_utf8_lossy(sent)).filter(|sent| sent.contains(&call));
        answers.filter(|sent| sent.starts_with("SIP/2.0 200")).find_map(|sent| Some(tag(&sent, "To:")?.to_owned()))
    }
}

fn tag<'a>(message: &'a str, header: &str) -> Option<&'a str> {
    let line = message.lines().find(|line| line.starts_with(header))?;
    line.split_once(";tag=").map(|(_, tag)| tag.trim())
}

fn invite(call: &str, tag: &str, body: &[u8]) -> Vec<u8> {
    request("INVITE", call, tag, 1, body)
}

fn request(method: &str, call: &str, tag: &str, cseq: u32, body: &[u8]) -> Vec<u8> {
    let tag = if tag.is_empty() { String::new() } else { format!(";tag={tag}") };
    let head = format!(
        "{method} sip:1001@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK{call}{cseq}{method}\r\n\
         From: <sip:a@127.0.0.1>;tag={call}\r\nTo: <sip:1001@127.0.0.1>{tag}\r\nCall-ID: {call}\r\n\
         CSeq: {cseq} {method}\r\nContact: <sip:a@127.0.0.1:5070>\r\nMax-Forwards: 70\r\n\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// A 200 to a request of ours.
fn accepted(request: &[u8], body: &[u8]) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(request);
    let header = |name: &str| text.lines().find(|line| line.starts_with(name)).map(str::to_owned);
    let head = format!(
        "SIP/2.0 200 OK\r\n{}\r\n{}\r\n{};tag=answer\r\n{}\r\n{}\r\nContact: <sip:1001@127.0.0.1:5070>\r\n\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n",
        header("Via:")?,
        header("From:")?,
        header("To:")?,
        header("Call-ID:")?,
        header("CSeq:")?,
        body.len()
    );
    Some([head.as_bytes(), body].concat())
}

fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}
