//! Sessions that change, are held, last and expire: re-INVITE and UPDATE from both sides, session timers.

use runtime_contract::leg::{LegCommand, LegEvent, LegId};

use crate::bench::{Bench, PEER, SDP, established, header, request, response, to_tag};

fn hold(bench: &mut Bench, on: bool) {
    bench.command(LegCommand::Hold { leg: LegId(1), on });
}

/// The last event's media: whether we send, and whether we receive.
fn directions(bench: &mut Bench) -> (bool, bool) {
    let Some(LegEvent::Media { media, .. }) = bench.events.pop() else { panic!("{:?}", bench.events) };
    (media.send, media.receive)
}

fn version(message: &str) -> u32 {
    message.lines().find(|line| line.starts_with("o=")).unwrap().split(' ').nth(2).unwrap().parse().unwrap()
}

fn end(bench: &mut Bench) {
    bench.command(LegCommand::HangUp { leg: LegId(1) });
    bench.assert_empties();
}

/// A call whose INVITE had these header lines, and is up. Gives the 200 and our tag.
fn call(bench: &mut Bench, extra: &str) -> (String, String) {
    bench.say(&request("INVITE", 1, "i1", "", extra, SDP));
    bench.answer(1);
    let ok = bench.one();
    let tag = to_tag(&ok).to_owned();
    bench.say(&request("ACK", 1, "a1", &tag, "", ""));
    bench.said();
    (ok, tag)
}

#[test]
fn we_hold_and_take_back() {
    let mut bench = Bench::new();
    let tag = established(&mut bench);
    hold(&mut bench, true);
    let held = bench.one();
    assert!(held.starts_with("INVITE sip:3003@127.0.0.1:5070 SIP/2.0\n") && held.contains("a=sendonly\n"));
    assert_eq!((header(&held, "CSeq"), version(&held)), ("1 INVITE", 2));
    hold(&mut bench, true);
    assert!(bench.sent.is_empty(), "it is asked for already");
    bench.say(&response(&held, 200, "", &format!("{SDP}a=recvonly\n")));
    assert!(bench.one().starts_with("ACK sip:1001@127.0.0.1:5070 "));
    bench.events.retain(|event| matches!(event, LegEvent::Media { .. }));
    assert_eq!(directions(&mut bench), (true, false));
    // While we hold, their re-INVITE does not end it.
    bench.say(&request("INVITE", 2, "i2", &tag, "", SDP));
    assert!(bench.one().contains("a=sendonly\n"));
    hold(&mut bench, false);
    assert!(bench.sent.is_empty(), "their INVITE is not over before its ACK");
    bench.say(&request("ACK", 2, "a2", &tag, "", ""));
    let back = bench.one();
    assert!(back.contains("a=sendrecv\n") && version(&back) > version(&held));
    bench.say(&response(&back, 200, "", SDP));
    bench.events.retain(|event| matches!(event, LegEvent::Media { .. }));
    assert_eq!(directions(&mut bench), (true, true));
    bench.sent.clear();
    end(&mut bench);
}

#[test]
fn a_change_that_is_refused_leaves_the_session() {
    let mut bench = Bench::new();
    established(&mut bench);
    hold(&mut bench, true);
    let held = bench.one();
    bench.say(&response(&held, 488, "", ""));
    assert_eq!(bench.first_lines().len(), 1, "the ACK");
    assert!(bench.said().is_empty());
    // Put off, it is asked for again.
    hold(&mut bench, true);
    let held = bench.one();
    bench.say(&response(&held, 500, "", "").replace("Contact", "Retry-After: 3 (busy);duration=9\nContact"));
    bench.sent.clear();
    bench.wait_ms(2_900);
    assert!(bench.sent.is_empty());
    bench.wait_ms(200);
    let again = bench.one();
    assert!(again.contains("a=sendonly\n"));
    bench.say(&response(&again, 481, "", ""));
    let lines = bench.first_lines();
    assert_eq!(lines[1..], ["BYE sip:3003@127.0.0.1:5070 SIP/2.0"], "a dialog that is not there is over");
    assert_eq!(bench.said(), ["gone 1 Failed"]);
    bench.assert_empties();
}

