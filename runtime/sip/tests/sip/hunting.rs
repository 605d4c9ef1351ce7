//! Legs that are looked for: at all places of a phone, and through one trunk after another.

use std::sync::Arc;

use runtime_contract::Redacted;
use runtime_contract::leg::{LegCommand, LegEvent, LegId, Target};
use runtime_sip::{ConnectionId, Input, Site, Transport, Trunk};

use crate::bench::{Bench, MEDIA, RING_MS, SDP, address, header, request, response};
use crate::challenges::{trunk, with_trunks};
use crate::noise::{Random, for_seeds};
use crate::phones::{bench_with, registers, site};

const LEG: u64 = 1 << 62;

fn dial(bench: &mut Bench, target: Target) {
    let from = Some(Redacted::new("1002".to_owned()));
    bench.command(LegCommand::Dial { leg: LegId(LEG), target, from, ring_ms: RING_MS, media: address(MEDIA) });
}

fn dial_phone(bench: &mut Bench) {
    dial(bench, Target::Extension(Redacted::new("1001".to_owned())));
}

fn dial_number(bench: &mut Bench) {
    dial(bench, Target::Number(Redacted::new("+864008100000".to_owned())));
}

/// A phone at three places.
fn registered() -> Bench {
    let mut site = site(&["1001", "1002"]);
    site.phones[1].name = Some("Front desk".into());
    let mut bench = bench_with(site, |_| {});
    let contacts = "Contact: <sip:1001@127.0.0.1:5071>;q=0.5, <sip:1001@127.0.0.1:5072>, <sip:x@10.0.0.9>;q=0.1\n";
    assert!(registers(&mut bench, 1, contacts).starts_with("SIP/2.0 200 "));
    bench
}

/// Requests since last asked, with where they went.
fn requests(bench: &mut Bench) -> Vec<(String, String)> {
    bench.sent.drain(..).map(|(to, text)| (to.to_string(), text.replace("\r\n", "\n"))).collect()
}

fn first_lines(requests: &[(String, String)]) -> Vec<String> {
    requests.iter().map(|(to, text)| format!("{to} {}", text.lines().next().unwrap())).collect()
}

fn said(bench: &mut Bench) -> Vec<String> {
    bench.said().into_iter().map(|event| event.replace(&LEG.to_string(), "d")).collect()
}

#[test]
fn a_phone_rings_wherever_it_is_and_the_first_answer_wins() {
    let mut bench = registered();
    dial_phone(&mut bench);
    let invites = requests(&mut bench);
    assert_eq!(
        first_lines(&invites),
        [
            "127.0.0.1:5072 INVITE sip:1001@127.0.0.1:5072 SIP/2.0",
            "127.0.0.1:5071 INVITE sip:1001@127.0.0.1:5071 SIP/2.0",
            "127.0.0.1:5070 INVITE sip:x@10.0.0.9 SIP/2.0",
        ]
    );
    assert!(header(&invites[0].1, "From").starts_with("\"Front desk\" <sip:1002@127.0.0.1:5060>;tag="));
    for (_, invite) in &invites {
        bench.say(&response(invite, 180, "t", ""));
    }
    assert_eq!(said(&mut bench), ["ringing d"], "once");
    bench.say(&response(&invites[1].1, 200, "t", SDP));
    let after = requests(&mut bench);
    let lines = first_lines(&after);
    assert!(lines[0].contains(" ACK "), "{lines:?}");
    assert_eq!(lines.iter().filter(|line| line.contains(" CANCEL ")).count(), 2);
    assert!(
        after
            .iter()
            .filter(|(_, text)| text.starts_with("CANCEL"))
            .all(|(_, text)| text.contains("Reason: SIP;cause=200"))
    );
    assert_eq!(said(&mut bench), ["dialog d", "media d 127.0.0.1:6000 Pcmu", "up d"]);
    // A second answer crosses the CANCEL: it is acknowledged and ended.
    bench.say(&response(&invites[0].1, 200, "t", SDP));
    let crossed = first_lines(&requests(&mut bench));
    assert!(crossed[0].contains(" ACK ") && crossed[1].contains(" BYE "), "{crossed:?}");
    bench.say(&response(&invites[2].1, 487, "t", ""));
    assert!(said(&mut bench).is_empty());
    bench.command(LegCommand::HangUp { leg: LegId(LEG) });
    assert_eq!(said(&mut bench), ["gone d LocalHungUp"]);
    bench.sent.clear();
    bench.wait_ms(4_000_000);
    bench.assert_empties();
}

