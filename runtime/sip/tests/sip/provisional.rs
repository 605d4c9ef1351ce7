//! What we say before we answer an INVITE that came in: early media, and responses that want a PRACK.

use runtime_contract::leg::{LegCommand, LegId};

use crate::bench::{Bench, MEDIA, SDP, address, header, request, to_tag};

fn called(extra: &str, body: &str) -> Bench {
    let mut bench = Bench::new();
    bench.say(&request("INVITE", 1, "i1", "", extra, body));
    assert_eq!(bench.said(), ["incoming 1"]);
    bench
}

fn ring(bench: &mut Bench) {
    bench.command(LegCommand::Ring { leg: LegId(1) });
}

fn progress(bench: &mut Bench) {
    bench.command(LegCommand::Progress { leg: LegId(1), media: address(MEDIA) });
}

fn prack(cseq: u32, tag: &str, rack: &str, body: &str) -> String {
    request("PRACK", cseq, &format!("p{cseq}"), tag, &format!("RAck: {rack}\n"), body)
}

/// The far side takes the answer and hangs up.
fn end(bench: &mut Bench, tag: &str, cseq: u32) {
    bench.say(&request("ACK", 1, "a1", tag, "", ""));
    bench.say(&request("BYE", cseq, "b", tag, "", ""));
    bench.assert_empties();
}

fn description(message: &str) -> &str {
    message.split("\n\n").nth(1).unwrap()
}

#[test]
fn early_media_for_a_caller_that_knows_no_prack() {
    let mut bench = called("", SDP);
    progress(&mut bench);
    let early = bench.one();
    assert!(early.starts_with("SIP/2.0 183 Session Progress\n") && !early.contains("RSeq"));
    assert!(early.contains("m=audio 4000 RTP/AVP 0 101\n"));
    assert_eq!(bench.said(), ["media 1 127.0.0.1:6000 Pcmu"]);
    bench.answer(1);
    let ok = bench.one();
    assert_eq!(description(&ok), description(&early), "the answer is the one that was shown");
    end(&mut bench, to_tag(&ok), 2);
    assert_eq!(bench.said(), ["up 1", "gone 1 RemoteHungUp"]);
    // Without an offer there is nothing to say in a response that may be lost.
    let mut bench = called("", "");
    progress(&mut bench);
    assert!(!bench.one().contains("m=audio"));
    bench.answer(1);
    assert!(bench.one().contains("m=audio 4000 RTP/AVP 0 8 101\n"));
    bench.command(LegCommand::HangUp { leg: LegId(1) });
    bench.assert_empties();
}

#[test]
fn a_caller_that_requires_it_hears_everything_reliably() {
    let mut bench = called("Require: 100rel\n", SDP);
    ring(&mut bench);
    let ringing = bench.one();
    assert!(ringing.starts_with("SIP/2.0 180 Ringing\n"));
    assert_eq!((header(&ringing, "Require"), header(&ringing, "RSeq")), ("100rel", "1"));
    bench.wait_ms(3_600);
    assert_eq!(bench.first_lines().len(), 3, "after 0.5, 1.5 and 3.5 s");
    progress(&mut bench);
    assert!(bench.sent.is_empty(), "one at a time");
    let tag = to_tag(&ringing);
    for (cseq, wrong) in (10..).zip(["2 1 INVITE", "1 2 INVITE", "1 1 UPDATE", "1"]) {
        bench.say(&prack(cseq, tag, wrong, ""));
        assert!(bench.one().starts_with("SIP/2.0 481 "), "{wrong}");
    }
    bench.say(&prack(30, tag, "1 1 INVITE", ""));
    let early = bench.sent.pop().unwrap().1.replace("\r\n", "\n");
    assert_eq!(bench.first_lines(), ["SIP/2.0 200 OK"]);
    assert!(early.starts_with("SIP/2.0 183 ") && early.contains("m=audio 4000"));
    assert_eq!(header(&early, "RSeq"), "2");
    bench.answer(1);
    assert!(bench.sent.is_empty(), "the 2xx waits for the PRACK of a description");
    bench.say(&prack(31, tag, "2 1 INVITE", ""));
    let ok = bench.sent.pop().unwrap().1.replace("\r\n", "\n");
    assert!(ok.starts_with("SIP/2.0 200 OK\n") && header(&ok, "CSeq") == "1 INVITE");
    assert_eq!(header(&ok, "Content-Length"), "0", "the answer was given");
    bench.sent.clear();
    bench.say(&prack(32, tag, "2 1 INVITE", ""));
    assert!(bench.one().starts_with("SIP/2.0 481 "), "it was acknowledged before");
    end(&mut bench, tag, 33);
    assert_eq!(bench.said(), ["media 1 127.0.0.1:6000 Pcmu", "up 1", "gone 1 RemoteHungUp"]);
}

