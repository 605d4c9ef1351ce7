//! What comes before the answer to an INVITE that we placed: early media, PRACK, forks, UPDATE.

use runtime_contract::leg::{LegCommand, LegId};

use crate::bench::{LEG, SDP, dialled, header, request, response, said};

/// A reliable provisional response.
fn reliable(invite: &str, code: u16, tag: &str, rseq: u32, body: &str) -> String {
    let extra = format!("Require: 100rel\nRSeq: {rseq}\nContact");
    response(invite, code, tag, body).replacen("Contact", &extra, 1)
}

/// A request of the callee in the early dialog of `tag`.
fn callee(invite: &str, method: &str, tag: &str, cseq: u32, body: &str) -> String {
    let ours = header(invite, "From").split(";tag=").nth(1).unwrap();
    request(method, cseq, &format!("{tag}{cseq}"), ours, "", body)
        .replace("Call-ID: call", &format!("Call-ID: {}", header(invite, "Call-ID")))
        .replace(";tag=far", &format!(";tag={tag}"))
}

fn at(port: u16) -> String {
    SDP.replace("6000", &port.to_string())
}

#[test]
fn media_may_come_before_the_answer() {
    for body in ["", SDP] {
        let (mut bench, invite) = dialled();
        bench.say(&response(&invite, 183, "far", SDP));
        assert_eq!(said(&mut bench), ["ringing d", "media d 127.0.0.1:6000 Pcmu"]);
        bench.say(&response(&invite, 200, "far", body));
        assert_eq!(said(&mut bench), ["dialog d", "up d"]);
        bench.command(LegCommand::HangUp { leg: LegId(LEG) });
        assert_eq!(bench.first_lines().len(), 2, "ACK and BYE");
        bench.assert_empties();
    }
    let (mut bench, invite) = dialled();
    bench.say(&response(&invite, 183, "far", "v=0\nrubbish"));
    bench.say(&response(&invite, 180, "far", SDP));
    bench.say(&response(&invite, 200, "far", &at(6_002)));
    let expected = ["ringing d", "media d 127.0.0.1:6000 Pcmu", "dialog d", "media d 127.0.0.1:6002 Pcmu", "up d"];
    assert_eq!(said(&mut bench), expected, "what the 2xx says is the answer");
}

#[test]
fn reliable_ones_get_a_prack_in_their_order() {
    let (mut bench, invite) = dialled();
    bench.say(&reliable(&invite, 180, "far", 7, ""));
    let prack = bench.one();
    assert!(prack.starts_with("PRACK sip:1001@127.0.0.1:5070 SIP/2.0\n"));
    assert_eq!((header(&prack, "RAck"), header(&prack, "CSeq")), ("7 1 INVITE", "2 PRACK"));
    assert!(header(&prack, "To").ends_with(";tag=far"));
    bench.say(&response(&prack, 200, "far", ""));
    bench.say(&reliable(&invite, 180, "far", 7, ""));
    bench.say(&reliable(&invite, 183, "far", 9, SDP));
    assert!(bench.sent.is_empty(), "one that came before, and one that is ahead of another");
    assert_eq!(said(&mut bench), ["ringing d"]);
    bench.say(&reliable(&invite, 183, "far", 8, SDP));
    let second = bench.one();
    assert_eq!(header(&second, "RAck"), "8 1 INVITE");
    assert_eq!(said(&mut bench), ["media d 127.0.0.1:6000 Pcmu"]);
    bench.say(&response(&second, 200, "far", ""));
    // A reliable answer is the answer; another one is against the rules, and not heard.
    bench.say(&response(&invite, 200, "far", &at(6_666)));
    let ack = bench.one();
    assert_eq!(header(&ack, "CSeq"), "1 ACK");
    assert_eq!(said(&mut bench), ["dialog d", "up d"]);
    bench.command(LegCommand::HangUp { leg: LegId(LEG) });
    assert_eq!(header(&bench.one(), "CSeq"), "4 BYE");
    bench.assert_empties();
}

#[test]
fn a_prack_is_sent_while_we_cancel_too() {
    let (mut bench, invite) = dialled();
    bench.say(&response(&invite, 180, "far", ""));
    bench.command(LegCommand::HangUp { leg: LegId(LEG) });
    bench.say(&reliable(&invite, 183, "far", 1, SDP));
    let lines = bench.first_lines();
    assert_eq!(lines, ["CANCEL sip:1001@127.0.0.1:5070 SIP/2.0", "PRACK sip:1001@127.0.0.1:5070 SIP/2.0"]);
    assert_eq!(said(&mut bench), ["ringing d", "gone d LocalHungUp"]);
    bench.say(&response(&invite, 487, "far", ""));
    bench.assert_empties();
}

