//! Legs that are given away by REFER, and keys that come by INFO.

use runtime_contract::Redacted;
use runtime_contract::leg::{LegCommand, LegId, Target};

use crate::bench::{Bench, PEER, address, established, header, request, response};

fn number() -> Target {
    Target::Number(Redacted::new("+442079460000".to_owned()))
}

/// What the far side does: the bench, our tag, our REFER.
type Refuse = &'static dyn Fn(&mut Bench, &str, &str);

/// A call that came in and is given away: our tag, and our REFER.
fn referred(bench: &mut Bench) -> (String, String) {
    let tag = established(bench);
    bench.command(LegCommand::Transfer { leg: LegId(1), target: number() });
    (tag, bench.one())
}

fn notify(cseq: u32, tag: &str, state: &str, body: &str) -> String {
    let extra = format!("Event: refer\nSubscription-State: {state}\n");
    let text = request("NOTIFY", cseq, &format!("n{cseq}"), tag, &extra, body);
    text.replace("application/sdp", "message/sipfrag;version=2.0")
}

#[test]
fn whoever_takes_the_call_has_it() {
    let mut bench = Bench::new();
    let (tag, refer) = referred(&mut bench);
    assert!(refer.starts_with("REFER sip:3003@127.0.0.1:5070 SIP/2.0\n"));
    assert_eq!(header(&refer, "Refer-To"), format!("<sip:+442079460000@{PEER}>"));
    assert_eq!(header(&refer, "Referred-By"), "<sip:1001@127.0.0.1:5060>");
    assert_eq!(header(&refer, "Contact"), "<sip:127.0.0.1:5060>");
    bench.say(&response(&refer, 202, "", ""));
    bench.say(&notify(2, &tag, "active;expires=60", "SIP/2.0 100 Trying\n"));
    bench.say(&notify(3, &tag, "active;expires=60", "SIP/2.0 180 Ringing\n"));
    assert_eq!(bench.first_lines(), ["SIP/2.0 200 OK", "SIP/2.0 200 OK"]);
    assert!(bench.said().is_empty());
    bench.say(&notify(4, &tag, "terminated;reason=noresource", "SIP/2.0 200 OK\nTo: <sip:x@y>\n"));
    assert_eq!(bench.first_lines(), ["SIP/2.0 200 OK", "BYE sip:3003@127.0.0.1:5070 SIP/2.0"]);
    assert_eq!(bench.said(), ["gone 1 Transferred"]);
    bench.assert_empties();
}

#[test]
fn to_whom() {
    let refer_to = |target| {
        let mut bench = Bench::new();
        established(&mut bench);
        bench.command(LegCommand::Transfer { leg: LegId(1), target });
        let refer = bench.one();
        bench.command(LegCommand::HangUp { leg: LegId(1) });
        bench.assert_empties();
        header(&refer, "Refer-To").to_owned()
    };
    assert_eq!(refer_to(Target::Extension(Redacted::new("10 1".to_owned()))), "<sip:10%201@127.0.0.1:5060>");
    let uri = Redacted::new("sip:a@b;x=y".to_owned());
    assert_eq!(refer_to(Target::Address { uri, peer: address(PEER) }), "<sip:a@b;x=y>");
}

#[test]
fn a_transfer_that_comes_to_nothing_leaves_the_call() {
    let refused: [(&str, Refuse); 5] = [
        ("405", &|bench, _, refer| bench.say(&response(refer, 405, "", ""))),
        ("486", &|bench, tag, refer| {
            bench.say(&response(refer, 202, "", ""));
            bench.say(&notify(2, tag, "terminated", "SIP/2.0 486 Busy Here\n"));
        }),
        ("408", &|bench, tag, _| bench.say(&notify(2, tag, "terminated;reason=timeout", "SIP/2.0 100 Trying\n"))),
        ("408", &|bench, _, refer| {
            bench.say(&response(refer, 202, "", ""));
            bench.wait_ms(181_000);
        }),
        ("408", &|bench, _, _| bench.wait_ms(33_000)),
    ];
    for (status, refuse) in refused {
        let mut bench = Bench::new();
        let (tag, refer) = referred(&mut bench);
        refuse(&mut bench, &tag, &refer);
        assert_eq!(bench.said(), [format!("transfer failed 1 {status}")]);
        bench.sent.clear();
        bench.say(&notify(8, &tag, "active", "SIP/2.0 200 OK\n"));
        assert!(bench.one().starts_with("SIP/2.0 481 "), "nothing is going on any more");
        // And once more, with a better end.
        bench.command(LegCommand::Transfer { leg: LegId(1), target: number() });
        let again = bench.one();
        bench.say(&response(&again, 202, "", "").replace("Contact", "Refer-Sub: false\nContact"));
        assert_eq!(bench.first_lines(), ["BYE sip:3003@127.0.0.1:5070 SIP/2.0"], "it will not tell (RFC 4488)");
        assert_eq!(bench.said(), ["gone 1 Transferred"]);
        bench.assert_empties();
    }
}

