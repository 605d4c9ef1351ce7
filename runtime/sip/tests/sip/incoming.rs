//! INVITEs that come in, and what follows in their dialogs.

use runtime_contract::Redacted;
use runtime_contract::leg::{LegCommand, LegEvent, LegId, RejectCause, Target};
use runtime_sip::{Endpoint, Input};

use crate::bench::{Bench, MEDIA, PEER, RING_MS, SDP, address, established, header, request, to_tag};

#[test]
fn a_call_rings_is_answered_and_hung_up_by_the_caller() {
    let mut bench = Bench::new();
    bench.say(&request("INVITE", 1, "i1", "", "", SDP));
    let LegEvent::Incoming(incoming) = &bench.events[0] else { panic!() };
    assert_eq!((incoming.called.as_str(), incoming.call_id.as_str(), incoming.peer), ("1001", "call", address(PEER)));
    assert_eq!(incoming.caller.as_ref().map(|caller| caller.reveal().as_str()), Some("3003"));
    assert!(bench.sent.is_empty());
    bench.command(LegCommand::Ring { leg: LegId(1) });
    let ringing = bench.one();
    assert!(ringing.starts_with("SIP/2.0 180 Ringing\n"));
    bench.answer(1);
    let ok = bench.one();
    assert!(ok.starts_with("SIP/2.0 200 OK\n"));
    assert_eq!(to_tag(&ok), to_tag(&ringing));
    assert_eq!(header(&ok, "Contact"), "<sip:127.0.0.1:5060>");
    assert!(ok.contains("m=audio 4000 RTP/AVP 0 101\n"));
    bench.say(&request("ACK", 1, "a1", to_tag(&ok), "", ""));
    bench.say(&request("BYE", 2, "b1", to_tag(&ok), "", ""));
    assert_eq!(bench.first_lines(), ["SIP/2.0 200 OK"]);
    assert_eq!(bench.said(), ["incoming 1", "media 1 127.0.0.1:6000 Pcmu", "up 1", "gone 1 RemoteHungUp"]);
    bench.say(&request("BYE", 2, "b1", to_tag(&ok), "", ""));
    assert_eq!(bench.first_lines(), ["SIP/2.0 200 OK"], "a repeated BYE gets its answer again");
    bench.assert_empties();
}

#[test]
fn we_hang_up_and_the_byes_may_cross() {
    let mut bench = Bench::new();
    let tag = established(&mut bench);
    bench.command(LegCommand::HangUp { leg: LegId(1) });
    let bye = bench.one();
    assert!(bye.starts_with("BYE sip:3003@127.0.0.1:5070 SIP/2.0\n"));
    assert_eq!(header(&bye, "To"), "<sip:3003@127.0.0.1:5070>;tag=far");
    assert_eq!(header(&bye, "From"), format!("<sip:1001@127.0.0.1:5060>;tag={tag}"));
    bench.say(&request("BYE", 2, "b1", &tag, "", ""));
    assert_eq!(bench.first_lines(), ["SIP/2.0 200 OK"]);
    assert_eq!(bench.said(), ["gone 1 LocalHungUp"]);
    bench.say(&crate::bench::response(&bye, 200, "", ""));
    bench.assert_empties();
}

#[test]
fn silence_of_the_exchange_is_covered_by_100() {
    let mut bench = Bench::new();
    bench.say(&request("INVITE", 1, "i1", "", "", SDP));
    bench.wait_ms(199);
    assert!(bench.sent.is_empty());
    bench.wait_ms(10);
    assert_eq!(bench.first_lines(), ["SIP/2.0 100 Trying"]);
    bench.say(&request("INVITE", 1, "i1", "", "", SDP));
    assert_eq!(bench.first_lines(), ["SIP/2.0 100 Trying"]);
    bench.command(LegCommand::Ring { leg: LegId(1) });
    bench.wait_ms(61_000);
    assert_eq!(bench.first_lines(), ["SIP/2.0 180 Ringing", "SIP/2.0 180 Ringing"]);
    bench.command(LegCommand::HangUp { leg: LegId(1) });
    assert_eq!(bench.first_lines(), ["SIP/2.0 480 Temporarily Unavailable"]);
    assert_eq!(bench.said(), ["incoming 1", "gone 1 LocalHungUp"]);
    bench.assert_empties();
}

