//! Phones that register and call.

use std::sync::Arc;

use runtime_contract::Redacted;
use runtime_contract::leg::{LegCommand, LegEvent, LegId};
use runtime_sip::{Algorithm, Config, ConnectionId, Input, Phone, Site};

use crate::bench::{Bench, PEER, SDP, address, header, request, to_tag};
use crate::challenges::{md5, param};

pub const PASSWORD: &str = "s3cret";

pub fn site(extensions: &[&str]) -> Site {
    let phone = |extension: &&str| Phone {
        extension: (*extension).into(),
        password: Redacted::new(PASSWORD.into()),
        name: None,
    };
    Site { phones: extensions.iter().map(phone).collect(), ..Site::default() }
}

/// An endpoint with phones, for which nobody is trusted by address.
pub fn bench_with(site: Site, change: impl FnOnce(&mut Config)) -> Bench {
    let mut bench = Bench::with(change);
    bench.trusted = false;
    bench.input(Input::Site(Arc::new(site)));
    bench
}

fn bench() -> Bench {
    bench_with(site(&["1001", "1002"]), |_| {})
}

/// A REGISTER of 1001; `extra` are whole lines.
fn register(cseq: u32, extra: &str) -> String {
    request("REGISTER", cseq, &format!("r{cseq}"), "", extra, "")
        .replace("Contact: <sip:3003@127.0.0.1:5070>\n", "")
        .replace("Call-ID: call", "Call-ID: register")
}

/// The same with credentials for a challenge.
pub fn with_credentials(text: &str, challenge: &str, user: &str, password: &str, nc: u32) -> String {
    let value = challenge.lines().rfind(|line| line.starts_with("WWW-Authenticate: ")).unwrap();
    let (realm, nonce) = (param(value, "realm"), param(value, "nonce"));
    assert_eq!(param(value, "algorithm"), "MD5", "the last of two");
    let (method, uri) = (text.split(' ').next().unwrap(), "sip:strowger");
    let nc = format!("{nc:08x}");
    let secret = md5(&[user, realm, password]);
    let response = md5(&[&secret, nonce, &nc, "c", "auth", &md5(&[method, uri])]);
    text.replace(
        "Max-Forwards",
        &format!(
            "Authorization: Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", \
             response=\"{response}\", cnonce=\"c\", qop=auth, nc={nc}\nMax-Forwards"
        ),
    )
}

/// Registers with a challenge in between; gives the last answer.
pub fn registers(bench: &mut Bench, cseq: u32, extra: &str) -> String {
    bench.say(&register(cseq, extra));
    let challenge = bench.one();
    assert!(challenge.starts_with("SIP/2.0 401 Unauthorized\n"), "{challenge}");
    bench.say(&with_credentials(&register(cseq + 1, extra), &challenge, "1001", PASSWORD, 1));
    bench.one()
}

fn contacts(answer: &str) -> Vec<&str> {
    answer.lines().filter_map(|line| line.strip_prefix("Contact: ")).collect()
}

#[test]
fn a_phone_registers_refreshes_and_goes() {
    let mut bench = bench();
    let ok = registers(&mut bench, 1, "Contact: <sip:1001@127.0.0.1:5070>;q=0.5, <sip:1001@10.0.0.9>;expires=120\n");
    assert!(ok.starts_with("SIP/2.0 200 OK\n"), "{ok}");
    assert_eq!(contacts(&ok), ["<sip:1001@127.0.0.1:5070>;expires=3600;q=0.500", "<sip:1001@10.0.0.9>;expires=120"]);
    assert_eq!(bench.endpoint.phones_registered(), 1);
    let ok = registers(&mut bench, 3, "Contact: <sip:1001@127.0.0.1:5070>\nExpires: 9999\n");
    assert_eq!(contacts(&ok)[1], "<sip:1001@127.0.0.1:5070>;expires=7200", "no longer than that");
    bench.wait_ms(119_000);
    assert_eq!(contacts(&registers(&mut bench, 5, "")).len(), 2, "a query");
    bench.wait_ms(1_100);
    assert_eq!(contacts(&registers(&mut bench, 7, "")).len(), 1);
    assert_eq!(bench.bindings.len(), 3, "each change is told");
    let ok = registers(&mut bench, 9, "Contact: *\nExpires: 0\n");
    assert_eq!((contacts(&ok).len(), bench.endpoint.phones_registered()), (0, 0));
    assert_eq!(bench.bindings.last().unwrap(), &("1001".to_owned(), Vec::new()));
    bench.wait_ms(7_200_000);
    bench.assert_empties();
}

