//! CPU of the core for one INVITE–200–ACK–BYE–200, beside rsip reading the same three requests and printing the
//! two responses, in the same run. No socket: `cargo bench -p runtime-sip`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock and may stop at the first surprise"
)]

use std::hint::black_box;
use std::time::Instant;

use runtime_contract::leg::{LegCommand, LegEvent};
use runtime_contract::time::Tick;
use runtime_sip::{Config, Endpoint, Input, Output};

const CALLS: u32 = 200_000;
const ROUNDS: usize = 5;
/// Ticks between calls: 8 000 calls/s.
const PAUSE_NS: u64 = 125_000;

fn message(method: &str, call: u32, cseq: u32, to_tag: &str, body: &str) -> String {
    format!(
        "{method} sip:service@127.0.0.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bK-{call}-{cseq}-{method}\r\n\
        From: sipp <sip:sipp@127.0.0.1:5061>;tag=9SIPpTag00{call}\r\nTo: service <sip:service@127.0.0.1:5060>{to_tag}\r\n\
        Call-ID: {call}-9@127.0.0.1\r\nCSeq: {cseq} {method}\r\nContact: sip:sipp@127.0.0.1:5061\r\nMax-Forwards: 70\r\n\
        Subject: Performance Test\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

const SDP: &str = "v=0\r\no=user1 53655765 2353687637 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
m=audio 6000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";

fn endpoint_round() -> f64 {
    let local = "127.0.0.1:5060".parse().unwrap();
    let source = "127.0.0.1:5061".parse().unwrap();
    let mut endpoint = Endpoint::new(Config::new(local), [3; 32]);
    let mut spent = std::time::Duration::ZERO;
    for call in 0..CALLS {
        let now = Tick(u64::from(call) * PAUSE_NS);
        let invite = message("INVITE", call, 1, "", SDP);
        let begin = Instant::now();
        let input = Input::Datagram { source, local, bytes: invite.as_bytes(), trusted: true };
        let mut leg = None;
        for output in endpoint.handle(now, input) {
            if let Output::Event(LegEvent::Incoming(incoming)) = output {
                leg = Some(incoming.leg);
            }
        }
        let mut ok = None;
        for output in endpoint.handle(now, Input::Command(LegCommand::Answer { leg: leg.unwrap(), media: local })) {
            if let Output::Send { bytes, .. } = output {
                ok = Some(bytes);
            }
        }
        spent += begin.elapsed();
        let ok = String::from_utf8_lossy(ok.as_deref().unwrap()).into_owned();
        let tag = &ok[ok.find("5060>;tag=").unwrap() + 5..][..21];
        let (ack, bye) = (message("ACK", call, 1, tag, ""), message("BYE", call, 2, tag, ""));
        let begin = Instant::now();
        for text in [&ack, &bye] {
            let input = Input::Datagram { source, local, bytes: text.as_bytes(), trusted: true };
            endpoint.handle(now, input).for_each(|output| drop(black_box(output)));
        }
        spent += begin.elapsed();
    }
    assert_eq!(endpoint.load().legs, 0);
    spent.as_secs_f64() * 1e6 / f64::from(CALLS)
}

fn rsip_round() -> f64 {
    let texts =
        [message("INVITE", 1, 1, "", SDP), message("ACK", 1, 1, ";tag=1", ""), message("BYE", 1, 2, ";tag=1", "")];
    let ok = rsip::SipMessage::try_from(
        texts[0].replace("INVITE sip:service@127.0.0.1:5060 SIP/2.0", "SIP/2.0 200 OK").as_bytes(),
    )
    .unwrap();
    let begin = Instant::now();
    for _ in 0..CALLS / 10 {
        for text in &texts {
            drop(black_box(rsip::SipMessage::try_from(text.as_bytes()).unwrap()));
        }
        for _ in 0..2 {
            black_box(ok.to_string().len());
        }
    }
    begin.elapsed().as_secs_f64() * 1e7 / f64::from(CALLS)
}

fn main() {
    for _ in 0..ROUNDS {
        let (ours, rsip) = (endpoint_round(), rsip_round());
        println!("core {ours:.2} µs a call, rsip reading and printing alone {rsip:.2} µs: ratio {:.2}", ours / rsip);
    }
}