#[test]
fn a_200_is_repeated_until_its_ack() {
    let mut bench = Bench::new();
    bench.say(&request("INVITE", 1, "i1", "", "", SDP));
    bench.answer(1);
    let ok = bench.one();
    bench.wait_ms(1_600);
    assert_eq!(bench.first_lines().len(), 2, "after 500 and 1 500 ms");
    bench.say(&request("INVITE", 1, "i1", "", "", SDP));
    assert!(bench.sent.is_empty(), "Accepted swallows the request");
    bench.say(&request("ACK", 1, "a1", to_tag(&ok), "", ""));
    bench.wait_ms(10_000);
    assert!(bench.sent.is_empty());
    bench.command(LegCommand::HangUp { leg: LegId(1) });
    bench.assert_empties();
}

#[test]
fn a_200_that_nobody_acknowledges_ends_the_leg() {
    let mut bench = Bench::new();
    bench.say(&request("INVITE", 1, "i1", "", "", SDP));
    bench.answer(1);
    bench.wait_ms(31_900);
    assert_eq!(bench.first_lines(), ["SIP/2.0 200 OK"; 11]);
    bench.wait_ms(200);
    assert_eq!(bench.first_lines(), ["BYE sip:3003@127.0.0.1:5070 SIP/2.0"]);
    assert_eq!(bench.said(), ["incoming 1", "media 1 127.0.0.1:6000 Pcmu", "gone 1 NoAck"]);
    bench.assert_empties();
}

#[test]
fn hanging_up_waits_for_the_ack() {
    let mut bench = Bench::new();
    bench.say(&request("INVITE", 1, "i1", "", "", SDP));
    bench.answer(1);
    let ok = bench.one();
    bench.command(LegCommand::HangUp { leg: LegId(1) });
    assert!(bench.sent.is_empty());
    bench.say(&request("ACK", 1, "a1", to_tag(&ok), "", ""));
    assert_eq!(bench.first_lines(), ["BYE sip:3003@127.0.0.1:5070 SIP/2.0"]);
    assert_eq!(bench.said().last().unwrap(), "gone 1 LocalHungUp");
    bench.assert_empties();
}

#[test]
fn cancel_before_and_after_the_answer() {
    let mut bench = Bench::new();
    bench.say(&request("INVITE", 1, "i1", "", "", SDP));
    bench.say(&request("CANCEL", 1, "i1", "", "", ""));
    assert_eq!(bench.first_lines(), ["SIP/2.0 200 OK", "SIP/2.0 487 Request Terminated"]);
    bench.say(&request("ACK", 1, "i1", "x", "", ""));
    bench.say(&request("CANCEL", 1, "i1", "", "", ""));
    assert_eq!(bench.first_lines(), ["SIP/2.0 200 OK"]);
    assert_eq!(bench.said(), ["incoming 1", "gone 1 Cancelled"]);
    bench.wait_ms(10_000);
    assert!(bench.sent.is_empty(), "the ACK stopped the 487");
    bench.say(&request("CANCEL", 1, "none", "", "", ""));
    assert_eq!(bench.first_lines(), ["SIP/2.0 481 Call/Transaction Does Not Exist"]);
    bench.say(&request("INVITE", 2, "i2", "", "", SDP));
    bench.answer(2);
    let ok = bench.one();
    bench.say(&request("CANCEL", 2, "i2", "", "", ""));
    assert_eq!(bench.first_lines(), ["SIP/2.0 200 OK"]);
    bench.say(&request("ACK", 2, "a2", to_tag(&ok), "", ""));
    assert_eq!(bench.said(), ["incoming 2", "media 2 127.0.0.1:6000 Pcmu", "up 2"]);
    bench.say(&request("BYE", 3, "b2", to_tag(&ok), "", ""));
    bench.assert_empties();
}

