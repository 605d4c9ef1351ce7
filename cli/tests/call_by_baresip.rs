//! A softphone that is not ours dials the example, keys its way to the balance, and is hung up on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop at the first surprise"
)]

mod harness;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use harness::bank::Bank;
use harness::baresip::Baresip;
use harness::pcap::{self, Press};
use harness::served::Served;
use harness::sipp::Sipp;
use runtime_store::{Options, Store};

/// Time between keys: a person's, and longer than baresip takes for one.
const KEY: Duration = Duration::from_millis(450);

#[test]
fn baresip_hears_its_balance() {
    let (data, folder, bank) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), Bank::start());
    let served =
        Served::start(&harness::project("examples/01-first-call"), data.path(), &["--service", &bank.option()]);
    let phone = Baresip::dial(folder.path(), &format!("sip:+864008100000@{}", served.sip));
    served.settles("strowger_calls_live", 1.0);
    std::thread::sleep(Duration::from_secs(1));
    for key in "214111111111111111#".chars() {
        phone.press(key);
        std::thread::sleep(KEY);
    }
    harness::until("the bank is asked", || bank.asked.load(Ordering::Relaxed) == 1);
    // Held until the menu asks again.
    phone.press('9');
    served.settles("strowger_calls_live", 0.0);
    assert_eq!(served.stop(), 0);

    let store = Store::open(data.path(), Options::default(), |_| ()).unwrap();
    let calls = store.calls(10).unwrap();
    let record = &calls[0].record;
    assert_eq!((calls.len(), record.end.as_str()), (1, "hung up"), "{record:?}");
    let notes: Vec<_> = record.notes.iter().map(|(key, value)| (key.as_str(), value.reveal().as_str())).collect();
    assert_eq!(notes, [("asked", "balance"), ("outcome", "first call")]);
}

/// A project folder with the office's flow and this site.
fn office(yaml: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(harness::project("cli/tests/projects/office/office.flow"), folder.path().join("office.flow"))
        .unwrap();
    std::fs::write(folder.path().join("strowger.yaml"), yaml).unwrap();
    folder
}

/// Loopback may call; the trunk is only there so that numbers have a way, in theory.
const PHONES: &str = "voices: { engine: tones }\ntrunks: { here: 127.0.0.1, out: { address: 127.0.0.1:9 } }\n\
                      phones: { 1001: { password: s3cret } }\n";

/// What the one call of a server noted.
fn noted(data: &Path) -> Vec<(String, String)> {
    let mut calls = all_noted(data);
    assert_eq!(calls.len(), 1);
    calls.remove(0)
}

/// What each call of a server noted.
fn all_noted(data: &Path) -> Vec<Vec<(String, String)>> {
    let store = Store::open(data, Options::default(), |_| ()).unwrap();
    let notes = |(key, value): &(String, runtime_contract::Redacted<String>)| (key.clone(), value.reveal().clone());
    store.calls(10).unwrap().iter().map(|call| call.record.notes.iter().map(notes).collect()).collect()
}

/// A carrier that goes by a scenario, so many calls and questions long.
fn carrier(port: u16, scenario: &str, calls: u32, transport: &str) {
    let (folder, nobody) = (tempfile::tempdir().unwrap(), SocketAddr::from(([127, 0, 0, 1], 9)));
    let sipp = Sipp { scenario, to: nobody, number: "x", calls, rate: 1, timeout_s: 60, transport };
    let outcome = sipp.run_at(SocketAddr::from(([127, 0, 0, 1], port)), folder.path());
    assert_eq!(outcome.code, Some(0), "{scenario}: {}", outcome.said);
}

/// Calls a number of the office and waits to be hung up on.
fn call(served: &Served, number: &str) {
    let folder = tempfile::tempdir().unwrap();
    pcap::write(&folder.path().join("keys.pcap"), &[Press::Pause(200)]);
    let to = served.sip;
    let sipp = Sipp { scenario: "normal", to, number, calls: 1, rate: 1, timeout_s: 90, transport: "u1" };
    let outcome = sipp.run(folder.path());
    assert_eq!(outcome.code, Some(0), "{}\n{}", outcome.said, served.log());
}