#[test]
fn a_far_side_that_always_puts_us_off() {
    let mut bench = Bench::new();
    established(&mut bench);
    hold(&mut bench, true);
    let mut asked = 0;
    while let Some(at) = bench.sent.iter().position(|(_, text)| text.starts_with("INVITE ")) {
        let invite = bench.sent[at].1.replace("\r\n", "\n");
        bench.sent.clear();
        asked += 1;
        bench.say(&response(&invite, 491, "", ""));
        bench.wait_ms(4_100);
    }
    assert_eq!(asked, 9);
    assert!(bench.said().is_empty(), "and the call goes on");
    end(&mut bench);
}

#[test]
fn both_ask_at_once_and_the_owner_of_the_call_waits_longer() {
    let mut bench = Bench::new();
    let tag = established(&mut bench);
    hold(&mut bench, true);
    let ours = bench.one();
    bench.say(&request("INVITE", 2, "i2", &tag, "", SDP));
    assert_eq!(bench.first_lines(), ["SIP/2.0 491 Request Pending"]);
    bench.say(&request("UPDATE", 3, "u3", &tag, "", SDP));
    assert_eq!(bench.first_lines(), ["SIP/2.0 491 Request Pending"]);
    bench.say(&request("UPDATE", 4, "u4", &tag, "", ""));
    assert_eq!(bench.first_lines(), ["SIP/2.0 200 OK"], "without an offer nothing collides");
    bench.say(&request("ACK", 2, "i2", &tag, "", ""));
    bench.say(&response(&ours, 491, "", ""));
    bench.sent.clear();
    // Not ours: up to 2 s. Meanwhile theirs comes again.
    bench.say(&request("INVITE", 5, "i5", &tag, "", SDP));
    assert_eq!(bench.first_lines(), ["SIP/2.0 200 OK"]);
    bench.say(&request("ACK", 5, "a5", &tag, "", ""));
    bench.wait_ms(2_010);
    assert!(bench.sent[0].1.contains("a=sendonly\r\n"));
    end(&mut bench);

    let mut bench = Bench::new();
    bench.dial(1);
    let invite = bench.one();
    bench.say(&response(&invite, 200, "far", SDP));
    bench.sent.clear();
    hold(&mut bench, true);
    let ours = bench.one();
    bench.say(&response(&ours, 491, "", ""));
    bench.sent.clear();
    bench.wait_ms(2_090);
    assert!(bench.sent.is_empty(), "the Call-ID is ours: 2.1 to 4 s");
    bench.wait_ms(1_920);
    assert!(bench.sent[0].1.starts_with("INVITE "));
    end(&mut bench);
}

#[test]
fn a_reinvite_that_is_never_answered_ends_the_call() {
    for provisional in [false, true] {
        let mut bench = Bench::new();
        established(&mut bench);
        hold(&mut bench, true);
        let ours = bench.one();
        if provisional {
            bench.say(&response(&ours, 100, "", ""));
        }
        bench.wait_ms(33_000);
        assert_eq!(bench.said(), ["gone 1 Failed"]);
        bench.assert_empties();
    }
}