#[test]
fn refusals_carry_their_code_until_acknowledged() {
    for (cause, line) in [
        (RejectCause::Busy, "SIP/2.0 486 Busy Here"),
        (RejectCause::Declined, "SIP/2.0 603 Decline"),
        (RejectCause::Unavailable, "SIP/2.0 480 Temporarily Unavailable"),
        (RejectCause::Overloaded, "SIP/2.0 503 Service Unavailable"),
        (RejectCause::NoSuchNumber, "SIP/2.0 404 Not Found"),
        (RejectCause::NotAllowed, "SIP/2.0 403 Forbidden"),
        (RejectCause::NotAcceptable, "SIP/2.0 488 Not Acceptable Here"),
    ] {
        let mut bench = Bench::new();
        bench.say(&request("INVITE", 1, "i1", "", "", SDP));
        bench.command(LegCommand::Reject { leg: LegId(1), cause });
        bench.wait_ms(600);
        assert_eq!(bench.first_lines(), [line, line]);
        bench.say(&request("ACK", 1, "i1", "x", "", ""));
        bench.wait_ms(60_000);
        assert!(bench.sent.is_empty());
        bench.assert_empties();
    }
}

#[test]
fn bye_before_the_ack_and_before_the_answer() {
    let mut bench = Bench::new();
    bench.say(&request("INVITE", 1, "i1", "", "", SDP));
    bench.answer(1);
    let ok = bench.one();
    bench.say(&request("BYE", 2, "b1", to_tag(&ok), "", ""));
    assert_eq!(bench.first_lines(), ["SIP/2.0 200 OK"]);
    assert_eq!(bench.said().last().unwrap(), "gone 1 RemoteHungUp");
    bench.wait_ms(40_000);
    assert!(bench.sent.is_empty(), "the 200 of the INVITE is not repeated any more");
    bench.say(&request("INVITE", 1, "i2", "", "", SDP));
    bench.command(LegCommand::Ring { leg: LegId(2) });
    let ringing = bench.one();
    bench.say(&request("BYE", 2, "b2", to_tag(&ringing), "", ""));
    assert_eq!(bench.first_lines(), ["SIP/2.0 200 OK", "SIP/2.0 487 Request Terminated"]);
    assert_eq!(bench.said(), ["incoming 2", "gone 2 RemoteHungUp"]);
    bench.assert_empties();
}

#[test]
fn numbers_and_dialogs_must_be_right() {
    let mut bench = Bench::new();
    let tag = established(&mut bench);
    bench.say(&request("OPTIONS", 1, "o1", &tag, "", ""));
    assert!(bench.one().starts_with("SIP/2.0 500 "));
    bench.say(&request("OPTIONS", 9, "o2", &tag, "", ""));
    assert!(bench.one().starts_with("SIP/2.0 200 OK\n"));
    bench.say(&request("BYE", 8, "b0", &tag, "", ""));
    assert!(bench.one().starts_with("SIP/2.0 500 "));
    bench.say(&request("BYE", 10, "b1", "other", "", ""));
    assert!(bench.one().starts_with("SIP/2.0 481 "));
    bench.say(&request("MESSAGE", 10, "n1", &tag, "", ""));
    let refused = bench.one();
    assert!(refused.starts_with("SIP/2.0 405 Method Not Allowed\n"));
    assert_eq!(header(&refused, "Allow"), "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, NOTIFY, PRACK, UPDATE");
    bench.say(&request("FROB", 11, "f1", &tag, "", ""));
    assert!(bench.one().starts_with("SIP/2.0 501 "));
    bench.say(&request("OPTIONS", 12, "o3", &tag, "Require: timer, pref\n", ""));
    assert_eq!(header(&bench.one(), "Unsupported"), "pref");
    assert!(bench.said().is_empty());
    bench.say(&request("BYE", 13, "b2", &tag, "", ""));
    assert_eq!(bench.said(), ["gone 1 RemoteHungUp"]);
    bench.assert_empties();
}