#[test]
fn a_phone_that_is_busy_everywhere_or_nowhere() {
    let mut bench = registered();
    dial_phone(&mut bench);
    for ((_, invite), code) in requests(&mut bench).iter().zip([404, 486, 503]) {
        bench.say(&response(invite, code, "t", ""));
    }
    assert_eq!(said(&mut bench), ["gone d Refused(486)"]);
    dial_phone(&mut bench);
    bench.sent.retain(|(_, text)| text.starts_with("INVITE"));
    let (_, first) = requests(&mut bench).remove(0);
    bench.say(&response(&first, 180, "t", ""));
    bench.say(&response(&first, 603, "t", ""));
    assert_eq!(said(&mut bench), ["ringing d", "gone d Refused(603)"], "who declines does so for all");
    bench.sent.clear();
    dial_phone(&mut bench);
    bench.command(LegCommand::HangUp { leg: LegId(LEG) });
    assert_eq!(said(&mut bench), ["gone d LocalHungUp"]);
    dial(&mut bench, Target::Extension(Redacted::new("1002".to_owned())));
    assert_eq!(said(&mut bench), ["gone d Unreachable"], "known, and nowhere");
    bench.sent.clear();
    bench.wait_ms(4_000_000);
    bench.assert_empties();
}

fn two_trunks() -> Bench {
    let named = |name: &str, to: &str, prefix: &str| Trunk {
        addresses: vec![address(to)],
        host: format!("{name}.example"),
        prefixes: vec![prefix.to_owned()],
        ..trunk(name)
    };
    let mut first = named("first", "127.0.0.1:5081", "+86");
    (first.from, first.identity) = (Some("+8621".into()), true);
    with_trunks(vec![named("second", "127.0.0.1:5082", "+"), first])
}

#[test]
fn a_number_goes_by_the_longest_prefix_and_another_way_when_that_fails() {
    let mut bench = two_trunks();
    dial_number(&mut bench);
    let (to, invite) = requests(&mut bench).remove(0);
    assert_eq!(to, "127.0.0.1:5081");
    assert!(invite.starts_with("INVITE sip:+864008100000@first.example SIP/2.0\n"));
    assert!(header(&invite, "From").starts_with("<sip:+8621@first.example>;tag="));
    assert_eq!(header(&invite, "P-Asserted-Identity"), "<sip:+8621@first.example>");
    bench.say(&response(&invite, 503, "t", ""));
    let second = requests(&mut bench);
    assert_eq!(first_lines(&second)[1], "127.0.0.1:5082 INVITE sip:+864008100000@second.example SIP/2.0");
    assert!(header(&second[1].1, "From").starts_with("<sip:1002@second.example>;tag="));
    assert!(!second[1].1.contains("P-Asserted-Identity"));
    bench.say(&response(&second[1].1, 180, "t", ""));
    bench.say(&response(&second[1].1, 200, "t", SDP));
    assert_eq!(said(&mut bench), ["ringing d", "media d 127.0.0.1:6000 Pcmu", "dialog d", "up d"]);
    bench.command(LegCommand::HangUp { leg: LegId(LEG) });
    bench.sent.clear();
    bench.said();
    // The one that failed comes last for a while.
    dial_number(&mut bench);
    assert_eq!(requests(&mut bench)[0].0, "127.0.0.1:5082");
}

#[test]
fn an_answer_and_its_end_may_come_at_once() {
    let mut bench = with_trunks(vec![Trunk { transport: Transport::Tcp, ..trunk("carrier") }]);
    dial_number(&mut bench);
    let connection = bench.connects[0].0;
    let invite = bench.one_on(connection);
    bench.input(Input::Connected { connection });
    let tag = header(&invite, "From").split(";tag=").nth(1).unwrap();
    let bye = request("BYE", 1, "b1", tag, "", "");
    let bye = bye.replace("Call-ID: call", &format!("Call-ID: {}", header(&invite, "Call-ID")));
    bench.stream(connection, &format!("{}{bye}", response(&invite, 200, "far", SDP)));
    let events = said(&mut bench);
    assert_eq!(events[events.len() - 2..], ["up d", "gone d RemoteHungUp"], "{events:?}");
    bench.assert_empties();
}

#[test]
fn a_trunk_that_says_nothing_is_passed_over() {
    let mut bench = two_trunks();
    dial_number(&mut bench);
    bench.wait_ms(4_900);
    assert!(requests(&mut bench).iter().all(|(to, _)| to == "127.0.0.1:5081"));
    bench.wait_ms(200);
    assert_eq!(requests(&mut bench).last().unwrap().0, "127.0.0.1:5082");
    bench.wait_ms(40_000);
    assert_eq!(said(&mut bench), ["gone d Unreachable"]);
    bench.sent.clear();
    bench.assert_empties();
}

