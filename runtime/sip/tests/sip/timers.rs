//! Every timer of RFC 3261 table 4 and RFC 6026 on virtual ticks: when it sends, and when it lets go.

use runtime_contract::leg::{LegCommand, LegId, RejectCause};
use runtime_sip::Input;

use crate::bench::{Bench, SDP, established, request, response, to_tag};

/// Tenths of a second, from now, at which something is sent while `seconds` pass.
fn sends(bench: &mut Bench, seconds: u64) -> Vec<u64> {
    bench.sent.clear();
    let start = bench.now;
    let end = start.plus_ms(seconds * 1_000);
    let mut tenths = Vec::new();
    while let Some(deadline) = bench.endpoint.next_deadline().filter(|deadline| *deadline <= end) {
        bench.now = bench.now.max(deadline);
        bench.input(Input::Timeout);
        let at = ((bench.now - start).as_millis() / 100) as u64;
        tenths.extend(bench.sent.drain(..).map(|_| at));
    }
    bench.now = end;
    tenths
}

/// Seconds until the endpoint holds no transaction.
fn lingers_s(bench: &mut Bench) -> u64 {
    let start = bench.now;
    while bench.endpoint.load().transactions > 0 {
        bench.now = bench.endpoint.next_deadline().unwrap();
        bench.input(Input::Timeout);
    }
    (bench.now - start).as_secs()
}

/// Doubling to T2 = 4 s within 64·T1 = 32 s.
const CAPPED: [u64; 10] = [5, 15, 35, 75, 115, 155, 195, 235, 275, 315];

#[test]
fn a_and_b_of_an_invite_without_response() {
    let mut bench = Bench::new();
    bench.dial(1 << 63);
    assert_eq!(sends(&mut bench, 40), [5, 15, 35, 75, 155, 315]);
    assert_eq!(bench.endpoint.load().transactions, 0);
}

#[test]
fn d_of_a_refused_invite() {
    let mut bench = Bench::new();
    bench.dial(1 << 63);
    let invite = bench.one();
    bench.say(&response(&invite, 486, "far", ""));
    assert_eq!(lingers_s(&mut bench), 32);
}

#[test]
fn m_of_an_accepted_invite() {
    let mut bench = Bench::new();
    bench.dial(1 << 63);
    let invite = bench.one();
    bench.say(&response(&invite, 200, "far", SDP));
    assert_eq!(lingers_s(&mut bench), 32);
    assert_eq!(bench.endpoint.load().legs, 1);
}

#[test]
fn e_and_f_of_a_bye_without_response() {
    let mut bench = Bench::new();
    established(&mut bench);
    bench.command(LegCommand::HangUp { leg: LegId(1) });
    assert_eq!(sends(&mut bench, 60), CAPPED);
    assert_eq!(bench.endpoint.load().transactions, 0);
}

#[test]
fn e_in_proceeding_is_t2_and_k_lets_go_after_t4() {
    let mut bench = Bench::new();
    established(&mut bench);
    bench.wait_ms(40_000);
    bench.command(LegCommand::HangUp { leg: LegId(1) });
    let bye = bench.one();
    bench.say(&response(&bye, 100, "", ""));
    assert_eq!(sends(&mut bench, 10), [5, 45, 85]);
    bench.say(&response(&bye, 200, "", ""));
    assert_eq!(lingers_s(&mut bench), 5);
}

#[test]
fn g_and_h_of_a_refusal_without_ack() {
    let mut bench = Bench::new();
    bench.say(&request("INVITE", 1, "i1", "", "", SDP));
    bench.command(LegCommand::Reject { leg: LegId(1), cause: RejectCause::Busy });
    assert_eq!(sends(&mut bench, 60), CAPPED);
    assert_eq!(bench.endpoint.load().transactions, 0);
}

#[test]
fn i_after_the_ack_of_a_refusal() {
    let mut bench = Bench::new();
    bench.say(&request("INVITE", 1, "i1", "", "", SDP));
    bench.command(LegCommand::Reject { leg: LegId(1), cause: RejectCause::Busy });
    bench.say(&request("ACK", 1, "i1", "x", "", ""));
    assert_eq!(lingers_s(&mut bench), 5);
}

#[test]
fn j_of_an_answered_bye_and_l_of_an_accepted_invite() {
    let mut bench = Bench::new();
    let tag = established(&mut bench);
    assert_eq!(lingers_s(&mut bench), 32);
    bench.say(&request("BYE", 2, "b1", &tag, "", ""));
    assert_eq!(lingers_s(&mut bench), 32);
    bench.say(&request("BYE", 2, "b1", &tag, "", ""));
    assert!(bench.sent.pop().unwrap().1.starts_with("SIP/2.0 481 "), "after J the dialog is forgotten");
}

#[test]
fn the_2xx_repeats_like_timer_g() {
    let mut bench = Bench::new();
    bench.say(&request("INVITE", 1, "i1", "", "", SDP));
    bench.answer(1);
    let ok = bench.one();
    let times = sends(&mut bench, 31);
    assert_eq!(times, CAPPED[..9]);
    bench.say(&request("ACK", 1, "a1", to_tag(&ok), "", ""));
    assert_eq!(sends(&mut bench, 60), [0; 0]);
}

#[test]
fn timers_follow_the_settings() {
    let mut bench = Bench::with(|config| {
        config.t1_ms = 100;
        config.t2_ms = 400;
    });
    bench.dial(1 << 63);
    assert_eq!(sends(&mut bench, 10), [1, 3, 7, 15, 31, 63]);
    assert_eq!(bench.said(), ["gone 9223372036854775808 Unreachable"]);
}