#[test]
fn forks_ring_side_by_side_and_the_first_answer_wins() {
    let (mut bench, invite) = dialled();
    bench.say(&reliable(&invite, 183, "one", 5, &at(6_001)));
    bench.say(&reliable(&invite, 183, "two", 1, &at(6_002)));
    let pracks: Vec<_> = bench.sent.drain(..).map(|(_, text)| text.replace("\r\n", "\n")).collect();
    assert_eq!([header(&pracks[0], "RAck"), header(&pracks[1], "RAck")], ["5 1 INVITE", "1 1 INVITE"]);
    assert_eq!([header(&pracks[0], "CSeq"), header(&pracks[1], "CSeq")], ["2 PRACK", "3 PRACK"]);
    let media = ["ringing d", "media d 127.0.0.1:6001 Pcmu", "media d 127.0.0.1:6002 Pcmu"];
    assert_eq!(said(&mut bench), media);
    bench.say(&response(&invite, 200, "one", ""));
    assert!(header(&bench.one(), "To").ends_with(";tag=one"));
    assert_eq!(said(&mut bench), ["dialog d", "media d 127.0.0.1:6001 Pcmu", "up d"]);
    bench.say(&response(&invite, 200, "two", ""));
    let [ack, bye] = [0, 1].map(|at| bench.sent[at].1.replace("\r\n", "\n"));
    assert!(ack.starts_with("ACK ") && bye.starts_with("BYE "));
    assert_eq!(header(&bye, "Reason"), "SIP;cause=200;text=\"Call completed elsewhere\"");
    assert!(header(&bye, "To").ends_with(";tag=two"));
    bench.sent.clear();
    bench.say(&callee(&invite, "UPDATE", "two", 1, ""));
    assert!(bench.one().starts_with("SIP/2.0 481 "));
    bench.command(LegCommand::HangUp { leg: LegId(LEG) });
    bench.assert_empties();
}

#[test]
fn forks_are_bounded() {
    let (mut bench, invite) = dialled();
    for fork in 1..=20 {
        bench.say(&reliable(&invite, 180, &format!("f{fork}"), 1, ""));
    }
    assert_eq!(bench.first_lines().len(), 16);
    bench.say(&response(&invite, 200, "f20", SDP));
    assert_eq!(said(&mut bench).last().unwrap(), "up d");
    bench.command(LegCommand::HangUp { leg: LegId(LEG) });
    bench.assert_empties();
}

#[test]
fn the_callee_may_change_its_media_before_it_answers() {
    let (mut bench, invite) = dialled();
    bench.say(&callee(&invite, "UPDATE", "far", 1, &at(6_001)));
    assert!(bench.one().starts_with("SIP/2.0 481 "), "nobody has heard of this dialog");
    bench.say(&response(&invite, 183, "far", SDP));
    bench.say(&callee(&invite, "UPDATE", "far", 2, &at(6_001)));
    assert!(bench.one().starts_with("SIP/2.0 491 "), "our offer has no answer that counts");
    bench.say(&reliable(&invite, 183, "far", 1, SDP));
    bench.sent.clear();
    bench.say(&callee(&invite, "UPDATE", "far", 3, &at(6_003)));
    let ok = bench.one();
    assert!(ok.starts_with("SIP/2.0 200 OK\n") && ok.contains("m=audio 4000 RTP/AVP 0 101\n"));
    bench.say(&callee(&invite, "UPDATE", "far", 3, &at(6_003)).replace("z9hG4bKfar3", "z9hG4bKother"));
    assert!(bench.one().starts_with("SIP/2.0 500 "));
    bench.say(&callee(&invite, "UPDATE", "far", 4, ""));
    assert!(bench.one().starts_with("SIP/2.0 200 OK\n"));
    bench.say(&response(&invite, 200, "far", ""));
    let expected = ["ringing d", "media d 127.0.0.1:6000 Pcmu", "media d 127.0.0.1:6003 Pcmu", "dialog d", "up d"];
    assert_eq!(said(&mut bench), expected);
    bench.sent.clear();
    bench.say(&callee(&invite, "UPDATE", "far", 5, &format!("{SDP}a=inactive\n")));
    assert!(bench.one().contains("a=inactive\n"));
    bench.say(&callee(&invite, "BYE", "far", 6, ""));
    assert_eq!(said(&mut bench).last().unwrap(), "gone d RemoteHungUp");
    bench.assert_empties();
}
