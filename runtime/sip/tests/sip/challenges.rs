//! Requests of ours that are challenged.

use std::sync::Arc;

use md5::{Digest, Md5};
use runtime_contract::Redacted;
use runtime_contract::leg::{LegCommand, LegId, Target};
use runtime_sip::{Account, Input, Site, Transport, Trunk};

use crate::bench::{Bench, LOCAL, MEDIA, PEER, RING_MS, SDP, address, crlf, header, response};

const LEG: u64 = 1 << 63;
const CHALLENGE: &str =
    "Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"n1\", qop=\"auth\", algorithm=MD5, opaque=\"o\"\n";

pub fn trunk(name: &str) -> Trunk {
    Trunk {
        name: name.into(),
        addresses: vec![address(PEER)],
        transport: Transport::Udp,
        host: "carrier.example".into(),
        account: Some(Account { user: "4711".into(), password: Redacted::new("secret".into()) }),
        register_s: None,
        probe_s: None,
        prefixes: Vec::new(),
        from: None,
        identity: false,
    }
}

pub fn with_trunks(trunks: Vec<Trunk>) -> Bench {
    let mut bench = Bench::new();
    bench.input(Input::Site(Arc::new(Site { trunks, ..Site::default() })));
    bench
}

/// A refusal with a challenge in it.
pub fn challenge(request: &str, code: u16, line: &str) -> String {
    response(request, code, "far", "").replace("Content-Length", &format!("{line}Content-Length"))
}

pub fn md5(parts: &[&str]) -> String {
    Md5::digest(parts.join(":")).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Value of a parameter of a challenge or of credentials.
pub fn param<'a>(value: &'a str, name: &str) -> &'a str {
    let from = value.split(&format!("{name}=")).nth(1).unwrap_or_else(|| panic!("no {name} in {value}"));
    from.split(',').next().unwrap().trim_matches('"')
}

/// The credentials are those of the account, for this use of this nonce.
fn assert_answers(request: &str, name: &str, nonce: &str, nc: &str) {
    let value = header(request, name);
    let (method, uri) = (request.split(' ').next().unwrap(), request.split(' ').nth(1).unwrap());
    assert_eq!((param(value, "username"), param(value, "nonce"), param(value, "nc")), ("4711", nonce, nc));
    assert_eq!(param(value, "uri"), uri);
    let secret = md5(&["4711", "carrier", "secret"]);
    let expected = md5(&[&secret, nonce, nc, param(value, "cnonce"), "auth", &md5(&[method, uri])]);
    assert_eq!(param(value, "response"), expected);
}

#[test]
fn an_invite_is_sent_again_with_credentials() {
    let mut bench = with_trunks(vec![trunk("carrier")]);
    bench.dial(LEG);
    let invite = bench.one();
    bench.say(&challenge(&invite, 407, CHALLENGE));
    let (ack, again) = (bench.sent.remove(0).1.replace("\r\n", "\n"), bench.one());
    assert!(ack.starts_with("ACK ") && header(&ack, "CSeq") == "1 ACK");
    assert_eq!((header(&again, "CSeq"), header(&again, "Call-ID")), ("2 INVITE", header(&invite, "Call-ID")));
    assert_eq!((header(&again, "From"), header(&again, "To")), (header(&invite, "From"), header(&invite, "To")));
    assert_ne!(header(&again, "Via"), header(&invite, "Via"));
    assert_eq!(param(header(&again, "Proxy-Authorization"), "opaque"), "o");
    assert_answers(&again, "Proxy-Authorization", "n1", "00000001");
    bench.say(&challenge(&invite, 407, CHALLENGE));
    assert_eq!(bench.one(), ack, "the old refusal again gets its ACK again, and nothing more");
    bench.wait_ms(600);
    assert_eq!(bench.one(), again, "without an answer it is repeated");
    bench.say(&response(&again, 180, "far", ""));
    bench.say(&response(&again, 200, "far", SDP));
    assert!(bench.one().contains("\nCSeq: 2 ACK\n"));
    assert_eq!(bench.said().last().unwrap(), "up 9223372036854775808");

    bench.command(LegCommand::HangUp { leg: LegId(LEG) });
    let bye = bench.one();
    assert_eq!(header(&bye, "CSeq"), "3 BYE");
    let other = CHALLENGE.replace("Proxy-Authenticate", "WWW-Authenticate");
    bench.say(&challenge(&bye, 401, &other));
    let again = bench.one();
    assert_eq!(header(&again, "CSeq"), "4 BYE");
    assert_answers(&again, "Authorization", "n1", "00000002");
    bench.say(&response(&again, 200, "", ""));
    bench.wait_ms(1_000);
    assert!(bench.sent.is_empty());
    bench.assert_empties();
}