#[test]
fn the_far_side_changes_everything() {
    let mut bench = Bench::new();
    let tag = established(&mut bench);
    let mut cseq = 1;
    let mut ask = |bench: &mut Bench, method: &str, body: &str| {
        cseq += 1;
        bench.say(&request(method, cseq, &format!("{method}{cseq}"), &tag, "", body));
        let answer = bench.one();
        bench.events.retain(|event| !matches!(event, LegEvent::Dialog { .. }));
        if method == "INVITE" {
            bench.say(&request("ACK", cseq, &format!("a{cseq}"), &tag, "", ""));
        }
        answer
    };
    for method in ["INVITE", "UPDATE"] {
        let zeros = SDP.replace("IP4 127.0.0.1\nt", "IP4 0.0.0.0\nt");
        for (body, answer, directions_expected) in [
            (format!("{SDP}a=sendonly\n"), "a=recvonly\n", (false, true)),
            (format!("{SDP}a=inactive\n"), "a=inactive\n", (false, false)),
            (zeros, "a=recvonly\n", (false, true)),
            (format!("{SDP}a=recvonly\n"), "a=sendonly\n", (true, false)),
            (SDP.to_owned(), "a=sendrecv\n", (true, true)),
        ] {
            let ok = ask(&mut bench, method, &body);
            assert!(ok.starts_with("SIP/2.0 200 OK\n") && ok.contains(answer), "{ok}");
            assert_eq!(header(&ok, "Contact"), "<sip:127.0.0.1:5060>");
            assert_eq!(directions(&mut bench), directions_expected);
        }
        ask(&mut bench, method, &SDP.replace("AVP 0", "AVP 8"));
        assert_eq!(bench.said(), ["media 1 127.0.0.1:6000 Pcma"]);
        let before = ask(&mut bench, method, &format!("{SDP}a=ptime:40\n"));
        let Some(LegEvent::Media { media, .. }) = bench.events.pop() else { panic!() };
        assert_eq!(media.ptime_ms, 40);
        let same = ask(&mut bench, method, &format!("{SDP}a=ptime:40\n"));
        assert_eq!(version(&same), version(&before), "what does not change has the same version");
        assert!(bench.said().is_empty());
        ask(&mut bench, method, &SDP.replace("6000", "6008"));
        assert_eq!(bench.said(), ["media 1 127.0.0.1:6008 Pcmu"]);
        let lines = ask(&mut bench, method, &format!("{SDP}m=video 6 RTP/AVP 31\n"));
        assert!(lines.contains("\nm=video 0 RTP/AVP 31\n"));
        bench.said();
        let refused = ask(&mut bench, method, "v=0\nc=IN IP4 127.0.0.1\nm=audio 6 RTP/AVP 9\n");
        assert!(refused.starts_with("SIP/2.0 488 "));
        assert!(bench.said().is_empty());
    }
    // Our offers keep the line that was refused.
    cseq += 1;
    bench.say(&request("INVITE", cseq, "late", &tag, "", ""));
    let late = bench.one();
    assert!(late.contains("m=audio 4000 RTP/AVP 0 8 101\n") && late.contains("m=audio 0 RTP/AVP 0\n"), "{late}");
    bench.say(&request("UPDATE", cseq + 1, "early", &tag, "", SDP));
    assert!(bench.one().starts_with("SIP/2.0 491 "), "our offer has no answer yet");
    bench.say(&request("ACK", cseq, "alate", &tag, "", &format!("{SDP}a=inactive\nm=audio 0 RTP/AVP 0\n")));
    assert_eq!(directions(&mut bench), (false, false));
    end(&mut bench);
}

#[test]
fn an_update_moves_the_far_side() {
    let mut bench = Bench::new();
    let (_, tag) = call(&mut bench, "");
    bench.say(
        &request("UPDATE", 2, "u2", &tag, "", "")
            .replace("<sip:3003@127.0.0.1:5070>\nC", "<sip:3003@127.0.0.1:5077>\nC"),
    );
    assert!(bench.one().starts_with("SIP/2.0 200 OK\n"));
    assert_eq!(bench.said(), ["dialog 1"], "a successor must know");
    bench.command(LegCommand::HangUp { leg: LegId(1) });
    assert!(bench.one().starts_with("BYE sip:3003@127.0.0.1:5077 SIP/2.0\n"));
    bench.assert_empties();
}

