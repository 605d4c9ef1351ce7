//! What we ask of trunks when nobody calls.

use std::sync::Arc;

use runtime_contract::leg::LegEvent;
use runtime_sip::{Input, Site, Trunk};

use crate::bench::{Bench, SDP, header, request, response};
use crate::challenges::{challenge, trunk, with_trunks};

const CHALLENGE: &str = "WWW-Authenticate: Digest realm=\"carrier\", nonce=\"n1\", qop=\"auth\", algorithm=MD5\n";

fn registering() -> Bench {
    let mut bench = with_trunks(vec![Trunk { register_s: Some(600), ..trunk("carrier") }]);
    bench.wait_ms(10);
    bench
}

fn with(answer: &str, line: &str) -> String {
    answer.replace("Contact: <sip:1001@127.0.0.1:5070>\n", line)
}

/// What was sent last, with LF; it may have been repeated.
fn last(bench: &mut Bench) -> String {
    bench.sent.drain(..).next_back().unwrap().1.replace("\r\n", "\n")
}

#[test]
fn we_register_refresh_and_leave() {
    let mut bench = registering();
    let first = bench.one();
    assert!(first.starts_with("REGISTER sip:carrier.example SIP/2.0\n"), "{first}");
    assert_eq!((header(&first, "Expires"), header(&first, "Contact")), ("600", "<sip:4711@127.0.0.1:5060>"));
    assert_eq!(header(&first, "To"), "<sip:4711@carrier.example>");
    bench.say(&challenge(&first, 401, CHALLENGE));
    let again = bench.one();
    assert!(again.contains("\nAuthorization: Digest username=\"4711\""));
    let line = "Contact: <sip:4711@127.0.0.1:5060>;expires=120\n";
    bench.say(&with(&response(&again, 200, "far", ""), line));
    assert_eq!(bench.trunks, ["carrier up"]);
    bench.wait_ms(59_000);
    assert!(bench.sent.is_empty());
    bench.wait_ms(1_100);
    let refresh = bench.one();
    assert_eq!((header(&refresh, "CSeq"), header(&refresh, "Call-ID")), ("3 REGISTER", header(&first, "Call-ID")));
    bench.say(&with(&response(&refresh, 200, "far", ""), line));
    bench.input(Input::Drain);
    let leave = bench.one();
    assert_eq!((header(&leave, "Expires"), header(&leave, "CSeq")), ("0", "4 REGISTER"));
    bench.say(&challenge(&leave, 401, CHALLENGE));
    let leave = bench.one();
    assert_eq!(header(&leave, "CSeq"), "5 REGISTER");
    bench.say(&response(&leave, 200, "far", ""));
    assert_eq!(bench.trunks.len(), 1);
    bench.assert_empties();
}

#[test]
fn a_registration_that_fails_is_tried_again_later_and_later() {
    let mut bench = registering();
    bench.wait_ms(33_000);
    assert_eq!(bench.trunks, ["carrier down: it does not answer our REGISTER"]);
    bench.sent.clear();
    bench.wait_ms(29_000);
    assert!(bench.sent.is_empty());
    bench.wait_ms(6_100);
    let again = last(&mut bench);
    bench.say(&response(&again, 403, "far", ""));
    assert!(bench.endpoint.trunks().next().unwrap().why.contains("user or password (403)"));
    bench.wait_ms(59_900);
    assert!(bench.sent.is_empty(), "twice as long");
    bench.wait_ms(5_100);
    let again = last(&mut bench);
    bench.say(&with(&response(&again, 423, "far", ""), "Min-Expires: 1800\n"));
    let longer = bench.one();
    assert_eq!(header(&longer, "Expires"), "1800");
    bench.say(&response(&longer, 200, "far", ""));
    assert_eq!(bench.trunks.last().unwrap(), "carrier up");
    // Another address of the same name is no other trunk.
    let mut moved = Trunk { register_s: Some(600), ..trunk("carrier") };
    moved.addresses.push(crate::bench::address("127.0.0.7:5060"));
    bench.input(Input::Site(Arc::new(Site { trunks: vec![moved], ..Site::default() })));
    bench.wait_ms(10);
    assert!(bench.sent.is_empty());
    // The operator takes it away: we leave.
    bench.input(Input::Site(Arc::new(Site::default())));
    assert_eq!(header(&bench.one(), "Expires"), "0");
    bench.wait_ms(2_000_000);
    bench.assert_empties();
}