#[test]
fn a_bye_of_one_who_was_given_away() {
    for taken in [false, true] {
        let mut bench = Bench::new();
        let (tag, refer) = referred(&mut bench);
        if taken {
            bench.say(&response(&refer, 202, "", ""));
        }
        bench.say(&request("BYE", 2, "b2", &tag, "", ""));
        let cause = if taken { "Transferred" } else { "RemoteHungUp" };
        assert_eq!(bench.said(), [format!("gone 1 {cause}")]);
        bench.assert_empties();
    }
}

#[test]
fn one_at_a_time_and_only_when_up() {
    let mut bench = Bench::new();
    bench.command(LegCommand::Transfer { leg: LegId(9), target: number() });
    assert!(bench.said().is_empty(), "a leg that is not there may have ended");
    referred(&mut bench);
    bench.command(LegCommand::Transfer { leg: LegId(1), target: number() });
    assert_eq!(bench.said(), ["transfer failed 1 491"]);
    bench.command(LegCommand::HangUp { leg: LegId(1) });
    assert_eq!(bench.said(), ["gone 1 LocalHungUp"]);
    bench.dial(1 << 63);
    bench.command(LegCommand::Transfer { leg: LegId(1 << 63), target: number() });
    assert_eq!(bench.said(), ["transfer failed 9223372036854775808 491"]);
    bench.command(LegCommand::HangUp { leg: LegId(1 << 63) });
    bench.assert_empties();
}

#[test]
fn what_others_notify_or_refer() {
    let mut bench = Bench::new();
    let tag = established(&mut bench);
    bench.say(&notify(2, &tag, "active", "SIP/2.0 200 OK\n"));
    assert!(bench.one().starts_with("SIP/2.0 481 "));
    bench.say(&notify(3, &tag, "active", "").replace("Event: refer", "Event: presence"));
    let bad = bench.one();
    assert!(bad.starts_with("SIP/2.0 489 Bad Event\n"));
    assert_eq!(header(&bad, "Allow-Events"), "refer");
    bench.say(&request("REFER", 4, "r4", &tag, "Refer-To: <sip:x@y>\n", ""));
    assert!(bench.one().starts_with("SIP/2.0 405 "));
    bench.command(LegCommand::HangUp { leg: LegId(1) });
    bench.assert_empties();
}

#[test]
fn keys_by_info() {
    let mut bench = Bench::new();
    let tag = established(&mut bench);
    let info = |cseq: u32, media_type: &str, body: &str| {
        request("INFO", cseq, &format!("f{cseq}"), &tag, "", body).replace("application/sdp", media_type)
    };
    let pressed = info(2, "application/dtmf-relay", "Signal=5\nDuration=160\n");
    bench.say(&pressed);
    bench.say(&pressed);
    bench.say(&info(3, "application/dtmf", "#"));
    assert_eq!(bench.first_lines(), ["SIP/2.0 200 OK"; 3]);
    assert_eq!(bench.said(), ["key 1 5", "key 1 #"], "a repeated request is no second press");
    bench.say(&info(4, "application/dtmf-relay", "Duration=160\n"));
    assert!(bench.one().starts_with("SIP/2.0 400 "));
    bench.say(&info(5, "application/vnd.nortelnetworks.digits", "d=1\n"));
    let unknown = bench.one();
    assert!(unknown.starts_with("SIP/2.0 415 "));
    assert_eq!(header(&unknown, "Accept"), "application/dtmf-relay, application/dtmf");
    bench.say(&info(6, "application/dtmf", ""));
    assert!(bench.one().starts_with("SIP/2.0 200 OK\n"), "a sign of life");
    bench.say(&request("INFO", 7, "f7", &tag, "Info-Package: x\n", ""));
    let package = bench.one();
    assert!(package.starts_with("SIP/2.0 469 Bad Info Package\n") && package.contains("\nRecv-Info:\n"));
    assert!(bench.said().is_empty());
    bench.command(LegCommand::HangUp { leg: LegId(1) });
    bench.assert_empties();
}
