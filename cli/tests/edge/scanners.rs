//! A scanner that is not ours tries the server: it learns of no extension and no password, and others are served
//! meanwhile.

use std::net::SocketAddr;

use tempfile::tempdir;

use crate::harness;
use crate::harness::pcap::{self, Press};
use crate::harness::served::Served;
use crate::harness::sipp::Sipp;
use crate::harness::sipvicious::scan;

/// The scanner comes from 127.0.0.1, whatever it is told to bind to.
const SITE: &str = "voices: { engine: tones }\ntrunks: { outside: 127.0.0.2 }\n\
                    phones: { 2001: { password: \"212\" }, 2002: { password: x } }\n";
/// What hundreds of strange requests may leave, in kB.
const GROWTH_KB_MAX: u64 = 16_384;

/// Of a trunk, to the end of its flow.
fn calls_from_the_trunk(served: &Served) {
    let folder = tempdir().unwrap();
    pcap::write(&folder.path().join("keys.pcap"), &[Press::Pause(200)]);
    let (scenario, number) = ("normal", "+864008100006");
    let sipp = Sipp { scenario, to: served.sip, number, calls: 2, rate: 2, timeout_s: 60, transport: "u1" };
    let here = SocketAddr::from(([127, 0, 0, 2], harness::free_port()));
    let outcome = sipp.run_at(here, folder.path());
    assert_eq!(outcome.code, Some(0), "{}\n{}", outcome.said, served.log());
}

#[test]
fn a_scanner_learns_nothing_and_hinders_nobody() {
    let (project, data, folder) = (tempdir().unwrap(), tempdir().unwrap(), tempdir().unwrap());
    let flow = harness::project("cli/tests/projects/desk/desk.flow");
    std::fs::copy(flow, project.path().join("desk.flow")).unwrap();
    std::fs::write(project.path().join("strowger.yaml"), SITE).unwrap();
    // The right password is the last of those that it tries. After a hundred wrong ones it is heard once in a second, or
    // gives up, as the two clocks have it.
    let words: String = (101..=212).map(|word| format!("{word}\n")).collect();
    let dictionary = folder.path().join("words");
    std::fs::write(&dictionary, words).unwrap();
    let dictionary = dictionary.to_str().unwrap();

    let served = Served::start(project.path(), data.path(), &["--no-watch"]);
    let scan = |tool: &str, words: &[&str]| {
        let said = scan(tool, &[words, &["-t", "0.005"]].concat(), served.sip, folder.path());
        assert!(!said.contains("Traceback"), "{said}");
        said
    };
    let found = std::thread::scope(|scope| {
        let mapper = scope.spawn(|| scan("svmap", &[]));
        calls_from_the_trunk(&served);
        mapper.join().unwrap()
    });
    assert!(found.contains(&served.sip.to_string()), "it sees that somebody is there: {found}");
    let before_kb = served.resident_kb();
    for method in ["REGISTER", "OPTIONS", "INVITE"] {
        let said = scan("svwar", &["--force", "--maximumtime", "1", "-m", method, "-e", "1999-2003"]);
        assert!(said.contains("found nothing"), "{method}: {said}");
    }
    std::thread::scope(|scope| {
        let cracker = scope.spawn(|| scan("svcrack", &["--maximumtime", "1", "-u", "2001", "-d", dictionary]));
        calls_from_the_trunk(&served);
        let said = cracker.join().unwrap();
        assert!(said.contains("found nothing"), "{said}");
    });
    calls_from_the_trunk(&served);
    let grown_kb = served.resident_kb().saturating_sub(before_kb);
    assert!(grown_kb < GROWTH_KB_MAX, "grown by {grown_kb} kB");
    served.settles("strowger_calls_ended_total", 6.0);
    assert_eq!(served.stop(), 0);
}
