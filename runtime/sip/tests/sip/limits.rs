//! Every bound, at the bound.

use runtime_contract::leg::{LegCommand, LegId};

use crate::bench::{Bench, SDP, header, request};

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