#[test]
fn who_refreshes_and_how_often() {
    for (extra, expires, requires) in [
        ("", None, false),
        ("Supported: timer\n", Some("1800;refresher=uas"), true),
        ("k: x, TIMER\nx: 600\n", Some("600;refresher=uac"), true),
        ("Supported: timer\nSession-Expires: 600;refresher=uas\n", Some("600;refresher=uas"), true),
        ("Supported: timer\nSession-Expires: 600;refresher=uac\n", Some("600;refresher=uac"), true),
        ("Session-Expires: 600;refresher=uac\n", Some("600;refresher=uas"), false),
        ("Session-Expires: 30\n", None, false),
        ("Supported: timer\nSession-Expires: 7200\n", Some("1800;refresher=uac"), true),
        ("Supported: timer\nSession-Expires: 7200\nMin-SE: 3600\n", Some("3600;refresher=uac"), true),
    ] {
        let mut bench = Bench::new();
        let (ok, _) = call(&mut bench, extra);
        let found = ok.contains("\nSession-Expires: ").then(|| header(&ok, "Session-Expires"));
        assert_eq!((found, ok.contains("\nRequire: timer\n")), (expires, requires), "{extra}");
        end(&mut bench);
    }
    let mut bench = Bench::new();
    bench.say(&request("INVITE", 1, "i1", "", "Supported: timer\nSession-Expires: 89\n", SDP));
    let refused = bench.one();
    assert!(refused.starts_with("SIP/2.0 422 Session Interval Too Small\n"));
    assert_eq!(header(&refused, "Min-SE"), "90");
    assert!(bench.said().is_empty());
    let tag = established(&mut bench);
    for method in ["INVITE", "UPDATE"] {
        let cseq = 1 + method.len() as u32 + u32::from(method == "UPDATE");
        bench.say(&request(method, cseq, method, &tag, "Supported: timer\nSession-Expires: 89\n", SDP));
        assert!(bench.one().starts_with("SIP/2.0 422 "));
    }
    end(&mut bench);
}

#[test]
fn we_refresh_by_update_or_by_reinvite() {
    for update in [true, false] {
        let allow = if update { "Allow: INVITE, UPDATE\n" } else { "" };
        let mut bench = Bench::new();
        let (ok, _) = call(&mut bench, &format!("{allow}Supported: timer\nSession-Expires: 600;refresher=uas\n"));
        bench.wait_ms(299_000);
        assert!(bench.sent.is_empty());
        bench.wait_ms(1_300);
        let refresh = bench.one();
        assert_eq!(header(&refresh, "Session-Expires"), "600;refresher=uac");
        let method = if update { "UPDATE" } else { "INVITE" };
        assert!(refresh.starts_with(method));
        assert_eq!(refresh.contains("m=audio"), !update);
        assert!(update || version(&refresh) == version(&ok), "nothing changes");
        let agreed = "Session-Expires: 600;refresher=uac\nContact";
        bench.say(&response(&refresh, 200, "", if update { "" } else { SDP }).replacen("Contact", agreed, 1));
        bench.sent.clear();
        bench.wait_ms(300_300);
        assert_eq!(bench.first_lines().len(), 1, "and again");
        // This one is lost, with all its repetitions.
        bench.wait_ms(33_000);
        assert!(bench.first_lines().last().unwrap().starts_with("BYE "));
        assert_eq!(bench.said().last().unwrap(), "gone 1 Failed");
        bench.assert_empties();
    }
}

#[test]
fn a_far_side_that_said_it_knows_update_and_does_not() {
    let mut bench = Bench::new();
    let timer = "Allow: UPDATE\nSupported: timer\nSession-Expires: 600;refresher=uas\n";
    call(&mut bench, timer);
    bench.wait_ms(300_300);
    let update = bench.one();
    assert!(update.starts_with("UPDATE "));
    bench.say(&response(&update, 405, "", ""));
    let invite = bench.one();
    assert!(invite.starts_with("INVITE "));
    bench.say(&response(&invite, 422, "", "").replace("Contact", "Min-SE: 900\nContact"));
    bench.wait_ms(10);
    let longer = bench.sent.pop().unwrap().1.replace("\r\n", "\n");
    assert_eq!(header(&longer, "Session-Expires"), "900;refresher=uac");
    bench.sent.clear();
    end(&mut bench);
}

#[test]
fn a_session_that_nobody_refreshes_is_ended() {
    let mut bench = Bench::new();
    let (_, tag) = call(&mut bench, "Supported: timer\nSession-Expires: 600;refresher=uac\n");
    bench.wait_ms(500_000);
    let again = "Supported: timer\nSession-Expires: 90;refresher=uac\n";
    bench.say(&request("UPDATE", 2, "u2", &tag, again, ""));
    assert_eq!(header(&bench.one(), "Session-Expires"), "90;refresher=uac");
    assert_eq!(bench.said(), ["dialog 1"], "another interval");
    bench.wait_ms(59_900);
    assert!(bench.sent.is_empty());
    bench.wait_ms(200);
    let bye = bench.one();
    assert!(bye.starts_with("BYE "));
    assert_eq!(header(&bye, "Reason"), "SIP;cause=408;text=\"Session expired\"");
    assert_eq!(bench.said(), ["gone 1 Failed"]);
    bench.assert_empties();
}

