//! One endpoint on a bench: messages as text go in, what it sends and says is kept.

use std::net::SocketAddr;

use runtime_contract::Redacted;
use runtime_contract::leg::{LegCommand, LegEvent, LegId, Target};
use runtime_contract::time::Tick;
use runtime_sip::{Config, ConnectionId, Endpoint, Input, Load, Output};

pub const LOCAL: &str = "127.0.0.1:5060";
pub const PEER: &str = "127.0.0.1:5070";
pub const RING_MS: u32 = 180_000;
pub const MEDIA: &str = "127.0.0.1:4000";
pub const SDP: &str = "v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 6000 RTP/AVP 0 101\n\
a=rtpmap:101 telephone-event/8000\n";

pub struct Bench {
    pub endpoint: Endpoint,
    pub now: Tick,
    pub sent: Vec<(SocketAddr, String)>,
    pub events: Vec<LegEvent>,
    pub trusted: bool,
    pub written: Vec<(ConnectionId, String)>,
    pub connects: Vec<(ConnectionId, SocketAddr)>,
    pub closes: Vec<ConnectionId>,
    pub bindings: Vec<(String, Vec<u8>)>,
    pub trunks: Vec<String>,
}

pub fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub fn crlf(text: &str) -> String {
    text.replace('\n', "\r\n")
}

impl Bench {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::new(address(LOCAL));
        change(&mut config);
        let endpoint = Endpoint::new(config, [5; 32]);
        Self {
            endpoint,
            now: Tick(0),
            sent: Vec::new(),
            events: Vec::new(),
            trusted: true,
            written: Vec::new(),
            connects: Vec::new(),
            closes: Vec::new(),
            bindings: Vec::new(),
            trunks: Vec::new(),
        }
    }

    pub fn input(&mut self, input: Input<'_>) {
        for output in self.endpoint.handle(self.now, input) {
            match output {
                Output::Send { destination, bytes, .. } => {
                    self.sent.push((destination, String::from_utf8_lossy(&bytes).into_owned()));
                }
                Output::Write { connection, bytes } => {
                    self.written.push((connection, String::from_utf8_lossy(&bytes).into_owned()));
                }
                Output::Connect { connection, destination } => self.connects.push((connection, destination)),
                Output::Close { connection } => self.closes.push(connection),
                Output::Bindings { phone, bindings } => self.bindings.push((phone, bindings)),
                Output::Trunk { name, up: true, .. } => self.trunks.push(format!("{name} up")),
                Output::Trunk { name, why, .. } => self.trunks.push(format!("{name} down: {why}")),
                Output::Event(event) => self.events.push(event),
            }
        }
    }

    /// The same as [`Bench::say`], on a connection.
    pub fn stream(&mut self, connection: ConnectionId, text: &str) {
        let trusted = self.trusted;
        self.input(Input::Stream { connection, bytes: crlf(text).as_bytes(), trusted });
    }

    /// What was written on this connection since last asked, with LF; nothing may have been written elsewhere.
    pub fn on(&mut self, connection: ConnectionId) -> Vec<String> {
        assert!(self.written.iter().all(|(found, _)| *found == connection), "{:?}", self.written);
        self.written.drain(..).map(|(_, text)| text.replace("\r\n", "\n")).collect()
    }

    pub fn one_on(&mut self, connection: ConnectionId) -> String {
        let mut texts = self.on(connection);
        assert_eq!(texts.len(), 1, "{texts:?}");
        texts.remove(0)
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        let input = Input::Datagram { source: address(PEER), local: address(LOCAL), bytes, trusted: self.trusted };
        self.input(input);
    }

    /// Lines end in LF here, and in CRLF on the wire.
    pub fn say(&mut self, text: &str) {
        self.bytes(crlf(text).as_bytes());
    }

    pub fn command(&mut self, command: LegCommand) {
        self.input(Input::Command(command));
    }

    pub fn answer(&mut self, leg: u64) {
        self.command(LegCommand::Answer { leg: LegId(leg), media: address(MEDIA) });
    }

    pub fn dial(&mut self, leg: u64) {
        let from = Some(Redacted::new("2002".to_owned()));
        let uri = Redacted::new(format!("sip:1001@{PEER}"));
        let target = Target::Address { uri, peer: address(PEER) };
        self.command(LegCommand::Dial { leg: LegId(leg), target, from, ring_ms: RING_MS, media: address(MEDIA) });
    }

    /// Lets time pass, deadline by deadline.
    pub fn wait_ms(&mut self, ms: u64) {
        let end = self.now.plus_ms(ms);
        while let Some(deadline) = self.endpoint.next_deadline().filter(|deadline| *deadline <= end) {
            self.now = self.now.max(deadline);
            self.input(Input::Timeout);
        }
        self.now = end;
    }

    /// First lines of what was sent since last asked.
    pub fn first_lines(&mut self) -> Vec<String> {
        self.sent.drain(..).map(|(_, text)| text.lines().next().unwrap_or_default().to_owned()).collect()
    }

    /// The one message sent since last asked, with LF.
    pub fn one(&mut self) -> String {
        assert_eq!(self.sent.len(), 1, "{:?}", self.sent);
        self.sent.pop().unwrap().1.replace("\r\n", "\n")
    }

    /// Events since last asked, without the far side's data.
    pub fn said(&mut self) -> Vec<String> {
        self.events.drain(..).map(|event| brief(&event)).collect()
    }

    /// Waits until nothing is left, and nothing may be left.
    pub fn assert_empties(&mut self) {
        self.wait_ms(400_000);
        assert_eq!(self.endpoint.load(), Load::default());
    }
}