#[test]
fn trunks_are_asked_whether_they_are_there() {
    let mut bench = with_trunks(vec![Trunk { probe_s: Some(10), ..trunk("carrier") }, trunk("quiet")]);
    bench.wait_ms(10);
    let options = bench.one();
    assert!(options.starts_with("OPTIONS sip:carrier.example SIP/2.0\n"));
    bench.say(&response(&options, 404, "far", ""));
    assert_eq!(bench.trunks, ["carrier up"], "any answer will do");
    bench.wait_ms(10_100);
    let options = bench.one();
    bench.say(&response(&options, 503, "far", ""));
    assert_eq!(bench.trunks[1..], ["carrier down: it answers OPTIONS with 503"]);
    bench.wait_ms(10_100);
    let options = bench.sent.pop().unwrap().1.replace("\r\n", "\n");
    bench.say(&response(&options, 200, "far", ""));
    bench.sent.clear();
    bench.wait_ms(21_000);
    assert_eq!(bench.trunks[2..], ["carrier up", "carrier down: it does not answer OPTIONS"], "in time");
    let status: Vec<_> = bench.endpoint.trunks().map(|trunk| (trunk.name, trunk.up, trunk.registered)).collect();
    assert_eq!(status, [("carrier".to_owned(), false, None), ("quiet".to_owned(), true, None)]);
    bench.input(Input::Drain);
    bench.assert_empties();

    let lost = Trunk { addresses: Vec::new(), ..trunk("lost") };
    let bench = with_trunks(vec![lost]);
    assert_eq!(bench.trunks, ["lost down: its host has no address"]);
}

#[test]
fn a_trunk_that_is_believed_says_who_calls_and_nobody_else_does() {
    const ASSERTED: &str = "P-Asserted-Identity: \"Ann\" <sip:+8613800000000@carrier.example;user=phone>\n";
    const BOTH: &str = "P-Asserted-Identity: <sip:77@carrier.example>, <tel:+8613800000000>\n";
    let caller = |site: Site, headers: &str| {
        let mut bench = Bench::new();
        bench.input(Input::Site(Arc::new(site)));
        bench.say(&request("INVITE", 1, "i1", "", headers, SDP));
        let LegEvent::Incoming(incoming) = bench.events.remove(0) else { panic!() };
        incoming.caller.map(|caller| caller.reveal().clone())
    };
    let believed = || Site { trunks: vec![Trunk { identity: true, ..trunk("carrier") }], ..Site::default() };
    let by_network =
        || Site { identity_from: vec![(std::net::Ipv4Addr::new(127, 0, 0, 0).into(), 8)], ..Site::default() };
    for site in [believed, by_network] {
        assert_eq!(caller(site(), ASSERTED).as_deref(), Some("+8613800000000"));
        assert_eq!(caller(site(), BOTH).as_deref(), Some("+8613800000000"), "a number before a name");
        assert_eq!(caller(site(), "").as_deref(), Some("3003"), "From, where nothing is asserted");
        assert_eq!(caller(site(), "P-Asserted-Identity: <<\n").as_deref(), Some("3003"));
        assert_eq!(caller(site(), &format!("{ASSERTED}Privacy: user; ID\n")), None);
        assert_eq!(caller(site(), &format!("{ASSERTED}Privacy: none\n")).as_deref(), Some("+8613800000000"));
    }
    let strangers = [
        Site { trunks: vec![trunk("carrier")], ..Site::default() },
        Site { identity_from: vec![(std::net::Ipv4Addr::new(10, 0, 0, 0).into(), 8)], ..Site::default() },
    ];
    for site in strangers {
        assert_eq!(caller(site.clone(), ASSERTED).as_deref(), Some("3003"));
        assert_eq!(caller(site, "Privacy: id\n").as_deref(), Some("3003"), "it says nothing of From");
    }
}