#[test]
fn a_reinvite_changes_address_and_direction() {
    let mut bench = Bench::new();
    let tag = established(&mut bench);
    bench.say(&request("INVITE", 2, "i2", &tag, "", &format!("{SDP}a=sendonly\n")));
    let held = bench.one();
    assert!(held.starts_with("SIP/2.0 200 OK\n") && held.contains("a=recvonly\n"));
    bench.say(&request("ACK", 2, "a2", &tag, "", ""));
    bench.say(&request("INVITE", 3, "i3", &tag, "", &SDP.replace("6000", "6002")));
    assert!(bench.one().contains("a=sendrecv\n"));
    bench.say(&request("INVITE", 4, "i4", &tag, "", SDP));
    assert!(bench.one().starts_with("SIP/2.0 200 OK\n"), "a later INVITE stands for the lost ACK");
    bench.say(&request("ACK", 4, "a4", &tag, "", ""));
    bench.say(&request("INVITE", 5, "i5", &tag, "", "v=0\nc=IN IP4 127.0.0.1\nm=audio 6 RTP/AVP 9\n"));
    assert!(bench.one().starts_with("SIP/2.0 488 "));
    bench.say(&request("ACK", 5, "i5", &tag, "", ""));
    bench.say(&request("INVITE", 6, "i6", &tag, "", &SDP.replace("IP4 127.0.0.1\nt", "IP6 ::1\nt")));
    assert!(bench.one().starts_with("SIP/2.0 488 "), "from an IPv4 socket");
    bench.say(&request("ACK", 6, "i6", &tag, "", ""));
    let said = bench.said();
    assert_eq!(
        said,
        ["media 1 127.0.0.1:6000 Pcmu held", "media 1 127.0.0.1:6002 Pcmu", "media 1 127.0.0.1:6000 Pcmu"]
    );
    bench.say(&request("INVITE", 7, "i7", &tag, "", ""));
    assert!(bench.one().contains("m=audio 4000 RTP/AVP 0 8 101\n"), "without an offer we offer");
    bench.say(&request("INVITE", 8, "i8", &tag, "", SDP));
    assert!(bench.one().starts_with("SIP/2.0 500 "), "our offer has no answer yet");
    bench.say(&request("ACK", 8, "i8", &tag, "", ""));
    bench.say(&request("ACK", 7, "a7", &tag, "", &SDP.replace("6000", "6004")));
    assert_eq!(bench.said(), ["media 1 127.0.0.1:6004 Pcmu"]);
    bench.say(&request("BYE", 9, "b", &tag, "", ""));
    bench.assert_empties();
}

#[test]
fn a_reinvite_without_ack_ends_the_leg() {
    let mut bench = Bench::new();
    let tag = established(&mut bench);
    bench.say(&request("INVITE", 2, "i2", &tag, "", SDP));
    bench.wait_ms(33_000);
    assert_eq!(bench.said(), ["gone 1 NoAck"]);
    bench.assert_empties();
}

#[test]
fn a_late_offer_is_answered_in_the_ack() {
    let mut bench = Bench::new();
    bench.say(&request("INVITE", 1, "i1", "", "", ""));
    bench.answer(1);
    let ok = bench.one();
    assert!(ok.contains("m=audio 4000 RTP/AVP 0 8 101\n"));
    bench.say(&request("ACK", 1, "a1", to_tag(&ok), "", &SDP.replace("AVP 0", "AVP 8")));
    assert_eq!(bench.said(), ["incoming 1", "media 1 127.0.0.1:6000 Pcma", "up 1", "dialog 1"]);
    bench.say(&request("BYE", 2, "b1", to_tag(&ok), "", ""));
    bench.say(&request("INVITE", 3, "i3", "", "", ""));
    bench.sent.clear();
    bench.answer(2);
    let ok = bench.one();
    bench.say(&request("ACK", 3, "a3", to_tag(&ok), "", ""));
    assert_eq!(bench.first_lines(), ["BYE sip:3003@127.0.0.1:5070 SIP/2.0"]);
    assert_eq!(bench.said().last().unwrap(), "gone 2 NoCommonMedia");
    bench.assert_empties();
}

