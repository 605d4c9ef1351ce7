//! Dialogs that another process held are taken up again.

use runtime_contract::Redacted;
use runtime_contract::leg::{LegCommand, LegEvent, LegId};

use crate::bench::{Bench, MEDIA, SDP, address, header, request, response, to_tag};
use crate::noise::{Random, for_seeds, mutate};

/// A call that came in and is up; what its process had to keep, and our tag.
fn kept() -> (Vec<u8>, String) {
    let mut bench = Bench::new();
    bench.say(&request("INVITE", 1, "i1", "", "Allow: INVITE, UPDATE\n", SDP));
    let Some(LegEvent::Incoming(incoming)) = bench.events.pop() else { panic!() };
    bench.answer(1);
    let tag = to_tag(&bench.one()).to_owned();
    bench.say(&request("ACK", 1, "a1", &tag, "", ""));
    assert_eq!(bench.said(), ["media 1 127.0.0.1:6000 Pcmu", "up 1"]);
    (incoming.dialog, tag)
}

fn revive(bench: &mut Bench, dialog: &[u8]) {
    let dialog = Redacted::new(dialog.to_vec());
    bench.command(LegCommand::Revive { leg: LegId(7), dialog, media: address(MEDIA) });
}

/// A process that has just asked for the dialog back: its re-INVITE.
fn reviving() -> (Bench, String, String) {
    let (dialog, tag) = kept();
    let mut bench = Bench::new();
    revive(&mut bench, &dialog);
    let invite = bench.one();
    assert_eq!(bench.said(), ["dialog 7"], "a successor of this process must leap from here");
    (bench, invite, tag)
}

#[test]
fn a_dialog_comes_back_and_lives_like_any_other() {
    let (mut bench, invite, tag) = reviving();
    assert!(invite.starts_with("INVITE sip:3003@127.0.0.1:5070 SIP/2.0\n"));
    assert_eq!((header(&invite, "CSeq"), header(&invite, "Call-ID")), ("1001 INVITE", "call"));
    assert_eq!(header(&invite, "From"), format!("<sip:1001@127.0.0.1:5060>;tag={tag}"));
    assert!(invite.contains("m=audio 4000 RTP/AVP 0 8 101\n"));
    let version: u32 =
        invite.lines().find(|line| line.starts_with("o=")).unwrap().split(' ').nth(2).unwrap().parse().unwrap();
    assert!(version > 1, "that of the other process was 1");
    bench.say(&response(&invite, 180, "", ""));
    bench.say(&response(&invite, 200, "", &SDP.replace("6000", "6002")));
    let ack = bench.one();
    assert!(ack.starts_with("ACK sip:1001@127.0.0.1:5070 SIP/2.0\n"), "to the target of the answer");
    assert_eq!(bench.said(), ["media 7 127.0.0.1:6002 Pcmu", "dialog 7", "up 7"]);
    bench.say(&response(&invite, 200, "", SDP));
    assert_eq!(bench.one(), ack);
    bench.say(&request("INVITE", 2, "i2", &tag, "", &SDP.replace("6000", "6004")));
    assert!(bench.one().starts_with("SIP/2.0 200 OK\n"));
    bench.say(&request("ACK", 2, "a2", &tag, "", ""));
    bench.say(&request("BYE", 3, "b3", &tag, "", ""));
    assert_eq!(bench.first_lines(), ["SIP/2.0 200 OK"]);
    assert_eq!(bench.said(), ["media 7 127.0.0.1:6004 Pcmu", "dialog 7", "gone 7 RemoteHungUp"]);
    bench.assert_empties();
}

#[test]
fn a_process_may_die_twice() {
    let (dialog, _) = kept();
    let mut bench = Bench::new();
    revive(&mut bench, &dialog);
    let Some(LegEvent::Dialog { dialog, .. }) = bench.events.pop() else { panic!() };
    let mut next = Bench::new();
    revive(&mut next, dialog.reveal());
    assert_eq!(header(&next.one(), "CSeq"), "2001 INVITE");
    let (mut bench, invite, _) = reviving();
    bench.say(&response(&invite, 200, "", SDP));
    bench.sent.clear();
    bench.command(LegCommand::HangUp { leg: LegId(7) });
    assert_eq!(header(&bench.one(), "CSeq"), "1002 BYE");
    bench.assert_empties();
}

#[test]
fn a_leg_that_we_placed_comes_back() {
    let mut bench = Bench::new();
    bench.dial(1);
    let invite = bench.one();
    bench.say(&response(&invite, 200, "far", &SDP.replace("AVP 0", "AVP 8")));
    let LegEvent::Dialog { dialog, .. } = &bench.events[0] else { panic!() };
    let mut next = Bench::new();
    revive(&mut next, dialog.reveal());
    let again = next.one();
    assert_eq!((header(&again, "CSeq"), header(&again, "To")), ("1002 INVITE", "<sip:1001@127.0.0.1:5070>;tag=far"));
    assert!(again.contains("m=audio 4000 RTP/AVP 8 0 101\n"), "what was spoken comes first");
    next.say(&response(&again, 200, "", SDP));
    assert_eq!(next.said(), ["dialog 7", "media 7 127.0.0.1:6000 Pcmu", "dialog 7", "up 7"]);
    next.command(LegCommand::HangUp { leg: LegId(7) });
    next.assert_empties();
}

#[test]
fn a_dialog_that_the_far_side_has_given_up() {
    for code in [408, 481, 486, 500] {
        let (mut bench, invite, _) = reviving();
        bench.say(&response(&invite, code, "", ""));
        let lines = bench.first_lines();
        assert_eq!(lines, ["ACK sip:3003@127.0.0.1:5070 SIP/2.0", "BYE sip:3003@127.0.0.1:5070 SIP/2.0"], "{code}");
        assert_eq!(bench.said(), ["gone 7 Failed"]);
        bench.assert_empties();
    }
}