pub fn brief(event: &LegEvent) -> String {
    match event {
        LegEvent::Incoming(incoming) => format!("incoming {}", incoming.leg.0),
        LegEvent::Ringing { leg } => format!("ringing {}", leg.0),
        LegEvent::Media { leg, media, .. } => {
            let held = if media.send { "" } else { " held" };
            format!("media {} {} {:?}{held}", leg.0, media.remote, media.codec)
        }
        LegEvent::Dialog { leg, .. } => format!("dialog {}", leg.0),
        LegEvent::Words { leg, .. } => format!("words {}", leg.0),
        LegEvent::Key { leg, key } => format!("key {} {}", leg.0, key.reveal()),
        LegEvent::TransferFailed { leg, status } => format!("transfer failed {} {status}", leg.0),
        LegEvent::Up { leg } => format!("up {}", leg.0),
        LegEvent::Gone { leg, cause } => format!("gone {} {cause:?}", leg.0),
    }
}

/// Value of a header in a message with LF.
pub fn header<'a>(message: &'a str, name: &str) -> &'a str {
    let prefix = format!("{name}: ");
    message.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap_or_else(|| panic!("no {name} in\n{message}"))
}

pub fn to_tag(message: &str) -> &str {
    header(message, "To").split(";tag=").nth(1).unwrap_or_default()
}

/// A request of the far side. `extra` are whole lines.
pub fn request(method: &str, cseq: u32, branch: &str, to_tag: &str, extra: &str, body: &str) -> String {
    let to_tag = if to_tag.is_empty() { String::new() } else { format!(";tag={to_tag}") };
    let content = if body.is_empty() { "" } else { "Content-Type: application/sdp\n" };
    format!(
        "{method} sip:1001@{LOCAL} SIP/2.0\nVia: SIP/2.0/UDP {PEER};branch=z9hG4bK{branch}\nMax-Forwards: 70\n\
        From: <sip:3003@{PEER}>;tag=far\nTo: <sip:1001@{LOCAL}>{to_tag}\nCall-ID: call\nCSeq: {cseq} {method}\n\
        Contact: <sip:3003@{PEER}>\n{extra}{content}Content-Length: {}\n\n{body}",
        crlf(body).len()
    )
}

/// A response of the far side to a request that we sent.
pub fn response(request: &str, code: u16, tag: &str, body: &str) -> String {
    let content = if body.is_empty() { "" } else { "Content-Type: application/sdp\n" };
    let to = header(request, "To");
    let to = if tag.is_empty() || to.contains("tag=") { to.to_owned() } else { format!("{to};tag={tag}") };
    format!(
        "SIP/2.0 {code} Because\nVia: {}\nFrom: {}\nTo: {to}\nCall-ID: {}\nCSeq: {}\nContact: <sip:1001@{PEER}>\n\
        {content}Content-Length: {}\n\n{body}",
        header(request, "Via"),
        header(request, "From"),
        header(request, "Call-ID"),
        header(request, "CSeq"),
        crlf(body).len()
    )
}

/// An incoming call that is up. Gives our To tag.
pub fn established(bench: &mut Bench) -> String {
    bench.say(&request("INVITE", 1, "i1", "", "", SDP));
    bench.answer(1);
    let tag = to_tag(&bench.one()).to_owned();
    bench.say(&request("ACK", 1, "a1", &tag, "", ""));
    assert_eq!(bench.said(), ["incoming 1", "media 1 127.0.0.1:6000 Pcmu", "up 1"]);
    tag
}

/// A leg that we place.
pub const LEG: u64 = 1 << 63;

/// It, and its INVITE.
pub fn dialled() -> (Bench, String) {
    let mut bench = Bench::new();
    bench.dial(LEG);
    let invite = bench.one();
    assert_eq!(header(&invite, "Supported"), "100rel, timer");
    (bench, invite)
}

/// What was said since, with `d` for that leg.
pub fn said(bench: &mut Bench) -> Vec<String> {
    bench.said().into_iter().map(|event| event.replace(&LEG.to_string(), "d")).collect()
}