#[test]
fn the_site_says_by_which_hashes_phones_may_sign_in() {
    let algorithms = vec![Algorithm::Sha256, Algorithm::Md5];
    let mut bench = bench_with(Site { algorithms, ..site(&["1001"]) }, |_| {});
    bench.say(&register(1, ""));
    let challenge = bench.one();
    let offered: Vec<_> = challenge.lines().filter(|line| line.starts_with("WWW-Authenticate: ")).collect();
    assert_eq!(offered.iter().map(|line| param(line, "algorithm")).collect::<Vec<_>>(), ["SHA-256", "MD5"]);
    bench.say(&with_credentials(&register(2, ""), &challenge, "1001", PASSWORD, 1));
    assert!(bench.one().starts_with("SIP/2.0 200 "));
    let mut bench = bench_with(Site { algorithms: vec![Algorithm::Sha256], ..site(&["1001"]) }, |_| {});
    bench.say(&register(1, ""));
    let challenge = bench.one().replace("SHA-256", "MD5");
    bench.say(&with_credentials(&register(2, ""), &challenge, "1001", PASSWORD, 1));
    assert!(bench.one().starts_with("SIP/2.0 401 "), "not by one that was not offered");
}

#[test]
fn what_is_wrong_with_a_register_has_its_answer() {
    let mut bench = bench();
    let mut cseq = 1;
    let mut status = |bench: &mut Bench, extra: &str| {
        let answer = registers(bench, cseq, extra);
        cseq += 2;
        answer
    };
    let contact = "Contact: <sip:1001@127.0.0.1:5070>";
    let brief = status(&mut bench, &format!("{contact};expires=59\n"));
    assert!(brief.starts_with("SIP/2.0 423 Interval Too Brief\n"), "{brief}");
    assert_eq!(header(&brief, "Min-Expires"), "60");
    for (extra, code) in [
        (format!("{contact};expires=60\n"), "200"),
        ("Contact: *\n".to_owned(), "400"),
        ("Contact: *, <sip:a@b>\nExpires: 0\n".to_owned(), "400"),
        ("Contact: <tel:+1>\n".to_owned(), "400"),
        (format!("{contact};q=7\n"), "400"),
        ("Require: path\n".to_owned(), "420"),
    ] {
        if code == "420" {
            bench.say(&register(99, &extra));
            assert!(bench.one().starts_with("SIP/2.0 420 "));
        } else {
            let answer = status(&mut bench, &extra);
            assert!(answer.starts_with(&format!("SIP/2.0 {code} ")), "{extra}{answer}");
        }
    }
    // Somebody else's extension.
    let other = |cseq| register(cseq, &format!("{contact}\n")).replace("To: <sip:1001@", "To: <sip:1002@");
    bench.say(&other(50));
    let challenge = bench.one();
    bench.say(&with_credentials(&other(51), &challenge, "1001", PASSWORD, 1));
    assert!(bench.one().starts_with("SIP/2.0 403 "));
    // An older order of the same Call-ID.
    let old = |cseq| register(cseq, &format!("{contact}\n")).replace("z9hG4bKr", "z9hG4bKold");
    bench.say(&old(1));
    let challenge = bench.one();
    bench.say(&with_credentials(&old(2), &challenge, "1001", PASSWORD, 1));
    assert!(bench.one().starts_with("SIP/2.0 500 "));
}

#[test]
fn a_wrong_password_and_an_unknown_user_are_the_same() {
    let talk = |user: &str| {
        let mut bench = bench();
        let mut said = Vec::new();
        for cseq in 1..8 {
            let text = |cseq| register(cseq, "").replace("3003@", &format!("{user}@"));
            bench.say(&text(2 * cseq));
            let challenge = bench.one();
            said.push(challenge.lines().next().unwrap().to_owned());
            bench.say(&with_credentials(&text(2 * cseq + 1), &challenge, user, "guess", 1));
            let answer = bench.one();
            let wait = answer.lines().find(|line| line.starts_with("Retry-After")).unwrap_or_default();
            said.push(format!("{} {wait}", answer.lines().next().unwrap()));
        }
        said
    };
    let known = talk("1001");
    assert_eq!(known, talk("9999"));
    assert_eq!(known[1], "SIP/2.0 401 Unauthorized ");
    assert_eq!(known.last().unwrap(), "SIP/2.0 403 Forbidden Retry-After: 2");
}

