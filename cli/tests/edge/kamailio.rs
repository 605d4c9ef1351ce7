//! Kamailio, which is not ours, stands between the callers and the server, over UDP and TCP in all pairs: requests in
//! a dialog find their way by its Record-Route, both ways.
use runtime_contract::leg::GoneCause;
use runtime_server::Phone;
use tempfile::tempdir;

use crate::harness::kamailio::Kamailio;
use crate::harness::pcap;
use crate::harness::served::Served;
use crate::harness::sipp::Sipp;
use crate::{LONG, gone, harness};

#[test]
fn dialogs_go_through_a_proxy_that_stays_in_the_way() {
    let (data, folder) = (tempdir().unwrap(), tempdir().unwrap());
    let served = Served::start(&harness::project("cli/tests/projects/kept"), data.path(), &["--no-watch"]);
    let mut calls = 0;
    for inside in ["udp", "tcp"] {
        let edge = Kamailio::start(folder.path(), served.sip, inside);
        let phone = Phone::start(edge.address).unwrap();
        // He waits in the menu and hangs up: his BYE goes through the edge.
        let call = phone.call(&format!("sip:+864008100005@{}", edge.address), Some("+8613800000001")).unwrap();
        assert!(call.wait_heard(8_000, LONG) > 8_000, "hears the menu over {inside}");
        call.hang_up();
        assert_eq!(gone(&call), GoneCause::LocalHungUp);
        // He presses a key, and the flow hangs up: our BYE goes through the edge.
        let call = phone.call(&format!("sip:+864008100005@{}", edge.address), Some("+8613800000002")).unwrap();
        assert!(call.wait_heard(8_000, LONG) > 8_000, "hears the menu over {inside}");
        assert!(call.press("1"));
        assert_eq!(gone(&call), GoneCause::RemoteHungUp);
        // The same from SIPp, over TCP.
        pcap::write(&folder.path().join("keys.pcap"), &pcap::keys("1", 900));
        let (scenario, number) = ("key_through_edge", "+864008100005");
        let sipp = Sipp { scenario, to: edge.address, number, calls: 3, rate: 3, timeout_s: 60, transport: "t1" };
        let outcome = sipp.run(folder.path());
        assert_eq!(outcome.code, Some(0), "{}\n{}", outcome.said, served.log());
        calls += 5;
    }
    let idle = || served.metric("strowger_calls_live") == 0.0;
    harness::until("all calls are over", idle);
    served.settles("strowger_calls_ended_total", f64::from(calls));
    assert_eq!(served.stop(), 0);
    let ends = crate::ends(data.path());
    assert_eq!(ends.iter().filter(|end| *end == "caller hung up").count(), 2, "{ends:?}");
    assert_eq!(ends.iter().filter(|end| *end == "hung up").count(), 8, "{ends:?}");
}