#[test]
fn baresip_registers_over_udp_and_tcp_and_is_called() {
    for transport in ["udp", "tcp"] {
        let (project, data, folder) = (office(PHONES), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let served = Served::start(project.path(), data.path(), &[]);
        let phone = Baresip::register(folder.path(), "1001", "s3cret", served.sip, transport);
        harness::until(&format!("it registers by {transport}"), || served.metric("strowger_phones_registered") == 1.0);
        std::thread::scope(|scope| {
            let caller = scope.spawn(|| call(&served, "+864008100003"));
            harness::until("they talk", || phone.said().contains("established"));
            phone.hang_up();
            caller.join().unwrap();
        });
        drop(phone);
        assert_eq!(served.stop(), 0);
        assert_eq!(noted(data.path()), [("outcome".to_owned(), "talked".to_owned())], "{transport}");
    }
}

#[test]
fn sipp_registers_over_udp_and_tcp_and_is_known_after_a_restart() {
    let (project, data) = (office(PHONES), tempfile::tempdir().unwrap());
    for (transport, places) in [("u1", 1), ("t1", 2)] {
        let served = Served::start(project.path(), data.path(), &[]);
        let folder = tempfile::tempdir().unwrap();
        let (to, number) = (served.sip, "1001");
        let sipp = Sipp { scenario: "register", to, number, calls: 1, rate: 1, timeout_s: 60, transport };
        let outcome = sipp.run(folder.path());
        assert_eq!(outcome.code, Some(0), "{}\n{}", outcome.said, served.log());
        let (_, phones) = served.http("GET", "/phones");
        assert!(phones.contains(&format!("\"places\":{places}")), "{transport}: {phones}");
        assert_eq!(served.stop(), 0);
    }
}

#[test]
fn a_trunk_that_challenges_is_registered_with_and_called_through() {
    let (port, data) = (harness::free_port(), tempfile::tempdir().unwrap());
    let project = office(&format!(
        "voices: {{ engine: tones }}\ntrunks:\n  here: 127.0.0.1\n  carrier:\n    address: 127.0.0.1:{port}\n    \
         host: carrier.example\n    user: '4711'\n    password: secret\n    register_s: 600\n    from: '+8621'\n    \
         identity: true\nphones: {{ 1001: {{ password: x }} }}\n"
    ));
    std::thread::scope(|scope| {
        let registrar = scope.spawn(|| carrier(port, "trunk_registrar", 1, "u1"));
        let served = Served::start(project.path(), data.path(), &[]);
        registrar.join().unwrap();
        harness::until("it is registered", || served.http("GET", "/trunks").1.contains("\"registered\":true"));
        served.settles("strowger_trunk_up{trunk=\"carrier\"}", 1.0);
        let callee = scope.spawn(|| carrier(port, "trunk_call", 1, "u1"));
        call(&served, "+864008100004");
        callee.join().unwrap();
        assert_eq!(served.stop(), 0);
    });
    assert_eq!(noted(data.path()), [("outcome".to_owned(), "talked".to_owned())]);
}

#[test]
fn a_trunk_that_is_not_there_is_passed_over_until_it_is_back() {
    let (first, second, data) = (harness::free_port(), harness::free_port(), tempfile::tempdir().unwrap());
    let trunk = |name: &str, port: u16, more: &str| {
        format!(
            "  {name}:\n    address: 127.0.0.1:{port}\n    host: carrier.example\n    user: '4711'\n    \
             password: secret\n    from: '+8621'\n    identity: true\n    {more}\n"
        )
    };
    let project = office(&format!(
        "voices: {{ engine: tones }}\ntrunks:\n  here: 127.0.0.1\n{}{}phones: {{ 1001: {{ password: x }} }}\n",
        trunk("first", first, "transport: tcp\n    probe_s: 5"),
        trunk("second", second, "transport: udp"),
    ));
    std::thread::scope(|scope| {
        let asked = scope.spawn(move || carrier(first, "trunk_probed", 1, "t1"));
        let served = Served::start(project.path(), data.path(), &[]);
        let is = |up: f64| {
            let what = format!("the first trunk is {up}");
            harness::until(&what, || served.metric("strowger_trunk_up{trunk=\"first\"}") == up);
        };
        is(1.0);
        asked.join().unwrap();
        // Nobody listens there any more.
        is(0.0);
        let callee = scope.spawn(move || carrier(second, "trunk_call", 1, "u1"));
        call(&served, "+864008100004");
        callee.join().unwrap();
        let callee = scope.spawn(move || carrier(first, "trunk_probed", 2, "t1"));
        is(1.0);
        call(&served, "+864008100004");
        callee.join().unwrap();
        assert_eq!(served.stop(), 0);
    });
    let talked = [("outcome".to_owned(), "talked".to_owned())];
    assert_eq!(all_noted(data.path()), [talked.clone(), talked]);
}