#[test]
fn a_far_side_that_says_nothing_or_nothing_final() {
    for provisional in [false, true] {
        let (mut bench, invite, _) = reviving();
        if provisional {
            bench.say(&response(&invite, 100, "", ""));
        }
        bench.wait_ms(9_900);
        assert!(bench.said().is_empty());
        bench.sent.clear();
        bench.wait_ms(200);
        assert_eq!(bench.first_lines(), ["BYE sip:3003@127.0.0.1:5070 SIP/2.0"]);
        assert_eq!(bench.said(), ["gone 7 Failed"]);
        // An answer that is late gets its ACK, and nothing comes of it.
        bench.say(&response(&invite, 200, "", SDP));
        assert_eq!(bench.first_lines(), ["ACK sip:1001@127.0.0.1:5070 SIP/2.0"]);
        assert!(bench.said().is_empty());
        bench.assert_empties();
        let (mut bench, invite, _) = reviving();
        if provisional {
            bench.say(&response(&invite, 100, "", ""));
        }
        bench.assert_empties();
    }
}

#[test]
fn both_ask_at_once() {
    let (mut bench, invite, tag) = reviving();
    bench.say(&request("INVITE", 2, "i2", &tag, "", SDP));
    assert_eq!(bench.first_lines(), ["SIP/2.0 491 Request Pending"]);
    bench.say(&request("ACK", 2, "i2", &tag, "", ""));
    bench.say(&response(&invite, 491, "", ""));
    assert_eq!(bench.first_lines(), ["ACK sip:3003@127.0.0.1:5070 SIP/2.0"]);
    // We do not own the Call-ID: within 2 s.
    bench.wait_ms(2_010);
    let again = bench.sent.remove(0).1.replace("\r\n", "\n");
    assert_eq!(header(&again, "CSeq"), "1002 INVITE");
    bench.sent.clear();
    bench.say(&response(&again, 200, "", SDP));
    assert_eq!(bench.said().last().unwrap(), "up 7");
    bench.command(LegCommand::HangUp { leg: LegId(7) });
    bench.assert_empties();
}

#[test]
fn the_end_may_come_before_the_answer() {
    let (mut bench, invite, tag) = reviving();
    bench.say(&request("BYE", 2, "b2", &tag, "", ""));
    assert_eq!(bench.first_lines(), ["SIP/2.0 200 OK"]);
    bench.say(&response(&invite, 487, "", ""));
    assert_eq!(bench.said(), ["gone 7 RemoteHungUp"]);
    bench.assert_empties();
    let (mut bench, invite, _) = reviving();
    bench.command(LegCommand::HangUp { leg: LegId(7) });
    assert_eq!(bench.first_lines(), ["BYE sip:3003@127.0.0.1:5070 SIP/2.0"]);
    bench.say(&response(&invite, 200, "", SDP));
    assert_eq!(bench.first_lines(), ["ACK sip:1001@127.0.0.1:5070 SIP/2.0"]);
    assert_eq!(bench.said(), ["gone 7 LocalHungUp"]);
    bench.assert_empties();
}

#[test]
fn an_answer_without_media_ends_it() {
    let (mut bench, invite, _) = reviving();
    bench.say(&response(&invite, 200, "", ""));
    assert_eq!(bench.first_lines().len(), 2, "ACK and BYE");
    assert_eq!(bench.said(), ["gone 7 NoCommonMedia"]);
    bench.assert_empties();
}

#[test]
fn what_cannot_be_taken_up() {
    let (dialog, _) = kept();
    let mut bench = Bench::with(|config| config.legs_max = 1);
    let mut other_format = dialog.clone();
    other_format[0] += 1;
    for bytes in [&b""[..], b"rubbish", &other_format, &dialog[..dialog.len() - 1]] {
        revive(&mut bench, bytes);
        assert_eq!(bench.said(), ["gone 7 Failed"]);
    }
    assert!(bench.sent.is_empty());
    revive(&mut bench, &dialog);
    revive(&mut bench, &dialog);
    assert_eq!(bench.said(), ["dialog 7"], "the id is taken");
    let command = |leg| LegCommand::Revive { leg, dialog: Redacted::new(dialog.clone()), media: address(MEDIA) };
    bench.command(command(LegId(8)));
    assert_eq!(bench.said(), ["gone 8 Failed"], "no room");
    let mut bench = Bench::new();
    bench.command(command(LegId(8)));
    bench.command(command(LegId(9)));
    assert_eq!(bench.said(), ["dialog 8", "gone 9 Failed"], "once is enough");
    bench.command(LegCommand::HangUp { leg: LegId(8) });
    bench.assert_empties();
}

#[test]
fn any_bytes_may_be_revived() {
    let (dialog, _) = kept();
    for_seeds("any_bytes_may_be_revived", 100, |seed| {
        let mut random = Random(seed);
        let mut bench = Bench::new();
        for _ in 0..50 {
            let mut bytes = dialog.clone();
            mutate(&mut random, &mut bytes);
            revive(&mut bench, &bytes);
            for (_, text) in bench.sent.drain(..) {
                assert!(text.starts_with("INVITE "), "{text}");
                assert_eq!(text.matches("\r\nCSeq: ").count(), 1, "{text}");
            }
            bench.command(LegCommand::HangUp { leg: LegId(7) });
            bench.sent.clear();
        }
        bench.assert_empties();
    });
}
