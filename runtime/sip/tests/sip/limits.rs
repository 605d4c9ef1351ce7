//! Every bound, at the bound.

use runtime_contract::leg::{LegCommand, LegId};
use runtime_sip::{Input, Load};

use crate::bench::{Bench, LOCAL, SDP, address, header, request};

fn call(number: u32) -> String {
    request("INVITE", 1, &format!("i{number}"), "", "", SDP).replace("Call-ID: call", &format!("Call-ID: c{number}"))
}

#[test]
fn legs() {
    let mut bench = Bench::with(|config| config.legs_max = 3);
    for number in 1..=3 {
        bench.say(&call(number));
    }
    assert!(bench.sent.is_empty());
    bench.say(&call(4));
    let refused = bench.one();
    assert!(refused.starts_with("SIP/2.0 503 Service Unavailable\n"));
    assert_eq!(header(&refused, "Retry-After"), "5");
    bench.dial(1 << 63);
    assert_eq!(bench.said().last().unwrap(), "gone 9223372036854775808 Failed");
    bench.command(LegCommand::HangUp { leg: LegId(1) });
    bench.sent.clear();
    bench.say(&call(5));
    assert_eq!(bench.said().last().unwrap(), "incoming 4");
    for leg in 2..=4 {
        bench.command(LegCommand::HangUp { leg: LegId(leg) });
    }
    bench.assert_empties();
}

/// An INVITE of another host.
fn call_from(bench: &mut Bench, source: &str, number: u32) {
    let text = crate::bench::crlf(&call(number));
    let (source, local) = (address(source), address(LOCAL));
    bench.input(Input::Datagram { source, local, bytes: text.as_bytes(), trusted: true });
}

#[test]
fn calls_of_one_host_that_wait_for_their_ack() {
    let mut bench = Bench::with(|config| config.unacknowledged_max = 2);
    for number in 1..=4 {
        bench.say(&call(number));
    }
    assert_eq!(bench.said().len(), 4, "nothing is owed before the first is answered");
    bench.answer(1);
    bench.answer(2);
    let tag = crate::bench::to_tag(&bench.sent.remove(0).1).trim_end().to_owned();
    bench.sent.clear();
    bench.answer(3);
    let refused = bench.one();
    assert!(refused.starts_with("SIP/2.0 503 Service Unavailable\n"));
    assert_eq!(header(&refused, "Retry-After"), "5");
    assert_eq!(bench.said().last().unwrap(), "gone 3 Failed");
    bench.say(&call(5));
    assert_eq!(header(&bench.one(), "Retry-After"), "5");
    assert!(bench.said().is_empty());
    assert_eq!((bench.endpoint.load().unacknowledged, bench.endpoint.unacknowledged_refused()), (2, 2));

    // Other hosts are served, and another port is no other host.
    call_from(&mut bench, "127.0.0.2:5070", 6);
    assert_eq!(bench.said(), ["incoming 5"]);
    call_from(&mut bench, "127.0.0.1:5099", 7);
    assert!(bench.said().is_empty());
    bench.sent.clear();

    bench.say(&request("ACK", 1, "a1", &tag, "", "").replace("Call-ID: call", "Call-ID: c1"));
    bench.answer(4);
    assert_eq!(bench.said(), ["up 1", "media 4 127.0.0.1:6000 Pcmu"], "an ACK makes room");
    bench.command(LegCommand::HangUp { leg: LegId(1) });
    bench.command(LegCommand::HangUp { leg: LegId(5) });
    bench.sent.clear();
    // Those that never get their ACK are ended, and make room.
    bench.wait_ms(33_000);
    assert_eq!(bench.said(), ["gone 1 LocalHungUp", "gone 5 LocalHungUp", "gone 2 NoAck", "gone 4 NoAck"]);
    bench.sent.clear();
    bench.say(&call(8));
    assert_eq!(bench.said(), ["incoming 6"]);
    bench.command(LegCommand::HangUp { leg: LegId(6) });
    bench.assert_empties();
}

#[test]
fn transactions() {
    let mut bench = Bench::with(|config| config.transactions_max = 2);
    bench.say(&call(1));
    bench.say(&call(2));
    bench.say(&call(3));
    assert!(bench.one().starts_with("SIP/2.0 503 "));
    bench.answer(1);
    let tag = crate::bench::to_tag(&bench.one()).to_owned();
    let in_call = |text: String| text.replace("Call-ID: call", "Call-ID: c1");
    bench.say(&in_call(request("ACK", 1, "a", &tag, "", "")));
    bench.say(&in_call(request("BYE", 2, "b", &tag, "", "")));
    assert!(bench.one().starts_with("SIP/2.0 200 OK\n"), "a BYE ends its call however full the table is");
    assert_eq!(bench.said().last().unwrap(), "gone 1 RemoteHungUp");
    bench.answer(2);
    bench.command(LegCommand::HangUp { leg: LegId(2) });
    bench.assert_empties();
}

#[test]
fn bodies() {
    let mut bench = Bench::with(|config| config.body_bytes_max = 100);
    let body = |bytes: usize| format!("v=0\n{}", "x".repeat(bytes - 5));
    bench.say(&request("INVITE", 1, "i1", "", "", &body(100)));
    assert!(bench.one().starts_with("SIP/2.0 400 "));
    bench.say(&request("INVITE", 1, "i1", "", "", &body(101)));
    assert!(bench.one().starts_with("SIP/2.0 413 Request Entity Too Large\n"));
}

/// Half-open calls by the thousand: answered, or rung reliably, and never acknowledged.
#[test]
fn half_open_calls_come_to_an_end() {
    const CALLS: u32 = 10_000;
    let mut bench = Bench::with(|config| config.unacknowledged_max = CALLS as usize);
    for number in 1..=CALLS {
        let text = if number % 4 == 0 { call(number).replace("Max-F", "Require: 100rel\nMax-F") } else { call(number) };
        bench.say(&text);
        match number % 4 {
            0 => bench.command(LegCommand::Ring { leg: LegId(u64::from(number)) }),
            _ => bench.answer(u64::from(number)),
        }
        bench.sent.clear();
        bench.events.clear();
    }
    assert_eq!(bench.endpoint.load().legs, CALLS as usize);
    let end = bench.now.plus_ms(400_000);
    while let Some(deadline) = bench.endpoint.next_deadline() {
        bench.now = bench.now.max(deadline);
        bench.input(Input::Timeout);
        bench.sent.clear();
    }
    assert!(bench.now < end);
    assert_eq!(bench.endpoint.load(), Load::default());
    assert!(bench.said().iter().filter(|event| event.ends_with("NoAck")).count() == CALLS as usize);
}
