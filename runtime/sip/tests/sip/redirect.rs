//! Calls that are sent elsewhere by 3xx, and sessions that are too short for somebody on the way.

use runtime_contract::leg::{LegCommand, LegId};

use crate::bench::{Bench, LEG, PEER, SDP, address, dialled, header, response, said};

fn moved(invite: &str, contacts: &str) -> String {
    response(invite, 302, "r", "").replace(&format!("Contact: <sip:1001@{PEER}>"), &format!("Contact: {contacts}"))
}

/// The ACK of the refusal has gone; what else was sent, and where to.
fn next(bench: &mut Bench) -> (String, String) {
    assert_eq!(bench.sent.len(), 2, "{:?}", bench.sent);
    assert!(bench.sent[0].1.starts_with("ACK "));
    let (destination, text) = bench.sent.pop().unwrap();
    bench.sent.clear();
    (destination.to_string(), text.replace("\r\n", "\n"))
}

#[test]
fn a_call_goes_where_it_is_sent() {
    let (mut bench, invite) = dialled();
    bench.say(&moved(&invite, "<sip:second@127.0.0.1:5072>;q=0.2, \"B\" <sip:first@127.0.0.1:5071;x=y>;q=0.7"));
    let (destination, first) = next(&mut bench);
    assert_eq!(destination, "127.0.0.1:5071");
    assert!(first.starts_with("INVITE sip:first@127.0.0.1:5071;x=y SIP/2.0\n"));
    for same in ["Call-ID", "From", "To"] {
        assert_eq!(header(&first, same), header(&invite, same));
    }
    assert_eq!(header(&first, "CSeq"), "2 INVITE");
    assert_ne!(header(&first, "Via"), header(&invite, "Via"));
    bench.say(&response(&first, 486, "r2", ""));
    let (destination, second) = next(&mut bench);
    assert_eq!((destination.as_str(), header(&second, "CSeq")), ("127.0.0.1:5072", "3 INVITE"));
    bench.say(&response(&second, 180, "far", ""));
    bench.say(&response(&second, 200, "far", SDP));
    assert_eq!(said(&mut bench), ["ringing d", "dialog d", "media d 127.0.0.1:6000 Pcmu", "up d"]);
    bench.sent.clear();
    bench.command(LegCommand::HangUp { leg: LegId(LEG) });
    assert_eq!(header(&bench.one(), "CSeq"), "4 BYE");
    bench.assert_empties();
}

#[test]
fn nobody_is_sent_round_in_circles_or_out_of_sip() {
    for contacts in [
        format!("<sip:1001@{PEER}>"),
        "<tel:+441>, <sips:a@127.0.0.1>, <http://x>, <sip:a@127.0.0.1?Replaces=x>".into(),
        "<sip:a@127.0.0.1:5060>".into(),
        "<sip:a@224.0.0.1>, <sip:a@0.0.0.0>".into(),
        String::new(),
    ] {
        let (mut bench, invite) = dialled();
        let text = if contacts.is_empty() {
            moved(&invite, "x").replace("Contact: x\n", "")
        } else {
            moved(&invite, &contacts)
        };
        bench.say(&text);
        assert_eq!(bench.first_lines().len(), 1, "{contacts}: the ACK alone");
        assert_eq!(said(&mut bench), ["gone d Refused(302)"]);
        bench.assert_empties();
    }
    let (mut bench, invite) = dialled();
    bench.say(&moved(&invite, "<sip:other@host.example>"));
    let (destination, other) = next(&mut bench);
    assert_eq!(destination, PEER, "names are for whoever was asked first");
    bench.say(&moved(&other, &format!("<sip:1001@{PEER}>, <sip:third@127.0.0.2>")));
    let (destination, third) = next(&mut bench);
    assert_eq!(destination, "127.0.0.2:5060");
    bench.say(&response(&third, 603, "r", ""));
    assert_eq!(bench.first_lines().len(), 1);
    assert_eq!(said(&mut bench), ["gone d Refused(603)"]);
    bench.assert_empties();
}

#[test]
fn addresses_are_bounded() {
    let (mut bench, mut invite) = dialled();
    for round in 2..=8 {
        bench.say(&moved(&invite, &format!("<sip:a{round}@127.0.0.1:5{round}00>")));
        invite = next(&mut bench).1;
    }
    bench.say(&moved(&invite, "<sip:a9@127.0.0.1:5900>"));
    assert_eq!(bench.first_lines().len(), 1);
    assert_eq!(said(&mut bench), ["gone d Refused(302)"]);
    bench.assert_empties();
}

#[test]
fn patience_and_hanging_up_hold_for_all_of_them() {
    let (mut bench, invite) = dialled();
    bench.wait_ms(100);
    bench.say(&moved(&invite, "<sip:a@127.0.0.1:5071>"));
    let (_, next) = next(&mut bench);
    bench.say(&response(&next, 180, "far", ""));
    bench.wait_ms(180_000);
    let cancel = bench.one();
    assert!(cancel.starts_with("CANCEL sip:a@127.0.0.1:5071 SIP/2.0\n"));
    assert_eq!(header(&cancel, "Reason"), "SIP;cause=408;text=\"No answer in time\"");
    assert_eq!(said(&mut bench), ["ringing d", "gone d NoAnswer"]);
    bench.assert_empties();
    let (mut bench, invite) = dialled();
    bench.command(LegCommand::HangUp { leg: LegId(LEG) });
    bench.say(&moved(&invite, "<sip:a@127.0.0.1:5071>"));
    assert_eq!(bench.first_lines().len(), 1, "who has given up goes nowhere");
    assert_eq!(said(&mut bench), ["gone d LocalHungUp"]);
    bench.assert_empties();
}

#[test]
fn a_longer_session_is_asked_for() {
    let (mut bench, invite) = dialled();
    assert_eq!((header(&invite, "Session-Expires"), header(&invite, "Min-SE")), ("1800", "90"));
    bench.say(&response(&invite, 422, "r", "").replace("Contact", "Min-SE: 7200\nContact"));
    let (_, again) = next(&mut bench);
    assert_eq!((header(&again, "Session-Expires"), header(&again, "Min-SE")), ("7200", "7200"));
    assert_eq!(header(&again, "CSeq"), "2 INVITE");
    bench.say(&response(&again, 422, "r", "").replace("Contact", "Min-SE: 7200\nContact"));
    assert_eq!(said(&mut bench), ["gone d Refused(422)"], "it has nothing new to say");
    assert!(bench.sent.iter().all(|(destination, _)| *destination == address(PEER)));
    bench.assert_empties();
}
