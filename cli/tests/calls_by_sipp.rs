//! SIPp, which is not ours, completes the example by itself, and tries what goes wrong on real networks.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop at the first surprise"
)]

mod harness;

use std::collections::HashSet;
use std::net::{SocketAddr, UdpSocket};
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::Duration;

use harness::bank::Bank;
use harness::pcap::{self, Press};
use harness::relay::{Relay, Way};
use harness::served::Served;
use harness::sipp::{Callee, Sipp};
use tempfile::{TempDir, tempdir};

const EXAMPLE: &str = "+864008100000";

struct Site {
    served: Served,
    bank: Bank,
    _data: TempDir,
}

impl Site {
    fn start(project: &str) -> Site {
        let (data, bank) = (tempdir().unwrap(), Bank::start());
        let served = Served::start(&harness::project(project), data.path(), &["--service", &bank.option()]);
        Site { served, bank, _data: data }
    }

    fn example() -> Site {
        Site::start("examples/01-first-call")
    }

    /// Every call goes by the scenario.
    fn completes(&self, scenario: &str, to: SocketAddr, number: &str, calls: u32) -> String {
        self.completes_over("u1", scenario, to, number, calls)
    }

    fn completes_over(&self, transport: &str, scenario: &str, to: SocketAddr, number: &str, calls: u32) -> String {
        let folder = keys();
        let outcome = Sipp { scenario, to, number, calls, rate: 10, timeout_s: 100, transport }.run(folder.path());
        assert_eq!(outcome.code, Some(0), "{scenario}:\n{}\n{}", outcome.said, self.served.log());
        outcome.said
    }

    /// All calls are over and written down, and the server stops by itself.
    fn ends_clean(self, calls: f64) {
        self.served.settles("strowger_calls_live", 0.0);
        self.served.settles("strowger_calls_ended_total", calls);
        assert_eq!(self.served.stop(), 0);
    }
}

/// Where a SIPp process runs, with the keys of the whole example.
fn keys() -> TempDir {
    let folder = tempdir().unwrap();
    let mut presses = vec![Press::Pause(500)];
    presses.extend(pcap::keys("2", 400));
    presses.extend(pcap::keys("1", 600));
    presses.extend(pcap::keys("4111111111111111#", 60));
    presses.push(Press::Pause(1_500));
    presses.extend(pcap::keys("9", 400));
    pcap::write(&folder.path().join("keys.pcap"), &presses);
    folder
}

#[test]
fn sipp_keys_its_way_through_the_example() {
    let site = Site::example();
    site.completes("normal", site.served.sip, EXAMPLE, 5);
    assert_eq!(site.bank.asked.load(Ordering::Relaxed), 5);
    site.ends_clean(5.0);
}

#[test]
fn sipp_keys_its_way_through_the_example_over_tcp() {
    let site = Site::example();
    site.completes_over("t1", "normal", site.served.sip, EXAMPLE, 5);
    assert_eq!(site.bank.asked.load(Ordering::Relaxed), 5);
    site.completes_over("t1", "hang_up", site.served.sip, EXAMPLE, 5);
    site.ends_clean(10.0);
}

#[test]
fn the_offer_may_come_from_us() {
    let site = Site::example();
    site.completes("late_offer", site.served.sip, EXAMPLE, 2);
    assert_eq!(site.bank.asked.load(Ordering::Relaxed), 2);
    site.ends_clean(2.0);
}

#[test]
fn a_caller_may_give_up_while_it_rings() {
    let site = Site::start("cli/tests/projects/ring");
    site.completes("cancel", site.served.sip, "+864008100001", 3);
    site.ends_clean(3.0);
}

#[test]
fn a_caller_may_hang_up_in_the_middle_of_a_prompt() {
    let site = Site::example();
    site.completes("hang_up", site.served.sip, EXAMPLE, 5);
    site.ends_clean(5.0);
}