#[test]
fn new_invites_are_refused_with_a_reason() {
    let refuse = |text: &str, trusted: bool| {
        let mut bench = Bench::new();
        bench.trusted = trusted;
        bench.say(text);
        assert!(bench.events.is_empty());
        bench.one()
    };
    let plain = request("INVITE", 1, "i1", "", "", SDP);
    assert!(refuse(&plain, false).starts_with("SIP/2.0 403 Forbidden\n"));
    let unsupported = refuse(&request("INVITE", 1, "i1", "", "Require: a, 100rel, b\n", SDP), true);
    assert!(unsupported.starts_with("SIP/2.0 420 Bad Extension\n"));
    assert!(unsupported.contains("Unsupported: a\nUnsupported: b\n"));
    let media_type = refuse(&plain.replace("application/sdp", "multipart/mixed;boundary=x"), true);
    assert!(media_type.starts_with("SIP/2.0 415 "));
    assert_eq!(header(&media_type, "Accept"), "application/sdp");
    let packed = refuse(&request("INVITE", 1, "i1", "", "Content-Encoding: gzip\n", SDP), true);
    assert!(packed.starts_with("SIP/2.0 415 "));
    assert!(refuse(&request("INVITE", 1, "i1", "", "", "hello\n"), true).starts_with("SIP/2.0 400 "));
    assert!(refuse(&request("INVITE", 1, "i1", "", "", "v=0\n"), true).starts_with("SIP/2.0 488 "));
    let other_family = SDP.replace("IP4 127.0.0.1\nt", "IP6 2001:db8::1\nt");
    assert!(refuse(&request("INVITE", 1, "i1", "", "", &other_family), true).starts_with("SIP/2.0 488 "));
    let long_call_id = plain.replace("Call-ID: call", &format!("Call-ID: {}", "c".repeat(30_000)));
    assert!(refuse(&long_call_id, true).starts_with("SIP/2.0 513 Message Too Large\n"));
    let long_number =
        plain.replace("sip:1001@127.0.0.1:5060 SIP", &format!("sip:{}@127.0.0.1 SIP", "1".repeat(30_000)));
    assert!(refuse(&long_number, true).starts_with("SIP/2.0 414 Request-URI Too Long\n"));
    assert!(refuse(&request("INVITE", 1, "i1", "gone", "", SDP), true).starts_with("SIP/2.0 481 "));
    assert!(refuse(&request("REGISTER", 1, "i1", "", "", ""), true).starts_with("SIP/2.0 405 "));
    assert!(refuse(&request("OPTIONS", 1, "i1", "", "", ""), false).starts_with("SIP/2.0 200 OK\n"));
}

#[test]
fn the_same_request_over_another_path_is_merged() {
    let mut bench = Bench::new();
    bench.say(&request("INVITE", 1, "path1", "", "", SDP));
    bench.say(&request("INVITE", 1, "path2", "", "", SDP));
    assert_eq!(bench.first_lines(), ["SIP/2.0 482 Loop Detected"]);
    assert_eq!(bench.said(), ["incoming 1"]);
    bench.say(&request("CANCEL", 1, "path1", "", "", ""));
    bench.assert_empties();
}

#[test]
fn draining_refuses_the_new_and_keeps_the_old() {
    let mut bench = Bench::new();
    let tag = established(&mut bench);
    bench.input(Input::Drain);
    bench.say(&request("INVITE", 1, "n1", "", "", SDP).replace("Call-ID: call", "Call-ID: new"));
    let refused = bench.one();
    assert!(refused.starts_with("SIP/2.0 503 Service Unavailable\n"));
    assert_eq!(header(&refused, "Retry-After"), "5");
    bench.say(&request("INVITE", 2, "i2", &tag, "", SDP));
    assert!(bench.one().starts_with("SIP/2.0 200 OK\n"));
    bench.say(&request("BYE", 3, "b1", &tag, "", ""));
    assert!(bench.one().starts_with("SIP/2.0 200 OK\n"));
    bench.assert_empties();
}