#[test]
fn ringing_that_nobody_acknowledges_does_not_hold_up_the_answer() {
    let mut bench = called("Require: 100rel\n", SDP);
    ring(&mut bench);
    let tag = to_tag(&bench.one()).to_owned();
    bench.answer(1);
    assert!(bench.one().contains("m=audio 4000"));
    bench.say(&prack(2, &tag, "1 1 INVITE", ""));
    assert!(bench.one().starts_with("SIP/2.0 200 OK\n"), "late is not wrong");
    end(&mut bench, &tag, 3);
}

#[test]
fn what_is_never_acknowledged_ends_the_call() {
    let mut bench = called("Require: 100rel\n", SDP);
    ring(&mut bench);
    bench.wait_ms(31_900);
    assert_eq!(bench.first_lines().len(), 7);
    assert!(bench.said().is_empty());
    bench.wait_ms(200);
    let lines = bench.first_lines();
    assert_eq!(lines, ["SIP/2.0 504 Server Time-out"]);
    assert_eq!(bench.said(), ["gone 1 NoAck"]);
    bench.assert_empties();
}

#[test]
fn our_offer_may_go_out_early_and_the_answer_come_with_the_prack() {
    let mut bench = called("Supported: 100rel\n", "");
    ring(&mut bench);
    assert!(!bench.one().contains("RSeq"), "without a description it is not worth it");
    progress(&mut bench);
    let early = bench.one();
    assert!(early.contains("m=audio 4000 RTP/AVP 0 8 101\n") && header(&early, "RSeq") == "1");
    let tag = to_tag(&early);
    bench.say(&request("UPDATE", 2, "u2", tag, "", SDP));
    assert!(bench.one().starts_with("SIP/2.0 491 "), "our offer has no answer");
    bench.say(&prack(3, tag, "1 1 INVITE", SDP));
    assert!(bench.one().starts_with("SIP/2.0 200 OK\n"));
    assert_eq!(bench.said(), ["media 1 127.0.0.1:6000 Pcmu", "dialog 1"]);
    bench.answer(1);
    let ok = bench.one();
    assert_eq!(header(&ok, "Content-Length"), "0");
    end(&mut bench, tag, 4);
    // An answer that is none ends it.
    let mut bench = called("Supported: 100rel\n", "");
    progress(&mut bench);
    let tag = to_tag(&bench.one()).to_owned();
    bench.say(&prack(3, &tag, "1 1 INVITE", ""));
    assert_eq!(bench.first_lines(), ["SIP/2.0 200 OK", "SIP/2.0 488 Not Acceptable Here"]);
    assert_eq!(bench.said(), ["gone 1 NoCommonMedia"]);
    bench.assert_empties();
}

#[test]
fn once_agreed_the_caller_may_offer_again_before_the_answer() {
    let mut bench = called("Supported: 100rel\n", SDP);
    progress(&mut bench);
    let early = bench.one();
    let tag = to_tag(&early);
    bench.say(&request("UPDATE", 3, "u3", tag, "", SDP));
    let refused = bench.one();
    assert!(refused.starts_with("SIP/2.0 500 "), "its first offer has no answer that counts");
    assert!((0..=10).contains(&header(&refused, "Retry-After").parse::<i32>().unwrap()));
    bench.say(&prack(4, tag, "1 1 INVITE", &SDP.replace("6000", "6002")));
    let ok = bench.one();
    assert!(ok.starts_with("SIP/2.0 200 OK\n") && ok.contains("m=audio 4000"), "an offer in a PRACK");
    bench.say(&request("UPDATE", 5, "u5", tag, "", &SDP.replace("6000", "6004")));
    assert!(bench.one().contains("m=audio 4000"));
    bench.say(&request("UPDATE", 6, "u6", tag, "", "v=0\nc=IN IP4 127.0.0.1\nm=audio 6 RTP/AVP 9\n"));
    assert!(bench.one().starts_with("SIP/2.0 488 "), "and everything stays as it was");
    bench.command(LegCommand::Answer { leg: LegId(1), media: address("127.0.0.1:4002") });
    assert_eq!(header(&bench.one(), "Content-Length"), "0");
    bench.say(&request("ACK", 1, "a1", tag, "", ""));
    let moved = bench.one();
    assert!(moved.starts_with("INVITE ") && moved.contains("m=audio 4002 "), "another address is offered anew");
    let said = bench.said();
    let ports = ["6000", "6002", "6004"].map(|port| format!("media 1 127.0.0.1:{port} Pcmu"));
    assert_eq!((&said[..3], said.last().unwrap().as_str()), (&ports[..], "up 1"));
    bench.command(LegCommand::HangUp { leg: LegId(1) });
    bench.assert_empties();
}

#[test]
fn a_caller_may_give_up_in_between() {
    let mut bench = called("Require: 100rel\n", SDP);
    ring(&mut bench);
    bench.say(&request("CANCEL", 1, "i1", "", "", ""));
    bench.sent.clear();
    bench.wait_ms(300);
    assert!(bench.sent.is_empty());
    assert_eq!(bench.said(), ["gone 1 Cancelled"]);
    bench.assert_empties();
}