#[test]
fn lost_and_late_packets_change_nothing() {
    let site = Site::example();
    let lost: u64 = std::thread::scope(|scope| {
        let callers: Vec<_> = [11, 22, 33]
            .map(|seed| {
                let site = &site;
                scope.spawn(move || {
                    let relay = Relay::start(site.served.sip, Way { seed, lost_percent: 25, delay_ms_max: 150 });
                    site.completes("normal", relay.address, EXAMPLE, 1);
                    relay.lost.load(Ordering::Relaxed)
                })
            })
            .into_iter()
            .collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).sum()
    });
    assert!(lost > 0, "the relay lost nothing");
    assert_eq!(site.bank.asked.load(Ordering::Relaxed), 3);
}

#[test]
fn a_lost_ack_brings_the_200_again() {
    let site = Site::example();
    let said = site.completes("lost_ack", site.served.sip, EXAMPLE, 2);
    // SIPp's screen: arrow, messages, repetitions.
    let line = said.lines().find(|line| line.trim_start().starts_with("200 <")).unwrap();
    let counts: Vec<u32> = line.split_whitespace().filter_map(|word| word.parse().ok()).skip(1).collect();
    assert!(counts[1] >= 4, "each 200 comes again at least twice within 1.8 s: {line}");
    site.ends_clean(2.0);
}