#[test]
fn who_only_tries_gets_silence() {
    let mut bench = bench();
    for n in 0..100 {
        bench.say(
            &request("INVITE", 1, &format!("s{n}"), "", "", SDP).replace("Call-ID: call", &format!("Call-ID: {n}")),
        );
        assert!(bench.one().starts_with("SIP/2.0 403 "), "{n}");
    }
    bench.say(&request("INVITE", 1, "s", "", "", SDP));
    bench.say(&request("OPTIONS", 1, "o", "", "", ""));
    bench.say("INVITE sip:x SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK1\n\n");
    assert!(bench.sent.is_empty());
    // Trunks are never silenced.
    bench.trusted = true;
    bench.say(&request("OPTIONS", 2, "o2", "", "", ""));
    assert!(bench.one().starts_with("SIP/2.0 200 "));
    bench.trusted = false;
    bench.wait_ms(601_000);
    bench.say(&request("OPTIONS", 3, "o3", "", "", ""));
    assert!(bench.one().starts_with("SIP/2.0 200 "));
}

#[test]
fn phones_come_in_though_others_had_their_network_silenced() {
    let contact = "Contact: <sip:1001@127.0.0.1:5070>\n";
    let invite =
        |n| request("INVITE", 1, &format!("s{n}"), "", "", SDP).replace("Call-ID: call", &format!("Call-ID: {n}"));
    let forged: [(u32, &dyn Fn(u32) -> String); 2] = [(100, &invite), (1_000, &|n| register(n + 10, ""))];
    for (count, text) in forged {
        let mut bench = bench();
        for n in 0..count {
            bench.say(&text(n));
            bench.one();
        }
        bench.say(&request("OPTIONS", 1, "o", "", "", ""));
        assert!(bench.sent.is_empty());
        bench.say(&register(1, contact));
        let challenge = bench.one();
        assert!(challenge.starts_with("SIP/2.0 401 "), "{challenge}");
        bench.say(&register(2, contact));
        assert!(bench.sent.is_empty(), "one a second is asked");
        let made_up = challenge.replace(param(header(&challenge, "WWW-Authenticate"), "nonce"), &"0".repeat(64));
        bench.say(&with_credentials(&register(3, contact), &made_up, "1001", PASSWORD, 1));
        assert!(bench.sent.is_empty(), "a nonce must be ours");
        bench.wait_ms(1_000);
        bench.say(&register(4, contact));
        assert!(bench.one().starts_with("SIP/2.0 401 "));
        bench.say(&with_credentials(&register(5, contact), &challenge, "1001", PASSWORD, 1));
        assert!(bench.one().starts_with("SIP/2.0 200 "));
        bench.say(&request("OPTIONS", 2, "o2", "", "", ""));
        assert!(bench.one().starts_with("SIP/2.0 200 "), "and all is forgotten");
    }
}

#[test]
fn a_registered_phone_calls_as_its_extension() {
    let mut bench = bench();
    let invite = |cseq: u32| request("INVITE", cseq, &format!("i{cseq}"), "", "", SDP).replace("5070>", "5999>");
    bench.say(&invite(1));
    assert!(bench.one().starts_with("SIP/2.0 403 "), "nobody is registered from there");
    registers(&mut bench, 1, "Contact: <sip:1001@127.0.0.1:5070>\n");
    bench.say(&invite(2));
    let challenge = bench.one();
    assert!(challenge.starts_with("SIP/2.0 401 "));
    bench.say(&with_credentials(&invite(3), &challenge, "1001", PASSWORD, 1));
    let Some(LegEvent::Incoming(incoming)) = bench.events.pop() else { panic!() };
    assert_eq!(incoming.caller.unwrap().reveal(), "1001", "whatever its From says");
    bench.answer(1);
    let tag = to_tag(&bench.one()).to_owned();
    bench.say(&request("ACK", 3, "a3", &tag, "", ""));
    bench.command(LegCommand::HangUp { leg: LegId(1) });
    assert_eq!(bench.sent[0].0, address(PEER), "where it was seen, not where its Contact says");
    assert!(bench.one().starts_with("BYE sip:3003@127.0.0.1:5999 "));
    // The nonce is spent with this count.
    bench.say(&with_credentials(&invite(4).replace("Call-ID: call", "Call-ID: b"), &challenge, "1001", PASSWORD, 1));
    let stale = bench.one();
    assert!(stale.starts_with("SIP/2.0 401 ") && stale.contains("stale=true"));
    bench.say(&with_credentials(&invite(5).replace("Call-ID: call", "Call-ID: c"), &stale, "1001", PASSWORD, 7));
    assert_eq!(bench.said().last().unwrap(), "incoming 2");
}

