//! The reader's own verdict on RFC 4475 and RFC 5118, and rsip as oracle where it can read.
#![allow(clippy::disallowed_methods, reason = "tests read their data")]

use std::path::PathBuf;

use rsip::prelude::*;

use super::*;

fn read(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/sip-torture").join(folder);
    let mut messages: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap()))
        .collect();
    messages.sort();
    messages
}

/// `ok`, a status code, or `discard` for a response that is not taken.
fn verdict(bytes: &[u8]) -> String {
    let Ok(message) = Message::frame(bytes) else { return "discard".to_owned() };
    match message.start {
        Start::Response { .. } if message.check_response().is_some() => "ok".to_owned(),
        Start::Response { .. } => "discard".to_owned(),
        Start::Request { .. } => {
            message.check_request().map_or_else(|refusal| refusal.code.to_string(), |_| "ok".to_owned())
        }
    }
}

/// Rows that are no matter of reading, but of what an endpoint makes of a message that it could read.
const ENDPOINT_ROWS: [&str; 5] = ["bext01", "invut", "regaut01", "zeromf", "sdp01"];

#[test]
fn rfc_4475_verdicts() {
    let table =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/sip-torture/rfc4475-expect.tsv"));
    let table = table.unwrap();
    let messages = read("rfc4475");
    assert_eq!(messages.len(), 49);
    for (name, bytes) in messages {
        let row = table.lines().find(|line| line.split('\t').nth(1) == Some(name.as_str())).unwrap();
        let expected = row.split('\t').nth(2).unwrap();
        let verdict = verdict(&bytes);
        let right = match expected {
            _ if expected.starts_with("ok") || ENDPOINT_ROWS.contains(&name.as_str()) => verdict == "ok",
            // Well-formed, but it has two Vias, so it is for somebody else.
            "discard-response" => verdict == "discard",
            _ if expected.starts_with("400-or-") => ["400", "ok"].contains(&verdict.as_str()),
            "501-or-400" | "416-or-400(REGISTER)" => expected.contains(&verdict),
            _ => expected.starts_with(&verdict),
        };
        assert!(right, "{name}: {verdict}, table {expected}");
    }
}

#[test]
fn rfc_5118_verdicts() {
    let messages = read("rfc5118");
    assert_eq!(messages.len(), 12);
    for (name, bytes) in messages {
        let refused = ["ipv6-bad", "ipv6-bug-abnf-3-colons"].contains(&name.as_str());
        assert_eq!(verdict(&bytes), if refused { "400" } else { "ok" }, "{name}");
    }
}

/// Builds messages of the common grammar, which rsip and we must read alike. Not in it: user parts with a dot,
/// which rsip takes for a host without one.
fn compose(choices: &mut impl FnMut(u64) -> u64) -> String {
    let mut pick = |words: &[&str]| words[choices(words.len() as u64) as usize].to_owned();
    let method = pick(&["INVITE", "BYE", "OPTIONS", "REGISTER", "SUBSCRIBE", "UPDATE"]);
    let user = pick(&["1001", "+8640081", "alice", "x%20y"]);
    let host = pick(&["192.0.2.1", "example.com", "a-b.example.org"]);
    let port = pick(&["", ":5060", ":65535"]);
    let name = pick(&["", "Bob ", "\"A, B\" "]);
    let tag = pick(&[";tag=1", ";tag=abc-DEF.9", ";x=y;tag=z"]);
    let branch = pick(&["z9hG4bK1", "z9hG4bK-524287-1---x", "old"]);
    let more = pick(&["", ";rport", ";received=192.0.2.9"]);
    let cseq = pick(&["1", "7", "2147483647"]);
    let body = pick(&["", "v=0\r\n", "x"]);
    format!(
        "{method} sip:{user}@{host}{port} SIP/2.0\r\nVia: SIP/2.0/UDP {host}{port};branch={branch}{more}\r\n\
        From: {name}<sip:{user}@{host}>{tag}\r\nTo: <sip:{user}@{host}{port}>\r\nCall-ID: {user}@{host}\r\n\
        CSeq: {cseq} {method}\r\nMax-Forwards: 70\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn rsip_reads_the_same() {
    let mut state = 1_u64;
    let mut choices = move |end: u64| {
        // Knuth's MMIX generator; the first message that differs is printed whole.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % end
    };
    for _ in 0..2_000 {
        let text = compose(&mut choices);
        let message = Message::frame(text.as_bytes()).unwrap();
        let ours = message.check_request().unwrap_or_else(|refusal| panic!("{refusal:?}\n{text}"));
        let theirs = rsip::Request::try_from(text.as_bytes()).unwrap();
        let via = theirs.via_header().unwrap().typed().unwrap();
        let from = theirs.from_header().unwrap().typed().unwrap();
        let Uri::Sip(uri) = ours.uri else { panic!("{text}") };
        let seen = (
            ours.method,
            uri.user.map(|user| String::from_utf8_lossy(user).into_owned()),
            uri.port,
            ours.via.port,
            String::from_utf8_lossy(ours.from_tag).into_owned(),
            ours.cseq,
            String::from_utf8_lossy(ours.call_id).into_owned(),
            ours.body,
        );
        let read = (
            Method::named(theirs.method.to_string().as_bytes()),
            theirs.uri.auth.as_ref().map(|auth| auth.user.clone()),
            theirs.uri.host_with_port.port.as_ref().map(|port| *port.value()),
            via.sent_by().port().map(|port| *port.value()),
            from.tag().map(|tag| tag.value().to_owned()).unwrap_or_default(),
            theirs.cseq_header().unwrap().typed().unwrap().seq,
            theirs.call_id_header().unwrap().value().to_owned(),
            theirs.body.as_slice(),
        );
        assert_eq!(seen, read, "{text}");
        assert_eq!(uri.host, theirs.uri.host_with_port.host.to_string().as_bytes(), "{text}");
        assert_eq!(ours.via.host, via.sent_by().host().to_string().as_bytes(), "{text}");
    }
}
