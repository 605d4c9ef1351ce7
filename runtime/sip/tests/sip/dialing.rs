//! INVITEs that we place.

use runtime_contract::Redacted;
use runtime_contract::leg::{LegCommand, LegId, Target};

use crate::bench::{Bench, LEG, RING_MS, SDP, address, dialled, header, request, response, said};

const UP: &str = "up 9223372036854775808";

#[test]
fn a_call_is_placed_and_ended_by_us() {
    let (mut bench, invite) = dialled();
    assert!(
        invite.starts_with("INVITE sip:1001@127.0.0.1:5070 SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK")
    );
    assert!(header(&invite, "From").starts_with("<sip:2002@127.0.0.1:5060>;tag="));
    assert!(invite.contains("m=audio 4000 RTP/AVP 0 8 101\n"));
    bench.say(&response(&invite, 100, "", ""));
    bench.say(&response(&invite, 180, "far", ""));
    bench.say(&response(&invite, 183, "far", ""));
    bench.say(&response(&invite, 200, "far", SDP));
    let ack = bench.one();
    assert!(ack.starts_with("ACK sip:1001@127.0.0.1:5070 SIP/2.0\n"));
    assert_eq!((header(&ack, "CSeq"), header(&ack, "To")), ("1 ACK", "<sip:1001@127.0.0.1:5070>;tag=far"));
    assert_ne!(header(&ack, "Via"), header(&invite, "Via"));
    assert_eq!(said(&mut bench), ["ringing d", "dialog d", "media d 127.0.0.1:6000 Pcmu", "up d"]);
    bench.say(&response(&invite, 200, "far", SDP));
    assert_eq!(bench.one(), ack, "a repeated 200 gets its ACK again");
    bench.command(LegCommand::HangUp { leg: LegId(LEG) });
    let bye = bench.one();
    assert_eq!(header(&bye, "CSeq"), "2 BYE");
    bench.say(&response(&invite, 200, "far", SDP));
    assert_eq!(bench.one(), ack, "even after the BYE");
    bench.say(&response(&bye, 200, "", ""));
    assert_eq!(said(&mut bench), ["gone d LocalHungUp"]);
    bench.wait_ms(8_000);
    assert!(bench.sent.is_empty());
    bench.assert_empties();
}

/// A request of the callee within the dialog that our INVITE made.
fn callee_says(invite: &str, method: &str, cseq: u32, body: &str) -> String {
    let tag = header(invite, "From").split(";tag=").nth(1).unwrap();
    request(method, cseq, &format!("callee{cseq}"), tag, "", body)
        .replace("Call-ID: call", &format!("Call-ID: {}", header(invite, "Call-ID")))
}

#[test]
fn the_callee_hangs_up_and_may_be_ahead_of_its_answer() {
    let (mut bench, invite) = dialled();
    bench.say(&response(&invite, 200, "far", SDP));
    bench.sent.clear();
    bench.say(&callee_says(&invite, "INVITE", 1, &SDP.replace("6000", "6002")));
    assert_eq!(bench.first_lines(), ["SIP/2.0 200 OK"]);
    bench.say(&callee_says(&invite, "BYE", 2, ""));
    assert_eq!(bench.first_lines(), ["SIP/2.0 200 OK"]);
    assert_eq!(said(&mut bench)[2..], ["up d", "media d 127.0.0.1:6002 Pcmu", "dialog d", "gone d RemoteHungUp"]);
    bench.assert_empties();

    let (mut bench, invite) = dialled();
    bench.say(&callee_says(&invite, "BYE", 1, ""));
    assert_eq!(bench.first_lines(), ["SIP/2.0 200 OK"]);
    bench.say(&response(&invite, 200, "far", SDP));
    assert_eq!(bench.first_lines(), ["ACK sip:1001@127.0.0.1:5070 SIP/2.0"]);
    assert_eq!(said(&mut bench), ["gone d RemoteHungUp"]);
    bench.assert_empties();
}

#[test]
fn a_refusal_is_acknowledged_hop_by_hop() {
    let (mut bench, invite) = dialled();
    bench.say(&response(&invite, 486, "far", ""));
    let ack = bench.one();
    assert_eq!(header(&ack, "Via"), header(&invite, "Via"));
    assert_eq!((header(&ack, "To"), header(&ack, "CSeq")), ("<sip:1001@127.0.0.1:5070>;tag=far", "1 ACK"));
    bench.say(&response(&invite, 486, "far", ""));
    assert_eq!(bench.one(), ack);
    assert_eq!(said(&mut bench), ["gone d Refused(486)"]);
    bench.assert_empties();
}

#[test]
fn nobody_there() {
    let (mut bench, _) = dialled();
    bench.wait_ms(31_900);
    assert_eq!(bench.first_lines().len(), 6, "after 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s");
    assert!(bench.events.is_empty());
    bench.wait_ms(200);
    assert_eq!(said(&mut bench), ["gone d Unreachable"]);
    bench.assert_empties();
}