#[test]
fn a_phone_that_moves_within_a_call_is_followed() {
    let called = |bench: &mut Bench| {
        registers(bench, 1, "Contact: <sip:1001@127.0.0.1:5070>\n");
        bench.say(&request("INVITE", 1, "i1", "", "", SDP));
        let challenge = bench.one();
        bench.say(&with_credentials(&request("INVITE", 2, "i2", "", "", SDP), &challenge, "1001", PASSWORD, 1));
        bench.answer(1);
        let tag = to_tag(&bench.one()).to_owned();
        bench.say(&request("ACK", 2, "a2", &tag, "", ""));
        bench.said();
        tag
    };
    for (source, cseq, to) in
        [("127.0.0.1:5099", 3, "127.0.0.1:5099"), ("127.0.0.1:5099", 2, PEER), ("127.0.0.9:5070", 3, PEER)]
    {
        let mut bench = bench();
        let tag = called(&mut bench);
        let bytes = crate::bench::crlf(&request("OPTIONS", cseq, "o3", &tag, "", ""));
        let (source, local) = (address(source), address(crate::bench::LOCAL));
        bench.input(Input::Datagram { source, local, bytes: bytes.as_bytes(), trusted: false });
        let news = if to == PEER { vec![] } else { vec!["dialog 1".to_owned()] };
        assert_eq!(bench.said(), news, "{source} {cseq}");
        bench.sent.clear();
        bench.command(LegCommand::HangUp { leg: LegId(1) });
        assert_eq!(bench.sent[0].0, address(to), "{source} {cseq}");
    }
}

#[test]
fn a_phone_that_calls_over_a_connection_is_reached_when_that_is_gone() {
    let tcp = |text: String| text.replace("SIP/2.0/UDP", "SIP/2.0/TCP");
    for again in [false, true] {
        let mut bench = bench();
        registers(&mut bench, 1, "Contact: <sip:1001@127.0.0.1:5070>\n");
        let accept = |bench: &mut Bench, id: u64| {
            let source = address(&format!("127.0.0.1:{}", 40_000 + id));
            let local = address(crate::bench::LOCAL);
            bench.input(Input::Accepted { connection: ConnectionId(id), source, local });
            ConnectionId(id)
        };
        let first = accept(&mut bench, 0);
        bench.stream(first, &tcp(request("INVITE", 1, "i1", "", "", SDP)));
        let challenge = bench.one_on(first);
        let invite = tcp(request("INVITE", 2, "i2", "", "", SDP));
        bench.stream(first, &with_credentials(&invite, &challenge, "1001", PASSWORD, 1));
        bench.answer(1);
        let tag = to_tag(&bench.one_on(first)).to_owned();
        bench.stream(first, &tcp(request("ACK", 2, "a2", &tag, "", "")));
        let info = request("INFO", 3, "f3", &tag, "", "").replace(&format!("Contact: <sip:3003@{PEER}>\n"), "");
        bench.stream(first, &tcp(info));
        assert!(bench.one_on(first).starts_with("SIP/2.0 200 "), "it says nothing of where it listens");
        let reached = if again {
            let second = accept(&mut bench, 1);
            bench.stream(second, &tcp(request("OPTIONS", 4, "o4", &tag, "", "")));
            bench.written.clear();
            second
        } else {
            ConnectionId(ConnectionId::OURS_FIRST)
        };
        bench.input(Input::Closed { connection: first });
        bench.command(LegCommand::HangUp { leg: LegId(1) });
        assert!(bench.one_on(reached).starts_with("BYE "));
        let asked = if again { vec![] } else { vec![(reached, address(PEER))] };
        assert_eq!(bench.connects, asked, "where its Contact says, not the port that it came from");
    }
}

#[test]
fn bindings_come_back_after_a_restart_and_go_with_the_phone() {
    let mut first = bench();
    registers(&mut first, 1, "Contact: <sip:1001@127.0.0.1:5070>;expires=100\n");
    let (phone, bindings) = first.bindings.pop().unwrap();
    let mut second = bench();
    second.input(Input::Bindings { phone: &phone, bindings: &bindings, age_ms: 40_000 });
    second.input(Input::Bindings { phone: "nobody", bindings: &bindings, age_ms: 0 });
    assert_eq!(second.endpoint.phones_registered(), 1);
    assert_eq!(contacts(&registers(&mut second, 10, "")), ["<sip:1001@127.0.0.1:5070>;expires=60"]);
    second.bindings.clear();
    second.input(Input::Site(Arc::new(site(&["1002"]))));
    assert_eq!((second.endpoint.phones_registered(), second.bindings.len()), (0, 1));
    second.assert_empties();
}