/// INVITEs of a host that never says anything more; gives how many were answered by 200 and by 503.
fn flood(server: SocketAddr, invites: usize) -> (usize, usize) {
    let socket = UdpSocket::bind("127.0.0.3:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let here = socket.local_addr().unwrap();
    let sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.3\r\ns=-\r\nc=IN IP4 127.0.0.3\r\nt=0 0\r\nm=audio 9 RTP/AVP 8\r\n";
    let (mut taken, mut refused, mut buffer) = (HashSet::new(), HashSet::new(), [0; 4_096]);
    for number in 0..invites {
        let invite = format!(
            "INVITE sip:{EXAMPLE}@{server} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK{number}\r\n\
             From: <sip:f@{here}>;tag=f\r\nTo: <sip:{EXAMPLE}@{server}>\r\nCall-ID: flood{number}\r\n\
             CSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:f@{here}>\r\nContent-Type: application/sdp\r\n\
             Content-Length: {}\r\n\r\n{sdp}",
            sdp.len()
        );
        socket.send_to(invite.as_bytes(), server).unwrap();
        // No faster than it answers; what comes again was counted.
        while taken.len() + refused.len() + 50 < number {
            let length = socket.recv(&mut buffer).expect("every INVITE has its answer");
            let text = String::from_utf8_lossy(&buffer[..length]);
            let call = text.lines().find(|line| line.starts_with("Call-ID")).unwrap().to_owned();
            match &text[8..11] {
                "200" => taken.insert(call),
                "503" => refused.insert(call),
                _ => false,
            };
        }
    }
    (taken.len(), refused.len())
}

#[test]
fn calls_that_are_never_acknowledged_end_and_a_flood_of_them_hinders_nobody() {
    const FLOOD: usize = 10_000;
    // 250 calls, and the refusals that are repeated until they are acknowledged.
    const GROWTH_KB_MAX: u64 = 32_768;
    let site = Site::example();
    std::thread::scope(|scope| {
        let silent = scope.spawn(|| site.completes("never_acked", site.served.sip, EXAMPLE, 2));
        let before_kb = site.served.resident_kb();
        let (taken, refused) = flood(site.served.sip, FLOOD);
        assert!(taken <= 250 && refused > FLOOD - 350, "{taken} taken, {refused} refused");
        site.completes("hang_up", site.served.sip, EXAMPLE, 5);
        let grown_kb = site.served.resident_kb().saturating_sub(before_kb);
        assert!(grown_kb < GROWTH_KB_MAX, "grown by {grown_kb} kB");
        silent.join().unwrap();
    });
    site.served.settles("strowger_calls_live", 0.0);
    assert_eq!(site.served.stop(), 0);
}

#[test]
fn both_sides_may_say_bye_at_once() {
    let site = Site::start("cli/tests/projects/ring");
    site.completes("bye_race", site.served.sip, "+864008100001", 3);
    site.ends_clean(3.0);
}

#[test]
fn a_request_with_an_old_sequence_number_is_refused() {
    let site = Site::example();
    site.completes("wrong_cseq", site.served.sip, EXAMPLE, 3);
    site.ends_clean(3.0);
}

#[test]
fn a_caller_may_change_the_session_in_every_way() {
    let site = Site::example();
    site.completes("changed_session", site.served.sip, EXAMPLE, 2);
    site.ends_clean(2.0);
}

/// A server that was killed takes its calls up by a re-INVITE, which meets one of the caller's.
#[test]
fn offers_that_cross_are_made_again() {
    let (project, data, folder) = (harness::project("cli/tests/projects/kept"), tempdir().unwrap(), tempdir().unwrap());
    let mut served = Served::start(&project, data.path(), &["--no-watch"]);
    let (sip, scenario, number) = (served.sip, "glare", "+864008100005");
    let sipp = Sipp { scenario, to: sip, number, calls: 1, rate: 1, timeout_s: 60, transport: "u1" };
    std::thread::scope(|scope| {
        let caller = scope.spawn(|| sipp.run(folder.path()));
        harness::until("the menu is said", || served.metric("strowger_media_packets_sent_total") > 20.0);
        served.signal("KILL");
        served.child.wait().unwrap();
        let served = Served::start_at(&project, data.path(), &sip.to_string(), &["--no-watch"]);
        let outcome = caller.join().unwrap();
        assert_eq!(outcome.code, Some(0), "{}\n{}", outcome.said, served.log());
        served.settles("strowger_calls_live", 0.0);
        served.settles("strowger_calls_revived_total", 1.0);
        assert_eq!(served.stop(), 0);
    });
}

#[test]
fn sessions_have_a_length_that_both_agree_to() {
    let site = Site::example();
    site.completes("session_timer", site.served.sip, EXAMPLE, 2);
    site.served.settles("strowger_calls_live", 0.0);
    assert_eq!(site.served.stop(), 0);
}

#[test]
fn a_caller_may_want_provisional_responses_reliably() {
    let site = Site::start("cli/tests/projects/ring");
    site.completes("prack", site.served.sip, "+864008100001", 2);
    site.ends_clean(2.0);
}

#[test]
fn keys_may_come_by_info() {
    let site = Site::example();
    site.completes("info_keys", site.served.sip, EXAMPLE, 2);
    site.ends_clean(2.0);
}

#[test]
fn callers_are_given_away() {
    let site = Site::start("cli/tests/projects/give_away");
    site.completes("given_away", site.served.sip, "+864008100006", 2);
    site.completes("not_given_away", site.served.sip, "+864008100006", 2);
    site.ends_clean(4.0);
}

/// Whoever is called by `strowger call` goes by the scenario; gives what the phone said.
fn is_called(scenario: &str) -> String {
    let folder = tempdir().unwrap();
    let callee = Callee::start(scenario, folder.path());
    let target = format!("sip:callee@{}", callee.address);
    let phone = Command::new(env!("CARGO_BIN_EXE_strowger"))
        .args(["call", &target, "--seconds", "30", "--json"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let outcome = callee.outcome(folder.path());
    let said = String::from_utf8_lossy(&phone.stdout).into_owned();
    assert_eq!(outcome.code, Some(0), "{scenario}:\n{}\n{said}", outcome.said);
    assert!(phone.status.success(), "{scenario}: {said}");
    said
}

#[test]
fn whom_we_call_may_answer_in_every_way() {
    for scenario in ["callee_early", "callee_prack", "callee_moved", "callee_forks"] {
        is_called(scenario);
    }
}