#[test]
fn it_rings_for_ever() {
    let (mut bench, invite) = dialled();
    bench.say(&response(&invite, 180, "far", ""));
    bench.wait_ms(179_900);
    assert_eq!(said(&mut bench), ["ringing d"]);
    bench.wait_ms(200);
    assert_eq!(bench.first_lines(), ["CANCEL sip:1001@127.0.0.1:5070 SIP/2.0"]);
    assert_eq!(said(&mut bench), ["gone d NoAnswer"]);
    bench.assert_empties();
}

#[test]
fn hanging_up_cancels_as_soon_as_something_was_heard() {
    let (mut bench, invite) = dialled();
    bench.command(LegCommand::HangUp { leg: LegId(LEG) });
    assert_eq!(said(&mut bench), ["gone d LocalHungUp"]);
    assert!(bench.sent.is_empty());
    bench.say(&response(&invite, 180, "far", ""));
    let cancel = bench.one();
    assert!(cancel.starts_with("CANCEL sip:1001@127.0.0.1:5070 SIP/2.0\n"));
    assert_eq!((header(&cancel, "Via"), header(&cancel, "CSeq")), (header(&invite, "Via"), "1 CANCEL"));
    bench.say(&response(&cancel, 200, "far", ""));
    bench.say(&response(&invite, 487, "far", ""));
    assert_eq!(bench.first_lines(), ["ACK sip:1001@127.0.0.1:5070 SIP/2.0"]);
    assert!(said(&mut bench).is_empty());
    bench.assert_empties();
}

#[test]
fn a_200_that_crosses_the_cancel_is_acknowledged_and_ended() {
    let (mut bench, invite) = dialled();
    bench.say(&response(&invite, 180, "far", ""));
    bench.command(LegCommand::HangUp { leg: LegId(LEG) });
    bench.say(&response(&invite, 200, "far", SDP));
    assert_eq!(
        bench.first_lines(),
        [
            "CANCEL sip:1001@127.0.0.1:5070 SIP/2.0",
            "ACK sip:1001@127.0.0.1:5070 SIP/2.0",
            "BYE sip:1001@127.0.0.1:5070 SIP/2.0"
        ]
    );
    assert_eq!(said(&mut bench), ["ringing d", "gone d LocalHungUp"]);
    bench.assert_empties();
}

#[test]
fn a_cancel_without_effect_is_forgotten() {
    let (mut bench, invite) = dialled();
    bench.say(&response(&invite, 180, "far", ""));
    bench.command(LegCommand::HangUp { leg: LegId(LEG) });
    bench.wait_ms(40_000);
    assert_eq!(bench.endpoint.load().legs, 0);
    bench.assert_empties();
}

#[test]
fn forks_beyond_the_first_are_ended() {
    let (mut bench, invite) = dialled();
    bench.say(&response(&invite, 200, "far", SDP));
    bench.sent.clear();
    for _ in 0..2 {
        bench.say(&response(&invite, 200, "fork", SDP));
    }
    let lines = bench.first_lines();
    assert_eq!(
        lines,
        [
            "ACK sip:1001@127.0.0.1:5070 SIP/2.0",
            "BYE sip:1001@127.0.0.1:5070 SIP/2.0",
            "ACK sip:1001@127.0.0.1:5070 SIP/2.0"
        ]
    );
    assert_eq!(bench.said().last().unwrap(), UP);
    bench.command(LegCommand::HangUp { leg: LegId(LEG) });
    bench.assert_empties();
}

#[test]
fn an_answer_that_we_cannot_use_ends_the_call() {
    for body in ["", "v=0\nc=IN IP4 127.0.0.1\nm=audio 6 RTP/AVP 9\n"] {
        let (mut bench, invite) = dialled();
        bench.say(&response(&invite, 200, "far", body));
        assert_eq!(bench.first_lines().len(), 2, "ACK and BYE");
        assert_eq!(said(&mut bench), ["gone d NoCommonMedia"]);
        bench.assert_empties();
    }
}

#[test]
fn the_route_of_the_answer_is_turned_round() {
    let (mut bench, invite) = dialled();
    let routes = "Record-Route: <sip:127.0.0.1:7001;lr>, <sip:127.0.0.1:7002;lr>\nContent-Type";
    bench.say(&response(&invite, 200, "far", SDP).replace("Content-Type", routes));
    assert_eq!(bench.sent[0].0, address("127.0.0.1:7002"));
    let ack = bench.one();
    let found: Vec<_> = ack.lines().filter(|line| line.starts_with("Route: ")).collect();
    assert_eq!(found, ["Route: <sip:127.0.0.1:7002;lr>", "Route: <sip:127.0.0.1:7001;lr>"]);
    bench.command(LegCommand::HangUp { leg: LegId(LEG) });
    bench.assert_empties();
}

#[test]
fn what_cannot_be_dialled() {
    let mut bench = Bench::new();
    for target in ["", "1001", "tel:+1212", "sips:a@b", "sip:a b@c", "sip:a@b?x=y", "sip:a@b\r\nX: y"] {
        let peer = address("127.0.0.1:1");
        let target = Target::Address { uri: Redacted::new(target.to_owned()), peer };
        bench.command(LegCommand::Dial { leg: LegId(LEG), target, from: None, ring_ms: RING_MS, media: peer });
        assert_eq!(said(&mut bench), ["gone d Failed"]);
    }
    assert!(bench.sent.is_empty());
}