#[test]
fn nobody_is_asked_round_in_circles() {
    let mut bench = with_trunks(vec![trunk("carrier")]);
    bench.dial(LEG);
    let invite = bench.one();
    bench.say(&challenge(&invite, 407, CHALLENGE));
    let second = bench.sent.pop().unwrap().1.replace("\r\n", "\n");
    bench.say(&challenge(&second, 407, &CHALLENGE.replace("n1", "n2")));
    assert_eq!(bench.said(), ["gone 9223372036854775808 Refused(407)"], "the password was wrong");
    bench.sent.clear();

    bench.dial(LEG + 1);
    let mut request = bench.one();
    for nonce in ["n3", "n4"] {
        let line = CHALLENGE.replace("n1", nonce).replace("MD5", "MD5, stale=true");
        bench.say(&challenge(&request, 407, &line));
        request = bench.sent.pop().unwrap().1.replace("\r\n", "\n");
        assert_answers(&request, "Proxy-Authorization", nonce, "00000001");
        bench.sent.clear();
    }
    bench.say(&challenge(&request, 407, &CHALLENGE.replace("MD5", "MD5, stale=true")));
    assert_eq!(bench.said(), ["gone 9223372036854775809 Refused(407)"], "however stale it calls the nonce");
    bench.assert_empties();
}

#[test]
fn strangers_get_no_credentials() {
    let mut other = trunk("other");
    (other.addresses, other.host) = (vec![address("127.0.0.9:5060")], "other.example".into());
    let mut nothing = trunk("nothing");
    nothing.account = None;
    for trunks in [vec![], vec![other], vec![nothing]] {
        let mut bench = with_trunks(trunks);
        bench.dial(LEG);
        let invite = bench.one();
        bench.say(&challenge(&invite, 407, CHALLENGE));
        assert_eq!(bench.said(), ["gone 9223372036854775808 Refused(407)"]);
        bench.assert_empties();
    }
    // What we cannot compute is a refusal too.
    let mut bench = with_trunks(vec![trunk("carrier")]);
    bench.dial(LEG);
    let invite = bench.one();
    bench.say(&challenge(&invite, 407, &CHALLENGE.replace("MD5", "SHA3-512")));
    assert_eq!(bench.said(), ["gone 9223372036854775808 Refused(407)"]);
}

/// A call by a carrier that is told who calls, and its INVITE.
fn dialled_by_carrier() -> (Bench, String) {
    let mut bench = with_trunks(vec![Trunk { identity: true, ..trunk("carrier") }]);
    let target = Target::Number(Redacted::new("+431".to_owned()));
    let (leg, from) = (LegId(LEG), Some(Redacted::new("2002".to_owned())));
    bench.command(LegCommand::Dial { leg, target, from, ring_ms: RING_MS, media: address(MEDIA) });
    let invite = bench.one();
    assert!(invite.contains("P-Asserted-Identity"));
    (bench, invite)
}

/// The same; its callee sends it to somebody else, in the carrier's name.
fn sent_on() -> (Bench, String) {
    let (mut bench, invite) = dialled_by_carrier();
    let moved = response(&invite, 302, "r", "");
    bench.say(&moved.replace(&format!("1001@{PEER}"), "x@carrier.example;maddr=127.0.0.66"));
    let (to, again) = bench.sent.pop().unwrap();
    bench.sent.clear();
    assert_eq!(to, address("127.0.0.66:5060"));
    (bench, again.replace("\r\n", "\n"))
}

/// What was sent last, with LF.
fn last(bench: &mut Bench) -> String {
    bench.sent.pop().unwrap().1.replace("\r\n", "\n")
}

/// The same as [`Bench::say`], from another host.
fn say_from(bench: &mut Bench, source: &str, text: &str) {
    let (source, local) = (address(source), address(LOCAL));
    bench.input(Input::Datagram { source, local, bytes: crlf(text).as_bytes(), trusted: false });
}

#[test]
fn whoever_a_callee_points_to_gets_neither_credentials_nor_the_caller() {
    let other = "127.0.0.66:5060";
    let (mut bench, invite) = sent_on();
    assert!(!invite.contains("P-Asserted-Identity"), "{invite}");
    say_from(&mut bench, other, &challenge(&invite, 407, CHALLENGE));
    assert_eq!(bench.said(), ["gone 9223372036854775808 Refused(407)"]);
    assert!(bench.sent.iter().all(|(_, text)| !text.contains("Authorization")));
    // Nor when it answers, and asks later.
    let (mut bench, invite) = sent_on();
    let contact = "Contact: <sip:x@127.0.0.66>";
    let ok = response(&invite, 200, "far", SDP).replace(&format!("Contact: <sip:1001@{PEER}>"), contact);
    say_from(&mut bench, other, &ok);
    bench.sent.clear();
    bench.command(LegCommand::Hold { leg: LegId(LEG), on: true });
    let hold = bench.one();
    say_from(&mut bench, other, &challenge(&hold, 407, CHALLENGE));
    bench.command(LegCommand::HangUp { leg: LegId(LEG) });
    let bye = last(&mut bench);
    assert!(bye.starts_with("BYE "));
    say_from(&mut bench, other, &challenge(&bye, 407, CHALLENGE));
    assert!(bench.sent.iter().all(|(_, text)| !text.contains("Authorization")), "{:?}", bench.sent);
}