#[test]
fn a_person_is_not_called_twice() {
    for code in [486, 600, 603, 404] {
        let mut bench = two_trunks();
        dial_number(&mut bench);
        let (_, invite) = requests(&mut bench).remove(0);
        bench.say(&response(&invite, code, "t", ""));
        assert_eq!(first_lines(&requests(&mut bench)).len(), 1, "the ACK alone");
        assert_eq!(said(&mut bench), [format!("gone d Refused({code})")]);
    }
    let mut bench = two_trunks();
    dial_number(&mut bench);
    let (_, invite) = requests(&mut bench).remove(0);
    bench.say(&response(&invite, 180, "t", ""));
    bench.say(&response(&invite, 503, "t", ""));
    assert_eq!(said(&mut bench), ["ringing d", "gone d Refused(503)"], "it rang there");
    let mut bench = with_trunks(vec![]);
    dial_number(&mut bench);
    assert_eq!(said(&mut bench), ["gone d Unreachable"], "no trunk at all");
    bench.input(Input::Site(Arc::new(Site::default())));
    bench.assert_empties();
}

/// Phones that come and go, calls to them and through trunks, answers of every kind, a site that changes: each leg ends
/// once, and nothing is left.
fn noise(seed: u64) {
    let mut random = Random(seed);
    let mut bench = bench_with(site(&["1001", "1002"]), |config| (config.legs_max, config.connections_max) = (12, 4));
    let sites = [0, 1, 2].map(|n| {
        let named = |name: &str, port: u16| Trunk {
            addresses: vec![address(&format!("127.0.0.1:{port}"))],
            transport: if port == 5083 { Transport::Tcp } else { Transport::Udp },
            probe_s: (n == 1).then_some(30),
            register_s: (n == 2).then_some(60),
            ..trunk(name)
        };
        let trunks = vec![named("a", 5081), named("b", 5082), named("c", 5083)];
        Arc::new(Site { trunks: trunks.into_iter().skip(n).collect(), ..site(&["1001", "1002"]) })
    });
    let (mut heard, mut cseq, mut next): (Vec<String>, u32, u64) = (Vec::new(), 0, LEG);
    for _ in 0..200 {
        match random.below(10) {
            0 => bench.input(Input::Site(Arc::clone(&sites[random.below(3) as usize]))),
            1 => {
                cseq += 2;
                bench.sent.clear();
                let contacts = "Contact: <sip:1001@127.0.0.1:5071>, <sip:1001@127.0.0.1:5072;transport=tcp>\n";
                registers(&mut bench, cseq, contacts);
            }
            2 | 3 => {
                next += 1;
                let target = match random.below(2) {
                    0 => Target::Extension(Redacted::new("1001".to_owned())),
                    _ => Target::Number(Redacted::new("+864008100000".to_owned())),
                };
                let (leg, media, ring_ms) = (LegId(next), address(MEDIA), 1 + random.below(20_000) as u32);
                bench.command(LegCommand::Dial { leg, target, from: None, ring_ms, media });
            }
            4 => bench.command(LegCommand::HangUp { leg: LegId(next - random.below(4).min(next - LEG)) }),
            5 => bench.wait_ms(random.below(40_000)),
            6 => bench.input(Input::Closed { connection: ConnectionId(ConnectionId::OURS_FIRST + random.below(9)) }),
            _ => {
                let Some(text) = heard.get(random.below(heard.len().max(1) as u64) as usize) else { continue };
                let code = [100, 180, 183, 200, 302, 401, 407, 408, 423, 486, 503, 603][random.below(12) as usize];
                let line = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\nMin-Expires: 90\n";
                let line = if random.chance(50) {
                    line.replace("WWW", "Proxy").replace("tication", "te")
                } else {
                    line.into()
                };
                let answer = response(text, code, ["x", "y"][random.below(2) as usize], SDP);
                bench.say(&answer.replace("Content-Type", &format!("{line}Content-Type")));
            }
        }
        let sent = bench.sent.drain(..).map(|(_, text)| text).chain(bench.written.drain(..).map(|(_, text)| text));
        heard.extend(sent.map(|text| text.replace("\r\n", "\n")).filter(|text| !text.starts_with("SIP/2.0")));
        let old = heard.len().saturating_sub(40);
        heard.drain(..old);
    }
    for leg in LEG..=next {
        bench.command(LegCommand::HangUp { leg: LegId(leg) });
    }
    let mut gone = std::collections::BTreeSet::new();
    for event in &bench.events {
        assert!(!gone.contains(&event.leg()), "{event:?} after its end");
        assert!((LEG..=next).contains(&event.leg().0), "{event:?} is of no leg that was placed");
        if matches!(event, LegEvent::Gone { .. }) {
            gone.insert(event.leg());
        }
    }
    assert_eq!(gone.len() as u64, next - LEG);
    bench.input(Input::Drain);
    bench.wait_ms(8_000_000);
    bench.assert_empties();
}

#[test]
fn noise_among_phones_and_trunks_does_no_harm() {
    for_seeds("noise_among_phones_and_trunks_does_no_harm", 30, noise);
}