#[test]
fn a_leg_that_we_placed_is_refreshed_as_its_answer_says() {
    for (answer, refreshed) in [("600;refresher=uac", true), ("600", true), ("600;refresher=uas", false)] {
        let mut bench = Bench::new();
        bench.dial(1);
        let invite = bench.one();
        let headers = format!("Allow: UPDATE\nSession-Expires: {answer}\nContact");
        bench.say(&response(&invite, 200, "far", SDP).replacen("Contact", &headers, 1));
        bench.sent.clear();
        bench.wait_ms(300_300);
        assert_eq!(bench.first_lines().len(), usize::from(refreshed), "{answer}");
        end(&mut bench);
    }
}

/// What is sent next, and seconds until then.
fn next(bench: &mut Bench) -> (String, u64) {
    let start = bench.now;
    while bench.sent.is_empty() {
        assert!((bench.now - start).as_secs() < 2_000, "nothing is sent");
        bench.wait_ms(100);
    }
    (bench.one(), (bench.now - start).as_secs())
}

#[test]
fn who_agreed_to_no_timer_is_asked_whether_it_is_still_there() {
    for ours in [false, true] {
        let mut bench = Bench::new();
        if ours {
            bench.dial(1);
            let invite = bench.one();
            assert_eq!(header(&invite, "To"), format!("<sip:1001@{PEER}>"));
            bench.say(&response(&invite, 200, "far", SDP));
            assert!(bench.one().starts_with("ACK "));
        } else {
            established(&mut bench);
        }
        bench.said();
        for code in [488, 200, 500] {
            let (asked, after_s) = next(&mut bench);
            assert!(asked.starts_with("INVITE ") && asked.contains("a=sendrecv\n"), "{asked}");
            assert!((900..=960).contains(&after_s), "{after_s} s");
            bench.say(&response(&asked, code, "", if code == 200 { SDP } else { "" }));
            assert!(bench.one().starts_with("ACK "));
        }
        assert!(bench.said().iter().all(|event| !event.starts_with("gone ")), "whoever refuses is there");
        let (asked, _) = next(&mut bench);
        assert!(asked.starts_with("INVITE "));
        bench.wait_ms(33_000);
        assert_eq!(bench.said(), ["gone 1 Failed"]);
        bench.assert_empties();
    }
}

#[test]
fn whoever_answers_without_a_description_is_there_and_whoever_is_not_found_is_not() {
    let mut bench = Bench::new();
    established(&mut bench);
    bench.said();
    let (asked, _) = next(&mut bench);
    bench.say(&response(&asked, 200, "", ""));
    assert!(bench.one().starts_with("ACK ") && !bench.said().iter().any(|event| event.starts_with("gone ")));
    let (asked, _) = next(&mut bench);
    bench.say(&response(&asked, 480, "", ""));
    assert_eq!(bench.said(), ["gone 1 Failed"]);
    bench.assert_empties();
}

#[test]
fn many_calls_that_began_together_are_asked_one_after_the_other() {
    let mut bench = Bench::new();
    for leg in 1_000..1_100 {
        bench.dial(leg);
        let invite = bench.one();
        bench.say(&response(&invite, 200, "far", SDP));
        bench.sent.clear();
    }
    let mut at_once = Vec::new();
    for _ in 0..9_700 {
        bench.wait_ms(100);
        let asked: Vec<String> = bench.sent.drain(..).map(|(_, text)| text.replace("\r\n", "\n")).collect();
        at_once.extend((!asked.is_empty()).then_some(asked.len()));
        asked.iter().for_each(|asked| bench.say(&response(asked, 488, "", "")));
        bench.sent.clear();
    }
    assert_eq!(at_once, [32, 32, 32, 4]);
}