#[test]
fn a_carrier_that_is_asked_after_a_stranger_is_told_who_calls() {
    let (mut bench, invite) = dialled_by_carrier();
    let contacts = format!("<sip:x@127.0.0.66>;q=0.9, <sip:y@{PEER}>;q=0.1");
    bench.say(&response(&invite, 302, "r", "").replace(&format!("<sip:1001@{PEER}>"), &contacts));
    let stranger = last(&mut bench);
    assert!(stranger.starts_with("INVITE sip:x@127.0.0.66 "), "{stranger}");
    assert!(!stranger.contains("P-Asserted-Identity"), "{stranger}");
    say_from(&mut bench, "127.0.0.66:5060", &response(&stranger, 486, "s", ""));
    let back = last(&mut bench);
    assert!(back.starts_with(&format!("INVITE sip:y@{PEER} ")), "{back}");
    assert_eq!(header(&back, "P-Asserted-Identity"), header(&invite, "P-Asserted-Identity"));
}

#[test]
fn a_carrier_may_name_another_host_for_what_follows() {
    let mut bench = with_trunks(vec![trunk("carrier")]);
    bench.dial(LEG);
    let invite = bench.one();
    bench.say(&response(&invite, 200, "far", SDP).replace(&format!("1001@{PEER}"), "x@127.0.0.7"));
    bench.sent.clear();
    bench.command(LegCommand::Hold { leg: LegId(LEG), on: true });
    let hold = bench.one();
    assert!(hold.starts_with("INVITE sip:x@127.0.0.7 "), "{hold}");
    say_from(&mut bench, "127.0.0.7:5060", &challenge(&hold, 407, CHALLENGE));
    assert_answers(&last(&mut bench), "Proxy-Authorization", "n1", "00000001");
    bench.command(LegCommand::HangUp { leg: LegId(LEG) });
    let bye = last(&mut bench);
    assert!(bye.starts_with("BYE sip:x@127.0.0.7 "), "{bye}");
    say_from(&mut bench, "127.0.0.7:5060", &challenge(&bye, 407, CHALLENGE));
    let again = last(&mut bench);
    assert!(again.starts_with("BYE "), "{again}");
    assert_answers(&again, "Proxy-Authorization", "n1", "00000002");
}

#[test]
fn a_call_ends_where_it_began_though_the_trunk_has_moved() {
    let mut bench = with_trunks(vec![trunk("carrier")]);
    bench.dial(LEG);
    let invite = bench.one();
    bench.say(&response(&invite, 200, "far", SDP));
    bench.sent.clear();
    let moved = Trunk { addresses: vec![address("127.0.0.9:5060")], ..trunk("carrier") };
    bench.input(Input::Site(Arc::new(Site { trunks: vec![moved], ..Site::default() })));
    bench.command(LegCommand::HangUp { leg: LegId(LEG) });
    let bye = bench.one();
    bench.say(&challenge(&bye, 407, CHALLENGE));
    assert_answers(&bench.one(), "Proxy-Authorization", "n1", "00000001");
}

#[test]
fn a_call_given_up_is_not_placed_again() {
    let mut bench = with_trunks(vec![trunk("carrier")]);
    bench.dial(LEG);
    let invite = bench.one();
    bench.command(LegCommand::HangUp { leg: LegId(LEG) });
    bench.say(&challenge(&invite, 407, CHALLENGE));
    assert!(bench.one().starts_with("ACK "));
    bench.assert_empties();
}

#[test]
fn the_repeated_invite_can_be_cancelled() {
    let mut bench = with_trunks(vec![trunk("carrier")]);
    bench.dial(LEG);
    let invite = bench.one();
    bench.say(&challenge(&invite, 407, CHALLENGE));
    let again = bench.sent.pop().unwrap().1.replace("\r\n", "\n");
    bench.sent.clear();
    bench.say(&response(&again, 180, "far", ""));
    bench.command(LegCommand::HangUp { leg: LegId(LEG) });
    let cancel = bench.one();
    assert_eq!((header(&cancel, "CSeq"), header(&cancel, "Via")), ("2 CANCEL", header(&again, "Via")));
    bench.say(&response(&cancel, 200, "", ""));
    bench.say(&response(&again, 487, "far", ""));
    bench.assert_empties();
}