#[test]
fn a_peer_of_rfc_2543_is_served() {
    let mut bench = Bench::new();
    let old = |method: &str, to_tag: &str, cseq: u32, body: &str| {
        request(method, cseq, "", to_tag, "", body)
            .replace(";branch=z9hG4bK", "")
            .replace(";tag=far", "")
            .replace(&format!("Contact: <sip:3003@{PEER}>\n"), "")
    };
    bench.say(&old("INVITE", "", 1, SDP));
    bench.say(&old("INVITE", "", 1, SDP));
    assert_eq!(bench.first_lines(), ["SIP/2.0 100 Trying"]);
    bench.answer(1);
    let ok = bench.one();
    bench.say(&old("ACK", to_tag(&ok), 1, ""));
    bench.command(LegCommand::HangUp { leg: LegId(1) });
    let bye = bench.one();
    assert!(bye.starts_with("BYE sip:3003@127.0.0.1:5070 SIP/2.0\n"));
    assert_eq!(header(&bye, "To"), "<sip:3003@127.0.0.1:5070>");
    assert_eq!(bench.said(), ["incoming 1", "media 1 127.0.0.1:6000 Pcmu", "up 1", "gone 1 LocalHungUp"]);
    bench.say(&old("INVITE", "", 2, SDP));
    bench.command(LegCommand::Reject { leg: LegId(2), cause: RejectCause::Busy });
    bench.say(&old("ACK", "x", 2, ""));
    bench.sent.clear();
    bench.wait_ms(400);
    bench.assert_empties();
}

#[test]
fn the_record_route_is_taken_and_followed() {
    let mut bench = Bench::new();
    let routes =
        "Record-Route: <sip:127.0.0.1:7001;lr>,\n <sip:127.0.0.1:7002;lr>\nRecord-Route: <sip:127.0.0.1:7003>\n";
    bench.say(&request("INVITE", 1, "i1", "", routes, SDP));
    bench.answer(1);
    let ok = bench.one();
    assert_eq!(ok.matches("Record-Route: ").count(), 2);
    bench.say(&request("ACK", 1, "a1", to_tag(&ok), "", ""));
    bench.command(LegCommand::HangUp { leg: LegId(1) });
    assert_eq!(bench.sent[0].0, address("127.0.0.1:7001"));
    let bye = bench.one();
    assert!(bye.starts_with("BYE sip:3003@127.0.0.1:5070 SIP/2.0\n"));
    let found: Vec<_> = bye.lines().filter(|line| line.starts_with("Route: ")).collect();
    assert_eq!(
        found,
        ["Route: <sip:127.0.0.1:7001;lr>", "Route: <sip:127.0.0.1:7002;lr>", "Route: <sip:127.0.0.1:7003>"]
    );
    bench.assert_empties();
}

#[test]
fn a_dialog_of_a_process_that_died_is_ended() {
    let mut bench = Bench::new();
    bench.say(&request("INVITE", 1, "i1", "", "", SDP));
    let Some(LegEvent::Incoming(incoming)) = bench.events.pop() else { panic!() };
    bench.answer(1);
    let ok = bench.one();
    let mut next = Bench::new();
    next.input(Input::EndRestored { dialog: &incoming.dialog });
    let bye = next.one();
    assert_eq!(header(&bye, "CSeq"), "1001 BYE");
    assert_eq!(header(&bye, "From"), format!("<sip:1001@127.0.0.1:5060>;tag={}", to_tag(&ok)));
    assert_eq!(header(&bye, "Call-ID"), "call");
    next.assert_empties();
    next.sent.clear();
    next.input(Input::EndRestored { dialog: b"rubbish" });
    assert!(next.sent.is_empty());
}

#[test]
fn people_do_not_show_in_debug_output() {
    let mut bench = Bench::new();
    let text = request("INVITE", 1, "i1", "", "", SDP);
    let input = Input::Datagram { source: address(PEER), local: address(MEDIA), bytes: text.as_bytes(), trusted: true };
    assert!(!format!("{input:?}").contains("3003"));
    bench.say(&text);
    let shown = format!("{:?}", bench.events);
    // The number as text, and as the bytes of the dialog's snapshot.
    for secret in ["3003", "1001", "51, 48, 48, 51"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    let command = LegCommand::Dial {
        leg: LegId(1),
        target: Target::Address { uri: Redacted::new("sip:5550100@x".to_owned()), peer: address(PEER) },
        from: None,
        ring_ms: RING_MS,
        media: address(MEDIA),
    };
    assert!(!format!("{command:?}").contains("5550100"));
    assert!(!format!("{:?}", Input::Command(command)).contains("5550100"));
    fn no_debug<T>() -> usize {
        std::mem::size_of::<T>()
    }
    assert!(no_debug::<Endpoint>() > 0);
}
